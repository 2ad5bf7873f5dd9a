"""What the market's own traders hold: contracts that are open, and how many are long.

The core knows accounts only. What everybody else holds is a function of the sandbox's seed, the contract
and time, as the market itself is: it wanders around what is usual for the contract's trading, the same
whenever it is asked for. Accounts' positions are added where what is open now is told.
"""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache
from hashlib import blake2b
from typing import Final, NamedTuple

from emulator.core.engine import Engine
from emulator.core.instruments import Instrument
from emulator.core.numbers import ZERO, round_half
from emulator.market_data.intervals import DAY_US

UNIT: Final = 1 << 20
"""Noise lies between minus this and this."""

KNOT_US: Final = DAY_US // 6
"""Between two knots it changes in a straight line."""

OPEN_DAYS: Final = Decimal("0.6")
"""How many days' usual trading is open."""

SHARE_PLACES: Final = Decimal("0.0001")

_HALF: Final = Decimal("0.5")
_MINUTES: Final = 1440


class Shares(NamedTuple):
    """Parts of one: who is long, and who is short."""

    long: Decimal
    short: Decimal


def open_interest(seed: int, name: str, instrument: Instrument, time_us: int) -> Decimal:
    """Contracts that the market's own traders have open at a time. name: of the crowd."""
    profile = instrument.profile
    usual = profile.trade_quantity * profile.trades_per_minute * _MINUTES * OPEN_DAYS
    wandering = Decimal(_noise(seed, name, "open", time_us)) / UNIT
    return round_half(usual * (1 + wandering * Decimal("0.25")), instrument.quantity_step)


def accounts_interest(engine: Engine, instrument: str) -> Decimal:
    """Contracts that accounts of the sandbox have open, counted on one side: the larger one."""
    longs = shorts = ZERO
    holders = engine.state.holders.get(instrument, {})
    for position in holders.values():
        if position.quantity > ZERO:
            longs += position.quantity
        else:
            shorts -= position.quantity
    return max(longs, shorts)


def shares(seed: int, name: str, series: str, time_us: int) -> Shares:
    """Which part of a crowd is long. series: which crowd, and whether heads or contracts are counted."""
    wandering = Decimal(_noise(seed, name, series, time_us)) / UNIT
    long = round_half(_HALF + wandering * Decimal("0.2"), SHARE_PLACES)
    return Shares(long, 1 - long)


def _noise(seed: int, name: str, series: str, time_us: int) -> int:
    number, past_us = divmod(time_us, KNOT_US)
    here, there = _knot(seed, name, series, number), _knot(seed, name, series, number + 1)
    return here + (there - here) * past_us // KNOT_US


@lru_cache(maxsize=4096)
def _knot(seed: int, name: str, series: str, number: int) -> int:
    digest = blake2b(f"{seed}\x1f{name}\x1f{series}\x1f{number}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") % (2 * UNIT + 1) - UNIT
