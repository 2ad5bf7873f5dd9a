"""Streams of mark prices, of one contract, of a pair's or of all, and of index prices."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from functools import partial
from typing import Any, NamedTuple

from emulator.core.engine import Engine
from emulator.exchanges.binance.futures.listings import Listing
from emulator.exchanges.binance.futures.products import Product
from emulator.exchanges.binance.futures.streams.events import product_number
from emulator.exchanges.binance.futures.streams.payloads import IndexPriceEvent, MarkPriceEvent
from emulator.exchanges.binance.running import engine_of
from emulator.exchanges.binance.vocabulary import render_amount
from emulator.market_data.marks import MarkReading, marks_of, read_mark
from emulator.market_data.streams.stream import MarketStream
from emulator.runtime.sandbox import Sandbox
from emulator.web.streams.message import Message
from emulator.web.streams.source import Paced, Source


class Reading(NamedTuple):
    """What was read of one contract at one moment."""

    product: Product
    listing: Listing
    now_us: int
    mark: MarkReading


class MarkTickers:
    """How the mark prices of some products' contracts are read and shown: again and again, changed or not."""

    __slots__ = ("_of",)

    def __init__(self, products: Iterable[Product]) -> None:
        self._of = {
            listing.instrument.symbol: (product, listing)
            for product in products
            for listing in product.listings.values()
        }

    def read(self, engine: Engine, instrument: str, now_us: int) -> Reading:
        product, listing = self._of[instrument]
        return Reading(product, listing, now_us, read_mark(engine, listing.instrument, now_us))

    read_sums = read

    def is_news(self, reading: Reading, earlier: Reading) -> bool:
        return True

    def render(self, reading: Reading, divisor: int) -> Any:
        return render_mark(reading, divisor)


def render_mark(reading: Reading, divisor: int) -> MarkPriceEvent:
    told = reading.mark
    mark, rate = render_amount(told.mark_price), told.rate
    return {
        "e": "markPriceUpdate",
        "E": reading.now_us // divisor,
        "s": reading.listing.symbol,
        "p": mark,
        # Quirk: the moving average that is told since 2026-03-16 is the mark price itself (live frames).
        "ap": mark,
        "P": render_amount(told.settled_price),
        "i": render_amount(told.index_price),
        # Quirk: a contract that is delivered has an empty rate, and 0 for the time of its payment (COIN-M,
        # "Mark Price Stream").
        "r": "" if rate is None else render_amount(rate),
        "T": told.next_funding_us // divisor,
        "st": product_number(reading.product),
    }


class IndexPrices(Source):
    """`<pair>@indexPrice`: again and again, changed or not. instrument: a contract of the pair."""

    def __init__(self, sandbox: Sandbox, stream: MarketStream, pair: str, instrument: str) -> None:
        self._sandbox = sandbox
        self._name = stream.name
        self._pair = pair
        self._instrument = instrument
        self._paced = Paced(stream.pace_us)

    def open(self, now_us: int) -> None:
        self._paced.begin(now_us)

    def look(self, now_us: int) -> Sequence[Message]:
        marks = marks_of(engine_of(self._sandbox), self._instrument)
        if not self._paced.is_due(now_us):
            return ()
        price = marks.index_price(now_us)
        return (Message(self._name, partial(self._render, price, now_us)),)

    def _render(self, price: Decimal, now_us: int, divisor: int) -> IndexPriceEvent:
        return {"e": "indexPriceUpdate", "E": now_us // divisor, "i": self._pair, "p": render_amount(price)}

    def next_us(self, now_us: int) -> int:
        return self._paced.next_us
