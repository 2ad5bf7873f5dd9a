"""Which part of a history a request asks for, and its pages: newest first, over one instrument or many.

A span is seven days at most; where only one end is given the other is seven days away, and without any it is
the last seven days.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

import msgspec

from emulator.core.history import Key, Query, R, key_of
from emulator.core.orders import Order
from emulator.exchanges.bybit.cursors import LAST_PAGE, cursor_text, read_cursor
from emulator.exchanges.bybit.refusals import refuse_parameter
from emulator.web.contract import Call

DAY_US: Final = 86_400_000_000
WEEK_US: Final = 7 * DAY_US
MILLISECOND_US: Final = 1000


class Span(NamedTuple):
    """Some time, both ends included, in microseconds."""

    start_us: int
    end_us: int


def span_of(call: Call, *, longest_us: int = WEEK_US, default_us: int = WEEK_US) -> Span:
    """What a request says of time; raises 10001. default_us: how long it is where nothing is said."""
    values = call.values
    start_us: int | None = values.get("startTime")
    end_us: int | None = values.get("endTime")
    if start_us is None and end_us is None:
        return Span(call.now_us - default_us, call.now_us)
    if start_us is None:
        assert end_us is not None
        start_us = max(0, end_us - longest_us)
    elif end_us is None:
        end_us = start_us + longest_us
    if start_us > end_us or end_us - start_us > longest_us:
        raise refuse_parameter("endTime")
    # A moment is a whole millisecond.
    return Span(start_us, end_us + MILLISECOND_US - 1)


def asked_number(cursor: str | None) -> int | None:
    """The number that a page begins with; raises 10001."""
    if not cursor:
        return None
    parts = read_cursor(cursor, 1)
    if parts is None or not (parts[0].isascii() and parts[0].isdecimal() and len(parts[0]) <= 18):
        raise refuse_parameter("cursor")
    return int(parts[0])


class Place(NamedTuple):
    """Where a record stands among those of several instruments, the newest last."""

    time_us: int
    scope: str
    id: int
    part: int


def _place(key: Key) -> Place:
    return Place(key.time_us, key.scope, key.id, key.part)


def read_place(call: Call) -> Place | None:
    """The last record of the page before; None of the first page. Raises 10001."""
    text: str = call.values.get("cursor", LAST_PAGE)
    if text == LAST_PAGE:
        return None
    # A core's name of an instrument has a colon itself.
    parts = read_cursor(text, 5)
    if parts is None or not all(part.isdecimal() for part in (parts[0], *parts[3:])):
        raise refuse_parameter("cursor")
    return Place(int(parts[0]), f"{parts[1]}:{parts[2]}", int(parts[3]), int(parts[4]))


async def page_of(
    call: Call,
    kind: type[R],
    scopes: Iterable[str],
    span: Span,
    *,
    admits: Callable[[R], bool] | None = None,
    part: int | None = None,
    label: str | None = None,
) -> tuple[list[R], str]:
    """A page of what is over, the newest first, and the cursor to the next one.

    admits: what no key tells. Each instrument is asked for as many as the page has room for, and one more,
    which tells whether there is another page.
    """
    size: int = call.values["limit"]
    before = read_place(call)
    found: list[tuple[Place, R]] = []
    for scope in scopes:
        query = Query(
            account=call.account,
            scope=scope,
            start_us=span.start_us,
            end_us=span.end_us,
            part=part,
            label=label,
            limit=size + 1,
            newest=True,
        )
        found += await _admitted(call, kind, query, before, admits)
    found.sort(key=lambda one: one[0], reverse=True)
    page = [record for _, record in found[:size]]
    if len(found) <= size:
        return page, LAST_PAGE
    return page, cursor_text(*found[size - 1][0])


async def place_of_nth(
    call: Call, kind: type[R], scopes: Iterable[str], nth: int, *, admits: Callable[[R], bool]
) -> Place | None:
    """Where the `nth` newest record stands that is admitted; None if there are fewer."""
    places: list[Place] = []
    for scope in scopes:
        query = Query(
            account=call.account, scope=scope, start_us=0, end_us=call.now_us, limit=nth, newest=True
        )
        places += [place for place, _ in await _admitted(call, kind, query, None, admits)]
    return sorted(places, reverse=True)[nth - 1] if len(places) >= nth else None


def place_of(record: Order) -> Place:
    return _place(key_of(record))


async def _admitted(
    call: Call,
    kind: type[R],
    query: Query,
    before: Place | None,
    admits: Callable[[R], bool] | None,
) -> list[tuple[Place, R]]:
    if before is not None:
        # Of one moment the instruments come in the order of their names.
        last_us = before.time_us if query.scope <= before.scope else before.time_us - 1
        query = msgspec.structs.replace(query, end_us=min(_end(query), last_us))
        if query.scope == before.scope:
            query = msgspec.structs.replace(query, last_id=before.id)
    found: list[tuple[Place, R]] = []
    while True:
        # A record's id may be another one's as well, of which one may have been shown: the sides of a trade.
        listed = await call.records(kind, msgspec.structs.replace(query, limit=query.limit + 2))
        for record in reversed(listed):
            place = _place(key_of(record))
            if (before is None or place < before) and (admits is None or admits(record)):
                found.append((place, record))
        if len(listed) < query.limit + 2 or len(found) >= query.limit:
            return found[: query.limit]
        before = _place(key_of(listed[0]))
        query = msgspec.structs.replace(query, last_id=before.id)


def _end(query: Query) -> int:
    assert query.end_us is not None
    return query.end_us
