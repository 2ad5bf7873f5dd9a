"""The stream of the best bid and ask: told whenever a price or a quantity of them changed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import partial
from typing import NamedTuple

from emulator.core.instruments import BUY, SELL
from emulator.core.numbers import ZERO
from emulator.exchanges.binance.running import engine_of
from emulator.exchanges.binance.streams.wire import MarketStream
from emulator.runtime.sandbox import Sandbox
from emulator.web.streams.message import Message, Payload
from emulator.web.streams.source import Source

_EMPTY = (ZERO, ZERO)
"""What a side without levels shows, as on REST."""


class Best(NamedTuple):
    """Price and quantity of both sides' best levels, told at `now_us`."""

    now_us: int
    update_id: int
    bid: tuple[Decimal, Decimal]
    ask: tuple[Decimal, Decimal]


class BookTickers(Source):
    """`<symbol>@bookTicker`. What came and went between two looks is not told."""

    def __init__(
        self, sandbox: Sandbox, stream: MarketStream, render: Callable[[Best, int], Payload]
    ) -> None:
        assert stream.instrument is not None
        self._sandbox = sandbox
        self._name = stream.name
        self._instrument = stream.instrument
        self._render = render
        self._bid = self._ask = _EMPTY
        self._next_us = 0

    def open(self, now_us: int) -> None:
        self._changed(now_us)

    def look(self, now_us: int) -> Sequence[Message]:
        if not self._changed(now_us):
            return ()
        update_id = engine_of(self._sandbox).state.markets[self._instrument].update_id(now_us)
        best = Best(now_us, update_id, self._bid, self._ask)
        return (Message(self._name, partial(self._render, best)),)

    def next_us(self, now_us: int) -> int:
        return self._next_us

    def _changed(self, now_us: int) -> bool:
        """Look at both sides, and when they can change by themselves."""
        market = engine_of(self._sandbox).state.markets[self._instrument]
        changing_us: list[int] = []
        bid = _best(market.depth(BUY, now_us, 1, changing_us))
        ask = _best(market.depth(SELL, now_us, 1, changing_us))
        changing_us.append(market.feed.next_trade_time(market.instrument, now_us))
        self._next_us = min(changing_us)
        if bid == self._bid and ask == self._ask:
            return False
        self._bid, self._ask = bid, ask
        return True


def _best(levels: Sequence[tuple[Decimal, Decimal]]) -> tuple[Decimal, Decimal]:
    return levels[0] if levels else _EMPTY
