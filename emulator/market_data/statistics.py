"""What is said of a span of trades: the last 24 hours, a trading day, or a window of any length.

Every figure is the sum of the tape over [open_us, close_us], so that the trades and candles of the same span
say the same.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final, NamedTuple

from emulator.core.engine import Engine
from emulator.core.markets import Candle, Quote
from emulator.market_data.intervals import DAY_US

MILLISECOND_US: Final = 1000


class Statistics(NamedTuple):
    """The trades of [open_us, close_us], summed."""

    open_us: int
    close_us: int
    span: Candle

    @property
    def change(self) -> Decimal:
        return self.span.close - self.span.open


class Edges(NamedTuple):
    """What a day's statistics tell beside the sums: what lies at and around both ends of the span."""

    previous_close: Decimal
    last_quantity: Decimal
    quote: Quote


def read_span(engine: Engine, instrument: str, open_us: int, close_us: int, now_us: int) -> Statistics:
    """Of a span that may end later than now; it is then summed to now."""
    market = engine.state.markets[instrument]
    return Statistics(open_us, close_us, market.range(open_us, min(close_us, now_us) + 1))


def read_day(engine: Engine, instrument: str, now_us: int) -> Statistics:
    """Of the last 24 hours."""
    # Begins with a whole millisecond, since that is all that most clients see of it.
    open_us = now_us // MILLISECOND_US * MILLISECOND_US - DAY_US
    return read_span(engine, instrument, open_us, now_us, now_us)


def read_edges(engine: Engine, instrument: str, day: Statistics) -> Edges:
    """Of a day that ends now: the trade before it, its last one, and the book."""
    market = engine.state.markets[instrument]
    first_id, now_us = day.span.first, day.close_us
    before = market.trades(first_id - 1, 1, day.open_us) if first_id > 1 else ()
    return Edges(
        previous_close=before[0].price if before else day.span.open,
        # The last trade overall is the last one of the span, since the span ends now.
        last_quantity=market.last_print(now_us).quantity,
        quote=market.quote(now_us),
    )
