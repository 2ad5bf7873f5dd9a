"""Trades, one by one and aggregated, from one tape: the market's and those of accounts alike."""

from __future__ import annotations

from emulator.core.numbers import exact
from emulator.exchanges.binance.errors import refuse
from emulator.exchanges.binance.spot.market.symbols import asked
from emulator.exchanges.binance.spot.parameters import LIMIT
from emulator.exchanges.binance.spot.payloads.market import AggregateTrade, BlockTrade, Trade
from emulator.exchanges.binance.spot.windows import end_of
from emulator.exchanges.binance.vocabulary import (
    END_TIME,
    FROM_ID,
    START_TIME,
    SYMBOL,
    render_amount,
    render_product,
)
from emulator.web.contract import Call, Rows

rows = Rows()


@rows.route(
    "GET",
    "/api/v3/trades",
    summary="Recent trades list",
    weight=25,
    parameters=(SYMBOL, LIMIT),
    answers=list[Trade],
)
@rows.route(
    "GET",
    "/api/v3/historicalTrades",
    summary="Old trade lookup",
    weight=25,
    parameters=(SYMBOL, LIMIT, FROM_ID),
    answers=list[Trade],
)
def trades(call: Call) -> list[Trade]:
    market = call.engine.state.markets[asked(call).symbol]
    limit = call.values["limit"]
    with exact():
        first_id = call.values.get("fromId")
        if first_id is None:
            first_id = market.trade_count(call.now_us) - limit + 1
        found = market.trades(first_id, limit, call.now_us)
    divisor = call.time_divisor
    return [
        {
            "id": trade.id,
            "price": render_amount(trade.price),
            "qty": render_amount(trade.quantity),
            "quoteQty": render_product(trade.amount),
            "time": trade.time_us // divisor,
            "isBuyerMaker": trade.buyer_is_maker,
            "isBestMatch": True,
        }
        for trade in found
    ]


@rows.route(
    "GET",
    "/api/v3/historicalBlockTrades",
    summary="Historical block trades",
    description="Block trades are agreed outside the book. None happen here, so there are none.",
    weight=25,
    parameters=(SYMBOL, FROM_ID.but(required=True), LIMIT),
    answers=list[BlockTrade],
)
def block_trades(call: Call) -> list[BlockTrade]:
    asked(call)
    return []


@rows.route(
    "GET",
    "/api/v3/aggTrades",
    summary="Compressed/aggregate trades list",
    description="Every trade is an aggregate of its own here, under its own id.",
    weight=4,
    parameters=(SYMBOL, FROM_ID, START_TIME, END_TIME, LIMIT),
    answers=list[AggregateTrade],
)
def aggregate_trades(call: Call) -> list[AggregateTrade]:
    values = call.values
    market = call.engine.state.markets[asked(call).symbol]
    limit = values["limit"]
    first_id = values.get("fromId")
    start_us, end_us = values.get("startTime"), values.get("endTime")
    divisor = call.time_divisor
    if first_id is not None and (start_us is not None or end_us is not None):
        raise refuse(-1128)
    until_us = call.now_us
    if end_us is not None:
        until_us = min(until_us, end_of(end_us, divisor))
    with exact():
        if start_us is not None:
            if start_us > until_us:
                return []
            first_id = market.trade_count(start_us - 1) + 1
        elif first_id is None:
            first_id = market.trade_count(until_us) - limit + 1
        found = market.trades(first_id, limit, until_us)
    return [
        {
            "a": trade.id,
            "p": render_amount(trade.price),
            "q": render_amount(trade.quantity),
            "f": trade.id,
            "l": trade.id,
            "T": trade.time_us // divisor,
            "m": trade.buyer_is_maker,
            "M": True,
        }
        for trade in found
    ]
