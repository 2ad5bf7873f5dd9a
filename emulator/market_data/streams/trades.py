"""Streams of trades: the market's and those of accounts alike, in one order.

Every trade of the tape is told once, with contiguous ids. Where the clock jumps over more than
TRADES_MAX of them, only the newest are told, and the ids show the gap; REST has all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import partial
from typing import Final, NamedTuple

from emulator.market_data.streams.stream import InstrumentSource, MarketStream
from emulator.market_data.ticks import Tick, next_tick, read_tick
from emulator.runtime.sandbox import Sandbox
from emulator.web.streams.message import Message, Payload

TRADES_MAX: Final = 1000
"""Of one look."""


class ToldTrade(NamedTuple):
    """A trade of the tape, told at `now_us`."""

    now_us: int
    id: int
    time_us: int
    price: Decimal
    quantity: Decimal
    buyer_is_maker: bool


class _Tape(InstrumentSource):
    """What is new on an instrument's tape."""

    def __init__(self, sandbox: Sandbox, stream: MarketStream) -> None:
        super().__init__(sandbox, stream)
        self._pace_us = stream.pace_us
        self._told = 0

    def open(self, now_us: int) -> None:
        market = self._sandbox.engines[self._engine].state.markets[self._instrument]
        self._told = market.trade_count(now_us)

    def next_us(self, now_us: int) -> int:
        market = self._sandbox.engines[self._engine].state.markets[self._instrument]
        pace_us = self._pace_us
        if pace_us and market.trade_count(now_us) > self._told:
            return now_us - now_us % pace_us + pace_us
        next_us = market.feed.next_trade_time(market.instrument, now_us)
        return -(-next_us // pace_us) * pace_us if pace_us else next_us

    def _new(self, now_us: int) -> list[ToldTrade]:
        """What happened since the last look, or by the last moment of the stream's pace."""
        market = self._sandbox.engines[self._engine].state.markets[self._instrument]
        until_us = now_us
        if self._pace_us and self._sandbox.clock.speed:
            # Only what had happened by the last moment; on a clock that stands still that would never come.
            until_us -= now_us % self._pace_us
        last = market.trade_count(until_us)
        if last <= self._told:
            return []
        first = max(self._told + 1, last - TRADES_MAX + 1)
        self._told = last
        return [
            ToldTrade(now_us, trade.id, trade.time_us, trade.price, trade.quantity, trade.buyer_is_maker)
            for trade in market.trades(first, last - first + 1, now_us)
        ]


class Trades(_Tape):
    """Every trade when it has happened, or at the stream's next moment after that."""

    def __init__(
        self, sandbox: Sandbox, stream: MarketStream, render: Callable[[ToldTrade, int], Payload]
    ) -> None:
        super().__init__(sandbox, stream)
        self._render = render

    def look(self, now_us: int) -> Sequence[Message]:
        name, render = self._name, self._render
        return [Message(name, partial(render, trade)) for trade in self._new(now_us)]


class TradeGroups(_Tape):
    """All that happened since the last look in one message, each with the direction that its price took."""

    def __init__(
        self,
        sandbox: Sandbox,
        stream: MarketStream,
        render: Callable[[Sequence[tuple[ToldTrade, Tick]], int], Payload],
    ) -> None:
        super().__init__(sandbox, stream)
        self._render = render
        self._tick = Tick.PLUS
        self._price: Decimal | None = None

    def open(self, now_us: int) -> None:
        super().open(now_us)
        engine = self._sandbox.engines[self._engine]
        self._tick = read_tick(engine, self._instrument, now_us)
        self._price = engine.state.markets[self._instrument].last_print(now_us).price

    def look(self, now_us: int) -> Sequence[Message]:
        trades = self._new(now_us)
        if not trades:
            return ()
        told = []
        for trade in trades:
            if self._price is not None:
                self._tick = next_tick(self._tick, self._price, trade.price)
            self._price = trade.price
            told.append((trade, self._tick))
        return (Message(self._name, partial(self._render, told)),)
