"""What the account endpoints of futures answer."""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict


class Done(TypedDict):
    code: int
    msg: str


class UsdmAsset(TypedDict):
    asset: str
    walletBalance: str
    unrealizedProfit: str
    marginBalance: str
    maintMargin: str
    initialMargin: str
    positionInitialMargin: str
    openOrderInitialMargin: str
    crossWalletBalance: str
    crossUnPnl: str
    availableBalance: str
    maxWithdrawAmount: str
    updateTime: int
    marginAvailable: NotRequired[bool]


class UsdmPosition(TypedDict):
    """Of `v3/account`."""

    symbol: str
    positionSide: str
    positionAmt: str
    unrealizedProfit: str
    isolatedMargin: str
    notional: str
    isolatedWallet: str
    initialMargin: str
    maintMargin: str
    updateTime: int


class UsdmPositionOfOld(TypedDict):
    """Of `v2/account`."""

    symbol: str
    initialMargin: str
    maintMargin: str
    unrealizedProfit: str
    positionInitialMargin: str
    openOrderInitialMargin: str
    leverage: str
    isolated: bool
    entryPrice: str
    breakEvenPrice: str
    maxNotional: str
    bidNotional: str
    askNotional: str
    positionSide: str
    positionAmt: str
    notional: str
    isolatedWallet: str
    updateTime: int


class UsdmTotals(TypedDict):
    totalInitialMargin: str
    totalMaintMargin: str
    totalWalletBalance: str
    totalUnrealizedProfit: str
    totalMarginBalance: str
    totalPositionInitialMargin: str
    totalOpenOrderInitialMargin: str
    totalCrossWalletBalance: str
    totalCrossUnPnl: str
    availableBalance: str
    maxWithdrawAmount: str


class UsdmAccount(UsdmTotals):
    assets: list[UsdmAsset]
    positions: list[UsdmPosition]


class UsdmAccountOfOld(UsdmTotals):
    feeTier: int
    feeBurn: bool
    canTrade: bool
    canDeposit: bool
    canWithdraw: bool
    updateTime: int
    multiAssetsMargin: bool
    tradeGroupId: int
    assets: list[UsdmAsset]
    positions: list[UsdmPositionOfOld]


class CoinmAsset(TypedDict):
    asset: str
    walletBalance: str
    unrealizedProfit: str
    marginBalance: str
    maintMargin: str
    initialMargin: str
    positionInitialMargin: str
    openOrderInitialMargin: str
    maxWithdrawAmount: str
    crossWalletBalance: str
    crossUnPnl: str
    availableBalance: str
    updateTime: int


class CoinmPosition(TypedDict):
    symbol: str
    positionAmt: str
    initialMargin: str
    maintMargin: str
    unrealizedProfit: str
    positionInitialMargin: str
    openOrderInitialMargin: str
    leverage: str
    isolated: bool
    positionSide: str
    entryPrice: str
    breakEvenPrice: str
    maxQty: str
    notionalValue: str
    isolatedWallet: str
    updateTime: int


class CoinmAccount(TypedDict):
    assets: list[CoinmAsset]
    positions: list[CoinmPosition]
    canDeposit: bool
    canTrade: bool
    canWithdraw: bool
    feeTier: int
    updateTime: int


class UsdmBalance(TypedDict):
    accountAlias: str
    asset: str
    balance: str
    crossWalletBalance: str
    crossUnPnl: str
    availableBalance: str
    maxWithdrawAmount: str
    marginAvailable: bool
    updateTime: int


class CoinmBalance(TypedDict):
    accountAlias: str
    asset: str
    balance: str
    withdrawAvailable: str
    crossWalletBalance: str
    crossUnPnl: str
    availableBalance: str
    updateTime: int


class UsdmPositionRisk(TypedDict):
    """Of `v3/positionRisk`."""

    symbol: str
    positionSide: str
    positionAmt: str
    entryPrice: str
    breakEvenPrice: str
    markPrice: str
    unRealizedProfit: str
    liquidationPrice: str
    isolatedMargin: str
    notional: str
    marginAsset: str
    isolatedWallet: str
    initialMargin: str
    maintMargin: str
    positionInitialMargin: str
    openOrderInitialMargin: str
    adl: int
    bidNotional: str
    askNotional: str
    updateTime: int


