"""Klines as they grow, and once more when they close: what GET klines answers of the same interval.

Every moment of the stream's pace is a possible closing time, so a kline that closes is told at once, and
its successor when it had a pace's time to trade. A second's kline is therefore told closed only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from emulator.core.engine import Engine
from emulator.core.markets import Candle
from emulator.exchanges.binance.spot.market.intervals import Interval
from emulator.exchanges.binance.spot.market.klines import read_candles, render_kline
from emulator.exchanges.binance.spot.market.statistics import trade_ids
from emulator.exchanges.binance.spot.payloads.streams import KlineEvent
from emulator.exchanges.binance.spot.streams.message import Message
from emulator.exchanges.binance.spot.streams.names import Stream
from emulator.exchanges.binance.spot.streams.source import Paced, engine_of
from emulator.runtime.sandbox import Sandbox

CLOSES_MAX: Final = 1000
"""After a jump of the clock the newest closed klines are told, not those before."""

CLOSES_AT_ONCE: Final = 100
"""How many of these before others have their turn."""


class Klines:
    """`<symbol>@kline_<interval>`, in UTC or in the time zone that the name says; its times are UTC."""

    def __init__(self, sandbox: Sandbox, stream: Stream) -> None:
        assert stream.symbol is not None
        self._sandbox = sandbox
        self._name = stream.name
        self._symbol = stream.symbol
        self._word = stream.interval
        self._interval = Interval(stream.interval, stream.offset_us)
        self._pace_us = stream.pace_us
        self._paced = Paced(stream.pace_us)
        self._opened_us = 0
        # When the kline opens whose closing is told next.
        self._open_us = 0
        self._is_behind = False
        self._last: Candle | None = None

    def open(self, now_us: int) -> None:
        self._opened_us = now_us
        self._open_us = self._interval.open_of(now_us)
        self._paced.begin(now_us)

    def look(self, now_us: int) -> Sequence[Message]:
        engine = engine_of(self._sandbox)
        if not self._paced.is_due(now_us) and not self._is_behind:
            return ()
        messages: list[Message] = []
        current_us = self._interval.open_of(now_us)
        if self._open_us < current_us:
            first_us = max(self._open_us, self._interval.step(current_us, -CLOSES_MAX))
            closed = self._read(engine, first_us, current_us - 1, now_us, limit=CLOSES_AT_ONCE)
            messages += [self._message(candle, now_us, is_closed=True) for candle in closed]
            self._open_us = closed[-1].close_us if closed else current_us
            self._is_behind = self._open_us < current_us
        if not self._is_behind and now_us - current_us >= self._pace_us:
            last = self._last
            if last is None and self._opened_us >= current_us:
                last = self._current(engine, current_us, self._opened_us)
            candle = self._last = self._current(engine, current_us, now_us)
            if candle is not None and candle != last:
                messages.append(self._message(candle, now_us, is_closed=False))
        return messages

    def next_us(self, now_us: int) -> int | None:
        return now_us if self._is_behind else self._paced.next_us

    def _current(self, engine: Engine, open_us: int, time_us: int) -> Candle | None:
        """The kline that opens at a time as it is at another; None before the first trade of all."""
        return next(iter(self._read(engine, open_us, time_us, time_us, limit=1)), None)

    def _read(
        self, engine: Engine, start_us: int, end_us: int, now_us: int, *, limit: int
    ) -> Sequence[Candle]:
        return read_candles(
            engine,
            self._symbol,
            self._interval,
            start_us=start_us,
            end_us=end_us,
            limit=limit,
            now_us=now_us,
        )

    def _message(self, candle: Candle, now_us: int, *, is_closed: bool) -> Message:
        symbol, word = self._symbol, self._word

        def build(divisor: int) -> Mapping[str, Any]:
            return render_event(
                candle, symbol=symbol, interval=word, now_us=now_us, is_closed=is_closed, divisor=divisor
            )

        return Message(self._name, build)


def render_event(
    candle: Candle, *, symbol: str, interval: str, now_us: int, is_closed: bool, divisor: int
) -> KlineEvent:
    """now_us: the moment that the kline is told of."""
    kline = render_kline(candle, divisor)
    first_id, last_id = trade_ids(candle)
    return {
        "e": "kline",
        "E": now_us // divisor,
        "s": symbol,
        "k": {
            "t": kline[0],
            "T": kline[6],
            "s": symbol,
            "i": interval,
            "f": first_id,
            "L": last_id,
            "o": kline[1],
            "c": kline[4],
            "h": kline[2],
            "l": kline[3],
            "v": kline[5],
            "n": kline[8],
            "x": is_closed,
            "q": kline[7],
            "V": kline[9],
            "Q": kline[10],
            "B": kline[11],
        },
    }
