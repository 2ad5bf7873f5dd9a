"""Writes a sandbox's history to its archive, behind the journal, and lets memory forget what is there.

What is durable gathers in the engines for a moment. Then all that they recorded is taken at once, as of one
entry, and written when the journal holds that entry: nobody waits for it, and what changed often is
written once. An archive that refuses is tried again for ever; until it accepts, memory keeps what it has.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Mapping
from typing import NamedTuple

import msgspec

from emulator.core.views import Taken
from emulator.runtime.archive import (
    AccountRecord,
    ApiKeyRecord,
    Archive,
    ArchiveLost,
    Mark,
    Row,
    SandboxRecord,
    mark_of,
    write_up_to,
)
from emulator.runtime.ports import (
    SANDBOX,
    AccountNamed,
    Batch,
    EnginePort,
    KeyAdded,
    KeyRecord,
    KeyRemoved,
)

PAUSE_S = 0.5
"""What is durable gathers for so long, so that what changes often is written once."""
FORGOTTEN_PER_TURN = 1_000
"""Records that go from memory before other tasks get a turn."""
RETRY_S_MAX = 5.0
CLOSE_S = 5.0
"""How long a write that is under way is waited for at the end."""

_log = logging.getLogger(__name__)


class Keeping(msgspec.Struct, frozen=True, kw_only=True):
    """How much is kept where. retained: records in memory for each engine, once the archive has them.
    snapshot_every: events between two snapshots."""

    retained: int = 50_000
    snapshot_every: int = 100_000


class Taking(NamedTuple):
    """All that the engines recorded up to an entry since the taking before."""

    sequence: int
    taken: dict[str, Taken]


class _Group:
    """What is written next. mark: of its entry, once that is durable. through: of each engine, up to where
    it may forget then."""

    __slots__ = ("mark", "rows", "sequence", "through")

    def __init__(self, taking: Taking) -> None:
        self.sequence = taking.sequence
        self.mark: Mark | None = None
        self.through = {name: taken.through for name, taken in taking.taken.items()}
        self.rows = [Row(name, record) for name, taken in taking.taken.items() for record in taken.records]


class Chronicle:
    """One sandbox's. engines: those that there are, which may change; mark: where the archive is. take:
    what the engines recorded up to all that was decided, or None while that cannot be told.

    last: the newest batch that is durable. events: how many there were since the last snapshot. keys: of
    the sandbox, as of the mark.
    """

    def __init__(
        self,
        *,
        sandbox: str,
        archive: Archive,
        engines: Mapping[str, EnginePort],
        take: Callable[[], Taking | None],
        mark: Mark,
        last: Batch,
        keys: Mapping[str, KeyRecord],
        keeping: Keeping,
        events: int = 0,
    ) -> None:
        self.sandbox = sandbox
        self.archive = archive
        self.keeping = keeping
        self.last = last
        self.events = events
        self._engines = engines
        self._take = take
        self._mark = mark
        self._group: _Group | None = None
        self._own: deque[tuple[int, Row]] = deque()
        """What belongs to the sandbox itself, with the number of its entry, which is durable."""
        self._keys = dict(keys)
        self._wanted: dict[int, Mark | None] = {}
        self._task: asyncio.Task[None] | None = None
        self._came = asyncio.Event()
        """The entry that the group is of is durable."""
        self._moved = asyncio.Event()
        self._hurried = asyncio.Event()
        self._is_closed = False
        self.failure: str | None = None
        """What the archive said when it refused last; None while it is well."""
        self.is_lost = False
        """Whether it will not accept anything before the next start."""

    @property
    def sequence(self) -> int:
        """Through which entry the archive holds everything."""
        return self._mark.sequence

    def rebuilt(self, name: str) -> None:
        """An engine was folded anew: it counts its records differently from the one before."""
        if self._group is not None:
            self._group.through.pop(name, None)

    def on_batch(self, batch: Batch) -> None:
        """A batch is durable: a subscriber of the sandbox's fan-out."""
        self.last = batch
        if batch.sequence in self._wanted:
            self._wanted[batch.sequence] = mark_of(batch)
        if self._group is not None and batch.sequence == self._group.sequence:
            self._group.mark = mark_of(batch)
            self._came.set()
        events, is_own = self.events, False
        for record in batch.records:
            events += len(record.events)
            is_own |= record.engine == SANDBOX
        self.events = events
        if is_own:
            self._own += [(batch.sequence, row) for row in sandbox_rows(batch, keys=self._keys)]
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._write_behind())

    def want_mark(self, sequence: int) -> None:
        """Somebody is going to need the mark of an entry that is the last one decided."""
        if self.last.sequence == sequence:
            self._wanted[sequence] = mark_of(self.last)
        else:
            self._wanted.setdefault(sequence, None)

    def unwant_mark(self, sequence: int) -> None:
        """Nobody is going to need it after all."""
        self._wanted.pop(sequence, None)

    async def wanted_mark(self, sequence: int) -> Mark:
        """The mark that was wanted, once the archive holds everything up to it."""
        await self.flush(sequence)
        mark = self._wanted.pop(sequence)
        assert mark is not None, "the archive is never ahead of the journal"
        return mark

    async def flush(self, sequence: int | None = None) -> None:
        """Return when the archive holds an entry; without one named, what is durable now."""
        if sequence is None:
            sequence = self.last.sequence
        while self._mark.sequence < sequence:
            self._moved.clear()
            self._hurried.set()
            await self._moved.wait()

    async def catch_up(self, *, within_s: float) -> None:
        """Write what is left, as long as that may take; the rest is made from the journal later."""
        try:
            async with asyncio.timeout(within_s):
                await self.flush()
        except TimeoutError:
            _log.warning("%s: the archive is behind the journal; the next start catches up", self.sandbox)

    async def close(self) -> None:
        """Write nothing more.

        What was sent to an archive may be done there even if nobody waits for it any more, and then come
        after what is done next, such as forgetting all of it. So it is waited for, if not for ever.
        """
        self._is_closed = True
        self._hurried.set()
        self._came.set()
        if self._task is not None:
            await asyncio.wait((self._task,), timeout=CLOSE_S)
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _write_behind(self) -> None:
        """Write until everything durable is there; lives only as long as there is work."""
        pause = PAUSE_S
        try:
            while self._mark.sequence < self.last.sequence and not self._is_closed:
                try:
                    async with asyncio.timeout(pause):
                        await self._hurried.wait()
                except TimeoutError:
                    pass
                self._hurried.clear()
                try:
                    await self._write_group()
                except Exception as error:
                    if self.failure is None:
                        _log.error("%s: the archive refuses, and is tried again: %s", self.sandbox, error)
                    self.failure = str(error) or type(error).__name__
                    self.is_lost = isinstance(error, ArchiveLost)
                    pause = min(2 * pause, RETRY_S_MAX)
                    continue
                self.failure = None
                pause = PAUSE_S
        finally:
            self._task = None

    async def _write_group(self) -> None:
        """Write what was taken before, or what there is to take now, and move the mark."""
        if self._group is None:
            taking = self._take()
            if taking is None:
                return
            self._group = _Group(taking)
            if taking.sequence == self.last.sequence:
                self._group.mark = mark_of(self.last)
        group = self._group
        while group.mark is None:
            self._came.clear()
            await self._came.wait()
            if self._is_closed:
                return
        own = [row for sequence, row in self._own if sequence <= group.sequence]
        await write_up_to(self.archive, self.sandbox, own + group.rows, before=self._mark, mark=group.mark)
        self._mark = group.mark
        for _ in own:
            self._own.popleft()
        group.rows = []
        try:
            await self._forget(group)
        finally:
            self._group = None
            self._moved.set()

    async def _forget(self, group: _Group) -> None:
        """Let memory forget what was written, bit by bit."""
        for name in tuple(group.through):
            # What is folded anew meanwhile is gone from here.
            while (index := group.through.get(name)) is not None:
                engine = self._engines.get(name)
                if engine is None or not engine.forget(index, self.keeping.retained, FORGOTTEN_PER_TURN):
                    break
                await asyncio.sleep(0)


def sandbox_rows(batch: Batch, *, keys: dict[str, KeyRecord]) -> list[Row]:
    """What an entry says about accounts and keys. keys: those there are so far, which it changes."""
    rows: list[Row] = []
    for record in batch.records:
        if record.engine != SANDBOX:
            continue
        for event in record.events:
            shown: SandboxRecord | None = None
            is_gone = False
            match event:
                case AccountNamed():
                    shown = AccountRecord(event.account, event.name, event.trade_group, record.time_us)
                case KeyAdded():
                    keys[event.record.key] = event.record
                    shown = _shown(event.record)
                case KeyRemoved():
                    shown, is_gone = _shown(keys.pop(event.key)), True
                case _:
                    pass
            if shown is not None:
                rows.append(Row(SANDBOX, shown, is_gone))
    return rows


def _shown(key: KeyRecord) -> ApiKeyRecord:
    permissions = tuple(sorted(key.permissions))
    return ApiKeyRecord(key.account, key.key, key.kind, permissions, key.label, key.created_us)
