"""What is to be told about a sandbox, in order, held back until the journal holds what it tells of.

A stream's frames are made when the state is exactly what they tell of: inside a command, event by
event, or when a market is looked at. They leave when that state is durable, which is at once while
nothing is being written.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable

Tell = Callable[[], None]
"""Hands something to whoever listens. Must not block."""

_log = logging.getLogger(__name__)


class Outlet:
    def __init__(self, durable_sequence: int) -> None:
        self._durable = durable_sequence
        self.noted: list[Tell] = []
        """What was noted about what is being decided."""
        self._held: deque[tuple[int, Tell]] = deque()
        self._ended = False

    @property
    def held(self) -> int:
        """How much waits for the journal."""
        return len(self._held)

    def note(self, tell: Tell) -> None:
        """Something about what is being decided just now, whose sequence is not known yet."""
        self.noted.append(tell)

    def say(self, sequence: int, tell: Tell) -> None:
        """Something about the state at a sequence, after everything that was noted or said before."""
        if sequence <= self._durable and not self._held:
            _do(tell)
        elif not self._ended:
            self._held.append((sequence, tell))

    def decided(self, sequence: int) -> None:
        """What was noted tells of this sequence."""
        noted, self.noted = self.noted, []
        for tell in noted:
            self.say(sequence, tell)

    def void(self, since: int = 0) -> None:
        """What was noted since the last decision did not happen, but for the first `since` of it."""
        del self.noted[since:]

    def durable(self, sequence: int) -> None:
        """The journal holds everything up to a sequence."""
        self._durable = sequence
        held = self._held
        while held and held[0][0] <= sequence:
            _do(held.popleft()[1])

    def end(self) -> None:
        """Nothing more will be durable, so nothing more is told, or kept."""
        self._ended = True
        self.noted.clear()
        self._held.clear()


def _do(tell: Tell) -> None:
    try:
        tell()
    except Exception:
        _log.exception("a listener raised")
