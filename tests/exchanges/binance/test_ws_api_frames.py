"""Frames of the WebSocket API: what is a request, how it is answered, and what becomes of JSON's types."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest

from tests.exchanges.binance.switchboard import Caller, Switchboard
from tests.exchanges.binance.trading_floor import DEMO, LIMIT_BUY, NOW_MS, NOW_US
from tests.web.client import knock
from tests.web.serving import BINARY

pytestmark = pytest.mark.anyio

WRONG_ID = (
    "Invalid 'id' in JSON request; expected an integer, a string matching '^[a-zA-Z0-9-_]{1,36}$', or null."
)
WRONG_METHOD = "Invalid 'method' in JSON request; expected a string."
WRONG_PARAMS = "Invalid 'params' in JSON request; expected an object."
NO_JSON = "Invalid JSON Request"


@pytest.fixture
async def board() -> AsyncIterator[Switchboard]:
    async with Switchboard().on_air() as on_air:
        yield on_air


@pytest.fixture
async def caller(board: Switchboard) -> AsyncIterator[Caller]:
    async with board.call() as connected:
        yield connected


# Ids


@pytest.mark.parametrize(
    "id",
    [
        1,
        0,
        -1,
        2**63 - 1,
        -(2**63),
        None,
        "1",
        "a",
        "e2a85d9f-07a5-4f94-8d5f-789dc3deb097",
        "my_new_order",
        "-" * 36,
    ],
)
async def test_an_id_comes_back_as_it_is(id: Any, caller: Caller) -> None:
    for method, params in (("ping", {}), ("ping", {"x": 1}), ("nothing", {}), ("ping", [])):
        answer = await caller.ask(method, params, id=id)  # type: ignore[arg-type]  # the wrong one on purpose
        assert (answer["id"], type(answer["id"])) == (id, type(id))
        assert next(iter(answer)) == "id"


@pytest.mark.parametrize(
    "id", ["", "a" * 37, "ä", "a b", "a\n", '"', 1.5, 1.0, 2**63, -(2**63) - 1, True, [], {}, ["1"]]
)
async def test_what_is_no_id_is_refused(id: Any, caller: Caller) -> None:
    await caller.say(_text({"id": id, "method": "ping"}))
    assert await caller.next() == {"id": None, "status": 400, "error": {"code": -1135, "msg": WRONG_ID}}


def _text(frame: Any) -> str:
    # Not all of these integers are what orjson writes.
    return json.dumps(frame)


# Frames


@pytest.mark.parametrize(
    ("text", "id", "message"),
    [
        ("", None, NO_JSON),
        ("{", None, NO_JSON),
        ("nothing", None, NO_JSON),
        ("NaN", None, NO_JSON),
        ('{"id":1,"method":"ping"}{}', None, NO_JSON),
        ('{"id":1,"method":"ping","params":{"symbol":"\\ud800"}}', None, NO_JSON),
        ("[" * 5000, None, NO_JSON),
        ("[]", None, NO_JSON),
        ('"ping"', None, NO_JSON),
        ("null", None, NO_JSON),
        ("{}", None, WRONG_ID),
        ('{"method":"ping"}', None, WRONG_ID),
        ('{"id":7}', 7, WRONG_METHOD),
        ('{"id":7,"method":null}', 7, WRONG_METHOD),
        ('{"id":7,"method":["ping"]}', 7, WRONG_METHOD),
        ('{"id":7,"method":"ping","params":[]}', 7, WRONG_PARAMS),
        ('{"id":7,"method":"ping","params":""}', 7, WRONG_PARAMS),
        (
            '{"id":7,"method":"depth","params":{"symbol":{}}}',
            7,
            "JSON sent for parameter 'symbol' is not valid",
        ),
        (
            '{"id":7,"method":"depth","params":{"symbol":[[]]}}',
            7,
            "JSON sent for parameter 'symbol' is not valid",
        ),
        (
            '{"id":7,"method":"depth","params":{"limit":1.5,"symbol":{}}}',
            7,
            "JSON sent for parameter 'symbol' is not valid",
        ),
    ],
)
async def test_what_is_no_request_is_refused(text: str, id: Any, message: str, caller: Caller) -> None:
    await caller.say(text)
    assert await caller.next() == {"id": id, "status": 400, "error": {"code": -1135, "msg": message}}
    assert await caller.take("ping") == {}


async def test_deep_nesting_beside_a_number_is_refused(caller: Caller) -> None:
    await caller.say(f'{{"id":7,"method":"ping","x":{"[" * 1000}{"]" * 1000},"params":{{"a":1.5}}}}')
    assert (await caller.next())["error"]["code"] in (-1135, -1104)
    assert await caller.take("ping") == {}


async def test_too_many_parameters_are_not_looked_at(caller: Caller) -> None:
    assert await caller.no("ping", {str(number): "" for number in range(257)}) == (
        400,
        -1101,
        "Too many parameters sent for this endpoint.",
    )


async def test_parameters_may_be_absent_or_null(caller: Caller) -> None:
    for text in ('{"id":1,"method":"ping"}', '{"id":1,"method":"ping","params":null}'):
        await caller.say(text)
        assert (await caller.next())["result"] == {}


async def test_further_members_are_not_looked_at(caller: Caller) -> None:
    await caller.say('{"id":1,"method":"ping","jsonrpc":"2.0"}')
    assert (await caller.next())["status"] == 200


async def test_what_is_too_long_ends_the_connection(caller: Caller) -> None:
    await caller.say('{"id":1,"method":"ping","params":{"a":"' + "x" * 300_000 + '"}}')
    assert (await caller.closed())[0] == 1009


async def test_bytes_that_are_no_text_are_refused(board: Switchboard) -> None:
    async with board.bare() as bare:
        bare.send(b"\xff\xfe", BINARY)
        frame = await bare.frame()
        assert frame is not None
        assert orjson.loads(frame.payload)["error"] == {"code": -1135, "msg": NO_JSON}


# Parameters


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"quantity": 0.01, "price": 90000},
        {"quantity": 0.01, "price": 90000.0},
        {"recvWindow": 5000},
        {"recvWindow": "5000"},
        {"recvWindow": 5000.5},
        {"timestamp": str(NOW_MS)},
        {"timestamp": NOW_US},
        {"strategyId": 1, "strategyType": "1000000"},
        {"returnRateLimits": False},
        {"returnRateLimits": "false"},
    ],
)
async def test_numbers_may_be_texts_and_texts_numbers(
    changes: dict[str, Any], board: Switchboard, caller: Caller
) -> None:
    placed = await caller.own("order.place", DEMO, **{**LIMIT_BUY, **changes})
    assert (placed["origQty"], placed["price"]) == ("0.01000000", "90000.00000000")


async def test_numbers_are_signed_as_they_are_sent(board: Switchboard, caller: Caller) -> None:
    """As text, a number may have zeros at its end or an exponent that a decoder would not keep."""
    for number in ("0.010", "0.01000000", "10.00e-3", "1E-2"):
        signed = board.sign(**{**LIMIT_BUY, "quantity": number})
        text = orjson.dumps({"id": 1, "method": "order.test", "params": signed}).decode()
        await caller.say(text.replace(f'"{number}"', number))
        answer = await caller.next()
        # What has an exponent is no amount, but it is signed all the same.
        assert answer["status"] == (200 if "e" not in number.lower() else 400), number
        assert answer.get("error", {"code": -1100})["code"] == -1100


async def test_arrays_are_lists(caller: Caller) -> None:
    for symbols in (["BTCUSDT", "ETHUSDT"], '["BTCUSDT","ETHUSDT"]'):
        found = await caller.take("ticker.price", {"symbols": symbols})
        assert [each["symbol"] for each in found] == ["BTCUSDT", "ETHUSDT"]
    assert len((await caller.take("exchangeInfo", {"permissions": ["SPOT"]}))["symbols"]) > 2


async def test_truths_are_truths(caller: Caller) -> None:
    for truth in (True, "true", "True"):
        found = await caller.own("account.status", DEMO, omitZeroBalances=truth)
        assert all(float(each["free"]) for each in found["balances"])


@pytest.mark.parametrize(
    ("params", "code", "text"),
    [
        ({}, -1102, "Mandatory parameter 'symbol' was not sent, was empty/null, or malformed."),
        ({"symbol": None}, -1105, "Parameter 'symbol' was empty."),
        ({"symbol": ""}, -1105, "Parameter 'symbol' was empty."),
        ({"symbol": "NOSUCH"}, -1121, "Invalid symbol."),
        ({"symbol": ["BTCUSDT"]}, -1100, None),
        ({"symbol": True}, -1100, None),
        ({"symbol": "BTCUSDT", "limit": 1.5}, -1100, None),
        ({"symbol": "BTCUSDT", "limit": -1}, -1100, None),
        ({"symbol": "BTCUSDT", "limit": 2**64}, -1108, "Parameter 'limit' overflowed."),
        ({"symbol": "BTCUSDT", "limit": 10**30}, -1100, None),
        (
            {"symbol": "BTCUSDT", "other": 1, "another": 2},
            -1104,
            "Not all sent parameters were read; read '1' parameter(s) but was sent '3'.",
        ),
    ],
)
async def test_parameters_are_refused_as_over_rest(
    params: dict[str, Any], code: int, text: str | None, caller: Caller
) -> None:
    await caller.say(_text({"id": 1, "method": "depth", "params": params}))
    answer = await caller.next()
    assert answer["status"] == 400
    assert answer["error"]["code"] == code, answer
    assert text in (None, answer["error"]["msg"])


# binance-connector-js, issue 318.
async def test_a_method_without_parameters_reads_none(caller: Caller) -> None:
    for method in ("ping", "session.status", "userDataStream.subscribe"):
        assert await caller.no(method, {"apiKey": "x"}) == (
            400,
            -1104,
            "Not all sent parameters were read; read '0' parameter(s) but was sent '1'.",
        )


# What the address says


async def test_rate_limits_come_with_every_answer_unless_told_otherwise(board: Switchboard) -> None:
    async with board.call() as caller:
        answer = await caller.ask("ping")
        assert answer["rateLimits"] == [
            {
                "rateLimitType": "REQUEST_WEIGHT",
                "interval": "MINUTE",
                "intervalNum": 1,
                "limit": 6000,
                # The connection weighs 2.
                "count": 3,
            }
        ]
        assert "rateLimits" in await caller.ask("depth", {})
        assert "rateLimits" not in await caller.ask("ping", {"returnRateLimits": False})
        assert "rateLimits" not in await caller.ask("depth", {"returnRateLimits": False})
        assert (await caller.take("session.status"))["returnRateLimits"] is True
    async with board.call("returnRateLimits=false") as caller:
        assert "rateLimits" not in await caller.ask("ping")
        assert "rateLimits" in await caller.ask("ping", {"returnRateLimits": True})
        assert "rateLimits" in await caller.ask("ping", {"returnRateLimits": "true"})
        assert (await caller.take("session.status"))["returnRateLimits"] is False
        assert await caller.no("ping", {"returnRateLimits": "no"}) == (
            400,
            -1130,
            "Data sent for parameter 'returnRateLimits' is not valid.",
        )


async def test_orders_are_counted_where_they_matter(board: Switchboard, caller: Caller) -> None:
    def kinds(answer: Any) -> list[tuple[str, str, int]]:
        return [(each["rateLimitType"], each["interval"], each["count"]) for each in answer["rateLimits"]]

    placed = await caller.ask("order.place", board.sign(**LIMIT_BUY))
    assert kinds(placed) == [("ORDERS", "SECOND", 1), ("ORDERS", "DAY", 1), ("REQUEST_WEIGHT", "MINUTE", 2)]
    assert [each["limit"] for each in placed["rateLimits"]] == [100, 200_000, 6000]
    refused = await caller.ask("order.place", board.sign(**{**LIMIT_BUY, "quantity": "200"}))
    assert refused["error"]["code"] == -1013
    assert kinds(refused) == [("ORDERS", "SECOND", 1), ("ORDERS", "DAY", 1), ("REQUEST_WEIGHT", "MINUTE", 3)]
    unknown = await caller.ask("order.place", {**board.sign(**LIMIT_BUY), "signature": "00"})
    assert [kind for kind, _, _ in kinds(unknown)] == ["REQUEST_WEIGHT"]
    tested = await caller.ask("order.test", board.sign(**LIMIT_BUY))
    assert [kind for kind, _, _ in kinds(tested)] == ["REQUEST_WEIGHT"]
    counted = await caller.ask("account.rateLimits.orders", board.sign())
    assert [kind for kind, _, _ in kinds(counted)] == ["REQUEST_WEIGHT"]


@pytest.mark.parametrize(
    ("query", "serverTime"),
    [
        ("", NOW_MS),
        ("timeUnit=MILLISECOND", NOW_MS),
        ("timeUnit=millisecond", NOW_MS),
        ("timeUnit=MICROSECOND", NOW_US),
        ("timeUnit=microsecond", NOW_US),
        ("responseFormat=json&timeUnit=microsecond", NOW_US),
    ],
)
async def test_times_are_in_the_unit_that_the_address_names(
    query: str, serverTime: int, board: Switchboard
) -> None:
    async with board.call(query) as caller:
        assert await caller.take("time") == {"serverTime": serverTime}
        state = await caller.take("session.logon", board.sign())
        assert (state["serverTime"], state["connectedSince"], state["authorizedSince"]) == (serverTime,) * 3
        assert (await caller.own("order.place", **LIMIT_BUY))["transactTime"] == serverTime


@pytest.mark.parametrize(
    ("query", "code"),
    [
        (b"timeUnit=NANOSECOND", -1194),
        (b"returnRateLimits=perhaps", -1130),
        # faqs/sbe_faq.md: 400 where SBE is not enabled.
        (b"responseFormat=sbe", -1155),
        (b"responseFormat=sbe&sbeSchemaId=3&sbeSchemaVersion=0", -1155),
    ],
)
async def test_an_address_that_asks_for_what_there_is_not_is_refused(
    query: bytes, code: int, board: Switchboard
) -> None:
    reply = await knock(board.application, "/ws-api/v3", query=query)
    assert (reply.status, reply.code) == (400, code)
    assert reply.headers["content-type"] == "application/json;charset=UTF-8"


async def test_other_addresses_are_not_served(board: Switchboard) -> None:
    for path in ("/ws-api", "/ws-api/v2", "/ws-api/v3/x"):
        assert (await knock(board.application, path)).status == 404
