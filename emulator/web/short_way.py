"""A shorter way through uvicorn for answers that are complete when they leave, and its keep-alive.

ASGI hands over an answer in two messages and knows neither its end nor what its headers hold, so a
server looks at each of them again; an order's answer spends a third of the server's own time on that.
Here head and body leave in one write. Whoever does not know of this way sends messages as ever.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

STATE: Final = "emulator.short_way"
"""Where a request's ShortWay is, in the `state` of its ASGI scope. To be taken out of there."""


class ShortWay:
    """Of one request."""

    __slots__ = ("_cycle",)

    def __init__(self, cycle: RequestResponseCycle) -> None:
        self._cycle = cycle

    def body(self) -> bytes | None:
        """The body of the request when all of it is here; None: it has to be received."""
        cycle = self._cycle
        if cycle.more_body or cycle.waiting_for_100_continue or cycle.disconnected:
            return None
        return bytes(cycle.body)

    def answer(self, status: int, headers: Iterable[tuple[bytes, bytes]], body: bytes) -> bool:
        """Send everything; nothing checks it. False: nothing was sent, the client reads too slowly.

        headers: `content-length` is among them, `connection` is not.
        """
        cycle = self._cycle
        if cycle.flow.write_paused:
            return False
        if cycle.disconnected:
            return True
        cycle.response_started = True
        pieces = [STATUS_LINE[status]]
        for name, value in cycle.default_headers:
            pieces += (name, b": ", value, b"\r\n")
        for name, value in headers:
            pieces += (name, b": ", value, b"\r\n")
        pieces.append(b"\r\n" if cycle.keep_alive else b"connection: close\r\n\r\n")
        pieces.append(body)
        cycle.transport.write(b"".join(pieces))
        cycle.response_complete = True
        cycle.message_event.set()
        if not cycle.keep_alive:
            cycle.transport.close()
        cycle.on_response()
        return True


class Protocol(HttpToolsProtocol):
    """uvicorn's, which lets the application know of the short way.

    One timer watches over a connection as long as it lives, where uvicorn's starts one after every
    answer and stops it at the next request.
    """

    _idle_since: float | None = None

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self.timeout_keep_alive_task is not None:
            self.timeout_keep_alive_task.cancel()
            self.timeout_keep_alive_task = None

    def handle_websocket_upgrade(self) -> None:
        super().handle_websocket_upgrade()
        # Nobody tells this protocol when the connection ends, and its parser holds it.
        self.parser = None  # type: ignore[assignment]  # as uvicorn does at the end

    def _unset_keepalive_if_required(self) -> None:
        self._idle_since = None

    def on_response_complete(self) -> None:
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            cycle, app = self.pipeline.pop()
            self._start_asgi_task(cycle, app)
            return
        self._idle_since = self.loop.time()
        if self.timeout_keep_alive_task is None:
            self._look_after(self.timeout_keep_alive)

    def timeout_keep_alive_handler(self) -> None:
        self.timeout_keep_alive_task = None
        if self._idle_since is None:
            return  # A request is under way, and its end starts the timer again.
        left = self._idle_since + self.timeout_keep_alive - self.loop.time()
        if left > 0:
            self._look_after(left)
        else:
            super().timeout_keep_alive_handler()

    def _look_after(self, seconds: float) -> None:
        self.timeout_keep_alive_task = self.loop.call_later(seconds, self.timeout_keep_alive_handler)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        cycle.scope["state"][STATE] = ShortWay(cycle)
        super()._start_asgi_task(cycle, app)
