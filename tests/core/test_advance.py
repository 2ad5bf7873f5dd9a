"""What the market makes due: found at its own time, once, without stepping through all trades."""

from __future__ import annotations

import random
import time
from decimal import Decimal
from typing import Any

import pytest

from emulator.core import events as e
from emulator.core.instruments import Side
from emulator.feeds.synthetic import SyntheticFeed
from tests.core.scripted import Moment
from tests.core.world import SECOND, START, World, limit, market, moving, plain, seen, still, stop

BUY, SELL = Side.BUY, Side.SELL
DAY = 86_400 * SECOND


def times(happened: list[tuple[int, tuple[e.Event, ...]]]) -> list[float]:
    return [(time_us - START) / SECOND for time_us, _ in happened]


def test_a_fill_happens_when_the_quote_gets_there() -> None:
    world = World(moving((-60, "100"), (10, "99"), (20, "95"), (30, "94"), (40, "100"), depth=5))
    order = world.buy(world.alice, "1", "95")
    assert world.until(19.999999) == []
    assert times(world.until(3600)) == [20]
    assert world.fills(order) == [("95", "1")]
    assert order.updated_us == START + 20 * SECOND


def test_several_fills_in_the_order_of_time() -> None:
    world = World(moving((-60, "100"), (10, "95"), (20, "105"), (30, "90"), depth=5))
    low = world.buy(world.alice, "1", "90")
    high = world.sell(world.alice, "1", "104")
    near = world.buy(world.alice, "1", "95")
    assert times(world.until(60)) == [10, 20, 30]
    assert near.updated_us < high.updated_us < low.updated_us


def test_only_as_much_as_the_market_offers() -> None:
    """At 95 one is offered, and one at each step beyond; an order at 96 gets the two that cross it."""
    world = World(moving((-60, "100"), (10, "95"), (20, "94"), depth=5))
    order = world.buy(world.alice, "5", "96")
    world.until(10)
    assert world.fills(order) == [("96", "1"), ("96", "1")]
    world.until(19)
    assert order.executed == 2
    world.until(20)
    assert order.executed == 3, "what was consumed at 95 and 96 is not offered again"


def test_renewal_fills_the_rest() -> None:
    world = World(moving((-60, "100"), (12, "95"), depth=1, period_us=10 * SECOND))
    order = world.buy(world.alice, "2.5", "95")
    assert times(world.until(60)) == [12, 20, 30]
    assert world.fills(order) == [("95", "1"), ("95", "1"), ("95", "0.5")]


def test_a_taker_and_a_resting_order_never_get_the_same_quantity() -> None:
    world = World(moving((-60, "100"), (10, "100"), depth=1, period_us=30 * SECOND))
    taker = world.buy(world.alice, "1", "100")
    late = world.buy(world.bob, "1", "100")
    assert (plain(taker.executed), plain(late.executed)) == ("1", "0")
    assert world.until(29) == []
    assert times(world.until(31)) == [30]
    assert seen(late)[0] == "filled"


def test_better_then_older_orders_are_filled_first() -> None:
    world = World(moving((-60, "100"), (10, "95"), depth=1))
    older = world.buy(world.alice, "0.8", "95")
    newer = world.buy(world.bob, "0.8", "95")
    better = world.buy(world.bob, "0.1", "96")
    world.until(11)
    assert [plain(one.executed) for one in (better, older, newer)] == ["0.1", "0.8", "0.1"]


def test_a_stop_that_fires_trades_at_that_moment() -> None:
    world = World(moving((-60, "100"), (10, "94"), (20, "80"), depth=5))
    order = world.place(world.alice, market(SELL, "1", trigger=stop("95")))
    world.until(3600)
    assert world.fills(order) == [("93", "1")]


def test_fills_come_before_triggers_of_the_same_moment() -> None:
    world = World(moving((-60, "100"), (10, "90"), depth=5))
    rests = world.buy(world.bob, "1", "91")
    fires = world.place(world.alice, limit(SELL, "1", "80", trigger=stop("95")))
    ((_, events),) = world.until(10)
    kinds = [type(event).__name__ for event in events]
    assert kinds.index("TradeExecuted") < kinds.index("OrderTriggered")
    assert seen(rests)[0] == seen(fires)[0] == "filled"


