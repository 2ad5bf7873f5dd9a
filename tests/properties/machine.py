"""The actions of a universe as rules of a state machine, so that failures shrink."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from emulator.core import commands as c
from emulator.core.instruments import SelfTradeMode, Side, TimeInForce
from emulator.core.order_lists import ListKind
from emulator.core.orders import Peg, PegSide, TriggerKind
from tests.core.world import MINUTE, SECOND
from tests.properties.universe import ACCOUNTS, ASSETS, SYMBOLS, TYPES, Universe, Wish

accounts = st.sampled_from(ACCOUNTS)
symbols = st.sampled_from(SYMBOLS)
sides = st.sampled_from(Side)
modes = st.sampled_from([None, *SelfTradeMode])
offsets = st.integers(-6, 6)
lots = st.integers(1, 30)
names = st.sampled_from(["", "", "", "a", "b", "c"])
kinds = st.sampled_from(TriggerKind)


def wishes(*types: str, side: st.SearchStrategy[Side] = sides) -> st.SearchStrategy[Wish]:
    return st.builds(
        Wish,
        side=side,
        lots=lots,
        offset=offsets,
        type=st.sampled_from(types or TYPES),
        tif=st.sampled_from([TimeInForce.GTC] * 3 + [TimeInForce.IOC, TimeInForce.FOK]),
        mode=modes,
        iceberg=st.none() | st.integers(1, 5),
        kind=kinds,
        stop=st.none() | offsets,
        trailing=st.integers(10, 400),
        peg=st.none() | st.builds(Peg, side=st.sampled_from(PegSide), levels=st.integers(0, 3)),
        name=names,
    )


picks = st.integers(0, 1 << 30)
coins = st.booleans()
levels = st.lists(lots, max_size=4)
crowds = st.lists(st.tuples(accounts, wishes()), min_size=3, max_size=10)
traders = st.lists(st.tuples(accounts, wishes("limit")), min_size=3, max_size=10)
shapes = st.sampled_from(
    [
        (ListKind.OCO, False),
        (ListKind.OTO, False),
        (ListKind.OTOCO, False),
        (ListKind.OTO, True),
        (ListKind.OTOCO, True),
    ]
)
ways = st.sampled_from(["deposit", "withdraw", "lend", "lend back", "lock", "unlock"])
steps_us = st.sampled_from([1, SECOND // 3, SECOND, 20 * SECOND, 5 * MINUTE])

with_orders = precondition(lambda self: self.has_orders)
with_lists = precondition(lambda self: self.has_lists)


class Machine(RuleBasedStateMachine, Universe):
    """Subclasses say which market it is."""

    begin = initialize(discounted=st.sets(accounts), funds=st.integers(1, 60))(Universe.begin)

    place = rule(account=accounts, symbol=symbols, wish=wishes())(Universe.place)
    place_several = rule(symbol=symbols, listed=crowds)(Universe.place_several)
    trade_several = rule(symbol=symbols, listed=traders)(Universe.place_several)
    test = rule(account=accounts, symbol=symbols, wish=wishes())(Universe.test)
    place_list = rule(
        account=accounts,
        symbol=symbols,
        side=sides,
        shape=shapes,
        working=wishes("limit", "limit", "post_only", "market", "peg", "stop_limit"),
        upper=wishes("post_only", "limit", "peg"),
        lower=wishes("stop", "stop_limit", "trailing", "trailing_limit", "limit", "market"),
        gap=st.integers(1, 4),
        name=names,
    )(Universe.place_list)

    cancel = with_orders(
        rule(pick=picks, restriction=st.sampled_from([None, *c.CancelRestriction]))(Universe.cancel)
    )
    cancel_all = rule(account=accounts, symbol=symbols)(Universe.cancel_all)
    cancel_list = with_lists(rule(pick=picks)(Universe.cancel_list))
    replace = with_orders(
        rule(pick=picks, wish=wishes(), stop_on_failure=coins, allowed=coins, exists=coins)(Universe.replace)
    )
    amend = with_orders(rule(pick=picks, less=st.integers(0, 20), name=names)(Universe.amend))

    fund = rule(
        account=accounts, asset=st.sampled_from(ASSETS), amount=st.integers(-1, 50), way=ways
    )(Universe.fund)  # fmt: skip
    pay_fees = rule(account=accounts, discounted=coins)(Universe.pay_fees)

    set_price = rule(symbol=symbols, offset=offsets, mode=st.sampled_from(c.PriceMode))(Universe.set_price)
    set_book = rule(symbol=symbols, bids=levels, asks=levels, offset=offsets)(Universe.set_book)
    print_trade = rule(symbol=symbols, offset=offsets, many=lots, buyer_is_maker=coins)(Universe.print_trade)
    release = rule(symbol=symbols)(Universe.release)
    restart = rule()(Universe.restart)
    wait = rule(step_us=steps_us)(Universe.wait)

    @invariant()
    def stays_sound(self) -> None:
        if hasattr(self, "engine"):
            self.is_sound()

    def teardown(self) -> None:
        if hasattr(self, "engine"):
            self.end()
