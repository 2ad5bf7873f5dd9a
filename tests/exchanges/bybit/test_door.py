"""What comes through the door: parameters, the envelope, and what is said when something is wrong."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from emulator.runtime.ports import ClockMode
from tests.exchanges.bybit.gatehouse import Gatehouse, told
from tests.runtime.universe import FailingJournal
from tests.web.client import ask

pytestmark = pytest.mark.anyio

PLAIN = {"category": "linear", "symbol": "BTCUSDT"}


def body(**members: Any) -> str:
    return orjson.dumps({**PLAIN, **members}).decode()


class TestEnvelope:
    async def test_a_success_is_the_documents_example(self) -> None:
        async with Gatehouse() as house:
            reply = await house.knock()
            assert reply.content == (
                b'{"retCode":0,"retMsg":"OK","result":{},"retExtInfo":{},"time":%d}' % house.now_ms
            )
            assert reply.headers["content-type"] == "application/json; charset=utf-8"

    async def test_bytes_that_are_ready_stand_in_it_as_they_are(self) -> None:
        async with Gatehouse() as house:
            reply = await house.send("GET", "/v5/user/query-api")
            assert told(reply) == (200, 0, "")
            assert b'"result":{"balance":"1000"},' in reply.content

    async def test_a_batch_tells_of_each_beside_its_result(self) -> None:
        async with Gatehouse() as house:
            requests = [{"symbol": "BTCUSDT"}, {"symbol": "!"}, {"qty": "x", "symbol": "A"}]
            sent = orjson.dumps({"category": "linear", "request": requests}).decode()
            reply = await house.send("POST", "/v5/order/create-batch", sent)
            assert reply.json["retExtInfo"] == {"list": [{"code": 0, "msg": "OK"}]}
            assert reply.json["result"]["request"] == [
                {"positionIdx": 0, "symbol": "BTCUSDT"},
                [10001, "params error: symbol invalid"],
                [10001, "Qty invalid"],
            ]

    async def test_the_time_is_the_sandboxs(self) -> None:
        async with Gatehouse() as house:
            await house.sandbox.set_clock(mode=ClockMode.VIRTUAL, time_us=1_900_000_000_123_456)
            for reply in (await house.knock(), await house.realtime(key="nobody")):
                assert reply.json["time"] == 1_900_000_000_123
                assert reply.headers["timenow"] == "1900000000123"
            nobodys = (
                await house.knock("/v5/bot/create"),
                await house.knock("/v5/nowhere"),
                await house.knock("/v5/order/create"),
                await house.knock(query="a=" + "x" * 70_000),
            )
            for reply in nobodys:
                assert reply.json["retCode"] in (10017, 10001)
                assert reply.json["time"] == 1_900_000_000_123

    async def test_no_two_answers_have_the_same_trace(self) -> None:
        async with Gatehouse() as house:
            traces = {(await house.knock()).headers["traceid"] for _ in range(5)}
            assert len(traces) == 5
            assert {len(trace) for trace in traces} == {32}


class TestParameters:
    @pytest.mark.parametrize(
        ("members", "values"),
        [
            ({"qty": "0.10"}, {"qty": "0.1"}),
            ({"qty": 0.1}, {"qty": "0.1"}),
            ({"qty": 3}, {"qty": "3"}),
            ({"qty": ""}, {}),
            ({"qty": None}, {}),
            ({"side": "Sell", "reduceOnly": True}, {"side": "Sell", "reduceOnly": True}),
            ({"reduceOnly": "false"}, {"reduceOnly": False}),
            ({"positionIdx": "2"}, {"positionIdx": 2}),
            ({"margin": "-10.5"}, {"margin": "-10.5"}),
            ({"at": 1_700_000_000_123}, {"at": 1_700_000_000_123_000}),
            ({"at": "1700000000123"}, {"at": 1_700_000_000_123_000}),
            ({"coins": ["BTC", "ETH"]}, {"coins": ["BTC", "ETH"]}),
            ({"coins": "BTC,ETH"}, {"coins": ["BTC", "ETH"]}),
            ({"nobody": {"knows": ["this", 1e5]}}, {}),
        ],
    )
    async def test_numbers_may_be_texts_and_truths_too(
        self, members: dict[str, Any], values: dict[str, Any]
    ) -> None:
        async with Gatehouse() as house:
            expected = {**PLAIN, "positionIdx": 0, "account": house.account, **values}
            assert (await house.create(body(**members))).json["result"] == expected

    async def test_a_number_with_a_point_is_read_as_it_was_written(self) -> None:
        async with Gatehouse() as house:
            sent = '{"category":"linear","symbol":"BTCUSDT","qty":0.1000000000000000055511151231}'
            assert told(await house.create(sent))[2] == "Qty invalid"
            sent = sent.replace("0.1000000000000000055511151231", "1234567890123.123456789")
            assert (await house.create(sent)).json["result"]["qty"] == "1234567890123.123456789"

    @pytest.mark.parametrize(
        ("members", "text"),
        [
            ({"category": ""}, "Illegal category"),
            ({"category": "futures"}, "Illegal category"),
            ({"category": ["linear"]}, "Illegal category"),
            ({"symbol": ""}, "params error: symbol invalid"),
            ({"symbol": "btcusdt"}, "params error: symbol invalid"),
            ({"qty": "1e3"}, "Qty invalid"),
            ({"qty": 1e30}, "Qty invalid"),
            ({"qty": "-1"}, "Qty invalid"),
            ({"qty": "NaN"}, "Qty invalid"),
            ({"qty": "1_000"}, "Qty invalid"),
            ({"qty": True}, "Qty invalid"),
            ({"qty": {}}, "Qty invalid"),
            ({"qty": " 1"}, "Qty invalid"),
            ({"price": "1.12345"}, "params error: price invalid"),
            ({"side": "BUY"}, "Side invalid"),
            ({"reduceOnly": "yes"}, "params error: reduceOnly invalid"),
            ({"reduceOnly": 1}, "params error: reduceOnly invalid"),
            ({"positionIdx": 3}, "position idx not match position mode"),
            ({"positionIdx": 1.5}, "position idx not match position mode"),
            ({"margin": "-1000.1"}, "params error: margin invalid"),
            ({"at": -1}, "params error: at invalid"),
            ({"coins": ["A", "B", "C", "D"]}, "params error: coins invalid"),
            ({"coins": [1]}, "params error: coins invalid"),
        ],
    )
    async def test_what_is_wrong_is_named(self, members: dict[str, Any], text: str) -> None:
        async with Gatehouse() as house:
            assert told(await house.create(body(**members))) == (200, 10001, text)

    @pytest.mark.parametrize(
        ("members", "code", "text"),
        [
            ({"symbol": ""}, 170105, "Parameter 'symbol' was empty."),
            ({"symbol": "btc"}, 170121, "Invalid symbol."),
            ({"side": "buy"}, 170117, "Invalid side."),
            ({"qty": "x"}, 170130, "Data sent for paramter 'qty' is not valid."),
        ],
    )
    async def test_orders_of_pairs_have_codes_of_their_own(
        self, members: dict[str, Any], code: int, text: str
    ) -> None:
        async with Gatehouse() as house:
            assert told(await house.create(body(category="spot", **members))) == (200, code, text)

    @pytest.mark.parametrize(
        "sent",
        [
            "x",
            "[]",
            '"text"',
            "{",
            '{"a":}',
            '{"category":"linear","symbol":"BTCUSDT"} more',
            "category=linear&symbol=BTCUSDT",
            '{"a":NaN}',
            '{"a":' + "[" * 100_000 + "]" * 100_000 + "}",
            "{" + ",".join(f'"n{number}":1' for number in range(300)) + "}",
        ],
        ids=lambda sent: sent[:20],
    )
    async def test_a_body_that_is_no_object_is_no_request(self, sent: str) -> None:
        async with Gatehouse() as house:
            assert told(await house.create(sent)) == (200, 10001, "Request parameter error")

    async def test_bytes_that_are_no_text_are_no_request(self) -> None:
        async with Gatehouse() as house:
            reply = await ask(house.application, "POST", "/v5/order/create", body=b'{"a":"\xff"}')
            assert told(reply)[1] == 10003

    @pytest.mark.parametrize("requests", [[], {}, "x", [1], [[]], [{}] * 21])
    async def test_a_batch_that_is_none(self, requests: object) -> None:
        async with Gatehouse(counting="off") as house:
            sent = orjson.dumps({"category": "linear", "request": requests}).decode()
            reply = await house.send("POST", "/v5/order/create-batch", sent)
            assert told(reply) == (200, 10001, "params error: request invalid")

    async def test_one_of_several_must_be_sent(self) -> None:
        async with Gatehouse() as house:
            assert told(await house.realtime("category=linear")) == (
                200,
                10001,
                "Missing some parameters that must be filled in, symbol or settleCoin",
            )

    async def test_more_than_there_may_be_is_the_most_there_may_be(self) -> None:
        async with Gatehouse() as house:
            query = "category=linear&symbol=BTCUSDT&limit="
            assert (await house.realtime(query + "999")).json["result"]["limit"] == 50
            assert told(await house.realtime(query + "0"))[1] == 10001

    async def test_what_was_sent_comes_before_what_is_missing(self) -> None:
        async with Gatehouse() as house:
            assert told(await house.create('{"category":"linear","qty":"x"}'))[2] == "Qty invalid"


class TestPaths:
    async def test_one_that_there_is_not_is_named(self) -> None:
        async with Gatehouse() as house:
            reply = await house.knock("/v5/bot/create")
            assert told(reply) == (404, 10017, "Route not found. Not emulated: GET /v5/bot/create")

    async def test_one_that_is_called_by_another_method(self) -> None:
        async with Gatehouse() as house:
            reply = await house.knock("/v5/order/create")
            assert told(reply) == (400, 10017, "Route not found. GET /v5/order/create")
            assert reply.headers["allow"] == "POST, OPTIONS"

    async def test_a_sandbox_that_there_is_not(self) -> None:
        async with Gatehouse() as house:
            reply = await house.knock("/~elsewhere/v5/market/time")
            assert told(reply) == (404, 10017, "Route not found. There is no sandbox named 'elsewhere'.")

    async def test_a_get_has_no_body_not_even_an_empty_object(self) -> None:
        async with Gatehouse() as house:
            assert told(await house.knock(body="{}"))[:2] == (403, 403)
            assert told(await house.knock(headers={"transfer-encoding": "chunked"}))[:2] == (403, 403)
            assert told(await house.knock(headers={"content-length": "0"}))[1] == 0

    async def test_more_than_any_request_needs(self) -> None:
        async with Gatehouse() as house:
            sent = body(note="x" * 1_100_000)
            assert told(await house.create(sent))[:2] == (400, 10001)
            assert told(await house.knock(query="a=" + "x" * 70_000))[:2] == (400, 10001)


class TestOutages:
    async def test_what_was_not_decided_is_a_server_error(self) -> None:
        journal = FailingJournal()
        async with Gatehouse(journal=journal) as house:
            journal.fails = 1_000_000
            first = await house.send("POST", "/v5/position/confirm")
            assert told(first) == (200, 10000, "Server Timeout")
            assert told(await house.send("POST", "/v5/position/confirm")) == (200, 10016, "Server error.")
            journal.fails = 0

    async def test_a_rejection_is_told_in_the_exchanges_words(self) -> None:
        async with Gatehouse() as house:
            reply = await house.create('{"category":"linear","symbol":"POOR"}')
            assert told(reply) == (200, 110007, "ab not enough for new order")

    async def test_what_a_defect_of_ours_left_is_not_known(self) -> None:
        async with Gatehouse() as house:
            house.universe.defects["execute"] = 1
            # Half of it may be applied.
            assert told(await house.send("POST", "/v5/position/confirm")) == (200, 10000, "Server Timeout")
