"""Candles of contracts: of trades, of whichever contract is of a type just then, and of index, mark price
and premium.

Where a range is asked for, it is of opening times. They end with the contract, and the last one of a
contract that is traded is still open. All are made as they are asked for, in the core's exact context.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from emulator.core.engine import Engine
from emulator.core.markets import Candle
from emulator.core.marks import Marks, PriceCandle
from emulator.exchanges.binance.futures.listings import Listing
from emulator.exchanges.binance.futures.marks import marks_of
from emulator.exchanges.binance.futures.products import Product
from emulator.exchanges.binance.readings.candles import read_candles, span_of
from emulator.exchanges.binance.readings.intervals import Interval

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


class ContractCandle(NamedTuple):
    """A candle with the contract whose trades it is of."""

    listing: Listing
    candle: Candle


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


def read_trades(engine: Engine, listing: Listing, wanted: Wanted) -> Iterator[Candle]:
    interval = wanted.interval
    now_us = listing.read_us(wanted.now_us)
    # What the market of a contract was before it was listed is nobody's business.
    listed_us = interval.open_of(listing.contract.listed_us)
    candles = read_candles(
        engine,
        listing.instrument.symbol,
        interval,
        start_us=None if wanted.start_us is None else max(wanted.start_us, listed_us),
        end_us=min(wanted.end_us, now_us),
        limit=wanted.limit,
        now_us=now_us,
    )
    return (candle for candle in candles if candle.open_us >= listed_us)


def read_continuous(
    engine: Engine, product: Product, pair: str, contract_type: str, wanted: Wanted
) -> Iterator[ContractCandle]:
    """A candle is of the contract that was of the type when it opened."""
    interval = wanted.interval
    end_us = min(wanted.end_us, wanted.now_us)
    start_us = wanted.start_us
    if start_us is None:
        start_us = interval.step(interval.open_of(end_us), 1 - wanted.limit)
    left = wanted.limit
    for listing in product.listings.values():
        if listing.pair != pair:
            continue
        since_us, until_us = listing.type_span(contract_type)
        from_us = max(start_us, since_us)
        last_us = end_us if until_us is None else min(end_us, until_us - 1)
        if from_us > last_us or not left:
            continue
        part = wanted._replace(start_us=from_us, end_us=last_us, limit=left)
        for candle in read_trades(engine, listing, part):
            left -= 1
            yield ContractCandle(listing, candle)


def read_prices(engine: Engine, listing: Listing, ask: Ask, wanted: Wanted) -> Iterator[PricesSoFar]:
    interval = wanted.interval
    instrument = listing.instrument.symbol
    now_us = listing.read_us(wanted.now_us)
    start_us = wanted.start_us
    listed_us = interval.open_of(listing.contract.listed_us)
    if start_us is not None:
        start_us = max(start_us, listed_us)
    opens = span_of(
        engine,
        instrument,
        interval,
        start_us=start_us,
        end_us=min(wanted.end_us, now_us),
        limit=wanted.limit,
        now_us=now_us,
    )
    if opens is None:
        return
    marks = marks_of(engine, instrument)
    first_us, last_us = max(opens[0], listed_us), opens[1]
    while first_us <= last_us:
        next_us = interval.step(first_us, 1)
        # One by one: each may take as long as a turn.
        for candle in ask(marks, next_us - first_us, first_us, first_us, now_us):
            yield PricesSoFar(candle, min(candle.close_us - 1, now_us) // SECOND_US * SECOND_US)
        first_us = next_us
