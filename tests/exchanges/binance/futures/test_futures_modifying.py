"""Orders that rest are given another price and quantity.

Source: Modify Order, Modify Multiple Orders and Get Order Modify History of both products.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from emulator.core.instruments import Side
from emulator.exchanges.binance.eras import Eras
from emulator.exchanges.binance.futures.products import COINM, USDM, Product
from tests.exchanges.binance.bank import NOW_US
from tests.exchanges.binance.futures.arena import (
    BTC,
    COIN_BUY,
    LIMIT_BUY,
    LIMIT_SELL,
    MARKET_BUY,
    STOP,
    Arena,
)

pytestmark = pytest.mark.anyio

NOW_MS = NOW_US // 1000

CHANGE: dict[str, Any] = {"symbol": "BTCUSDT", "side": "BUY", "quantity": "0.02", "price": "98000"}


@pytest.fixture
async def arena() -> AsyncIterator[Arena]:
    async with Arena() as arena:
        yield arena


async def change(arena: Arena, order_id: int, product: Product = USDM, **values: Any) -> Any:
    return await arena.ok("PUT", "order", product, **{**CHANGE, **values, "orderId": order_id})


async def refused(arena: Arena, order_id: int, product: Product = USDM, **values: Any) -> tuple[int, str]:
    return await arena.no("PUT", "order", product, **{**CHANGE, **values, "orderId": order_id})


@pytest.mark.parametrize(
    ("product", "placed", "changed"),
    [
        (USDM, LIMIT_BUY, {}),
        (COINM, COIN_BUY, {"symbol": "BTCUSD_PERP", "quantity": "20", "price": "48000"}),
    ],
    ids=str,
)
async def test_an_order_gets_another_price_and_quantity(
    arena: Arena, product: Product, placed: dict[str, Any], changed: dict[str, Any]
) -> None:
    before = await arena.place_order(placed, product)
    after = await change(arena, before["orderId"], product, **changed, modifyId=77)
    said = {**CHANGE, **changed}
    expected = {
        **before,
        "price": "98000.00" if product is USDM else "48000.0",
        "origQty": "0.020" if product is USDM else "20",
        "pair": said["symbol"].removesuffix("_PERP"),
        "modifyId": 77,
    }
    assert after == expected
    found = await arena.find_order(before["orderId"], product, said["symbol"])
    assert (found["price"], found["origQty"], found["status"]) == (
        expected["price"],
        expected["origQty"],
        "NEW",
    )


async def test_it_may_trade_at_once(arena: Arena) -> None:
    order_id = (await arena.place_order(LIMIT_BUY))["orderId"]
    assert (await change(arena, order_id, price="100010"))["status"] == "FILLED"


async def test_one_that_may_only_rest_is_canceled_where_it_would_trade(arena: Arena) -> None:
    order_id = (await arena.place_order(LIMIT_BUY, timeInForce="GTX"))["orderId"]
    assert (await change(arena, order_id, price="100010"))["status"] == "CANCELED"


async def test_a_quantity_that_was_traded_already_cancels(arena: Arena) -> None:
    await arena.place(BTC, Side.BUY, "0.02", "100000")
    await arena.place(BTC, Side.SELL, "0.01", "100000", "bob")
    (order,) = await arena.ok("GET", "openOrders")
    assert order["status"] == "PARTIALLY_FILLED"
    changed = await change(arena, order["orderId"], quantity="0.01", price="100000")
    assert (changed["status"], changed["executedQty"]) == ("CANCELED", "0.010")


async def test_a_price_from_the_book(arena: Arena) -> None:
    order_id = (await arena.place_order(LIMIT_BUY))["orderId"]
    matched = {name: value for name, value in CHANGE.items() if name != "price"}
    changed = await arena.ok("PUT", "order", **matched, orderId=order_id, priceMatch="QUEUE")
    assert changed["price"] == "99990.00"


async def test_what_was_made_of_it_before(arena: Arena) -> None:
    order_id = (await arena.place_order(LIMIT_BUY, newClientOrderId="mine"))["orderId"]
    await change(arena, order_id, modifyId=5)
    await arena.step(1_000_000)
    await change(arena, order_id, quantity="0.03")
    first, second = await arena.ok("GET", "orderAmendment", symbol="BTCUSDT", origClientOrderId="mine")
    assert first == {
        "amendmentId": first["amendmentId"],
        "symbol": "BTCUSDT",
        "pair": "BTCUSDT",
        "orderId": order_id,
        "clientOrderId": "mine",
        "time": NOW_MS,
        "amendment": {
            "price": {"before": "99000.00", "after": "98000.00"},
            "origQty": {"before": "0.010", "after": "0.020"},
            "count": 1,
            "modifyId": 5,
        },
    }
    assert second["amendmentId"] > first["amendmentId"]
    assert second["time"] == NOW_MS + 1000
    assert second["amendment"] == {
        "price": {"before": "98000.00", "after": "98000.00"},
        "origQty": {"before": "0.020", "after": "0.030"},
        "count": 2,
    }
    (last,) = await arena.ok("GET", "orderAmendment", symbol="BTCUSDT", orderId=order_id, limit=1)
    assert last == second


async def test_several_are_modified_and_what_becomes_of_each_stands_in_its_place(arena: Arena) -> None:
    ids = [(await arena.place_order(LIMIT_BUY))["orderId"] for _ in range(2)]
    wanted = [{**CHANGE, "orderId": one} for one in (ids[0], 999, ids[1])]
    del wanted[2]["quantity"]
    done = await arena.ok("PUT", "batchOrders", batchOrders=json.dumps(wanted))
    assert [one.get("price") or one["code"] for one in done] == ["98000.00", -2013, -1102]


# What speaks against it


async def test_both_price_and_quantity_are_mandatory(arena: Arena) -> None:
    for product, placed in ((USDM, LIMIT_BUY), (COINM, COIN_BUY)):
        order_id = (await arena.place_order(placed, product))["orderId"]
        for name in ("price", "quantity"):
            values = {key: value for key, value in placed.items() if key != name}
            code, text = await arena.no("PUT", "order", product, **values, orderId=order_id)
            assert (code, name in text) == (-1102, True)


async def test_an_order_that_is_not_open(arena: Arena) -> None:
    assert await refused(arena, 999) == (-2013, "Order does not exist.")
    algo_id = (await arena.ok("POST", "algoOrder", **STOP))["algoId"]
    assert (await refused(arena, algo_id - 10**15))[0] == -2013


async def test_an_order_that_is_as_it_shall_be(arena: Arena) -> None:
    order_id = (await arena.place_order(LIMIT_BUY))["orderId"]
    same = await refused(arena, order_id, quantity="0.01", price="99000")
    assert same == (-5027, "No need to modify the order.")
    coin_id = (await arena.place_order(COIN_BUY, COINM))["orderId"]
    coin = {"symbol": "BTCUSD_PERP", "quantity": "10", "price": "49000"}
    assert await refused(arena, coin_id, COINM, **coin) == (-4197, "No need to modify the order.")


async def test_an_order_that_only_shall_reduce(arena: Arena) -> None:
    order_id = (await arena.place_order(LIMIT_BUY))["orderId"]
    assert await refused(arena, order_id, reduceOnly="true") == (
        -5047,
        "The original order is not a reduce-only order",
    )
    await arena.place_order(MARKET_BUY)
    reducing = (await arena.place_order(LIMIT_SELL, reduceOnly="true"))["orderId"]
    changed = await change(arena, reducing, side="SELL", price="102000", quantity="0.01", reduceOnly="true")
    assert (changed["price"], changed["reduceOnly"]) == ("102000.00", True)


async def test_only_orders_that_rest() -> None:
    async with Arena(Eras(usdm_stop_orders="accept")) as arena:
        stop = {**MARKET_BUY, "type": "STOP", "timeInForce": "GTC", "price": "101000", "stopPrice": "101000"}
        order_id = (await arena.place_order(stop))["orderId"]
        assert await refused(arena, order_id) == (-5025, "Only limit order is supported.")
        coin = {**COIN_BUY, "type": "STOP", "stopPrice": "51000", "price": "50500"}
        coin_id = (await arena.place_order(coin, COINM))["orderId"]
        values = {"symbol": "BTCUSD_PERP", "quantity": "20", "price": "50500"}
        assert await refused(arena, coin_id, COINM, **values) == (-4196, "Only limit order is supported.")


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"quantity": "0.0005"}, -1111),
        ({"price": "98000.05"}, -4014),
        ({"price": "105000.1"}, -4016),
        ({"quantity": "0.001", "price": "49000"}, -5029),
        ({"quantity": "30"}, -2019),
        ({"side": "SELL"}, -1117),
    ],
    ids=str,
)
async def test_the_rules_of_placing_hold(arena: Arena, values: dict[str, Any], code: int) -> None:
    order_id = (await arena.place_order(LIMIT_BUY))["orderId"]
    assert (await refused(arena, order_id, **values))[0] == code
    assert (await arena.find_order(order_id))["price"] == "99000.00"
