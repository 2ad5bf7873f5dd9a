"""Callbacks at moments of a clock that may run, race or stand still."""

from __future__ import annotations

import asyncio
from decimal import Decimal

from emulator.runtime.alarms import FORGOTTEN_MAX, Alarms


class _Clock:
    def __init__(self, now_us: int = 0, speed: int = 0) -> None:
        self.now_us = now_us
        self.speed = Decimal(speed)

    def alarms(self) -> Alarms:
        return Alarms(now_us=lambda: self.now_us, speed=lambda: self.speed)


async def _turns(count: int = 5) -> None:
    for _ in range(count):
        await asyncio.sleep(0.002)


def test_a_clock_that_stands_still_wakes_nobody_until_it_is_set() -> None:
    async def story() -> None:
        clock = _Clock()
        alarms = clock.alarms()
        rung: list[tuple[str, int]] = []
        alarms.at(2_000_000, lambda now_us: rung.append(("later", now_us)))
        alarms.at(1_000_000, lambda now_us: rung.append(("sooner", now_us)))
        await _turns()
        assert rung == []
        clock.now_us = 1_500_000
        alarms.look()
        await _turns()
        assert rung == [("sooner", 1_500_000)]
        clock.now_us = 9_000_000
        alarms.look()
        await _turns()
        assert rung == [("sooner", 1_500_000), ("later", 9_000_000)]
        alarms.stop()

    asyncio.run(story())


def test_a_running_clock_is_waited_for_and_a_cancelled_alarm_is_silent() -> None:
    async def story() -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        speed = 1000
        alarms = Alarms(
            now_us=lambda: int((loop.time() - began) * speed * 1_000_000), speed=lambda: Decimal(speed)
        )
        rung = asyncio.Event()
        silent = alarms.at(1_000_000, lambda now_us: rung.set())
        silent.cancel()
        heard: list[int] = []
        done = asyncio.Event()

        def hear(now_us: int) -> None:
            heard.append(now_us)
            done.set()

        alarms.at(5_000_000, hear)
        await asyncio.wait_for(done.wait(), 10)
        assert heard[0] >= 5_000_000
        assert not rung.is_set()
        alarms.stop()

    asyncio.run(story())


def test_an_alarm_that_is_set_again_and_again_in_the_past_leaves_time_for_others() -> None:
    async def story() -> None:
        clock = _Clock(now_us=10)
        alarms = clock.alarms()
        rung = 0

        def again(now_us: int) -> None:
            nonlocal rung
            rung += 1
            alarms.at(now_us, again)

        alarms.at(5, again)
        turns = 0
        while rung < 3:
            await asyncio.sleep(0)
            turns += 1
        assert turns > rung
        alarms.stop()

    asyncio.run(story())


def test_one_that_raises_keeps_nothing_from_the_others() -> None:
    async def story() -> None:
        clock = _Clock(now_us=10)
        alarms = clock.alarms()
        rung: list[int] = []

        def fail(now_us: int) -> None:
            raise RuntimeError("a defect of a listener")

        alarms.at(1, fail)
        alarms.at(2, rung.append)
        await _turns()
        assert rung == [10]
        alarms.stop()

    asyncio.run(story())


def test_alarms_that_are_cancelled_again_and_again_do_not_pile_up() -> None:
    async def story() -> None:
        alarms = _Clock().alarms()
        kept = [alarms.at(5_000_000, lambda now_us: None) for _ in range(10)]
        for _ in range(10_000):
            alarm = alarms.at(1_000_000, lambda now_us: None)
            alarm.cancel()
            alarm.cancel()
            assert not alarm.is_set
        assert len(alarms) <= len(kept) + FORGOTTEN_MAX + 1
        assert all(alarm.is_set for alarm in kept)
        alarms.stop()

    asyncio.run(story())


def test_an_alarm_that_cancels_another_of_the_same_moment_silences_it() -> None:
    async def story() -> None:
        clock = _Clock()
        alarms = clock.alarms()
        rung: list[str] = []

        def first(now_us: int) -> None:
            rung.append("first")
            second.cancel()

        alarms.at(1_000_000, first)
        second = alarms.at(1_000_000, lambda now_us: rung.append("second"))
        alarms.at(1_000_000, lambda now_us: rung.append("third"))
        clock.now_us = 1_000_000
        alarms.look()
        await _turns()
        assert rung == ["first", "third"]
        alarms.stop()

    asyncio.run(story())
