"""Whatever is done with positions and their stops: no stop outlives its position, of all of a position there
is one of each, an engine that was replayed or restored does the same, and what waits is found by its owner.
"""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from random import Random
from typing import ClassVar

import msgspec
import pytest

from emulator.core import commands as c
from emulator.core import events as e
from emulator.core.engine import Engine
from emulator.core.instruments import Instrument, Outcome, Side, TriggerSource
from emulator.core.numbers import ZERO
from emulator.core.orders import (
    OF_POSITIONS,
    Attached,
    EndReason,
    Order,
    OrderStatus,
    Slippage,
    Stop,
    StopRole,
)
from emulator.core.positions import AccountMargin, Leg
from tests.core.world import MINUTE, SECOND
from tests.properties import dice as spot_dice
from tests.properties.contract_machine import DATED, DELIVERY, TRADED, ContractUniverse
from tests.properties.futures_universe import HOUR, LISTED, PAIR, WAITING
from tests.properties.test_everything import OnScript, OnSynthetic
from tests.properties.test_snapshot import Restoring
from tests.properties.universe import ACCOUNTS, LOT, STEP, Wish

PAIRS_MAX = 3
REMOVABLE = (StopRole.TAKE_PROFIT, StopRole.STOP_LOSS, StopRole.TRAILING)
WHOLE = frozenset(REMOVABLE)


def _with_stops(one: Instrument) -> Instrument:
    contract, is_first = one.contract, one.symbol == TRADED[0]
    return msgspec.structs.replace(
        one,
        dormant_modified=True,
        below_executed=Outcome.REFUSE if one.symbol in (PAIR.symbol, TRADED[0]) else Outcome.EXPIRE,
        post_only_failure=Outcome.EXPIRE,
        take_bound=Decimal("0.04") if contract is None else None,
        take_bound_failure=Outcome.EXPIRE,
        contract=None
        if contract is None
        else msgspec.structs.replace(
            contract, stop_pairs_max=PAIRS_MAX, splits_reducing=is_first, trims_reducing=is_first
        ),
        # What only reduces is split where the contract says so.
        market_quantity_max=LOT * 5 if is_first else one.market_quantity_max,
    )


