"""Folds of order lists: their beginning and their end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from emulator.core import events as e
from emulator.core.ids import NO_LIST
from emulator.core.numbers import ZERO
from emulator.core.order_lists import ListStatus, OrderList
from emulator.core.state.open_orders import counts_of

if TYPE_CHECKING:
    from emulator.core.state.state import State


def order_list_placed(state: State, event: e.OrderListPlaced, now_us: int) -> None:
    instrument = state.markets[event.instrument].instrument
    account = state.accounts[event.account]
    order_list = OrderList(
        id=event.order_list,
        account=event.account,
        wallet=event.wallet,
        instrument=event.instrument,
        kind=event.kind,
        funded=event.funded,
        client_id=event.client_id,
        orders=event.orders,
        hold_asset=instrument.base,
        created_us=now_us,
        updated_us=now_us,
    )
    state.next_list = event.order_list + 1
    state.lists[order_list.id] = order_list
    account.open_lists[order_list.id] = order_list
    if event.client_id:
        state.list_client_ids[event.account, event.instrument, event.client_id] = order_list.id
    counts_of(state, event.account, event.instrument).lists += 1


def order_list_ended(state: State, event: e.OrderListEnded, now_us: int) -> None:
    order_list = state.lists.pop(event.order_list)
    for leg in order_list.orders:
        if leg in state.orders:
            state.orders[leg].list_id = NO_LIST
    order_list.status = ListStatus.DONE
    order_list.updated_us = now_us
    if order_list.held:
        state.ledger.hold(order_list.account, order_list.wallet, order_list.hold_asset, -order_list.held)
        order_list.held = ZERO
        state.disturb(order_list.account, order_list.wallet)
    del state.accounts[order_list.account].open_lists[order_list.id]
    if order_list.client_id:
        state.list_client_ids.pop((order_list.account, order_list.instrument, order_list.client_id), None)
    counts_of(state, order_list.account, order_list.instrument).lists -= 1
