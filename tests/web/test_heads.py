"""What is remembered of header lines, and that requests whose lines are remembered are answered alike."""

from __future__ import annotations

import asyncio

import pytest
import uvicorn
from uvicorn.server import ServerState

from emulator.web.heads import BLOCK_MAX, KnownLines, Lines
from emulator.web.hosts import Place
from emulator.web.short_way import Arrival, Protocol
from tests.web.test_short_way import BODY
from tests.web.test_short_way import Application as Taking

LENGTH_MAX = 100


class Wire(asyncio.Transport):
    """The other side of a connection, which sends in the pieces that a test says."""

    def __init__(self) -> None:
        super().__init__({"sockname": ("127.0.0.1", 80), "peername": ("127.0.0.1", 50_000)})
        self.answered = b""
        self.is_closed = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.answered += data

    def is_closing(self) -> bool:
        return self.is_closed

    def close(self) -> None:
        self.is_closed = True

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass


class Client:
    """A connection to an application that says back how long a request's body was."""

    def __init__(self) -> None:
        self.application = Application()
        config = uvicorn.Config(self.application, lifespan="off", proxy_headers=False, log_config=None)
        self.wire = Wire()
        self.protocol = Protocol(config, ServerState(), {})
        self.protocol._known = KnownLines()
        self.protocol.connection_made(self.wire)

    async def send(self, *pieces: bytes, answers: int = 1) -> list[bytes]:
        """The lengths that so many answers say."""
        self.wire.answered = b""
        for piece in pieces:
            self.protocol.data_received(piece)
        return await self.answers(answers)

    async def answers(self, count: int) -> list[bytes]:
        while self.wire.answered.count(BODY) < count:  # noqa: ASYNC110 - what goes through ASGI is a task
            await asyncio.sleep(0)
        return [said.partition(b"\r\n")[0] for said in self.wire.answered.split(b"x-length: ")[1:]]


class Application(Taking):
    def __init__(self) -> None:
        super().__init__()
        self.asked: list[Arrival] = []

    def place(self, path: str, host: bytes, port: int) -> Place:
        return Place(None if path == "/long" or host != b"here" else "here", None, path)

    def answer(self, arrival: Arrival) -> None:
        self.asked.append(arrival)
        super().answer(arrival)


def request(method: str = "POST", target: str = "/short", body: bytes = b"a=1", *lines: str) -> bytes:
    head = [f"{method} {target} HTTP/1.1", "host: here", *lines]
    if body:
        head.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*head, "", ""]).encode() + body


@pytest.mark.anyio
async def test_lines_that_came_before_are_recognised_whatever_is_asked_with_them() -> None:
    client = Client()
    for number in range(5):
        assert await client.send(request(target=f"/short?n={number}", body=b"b%d" % number)) == [b"2"]
    asked = client.application.asked
    assert [(arrival.method, arrival.path) for arrival in asked] == [("POST", "/short")] * 5
    assert [arrival.query for arrival in asked] == [b"n=%d" % number for number in range(5)]
    assert [arrival.body for arrival in asked] == [b"b%d" % number for number in range(5)]
    assert all(arrival.headers == {b"host": b"here", b"content-length": b"2"} for arrival in asked)
    assert [arrival.headers is asked[-1].headers for arrival in asked] == [False, False, True, True, True]


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("pieces", "lengths"),
    [
        pytest.param([request(), request()], [b"3", b"3"], id="one after the other"),
        pytest.param([request() + request()], [b"3", b"3"], id="two at once"),
        pytest.param([request()[:-1], request()[-1:] + request()], [b"3", b"3"], id="a body in two pieces"),
        pytest.param([request()[:30], request()[30:], request()], [b"3", b"3"], id="a head in two pieces"),
        pytest.param([request()[:-5], request()[-5:], request()], [b"3", b"3"], id="cut within its end"),
        pytest.param([request(body=b"")[:-4], b"\r\n\r\n", request()], [b"0", b"3"], id="cut before its end"),
        pytest.param([b"\r\n" + request(), request()], [b"3", b"3"], id="an empty line ahead"),
        pytest.param([request("GET", body=b""), request()], [b"0", b"3"], id="no body"),
        pytest.param([request(body=b"a=12"), request()], [b"4", b"3"], id="another length"),
        pytest.param([request(target="/%73hort"), request()], [b"3", b"3"], id="an escaped path"),
        pytest.param([request(target="/long"), request()], [b"3", b"3"], id="the way of ASGI"),
        pytest.param([request().replace(b"1.1", b"1.0")], [b"3"], id="an older version"),
    ],
)
async def test_a_request_is_answered_alike_however_it_comes(
    pieces: list[bytes], lengths: list[bytes]
) -> None:
    client = Client()
    for _ in range(2):
        await client.send(request())
        await client.send(request(body=b""))
    assert await client.send(*pieces, answers=len(lengths)) == lengths
    if not client.wire.is_closed:
        assert await client.send(request()) == [b"3"]


