"""What the trading endpoints of futures answer."""

from __future__ import annotations

from typing import NotRequired, TypedDict

# Orders


class UsdmOrder(TypedDict):
    """A placement or a cancel. avgPrice, cumQuote: only in the era that had them. The rest that not every
    order has is of trailing ones."""

    orderId: int
    symbol: str
    pair: NotRequired[str]
    status: str
    clientOrderId: str
    modifyId: NotRequired[int]
    price: str
    avgPrice: NotRequired[str]
    origQty: str
    executedQty: str
    cumQty: str
    cumQuote: NotRequired[str]
    timeInForce: str
    type: str
    reduceOnly: bool
    closePosition: bool
    side: str
    positionSide: str
    stopPrice: str
    workingType: str
    activatePrice: NotRequired[str]
    priceRate: NotRequired[str]
    priceProtect: bool
    origType: str
    priceMatch: str
    selfTradePreventionMode: str
    goodTillDate: int
    updateTime: int


class CoinmOrder(TypedDict):
    """As `UsdmOrder`; cumBase: only in the era that had it."""

    orderId: int
    symbol: str
    pair: str
    status: str
    clientOrderId: str
    modifyId: NotRequired[int]
    price: str
    avgPrice: NotRequired[str]
    origQty: str
    executedQty: str
    cumQty: str
    cumBase: NotRequired[str]
    timeInForce: str
    type: str
    reduceOnly: bool
    closePosition: bool
    side: str
    positionSide: str
    stopPrice: str
    workingType: str
    activatePrice: NotRequired[str]
    priceRate: NotRequired[str]
    priceProtect: bool
    origType: str
    priceMatch: str
    selfTradePreventionMode: str
    updateTime: int


class UsdmOrderState(TypedDict):
    """An order as it stands. cumBase, pair: of `allOrders` only."""

    orderId: int
    symbol: str
    pair: NotRequired[str]
    status: str
    clientOrderId: str
    price: str
    avgPrice: str
    origQty: str
    executedQty: str
    cumQuote: str
    cumBase: NotRequired[str]
    timeInForce: str
    type: str
    reduceOnly: bool
    closePosition: bool
    side: str
    positionSide: str
    stopPrice: str
    workingType: str
    activatePrice: NotRequired[str]
    priceRate: NotRequired[str]
    priceProtect: bool
    origType: str
    priceMatch: str
    selfTradePreventionMode: str
    goodTillDate: int
    time: int
    updateTime: int


class CoinmOrderState(TypedDict):
    orderId: int
    symbol: str
    pair: str
    status: str
    clientOrderId: str
    price: str
    avgPrice: str
    origQty: str
    executedQty: str
    cumBase: str
    cumQuote: str
    timeInForce: str
    type: str
    reduceOnly: bool
    closePosition: bool
    side: str
    positionSide: str
    stopPrice: str
    workingType: str
    activatePrice: NotRequired[str]
    priceRate: NotRequired[str]
    priceProtect: bool
    origType: str
    priceMatch: str
    selfTradePreventionMode: str
    goodTillDate: int
    time: int
    updateTime: int


class ForcedOrder(TypedDict):
    """An order by which the exchange closed a position. cumBase, pair, priceProtect, goodTillDate: of COIN-M;
    of USD-M the first two."""

    orderId: int
    symbol: str
    pair: str
    status: str
    clientOrderId: str
    price: str
    avgPrice: str
    origQty: str
    executedQty: str
    cumQuote: str
    cumBase: str
    timeInForce: str
    type: str
    reduceOnly: bool
    closePosition: bool
    side: str
    positionSide: str
    stopPrice: str
    workingType: str
    priceProtect: NotRequired[bool]
    origType: str
    goodTillDate: NotRequired[int]
    time: int
    updateTime: int


class Failed(TypedDict):
    """What became of one order of a batch, where it came to nothing."""

    code: int
    msg: str


class Countdown(TypedDict):
    symbol: str
    countdownTime: str


class Change(TypedDict):
    before: str
    after: str


class AmendmentOfOrder(TypedDict):
    price: Change
    origQty: Change
    count: int
    modifyId: NotRequired[int]


class Amendment(TypedDict):
    amendmentId: int
    symbol: str
    pair: str
    orderId: int
    clientOrderId: str
    time: int
    amendment: AmendmentOfOrder


class OrderLimit(TypedDict):
    rateLimitType: str
    interval: str
    intervalNum: int
    limit: int


# Trades


class UserTrade(TypedDict):
    symbol: str
    pair: str
    id: int
    orderId: int
    side: str
    price: str
    qty: str
    quoteQty: str
    baseQty: str
    realizedPnl: str
    marginAsset: str
    commission: str
    commissionAsset: str
    time: int
    positionSide: str
    buyer: bool
    maker: bool


# Conditional orders


class AlgoOrder(TypedDict):
    """As it was placed. activatePrice, callbackRate: of USD-M, and of trailing orders on both."""

    algoId: int
    clientAlgoId: str
    algoType: str
    orderType: str
    symbol: str
    side: str
    positionSide: str
    timeInForce: str
    quantity: str
    algoStatus: str
    triggerPrice: str
    price: str
    icebergQuantity: str | None
    selfTradePreventionMode: str
    workingType: str
    priceMatch: str
    closePosition: bool
    priceProtect: bool
    reduceOnly: bool
    activatePrice: NotRequired[str]
    callbackRate: NotRequired[str]
    createTime: int
    updateTime: int
    triggerTime: int
    goodTillDate: int


class AlgoOrderState(AlgoOrder):
    """As it stands. What came of it is told where it was triggered; the prices of take-profit and stop-loss
    are of lists only, and always zero."""

    actualOrderId: str
    actualPrice: str
    actualQty: str
    actualType: str
    tpTriggerPrice: NotRequired[str]
    tpPrice: NotRequired[str]
    slTriggerPrice: NotRequired[str]
    slPrice: NotRequired[str]
    tpOrderType: str
    isActivated: NotRequired[bool]


class AlgoCanceled(TypedDict):
    """code: a string, unlike in every other answer."""

    algoId: int
    clientAlgoId: str
    code: str
    msg: str
