"""Bybit's categories: pairs, linear contracts and inverse ones, all traded in one wallet.

Two of them may have a symbol of the same name, so the core's names have the category in front.
`option` is a word that the wire knows; nothing is listed there.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from types import MappingProxyType
from typing import Final

from emulator.core.instruments import Instrument
from emulator.exchanges.bybit.listings import Listing, load


class Category:
    """One of them. name: as the wire has it, and the first part of the core's names."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.is_derivative = name != "spot"
        self.is_inverse = name == "inverse"

    def __repr__(self) -> str:
        return f"<{self.name}>"

    @cached_property
    def listings(self) -> Mapping[str, Listing]:
        """By the wire's symbol, in the order of the file."""
        return MappingProxyType({one.symbol: one for one in load() if one.category == self.name})

    @cached_property
    def symbols(self) -> Mapping[str, str]:
        """The wire's symbol of each of the core's instruments that are of this category."""
        return MappingProxyType({one.instrument.symbol: one.symbol for one in self.listings.values()})

    @cached_property
    def instruments(self) -> Mapping[str, Instrument]:
        """As the core knows them, by its own names."""
        return MappingProxyType({one.instrument.symbol: one.instrument for one in self.listings.values()})

    @cached_property
    def by_instrument(self) -> Mapping[str, Listing]:
        """The listing of each of the core's instruments that are of this category."""
        return MappingProxyType({one.instrument.symbol: one for one in self.listings.values()})

    @cached_property
    def settle_coins(self) -> tuple[str, ...]:
        """What its contracts settle in; of pairs, what they are quoted in."""
        return tuple(dict.fromkeys(one.settle for one in self.listings.values()))

    def holds(self, instrument: str) -> bool:
        """Whether one of the engine's instruments is of this category."""
        return instrument in self.symbols


SPOT: Final = Category("spot")
LINEAR: Final = Category("linear")
INVERSE: Final = Category("inverse")

OPTION: Final = "option"
"""A category by its word only."""

CATEGORIES: Final[Mapping[str, Category]] = MappingProxyType(
    {one.name: one for one in (SPOT, LINEAR, INVERSE)}
)


def category_of(instrument: str) -> Category:
    """Of one of the core's instruments."""
    return CATEGORIES[instrument.partition(":")[0]]


def listing_of(instrument: str) -> Listing:
    """Of one of the core's instruments."""
    return category_of(instrument).by_instrument[instrument]


def all_instruments() -> dict[str, Instrument]:
    """Of all categories, by the core's names."""
    return {name: one for category in CATEGORIES.values() for name, one in category.instruments.items()}
