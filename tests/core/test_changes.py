"""Cancel, cancel-and-replace in both modes, and amending that keeps priority."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from emulator.core import commands as c
from emulator.core import events as e
from emulator.core import rejections as r
from emulator.core.instruments import Side
from emulator.core.orders import EndReason, Order
from tests.core.world import (
    World,
    amending,
    canceling,
    deep,
    instrument,
    limit,
    market,
    seen,
    still,
    stop,
)

BUY, SELL = Side.BUY, Side.SELL


def test_cancel_names_itself() -> None:
    world = World()
    order = world.buy(world.alice, "1", "50", client_id="mine")
    (event,) = world.cancel(order, cancel_client_id="bye")
    assert event == e.OrderCanceled(order=order.id, cancel_client_id="bye")
    assert seen(order)[0] == "canceled"
    assert not world.held(world.alice, "USDT")
    assert world.depth(BUY) == []


def test_cancel_by_client_id_and_by_both() -> None:
    world = World()
    first = world.buy(world.alice, "1", "50", client_id="a")
    second = world.buy(world.alice, "1", "50", client_id="b")
    both = c.CancelOrder(account=world.alice, instrument=world.symbol, order=first.id, client_id="b")
    assert world.refuses(both) == r.OrderIdsDisagree()
    world.does(c.CancelOrder(account=world.alice, instrument=world.symbol, client_id="b"))
    assert seen(second)[0] == "canceled"
    world.does(c.CancelOrder(account=world.alice, instrument=world.symbol, order=first.id, client_id="a"))
    assert seen(first)[0] == "canceled"


def test_what_cannot_be_canceled() -> None:
    world = World(deep())
    order = world.buy(world.alice, "1", "50", client_id="a")
    filled = world.buy(world.alice, "1", "100", client_id="done")
    for wrong in (
        c.CancelOrder(account=world.alice, instrument=world.symbol),
        c.CancelOrder(account=world.alice, instrument=world.symbol, order=99),
        c.CancelOrder(account=world.alice, instrument=world.symbol, client_id="nobody"),
        c.CancelOrder(account=world.alice, instrument="ETHUSDT", order=order.id),
        c.CancelOrder(account=world.bob, instrument=world.symbol, order=order.id),
        c.CancelOrder(account=world.bob, instrument=world.symbol, client_id="a"),
        canceling(filled),
        c.CancelOrder(account=world.alice, instrument=world.symbol, client_id="done"),
    ):
        assert world.refuses(wrong) == r.UnknownOrder()
    world.cancel(order)
    assert world.refuses(canceling(order)) == r.UnknownOrder()


@pytest.mark.parametrize("restriction", c.CancelRestriction)
@pytest.mark.parametrize("is_partial", [False, True])
def test_cancel_restricted_to_a_state(restriction: c.CancelRestriction, is_partial: bool) -> None:
    world = World()
    order = world.buy(world.alice, "1", "50")
    if is_partial:
        world.sell(world.bob, "0.5", "50")
    fits = is_partial is (restriction is c.CancelRestriction.ONLY_PARTIALLY_FILLED)
    if fits:
        world.cancel(order, restriction=restriction)
    else:
        assert world.refuses(canceling(order, restriction=restriction)) == r.CancelRestricted()


def test_cancel_all_of_one_instrument() -> None:
    world = World(still(), instrument(), instrument(symbol="ETHUSDT", base="ETH"))
    mine = [
        world.buy(world.alice, "1", "50"),
        world.place(world.alice, market(SELL, "1", trigger=stop("90"))),
    ]
    others = world.buy(world.bob, "1", "50")
    world.symbol = "ETHUSDT"
    elsewhere = world.buy(world.alice, "1", "50")
    events = world.does(c.CancelAllOrders(account=world.alice, instrument="BTCUSDT"))
    assert [one.order for one in events if isinstance(one, e.OrderCanceled)] == [one.id for one in mine]
    assert others.resting
    assert elsewhere.resting
    again = c.CancelAllOrders(account=world.alice, instrument="BTCUSDT")
    assert world.refuses(again) == r.UnknownOrder()
    assert world.refuses(c.CancelAllOrders(account=world.alice, instrument="X")) == r.UnknownInstrument(
        instrument="X"
    )


def test_a_client_id_is_free_again_once_its_order_ended() -> None:
    world = World()
    order = world.buy(world.alice, "1", "50", client_id="a")
    again = world.placing(world.alice, limit(BUY, "1", "50", client_id="a"))
    assert world.refuses(again) == r.DuplicateClientId(client_id="a")
    world.buy(world.bob, "1", "50", client_id="a")
    world.cancel(order)
    world.does(again)
    newest = world.engine.views.order(world.alice, world.symbol, None, "a")
    assert newest is not None
    assert newest.id == 3


# Cancel and replace


def replacing(order: Order, price: str = "60", quantity: str = "1", **terms: Any) -> c.ReplaceOrder:
    return c.ReplaceOrder(
        cancel=canceling(order),
        place=c.PlaceOrder(
            account=order.account,
            wallet="spot",
            instrument=order.instrument,
            terms=limit(BUY, quantity, price, client_id=order.client_id),
        ),
        **({"stop_on_failure": True} | terms),
    )


def test_replace() -> None:
    world = World(funds="60")
    order = world.buy(world.alice, "1", "50", client_id="same")
    other = world.buy(world.bob, "1", "60")
    events = world.does(replacing(order))
    assert [type(event).__name__ for event in events] == ["OrderCanceled", "OrderPlaced", "OrderRested"]
    assert world.held(world.alice, "USDT") == 60
    world.sell(world.bob, "0.5", "60")
    assert other.executed == Decimal("0.5"), "priority was lost"


def test_replace_checks_limits_before_it_cancels() -> None:
    world = World(None, instrument(quantity_max="5"))
    order = world.buy(world.alice, "1", "50")
    said = world.refuses(replacing(order, quantity="6"))
    assert said == r.LimitBroken(limit=r.Limit.QUANTITY_RANGE, value=Decimal(6))
    assert order.resting


@pytest.mark.parametrize("stop_on_failure", [True, False])
def test_replace_whose_placement_fails(stop_on_failure: bool) -> None:
    world = World(funds="60")
    order = world.buy(world.alice, "1", "50")
    done = world.do(replacing(order, price="61", stop_on_failure=stop_on_failure))
    assert isinstance(done.rejection, r.ReplaceFailed)
    assert done.rejection.cancel is None
    assert isinstance(done.rejection.place, r.InsufficientBalance)
    assert seen(order)[0] == "canceled"


def test_replace_whose_cancel_fails_and_stops() -> None:
    world = World()
    order = world.buy(world.alice, "1", "50")
    world.cancel(order)
    said = world.refuses(replacing(order))
    assert said == r.ReplaceFailed(cancel=r.UnknownOrder(), place=None, place_attempted=False)


def test_replace_whose_cancel_fails_and_goes_on() -> None:
    world = World()
    order = world.buy(world.alice, "1", "50")
    world.cancel(order)
    done = world.do(replacing(order, stop_on_failure=False))
    assert done.rejection == r.ReplaceFailed(cancel=r.UnknownOrder(), place=None, place_attempted=True)
    assert world.depth(BUY) == [("60", "1")]


def test_replace_of_which_both_halves_fail() -> None:
    world = World(funds="10")
    gone = world.buy(world.alice, "1", "5")
    world.cancel(gone)
    said = world.refuses(replacing(gone, stop_on_failure=False))
    assert isinstance(said, r.ReplaceFailed)
    assert said.cancel == r.UnknownOrder()
    assert isinstance(said.place, r.InsufficientBalance)


@pytest.mark.parametrize("exists", [True, False])
@pytest.mark.parametrize("stop_on_failure", [True, False])
def test_replace_where_a_quota_forbids_the_placement(exists: bool, stop_on_failure: bool) -> None:
    world = World()
    order = world.buy(world.alice, "1", "50")
    if not exists:
        world.cancel(order)
    done = world.do(replacing(order, stop_on_failure=stop_on_failure, place_allowed=False))
    assert done.rejection == r.ReplaceFailed(
        cancel=None if exists else r.UnknownOrder(), place=None, place_attempted=False
    )
    assert seen(order)[0] == "canceled"
    assert world.depth(BUY) == []


def test_replace_can_be_switched_off() -> None:
    world = World(None, instrument(cancel_replace=False))
    order = world.buy(world.alice, "1", "50")
    assert world.refuses(replacing(order)) == r.FeatureOff(feature=r.Feature.REPLACE)


# Amend: the example of order_amend_keep_priority.md


def queue(world: World, prices: tuple[str, ...] = ("870", "869")) -> list[tuple[int, str]]:
    bids = world.engine.state.markets[world.symbol].bids.queues
    return [
        (order.id, str(order.remaining))
        for price in prices
        for order in bids.get(Decimal(price), {}).values()
    ]


def document_book(**listed: Any) -> tuple[World, Order]:
    world = World(still("900"), instrument(**listed))
    user_b = world.open("user b")
    world.buy(world.alice, "1", "870")
    mine = world.buy(world.bob, "5.5", "870")
    world.buy(user_b, "4", "870")
    world.buy(world.alice, "2", "869")
    assert queue(world) == [(1, "1"), (2, "5.5"), (3, "4"), (4, "2")]
    return world, mine


def test_cancel_and_replace_loses_priority() -> None:
    world, mine = document_book()
    world.does(replacing(mine, price="870", quantity="5"))
    assert queue(world) == [(1, "1"), (3, "4"), (5, "5"), (4, "2")]


def test_amending_keeps_priority() -> None:
    world, mine = document_book()
    (event,) = world.does(amending(mine, "5", new_client_id="new"))
    assert event == e.OrderAmended(order=2, execution=5, quantity=Decimal(5), client_id="new")
    assert queue(world) == [(1, "1"), (2, "5"), (3, "4"), (4, "2")]
    assert world.held(world.bob, "USDT") == 4350
    assert mine.amend_count == 1


def test_amending_may_cost_priority_elsewhere() -> None:
    world, mine = document_book(amend_keeps_priority=False)
    world.does(amending(mine, "5"))
    assert queue(world) == [(1, "1"), (3, "4"), (2, "5"), (4, "2")]


@pytest.mark.parametrize(("quantity", "visible"), [("4", "2"), ("2", "2"), ("1.5", "1.5")])
def test_an_iceberg_gives_up_what_is_hidden_first(quantity: str, visible: str) -> None:
    world = World()
    order = world.sell(world.alice, "5", "110", iceberg="2")
    world.does(amending(order, quantity))
    assert world.depth(SELL) == [("110", visible)]


def test_what_cannot_be_amended() -> None:
    world = World(None, instrument(quantity_min="0.1", notional_min="20", amends_max=2))
    order = world.buy(world.alice, "1", "50", client_id="a")
    world.buy(world.alice, "1", "50", client_id="b")
    assert world.refuses(amending(order, "1.5")) == r.AmendIncreases()
    assert world.refuses(amending(order, "1")) == r.AmendChangesNothing()
    for quantity, limit_broken in (
        ("0.01", r.Limit.QUANTITY_RANGE), ("0.5001", r.Limit.QUANTITY_STEP), ("0.3", r.Limit.NOTIONAL),
    ):  # fmt: skip
        said = world.refuses(amending(order, quantity))
        assert isinstance(said, r.LimitBroken)
        assert said.limit is limit_broken
    assert world.refuses(amending(order, "0.9", new_client_id="b")) == r.DuplicateClientId(client_id="b")
    world.does(amending(order, "0.9", new_client_id="a"))
    world.does(amending(order, "0.8", new_client_id="c"))
    assert world.refuses(amending(order, "0.7")) == r.LimitBroken(limit=r.Limit.AMENDS)
    world.cancel(order)
    assert world.refuses(amending(order, "0.6")) == r.UnknownOrder()


def test_amending_can_be_switched_off() -> None:
    world = World(None, instrument(amends=False))
    order = world.buy(world.alice, "1", "50")
    assert world.refuses(amending(order, "0.5")) == r.FeatureOff(feature=r.Feature.AMEND)


def test_amending_down_to_what_was_executed_ends_the_order() -> None:
    world = World()
    order = world.buy(world.alice, "1", "50")
    world.sell(world.bob, "0.5", "50")
    world.does(amending(order, "0.5"))
    assert (seen(order)[:2], order.end_reason) == (("expired", "0.5"), EndReason.NONE)
    assert not world.held(world.alice, "USDT")


def test_the_history_of_an_amended_order() -> None:
    world = World()
    order = world.buy(world.alice, "1", "50", client_id="a")
    world.does(amending(order, "0.9", new_client_id="b"))
    world.does(amending(order, "0.8"))
    listed = world.engine.views.amendments[order.id]
    assert [
        (
            one.execution,
            one.client_id_before,
            one.client_id_after,
            str(one.quantity_before),
            str(one.quantity_after),
        )
        for one in listed
    ] == [(2, "a", "b", "1", "0.9"), (3, "b", "b", "0.9", "0.8")]
    world.buy(world.alice, "1", "50", client_id="a")
