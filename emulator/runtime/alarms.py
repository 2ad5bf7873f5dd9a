"""Calls back at moments of a sandbox's clock, whatever its speed, and when it is set past them.

One timer of the event loop for all that wait. A clock that stands still wakes nobody until it is set.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from decimal import Decimal
from heapq import heapify, heappop, heappush
from itertools import count

SLEEP_S_MAX = 60.0
SLEEP_S_MIN = 0.001
"""Under a clock that runs fast, callbacks come at this pace and cover what has passed meanwhile."""

FORGOTTEN_MAX = 64
"""Cancelled alarms that may go on waiting, unless they are fewer than the others."""

_log = logging.getLogger(__name__)


class Alarm:
    """One callback that is waited for."""

    __slots__ = ("_alarms", "_callback")

    def __init__(self, alarms: Alarms, callback: Callable[[int], None]) -> None:
        self._alarms = alarms
        self._callback: Callable[[int], None] | None = callback

    @property
    def is_set(self) -> bool:
        """Neither rung nor cancelled."""
        return self._callback is not None

    def cancel(self) -> None:
        if self._callback is not None:
            self._callback = None
            self._alarms.note_cancelled()

    def _ring(self, now_us: int) -> None:
        callback, self._callback = self._callback, None
        if callback is not None:
            callback(now_us)


class Alarms:
    """now_us, speed: of the sandbox's clock; speed 0 stands still."""

    def __init__(self, *, now_us: Callable[[], int], speed: Callable[[], Decimal]) -> None:
        self._now_us = now_us
        self._speed = speed
        self._waiting: list[tuple[int, int, Alarm]] = []
        self._count = count()
        self._timer: asyncio.TimerHandle | None = None
        self._timer_due_us = 0
        self._stopped = False
        self._cancelled = 0

    def at(self, time_us: int, callback: Callable[[int], None]) -> Alarm:
        """Call back once, with the now of then, when the clock shows `time_us` or later; never at once."""
        alarm = Alarm(self, callback)
        heappush(self._waiting, (time_us, next(self._count), alarm))
        if self._timer is None or time_us < self._timer_due_us:
            self._arm()
        return alarm

    def note_cancelled(self) -> None:
        """One more that waits in vain; they go when they are many, and not only when their time comes."""
        self._cancelled += 1
        waiting = self._waiting
        if self._cancelled > max(FORGOTTEN_MAX, len(waiting) // 2):
            waiting[:] = [each for each in waiting if each[2].is_set]
            heapify(waiting)
            self._cancelled = 0

    def __len__(self) -> int:
        """How many are kept, cancelled ones among them."""
        return len(self._waiting)

    def look(self) -> None:
        """The clock was set: see soon what that makes due."""
        if self._waiting and not self._stopped:
            self._set_timer(0.0, self._now_us())

    def stop(self) -> None:
        self._stopped = True
        self._waiting.clear()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _arm(self) -> None:
        if not self._waiting or self._stopped:
            return
        due_us = self._waiting[0][0]
        now_us = self._now_us()
        if due_us <= now_us:
            # A little later all the same: nobody rings in a tight circle.
            self._set_timer(SLEEP_S_MIN, due_us)
            return
        speed = self._speed()
        if speed:
            sleep_s = (due_us - now_us) / 1_000_000 / float(speed)
            self._set_timer(min(max(sleep_s, SLEEP_S_MIN), SLEEP_S_MAX), due_us)

    def _set_timer(self, delay_s: float, due_us: int) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer_due_us = due_us
        self._timer = asyncio.get_running_loop().call_later(delay_s, self._ring)

    def _ring(self) -> None:
        self._timer = None
        now_us = self._now_us()
        waiting = self._waiting
        due: list[Alarm] = []
        while waiting and waiting[0][0] <= now_us:
            due.append(heappop(waiting)[2])
        for alarm in due:
            if not alarm.is_set:
                self._cancelled = max(0, self._cancelled - 1)
                continue
            try:
                alarm._ring(now_us)
            except Exception:
                _log.exception("an alarm raised")
        if self._timer is None:
            self._arm()
