"""The gate: a port for programs that mean the real hosts, whichever way they were led here.

What comes first on a connection says what it is: a TLS client, who names the host it means; a client of a
proxy, who asks for a tunnel (`CONNECT`); or plain HTTP. An exchange's host is served here. Any other is
refused, unless it is this machine or was allowed; then bytes are passed on as they are.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
import socket
import ssl
from collections.abc import Callable
from functools import partial
from ipaddress import IPv6Address
from typing import NamedTuple, NoReturn

from emulator.intercept import hello
from emulator.intercept.authority import Authority
from emulator.web.control.guard import is_loopback, is_own_name
from emulator.web.gates import GateKept, GateOrder
from emulator.web.hosts import Hosts, is_exchange_host
from emulator.web.listener import Listener, PortUnavailable, listen, port_of
from emulator.web.tallies import Tally

HEAD_MAX = 16_384
FIRST_S = 30.0
"""How long a client may say nothing, or only a part of what comes first."""
HANDSHAKE_S = 15.0
CONNECT_S = 15.0
GATES_MAX = 100

_LOOK_AGAIN_S = 0.005
_LOOK_AGAIN_S_MAX = 0.2
_PARTING_S = 1.0
_CHUNK = 65_536
_HTTPS = 443
_HTTP = 80
_USUAL_PORTS = {b"https": _HTTPS, b"wss": _HTTPS, b"ftp": 21}
"""Of what a proxy's client may ask for in absolute form, beside plain HTTP."""

_ABSOLUTE = re.compile(rb"[A-Z]+ ([A-Z][A-Z0-9+.-]*)://([^/?# ]*)", re.IGNORECASE)
_NAME = re.compile(r"[a-z0-9_.-]{1,253}")
_HOST_LINE = re.compile(rb"\r\nhost:[^\r\n]*", re.IGNORECASE)
_CONNECTION_LINE = re.compile(rb"\r\n(?:proxy-)?connection:[^\r\n]*", re.IGNORECASE)
_UPGRADE_LINE = re.compile(rb"\r\nupgrade:", re.IGNORECASE)
_CONNECT = re.compile(rb"CONNECT ([^ ]+) HTTP/1\.[01]\r\n", re.IGNORECASE)

_log = logging.getLogger(__name__)


class _Target(NamedTuple):
    host: str
    port: int

    @classmethod
    def of(cls, text: str, port: int) -> _Target:
        """`name`, `name:1`, `[::1]:1`. port: where the text has none. Raises ValueError."""
        if text.startswith("["):
            host, _, rest = text[1:].partition("]")
            number = rest.removeprefix(":")
        else:
            host, _, number = text.partition(":")
        name = host.lower().rstrip(".")
        if not name or (number and not _is_port(number)):
            raise ValueError(text)
        return cls(name, int(number) if number else port)


class _Refused(Exception):
    """Of a connection that is not let through: what is sent before it ends."""

    def __init__(self, farewell: bytes = b"") -> None:
        super().__init__()
        self.farewell = farewell


