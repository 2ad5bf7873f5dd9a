"""How statistics of a span of trades are begun and shown here. What is rendered is so under `exact`."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from emulator.core.engine import Engine
from emulator.core.markets import Candle
from emulator.core.numbers import ZERO, divide_half
from emulator.exchanges.binance.vocabulary import EIGHT_PLACES, render_amount, render_places
from emulator.market_data.intervals import MINUTE_US
from emulator.market_data.statistics import Statistics, read_span

_THOUSANDTH: Final = Decimal("0.001")


def read_window(engine: Engine, symbol: str, length_us: int, now_us: int) -> Statistics:
    """Of a window whose beginning moves on by whole minutes."""
    # Quirk: a rolling window opens on a whole minute, so it is up to 59,999 ms longer than asked for
    # (rest-api.md, "Rolling window price change statistics").
    earliest_us = now_us - length_us
    return read_span(engine, symbol, earliest_us - earliest_us % MINUTE_US, now_us, now_us)


def change_percent(statistics: Statistics) -> str:
    opening = statistics.span.open
    return render_places(divide_half(statistics.change * 100, opening, _THOUSANDTH) if opening else ZERO, 3)


def weighted(statistics: Statistics) -> str:
    """The mean price, weighted by quantity; zero without trades."""
    span = statistics.span
    mean = divide_half(span.quote_volume, span.volume, EIGHT_PLACES) if span.volume else ZERO
    return render_amount(mean)


def trade_ids(span: Candle) -> tuple[int, int]:
    """The first and the last trade; -1 for both where there is none, as the live host answers."""
    # Quirk: statistics of a span without trades have -1 as first and last trade id (live answers).
    return (span.first, span.last) if span.trades else (-1, -1)
