"""The few messages of DNS that a resolver of a program needs (RFC 1035 §4): one question, one answer."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from typing import NamedTuple

A = 1
PTR = 12
AAAA = 28
INTERNET = 1

NO_ERROR = 0
NOT_UNDERSTOOD = 1
NO_SUCH_NAME = 3
NOT_DONE_HERE = 4

TTL_S = 60
"""An address stands for its name as long as the command runs."""

_HEADER = 12
_IS_ANSWER, _IS_DESIRED, _IS_AVAILABLE = 0x8000, 0x0100, 0x0080
_KIND_OF_QUESTION = 0x7800
_NAME_OF_QUESTION = b"\xc0\x0c"


class Question(NamedTuple):
    """identity, flags: of the message. name: lower case, without a dot at its end. asked: the bytes of it."""

    identity: bytes
    flags: int
    name: str
    type: int
    asked: bytes


def parse_question(message: bytes) -> Question | None:
    """The first question of a message; None for what is none and deserves no answer."""
    if len(message) < _HEADER:
        return None
    flags = int.from_bytes(message[2:4], "big")
    if flags & _IS_ANSWER or int.from_bytes(message[4:6], "big") != 1:
        return None
    labels = []
    place = _HEADER
    while True:
        length = message[place] if place < len(message) else 0x40
        place += 1
        if not length:
            break
        if length > 63 or place + length > len(message):
            return None
        labels.append(message[place : place + length].decode("latin-1"))
        place += length
    if len(message) < place + 4:
        return None
    name = ".".join(labels).lower()
    type_ = int.from_bytes(message[place : place + 2], "big")
    return Question(message[:2], flags, name, type_, message[_HEADER : place + 4])


def is_plain(question: Question) -> bool:
    """Whether it asks for something rather than telling or changing it."""
    return not question.flags & _KIND_OF_QUESTION


def answer(question: Question, code: int, addresses: Sequence[str] = ()) -> bytes:
    flags = _IS_ANSWER | _IS_AVAILABLE | (question.flags & (_IS_DESIRED | _KIND_OF_QUESTION)) | code
    counts = (1, len(addresses), 0, 0)
    header = question.identity + flags.to_bytes(2, "big") + b"".join(n.to_bytes(2, "big") for n in counts)
    return header + question.asked + b"".join(_record(question.type, address) for address in addresses)


def _record(type_: int, address: str) -> bytes:
    packed = ipaddress.ip_address(address).packed
    return (
        _NAME_OF_QUESTION
        + type_.to_bytes(2, "big")
        + INTERNET.to_bytes(2, "big")
        + TTL_S.to_bytes(4, "big")
        + len(packed).to_bytes(2, "big")
        + packed
    )
