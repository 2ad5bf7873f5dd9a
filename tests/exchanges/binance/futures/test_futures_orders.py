"""Single orders of contracts: what is accepted, what is answered, and what becomes of them.

Sources: New Order, Query Order, Cancel Order and their neighbours of both products' developers' pages;
field sets of the models of binance-connector-python, 14.0.0 and later of both futures clients.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest

from emulator.exchanges.binance.eras import Eras
from emulator.exchanges.binance.futures.products import COINM, USDM, Product
from tests.exchanges.binance.bank import NOW_US
from tests.exchanges.binance.futures.arena import (
    BTC,
    COIN_BUY,
    DAY_US,
    LIMIT_BUY,
    LIMIT_SELL,
    MARKET_BUY,
    MARKET_SELL,
    Arena,
)

pytestmark = pytest.mark.anyio

NOW_MS = NOW_US // 1000

PLACED = (
    "orderId symbol status clientOrderId price origQty executedQty cumQty timeInForce type reduceOnly "
    "closePosition side positionSide stopPrice workingType priceProtect origType priceMatch "
    "selfTradePreventionMode updateTime"
).split()
QUERIED = (
    "orderId symbol status clientOrderId price avgPrice origQty executedQty cumQuote timeInForce type "
    "reduceOnly closePosition side positionSide stopPrice workingType priceProtect origType priceMatch "
    "selfTradePreventionMode goodTillDate time updateTime"
).split()


@pytest.fixture
async def arena() -> AsyncIterator[Arena]:
    async with Arena() as arena:
        yield arena


# What is answered


@pytest.mark.parametrize(
    ("product", "values", "keys"),
    [(USDM, LIMIT_BUY, {*PLACED, "goodTillDate"}), (COINM, COIN_BUY, {*PLACED, "pair"})],
    ids=["usdm", "coinm"],
)
async def test_the_fields_of_a_placement_and_of_a_cancel(
    arena: Arena, product: Product, values: dict[str, Any], keys: set[str]
) -> None:
    """No averages and sums since the integration of 2026-06."""
    placed = await arena.place_order(values, product)
    assert set(placed) == keys
    canceled = await arena.ok("DELETE", "order", product, symbol=values["symbol"], orderId=placed["orderId"])
    assert set(canceled) == keys
    assert canceled["status"] == "CANCELED"
    assert canceled["clientOrderId"] == placed["clientOrderId"]


@pytest.mark.parametrize(
    ("product", "values", "keys"),
    [(USDM, LIMIT_BUY, {*QUERIED}), (COINM, COIN_BUY, {*QUERIED, "pair", "cumBase"})],
    ids=["usdm", "coinm"],
)
async def test_the_fields_of_a_query(
    arena: Arena, product: Product, values: dict[str, Any], keys: set[str]
) -> None:
    order_id = (await arena.place_order(values, product))["orderId"]
    named: dict[str, Any] = {"symbol": values["symbol"], "orderId": order_id}
    assert set(await arena.ok("GET", "order", product, **named)) == keys
    assert set(await arena.ok("GET", "openOrder", product, **named)) == keys
    assert set((await arena.ok("GET", "openOrders", product))[0]) == keys
    both = keys | {"pair", "cumBase"}
    assert set((await arena.ok("GET", "allOrders", product, symbol=values["symbol"]))[0]) == both


async def test_a_placement_is_answered_as_the_documents_show_it(arena: Arena) -> None:
    placed = await arena.place_order(LIMIT_BUY, newClientOrderId="a.b:C/d_e-1")
    assert placed == {
        "orderId": placed["orderId"],
        "symbol": "BTCUSDT",
        "status": "NEW",
        "clientOrderId": "a.b:C/d_e-1",
        "price": "99000.00",
        "origQty": "0.010",
        "executedQty": "0.000",
        "cumQty": "0.000",
        "timeInForce": "GTC",
        "type": "LIMIT",
        "reduceOnly": False,
        "closePosition": False,
        "side": "BUY",
        "positionSide": "BOTH",
        "stopPrice": "0.00",
        "workingType": "CONTRACT_PRICE",
        "priceProtect": False,
        "origType": "LIMIT",
        "priceMatch": "NONE",
        "selfTradePreventionMode": "EXPIRE_MAKER",
        "goodTillDate": 0,
        "updateTime": NOW_MS,
    }


async def test_an_acknowledgement_tells_of_an_order_as_it_was_accepted(arena: Arena) -> None:
    acknowledged = await arena.place_order(MARKET_BUY)
    assert (acknowledged["status"], acknowledged["executedQty"]) == ("NEW", "0.000")
    finished = await arena.finish(MARKET_BUY)
    assert (finished["status"], finished["executedQty"], finished["cumQty"]) == ("FILLED", "0.010", "0.010")


async def test_averages_and_sums(arena: Arena) -> None:
    """0.004 at 100010 and 0.006 at 100020: 1000.16 for 0.01, on average 100016."""
    await arena.book(BTC, [("99990", "5")], [("100010", "0.004"), ("100020", "5")])
    order = await arena.find_order((await arena.finish(MARKET_BUY))["orderId"])
    assert (order["avgPrice"], order["cumQuote"]) == ("100016.00000", "1000.16000")
    # 10 contracts of 100 USD at 50010 are 1000 / 50010 = 0.0199960007... BTC.
    coin: dict[str, Any] = {**MARKET_BUY, "symbol": "BTCUSD_PERP", "quantity": "10"}
    inverse = await arena.find_order((await arena.finish(coin, COINM))["orderId"], COINM, "BTCUSD_PERP")
    assert (inverse["avgPrice"], inverse["cumBase"], inverse["cumQuote"]) == (
        "50010.0000",
        "0.01999600",
        "1000.0",
    )


async def test_averages_are_zero_before_a_trade(arena: Arena) -> None:
    order = await arena.find_order((await arena.place_order(LIMIT_BUY))["orderId"])
    assert (order["avgPrice"], order["cumQuote"]) == ("0.00", "0.00000")
    inverse = await arena.place_order(COIN_BUY, COINM)
    found = await arena.find_order(inverse["orderId"], COINM, "BTCUSD_PERP")
    assert (found["avgPrice"], found["cumBase"]) == ("0.0", "0")


async def test_averages_and_sums_of_before_the_integration() -> None:
    async with Arena(Eras(order_sums="include")) as arena:
        placed = await arena.place_order(LIMIT_BUY)
        assert (placed["avgPrice"], placed["cumQuote"]) == ("0.00", "0.00000")
        finished = await arena.finish(MARKET_BUY)
        assert (finished["avgPrice"], finished["cumQuote"]) == ("100010.00000", "1000.10000")
        coin = await arena.place_order(COIN_BUY, COINM)
        assert (coin["avgPrice"], coin["cumBase"]) == ("0.0", "0")
        assert "cumQuote" not in coin


async def test_a_test_places_nothing(arena: Arena) -> None:
    tested = await arena.ok("POST", "order/test", **LIMIT_BUY)
    assert (tested["orderId"], tested["status"], tested["price"]) == (0, "NEW", "99000.00")
    assert await arena.ok("GET", "openOrders") == []
    code, _ = await arena.no("POST", "order/test", **{**LIMIT_BUY, "price": "99000.05"})
    assert code == -4014


# Times in force


@pytest.mark.parametrize(
    ("values", "status", "executed"),
    [
        ({**LIMIT_BUY, "timeInForce": "IOC"}, "EXPIRED", "0.000"),
        ({**LIMIT_BUY, "timeInForce": "IOC", "price": "100010"}, "FILLED", "0.010"),
        ({**LIMIT_BUY, "timeInForce": "FOK", "price": "100010"}, "FILLED", "0.010"),
        ({**LIMIT_BUY, "timeInForce": "GTX"}, "NEW", "0.000"),
        (
            {**LIMIT_BUY, "timeInForce": "GTC", "price": "100010", "quantity": "6"},
            "PARTIALLY_FILLED",
            "5.000",
        ),
    ],
)
async def test_times_in_force(arena: Arena, values: dict[str, Any], status: str, executed: str) -> None:
    await arena.deposit("USDT", "10000000", "usdm")
    finished = await arena.finish(values)
    assert (finished["status"], finished["executedQty"]) == (status, executed)
    assert finished["timeInForce"] == values["timeInForce"]


async def test_orders_good_till_a_date_end_by_themselves(arena: Arena) -> None:
    date_ms = NOW_MS + 700_000
    placed = await arena.place_order({**LIMIT_BUY, "timeInForce": "GTD", "goodTillDate": date_ms})
    # Of the date only the seconds count.
    assert placed["goodTillDate"] == date_ms // 1000 * 1000
    assert placed["timeInForce"] == "GTD"
    await arena.step(700_000_000)
    assert (await arena.find_order(placed["orderId"]))["status"] == "EXPIRED"


# Self-trade prevention


@pytest.mark.parametrize(
    ("mode", "maker", "taker"),
    [
        (None, "EXPIRED_IN_MATCH", "FILLED"),
        ("EXPIRE_MAKER", "EXPIRED_IN_MATCH", "FILLED"),
        ("EXPIRE_TAKER", "NEW", "EXPIRED_IN_MATCH"),
        ("EXPIRE_BOTH", "EXPIRED_IN_MATCH", "EXPIRED_IN_MATCH"),
        ("NONE", "FILLED", "FILLED"),
    ],
)
async def test_an_account_that_meets_itself(arena: Arena, mode: str | None, maker: str, taker: str) -> None:
    """EXPIRE_MAKER is the default."""
    resting = await arena.place_order({**LIMIT_SELL, "price": "100000"})
    more: dict[str, Any] = {} if mode is None else {"selfTradePreventionMode": mode}
    taking = await arena.finish({**LIMIT_BUY, "price": "100010"}, **more)
    assert taking["selfTradePreventionMode"] == (mode or "EXPIRE_MAKER")
    assert taking["status"] == taker
    assert (await arena.find_order(resting["orderId"]))["status"] == maker


# Positions


async def test_an_order_that_may_only_reduce_becomes_as_large_as_the_position(arena: Arena) -> None:
    await arena.place_order(MARKET_BUY)
    reduced = await arena.finish(MARKET_SELL, quantity="0.05", reduceOnly="true")
    assert (reduced["status"], reduced["origQty"], reduced["reduceOnly"]) == ("FILLED", "0.010", True)
    assert await arena.position() == 0


async def test_both_legs_of_hedge_mode(arena: Arena) -> None:
    await arena.hedge()
    for side, leg in (("BUY", "LONG"), ("SELL", "SHORT")):
        placed = await arena.finish(MARKET_BUY, side=side, positionSide=leg)
        assert (placed["positionSide"], placed["status"]) == (leg, "FILLED")
    rows = await arena.get("/fapi/v2/positionRisk", symbol="BTCUSDT")
    assert {row["positionSide"]: Decimal(row["positionAmt"]) for row in rows} == {
        "LONG": Decimal("0.01"),
        "SHORT": Decimal("-0.01"),
    }
    closed = await arena.finish(MARKET_SELL, positionSide="LONG")
    assert closed["status"] == "FILLED"


async def test_conditional_orders_of_coin_m_at_the_endpoint_of_plain_ones(arena: Arena) -> None:
    """They keep their id, are among the open orders, and become what they are when they are triggered."""
    coin = {"symbol": "BTCUSD_PERP", "side": "BUY", "quantity": "10"}
    placed = await arena.place_order(
        {**coin, "type": "STOP", "timeInForce": "GTC", "stopPrice": "51000", "price": "50500"}, COINM
    )
    assert (placed["type"], placed["origType"], placed["stopPrice"]) == ("STOP", "STOP", "51000.0")
    assert [one["orderId"] for one in await arena.ok("GET", "openOrders", COINM)] == [placed["orderId"]]
    assert await arena.ok("GET", "openAlgoOrders", COINM) == []
    await arena.hold_price("BTC/USD", "51000")
    active = await arena.find_order(placed["orderId"], COINM, "BTCUSD_PERP")
    assert (active["type"], active["origType"], active["status"]) == ("LIMIT", "STOP", "NEW")


async def test_conditional_orders_of_usd_m_before_they_moved() -> None:
    async with Arena(Eras(usdm_stop_orders="accept")) as arena:
        values: dict[str, Any] = {"symbol": "BTCUSDT", "side": "SELL", "quantity": "0.01"}
        trailing = await arena.place_order(
            {**values, "type": "TRAILING_STOP_MARKET", "callbackRate": "1.5", "activationPrice": "101000"}
        )
        assert (trailing["activatePrice"], trailing["priceRate"]) == ("101000.00", "1.5")
        assert [one["type"] for one in await arena.ok("GET", "openOrders")] == ["TRAILING_STOP_MARKET"]


# Canceling and finding


async def test_an_order_is_named_by_either_id_and_the_exchanges_own_counts(arena: Arena) -> None:
    first = await arena.place_order(LIMIT_BUY, newClientOrderId="first")
    second = await arena.place_order(LIMIT_BUY, newClientOrderId="second")
    named: dict[str, Any] = {"symbol": "BTCUSDT", "orderId": first["orderId"], "origClientOrderId": "second"}
    assert (await arena.ok("GET", "order", **named))["clientOrderId"] == "first"
    assert (await arena.ok("DELETE", "order", **named))["clientOrderId"] == "first"
    found = await arena.ok("GET", "openOrder", symbol="BTCUSDT", origClientOrderId="second")
    assert found["orderId"] == second["orderId"]
    code, _ = await arena.no("GET", "openOrder", symbol="BTCUSDT", orderId=first["orderId"])
    assert code == -2013


async def test_all_orders_of_a_symbol_are_canceled_and_none_is_a_success(arena: Arena) -> None:
    for price in ("98000", "99000"):
        await arena.place_order(LIMIT_BUY, price=price)
    done = {"code": 200, "msg": "The operation of cancel all open order is done."}
    for _ in range(2):
        assert await arena.ok("DELETE", "allOpenOrders", symbol="BTCUSDT") == done
    assert await arena.ok("GET", "openOrders", symbol="BTCUSDT") == []


async def test_a_countdown_cancels_what_is_open_when_it_ends(arena: Arena) -> None:
    order_id = (await arena.place_order(LIMIT_BUY))["orderId"]
    answer = await arena.ok("POST", "countdownCancelAll", symbol="BTCUSDT", countdownTime=5000)
    assert answer == {"symbol": "BTCUSDT", "countdownTime": "5000"}
    await arena.step(4_000_000)
    await arena.ok("POST", "countdownCancelAll", symbol="BTCUSDT", countdownTime=5000)
    await arena.step(4_000_000)
    assert (await arena.find_order(order_id))["status"] == "NEW"
    await arena.step(1_000_000)
    assert (await arena.find_order(order_id))["status"] == "CANCELED"


async def test_a_countdown_is_ended_by_zero(arena: Arena) -> None:
    order_id = (await arena.place_order(LIMIT_BUY))["orderId"]
    await arena.ok("POST", "countdownCancelAll", symbol="BTCUSDT", countdownTime=5000)
    await arena.ok("POST", "countdownCancelAll", symbol="BTCUSDT", countdownTime=0)
    await arena.step(6_000_000)
    assert (await arena.find_order(order_id))["status"] == "NEW"


@pytest.mark.parametrize(("is_filled", "days"), [(False, 3), (True, 90)])
async def test_orders_are_forgotten(arena: Arena, is_filled: bool, days: int) -> None:
    """Three days after it was made if it came to nothing, ninety days otherwise."""
    values: dict[str, Any] = MARKET_BUY if is_filled else LIMIT_BUY
    order_id = (await arena.place_order(values))["orderId"]
    if not is_filled:
        await arena.ok("DELETE", "order", symbol="BTCUSDT", orderId=order_id)
    await arena.step(days * DAY_US)
    assert (await arena.find_order(order_id))["orderId"] == order_id
    await arena.step(1_000_000)
    assert await arena.no("GET", "order", symbol="BTCUSDT", orderId=order_id) == (
        -2013,
        "Order does not exist.",
    )


# The products are apart


async def test_no_site_tells_of_anothers_orders(arena: Arena) -> None:
    await arena.place_order(LIMIT_BUY)
    await arena.place_order(COIN_BUY, COINM)
    await arena.post(
        "/api/v3/order",
        symbol="BTCUSDT",
        side="BUY",
        type="LIMIT",
        timeInForce="GTC",
        quantity="0.01",
        price="90000",
    )
    told = {
        site: [one["symbol"] for one in await arena.get(path)]
        for site, path in (
            ("spot", "/api/v3/openOrders"),
            ("usdm", "/fapi/v1/openOrders"),
            ("coinm", "/dapi/v1/openOrders"),
        )
    }
    assert told == {"spot": ["BTCUSDT"], "usdm": ["BTCUSDT"], "coinm": ["BTCUSD_PERP"]}
    assert len(await arena.get("/api/v3/allOrders", symbol="BTCUSDT")) == 1
    assert len(await arena.get("/fapi/v1/allOrders")) == 1
    # What contracts need is no business of the spot wallet, and the other way round.
    assert (await arena.balances())["USDT"] == ("999100.00000000", "900.00000000")


async def test_a_key_for_spot_does_not_trade_contracts(arena: Arena) -> None:
    await arena.add_key("spot", frozenset({"read", "trade"}))
    reply = await arena.refusal("POST", "/fapi/v1/order", "spot", **LIMIT_BUY)
    assert reply == (401, -2015, "Invalid API-key, IP, or permissions for action.")
    await arena.add_key("futures", frozenset({"futures"}))
    assert (await arena.ask("POST", "/fapi/v1/order", "futures", **LIMIT_BUY)).status == 200
