"""Folds a journal stream into a universe: fresh engines and the sandbox's own state.

Folding is the only way in which state comes back: after a restart, for a fork, and for one engine
after an error of ours. What cannot be folded is refused whole, never skipped.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Protocol, assert_never

from emulator.core.events import Event
from emulator.core.ids import AccountId
from emulator.runtime import snapshots
from emulator.runtime.archive import (
    ROWS_PER_WRITE,
    Archive,
    ArchiveUnavailable,
    Mark,
    Row,
    mark_of,
    write_up_to,
)
from emulator.runtime.chronicle import Keeping, sandbox_rows
from emulator.runtime.ports import (
    SANDBOX,
    AccountNamed,
    AnySandboxEvent,
    Batch,
    ClockSet,
    ClockSetting,
    EnginePort,
    Journal,
    JournalCorrupt,
    KeyAdded,
    KeyRecord,
    KeyRemoved,
    SandboxCreated,
    SandboxProvisioned,
)

MakeEngines = Callable[[int], Mapping[str, EnginePort]]
"""Makes the engines of a universe from its seed, by name, without any state."""

BATCHES_PER_TURN = 200
"""How many batches are folded before other tasks get a turn."""

NOWHERE = Mark(0, "")
"""Where an archive is that holds nothing whole yet."""

_log = logging.getLogger(__name__)


class Witness(Protocol):
    """Follows a folding from entry to entry."""

    def fold(self, recovered: Recovered, batch: Batch) -> None:
        """An entry was folded just now."""
        ...

    async def look(self, recovered: Recovered) -> None:
        """A pause between entries, now and then: the time to let memory forget."""
        ...


class SandboxState:
    """What a sandbox knows besides its engines. Only `apply` changes it."""

    def __init__(self) -> None:
        self.seed = 0
        self.created_clock = ClockSetting()
        self.clock = ClockSetting()
        self.provisioned = False
        self.accounts: dict[str, AccountId] = {}
        self.keys: dict[str, KeyRecord] = {}
        self.last_account: AccountId = 0

    @classmethod
    def restored(cls, saved: snapshots.SandboxPart) -> SandboxState:
        """What another one was when it was captured."""
        state = cls()
        state.seed = saved.seed
        state.created_clock = saved.created_clock
        state.clock = saved.clock
        state.provisioned = saved.provisioned
        state.accounts = dict(saved.accounts)
        state.keys = {record.key: record for record in saved.keys}
        state.last_account = saved.last_account
        return state

    def captured(self, last_time_us: int) -> snapshots.SandboxPart:
        return snapshots.SandboxPart(
            seed=self.seed,
            created_clock=self.created_clock,
            clock=self.clock,
            provisioned=self.provisioned,
            accounts=dict(self.accounts),
            keys=tuple(self.keys.values()),
            last_account=self.last_account,
            last_time_us=last_time_us,
        )

    def apply(self, event: AnySandboxEvent) -> None:
        match event:
            case SandboxCreated():
                self.seed = event.seed
                self.created_clock = self.clock = event.clock
            case SandboxProvisioned():
                self.provisioned = True
            case AccountNamed():
                self.accounts[event.name] = event.account
                self.last_account = event.account
            case KeyAdded():
                self.keys[event.record.key] = event.record
            case KeyRemoved():
                del self.keys[event.key]
            case ClockSet():
                self.clock = event.setting
            case _:
                assert_never(event)


def fingerprint(state: SandboxState, engines: Mapping[str, EnginePort]) -> str:
    """A hash of a whole universe; its name does not enter, so a fork has its source's."""
    digest = hashlib.sha256()
    parts: list[object] = [state.seed, state.created_clock, state.clock, state.provisioned]
    parts += sorted(state.accounts.items())
    for key, record in sorted(state.keys.items()):
        fields = [getattr(record, field) for field in record.__struct_fields__ if field != "permissions"]
        # A set has no order of its own, so neither may the hash see one.
        parts.append((key, fields, sorted(record.permissions)))
    parts += [(name, engines[name].fingerprint()) for name in sorted(engines)]
    for part in parts:
        digest.update(repr(part).encode())
        digest.update(b"\n")
    return digest.hexdigest()


