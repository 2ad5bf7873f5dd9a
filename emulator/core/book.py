"""Orders by price and time: the resting side of a book, and trigger orders by their stop price.

Every operation costs at most the logarithm of the number of prices, so a book of a hundred thousand
orders is as quick as an empty one.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import OrderedDict
from collections.abc import Iterator
from decimal import Decimal

from emulator.core.orders import Order

CHUNK = 512


class PriceLadder:
    """A sorted set of prices in chunks, so that an insertion never moves more than one chunk."""

    __slots__ = ("_chunks", "_lasts")

    def __init__(self) -> None:
        self._chunks: list[list[Decimal]] = []
        self._lasts: list[Decimal] = []

    def add(self, price: Decimal) -> None:
        chunks, lasts = self._chunks, self._lasts
        if not chunks:
            chunks.append([price])
            lasts.append(price)
            return
        at = min(bisect_left(lasts, price), len(chunks) - 1)
        chunk = chunks[at]
        insort(chunk, price)
        lasts[at] = chunk[-1]
        if len(chunk) > 2 * CHUNK:
            rest = chunk[CHUNK:]
            del chunk[CHUNK:]
            chunks.insert(at + 1, rest)
            lasts[at] = chunk[-1]
            lasts.insert(at + 1, rest[-1])

    def remove(self, price: Decimal) -> None:
        at = bisect_left(self._lasts, price)
        chunk = self._chunks[at]
        del chunk[bisect_left(chunk, price)]
        if chunk:
            self._lasts[at] = chunk[-1]
        else:
            del self._chunks[at]
            del self._lasts[at]

    @property
    def lowest(self) -> Decimal | None:
        return self._chunks[0][0] if self._chunks else None

    @property
    def highest(self) -> Decimal | None:
        return self._lasts[-1] if self._lasts else None

    def __iter__(self) -> Iterator[Decimal]:
        for chunk in self._chunks:
            yield from chunk

    def __reversed__(self) -> Iterator[Decimal]:
        for chunk in reversed(self._chunks):
            yield from reversed(chunk)

    def __len__(self) -> int:
        return sum(map(len, self._chunks))


class PriceQueues:
    """Orders by price, at each price in the order of their arrival.

    descending: whether the best price is the highest (bids, and triggers that fire on a fall).
    shown: what is visible at each price, all its orders together.
    """

    __slots__ = ("_ladder", "best", "descending", "queues", "shown")

    def __init__(self, *, descending: bool) -> None:
        self.descending = descending
        self.queues: dict[Decimal, OrderedDict[int, Order]] = {}
        self.shown: dict[Decimal, Decimal] = {}
        self.best: Decimal | None = None
        self._ladder = PriceLadder()

    def add(self, price: Decimal, order: Order) -> None:
        queue = self.queues.get(price)
        if queue is None:
            queue = self.queues[price] = OrderedDict()
            self.shown[price] = order.visible
            self._ladder.add(price)
            best = self.best
            if best is None or (price > best if self.descending else price < best):
                self.best = price
        else:
            self.shown[price] += order.visible
        queue[order.id] = order

    def remove(self, price: Decimal, order: Order) -> None:
        queue = self.queues[price]
        del queue[order.id]
        if queue:
            self.shown[price] -= order.visible
        else:
            del self.queues[price]
            del self.shown[price]
            self._ladder.remove(price)
            if price == self.best:
                self.best = self._ladder.highest if self.descending else self._ladder.lowest

    def show(self, price: Decimal, order: Order, visible: Decimal) -> None:
        """Let an order at a price show this much."""
        self.shown[price] += visible - order.visible
        order.visible = visible

    def requeue(self, price: Decimal, order: Order) -> None:
        """Send an order to the end of its price's queue."""
        self.queues[price].move_to_end(order.id)

    def prices(self) -> Iterator[Decimal]:
        """Prices, best first. The queues must not change meanwhile."""
        return reversed(self._ladder) if self.descending else iter(self._ladder)

    def __len__(self) -> int:
        return sum(map(len, self.queues.values()))
