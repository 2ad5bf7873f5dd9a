"""The archive in an SQLite file beside the journal: what may be deleted, and is then made anew.

Many rows go into one statement: one for each would wait for the interpreter once a row, and hold up
whoever answers requests. What the file holds is whole up to its mark after any crash, though the newest
of it may be lost, as then is the mark; so the disk need not be waited for.

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
from typing import Any, NamedTuple, TypeVar, cast

import msgspec

from emulator.core.history import Key, Query
from emulator.runtime.archive import (
    FORMAT,
    TABLES,
    ArchiveDamaged,
    ArchiveLost,
    ArchiveRecord,
    ArchiveUnavailable,
    Mark,
    Row,
    Snapshot,
    archive_key,
    decode_record,
    encode_record,
)
from emulator.storage.sqlite_file import transaction

APPLICATION_ID = 0x454D5541
"""Says in the file's header whose it is."""
SCHEMA_VERSION = 1
ROWS_PER_TURN = 100
"""Rows that are looked at, or encoded, before other tasks get a turn."""
ROWS_PER_PAGE = 500
"""Of a table that is read whole."""
ROWS_PER_STATEMENT = (100, 10, 1)
COLUMNS = 9
BUSY_MS = 2_000
NUMBER_MAX = (1 << 63) - 1

_ROW = f"({', '.join('?' * COLUMNS)})"
_KEY = "sandbox, engine, account, scope, id"
_TABLE = f"""CREATE TABLE {{table}} (
    sandbox TEXT NOT NULL, engine TEXT NOT NULL, account INTEGER NOT NULL, scope TEXT NOT NULL,
    id INTEGER NOT NULL, part INTEGER NOT NULL, time_us INTEGER NOT NULL, label TEXT NOT NULL,
    record TEXT NOT NULL, PRIMARY KEY ({_KEY}, part)
) WITHOUT ROWID"""
_BY_TIME = ("orders", "trades", "order_lists", "movements", "incomes")
_BY_LABEL = ("orders", "order_lists", "incomes")
_BY_PART = ("trades", "amendments", "prevented_matches", "incomes")

