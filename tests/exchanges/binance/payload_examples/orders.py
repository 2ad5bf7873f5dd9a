"""Orders that are placed, canceled, replaced and amended."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.exchanges.binance.building import Building
from tests.exchanges.binance.payload_examples.example import BTC, RESTING_ORDER, Examples, placing
from tests.exchanges.binance.payload_examples.shapes_of_orders import (
    ACK,
    AMENDED,
    AMENDMENT,
    CANCELED,
    EXPIRED,
    FILLED,
    LIST,
    ORDER_RATES,
    PEGGED,
    PREVENTED_OF_ORDER,
    RESTING,
    RESULT,
    ROUTED,
    STOP,
    STRATEGY,
    TRAILING,
    less,
)
from tests.exchanges.binance.shapes import Shape, fields
from tests.exchanges.binance.test_order_lists import OTO
from tests.exchanges.binance.trading_floor import LIMIT_BUY, LIMIT_SELL, MARKET_BUY, STOP_SELL

examples = Examples()

# What the loops below go through.
_shape: Shape
_order: Mapping[str, Any]

# Placing

_NEW = "New order (TRADE)"
for _form, _shape in (("ACK", ACK), ("RESULT", RESULT), ("FULL", FILLED)):
    examples.shows("POST /api/v3/order", _shape, _NEW, {**MARKET_BUY, "newOrderRespType": _form}, form=_form)
for _form, _shape, _changes in (
    ("with nothing filled", {}, {}),
    ("an iceberg", fields("icebergQty:s"), {"icebergQty": "0.001"}),
    ("of a strategy", STRATEGY, {"strategyId": 1, "strategyType": 1_000_000}),
    ("pegged", PEGGED, {"pegPriceType": "PRIMARY_PEG"}),
    ("expired", EXPIRED, {"timeInForce": "IOC"}),
):
    examples.shows("POST /api/v3/order", RESTING | _shape, _NEW, {**LIMIT_BUY, **_changes}, form=_form)


async def _deeper_book(building: Building) -> dict[str, Any]:
    await building.book(bids=[("99990", "5"), ("99980", "5")], asks=[("100010", "5")])
    return {}


examples.shows(
    "POST /api/v3/order",
    RESTING | PEGGED | fields("pegOffsetType:s pegOffsetValue:i"),
    _NEW,
    {**LIMIT_BUY, "pegPriceType": "PRIMARY_PEG", "pegOffsetType": "PRICE_LEVEL", "pegOffsetValue": 1},
    form="pegged to a level",
    before=_deeper_book,
)
_FULL = {"newOrderRespType": "FULL"}
examples.shows("POST /api/v3/order", RESTING | STOP, _NEW, {**STOP_SELL, **_FULL}, form="a stop")
examples.shows(
    "POST /api/v3/order",
    RESTING | TRAILING,
    _NEW,
    {**STOP_SELL, "trailingDelta": 100, **_FULL},
    form="a trailing stop",
)
# faqs/stp_faq.md, scenarios B and D.
_CROSSING = {**LIMIT_SELL, "price": "90000", "quantity": "1"}
examples.shows(
    "POST /api/v3/order",
    FILLED | {"preventedMatches": [PREVENTED_OF_ORDER]},
    "stp_faq.md",
    {**_CROSSING, "quantity": "6", "selfTradePreventionMode": "EXPIRE_MAKER"},
    form="that expired a maker",
    before=placing("order", {**LIMIT_BUY, "price": "99995"}),
)
_BOTH = PREVENTED_OF_ORDER | fields("takerPreventedQuantity:s")
examples.shows(
    "POST /api/v3/order",
    RESTING | fields("preventedQuantity:s", preventedMatches=[_BOTH]),
    "stp_faq.md",
    {**_CROSSING, "selfTradePreventionMode": "EXPIRE_BOTH"},
    form="that expired with a maker",
    before=placing("order", {**LIMIT_BUY, "price": "99995"}),
)

for _row, _order, _rates in (
    ("order/test", LIMIT_BUY, ORDER_RATES),
    ("sor/order/test", LIMIT_BUY, less(ORDER_RATES, "specialCommissionForOrder")),
):
    examples.shows(f"POST /api/v3/{_row}", {}, "Test new order", _order)
    _asking = {**_order, "computeCommissionRates": "true"}
    examples.shows(f"POST /api/v3/{_row}", _rates, "Test new order", _asking, form="with rates")
# faqs/sor_faq.md: fills that are trades have an id; matchType and allocId are of allocations, and there
# are none here.
for _form, _shape in (("ACK", ACK), ("RESULT", RESULT | ROUTED), ("FULL", FILLED | ROUTED)):
    examples.shows(
        "POST /api/v3/sor/order",
        _shape,
        "New order using SOR (TRADE)",
        {**MARKET_BUY, "newOrderRespType": _form},
        form=_form,
    )

# Canceling, replacing, amending

_CANCELED_LIST = LIST | {"orderReports": [CANCELED]}
_WITHOUT_STOPS = {
    **{name: value for name, value in OTO.items() if not name.startswith("pending")},
    "pendingType": "LIMIT_MAKER",
    "pendingSide": "SELL",
    "pendingPrice": "110000",
    "pendingQuantity": "0.004",
}
"""A list of which all reports look alike."""
examples.shows("DELETE /api/v3/order", CANCELED, "Cancel order (TRADE)", BTC, before=RESTING_ORDER)
examples.shows(
    "DELETE /api/v3/order",
    CANCELED | STOP,
    "Cancel order (TRADE)",
    BTC,
    form="of a stop",
    before=placing("order", STOP_SELL, orderId="orderId"),
)
examples.shows(
    "DELETE /api/v3/openOrders", [CANCELED], "Cancel All Open Orders", BTC, before=placing("order", LIMIT_BUY)
)
examples.shows(
    "DELETE /api/v3/openOrders",
    [_CANCELED_LIST],
    "Cancel All Open Orders",
    BTC,
    form="of a list",
    before=placing("orderList/oto", _WITHOUT_STOPS),
)
examples.shows(
    "DELETE /api/v3/orderList",
    _CANCELED_LIST,
    "Cancel Order list (TRADE)",
    BTC,
    before=placing("orderList/oto", _WITHOUT_STOPS, orderListId="orderListId"),
)
for _form, _shape in (("ACK", ACK), ("RESULT", RESULT), ("FULL", RESTING)):
    examples.shows(
        "POST /api/v3/order/cancelReplace",
        fields("cancelResult:s newOrderResult:s", cancelResponse=CANCELED, newOrderResponse=_shape),
        "Cancel an Existing Order and Send a New Order (TRADE)",
        {**LIMIT_BUY, "cancelReplaceMode": "STOP_ON_FAILURE", "newOrderRespType": _form},
        form=_form,
        before=placing("order", LIMIT_BUY, orderId="cancelOrderId"),
    )
_AMENDED = fields("transactTime:i executionId:i", amendedOrder=AMENDED)
_LESS = {**BTC, "newQty": "0.003"}
examples.shows(
    "PUT /api/v3/order/amend/keepPriority",
    _AMENDED,
    "Order Amend Keep Priority",
    _LESS,
    before=RESTING_ORDER,
)


async def _pending(building: Building) -> dict[str, Any]:
    placed = await building.take("POST", "/api/v3/orderList/oto", OTO)
    return {"orderId": placed["orders"][1]["orderId"]}


examples.shows(
    "PUT /api/v3/order/amend/keepPriority",
    _AMENDED
    | {
        "amendedOrder": less(AMENDED, "workingTime"),
        "listStatus": less(LIST, "listStatusType", "transactionTime"),
    },
    "Order Amend Keep Priority",
    _LESS,
    form="in a list",
    before=_pending,
)


async def _amended(building: Building) -> dict[str, Any]:
    named = await RESTING_ORDER(building)
    await building.take("PUT", "/api/v3/order/amend/keepPriority", {**_LESS, **named})
    return dict(named)


examples.shows("GET /api/v3/order/amendments", [AMENDMENT], "Query Order Amendments", BTC, before=_amended)
