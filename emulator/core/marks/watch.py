"""Orders of one contract that wait for its mark price, or for its index price, and when one of them fires.

What waits for the last price is in the market itself. Both prices are cut off to the contract's price steps
before they are compared with a trigger. Source: Binance FAQ "How to Place Stop-Loss and Take-Profit Orders
on Binance Futures", which gives an example of either side.
"""

from __future__ import annotations

from decimal import Decimal

from emulator.core.book import PriceQueues
from emulator.core.instruments import SELL, TriggerSource
from emulator.core.marks.spans import Marks
from emulator.core.numbers import round_down, round_up
from emulator.core.orders import Order


class Watch:
    """rises, falls: by the price at which they fire. trailing: those that follow the price."""

    __slots__ = ("_step", "falls", "marks", "rises", "source", "trailing")

    def __init__(self, marks: Marks, source: TriggerSource) -> None:
        assert source is not TriggerSource.LAST, "the market watches that itself"
        self.marks = marks
        self.source = source
        self.rises = PriceQueues(descending=False)
        self.falls = PriceQueues(descending=True)
        self.trailing: dict[int, Order] = {}
        self._step = marks.market.instrument.price_step

    @property
    def is_idle(self) -> bool:
        return not (self.trailing or self.rises.queues or self.falls.queues)

    def price(self, now_us: int) -> Decimal:
        """The watched price, cut off to price steps."""
        marks, is_mark = self.marks, self.source is TriggerSource.MARK
        return round_down(marks.mark_price(now_us) if is_mark else marks.index_price(now_us), self._step)

    def trailing_extreme(self, order: Order, now_us: int) -> Decimal:
        """The best price that a tracking order has seen by now."""
        seen = order.seen
        assert seen is not None
        if now_us <= order.extreme_us:
            return seen
        marks, span = self.marks, (order.extreme_us + 1, now_us + 1)
        candle = marks.mark_range(*span) if self.source is TriggerSource.MARK else marks.index_range(*span)
        if order.side is SELL:
            return max(seen, round_down(candle.high, self._step))
        return min(seen, round_down(candle.low, self._step))

    def note(self, now_us: int) -> None:
        """Somebody moved the market: what tracking orders see of it may be gone at the same moment."""
        if not self.trailing:
            return
        price = self.price(now_us)
        for order in self.trailing.values():
            assert order.seen is not None
            order.seen = max(order.seen, price) if order.side is SELL else min(order.seen, price)

    def due(self, now_us: int) -> Order | None:
        """An order whose condition the price meets, if there is one."""
        if self.is_idle:
            return None
        price, rise, fall = self.price(now_us), self.rises.best, self.falls.best
        if rise is not None and price >= rise:
            return next(iter(self.rises.queues[rise].values()))
        if fall is not None and price <= fall:
            return next(iter(self.falls.queues[fall].values()))
        for order in self.trailing.values():
            assert order.terms.trigger is not None
            fires_at = order.terms.trigger.fires_at(order.side, self.trailing_extreme(order, now_us))
            if price <= fires_at if order.side is SELL else price >= fires_at:
                return order
        return None

    def next_due(self, after_us: int, until_us: int) -> int | None:
        """When an order first fires in (after_us, until_us], or a tracking one sees a new extreme."""
        if self.is_idle:
            return None
        rise, fall = self.rises.best, self.falls.best
        for order in self.trailing.values():
            assert order.terms.trigger is not None
            extreme = self.trailing_extreme(order, after_us)
            fires_at = order.terms.trigger.fires_at(order.side, extreme)
            if order.side is SELL:
                above, below = extreme + self._step, fires_at
            else:
                above, below = fires_at, extreme - self._step
            rise = above if rise is None else min(rise, above)
            fall = below if fall is None else max(fall, below)
        step, marks = self._step, self.marks
        at_least = None if rise is None else round_up(rise, step)
        at_most: Decimal | None = None
        if fall is not None:
            # All prices below the next step are cut off to one that is low enough.
            at_most = round_up(round_down(fall, step) + step, marks.step) - marks.step
        if self.source is TriggerSource.MARK:
            return marks.next_mark_crossing(after_us, until_us, at_most=at_most, at_least=at_least)
        return marks.next_index_crossing(after_us, until_us, at_most=at_most, at_least=at_least)
