"""What the trading endpoints answer (rest-api.md, "Trading endpoints").

A key that is NotRequired appears only under the condition that the table "Conditional fields in Order
Responses" gives for it.
"""

from __future__ import annotations

from typing import NotRequired, TypedDict


class Nothing(TypedDict):
    """An empty object."""


class Fill(TypedDict):
    price: str
    qty: str
    commission: str
    commissionAsset: str
    tradeId: int


class PreventedMatchOfOrder(TypedDict):
    preventedMatchId: int
    makerSymbol: str
    makerOrderId: int
    price: str
    takerPreventedQuantity: NotRequired[str]
    makerPreventedQuantity: NotRequired[str]


class Conditionals(TypedDict):
    """What only some orders have."""

    icebergQty: NotRequired[str]
    stopPrice: NotRequired[str]
    trailingDelta: NotRequired[int]
    trailingTime: NotRequired[int]
    strategyId: NotRequired[int]
    strategyType: NotRequired[int]
    usedSor: NotRequired[bool]
    workingFloor: NotRequired[str]
    pegPriceType: NotRequired[str]
    pegOffsetType: NotRequired[str]
    pegOffsetValue: NotRequired[int]
    peggedPrice: NotRequired[str]
    preventedMatchId: NotRequired[int]
    preventedQuantity: NotRequired[str]
    expiryReason: NotRequired[str]


class OrderAck(TypedDict):
    symbol: str
    orderId: int
    orderListId: int
    clientOrderId: str
    transactTime: int


class OrderResult(OrderAck, Conditionals):
    """origQty: absent while a leg waits for its working order to say how much it gets."""

    price: str
    origQty: NotRequired[str]
    executedQty: str
    origQuoteOrderQty: str
    # Quirk: the quote amount of what traded is spelled `cummulativeQuoteQty` (rest-api.md, "New order").
    cummulativeQuoteQty: str
    status: str
    timeInForce: str
    type: str
    side: str
    workingTime: int
    selfTradePreventionMode: str
    preventedMatches: NotRequired[list[PreventedMatchOfOrder]]
    tradeGroupId: NotRequired[int]


class OrderFull(OrderResult):
    fills: list[Fill]


class CommissionRates(TypedDict):
    maker: str
    taker: str


class Discount(TypedDict):
    enabledForAccount: bool
    enabledForSymbol: bool
    discountAsset: str
    discount: str


class OrderCommissions(TypedDict):
    """specialCommissionForOrder: not of an order that uses smart order routing."""

    standardCommissionForOrder: CommissionRates
    specialCommissionForOrder: NotRequired[CommissionRates]
    taxCommissionForOrder: CommissionRates
    discount: Discount


class CancelReport(Conditionals):
    """clientOrderId: the cancel's own; origClientOrderId: the order's."""

    symbol: str
    origClientOrderId: str
    orderId: int
    orderListId: int
    clientOrderId: str
    transactTime: int
    price: str
    origQty: NotRequired[str]
    executedQty: str
    origQuoteOrderQty: str
    cummulativeQuoteQty: str
    status: str
    timeInForce: str
    type: str
    side: str
    selfTradePreventionMode: str


class OrderState(Conditionals):
    """An order as a query shows it; stopPrice and icebergQty are always there."""

    symbol: str
    orderId: int
    orderListId: int
    clientOrderId: str
    price: str
    origQty: NotRequired[str]
    executedQty: str
    cummulativeQuoteQty: str
    status: str
    timeInForce: str
    type: str
    side: str
    time: int
    updateTime: int
    isWorking: bool
    workingTime: int
    origQuoteOrderQty: str
    selfTradePreventionMode: str


class ListedOrder(TypedDict):
    symbol: str
    orderId: int
    clientOrderId: str


class OrderListState(TypedDict):
    orderListId: int
    contingencyType: str
    listStatusType: str
    listOrderStatus: str
    listClientOrderId: str
    transactionTime: int
    symbol: str
    orders: list[ListedOrder]


class PlacedOrderList(OrderListState):
    orderReports: list[OrderAck | OrderResult | OrderFull]


class CanceledOrderList(OrderListState):
    orderReports: list[CancelReport]


class Replacement(TypedDict):
    """Both halves succeeded; whatever else a cancel-replace comes to is an error with these members."""

    cancelResult: str
    newOrderResult: str
    cancelResponse: CancelReport | CanceledOrderList
    newOrderResponse: OrderAck | OrderResult | OrderFull


class AmendedOrder(Conditionals):
    """cumulativeQuoteQty is spelled right here, and only here. workingTime: once it works."""

    symbol: str
    orderId: int
    orderListId: int
    origClientOrderId: str
    clientOrderId: str
    price: str
    qty: str
    executedQty: str
    preventedQty: str
    quoteOrderQty: str
    # Quirk: an amendment's answer has names of its own: `qty`, and `cumulativeQuoteQty`, spelled right here
    # and only here (rest-api.md, "Order Amend Keep Priority").
    cumulativeQuoteQty: str
    status: str
    timeInForce: str
    type: str
    side: str
    workingTime: NotRequired[int]
    selfTradePreventionMode: str


class ListStatusOfAmendment(TypedDict):
    orderListId: int
    contingencyType: str
    listOrderStatus: str
    listClientOrderId: str
    symbol: str
    orders: list[ListedOrder]


class Amended(TypedDict):
    transactTime: int
    executionId: int
    amendedOrder: AmendedOrder
    listStatus: NotRequired[ListStatusOfAmendment]


class Amendment(TypedDict):
    symbol: str
    orderId: int
    executionId: int
    origClientOrderId: str
    newClientOrderId: str
    origQty: str
    newQty: str
    time: int


class PreventedMatch(TypedDict):
    symbol: str
    preventedMatchId: int
    takerOrderId: int
    makerSymbol: str
    makerOrderId: int
    tradeGroupId: int
    selfTradePreventionMode: str
    price: str
    takerPreventedQuantity: NotRequired[str]
    makerPreventedQuantity: NotRequired[str]
    transactTime: int


class Allocation(TypedDict):
    symbol: str
    allocationId: int
    allocationType: str
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
    isAllocator: bool
