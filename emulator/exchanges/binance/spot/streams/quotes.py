"""The stream of the best bid and ask: told whenever a price or a quantity of them changed."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from emulator.core.instruments import BUY, SELL
from emulator.core.numbers import ZERO
from emulator.exchanges.binance.spot.payloads.streams import BookTickerEvent
from emulator.exchanges.binance.spot.streams.message import Message
from emulator.exchanges.binance.spot.streams.names import Stream
from emulator.exchanges.binance.spot.streams.source import engine_of
from emulator.exchanges.binance.vocabulary import render_amount
from emulator.runtime.sandbox import Sandbox

_EMPTY = (ZERO, ZERO)
"""What a side without levels shows, as on REST."""


class BookTickers:
    """`<symbol>@bookTicker`. What came and went between two looks is not told."""

    def __init__(self, sandbox: Sandbox, stream: Stream) -> None:
        assert stream.symbol is not None
        self._sandbox = sandbox
        self._name = stream.name
        self._symbol = stream.symbol
        self._bid = self._ask = _EMPTY
        self._next_us = 0

    def open(self, now_us: int) -> None:
        self._changed(now_us)

    def look(self, now_us: int) -> Sequence[Message]:
        if not self._changed(now_us):
            return ()
        symbol, bid, ask = self._symbol, self._bid, self._ask
        update_id = engine_of(self._sandbox).state.markets[symbol].update_id(now_us)

        def build(divisor: int) -> BookTickerEvent:
            # Quirk: there is neither an event type nor a time in it; clients tell it by its shape
            # (web-socket-streams.md, "Individual Symbol Book Ticker Streams").
            return {
                "u": update_id,
                "s": symbol,
                "b": render_amount(bid[0]),
                "B": render_amount(bid[1]),
                "a": render_amount(ask[0]),
                "A": render_amount(ask[1]),
            }

        return (Message(self._name, build),)

    def next_us(self, now_us: int) -> int:
        return self._next_us

    def _changed(self, now_us: int) -> bool:
        """Look at both sides, and when they can change by themselves."""
        market = engine_of(self._sandbox).state.markets[self._symbol]
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
