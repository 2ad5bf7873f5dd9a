"""The order book."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from emulator.exchanges.binance.spot.market.symbols import asked
from emulator.exchanges.binance.spot.parameters import DEPTH_LIMIT
from emulator.exchanges.binance.spot.payloads.market import Depth
from emulator.exchanges.binance.vocabulary import SYMBOL, SYMBOL_STATUS, render_amount
from emulator.market_data.books import read_book
from emulator.web.contract import Call, Rows

rows = Rows()


def _weight(values: Mapping[str, Any]) -> int:
    limit = values["limit"]
    if limit <= 100:
        return 5
    if limit <= 500:
        return 25
    return 50 if limit <= 1000 else 250


@rows.route(
    "GET",
    "/api/v3/depth",
    summary="Order book",
    weight=_weight,
    parameters=(SYMBOL, DEPTH_LIMIT, SYMBOL_STATUS),
    answers=Depth,
)
def depth(call: Call) -> bytes:
    symbol = asked(call).symbol
    engine = call.engine
    now_us = call.now_us
    book = read_book(
        call.sandbox,
        engine,
        symbol,
        call.values["limit"],
        now_us,
        price=render_amount,
        quantity=render_amount,
    )
    return b'{"lastUpdateId":%d,%b' % (engine.state.markets[symbol].update_id(now_us), book.sides)
