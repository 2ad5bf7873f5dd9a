"""Coins, and how they move between wallets and over chains (docs/v5/asset)."""

from __future__ import annotations

from typing import Final

from emulator.exchanges.bybit.asset import balances, coins, deposits, transfers, withdrawals
from emulator.web.contract import Rows

MODULES: Final[tuple[Rows, ...]] = (
    coins.rows,
    balances.rows,
    transfers.rows,
    deposits.rows,
    withdrawals.rows,
)