class Gate:
    """One port. order: who is let through to others."""

    def __init__(
        self,
        opened: socket.socket,
        *,
        order: GateOrder,
        authority: Authority,
        listener: Listener,
        tally: Tally,
    ) -> None:
        self.tally = tally
        self._opened = opened
        self._opened.setblocking(False)
        self._has_guard = order.guard
        self._allowed = [_parse_allowed(text) for text in order.allow]
        self._authority = authority
        self._listener = listener
        self._connections: set[asyncio.Task[None]] = set()
        self._accepting = asyncio.create_task(self._accept())

    async def close(self) -> None:
        """Take nothing more, and end what is passed on; requests under way are the listener's to end."""
        tasks = [self._accepting, *self._connections]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._opened.close()

    async def _accept(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                connection, peer = await loop.sock_accept(self._opened)
            except OSError as error:
                # Too many files are open, most likely: some will be closed.
                _log.warning("a connection could not be accepted: %s", error)
                await asyncio.sleep(1)
                continue
            connection.setblocking(False)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            task = asyncio.create_task(self._receive(connection, peer[0]))
            self._connections.add(task)
            task.add_done_callback(self._connections.discard)

    async def _receive(self, connection: socket.socket, peer: str) -> None:
        """Take one connection to where it belongs; it is closed here unless somebody took it over."""
        try:
            if await self._dispatch(connection, peer, None):
                return
        except _Refused as refused:
            with contextlib.suppress(OSError):
                connection.send(refused.farewell)
        except (OSError, TimeoutError):
            # Who says nothing, hangs up or cannot be reached any more is not to be told anything.
            pass
        except asyncio.CancelledError:
            connection.close()
            raise
        except Exception:
            _log.exception("a connection to the gate failed")
        await _part(connection)

    async def _dispatch(self, connection: socket.socket, peer: str, asked: _Target | None) -> bool:
        """Whether somebody took a connection over. asked: what a proxy's client asked for before."""
        async with asyncio.timeout(FIRST_S):
            first = await _peek(connection, lambda begun: bool(begun))
            if first[:1] == bytes((hello.HANDSHAKE,)):
                record = await _peek(connection, _has_record)
                head = b""
            else:
                record = b""
                head = await _peek(connection, lambda begun: b"\r\n\r\n" in begun)
        if record:
            return await self._secure(connection, peer, hello.server_name(record), asked)
        connect = None if asked else _CONNECT.match(head)
        if connect is not None:
            return await self._tunnel(connection, peer, connect[1], head)
        return await self._plain(connection, peer, head, asked)

    async def _secure(
        self, connection: socket.socket, peer: str, name: str | None, asked: _Target | None
    ) -> bool:
        named = name or (asked.host if asked else None)
        if named is None or is_own_name(named):
            await self._serve(connection, self._authority.context(None), named or "(no name)")
            return True
        if is_exchange_host(named) and named.isascii():
            await self._serve(connection, self._authority.context(named), named)
            return True
        target = _Target(named, asked.port if asked else _HTTPS)
        if not named.isascii():
            # No host has such a name, so there is nobody to be looked for.
            self._refuse(target, hello.UNRECOGNIZED_NAME)
        self._must_be_allowed(target, peer, farewell=hello.UNRECOGNIZED_NAME)
        await _pass_on(connection, target)
        return False

    async def _tunnel(self, connection: socket.socket, peer: str, sent: bytes, head: bytes) -> bool:
        """Open what a proxy's client asks for, and see what comes through it."""
        try:
            target = _Target.of(sent.decode("latin-1"), _HTTPS)
        except ValueError:
            raise _Refused(_answer(400, "Bad Request", f"{sent[:100]!r} is not host:port.")) from None
        if not is_exchange_host(target.host):
            others = await self._let_out(target, peer)
            _consume(connection, head)
            connection.send(_ESTABLISHED)
            await _relay(connection, others)
            return False
        _consume(connection, head)
        connection.send(_ESTABLISHED)
        return await self._dispatch(connection, peer, target)

    async def _plain(self, connection: socket.socket, peer: str, head: bytes, asked: _Target | None) -> bool:
        absolute = _ABSOLUTE.match(head)
        begun = b""
        if absolute is not None:
            usual = _USUAL_PORTS.get(absolute[1].lower(), _HTTP)
            try:
                target = _Target.of(absolute[2].rpartition(b"@")[2].decode("latin-1"), usual)
            except ValueError:
                raise _Refused(_answer(400, "Bad Request", "The target is not a URL.")) from None
            # A proxy's client may mean somebody else by its next request on the same connection.
            alone = _direct(head, absolute)
            if not is_exchange_host(target.host):
                others = await self._let_out(target, peer)
                _consume(connection, head)
                await _relay(connection, others, begun=alone)
                return False
            _consume(connection, head)
            begun = alone
        await self._serve(connection, None, asked.host if asked else "", begun=begun)
        return True

    async def _let_out(self, target: _Target, peer: str) -> socket.socket:
        """A connection with somebody else for a proxy's client. Raises _Refused."""
        words = f"The emulator's guard lets nobody out to {target.host[:200]}:{target.port}."
        self._must_be_allowed(target, peer, farewell=_answer(403, "Forbidden", words))
        return await _connected(target)

    def _must_be_allowed(self, target: _Target, peer: str, *, farewell: bytes) -> None:
        """Raises _Refused, and counts it."""
        is_here = is_own_name(target.host) and is_loopback(peer)
        if is_here or not self._has_guard or self._is_allowed(target):
            return
        self._refuse(target, farewell)

    def _refuse(self, target: _Target, farewell: bytes) -> NoReturn:
        self.tally.note_refused(target.host, target.port)
        raise _Refused(farewell)

    def _is_allowed(self, target: _Target) -> bool:
        return any(host == target.host and port in (None, target.port) for host, port in self._allowed)

    async def _serve(
        self, connection: socket.socket, context: ssl.SSLContext | None, host: str, *, begun: bytes = b""
    ) -> None:
        """begun: what was taken off the connection already."""
        try:
            await self._listener.adopt(connection, context, handshake_s=HANDSHAKE_S, begun=begun)
        except (ssl.SSLError, ConnectionError, TimeoutError) as error:
            if context is not None:
                # That a certificate is not trusted is said by an alert, or by hanging up.
                self.tally.note_untrusting(host)
                _log.info("%s: a client broke off the handshake: %s", host, error)
            connection.close()


class Gates:
    """The gates of this process, by their ports: permanent ones, and those opened for one program each."""

    def __init__(self, *, listener: Listener, hosts: Hosts, authority: Callable[[], Authority]) -> None:
        """authority: made when it is first needed."""
        self._listener = listener
        self._hosts = hosts
        self._make_authority = authority
        self._authority: Authority | None = None
        self._gates: dict[int, Gate] = {}
        self._permanent: set[int] = set()

    @property
    def authority(self) -> Authority:
        """Raises AuthorityUnusable and OSError."""
        if self._authority is None:
            self._authority = self._make_authority()
        return self._authority

    @property
    def certificate(self) -> str:
        return str(self.authority.path.resolve())

    def open(self, order: GateOrder) -> int:
        """A gate on a port of this machine. Raises PortUnavailable, and ValueError for an allowed host."""
        if not self._listener.is_serving:
            raise PortUnavailable("the server does not listen, or no more")
        if len(self._gates) >= GATES_MAX:
            raise PortUnavailable(f"there are {GATES_MAX} gates already; close one")
        for text in order.allow:
            _parse_allowed(text)
        (opened,) = listen("127.0.0.1", [0])
        return self._attend(opened, order)

    def keep(self, opened: socket.socket) -> None:
        """A gate with a guard on a socket that listens, for as long as the server runs."""
        self._permanent.add(self._attend(opened, GateOrder()))

    def _attend(self, opened: socket.socket, order: GateOrder) -> int:
        port = port_of(opened)
        tally = Tally()
        self._gates[port] = Gate(
            opened, order=order, authority=self.authority, listener=self._listener, tally=tally
        )
        self._hosts.count_on(port, tally)
        return port

    def tally(self, port: int) -> Tally | None:
        gate = self._gates.get(port)
        return None if gate is None else gate.tally

    async def close(self, port: int) -> Tally | None:
        """What came through a gate that is no more; None when there is none. Raises GateKept."""
        if port in self._permanent:
            raise GateKept(port)
        gate = self._gates.pop(port, None)
        if gate is None:
            return None
        await gate.close()
        self._listener.part(port, on_ended=partial(self._hosts.release, port))
        return gate.tally

    async def close_all(self) -> None:
        gates = list(self._gates.values())
        self._gates.clear()
        await asyncio.gather(*(gate.close() for gate in gates))


def _parse_allowed(text: str) -> tuple[str, int | None]:
    """Host and port, None for any. Raises ValueError, for patterns and networks too: nothing would match
    them, and who wrote one would not know."""
    target = _Target(text, 0) if _is_address_v6(text) else _Target.of(text, 0)
    if is_exchange_host(target.host) or not (_NAME.fullmatch(target.host) or _is_address_v6(target.host)):
        raise ValueError(text)
    return target.host, target.port or None


_ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"


def _answer(status: int, phrase: str, words: str) -> bytes:
    body = words.encode("latin-1", "replace")
    head = f"HTTP/1.1 {status} {phrase}\r\ncontent-type: text/plain\r\ncontent-length: {len(body)}\r\n"
    return head.encode() + b"connection: close\r\n\r\n" + body


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdigit() and 0 < int(text) <= 65_535


def _is_address_v6(text: str) -> bool:
    try:
        IPv6Address(text)
    except ValueError:
        return False
    return True


def _has_record(begun: bytes) -> bool:
    length = hello.record_length(begun)
    return length is not None and len(begun) >= min(length, hello.RECORD_MAX)


async def _peek(connection: socket.socket, is_enough: Callable[[bytes], bool]) -> bytes:
    """What has come so far, which stays to be read. Raises ConnectionError when it ends before, and _Refused
    when it never is enough."""
    loop = asyncio.get_running_loop()
    seen = b""
    pause_s = _LOOK_AGAIN_S
    while True:
        await _readable(loop, connection)
        begun = connection.recv(max(HEAD_MAX, hello.RECORD_MAX) + 1, socket.MSG_PEEK)
        if not begun:
            raise ConnectionResetError
        if is_enough(begun):
            return begun
        if len(begun) > HEAD_MAX:
            raise _Refused(_answer(431, "Request Header Fields Too Large", "The head is too long."))
        if begun == seen:
            # What is there makes the socket readable again at once, and so does its end.
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, _LOOK_AGAIN_S_MAX)
        seen = begun


