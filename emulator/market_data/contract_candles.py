"""Candles of contracts: of trades, and of index, mark price and premium.

Where a range is asked for, it is of opening times. They end with the contract, and the last one of a
contract that is traded is still open. All are made as they are asked for, in the core's exact context.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from emulator.core.contracts import Contract
from emulator.core.engine import Engine
from emulator.core.instruments import Instrument
from emulator.core.markets import Candle
from emulator.core.marks import Marks, PriceCandle
from emulator.market_data.candles import read_candles, span_of
from emulator.market_data.intervals import Interval
from emulator.market_data.marks import marks_of

SECOND_US = 1_000_000

Ask = Callable[[Marks, int, int, int, int], list[PriceCandle]]
"""One of `Marks.index_candles`, `mark_candles` and `premium_candles`."""


class Wanted(NamedTuple):
    """Which candles. start_us: None for the newest ones until the end, else the oldest from there."""

    interval: Interval
    start_us: int | None
    end_us: int
    limit: int
    now_us: int


class PricesSoFar(NamedTuple):
    """A candle of prices of which there is one each second, and when the last of them was."""

    candle: PriceCandle
    last_us: int

    @property
    def close_us(self) -> int:
        return self.candle.close_us

    @property
    def seconds(self) -> int:
        return (self.last_us - self.candle.open_us) // SECOND_US + 1


def read_trades(engine: Engine, instrument: Instrument, wanted: Wanted) -> Iterator[Candle]:
    contract, interval = _contract_of(instrument), wanted.interval
    now_us = last_shown_us(contract, wanted.now_us)
    # What the market of a contract was before it was listed is nobody's business.
    listed_us = interval.open_of(contract.listed_us)
    candles = read_candles(
        engine,
        instrument.symbol,
        interval,
        start_us=None if wanted.start_us is None else max(wanted.start_us, listed_us),
        end_us=min(wanted.end_us, now_us),
        limit=wanted.limit,
        now_us=now_us,
    )
    return (candle for candle in candles if candle.open_us >= listed_us)


def read_prices(engine: Engine, instrument: Instrument, ask: Ask, wanted: Wanted) -> Iterator[PricesSoFar]:
    contract, interval = _contract_of(instrument), wanted.interval
    now_us = last_shown_us(contract, wanted.now_us)
    start_us = wanted.start_us
    listed_us = interval.open_of(contract.listed_us)
    if start_us is not None:
        start_us = max(start_us, listed_us)
    opens = span_of(
        engine,
        instrument.symbol,
        interval,
        start_us=start_us,
        end_us=min(wanted.end_us, now_us),
        limit=wanted.limit,
        now_us=now_us,
    )
    if opens is None:
        return
    marks = marks_of(engine, instrument.symbol)
    first_us, last_us = max(opens[0], listed_us), opens[1]
    while first_us <= last_us:
        next_us = interval.step(first_us, 1)
        # One by one: each may take as long as a turn.
        for candle in ask(marks, next_us - first_us, first_us, first_us, now_us):
            yield PricesSoFar(candle, min(candle.close_us - 1, now_us) // SECOND_US * SECOND_US)
        first_us = next_us


def last_shown_us(contract: Contract, now_us: int) -> int:
    """The time as of which its market is shown: after the delivery, the last moment before it."""
    delivery_us = contract.delivery_us
    return now_us if delivery_us is None or now_us < delivery_us else delivery_us - 1


def _contract_of(instrument: Instrument) -> Contract:
    assert instrument.contract is not None, f"{instrument.symbol} is no contract"
    return instrument.contract
