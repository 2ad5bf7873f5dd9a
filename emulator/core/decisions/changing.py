"""Canceling and amending what is open."""

from __future__ import annotations

from typing import Final

from emulator.core import commands as c
from emulator.core import events as e
from emulator.core import rejections as r
from emulator.core.checks import (
    check_notional,
    check_quantity,
    check_status,
)
from emulator.core.decisions.decision import Decision
from emulator.core.ids import NO_LIST
from emulator.core.orders import EndReason, Order, OrderStatus
from emulator.core.rejections import Feature, Limit, Rejection
from emulator.core.rules import EngineRules
from emulator.core.state import State

SCATTER: Final = 2_654_435_761
"""Times this, modulo 2**32, numbers that follow each other lie far apart (Fibonacci hashing)."""


def find(
    state: State, account_id: int, instrument: str, order: int | None, client_id: str | None
) -> Order | Rejection:
    """An open order by its id, by its client id, or by both."""
    if client_id is not None:
        named = state.client_ids.get((account_id, instrument, client_id))
        if order is not None:
            found = state.orders.get(order)
            if found is not None and found.client_id != client_id and found.account == account_id:
                return r.OrderIdsDisagree()
        else:
            order = named
    if order is None:
        return r.UnknownOrder()
    one = state.orders.get(order)
    if one is None or one.account != account_id or one.instrument != instrument:
        return r.UnknownOrder()
    return one


def cancel_order(state: State, rules: EngineRules, command: c.CancelOrder, now_us: int) -> Decision:
    order = find(state, command.account, command.instrument, command.order, command.client_id)
    if isinstance(order, Rejection):
        return order
    match command.restriction:
        case c.CancelRestriction.ONLY_NEW if order.executed:
            return r.CancelRestricted()
        case c.CancelRestriction.ONLY_PARTIALLY_FILLED if not order.executed:
            return r.CancelRestricted()
        case _:
            pass
    return [
        e.OrderCanceled(order=one.id, cancel_client_id=command.cancel_client_id)
        for one in _with_list(state, order)
    ]


def _with_list(state: State, order: Order) -> list[Order]:
    """The order, or all live legs of its list, in the list's order."""
    if order.list_id == NO_LIST:
        return [order]
    return [state.orders[leg] for leg in state.lists[order.list_id].orders if leg in state.orders]


def cancel_all(state: State, rules: EngineRules, command: c.CancelAllOrders, now_us: int) -> Decision:
    account = state.accounts.get(command.account)
    if account is None:
        return r.UnknownAccount(account=command.account)
    if command.instrument not in state.markets:
        return r.UnknownInstrument(instrument=command.instrument)
    listed = [order for order in account.open_orders.values() if order.instrument == command.instrument]
    if command.dormant is not None:
        listed = [one for one in listed if (one.status is OrderStatus.DORMANT) is command.dormant]
    if command.detached is not None:
        listed = [one for one in listed if one.terms.detached is command.detached]
    if not listed:
        return r.UnknownOrder()
    return [e.OrderCanceled(order=order.id, cancel_client_id=command.cancel_client_id) for order in listed]


def cancel_several(state: State, rules: EngineRules, command: c.CancelOrders, now_us: int) -> Decision:
    account = state.accounts.get(command.account)
    if account is None:
        return r.UnknownAccount(account=command.account)
    chosen = frozenset(command.instruments)
    listed = [
        order
        for order in account.open_orders.values()
        if order.instrument in chosen
        and (command.dormant is None or (order.status is OrderStatus.DORMANT) is command.dormant)
        and (command.detached is None or order.terms.detached is command.detached)
        and (command.listed is None or order.in_list is command.listed)
        and (command.roles is None or order.terms.role in command.roles)
    ]
    orders_max = command.orders_max
    if orders_max is not None and len(listed) > orders_max:
        listed.sort(key=lambda order: order.id * SCATTER % 2**32)
    gone: dict[int, None] = {}
    for order in listed:
        more = [one.id for one in _with_list(state, order) if one.id not in gone]
        if orders_max is None or len(gone) + len(more) <= orders_max:
            gone.update(dict.fromkeys(more))
    return [e.OrderCanceled(order=order, cancel_client_id="") for order in gone]


