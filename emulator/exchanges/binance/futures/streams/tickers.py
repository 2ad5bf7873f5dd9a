"""Statistics of the last 24 hours, as the ticker streams of the futures sites tell of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any, NamedTuple

from emulator.core.engine import Engine
from emulator.exchanges.binance.futures.figures import figures_of, percent
from emulator.exchanges.binance.futures.listings import Listing
from emulator.exchanges.binance.futures.products import Product
from emulator.exchanges.binance.futures.streams.events import product_number
from emulator.exchanges.binance.futures.streams.payloads import MiniTickerEvent, TickerEvent
from emulator.exchanges.binance.readings.statistics import read_window, trade_ids
from emulator.market_data.intervals import DAY_US
from emulator.market_data.statistics import Statistics


class Reading(NamedTuple):
    """What was read of one contract at one moment."""

    product: Product
    listing: Listing
    now_us: int
    day: Statistics
    last_quantity: Decimal


class DayTickers:
    """How the tickers of some products' contracts are read and shown. is_mini: in short."""

    __slots__ = ("_of", "_render")

    def __init__(self, products: Iterable[Product], *, is_mini: bool) -> None:
        self._of = {
            listing.instrument.symbol: (product, listing)
            for product in products
            for listing in product.listings.values()
        }
        self._render: Callable[[Reading, int], Any] = _render_mini if is_mini else _render_day

    def read_sums(self, engine: Engine, instrument: str, time_us: int) -> Reading:
        product, listing = self._of[instrument]
        # Quirk: the 24 hours of futures begin with a whole minute, so they are up to 59,999 ms longer (live
        # frames).
        day = read_window(engine, instrument, DAY_US, time_us)
        last = engine.state.markets[instrument].last_print(time_us)
        return Reading(product, listing, time_us, day, last.quantity)

    read = read_sums

    def is_news(self, reading: Reading, earlier: Reading) -> bool:
        return reading.day.span[2:] != earlier.day.span[2:]

    def render(self, reading: Reading, divisor: int) -> Any:
        return self._render(reading, divisor)


def _render_mini(reading: Reading, divisor: int) -> MiniTickerEvent:
    listing, span, figures = reading.listing, reading.day.span, figures_of(reading.listing)
    return {
        "e": "24hrMiniTicker",
        "E": reading.now_us // divisor,
        "s": listing.symbol,
        "ps": listing.pair,
        "c": figures.price(span.close),
        "o": figures.price(span.open),
        "h": figures.price(span.high),
        "l": figures.price(span.low),
        "v": figures.quantity(span.volume),
        "q": figures.total(span),
        "st": product_number(reading.product),
    }


def _render_day(reading: Reading, divisor: int) -> TickerEvent:
    listing, day, figures = reading.listing, reading.day, figures_of(reading.listing)
    span = day.span
    first_id, last_id = trade_ids(day.span)
    return {
        "e": "24hrTicker",
        "E": reading.now_us // divisor,
        "s": listing.symbol,
        "ps": listing.pair,
        "p": figures.price(day.change),
        "P": percent(day.change, span.open),
        "w": figures.weighted(span),
        "c": figures.price(span.close),
        "Q": figures.quantity(reading.last_quantity),
        "o": figures.price(span.open),
        "h": figures.price(span.high),
        "l": figures.price(span.low),
        "v": figures.quantity(span.volume),
        "q": figures.total(span),
        "O": day.open_us // divisor,
        "C": day.close_us // divisor,
        "F": first_id,
        "L": last_id,
        "n": span.trades,
        "st": product_number(reading.product),
    }
