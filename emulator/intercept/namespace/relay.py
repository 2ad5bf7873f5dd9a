"""Passes the bytes of one connection of the command on to whom it means, both ways.

A side that is slow holds the other one up, an end of what is sent is passed on as such, and so is a reset.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
import struct
from typing import cast

from emulator.intercept import hello
from emulator.intercept.namespace.names import Names, Route, Way
from emulator.intercept.namespace.refusals import Refusals

FIRST_MAX = 32_768
"""Bytes in which a connection has to say whom it means."""
FIRST_S = 15.0
CONNECT_S = 15.0

_HTTP = re.compile(rb"[A-Z]{2,16} ")
_HOST = re.compile(rb"\r\nhost:[ \t]*([^\r\n]*?)[ \t]*\r\n", re.IGNORECASE)
_RESET = struct.pack("ii", 1, 0)


class Inner(asyncio.Protocol):
    """The command's side of a connection."""

    def __init__(self, *, names: Names, refusals: Refusals, gate: tuple[str, int], alive: set[Inner]) -> None:
        """alive: where it is kept while it lasts, so that who serves can end it."""
        self._names = names
        self._refusals = refusals
        self._gate = gate
        self._alive = alive
        self._held = bytearray()
        self._has_ended = False
        self._is_told_all = False
        self._route: Route | None = None
        self._outer: Outer | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._dialling: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self._alive.add(self)
        address, port = transport.get_extra_info("sockname")[:2]
        route = self._names.route(address, port)
        if route.way is Way.ASK:
            self._route = route
            self._timer = asyncio.get_running_loop().call_later(FIRST_S, self._ask, b"", True)
        else:
            self._take(route)

    def data_received(self, chunk: bytes) -> None:
        if self._outer is not None:
            self._outer.transport.write(chunk)
            return
        self._held += chunk
        if self._is_asked:
            self._ask(bytes(self._held), len(self._held) >= FIRST_MAX)

    def eof_received(self) -> bool:
        self._has_ended = True
        if self._outer is not None:
            self._outer.end()
            self._leave_if_over()
        elif self._is_asked:
            self._ask(bytes(self._held), True)
        return True

    def connection_lost(self, error: Exception | None) -> None:
        self._alive.discard(self)
        if self._is_asked:
            self._ask(bytes(self._held), True)
        if self._dialling is not None:
            self._dialling.cancel()
        if self._outer is not None:
            self._outer.leave(reset=error is not None)

    def pause_writing(self) -> None:
        if self._outer is not None:
            self._outer.transport.pause_reading()

    def resume_writing(self) -> None:
        if self._outer is not None:
            self._outer.transport.resume_reading()

    def end(self) -> None:
        """The other side has nothing more to say."""
        self._is_told_all = True
        with contextlib.suppress(OSError):
            self.transport.write_eof()
        self._leave_if_over()

    def _leave_if_over(self) -> None:
        if self._has_ended and self._is_told_all:
            self.leave()

    def leave(self, *, reset: bool = False) -> None:
        """End this side: at once, or when what is to be sent was sent."""
        if reset:
            _mark_reset(self.transport)
            self.transport.abort()
        else:
            self.transport.close()

    @property
    def _is_asked(self) -> bool:
        return self._route is not None and self._route.way is Way.ASK

    def _ask(self, begun: bytes, is_last: bool) -> None:
        """Whom what was sent first means. is_last: nothing will be added to it."""
        assert self._route is not None
        is_whole, name = named(begun)
        if not is_whole and not is_last:
            return
        route = self._names.route_named(name, self._route)
        if route.way is Way.REFUSED and name is not None and begun[0] == hello.HANDSHAKE:
            self.transport.write(hello.UNRECOGNIZED_NAME)
            self._refuse(route, reset=False)
        else:
            self._take(route)

    def _take(self, route: Route) -> None:
        self._route = route
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        match route.way:
            case Way.REFUSED:
                self._refuse(route, reset=True)
            case Way.NO_SERVICE:
                self.leave(reset=True)
            case _:
                if self.transport.is_closing():
                    return
                self.transport.pause_reading()
                self._dialling = asyncio.get_running_loop().create_task(self._dial(route))

    def _refuse(self, route: Route, *, reset: bool) -> None:
        self._route = route
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._refusals.note(route.host, route.port)
        self.leave(reset=reset)

    async def _dial(self, route: Route) -> None:
        host, port = self._gate if route.way is Way.GATE else (route.host, route.port)
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(CONNECT_S):
                _, outer = await loop.create_connection(lambda: Outer(self), host, port)
        except (OSError, TimeoutError):
            self.leave(reset=True)
            return
        self._dialling = None
        if self.transport.is_closing():
            outer.leave(reset=True)
            return
        self._outer = outer
        if self._held:
            outer.transport.write(bytes(self._held))
            self._held.clear()
        if self._has_ended:
            outer.end()
        self.transport.resume_reading()


class Outer(asyncio.Protocol):
    """The other side: whom the command means."""

    def __init__(self, inner: Inner) -> None:
        self._inner = inner

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, chunk: bytes) -> None:
        self._inner.transport.write(chunk)

    def eof_received(self) -> bool:
        self._inner.end()
        return True

    def connection_lost(self, error: Exception | None) -> None:
        self._inner.leave(reset=error is not None)

    def pause_writing(self) -> None:
        self._inner.transport.pause_reading()

    def resume_writing(self) -> None:
        self._inner.transport.resume_reading()

    def end(self) -> None:
        with contextlib.suppress(OSError):
            self.transport.write_eof()

    def leave(self, *, reset: bool) -> None:
        if reset:
            _mark_reset(self.transport)
            self.transport.abort()
        else:
            self.transport.close()


def named(begun: bytes) -> tuple[bool, str | None]:
    """Whether enough has come to tell whom a connection means, and the name; None when it names nobody."""
    if not begun:
        return False, None
    if begun[0] == hello.HANDSHAKE:
        length = hello.record_length(begun)
        is_whole = length is not None and len(begun) >= min(length, hello.RECORD_MAX)
        return is_whole, hello.server_name(begun)
    if len(begun) > 16 and not _HTTP.match(begun):
        return True, None
    host = _HOST.search(begun)
    if host is None:
        return b"\r\n\r\n" in begun, None
    return True, _without_port(host[1].decode("latin-1").lower())


def _without_port(host: str) -> str:
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0].rstrip(".")


def _mark_reset(transport: asyncio.Transport) -> None:
    """Have the end of a connection say that it was cut off, and not that all was said."""
    with contextlib.suppress(OSError):
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
