"""A shorter way through uvicorn for requests that are small and here as a whole, and its keep-alive.

ASGI gives every request a task, a scope and an event, and hands over its answer in two messages that the
server looks at again; for an order that is more than the order itself costs. Here a request is handed to
the application as soon as its last byte has come, and its answer leaves in one write. Whoever sends more
than SHORT_BODY_MAX, in chunks, ahead, or only after being let on, and whoever reads too slowly, goes the
way of ASGI, and so does all that the application does not take.
"""

from __future__ import annotations

import asyncio
import logging
import re
import typing
from time import perf_counter_ns
from typing import Any, ClassVar, Final

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol
from uvicorn.server import ServerState

from emulator.runtime.sandbox import Sandbox
from emulator.web.contract import Request
from emulator.web.endpoint import Answer
from emulator.web.heads import REQUEST_LINE, KnownLines
from emulator.web.hosts import Place

SHORT_BODY_MAX: Final = 65_536

_PLAIN_TARGET: Final = re.compile(rb"(/[!-\"$&->@-~]{0,200})(?:\?([!-\"$-~]{0,16384}))?").fullmatch
"""A path of plain letters and perhaps a query; the long way knows all else."""

_KNOWN: Final = KnownLines()
"""Of all connections, because a client has many."""

_log = logging.getLogger(__name__)


class Arrival(Request):
    """A request to a site that is here as a whole, and the way on which its answer leaves.

    sent_path: as it was sent, with the prefixes of site and sandbox. What the application finds out about
    it: site_name, sandbox, the content_type of the answer, and the key that came with it.
    """

    sent_path: str
    place: Place
    began_ns: int
    site_name: str = ""
    sandbox: Sandbox | None = None
    content_type: bytes = b""
    key: bytes | None = None

    def leave(self, answer: Answer) -> None:
        """Let the answer go, with its type and length besides its headers; called once."""
        raise NotImplementedError


class Taker(typing.Protocol):
    """An application that takes requests on the short way."""

    def place(self, path: str, host: bytes, port: int) -> Place:
        """Where a request goes; without a site it is not taken."""
        ...

    def take(self, arrival: Arrival) -> None:
        """Answer a request at some time."""
        ...


class _Nobody:
    """Waits where uvicorn wakes who waits for more of a request."""

    def set(self) -> None:
        pass


class _ShortCycle(Arrival, kw_only=True):
    """Stands where uvicorn has the cycle of the request under way, and has what it looks for there."""

    protocol: Protocol | None
    keep_alive: bool
    disconnected: bool = False
    response_complete: bool = False
    message_event: ClassVar[_Nobody] = _Nobody()

    def leave(self, answer: Answer) -> None:
        protocol = self.protocol
        assert protocol is not None, "an answer leaves once"
        # The protocol holds the cycle, and only the garbage collector would find the circle.
        self.protocol = None
        # What was sent behind the last request of a connection waits for its end, and is never begun.
        self.response_complete = self.keep_alive
        # `disconnected` is told only to the newest cycle, and something may have been sent behind this one.
        if not protocol.transport.is_closing():
            protocol.send(self, answer)


