"""Where positions are left: stops that orders bring along, stops that are set, and what ends them.

Sources: the v5 pages "Set Trading Stop" (one of each for all of a position, pairs for parts of it, what a
change of only one side does, that all are canceled when the position is closed), "Place Order" (tpslMode,
closeOnTrigger, slippage tolerance, quantity "0") and "Enums Definitions" (cancelType).
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from emulator.core import commands as c
from emulator.core import events as e
from emulator.core import rejections as r
from emulator.core.instruments import Outcome, Side, TimeInForce, TriggerSource
from emulator.core.orders import Attached, EndReason, Order, OrderStatus, PegSide, Slippage, Stop, StopRole
from emulator.core.positions import Leg
from emulator.core.rejections import Limit, Setting
from emulator.core.state.records import Stops
from tests.core.futures import flat, linear
from tests.core.sameness import assert_same
from tests.core.test_snapshot import restored
from tests.core.world import (
    SECOND,
    World,
    deep,
    instrument,
    limit,
    market,
    moving,
    peg,
    perpetual,
    plain,
    still,
    stop,
)

D = Decimal
BUY, SELL = Side.BUY, Side.SELL
PLAIN = linear(flat("0.005"), stop_pairs_max=2)


def pit(feed: Any = None, **changes: Any) -> World:
    """A contract whose waiting orders can be modified, with ten levels of 1 a side."""
    return World(feed or deep(), perpetual(PLAIN, dormant_modified=True, **changes))


def at(price: str, limit: str | None = None, source: TriggerSource = TriggerSource.LAST) -> Stop:
    return Stop(price=D(price), limit=None if limit is None else D(limit), source=source)


def whole(profit: str | None = None, loss: str | None = None) -> Attached:
    return Attached(
        whole=True,
        take_profit=None if profit is None else at(profit),
        stop_loss=None if loss is None else at(loss),
    )


def partly(profit: Stop | None = None, loss: Stop | None = None) -> Attached:
    return Attached(whole=False, take_profit=profit, stop_loss=loss)


def setting(world: World, **terms: Any) -> c.SetStops:
    return c.SetStops(account=world.alice, instrument=world.symbol, **terms)


def stops(world: World, leg: Leg = Leg.BOTH) -> Stops:
    return world.engine.state.stops_of(world.alice, world.symbol, leg)


def told(order: Order | None) -> tuple[str, str, str | None]:
    """Role, trigger price and quantity."""
    assert order is not None
    trigger = order.terms.trigger
    assert trigger is not None
    price = trigger.price if trigger.price is not None else D(0)
    return order.terms.role.value, plain(price), None if order.quantity is None else plain(order.quantity)


def held(world: World, leg: Leg = Leg.BOTH) -> str:
    return plain(world.engine.state.position(world.alice, world.symbol, leg).quantity)


def ended(order: Order) -> tuple[OrderStatus, EndReason]:
    return order.status, order.end_reason


def is_same_again(world: World) -> None:
    assert_same(world.engine, world.replayed())
    assert_same(world.engine, restored(world))


# All of a position


def test_an_order_brings_a_pair_along_for_all_of_the_position() -> None:
    world = pit()
    order = world.place(world.alice, market(BUY, "2", attached=whole("110", "95")))
    now = stops(world)
    assert told(now.take_profit) == ("take_profit", "110", None)
    assert told(now.stop_loss) == ("stop_loss", "95", None)
    assert now.take_profit is not None
    assert (now.take_profit.terms.parent, now.take_profit.side) == (order.id, SELL)
    assert now.take_profit.in_list
    is_same_again(world)
    world.buy(world.alice, "1", "102")
    assert held(world) == "3"
    world.price("110")
    assert held(world) == "0"
    assert ended(now.take_profit)[0] is OrderStatus.FILLED
    assert now.stop_loss is not None
    assert ended(now.stop_loss) == (OrderStatus.EXPIRED, EndReason.TAKE_PROFIT_FIRED)
    assert stops(world) == Stops()
    is_same_again(world)


def test_the_stop_loss_ends_the_take_profit() -> None:
    world = pit()
    world.place(world.alice, market(SELL, "2", attached=whole("90", "105")))
    now = stops(world)
    world.price("105")
    assert held(world) == "0"
    assert now.take_profit is not None
    assert ended(now.take_profit) == (OrderStatus.EXPIRED, EndReason.STOP_LOSS_FIRED)


def test_stops_follow_when_an_order_in_the_book_trades() -> None:
    world = pit(still())
    order = world.buy(world.alice, "2", "99", attached=whole("110", "95"))
    assert stops(world) == Stops()
    world.sell(world.bob, "1", "99")
    first = stops(world)
    world.sell(world.bob, "1", "99")
    assert order.status is OrderStatus.FILLED
    assert stops(world) == first


def test_what_was_changed_between_two_trades_of_its_order_stays_so() -> None:
    """And it still counts as that order's (Get Open Orders, parentOrderLinkId)."""
    world = pit(still())
    order = world.buy(world.alice, "2", "99", attached=whole("110", "95"))
    world.sell(world.bob, "1", "99")
    world.does(setting(world, take_profit=at("120")))
    world.sell(world.bob, "1", "99")
    now = stops(world)
    assert told(now.take_profit) == ("take_profit", "120", None)
    assert now.take_profit is not None
    assert now.take_profit.terms.parent == order.id


