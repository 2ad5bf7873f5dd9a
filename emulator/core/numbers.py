"""Exact decimal arithmetic: every result is exact, or it is an error.

The engine enters `exact()` at its door. Inside it any inexact operation raises, so a rounding is
always one of the named functions of this module, never a side effect of a division.
"""

from __future__ import annotations

import re
from decimal import (
    ROUND_DOWN,
    ROUND_HALF_EVEN,
    ROUND_UP,
    Context,
    Decimal,
    DivisionByZero,
    FloatOperation,
    Inexact,
    InvalidOperation,
    Overflow,
    getcontext,
    setcontext,
)
from types import TracebackType

PRECISION = 60
ZERO = Decimal(0)
ONE = Decimal(1)
BIPS = Decimal("0.0001")

DIGITS_MAX = 24
"""Digits of a wire number, before and after the point together; longer text is refused.

The product of two of them, with a fee upon it and counted in steps of 8 places, is still exact.
"""

_PLAIN = re.compile(r"[+-]?(?=[0-9.]{1,25}$)(?:[0-9]{1,24}(?:\.[0-9]{0,24})?|\.[0-9]{1,24})", re.ASCII)

EXACT = Context(
    prec=PRECISION,
    rounding=ROUND_HALF_EVEN,
    traps=[Inexact, InvalidOperation, DivisionByZero, Overflow, FloatOperation],
)


def _rounding(mode: str) -> Context:
    return Context(prec=PRECISION, rounding=mode, traps=[InvalidOperation, DivisionByZero, Overflow])


remainder = EXACT.remainder
"""What is left of a value beyond whole multiples of a step; the sign is the value's."""
_multiply, _divide_int = EXACT.multiply, EXACT.divide_int

_DOWN = _rounding(ROUND_DOWN)
_UP = _rounding(ROUND_UP)
_HALF = _rounding(ROUND_HALF_EVEN)


class exact:
    """Enter the exact context for a block; the caller's own context comes back afterwards."""

    __slots__ = ("_outer",)

    def __enter__(self) -> None:
        self._outer = getcontext()
        setcontext(EXACT)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        setcontext(self._outer)


def parse_plain(text: str) -> Decimal | None:
    """The number that `text` spells in plain decimal notation, canonical, or None.

    Refused: exponents, NaN and infinities, underscores, non-ASCII digits, spaces, and more than
    `DIGITS_MAX` digits. All of them are accepted by `Decimal` itself.
    """
    if not _PLAIN.fullmatch(text) or len(text.lstrip("+-").replace(".", "")) > DIGITS_MAX:
        return None
    return canonical(Decimal(text))


def canonical(value: Decimal) -> Decimal:
    """The same number without trailing zeros and without a positive exponent."""
    if not value:
        return ZERO
    value = value.normalize(EXACT)
    exponent = value.as_tuple().exponent
    assert isinstance(exponent, int)
    return value.quantize(ONE, context=EXACT) if exponent > 0 else value


def decimals(value: Decimal) -> int:
    """How many digits `value` has after the point, trailing zeros not counted."""
    exponent = value.normalize(EXACT).as_tuple().exponent
    assert isinstance(exponent, int)
    return max(0, -exponent)


def is_on_step(value: Decimal, step: Decimal) -> bool:
    """Whether `value` is a whole multiple of `step`; a step of zero admits every value."""
    return not step or not remainder(value, step)


def round_down(value: Decimal, step: Decimal) -> Decimal:
    """The multiple of `step` nearest to `value` in the direction of zero."""
    if not remainder(value, step):
        return value
    return _multiply(_divide_int(value, step), step)


def round_up(value: Decimal, step: Decimal) -> Decimal:
    """The multiple of `step` nearest to `value` in the direction away from zero."""
    if not remainder(value, step):
        return value
    down = _multiply(_divide_int(value, step), step)
    return EXACT.add(down, step) if value > ZERO else EXACT.subtract(down, step)


def round_half(value: Decimal, step: Decimal) -> Decimal:
    """The nearest multiple of `step`, halves to the even one."""
    return _HALF.multiply(_HALF.quantize(_HALF.divide(value, step), ONE), step)


def divide_down(numerator: Decimal, denominator: Decimal, step: Decimal) -> Decimal:
    """The quotient, rounded towards zero to a multiple of `step`."""
    return round_down(_DOWN.divide(numerator, denominator), step)


def divide_up(numerator: Decimal, denominator: Decimal, step: Decimal) -> Decimal:
    """The quotient, rounded away from zero to a multiple of `step`."""
    return round_up(_UP.divide(numerator, denominator), step)


def divide_half(numerator: Decimal, denominator: Decimal, step: Decimal) -> Decimal:
    """The quotient, rounded to the nearest multiple of `step`, halves to the even one."""
    return round_half(_HALF.divide(numerator, denominator), step)
