"""Folds of what becomes of an order, but for its trades."""

from __future__ import annotations

from bisect import insort
from typing import TYPE_CHECKING

from emulator.core import events as e
from emulator.core.ids import NO_LIST
from emulator.core.instruments import BUY, SELL
from emulator.core.numbers import ZERO
from emulator.core.orders import EndReason, Order, OrderStatus, OrderTerms
from emulator.core.state.holds import requirement
from emulator.core.state.open_orders import close, counts_of, rebook, rehold
from emulator.core.state.waiting import sleep, track, unqueue_trigger

if TYPE_CHECKING:
    from emulator.core.state.state import State


_NEW, _DORMANT = OrderStatus.NEW, OrderStatus.DORMANT


def order_placed(state: State, event: e.OrderPlaced, now_us: int) -> None:
    id, terms, status = event.order, event.terms, event.status
    owner, symbol = event.account, event.instrument
    market = state.markets[symbol]
    instrument = market.instrument
    account = state.accounts[owner]
    if instrument.contract is not None:
        asset = instrument.contract.settle
    else:
        asset = instrument.base if terms.side is SELL else instrument.quote
    # Fifteen keywords are as many as a call passes on directly: with more the interpreter makes a
    # dictionary of them first, which takes longer than all the rest of it.
    order = Order(
        id=id,
        account=owner,
        wallet=event.wallet,
        instrument=symbol,
        terms=terms,
        client_id=terms.client_id,
        self_trade_mode=event.self_trade_mode,
        trade_group=account.trade_group,
        quantity=event.quantity,
        price=event.price,
        status=status,
        list_id=event.order_list,
        hold_asset=asset,
        created_us=now_us,
        updated_us=now_us,
    )
    order.origin = event.origin
    order.bound = event.bound
    if status is _NEW:
        order.working_us = now_us
    state.next_order = id + 1
    state.next_execution += 1
    state.orders[id] = account.open_orders[id] = order
    if terms.client_id:
        state.client_ids[owner, symbol, terms.client_id] = id
    counts = state.counts.get((owner, symbol)) or counts_of(state, owner, symbol)
    counts.orders += 1
    if terms.detached:
        counts.detached += 1
    elif terms.trigger is not None:
        counts.triggers += 1
    if terms.iceberg_quantity is not None:
        counts.icebergs += 1
    if terms.good_till_us is not None:
        insort(market.deadlines, (terms.good_till_us, id))
        state.touched.add(symbol)
    if status is _DORMANT:
        sleep(state, order, market, event.extreme, now_us)
    if instrument.contract is not None:
        return
    if status is _NEW and event.price is not None and event.quantity and event.order_list == NO_LIST:
        # What `rehold` comes to for nearly all orders.
        held = order.held = requirement(instrument, terms.side, event.price, event.quantity)
        state.ledger.hold(owner, event.wallet, asset, held)
        if event.wallet in state.margin_wallets:
            state.disturbed[owner] = None
    else:
        rehold(state, order)


def order_rested(state: State, event: e.OrderRested, now_us: int) -> None:
    order = state.orders[event.order]
    terms, price = order.terms, order.price
    assert price is not None
    market = state.markets[order.instrument]
    visible = order.remaining
    if terms.iceberg_quantity is not None:
        visible = min(visible, terms.iceberg_quantity)
    order.resting = True
    order.queued_us = now_us
    order.visible = visible
    queues = market.bids if terms.side is BUY else market.asks
    best = queues.best
    queues.add(price, order)
    if market.marks is not None:
        rebook(state, order)
    market.changes += 1
    if queues.best is not best:
        state.touched.add(order.instrument)


def trailing_started(state: State, event: e.TrailingStarted, now_us: int) -> None:
    order = state.orders[event.order]
    market = state.markets[order.instrument]
    unqueue_trigger(order, market, now_us)
    track(state, order, market, event.extreme, now_us)


def order_triggered(state: State, event: e.OrderTriggered, now_us: int) -> None:
    order = state.orders[event.order]
    market = state.markets[order.instrument]
    unqueue_trigger(order, market, now_us)
    state.next_execution += 1
    order.status = _NEW
    order.price = event.price
    order.bound = event.bound
    if event.quantity is not None:
        order.quantity = event.quantity
    order.working_us = order.updated_us = now_us
    rehold(state, order)


