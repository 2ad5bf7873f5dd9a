"""A worked example of the futures maths: its name on the page, what was derived there, how it is asked."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import NamedTuple

from emulator.core.numbers import canonical

Figure = Decimal | int | None | tuple[Decimal | int | None, ...]


class Example(NamedTuple):
    """expected: the figures as `told`, derived by hand or printed by an exchange; never our output."""

    name: str
    expected: str
    figure: Callable[[], Figure]


def told(figure: Figure) -> str:
    """Figures in plain digits, with spaces between them."""
    if isinstance(figure, tuple):
        return " ".join(told(part) for part in figure)
    return "none" if figure is None else format(canonical(Decimal(figure)), "f")
