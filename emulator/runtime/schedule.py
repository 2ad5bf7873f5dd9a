"""Wakes a sandbox that has something at stake, so that fills happen without anybody asking.

Costs nothing while nothing is at stake: no engine names a due time, so no timer is armed. A durable
batch arms it again, because whatever puts something at stake is an event.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from decimal import Decimal

from emulator.runtime.ports import Batch

STEP_S = 0.1
"""The longest sleep while something is at stake: a due time is only as good as an engine's foresight."""

SLEEP_S_MIN = 0.001


class Schedule:
    """advance: lets happen what is due. next_due_us: the earliest time named by an engine, or None."""

    def __init__(
        self,
        *,
        advance: Callable[[], int],
        now_us: Callable[[], int],
        next_due_us: Callable[[int], int | None],
        speed: Callable[[], Decimal],
    ) -> None:
        self._advance = advance
        self._now_us = now_us
        self._next_due_us = next_due_us
        self._speed = speed
        self._timer: asyncio.TimerHandle | None = None
        self._stopped = False

    def on_batch(self, batch: Batch) -> None:
        """Look again soon: a subscriber of the sandbox's fan-out."""
        if self._timer is None:
            self.wake()

    @property
    def is_armed(self) -> bool:
        return self._timer is not None

    def wake(self) -> None:
        """Look within one step."""
        if self._timer is None and not self._stopped:
            self._timer = asyncio.get_running_loop().call_later(STEP_S, self._look)

    def stop(self) -> None:
        self._stopped = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        self._timer = None
        self._advance()
        speed = self._speed()
        if not speed or self._stopped:
            return  # Nothing comes due on a clock that stands still.
        now_us = self._now_us()
        due_us = self._next_due_us(now_us)
        if due_us is None:
            return
        # Advancing may have caused a batch, which may have armed the timer already.
        if self._timer is None:
            sleep_s = (due_us - now_us) / 1_000_000 / float(speed)
            delay = min(max(sleep_s, SLEEP_S_MIN), STEP_S)
            self._timer = asyncio.get_running_loop().call_later(delay, self._look)
