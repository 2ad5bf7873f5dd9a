"""Statistics of a span of time: the last 24 hours, a trading day, or a window of any length.

Every one is the sum of the tape over [openTime, closeTime], so that the trades and klines of the same
span say the same. `lastPrice` is that of the last trade in it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from emulator.core.numbers import exact
from emulator.exchanges.binance.readings.intervals import interval_of, parse_offset
from emulator.exchanges.binance.readings.statistics import change_percent, read_window, trade_ids, weighted
from emulator.exchanges.binance.spot.market.symbols import asked, asked_for
from emulator.exchanges.binance.spot.parameters import TICKER_TYPE, TIME_ZONE, WINDOW_SIZE, WINDOWS_US
from emulator.exchanges.binance.spot.payloads.market import DayTicker, MiniTicker, WindowTicker
from emulator.exchanges.binance.vocabulary import (
    SYMBOL_OPTIONAL,
    SYMBOL_STATUS,
    SYMBOLS,
    render_amount,
    render_product,
)
from emulator.market_data.intervals import DAY_US
from emulator.market_data.statistics import Statistics, read_day, read_edges, read_span
from emulator.web.contract import Call, Rows

rows = Rows()

WINDOW_SYMBOLS_MAX = 100

T = TypeVar("T")


def _day_weight(values: Mapping[str, Any]) -> int:
    if "symbol" in values:
        return 2
    symbols = values.get("symbols")
    if symbols is None or len(symbols) > 100:
        return 80
    return 2 if len(symbols) <= 20 else 40


def _window_weight(values: Mapping[str, Any]) -> int:
    return min(200, 4 * max(1, len(values.get("symbols", ()))))


@rows.route(
    "GET",
    "/api/v3/ticker/24hr",
    summary="24hr ticker price change statistics",
    weight=_day_weight,
    parameters=(SYMBOL_OPTIONAL, SYMBOLS, TICKER_TYPE, SYMBOL_STATUS),
    exclusive=(("symbol", "symbols"),),
    answers=DayTicker | MiniTicker | list[DayTicker] | list[MiniTicker],
)
def day_ticker(call: Call) -> Any:
    def read(symbol: str) -> Statistics:
        return read_day(call.engine, symbol, call.now_us)

    return _each(call, read, _mini if call.values["type"] == "MINI" else _day)


@rows.route(
    "GET",
    "/api/v3/ticker/tradingDay",
    summary="Trading day ticker",
    weight=_window_weight,
    parameters=(
        SYMBOL_OPTIONAL,
        SYMBOLS.but(members_max=WINDOW_SYMBOLS_MAX),
        TIME_ZONE,
        TICKER_TYPE,
        SYMBOL_STATUS,
    ),
    one_of=(("symbol", "symbols"),),
    exclusive=(("symbol", "symbols"),),
    answers=WindowTicker | MiniTicker | list[WindowTicker] | list[MiniTicker],
)
def trading_day_ticker(call: Call) -> Any:
    open_us = interval_of("1d", parse_offset(call.values["timeZone"])).open_of(call.now_us)

    def read(symbol: str) -> Statistics:
        return read_span(call.engine, symbol, open_us, open_us + DAY_US - 1, call.now_us)

    return _each(call, read, _mini if call.values["type"] == "MINI" else _window)


@rows.route(
    "GET",
    "/api/v3/ticker",
    summary="Rolling window price change statistics",
    weight=_window_weight,
    parameters=(
        SYMBOL_OPTIONAL,
        SYMBOLS.but(members_max=WINDOW_SYMBOLS_MAX),
        WINDOW_SIZE,
        TICKER_TYPE,
        SYMBOL_STATUS,
    ),
    one_of=(("symbol", "symbols"),),
    exclusive=(("symbol", "symbols"),),
    answers=WindowTicker | MiniTicker | list[WindowTicker] | list[MiniTicker],
)
def window_ticker(call: Call) -> Any:
    length_us = WINDOWS_US[call.values["windowSize"]]

    def read(symbol: str) -> Statistics:
        return read_window(call.engine, symbol, length_us, call.now_us)

    return _each(call, read, _mini if call.values["type"] == "MINI" else _window)


def _each(
    call: Call, read: Callable[[str], Statistics], render: Callable[[Call, str, Statistics], T]
) -> T | list[T]:
    """One body for `symbol`, a list for everything else."""
    chosen = asked_for(call)
    with exact():
        if chosen is None:
            symbol = asked(call).symbol
            return render(call, symbol, read(symbol))
        return [render(call, one.symbol, read(one.symbol)) for one in chosen]


def _day(call: Call, symbol: str, day: Statistics) -> DayTicker:
    span = day.span
    edges = read_edges(call.engine, symbol, day)
    quote = edges.quote
    first_id, last_id = trade_ids(day.span)
    return {
        "symbol": symbol,
        "priceChange": render_amount(day.change),
        "priceChangePercent": change_percent(day),
        "weightedAvgPrice": weighted(day),
        "prevClosePrice": render_amount(edges.previous_close),
        "lastPrice": render_amount(span.close),
        "lastQty": render_amount(edges.last_quantity),
        "bidPrice": render_amount(quote.bid),
        "bidQty": render_amount(quote.bid_quantity),
        "askPrice": render_amount(quote.ask),
        "askQty": render_amount(quote.ask_quantity),
        "openPrice": render_amount(span.open),
        "highPrice": render_amount(span.high),
        "lowPrice": render_amount(span.low),
        "volume": render_amount(span.volume),
        "quoteVolume": render_product(span.quote_volume),
        "openTime": call.render_time(day.open_us),
        "closeTime": call.render_time(day.close_us),
        "firstId": first_id,
        "lastId": last_id,
        "count": span.trades,
    }


def _window(call: Call, symbol: str, window: Statistics) -> WindowTicker:
    span = window.span
    first_id, last_id = trade_ids(window.span)
    return {
        "symbol": symbol,
        "priceChange": render_amount(window.change),
        "priceChangePercent": change_percent(window),
        "weightedAvgPrice": weighted(window),
        "openPrice": render_amount(span.open),
        "highPrice": render_amount(span.high),
        "lowPrice": render_amount(span.low),
        "lastPrice": render_amount(span.close),
        "volume": render_amount(span.volume),
        "quoteVolume": render_product(span.quote_volume),
        "openTime": call.render_time(window.open_us),
        "closeTime": call.render_time(window.close_us),
        "firstId": first_id,
        "lastId": last_id,
        "count": span.trades,
    }


def _mini(call: Call, symbol: str, window: Statistics) -> MiniTicker:
    span = window.span
    first_id, last_id = trade_ids(window.span)
    return {
        "symbol": symbol,
        "openPrice": render_amount(span.open),
        "highPrice": render_amount(span.high),
        "lowPrice": render_amount(span.low),
        "lastPrice": render_amount(span.close),
        "volume": render_amount(span.volume),
        "quoteVolume": render_product(span.quote_volume),
        "openTime": call.render_time(window.open_us),
        "closeTime": call.render_time(window.close_us),
        "firstId": first_id,
        "lastId": last_id,
        "count": span.trades,
    }
