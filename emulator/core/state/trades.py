"""Folds of trades, and of those that were prevented: what they make of orders and of balances.

What a trade makes of a position is said in `positions`.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from emulator.core import events as e
from emulator.core.ids import MARKET_ORDER, NO_LIST
from emulator.core.instruments import BUY, SELL, Instrument
from emulator.core.ledger import FEES, MARKET
from emulator.core.numbers import ZERO
from emulator.core.orders import EndReason, Order, OrderStatus
from emulator.core.prints import Print
from emulator.core.state.markets import consume, lay
from emulator.core.state.open_orders import close, rebook, rehold, shrink
from emulator.core.state.positions import part_with, settle_fill
from emulator.core.tape import Market

if TYPE_CHECKING:
    from emulator.core.state.state import State


_PARTIALLY_FILLED, _FILLED = OrderStatus.PARTIALLY_FILLED, OrderStatus.FILLED


def trade_executed(state: State, event: e.TradeExecuted, now_us: int) -> None:
    market = state.markets[event.instrument]
    instrument = market.instrument
    if event.feed_price is not None:
        side = event.taker_side.opposite if event.maker == MARKET_ORDER else event.taker_side
        consume(market, side, event.feed_price, event.feed_since_us, event.quantity)
    if event.taker != MARKET_ORDER:
        taker = state.orders[event.taker]
        _fill(state, instrument, taker, event, event.taker_fee, event.taker_fee_asset, now_us)
    if event.maker != MARKET_ORDER:
        maker = state.orders[event.maker]
        _fill(state, instrument, maker, event, event.maker_fee, event.maker_fee_asset, now_us)
    lay(
        state,
        market,
        Print(
            event.trade,
            now_us,
            event.price,
            event.quantity,
            event.amount,
            event.taker_side is SELL,
        ),
    )
    market.changes += 1


def position_taken_over(state: State, event: e.PositionTakenOver, now_us: int) -> None:
    order, market = state.orders[event.order], state.markets[event.instrument]
    _fill(state, market.instrument, order, event, event.fee, order.hold_asset, now_us)
    if event.by_fund:
        part_with(state, event, order.side)
    _number(state, market, event.trade, now_us)


def auto_deleveraged(state: State, event: e.AutoDeleveraged, now_us: int) -> None:
    market = state.markets[event.instrument]
    for one, fee in ((event.order, event.fee), (event.counter, event.counter_fee)):
        order = state.orders[one]
        _fill(state, market.instrument, order, event, fee, order.hold_asset, now_us)
    _number(state, market, event.trade, now_us)


def _number(state: State, market: Market, trade: int, now_us: int) -> None:
    """A trade that the public is not told of takes its number, and moves nothing."""
    lay(state, market, Print(trade, now_us, market.last_price(now_us), ZERO, ZERO, buyer_is_maker=False))


def _fill(
    state: State,
    instrument: Instrument,
    order: Order,
    event: e.Filling,
    fee: Decimal,
    fee_asset: str,
    now_us: int,
) -> None:
    ledger, account, wallet = state.ledger, order.account, order.wallet
    quantity, amount = event.quantity, event.amount
    state.next_execution += 1
    order.executed += quantity
    order.executed_amount += amount
    order.updated_us = now_us
    if fee:
        order.fees = _added(order.fees, fee_asset, fee)
    done = not order.remaining
    order.status = _FILLED if done else _PARTIALLY_FILLED
    if order.resting:
        shrink(state, order, quantity, now_us)
    if instrument.contract is not None:
        settle_fill(state, instrument, instrument.contract, order, event, fee, fee_asset, now_us)
        rebook(state, order)
        if done:
            close(state, order)
        return
    # What the fill pays was held; release it first, then pay from what is free.
    rehold(state, order)
    if wallet in state.margin_wallets:
        state.disturbed[account] = None
    if order.terms.side is BUY:
        ledger.pay(account, wallet, instrument.quote, amount, MARKET)
        ledger.receive(account, wallet, instrument.base, quantity, MARKET)
    else:
        ledger.pay(account, wallet, instrument.base, quantity, MARKET)
        ledger.receive(account, wallet, instrument.quote, amount, MARKET)
    if order.list_id != NO_LIST:
        _list_fill(state, order, quantity, fee if fee_asset == instrument.base else ZERO)
    if fee:
        ledger.pay(account, wallet, fee_asset, fee, FEES)
    if done:
        close(state, order)


def _added(
    fees: tuple[tuple[str, Decimal], ...], asset: str, fee: Decimal
) -> tuple[tuple[str, Decimal], ...]:
    if not fees:
        return ((asset, fee),)
    sums = dict(fees)
    sums[asset] = sums.get(asset, ZERO) + fee
    return tuple(sums.items())


def _list_fill(state: State, order: Order, quantity: Decimal, base_fee: Decimal) -> None:
    """Lock what the working order of a funded list received."""
    order_list = state.lists[order.list_id]
    if not order_list.funded or order.id != order_list.orders[0]:
        return
    base = order_list.hold_asset
    free = state.ledger.free(order.account, order.wallet, base)
    # The fee is taken from other free funds when there are enough, else from the proceeds;
    # always from the proceeds when these are in the discount asset (opo.md of the docs).
    is_spared = base != state.discount_asset and free - quantity >= base_fee
    locked = quantity if is_spared else quantity - base_fee
    state.ledger.hold(order.account, order.wallet, base, locked)
    order_list.held += locked
    order_list.received += locked


def match_prevented(state: State, event: e.MatchPrevented, now_us: int) -> None:
    market = state.markets[event.instrument]
    market.prevented = event.match + 1
    sides: list[Order] = []
    for order_id, quantity in (
        (event.taker, event.taker_prevented),
        (event.maker, event.maker_prevented),
    ):
        if not quantity:
            continue  # Nor need it be open any more: a budget may be spent when it meets a maker.
        order = state.orders[order_id]
        state.next_execution += 1
        sides.append(order)
        order.prevented_match = event.match
        order.updated_us = now_us
        order.prevented += quantity
        if order.resting:
            shrink(state, order, quantity, now_us)
            if market.marks is not None:
                rebook(state, order)
        rehold(state, order)
        if not order.remaining:
            order.status = OrderStatus.EXPIRED_IN_MATCH
            order.end_reason = EndReason.SELF_TRADE
            close(state, order)
    if event.transferred:
        assert market.instrument.contract is None, "contracts do not change hands without a trade"
        # What was prevented is no longer held; it changes hands without a trade and without fees.
        taker, maker = sides
        buyer, seller = (taker, maker) if taker.side is BUY else (maker, taker)
        bought, sold = (buyer.account, buyer.wallet), (seller.account, seller.wallet)
        state.disturb(buyer.account, buyer.wallet)
        state.disturb(seller.account, seller.wallet)
        instrument = market.instrument
        state.ledger.move(instrument.base, event.transferred, sold, bought)
        if event.transferred_amount:
            state.ledger.move(instrument.quote, event.transferred_amount, bought, sold)
    market.changes += 1
