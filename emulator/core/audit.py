"""Whether a state agrees with itself: holds with what is open, and all accounts with each other.

A state that was folded from a whole journal by the code that wrote it always does. One that does not
comes from a journal that was damaged, from rules that changed since, or from a defect. What the books
should say is reckoned anew from what is open, so nothing here trusts a figure that it judges.
"""

from __future__ import annotations

from decimal import Decimal

import msgspec

from emulator.core.commands import CorrectBalance
from emulator.core.ids import AccountId
from emulator.core.ledger import LOANS, Balance
from emulator.core.numbers import ZERO, canonical
from emulator.core.order_lists import OrderList
from emulator.core.orders import Order
from emulator.core.state import State

_Place = tuple[AccountId, str, str]
"""Account, wallet and asset."""


class Mismatch(msgspec.Struct, frozen=True, kw_only=True):
    """Two figures that should be one.

    what: `held`, what open orders and lists need and what is held; `free`, where nothing should be below
    zero; `hold of order 7` (or `order list`), what it needs and what it says that it holds; `sum`, where
    all accounts of an asset should come to zero; `loans`, what is lent and what the books' lender has given
    away, which no correction of balances mends. account, wallet: None and empty for the last two.
    """

    what: str
    asset: str
    expected: Decimal
    found: Decimal
    account: AccountId | None = None
    wallet: str = ""

    def __str__(self) -> str:
        where = "" if self.account is None else f" of account {self.account} in {self.wallet}"
        expected, found = canonical(self.expected), canonical(self.found)
        return f"{self.what} of {self.asset}{where}: expected {expected:f}, found {found:f}"


def audit(state: State) -> list[Mismatch]:
    """All mismatches of one engine's state. Called inside `exact()`."""
    found: list[Mismatch] = []

    def compare(what: str, place: _Place, expected: Decimal, amount: Decimal) -> None:
        if expected != amount:
            account, wallet, asset = place
            found.append(
                Mismatch(
                    what=what, asset=asset, expected=expected, found=amount, account=account, wallet=wallet
                )
            )

    needed = _needed(state)
    for place, balance in _balances(state):
        compare("held", place, needed.pop(place, ZERO), balance.held)
        if not _may_owe(state, place):
            compare("free", place, max(balance.free, ZERO), balance.free)
    for place, amount in needed.items():
        compare("held", place, amount, ZERO)
    for owner in _owners(state):
        name = "order" if isinstance(owner, Order) else "order list"
        place = (owner.account, owner.wallet, owner.hold_asset)
        compare(f"hold of {name} {owner.id}", place, state.owed(owner), owner.held)
    lent: dict[str, Decimal] = {}
    for (_, _, asset), loan in state.loans.items():
        lent[asset] = lent.get(asset, ZERO) + loan.principal
    given = state.ledger.counterparties[LOANS]
    found += [
        Mismatch(what="loans", asset=asset, expected=lent.get(asset, ZERO), found=-given.get(asset, ZERO))
        for asset in dict.fromkeys((*lent, *given))
        if lent.get(asset, ZERO) != -given.get(asset, ZERO)
    ]
    found += [
        Mismatch(what="sum", asset=asset, expected=ZERO, found=total)
        for asset, total in state.ledger.totals().items()
        if total
    ]
    return found


def corrections(state: State) -> list[CorrectBalance]:
    """The commands that make a state agree with itself again. Called inside `exact()`.

    What is held becomes what is needed. What that lacks is taken from the wallet's free funds as far as
    these go, and what is held beyond it becomes free; the rest comes from `rounding`, which then also
    takes what an asset's accounts come to.
    """
    needed = _needed(state)
    wanted: list[CorrectBalance] = []
    places = {(m.account, m.wallet, m.asset): None for m in audit(state) if m.account is not None}
    for account, wallet, asset in places:
        balance = state.ledger.wallets[account, wallet].get(asset) or Balance()
        held = needed.get((account, wallet, asset), ZERO) - balance.held
        left = balance.free - held
        free = (left if _may_owe(state, (account, wallet, asset)) else max(left, ZERO)) - balance.free
        wanted.append(
            CorrectBalance(
                account=account, wallet=wallet, asset=asset, free=free, held=held, rounding=-(free + held)
            )
        )
    wanted += [
        CorrectBalance(account=None, wallet="", asset=asset, free=ZERO, held=ZERO, rounding=-total)
        for asset, total in state.ledger.totals().items()
        if total
    ]
    return wanted


def _balances(state: State) -> list[tuple[_Place, Balance]]:
    return [
        ((account, wallet, asset), balance)
        for (account, wallet), assets in state.ledger.wallets.items()
        for asset, balance in assets.items()
    ]


def _owners(state: State) -> list[Order | OrderList]:
    return [*state.orders.values(), *state.lists.values()]


def _needed(state: State) -> dict[_Place, Decimal]:
    """What wallets should hold, reckoned anew from what is open, what is put up as the margin of single
    positions, and what is locked from outside."""
    needed = {place: max(amount, ZERO) for place, amount in state.locked.items()}
    for owner in _owners(state):
        place = (owner.account, owner.wallet, owner.hold_asset)
        needed[place] = needed.get(place, ZERO) + state.owed(owner)
    for (account, symbol, _), position in state.positions.items():
        contract = state.markets[symbol].instrument.contract
        assert contract is not None
        place = (account, contract.wallet, contract.settle)
        needed[place] = needed.get(place, ZERO) + position.margin
    return needed


def _may_owe(state: State, place: _Place) -> bool:
    """Whether free funds may be below zero: where contracts are traded, a loss is paid in any case."""
    return place[1] in state.margin_wallets
