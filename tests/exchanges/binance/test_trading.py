"""Single orders from placement to their end, as Binance answers them.

Key sets are those of the examples in rest-api.md, "New order", "Cancel order", "Query order" and on.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest

from emulator.core.commands import SetFeePayment
from tests.exchanges.binance.trading_floor import (
    DEMO,
    LIMIT_BUY,
    LIMIT_SELL,
    NOW_MS,
    NOW_US,
    OTHER,
    Floor,
)
from tests.web.client import ask

pytestmark = pytest.mark.anyio

ACK = {"symbol", "orderId", "orderListId", "clientOrderId", "transactTime"}
RESULT = ACK | {
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
FULL = RESULT | {"fills"}
FILL = {"price", "qty", "commission", "commissionAsset", "tradeId"}
CANCEL = RESULT - {"workingTime"} | {"origClientOrderId"}
QUERY = RESULT - {"transactTime"} | {"stopPrice", "icebergQty", "time", "updateTime", "isWorking"}

MINUTE_US = 60_000_000
DAY_US = 1440 * MINUTE_US

MARKET_BUY = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.01"}
STOP_SELL = {
    "symbol": "BTCUSDT",
    "side": "SELL",
    "type": "STOP_LOSS_LIMIT",
    "timeInForce": "GTC",
    "quantity": "0.01",
    "price": "94000",
    "stopPrice": "95000",
}


@pytest.fixture
async def floor() -> AsyncIterator[Floor]:
    async with Floor() as opened:
        yield opened


# Answers


@pytest.mark.parametrize(("response", "keys"), [("ACK", ACK), ("RESULT", RESULT), ("FULL", FULL)])
async def test_the_answer_has_the_form_that_was_asked_for(
    floor: Floor, response: str, keys: set[str]
) -> None:
    for order in (LIMIT_BUY, {**LIMIT_BUY, "type": "MARKET"}):
        if order["type"] == "MARKET":
            order = {k: v for k, v in order.items() if k not in ("price", "timeInForce")}
        assert set(await floor.post("order", **order, newOrderRespType=response)) == keys


@pytest.mark.parametrize(
    ("order", "keys"),
    [
        (LIMIT_BUY, FULL),
        (MARKET_BUY, FULL),
        ({**LIMIT_BUY, "type": "LIMIT_MAKER", "timeInForce": None}, ACK),
        (STOP_SELL, ACK),
        ({**STOP_SELL, "type": "STOP_LOSS", "timeInForce": None, "price": None}, ACK),
        (
            {**STOP_SELL, "type": "TAKE_PROFIT", "stopPrice": "105000", "timeInForce": None, "price": None},
            ACK,
        ),
        ({**STOP_SELL, "type": "TAKE_PROFIT_LIMIT", "stopPrice": "105000"}, ACK),
    ],
)
async def test_each_type_has_its_own_default_answer(
    floor: Floor, order: dict[str, str | None], keys: set[str]
) -> None:
    sent = {name: value for name, value in order.items() if value is not None}
    assert set(await floor.post("order", **sent)) == keys


async def test_a_resting_order_is_answered_with_no_fills(floor: Floor) -> None:
    placed = await floor.post("order", **LIMIT_BUY, newClientOrderId="mine")
    assert placed == {
        "symbol": "BTCUSDT",
        "orderId": placed["orderId"],
        "orderListId": -1,
        "clientOrderId": "mine",
        "transactTime": NOW_MS,
        "price": "90000.00000000",
        "origQty": "0.01000000",
        "executedQty": "0.00000000",
        "origQuoteOrderQty": "0.00000000",
        "cummulativeQuoteQty": "0.00000000",
        "status": "NEW",
        "timeInForce": "GTC",
        "type": "LIMIT",
        "side": "BUY",
        "workingTime": NOW_MS,
        "fills": [],
        "selfTradePreventionMode": "EXPIRE_MAKER",
    }


async def test_a_market_order_is_answered_with_its_fills_in_order(floor: Floor) -> None:
    await floor.book(asks=[("100010", "0.004"), ("100020", "5")])
    placed = await floor.post("order", **MARKET_BUY)
    assert placed["status"] == "FILLED"
    assert placed["price"] == "0.00000000"
    assert placed["timeInForce"] == "GTC"
    assert placed["executedQty"] == "0.01000000"
    assert placed["cummulativeQuoteQty"] == "1000.16000000"
    first, second = placed["fills"]
    assert set(first) == FILL
    assert (first["price"], first["qty"]) == ("100010.00000000", "0.00400000")
    assert (second["price"], second["qty"]) == ("100020.00000000", "0.00600000")
    assert (first["commission"], first["commissionAsset"]) == ("0.00000400", "BTC")
    assert second["tradeId"] == first["tradeId"] + 1


async def test_a_seller_pays_the_commission_in_the_quote_asset(floor: Floor) -> None:
    placed = await floor.post("order", **{**MARKET_BUY, "side": "SELL"})
    assert placed["fills"][0]["commission"] == "0.99990000"
    assert placed["fills"][0]["commissionAsset"] == "USDT"


async def test_commission_is_paid_in_bnb_once_the_account_says_so(floor: Floor) -> None:
    await floor.price("700", "BNB/USDT")
    await floor.do(SetFeePayment(account=floor.sandbox.accounts[DEMO], discounted=True))
    fill = (await floor.post("order", **MARKET_BUY))["fills"][0]
    # 1000.10 USDT at 0.1 % and three quarters of that, in BNB at 700.
    assert fill["commissionAsset"] == "BNB"
    assert fill["commission"] == "0.00107153"


async def test_a_market_order_may_name_what_it_spends(floor: Floor) -> None:
    placed = await floor.post("order", symbol="BTCUSDT", side="BUY", type="MARKET", quoteOrderQty="1000.1")
    assert placed["status"] == "FILLED"
    assert placed["origQuoteOrderQty"] == "1000.10000000"
    assert placed["executedQty"] == placed["origQty"] == "0.01000000"
    assert placed["cummulativeQuoteQty"] == "1000.10000000"


async def test_generated_client_ids_have_22_letters_and_digits(floor: Floor) -> None:
    ids = {(await floor.post("order", **LIMIT_BUY))["clientOrderId"] for _ in range(3)}
    assert len(ids) == 3
    assert all(re.fullmatch("[A-Za-z0-9]{22}", one) for one in ids)


async def test_order_ids_grow(floor: Floor) -> None:
    ids = [(await floor.post("order", **LIMIT_BUY))["orderId"] for _ in range(3)]
    assert ids == sorted(set(ids))


async def test_times_come_in_microseconds_to_those_who_ask(floor: Floor) -> None:
    placed = await floor.post("order", **LIMIT_BUY)
    assert placed["transactTime"] == NOW_MS
    query = f"symbol=BTCUSDT&orderId={placed['orderId']}&timestamp={NOW_US}"
    query += "&signature=" + hmac.digest(b"secret-of-demo", query.encode(), "sha256").hex()
    headers = {"X-MBX-APIKEY": "key-of-demo", "X-MBX-TIME-UNIT": "MICROSECOND"}
    reply = await ask(floor.application, "GET", "/api/v3/order", query=query, headers=headers)
    assert reply.json["time"] == NOW_US
    assert reply.json["workingTime"] == NOW_US


# How orders end


async def expired(floor: Floor, **order: str) -> tuple[str, str, str]:
    placed = await floor.post("order", **order, newOrderRespType="RESULT")
    found = await floor.order(placed["orderId"])
    assert found["expiryReason"] == placed["expiryReason"]
    assert found["status"] == placed["status"]
    return placed["status"], placed["executedQty"], placed["expiryReason"]


async def test_what_an_immediate_order_leaves_expires(floor: Floor) -> None:
    order = {**LIMIT_BUY, "price": "100010", "timeInForce": "IOC", "quantity": "7"}
    assert await expired(floor, **order) == ("EXPIRED", "5.00000000", "UNFILLED_IOC_QUANTITY_EXPIRED")


async def test_an_order_that_cannot_be_filled_whole_expires_unfilled(floor: Floor) -> None:
    order = {**LIMIT_BUY, "price": "100010", "timeInForce": "FOK", "quantity": "7"}
    assert await expired(floor, **order) == ("EXPIRED", "0.00000000", "UNFILLED_FOK_ORDER_EXPIRED")


async def test_an_order_that_can_be_filled_whole_is(floor: Floor) -> None:
    order = {**LIMIT_BUY, "price": "100010", "timeInForce": "FOK", "quantity": "5"}
    placed = await floor.post("order", **order)
    assert (placed["status"], placed["executedQty"]) == ("FILLED", "5.00000000")
    assert "expiryReason" not in placed


async def test_a_market_order_ends_where_the_book_does(floor: Floor) -> None:
    order = {**MARKET_BUY, "quantity": "6"}
    assert await expired(floor, **order) == ("EXPIRED", "5.00000000", "INSUFFICIENT_LIQUIDITY")


async def test_a_market_order_into_an_empty_book_expires(floor: Floor) -> None:
    await floor.book(bids=[("99990", "1")])
    assert await expired(floor, **MARKET_BUY) == ("EXPIRED", "0.00000000", "INSUFFICIENT_LIQUIDITY")


async def test_the_reason_of_an_end_is_not_in_an_acknowledgement(floor: Floor) -> None:
    order = {**LIMIT_BUY, "price": "100010", "timeInForce": "FOK", "quantity": "7"}
    assert set(await floor.post("order", **order, newOrderRespType="ACK")) == ACK


async def test_a_resting_order_is_filled_when_the_market_comes_to_it(floor: Floor) -> None:
    placed = await floor.post("order", **LIMIT_BUY)
    await floor.trade("90000", "0.004")
    found = await floor.order(placed["orderId"])
    assert (found["status"], found["executedQty"]) == ("PARTIALLY_FILLED", "0.00400000")
    await floor.trade("90000", "1")
    found = await floor.order(placed["orderId"])
    assert (found["status"], found["cummulativeQuoteQty"]) == ("FILLED", "900.00000000")
    assert await floor.get("openOrders", symbol="BTCUSDT") == []


async def test_two_clients_trade_with_each_other(floor: Floor) -> None:
    maker = await floor.post("order", **{**LIMIT_SELL, "price": "100000"})
    taker = await floor.post("order", **{**LIMIT_BUY, "price": "100000"}, who=OTHER)
    assert taker["status"] == "FILLED"
    assert taker["fills"][0]["price"] == "100000.00000000"
    assert await floor.status(maker["orderId"]) == "FILLED"
    assert await floor.no("GET", "order", symbol="BTCUSDT", orderId=maker["orderId"], who=OTHER) == (
        -2013,
        "Order does not exist.",
    )


# Stops


async def test_a_stop_waits_off_the_book_and_keeps_its_id_and_type_when_it_fires(floor: Floor) -> None:
    placed = await floor.post("order", **STOP_SELL, newOrderRespType="RESULT")
    assert set(placed) == RESULT | {"stopPrice"}
    assert (placed["status"], placed["workingTime"]) == ("NEW", -1)
    waiting = await floor.order(placed["orderId"])
    assert (waiting["isWorking"], waiting["workingTime"]) == (False, -1)
    assert waiting["stopPrice"] == "95000.00000000"
    await floor.sandbox.step_clock(1_000_000)
    await floor.book(bids=[("93000", "1")], asks=[("93010", "1")])
    fired = await floor.order(placed["orderId"])
    assert fired["type"] == "STOP_LOSS_LIMIT"
    assert (fired["status"], fired["isWorking"]) == ("NEW", True)
    assert fired["workingTime"] == NOW_MS + 1000


async def test_a_price_is_reached_through_the_orders_on_the_way(floor: Floor) -> None:
    """The clock stands still, so nothing but the price itself can fire the stop."""
    stops = [
        {"side": "SELL", "type": "STOP_LOSS", "stopPrice": "95000"},
        {"side": "BUY", "type": "STOP_LOSS", "stopPrice": "105000"},
    ]
    placed = [
        await floor.post("order", symbol="BTCUSDT", quantity="0.01", **order)
        for order in (
            {"side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "price": "97000"},
            stops[0],
            {"side": "SELL", "type": "LIMIT", "timeInForce": "GTC", "price": "103000"},
            stops[1],
        )
    ]
    await floor.price("94000")
    await floor.price("106000")
    assert [await floor.status(one["orderId"]) for one in placed] == ["FILLED"] * 4


async def test_a_stop_without_a_limit_trades_at_market_when_it_fires(floor: Floor) -> None:
    order = {k: v for k, v in STOP_SELL.items() if k not in ("price", "timeInForce")}
    placed = await floor.post("order", **{**order, "type": "STOP_LOSS"})
    await floor.book(bids=[("94990", "1")], asks=[("94995", "1")])
    found = await floor.order(placed["orderId"])
    assert (found["type"], found["status"]) == ("STOP_LOSS", "FILLED")
    assert found["cummulativeQuoteQty"] == "949.90000000"


@pytest.mark.parametrize(
    ("type_word", "side", "stop"),
    [
        ("STOP_LOSS", "BUY", "99999"),
        ("STOP_LOSS", "SELL", "100001"),
        ("TAKE_PROFIT", "BUY", "100001"),
        ("TAKE_PROFIT", "SELL", "99999"),
    ],
)
async def test_a_stop_on_the_wrong_side_is_refused(
    floor: Floor, type_word: str, side: str, stop: str
) -> None:
    refused = await floor.no(
        "POST", "order", symbol="BTCUSDT", side=side, type=type_word, quantity="0.01", stopPrice=stop
    )
    assert refused == (-2010, "Order would trigger immediately.")


async def test_a_trailing_stop_tracks_at_once_without_a_stop_price(floor: Floor) -> None:
    placed = await floor.post(
        "order",
        symbol="BTCUSDT",
        side="SELL",
        type="STOP_LOSS",
        quantity="0.01",
        trailingDelta="700",
        newOrderRespType="RESULT",
    )
    assert set(placed) == RESULT | {"stopPrice", "trailingDelta", "trailingTime"}
    assert (placed["trailingDelta"], placed["trailingTime"]) == (700, NOW_MS)
    await floor.drift("105000", "98000")
    assert await floor.status(placed["orderId"]) == "NEW"
    # 7 % below the highest price since: 105000 * 0.93 = 97650.
    await floor.drift("97650")
    assert await floor.status(placed["orderId"]) == "FILLED"


async def test_a_trailing_stop_with_a_stop_price_tracks_from_there(floor: Floor) -> None:
    placed = await floor.post(
        "order",
        symbol="BTCUSDT",
        side="SELL",
        type="TAKE_PROFIT",
        quantity="0.01",
        stopPrice="105000",
        trailingDelta="100",
        newOrderRespType="RESULT",
    )
    assert placed["trailingTime"] == -1
    await floor.drift("103000", "101000")
    assert await floor.status(placed["orderId"]) == "NEW"
    await floor.drift("106000")
    assert (await floor.order(placed["orderId"]))["trailingTime"] == NOW_MS + 3000
    await floor.drift("104900")
    assert await floor.status(placed["orderId"]) == "FILLED"


# Pegged, iceberg, labelled


async def test_a_pegged_order_takes_its_price_from_the_book(floor: Floor) -> None:
    order = {k: v for k, v in LIMIT_BUY.items() if k != "price"}
    placed = await floor.post("order", **order, pegPriceType="PRIMARY_PEG")
    assert set(placed) == FULL | {"pegPriceType", "peggedPrice"}
    assert (placed["price"], placed["peggedPrice"]) == ("0.00000000", "99990.00000000")
    assert placed["status"] == "NEW"


async def test_a_pegged_order_may_stand_deeper(floor: Floor) -> None:
    await floor.book(bids=[("99990", "1"), ("99980", "1"), ("99950", "1")], asks=[("100010", "1")])
    order = {k: v for k, v in LIMIT_BUY.items() if k != "price"}
    placed = await floor.post(
        "order", **order, pegPriceType="PRIMARY_PEG", pegOffsetType="PRICE_LEVEL", pegOffsetValue="2"
    )
    assert placed["peggedPrice"] == "99950.00000000"
    assert (placed["pegOffsetType"], placed["pegOffsetValue"]) == ("PRICE_LEVEL", 2)
    found = await floor.order(placed["orderId"])
    assert set(found) == QUERY | {"pegPriceType", "pegOffsetType", "pegOffsetValue", "peggedPrice"}


async def test_an_order_pegged_to_the_other_side_takes(floor: Floor) -> None:
    order = {k: v for k, v in LIMIT_BUY.items() if k != "price"}
    placed = await floor.post("order", **{**order, "timeInForce": "IOC"}, pegPriceType="MARKET_PEG")
    assert (placed["status"], placed["peggedPrice"]) == ("FILLED", "100010.00000000")


async def test_a_pegged_stop_has_no_price_until_it_fires(floor: Floor) -> None:
    order = {k: v for k, v in STOP_SELL.items() if k != "price"}
    placed = await floor.post("order", **order, pegPriceType="PRIMARY_PEG", newOrderRespType="RESULT")
    assert "peggedPrice" not in placed
    await floor.book(bids=[("94000", "1")], asks=[("94020", "1")])
    found = await floor.order(placed["orderId"])
    assert (found["peggedPrice"], found["isWorking"]) == ("94020.00000000", True)


async def test_a_peg_needs_a_level_to_hold_on_to(floor: Floor) -> None:
    await floor.book(asks=[("100010", "1")])
    order = {k: v for k, v in LIMIT_BUY.items() if k != "price"}
    assert await floor.no("POST", "order", **order, pegPriceType="PRIMARY_PEG") == (
        -2010,
        "Order book liquidity is too low for this pegged order.",
    )


async def test_an_iceberg_says_what_it_shows(floor: Floor) -> None:
    placed = await floor.post("order", **LIMIT_BUY, icebergQty="0.001")
    assert set(placed) == FULL | {"icebergQty"}
    assert placed["icebergQty"] == "0.00100000"
    market = floor.engine.state.markets["BTCUSDT"]
    assert market.bids.queues[Decimal(90000)][placed["orderId"]].visible == Decimal("0.001")


async def test_a_strategy_is_given_back(floor: Floor) -> None:
    placed = await floor.post("order", **LIMIT_BUY, strategyId="37463720", strategyType="1000000")
    assert (placed["strategyId"], placed["strategyType"]) == (37463720, 1000000)
    canceled = await floor.delete("order", symbol="BTCUSDT", orderId=placed["orderId"])
    assert set(canceled) == CANCEL | {"strategyId", "strategyType"}


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


# What requests cost


async def test_accepted_orders_weigh_nothing_and_refused_ones_do(floor: Floor) -> None:
    reply = await floor.send("POST", "order", **LIMIT_BUY)
    assert reply.headers["x-mbx-used-weight-1m"] == "0"
    reply = await floor.send("POST", "order", **{**LIMIT_BUY, "quantity": "0"})
    assert reply.headers["x-mbx-used-weight-1m"] == "1"


async def test_a_taken_order_leaves_the_count_of_unfilled_ones(floor: Floor) -> None:
    reply = await floor.send("POST", "order", **LIMIT_BUY)
    assert reply.headers["x-mbx-order-count-10s"] == "1"
    reply = await floor.send("POST", "order", **MARKET_BUY)
    assert reply.headers["x-mbx-order-count-1d"] == "1"


async def test_a_first_fill_as_maker_leaves_the_count_of_unfilled_orders(floor: Floor) -> None:
    for _ in range(7):
        reply = await floor.send("POST", "order", **LIMIT_BUY)
    assert reply.headers["x-mbx-order-count-10s"] == "7"
    await floor.trade("90000", "0.001")
    reply = await floor.send("POST", "order", **{**LIMIT_BUY, "price": "80000"})
    # faqs/order_count_decrement.md, example 2: the first fill as maker takes five off.
    assert reply.headers["x-mbx-order-count-10s"] == "3"
    await floor.trade("90000", "0.001")
    reply = await floor.send("POST", "order", **{**LIMIT_BUY, "price": "80000"})
    assert reply.headers["x-mbx-order-count-10s"] == "4"


async def test_a_refused_order_is_not_counted(floor: Floor) -> None:
    await floor.send("POST", "order", **{**LIMIT_BUY, "quantity": "0"})
    reply = await floor.send("POST", "order", **LIMIT_BUY)
    assert reply.headers["x-mbx-order-count-10s"] == "1"
