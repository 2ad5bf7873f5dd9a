"""Orders that are canceled and amended, and the client ids that they have, as Binance answers.

Key sets are those of the examples in rest-api.md, "Cancel order" and "Order Amend Keep Priority".
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.exchanges.binance.trading_floor import (
    LIMIT_BUY,
    MARKET_BUY,
    NOW_MS,
    OTHER,
    RESULT,
    STOP_SELL,
    Floor,
)

pytestmark = pytest.mark.anyio

CANCEL = RESULT - {"workingTime"} | {"origClientOrderId"}


@pytest.fixture
async def floor() -> AsyncIterator[Floor]:
    async with Floor() as opened:
        yield opened


# Canceling


async def test_a_cancel_has_an_id_of_its_own(floor: Floor) -> None:
    placed = await floor.post("order", **LIMIT_BUY, newClientOrderId="mine")
    await floor.trade("90000", "0.004")
    await floor.sandbox.step_clock(5_000_000)
    canceled = await floor.delete(
        "order", symbol="BTCUSDT", origClientOrderId="mine", newClientOrderId="the-cancel"
    )
    assert canceled == {
        "symbol": "BTCUSDT",
        "origClientOrderId": "mine",
        "orderId": placed["orderId"],
        "orderListId": -1,
        "clientOrderId": "the-cancel",
        "transactTime": NOW_MS + 5000,
        "price": "90000.00000000",
        "origQty": "0.01000000",
        "executedQty": "0.00400000",
        "origQuoteOrderQty": "0.00000000",
        "cummulativeQuoteQty": "360.00000000",
        "status": "CANCELED",
        "timeInForce": "GTC",
        "type": "LIMIT",
        "side": "BUY",
        "selfTradePreventionMode": "EXPIRE_MAKER",
    }
    assert (await floor.order(placed["orderId"]))["clientOrderId"] == "mine"
    assert floor.balance("USDT")[1] == 0


async def test_a_cancel_without_an_id_gets_one(floor: Floor) -> None:
    placed = await floor.post("order", **LIMIT_BUY)
    canceled = await floor.delete("order", symbol="BTCUSDT", orderId=placed["orderId"])
    assert re.fullmatch("[A-Za-z0-9]{22}", canceled["clientOrderId"])
    assert canceled["origClientOrderId"] == placed["clientOrderId"]


async def test_only_open_orders_can_be_canceled(floor: Floor) -> None:
    placed = await floor.post("order", **MARKET_BUY)
    unknown = (-2011, "Unknown order sent.")
    assert await floor.no("DELETE", "order", symbol="BTCUSDT", orderId=placed["orderId"]) == unknown
    assert await floor.no("DELETE", "order", symbol="BTCUSDT", orderId=987654) == unknown
    assert await floor.no("DELETE", "order", symbol="BTCUSDT", origClientOrderId="nobody") == unknown


async def test_orders_of_others_cannot_be_canceled(floor: Floor) -> None:
    placed = await floor.post("order", **LIMIT_BUY)
    refused = await floor.no("DELETE", "order", symbol="BTCUSDT", orderId=placed["orderId"], who=OTHER)
    assert refused == (-2011, "Unknown order sent.")


@pytest.mark.parametrize(
    ("restriction", "new_goes", "started_goes"),
    [("ONLY_NEW", True, False), ("ONLY_PARTIALLY_FILLED", False, True)],
)
async def test_a_cancel_may_depend_on_what_was_filled(
    floor: Floor, restriction: str, new_goes: bool, started_goes: bool
) -> None:
    untouched = await floor.post("order", **{**LIMIT_BUY, "price": "80000"})
    started = await floor.post("order", **LIMIT_BUY)
    await floor.trade("90000", "0.004")
    for order, goes in ((untouched, new_goes), (started, started_goes)):
        reply = await floor.send(
            "DELETE", "order", symbol="BTCUSDT", orderId=order["orderId"], cancelRestrictions=restriction
        )
        assert reply.status == (200 if goes else 400)
        if not goes:
            assert reply.json == {
                "code": -2011,
                "msg": "Order was not canceled due to cancel restrictions.",
            }


async def test_all_open_orders_of_a_symbol_are_canceled(floor: Floor) -> None:
    first = await floor.post("order", **LIMIT_BUY)
    second = await floor.post("order", **STOP_SELL)
    elsewhere = await floor.post(
        "order", **{**LIMIT_BUY, "symbol": "ETHUSDT", "price": "1000", "quantity": "1"}
    )
    pair = await floor.post(
        "orderList/oco",
        symbol="BTCUSDT",
        side="SELL",
        quantity="0.01",
        aboveType="LIMIT_MAKER",
        abovePrice="110000",
        belowType="STOP_LOSS",
        belowStopPrice="90000",
    )
    answer = await floor.delete("openOrders", symbol="BTCUSDT")
    assert [one.get("orderId") for one in answer] == [first["orderId"], second["orderId"], None]
    assert set(answer[0]) == CANCEL
    assert set(answer[1]) == CANCEL | {"stopPrice"}
    assert answer[2]["orderListId"] == pair["orderListId"]
    assert [report["status"] for report in answer[2]["orderReports"]] == ["CANCELED", "CANCELED"]
    assert len({one["clientOrderId"] for one in (*answer[:2], *answer[2]["orderReports"])}) == 1
    left = await floor.get("openOrders")
    assert [one["orderId"] for one in left] == [elsewhere["orderId"]]
    assert floor.balance("BTC")[1] == 0


async def test_nothing_to_cancel_is_an_error(floor: Floor) -> None:
    assert await floor.no("DELETE", "openOrders", symbol="BTCUSDT") == (-2011, "Unknown order sent.")


# Client ids


async def test_a_client_id_is_unique_among_open_orders(floor: Floor) -> None:
    placed = await floor.post("order", **LIMIT_BUY, newClientOrderId="mine")
    assert await floor.no("POST", "order", **LIMIT_BUY, newClientOrderId="mine") == (
        -2010,
        "Duplicate order sent.",
    )
    await floor.post("order", **LIMIT_BUY, newClientOrderId="mine", who=OTHER)
    await floor.delete("order", symbol="BTCUSDT", orderId=placed["orderId"])
    again = await floor.post("order", **LIMIT_BUY, newClientOrderId="mine")
    found = await floor.get("order", symbol="BTCUSDT", origClientOrderId="mine")
    assert found["orderId"] == again["orderId"]


# Amending


async def test_an_amended_order_keeps_its_id_and_place(floor: Floor) -> None:
    first = await floor.post("order", **LIMIT_BUY, newClientOrderId="before")
    second = await floor.post("order", **LIMIT_BUY, who=OTHER)
    await floor.sandbox.step_clock(1_000_000)
    amended = await floor.ok(
        "PUT",
        "order/amend/keepPriority",
        symbol="BTCUSDT",
        orderId=first["orderId"],
        newQty="0.005",
        newClientOrderId="after",
    )
    assert amended == {
        "transactTime": NOW_MS + 1000,
        "executionId": amended["executionId"],
        "amendedOrder": {
            "symbol": "BTCUSDT",
            "orderId": first["orderId"],
            "orderListId": -1,
            "origClientOrderId": "before",
            "clientOrderId": "after",
            "price": "90000.00000000",
            "qty": "0.00500000",
            "executedQty": "0.00000000",
            "preventedQty": "0.00000000",
            "quoteOrderQty": "0.00000000",
            "cumulativeQuoteQty": "0.00000000",
            "status": "NEW",
            "timeInForce": "GTC",
            "type": "LIMIT",
            "side": "BUY",
            "workingTime": NOW_MS,
            "selfTradePreventionMode": "EXPIRE_MAKER",
        },
    }
    assert floor.balance("USDT")[1] == 450
    await floor.trade("90000", "0.005")
    assert await floor.status(first["orderId"]) == "FILLED"
    assert await floor.status(second["orderId"], who=OTHER) == "NEW"
    # Members in the order of the documents' example.
    assert list(amended["amendedOrder"])[-3:] == ["side", "workingTime", "selfTradePreventionMode"]


async def test_amendments_are_kept_in_order(floor: Floor) -> None:
    placed = await floor.post("order", **LIMIT_BUY, newClientOrderId="first")
    named = {"symbol": "BTCUSDT", "orderId": placed["orderId"]}
    one = await floor.ok("PUT", "order/amend/keepPriority", **named, newQty="0.008")
    two = await floor.ok("PUT", "order/amend/keepPriority", **named, newQty="0.006", newClientOrderId="last")
    generated = one["amendedOrder"]["clientOrderId"]
    assert re.fullmatch("[A-Za-z0-9]{22}", generated)
    kept = await floor.get("order/amendments", **named)
    assert kept == [
        {
            **named,
            "executionId": one["executionId"],
            "origClientOrderId": "first",
            "newClientOrderId": generated,
            "origQty": "0.01000000",
            "newQty": "0.00800000",
            "time": NOW_MS,
        },
        {
            **named,
            "executionId": two["executionId"],
            "origClientOrderId": generated,
            "newClientOrderId": "last",
            "origQty": "0.00800000",
            "newQty": "0.00600000",
            "time": NOW_MS,
        },
    ]
    assert await floor.get("order/amendments", **named, fromExecutionId=two["executionId"]) == kept[1:]
    assert await floor.get("order/amendments", **named, limit=1) == kept[:1]
    assert (await floor.get("order", symbol="BTCUSDT", origClientOrderId="last"))["origQty"] == "0.00600000"
    assert await floor.no("GET", "order/amendments", **named, who=OTHER) == (-2013, "Order does not exist.")


async def test_an_amendment_may_keep_the_client_id(floor: Floor) -> None:
    placed = await floor.post("order", **LIMIT_BUY, newClientOrderId="same")
    amended = await floor.ok(
        "PUT",
        "order/amend/keepPriority",
        symbol="BTCUSDT",
        orderId=placed["orderId"],
        newQty="0.005",
        newClientOrderId="same",
    )
    assert amended["amendedOrder"]["clientOrderId"] == "same"


@pytest.mark.parametrize(
    ("quantity", "code", "text"),
    [
        ("0.02", -2038, "Order amend (quantity increase) is not supported."),
        ("0.01", -2038, "The requested action would change no state; rejecting"),
        ("0.000001", -1013, "Filter failure: LOT_SIZE"),
        ("0.00001", -1013, "Filter failure: NOTIONAL"),
    ],
)
async def test_what_an_amendment_may_not_do(floor: Floor, quantity: str, code: int, text: str) -> None:
    placed = await floor.post("order", **LIMIT_BUY)
    refused = await floor.no(
        "PUT", "order/amend/keepPriority", symbol="BTCUSDT", orderId=placed["orderId"], newQty=quantity
    )
    assert refused == (code, text)
    assert (await floor.order(placed["orderId"]))["origQty"] == "0.01000000"


async def test_an_order_can_be_amended_ten_times(floor: Floor) -> None:
    placed = await floor.post("order", **{**LIMIT_BUY, "quantity": "0.02"})
    named = {"symbol": "BTCUSDT", "orderId": placed["orderId"]}
    for left in range(19, 9, -1):
        await floor.ok("PUT", "order/amend/keepPriority", **named, newQty=f"0.0{left}")
    assert await floor.no("PUT", "order/amend/keepPriority", **named, newQty="0.009") == (
        -2038,
        "Filter failure: MAX_NUM_ORDER_AMENDS",
    )


async def test_an_amendment_to_what_is_filled_already_ends_the_order_for_free(floor: Floor) -> None:
    placed = await floor.post("order", **LIMIT_BUY)
    await floor.trade("90000", "0.004")
    before = (await floor.send("GET", "openOrders", symbol="BTCUSDT")).headers["x-mbx-used-weight-1m"]
    reply = await floor.send(
        "PUT", "order/amend/keepPriority", symbol="BTCUSDT", orderId=placed["orderId"], newQty="0.004"
    )
    assert reply.status == 200
    assert reply.json["amendedOrder"]["status"] == "EXPIRED"
    assert reply.headers["x-mbx-used-weight-1m"] == before
    assert await floor.status(placed["orderId"]) == "EXPIRED"


async def test_every_amendment_has_an_execution_id_of_its_own(floor: Floor) -> None:
    async def amend(order: dict[str, Any], quantity: str) -> Any:
        named = {"symbol": "BTCUSDT", "orderId": order["orderId"]}
        return await floor.ok("PUT", "order/amend/keepPriority", **named, newQty=quantity)

    first, second = [await floor.post("order", **LIMIT_BUY, newClientOrderId=name) for name in ("a", "b")]
    await floor.trade("90000", "0.004")
    ended = await amend(first, "0.004")
    assert ended["amendedOrder"]["status"] == "EXPIRED"
    # It is found under the id that the answer says it has.
    assert ended["amendedOrder"]["clientOrderId"] == ended["amendedOrder"]["origClientOrderId"] == "a"
    amended = [await amend(second, quantity) for quantity in ("0.009", "0.008")]
    ids = [one["executionId"] for one in (ended, *amended)]
    assert ids == sorted(set(ids))
    told = await floor.get("order/amendments", symbol="BTCUSDT", orderId=second["orderId"])
    assert [one["executionId"] for one in told] == ids[1:]


async def test_only_open_orders_are_amended(floor: Floor) -> None:
    refused = await floor.no(
        "PUT", "order/amend/keepPriority", symbol="BTCUSDT", orderId=987654, newQty="0.005"
    )
    assert refused == (-2038, "Unknown order sent.")


async def test_a_client_id_in_use_cannot_be_amended_to(floor: Floor) -> None:
    await floor.post("order", **LIMIT_BUY, newClientOrderId="taken")
    placed = await floor.post("order", **LIMIT_BUY)
    refused = await floor.no(
        "PUT",
        "order/amend/keepPriority",
        symbol="BTCUSDT",
        orderId=placed["orderId"],
        newQty="0.005",
        newClientOrderId="taken",
    )
    assert refused == (-2038, "Duplicate order sent.")
