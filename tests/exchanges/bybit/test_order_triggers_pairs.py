"""Pairs' orders that wait for a price: with their funds frozen or without, and as stops of another one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest

from emulator.exchanges.bybit.running import UNIFIED
from tests.exchanges.bybit.pit import BUY, SELL, SPOT, Pit

pytestmark = pytest.mark.anyio

BTC = "spot:BTCUSDT"
TPSL: dict[str, Any] = {**SELL, "price": "99600", "triggerPrice": "99700", "orderFilter": "tpslOrder"}
STOP: dict[str, Any] = {**TPSL, "orderFilter": "StopOrder"}
MARKET: dict[str, Any] = {"orderType": "Market", "price": None}


@pytest.fixture
async def pit() -> AsyncIterator[Pit]:
    async with Pit() as pit:
        yield pit


async def quote(pit: Pit, bid: str, ask: str) -> None:
    await pit.book(BTC, [(bid, "5")], [(ask, "5")])


def held(pit: Pit, coin: str) -> Decimal:
    found = pit.sandbox.engines["bybit"].state.ledger.wallets[pit.sandbox.accounts["alice"], UNIFIED][coin]
    return found.held


async def test_what_waits_as_a_stop_has_its_funds_frozen_and_its_id_kept(pit: Pit) -> None:
    # create-order.mdx: tpslOrder: the assets are occupied even before the order is triggered
    order_id = await pit.place(TPSL)
    order = await pit.find(order_id)
    assert (order["orderStatus"], order["stopOrderType"]) == ("Untriggered", "tpslOrder")
    assert (order["triggerPrice"], order["triggerDirection"], order["triggerBy"]) == ("99700.0", 0, "")
    assert held(pit, "BTC") == Decimal("0.01")
    await quote(pit, "99690", "99695")
    order = await pit.find(order_id)
    assert (order["orderStatus"], order["avgPrice"]) == ("Filled", "99690")
    assert held(pit, "BTC") == 0


async def test_a_conditional_order_freezes_nothing_and_another_one_comes_in_its_place(pit: Pit) -> None:
    # create-order.mdx: StopOrder: the assets will not be occupied until ... the trigger price
    order_id = await pit.place(STOP, orderLinkId="later")
    order = await pit.find(order_id)
    assert (order["orderStatus"], order["stopOrderType"]) == ("Untriggered", "Stop")
    assert held(pit, "BTC") == 0
    await quote(pit, "99690", "99695")
    assert (await pit.find(order_id))["orderStatus"] == "Triggered"
    (order,) = (await pit.get("/v5/order/history", {"category": SPOT, "orderStatus": "Filled"}))["list"]
    assert order["orderId"] != order_id
    assert (order["orderLinkId"], order["avgPrice"]) == ("later", "99690")
    # The newest one of a name is the one that is found by it.
    named = {"category": SPOT, "orderLinkId": "later"}
    (found,) = (await pit.get("/v5/order/realtime", named))["list"]
    assert found["orderId"] == order["orderId"]


async def test_the_last_price_tells_on_which_side_a_trigger_is(pit: Pit) -> None:
    above = await pit.place(TPSL, triggerPrice="100400", price="100500")
    below = await pit.place(TPSL)
    await quote(pit, "100400", "100410")
    assert (await pit.find(above))["orderStatus"] == "New"
    assert (await pit.find(below))["orderStatus"] == "Untriggered"


async def test_a_trigger_price_makes_a_conditional_order(pit: Pit) -> None:
    # create-order.mdx: if triggerPrice is set, the order will be automatically converted
    order_id = await pit.place({**TPSL, "orderFilter": ""})
    assert (await pit.find(order_id))["stopOrderType"] == "Stop"


@pytest.mark.parametrize("word", ["tpslOrder", "StopOrder"])
async def test_a_market_buy_that_waits_spends_its_quantity(pit: Pit, word: str) -> None:
    values = {
        "category": SPOT,
        "symbol": "BTCUSDT",
        "side": "Buy",
        "orderType": "Market",
        "qty": "1004.1",
        "triggerPrice": "100400",
        "orderFilter": word,
    }
    order_id = await pit.place(values)
    assert held(pit, "USDT") == (Decimal("1004.1") if word == "tpslOrder" else 0)
    assert (await pit.find(order_id))["qty"] == "1004.1"
    await quote(pit, "100400", "100410")
    (order,) = (await pit.get("/v5/order/history", {"category": SPOT, "orderStatus": "Filled"}))["list"]
    # 1004.1 / 100410
    assert (order["cumExecQty"], order["cumExecValue"]) == ("0.010000", "1004.1")


async def test_filters_tell_the_sorts_apart(pit: Pit) -> None:
    ids = {
        "Order": await pit.place(BUY),
        "tpslOrder": await pit.place(TPSL),
        "StopOrder": await pit.place(STOP),
    }
    for word, order_id in ids.items():
        assert [one["orderId"] for one in await pit.open(orderFilter=word)] == [order_id]
    assert len(await pit.open()) == 3
    # cancel-order.mdx, orderFilter: If not passed, `Order` by default
    named = {"category": SPOT, "symbol": "BTCUSDT", "orderId": ids["tpslOrder"]}
    assert (await pit.no("POST", "/v5/order/cancel", named))[0] == 170213
    assert (await pit.no("POST", "/v5/order/cancel", {**named, "orderFilter": "StopOrder"}))[0] == 170213
    await pit.post("/v5/order/cancel", {**named, "orderFilter": "tpslOrder"})
    order = await pit.find(ids["tpslOrder"])
    assert (order["orderStatus"], order["cancelType"]) == ("Deactivated", "CancelByUser")
    # cancel-all.mdx: you can cancel all spot open orders (normal order by default)
    answer = await pit.post("/v5/order/cancel-all", {"category": SPOT})
    assert [one["orderId"] for one in answer["list"]] == [ids["Order"]]
    answer = await pit.post("/v5/order/cancel-all", {"category": SPOT, "orderFilter": "tpslOrder"})
    assert answer["list"] == []
    answer = await pit.post("/v5/order/cancel-all", {"category": SPOT, "orderFilter": "StopOrder"})
    assert [one["orderId"] for one in answer["list"]] == [ids["StopOrder"]]


async def test_a_waiting_order_gets_another_trigger(pit: Pit) -> None:
    order_id = await pit.place(TPSL)
    named = {"category": SPOT, "symbol": "BTCUSDT", "orderId": order_id}
    await pit.post("/v5/order/amend", {**named, "triggerPrice": "99650", "qty": "0.02"})
    order = await pit.find(order_id)
    assert (order["triggerPrice"], order["qty"]) == ("99650.0", "0.020000")
    assert held(pit, "BTC") == Decimal("0.02")


# Stops that an order brings along


async def test_the_stops_of_a_bought_coin_end_each_other(pit: Pit) -> None:
    # create-order.mdx: Spot Limit order supports take profit, stop loss ... when creating an order
    order_id = await pit.place(BUY, price="100010", takeProfit="100400", stopLoss="99600")
    order = await pit.find(order_id)
    assert (order["takeProfit"], order["stopLoss"], order["orderStatus"]) == ("100400.0", "99600.0", "Filled")
    waiting = await pit.open(orderFilter="OcoOrder")
    assert {one["triggerPrice"] for one in waiting} == {"100400.0", "99600.0"}
    assert {(one["side"], one["orderType"], one["stopOrderType"]) for one in waiting} == {
        ("Sell", "Market", "OcoOrder")
    }
    await quote(pit, "100400", "100410")
    assert await pit.open() == []
    told = {one["triggerPrice"]: await pit.find(one["orderId"]) for one in waiting}
    assert told["100400.0"]["orderStatus"] == "Filled"
    assert told["99600.0"]["cancelType"] == "CancelByOCOSlCanceledByTpTriggered"
    assert told["99600.0"]["orderStatus"] == "Deactivated"


async def test_stops_with_limits(pit: Pit) -> None:
    # The example of create-order.mdx: "Spot Limit order with limit tp sl".
    order_id = await pit.place(
        BUY,
        price="100010",
        takeProfit="100400",
        stopLoss="99600",
        tpLimitPrice="100390",
        slLimitPrice="99590",
        tpOrderType="Limit",
        slOrderType="Limit",
    )
    order = await pit.find(order_id)
    assert (order["tpLimitPrice"], order["slLimitPrice"]) == ("100390.0", "99590.0")
    waiting = await pit.open(orderFilter="OcoOrder")
    assert {(one["orderType"], one["price"]) for one in waiting} == {
        ("Limit", "100390.0"),
        ("Limit", "99590.0"),
    }


# Borrowing


async def test_who_has_not_switched_it_on_cannot_borrow(pit: Pit) -> None:
    # error.mdx, 170036: You haven't enabled Cross Margin Trading yet.
    assert (await pit.refused(BUY, isLeverage=1))[0] == 170036
    order = await pit.find(await pit.place(BUY, isLeverage=0))
    assert order["isLeverage"] == "0"


@pytest.mark.parametrize("word", ["tpslOrder", "StopOrder"])
async def test_the_limit_of_what_waits_is_measured_by_its_trigger(pit: Pit, word: str) -> None:
    """Five per cent below the market, where a plain order could be half a per cent away at most."""
    assert (await pit.refused(SELL, price="95000"))[0] == 170371
    far = {**SELL, "price": "94900", "triggerPrice": "95000", "orderFilter": word}
    assert (await pit.find(await pit.place(far)))["orderStatus"] == "Untriggered"
    assert (await pit.refused(far, price="94000"))[0] == 170371
    await quote(pit, "94950", "94960")
    filled = (await pit.get("/v5/order/history", {"category": SPOT, "orderStatus": "Filled"}))["list"]
    assert [(one["price"], one["avgPrice"]) for one in filled] == [("94900.0", "94950")]


async def test_a_pair_has_thirty_orders_of_each_sort_that_waits(pit: Pit) -> None:
    """Thirty with their funds frozen, and thirty without (Place Order, "Open order limit")."""
    for word in ("tpslOrder", "StopOrder"):
        stop = {**BUY, "price": "101000", "qty": "0.001", "triggerPrice": "101000", "orderFilter": word}
        for _ in range(30):
            await pit.place(stop)
        assert (await pit.refused(stop))[0] == 170810
    assert len(await pit.open(orderFilter="tpslOrder", limit=50)) == 30
    assert len(await pit.open(orderFilter="StopOrder", limit=50)) == 30
