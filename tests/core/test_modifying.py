"""Orders of contracts that get another price or quantity, and keep their id.

Source: the developers' page "Modify Order" (what is checked, when the order is canceled instead).
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from emulator.core import commands as c
from emulator.core import events as e
from emulator.core import rejections as r
from emulator.core.history import Amendment, Query
from emulator.core.instruments import Outcome, SelfTradeMode, Side, TriggerSource
from emulator.core.orders import EndReason, Order, PegSide
from emulator.core.rejections import Feature, Limit
from emulator.core.rules import MarginRules
from tests.core.futures import BTC
from tests.core.sameness import assert_same
from tests.core.test_snapshot import restored
from tests.core.world import (
    SECOND,
    World,
    decimal,
    deep,
    instrument,
    limit,
    market,
    peg,
    perpetual,
    plain,
    replaced,
    seen,
    still,
    stop,
)

D = Decimal
BUY, SELL = Side.BUY, Side.SELL


def pit(
    feed: Any = None, *, funds: str = "1000000", margin: MarginRules | None = None, **changes: Any
) -> World:
    return World(feed or still(), perpetual(BTC, **changes), funds=funds, margin=margin)


def modifying(
    order: Order, price: str | None = None, quantity: str | None = None, **terms: Any
) -> c.ModifyOrder:
    return c.ModifyOrder(
        account=order.account,
        instrument=order.instrument,
        order=order.id,
        price=decimal(price),
        quantity=decimal(quantity),
        **terms,
    )


def queue(world: World, of: Side, price: str) -> list[int]:
    market_ = world.engine.state.markets[world.symbol]
    queues = market_.bids if of is BUY else market_.asks
    return list(queues.queues.get(D(price), {}))


# In the book


def test_price_and_quantity_go_up_and_down() -> None:
    world = pit()
    order = world.buy(world.alice, "2", "90", client_id="mine")
    for price, quantity in (("91", "3"), ("89", "1"), ("89", "5"), ("95", "5")):
        world.does(modifying(order, price, quantity))
        assert (order.price, order.quantity, order.client_id) == (D(price), D(quantity), "mine")
        assert world.depth(BUY) == [(price, quantity)]
    assert order.amend_count == 4


def test_what_is_not_said_stays() -> None:
    world = pit()
    order = world.buy(world.alice, "2", "90")
    world.does(modifying(order, price="91"))
    world.does(modifying(order, quantity="3"))
    assert world.depth(BUY) == [("91", "3")]


def test_it_may_be_named_by_its_client_id() -> None:
    world = pit()
    order = world.buy(world.alice, "2", "90", client_id="mine")
    command = c.ModifyOrder(
        account=world.alice, instrument=world.symbol, client_id="mine", price=D(91), quantity=D(2)
    )
    world.does(command)
    assert order.price == 91


@pytest.mark.parametrize("keeps", [True, False])
def test_its_place_in_the_queue_is_kept_only_where_it_may_be_and_only_if_it_shrinks(keeps: bool) -> None:
    world = pit(amend_keeps_priority=keeps)
    first, second = (world.buy(world.alice, "2", "90") for _ in range(2))
    world.wait(SECOND)
    world.does(modifying(first, "90", "1"))
    assert queue(world, BUY, "90") == ([first.id, second.id] if keeps else [second.id, first.id])
    world.wait(SECOND)
    world.does(modifying(second if not keeps else first, "90", "3"))
    assert queue(world, BUY, "90") == ([second.id, first.id] if keeps else [first.id, second.id])
    world.does(modifying(second, "89", "1"))
    world.does(modifying(second, "90", "1"))
    assert queue(world, BUY, "90") == [first.id, second.id]


def test_what_would_change_nothing_is_refused() -> None:
    world = pit()
    order = world.buy(world.alice, "2", "90")
    for command in (modifying(order), modifying(order, "90", "2"), modifying(order, "90.0")):
        assert world.refuses(command) == r.AmendChangesNothing()


def test_what_is_modified_has_to_pass_as_if_it_were_new() -> None:
    """And stays as it was if it does not."""
    world = pit(notional_min="50", bid_multiplier_up="1.05", amends_max=2)
    order = world.buy(world.alice, "2", "90")
    for command, limit_ in (
        (modifying(order, "90.05", "2"), Limit.PRICE_STEP),
        (modifying(order, "90", "2.0005"), Limit.QUANTITY_STEP),
        (modifying(order, "90", "0.5"), Limit.NOTIONAL),
        (modifying(order, "105.1", "2"), Limit.PRICE_BAND),
    ):
        refused = world.refuses(command)
        assert isinstance(refused, r.LimitBroken)
        assert refused.limit is limit_
    assert world.depth(BUY) == [("90", "2")]
    world.does(modifying(order, "91"))
    world.does(modifying(order, "92"))
    assert world.refuses(modifying(order, "93")) == r.LimitBroken(limit=Limit.AMENDS)


def test_only_what_is_in_the_book_can_be_modified() -> None:
    world = pit()
    waiting = world.buy(world.alice, "1", "111", trigger=stop("110"))
    assert world.refuses(modifying(waiting, "112")) == r.OrderNotResting()
    gone = world.buy(world.alice, "1", "90")
    world.cancel(gone)
    assert world.refuses(modifying(gone, "91")) == r.UnknownOrder()
    of_bob = world.buy(world.bob, "1", "90")
    stolen = c.ModifyOrder(account=world.alice, instrument=world.symbol, order=of_bob.id, price=D(91))
    assert world.refuses(stolen) == r.UnknownOrder()


def test_a_pair_s_order_holds_what_it_needs_from_then_on() -> None:
    world = World(still(), instrument(), funds="200")
    order = world.buy(world.alice, "1", "90")
    world.does(modifying(order, "80", "2"))
    assert world.depth(BUY) == [("80", "2")]
    assert world.held(world.alice, "USDT") == 160
    refused = r.InsufficientBalance(asset="USDT", needed=D(210), available=D(200))
    assert world.refuses(modifying(order, "105", "2")) == refused
    world.does(modifying(order, "70"))
    assert world.held(world.alice, "USDT") == 140
    sold = world.sell(world.bob, "0.5", "70")
    assert seen(sold)[0] == "filled"
    world.does(modifying(order, "60", "1"))
    assert world.held(world.alice, "USDT") == 30
    assert_same(world.replayed(), world.engine)
    assert_same(restored(world), world.engine)


def test_a_pair_s_order_may_trade_at_once() -> None:
    world = World(still(), instrument(taker_fee="0.001"))
    world.sell(world.bob, "1", "100")
    order = world.buy(world.alice, "2", "90")
    world.does(modifying(order, "101", "3"))
    assert world.fills(order) == [("100", "1")]
    assert world.depth(BUY) == [("101", "2")]
    assert world.held(world.alice, "USDT") == 202
    only_rests = world.sell(world.bob, "1", "110", post_only=True)
    world.does(modifying(only_rests, "101"))
    assert (only_rests.status.value, only_rests.end_reason) == ("canceled", EndReason.WOULD_TAKE)


def test_no_more_than_was_traded_is_canceled_or_refused() -> None:
    for below, ends in ((Outcome.EXPIRE, True), (Outcome.REFUSE, False)):
        world = pit(below_executed=below)
        order = world.buy(world.alice, "2", "90")
        world.sell(world.bob, "1", "90")
        if ends:
            world.does(modifying(order, None, "1"))
            assert order.status.value == "canceled"
        else:
            assert world.refuses(modifying(order, None, "1")) == r.AmendBelowExecuted(executed=D(1))
            world.does(modifying(order, None, "1.5"))
            assert world.depth(BUY) == [("90", "0.5")]


def test_what_waits_can_be_modified_where_its_instrument_says_so() -> None:
    world = pit(dormant_modified=True)
    order = world.buy(world.alice, "1", "112", trigger=stop("110"))
    asked = modifying(order, "115", "2", trigger_price=D(114), trigger_source=TriggerSource.MARK)
    world.does(asked)
    assert order.terms.trigger == replaced(stop("114"), source=TriggerSource.MARK)
    assert (order.price, order.quantity, order.status.value) == (D(115), D(2), "dormant")
    assert world.refuses(asked) == r.AmendChangesNothing()
    assert world.refuses(modifying(order, trigger_price=D(99))) == r.WouldTrigger()
    (record,) = world.engine.views.amendments[order.id]
    assert (record.price_before, record.price_after, record.quantity_after) == (D(112), D(115), D(2))
    assert_same(world.replayed(), world.engine)
    assert_same(restored(world), world.engine)
    world.price("111")
    assert order.status.value == "dormant"
    world.price("114")
    assert seen(order)[0] == "new"
    assert world.depth(BUY) == [("115", "2")]


def test_a_pair_s_order_that_waits_holds_what_its_new_price_needs() -> None:
    world = World(still(), instrument(dormant_modified=True), funds="200")
    order = world.buy(world.alice, "1", "120", trigger=stop("110"))
    world.does(modifying(order, "150"))
    assert world.held(world.alice, "USDT") == 150
    refused = r.InsufficientBalance(asset="USDT", needed=D(201), available=D(200))
    assert world.refuses(modifying(order, "201")) == refused


# Trading


def test_it_trades_at_once_if_its_new_price_meets_somebody() -> None:
    """Asks at 100 and 101 of one each."""
    world = pit(deep("100"))
    order = world.buy(world.alice, "3", "95")
    events = world.does(modifying(order, "101", "3"))
    assert [type(one) for one in events] == [
        e.OrderAmended, e.TradeExecuted, e.TradeExecuted, e.OrderRested,
    ]  # fmt: skip
    assert world.fills(order) == [("100", "1"), ("101", "1")]
    assert (seen(order)[0], world.depth(BUY, 1)) == ("partially_filled", [("101", "1")])
    assert plain(world.engine.state.position(world.alice, world.symbol).quantity) == "2"
    world.does(modifying(order, "102", "3"))
    assert seen(order)[0] == "filled"


def test_what_has_traded_counts_and_no_more_than_that_cancels() -> None:
    world = pit()
    order = world.buy(world.alice, "2", "90")
    world.sell(world.bob, "0.5", "90")
    world.does(modifying(order, "91", "1"))
    assert world.depth(BUY) == [("91", "0.5")]
    (canceled,) = world.does(modifying(order, "91", "0.5"))
    assert canceled == e.OrderCanceled(order=order.id, cancel_client_id="")
    assert (seen(order)[:2], world.depth(BUY)) == (("canceled", "0.5"), [])
    # Nothing has traded: then it is no quantity at all.
    other = world.buy(world.alice, "2", "90")
    assert world.refuses(modifying(other, "91", "0")) == r.NotionalZero()


def test_an_order_that_may_only_rest_is_canceled_if_it_would_trade() -> None:
    world = pit(deep("100"))
    order = world.buy(world.alice, "1", "95", post_only=True)
    world.does(modifying(order, "98", "1"))
    assert seen(order)[0] == "new"
    world.does(modifying(order, "100", "1"))
    assert (seen(order)[0], world.fills(order)) == ("canceled", [])


def test_it_does_not_trade_with_its_owner() -> None:
    world = pit(self_trade_default=SelfTradeMode.EXPIRE_MAKER)
    own = world.sell(world.alice, "1", "101")
    order = world.buy(world.alice, "1", "99")
    world.does(modifying(order, "101", "1"))
    assert (seen(own)[0], own.end_reason) == ("expired_in_match", EndReason.SELF_TRADE)
    assert world.depth(BUY) == [("101", "1")]


# At a price of the book


def test_its_price_may_be_matched_with_the_book() -> None:
    world = pit(deep("100"))
    order = world.buy(world.alice, "1", "90")
    world.does(modifying(order, quantity="2", peg=peg(PegSide.PRIMARY, 4)))
    assert (order.price, order.quantity) == (D(95), D(2))
    thin = pit()
    order = thin.buy(thin.alice, "1", "90")
    assert thin.refuses(modifying(order, peg=peg(PegSide.MARKET))) == r.NoPegLevel()
    plain_ = pit(pegged_orders=False)
    order = plain_.buy(plain_.alice, "1", "90")
    refused = plain_.refuses(modifying(order, peg=peg(PegSide.PRIMARY)))
    assert refused == r.FeatureOff(feature=Feature.PEG)


# Margin


def test_it_needs_what_it_adds_to_what_it_needed() -> None:
    """At 20x: 10 for 2 at 100, and 10.1 for 2 at 101 with the open loss of 2; 5 for 1 at 100."""
    world = pit(funds="10")
    order = world.buy(world.alice, "2", "100")
    assert world.refuses(modifying(order, "101", "2")) == r.InsufficientMargin(
        asset="USDT", needed=D("2.1"), available=D(0)
    )
    assert world.refuses(modifying(order, "100", "2.1")) == r.InsufficientMargin(
        asset="USDT", needed=D("0.5"), available=D(0)
    )
    world.does(modifying(order, "50", "4"))
    world.does(modifying(order, "100", "1"))
    world.buy(world.alice, "1", "100")
    assert isinstance(
        world.refuses(world.placing(world.alice, limit(BUY, "0.001", "100"))), r.InsufficientMargin
    )


def test_what_may_only_reduce_stays_within_the_position() -> None:
    world = pit(deep("100"))
    world.place(world.alice, market(BUY, "2"))
    order = world.sell(world.alice, "1", "120", reduce_only=True)
    other = world.sell(world.alice, "0.5", "130", reduce_only=True)
    world.does(modifying(order, "121", "9"))
    # 2 are there, of which the other one takes 0.5.
    assert (order.quantity, other.quantity) == (D("1.5"), D("0.5"))
    assert world.refuses(modifying(order, "121", "9")) == r.AmendChangesNothing()
    strict = pit(deep("100"), margin=MarginRules(shrinks_reducing=False))
    strict.place(strict.alice, market(BUY, "2"))
    order = strict.sell(strict.alice, "1", "120", reduce_only=True)
    assert strict.refuses(modifying(order, "120", "2.1")) == r.NothingToReduce()
    strict.does(modifying(order, "120", "2"))


# What is remembered


def test_every_modification_is_recorded() -> None:
    world = pit()
    order = world.buy(world.alice, "2", "90")
    world.does(modifying(order, "91", "3", reference="first"))
    world.wait(SECOND)
    world.does(modifying(order, "91", "4"))
    asked = Query(account=world.alice, scope=world.symbol, part=order.id)
    records = world.engine.views.select(Amendment, asked)
    assert [
        (one.count, one.price_before, one.price_after, one.quantity_before, one.quantity_after)
        for one in records
    ] == [(1, D(90), D(91), D(2), D(3)), (2, D(91), D(91), D(3), D(4))]
    assert [one.reference for one in records] == ["first", ""]
    assert records[0].execution < records[1].execution
    assert records[1].time_us - records[0].time_us == SECOND


def test_it_is_the_same_after_a_restart() -> None:
    world = pit(deep("100"), amend_keeps_priority=True)
    orders = [world.buy(world.alice, "2", price) for price in ("90", "90", "91")]
    world.does(modifying(orders[0], "91", "3"))
    world.does(modifying(orders[1], quantity="1"))
    world.does(modifying(orders[2], "100", "3"))
    assert_same(world.engine, restored(world))
    assert world.replayed().fingerprint() == world.engine.fingerprint()
