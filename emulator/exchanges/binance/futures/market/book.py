"""The order book, with its best prices alone in `tickers`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from emulator.exchanges.binance.futures.figures import figures_of
from emulator.exchanges.binance.futures.listings import Listing
from emulator.exchanges.binance.futures.parameters import limit
from emulator.exchanges.binance.futures.payloads.market import CoinmDepth, UsdmDepth
from emulator.exchanges.binance.futures.products import USDM, product_of
from emulator.exchanges.binance.futures.refusals import TABLES
from emulator.exchanges.binance.futures.rows import Declared, FuturesRows
from emulator.exchanges.binance.futures.symbols import asked_shown
from emulator.exchanges.binance.vocabulary import SYMBOL
from emulator.market_data.books import read_book
from emulator.web.contract import Call

rows = FuturesRows()

WEIGHTS: Final[Mapping[int, int]] = {5: 2, 10: 2, 20: 2, 50: 2, 100: 5, 500: 10, 1000: 20}
"""By the limits that there are."""


def _weight(values: Mapping[str, Any]) -> int:
    return WEIGHTS.get(values["limit"], 2)


@rows.both(
    "GET",
    "/v1/depth",
    summary="Order book",
    weight=_weight,
    parameters=(SYMBOL, limit(500, 1000)),
    answers=UsdmDepth,
    coinm=Declared(answers=CoinmDepth),
)
def depth(call: Call) -> bytes:
    wanted = call.values["limit"]
    if wanted not in WEIGHTS:
        raise TABLES[product_of(call)].refuse(-4021, wanted)
    return _render(call, asked_shown(call), wanted)


@rows.usdm(
    "GET",
    "/v1/rpiDepth",
    summary="RPI order book",
    description="No order here is for retail price improvement, so this is the order book.",
    weight=20,
    parameters=(SYMBOL, limit(1000, 1000)),
    answers=UsdmDepth,
)
def rpi_depth(call: Call) -> bytes:
    wanted = call.values["limit"]
    if wanted != 1000:
        raise TABLES[USDM].refuse(-4021, wanted)
    return _render(call, asked_shown(call), wanted)


def _render(call: Call, listing: Listing, wanted: int) -> bytes:
    instrument, now_us = listing.instrument.symbol, listing.read_us(call.now_us)
    figures = figures_of(listing)
    engine = call.engine
    book = read_book(
        call.sandbox, engine, instrument, wanted, now_us, price=figures.price, quantity=figures.quantity
    )
    update_id = engine.state.markets[instrument].update_id(now_us)
    time_ms = call.render_time(now_us)
    if product_of(call) is USDM:
        return b'{"lastUpdateId":%d,"E":%d,"T":%d,%b' % (update_id, time_ms, time_ms, book.sides)
    return b'{"lastUpdateId":%d,"symbol":"%b","pair":"%b","E":%d,"T":%d,%b' % (
        update_id,
        listing.symbol.encode(),
        listing.pair.encode(),
        time_ms,
        time_ms,
        book.sides,
    )
