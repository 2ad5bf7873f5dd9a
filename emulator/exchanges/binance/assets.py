"""The assets of Binance and the networks they move on: assets.json, checked and read once.

The figures of `capital/config/getall`. Deposits cost nothing; legal money moves on no network.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from importlib.resources import files
from types import MappingProxyType

import msgspec

from emulator.core.numbers import ZERO, is_on_step, parse_plain


class AssetNetwork(msgspec.Struct, frozen=True, kw_only=True):
    """How one asset moves on one network.

    withdraw_multiple: every withdrawn amount is a multiple of it.
    confirmations: blocks until a deposit is credited; unlock_confirmations: until it can be withdrawn.
    memo_regex: empty where addresses have no memo.
    """

    network: str
    name: str
    is_default: bool
    withdraw_fee: Decimal
    withdraw_min: Decimal
    withdraw_max: Decimal
    withdraw_multiple: Decimal
    deposit_min: Decimal
    confirmations: int
    unlock_confirmations: int
    arrival_minutes: int
    address_regex: str
    memo_regex: str


class Asset(msgspec.Struct, frozen=True, kw_only=True):
    """One asset; the first of its networks is the default one. `source` is empty for legal money."""

    code: str
    name: str
    is_legal_money: bool
    source: str
    networks: tuple[AssetNetwork, ...]


class AssetError(ValueError):
    """The asset file contradicts itself."""


class _NetworkRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    confirmations: int
    unlock_confirmations: int
    arrival_minutes: int
    address_regex: str
    memo_regex: str = ""


class _WithdrawalRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    network: str
    withdraw_fee: str
    withdraw_min: str
    withdraw_multiple: str
    withdraw_max: str = "9999999999"


class _AssetRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    networks: tuple[_WithdrawalRow, ...]
    is_legal_money: bool = False
    source: str = ""


class _Document(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    networks: dict[str, _NetworkRow]
    assets: dict[str, _AssetRow]


@cache
def assets() -> Mapping[str, Asset]:
    """The assets that come with the package, by their code."""
    return read(files("emulator.exchanges.binance").joinpath("assets.json").read_bytes())


def read(document: bytes) -> Mapping[str, Asset]:
    """The assets of a document in the form of assets.json; AssetError names the asset that is wrong."""
    try:
        parsed = msgspec.json.decode(document, type=_Document)
    except msgspec.DecodeError as error:
        raise AssetError(str(error)) from error
    found: dict[str, Asset] = {}
    for code, row in parsed.assets.items():
        if bool(row.networks) == row.is_legal_money:
            raise AssetError(f"{code}: an asset either is legal money or moves on a network")
        found[code] = Asset(
            code=code,
            name=row.name,
            is_legal_money=row.is_legal_money,
            source=row.source,
            networks=tuple(
                _network(code, withdrawal, parsed.networks, is_default=not place)
                for place, withdrawal in enumerate(row.networks)
            ),
        )
    return MappingProxyType(found)


def _network(
    code: str, row: _WithdrawalRow, networks: dict[str, _NetworkRow], *, is_default: bool
) -> AssetNetwork:
    place = f"{code} on {row.network}"
    chain = networks.get(row.network)
    if chain is None:
        raise AssetError(f"{place}: the network is not described")
    for pattern in (chain.address_regex, chain.memo_regex):
        try:
            re.compile(pattern)
        except re.error as error:
            raise AssetError(f"{place}: {pattern!r} is not a pattern") from error
    multiple = _amount(place, row.withdraw_multiple)
    if multiple <= ZERO:
        raise AssetError(f"{place}: withdraw_multiple is not positive")
    fee = _amount(place, row.withdraw_fee)
    lowest = _amount(place, row.withdraw_min)
    if not (is_on_step(fee, multiple) and is_on_step(lowest, multiple)):
        raise AssetError(f"{place}: withdraw_fee and withdraw_min are not multiples of withdraw_multiple")
    # A withdrawal pays its fee out of the amount, so the smallest one must leave something.
    if not ZERO <= fee < lowest:
        raise AssetError(f"{place}: withdraw_min does not exceed withdraw_fee")
    return AssetNetwork(
        network=row.network,
        name=chain.name,
        is_default=is_default,
        withdraw_fee=fee,
        withdraw_min=lowest,
        withdraw_max=_amount(place, row.withdraw_max),
        withdraw_multiple=multiple,
        deposit_min=multiple,
        confirmations=chain.confirmations,
        unlock_confirmations=chain.unlock_confirmations,
        arrival_minutes=chain.arrival_minutes,
        address_regex=chain.address_regex,
        memo_regex=chain.memo_regex,
    )


def _amount(place: str, text: str) -> Decimal:
    amount = parse_plain(text)
    if amount is None:
        raise AssetError(f"{place}: {text!r} is not a plain decimal")
    return amount
