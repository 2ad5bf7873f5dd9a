"""What time alone ends: orders that are good till a moment, and countdowns; canceling by sort."""

from __future__ import annotations

import pytest

from emulator.core import commands as c
from emulator.core import events as e
from emulator.core import rejections as r
from emulator.core.engine import Engine
from emulator.core.instruments import Side
from emulator.core.orders import EndReason, Order
from tests.core.futures import BTC
from tests.core.sameness import assert_same
from tests.core.test_snapshot import restored
from tests.core.world import (
    SECOND,
    START,
    World,
    deep,
    limit,
    market,
    moving,
    perpetual,
    seen,
    still,
    stop,
)

BUY, SELL = Side.BUY, Side.SELL


def at(seconds: float) -> int:
    return START + int(seconds * SECOND)


def counting(world: World, seconds: float | None, account: int | None = None) -> c.SetCountdown:
    return c.SetCountdown(
        account=account or world.alice,
        instrument=world.symbol,
        at_us=None if seconds is None else at(seconds),
    )


def ended(order: Order) -> tuple[str, float]:
    """Its status, and how many seconds after the start it got it."""
    return order.status.value, (order.updated_us - START) / SECOND


# Good till a moment


@pytest.mark.parametrize("is_contract", [False, True])
def test_an_order_expires_at_its_moment_and_not_before(is_contract: bool) -> None:
    world = World(still(), perpetual(BTC)) if is_contract else World()
    order = world.buy(world.alice, "1", "90", good_till_us=at(600.5))
    other = world.buy(world.alice, "1", "90")
    assert world.engine.next_due_us(world.now) is not None
    world.until(600.4)
    assert seen(order)[0] == "new"
    assert world.engine.next_due_us(world.now) == at(600.5)
    ((time_us, events),) = world.until(700)
    assert (time_us, events) == (at(600.5), (e.OrderExpired(order=order.id, reason=EndReason.TIME_PASSED),))
    assert seen(other)[0] == "new"


def test_what_ends_is_not_reached_by_the_market_at_the_same_moment() -> None:
    world = World(moving((-60, "100"), (10, "90"), depth=10))
    early = world.buy(world.alice, "1", "95", good_till_us=at(10))
    late = world.buy(world.alice, "1", "95", good_till_us=at(10) + 1)
    world.until(20)
    assert (ended(early), ended(late)) == (("expired", 10), ("filled", 10))


def test_an_order_that_waits_for_its_trigger_expires_too() -> None:
    world = World(moving((-60, "100"), (10, "110"), depth=10), perpetual(BTC))
    order = world.place(world.alice, market(BUY, "1", trigger=stop("110"), good_till_us=at(5)))
    world.until(20)
    assert ended(order) == ("expired", 5)
    assert world.engine.state.markets[world.symbol].deadlines == []


def test_a_moment_that_is_not_in_the_future_is_refused() -> None:
    world = World()
    for time_us in (START, START - 1):
        terms = limit(BUY, "1", "90", good_till_us=time_us)
        assert world.refuses(world.placing(world.alice, terms)) == r.TimePassed(at_us=time_us)
    world.buy(world.alice, "1", "90", good_till_us=START + 1)


def test_what_ended_before_leaves_no_deadline() -> None:
    world = World(deep(), perpetual(BTC))
    filled = world.buy(world.alice, "1", "100", good_till_us=at(5))
    canceled = world.buy(world.alice, "1", "90", good_till_us=at(5))
    world.cancel(canceled)
    assert seen(filled)[0] == "filled"
    assert world.engine.state.markets[world.symbol].deadlines == []
    assert world.until(60) == []


# Countdowns


