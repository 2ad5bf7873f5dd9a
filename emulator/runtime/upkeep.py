"""What can be done about storage while no emulator runs on it: verify it, rebuild it, repair it.

The journal is the truth: the archive and the snapshot are compared with it, and made anew from it. Only
where the state that it folds to does not agree with itself is something added to it, an event that says
what was corrected. All of it reads the journal from its first entry, and holds no more in memory than a
start does.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping
from typing import Any, NamedTuple, cast

import msgspec

from emulator.core.audit import corrections
from emulator.core.commands import CorrectBalance
from emulator.core.engine import Engine
from emulator.core.events import Event
from emulator.core.history import (
    BalanceRecord,
    ContractSettings,
    LedgerEntry,
    PositionRecord,
    WalletSettings,
)
from emulator.core.numbers import ZERO, exact
from emulator.runtime.archive import (
    TABLES,
    AccountRecord,
    ApiKeyRecord,
    Archive,
    ArchiveDamaged,
    ArchiveLost,
    ArchiveRecord,
    InstrumentRecord,
    Mark,
    Row,
    archive_key,
    encode_record,
    mark_of,
)
from emulator.runtime.chronicle import Keeping, sandbox_rows
from emulator.runtime.ports import SANDBOX, Batch, Journal, KeyRecord, Record
from emulator.runtime.reconciliation import (
    BalancePlace,
    Funds,
    describe,
    differing_balances,
    folded_balances,
    funds,
    keep_snapshot,
)
from emulator.runtime.recovery import (
    MakeEngines,
    Recovered,
    entry_of,
    fingerprint,
    fold_after,
    recover,
    restored,
)

KINDS = tuple(kind for kind in TABLES if kind is not InstrumentRecord)
"""What a sandbox's records are. Instruments are no sandbox's own, and every start writes them."""

_DIGESTS = 1 << 128
_CHANGING = (BalanceRecord, PositionRecord, ContractSettings, WalletSettings, AccountRecord, ApiKeyRecord)
"""Records of which there may be several versions, and the last one counts."""

_log = logging.getLogger(__name__)


class Figures(NamedTuple):
    """How many records there are, and a digest over all of them that does not depend on their order."""

    records: int = 0
    digest: int = 0

    def __str__(self) -> str:
        return f"{self.records} records of digest {self.digest >> 96:08x}"


class Verified(msgspec.Struct, frozen=True, kw_only=True):
    """What was compared, and what differs, each with both figures, for people.

    tables: of the archive, as they are. balances: how many are the sums of how many ledger entries.
    snapshot: of which entry there is one. notes: what is no difference, and worth saying.
    of_archive: where what is derived differs from the journal. of_ledger: where balances are not the sums
    of what was recorded of them. of_state: where the folded state does not agree with itself.
    """

    sandbox: str
    entries: int
    events: int
    tables: dict[str, Figures]
    balances: int
    ledger_entries: int
    snapshot: int | None
    notes: list[str]
    of_archive: list[str]
    of_ledger: list[str]
    of_state: list[str]

    @property
    def agrees(self) -> bool:
        return not (self.of_archive or self.of_ledger or self.of_state)


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What a repair does. commands: what is journalled because of `verified.of_state`, by engine; because
    of anything, archive and snapshot are made anew."""

    verified: Verified
    commands: dict[str, list[CorrectBalance]]

    @property
    def is_needed(self) -> bool:
        """Whether there is anything that a repair can do something about."""
        return bool(self.verified.of_archive or self.verified.of_state)


class Unrepairable(Exception):
    """The state would not agree with itself even after the corrections."""


async def verify(journal: Journal, archive: Archive, sandbox: str, make_engines: MakeEngines) -> Verified:
    """Compare everything that is kept with the journal; changes nothing. Raises JournalCorrupt."""
    verified, _ = await _verify(journal, archive, sandbox, make_engines)
    return verified


async def rebuild(
    journal: Journal, archive: Archive, sandbox: str, make_engines: MakeEngines
) -> dict[str, int]:
    """Make a sandbox's archive and snapshot anew; returns how many records each table then has."""
    try:
        await archive.forget(sandbox)
    except ArchiveLost as error:
        _log.warning("%s", error)  # Then there is nothing left to forget.
    recovered = await recover(
        journal, sandbox, make_engines, archive=archive, keeping=Keeping(retained=0), use_snapshot=False
    )
    await keep_snapshot(archive, sandbox, recovered)
    counts: dict[str, int] = {}
    for kind in KINDS:
        counts[TABLES[kind]] = (await _kept(archive, sandbox, kind)).records
    return counts


