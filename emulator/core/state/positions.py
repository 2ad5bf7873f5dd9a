"""Folds of positions: trades, funding and liquidations, and margin that is moved.

Invariant: what a wallet of contracts holds is the sum of the margins of isolated positions in it, and of
what is locked from outside; all other balance of it is free, and may be below zero.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from msgspec.structs import replace

from emulator.core import events as e
from emulator.core.contracts import Contract, rounded, value_of
from emulator.core.funding import funding_payment
from emulator.core.ids import AccountId
from emulator.core.instruments import BUY, SELL, Instrument, Side
from emulator.core.ledger import FEES, FUNDING, INSURANCE, PROFIT
from emulator.core.lifetimes import after_payment, after_trade
from emulator.core.numbers import ONE, ZERO
from emulator.core.orders import Order
from emulator.core.positions import Leg, MarginMode, Position, after_funding, after_margin, traded
from emulator.core.state.records import ChargedPlace

if TYPE_CHECKING:
    from emulator.core.state.state import State


def settle_fill(
    state: State,
    instrument: Instrument,
    contract: Contract,
    order: Order,
    event: e.Filling,
    fee: Decimal,
    fee_asset: str,
    now_us: int,
) -> None:
    """What a trade makes of a position, and of the balance that covers it."""
    ledger, account, wallet, settle = state.ledger, order.account, order.wallet, contract.settle
    order.executed_cost += abs(value_of(contract, event.quantity, event.price))
    before = state.position(account, instrument.symbol, order.terms.leg)
    change = traded(
        contract,
        before,
        quantity=event.quantity if order.terms.side is BUY else -event.quantity,
        price=event.price,
        fee=fee if fee_asset == settle else ZERO,
        leverage=order.terms.leverage,
    )
    if state.keeps_lifetimes:
        key = (account, instrument.symbol, before.leg)
        state.lifetimes[key], state.closings[order.id] = after_trade(
            contract,
            state.lifetime(*key),
            before,
            change,
            price=event.price,
            fee=fee if fee_asset == settle else ZERO,
            trade=event.trade,
            now_us=now_us,
        )
    margin = change.margin_taken - change.margin_released
    if margin:
        ledger.put_up(account, wallet, settle, margin)
    if change.realised:
        ledger.settle(account, wallet, settle, change.realised, PROFIT)
        state.realised[order.id] = change.realised
    if fee:
        ledger.settle(account, wallet, fee_asset, -fee, FEES)
    hold_position(state, account, instrument.symbol, change.position, now_us)


def hold_position(state: State, account: AccountId, symbol: str, position: Position, now_us: int) -> None:
    """From now on this is the position of its leg; a flat one is none."""
    state.disturbed[account] = None
    _keep(state, account, symbol, position, now_us)


def _keep(state: State, account: AccountId, symbol: str, position: Position, now_us: int) -> None:
    leg, positions = position.leg, state.accounts[account].positions
    key = (account, symbol, leg)
    if position.quantity:
        state.positions[key] = positions[symbol, leg] = replace(position, updated_us=now_us)
        index_position(state, account, symbol, leg)
    elif key in state.positions:
        holders = state.holders[symbol]
        del state.positions[key], positions[symbol, leg], holders[account, leg]
        if not holders:
            del state.holders[symbol]
    if state.position_listener is not None:
        state.position_listener(account, symbol, leg)


def index_position(state: State, account: AccountId, symbol: str, leg: Leg) -> None:
    """Let a position be found by its instrument."""
    holders = state.holders.get(symbol)
    if holders is None:
        holders = state.holders[symbol] = {}
    holders[account, leg] = state.positions[account, symbol, leg]


def funding_paid(state: State, event: e.FundingPaid, now_us: int) -> None:
    symbol = event.instrument
    contract = state.contract_of(symbol)
    for (account, _), position in list(state.holders[symbol].items()):
        amount = funding_payment(contract, position, mark=event.mark, rate=event.rate)
        if amount:
            _pay_funding(state, contract, account, symbol, position, amount, now_us)


def _pay_funding(
    state: State,
    contract: Contract,
    account: AccountId,
    symbol: str,
    position: Position,
    amount: Decimal,
    now_us: int,
) -> None:
    ledger, wallet, settle = state.ledger, contract.wallet, contract.settle
    of_margin = ZERO
    if position.mode is MarginMode.ISOLATED:
        # More than there is of it is paid from what is free.
        of_margin = max(amount, -position.margin)
    if of_margin < ZERO:
        ledger.put_up(account, wallet, settle, of_margin)
    ledger.settle(account, wallet, settle, amount, FUNDING)
    if of_margin > ZERO:
        ledger.put_up(account, wallet, settle, of_margin)
    if state.keeps_lifetimes:
        key = (account, symbol, position.leg)
        state.lifetimes[key] = after_payment(state.lifetime(*key), amount)
    if position.mode is MarginMode.ISOLATED:
        state.note_charge(ChargedPlace(account, wallet, settle, symbol, position.leg), -of_margin)
    if of_margin != amount:
        state.note_charge(ChargedPlace(account, wallet, settle), of_margin - amount)
    _keep(state, account, symbol, after_funding(position, amount, margin=of_margin), now_us)


def liquidation_begun(state: State, event: e.LiquidationBegun, now_us: int) -> None:
    """It says why; what is done about it is said by what follows."""


def liquidation_charged(state: State, event: e.LiquidationCharged, now_us: int) -> None:
    contract = state.contract_of(event.instrument)
    state.ledger.settle(event.account, contract.wallet, contract.settle, -event.amount, INSURANCE)
    state.disturbed[event.account] = None


def insurance_paid(state: State, event: e.InsurancePaid, now_us: int) -> None:
    state.ledger.settle(event.account, event.wallet, event.asset, event.amount, INSURANCE)
    state.disturbed[event.account] = None


def part_with(state: State, event: e.PositionTakenOver, side: Side) -> None:
    """The insurance fund parts with what it took over from an order of a side, as the event says."""
    contract = state.contract_of(event.instrument)
    direction = ONE if side is SELL else -ONE
    difference = value_of(contract, event.quantity, event.mark) - value_of(
        contract, event.quantity, event.price
    )
    gained = rounded(contract.sense * direction * difference, contract.settle_step, contract.profit_rounding)
    if gained:
        state.ledger.between(contract.settle, gained, PROFIT, INSURANCE)


def margin_moved(state: State, event: e.MarginMoved, now_us: int) -> None:
    contract = state.contract_of(event.instrument)
    position = state.positions[event.account, event.instrument, event.leg]
    state.ledger.put_up(event.account, contract.wallet, contract.settle, event.amount)
    hold_position(state, event.account, event.instrument, after_margin(position, event.amount), now_us)
