"""Trades, one by one and aggregated, from one tape: the market's and those of accounts alike."""

from __future__ import annotations

from typing import Final, NamedTuple

from emulator.core.numbers import exact
from emulator.exchanges.binance.futures.figures import figures_of
from emulator.exchanges.binance.futures.listings import Listing
from emulator.exchanges.binance.futures.parameters import LIMIT, check_order, limit
from emulator.exchanges.binance.futures.payloads.market import AggregateTrade, CoinmTrade, UsdmTrade
from emulator.exchanges.binance.futures.products import USDM, product_of
from emulator.exchanges.binance.futures.refusals import TABLES
from emulator.exchanges.binance.futures.rows import FuturesRows
from emulator.exchanges.binance.futures.symbols import asked_shown
from emulator.exchanges.binance.vocabulary import END_TIME, FROM_ID, MARKET_DATA, START_TIME, SYMBOL
from emulator.web.contract import Call

rows = FuturesRows()

HOUR_US: Final = 3_600_000_000

# Quirk: of old trades there are at most 500 at once, and 100 if nothing is said, while recent ones go to 1000
# (Old Trades Lookup of both products, editions of 2025; those of 2026 name no figures).
OLD_LIMIT: Final = limit(100, 500)


class Page(NamedTuple):
    """Which trades of a contract: at most `limit` from an id on, none after a time."""

    listing: Listing
    first_id: int
    limit: int
    until_us: int


def _page(call: Call) -> Page:
    listing = asked_shown(call)
    wanted, until_us = call.values["limit"], listing.read_us(call.now_us)
    first_id = call.values.get("fromId")
    if first_id is None:
        market = call.engine.state.markets[listing.instrument.symbol]
        first_id = market.trade_count(until_us) - wanted + 1
    return Page(listing, first_id, wanted, until_us)


@rows.usdm(
    "GET",
    "/v1/trades",
    summary="Recent trades list",
    weight=5,
    parameters=(SYMBOL, LIMIT),
    answers=list[UsdmTrade],
)
@rows.usdm(
    "GET",
    "/v1/historicalTrades",
    summary="Old trades lookup",
    security=MARKET_DATA,
    weight=200,
    parameters=(SYMBOL, OLD_LIMIT, FROM_ID),
    answers=list[UsdmTrade],
)
def usdm_trades(call: Call) -> list[UsdmTrade]:
    with exact():
        listing, first_id, wanted, until_us = _page(call)
        figures = figures_of(listing)
        return [
            {
                "id": trade.id,
                "price": figures.price(trade.price),
                "qty": figures.quantity(trade.quantity),
                "quoteQty": figures.exact_value(trade.quantity, trade.amount),
                "time": trade.time_us // 1000,
                "isBuyerMaker": trade.buyer_is_maker,
                "isRPITrade": False,
            }
            for trade in call.engine.state.markets[listing.instrument.symbol].trades(
                first_id, wanted, until_us
            )
        ]


@rows.coinm(
    "GET",
    "/v1/trades",
    summary="Recent trades list",
    weight=5,
    parameters=(SYMBOL, LIMIT),
    answers=list[CoinmTrade],
)
@rows.coinm(
    "GET",
    "/v1/historicalTrades",
    summary="Old trades lookup",
    security=MARKET_DATA,
    weight=200,
    parameters=(SYMBOL, OLD_LIMIT, FROM_ID),
    answers=list[CoinmTrade],
)
def coinm_trades(call: Call) -> list[CoinmTrade]:
    with exact():
        listing, first_id, wanted, until_us = _page(call)
        figures = figures_of(listing)
        return [
            {
                "id": trade.id,
                "price": figures.price(trade.price),
                "qty": figures.quantity(trade.quantity),
                "baseQty": figures.exact_value(trade.quantity, trade.amount),
                "time": trade.time_us // 1000,
                "isBuyerMaker": trade.buyer_is_maker,
            }
            for trade in call.engine.state.markets[listing.instrument.symbol].trades(
                first_id, wanted, until_us
            )
        ]


@rows.both(
    "GET",
    "/v1/aggTrades",
    summary="Compressed/Aggregate trades list",
    description="Every trade is an aggregate of its own here, under its own id.",
    weight=20,
    parameters=(SYMBOL, FROM_ID, START_TIME, END_TIME, LIMIT),
    answers=list[AggregateTrade],
)
def aggregate_trades(call: Call) -> list[AggregateTrade]:
    values, product = call.values, product_of(call)
    listing = asked_shown(call)
    check_order(product, values)
    start_us, end_us = values.get("startTime"), values.get("endTime")
    if start_us is not None and end_us is not None and end_us - start_us > HOUR_US:
        raise TABLES[product].refuse(-1127, 1)
    market = call.engine.state.markets[listing.instrument.symbol]
    wanted, first_id = values["limit"], values.get("fromId")
    until_us = listing.read_us(call.now_us)
    if end_us is not None:
        # The whole of the millisecond that was said.
        until_us = min(until_us, end_us // 1000 * 1000 + 999)
    with exact():
        if first_id is None:
            if start_us is not None:
                first_id = market.trade_count(start_us - 1) + 1
            else:
                first_id = market.trade_count(until_us) - wanted + 1
        figures = figures_of(listing)
        aggregates: list[AggregateTrade] = []
        for trade in market.trades(first_id, wanted, until_us):
            quantity = figures.quantity(trade.quantity)
            aggregate: AggregateTrade = {
                "a": trade.id,
                "p": figures.price(trade.price),
                "q": quantity,
                "nq": quantity,
                "f": trade.id,
                "l": trade.id,
                "T": trade.time_us // 1000,
                "m": trade.buyer_is_maker,
            }
            if product is not USDM:
                del aggregate["nq"]
            aggregates.append(aggregate)
    return aggregates
