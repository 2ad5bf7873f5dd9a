"""What events make of orders' history: which there are, their fills and changes, and when they are over."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from emulator.core import events as e
from emulator.core.accounting import Accounting
from emulator.core.history import Amendment, Fill, PreventedMatch
from emulator.core.ids import MARKET_ORDER, NO_LIST
from emulator.core.instruments import BUY
from emulator.core.numbers import ZERO
from emulator.core.orders import Order
from emulator.core.views.names import add_name, rename

if TYPE_CHECKING:
    from emulator.core.views.views import Views


def placed(views: Views, event: e.OrderPlaced) -> None:
    order = views.state.orders[event.order]
    views.orders[order.id] = order
    key = (event.account, event.instrument)
    ids = views.order_ids.get(key)
    if ids is None:
        views.order_ids[key] = [order.id]
    else:
        ids.append(order.id)
    if order.client_id:
        named = (event.account, event.instrument, order.client_id)
        if views.client_ids.setdefault(named, order.id) != order.id:
            add_name(views, named, order.id)


def closed(views: Views, event: e.OrderSucceeded | e.OrderCanceled | e.OrderExpired) -> None:
    if views.is_taken:
        _end(views, views.orders[event.order])


def _end(views: Views, order: Order) -> None:
    """An order that just changed becomes a record if that was its end; until then it is state."""
    if not order.is_ended:
        return
    views.fresh.append(order)
    if views.closed and order.id in views.closed:
        views.record(views.closed[order.id])
    # What a list names stays as long as the list, which says when its legs may go.
    if order.list_id == NO_LIST:
        views.aging.append(order)


def traded(views: Views, event: e.TradeExecuted) -> None:
    taker = (event.taker, event.taker_fee, event.taker_fee_asset, False)
    maker = (event.maker, event.maker_fee, event.maker_fee_asset, True)
    # Ascending, as by their keys, should both be of one account.
    for order_id, fee, asset, is_maker in (taker, maker) if event.taker < event.maker else (maker, taker):
        if order_id != MARKET_ORDER:
            _filled(views, views.orders[order_id], event, fee, asset, is_maker=is_maker)


def taken_over(views: Views, event: e.PositionTakenOver) -> None:
    order = views.orders[event.order]
    _filled(views, order, event, event.fee, order.hold_asset, is_maker=False)


def deleveraged(views: Views, event: e.AutoDeleveraged) -> None:
    for one, fee in ((event.order, event.fee), (event.counter, event.counter_fee)):
        order = views.orders[one]
        _filled(views, order, event, fee, order.hold_asset, is_maker=one == event.counter)


def _filled(
    views: Views, order: Order, event: e.Filling, fee: Decimal, asset: str, *, is_maker: bool
) -> None:
    realised = views.state.realised
    fill = Fill(
        event.trade,
        order.id,
        order.account,
        order.list_id,
        event.instrument,
        event.price,
        event.quantity,
        event.amount,
        fee,
        asset,
        views.now_us,
        order.terms.side is BUY,
        is_maker,
        realised.pop(order.id, ZERO) if realised else ZERO,
        order.terms.leg,
    )
    if views.accounting is not None:
        fill = _in_full(views, views.accounting, fill, order)
    views.fills.setdefault((order.account, event.instrument), []).append(fill)
    views.fills_of.setdefault(order.id, []).append(fill)
    if views.is_taken:
        views.record(fill)
        _end(views, order)


def _in_full(views: Views, accounting: Accounting, fill: Fill, order: Order) -> Fill:
    """With all that an execution tells, and what the order closed by now is noted."""
    fill, closing = accounting.fill(fill, order, views.now_us)
    if closing is not None:
        before = views.closed.get(order.id)
        if before is None:
            views.closed_ids.setdefault((order.account, order.instrument), []).append(order.id)
        views.closed[order.id] = accounting.closed(before, fill, order, closing)
    return fill


def prevented(views: Views, event: e.MatchPrevented) -> None:
    taker, maker = views.orders[event.taker], views.orders[event.maker]
    for order in (taker, maker) if taker.id < maker.id else (maker, taker):
        match = PreventedMatch(event, order.id, order.account, taker.trade_group, views.now_us)
        views.prevented.setdefault((order.account, event.instrument), []).append(match)
        if views.is_taken:
            views.record(match)
    if views.is_taken:
        for order, quantity in ((taker, event.taker_prevented), (maker, event.maker_prevented)):
            if quantity:
                _end(views, order)


def will_amend(views: Views, event: e.OrderAmended) -> None:
    """Note what the event is about to change: no other kind is noted before the state applies it."""
    order = views.orders[event.order]
    amendment = Amendment(
        order.id,
        order.account,
        order.instrument,
        event.execution,
        order.client_id,
        event.client_id,
        order.quantity or ZERO,
        event.quantity or ZERO,
        views.now_us,
        order.price,
        order.price if event.price is None else event.price,
        order.amend_count + 1,
        event.reference,
    )
    views.amendments.setdefault(order.id, []).append(amendment)
    if views.is_taken:
        views.record(amendment)
    if event.client_id != order.client_id:
        rename(views, order, event.client_id)


def list_placed(views: Views, event: e.OrderListPlaced) -> None:
    views.lists[event.order_list] = views.state.lists[event.order_list]
    views.list_ids.setdefault(event.account, []).append(event.order_list)


def list_ended(views: Views, event: e.OrderListEnded) -> None:
    if not views.is_taken:
        return
    views.record(views.list_record(views.lists[event.order_list]))
    # Behind the list, so that as long as it is here, its legs are.
    legs = (views.orders[leg] for leg in views.lists[event.order_list].orders)
    views.aging += [leg for leg in legs if leg.is_ended]
