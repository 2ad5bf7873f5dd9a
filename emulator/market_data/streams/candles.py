"""Klines as they grow, and once more when they close: what REST answers of the same interval.

Every moment of the stream's pace is a possible closing time, so a kline that closes is told at once, and
its successor when it had a pace's time to trade. One that is no longer than the pace is told closed only.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final, Generic, Protocol, TypeVar

from emulator.core.engine import Engine
from emulator.market_data.streams.stream import MarketStream
from emulator.runtime.sandbox import Sandbox
from emulator.web.streams.message import Message, Payload
from emulator.web.streams.source import Paced, Source

CLOSES_MAX: Final = 1000
"""After a jump of the clock the newest closed klines are told, not those before."""

CLOSES_AT_ONCE: Final = 100
"""How many of these before others have their turn."""


class Interval(Protocol):
    """When klines open."""

    def open_of(self, time_us: int) -> int:
        """When the interval that holds a moment opens."""
        ...

    def step(self, open_us: int, count: int) -> int:
        """The opening so many intervals later, or earlier if negative."""
        ...


class Spanned(Protocol):
    """What klines have, whatever they are of; two are alike when they are equal."""

    @property
    def close_us(self) -> int: ...


C = TypeVar("C", bound=Spanned)

Read = Callable[[Engine, int, int, int, int], Sequence[C]]
"""At most so many klines that open in [start, end], in order, as of now: engine, start, end, limit, now."""


class ToldKline(Generic[C]):
    """A kline, told at `now_us`."""

    __slots__ = ("candle", "is_closed", "now_us")

    def __init__(self, candle: C, now_us: int, *, is_closed: bool) -> None:
        self.candle = candle
        self.now_us = now_us
        self.is_closed = is_closed


class Klines(Source, Generic[C]):
    """The candle of an interval as it grows, and once it is closed. read: what REST reads."""

    def __init__(
        self,
        sandbox: Sandbox,
        stream: MarketStream,
        render: Callable[[ToldKline[C], int], Payload],
        *,
        interval: Interval,
        read: Read[C],
    ) -> None:
        self._sandbox = sandbox
        self._engine = stream.engine
        self._name = stream.name
        self._render = render
        self._interval = interval
        self._read = read
        self._pace_us = stream.pace_us
        self._paced = Paced(stream.pace_us)
        self._opened_us = 0
        # When the kline opens whose closing is told next.
        self._open_us = 0
        self._is_behind = False
        self._last: C | None = None

    def open(self, now_us: int) -> None:
        self._opened_us = now_us
        self._open_us = self._interval.open_of(now_us)
        self._paced.begin(now_us)

    def look(self, now_us: int) -> Sequence[Message]:
        engine = self._sandbox.engines[self._engine]
        if not self._paced.is_due(now_us) and not self._is_behind:
            return ()
        messages: list[Message] = []
        current_us = self._interval.open_of(now_us)
        if self._open_us < current_us:
            first_us = max(self._open_us, self._interval.step(current_us, -CLOSES_MAX))
            closed = self._read(engine, first_us, current_us - 1, CLOSES_AT_ONCE, now_us)
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

    def _current(self, engine: Engine, open_us: int, time_us: int) -> C | None:
        """The kline that opens at a time as it is at another; None before the first trade of all."""
        return next(iter(self._read(engine, open_us, time_us, 1, time_us)), None)

    def _message(self, candle: C, now_us: int, *, is_closed: bool) -> Message:
        return Message(self._name, partial(self._render, ToldKline(candle, now_us, is_closed=is_closed)))
