"""Passes the bytes of a connection that was taken on to another one, both ways.

A side that is slow holds the other one up, an end of what is sent is passed on as such, and so is a reset.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from abc import abstractmethod
from collections.abc import Awaitable, Callable
from typing import cast

CONNECT_S = 15.0

_RESET = struct.pack("ii", 1, 0)


class Taken(asyncio.Protocol):
    """A connection that was taken. Its forms say in `begin` or `hear` with whom it is connected."""

    def __init__(self, alive: set[Taken]) -> None:
        """alive: where it is kept while it lasts, so that who serves can end it."""
        self._alive = alive
        self._held = bytearray()
        self._has_ended = False
        self._is_told_all = False
        self._outer: Outer | None = None
        self._connecting: asyncio.Task[None] | None = None

    @abstractmethod
    def begin(self, address: str, port: int) -> None:
        """It was made, to that address of ours."""

    def hear(self, begun: bytes, *, is_last: bool) -> None:
        """More has come, and nobody is on the other side yet. begun: all so far. is_last: it is all."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self._alive.add(self)
        self.begin(*transport.get_extra_info("sockname")[:2])

    def data_received(self, chunk: bytes) -> None:
        if self._outer is None:
            self._held += chunk
            self.hear(bytes(self._held), is_last=False)
        elif not self._outer.transport.is_closing():
            self._outer.transport.write(chunk)

    def eof_received(self) -> bool:
        self._has_ended = True
        if self._outer is not None:
            self._outer.end()
            self._leave_if_over()
        else:
            self.hear(bytes(self._held), is_last=True)
        return True

    def connection_lost(self, error: Exception | None) -> None:
        self._alive.discard(self)
        if self._outer is not None:
            self._outer.leave(reset=error is not None)
        elif self._connecting is not None:
            self._connecting.cancel()
        else:
            self.hear(bytes(self._held), is_last=True)

    def pause_writing(self) -> None:
        if self._outer is not None:
            self._outer.transport.pause_reading()

    def resume_writing(self) -> None:
        if self._outer is not None:
            self._outer.transport.resume_reading()

    def connect(self, connecting: Callable[[Outer], Awaitable[object]]) -> None:
        """Connect with the other side. connecting: makes a connection of the protocol that it is given."""
        if not self.transport.is_closing():
            self.transport.pause_reading()
            self._connecting = asyncio.get_running_loop().create_task(self._connect(connecting))

    def end(self) -> None:
        """The other side has nothing more to say."""
        self._is_told_all = True
        with contextlib.suppress(OSError):
            self.transport.write_eof()
        self._leave_if_over()

    def leave(self, *, reset: bool = False) -> None:
        """End this side: at once, or when what is to be sent was sent."""
        _leave(self.transport, reset=reset)

    def _leave_if_over(self) -> None:
        if self._has_ended and self._is_told_all:
            self.leave()

    async def _connect(self, connecting: Callable[[Outer], Awaitable[object]]) -> None:
        outer = Outer(self)
        try:
            async with asyncio.timeout(CONNECT_S):
                await connecting(outer)
        except (OSError, TimeoutError):
            self.leave(reset=True)
            return
        self._outer = outer
        if self.transport.is_closing():
            outer.leave(reset=True)
            return
        if self._held:
            outer.transport.write(bytes(self._held))
            self._held.clear()
        if self._has_ended:
            outer.end()
        self.transport.resume_reading()


class Outer(asyncio.Protocol):
    """The other side."""

    def __init__(self, taken: Taken) -> None:
        self._taken = taken

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, chunk: bytes) -> None:
        if not self._taken.transport.is_closing():
            self._taken.transport.write(chunk)

    def eof_received(self) -> bool:
        self._taken.end()
        return True

    def connection_lost(self, error: Exception | None) -> None:
        self._taken.leave(reset=error is not None)

    def pause_writing(self) -> None:
        self._taken.transport.pause_reading()

    def resume_writing(self) -> None:
        self._taken.transport.resume_reading()

    def end(self) -> None:
        with contextlib.suppress(OSError):
            self.transport.write_eof()

    def leave(self, *, reset: bool) -> None:
        _leave(self.transport, reset=reset)


def _leave(transport: asyncio.Transport, *, reset: bool) -> None:
    """reset: have the end of the connection say that it was cut off, and not that all was said."""
    if not reset:
        transport.close()
        return
    opened = transport.get_extra_info("socket")
    # A connection that is no more has none.
    if opened is not None:
        with contextlib.suppress(OSError):
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    transport.abort()
