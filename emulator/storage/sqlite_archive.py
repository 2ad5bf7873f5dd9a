"""The archive in an SQLite file beside the journal: what may be deleted, and is then made anew.

What the file holds is whole up to its mark after any crash, though the newest of it may be lost, as then
is the mark; so the disk need not be waited for. Records and their tables: `sqlite_records`.

A file that turns out to be damaged is put aside, and an empty one takes its place. Who relied on what was
in it is told that it is lost, for as long as he does not begin anew.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from emulator.core.history import LedgerEntry, Query
from emulator.runtime.archive import (
    FORMAT,
    ArchiveDamaged,
    ArchiveLost,
    ArchiveUnavailable,
    Mark,
    Row,
    Snapshot,
)
from emulator.storage import sqlite_records
from emulator.storage.sqlite_file import transaction
from emulator.storage.sqlite_records import Damaged, Found, Group, Place, Shelves, decode_row, records_of

APPLICATION_ID = 0x454D5541
"""Says in the file's header whose it is."""
SCHEMA_VERSION = 2
ROWS_PER_TURN = 100
"""Rows that are looked at and encoded before other tasks get a turn."""
BUSY_MS = 2_000

_SCHEMA = (
    *sqlite_records.SCHEMA,
    "CREATE TABLE mark (sandbox TEXT PRIMARY KEY, sequence INTEGER NOT NULL, digest TEXT NOT NULL)",
    """CREATE TABLE snapshot (
        sandbox TEXT PRIMARY KEY, sequence INTEGER NOT NULL, digest TEXT NOT NULL, format TEXT NOT NULL,
        parts TEXT NOT NULL
    )""",
    """CREATE TABLE part (
        sandbox TEXT NOT NULL, digest TEXT NOT NULL, content BLOB NOT NULL, PRIMARY KEY (sandbox, digest)
    )""",
    "CREATE TABLE format (format TEXT NOT NULL)",
)

_log = logging.getLogger(__name__)

R = TypeVar("R")
T = TypeVar("T")


