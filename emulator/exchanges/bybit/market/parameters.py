"""What rows of market data take, and how a category and a symbol of theirs are read."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from emulator.exchanges.bybit.categories import CATEGORIES, LINEAR, OPTION, Category
from emulator.exchanges.bybit.listings import Listing
from emulator.exchanges.bybit.refusals import refuse, refuse_parameter
from emulator.market_data.intervals import DAY_US, MINUTE_US, WEEK_US
from emulator.web.contract import Call, Kind, Parameter

WORDS: Final = ("spot", "linear", "inverse", OPTION)
CONTRACTS: Final = ("linear", "inverse")

CATEGORY: Final = Parameter("category", Kind.CHOICE, required=True, choices=WORDS)
CONTRACT_CATEGORY: Final = Parameter("category", Kind.CHOICE, required=True, choices=CONTRACTS)
SYMBOL: Final = Parameter("symbol", required=True)
SYMBOL_OPTIONAL: Final = Parameter("symbol")
BASE_COIN: Final = Parameter("baseCoin")
START_TIME: Final = Parameter("startTime", Kind.TIME)
END_TIME: Final = Parameter("endTime", Kind.TIME)
CURSOR: Final = Parameter("cursor", length_max=500)

INTERVALS_US: Final[Mapping[str, int]] = MappingProxyType(
    {
        "1": MINUTE_US,
        "3": 3 * MINUTE_US,
        "5": 5 * MINUTE_US,
        "15": 15 * MINUTE_US,
        "30": 30 * MINUTE_US,
        "60": 60 * MINUTE_US,
        "120": 120 * MINUTE_US,
        "240": 240 * MINUTE_US,
        "360": 360 * MINUTE_US,
        "720": 720 * MINUTE_US,
        "D": DAY_US,
        "W": WEEK_US,
        "M": 0,
    }
)
"""Lengths of kline intervals; a month has none of its own."""

PERIODS_US: Final[Mapping[str, int]] = MappingProxyType(
    {
        "5min": 5 * MINUTE_US,
        "15min": 15 * MINUTE_US,
        "30min": 30 * MINUTE_US,
        "1h": 60 * MINUTE_US,
        "4h": 240 * MINUTE_US,
        "1d": DAY_US,
    }
)
"""How far apart what is told of former times is."""

SYMBOL_INVALID: Final = "params error: symbol invalid"
NOT_SUPPORTED: Final = "Not supported symbols"
"""Of 10001, as running servers say it of contracts and of what comes from the market of pairs."""


def limit(default: int | None, maximum: int) -> Parameter:
    """How many rows; more than the maximum gives the maximum."""
    # Quirk: a `limit` above the documented maximum is no error and gives the maximum (live answers).
    return Parameter("limit", Kind.INTEGER, default=default, minimum=1, maximum=maximum, clamped=True)


def category_asked(call: Call) -> Category | None:
    """None for options, of which there are none. Linear where no category is said."""
    return CATEGORIES.get(call.values.get("category", LINEAR.name))


def asked(call: Call, *, text: str = SYMBOL_INVALID) -> Listing:
    """The listing of the symbol that was sent, and the row reads this instrument only.

    Raises 10001 with the text for one that is not, or not yet, listed.
    """
    symbol = call.values.get("symbol")
    if symbol is None:
        raise refuse_parameter("symbol")
    category = category_asked(call)
    found = None if category is None else category.listings.get(symbol)
    if found is None or not found.is_known(call.now_us):
        raise refuse(10001, text=text)
    call.instrument = found.instrument.symbol
    return found


def asked_listed(call: Call, *, text: str = SYMBOL_INVALID) -> Listing:
    """The same of what can be traded now."""
    listing = asked(call, text=text)
    if not listing.is_listed(call.now_us):
        raise refuse(10001, text=text)
    return listing


def listed(category: Category, now_us: int) -> list[Listing]:
    """What can be traded at a time."""
    return [one for one in category.listings.values() if one.is_listed(now_us)]


def check_span(values: Mapping[str, Any], start: str, end: str) -> None:
    """Raises 10001 for a span that ends before it begins."""
    if start in values and end in values and values[start] > values[end]:
        raise refuse_parameter(start)