def order_succeeded(state: State, event: e.OrderSucceeded, now_us: int) -> None:
    order = state.orders[event.order]
    state.next_execution += 1
    order.status = OrderStatus.TRIGGERED
    order.successor = event.successor
    order.updated_us = now_us
    close(state, order)


def order_activated(state: State, event: e.OrderActivated, now_us: int) -> None:
    order = state.orders[event.order]
    market = state.markets[order.instrument]
    order_list = state.lists[order.list_id]
    if order_list.funded and order_list.received:
        # The proceeds of the working order become ordinary holds of the legs they pay for.
        state.ledger.hold(order.account, order.wallet, order_list.hold_asset, -order_list.held)
        order_list.held = order_list.received = ZERO
    state.next_execution += 1
    order.quantity = event.quantity
    order.price = event.price
    order.status = event.status
    order.updated_us = now_us
    if event.status is _DORMANT:
        sleep(state, order, market, event.extreme, now_us)
    else:
        order.working_us = now_us
    rehold(state, order)


def order_amended(state: State, event: e.OrderAmended, now_us: int) -> None:
    order = state.orders[event.order]
    resized = event.quantity != order.quantity
    state.next_execution = event.execution + 1
    order.quantity = event.quantity
    order.amend_count += 1
    order.updated_us = now_us
    if event.client_id != order.client_id:
        state.client_ids.pop((order.account, order.instrument, order.client_id), None)
        order.client_id = event.client_id
        state.client_ids[order.account, order.instrument, order.client_id] = order.id
    if event.terms is not None:
        _give_terms(state, order, event.terms, now_us)
    if event.price is not None and not order.resting:
        order.price = event.price
    if event.reenters:
        market = state.markets[order.instrument]
        queues = market.bids if order.side is BUY else market.asks
        assert order.price is not None
        queues.remove(order.price, order)
        order.resting = False
        order.visible = ZERO
        market.changes += 1
        if market.marks is not None:
            rebook(state, order)
        if event.price is not None:
            order.price = event.price
    elif order.resting and resized:
        market = state.markets[order.instrument]
        queues = market.bids if order.side is BUY else market.asks
        assert order.price is not None
        # The hidden part of an iceberg is given up before the part that shows.
        queues.show(order.price, order, min(order.visible, order.remaining))
        if not market.instrument.amend_keeps_priority:
            order.queued_us = now_us
            queues.requeue(order.price, order)
        if market.marks is not None:
            rebook(state, order)
        market.changes += 1
    rehold(state, order)


def _give_terms(state: State, order: Order, terms: OrderTerms, now_us: int) -> None:
    """What it waits for may be another price from now on; the best price that it followed stays."""
    market = state.markets[order.instrument]
    moves = order.asleep and terms.trigger != order.terms.trigger
    if moves and not order.trailing:
        unqueue_trigger(order, market, now_us)
    order.terms = terms
    if moves and not order.trailing:
        sleep(state, order, market, None, now_us)
    elif moves:
        state.touched.add(order.instrument)


def order_canceled(state: State, event: e.OrderCanceled, now_us: int) -> None:
    order = state.orders[event.order]
    state.next_execution += 1
    order.status = OrderStatus.CANCELED
    order.end_reason = event.reason
    order.updated_us = now_us
    close(state, order)


def order_expired(state: State, event: e.OrderExpired, now_us: int) -> None:
    order = state.orders[event.order]
    order.status = (
        OrderStatus.EXPIRED_IN_MATCH if event.reason is EndReason.SELF_TRADE else OrderStatus.EXPIRED
    )
    order.end_reason = event.reason
    order.updated_us = now_us
    state.next_execution += 1
    close(state, order)


def countdown_set(state: State, event: e.CountdownSet, now_us: int) -> None:
    countdowns = state.markets[event.instrument].countdowns
    countdowns.pop(event.account, None)
    if event.at_us is not None:
        countdowns[event.account] = event.at_us
        state.touched.add(event.instrument)
