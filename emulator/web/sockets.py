"""WebSocket connections as sessions see them, and a shorter way to them through uvicorn.

A session is told of every message at once and synchronously, and writes frames that are encoded once
for all who get them. ASGI would encode each message for each connection, and pause and resume the
reading around every one.

The transport's buffer is the queue of a connection: who lets more than BUFFER_MAX bytes pile up is
disconnected, and nobody else waits for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final, Protocol

from uvicorn._types import ASGISendEvent
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame
from websockets.http11 import Request
from websockets.protocol import State

STATE: Final = "emulator.socket"
"""Where a connection's Socket is, in the `state` of its ASGI scope. To be taken out of there."""

MESSAGE_MAX = 262_144
"""Bytes of one incoming message; a longer one closes the connection with 1009."""
BUFFER_MAX = 1_048_576
"""Bytes that may wait for a slow reader."""
EARLY_MAX = 16
"""Messages that may come before a connection is accepted."""
PARTING_S = 5.0
"""How long a closing handshake may take before the connection is cut."""

_NO_HANDSHAKE: Final = b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"

GOING_AWAY = 1001
NOT_UTF8 = 1007
POLICY = 1008
BROKEN = 1011
RESTARTING = 1012


def encode_text(payload: bytes) -> bytes:
    """A whole text message as one frame from the server: any number of sockets may be given it."""
    length = len(payload)
    if length < 126:
        return b"\x81%c%b" % (length, payload)
    if length < 65_536:
        return b"\x81\x7e%b%b" % (length.to_bytes(2, "big"), payload)
    return b"\x81\x7f%b%b" % (length.to_bytes(8, "big"), payload)


class Session(Protocol):
    """What a dialect makes of one connection. Nothing here may block or raise."""

    def received(self, message: bytes) -> None:
        """A text message, valid UTF-8; or a binary one, as it is."""
        ...

    def pinged(self) -> None:
        """The client sent a ping, which has been answered."""
        ...

    def ponged(self, payload: bytes) -> None: ...

    def leaving(self) -> None:
        """The server is about to close the connection because it stops; the last chance to say so."""
        ...

    def ended(self) -> None:
        """Called once: nothing can be sent any more, whoever closed."""
        ...


class Socket:
    """One open connection. Not to be used before `serve` or after `ended`, but harmless then."""

    __slots__ = ("_early", "_ended", "_on_defect", "_protocol", "_session", "over")

    def __init__(self, protocol: SocketProtocol) -> None:
        self._protocol = protocol
        self._session: Session | None = None
        self._ended = False
        self._early: list[bytes] = []
        self._on_defect: Callable[[], None] | None = None
        self.over: asyncio.Future[None] = protocol.loop.create_future()
        """Done when the connection is gone."""

    def serve(self, session: Session, *, on_defect: Callable[[], None] | None = None) -> None:
        """Hand everything that comes to a session from now on. on_defect: told when the session raises."""
        self._on_defect = on_defect
        if self._ended:
            session.ended()
            # Closed before it could be told so.
            self._protocol.transport.close()
            return
        self._session = session
        early, self._early = self._early, []
        for message in early:
            if self._session is not None:
                self._protocol.hand_over(message)

    def keep(self, message: bytes) -> None:
        """A message that came before the session: from a client that does not wait to be let in."""
        self._early.append(message)
        if sum(map(len, self._early)) > MESSAGE_MAX or len(self._early) > EARLY_MAX:
            self.close(POLICY, "Nobody listens yet")

    @property
    def session(self) -> Session | None:
        return self._session

    @property
    def is_open(self) -> bool:
        return not self._ended

    @property
    def buffered(self) -> int:
        """Bytes that the client has not taken yet."""
        return int(self._protocol.transport.get_write_buffer_size())

    def send(self, frame: bytes) -> None:
        """Send what `encode_text` made. Never waits."""
        if self._ended:
            return
        transport = self._protocol.transport
        transport.write(frame)
        if transport.get_write_buffer_size() > BUFFER_MAX:
            self.cut()

    def fail(self) -> None:
        """The session has a defect, and ends with it."""
        if self._on_defect is not None:
            self._on_defect()
        self.close(BROKEN, "Internal error")

    def cut(self) -> None:
        """The client does not take what it is sent."""
        self.close(POLICY, "The messages are not read fast enough")

    def send_text(self, payload: bytes) -> None:
        self.send(encode_text(payload))

    def ping(self, payload: bytes) -> None:
        if not self._ended:
            self._protocol.conn.send_ping(payload)
            self._protocol.flush()

    def pause(self) -> None:
        """Read nothing further from the client, until `resume`."""
        if not self._ended:
            self._protocol.transport.pause_reading()

    def resume(self) -> None:
        if not self._ended:
            self._protocol.transport.resume_reading()

    def close(self, code: int, reason: str = "") -> None:
        """Say goodbye and send nothing further; cut after PARTING_S seconds."""
        if not self._ended:
            self._protocol.part(code, reason)
            self.end()

    def end(self) -> None:
        if not self._ended:
            self._ended = True
            session, self._session = self._session, None
            if session is not None:
                session.ended()


