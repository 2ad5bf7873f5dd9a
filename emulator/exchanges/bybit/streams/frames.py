"""What is said over a WebSocket beside topics: requests, and answers to them in the shape of their socket.

Every frame answers a request; nothing is said unasked. Keys are in the order in which the exchange sends
them ("Connect"). What a client calls its request comes back as it was sent, a number or a text.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple, Protocol

import orjson

from emulator.web.codec import encode

WORD_MAX: Final = 64
"""Letters of an operation that is named in an answer or a log."""

_SHOWN: Final = 10
_SHOWN_AROUND: Final = 50
"""Bytes around what could not be read that a complaint shows."""

NOT_FOUND: Final = "error:handler not found,topic:{}"
ALREADY: Final = "error:already subscribed,topic:{}"
INVALID_SYMBOL: Final = "Invalid symbol :[{}]"
INVALID_OP: Final = "error:invalid op"
TOO_MANY_ARGS: Final = "args size >{}"
TOO_LONG: Final = "args characters >{}"


class Frame(NamedTuple):
    """A request. id: what the client calls it, None where it does not. args: empty where they are no list.
    members: all that was sent.
    """

    op: str
    id: Any
    args: list[Any]
    members: dict[str, Any]


class Malformed(Exception):
    """What was sent is no request; says why in the exchange's words."""


class Refused(Exception):
    """A request cannot be granted; says why in the exchange's words."""


def parse_frame(message: bytes) -> Frame:
    """Raises Malformed."""
    try:
        members = orjson.loads(message)
    except orjson.JSONDecodeError as error:
        raise Malformed(_complaint(message, error.pos)) from None
    if members is None:
        members = {}
    if not isinstance(members, dict):
        raise Malformed(_complaint(message))
    op, args = members.get("op"), members.get("args")
    return Frame(
        op if isinstance(op, str) else "",
        members.get("req_id"),
        # Quirk: clients send anything as the arguments of a ping, a number for instance (hummingbot).
        args if isinstance(args, list) else [],
        members,
    )


def _complaint(message: bytes, index: int = 0) -> str:
    """What the exchange's parser says of what is no object: the byte that it stops at, and what is around it.

    index: where ours stopped.
    """
    begins = len(message) - len(message.lstrip())
    if message[begins : begins + 1] == b"{":
        at, expected = min(max(index, begins), len(message)), "readObject: expect , or }"
    else:
        at, expected = begins, "readObjectStart: expect { or n"
    found = message[at : at + 1].decode("latin-1") or "\x00"
    shown = message[max(0, at - _SHOWN) : at + _SHOWN].decode("latin-1")
    around = message[max(0, at - _SHOWN_AROUND) : at + _SHOWN_AROUND].decode("latin-1")
    # Quirk: the words of the parser that the exchange uses come through (live hosts).
    return (
        f"Failed to decode incoming data:{expected}, but found {found}, "
        f"error found in #{at + 1} byte of ...|{shown}|..., bigger context ...|{around}|..."
    )


class Shape(Protocol):
    """How a socket answers."""

    def topics(
        self, frame: Frame, conn_id: str, *, done: Sequence[str], failed: Sequence[str], text: str | None
    ) -> bytes:
        """To a request to subscribe or not to. text: why nothing was done, None where it was."""
        ...

    def pong(self, frame: Frame, conn_id: str, now_us: int) -> bytes: ...

    def refusal(self, frame: Frame | None, conn_id: str, text: str) -> bytes:
        """To what is no request, with None for the frame, and to operations that there are not."""
        ...


