"""What an open order is in: its hold, its place in the book, what it is worth beside a position, the counts.

Whatever changes an order keeps these right with the functions here.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from emulator.core.book import PriceQueues
from emulator.core.contracts import value_of
from emulator.core.ids import NO_LIST, AccountId
from emulator.core.instruments import BUY
from emulator.core.margin import NOTHING_RESTS, counted
from emulator.core.numbers import ZERO
from emulator.core.order_lists import OrderList
from emulator.core.orders import Order
from emulator.core.state.records import Counts
from emulator.core.state.waiting import unqueue_trigger

if TYPE_CHECKING:
    from emulator.core.state.state import State


def rehold(state: State, order: Order) -> None:
    """Make the hold of an order, or of its pair, what the rest of it requires."""
    target = state.required(order)
    if order.list_id == NO_LIST:
        if target != order.held:
            state.ledger.hold(order.account, order.wallet, order.hold_asset, target - order.held)
            order.held = target
            if order.wallet in state.margin_wallets:
                state.disturbed[order.account] = None
        return
    holder: Order | OrderList = order
    order_list = state.lists[order.list_id]
    pair = order_list.pair
    if order.id in pair:
        holder = order_list
        if order_list.received:
            return
        order_list.hold_asset = order.hold_asset
        target = max((state.required(state.orders[leg]) for leg in pair if leg in state.orders), default=ZERO)
    change = target - holder.held
    if change:
        state.ledger.hold(order.account, order.wallet, order.hold_asset, change)
        holder.held = target
        state.disturb(order.account, order.wallet)


def shrink(state: State, order: Order, quantity: Decimal, now_us: int) -> None:
    """Take `quantity` from a resting order's visible part, and show the next part of an iceberg."""
    assert order.price is not None
    market = state.markets[order.instrument]
    queues = market.bids if order.terms.side is BUY else market.asks
    visible = order.visible - quantity
    if not order.remaining:
        queues.remove(order.price, order)
        order.resting = False
        order.visible = ZERO
    elif visible > 0:
        queues.show(order.price, order, visible)
    else:
        part = order.terms.iceberg_quantity
        assert part is not None
        queues.show(order.price, order, min(order.remaining, part))
        order.queued_us = now_us
        queues.requeue(order.price, order)


def rebook(state: State, order: Order) -> None:
    """Count what an order in the book is worth by now, at its price."""
    contract = state.markets[order.instrument].instrument.contract
    assert contract is not None
    worth = ZERO
    if order.resting and not order.terms.reduces:
        assert order.price is not None
        worth = abs(value_of(contract, order.remaining, order.price))
    before = state.booked.pop(order.id, ZERO)
    if worth:
        state.booked[order.id] = worth
    if worth == before:
        return
    place, listed = (order.instrument, order.terms.leg), state.accounts[order.account].beside
    beside = counted(
        contract,
        listed.pop(place, NOTHING_RESTS),
        is_buy=order.terms.side is BUY,
        before=before,
        value=worth,
        leverage=order.terms.leverage,
    )
    if beside.bids or beside.asks:
        listed[place] = beside


def close(state: State, order: Order) -> None:
    """Take an ended order out of everything that is open."""
    market = state.markets[order.instrument]
    if order.resting:
        assert order.price is not None
        queues: PriceQueues = market.bids if order.terms.side is BUY else market.asks
        queues.remove(order.price, order)
        order.resting = False
        if market.marks is not None:
            rebook(state, order)
        market.changes += 1
    elif order.asleep:
        unqueue_trigger(order, market, order.updated_us)
    if order.terms.good_till_us is not None:
        market.deadlines.remove((order.terms.good_till_us, order.id))
    order.visible = ZERO
    del state.orders[order.id]
    rehold(state, order)
    account = state.accounts[order.account]
    del account.open_orders[order.id]
    key = (order.account, order.instrument, order.client_id)
    if state.client_ids.get(key) == order.id:
        del state.client_ids[key]
    counts = counts_of(state, order.account, order.instrument)
    counts.orders -= 1
    if order.terms.detached:
        counts.detached -= 1
    elif order.terms.trigger is not None:
        counts.triggers -= 1
    if order.terms.iceberg_quantity is not None:
        counts.icebergs -= 1


def counts_of(state: State, account: AccountId, instrument: str) -> Counts:
    """What an account has open on an instrument, from where it is counted."""
    counts = state.counts.get((account, instrument))
    if counts is None:
        counts = state.counts[account, instrument] = Counts()
    return counts