async def _readable(loop: asyncio.AbstractEventLoop, connection: socket.socket) -> None:
    ready: asyncio.Future[None] = loop.create_future()

    def tell() -> None:
        if not ready.done():
            ready.set_result(None)

    loop.add_reader(connection, tell)
    try:
        await ready
    finally:
        loop.remove_reader(connection)


def _consume(connection: socket.socket, head: bytes) -> None:
    """Take a head, which has been peeked at, off a connection."""
    left = head.index(b"\r\n\r\n") + 4
    while left:
        left -= len(connection.recv(left))


def _direct(head: bytes, absolute: re.Match[bytes]) -> bytes:
    """The head of a request in absolute form, as one that goes to its host directly (RFC 9112 §3.2) and is
    the last on its connection; what comes after the head is left out.

    Who asks for leave to speak something else than HTTP sends no other request anyway.
    """
    lines = head[absolute.end(2) : head.index(b"\r\n\r\n")]
    lines = _HOST_LINE.sub(b"", lines) + b"\r\nhost: " + absolute[2].rpartition(b"@")[2]
    if not _UPGRADE_LINE.search(lines):
        lines = _CONNECTION_LINE.sub(b"", lines) + b"\r\nconnection: close"
    slash = b"" if lines.startswith(b"/") else b"/"
    return head[: absolute.start(1)] + slash + lines + b"\r\n\r\n"


