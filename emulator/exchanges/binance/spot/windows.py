"""Which part of a history a request asks for.

The rule of all lists of `/api/v3`: from a start the oldest entries, else the newest ones, and what is
answered ascends in time.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from emulator.core.history import Query
from emulator.exchanges.binance.errors import refuse

HOUR_US: Final = 3_600_000_000
DAY_US: Final = 24 * HOUR_US


def end_of(end_us: int, divisor: int) -> int:
    """The last microsecond of the moment that a client means, in the unit in which it sees times."""
    return end_us // divisor * divisor + divisor - 1


def check_span(values: Mapping[str, Any], hours: int = 24) -> None:
    """Raises -1127 when `startTime` and `endTime` are further apart than that."""
    start_us, end_us = values.get("startTime"), values.get("endTime")
    if start_us is not None and end_us is not None and end_us - start_us > hours * HOUR_US:
        raise refuse(-1127, hours)


def asked(
    values: Mapping[str, Any],
    *,
    account: int,
    scope: str = "",
    divisor: int,
    first_id: int | None = None,
    part: int | None = None,
) -> Query:
    """At most `limit` entries between `startTime` and `endTime`, from an id on where one is given."""
    # Quirk: without a start the newest entries are answered, with one the oldest from there on, and always
    # in ascending order (rest-api.md, "General API Information").
    start_us, end_us = values.get("startTime"), values.get("endTime")
    return Query(
        account=account,
        scope=scope,
        first_id=first_id,
        start_us=start_us,
        end_us=None if end_us is None else end_of(end_us, divisor),
        part=part,
        limit=values["limit"],
        newest=first_id is None and start_us is None,
    )
