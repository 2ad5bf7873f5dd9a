"""Numbers and times as the wire has them: all as texts, and of what is not there "0" or nothing.

Decimals are written in full, without an exponent and without trailing zeros; times are milliseconds.
"""

from __future__ import annotations

from decimal import Decimal

from emulator.core.numbers import canonical


def decimal_text(value: Decimal) -> str:
    """`0.10` is "0.1", nothing is "0"."""
    return format(canonical(value), "f")


def optional_text(value: Decimal | None) -> str:
    """Of what is not there, nothing."""
    return "" if value is None else format(canonical(value), "f")


def zero_text(value: Decimal | None) -> str:
    """Of what is not there, "0"."""
    return "0" if value is None else format(canonical(value), "f")


def milliseconds(time_us: int) -> int:
    return time_us // 1000


def time_text(time_us: int) -> str:
    """A moment in milliseconds."""
    return str(time_us // 1000)


def optional_time(time_us: int | None) -> str:
    """Of what has no moment, "0"."""
    return "0" if time_us is None else str(time_us // 1000)
