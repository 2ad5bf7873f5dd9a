"""The coins of Bybit, the chains that they move on, and what they are worth as collateral: assets.json.

Fees and minimums are typical of their chains. The collateral ratio is the part of a coin's worth that
covers positions (one less the haircut), the hourly rate and the borrow limit are of the order of magnitude
that the exchange shows ("Get Collateral Info"; its example is bitcoin's row).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from importlib.resources import files
from types import MappingProxyType

import msgspec

from emulator.core.numbers import ONE, ZERO, is_on_step, parse_plain


class AssetChain(msgspec.Struct, frozen=True, kw_only=True):
    """How one coin moves on one chain.

    chain, chain_type: both names that the wire has for it. step: every withdrawn amount is a multiple of it.
    confirmations: blocks until a deposit is credited; safe_confirmations: until it can be withdrawn.
    tag_regex: empty where addresses have no tag.
    """

    chain: str
    chain_type: str
    is_default: bool
    withdraw_fee: Decimal
    withdraw_min: Decimal
    places: int
    confirmations: int
    safe_confirmations: int
    address_regex: str
    tag_regex: str

    @property
    def step(self) -> Decimal:
        return Decimal(1).scaleb(-self.places)


class Asset(msgspec.Struct, frozen=True, kw_only=True):
    """One coin; the first of its chains is the default one.

    collateral_ratio: which part of its worth covers positions. hourly_rate: of what is borrowed.
    borrow_max: how much one account may borrow.
    """

    code: str
    name: str
    collateral_ratio: Decimal
    hourly_rate: Decimal
    borrow_max: Decimal
    chains: tuple[AssetChain, ...]


class AssetError(ValueError):
    """The asset file contradicts itself."""


class _ChainRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    chain_type: str
    confirmations: int
    safe_confirmations: int
    address_regex: str
    tag_regex: str = ""


class _WithdrawalRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    chain: str
    withdraw_fee: str
    withdraw_min: str
    places: int


class _AssetRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    collateral_ratio: str
    hourly_rate: str
    borrow_max: str
    chains: tuple[_WithdrawalRow, ...]


class _Document(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    chains: dict[str, _ChainRow]
    assets: dict[str, _AssetRow]


@cache
def assets() -> Mapping[str, Asset]:
    """The coins that come with the package, by their code."""
    return read(files("emulator.exchanges.bybit").joinpath("assets.json").read_bytes())


def read(document: bytes) -> Mapping[str, Asset]:
    """The coins of a document in the form of assets.json; AssetError names the one that is wrong."""
    try:
        parsed = msgspec.json.decode(document, type=_Document)
    except msgspec.DecodeError as error:
        raise AssetError(str(error)) from error
    return MappingProxyType({code: _asset(code, row, parsed.chains) for code, row in parsed.assets.items()})


def _asset(code: str, row: _AssetRow, chains: dict[str, _ChainRow]) -> Asset:
    ratio = _amount(code, row.collateral_ratio)
    if ratio > ONE:
        raise AssetError(f"{code}: it counts for more than it is worth")
    return Asset(
        code=code,
        name=row.name,
        collateral_ratio=ratio,
        hourly_rate=_amount(code, row.hourly_rate),
        borrow_max=_amount(code, row.borrow_max),
        chains=tuple(_chain(code, one, chains, is_default=not place) for place, one in enumerate(row.chains)),
    )


def _chain(code: str, row: _WithdrawalRow, chains: dict[str, _ChainRow], *, is_default: bool) -> AssetChain:
    place = f"{code} on {row.chain}"
    chain = chains.get(row.chain)
    if chain is None:
        raise AssetError(f"{place}: the chain is not described")
    for pattern in (chain.address_regex, chain.tag_regex):
        try:
            re.compile(pattern)
        except re.error as error:
            raise AssetError(f"{place}: {pattern!r} is not a pattern") from error
    found = AssetChain(
        chain=row.chain,
        chain_type=chain.chain_type,
        is_default=is_default,
        withdraw_fee=_amount(place, row.withdraw_fee),
        withdraw_min=_amount(place, row.withdraw_min),
        places=row.places,
        confirmations=chain.confirmations,
        safe_confirmations=chain.safe_confirmations,
        address_regex=chain.address_regex,
        tag_regex=chain.tag_regex,
    )
    if not (is_on_step(found.withdraw_fee, found.step) and is_on_step(found.withdraw_min, found.step)):
        raise AssetError(f"{place}: withdraw_fee or withdraw_min has too many places")
    if found.withdraw_min <= ZERO:
        raise AssetError(f"{place}: withdraw_min is not positive")
    return found


def _amount(place: str, text: str) -> Decimal:
    amount = parse_plain(text)
    if amount is None:
        raise AssetError(f"{place}: {text!r} is not a plain decimal")
    return amount
