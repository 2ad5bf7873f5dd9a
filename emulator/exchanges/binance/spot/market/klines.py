"""Klines. `startTime` and `endTime` are about opening times and always in UTC; `timeZone` moves the
boundaries."""

from __future__ import annotations

from emulator.core.markets import Candle
from emulator.exchanges.binance.readings.intervals import interval_of, parse_offset
from emulator.exchanges.binance.spot.market.symbols import asked
from emulator.exchanges.binance.spot.parameters import LIMIT, TIME_ZONE
from emulator.exchanges.binance.spot.payloads.market import Kline
from emulator.exchanges.binance.vocabulary import (
    END_TIME,
    INTERVAL,
    START_TIME,
    SYMBOL,
    render_amount,
    render_product,
)
from emulator.market_data.candles import read_candles
from emulator.web.contract import Call, Rows
from emulator.web.turns import in_turns

rows = Rows()


@rows.route(
    "GET",
    "/api/v3/klines",
    summary="Kline/Candlestick data",
    weight=2,
    parameters=(SYMBOL, INTERVAL, START_TIME, END_TIME, TIME_ZONE, LIMIT),
    answers=list[Kline],
)
@rows.route(
    "GET",
    "/api/v3/uiKlines",
    summary="UIKlines",
    description="What the exchange modifies for presentation is not documented; these are the klines.",
    weight=2,
    parameters=(SYMBOL, INTERVAL, START_TIME, END_TIME, TIME_ZONE, LIMIT),
    answers=list[Kline],
)
async def klines(call: Call) -> list[Kline]:
    instrument = asked(call)
    values = call.values
    candles = read_candles(
        call.engine,
        instrument.symbol,
        interval_of(values["interval"], parse_offset(values["timeZone"])),
        start_us=values.get("startTime"),
        end_us=values.get("endTime"),
        limit=values["limit"],
        now_us=call.now_us,
    )
    return await in_turns(render_kline(candle, call.time_divisor) for candle in candles)


def render_kline(candle: Candle, divisor: int) -> Kline:
    """divisor: microseconds in the unit of time that is shown."""
    return (
        candle.open_us // divisor,
        render_amount(candle.open),
        render_amount(candle.high),
        render_amount(candle.low),
        render_amount(candle.close),
        render_amount(candle.volume),
        # Quirk: a kline closes a millisecond before the next one opens, or a microsecond where that is
        # the unit asked for (rest-api.md, "Kline/Candlestick data").
        (candle.close_us - 1) // divisor,
        render_product(candle.quote_volume),
        candle.trades,
        render_amount(candle.taker_volume),
        render_product(candle.taker_quote_volume),
        "0",
    )
