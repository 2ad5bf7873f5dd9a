"""Builders: an engine with accounts on a scripted market. What a test does not set has a default."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any, Protocol, TypeVar

import msgspec

from emulator.core import commands as c
from emulator.core import events as e
from emulator.core.contracts import Contract
from emulator.core.engine import Done, Engine
from emulator.core.fees import FeeRules
from emulator.core.instruments import (
    Instrument,
    Kind,
    MarketProfile,
    OrderType,
    SelfTradeMode,
    Side,
    TimeInForce,
    TriggerSource,
)
from emulator.core.markets import Feed
from emulator.core.numbers import exact
from emulator.core.order_lists import ListKind, OrderList
from emulator.core.orders import Order, OrderTerms, Peg, PegSide, Trigger, TriggerKind
from emulator.core.rejections import Rejection
from emulator.core.rules import EngineRules, MarginRules
from tests.core.invariants import assert_sound
from tests.core.scripted import Moment, ScriptedFeed

SYMBOL = "BTCUSDT"
SPOT = "spot"
SECOND = 1_000_000
MINUTE = 60 * SECOND
START = 1_700_000_000_000_000 // MINUTE * MINUTE
"""A whole minute; scripts begin before it."""

PROFILE = MarketProfile(anchor=Decimal(100), trade_quantity=Decimal("0.5"), level_quantity=Decimal(1))


def instrument(**changes: Any) -> Instrument:
    """A pair without limits and without fees; amounts may be given as text."""
    terms: dict[str, Any] = {
        "symbol": SYMBOL,
        "base": "BTC",
        "quote": "USDT",
        "settle": "USDT",
        "price_step": "0.01",
        "price_min": "0.01",
        "price_max": "1000000",
        "quantity_step": "0.001",
        "quantity_min": "0.001",
        "quantity_max": "9000000",
        "maker_fee": "0",
        "taker_fee": "0",
        "orders_max": 0,
        "trigger_orders_max": 0,
        "iceberg_orders_max": 0,
        "iceberg_parts_max": 0,
        "order_lists_max": 0,
        "amends_max": 0,
        "self_trade_default": SelfTradeMode.NONE,
        "profile": PROFILE,
    } | changes
    for name, value in terms.items():
        if type(value) is str and name not in ("symbol", "base", "quote", "settle"):
            terms[name] = Decimal(value)
    return Instrument(**terms)


WALLET_OF = {False: "usdm", True: "coinm"}
"""Where the linear and the inverse contracts of tests are traded."""


def perpetual(contract: Contract, **changes: Any) -> Instrument:
    """A contract without limits and without fees, in a wallet of its kind."""
    is_inverse = contract.is_inverse
    terms: dict[str, Any] = {
        "symbol": "BTCUSD_PERP" if is_inverse else "BTCUSDT_PERP",
        "kind": Kind.INVERSE if is_inverse else Kind.LINEAR,
        "quote": "USD" if is_inverse else "USDT",
        "settle": contract.settle,
        "price_step": "0.1",
        "price_max": "10000000",
        "contract": msgspec.structs.replace(contract, wallet=WALLET_OF[is_inverse]),
        "trigger_sources": frozenset(TriggerSource),
    }
    if is_inverse:
        terms |= {"quantity_step": "1", "quantity_min": "1"}
    return instrument(**(terms | changes))


def still(price: str = "100", **ladder: Any) -> ScriptedFeed:
    """A market that stands at a price; without liquidity of its own unless told."""
    return ScriptedFeed((START - MINUTE, price), **ladder)


def deep(price: str = "100", **ladder: Any) -> ScriptedFeed:
    """A market that stands at a price (the ask) with ten levels a side of quantity 1."""
    return still(price, **({"depth": 10} | ladder))


def moving(*script: Moment, **ladder: Any) -> ScriptedFeed:
    """A market that follows a script whose times are seconds from the start."""
    shifted: list[Moment] = [(START + moment[0] * SECOND, *moment[1:]) for moment in script]
    return ScriptedFeed(*shifted, **ladder)


class World:
    """An engine, and what a test says to it. Every command is followed by a look at all invariants."""

    def __init__(
        self,
        feed: Feed | None = None,
        *instruments: Instrument,
        fees: FeeRules | None = None,
        margin: MarginRules | None = None,
        funds: str = "1000000",
        checked: bool = True,
        pair_wallets: tuple[str, ...] | None = None,
        keeps_transactions: bool = False,
    ) -> None:
        listed = instruments or (instrument(),)
        self.feed = feed or still()
        self.engine = Engine(
            "test",
            {one.symbol: one for one in listed},
            self.feed,
            (SPOT, "funding", *WALLET_OF.values()),
            EngineRules(
                fees=fees or FeeRules(),
                symbols={(one.base, one.quote): one.symbol for one in listed if one.contract is None},
                margin=margin or MarginRules(),
                pair_wallets=pair_wallets,
                keeps_transactions=keeps_transactions,
            ),
        )
        self.now = START
        self.symbol = listed[0].symbol
        self.funds = funds
        self.checked = checked
        self.history: list[tuple[int, tuple[e.Event, ...]]] = []
        self.alice = self.open("alice")
        self.bob = self.open("bob")

    # Saying

    def do(self, command: c.Command) -> Done:
        """Advance to now, then execute, as the runtime does."""
        self.wait(0)
        done = self.engine.execute(command, self.now)
        if done.events:
            self.history.append((self.now, done.events))
        if self.checked:
            assert_sound(self.engine)
        return done

    def does(self, command: c.Command) -> tuple[e.Event, ...]:
        done = self.do(command)
        assert done.rejection is None, done.rejection
        return done.events

    def refuses(self, command: c.Command) -> Rejection:
        """A refusal changes nothing at all."""
        self.wait(0)
        before = self.engine.fingerprint()
        done = self.do(command)
        assert done.rejection is not None
        assert not done.events
        assert self.engine.fingerprint() == before
        return done.rejection

    def wait(self, microseconds: int) -> list[tuple[int, tuple[e.Event, ...]]]:
        self.now += microseconds
        happened = self.engine.advance(self.now)
        self.history += happened
        if self.checked and happened:
            assert_sound(self.engine)
        return happened

    def until(self, seconds: float) -> list[tuple[int, tuple[e.Event, ...]]]:
        """Advance to a number of seconds after the start."""
        return self.wait(START + int(seconds * SECOND) - self.now)

    # Accounts

    def open(self, name: str, *, group: int = 0, **amounts: Any) -> int:
        account = len(self.engine.state.accounts) + 1
        self.does(c.OpenAccount(account=account, name=name, trade_group=group))
        listed = self.engine.instruments.values()
        places = {(SPOT, asset) for one in listed if one.contract is None for asset in (one.base, one.quote)}
        places |= {(one.contract.wallet, one.contract.settle) for one in listed if one.contract is not None}
        for wallet, asset in sorted(places):
            self.deposit(account, asset, amounts.get(asset, self.funds), wallet)
        return account

    def deposit(self, account: int, asset: str, amount: str, wallet: str = SPOT) -> None:
        if Decimal(amount):
            self.does(c.Deposit(account=account, wallet=wallet, asset=asset, amount=Decimal(amount)))

    def free(self, account: int, asset: str, wallet: str = SPOT) -> Decimal:
        return self.engine.state.ledger.free(account, wallet, asset)

    def held(self, account: int, asset: str) -> Decimal:
        return self.engine.state.ledger.total(account, SPOT, asset) - self.free(account, asset)

    # Orders

    def place(self, account: int, terms: OrderTerms) -> Order:
        """The order that was accepted, whatever became of it."""
        events = self.does(self.placing(account, terms))
        return self.engine.views.orders[next(one.order for one in events if isinstance(one, e.OrderPlaced))]

    def placing(self, account: int, terms: OrderTerms) -> c.PlaceOrder:
        contract = self.engine.instruments[self.symbol].contract
        wallet = SPOT if contract is None else contract.wallet
        return c.PlaceOrder(account=account, wallet=wallet, instrument=self.symbol, terms=terms)

    def buy(self, account: int, quantity: str, price: str, **terms: Any) -> Order:
        return self.place(account, limit(Side.BUY, quantity, price, **terms))

    def sell(self, account: int, quantity: str, price: str, **terms: Any) -> Order:
        return self.place(account, limit(Side.SELL, quantity, price, **terms))

    def place_list(
        self, account: int, kind: ListKind, *legs: OrderTerms, **terms: Any
    ) -> tuple[OrderList, list[Order]]:
        events = self.does(self.placing_list(account, kind, *legs, **terms))
        placed = next(one for one in events if isinstance(one, e.OrderListPlaced))
        views = self.engine.views
        return views.lists[placed.order_list], [views.orders[leg] for leg in placed.orders]

    def placing_list(self, account: int, kind: ListKind, *legs: OrderTerms, **terms: Any) -> c.PlaceOrderList:
        return c.PlaceOrderList(
            account=account, wallet=SPOT, instrument=self.symbol, kind=kind, legs=legs, **terms
        )

    def cancel(self, order: Order, **terms: Any) -> tuple[e.Event, ...]:
        return self.does(canceling(order, **terms))

    # The market

    def price(self, price: str, mode: c.PriceMode = c.PriceMode.HOLD) -> tuple[e.Event, ...]:
        return self.does(c.SetPrice(pair="BTC/USDT", price=Decimal(price), mode=mode))

    def book(self, bids: Iterable[tuple[str, str]], asks: Iterable[tuple[str, str]]) -> None:
        self.does(c.SetBook(instrument=self.symbol, bids=side(bids), asks=side(asks)))

    def prints(self, price: str, quantity: str, *, buyer_is_maker: bool = False) -> tuple[e.Event, ...]:
        return self.does(
            c.PrintTrade(
                instrument=self.symbol,
                price=Decimal(price),
                quantity=Decimal(quantity),
                buyer_is_maker=buyer_is_maker,
            )
        )

    def last(self) -> Decimal:
        with exact():
            return self.engine.state.markets[self.symbol].last_price(self.now)

    def depth(self, of: Side, limit: int = 5) -> list[tuple[str, str]]:
        with exact():
            listed = self.engine.state.markets[self.symbol].depth(of, self.now, limit)
        return [(plain(price), plain(quantity)) for price, quantity in listed]

    def fills(self, order: Order) -> list[tuple[str, str]]:
        """Price and quantity of each fill, in order."""
        return [
            (plain(fill.price), plain(fill.quantity)) for fill in self.engine.views.fills_of.get(order.id, [])
        ]

    def replayed(self) -> Engine:
        """A fresh engine that was told the same events."""
        engine = Engine(
            "test", self.engine.instruments, self.feed, self.engine.state.wallets, self.engine.rules
        )
        for time_us, events in self.history:
            engine.apply(events, time_us)
        return engine


def plain(value: Decimal) -> str:
    return format(value.normalize(), "f")


def decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def side(levels: Iterable[tuple[str, str]]) -> c.BookSide:
    return tuple((Decimal(price), Decimal(quantity)) for price, quantity in levels)


def limit(
    side: Side,
    quantity: str | None,
    price: str | None,
    *,
    tif: TimeInForce = TimeInForce.GTC,
    iceberg: str | None = None,
    stp: SelfTradeMode | None = None,
    **terms: Any,
) -> OrderTerms:
    return OrderTerms(
        side=side,
        type=OrderType.LIMIT,
        quantity=decimal(quantity),
        price=decimal(price),
        time_in_force=tif,
        iceberg_quantity=decimal(iceberg),
        self_trade_mode=stp,
        **terms,
    )


def market(
    side: Side, quantity: str | None = None, *, budget: str | None = None,
    stp: SelfTradeMode | None = None, **terms: Any,
) -> OrderTerms:  # fmt: skip
    return OrderTerms(
        side=side,
        type=OrderType.MARKET,
        quantity=decimal(quantity),
        quote_quantity=decimal(budget),
        self_trade_mode=stp,
        **terms,
    )


class Make(Protocol):
    """`stop` or `profit`."""

    def __call__(
        self, price: str | None = None, *, trailing: int | None = None, source: TriggerSource = ...
    ) -> Trigger: ...


def stop(
    price: str | None = None, *, trailing: int | None = None, source: TriggerSource = TriggerSource.LAST
) -> Trigger:
    return Trigger(kind=TriggerKind.STOP_LOSS, price=decimal(price), trailing_bips=trailing, source=source)


def profit(
    price: str | None = None, *, trailing: int | None = None, source: TriggerSource = TriggerSource.LAST
) -> Trigger:
    return Trigger(kind=TriggerKind.TAKE_PROFIT, price=decimal(price), trailing_bips=trailing, source=source)


def peg(side: PegSide, levels: int = 0) -> Peg:
    return Peg(side=side, levels=levels)


def canceling(order: Order, **terms: Any) -> c.CancelOrder:
    return c.CancelOrder(account=order.account, instrument=order.instrument, order=order.id, **terms)


def amending(order: Order, quantity: str, **terms: Any) -> c.AmendOrder:
    return c.AmendOrder(
        account=order.account,
        instrument=order.instrument,
        order=order.id,
        quantity=Decimal(quantity),
        **terms,
    )


Changed = TypeVar("Changed", bound=msgspec.Struct)


def replaced(terms: Changed, **changes: Any) -> Changed:
    return msgspec.structs.replace(terms, **changes)


def seen(order: Order) -> tuple[str, str, str]:
    """Status, executed and prevented quantity: what the documents' examples show of an order."""
    return order.status.value, plain(order.executed), plain(order.prevented)
