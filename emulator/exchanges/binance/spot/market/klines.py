"""Klines of every interval, for any range: with a start the oldest from there, else the newest.

They begin with the interval that holds the first trade, and the last one is still open. `startTime` and
`endTime` are about opening times and always in UTC; `timeZone` moves the boundaries.
"""

from __future__ import annotations

from collections.abc import Sequence

from emulator.core.engine import Engine
from emulator.core.markets import Candle
from emulator.core.numbers import exact
from emulator.exchanges.binance.spot.market.intervals import Interval, parse_offset
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
from emulator.web.contract import Call, Rows

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
def klines(call: Call) -> list[Kline]:
    instrument = asked(call)
    values = call.values
    interval = Interval(values["interval"], parse_offset(values["timeZone"]))
    with exact():
        candles = read_candles(
            call.engine,
            instrument.symbol,
            interval,
            start_us=values.get("startTime"),
            end_us=values.get("endTime"),
            limit=values["limit"],
            now_us=call.now_us,
        )
    return [render_kline(candle, call.time_divisor) for candle in candles]


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


def read_candles(
    engine: Engine,
    symbol: str,
    interval: Interval,
    *,
    start_us: int | None,
    end_us: int | None,
    limit: int,
    now_us: int,
) -> Sequence[Candle]:
    """At most `limit` candles that open in [start_us, end_us], in order of time."""
    market = engine.state.markets[symbol]
    end_us = now_us if end_us is None else min(end_us, now_us)
    if start_us is None:
        first_us = interval.step(interval.open_of(end_us), 1 - limit)
    else:
        first_us = interval.open_from(start_us)
    if first_us > end_us:
        return ()
    if not market.trade_count(interval.step(first_us, 1) - 1):
        oldest = market.trades(1, 1, now_us)
        if not oldest:
            return ()
        first_us = max(first_us, interval.open_of(oldest[0].time_us))
    length_us = interval.length_us
    if length_us:
        return market.candles(length_us, first_us, min(end_us, first_us + (limit - 1) * length_us), now_us)
    months: list[Candle] = []
    while first_us <= end_us and len(months) < limit:
        next_us = interval.step(first_us, 1)
        candle = market.range(first_us, min(next_us, now_us + 1))
        months.append(candle._replace(open_us=first_us, close_us=next_us))
        first_us = next_us
    return months
