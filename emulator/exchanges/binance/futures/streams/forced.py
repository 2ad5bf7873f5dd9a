"""Streams of forced orders: what a liquidation closes in the market, the newest of each contract a second.

What is a forced order among the engine's events says FORCED; a source hears of them inside the engine, and
tells them when the next second begins.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from decimal import Decimal
from functools import partial
from typing import Any, Final, NamedTuple

from emulator.core.engine import Engine
from emulator.core.events import Event
from emulator.core.instruments import Side
from emulator.exchanges.binance.futures.figures import figures_of
from emulator.exchanges.binance.futures.listings import Listing
from emulator.exchanges.binance.futures.products import Product
from emulator.exchanges.binance.futures.streams.events import product_number
from emulator.exchanges.binance.futures.streams.payloads import ForcedOrderEvent
from emulator.exchanges.binance.running import ENGINE, engine_of
from emulator.exchanges.binance.streams.wire import MarketStream
from emulator.exchanges.binance.vocabulary import SIDE_WORDS
from emulator.runtime.sandbox import Sandbox
from emulator.web.streams.message import Message
from emulator.web.streams.source import Paced, Source


class Forced(NamedTuple):
    """What became of an order by which the exchange closed a position.

    price: its limit. average: of what was traded, `last` the quantity of the last trade.
    """

    instrument: str
    side: Side
    quantity: Decimal
    price: Decimal
    average: Decimal
    last: Decimal
    executed: Decimal
    status: str
    time_us: int


FORCED: Final[dict[type[Event], Callable[[Engine, Any, int], Forced | None]]] = {}
"""By the event after which a forced order is what it came to: what it is, or None for another order.

Empty as long as the core liquidates nothing.
"""


class ForcedOrders(Source):
    """`<symbol>@forceOrder` and `!forceOrder@arr`. listings: of what is told, by the core's names."""

    def __init__(
        self, sandbox: Sandbox, stream: MarketStream, listings: dict[str, tuple[Product, Listing]]
    ) -> None:
        self._sandbox = sandbox
        self._name = stream.name
        self._listings = listings
        self._paced = Paced(stream.pace_us)
        self._engine: Engine | None = None
        self._unobserve: Callable[[], None] | None = None
        self._heard: dict[str, Forced] = {}
        self._settled: dict[str, Forced] = {}

    def open(self, now_us: int) -> None:
        self._paced.begin(now_us)
        self._unobserve = self._sandbox.observe(ENGINE, self)

    def close(self) -> None:
        if self._unobserve is not None:
            self._unobserve()
            self._unobserve = None

    # The engine's observer

    def happened(self, event: Event, now_us: int) -> None:
        read = FORCED.get(type(event))
        if read is None:
            return
        self._follow_engine()
        assert self._engine is not None
        forced = read(self._engine, event, now_us)
        if forced is not None and forced.instrument in self._listings:
            self._heard[forced.instrument] = forced

    def settled(self, now_us: int) -> None:
        self._follow_engine()
        if self._heard:
            self._settled.update(self._heard)
            self._heard.clear()

    def _follow_engine(self) -> None:
        """Forget what an engine did that was taken out in the midst of a command: it did not happen."""
        engine = engine_of(self._sandbox)
        if engine is not self._engine:
            self._engine = engine
            self._heard.clear()

    # The source

    def look(self, now_us: int) -> Sequence[Message]:
        if not self._paced.is_due(now_us) or not self._settled:
            return ()
        forced: Collection[Forced] = self._settled.values()
        self._settled = {}
        # Quirk: one object for each order, although the name of the stream of all ends in `arr` (live
        # frames).
        return [Message(self._name, partial(self._render, one, now_us)) for one in forced]

    def next_us(self, now_us: int) -> int:
        return self._paced.next_us

    def _render(self, forced: Forced, now_us: int, divisor: int) -> ForcedOrderEvent:
        product, listing = self._listings[forced.instrument]
        figures = figures_of(listing)
        return {
            "e": "forceOrder",
            "E": now_us // divisor,
            "o": {
                "s": listing.symbol,
                "S": SIDE_WORDS[forced.side],
                "o": "LIMIT",
                "f": "IOC",
                "q": figures.quantity(forced.quantity),
                "p": figures.price(forced.price),
                "ap": figures.average(forced.average),
                "X": forced.status,
                "l": figures.quantity(forced.last),
                "z": figures.quantity(forced.executed),
                "T": forced.time_us // divisor,
                "ps": listing.pair,
                "st": product_number(product),
            },
        }
