"""Which part of a history a request of futures asks for.

Lists go back seven days where no time is given, and span seven days at most; with a start the oldest
entries from there on are answered, else the newest, and what is answered ascends.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

import msgspec

from emulator.core.history import AnyRecord, Query, R, key_of
from emulator.exchanges.binance.futures.products import Product, product_of
from emulator.exchanges.binance.futures.refusals import CODES, TABLES
from emulator.exchanges.binance.vocabulary import limit
from emulator.web.contract import Call

DAY_US: Final = 86_400_000_000
WEEK_US: Final = 7 * DAY_US

LIMIT: Final = limit(500, 1000)


class Span:
    """Some time, both ends included. newest: whether the last entries of it are wanted, or the first ones."""

    def __init__(self, start_us: int | None, end_us: int | None, *, newest: bool) -> None:
        self.start_us = start_us
        self.end_us = end_us
        self.newest = newest


def span_of(call: Call, *, kept_us: int | None = None) -> Span:
    """What a request says of time; raises -1023, and -4165 or its like. kept_us: how far back it may go."""
    values, product = call.values, product_of(call)
    start_us, end_us = values.get("startTime"), values.get("endTime")
    check_span(product, start_us, end_us)
    newest = start_us is None
    if start_us is None:
        # Quirk: without a start these lists go back seven days from their end, and no further (All Orders).
        start_us = (call.now_us if end_us is None else end_us) - WEEK_US
    elif end_us is None:
        end_us = start_us + WEEK_US
    if kept_us is not None:
        start_us = max(start_us, call.now_us - kept_us)
    return Span(start_us, None if end_us is None else end_us + call.time_divisor - 1, newest=newest)


def check_span(product: Product, start_us: int | None, end_us: int | None) -> None:
    if start_us is None or end_us is None:
        return
    refuse = TABLES[product].refuse
    if start_us > end_us:
        raise refuse(-1023)
    if end_us - start_us > WEEK_US:
        raise refuse(CODES[product].long_interval, 7)


async def records_of(
    call: Call,
    kind: type[R],
    instruments: Iterable[str],
    span: Span,
    *,
    admits: Callable[[R], bool] | None = None,
    first_id: int | None = None,
    part: int | None = None,
) -> list[R]:
    """At most `limit` entries of some instruments within a span, in the order of time. admits: what no key
    tells."""
    found: list[R] = []
    size: int = call.values["limit"]
    for instrument in instruments:
        query = Query(
            account=call.account,
            scope=instrument,
            first_id=first_id,
            start_us=span.start_us,
            end_us=span.end_us,
            part=part,
            limit=size,
            newest=span.newest,
        )
        found += await _admitted(call, kind, query, admits)
    found.sort(key=_moment_of)
    return found[-size:] if span.newest else found[:size]


async def _admitted(call: Call, kind: type[R], query: Query, admits: Callable[[R], bool] | None) -> list[R]:
    page = await call.records(kind, query)
    if admits is None:
        return page
    found = [one for one in page if admits(one)]
    # What was passed over makes room for what lies beyond.
    while len(page) == query.limit and len(found) < query.limit:
        if query.newest:
            query = msgspec.structs.replace(query, last_id=key_of(page[0]).id - 1)
        else:
            query = msgspec.structs.replace(query, first_id=key_of(page[-1]).id + 1)
        page = await call.records(kind, query)
        more = [one for one in page if admits(one)]
        found = [*more, *found] if query.newest else [*found, *more]
    return found[-query.limit :] if query.newest else found[: query.limit]


def _moment_of(record: AnyRecord) -> tuple[int, int, int]:
    key = key_of(record)
    return key.time_us, key.id, key.part
