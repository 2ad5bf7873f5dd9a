"""Streams of trades, one by one and aggregated: the market's and those of accounts alike, in one order.

Every trade of the tape is told once, with contiguous ids. Where the clock jumps over more than
TRADES_MAX of them, only the newest are told, and the ids show the gap; REST has all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from functools import partial
from typing import Final

from emulator.exchanges.binance.spot.payloads.streams import AggregateTradeEvent, TradeEvent
from emulator.exchanges.binance.spot.streams.message import Message
from emulator.exchanges.binance.spot.streams.names import Stream, StreamKind
from emulator.exchanges.binance.spot.streams.source import engine_of
from emulator.exchanges.binance.vocabulary import render_amount
from emulator.runtime.sandbox import Sandbox

TRADES_MAX: Final = 1000
"""Of one look."""


class Trades:
    """`<symbol>@trade` and `<symbol>@aggTrade`: every trade is an aggregate of its own, as on REST."""

    def __init__(self, sandbox: Sandbox, stream: Stream) -> None:
        assert stream.symbol is not None
        self._sandbox = sandbox
        self._stream = stream
        self._symbol = stream.symbol
        self._render = _trade if stream.kind is StreamKind.TRADE else _aggregate
        self._told = 0

    def open(self, now_us: int) -> None:
        market = engine_of(self._sandbox).state.markets[self._symbol]
        self._told = market.trade_count(now_us)

    def look(self, now_us: int) -> Sequence[Message]:
        market = engine_of(self._sandbox).state.markets[self._symbol]
        last = market.trade_count(now_us)
        if last <= self._told:
            return ()
        first = max(self._told + 1, last - TRADES_MAX + 1)
        name, symbol, render = self._stream.name, self._symbol, self._render
        messages = [
            Message(
                name,
                partial(
                    render,
                    symbol,
                    now_us,
                    trade.id,
                    trade.time_us,
                    trade.price,
                    trade.quantity,
                    trade.buyer_is_maker,
                ),
            )
            for trade in market.trades(first, last - first + 1, now_us)
        ]
        self._told = last
        return messages

    def next_us(self, now_us: int) -> int:
        market = engine_of(self._sandbox).state.markets[self._symbol]
        return market.feed.next_trade_time(market.instrument, now_us)


def _trade(
    symbol: str,
    now_us: int,
    trade: int,
    time_us: int,
    price: Decimal,
    quantity: Decimal,
    buyer_is_maker: bool,
    divisor: int,
) -> TradeEvent:
    return {
        "e": "trade",
        "E": now_us // divisor,
        "s": symbol,
        "t": trade,
        "p": render_amount(price),
        "q": render_amount(quantity),
        "T": time_us // divisor,
        "m": buyer_is_maker,
        "M": True,
    }


def _aggregate(
    symbol: str,
    now_us: int,
    trade: int,
    time_us: int,
    price: Decimal,
    quantity: Decimal,
    buyer_is_maker: bool,
    divisor: int,
) -> AggregateTradeEvent:
    return {
        "e": "aggTrade",
        "E": now_us // divisor,
        "s": symbol,
        "a": trade,
        "p": render_amount(price),
        "q": render_amount(quantity),
        "f": trade,
        "l": trade,
        "T": time_us // divisor,
        "m": buyer_is_maker,
        "M": True,
    }
