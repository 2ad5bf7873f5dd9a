"""Cancel-replace: every outcome of the table in rest-api.md, with its status and its body."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest

from emulator.exchanges.binance.limits import Limits
from tests.exchanges.binance.trading_floor import LIMIT_BUY, Floor

pytestmark = pytest.mark.anyio

UNKNOWN = {"code": -2011, "msg": "Unknown order sent."}
TAKES = {"code": -2010, "msg": "Order would immediately match and take."}
TOO_MANY = {"code": -1015, "msg": "Too many new orders; current limit is 2 orders per 10 SECOND."}
FAILED = (-2022, "Order cancel-replace failed.")
PARTLY = (-2021, "Order cancel-replace partially failed.")

CANCEL = {
    "symbol",
    "origClientOrderId",
    "orderId",
    "orderListId",
    "clientOrderId",
    "transactTime",
    "price",
    "origQty",
    "executedQty",
    "origQuoteOrderQty",
    "cummulativeQuoteQty",
    "status",
    "timeInForce",
    "type",
    "side",
    "selfTradePreventionMode",
}
FULL = CANCEL - {"origClientOrderId"} | {"workingTime", "fills"}

STOP, ALLOW = "STOP_ON_FAILURE", "ALLOW_FAILURE"
GOOD = {**LIMIT_BUY, "price": "91000"}
BAD = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT_MAKER", "quantity": "0.01", "price": "100010"}


@pytest.fixture
async def floor() -> AsyncIterator[Floor]:
    async with Floor() as opened:
        yield opened


async def replace(
    floor: Floor, mode: str, order: dict[str, str], cancel: int, **more: Any
) -> tuple[int, Any]:
    reply = await floor.send(
        "POST", "order/cancelReplace", cancelReplaceMode=mode, cancelOrderId=cancel, **order, **more
    )
    return reply.status, reply.json


async def placed(floor: Floor) -> int:
    order_id: int = (await floor.post("order", **LIMIT_BUY))["orderId"]
    return order_id


@pytest.mark.parametrize("mode", [STOP, ALLOW])
async def test_both_halves_succeed(floor: Floor, mode: str) -> None:
    before = await placed(floor)
    status, body = await replace(
        floor, mode, GOOD, before, cancelNewClientOrderId="away", newClientOrderId="next"
    )
    assert status == 200
    assert set(body) == {"cancelResult", "newOrderResult", "cancelResponse", "newOrderResponse"}
    assert (body["cancelResult"], body["newOrderResult"]) == ("SUCCESS", "SUCCESS")
    assert set(body["cancelResponse"]) == CANCEL
    assert body["cancelResponse"]["clientOrderId"] == "away"
    assert body["cancelResponse"]["status"] == "CANCELED"
    assert set(body["newOrderResponse"]) == FULL
    assert body["newOrderResponse"]["clientOrderId"] == "next"
    assert await floor.status(before) == "CANCELED"
    assert [one["orderId"] for one in await floor.get("openOrders")] == [body["newOrderResponse"]["orderId"]]


async def test_the_funds_of_the_old_order_pay_for_the_new_one(floor: Floor) -> None:
    whole = {**LIMIT_BUY, "price": "99000", "quantity": "90"}
    before = (await floor.post("order", **whole))["orderId"]
    assert (await floor.no("POST", "order", **whole))[0] == -2010
    status, _ = await replace(floor, STOP, whole, before)
    assert status == 200


async def test_the_new_order_may_take_the_old_ones_client_id(floor: Floor) -> None:
    before = await floor.post("order", **LIMIT_BUY, newClientOrderId="mine")
    status, body = await replace(floor, STOP, GOOD, before["orderId"], newClientOrderId="mine")
    assert status == 200
    found = await floor.get("order", symbol="BTCUSDT", origClientOrderId="mine")
    assert found["orderId"] == body["newOrderResponse"]["orderId"]


async def test_nothing_is_placed_when_the_cancel_fails_and_that_stops(floor: Floor) -> None:
    status, body = await replace(floor, STOP, GOOD, 987)
    assert status == 400
    assert (body["code"], body["msg"]) == FAILED
    assert body["data"] == {
        "cancelResult": "FAILURE",
        "newOrderResult": "NOT_ATTEMPTED",
        "cancelResponse": UNKNOWN,
        "newOrderResponse": None,
    }
    assert await floor.get("openOrders") == []


@pytest.mark.parametrize("mode", [STOP, ALLOW])
async def test_the_cancel_stands_when_the_new_order_fails(floor: Floor, mode: str) -> None:
    before = await placed(floor)
    status, body = await replace(floor, mode, BAD, before)
    assert status == 409
    assert (body["code"], body["msg"]) == PARTLY
    assert (body["data"]["cancelResult"], body["data"]["newOrderResult"]) == ("SUCCESS", "FAILURE")
    assert set(body["data"]["cancelResponse"]) == CANCEL
    assert body["data"]["newOrderResponse"] == TAKES
    assert await floor.status(before) == "CANCELED"


async def test_the_new_order_stands_when_the_cancel_may_fail(floor: Floor) -> None:
    status, body = await replace(floor, ALLOW, GOOD, 987)
    assert status == 409
    assert (body["code"], body["msg"]) == PARTLY
    assert (body["data"]["cancelResult"], body["data"]["newOrderResult"]) == ("FAILURE", "SUCCESS")
    assert body["data"]["cancelResponse"] == UNKNOWN
    assert set(body["data"]["newOrderResponse"]) == FULL
    assert len(await floor.get("openOrders")) == 1


async def test_both_halves_fail(floor: Floor) -> None:
    status, body = await replace(floor, ALLOW, BAD, 987)
    assert status == 400
    assert (body["code"], body["msg"]) == FAILED
    assert body["data"] == {
        "cancelResult": "FAILURE",
        "newOrderResult": "FAILURE",
        "cancelResponse": UNKNOWN,
        "newOrderResponse": TAKES,
    }


async def test_filters_are_asked_before_anything_is_canceled(floor: Floor) -> None:
    before = await placed(floor)
    for mode in (STOP, ALLOW):
        status, body = await replace(floor, mode, {**GOOD, "price": "91000.001"}, before)
        assert (status, body) == (400, {"code": -1013, "msg": "Filter failure: PRICE_FILTER"})
    assert await floor.status(before) == "NEW"


@pytest.mark.parametrize(
    ("name", "fields"),
    [("MAX_NUM_ORDERS", {"orders_max": 1}), ("MAX_POSITION", {"position_max": Decimal("100.015")})],
)
async def test_the_order_to_be_canceled_counts_until_it_is(name: str, fields: dict[str, Any]) -> None:
    """rest-api.md, cancelReplace: filters are evaluated before the cancel is processed."""
    async with Floor({"BTCUSDT": fields}) as floor:
        before = await placed(floor)
        for mode in (STOP, ALLOW):
            status, body = await replace(floor, mode, GOOD, before)
            assert (status, body) == (400, {"code": -1013, "msg": f"Filter failure: {name}"})
        assert await floor.status(before) == "NEW"


async def test_one_of_a_list_takes_the_list_along(floor: Floor) -> None:
    pair = await floor.post(
        "orderList/oco",
        symbol="BTCUSDT",
        side="SELL",
        quantity="0.01",
        aboveType="LIMIT_MAKER",
        abovePrice="110000",
        belowType="STOP_LOSS",
        belowStopPrice="95000",
    )
    status, body = await replace(floor, STOP, GOOD, pair["orders"][0]["orderId"])
    assert status == 200
    assert body["cancelResponse"]["orderListId"] == pair["orderListId"]
    assert len(body["cancelResponse"]["orderReports"]) == 2
    assert await floor.get("openOrderList") == []


async def test_a_restricted_cancel_fails_like_any_other(floor: Floor) -> None:
    before = await placed(floor)
    status, body = await replace(floor, STOP, GOOD, before, cancelRestrictions="ONLY_PARTIALLY_FILLED")
    assert status == 400
    assert body["data"]["cancelResponse"] == {
        "code": -2011,
        "msg": "Order was not canceled due to cancel restrictions.",
    }
    assert await floor.status(before) == "NEW"


async def test_the_old_order_may_be_named_by_its_client_id(floor: Floor) -> None:
    before = await floor.post("order", **LIMIT_BUY, newClientOrderId="mine")
    body = await floor.post(
        "order/cancelReplace", cancelReplaceMode=STOP, cancelOrigClientOrderId="mine", **GOOD
    )
    assert body["cancelResponse"]["orderId"] == before["orderId"]
    reply = await floor.send(
        "POST",
        "order/cancelReplace",
        cancelReplaceMode=STOP,
        cancelOrderId=body["newOrderResponse"]["orderId"],
        cancelOrigClientOrderId="mine",
        **GOOD,
    )
    assert reply.json["data"]["cancelResponse"]["code"] == -2039


@pytest.mark.parametrize(
    ("sent", "code", "text"),
    [
        (
            {"cancelReplaceMode": None},
            -1102,
            "Mandatory parameter 'cancelReplaceMode' was not sent, was empty/null, or malformed.",
        ),
        ({"cancelReplaceMode": "MAYBE"}, -1130, "Data sent for parameter 'cancelReplaceMode' is not valid."),
        (
            {"cancelOrderId": None},
            -1102,
            "Param 'cancelOrderId' or 'cancelOrigClientOrderId' must be sent, but both were empty/null!",
        ),
        ({"price": None}, -1102, "Mandatory parameter 'price' was not sent, was empty/null, or malformed."),
        ({"symbol": "NOSUCH"}, -1121, "Invalid symbol."),
        (
            {"orderRateLimitExceededMode": "CANCEL"},
            -1130,
            "Data sent for parameter 'orderRateLimitExceededMode' is not valid.",
        ),
        (
            {"cancelRestrictions": "NEVER"},
            -1145,
            "`cancelRestrictions` has to be either `ONLY_NEW` or `ONLY_PARTIALLY_FILLED`.",
        ),
    ],
)
async def test_what_a_replacement_may_not_be(
    floor: Floor, sent: dict[str, str | None], code: int, text: str
) -> None:
    whole = {**GOOD, "cancelReplaceMode": STOP, "cancelOrderId": "1", **sent}
    whole = {name: value for name, value in whole.items() if value is not None}
    assert await floor.no("POST", "order/cancelReplace", **whole) == (code, text)


async def test_a_symbol_may_not_allow_replacements() -> None:
    async with Floor({"BTCUSDT": {"cancel_replace": False}}) as floor:
        before = await placed(floor)
        status, body = await replace(floor, STOP, GOOD, before)
        assert (status, body) == (
            400,
            {"code": -1013, "msg": "Order cancel-replace is not supported for this symbol."},
        )


# The count of unfilled orders


async def unfilled(floor: Floor) -> int:
    account = floor.sandbox.accounts["demo"]
    return floor.door.quotas(floor.sandbox).orders_used(account, floor.sandbox.clock.now_us())[0]


@pytest.mark.parametrize(
    ("mode", "order", "cancels", "counted"),
    [
        (STOP, GOOD, True, 1),
        # Quirk of the documents: what was not attempted counts, what was refused does not.
        (STOP, GOOD, False, 1),
        (STOP, BAD, True, 0),
        (ALLOW, GOOD, False, 1),
        (ALLOW, BAD, False, 0),
    ],
)
async def test_what_counts_as_an_order(
    floor: Floor, mode: str, order: dict[str, str], cancels: bool, counted: int
) -> None:
    before = await placed(floor)
    count = await unfilled(floor)
    await replace(floor, mode, order, before if cancels else 987)
    assert await unfilled(floor) == count + counted


@pytest.fixture
async def crowded() -> AsyncIterator[Floor]:
    """Two unfilled orders in ten seconds are all that is allowed, and there are two."""
    limits = Limits(orders_per_10_seconds=2)
    async with Floor(counting="on", limits=limits) as opened:
        yield opened


async def two_placed(floor: Floor) -> int:
    await floor.post("order", **LIMIT_BUY)
    return await placed(floor)


@pytest.mark.parametrize("mode", [STOP, ALLOW])
@pytest.mark.parametrize("more", [{}, {"orderRateLimitExceededMode": "DO_NOTHING"}])
async def test_too_many_orders_stop_everything(crowded: Floor, mode: str, more: dict[str, str]) -> None:
    before = await two_placed(crowded)
    status, body = await replace(crowded, mode, GOOD, before, **more)
    assert (status, body) == (429, TOO_MANY)
    assert await crowded.status(before) == "NEW"


@pytest.mark.parametrize(
    ("mode", "cancels", "status", "outcome", "results"),
    [
        (STOP, True, 429, PARTLY, ("SUCCESS", "FAILURE")),
        (STOP, False, 429, FAILED, ("FAILURE", "NOT_ATTEMPTED")),
        (ALLOW, True, 409, PARTLY, ("SUCCESS", "FAILURE")),
        (ALLOW, False, 400, FAILED, ("FAILURE", "FAILURE")),
    ],
)
async def test_too_many_orders_may_leave_the_cancel(
    crowded: Floor, mode: str, cancels: bool, status: int, outcome: tuple[int, str], results: tuple[str, str]
) -> None:
    before = await two_placed(crowded)
    reply = await crowded.send(
        "POST",
        "order/cancelReplace",
        cancelReplaceMode=mode,
        cancelOrderId=before if cancels else 987,
        orderRateLimitExceededMode="CANCEL_ONLY",
        **GOOD,
    )
    body = reply.json
    assert reply.status == status
    assert ("retry-after" in reply.headers) == (status == 429)
    assert (body["code"], body["msg"]) == outcome
    assert (body["data"]["cancelResult"], body["data"]["newOrderResult"]) == results
    if cancels:
        assert set(body["data"]["cancelResponse"]) == CANCEL
    else:
        assert body["data"]["cancelResponse"] == UNKNOWN
    assert body["data"]["newOrderResponse"] == (None if results[1] == "NOT_ATTEMPTED" else TOO_MANY)
    assert await crowded.status(before) == ("CANCELED" if cancels else "NEW")
    assert await unfilled(crowded) == 2


async def test_too_many_orders_refuse_a_plain_one(crowded: Floor) -> None:
    await two_placed(crowded)
    reply = await crowded.send("POST", "order", **LIMIT_BUY)
    assert (reply.status, reply.json) == (429, TOO_MANY)
    assert int(reply.headers["retry-after"]) <= 10
