"""The unified account: what is in it, and what its owner chooses (docs/v5/account)."""

from __future__ import annotations

from typing import Final

from emulator.exchanges.bybit.account import (
    balances,
    borrowing,
    collateral,
    demo,
    fees,
    instruments,
    makers,
    protection,
    settings,
    transactions,
)
from emulator.web.contract import Rows

MODULES: Final[tuple[Rows, ...]] = (
    balances.rows,
    settings.rows,
    fees.rows,
    instruments.rows,
    transactions.rows,
    collateral.rows,
    borrowing.rows,
    protection.rows,
    makers.rows,
    demo.rows,
)
