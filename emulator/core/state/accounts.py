"""Folds of accounts: what they chose for themselves, and what came in and went out of their wallets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from emulator.core import events as e
from emulator.core.ids import AccountId
from emulator.core.ledger import FAUCET, FEES, OUTSIDE
from emulator.core.numbers import ZERO
from emulator.core.order_lists import OrderList
from emulator.core.orders import Order
from emulator.core.positions import AccountMargin
from emulator.core.state.records import Account

if TYPE_CHECKING:
    from emulator.core.state.state import State


def account_opened(state: State, event: e.AccountOpened, now_us: int) -> None:
    state.accounts[event.account] = Account(event.account, event.name, event.trade_group)
    for wallet in state.wallets:
        state.ledger.open(event.account, wallet)
    _begin_margin(state, event.account)


def _begin_margin(state: State, account: AccountId) -> None:
    """What a new account's wallets of contracts begin with."""
    for wallet, mode in state.account_margin_default.items():
        if mode is not AccountMargin.ISOLATED:
            state.shared[account, wallet] = None


def fee_payment_set(state: State, event: e.FeePaymentSet, now_us: int) -> None:
    account = state.accounts[event.account]
    chosen = frozenset(state.wallets if event.wallet is None else (event.wallet,))
    account.discounted = account.discounted | chosen if event.discounted else account.discounted - chosen


def preference_set(state: State, event: e.PreferenceSet, now_us: int) -> None:
    preferences = state.accounts[event.account].preferences
    preferences.pop(event.name, None)
    if event.value:
        preferences[event.name] = event.value


def amount_deposited(state: State, event: e.AmountDeposited, now_us: int) -> None:
    state.next_movement = event.movement + 1
    state.ledger.receive(event.account, event.wallet, event.asset, event.amount, FAUCET)
    state.disturb(event.account, event.wallet)


def amount_withdrawn(state: State, event: e.AmountWithdrawn, now_us: int) -> None:
    state.next_movement = event.movement + 1
    state.ledger.pay(event.account, event.wallet, event.asset, event.amount - event.fee, OUTSIDE)
    if event.fee:
        state.ledger.pay(event.account, event.wallet, event.asset, event.fee, FEES)
    state.disturb(event.account, event.wallet)


def amount_transferred(state: State, event: e.AmountTransferred, now_us: int) -> None:
    state.next_movement = event.movement + 1
    source, target = (event.account, event.source), (event.account, event.target)
    state.ledger.move(event.asset, event.amount, source, target)
    state.disturb(event.account, event.source, event.target)


def amount_locked(state: State, event: e.AmountLocked, now_us: int) -> None:
    key = (event.account, event.wallet, event.asset)
    state.ledger.hold(*key, event.amount)
    locked = state.locked.pop(key, ZERO) + event.amount
    if locked:
        state.locked[key] = locked
    state.disturb(event.account, event.wallet)


def balance_corrected(state: State, event: e.BalanceCorrected, now_us: int) -> None:
    state.ledger.correct(
        event.account,
        event.wallet,
        event.asset,
        free=event.free,
        held=event.held,
        rounding=event.rounding,
    )
    if event.account is None:
        return
    state.disturb(event.account, event.wallet)
    # What each of them says that it holds is what it gives back when it ends.
    account = state.accounts[event.account]
    owners: list[Order | OrderList] = [*account.open_orders.values(), *account.open_lists.values()]
    for owner in owners:
        if (owner.wallet, owner.hold_asset) == (event.wallet, event.asset):
            owner.held = state.owed(owner)
