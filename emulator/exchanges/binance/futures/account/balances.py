"""Balances, alone and with the positions that they cover."""

from __future__ import annotations

from emulator.core.numbers import exact
from emulator.core.statement import AssetFigures, PositionStatement, Totals
from emulator.exchanges.binance.futures.account.readings import (
    ENTRY_STEP,
    SIDES_OF_LEGS,
    Standing,
    is_isolated,
    isolated_margin,
    read,
    render_or_zero,
    render_plain,
    render_price,
    render_quantity,
    render_value,
    shown,
)
from emulator.exchanges.binance.futures.payloads.account import (
    CoinmAccount,
    CoinmAsset,
    CoinmBalance,
    CoinmPosition,
    UsdmAccount,
    UsdmAccountOfOld,
    UsdmAsset,
    UsdmBalance,
    UsdmPosition,
    UsdmPositionOfOld,
    UsdmTotals,
)
from emulator.exchanges.binance.futures.products import COLLATERAL
from emulator.exchanges.binance.futures.rows import FuturesRows
from emulator.exchanges.binance.vocabulary import USER_DATA
from emulator.web.contract import Call

rows = FuturesRows()

ALIAS = "SgsR"
"""Quirk: a short text that stands for the account in balances (Futures Account Balance V2, the example)."""
TOTALS_ASSET = "USDT"
"""Quirk: totals of an account in single-asset mode are those of USDT only (Account Information V2)."""


@rows.usdm(
    "GET",
    "/v3/account",
    summary="Account information V3",
    description="Only positions that are open or have open orders are listed.",
    security=USER_DATA,
    weight=5,
    answers=UsdmAccount,
)
def account(call: Call) -> UsdmAccount:
    with exact():
        standing = read(call)
        return {
            **_totals(standing),
            "assets": [_usdm_asset(standing, one, call) for one in standing.assets()],
            "positions": [_usdm_position(symbol, one, call) for symbol, one in standing.open_positions()],
        }


@rows.usdm(
    "GET",
    "/v2/account",
    summary="Account information V2",
    security=USER_DATA,
    weight=5,
    answers=UsdmAccountOfOld,
)
def account_of_old(call: Call) -> UsdmAccountOfOld:
    with exact():
        standing = read(call)
        state = standing.engine.state
        return {
            "feeTier": 0,
            "feeBurn": standing.product.wallet in state.accounts[call.account].discounted,
            "canTrade": True,
            "canDeposit": True,
            "canWithdraw": True,
            # Quirk: kept for compatibility and always 0 (Account Information V2).
            "updateTime": 0,
            "multiAssetsMargin": is_multi_asset(standing),
            "tradeGroupId": state.accounts[call.account].trade_group or -1,
            **_totals(standing),
            "assets": [
                {**_usdm_asset(standing, one, call), "marginAvailable": one.asset in COLLATERAL}
                for one in standing.assets()
            ],
            "positions": [
                _usdm_position_of_old(standing, symbol, one, call)
                for symbol, one in standing.positions(shown(standing))
            ],
        }


@rows.coinm(
    "GET",
    "/v1/account",
    summary="Account information",
    security=USER_DATA,
    weight=5,
    answers=CoinmAccount,
)
def coinm_account(call: Call) -> CoinmAccount:
    with exact():
        standing = read(call)
        return {
            "assets": [_coinm_asset(standing, one, call) for one in standing.assets()],
            "positions": [
                _coinm_position(standing, symbol, one, call)
                for symbol, one in standing.positions(shown(standing))
            ],
            "canDeposit": True,
            "canTrade": True,
            "canWithdraw": True,
            "feeTier": 0,
            "updateTime": 0,
        }


@rows.usdm(
    "GET",
    "/v3/balance",
    summary="Futures account balance V3",
    security=USER_DATA,
    weight=5,
    answers=list[UsdmBalance],
)
@rows.usdm(
    "GET",
    "/v2/balance",
    summary="Futures account balance V2",
    security=USER_DATA,
    weight=5,
    answers=list[UsdmBalance],
)
def balance(call: Call) -> list[UsdmBalance]:
    with exact():
        standing = read(call)
        return [
            {
                "accountAlias": ALIAS,
                "asset": one.asset,
                "balance": render_value(one.wallet),
                "crossWalletBalance": render_value(one.cross_wallet),
                "crossUnPnl": render_value(one.cross_unrealised),
                "availableBalance": render_value(standing.statement.available(one.asset)),
                "maxWithdrawAmount": render_value(standing.statement.withdrawable(one.asset)),
                "marginAvailable": one.asset in COLLATERAL,
                "updateTime": call.render_time(standing.updated_us),
            }
            for one in standing.assets()
        ]


@rows.coinm(
    "GET",
    "/v1/balance",
    summary="Futures account balance",
    security=USER_DATA,
    weight=1,
    answers=list[CoinmBalance],
)
def coinm_balance(call: Call) -> list[CoinmBalance]:
    with exact():
        standing = read(call)
        return [
            {
                "accountAlias": ALIAS,
                "asset": one.asset,
                "balance": render_value(one.wallet),
                "withdrawAvailable": render_value(standing.statement.withdrawable(one.asset)),
                "crossWalletBalance": render_value(one.cross_wallet),
                "crossUnPnl": render_value(one.cross_unrealised),
                "availableBalance": render_value(standing.statement.available(one.asset)),
                "updateTime": call.render_time(standing.updated_us),
            }
            for one in standing.assets()
        ]


def is_multi_asset(standing: Standing) -> bool:
    """Whether all assets of the account cover its positions together."""
    return (standing.account, standing.product.wallet) in standing.engine.state.shared


