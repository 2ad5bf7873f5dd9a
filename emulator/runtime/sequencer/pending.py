"""What the journal does not hold yet, and who waits for it."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable

from emulator.runtime.ports import OutcomeUnknown, Record, SandboxError

Waiter = Callable[[SandboxError | None], None]
"""Told once, when the journal holds what it waits for, or why nobody waits for that any longer."""

_log = logging.getLogger(__name__)


class Pending:
    """A batch that the journal does not hold yet, and who waits for it."""

    __slots__ = ("looks", "records", "sequence", "waiters")

    def __init__(self, sequence: int) -> None:
        self.sequence = sequence
        self.looks = 0
        self.records: list[Record] = []
        self.waiters: list[Waiter] = []

    def tell(self, unknown: str | None = None) -> None:
        """Tell who waits for a batch that the journal holds it, or why nobody knows whether it will."""
        waiters, self.waiters = self.waiters, []
        for waiter in waiters:
            try:
                waiter(None if unknown is None else OutcomeUnknown(unknown))
            except Exception:
                _log.exception("who waited for entry %d raised", self.sequence)


def wake(waiter: asyncio.Future[None], error: SandboxError | None) -> None:
    """What tells a future."""
    if waiter.done():
        return  # Whoever waited was cancelled meanwhile.
    if error is None:
        waiter.set_result(None)
    else:
        waiter.set_exception(error)


def describe_unwritten(unwritten: list[Pending], durable: int) -> str:
    events = Counter(type(event).__name__ for p in unwritten for r in p.records for event in r.events)
    listed = ", ".join(f"{count} {name}" for name, count in events.items())
    return (
        f"ends, and the journal did not acknowledge entries {unwritten[0].sequence} to"
        f" {unwritten[-1].sequence} ({listed}): who waits for them hears that the outcome is unknown; all"
        f" that was answered is in the journal, up to entry {durable}"
    )
