"""What an account has, owes and has chosen on the futures sites: all endpoints that ask or set it."""

from __future__ import annotations

from emulator.exchanges.binance.futures.account import balances, incomes, margins, positions, settings

MODULES = (balances.rows, positions.rows, settings.rows, margins.rows, incomes.rows)
