"""What klines of the futures streams are made of: what REST reads of the same."""

from __future__ import annotations

from collections.abc import Sequence

from emulator.core.engine import Engine
from emulator.core.markets import Candle
from emulator.exchanges.binance.futures.candles import read_continuous
from emulator.exchanges.binance.futures.listings import Listing
from emulator.exchanges.binance.futures.products import Product
from emulator.market_data.contract_candles import Ask, PricesSoFar, Wanted, read_prices, read_trades
from emulator.market_data.intervals import Interval


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


class OfTrades:
    """Of one contract."""

    def __init__(self, listing: Listing, interval: Interval) -> None:
        self._listing = listing
        self._interval = interval

    def __call__(
        self, engine: Engine, start_us: int, end_us: int, limit: int, now_us: int
    ) -> Sequence[Candle]:
        wanted = Wanted(self._interval, start_us, end_us, limit, now_us)
        return list(read_trades(engine, self._listing.instrument, wanted))


class OfType:
    """Of whichever contract of a pair is of a type."""

    def __init__(self, product: Product, pair: str, contract_type: str, interval: Interval) -> None:
        self._product = product
        self._pair = pair
        self._type = contract_type
        self._interval = interval

    def __call__(
        self, engine: Engine, start_us: int, end_us: int, limit: int, now_us: int
    ) -> Sequence[ContinuousCandle]:
        wanted = Wanted(self._interval, start_us, end_us, limit, now_us)
        found: list[ContinuousCandle] = []
        for listing, candle in read_continuous(engine, self._product, self._pair, self._type, wanted):
            market = engine.state.markets[listing.instrument.symbol]
            last_us = min(candle.close_us - 1, now_us)
            ids = market.update_id(candle.open_us), market.update_id(last_us)
            found.append(ContinuousCandle(listing, candle, ids))
        return found


class OfPrices:
    """Of index or mark prices. listing: a contract whose prices they are."""

    def __init__(self, ask: Ask, listing: Listing, interval: Interval) -> None:
        self._ask = ask
        self._listing = listing
        self._interval = interval

    def __call__(
        self, engine: Engine, start_us: int, end_us: int, limit: int, now_us: int
    ) -> Sequence[PricesSoFar]:
        wanted = Wanted(self._interval, start_us, end_us, limit, now_us)
        return list(read_prices(engine, self._listing.instrument, self._ask, wanted))