async def _pass_on(connection: socket.socket, target: _Target) -> None:
    await _relay(connection, await _connected(target))


async def _connected(target: _Target) -> socket.socket:
    """Raises _Refused when nobody answers there."""
    loop = asyncio.get_running_loop()
    # A resolver may ask the net for names below `localhost`, and nobody else is to say where they are.
    host = "localhost" if target.host.endswith(".localhost") else target.host
    reason: Exception | None = None
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(CONNECT_S):
            try:
                found = await loop.getaddrinfo(host, target.port, type=socket.SOCK_STREAM)
            except OSError as error:
                found, reason = [], error
            for family, kind, protocol, _, address in found:
                others = socket.socket(family, kind, protocol)
                others.setblocking(False)
                try:
                    await loop.sock_connect(others, address)
                except BaseException as error:
                    others.close()
                    if not isinstance(error, OSError):
                        raise
                    reason = error
                else:
                    return others
    words = f"{target.host}:{target.port} does not answer: {reason or 'nothing came in time'}"
    raise _Refused(_answer(502, "Bad Gateway", words))


async def _relay(one: socket.socket, other: socket.socket, *, begun: bytes = b"") -> None:
    """Bytes both ways, until both sides have ended. Closes the other. begun: sent there first."""
    try:
        with contextlib.suppress(OSError):
            await asyncio.get_running_loop().sock_sendall(other, begun)
        async with asyncio.TaskGroup() as both:
            both.create_task(_copy(one, other))
            both.create_task(_copy(other, one))
    except* OSError:
        pass
    finally:
        other.close()


async def _copy(source: socket.socket, sink: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    while chunk := await loop.sock_recv(source, _CHUNK):
        await loop.sock_sendall(sink, chunk)
    with contextlib.suppress(OSError):
        sink.shutdown(socket.SHUT_WR)


async def _part(connection: socket.socket) -> None:
    """Close a connection so that what was sent arrives: what has come unread would have it reset."""
    loop = asyncio.get_running_loop()
    with contextlib.suppress(OSError, TimeoutError):
        connection.shutdown(socket.SHUT_WR)
        async with asyncio.timeout(_PARTING_S):
            while await loop.sock_recv(connection, _CHUNK):
                pass
    connection.close()
