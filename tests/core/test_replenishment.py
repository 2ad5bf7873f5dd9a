"""Margin that is added by itself to an isolated position before it is liquidated.

0.1 at 100000 and 20x take 500. With a margin of M it can be kept as long as M - 0.1 * (100000 - p) is more
than 0.0004 * p, which is p > (10000 - M) / 0.0996.
"""

from __future__ import annotations

from decimal import Decimal

from emulator.core import commands as c
from emulator.core import events as e
from emulator.core import rejections as r
from emulator.core.orders import Cause
from emulator.core.positions import AccountMargin, Leg
from emulator.core.rejections import Obstacle, Setting
from tests.core.sameness import assert_same
from tests.core.scripted import ScriptedFeed
from tests.core.test_liquidations import pit
from tests.core.test_trading_contracts import Pit
from tests.core.unified import LINEAR, Unified
from tests.core.world import SECOND, START, plain

D = Decimal


def chosen(one: Pit, *, on: bool = True, leg: Leg = Leg.BOTH) -> c.SetReplenishment:
    return c.SetReplenishment(account=one.alice, instrument=one.symbol, on=on, leg=leg)


def opened(quantity: str = "0.1", feed: ScriptedFeed | None = None) -> Pit:
    one = pit(feed)
    one.does(chosen(one))
    one.trade(quantity, "100000")
    return one


def leave(one: Pit, free: str) -> None:
    """So much of what was free, and no more."""
    there = one.free(one.alice, "USDT", one.wallet)
    one.does(
        c.Transfer(account=one.alice, asset="USDT", amount=there - D(free), source=one.wallet, target="spot")
    )


def added(one: Pit) -> list[str]:
    return [
        plain(event.amount)
        for _, events in one.history
        for event in events
        if isinstance(event, e.MarginMoved) and event.cause is Cause.REPLENISHMENT
    ]


def is_same_again(one: Pit) -> None:
    assert_same(one.engine, one.replayed())
    other = type(one.engine)(
        "test", one.engine.instruments, one.feed, one.engine.state.wallets, one.engine.rules
    )
    other.restore(list(one.engine.capture().parts()))
    assert_same(one.engine, other)
    assert one.engine.audit() == []


def test_as_much_is_added_as_opening_it_took() -> None:
    """9500 / 0.0996 = 95381.52..., 9000 / 0.0996 = 90361.44..., 8500 / 0.0996 = 85341.36..."""
    one = opened()
    free = one.free(one.alice, "USDT", one.wallet)
    one.price("95381.6")
    assert added(one) == []
    one.price("95381.5")
    assert (plain(one.position().quantity), plain(one.position().margin)) == ("0.1", "1000")
    assert one.free(one.alice, "USDT", one.wallet) == free - 500
    one.price("90361.5")
    assert added(one) == ["500"]
    one.price("90361.4")
    assert added(one) == ["500", "500"]
    assert plain(one.position().margin) == "1500"
    is_same_again(one)


def test_a_fall_past_several_limits_takes_as_often() -> None:
    """At 80000 2000 are lost and 32 must be kept: 500 four times more."""
    one = opened()
    one.price("80000")
    assert added(one) == ["500"] * 4
    assert (plain(one.position().quantity), plain(one.position().margin)) == ("0.1", "2500")
    is_same_again(one)


def test_what_there_is_is_added_and_then_it_is_liquidated() -> None:
    """500 and 120 more: 8880 / 0.0996 = 89156.6..."""
    one = opened()
    leave(one, "620")
    one.price("95381.5")
    one.price("90361.4")
    assert added(one) == ["500", "120"]
    assert one.free(one.alice, "USDT", one.wallet) == D(0)
    one.price("89156.7")
    assert one.position().quantity
    one.price("89156.6")
    assert not one.position().quantity
    is_same_again(one)


def test_what_rests_beside_keeps_its_margin() -> None:
    """Of 600, 450 are needed for an order to buy 0.1 at 90000."""
    one = opened()
    leave(one, "600")
    one.buy(one.alice, "0.1", "90000")
    one.price("95381.5")
    assert added(one) == ["150"]


def test_not_beyond_what_it_was_worth() -> None:
    """A short position of 10000 has 10000 at most: at 200000 that is lost, and it is liquidated."""
    one = opened("-0.1")
    one.price("195000")
    assert (plain(one.position().quantity), plain(one.position().margin)) == ("-0.1", "10000")
    assert added(one) == ["500"] * 19
    one.price("200000")
    assert not one.position().quantity
    assert len(added(one)) == 19
    is_same_again(one)


def test_it_happens_by_the_market_as_well() -> None:
    feed = ScriptedFeed((START - SECOND, "100000"), (START + 10 * SECOND, "95000"))
    one = opened(feed=feed)
    happened = one.wait(60 * SECOND)
    # A half second after the start everything is ready, and ticks of the mark are whole seconds.
    moved = [(at, [type(event) for event in events]) for at, events in happened]
    assert moved == [(START + 10 * SECOND, [e.MarginMoved])]
    # 500 more cover the 500 that are lost there.
    assert one.position().quantity


def test_without_it_or_without_it_any_more_nothing_is_added() -> None:
    one = opened()
    one.does(chosen(one, on=False))
    one.price("95381.5")
    assert added(one) == []
    assert not one.position().quantity


def test_nobody_is_told_that_the_owner_moved_it() -> None:
    one = opened()
    one.price("95381.5")
    assert added(one) == ["500"]
    assert one.engine.views.margin_changes == {}


def test_what_is_so_already_or_cannot_be() -> None:
    one = pit()
    assert one.refuses(chosen(one, on=False)) == r.SettingUnchanged(setting=Setting.REPLENISHMENT)
    assert one.refuses(chosen(one, leg=Leg.LONG)) == r.LegWrong()
    crossed = pit(isolated=False)
    blocked = r.SettingBlocked(setting=Setting.REPLENISHMENT, obstacle=Obstacle.CROSS)
    assert crossed.refuses(chosen(crossed)) == blocked


def test_where_all_positions_are_isolated_at_once() -> None:
    """0.1 at 50000 and 20x take 250, of which all is lost at 47500; 2 are free."""
    world = Unified(mode=AccountMargin.ISOLATED, USDT="252")
    world.does(c.SetReplenishment(account=world.carol, instrument=LINEAR, on=True))
    world.trade(LINEAR, "0.1", "50000")
    world.price("47700")
    # (5000 - 250) / 0.0996 = 47690.76...
    assert (world.has("USDT"), plain(world.position().margin)) == ("2", "250")
    world.price("47690.7")
    assert (world.has("USDT"), plain(world.position().margin)) == ("0", "252")
    assert world.position().quantity
    world.is_same_again()
