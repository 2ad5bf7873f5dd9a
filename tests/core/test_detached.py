"""Orders that wait for their trigger beside the market: another order comes in the place of each.

Source: the developers' page "New Algo Order" of USD-M, and what user data tells of one that is triggered.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from emulator.core import commands as c
from emulator.core import events as e
from emulator.core import rejections as r
from emulator.core.instruments import Side, TimeInForce
from emulator.core.orders import EndReason, Order, OrderStatus, OrderTerms
from tests.core.sameness import assert_same
from tests.core.test_contract_triggers import Pit
from tests.core.test_snapshot import restored
from tests.core.world import (
    SECOND,
    START,
    World,
    deep,
    instrument,
    limit,
    market,
    profit,
    seen,
    stop,
)

D = Decimal
BUY, SELL = Side.BUY, Side.SELL


def successor(pit: World, order: Order) -> Order:
    found = pit.engine.views.orders[order.successor]
    assert found.origin == order.id
    return found


def waiting(side: Side, quantity: str, at: str, **terms: Any) -> OrderTerms:
    return market(side, quantity, trigger=stop(at), detached=True, client_id="mine", **terms)


def test_another_order_of_the_same_name_takes_its_place() -> None:
    pit = Pit((10, "105"))
    order = pit.place(pit.alice, waiting(BUY, "1", "104"))
    between = pit.buy(pit.bob, "1", "90")
    assert order.status is OrderStatus.DORMANT
    pit.until(20)
    placed = successor(pit, order)
    assert (order.status, order.is_ended, order.executed) == (OrderStatus.TRIGGERED, True, D(0))
    assert order.updated_us == placed.created_us == START + 10 * SECOND
    assert placed.id > between.id > order.id
    assert (placed.status, placed.executed, placed.client_id) == (OrderStatus.FILLED, D(1), "mine")
    assert placed.terms.trigger is None
    assert pit.engine.state.position(pit.alice, pit.symbol).quantity == D(1)
    assert_same(pit.engine, pit.replayed())


def test_a_limit_order_rests_after_it_and_is_found_by_their_common_name() -> None:
    pit = Pit()
    terms = limit(BUY, "1", "90", trigger=profit("96"), detached=True, client_id="mine")
    order = pit.place(pit.alice, terms)
    pit.price("96")
    placed = successor(pit, order)
    assert seen(placed)[0] == "new"
    assert pit.engine.views.order(pit.alice, pit.symbol, None, "mine") is placed
    assert_same(pit.engine, restored(pit))
    pit.cancel(placed)
    assert order.status is OrderStatus.TRIGGERED


def test_what_speaks_against_the_other_one_ends_it() -> None:
    pit = Pit(funds="100")
    poor = pit.place(pit.alice, market(BUY, "1000", trigger=stop("101"), detached=True))
    nothing = pit.place(pit.alice, market(SELL, "1", trigger=stop("99"), detached=True, reduce_only=True))
    unfilled = pit.place(
        pit.alice,
        limit(BUY, "1", "99", trigger=stop("102"), detached=True, tif=TimeInForce.FOK),
    )
    pit.price("102")
    pit.price("98")
    reasons = [order.end_reason for order in (poor, nothing)]
    assert reasons == [EndReason.INSUFFICIENT_BALANCE, EndReason.NOTHING_TO_REDUCE]
    assert {order.status for order in (poor, nothing)} == {OrderStatus.EXPIRED}
    assert not poor.successor
    # Here a fill-or-kill order that cannot be filled is accepted and expires.
    assert successor(pit, unfilled).end_reason is EndReason.UNFILLED_ALL_OR_NOTHING


def test_one_that_closes_a_position_closes_what_is_there_by_then() -> None:
    pit = Pit()
    order = pit.place(pit.alice, market(SELL, trigger=stop("99"), detached=True, close_position=True))
    pit.place(pit.alice, market(BUY, "2"))
    pit.price("98")
    placed = successor(pit, order)
    assert (placed.quantity, placed.status) == (D(2), OrderStatus.FILLED)
    assert pit.engine.state.position(pit.alice, pit.symbol).quantity == D(0)


def test_it_is_canceled_like_any_other() -> None:
    pit = Pit()
    order = pit.place(pit.alice, waiting(BUY, "1", "104"))
    pit.cancel(order)
    assert (order.status, order.successor) == (OrderStatus.CANCELED, 0)
    pit.price("105")
    assert order.status is OrderStatus.CANCELED


def test_events_tell_of_the_end_before_the_beginning() -> None:
    pit = Pit()
    order = pit.place(pit.alice, waiting(BUY, "1", "104"))
    events = pit.does(c.SetPrice(pair=pit.engine.instruments[pit.symbol].pair, price=D("104")))
    kinds = [type(event) for event in events]
    ended, began = kinds.index(e.OrderSucceeded), kinds.index(e.OrderPlaced)
    assert began == ended + 1
    placed = events[began]
    assert isinstance(placed, e.OrderPlaced)
    assert placed.origin == order.id


@pytest.mark.parametrize(
    ("terms", "reason"),
    [(market(BUY, "1", detached=True), "an order is detached until it is triggered")],
)
def test_only_what_waits_can_be_detached(terms: OrderTerms, reason: str) -> None:
    pit = Pit()
    assert pit.refuses(pit.placing(pit.alice, terms)) == r.OrderTermsInvalid(reason=reason)


# Of pairs


def test_a_pair_s_detached_order_holds_nothing_until_it_is_triggered() -> None:
    world = World(deep(), instrument(), funds="150")
    order = world.place(world.alice, limit(BUY, "1", "105", trigger=stop("104"), detached=True))
    another = world.place(world.alice, limit(BUY, "1", "105", trigger=stop("104"), detached=True))
    assert world.held(world.alice, "USDT") == 0
    world.price("104")
    placed = successor(world, order)
    assert (placed.status, world.fills(placed)) == (OrderStatus.FILLED, [("104.01", "1")])
    assert (another.status, another.end_reason) == (OrderStatus.EXPIRED, EndReason.INSUFFICIENT_BALANCE)
    assert_same(world.engine, world.replayed())


def test_a_quote_quantity_waits_as_well() -> None:
    """Detached it holds nothing, else all of the budget; what it buys is known when it is triggered."""
    for detached in (True, False):
        world = World(deep(), instrument(), funds="150")
        order = world.place(world.alice, market(BUY, budget="130", trigger=stop("104"), detached=detached))
        assert world.held(world.alice, "USDT") == (0 if detached else 130)
        assert order.quantity is None
        assert_same(world.engine, world.replayed())
        world.price("104")
        placed = successor(world, order) if detached else order
        # 1 at 104.01, and 25.99 are left for 0.247 at 105.01.
        assert world.fills(placed) == [("104.01", "1"), ("105.01", "0.247")]
        assert placed.status is OrderStatus.FILLED
        assert world.held(world.alice, "USDT") == 0
        assert_same(world.engine, world.replayed())


def test_a_quote_quantity_is_sold_for_as_well() -> None:
    world = World(deep(), instrument(), funds="2")
    order = world.place(world.alice, market(SELL, budget="95", trigger=stop("95")))
    assert world.held(world.alice, "BTC") == 1
    world.price("95")
    assert (order.status, world.fills(order)) == (OrderStatus.FILLED, [("94.99", "1")])
    assert world.held(world.alice, "BTC") == 0
