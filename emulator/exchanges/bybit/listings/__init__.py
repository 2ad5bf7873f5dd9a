"""What Bybit lists: the rows of instruments.json, checked and read once.

The file holds figures of the exchange's own listings, with as many places as the wire shows; `source` says of
each row where they come from. A perpetual and a pair are a symbol as it stands. A row that is `dated` is a
family: one contract for each quarter (`emulator.listings.quarters`).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib.resources import files

import msgspec

from emulator.exchanges.bybit.listings.contracts import LEVERAGE_STEP, TAKER_FEE, contracts_of
from emulator.exchanges.bybit.listings.listing import Listing
from emulator.exchanges.bybit.listings.pairs import pair_of
from emulator.exchanges.bybit.listings.rows import ContractRow, PairRow, TierRow
from emulator.listings.reading import ListingError, decode, naming

__all__ = ["LEVERAGE_STEP", "TAKER_FEE", "Listing", "load", "read"]


class _Document(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    tiers: dict[str, list[TierRow]]
    spot: list[PairRow]
    linear: list[ContractRow]
    inverse: list[ContractRow]


@cache
def load() -> tuple[Listing, ...]:
    """The listings that come with the package, category after category."""
    return read(files("emulator.exchanges.bybit").joinpath("instruments.json").read_bytes())


def read(document: bytes) -> tuple[Listing, ...]:
    """The listings of a document. Raises ListingError, which names the symbol."""
    found: dict[str, Listing] = {}
    for listing in _all(decode(document, _Document)):
        name = listing.instrument.symbol
        if name in found:
            raise ListingError(f"{name}: listed twice")
        found[name] = listing
    return tuple(found.values())


def _all(document: _Document) -> Iterator[Listing]:
    for pair in document.spot:
        with naming(f"spot {pair.symbol}"):
            yield pair_of(pair)
    for category, rows in (("linear", document.linear), ("inverse", document.inverse)):
        for row in rows:
            with naming(f"{category} {row.symbol}"):
                yield from contracts_of(category, row, document.tiers)
