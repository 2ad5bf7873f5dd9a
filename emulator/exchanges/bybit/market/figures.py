"""How prices, quantities and values of a symbol look on the wire.

Those of contracts have the places of their steps, those of pairs no zeros at their ends.

What an inverse contract trades for in coin is not summed by the market itself, which knows quantities and
prices; so it is taken at the average price of a span, which of a single trade is exact.
"""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache
from typing import Final

from emulator.core.markets import Candle
from emulator.core.numbers import ZERO, divide_half, round_half
from emulator.exchanges.bybit.figures import decimal_text
from emulator.exchanges.bybit.listings import Listing

EIGHT_PLACES: Final = Decimal("0.00000001")

KEPT: Final = 8192


@lru_cache(maxsize=KEPT)
def fixed(value: Decimal, places: int) -> str:
    """With so many places, to the nearest."""
    return format(round_half(value, Decimal(1).scaleb(-places)), "f")


_plain = lru_cache(maxsize=KEPT)(decimal_text)


class Figures:
    """Of one symbol. To be used inside `exact()`."""

    __slots__ = ("_is_inverse", "_is_pair", "_mark_places", "_price_places", "_quantity_places")

    def __init__(self, listing: Listing) -> None:
        self._is_pair = listing.contract is None
        self._is_inverse = listing.is_inverse
        self._price_places = listing.price_places
        self._quantity_places = listing.quantity_places
        self._mark_places = listing.contract_row.price_scale if listing.contract_row else 8

    def price(self, price: Decimal) -> str:
        return _plain(price) if self._is_pair else fixed(price, self._price_places)

    def quantity(self, quantity: Decimal) -> str:
        return _plain(quantity) if self._is_pair else fixed(quantity, self._quantity_places)

    def mark(self, price: Decimal) -> str:
        """An index or mark price."""
        return fixed(price, self._mark_places)

    def turnover(self, candle: Candle) -> Decimal:
        """What the trades of a span were worth: in quote, of an inverse contract in coin."""
        if not self._is_inverse:
            return candle.quote_volume
        if not candle.quote_volume:
            return ZERO
        return divide_half(candle.volume * candle.volume, candle.quote_volume, EIGHT_PLACES)


_figures: Final[dict[str, Figures]] = {}


def figures_of(listing: Listing) -> Figures:
    name = listing.instrument.symbol
    figures = _figures.get(name)
    if figures is None:
        figures = _figures[name] = Figures(listing)
    return figures
