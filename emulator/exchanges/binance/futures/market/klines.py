"""Klines of contracts, of a type of contract, and of index price, mark price and premium.

Both sites answer for the contracts and pairs of either product. The last kline is still open.
"""

from __future__ import annotations

from typing import Final

from emulator.core.markets import Candle
from emulator.core.marks import Marks
from emulator.exchanges.binance.futures.candles import read_continuous
from emulator.exchanges.binance.futures.figures import Figures, figures_of
from emulator.exchanges.binance.futures.listings import Listing
from emulator.exchanges.binance.futures.parameters import (
    CONTRACT_TYPE,
    INTERVAL,
    KLINE_LIMIT,
    PAIR,
    check_order,
    kline_weight,
)
from emulator.exchanges.binance.futures.payloads.market import Kline
from emulator.exchanges.binance.futures.products import COINM, product_of
from emulator.exchanges.binance.futures.refusals import CODES, TABLES
from emulator.exchanges.binance.futures.rows import FuturesRows
from emulator.exchanges.binance.futures.symbols import asked_of_either, pair_of_either
from emulator.exchanges.binance.readings.intervals import interval_of
from emulator.exchanges.binance.vocabulary import END_TIME, START_TIME, SYMBOL, render_amount
from emulator.market_data.contract_candles import Ask, PricesSoFar, Wanted, read_prices, read_trades
from emulator.market_data.intervals import DAY_US
from emulator.web.contract import Call
from emulator.web.turns import in_turns

rows = FuturesRows()

DAYS_MAX: Final = 200
"""How long a range of COIN-M may be."""

_RANGE: Final = (INTERVAL, START_TIME, END_TIME, KLINE_LIMIT)


@rows.both(
    "GET",
    "/v1/klines",
    summary="Kline/Candlestick data",
    weight=kline_weight,
    parameters=(SYMBOL, *_RANGE),
    answers=list[Kline],
)
async def klines(call: Call) -> list[Kline]:
    listing = asked_of_either(call)
    figures = figures_of(listing)
    candles = read_trades(call.engine, listing.instrument, _wanted(call))
    return await in_turns(render_trade_kline(figures, candle) for candle in candles)


@rows.both(
    "GET",
    "/v1/continuousKlines",
    summary="Continuous contract kline/Candlestick data",
    weight=kline_weight,
    parameters=(PAIR, CONTRACT_TYPE, *_RANGE),
    answers=list[Kline],
)
async def continuous_klines(call: Call) -> list[Kline]:
    product, _ = pair_of_either(call)
    values = call.values
    candles = read_continuous(call.engine, product, values["pair"], values["contractType"], _wanted(call))
    return await in_turns(render_trade_kline(figures_of(listing), candle) for listing, candle in candles)


@rows.both(
    "GET",
    "/v1/indexPriceKlines",
    summary="Index price kline/Candlestick data",
    weight=kline_weight,
    parameters=(PAIR, *_RANGE),
    answers=list[Kline],
)
async def index_price_klines(call: Call) -> list[Kline]:
    # All contracts of a pair have the same index, and the first of them is its perpetual.
    listing = pair_of_either(call)[1][0]
    call.instrument = listing.instrument.symbol
    return await _prices(call, listing, Marks.index_candles)


@rows.both(
    "GET",
    "/v1/markPriceKlines",
    summary="Mark price kline/Candlestick data",
    weight=kline_weight,
    parameters=(SYMBOL, *_RANGE),
    answers=list[Kline],
)
async def mark_price_klines(call: Call) -> list[Kline]:
    return await _prices(call, asked_of_either(call), Marks.mark_candles)


@rows.both(
    "GET",
    "/v1/premiumIndexKlines",
    summary="Premium index kline data",
    weight=kline_weight,
    parameters=(SYMBOL, *_RANGE),
    answers=list[Kline],
)
async def premium_index_klines(call: Call) -> list[Kline]:
    return await _prices(call, asked_of_either(call), Marks.premium_candles)


async def _prices(call: Call, listing: Listing, ask: Ask) -> list[Kline]:
    candles = read_prices(call.engine, listing.instrument, ask, _wanted(call))
    return await in_turns(render_price_kline(prices) for prices in candles)


def _wanted(call: Call) -> Wanted:
    values, product, now_us = call.values, product_of(call), call.now_us
    check_order(product, values)
    interval, wanted = interval_of(values["interval"]), values["limit"]
    start_us, end_us = values.get("startTime"), values.get("endTime")
    if product is COINM and start_us is not None:
        # Quirk: COIN-M answers the newest klines of a range of at most 200 days, which ends at now or 200
        # days after its start if nothing is said; USD-M answers the oldest from a start (COIN-M,
        # "Kline/Candlestick Data").
        longest_us = DAYS_MAX * DAY_US
        if end_us is None:
            end_us = start_us + longest_us
        elif end_us - start_us > longest_us:
            raise TABLES[product].refuse(CODES[product].long_interval, DAYS_MAX)
        end_us = min(end_us, now_us)
        start_us = max(start_us, interval.step(interval.open_of(end_us), 1 - wanted))
    return Wanted(interval, start_us, now_us if end_us is None else end_us, wanted, now_us)


def render_trade_kline(figures: Figures, candle: Candle) -> Kline:
    return (
        candle.open_us // 1000,
        figures.price(candle.open),
        figures.price(candle.high),
        figures.price(candle.low),
        figures.price(candle.close),
        figures.quantity(candle.volume),
        # A kline closes a millisecond before the next one opens.
        (candle.close_us - 1) // 1000,
        figures.exact_value(candle.volume, candle.quote_volume),
        candle.trades,
        figures.quantity(candle.taker_volume),
        figures.exact_value(candle.taker_volume, candle.taker_quote_volume),
        "0",
    )


def render_price_kline(prices: PricesSoFar) -> Kline:
    candle = prices.candle
    return (
        candle.open_us // 1000,
        render_amount(candle.open),
        render_amount(candle.high),
        render_amount(candle.low),
        render_amount(candle.close),
        "0",
        (candle.close_us - 1) // 1000,
        "0",
        prices.seconds,
        "0",
        "0",
        "0",
    )
