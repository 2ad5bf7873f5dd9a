"""The coins of Bybit, the chains that they move on, and what they are worth as collateral: assets.json.

Fees and minimums are typical of their chains. The collateral ratio is the part of a coin's worth that
covers positions (one less the haircut), the hourly rate and the borrow limit are of the order of magnitude
that the exchange shows ("Get Collateral Info"; its example is bitcoin's row).
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from importlib.resources import files
from types import MappingProxyType

import msgspec

from emulator.core.numbers import ONE
from emulator.listings.networks import MovementRow, Network, NetworkRow, networks_of
from emulator.listings.reading import ListingError, decode, naming, number


class Asset(msgspec.Struct, frozen=True, kw_only=True):
    """One coin; the first of its networks is the default one.

    collateral_ratio: which part of its worth covers positions. hourly_rate: of what is borrowed.
    borrow_max: how much one account may borrow.
    """

    code: str
    name: str
    collateral_ratio: Decimal
    hourly_rate: Decimal
    borrow_max: Decimal
    networks: tuple[Network, ...]


class _AssetRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    collateral_ratio: str
    hourly_rate: str
    borrow_max: str
    networks: tuple[MovementRow, ...]


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
        hourly, borrow_max = number(row.hourly_rate, "hourly_rate"), number(row.borrow_max, "borrow_max")
    return Asset(
        code=code,
        name=row.name,
        collateral_ratio=ratio,
        hourly_rate=hourly,
        borrow_max=borrow_max,
        networks=networks_of(code, row.networks, networks),
    )
