"""Hears what a market stream says, without a socket: the hub's messages, as whoever subscribes gets them."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson

from emulator.exchanges.binance.spot.streams.hub import HUBS
from emulator.exchanges.binance.spot.streams.names import parse_stream
from emulator.runtime.sandbox import Sandbox
from emulator.web.streams.message import Message

PATIENCE_S = 10.0


class Ear:
    """Subscribed to one stream from when it is made; divisor: microseconds in the unit of its times."""

    def __init__(self, sandbox: Sandbox, name: str, *, divisor: int = 1000) -> None:
        stream = parse_stream(name)
        assert stream is not None, name
        self._divisor = divisor
        self._heard: asyncio.Queue[Any] = asyncio.Queue()
        self.close = HUBS.of(sandbox).subscribe(stream, self._hear)

    def _hear(self, message: Message) -> None:
        self._heard.put_nowait(orjson.loads(message.encoded(self._divisor)))

    async def next(self) -> Any:
        """The next payload, also one that came already."""
        return await asyncio.wait_for(self._heard.get(), PATIENCE_S)

    async def several(self, count: int) -> list[Any]:
        return [await self.next() for _ in range(count)]

    def rest(self) -> list[Any]:
        """What came and was not taken yet."""
        return [self._heard.get_nowait() for _ in range(self._heard.qsize())]
