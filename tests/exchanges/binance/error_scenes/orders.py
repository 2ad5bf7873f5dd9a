"""Refusals of orders that exist, or do not (-2011 to -2043)."""

from __future__ import annotations

from collections.abc import Mapping

from tests.exchanges.binance.building import Building
from tests.exchanges.binance.error_scenes.case import AMEND, BTC, ORDER, REPLACE, TAKES, Cases, amended
from tests.exchanges.binance.test_order_lists import OPO
from tests.exchanges.binance.trading_floor import (
    DAY_US,
    LIMIT_BUY,
)
from tests.web.client import Reply

cases = Cases()

# -2011 to -2043: orders that exist, or do not

cases.asks(-2011, "Unknown order sent.", "DELETE", ORDER, {"symbol": BTC, "orderId": 987})


@cases.scene(-2011, "Order was not canceled due to cancel restrictions.")
async def _a_restricted_cancel(building: Building) -> Reply:
    placed = await building.take("POST", ORDER, LIMIT_BUY)
    named = {"symbol": BTC, "orderId": placed["orderId"]}
    return await building.ask("DELETE", ORDER, {**named, "cancelRestrictions": "ONLY_PARTIALLY_FILLED"})


cases.asks(-2013, "Order does not exist.", "GET", ORDER, {"symbol": BTC, "orderId": 987})
cases.asks(-2014, "API-key format invalid.", "GET", "/api/v3/account", {}, status=401, who=None, signed=False)
cases.asks(
    -2015,
    "Invalid API-key, IP, or permissions for action.",
    "GET",
    "/api/v3/account",
    {},
    status=401,
    headers={"X-MBX-APIKEY": "x" * 64},
)


async def _replaced(building: Building, cancel: bool, order: Mapping[str, str], mode: str) -> Reply:
    placed = await building.take("POST", ORDER, LIMIT_BUY)
    before = placed["orderId"] if cancel else 987
    return await building.ask("POST", REPLACE, {**order, "cancelReplaceMode": mode, "cancelOrderId": before})


@cases.scene(-2021, "Order cancel-replace partially failed.", status=409)
async def _only_the_cancel_succeeds(building: Building) -> Reply:
    return await _replaced(building, True, TAKES, "STOP_ON_FAILURE")


@cases.scene(-2022, "Order cancel-replace failed.")
async def _neither_succeeds(building: Building) -> Reply:
    return await _replaced(building, False, TAKES, "ALLOW_FAILURE")


@cases.scene(
    -2026,
    "Order was canceled or expired with no executed qty over 90 days ago and has been archived.",
)
async def _an_order_of_long_ago(building: Building) -> Reply:
    placed = await building.take("POST", ORDER, LIMIT_BUY)
    named = {"symbol": BTC, "orderId": placed["orderId"]}
    await building.take("DELETE", ORDER, named)
    await building.sandbox.step_clock(91 * DAY_US)
    return await building.ask("GET", ORDER, named)


@cases.scene(-2038, "Order amend (quantity increase) is not supported.")
async def _amended_upwards(building: Building) -> Reply:
    return await amended(building, "0.02")


@cases.scene(-2038, "The requested action would change no state; rejecting")
async def _amended_to_what_it_is(building: Building) -> Reply:
    return await amended(building, "0.01")


@cases.scene(-2038, "Order amend is not supported for this symbol.", altered={"amends": False})
async def _amended_where_none_is(building: Building) -> Reply:
    return await amended(building, "0.005")


@cases.scene(-2038, "Order amend (pending OPO order) is not supported.")
async def _amended_before_it_has_a_quantity(building: Building) -> Reply:
    placed = await building.take("POST", "/api/v3/orderList/opo", OPO)
    pending = placed["orders"][1]["orderId"]
    return await building.ask("PUT", AMEND, {"symbol": BTC, "orderId": pending, "newQty": "0.005"})


@cases.scene(-2039, "Client order ID is not correct for this order ID.")
async def _two_ids_of_two_orders(building: Building) -> Reply:
    placed = await building.take("POST", ORDER, LIMIT_BUY)
    named = {"symbol": BTC, "orderId": placed["orderId"]}
    return await building.ask("GET", ORDER, {**named, "origClientOrderId": "another"})


cases.asks(
    -2043, "This symbol doesn't have a reference price.", "GET", "/api/v3/referencePrice", {"symbol": BTC}
)
