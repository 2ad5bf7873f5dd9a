"""What goes wrong while the workload runs: in the journal, in the engine, and on the way to the server.

The disk's own faults are those of `tests.storage.faults`, which need a server in a process of its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from random import Random

from emulator.core.events import Event
from emulator.runtime.ports import Batch, Journal
from tests.simulation.lines import Address, HttpLine
from tests.web.serving import BareSocket, handshake

OUTAGE_TRIES = 14
"""Failed writes in a row, after which everybody who waited has been told that the outcome is unknown."""

FAULTS = {"refused": 10, "torn": 10, "late": 20, "late and refused": 5, "outage": 1}
"""What may happen to an entry, and how often each does."""

GAP_MAX = 7
"""Entries from one fault to the next, at most."""


class JournalFaults:
    """Stands before a journal's `append`. It may refuse an entry, write it and report an error all the
    same, take its time, do both, or refuse all entries for a while.

    All but the last happen within the first `(len(FAULTS) - 1) * GAP_MAX` entries, in some order; then
    dice decide which. Outages are too rare and too harmful for that: `go_away` begins one.
    """

    def __init__(self, journal: Journal, dice: Random) -> None:
        self._append = journal.append
        self._dice = dice
        self._outage = 0
        self._gap = dice.randint(1, GAP_MAX)
        self._first = [fault for fault in FAULTS if fault != "outage"]
        dice.shuffle(self._first)
        self.is_on = True
        self.struck = dict.fromkeys(FAULTS, 0)
        # The journal is joined to everything else before a test gets it, so it is stood before in place.
        journal.append = self.append  # type: ignore[method-assign]  # see above

    async def append(self, batch: Batch) -> None:
        if not self.is_on:
            return await self._append(batch)
        fault = "" if self._outage else self._next()
        if fault == "outage":
            self.go_away()
        if self._outage:
            self.struck["outage"] += self._outage == OUTAGE_TRIES
            self._outage -= 1
            raise OSError("the disk is away")
        if fault:
            self.struck[fault] += 1
        if fault.startswith("late"):
            await asyncio.sleep(self._dice.random() * 0.01)
        match fault:
            case "torn":
                await self._append(batch)
                raise OSError("the disk does not know whether it wrote this")
            case "refused" | "late and refused":
                raise OSError("the disk refuses")
        return await self._append(batch)

    def _next(self) -> str:
        """What happens to the next entry; nothing to most."""
        self._gap -= 1
        if self._gap:
            return ""
        self._gap = self._dice.randint(1, GAP_MAX)
        if self._first:
            return self._first.pop()
        return self._dice.choices(list(FAULTS), list(FAULTS.values()))[0]

    def go_away(self) -> None:
        """Begin an outage with the next entry."""
        self._outage = OUTAGE_TRIES

    def end(self) -> None:
        self.is_on = False
        self._outage = 0


class Defect(Exception):
    """A mistake of ours, made on purpose."""


class EngineFaults:
    """Watches an engine and raises in the midst of a command, when it has half happened."""

    def __init__(self, dice: Random, *, every: int) -> None:
        """every: how many events pass between two defects, about."""
        self._dice = dice
        self._every = every
        self._left = dice.randint(1, every)
        self.is_on = True
        self.struck = 0

    def happened(self, event: Event, now_us: int) -> None:
        self._count()

    def settled(self, now_us: int) -> None:
        self._count()

    def _count(self) -> None:
        if self.is_on:
            self._left -= 1
            if self._left <= 0:
                self._left = self._dice.randint(1, 2 * self._every)
                self.struck += 1
                raise Defect("on purpose")


@asynccontextmanager
async def loiterers(address: Address, streams: str, orders: str, dice: Random) -> AsyncIterator[None]:
    """Clients that are in the way: they subscribe and read nothing, or say half of something and stay.

    streams, orders: the paths of what tells much, and of what takes orders.
    """
    async with AsyncExitStack() as stack:
        for _ in range(3):
            slow = await stack.enter_async_context(BareSocket.connected(address.port, streams))
            slow.pause()
        whole = handshake(streams)
        order = HttpLine(address).request("POST", f"{orders}?side=BUY", {}, b"symbol=BTCUSDT&quantity=1")
        for said in (whole, order):
            _, writer = await asyncio.open_connection(address.host, address.port)
            stack.callback(writer.transport.abort)
            writer.write(said[: dice.randint(1, len(said) - 1)])
        yield
