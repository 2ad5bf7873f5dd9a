"""Choosing a leverage, for all of an account's positions in a contract or for one leg of them."""

from __future__ import annotations

from decimal import Decimal

from msgspec.structs import replace

from emulator.core import commands as c
from emulator.core import events as e
from emulator.core import rejections as r
from emulator.core.checks import check_status
from emulator.core.contracts import Contract, initial_margin, value_max
from emulator.core.coverage import collateral, mark_price, resting, spendable
from emulator.core.decisions.contracts import contract_of
from emulator.core.decisions.decision import Decision
from emulator.core.instruments import Instrument
from emulator.core.margin import maintenance, margin_value, requirement
from emulator.core.numbers import ONE, ZERO
from emulator.core.orders import OrderTerms
from emulator.core.positions import Leg, MarginMode, Position, unrealised
from emulator.core.rejections import Obstacle, Rejection, Setting
from emulator.core.rules import EngineRules, LeverageScope
from emulator.core.state import Account, Choice, State


def set_leverage(state: State, rules: EngineRules, command: c.SetLeverage, now_us: int) -> Decision:
    found = contract_of(state, command.account, command.instrument)
    if isinstance(found, Rejection):
        return found
    account, instrument, contract = found
    closed = check_status(instrument, now_us)
    if closed is not None:
        return closed
    symbol = instrument.symbol
    chosen = state.choice(account.id, symbol)
    wanted = _wanted(state, rules, account, contract, command, chosen)
    if isinstance(wanted, Rejection):
        return wanted
    for leverage in wanted.values():
        refused = _check_range(contract, leverage)
        if refused is not None:
            return refused
    wanted = {leg: leverage for leg, leverage in wanted.items() if chosen.leverage_of(leg) != leverage}
    if not wanted:
        return r.SettingUnchanged(setting=Setting.LEVERAGE)
    blocked = r.SettingBlocked(setting=Setting.LEVERAGE, obstacle=Obstacle.POSITION)
    moved: dict[Leg, Decimal] = {}
    for leg, leverage in wanted.items():
        position = account.positions.get((symbol, leg))
        if position is None or position.mode is not MarginMode.ISOLATED:
            continue
        if rules.margin.leverage_scope is LeverageScope.ISOLATED_ORDER:
            # It has that of the orders that opened it.
            return blocked
        if rules.margin.refits_isolated:
            moved[leg] = _refit(contract, position, leverage)
        elif leverage < position.leverage:
            # It is covered by what was put up for it, and that was for the leverage of then.
            return blocked
    refused = _check(state, rules, account, instrument, contract, wanted, moved, now_us)
    if refused is not None:
        return refused
    chosen_for = {None: command.leverage} if command.leg is None else wanted
    return [
        *(
            e.LeverageSet(account=account.id, instrument=symbol, leverage=leverage, leg=leg)
            for leg, leverage in chosen_for.items()
        ),
        # What is given back comes first, as it may be what is put up.
        *(
            e.MarginMoved(account=account.id, instrument=symbol, leg=leg, amount=amount)
            for leg, amount in sorted(moved.items(), key=lambda one: one[1])
            if amount
        ),
    ]


def check_own(
    state: State, rules: EngineRules, account: Account, instrument: Instrument, terms: OrderTerms
) -> Rejection | None:
    """Whether an order that names a leverage may have one of its own, and this one."""
    leverage, contract = terms.leverage, instrument.contract
    if leverage is None:
        return None
    if contract is None:
        return r.NotAContract(instrument=instrument.symbol)
    is_isolated = state.choice(account.id, instrument.symbol).mode is MarginMode.ISOLATED
    if rules.margin.leverage_scope is not LeverageScope.ISOLATED_ORDER or not is_isolated:
        return r.LeverageShared()
    return _check_range(contract, leverage)


def _wanted(
    state: State,
    rules: EngineRules,
    account: Account,
    contract: Contract,
    command: c.SetLeverage,
    chosen: Choice,
) -> dict[Leg, Decimal] | Rejection:
    leg = command.leg
    if leg is None:
        assert command.opposite is None, "opposite to no leg"
        return dict.fromkeys(Leg, command.leverage)
    if leg is Leg.BOTH or not state.is_hedged(account.id, command.instrument):
        return r.LegWrong()
    scope = rules.margin.leverage_scope
    if scope is not LeverageScope.ISOLATED_LEG or chosen.mode is not MarginMode.ISOLATED:
        return r.LeverageShared()
    wanted: dict[Leg, Decimal] = {leg: command.leverage}
    if command.opposite is not None:
        wanted[Leg.SHORT if leg is Leg.LONG else Leg.LONG] = command.opposite
    return wanted


def _check_range(contract: Contract, leverage: Decimal) -> Rejection | None:
    most = contract.tiers[0].leverage_max
    return None if ONE <= leverage <= most else r.LeverageInvalid(leverage=leverage, most=most)


def _refit(contract: Contract, position: Position, leverage: Decimal) -> Decimal:
    """How much margin an isolated position takes, or gives back, if below zero, at another leverage."""
    cost = position.direction * position.cost
    return initial_margin(contract, cost, leverage) - initial_margin(contract, cost, position.leverage)


def _check(
    state: State,
    rules: EngineRules,
    account: Account,
    instrument: Instrument,
    contract: Contract,
    wanted: dict[Leg, Decimal],
    moved: dict[Leg, Decimal],
    now_us: int,
) -> Rejection | None:
    """Whether what there is already may be held at another leverage, and is covered then."""
    mark = mark_price(state.markets[instrument.symbol], now_us)
    needed, settle = sum(moved.values(), ZERO), contract.settle
    for leg, leverage in wanted.items():
        position = state.position(account.id, instrument.symbol, leg)
        beside = resting(state, account, instrument, leg)
        held, most = margin_value(contract, position, mark), value_max(contract, leverage)
        value = max(held + beside.bids, beside.asks - held)
        if value > most:
            return r.PositionTooLarge(leverage=leverage, value=value, most=most)
        now = requirement(contract, position, mark, beside)
        then = requirement(contract, replace(position, leverage=leverage), mark, beside)
        is_cross = position.mode is MarginMode.CROSS
        needed += then.total - now.total if is_cross else then.orders - now.orders
        after = replace(position, margin=position.margin + moved.get(leg, ZERO))
        spare = position.margin + min(ZERO, unrealised(contract, position, mark))
        spare -= maintenance(contract, after, mark)
        if -moved.get(leg, ZERO) > max(ZERO, spare):
            return r.MarginNeeded(asset=settle, spare=max(ZERO, spare))
    available = collateral(state, rules, account, contract.wallet, now_us).available(settle)
    if needed > available:
        return r.InsufficientMargin(asset=settle, needed=needed, available=available)
    put_up = sum(moved.values(), ZERO)
    if put_up > ZERO:
        free = spendable(state, rules, account, contract.wallet, settle, now_us)
        if put_up > free:
            return r.InsufficientMargin(asset=settle, needed=put_up, available=free)
    return None
