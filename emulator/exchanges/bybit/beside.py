"""What is told of an order beside its own record: whom it met, its parent, what it closes, how it trails."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import NamedTuple

from emulator.core.engine import Engine
from emulator.core.history import PreventedMatch, Query
from emulator.core.ids import OrderId
from emulator.core.numbers import ZERO, exact
from emulator.core.orders import EndReason, Order
from emulator.web.contract import Call


class Beside(NamedTuple):
    """met: the order of the same owner that it was ended by. parent: the client's own name for the order that
    brought this one along. closes: how much there is now of what an order without a quantity waits to close.
    trails_at: at which price one is triggered, or was, that began to follow the price."""

    met: OrderId | None = None
    parent: str = ""
    closes: Decimal = ZERO
    trails_at: Decimal | None = None


def beside_now(engine: Engine, order: Order, now_us: int | None = None) -> Beside:
    """Of an order whom nobody met that is not in memory. now_us: None: of one that changed just now."""
    views = engine.views
    matches = views.prevented.get((order.account, order.instrument), ())
    return Beside(
        _met(order, reversed(matches)),
        _parent_name(order, views.orders.get(order.terms.parent)),
        _closes(engine, order),
        trails_at(engine, order, engine.views.now_us if now_us is None else now_us),
    )


async def beside(call: Call, order: Order) -> Beside:
    """Of any order, from memory or from the archive."""
    account, scope, number = order.account, order.instrument, order.prevented_match
    views = call.engine.views
    if views.is_whole(PreventedMatch, account, scope) and views.is_whole(Order, account, scope):
        return beside_now(call.engine, order, call.now_us)
    matches: list[PreventedMatch] = []
    if number is not None:
        query = Query(account=account, scope=scope, first_id=number, last_id=number)
        matches = await call.records(PreventedMatch, query)
    parent: Order | None = None
    if order.terms.parent and not order.terms.parent_name:
        parent = await call.order(scope, order.terms.parent, None)
    return Beside(
        _met(order, matches),
        _parent_name(order, parent),
        _closes(call.engine, order),
        trails_at(call.engine, order, call.now_us),
    )


def _parent_name(order: Order, parent: Order | None) -> str:
    """As the terms have it; older journals do not, and then it is what the parent says, if it is known."""
    if order.terms.parent_name or parent is None:
        return order.terms.parent_name
    return parent.client_id


def _closes(engine: Engine, order: Order) -> Decimal:
    if order.quantity is not None or order.is_ended or not order.terms.close_position:
        return ZERO
    return abs(engine.state.position(order.account, order.instrument, order.terms.leg).quantity)


def trails_at(engine: Engine, order: Order, now_us: int) -> Decimal | None:
    """At which price a stop is triggered, or was, that has begun to follow the market; of others None."""
    trigger = order.terms.trigger
    if trigger is None or not order.trailing:
        return None
    with exact():
        best = order.seen
        if order.asleep:
            waiting = engine.state.markets[order.instrument].waiting(trigger.source)
            best = waiting.trailing_extreme(order, now_us)
        return None if best is None else trigger.fires_at(order.side, best)


def _met(order: Order, matches: Iterable[PreventedMatch]) -> OrderId | None:
    if order.end_reason is not EndReason.SELF_TRADE:
        return None
    for record in matches:
        event = record.event
        if event.match == order.prevented_match:
            return event.maker if event.taker == order.id else event.taker
    return None
