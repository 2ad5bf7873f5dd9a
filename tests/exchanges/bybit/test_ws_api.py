"""Orders over a socket: who may give them, how they are answered, and that they are those of REST
(docs/v5/websocket/trade/guideline.mdx).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest

from emulator.exchanges import bybit
from emulator.exchanges.bybit.eras import Eras
from tests.exchanges.bybit.booth import ANY, TRADE, Booth
from tests.exchanges.bybit.pit import BUY, LINEAR, LONG, NOW_MS, SHORT, SPOT

pytestmark = pytest.mark.anyio


@pytest.fixture
async def booth(anyio_backend: str) -> AsyncIterator[Booth]:
    async with Booth().on_air() as booth:
        yield booth


# Who it is


async def test_nobody_in_particular_gives_no_orders(booth: Booth) -> None:
    async with booth.listen(TRADE) as client:
        answer = await booth.order(client, "order.create", BUY)
        assert (answer["retCode"], answer["op"]) == (10007, "order.create")
    assert await booth.open() == []


async def test_a_key_that_was_taken_away_gives_no_more_orders(booth: Booth) -> None:
    async with booth.line(TRADE) as client:
        assert (await booth.order(client, "order.create", BUY))["retCode"] == 0
        await booth.sandbox.remove_key("alice-key")
        assert (await booth.order(client, "order.create", BUY))["retCode"] == 10003


# Orders


async def test_an_order_is_answered_as_documented_and_is_that_of_rest(booth: Booth) -> None:
    async with booth.line(TRADE) as client:
        answer = await booth.order(client, "order.create", {**LONG, "orderLinkId": "mine"}, id="test-005")
        order = answer["data"]["orderId"]
        assert list(answer) == [
            "reqId", "op", "retCode", "retMsg", "data", "retExtInfo", "header", "connId",
        ]  # fmt: skip
        assert answer["reqId"] == "test-005"
        assert (answer["retCode"], answer["retMsg"], answer["op"]) == (0, "OK", "order.create")
        assert answer["data"] == {"orderId": order, "orderLinkId": "mine"}
        assert answer["retExtInfo"] == {}
        header = answer["header"]
        assert header.pop("Traceid")
        assert header == {
            "X-Bapi-Limit": "10",
            "X-Bapi-Limit-Status": "9",
            "X-Bapi-Limit-Reset-Timestamp": str(NOW_MS),
            "Timenow": str(NOW_MS),
        }
        assert (await booth.find(order, LINEAR))["orderStatus"] == "New"
        named = {"category": LINEAR, "symbol": "BTCUSDT", "orderId": order}
        assert (await booth.order(client, "order.amend", {**named, "price": "98000"}))["retCode"] == 0
        assert (await booth.find(order, LINEAR))["price"] == "98000.00"
        canceled = await booth.order(client, "order.cancel", named)
        assert canceled["data"] == {"orderId": order, "orderLinkId": "mine"}
        assert (await booth.find(order, LINEAR))["orderStatus"] == "Cancelled"
        gone = await booth.order(client, "order.cancel", named)
        assert (gone["retCode"], gone["data"]) == (110001, {})


async def test_what_an_order_lacks_is_said_in_the_words_of_its_category(booth: Booth) -> None:
    async with booth.line(TRADE) as client:
        dear = {**LONG, "qty": "1000"}
        assert (await booth.order(client, "order.create", dear))["retCode"] == 110007
        dear = {**BUY, "qty": "80"}
        assert (await booth.order(client, "order.create", dear))["retCode"] == 170131


async def test_a_batch_tells_of_each_order(booth: Booth) -> None:
    long, short = (
        {name: value for name, value in one.items() if name != "category"} for one in (LONG, SHORT)
    )
    async with booth.line(TRADE) as client:
        request = [{**long, "orderLinkId": "one"}, {**short, "positionIdx": 1}]
        batch = {"category": LINEAR, "request": request}
        answer = await booth.order(client, "order.create-batch", batch)
        assert answer["retCode"] == 0
        first, second = answer["data"]["list"]
        assert first["orderLinkId"] == "one"
        assert second["orderId"] == ""
        assert answer["retExtInfo"]["list"] == [
            {"code": 0, "msg": "OK"},
            {"code": 10001, "msg": "position idx not match position mode"},
        ]
        assert answer["header"]["X-Bapi-Limit-Status"] == "8"
        named = [{"symbol": "BTCUSDT", "orderId": first["orderId"], "price": "98500"}]
        amended = await booth.order(client, "order.amend-batch", {"category": LINEAR, "request": named})
        assert amended["retExtInfo"]["list"] == [{"code": 0, "msg": "OK"}]
        named = [{"symbol": "BTCUSDT", "orderLinkId": "one"}]
        ended = await booth.order(client, "order.cancel-batch", {"category": LINEAR, "request": named})
        assert ended["data"]["list"][0]["orderId"] == first["orderId"]
        assert (await booth.find(first["orderId"], LINEAR))["price"] == "98500.00"


# Requests


async def test_a_name_is_given_once_and_comes_back_as_it_was_sent(booth: Booth) -> None:
    async with booth.line(TRADE) as client:
        # ccxt counts its requests, and sends numbers.
        assert (await booth.order(client, "order.create", BUY, id=7))["reqId"] == 7
        again = await booth.order(client, "order.create", BUY, id="7")
        assert (again["retCode"], again["retMsg"]) == (20006, "reqId is duplicated")
        assert "reqId" not in await booth.order(client, "order.create", BUY)
        too_long = await booth.order(client, "order.create", BUY, id="x" * 37)
        assert too_long["retCode"] == 10001
    assert len(await booth.open()) == 2


@pytest.mark.parametrize("op", ["order.remove", "order", "", "subscribe", "orders.create"])
async def test_operations_that_there_are_not(booth: Booth, op: str) -> None:
    async with booth.line(TRADE) as client:
        assert (await booth.order(client, op, BUY, id="n"))["retCode"] == 10404


@pytest.mark.parametrize("category", ["futures", None, 5])
async def test_a_category_that_there_is_not(booth: Booth, category: Any) -> None:
    async with booth.line(TRADE) as client:
        assert (await booth.order(client, "order.create", {**BUY, "category": category}))["retCode"] == 10404


@pytest.mark.parametrize("args", [[], [BUY, BUY], ["order"], [None]])
async def test_only_one_object_is_an_argument(booth: Booth, args: list[Any]) -> None:
    async with booth.line(TRADE) as client:
        assert (await booth.order(client, "order.create", *args))["retCode"] == 10001
    assert await booth.open() == []


@pytest.mark.parametrize(
    ("header", "code"),
    [
        # server - window <= timestamp < server + 1000
        ({"X-BAPI-TIMESTAMP": NOW_MS - 5000}, 0),
        ({"X-BAPI-TIMESTAMP": str(NOW_MS - 5001)}, 10002),
        ({"X-BAPI-TIMESTAMP": str(NOW_MS - 5001), "X-BAPI-RECV-WINDOW": 8000}, 0),
        ({"X-BAPI-TIMESTAMP": NOW_MS + 999}, 0),
        ({"X-BAPI-TIMESTAMP": NOW_MS + 1000}, 10002),
        ({"X-BAPI-TIMESTAMP": "now"}, 10002),
        ({"X-BAPI-TIMESTAMP": None}, 10002),
    ],
)
async def test_requests_have_a_time(booth: Booth, header: dict[str, Any], code: int) -> None:
    async with booth.line(TRADE) as client:
        assert (await booth.order(client, "order.create", BUY, **header))["retCode"] == code


async def test_a_request_without_a_header(booth: Booth) -> None:
    async with booth.line(TRADE) as client:
        await client.say({"op": "order.create", "args": [BUY]})
        assert (await client.next())["retCode"] == 10001


@pytest.mark.parametrize("text", ["", "{", "[1]", "null", '"auth"', "{}", '{"op": 5}'])
async def test_what_is_no_request_is_answered_and_the_connection_goes_on(booth: Booth, text: str) -> None:
    async with booth.line(TRADE) as client:
        await client.say(text)
        assert (await client.next())["retCode"] in (10001, 10404)
        assert (await booth.order(client, "order.create", BUY))["retCode"] == 0


async def test_a_ping_is_answered_with_the_time(booth: Booth) -> None:
    async with booth.listen(TRADE) as client:
        answer = await client.ask("ping")
        assert answer.pop("connId")
        assert answer == {"retCode": 0, "retMsg": "OK", "op": "pong", "data": [str(NOW_MS)]}


async def test_requests_that_come_together_are_decided_in_their_order(booth: Booth) -> None:
    async with booth.line(TRADE) as client:
        header = {"X-BAPI-TIMESTAMP": str(NOW_MS)}
        for number in range(40):
            order = {**BUY, "price": str(90_000 + number), "orderLinkId": f"n{number}"}
            frame = {"reqId": f"r{number}", "op": "order.create", "header": header, "args": [order]}
            await client.connection.send(orjson.dumps(frame).decode())
        answers = [await client.next() for _ in range(40)]
        assert [one["reqId"] for one in answers] == [f"r{number}" for number in range(40)]
        assert {one["retCode"] for one in answers} == {0}
        ids = [int(one["data"]["orderId"]) for one in answers]
        assert ids == sorted(ids)


async def test_what_is_under_way_happens_though_its_client_hangs_up(booth: Booth) -> None:
    async with booth.line(TRADE) as client:
        header = {"X-BAPI-TIMESTAMP": str(NOW_MS)}
        await client.say({"op": "order.create", "header": header, "args": [BUY]})
        await client.connection.close()
    for _ in range(100):
        if await booth.open():
            return
        await asyncio.sleep(0.01)
    pytest.fail("the order never came")


# Limits


async def test_orders_count_together_with_those_of_rest() -> None:
    async with Booth(counting="on").on_air() as booth, booth.line(TRADE) as client:
        for _ in range(9):
            await booth.place(LONG)
        assert (await booth.order(client, "order.create", LONG))["header"]["X-Bapi-Limit-Status"] == "0"
        refused = await booth.order(client, "order.create", LONG)
        assert refused["retCode"] == 10006
        assert int(refused["header"]["X-Bapi-Limit-Reset-Timestamp"]) > NOW_MS
        # Pairs have a limit of their own.
        assert (await booth.order(client, "order.create", BUY))["retCode"] == 0


# The address for everything


async def test_the_address_for_everything_takes_orders_as_well(booth: Booth) -> None:
    async with booth.line(ANY) as client:
        answer = await booth.order(client, "order.create", BUY, id="x")
        assert (answer["reqId"], answer["retCode"], answer["op"]) == ("x", 0, "order.create")
        joined = await client.ask("subscribe", "publicTrade.BTCUSDT")
        assert joined["success"] is True
    assert len(await booth.open(SPOT)) == 1


def test_every_operation_is_a_row_of_rest() -> None:
    (site,) = bybit.sites(eras=Eras(), timestamps="auto", counting="auto")
    (trade,) = [one for one in site.sockets if one.path == TRADE]
    paths = {one.name: one.route.path for one in trade.methods if one.route is not None}
    assert paths == {
        "order.create": "/v5/order/create",
        "order.amend": "/v5/order/amend",
        "order.cancel": "/v5/order/cancel",
        "order.create-batch": "/v5/order/create-batch",
        "order.amend-batch": "/v5/order/amend-batch",
        "order.cancel-batch": "/v5/order/cancel-batch",
    }
