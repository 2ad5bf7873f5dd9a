"""Pegged orders take their price from the book once, when they become active (pegged_orders.md)."""

from __future__ import annotations

import pytest

from emulator.core import rejections as r
from emulator.core.instruments import Side
from emulator.core.orders import EndReason, Order, PegSide
from tests.core.world import World, deep, instrument, limit, peg, plain, stop

BUY, SELL = Side.BUY, Side.SELL


def shown(order: Order) -> str | None:
    return None if order.price is None else plain(order.price)


@pytest.mark.parametrize(
    ("side", "of", "levels", "price"),
    [
        (BUY, PegSide.PRIMARY, 0, "99"),
        (BUY, PegSide.PRIMARY, 2, "97"),
        (BUY, PegSide.MARKET, 0, "100"),
        (BUY, PegSide.MARKET, 3, "103"),
        (SELL, PegSide.PRIMARY, 0, "100"),
        (SELL, PegSide.MARKET, 1, "98"),
    ],
)
def test_a_price_from_the_book(side: Side, of: PegSide, levels: int, price: str) -> None:
    world = World(deep())
    order = world.place(world.alice, limit(side, "1", None, peg=peg(of, levels)))
    assert shown(order) == price
    assert order.resting is (of is PegSide.PRIMARY)


def test_orders_of_accounts_are_levels_too() -> None:
    world = World(deep())
    world.buy(world.bob, "1", "99.5")
    order = world.place(world.alice, limit(BUY, "1", None, peg=peg(PegSide.PRIMARY)))
    assert shown(order) == "99.5"


def test_the_price_stays_when_the_book_moves_on() -> None:
    world = World(deep())
    order = world.place(world.alice, limit(BUY, "1", None, peg=peg(PegSide.PRIMARY)))
    world.buy(world.bob, "1", "99.5")
    assert shown(order) == "99"


@pytest.mark.parametrize("levels", [0, 5])
def test_a_book_without_that_level(levels: int) -> None:
    world = World(deep(depth=levels))
    said = world.refuses(world.placing(world.alice, limit(BUY, "1", None, peg=peg(PegSide.PRIMARY, levels))))
    assert said == r.NoPegLevel()


def test_both_the_pegged_and_the_given_price_must_pass() -> None:
    world = World(deep(), instrument(price_min="50"))
    terms = limit(BUY, "1", "10", peg=peg(PegSide.PRIMARY))
    said = world.refuses(world.placing(world.alice, terms))
    assert isinstance(said, r.LimitBroken)
    assert said.limit is r.Limit.PRICE_RANGE


def test_a_stop_limit_takes_its_price_when_it_fires() -> None:
    world = World(deep())
    order = world.place(world.alice, limit(SELL, "1", None, trigger=stop("95"), peg=peg(PegSide.PRIMARY)))
    assert shown(order) is None
    world.price("95")
    assert shown(order) == "95"
    assert order.resting


def test_a_stop_limit_without_a_level_to_take_ends() -> None:
    world = World(deep())
    order = world.place(world.alice, limit(SELL, "1", None, trigger=stop("95"), peg=peg(PegSide.PRIMARY, 3)))
    world.book([("90", "1")], [("95", "1"), ("96", "1")])
    world.prints("95", "1")
    assert (order.status.value, order.end_reason) == ("expired", EndReason.NO_PEG_LEVEL)
    assert not world.held(world.alice, "BTC")


def test_a_pegged_price_beyond_the_funds_ends_the_order() -> None:
    world = World(deep(), funds="101")
    order = world.place(world.alice, limit(BUY, "1", None, trigger=stop("101"), peg=peg(PegSide.PRIMARY)))
    world.book([("103", "1")], [("104", "1")])
    world.prints("104", "1")
    assert (order.status.value, order.end_reason) == ("expired", EndReason.INSUFFICIENT_BALANCE)
    assert world.free(world.alice, "USDT") == 101
