"""Listening sockets and the HTTP server on them: one process, one loop, several ports.

Further ports open and close while it runs. Binding is ours rather than the server's, so that a port that
is taken is an answer and not an exit, and so that the ports picked by the system are known before
anything is announced.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import signal
import socket
import ssl
from collections.abc import Awaitable, Callable, Generator, Sequence
from functools import partial
from typing import TYPE_CHECKING

import uvicorn
from starlette.types import ASGIApp

from emulator.web.short_way import Protocol
from emulator.web.sockets import MESSAGE_MAX, SocketProtocol

if TYPE_CHECKING:
    from uvicorn.server import Protocols as Connection

BACKLOG = 2048
KEEP_ALIVE_S = 75
"""Longer than clients keep idle connections for, so that it is they who close them."""
GRACE_S = 3
"""For what is under way when a port closes, or all of them do."""
_LOOK_AGAIN_S = 0.05


class PortUnavailable(Exception):
    """An address cannot be listened on, and why."""


def listen(host: str, ports: Sequence[int]) -> list[socket.socket]:
    """A listening socket for each port; 0 picks one. Raises PortUnavailable, and then holds none."""
    sockets: list[socket.socket] = []
    try:
        sockets.extend(_listen_on(host, port) for port in ports)
    except BaseException:
        for opened in sockets:
            opened.close()
        raise
    return sockets


def _listen_on(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except OSError as error:
        raise PortUnavailable(f"{host!r} is not an address of this machine: {error.strerror}") from error
    opened = socket.socket(family, kind, protocol)
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.bind(address)
        opened.listen(BACKLOG)
    except OSError as error:
        opened.close()
        if error.errno == errno.EADDRINUSE:
            raise PortUnavailable(
                f"port {port} is in use, perhaps by another emulator; choose another port, or 0 for any"
            ) from error
        raise PortUnavailable(f"cannot listen on {host}:{port}: {error.strerror}") from error
    return opened


def port_of(opened: socket.socket) -> int:
    port: int = opened.getsockname()[1]
    return port


class _Server(uvicorn.Server):
    def __init__(
        self,
        config: uvicorn.Config,
        on_listening: Callable[[], None],
        on_stopping: Callable[[], Awaitable[None]],
    ) -> None:
        super().__init__(config)
        self._on_listening = on_listening
        self._on_stopping = on_stopping

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        # `serve` below handles signals: uvicorn would raise them again at the end, and what the
        # process still has to put away would be lost.
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._on_listening()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        # Before connections are told to end: who waits for something gets an answer on his.
        await self._on_stopping()
        await asyncio.sleep(0)
        await super().shutdown(sockets)

    async def add(self, opened: socket.socket) -> asyncio.Server:
        """Serve on one more socket; `shutdown` closes it with the others."""
        loop = asyncio.get_running_loop()
        added = await loop.create_server(self.make_protocol, sock=opened, backlog=BACKLOG)
        self.servers.append(added)
        return added

    def make_protocol(self) -> Protocol:
        return Protocol(self.config, self.server_state, self.lifespan.state)

    def make_begun(self, begun: bytes) -> Protocol:
        """begun: what its client sent before."""
        made = _Begun(self.config, self.server_state, self.lifespan.state)
        made.begun = begun
        return made


class _Begun(Protocol):
    begun: bytes

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's
        super().connection_made(transport)
        # Now, because what comes next is told as soon as this has returned.
        self.data_received(self.begun)


class Listener:
    """The server of this process, and its further ports by their numbers."""

    def __init__(self) -> None:
        self._server: _Server | None = None
        self._further: dict[int, asyncio.Server] = {}
        self._ending: dict[int, asyncio.Task[None]] = {}

    @property
    def is_serving(self) -> bool:
        return self._server is not None and self._server.started and not self._server.should_exit

    async def serve(
        self,
        application: ASGIApp,
        sockets: list[socket.socket],
        *,
        on_listening: Callable[[], None],
        on_stopping: Callable[[], Awaitable[None]],
    ) -> None:
        """Serve until SIGTERM or SIGINT; what is under way is finished, within GRACE_S seconds.

        on_stopping: awaited before any connection is told that it ends.
        """
        self._server = _build(application, on_listening, on_stopping)
        _stop_on_signals(self._server)
        try:
            await self._server.serve(sockets=sockets)
        finally:
            for ending in self._ending.values():
                ending.cancel()

    async def open(self, opened: socket.socket) -> None:
        """Serve the same application on one more socket, until its port is closed or everything is."""
        assert self._server is not None, "nothing is served"
        port = port_of(opened)
        ending = self._ending.pop(port, None)
        if ending is not None:
            # The number was given away again already: the old connections are not the new one's.
            ending.cancel()
            for connection in self._connections(port):
                connection.transport.abort()
        if self.is_serving:
            self._further[port] = await self._server.add(opened)
        else:
            opened.close()

    async def adopt(
        self,
        connection: socket.socket,
        context: ssl.SSLContext | None,
        *,
        handshake_s: float,
        begun: bytes = b"",
    ) -> None:
        """Serve a connection that somebody else accepted, and look after it from now on.

        context: makes it a TLS connection. begun: what was received of it already. Raises ssl.SSLError,
        ConnectionError or TimeoutError when the handshake fails; closing the socket is then the caller's.
        """
        assert self._server is not None, "nothing is served"
        if not self.is_serving:
            raise ConnectionAbortedError("the server stops")
        loop = asyncio.get_running_loop()
        await loop.connect_accepted_socket(
            partial(self._server.make_begun, begun) if begun else self._server.make_protocol,
            connection,
            ssl=context,
            ssl_handshake_timeout=None if context is None else handshake_s,
        )

    def close(self, port: int, *, on_ended: Callable[[], None]) -> None:
        """Close one of the further ports at once, and its connections when they are idle.

        on_ended: called when none is left, after GRACE_S seconds at the latest; not when the same number
        is opened before that.
        """
        closed = self._further.pop(port, None)
        if closed is None:
            on_ended()
            return
        closed.close()
        assert self._server is not None
        self._server.servers.remove(closed)
        self.part(port, on_ended=on_ended)

    def part(self, port: int, *, on_ended: Callable[[], None]) -> None:
        """End the connections of a port on which nobody listens any more, as `close` does."""
        self._ending[port] = asyncio.create_task(self._end(port, self._part(port, set()), on_ended))

    async def _end(self, port: int, parted: set[Connection], on_ended: Callable[[], None]) -> None:
        loop = asyncio.get_running_loop()
        latest = loop.time() + GRACE_S
        # Waits before it looks: what the system had accepted is a connection a moment later.
        await asyncio.sleep(_LOOK_AGAIN_S)
        while connections := self._connections(port):
            self._part(port, parted)
            if loop.time() > latest:
                for connection in connections:
                    connection.transport.abort()
            await asyncio.sleep(_LOOK_AGAIN_S)
        del self._ending[port]
        on_ended()

    def _part(self, port: int, parted: set[Connection]) -> set[Connection]:
        """Tell connections, once each, that the request under way is their last. Those that were told."""
        for connection in self._connections(port):
            if connection not in parted:
                connection.shutdown()
                parted.add(connection)
        return parted

    def _connections(self, port: int) -> list[Connection]:
        assert self._server is not None
        found: list[Connection] = []
        for connection in self._server.server_state.connections:
            # One of uvicorn's protocols, which is not used here, does not keep its address.
            address: tuple[str, int | None] | None = getattr(connection, "server", None)
            if address is not None and address[1] == port:
                found.append(connection)
        return found


def _build(
    application: ASGIApp, on_listening: Callable[[], None], on_stopping: Callable[[], Awaitable[None]]
) -> _Server:
    return _Server(
        uvicorn.Config(
            application,
            loop="none",
            http=Protocol,
            ws=SocketProtocol,
            ws_max_size=MESSAGE_MAX,
            ws_per_message_deflate=False,
            # Which pings a dialect sends is its own (`sockets.Heart`).
            ws_ping_interval=None,
            ws_ping_timeout=None,
            lifespan="off",
            access_log=False,
            log_level="error",
            log_config=None,
            server_header=False,
            # The peer's address decides who may use the control API; no header may change it.
            proxy_headers=False,
            timeout_keep_alive=KEEP_ALIVE_S,
            timeout_graceful_shutdown=GRACE_S,
        ),
        on_listening,
        on_stopping,
    )


def _stop_on_signals(server: _Server) -> None:
    def stop() -> None:
        # A second signal does not wait for what is under way.
        server.force_exit = server.should_exit
        server.should_exit = True

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
