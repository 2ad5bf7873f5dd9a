"""The archive in MongoDB, for people and programs that ask for history with their own tools.

Nothing here needs a transaction: whatever is written can be written again, and what says that it is
there is written last. So is the format, whose document also says when the archive was begun: a process
that finds it begun by another one since writes nothing more, because what it wrote before is gone.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from itertools import islice
from secrets import token_hex
from typing import Any, NamedTuple, TypeVar, cast

import msgspec
import pymongo
from beanie import Document, init_beanie
from pymongo import DeleteOne, ReplaceOne
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import DuplicateKeyError

from emulator.core.history import Query
from emulator.runtime.archive import (
    FORMAT,
    ArchiveDamaged,
    ArchiveRecord,
    ArchiveUnavailable,
    Mark,
    Row,
    Snapshot,
)
from emulator.storage.mongo.connection import Database, as_unavailable, connect, shown
from emulator.storage.mongo.documents import (
    ARCHIVED,
    ArchiveFormat,
    ArchiveMark,
    ArchiveSnapshot,
    ArchiveSnapshotPiece,
)
from emulator.storage.mongo.entries import LONG_S, Content
from emulator.storage.mongo.records import document_of, filter_of, id_of, order_of, record_of
from emulator.storage.mongo.snapshots import PIECE_BYTES, Snapshots

R = TypeVar("R")

LAYOUT = 1
"""Of the documents around the records. It changes when they or their indexes do."""
ROWS_PER_WRITE = 200
"""One command. Whoever writes the journal to the same server may have to wait for it."""
ROWS_PER_READ = 500
"""Of a collection that is read whole."""
PREFIX = "archive_"
"""What begins with it is the archive's, and goes when it is begun anew."""

_FORMAT = f"{LAYOUT}/{FORMAT}"
_THE_FORMAT = {"_id": "archive"}


class _Store(NamedTuple):
    """The archive's own collections, which no other archive in the process moves to another database.

    begun: the word that the format had when this process opened it.
    """

    begun: str
    format: AsyncCollection[Content]
    marks: AsyncCollection[Content]
    records: dict[type[Any], AsyncCollection[Content]]
    snapshots: Snapshots


class MongoArchive:
    """Connects at the first call. All calls come from one event loop.

    Every call raises ArchiveUnavailable after some seconds without an answer. piece_bytes: from which
    size on a part of a snapshot is cut into several documents.
    """

    def __init__(self, address: str, *, piece_bytes: int = PIECE_BYTES) -> None:
        """Raises MongoAddressInvalid."""
        self.address = shown(address)
        """For people: without its secrets."""
        self._client, self._database = connect(address)
        self._piece_bytes = piece_bytes
        self._store: _Store | None = None
        self._opening = asyncio.Lock()

    async def mark(self, sandbox: str) -> Mark | None:
        with as_unavailable(self.address, ArchiveUnavailable):
            store = await self._opened()
            found = await store.marks.find_one({"_id": sandbox})
        return None if found is None else Mark(found["sequence"], found["digest"])

    async def write(self, sandbox: str, rows: Sequence[Row], mark: Mark) -> None:
        newest: dict[type[Any], dict[str, Row]] = {}
        for row in rows:
            newest.setdefault(type(row.record), {})[id_of(sandbox, row.engine, row.record)] = row
        with as_unavailable(self.address, ArchiveUnavailable):
            store = await self._still_ours()
            for kind, by_id in newest.items():
                waiting = iter(by_id.items())
                while group := list(islice(waiting, ROWS_PER_WRITE)):
                    with pymongo.timeout(LONG_S):
                        await store.records[kind].bulk_write(
                            [_operation(sandbox, key, row) for key, row in group], ordered=False
                        )
            moved = {"_id": sandbox, "sequence": mark.sequence, "digest": mark.digest}
            await store.marks.replace_one({"_id": sandbox}, moved, upsert=True)

    async def select(self, sandbox: str, engine: str, kind: type[R], query: Query) -> list[R]:
        if query.limit < 1:
            return []
        with as_unavailable(self.address, ArchiveUnavailable):
            store = await self._opened()
            found = store.records[kind].find(filter_of(sandbox, engine, query), {"_id": 0, "record": 1})
            documents = await found.sort(order_of(query)).limit(query.limit).to_list()
        if query.newest:
            documents.reverse()
        try:
            return [record_of(kind, document) for document in documents]
        except (msgspec.ValidationError, KeyError) as error:
            name = store.records[kind].name
            raise ArchiveUnavailable(f"MongoDB at {self.address}: what is in {name}: {error}") from error

    async def scan(self, sandbox: str, kind: type[R]) -> AsyncIterator[tuple[str, R]]:
        last = f"{sandbox}/"
        while True:
            with as_unavailable(self.address, ArchiveUnavailable), pymongo.timeout(LONG_S):
                records = (await self._opened()).records[kind]
                # The ids of one sandbox follow each other: what comes after its slash comes before a 0.
                found = records.find({"_id": {"$gt": last, "$lt": f"{sandbox}0"}})
                documents = await found.sort("_id", 1).limit(ROWS_PER_READ).to_list()
            for document in documents:
                try:
                    record = record_of(kind, document)
                    its_id = id_of(sandbox, document["engine"], cast("ArchiveRecord", record))
                except (msgspec.ValidationError, KeyError) as error:
                    why = f"what is in {records.name}: {document['_id']}: {error}"
                    raise ArchiveDamaged(f"MongoDB at {self.address}: {why}") from error
                if its_id != document["_id"]:
                    why = f"{records.name}: under {document['_id']} is another record"
                    raise ArchiveDamaged(f"MongoDB at {self.address}: {why}")
                yield document["engine"], record
            if len(documents) < ROWS_PER_READ:
                return
            last = documents[-1]["_id"]

    async def save(self, sandbox: str, mark: Mark, format: str, parts: Iterable[bytes]) -> None:
        with as_unavailable(self.address, ArchiveUnavailable):
            store = await self._still_ours()
            await store.snapshots.save(sandbox, mark, format, parts)

    async def snapshot(self, sandbox: str) -> Snapshot | None:
        with as_unavailable(self.address, ArchiveUnavailable):
            store = await self._opened()
            return await store.snapshots.load(sandbox)

    async def forget(self, sandbox: str) -> None:
        with as_unavailable(self.address, ArchiveUnavailable):
            store = await self._opened()
            # What says that the others are there goes first.
            await store.marks.delete_one({"_id": sandbox})
            await store.snapshots.forget(sandbox)
            for collection in store.records.values():
                with pymongo.timeout(LONG_S):
                    await collection.delete_many({"sandbox": sandbox})

    async def close(self) -> None:
        await self._client.close()

    # Opening

    async def _opened(self) -> _Store:
        if self._store is None:
            async with self._opening:
                if self._store is None:
                    self._store = await _open(self._database, piece_bytes=self._piece_bytes)
        return self._store

    async def _still_ours(self) -> _Store:
        """Raises ArchiveUnavailable when the archive was begun anew since this process opened it."""
        store = await self._opened()
        found = await store.format.find_one(_THE_FORMAT)
        if found is None or found["begun"] != store.begun:
            raise ArchiveUnavailable(
                f"MongoDB at {self.address}: the archive was removed, or begun anew by another process; "
                "the next start of this one makes what is missing"
            )
        return store