def test_a_later_order_s_stops_take_the_place_of_those_before() -> None:
    world = pit()
    world.place(world.alice, market(BUY, "1", attached=whole("110", "95")))
    before = stops(world)
    world.place(world.alice, market(BUY, "1", attached=whole("120")))
    now = stops(world)
    assert told(now.take_profit) == ("take_profit", "120", None)
    assert told(now.stop_loss) == ("stop_loss", "95", None)
    assert (now.take_profit, now.stop_loss) == (before.take_profit, before.stop_loss)
    assert now.take_profit is not None
    assert not now.take_profit.in_list, "of two that belong together one was changed"


def test_a_stop_that_was_passed_is_triggered_when_it_comes() -> None:
    """The market goes past the order's limit and its stop loss in one step."""
    world = pit()
    order = world.buy(world.alice, "1", "98", attached=whole(None, "97"))
    events = world.price("90")
    assert order.status is OrderStatus.FILLED
    assert held(world) == "0"
    (loss,) = [one.order for one in events if isinstance(one, e.OrderTriggered)]
    assert world.engine.views.orders[loss].terms.role is StopRole.STOP_LOSS
    is_same_again(world)


def test_what_only_reduces_brings_nothing_along() -> None:
    world = pit()
    world.place(world.alice, market(BUY, "2"))
    world.place(world.alice, market(SELL, "1", attached=whole("90", "110")))
    world.place(world.alice, market(SELL, "0.5", reduce_only=True, attached=whole("90", "110")))
    assert stops(world) == Stops()
    world.place(world.alice, market(SELL, "2", attached=whole("90", "110")))
    assert held(world) == "-1.5"
    assert told(stops(world).take_profit) == ("take_profit", "90", None)


def test_stops_end_with_the_position() -> None:
    world = pit()
    world.place(world.alice, market(BUY, "2", attached=whole("110", "95")))
    world.does(setting(world, trailing=c.Trail(distance=D(5))))
    world.does(setting(world, whole=False, take_profit=at("108"), quantity=D(1)))
    now = stops(world)
    world.place(world.alice, market(SELL, "2"))
    assert stops(world) == Stops()
    for order in (now.take_profit, now.stop_loss, now.trailing, now.pairs[0][0]):
        assert order is not None
        assert ended(order) == (OrderStatus.EXPIRED, EndReason.POSITION_CLOSED)
    is_same_again(world)


def test_stops_end_when_the_position_turns() -> None:
    world = pit()
    world.place(world.alice, market(BUY, "2", attached=whole("110", "95")))
    world.place(world.alice, market(SELL, "3"))
    assert held(world) == "-1"
    assert stops(world) == Stops()


def test_each_leg_has_its_own() -> None:
    world = pit()
    world.does(c.SetPositionMode(account=world.alice, wallet="usdm", hedged=True))
    world.place(world.alice, market(BUY, "2", leg=Leg.LONG, attached=whole("110", "95")))
    world.place(world.alice, market(SELL, "1", leg=Leg.SHORT, attached=whole("90", "105")))
    assert told(stops(world, Leg.LONG).stop_loss) == ("stop_loss", "95", None)
    assert told(stops(world, Leg.SHORT).stop_loss) == ("stop_loss", "105", None)
    assert world.refuses(setting(world, take_profit=at("120"))) == r.LegWrong()
    world.does(setting(world, leg=Leg.LONG, take_profit=at("104")))
    world.price("104")
    assert (held(world, Leg.LONG), held(world, Leg.SHORT)) == ("0", "-1")
    assert stops(world, Leg.LONG) == Stops()
    is_same_again(world)


# Setting them


