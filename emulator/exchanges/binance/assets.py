"""The assets of Binance and the networks they move on: assets.json, checked and read once.

The figures of `capital/config/getall`. Deposits cost nothing; legal money moves on no network.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType

import msgspec

from emulator.listings.networks import MovementRow, Network, NetworkRow, networks_of
from emulator.listings.reading import ListingError, decode


class Asset(msgspec.Struct, frozen=True, kw_only=True):
    """One asset; the first of its networks is the default one. `source` is empty for legal money."""

    code: str
    name: str
    is_legal_money: bool
    source: str
    networks: tuple[Network, ...]


class _AssetRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    networks: tuple[MovementRow, ...]
    is_legal_money: bool = False
    source: str = ""


class _Document(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    networks: dict[str, NetworkRow]
    assets: dict[str, _AssetRow]


@cache
def assets() -> Mapping[str, Asset]:
    """The assets that come with the package, by their code."""
    return read(files("emulator.exchanges.binance").joinpath("assets.json").read_bytes())


def read(document: bytes) -> Mapping[str, Asset]:
    """The assets of a document in the form of assets.json; ListingError names the asset that is wrong."""
    parsed = decode(document, _Document)
    found: dict[str, Asset] = {}
    for code, row in parsed.assets.items():
        if bool(row.networks) == row.is_legal_money:
            raise ListingError(f"{code}: an asset either is legal money or moves on a network")
        networks = networks_of(code, row.networks, parsed.networks)
        for network in networks:
            # A withdrawal pays its fee out of the amount, so the smallest one must leave something.
            if network.withdraw_min <= network.withdraw_fee:
                raise ListingError(f"{code} on {network.code}: withdraw_min does not exceed withdraw_fee")
        found[code] = Asset(
            code=code,
            name=row.name,
            is_legal_money=row.is_legal_money,
            source=row.source,
            networks=networks,
        )
    return MappingProxyType(found)
