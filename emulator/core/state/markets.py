"""What the state keeps of markets: what was set by hand and consumed, and where orders wait for prices."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from decimal import Decimal
from itertools import islice
from typing import Any

from emulator.core import events as e
from emulator.core.commands import PriceMode
from emulator.core.instruments import SELL, Side
from emulator.core.numbers import ZERO
from emulator.core.orders import Order
from emulator.core.prints import Print
from emulator.core.state.contracts import ContractState
from emulator.core.tape import ManualBook, Market, Segment

CONSUMED_MAX = 10_000
"""Levels of one market that are remembered as consumed; the older half goes when there are more."""


class MarketState(ContractState):
    """The part of the state that is about markets, of which there is one for each instrument."""

    touched: set[str]
    """Instruments where the market may make something due earlier than before; the engine clears it."""

    def folds_of_markets(self) -> dict[type[e.Event], Callable[[Any, int], None]]:
        """What folds which event."""
        return {
            e.PriceSet: self._price_set,
            e.BookSet: self._book_set,
            e.TradePrinted: self._trade_printed,
            e.MarketReleased: self._market_released,
        }

    # By hand

    def _price_set(self, event: e.PriceSet, now_us: int) -> None:
        market = self.markets[event.instrument]
        price = event.price if event.mode is PriceMode.HOLD else None
        _cut(market, Segment(now_us, price, event.shift, event.ask_at_price))
        market.manual = None
        if market.marks is not None:
            market.marks.price_set(event.price, now_us, is_held=price is not None)
        self._market_changed(market, now_us)

    def _book_set(self, event: e.BookSet, now_us: int) -> None:
        market = self.markets[event.instrument]
        market.manual = ManualBook(event.bids, event.asks, now_us)
        if market.marks is not None:
            market.marks.book_set(now_us)
        self._market_changed(market, now_us)

    def _trade_printed(self, event: e.TradePrinted, now_us: int) -> None:
        market = self.markets[event.instrument]
        amount = event.price * event.quantity
        self.lay(
            market, Print(event.trade, now_us, event.price, event.quantity, amount, event.buyer_is_maker)
        )

    def _market_released(self, event: e.MarketReleased, now_us: int) -> None:
        market = self.markets[event.instrument]
        if market.segments:
            _cut(market, Segment(now_us, None, ZERO, ask_at_price=False))
        market.manual = None
        if market.marks is not None:
            market.marks.released(now_us)
        self._market_changed(market, now_us)

    def _market_changed(self, market: Market, now_us: int) -> None:
        market.consumed.clear()
        market.changes += 1
        for watch in market.watches:
            watch.note(now_us)
        if market.marks is not None:
            self.jolted[market.instrument.symbol] = None
        self.touched.add(market.instrument.symbol)

    # Trades and levels

    def lay(self, market: Market, entry: Print) -> None:
        market.prints.append(entry)
        if market.marks is not None:
            self.jolted[market.instrument.symbol] = None
        if market.trailing:
            for order in market.trailing.values():
                assert order.seen is not None
                better = max if order.side is SELL else min
                order.seen = better(order.seen, entry.price)
            self.touched.add(market.instrument.symbol)
        elif not all(watch.is_idle for watch in market.watches):
            self.touched.add(market.instrument.symbol)  # The mark may follow.

    def consume(self, market: Market, side: Side, price: Decimal, since_us: int, quantity: Decimal) -> None:
        consumed = market.consumed
        used = consumed.pop((side, price), None)
        before = used[1] if used is not None and used[0] == since_us else ZERO
        consumed[side, price] = (since_us, before + quantity)
        if len(consumed) > CONSUMED_MAX:
            # In the order of their last use; those in front have been renewed long since.
            for key in list(islice(consumed, CONSUMED_MAX // 2)):
                del consumed[key]

    # Orders that wait

    def sleep(self, order: Order, market: Market, extreme: Decimal | None, now_us: int) -> None:
        trigger = order.terms.trigger
        assert trigger is not None
        if extreme is not None:
            self.track(order, market, extreme, now_us)
            return
        assert trigger.price is not None
        order.asleep = True
        waiting = market.waiting(trigger.source)
        queues = waiting.rises if trigger.fires_on_rise(order.side) else waiting.falls
        best = queues.best
        queues.add(trigger.price, order)
        if queues.best != best:
            self.touched.add(order.instrument)

    def track(self, order: Order, market: Market, extreme: Decimal, now_us: int) -> None:
        order.asleep = order.trailing = True
        order.extreme = order.seen = extreme
        order.extreme_us = now_us
        assert order.terms.trigger is not None
        market.waiting(order.terms.trigger.source).trailing[order.id] = order
        self.touched.add(order.instrument)

    def unqueue_trigger(self, order: Order, market: Market, now_us: int) -> None:
        """It waits no more; where it followed the price, the best one that it has seen stays with it."""
        order.asleep = False
        trigger = order.terms.trigger
        assert trigger is not None
        waiting = market.waiting(trigger.source)
        if order.id in waiting.trailing:
            order.seen = waiting.trailing_extreme(order, now_us)
            del waiting.trailing[order.id]
            return
        assert trigger.price is not None
        queues = waiting.rises if trigger.fires_on_rise(order.side) else waiting.falls
        queues.remove(trigger.price, order)


def _cut(market: Market, segment: Segment) -> None:
    """Begin a segment; one that begins at the same moment as the last replaces it."""
    keep = bisect_left(market.segment_times, segment.start_us)
    del market.segments[keep:]
    del market.segment_times[keep:]
    market.segments.append(segment)
    market.segment_times.append(segment.start_us)