def test_stops_are_set_changed_and_removed() -> None:
    world = pit()
    assert world.refuses(setting(world, take_profit=at("110"))) == r.NothingToReduce()
    world.place(world.alice, market(BUY, "2"))
    unchanged = r.SettingUnchanged(setting=Setting.STOPS)
    assert world.refuses(setting(world)) == unchanged
    both = setting(world, take_profit=at("110"), stop_loss=at("95", source=TriggerSource.MARK))
    world.does(both)
    assert world.refuses(both) == unchanged
    before = stops(world)
    assert before.take_profit is not None
    assert before.stop_loss is not None
    assert before.take_profit.list_id == before.stop_loss.list_id != 0
    # Both together stay bound.
    world.does(setting(world, take_profit=at("111"), stop_loss=at("94")))
    assert before.take_profit.in_list
    world.does(setting(world, take_profit=at("111"), stop_loss=at("94.5")))
    assert before.take_profit.in_list, "both were said again"
    world.does(setting(world, stop_loss=at("93")))
    assert [one.list_id for one in (before.take_profit, before.stop_loss)] == [0, 0]
    assert told(before.stop_loss) == ("stop_loss", "93", None)
    is_same_again(world)
    world.cancel(before.take_profit)
    assert stops(world) == Stops(stop_loss=before.stop_loss)
    world.does(setting(world, removes=(StopRole.STOP_LOSS, StopRole.TAKE_PROFIT)))
    assert stops(world) == Stops()
    assert ended(before.stop_loss) == (OrderStatus.CANCELED, EndReason.NONE)
    assert world.refuses(setting(world, removes=(StopRole.STOP_LOSS,))) == unchanged
    is_same_again(world)


def test_one_of_two_that_came_together_is_canceled_with_the_other() -> None:
    world = pit()
    world.place(world.alice, market(BUY, "2", attached=whole("110", "95")))
    now = stops(world)
    assert now.take_profit is not None
    world.cancel(now.take_profit)
    assert stops(world) == Stops()


def test_removing_one_leaves_the_other() -> None:
    world = pit()
    world.place(world.alice, market(BUY, "2", attached=whole("110", "95")))
    world.does(setting(world, removes=(StopRole.TAKE_PROFIT,)))
    left = stops(world)
    assert left == Stops(stop_loss=left.stop_loss)
    assert left.stop_loss is not None
    world.price("95")
    assert held(world) == "0"


def test_one_is_removed_while_the_other_is_changed() -> None:
    world = pit()
    world.place(world.alice, market(BUY, "2", attached=whole("110", "95")))
    before = stops(world)
    world.does(setting(world, take_profit=at("112"), removes=(StopRole.STOP_LOSS,)))
    assert stops(world) == Stops(take_profit=before.take_profit)
    assert told(before.take_profit) == ("take_profit", "112", None)
    is_same_again(world)


def test_one_that_is_bound_to_nothing_ends_with_the_position_all_the_same() -> None:
    world = pit()
    world.place(world.alice, market(BUY, "2", attached=whole("110", "95")))
    world.does(setting(world, take_profit=at("105")))
    now = stops(world)
    world.price("105")
    assert now.stop_loss is not None
    assert ended(now.stop_loss) == (OrderStatus.EXPIRED, EndReason.POSITION_CLOSED)


@pytest.mark.parametrize("side", [BUY, SELL])
def test_stops_lie_on_their_sides(side: Side) -> None:
    world = pit()
    world.place(world.alice, market(side, "1"))
    above, below = ("take_profit", "stop_loss") if side is BUY else ("stop_loss", "take_profit")
    world.price("100")
    for name, price in ((above, "100"), (above, "99"), (below, "100"), (below, "101")):
        refused = world.refuses(setting(world, **{name: at(price)}))
        assert refused == r.StopPriceWrong(
            role=StopRole(name), side=side, price=D(price), base=D(100), source=TriggerSource.LAST
        )
    assert isinstance(world.refuses(setting(world, **{above: at("110.05")})), r.LimitBroken)
    world.does(setting(world, **{above: at("100.1"), below: at("99.9")}))


def test_attached_stops_are_measured_by_where_the_order_would_open() -> None:
    world = pit()
    refused = world.refuses(world.placing(world.alice, limit(BUY, "1", "90", attached=whole("95", "91"))))
    assert refused == r.StopPriceWrong(
        role=StopRole.STOP_LOSS, side=BUY, price=D(91), base=D(90), source=TriggerSource.LAST
    )
    world.buy(world.alice, "1", "90", attached=whole("95", "85"))
    waiting = limit(BUY, "1", "112", trigger=stop("110"), attached=whole("111", None))
    assert isinstance(world.refuses(world.placing(world.alice, waiting)), r.StopPriceWrong)
    at_market = market(BUY, "1", attached=whole("99", None))
    assert isinstance(world.refuses(world.placing(world.alice, at_market)), r.StopPriceWrong)
    with_limit = limit(BUY, "1", "90", attached=Attached(whole=True, take_profit=at("95", "94")))
    assert isinstance(world.refuses(world.placing(world.alice, with_limit)), r.OrderTermsInvalid)


