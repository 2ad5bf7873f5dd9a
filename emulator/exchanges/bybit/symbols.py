"""Which category and which of its symbols a request of an account names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from emulator.exchanges.bybit.categories import CATEGORIES, OPTION, Category
from emulator.exchanges.bybit.listings import Listing
from emulator.exchanges.bybit.refusals import CATEGORY, refuse

SYMBOL: Final = "params error: symbol invalid %s"


def read_category(values: Mapping[str, Any]) -> Category | None:
    """None for options, of which there are none; raises 10001 for what is no category."""
    word: str = values["category"]
    category = CATEGORIES.get(word)
    if category is None and word != OPTION:
        raise refuse(10001, text=CATEGORY)
    return category


def traded_category(values: Mapping[str, Any]) -> Category:
    """The category of an order; raises 10001 where nothing can be traded in it."""
    category = read_category(values)
    if category is None:
        raise refuse(10001, str(values.get("symbol", "")), text=SYMBOL)
    return category


def find(category: Category, symbol: str, now_us: int) -> Listing:
    """A symbol that can be traded, or could be; raises 10001, of a pair 170121."""
    listing = category.listings.get(symbol)
    if listing is None or not listing.is_known(now_us):
        if category.is_derivative:
            raise refuse(10001, symbol, text=SYMBOL)
        raise refuse(170121)
    return listing


def chosen_instruments(category: Category, values: Mapping[str, Any], now_us: int) -> tuple[str, ...]:
    """The core's names of what a request is about: of a symbol, else of a base coin, else of a settle coin,
    else all of its category. Nothing for a coin that nobody trades."""
    symbol: str | None = values.get("symbol")
    if symbol is not None:
        return (find(category, symbol, now_us).instrument.symbol,)
    listings: Iterable[Listing] = category.listings.values()
    base, settle = values.get("baseCoin"), values.get("settleCoin")
    if base is not None:
        listings = (one for one in listings if one.base == base)
    elif settle is not None:
        listings = (one for one in listings if one.settle == settle)
    return tuple(one.instrument.symbol for one in listings)
