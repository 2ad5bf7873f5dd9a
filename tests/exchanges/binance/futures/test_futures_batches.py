"""Several orders in one request: order, errors in their places, spellings, and what they count for."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote

import pytest

from emulator.core.events import Event, OrderPlaced
from emulator.exchanges import binance
from emulator.exchanges.binance.futures.products import COINM, USDM, Product
from tests.exchanges.binance.futures.arena import COIN_BUY, LIMIT_BUY, MARKET_BUY, STOP, Arena

pytestmark = pytest.mark.anyio


@pytest.fixture
async def arena() -> AsyncIterator[Arena]:
    async with Arena() as arena:
        yield arena


def batch(*orders: dict[str, Any]) -> dict[str, Any]:
    return {"batchOrders": json.dumps(orders)}


@pytest.mark.parametrize(("product", "values"), [(USDM, LIMIT_BUY), (COINM, COIN_BUY)], ids=str)
async def test_what_becomes_of_each_stands_in_its_place(
    arena: Arena, product: Product, values: dict[str, Any]
) -> None:
    orders: tuple[dict[str, Any], ...] = (
        values,
        {**values, "side": "UP"},
        {**values, "newClientOrderId": "third"},
        {},
    )
    placed = await arena.ok("POST", "batchOrders", product, **batch(*orders))
    assert [one.get("status") for one in placed] == ["NEW", None, "NEW", None]
    assert placed[1] == {"code": -1117, "msg": "Invalid side."}
    assert placed[2]["clientOrderId"] == "third"
    assert placed[3]["code"] == -1102


async def test_orders_are_decided_one_after_the_other(arena: Arena) -> None:
    closing = {**MARKET_BUY, "side": "SELL", "reduceOnly": True, "newOrderRespType": "RESULT"}
    done = await arena.ok("POST", "batchOrders", **batch(closing, MARKET_BUY, closing))
    assert [one.get("status") or one["code"] for one in done] == [-2022, "NEW", "FILLED"]


class Stumble:
    """A defect of the engine, once: it raises when it has half placed an order of a name."""

    def __init__(self, name: str) -> None:
        self._name: str | None = name

    def happened(self, event: Event, now_us: int) -> None:
        if isinstance(event, OrderPlaced) and event.terms.client_id == self._name:
            self._name = None
            raise RuntimeError("on purpose")

    def settled(self, now_us: int) -> None:
        pass

    def margin_called(self, *told: object) -> None:
        pass


async def test_what_is_not_known_of_one_is_no_word_about_the_others(arena: Arena) -> None:
    """Else who had three orders would believe that he has none, and send them again."""
    arena.sandbox.observe(binance.ENGINE, Stumble("second"))
    names = ("first", "second", "third")
    placed = await arena.ok(
        "POST", "batchOrders", **batch(*({**LIMIT_BUY, "newClientOrderId": name} for name in names))
    )
    assert [one.get("status") or one["code"] for one in placed] == ["NEW", -1007, -1001]
    assert [one["clientOrderId"] for one in await arena.ok("GET", "openOrders")] == ["first"]


async def test_what_is_not_known_of_any_is_said_of_all(arena: Arena) -> None:
    arena.sandbox.observe(binance.ENGINE, Stumble("only"))
    values = batch({**LIMIT_BUY, "newClientOrderId": "only"})
    status, code, _ = await arena.refusal("POST", "/fapi/v1/batchOrders", **values)
    assert (status, code) == (408, -1007)
    assert await arena.ok("GET", "openOrders") == []


async def test_numbers_may_come_as_numbers(arena: Arena) -> None:
    values = {**LIMIT_BUY, "quantity": 0.01, "price": 99000, "reduceOnly": False}
    (placed,) = await arena.ok("POST", "batchOrders", **batch(values))
    assert (placed["price"], placed["origQty"]) == ("99000.00", "0.010")


async def test_conditional_types_are_refused_in_batches_too(arena: Arena) -> None:
    stop = {**MARKET_BUY, "type": "STOP_MARKET", "stopPrice": "110000"}
    (refused,) = await arena.ok("POST", "batchOrders", **batch(stop))
    assert refused["code"] == -4120


async def test_six_are_too_many(arena: Arena) -> None:
    assert (await arena.no("POST", "batchOrders", **batch(*[LIMIT_BUY] * 6)))[0] == -4082
    assert await arena.ok("GET", "openOrders") == []


async def test_a_batch_counts_as_five_in_ten_seconds_and_as_one_in_a_minute(arena: Arena) -> None:
    reply = await arena.ask("POST", "/fapi/v1/batchOrders", **batch(LIMIT_BUY, LIMIT_BUY))
    counted = {name: reply.headers[f"x-mbx-order-count-{name}"] for name in ("10s", "1m")}
    assert counted == {"10s": "5", "1m": "1"}
    assert reply.headers["x-mbx-used-weight-1m"] == "5"


@pytest.mark.parametrize("name", ["orderIdList", "orderidlist"])
async def test_several_are_canceled_by_id(arena: Arena, name: str) -> None:
    ids = [(await arena.place_order(LIMIT_BUY))["orderId"] for _ in range(2)]
    listed = json.dumps([*ids, 999])
    named: dict[str, Any] = {name: listed}
    canceled = await arena.ok("DELETE", "batchOrders", symbol="BTCUSDT", **named)
    assert [one.get("status") for one in canceled] == ["CANCELED", "CANCELED", None]
    assert canceled[2] == {"code": -2011, "msg": "Unknown order sent."}


@pytest.mark.parametrize("name", ["origClientOrderIdList", "origclientorderidlist"])
async def test_several_are_canceled_by_name(arena: Arena, name: str) -> None:
    for each in ("one", "two"):
        await arena.place_order(LIMIT_BUY, newClientOrderId=each)
    named: dict[str, Any] = {name: '["two", "one"]'}
    canceled = await arena.ok("DELETE", "batchOrders", symbol="BTCUSDT", **named)
    assert [one["clientOrderId"] for one in canceled] == ["two", "one"]


async def test_an_order_that_stands_apart_is_not_canceled_among_others(arena: Arena) -> None:
    await arena.ok("POST", "algoOrder", **STOP, clientAlgoId="apart")
    (refused,) = await arena.ok("DELETE", "batchOrders", symbol="BTCUSDT", origClientOrderIdList='["apart"]')
    assert refused["code"] == -2011
    assert len(await arena.ok("GET", "openAlgoOrders")) == 1


async def test_a_body_that_a_client_escaped_itself(arena: Arena) -> None:
    """python-binance sends the list escaped already, as the whole query."""
    text = quote(json.dumps([LIMIT_BUY], separators=(",", ":")))
    assert "%7B" in text
    placed = await arena.ok("POST", "batchOrders", in_body=True, **batch(LIMIT_BUY))
    assert placed[0]["status"] == "NEW"


async def test_a_list_that_was_escaped_twice_is_read(arena: Arena) -> None:
    (placed,) = await arena.ok("POST", "batchOrders", batchOrders=quote(json.dumps([LIMIT_BUY])))
    assert placed["status"] == "NEW"
    code, text = await arena.no("POST", "batchOrders", batchOrders="%5Bno list")
    assert (code, text) == (-1130, "Data sent for parameter 'batchOrders' is not valid.")
