"""How the unified wallet covers what is in it: what coins count for, and what owing them costs.

A coin counts at its index price less a haircut, as its collateral ratio says, and as that of the next tier
beyond some quantities ("Get Tiered Collateral Ratio"). What is owed needs margin of
its own: a part that follows the leverage of spot margin trading, and four hundredths to be kept ("Get
Position Tiers"). Interest is charged five minutes after each whole hour (help centre, "Borrowing, Interest
and Repayment"). Coins without a perpetual against USDT have no index here, so they cover nothing; where
that is on a thousand of them, one is worth a thousandth.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from emulator.core.numbers import ONE
from emulator.core.positions import AccountMargin
from emulator.core.rules import (
    ClosingNames,
    CollateralAsset,
    CollateralTier,
    CostRule,
    LeverageScope,
    LiquidationStyle,
    MarginRules,
    PositionModeScope,
)
from emulator.exchanges.bybit.assets import assets
from emulator.exchanges.bybit.indexes import coin_indexes
from emulator.exchanges.bybit.listings import TAKER_FEE
from emulator.exchanges.bybit.running import UNIFIED

DOLLARS: Final = frozenset({"USDT", "USDC"})
"""Coins that are taken for a dollar, and always count ("Set Collateral Coin")."""

SPOT_LEVERAGE_MAX: Final = Decimal(10)
"""Of spot margin trading ("Set Leverage")."""

DEBT_MAINTENANCE: Final = Decimal("0.04")
PENALTY_POWER: Final = 3
"""Beyond the borrowing limit interest is multiplied by the cube of how much of it is used (help centre,
"Borrowing and Repayment (Unified Trading Account)")."""
DEBT_INITIAL: Final = ONE / SPOT_LEVERAGE_MAX


def _collateral() -> Iterator[CollateralAsset]:
    indexes = coin_indexes()
    for code, asset in assets().items():
        index = None if code in DOLLARS else indexes.get(code)
        if index is None and code not in DOLLARS:
            continue
        yield CollateralAsset(
            asset=code,
            bid_buffer=ONE - asset.collateral_ratio,
            tiers=tuple(
                CollateralTier(floor=floor, bid_buffer=ONE - ratio) for floor, ratio in asset.collateral_tiers
            ),
            index_of="" if index is None else index.instrument,
            index_part=ONE if index is None else index.part,
            turn=asset.liquidation_order,
            borrow_max=asset.borrow_max,
            hourly_rate=asset.hourly_rate,
            over_power=PENALTY_POWER,
            debt_initial=DEBT_INITIAL,
            debt_maintenance=DEBT_MAINTENANCE,
            is_optional=code not in DOLLARS,
        )


MARGIN: Final = MarginRules(
    # An order needs the fee for opening as well (help centre, "Order Cost (USDT Contract)"); that for closing
    # is a part of the initial margin.
    cost=CostRule(open_loss=False, opening_rate=TAKER_FEE),
    leverage_scope=LeverageScope.ISOLATED_LEG,
    refits_isolated=True,
    account_margin={UNIFIED: AccountMargin.CROSS},
    position_mode_scope=PositionModeScope.CONTRACT,
    collateral={UNIFIED: tuple(_collateral())},
    interest_minute=5,
    spot_leverage_max=SPOT_LEVERAGE_MAX,
    # Quirk: a position that is liquidated is closed at its bankruptcy price, whatever the market gives for
    # it, unless it is kept by being made smaller; what is better or worse is the insurance fund's (help
    # centre, "Liquidation Process"). Who is deleveraged has no orders any more ("Auto-Deleveraging (ADL)").
    liquidation_style=LiquidationStyle.TAKEOVER,
    deleveraging_ends_orders=True,
    # What the exchange places itself has no name ("Get Order History", `orderLinkId`).
    names=ClosingNames(liquidation="", deleveraging="", delivery=""),
    # The order of magnitude that the exchange shows for its funds ("Get Insurance Pool").
    insurance={
        "USDT": Decimal(1_000_000_000),
        "USDC": Decimal(100_000_000),
        "BTC": Decimal(5_000),
        "ETH": Decimal(50_000),
    },
)
