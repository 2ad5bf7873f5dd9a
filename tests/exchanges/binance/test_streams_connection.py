"""Connections to the market streams: where they are opened, what is asked over them, and how they end."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from emulator.exchanges.binance.eras import Eras
from emulator.exchanges.binance.limits import VIOLATIONS_TOLERATED, Limits
from emulator.exchanges.binance.spot.streams.channels import CHANNELS
from emulator.exchanges.binance.spot.streams.hub import SOURCES
from emulator.exchanges.binance.spot.streams.names import StreamKind, parse_stream
from emulator.exchanges.binance.streams.address import Address, parse_address
from emulator.exchanges.binance.streams.connection import METHODS, POOL
from emulator.exchanges.binance.streams.control import STREAMS_MAX, Method, is_well_formed
from emulator.exchanges.binance.streams.places import WALKED_MAX, complaint, walk
from emulator.runtime.quotas import DAY_US, MINUTE_US
from emulator.web.contract import Refusal
from tests.exchanges.binance.marketplace import NOW_MS, NOW_US
from tests.exchanges.binance.studio import SECOND_US, Client, Studio
from tests.launch import Server, launched, stop
from tests.web.serving import CLOSE, PING, PONG, TEXT, WAIT_S, BareSocket

pytestmark = pytest.mark.anyio

TICKER = "btcusdt@miniTicker"
VARIANTS = "`SUBSCRIBE`, `UNSUBSCRIBE`, `LIST_SUBSCRIPTIONS`, `SET_PROPERTY`, `GET_PROPERTY`"


@pytest.fixture
async def studio(anyio_backend: str) -> AsyncIterator[Studio]:
    """Without limits, on a clock that stands still."""
    async with Studio().on_air() as studio:
        yield studio


async def eventually(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(WAIT_S):
        while not holds():  # noqa: ASYNC110  # what is waited for has no event
            await asyncio.sleep(0.005)


@pytest.fixture(scope="module")
def universe(server: Server) -> Iterator[dict[str, Any]]:
    """A sandbox with a port of its own whose clock runs ten times as fast, so that it has limits off."""
    clock = {"mode": "virtual", "time": "2026-01-01T00:00:00Z", "speed": "10"}
    with httpx.Client(base_url=server.control, trust_env=False) as control:
        body = {"name": "streaming", "clock": clock, "port": 0}
        made = control.post("/sandboxes", json=body).raise_for_status().json()
        yield made
        control.delete("/sandboxes/streaming").raise_for_status()


class TestAddresses:
    """Over the running emulator, in all ways in which clients find it."""

    @pytest.mark.parametrize(
        ("where", "host"),
        [
            ("all/binance", None),
            ("all/~streaming/binance", None),
            ("all", None),
            ("all/~streaming", None),
            ("all", "stream.binance.com:9443"),
            ("all/~streaming", "data-stream.binance.vision"),
            ("all", "streaming.localhost"),
            ("binance", None),
            ("own", None),
            ("own/binance", None),
        ],
    )
    @pytest.mark.parametrize(
        "path",
        [
            "/ws/btcusdt@trade",
            "/stream?streams=btcusdt@trade",
            "/stream/?streams=btcusdt@trade",
            "/stream/ws/7",
        ],
    )
    async def test_every_way_leads_to_the_streams(
        self, server: Server, universe: dict[str, Any], where: str, host: str | None, path: str
    ) -> None:
        port_name, _, prefix = where.partition("/")
        port = universe["port"] if port_name == "own" else server.ports[port_name]
        url = f"ws://{host or f'127.0.0.1:{port}'}{'/' if prefix else ''}{prefix}{path}"
        async with connect(url, host="127.0.0.1", port=port) as connection:
            client = Client(connection)
            if path.endswith("7"):
                await client.say({"method": "SUBSCRIBE", "params": ["btcusdt@trade"], "id": 1})
            message = await client.next()
            if path.endswith("7"):
                assert message == {"result": None, "id": 1}
                message = await client.next()
        trade = message["data"] if "?" in path else message
        assert (trade["e"], trade["s"]) == ("trade", "BTCUSDT")
        is_in_sandbox = "streaming" in (where + (host or "")) or port_name == "own"
        assert (trade["E"] < time.time() * 1000 - 1000 * 3600) == is_in_sandbox

    async def test_other_paths_are_refused_by_name(self, studio: Studio) -> None:
        for path in ("/stream/nonsense", "/wss", "/streams", "/stream/btcusdt@trade"):
            with pytest.raises(InvalidStatus) as refused:
                await connect(f"ws://127.0.0.1:{studio.port}/binance{path}")
            response = refused.value.response
            assert response.status_code == 404
            assert response.body is not None
            assert path in response.body.decode()

    @pytest.mark.parametrize(
        ("path", "query", "names", "is_combined", "divisor"),
        [
            ("/ws", "", (), False, 1000),
            ("/ws", "streams=a@b", (), False, 1000),
            ("/ws/", "", (), False, 1000),
            ("/ws/a@b", "", ("a@b",), False, 1000),
            ("/ws/a@b/c@d/a@b//", "", ("a@b", "c@d"), False, 1000),
            ("/ws/0", "", (), False, 1000),
            ("/ws/0/a@b", "timeUnit=microsecond", ("a@b",), False, 1),
            ("/ws/!ticker@arr", "", ("!ticker@arr",), False, 1000),
            ("/ws/@@x/a b@c/" + "x" * 300 + "@y", "", (), False, 1000),
            ("/stream", "", (), True, 1000),
            ("/stream", "streams=a@b/c@d", ("a@b", "c@d"), True, 1000),
            ("/stream", "streams=a%40b%2Fc%40d", ("a@b", "c@d"), True, 1000),
            ("/stream", "streams=a@kline_1d@+08:00", ("a@kline_1d@+08:00",), True, 1000),
            ("/stream", "streams=a@kline_1d@%2B08:00", ("a@kline_1d@+08:00",), True, 1000),
            ("/stream", "streams=a@b&streams=c@d", ("a@b", "c@d"), True, 1000),
            ("/stream", "streams=%E5%B8%81usdt@trade", ("币usdt@trade",), True, 1000),
            ("/stream", "streams=%ff@trade&x=%zz&&=", (), True, 1000),
            ("/stream", "streams=&timeUnit=MICROSECOND", (), True, 1),
            ("/stream", "timeUnit=MILLISECOND", (), True, 1000),
            ("/stream/", "streams=a@b", ("a@b",), True, 1000),
            ("/stream/ws", "", (), False, 1000),
            ("/stream/ws/3", "", (), False, 1000),
            ("/stream/ws/a@b", "", ("a@b",), False, 1000),
        ],
    )
    def test_an_address_says_what_is_asked_for(
        self, path: str, query: str, names: tuple[str, ...], is_combined: bool, divisor: int
    ) -> None:
        assert parse_address(path, query.encode()) == Address(names, is_combined, divisor)

    @pytest.mark.parametrize(
        ("path", "code"),
        [
            ("/ws?timeUnit=SECOND", -1194),
            ("/ws?timeUnit=", -1194),
            ("/stream?streams=" + "/".join(f"a@{n}" for n in range(STREAMS_MAX + 1)), -1101),
        ],
    )
    async def test_what_makes_no_sense_is_refused_before_the_connection_is_one(
        self, studio: Studio, path: str, code: int
    ) -> None:
        with pytest.raises(InvalidStatus) as refused:
            await connect(f"ws://127.0.0.1:{studio.port}{path}")
        response = refused.value.response
        assert response.status_code == 400
        assert response.body is not None
        assert f'"code":{code},' in response.body.decode()

    async def test_as_many_streams_as_a_connection_may_have_can_be_in_an_address(self) -> None:
        names = "/".join(f"a@{n}" for n in range(STREAMS_MAX))
        assert len(parse_address("/ws/" + names, b"").names) == STREAMS_MAX
        with pytest.raises(Refusal):
            parse_address("/ws/" + names + "/one@more", b"")


class TestFrames:
    @pytest.mark.parametrize(
        ("path", "is_combined"),
        [
            (f"/ws/{TICKER}", False),
            (f"/stream?streams={TICKER}", True),
            (f"/stream/ws/{TICKER}", False),
            (f"/binance/stream?streams={TICKER}", True),
        ],
    )
    async def test_the_path_picks_the_shape(self, studio: Studio, path: str, is_combined: bool) -> None:
        async with studio.listen(path) as client:
            await client.ask("LIST_SUBSCRIPTIONS")
            await studio.step()
            message = await client.next()
            if is_combined:
                assert list(message) == ["stream", "data"]
                assert message["stream"] == TICKER
                message = message["data"]
            assert (message["e"], message["s"]) == ("24hrMiniTicker", "BTCUSDT")

    @pytest.mark.parametrize("path", ["/stream", "/ws", "/stream/ws/0"])
    async def test_the_way_of_subscribing_does_not(self, studio: Studio, path: str) -> None:
        async with studio.listen(path) as client:
            assert await client.ask("SUBSCRIBE", TICKER) is None
            assert await client.ask("GET_PROPERTY", "combined") is (path == "/stream")
            await studio.step()
            assert ("stream" in await client.next()) is (path == "/stream")

    async def test_a_client_may_change_it_and_answers_are_never_wrapped(self, studio: Studio) -> None:
        async with studio.listen(f"/ws/{TICKER}") as client:
            assert await client.ask("SET_PROPERTY", "combined", True) is None
            assert await client.ask("GET_PROPERTY", "combined") is True
            await studio.step()
            assert list(await client.next()) == ["stream", "data"]
            assert await client.ask("SET_PROPERTY", "combined", False) is None
            await studio.step()
            assert "e" in await client.next()

    @pytest.mark.parametrize(("unit", "factor"), [("MILLISECOND", 1), ("microsecond", 1000)])
    async def test_times_are_in_the_unit_of_the_address(self, studio: Studio, unit: str, factor: int) -> None:
        async with studio.listen(f"/ws/{TICKER}?timeUnit={unit}") as client:
            await client.ask("LIST_SUBSCRIPTIONS")
            await studio.step()
            told = (await client.next())["E"]
        assert NOW_MS * factor < told <= (NOW_MS + 1000) * factor + factor

    async def test_clients_with_different_wishes_get_the_same_at_once(self, studio: Studio) -> None:
        async with (
            studio.listen(f"/ws/{TICKER}") as raw,
            studio.listen(f"/stream?streams={TICKER}") as combined,
            studio.listen(f"/ws/{TICKER}?timeUnit=MICROSECOND") as precise,
        ):
            for client in (raw, combined, precise):
                await client.ask("LIST_SUBSCRIPTIONS")
            await studio.step()
            one, other, third = await raw.next(), await combined.next(), await precise.next()
            assert other == {"stream": TICKER, "data": one}
            assert third["E"] // 1000 == one["E"]
            assert {**third, "E": one["E"]} == one


class TestRequests:
    async def test_streams_come_and_go(self, studio: Studio) -> None:
        async with studio.listen("/stream?streams=ethusdt@miniTicker") as client:
            assert await client.ask("LIST_SUBSCRIPTIONS") == ["ethusdt@miniTicker"]
            assert await client.ask("SUBSCRIBE", TICKER, "btcusdt@bookTicker", TICKER) is None
            assert await client.ask("SUBSCRIBE", TICKER) is None
            told = await client.ask("LIST_SUBSCRIPTIONS")
            assert told == ["ethusdt@miniTicker", TICKER, "btcusdt@bookTicker"]
            assert await client.ask("UNSUBSCRIBE", "ethusdt@miniTicker", "btcusdt@bookTicker") is None
            assert await client.ask("UNSUBSCRIBE", "ethusdt@miniTicker") is None
            assert list(studio.streams) == [TICKER]
            for _ in range(2):
                await studio.step()
                assert (await client.next())["stream"] == TICKER
            assert await client.ask("UNSUBSCRIBE", TICKER) is None
            assert not studio.streams
            await studio.step()
            assert await client.ask("LIST_SUBSCRIPTIONS") == []

    async def test_nothing_to_subscribe_to_is_acknowledged(self, studio: Studio) -> None:
        async with studio.listen() as client:
            await client.say({"method": "SUBSCRIBE", "params": [], "id": 1})
            assert await client.next() == {"result": None, "id": 1}

    @pytest.mark.parametrize(
        "name",
        [
            "BTCUSDT@miniTicker",
            "btcusdt@nosuchstream",
            "nosuchusdt@trade",
            "btcusdt@kline_7m",
            "!bookTicker",
            "!nosuch@arr",
            "btcusdt@depth7",
            "btcusdt@depth@250ms",
            "Btcusdt@trade",
            "btcusdt@TRADE",
            "pqia91ma19a5s61cv6a81va65sdf19v8a65a1a5s61cv6a81va65sdf19v8a65a1",
        ],
    )
    async def test_what_there_is_not_is_acknowledged_and_silent(self, studio: Studio, name: str) -> None:
        async with studio.listen() as client:
            assert await client.ask("SUBSCRIBE", name, TICKER) is None
            assert await client.ask("LIST_SUBSCRIPTIONS") == [name, TICKER]
            for _ in range(2):
                await studio.step()
                assert (await client.next())["e"] == "24hrMiniTicker"
            assert await client.ask("UNSUBSCRIBE", name) is None

    @pytest.mark.parametrize(
        "request_id",
        [
            0, 1, -1, 2**63 - 1, -(2**63), None, "a", "0", "7", "x" * 36,
            "6a4f1d5e-1c0e-4a6f-9c6b-0f6a4f1d5e1c", "a1b2c3d4e5f6a7b8c9d0",
        ],
    )  # fmt: skip
    async def test_an_id_comes_back_in_its_own_type(self, studio: Studio, request_id: Any) -> None:
        async with studio.listen() as client:
            assert await client.ask("LIST_SUBSCRIPTIONS", request_id=request_id) == []
            fault = await client.fault({"method": "GET_PROPERTY", "id": request_id})
            assert (fault["id"], type(fault["id"])) == (request_id, type(request_id))

    async def test_a_connection_has_so_many_streams_and_no_more(self, studio: Studio) -> None:
        async with studio.listen() as client:
            names = [f"btcusdt@x{number}" for number in range(STREAMS_MAX)]
            assert await client.ask("SUBSCRIBE", *names) is None
            assert await client.ask("SUBSCRIBE", *names[:5]) is None
            fault = await client.fault({"method": "SUBSCRIBE", "params": [TICKER], "id": 1})
            assert fault["error"]["code"] == 2
            assert str(STREAMS_MAX) in fault["error"]["msg"]
            assert await client.ask("LIST_SUBSCRIPTIONS") == names
            assert await client.ask("UNSUBSCRIBE", names[0]) is None
            assert await client.ask("SUBSCRIBE", TICKER) is None

    async def test_requests_are_among_those_that_the_server_remembers(self, studio: Studio) -> None:
        async with studio.listen("/stream/ws/0?timeUnit=MILLISECOND") as client:
            await client.ask("SUBSCRIBE", TICKER, request_id="a")
            await client.fault("nonsense")
        opened, asked, refused = studio.application.recorder.read()
        assert (opened["method"], opened["path"], opened["status"]) == ("GET", "/stream/ws/0", 101)
        assert opened["query"] == "timeUnit=MILLISECOND"
        assert (asked["method"], asked["status"], asked["code"]) == ("SUBSCRIBE", 200, None)
        assert TICKER in asked["body"]
        assert (refused["status"], refused["code"], refused["body"]) == (400, 3, "nonsense")
        assert {one["site"] for one in (opened, asked, refused)} == {"binance"}


BAD_ID = "Invalid request: request ID must be an unsigned integer"
BAD_NAME = "Invalid request: property name must be a string"
BAD_STREAM = "Invalid request: invalid stream"
TOO_MANY = "Invalid request: too many parameters"
NO_BOOLEAN = "Invalid value type: expected Boolean"
UNKNOWN = "Unknown property"

NO_ID = object()

FAULTS: list[tuple[str, int, str, Any]] = [
    ("", 3, "Invalid JSON: EOF while parsing a value at line 1 column 0", NO_ID),
    ("nonsense", 3, "Invalid JSON: expected ident at line 1 column 2", NO_ID),
    ("[object Object]", 3, "Invalid JSON: expected value at line 1 column 2", NO_ID),
    ('{"method":\n  SUBSCRIBE}', 3, "Invalid JSON: expected value at line 2 column 3", NO_ID),
    ('{"id":1,}', 3, "Invalid JSON: trailing comma at line 1 column 9", NO_ID),
    ('{"method":"SUBSCRIBE"', 3, "Invalid JSON: EOF while parsing an object at line 1 column 21", NO_ID),
    ('{"method":5,"id":1}', 3, "Invalid JSON: expected value at line 1 column 11", 1),
    ('{"id":1,"method":null}', 3, "Invalid JSON: expected value at line 1 column 18", 1),
    ("5", 2, "Invalid request: missing field `method` at line 1 column 1", NO_ID),
    ("[1,2] ", 2, "Invalid request: missing field `method` at line 1 column 5", NO_ID),
    ("null", 2, "Invalid request: missing field `method` at line 1 column 4", NO_ID),
    ("{}", 2, "Invalid request: missing field `method` at line 1 column 2", NO_ID),
    ('{"params":["x"],\n"id":1}', 2, "Invalid request: missing field `method` at line 2 column 7", 1),
    (
        '{"method":"subscribe","params":[],"id":1}', 2,
        f"Invalid request: unknown variant `subscribe`, expected one of {VARIANTS} at line 1 column 21", 1,
    ),
    (
        '{"id":1,"a":{"method":1},"method":"X"}', 2,
        f"Invalid request: unknown variant `X`, expected one of {VARIANTS} at line 1 column 37", 1,
    ),
    ('{"method":"SUBSCRIBE","params":["btcusdt@trade"]}', 2, BAD_ID, NO_ID),
    *(
        ('{"method":"LIST_SUBSCRIPTIONS","id":' + wrong + "}", 2, BAD_ID, NO_ID)
        for wrong in ("true", "1.5", "[]", "{}", '""', '"a b"', '"ä"', f'"{"x" * 37}"', "9223372036854775808",
                      "-9223372036854775809", "1e3")
    ),
    ('{"method":"SUBSCRIBE","id":1}', 2, "Invalid request: missing field `params` at line 1 column 29", 1),
    ('{"method":"SUBSCRIBE","params":"btcusdt@trade","id":1}', 2, BAD_STREAM, 1),
    ('{"method":"SUBSCRIBE","params":{"a":1},"id":1}', 2, BAD_STREAM, 1),
    ('{"method":"SUBSCRIBE","params":[5],"id":1}', 2, BAD_STREAM, 1),
    ('{"method":"SUBSCRIBE","params":["btcusdt@trade",null],"id":1}', 2, BAD_STREAM, 1),
    ('{"method":"SUBSCRIBE","params":[["btcusdt@trade"]],"id":1}', 2, BAD_STREAM, 1),
    ('{"method":"SUBSCRIBE","params":["@@@x###"],"id":1}', 2, BAD_STREAM, 1),
    ('{"method":"SUBSCRIBE","params":["not a stream"],"id":1}', 2, BAD_STREAM, 1),
    ('{"method":"SUBSCRIBE","params":[""],"id":1}', 2, BAD_STREAM, 1),
    ('{"method":"UNSUBSCRIBE","params":["a/b"],"id":"u"}', 2, BAD_STREAM, "u"),
    ('{"method":"LIST_SUBSCRIPTIONS","params":["x"],"id":1}', 2, TOO_MANY, 1),
    ('{"method":"GET_PROPERTY","id":1}', 2, BAD_NAME, 1),
    ('{"method":"GET_PROPERTY","params":[],"id":1}', 2, BAD_NAME, 1),
    ('{"method":"GET_PROPERTY","params":"combined","id":1}', 2, BAD_NAME, 1),
    ('{"method":"GET_PROPERTY","params":[1],"id":1}', 2, BAD_NAME, 1),
    ('{"method":"GET_PROPERTY","params":["combine"],"id":1}', 0, UNKNOWN, 1),
    ('{"method":"GET_PROPERTY","params":["combined",true],"id":1}', 2, TOO_MANY, 1),
    ('{"method":"SET_PROPERTY","params":[true],"id":1}', 2, BAD_NAME, 1),
    ('{"method":"SET_PROPERTY","params":["x",true],"id":1}', 0, UNKNOWN, 1),
    ('{"method":"SET_PROPERTY","params":["combined"],"id":1}', 1, NO_BOOLEAN, 1),
    ('{"method":"SET_PROPERTY","params":["combined","true"],"id":1}', 1, NO_BOOLEAN, 1),
    ('{"method":"SET_PROPERTY","params":["combined",1],"id":null}', 1, NO_BOOLEAN, None),
    ('{"method":"SET_PROPERTY","params":["combined",true,true],"id":1}', 2, TOO_MANY, 1),
]  # fmt: skip


class TestFaults:
    @pytest.mark.parametrize(("message", "code", "text", "request_id"), FAULTS)
    async def test_it_is_said_in_the_words_of_the_documents_and_changes_nothing(
        self, studio: Studio, message: str, code: int, text: str, request_id: Any
    ) -> None:
        async with studio.listen(f"/ws/{TICKER}") as client:
            fault = await client.fault(message)
            assert fault["error"] == {"code": code, "msg": text}
            assert fault.get("id", NO_ID) == request_id if request_id is not NO_ID else "id" not in fault
            assert await client.ask("LIST_SUBSCRIPTIONS") == [TICKER]
            assert await client.ask("GET_PROPERTY", "combined") is False

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            (b"{a:1}", "key must be a string at line 1 column 2"),
            (b'{"a" 1}', "expected `:` at line 1 column 6"),
            (b'{"a"', "EOF while parsing an object at line 1 column 4"),
            (b'{"a":', "EOF while parsing a value at line 1 column 5"),
            (b'{"a":1 "b":2}', "expected `,` or `}` at line 1 column 8"),
            (b'{"a":1,', "EOF while parsing an object at line 1 column 7"),
            (b"[1 2]", "expected `,` or `]` at line 1 column 4"),
            (b"[1,]", "trailing comma at line 1 column 4"),
            (b"[1,", "EOF while parsing a value at line 1 column 3"),
            (b"[", "EOF while parsing a list at line 1 column 1"),
            (b"[[]", "EOF while parsing a list at line 1 column 3"),
            (b"{} {}", "trailing characters at line 1 column 4"),
            (b"nul", "EOF while parsing a value at line 1 column 3"),
            (b"01", "invalid number at line 1 column 2"),
            (b"-", "EOF while parsing a value at line 1 column 1"),
            (b"[-]", "invalid number at line 1 column 3"),
            (b"[1.]", "invalid number at line 1 column 4"),
            (b"1e", "EOF while parsing a value at line 1 column 2"),
            (b"[1e+]", "invalid number at line 1 column 4"),
            (b'"abc', "EOF while parsing a string at line 1 column 4"),
            (b'"abc\\', "EOF while parsing a string at line 1 column 5"),
            (b'"\\x"', "invalid escape at line 1 column 3"),
            (
                b'\n"a\tb"',
                "control character (\\u0000-\\u001F) found while parsing a string at line 2 column 3",
            ),
            (b"NaN", "expected value at line 1 column 1"),
            (b"'a'", "expected value at line 1 column 1"),
            (b'"\xff"', "expected value at line 1 column 1"),
            (b"[" * (WALKED_MAX + 1), "expected value at line 1 column 1"),
        ],
    )
    def test_it_is_said_where_json_ends(self, text: bytes, said: str) -> None:
        assert complaint(text) == said

    def test_members_are_found_where_they_are(self) -> None:
        text = b' {"a" : {"b":[1,{"c":"}"}]}, "method":"X\\"Y" ,"id":-1.5e3,"n":[ ]} '
        found = {member.name: text[member.begins : member.ends] for member in walk(text)}
        assert found == {b"a": b'{"b":[1,{"c":"}"}]}', b"method": b'"X\\"Y"', b"id": b"-1.5e3", b"n": b"[ ]"}
        assert walk(b"[1]") == []

    async def test_binary_messages_are_read_as_well(self, studio: Studio) -> None:
        async with studio.listen() as client:
            await client.connection.send(b'{"method":"LIST_SUBSCRIPTIONS","id":1}')
            assert await client.next() == {"result": [], "id": 1}
            await client.connection.send(b"\xff\xfe")
            assert (await client.next())["error"]["code"] == 3


class TestLimits:
    async def test_who_says_more_than_five_things_in_a_second_is_cut(self) -> None:
        async with Studio(counting="on").on_air() as studio, studio.listen() as client:
            for _ in range(5):
                await client.ask("LIST_SUBSCRIPTIONS")
            await studio.step()
            for _ in range(5):
                await client.ask("LIST_SUBSCRIPTIONS")
            await client.say({"method": "LIST_SUBSCRIPTIONS", "id": 1})
            assert await client.closed() == (1008, "Too many requests")

    async def test_pings_and_pongs_count_like_requests(self) -> None:
        async with Studio(counting="on").on_air() as studio, studio.bare() as bare:
            for number in range(2):
                bare.send(b"%d" % number, PING)
                assert await bare.frame() == (PONG, b"%d" % number)
            bare.send(b"", PONG)
            bare.send(b"x", PONG)
            bare.send(b"nonsense", TEXT)
            frame = await bare.frame()
            assert frame is not None
            assert frame.opcode == TEXT
            bare.send(b"", PONG)
            frame = await bare.frame()
            assert frame is not None
            assert (frame.code, frame.reason) == (1008, "Too many requests")

    async def test_nobody_counts_while_limits_are_off(self, studio: Studio) -> None:
        async with studio.listen() as client:
            for _ in range(50):
                await client.ask("LIST_SUBSCRIPTIONS")

    async def test_what_one_connection_says_does_not_count_for_another(self) -> None:
        async with (
            Studio(counting="on").on_air() as studio,
            studio.listen() as one,
            studio.listen() as other,
        ):
            for _ in range(5):
                await one.ask("LIST_SUBSCRIPTIONS")
                await other.ask("LIST_SUBSCRIPTIONS")

    async def test_so_many_connections_and_no_more_until_the_window_is_over(self) -> None:
        async with Studio(counting="on", connections_per_5_minutes=3).on_air() as studio:
            for _ in range(3):
                async with studio.listen():
                    pass
            refusal = await self.refused(studio)
            assert refusal.status == 429
            assert refusal.body["code"] == -1034
            assert (
                refusal.body["msg"]
                == "Too many connection attempts from IP; current limit is 3 per '5 MINUTE'."
            )
            assert 0 < refusal.retry_after <= 300
            await studio.step(refusal.retry_after * SECOND_US)
            async with studio.listen() as client:
                await client.ask("LIST_SUBSCRIPTIONS")

    async def test_who_goes_on_and_on_is_banned(self) -> None:
        async with Studio(counting="on", messages_per_second=0).on_air() as studio:
            for _ in range(VIOLATIONS_TOLERATED):
                async with studio.listen() as client:
                    await client.say("x")
                    assert (await client.closed())[0] == 1008
            # Not banned yet.
            studio.door.quotas(studio.sandbox).connect("127.0.0.1", NOW_US, pool=POOL)
            async with studio.listen() as client:
                await client.say("x")
                await client.closed()
            refusal = await self.refused(studio)
            assert (refusal.status, refusal.body["code"]) == (418, -1003)
            assert refusal.retry_after == 120
            with pytest.raises(Refusal):
                studio.door.quotas(studio.sandbox).enter("127.0.0.1", NOW_US)

    def test_the_figures_are_those_of_the_documents(self) -> None:
        assert (Limits().connections_per_5_minutes, Limits().messages_per_second) == (300, 5)

    class Refused:
        def __init__(self, status: int, body: Any, retry_after: int) -> None:
            self.status, self.body, self.retry_after = status, body, retry_after

    async def refused(self, studio: Studio) -> Refused:
        async with httpx.AsyncClient(trust_env=False) as client:
            answer = await client.get(
                f"http://127.0.0.1:{studio.port}/ws",
                headers={
                    "Upgrade": "websocket",
                    "Connection": "Upgrade",
                    "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
                    "Sec-WebSocket-Version": "13",
                },
            )
        return self.Refused(answer.status_code, answer.json(), int(answer.headers["retry-after"]))


class TestLife:
    async def test_a_ping_comes_every_twenty_seconds_of_the_sandbox(self, studio: Studio) -> None:
        async with studio.bare() as bare:
            bare.send(b"hello")
            await bare.frame()
            for number in range(1, 4):
                await studio.step(20 * SECOND_US)
                frame = await bare.frame()
                assert frame == (PING, b"%d" % (NOW_MS + number * 20_000))
                bare.send(frame.payload, PONG)
                # The answer to this comes after the pong was read.
                bare.send(b"hello")
                frame = await bare.frame()
                assert frame is not None
                assert frame.opcode == TEXT

    async def test_it_ends_after_a_day_of_the_sandbox(self, studio: Studio) -> None:
        async with studio.listen(f"/ws/{TICKER}") as client, studio.listen() as younger:
            await client.ask("LIST_SUBSCRIPTIONS")
            await studio.step(SECOND_US)
            assert (await client.next())["e"] == "24hrMiniTicker"
            async with studio.listen() as youngest:
                await youngest.ask("LIST_SUBSCRIPTIONS")
                await studio.step(DAY_US - SECOND_US)
                assert await client.closed() == (1001, "The connection has been open for 24 hours")
                assert (await younger.closed())[0] == 1001
                await youngest.ask("LIST_SUBSCRIPTIONS")

    async def test_a_sandbox_that_is_reset_ends_its_connections(self, studio: Studio) -> None:
        async with studio.listen(f"/ws/{TICKER}") as client:
            await client.ask("LIST_SUBSCRIPTIONS")
            await studio.marketplace.sandboxes.reset("default")
            assert await client.closed() == (1012, "The sandbox ended")
        async with studio.listen(f"/ws/{TICKER}") as client:
            await client.ask("LIST_SUBSCRIPTIONS")
            await studio.step()
            assert (await client.next())["e"] == "24hrMiniTicker"

    @pytest.mark.parametrize(
        ("path", "is_combined"), [("/ws", False), ("/stream", True), ("/stream/ws/0", False)]
    )
    async def test_a_server_that_stops_tells_of_it(self, path: str, is_combined: bool) -> None:
        async with contextlib.AsyncExitStack() as stack:
            async with Studio().on_air() as studio:
                client = await stack.enter_async_context(studio.listen(f"{path}?timeUnit=MICROSECOND"))
                await client.ask("LIST_SUBSCRIPTIONS")
            event = {"e": "serverShutdown", "E": NOW_US}
            expected = {"stream": "!serverShutdown", "data": event} if is_combined else event
            assert await client.next() == expected
            assert (await client.closed())[0] == 1012

    def test_the_emulator_says_so_before_it_ends(self, tmp_path: Path) -> None:
        async def listen(server: Server) -> tuple[Any, tuple[int, str]]:
            async with connect(server.url.replace("http", "ws") + "/ws") as connection:
                client = Client(connection)
                await client.ask("LIST_SUBSCRIPTIONS")
                server.process.send_signal(signal.SIGTERM)
                return await client.next(), await client.closed()

        with launched(tmp_path, "--ephemeral") as server:
            event, closed = asyncio.run(listen(server))
            assert event.keys() == {"e", "E"}
            assert event["e"] == "serverShutdown"
            assert abs(event["E"] - time.time() * 1000) < 60_000
            assert closed[0] == 1012
            assert stop(server.process) == 0
            assert "Traceback" not in server.log.read_text(encoding="utf-8")

    async def test_connections_leave_nothing_behind(self, studio: Studio) -> None:
        sandbox = studio.sandbox
        async with studio.listen(f"/ws/{TICKER}") as client:
            await client.ask("LIST_SUBSCRIPTIONS")
            waiting = len(sandbox.alarms)
            endings = len(sandbox.fanout._endings)
        for round_ in range(30):
            async with contextlib.AsyncExitStack() as stack:
                for number in range(8):
                    name = f"{'eth' if number % 2 else 'bnb'}usdt@depth"
                    path = f"/stream?streams={TICKER}/{name}/btcusdt@nosuch"
                    if number == round_ % 8:
                        bare = await stack.enter_async_context(studio.bare(path))
                        bare.send(b"x")
                        await bare.frame()
                    else:
                        client = await stack.enter_async_context(studio.listen(path))
                        await client.ask("LIST_SUBSCRIPTIONS")
                assert set(studio.streams) == {TICKER, "ethusdt@depth", "bnbusdt@depth"}
            await eventually(lambda: studio.streams == ())
        await eventually(lambda: len(sandbox.fanout._endings) <= endings)
        assert len(sandbox.alarms) <= waiting + 2 * 64
        assert studio.application.counts.defects == 0


class TestSlowReaders:
    async def test_one_that_never_reads_is_cut_while_others_get_everything_on_time(
        self, studio: Studio
    ) -> None:
        symbols = [symbol.lower() for symbol in studio.sandbox.engines["binance"].instruments]
        names = [f"{symbol}@{word}" for symbol in symbols for word in ("ticker", "depth20", "miniTicker")]
        names = names[: STREAMS_MAX - 1]
        own = "btcusdt@avgPrice"
        async with studio.bare() as slow, studio.listen(f"/ws/{TICKER}") as quick:
            await quick.ask("LIST_SUBSCRIPTIONS")
            quoted = ",".join(f'"{name}"' for name in (*names, own))
            slow.send(b'{"method":"SUBSCRIBE","params":[%b],"id":1}' % quoted.encode())
            frame = await slow.frame()
            assert frame == (TEXT, b'{"result":null,"id":1}')
            slow.pause()
            steps = 0
            while own in studio.streams:
                await studio.step()
                told = await quick.next()
                assert told["e"] == "24hrMiniTicker"
                assert told["E"] // 1000 == (NOW_MS + 1000 * (steps + 1)) // 1000
                steps += 1
                assert steps < 500
            assert studio.streams == (TICKER,)
            slow.resume()
            frame = await slow.frame()
            while frame is not None and frame.opcode != CLOSE:
                frame = await slow.frame()
            assert frame is not None
            assert (frame.code, frame.reason) == (1008, "The messages are not read fast enough")


class TestEras:
    @pytest.mark.parametrize("position", ["serve", "silent"])
    async def test_the_retired_stream_of_all_tickers(self, position: Any) -> None:
        eras = Eras(all_tickers_stream=position)
        path = "/stream?streams=!ticker@arr"
        async with Studio(eras=eras).on_air() as studio, studio.listen(path) as client:
            assert await client.ask("SUBSCRIBE", "!ticker@arr", TICKER) is None
            assert await client.ask("LIST_SUBSCRIPTIONS") == ["!ticker@arr", TICKER]
            told = set()
            for _ in range(2):
                await studio.step()
                told.add((await client.next())["stream"])
                if position == "serve":
                    told.add((await client.next())["stream"])
            assert told == ({"!ticker@arr", TICKER} if position == "serve" else {TICKER})


class TestWhatIsListed:
    def test_every_channel_is_a_stream_and_every_kind_of_stream_is_listed(self) -> None:
        kinds = set()
        for channel in CHANNELS:
            name = channel.name.replace("<symbol>", "btcusdt").replace("<interval>", "1m")
            name = name.replace("<window>", "1h").replace("<levels>", "5")
            stream = parse_stream(name)
            assert stream is not None, channel
            assert is_well_formed(name)
            kinds.add(stream.kind)
        assert kinds == set(StreamKind)

    def test_every_kind_that_is_not_silent_has_a_source(self) -> None:
        assert set(StreamKind) - set(SOURCES) <= {StreamKind.BLOCK_TRADE, StreamKind.REFERENCE_PRICE}

    def test_every_method_is_listed(self) -> None:
        assert [method.name for method in METHODS] == [method.value for method in Method]


async def test_a_bare_client_sees_what_a_library_sees(studio: Studio) -> None:
    async with BareSocket.connected(studio.port, f"/ws/{TICKER}") as bare:
        assert bare.status == 101
        bare.send(b'{"method":"LIST_SUBSCRIPTIONS","id":1}')
        frame = await bare.frame()
        assert frame == (TEXT, b'{"result":["btcusdt@miniTicker"],"id":1}')
        await studio.step(MINUTE_US)
        frames = [await bare.frame(), await bare.frame()]
        assert {frame.opcode for frame in frames if frame is not None} == {PING, TEXT}
