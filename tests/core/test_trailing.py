"""Trailing orders: the scenarios of the exchange's own document, trailing-stop-faq.md."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal
from itertools import pairwise

import pytest

from emulator.core import rejections as r
from emulator.core.commands import PriceMode
from emulator.core.instruments import Side
from emulator.core.orders import Order, OrderTerms
from tests.core.scripted import Moment
from tests.core.world import (
    SECOND,
    START,
    Make,
    World,
    deep,
    instrument,
    limit,
    market,
    moving,
    profit,
    still,
    stop,
)

BUY, SELL = Side.BUY, Side.SELL

Waypoints = list[tuple[int, str]]
"""Seconds after 12:01:00, and the price that a series of linear trades has reached by then."""

SCENARIOS: dict[str, tuple[OrderTerms, Waypoints, int | None]] = {
    # terms, way, the second at which tracking starts (None: at once); the end of the way fires
    "A": (
        limit(BUY, "1", "45000", trigger=stop("44000", trailing=500)),
        [(0, "40000"), (60, "37000"), (120, "45000"), (180, "46000"), (240, "42000"), (270, "44100")],
        113,
    ),
    "B": (
        limit(SELL, "1", "38000", trigger=stop("39000", trailing=1000)),
        [(0, "40000"), (60, "41500"), (120, "39000"), (180, "37000"), (240, "41000"), (270, "36900")],
        120,
    ),
    "C": (
        limit(BUY, "1", "38500", trigger=profit("38000", trailing=850)),
        [(0, "40000"), (60, "42000"), (120, "37000"), (180, "39000"), (240, "38000"), (270, "40145")],
        108,
    ),
    "D": (
        limit(SELL, "1", "41000", trigger=profit("42000", trailing=750)),
        [(0, "40000"), (60, "41500"), (120, "39000"), (180, "45000"), (240, "44000"), (300, "46500"),
         (350, "43012.5")],
        150,
    ),
    "E": (
        limit(SELL, "1", "39000", trigger=stop(trailing=700)),
        [(0, "40000"), (60, "42000"), (120, "39500"), (180, "45500"), (225, "42315")],
        None,
    ),
}  # fmt: skip


def trades(way: Waypoints) -> list[Moment]:
    """One trade a second on the straight lines between the waypoints."""
    moments: list[Moment] = [way[0]]
    for (start, low), (end, high) in pairwise(way):
        for second in range(start + 1, end + 1):
            price = Decimal(low) + (Decimal(high) - Decimal(low)) * (second - start) / (end - start)
            moments.append((second, str(price.quantize(Decimal("0.01"), ROUND_HALF_EVEN))))
    return moments


@pytest.mark.parametrize("name", SCENARIOS)
def test_scenario_on_the_market(name: str) -> None:
    terms, way, starts = SCENARIOS[name]
    world = World(moving(*trades(way)))
    order = world.place(world.alice, terms)
    if starts is not None:
        world.until(starts - 1)
        assert not tracks(order)
        world.until(starts)
        assert tracks(order)
        assert order.extreme_us == START + starts * SECOND
    world.until(way[-1][0] - 1)
    assert (order.status.value, tracks(order)) == ("dormant", True)
    world.until(way[-1][0])
    assert_works(order)


@pytest.mark.parametrize("name", SCENARIOS)
def test_scenario_in_one_jump(name: str) -> None:
    terms, way, _ = SCENARIOS[name]
    world = World(moving(*trades(way)))
    order = world.place(world.alice, terms)
    happened = world.until(way[-1][0] + 1000)
    assert happened[-1][0] == START + way[-1][0] * SECOND == order.working_us
    assert_works(order)


@pytest.mark.parametrize("name", SCENARIOS)
def test_scenario_printed_by_hand_at_one_moment(name: str) -> None:
    """With a clock that stands still every trade has the same time; the order of trades counts."""
    terms, way, starts = SCENARIOS[name]
    world = World(still(way[0][1]), checked=False)
    order = world.place(world.alice, terms)
    moments = trades(way)
    for second, price in ((moment[0], moment[1]) for moment in moments[1:]):
        assert order.status.value == "dormant"
        world.prints(price, "0.1")
        assert tracks(order) is (starts is None or second >= starts) or second == way[-1][0]
    assert_works(order)


@pytest.mark.parametrize("mode", PriceMode)
@pytest.mark.parametrize("name", SCENARIOS)
def test_scenario_with_prices_set_by_hand(name: str, mode: PriceMode) -> None:
    terms, way, _ = SCENARIOS[name]
    world = World(still(way[0][1]))
    order = world.place(world.alice, terms)
    for _, price in way[1:]:
        assert order.status.value == "dormant"
        world.price(price, mode)
    assert_works(order)


@pytest.mark.parametrize("name", SCENARIOS)
def test_scenario_on_a_market_that_was_shifted(name: str) -> None:
    """The distance is relative to prices as they are shown, not to the feed's own."""
    terms, way, _ = SCENARIOS[name]
    feed = moving(*((moment[0], str(Decimal(moment[1]) + 7000)) for moment in trades(way)))
    world = World(feed)
    world.price(way[0][1], PriceMode.SHIFT)
    order = world.place(world.alice, terms)
    feed.calls.clear()
    happened = world.until(way[-1][0] + 1000)
    assert happened[-1][0] == START + way[-1][0] * SECOND
    assert_works(order)