class SocketProtocol(WebSocketsSansIOProtocol):
    """uvicorn's, with a Socket that a session may be put on."""

    socket: Socket | None = None

    def flush(self) -> None:
        self.transport.write(b"".join(self.conn.data_to_send()))

    def part(self, code: int, reason: str) -> None:
        if self.close_sent or self.conn.state is not State.OPEN:
            return
        self.conn.send_close(code, reason)
        self._part()

    def _part(self) -> None:
        """A goodbye is to be sent; the client has some time for its own."""
        self.flush()
        self.close_sent = True
        # Reading may be paused, and the answer to the goodbye has to be read.
        self.transport.resume_reading()
        if self.close_timer is None:
            self.close_timer = self.loop.call_later(PARTING_S, self.transport.abort)

    def data_received(self, data: bytes) -> None:
        if self.conn.parser_exc is not None:
            return  # The rest of what could not be understood.
        super().data_received(data)
        if self.conn.handshake_exc is not None and not self.handshake_complete:
            # What is too long to be a handshake, or has a body, was refused without telling anybody.
            self.handshake_complete = self.close_sent = True
            self.transport.write(b"".join(self.conn.data_to_send()) or _NO_HANDSHAKE)
            self.transport.close()

    def handle_connect(self, event: Request) -> None:
        self.socket = Socket(self)
        # Every connection gets a copy of this as the state of its scope. It is not kept: nothing here may
        # form a circle, which the garbage collector would leave lying (see `connection_lost`).
        app_state = self.app_state
        self.app_state = {**app_state, STATE: self.socket}
        super().handle_connect(event)
        self.app_state = app_state

    async def send(self, message: ASGISendEvent) -> None:
        await super().send(message)
        if self.initial_response is not None and self.close_sent:
            # A handshake that was answered with an HTTP response is complete as well.
            self.handshake_complete = True

    def send_receive_event_to_app(self) -> None:
        message = bytes(self.frames[0]) if len(self.frames) == 1 else b"".join(self.frames)
        self.frames = []
        socket = self.socket
        if self.close_sent or socket is None:
            return
        if self.curr_msg_data_type == "text" and not message.isascii():
            try:
                message.decode()
            except UnicodeDecodeError:
                socket.close(NOT_UTF8, "Not UTF-8")
                return
        if socket.session is None:
            socket.keep(message)
        else:
            self.hand_over(message)

    def hand_over(self, message: bytes) -> None:
        """Let the session have a message."""
        assert self.socket is not None
        assert self.socket.session is not None
        try:
            self.socket.session.received(message)
        except Exception:
            self.logger.exception("a session failed by a defect")
            self.socket.fail()

    def handle_ping(self) -> None:
        super().handle_ping()
        socket = self.socket
        if socket is not None and socket.session is not None:
            socket.session.pinged()
            if socket.buffered > BUFFER_MAX:
                # Pings alone fill the buffer of a client that asks for pongs and takes none.
                socket.cut()

    def handle_pong(self, event: Frame) -> None:
        session = None if self.socket is None else self.socket.session
        if session is not None:
            session.ponged(bytes(event.data))

    def handle_close(self, event: Frame) -> None:
        super().handle_close(event)
        if self.socket is not None:
            self.socket.end()

    def handle_parser_exception(self) -> None:
        """What came is too long, or broken. Says why, and closes when the client has read that.

        Closed at once with something unread, the connection would be reset, and a reset overtakes the
        goodbye.
        """
        self._part()
        if self.handshake_complete:
            # Nothing further is said, so that who waits for the end sees it.
            self.transport.write_eof()
        else:
            self.transport.close()
        if self.socket is not None:
            self.socket.end()

    def shutdown(self) -> None:
        socket = self.socket
        if socket is not None and socket.session is not None:
            socket.session.leaving()
        super().shutdown()
        if socket is not None:
            socket.end()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        # A generator that waits for more and holds what it parses for: a circle. A connection that lived long
        # is in the collector's oldest generation, which is hardly ever looked through.
        self.conn.parser.close()
        socket = self.socket
        if socket is not None:
            socket.end()
            if not socket.over.done():
                socket.over.set_result(None)
            self.socket = None


class Heart:
    """Pings a client at intervals, and parts with one that does not answer.

    A ping is due when the wall or the sandbox's clock has moved on by the interval, whichever is
    first, so that a clock that is stepped shows pings, and one that stands still does not hide that
    a client is gone. Only the wall decides that it is: no client can answer faster than that.
    """

    __slots__ = ("_interval_s", "_payload", "_sent_at", "_socket", "_stamp", "_timeout_s", "_timer")

    def __init__(
        self, socket: Socket, *, interval_s: float, timeout_s: float, payload: Callable[[], bytes]
    ) -> None:
        self._socket = socket
        self._interval_s = interval_s
        self._timeout_s = timeout_s
        self._stamp = payload
        self._payload: bytes | None = None
        self._sent_at = 0.0
        self._timer = asyncio.get_running_loop().call_later(interval_s, self._beat)

    def beat(self) -> None:
        """A ping is due by another clock."""
        if self._payload is None:
            self._ping()

    def ponged(self, payload: bytes) -> None:
        """Only the payload of the ping counts as its answer."""
        if payload == self._payload:
            self._payload = None

    def stop(self) -> None:
        self._timer.cancel()

    def _beat(self) -> None:
        loop = asyncio.get_running_loop()
        if not self._socket.is_open:
            return
        if self._payload is None:
            self._ping()
        elif loop.time() - self._sent_at >= self._timeout_s:
            self._socket.close(POLICY, "Pong timeout")
            return
        self._timer = loop.call_later(self._interval_s, self._beat)

    def _ping(self) -> None:
        self._payload = self._stamp()
        self._sent_at = asyncio.get_running_loop().time()
        self._socket.ping(self._payload)