async def plan_repair(journal: Journal, archive: Archive, sandbox: str, make_engines: MakeEngines) -> Plan:
    """What does not agree, and what a repair would do about it. Changes nothing. Raises JournalCorrupt."""
    plan, _ = await _plan(journal, archive, sandbox, make_engines)
    return plan


async def repair(journal: Journal, archive: Archive, sandbox: str, make_engines: MakeEngines) -> Plan:
    """Do what the plan says, which is returned; nothing where nothing is wrong.

    Raises Unrepairable and JournalCorrupt, and has then changed nothing.
    """
    plan, recovered = await _plan(journal, archive, sandbox, make_engines)
    if plan.commands:
        records = tuple(_corrected(recovered, name, commands) for name, commands in plan.commands.items())
        for name, engine in recovered.engines.items():
            left = engine.audit()
            if left:
                raise Unrepairable(f"{sandbox}: {name}: {left[0]}, even after the corrections")
        await journal.append(Batch(sandbox=sandbox, sequence=recovered.last_sequence + 1, records=records))
    if plan.is_needed:
        await rebuild(journal, archive, sandbox, make_engines)
    return plan


def _corrected(recovered: Recovered, name: str, commands: list[CorrectBalance]) -> Record:
    events: list[Event] = []
    for command in commands:
        done = recovered.engines[name].execute(command, recovered.last_time_us)
        if done.rejection is not None:
            raise Unrepairable(f"{name}: {command} is refused: {done.rejection}")
        events += done.events
    return Record(engine=name, time_us=recovered.last_time_us, events=tuple(events))


async def _plan(
    journal: Journal, archive: Archive, sandbox: str, make_engines: MakeEngines
) -> tuple[Plan, Recovered]:
    verified, recovered = await _verify(journal, archive, sandbox, make_engines)
    engines = cast(Mapping[str, Engine], recovered.engines)
    commands: dict[str, list[CorrectBalance]] = {}
    with exact():
        for name, engine in engines.items():
            listed = corrections(engine.state)
            if listed:
                commands[name] = listed
    return Plan(verified=verified, commands=commands), recovered


# Verifying


async def _verify(
    journal: Journal, archive: Archive, sandbox: str, make_engines: MakeEngines
) -> tuple[Verified, Recovered]:
    notes: list[str] = []
    of_archive: list[str] = []
    mark = await archive.mark(sandbox)
    if mark is not None and mark.sequence:
        entry = await entry_of(journal, sandbox, mark.sequence)
        if entry is None or mark_of(entry) != mark:
            there = "has none such" if entry is None else f"has {mark_of(entry).digest}"
            of_archive.append(
                f"the archive is another journal's: it has come to entry {mark.sequence}, {mark.digest},"
                f" and the journal {there}"
            )
    tally = _Tally(mark)
    snapshot_fingerprint = ""
    begun = await restored(journal, archive, sandbox, make_engines)
    if begun is not None:
        tally.snapshot_at = begun.last_sequence
        snapshot_fingerprint = fingerprint(begun.state, begun.engines)
        begun = None  # A second universe is not needed while the journal is folded.
    else:
        kept = await archive.snapshot(sandbox)
        which = "no snapshot" if kept is None else "a snapshot of another release or another journal"
        notes.append(f"there is {which}: the next start reads the whole journal")
    recovered = await fold_after(None, journal, sandbox, make_engines, tally)

    tables: dict[str, Figures] = {}
    if mark is not None and not mark.sequence:
        notes.append("the archive was not finished: the next start makes it anew")
    elif not of_archive:
        tables = await _compare_tables(archive, sandbox, tally, of_archive)
        behind = recovered.last_sequence - (0 if mark is None else mark.sequence)
        if behind:
            notes.append(f"entries that the archive lacks, which the next start makes up for: {behind}")
        elif of_archive:
            of_archive += await differing_balances(recovered, archive, sandbox)
    if snapshot_fingerprint != tally.fingerprint:
        of_archive.append(
            f"the snapshot of entry {tally.snapshot_at}: the journal comes to the fingerprint"
            f" {tally.fingerprint[:16]}, the snapshot to {snapshot_fingerprint[:16]}"
        )
    folded = folded_balances(recovered)
    verified = Verified(
        sandbox=sandbox,
        entries=recovered.last_sequence,
        events=recovered.events,
        tables=tables,
        balances=len(folded),
        ledger_entries=tally.ledger_entries,
        snapshot=tally.snapshot_at or None,
        notes=notes,
        of_archive=of_archive,
        of_ledger=[
            f"the ledger entries of {describe(place)} come to {funds(tally.sums.get(place))}, which has"
            f" {funds(folded.get(place))}"
            for place in sorted(folded.keys() | tally.sums.keys())
            if tally.sums.get(place) != folded.get(place)
        ],
        of_state=[f"{name}: {one}" for name, engine in recovered.engines.items() for one in engine.audit()],
    )
    return verified, recovered


