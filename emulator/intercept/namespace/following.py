"""What begins to listen while a command runs is reached from the other side too, and what ends is not.

A service of this machine is then at its port in the command's network. What the command serves is at its port
on this machine's loopback, at no other address. Nothing tells of either, so it is looked at twice a second.
"""

from __future__ import annotations

import asyncio
import json
import logging
import socket
from collections.abc import Callable, Collection
from pathlib import Path

from emulator.intercept.namespace import machine, passing
from emulator.intercept.namespace.names import ALL_V4, ALL_V6
from emulator.intercept.namespace.relay import Outer, Taken

PERIOD_S = 0.5
PORTS_MAX = 200
"""That are followed on each side, at addresses of each version."""

_AT_ONCE = 8
_BACKLOG = 1024
_LOOPBACK = {4: "127.0.0.1", 6: "::1"}
_EVERYWHERE = {4: ALL_V4, 6: ALL_V6}
_FAMILIES = {4: socket.AF_INET, 6: socket.AF_INET6}

_log = logging.getLogger(__name__)


class Maker:
    """Sockets in the command's network, asked of `attendant` over a socket."""

    def __init__(self, control: socket.socket) -> None:
        control.setblocking(False)
        self._control = control
        self._made: dict[int, list[socket.socket]] = {4: [], 6: []}
        self._asking = asyncio.Lock()

    async def make(self, version: int) -> socket.socket:
        """A TCP socket for addresses of a version; it does not block. Raises OSError."""
        made = self._made[version]
        async with self._asking:
            if not made:
                order = {"family": _FAMILIES[version], "count": _AT_ONCE}
                self._control.send(json.dumps(order).encode())
                await _readable(self._control)
                _, sockets = passing.receive(self._control, 1000)
                made += sockets
        if not made:
            raise ConnectionError("nobody makes sockets in the command's network any more")
        one = made.pop()
        one.setblocking(False)
        return one

    def close(self) -> None:
        for made in self._made.values():
            for one in made:
                one.close()


class Visitor(Taken):
    """A connection from outside with what the command serves."""

    def __init__(self, maker: Maker, *, version: int, alive: set[Taken]) -> None:
        super().__init__(alive)
        self._maker = maker
        self._version = version

    def begin(self, address: str, port: int) -> None:
        loop = asyncio.get_running_loop()

        async def connecting(outer: Outer) -> None:
            one = await self._maker.make(self._version)
            try:
                await loop.sock_connect(one, (address, port))
            except BaseException:
                one.close()
                raise
            await loop.create_connection(lambda: outer, sock=one)

        self.connect(connecting)


class Following:
    """Of one command."""

    def __init__(
        self,
        *,
        maker: Maker,
        command: Path,
        services: dict[int, set[int]],
        closed: Collection[int],
        make_arrival: Callable[[], Taken],
        alive: set[Taken],
    ) -> None:
        """command: its folder in /proc. services: ports of this machine that are open inside, which is kept
        up to date. closed: ports that are not followed, of either side."""
        self._maker = maker
        self._command = command
        self._services = services
        self._closed = frozenset(closed)
        self._make_arrival = make_arrival
        self._alive = alive
        self._came: dict[tuple[int, int], asyncio.Server] = {}
        self._served: dict[tuple[int, int], asyncio.Server] = {}
        self._tried: set[tuple[int, int]] = set()

    async def run(self) -> None:
        """Until it is cancelled, or nobody makes sockets any more."""
        try:
            while True:
                await self.look()
                await asyncio.sleep(PERIOD_S)
        except OSError as error:
            _log.info("what begins to listen is not followed: %s", error)
        finally:
            for server in (*self._came.values(), *self._served.values()):
                server.close()
            self._maker.close()

    async def look(self) -> None:
        """Once."""
        inside = machine.listening(self._command)
        outside = machine.listening()
        for version, in_there, out_here in ((4, inside.v4, outside.v4), (6, inside.v6, outside.v6)):
            came = {port for kind, port in self._came if kind == version}
            served = {port for kind, port in self._served if kind == version}
            for port in came - out_here:
                self._came.pop((version, port)).close()
                self._services[version].discard(port)
            for port in served - in_there:
                self._served.pop((version, port)).close()
            known = self._services[version] | self._closed
            for port in sorted(out_here - served - known - in_there)[: PORTS_MAX - len(came)]:
                await self._let_in(version, port)
            for port in sorted(in_there - served - known - out_here)[: PORTS_MAX - len(served)]:
                await self._show(version, port)

    async def _let_in(self, version: int, port: int) -> None:
        """Open a port of this machine for the command."""
        one = await self._maker.make(version)
        server = await self._listen(one, version, _EVERYWHERE[version], port, self._make_arrival)
        if server is not None:
            self._came[version, port] = server
            self._services[version].add(port)

    async def _show(self, version: int, port: int) -> None:
        """Open a port of the command for this machine."""
        one = socket.socket(_FAMILIES[version], socket.SOCK_STREAM)
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server = await self._listen(one, version, _LOOPBACK[version], port, lambda: self._visitor(version))
        if server is not None:
            self._served[version, port] = server

    def _visitor(self, version: int) -> Visitor:
        return Visitor(self._maker, version=version, alive=self._alive)

    async def _listen(
        self, one: socket.socket, version: int, address: str, port: int, make: Callable[[], Taken]
    ) -> asyncio.Server | None:
        try:
            if version == 6:
                one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            one.bind((address, port))
            one.listen(_BACKLOG)
        except OSError as error:
            one.close()
            # Somebody's connection may have that port for a while, so it is tried again.
            if (version, port) not in self._tried:
                self._tried.add((version, port))
                _log.info("port %d cannot be passed on yet: %s", port, error)
            return None
        one.setblocking(False)
        return await asyncio.get_running_loop().create_server(make, sock=one, backlog=_BACKLOG)


async def _readable(opened: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[None] = loop.create_future()

    def tell() -> None:
        if not ready.done():
            ready.set_result(None)

    loop.add_reader(opened, tell)
    try:
        await ready
    finally:
        loop.remove_reader(opened)
