"""Order books as they are shown, encoded and kept until something in them can have changed.

That is the next renewal of a level or the next trade of the market, which the book's reader tells, or a
change by an account, which the market counts. What grows with time, the update id first of all, is written
anew for each request.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from weakref import WeakKeyDictionary

import msgspec

from emulator.core.engine import Engine
from emulator.core.instruments import Side
from emulator.core.numbers import exact
from emulator.market_data.shown import SHOWN
from emulator.runtime.sandbox import Sandbox
from emulator.web.codec import encode

KEPT_MAX = 128
"""Books that are kept of one engine, by instrument and limit; the largest takes 350 kB."""

Render = Callable[[Decimal], str]


class Book(msgspec.Struct, frozen=True):
    """Both sides as an encoded object without its opening brace, which hold in [from_us, until_us) unless
    `changes` grows."""

    changes: int
    from_us: int
    until_us: int
    sides: bytes


_kept: WeakKeyDictionary[Engine, dict[tuple[str, int], Book]] = WeakKeyDictionary()


def read_book(
    sandbox: Sandbox,
    engine: Engine,
    instrument: str,
    limit: int,
    now_us: int,
    *,
    price: Render,
    quantity: Render,
    names: tuple[str, str] = ("bids", "asks"),
) -> Book:
    """The best `limit` levels of each side. price, quantity: always the same ones for an instrument.

    names: of the two sides.
    """
    market = engine.state.markets[instrument]
    books = _kept.get(engine)
    if books is None:
        books = _kept[engine] = {}
    book = books.get((instrument, limit))
    if book is None or book.changes != market.changes or not book.from_us <= now_us < book.until_us:
        if len(books) >= KEPT_MAX:
            books.clear()
        book = books[instrument, limit] = _look(engine, instrument, limit, now_us, price, quantity, names)
        with exact():
            for tell in SHOWN.of(sandbox):
                tell(instrument, now_us)
    return book


def _look(
    engine: Engine,
    instrument: str,
    limit: int,
    now_us: int,
    price: Render,
    quantity: Render,
    names: tuple[str, str],
) -> Book:
    market = engine.state.markets[instrument]
    with exact():
        # A trade moves the best prices, so nothing is known beyond the next one.
        changing_us = [market.feed.next_trade_time(market.instrument, now_us)]
        bids = market.depth(Side.BUY, now_us, limit, changing_us)
        asks = market.depth(Side.SELL, now_us, limit, changing_us)
        sides = {
            name: [(price(level), quantity(there)) for level, there in levels]
            for name, levels in zip(names, (bids, asks), strict=True)
        }
    return Book(market.changes, now_us, min(changing_us), encode(sides)[1:])
