"""What a source of a market's news has to know of its stream, and what those of one instrument keep of it."""

from __future__ import annotations

from decimal import Decimal
from typing import Protocol

from emulator.runtime.sandbox import Sandbox
from emulator.web.streams.source import Source, Stream

Level = tuple[Decimal, Decimal]
"""Price and quantity of a level of a book."""


class MarketStream(Stream, Protocol):
    """engine: whose market it is. pace_us: how far apart its moments are on the sandbox's clock; zero of one
    that speaks at any time.
    """

    @property
    def engine(self) -> str: ...

    @property
    def pace_us(self) -> int: ...


class InstrumentSource(Source):
    """A source of one instrument. of: which, if it is not the stream's own."""

    def __init__(self, sandbox: Sandbox, stream: MarketStream, *, of: str | None = None) -> None:
        instrument = stream.instrument if of is None else of
        assert instrument is not None
        self._sandbox = sandbox
        self._engine = stream.engine
        self._name = stream.name
        self._instrument = instrument
