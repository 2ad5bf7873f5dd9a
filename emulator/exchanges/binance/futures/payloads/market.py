"""What the public endpoints of futures answer. Of COIN-M, quantities are contracts."""

from __future__ import annotations

from typing import NotRequired, TypedDict

PriceLevel = tuple[str, str]
"""Price and quantity."""

Kline = tuple[int, str, str, str, str, str, int, str, int, str, str, str]
"""Opening time; open, high, low and close; quantity; closing time; value; trades; what buyers took, and its
value; nothing. The value is in quote asset, of COIN-M in base asset. Of prices there are neither quantities
nor values, and seconds instead of trades."""


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


class MarginAsset(TypedDict):
    asset: str
    marginAvailable: bool
    autoAssetExchange: str


class Filter(TypedDict, total=False):
    """Which members there are depends on `filterType`, which always is."""

    filterType: str
    minPrice: str
    maxPrice: str
    tickSize: str
    minQty: str
    maxQty: str
    stepSize: str
    limit: int
    notional: str
    multiplierUp: str
    multiplierDown: str
    multiplierDecimal: str
    positionControlSide: str


class UsdmContract(TypedDict):
    symbol: str
    pair: str
    contractType: str
    deliveryDate: int
    onboardDate: int
    status: str
    maintMarginPercent: str
    requiredMarginPercent: str
    baseAsset: str
    quoteAsset: str
    marginAsset: str
    pricePrecision: int
    quantityPrecision: int
    baseAssetPrecision: int
    quotePrecision: int
    underlyingType: str
    underlyingSubType: list[str]
    triggerProtect: str
    liquidationFee: str
    marketTakeBound: str
    maxMoveOrderLimit: int
    filters: list[Filter]
    orderTypes: list[str]
    timeInForce: list[str]
    permissionSets: list[str]


class CoinmContract(TypedDict):
    symbol: str
    pair: str
    contractType: str
    deliveryDate: int
    onboardDate: int
    contractStatus: str
    contractSize: int
    marginAsset: str
    maintMarginPercent: str
    requiredMarginPercent: str
    baseAsset: str
    quoteAsset: str
    pricePrecision: int
    quantityPrecision: int
    baseAssetPrecision: int
    quotePrecision: int
    equalQtyPrecision: int
    maxMoveOrderLimit: int
    triggerProtect: str
    underlyingType: str
    underlyingSubType: list[str]
    filters: list[Filter]
    orderTypes: list[str]
    timeInForce: list[str]
    liquidationFee: str
    marketTakeBound: str


class UsdmExchangeInfo(TypedDict):
    timezone: str
    serverTime: int
    futuresType: str
    rateLimits: list[RateLimit]
    exchangeFilters: list[Filter]
    assets: list[MarginAsset]
    symbols: list[UsdmContract]


class CoinmExchangeInfo(TypedDict):
    timezone: str
    serverTime: int
    rateLimits: list[RateLimit]
    exchangeFilters: list[Filter]
    symbols: list[CoinmContract]


# Book and trades


class UsdmDepth(TypedDict):
    lastUpdateId: int
    E: int
    T: int
    bids: list[PriceLevel]
    asks: list[PriceLevel]


class CoinmDepth(TypedDict):
    lastUpdateId: int
    symbol: str
    pair: str
    E: int
    T: int
    bids: list[PriceLevel]
    asks: list[PriceLevel]


class UsdmTrade(TypedDict):
    id: int
    price: str
    qty: str
    quoteQty: str
    time: int
    isBuyerMaker: bool
    isRPITrade: bool


class CoinmTrade(TypedDict):
    id: int
    price: str
    qty: str
    baseQty: str
    time: int
    isBuyerMaker: bool


class AggregateTrade(TypedDict):
    """a: its id. q, nq: quantity, with retail price improvement and without, which only USD-M tells apart.
    f, l: first and last trade. m: whether the buyer was the maker."""

    a: int
    p: str
    q: str
    nq: NotRequired[str]
    f: int
    l: int  # noqa: E741 - the wire's name
    T: int
    m: bool


# Tickers


class UsdmDayTicker(TypedDict):
    symbol: str
    priceChange: str
    priceChangePercent: str
    weightedAvgPrice: str
    lastPrice: str
    lastQty: str
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


class CoinmDayTicker(TypedDict):
    symbol: str
    pair: str
    priceChange: str
    priceChangePercent: str
    weightedAvgPrice: str
    lastPrice: str
    lastQty: str
    openPrice: str
    highPrice: str
    lowPrice: str
    volume: str
    baseVolume: str
    openTime: int
    closeTime: int
    firstId: int
    lastId: int
    count: int


class UsdmPriceTicker(TypedDict):
    symbol: str
    price: str
    time: int


