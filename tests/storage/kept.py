"""Where archives are kept: to be opened again, and to be changed behind their backs."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, contextmanager
from pathlib import Path
from secrets import token_hex
from typing import Any, Protocol

from pymongo import MongoClient
from pymongo.synchronous.database import Database

from emulator.runtime.archive import Archive
from emulator.storage.mongo import MongoArchive
from emulator.storage.sqlite_archive import SqliteArchive


class Kept(Protocol):
    """One archive's place. Changed only while nobody has it open."""

    def open(self) -> Archive: ...

    def make_foreign(self) -> None:
        """As if a release with other records had written it."""
        ...

    def damage_part(self) -> None:
        """Change what one part of a snapshot holds."""
        ...

    def lose_part(self) -> None:
        """Remove one part of a snapshot."""
        ...

    def stamped_parts(self) -> set[str]:
        """A stamp for each part that is there, which is another one when the part is written again."""
        ...


@asynccontextmanager
async def opened(kept: Kept) -> AsyncIterator[Archive]:
    archive = kept.open()
    try:
        yield archive
    finally:
        await archive.close()


class KeptInFile:
    def __init__(self, path: Path) -> None:
        self._path = path

    def open(self) -> Archive:
        return SqliteArchive(self._path)

    def make_foreign(self) -> None:
        self._do("UPDATE format SET format = 'another'")

    def damage_part(self) -> None:
        self._do("UPDATE part SET content = x'00' WHERE rowid = (SELECT min(rowid) FROM part)")

    def lose_part(self) -> None:
        self._do("DELETE FROM part WHERE rowid = (SELECT min(rowid) FROM part)")

    def stamped_parts(self) -> set[str]:
        with closing(sqlite3.connect(self._path)) as connection:
            return {str(rowid) for (rowid,) in connection.execute("SELECT rowid FROM part")}

    def _do(self, statement: str) -> None:
        with closing(sqlite3.connect(self._path)) as connection, connection:
            assert connection.execute(statement).rowcount == 1


class KeptInMongo:
    def __init__(self, url: str) -> None:
        self._url = url

    def open(self) -> Archive:
        return MongoArchive(self._url)

    def make_foreign(self) -> None:
        with contents(self._url) as database:
            changed = database["archive_format"].update_one({}, {"$set": {"format": "another"}})
            assert changed.modified_count == 1

    def damage_part(self) -> None:
        with contents(self._url) as database:
            changed = database["archive_snapshot_pieces"].update_one({}, {"$set": {"content": b"\0"}})
            assert changed.modified_count == 1

    def lose_part(self) -> None:
        with contents(self._url) as database:
            assert database["archive_snapshot_pieces"].delete_one({}).deleted_count == 1

    def stamped_parts(self) -> set[str]:
        with contents(self._url) as database:
            pieces = database["archive_snapshot_pieces"]
            stamps = set()
            for piece in pieces.find():
                # What is replaced loses a field that its writer does not know.
                stamp = piece.get("stamp", token_hex(8))
                pieces.update_one({"_id": piece["_id"]}, {"$set": {"stamp": stamp}})
                stamps.add(stamp)
            return stamps


@contextmanager
def contents(url: str) -> Iterator[Database[dict[str, Any]]]:
    """The database as others see it."""
    with MongoClient[dict[str, Any]](url) as client:
        yield client.get_default_database()
