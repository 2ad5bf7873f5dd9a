"""Accounts and what moves between their wallets and the outside."""

from __future__ import annotations

from decimal import Decimal

from emulator.core import commands as c
from emulator.core import events as e
from emulator.core import rejections as r
from emulator.core.coverage import spendable
from emulator.core.decisions.decision import Decision
from emulator.core.numbers import ZERO, is_on_step
from emulator.core.rejections import Rejection
from emulator.core.rules import EngineRules
from emulator.core.state import State


def open_account(state: State, rules: EngineRules, command: c.OpenAccount, now_us: int) -> Decision:
    assert command.account not in state.accounts
    return [e.AccountOpened(account=command.account, name=command.name, trade_group=command.trade_group)]


def set_fee_payment(state: State, rules: EngineRules, command: c.SetFeePayment, now_us: int) -> Decision:
    account = state.accounts.get(command.account)
    if account is None:
        return r.UnknownAccount(account=command.account)
    wallet = command.wallet
    if wallet is not None and wallet not in state.wallets:
        return r.UnknownWallet(wallet=wallet)
    chosen = frozenset(state.wallets if wallet is None else (wallet,))
    if (chosen <= account.discounted) if command.discounted else not chosen & account.discounted:
        return []
    return [e.FeePaymentSet(account=command.account, discounted=command.discounted, wallet=wallet)]


def set_preference(state: State, rules: EngineRules, command: c.SetPreference, now_us: int) -> Decision:
    account = state.accounts.get(command.account)
    if account is None:
        return r.UnknownAccount(account=command.account)
    if account.preferences.get(command.name, "") == command.value:
        return []
    return [e.PreferenceSet(account=command.account, name=command.name, value=command.value)]


_AMOUNT_STEP = Decimal("0.00000001")


def _check_movement(
    state: State, account: int, wallets: tuple[str, ...], amount: Decimal
) -> Rejection | None:
    if account not in state.accounts:
        return r.UnknownAccount(account=account)
    for wallet in wallets:
        if wallet not in state.wallets:
            return r.UnknownWallet(wallet=wallet)
    if amount <= ZERO or not is_on_step(amount, _AMOUNT_STEP):
        return r.AmountInvalid(amount=amount)
    return None


def _check_funds(
    state: State, rules: EngineRules, account: int, wallet: str, asset: str, amount: Decimal, now_us: int
) -> Rejection | None:
    """Whether so much may leave a wallet."""
    free = spendable(state, rules, state.accounts[account], wallet, asset, now_us)
    return r.InsufficientBalance(asset=asset, needed=amount, available=free) if amount > free else None


def deposit(state: State, rules: EngineRules, command: c.Deposit, now_us: int) -> Decision:
    rejection = _check_movement(state, command.account, (command.wallet,), command.amount)
    if rejection is not None:
        return rejection
    return [
        e.AmountDeposited(
            account=command.account,
            wallet=command.wallet,
            asset=command.asset,
            amount=command.amount,
            movement=state.next_movement,
            reference=command.reference,
        )
    ]


def withdraw(state: State, rules: EngineRules, command: c.Withdraw, now_us: int) -> Decision:
    rejection = _check_movement(state, command.account, (command.wallet,), command.amount)
    if rejection is not None:
        return rejection
    if command.fee < ZERO or command.fee >= command.amount or not is_on_step(command.fee, _AMOUNT_STEP):
        return r.AmountInvalid(amount=command.fee)
    rejection = _check_funds(
        state, rules, command.account, command.wallet, command.asset, command.amount, now_us
    )
    if rejection is not None:
        return rejection
    return [
        e.AmountWithdrawn(
            account=command.account,
            wallet=command.wallet,
            asset=command.asset,
            amount=command.amount,
            fee=command.fee,
            movement=state.next_movement,
            reference=command.reference,
            labels=command.labels,
        )
    ]


def transfer(state: State, rules: EngineRules, command: c.Transfer, now_us: int) -> Decision:
    wallets = (command.source, command.target)
    rejection = _check_movement(state, command.account, wallets, command.amount)
    if rejection is not None:
        return rejection
    if command.source == command.target:
        return r.UnknownWallet(wallet=command.target)
    rejection = _check_funds(
        state, rules, command.account, command.source, command.asset, command.amount, now_us
    )
    if rejection is not None:
        return rejection
    return [
        e.AmountTransferred(
            account=command.account,
            asset=command.asset,
            amount=command.amount,
            source=command.source,
            target=command.target,
            movement=state.next_movement,
            reference=command.reference,
        )
    ]


def exchange(state: State, rules: EngineRules, command: c.ExchangeAssets, now_us: int) -> Decision:
    assert command.sold != command.bought, "an asset is exchanged for another one"
    assert command.reference, "without a name it would be what follows upon a liquidation"
    for amount in (command.sold_amount, command.bought_amount):
        rejection = _check_movement(state, command.account, (command.wallet,), amount)
        if rejection is not None:
            return rejection
    if command.wallet not in state.margin_wallets:
        return r.UnknownWallet(wallet=command.wallet)
    rejection = _check_funds(
        state, rules, command.account, command.wallet, command.sold, command.sold_amount, now_us
    )
    if rejection is not None:
        return rejection
    return [
        e.AssetExchanged(
            account=command.account,
            wallet=command.wallet,
            sold=command.sold,
            sold_amount=command.sold_amount,
            bought=command.bought,
            bought_amount=command.bought_amount,
            reference=command.reference,
        )
    ]


def lock(state: State, rules: EngineRules, command: c.LockFunds, now_us: int) -> Decision:
    rejection = _check_movement(state, command.account, (command.wallet,), command.amount)
    if rejection is not None:
        return rejection
    rejection = _check_funds(
        state, rules, command.account, command.wallet, command.asset, command.amount, now_us
    )
    if rejection is not None:
        return rejection
    return [_locked(command, command.amount)]


def unlock(state: State, rules: EngineRules, command: c.UnlockFunds, now_us: int) -> Decision:
    rejection = _check_movement(state, command.account, (command.wallet,), command.amount)
    if rejection is not None:
        return rejection
    locked = state.locked.get((command.account, command.wallet, command.asset), ZERO)
    if command.amount > locked:
        return r.InsufficientBalance(asset=command.asset, needed=command.amount, available=locked)
    return [_locked(command, -command.amount)]


def correct(state: State, rules: EngineRules, command: c.CorrectBalance, now_us: int) -> Decision:
    account, wallet, asset = command.account, command.wallet, command.asset
    if account is not None:
        if account not in state.accounts:
            return r.UnknownAccount(account=account)
        if wallet not in state.wallets:
            return r.UnknownWallet(wallet=wallet)
        free = state.ledger.free(account, wallet, asset)
        held = state.ledger.total(account, wallet, asset) - free
        may_owe = wallet in state.margin_wallets
        for amount, change in ((free, command.free), (held, command.held)):
            if amount + change < ZERO and not (may_owe and amount is free):
                return r.InsufficientBalance(asset=asset, needed=-change, available=amount)
    elif command.free or command.held:
        return r.AmountInvalid(amount=command.free or command.held)
    return [
        e.BalanceCorrected(
            account=account,
            wallet=wallet,
            asset=asset,
            free=command.free,
            held=command.held,
            rounding=command.rounding,
        )
    ]


def _locked(command: c.LockFunds | c.UnlockFunds, amount: Decimal) -> e.AmountLocked:
    return e.AmountLocked(account=command.account, wallet=command.wallet, asset=command.asset, amount=amount)
