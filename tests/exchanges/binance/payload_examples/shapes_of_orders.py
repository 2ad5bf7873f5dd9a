"""Shapes of orders and their lists, in all their forms."""

from __future__ import annotations

from collections.abc import Mapping

from tests.exchanges.binance.shapes import Shape, fields

# Shapes: orders

ACK = fields("symbol:s orderId:i orderListId:i clientOrderId:s transactTime:i")
RESULT = ACK | fields(
    "price:s origQty:s executedQty:s origQuoteOrderQty:s cummulativeQuoteQty:s status:s timeInForce:s type:s "
    "side:s workingTime:i selfTradePreventionMode:s"
)
FILL = fields("price:s qty:s commission:s commissionAsset:s tradeId:i")
RESTING = RESULT | {"fills": []}
FILLED = RESULT | {"fills": [FILL]}
STOP = fields("stopPrice:s")
TRAILING = STOP | fields("trailingDelta:i trailingTime:i")
PEGGED = fields("pegPriceType:s peggedPrice:s")
ROUTED = fields("usedSor:b workingFloor:s")
EXPIRED = fields("expiryReason:s")
STRATEGY = fields("strategyId:i strategyType:i")


def less(shape: Mapping[str, Shape], *names: str) -> dict[str, Shape]:
    return {name: value for name, value in shape.items() if name not in names}


CANCELED = less(RESULT, "workingTime") | fields("origClientOrderId:s")
STATE = less(RESULT, "transactTime") | fields("stopPrice:s icebergQty:s time:i updateTime:i isWorking:b")
RATES = fields("maker:s taker:s")
DISCOUNT = fields("enabledForAccount:b enabledForSymbol:b discountAsset:s discount:s")
ORDER_RATES = {
    "standardCommissionForOrder": RATES,
    "specialCommissionForOrder": RATES,
    "taxCommissionForOrder": RATES,
    "discount": DISCOUNT,
}
AMENDED = fields(
    "symbol:s orderId:i orderListId:i origClientOrderId:s clientOrderId:s price:s qty:s executedQty:s "
    "preventedQty:s quoteOrderQty:s cumulativeQuoteQty:s status:s timeInForce:s type:s side:s workingTime:i "
    "selfTradePreventionMode:s"
)
AMENDMENT = fields(
    "symbol:s orderId:i executionId:i origClientOrderId:s newClientOrderId:s origQty:s newQty:s time:i"
)
LISTED = fields("symbol:s orderId:i clientOrderId:s")
LIST = fields(
    "orderListId:i contingencyType:s listStatusType:s listOrderStatus:s listClientOrderId:s "
    "transactionTime:i symbol:s",
    orders=[LISTED],
)
PREVENTED = fields(
    "symbol:s preventedMatchId:i takerOrderId:i makerSymbol:s makerOrderId:i tradeGroupId:i "
    "selfTradePreventionMode:s price:s makerPreventedQuantity:s transactTime:i"
)
PREVENTED_OF_ORDER = fields(
    "preventedMatchId:i makerSymbol:s makerOrderId:i price:s makerPreventedQuantity:s"
)
ALLOCATION = fields(
    "symbol:s allocationId:i allocationType:s orderId:i orderListId:i price:s qty:s quoteQty:s commission:s "
    "commissionAsset:s time:i isBuyer:b isMaker:b isAllocator:b"
)
