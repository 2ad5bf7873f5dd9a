"""The quarters at whose end dated contracts are delivered, numbered from the year 0.

A family of contracts has one for each: delivered on the last Friday at 08:00 UTC, and listed when the
contract two quarters before it is delivered, so that two of them can be traded at any time.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Final

_HOUR_US: Final = 3_600_000_000
_LETTERS: Final = "HMUZ"


def _number(year: int, quarter: int) -> int:
    return year * 4 + quarter - 1


QUARTERS: Final = range(_number(2024, 1), _number(2030, 4) + 1)
"""Those that there are contracts of."""


def last_friday(quarter: int) -> date:
    """Of the last month of a quarter."""
    year, place = divmod(quarter + 1, 4)
    last = date(year, place * 3 + 1, 1) - timedelta(days=1)
    return last - timedelta(days=(last.weekday() - 4) % 7)


def letter(quarter: int) -> str:
    """Of the month in which it ends: H, M, U or Z."""
    return _LETTERS[quarter % 4]


def delivery_us(quarter: int) -> int:
    day = last_friday(quarter)
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return int(midnight.timestamp()) * 1_000_000 + 8 * _HOUR_US


def launch_us(quarter: int) -> int:
    """When the contract that ends then is listed."""
    return delivery_us(quarter - 2)


def times_traded(quarter: int) -> int:
    """How much more of it is traded: two quarters alike would have the same market to the last trade."""
    return 1 + quarter % 2
