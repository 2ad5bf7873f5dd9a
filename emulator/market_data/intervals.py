"""When klines open: fixed lengths, weeks that begin on Monday and calendar months, in any time zone.

Times are microseconds since 1970; an offset is what a time zone's clocks show beyond UTC. Months are
counted from the year 0, and computed rather than looked up, so that no year is the last one.
"""

from __future__ import annotations

from typing import Final

MINUTE_US: Final = 60_000_000
DAY_US: Final = 86_400_000_000
WEEK_US: Final = 7 * DAY_US

_FIRST_MONDAY_US = 4 * DAY_US
"""1970-01-05: the epoch was a Thursday."""


class Interval:
    """One interval, in one time zone. length_us: zero for months; that of a week is of weeks from Monday."""

    __slots__ = ("_shift_us", "length_us")

    def __init__(self, length_us: int, offset_us: int = 0) -> None:
        self.length_us = length_us
        self._shift_us = offset_us - (_FIRST_MONDAY_US if length_us == WEEK_US else 0)

    def open_of(self, time_us: int) -> int:
        """When the interval that holds a moment opens."""
        if self.length_us:
            return time_us - (time_us + self._shift_us) % self.length_us
        return self._month_open(_month_of((time_us + self._shift_us) // DAY_US))

    def open_from(self, time_us: int) -> int:
        """The first opening at or after a moment."""
        open_us = self.open_of(time_us)
        return open_us if open_us == time_us else self.step(open_us, 1)

    def step(self, open_us: int, count: int) -> int:
        """The opening so many intervals later, or earlier if negative."""
        if self.length_us:
            return open_us + count * self.length_us
        return self._month_open(_month_of((open_us + self._shift_us) // DAY_US) + count)

    def _month_open(self, month: int) -> int:
        return _first_day_of(month) * DAY_US - self._shift_us


# The Gregorian calendar over years that begin in March, so that the leap day is the last one. The
# lengths of five months from March on add up to 153 days, again and again.

_EPOCH_DAY = 719_468
"""Days from 0000-03-01 to 1970-01-01."""

_DAYS_IN_400_YEARS = 146_097


def _month_of(day: int) -> int:
    """The month, counted from January of the year 0, that holds a day counted from 1970-01-01."""
    cycle, day_of_cycle = divmod(day + _EPOCH_DAY, _DAYS_IN_400_YEARS)
    leaps = day_of_cycle // 1460 - day_of_cycle // 36_524 + day_of_cycle // 146_096
    year = (day_of_cycle - leaps) // 365
    day_of_year = day_of_cycle - (year * 365 + year // 4 - year // 100)
    return (cycle * 400 + year) * 12 + (5 * day_of_year + 2) // 153 + 2


def _first_day_of(month: int) -> int:
    """The day, counted from 1970-01-01, on which a month begins."""
    year, month_from_march = divmod(month - 2, 12)
    leaps = year // 4 - year // 100 + year // 400
    return year * 365 + leaps + (153 * month_from_march + 2) // 5 - _EPOCH_DAY
