"""What no client says to a WebSocket on purpose: each gets a documented error or an orderly goodbye, the
server stays well, and nobody else notices."""

from __future__ import annotations

import contextlib
import json
import random
import socket
import struct
from collections.abc import Iterator
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conformance.effort import EXAMPLES_FACTOR
from tests.web.serving import BINARY, CLOSE, PING, PONG, TEXT, handshake, head

TIMEOUT_S = 10
MESSAGE_MAX = 262_144
STREAM_PATHS = (
    "/ws",
    "/stream",
    "/ws/btcusdt@trade",
    "/stream?streams=btcusdt@depth@100ms/!ticker@arr",
    "/stream/ws/7",
)
API_PATH = "/ws-api/v3"
PATHS = (*STREAM_PATHS, API_PATH)

CODES = frozenset({1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014})
"""Of closes that the protocol has for what a client does wrong, and of those of the client's, which are
echoed. That 1011 is no defect of ours is seen by its reason."""

budget = settings(
    max_examples=60 * min(EXAMPLES_FACTOR, 15),
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)


class Frame(NamedTuple):
    opcode: int
    payload: bytes


class Wire:
    """A client of bare frames that blocks, with a timeout for everything."""

    def __init__(self, url: str, path: str) -> None:
        place = urlsplit(url)
        assert place.hostname is not None
        self._socket = socket.create_connection((place.hostname, place.port), timeout=TIMEOUT_S)
        self._buffer = b""
        self._is_over = False
        self.send(handshake(path, place.netloc))
        while b"\r\n\r\n" not in self._buffer:
            assert self._read(), "no answer to the handshake"
        answer, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
        self.status = int(answer.split(b" ", 2)[1])

    def send(self, raw: bytes) -> None:
        # The server may have said goodbye while more was on its way; what it said can perhaps be read.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self._socket.sendall(raw)

    def say(self, payload: bytes, opcode: int = TEXT) -> None:
        self.send(head(opcode, len(payload)) + payload)

    def frame(self) -> Frame | None:
        """None at the end of the connection. A TimeoutError is a server that hangs."""
        while True:
            parsed = self._parse()
            if parsed is not None:
                return parsed
            if not self._read():
                return None

    def half_close(self) -> None:
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        self._socket.close()

    def __enter__(self) -> Wire:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _read(self) -> bool:
        try:
            part = self._socket.recv(65_536)
        except ConnectionResetError:
            part = b""
        self._buffer += part
        return bool(part)

    def _parse(self) -> Frame | None:
        data = self._buffer
        if len(data) < 2:
            return None
        first, length = data[0], data[1]
        assert first & 0xF0 == 0x80, "whole messages, no extension"
        assert not length & 0x80, "no mask"
        begins = 2
        if length == 126:
            length, begins = int.from_bytes(data[2:4], "big"), 4
        elif length == 127:
            length, begins = int.from_bytes(data[2:10], "big"), 10
        if len(data) < begins + length:
            return None
        self._buffer = data[begins + length :]
        return Frame(first & 0x0F, data[begins : begins + length])


# What is sent

keys = st.sampled_from(
    "method params id apiKey signature timestamp symbol side type result error stream data".split()
)
words = st.sampled_from(
    """SUBSCRIBE UNSUBSCRIBE LIST_SUBSCRIPTIONS SET_PROPERTY GET_PROPERTY combined btcusdt@trade !ticker@arr
    btcusdt@depth@100ms BTCUSDT@trade nosuch@nothing @ / ping time order.place session.logon session.status
    depth account.status userDataStream.subscribe userDataStream.subscribe.signature v3/ping BTCUSDT BUY
    LIMIT emulator-demo-key NaN 1e400 \x00 \ud800 é ✓""".split()
)
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    words,
    st.text(max_size=20),
    st.sampled_from(["x" * 5000, "", 0, -1, 2**63, 2**64, 1e308]),
)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(keys, inner, max_size=4)),
    max_leaves=8,
)
requests = st.one_of(
    st.fixed_dictionaries({}, optional={"method": scalars, "params": values, "id": values}),
    st.fixed_dictionaries(
        {"method": words, "params": st.one_of(st.lists(words, max_size=5), values), "id": scalars}
    ),
    st.dictionaries(keys, values, max_size=5),
    values,
)


