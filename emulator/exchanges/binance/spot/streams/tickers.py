"""Statistics of the last 24 hours or of a rolling window, as ticker streams tell of them.

A symbol has changed when the trades in its span are others, or, where it is shown, the book's best prices
are.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from emulator.core.engine import Engine
from emulator.exchanges.binance.readings.statistics import change_percent, read_window, trade_ids, weighted
from emulator.exchanges.binance.spot.parameters import WINDOWS_US
from emulator.exchanges.binance.spot.payloads.streams import (
    MiniTickerEvent,
    TickerEvent,
    WindowTickerEvent,
)
from emulator.exchanges.binance.spot.streams.names import Stream, StreamKind
from emulator.exchanges.binance.vocabulary import render_amount, render_product
from emulator.market_data.statistics import Edges, Statistics, read_day, read_edges


class Reading(NamedTuple):
    """What was read of one symbol at one moment. edges: None where they are not shown, or not known."""

    symbol: str
    now_us: int
    statistics: Statistics
    edges: Edges | None = None


class SpotTickers:
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

    def is_news(self, reading: Reading, earlier: Reading) -> bool:
        """Whether there is something new beside the times."""
        if reading.statistics.span[2:] != earlier.statistics.span[2:]:
            return True
        return earlier.edges is not None and reading.edges != earlier.edges

    def render(self, reading: Reading, divisor: int) -> Any:
        return self._render(self._word, reading, divisor)


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
    first_id, last_id = trade_ids(day.span)
    return {
        "e": word,
        "E": reading.now_us // divisor,
        "s": reading.symbol,
        "p": render_amount(day.change),
        "P": change_percent(day),
        "w": weighted(day),
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
    first_id, last_id = trade_ids(window.span)
    return {
        "e": word,
        "E": reading.now_us // divisor,
        "s": reading.symbol,
        "p": render_amount(window.change),
        "P": change_percent(window),
        "o": render_amount(span.open),
        "h": render_amount(span.high),
        "l": render_amount(span.low),
        "c": render_amount(span.close),
        "w": weighted(window),
        "v": render_amount(span.volume),
        "q": render_product(span.quote_volume),
        "O": window.open_us // divisor,
        "C": window.close_us // divisor,
        "F": first_id,
        "L": last_id,
        "n": span.trades,
    }