@pytest.mark.anyio
async def test_a_request_behind_one_that_is_not_answered_yet_waits() -> None:
    client = Client()
    for _ in range(3):
        await client.send(request())
    client.protocol.data_received(request(target="/later"))
    client.protocol.data_received(request())
    assert len(client.application.asked) == 3
    client.wire.answered = b""
    client.application.answer(client.application.waiting.pop())
    assert await client.answers(2) == [b"3", b"3"]


@pytest.mark.anyio
async def test_lines_that_end_a_connection_end_it_every_time() -> None:
    known = KnownLines()
    for _ in range(3):
        client = Client()
        client.protocol._known = known
        await client.send(request("POST", "/short", b"a=1", "Connection: close"))
        assert client.wire.is_closed
        assert b"connection: close\r\n" in client.wire.answered


def learnt(head: bytes, headers: list[tuple[bytes, bytes]]) -> bool:
    known = KnownLines()
    for _ in range(2):
        known.learn(head, headers, LENGTH_MAX)
    return known.get(head.partition(b"\r\n")[2].partition(b"\r\n\r\n")[0]) is not None


def head(*lines: str, first: str = "GET /a HTTP/1.1", end: str = "\r\n") -> bytes:
    return end.join([first, *lines, "", ""]).encode()


def test_what_a_block_says_is_known_from_its_second_time_on() -> None:
    known = KnownLines()
    lines = [(b"host", b"here"), (b"x-key", b"A: b"), (b"content-length", b"7")]
    block = b"Host: here\r\nX-Key:A: b \r\ncontent-length: 7"
    for is_known in (False, True):
        known.learn(b"GET /a HTTP/1.1\r\n" + block + b"\r\n\r\n", lines, LENGTH_MAX)
        assert (known.get(block) is not None) is is_known
    assert known.get(block) == Lines(dict(lines), b"here", 7)


@pytest.mark.parametrize(
    ("received", "headers"),
    [
        (head("a: 1", end="\n"), [(b"a", b"1")]),
        (head("a: 1", first="GET /a HTTP/1.0"), [(b"a", b"1")]),
        (head("a: 1", first="HEAD /a HTTP/1.1"), [(b"a", b"1")]),
        (head("a: 1", " 2"), [(b"a", b"1 2")]),
        (head("a: 1", "A: 2"), [(b"a", b"1"), (b"a", b"2")]),
        (head("transfer-encoding: chunked"), [(b"transfer-encoding", b"chunked")]),
        (head("expect: 100-continue"), [(b"expect", b"100-continue")]),
        (head("upgrade: h2c"), [(b"upgrade", b"h2c")]),
        (head("content-length: 101"), [(b"content-length", b"101")]),
        (head("content-length: +1"), [(b"content-length", b"+1")]),
        (head("a: " + "1" * BLOCK_MAX), [(b"a", b"1" * BLOCK_MAX)]),
        (head(), []),
    ],
)
def test_what_is_more_than_lines_and_a_length_is_not_remembered(
    received: bytes, headers: list[tuple[bytes, bytes]]
) -> None:
    assert not learnt(received, headers)
    assert learnt(head("a: 1"), [(b"a", b"1")])


def test_lines_that_never_come_again_are_not_kept() -> None:
    known = KnownLines()
    kept = head("a: 1")
    for _ in range(2):
        known.learn(kept, [(b"a", b"1")], LENGTH_MAX)
    for number in range(5000):
        value = b"%d" % number
        known.learn(b"GET /a HTTP/1.1\r\nid: " + value + b"\r\n\r\n", [(b"id", value)], LENGTH_MAX)
    assert known.get(b"a: 1") is not None
    assert known.get(b"id: 1") is None
