"""The journal and the archive in memory: for tests and for runs that need not survive the process."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from copy import copy
from typing import Any, TypeVar, cast

import msgspec

from emulator.core.history import Key, Query
from emulator.runtime.archive import ArchiveRecord, Mark, Row, Snapshot, archive_key
from emulator.runtime.ports import Batch, JournalConflict

R = TypeVar("R")


class MemoryJournal:
    """Batches are frozen, so they are kept as they are, neither encoded nor copied."""

    def __init__(self) -> None:
        self._streams: dict[str, list[Batch]] = {}

    async def append(self, batch: Batch) -> None:
        stream = self._streams.get(batch.sandbox)
        if stream is None:
            stream = []
        if batch.sequence != len(stream) + 1:
            raise JournalConflict(
                f"{batch.sandbox}: entry {batch.sequence} does not follow entry {len(stream)}"
            )
        stream.append(batch)
        if batch.sequence == 1:
            self._streams[batch.sandbox] = stream

    async def read(self, sandbox: str, after_sequence: int = 0) -> AsyncIterator[Batch]:
        stream = self._streams.get(sandbox, [])
        for index in range(after_sequence, len(stream)):
            yield stream[index]

    async def sandboxes(self) -> Sequence[str]:
        return tuple(self._streams)

    async def copy(self, source: str, target: str, through_sequence: int) -> None:
        self._streams[target] = [
            msgspec.structs.replace(batch, sandbox=target)
            for batch in self._streams.get(source, [])[:through_sequence]
        ]

    async def forget(self, sandbox: str) -> None:
        self._streams.pop(sandbox, None)

    async def close(self) -> None:
        """Nothing is held but memory."""


class MemoryArchive:
    """Records by their keys; for tests, and for whoever wants an archive that ends with the process."""

    def __init__(self) -> None:
        self._marks: dict[str, Mark] = {}
        self._tables: dict[tuple[str, str, type[Any]], dict[Key, ArchiveRecord]] = {}
        self._snapshots: dict[str, Snapshot] = {}

    async def mark(self, sandbox: str) -> Mark | None:
        return self._marks.get(sandbox)

    async def write(self, sandbox: str, rows: Sequence[Row], mark: Mark) -> None:
        for row in rows:
            table = self._tables.setdefault((sandbox, row.engine, type(row.record)), {})
            key = archive_key(row.record)._replace(time_us=0, label="")
            if row.is_gone:
                table.pop(key, None)
            else:
                table[key] = copy(row.record)
        self._marks[sandbox] = mark

    async def select(self, sandbox: str, engine: str, kind: type[R], query: Query) -> list[R]:
        table = self._tables.get((sandbox, engine, kind), {})
        keyed = ((archive_key(record), record) for record in table.values())
        found = [
            (key.id, key.part, cast("R", record))
            for key, record in keyed
            if (key.account, key.scope) == (query.account, query.scope) and query.admits(key)
        ]
        listed = [record for _, _, record in sorted(found, key=lambda each: each[:2])]
        return listed[-query.limit :] if query.newest else listed[: query.limit]

    async def scan(self, sandbox: str, kind: type[R]) -> AsyncIterator[tuple[str, R]]:
        for name, engine, listed in list(self._tables):
            if (name, listed) == (sandbox, kind):
                for record in list(self._tables[name, engine, listed].values()):
                    yield engine, cast("R", record)

    async def save(self, sandbox: str, mark: Mark, format: str, parts: Iterable[bytes]) -> None:
        self._snapshots[sandbox] = Snapshot(mark, format, tuple(parts))

    async def snapshot(self, sandbox: str) -> Snapshot | None:
        return self._snapshots.get(sandbox)

    async def forget(self, sandbox: str) -> None:
        self._marks.pop(sandbox, None)
        self._snapshots.pop(sandbox, None)
        for key in [key for key in self._tables if key[0] == sandbox]:
            del self._tables[key]

    async def close(self) -> None:
        """Nothing is held but memory."""
