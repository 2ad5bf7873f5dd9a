"""What accounts have in their wallets, read from the ledger."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import NamedTuple

from emulator.core.engine import Engine
from emulator.core.ids import AccountId
from emulator.core.numbers import EXACT, ZERO


class Holding(NamedTuple):
    """One asset in one wallet; `held` is what open orders hold of it."""

    asset: str
    free: Decimal
    held: Decimal

    @property
    def total(self) -> Decimal:
        return EXACT.add(self.free, self.held)


def holding(engine: Engine, account: AccountId, wallet: str, asset: str) -> Holding:
    """Zeros for what was never there."""
    balance = engine.state.ledger.wallets[account, wallet].get(asset)
    return Holding(asset, ZERO, ZERO) if balance is None else Holding(asset, balance.free, balance.held)


def holdings(engine: Engine, account: AccountId, wallet: str) -> Iterator[Holding]:
    """All assets that ever were in a wallet."""
    for asset, balance in engine.state.ledger.wallets[account, wallet].items():
        yield Holding(asset, balance.free, balance.held)
