"""Which contract's index tells what a coin is worth in dollars.

Of some coins contracts are on a thousand at a time: 1000PEPEUSDT, SHIB1000USDT ("Get Instruments Info").
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from types import MappingProxyType
from typing import Final, NamedTuple

from emulator.core.numbers import ONE
from emulator.exchanges.bybit.categories import LINEAR

DOLLARS: Final = frozenset({"USD", "USDT", "USDC"})
"""What stands for a dollar."""

_THOUSAND: Final = "1000"
_THOUSANDTH: Final = Decimal("0.001")


class CoinIndex(NamedTuple):
    """A contract of the core, and which part of its index price one coin is worth."""

    instrument: str
    part: Decimal


@cache
def coin_indexes() -> Mapping[str, CoinIndex]:
    """By coin, dollars apart: those of which there is a perpetual against USDT."""
    found: dict[str, CoinIndex] = {}
    for listing in LINEAR.listings.values():
        if listing.is_perpetual and listing.settle == "USDT":
            coin, part = listing.base, ONE
            if _THOUSAND in coin:
                coin, part = coin.replace(_THOUSAND, ""), _THOUSANDTH
            found.setdefault(coin, CoinIndex(listing.instrument.symbol, part))
    return MappingProxyType(found)
