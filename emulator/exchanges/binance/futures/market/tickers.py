"""Statistics of the last 24 hours, latest prices, and the best prices of the book.

With `symbol` one object is answered, without it a list; COIN-M answers lists only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from emulator.core.numbers import exact
from emulator.exchanges.binance.futures.figures import figures_of, percent
from emulator.exchanges.binance.futures.listings import Listing
from emulator.exchanges.binance.futures.parameters import PAIR_OPTIONAL
from emulator.exchanges.binance.futures.payloads.market import (
    CoinmBookTicker,
    CoinmDayTicker,
    CoinmPriceTicker,
    UsdmBookTicker,
    UsdmDayTicker,
    UsdmPriceTicker,
)
from emulator.exchanges.binance.futures.rows import FuturesRows
from emulator.exchanges.binance.futures.symbols import asked_for
from emulator.exchanges.binance.readings.statistics import read_window, trade_ids
from emulator.exchanges.binance.vocabulary import SYMBOL_OPTIONAL
from emulator.market_data.intervals import DAY_US
from emulator.market_data.statistics import Statistics
from emulator.web.contract import Call, Weight

rows = FuturesRows()

T = TypeVar("T")

SYMBOL_OR_PAIR = (("symbol", "pair"),)


def by_symbol(one: int, several: int) -> Weight:
    """What a request costs with `symbol` and without it."""

    def weigh(values: Mapping[str, Any]) -> int:
        return one if "symbol" in values else several

    return weigh


def one_or_each(call: Call, render: Callable[[Call, Listing], T]) -> T | list[T]:
    """The object of `symbol`, or a list where it was not sent."""
    chosen = asked_for(call)
    with exact():
        if "symbol" in call.values:
            return render(call, chosen[0])
        return [render(call, listing) for listing in chosen]


def each(call: Call, render: Callable[[Call, Listing], T]) -> list[T]:
    chosen = asked_for(call)
    with exact():
        return [render(call, listing) for listing in chosen]


# Statistics


@rows.usdm(
    "GET",
    "/v1/ticker/24hr",
    summary="24hr ticker price change statistics",
    weight=by_symbol(1, 40),
    parameters=(SYMBOL_OPTIONAL,),
    answers=UsdmDayTicker | list[UsdmDayTicker],
)
def usdm_day_ticker(call: Call) -> UsdmDayTicker | list[UsdmDayTicker]:
    return one_or_each(call, _usdm_day)


# Quirk: tickers of COIN-M are lists even of one symbol (24hr Ticker Price Change Statistics of COIN-M).
@rows.coinm(
    "GET",
    "/v1/ticker/24hr",
    summary="24hr ticker price change statistics",
    weight=by_symbol(1, 40),
    parameters=(SYMBOL_OPTIONAL, PAIR_OPTIONAL),
    exclusive=SYMBOL_OR_PAIR,
    answers=list[CoinmDayTicker],
)
def coinm_day_ticker(call: Call) -> list[CoinmDayTicker]:
    return each(call, _coinm_day)


def _day(call: Call, listing: Listing) -> tuple[Statistics, str]:
    """The last day, and the quantity of the last trade."""
    now_us, instrument = listing.read_us(call.now_us), listing.instrument.symbol
    # Quirk: the 24 hours of futures begin with a whole minute (live answers).
    day = read_window(call.engine, instrument, DAY_US, now_us)
    last = call.engine.state.markets[instrument].last_print(now_us)
    return day, figures_of(listing).quantity(last.quantity)


def _usdm_day(call: Call, listing: Listing) -> UsdmDayTicker:
    (day, last_quantity), figures = _day(call, listing), figures_of(listing)
    span, (first_id, last_id) = day.span, trade_ids(day.span)
    return {
        "symbol": listing.symbol,
        "priceChange": figures.price(day.change),
        "priceChangePercent": percent(day.change, span.open),
        "weightedAvgPrice": figures.weighted(span),
        "lastPrice": figures.price(span.close),
        "lastQty": last_quantity,
        "openPrice": figures.price(span.open),
        "highPrice": figures.price(span.high),
        "lowPrice": figures.price(span.low),
        "volume": figures.quantity(span.volume),
        "quoteVolume": figures.total(span),
        "openTime": day.open_us // 1000,
        "closeTime": day.close_us // 1000,
        "firstId": first_id,
        "lastId": last_id,
        "count": span.trades,
    }


def _coinm_day(call: Call, listing: Listing) -> CoinmDayTicker:
    (day, last_quantity), figures = _day(call, listing), figures_of(listing)
    span, (first_id, last_id) = day.span, trade_ids(day.span)
    return {
        "symbol": listing.symbol,
        "pair": listing.pair,
        "priceChange": figures.price(day.change),
        "priceChangePercent": percent(day.change, span.open),
        "weightedAvgPrice": figures.weighted(span),
        "lastPrice": figures.price(span.close),
        "lastQty": last_quantity,
        "openPrice": figures.price(span.open),
        "highPrice": figures.price(span.high),
        "lowPrice": figures.price(span.low),
        "volume": figures.quantity(span.volume),
        "baseVolume": figures.exact_value(span.volume, span.quote_volume),
        "openTime": day.open_us // 1000,
        "closeTime": day.close_us // 1000,
        "firstId": first_id,
        "lastId": last_id,
        "count": span.trades,
    }


# Latest prices


@rows.usdm(
    "GET",
    "/v1/ticker/price",
    summary="Symbol price ticker",
    weight=by_symbol(1, 2),
    parameters=(SYMBOL_OPTIONAL,),
    answers=UsdmPriceTicker | list[UsdmPriceTicker],
    deprecated=True,
)
@rows.usdm(
    "GET",
    "/v2/ticker/price",
    summary="Symbol price ticker v2",
    weight=by_symbol(1, 2),
    parameters=(SYMBOL_OPTIONAL,),
    answers=UsdmPriceTicker | list[UsdmPriceTicker],
)
def usdm_price_ticker(call: Call) -> UsdmPriceTicker | list[UsdmPriceTicker]:
    return one_or_each(call, _usdm_price)


@rows.coinm(
    "GET",
    "/v1/ticker/price",
    summary="Symbol price ticker",
    weight=by_symbol(1, 2),
    parameters=(SYMBOL_OPTIONAL, PAIR_OPTIONAL),
    exclusive=SYMBOL_OR_PAIR,
    answers=list[CoinmPriceTicker],
)
def coinm_price_ticker(call: Call) -> list[CoinmPriceTicker]:
    return each(call, _coinm_price)


def _usdm_price(call: Call, listing: Listing) -> UsdmPriceTicker:
    last = call.engine.state.markets[listing.instrument.symbol].last_print(listing.read_us(call.now_us))
    return {
        "symbol": listing.symbol,
        "price": figures_of(listing).price(last.price),
        "time": last.time_us // 1000,
    }


def _coinm_price(call: Call, listing: Listing) -> CoinmPriceTicker:
    last = call.engine.state.markets[listing.instrument.symbol].last_print(listing.read_us(call.now_us))
    return {
        "symbol": listing.symbol,
        "ps": listing.pair,
        "price": figures_of(listing).price(last.price),
        "time": last.time_us // 1000,
    }


# The book's best prices


@rows.usdm(
    "GET",
    "/v1/ticker/bookTicker",
    summary="Symbol order book ticker",
    weight=by_symbol(2, 5),
    parameters=(SYMBOL_OPTIONAL,),
    answers=UsdmBookTicker | list[UsdmBookTicker],
)
def usdm_book_ticker(call: Call) -> UsdmBookTicker | list[UsdmBookTicker]:
    return one_or_each(call, _usdm_book)


@rows.coinm(
    "GET",
    "/v1/ticker/bookTicker",
    summary="Symbol order book ticker",
    weight=by_symbol(2, 5),
    parameters=(SYMBOL_OPTIONAL, PAIR_OPTIONAL),
    exclusive=SYMBOL_OR_PAIR,
    answers=list[CoinmBookTicker],
)
def coinm_book_ticker(call: Call) -> list[CoinmBookTicker]:
    return each(call, _coinm_book)


def _usdm_book(call: Call, listing: Listing) -> UsdmBookTicker:
    now_us, figures = listing.read_us(call.now_us), figures_of(listing)
    market = call.engine.state.markets[listing.instrument.symbol]
    quote = market.quote(now_us)
    return {
        "symbol": listing.symbol,
        "bidPrice": figures.price(quote.bid),
        "bidQty": figures.quantity(quote.bid_quantity),
        "askPrice": figures.price(quote.ask),
        "askQty": figures.quantity(quote.ask_quantity),
        "time": now_us // 1000,
        "lastUpdateId": market.update_id(now_us),
    }


def _coinm_book(call: Call, listing: Listing) -> CoinmBookTicker:
    now_us, figures = listing.read_us(call.now_us), figures_of(listing)
    market = call.engine.state.markets[listing.instrument.symbol]
    quote = market.quote(now_us)
    return {
        "lastUpdateId": market.update_id(now_us),
        "symbol": listing.symbol,
        "pair": listing.pair,
        "bidPrice": figures.price(quote.bid),
        "bidQty": figures.quantity(quote.bid_quantity),
        "askPrice": figures.price(quote.ask),
        "askQty": figures.quantity(quote.ask_quantity),
        "time": now_us // 1000,
    }
