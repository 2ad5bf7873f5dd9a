"""What becomes of orders that may only reduce: they end or shrink with their position, and those that are
larger than one order may be go on as others."""

from __future__ import annotations

from decimal import Decimal

from msgspec.structs import replace

from emulator.core import commands as c
from emulator.core import events as e
from emulator.core.checks import at_once, check_counts, check_status
from emulator.core.coverage import reducible
from emulator.core.decisions import contracts
from emulator.core.decisions.decision import Decision
from emulator.core.instruments import SELL, Instrument
from emulator.core.numbers import ZERO
from emulator.core.orders import OF_POSITIONS, EndReason, Order, OrderStatus
from emulator.core.positions import Leg
from emulator.core.rejections import Rejection
from emulator.core.rules import EngineRules
from emulator.core.state import Account, State


def drop_reducing(state: State, rules: EngineRules, command: c.DropReducing, now_us: int) -> Decision:
    account, symbol = state.accounts[command.account], command.instrument
    gone: list[e.Event] = []
    for order in account.open_orders.values():
        terms = order.terms
        # One that waits for its price may find another position then, unless it stands for this one.
        if order.instrument != symbol or not terms.reduces:
            continue
        is_stop = terms.role in OF_POSITIONS
        if not (order.resting or terms.close_position or is_stop):
            continue
        position = account.positions.get((symbol, terms.leg))
        if position is None or (position.quantity > ZERO) is not (order.side is SELL):
            reason = EndReason.POSITION_CLOSED if is_stop else EndReason.NOTHING_TO_REDUCE
            gone.append(e.OrderExpired(order=order.id, reason=reason))
    contract = state.markets[symbol].instrument.contract
    if contract is not None and contract.trims_reducing:
        for leg in Leg:
            gone += _trimmed(account, symbol, leg, state.next_execution + len(gone))
    return gone


def _trimmed(account: Account, symbol: str, leg: Leg, execution: int) -> list[e.Event]:
    """What becomes of orders in the book that would reduce more of a position than there is left of it."""
    position = account.positions.get((symbol, leg))
    if position is None:
        return []
    listed = [
        order
        for order in account.open_orders.values()
        if order.resting
        and order.instrument == symbol
        and order.terms.leg is leg
        and order.terms.reduces
        and (order.side is SELL) is (position.quantity > ZERO)
    ]
    beyond = sum((order.remaining for order in listed), ZERO) - abs(position.quantity)
    events: list[e.Event] = []
    for order in reversed(listed):
        if beyond <= ZERO:
            break
        if order.remaining <= beyond:
            events.append(e.OrderExpired(order=order.id, reason=EndReason.MADE_WAY))
        else:
            assert order.quantity is not None
            events.append(
                e.OrderAmended(
                    order=order.id,
                    execution=execution + len(events),
                    quantity=order.quantity - beyond,
                    client_id=order.client_id,
                )
            )
        beyond -= order.remaining
    return events


def rest_of(state: State, instrument: Instrument, order: Order) -> Decimal:
    """How much an order that was placed or triggered just now should have been larger than one may be."""
    terms, piece = order.terms, order.quantity
    if piece is None or order.status is OrderStatus.DORMANT or piece != at_once(instrument, terms.type):
        return ZERO
    if terms.quantity is None and terms.role not in OF_POSITIONS:
        return ZERO  # What closes all that there is does so as far as one order can.
    if terms.close_on_trigger:
        # Whoever is in its way ends.
        position = state.position(order.account, order.instrument, terms.leg)
        most = abs(position.quantity)
    else:
        most = reducible(state, state.accounts[order.account], instrument, terms, without=order)
    asked = most if terms.quantity is None else min(terms.quantity, most)
    return max(asked - piece, ZERO)


def split(state: State, rules: EngineRules, command: c.SplitReducing, now_us: int) -> Decision:
    """Place the rest as one more order, which has no name and waits for nothing."""
    account, market = state.accounts[command.account], state.markets[command.instrument]
    instrument = market.instrument
    terms = replace(
        command.terms,
        quantity=command.quantity,
        price=command.price,
        trigger=None,
        peg=None,
        client_id="",
        close_position=False,
        attached=None,
    )
    if check_status(instrument, now_us) or check_counts(state, account, instrument, (terms,)):
        return []
    decision = contracts.enter_new(state, rules, account, market, terms, command.price, now_us)
    return [] if isinstance(decision, Rejection) else decision
