"""Double entry: every movement takes from one named account what it gives to another.

The sum over all accounts is therefore zero for every asset after every event. A wallet of an
account has two of them, free and held; the counterparties have one each. Amounts of one asset are
multiples of its ledger step; nothing is ever clamped.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import NamedTuple

from emulator.core.ids import AccountId
from emulator.core.numbers import ZERO

MARKET = "market"
"""The other side of trades with the market's own liquidity."""
FEES = "fees"
FAUCET = "faucet"
"""Where deposits come from."""
OUTSIDE = "outside"
"""Where withdrawals go."""
ROUNDING = "rounding"
INSURANCE = "insurance"
PROFIT = "profit"
"""The other side of what positions realise: a gain that no position has lost yet is owed to it."""
FUNDING = "funding"
"""The other side of funding: what longs pay more than the shorts of all accounts get, or less."""
LOANS = "loans"
"""Who lends."""
INTEREST = "interest"
"""Who gets the interest for it."""
COUNTERPARTIES = (MARKET, FEES, FAUCET, OUTSIDE, ROUNDING, INSURANCE, PROFIT, FUNDING, LOANS, INTEREST)


class Balance:
    """One asset in one wallet. Neither part is ever negative, but for what is free in a wallet where
    contracts are traded: a loss is paid whether it is there or not, and what is owed is below zero."""

    __slots__ = ("free", "held")

    def __init__(self) -> None:
        self.free = ZERO
        self.held = ZERO

    @property
    def total(self) -> Decimal:
        return self.free + self.held


class Posting(NamedTuple):
    """One movement as the owner of a wallet sees it: what changed, and on which account's behalf."""

    account: AccountId
    wallet: str
    asset: str
    free: Decimal
    held: Decimal
    counterparty: str


Listener = Callable[[AccountId, str, str, Decimal, Decimal, str], None]
"""Takes what a Posting holds, in its order."""


