"""The journal in an SQLite file: what is acknowledged survives the process and the machine's power.

One thread owns the connection. Everything that is asked for while it commits joins its next
transaction, so a slow disk costs latency, not throughput. A transaction is on the disk before anybody
hears of it (WAL, synchronous FULL).

The file may be opened by several processes, but a stream has one writer: an entry's number is unique,
so whoever comes second fails, and is told who holds the stream.
"""

from __future__ import annotations

import asyncio
import os
import socket
import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from functools import partial
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any, NamedTuple, TypeVar

import msgspec

from emulator.runtime.ports import Batch, JournalConflict, JournalCorrupt, decode_batch, encode_batch

SCHEMA_VERSION = 1
BUSY_MS = 2_000
"""How long a lock of another process is waited for; after that the sequencer tries again."""
BATCHES_PER_READ = 500
GROUP_MAX = 1_000
"""Batches in one transaction."""

_SCHEMA = (
    "CREATE TABLE stream (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, writer TEXT NOT NULL)",
    # An entry is a few hundred bytes, so it is kept in the index itself.
    """CREATE TABLE entry (
        stream INTEGER NOT NULL REFERENCES stream (id), sequence INTEGER NOT NULL, batch BLOB NOT NULL,
        PRIMARY KEY (stream, sequence)
    ) WITHOUT ROWID""",
)

T = TypeVar("T")


class _Append(NamedTuple):
    batch: Batch
    loop: asyncio.AbstractEventLoop
    written: asyncio.Future[None]


class _Job(NamedTuple):
    do: Callable[[sqlite3.Connection], Any]
    writes: bool
    loop: asyncio.AbstractEventLoop
    done: asyncio.Future[Any]


