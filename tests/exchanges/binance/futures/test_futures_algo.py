"""Conditional orders that stand apart until their trigger, and the orders that come of them.

Sources: New Algo Order, Query Algo Order, Current All Algo Open Orders and their neighbours, and answers of
live hosts to them (ids, `isActivated` of COIN-M).
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from emulator.exchanges.binance.futures.products import COINM, USDM, Product
from tests.exchanges.binance.bank import NOW_US
from tests.exchanges.binance.futures.arena import BTC, DAY_US, MARKET_BUY, STOP, Arena

pytestmark = pytest.mark.anyio

NOW_MS = NOW_US // 1000

COIN_STOP: dict[str, Any] = {
    **STOP,
    "symbol": "BTCUSD_PERP",
    "quantity": "10",
    "triggerPrice": "49000",
}
TRAILING: dict[str, Any] = {
    "algoType": "CONDITIONAL",
    "symbol": "BTCUSDT",
    "side": "SELL",
    "type": "TRAILING_STOP_MARKET",
    "quantity": "0.01",
    "callbackRate": "1",
}

PLACED = (
    "algoId clientAlgoId algoType orderType symbol side positionSide timeInForce quantity algoStatus "
    "triggerPrice price icebergQuantity selfTradePreventionMode workingType priceMatch closePosition "
    "priceProtect reduceOnly createTime updateTime triggerTime goodTillDate"
).split()
CAME_OF_IT = "actualOrderId actualPrice actualQty actualType tpOrderType".split()
LISTED = "tpTriggerPrice tpPrice slTriggerPrice slPrice".split()
TRAIL = ["activatePrice", "callbackRate"]


@pytest.fixture
async def arena() -> AsyncIterator[Arena]:
    async with Arena() as arena:
        yield arena


async def place(arena: Arena, values: dict[str, Any] = STOP, product: Product = USDM, **more: Any) -> Any:
    return await arena.ok("POST", "algoOrder", product, **{**values, **more})


async def found(arena: Arena, algo_id: int, product: Product = USDM) -> Any:
    return await arena.ok("GET", "algoOrder", product, algoId=algo_id)


# What is answered


async def test_a_placement_is_answered_as_the_documents_show_it(arena: Arena) -> None:
    placed = await place(arena, clientAlgoId="mine", workingType="MARK_PRICE")
    assert placed == {
        "algoId": placed["algoId"],
        "clientAlgoId": "mine",
        "algoType": "CONDITIONAL",
        "orderType": "STOP_MARKET",
        "symbol": "BTCUSDT",
        "side": "SELL",
        "positionSide": "BOTH",
        "timeInForce": "GTC",
        "quantity": "0.010",
        "algoStatus": "NEW",
        "triggerPrice": "98000.00",
        "price": "0.00",
        "icebergQuantity": None,
        "selfTradePreventionMode": "EXPIRE_MAKER",
        "workingType": "MARK_PRICE",
        "priceMatch": "NONE",
        "closePosition": False,
        "priceProtect": False,
        "reduceOnly": False,
        "activatePrice": "",
        "callbackRate": "",
        "createTime": NOW_MS,
        "updateTime": NOW_MS,
        "triggerTime": 0,
        "goodTillDate": 0,
    }
    assert placed["algoId"] > 10**15


@pytest.mark.parametrize(("product", "values", "own"), [(USDM, STOP, TRAIL), (COINM, COIN_STOP, [])], ids=str)
async def test_the_fields_of_placements_queries_and_lists(
    arena: Arena, product: Product, values: dict[str, Any], own: list[str]
) -> None:
    placed = await place(arena, values, product)
    assert set(placed) == {*PLACED, *own}
    shown = ["isActivated"] if product is COINM else []
    queried = await found(arena, placed["algoId"], product)
    assert set(queried) == {*PLACED, *own, *CAME_OF_IT, *shown}
    (listed,) = await arena.ok("GET", "openAlgoOrders", product)
    assert set(listed) == {*PLACED, *own, *CAME_OF_IT, *LISTED, *shown}
    assert (queried["actualOrderId"], queried["actualQty"]) == ("", "0.000" if product is USDM else "0")


async def test_a_cancel_is_answered_with_a_code_that_is_text(arena: Arena) -> None:
    placed = await place(arena, clientAlgoId="mine")
    assert await arena.ok("DELETE", "algoOrder", clientAlgoId="mine") == {
        "algoId": placed["algoId"],
        "clientAlgoId": "mine",
        "code": "200",
        "msg": "success",
    }
    assert (await found(arena, placed["algoId"]))["algoStatus"] == "CANCELED"
    assert await arena.ok("GET", "openAlgoOrders") == []


# They stand apart


async def test_endpoints_of_plain_orders_do_not_know_them(arena: Arena) -> None:
    placed = await place(arena, clientAlgoId="mine")
    hidden = placed["algoId"] - 10**15
    assert await arena.ok("GET", "openOrders") == []
    assert await arena.ok("GET", "allOrders", symbol="BTCUSDT") == []
    for named in ({"origClientOrderId": "mine"}, {"orderId": hidden}):
        for method, path, code in (
            ("GET", "order", -2013),
            ("GET", "openOrder", -2013),
            ("DELETE", "order", -2011),
        ):
            assert (await arena.no(method, path, symbol="BTCUSDT", **named))[0] == code
    await arena.ok("DELETE", "allOpenOrders", symbol="BTCUSDT")
    assert len(await arena.ok("GET", "openAlgoOrders")) == 1


async def test_they_are_canceled_all_together(arena: Arena) -> None:
    await place(arena)
    await place(arena, symbol="ETHUSDT", triggerPrice="3900")
    done = {"code": 200, "msg": "The operation of cancel all open order is done."}
    for _ in range(2):
        assert await arena.ok("DELETE", "algoOpenOrders", symbol="BTCUSDT") == done
    assert [one["symbol"] for one in await arena.ok("GET", "openAlgoOrders")] == ["ETHUSDT"]
    assert await arena.ok("GET", "openAlgoOrders", symbol="BTCUSDT") == []


async def test_they_freeze_no_margin(arena: Arena) -> None:
    await place(arena, quantity="100")
    account = (await arena.get("/fapi/v2/account"))["availableBalance"]
    assert account == "100000.00000000"


# What comes of them


@pytest.mark.parametrize(
    ("product", "values", "pair", "price"),
    [(USDM, STOP, "BTC/USDT", "98000"), (COINM, COIN_STOP, "BTC/USD", "49000")],
    ids=str,
)
async def test_an_order_with_an_id_of_its_own_and_the_same_name(
    arena: Arena, product: Product, values: dict[str, Any], pair: str, price: str
) -> None:
    algo_id = (await place(arena, values, product, clientAlgoId="mine"))["algoId"]
    between = await arena.ok("POST", "order", product, **{**values, "type": "MARKET"})
    await arena.step(1_000_000)
    await arena.hold_price(pair, price)
    finished = await found(arena, algo_id, product)
    assert (finished["algoStatus"], finished["actualType"]) == ("FINISHED", "MARKET")
    assert finished["triggerTime"] == finished["updateTime"] == NOW_MS + 1000
    order_id = int(finished["actualOrderId"])
    assert between["orderId"] < order_id < algo_id
    order = await arena.find_order(order_id, product, values["symbol"])
    assert (order["clientOrderId"], order["status"], order["type"]) == ("mine", "FILLED", "MARKET")
    assert order["time"] == NOW_MS + 1000
    assert (finished["actualPrice"], finished["actualQty"]) == (order["avgPrice"], order["executedQty"])
    by_name = await arena.ok("GET", "order", product, symbol=values["symbol"], origClientOrderId="mine")
    assert by_name == order
    assert await arena.ok("GET", "algoOrder", product, clientAlgoId="mine") == finished


async def test_a_limit_order_rests_and_is_then_one_of_the_plain_ones(arena: Arena) -> None:
    algo_id = (await place(arena, {**STOP, "type": "TAKE_PROFIT", "side": "BUY", "price": "97000"}))["algoId"]
    await arena.hold_price("BTC/USDT", "98000")
    triggered = await found(arena, algo_id)
    assert (triggered["algoStatus"], triggered["actualType"]) == ("TRIGGERED", "LIMIT")
    (resting,) = await arena.ok("GET", "openOrders")
    assert str(resting["orderId"]) == triggered["actualOrderId"]
    await arena.ok("DELETE", "order", symbol="BTCUSDT", orderId=resting["orderId"])
    assert (await found(arena, algo_id))["algoStatus"] == "FINISHED"


async def test_what_speaks_against_its_order_rejects_it(arena: Arena) -> None:
    poor = (await place(arena, quantity="100"))["algoId"]
    nothing = (await place(arena, reduceOnly="true"))["algoId"]
    await arena.hold_price("BTC/USDT", "98000")
    assert (await found(arena, poor))["algoStatus"] == "REJECTED"
    assert (await found(arena, nothing))["algoStatus"] == "EXPIRED"
    assert await arena.ok("GET", "allOrders", symbol="BTCUSDT") == []


async def test_what_closes_a_position_closes_it_as_it_is_by_then(arena: Arena) -> None:
    closing = {**STOP, "closePosition": "true"}
    del closing["quantity"]
    algo_id = (await place(arena, closing))["algoId"]
    await arena.place_order(MARKET_BUY, quantity="0.03")
    await arena.hold_price("BTC/USDT", "98000")
    assert (await found(arena, algo_id))["actualQty"] == "0.030"
    assert await arena.position() == 0


async def test_what_closes_a_position_ends_with_it(arena: Arena) -> None:
    await arena.place_order(MARKET_BUY)
    closing = {**STOP, "closePosition": "true"}
    del closing["quantity"]
    algo_id = (await place(arena, closing))["algoId"]
    await arena.place_order(MARKET_BUY, side="SELL")
    assert (await found(arena, algo_id))["algoStatus"] == "EXPIRED"


async def test_a_trailing_order_follows_the_market(arena: Arena) -> None:
    """Active at 102000, then one per cent below the highest price of 104000: 102960."""
    placed = await place(arena, {**TRAILING, "activatePrice": "102000"})
    assert (placed["activatePrice"], placed["callbackRate"]) == ("102000.00", "1.0")
    for price, status in (
        ("99000", "NEW"),
        ("102000", "NEW"),
        ("104000", "NEW"),
        ("103000", "NEW"),
        ("102960", "FINISHED"),
    ):
        await arena.hold_price("BTC/USDT", price)
        assert (await found(arena, placed["algoId"]))["algoStatus"] == status, price


@pytest.mark.parametrize(("working", "status"), [("CONTRACT_PRICE", "FINISHED"), ("MARK_PRICE", "NEW")])
async def test_by_which_price_it_is_triggered(arena: Arena, working: str, status: str) -> None:
    """A trade between accounts moves the last price and not the mark."""
    algo_id = (await place(arena, workingType=working))["algoId"]
    await arena.book(BTC, [("97000", "5")], [("103000", "5")])
    await arena.trade(BTC, "0.01", "98000")
    assert (await found(arena, algo_id))["algoStatus"] == status


# Histories


async def test_all_of_a_symbol(arena: Arena) -> None:
    ids = [(await place(arena))["algoId"] for _ in range(3)]
    await arena.ok("DELETE", "algoOrder", algoId=ids[0])
    listed = await arena.ok("GET", "allAlgoOrders", symbol="BTCUSDT")
    assert [one["algoId"] for one in listed] == ids
    assert [one["algoStatus"] for one in listed] == ["CANCELED", "NEW", "NEW"]
    later = await arena.ok("GET", "allAlgoOrders", symbol="BTCUSDT", algoId=ids[1], limit=1)
    assert [one["algoId"] for one in later] == [ids[1]]
    assert await arena.ok("GET", "allAlgoOrders", symbol="ETHUSDT") == []


async def test_what_came_to_nothing_is_forgotten_after_three_days(arena: Arena) -> None:
    algo_id = (await place(arena))["algoId"]
    await arena.ok("DELETE", "algoOrder", algoId=algo_id)
    await arena.step(3 * DAY_US)
    assert (await found(arena, algo_id))["algoStatus"] == "CANCELED"
    await arena.step(1_000_000)
    assert (await arena.no("GET", "algoOrder", algoId=algo_id))[0] == -2013
