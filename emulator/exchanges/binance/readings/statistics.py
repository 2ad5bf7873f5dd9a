"""What is said of a span of trades: the last 24 hours, a trading day, or a window of any length.

Read once, shown by REST and by streams under names of their own. Every figure is the sum of the tape over
[openTime, closeTime], so that the trades and klines of the same span say the same.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final, NamedTuple

from emulator.core.engine import Engine
from emulator.core.markets import Candle, Quote
from emulator.core.numbers import ZERO, divide_half
from emulator.exchanges.binance.readings.intervals import DAY_US, MINUTE_US
from emulator.exchanges.binance.vocabulary import EIGHT_PLACES, render_amount, render_places

MILLISECOND_US: Final = 1000

_THOUSANDTH: Final = Decimal("0.001")


class Statistics(NamedTuple):
    """The trades of [open_us, close_us], summed. What is rendered is so under `exact`."""

    open_us: int
    close_us: int
    span: Candle

    @property
    def change(self) -> Decimal:
        return self.span.close - self.span.open

    @property
    def change_percent(self) -> str:
        opening = self.span.open
        return render_places(divide_half(self.change * 100, opening, _THOUSANDTH) if opening else ZERO, 3)

    @property
    def weighted(self) -> str:
        """The mean price, weighted by quantity; zero without trades."""
        span = self.span
        mean = divide_half(span.quote_volume, span.volume, EIGHT_PLACES) if span.volume else ZERO
        return render_amount(mean)

    @property
    def ids(self) -> tuple[int, int]:
        """The first and the last trade; -1 for both where there is none."""
        return trade_ids(self.span)


class Edges(NamedTuple):
    """What a day's statistics tell beside the sums: what lies at and around both ends of the span."""

    previous_close: Decimal
    last_quantity: Decimal
    quote: Quote


def trade_ids(span: Candle) -> tuple[int, int]:
    """The first and the last trade; -1 for both where there is none, as the live host answers."""
    # Quirk: statistics of a span without trades have -1 as first and last trade id (live answers).
    return (span.first, span.last) if span.trades else (-1, -1)


def read_span(engine: Engine, symbol: str, open_us: int, close_us: int, now_us: int) -> Statistics:
    """Of a span that may end later than now; it is then summed to now."""
    market = engine.state.markets[symbol]
    return Statistics(open_us, close_us, market.range(open_us, min(close_us, now_us) + 1))


def read_day(engine: Engine, symbol: str, now_us: int) -> Statistics:
    """Of the last 24 hours."""
    # Begins with a whole millisecond, since that is all that most clients see of it.
    open_us = now_us // MILLISECOND_US * MILLISECOND_US - DAY_US
    return read_span(engine, symbol, open_us, now_us, now_us)


def read_window(engine: Engine, symbol: str, length_us: int, now_us: int) -> Statistics:
    """Of a window whose beginning moves on by whole minutes."""
    # Quirk: a rolling window opens on a whole minute, so it is up to 59,999 ms longer than asked for
    # (rest-api.md, "Rolling window price change statistics").
    earliest_us = now_us - length_us
    return read_span(engine, symbol, earliest_us - earliest_us % MINUTE_US, now_us, now_us)


def read_edges(engine: Engine, symbol: str, day: Statistics) -> Edges:
    """Of a day that ends now: the trade before it, its last one, and the book."""
    market = engine.state.markets[symbol]
    first_id, now_us = day.span.first, day.close_us
    before = market.trades(first_id - 1, 1, day.open_us) if first_id > 1 else ()
    return Edges(
        previous_close=before[0].price if before else day.span.open,
        # The last trade overall is the last one of the span, since the span ends now.
        last_quantity=market.last_print(now_us).quantity,
        quote=market.quote(now_us),
    )
