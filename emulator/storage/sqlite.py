"""The journal in an SQLite file: what is acknowledged survives the process and the machine's power.

One thread owns the connection. Everything that is asked for while it commits joins its next
transaction, so a slow disk costs latency, not throughput. A transaction is on the disk before anybody
hears of it (WAL, synchronous FULL).

A file is open in one process only (see sqlite_file). Should two have it all the same, on a file system
that knows no locks, a stream still has one writer: an entry's number is unique, so whoever comes
second fails, and is told who holds the stream.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import sqlite3
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import nullcontext, suppress
from functools import partial
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Event, Thread
from typing import Any, NamedTuple, TypeVar

import msgspec

from emulator.runtime.journal_format import decode_batch, encode_batch
from emulator.runtime.ports import Batch, JournalConflict
from emulator.storage.sqlite_file import LOOK_EVERY_S, SqliteFile, transaction, translated

BATCHES_PER_READ = 500
GROUP_MAX = 1_000
"""Batches in one transaction."""
CLOSE_S_MAX = 5.0
"""How long a disk that does not answer holds up the end of the process."""

_log = logging.getLogger(__name__)

T = TypeVar("T")


class _Append(NamedTuple):
    batch: Batch
    done: asyncio.Future[None]


class _Job(NamedTuple):
    do: Callable[[sqlite3.Connection], Any]
    writes: bool
    done: asyncio.Future[Any]


class _End(NamedTuple):
    ended: Event


class SqliteJournal:
    """The file is opened, and made, by the first call. All calls come from one event loop.

    look_every_s: how soon it is noticed under load that the file is gone.
    Any call raises JournalTaken while another process has the file, JournalUnavailable while the disk
    refuses, and JournalCorrupt when the file is damaged or is none of ours.
    """

    def __init__(self, path: Path, *, look_every_s: float = LOOK_EVERY_S) -> None:
        self.path = path
        self._look_every_s = look_every_s
        self._jobs: SimpleQueue[_Append | _Job | _End] = SimpleQueue()
        self._thread: Thread | None = None
        self._file: SqliteFile | None = None
        self._streams: dict[str, tuple[int, int]] = {}
        """Of each stream that this process writes: its id and its last sequence."""
        self._writer = f"process {os.getpid()} on {socket.gethostname()}"

    async def append(self, batch: Batch) -> None:
        written: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._put(_Append(batch, written))
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
        """Everything that was asked for is done first, unless the disk takes too long."""
        thread, self._thread = self._thread, None
        if thread is not None:
            ended = Event()
            self._jobs.put(_End(ended))
            if not await asyncio.to_thread(ended.wait, CLOSE_S_MAX):
                _log.error("%s: the disk does not answer; not waiting for it any longer", self.path)

    async def _ask(self, do: Callable[[sqlite3.Connection], T], *, writes: bool = False) -> T:
        done: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._put(_Job(do, writes, done))
        return await done

    def _put(self, job: _Append | _Job) -> None:
        self._jobs.put(job)
        if self._thread is None:
            # It must not keep the interpreter alive: what is acknowledged is on the disk.
            self._thread = Thread(target=self._work, name="sqlite-journal", daemon=True)
            self._thread.start()

    # In the thread

    def _work(self) -> None:
        while True:
            appends, other = self._next_jobs()
            if appends:
                self._append_all(appends)
            if isinstance(other, _Job):
                self._do(other)
            elif other is not None:
                self._end(other)
                return

    def _next_jobs(self) -> tuple[list[_Append], _Job | _End | None]:
        """Waits for one; batches that wait come together, up to the first job of another kind."""
        appends: list[_Append] = []
        job = self._jobs.get()
        with suppress(Empty):
            while isinstance(job, _Append):
                appends.append(job)
                if len(appends) == GROUP_MAX:
                    break
                job = self._jobs.get_nowait()
            else:
                return appends, job
        return appends, None

    def _append_all(self, appends: list[_Append]) -> None:
        try:
            file = self._opened()
        except Exception as error:
            _answer(appends, error)
            return
        # One statement is a transaction by itself, and each further one waits for the interpreter.
        is_one_statement = len(appends) == 1 and appends[0].batch.sandbox in self._streams
        try:
            with translated(self.path), nullcontext() if is_one_statement else transaction(file.connection):
                for append in appends:
                    self._insert(file.connection, append.batch)
            file.check()
        except Exception as error:
            # Whether it was committed is not known, and neither is who else wrote.
            self._streams.clear()
            if len(appends) == 1:
                _answer(appends, error)
            else:
                # One that conflicts must not take the others with it.
                for append in appends:
                    self._append_all([append])
            return
        _answer(appends, None)

    def _do(self, job: _Job) -> None:
        try:
            file = self._opened()
            with translated(self.path), transaction(file.connection) if job.writes else nullcontext():
                outcome = job.do(file.connection)
            if job.writes:
                file.check()
        except Exception as error:
            _answer([job], error)
        else:
            _answer([job], None, outcome)

    def _opened(self) -> SqliteFile:
        if self._file is None:
            self._file = SqliteFile(self.path, self._writer, look_every_s=self._look_every_s)
        elif self._file.is_lost:
            self._file.check()
        return self._file

    def _end(self, end: _End) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None
        self._streams.clear()
        end.ended.set()

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


def _names(connection: sqlite3.Connection) -> tuple[str, ...]:
    return tuple(name for (name,) in connection.execute("SELECT name FROM stream ORDER BY id"))


def _last_sequence(connection: sqlite3.Connection, sandbox: str) -> int:
    (last,) = connection.execute(
        "SELECT max(sequence) FROM entry WHERE stream = (SELECT id FROM stream WHERE name = ?)", (sandbox,)
    ).fetchone()
    return last or 0


def _read(connection: sqlite3.Connection, sandbox: str, after: int, last: int) -> list[Batch]:
    rows = connection.execute(
        "SELECT sequence, batch FROM entry WHERE stream = (SELECT id FROM stream WHERE name = ?)"
        " AND sequence > ? AND sequence <= ? ORDER BY sequence LIMIT ?",
        (sandbox, after, last, BATCHES_PER_READ),
    )
    return [
        msgspec.structs.replace(decode_batch(entry, name=f"{sandbox}: entry {sequence}"), sandbox=sandbox)
        for sequence, entry in rows
    ]


def _writer(connection: sqlite3.Connection, stream: int) -> str:
    row = connection.execute("SELECT writer FROM stream WHERE id = ?", (stream,)).fetchone()
    return "another process" if row is None else str(row[0])


def _answer(jobs: Sequence[_Append | _Job], error: Exception | None, outcome: Any = None) -> None:
    """Settle what is waited for, all of it in one turn of the loop."""
    futures: list[asyncio.Future[Any]] = [job.done for job in jobs]

    def settle() -> None:
        for future in futures:
            if future.done():
                continue
            if error is None:
                future.set_result(outcome)
            else:
                future.set_exception(error)

    # The loop may have been closed while the disk worked.
    with suppress(RuntimeError):
        futures[0].get_loop().call_soon_threadsafe(settle)