_SCHEMA = (
    *(_TABLE.format(table=table) for table in TABLES.values()),
    *(
        f"CREATE INDEX {table}_by_time ON {table} (sandbox, engine, account, scope, time_us, id)"
        for table in _BY_TIME
    ),
    *(
        f"CREATE INDEX {table}_by_label ON {table} (sandbox, engine, account, scope, label, id)"
        " WHERE label <> ''"
        for table in _BY_LABEL
    ),
    *(
        f"CREATE INDEX {table}_by_part ON {table} (sandbox, engine, account, scope, part, id)"
        for table in _BY_PART
    ),
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

_ORDER = "id DESC, part DESC", "id, part"

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
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="sqlite-archive")

    async def mark(self, sandbox: str) -> Mark | None:
        return await self._ask(sandbox, partial(_mark, sandbox=sandbox), begins=True)

    async def write(self, sandbox: str, rows: Sequence[Row], mark: Mark) -> None:
        newest: dict[tuple[Any, ...], tuple[Row, Key]] = {}
        for place, row in enumerate(rows, 1):
            key = archive_key(row.record)
            newest[type(row.record), row.engine, *key[:4]] = (row, key)
            if place % ROWS_PER_TURN == 0:
                await asyncio.sleep(0)
        values: dict[str, list[Any]] = {}
        gone: list[tuple[str, tuple[Any, ...]]] = []
        for place, (row, key) in enumerate(newest.values(), 1):
            table = TABLES[type(row.record)]
            if row.is_gone:
                gone.append((table, (sandbox, row.engine, *key[:4])))
            else:
                record = encode_record(row.record).decode()
                values.setdefault(table, []).extend((sandbox, row.engine, *key, record))
            if place % ROWS_PER_TURN == 0:
                await asyncio.sleep(0)
        await self._ask(sandbox, partial(_write, sandbox=sandbox, values=values, gone=gone, mark=mark))

    async def select(self, sandbox: str, engine: str, kind: type[R], query: Query) -> list[R]:
        texts = await self._ask(
            sandbox, partial(_select, sandbox=sandbox, engine=engine, table=TABLES[kind], query=query)
        )
        try:
            return [decode_record(kind, text) for text in texts]
        except msgspec.MsgspecError as error:
            raise ArchiveDamaged(f"{self.path}: {TABLES[kind]}: {error}") from error

    async def scan(self, sandbox: str, kind: type[R]) -> AsyncIterator[tuple[str, R]]:
        table, after = TABLES[kind], None
        while True:
            rows = await self._ask(sandbox, partial(_page, sandbox=sandbox, table=table, after=after))
            for row in rows:
                record = self._record_of(kind, row)
                yield row.engine, record
            if len(rows) < ROWS_PER_PAGE:
                return
            after = rows[-1][:5]

    def _record_of(self, kind: type[R], row: _Row) -> R:
        try:
            record = decode_record(kind, row.record)
            key = archive_key(cast("ArchiveRecord", record))
        except msgspec.MsgspecError as error:
            raise ArchiveDamaged(f"{self.path}: {TABLES[kind]}: {row.record[:200]!r}: {error}") from error
        if key != row[1:7]:
            raise ArchiveDamaged(
                f"{self.path}: {TABLES[kind]}: under {row[1:7]} is the record of {tuple(key)}"
            )
        return record

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
        await self._ask(sandbox, partial(_forget, sandbox=sandbox), begins=True)

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
            except sqlite3.DatabaseError as error:
                if not _is_damaged(error):
                    raise
                self._end()
                self._anew = set()
                _put_aside(self.path)
                raise self._lost() from error

    def _lost(self) -> ArchiveLost:
        return ArchiveLost(f"{self.path} was damaged and is put aside: the next start makes it anew")

    def _end(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(sqlite3.Error):
                connection.close()


def _write(
    connection: sqlite3.Connection,
    *,
    sandbox: str,
    values: dict[str, list[Any]],
    gone: list[tuple[str, tuple[Any, ...]]],
    mark: Mark,
) -> None:
    with transaction(connection):
        for table, listed in values.items():
            at = 0
            for rows in ROWS_PER_STATEMENT:
                statement = f"INSERT OR REPLACE INTO {table} VALUES {', '.join([_ROW] * rows)}"
                while len(listed) - at >= rows * COLUMNS:
                    connection.execute(statement, listed[at : at + rows * COLUMNS])
                    at += rows * COLUMNS
        for table, key in gone:
            connection.execute(f"DELETE FROM {table} WHERE ({_KEY}, part) = (?, ?, ?, ?, ?, ?)", key)
        connection.execute(
            "INSERT OR REPLACE INTO mark VALUES (?, ?, ?)", (sandbox, mark.sequence, mark.digest)
        )


def _mark(connection: sqlite3.Connection, *, sandbox: str) -> Mark | None:
    row = connection.execute("SELECT sequence, digest FROM mark WHERE sandbox = ?", (sandbox,)).fetchone()
    return None if row is None else Mark(*row)


def _select(
    connection: sqlite3.Connection, *, sandbox: str, engine: str, table: str, query: Query
) -> list[str]:
    conditions = ["sandbox = ?", "engine = ?", "account = ?", "scope = ?"]
    values: list[Any] = [sandbox, engine, query.account, query.scope]
    for condition, value in (
        ("id >= ?", query.first_id),
        ("id <= ?", query.last_id),
        ("time_us >= ?", query.start_us),
        ("time_us <= ?", query.end_us),
        ("part = ?", query.part),
        ("label = ?", query.label),
    ):
        if value is not None:
            conditions.append(condition)
            # Beyond what a column holds nothing lies, so its end says the same.
            values.append(max(-NUMBER_MAX, min(value, NUMBER_MAX)) if isinstance(value, int) else value)
    if query.label:
        conditions.append("label <> ''")
    order = _ORDER[0] if query.newest else _ORDER[1]
    found = connection.execute(
        f"SELECT record FROM {table} WHERE {' AND '.join(conditions)} ORDER BY {order} LIMIT ?",
        (*values, query.limit),
    )
    texts = [text for (text,) in found]
    return texts[::-1] if query.newest else texts


class _Row(NamedTuple):
    """A record and the columns that find it, in the order of the table's key."""

    engine: str
    account: int
    scope: str
    id: int
    part: int
    time_us: int
    label: str
    record: str


def _page(
    connection: sqlite3.Connection, *, sandbox: str, table: str, after: tuple[Any, ...] | None
) -> list[_Row]:
    """The next rows of a sandbox, in the order of their keys."""
    following = "" if after is None else "AND (engine, account, scope, id, part) > (?, ?, ?, ?, ?)"
    found = connection.execute(
        f"SELECT {', '.join(_Row._fields)} FROM {table} WHERE sandbox = ? {following}"
        f" ORDER BY engine, account, scope, id, part LIMIT {ROWS_PER_PAGE}",
        (sandbox, *(after or ())),
    )
    return [_Row(*row) for row in found]


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


def _forget(connection: sqlite3.Connection, *, sandbox: str) -> None:
    with transaction(connection):
        # The mark goes first should this be read without its transaction.
        for table in ("mark", "snapshot", "part", *TABLES.values()):
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
    except OSError as error:
        raise ArchiveUnavailable(f"{error.filename or path}: {error.strerror}") from error
