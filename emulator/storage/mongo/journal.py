"""The journal in MongoDB: what is acknowledged is in the journals of a majority of its servers.

An entry is one document, and its id, made of stream and sequence, can be taken once: whoever comes
second fails and is told who was first. Nothing here needs a transaction. A stream becomes visible,
changes and goes by one update of one small document, which names what the ids of its entries begin
with; what an interrupted change leaves is named there as well, and removed when the journal is opened.

A stream that is forgotten gets a tombstone, under the number that its writer would take next: a writer
that does not know of it cannot go on where nobody reads.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import UTC, datetime
from secrets import token_hex
from time import time_ns
from typing import Any, NamedTuple

import msgspec
from pymongo.errors import DuplicateKeyError

from emulator.runtime.journal_format import decode_batch, encode_batch
from emulator.runtime.ports import Batch, JournalConflict, JournalCorrupt
from emulator.storage.mongo import entries
from emulator.storage.mongo.connection import as_unavailable, connect, shown
from emulator.storage.mongo.documents import JournalStream
from emulator.storage.mongo.entries import ENTRIES_PER_READ, Store

PART_BYTES = 8 * 1024 * 1024
"""The most of an entry that one document holds; MongoDB's end at 16 MB."""

_log = logging.getLogger(__name__)


class _Place(NamedTuple):
    """Where an entry goes."""

    stem: str
    sequence: int


