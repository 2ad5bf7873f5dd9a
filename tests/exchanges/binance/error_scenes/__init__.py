"""Requests that are refused, with the code and text that they get: `CASES`, in the order of the codes."""

from __future__ import annotations

from tests.exchanges.binance.error_scenes import orders, requests, symbols, wallet
from tests.exchanges.binance.error_scenes.case import Case

CASES: tuple[Case, ...] = (*requests.cases, *symbols.cases, *orders.cases, *wallet.cases)

__all__ = ["CASES", "Case"]
