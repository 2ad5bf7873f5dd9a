"""Klines of trades, and of mark price, index price and premium; newest first, the last one still open."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from emulator.core.markets import Candle
from emulator.core.marks import Marks
from emulator.exchanges.bybit.categories import LINEAR
from emulator.exchanges.bybit.figures import decimal_text, time_text
from emulator.exchanges.bybit.listings import Listing
from emulator.exchanges.bybit.market.figures import figures_of, fixed
from emulator.exchanges.bybit.market.parameters import (
    INTERVALS_US,
    NOT_SUPPORTED,
    SYMBOL,
    WORDS,
    asked,
    check_span,
    limit,
)
from emulator.exchanges.bybit.payloads.market import Kline, Klines, PriceKline, PriceKlines
from emulator.exchanges.bybit.refusals import refuse
from emulator.market_data.candles import read_candles
from emulator.market_data.contract_candles import Ask, Wanted, read_prices, read_trades
from emulator.market_data.intervals import Interval
from emulator.web.contract import Call, Kind, Parameter, Rows
from emulator.web.turns import in_turns

rows = Rows()

KLINES: Final = 200
KLINES_MAX: Final = 1000
PREMIUM_PLACES: Final = 6

_RANGE: Final = (
    SYMBOL,
    Parameter("interval", Kind.CHOICE, required=True, choices=tuple(INTERVALS_US)),
    Parameter("start", Kind.TIME),
    Parameter("end", Kind.TIME),
    limit(KLINES, KLINES_MAX),
)


def _category(*choices: str) -> Parameter:
    return Parameter("category", Kind.CHOICE, choices=choices, default=LINEAR.name)


@rows.route(
    "GET",
    "/v5/market/kline",
    summary="Klines",
    description="With a start alone the oldest from there, else the newest until the end.",
    parameters=(_category("spot", "linear", "inverse"), *_RANGE),
    answers=Klines,
)
async def klines(call: Call) -> Klines:
    listing = asked(call, text=NOT_SUPPORTED)
    wanted = _wanted(call)
    made = await in_turns(render_kline(listing, candle) for candle in _trades(call, listing, wanted))
    made.reverse()
    return {"category": listing.category, "symbol": listing.symbol, "list": made}


def _trades(call: Call, listing: Listing, wanted: Wanted) -> Iterator[Candle]:
    if listing.contract is not None:
        return read_trades(call.engine, listing.instrument, wanted)
    return read_candles(
        call.engine,
        listing.instrument.symbol,
        wanted.interval,
        start_us=wanted.start_us,
        end_us=wanted.end_us,
        limit=wanted.limit,
        now_us=wanted.now_us,
    )


def render_kline(listing: Listing, candle: Candle) -> Kline:
    return (
        time_text(candle.open_us),
        decimal_text(candle.open),
        decimal_text(candle.high),
        decimal_text(candle.low),
        decimal_text(candle.close),
        decimal_text(candle.volume),
        decimal_text(figures_of(listing).turnover(candle)),
    )


@rows.route(
    "GET",
    "/v5/market/mark-price-kline",
    summary="Klines of the mark price",
    parameters=(_category(*WORDS[1:]), *_RANGE),
    answers=PriceKlines,
)
async def mark_klines(call: Call) -> PriceKlines:
    return await _prices(call, Marks.mark_candles)


@rows.route(
    "GET",
    "/v5/market/index-price-kline",
    summary="Klines of the index price",
    parameters=(_category(*WORDS[1:3]), *_RANGE),
    answers=PriceKlines,
)
async def index_klines(call: Call) -> PriceKlines:
    return await _prices(call, Marks.index_candles)


@rows.route(
    "GET",
    "/v5/market/premium-index-price-kline",
    summary="Klines of the premium of a perpetual",
    parameters=(_category(LINEAR.name), *_RANGE),
    answers=PriceKlines,
)
async def premium_klines(call: Call) -> PriceKlines:
    return await _prices(call, Marks.premium_candles, places=PREMIUM_PLACES, perpetuals_only=True)


async def _prices(
    call: Call, ask: Ask, *, places: int | None = None, perpetuals_only: bool = False
) -> PriceKlines:
    """places: to be shown; None: as many as there are."""
    listing = asked(call, text=NOT_SUPPORTED)
    if perpetuals_only and not listing.is_perpetual:
        raise refuse(10001, text=NOT_SUPPORTED)
    candles = read_prices(call.engine, listing.instrument, ask, _wanted(call))

    def rendered() -> Iterator[PriceKline]:
        for prices in candles:
            open_, high, low, close = (
                decimal_text(price) if places is None else fixed(price, places)
                for price in (prices.candle.open, prices.candle.high, prices.candle.low, prices.candle.close)
            )
            yield time_text(prices.candle.open_us), open_, high, low, close

    made = await in_turns(rendered())
    made.reverse()
    return {"category": listing.category, "symbol": listing.symbol, "list": made}


def _wanted(call: Call) -> Wanted:
    values, now_us = call.values, call.now_us
    check_span(values, "start", "end")
    interval, wanted = Interval(INTERVALS_US[values["interval"]]), values["limit"]
    start_us, end_us = values.get("start"), values.get("end")
    if start_us is not None and end_us is not None:
        # Of a range that is longer than the limit the newest ones are told.
        last_us = interval.open_of(min(end_us, now_us))
        start_us = max(start_us, interval.step(last_us, 1 - wanted))
    return Wanted(interval, start_us, now_us if end_us is None else end_us, wanted, now_us)
