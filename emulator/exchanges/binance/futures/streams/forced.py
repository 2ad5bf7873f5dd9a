"""Streams of forced orders: what liquidations close, the newest of each contract in a second.

A source hears of them inside the engine, and tells them when the next second begins.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from functools import partial
from typing import Any, Final, NamedTuple

from emulator.core import events as e
from emulator.core.engine import Engine
from emulator.core.ids import MARKET_ORDER, OrderId
from emulator.core.instruments import Side
from emulator.core.numbers import ZERO, divide_half, exact
from emulator.core.orders import Cause, OrderStatus
from emulator.exchanges.binance.futures.figures import figures_of
from emulator.exchanges.binance.futures.listings import Listing
from emulator.exchanges.binance.futures.products import Product
from emulator.exchanges.binance.futures.streams.events import product_number
from emulator.exchanges.binance.futures.streams.payloads import ForcedOrderEvent
from emulator.exchanges.binance.vocabulary import EIGHT_PLACES, ORDER_STATUS_WORDS, SIDE_WORDS
from emulator.market_data.streams.heard import Heard
from emulator.market_data.streams.stream import MarketStream
from emulator.runtime.sandbox import Sandbox
from emulator.web.streams.message import Message

_FINE: Final = Decimal("1e-24")
"""To which what coins come to is reckoned, before they are added up."""


class Forced(NamedTuple):
    """What an order has come to by which the exchange closes a position.

    price: its limit, if it has one. average: of all that was traded, `last` the quantity of the last trade.
    """

    instrument: str
    side: Side
    quantity: Decimal
    price: Decimal | None
    average: Decimal
    last: Decimal
    executed: Decimal
    status: OrderStatus
    time_us: int


def _traded(engine: Engine, event: e.TradeExecuted, now_us: int) -> Forced | None:
    return read_forced(engine, event.taker, now_us) if event.taker != MARKET_ORDER else None


def _handed_over(
    engine: Engine, event: e.PositionTakenOver | e.AutoDeleveraged, now_us: int
) -> Forced | None:
    return read_forced(engine, event.order, now_us)


FORCED: Final[Mapping[type[e.Event], Callable[[Engine, Any, int], Forced | None]]] = {
    e.TradeExecuted: _traded,
    e.PositionTakenOver: _handed_over,
    e.AutoDeleveraged: _handed_over,
}
"""By the event with which it was filled further: what a forced order has come to, or None for another one."""


def read_forced(engine: Engine, order_id: OrderId, now_us: int) -> Forced | None:
    order = engine.views.orders[order_id]
    if order.terms.cause is not Cause.LIQUIDATION:
        return None
    fills = engine.views.fills_of[order_id]
    contract = engine.instruments[order.instrument].contract
    assert contract is not None
    assert order.quantity is not None
    if contract.is_inverse:
        coins = sum((divide_half(fill.quantity, fill.price, _FINE) for fill in fills), ZERO)
        average = divide_half(order.executed, coins, EIGHT_PLACES)
    else:
        value = sum((fill.price * fill.quantity for fill in fills), ZERO)
        average = divide_half(value, order.executed, EIGHT_PLACES)
    return Forced(
        order.instrument,
        order.side,
        order.quantity,
        order.price,
        average,
        fills[-1].quantity,
        order.executed,
        order.status,
        now_us,
    )


class ForcedOrders(Heard[Forced]):
    """`<symbol>@forceOrder` and `!forceOrder@arr`. listings: of what is told, by the core's names."""

    def __init__(
        self, sandbox: Sandbox, stream: MarketStream, listings: dict[str, tuple[Product, Listing]]
    ) -> None:
        super().__init__(sandbox, stream, FORCED)
        self._listings = listings

    def _key(self, value: Forced) -> str:
        return value.instrument

    def _messages(self, values: Iterable[Forced], now_us: int) -> Sequence[Message]:
        # Quirk: one object for each order, although the name of the stream of all ends in `arr` (live
        # frames).
        return [
            Message(self._name, partial(self._render, one, now_us))
            for one in values
            if one.instrument in self._listings
        ]

    def _render(self, forced: Forced, now_us: int, divisor: int) -> ForcedOrderEvent:
        product, listing = self._listings[forced.instrument]
        figures = figures_of(listing)
        with exact():
            average = figures.average(forced.average)
        return {
            "e": "forceOrder",
            "E": now_us // divisor,
            "o": {
                "s": listing.symbol,
                "S": SIDE_WORDS[forced.side],
                "o": "LIMIT",
                "f": "IOC",
                "q": figures.quantity(forced.quantity),
                "p": average if forced.price is None else figures.price(forced.price),
                "ap": average,
                "X": ORDER_STATUS_WORDS[forced.status],
                "l": figures.quantity(forced.last),
                "z": figures.quantity(forced.executed),
                "T": forced.time_us // divisor,
                "ps": listing.pair,
                "st": product_number(product),
            },
        }
