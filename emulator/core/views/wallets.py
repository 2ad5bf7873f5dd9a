"""What events make of the history of wallets and positions: postings, incomes, and what is as it is now."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from emulator.core import events as e
from emulator.core.history import (
    ContractSettings,
    Income,
    IncomeKind,
    LedgerEntry,
    MarginChange,
    Movement,
    WalletSettings,
)
from emulator.core.ids import AccountId
from emulator.core.ledger import FEES, MARKET
from emulator.core.orders import Cause, Order
from emulator.core.positions import Leg

if TYPE_CHECKING:
    from emulator.core.views.views import Views


_INCOME_OF: dict[type[e.Event], IncomeKind] = {
    e.TradeExecuted: IncomeKind.REALISED,
    e.AmountDeposited: IncomeKind.DEPOSIT,
    e.AmountWithdrawn: IncomeKind.WITHDRAWAL,
    e.AmountTransferred: IncomeKind.TRANSFER,
    e.BalanceCorrected: IncomeKind.CORRECTION,
    e.FundingPaid: IncomeKind.FUNDING,
    e.PositionTakenOver: IncomeKind.REALISED,
    e.AutoDeleveraged: IncomeKind.REALISED,
    e.LiquidationCharged: IncomeKind.LIQUIDATION_FEE,
    e.InsurancePaid: IncomeKind.INSURANCE,
    e.AssetExchanged: IncomeKind.EXCHANGE,
    e.MatchPrevented: IncomeKind.TRADE,
    e.FundsBorrowed: IncomeKind.LOAN,
    e.LoanRepaid: IncomeKind.LOAN,
    e.InterestCharged: IncomeKind.INTEREST,
}
"""Of what an event adds to a wallet of contracts, but for the fees of a trade."""
_CHARGING = frozenset({e.TradeExecuted, e.PositionTakenOver, e.AutoDeleveraged})


def moved(views: Views, event: e.AmountDeposited | e.AmountWithdrawn | e.AmountTransferred) -> None:
    movement = Movement(event, views.now_us)
    views.movements.setdefault(event.account, []).append(movement)
    if views.is_taken:
        views.record(movement)


def posted(
    views: Views,
    account: AccountId,
    wallet: str,
    asset: str,
    free: Decimal,
    held: Decimal,
    counterparty: str,
) -> None:
    """The ledger's listener."""
    entries = views.postings.get(account)
    if entries is None:
        entries = views.postings[account] = []
    entry = LedgerEntry(
        views.state.ledger.entries,
        account,
        wallet,
        asset,
        free,
        held,
        counterparty,
        type(views.event).__name__,
        views.now_us,
    )
    entries.append(entry)
    views.updated_us[account] = views.now_us
    if views.is_taken:
        views.record(entry)
        views.fresh_balances[account, wallet, asset] = views.now_us
    if wallet in views.margin_wallets and free + held:
        _earned(views, entry)
        if views.accounting is not None:
            views.accounting.post(account, wallet, asset, free + held, counterparty)


def _earned(views: Views, entry: LedgerEntry) -> None:
    """A wallet of contracts has more or less than before; `entry` says how much."""
    event, cause = views.event, type(views.event)
    kind = _INCOME_OF[cause]
    if kind is IncomeKind.REALISED and entry.counterparty == MARKET:
        kind = IncomeKind.TRADE
    if entry.counterparty == FEES and cause in _CHARGING:
        kind = IncomeKind.COMMISSION
    elif isinstance(event, e.PositionTakenOver) and _is_delivery(views.orders[event.order]):
        kind = IncomeKind.SETTLEMENT
    elif isinstance(event, e.AssetExchanged) and event.reference:
        kind = IncomeKind.CONVERSION
    income = Income(
        entry.number,
        entry.account,
        entry.wallet,
        kind,
        entry.asset,
        entry.free + entry.held,
        getattr(event, "instrument", ""),
        getattr(event, "trade", 0),
        views.now_us,
    )
    views.incomes.setdefault((entry.account, entry.wallet), []).append(income)
    if views.is_taken:
        views.record(income)


def _is_delivery(order: Order) -> bool:
    return order.terms.cause is Cause.DELIVERY


def position_changed(views: Views, account: AccountId, symbol: str, leg: Leg) -> None:
    """The listener of the state's positions."""
    if views.is_taken:
        views.fresh_positions[account, symbol, leg] = views.now_us
    if views.accounting is not None and isinstance(views.event, e.FundingPaid):
        fill = views.accounting.fund(views.event, account, leg, views.now_us)
        views.fills.setdefault((account, symbol), []).append(fill)
        if views.is_taken:
            views.record(fill)


def margin_moved(views: Views, event: e.MarginMoved) -> None:
    if event.cause is not Cause.OWNER:
        return
    contract = views.state.markets[event.instrument].instrument.contract
    assert contract is not None
    change = MarginChange(
        views.postings[event.account][-1].number,
        event.account,
        event.instrument,
        event.leg,
        contract.settle,
        event.amount,
        views.now_us,
    )
    views.margin_changes.setdefault((event.account, event.instrument), []).append(change)
    if views.is_taken:
        views.record(change)


def contract_set(views: Views, event: e.LeverageSet | e.MarginModeSet) -> None:
    if views.is_taken:
        views.fresh_settings[ContractSettings, event.account, event.instrument] = views.now_us


def wallet_set(views: Views, event: e.PositionModeSet | e.CollateralModeSet) -> None:
    if views.is_taken:
        views.fresh_settings[WalletSettings, event.account, event.wallet] = views.now_us


def account_margin_set(views: Views, event: e.AccountMarginSet) -> None:
    if not views.is_taken:
        return
    views.fresh_settings[WalletSettings, event.account, event.wallet] = views.now_us
    for account, symbol in views.state.choices:
        if account == event.account and views.state.contract_of(symbol).wallet == event.wallet:
            views.fresh_settings[ContractSettings, account, symbol] = views.now_us
