"""What a source of a market's news has to know of its stream."""

from __future__ import annotations

from typing import Protocol

from emulator.web.streams.source import Stream


class MarketStream(Stream, Protocol):
    """engine: whose market it is. pace_us: how far apart its moments are on the sandbox's clock; zero of one
    that speaks at any time.
    """

    @property
    def engine(self) -> str: ...

    @property
    def pace_us(self) -> int: ...
