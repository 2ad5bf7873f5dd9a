"""The names of public topics: what may be subscribed to, as the documents write it.

A name is exact, and names something that is listed, or it is refused. Upper and lower case differ.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType
from typing import Final, NamedTuple

from emulator.exchanges.bybit.categories import Category
from emulator.exchanges.bybit.listings import Listing
from emulator.exchanges.bybit.running import ENGINE
from emulator.market_data.ticks import Tick

MILLISECOND_US: Final = 1000
SECOND_US: Final = 1_000_000

LIVE: Final = 0
"""The pace of a topic that speaks whenever there is something to say."""

BOOK_PACES_US: Final[Mapping[int, int]] = MappingProxyType(
    {
        1: 10 * MILLISECOND_US,
        50: 20 * MILLISECOND_US,
        200: 100 * MILLISECOND_US,
        1000: 200 * MILLISECOND_US,
    }
)
"""By the levels of a side ("Orderbook")."""

RPI_LEVELS: Final = 50
RPI_PACE_US: Final = 100 * MILLISECOND_US

SPOT_TICKER_PACE_US: Final = 50 * MILLISECOND_US
TICKER_PACE_US: Final = 100 * MILLISECOND_US
KLINE_PACE_US: Final = SECOND_US
"""Klines are told every 1 to 60 seconds ("Kline")."""
LIQUIDATION_PACE_US: Final = 500 * MILLISECOND_US
LIMIT_PACE_US: Final = 300 * MILLISECOND_US

INTERVALS: Final = ("1", "3", "5", "15", "30", "60", "120", "240", "360", "720", "D", "W", "M")

POOLS: Final = ("USDT", "USDC", "inverse")
"""Whose insurance can be asked for ("Insurance Pool")."""

STATUS: Final = "system.status"

TICK_WORDS: Final[Mapping[Tick, str]] = MappingProxyType(
    {
        Tick.PLUS: "PlusTick",
        Tick.ZERO_PLUS: "ZeroPlusTick",
        Tick.MINUS: "MinusTick",
        Tick.ZERO_MINUS: "ZeroMinusTick",
    }
)


class TopicKind(str, Enum):
    """Sorts of topics; the value is the documents' name without its variable parts."""

    BOOK = "orderbook"
    BEST = "orderbook.1"
    RPI_BOOK = "orderbook.rpi"
    TRADE = "publicTrade"
    TICKER = "tickers"
    KLINE = "kline"
    LIQUIDATION = "allLiquidation"
    PRICE_LIMIT = "priceLimit"
    INSURANCE = "insurance"
    STATUS = "system.status"


class Topic(NamedTuple):
    """One topic of one category. levels: of a book, a side. interval: of klines. pace_us: how far apart its
    moments are on the sandbox's clock, or LIVE.
    """

    name: str
    kind: TopicKind
    category: Category | None = None
    listing: Listing | None = None
    levels: int = 0
    interval: str = ""
    pace_us: int = LIVE

    @property
    def engine(self) -> str:
        return ENGINE

    @property
    def instrument(self) -> str | None:
        return None if self.listing is None else self.listing.instrument.symbol


_BOOK = re.compile(r"(rpi|[1-9][0-9]{0,3})\.(.+)", re.ASCII)
_KLINE = re.compile(r"([1-9][0-9]{0,2}|[DWM])\.(.+)", re.ASCII)


def parse_topic(category: Category, text: str, now_us: int) -> Topic | None:
    """The topic that a text names in a category at a time, or None."""
    word, _, rest = text.partition(".")
    match word:
        case "orderbook":
            return _parse_book(category, text, rest, now_us)
        case "publicTrade":
            return _of(category, text, TopicKind.TRADE, rest, now_us)
        case "tickers":
            pace_us = TICKER_PACE_US if category.is_derivative else SPOT_TICKER_PACE_US
            return _of(category, text, TopicKind.TICKER, rest, now_us, pace_us=pace_us)
        case "kline":
            kline = _KLINE.fullmatch(rest)
            if kline is None or kline[1] not in INTERVALS:
                return None
            topic = _of(category, text, TopicKind.KLINE, kline[2], now_us, pace_us=KLINE_PACE_US)
            return None if topic is None else topic._replace(interval=kline[1])
        case "allLiquidation" if category.is_derivative:
            return _of(category, text, TopicKind.LIQUIDATION, rest, now_us, pace_us=LIQUIDATION_PACE_US)
        case "priceLimit":
            return _of(category, text, TopicKind.PRICE_LIMIT, rest, now_us, pace_us=LIMIT_PACE_US)
        case "insurance" if category.is_derivative and rest in POOLS:
            return Topic(text, TopicKind.INSURANCE, category)
    return None


def _parse_book(category: Category, text: str, rest: str, now_us: int) -> Topic | None:
    book = _BOOK.fullmatch(rest)
    if book is None:
        return None
    if book[1] == "rpi":
        topic = _of(category, text, TopicKind.RPI_BOOK, book[2], now_us, pace_us=RPI_PACE_US)
        return None if topic is None else topic._replace(levels=RPI_LEVELS)
    levels = int(book[1])
    pace_us = BOOK_PACES_US.get(levels)
    if pace_us is None:
        return None
    kind = TopicKind.BEST if levels == 1 else TopicKind.BOOK
    topic = _of(category, text, kind, book[2], now_us, pace_us=pace_us)
    return None if topic is None else topic._replace(levels=levels)


def _of(
    category: Category, text: str, kind: TopicKind, symbol: str, now_us: int, *, pace_us: int = LIVE
) -> Topic | None:
    """A topic of one symbol."""
    listing = category.listings.get(symbol)
    if listing is None or not listing.is_listed(now_us):
        return None
    return Topic(text, kind, category, listing, pace_us=pace_us)


def parse_status(text: str) -> Topic | None:
    """The topic of the socket that tells of maintenance."""
    return Topic(text, TopicKind.STATUS) if text == STATUS else None
