"""Refusals by filters, by what a symbol does not offer, and by the matching engine (-1013 and -2010)."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from emulator.core.instruments import InstrumentStatus, SelfTradeMode
from tests.exchanges.binance.building import Building
from tests.exchanges.binance.error_scenes.case import (
    BY_QUOTE,
    ORDER,
    REPLACE,
    TAKES,
    TRAILING,
    Cases,
    amended,
    without,
)
from tests.exchanges.binance.test_order_lists import OCO, OPO, OTO
from tests.exchanges.binance.trading_floor import (
    LIMIT_BUY,
    LIMIT_SELL,
    MARKET_BUY,
    STOP_SELL,
)
from tests.web.client import Reply

cases = Cases()

# -1013: filters

_order: Mapping[str, Any]
for _name, _fields, _order in (
    ("PRICE_FILTER", {}, {**LIMIT_BUY, "price": "90000.001"}),
    ("LOT_SIZE", {}, {**LIMIT_BUY, "quantity": "0.010001"}),
    ("NOTIONAL", {}, {**LIMIT_BUY, "quantity": "0.00001"}),
    ("PERCENT_PRICE_BY_SIDE", {"bid_multiplier_down": Decimal("0.95")}, LIMIT_BUY),
    ("ICEBERG_PARTS", {"iceberg_parts_max": 9}, {**LIMIT_BUY, "icebergQty": "0.001"}),
    ("MARKET_LOT_SIZE", {"market_quantity_max": Decimal("0.009")}, MARKET_BUY),
    ("MAX_POSITION", {"position_max": Decimal("100.009")}, LIMIT_BUY),
    ("TRAILING_DELTA", {"trailing_below_max": 99}, TRAILING),
):
    cases.asks(-1013, f"Filter failure: {_name}", "POST", ORDER, _order, altered=_fields)


def _is_one_too_many(name: str, field: str, path: str, order: Mapping[str, str]) -> None:
    @cases.scene(-1013, f"Filter failure: {name}", altered={field: 1})
    async def _one_too_many(building: Building) -> Reply:
        await building.take("POST", path, order)
        return await building.ask("POST", path, order)


_is_one_too_many("MAX_NUM_ORDERS", "orders_max", ORDER, LIMIT_BUY)
_is_one_too_many("MAX_NUM_ALGO_ORDERS", "trigger_orders_max", ORDER, STOP_SELL)
_is_one_too_many("MAX_NUM_ICEBERG_ORDERS", "iceberg_orders_max", ORDER, {**LIMIT_BUY, "icebergQty": "0.005"})
_is_one_too_many("MAX_NUM_ORDER_LISTS", "order_lists_max", "/api/v3/orderList/oto", OTO)


@cases.scene(-2038, "Filter failure: MAX_NUM_ORDER_AMENDS", altered={"amends_max": 2})
async def _amended_too_often(building: Building) -> Reply:
    return await amended(building, "0.009", "0.008", "0.007")


# -1013 and -2010: what the symbol does not offer, and what the matching engine refuses

_PROFIT_SELL = {**STOP_SELL, "stopPrice": "105000", "price": "105000"}

for _text, _field, _path, _order in (
    ("Market orders are not supported for this symbol.", "market_orders", ORDER, MARKET_BUY),
    (
        "Quote order qty market orders are not support for this symbol.",
        "quote_quantity_orders",
        ORDER,
        BY_QUOTE,
    ),
    ("Stop loss limit orders are not supported for this symbol.", "trigger_orders", ORDER, STOP_SELL),
    (
        "Stop loss orders are not supported for this symbol.",
        "trigger_orders",
        ORDER,
        {**without(STOP_SELL, "price", "timeInForce"), "type": "STOP_LOSS"},
    ),
    (
        "Take profit limit orders are not supported for this symbol.",
        "trigger_orders",
        ORDER,
        {**_PROFIT_SELL, "type": "TAKE_PROFIT_LIMIT"},
    ),
    (
        "Take profit orders are not supported for this symbol.",
        "trigger_orders",
        ORDER,
        {**without(_PROFIT_SELL, "price", "timeInForce"), "type": "TAKE_PROFIT"},
    ),
    ("Trailing stop orders are not supported for this symbol.", "trailing_orders", ORDER, TRAILING),
    (
        "Iceberg orders are not supported for this symbol.",
        "iceberg_orders",
        ORDER,
        {**LIMIT_BUY, "icebergQty": "0.005"},
    ),
    (
        "Pegged orders are not supported for this symbol.",
        "pegged_orders",
        ORDER,
        {**LIMIT_BUY, "pegPriceType": "PRIMARY_PEG"},
    ),
    ("OCO orders are not supported for this symbol", "order_lists", "/api/v3/orderList/oco", OCO),
    ("OPO orders are not supported for this symbol.", "order_lists", "/api/v3/orderList/opo", OPO),
    (
        "Order cancel-replace is not supported for this symbol.",
        "cancel_replace",
        REPLACE,
        {**LIMIT_BUY, "cancelReplaceMode": "ALLOW_FAILURE", "cancelOrderId": 1},
    ),
):
    cases.asks(-1013, _text, "POST", _path, _order, altered={_field: False})

cases.asks(
    -1013,
    "Market is closed.",
    "POST",
    ORDER,
    LIMIT_BUY,
    altered={"status": InstrumentStatus.HALTED},
)
cases.asks(
    -1013,
    "This symbol does not allow the specified self-trade prevention mode.",
    "POST",
    ORDER,
    {**LIMIT_BUY, "selfTradePreventionMode": "TRANSFER"},
    altered={"self_trade_modes": frozenset({SelfTradeMode.EXPIRE_MAKER})},
)
cases.asks(-1013, "Invalid quantity.", "POST", ORDER, {**LIMIT_BUY, "quantity": "0"})
cases.asks(-1013, "Invalid price.", "POST", ORDER, {**LIMIT_BUY, "price": "0"})
cases.asks(
    -1013,
    "This symbol has no SOR.",
    "POST",
    "/api/v3/sor/order",
    {**LIMIT_BUY, "symbol": "BNBUSDT", "price": "500"},
)

for _text, _order in (
    (
        "Account has insufficient balance for requested action.",
        {**LIMIT_SELL, "quantity": "100.00001", "price": "89000"},
    ),
    ("Order would immediately match and take.", TAKES),
    ("Order would trigger immediately.", {**STOP_SELL, "stopPrice": "100000"}),
    ("IcebergQty exceeds QTY.", {**LIMIT_BUY, "icebergQty": "0.01001"}),
    ("This order type may not use pegged price.", {**MARKET_BUY, "pegPriceType": "MARKET_PEG"}),
    (
        "This price peg cannot be used with this order type.",
        {**without(LIMIT_BUY, "timeInForce"), "type": "LIMIT_MAKER", "pegPriceType": "MARKET_PEG"},
    ),
):
    cases.asks(-2010, _text, "POST", ORDER, _order)

cases.asks(
    -2010,
    "The relationship of the prices for the orders is not correct.",
    "POST",
    "/api/v3/orderList/oco",
    {**OCO, "abovePrice": "99000"},
)


@cases.scene(-2010, "Duplicate order sent.")
async def _a_client_id_in_use(building: Building) -> Reply:
    await building.take("POST", ORDER, {**LIMIT_BUY, "newClientOrderId": "mine"})
    return await building.ask("POST", ORDER, {**LIMIT_BUY, "newClientOrderId": "mine"})


@cases.scene(-2010, "Order book liquidity is too low for this pegged order.")
async def _nothing_to_peg_to(building: Building) -> Reply:
    await building.book(asks=[("100010", "5")])
    return await building.ask("POST", ORDER, {**LIMIT_BUY, "pegPriceType": "PRIMARY_PEG"})


def _is_too_thin(text: str, asked: list[tuple[str, str]], **fields: str) -> None:
    altered = {name: Decimal(value) for name, value in fields.items()}

    @cases.scene(-2010, f"Order book liquidity is less than {text} minimum quantity.", altered=altered)
    async def _too_thin_a_book(building: Building) -> Reply:
        await building.book(bids=[("99990", "5")], asks=asked)
        return await building.ask("POST", ORDER, BY_QUOTE)


_is_too_thin("symbol", [])
_is_too_thin("`LOT_SIZE` filter", [("100010", "0.0001")], quantity_min="0.0002")
_is_too_thin("`MARKET_LOT_SIZE` filter", [("100010", "0.0001")], market_quantity_min="0.0002")
