"""Times and spans as people write them to the control API: ISO or milliseconds, `30d` or milliseconds."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated

import msgspec

from emulator.web.contract import Refusal

Moment = (
    Annotated[int, msgspec.Meta(ge=0, le=253_402_300_799_999)]
    | Annotated[str, msgspec.Meta(min_length=1, max_length=40)]
)
"""Milliseconds since 1970, or an ISO date and time, in UTC unless it names an offset."""

Span = (
    Annotated[int, msgspec.Meta(ge=0, le=3_155_760_000_000)]
    | Annotated[str, msgspec.Meta(pattern=r"^([0-9]{1,9}(ms|s|m|h|d|w))+$", max_length=60)]
)
"""Milliseconds, or numbers with units: `90s`, `1h30m`, `30d`."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PART = re.compile(r"([0-9]{1,9})(ms|s|m|h|d|w)", re.ASCII)
_UNITS_US = {
    "ms": 1000,
    "s": 1_000_000,
    "m": 60_000_000,
    "h": 3_600_000_000,
    "d": 86_400_000_000,
    "w": 604_800_000_000,
}


def parse_moment(moment: int | str) -> int:
    """Microseconds since 1970. Raises `invalid_time`."""
    if isinstance(moment, int):
        return moment * 1000
    try:
        at = datetime.fromisoformat(moment)
        if at.tzinfo is None:
            at = at.replace(tzinfo=UTC)
        time_us = (at - _EPOCH) // timedelta(microseconds=1)
    except (ValueError, OverflowError) as error:
        raise Refusal(
            400, "invalid_time", f"{moment!r} is neither milliseconds since 1970 nor an ISO date and time."
        ) from error
    if time_us < 0:
        raise Refusal(400, "invalid_time", f"{moment!r} is before 1970.")
    return time_us


def parse_span(span: int | str) -> int:
    """Microseconds. Raises `invalid_time`."""
    if isinstance(span, int):
        return span * 1000
    parts = _PART.findall(span)
    if not parts or "".join(number + unit for number, unit in parts) != span:
        raise Refusal(400, "invalid_time", f"{span!r} is not a span such as 90s, 1h30m or 30d.")
    return sum(int(number) * _UNITS_US[unit] for number, unit in parts)


def iso(time_us: int) -> str:
    """A moment for people to read, in UTC and to the microsecond."""
    return (
        (_EPOCH + timedelta(microseconds=time_us)).isoformat(timespec="microseconds").replace("+00:00", "Z")
    )
