"""Single orders and what becomes of them, as Binance answers.

Key sets are those of the examples in rest-api.md, "New order".
"""

from __future__ import annotations

import hmac
import re
from collections.abc import AsyncIterator
from decimal import Decimal

import pytest

from emulator.core.commands import SetFeePayment
from tests.exchanges.binance.trading_floor import (
    ACK,
    DEMO,
    FULL,
    LIMIT_BUY,
    LIMIT_SELL,
    MARKET_BUY,
    NOW_MS,
    NOW_US,
    OTHER,
    RESULT,
    STOP_SELL,
    Floor,
)
from tests.web.client import ask

pytestmark = pytest.mark.anyio

FILL = {"price", "qty", "commission", "commissionAsset", "tradeId"}
CANCEL = RESULT - {"workingTime"} | {"origClientOrderId"}
QUERY = RESULT - {"transactTime"} | {"stopPrice", "icebergQty", "time", "updateTime", "isWorking"}


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