def _operation(sandbox: str, key: str, row: Row) -> ReplaceOne[Content] | DeleteOne:
    if row.is_gone:
        return DeleteOne({"_id": key})
    return ReplaceOne({"_id": key}, document_of(sandbox, row.engine, row.record), upsert=True)


async def _open(database: Database, *, piece_bytes: int) -> _Store:
    """The collections, made anew if they are not there or in another format."""
    documents: list[type[Document]] = [
        *ARCHIVED.values(),
        ArchiveFormat,
        ArchiveMark,
        ArchiveSnapshot,
        ArchiveSnapshotPiece,
    ]
    # Beanie would make the indexes in the database of whoever called it last.
    await init_beanie(database=database, document_models=documents, skip_indexes=True)
    format = database[ArchiveFormat.get_collection_name()]
    while (found := await format.find_one(_THE_FORMAT)) is None or found["format"] != _FORMAT:
        await _begin(database, format, found, documents)
    snapshots = database[ArchiveSnapshot.get_collection_name()]
    pieces = database[ArchiveSnapshotPiece.get_collection_name()]
    return _Store(
        begun=found["begun"],
        format=format,
        marks=database[ArchiveMark.get_collection_name()],
        records={kind: database[document.get_collection_name()] for kind, document in ARCHIVED.items()},
        snapshots=Snapshots(snapshots, pieces, piece_bytes=piece_bytes),
    )


async def _begin(
    database: Database,
    format: AsyncCollection[Content],
    found: Content | None,
    documents: Iterable[type[Document]],
) -> None:
    """Begin anew, unless another process does; whoever said so last has it."""
    ours = {"format": "", "begun": token_hex(8)}
    if found is None:
        try:
            await format.insert_one({**_THE_FORMAT, **ours})
        except DuplicateKeyError:
            return
    elif not (await format.update_one(found, {"$set": ours})).matched_count:
        return
    with pymongo.timeout(LONG_S):
        for name in await database.list_collection_names():
            if name.startswith(PREFIX) and name != format.name:
                await database[name].drop()
        for document in documents:
            indexes = getattr(document.get_settings(), "indexes", None)
            if indexes:
                await database[document.get_collection_name()].create_indexes(
                    [index.index for index in indexes]
                )
    await format.update_one({**_THE_FORMAT, **ours}, {"$set": {"format": _FORMAT}})
