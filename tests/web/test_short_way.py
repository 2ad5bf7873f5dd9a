"""The short way and uvicorn's own give the same answers, and idle connections end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvicorn

from emulator.web.endpoint import Answer
from emulator.web.hosts import Place
from emulator.web.short_way import SHORT_BODY_MAX, Arrival, Protocol

pytestmark = pytest.mark.anyio

BODY = b'{"said":true}'


class Application:
    """Says back how long the request's body was, in both ways; `/long` is not taken on the short one,
    `/later` is answered when it is let go, and while `/last` is under way the server is told to end."""

    def __init__(self) -> None:
        self.taken = 0
        self.waiting: list[Arrival] = []

    def place(self, path: str, host: bytes, port: int) -> Place:
        return Place(None if path == "/long" else "here", None, path)

    def take(self, arrival: Arrival) -> None:
        self.taken += 1
        if arrival.path == "/broken":
            raise RuntimeError("a defect")
        if arrival.path == "/last":
            protocol_of(arrival).shutdown()
        if arrival.path == "/later":
            self.waiting.append(arrival)
        else:
            self.answer(arrival)

    def answer(self, arrival: Arrival) -> None:
        arrival.content_type = b"text/plain"
        lines = b"x-length: %d\r\n" % len(arrival.body)
        arrival.leave(Answer(200, BODY, [(b"x-more", b"1")], None, 0, False, lines))

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message["body"], message["more_body"]
        headers = [
            (b"content-type", b"text/plain"),
            (b"content-length", b"%d" % len(BODY)),
            (b"x-length", b"%d" % len(body)),
            (b"x-more", b"1"),
        ]
        sent = b"" if scope["method"] == "HEAD" else BODY
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": sent})


def protocol_of(arrival: Arrival) -> Protocol:
    """The connection by which a request came on the short way."""
    protocol = getattr(arrival, "protocol")  # noqa: B009 - of the protocol's own kind
    assert isinstance(protocol, Protocol)
    return protocol


@asynccontextmanager
async def serving(application: Application | None = None, keep_alive: Any = 75) -> AsyncIterator[int]:
    server = uvicorn.Server(
        uvicorn.Config(
            application or Application(),
            host="127.0.0.1",
            port=0,
            http=Protocol,
            ws="none",
            lifespan="off",
            log_level="error",
            log_config=None,
            date_header=False,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=keep_alive,
        )
    )
    server.config.load()
    server.lifespan = server.config.lifespan_class(server.config)
    await server.startup()
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.force_exit = True
        await server.shutdown()


async def exchange(port: int, request: bytes) -> bytes:
    """Everything that comes back until the server hangs up."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    received = await asyncio.wait_for(reader.read(), timeout=5)
    writer.close()
    return received


def asked(method: str, path: str, *, close: bool = True, body: bytes = b"") -> bytes:
    lines = [b"%s %s HTTP/1.1" % (method.encode(), path.encode()), b"host: here"]
    if close:
        lines.append(b"connection: close")
    if body:
        lines.append(b"content-length: %d" % len(body))
    return b"\r\n".join([*lines, b"", body])


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
async def test_both_ways_say_the_same(method: str) -> None:
    application = Application()
    async with serving(application) as port:
        body = b"a=1" if method == "POST" else b""
        short, long = [await exchange(port, asked(method, p, body=body)) for p in ("/short", "/long")]
    assert application.taken == 1
    assert short == long
    assert short.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"connection: close\r\n" in short
    assert short.endswith(b"\r\n\r\n" + (b"" if method == "HEAD" else BODY))


async def test_a_body_that_comes_in_pieces_is_received() -> None:
    async with serving() as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        whole = asked("POST", "/short", body=b"x" * 300_000)
        for start in range(0, len(whole), 100_000):
            writer.write(whole[start : start + 100_000])
            await writer.drain()
        assert b"x-length: 300000\r\n" in await asyncio.wait_for(reader.read(), timeout=5)
        writer.close()


async def test_a_client_that_waits_to_be_let_on_is_let_on() -> None:
    async with serving() as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        head, _, body = asked("POST", "/short", body=b"a=1").partition(b"\r\n\r\n")
        writer.write(head + b"\r\nexpect: 100-continue\r\n\r\n")
        assert (
            await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), timeout=5)
            == b"HTTP/1.1 100 Continue\r\n\r\n"
        )
        writer.write(body)
        assert b"x-length: 3\r\n" in await asyncio.wait_for(reader.read(), timeout=5)
        writer.close()


