"""What people set by hand on a market: its price from a moment on, and a book in place of its own."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from emulator.core.commands import BookSide


class Segment(NamedTuple):
    """From `start_us` on the price is held (`price`) or shifted (`price` None); None, 0: the feed's own."""

    start_us: int
    price: Decimal | None
    shift: Decimal
    ask_at_price: bool

    @property
    def is_release(self) -> bool:
        return self.price is None and not self.shift


class ManualBook(NamedTuple):
    bids: BookSide
    asks: BookSide
    since_us: int