class UsdmPositionRiskOfOld(TypedDict):
    """Of `v2/positionRisk`."""

    symbol: str
    positionAmt: str
    entryPrice: str
    breakEvenPrice: str
    markPrice: str
    unRealizedProfit: str
    liquidationPrice: str
    leverage: str
    maxNotionalValue: str
    marginType: str
    isolatedMargin: str
    isAutoAddMargin: str
    positionSide: str
    notional: str
    isolatedWallet: str
    updateTime: int


class CoinmPositionRisk(TypedDict):
    symbol: str
    positionAmt: str
    entryPrice: str
    breakEvenPrice: str
    markPrice: str
    unRealizedProfit: str
    liquidationPrice: str
    leverage: str
    maxQty: str
    marginType: str
    isolatedMargin: str
    isAutoAddMargin: str
    positionSide: str
    notionalValue: str
    isolatedWallet: str
    updateTime: int


class AdlQuantile(TypedDict):
    symbol: str
    adlQuantile: dict[str, int]


class SymbolConfig(TypedDict):
    symbol: str
    marginType: str
    isAutoAddMargin: bool
    leverage: int
    maxNotionalValue: str


class AccountConfig(TypedDict):
    feeTier: int
    canTrade: bool
    canDeposit: bool
    canWithdraw: bool
    dualSidePosition: bool
    updateTime: int
    multiAssetsMargin: bool
    tradeGroupId: int


class UsdmBracket(TypedDict):
    bracket: int
    initialLeverage: int
    notionalCap: int
    notionalFloor: int
    maintMarginRatio: float
    cum: float


class UsdmBrackets(TypedDict):
    symbol: str
    notionalCoef: float
    brackets: list[UsdmBracket]


class CoinmBracket(TypedDict):
    bracket: int
    initialLeverage: int
    qtyCap: int
    qtylFloor: int
    qtyFloor: int
    maintMarginRatio: float
    cum: float


class CoinmBracketsOfSymbol(TypedDict):
    symbol: str
    notionalCoef: float
    brackets: list[CoinmBracket]


class CoinmBracketsOfPair(TypedDict):
    pair: str
    brackets: list[CoinmBracket]


class PositionMode(TypedDict):
    dualSidePosition: bool


class AssetsMode(TypedDict):
    multiAssetsMargin: bool


class FeeBurn(TypedDict):
    feeBurn: bool


class PortfolioMargin(TypedDict):
    maxWithdrawAmountUSD: str
    asset: str
    maxWithdrawAmount: str


class UsdmLeverage(TypedDict):
    leverage: int
    maxNotionalValue: str
    symbol: str


class CoinmLeverage(TypedDict):
    leverage: int
    maxQty: str
    symbol: str


class MarginMoved(TypedDict):
    amount: float
    code: int
    msg: str
    type: int


class MarginChange(TypedDict):
    symbol: str
    type: int
    deltaType: str
    amount: str
    asset: str
    time: int
    positionSide: str


class Income(TypedDict):
    symbol: str
    incomeType: str
    income: str
    asset: str
    info: str
    time: int
    tranId: int | str
    tradeId: str


class CommissionRate(TypedDict):
    symbol: str
    makerCommissionRate: str
    takerCommissionRate: str
    rpiCommissionRate: NotRequired[str]


class Indicator(TypedDict):
    isLocked: bool
    plannedRecoverTime: int
    indicator: str
    value: float
    triggerValue: float


class TradingStatus(TypedDict):
    indicators: dict[str, list[Indicator]]
    updateTime: int


class PortfolioAccount(TypedDict):
    maxWithdrawAmountUSD: str
    asset: str
    maxWithdrawAmount: str


class DownloadId(TypedDict):
    avgCostTimestampOfLast30d: int
    downloadId: str


class Download(TypedDict):
    downloadId: str
    status: Literal["completed", "processing"]
    url: str
    notified: bool
    expirationTimestamp: int
    isExpired: bool | None
