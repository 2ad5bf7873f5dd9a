"""Binance's futures: USD-M and COIN-M, one package for both, told apart by their `Product`."""

from __future__ import annotations

from decimal import Decimal

from emulator.core.rules import ClosingNames, MarginRules
from emulator.exchanges.binance.futures import (
    account,
    algo,
    batches,
    convert,
    downloads,
    histories,
    listen_keys,
    market,
    modifying,
    orders,
)
from emulator.exchanges.binance.futures.absent import not_emulated
from emulator.exchanges.binance.futures.assets import COLLATERAL_ASSETS
from emulator.exchanges.binance.futures.products import COLLATERAL, USDM, Product
from emulator.exchanges.binance.futures.rows import FuturesRows
from emulator.web.contract import Route

__all__ = ["COLLATERAL", "MARGIN", "not_emulated", "rows"]

MARGIN = MarginRules(
    # Quirk: a sell order's margin is asked for at no less than 0.05 % above the best price (FAQ "Cost
    # Required to Open a Position in Perpetual Futures Contracts").
    sell_premium=Decimal("0.0005"),
    # Quirk: both products have one position mode (architecture integration of 2026-06).
    shares_position_mode=True,
    # The FAQ "Binance Futures Liquidation Protocols" advises to stay below this ratio; when MARGIN_CALL is
    # sent, no document says.
    warning_ratio=Decimal("0.8"),
    # The order of magnitude that the exchange shows for its funds.
    insurance={
        "USDT": Decimal(1_000_000_000),
        "USDC": Decimal(100_000_000),
        "BTC": Decimal(5_000),
        "ETH": Decimal(50_000),
        "BNB": Decimal(50_000),
    },
    collateral={USDM.wallet: COLLATERAL_ASSETS},
    # Quirk: orders of the exchange itself are told by their client ids ("Event: Order Update").
    names=ClosingNames(
        liquidation="autoclose-{order}",
        deleveraging="adl_autoclose",
        delivery="settlement_autoclose-{order}",
    ),
)

_MODULES: tuple[FuturesRows, ...] = (
    *market.MODULES,
    orders.rows,
    modifying.rows,
    batches.rows,
    algo.rows,
    histories.rows,
    downloads.rows,
    convert.rows,
    *account.MODULES,
    listen_keys.rows,
)


def rows(product: Product) -> tuple[Route, ...]:
    """Everything that one of the two sites answers."""
    return tuple(route for module in _MODULES for route in module.of(product))
