"""Roundings and parsing, against fractions."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal, Inexact, getcontext
from fractions import Fraction
from math import ceil, floor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.core.numbers import (
    DIGITS_MAX,
    canonical,
    decimals,
    divide_down,
    divide_half,
    divide_up,
    exact,
    is_on_step,
    parse_plain,
    round_down,
    round_half,
    round_up,
)

values = st.decimals(min_value=Decimal(-(10**12)), max_value=Decimal(10**12), places=8)
positives = st.decimals(min_value=Decimal("0.00000001"), max_value=Decimal(10**9), places=8)
steps = st.builds(
    lambda digits, places: Decimal(digits).scaleb(-places), st.sampled_from([1, 2, 5, 25]), st.integers(0, 10)
)


def outward(number: Fraction) -> int:
    return ceil(number) if number > 0 else floor(number)


def inward(number: Fraction) -> int:
    return floor(number) if number > 0 else ceil(number)


ROUNDINGS: list[tuple[Callable[[Decimal, Decimal], Decimal], Callable[[Fraction], int]]] = [
    (round_down, inward),
    (round_up, outward),
    (round_half, round),
]
DIVISIONS: list[tuple[Callable[[Decimal, Decimal, Decimal], Decimal], Callable[[Fraction], int]]] = [
    (divide_down, inward),
    (divide_up, outward),
    (divide_half, round),
]


@pytest.mark.parametrize(("rounding", "whole"), ROUNDINGS)
@given(value=values, step=steps)
def test_roundings(
    rounding: Callable[[Decimal, Decimal], Decimal],
    whole: Callable[[Fraction], int],
    value: Decimal,
    step: Decimal,
) -> None:
    with exact():
        rounded = rounding(value, step)
    assert Fraction(rounded) == whole(Fraction(value) / Fraction(step)) * Fraction(step)


@pytest.mark.parametrize(("division", "whole"), DIVISIONS)
@given(numerator=values, denominator=positives, step=steps)
def test_divisions(
    division: Callable[[Decimal, Decimal, Decimal], Decimal],
    whole: Callable[[Fraction], int],
    numerator: Decimal,
    denominator: Decimal,
    step: Decimal,
) -> None:
    with exact():
        rounded = division(numerator, denominator, step)
    expected = whole(Fraction(numerator) / Fraction(denominator) / Fraction(step)) * Fraction(step)
    assert Fraction(rounded) == expected


@given(value=values, step=steps)
def test_on_step(value: Decimal, step: Decimal) -> None:
    assert is_on_step(value, step) is ((Fraction(value) / Fraction(step)).denominator == 1)
    assert is_on_step(value, Decimal(0))


@given(value=values)
def test_canonical(value: Decimal) -> None:
    plain = canonical(value)
    assert plain == value
    text = format(plain, "f")
    assert "E+" not in str(plain)
    assert "." not in text or not text.endswith("0")
    assert decimals(value) == len(text.partition(".")[2])


@given(text=st.from_regex(r"[+-]?[0-9]{0,30}\.?[0-9]{0,30}", fullmatch=True))
def test_what_is_parsed_is_the_same_number(text: str) -> None:
    parsed = parse_plain(text)
    digits = text.lstrip("+-").replace(".", "")
    if digits and len(digits) <= DIGITS_MAX:
        assert parsed is not None
        assert Fraction(parsed) == Fraction(Decimal(text))
    else:
        assert parsed is None


@given(text=st.text(max_size=12))
def test_nothing_else_is_a_number(text: str) -> None:
    parsed = parse_plain(text)
    assert parsed is None or set(text) <= set("+-.0123456789")


@pytest.mark.parametrize(
    "text",
    ["NaN", "Infinity", "1E5", "1_0", "", ".", "+", "-.", " 1", "1 ", "1\n", "１", "٣", "1,0", "--1", "0x1"],
)
def test_what_is_not_plain(text: str) -> None:
    assert parse_plain(text) is None


@given(left=values, right=values)
def test_the_longest_products_are_exact(left: Decimal, right: Decimal) -> None:
    longest = Decimal("9" * DIGITS_MAX)
    with exact():
        amount = longest * longest
        amount += amount * Decimal("0.001")
        assert round_down(amount, Decimal("0.00000001")) <= amount
        assert Fraction(left * right) == Fraction(left) * Fraction(right)


def test_the_exact_context_traps_and_leaves() -> None:
    outer = getcontext()
    with exact():
        with pytest.raises(Inexact):
            Decimal(1) / Decimal(3)
        with pytest.raises(TypeError):
            Decimal(1) + 0.5  # type: ignore[operator]  # that floats are refused is the point
    assert getcontext() is outer
    with pytest.raises(RuntimeError, match="inside"), exact():
        raise RuntimeError("inside")
    assert getcontext() is outer
