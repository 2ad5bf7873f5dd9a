"""The unified account: what is in it, and what its owner chooses (docs/v5/account)."""

from __future__ import annotations

from typing import Final

from emulator.exchanges.bybit.account import fees, makers, transactions
from emulator.web.contract import Rows

MODULES: Final[tuple[Rows, ...]] = (fees.rows, transactions.rows, makers.rows)