class Recovered:
    """A universe as of `last_sequence`, whose entry is `last`.

    mark: where its archive is, if it has one. events: how many were folded since its snapshot.
    is_from_snapshot: whether there was one to begin with. has_refused_snapshot: whether there was one that
    did not agree with itself.
    """

    __slots__ = (
        "engines",
        "events",
        "has_refused_snapshot",
        "is_from_snapshot",
        "last",
        "last_time_us",
        "mark",
        "state",
    )

    def __init__(self, *, state: SandboxState, engines: Mapping[str, EnginePort], last: Batch) -> None:
        self.state = state
        self.engines = engines
        self.last = last
        self.last_time_us = 0
        self.mark: Mark | None = None
        self.events = 0
        self.is_from_snapshot = False
        self.has_refused_snapshot = False

    @property
    def last_sequence(self) -> int:
        return self.last.sequence


async def recover(
    journal: Journal,
    sandbox: str,
    make_engines: MakeEngines,
    *,
    archive: Archive | None = None,
    keeping: Keeping | None = None,
    use_snapshot: bool = True,
) -> Recovered:
    """Fold a stream: all of it, or what came after a snapshot. The archive is brought up to its end.

    Raises JournalCorrupt for gaps, unknown engines and a missing beginning.
    """
    if archive is None:
        return await fold_after(None, journal, sandbox, make_engines, None)
    catching_up = await CatchingUp.begin(journal, archive, sandbox, keeping or Keeping())
    begun = await restored(journal, archive, sandbox, make_engines) if use_snapshot else None
    engines = {} if begun is None else begun.engines
    # Before anything follows from it, which the archive would keep.
    wrong = [f"{name}: {mismatch}" for name, engine in engines.items() for mismatch in engine.audit()]
    for mismatch in wrong:
        _log.warning("%s: the snapshot is not used: %s", sandbox, mismatch)
    if wrong:
        begun = None
    if begun is not None:
        catching_up.know(begun.state.keys)
    recovered = await fold_after(begun, journal, sandbox, make_engines, catching_up)
    await catching_up.finish(recovered)
    recovered.mark = catching_up.mark
    recovered.has_refused_snapshot = bool(wrong)
    return recovered


async def fold_after(
    recovered: Recovered | None,
    journal: Journal,
    sandbox: str,
    make_engines: MakeEngines,
    witness: Witness | None,
) -> Recovered:
    """Fold what came after what was recovered so far. Where there is a witness, records are kept for it.

    Raises JournalCorrupt.
    """
    last_sequence = 0 if recovered is None else recovered.last_sequence
    async for batch in journal.read(sandbox, last_sequence):
        _check(batch, sandbox, last_sequence)
        last_sequence = batch.sequence
        if recovered is None:
            state = SandboxState()
            state.apply(_beginning(batch))
            recovered = Recovered(state=state, engines=make_engines(state.seed), last=batch)
            if witness is not None:
                for engine in recovered.engines.values():
                    engine.keep_records()
        try:
            _fold(recovered, batch)
        except JournalCorrupt:
            raise
        except Exception as error:
            raise JournalCorrupt(f"{sandbox}: entry {batch.sequence} cannot be applied: {error!r}") from error
        recovered.last = batch
        if witness is not None:
            witness.fold(recovered, batch)
        recovered.events += sum(len(record.events) for record in batch.records)
        if batch.sequence % BATCHES_PER_TURN == 0:
            if witness is not None:
                await witness.look(recovered)
            await asyncio.sleep(0)
    if recovered is None:
        raise JournalCorrupt(f"{sandbox}: the journal has no entries")
    return recovered


