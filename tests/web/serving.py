"""An ASGI application behind real sockets in this process, so that a test sees both ends; and a client of
bare frames, which can do what no library lets it."""

from __future__ import annotations

import asyncio
import base64
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple

import uvicorn
from starlette.types import ASGIApp

from emulator.web.short_way import Protocol
from emulator.web.sockets import MESSAGE_MAX, SocketProtocol

WAIT_S = 10
"""For what must come; nothing here takes as long."""

GOODBYE_MS = 100
"""For connections to say at the end what they have to say."""

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10


@asynccontextmanager
async def serving(application: ASGIApp) -> AsyncIterator[int]:
    """The port of a server as the emulator's own; it ends as on a signal."""
    server = uvicorn.Server(
        uvicorn.Config(
            application,
            host="127.0.0.1",
            port=0,
            http=Protocol,
            ws=SocketProtocol,
            ws_max_size=MESSAGE_MAX,
            ws_per_message_deflate=False,
            ws_ping_interval=None,
            ws_ping_timeout=None,
            lifespan="off",
            log_level="error",
            log_config=None,
            proxy_headers=False,
        )
    )
    server.config.load()
    server.lifespan = server.config.lifespan_class(server.config)
    await server.startup()
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        for listening in server.servers:
            listening.close()
        connections = server.server_state.connections
        for connection in list(connections):
            connection.shutdown()
        # uvicorn's own end takes all of this even where nobody is left, hundreds of times in a suite.
        for _ in range(GOODBYE_MS):
            if not connections:
                break
            await asyncio.sleep(0.001)
        for listening in server.servers:
            await listening.wait_closed()


class Frame(NamedTuple):
    opcode: int
    payload: bytes

    @property
    def code(self) -> int:
        """Of a close."""
        assert self.opcode == CLOSE
        return int.from_bytes(self.payload[:2], "big")

    @property
    def reason(self) -> str:
        return self.payload[2:].decode()


def head(opcode: int, length: int, *, fin: bool = True, reserved: int = 0, masked: bool = True) -> bytes:
    """A frame's header, with a mask that changes nothing."""
    first = (0x80 if fin else 0) | reserved << 4 | opcode
    bit = 0x80 if masked else 0
    if length < 126:
        size = bytes([bit | length])
    elif length < 65_536:
        size = bytes([bit | 126]) + length.to_bytes(2, "big")
    else:
        size = bytes([bit | 127]) + length.to_bytes(8, "big")
    return bytes([first]) + size + (b"\0\0\0\0" if masked else b"")


def handshake(path: str, host: str = "127.0.0.1") -> bytes:
    key = base64.b64encode(os.urandom(16)).decode()
    return (
        f"GET {path} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n"
    ).encode()


class BareSocket:
    """A connection whose every byte is the test's, and which answers nothing by itself."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.status = 0
        """Of the answer to the handshake."""

    @classmethod
    @asynccontextmanager
    async def connected(cls, port: int, path: str) -> AsyncIterator[BareSocket]:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        bare = cls(reader, writer)
        try:
            await bare.shake(path)
            yield bare
        finally:
            writer.transport.abort()

    async def shake(self, path: str) -> None:
        self.writer.write(handshake(path))
        await self.shaken()

    async def shaken(self) -> None:
        answer = await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), WAIT_S)
        self.status = int(answer.split(b" ", 2)[1])

    def send(self, payload: bytes, opcode: int = TEXT, *, fin: bool = True) -> None:
        self.writer.write(head(opcode, len(payload), fin=fin) + payload)

    def pause(self) -> None:
        """Take nothing further off the connection."""
        self._transport.pause_reading()

    def resume(self) -> None:
        self._transport.resume_reading()

    @property
    def _transport(self) -> asyncio.ReadTransport:
        transport = self.writer.transport
        assert isinstance(transport, asyncio.ReadTransport)
        return transport

    async def frame(self) -> Frame | None:
        """The next frame; None at the end of the connection."""
        try:
            return await asyncio.wait_for(self._frame(), WAIT_S)
        except (asyncio.IncompleteReadError, ConnectionError):
            return None

    async def _frame(self) -> Frame:
        first, second = await self.reader.readexactly(2)
        assert first & 0x80, "the server sends whole messages"
        assert not second & 0x80, "the server does not mask"
        length = second
        if length == 126:
            length = int.from_bytes(await self.reader.readexactly(2), "big")
        elif length == 127:
            length = int.from_bytes(await self.reader.readexactly(8), "big")
        return Frame(first & 0x0F, await self.reader.readexactly(length))