def test_what_an_order_brings_along_can_be_modified() -> None:
    world = pit(still())
    order = world.buy(world.alice, "1", "90", attached=whole("110", "85"))
    asked = c.ModifyOrder(account=world.alice, instrument=world.symbol, order=order.id, attached=whole("111"))
    ahead = world.buy(world.bob, "1", "90")
    world.does(asked)
    assert world.refuses(asked) == r.AmendChangesNothing()
    is_same_again(world)
    world.sell(world.bob, "1", "90")
    assert order.status is OrderStatus.FILLED, "it keeps its place"
    assert ahead.status is OrderStatus.NEW
    now = stops(world)
    assert now == Stops(take_profit=now.take_profit)
    assert told(now.take_profit) == ("take_profit", "111", None)


def test_a_stop_is_an_order_that_can_be_modified() -> None:
    world = pit()
    world.place(world.alice, market(BUY, "1", attached=whole("110", "95")))
    now = stops(world)
    assert now.take_profit is not None
    asked = c.ModifyOrder(
        account=world.alice, instrument=world.symbol, order=now.take_profit.id, trigger_price=D(120)
    )
    world.does(asked)
    assert told(now.take_profit) == ("take_profit", "120", None)
    wrong = c.ModifyOrder(
        account=world.alice, instrument=world.symbol, order=now.take_profit.id, trigger_price=D(99)
    )
    assert isinstance(world.refuses(wrong), r.StopPriceWrong)
    is_same_again(world)


# Parts of a position


def test_a_part_is_closed_by_its_pair() -> None:
    world = pit()
    world.place(world.alice, market(BUY, "3"))
    world.does(setting(world, whole=False, take_profit=at("105", "105"), stop_loss=at("95"), quantity=D(1)))
    ((profit, loss),) = stops(world).pairs
    assert told(profit) == ("partial_take_profit", "105", "1")
    assert told(loss) == ("partial_stop_loss", "95", "1")
    is_same_again(world)
    world.price("105")
    world.wait(SECOND)
    assert ended(loss) == (OrderStatus.EXPIRED, EndReason.TAKE_PROFIT_FIRED)
    assert profit.price == D(105)
    assert held(world) == "2"
    is_same_again(world)


def test_there_may_be_so_many_pairs_and_none_larger_than_the_position() -> None:
    world = pit()
    world.place(world.alice, market(BUY, "3"))
    pair = setting(world, whole=False, take_profit=at("105"), stop_loss=at("95"), quantity=D(1))
    world.does(pair)
    too_large = setting(world, whole=False, take_profit=at("105"), quantity=D("3.1"))
    assert world.refuses(too_large) == r.NothingToReduce()
    world.does(pair)
    full = r.LimitBroken(limit=Limit.STOP_PAIRS, bound=D(2))
    assert world.refuses(pair) == full
    another = market(BUY, "1", attached=partly(at("110"), at("90")))
    assert world.refuses(world.placing(world.alice, another)) == full
    assert len(stops(world).pairs) == 2


def test_a_part_grows_with_what_its_order_trades() -> None:
    world = pit(still())
    order = world.buy(world.alice, "3", "99", attached=partly(at("110"), at("95")))
    world.sell(world.bob, "1", "99")
    world.sell(world.bob, "0.5", "99")
    ((profit, loss),) = stops(world).pairs
    assert told(profit) == ("partial_take_profit", "110", "1.5")
    assert told(loss) == ("partial_stop_loss", "95", "1.5")
    assert profit.terms.parent == loss.terms.parent == order.id
    is_same_again(world)


def test_a_part_of_many_fills_is_one_pair() -> None:
    world = pit()
    order = world.place(world.alice, market(BUY, "2.5", attached=partly(at("110"))))
    assert len(world.fills(order)) == 3
    ((profit,),) = stops(world).pairs
    assert told(profit) == ("partial_take_profit", "110", "2.5")
    assert not profit.in_list


def test_pairs_do_not_count_as_orders_of_their_owner() -> None:
    world = pit(trigger_orders_max=1)
    world.place(world.alice, market(BUY, "2", attached=whole("110", "95")))
    world.buy(world.alice, "1", "112", trigger=stop("111"))
    refused = world.refuses(world.placing(world.alice, limit(BUY, "1", "112", trigger=stop("111"))))
    assert refused == r.LimitBroken(limit=Limit.TRIGGER_ORDERS)
    world.does(setting(world, trailing=c.Trail(distance=D(5))))