class SqliteArchive:
    """The file is opened, and made, by the first call. All calls come from one event loop."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._connection: sqlite3.Connection | None = None
        self._anew: set[str] | None = None
        """Which sandboxes began anew since the file was found damaged; None as long as it was not."""
        self._shelves = Shelves()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="sqlite-archive")

    async def mark(self, sandbox: str) -> Mark | None:
        return await self._ask(sandbox, partial(_mark, sandbox=sandbox), begins=True)

    async def write(self, sandbox: str, rows: Sequence[Row], mark: Mark) -> None:
        group = Group(sandbox)
        for first in range(0, len(rows), ROWS_PER_TURN):
            group.add(rows[first : first + ROWS_PER_TURN])
            await asyncio.sleep(0)
        for _ in group.pack():
            await asyncio.sleep(0)
        await self._ask(sandbox, partial(self._write, sandbox=sandbox, group=group, mark=mark))

    async def select(self, sandbox: str, engine: str, kind: type[R], query: Query) -> list[R]:
        place = Place(sandbox, engine, query.account, query.scope)
        found = await self._ask(sandbox, partial(self._select, place=place, kind=kind, query=query))
        with _translated(self.path):
            return [decode_row(kind, one) if isinstance(one, str) else one for one in found]

    async def scan(self, sandbox: str, kind: type[R]) -> AsyncIterator[tuple[str, R]]:
        after: Found | None = None
        is_more = True
        while is_more:
            page = partial(sqlite_records.page, sandbox=sandbox, kind=kind, after=after)
            listed, is_more = await self._ask(sandbox, page)
            for after in listed:
                with _translated(self.path):
                    records = records_of(kind, after)
                for record in records:
                    yield after.engine, record

    async def save(self, sandbox: str, mark: Mark, format: str, parts: Iterable[bytes]) -> None:
        digests: list[str] = []
        drawn = iter(parts)
        # One at a time, so that what is written and asked for meanwhile need not wait for all of it.
        while await self._ask(sandbox, partial(_keep_part, sandbox=sandbox, parts=drawn, digests=digests)):
            pass
        await self._ask(
            sandbox, partial(_keep_snapshot, sandbox=sandbox, mark=mark, format=format, digests=digests)
        )

    async def snapshot(self, sandbox: str) -> Snapshot | None:
        found = await self._named(sandbox)
        while found is not None:
            mark, format, digests = found
            parts = [
                await self._ask(sandbox, partial(_part, sandbox=sandbox, digest=digest)) for digest in digests
            ]
            whole = [part for part in parts if part is not None]
            if len(whole) == len(parts):
                return Snapshot(mark, format, whole)
            before, found = found, await self._named(sandbox)
            if found == before:
                _log.warning("%s: the snapshot of %s is damaged and not used", self.path, sandbox)
                # The next one must not take a damaged part for one that is there already.
                await self._ask(sandbox, partial(_drop_snapshot, sandbox=sandbox))
                return None
            # It was replaced while it was read.
        return None

    async def _named(self, sandbox: str) -> tuple[Mark, str, list[str]] | None:
        return await self._ask(sandbox, partial(_snapshot, sandbox=sandbox))

    async def forget(self, sandbox: str) -> None:
        await self._ask(sandbox, partial(self._forget, sandbox=sandbox), begins=True)

    async def close(self) -> None:
        """What was asked for is done first."""
        thread = self._thread
        await asyncio.get_running_loop().run_in_executor(thread, self._end)
        thread.shutdown(wait=False)

    async def _ask(self, sandbox: str, do: Callable[[sqlite3.Connection], T], *, begins: bool = False) -> T:
        """begins: whether the sandbox relies on nothing that was there before."""
        return await asyncio.get_running_loop().run_in_executor(
            self._thread, partial(self._do, sandbox, do, begins=begins)
        )

    # In the thread

    def _do(self, sandbox: str, do: Callable[[sqlite3.Connection], T], *, begins: bool) -> T:
        with _translated(self.path):
            if self._anew is not None and sandbox not in self._anew:
                if not begins:
                    raise self._lost()
                self._anew.add(sandbox)
            if self._connection is None:
                self._connection = _open(self.path)
            try:
                return do(self._connection)
            except BaseException as error:
                self._shelves.forget()
                if not isinstance(error, sqlite3.DatabaseError) or not _is_damaged(error):
                    raise
                self._end()
                self._anew = set()
                _put_aside(self.path)
                raise self._lost() from error

    def _write(self, connection: sqlite3.Connection, *, sandbox: str, group: Group, mark: Mark) -> None:
        with transaction(connection):
            group.write(connection, self._shelves)
            connection.execute(
                "INSERT OR REPLACE INTO mark VALUES (?, ?, ?)", (sandbox, mark.sequence, mark.digest)
            )

    def _select(
        self, connection: sqlite3.Connection, *, place: Place, kind: type[Any], query: Query
    ) -> Sequence[Any]:
        """As they are written, or as they are."""
        shelf = self._shelves.find(connection, place)
        if shelf is None:
            return ()
        if kind is LedgerEntry:
            return sqlite_records.select_entries(connection, shelf, query)
        return sqlite_records.select(connection, shelf, kind, query)

    def _forget(self, connection: sqlite3.Connection, *, sandbox: str) -> None:
        with transaction(connection):
            # The mark goes first should this be read without its transaction.
            for table in ("mark", "snapshot", "part"):
                connection.execute(f"DELETE FROM {table} WHERE sandbox = ?", (sandbox,))
            sqlite_records.forget(connection, self._shelves, sandbox)

    def _lost(self) -> ArchiveLost:
        return ArchiveLost(f"{self.path} was damaged and is put aside: the next start makes it anew")

    def _end(self) -> None:
        self._shelves.forget()
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(sqlite3.Error):
                connection.close()


def _mark(connection: sqlite3.Connection, *, sandbox: str) -> Mark | None:
    row = connection.execute("SELECT sequence, digest FROM mark WHERE sandbox = ?", (sandbox,)).fetchone()
    return None if row is None else Mark(*row)


def _keep_part(
    connection: sqlite3.Connection, *, sandbox: str, parts: Iterator[bytes], digests: list[str]
) -> bool:
    """Write the next part unless it is there; False when there is none."""
    for part in islice(parts, 1):
        digest = _digest(part)
        digests.append(digest)
        connection.execute("INSERT OR IGNORE INTO part VALUES (?, ?, ?)", (sandbox, digest, part))
        return True
    return False


def _keep_snapshot(
    connection: sqlite3.Connection, *, sandbox: str, mark: Mark, format: str, digests: list[str]
) -> None:
    listed = msgspec.json.encode(digests).decode()
    with transaction(connection):
        connection.execute(
            "INSERT OR REPLACE INTO snapshot VALUES (?, ?, ?, ?, ?)",
            (sandbox, mark.sequence, mark.digest, format, listed),
        )
        connection.execute(
            "DELETE FROM part WHERE sandbox = ? AND digest NOT IN (SELECT value FROM json_each(?))",
            (sandbox, listed),
        )


def _snapshot(connection: sqlite3.Connection, *, sandbox: str) -> tuple[Mark, str, list[str]] | None:
    row = connection.execute(
        "SELECT sequence, digest, format, parts FROM snapshot WHERE sandbox = ?", (sandbox,)
    ).fetchone()
    if row is None:
        return None
    return Mark(row[0], row[1]), row[2], msgspec.json.decode(row[3], type=list[str])


def _part(connection: sqlite3.Connection, *, sandbox: str, digest: str) -> bytes | None:
    """None where it is missing or not what it was."""
    row = connection.execute(
        "SELECT content FROM part WHERE sandbox = ? AND digest = ?", (sandbox, digest)
    ).fetchone()
    return row[0] if row is not None and _digest(row[0]) == digest else None


def _drop_snapshot(connection: sqlite3.Connection, *, sandbox: str) -> None:
    with transaction(connection):
        for table in ("snapshot", "part"):
            connection.execute(f"DELETE FROM {table} WHERE sandbox = ?", (sandbox,))


def _digest(part: bytes) -> str:
    return hashlib.blake2b(part, digest_size=16).hexdigest()


def _open(path: Path) -> sqlite3.Connection:
    """The file, made if it is not there, and made anew if it cannot be used any more."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        return _connect(path)
    except sqlite3.DatabaseError as error:
        if not _is_damaged(error):
            raise
    except _AnotherFormat:
        _remove(path)
        return _connect(path)
    _put_aside(path)
    return _connect(path)


