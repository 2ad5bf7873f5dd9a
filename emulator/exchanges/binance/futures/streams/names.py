"""The names of the futures sites' market streams: what may be subscribed to, and on which route it speaks.

A name is exact: symbols in lower case, everything else as documented, or it names nothing. Symbols of
both products name streams on both sites, as since 2026-06-30 on the exchange's own hosts.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import Enum
from functools import cache, lru_cache
from typing import Final, NamedTuple

from emulator.exchanges.binance.futures.listings import Listing
from emulator.exchanges.binance.futures.products import COINM, PRODUCTS, Product
from emulator.exchanges.binance.running import ENGINE
from emulator.exchanges.binance.vocabulary import INTERVALS_US

MILLISECOND_US: Final = 1000
SECOND_US: Final = 1_000_000

NAMES_KEPT: Final = 4096
NAME_MAX: Final = 100


class StreamKind(str, Enum):
    """Sorts of streams; the value is the documents' name without its variable parts."""

    TRADE = "trade"
    AGGREGATE_TRADE = "aggTrade"
    BOOK_TICKER = "bookTicker"
    BOOK_TICKERS = "!bookTicker"
    PARTIAL_DEPTH = "depth_levels"
    DEPTH = "depth"
    RETAIL_DEPTH = "rpiDepth"
    KLINE = "kline"
    CONTINUOUS_KLINE = "continuousKline"
    INDEX_KLINE = "indexPriceKline"
    MARK_KLINE = "markPriceKline"
    MINI_TICKER = "miniTicker"
    MINI_TICKERS = "!miniTicker@arr"
    TICKER = "ticker"
    TICKERS = "!ticker@arr"
    MARK_PRICE = "markPrice"
    MARK_PRICES = "!markPrice@arr"
    PAIR_MARK_PRICES = "pair@markPrice"
    INDEX_PRICE = "indexPrice"
    FORCED_ORDER = "forceOrder"
    FORCED_ORDERS = "!forceOrder@arr"
    CONTRACT_INFO = "!contractInfo"
    COMPOSITE_INDEX = "compositeIndex"
    ASSET_INDEX = "assetIndex"
    ASSET_INDICES = "!assetIndex@arr"
    TRADING_SESSION = "tradingSession"


PUBLIC: Final = "public"
MARKET: Final = "market"
PRIVATE: Final = "private"
ROUTES: Final = (PUBLIC, MARKET, PRIVATE)

PUBLIC_KINDS: Final = frozenset(
    {
        StreamKind.TRADE,
        StreamKind.BOOK_TICKER,
        StreamKind.BOOK_TICKERS,
        StreamKind.PARTIAL_DEPTH,
        StreamKind.DEPTH,
        StreamKind.RETAIL_DEPTH,
    }
)
"""Those of the route `/public`; all others are of `/market`."""


class Stream(NamedTuple):
    """One stream, by its name and by what the name says.

    instrument: the core's name of the symbol; None for a stream of no single one. pair: such as BTCUSD,
    of a stream of a pair. contract_type: of a continuous kline, as the wire shows it. asset: of an index
    price of an asset, such as BTCUSD. pace_us: how far apart its moments are on the sandbox's clock, or zero.
    """

    name: str
    kind: StreamKind
    product: Product
    listing: Listing | None = None
    pair: str = ""
    interval: str = ""
    contract_type: str = ""
    levels: int = 0
    asset: str = ""
    pace_us: int = 0

    @property
    def engine(self) -> str:
        return ENGINE

    @property
    def instrument(self) -> str | None:
        return None if self.listing is None else self.listing.instrument.symbol

    @property
    def route(self) -> str:
        return PUBLIC if self.kind in PUBLIC_KINDS else MARKET


LEVELS: Final = (5, 10, 20)
CONTRACT_TYPES: Final = ("perpetual", "current_quarter", "next_quarter", "tradifi_perpetual")
KLINE_PACE_US: Final = 250 * MILLISECOND_US
DEPTH_PACE_US: Final = 250 * MILLISECOND_US
AGGREGATE_PACE_US: Final = 100 * MILLISECOND_US
MARK_PACE_US: Final = 3 * SECOND_US
BOOK_TICKERS_PACE_US: Final = 5 * SECOND_US

_SYMBOL = re.compile(r"[^@/!\s]{1,50}")
_DEPTH = re.compile(r"depth(5|10|20)?(?:@(100|250|500)ms)?", re.ASCII)
_KLINE = re.compile(r"(kline|indexPriceKline|markPriceKline)_([0-9]{1,2}[mhdwM])", re.ASCII)
_CONTINUOUS = re.compile(rf"([^@/!\s]{{1,50}})_({'|'.join(CONTRACT_TYPES)})@continuousKline_(\w{{2,3}})")
_PRICE = re.compile(r"(markPrice|indexPrice)(@1s)?", re.ASCII)
_ALL_MARKS = re.compile(r"!markPrice@arr(@1s)?", re.ASCII)
_ALL_MINI = re.compile(r"!miniTicker@arr(?:@([13]000)ms)?", re.ASCII)

_ALL: Final = {
    "!bookTicker": (StreamKind.BOOK_TICKERS, BOOK_TICKERS_PACE_US),
    "!ticker@arr": (StreamKind.TICKERS, SECOND_US),
    "!forceOrder@arr": (StreamKind.FORCED_ORDERS, SECOND_US),
    "!contractInfo": (StreamKind.CONTRACT_INFO, 0),
    "!assetIndex@arr": (StreamKind.ASSET_INDICES, SECOND_US),
    "tradingSession": (StreamKind.TRADING_SESSION, SECOND_US),
}
PLAIN_NAMES: Final = frozenset(name for name in _ALL if "@" not in name)
"""Those without an `@`."""

