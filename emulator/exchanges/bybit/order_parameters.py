"""What orders are described by (docs/v5/order): parameters that the rows of single orders and batches share.

Words are read where their orders are, because a wrong one has another code for pairs than for contracts.
"""

from __future__ import annotations

from typing import Final

from emulator.web.contract import Kind, Parameter

CATEGORY: Final = Parameter("category", required=True)
SYMBOL: Final = Parameter("symbol", required=True)
SYMBOL_OPTIONAL: Final = Parameter("symbol")
BASE_COIN: Final = Parameter("baseCoin")
SETTLE_COIN: Final = Parameter("settleCoin")
ORDER_ID: Final = Parameter("orderId")
ORDER_LINK_ID: Final = Parameter("orderLinkId", description="The client's own name, up to 36 characters.")
ORDER_FILTER: Final = Parameter("orderFilter")
CURSOR: Final = Parameter("cursor", length_max=500, description="`nextPageCursor` of the page before.")
START_TIME: Final = Parameter("startTime", Kind.TIME)
END_TIME: Final = Parameter("endTime", Kind.TIME, description="Seven days after the start at most.")

_STOPS: Final = (
    Parameter("takeProfit", Kind.DECIMAL),
    Parameter("stopLoss", Kind.DECIMAL),
    Parameter("tpTriggerBy"),
    Parameter("slTriggerBy"),
    Parameter("tpslMode"),
    Parameter("tpLimitPrice", Kind.DECIMAL),
    Parameter("slLimitPrice", Kind.DECIMAL),
)

NEW_ORDER: Final = (
    SYMBOL,
    Parameter("side", required=True),
    Parameter("orderType", required=True),
    Parameter("qty", Kind.DECIMAL, required=True, description="Of a pair's market buy in quote coin."),
    Parameter("marketUnit", description="`baseCoin` or `quoteCoin`, of a pair's market order."),
    Parameter("price", Kind.DECIMAL),
    Parameter("timeInForce"),
    Parameter("positionIdx", Kind.INTEGER),
    ORDER_LINK_ID,
    Parameter("reduceOnly", Kind.BOOLEAN, default=False),
    Parameter("closeOnTrigger", Kind.BOOLEAN, default=False),
    Parameter(
        "isLeverage", Kind.INTEGER, default=0, maximum=1, description="Whether a pair's order may borrow."
    ),
    Parameter("slippageToleranceType"),
    Parameter("slippageTolerance", Kind.DECIMAL),
    Parameter("triggerPrice", Kind.DECIMAL),
    Parameter("triggerDirection", Kind.INTEGER),
    Parameter("triggerBy"),
    ORDER_FILTER,
    *_STOPS,
    Parameter("tpOrderType"),
    Parameter("slOrderType"),
    Parameter("smpType"),
    Parameter("bboSideType"),
    Parameter("bboLevel", Kind.INTEGER),
    Parameter("rpiTakerAccess", Kind.BOOLEAN, description="Read, and without effect: no RPI orders exist."),
    Parameter("orderIv", Kind.DECIMAL, description="Of options, which are not emulated."),
    Parameter("mmp", Kind.BOOLEAN, description="Of options, which are not emulated."),
)

AMENDED_ORDER: Final = (
    SYMBOL,
    ORDER_ID,
    ORDER_LINK_ID,
    Parameter(
        "qty", Kind.DECIMAL, description="All that the order is to trade, what it has traded included."
    ),
    Parameter("price", Kind.DECIMAL),
    Parameter("triggerPrice", Kind.DECIMAL),
    Parameter("triggerBy"),
    *_STOPS,
    Parameter("orderIv", Kind.DECIMAL),
)

CANCELED_ORDER: Final = (SYMBOL, ORDER_ID, ORDER_LINK_ID, ORDER_FILTER)