# Trailing


def test_a_position_is_left_when_the_price_turns_back_by_a_distance() -> None:
    world = pit(moving((-60, "100"), (10, "103"), (20, "108"), (30, "104"), (40, "103"), depth=10))
    world.place(world.alice, market(BUY, "1"))
    world.does(setting(world, trailing=c.Trail(distance=D(5))))
    order = stops(world).trailing
    assert order is not None
    assert (order.extreme, order.terms.role) == (D(100), StopRole.TRAILING)
    world.until(35)
    assert held(world) == "1"
    is_same_again(world)
    (moment,) = world.until(60)
    assert moment[0] == world.now - 20 * SECOND
    assert held(world) == "0"
    assert order.status is OrderStatus.FILLED
    is_same_again(world)


@pytest.mark.parametrize("side", [BUY, SELL])
def test_a_shifted_price_turns_back_by_the_same_distance(side: Side) -> None:
    """And it is found in one search, however often the price was better in between."""
    steps = [str(100 + turn) if side is BUY else str(100 - turn) for turn in (1, 2, 3, 4, 5, 6, 3, 1)]
    script = [(10 * number, price) for number, price in enumerate(steps, start=1)]
    world = pit(moving((-60, "100"), *script, depth=10))
    world.price("200", c.PriceMode.SHIFT)
    world.place(world.alice, market(side, "1"))
    world.does(setting(world, trailing=c.Trail(distance=D(5))))
    world.until(79)
    assert held(world) == ("1" if side is BUY else "-1")
    (moment,) = world.until(90)
    assert moment[0] == world.now - 10 * SECOND
    assert held(world) == "0"
    is_same_again(world)


def test_it_follows_from_its_activation_on() -> None:
    world = pit(moving((-60, "100"), (10, "94"), (20, "104"), (30, "107"), (40, "101"), depth=10))
    world.place(world.alice, market(BUY, "1"))
    world.does(setting(world, trailing=c.Trail(distance=D(5), activation=D(104))))
    order = stops(world).trailing
    assert order is not None
    assert order.extreme is None
    world.until(25)
    assert order.extreme == D(104)
    is_same_again(world)
    world.until(45)
    assert held(world) == "0"


def test_a_trailing_stop_is_changed_and_removed() -> None:
    world = pit(moving((-60, "100"), (10, "108"), (20, "105"), depth=10))
    world.place(world.alice, market(BUY, "1"))
    world.does(setting(world, trailing=c.Trail(distance=D(9))))
    order = stops(world).trailing
    assert order is not None
    world.until(15)
    asked = setting(world, trailing=c.Trail(distance=D(3)))
    world.does(asked)
    assert world.refuses(asked) == r.SettingUnchanged(setting=Setting.STOPS)
    assert stops(world).trailing is order, "and what it has seen stays seen"
    world.until(20)
    assert held(world) == "0"
    world.place(world.alice, market(SELL, "1"))
    world.does(setting(world, trailing=c.Trail(distance=D(3), activation=D(90))))
    before = stops(world).trailing
    world.does(setting(world, trailing=c.Trail(distance=D(3), activation=D(91))))
    assert stops(world).trailing is before
    world.does(setting(world, removes=(StopRole.TRAILING,)))
    assert stops(world) == Stops()


@pytest.mark.parametrize(
    ("trail", "refusal"),
    [
        (c.Trail(distance=D(0)), Limit.TRAILING_DISTANCE),
        (c.Trail(distance=D("0.05")), Limit.TRAILING_DISTANCE),
        (c.Trail(distance=D(100)), Limit.TRAILING_DISTANCE),
        (c.Trail(distance=D(1), activation=D(100)), StopRole.TRAILING),
        (c.Trail(distance=D(1), activation=D(99)), StopRole.TRAILING),
    ],
)
def test_a_distance_is_one_that_the_price_can_go(trail: c.Trail, refusal: Limit | StopRole) -> None:
    world = pit()
    world.place(world.alice, market(BUY, "1"))
    refused = world.refuses(setting(world, trailing=trail))
    if isinstance(refused, r.LimitBroken):
        assert refused.limit is refusal
    else:
        assert isinstance(refused, r.StopPriceWrong)
        assert refused.role is refusal


def test_by_the_mark_price_it_is_the_same() -> None:
    world = pit()
    world.place(world.alice, market(BUY, "1"))
    world.does(setting(world, trailing=c.Trail(distance=D(5), source=TriggerSource.MARK)))
    world.price("110")
    world.price("106")
    assert held(world) == "1"
    world.price("105")
    assert held(world) == "0"
    is_same_again(world)


