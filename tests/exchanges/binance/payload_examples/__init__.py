"""The documented examples of what the rows of Spot and the wallet answer, and requests that show them."""

from __future__ import annotations

from tests.exchanges.binance.payload_examples import lists, market, orders, queries, wallet
from tests.exchanges.binance.payload_examples.example import Example

EXAMPLES: tuple[Example, ...] = (
    *market.examples,
    *orders.examples,
    *lists.examples,
    *queries.examples,
    *wallet.examples,
)

__all__ = ["EXAMPLES", "Example"]