def test_what_will_be_due_is_known_beforehand() -> None:
    world = World(moving((-60, "100"), (1, "95"), depth=5))
    assert world.engine.next_due_us(world.now) is None
    world.buy(world.alice, "1", "95")
    assert world.engine.next_due_us(world.now) == START + SECOND
    world.until(1)
    assert world.engine.next_due_us(world.now) is None


def test_nothing_at_stake_costs_nothing() -> None:
    feed = moving((-60, "100"), (1, "95"), depth=5)
    world = World(feed)
    feed.calls.clear()
    for _ in range(100):
        world.wait(SECOND)
    assert not feed.calls


def test_a_canceled_order_is_no_longer_due() -> None:
    world = World(moving((-60, "100"), (10, "95"), depth=5))
    world.cancel(world.buy(world.alice, "1", "95"))
    assert world.until(60) == []


@pytest.mark.parametrize("steps", [1, 7, 60, 1800])
def test_the_same_happens_however_time_is_cut(steps: int) -> None:
    """One jump of an hour, or many small steps: the same events at the same times."""
    dice = random.Random(3)
    price, script = 200, list[Moment]()
    for second in range(-60, 3600, 4):
        price = max(150, min(250, price + dice.choice((-2, -1, 0, 1, 2))))
        script.append((second, str(Decimal(price) / 2)))
    feed = moving(*script, depth=4, spread="0.5", between="0.5", period_us=7 * SECOND)
    world = World(feed, checked=False)
    for offset in range(1, 12):
        world.buy(world.alice, "1.5", str(100 - offset))
        world.sell(world.bob, "1.5", str(100 + offset))
        world.place(world.alice, market(SELL, "0.5", trigger=stop(str(Decimal("99.5") - offset))))
        world.place(world.bob, market(BUY, "0.5", trigger=stop(trailing=100 * offset)))
    world.history.clear()
    for _ in range(steps):
        world.wait(3600 * SECOND // steps)
    assert world.history == HAPPENED.setdefault("", world.history)
    assert len(world.history) > 20


HAPPENED: dict[str, list[tuple[int, tuple[e.Event, ...]]]] = {}


class CountedFeed(SyntheticFeed):
    """Counts the searches, which are what a jump of the clock costs."""

    searches = 0

    def next_crossing(self, *args: Any, **named: Any) -> int | None:
        self.searches += 1
        return super().next_crossing(*args, **named)


def test_thirty_days_with_a_thousand_orders() -> None:
    """Work grows with what happens, about three searches for each, and not with the length of the jump."""
    feed = CountedFeed(seed=7)
    world = World(feed, funds="100000000", checked=False)
    last = world.last()
    for step in range(1, 251):
        distance = (last * step / 5000).quantize(Decimal("0.01"))
        world.buy(world.alice, "0.01", str(last - distance))
        world.sell(world.alice, "0.01", str(last + distance))
        world.place(world.bob, market(SELL, "0.01", trigger=stop(str(last - distance))))
        world.place(world.bob, market(BUY, "0.01", trigger=stop(str(last + distance))))
    assert len(world.engine.state.orders) == 1000
    began = time.perf_counter()
    happened = world.wait(30 * DAY)
    seconds = time.perf_counter() - began
    ended = 1000 - len(world.engine.state.orders)
    print(f"{ended} of 1000 orders ended in 30 days, {feed.searches} searches, {seconds:.2f} s")
    assert ended > 200
    assert feed.searches < 100 + 3 * len(happened) + 3 * ended


def test_a_calm_market_is_asked_once_however_long_the_jump() -> None:
    feed = still(depth=5)
    world = World(feed, checked=False)
    for step in range(1, 200):
        world.buy(world.alice, "1", str(90 - Decimal(step) / 100))
        world.place(world.alice, market(SELL, "1", trigger=stop(str(80 - Decimal(step) / 100))))
    feed.calls.clear()
    world.wait(365 * DAY)
    assert feed.calls["next_crossing"] <= 2
    assert feed.calls["levels"] == 0
