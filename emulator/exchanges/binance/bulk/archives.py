"""The files of one sandbox: made when they are asked for, a few kept, and always the same bytes.

A day or month that is over never changes, so neither does its file. Making a large one takes long; it is
made in pieces between which others have their turn, packed in threads, and one at a time.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from datetime import UTC, datetime
from functools import partial
from hashlib import md5, sha256
from io import BytesIO
from itertools import count
from typing import Final
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import msgspec

from emulator.core.engine import Engine
from emulator.exchanges.binance.bulk import tables
from emulator.exchanges.binance.bulk.keys import File
from emulator.exchanges.binance.running import engine_of
from emulator.runtime.per_sandbox import PerSandbox
from emulator.runtime.sandbox import Sandbox
from emulator.web.turns import by_turns

KEPT_BYTES_MAX: Final = 64 * 1024 * 1024
"""Of all sandboxes together."""
KNOWN_MAX: Final = 20_000
"""Of how many files of a sandbox size and sums are remembered."""
LARGE: Final = 100_000
"""From which effort on a file is large: small ones do not wait for it."""
PIECE: Final = 262_144
"""How much text is packed at once."""


class Card(msgspec.Struct, frozen=True):
    """What there is to say about a file without having it. sha256, md5: in hexadecimal digits."""

    size: int
    sha256: str
    md5: str


class Shelf:
    """Files that were made lately: what comes makes room by taking off what nobody asked for longest."""

    def __init__(self) -> None:
        self._bodies: OrderedDict[tuple[int, str], bytes] = OrderedDict()
        self.size = 0

    def get(self, place: tuple[int, str]) -> bytes | None:
        body = self._bodies.get(place)
        if body is not None:
            self._bodies.move_to_end(place)
        return body

    def put(self, place: tuple[int, str], body: bytes) -> None:
        self.size += len(body) - len(self._bodies.pop(place, b""))
        self._bodies[place] = body
        while self.size > KEPT_BYTES_MAX and len(self._bodies) > 1:
            self.size -= len(self._bodies.popitem(last=False)[1])


SHELF: Final = Shelf()
_numbers = count()


class Archives:
    """Of one sandbox, whose history is its own."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._number = next(_numbers)
        self._cards: OrderedDict[str, Card] = OrderedDict()
        self._begun: dict[tuple[str, str], int] = {}
        self._small = asyncio.Lock()
        self._large = asyncio.Lock()

    def missing_because(self, file: File, now_us: int) -> str | None:
        """Why a file is not there, for people; empty where there is nothing to explain, None if it is there.

        Raises EngineUnavailable while the engine is being rebuilt.
        """
        if file.published_us > now_us:
            return ""
        ends_us = file.subject.ends_us
        begun_us = self.begins_us(file, now_us)
        if (ends_us is not None and ends_us <= file.start_us) or begun_us is None or begun_us >= file.end_us:
            return ""
        rows = tables.rows_of(file)
        if rows > tables.ROWS_MAX:
            return (
                f"It would have some {rows:,} rows, and files of more than {tables.ROWS_MAX:,} are left out "
                "here; the days of it hold the same."
            )
        return None

    def card(self, file: File) -> Card | None:
        """If the file was made before."""
        return self._cards.get(file.key)

    async def describe(self, file: File) -> Card:
        card = self._cards.get(file.key)
        return card or (await self.read(file))[1]

    async def read(self, file: File) -> tuple[bytes, Card]:
        """A file that is there. Raises EngineUnavailable while the engine is being rebuilt."""
        found = self._look(file)
        if found is None:
            async with self._large if tables.effort_of(file) > LARGE else self._small:
                # Somebody else may have asked for it first.
                found = self._look(file) or self._keep(file, *await self._make(file))
        return found

    def _look(self, file: File) -> tuple[bytes, Card] | None:
        body, card = SHELF.get((self._number, file.key)), self._cards.get(file.key)
        return None if body is None or card is None else (body, card)

    def _keep(self, file: File, body: bytes, card: Card) -> tuple[bytes, Card]:
        SHELF.put((self._number, file.key), body)
        self._cards[file.key] = card
        if len(self._cards) > KNOWN_MAX:
            self._cards.popitem(last=False)
        return body, card

    async def _make(self, file: File) -> tuple[bytes, Card]:
        packed = BytesIO()
        member = ZipInfo(f"{file.stem}.csv", _date_time(file.published_us))
        member.compress_type = ZIP_DEFLATED
        member.create_system = 3
        member.external_attr = 0o644 << 16
        now_us = self._sandbox.clock.now_us()
        begun_us = self.begins_us(file, now_us)
        assert begun_us is not None, "there is a file of it"
        texts = tables.text_of(self._engine, file, begun_us)
        with ZipFile(packed, "w") as archive, archive.open(member, "w") as table:
            pieces: list[str] = []
            gathered = 0
            async for made in by_turns(texts):
                pieces += made
                gathered += sum(map(len, made))
                if gathered >= PIECE:
                    await asyncio.to_thread(table.write, "".join(pieces).encode())
                    pieces, gathered = [], 0
            table.write("".join(pieces).encode())
        body = packed.getvalue()
        return body, await asyncio.to_thread(partial(card_of, body))

    def _engine(self) -> Engine:
        return engine_of(self._sandbox)

    def begins_us(self, file: File, now_us: int) -> int | None:
        """When what a file is about began to be traded; None if it has not yet been."""
        asked = (file.subject.instrument.symbol, file.interval)
        begun_us = self._begun.get(asked)
        if begun_us is None:
            begun_us = tables.begins_us(self._engine(), file, now_us)
            if begun_us is not None:
                self._begun[asked] = begun_us
        return begun_us


def card_of(body: bytes) -> Card:
    return Card(len(body), sha256(body).hexdigest(), md5(body, usedforsecurity=False).hexdigest())


def _date_time(time_us: int) -> tuple[int, int, int, int, int, int]:
    at = datetime.fromtimestamp(time_us // 1_000_000, UTC)
    return at.year, at.month, at.day, at.hour, at.minute, at.second


ARCHIVES: Final = PerSandbox(Archives)
