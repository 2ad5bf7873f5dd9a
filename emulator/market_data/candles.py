"""Candles of every interval, for any range: with a start the oldest from there, else the newest.

They begin with the interval that holds the first trade, and the last one is still open.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from emulator.core.engine import Engine
from emulator.core.markets import Candle
from emulator.market_data.intervals import Interval

LOOKED_UP: Final = 50
"""How many candles are looked up at once, which costs less than one by one: some milliseconds at most."""


def read_candles(
    engine: Engine,
    instrument: str,
    interval: Interval,
    *,
    start_us: int | None,
    end_us: int | None,
    limit: int,
    now_us: int,
) -> Iterator[Candle]:
    """At most `limit` candles that open in [start_us, end_us], in order of time."""
    opens = span_of(
        engine, instrument, interval, start_us=start_us, end_us=end_us, limit=limit, now_us=now_us
    )
    if opens is None:
        return
    market = engine.state.markets[instrument]
    first_us, last_us = opens
    length_us = interval.length_us
    while first_us <= last_us:
        if length_us:
            next_us = min(first_us + LOOKED_UP * length_us, last_us + length_us)
            yield from market.candles(length_us, first_us, next_us - length_us, now_us)
        else:
            next_us = interval.step(first_us, 1)
            candle = market.range(first_us, min(next_us, now_us + 1))
            yield candle._replace(open_us=first_us, close_us=next_us)
        first_us = next_us


def span_of(
    engine: Engine,
    instrument: str,
    interval: Interval,
    *,
    start_us: int | None,
    end_us: int | None,
    limit: int,
    now_us: int,
) -> tuple[int, int] | None:
    """Between which openings these candles lie; both are included. None: there are none."""
    end_us = now_us if end_us is None else min(end_us, now_us)
    if start_us is None:
        first_us = interval.step(interval.open_of(end_us), 1 - limit)
    else:
        first_us = interval.open_from(start_us)
    if first_us > end_us:
        return None
    market = engine.state.markets[instrument]
    if not market.trade_count(interval.step(first_us, 1) - 1):
        oldest = market.trades(1, 1, now_us)
        if not oldest:
            return None
        first_us = max(first_us, interval.open_of(oldest[0].time_us))
        if first_us > end_us:
            return None
    return first_us, min(interval.open_of(end_us), interval.step(first_us, limit - 1))
