"""Where orders wait for a price of their market, be it one that they follow."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from emulator.core.orders import Order
from emulator.core.tape import Market

if TYPE_CHECKING:
    from emulator.core.state.state import State


def sleep(state: State, order: Order, market: Market, extreme: Decimal | None, now_us: int) -> None:
    """Let an order wait for its trigger; extreme: the best price that a trailing one has seen."""
    trigger = order.terms.trigger
    assert trigger is not None
    if extreme is not None:
        track(state, order, market, extreme, now_us)
        return
    assert trigger.price is not None
    order.asleep = True
    waiting = market.waiting(trigger.source)
    queues = waiting.rises if trigger.fires_on_rise(order.side) else waiting.falls
    best = queues.best
    queues.add(trigger.price, order)
    if queues.best != best:
        state.touched.add(order.instrument)


def track(state: State, order: Order, market: Market, extreme: Decimal, now_us: int) -> None:
    """Let an order follow the price from the best one that it has seen."""
    order.asleep = order.trailing = True
    order.extreme = order.seen = extreme
    order.extreme_us = now_us
    assert order.terms.trigger is not None
    market.waiting(order.terms.trigger.source).trailing[order.id] = order
    state.touched.add(order.instrument)


def unqueue_trigger(order: Order, market: Market, now_us: int) -> None:
    """It waits no longer; where it followed the price, the best one that it has seen stays with it."""
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
