"""Matching comes to the same as a naive book of plain lists."""

from __future__ import annotations

from decimal import Decimal

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.core import commands as c
from emulator.core import events as e
from emulator.core.instruments import Side, TimeInForce
from emulator.core.numbers import ZERO
from tests.core.invariants import assert_sound
from tests.core.world import SECOND, SPOT, START, World, limit, market, plain, still
from tests.properties.oracle import Oracle, Trade

PERIOD_US = 10 * SECOND


class Action(msgspec.Struct, frozen=True):
    """kind: limit, iceberg, ioc, fok, market, cancel or wait; offset in half units from 100."""

    kind: str
    account: int
    is_buy: bool
    offset: int
    lots: int
    pick: int


actions = st.builds(
    Action,
    kind=st.sampled_from(["limit"] * 4 + ["iceberg"] * 2 + ["ioc", "fok", "market", "cancel", "wait"]),
    account=st.integers(0, 2),
    is_buy=st.booleans(),
    offset=st.integers(-6, 6),
    lots=st.integers(1, 25),
    pick=st.integers(0, 1 << 16),
)


@settings(max_examples=250)
@given(listed=st.lists(actions, min_size=5, max_size=50), depth=st.sampled_from([0, 3]))
def test_against_the_oracle(listed: list[Action], depth: int) -> None:
    compare(listed, depth)


def compare(listed: list[Action], depth: int) -> None:
    world = World(
        still(depth=depth, quantity="0.7", spread="0.5", between="0.5", period_us=PERIOD_US), checked=False
    )
    accounts = (world.alice, world.bob, world.open("carol"))
    half, quantity = Decimal("0.5"), Decimal("0.7")
    oracle = Oracle(
        bids=[(Decimal("99.5") - half * step, quantity) for step in range(depth)],
        asks=[(Decimal(100) + half * step, quantity) for step in range(depth)],
        period_us=PERIOD_US,
        now_us=START,
    )
    for action in listed:
        play(world, oracle, accounts, action)
        assert shown(world) == expected(oracle)
    trades = [one for _, events in world.history for one in events if isinstance(one, e.TradeExecuted)]
    assert [traded(one) for one in trades] == oracle.trades
    assert_sound(world.engine)
    for account in accounts:
        ledger = world.engine.state.ledger
        assert ledger.total(account, SPOT, "BTC") == 1_000_000 + oracle.bought.get(account, ZERO)
        assert ledger.total(account, SPOT, "USDT") == 1_000_000 - oracle.paid.get(account, ZERO)


def play(world: World, oracle: Oracle, accounts: tuple[int, ...], action: Action) -> None:
    account = accounts[action.account]
    quantity, price = Decimal(action.lots) / 10, 100 + Decimal(action.offset) / 2
    side = Side.BUY if action.is_buy else Side.SELL
    number = world.engine.state.next_order
    match action.kind:
        case "wait":
            world.wait(action.lots * SECOND)
            oracle.wait_until(world.now)
        case "cancel":
            wanted = 1 + action.pick % number
            canceled = any(
                world.do(c.CancelOrder(account=one, instrument=world.symbol, order=wanted)).events
                for one in accounts
            )
            assert oracle.cancel(wanted) is canceled
        case "market":
            world.place(account, market(side, str(quantity)))
            oracle.place(number, account, is_buy=action.is_buy, quantity=quantity, price=None)
        case "iceberg":
            world.place(
                account, limit(side, str(quantity), str(price), iceberg="0.3" if action.lots > 3 else None)
            )
            part = Decimal("0.3") if action.lots > 3 else None
            oracle.place(number, account, is_buy=action.is_buy, quantity=quantity, price=price, part=part)
        case kind:
            tif = {"ioc": TimeInForce.IOC, "fok": TimeInForce.FOK}.get(kind, TimeInForce.GTC)
            world.place(account, limit(side, str(quantity), str(price), tif=tif))
            ends = "" if kind == "limit" else kind
            oracle.place(number, account, is_buy=action.is_buy, quantity=quantity, price=price, ends=ends)


def traded(event: e.TradeExecuted) -> Trade:
    return plain(event.price), plain(event.quantity), event.taker, event.maker


def shown(world: World) -> list[tuple[int, str, str, str]]:
    """Every resting order in the order in which it will be served."""
    books = world.engine.state.markets[world.symbol]
    return [
        (order.id, plain(price), plain(order.remaining), plain(order.visible))
        for queues in (books.bids, books.asks)
        for price in queues.prices()
        for order in queues.queues[price].values()
    ]


def expected(oracle: Oracle) -> list[tuple[int, str, str, str]]:
    return [
        (one.order, plain(one.price), plain(one.remaining), plain(one.visible))
        for is_buy in (True, False)
        for one in oracle.queue(is_buy)
    ]
