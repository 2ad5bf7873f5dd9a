"""Everything that may be asked of an engine, with arguments that can be drawn at random."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec

from emulator.core import commands as c
from emulator.core import events as e
from emulator.core import rejections as r
from emulator.core.engine import Done, Engine
from emulator.core.fees import FeeRules
from emulator.core.instruments import (
    FeeAssetRule,
    OrderType,
    Outcome,
    SelfTradeMode,
    Side,
    TimeInForce,
)
from emulator.core.markets import Feed
from emulator.core.numbers import ZERO, exact
from emulator.core.order_lists import ListKind
from emulator.core.orders import OrderTerms, Peg, Trigger, TriggerKind
from emulator.core.rejections import ReplaceFailed
from emulator.core.rules import EngineRules
from emulator.runtime.journal_format import decode_batch, encode_batch
from emulator.runtime.ports import Batch, Record
from tests.core.invariants import assert_sound, assert_tape_agrees
from tests.core.world import MINUTE, SPOT, START, instrument

STEP = Decimal("0.5")
LOT = Decimal("0.1")
ACCOUNTS = (1, 2, 3)
"""The first two are of one trade group; all are so poor that funds run out."""

RECEIVED = {"price_step": "0.5", "quantity_step": "0.1", "quantity_min": "0.1"}
"""Steps so coarse that orders meet."""

INSTRUMENTS = (
    instrument(**RECEIVED, maker_fee="0.001", taker_fee="0.002", position_max="60"),
    instrument(
        **RECEIVED,
        symbol="BNBUSDT",
        base="BNB",
        maker_fee="0.01",
        taker_fee="0.02",
        post_only_failure=Outcome.EXPIRE,
        fill_or_kill_failure=Outcome.REFUSE,
        amend_keeps_priority=False,
    ),
    instrument(
        **RECEIVED,
        symbol="BTCBNB",
        quote="BNB",
        settle="BNB",
        maker_fee="0.01",
        taker_fee="0.03",
        fee_asset_rule=FeeAssetRule.QUOTE,
        base_step="0.1",
        quote_step="0.1",
        orders_max=8,
        trigger_orders_max=3,
        iceberg_orders_max=2,
        order_lists_max=2,
        amends_max=2,
    ),
)
ASSETS = ("BTC", "USDT", "BNB")
SYMBOLS = tuple(one.symbol for one in INSTRUMENTS)
RULES = EngineRules(
    fees=FeeRules(discount_asset="BNB"), symbols={(one.base, one.quote): one.symbol for one in INSTRUMENTS}
)


class Wish(msgspec.Struct, frozen=True):
    """An order relative to the last price, which is known only when it is placed."""

    side: Side
    lots: int
    offset: int
    type: str
    tif: TimeInForce
    mode: SelfTradeMode | None
    iceberg: int | None
    kind: TriggerKind
    stop: int | None
    trailing: int | None
    peg: Peg | None
    name: str

    def terms(self, last: Decimal) -> OrderTerms:
        price: Decimal | None = max(STEP, last + self.offset * STEP)
        quantity: Decimal | None = LOT * self.lots
        trigger = None
        budget = None
        is_limit = self.type not in ("market", "budget", "stop", "trailing")
        tif = self.tif if self.type in ("limit", "stop_limit") else TimeInForce.GTC
        rests = is_limit and tif is TimeInForce.GTC
        if self.type in ("stop", "stop_limit", "trailing", "trailing_limit"):
            is_trailing = self.type.startswith("trailing")
            stop = None if self.stop is None else max(STEP, last + self.stop * STEP)
            trigger = Trigger(
                kind=self.kind,
                price=stop if is_trailing or stop is not None else last + STEP,
                trailing_bips=self.trailing if is_trailing else None,
            )
        if self.type == "budget":
            quantity, budget = None, LOT * self.lots * last
        if not is_limit:
            price = None
        return OrderTerms(
            side=self.side,
            type=OrderType.LIMIT if is_limit else OrderType.MARKET,
            quantity=quantity,
            quote_quantity=budget,
            price=None if self.peg is not None and self.type == "peg" else price,
            time_in_force=tif,
            post_only=self.type == "post_only",
            trigger=trigger,
            iceberg_quantity=LOT * min(self.iceberg, self.lots) if rests and self.iceberg else None,
            peg=self.peg if self.type in ("peg", "trailing_limit") else None,
            self_trade_mode=self.mode,
            client_id=self.name,
        )


TYPES = ["limit"] * 6 + [
    "market", "budget", "post_only", "stop", "stop_limit", "trailing", "trailing_limit", "peg",
]  # fmt: skip


ASKED_LATER = (r.InsufficientBalance, r.WouldTake, r.WouldTrigger, r.WouldNotFill, r.BookTooThin)
"""What only the wallet and the book can say, which a test of an order does not ask."""


class Universe:
    """An engine that remembers what happened to it. Subclasses say which market it is on."""

    symbols = SYMBOLS
    asked_later: tuple[type[r.Rejection], ...] = ASKED_LATER

    def make_feed(self) -> Feed:
        raise NotImplementedError

    def begin(self, discounted: set[int], funds: int) -> None:
        self.feed = self.make_feed()
        self.engine = self.make_engine()
        self.now = START
        self.twin: Engine | None = None
        self.history: list[tuple[int, tuple[e.Event, ...]]] = []
        self.eaten: dict[tuple[str, Side, Decimal, int], Decimal] = {}
        for account in ACCOUNTS:
            self.do(c.OpenAccount(account=account, name=str(account), trade_group=7 if account < 3 else 0))
            for asset, scale in (("BTC", 1), ("USDT", 100), ("BNB", 1)):
                self.do(c.Deposit(account=account, wallet=SPOT, asset=asset, amount=Decimal(funds * scale)))
            self.do(c.SetFeePayment(account=account, discounted=account in discounted))

    def make_engine(self) -> Engine:
        return Engine("test", {one.symbol: one for one in INSTRUMENTS}, self.feed, (SPOT, "funding"), RULES)

    def do(self, command: c.Command) -> Done:
        self.settle()
        before = self.engine.fingerprint()
        done = self.engine.execute(command, self.now)
        if self.twin is not None:
            assert self.twin.execute(command, self.now) == done, "a replayed engine decides differently"
        if done.events:
            self.remember(self.now, done.events)
        if not done.events or isinstance(command, c.TestOrder):
            assert self.engine.fingerprint() == before, "a decision changed the state"
        if done.rejection is not None and done.events:
            assert isinstance(done.rejection, ReplaceFailed)
        return done

    def settle(self) -> None:
        happened = self.engine.advance(self.now)
        if self.twin is not None:
            assert self.twin.advance(self.now) == happened, "a replayed engine goes on differently"
        times = [time_us for time_us, _ in happened]
        assert times == sorted(times)
        assert all(events for _, events in happened)
        for time_us, events in happened:
            self.remember(time_us, events)

    def restart(self) -> None:
        """From here on an engine that was replayed from the journal must do the same as this one."""
        self.twin = self.make_engine()
        for ordinal, (time_us, events) in enumerate(self.history, start=1):
            record = Record(engine="test", time_us=time_us, events=events)
            batch = Batch(sandbox="s", sequence=ordinal, records=(record,))
            (read,) = decode_batch(encode_batch(batch)).records
            assert read.events == events
            self.twin.apply(read.events, time_us)
        assert self.twin.fingerprint() == self.engine.fingerprint(), "a replay comes to something else"

    def remember(self, time_us: int, events: tuple[e.Event, ...]) -> None:
        """Note what happened, and that nobody was given liquidity that another had taken."""
        self.history.append((time_us, events))
        for event in events:
            if isinstance(event, e.PriceSet | e.BookSet | e.MarketReleased):
                for key in [key for key in self.eaten if key[0] == event.instrument]:
                    del self.eaten[key]
        is_moved = any(isinstance(event, e.PriceSet | e.BookSet | e.MarketReleased) for event in events)
        for event in events:
            if not isinstance(event, e.TradeExecuted) or event.feed_price is None:
                continue
            side = event.taker_side if event.maker else event.taker_side.opposite
            key = (event.instrument, side, event.feed_price, event.feed_since_us)
            self.eaten[key] = self.eaten.get(key, ZERO) + event.quantity
            if not is_moved:
                assert self.eaten[key] <= self.offered(key, time_us), "liquidity was eaten twice"

    def offered(self, key: tuple[str, Side, Decimal, int], time_us: int) -> Decimal:
        """What the market itself offers at a price, before anything is consumed."""
        symbol, side, price, since_us = key
        market = self.engine.state.markets[symbol]
        if market.manual is not None:
            levels = market.manual.bids if side is Side.BUY else market.manual.asks
            return dict(levels)[price]
        with exact():
            best = market.market_quote(time_us)[0 if side is Side.BUY else 1]
            for level in self.feed.levels(market.instrument, side, time_us, best):
                if level.price == price:
                    assert level.since_us == since_us
                    return level.quantity
        raise AssertionError("the market has no such level")

    def last(self, symbol: str) -> Decimal:
        with exact():
            last = self.engine.state.markets[symbol].last_price(self.now)
            return last // STEP * STEP

    # Orders

    def place(self, account: int, symbol: str, wish: Wish) -> None:
        self.do(self.placing(account, symbol, wish))

    def place_several(self, symbol: str, listed: list[tuple[int, Wish]]) -> None:
        for account, wish in listed:
            self.do(self.placing(account, symbol, wish))
            self.is_sound()

    def test(self, account: int, symbol: str, wish: Wish) -> None:
        placing = self.placing(account, symbol, wish)
        tested = c.TestOrder(account=account, wallet=placing.wallet, instrument=symbol, terms=placing.terms)
        rejection = self.do(tested).rejection
        refused = self.do(placing).rejection
        assert refused == rejection or (rejection is None and isinstance(refused, self.asked_later))

    def placing(self, account: int, symbol: str, wish: Wish) -> c.PlaceOrder:
        terms = wish.terms(self.last(symbol))
        return c.PlaceOrder(account=account, wallet=self.wallet_of(symbol), instrument=symbol, terms=terms)

    def wallet_of(self, symbol: str) -> str:
        """Where an instrument is traded."""
        return SPOT

    def place_list(
        self,
        account: int,
        symbol: str,
        side: Side,
        shape: tuple[ListKind, bool],
        working: Wish,
        upper: Wish,
        lower: Wish,
        gap: int,
        name: str,
    ) -> None:
        kind, is_funded = shape
        last = self.last(symbol)
        replace = msgspec.structs.replace
        up = 1 if side is Side.SELL else -1
        upper = replace(upper, side=side, offset=up * gap, lots=lower.lots)
        if abs(lower.offset) < 5:
            lower = replace(lower, kind=TriggerKind.STOP_LOSS, stop=-up * gap)
        lower = replace(lower, side=side)
        working = replace(working, side=side.opposite)
        pair = [upper.terms(last), lower.terms(last)]
        if kind is ListKind.OTO:
            pair = pair[gap % 2 :][:1]
        if is_funded:
            pair = [replace(leg, quantity=None, iceberg_quantity=None) for leg in pair]
        legs = pair if kind is ListKind.OCO else [working.terms(last), *pair]
        self.do(
            c.PlaceOrderList(
                account=account, wallet=self.wallet_of(symbol), instrument=symbol, kind=kind,
                legs=tuple(legs),
                funded=is_funded, client_id=name,
            )
        )  # fmt: skip

    def open_orders(self) -> list[Any]:
        return list(self.engine.state.orders.values())

    @property
    def has_orders(self) -> bool:
        return bool(self.engine.state.orders)

    @property
    def has_lists(self) -> bool:
        return bool(self.engine.state.lists)

    def cancel(self, pick: int, restriction: c.CancelRestriction | None) -> None:
        self.do(self.canceling(pick, restriction))

    def canceling(self, pick: int, restriction: c.CancelRestriction | None = None) -> c.CancelOrder:
        listed = self.open_orders()
        order = listed[pick % len(listed)]
        return c.CancelOrder(
            account=order.account, instrument=order.instrument, order=order.id, restriction=restriction
        )

    def cancel_all(self, account: int, symbol: str) -> None:
        self.do(c.CancelAllOrders(account=account, instrument=symbol))

    def cancel_list(self, pick: int) -> None:
        listed = list(self.engine.state.lists.values())
        order_list = listed[pick % len(listed)]
        command = c.CancelOrderList(
            account=order_list.account, instrument=order_list.instrument, order_list=order_list.id
        )
        assert self.do(command).rejection is None

    def replace(self, pick: int, wish: Wish, stop_on_failure: bool, allowed: bool, exists: bool) -> None:
        canceling = self.canceling(pick)
        place = self.placing(canceling.account, canceling.instrument, wish)
        if not exists:
            canceling = msgspec.structs.replace(canceling, order=1 << 40)
        self.do(
            c.ReplaceOrder(
                cancel=canceling, place=place, stop_on_failure=stop_on_failure, place_allowed=allowed
            )
        )

    def amend(self, pick: int, less: int, name: str) -> None:
        listed = self.open_orders()
        order = listed[pick % len(listed)]
        quantity = (order.quantity or LOT) - LOT * less
        self.do(
            c.AmendOrder(
                account=order.account, instrument=order.instrument, order=order.id, quantity=quantity,
                new_client_id=name,
            )
        )  # fmt: skip

    # Accounts

    def fund(self, account: int, asset: str, amount: int, way: str) -> None:
        sum_moved = Decimal(amount)
        if way == "deposit":
            self.do(c.Deposit(account=account, wallet=SPOT, asset=asset, amount=sum_moved))
        elif way == "withdraw":
            free = self.engine.state.ledger.free(account, SPOT, asset)
            all_of_it = round(free * amount / 49, 8)
            fee = round(all_of_it / 10, 8)
            self.do(c.Withdraw(account=account, wallet=SPOT, asset=asset, amount=all_of_it, fee=fee))
        elif way == "lock":
            self.do(c.LockFunds(account=account, wallet=SPOT, asset=asset, amount=sum_moved))
        elif way == "unlock":
            self.do(c.UnlockFunds(account=account, wallet=SPOT, asset=asset, amount=sum_moved))
        else:
            source, target = (SPOT, "funding") if way == "lend" else ("funding", SPOT)
            self.do(c.Transfer(account=account, asset=asset, amount=sum_moved, source=source, target=target))

    def pay_fees(self, account: int, discounted: bool) -> None:
        self.do(c.SetFeePayment(account=account, discounted=discounted))

    # Markets

    def set_price(self, symbol: str, offset: int, mode: c.PriceMode) -> None:
        listed = self.engine.instruments[symbol]
        price = max(STEP, self.last(symbol) + offset * STEP)
        self.do(c.SetPrice(pair=listed.pair, price=price, mode=mode))

    def set_book(self, symbol: str, bids: list[int], asks: list[int], offset: int) -> None:
        middle = max(10 * STEP, self.last(symbol) + offset * STEP)
        self.do(
            c.SetBook(
                instrument=symbol,
                bids=tuple((middle - STEP * (ordinal + 1), LOT * many) for ordinal, many in enumerate(bids)),
                asks=tuple((middle + STEP * ordinal, LOT * many) for ordinal, many in enumerate(asks)),
            )
        )

    def print_trade(self, symbol: str, offset: int, many: int, buyer_is_maker: bool) -> None:
        price = max(STEP, self.last(symbol) + offset * STEP)
        self.do(
            c.PrintTrade(instrument=symbol, price=price, quantity=LOT * many, buyer_is_maker=buyer_is_maker)
        )

    def release(self, symbol: str) -> None:
        self.do(c.ReleaseMarket(pair=self.engine.instruments[symbol].pair))

    def wait(self, step_us: int) -> None:
        due = self.engine.next_due_us(self.now)
        before = len(self.history)
        self.now += step_us
        self.settle()
        if len(self.history) > before:
            assert due is not None
            assert due <= self.history[before][0], "what happened was not announced"

    # What holds

    def is_sound(self) -> None:
        """What holds after every command."""
        assert_sound(self.engine)

    def end(self) -> None:
        """What holds at the end: the tape, and that a replay comes to the same and goes on likewise."""
        for symbol in self.symbols:
            assert_tape_agrees(self.engine, symbol, START - MINUTE, self.now)
        self.restart()
        self.now += MINUTE
        self.settle()
        assert self.twin is not None
        assert self.twin.fingerprint() == self.engine.fingerprint()
