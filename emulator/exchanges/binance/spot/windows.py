"""Which part of a history a request asks for.

The rule of all lists of `/api/v3`: from a start the oldest entries, else the newest ones, and what is
answered ascends in time.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeVar

from emulator.exchanges.binance.errors import refuse

HOUR_US: Final = 3_600_000_000
DAY_US: Final = 24 * HOUR_US

T = TypeVar("T")


def end_of(end_us: int, divisor: int) -> int:
    """The last microsecond of the moment that a client means, in the unit in which it sees times."""
    return end_us // divisor * divisor + divisor - 1


def check_span(values: Mapping[str, Any], hours: int = 24) -> None:
    """Raises -1127 when `startTime` and `endTime` are further apart than that."""
    start_us, end_us = values.get("startTime"), values.get("endTime")
    if start_us is not None and end_us is not None and end_us - start_us > hours * HOUR_US:
        raise refuse(-1127, hours)


def within(
    entries: Sequence[T],
    time_of: Callable[[T], int],
    values: Mapping[str, Any],
    *,
    divisor: int,
) -> Sequence[T]:
    """At most `limit` of the entries between `startTime` and `endTime`; they ascend in time."""
    # Quirk: without a start the newest entries are answered, with one the oldest from there on, and always
    # in ascending order (rest-api.md, "General API Information").
    start_us, end_us = values.get("startTime"), values.get("endTime")
    limit: int = values["limit"]
    low = 0 if start_us is None else bisect_left(entries, start_us, key=time_of)
    high = len(entries)
    if end_us is not None:
        high = max(low, bisect_right(entries, end_of(end_us, divisor), lo=low, key=time_of))
    if start_us is None:
        return entries[max(low, high - limit) : high]
    return entries[low : min(high, low + limit)]