@pytest.mark.parametrize(
    ("target", "head"),
    [
        (b"/%2e", b""),
        (b"http://here/short", b""),
        (b"/short", b"content-length: %d\r\n" % (SHORT_BODY_MAX + 1)),
        (b"/short", b"transfer-encoding: chunked\r\n"),
    ],
)
async def test_what_is_not_plain_and_small_goes_the_long_way(target: bytes, head: bytes) -> None:
    application = Application()
    body = b"x" * (SHORT_BODY_MAX + 1) if b"length" in head else b"0\r\n\r\n" if head else b""
    async with serving(application) as port:
        request = b"POST %b HTTP/1.1\r\nhost: here\r\nconnection: close\r\n%b\r\n%b" % (target, head, body)
        assert (await exchange(port, request)).endswith(BODY)
    assert not application.taken


async def test_an_answer_may_leave_later_and_what_was_sent_ahead_waits_for_it() -> None:
    application = Application()
    async with serving(application) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(asked("POST", "/later", close=False, body=b"x") + asked("POST", "/short", body=b"xx"))
        while not application.waiting:  # noqa: ASYNC110 - nothing tells of the server's end
            await asyncio.sleep(0)
        assert application.taken == 1
        application.answer(application.waiting.pop())
        received = await asyncio.wait_for(reader.read(), timeout=5)
        writer.close()
    lengths = [line for line in received.split(b"\r\n") if line.startswith(b"x-length")]
    assert lengths == [b"x-length: 1", b"x-length: 2"]


async def test_who_hangs_up_is_not_answered() -> None:
    application = Application()
    async with serving(application) as port:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(asked("POST", "/later", body=b"x"))
        while not application.waiting:  # noqa: ASYNC110 - nothing tells of the server's end
            await asyncio.sleep(0)
        (gone,) = application.waiting
        writer.close()
        while not getattr(gone, "disconnected"):  # noqa: ASYNC110, B009 - as above; of the protocol's own kind
            await asyncio.sleep(0)
        application.answer(gone)
        assert (await exchange(port, asked("GET", "/short"))).endswith(BODY)


@pytest.mark.parametrize("anyio_backend", [("asyncio", {"use_uvloop": True})])
async def test_who_hangs_up_is_not_answered_either_with_more_sent_ahead(anyio_backend: Any) -> None:
    """On the event loop of the emulator, which lets nobody write to who is gone."""
    application = Application()
    async with serving(application) as port:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(asked("POST", "/later", close=False, body=b"x") + asked("POST", "/short", body=b"xx"))
        while not application.waiting:  # noqa: ASYNC110 - nothing tells of the server's end
            await asyncio.sleep(0)
        (gone,) = application.waiting
        protocol = protocol_of(gone)
        protocol.transport.abort()
        while protocol in protocol.connections:  # noqa: ASYNC110 - as above
            await asyncio.sleep(0)
        application.answer(gone)
        assert application.taken == 1
        writer.close()


async def test_nothing_is_begun_behind_the_last_answer() -> None:
    application = Application()
    async with serving(application) as port:
        ahead = asked("GET", "/last", close=False) + asked("POST", "/short", body=b"xx")
        received = await exchange(port, ahead)
        assert received.count(b"HTTP/1.1 ") == received.count(b"connection: close\r\n") == 1
    assert application.taken == 1


async def test_a_defect_ends_the_connection_and_no_other() -> None:
    async with serving() as port:
        assert await exchange(port, asked("GET", "/broken", close=False)) == b""
        assert (await exchange(port, asked("GET", "/short"))).endswith(BODY)


async def test_requests_sent_ahead_are_answered_in_order() -> None:
    async with serving() as port:
        requests = [asked("POST", "/short", close=n == 9, body=b"x" * (n + 1)) for n in range(10)]
        received = await exchange(port, b"".join(requests))
    lengths = [line for line in received.split(b"\r\n") if line.startswith(b"x-length")]
    assert lengths == [b"x-length: %d" % (n + 1) for n in range(10)]


async def test_an_idle_connection_ends_and_a_used_one_does_not() -> None:
    async with serving(keep_alive=0.1) as port:
        loop = asyncio.get_running_loop()
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        began = loop.time()
        while loop.time() - began < 0.25:
            writer.write(asked("GET", "/short", close=False))
            await asyncio.wait_for(reader.readuntil(BODY), timeout=5)
        last = loop.time()
        assert await asyncio.wait_for(reader.read(), timeout=5) == b""
        assert loop.time() - last > 0.08
        writer.close()


async def test_a_connection_is_not_idle_while_what_was_sent_ahead_is_under_way() -> None:
    """It came with the request before it, whose answer left at once: nothing comes in between."""
    application = Application()
    async with serving(application, keep_alive=0) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(asked("GET", "/short", close=False) + asked("POST", "/later", close=False, body=b"x"))
        # A connection that is idle has ended by then.
        await asyncio.wait_for(reader.readuntil(BODY), timeout=5)
        application.answer(application.waiting.pop())
        assert b"x-length: 1\r\n" in await asyncio.wait_for(reader.read(), timeout=5)
        writer.close()
