"""What is told of an order beside its own record: what it has cost, whom it met, and what it follows upon."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Final, NamedTuple

from emulator.core.engine import Engine
from emulator.core.history import Fill, PreventedMatch, Query
from emulator.core.ids import OrderId
from emulator.core.numbers import ZERO, exact
from emulator.core.orders import EndReason, Order
from emulator.web.contract import Call

FILLS_MAX: Final = 1000
"""How many are read at once of an order that is not in memory."""


class Beside(NamedTuple):
    """fees: by coin; below zero: a rebate. met: the order of the same owner that it was ended by. parent: the
    client's own name for the order that brought this one along. closes: how much there is now of what an
    order without a quantity waits to close. trails_at: at which price one is triggered, or was, that began to
    follow the price."""

    fees: Mapping[str, Decimal]
    met: OrderId | None = None
    parent: str = ""
    closes: Decimal = ZERO
    trails_at: Decimal | None = None


def beside_now(engine: Engine, order: Order, now_us: int | None = None) -> Beside:
    """Of an order whose trades are in memory. now_us: None: of one that changed just now."""
    views = engine.views
    parent = views.orders.get(order.terms.parent)
    matches = views.prevented.get((order.account, order.instrument), ())
    return Beside(
        fees_of(views.fills_of.get(order.id, ())) if order.executed else {},
        _met(order, reversed(matches)),
        "" if parent is None else parent.client_id,
        _closes(engine, order),
        trails_at(engine, order, engine.views.now_us if now_us is None else now_us),
    )


async def beside(call: Call, order: Order) -> Beside:
    """Of any order, from memory or from the archive."""
    if call.engine.views.is_whole(Fill, order.account, order.instrument):
        return beside_now(call.engine, order, call.now_us)
    account, scope, number = order.account, order.instrument, order.prevented_match
    fills: list[Fill] = []
    if order.executed:
        query = Query(account=account, scope=scope, part=order.id, limit=FILLS_MAX)
        fills = await call.records(Fill, query)
    matches: list[PreventedMatch] = []
    if number is not None:
        query = Query(account=account, scope=scope, first_id=number, last_id=number)
        matches = await call.records(PreventedMatch, query)
    parent: Order | None = None
    if order.terms.parent:
        parent = await call.order(scope, order.terms.parent, None)
    name = "" if parent is None else parent.client_id
    return Beside(
        fees_of(fills),
        _met(order, matches),
        name,
        _closes(call.engine, order),
        trails_at(call.engine, order, call.now_us),
    )


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


def fees_of(fills: Iterable[Fill]) -> dict[str, Decimal]:
    """What trades have cost, by coin."""
    fees: dict[str, Decimal] = {}
    with exact():
        for fill in fills:
            if fill.fee:
                fees[fill.fee_asset] = fees.get(fill.fee_asset, ZERO) + fill.fee
    return fees
