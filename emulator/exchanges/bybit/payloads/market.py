"""Bodies of market data, their keys in the order in which they are sent."""

from __future__ import annotations

from typing import TypedDict

Level = tuple[str, str]
"""Price and quantity."""

RpiLevel = tuple[str, str, str]
"""Price, quantity, and the quantity of retail price improvement."""

Kline = tuple[str, str, str, str, str, str, str]
"""Opening time, open, high, low, close, volume, turnover."""

PriceKline = tuple[str, str, str, str, str]
"""Opening time, open, high, low, close."""


class LeverageFilter(TypedDict):
    minLeverage: str
    maxLeverage: str
    leverageStep: str


class ContractPriceFilter(TypedDict):
    minPrice: str
    maxPrice: str
    tickSize: str


class ContractLotFilter(TypedDict):
    maxOrderQty: str
    minOrderQty: str
    qtyStep: str
    postOnlyMaxOrderQty: str
    maxMktOrderQty: str
    minNotionalValue: str


class RiskParameters(TypedDict):
    priceLimitRatioX: str
    priceLimitRatioY: str


class ContractInfo(TypedDict):
    """preListingInfo: of a contract before it is listed, so never."""

    symbol: str
    symbolId: int
    contractType: str
    status: str
    baseCoin: str
    quoteCoin: str
    launchTime: str
    deliveryTime: str
    deliveryFeeRate: str
    priceScale: str
    leverageFilter: LeverageFilter
    priceFilter: ContractPriceFilter
    lotSizeFilter: ContractLotFilter
    unifiedMarginTrade: bool
    fundingInterval: int
    settleCoin: str
    copyTrading: str
    upperFundingRate: str
    lowerFundingRate: str
    isPreListing: bool
    preListingInfo: None
    riskParameters: RiskParameters
    symbolType: str
    displayName: str
    forbidUplWithdrawal: bool


class PairLotFilter(TypedDict):
    basePrecision: str
    quotePrecision: str
    minOrderQty: str
    maxOrderQty: str
    minOrderAmt: str
    maxOrderAmt: str
    maxLimitOrderQty: str
    maxMarketOrderQty: str
    postOnlyMaxLimitOrderSize: str


class PairPriceFilter(TypedDict):
    tickSize: str


class PairInfo(TypedDict):
    symbolId: int
    symbol: str
    baseCoin: str
    quoteCoin: str
    innovation: str
    status: str
    marginTrading: str
    stTag: str
    lotSizeFilter: PairLotFilter
    priceFilter: PairPriceFilter
    riskParameters: RiskParameters
    symbolType: str


class InstrumentsInfo(TypedDict):
    category: str
    list: list[ContractInfo] | list[PairInfo]
    nextPageCursor: str


class ContractTicker(TypedDict):
    symbol: str
    lastPrice: str
    indexPrice: str
    markPrice: str
    prevPrice24h: str
    price24hPcnt: str
    highPrice24h: str
    lowPrice24h: str
    prevPrice1h: str
    openInterest: str
    openInterestValue: str
    turnover24h: str
    volume24h: str
    fundingRate: str
    nextFundingTime: str
    predictedDeliveryPrice: str
    basisRate: str
    deliveryFeeRate: str
    deliveryTime: str
    ask1Size: str
    bid1Price: str
    ask1Price: str
    bid1Size: str
    basis: str
    preOpenPrice: str
    preQty: str
    curPreListingPhase: str
    fundingIntervalHour: str
    basisRateYear: str
    fundingCap: str
    singleOpenInterest: str
    singleOpenInterestValue: str


class PairTicker(TypedDict):
    symbol: str
    bid1Price: str
    bid1Size: str
    ask1Price: str
    ask1Size: str
    lastPrice: str
    prevPrice24h: str
    price24hPcnt: str
    highPrice24h: str
    lowPrice24h: str
    turnover24h: str
    volume24h: str
    usdIndexPrice: str


class Tickers(TypedDict):
    category: str
    list: list[ContractTicker] | list[PairTicker]


class OrderBook(TypedDict):
    """s: symbol. b, a: bids and asks, best first. ts: now. u: of the update. cts: when the book was so."""

    s: str
    ts: int
    u: int
    seq: int
    cts: int
    b: list[Level]
    a: list[Level]


class RpiOrderBook(TypedDict):
    s: str
    b: list[RpiLevel]
    a: list[RpiLevel]
    ts: int
    u: int
    seq: int
    cts: int


class Klines(TypedDict):
    category: str
    symbol: str
    list: list[Kline]


class PriceKlines(TypedDict):
    category: str
    symbol: str
    list: list[PriceKline]


class PublicTrade(TypedDict):
    execId: str
    symbol: str
    price: str
    size: str
    side: str
    time: str
    isBlockTrade: bool
    isRPITrade: bool
    seq: str


class PublicTrades(TypedDict):
    category: str
    list: list[PublicTrade]


class FundingPayment(TypedDict):
    symbol: str
    fundingRate: str
    fundingRateTimestamp: str


class FundingHistory(TypedDict):
    category: str
    list: list[FundingPayment]


class OpenThen(TypedDict):
    openInterest: str
    singleOpenInterest: str
    timestamp: str


class OpenInterest(TypedDict):
    symbol: str
    category: str
    list: list[OpenThen]
    nextPageCursor: str


class AccountRatio(TypedDict):
    symbol: str
    buyRatio: str
    sellRatio: str
    timestamp: str


class AccountRatios(TypedDict):
    list: list[AccountRatio]
    nextPageCursor: str


class RiskLimit(TypedDict):
    id: int
    symbol: str
    riskLimitValue: str
    maintenanceMargin: str
    initialMargin: str
    isLowestRisk: int
    maxLeverage: str
    mmDeduction: str


class RiskLimits(TypedDict):
    category: str
    list: list[RiskLimit]
    nextPageCursor: str


class PriceLimits(TypedDict):
    symbol: str
    buyLmt: str
    sellLmt: str
    ts: str


class InsurancePool(TypedDict):
    coin: str
    symbols: str
    balance: str
    value: str


class InsurancePools(TypedDict):
    updatedTime: str
    list: list[InsurancePool]


class DeliveryPrice(TypedDict):
    symbol: str
    deliveryPrice: str
    deliveryTime: str


class DeliveryPrices(TypedDict):
    category: str
    list: list[DeliveryPrice]
    nextPageCursor: str


class IndexComponent(TypedDict):
    exchange: str
    spotPair: str
    equivalentPrice: str
    multiplier: str
    price: str
    weight: str


class IndexComponents(TypedDict):
    indexName: str
    lastPrice: str
    updateTime: str
    components: list[IndexComponent]


class OptionDelivery(TypedDict):
    deliveryPrice: str
    deliveryTime: str


class OptionDeliveries(TypedDict):
    category: str
    list: list[OptionDelivery]


class Volatility(TypedDict):
    period: int
    value: str
    time: str
