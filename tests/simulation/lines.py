"""Connections of a client that may do what no library lets it: hang up in the midst of a request, send a
part of one, read nothing.

An address is looked up whenever a line connects, so that lines outlive the server that they lead to.
"""

from __future__ import annotations

import asyncio
import socket
import struct
from collections import deque
from typing import Any

import orjson
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException
from websockets.protocol import State

WAIT_S = 30
"""For an answer; a server that needs longer counts as gone, and the run fails by it."""


class Lost(Exception):
    """The connection ended before the answer came."""


class Address:
    def __init__(self, port: int = 0, host: str = "127.0.0.1") -> None:
        self.host = host
        self.port = port


class HttpLine:
    """One connection that is kept alive; one request at a time. prefix: of all targets."""

    def __init__(self, address: Address, prefix: str = "") -> None:
        self._address = address
        self._prefix = prefix
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(
        self, method: str, target: str, headers: dict[str, str] | None = None, body: bytes = b""
    ) -> tuple[int, bytes]:
        """Status and content. Raises Lost."""
        try:
            async with asyncio.timeout(WAIT_S):
                reader, writer = await self._connected()
                writer.write(self.request(method, target, headers, body))
                return await self._answer(reader)
        except TimeoutError:
            raise
        except (OSError, asyncio.IncompleteReadError) as error:
            self.reset()
            raise Lost(f"{method} {target}: {error}") from error

    async def abandon(
        self, method: str, target: str, headers: dict[str, str] | None, body: bytes, bytes_max: int | None
    ) -> None:
        """Send a request, or its first bytes only, and reset the connection without reading."""
        try:
            _, writer = await self._connected()
            writer.write(self.request(method, target, headers, body)[:bytes_max])
            await writer.drain()
        except OSError:
            pass
        self.reset()

    def request(self, method: str, target: str, headers: dict[str, str] | None, body: bytes) -> bytes:
        lines = [
            f"{method} {self._prefix}{target} HTTP/1.1",
            f"Host: {self._address.host}:{self._address.port}",
        ]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        if body or method in ("POST", "PUT"):
            lines.append(f"Content-Length: {len(body)}")
        return "\r\n".join([*lines, "", ""]).encode() + body

    def reset(self) -> None:
        """End the connection at once, so that the other side reads a reset."""
        if self._streams is not None:
            _, writer = self._streams
            self._streams = None
            raw = writer.get_extra_info("socket")
            # One that has ended already is closed by then.
            if raw is not None and raw.fileno() >= 0:
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()

    async def _connected(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._streams is not None and self._streams[0].at_eof():
            self.reset()  # The server ended it while nothing was asked.
        if self._streams is None:
            self._streams = await asyncio.open_connection(self._address.host, self._address.port)
        return self._streams

    async def _answer(self, reader: asyncio.StreamReader) -> tuple[int, bytes]:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in head[1:] if line)
        content = await reader.readexactly(int(headers["content-length"]))
        if headers.get("connection") == "close":
            self.reset()
        return int(head[0].split(" ", 2)[1]), content


class SocketLine:
    """A WebSocket whose requests have ids. Whatever comes without being asked for is kept in `events`.

    Its forms say how an id is sent, and what is to be said before anything is asked.
    """

    def __init__(self, address: Address, path: str) -> None:
        self._address = address
        self._path = path
        self._connection: ClientConnection | None = None
        self._asked = 0
        self.events: deque[Any] = deque()
        self.ends = 0
        """How many connections it had that ended; what was told meanwhile is missing then."""

    def named(self, asked: int) -> dict[str, Any]:
        """How a request says which one it is."""
        return {"id": asked}

    def answers(self, frame: Any, asked: int) -> bool:
        """Whether a frame answers that request."""
        return bool(frame.get("id") == asked)

    async def greet(self, connection: ClientConnection) -> None:
        """Say what must be said first, and read what answers it."""

    async def ask(self, request: dict[str, Any]) -> Any:
        """The frame that answers. Raises Lost."""
        self._asked += 1
        asked = self._asked
        try:
            async with asyncio.timeout(WAIT_S):
                connection = await self._connected()
                await connection.send(orjson.dumps({**self.named(asked), **request}).decode())
                while True:
                    frame = orjson.loads(await connection.recv())
                    if self.answers(frame, asked):
                        return frame
                    self.events.append(frame)
        except TimeoutError:
            raise
        except (OSError, WebSocketException) as error:
            self.reset()
            raise Lost(f"{request.get('method', request.get('op'))}: {error}") from error

    async def abandon(self, request: dict[str, Any]) -> None:
        """Send a request and reset the connection without reading."""
        try:
            connection = await self._connected()
            await connection.send(orjson.dumps({**self.named(0), **request}).decode())
        except (OSError, WebSocketException):
            pass
        self.reset()

    def reset(self) -> None:
        if self._connection is not None:
            self._connection.transport.abort()
            self._connection = None
            self.ends += 1

    async def _connected(self) -> ClientConnection:
        if self._connection is not None and self._connection.state is not State.OPEN:
            self.reset()
        if self._connection is None:
            url = f"ws://{self._address.host}:{self._address.port}{self._path}"
            connection = await connect(url, max_size=None, ping_interval=None)
            await self.greet(connection)
            self._connection = connection
        return self._connection
