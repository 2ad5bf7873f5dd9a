"""The order book. Orders of retail price improvement do not exist here, so its own book is the same."""

from __future__ import annotations

from typing import Final

from emulator.core.instruments import Side
from emulator.core.numbers import ZERO, exact
from emulator.exchanges.bybit.ids import cross_sequence
from emulator.exchanges.bybit.listings import Listing
from emulator.exchanges.bybit.market.figures import figures_of
from emulator.exchanges.bybit.market.parameters import CATEGORY, SYMBOL, asked_listed, limit
from emulator.exchanges.bybit.payloads.market import OrderBook, RpiOrderBook
from emulator.market_data.books import read_book
from emulator.web.contract import Call, Kind, Parameter, Rows

rows = Rows()

LEVELS_MAX: Final = 1000
PAIR_LEVELS: Final = 1
CONTRACT_LEVELS: Final = 25
RPI_LEVELS_MAX: Final = 50
FULL_LEVELS_MAX: Final = 10_000

PAIR_OR_CONTRACT: Final = Parameter("category", Kind.CHOICE, choices=("spot", "linear", "inverse"))

NAMES: Final = ("b", "a")


@rows.route(
    "GET",
    "/v5/market/orderbook",
    summary="Order book",
    description="One level unless said of pairs, 25 of contracts.",
    parameters=(CATEGORY, SYMBOL, limit(None, LEVELS_MAX)),
    answers=OrderBook,
)
def order_book(call: Call) -> bytes:
    listing = asked_listed(call)
    usual = PAIR_LEVELS if listing.contract is None else CONTRACT_LEVELS
    return _render(call, listing, call.values.get("limit", usual))


@rows.route(
    "GET",
    "/v5/market/full_orderbook",
    summary="Order book as deep as it is",
    description="Books here are a thousand levels deep, beside what accounts have beyond them.",
    parameters=(PAIR_OR_CONTRACT.but(required=True), SYMBOL),
    answers=OrderBook,
)
def full_order_book(call: Call) -> bytes:
    return _render(call, asked_listed(call), FULL_LEVELS_MAX)


def _render(call: Call, listing: Listing, wanted: int) -> bytes:
    engine, now_us = call.engine, call.now_us
    figures = figures_of(listing)
    instrument = listing.instrument.symbol
    book = read_book(
        call.sandbox,
        engine,
        instrument,
        wanted,
        now_us,
        price=figures.price,
        quantity=figures.quantity,
        names=NAMES,
    )
    time_ms = now_us // 1000
    return b'{"s":"%b","ts":%d,"u":%d,"seq":%d,"cts":%d,%b' % (
        listing.symbol.encode(),
        call.now_us // 1000,
        engine.state.markets[instrument].update_id(now_us),
        cross_sequence(now_us),
        time_ms,
        book.sides,
    )


@rows.route(
    "GET",
    "/v5/market/rpi_orderbook",
    summary="Order book with retail price improvement",
    description="No order here is for retail price improvement, so every such quantity is zero.",
    parameters=(
        PAIR_OR_CONTRACT,
        SYMBOL,
        limit(None, RPI_LEVELS_MAX).but(required=True),
    ),
    answers=RpiOrderBook,
)
def rpi_order_book(call: Call) -> RpiOrderBook:
    listing = asked_listed(call)
    engine, now_us, wanted = call.engine, call.now_us, call.values["limit"]
    figures = figures_of(listing)
    market = engine.state.markets[listing.instrument.symbol]
    with exact():
        none = figures.quantity(ZERO)
        bids, asks = (
            [
                (figures.price(price), figures.quantity(quantity), none)
                for price, quantity in market.depth(side, now_us, wanted)
            ]
            for side in (Side.BUY, Side.SELL)
        )
    return {
        "s": listing.symbol,
        "b": bids,
        "a": asks,
        "ts": call.now_us // 1000,
        "u": market.update_id(now_us),
        "seq": cross_sequence(now_us),
        "cts": now_us // 1000,
    }
