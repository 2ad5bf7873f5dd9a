"""What Binance Spot lists: the rows of instruments.json, checked and read once.

The file holds figures of the exchange's own listings in the field names of the core. A row wins over
the file's "defaults"; `source` says where its figures come from. Every decimal is a string there, so
nothing passes through a float.
"""

from __future__ import annotations

from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Any

import msgspec

from emulator.core.instruments import Instrument, MarketProfile
from emulator.listings.reading import DefaultedRows, ListingError, decode, figure, naming
from emulator.listings.soundness import check


class Listing(msgspec.Struct, frozen=True, kw_only=True):
    """One symbol: its rules for the core, and what only `exchangeInfo` shows.

    *_precision: digits after the point of amounts of that asset on the wire.
    source: where the figures come from, in a few words.
    """

    instrument: Instrument
    base_precision: int
    quote_precision: int
    base_commission_precision: int
    quote_commission_precision: int
    order_types: tuple[str, ...]
    permission_sets: tuple[tuple[str, ...], ...]
    is_margin_allowed: bool
    source: str

    @property
    def symbol(self) -> str:
        return self.instrument.symbol


class _Document(DefaultedRows, frozen=True, forbid_unknown_fields=True):
    """money: quote assets of about constant value, against which an asset shares one price path."""

    money: frozenset[str] = frozenset()


_WIRE_FIELDS = {field.name for field in msgspec.structs.fields(Listing)} - {"instrument"}


@cache
def load() -> tuple[Listing, ...]:
    """The listings that come with the package, in the order of `exchangeInfo`."""
    return read(files("emulator.exchanges.binance.spot").joinpath("instruments.json").read_bytes())


def read(document: bytes) -> tuple[Listing, ...]:
    """The listings of a document in the form of instruments.json.

    Raises ListingError, which names the symbol, for an unknown or missing field, a decimal that is not
    a string in plain notation, a symbol that occurs twice, or figures that contradict each other.
    """
    parsed = decode(document, _Document)
    listings: dict[str, Listing] = {}
    for row in parsed.rows():
        with naming(row.get("symbol", "a row without a symbol")):
            listing = _listing(row, parsed.money)
        if listing.symbol in listings:
            raise ListingError(f"{listing.symbol}: listed twice")
        listings[listing.symbol] = listing
    return tuple(listings.values())


def _listing(row: dict[str, Any], money: frozenset[str]) -> Listing:
    wire = {name: value for name, value in row.items() if name in _WIRE_FIELDS}
    rules = {name: value for name, value in row.items() if name not in _WIRE_FIELDS}
    # What a spot instrument is settled in is what it is quoted in, so the file does not repeat it.
    rules.setdefault("settle", rules.get("quote"))
    # Commissions have no more digits than exchangeInfo says they have.
    for step, precision in (
        ("base_step", wire.get("base_commission_precision")),
        ("quote_step", wire.get("quote_commission_precision")),
    ):
        if isinstance(precision, int):
            rules.setdefault(step, format(Decimal(1).scaleb(-precision), "f"))
    profile = dict(rules.get("profile", {}))
    if rules.get("quote") in money and rules.get("base") not in money:
        # An asset moves alike against everything that stands for money.
        profile.setdefault("path", rules.get("base"))
    rules["profile"] = _with_decimals(profile, MarketProfile)
    instrument = msgspec.convert(_with_decimals(rules, Instrument), Instrument)
    if instrument.symbol != instrument.base + instrument.quote or instrument.base == instrument.quote:
        raise ListingError("the symbol is not its base followed by its quote")
    check(instrument)
    return msgspec.convert({**wire, "instrument": instrument}, Listing)


@cache
def _decimal_fields(target: type[msgspec.Struct]) -> dict[str, bool]:
    """Of each field, whether it is a decimal."""
    return {field.name: field.type in (Decimal, Decimal | None) for field in msgspec.structs.fields(target)}


def _with_decimals(row: dict[str, Any], target: type[msgspec.Struct]) -> dict[str, Any]:
    """The row with its decimals parsed; msgspec alone would accept "NaN", "1E+9" and JSON numbers."""
    is_decimal = _decimal_fields(target)
    converted: dict[str, Any] = {}
    for name, value in row.items():
        if name not in is_decimal:
            raise ListingError(f"unknown field {name}")
        if is_decimal[name]:
            number = figure(value) if isinstance(value, str) else None
            if number is None:
                raise ListingError(f"{name} is not a string with a plain decimal: {value!r}")
            converted[name] = number
        else:
            converted[name] = value
    return converted