def as_json(value: Any) -> bytes:
    """As lenient writers do, with NaN, Infinity and lone surrogates."""
    text: str = json.dumps(value)
    return text.encode("utf-8", "surrogatepass")


texts: st.SearchStrategy[bytes] = st.one_of(
    requests.map(as_json),
    st.tuples(requests.map(as_json), st.integers(0, 200)).map(lambda parts: parts[0][: parts[1]]),
    st.tuples(requests.map(as_json), st.binary(max_size=3), st.integers(0, 200)).map(
        lambda parts: parts[0][: parts[2]] + parts[1] + parts[0][parts[2] :]
    ),
    st.binary(max_size=60),
    st.text(max_size=60).map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.sampled_from([b"", b"{}", b"[]", b"null", b'"', b"[" * 3000, b'{"a":' * 3000, b"1" * 5000]),
)
opcodes = st.sampled_from([TEXT, TEXT, TEXT, BINARY, PING, PONG])


class Message(NamedTuple):
    """Well-formed frames. is_text: what they say is text where they say so."""

    raw: bytes
    is_text: bool


@st.composite
def messages(draw: st.DrawFn) -> Message:
    """Whole, or in fragments, perhaps with a ping between."""
    text, opcode = draw(texts), draw(opcodes)
    if opcode in (PING, PONG):
        text = text[:125]
        return Message(head(opcode, len(text)) + text, is_text=True)
    cuts = sorted(draw(st.lists(st.integers(0, len(text)), max_size=3)))
    parts = [text[begin:end] for begin, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    raw = b""
    for number, part in enumerate(parts):
        raw += head(opcode if number == 0 else 0, len(part), fin=number == len(parts) - 1) + part
        if number < len(parts) - 1 and draw(st.booleans()):
            raw += head(PING, 2) + b"hi"
    return Message(raw, is_text=opcode != TEXT or _is_text(text))


def _is_text(raw: bytes) -> bool:
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True


broken = st.one_of(
    st.builds(
        lambda opcode, fin, reserved, masked, length, payload: (
            head(opcode, length, fin=fin, reserved=reserved, masked=masked) + payload
        ),
        st.integers(0, 15),
        st.booleans(),
        st.integers(0, 7),
        st.booleans(),
        st.sampled_from([0, 1, 125, 126, 127, 65_535, 65_536, MESSAGE_MAX, MESSAGE_MAX + 1, 2**40, 2**63]),
        st.binary(max_size=200),
    ),
    st.builds(
        lambda code, reason: head(CLOSE, 2 + len(reason)) + struct.pack(">H", code) + reason,
        st.integers(0, 65_535),
        st.binary(max_size=100),
    ),
    st.binary(max_size=300),
)


# What must come of it


def check_stream_answer(payload: bytes) -> None:
    body = json.loads(payload)
    if isinstance(body, dict) and "error" in body:
        assert body.keys() in ({"error"}, {"error", "id"})
        assert body["error"].keys() == {"code", "msg"}
        assert body["error"]["code"] in (0, 1, 2, 3)
        begins = {
            0: "Unknown property",
            1: "Invalid value type: ",
            2: "Invalid request: ",
            3: "Invalid JSON: ",
        }
        assert body["error"]["msg"].startswith(begins[body["error"]["code"]])
    elif isinstance(body, dict) and "result" in body:
        assert body.keys() == {"result", "id"}
        assert body["result"] is None or isinstance(body["result"], bool | list)
    else:
        pushed = body["data"] if isinstance(body, dict) and "stream" in body else body
        assert isinstance(pushed, list | dict)
        assert pushed


def check_api_answer(payload: bytes) -> None:
    body = json.loads(payload)
    if "event" in body:
        return
    assert {"id", "status"} <= body.keys() <= {"id", "status", "result", "error", "rateLimits"}
    assert 200 <= body["status"] < 500, body
    assert ("error" in body) == (body["status"] != 200), body
    if "error" in body:
        assert {"code", "msg"} <= body["error"].keys() <= {"code", "msg", "data"}, body
        assert body["error"]["code"] != -1000, body


def check_rest(wire: Wire, path: str, *, sentinel: str | None) -> bool:
    """Read until the sentinel is answered or the connection ends; whether it was answered."""
    check = check_api_answer if path == API_PATH else check_stream_answer
    while (frame := wire.frame()) is not None:
        if frame.opcode == TEXT:
            check(frame.payload)
            body = json.loads(frame.payload)
            if sentinel is not None and isinstance(body, dict) and body.get("id") == sentinel:
                return True
        elif frame.opcode == CLOSE:
            code = int.from_bytes(frame.payload[:2], "big") if frame.payload else 1000
            # A close of the client's is echoed with its code.
            assert code in CODES or 3000 <= code < 5000, frame
            assert b"Internal error" not in frame.payload
            wire.say(frame.payload[:2], CLOSE)
        else:
            assert frame.opcode in (PING, PONG), frame
    return False


def ask(path: str, number: object) -> tuple[bytes, str]:
    """A request that every server answers, and the id to know its answer by."""
    sentinel = f"sentinel-{number}"
    method = "time" if path == API_PATH else "GET_PROPERTY"
    params: Any = {} if path == API_PATH else ["combined"]
    return json.dumps({"method": method, "params": params, "id": sentinel}).encode(), sentinel


@pytest.fixture(scope="module")
def url(server_url: str) -> str:
    return server_url


@pytest.fixture(scope="module", autouse=True)
def well(url: str) -> Iterator[None]:
    """The server knows of no defect afterwards, and answers clients as ever."""
    yield
    health = httpx.get(f"{url}/_emulator/health", trust_env=False).raise_for_status().json()
    assert health["status"] == "ok"
    assert health["requests"]["broken"] == 0
    for path in PATHS:
        with Wire(url, path) as wire:
            request, sentinel = ask(path, "last")
            wire.say(request)
            assert check_rest(wire, path, sentinel=sentinel)


@pytest.mark.parametrize("path", PATHS)
@budget
@given(sent=st.lists(messages(), min_size=1, max_size=6))
def test_whatever_is_said_in_whole_messages_is_answered(url: str, path: str, sent: list[Message]) -> None:
    with Wire(url, path) as wire:
        assert wire.status == 101
        for message in sent:
            wire.send(message.raw)
        request, sentinel = ask(path, len(sent))
        wire.say(request)
        # It goes on listening as long as what calls itself text is text.
        is_heard = check_rest(wire, path, sentinel=sentinel)
        assert is_heard == all(message.is_text for message in sent)


@pytest.mark.parametrize("path", ["/ws", "/stream?streams=btcusdt@bookTicker", API_PATH])
@budget
@given(
    sent=st.lists(st.one_of(broken, messages().map(lambda message: message.raw)), min_size=1, max_size=4),
    goes=st.booleans(),
)
def test_broken_frames_end_the_connection_in_order(
    url: str, path: str, sent: list[bytes], goes: bool
) -> None:
    with Wire(url, path) as wire:
        for raw in sent:
            wire.send(raw)
        if goes:
            wire.half_close()
            check_rest(wire, path, sentinel=None)
        else:
            # The rest of a frame that promised more, and then a goodbye, wherever that puts the server.
            wire.send(bytes(70_000))
            wire.say(struct.pack(">H", 1000), CLOSE)
            wire.half_close()
            check_rest(wire, path, sentinel=None)


@pytest.mark.parametrize("path", PATHS)
def test_clients_that_vanish_in_the_midst_of_anything_are_forgotten(url: str, path: str) -> None:
    dice = random.Random(path)
    request, _ = ask(path, "x")
    whole = head(TEXT, len(request)) + request
    for _ in range(20 * EXAMPLES_FACTOR):
        with Wire(url, path) as wire:
            wire.send(whole * dice.randrange(4) + whole[: dice.randrange(len(whole))])
            if dice.random() < 0.5:
                wire.half_close()


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("size", [MESSAGE_MAX, MESSAGE_MAX + 1, 4 * MESSAGE_MAX])
@pytest.mark.parametrize("filling", [b" ", b"[", b'"', b"\x00", b"1", b'{"', b"\\"])
def test_huge_messages_are_answered_or_refused(url: str, path: str, size: int, filling: bytes) -> None:
    with Wire(url, path) as wire:
        wire.say((filling * size)[:size])
        request, sentinel = ask(path, size)
        wire.say(request)
        assert check_rest(wire, path, sentinel=sentinel) == (size <= MESSAGE_MAX)


@pytest.mark.parametrize("path", ["/ws", API_PATH])
def test_a_message_in_very_many_fragments_is_one(url: str, path: str) -> None:
    request, sentinel = ask(path, "slices")
    with Wire(url, path) as wire:
        wire.send(b"".join(_slices(request)))
        assert check_rest(wire, path, sentinel=sentinel)
    with Wire(url, path) as wire:
        # Without an end: it is too long at some point.
        wire.send(head(TEXT, 1, fin=False) + b"x")
        for _ in range(5):
            wire.send(head(0, 60_000, fin=False) + bytes(60_000))
        assert not check_rest(wire, path, sentinel=None)


def _slices(message: bytes) -> Iterator[bytes]:
    yield head(TEXT, 0, fin=False)
    for index in range(len(message)):
        yield head(0, 1, fin=False) + message[index : index + 1]
        yield head(0, 0, fin=False)
    yield head(0, 0)


handshakes = st.lists(
    st.sampled_from(
        [
            b"Upgrade: websocket", b"Upgrade: h2c", b"Connection: Upgrade", b"Connection: close",
            b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==", b"Sec-WebSocket-Key: x", b"Sec-WebSocket-Key:",
            b"Sec-WebSocket-Version: 13", b"Sec-WebSocket-Version: 8", b"Sec-WebSocket-Protocol: x, y",
            b"Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits", b"Content-Length: 5",
            b"Transfer-Encoding: chunked", b"Origin: null", b"X-MBX-APIKEY: \xff", b"Expect: 100-continue",
            b"X: " + b"x" * 9000, b"Sec-WebSocket-Extensions: ;;;=",
        ]
    ),
    max_size=9,
    unique=True,
)  # fmt: skip
targets = st.one_of(
    st.sampled_from(
        [
            b"/ws", b"/ws-api/v3", b"/stream?streams=%ff%00", b"/ws/%2e%2e/%00", b"/ws?timeUnit=%FF", b"//ws",
            b"/ws#x", b"/stream?streams=" + b"a@b/" * 1500, b"/ws/" + b"x" * 9000,
            b"/ws-api/v3?timeUnit=x&returnRateLimits=?",
        ]
    ),
    st.binary(max_size=20).map(lambda raw: b"/ws/" + raw.translate(None, b" \r\n\t\x00\x0b\x0c")),
)  # fmt: skip


@budget
@given(target=targets, headers=handshakes, method=st.sampled_from([b"GET", b"GET", b"POST", b"HEAD"]))
def test_handshakes_that_are_none_get_an_answer(
    url: str, target: bytes, headers: list[bytes], method: bytes
) -> None:
    place = urlsplit(url)
    assert place.hostname is not None
    with socket.create_connection((place.hostname, place.port), timeout=TIMEOUT_S) as opened:
        raw = b"%b %b HTTP/1.1\r\nHost: x\r\n%b\r\n" % (
            method,
            target,
            b"".join(h + b"\r\n" for h in headers),
        )
        opened.sendall(raw)
        if b"Transfer-Encoding: chunked" in headers or b"Content-Length: 5" in headers:
            opened.sendall(b"0\r\n\r\n")
        answer = opened.recv(65_536)
    assert answer.startswith(b"HTTP/1.1 "), answer[:200]
    status = int(answer[9:12])
    assert status < 500, answer[:500]


def test_others_notice_nothing(url: str) -> None:
    """A client that listens gets its stream without a gap while another one rages beside it."""
    dice = random.Random(5)
    with Wire(url, "/ws/btcusdt@depth@100ms") as listener:
        last = None
        for _ in range(12 * min(EXAMPLES_FACTOR, 5)):
            for path in PATHS:
                with Wire(url, path) as wire:
                    wire.send(dice.randbytes(dice.randrange(400)))
                with Wire(url, path) as wire:
                    wire.say(b"{" * dice.randrange(20_000))
                    wire.half_close()
            frame = listener.frame()
            while frame is not None and frame.opcode == PING:
                listener.say(frame.payload, PONG)
                frame = listener.frame()
            assert frame is not None
            diff = json.loads(frame.payload)
            assert last is None or diff["U"] == last + 1
            last = diff["u"]
