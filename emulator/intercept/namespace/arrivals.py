"""Connections that a command makes: whom each of them means, and what becomes of it."""

from __future__ import annotations

import asyncio
import re

from emulator.intercept import hello
from emulator.intercept.namespace.names import Names, Route, Way
from emulator.intercept.namespace.refusals import Refusals
from emulator.intercept.namespace.relay import Outer, Taken

FIRST_MAX = 32_768
"""Bytes in which a connection has to say whom it means, where its address does not."""
FIRST_S = 15.0

_HTTP = re.compile(rb"[A-Z]{2,16} ")
_HTTP_KNOWN_BY = 17
_HOST = re.compile(rb"\r\nhost:[ \t]*([^\r\n]*?)[ \t]*\r\n", re.IGNORECASE)


class Arrival(Taken):
    """One of them."""

    def __init__(self, *, names: Names, refusals: Refusals, gate: tuple[str, int], alive: set[Taken]) -> None:
        super().__init__(alive)
        self._names = names
        self._refusals = refusals
        self._gate = gate
        self._asked: Route | None = None
        self._timer: asyncio.TimerHandle | None = None

    def begin(self, address: str, port: int) -> None:
        route = self._names.route(address, port)
        if route.way is Way.ASK:
            self._asked = route
            self._timer = asyncio.get_running_loop().call_later(FIRST_S, self._give_up)
        else:
            self._take(route)

    def hear(self, begun: bytes, *, is_last: bool) -> None:
        if self._asked is None:
            return
        is_whole, name = named(begun)
        if not is_whole and not is_last and len(begun) < FIRST_MAX:
            return
        route = self._names.route_named(name, self._asked)
        if route.way is Way.REFUSED and name is not None and begun[0] == hello.HANDSHAKE:
            self._forget_asking()
            self._refusals.note(route.host, route.port)
            self.transport.write(hello.UNRECOGNIZED_NAME)
            self.leave()
        else:
            self._take(route)

    def _give_up(self) -> None:
        self.hear(b"", is_last=True)

    def _forget_asking(self) -> None:
        self._asked = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _take(self, route: Route) -> None:
        self._forget_asking()
        match route.way:
            case Way.REFUSED:
                self._refusals.note(route.host, route.port)
                self.leave(reset=True)
            case Way.NO_SERVICE:
                self.leave(reset=True)
            case Way.GATE:
                self._connect_with(*self._gate)
            case _:
                self._connect_with(route.host, route.port)

    def _connect_with(self, host: str, port: int) -> None:
        loop = asyncio.get_running_loop()

        async def connecting(outer: Outer) -> None:
            await loop.create_connection(lambda: outer, host, port)

        self.connect(connecting)


def named(begun: bytes) -> tuple[bool, str | None]:
    """Whether enough has come to tell whom a connection means, and the name; None when it names nobody."""
    if not begun:
        return False, None
    if begun[0] == hello.HANDSHAKE:
        length = hello.record_length(begun)
        is_whole = length is not None and len(begun) >= min(length, hello.RECORD_MAX)
        return is_whole, hello.server_name(begun)
    if len(begun) >= _HTTP_KNOWN_BY and not _HTTP.match(begun):
        return True, None
    host = _HOST.search(begun)
    if host is None:
        return b"\r\n\r\n" in begun, None
    return True, _without_port(host[1].decode("latin-1").lower())


def _without_port(host: str) -> str:
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0].rstrip(".")
