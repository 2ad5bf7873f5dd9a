"""In which order what stands at one price is served."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from decimal import Decimal

from emulator.core.book import PriceQueues
from emulator.core.markets import FeedLevel
from emulator.core.numbers import ZERO
from emulator.core.orders import Order


def standing(
    queues: PriceQueues, price: Decimal, level: FeedLevel | None
) -> Iterator[tuple[Order | None, Decimal]]:
    """Orders at a price with the part that shows, each time it shows; (None, q) is the market's own."""
    hidden: deque[tuple[Order, Decimal]] = deque()
    for order in queues.queues[price].values():
        if level is not None and order.queued_us >= level.since_us:
            yield None, level.quantity
            level = None
        visible = order.visible
        yield order, visible
        if order.terms.iceberg_quantity is not None:
            rest = order.remaining - visible
            if rest > ZERO:
                hidden.append((order, rest))
    if level is not None:
        yield None, level.quantity
    while hidden:
        order, rest = hidden.popleft()
        assert order.terms.iceberg_quantity is not None
        part = min(rest, order.terms.iceberg_quantity)
        yield order, part
        if rest > part:
            hidden.append((order, rest - part))
