"""What klines of the futures sites are made of: trades, the trades of whichever contract is of a type just
then, and index and mark prices.
"""

from __future__ import annotations

from collections.abc import Sequence

from emulator.core.engine import Engine
from emulator.core.markets import Candle
from emulator.exchanges.binance.futures import candles
from emulator.exchanges.binance.futures.candles import Ask, PricesSoFar, Wanted
from emulator.exchanges.binance.futures.listings import Listing
from emulator.exchanges.binance.futures.products import Product
from emulator.exchanges.binance.readings.intervals import Interval


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


def read_trades(
    listing: Listing,
    interval: Interval,
    engine: Engine,
    start_us: int,
    end_us: int,
    limit: int,
    now_us: int,
) -> Sequence[Candle]:
    return candles.read_trades(engine, listing, Wanted(interval, start_us, end_us, limit, now_us))


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
    wanted = Wanted(interval, start_us, end_us, limit, now_us)
    found: list[ContinuousCandle] = []
    for listing, candle in candles.read_continuous(engine, product, pair, contract_type, wanted):
        market = engine.state.markets[listing.instrument.symbol]
        last_us = min(candle.close_us - 1, now_us)
        ids = market.update_id(candle.open_us), market.update_id(last_us)
        found.append(ContinuousCandle(listing, candle, ids))
    return found


def read_prices(
    ask: Ask,
    listing: Listing,
    interval: Interval,
    engine: Engine,
    start_us: int,
    end_us: int,
    limit: int,
    now_us: int,
) -> Sequence[PricesSoFar]:
    """ask: for index or for mark candles."""
    return candles.read_prices(engine, listing, ask, Wanted(interval, start_us, end_us, limit, now_us))
