"""Answers about orders and executions (docs/v5/order)."""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict

CategoryWord = Literal["spot", "linear", "inverse", "option"]
SideWord = Literal["Buy", "Sell"]


class OrderIds(TypedDict):
    """That an order was accepted, amended or canceled, under which names."""

    orderId: str
    orderLinkId: str


class CanceledOrders(TypedDict):
    list: list[OrderIds]
    success: str


class Checked(TypedDict):
    """Margin rates of an account in 1/10,000, before an order and with it."""

    orderId: str
    orderLinkId: str
    preImrE4: int
    preMmrE4: int
    postImrE4: int
    postMmrE4: int


class BorrowQuota(TypedDict):
    symbol: str
    side: SideWord
    maxTradeQty: str
    maxTradeAmount: str
    spotMaxTradeQty: str
    spotMaxTradeAmount: str
    borrowCoin: str


class Order(TypedDict):
    """createType, tpslMode: of derivatives only. What else an order has not is empty."""

    orderId: str
    orderLinkId: str
    parentOrderLinkId: str
    blockTradeId: str
    symbol: str
    price: str
    qty: str
    side: SideWord
    isLeverage: str
    positionIdx: int
    orderStatus: str
    createType: NotRequired[str]
    cancelType: str
    rejectReason: str
    avgPrice: str
    leavesQty: str
    leavesValue: str
    cumExecQty: str
    cumExecValue: str
    cumExecFee: str
    timeInForce: str
    orderType: str
    stopOrderType: str
    orderIv: str
    marketUnit: str
    slippageToleranceType: str
    slippageTolerance: str
    triggerPrice: str
    takeProfit: str
    stopLoss: str
    tpslMode: NotRequired[str]
    ocoTriggerBy: str
    tpLimitPrice: str
    slLimitPrice: str
    tpTriggerBy: str
    slTriggerBy: str
    triggerDirection: int
    triggerBy: str
    lastPriceOnCreated: str
    basePrice: str
    reduceOnly: bool
    closeOnTrigger: bool
    placeType: str
    smpType: str
    smpGroup: int
    smpOrderId: str
    createdTime: str
    updatedTime: str
    extraFees: str
    cumFeeDetail: dict[str, str]
    rpiTakerAccess: bool
    rpiMatchedQty: str


class OrderPage(TypedDict):
    category: CategoryWord
    nextPageCursor: str
    list: list[Order]


class Execution(TypedDict):
    """createType: of derivatives only."""

    symbol: str
    orderId: str
    orderLinkId: str
    side: SideWord
    orderPrice: str
    orderQty: str
    leavesQty: str
    createType: NotRequired[str]
    orderType: str
    stopOrderType: str
    execFee: str
    execFeeV2: str
    execId: str
    execPrice: str
    execQty: str
    execType: str
    execValue: str
    execTime: str
    feeCurrency: str
    isMaker: bool
    feeRate: str
    tradeIv: str
    markIv: str
    markPrice: str
    indexPrice: str
    underlyingPrice: str
    blockTradeId: str
    closedSize: str
    seq: int
    extraFees: str


class ExecutionPage(TypedDict):
    category: CategoryWord
    nextPageCursor: str
    list: list[Execution]


class BatchedOrder(TypedDict):
    """One of a batch, in its place; a failed one has no id."""

    category: CategoryWord
    symbol: str
    orderId: str
    orderLinkId: str
    createAt: NotRequired[str]


class Batch(TypedDict):
    list: list[BatchedOrder]