async def restored(
    journal: Journal, archive: Archive, sandbox: str, make_engines: MakeEngines
) -> Recovered | None:
    """What the newest snapshot has, if it is of this stream and this release can read it."""
    found = await archive.snapshot(sandbox)
    if found is None or found.format != snapshots.FORMAT:
        return None
    last = await entry_of(journal, sandbox, found.mark.sequence)
    if last is None or mark_of(last) != found.mark:
        return None
    try:
        universe = snapshots.decode(found.parts)
        engines = make_engines(universe.state.seed)
        for name, parts in universe.engines.items():
            engines[name].keep_records()
            engines[name].restore(parts)
    except (ValueError, KeyError) as error:
        _log.warning("%s: the snapshot cannot be used, the whole journal is read: %s", sandbox, error)
        return None
    recovered = Recovered(state=SandboxState.restored(universe.state), engines=engines, last=last)
    recovered.last_time_us = universe.state.last_time_us
    recovered.is_from_snapshot = True
    return recovered


async def entry_of(journal: Journal, sandbox: str, sequence: int) -> Batch | None:
    """The entry of a sequence, if the stream has it."""
    if sequence < 1:
        return None
    async for batch in journal.read(sandbox, sequence - 1):
        return batch if batch.sequence == sequence else None
    return None


class CatchingUp:
    """Brings an archive up to the journal while that is folded.

    What it held before is not written again, unless it turns out to be another stream's.
    """

    def __init__(self, archive: Archive, sandbox: str, mark: Mark | None, keeping: Keeping) -> None:
        self.mark = mark
        self._archive = archive
        self._sandbox = sandbox
        self._keeping = keeping
        self._rows: list[Row] = []
        self._through: dict[str, int] = {}
        self._keys: dict[str, KeyRecord] = {}

    @classmethod
    async def begin(cls, journal: Journal, archive: Archive, sandbox: str, keeping: Keeping) -> CatchingUp:
        mark = await archive.mark(sandbox)
        if mark is not None:
            entry = await entry_of(journal, sandbox, mark.sequence)
            if entry is None or mark_of(entry) != mark:
                _log.warning("%s: the archive is not of this journal, and is made anew", sandbox)
                mark = None
        if mark is None:
            await archive.forget(sandbox)
        return cls(archive, sandbox, mark, keeping)

    def know(self, keys: Mapping[str, KeyRecord]) -> None:
        """The keys that there are where the folding begins."""
        self._keys = dict(keys)

    def fold(self, recovered: Recovered, batch: Batch) -> None:
        """An entry was folded: keep what is not in the archive yet."""
        own = sandbox_rows(batch, keys=self._keys)
        if self._is_new(batch):
            self._rows += own
        elif self.mark is not None and batch.sequence == self.mark.sequence:
            self._take(recovered, is_new=False)

    async def look(self, recovered: Recovered) -> None:
        """Write what has gathered, if it is much, and let memory forget what is written."""
        self._take(recovered, is_new=self._is_new(recovered.last))
        if len(self._rows) >= ROWS_PER_WRITE:
            await self.finish(recovered)
        elif not self._rows:
            self._forget(recovered)

    async def finish(self, recovered: Recovered) -> None:
        self._take(recovered, is_new=self._is_new(recovered.last))
        mark = mark_of(recovered.last)
        if self.mark is None or mark.sequence > self.mark.sequence:
            rows, self._rows = self._rows, []
            before = self.mark or NOWHERE
            await write_up_to(self._archive, self._sandbox, rows, before=before, mark=mark)
            self.mark = mark
        self._forget(recovered)

    def _is_new(self, batch: Batch) -> bool:
        return self.mark is None or batch.sequence > self.mark.sequence

    def _take(self, recovered: Recovered, *, is_new: bool) -> None:
        """Take what the engines recorded since the last time: all of it is new to the archive, or nothing."""
        for name, engine in recovered.engines.items():
            taken = engine.take()
            self._through[name] = taken.through
            if is_new:
                self._rows += [Row(name, record) for record in taken.records]

    def _forget(self, recovered: Recovered) -> None:
        for name, through in self._through.items():
            recovered.engines[name].forget(through, self._keeping.retained)


