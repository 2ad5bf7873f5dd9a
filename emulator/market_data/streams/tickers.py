"""Statistics of one instrument, or an array of those of all that changed, at a pace.

What REST answers of the same moment, under shorter names. In a quiet market nothing is said.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, Generic, Protocol, TypeVar

from emulator.core.engine import Engine
from emulator.core.numbers import exact
from emulator.market_data.streams.stream import InstrumentSource, MarketStream
from emulator.runtime.sandbox import Sandbox
from emulator.web.streams.message import Message, Payload
from emulator.web.streams.source import Paced, Source

SYMBOLS_AT_ONCE: Final = 5
"""How many symbols a stream of all reads before others have their turn: after a jump of the clock, each
takes the better part of a millisecond."""

WALL_PACE_US: Final = 20_000
"""Under a clock that runs faster than fifty seconds a second, a stream of all speaks this often."""


R = TypeVar("R")


class Tickers(Protocol[R]):
    """How one sort of ticker is read and shown. A reading: what was read of one instrument at one moment."""

    def read_sums(self, engine: Engine, instrument: str, time_us: int) -> R:
        """What is known of any moment until now, to compare the first reading with."""
        ...

    def read(self, engine: Engine, instrument: str, now_us: int) -> R: ...

    def is_news(self, reading: R, earlier: R) -> bool:
        """Whether there is something new beside the times."""
        ...

    def render(self, reading: R, divisor: int) -> Payload:
        """Called inside `exact()`."""
        ...


class SymbolTicker(InstrumentSource, Generic[R]):
    """The statistics of a span as they change. of: what is read, if it is not the stream's instrument."""

    def __init__(
        self, sandbox: Sandbox, stream: MarketStream, tickers: Tickers[R], *, of: str | None = None
    ) -> None:
        super().__init__(sandbox, stream, of=of)
        self._tickers = tickers
        self._paced = Paced(stream.pace_us)
        self._opened_us = 0
        self._last: R | None = None

    def open(self, now_us: int) -> None:
        self._opened_us = now_us
        self._paced.begin(now_us)

    def look(self, now_us: int) -> Sequence[Message]:
        engine = self._sandbox.engines[self._engine]
        if not self._paced.is_due(now_us):
            return ()
        tickers, last = self._tickers, self._last
        if last is None:
            last = tickers.read_sums(engine, self._instrument, self._opened_us)
        reading = self._last = tickers.read(engine, self._instrument, now_us)
        if not tickers.is_news(reading, last):
            return ()

        def build(divisor: int) -> Payload:
            with exact():
                return tickers.render(reading, divisor)

        return (Message(self._name, build),)

    def next_us(self, now_us: int) -> int:
        return self._paced.next_us


class AllTickers(Source, Generic[R]):
    """`!ticker@arr` and its like: an array of those that changed.

    The instruments are read a few at a time, so that nobody waits for all of them; each says its own moment.
    listed: which ones there are at a time, in the order of the array.
    """

    def __init__(
        self,
        sandbox: Sandbox,
        stream: MarketStream,
        tickers: Tickers[R],
        *,
        listed: Callable[[Engine, int], Sequence[str]],
    ) -> None:
        self._sandbox = sandbox
        self._engine = stream.engine
        self._name = stream.name
        self._tickers = tickers
        self._listed = listed
        self._paced = Paced(stream.pace_us)
        self._opened_us = 0
        self._last: dict[str, R] = {}
        self._unread: list[str] = []
        self._changed: list[R] = []

    def open(self, now_us: int) -> None:
        self._opened_us = now_us
        self._paced.begin(now_us)

    def look(self, now_us: int) -> Sequence[Message]:
        engine = self._sandbox.engines[self._engine]
        if not self._unread:
            if not self._paced.is_due(now_us):
                return ()
            self._unread = list(reversed(self._listed(engine, now_us)))
            rest_us = int(self._sandbox.clock.speed * WALL_PACE_US)
            self._paced.begin(now_us + max(rest_us, 1) - 1)
        for instrument in self._unread[: -SYMBOLS_AT_ONCE - 1 : -1]:
            self._read(engine, instrument, now_us)
        del self._unread[-SYMBOLS_AT_ONCE:]
        if self._unread or not self._changed:
            return ()
        changed, self._changed = self._changed, []
        tickers = self._tickers

        def build(divisor: int) -> Sequence[Any]:
            with exact():
                return [tickers.render(reading, divisor) for reading in changed]

        return (Message(self._name, build),)

    def _read(self, engine: Engine, instrument: str, now_us: int) -> None:
        tickers, last = self._tickers, self._last.get(instrument)
        if last is None:
            last = tickers.read_sums(engine, instrument, self._opened_us)
        reading = self._last[instrument] = tickers.read(engine, instrument, now_us)
        if tickers.is_news(reading, last):
            self._changed.append(reading)

    def next_us(self, now_us: int) -> int:
        return now_us if self._unread else self._paced.next_us
