"""Orders that wait for a price: stop-loss and take-profit, at market and with a limit."""

from __future__ import annotations

from decimal import Decimal

import pytest

from emulator.core import engine
from emulator.core import events as e
from emulator.core import rejections as r
from emulator.core.commands import PriceMode
from emulator.core.instruments import Side
from emulator.core.orders import EndReason, OrderTerms, Trigger
from tests.core.world import SECOND, Make, World, deep, limit, market, moving, plain, profit, seen, stop

BUY, SELL = Side.BUY, Side.SELL

WAYS = [
    (SELL, stop, "95", "below"),
    (SELL, profit, "105", "above"),
    (BUY, stop, "105", "above"),
    (BUY, profit, "95", "below"),
]


def terms(side: Side, trigger: Trigger, limit_price: str | None) -> OrderTerms:
    if limit_price is None:
        return market(side, "1", trigger=trigger)
    return limit(side, "1", limit_price, trigger=trigger)


@pytest.mark.parametrize(("side", "kind", "price", "where"), WAYS)
@pytest.mark.parametrize("limit_price", [None, "100"])
def test_fires_when_the_last_price_gets_there(
    side: Side, kind: Make, price: str, where: str, limit_price: str | None
) -> None:
    world = World(deep())
    order = world.place(world.alice, terms(side, kind(price), limit_price))
    assert seen(order)[0] == "dormant"
    short_of_it = Decimal(price) + (1 if where == "below" else -1)
    world.price(str(short_of_it))
    assert seen(order)[0] == "dormant"
    world.price(price)
    if limit_price is None:
        assert seen(order) == ("filled", "1", "0")
        return
    # A sell is woken far below its limit and waits, or far above it and trades; a buy likewise.
    takes = (side is BUY) is (where == "below")
    assert seen(order)[0] == ("filled" if takes else "new")
    assert order.working_us == world.now


@pytest.mark.parametrize(("side", "kind", "price", "where"), WAYS)
def test_a_stop_price_that_is_met_already_is_refused(side: Side, kind: Make, price: str, where: str) -> None:
    world = World(deep())
    for met in ("100", str(Decimal("99.99") if where == "above" else Decimal("100.01"))):
        said = world.refuses(world.placing(world.alice, terms(side, kind(met), None)))
        assert said == r.WouldTrigger()


def test_dormant_orders_hold_funds_by_limit_or_stop_price() -> None:
    world = World(deep())
    at_market = world.place(world.alice, market(BUY, "2", trigger=stop("110")))
    assert world.held(world.alice, "USDT") == 220
    world.place(world.alice, limit(BUY, "1", "112", trigger=stop("110")))
    assert world.held(world.alice, "USDT") == 332
    world.place(world.bob, market(SELL, "3", trigger=stop("90")))
    assert world.held(world.bob, "BTC") == 3
    world.cancel(at_market)
    assert world.held(world.alice, "USDT") == 112


def test_a_buy_at_market_that_became_too_dear_ends() -> None:
    world = World(deep(), funds="110")
    order = world.place(world.alice, market(BUY, "1", trigger=stop("110")))
    world.price("120")
    assert (order.status.value, order.end_reason) == ("expired", EndReason.INSUFFICIENT_BALANCE)
    assert world.free(world.alice, "USDT") == 110


def test_trades_of_accounts_fire_triggers() -> None:
    world = World()
    waiting = world.place(world.alice, limit(SELL, "1", "80", trigger=stop("95")))
    world.buy(world.bob, "1", "95")
    world.sell(world.alice, "1", "95")
    assert waiting.status.value == "new"


def test_a_held_price_comes_back_with_the_markets_next_trade() -> None:
    """A trade of accounts moved the last price off the held one; the next trade of the market is there."""
    world = World(moving((-60, "100"), (10, "70")))
    world.price("100")
    world.sell(world.bob, "1", "105")
    world.buy(world.bob, "1", "105")
    order = world.place(world.alice, limit(SELL, "1", "90", trigger=stop("102")))
    trails = world.place(world.alice, limit(SELL, "1", "90", trigger=stop(trailing=200)))
    assert world.until(9) == []
    world.until(11)
    assert [one.working_us for one in (order, trails)] == [world.now - SECOND] * 2


def test_one_trigger_may_fire_the_next() -> None:
    """Each sells at market into bids that fall; every fill is what fires the next one."""
    world = World()
    for price in ("99", "98", "97", "96"):
        world.buy(world.bob, "1", price)
    stops = [world.place(world.alice, market(SELL, "1", trigger=stop(price))) for price in ("98.5", "97.5")]
    world.place(world.alice, market(SELL, "2"))
    assert [one.status.value for one in stops] == ["filled", "filled"]
    assert world.last() == 96
    assert [plain(entry.price) for entry in world.engine.state.markets[world.symbol].prints] == [
        "99", "98", "97", "96",
    ]  # fmt: skip


def test_the_nearest_stop_fires_first_and_equal_ones_in_their_order() -> None:
    world = World(deep())
    far = world.place(world.alice, market(SELL, "0.1", trigger=stop("94")))
    first = world.place(world.alice, market(SELL, "0.1", trigger=stop("95")))
    second = world.place(world.alice, market(SELL, "0.1", trigger=stop("95")))
    events = world.price("90")
    fired = [one.order for one in events if isinstance(one, e.OrderTriggered)]
    assert fired == [first.id, second.id, far.id]


def test_the_market_fires_triggers_at_its_own_time() -> None:
    world = World(moving((-60, "100"), (10, "99"), (20, "94"), (30, "101"), depth=3))
    order = world.place(world.alice, market(SELL, "1", trigger=stop("95")))
    happened = world.until(60)
    assert [time_us for time_us, _ in happened] == [world.now - 40 * SECOND]
    assert world.fills(order) == [("93", "1")]
    assert order.working_us == world.now - 40 * SECOND


def test_a_price_set_to_shift_goes_on_from_there() -> None:
    world = World(moving((-60, "100"), (10, "99"), (20, "94")))
    world.price("200", PriceMode.SHIFT)
    order = world.place(world.alice, limit(SELL, "1", "150", trigger=stop("195")))
    world.until(19)
    assert order.status.value == "dormant"
    world.until(21)
    assert order.status.value == "new"


def test_cancel_of_a_dormant_order() -> None:
    world = World(deep())
    order = world.place(world.alice, market(SELL, "1", trigger=stop("95")))
    world.cancel(order)
    world.price("90")
    assert seen(order)[:2] == ("canceled", "0")


def test_more_triggers_than_one_command_may_fire(monkeypatch: pytest.MonkeyPatch) -> None:
    """What one move cannot fire any more, the market's next trade does."""
    monkeypatch.setattr(engine, "FOLLOW_UPS_MAX", 3)
    world = World(moving((-60, "100"), (10, "70"), (20, "75"), depth=9, quantity="9"))
    stops = [world.place(world.alice, market(SELL, "0.1", trigger=stop("95"))) for _ in range(7)]
    fired = []
    world.price("90")
    for seconds in (0, 10, 20):
        world.until(seconds)
        fired.append(sum(1 for one in stops if one.status.value == "filled"))
    assert fired == [3, 6, 7]
    assert [one.status.value for one in world.replayed().views.orders.values()] == ["filled"] * 7
