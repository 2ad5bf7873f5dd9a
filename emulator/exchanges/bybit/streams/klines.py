"""Candles as the stream of klines tells of them: what REST reads, and when the last trade in it was."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from emulator.core.engine import Engine
from emulator.core.markets import Candle
from emulator.core.numbers import exact
from emulator.exchanges.bybit.listings import Listing
from emulator.market_data.candles import read_candles
from emulator.market_data.contract_candles import Wanted, read_trades
from emulator.market_data.intervals import Interval


class ToldCandle(NamedTuple):
    """last_us: when the last trade of it was, or, in one without any, the one before."""

    candle: Candle
    last_us: int

    @property
    def close_us(self) -> int:
        return self.candle.close_us


class OfTrades:
    """Reads the candles of one symbol, as `GET kline` does."""

    def __init__(self, listing: Listing, interval: Interval) -> None:
        self._listing = listing
        self._interval = interval

    def __call__(
        self, engine: Engine, start_us: int, end_us: int, limit: int, now_us: int
    ) -> Sequence[ToldCandle]:
        instrument = self._listing.instrument
        candles: Iterable[Candle]
        if self._listing.contract is None:
            candles = read_candles(
                engine,
                instrument.symbol,
                self._interval,
                start_us=start_us,
                end_us=end_us,
                limit=limit,
                now_us=now_us,
            )
        else:
            candles = read_trades(engine, instrument, Wanted(self._interval, start_us, end_us, limit, now_us))
        with exact():
            return [ToldCandle(candle, self._last_us(engine, candle, now_us)) for candle in candles]

    def _last_us(self, engine: Engine, candle: Candle, now_us: int) -> int:
        market = engine.state.markets[self._listing.instrument.symbol]
        return market.last_print(min(candle.close_us - 1, now_us)).time_us