def _totals(standing: Standing) -> UsdmTotals:
    totals: Totals = standing.statement.totals(TOTALS_ASSET)
    return {
        "totalInitialMargin": render_value(totals.initial_margin),
        "totalMaintMargin": render_value(totals.maintenance),
        "totalWalletBalance": render_value(totals.wallet),
        "totalUnrealizedProfit": render_value(totals.unrealised),
        "totalMarginBalance": render_value(totals.margin_balance),
        "totalPositionInitialMargin": render_value(totals.position_margin),
        "totalOpenOrderInitialMargin": render_value(totals.order_margin),
        "totalCrossWalletBalance": render_value(totals.cross_wallet),
        "totalCrossUnPnl": render_value(totals.cross_unrealised),
        "availableBalance": render_value(totals.available),
        "maxWithdrawAmount": render_value(totals.withdrawable),
    }


def _usdm_asset(standing: Standing, one: AssetFigures, call: Call) -> UsdmAsset:
    return {
        "asset": one.asset,
        "walletBalance": render_value(one.wallet),
        "unrealizedProfit": render_value(one.unrealised),
        "marginBalance": render_value(one.margin_balance),
        "maintMargin": render_value(one.maintenance),
        "initialMargin": render_value(one.initial_margin),
        "positionInitialMargin": render_value(one.position_margin),
        "openOrderInitialMargin": render_value(one.order_margin),
        "crossWalletBalance": render_value(one.cross_wallet),
        "crossUnPnl": render_value(one.cross_unrealised),
        "availableBalance": render_value(standing.statement.available(one.asset)),
        "maxWithdrawAmount": render_value(standing.statement.withdrawable(one.asset)),
        "updateTime": call.render_time(standing.updated_us),
    }


def _coinm_asset(standing: Standing, one: AssetFigures, call: Call) -> CoinmAsset:
    return {
        "asset": one.asset,
        "walletBalance": render_value(one.wallet),
        "unrealizedProfit": render_value(one.unrealised),
        "marginBalance": render_value(one.margin_balance),
        "maintMargin": render_value(one.maintenance),
        "initialMargin": render_value(one.initial_margin),
        "positionInitialMargin": render_value(one.position_margin),
        "openOrderInitialMargin": render_value(one.order_margin),
        "maxWithdrawAmount": render_value(standing.statement.withdrawable(one.asset)),
        "crossWalletBalance": render_value(one.cross_wallet),
        "crossUnPnl": render_value(one.cross_unrealised),
        "availableBalance": render_value(standing.statement.available(one.asset)),
        "updateTime": call.render_time(standing.updated_us),
    }


def _usdm_position(symbol: str, one: PositionStatement, call: Call) -> UsdmPosition:
    position = one.position
    return {
        "symbol": symbol,
        "positionSide": SIDES_OF_LEGS[position.leg],
        "positionAmt": render_plain(position.quantity),
        "unrealizedProfit": render_value(one.unrealised),
        "isolatedMargin": render_or_zero(isolated_margin(one)),
        "notional": render_or_zero(one.value),
        "isolatedWallet": render_or_zero(position.margin),
        "initialMargin": render_or_zero(one.needed.total),
        "maintMargin": render_or_zero(one.maintenance),
        "updateTime": call.render_time(position.updated_us),
    }


def _usdm_position_of_old(
    standing: Standing, symbol: str, one: PositionStatement, call: Call
) -> UsdmPositionOfOld:
    position = one.position
    return {
        "symbol": symbol,
        "initialMargin": render_or_zero(one.needed.total),
        "maintMargin": render_or_zero(one.maintenance),
        "unrealizedProfit": render_value(one.unrealised),
        "positionInitialMargin": render_or_zero(one.needed.position),
        "openOrderInitialMargin": render_or_zero(one.needed.orders),
        "leverage": render_plain(position.leverage),
        "isolated": is_isolated(one),
        "entryPrice": render_price(one.entry(ENTRY_STEP)),
        "breakEvenPrice": render_price(one.break_even(ENTRY_STEP)),
        "maxNotional": render_plain(one.value_max),
        "bidNotional": render_or_zero(one.resting.bids),
        "askNotional": render_or_zero(one.resting.asks),
        "positionSide": SIDES_OF_LEGS[position.leg],
        "positionAmt": render_quantity(standing.product.listings[symbol], position.quantity),
        "notional": render_or_zero(one.value),
        "isolatedWallet": render_or_zero(position.margin),
        "updateTime": call.render_time(position.updated_us),
    }


def _coinm_position(standing: Standing, symbol: str, one: PositionStatement, call: Call) -> CoinmPosition:
    position = one.position
    return {
        "symbol": symbol,
        "positionAmt": render_quantity(standing.product.listings[symbol], position.quantity),
        "initialMargin": render_or_zero(one.needed.total),
        "maintMargin": render_or_zero(one.maintenance),
        "unrealizedProfit": render_value(one.unrealised),
        "positionInitialMargin": render_or_zero(one.needed.position),
        "openOrderInitialMargin": render_or_zero(one.needed.orders),
        "leverage": render_plain(position.leverage),
        "isolated": is_isolated(one),
        "positionSide": SIDES_OF_LEGS[position.leg],
        "entryPrice": render_price(one.entry(ENTRY_STEP)),
        "breakEvenPrice": render_price(one.break_even(ENTRY_STEP)),
        "maxQty": render_plain(one.value_max),
        "notionalValue": render_or_zero(one.value),
        "isolatedWallet": render_or_zero(position.margin),
        "updateTime": call.render_time(position.updated_us),
    }