class CoinmPriceTicker(TypedDict):
    symbol: str
    ps: str
    price: str
    time: int


class UsdmBookTicker(TypedDict):
    symbol: str
    bidPrice: str
    bidQty: str
    askPrice: str
    askQty: str
    time: int
    lastUpdateId: int


class CoinmBookTicker(TypedDict):
    lastUpdateId: int
    symbol: str
    pair: str
    bidPrice: str
    bidQty: str
    askPrice: str
    askQty: str
    time: int


# Marks


class UsdmPremium(TypedDict):
    symbol: str
    markPrice: str
    indexPrice: str
    estimatedSettlePrice: str
    lastFundingRate: str
    interestRate: str
    nextFundingTime: int
    time: int


class CoinmPremium(TypedDict):
    symbol: str
    pair: str
    markPrice: str
    indexPrice: str
    estimatedSettlePrice: str
    lastFundingRate: str
    interestRate: str
    nextFundingTime: int
    time: int


class UsdmFundingRate(TypedDict):
    symbol: str
    fundingTime: int
    fundingRate: str
    markPrice: str
    rateType: str


class CoinmFundingRate(TypedDict):
    symbol: str
    fundingTime: int
    fundingRate: str


class FundingInfo(TypedDict):
    symbol: str
    adjustedFundingRateCap: str
    adjustedFundingRateFloor: str
    fundingIntervalHours: int
    disclaimer: bool


class Constituent(TypedDict):
    exchange: str
    symbol: str
    price: str
    weight: str


class Constituents(TypedDict):
    symbol: str
    time: int
    constituents: list[Constituent]


class IndexedAsset(TypedDict):
    baseAsset: str
    quoteAsset: str
    weightInQuantity: str
    weightInPercentage: str


class CompositeIndex(TypedDict):
    symbol: str
    time: int
    component: str
    baseAssetList: list[IndexedAsset]


class AssetIndex(TypedDict):
    symbol: str
    time: int
    index: str
    bidBuffer: str
    askBuffer: str
    bidRate: str
    askRate: str
    autoExchangeBidBuffer: str
    autoExchangeAskBuffer: str
    autoExchangeBidRate: str
    autoExchangeAskRate: str


# What is open


class UsdmOpenInterest(TypedDict):
    symbol: str
    openInterest: str
    time: int


class CoinmOpenInterest(TypedDict):
    symbol: str
    pair: str
    openInterest: str
    contractType: str
    time: int


class UsdmOpenInterestThen(TypedDict):
    symbol: str
    sumOpenInterest: str
    sumOpenInterestValue: str
    CMCCirculatingSupply: str
    timestamp: int


class CoinmOpenInterestThen(TypedDict):
    pair: str
    contractType: str
    sumOpenInterest: str
    sumOpenInterestValue: str
    timestamp: int


class UsdmLongShortRatio(TypedDict):
    symbol: str
    longShortRatio: str
    longAccount: str
    shortAccount: str
    timestamp: int


class CoinmLongShortRatio(TypedDict):
    pair: str
    longShortRatio: str
    longAccount: str
    shortAccount: str
    timestamp: int


class CoinmPositionRatio(TypedDict):
    pair: str
    longShortRatio: str
    longPosition: str
    shortPosition: str
    timestamp: int


class UsdmTakerVolume(TypedDict):
    buySellRatio: str
    buyVol: str
    sellVol: str
    timestamp: int


class CoinmTakerVolume(TypedDict):
    pair: str
    contractType: str
    takerBuyVol: str
    takerSellVol: str
    takerBuyVolValue: str
    takerSellVolValue: str
    timestamp: int


class Basis(TypedDict):
    indexPrice: str
    contractType: str
    basisRate: str
    futuresPrice: str
    annualizedBasisRate: str
    basis: str
    pair: str
    timestamp: int


class DeliveryPrice(TypedDict):
    deliveryTime: int
    deliveryPrice: float


# Risk


class InsuranceAsset(TypedDict):
    asset: str
    marginBalance: str
    updateTime: int


class InsuranceFund(TypedDict):
    symbols: list[str]
    assets: list[InsuranceAsset]


class AdlRisk(TypedDict):
    symbol: str
    adlRisk: str
    updateTime: int


class Session(TypedDict):
    startTime: int
    endTime: int
    type: str


class Sessions(TypedDict):
    sessions: list[Session]


class MarketSchedules(TypedDict):
    EQUITY: Sessions
    COMMODITY: Sessions
    KR_EQUITY: Sessions
    HK_EQUITY: Sessions
    CN_EQUITY: Sessions


class TradingSchedule(TypedDict):
    updateTime: int
    marketSchedules: MarketSchedules
