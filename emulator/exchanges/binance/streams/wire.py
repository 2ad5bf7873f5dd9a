"""How a payload looks on a socket of the market streams."""

from __future__ import annotations

from typing import Protocol

from emulator.web.codec import encode
from emulator.web.streams.source import Stream


class MarketStream(Stream, Protocol):
    """pace_us: how far apart its moments are on the sandbox's clock; zero of one that speaks at any time."""

    @property
    def pace_us(self) -> int: ...


def combined(stream: str, payload: bytes) -> bytes:
    """A payload with the name of its stream around it."""
    return b'{"stream":%b,"data":%b}' % (encode(stream), payload)