async def _compare_tables(
    archive: Archive, sandbox: str, tally: _Tally, of_archive: list[str]
) -> dict[str, Figures]:
    """What the archive has, table by table; notes where that is not what the journal comes to."""
    tables: dict[str, Figures] = {}
    for kind in KINDS:
        table, expected = TABLES[kind], tally.at_mark[kind]
        try:
            tables[table] = await _kept(archive, sandbox, kind)
        except ArchiveDamaged as error:
            of_archive.append(
                f"{table}: the journal comes to {expected}, and the archive is damaged: {error}"
            )
            continue
        if tables[table] != expected:
            of_archive.append(f"{table}: the journal comes to {expected}, the archive has {tables[table]}")
    return tables


class _Tally:
    """Counts the records that a journal comes to, while it is folded. A witness of `fold_after`."""

    def __init__(self, mark: Mark | None) -> None:
        self.at_mark: dict[type[Any], Figures] = {}
        self.sums: dict[BalancePlace, Funds] = {}
        self.ledger_entries = 0
        self.snapshot_at = 0
        self.fingerprint = ""
        """As of the snapshot's entry."""
        self._mark = 0 if mark is None else mark.sequence
        self._figures = dict.fromkeys(KINDS, Figures())
        self._standing: dict[tuple[type[Any], str, tuple[Any, ...]], int] = {}
        """The last version of what may still change."""
        self._keys: dict[str, KeyRecord] = {}
        self._through: dict[str, int] = {}
        self._note(0)

    def _note(self, sequence: int) -> None:
        """Keep the figures if this is the entry that the archive has come to."""
        if sequence == self._mark:
            self.at_mark = dict(self._figures)

    def fold(self, recovered: Recovered, batch: Batch) -> None:
        for row in sandbox_rows(batch, keys=self._keys):
            self._add(row)
        for name in dict.fromkeys(record.engine for record in batch.records):
            if name == SANDBOX:
                continue
            taken = recovered.engines[name].take()
            self._through[name] = taken.through
            for record in taken.records:
                self._add(Row(name, record))
                if isinstance(record, LedgerEntry):
                    self._sum(name, record)
        self._note(batch.sequence)
        if batch.sequence == self.snapshot_at:
            self.fingerprint = fingerprint(recovered.state, recovered.engines)

    async def look(self, recovered: Recovered) -> None:
        for name, through in self._through.items():
            recovered.engines[name].forget(through, 0)

    def _add(self, row: Row) -> None:
        record, kind = row.record, type(row.record)
        count, digest = self._figures[kind]
        if kind in _CHANGING:
            key = archive_key(record)
            place = (kind, row.engine, key[:4])
            before = self._standing.pop(place, None)
            if before is not None:
                count, digest = count - 1, digest - before
        if not row.is_gone:
            stands = _digest(row.engine, record)
            count, digest = count + 1, digest + stands
            if kind in _CHANGING:
                self._standing[place] = stands
        self._figures[kind] = Figures(count, digest % _DIGESTS)

    def _sum(self, name: str, entry: LedgerEntry) -> None:
        self.ledger_entries += 1
        place = (name, entry.account, entry.wallet, entry.asset)
        free, held = self.sums.get(place, (ZERO, ZERO))
        with exact():
            self.sums[place] = (free + entry.free, held + entry.held)


async def _kept(archive: Archive, sandbox: str, kind: type[Any]) -> Figures:
    count = digest = 0
    async for engine, record in archive.scan(sandbox, kind):
        count += 1
        digest += _digest(engine, record)
    return Figures(count, digest % _DIGESTS)


def _digest(engine: str, record: ArchiveRecord) -> int:
    content = f"{engine}\n".encode() + encode_record(record)
    return int.from_bytes(hashlib.blake2b(content, digest_size=16).digest())