class Protocol(HttpToolsProtocol):
    """uvicorn's protocol of one connection, with the short way where the application takes it.

    One timer watches over a connection as long as it lives, where uvicorn's starts one after every
    answer and stops it at the next request.
    """

    def __init__(
        self, config: Config, server_state: ServerState, app_state: dict[str, Any], _loop: Any = None
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        application: Any = self.app
        self._taker: Taker | None = application if hasattr(application, "take") else None
        self._known = _KNOWN
        self._port = 0
        self._ip = "127.0.0.1"
        self._is_between = True
        """Whether the parser waits for a request to begin."""
        self._received = b""
        """What came just now and begins with a request; empty while the parser reads on behind it."""
        self._short: _ShortCycle | None = None
        """The request whose body is being received on the short way."""
        self._idle_since: float | None = None
        self._heads: dict[tuple[int, bytes], bytes] = {}
        self._heads_of: list[tuple[bytes, bytes]] = []

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's
        super().connection_made(transport)
        if self.server:
            self._port = self.server[1] or 0
        if self.client:
            self._ip = self.client[0]

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self.timeout_keep_alive_task is not None:
            self.timeout_keep_alive_task.cancel()
            self.timeout_keep_alive_task = None

    def handle_websocket_upgrade(self) -> None:
        super().handle_websocket_upgrade()
        # Nobody tells this protocol when the connection ends, and its parser holds it.
        self.parser = None  # type: ignore[assignment]  # as uvicorn does at the end

    # A request comes

    def data_received(self, data: bytes) -> None:
        if self._is_between:
            short = self._recognised(data)
            if short is not None:
                self._idle_since = None
                self.cycle = short  # type: ignore[assignment]  # see _ShortCycle
                self._take(short)
                return
            self._received = data
        super().data_received(data)
        self._received = b""

    def _recognised(self, received: bytes) -> _ShortCycle | None:
        """The request that was received, if it is one, here as a whole, with header lines that are known.

        The parser, which is between two requests, need not see it.
        """
        taker, under_way = self._taker, self.cycle
        line = REQUEST_LINE(received)
        if (
            line is None
            or taker is None
            or (under_way is not None and not under_way.response_complete)
            or self.flow.write_paused
        ):
            return None
        head, end, body = received.partition(b"\r\n\r\n")
        lines = self._known.get(head[line.end() :])
        if lines is None or not end or len(body) != lines.length:
            return None
        method, path, query = line.groups(b"")
        sent_path = path.decode()
        place = taker.place(sent_path, lines.host, self._port)
        if place.site is None:
            return None
        return _ShortCycle(
            method.decode(),
            place.path,
            query,
            body,
            lines.headers,
            self._ip,
            sent_path,
            place,
            perf_counter_ns(),
            protocol=self,
            keep_alive=True,
        )

    def on_message_begin(self) -> None:
        self._is_between = False
        self.url = b""
        self.expect_100_continue = False
        self.headers = []

    def on_headers_complete(self) -> None:
        # An answer that left since these bytes came says otherwise.
        self._idle_since = None
        short = self._short = self._shortened()
        if short is not None:
            self.cycle = short  # type: ignore[assignment]  # see _ShortCycle
            return
        # The long way begins with what was put off at the beginning of the message.
        url, headers, expects = self.url, self.headers, self.expect_100_continue
        super().on_message_begin()
        self.url, self.expect_100_continue = url, expects
        self.headers += headers
        super().on_headers_complete()

    def _shortened(self) -> _ShortCycle | None:
        """The request that begins, if it may go the short way."""
        taker, under_way, parser = self._taker, self.cycle, self.parser
        target = _PLAIN_TARGET(self.url)
        if (
            taker is None
            or target is None
            or (under_way is not None and not under_way.response_complete)
            or self.expect_100_continue
            or self.flow.write_paused
            or parser.should_upgrade()
            or parser.get_http_version() != "1.1"
        ):
            return None
        headers = dict(self.headers)
        length = headers.get(b"content-length")
        if b"transfer-encoding" in headers or (length is not None and int(length) > SHORT_BODY_MAX):
            return None
        path, query = target.groups(b"")
        sent_path = path.decode()
        place = taker.place(sent_path, headers.get(b"host", b""), self._port)
        if place.site is None:
            return None
        keep_alive = parser.should_keep_alive()
        if self._received and keep_alive:
            self._known.learn(self._received, self.headers, SHORT_BODY_MAX)
        return _ShortCycle(
            parser.get_method().decode(),
            place.path,
            query,
            b"",
            headers,
            self._ip,
            sent_path,
            place,
            perf_counter_ns(),
            protocol=self,
            keep_alive=keep_alive,
        )

    def on_body(self, body: bytes) -> None:
        short = self._short
        if short is None:
            super().on_body(body)
        else:
            short.body += body

    def on_message_complete(self) -> None:
        self._is_between = True
        self._received = b""
        short = self._short
        if short is None:
            super().on_message_complete()
        else:
            self._short = None
            self._take(short)

    def _take(self, short: _ShortCycle) -> None:
        assert self._taker is not None
        try:
            self._taker.take(short)
        except Exception:
            # The parser would take it for an error of the client.
            _log.exception("%s %s could not be answered", short.method, short.sent_path)
            self.transport.close()

    # An answer goes

    def send(self, cycle: _ShortCycle, answer: Answer) -> None:
        body, lines = answer.body, answer.header_lines
        default = self.server_state.default_headers
        if default is not self._heads_of:
            # How answers begin stays the same until the server has another date, once a second.
            self._heads_of = default
            self._heads.clear()
        head = self._heads.get((answer.status, cycle.content_type))
        if head is None:
            head = self._begin(answer.status, cycle.content_type)
        if answer.headers:
            lines += b"".join([b"%b: %b\r\n" % header for header in answer.headers])
        if not cycle.keep_alive:
            lines += b"connection: close\r\n"
        sent = b"" if cycle.method == "HEAD" else body
        self.transport.write(b"%bcontent-length: %d\r\n%b\r\n%b" % (head, len(body), lines, sent))
        if not cycle.keep_alive:
            self.transport.close()
        self.on_response_complete()

    def _begin(self, status: int, content_type: bytes) -> bytes:
        headers = (*self._heads_of, (b"content-type", content_type))
        head = STATUS_LINE[status] + b"".join([b"%b: %b\r\n" % header for header in headers])
        self._heads[status, content_type] = head
        return head

    def _unset_keepalive_if_required(self) -> None:
        self._idle_since = None

    def on_response_complete(self) -> None:
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        if self.flow.read_paused:
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
