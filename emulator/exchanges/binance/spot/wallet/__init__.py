"""The wallet and what clients ask of `/sapi` around it: coins, deposits, withdrawals, transfers, status.

Everything moves through the core's ledger and is read from its views. Amounts are text without
trailing zeros, times are milliseconds whatever unit `/api/v3` was asked for, and parameters that an
endpoint does not have are not looked at.
"""

from __future__ import annotations

from emulator.exchanges.binance.spot.wallet import (
    assets,
    coins,
    deposits,
    margin,
    status,
    transfers,
    withdrawals,
)
from emulator.exchanges.binance.spot.wallet.absent import NOT_EMULATED

__all__ = ("NOT_EMULATED", "rows")

rows = (
    *coins.rows,
    *deposits.rows,
    *withdrawals.rows,
    *transfers.rows,
    *assets.rows,
    *status.rows,
    *margin.rows,
)