class Ledger:
    """All balances. `listener`, when set, sees every movement that touches a wallet.

    entries: how many movements there were, counted wallet by wallet; the number of the newest.
    owing: the wallets where less than nothing may be free.
    """

    __slots__ = ("counterparties", "entries", "listener", "owing", "wallets")

    def __init__(self) -> None:
        self.wallets: dict[tuple[AccountId, str], dict[str, Balance]] = {}
        self.counterparties: dict[str, dict[str, Decimal]] = {name: {} for name in COUNTERPARTIES}
        self.listener: Listener | None = None
        self.entries = 0
        self.owing: frozenset[str] = frozenset()

    def open(self, account: AccountId, wallet: str) -> None:
        self.wallets[account, wallet] = {}

    def free(self, account: AccountId, wallet: str, asset: str) -> Decimal:
        balance = self.wallets[account, wallet].get(asset)
        return balance.free if balance else ZERO

    def total(self, account: AccountId, wallet: str, asset: str) -> Decimal:
        balance = self.wallets[account, wallet].get(asset)
        return balance.total if balance else ZERO

    def balance(self, account: AccountId, wallet: str, asset: str) -> Balance:
        """The balance itself, made when it does not exist yet."""
        assets = self.wallets[account, wallet]
        balance = assets.get(asset)
        if balance is None:
            balance = assets[asset] = Balance()
        return balance

    def hold(self, account: AccountId, wallet: str, asset: str, amount: Decimal) -> None:
        """Move `amount` from free to held; a negative amount releases."""
        balance = self.wallets[account, wallet].get(asset) or self.balance(account, wallet, asset)
        free = balance.free = balance.free - amount
        held = balance.held = balance.held + amount
        assert held >= ZERO, f"more {asset} given back than was held: {amount}"
        assert free >= ZERO or wallet in self.owing, f"overdrawn hold of {amount} {asset}"
        self.entries += 1
        listener = self.listener
        if listener is not None:
            listener(account, wallet, asset, -amount, amount, "hold")

    def receive(self, account: AccountId, wallet: str, asset: str, amount: Decimal, source: str) -> None:
        """Credit a wallet's free funds from a counterparty."""
        self.balance(account, wallet, asset).free += amount
        book = self.counterparties[source]
        book[asset] = book.get(asset, ZERO) - amount
        self.entries += 1
        if self.listener:
            self.listener(account, wallet, asset, amount, ZERO, source)

    def pay(self, account: AccountId, wallet: str, asset: str, amount: Decimal, target: str) -> None:
        """Debit a wallet's free funds in favour of a counterparty."""
        balance = self.balance(account, wallet, asset)
        balance.free -= amount
        free = balance.free
        assert free >= ZERO or wallet in self.owing, f"overdrawn payment of {amount} {asset}"
        book = self.counterparties[target]
        book[asset] = book.get(asset, ZERO) + amount
        self.entries += 1
        if self.listener:
            self.listener(account, wallet, asset, -amount, ZERO, target)

    def move(
        self, asset: str, amount: Decimal, source: tuple[AccountId, str], target: tuple[AccountId, str]
    ) -> None:
        """Move free funds from one wallet to another."""
        payer = self.balance(*source, asset)
        payer.free -= amount
        free = payer.free
        assert free >= ZERO or source[1] in self.owing, f"overdrawn transfer of {amount} {asset}"
        self.balance(*target, asset).free += amount
        self.entries += 1
        if self.listener:
            self.listener(*source, asset, -amount, ZERO, f"{target[0]}:{target[1]}")
        self.entries += 1
        if self.listener:
            self.listener(*target, asset, amount, ZERO, f"{source[0]}:{source[1]}")

    def correct(
        self,
        account: AccountId | None,
        wallet: str,
        asset: str,
        *,
        free: Decimal,
        held: Decimal,
        rounding: Decimal,
    ) -> None:
        """Add to a wallet, unless there is no account, and to `rounding`, what the books lacked.

        The only entry that need not sum to zero: it makes up for one that did not.
        """
        book = self.counterparties[ROUNDING]
        book[asset] = book.get(asset, ZERO) + rounding
        if account is None:
            return
        balance = self.balance(account, wallet, asset)
        balance.free += free
        balance.held += held
        assert balance.held >= 0, f"overdrawn correction of {free} and {held} {asset}"
        self.entries += 1
        if self.listener:
            self.listener(account, wallet, asset, free, held, ROUNDING)

    def settle(self, account: AccountId, wallet: str, asset: str, amount: Decimal, counterparty: str) -> None:
        """Credit free funds from a counterparty, or debit them if negative, whether they are there or not."""
        self.balance(account, wallet, asset).free += amount
        book = self.counterparties[counterparty]
        book[asset] = book.get(asset, ZERO) - amount
        self.entries += 1
        if self.listener:
            self.listener(account, wallet, asset, amount, ZERO, counterparty)

    def between(self, asset: str, amount: Decimal, source: str, target: str) -> None:
        """Move an amount from one counterparty to another; no wallet sees it."""
        payer, payee = self.counterparties[source], self.counterparties[target]
        payer[asset] = payer.get(asset, ZERO) - amount
        payee[asset] = payee.get(asset, ZERO) + amount

    def put_up(self, account: AccountId, wallet: str, asset: str, amount: Decimal) -> None:
        """Move `amount` from free to held as margin, whether it is there or not; negative: give it back."""
        balance = self.balance(account, wallet, asset)
        balance.free -= amount
        balance.held += amount
        assert balance.held >= ZERO, f"more margin of {asset} given back than was put up"
        self.entries += 1
        if self.listener:
            self.listener(account, wallet, asset, -amount, amount, "margin")

    def totals(self) -> dict[str, Decimal]:
        """The sum over all accounts, asset by asset: zero for each, or the books are wrong."""
        sums: dict[str, Decimal] = {}
        for assets in self.wallets.values():
            for asset, balance in assets.items():
                sums[asset] = sums.get(asset, ZERO) + balance.total
        for book in self.counterparties.values():
            for asset, amount in book.items():
                sums[asset] = sums.get(asset, ZERO) + amount
        return sums
