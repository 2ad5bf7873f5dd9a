"""Order lists: how they are placed, what one leg does to the others, and how they end.

Key sets and the order of legs are those of the examples in rest-api.md, "Order lists".
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest

from tests.exchanges.binance.trading_floor import LIMIT_BUY, NOW_MS, OTHER, Floor

pytestmark = pytest.mark.anyio

STATE = {
    "orderListId",
    "contingencyType",
    "listStatusType",
    "listOrderStatus",
    "listClientOrderId",
    "transactionTime",
    "symbol",
    "orders",
}
PLACED = STATE | {"orderReports"}
LISTED = {"symbol", "orderId", "clientOrderId"}
RESULT = {
    "symbol",
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
    "workingTime",
    "selfTradePreventionMode",
}
CANCEL = RESULT - {"workingTime"} | {"origClientOrderId"}

OCO = {
    "symbol": "BTCUSDT",
    "side": "SELL",
    "quantity": "0.01",
    "aboveType": "LIMIT_MAKER",
    "abovePrice": "110000",
    "belowType": "STOP_LOSS_LIMIT",
    "belowPrice": "94000",
    "belowStopPrice": "95000",
    "belowTimeInForce": "GTC",
}
WORKING = {
    "symbol": "BTCUSDT",
    "workingType": "LIMIT",
    "workingSide": "BUY",
    "workingTimeInForce": "GTC",
    "workingPrice": "98000",
    "workingQuantity": "0.01",
}
OTO = {**WORKING, "pendingType": "MARKET", "pendingSide": "SELL", "pendingQuantity": "0.004"}
PAIR = {
    "pendingSide": "SELL",
    "pendingAboveType": "LIMIT_MAKER",
    "pendingAbovePrice": "110000",
    "pendingBelowType": "STOP_LOSS",
    "pendingBelowStopPrice": "95000",
}
OTOCO = {**WORKING, **PAIR, "pendingQuantity": "0.01"}
OPO = {
    **WORKING,
    "pendingType": "LIMIT",
    "pendingSide": "SELL",
    "pendingPrice": "110000",
    "pendingTimeInForce": "GTC",
}
OPOCO = {**WORKING, **PAIR}

KINDS = {
    "orderList/oco": OCO,
    "orderList/oto": OTO,
    "orderList/otoco": OTOCO,
    "orderList/opo": OPO,
    "orderList/opoco": OPOCO,
}


@pytest.fixture
async def floor() -> AsyncIterator[Floor]:
    async with Floor() as opened:
        yield opened


async def legs(floor: Floor, placed: Any) -> list[Any]:
    return [await floor.order(one["orderId"]) for one in placed["orders"]]


async def statuses(floor: Floor, placed: Any) -> list[str]:
    return [leg["status"] for leg in await legs(floor, placed)]


async def fill_working(floor: Floor) -> None:
    await floor.trade("98000", "0.01")


# Placing


@pytest.mark.parametrize(
    ("path", "contingency", "types", "shown"),
    [
        ("orderList/oco", "OCO", ["STOP_LOSS_LIMIT", "LIMIT_MAKER"], ["NEW", "NEW"]),
        ("orderList/oto", "OTO", ["LIMIT", "MARKET"], ["NEW", "PENDING_NEW"]),
        (
            "orderList/otoco",
            "OTO",
            ["LIMIT", "STOP_LOSS", "LIMIT_MAKER"],
            ["NEW", "PENDING_NEW", "PENDING_NEW"],
        ),
        ("orderList/opo", "OTO", ["LIMIT", "LIMIT"], ["NEW", "PENDING_NEW"]),
        (
            "orderList/opoco",
            "OTO",
            ["LIMIT", "STOP_LOSS", "LIMIT_MAKER"],
            ["NEW", "PENDING_NEW", "PENDING_NEW"],
        ),
    ],
)
async def test_a_list_is_answered_with_its_orders_and_their_reports(
    floor: Floor, path: str, contingency: str, types: list[str], shown: list[str]
) -> None:
    placed = await floor.post(path, **KINDS[path], listClientOrderId="the-list")
    assert set(placed) == PLACED
    assert placed["contingencyType"] == contingency
    assert (placed["listStatusType"], placed["listOrderStatus"]) == ("EXEC_STARTED", "EXECUTING")
    assert placed["listClientOrderId"] == "the-list"
    assert placed["transactionTime"] == NOW_MS
    assert all(set(one) == LISTED for one in placed["orders"])
    reports = placed["orderReports"]
    assert [one["orderId"] for one in placed["orders"]] == [report["orderId"] for report in reports]
    assert [report["type"] for report in reports] == types
    assert [report["status"] for report in reports] == shown
    funded = path in ("orderList/opo", "orderList/opoco")
    for place, report in enumerate(reports):
        stop = {"stopPrice"} if report["type"].startswith("STOP_LOSS") else set()
        unknown = {"origQty"} if funded and place else set()
        assert set(report) == (RESULT | stop) - unknown
        works = report["status"] == "NEW" and not stop
        assert report["workingTime"] == (NOW_MS if works else -1)
        assert report["orderListId"] == placed["orderListId"]
    assert [one["status"] for one in await floor.get("openOrders", symbol="BTCUSDT")] == shown


@pytest.mark.parametrize("path", list(KINDS))
@pytest.mark.parametrize(
    ("response", "keys"),
    [
        ("ACK", {"symbol", "orderId", "orderListId", "clientOrderId", "transactTime"}),
        ("RESULT", RESULT),
        ("FULL", RESULT | {"fills"}),
    ],
)
async def test_reports_have_the_form_that_was_asked_for(
    floor: Floor, path: str, response: str, keys: set[str]
) -> None:
    placed = await floor.post(path, **KINDS[path], newOrderRespType=response)
    for report in placed["orderReports"]:
        assert set(report) - {"stopPrice"} <= keys
        assert keys - set(report) <= {"origQty"}


async def test_the_deprecated_endpoint_places_the_same_pair(floor: Floor) -> None:
    placed = await floor.post(
        "order/oco",
        symbol="BTCUSDT",
        side="SELL",
        quantity="0.01",
        price="110000",
        limitClientOrderId="the-limit",
        limitIcebergQty="0.005",
        stopPrice="95000",
        stopLimitPrice="94000",
        stopLimitTimeInForce="GTC",
        stopClientOrderId="the-stop",
        stopStrategyId="7",
    )
    stop, limit = placed["orderReports"]
    assert (stop["type"], stop["clientOrderId"], stop["strategyId"]) == ("STOP_LOSS_LIMIT", "the-stop", 7)
    assert (stop["stopPrice"], stop["price"]) == ("95000.00000000", "94000.00000000")
    assert (limit["type"], limit["clientOrderId"]) == ("LIMIT_MAKER", "the-limit")
    assert limit["icebergQty"] == "0.00500000"


async def test_the_deprecated_endpoint_takes_a_stop_without_a_limit(floor: Floor) -> None:
    placed = await floor.post(
        "order/oco", symbol="BTCUSDT", side="BUY", quantity="0.01", price="90000", stopPrice="110000"
    )
    assert [report["type"] for report in placed["orderReports"]] == ["STOP_LOSS", "LIMIT_MAKER"]


async def test_funds_are_held_once_for_a_pair(floor: Floor) -> None:
    await floor.post("orderList/oco", **OCO)
    assert floor.balance("BTC")[1] == Decimal("0.01")


async def test_a_funded_list_needs_the_funds_of_its_working_order_only(floor: Floor) -> None:
    await floor.post("orderList/opo", **OPO)
    assert floor.balance("BTC")[1] == 0
    assert floor.balance("USDT")[1] == 980


async def test_a_leg_may_be_named_labelled_and_trail(floor: Floor) -> None:
    more = {"belowClientOrderId": "below", "aboveStrategyId": "9", "belowTrailingDelta": "150"}
    placed = await floor.post("orderList/oco", **OCO, **more)
    below, above = placed["orderReports"]
    assert below["clientOrderId"] == "below"
    assert (below["trailingDelta"], below["trailingTime"]) == (150, -1)
    assert above["strategyId"] == 9


async def test_legs_may_be_pegged(floor: Floor) -> None:
    legs_of = {k: v for k, v in OCO.items() if k != "abovePrice"}
    placed = await floor.post("orderList/oco", **legs_of, abovePegPriceType="PRIMARY_PEG")
    assert placed["orderReports"][1]["peggedPrice"] == "100010.00000000"


@pytest.mark.parametrize("path", list(KINDS))
async def test_a_list_counts_as_its_orders(floor: Floor, path: str) -> None:
    expected = 3 if path in ("orderList/otoco", "orderList/opoco") else 2
    reply = await floor.send("POST", path, **KINDS[path])
    assert reply.headers["x-mbx-order-count-10s"] == str(expected)
    assert reply.headers["x-mbx-used-weight-1m"] == "0"


# One cancels the other


async def test_a_fill_of_one_leg_expires_the_other(floor: Floor) -> None:
    placed = await floor.post("orderList/oco", **OCO)
    await floor.trade("110000", "0.004")
    stop, limit = await legs(floor, placed)
    assert (limit["status"], limit["executedQty"]) == ("PARTIALLY_FILLED", "0.00400000")
    assert (stop["status"], stop["expiryReason"]) == ("EXPIRED", "OCO_TRIGGER")
    assert (await floor.get("orderList", orderListId=placed["orderListId"]))["listOrderStatus"] == "EXECUTING"
    await floor.trade("110000", "0.006")
    state = await floor.get("orderList", orderListId=placed["orderListId"])
    assert (state["listStatusType"], state["listOrderStatus"]) == ("ALL_DONE", "ALL_DONE")
    assert floor.balance("BTC")[1] == 0


async def test_a_leg_that_fires_expires_the_other(floor: Floor) -> None:
    placed = await floor.post("orderList/oco", **OCO)
    await floor.book(bids=[("93000", "1")], asks=[("93010", "1")])
    stop, limit = await legs(floor, placed)
    assert (stop["status"], stop["isWorking"]) == ("NEW", True)
    assert (limit["status"], limit["expiryReason"]) == ("EXPIRED", "OCO_TRIGGER")
    assert floor.balance("BTC")[1] == Decimal("0.01")


async def test_canceling_one_leg_cancels_the_list(floor: Floor) -> None:
    placed = await floor.post("orderList/oco", **OCO)
    answer = await floor.delete(
        "order", symbol="BTCUSDT", orderId=placed["orders"][1]["orderId"], newClientOrderId="away"
    )
    assert set(answer) == PLACED
    assert (answer["listStatusType"], answer["listOrderStatus"]) == ("ALL_DONE", "ALL_DONE")
    assert [set(report) for report in answer["orderReports"]] == [CANCEL | {"stopPrice"}, CANCEL]
    assert {report["clientOrderId"] for report in answer["orderReports"]} == {"away"}
    assert await statuses(floor, placed) == ["CANCELED", "CANCELED"]
    assert floor.balance("BTC")[1] == 0


# One triggers the other


async def test_a_pending_order_waits_for_the_whole_working_order(floor: Floor) -> None:
    placed = await floor.post("orderList/oto", **OTO)
    await floor.trade("98000", "0.009")
    assert await statuses(floor, placed) == ["PARTIALLY_FILLED", "PENDING_NEW"]
    await floor.trade("98000", "0.001")
    assert await statuses(floor, placed) == ["FILLED", "FILLED"]
    state = await floor.get("orderList", orderListId=placed["orderListId"])
    assert state["listOrderStatus"] == "ALL_DONE"


async def test_a_working_order_that_is_filled_at_once_still_shows_the_rest_waiting(floor: Floor) -> None:
    placed = await floor.post("orderList/oto", **{**OTO, "workingPrice": "100010"}, newOrderRespType="FULL")
    working, pending = placed["orderReports"]
    assert (working["status"], len(working["fills"])) == ("FILLED", 1)
    assert (pending["status"], pending["workingTime"], pending["fills"]) == ("PENDING_NEW", -1, [])
    assert placed["listOrderStatus"] == "EXECUTING"
    assert await statuses(floor, placed) == ["FILLED", "FILLED"]


async def test_canceling_the_working_order_cancels_the_pending_one(floor: Floor) -> None:
    placed = await floor.post("orderList/oto", **OTO)
    await floor.delete("order", symbol="BTCUSDT", orderId=placed["orders"][0]["orderId"])
    assert await statuses(floor, placed) == ["CANCELED", "CANCELED"]
    assert floor.balance("USDT")[1] == 0


async def test_a_working_order_that_expires_takes_the_pending_one_along(floor: Floor) -> None:
    placed = await floor.post("orderList/oto", **{**OTO, "workingTimeInForce": "IOC"})
    working, pending = await legs(floor, placed)
    assert (working["status"], working["expiryReason"]) == ("EXPIRED", "UNFILLED_IOC_QUANTITY_EXPIRED")
    assert (pending["status"], pending["expiryReason"]) == ("EXPIRED", "OTO_PHASE_ONE_EXPIRED")
    state = await floor.get("orderList", orderListId=placed["orderListId"])
    assert state["listOrderStatus"] == "ALL_DONE"


async def test_a_pending_order_without_funds_is_rejected_when_its_time_comes(floor: Floor) -> None:
    short = {
        **OTO,
        "pendingType": "LIMIT",
        "pendingTimeInForce": "GTC",
        "pendingPrice": "101000",
        "pendingQuantity": "80",
    }
    placed = await floor.post("orderList/oto", **short)
    await floor.post("order", **{**LIMIT_BUY, "side": "SELL", "price": "120000", "quantity": "70"})
    await fill_working(floor)
    pending = (await legs(floor, placed))[1]
    assert (pending["status"], pending["expiryReason"]) == ("EXPIRED", "REJECTED")


async def test_a_pending_pair_comes_to_life_together(floor: Floor) -> None:
    placed = await floor.post("orderList/otoco", **OTOCO)
    assert await statuses(floor, placed) == ["NEW", "PENDING_NEW", "PENDING_NEW"]
    await floor.sandbox.step_clock(1_000_000)
    await fill_working(floor)
    working, stop, limit = await legs(floor, placed)
    assert [one["status"] for one in (working, stop, limit)] == ["FILLED", "NEW", "NEW"]
    assert (stop["isWorking"], limit["isWorking"]) == (False, True)
    assert (limit["time"], limit["workingTime"]) == (NOW_MS, NOW_MS + 1000)
    await floor.trade("110000", "1")
    assert await statuses(floor, placed) == ["FILLED", "EXPIRED", "FILLED"]


async def test_a_pending_pair_is_canceled_as_a_list(floor: Floor) -> None:
    placed = await floor.post("orderList/otoco", **OTOCO)
    await fill_working(floor)
    answer = await floor.delete("orderList", symbol="BTCUSDT", orderListId=placed["orderListId"])
    assert len(answer["orders"]) == 3
    assert [report["orderId"] for report in answer["orderReports"]] == [
        one["orderId"] for one in placed["orders"][1:]
    ]
    assert await statuses(floor, placed) == ["FILLED", "CANCELED", "CANCELED"]


# One pays the other


async def test_what_the_working_order_receives_becomes_the_pending_quantity(floor: Floor) -> None:
    placed = await floor.post("orderList/opo", **{**OPO, "workingQuantity": "0.0123"})
    await floor.trade("98000", "0.0123")
    pending = (await legs(floor, placed))[1]
    # The commission is taken from the free balance while there is enough (faqs/opo.md).
    assert (pending["status"], pending["origQty"]) == ("NEW", "0.01230000")


async def test_without_other_funds_the_commission_is_taken_out_and_the_rest_rounded(floor: Floor) -> None:
    await floor.post("order", symbol="BTCUSDT", side="SELL", type="LIMIT", timeInForce="GTC",
                     quantity="80", price="111000")  # fmt: skip
    await floor.post("order", symbol="BTCUSDT", side="SELL", type="LIMIT", timeInForce="GTC",
                     quantity="20", price="111000")  # fmt: skip
    placed = await floor.post("orderList/opo", **{**OPO, "workingQuantity": "0.0123"})
    await floor.trade("98000", "0.0123")
    pending = (await legs(floor, placed))[1]
    # 0.0123 less 0.1 % is 0.0122877, in steps of 0.00001.
    assert (pending["status"], pending["origQty"]) == ("NEW", "0.01228000")


async def test_a_funded_pair_shares_what_was_received(floor: Floor) -> None:
    placed = await floor.post("orderList/opoco", **OPOCO)
    await fill_working(floor)
    _, stop, limit = await legs(floor, placed)
    assert (stop["status"], stop["origQty"]) == ("NEW", "0.01000000")
    assert (limit["status"], limit["origQty"]) == ("NEW", "0.01000000")
    assert floor.balance("BTC")[1] == Decimal("0.01")


async def test_what_was_received_is_locked_until_the_list_is_canceled(floor: Floor) -> None:
    placed = await floor.post("orderList/opo", **OPO)
    await floor.trade("98000", "0.004")
    assert floor.balance("BTC")[1] == Decimal("0.004")
    await floor.delete("orderList", symbol="BTCUSDT", orderListId=placed["orderListId"])
    assert floor.balance("BTC")[1] == 0
    assert await statuses(floor, placed) == ["CANCELED", "CANCELED"]


# Canceling


async def test_a_list_is_canceled_by_either_id(floor: Floor) -> None:
    first = await floor.post("orderList/oco", **OCO, listClientOrderId="one")
    second = await floor.post("orderList/oco", **OCO, listClientOrderId="two")
    by_name = await floor.delete(
        "orderList", symbol="BTCUSDT", listClientOrderId="one", newClientOrderId="away"
    )
    assert set(by_name) == PLACED
    assert by_name["orderListId"] == first["orderListId"]
    assert {report["clientOrderId"] for report in by_name["orderReports"]} == {"away"}
    by_id = await floor.delete("orderList", symbol="BTCUSDT", orderListId=second["orderListId"])
    assert by_id["listClientOrderId"] == "two"
    assert [set(report) for report in by_id["orderReports"]] == [CANCEL | {"stopPrice"}, CANCEL]


async def test_a_list_is_not_canceled_under_another_name(floor: Floor) -> None:
    placed = await floor.post("orderList/oco", **OCO, listClientOrderId="one")
    refused = await floor.no(
        "DELETE", "orderList", symbol="BTCUSDT", orderListId=placed["orderListId"], listClientOrderId="two"
    )
    assert refused == (-2039, "Client order ID is not correct for this order ID.")
    assert await statuses(floor, placed) == ["NEW", "NEW"]


async def test_lists_that_are_not_there(floor: Floor) -> None:
    unknown = (-2011, "Unknown order sent.")
    assert await floor.no("DELETE", "orderList", symbol="BTCUSDT", orderListId=99) == unknown
    assert await floor.no("DELETE", "orderList", symbol="BTCUSDT", listClientOrderId="no") == unknown
    placed = await floor.post("orderList/oco", **OCO)
    refused = await floor.no(
        "DELETE", "orderList", symbol="BTCUSDT", orderListId=placed["orderListId"], who=OTHER
    )
    assert refused == unknown
    for more in ({"orderListId": 99}, {"origClientOrderId": "no"}):
        assert await floor.no("GET", "orderList", **more) == (-2013, "Order does not exist.")
    assert (await floor.no("GET", "orderList", orderListId=placed["orderListId"], who=OTHER))[0] == -2013
    assert (await floor.no("GET", "orderList"))[0] == -1102
    assert (await floor.no("DELETE", "orderList", symbol="BTCUSDT"))[0] == -1102


# Amending


async def test_amending_one_of_a_pair_amends_both(floor: Floor) -> None:
    placed = await floor.post("orderList/oco", **OCO)
    stop_id, limit_id = (one["orderId"] for one in placed["orders"])
    amended = await floor.ok(
        "PUT",
        "order/amend/keepPriority",
        symbol="BTCUSDT",
        orderId=limit_id,
        newQty="0.006",
        newClientOrderId="renamed",
    )
    assert amended["amendedOrder"]["orderId"] == limit_id
    assert set(amended["listStatus"]) == STATE - {"listStatusType", "transactionTime"}
    assert amended["listStatus"]["orders"][1]["clientOrderId"] == "renamed"
    stop, limit = await legs(floor, placed)
    assert (stop["origQty"], limit["origQty"]) == ("0.00600000", "0.00600000")
    assert stop["clientOrderId"] == placed["orders"][0]["clientOrderId"]
    assert floor.balance("BTC")[1] == Decimal("0.006")
    assert stop["orderId"] == stop_id


async def test_working_and_pending_orders_are_amended_one_by_one(floor: Floor) -> None:
    placed = await floor.post("orderList/oto", **OTO)
    pending_id = placed["orders"][1]["orderId"]
    amended = await floor.ok(
        "PUT", "order/amend/keepPriority", symbol="BTCUSDT", orderId=pending_id, newQty="0.003"
    )
    order = amended["amendedOrder"]
    assert (order["status"], order["qty"]) == ("PENDING_NEW", "0.00300000")
    assert "workingTime" not in order
    assert [leg["origQty"] for leg in await legs(floor, placed)] == ["0.01000000", "0.00300000"]


async def test_a_funded_order_cannot_be_amended_before_it_has_a_quantity(floor: Floor) -> None:
    placed = await floor.post("orderList/opo", **OPO)
    named = {"symbol": "BTCUSDT", "orderId": placed["orders"][1]["orderId"], "newQty": "0.005"}
    assert await floor.no("PUT", "order/amend/keepPriority", **named) == (
        -2038,
        "Order amend (pending OPO order) is not supported.",
    )
    await fill_working(floor)
    await floor.ok("PUT", "order/amend/keepPriority", **named)
    assert (await legs(floor, placed))[1]["origQty"] == "0.00500000"


# Queries


async def test_lists_are_found_while_open_and_afterwards(floor: Floor) -> None:
    placed = await floor.post("orderList/oco", **OCO, listClientOrderId="mine")
    by_id = await floor.get("orderList", orderListId=placed["orderListId"])
    assert set(by_id) == STATE
    assert by_id["orders"] == placed["orders"]
    assert by_id == await floor.get("orderList", origClientOrderId="mine")
    assert await floor.get("openOrderList") == [by_id]
    assert await floor.get("openOrderList", who=OTHER) == []
    await floor.delete("orderList", symbol="BTCUSDT", orderListId=placed["orderListId"])
    assert await floor.get("openOrderList") == []
    ended = await floor.get("orderList", origClientOrderId="mine")
    assert (ended["listStatusType"], ended["listOrderStatus"]) == ("ALL_DONE", "ALL_DONE")
    assert await floor.get("allOrderList") == [ended]
    assert (await floor.no("GET", "orderList", orderListId=placed["orderListId"], origClientOrderId="x"))[
        0
    ] == -2039


async def test_all_lists_come_by_id_and_by_time(floor: Floor) -> None:
    ids = []
    for _ in range(4):
        ids.append((await floor.post("orderList/oco", **OCO))["orderListId"])
        await floor.sandbox.step_clock(60_000_000)

    async def listed(**more: int) -> list[int]:
        return [one["orderListId"] for one in await floor.get("allOrderList", **more)]

    assert await listed() == ids
    assert await listed(limit=2) == ids[-2:]
    assert await listed(fromId=ids[1], limit=2) == ids[1:3]
    assert await listed(startTime=NOW_MS + 60_000, limit=2) == ids[1:3]
    assert await listed(endTime=NOW_MS + 60_000) == ids[:2]
    assert (await floor.no("GET", "allOrderList", fromId=1, startTime=NOW_MS))[0] == -1128
    assert (await floor.no("GET", "allOrderList", startTime=NOW_MS, endTime=NOW_MS + 86_400_001))[0] == -1127


# What is wrong with a list


@pytest.mark.parametrize(
    ("sent", "code", "text"),
    [
        ({"aboveType": "LIMIT"}, -1158, "Order type not supported in OCO."),
        ({"belowType": "MARKET"}, -1158, "Order type not supported in OCO."),
        ({"belowType": "LIMIT_MAKER"}, -1168, "At least one OCO order must be contingent."),
        ({"side": "BUY"}, -1165, "A limit order in a buy OCO must be below."),
        (
            {"aboveType": "TAKE_PROFIT", "belowType": "LIMIT_MAKER"},
            -1166,
            "A limit order in a sell OCO must be above.",
        ),
        (
            {"side": "BUY", "aboveType": "STOP_LOSS", "belowType": "STOP_LOSS"},
            -1196,
            "A stop loss order in a buy OCO must be above.",
        ),
        ({"aboveType": "STOP_LOSS"}, -1197, "A stop loss order in a sell OCO must be below."),
        (
            {"side": "BUY", "aboveType": "TAKE_PROFIT", "belowType": "TAKE_PROFIT"},
            -1198,
            "A take profit order in a buy OCO must be below.",
        ),
        ({"belowType": "TAKE_PROFIT"}, -1199, "A take profit order in a sell OCO must be above."),
        (
            {"belowTimeInForce": "IOC", "belowIcebergQty": "0.001"},
            -1160,
            (
                "Parameter 'belowIcebergQty' is not supported "
                "if `aboveTimeInForce`/`belowTimeInForce` is not GTC."
            ),
        ),
        (
            {"belowStopPrice": None},
            -1102,
            "Param 'belowStopPrice' or 'belowTrailingDelta' must be sent, but both were empty/null!",
        ),
        (
            {"belowTimeInForce": None},
            -1102,
            "Mandatory parameter 'belowTimeInForce' was not sent, was empty/null, or malformed.",
        ),
        (
            {"abovePrice": None},
            -1102,
            "Mandatory parameter 'abovePrice' was not sent, was empty/null, or malformed.",
        ),
        ({"aboveTimeInForce": "GTC"}, -1106, "Parameter 'aboveTimeInForce' sent when not required."),
        ({"aboveStopPrice": "1"}, -1106, "Parameter 'aboveStopPrice' sent when not required."),
        ({"belowStrategyType": "5"}, -1134, "`strategyType` was less than 1000000."),
        (
            {"quantity": None},
            -1102,
            "Mandatory parameter 'quantity' was not sent, was empty/null, or malformed.",
        ),
        ({"abovePrice": "99000"}, -2010, "The relationship of the prices for the orders is not correct."),
        (
            {"belowStopPrice": "101000"},
            -2010,
            "The relationship of the prices for the orders is not correct.",
        ),
        ({"abovePrice": "110000.001"}, -1013, "Filter failure: PRICE_FILTER"),
        ({"quantity": "101"}, -1013, "Filter failure: NOTIONAL"),
        ({"symbol": "NOSUCH"}, -1121, "Invalid symbol."),
        (
            {"aboveClientOrderId": "same", "belowClientOrderId": "same"},
            -2010,
            "Duplicate order sent.",
        ),
    ],
)
async def test_what_a_pair_may_not_be(
    floor: Floor, sent: dict[str, str | None], code: int, text: str
) -> None:
    whole = {name: value for name, value in {**OCO, **sent}.items() if value is not None}
    if code in (-1165, -1166, -1168, -1196, -1197, -1198, -1199):
        # A wrong place is told before what the type in it needs.
        whole = {k: v for k, v in whole.items() if "Price" not in k and "TimeInForce" not in k}
    assert await floor.no("POST", "orderList/oco", **whole) == (code, text)


@pytest.mark.parametrize(
    ("side", "profit", "stop", "price", "refused"),
    [
        # rest-api.md, "New Order list - OCO": the limit of TAKE_PROFIT_LIMIT is compared with the last price.
        ("SELL", "105000", "95000", "100001", False),
        ("SELL", "105000", "95000", "100000", True),
        ("BUY", "95000", "105000", "99999", False),
        ("BUY", "95000", "105000", "100000", True),
    ],
)
async def test_the_limit_of_a_take_profit_lies_beyond_the_last_price(
    floor: Floor, side: str, profit: str, stop: str, price: str, refused: bool
) -> None:
    take, loss = ("above", "below") if side == "SELL" else ("below", "above")
    legs = {
        f"{take}Type": "TAKE_PROFIT_LIMIT",
        f"{take}StopPrice": profit,
        f"{take}Price": price,
        f"{take}TimeInForce": "GTC",
        f"{loss}Type": "STOP_LOSS",
        f"{loss}StopPrice": stop,
    }
    pair = {"symbol": "BTCUSDT", "side": side, "quantity": "0.01", **legs}
    if refused:
        text = "The relationship of the prices for the orders is not correct."
        assert await floor.no("POST", "orderList/oco", **pair) == (-2010, text)
    else:
        await floor.post("orderList/oco", **pair)


async def test_the_take_profit_pair(floor: Floor) -> None:
    placed = await floor.post(
        "orderList/oco",
        symbol="BTCUSDT",
        side="BUY",
        quantity="0.01",
        aboveType="STOP_LOSS",
        aboveStopPrice="105000",
        belowType="TAKE_PROFIT_LIMIT",
        belowStopPrice="95000",
        belowPrice="95500",
        belowTimeInForce="IOC",
    )
    assert [report["type"] for report in placed["orderReports"]] == ["STOP_LOSS", "TAKE_PROFIT_LIMIT"]
    await floor.book(bids=[("94980", "1")], asks=[("94990", "1")])
    assert await statuses(floor, placed) == ["EXPIRED", "FILLED"]


@pytest.mark.parametrize(
    ("sent", "code", "text"),
    [
        (
            {"stopLimitPrice": "94000"},
            -1102,
            "Mandatory parameter 'stopLimitTimeInForce' was not sent, was empty/null, or malformed.",
        ),
        ({"stopLimitTimeInForce": "GTC"}, -1106, "Parameter 'stopLimitTimeInForce' sent when not required."),
        ({"stopIcebergQty": "0.001"}, -1106, "Parameter 'stopIcebergQty' sent when not required."),
        ({"price": "99000"}, -2010, "The relationship of the prices for the orders is not correct."),
        ({"stopPrice": "101000"}, -2010, "The relationship of the prices for the orders is not correct."),
    ],
)
async def test_what_a_pair_of_the_deprecated_endpoint_may_not_be(
    floor: Floor, sent: dict[str, str], code: int, text: str
) -> None:
    pair = {"symbol": "BTCUSDT", "side": "SELL", "quantity": "0.01", "price": "110000", "stopPrice": "95000"}
    assert await floor.no("POST", "order/oco", **{**pair, **sent}) == (code, text)


@pytest.mark.parametrize(
    ("path", "sent", "code", "text"),
    [
        ("orderList/opo", {"workingSide": "SELL"}, -1222, "Working order in an OPO list must be a bid."),
        ("orderList/opo", {"pendingSide": "BUY"}, -1223, "Pending orders in an OPO list must be asks."),
        (
            "orderList/opo",
            {"workingQuantity": None},
            -1224,
            "Working order must include the 'workingQuantity' tag.",
        ),
        (
            "orderList/opo",
            {"pendingQuantity": "1"},
            -1225,
            "Pending orders should not include the 'pendingQuantity' tag.",
        ),
        ("orderList/opoco", {"workingSide": "SELL"}, -1222, "Working order in an OPO list must be a bid."),
        (
            "orderList/opoco",
            {"pendingAboveType": "STOP_LOSS"},
            -1197,
            "A stop loss order in a sell OCO must be below.",
        ),
        ("orderList/oto", {"workingType": "MARKET"}, -1116, "Invalid orderType."),
        (
            "orderList/oto",
            {"workingTimeInForce": None},
            -1102,
            "Mandatory parameter 'workingTimeInForce' was not sent, was empty/null, or malformed.",
        ),
        (
            "orderList/oto",
            {"pendingQuantity": None},
            -1102,
            "Mandatory parameter 'pendingQuantity' was not sent, was empty/null, or malformed.",
        ),
        ("orderList/oto", {"pendingPrice": "1"}, -1106, "Parameter 'pendingPrice' sent when not required."),
        (
            "orderList/oto",
            {"workingTimeInForce": "IOC", "workingIcebergQty": "0.001"},
            -1014,
            "Unsupported order combination.",
        ),
        (
            "orderList/oto",
            {"workingType": "LIMIT_MAKER", "workingTimeInForce": None, "workingPrice": "100010"},
            -2010,
            "Order would immediately match and take.",
        ),
        (
            "orderList/otoco",
            {"pendingBelowStopPrice": None},
            -1102,
            (
                "Param 'pendingBelowStopPrice' or 'pendingBelowTrailingDelta' must be sent, "
                "but both were empty/null!"
            ),
        ),
    ],
)
async def test_what_other_lists_may_not_be(
    floor: Floor, path: str, sent: dict[str, str | None], code: int, text: str
) -> None:
    whole = {name: value for name, value in {**KINDS[path], **sent}.items() if value is not None}
    assert await floor.no("POST", path, **whole) == (code, text)


async def test_a_list_name_is_unique_among_open_lists(floor: Floor) -> None:
    placed = await floor.post("orderList/oco", **OCO, listClientOrderId="mine")
    assert await floor.no("POST", "orderList/oco", **OCO, listClientOrderId="mine") == (
        -2010,
        "Duplicate order sent.",
    )
    await floor.delete("orderList", symbol="BTCUSDT", orderListId=placed["orderListId"])
    await floor.post("orderList/oco", **OCO, listClientOrderId="mine")


async def test_a_symbol_may_not_offer_lists_or_only_so_many() -> None:
    async with Floor({"BTCUSDT": {"order_lists": False}}) as floor:
        refused = await floor.no("POST", "orderList/oco", **OCO)
        assert refused == (-1013, "OCO orders are not supported for this symbol")
        refused = await floor.no("POST", "orderList/opo", **OPO)
        assert refused == (-1013, "OPO orders are not supported for this symbol.")
    async with Floor({"BTCUSDT": {"order_lists_max": 2}}) as floor:
        await floor.post("orderList/oco", **OCO)
        await floor.post("orderList/oto", **OTO)
        assert await floor.no("POST", "orderList/oco", **OCO) == (
            -1013,
            "Filter failure: MAX_NUM_ORDER_LISTS",
        )
