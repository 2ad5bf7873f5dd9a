"""The client's half of WebSockets, no more than a load generator needs, so that it costs little.

Nothing is checked that a server could do wrong; that is what the tests are for.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import cast

RECEIVE_MAX = 1 << 18
TEXT = 0x81
"""The first byte of a whole text message."""


def masked(payload: bytes) -> bytes:
    """A text message from a client. The mask is zero, which leaves the payload as it is."""
    if len(payload) < 126:
        return bytes((TEXT, 0x80 | len(payload))) + bytes(4) + payload
    assert len(payload) < 65_536
    return bytes((TEXT, 0xFE)) + len(payload).to_bytes(2, "big") + bytes(4) + payload


def shake_hands(port: int, path: str) -> tuple[socket.socket, bytes]:
    """A connection to a path, and what the server sent after its answer to the handshake."""
    opened = socket.create_connection(("127.0.0.1", port))
    opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    opened.sendall(
        f"GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nupgrade: websocket\r\nconnection: upgrade\r\n"
        "sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\nsec-websocket-version: 13\r\n\r\n".encode()
    )
    answer = b""
    while b"\r\n\r\n" not in answer:
        received = opened.recv(RECEIVE_MAX)
        answer += received
        if not received:
            break
    if not answer.startswith(b"HTTP/1.1 101"):
        raise SystemExit(f"the handshake for {path} was refused:\n{answer.decode(errors='replace')}")
    return opened, answer.partition(b"\r\n\r\n")[2]


def next_frame(received: bytes | memoryview, at: int) -> tuple[int, int] | None:
    """Where the payload of the frame at an offset begins and ends, or None when its head is not whole."""
    left = len(received) - at
    if left < 2:
        return None
    length = received[at + 1]
    if length < 126:
        return at + 2, at + 2 + length
    if length == 126:
        if left < 4:
            return None
        return at + 4, at + 4 + (received[at + 2] << 8 | received[at + 3])
    if left < 10:
        return None
    return at + 10, at + 10 + int.from_bytes(received[at + 2 : at + 10], "big")


class Listener:
    """Counts the text messages that come on a connection by their lengths, when it is looked at.

    What gathered between two looks costs one system call, so that one thread can listen to hundreds.
    """

    _buffer = memoryview(bytearray(RECEIVE_MAX))

    def __init__(self, port: int, path: str, hello: bytes = b"") -> None:
        """hello: what is said first, as a frame."""
        self._socket, rest = shake_hands(port, path)
        self._socket.sendall(hello)
        self._socket.setblocking(False)
        self._rest = rest
        self._skip = 0
        self.messages = 0

    def look(self) -> None:
        try:
            length = self._socket.recv_into(self._buffer)
        except BlockingIOError:
            return
        if not length:
            raise SystemExit("the server closed a connection that listened")
        received: bytes | memoryview = self._buffer[:length]
        if self._rest:
            received = self._rest + received
            self._rest = b""
        at, end = self._skip, len(received)
        while at < end:
            frame = next_frame(received, at)
            if frame is None:
                self._rest = bytes(received[at:])
                at = end
                break
            self.messages += received[at] == TEXT
            at = frame[1]
        self._skip = at - end

    def close(self) -> None:
        self._socket.close()


class Talker(asyncio.Protocol):
    """A connection that sends requests and hands every text message that comes to a callback."""

    def __init__(self, heard: Callable[[bytes], None]) -> None:
        self.heard = heard
        self._rest = b""
        self._transport: asyncio.Transport | None = None

    async def connect(self, port: int, path: str) -> Talker:
        opened, self._rest = shake_hands(port, path)
        opened.setblocking(False)
        await asyncio.get_running_loop().create_connection(lambda: self, sock=opened)
        return self

    def send(self, frame: bytes) -> None:
        assert self._transport is not None
        self._transport.write(frame)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports do not inherit from asyncio's.
        self._transport = cast(asyncio.Transport, transport)
        if self._rest:
            self.data_received(b"")

    def data_received(self, data: bytes) -> None:
        received = self._rest + data if self._rest else data
        at, end = 0, len(received)
        while (frame := next_frame(received, at)) is not None and frame[1] <= end:
            if received[at] == TEXT:
                self.heard(received[frame[0] : frame[1]])
            at = frame[1]
        self._rest = received[at:]
