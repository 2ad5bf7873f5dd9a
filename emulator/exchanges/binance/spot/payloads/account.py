"""What the account endpoints answer."""

from __future__ import annotations

from typing import NotRequired, TypedDict

from emulator.exchanges.binance.spot.payloads.market import Filter, RateLimit


class CommissionRates(TypedDict):
    maker: str
    taker: str
    buyer: str
    seller: str


class AssetBalance(TypedDict):
    asset: str
    free: str
    locked: str


class Account(TypedDict):
    """`tradeGroupId` only of an account that belongs to a trade group."""

    makerCommission: int
    takerCommission: int
    buyerCommission: int
    sellerCommission: int
    commissionRates: CommissionRates
    canTrade: bool
    canWithdraw: bool
    canDeposit: bool
    brokered: bool
    requireSelfTradePrevention: bool
    preventSor: bool
    updateTime: int
    accountType: str
    balances: list[AssetBalance]
    permissions: list[str]
    tradeGroupId: NotRequired[int]
    uid: int


class AccountTrade(TypedDict):
    symbol: str
    id: int
    orderId: int
    orderListId: int
    price: str
    qty: str
    quoteQty: str
    commission: str
    commissionAsset: str
    time: int
    isBuyer: bool
    isMaker: bool
    isBestMatch: bool


class Discount(TypedDict):
    enabledForAccount: bool
    enabledForSymbol: bool
    discountAsset: str
    discount: str


class SymbolCommission(TypedDict):
    symbol: str
    standardCommission: CommissionRates
    specialCommission: CommissionRates
    taxCommission: CommissionRates
    discount: Discount


class OrderCount(RateLimit):
    """A rate limit of orders and how much of it is used."""

    count: int


class AssetFilter(TypedDict):
    filterType: str
    asset: str
    limit: str


class AccountFilters(TypedDict):
    exchangeFilters: list[Filter]
    symbolFilters: list[Filter]
    assetFilters: list[AssetFilter]
