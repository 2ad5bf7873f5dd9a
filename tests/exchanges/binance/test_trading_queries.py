"""Orders that are asked for, tried without being placed, and routed, as Binance answers.

Key sets are those of the examples in rest-api.md, "Query order" and on.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.exchanges.binance.trading_floor import (
    DAY_US,
    FULL,
    LIMIT_BUY,
    MARKET_BUY,
    MINUTE_US,
    NOW_MS,
    OTHER,
    RESULT,
    STOP_SELL,
    Floor,
)

pytestmark = pytest.mark.anyio

QUERY = RESULT - {"transactTime"} | {"stopPrice", "icebergQty", "time", "updateTime", "isWorking"}


@pytest.fixture
async def floor() -> AsyncIterator[Floor]:
    async with Floor() as opened:
        yield opened


# Queries


async def test_a_query_has_the_documented_members(floor: Floor) -> None:
    placed = await floor.post("order", **LIMIT_BUY)
    found = await floor.order(placed["orderId"])
    assert set(found) == QUERY
    assert (found["stopPrice"], found["icebergQty"]) == ("0.00000000", "0.00000000")
    assert found["isWorking"] is True
    assert (found["time"], found["updateTime"], found["workingTime"]) == (NOW_MS, NOW_MS, NOW_MS)


@pytest.mark.parametrize(("method", "code"), [("GET", -2039), ("DELETE", -2039), ("PUT", -2039)])
async def test_two_ids_must_name_one_order(floor: Floor, method: str, code: int) -> None:
    placed = await floor.post("order", **LIMIT_BUY, newClientOrderId="mine")
    path = "order/amend/keepPriority" if method == "PUT" else "order"
    more = {"newQty": "0.005"} if method == "PUT" else {}
    both = {"symbol": "BTCUSDT", "orderId": placed["orderId"]}
    assert await floor.no(method, path, **both, origClientOrderId="another", **more) == (
        code,
        "Client order ID is not correct for this order ID.",
    )
    assert (await floor.send(method, path, **both, origClientOrderId="mine", **more)).status == 200


@pytest.mark.parametrize("method", ["GET", "DELETE"])
async def test_one_of_two_ids_must_be_sent(floor: Floor, method: str) -> None:
    assert await floor.no(method, "order", symbol="BTCUSDT") == (
        -1102,
        "Param 'orderId' or 'origClientOrderId' must be sent, but both were empty/null!",
    )


async def test_unknown_symbols_and_orders(floor: Floor) -> None:
    assert await floor.no("GET", "order", symbol="BTCUSDT", orderId=5) == (-2013, "Order does not exist.")
    for method, path, more in (
        ("GET", "order", {"orderId": 5}),
        ("DELETE", "order", {"orderId": 5}),
        ("DELETE", "openOrders", {}),
        ("GET", "openOrders", {}),
        ("GET", "allOrders", {}),
        ("GET", "order/amendments", {"orderId": 5}),
        ("PUT", "order/amend/keepPriority", {"orderId": 5, "newQty": "1"}),
        ("GET", "myPreventedMatches", {"orderId": 5}),
        ("GET", "myAllocations", {}),
        ("DELETE", "orderList", {"orderListId": 5}),
    ):
        assert await floor.no(method, path, symbol="NOSUCH", **more) == (-1121, "Invalid symbol."), path
    assert await floor.no("POST", "order", **{**LIMIT_BUY, "symbol": "NOSUCH"}) == (-1121, "Invalid symbol.")


async def test_an_order_that_came_to_nothing_is_archived_after_90_days(floor: Floor) -> None:
    nothing = await floor.post("order", **LIMIT_BUY)
    something = await floor.post("order", **MARKET_BUY)
    await floor.delete("order", symbol="BTCUSDT", orderId=nothing["orderId"])
    await floor.sandbox.step_clock(90 * DAY_US)
    assert await floor.status(nothing["orderId"]) == "CANCELED"
    await floor.sandbox.step_clock(1)
    assert await floor.no("GET", "order", symbol="BTCUSDT", orderId=nothing["orderId"]) == (
        -2026,
        "Order was canceled or expired with no executed qty over 90 days ago and has been archived.",
    )
    assert await floor.status(something["orderId"]) == "FILLED"


async def test_open_orders_of_one_symbol_or_of_all(floor: Floor) -> None:
    here = await floor.post("order", **LIMIT_BUY)
    there = await floor.post("order", **{**LIMIT_BUY, "symbol": "ETHUSDT", "price": "1000", "quantity": "1"})
    await floor.post("order", **LIMIT_BUY, who=OTHER)
    assert [o["orderId"] for o in await floor.get("openOrders", symbol="BTCUSDT")] == [here["orderId"]]
    every = await floor.get("openOrders")
    assert [o["orderId"] for o in every] == [here["orderId"], there["orderId"]]
    assert set(every[0]) == QUERY


async def test_all_orders_come_by_id_and_by_time(floor: Floor) -> None:
    ids = []
    for _ in range(6):
        ids.append((await floor.post("order", **LIMIT_BUY))["orderId"])
        await floor.sandbox.step_clock(MINUTE_US)

    async def listed(**more: Any) -> list[int]:
        return [o["orderId"] for o in await floor.get("allOrders", symbol="BTCUSDT", **more)]

    minute_ms = MINUTE_US // 1000
    assert await listed() == ids
    assert await listed(limit=2) == ids[-2:]
    assert await listed(orderId=ids[2]) == ids[2:]
    assert await listed(orderId=ids[2], limit=2) == ids[2:4]
    assert await listed(startTime=NOW_MS + minute_ms, limit=2) == ids[1:3]
    assert await listed(endTime=NOW_MS + 3 * minute_ms, limit=2) == ids[2:4]
    assert await listed(startTime=NOW_MS + minute_ms, endTime=NOW_MS + 2 * minute_ms) == ids[1:3]
    assert await listed(startTime=NOW_MS + minute_ms, endTime=NOW_MS + minute_ms) == ids[1:2]
    day_ms = DAY_US // 1000
    assert len(await listed(startTime=NOW_MS, endTime=NOW_MS + day_ms)) == 6
    assert await floor.no(
        "GET", "allOrders", symbol="BTCUSDT", startTime=NOW_MS, endTime=NOW_MS + day_ms + 1
    ) == (-1127, "More than 24 hours between startTime and endTime.")


# Testing orders


async def test_a_tested_order_is_not_placed(floor: Floor) -> None:
    assert await floor.post("order/test", **LIMIT_BUY) == {}
    assert await floor.get("openOrders") == []
    refused = await floor.no("POST", "order/test", **{**LIMIT_BUY, "price": "90000.001"})
    assert refused == (-1013, "Filter failure: PRICE_FILTER")


async def test_a_tested_order_does_not_reach_the_matching_engine(floor: Floor) -> None:
    too_much = {"symbol": "ETHUSDT", "side": "SELL", "price": "4000", "quantity": "1001"}
    assert await floor.post("order/test", **{**LIMIT_BUY, **too_much}) == {}
    maker = {k: v for k, v in LIMIT_BUY.items() if k != "timeInForce"}
    assert await floor.post("order/test", **{**maker, "type": "LIMIT_MAKER", "price": "100010"}) == {}


async def test_a_tested_order_tells_its_commissions(floor: Floor) -> None:
    answer = await floor.post("order/test", **LIMIT_BUY, computeCommissionRates="true")
    nothing = {"maker": "0.00000000", "taker": "0.00000000"}
    assert answer == {
        "standardCommissionForOrder": {"maker": "0.00100000", "taker": "0.00100000"},
        "specialCommissionForOrder": nothing,
        "taxCommissionForOrder": nothing,
        "discount": {
            "enabledForAccount": False,
            "enabledForSymbol": True,
            "discountAsset": "BNB",
            "discount": "0.75000000",
        },
    }
    routed = await floor.post(
        "sor/order/test",
        symbol="BTCUSDT",
        side="BUY",
        type="MARKET",
        quantity="1",
        computeCommissionRates="true",
    )
    assert set(routed) == set(answer) - {"specialCommissionForOrder"}
    assert await floor.post("order/test", **LIMIT_BUY, computeCommissionRates="false") == {}


@pytest.mark.parametrize(("more", "weight"), [({}, 1), ({"computeCommissionRates": "true"}, 20)])
async def test_asking_for_commissions_weighs_more(floor: Floor, more: dict[str, str], weight: int) -> None:
    reply = await floor.send("POST", "order/test", **LIMIT_BUY, **more)
    assert reply.headers["x-mbx-used-weight-1m"] == str(weight)


# Smart order routing


async def test_a_routed_order_says_so(floor: Floor) -> None:
    placed = await floor.post("sor/order", **{**LIMIT_BUY, "price": "100010"})
    assert set(placed) == FULL | {"usedSor", "workingFloor"}
    assert (placed["usedSor"], placed["workingFloor"]) == (True, "EXCHANGE")
    assert placed["status"] == "FILLED"
    assert placed["fills"][0]["tradeId"] > 0
    found = await floor.order(placed["orderId"])
    assert set(found) == QUERY | {"usedSor", "workingFloor"}
    assert await floor.get("myAllocations", symbol="BTCUSDT") == []


async def test_a_symbol_without_routing_is_refused(floor: Floor) -> None:
    order = {**LIMIT_BUY, "symbol": "BNBUSDT", "price": "500", "quantity": "1"}
    for path in ("sor/order", "sor/order/test"):
        assert await floor.no("POST", path, **order) == (-1013, "This symbol has no SOR.")


async def test_only_plain_orders_are_routed(floor: Floor) -> None:
    assert await floor.no("POST", "sor/order", **{**STOP_SELL, "stopPrice": "1"}) == (
        -1116,
        "Invalid orderType.",
    )
    by_quote = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quoteOrderQty": "100"}
    assert (await floor.no("POST", "sor/order", **by_quote))[0] == -1102


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"startTime": NOW_MS, "endTime": NOW_MS + 86_400_001}, -1127),
        ({"startTime": NOW_MS, "orderId": 1}, -1128),
        ({"endTime": NOW_MS, "fromAllocationId": 1}, -1128),
    ],
)
async def test_allocations_are_asked_for_in_documented_ways(
    floor: Floor, more: dict[str, int], code: int
) -> None:
    assert (await floor.no("GET", "myAllocations", symbol="BTCUSDT", **more))[0] == code
