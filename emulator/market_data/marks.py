"""What is read of the marks of contracts: mark and index price, funding, and what a delivery settles at."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from emulator.core.engine import Engine
from emulator.core.instruments import Instrument
from emulator.core.marks import Marks


class MarkReading(NamedTuple):
    """Of one contract at one moment. rate: of the next payment; None of a contract that pays no funding."""

    mark_price: Decimal
    index_price: Decimal
    settled_price: Decimal
    rate: Decimal | None
    next_funding_us: int


class FundingReading(NamedTuple):
    """One payment: when, at what rate, and the mark price at which positions were valued."""

    time_us: int
    rate: Decimal
    mark_price: Decimal


def marks_of(engine: Engine, instrument: str) -> Marks:
    marks = engine.state.markets[instrument].marks
    assert marks is not None, f"{instrument} is no contract"
    return marks


def read_mark(engine: Engine, instrument: Instrument, now_us: int) -> MarkReading:
    marks = marks_of(engine, instrument.symbol)
    rate, next_us = None, 0
    interval_us = marks.interval_us
    if interval_us:
        rate = marks.predicted_rate(now_us)
        next_us = now_us - now_us % interval_us + interval_us
    return MarkReading(
        marks.mark_price(now_us),
        marks.index_price(now_us),
        marks.settlement_estimate(now_us),
        rate,
        next_us,
    )


def payment_times(
    engine: Engine, instrument: Instrument, *, start_us: int | None, end_us: int, limit: int
) -> range:
    """When at most `limit` payments of [start_us, end_us] were: with a start the oldest from there, else the
    newest. They begin with the market itself.
    """
    interval_us = marks_of(engine, instrument.symbol).interval_us
    oldest = engine.state.markets[instrument.symbol].trades(1, 1, end_us)
    if not interval_us or not oldest:
        return range(0)
    last_us = end_us - end_us % interval_us
    if start_us is None:
        first_us = last_us - (limit - 1) * interval_us
    else:
        first_us = -(-start_us // interval_us) * interval_us
    first_us = max(first_us, -(-oldest[0].time_us // interval_us) * interval_us)
    return range(first_us, min(last_us, first_us + (limit - 1) * interval_us) + 1, interval_us)


def read_payment(engine: Engine, instrument: Instrument, time_us: int) -> FundingReading:
    """The payment of one of these times."""
    marks = marks_of(engine, instrument.symbol)
    return FundingReading(time_us, marks.funding_rate(time_us), marks.mark_price(time_us))
