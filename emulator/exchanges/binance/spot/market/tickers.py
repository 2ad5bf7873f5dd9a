"""Statistics of a span of time: the last 24 hours, a trading day, or a window of any length.

Every one is the sum of the tape over [openTime, closeTime], so that the trades and klines of the same
span say the same. `lastPrice` is that of the last trade in it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, TypeVar

from emulator.core.markets import Candle
from emulator.core.numbers import ZERO, divide_half, exact
from emulator.exchanges.binance.spot.market.intervals import DAY_US, MINUTE_US, Interval, parse_offset
from emulator.exchanges.binance.spot.market.symbols import asked, asked_for
from emulator.exchanges.binance.spot.parameters import TICKER_TYPE, TIME_ZONE, WINDOW_SIZE, WINDOWS_US
from emulator.exchanges.binance.spot.payloads.market import DayTicker, MiniTicker, WindowTicker
from emulator.exchanges.binance.vocabulary import (
    EIGHT_PLACES,
    SYMBOL_OPTIONAL,
    SYMBOL_STATUS,
    SYMBOLS,
    render_amount,
    render_places,
    render_product,
)
from emulator.web.contract import Call, Rows

rows = Rows()

MILLISECOND_US = 1000
WINDOW_SYMBOLS_MAX = 100

_THOUSANDTH = Decimal("0.001")

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
    now_us = call.now_us
    # Begins with a whole millisecond, since that is all that most clients see of it.
    open_us = (now_us // MILLISECOND_US * MILLISECOND_US) - DAY_US
    if call.values["type"] == "MINI":
        return _each(call, lambda symbol: _mini(call, symbol, open_us, now_us))
    return _each(call, lambda symbol: _day(call, symbol, open_us, now_us))


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
    open_us = Interval("1d", parse_offset(call.values["timeZone"])).open_of(call.now_us)
    return _window_tickers(call, open_us, open_us + DAY_US - 1)


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
    # Quirk: a rolling window opens on a whole minute, so it is up to 59,999 ms longer than asked for
    # (rest-api.md, "Rolling window price change statistics").
    earliest_us = call.now_us - WINDOWS_US[call.values["windowSize"]]
    return _window_tickers(call, earliest_us - earliest_us % MINUTE_US, call.now_us)


def _window_tickers(call: Call, open_us: int, close_us: int) -> Any:
    if call.values["type"] == "MINI":
        return _each(call, lambda symbol: _mini(call, symbol, open_us, close_us))
    return _each(call, lambda symbol: _window(call, symbol, open_us, close_us))


def _each(call: Call, render: Callable[[str], T]) -> T | list[T]:
    """One body for `symbol`, a list for everything else."""
    chosen = asked_for(call)
    with exact():
        if chosen is None:
            return render(asked(call).symbol)
        return [render(instrument.symbol) for instrument in chosen]


def _day(call: Call, symbol: str, open_us: int, close_us: int) -> DayTicker:
    market = call.engine.state.markets[symbol]
    span = market.range(open_us, close_us + 1)
    change = span.close - span.open
    quote = market.quote(call.now_us)
    before = market.trades(span.first - 1, 1, open_us) if span.first > 1 else ()
    # The last trade overall is the last one of the span, since the span ends now.
    last = market.last_print(call.now_us)
    first_id, last_id = _ids(span)
    return {
        "symbol": symbol,
        "priceChange": render_amount(change),
        "priceChangePercent": _percent(change, span.open),
        "weightedAvgPrice": _weighted(span),
        "prevClosePrice": render_amount(before[0].price if before else span.open),
        "lastPrice": render_amount(span.close),
        "lastQty": render_amount(last.quantity),
        "bidPrice": render_amount(quote.bid),
        "bidQty": render_amount(quote.bid_quantity),
        "askPrice": render_amount(quote.ask),
        "askQty": render_amount(quote.ask_quantity),
        "openPrice": render_amount(span.open),
        "highPrice": render_amount(span.high),
        "lowPrice": render_amount(span.low),
        "volume": render_amount(span.volume),
        "quoteVolume": render_product(span.quote_volume),
        "openTime": call.render_time(open_us),
        "closeTime": call.render_time(close_us),
        "firstId": first_id,
        "lastId": last_id,
        "count": span.trades,
    }


def _window(call: Call, symbol: str, open_us: int, close_us: int) -> WindowTicker:
    span = call.engine.state.markets[symbol].range(open_us, min(close_us, call.now_us) + 1)
    change = span.close - span.open
    first_id, last_id = _ids(span)
    return {
        "symbol": symbol,
        "priceChange": render_amount(change),
        "priceChangePercent": _percent(change, span.open),
        "weightedAvgPrice": _weighted(span),
        "openPrice": render_amount(span.open),
        "highPrice": render_amount(span.high),
        "lowPrice": render_amount(span.low),
        "lastPrice": render_amount(span.close),
        "volume": render_amount(span.volume),
        "quoteVolume": render_product(span.quote_volume),
        "openTime": call.render_time(open_us),
        "closeTime": call.render_time(close_us),
        "firstId": first_id,
        "lastId": last_id,
        "count": span.trades,
    }


def _mini(call: Call, symbol: str, open_us: int, close_us: int) -> MiniTicker:
    span = call.engine.state.markets[symbol].range(open_us, min(close_us, call.now_us) + 1)
    first_id, last_id = _ids(span)
    return {
        "symbol": symbol,
        "openPrice": render_amount(span.open),
        "highPrice": render_amount(span.high),
        "lowPrice": render_amount(span.low),
        "lastPrice": render_amount(span.close),
        "volume": render_amount(span.volume),
        "quoteVolume": render_product(span.quote_volume),
        "openTime": call.render_time(open_us),
        "closeTime": call.render_time(close_us),
        "firstId": first_id,
        "lastId": last_id,
        "count": span.trades,
    }


def _ids(span: Candle) -> tuple[int, int]:
    """The first and the last trade; -1 for both where there is none, as the live host answers."""
    # Quirk: statistics of a span without trades have -1 as first and last trade id (live answers).
    return (span.first, span.last) if span.trades else (-1, -1)


def _percent(change: Decimal, opening: Decimal) -> str:
    return render_places(divide_half(change * 100, opening, _THOUSANDTH) if opening else ZERO, 3)


def _weighted(span: Candle) -> str:
    return render_amount(divide_half(span.quote_volume, span.volume, EIGHT_PLACES) if span.volume else ZERO)
