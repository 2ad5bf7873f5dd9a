"""What covers positions in the unified wallet, and what owing costs, as data for the engine.

The unit is the US dollar. A coin counts where a contract tells what it is worth; the two stablecoins that
contracts settle in are a dollar each, and nobody can take them out of what counts.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from emulator.core.numbers import ONE, ZERO
from emulator.core.positions import AccountMargin
from emulator.core.rules import (
    ClosingNames,
    CollateralAsset,
    CostRule,
    LeverageScope,
    MarginRules,
    PositionModeScope,
)
from emulator.exchanges.bybit.assets import Asset, assets
from emulator.exchanges.bybit.categories import INVERSE, LINEAR
from emulator.exchanges.bybit.listings import TAKER_FEE
from emulator.exchanges.bybit.running import UNIFIED

DOLLARS: Final = ("USDT", "USDC")
DEBT_INITIAL: Final = Decimal("0.1")
DEBT_MAINTENANCE: Final = Decimal("0.04")
"""Of what is owed ("Get Position Tiers", its example; initially by the highest leverage)."""
INTEREST_MINUTE: Final = 5
"""Minutes after each hour at which interest is charged ("Manual Repay", note 3)."""


def _collateral(asset: Asset) -> CollateralAsset | None:
    contract = _index_of(asset.code)
    if contract is None and asset.code not in DOLLARS:
        return None
    return CollateralAsset(
        asset=asset.code,
        bid_buffer=ONE - asset.collateral_ratio,
        # What is owed is bought for other coins at what they are worth.
        exchanged=ZERO,
        index_of=contract or "",
        owed_max=asset.borrow_max,
        borrow_max=asset.borrow_max,
        hourly_rate=asset.hourly_rate,
        debt_initial=DEBT_INITIAL,
        debt_maintenance=DEBT_MAINTENANCE,
        is_optional=asset.code not in DOLLARS,
    )


def _index_of(code: str) -> str | None:
    """The contract whose index is the worth of a coin: in dollars, or in the stablecoin for them."""
    if code in DOLLARS:
        return None
    for category, symbol in ((INVERSE, f"{code}USD"), (LINEAR, f"{code}USDT")):
        if symbol in category.listings:
            return category.listings[symbol].instrument.symbol
    return None


COLLATERAL: Final = tuple(one for one in map(_collateral, assets().values()) if one is not None)

MARGIN: Final = MarginRules(
    # Beside its initial margin an order needs the fees for opening and for closing what it opens, where that
    # would be bankrupt (help centre, "Order Cost").
    cost=CostRule(open_loss=False, opening_rate=TAKER_FEE, closing_rate=TAKER_FEE),
    leverage_scope=LeverageScope.ISOLATED_LEG,
    refits_isolated=True,
    # The order of magnitude that the exchange shows for its funds ("Get Insurance Pool").
    insurance={
        "USDT": Decimal(1_000_000_000),
        "USDC": Decimal(100_000_000),
        "BTC": Decimal(5_000),
        "ETH": Decimal(50_000),
    },
    collateral={UNIFIED: COLLATERAL},
    account_margin={UNIFIED: AccountMargin.CROSS},
    position_mode_scope=PositionModeScope.CONTRACT,
    interest_minute=INTEREST_MINUTE,
    # What the exchange places itself has no name ("Get Order History", `orderLinkId`).
    names=ClosingNames(liquidation="", deleveraging="", delivery=""),
)
