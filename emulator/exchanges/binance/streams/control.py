"""What clients ask of a market stream socket, and the frames that answer them.

Requests are JSON text: a method, its parameters and an id that the answer carries in its own JSON type
(web-socket-streams.md, "Live Subscribing/Unsubscribing to streams").
"""

from __future__ import annotations

import re
from enum import Enum
from typing import Any, Final, NamedTuple

from emulator.exchanges.binance.streams.places import WALKED_MAX, complaint, place, walk
from emulator.web.codec import decode, encode


class Method(str, Enum):
    SUBSCRIBE = "SUBSCRIBE"
    UNSUBSCRIBE = "UNSUBSCRIBE"
    LIST_SUBSCRIPTIONS = "LIST_SUBSCRIPTIONS"
    SET_PROPERTY = "SET_PROPERTY"
    GET_PROPERTY = "GET_PROPERTY"


RequestId = int | str | None

PROPERTY: Final = "combined"
"""The only one there is."""

STREAMS_MAX: Final = 1024
"""Streams that one connection may listen to."""

UNKNOWN_PROPERTY: Final = 0
WRONG_TYPE: Final = 1
INVALID_REQUEST: Final = 2
INVALID_JSON: Final = 3

_METHODS: Final = {method.value: method for method in Method}
_VARIANTS: Final = ", ".join(f"`{method.value}`" for method in Method)
_ID = re.compile(r"[A-Za-z0-9_-]{1,36}", re.ASCII)
_ID_INTEGERS = range(-(2**63), 2**63)
_NAME = re.compile(r"[^\W_][\w.:+-]*(?:@[\w.:+-]+)*|![\w.+-]+(?:@[\w.:+-]+)*")
_NAME_MAX = 200
_SHOWN_MAX = 50


class Request(NamedTuple):
    method: Method
    params: list[Any]
    id: RequestId


class Fault(Exception):
    """What is wrong with a request: its code and text on the wire, and the id where one could be read."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message
        self.id: RequestId = None
        self.has_id = False

    def of(self, request_id: RequestId) -> Fault:
        """The same, with the id of the request."""
        self.id, self.has_id = request_id, True
        return self


def parse_request(text: bytes) -> Request:
    """Raises Fault."""
    try:
        body = decode(text)
    except ValueError:
        raise Fault(INVALID_JSON, f"Invalid JSON: {complaint(text)}") from None
    if not isinstance(body, dict):
        raise _missing("method", text)
    if "id" not in body:
        return _parse_named(body, text, None)
    request_id = body["id"]
    if not _is_id(request_id):
        raise _bad_id()
    try:
        return _parse_named(body, text, request_id)
    except Fault as fault:
        raise fault.of(request_id) from None


def _parse_named(body: dict[str, Any], text: bytes, request_id: RequestId) -> Request:
    if "method" not in body:
        raise _missing("method", text)
    name = body["method"]
    if not isinstance(name, str):
        raise Fault(
            INVALID_JSON, f"Invalid JSON: expected value at {_place_of(text, b'method', is_end=False)}"
        )
    method = _METHODS.get(name)
    if method is None:
        raise Fault(
            INVALID_REQUEST,
            f"Invalid request: unknown variant `{name[:_SHOWN_MAX]}`, expected one of {_VARIANTS} "
            f"at {_place_of(text, b'method', is_end=True)}",
        )
    if "id" not in body:
        # Quirk: an id may be null, but it has to be there (web-socket-streams.md, "Error Messages").
        raise _bad_id()
    params = body.get("params")
    if params is None:
        if method in (Method.SUBSCRIBE, Method.UNSUBSCRIBE):
            raise _missing("params", text)
        params = []
    if not isinstance(params, list):
        raise invalid_params(method)
    return Request(method, params, request_id)


def _is_id(value: Any) -> bool:
    if isinstance(value, str):
        # Quirk: "alphanumeric" includes the hyphens of a UUID (binance-sdk-spot sends them).
        return _ID.fullmatch(value) is not None
    if isinstance(value, bool):
        return False
    return value is None or (isinstance(value, int) and value in _ID_INTEGERS)


def _bad_id() -> Fault:
    # Quirk: the text is older than the ids: negative ones, strings and null are accepted too
    # (web-socket-streams.md, "Live Subscribing/Unsubscribing to streams").
    return Fault(INVALID_REQUEST, "Invalid request: request ID must be an unsigned integer")


def _missing(field: str, text: bytes) -> Fault:
    ends = place(text, len(text.rstrip(b" \t\n\r")))
    return Fault(INVALID_REQUEST, f"Invalid request: missing field `{field}` at {ends}")


def _place_of(text: bytes, name: bytes, *, is_end: bool) -> str:
    """Where the value of a member of the request ends, or its first byte is."""
    found = 0
    if len(text) <= WALKED_MAX:
        for member in walk(text):
            if member.name == name:
                found = member.ends if is_end else member.begins + 1
    return place(text, found or len(text))


# The parameters


def invalid_params(method: Method) -> Fault:
    if method in (Method.SET_PROPERTY, Method.GET_PROPERTY):
        return Fault(INVALID_REQUEST, "Invalid request: property name must be a string")
    # Not in the documents; live hosts answer so.
    return Fault(INVALID_REQUEST, "Invalid request: invalid stream")


def parse_names(request: Request) -> list[str]:
    """The names of streams to subscribe to or to leave, each once. Raises Fault for what is none.

    A name need not name a stream that there is, only look like one.
    """
    if not all(isinstance(param, str) for param in request.params):
        raise invalid_params(request.method)
    names = dict.fromkeys(request.params)
    for name in names:
        # Quirk: whatever is formed like a name is accepted, whether there is such a stream or not; only
        # what is not is refused (live answers to `btcusdt@nosuchstream` and to `@@@x###`).
        if not is_well_formed(name):
            raise invalid_params(request.method)
    return list(names)


def is_well_formed(name: str) -> bool:
    return len(name) <= _NAME_MAX and _NAME.fullmatch(name) is not None


def parse_property(request: Request) -> bool | None:
    """The value that the property shall have, or None for a request that asks. Raises Fault."""
    params = request.params
    expected = 2 if request.method is Method.SET_PROPERTY else 1
    if not params or not isinstance(params[0], str):
        raise invalid_params(request.method)
    if params[0] != PROPERTY:
        raise Fault(UNKNOWN_PROPERTY, "Unknown property")
    if len(params) > expected:
        raise too_many_parameters()
    if expected == 1:
        return None
    value = params[1] if len(params) == expected else None
    if not isinstance(value, bool):
        raise Fault(WRONG_TYPE, "Invalid value type: expected Boolean")
    return value


def too_many_parameters() -> Fault:
    return Fault(INVALID_REQUEST, "Invalid request: too many parameters")


def too_many_streams() -> Fault:
    # The documents have the limit and no text for it.
    return Fault(INVALID_REQUEST, f"Invalid request: too many streams; the limit is {STREAMS_MAX}")


# Answers


def render_answer(request_id: RequestId, outcome: Any = None) -> bytes:
    return encode({"result": outcome, "id": request_id})


def render_fault(fault: Fault) -> bytes:
    # Quirk: the documents print the pair of code and text alone; live hosts wrap it, which clients rely on
    # (binance-sdk-spot; ccxt.pro, `handleWsError`).
    body: dict[str, Any] = {"error": {"code": fault.code, "msg": fault.message}}
    if fault.has_id:
        body["id"] = fault.id
    return encode(body)