_PLAIN: Final = {
    "trade": (StreamKind.TRADE, 0),
    "aggTrade": (StreamKind.AGGREGATE_TRADE, AGGREGATE_PACE_US),
    "bookTicker": (StreamKind.BOOK_TICKER, 0),
    "rpiDepth@500ms": (StreamKind.RETAIL_DEPTH, 500 * MILLISECOND_US),
    "forceOrder": (StreamKind.FORCED_ORDER, SECOND_US),
    "compositeIndex": (StreamKind.COMPOSITE_INDEX, SECOND_US),
}
_KLINES: Final = {
    "kline": StreamKind.KLINE,
    "indexPriceKline": StreamKind.INDEX_KLINE,
    "markPriceKline": StreamKind.MARK_KLINE,
}


@cache
def _listings() -> Mapping[str, tuple[Product, Listing]]:
    """The symbols of both products."""
    return {
        symbol: (product, listing)
        for product in PRODUCTS.values()
        for symbol, listing in product.listings.items()
    }


@cache
def _pairs() -> Mapping[str, Product]:
    return {listing.pair: product for product in PRODUCTS.values() for listing in product.listings.values()}


@lru_cache(maxsize=NAMES_KEPT)
def parse_stream(site: Product, text: str) -> Stream | None:
    """The stream that a name names on the sockets of a product's site, or None.

    A symbol that is not listed names a stream that says nothing.
    """
    if len(text) > NAME_MAX or text != _lowered(text):
        return None
    if text.startswith("!") or text in _ALL:
        return _parse_all(site, text)
    continuous = _CONTINUOUS.fullmatch(text)
    if continuous is not None:
        pair, contract_type, interval = continuous.groups()
        if interval not in INTERVALS_US:
            return None
        return Stream(
            text,
            StreamKind.CONTINUOUS_KLINE,
            _pairs().get(pair.upper(), site),
            pair=pair.upper(),
            contract_type=contract_type.upper(),
            interval=interval,
            pace_us=KLINE_PACE_US,
        )
    symbol, _, word = text.partition("@")
    if not _SYMBOL.fullmatch(symbol):
        return None
    return _parse_one(site, text, symbol.upper(), word)


def _lowered(text: str) -> str:
    """A name with its symbol in lower case."""
    symbol, at, word = text.partition("@")
    return text if text.startswith("!") or not at else symbol.lower() + at + word


def _parse_one(site: Product, text: str, symbol: str, word: str) -> Stream | None:
    """A stream of one symbol, pair or asset."""
    product, listing = _listings().get(symbol, (site, None))
    plain = _PLAIN.get(word)
    if plain is not None:
        kind, pace_us = plain
        return Stream(text, kind, product, listing, pace_us=pace_us)
    if word in ("miniTicker", "ticker"):
        # The paces are those of the two sites' documents, which differ.
        pace_us = 500 * MILLISECOND_US if product is COINM else 2 * SECOND_US
        return Stream(text, StreamKind(word), product, listing, pace_us=pace_us)
    if word == "assetIndex":
        return Stream(text, StreamKind.ASSET_INDEX, site, asset=symbol, pace_us=SECOND_US)
    depth = _DEPTH.fullmatch(word)
    if depth is not None:
        levels, pace_ms = depth.groups()
        return Stream(
            text,
            StreamKind.DEPTH if levels is None else StreamKind.PARTIAL_DEPTH,
            product,
            listing,
            levels=int(levels or 0),
            pace_us=DEPTH_PACE_US if pace_ms is None else int(pace_ms) * MILLISECOND_US,
        )
    price = _PRICE.fullmatch(word)
    if price is not None:
        pace_us = MARK_PACE_US if price[2] is None else SECOND_US
        if price[1] == "markPrice" and (listing is not None or symbol not in _pairs()):
            return Stream(text, StreamKind.MARK_PRICE, product, listing, pace_us=pace_us)
        owner = _pairs().get(symbol, site)
        kind = StreamKind.PAIR_MARK_PRICES if price[1] == "markPrice" else StreamKind.INDEX_PRICE
        return Stream(text, kind, owner, pair=symbol, pace_us=pace_us)
    kline = _KLINE.fullmatch(word)
    if kline is None or kline[2] not in INTERVALS_US:
        return None
    kind = _KLINES[kline[1]]
    if kind is StreamKind.INDEX_KLINE:
        owner = _pairs().get(symbol, site)
        return Stream(text, kind, owner, pair=symbol, interval=kline[2], pace_us=KLINE_PACE_US)
    return Stream(text, kind, product, listing, interval=kline[2], pace_us=KLINE_PACE_US)


def _parse_all(site: Product, text: str) -> Stream | None:
    """A stream of all symbols."""
    known = _ALL.get(text)
    if known is not None:
        kind, pace_us = known
        return Stream(text, kind, site, pace_us=pace_us)
    marks = _ALL_MARKS.fullmatch(text)
    if marks is not None:
        pace_us = MARK_PACE_US if marks[1] is None else SECOND_US
        return Stream(text, StreamKind.MARK_PRICES, site, pace_us=pace_us)
    mini = _ALL_MINI.fullmatch(text)
    if mini is not None:
        return Stream(text, StreamKind.MINI_TICKERS, site, pace_us=int(mini[1] or 1000) * MILLISECOND_US)
    return None
