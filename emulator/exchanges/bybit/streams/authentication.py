"""Who is at the other end of a connection: a key, a moment until which that is proven, and a signature.

Signed is `GET/realtime` followed by the moment as it was sent, a number or a text ("Connect",
Authentication). What is answered has the shape of private topics, or of orders, or both at once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from emulator.exchanges.bybit.streams.connection import Connection
from emulator.exchanges.bybit.streams.frames import Frame
from emulator.exchanges.bybit.streams.offer import Operate
from emulator.runtime.ports import KeyRecord
from emulator.runtime.sandbox import Sandbox
from emulator.web.codec import encode
from emulator.web.contract import Method

SIGNED: Final = b"GET/realtime"
DIGITS_MAX: Final = 18

PARAMETER, KEY, SIGNATURE, REPEATED = 10001, 10003, 10004, 20001

TEXTS: Final = {
    PARAMETER: "Params Error",
    KEY: "Invalid apikey",
    SIGNATURE: "Invalid sign",
    REPEATED: "Repeat auth",
}
"""The first two are those of live hosts ("Websocket Trade Guideline" has the codes, and no texts)."""

METHOD: Final = Method("auth", "Say whose connection this is")


def prove(connection: Connection, frame: Frame, *, repeats: bool) -> int:
    """Find out whose connection it is, and note that there; zero, or the code of what is wrong.

    A key of another sandbox than that of the address moves the connection there, unless the address named
    one. repeats: whether who is known may say it again.
    """
    if connection.key is not None and not repeats:
        return REPEATED
    if len(frame.args) != 3:
        return PARAMETER
    key, expires, signature = frame.args
    moment = str(expires) if type(expires) is int else expires
    if type(key) is not str or type(moment) is not str or type(signature) is not str:
        return PARAMETER
    if not moment.isdecimal() or not moment.isascii() or len(moment) > DIGITS_MAX:
        return PARAMETER
    found = _find(connection, key)
    if found is None:
        return KEY
    sandbox, record = found
    door = connection.door
    # Quirk: what has expired is answered like arguments that cannot be read (live hosts).
    if door.checks_time and int(moment) <= door.server_ms(sandbox, int(moment)):
        return PARAMETER
    if not door.verifiers.verify(record, SIGNED + moment.encode(), signature):
        return SIGNATURE
    connection.sandbox = sandbox
    connection.key = record
    return 0


def _find(connection: Connection, key: str) -> tuple[Sandbox, KeyRecord] | None:
    opening = connection.opening
    sandbox = connection.sandbox if opening.is_named else opening.sandboxes.owning(key) or connection.sandbox
    record = sandbox.keys.get(key)
    return None if record is None else (sandbox, record)


def _private(connection: Connection, frame: Frame, code: int) -> dict[str, Any]:
    named = {} if frame.id is None else {"req_id": frame.id}
    return {
        **named,
        "success": not code,
        "ret_msg": TEXTS[code] if code else "",
        "op": "auth",
        "conn_id": connection.id,
    }


def _trade(connection: Connection, frame: Frame, code: int) -> dict[str, Any]:
    id = frame.members.get("reqId")
    named = {} if id is None else {"reqId": id}
    return {
        **named,
        "retCode": code,
        "retMsg": TEXTS[code] if code else "OK",
        "op": "auth",
        "connId": connection.id,
    }


def _answering(*shapes: Callable[[Connection, Frame, int], dict[str, Any]], repeats: bool = True) -> Operate:
    def operate(connection: Connection, frame: Frame) -> None:
        code = prove(connection, frame, repeats=repeats)
        answer: dict[str, Any] = {}
        for shape in shapes:
            answer |= shape(connection, frame, code)
        connection.send(encode(answer))

    return operate


auth_private: Final = _answering(_private)
"""For the socket of private topics."""

auth_trade: Final = _answering(_trade, repeats=False)
"""For the socket of orders."""

auth_any: Final = _answering(_private, _trade)
"""For the socket of everything: its clients look for the one or the other."""
