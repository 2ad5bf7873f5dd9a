"""The streams of spot, and the hub of each sandbox that runs them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Final

from emulator.core.engine import Engine
from emulator.core.markets import Candle
from emulator.exchanges.binance.readings.intervals import interval_of
from emulator.exchanges.binance.running import ENGINE
from emulator.exchanges.binance.spot.market.symbols import listed
from emulator.exchanges.binance.spot.streams.averages import AveragePrices
from emulator.exchanges.binance.spot.streams.events import (
    render_aggregate,
    render_best,
    render_candle,
    render_depth,
    render_partial_depth,
    render_trade,
)
from emulator.exchanges.binance.spot.streams.names import Stream, StreamKind
from emulator.exchanges.binance.spot.streams.tickers import SpotTickers
from emulator.market_data.candles import read_candles
from emulator.market_data.shown import SHOWN
from emulator.market_data.streams.candles import Klines
from emulator.market_data.streams.depth import Books, DepthDiffs, PartialDepth
from emulator.market_data.streams.quotes import BookTickers
from emulator.market_data.streams.tickers import AllTickers, SymbolTicker
from emulator.market_data.streams.trades import Trades
from emulator.runtime.per_sandbox import PerSandbox
from emulator.runtime.sandbox import Sandbox
from emulator.web.streams.hub import Hub
from emulator.web.streams.source import Make, Source

LEVELS_MAX: Final = 5000
"""Of one side, as REST shows at most."""

BOOKS: Final = PerSandbox(partial(Books, engine=ENGINE, levels_max=LEVELS_MAX))


def _trades(sandbox: Sandbox, stream: Stream) -> Source:
    return Trades(sandbox, stream, partial(render_trade, _symbol(stream)))


def _aggregates(sandbox: Sandbox, stream: Stream) -> Source:
    return Trades(sandbox, stream, partial(render_aggregate, _symbol(stream)))


def _book_tickers(sandbox: Sandbox, stream: Stream) -> Source:
    return BookTickers(sandbox, stream, partial(render_best, _symbol(stream)))


def _partial_depth(sandbox: Sandbox, stream: Stream) -> Source:
    return PartialDepth(sandbox, stream, render_partial_depth, levels=stream.levels)


def _depth(sandbox: Sandbox, stream: Stream) -> Source:
    return DepthDiffs(sandbox, stream, partial(render_depth, _symbol(stream)), books=BOOKS)


def _klines(sandbox: Sandbox, stream: Stream) -> Source:
    symbol, word = _symbol(stream), stream.interval
    interval = interval_of(word, stream.offset_us)

    def read(engine: Engine, start_us: int, end_us: int, limit: int, now_us: int) -> Sequence[Candle]:
        candles = read_candles(
            engine, symbol, interval, start_us=start_us, end_us=end_us, limit=limit, now_us=now_us
        )
        return list(candles)

    render = partial(render_candle, symbol, word)
    return Klines(sandbox, stream, render, interval=interval, read=read)


def _ticker(sandbox: Sandbox, stream: Stream) -> Source:
    return SymbolTicker(sandbox, stream, SpotTickers(stream))


def _all_tickers(sandbox: Sandbox, stream: Stream) -> Source:
    return AllTickers(sandbox, stream, SpotTickers(stream), listed=_listed)


def _listed(engine: Engine, now_us: int) -> list[str]:
    return [instrument.symbol for instrument in listed(engine)]


def _symbol(stream: Stream) -> str:
    assert stream.symbol is not None
    return stream.symbol


SOURCES: Final[dict[StreamKind, Make[Stream]]] = {
    StreamKind.TRADE: _trades,
    StreamKind.AGGREGATE_TRADE: _aggregates,
    StreamKind.BOOK_TICKER: _book_tickers,
    StreamKind.PARTIAL_DEPTH: _partial_depth,
    StreamKind.DEPTH: _depth,
    StreamKind.KLINE: _klines,
    StreamKind.MINI_TICKER: _ticker,
    StreamKind.TICKER: _ticker,
    StreamKind.WINDOW_TICKER: _ticker,
    StreamKind.MINI_TICKERS: _all_tickers,
    StreamKind.TICKERS: _all_tickers,
    StreamKind.WINDOW_TICKERS: _all_tickers,
    StreamKind.AVERAGE_PRICE: AveragePrices,
}


def _hub(sandbox: Sandbox) -> Hub[Stream]:
    return Hub(sandbox, engine=ENGINE, sources=SOURCES, shown=SHOWN)


HUBS: Final = PerSandbox(_hub)
