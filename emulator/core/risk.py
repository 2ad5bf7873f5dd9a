"""How close what accounts hold is to being liquidated, and who would stand in for it.

Reckoned from the folded state whenever it is asked for, at the mark prices of the moment.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import NamedTuple

from emulator.core.collateral import CollateralRate
from emulator.core.contracts import Contract
from emulator.core.coverage import collateral_rates, mark_price, pledged
from emulator.core.deleveraging import Candidate, deleveraging_score
from emulator.core.ids import AccountId
from emulator.core.ledger import INSURANCE
from emulator.core.liquidation import Risk, is_liquidated
from emulator.core.margin import maintenance
from emulator.core.numbers import ONE, ZERO
from emulator.core.positions import Leg, MarginMode, Position, unrealised
from emulator.core.rules import EngineRules
from emulator.core.state import Account, State
from emulator.core.tape import Market

SCORE_STEP = Decimal("0.00000001")


class Standing(NamedTuple):
    """What covers a risk and what must be kept of it, both in its asset."""

    equity: Decimal
    maintenance: Decimal

    @property
    def is_liquidated(self) -> bool:
        return is_liquidated(self.maintenance, self.equity)


class Held(NamedTuple):
    """One position and what it is of."""

    market: Market
    contract: Contract
    position: Position
    mark: Decimal

    @property
    def unrealised(self) -> Decimal:
        return unrealised(self.contract, self.position, self.mark)

    @property
    def maintenance(self) -> Decimal:
        return maintenance(self.contract, self.position, self.mark)


def risk_of(state: State, account: Account, symbol: str, leg: Leg) -> Risk:
    """Together with what a position, or one that there could be, is kept or liquidated."""
    contract = _contract(state.markets[symbol])
    if state.position(account.id, symbol, leg).mode is MarginMode.ISOLATED:
        return Risk(account.id, contract.wallet, contract.settle, symbol, leg)
    is_shared = (account.id, contract.wallet) in state.shared
    return Risk(account.id, contract.wallet, "" if is_shared else contract.settle)


def risks_of(state: State, account: Account) -> list[Risk]:
    """All that there is of an account, each once: what has positions, and what owes where that matters."""
    found = dict.fromkeys(risk_of(state, account, symbol, leg) for symbol, leg in account.positions)
    found |= dict.fromkeys(Risk(account.id, wallet, "") for wallet in owing(state, account.id))
    return list(found)


def owing(state: State, account: AccountId) -> list[str]:
    """The wallets where an account owes something, and owing has consequences."""
    return [
        wallet
        for wallet in sorted(state.lending)
        if (account, wallet) in state.shared and state.is_overdrawn(account, wallet)
    ]


def may_owe(state: State, account: AccountId) -> bool:
    """Whether an account owes something, or would if a position lost enough, where that has consequences."""
    for wallet in state.lending:
        if (account, wallet) in state.shared:
            if state.is_overdrawn(account, wallet):
                return True
            for symbol, _ in state.accounts[account].positions:
                if _contract(state.markets[symbol]).wallet == wallet:
                    return True
    return False


def held_at(state: State, risk: Risk, now_us: int) -> list[Held]:
    """The positions of a risk."""
    account, found = state.accounts[risk.account], []
    for (symbol, leg), position in account.positions.items():
        market = state.markets[symbol]
        contract = _contract(market)
        if risk.is_isolated:
            is_there = (symbol, leg) == (risk.instrument, risk.leg)
        else:
            is_there = (
                position.mode is MarginMode.CROSS
                and contract.wallet == risk.wallet
                and risk.asset in ("", contract.settle)
            )
        if is_there:
            found.append(Held(market, contract, position, mark_price(market, now_us)))
    return found


def standing(state: State, risk: Risk, held: list[Held], now_us: int) -> Standing:
    """What covers the positions of a risk, and what must be kept."""
    if risk.asset == "":
        return Cover(state, risk, held, now_us).standing()
    if risk.is_isolated:
        equity = sum((one.position.margin for one in held), ZERO)
    else:
        equity = _there(state, risk)
    kept = ZERO
    for one in held:
        equity += one.unrealised
        kept += one.maintenance
    return Standing(equity, kept)


def owed_too_far(state: State, account: AccountId) -> list[str]:
    """The wallets of an account where assets stand together and more is owed of one than may be."""
    return [
        wallet
        for wallet, assets in state.collateral.items()
        if (account, wallet) in state.shared
        and any(
            one.owed_max is not None and state.ledger.free(account, wallet, one.asset) < -one.owed_max
            for one in assets
        )
    ]


def _there(state: State, risk: Risk) -> Decimal:
    """What an account has of the asset that covers a risk."""
    free = state.ledger.free(risk.account, risk.wallet, risk.asset)
    return free + pledged(state, state.accounts[risk.account], risk.wallet).get(risk.asset, ZERO)


class Cover:
    """What covers a risk, asset by asset: of cross positions, the free balances with their profits, and what
    is held for orders of pairs."""

    def __init__(self, state: State, risk: Risk, held: list[Held], now_us: int) -> None:
        self.rates: Mapping[str, CollateralRate] = {}
        if risk.asset == "":
            self.rates = collateral_rates(state, risk.wallet, now_us, risk.account)
        self.held = held
        self.pledged: dict[str, Decimal] = {}
        """Of the balances, what is held for orders."""
        self.borrowed: dict[str, Decimal] = {}
        """What was taken off the balances because it was borrowed."""
        self.balances: dict[str, Decimal] = {}
        """Without profits."""
        if risk.is_isolated:
            self.balances[risk.asset] = sum((one.position.margin for one in held), ZERO)
        elif risk.asset:
            self.balances[risk.asset] = _there(state, risk)
        else:
            there = state.ledger.wallets[risk.account, risk.wallet]
            self.balances = {asset: one.free for asset, one in there.items() if asset in self.rates}
            for asset, amount in pledged(state, state.accounts[risk.account], risk.wallet).items():
                if asset in self.rates:
                    self.pledged[asset] = amount
                    self.balances[asset] += amount
            for place, loan in state.loans.items():
                if place[:2] == (risk.account, risk.wallet) and place[2] in self.rates:
                    self.borrowed[place[2]] = loan.total
                    self.balances[place[2]] -= loan.total
        self.owned = dict(self.balances)
        """With profits."""
        self.kept: dict[str, Decimal] = {}
        for one in held:
            settle = one.contract.settle
            self.owned[settle] = self.owned.get(settle, ZERO) + one.unrealised
            self.kept[settle] = self.kept.get(settle, ZERO) + one.maintenance

    def rate(self, asset: str) -> CollateralRate:
        """What an asset counts for; one, where it stands for itself."""
        return self.rates.get(asset, ITSELF)

    def standing(self) -> Standing:
        equity = sum((self.rate(asset).worth(amount) for asset, amount in self.owned.items() if amount), ZERO)
        kept = sum((self.rate(asset).ask * amount for asset, amount in self.kept.items()), ZERO)
        return Standing(equity, kept + self.kept_for_debts())

    def kept_for_debts(self) -> Decimal:
        """Maintenance margin of what is owed."""
        kept = ZERO
        for asset, amount in self.owned.items():
            owed = self.owed(asset, amount) if asset in self.rates else ZERO
            if owed:
                rate = self.rates[asset]
                kept += rate.ask * rate.debt_maintenance * owed
        return kept

    def owed(self, asset: str, owned: Decimal) -> Decimal:
        """What is owed of an asset if so much were owned, with profits: what is borrowed, and by how much
        less than nothing is free."""
        borrowed, held = self.borrowed.get(asset, ZERO), self.pledged.get(asset, ZERO)
        return borrowed + max(ZERO, held - owned - borrowed)

    def beside(self, asset: str) -> Decimal:
        """What all other assets count for."""
        return sum(
            (self.rate(other).worth(amount) for other, amount in self.owned.items() if other != asset), ZERO
        )


ITSELF = CollateralRate(index=ONE)


def insurance_balance(state: State, rules: EngineRules, asset: str) -> Decimal:
    """What the insurance fund has of an asset."""
    paid_in = state.ledger.counterparties[INSURANCE].get(asset, ZERO)
    return rules.margin.insurance.get(asset, ZERO) + paid_in


def deleveraging_queue(state: State, market: Market, direction: Decimal, now_us: int) -> list[Candidate]:
    """Everybody with a position of a direction in a contract, with the score that gives the turn."""
    symbol = market.instrument.symbol
    found: list[Candidate] = []
    for (owner, leg), position in state.holders.get(symbol, {}).items():
        if position.direction != direction:
            continue
        risk = risk_of(state, state.accounts[owner], symbol, leg)
        held = held_at(state, risk, now_us)
        balance = position.margin if risk.is_isolated else _there(state, risk)
        (own,) = [one for one in held if one.market.instrument.symbol == symbol and one.position.leg is leg]
        now = standing(state, risk, held, now_us)
        if risk.asset == "":
            balance = now.equity - own.unrealised
        score = deleveraging_score(
            unrealised=own.unrealised, wallet=balance, maintenance=now.maintenance, step=SCORE_STEP
        )
        found.append(Candidate(account=owner, score=score, quantity=abs(position.quantity)))
    return found


def _contract(market: Market) -> Contract:
    contract = market.instrument.contract
    assert contract is not None, "a pair has no positions"
    return contract
