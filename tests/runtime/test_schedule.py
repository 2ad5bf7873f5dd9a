"""A sandbox wakes for what is at stake, and costs nothing when nothing is."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import pytest

from emulator.runtime.schedule import Schedule

pytestmark = pytest.mark.anyio


class Stakes:
    """A list of due times, taken off one by one; `looked` is set at every look."""

    def __init__(self, *due_us: int, speed: str = "1") -> None:
        self.due = list(due_us)
        self.looks = 0
        self.looked = asyncio.Event()
        self.schedule = Schedule(
            advance=self.advance,
            now_us=lambda: 0,
            next_due_us=lambda now_us: self.due[0] if self.due else None,
            speed=lambda: Decimal(speed),
        )

    def advance(self) -> int:
        self.looks += 1
        if self.looks > 1 and self.due:
            self.due.pop(0)
        self.looked.set()
        return 0

    def armed(self) -> bool:
        return self.schedule.is_armed

    async def next_look(self) -> None:
        await asyncio.wait_for(self.looked.wait(), timeout=5)
        self.looked.clear()


async def test_sleeps_for_good_when_nothing_is_at_stake() -> None:
    stakes = Stakes()
    stakes.schedule.wake()
    assert stakes.armed()
    await stakes.next_look()
    assert not stakes.armed()


async def test_looks_as_long_as_something_is_at_stake() -> None:
    stakes = Stakes(1_000, 2_000)
    stakes.schedule.wake()
    await stakes.next_look()
    assert stakes.armed()
    await stakes.next_look()
    assert stakes.armed()
    await stakes.next_look()
    assert not stakes.armed()
    assert stakes.looks == 3


async def test_a_clock_that_stands_still_needs_no_looking() -> None:
    stakes = Stakes(1_000, speed="0")
    stakes.schedule.wake()
    await stakes.next_look()
    assert not stakes.armed()


async def test_a_fast_clock_is_looked_at_sooner() -> None:
    loop = asyncio.get_running_loop()
    stakes = Stakes(3_600_000_000, speed="1000000")
    stakes.schedule.wake()
    await stakes.next_look()
    begun = loop.time()
    await stakes.next_look()
    assert 0.003 <= loop.time() - begun < 0.1


async def test_stops() -> None:
    stakes = Stakes(1_000)
    stakes.schedule.wake()
    stakes.schedule.stop()
    assert not stakes.armed()
    stakes.schedule.wake()
    assert not stakes.armed()
