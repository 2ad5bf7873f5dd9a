"""What the market data and general endpoints answer."""

from __future__ import annotations

from typing import NotRequired, TypedDict


class Nothing(TypedDict):
    """An empty object."""


class ServerTime(TypedDict):
    serverTime: int


# exchangeInfo


class RateLimit(TypedDict):
    rateLimitType: str
    interval: str
    intervalNum: int
    limit: int


class Filter(TypedDict):
    """A trading rule. Which members there are depends on the filter's type."""

    filterType: str
    minPrice: NotRequired[str]
    maxPrice: NotRequired[str]
    tickSize: NotRequired[str]
    minQty: NotRequired[str]
    maxQty: NotRequired[str]
    stepSize: NotRequired[str]
    limit: NotRequired[int]
    minTrailingAboveDelta: NotRequired[int]
    maxTrailingAboveDelta: NotRequired[int]
    minTrailingBelowDelta: NotRequired[int]
    maxTrailingBelowDelta: NotRequired[int]
    bidMultiplierUp: NotRequired[str]
    bidMultiplierDown: NotRequired[str]
    askMultiplierUp: NotRequired[str]
    askMultiplierDown: NotRequired[str]
    minNotional: NotRequired[str]
    applyMinToMarket: NotRequired[bool]
    maxNotional: NotRequired[str]
    applyMaxToMarket: NotRequired[bool]
    avgPriceMins: NotRequired[int]
    maxNumOrders: NotRequired[int]
    maxNumOrderLists: NotRequired[int]
    maxNumAlgoOrders: NotRequired[int]
    maxNumIcebergOrders: NotRequired[int]
    maxNumOrderAmends: NotRequired[int]
    maxPosition: NotRequired[str]


class Symbol(TypedDict):
    symbol: str
    status: str
    baseAsset: str
    baseAssetPrecision: int
    quoteAsset: str
    quotePrecision: int
    quoteAssetPrecision: int
    baseCommissionPrecision: int
    quoteCommissionPrecision: int
    orderTypes: list[str]
    icebergAllowed: bool
    ocoAllowed: bool
    otoAllowed: bool
    opoAllowed: bool
    quoteOrderQtyMarketAllowed: bool
    allowTrailingStop: bool
    cancelReplaceAllowed: bool
    amendAllowed: bool
    pegInstructionsAllowed: bool
    isSpotTradingAllowed: bool
    isMarginTradingAllowed: bool
    filters: list[Filter]
    permissions: list[str]
    permissionSets: list[list[str]]
    defaultSelfTradePreventionMode: str
    allowedSelfTradePreventionModes: list[str]


class SmartRouting(TypedDict):
    baseAsset: str
    symbols: list[str]


class ExchangeInfo(TypedDict):
    timezone: str
    serverTime: int
    rateLimits: list[RateLimit]
    exchangeFilters: list[Filter]
    symbols: list[Symbol]
    sors: NotRequired[list[SmartRouting]]


class ExecutionRule(TypedDict):
    ruleType: str
    bidLimitMultUp: NotRequired[str]
    bidLimitMultDown: NotRequired[str]
    askLimitMultUp: NotRequired[str]
    askLimitMultDown: NotRequired[str]


class SymbolRules(TypedDict):
    symbol: str
    rules: list[ExecutionRule]


class ExecutionRules(TypedDict):
    symbolRules: list[SymbolRules]


# Books and trades

PriceLevel = tuple[str, str]
"""Price and quantity."""


class Depth(TypedDict):
    lastUpdateId: int
    bids: list[PriceLevel]
    asks: list[PriceLevel]


class Trade(TypedDict):
    id: int
    price: str
    qty: str
    quoteQty: str
    time: int
    isBuyerMaker: bool
    isBestMatch: bool


class BlockTrade(TypedDict):
    id: int
    price: str
    qty: str
    quoteQty: str
    time: int
    isBuyerMaker: bool


class AggregateTrade(TypedDict):
    """a: its id. p, q: price and quantity. f, l: first and last trade. m: the buyer was the maker."""

    a: int
    p: str
    q: str
    f: int
    l: int  # noqa: E741 - the wire's name
    T: int
    m: bool
    M: bool


Kline = tuple[int, str, str, str, str, str, int, str, int, str, str, str]
"""Open time; open, high, low, close price; volume; close time; quote volume; number of trades; volume and
quote volume of taker buys; an unused "0"."""


# Prices and statistics


class AveragePrice(TypedDict):
    mins: int
    price: str
    closeTime: int


class DayTicker(TypedDict):
    """The last 24 hours."""

    symbol: str
    priceChange: str
    priceChangePercent: str
    weightedAvgPrice: str
    prevClosePrice: str
    lastPrice: str
    lastQty: str
    bidPrice: str
    bidQty: str
    askPrice: str
    askQty: str
    openPrice: str
    highPrice: str
    lowPrice: str
    volume: str
    quoteVolume: str
    openTime: int
    closeTime: int
    firstId: int
    lastId: int
    count: int


class WindowTicker(TypedDict):
    """A trading day, or a window of any length."""

    symbol: str
    priceChange: str
    priceChangePercent: str
    weightedAvgPrice: str
    openPrice: str
    highPrice: str
    lowPrice: str
    lastPrice: str
    volume: str
    quoteVolume: str
    openTime: int
    closeTime: int
    firstId: int
    lastId: int
    count: int


class MiniTicker(TypedDict):
    symbol: str
    openPrice: str
    highPrice: str
    lowPrice: str
    lastPrice: str
    volume: str
    quoteVolume: str
    openTime: int
    closeTime: int
    firstId: int
    lastId: int
    count: int


class PriceTicker(TypedDict):
    symbol: str
    price: str


class BookTicker(TypedDict):
    symbol: str
    bidPrice: str
    bidQty: str
    askPrice: str
    askQty: str


class ReferencePrice(TypedDict):
    symbol: str
    referencePrice: str | None
    timestamp: int


class ReferencePriceCalculation(TypedDict):
    """A mean of the engine's own, by buckets of time, or somebody else's."""

    symbol: str
    calculationType: str
    bucketCount: NotRequired[int]
    bucketWidthMs: NotRequired[int]
    externalCalculationId: NotRequired[int]
