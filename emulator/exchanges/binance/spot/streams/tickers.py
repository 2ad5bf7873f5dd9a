"""Statistics of the last 24 hours or of a rolling window, of one symbol or of all that changed.

What REST answers of the same moment, under shorter names. A symbol has changed when the trades in its
span are others, or, where it is shown, the book's best prices are: in a quiet market nothing is said.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from emulator.core.engine import Engine
from emulator.core.numbers import exact
from emulator.exchanges.binance.spot.market.statistics import (
    Edges,
    Statistics,
    read_day,
    read_edges,
    read_window,
)
from emulator.exchanges.binance.spot.market.symbols import listed
from emulator.exchanges.binance.spot.parameters import WINDOWS_US
from emulator.exchanges.binance.spot.payloads.streams import (
    MiniTickerEvent,
    TickerEvent,
    WindowTickerEvent,
)
from emulator.exchanges.binance.spot.streams.message import Message
from emulator.exchanges.binance.spot.streams.names import Stream, StreamKind
from emulator.exchanges.binance.spot.streams.source import Paced, engine_of
from emulator.exchanges.binance.vocabulary import render_amount, render_product
from emulator.runtime.sandbox import Sandbox

SYMBOLS_AT_ONCE: Final = 5
"""How many symbols a stream of all reads before others have their turn: after a jump of the clock, each
takes the better part of a millisecond."""

WALL_PACE_US: Final = 20_000
"""Under a clock that runs faster than fifty seconds a second, a stream of all speaks this often."""


class Reading(NamedTuple):
    """What was read of one symbol at one moment. edges: None where they are not shown, or not known."""

    symbol: str
    now_us: int
    statistics: Statistics
    edges: Edges | None = None

    def tells_more_than(self, earlier: Reading) -> bool:
        """Whether there is something new beside the times."""
        if self.statistics.span[2:] != earlier.statistics.span[2:]:
            return True
        return earlier.edges is not None and self.edges != earlier.edges


class Tickers:
    """How one sort of ticker is read and shown."""

    __slots__ = ("_has_edges", "_render", "_window_us", "_word")

    def __init__(self, stream: Stream) -> None:
        match stream.kind:
            case StreamKind.MINI_TICKER | StreamKind.MINI_TICKERS:
                self._render: Callable[[str, Reading, int], Any] = _render_mini
                self._word = "24hrMiniTicker"
            case StreamKind.TICKER | StreamKind.TICKERS:
                self._render = _render_day
                self._word = "24hrTicker"
            case StreamKind.WINDOW_TICKER | StreamKind.WINDOW_TICKERS:
                self._render = _render_window
                self._word = f"{stream.interval}Ticker"
            case _:
                raise AssertionError(f"{stream.name} is no ticker")
        self._has_edges = stream.kind in (StreamKind.TICKER, StreamKind.TICKERS)
        self._window_us = WINDOWS_US[stream.interval] if stream.interval else None

    def read_sums(self, engine: Engine, symbol: str, time_us: int) -> Reading:
        """Of any moment until now: the tape knows all of them, but the book only the last."""
        if self._window_us is None:
            return Reading(symbol, time_us, read_day(engine, symbol, time_us))
        return Reading(symbol, time_us, read_window(engine, symbol, self._window_us, time_us))

    def read(self, engine: Engine, symbol: str, now_us: int) -> Reading:
        reading = self.read_sums(engine, symbol, now_us)
        if not self._has_edges:
            return reading
        return reading._replace(edges=read_edges(engine, symbol, reading.statistics))

    def render(self, reading: Reading, divisor: int) -> Any:
        return self._render(self._word, reading, divisor)


class SymbolTicker:
    """`<symbol>@ticker`, `@miniTicker` and `@ticker_<window>`."""

    def __init__(self, sandbox: Sandbox, stream: Stream) -> None:
        assert stream.symbol is not None
        self._sandbox = sandbox
        self._name = stream.name
        self._symbol = stream.symbol
        self._tickers = Tickers(stream)
        self._paced = Paced(stream.pace_us)
        self._opened_us = 0
        self._last: Reading | None = None

    def open(self, now_us: int) -> None:
        self._opened_us = now_us
        self._paced.begin(now_us)

    def look(self, now_us: int) -> Sequence[Message]:
        engine = engine_of(self._sandbox)
        if not self._paced.is_due(now_us):
            return ()
        tickers = self._tickers
        last = self._last or tickers.read_sums(engine, self._symbol, self._opened_us)
        reading = self._last = tickers.read(engine, self._symbol, now_us)
        if not reading.tells_more_than(last):
            return ()

        def build(divisor: int) -> Mapping[str, Any]:
            with exact():
                payload: Mapping[str, Any] = tickers.render(reading, divisor)
            return payload

        return (Message(self._name, build),)

    def next_us(self, now_us: int) -> int:
        return self._paced.next_us


class AllTickers:
    """`!miniTicker@arr`, `!ticker@arr` and `!ticker_<window>@arr`: an array of those that changed.

    The symbols are read a few at a time, so that nobody waits for all of them; each says its own moment.
    """

    def __init__(self, sandbox: Sandbox, stream: Stream) -> None:
        self._sandbox = sandbox
        self._name = stream.name
        self._tickers = Tickers(stream)
        self._paced = Paced(stream.pace_us)
        self._opened_us = 0
        self._last: dict[str, Reading] = {}
        self._unread: list[str] = []
        self._changed: list[Reading] = []

    def open(self, now_us: int) -> None:
        self._opened_us = now_us
        self._paced.begin(now_us)

    def look(self, now_us: int) -> Sequence[Message]:
        engine = engine_of(self._sandbox)
        if not self._unread:
            if not self._paced.is_due(now_us):
                return ()
            self._unread = [instrument.symbol for instrument in reversed(listed(engine))]
            rest_us = int(self._sandbox.clock.speed * WALL_PACE_US)
            self._paced.begin(now_us + max(rest_us, 1) - 1)
        for symbol in self._unread[: -SYMBOLS_AT_ONCE - 1 : -1]:
            self._read(engine, symbol, now_us)
        del self._unread[-SYMBOLS_AT_ONCE:]
        if self._unread or not self._changed:
            return ()
        changed, self._changed = self._changed, []
        tickers = self._tickers

        def build(divisor: int) -> Sequence[Any]:
            with exact():
                return [tickers.render(reading, divisor) for reading in changed]

        return (Message(self._name, build),)

    def _read(self, engine: Engine, symbol: str, now_us: int) -> None:
        tickers = self._tickers
        last = self._last.get(symbol) or tickers.read_sums(engine, symbol, self._opened_us)
        reading = self._last[symbol] = tickers.read(engine, symbol, now_us)
        if reading.tells_more_than(last):
            self._changed.append(reading)

    def next_us(self, now_us: int) -> int:
        return now_us if self._unread else self._paced.next_us


def _render_mini(word: str, reading: Reading, divisor: int) -> MiniTickerEvent:
    span = reading.statistics.span
    return {
        "e": word,
        "E": reading.now_us // divisor,
        "s": reading.symbol,
        "c": render_amount(span.close),
        "o": render_amount(span.open),
        "h": render_amount(span.high),
        "l": render_amount(span.low),
        "v": render_amount(span.volume),
        "q": render_product(span.quote_volume),
    }


def _render_day(word: str, reading: Reading, divisor: int) -> TickerEvent:
    day, edges = reading.statistics, reading.edges
    assert edges is not None
    span, quote = day.span, edges.quote
    first_id, last_id = day.ids
    return {
        "e": word,
        "E": reading.now_us // divisor,
        "s": reading.symbol,
        "p": render_amount(day.change),
        "P": day.change_percent,
        "w": day.weighted,
        "x": render_amount(edges.previous_close),
        "c": render_amount(span.close),
        "Q": render_amount(edges.last_quantity),
        "b": render_amount(quote.bid),
        "B": render_amount(quote.bid_quantity),
        "a": render_amount(quote.ask),
        "A": render_amount(quote.ask_quantity),
        "o": render_amount(span.open),
        "h": render_amount(span.high),
        "l": render_amount(span.low),
        "v": render_amount(span.volume),
        "q": render_product(span.quote_volume),
        "O": day.open_us // divisor,
        "C": day.close_us // divisor,
        "F": first_id,
        "L": last_id,
        "n": span.trades,
    }


def _render_window(word: str, reading: Reading, divisor: int) -> WindowTickerEvent:
    window = reading.statistics
    span = window.span
    first_id, last_id = window.ids
    return {
        "e": word,
        "E": reading.now_us // divisor,
        "s": reading.symbol,
        "p": render_amount(window.change),
        "P": window.change_percent,
        "o": render_amount(span.open),
        "h": render_amount(span.high),
        "l": render_amount(span.low),
        "c": render_amount(span.close),
        "w": window.weighted,
        "v": render_amount(span.volume),
        "q": render_product(span.quote_volume),
        "O": window.open_us // divisor,
        "C": window.close_us // divisor,
        "F": first_id,
        "L": last_id,
        "n": span.trades,
    }
