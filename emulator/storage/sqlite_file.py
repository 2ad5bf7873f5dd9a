"""The file of the SQLite journal: opened by one process at a time, and missed when it is taken away.

A lock file beside it keeps a second process out. The system frees the lock when its holder ends,
however it ends, so there is nothing to clear away after a crash; the holder's name in it is for people.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic

from emulator.runtime.ports import JournalCorrupt, JournalTaken, JournalUnavailable

SCHEMA_VERSION = 2
APPLICATION_ID = 0x454D554C
"""Says in the file's header whose it is."""
BUSY_MS = 2_000
"""How long a lock of somebody who looks into the file is waited for; then the sequencer tries again."""
HOLDER_MAX = 200
LOOK_EVERY_S = 0.1
"""Under load. A look costs two turns of the interpreter, which are dear when others want them too."""

_SCHEMA = (
    "CREATE TABLE stream (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, writer TEXT NOT NULL)",
    # An entry is a few hundred bytes, so it is kept in the index itself.
    """CREATE TABLE entry (
        stream INTEGER NOT NULL REFERENCES stream (id), sequence INTEGER NOT NULL, batch BLOB NOT NULL,
        PRIMARY KEY (stream, sequence)
    ) WITHOUT ROWID""",
)
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


class SqliteFile:
    """An open file. holder: who opens it, in words that another process can show to its user.

    look_every_s: how often at most it is looked whether the file is still there.
    Raises JournalTaken, JournalCorrupt and JournalUnavailable, and has then changed nothing.
    """

    def __init__(self, path: Path, holder: str, *, look_every_s: float = LOOK_EVERY_S) -> None:
        self.path = path
        self._look_every_s = look_every_s
        with translated(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            self._lock = _lock(path, holder)
            try:
                self.connection = _connect(path)
            except BaseException:
                os.close(self._lock)
                raise
            self._identity = self._look()
        self._looked = monotonic()
        self.is_lost = False
        """Whether what lies under the path was not this file when it was last looked at."""

    def check(self) -> None:
        """Raise JournalUnavailable unless what is written here is what the next start will find.

        A file that was deleted, or moved away, takes writes as before, and nobody ever reads them.
        """
        now = monotonic()
        if not self.is_lost and now < self._looked + self._look_every_s:
            return
        self._looked = now
        self.is_lost = True
        if self._look() != self._identity:
            raise JournalUnavailable(
                f"{self.path} or its -wal file was deleted, moved or replaced while it is in use:"
                " put them back, or start again with what is there"
            )
        self.is_lost = False

    def close(self) -> None:
        # SQLite leaves alone what lies under the path if it is another file by now.
        with suppress(sqlite3.Error):
            self.connection.close()
        os.ftruncate(self._lock, 0)
        os.close(self._lock)

    def _look(self) -> list[tuple[int, int] | None]:
        return [_identity(self.path), _identity(self.path.with_name(self.path.name + "-wal"))]


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Says which file it was, in the port's own errors."""
    try:
        yield
    except sqlite3.Error as error:
        # Errors of the module itself have no code.
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        kind = JournalCorrupt if code in _DAMAGED else JournalUnavailable
        raise kind(f"{path}: {error}") from error
    except OSError as error:
        raise JournalUnavailable(f"{error.filename or path}: {error.strerror}") from error


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
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


def _lock(path: Path, holder: str) -> int:
    # Not the file itself: closing any descriptor of it would drop SQLite's own locks.
    lock = os.open(path.with_name(path.name + ".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.ftruncate(lock, 0)
        os.pwrite(lock, holder.encode(), 0)
    except BlockingIOError as error:
        other = os.pread(lock, HOLDER_MAX, 0).decode(errors="replace") or "another process"
        os.close(lock)
        raise JournalTaken(
            f"{path} is in use by {other}: stop that first, or choose another data directory"
        ) from error
    except BaseException:
        os.close(lock)
        raise
    return lock


def _connect(path: Path) -> sqlite3.Connection:
    if path.exists() and not os.access(path, os.W_OK):
        # SQLite would open it all the same, and fail at the first entry.
        raise JournalUnavailable(f"{path}: this file may not be written")
    connection = sqlite3.connect(path, timeout=BUSY_MS / 1000, isolation_level=None)
    try:
        # Before anything is changed: it may be somebody else's.
        is_new = _check_kind(connection, path)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        with transaction(connection):
            if is_new:
                for statement in _SCHEMA:
                    connection.execute(statement)
                connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
                connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    except BaseException:
        connection.close()
        raise
    return connection


def _check_kind(connection: sqlite3.Connection, path: Path) -> bool:
    """Whether the file is empty. Raises JournalCorrupt for one that is no journal of this version."""
    (objects,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if not (objects or application or version):
        return True
    if version != SCHEMA_VERSION:
        raise JournalCorrupt(f"{path} has the schema {version}, expected {SCHEMA_VERSION}")
    if application != APPLICATION_ID:
        raise JournalCorrupt(f"{path} is a database, but not a journal")
    return False


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino
