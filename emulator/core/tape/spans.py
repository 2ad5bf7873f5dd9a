"""All trades of a span of time as a candle: the feed's, at the prices they were moved to, and accounts'."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from emulator.core.markets import Candle
from emulator.core.tape.by_hand import Segment

if TYPE_CHECKING:
    from emulator.core.tape.market import Market

MINUTE_US = 60_000_000
SECOND_US = 1_000_000
FOREVER_US = 1 << 62


def candles(market: Market, interval_us: int, start_us: int, end_us: int, now_us: int) -> Sequence[Candle]:
    """Candles that open in [start_us, end_us] and not after now; `start_us` is aligned."""
    if not market.segments and not market.prints:
        return market.feed.candles(market.instrument, interval_us, start_us, end_us, now_us)
    first_us = market.prints.first_us
    first_touch = min(
        market.segments[0].start_us if market.segments else FOREVER_US,
        FOREVER_US if first_us is None else first_us,
    )
    untouched = start_us + max(0, (first_touch - start_us) // interval_us) * interval_us
    listed: list[Candle] = []
    if untouched > start_us:
        listed += market.feed.candles(
            market.instrument, interval_us, start_us, min(end_us, untouched - 1), now_us
        )
    open_us = max(start_us, untouched)
    while open_us <= min(end_us, now_us):
        until_us = min(open_us + interval_us, now_us + 1)
        listed.append(span(market, open_us, until_us)._replace(close_us=open_us + interval_us))
        open_us += interval_us
    return listed


def span(market: Market, start_us: int, end_us: int) -> Candle:
    """All trades of [start_us, end_us) as one candle, with the ids of the tape."""
    before = market.trade_count(start_us - 1)
    candle = moved_range(market, start_us, end_us)
    low = market.prints.count_before(start_us)
    high = market.prints.count_before(end_us)
    count = candle.trades + high - low
    if not count:
        # A span without trades repeats the last price, which may be one that was laid over.
        price = market.last_price(start_us - 1)
        return candle._replace(open=price, high=price, low=price, close=price, first=before + 1, last=before)
    if low == high:
        return candle._replace(first=before + 1, last=before + count)
    laid = market.prints.sums(low, high)
    highest, lowest = laid.high, laid.low
    opening = laid.open if laid.first == before + 1 else candle.open
    closing = laid.close if laid.last == before + count else candle.close
    if candle.trades:
        highest, lowest = max(highest, candle.high), min(lowest, candle.low)
    return Candle(
        open_us=start_us,
        close_us=end_us,
        open=opening,
        high=highest,
        low=lowest,
        close=closing,
        volume=candle.volume + laid.volume,
        quote_volume=candle.quote_volume + laid.quote_volume,
        trades=count,
        taker_volume=candle.taker_volume + laid.taker_volume,
        taker_quote_volume=candle.taker_quote_volume + laid.taker_quote_volume,
        first=before + 1,
        last=before + count,
    )


def moved_range(market: Market, start_us: int, end_us: int) -> Candle:
    """The feed's trades of a span as one candle, at the prices that they were moved to."""
    feed, instrument = market.feed, market.instrument
    if not market.segments or end_us <= market.segment_times[0]:
        return feed.range(instrument, start_us, end_us)
    low = bisect_right(market.segment_times, start_us)
    high = bisect_left(market.segment_times, end_us)
    marks = [start_us, *market.segment_times[low:high], end_us]
    whole: Candle | None = None
    for left, right in pairwise(marks):
        part = feed.range(instrument, left, right)
        segment = market.segment_at(left)
        if segment is not None:
            part = _move(part, segment)
        whole = part if whole is None else _join(whole, part)
    assert whole is not None
    return whole


def _move(candle: Candle, segment: Segment) -> Candle:
    if segment.price is not None:
        price = segment.price
        return candle._replace(
            open=price,
            high=price,
            low=price,
            close=price,
            quote_volume=price * candle.volume,
            taker_quote_volume=price * candle.taker_volume,
        )
    shift = segment.shift
    return candle._replace(
        open=candle.open + shift,
        high=candle.high + shift,
        low=candle.low + shift,
        close=candle.close + shift,
        quote_volume=candle.quote_volume + shift * candle.volume,
        taker_quote_volume=candle.taker_quote_volume + shift * candle.taker_volume,
    )


def _join(left: Candle, right: Candle) -> Candle:
    if not right.trades:
        return left._replace(close_us=right.close_us)
    if not left.trades:
        return right._replace(open_us=left.open_us)
    return Candle(
        open_us=left.open_us,
        close_us=right.close_us,
        open=left.open,
        high=max(left.high, right.high),
        low=min(left.low, right.low),
        close=right.close,
        volume=left.volume + right.volume,
        quote_volume=left.quote_volume + right.quote_volume,
        trades=left.trades + right.trades,
        taker_volume=left.taker_volume + right.taker_volume,
        taker_quote_volume=left.taker_quote_volume + right.taker_quote_volume,
        first=left.first,
        last=right.last,
    )
