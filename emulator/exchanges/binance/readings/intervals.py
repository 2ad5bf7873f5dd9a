"""The words of intervals and of time zones, as klines and tickers take them."""

from __future__ import annotations

from emulator.exchanges.binance.errors import refuse
from emulator.exchanges.binance.vocabulary import INTERVALS_US
from emulator.market_data.intervals import MINUTE_US, Interval

_OFFSET_MIN = -12 * 60
_OFFSET_MAX = 14 * 60


def interval_of(word: str, offset_us: int = 0) -> Interval:
    """Of one of `INTERVALS_US`; offset_us: what the time zone's clocks show beyond UTC."""
    return Interval(INTERVALS_US[word], offset_us)


def parse_offset(time_zone: str) -> int:
    """The offset of a time zone such as `8`, `-1:00` or `05:45`; raises -1130 beyond -12:00 to +14:00."""
    hours, _, minutes = time_zone.lstrip("+-").partition(":")
    offset = int(hours) * 60 + int(minutes or 0)
    if time_zone.startswith("-"):
        offset = -offset
    if not _OFFSET_MIN <= offset <= _OFFSET_MAX or int(minutes or 0) > 59:
        raise refuse(-1130, "timeZone")
    return offset * MINUTE_US