class StopsUniverse(ContractUniverse):
    """seen: how often what happened, as its subclasses count for themselves."""

    listed = tuple(_with_stops(one) for one in (*LISTED, DATED))
    meetings = 0

    def near(self, symbol: str, steps: int) -> Decimal:
        return max(STEP, self.last(symbol) + steps * STEP)

    def stop_at(self, symbol: str, steps: int, source: int, limit: int | None = None) -> Stop:
        return Stop(
            price=self.near(symbol, steps),
            source=list(TriggerSource)[source % 3] if symbol != PAIR.symbol else TriggerSource.LAST,
            limit=None if limit is None else self.near(symbol, limit),
        )

    def placing(self, account: int, symbol: str, wish: Wish) -> c.PlaceOrder:
        """Many orders bring stops along, mostly on their right sides, and some are bounded or close all."""
        placing = super().placing(account, symbol, wish)
        terms, replace, lots = placing.terms, msgspec.structs.replace, wish.lots
        if lots % 2:
            terms = replace(terms, attached=self.attached(symbol, wish.side, lots))
        if wish.type in ("market", "budget") and lots % 3:
            slippage = Slippage(steps=lots % 4 + 1) if lots % 2 else Slippage(ratio=Decimal(lots) / 1000)
            terms = replace(terms, slippage=slippage)
        if symbol == PAIR.symbol:
            if wish.type in ("stop", "stop_limit") and lots % 3 == 0:
                terms = replace(terms, detached=True)
            if wish.type == "stop" and lots % 5 == 0:
                terms = replace(terms, quantity=None, quote_quantity=LOT * lots * self.last(symbol))
        elif terms.reduce_only and lots % 2 == 0:
            terms = replace(terms, close_on_trigger=True)
        return replace(placing, terms=terms)

    def attached(self, symbol: str, side: Side, number: int) -> Attached:
        up = 1 if side is Side.BUY else -1
        is_whole = number % 3 == 0
        limit = None if is_whole or number % 5 else up * (10 + number % 4)
        profit = self.stop_at(symbol, up * (8 + number % 5), number, limit)
        loss = self.stop_at(symbol, -up * (9 + number % 3), number // 3)
        return Attached(
            whole=is_whole,
            take_profit=profit if number % 4 != 3 else None,
            stop_loss=loss if number % 4 != 1 else None,
        )

    def meet(self, pair: tuple[int, int], symbol: str, many: int, offset: int, opens: bool) -> None:
        self.meetings += 1
        super().meet(pair, symbol, many, offset, opens)

    def place_sized(self, command: c.PlaceOrder) -> None:
        """Whoever meets brings stops along as well."""
        terms = command.terms
        number = self.meetings + command.account
        if terms.attached is None and not terms.reduces and number % 3:
            attached = self.attached(command.instrument, terms.side, number)
            command = msgspec.structs.replace(
                command, terms=msgspec.structs.replace(terms, attached=attached)
            )
        super().place_sized(command)

    def place(self, account: int, symbol: str, wish: Wish) -> None:
        if symbol == PAIR.symbol:
            self.do(self.placing(account, symbol, wish))
        else:
            super().place(account, symbol, wish)

    def set_stops(self, dice: Random) -> None:
        """Mostly for somebody who has a position."""
        places = sorted(self.engine.state.positions)
        if places and dice.random() < 0.9:
            account, symbol, leg = dice.choice(places)
        else:
            account, symbol, leg = dice.choice(ACCOUNTS), dice.choice(TRADED), dice.choice(list(Leg))
        held = self.engine.state.position(account, symbol, leg)
        up = 1 if held.quantity >= ZERO else -1
        if dice.random() < 0.05:
            up = -up
        is_whole = dice.random() < 0.6
        limit = None if is_whole or dice.random() < 0.6 else up * dice.randint(2, 5)
        profit = self.stop_at(symbol, up * dice.randint(1, 6), dice.randint(0, 2), limit)
        loss = self.stop_at(symbol, -up * dice.randint(1, 6), dice.randint(0, 2))
        trailing = None
        if dice.random() < 0.3:
            activation = self.near(symbol, up * dice.randint(1, 4)) if dice.random() < 0.4 else None
            trailing = c.Trail(
                distance=STEP * dice.randint(1, 8),
                activation=activation,
                source=list(TriggerSource)[dice.randint(0, 2)],
            )
        done = self.do(
            c.SetStops(
                account=account,
                instrument=symbol,
                leg=leg,
                whole=is_whole,
                take_profit=profit if dice.random() < 0.6 else None,
                stop_loss=loss if dice.random() < 0.6 else None,
                trailing=trailing,
                quantity=None if is_whole else LOT * dice.randint(1, 12),
                removes=tuple(role for role in REMOVABLE if dice.random() < 0.1),
            )
        )
        if done.rejection is None:
            self.saw("set")

    def modify_any(self, dice: Random) -> None:
        listed = self.open_orders()
        order: Order = dice.choice(listed)
        symbol = order.instrument
        has_trigger = order.status is OrderStatus.DORMANT and dice.random() < 0.7
        attached = None
        if dice.random() < 0.3:
            up = 1 if order.side is Side.BUY else -1
            attached = Attached(whole=dice.random() < 0.5, take_profit=self.stop_at(symbol, up * 9, 0))
        done = self.do(
            c.ModifyOrder(
                account=order.account,
                instrument=symbol,
                order=order.id,
                price=self.near(symbol, dice.randint(-6, 6)) if dice.random() < 0.3 else None,
                quantity=LOT * dice.randint(1, 30) if dice.random() < 0.3 else None,
                trigger_price=self.near(symbol, dice.randint(-6, 6)) if has_trigger else None,
                attached=attached,
            )
        )
        if done.rejection is None and done.events:
            self.saw("modified waiting" if has_trigger else "modified")

    def end_several(self, dice: Random) -> None:
        account = dice.choice(ACCOUNTS)
        symbols = tuple(dice.sample(self.symbols, 2))
        if dice.random() < 0.2:
            self.do(c.EndOrders(account=account, instruments=symbols, reason=EndReason.DISCONNECTED))
            return
        roles = None if dice.random() < 0.5 else tuple(dice.sample(list(StopRole), 3))
        dormant = dice.choice([None, True, False])
        self.do(c.CancelOrders(account=account, instruments=symbols, dormant=dormant, roles=roles))

    def remember(self, time_us: int, events: tuple[e.Event, ...]) -> None:
        super().remember(time_us, events)
        for event in events:
            match event:
                case e.OrderPlaced() if event.terms.role in OF_POSITIONS:
                    self.saw("attached" if event.terms.parent else "placed by itself")
                    if event.instrument == PAIR.symbol:
                        self.saw("of a pair")
                case e.OrderTriggered():
                    role = self.engine.views.orders[event.order].terms.role
                    if role is not StopRole.NONE:
                        self.saw(f"{role.value} triggered")
                case e.OrderExpired() if event.reason in ENDS:
                    self.saw(event.reason.value)
                case e.OrderAmended() if event.terms is not None and event.terms.role in OF_POSITIONS:
                    self.saw("stop amended")
                case _:
                    pass

    # What holds

    def is_sound(self) -> None:
        super().is_sound()
        state = self.engine.state
        for account in state.accounts.values():
            whole: Counter[tuple[str, Leg, StopRole]] = Counter()
            for order in account.open_orders.values():
                terms = order.terms
                if terms.role not in OF_POSITIONS or order.instrument == PAIR.symbol:
                    continue
                position = account.positions.get((order.instrument, terms.leg))
                assert position is not None, f"{order} outlived its position"
                assert (position.quantity > ZERO) is (order.side is Side.SELL), order
                assert terms.reduces
                assert terms.close_position is (
                    order.quantity is None or (not order.asleep and terms.role in WHOLE)
                )
                if terms.close_position:
                    whole[order.instrument, terms.leg, terms.role] += 1
            assert all(count == 1 for count in whole.values()), whole
            for symbol in TRADED:
                for leg in Leg:
                    self._check_pairs(state.stops_of(account.id, symbol, leg).pairs)

    def _check_pairs(self, pairs: tuple[tuple[Order, ...], ...]) -> None:
        assert len(pairs) <= PAIRS_MAX
        for pair in pairs:
            assert 1 <= len(pair) <= 2
            assert len({(one.quantity, one.side, one.terms.parent) for one in pair}) == 1
            assert len({one.terms.role for one in pair}) == len(pair)
            if len(pair) == 2:
                assert all(one.status is OrderStatus.DORMANT for one in pair), "one was triggered, both live"


ENDS = (
    EndReason.TAKE_PROFIT_FIRED,
    EndReason.STOP_LOSS_FIRED,
    EndReason.POSITION_CLOSED,
    EndReason.MADE_WAY,
)


def roll_stops(universe: StopsUniverse, seed: int, steps: int) -> None:
    """A run that is named by its seed: begin, act so many times with all checked after each, and end."""
    dice = Random(seed)
    hedged, isolated = ({account for account in ACCOUNTS if dice.random() < part} for part in (0.4, 0.4))
    universe.begin_trading(dice.randint(20, 90), hedged, isolated, set(), dice.choice([20, 25, 50]))
    for step in range(steps):
        _act(universe, dice)
        universe.is_sound()
        if step % 20 == 19:
            universe.restart()
    if universe.now < DELIVERY and seed % 2:
        universe.wait(DELIVERY - universe.now)
        universe.is_sound()
    universe.end()


def _act(universe: StopsUniverse, dice: Random) -> None:
    account, symbol = dice.choice(ACCOUNTS), dice.choice([*TRADED, *TRADED, PAIR.symbol])
    match dice.randint(0, 29):
        case kind if kind < 6:
            first, second, _ = dice.sample(ACCOUNTS, 3)
            traded = dice.choice(TRADED)
            universe.meet(
                (first, second), traded, dice.choice([1, 3, 8, 15]), dice.randint(-4, 4), dice.random() < 0.7
            )
        case kind if kind < 12:
            universe.place(account, symbol, spot_dice.wish(dice))
        case 12:
            universe.place(account, symbol, spot_dice.wish(dice, *WAITING))
        case 13:
            universe.place(account, PAIR.symbol, spot_dice.wish(dice, "limit", "stop", "market"))
        case kind if kind < 20:
            universe.set_stops(dice)
        case 20 | 21 | 22 if universe.has_orders:
            universe.modify_any(dice)
        case 23:
            universe.end_several(dice)
        case 24 if universe.has_orders:
            universe.cancel(dice.randint(0, 1000), None)
        case 25 | 26:
            universe.jump(symbol, dice.choice([-6, -4, -2, -1, 1, 2, 4, 6]), dice.choice(list(c.PriceMode)))
        case 27:
            universe.release(symbol)
        case 28 if dice.random() < 0.4:
            universe.wait(HOUR - universe.now % HOUR)
        case _:
            universe.wait(dice.choice([1, SECOND, 20 * SECOND, MINUTE, 5 * MINUTE]))


class Rolled(StopsUniverse, OnScript):
    seen: ClassVar[Counter[str]] = Counter()


class RolledFromSnapshots(Restoring, StopsUniverse, OnScript):
    seen: ClassVar[Counter[str]] = Counter()


class RolledOnSynthetic(StopsUniverse, OnSynthetic):
    seen: ClassVar[Counter[str]] = Counter()


class RolledUnified(Restoring, StopsUniverse, OnScript):
    """Pairs are traded in the wallet of contracts, one mode of margin holds for all of it, and transactions
    are kept."""

    seen: ClassVar[Counter[str]] = Counter()
    pair_wallet = "usdm"
    mode = AccountMargin.CROSS

    def make_engine(self) -> Engine:
        plain, replace = super().make_engine(), msgspec.structs.replace
        margin = replace(plain.rules.margin, account_margin={"usdm": self.mode})
        rules = replace(plain.rules, margin=margin, keeps_transactions=True)
        return Engine("test", plain.instruments, self.feed, plain.state.wallets, rules)


class RolledIsolated(RolledUnified):
    seen: ClassVar[Counter[str]] = Counter()
    mode = AccountMargin.ISOLATED


SEEDS = 4
MET = {
    "set": 20,
    "attached": 60,
    "placed by itself": 30,
    "of a pair": 2,
    "modified": 3,
    "modified waiting": 3,
    "stop amended": 10,
    "take_profit triggered": 3,
    "stop_loss triggered": 2,
    "partial_take_profit triggered": 8,
    "partial_stop_loss triggered": 6,
    "trailing triggered": 2,
    "take_profit_fired": 5,
    "stop_loss_fired": 4,
    "position_closed": 20,
}
"""How often at least, in all seeds together."""


@pytest.mark.parametrize("market", [Rolled, RolledFromSnapshots])
def test_seeded(market: type[StopsUniverse]) -> None:
    for seed in range(SEEDS):
        roll_stops(market(), seed, steps=70)
    for what, at_least in MET.items():
        assert market.seen[what] >= at_least, (what, market.seen)


@pytest.mark.parametrize("market", [RolledUnified, RolledIsolated])
def test_in_one_wallet_with_pairs(market: type[StopsUniverse]) -> None:
    for seed in range(2):
        roll_stops(market(), seed, steps=60)
    for what in ("set", "attached", "position_closed", "partial_take_profit triggered"):
        assert market.seen[what] >= 3, (what, market.seen)


def test_on_a_market_of_its_own() -> None:
    roll_stops(RolledOnSynthetic(), 1, steps=20)
    assert RolledOnSynthetic.seen["set"] > 1
