"""How prices, quantities and values of a contract look: with the decimal places that its listing says.

What a contract trades for in coin is not summed by the market itself, which knows quantities in contracts
and prices; so it is taken at the average price of a span, which of a single trade is exact.
"""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache
from typing import Final

from emulator.core.markets import Candle
from emulator.core.numbers import ZERO, divide_half, round_half
from emulator.exchanges.binance.futures.listings import Listing
from emulator.exchanges.binance.vocabulary import EIGHT_PLACES, render_amount, render_places

KEPT: Final = 8192

_THOUSANDTH: Final = Decimal("0.001")

_render = lru_cache(maxsize=KEPT)(render_places)


class Figures:
    """Of one contract. What rounds is to be called inside `exact()`."""

    __slots__ = ("_contract", "_price_places", "_price_unit", "_quantity_places")

    def __init__(self, listing: Listing) -> None:
        self._contract = listing.contract
        self._price_places = listing.row.price_precision
        self._quantity_places = listing.row.quantity_precision
        self._price_unit = Decimal(1).scaleb(-self._price_places)

    def price(self, price: Decimal) -> str:
        return _render(price, self._price_places)

    def quantity(self, quantity: Decimal) -> str:
        return _render(quantity, self._quantity_places)

    def average(self, price: Decimal) -> str:
        """A price that need not be on a step; of an inverse contract with eight places."""
        if self._contract.is_inverse:
            return render_amount(round_half(price, EIGHT_PLACES))
        return render_places(round_half(price, self._price_unit), self._price_places)

    def total(self, candle: Candle) -> str:
        """What the trades of a span were worth, in as many places as a price has."""
        value = self.value(candle.volume, candle.quote_volume)
        return render_places(round_half(value, self._price_unit), self._price_places)

    def exact_value(self, volume: Decimal, quote_volume: Decimal) -> str:
        """What trades were worth, in as many places as that can have: price times quantity, or eight."""
        value = self.value(volume, quote_volume)
        if self._contract.is_inverse:
            return render_amount(value)
        return render_places(value, self._price_places + self._quantity_places)

    def value(self, volume: Decimal, quote_volume: Decimal) -> Decimal:
        """In the quote asset, or of an inverse contract in coin, at the average price."""
        if not self._contract.is_inverse:
            return quote_volume
        if not quote_volume:
            return ZERO
        return divide_half(volume * volume * self._contract.size, quote_volume, EIGHT_PLACES)

    def weighted(self, candle: Candle) -> str:
        """The mean price, weighted by quantity; zero without trades."""
        mean = divide_half(candle.quote_volume, candle.volume, EIGHT_PLACES) if candle.volume else ZERO
        return self.average(mean)


def percent(change: Decimal, opening: Decimal) -> str:
    """Three places, as on spot."""
    return render_places(divide_half(change * 100, opening, _THOUSANDTH) if opening else ZERO, 3)


_figures: Final[dict[str, Figures]] = {}


def figures_of(listing: Listing) -> Figures:
    name = listing.instrument.symbol
    figures = _figures.get(name)
    if figures is None:
        figures = _figures[name] = Figures(listing)
    return figures
