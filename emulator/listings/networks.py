"""How coins move on networks, as files of assets have it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final

import msgspec

from emulator.core.numbers import ZERO, is_on_step
from emulator.listings.reading import ListingError, naming, number, places

UNBOUNDED: Final = "9999999999"
"""So much stands for no bound."""


class NetworkRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A network. name: what people call it. tag_regex: empty where addresses have no tag."""

    name: str
    confirmations: int
    safe_confirmations: int
    address_regex: str
    tag_regex: str = ""
    arrival_minutes: int = 0


class MovementRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a coin costs to move on a network. step: every withdrawn amount is a multiple of it."""

    network: str
    withdraw_fee: str
    withdraw_min: str
    step: str
    withdraw_max: str = UNBOUNDED


class Network(msgspec.Struct, frozen=True, kw_only=True):
    """How one coin moves on one network.

    code, name: both names that a wire has for it. step: every withdrawn amount is a multiple of it.
    confirmations: blocks until a deposit is credited; safe_confirmations: until it can be withdrawn.
    arrival_minutes: 0 where the exchange does not say. tag_regex: empty where addresses have no tag.
    """

    code: str
    name: str
    is_default: bool
    withdraw_fee: Decimal
    withdraw_min: Decimal
    withdraw_max: Decimal
    step: Decimal
    confirmations: int
    safe_confirmations: int
    arrival_minutes: int
    address_regex: str
    tag_regex: str

    @property
    def places(self) -> int:
        """Digits after the point of withdrawn amounts."""
        return places(format(self.step, "f"))


def networks_of(
    coin: str, rows: Sequence[MovementRow], described: Mapping[str, NetworkRow]
) -> tuple[Network, ...]:
    """What a coin moves on, the default one first. Raises ListingError, which names coin and network."""
    found = []
    for place, row in enumerate(rows):
        with naming(f"{coin} on {row.network}"):
            found.append(_network(row, described, is_default=not place))
    return tuple(found)


def _network(row: MovementRow, described: Mapping[str, NetworkRow], *, is_default: bool) -> Network:
    network = described.get(row.network)
    if network is None:
        raise ListingError("the network is not described")
    for pattern in (network.address_regex, network.tag_regex):
        try:
            re.compile(pattern)
        except re.error as error:
            raise ListingError(f"{pattern!r} is not a pattern") from error
    step = number(row.step, "step")
    if step <= ZERO:
        raise ListingError("step is not positive")
    fee, least = number(row.withdraw_fee, "withdraw_fee"), number(row.withdraw_min, "withdraw_min")
    if not (is_on_step(fee, step) and is_on_step(least, step)):
        raise ListingError("withdraw_fee and withdraw_min are not multiples of step")
    if fee < ZERO or least <= ZERO:
        raise ListingError("withdraw_min is not positive, or withdraw_fee is negative")
    return Network(
        code=row.network,
        name=network.name,
        is_default=is_default,
        withdraw_fee=fee,
        withdraw_min=least,
        withdraw_max=number(row.withdraw_max, "withdraw_max"),
        step=step,
        confirmations=network.confirmations,
        safe_confirmations=network.safe_confirmations,
        arrival_minutes=network.arrival_minutes,
        address_regex=network.address_regex,
        tag_regex=network.tag_regex,
    )
