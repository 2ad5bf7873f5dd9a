"""Requests to place, amend and cancel orders over a socket, and their answers.

They are decided in the order in which they come, and answered when the journal has what was decided; one that
waits for that does not hold up the next one.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from types import MappingProxyType
from typing import Any, Final, NamedTuple
from weakref import WeakKeyDictionary

from emulator.exchanges.bybit.door import CATEGORIES, Door
from emulator.exchanges.bybit.refusals import refuse, refuse_parameter
from emulator.exchanges.bybit.streams.connection import Connection
from emulator.exchanges.bybit.streams.frames import WORD_MAX, Frame
from emulator.exchanges.bybit.streams.offer import Operate
from emulator.exchanges.bybit.ws_api.admission import SocketDoor, SocketRequest
from emulator.exchanges.bybit.ws_api.methods import PATHS
from emulator.web.codec import encode
from emulator.web.contract import Refusal, Site
from emulator.web.endpoint import Answer, Endpoint

ID_MAX: Final = 36
IDS_REMEMBERED: Final = 10_000
"""Of each connection, the newest ones; a name that is older may be given again."""
_HEADERS: Final = (
    ("X-Bapi-Limit", b"x-bapi-limit"),
    ("X-Bapi-Limit-Status", b"x-bapi-limit-status"),
    ("X-Bapi-Limit-Reset-Timestamp", b"x-bapi-limit-reset-timestamp"),
    ("Traceid", b"traceid"),
    ("Timenow", b"timenow"),
)


class Desk:
    """A site's rows that take orders, made ready for sockets."""

    def __init__(self, site: Site) -> None:
        door = site.dialect
        assert isinstance(door, Door)
        self.door = SocketDoor(door)
        inside = Site(name=site.name, engine=site.engine, title=site.title, rows=(), dialect=self.door)
        by_path = {route.path: route for route in site.rows if route.method == "POST"}
        self.endpoints = {name: Endpoint(inside, by_path[path]) for name, path in PATHS.items()}


_desks: WeakKeyDictionary[Site, Desk] = WeakKeyDictionary()


def _desk_of(site: Site) -> Desk:
    desk = _desks.get(site)
    if desk is None:
        desk = _desks[site] = Desk(site)
    return desk


class Asked(NamedTuple):
    """id: what the client calls its request, None where it does not."""

    id: str | None
    sent: Mapping[str, Any]
    timestamp: bytes
    window: bytes


def ask(connection: Connection, frame: Frame) -> None:
    """Do what one of the methods does; answers when that is durable."""
    desk = _desk_of(connection.opening.site)
    id = frame.members.get("reqId")
    try:
        asked = _parse(connection, frame, desk)
    except Refusal as refusal:
        _answer(connection, frame.op, id, desk.door.render_refusal(refusal), b"")
        return
    endpoint = desk.endpoints[frame.op]
    record = connection.key
    assert record is not None
    request = SocketRequest(
        endpoint.route.method,
        endpoint.route.path,
        b"",
        b"",
        connection.opening.headers,
        connection.opening.source_ip,
        # Whoever took it away meanwhile meant it.
        connection.sandbox.keys.get(record.key),
        asked.sent,
        asked.timestamp,
        asked.window,
    )
    connection.hold()
    endpoint.start(request, connection.sandbox, partial(_leave, connection, frame.op, asked.id))


def _parse(connection: Connection, frame: Frame, desk: Desk) -> Asked:
    """Raises 10007, 10404, 10001 and 20006."""
    if connection.key is None:
        raise refuse(10007)
    if frame.op not in desk.endpoints:
        raise refuse(10404)
    id, header = frame.members.get("reqId"), frame.members.get("header")
    # Quirk: clients that count their requests send numbers (ccxt).
    name = None if id is None else str(id)
    if name is not None and len(name) > ID_MAX:
        raise refuse_parameter("reqId")
    if not isinstance(header, dict):
        raise refuse_parameter("header")
    if len(frame.args) != 1 or not isinstance(frame.args[0], dict):
        raise refuse_parameter("args")
    sent = frame.args[0]
    if sent.get("category") not in CATEGORIES:
        raise refuse(10404)
    if name is not None:
        _use(connection, name)
    timestamp, window = (_header(header, each) for each in ("X-BAPI-TIMESTAMP", "X-BAPI-RECV-WINDOW"))
    return Asked(id, sent, timestamp, window)


def _header(header: Mapping[str, Any], name: str) -> bytes:
    """Quirk: what stands in a header may be a number here (pybit)."""
    value = header.get(name)
    if value is None:
        return b""
    return str(value).encode("utf-8", "replace")


def _use(connection: Connection, name: str) -> None:
    """Raises 20006 for a name that was given before."""
    if name in connection.names:
        raise refuse(20006)
    connection.names[name] = None
    if len(connection.names) > IDS_REMEMBERED:
        del connection.names[next(iter(connection.names))]


# Answers


def _leave(connection: Connection, op: str, id: Any, answer: Answer) -> None:
    connection.release()
    if answer.is_defect:
        connection.opening.note_defect()
    _answer(connection, op, id, answer.body, answer.header_lines)


def _answer(connection: Connection, op: str, id: Any, parts: bytes, header_lines: bytes) -> None:
    told = dict(line.lower().split(b": ", 1) for line in header_lines.splitlines())
    header = {name: told[key].decode() for name, key in _HEADERS if key in told}
    named = b"" if id is None else b'"reqId":%b,' % encode(id)
    connection.send(
        b'{%b"op":%b,%b,"header":%b,"connId":%b}'
        % (named, encode(op[:WORD_MAX]), parts, encode(header), encode(connection.id))
    )


OPERATIONS: Final[Mapping[str, Operate]] = MappingProxyType(dict.fromkeys(PATHS, ask))
