"""The stream of the best bid and ask: told whenever a price or a quantity of them changed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import partial
from typing import NamedTuple

from emulator.core.engine import Engine
from emulator.core.instruments import BUY, SELL
from emulator.core.numbers import ZERO
from emulator.market_data.streams.stream import InstrumentSource, MarketStream
from emulator.runtime.sandbox import Sandbox
from emulator.web.streams.message import Message, Payload

_EMPTY = (ZERO, ZERO)
"""What a side without levels shows, as on REST."""


class Best(NamedTuple):
    """Price and quantity of both sides' best levels, told at `now_us`."""

    now_us: int
    update_id: int
    bid: tuple[Decimal, Decimal]
    ask: tuple[Decimal, Decimal]

    @property
    def edges(self) -> tuple[tuple[Decimal, Decimal], tuple[Decimal, Decimal]]:
        """What is told whenever it is another."""
        return self.bid, self.ask


def read_best(engine: Engine, instrument: str, now_us: int, changing_us: list[int] | None = None) -> Best:
    """changing_us: gets moments before which the market itself changes none of it."""
    market = engine.state.markets[instrument]
    bid = _best(market.depth(BUY, now_us, 1, changing_us))
    ask = _best(market.depth(SELL, now_us, 1, changing_us))
    if changing_us is not None:
        changing_us.append(market.feed.next_trade_time(market.instrument, now_us))
    return Best(now_us, market.update_id(now_us), bid, ask)


class BookTickers(InstrumentSource):
    """The best price of either side, as it changes. What came and went between two looks is not told."""

    def __init__(
        self, sandbox: Sandbox, stream: MarketStream, render: Callable[[Best, int], Payload]
    ) -> None:
        super().__init__(sandbox, stream)
        self._render = render
        self._edges = (_EMPTY, _EMPTY)
        self._next_us = 0

    def open(self, now_us: int) -> None:
        self._edges = self._read(now_us).edges

    def look(self, now_us: int) -> Sequence[Message]:
        best = self._read(now_us)
        if best.edges == self._edges:
            return ()
        self._edges = best.edges
        return (Message(self._name, partial(self._render, best)),)

    def next_us(self, now_us: int) -> int:
        return self._next_us

    def _read(self, now_us: int) -> Best:
        """Both sides, and when they can change by themselves."""
        changing_us: list[int] = []
        best = read_best(self._sandbox.engines[self._engine], self._instrument, now_us, changing_us)
        self._next_us = min(changing_us)
        return best


def _best(levels: Sequence[tuple[Decimal, Decimal]]) -> tuple[Decimal, Decimal]:
    return levels[0] if levels else _EMPTY
