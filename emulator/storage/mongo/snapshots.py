"""Snapshots of the archive in MongoDB: pieces under the digests of their contents, and who names them.

A snapshot is there when the one document that names its pieces is. So it is replaced in one step, and
what two of them have in common is written once.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import msgspec
import pymongo
from pymongo import ReplaceOne
from pymongo.asynchronous.collection import AsyncCollection

from emulator.runtime.archive import Mark, Snapshot
from emulator.storage.mongo.entries import LONG_S, Content

PIECE_BYTES = 8 * 1024 * 1024
"""The most of a part that one document holds; MongoDB's end at 16 MB."""
PIECES_PER_WRITE = 500

_log = logging.getLogger(__name__)


class _Piece(NamedTuple):
    digest: str
    content: bytes


class Snapshots:
    """Of all sandboxes of one archive."""

    def __init__(
        self,
        snapshots: AsyncCollection[Content],
        pieces: AsyncCollection[Content],
        *,
        piece_bytes: int = PIECE_BYTES,
    ) -> None:
        self._snapshots = snapshots
        self._pieces = pieces
        self._piece_bytes = piece_bytes

    async def save(self, sandbox: str, mark: Mark, format: str, parts: Iterable[bytes]) -> None:
        there = await self._there(sandbox)
        named: list[list[str]] = []
        waiting: list[_Piece] = []
        drawn = iter(parts)
        # Making a part and its digests may take long; meanwhile others have the event loop.
        while (pieces := await asyncio.to_thread(self._next, drawn)) is not None:
            named.append([piece.digest for piece in pieces])
            for piece in pieces:
                if piece.digest in there:
                    continue
                there.add(piece.digest)
                if waiting and (
                    len(waiting) == PIECES_PER_WRITE
                    or sum(len(one.content) for one in waiting) + len(piece.content) > self._piece_bytes
                ):
                    await self._put(sandbox, waiting)
                    waiting = []
                waiting.append(piece)
        if waiting:
            await self._put(sandbox, waiting)
        snapshot = {"sequence": mark.sequence, "digest": mark.digest, "format": format, "parts": named}
        with pymongo.timeout(LONG_S):
            await self._snapshots.replace_one(
                {"_id": sandbox}, {"_id": sandbox, **snapshot, "checksum": _checksum(snapshot)}, upsert=True
            )
        await self._remove(sandbox, there - {digest for digests in named for digest in digests})

    async def load(self, sandbox: str) -> Snapshot | None:
        found = await self._named(sandbox)
        while found is not None:
            contents = await self._contents(sandbox, {digest for part in found["parts"] for digest in part})
            if contents is not None:
                parts = tuple(b"".join(contents[digest] for digest in part) for part in found["parts"])
                return Snapshot(Mark(found["sequence"], found["digest"]), found["format"], parts)
            before, found = found, await self._named(sandbox)
            if found == before:
                _log.warning("%s: the snapshot is damaged: it lacks some of its pieces", sandbox)
                return None
            # It was replaced while it was read.
        return None

    async def forget(self, sandbox: str) -> None:
        await self._snapshots.delete_one({"_id": sandbox})
        with pymongo.timeout(LONG_S):
            await self._pieces.delete_many({"sandbox": sandbox})

    async def _named(self, sandbox: str) -> Content | None:
        found = await self._snapshots.find_one({"_id": sandbox}, {"_id": 0})
        if found is not None and found.pop("checksum", None) != _checksum(found):
            _log.warning("%s: the snapshot is damaged: what names its pieces has changed", sandbox)
            return None
        return found

    async def _contents(self, sandbox: str, digests: set[str]) -> dict[str, bytes] | None:
        """All these pieces, or None."""
        contents: dict[str, bytes] = {}
        pieces = self._pieces.find({"sandbox": sandbox})
        while True:
            with pymongo.timeout(LONG_S):
                piece = await anext(pieces, None)
                if piece is None:
                    return contents if len(contents) == len(digests) else None
                digest = piece["_id"].rpartition("/")[2]
                if digest != _digest(piece["content"]):
                    # The next snapshot must not take it for what it is called.
                    await self._pieces.delete_one({"_id": piece["_id"]})
                elif digest in digests:
                    contents[digest] = bytes(piece["content"])

    async def _there(self, sandbox: str) -> set[str]:
        """The digests of the pieces that are there, whether a snapshot names them or not."""
        found = await self._pieces.find({"sandbox": sandbox}, {"_id": 1}).to_list()
        return {piece["_id"].rpartition("/")[2] for piece in found}

    def _next(self, parts: Iterator[bytes]) -> list[_Piece] | None:
        """The next part cut into pieces; None when there is none."""
        for part in parts:
            starts = range(0, len(part), self._piece_bytes)
            cut = [part[start : start + self._piece_bytes] for start in starts]
            return [_Piece(_digest(content), content) for content in cut]
        return None

    async def _put(self, sandbox: str, pieces: Iterable[_Piece]) -> None:
        documents = [
            {"_id": f"{sandbox}/{piece.digest}", "sandbox": sandbox, "content": piece.content}
            for piece in pieces
        ]
        with pymongo.timeout(LONG_S):
            await self._pieces.bulk_write(
                [ReplaceOne({"_id": one["_id"]}, one, upsert=True) for one in documents], ordered=False
            )

    async def _remove(self, sandbox: str, digests: Iterable[str]) -> None:
        listed = [f"{sandbox}/{digest}" for digest in digests]
        for start in range(0, len(listed), PIECES_PER_WRITE):
            with pymongo.timeout(LONG_S):
                await self._pieces.delete_many({"_id": {"$in": listed[start : start + PIECES_PER_WRITE]}})


def _digest(content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=16).hexdigest()


def _checksum(snapshot: Content) -> str:
    return _digest(msgspec.json.encode(snapshot, order="sorted"))