class _AnotherFormat(Exception):
    """The file was written by a release whose records looked differently."""


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=BUSY_MS / 1000, isolation_level=None, check_same_thread=False)
    try:
        (objects,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        (application,) = connection.execute("PRAGMA application_id").fetchone()
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if objects and application != APPLICATION_ID:
            raise ArchiveUnavailable(f"{path} is a database, but not an archive: move it away")
        if objects and (
            version != SCHEMA_VERSION
            or connection.execute("SELECT format FROM format").fetchone() != (FORMAT,)
        ):
            raise _AnotherFormat
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        if not objects:
            with transaction(connection):
                for statement in _SCHEMA:
                    connection.execute(statement)
                connection.execute("INSERT INTO format VALUES (?)", (FORMAT,))
                connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
                connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    except BaseException:
        connection.close()
        raise
    return connection


def _is_damaged(error: sqlite3.DatabaseError) -> bool:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def _put_aside(path: Path) -> None:
    aside = path.with_name(path.name + ".damaged")
    _log.warning("%s is damaged: moved to %s and made anew from the journal", path, aside.name)
    path.replace(aside)
    _remove(path)


def _remove(path: Path) -> None:
    for name in (path.name, path.name + "-wal", path.name + "-shm"):
        path.with_name(name).unlink(missing_ok=True)


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    """Says which file it was, in the port's own error."""
    try:
        yield
    except sqlite3.Error as error:
        raise ArchiveUnavailable(f"{path}: {error}") from error
    except Damaged as error:
        raise ArchiveDamaged(f"{path}: {error}") from error
    except OSError as error:
        raise ArchiveUnavailable(f"{error.filename or path}: {error.strerror}") from error
