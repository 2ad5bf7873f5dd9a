"""Which part of a history is asked for."""

from __future__ import annotations

from emulator.exchanges.bybit.cursors import read_cursor
from emulator.exchanges.bybit.refusals import refuse_parameter
from emulator.web.contract import Call


def asked_span(call: Call, span_us: int) -> tuple[int, int]:
    """First and last moment of a history of which one call may ask for so much; raises 10001."""
    start_us, end_us = call.values.get("startTime"), call.values.get("endTime")
    if start_us is None:
        end_us = call.now_us if end_us is None else end_us + 999
        return max(0, end_us - span_us), end_us
    end_us = start_us + span_us if end_us is None else end_us
    if not 0 <= end_us - start_us <= span_us:
        raise refuse_parameter("endTime")
    return start_us, end_us + 999


def asked_number(cursor: str | None) -> int | None:
    """The number that a page begins with; raises 10001."""
    if not cursor:
        return None
    parts = read_cursor(cursor, 1)
    if parts is None or not (parts[0].isascii() and parts[0].isdecimal() and len(parts[0]) <= 18):
        raise refuse_parameter("cursor")
    return int(parts[0])