def _fold(recovered: Recovered, batch: Batch) -> None:
    for record in batch.records:
        recovered.last_time_us = max(recovered.last_time_us, record.time_us)
        if record.engine == SANDBOX:
            for event in record.events:
                if not isinstance(event, AnySandboxEvent):
                    raise JournalCorrupt(f"{batch.sandbox}: entry {batch.sequence} misplaces {event!r}")
                if not isinstance(event, SandboxCreated):
                    recovered.state.apply(event)
            continue
        engine = recovered.engines.get(record.engine)
        if engine is None:
            raise JournalCorrupt(
                f"{batch.sandbox}: entry {batch.sequence} names the engine {record.engine!r}"
            )
        engine.apply(record.events, record.time_us)


async def rebuild_engine(
    journal: Journal,
    sandbox: str,
    fresh_engine: Callable[[], EnginePort],
    *,
    name: str,
    through_sequence: int,
    archive: Archive | None = None,
    taken_sequence: int = 0,
) -> EnginePort:
    """Fold one engine's events up to a sequence, which must be durable, into a fresh engine.

    With an archive, its snapshot is what the folding begins with, and what is recorded after
    `taken_sequence`, until where another one's records were taken, is there to be taken.
    """
    engine = fresh_engine()
    last_sequence = 0
    if archive is not None:
        engine.keep_records()
        last_sequence = await _restore_engine(journal, archive, sandbox, engine, name=name)
        if last_sequence and engine.audit():
            _log.warning("%s: the snapshot of %s does not agree with itself and is not used", sandbox, name)
            engine, last_sequence = fresh_engine(), 0
            engine.keep_records()
    async for batch in journal.read(sandbox, last_sequence):
        if batch.sequence > through_sequence:
            break
        _check(batch, sandbox, last_sequence)
        last_sequence = batch.sequence
        for record in batch.records:
            if record.engine == name:
                engine.apply(record.events, record.time_us)
        is_turn_over = batch.sequence % BATCHES_PER_TURN == 0
        if batch.sequence == taken_sequence or (is_turn_over and batch.sequence < taken_sequence):
            engine.take()
        if is_turn_over:
            await asyncio.sleep(0)
    if last_sequence != through_sequence:
        raise JournalCorrupt(f"{sandbox}: the journal ends at {last_sequence}, expected {through_sequence}")
    return engine


async def _restore_engine(
    journal: Journal, archive: Archive, sandbox: str, engine: EnginePort, *, name: str
) -> int:
    """Begin one engine with the snapshot, if there is one that fits; returns its sequence, or 0."""
    try:
        found = await archive.snapshot(sandbox)
    except ArchiveUnavailable as error:
        # Orders do not wait for an archive, and the journal says the same.
        _log.warning("%s: the snapshot of %s cannot be had: %s", sandbox, name, error)
        return 0
    if found is None or found.format != snapshots.FORMAT:
        return 0
    last = await entry_of(journal, sandbox, found.mark.sequence)
    if last is None or mark_of(last) != found.mark:
        return 0
    try:
        engine.restore(snapshots.decode(found.parts).engines.get(name, []))
    except ValueError as error:
        # Nothing was taken over from it.
        _log.warning("%s: the snapshot of %s cannot be used: %s", sandbox, name, error)
        return 0
    return found.mark.sequence


def _check(batch: Batch, sandbox: str, last_sequence: int) -> None:
    if batch.sandbox != sandbox or batch.sequence != last_sequence + 1:
        raise JournalCorrupt(
            f"{sandbox}: entry {batch.sequence} of {batch.sandbox} follows entry {last_sequence}"
        )


def _beginning(batch: Batch) -> SandboxCreated:
    events: Iterable[Event] = batch.records[0].events if batch.records else ()
    for event in events:
        if isinstance(event, SandboxCreated):
            return event
    raise JournalCorrupt(f"{batch.sandbox}: the journal does not begin with the sandbox's creation")
