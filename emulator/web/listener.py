"""Listening sockets and the HTTP server on them: one process, one loop, several ports.

Binding is ours rather than the server's, so that a port that is taken is an answer and not an exit,
and so that the ports picked by the system are known before anything is announced.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import signal
import socket
from collections.abc import Callable, Generator, Sequence

import uvicorn
from starlette.types import ASGIApp

BACKLOG = 2048
KEEP_ALIVE_S = 75
"""Longer than clients keep idle connections for, so that it is they who close them."""
GRACE_S = 3


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
                f"port {port} is in use; another emulator may be running (choose another port, or 0 for any)"
            ) from error
        raise PortUnavailable(f"cannot listen on {host}:{port}: {error.strerror}") from error
    return opened


def port_of(opened: socket.socket) -> int:
    port: int = opened.getsockname()[1]
    return port


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, on_listening: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_listening = on_listening

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        # `serve` below handles signals: uvicorn would raise them again at the end, and what the
        # process still has to put away would be lost.
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._on_listening()


async def serve(
    application: ASGIApp, sockets: list[socket.socket], *, on_listening: Callable[[], None]
) -> None:
    """Serve until SIGTERM or SIGINT; what is under way is finished, within GRACE_S seconds."""
    server = _Server(
        uvicorn.Config(
            application,
            loop="none",
            http="httptools",
            # Streams are not served yet; an upgrade is answered as the plain request it also is.
            ws="none",
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
    )

    def stop() -> None:
        # A second signal does not wait for what is under way.
        server.force_exit = server.should_exit
        server.should_exit = True

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    await server.serve(sockets=sockets)
