"""The way of a request: place, table, body, sandbox, answer, and what is remembered of it."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest
from starlette.requests import Request as HttpRequest
from starlette.responses import PlainTextResponse
from starlette.routing import Route as HttpRoute

from emulator.runtime.ports import KeyRecord
from emulator.web.recorder import RECORDS_MAX, Recorder, mask_pairs
from emulator.web.server import BODY_MAX, QUERY_MAX
from tests.runtime.universe import deposit
from tests.web.client import ask
from tests.web.toy import House

pytestmark = pytest.mark.anyio

KEY = {"X-Toy-Key": "demo-key"}


async def test_a_read_is_answered(house: House) -> None:
    reply = await ask(house.application, "GET", "/api/v3/echo", query="word=hi")
    assert reply.status == 200
    assert reply.json == {"said": {"word": "hi"}, "sandbox": "default"}
    assert reply.headers["content-type"] == "application/json"
    assert reply.headers["content-length"] == str(len(reply.content))
    assert reply.headers["x-toy-settled"] == "yes"


@pytest.mark.parametrize("path", ["/api/v3/echo", "/binance/api/v3/echo", "/~default/binance/api/v3/echo"])
async def test_every_way_to_name_a_site_leads_there(house: House, path: str) -> None:
    assert (await ask(house.application, "GET", path)).status == 200


async def test_a_form_comes_in_pieces(house: House) -> None:
    reply = await ask(
        house.application, "POST", "/api/v3/echo", query="a=1", parts=[b"wo", b"rd=", b"hi", b""]
    )
    assert reply.json["said"] == {"word": "hi", "a": "1"}


async def test_the_body_of_a_get_is_not_read(house: House) -> None:
    reply = await ask(house.application, "GET", "/api/v3/echo", body="word=hi")
    assert reply.json["said"] == {}


async def test_head_is_a_get_without_its_body(house: House) -> None:
    reply = await ask(house.application, "HEAD", "/api/v3/echo")
    assert (reply.status, reply.content) == (200, b"")
    assert int(reply.headers["content-length"]) > 0


async def test_a_row_may_stand_for_many_paths(house: House) -> None:
    for path in ("/binance/shelves/1/2", "/binance/shelves/a-b/c%d"):
        assert (await ask(house.application, "GET", path)).status == 206
    for path in ("/binance/shelves/1", "/binance/shelves/1/", "/binance/shelves/1/2/3", "/binance/cellar/"):
        assert (await ask(house.application, "GET", path)).json["code"] == "unknown_path"
    reply = await ask(house.application, "GET", "/binance/cellar/deep/down")
    assert reply.json["said"] == {"path": "/cellar/deep/down"}
    wrong = await ask(house.application, "POST", "/binance/shelves/1/2")
    assert (wrong.status, wrong.headers["allow"]) == (405, "GET, HEAD, OPTIONS")


async def test_a_row_may_say_how_its_answer_goes_out(house: House) -> None:
    reply = await ask(house.application, "GET", "/binance/shelves/1/2")
    assert (reply.status, reply.content) == (206, b"/shelves")
    assert reply.headers["content-type"] == "text/plain"
    assert reply.headers["content-length"] == "8"
    assert reply.headers["x-letters"] == "8"
    assert reply.headers["x-toy-settled"] == "yes"
    head = await ask(house.application, "HEAD", "/binance/shelves/1/2")
    assert (head.status, head.content, head.headers) == (206, b"", reply.headers)


async def test_options_tells_the_methods(house: House) -> None:
    reply = await ask(house.application, "OPTIONS", "/api/v3/echo")
    assert reply.status == 204
    assert reply.headers["allow"] == "GET, HEAD, POST, OPTIONS"


async def test_a_wrong_method_tells_the_right_ones(house: House) -> None:
    reply = await ask(house.application, "PUT", "/api/v3/balance")
    assert (reply.status, reply.code) == (405, "wrong_method")
    assert reply.headers["allow"] == "GET, HEAD, DELETE, OPTIONS"


@pytest.mark.parametrize(
    ("path", "code", "says"),
    [
        ("/api/v3/gone", "not_emulated", "GET /api/v3/gone: it left"),
        ("/api/v3/lend/money", "not_emulated", "GET /api/v3/lend/money: nobody lends here"),
        ("/api/v3/nonsense", "unknown_path", "GET /api/v3/nonsense"),
    ],
)
async def test_a_path_that_nobody_answers_is_named(house: House, path: str, code: str, says: str) -> None:
    reply = await ask(house.application, "GET", path)
    assert (reply.status, reply.json) == (404, {"code": code, "msg": says})


async def test_a_site_that_is_not_served_is_named(house: House) -> None:
    reply = await ask(house.application, "GET", "/v5/market/time")
    assert reply.status == 404
    assert "'bybit' is not served" in reply.json["msg"]


async def test_an_endless_path_is_not_echoed(house: House) -> None:
    reply = await ask(house.application, "GET", "/api/v3/" + "x" * 50_000)
    assert reply.status == 404
    assert len(reply.content) < 1000


async def test_the_frame_answers_what_no_site_does(house: House) -> None:
    async def page(request: HttpRequest) -> PlainTextResponse:
        return PlainTextResponse("a page")

    application = house.build((HttpRoute("/docs", page),))
    assert (await ask(application, "GET", "/docs")).content == b"a page"
    nothing = await ask(application, "GET", "/nonsense")
    assert nothing.status == 404
    assert "/binance/" in nothing.json["sites"]


@pytest.mark.parametrize("declared", [True, False])
async def test_a_body_beyond_the_bound_is_refused(house: House, declared: bool) -> None:
    large = b"word=" + b"x" * BODY_MAX
    if declared:
        reply = await ask(house.application, "POST", "/api/v3/echo", body=large)
    else:
        half = len(large) // 2
        reply = await ask(house.application, "POST", "/api/v3/echo", parts=[large[:half], large[half:], b""])
    assert (reply.status, reply.code) == (413, "too_large")
    assert reply.headers["connection"] == "close"


async def test_the_largest_body_is_read(house: House) -> None:
    largest = b"word=" + b"x" * (BODY_MAX - 5)
    assert (await ask(house.application, "POST", "/api/v3/echo", body=largest)).status == 200


async def test_a_request_that_breaks_off_is_not_run(house: House) -> None:
    """Half a body may read like a whole one, so it must not be looked at."""
    sent: list[object] = []
    messages = [
        {"type": "http.request", "body": b"amount=1", "more_body": True},
        {"type": "http.disconnect"},
    ]

    async def receive() -> Any:
        return messages.pop(0)

    async def send(message: object) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "DELETE",
        "path": "/api/v3/balance",
        "query_string": b"",
        "headers": [(b"x-toy-key", b"demo-key")],
        "server": None,
        "client": None,
    }
    await house.application(scope, receive, send)
    assert sent == []
    reply = await ask(house.application, "GET", "/api/v3/balance", headers=KEY)
    assert reply.json["balance"] == "1000"


async def test_a_query_beyond_the_bound_is_refused(house: House) -> None:
    reply = await ask(house.application, "GET", "/api/v3/echo", query="word=" + "x" * QUERY_MAX)
    assert (reply.status, reply.code) == (413, "too_large")


async def test_a_rejection_leaves_in_the_dialects_words(house: House) -> None:
    reply = await ask(house.application, "DELETE", "/api/v3/balance", body="amount=5000", headers=KEY)
    assert (reply.status, reply.json) == (400, {"code": "InsufficientBalance", "msg": "Withdraw"})
    assert house.dialect.settled == ["InsufficientBalance"]


async def test_a_command_is_answered_when_it_is_durable(house: House) -> None:
    reply = await ask(house.application, "DELETE", "/api/v3/balance", query="amount=1", headers=KEY)
    assert reply.json["balance"] == "999"
    sandbox = house.universe.sandboxes.default
    assert sandbox.durable_sequence == sandbox.sequence


async def test_a_read_sees_what_was_due_and_waits_until_that_is_durable(house: House) -> None:
    sandbox = house.universe.sandboxes.default
    due_us = house.universe.wall_us + 1_000_000
    await sandbox.submit("north", deposit(sandbox.accounts["demo"], "7", until_us=due_us))
    house.universe.wall_us = due_us
    reply = await ask(house.application, "GET", "/api/v3/balance", headers=KEY)
    assert reply.json["balance"] == "1000"
    assert sandbox.durable_sequence == sandbox.sequence


async def test_a_defect_is_logged_and_never_a_5xx(house: House, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        reply = await ask(house.application, "POST", "/api/v3/broken")
        inexact = await ask(house.application, "GET", "/api/v3/inexact")
    assert (reply.status, reply.code) == (400, "broken")
    assert (inexact.status, inexact.code) == (400, "broken")
    assert "a defect" in caplog.text
    assert house.application.counts.defects == 2


async def test_a_defect_at_the_last_step_is_answered_too(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    """There an answer that was durable leaves, and nobody but the client waits for it."""
    house.dialect.is_broken = True
    with caplog.at_level(logging.ERROR):
        async with asyncio.timeout(5):
            reply = await ask(house.application, "DELETE", "/api/v3/balance", query="amount=1", headers=KEY)
    assert (reply.status, reply.code) == (400, "broken")
    assert "a defect" in caplog.text
    assert house.application.counts.defects == 1
    assert [kept["code"] for kept in house.application.recorder.read()] == ["broken"]


async def test_an_engine_that_raises_is_an_unknown_outcome(house: House) -> None:
    house.universe.defects["execute"] = 1
    reply = await ask(house.application, "DELETE", "/api/v3/balance", query="amount=1", headers=KEY)
    assert (reply.status, reply.code) == (504, "outcome_unknown")


async def test_a_journal_that_refuses_is_an_outage(house: House) -> None:
    house.universe.journal.fails = 1000
    first = await ask(house.application, "DELETE", "/api/v3/balance", query="amount=1", headers=KEY)
    second = await ask(house.application, "DELETE", "/api/v3/balance", query="amount=1", headers=KEY)
    assert (first.status, first.code) == (504, "outcome_unknown")
    assert (second.status, second.code) == (503, "unavailable")
    house.universe.journal.fails = 0


class TestSandboxes:
    async def test_an_unknown_one_is_refused(self, house: House) -> None:
        reply = await ask(house.application, "GET", "/~nowhere/api/v3/echo")
        assert (reply.status, reply.json) == (404, {"code": "unknown_sandbox", "msg": "nowhere"})

    async def test_path_and_host_name_one(self, house: House) -> None:
        await house.universe.sandboxes.create("red")
        by_path = await ask(house.application, "GET", "/~red/api/v3/echo")
        by_host = await ask(house.application, "GET", "/api/v3/echo", headers={"Host": "red.localhost"})
        assert by_path.json["sandbox"] == by_host.json["sandbox"] == "red"

    async def test_a_key_names_its_own(self, house: House) -> None:
        red = await house.universe.sandboxes.create("red")
        await red.add_key(KeyRecord(key="red-key", account=red.accounts["demo"], secret="s"))
        of_key = await ask(house.application, "GET", "/api/v3/echo", headers={"X-Toy-Key": "red-key"})
        assert of_key.json["sandbox"] == "red"

    async def test_a_name_wins_over_a_key(self, house: House) -> None:
        red = await house.universe.sandboxes.create("red")
        await red.add_key(KeyRecord(key="red-key", account=red.accounts["demo"], secret="s"))
        headers = {"X-Toy-Key": "red-key"}
        named = await ask(house.application, "GET", "/~default/api/v3/echo", headers=headers)
        assert named.json["sandbox"] == "default"

    async def test_a_key_of_several_is_the_default_ones(self, house: House) -> None:
        await house.universe.sandboxes.create("red")
        shared = await ask(house.application, "GET", "/api/v3/echo", headers=KEY)
        assert shared.json["sandbox"] == "default"


class TestRequestsRemembered:
    async def test_what_was_asked_and_answered(self, house: House) -> None:
        await ask(house.application, "DELETE", "/api/v3/balance", query="amount=1", headers=KEY)
        await ask(house.application, "GET", "/api/v3/nonsense")
        done, refused = house.application.recorder.read()
        assert (done["method"], done["path"], done["query"]) == ("DELETE", "/api/v3/balance", "amount=1")
        assert (done["site"], done["sandbox"]) == ("binance", "default")
        assert (done["status"], done["code"]) == (200, None)
        assert done["account"] == house.universe.sandboxes.default.accounts["demo"]
        assert done["durationUs"] > 0
        assert (refused["status"], refused["code"], refused["account"]) == (404, "unknown_path", None)
        assert house.application.counts.requests == 2
        assert house.application.counts.refusals == 1

    async def test_secrets_are_masked(self, house: House) -> None:
        await ask(
            house.application,
            "POST",
            "/api/v3/echo",
            query="word=hi&signature=abcdef",
            body="secret=hush&pass%70hrase=mum&apiKey=0123456789",
            headers={"X-Toy-Key": "a-long-secret-looking-key"},
        )
        (kept,) = house.application.recorder.read()
        assert kept["query"] == "word=hi&signature=***"
        assert kept["body"] == "secret=***&pass%70hrase=***&apiKey=012345…"
        assert kept["key"] == "a-long…"

    def test_only_the_last_are_kept(self) -> None:
        recorder = Recorder(capacity=3)
        for number in range(5):
            recorder.note(number, "GET", "/", b"", b"", "s", "default", 200, None, 1, 0, None)
        assert [kept["timeUs"] for kept in recorder.read()] == [2, 3, 4]
        assert [kept["timeUs"] for kept in recorder.read(1)] == [4]
        assert RECORDS_MAX >= 100

    @pytest.mark.parametrize(
        ("raw", "shown"),
        [
            (b"", ""),
            (b"plain", "plain"),
            (b'{"secret":"x"}', "***"),
            (b'{"passphrase": "a=b"}', "***"),
            (b"SIGNATURE=x", "SIGNATURE=***"),
        ],
    )
    def test_masking(self, raw: bytes, shown: str) -> None:
        assert mask_pairs(raw) == shown


async def test_a_message_that_is_not_http_is_the_frames(house: House) -> None:
    """The lifespan protocol reaches Starlette, so that what the application starts is started."""
    received: list[dict[str, Any]] = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]
    sent: list[str] = []

    async def receive() -> Any:
        return received.pop(0)

    async def send(message: Any) -> None:
        sent.append(message["type"])

    await house.application({"type": "lifespan", "app": None, "state": {}}, receive, send)
    assert sent == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
