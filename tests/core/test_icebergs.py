"""Icebergs show a part at a time; each new part queues behind what came meanwhile."""

from __future__ import annotations

import pytest

from emulator.core import events as e
from emulator.core import rejections as r
from emulator.core.instruments import Side, TimeInForce
from tests.core.world import World, instrument, limit, market, seen

BUY, SELL = Side.BUY, Side.SELL


def makers(world: World) -> list[tuple[int, str]]:
    return [
        (one.maker, str(one.quantity.normalize()))
        for _, events in world.history
        for one in events
        if isinstance(one, e.TradeExecuted)
    ]


def test_only_a_part_is_shown() -> None:
    world = World()
    world.sell(world.bob, "5", "101", iceberg="2")
    assert world.depth(SELL) == [("101", "2")]
    world.place(world.alice, market(BUY, "1.5"))
    assert world.depth(SELL) == [("101", "0.5")]
    world.place(world.alice, market(BUY, "0.5"))
    assert world.depth(SELL) == [("101", "2")]
    world.place(world.alice, market(BUY, "2"))
    assert world.depth(SELL) == [("101", "1")]


def test_a_new_part_goes_to_the_end_of_the_queue() -> None:
    world = World()
    iceberg = world.sell(world.bob, "5", "101", iceberg="2")
    plain = world.sell(world.bob, "1", "101")
    world.place(world.alice, market(BUY, "2"))
    world.place(world.alice, market(BUY, "2"))
    assert makers(world) == [(iceberg.id, "2"), (plain.id, "1"), (iceberg.id, "1")]
    assert world.depth(SELL) == [("101", "1")]


def test_a_part_that_is_not_used_up_keeps_its_place() -> None:
    world = World()
    iceberg = world.sell(world.bob, "5", "101", iceberg="2")
    plain = world.sell(world.bob, "1", "101")
    world.place(world.alice, market(BUY, "1.5"))
    world.place(world.alice, market(BUY, "1"))
    assert makers(world) == [(iceberg.id, "1.5"), (iceberg.id, "0.5"), (plain.id, "0.5")]


def test_one_taker_walks_through_all_parts_in_turn() -> None:
    world = World()
    one = world.sell(world.bob, "3", "101", iceberg="1")
    two = world.sell(world.bob, "2", "101", iceberg="1")
    taker = world.place(world.alice, market(BUY, "4.5"))
    assert makers(world) == [
        (one.id, "1"), (two.id, "1"), (one.id, "1"), (two.id, "1"), (one.id, "0.5"),
    ]  # fmt: skip
    assert seen(taker)[:2] == ("filled", "4.5")
    assert world.depth(SELL) == [("101", "0.5")]


def test_an_iceberg_that_takes_shows_a_part_of_the_rest() -> None:
    world = World()
    world.sell(world.bob, "1", "100")
    world.buy(world.alice, "5", "100", iceberg="3")
    assert world.depth(BUY) == [("100", "3")]


@pytest.mark.parametrize(
    ("iceberg", "refused"),
    [
        ("6", r.IcebergTooLarge()),
        ("0.0005", r.LimitBroken(limit=r.Limit.QUANTITY_RANGE, value=None)),
        ("0.99", r.LimitBroken(limit=r.Limit.ICEBERG_PARTS)),
    ],
)
def test_limits_of_the_part(iceberg: str, refused: r.Rejection) -> None:
    world = World(None, instrument(iceberg_parts_max=5))
    said = world.refuses(world.placing(world.alice, limit(SELL, "5", "101", iceberg=iceberg)))
    if isinstance(said, r.LimitBroken) and isinstance(refused, r.LimitBroken):
        assert said.limit is refused.limit
    else:
        assert said == refused
    assert world.sell(world.alice, "5", "101", iceberg="1").resting


def test_an_iceberg_that_ends_at_once_means_nothing() -> None:
    world = World()
    said = world.refuses(
        world.placing(world.alice, limit(SELL, "5", "101", iceberg="1", tif=TimeInForce.IOC))
    )
    assert isinstance(said, r.OrderTermsInvalid)
