"""Placing, finding, amending and canceling plain orders, over signed requests (docs/v5/order)."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest

from tests.exchanges.bybit.pit import BUY, INVERSE, LINEAR, LONG, NOW_MS, SELL, SHORT, SPOT, Pit

pytestmark = pytest.mark.anyio

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

CATEGORIES = [SPOT, LINEAR]
RESTING = {SPOT: BUY, LINEAR: LONG}
MARKET_BUY: dict[str, Any] = {
    "category": LINEAR,
    "symbol": "BTCUSDT",
    "side": "Buy",
    "orderType": "Market",
    "qty": "0.01",
}
MARKET_SELL: dict[str, Any] = {**MARKET_BUY, "side": "Sell"}

UNIFIED = {"accountType": "UNIFIED", "coin": "USDT"}


@pytest.fixture
async def pit() -> AsyncIterator[Pit]:
    async with Pit() as pit:
        yield pit


# What an order looks like


async def test_a_resting_order_of_a_pair_has_every_key(pit: Pit) -> None:
    order_id = await pit.place(BUY, orderLinkId="mine-1")
    assert re.fullmatch("[0-9]{19}", order_id)
    assert await pit.find(order_id) == {
        "orderId": order_id,
        "orderLinkId": "mine-1",
        "parentOrderLinkId": "",
        "blockTradeId": "",
        "symbol": "BTCUSDT",
        "price": "99000.0",
        "qty": "0.010000",
        "side": "Buy",
        "isLeverage": "0",
        "positionIdx": 0,
        "orderStatus": "New",
        "cancelType": "UNKNOWN",
        "rejectReason": "EC_NoError",
        "avgPrice": "",
        "leavesQty": "0.010000",
        # 0.01 * 99000
        "leavesValue": "990",
        "cumExecQty": "0.000000",
        "cumExecValue": "0",
        "cumExecFee": "0",
        "timeInForce": "GTC",
        "orderType": "Limit",
        "stopOrderType": "",
        "orderIv": "",
        "marketUnit": "",
        "slippageToleranceType": "UNKNOWN",
        "slippageTolerance": "",
        "triggerPrice": "",
        "takeProfit": "",
        "stopLoss": "",
        "ocoTriggerBy": "",
        "tpLimitPrice": "",
        "slLimitPrice": "",
        "tpTriggerBy": "",
        "slTriggerBy": "",
        "triggerDirection": 0,
        "triggerBy": "",
        "lastPriceOnCreated": "",
        "basePrice": "100000.0",
        "reduceOnly": False,
        "closeOnTrigger": False,
        "placeType": "",
        "smpType": "None",
        "smpGroup": 0,
        "smpOrderId": "",
        "createdTime": str(NOW_MS),
        "updatedTime": str(NOW_MS),
        "extraFees": "",
        "cumFeeDetail": {},
        "rpiTakerAccess": False,
        "rpiMatchedQty": "0",
    }


async def test_a_filled_order_of_a_contract_has_every_key(pit: Pit) -> None:
    order_id = await pit.place(LONG, price="100010")
    assert UUID.fullmatch(order_id)
    found = await pit.find(order_id, LINEAR)
    assert found == {
        "orderId": order_id,
        "orderLinkId": "",
        "parentOrderLinkId": "",
        "blockTradeId": "",
        "symbol": "BTCUSDT",
        "price": "100010.00",
        "qty": "0.010",
        "side": "Buy",
        "isLeverage": "",
        "positionIdx": 0,
        "orderStatus": "Filled",
        "createType": "CreateByUser",
        "cancelType": "UNKNOWN",
        "rejectReason": "EC_NoError",
        "avgPrice": "100010",
        "leavesQty": "0.000",
        "leavesValue": "0",
        "cumExecQty": "0.010",
        "cumExecValue": "1000.1",
        # 1000.1 * 0.00055
        "cumExecFee": "0.550055",
        "timeInForce": "GTC",
        "orderType": "Limit",
        "stopOrderType": "",
        "orderIv": "",
        "marketUnit": "",
        "slippageToleranceType": "UNKNOWN",
        "slippageTolerance": "",
        "triggerPrice": "",
        "takeProfit": "",
        "stopLoss": "",
        "tpslMode": "",
        "ocoTriggerBy": "",
        "tpLimitPrice": "",
        "slLimitPrice": "",
        "tpTriggerBy": "",
        "slTriggerBy": "",
        "triggerDirection": 0,
        "triggerBy": "",
        "lastPriceOnCreated": "100000.00",
        "basePrice": "",
        "reduceOnly": False,
        "closeOnTrigger": False,
        "placeType": "",
        "smpType": "None",
        "smpGroup": 0,
        "smpOrderId": "",
        "createdTime": str(NOW_MS),
        "updatedTime": str(NOW_MS),
        "extraFees": "",
        "cumFeeDetail": {"USDT": "0.550055"},
        "rpiTakerAccess": False,
        "rpiMatchedQty": "0",
    }


async def test_orders_of_pairs_have_neither_tpsl_mode_nor_create_type(pit: Pit) -> None:
    """Clients tell pairs from contracts by that, so it holds for every state of an order."""
    resting = await pit.place(BUY)
    filled = await pit.place(BUY, price="100010")
    waiting = await pit.place(SELL, triggerPrice="98000", price="99600", orderFilter="tpslOrder")
    for one in (resting, filled, waiting):
        assert not {"tpslMode", "createType"} & set(await pit.find(one))
    assert "createType" not in (await pit.trades(orderId=filled))[0]


# Trades


async def test_a_taker_of_a_pair_pays_in_what_it_gets(pit: Pit) -> None:
    bought = await pit.place(BUY, price="100010")
    sold = await pit.place(SELL, price="99990")
    (buy,), (sell,) = await pit.trades(orderId=bought), await pit.trades(orderId=sold)
    # 0.01 * 0.001 bitcoin; 0.01 * 99990 * 0.001 dollars.
    assert (buy["execFee"], buy["feeCurrency"]) == ("0.00001", "BTC")
    assert (sell["execFee"], sell["feeCurrency"]) == ("0.9999", "USDT")
    assert (await pit.find(bought))["cumFeeDetail"] == {"BTC": "0.00001"}
    assert (await pit.find(sold))["cumFeeDetail"] == {"USDT": "0.9999"}


async def test_an_execution_has_every_key(pit: Pit) -> None:
    order_id = await pit.place(LONG, price="100010", orderLinkId="mine-2")
    (one,) = await pit.trades(LINEAR, orderId=order_id)
    assert UUID.fullmatch(one.pop("execId"))
    assert one.pop("seq") > 0
    assert Decimal(one.pop("markPrice")) > 0
    assert Decimal(one.pop("indexPrice")) > 0
    assert one == {
        "symbol": "BTCUSDT",
        "orderId": order_id,
        "orderLinkId": "mine-2",
        "side": "Buy",
        "orderPrice": "100010.00",
        "orderQty": "0.010",
        "leavesQty": "0.000",
        "createType": "CreateByUser",
        "orderType": "Limit",
        "stopOrderType": "",
        "execFee": "0.550055",
        "execFeeV2": "",
        "execPrice": "100010.00",
        "execQty": "0.010",
        "execType": "Trade",
        "execValue": "1000.1",
        "execTime": str(NOW_MS),
        "feeCurrency": "USDT",
        "isMaker": False,
        "feeRate": "0.00055",
        "tradeIv": "",
        "markIv": "",
        "underlyingPrice": "",
        "blockTradeId": "",
        "closedSize": "0.000",
        "extraFees": "",
    }


async def test_both_sides_of_a_trade_have_its_id(pit: Pit) -> None:
    resting = await pit.place(SHORT, "bob", price="100005")
    taking = await pit.place(LONG, price="100005")
    (mine,) = await pit.trades(LINEAR, orderId=taking)
    (theirs,) = await pit.trades(LINEAR, "bob", orderId=resting)
    assert mine["execId"] == theirs["execId"]
    assert (mine["isMaker"], theirs["isMaker"]) == (False, True)
    # 1000.05 * 0.0002
    assert (theirs["execFee"], theirs["feeRate"]) == ("0.20001", "0.0002")


async def test_an_order_that_trades_in_parts_tells_what_is_left(pit: Pit) -> None:
    await pit.place(SHORT, "bob", price="100001", qty="0.004")
    await pit.place(SHORT, "bob", price="100003", qty="0.004")
    order_id = await pit.place(LONG, price="100005")
    order = await pit.find(order_id, LINEAR)
    assert order["orderStatus"] == "PartiallyFilled"
    assert (order["cumExecQty"], order["leavesQty"]) == ("0.008", "0.002")
    # (100001 + 100003) / 2; 0.002 * 100005
    assert (order["avgPrice"], order["leavesValue"]) == ("100002", "200.01")
    trades = await pit.trades(LINEAR, orderId=order_id)
    assert [one["execPrice"] for one in trades] == ["100003.00", "100001.00"]
    assert [one["leavesQty"] for one in trades] == ["0.002", "0.006"]


async def test_an_inverse_order_is_counted_in_dollars(pit: Pit) -> None:
    order_id = await pit.place(LONG, category=INVERSE, symbol="BTCUSD", qty="1000", price="100010")
    order = await pit.find(order_id, INVERSE)
    assert (order["orderStatus"], order["cumExecQty"]) == ("Filled", "1000")
    # 1000 / 100010 = 0.009999000099..., of which a coin has eight places; a fee of 0.00055 of it.
    assert order["cumExecValue"] == "0.009999"
    assert order["avgPrice"] == "100010"
    ((coin, fee),) = order["cumFeeDetail"].items()
    assert coin == "BTC"
    assert Decimal("0.00000549") <= Decimal(fee) <= Decimal("0.00000550")


# At market


async def test_a_market_buy_of_a_pair_spends_its_quantity(pit: Pit) -> None:
    order_id = await pit.place(MARKET_BUY, category=SPOT, qty="1000.1")
    order = await pit.find(order_id)
    assert (order["orderStatus"], order["qty"], order["marketUnit"]) == ("Filled", "1000.1", "quoteCoin")
    # 1000.1 / 100010
    assert (order["cumExecQty"], order["cumExecValue"]) == ("0.010000", "1000.1")
    assert (order["timeInForce"], order["orderType"]) == ("IOC", "Market")
    assert (order["rejectReason"], order["leavesValue"]) == ("EC_NoError", "0")


@pytest.mark.parametrize("side", ["Buy", "Sell"])
async def test_an_order_by_value_leaves_what_is_too_little(pit: Pit, side: str) -> None:
    """As recorded: 10 USDT at 32635 bought 0.000306 BTC for 9.98631, and the order was told of as
    PartiallyFilledCanceled with EC_CancelForNoFullFill, leavesQty 0 and leavesValue 0.01369.

    Here 10 USDT buy 0.000099 BTC at 100010, for 9.90099, and as many are sold at 99990, for 9.99900.
    """
    order_id = await pit.place(MARKET_BUY, category=SPOT, side=side, qty="10", marketUnit="quoteCoin")
    order = await pit.find(order_id)
    bought = side == "Buy"
    assert order["cumExecQty"] == ("0.000099" if bought else "0.000100")
    assert Decimal(order["cumExecValue"]) == Decimal("9.90099" if bought else "9.999")
    assert (order["orderStatus"], order["cancelType"]) == ("PartiallyFilledCanceled", "UNKNOWN")
    assert order["rejectReason"] == "EC_CancelForNoFullFill"
    left = Decimal("0.09901" if bought else "0.001")
    assert (Decimal(order["leavesQty"]), Decimal(order["leavesValue"])) == (Decimal(0), left)
    values = {"category": SPOT, "orderStatus": "PartiallyFilledCanceled"}
    (listed,) = (await pit.get("/v5/order/history", values))["list"]
    assert listed["orderId"] == order_id


@pytest.mark.parametrize(
    ("side", "unit", "quantity", "price"),
    [
        ("Buy", "baseCoin", "0.01", "100010"),
        ("Sell", "baseCoin", "0.01", "99990"),
        ("Sell", "quoteCoin", "999.9", "99990"),
        ("Sell", None, "0.01", "99990"),
    ],
)
async def test_the_unit_of_a_market_order_can_be_said(
    pit: Pit, side: str, unit: str | None, quantity: str, price: str
) -> None:
    values = {**MARKET_BUY, "category": SPOT, "side": side, "qty": quantity}
    if unit is not None:
        values["marketUnit"] = unit
    order = await pit.find(await pit.place(values))
    assert (order["cumExecQty"], Decimal(order["avgPrice"])) == ("0.010000", Decimal(price))
    assert order["marketUnit"] == (unit or "baseCoin")


async def test_the_price_of_a_market_order_is_not_looked_at(pit: Pit) -> None:
    order_id = await pit.place(MARKET_BUY, price="1", timeInForce="GTC")
    order = await pit.find(order_id, LINEAR)
    assert (order["orderStatus"], order["timeInForce"]) == ("Filled", "IOC")
    assert order["avgPrice"] == "100010"


# What the book decides


@pytest.mark.parametrize("category", CATEGORIES)
@pytest.mark.parametrize(
    ("tif", "price", "quantity", "reason"),
    [
        # enum.mdx: your post only order would have executed as a taker
        ("PostOnly", "100010", "0.01", "EC_PostOnlyWillTakeLiquidity"),
        # enum.mdx: a maker could not be found to fill your order
        ("IOC", "99000", "0.01", "EC_NoImmediateQtyToFill"),
        # FOK that finds too little: runs against the exchange
        ("FOK", "100010", "6", "EC_NoEnoughQtyToFill"),
    ],
)
async def test_what_the_book_forbids_is_accepted_and_canceled(
    pit: Pit, category: str, tif: str, price: str, quantity: str, reason: str
) -> None:
    order_id = await pit.place(RESTING[category], timeInForce=tif, price=price, qty=quantity)
    order = await pit.find(order_id, category)
    assert (order["orderStatus"], order["rejectReason"]) == ("Cancelled", reason)
    assert (order["timeInForce"], Decimal(order["leavesQty"])) == (tif, Decimal(0))
    assert await pit.trades(category, orderId=order_id) == []


@pytest.mark.parametrize(("category", "status"), [(SPOT, "PartiallyFilledCanceled"), (LINEAR, "Cancelled")])
async def test_what_traded_before_it_was_canceled_says_so_of_pairs_only(
    pit: Pit, category: str, status: str
) -> None:
    """There are 5 BTC at 100010, and nothing beyond."""
    order_id = await pit.place(RESTING[category], timeInForce="IOC", price="100010", qty="6")
    order = await pit.find(order_id, category)
    assert (order["orderStatus"], Decimal(order["cumExecQty"])) == (status, Decimal(5))
    # As recorded of market orders; of one that found nobody it is EC_NoImmediateQtyToFill.
    assert (order["cancelType"], order["rejectReason"]) == ("UNKNOWN", "EC_CancelForNoFullFill")
    assert (Decimal(order["leavesQty"]), order["leavesValue"]) == (Decimal(0), "0")


@pytest.mark.parametrize(("category", "status"), [(SPOT, "PartiallyFilledCanceled"), (LINEAR, "Cancelled")])
async def test_what_a_market_order_does_not_find_is_canceled(pit: Pit, category: str, status: str) -> None:
    """There are 5 BTC at 100010, and nothing beyond."""
    order_id = await pit.place(MARKET_BUY, category=category, qty="6", marketUnit="baseCoin")
    order = await pit.find(order_id, category)
    assert (order["orderStatus"], Decimal(order["cumExecQty"])) == (status, Decimal(5))
    assert order["rejectReason"] == "EC_CancelForNoFullFill"


@pytest.mark.parametrize("unit", ["quoteCoin", "baseCoin"])
async def test_a_market_order_that_finds_nobody_is_accepted_and_canceled(pit: Pit, unit: str) -> None:
    """Of what is on the other side a market order hears afterwards, by value as by quantity."""
    await pit.book("spot:BTCUSDT", [("99990", "5")], [])
    quantity = "1000" if unit == "quoteCoin" else "0.01"
    order = await pit.find(await pit.place(MARKET_BUY, category=SPOT, marketUnit=unit, qty=quantity))
    assert (order["orderStatus"], order["rejectReason"]) == ("Cancelled", "EC_NoImmediateQtyToFill")
    assert (Decimal(order["qty"]), Decimal(order["cumExecQty"])) == (Decimal(quantity), Decimal(0))
    assert (
        Decimal((await pit.get("/v5/account/wallet-balance", UNIFIED))["list"][0]["coin"][0]["locked"]) == 0
    )


async def test_a_post_only_order_that_does_not_trade_rests(pit: Pit) -> None:
    order = await pit.find(await pit.place(BUY, timeInForce="PostOnly"))
    assert (order["orderStatus"], order["timeInForce"]) == ("New", "PostOnly")


# Owners who meet themselves


@pytest.mark.parametrize("category", CATEGORIES)
@pytest.mark.parametrize(
    ("mode", "maker", "taker"),
    [
        ("CancelMaker", ("Cancelled", "CancelBySmp"), ("New", "UNKNOWN")),
        ("CancelTaker", ("New", "UNKNOWN"), ("Cancelled", "CancelBySmp")),
        ("CancelBoth", ("Cancelled", "CancelBySmp"), ("Cancelled", "CancelBySmp")),
        ("None", ("Filled", "UNKNOWN"), ("Filled", "UNKNOWN")),
    ],
)
async def test_the_later_order_says_what_happens_when_an_owner_meets_himself(
    pit: Pit, category: str, mode: str, maker: tuple[str, str], taker: tuple[str, str]
) -> None:
    """smp.mdx: the system always follows the tag on the latter order."""
    values = RESTING[category]
    resting = await pit.place(values, side="Sell", price="100005", smpType="CancelBoth")
    taking = await pit.place(values, price="100005", smpType=mode)
    first, second = await pit.find(resting, category), await pit.find(taking, category)
    assert (first["orderStatus"], first["cancelType"]) == maker
    assert (second["orderStatus"], second["cancelType"]) == taker
    assert second["smpType"] == mode
    for one, other in ((first, taking), (second, resting)):
        assert one["smpOrderId"] == (other if one["cancelType"] == "CancelBySmp" else "")


# Names


@pytest.mark.parametrize(("category", "code"), [(SPOT, 170141), (LINEAR, 110072)])
async def test_a_name_is_given_once(pit: Pit, category: str, code: int) -> None:
    values = {**RESTING[category], "orderLinkId": "once"}
    order_id = await pit.place(values)
    assert (await pit.refused(values))[0] == code
    await pit.post("/v5/order/cancel", {"category": category, "symbol": "BTCUSDT", "orderId": order_id})
    # create-order.mdx: always unique, so also when the order is over, and of another symbol.
    assert (await pit.refused(values, symbol="ETHUSDT", price="1000"))[0] == code


@pytest.mark.parametrize("category", CATEGORIES)
@pytest.mark.parametrize("name", ["a" * 37, "with space", "ümlaut", "dot.ted"])
async def test_a_name_has_letters_digits_dashes_and_underscores(pit: Pit, category: str, name: str) -> None:
    code, text = await pit.refused(RESTING[category], orderLinkId=name)
    assert code == (170130 if category == SPOT else 10001)
    assert "orderLinkId" in text


async def test_the_longest_name(pit: Pit) -> None:
    name = "Az09_-" * 6
    order_id = await pit.place(BUY, orderLinkId=name)
    assert (await pit.open(orderLinkId=name))[0]["orderId"] == order_id


# Canceling


@pytest.mark.parametrize("category", CATEGORIES)
@pytest.mark.parametrize("by", ["orderId", "orderLinkId"])
async def test_an_order_is_canceled_by_either_name(pit: Pit, category: str, by: str) -> None:
    order_id = await pit.place(RESTING[category], orderLinkId="mine")
    named = {"orderId": order_id} if by == "orderId" else {"orderLinkId": "mine"}
    ids = await pit.post("/v5/order/cancel", {"category": category, "symbol": "BTCUSDT", **named})
    assert ids == {"orderId": order_id, "orderLinkId": "mine"}
    order = await pit.find(order_id, category)
    assert (order["orderStatus"], order["cancelType"]) == ("Cancelled", "CancelByUser")
    assert (order["rejectReason"], Decimal(order["leavesQty"])) == ("EC_PerCancelRequest", Decimal(0))
    assert await pit.open(category) == []


@pytest.mark.parametrize(("category", "code"), [(SPOT, 170213), (LINEAR, 110001)])
async def test_what_is_not_open_cannot_be_canceled(pit: Pit, category: str, code: int) -> None:
    order_id = await pit.place(RESTING[category])
    named = {"category": category, "symbol": "BTCUSDT", "orderId": order_id}
    assert (await pit.no("POST", "/v5/order/cancel", {**named, "symbol": "ETHUSDT"}))[0] == code
    assert (await pit.no("POST", "/v5/order/cancel", named, "bob"))[0] == code
    await pit.post("/v5/order/cancel", named)
    assert (await pit.no("POST", "/v5/order/cancel", named))[0] == code
    assert (await pit.no("POST", "/v5/order/cancel", {**named, "orderId": "7"}))[0] == code


async def test_an_id_counts_before_a_name(pit: Pit) -> None:
    # cancel-order.mdx: if orderId and orderLinkId do not match, the system will process orderId first.
    first, second = await pit.place(BUY, orderLinkId="one"), await pit.place(BUY, orderLinkId="two")
    named = {"category": SPOT, "symbol": "BTCUSDT", "orderId": first, "orderLinkId": "two"}
    assert (await pit.post("/v5/order/cancel", named))["orderId"] == first
    assert [one["orderId"] for one in await pit.open()] == [second]


async def test_one_name_is_needed(pit: Pit) -> None:
    named = {"category": LINEAR, "symbol": "BTCUSDT", "orderLinkId": None, "orderId": ""}
    for path in ("cancel", "amend"):
        code, _ = await pit.no("POST", f"/v5/order/{path}", {**named, "qty": "1"})
        assert code == 10001


@pytest.mark.parametrize("named", [{"symbol": "BTCUSDT"}, {"baseCoin": "BTC"}, {"settleCoin": "USDT"}])
async def test_all_orders_of_a_symbol_or_a_coin_are_canceled(pit: Pit, named: dict[str, str]) -> None:
    ids = [await pit.place(LONG), await pit.place(SHORT)]
    pair = await pit.place(BUY)
    answer = await pit.post("/v5/order/cancel-all", {"category": LINEAR, **named})
    assert sorted(one["orderId"] for one in answer["list"]) == sorted(ids)
    assert answer["success"] == "1"
    assert await pit.open(LINEAR) == []
    assert [one["orderId"] for one in await pit.open()] == [pair]


async def test_that_there_is_none_to_cancel_is_a_success(pit: Pit) -> None:
    for values in ({"category": LINEAR, "settleCoin": "USDT"}, {"category": SPOT}):
        answer = await pit.post("/v5/order/cancel-all", values)
        assert answer == {"list": [], "success": "1"}


async def test_of_contracts_one_has_to_say_which_are_canceled(pit: Pit) -> None:
    # cancel-all.mdx: for "linear" and "inverse", you must specify one of those three params.
    for category in (LINEAR, INVERSE):
        assert (await pit.no("POST", "/v5/order/cancel-all", {"category": category}))[0] == 10001


# Amending


@pytest.mark.parametrize("category", CATEGORIES)
async def test_an_order_gets_another_price_and_quantity(pit: Pit, category: str) -> None:
    order_id = await pit.place(RESTING[category], orderLinkId="mine")
    named = {"category": category, "symbol": "BTCUSDT", "orderId": order_id}
    ids = await pit.post("/v5/order/amend", {**named, "price": "98000", "qty": "0.02"})
    assert ids == {"orderId": order_id, "orderLinkId": "mine"}
    order = await pit.find(order_id, category)
    assert (Decimal(order["price"]), Decimal(order["qty"])) == (Decimal(98000), Decimal("0.02"))
    assert order["orderStatus"] == "New"


@pytest.mark.parametrize("category", CATEGORIES)
async def test_an_amended_order_may_trade_at_once(pit: Pit, category: str) -> None:
    order_id = await pit.place(RESTING[category])
    named = {"category": category, "symbol": "BTCUSDT", "orderId": order_id}
    await pit.post("/v5/order/amend", {**named, "price": "100010"})
    order = await pit.find(order_id, category)
    assert (order["orderStatus"], Decimal(order["avgPrice"])) == ("Filled", Decimal(100010))


@pytest.mark.parametrize(("category", "code"), [(SPOT, 170313), (LINEAR, 110064)])
async def test_a_quantity_below_what_was_traded_is_refused(pit: Pit, category: str, code: int) -> None:
    values = RESTING[category]
    await pit.place(values, "bob", side="Sell", price="100005", qty="0.004")
    order_id = await pit.place(values, price="100005")
    named = {"category": category, "symbol": "BTCUSDT", "orderId": order_id}
    assert (await pit.no("POST", "/v5/order/amend", {**named, "qty": "0.003"}))[0] == code
    # All that it is to trade, what it has traded included.
    await pit.post("/v5/order/amend", {**named, "qty": "0.006"})
    order = await pit.find(order_id, category)
    assert (Decimal(order["leavesQty"]), order["orderStatus"]) == (Decimal("0.002"), "PartiallyFilled")


@pytest.mark.parametrize("category", CATEGORIES)
@pytest.mark.parametrize("changes", [{}, {"price": "99000"}, {"qty": "0.01"}])
async def test_an_amendment_has_to_change_something(pit: Pit, category: str, changes: dict[str, str]) -> None:
    order_id = await pit.place(RESTING[category])
    named = {"category": category, "symbol": "BTCUSDT", "orderId": order_id}
    assert (await pit.no("POST", "/v5/order/amend", {**named, **changes}))[0] == 10001


@pytest.mark.parametrize(("category", "code"), [(SPOT, 170213), (LINEAR, 110001)])
async def test_what_is_not_open_cannot_be_amended(pit: Pit, category: str, code: int) -> None:
    order_id = await pit.place(RESTING[category], price="100010")
    named = {"category": category, "symbol": "BTCUSDT", "orderId": order_id}
    assert (await pit.no("POST", "/v5/order/amend", {**named, "price": "98000"}))[0] == code
