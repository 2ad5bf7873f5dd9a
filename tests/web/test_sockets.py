"""What a session may rely on of its socket, whatever the client does; over real sockets, both ends seen."""

from __future__ import annotations

import asyncio
import gc
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.server import ServerProtocol
from websockets.typing import Data

from emulator.web import sockets
from emulator.web.contract import Opening, Refusal, Site, SocketRow
from emulator.web.frame import build_frame
from emulator.web.server import Application
from emulator.web.short_way import Protocol
from emulator.web.sockets import BUFFER_MAX, EARLY_MAX, MESSAGE_MAX, Heart, Socket, encode_text
from tests.web.serving import BINARY, CLOSE, PING, PONG, TEXT, WAIT_S, BareSocket, handshake, head, serving
from tests.web.toy import House, ToyDialect

pytestmark = pytest.mark.anyio


class Parrot:
    """Says everything back, does what some words ask for, and remembers what happened to it."""

    def __init__(self, opening: Opening, socket: Socket) -> None:
        self.opening = opening
        self.socket = socket
        self.heart: Heart | None = None
        self.messages: list[bytes] = []
        self.events: list[str] = []
        self.is_over = asyncio.Event()

    def received(self, message: bytes) -> None:
        self.messages.append(message)
        match message:
            case b"break":
                raise KeyError("a defect")
            case b"leave":
                self.socket.close(4000, "as you wish")
            case b"much":
                for _ in range(BUFFER_MAX // 50_000):
                    self.socket.send_text(b"x" * 100_000)
            case _:
                self.socket.send_text(message)

    def pinged(self) -> None:
        self.events.append("pinged")

    def ponged(self, payload: bytes) -> None:
        self.events.append(f"ponged {payload.decode()}")
        if self.heart is not None:
            self.heart.ponged(payload)

    def leaving(self) -> None:
        self.socket.send_text(b"farewell")

    def ended(self) -> None:
        self.events.append("ended")
        self.is_over.set()
        if self.heart is not None:
            self.heart.stop()


class Aviary:
    """A server with a path for parrots, who can be asked afterwards."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.port = 0
        self.parrots: list[Parrot] = []
        site = Site(
            name="binance",
            engine="north",
            title="Toy",
            rows=(),
            dialect=ToyDialect(),
            sockets=(
                SocketRow(path="/ws", summary="Talk", open=self.open),
                SocketRow(path="/ws/below/*", summary="Talk", open=self.open),
                SocketRow(path="/ws/never", summary="Closed", open=self.open, admit=_refuse),
                SocketRow(path="/ws/broken", summary="Has a defect", open=_fail),
                SocketRow(path="/ws/odd", summary="Has a defect", open=self.open, admit=_fail_to_admit),
            ),
        )
        self.application = Application(
            sites=[site],
            sandboxes=house.universe.sandboxes,
            hosts=house.hosts,
            frame=build_frame((), None),
        )

    def open(self, opening: Opening, socket: Socket) -> Parrot:
        parrot = Parrot(opening, socket)
        self.parrots.append(parrot)
        return parrot

    @property
    def defects(self) -> int:
        return self.application.counts.defects

    @asynccontextmanager
    async def visit(
        self, path: str = "/ws", **options: Any
    ) -> AsyncIterator[tuple[ClientConnection, Parrot]]:
        async with connect(f"ws://127.0.0.1:{self.port}{path}", **options) as client:
            # The answer to the handshake leaves just before the session is there.
            await client.send("hello")
            assert await client.recv() == "hello"
            yield client, self.parrots[-1]

    @asynccontextmanager
    async def bare(self, path: str = "/ws") -> AsyncIterator[tuple[BareSocket, Parrot]]:
        async with BareSocket.connected(self.port, path) as client:
            client.send(b"hello")
            assert await client.frame() == (TEXT, b"hello")
            yield client, self.parrots[-1]


def _refuse(opening: Opening) -> None:
    raise Refusal(429, "enough", "come back later", headers=((b"retry-after", b"7"),))


def _fail(opening: Opening, socket: Socket) -> Parrot:
    raise KeyError("a defect")


def _fail_to_admit(opening: Opening) -> None:
    raise KeyError("a defect")


@pytest.fixture
async def aviary(house: House) -> AsyncIterator[Aviary]:
    aviary = Aviary(house)
    async with serving(aviary.application) as aviary.port:
        yield aviary


async def farewell(client: ClientConnection) -> ConnectionClosed:
    """How the connection ends, after whatever else still comes."""
    async with asyncio.timeout(WAIT_S):
        while True:
            try:
                await client.recv()
            except ConnectionClosed as closed:
                return closed


async def over(parrot: Parrot) -> None:
    await asyncio.wait_for(parrot.is_over.wait(), WAIT_S)


async def eventually(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(WAIT_S):
        while not holds():  # noqa: ASYNC110  # what is waited for has no event
            await asyncio.sleep(0.005)


class TestOpening:
    async def test_a_session_is_told_where_its_client_came_to(self, aviary: Aviary) -> None:
        await aviary.house.universe.sandboxes.create("red")
        async with aviary.visit("/~red/binance/ws/below/x?a=b") as (_, parrot):
            opening = parrot.opening
            assert (opening.sandbox.name, opening.is_named) == ("red", True)
            assert (opening.path, opening.query) == ("/ws/below/x", b"a=b")
            assert opening.source_ip == "127.0.0.1"
        async with aviary.visit() as (_, parrot):
            assert (parrot.opening.sandbox.name, parrot.opening.is_named) == ("default", False)
        async with aviary.visit(additional_headers={"X-Toy-Key": "demo-key"}) as (_, parrot):
            assert parrot.opening.is_named

    @pytest.mark.parametrize(
        ("path", "status", "said"),
        [
            ("/ws/never", 429, "come back later"),
            ("/ws/else", 404, "/ws/else"),
            ("/~nobody/binance/ws", 404, "nobody"),
            ("/bybit/ws", 404, "bybit"),
            ("/nothing", 404, "No site"),
        ],
    )
    async def test_who_is_not_let_in_gets_an_answer(
        self, aviary: Aviary, path: str, status: int, said: str
    ) -> None:
        with pytest.raises(InvalidStatus) as refused:
            await connect(f"ws://127.0.0.1:{aviary.port}{path}")
        response = refused.value.response
        assert response.status_code == status
        assert response.body is not None
        assert said in response.body.decode()
        assert response.headers["content-type"].startswith("application/json")
        assert response.headers.get("retry-after") == ("7" if status == 429 else None)
        assert not aviary.parrots

    async def test_a_handshake_that_is_too_long_is_refused_and_does_not_hang(self, aviary: Aviary) -> None:
        async with BareSocket.connected(aviary.port, "/ws?" + "x" * 20_000) as client:
            assert client.status == 414
            assert await client.reader.read() != b""

    @pytest.mark.parametrize("odd", ["Content-Length: 5", "Transfer-Encoding: chunked"])
    async def test_a_handshake_with_a_body_is_refused(self, aviary: Aviary, odd: str) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", aviary.port)
        writer.write(handshake("/ws").replace(b"\r\n\r\n", f"\r\n{odd}\r\n\r\n".encode()))
        answer = await asyncio.wait_for(reader.read(), WAIT_S)
        writer.close()
        assert answer.startswith(b"HTTP/1.1 400 ")

    async def test_plain_http_is_told_that_a_handshake_is_expected(self, aviary: Aviary) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", aviary.port)
        writer.write(b"GET /ws HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        answer = await asyncio.wait_for(reader.read(), WAIT_S)
        writer.close()
        assert answer.startswith(b"HTTP/1.1 405 ")
        assert b"a WebSocket handshake is expected" in answer

    async def test_defects_while_opening_are_counted_and_end_the_connection(self, aviary: Aviary) -> None:
        with pytest.raises(InvalidStatus) as refused:
            await connect(f"ws://127.0.0.1:{aviary.port}/ws/odd")
        assert refused.value.response.status_code == 500
        assert aviary.defects == 1
        async with connect(f"ws://127.0.0.1:{aviary.port}/ws/broken") as client:
            await farewell(client)
        assert aviary.defects == 2

    @pytest.mark.parametrize("messages", [1, EARLY_MAX, EARLY_MAX + 1])
    async def test_who_does_not_wait_for_the_handshake_is_heard_or_told(
        self, house: House, messages: int
    ) -> None:
        aviary = Aviary(house)
        waiting: asyncio.Queue[Socket] = asyncio.Queue()
        go_on = asyncio.Event()

        async def hesitant(scope: Any, receive: Any, send: Any) -> None:
            waiting.put_nowait(scope["state"][sockets.STATE])
            await go_on.wait()
            await aviary.application(scope, receive, send)

        async with serving(hesitant) as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            client = BareSocket(reader, writer)
            writer.write(handshake("/ws"))
            socket = await asyncio.wait_for(waiting.get(), WAIT_S)
            for number in range(messages):
                client.send(b"%d" % number)
            await eventually(lambda: len(socket._early) == messages or not socket.is_open)
            go_on.set()
            await client.shaken()
            if messages > EARLY_MAX:
                assert await client.frame() is None
                await over(aviary.parrots[0])
            else:
                for number in range(messages):
                    assert await client.frame() == (TEXT, b"%d" % number)
            writer.transport.abort()


class TestMessages:
    @pytest.mark.parametrize(
        "message", ["", "x", "x" * 125, "x" * 126, "ä" * 40_000, "x" * MESSAGE_MAX, b"\x00\xff"]
    )
    async def test_whatever_is_sent_arrives_whole(self, aviary: Aviary, message: Data) -> None:
        async with aviary.visit(max_size=None) as (client, parrot):
            await client.send(message)
            if isinstance(message, str):
                assert await client.recv() == message
                message = message.encode()
            else:
                await eventually(lambda: len(parrot.messages) == 2)
            assert parrot.messages[1] == message

    async def test_fragments_are_one_message_and_pings_may_come_between(self, aviary: Aviary) -> None:
        async with aviary.bare() as (client, parrot):
            whole = "süß".encode()
            client.send(whole[:2], fin=False)
            client.send(b"now", PING)
            client.send(whole[2:], 0)
            assert await client.frame() == (PONG, b"now")
            assert await client.frame() == (TEXT, whole)
            assert parrot.events == ["pinged"]

    @pytest.mark.parametrize(
        ("raw", "code"),
        [
            (head(TEXT, MESSAGE_MAX + 1) + b"x" * 100, 1009),
            (head(TEXT, 2**62), 1009),
            (head(TEXT, 2) + b"\xc3\x28", 1007),
            (head(TEXT, 1, fin=False) + b"\xc3" + head(0, 1) + b"\x28", 1007),
            (head(TEXT, 1, reserved=4) + b"x", 1002),
            (head(3, 1) + b"x", 1002),
            (head(11, 0), 1002),
            (head(TEXT, 1, masked=False) + b"x", 1002),
            (head(0, 1) + b"x", 1002),
            (head(PING, 126) + b"x" * 126, 1002),
            (head(PING, 1, fin=False) + b"x", 1002),
            (head(TEXT, 1, fin=False) + b"x" + head(TEXT, 1) + b"y", 1002),
            (head(CLOSE, 1) + b"x", 1002),
            (head(CLOSE, 2) + struct.pack(">H", 999), 1002),
            (head(CLOSE, 3) + struct.pack(">H", 1000) + b"\xff", 1007),
        ],
    )
    async def test_broken_frames_end_the_connection_with_the_code_for_it(
        self, aviary: Aviary, raw: bytes, code: int
    ) -> None:
        async with aviary.bare() as (client, parrot):
            client.writer.write(raw)
            frame = await client.frame()
            assert frame is not None
            assert frame.code == code
            client.send(frame.payload, CLOSE)
            assert await client.frame() is None
            await over(parrot)
            assert parrot.messages == [b"hello"]
        assert aviary.defects == 0

    async def test_why_a_message_is_too_long_is_heard_by_who_sends_all_of_it(self, aviary: Aviary) -> None:
        async with aviary.bare() as (client, parrot):
            client.send(b"x" * 4 * MESSAGE_MAX)
            await over(parrot)
            frame = await client.frame()
            assert frame is not None
            assert frame.code == 1009
            assert await client.frame() is None

    async def test_a_connection_leaves_no_circles_behind(self, aviary: Aviary) -> None:
        # The collector hardly ever looks for circles among what has lived for long (`app.running`).
        def left() -> int:
            kinds = (Socket, sockets.SocketProtocol, ServerProtocol, Protocol, Heart)
            return sum(type(each) in kinds for each in gc.get_objects())

        gc.collect()
        gc.disable()
        try:
            before = left()
            for _ in range(5):
                async with aviary.visit() as (_, parrot):
                    parrot.heart = Heart(parrot.socket, interval_s=60, timeout_s=60, payload=lambda: b"now")
                async with aviary.bare():
                    pass
            aviary.parrots.clear()
            del parrot
            await eventually(lambda: left() == before)
        finally:
            gc.enable()

    async def test_a_defect_of_a_session_ends_it_alone_and_is_counted(self, aviary: Aviary) -> None:
        async with aviary.visit() as (other, _), aviary.visit() as (client, parrot):
            await client.send("break")
            closed = await farewell(client)
            assert closed.rcvd is not None
            assert (closed.rcvd.code, closed.rcvd.reason) == (sockets.BROKEN, "Internal error")
            assert parrot.events == ["ended"]
            await other.send("still here")
            assert await other.recv() == "still here"
        assert aviary.defects == 1

    def test_frames_are_those_of_a_server(self) -> None:
        assert encode_text(b"") == b"\x81\x00"
        for length, size in ((125, 2), (126, 4), (65_535, 4), (65_536, 10)):
            frame = encode_text(b"x" * length)
            assert frame == head(TEXT, length, masked=False) + b"x" * length
            assert len(frame) == size + length


class TestEnding:
    async def test_a_session_that_closes_hears_nothing_further(self, aviary: Aviary) -> None:
        async with aviary.bare() as (client, parrot):
            client.send(b"leave")
            client.send(b"too late")
            frame = await client.frame()
            assert frame is not None
            assert (frame.code, frame.reason) == (4000, "as you wish")
            client.send(frame.payload, CLOSE)
            assert await client.frame() is None
            await over(parrot)
            assert parrot.messages == [b"hello", b"leave"]
            assert parrot.events == ["ended"]
            # All of it is harmless afterwards.
            parrot.socket.send_text(b"x")
            parrot.socket.ping(b"x")
            parrot.socket.pause()
            parrot.socket.resume()
            parrot.socket.close(4001)
            assert not parrot.socket.is_open

    async def test_who_never_answers_a_close_is_cut(
        self, aviary: Aviary, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sockets, "PARTING_S", 0.02)
        async with aviary.bare() as (client, parrot):
            client.send(b"leave")
            frame = await client.frame()
            assert frame is not None
            assert frame.code == 4000
            assert await client.frame() is None
            await asyncio.wait_for(parrot.socket.over, WAIT_S)

    @pytest.mark.parametrize("way", ["close", "half", "abort"])
    async def test_a_client_that_goes_ends_its_session_once(self, aviary: Aviary, way: str) -> None:
        async with aviary.bare() as (client, parrot):
            if way == "close":
                client.send(struct.pack(">H", 1000), CLOSE)
                frame = await client.frame()
                assert frame is not None
                assert frame.code == 1000
            elif way == "half":
                client.writer.write_eof()
                assert await client.frame() is None
            else:
                client.writer.transport.abort()
            await over(parrot)
            await asyncio.wait_for(parrot.socket.over, WAIT_S)
            assert parrot.events == ["ended"]

    async def test_a_server_that_stops_says_so_first(self, house: House) -> None:
        aviary = Aviary(house)
        async with serving(aviary.application) as aviary.port:
            client = await connect(f"ws://127.0.0.1:{aviary.port}/ws")
            await client.send("hello")
            await client.recv()
        assert await client.recv() == "farewell"
        closed = await farewell(client)
        assert closed.rcvd is not None
        assert closed.rcvd.code == sockets.RESTARTING
        await over(aviary.parrots[0])

    async def test_a_sandbox_that_ends_closes_its_connections_and_no_others(self, aviary: Aviary) -> None:
        sandboxes = aviary.house.universe.sandboxes
        await sandboxes.create("red")
        async with aviary.visit() as (other, _), aviary.visit("/~red/binance/ws") as (client, parrot):
            await sandboxes.drop("red")
            closed = await farewell(client)
            assert closed.rcvd is not None
            assert (closed.rcvd.code, closed.rcvd.reason) == (sockets.RESTARTING, "The sandbox ended")
            await over(parrot)
            await other.send("still here")
            assert await other.recv() == "still here"

    async def test_who_comes_while_a_sandbox_is_reset_is_not_kept_on_the_old_one(
        self, aviary: Aviary
    ) -> None:
        universe = aviary.house.universe
        ended = asyncio.Event()
        universe.sandboxes.default.fanout.at_end(ended.set)
        universe.journal.gate = asyncio.Event()
        resetting = asyncio.create_task(universe.sandboxes.reset("default"))
        await asyncio.wait_for(ended.wait(), WAIT_S)
        async with connect(f"ws://127.0.0.1:{aviary.port}/ws") as client:
            closed = await farewell(client)
            assert closed.rcvd is not None
            assert closed.rcvd.code == sockets.RESTARTING
        universe.journal.gate.set()
        assert await resetting is universe.sandboxes.default
        async with aviary.visit() as (_, parrot):
            assert parrot.opening.sandbox is universe.sandboxes.default


class TestSlowReaders:
    async def test_one_that_never_reads_is_cut_and_delays_nobody(self, aviary: Aviary) -> None:
        async with aviary.bare() as (slow, lazy), aviary.visit() as (quick, _):
            slow.pause()
            rounds = 0
            while lazy.socket.is_open:
                slow.send(b"much")
                await quick.send(f"round {rounds}")
                assert await asyncio.wait_for(quick.recv(), WAIT_S) == f"round {rounds}"
                rounds += 1
                assert rounds < 1000
            assert lazy.events == ["ended"]
            # What was on the way still comes, and then why no more does.
            slow.resume()
            frame = await slow.frame()
            while frame is not None and frame.opcode == TEXT:
                frame = await slow.frame()
            assert frame is not None
            assert (frame.code, frame.reason) == (sockets.POLICY, "The messages are not read fast enough")

    async def test_one_that_pings_and_takes_no_pongs_is_cut(self, aviary: Aviary) -> None:
        async with aviary.bare() as (slow, lazy):
            slow.pause()
            async with asyncio.timeout(WAIT_S):
                while lazy.socket.is_open:
                    for _ in range(500):
                        slow.send(b"x" * 125, PING)
                    await slow.writer.drain()
                    await asyncio.sleep(0)
            assert lazy.events[-1] == "ended"


class TestHeart:
    async def test_it_pings_by_the_wall_and_parts_with_who_does_not_answer(self, aviary: Aviary) -> None:
        async with aviary.bare() as (client, parrot):
            payloads = iter(range(100))
            parrot.heart = Heart(
                parrot.socket, interval_s=0.02, timeout_s=0.05, payload=lambda: b"%d" % next(payloads)
            )
            for number in range(3):
                assert await client.frame() == (PING, b"%d" % number)
                client.send(b"%d" % number, PONG)
            assert await client.frame() == (PING, b"3")
            # Neither another payload nor an unsolicited pong counts.
            client.send(b"2", PONG)
            client.send(b"", PONG)
            frame = await client.frame()
            assert frame is not None
            assert (frame.code, frame.reason) == (sockets.POLICY, "Pong timeout")
            await over(parrot)

    async def test_it_pings_when_it_is_told_to_and_not_while_it_waits(self, aviary: Aviary) -> None:
        async with aviary.bare() as (client, parrot):
            heart = parrot.heart = Heart(parrot.socket, interval_s=60, timeout_s=60, payload=lambda: b"now")
            heart.beat()
            heart.beat()
            parrot.socket.send_text(b"only one")
            assert await client.frame() == (PING, b"now")
            assert await client.frame() == (TEXT, b"only one")
            client.send(b"now", PONG)
            await eventually(lambda: "ponged now" in parrot.events)
            heart.beat()
            assert await client.frame() == (PING, b"now")


async def test_binary_messages_need_not_be_text(aviary: Aviary) -> None:
    async with aviary.bare() as (client, parrot):
        client.send(b"\xff\xfe", BINARY)
        await eventually(lambda: len(parrot.messages) == 2)
        assert parrot.messages[1] == b"\xff\xfe"