# At market


@pytest.mark.parametrize(
    ("slippage", "bound"),
    [
        (Slippage(steps=10), "101"),
        (Slippage(ratio=D("0.015")), "101.5"),
        (Slippage(ratio=D("0.0099")), "100.9"),
    ],
)
def test_an_order_at_market_goes_no_further_than_it_says(slippage: Slippage, bound: str) -> None:
    world = pit()
    order = world.place(world.alice, market(BUY, "5", slippage=slippage))
    assert order.bound == D(bound)
    assert len(world.fills(order)) == (1 if D(bound) < 101 else 2)
    assert ended(order) == (OrderStatus.EXPIRED, EndReason.NO_LIQUIDITY)
    is_same_again(world)


def test_a_sale_is_bounded_from_below() -> None:
    world = pit()
    order = world.place(world.alice, market(SELL, "5", slippage=Slippage(steps=5)))
    assert order.bound == D("98.5")
    assert world.fills(order) == [("99", "1")]


def test_slippage_is_of_orders_at_market_only() -> None:
    world = pit()
    for terms in (
        limit(BUY, "1", "99", slippage=Slippage(steps=1)),
        market(BUY, "1", trigger=stop("110"), slippage=Slippage(steps=1)),
    ):
        assert isinstance(world.refuses(world.placing(world.alice, terms)), r.OrderTermsInvalid)


def test_what_finds_nothing_within_its_bound_is_refused_or_ends() -> None:
    """A contract's bound is measured from the mark price, which a book set far away does not move so far."""
    narrow = linear(flat("0.005"), take_bound=D("0.01"))
    for failure in Outcome:
        world = World(deep(), perpetual(narrow, take_bound_failure=failure))
        world.sell(world.bob, "1", "105")
        world.book([("99", "1")], [("104", "1")])
        placing = world.placing(world.alice, market(BUY, "1"))
        if failure is Outcome.REFUSE:
            refused = world.refuses(placing)
            assert isinstance(refused, r.LimitBroken)
            assert refused.limit is Limit.TAKE_BOUND
        else:
            order = world.place(world.alice, market(BUY, "1"))
            assert ended(order) == (OrderStatus.EXPIRED, EndReason.NO_LIQUIDITY)
            assert order.bound is not None
            assert order.bound < 104


def test_a_pair_s_order_at_market_is_bounded_by_the_last_price() -> None:
    world = World(deep(), instrument(take_bound="0.02", take_bound_failure=Outcome.EXPIRE))
    order = world.place(world.alice, market(BUY, "5"))
    assert order.bound == D(102)
    assert world.fills(order) == [("100", "1"), ("101", "1"), ("102", "1")]
    assert ended(order) == (OrderStatus.EXPIRED, EndReason.NO_LIQUIDITY)
    by_value = world.place(world.bob, market(SELL, budget="500"))
    # From 102, the price of the trade before, down to 99.96, above the best bid.
    assert by_value.bound == D("99.96")
    assert world.fills(by_value) == []
    assert ended(by_value) == (OrderStatus.EXPIRED, EndReason.NO_LIQUIDITY)
    is_same_again(world)


def test_a_limit_is_taken_from_the_book() -> None:
    world = pit()
    passive = world.place(world.alice, limit(BUY, "0.5", None, peg=peg(PegSide.PRIMARY, 1)))
    assert (passive.price, passive.status) == (D(98), OrderStatus.NEW)
    taking = world.place(world.alice, limit(BUY, "3", None, peg=peg(PegSide.MARKET, 1)))
    assert (taking.price, world.fills(taking)) == (D(101), [("100", "1"), ("101", "1")])
    nowhere = world.placing(world.alice, limit(BUY, "1", None, peg=peg(PegSide.MARKET, 40)))
    assert world.refuses(nowhere) == r.NoPegLevel()