def end_several(state: State, rules: EngineRules, command: c.EndOrders, now_us: int) -> Decision:
    account = state.accounts.get(command.account)
    if account is None:
        return r.UnknownAccount(account=command.account)
    chosen = frozenset(command.instruments)
    return [
        e.OrderExpired(order=order.id, reason=command.reason)
        for order in account.open_orders.values()
        if order.instrument in chosen
        and (command.dormant is None or (order.status is OrderStatus.DORMANT) is command.dormant)
    ]


def set_countdown(state: State, rules: EngineRules, command: c.SetCountdown, now_us: int) -> Decision:
    market = state.markets.get(command.instrument)
    if command.account not in state.accounts:
        return r.UnknownAccount(account=command.account)
    if market is None:
        return r.UnknownInstrument(instrument=command.instrument)
    at_us = command.at_us
    if at_us is not None:
        if at_us <= now_us:
            return r.TimePassed(at_us=at_us)
        closed = check_status(market.instrument, now_us)
        if closed is not None:
            return closed
    if market.countdowns.get(command.account) == at_us:
        return []
    return [e.CountdownSet(account=command.account, instrument=command.instrument, at_us=at_us)]


def cancel_list(state: State, rules: EngineRules, command: c.CancelOrderList, now_us: int) -> Decision:
    list_id = command.order_list
    if list_id is None and command.client_id is not None:
        list_id = state.list_client_ids.get((command.account, command.instrument, command.client_id))
    order_list = None if list_id is None else state.lists.get(list_id)
    if (
        order_list is None
        or order_list.account != command.account
        or order_list.instrument != command.instrument
    ):
        return r.UnknownOrderList()
    if command.client_id is not None and command.client_id != order_list.client_id:
        return r.OrderIdsDisagree()
    return [
        e.OrderCanceled(order=leg, cancel_client_id=command.cancel_client_id)
        for leg in order_list.orders
        if leg in state.orders
    ]


def amend(state: State, rules: EngineRules, command: c.AmendOrder, now_us: int) -> Decision:
    order = find(state, command.account, command.instrument, command.order, command.client_id)
    if isinstance(order, Rejection):
        return order
    market = state.markets[order.instrument]
    instrument = market.instrument
    if not instrument.amends:
        return r.FeatureOff(feature=Feature.AMEND)
    if order.quantity is None:
        return r.AmendPendingFunded()
    if command.quantity > order.quantity:
        return r.AmendIncreases()
    client_id = command.new_client_id or order.client_id
    if command.quantity == order.quantity:
        return r.AmendChangesNothing()
    rejection = check_quantity(
        instrument, command.quantity, post_only=order.terms.post_only
    ) or check_notional(market, order.terms, order.price, command.quantity, now_us)
    if rejection is not None:
        return rejection
    taken = state.client_ids.get((order.account, order.instrument, client_id))
    if taken is not None and taken != order.id:
        return r.DuplicateClientId(client_id=client_id)
    if 0 < instrument.amends_max <= order.amend_count:
        return r.LimitBroken(limit=Limit.AMENDS)
    if command.quantity <= order.executed + order.prevented:
        return [e.OrderExpired(order=order.id, reason=EndReason.NONE, execution=state.next_execution)]
    # Legs that cancel each other keep one quantity (order_amend_keep_priority.md).
    return [
        e.OrderAmended(
            order=one.id,
            execution=state.next_execution + ordinal,
            quantity=command.quantity,
            client_id=client_id if one is order else one.client_id,
        )
        for ordinal, one in enumerate((order, *state.siblings(order)))
    ]
