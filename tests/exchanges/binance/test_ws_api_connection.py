"""A connection to the WebSocket API as a whole: quotas, requests in flight, pings, its end, what is kept."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest

from emulator.exchanges.binance.lifetime import LIFE_US, SPOT_HEARTBEAT
from emulator.exchanges.binance.limits import VIOLATIONS_TOLERATED, Limits
from emulator.exchanges.binance.ws_api.connection import IN_FLIGHT_MAX
from tests.exchanges.binance.switchboard import PATH, Switchboard
from tests.exchanges.binance.trading_floor import DEMO, LIMIT_BUY, NOW_MS, OTHER
from tests.runtime.universe import IMPATIENT, FailingJournal
from tests.web.client import knock
from tests.web.serving import CLOSE, PING, PONG, TEXT, head, serving

pytestmark = pytest.mark.anyio

MINUTE_MS = 60_000


@pytest.fixture
async def board() -> AsyncIterator[Switchboard]:
    async with Switchboard().on_air() as on_air:
        yield on_air


@pytest.fixture
def journal() -> FailingJournal:
    return FailingJournal()


def limited(**figures: Any) -> Switchboard:
    return Switchboard(counting="on", limits=Limits(**figures))


# Quotas


async def test_weight_that_is_used_up_is_refused_until_the_next_minute() -> None:
    async with limited(weight_per_minute=30).on_air() as board, board.call() as caller:
        assert (await caller.ask("exchangeInfo", {"symbol": "BTCUSDT"}))["rateLimits"][-1]["count"] == 22
        answer = await caller.ask("exchangeInfo", {"symbol": "BTCUSDT"}, id="x")
        end_of_minute = NOW_MS - NOW_MS % MINUTE_MS + MINUTE_MS
        assert answer == {
            "id": "x",
            "status": 429,
            "error": {
                "code": -1003,
                "msg": "Too much request weight used; current limit is 30 request weight per 1 MINUTE. "
                "Please use WebSocket Streams for live updates to avoid polling the API.",
                "data": {"serverTime": NOW_MS, "retryAfter": end_of_minute},
            },
            "rateLimits": answer["rateLimits"],
        }
        assert (await caller.ask("ping"))["status"] == 429
        await board.sandbox.step_clock((end_of_minute - NOW_MS) * 1000)
        assert await caller.take("ping") == {}


async def test_weight_is_shared_by_all_connections_and_rest() -> None:
    async with limited(weight_per_minute=10).on_air() as board:
        async with board.call() as first, board.call() as second:
            assert (await first.ask("depth", {"symbol": "BTCUSDT"}))["rateLimits"][-1]["count"] == 9
            await second.take("ping")
            assert (await second.ask("ping"))["status"] == 429
        assert (await board.ask("GET", "/api/v3/ping")).status == 429
        # Neither is there weight left for another connection.
        assert (await knock(board.application, PATH)).status == 429


async def test_who_goes_on_is_banned_and_disconnected() -> None:
    async with limited(weight_per_minute=3).on_air() as board, board.call("timeUnit=MICROSECOND") as caller:
        await caller.take("ping")
        for _ in range(VIOLATIONS_TOLERATED):
            assert (await caller.ask("ping"))["status"] == 429
        answer = await caller.ask("ping", id="last")
        until_ms = NOW_MS + 2 * MINUTE_MS
        assert (answer["id"], answer["status"]) == ("last", 418)
        assert answer["error"] == {
            "code": -1003,
            "msg": f"Way too much request weight used; IP banned until {until_ms}. "
            "Please use WebSocket Streams for live updates to avoid bans.",
            "data": {"serverTime": NOW_MS * 1000, "retryAfter": until_ms * 1000},
        }
        assert await caller.closed() == (1008, "The IP is banned")
        refused = await knock(board.application, PATH)
        assert (refused.status, refused.code) == (418, -1003)
        assert refused.headers["retry-after"] == "120"
        await board.sandbox.step_clock(2 * MINUTE_MS * 1000)
        async with board.call() as again:
            await again.take("ping")


async def test_broken_frames_weigh_too() -> None:
    async with limited(weight_per_minute=4).on_air() as board, board.call() as caller:
        for _ in range(2):
            await caller.say("{")
            assert (await caller.next())["status"] == 400
        for text, id in (("{", None), ('{"id":1,"method":"no"}', 1)):
            await caller.say(text)
            refused = await caller.next()
            assert (refused["id"], refused["status"], refused["error"]["code"]) == (id, 429, -1003)
        for _ in range(VIOLATIONS_TOLERATED - 1):
            await caller.say("{")
        assert (await caller.closed())[0] == 1008


async def test_too_many_orders_are_refused() -> None:
    async with limited(orders_per_10_seconds=2).on_air() as board, board.call() as caller:
        for _ in range(2):
            await caller.own("order.place", **LIMIT_BUY)
        answer = await caller.ask("order.place", board.sign(**LIMIT_BUY))
        end_of_window = NOW_MS - NOW_MS % 10_000 + 10_000
        assert (answer["status"], answer["error"]) == (
            429,
            {
                "code": -1015,
                "msg": "Too many new orders; current limit is 2 orders per 10 SECOND.",
                "data": {"serverTime": NOW_MS, "retryAfter": end_of_window},
            },
        )
        assert [each["count"] for each in answer["rateLimits"][:2]] == [2, 2]
        # They are the account's, not the connection's.
        assert (await caller.own("order.place", OTHER, **LIMIT_BUY))["status"] == "NEW"
        # web-socket-api.md, "Cancel and replace order": what became of both halves.
        replace = board.sign(
            **LIMIT_BUY,
            cancelReplaceMode="ALLOW_FAILURE",
            cancelOrderId=1,
            orderRateLimitExceededMode="CANCEL_ONLY",
        )
        answer = await caller.ask("order.cancelReplace", replace)
        assert (answer["status"], answer["error"]["code"]) == (409, -2021)
        assert answer["error"]["data"]["newOrderResponse"]["code"] == -1015
        assert [each["rateLimitType"] for each in answer["rateLimits"]] == [
            "ORDERS",
            "ORDERS",
            "REQUEST_WEIGHT",
        ]


async def test_too_many_connections_are_refused() -> None:
    async with limited(connections_per_5_minutes=2).on_air() as board:
        async with board.call(), board.call() as caller:
            assert (await caller.ask("ping"))["rateLimits"][0]["count"] == 5
            refused = await knock(board.application, PATH)
            assert (refused.status, refused.code) == (429, -1034)
            assert (
                await knock(board.application, PATH, source_ip="10.0.0.1", query=b"timeUnit=x")
            ).code == -1194
        await board.sandbox.step_clock(5 * MINUTE_MS * 1000)
        async with board.call() as caller:
            await caller.take("ping")


async def test_nothing_is_refused_where_nothing_counts(board: Switchboard) -> None:
    async with board.call() as caller:
        quotas = board.door.quotas(board.sandbox)
        quotas.charge("127.0.0.1", 1_000_000, board.sandbox.clock.now_us())
        assert await caller.take("ping") == {}


async def test_too_many_pings_and_pongs_end_the_connection() -> None:
    async with limited().on_air() as board, board.bare() as bare:
        for _ in range(12):
            bare.send(b"", PING)
        while (frame := await bare.frame()) is not None and frame.opcode == PONG:
            pass
        assert frame is not None
        assert (frame.opcode, frame.code) == (CLOSE, 1008)


# In flight


async def test_requests_do_not_wait_for_each_other(journal: FailingJournal) -> None:
    async with Switchboard(journal=journal).on_air() as board, board.call() as caller:
        journal.gate = asyncio.Event()
        for number in range(3):
            name = f"n{number}"
            await caller.send("order.place", board.sign(**LIMIT_BUY, newClientOrderId=name), id=name)
            # Each sees what was decided before it, though nobody has been answered yet.
            await caller.send(
                "order.cancel", board.sign(symbol="BTCUSDT", origClientOrderId=name), id=f"c{number}"
            )
        assert (await caller.ask("ping", id="ping"))["id"] == "ping"
        journal.gate.set()
        answers = [await caller.answer() for _ in range(6)]
        assert [answer["id"] for answer in answers] == ["n0", "c0", "n1", "c1", "n2", "c2"]
        assert {answer["status"] for answer in answers} == {200}
        assert [answer["result"]["status"] for answer in answers[1::2]] == ["CANCELED"] * 3


async def test_a_query_sees_what_was_before_it_and_not_what_came_after_it(board: Switchboard) -> None:
    name = {"symbol": "BTCUSDT", "origClientOrderId": "mine"}
    frames = [
        orjson.dumps({"id": number, "method": method, "params": board.sign(**params)})
        for number, (method, params) in enumerate(
            (
                ("order.place", {**LIMIT_BUY, "newClientOrderId": "mine"}),
                ("order.status", name),
                ("allOrders", {"symbol": "BTCUSDT"}),
                ("order.cancel", name),
                ("order.status", name),
            )
        )
    ]
    async with board.bare() as bare:
        # In one write, so that they are read together.
        bare.writer.write(b"".join(head(TEXT, len(frame)) + frame for frame in frames))
        results: dict[int, Any] = {}
        for _ in frames:
            told = await bare.frame()
            assert told is not None
            answer = orjson.loads(told.payload)
            assert answer["status"] == 200, answer
            results[answer["id"]] = answer["result"]
    assert [results[1]["status"], results[4]["status"]] == ["NEW", "CANCELED"]
    assert [order["status"] for order in results[2]] == ["NEW"]


async def test_reading_stops_while_too_many_requests_wait(journal: FailingJournal) -> None:
    async with Switchboard(journal=journal).on_air() as board, board.call() as caller:
        journal.gate = asyncio.Event()
        many = 5 * IN_FLIGHT_MAX
        params = board.sign(symbol="BTCUSDT")
        await caller.own("userDataStream.subscribe.signature")
        await caller.send("order.place", board.sign(**LIMIT_BUY), id="first")
        padding = "x" * 1000

        async def send() -> None:
            for number in range(many):
                # Reads that wait for what the first request did; long, so that few fit into what is read at
                # once.
                await caller.say(
                    orjson.dumps(
                        {"id": number, "method": "openOrders.status", "params": params, "ignored": padding}
                    ).decode()
                )

        sending = asyncio.create_task(send())
        (session,) = board.sessions
        async with asyncio.timeout(10):
            while not session.is_paused:  # noqa: ASYNC110 - nothing tells of the server's end
                await asyncio.sleep(0)
        # What was read together with the last one that it takes is taken too.
        assert IN_FLIGHT_MAX <= session.in_flight < 2 * IN_FLIGHT_MAX
        journal.gate.set()
        await asyncio.wait_for(sending, 10)
        answers = [await caller.answer() for _ in range(many + 1)]
        assert [answer["id"] for answer in answers] == ["first", *range(many)]
        assert not session.is_paused


async def test_what_was_decided_stands_when_the_client_is_gone(journal: FailingJournal) -> None:
    async with Switchboard(journal=journal).on_air() as board:
        journal.gate = asyncio.Event()
        async with board.call() as caller:
            await caller.send("order.place", board.sign(**LIMIT_BUY), id=1)
            await caller.ask("ping")
        journal.gate.set()
        (order,) = await board.get("openOrders")
        assert order["status"] == "NEW"


async def test_an_outage_is_told_as_over_rest(journal: FailingJournal) -> None:
    board = Switchboard(journal=journal, patience=IMPATIENT)
    async with board.on_air(), board.call() as caller:
        journal.fails = 1_000_000
        unknown = await caller.ask("order.place", board.sign(**LIMIT_BUY))
        assert (unknown["status"], unknown["error"]["code"]) == (504, -1007)
        undone = await caller.ask("order.place", board.sign(**LIMIT_BUY))
        assert (undone["status"], undone["error"]["code"]) == (503, -1001)
        assert await caller.take("ping") == {}
        journal.fails = 0


# Life


async def test_pings_come_with_the_sandboxs_clock(board: Switchboard) -> None:
    async with board.bare() as bare:
        await board.sandbox.step_clock(SPOT_HEARTBEAT.ping_every_s * 1_000_000)
        frame = await bare.frame()
        assert frame is not None
        assert frame.opcode == PING
        assert frame.payload.isdigit()
        bare.send(frame.payload, PONG)
        bare.send(b'{"id":1,"method":"ping"}')
        answer = await bare.frame()
        assert answer is not None
        assert answer.opcode == TEXT
        await board.sandbox.step_clock(SPOT_HEARTBEAT.ping_every_s * 1_000_000)
        again = await bare.frame()
        assert again is not None
        assert again.opcode == PING


async def test_pings_are_answered(board: Switchboard) -> None:
    async with board.bare() as bare:
        bare.send(b"payload", PING)
        frame = await bare.frame()
        assert frame is not None
        assert (frame.opcode, frame.payload) == (PONG, b"payload")


async def test_a_connection_lasts_for_a_day(board: Switchboard) -> None:
    async with board.call() as caller:
        await board.sandbox.step_clock(LIFE_US - 1_000_000)
        await caller.take("ping")
        await board.sandbox.step_clock(1_000_000)
        assert (await caller.closed())[0] == 1001


async def test_a_stopping_server_says_so() -> None:
    board = Switchboard()
    async with board:
        async with serving(board.application) as board.port:
            connecting = board.call()
            caller = await connecting.__aenter__()
            await caller.take("ping")
            micro = board.call("timeUnit=MICROSECOND")
            fine = await micro.__aenter__()
        for each, now in ((caller, NOW_MS), (fine, NOW_MS * 1000)):
            assert await each.next() == {"event": {"e": "serverShutdown", "E": now}}
            assert (await each.closed())[0] == 1012
        await connecting.__aexit__(None, None, None)
        await micro.__aexit__(None, None, None)


async def test_a_reset_ends_the_connection(board: Switchboard) -> None:
    async with board.call() as caller:
        await caller.own("userDataStream.subscribe.signature")
        await board.sandboxes.reset("default")
        assert (await caller.closed())[0] == 1012


# What is kept


async def test_requests_are_remembered_without_their_secrets(board: Switchboard) -> None:
    async with board.call("returnRateLimits=false") as caller:
        await caller.own("order.place", **LIMIT_BUY)
        await caller.ask("v3/order.place", board.sign(OTHER, **{**LIMIT_BUY, "symbol": "NOSUCH"}))
        await caller.ask("nothing", {"a": 1})
        await caller.say("{")
        await caller.next()
        await caller.own("session.logon")
        await caller.take("account.status", {"timestamp": NOW_MS})
    opened, placed, refused, unknown, broken, logon, status = board.application.recorder.read()
    assert (opened["method"], opened["path"], opened["query"]) == ("GET", PATH, "returnRateLimits=false")
    assert opened["status"] == 101
    assert (placed["method"], placed["path"], placed["status"], placed["code"]) == (
        "order.place",
        PATH,
        200,
        None,
    )
    assert placed["account"] == board.sandbox.accounts[DEMO]
    assert placed["key"] == "key-of…"
    assert "symbol=BTCUSDT" in placed["body"]
    assert (refused["method"], refused["status"], refused["code"]) == ("v3/order.place", 400, -1121)
    assert refused["account"] == board.sandbox.accounts[OTHER]
    assert (unknown["method"], unknown["code"], unknown["body"]) == ("nothing", -1020, "a=1")
    assert (broken["method"], broken["code"], broken["body"]) == ("", -1135, "{")
    assert (logon["method"], logon["account"]) == ("session.logon", board.sandbox.accounts[DEMO])
    assert (status["account"], status["key"]) == (board.sandbox.accounts[DEMO], "key-of…")
    assert board.application.counts.refusals == 3
    kept = orjson.dumps(board.application.recorder.read())
    assert board.sign(**LIMIT_BUY)["signature"].encode() not in kept


async def test_a_caller_that_sends_anything_gets_answers(board: Switchboard) -> None:
    """Every frame is answered, whatever it holds, and the connection goes on."""
    values: list[Any] = [
        None,
        True,
        0,
        -1,
        1.5,
        1e300,
        10**40,
        "",
        "x",
        "\x00",
        "ä",
        [],
        ["a"],
        [[]],
        {},
        {"a": 1},
    ]
    methods = [
        "order.place",
        "exchangeInfo",
        "session.logon",
        "userDataStream.unsubscribe",
        "allOrders",
        "klines",
    ]
    async with board.call() as caller:
        await caller.own("session.logon")
        sent = 0
        for method in methods:
            for name in ("symbol", "symbols", "timestamp", "limit", "apiKey", "signature", "subscriptionId"):
                for value in values:
                    params = {"timestamp": NOW_MS, name: value}
                    await caller.say(_text({"id": sent, "method": method, "params": params}))
                    sent += 1
        seen: set[int] = set()
        while len(seen) < sent:
            answer = await caller.answer()
            assert answer["status"] in (200, 400, 401), answer
            assert answer["error"]["code"] != -1000 if "error" in answer else True
            seen.add(answer["id"])
        assert board.application.counts.defects == 0


def _text(frame: Any) -> str:
    return json.dumps(frame)
