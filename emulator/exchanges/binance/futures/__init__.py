"""Binance's futures: USD-M and COIN-M, one package for both, told apart by their `Product`."""

from __future__ import annotations

from emulator.exchanges.binance.futures import market
from emulator.exchanges.binance.futures.products import USDM, Product
from emulator.exchanges.binance.futures.rows import FuturesRows
from emulator.web.contract import NotEmulated, Route

__all__ = ["COLLATERAL", "not_emulated", "rows"]

COLLATERAL = tuple(dict.fromkeys((*USDM.assets, "USDC", "BTC", "ETH", "BNB")))
"""What USD-M holds as margin: what its contracts settle in, and what counts beside it where all assets
stand together."""

_MODULES: tuple[FuturesRows, ...] = market.modules


def rows(product: Product) -> tuple[Route, ...]:
    """Everything that one of the two sites answers."""
    return tuple(route for module in _MODULES for route in module.of(product))


def not_emulated(product: Product) -> tuple[NotEmulated, ...]:
    return (
        NotEmulated("*", f"{product.prefix}/*", "not emulated yet"),
        NotEmulated("*", "/futures/data/*", "not emulated yet"),
    )
