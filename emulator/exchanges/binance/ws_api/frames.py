"""Frames of the WebSocket API: a request's JSON becomes an id, a method and texts; an answer becomes JSON.

Parameters become the texts that REST would have been sent, since the same parsers read them. An id is
kept as the JSON that it came as.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final, NamedTuple

from emulator.exchanges.binance.errors import INVALID_JSON, INVALID_REQUEST_MEMBER, refuse
from emulator.exchanges.binance.refusals import TOO_MANY_PARAMETERS
from emulator.web.codec import decode, encode
from emulator.web.contract import Refusal
from emulator.web.params import PARAMETERS_MAX

NULL: Final = b"null"

_ID: Final = re.compile(r"[a-zA-Z0-9_-]{1,36}")
_ID_EXPECTED: Final = "an integer, a string matching '^[a-zA-Z0-9-_]{1,36}$', or null"
_INTEGERS: Final = range(-(2**63), 2**63)


class Asked(NamedTuple):
    """id: as JSON. texts: the parameters by name, as REST would have got them."""

    id: bytes
    method: str
    texts: dict[str, str]


class Malformed(Exception):
    """A frame that is no request. id: what the answer carries, as JSON."""

    def __init__(self, refusal: Refusal, id: bytes = NULL) -> None:
        super().__init__(refusal)
        self.refusal = refusal
        self.id = id


def parse_request(message: bytes) -> Asked:
    """Raises Malformed: -1135 for what is no JSON or has the wrong types, -1101 for too many parameters."""
    try:
        frame = decode(message)
    except ValueError:
        raise Malformed(refuse(-1135, text=INVALID_JSON)) from None
    if type(frame) is not dict:
        raise Malformed(refuse(-1135, text=INVALID_JSON))
    # Quirk: an id is required, though it may be null, and texts may hold letters, digits, - and _ only
    # (live answers; web-socket-api.md calls it arbitrary).
    id = _render_id(frame["id"]) if "id" in frame else None
    if id is None:
        raise Malformed(_wrong("id", _ID_EXPECTED))
    method = frame.get("method")
    if type(method) is not str:
        raise Malformed(_wrong("method", "a string"), id)
    params = frame.get("params")
    if params is None:
        return Asked(id, method, {})
    if type(params) is not dict:
        raise Malformed(_wrong("params", "an object"), id)
    if len(params) > PARAMETERS_MAX:
        raise Malformed(refuse(-1101, text=TOO_MANY_PARAMETERS), id)
    try:
        return Asked(id, method, _texts(params, message))
    except Refusal as refusal:
        raise Malformed(refusal, id) from None


def _wrong(member: str, expected: str) -> Refusal:
    return refuse(-1135, member, expected, text=INVALID_REQUEST_MEMBER)


def _render_id(id: Any) -> bytes | None:
    """None for what is no id."""
    kind = type(id)
    if kind is str:
        return b'"%b"' % id.encode() if _ID.fullmatch(id) else None
    if kind is int:
        return b"%d" % id if id in _INTEGERS else None
    return NULL if id is None else None


def _texts(params: dict[str, Any], message: bytes) -> dict[str, str]:
    texts: dict[str, str] = {}
    for name, value in params.items():
        kind = type(value)
        if kind is str:
            texts[name] = value
        elif kind is int:
            texts[name] = str(value)
        elif kind is bool:
            texts[name] = "true" if value else "false"
        elif kind is float:
            return _texts(_numbers_as_sent(message), message)
        elif value is None:
            # Read as what was sent empty: a mandatory parameter "was empty/null".
            texts[name] = ""
        elif kind is list and all(type(member) in (str, int) for member in value):
            texts[name] = encode(value).decode()
        else:
            raise refuse(-1135, name)
    return texts


def _numbers_as_sent(message: bytes) -> dict[str, Any]:
    """The parameters with every number as the text that it was sent as, which is what a client signs."""
    # As deep as a text may be nested that was decoded once, this parser may go no further.
    try:
        params = json.loads(message, parse_float=str, parse_int=str)["params"]
    except RecursionError:
        raise refuse(-1135, text=INVALID_JSON) from None
    assert type(params) is dict
    return params


# Answers


def render_result(id: bytes, result: bytes, limits: bytes) -> bytes:
    """result: JSON. limits: what `rateLimits` holds, or nothing."""
    if limits:
        return b'{"id":%b,"status":200,"result":%b,"rateLimits":[%b]}' % (id, result, limits)
    return b'{"id":%b,"status":200,"result":%b}' % (id, result)


def render_failure(id: bytes, status: int, error: bytes, limits: bytes = b"") -> bytes:
    """error: JSON with `code` and `msg`, and `data` where there is some."""
    if limits:
        return b'{"id":%b,"status":%d,"error":%b,"rateLimits":[%b]}' % (id, status, error, limits)
    return b'{"id":%b,"status":%d,"error":%b}' % (id, status, error)


def render_event(subscription: int, event: bytes) -> bytes:
    """event: JSON, encoded once for all connections that are told of it."""
    return b'{"subscriptionId":%d,"event":%b}' % (subscription, event)


def render_shutdown(time: int) -> bytes:
    """What belongs to no subscription; time: in the connection's unit."""
    return b'{"event":{"e":"serverShutdown","E":%d}}' % time


class OrderWindow(NamedTuple):
    """A span in which orders are counted, as `rateLimits` describes it."""

    interval: str
    number: int
    limit: int


class RateLimits:
    """`rateLimits` with counts. The figures that limit are those of the site.

    orders: the windows in which orders count, in the order in which their counts are given.
    """

    __slots__ = ("_orders", "_weight")

    def __init__(self, *, weight_per_minute: int, orders: tuple[OrderWindow, ...]) -> None:
        self._weight = _limit("REQUEST_WEIGHT", "MINUTE", 1, weight_per_minute)
        self._orders = b",".join([*(_limit("ORDERS", *window) for window in orders), self._weight])

    def render(self, weight: int, orders: tuple[int, ...] | None) -> bytes:
        """orders: how many are unfilled in each window, of a request that they count for."""
        if orders is None:
            return self._weight % weight
        return self._orders % (*orders, weight)


def _limit(kind: str, interval: str, number: int, limit: int) -> bytes:
    text = (
        f'{{"rateLimitType":"{kind}","interval":"{interval}","intervalNum":{number},'
        f'"limit":{limit},"count":%d}}'
    )
    return text.encode()
