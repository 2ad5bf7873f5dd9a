"""Folds of what is owed: loans, interest, and what is exchanged to pay."""

from __future__ import annotations

from typing import TYPE_CHECKING

from emulator.core import events as e
from emulator.core.collateral import Loan
from emulator.core.ledger import INTEREST, LOANS, MARKET
from emulator.core.numbers import ZERO
from emulator.core.state.records import ChargedPlace

if TYPE_CHECKING:
    from emulator.core.state.state import State


def funds_borrowed(state: State, event: e.FundsBorrowed, now_us: int) -> None:
    place = (event.account, event.wallet, event.asset)
    loan = state.loans.get(place) or Loan()
    state.loans[place] = Loan(loan.principal + event.amount, loan.interest)
    state.ledger.settle(*place, event.amount, LOANS)
    state.disturbed[event.account] = None


def loan_repaid(state: State, event: e.LoanRepaid, now_us: int) -> None:
    place = (event.account, event.wallet, event.asset)
    loan = state.loans.pop(place)
    left = Loan(loan.principal - event.principal, loan.interest - event.interest)
    assert left.principal >= ZERO <= left.interest, "more given back than was owed"
    if left.total:
        state.loans[place] = left
    for amount, lender in ((event.interest, INTEREST), (event.principal, LOANS)):
        if amount:
            state.ledger.settle(*place, -amount, lender)
    state.disturbed[event.account] = None


def interest_charged(state: State, event: e.InterestCharged, now_us: int) -> None:
    place = (event.account, event.wallet, event.asset)
    if event.of_loan:
        loan = state.loans[place]
        state.loans[place] = Loan(loan.principal, loan.interest + event.of_loan)
    paid = event.amount - event.of_loan
    if paid:
        state.ledger.settle(*place, -paid, INTEREST)
    state.note_charge(ChargedPlace(*place), event.amount)


def asset_exchanged(state: State, event: e.AssetExchanged, now_us: int) -> None:
    ledger, account, wallet = state.ledger, event.account, event.wallet
    ledger.settle(account, wallet, event.sold, -event.sold_amount, MARKET)
    ledger.settle(account, wallet, event.bought, event.bought_amount, MARKET)
    state.disturbed[account] = None
