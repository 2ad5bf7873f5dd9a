"""Tiers of margin from the rates that an exchange publishes."""

from __future__ import annotations

from collections.abc import Sequence

from emulator.core.contracts import Tier, tier_table
from emulator.core.numbers import ZERO, exact
from emulator.listings.reading import number


def continued(rows: Sequence[tuple[str, str, str]]) -> tuple[Tier, ...]:
    """Tiers from rows of the largest value, the highest leverage and the maintenance rate.

    What is taken off follows from the rates, since the margin of a position must not jump where it enters
    the next tier; exchanges that publish it have the same.
    """
    floors = [ZERO, *(number(cap, "tiers") for cap, _, _ in rows[:-1])]
    with exact():
        return tier_table(
            (
                (floor, number(leverage, "tiers"), number(rate, "tiers"))
                for floor, (_, leverage, rate) in zip(floors, rows, strict=True)
            ),
            cap=number(rows[-1][0], "tiers"),
        )


def published(rows: Sequence[tuple[str, str, str, str]], *, cap: str) -> tuple[Tier, ...]:
    """Tiers from rows of floor, highest leverage, maintenance rate and what is taken off, and the cap of
    the last one."""
    caps = [*(floor for floor, *_ in rows[1:]), cap]
    return tuple(
        Tier(
            floor=number(floor, "tiers"),
            cap=number(upper, "tiers"),
            leverage_max=number(leverage, "tiers"),
            maintenance_rate=number(rate, "tiers"),
            maintenance_amount=number(taken_off, "tiers"),
        )
        for (floor, leverage, rate, taken_off), upper in zip(rows, caps, strict=True)
    )
