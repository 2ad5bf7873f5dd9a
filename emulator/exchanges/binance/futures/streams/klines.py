"""What klines of the futures sites are made of: trades, the trades of whichever contract is of a type just
then, and index and mark prices.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from emulator.core.engine import Engine
from emulator.core.markets import Candle
from emulator.core.marks import Marks, PriceCandle
from emulator.exchanges.binance.futures.listings import Listing
from emulator.exchanges.binance.futures.products import Product
from emulator.exchanges.binance.readings.candles import read_candles
from emulator.exchanges.binance.readings.intervals import Interval

SECOND_US = 1_000_000


class ContinuousCandle:
    """A candle of the contract that was of a type when it opened. ids: the updates of its book then, which
    make no other candle of it.
    """

    __slots__ = ("candle", "ids", "listing")

    def __init__(self, listing: Listing, candle: Candle, ids: tuple[int, int]) -> None:
        self.listing = listing
        self.candle = candle
        self.ids = ids

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, ContinuousCandle)
            and self.listing is other.listing
            and self.candle == other.candle
        )

    __hash__ = None  # type: ignore[assignment]  # nothing keeps them by value

    @property
    def close_us(self) -> int:
        return self.candle.close_us


class PricesSoFar(NamedTuple):
    """A candle of prices that there is one of each second, and when the last of them was."""

    candle: PriceCandle
    last_us: int

    @property
    def close_us(self) -> int:
        return self.candle.close_us

    @property
    def seconds(self) -> int:
        return (self.last_us - self.candle.open_us) // SECOND_US + 1


def marks_of(engine: Engine, instrument: str) -> Marks:
    marks = engine.state.markets[instrument].marks
    assert marks is not None, f"{instrument} is no contract"
    return marks


def read_trades(
    instrument: str, interval: Interval, engine: Engine, start_us: int, end_us: int, limit: int, now_us: int
) -> Sequence[Candle]:
    return read_candles(
        engine, instrument, interval, start_us=start_us, end_us=end_us, limit=limit, now_us=now_us
    )


def listing_of(product: Product, pair: str, contract_type: str, now_us: int) -> Listing | None:
    """The contract of a pair that is of a type at a time."""
    for listing in product.listings.values():
        if listing.pair == pair and listing.contract_type(now_us) == contract_type:
            return listing
    return None


def read_continuous(
    product: Product,
    pair: str,
    contract_type: str,
    interval: Interval,
    engine: Engine,
    start_us: int,
    end_us: int,
    limit: int,
    now_us: int,
) -> Sequence[ContinuousCandle]:
    found: list[ContinuousCandle] = []
    open_us = interval.open_from(start_us)
    while open_us <= end_us and len(found) < limit:
        listing = listing_of(product, pair, contract_type, open_us)
        if listing is not None:
            instrument = listing.instrument.symbol
            market = engine.state.markets[instrument]
            for candle in read_trades(instrument, interval, engine, open_us, open_us, 1, now_us):
                last_us = min(candle.close_us - 1, now_us)
                ids = market.update_id(candle.open_us), market.update_id(last_us)
                found.append(ContinuousCandle(listing, candle, ids))
        open_us = interval.step(open_us, 1)
    return found


def read_prices(
    ask: Callable[[Marks, int, int, int, int], list[PriceCandle]],
    instrument: str,
    interval: Interval,
    engine: Engine,
    start_us: int,
    end_us: int,
    limit: int,
    now_us: int,
) -> Sequence[PricesSoFar]:
    """ask: for index or for mark candles, as methods of `Marks`."""
    marks = marks_of(engine, instrument)
    found: list[PricesSoFar] = []
    open_us = interval.open_from(start_us)
    while open_us <= min(end_us, now_us) and len(found) < limit:
        next_us = interval.step(open_us, 1)
        last_us = min(next_us - 1, now_us)
        last_us -= last_us % SECOND_US
        found += [
            PricesSoFar(candle, last_us) for candle in ask(marks, next_us - open_us, open_us, open_us, now_us)
        ]
        open_us = next_us
    return found
