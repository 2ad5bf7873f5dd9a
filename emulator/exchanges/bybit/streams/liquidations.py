"""Streams of positions that the exchange closes: what was filled of its orders, since the last moment.

One order is told once in a message, with all that was filled of it meanwhile, at the price at which its owner
has lost all that covers the position; whether the book took it or it was handed over is the same.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from decimal import Decimal
from functools import partial
from typing import Final, NamedTuple

from emulator.core import events as e
from emulator.core.engine import Engine
from emulator.core.ids import MARKET_ORDER, OrderId
from emulator.core.instruments import Side
from emulator.core.orders import Cause
from emulator.exchanges.bybit.streams.topics import Topic
from emulator.market_data.streams.heard import Heard, Reads
from emulator.runtime.sandbox import Sandbox
from emulator.web.streams.message import Message, Payload


class Liquidated(NamedTuple):
    """A part of a position that was closed. side: of the position, BUY of a long one. price: its bankruptcy
    price; where it has none, that at which it was handed over.
    """

    instrument: str
    order: OrderId
    side: Side
    price: Decimal
    quantity: Decimal
    time_us: int


def _traded(engine: Engine, event: e.TradeExecuted, now_us: int) -> Liquidated | None:
    if event.taker == MARKET_ORDER:
        return None
    return _read(engine, event.taker, event.price, event.quantity, now_us)


def _handed_over(
    engine: Engine, event: e.PositionTakenOver | e.AutoDeleveraged, now_us: int
) -> Liquidated | None:
    return _read(engine, event.order, event.price, event.quantity, now_us)


READS: Final[Reads[Liquidated]] = {
    e.TradeExecuted: _traded,
    e.PositionTakenOver: _handed_over,
    e.AutoDeleveraged: _handed_over,
}


def _read(
    engine: Engine, order_id: OrderId, price: Decimal, quantity: Decimal, now_us: int
) -> Liquidated | None:
    order = engine.views.orders[order_id]
    if order.terms.cause not in (Cause.LIQUIDATION, Cause.REDUCTION):
        return None
    side = Side.SELL if order.side is Side.BUY else Side.BUY
    bankruptcy = price if order.price is None else order.price
    return Liquidated(order.instrument, order_id, side, bankruptcy, quantity, now_us)


class Liquidations(Heard[Liquidated]):
    """`allLiquidation.{symbol}`."""

    def __init__(
        self,
        sandbox: Sandbox,
        topic: Topic,
        render: Callable[[Sequence[Liquidated], int, int], Payload],
    ) -> None:
        super().__init__(sandbox, topic, READS)
        self._instrument = topic.instrument
        self._render = render

    def _key(self, value: Liquidated) -> Hashable:
        return value.order

    def _join(self, earlier: Liquidated, value: Liquidated) -> Liquidated:
        return value._replace(quantity=earlier.quantity + value.quantity)

    def _is_time(self, now_us: int) -> bool:
        # On a clock that stands still the next moment never comes.
        return super()._is_time(now_us) or not self._sandbox.clock.speed

    def _messages(self, values: Iterable[Liquidated], now_us: int) -> Sequence[Message]:
        own = [one for one in values if one.instrument == self._instrument]
        return (Message(self._name, partial(self._render, own, now_us)),) if own else ()
