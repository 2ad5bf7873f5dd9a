"""The clock: exact, monotone, and never set back."""

from decimal import Decimal

import pytest

from emulator.runtime.clock import JUMP_US_MAX, SPEED_MAX, TIME_US_MAX, SandboxClock, plan_virtual
from emulator.runtime.ports import ClockMode, ClockSettingRefused
from tests.runtime.universe import START_US


class Wall:
    def __init__(self) -> None:
        self.us = START_US

    def ns(self) -> int:
        return self.us * 1000 + 999


def virtual(clock: SandboxClock, time_us: int | None, speed: str = "0") -> None:
    clock.apply(clock.plan(ClockMode.VIRTUAL, time_us=time_us, speed=Decimal(speed)))


def test_wall_mode_shows_the_wall() -> None:
    wall = Wall()
    clock = SandboxClock(wall.ns)
    assert clock.now_us() == START_US
    wall.us += 1
    assert clock.now_us() == START_US + 1
    assert clock.speed == 1


def test_stands_still_while_the_host_is_set_back() -> None:
    wall = Wall()
    clock = SandboxClock(wall.ns)
    clock.now_us()
    wall.us -= 10_000_000
    assert clock.now_us() == START_US
    wall.us += 10_000_001
    assert clock.now_us() == START_US + 1


@pytest.mark.parametrize(
    ("speed", "elapsed_us", "shown_us"),
    [
        ("0", 1_000_000, 0),
        ("1", 7, 7),
        ("60", 1_000_001, 60_000_060),
        ("0.1", 1_000_009, 100_000),
        ("0.333333333333333333", 3_000_000, 999_999),
        ("1000000", 1, 1_000_000),
    ],
)
def test_virtual_time_runs_exactly(speed: str, elapsed_us: int, shown_us: int) -> None:
    wall = Wall()
    clock = SandboxClock(wall.ns)
    target = START_US + 5_000_000
    virtual(clock, target, speed)
    wall.us += elapsed_us
    assert clock.now_us() == target + shown_us
    assert clock.speed == Decimal(speed)


def test_a_change_of_speed_goes_on_from_now() -> None:
    wall = Wall()
    clock = SandboxClock(wall.ns)
    virtual(clock, START_US, "10")
    wall.us += 100
    virtual(clock, None, "2")
    wall.us += 100
    assert clock.now_us() == START_US + 1_000 + 200


def test_refuses_the_past() -> None:
    wall = Wall()
    clock = SandboxClock(wall.ns)
    with pytest.raises(ClockSettingRefused, match="cannot go back"):
        virtual(clock, START_US - 1)
    virtual(clock, START_US + 1)
    with pytest.raises(ClockSettingRefused, match="before this clock"):
        clock.plan(ClockMode.WALL, time_us=None, speed=Decimal(0))
    wall.us += 1
    clock.apply(clock.plan(ClockMode.WALL, time_us=None, speed=Decimal(0)))
    wall.us += 1
    assert clock.now_us() == START_US + 2


@pytest.mark.parametrize(
    ("time_us", "speed"),
    [
        (TIME_US_MAX + 1, "0"),
        (None, "-1"),
        (None, "NaN"),
        (None, "Infinity"),
        (None, str(SPEED_MAX + 1)),
    ],
)
def test_refuses_nonsense(time_us: int | None, speed: str) -> None:
    with pytest.raises(ClockSettingRefused):
        virtual(SandboxClock(Wall().ns), time_us, speed)


def test_refuses_a_jump_whose_consequences_nobody_could_wait_for() -> None:
    clock = SandboxClock(Wall().ns)
    virtual(clock, START_US)
    with pytest.raises(ClockSettingRefused, match="more than 100 years"):
        virtual(clock, START_US + JUMP_US_MAX + 1)
    virtual(clock, START_US + JUMP_US_MAX)
    assert clock.now_us() == START_US + JUMP_US_MAX


def test_stands_still_at_the_end_of_all_time() -> None:
    wall = Wall()
    clock = SandboxClock(
        wall.ns, setting=plan_virtual(wall.ns, time_us=TIME_US_MAX - 10, speed=Decimal(SPEED_MAX))
    )
    wall.us += 1
    assert clock.now_us() == TIME_US_MAX


def test_the_wall_cannot_be_set() -> None:
    with pytest.raises(ClockSettingRefused):
        SandboxClock(Wall().ns).plan(ClockMode.WALL, time_us=START_US + 1, speed=Decimal(0))


def test_shows_nothing_before_the_last_journalled_time() -> None:
    clock = SandboxClock(Wall().ns)
    clock.not_before(START_US + 50)
    assert clock.now_us() == START_US + 50
