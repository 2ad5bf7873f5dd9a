"""What was done by hand, cut into spans in which nothing is; and the arithmetic of whole steps."""

from __future__ import annotations

from decimal import Decimal
from typing import Final, NamedTuple

from emulator.core.markets import SECOND_US, Stretch
from emulator.core.numbers import ZERO
from emulator.core.tape import FOREVER_US

PART: Final = Decimal("0.00000001")
PARTS: Final = 10**8


class Apart(NamedTuple):
    """Where the contract's own book was set, apart from its pair, and the last price that it holds."""

    bid: Decimal
    ask: Decimal
    last: Decimal


class Move(NamedTuple):
    """What holds from a moment on. The index is held (`price`) or shifted (`price` None)."""

    start_us: int
    price: Decimal | None = None
    shift: Decimal = ZERO
    apart: Apart | None = None


class Regime(NamedTuple):
    """A move in steps; `apart` is the middle of the contract's own book, `last` the price it holds."""

    start_us: int = -FOREVER_US
    held: int | None = None
    shift: int = 0
    apart: int | None = None
    last: int = 0


class Piece(NamedTuple):
    """[start_us, end_us) under one regime; the basis of a `mixed` one is averaged over several."""

    start_us: int
    end_us: int
    regime: Regime
    mixed: bool

    def clipped(self, stretch: Stretch) -> tuple[int, int]:
        """What a stretch has of it."""
        return max(self.start_us, stretch.start_us), min(self.end_us, stretch.end_us)

    def seconds(self, stretch: Stretch) -> range:
        """The whole seconds of a stretch that are in it, without the moment at which its regime begins."""
        start_us, end_us = self.clipped(stretch)
        if start_us == self.regime.start_us:
            start_us += 1
        return range(-(-start_us // SECOND_US) * SECOND_US, end_us, SECOND_US)


def half(numerator: int, denominator: int) -> int:
    """The nearest whole quotient, halves to the even one."""
    whole, rest = divmod(numerator, denominator)
    beyond = 2 * rest - denominator
    return whole + 1 if beyond > 0 or (not beyond and whole & 1) else whole


def with_rate(index: int, rate: int, unit: int) -> int:
    """index x (1 + rate / unit)."""
    return half(index * (unit + rate), unit)


def median(one: int, other: int, third: int) -> int:
    if one > other:
        one, other = other, one
    return one if third < one else other if third > other else third