class MongoJournal:
    """Connects at the first call. All calls come from one event loop.

    Every call raises JournalUnavailable after some seconds without an answer. part_bytes: from which
    size on an entry is cut into several documents.
    """

    def __init__(self, address: str, *, part_bytes: int = PART_BYTES) -> None:
        """Raises MongoAddressInvalid."""
        self.address = shown(address)
        """For people: without its secrets."""
        self._client, self._database = connect(address)
        self._part_bytes = part_bytes
        self._store: Store | None = None
        self._opening = asyncio.Lock()
        self._next: dict[str, _Place] = {}
        """Of each stream that this process writes: where the next entry goes."""
        since = datetime.now(UTC).isoformat(timespec="seconds")
        self._writer = f"process {os.getpid()} on {socket.gethostname()} since {since}"

    async def append(self, batch: Batch) -> None:
        encoded = encode_batch(msgspec.structs.replace(batch, sandbox=""))
        with as_unavailable(self.address):
            store = await self._opened()
            # Taken out, because after an error nobody knows what follows.
            place = self._next.pop(batch.sandbox, None)
            if place is None or place.sequence != batch.sequence:
                place = await self._place(store, batch)
            if place is None:

                async def begin(stem: str) -> None:
                    await self._insert(store, stem, batch, encoded)

                stem = await self._make(store, batch.sandbox, begin, replaces=False)
            else:
                stem = place.stem
                await self._insert(store, stem, batch, encoded)
        self._next[batch.sandbox] = _Place(stem, batch.sequence + 1)

    async def read(self, sandbox: str, after_sequence: int = 0) -> AsyncIterator[Batch]:
        with as_unavailable(self.address):
            store = await self._opened()
            stem = await _stem(store, sandbox)
            last = (
                after_sequence if stem is None else await entries.last_sequence(store, stem, after_sequence)
            )
        if stem is None:
            return
        for first in range(after_sequence + 1, last + 1, ENTRIES_PER_READ):
            sequences = range(first, min(first + ENTRIES_PER_READ, last + 1))
            with as_unavailable(self.address):
                found = await entries.find(store, stem, sequences)
                if len(found) < len(sequences):
                    if await _stem(store, sandbox) != stem:
                        return  # It was forgotten meanwhile.
                    raise JournalCorrupt(f"{sandbox}: of entries {first} to {sequences[-1]} some are missing")
            for sequence, entry in zip(sequences, found, strict=True):
                with as_unavailable(self.address):
                    encoded = await entries.whole(store, entry)
                batch = decode_batch(encoded, name=f"{sandbox}: entry {sequence}")
                yield msgspec.structs.replace(batch, sandbox=sandbox)

    async def sandboxes(self) -> Sequence[str]:
        with as_unavailable(self.address):
            store = await self._opened()
            begun = [(stream.stem, stream.id) for stream in await _streams(store) if stream.stem is not None]
        return tuple(name for _, name in sorted(begun))

    async def copy(self, source: str, target: str, through_sequence: int) -> None:
        with as_unavailable(self.address):
            store = await self._opened()
            original = await _stem(store, source)
            if original is None:
                await self._forget(store, target)
                return

            async def fill(stem: str) -> None:
                await entries.copy(store, original, stem, through_sequence)
                if await _stem(store, source) != original:
                    raise _conflict(source)

            await self._make(store, target, fill, replaces=True)

    async def forget(self, sandbox: str) -> None:
        with as_unavailable(self.address):
            await self._forget(await self._opened(), sandbox)

    async def close(self) -> None:
        await self._client.close()

    async def _opened(self) -> Store:
        """The collections, once what others left unfinished is removed."""
        if self._store is None:
            async with self._opening:
                if self._store is None:
                    store = await entries.bind(self._database)
                    for stream in await _streams(store):
                        if stream.stem is None or stream.draft is not None or stream.old:
                            await self._sweep(store, stream)
                    self._store = store
        return self._store

    # Entries

    async def _place(self, store: Store, batch: Batch) -> _Place | None:
        """Where an entry goes that follows nothing this process wrote; None for the first of a stream."""
        sequence = batch.sequence
        stem = await _stem(store, batch.sandbox)
        end = "entry 0"
        if stem is not None:
            if sequence > 1 and await entries.is_written(store, stem, sequence - 1):
                return _Place(stem, sequence)
            last = await entries.last_sequence(store, stem)
            end = f"entry {last}, {await entries.writer_of(store, stem, last)}"
        elif sequence == 1:
            return None
        raise JournalConflict(f"{batch.sandbox}: entry {sequence} does not follow {end}")

    async def _insert(self, store: Store, stem: str, batch: Batch, encoded: bytes) -> None:
        if not await entries.insert(
            store, stem, batch.sequence, encoded, writer=self._writer, part_bytes=self._part_bytes
        ):
            by = await entries.writer_of(store, stem, batch.sequence)
            raise JournalConflict(f"{batch.sandbox}: entry {batch.sequence} was {by}")

    # Streams

    async def _make(
        self, store: Store, name: str, fill: Callable[[str], Awaitable[None]], *, replaces: bool
    ) -> str:
        """Make a stream that is seen when it is filled, in place of the one under this name.

        Without `replaces` there must not be one. Returns the stem.
        """
        # Their order is that in which streams began.
        stem = f"{time_ns():016x}-{token_hex(4)}"
        stream = await _stream(store, name)
        if stream is None:
            stream = JournalStream(id=name, revision=1, stem=None, draft=stem, old=[])
            try:
                await store.streams.insert_one(stream.model_dump(by_alias=True, exclude={"revision_id"}))
            except DuplicateKeyError:
                raise _conflict(name) from None
        else:
            if stream.stem is not None and not replaces:
                raise _conflict(name)
            stream = await _change(store, stream, draft=stem, old=_stems(*stream.old, stream.draft))
        await fill(stem)
        self._next.pop(name, None)
        old = _stems(*stream.old, stream.stem)
        stream = await _change(store, stream, stem=stem, draft=None, old=old)
        if old:
            await self._remove_old(store, stream)
        return stem

    async def _forget(self, store: Store, name: str) -> None:
        self._next.pop(name, None)
        stream = await _stream(store, name)
        if stream is not None:
            old = _stems(*stream.old, stream.draft, stream.stem)
            await self._remove_old(store, await _change(store, stream, stem=None, draft=None, old=old))

    async def _sweep(self, store: Store, stream: JournalStream) -> None:
        _log.warning("%s: removing what an interrupted change left in the journal", stream.id)
        old = _stems(*stream.old, stream.draft)
        try:
            await self._remove_old(store, await _change(store, stream, draft=None, old=old))
        except JournalConflict:
            _log.warning("%s: another process changes it", stream.id)

    async def _remove_old(self, store: Store, stream: JournalStream) -> None:
        """Remove the entries of what a stream calls old, and its document too if it has no others.

        Whoever changed the stream in the meantime has the same to remove.
        """
        for stem in stream.old:
            await entries.remove(store, stem, writer=self._writer)
        if stream.stem is None and stream.draft is None:
            await store.streams.delete_one({"_id": stream.id, "revision": stream.revision})
        else:
            await _try_change(store, stream, old=[])


async def _stream(store: Store, name: str) -> JournalStream | None:
    found = await store.streams.find_one({"_id": name})
    return None if found is None else JournalStream.model_validate(found)


async def _stem(store: Store, name: str) -> str | None:
    stream = await _stream(store, name)
    return None if stream is None else stream.stem


async def _streams(store: Store) -> list[JournalStream]:
    return [JournalStream.model_validate(found) for found in await store.streams.find().to_list()]


async def _change(store: Store, stream: JournalStream, **changes: Any) -> JournalStream:
    """Change a stream's document. Raises JournalConflict when another process did since it was read."""
    changed = await _try_change(store, stream, **changes)
    if changed is None:
        raise _conflict(stream.id)
    return changed


async def _try_change(store: Store, stream: JournalStream, **changes: Any) -> JournalStream | None:
    changes["revision"] = stream.revision + 1
    as_read = {"_id": stream.id, "revision": stream.revision}
    outcome = await store.streams.update_one(as_read, {"$set": changes})
    changed: JournalStream = stream.model_copy(update=changes)
    return changed if outcome.matched_count else None


def _stems(*stems: str | None) -> list[str]:
    return [stem for stem in stems if stem is not None]


def _conflict(name: str) -> JournalConflict:
    return JournalConflict(f"{name}: another process makes or removes this stream")