@pytest.mark.parametrize("is_pair", [True, False])
def test_what_cannot_be_as_it_should_is_accepted_and_ends(is_pair: bool) -> None:
    """Where the instrument has it so: when placed, when triggered."""
    rules: dict[str, Any] = {
        "post_only_failure": Outcome.EXPIRE,
        "fill_or_kill_failure": Outcome.EXPIRE,
    }
    world = World(deep(), instrument(**rules) if is_pair else perpetual(PLAIN, **rules))
    for terms, reason in (
        (limit(BUY, "1", "100", post_only=True), EndReason.WOULD_TAKE),
        (limit(BUY, "2", "100", tif=TimeInForce.FOK), EndReason.UNFILLED_ALL_OR_NOTHING),
        (limit(BUY, "2", "99", tif=TimeInForce.FOK), EndReason.UNFILLED_ALL_OR_NOTHING),
        (limit(BUY, "2", "99", tif=TimeInForce.IOC), EndReason.UNFILLED_IMMEDIATE),
    ):
        order = world.place(world.alice, terms)
        assert ended(order) == (OrderStatus.EXPIRED, reason)
        assert not order.executed
    waiting = [
        world.buy(world.alice, "1", "106", trigger=stop("105"), post_only=True),
        world.buy(world.alice, "30", "106", trigger=stop("105"), tif=TimeInForce.FOK),
    ]
    world.price("105")
    assert [ended(one) for one in waiting] == [
        (OrderStatus.EXPIRED, EndReason.WOULD_TAKE),
        (OrderStatus.EXPIRED, EndReason.UNFILLED_ALL_OR_NOTHING),
    ]


# Closing


def test_all_of_a_position_is_closed_at_once() -> None:
    world = pit(market_quantity_max="3")
    closing = market(SELL, reduce_only=True, close_position=True, close_on_trigger=True)
    assert world.refuses(world.placing(world.alice, closing)) == r.NothingToReduce()
    world.place(world.alice, market(BUY, "2.5"))
    order = world.place(world.alice, closing)
    assert (order.quantity, order.status) == (D("2.5"), OrderStatus.FILLED)
    assert held(world) == "0"
    # As much as one order at market may trade.
    world.price("100")
    world.place(world.alice, market(BUY, "3"))
    world.place(world.alice, market(BUY, "1"))
    order = world.place(world.alice, closing)
    assert (order.quantity, held(world)) == (D(3), "1")


def test_what_closes_on_its_trigger_needs_the_part_of_others() -> None:
    """The newest of those in the book end, as many as stand in its way."""
    world = pit()
    world.place(world.alice, market(BUY, "3"))
    others = [world.sell(world.alice, "1", price, reduce_only=True) for price in ("120", "121", "122")]
    world.sell(world.alice, "1", "123")
    closing = world.place(
        world.alice, market(SELL, "1.5", trigger=stop("97"), reduce_only=True, close_on_trigger=True)
    )
    world.price("97")
    assert held(world) == "1.5"
    assert closing.status is OrderStatus.FILLED
    assert [ended(one) for one in others] == [
        (OrderStatus.NEW, EndReason.NONE),
        (OrderStatus.EXPIRED, EndReason.MADE_WAY),
        (OrderStatus.EXPIRED, EndReason.MADE_WAY),
    ]
    is_same_again(world)


def test_without_that_it_gets_what_is_left() -> None:
    world = pit()
    world.place(world.alice, market(BUY, "3"))
    world.sell(world.alice, "2", "120", reduce_only=True)
    order = world.place(world.alice, market(SELL, "3", trigger=stop("97"), reduce_only=True))
    world.price("97")
    assert (order.quantity, held(world)) == (D(1), "2")


def test_a_stop_closes_what_others_in_the_book_would() -> None:
    world = pit()
    world.place(world.alice, market(BUY, "2", attached=whole(None, "97")))
    other = world.sell(world.alice, "2", "120", reduce_only=True)
    world.price("97")
    assert held(world) == "0"
    assert ended(other) == (OrderStatus.EXPIRED, EndReason.MADE_WAY)


# Ending several


def test_orders_on_several_instruments_are_canceled_at_once() -> None:
    pair = instrument()
    world = World(deep(), perpetual(PLAIN), pair)
    contract = world.symbol
    world.place(world.alice, market(BUY, "2", attached=whole("110", "95")))
    active = world.buy(world.alice, "1", "90")
    waiting = world.buy(world.alice, "1", "112", trigger=stop("111"), role=StopRole.STOP)
    world.symbol = pair.symbol
    of_pair = world.buy(world.alice, "1", "90")
    world.symbol = contract
    now = stops(world)

    def canceling(*instruments: str, **terms: Any) -> list[int]:
        command = c.CancelOrders(account=world.alice, instruments=instruments, **terms)
        return [one.order for one in world.does(command) if isinstance(one, e.OrderCanceled)]

    assert canceling() == []
    assert canceling(contract, roles=(StopRole.STOP,)) == [waiting.id]
    assert canceling(contract, roles=(StopRole.STOP,)) == []
    assert now.take_profit is not None
    assert now.stop_loss is not None
    both = [now.take_profit.id, now.stop_loss.id]
    assert canceling(contract, roles=(StopRole.STOP_LOSS,)) == both, "what is bound goes together"
    assert canceling(contract, pair.symbol, dormant=True) == []
    assert canceling(contract, pair.symbol, dormant=False) == [active.id, of_pair.id]
    is_same_again(world)


