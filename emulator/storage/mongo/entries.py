"""Entries by their ids: writing, reading, copying and removing them, and finding where they end.

Sequences have no gaps, so whoever knows a stem can name what to ask for. All reads do so, since every
server answers that from its index of ids.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from secrets import token_hex
from typing import Any, NamedTuple

import pymongo
from beanie import init_beanie
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import DuplicateKeyError

from emulator.runtime.ports import JournalCorrupt
from emulator.storage.mongo.connection import Database
from emulator.storage.mongo.documents import JournalEntry, JournalPart, JournalStream

ENTRIES_PER_READ = 200
LARGE_BYTES = 1024 * 1024
LONG_S = 30
"""How long an operation on a large entry or on many may take; the others are given seconds."""
SEQUENCE_BITS = 40
PROBES = 64
"""Ids asked for at once while the end is looked for."""

Content = dict[str, Any]


class Store(NamedTuple):
    """The collections of one database.

    Beanie binds a document class to one database for the whole process. These are a journal's own, so
    that a second journal in the process does not move the first one to another database.
    """

    streams: AsyncCollection[Content]
    entries: AsyncCollection[Content]
    parts: AsyncCollection[Content]


async def bind(database: Database) -> Store:
    documents = (JournalStream, JournalEntry, JournalPart)
    # No document has an index of its own.
    await init_beanie(database=database, document_models=list(documents), skip_indexes=True)
    return Store(*(database[document.get_collection_name()] for document in documents))


def entry_id(stem: str, sequence: int) -> str:
    return f"{stem}/{sequence:012d}"


def part_id(entry: str, attempt: str, number: int) -> str:
    return f"{entry}/{attempt}/{number:06d}"


async def insert(
    store: Store, stem: str, sequence: int, encoded: bytes, *, writer: str, part_bytes: int
) -> bool:
    """Write an entry, in several documents if it is larger than `part_bytes`. False: the id is taken."""
    key = entry_id(stem, sequence)
    pieces = [encoded[start : start + part_bytes] for start in range(0, len(encoded), part_bytes)]
    attempt = token_hex(4) if len(pieces) > 1 else ""
    entry = {"_id": key, "writer": writer, "batch": pieces[0], "parts": len(pieces), "attempt": attempt}
    with pymongo.timeout(LONG_S) if len(encoded) > LARGE_BYTES else nullcontext():
        # The document that makes it an entry comes last.
        for number, piece in enumerate(pieces[1:], start=1):
            await store.parts.insert_one({"_id": part_id(key, attempt, number), "content": piece})
        return await _take(store, entry)


async def find(store: Store, stem: str, sequences: Iterable[int]) -> list[JournalEntry]:
    """Those that are there, in order, but for tombstones."""
    asked = [entry_id(stem, sequence) for sequence in sequences]
    with pymongo.timeout(LONG_S):
        found = await store.entries.find({"_id": {"$in": asked}}).sort("_id", 1).to_list()
    # Validating what this module wrote would double the time of a start.
    return [JournalEntry.model_construct(id=each.pop("_id"), **each) for each in found if each["parts"]]


async def is_written(store: Store, stem: str, sequence: int) -> bool:
    found = await store.entries.find_one({"_id": entry_id(stem, sequence)}, {"parts": 1})
    return found is not None and found["parts"] > 0


async def writer_of(store: Store, stem: str, sequence: int) -> str:
    """Who wrote an entry or ended the stream there, in words that go on after its number."""
    about = {"writer": 1, "parts": 1}
    found = await store.entries.find_one({"_id": entry_id(stem, sequence)}, about)
    if found is None:
        return "written by nobody"
    return f"{'written' if found['parts'] else 'made the end of its stream'} by {found['writer']}"


async def whole(store: Store, entry: JournalEntry) -> bytes:
    if entry.parts == 1:
        return entry.batch
    pieces = [entry.batch]
    with pymongo.timeout(LONG_S):
        for number in range(1, entry.parts):
            pieces.append((await _part(store, entry.id, entry.attempt, number))["content"])
    return b"".join(pieces)


async def last_sequence(store: Store, stem: str, after: int = 0) -> int:
    """Where a stream ends, looked for after one of its sequences. A tombstone counts."""

    async def last_of(asked: Sequence[int]) -> int:
        ids = [entry_id(stem, sequence) for sequence in asked]
        found = await store.entries.find({"_id": {"$in": ids}}, {"_id": 1}).to_list()
        return max((int(each["_id"].rpartition("/")[2]) for each in found), default=after)

    # It lies between two powers of two, and then between fewer and fewer probes.
    low = await last_of([after + (1 << bit) for bit in range(SEQUENCE_BITS)])
    high = low + max(1, low - after)
    while high - low > 1:
        step = max(1, (high - low) // PROBES)
        low = max(low, await last_of(range(low + step, high, step)))
        high = min(high, low + step)
    return low


async def copy(store: Store, source: str, target: str, through_sequence: int) -> None:
    """Write the entries of one stem under another, as far as there are any."""
    for first in range(1, through_sequence + 1, ENTRIES_PER_READ):
        last = min(first + ENTRIES_PER_READ - 1, through_sequence)
        found = await find(store, source, range(first, last + 1))
        with pymongo.timeout(LONG_S):
            for entry in found:
                for number in range(1, entry.parts):
                    part = await _part(store, entry.id, entry.attempt, number)
                    await store.parts.insert_one({**part, "_id": _moved(part["_id"], source, target)})
            if found:
                await store.entries.insert_many(
                    [{**_content(entry), "_id": _moved(entry.id, source, target)} for entry in found],
                    ordered=False,
                )
        if len(found) <= last - first:
            return


async def remove(store: Store, stem: str, *, writer: str) -> None:
    """Remove a stem's entries, and take the number that their writer would take next."""
    while not await _take(
        store,
        {
            "_id": entry_id(stem, await last_sequence(store, stem) + 1),
            "writer": writer,
            "batch": b"",
            "parts": 0,
            "attempt": "",
        },
    ):
        pass  # Its writer was faster.
    # The digit after the slash: behind all ids that begin so.
    within = {"$gte": f"{stem}/", "$lt": f"{stem}0"}
    with pymongo.timeout(LONG_S):
        await store.entries.delete_many({"_id": within, "parts": {"$gte": 1}})
        await store.parts.delete_many({"_id": within})


async def _take(store: Store, entry: Content) -> bool:
    try:
        await store.entries.insert_one(entry)
    except DuplicateKeyError:
        return False
    return True


async def _part(store: Store, entry: str, attempt: str, number: int) -> Content:
    part = await store.parts.find_one({"_id": part_id(entry, attempt, number)})
    if part is None:
        raise JournalCorrupt(f"the journal entry {entry} lacks its part {number}")
    return part


def _content(entry: JournalEntry) -> Content:
    return {"writer": entry.writer, "batch": entry.batch, "parts": entry.parts, "attempt": entry.attempt}


def _moved(key: str, source: str, target: str) -> str:
    return target + key.removeprefix(source)
