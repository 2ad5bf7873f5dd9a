"""The names of market streams: what may be subscribed to, as the documents write it.

A name is exact: symbols in lower case, everything else as documented, or it names nothing. Whether a
symbol is listed is not a question of names (web-socket-streams.md, "General WSS information").
"""

from __future__ import annotations

import re
from enum import Enum
from functools import lru_cache
from typing import Final, NamedTuple

from emulator.exchanges.binance.running import ENGINE
from emulator.exchanges.binance.vocabulary import INTERVALS_US

SECOND_US: Final = 1_000_000
TENTH_US: Final = 100_000
HOUR_US: Final = 3_600_000_000

LIVE: Final = 0
"""The pace of a stream that speaks whenever there is something to say."""

NAMES_KEPT: Final = 4096
NAME_MAX: Final = 100


class StreamKind(str, Enum):
    """Sorts of streams; the value is the documents' name without its variable parts."""

    TRADE = "trade"
    AGGREGATE_TRADE = "aggTrade"
    BLOCK_TRADE = "blockTrade"
    KLINE = "kline"
    MINI_TICKER = "miniTicker"
    TICKER = "ticker"
    WINDOW_TICKER = "ticker_"
    MINI_TICKERS = "!miniTicker@arr"
    TICKERS = "!ticker@arr"
    WINDOW_TICKERS = "!ticker_@arr"
    BOOK_TICKER = "bookTicker"
    AVERAGE_PRICE = "avgPrice"
    REFERENCE_PRICE = "referencePrice"
    PARTIAL_DEPTH = "depth_levels"
    DEPTH = "depth"


class Stream(NamedTuple):
    """One stream, by its name and by what the name says.

    symbol: as REST writes it; None for a stream of all symbols. interval: the kline interval, or the
    window of a rolling ticker. offset_us: what the kline's time zone shows beyond UTC. levels: of a
    partial book, a side. pace_us: how far apart its moments are on the sandbox's clock, or LIVE.
    """

    name: str
    kind: StreamKind
    symbol: str | None
    interval: str = ""
    offset_us: int = 0
    levels: int = 0
    pace_us: int = LIVE

    @property
    def engine(self) -> str:
        return ENGINE

    @property
    def instrument(self) -> str | None:
        """The core's name of the symbol, which is the same."""
        return self.symbol


KLINE_PACE_US: Final = 2 * SECOND_US
"""Of all intervals but the second's, which has its own."""

WINDOWS: Final = ("1h", "4h", "1d")
LEVELS: Final = (5, 10, 20)

_SYMBOL = re.compile(r"[^@/!\s]{1,50}")
_DEPTH = re.compile(r"depth(5|10|20)?(?:@(1000?)ms)?", re.ASCII)
_KLINE = re.compile(r"kline_([0-9]{1,2}[smhdwM])(@\+08:00)?", re.ASCII)
_WINDOW = re.compile(r"ticker_(1h|4h|1d)", re.ASCII)
_ALL_MINI = re.compile(r"!miniTicker@arr(?:@([13]000)ms)?", re.ASCII)

_PLAIN: Final = {
    "trade": (StreamKind.TRADE, LIVE),
    "aggTrade": (StreamKind.AGGREGATE_TRADE, LIVE),
    "blockTrade": (StreamKind.BLOCK_TRADE, LIVE),
    "bookTicker": (StreamKind.BOOK_TICKER, LIVE),
    "miniTicker": (StreamKind.MINI_TICKER, SECOND_US),
    "ticker": (StreamKind.TICKER, SECOND_US),
    "avgPrice": (StreamKind.AVERAGE_PRICE, SECOND_US),
    "referencePrice": (StreamKind.REFERENCE_PRICE, SECOND_US),
}


@lru_cache(maxsize=NAMES_KEPT)
def parse_stream(text: str) -> Stream | None:
    """The stream that a name names, or None."""
    if len(text) > NAME_MAX:
        return None
    if text.startswith("!"):
        return _parse_all(text)
    symbol, _, word = text.partition("@")
    if not _SYMBOL.fullmatch(symbol) or symbol != symbol.lower():
        return None
    symbol = symbol.upper()
    plain = _PLAIN.get(word)
    if plain is not None:
        kind, pace_us = plain
        return Stream(text, kind, symbol, pace_us=pace_us)
    depth = _DEPTH.fullmatch(word)
    if depth is not None:
        levels, pace_ms = depth.groups()
        # Quirk: `@1000ms` says what is the case without it too; the documents do not list it, clients send
        # it (ccxt.pro, `watchOrderBookRate`).
        return Stream(
            text,
            StreamKind.DEPTH if levels is None else StreamKind.PARTIAL_DEPTH,
            symbol,
            levels=int(levels or 0),
            pace_us=TENTH_US if pace_ms == "100" else SECOND_US,
        )
    kline = _KLINE.fullmatch(word)
    if kline is not None:
        interval, offset = kline.groups()
        if interval not in INTERVALS_US:
            return None
        return Stream(
            text,
            StreamKind.KLINE,
            symbol,
            interval=interval,
            offset_us=0 if offset is None else 8 * HOUR_US,
            pace_us=SECOND_US if interval == "1s" else KLINE_PACE_US,
        )
    window = _WINDOW.fullmatch(word)
    if window is not None:
        return Stream(text, StreamKind.WINDOW_TICKER, symbol, interval=window[1], pace_us=SECOND_US)
    return None


def _parse_all(text: str) -> Stream | None:
    """A stream of all symbols."""
    if text == "!ticker@arr":
        return Stream(text, StreamKind.TICKERS, None, pace_us=SECOND_US)
    mini = _ALL_MINI.fullmatch(text)
    if mini is not None:
        # Quirk: a pace may follow, which the documents no longer mention and python-binance always sends
        # (`miniticker_socket`).
        return Stream(text, StreamKind.MINI_TICKERS, None, pace_us=int(mini[1] or 1000) * 1000)
    word, _, rest = text[1:].partition("@")
    window = _WINDOW.fullmatch(word)
    if window is not None and rest == "arr":
        return Stream(text, StreamKind.WINDOW_TICKERS, None, interval=window[1], pace_us=SECOND_US)
    return None