class ContractShape:
    """Of linear and inverse contracts, and of whatever takes topics of any sort."""

    def topics(
        self, frame: Frame, conn_id: str, *, done: Sequence[str], failed: Sequence[str], text: str | None
    ) -> bytes:
        return encode(
            {
                "success": text is None,
                "ret_msg": text or "",
                "conn_id": conn_id,
                "req_id": "" if frame.id is None else frame.id,
                "op": frame.op,
            }
        )

    def pong(self, frame: Frame, conn_id: str, now_us: int) -> bytes:
        # Quirk: a ping is answered as an operation that is called `ping`, and `pong` is what became of it
        # ("Connect").
        return encode(
            {
                "success": True,
                "ret_msg": "pong",
                "conn_id": conn_id,
                "req_id": "" if frame.id is None else frame.id,
                "op": "ping",
            }
        )

    def refusal(self, frame: Frame | None, conn_id: str, text: str) -> bytes:
        return encode(
            {
                "success": False,
                "ret_msg": text,
                "conn_id": conn_id,
                "req_id": "" if frame is None or frame.id is None else frame.id,
                "op": "" if frame is None else frame.op[:WORD_MAX],
            }
        )


class SpotShape:
    """Of pairs: what became of a request is called as the request, and one without a name has none."""

    def topics(
        self, frame: Frame, conn_id: str, *, done: Sequence[str], failed: Sequence[str], text: str | None
    ) -> bytes:
        return _spot(frame, conn_id, frame.op, success=text is None, text=frame.op if text is None else text)

    def pong(self, frame: Frame, conn_id: str, now_us: int) -> bytes:
        return _spot(frame, conn_id, "ping", success=True, text="pong")

    def refusal(self, frame: Frame | None, conn_id: str, text: str) -> bytes:
        op = "" if frame is None else frame.op[:WORD_MAX]
        return _spot(frame, conn_id, op, success=False, text=text)


def _spot(frame: Frame | None, conn_id: str, op: str, *, success: bool, text: str) -> bytes:
    answer: dict[str, Any] = {"success": success, "ret_msg": text, "conn_id": conn_id}
    if frame is not None and frame.id is not None:
        answer["req_id"] = frame.id
    answer["op"] = op
    return encode(answer)


class OptionShape:
    """Of options and spreads: says topic by topic what became of it."""

    def topics(
        self, frame: Frame, conn_id: str, *, done: Sequence[str], failed: Sequence[str], text: str | None
    ) -> bytes:
        answer: dict[str, Any] = {"success": text is None, "conn_id": conn_id}
        if frame.id is not None:
            answer["req_id"] = frame.id
        answer["data"] = {"failTopics": list(failed), "successTopics": list(done)}
        answer["type"] = "COMMAND_RESP"
        return encode(answer)

    def pong(self, frame: Frame, conn_id: str, now_us: int) -> bytes:
        return encode({"args": [str(now_us // 1000)], "op": "pong"})

    def refusal(self, frame: Frame | None, conn_id: str, text: str) -> bytes:
        return _spot(frame, conn_id, "" if frame is None else frame.op[:WORD_MAX], success=False, text=text)


class PrivateShape:
    """Of what accounts are told."""

    def topics(
        self, frame: Frame, conn_id: str, *, done: Sequence[str], failed: Sequence[str], text: str | None
    ) -> bytes:
        return _private(frame, conn_id, frame.op, success=text is None, text=text or "")

    def pong(self, frame: Frame, conn_id: str, now_us: int) -> bytes:
        answer = {} if frame.id is None else {"req_id": frame.id}
        return encode({**answer, "op": "pong", "args": [str(now_us // 1000)], "conn_id": conn_id})

    def refusal(self, frame: Frame | None, conn_id: str, text: str) -> bytes:
        op = "" if frame is None else frame.op[:WORD_MAX]
        return _private(frame, conn_id, op, success=False, text=text)


def _private(frame: Frame | None, conn_id: str, op: str, *, success: bool, text: str) -> bytes:
    named = {} if frame is None or frame.id is None else {"req_id": frame.id}
    return encode({**named, "success": success, "ret_msg": text, "op": op, "conn_id": conn_id})


CONTRACT_SHAPE: Final = ContractShape()
SPOT_SHAPE: Final = SpotShape()
OPTION_SHAPE: Final = OptionShape()
PRIVATE_SHAPE: Final = PrivateShape()