def test_no_more_orders_are_canceled_at_once_than_was_said() -> None:
    world = pit()
    world.place(world.alice, market(BUY, "2", attached=whole("110", "95")))
    now = stops(world)
    assert now.take_profit is not None
    assert now.stop_loss is not None
    both = {now.take_profit.id, now.stop_loss.id}
    orders = [world.buy(world.alice, "1", "90").id for _ in range(20)]

    def canceling(orders_max: int) -> list[int]:
        command = c.CancelOrders(account=world.alice, instruments=(world.symbol,), orders_max=orders_max)
        return [one.order for one in world.does(command) if isinstance(one, e.OrderCanceled)]

    first = canceling(11)
    assert 10 <= len(set(first)) == len(first) <= 11
    assert both.issubset(first) or both.isdisjoint(first), "what is bound goes together"
    gone = [one for one in orders if one in first]
    assert gone not in (orders[: len(gone)], orders[-len(gone) :]), "neither the oldest nor the newest"
    is_same_again(world)
    second = canceling(30)
    assert {*first, *second} == {*orders, *both}
    assert len(first) + len(second) == 22
    assert canceling(1) == []


def test_the_exchange_ends_orders_for_a_reason_of_its_own() -> None:
    world = pit()
    orders = [world.buy(world.alice, "1", "90"), world.buy(world.alice, "1", "112", trigger=stop("111"))]
    asked = c.EndOrders(account=world.alice, instruments=(world.symbol,), reason=EndReason.DISCONNECTED)
    world.does(asked)
    assert [ended(one) for one in orders] == [(OrderStatus.EXPIRED, EndReason.DISCONNECTED)] * 2
    assert world.does(asked) == ()


# Of a pair


def test_what_was_bought_is_sold_again() -> None:
    world = World(deep(), instrument(maker_fee="0.001", taker_fee="0.001"), funds="1000")
    order = world.buy(world.alice, "2", "99.5", attached=partly(at("110"), at("95", "94")))
    world.sell(world.bob, "1", "99.5")
    assert not world.engine.state.lists, "not before it is over"
    world.sell(world.bob, "1", "99.5")
    assert order.status is OrderStatus.FILLED
    (listed,) = world.engine.state.lists.values()
    profit, loss = (world.engine.state.orders[leg] for leg in listed.orders)
    assert told(profit) == ("partial_take_profit", "110", "2")
    assert told(loss) == ("partial_stop_loss", "95", "2")
    assert (profit.price, loss.price, profit.terms.parent) == (None, D(94), order.id)
    assert world.held(world.alice, "BTC") == 2
    is_same_again(world)
    world.price("110")
    assert profit.executed == 2
    assert ended(loss) == (OrderStatus.EXPIRED, EndReason.TAKE_PROFIT_FIRED)
    assert world.held(world.alice, "BTC") == 0
    is_same_again(world)


def test_fees_are_left_out_where_there_is_nothing_else() -> None:
    world = World(deep(), instrument(maker_fee="0.001", taker_fee="0.001"), checked=True)
    carol = world.open("carol", BTC="0", USDT="1000")
    world.place(carol, market(BUY, "1", attached=partly(None, at("90"))))
    (loss,) = world.engine.state.accounts[carol].open_orders.values()
    assert (loss.quantity, loss.in_list) == (D("0.999"), False)


def test_what_was_sold_is_bought_again_as_far_as_there_is_money() -> None:
    world = World(deep(), instrument(), funds="10")
    world.sell(world.alice, "1", "101", attached=partly(at("95"), at("105")))
    world.price("101")
    assert len(world.engine.state.lists) == 1
    # What the stop loss may cost is held: 105, of 10 and the 101 that were received.
    assert world.held(world.alice, "USDT") == 105
    poor = World(deep(), instrument(), funds="2")
    order = poor.sell(poor.alice, "1", "101", attached=partly(at("95"), at("105")))
    poor.price("101")
    assert order.status is OrderStatus.FILLED
    assert not poor.engine.state.lists
    assert not poor.engine.state.orders


def test_what_was_traded_before_the_order_was_canceled_is_covered() -> None:
    world = World(still(), instrument(), funds="1000")
    order = world.buy(world.alice, "2", "99", attached=partly(at("110"), at("95")))
    world.sell(world.bob, "0.5", "99")
    world.cancel(order)
    quantities = [one.quantity for one in world.engine.state.orders.values()]
    assert quantities == [D("0.5"), D("0.5")]