@pytest.mark.parametrize("is_contract", [False, True])
def test_a_countdown_cancels_all_orders_of_its_owner_on_one_instrument(is_contract: bool) -> None:
    world = World(still(), perpetual(BTC)) if is_contract else World()
    resting = world.buy(world.alice, "1", "90", good_till_us=at(120))
    waiting = world.place(world.alice, market(BUY, "1", trigger=stop("110")))
    others = world.buy(world.bob, "1", "90")
    (said,) = world.does(counting(world, 120))
    assert said == e.CountdownSet(account=world.alice, instrument=world.symbol, at_us=at(120))
    world.until(119)
    assert seen(resting)[0] == seen(waiting)[0] == "new" or seen(waiting)[0] == "dormant"
    world.until(121)
    assert ended(resting) == ended(waiting) == ("canceled", 120)
    assert seen(others)[0] == "new"
    # It is over with that, until it is said again.
    later = world.buy(world.alice, "1", "90")
    world.until(1000)
    assert seen(later)[0] == "new"


def test_a_countdown_is_put_off_by_saying_it_again_and_ended_by_none() -> None:
    world = World()
    order = world.buy(world.alice, "1", "90")
    world.does(counting(world, 120))
    world.until(100)
    world.does(counting(world, 220))
    world.until(200)
    assert seen(order)[0] == "new"
    assert world.does(counting(world, 220)) == ()
    world.does(counting(world, None))
    assert world.does(counting(world, None)) == ()
    world.until(1000)
    assert seen(order)[0] == "new"
    assert world.refuses(counting(world, 1000)) == r.TimePassed(at_us=at(1000))


def test_a_countdown_ends_though_there_is_nothing_to_cancel() -> None:
    world = World()
    world.does(counting(world, 5))
    ((time_us, events),) = world.until(10)
    assert (time_us, len(events)) == (at(5), 1)
    assert world.engine.next_due_us(world.now) is None


def test_a_countdown_needs_an_account_and_an_instrument() -> None:
    world = World()
    nobody = c.SetCountdown(account=99, instrument=world.symbol, at_us=at(5))
    assert world.refuses(nobody) == r.UnknownAccount(account=99)
    nowhere = c.SetCountdown(account=world.alice, instrument="NONE", at_us=at(5))
    assert world.refuses(nowhere) == r.UnknownInstrument(instrument="NONE")


def test_deadlines_are_there_after_a_restart() -> None:
    world = World(still(), perpetual(BTC))
    world.buy(world.alice, "1", "90", good_till_us=at(30))
    world.place(world.bob, market(BUY, "1", trigger=stop("110"), good_till_us=at(10)))
    world.buy(world.bob, "1", "91")
    world.does(counting(world, 20, world.bob))
    lonely = Engine("test", world.engine.instruments, world.feed, world.engine.state.wallets)
    lonely.restore(list(world.engine.capture().parts()))
    again = restored(world)
    assert_same(world.engine, again)
    world.until(60)
    for engine in (again, lonely):
        happened = engine.advance(world.now)
        assert [time_us for time_us, _ in happened] == [at(10), at(20), at(30)]
        assert engine.fingerprint() == world.engine.fingerprint()
    assert world.replayed().fingerprint() == world.engine.fingerprint()
    assert not world.engine.state.orders


# Canceling by sort


def test_what_waits_and_what_is_active_may_be_canceled_apart() -> None:
    world = World(still(), perpetual(BTC))

    def all_of(dormant: bool | None) -> c.CancelAllOrders:
        return c.CancelAllOrders(account=world.alice, instrument=world.symbol, dormant=dormant)

    def two() -> tuple[Order, Order]:
        waiting = world.place(world.alice, market(BUY, "1", trigger=stop("110")))
        return world.buy(world.alice, "1", "90"), waiting

    active, waiting = two()
    world.does(all_of(True))
    assert [seen(one)[0] for one in (active, waiting)] == ["new", "canceled"]
    assert world.refuses(all_of(True)) == r.UnknownOrder()
    world.does(all_of(False))
    assert seen(active)[0] == "canceled"
    active, waiting = two()
    world.does(all_of(False))
    assert [seen(one)[0] for one in (active, waiting)] == ["canceled", "dormant"]
    assert world.refuses(all_of(False)) == r.UnknownOrder()
    world.does(all_of(None))
    assert seen(waiting)[0] == "canceled"
