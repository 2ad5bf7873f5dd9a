"""Integers that name things. The core mints integers only; each dialect maps them to its own shape."""

from __future__ import annotations

AccountId = int
OrderId = int
ListId = int
TradeId = int
"""Counts from 1 per instrument over all trades, the market's own included."""

MARKET_ORDER: OrderId = 0
"""The order id that stands for the market's own liquidity in a trade."""

NO_LIST: ListId = 0
