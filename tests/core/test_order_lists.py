"""Order lists: one cancels the other, one triggers the other, one pays the other."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from emulator.core import commands as c
from emulator.core import rejections as r
from emulator.core.fees import FeeRules
from emulator.core.instruments import SelfTradeMode, Side, TimeInForce
from emulator.core.order_lists import ListKind, ListStatus, OrderList
from emulator.core.orders import EndReason, Order, OrderTerms, PegSide
from tests.core.world import (
    SPOT,
    World,
    amending,
    deep,
    instrument,
    limit,
    market,
    peg,
    plain,
    profit,
    replaced,
    seen,
    stop,
)

BUY, SELL = Side.BUY, Side.SELL
OCO, OTO, OTOCO = ListKind.OCO, ListKind.OTO, ListKind.OTOCO


def above(price: str = "110", quantity: str | None = "1", **terms: Any) -> OrderTerms:
    return limit(SELL, quantity, price, post_only=True, **terms)


def below(price: str = "90", quantity: str | None = "1", **terms: Any) -> OrderTerms:
    return limit(SELL, quantity, terms.pop("at", price), trigger=stop(price), **terms)


def statuses(orders: list[Order]) -> list[str]:
    return [order.status.value for order in orders]


def balance(world: World, account: int) -> tuple[str, str]:
    """Free and held of what is bought and sold."""
    return plain(world.free(account, "BTC")), plain(world.held(account, "BTC"))


def is_over(order_list: OrderList) -> bool:
    return order_list.status is ListStatus.DONE


# One cancels the other


def test_oco_holds_once_for_both_legs() -> None:
    world = World(deep())
    order_list, legs = world.place_list(world.alice, OCO, above(), below())
    assert statuses(legs) == ["new", "dormant"]
    assert world.held(world.alice, "BTC") == 1
    assert order_list.held == 1
    assert not any(leg.held for leg in legs)


def test_oco_buy_holds_for_the_dearer_leg() -> None:
    world = World(deep())
    world.place_list(
        world.alice, OCO, limit(BUY, "2", "90", post_only=True), limit(BUY, "2", "115", trigger=stop("110"))
    )
    assert world.held(world.alice, "USDT") == 230


def test_oco_a_partial_fill_ends_the_other_leg_and_the_rest_stays() -> None:
    world = World()
    order_list, (limit_leg, stop_leg) = world.place_list(world.alice, OCO, above(), below())
    events = world.does(
        c.PlaceOrder(account=world.bob, wallet=SPOT, instrument=world.symbol, terms=limit(BUY, "0.4", "110"))
    )
    order_of_events = [type(event).__name__ for event in events]
    assert order_of_events.index("OrderExpired") < order_of_events.index("TradeExecuted")
    assert seen(limit_leg) == ("partially_filled", "0.4", "0")
    assert limit_leg.resting
    assert (seen(stop_leg)[0], stop_leg.end_reason) == ("expired", EndReason.LIST_SIBLING)
    assert world.held(world.alice, "BTC") == Decimal("0.6")
    assert not is_over(order_list)
    world.prints("110", "0.6")
    assert seen(limit_leg) == ("filled", "1", "0")
    assert is_over(order_list)
    assert not world.held(world.alice, "BTC")


def test_oco_by_the_market_itself() -> None:
    world = World(deep())
    order_list, legs = world.place_list(world.alice, OCO, above(), below())
    world.price("112")
    assert statuses(legs) == ["filled", "expired"]
    assert is_over(order_list)


def test_oco_a_partial_fill_by_the_market_ends_the_other_leg_too() -> None:
    for by_hand in (True, False):
        world = World(deep(quantity="0.2"))
        _, legs = world.place_list(world.alice, OCO, above(), below())
        if by_hand:
            world.prints("110", "0.2")
        else:
            world.book([("110", "0.2")], [("111", "1")])
        assert [seen(leg)[:2] for leg in legs] == [("partially_filled", "0.2"), ("expired", "0")]
        assert world.held(world.alice, "BTC") == Decimal("0.8")


def test_oco_of_two_limit_legs_that_one_move_passes() -> None:
    world = World(deep(quantity="9"))
    order_list, legs = world.place_list(world.alice, OCO, above("110"), above("112"))
    world.price("115")
    assert statuses(legs) == ["filled", "expired"]
    assert is_over(order_list)
    order_list, legs = world.place_list(world.alice, OCO, above("120"), above("122"))
    world.prints("125", "7")
    assert statuses(legs) == ["filled", "expired"]
    _, legs = world.place_list(world.alice, OCO, above("130"), above("132"))
    world.place(world.bob, market(BUY, "300"))
    assert statuses(legs) == ["filled", "expired"]


def test_oco_the_stop_leg_fires_and_ends_the_other() -> None:
    world = World(deep())
    order_list, legs = world.place_list(world.alice, OCO, above(), below(at="95"))
    events = world.price("90")
    assert statuses(legs) == ["expired", "new"]
    assert legs[0].end_reason is EndReason.LIST_SIBLING
    names = [type(event).__name__ for event in events]
    assert names.index("OrderExpired") < names.index("OrderTriggered")
    assert world.held(world.alice, "BTC") == 1
    assert not is_over(order_list)
    world.cancel(legs[1])
    assert is_over(order_list)
    assert not world.held(world.alice, "BTC")


def test_oco_the_stop_leg_at_market() -> None:
    world = World(deep())
    order_list, legs = world.place_list(world.alice, OCO, above(), market(SELL, "1", trigger=stop("90")))
    world.price("90")
    assert statuses(legs) == ["expired", "filled"]
    assert is_over(order_list)


def test_oco_with_a_trailing_leg() -> None:
    world = World(deep())
    _, legs = world.place_list(world.alice, OCO, above("150"), market(SELL, "1", trigger=stop(trailing=1000)))
    world.price("120")
    world.price("108")
    assert statuses(legs) == ["expired", "filled"]


def test_oco_of_take_profit_and_stop_loss() -> None:
    world = World(deep())
    _, legs = world.place_list(world.alice, OCO, market(SELL, "1", trigger=profit("110")), below())
    assert statuses(legs) == ["dormant", "dormant"]
    world.price("111")
    assert statuses(legs) == ["filled", "expired"]


@pytest.mark.parametrize("leg", [0, 1])
def test_cancel_of_a_leg_cancels_the_list(leg: int) -> None:
    world = World(deep())
    order_list, legs = world.place_list(world.alice, OCO, above(), below())
    world.cancel(legs[leg])
    assert statuses(legs) == ["canceled", "canceled"]
    assert is_over(order_list)
    assert not world.held(world.alice, "BTC")
    assert (
        world.refuses(
            c.CancelOrderList(account=world.alice, instrument=world.symbol, order_list=order_list.id)
        )
        == r.UnknownOrderList()
    )


@pytest.mark.parametrize("by_name", [True, False])
def test_cancel_of_a_list(by_name: bool) -> None:
    world = World(deep())
    order_list, legs = world.place_list(world.alice, OCO, above(), below(), client_id="mine")
    name: dict[str, Any] = {"client_id": "mine"} if by_name else {"order_list": order_list.id}
    stranger = c.CancelOrderList(account=world.bob, instrument=world.symbol, **name)
    assert world.refuses(stranger) == r.UnknownOrderList()
    world.does(c.CancelOrderList(account=world.alice, instrument=world.symbol, **name))
    assert statuses(legs) == ["canceled", "canceled"]


@pytest.mark.parametrize(
    ("upper", "lower"),
    [
        (above("99.5"), below()),
        (above("100"), below()),
        (above(), below("100.5")),
        (above(), below("100")),
        (market(SELL, "1", trigger=profit("99")), below()),
    ],
)
def test_oco_prices_lie_around_the_last_price(upper: OrderTerms, lower: OrderTerms) -> None:
    world = World(deep())
    assert world.refuses(world.placing_list(world.alice, OCO, upper, lower)) == r.ListPricesWrong()


def test_oco_whose_limit_leg_would_take() -> None:
    world = World()
    world.buy(world.bob, "1", "120")
    assert world.refuses(world.placing_list(world.alice, OCO, above("110"), below())) == r.WouldTake()


@pytest.mark.parametrize(
    "legs",
    [
        (above(), below(quantity="2")),
        (above(), limit(BUY, "1", "90", trigger=profit("90"))),
        (above(), market(SELL, "1")),
        (above(quantity=None), below(quantity=None)),
    ],
)
def test_pairs_that_mean_nothing(legs: tuple[OrderTerms, ...]) -> None:
    world = World(deep())
    assert isinstance(world.refuses(world.placing_list(world.alice, OCO, *legs)), r.OrderTermsInvalid)


def test_oco_needs_its_funds() -> None:
    world = World(deep(), funds="0.5")
    said = world.refuses(world.placing_list(world.alice, OCO, above(), below()))
    assert said == r.InsufficientBalance(asset="BTC", needed=Decimal(1), available=Decimal("0.5"))


def test_client_ids_of_lists_and_legs() -> None:
    world = World(deep())
    taken = world.placing_list(world.alice, OCO, above(client_id="a"), below(client_id="b"), client_id="list")
    twice = world.placing_list(world.alice, OCO, above(client_id="a"), below(client_id="a"))
    assert world.refuses(twice) == r.DuplicateClientId(client_id="a")
    world.does(taken)
    assert world.refuses(taken) == r.DuplicateClientId(client_id="list")
    assert world.refuses(
        world.placing_list(world.alice, OCO, above(client_id="x"), below(client_id="b"))
    ) == r.DuplicateClientId(client_id="b")
    world.does(replaced(taken, account=world.bob))


@pytest.mark.parametrize("mode", [SelfTradeMode.EXPIRE_MAKER, SelfTradeMode.DECREMENT])
def test_a_leg_that_meets_its_owner_is_no_longer_one_of_two(mode: SelfTradeMode) -> None:
    world = World()
    order_list, legs = world.place_list(world.alice, OCO, above(), below())
    world.buy(world.alice, "0.4", "110", stp=mode)
    assert legs[1].end_reason is EndReason.LIST_SIBLING
    if mode is SelfTradeMode.DECREMENT:
        assert seen(legs[0]) == ("new", "0", "0.4")
        assert world.held(world.alice, "BTC") == Decimal("0.6")
    else:
        assert seen(legs[0]) == ("expired_in_match", "0", "1")
        assert is_over(order_list)


def test_a_transfer_from_a_leg_between_accounts() -> None:
    world = World()
    one, other = world.open("one", group=1, BTC="1"), world.open("other", group=1)
    terms = {"stp": SelfTradeMode.TRANSFER}
    _, legs = world.place_list(one, OCO, above(**terms), below(**terms))
    world.buy(other, "0.4", "110", **terms)
    assert seen(legs[0]) == ("new", "0", "0.4")
    assert balance(world, one) == ("0", "0.6")
    assert world.free(one, "USDT") == 1_000_044
    assert world.free(other, "BTC") == Decimal("1000000.4")


# One triggers the other


def test_oto_waits_until_the_working_leg_is_filled() -> None:
    world = World()
    order_list, (working, pending) = world.place_list(
        world.alice, OTO, limit(BUY, "1", "90"), limit(SELL, "2", "120")
    )
    assert statuses([working, pending]) == ["new", "waiting"]
    assert world.held(world.alice, "USDT") == 90
    assert not world.held(world.alice, "BTC")
    world.sell(world.bob, "0.6", "90")
    assert statuses([working, pending]) == ["partially_filled", "waiting"]
    world.now += 5
    world.sell(world.bob, "0.4", "90")
    assert statuses([working, pending]) == ["filled", "new"]
    assert pending.working_us == world.now
    assert world.held(world.alice, "BTC") == 2
    assert not is_over(order_list)
    world.buy(world.bob, "2", "120")
    assert is_over(order_list)


def test_oto_whose_working_leg_trades_at_once() -> None:
    world = World(deep())
    _, orders = world.place_list(world.alice, OTO, limit(BUY, "1", "100"), limit(SELL, "1", "120"))
    assert statuses(orders) == ["filled", "new"]


@pytest.mark.parametrize("pending", [limit(SELL, "1", "90"), market(SELL, "1")])
def test_oto_whose_pending_leg_trades_at_once(pending: OrderTerms) -> None:
    world = World(deep())
    order_list, orders = world.place_list(world.alice, OTO, limit(BUY, "1", "100"), pending)
    assert statuses(orders) == ["filled", "filled"]
    assert is_over(order_list)


def test_oto_whose_working_leg_waits_for_a_price() -> None:
    world = World(deep())
    _, orders = world.place_list(
        world.alice, OTO, market(BUY, "1", trigger=stop("105")), limit(SELL, "1", "150")
    )
    assert statuses(orders) == ["dormant", "waiting"]
    world.price("105")
    assert statuses(orders) == ["filled", "new"]


@pytest.mark.parametrize("tif", [TimeInForce.IOC, TimeInForce.FOK])
def test_oto_whose_working_leg_ends_unfilled(tif: TimeInForce) -> None:
    world = World(deep(depth=1))
    order_list, orders = world.place_list(
        world.alice, OTO, limit(BUY, "2", "100", tif=tif), limit(SELL, "1", "120")
    )
    assert statuses(orders) == ["expired", "expired"]
    assert orders[1].end_reason is EndReason.LIST_WORKING_ENDED
    assert is_over(order_list)


@pytest.mark.parametrize("leg", [0, 1])
def test_cancel_of_either_leg_of_an_oto(leg: int) -> None:
    world = World()
    order_list, orders = world.place_list(world.alice, OTO, limit(BUY, "1", "90"), limit(SELL, "1", "120"))
    world.cancel(orders[leg])
    assert statuses(orders) == ["canceled", "canceled"]
    assert is_over(order_list)


def test_a_pending_leg_beyond_the_funds_ends() -> None:
    world = World(deep(), funds="150")
    _, orders = world.place_list(world.alice, OTO, limit(BUY, "1", "100"), limit(BUY, "1", "90"))
    assert statuses(orders) == ["filled", "expired"]
    assert orders[1].end_reason is EndReason.INSUFFICIENT_BALANCE


def test_a_pending_leg_is_pegged_when_its_turn_comes() -> None:
    world = World(deep(depth=3))
    working, pending = limit(BUY, "1", "90"), limit(SELL, "1", None, peg=peg(PegSide.PRIMARY, 1))
    _, orders = world.place_list(world.alice, OTO, working, pending)
    world.price("90")
    assert statuses(orders) == ["filled", "new"]
    assert str(orders[1].price) == "92"
    deeper = replaced(pending, peg=peg(PegSide.PRIMARY, 7))
    _, orders = world.place_list(world.alice, OTO, limit(BUY, "1", "92"), deeper)
    assert statuses(orders) == ["filled", "expired"]
    assert orders[1].end_reason is EndReason.NO_PEG_LEVEL


def test_otoco_places_the_pair_when_the_working_leg_is_filled() -> None:
    world = World(deep())
    order_list, orders = world.place_list(world.alice, OTOCO, limit(BUY, "1", "99.5"), above(), below())
    assert statuses(orders) == ["new", "waiting", "waiting"]
    world.sell(world.bob, "1", "99.5")
    assert statuses(orders) == ["filled", "new", "dormant"]
    assert world.held(world.alice, "BTC") == 1
    world.price("111")
    assert statuses(orders) == ["filled", "filled", "expired"]
    assert is_over(order_list)


def test_otoco_all_at_once() -> None:
    world = World(deep())
    order_list, orders = world.place_list(world.alice, OTOCO, limit(BUY, "1", "100"), above(), below())
    assert statuses(orders) == ["filled", "new", "dormant"]
    world.cancel(orders[2])
    assert statuses(orders) == ["filled", "canceled", "canceled"]
    assert is_over(order_list)


@pytest.mark.parametrize("leg", [0, 1, 2])
def test_cancel_of_any_leg_of_a_waiting_otoco(leg: int) -> None:
    world = World(deep())
    order_list, orders = world.place_list(world.alice, OTOCO, limit(BUY, "1", "90"), above(), below())
    world.cancel(orders[leg])
    assert statuses(orders) == ["canceled"] * 3
    assert is_over(order_list)
    assert not world.held(world.alice, "USDT")


def test_otoco_whose_limit_leg_trades_on_activation() -> None:
    """A pending limit leg that may take does so, and ends its sibling before that was ever placed."""
    world = World(deep())
    order_list, orders = world.place_list(
        world.alice, OTOCO, limit(BUY, "1", "100"), limit(SELL, "1", "98"), below()
    )
    assert statuses(orders) == ["filled", "filled", "expired"]
    assert is_over(order_list)


def test_otoco_whose_post_only_leg_cannot_be_placed_ends_as_a_pair() -> None:
    world = World(deep())
    order_list, orders = world.place_list(world.alice, OTOCO, limit(BUY, "3", "102"), above("101"), below())
    assert statuses(orders) == ["filled", "new", "dormant"]
    world.cancel(orders[1])
    world.price("100")
    order_list, orders = world.place_list(world.alice, OTOCO, limit(BUY, "1", "100"), above("98.5"), below())
    assert statuses(orders) == ["filled", "expired", "expired"]
    assert [order.end_reason for order in orders[1:]] == [EndReason.WOULD_TAKE, EndReason.LIST_SIBLING]
    assert is_over(order_list)
    assert not world.held(world.alice, "BTC")


def test_otoco_whose_stop_was_passed_fires_at_once() -> None:
    """The position exists by then, so its stop protects it instead of being refused."""
    world = World(deep())
    order_list, orders = world.place_list(
        world.alice, OTOCO, limit(BUY, "1", "100"), above(), market(SELL, "1", trigger=stop("101"))
    )
    assert statuses(orders) == ["filled", "expired", "filled"]
    assert orders[1].end_reason is EndReason.LIST_SIBLING
    assert is_over(order_list)


def test_otoco_whose_stop_was_passed_ends_its_sibling_even_if_it_rests() -> None:
    world = World(deep())
    _, orders = world.place_list(
        world.alice, OTOCO, limit(BUY, "1", "100"), above(), limit(SELL, "1", "150", trigger=stop("101"))
    )
    assert statuses(orders) == ["filled", "expired", "new"]
    assert world.held(world.alice, "BTC") == 1


def test_otoco_whose_limit_leg_trades_in_part_on_activation() -> None:
    world = World(deep())
    _, orders = world.place_list(
        world.alice, OTOCO, limit(BUY, "2", "101"), limit(SELL, "2", "99"), below(quantity="2")
    )
    assert statuses(orders) == ["filled", "partially_filled", "expired"]
    assert world.held(world.alice, "BTC") == 1


def test_otoco_prices_of_the_pair_are_in_order() -> None:
    world = World(deep())
    said = world.refuses(
        world.placing_list(world.alice, OTOCO, limit(BUY, "1", "90"), above("80"), below("85"))
    )
    assert said == r.ListPricesWrong()


# One pays the other (opo.md)


FEES = {"maker_fee": "0.001", "taker_fee": "0.001"}


def test_opo_locks_what_the_working_leg_receives() -> None:
    world = World()
    order_list, (working, pending) = world.place_list(
        world.alice, OTO, limit(BUY, "1", "90"), limit(SELL, None, "120"), funded=True
    )
    assert not pending.quantity
    world.sell(world.bob, "0.4", "90")
    assert balance(world, world.alice) == ("1000000", "0.4")
    assert world.refuses(amending(pending, "0.2")) == r.AmendPendingFunded()
    world.sell(world.bob, "0.6", "90")
    assert statuses([working, pending]) == ["filled", "new"]
    assert pending.quantity == 1
    assert world.held(world.alice, "BTC") == 1
    world.buy(world.bob, "1", "120")
    assert is_over(order_list)


def test_opo_canceled_before_unlocks() -> None:
    world = World()
    order_list, (working, pending) = world.place_list(
        world.alice, OTO, limit(BUY, "1", "90"), limit(SELL, None, "120"), funded=True
    )
    world.sell(world.bob, "0.4", "90")
    world.cancel(working)
    assert statuses([working, pending]) == ["canceled", "canceled"]
    assert balance(world, world.alice) == ("1000000.4", "0")
    assert is_over(order_list)


@pytest.mark.parametrize(
    ("spare", "quantity", "free"),
    [
        ("1", "1", "0.999"),  # the fee is taken from other free funds when there are enough
        ("0.001", "1", "0"),
        ("0", "0.999", "0"),  # else from what was received
        ("0.0009", "0.999", "0.0009"),
    ],
)
def test_opo_takes_the_fee_from_free_funds_if_it_can(spare: str, quantity: str, free: str) -> None:
    world = World(None, instrument(**FEES))
    world.sell(world.bob, "1", "90")
    carol = world.open("carol", BTC=spare)
    _, (_, pending) = world.place_list(
        carol, OTO, limit(BUY, "1", "90"), limit(SELL, None, "120"), funded=True
    )
    assert pending.quantity == Decimal(quantity)
    assert world.free(carol, "BTC") == Decimal(free)


def test_opo_takes_the_fee_from_proceeds_in_the_discount_asset() -> None:
    """Whatever else is free: what was received is in the asset that fees are paid with anyway."""
    world = World(None, instrument(base="BNB", **FEES), fees=FeeRules(discount_asset="BNB"))
    world.sell(world.bob, "1", "90")
    _, (_, pending) = world.place_list(
        world.alice, OTO, limit(BUY, "1", "90"), limit(SELL, None, "120"), funded=True
    )
    assert pending.quantity == Decimal("0.999")
    assert world.free(world.alice, "BNB") == 1_000_000


def test_opo_returns_what_is_finer_than_a_step() -> None:
    world = World(None, instrument(**FEES, quantity_step="0.01", quantity_min="0.01"))
    world.sell(world.bob, "1", "90")
    carol = world.open("carol", BTC="0")
    _, (_, pending) = world.place_list(
        carol, OTO, limit(BUY, "1", "90"), limit(SELL, None, "120"), funded=True
    )
    assert pending.quantity == Decimal("0.99")
    assert balance(world, carol) == ("0.009", "0.99")


def test_opo_below_the_limits_is_refused_when_its_turn_comes() -> None:
    world = World(None, instrument(notional_min="100"))
    world.sell(world.bob, "2", "90")
    order_list, orders = world.place_list(
        world.alice, OTO, limit(BUY, "2", "90"), limit(SELL, None, "40"), funded=True
    )
    assert statuses(orders) == ["filled", "expired"]
    assert orders[1].end_reason is EndReason.REFUSED_AT_ACTIVATION
    assert is_over(order_list)
    assert balance(world, world.alice) == ("1000002", "0")


def test_opo_is_cut_to_the_largest_quantity() -> None:
    world = World(None, instrument(market_quantity_step="0.5", market_quantity_max="1.5"))
    world.buy(world.bob, "5", "80")
    world.sell(world.bob, "2.3", "90")
    _, orders = world.place_list(world.alice, OTO, limit(BUY, "2.3", "90"), market(SELL, None), funded=True)
    assert orders[1].executed == Decimal("1.5")
    assert world.free(world.alice, "BTC") == Decimal("1000000.8")


def test_opoco_pays_for_one_of_two() -> None:
    world = World(deep())
    order_list, orders = world.place_list(
        world.alice, OTOCO, limit(BUY, "1", "100"), above(quantity=None), below(quantity=None), funded=True
    )
    assert statuses(orders) == ["filled", "new", "dormant"]
    assert orders[1].quantity == orders[2].quantity == 1
    assert world.held(world.alice, "BTC") == 1
    world.price("111")
    assert statuses(orders) == ["filled", "filled", "expired"]
    assert is_over(order_list)
    assert not world.held(world.alice, "BTC")


@pytest.mark.parametrize(
    "legs",
    [
        (limit(SELL, "1", "110"), limit(SELL, None, "120")),
        (limit(BUY, "1", "90"), limit(BUY, None, "80")),
        (limit(BUY, "1", "90"), limit(SELL, "1", "120")),
        (limit(BUY, None, "90"), limit(SELL, None, "120")),
    ],
)
def test_funded_lists_buy_then_sell_what_was_bought(legs: tuple[OrderTerms, ...]) -> None:
    world = World(deep())
    said = world.refuses(world.placing_list(world.alice, OTO, *legs, funded=True))
    assert isinstance(said, r.OrderTermsInvalid)


# Changing lists


def test_amending_a_leg_of_a_pair_changes_both() -> None:
    world = World(deep())
    order_list, legs = world.place_list(world.alice, OCO, above(client_id="a"), below(client_id="b"))
    world.does(amending(legs[1], "0.4", new_client_id="c"))
    assert [leg.quantity for leg in legs] == [Decimal("0.4")] * 2
    assert [leg.client_id for leg in legs] == ["a", "c"]
    assert world.held(world.alice, "BTC") == Decimal("0.4")
    assert [one.execution for leg in legs for one in world.engine.views.amendments[leg.id]] == [4, 3]
    assert not is_over(order_list)


def test_legs_of_an_oto_are_amended_one_by_one() -> None:
    world = World()
    _, (working, pending) = world.place_list(world.alice, OTO, limit(BUY, "1", "90"), limit(SELL, "1", "120"))
    world.does(amending(pending, "0.4"))
    assert (working.quantity, pending.quantity) == (Decimal(1), Decimal("0.4"))
    world.does(amending(working, "0.5"))
    world.sell(world.bob, "1", "90")
    assert statuses([working, pending]) == ["filled", "new"]
    assert world.held(world.alice, "BTC") == Decimal("0.4")


def test_lists_can_be_switched_off() -> None:
    world = World(deep(), instrument(order_lists=False))
    said = world.refuses(world.placing_list(world.alice, OCO, above(), below()))
    assert said == r.FeatureOff(feature=r.Feature.ORDER_LIST)
