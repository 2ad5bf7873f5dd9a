"""Orders that may only reduce, where the contract says that they are split and trimmed (`Contract`).

Sources: the v5 page "Place Order" ("Reduce only orders", `qty`) and the help centre's "Reduce-Only Order".
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from emulator.core import commands as c
from emulator.core import rejections as r
from emulator.core.instruments import Side
from emulator.core.orders import Attached, EndReason, Order, OrderStatus, Stop
from emulator.core.rejections import Limit
from tests.core.futures import flat, linear
from tests.core.sameness import assert_same
from tests.core.test_snapshot import restored
from tests.core.world import World, deep, limit, market, perpetual, plain, stop

D = Decimal
BUY, SELL = Side.BUY, Side.SELL
MOST: dict[str, Any] = {"quantity_max": "4", "market_quantity_max": "3"}


def pit(*, splits: bool = True, trims: bool = True, **changes: Any) -> World:
    contract = linear(flat("0.005"), splits_reducing=splits, trims_reducing=trims)
    return World(deep(), perpetual(contract, dormant_modified=True, **changes))


def long(world: World, *quantities: str) -> None:
    for quantity in quantities:
        world.place(world.alice, market(BUY, quantity))
    world.price("100")


def held(world: World) -> str:
    return plain(world.engine.state.position(world.alice, world.symbol).quantity)


def sells(world: World) -> list[tuple[Decimal | None, OrderStatus, str]]:
    orders = [one for one in world.engine.views.orders.values() if one.side is SELL]
    return [(one.quantity, one.status, one.client_id) for one in orders if one.account == world.alice]


def is_same_again(world: World) -> None:
    """Folded from its events, and from a snapshot, the state is the same."""
    assert_same(world.engine, world.replayed())
    assert_same(world.engine, restored(world))


def test_one_that_is_too_large_comes_as_several() -> None:
    world = pit(**MOST)
    long(world, "3", "3", "2")
    world.place(world.alice, market(SELL, "7", reduce_only=True, client_id="mine"))
    assert held(world) == "1"
    assert sells(world) == [
        (D(3), OrderStatus.FILLED, "mine"),
        (D(3), OrderStatus.FILLED, ""),
        (D(1), OrderStatus.FILLED, ""),
    ]
    is_same_again(world)


def test_without_that_it_is_refused() -> None:
    world = pit(splits=False, **MOST)
    long(world, "3")
    refused = world.refuses(world.placing(world.alice, market(SELL, "3.5", reduce_only=True)))
    assert refused == r.LimitBroken(limit=Limit.MARKET_QUANTITY_RANGE, value=D("3.5"))


@pytest.mark.parametrize("reduces", [True, False])
def test_the_step_of_the_whole_quantity_counts(reduces: bool) -> None:
    world = pit(**MOST)
    long(world, "3", "3")
    terms = limit(SELL, "5.0000001", "120", reduce_only=reduces)
    refused = world.refuses(world.placing(world.alice, terms))
    assert isinstance(refused, r.LimitBroken)
    assert refused.limit is (Limit.QUANTITY_STEP if reduces else Limit.QUANTITY_RANGE)


def test_nothing_is_split_beyond_the_position_and_what_others_leave() -> None:
    world = pit(**MOST)
    long(world, "3", "3")
    world.sell(world.alice, "1", "130", reduce_only=True)
    world.place(world.alice, limit(SELL, "1000", "120", reduce_only=True))
    assert [quantity for quantity, *_ in sells(world)] == [D(1), D(4), D(1)]
    assert isinstance(
        world.refuses(world.placing(world.alice, limit(SELL, "1", "125", reduce_only=True))),
        r.NothingToReduce,
    )
    is_same_again(world)


def test_parts_are_no_more_than_may_be_open() -> None:
    world = pit(orders_max=2, **MOST)
    long(world, "3", "3", "3", "3")
    world.sell(world.alice, "1", "130")
    world.place(world.alice, limit(SELL, "12", "120", reduce_only=True))
    assert [quantity for quantity, *_ in sells(world)] == [D(1), D(4)]


def test_a_stop_for_all_closes_all_in_parts() -> None:
    world = pit(**MOST)
    long(world, "3", "3")
    attached = Attached(whole=True, stop_loss=Stop(price=D(97)))
    world.place(world.alice, market(BUY, "1", attached=attached))
    world.price("97")
    assert held(world) == "0"
    assert [(quantity, status) for quantity, status, _ in sells(world)] == [
        (D(3), OrderStatus.FILLED),
        (D(3), OrderStatus.FILLED),
        (D(1), OrderStatus.FILLED),
    ]
    is_same_again(world)


def test_what_waits_may_be_of_any_quantity_and_is_split_then() -> None:
    world = pit(**MOST)
    long(world, "3", "3")
    waits = world.place(world.alice, market(SELL, "5", trigger=stop("97"), reduce_only=True))
    assert (waits.quantity, waits.status) == (D(5), OrderStatus.DORMANT)
    world.price("97")
    assert held(world) == "1"
    assert (waits.quantity, waits.status) == (D(3), OrderStatus.FILLED)
    is_same_again(world)


def test_what_closes_on_its_trigger_ends_others_and_is_split() -> None:
    world = pit(**MOST)
    long(world, "3", "3")
    other = world.sell(world.alice, "4", "120", reduce_only=True)
    world.place(world.alice, market(SELL, "6", close_on_trigger=True))
    assert held(world) == "0"
    assert (other.status, other.end_reason) == (OrderStatus.EXPIRED, EndReason.MADE_WAY)


# Trimming


def three(world: World) -> list[Order]:
    long(world, "3")
    return [world.sell(world.alice, "1", price, reduce_only=True) for price in ("120", "121", "122")]


def test_the_newest_in_the_book_give_way_to_a_smaller_position() -> None:
    world = pit()
    orders = three(world)
    opening = world.sell(world.alice, "1", "123")
    world.place(world.alice, market(SELL, "1.6"))
    # 1.4 is left: the newest ends, the one before it keeps four tenths.
    assert [(one.quantity, one.status, one.end_reason) for one in orders] == [
        (D(1), OrderStatus.NEW, EndReason.NONE),
        (D("0.4"), OrderStatus.NEW, EndReason.NONE),
        (D(1), OrderStatus.EXPIRED, EndReason.MADE_WAY),
    ]
    assert (opening.quantity, opening.status) == (D(1), OrderStatus.NEW)
    is_same_again(world)
    # What trades takes from both alike.
    world.price("120")
    assert (held(world), orders[0].status, orders[1].quantity) == ("0.4", OrderStatus.FILLED, D("0.4"))
    world.price("121")
    assert (held(world), orders[1].status) == ("0", OrderStatus.FILLED)


def test_without_that_they_stay_and_trade_no_more_than_there_is() -> None:
    world = pit(trims=False)
    orders = three(world)
    world.place(world.alice, market(SELL, "1.6"))
    assert [(one.quantity, one.status) for one in orders] == [(D(1), OrderStatus.NEW)] * 3
    world.price("122")
    assert held(world) == "0"


def test_what_waits_is_not_trimmed() -> None:
    world = pit()
    long(world, "3")
    waits = world.place(world.alice, market(SELL, "3", trigger=stop("97"), reduce_only=True))
    world.place(world.alice, market(SELL, "2"))
    assert (waits.quantity, waits.status) == (D(3), OrderStatus.DORMANT)
    canceled = world.do(c.CancelOrder(account=world.alice, instrument=world.symbol, order=waits.id))
    assert canceled.rejection is None