class SqliteJournal:
    """The file is opened, and made, by the first call. All calls come from one event loop."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._jobs: SimpleQueue[_Append | _Job | None] = SimpleQueue()
        self._thread: Thread | None = None
        self._streams: dict[str, tuple[int, int]] = {}
        """Of each stream that this process writes: its id and its last sequence."""
        self._writer = f"process {os.getpid()} on {socket.gethostname()}"

    async def append(self, batch: Batch) -> None:
        loop = asyncio.get_running_loop()
        written: asyncio.Future[None] = loop.create_future()
        self._put(_Append(batch, loop, written))
        await written

    async def read(self, sandbox: str, after_sequence: int = 0) -> AsyncIterator[Batch]:
        last = await self._ask(partial(_last_sequence, sandbox=sandbox))
        at = after_sequence
        while at < last:
            batches = await self._ask(partial(_read, sandbox=sandbox, after=at, last=last))
            if not batches:
                return  # It was forgotten meanwhile.
            for batch in batches:
                yield batch
            at = batches[-1].sequence

    async def sandboxes(self) -> Sequence[str]:
        return await self._ask(_names)

    async def copy(self, source: str, target: str, through_sequence: int) -> None:
        await self._ask(
            partial(self._copy, source=source, target=target, through=through_sequence), writes=True
        )

    async def forget(self, sandbox: str) -> None:
        await self._ask(partial(self._forget, sandbox=sandbox), writes=True)

    async def close(self) -> None:
        """Everything that was asked for is done first."""
        thread, self._thread = self._thread, None
        if thread is not None:
            self._jobs.put(None)
            await asyncio.to_thread(thread.join)

    async def _ask(self, do: Callable[[sqlite3.Connection], T], *, writes: bool = False) -> T:
        loop = asyncio.get_running_loop()
        done: asyncio.Future[T] = loop.create_future()
        self._put(_Job(do, writes, loop, done))
        return await done

    def _put(self, job: _Append | _Job) -> None:
        self._jobs.put(job)
        if self._thread is None:
            # It must not keep the interpreter alive: what is acknowledged is on the disk.
            self._thread = Thread(target=self._work, name="sqlite-journal", daemon=True)
            self._thread.start()

    # In the thread

    def _work(self) -> None:
        connection: sqlite3.Connection | None = None
        while True:
            jobs = self._next_jobs()
            ends = None in jobs
            asked = [job for job in jobs if job is not None]
            try:
                if connection is None and asked:
                    connection = _connect(self.path)
            except Exception as error:
                for job in asked:
                    _answer(job, error)
            else:
                if connection is not None:
                    self._do_all(connection, asked)
            if ends:
                if connection is not None:
                    connection.close()
                return

    def _next_jobs(self) -> list[_Append | _Job | None]:
        """At least one; batches that wait come together, everything else alone."""
        jobs = [self._jobs.get()]
        with suppress(Empty):
            while isinstance(jobs[-1], _Append) and len(jobs) < GROUP_MAX:
                jobs.append(self._jobs.get_nowait())
        return jobs

    def _do_all(self, connection: sqlite3.Connection, jobs: list[_Append | _Job]) -> None:
        appends = [job for job in jobs if isinstance(job, _Append)]
        if appends:
            self._append_all(connection, appends)
        for job in jobs:
            if isinstance(job, _Job):
                try:
                    with _transaction(connection) if job.writes else nullcontext():
                        outcome = job.do(connection)
                except Exception as error:
                    _answer(job, error)
                else:
                    _answer(job, None, outcome)

    def _append_all(self, connection: sqlite3.Connection, appends: list[_Append]) -> None:
        try:
            with _transaction(connection):
                for append in appends:
                    self._insert(connection, append.batch)
        except Exception as error:
            # Whether it was committed is not known, and neither is who else wrote.
            self._streams.clear()
            if len(appends) == 1:
                _answer(appends[0], error)
            else:
                # One that conflicts must not take the others with it.
                for append in appends:
                    self._append_all(connection, [append])
            return
        for append in appends:
            _answer(append, None)

    def _insert(self, connection: sqlite3.Connection, batch: Batch) -> None:
        known = self._streams.get(batch.sandbox)
        if known is None:
            known = self._open_stream(connection, batch)
        stream, last = known
        if batch.sequence != last + 1:
            raise JournalConflict(f"{batch.sandbox}: entry {batch.sequence} does not follow entry {last}")
        encoded = encode_batch(msgspec.structs.replace(batch, sandbox=""))
        try:
            connection.execute("INSERT INTO entry VALUES (?, ?, ?)", (stream, batch.sequence, encoded))
        except sqlite3.IntegrityError as error:
            raise JournalConflict(
                f"{batch.sandbox}: entry {batch.sequence} was written by {_writer(connection, stream)}"
            ) from error
        self._streams[batch.sandbox] = (stream, batch.sequence)

    def _open_stream(self, connection: sqlite3.Connection, batch: Batch) -> tuple[int, int]:
        """Its id and last sequence. Who follows on the last entry becomes the writer."""
        row = connection.execute(
            "SELECT id, (SELECT max(sequence) FROM entry WHERE stream = id) FROM stream WHERE name = ?",
            (batch.sandbox,),
        ).fetchone()
        if row is None:
            if batch.sequence != 1:
                raise JournalConflict(f"{batch.sandbox}: entry {batch.sequence} does not follow entry 0")
            made = connection.execute(
                "INSERT INTO stream (name, writer) VALUES (?, ?)", (batch.sandbox, self._writer)
            )
            assert made.lastrowid is not None
            return made.lastrowid, 0
        stream, last = row[0], row[1] or 0
        if batch.sequence != last + 1:
            raise JournalConflict(
                f"{batch.sandbox}: entry {batch.sequence} does not follow entry {last},"
                f" written by {_writer(connection, stream)}"
            )
        connection.execute("UPDATE stream SET writer = ? WHERE id = ?", (self._writer, stream))
        return stream, last

    def _copy(self, connection: sqlite3.Connection, source: str, target: str, through: int) -> None:
        self._forget(connection, target)
        made = connection.execute("INSERT INTO stream (name, writer) VALUES (?, ?)", (target, self._writer))
        connection.execute(
            "INSERT INTO entry SELECT ?, sequence, batch FROM entry"
            " WHERE stream = (SELECT id FROM stream WHERE name = ?) AND sequence <= ?",
            (made.lastrowid, source, through),
        )

    def _forget(self, connection: sqlite3.Connection, sandbox: str) -> None:
        self._streams.pop(sandbox, None)
        connection.execute(
            "DELETE FROM entry WHERE stream = (SELECT id FROM stream WHERE name = ?)", (sandbox,)
        )
        connection.execute("DELETE FROM stream WHERE name = ?", (sandbox,))


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Commits, or rolls back what failed."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        # After some errors, such as a full disk, SQLite has done so itself.
        if connection.in_transaction:
            with suppress(sqlite3.Error):
                connection.execute("ROLLBACK")
        raise


def _connect(path: Path) -> sqlite3.Connection:
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(path, timeout=BUSY_MS / 1000, isolation_level=None, check_same_thread=True)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        with _transaction(connection):
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            if version == 0:
                for statement in _SCHEMA:
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
            elif version != SCHEMA_VERSION:
                raise JournalCorrupt(f"{path} has the schema {version}, expected {SCHEMA_VERSION}")
    except BaseException:
        connection.close()
        raise
    return connection


def _names(connection: sqlite3.Connection) -> tuple[str, ...]:
    return tuple(name for (name,) in connection.execute("SELECT name FROM stream ORDER BY id"))


def _last_sequence(connection: sqlite3.Connection, sandbox: str) -> int:
    (last,) = connection.execute(
        "SELECT max(sequence) FROM entry WHERE stream = (SELECT id FROM stream WHERE name = ?)", (sandbox,)
    ).fetchone()
    return last or 0


def _read(connection: sqlite3.Connection, sandbox: str, after: int, last: int) -> list[Batch]:
    rows = connection.execute(
        "SELECT batch FROM entry WHERE stream = (SELECT id FROM stream WHERE name = ?)"
        " AND sequence > ? AND sequence <= ? ORDER BY sequence LIMIT ?",
        (sandbox, after, last, BATCHES_PER_READ),
    )
    return [msgspec.structs.replace(decode_batch(encoded), sandbox=sandbox) for (encoded,) in rows]


def _writer(connection: sqlite3.Connection, stream: int) -> str:
    row = connection.execute("SELECT writer FROM stream WHERE id = ?", (stream,)).fetchone()
    return "another process" if row is None else str(row[0])


def _answer(job: _Append | _Job, error: Exception | None, outcome: Any = None) -> None:
    future: asyncio.Future[Any] = job.written if isinstance(job, _Append) else job.done

    def settle() -> None:
        if future.done():
            return
        if error is None:
            future.set_result(outcome)
        else:
            future.set_exception(error)

    # The loop may have been closed while the disk worked.
    with suppress(RuntimeError):
        job.loop.call_soon_threadsafe(settle)
