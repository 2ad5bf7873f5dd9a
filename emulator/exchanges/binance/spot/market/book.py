"""The order book.

Its body is kept until something in it can have changed: the next renewal of a level or the next trade
of the market, which the book's reader tells, or a change by an account, which the market counts. Only
the update id, which grows with time, is written anew for each request.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from weakref import WeakKeyDictionary

import msgspec

from emulator.core.engine import Engine
from emulator.core.instruments import Side
from emulator.core.numbers import exact
from emulator.exchanges.binance.spot.market.symbols import asked
from emulator.exchanges.binance.spot.parameters import DEPTH_LIMIT
from emulator.exchanges.binance.spot.payloads.market import Depth, PriceLevel
from emulator.exchanges.binance.streams.shown import SHOWN
from emulator.exchanges.binance.vocabulary import SYMBOL, SYMBOL_STATUS, render_amount
from emulator.web.codec import encode
from emulator.web.contract import Call, Rows

rows = Rows()

KEPT_MAX = 128
"""Books that are kept of one engine, by symbol and limit; the largest takes 350 kB."""


class Kept(msgspec.Struct, frozen=True):
    """What follows the update id in a body that holds in [from_us, until_us) unless `changes` grows."""

    changes: int
    from_us: int
    until_us: int
    rest: bytes


_kept: WeakKeyDictionary[Engine, dict[tuple[str, int], Kept]] = WeakKeyDictionary()


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
    limit = call.values["limit"]
    market = engine.state.markets[symbol]
    books = _kept.get(engine)
    if books is None:
        books = _kept[engine] = {}
    kept = books.get((symbol, limit))
    if kept is None or kept.changes != market.changes or not kept.from_us <= now_us < kept.until_us:
        if len(books) >= KEPT_MAX:
            books.clear()
        kept = books[symbol, limit] = _look(engine, symbol, limit, now_us)
        with exact():
            for tell in SHOWN.of(call.sandbox):
                tell(symbol, now_us)
    return b'{"lastUpdateId":%d,%b' % (market.update_id(now_us), kept.rest)


def _look(engine: Engine, symbol: str, limit: int, now_us: int) -> Kept:
    market = engine.state.markets[symbol]
    with exact():
        # A trade moves the best prices, so nothing is known beyond the next one.
        changing_us = [market.feed.next_trade_time(market.instrument, now_us)]
        bids = market.depth(Side.BUY, now_us, limit, changing_us)
        asks = market.depth(Side.SELL, now_us, limit, changing_us)
    body: dict[str, list[PriceLevel]] = {
        "bids": [(render_amount(price), render_amount(quantity)) for price, quantity in bids],
        "asks": [(render_amount(price), render_amount(quantity)) for price, quantity in asks],
    }
    return Kept(market.changes, now_us, min(changing_us), encode(body)[1:])
