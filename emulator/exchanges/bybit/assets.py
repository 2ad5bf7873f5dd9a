"""The coins of Bybit, the chains that they move on, and what they are worth as collateral: assets.json.

Fees and minimums are typical of their chains. The collateral ratio is the part of a coin's worth that
covers positions (one less the haircut), the hourly rate and the borrow limit are of the order of magnitude
that the exchange shows ("Get Collateral Info"; its example is bitcoin's row). What is owned beyond some
quantities counts less: of bitcoin as in the example of the help centre ("Understanding Collateral Value
Ratios in Unified Trading Account"); no public page tells the steps of other coins, which have one ratio here.
In which order coins are sold for what is owed, the documents tell of bitcoin only, the eleventh ("Get VIP
Margin Data"); dollars are the first here.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from importlib.resources import files
from itertools import pairwise
from types import MappingProxyType

import msgspec

from emulator.core.numbers import ONE, ZERO
from emulator.listings.networks import MovementRow, Network, NetworkRow, networks_of
from emulator.listings.reading import ListingError, decode, naming, number


class Asset(msgspec.Struct, frozen=True, kw_only=True):
    """One coin; the first of its networks is the default one.

    collateral_ratio: which part of its worth covers positions; collateral_tiers: a lower one of what is owned
    beyond a quantity. hourly_rate: of what is borrowed. borrow_max: how much one account may borrow.
    liquidation_order: whose turn it is, counted, when coins are sold for what is owed.
    """

    code: str
    name: str
    collateral_ratio: Decimal
    collateral_tiers: tuple[tuple[Decimal, Decimal], ...]
    hourly_rate: Decimal
    borrow_max: Decimal
    liquidation_order: int
    networks: tuple[Network, ...]


class _AssetRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    liquidation_order: int
    collateral_ratio: str
    hourly_rate: str
    borrow_max: str
    networks: tuple[MovementRow, ...]
    collateral_tiers: tuple[tuple[str, str], ...] = ()


class _Document(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    networks: dict[str, NetworkRow]
    assets: dict[str, _AssetRow]


@cache
def assets() -> Mapping[str, Asset]:
    """The coins that come with the package, by their code."""
    return read(files("emulator.exchanges.bybit").joinpath("assets.json").read_bytes())


def read(document: bytes) -> Mapping[str, Asset]:
    """The coins of a document in the form of assets.json; ListingError names the one that is wrong."""
    parsed = decode(document, _Document)
    return MappingProxyType({code: _asset(code, row, parsed.networks) for code, row in parsed.assets.items()})


def _asset(code: str, row: _AssetRow, networks: Mapping[str, NetworkRow]) -> Asset:
    with naming(code):
        ratio = number(row.collateral_ratio, "collateral_ratio")
        if ratio > ONE:
            raise ListingError("it counts for more than it is worth")
        tiers = tuple(
            (number(floor, "collateral_tiers"), number(less, "collateral_tiers"))
            for floor, less in row.collateral_tiers
        )
        for (floor, more), (beyond, less) in pairwise([(ZERO, ratio), *tiers]):
            if beyond <= floor or less >= more:
                raise ListingError("collateral_tiers: the further, the less it counts for")
        hourly, borrow_max = number(row.hourly_rate, "hourly_rate"), number(row.borrow_max, "borrow_max")
    return Asset(
        code=code,
        name=row.name,
        collateral_ratio=ratio,
        collateral_tiers=tiers,
        hourly_rate=hourly,
        borrow_max=borrow_max,
        liquidation_order=row.liquidation_order,
        networks=networks_of(code, row.networks, networks),
    )
