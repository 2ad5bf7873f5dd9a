"""Who listens or gives orders: `{"op": "auth", "args": [key, expires, signature]}` ("Connect").

Signed is `GET/realtime` and the moment, in milliseconds, from which on the request is not good any more.
Whose a connection is stays as it is until its end.
"""

from __future__ import annotations

from typing import Any, Final

from emulator.exchanges.bybit.auth import DIGITS_MAX
from emulator.exchanges.bybit.refusals import refuse
from emulator.exchanges.bybit.streams.connection import Connection
from emulator.exchanges.bybit.streams.frames import Frame
from emulator.runtime.sandbox import Sandbox
from emulator.web.codec import encode
from emulator.web.contract import Method, Refusal

AUTH: Final = "auth"
METHOD: Final = Method(AUTH, "Say whose connection it is")

PARAMS_ERROR: Final = "Params Error"
REPEATED: Final = 20001
_SIGNED: Final = b"GET/realtime%s"

__all__ = ["AUTH", "METHOD", "REPEATED", "authenticate", "prove"]


def prove(connection: Connection, frame: Frame) -> None:
    """Make the connection its key's owner's. Raises a Refusal: 20001, 10001, 10003 or 10004."""
    if connection.key is not None:
        raise refuse(REPEATED)
    key, expires, signature = _arguments(frame.args)
    sandbox = _sandbox_of(connection, key)
    record = sandbox.keys.get(key)
    # Quirk: a request that is too late is said to have wrong parameters (running servers).
    if not connection.door.is_ahead(sandbox, int(expires)):
        raise refuse(10001, text=PARAMS_ERROR)
    if record is None:
        raise refuse(10003)
    payload = _SIGNED % expires.encode()
    if not connection.door.verifiers.verify(record, payload, signature):
        raise refuse(10004, payload.decode())
    connection.sandbox = sandbox
    connection.key = record


def _arguments(args: list[Any]) -> tuple[str, str, str]:
    """The key, the moment and the signature. Raises 10001."""
    if len(args) != 3:
        raise refuse(10001, text=PARAMS_ERROR)
    key, expires, signature = args
    # Quirk: the moment may be a number or text (pybit and ccxt).
    if type(expires) is int:
        expires = str(expires)
    if not (isinstance(key, str) and isinstance(expires, str) and isinstance(signature, str)):
        raise refuse(10001, text=PARAMS_ERROR)
    if not (expires.isascii() and expires.isdigit() and len(expires) <= DIGITS_MAX):
        raise refuse(10001, text=PARAMS_ERROR)
    return key, expires, signature


def _sandbox_of(connection: Connection, key: str) -> Sandbox:
    """The sandbox of the address; where that names none, the one whose key it is."""
    opening = connection.opening
    if opening.is_named:
        return opening.sandbox
    return opening.sandboxes.owning(key) or opening.sandbox


def authenticate(connection: Connection, frame: Frame) -> None:
    """Of sockets that tell accounts what happens, and of those that take anything."""
    refusal: Refusal | None = None
    try:
        prove(connection, frame)
    except Refusal as error:
        refusal = error
    answer: dict[str, Any] = {} if frame.id is None else {"req_id": frame.id}
    answer |= {
        "success": refusal is None,
        "ret_msg": "" if refusal is None else refusal.message,
        "op": AUTH,
        "conn_id": connection.id,
    }
    if connection.offer.takes_orders:
        # For clients that know one address for everything, whichever of the two they look for.
        answer |= {
            "retCode": 0 if refusal is None else refusal.code,
            "retMsg": "OK" if refusal is None else refusal.message,
            "connId": connection.id,
        }
    connection.send(encode(answer))