def tracks(order: Order) -> bool:
    return order.asleep and order.trailing


def assert_works(order: Order) -> None:
    assert order.status.value == "new"
    assert order.resting
    assert not tracks(order)


def test_stop_price_met_already_starts_at_once() -> None:
    world = World(still("100"))
    order = world.place(world.alice, limit(SELL, "1", "80", trigger=stop("110", trailing=1000)))
    assert order.trailing
    world.price("90")
    assert order.status.value == "new"


def test_at_market() -> None:
    world = World(deep())
    order = world.place(world.alice, market(SELL, "1", trigger=profit(trailing=1000)))
    world.price("120")
    world.price("109")
    assert order.status.value == "dormant"
    world.price("108")
    assert order.status.value == "filled"


def test_a_buy_at_market_holds_by_the_price_at_entry() -> None:
    world = World(deep())
    order = world.place(world.alice, market(BUY, "1", trigger=stop(trailing=1000)))
    assert world.held(world.alice, "USDT") == 100
    world.price("80")
    assert world.held(world.alice, "USDT") == 100
    world.price("88")
    assert order.status.value == "filled"
    assert not world.held(world.alice, "USDT")


def test_a_trade_by_an_account_is_an_extreme_too() -> None:
    world = World(still("100"))
    order = world.place(world.alice, limit(SELL, "1", "50", trigger=stop(trailing=1000)))
    world.sell(world.bob, "1", "130")
    world.buy(world.bob, "1", "130")
    assert order.status.value == "dormant"
    world.sell(world.bob, "1", "117")
    world.buy(world.bob, "1", "117")
    assert order.status.value == "new"


@pytest.mark.parametrize(
    ("side", "kind", "least", "most"),
    [(BUY, stop, 20, 1000), (SELL, profit, 20, 1000), (SELL, stop, 30, 900), (BUY, profit, 30, 900)],
)
def test_limits_of_the_distance(side: Side, kind: Make, least: int, most: int) -> None:
    listed = instrument(
        trailing_above_min=20, trailing_above_max=1000, trailing_below_min=30, trailing_below_max=900
    )
    world = World(deep(), listed)
    for distance in (least - 1, most + 1):
        said = world.refuses(world.placing(world.alice, market(side, "1", trigger=kind(trailing=distance))))
        assert said == r.LimitBroken(limit=r.Limit.TRAILING_DISTANCE)
    for distance in (least, most):
        world.place(world.alice, market(side, "1", trigger=kind(trailing=distance)))
