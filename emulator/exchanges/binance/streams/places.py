"""Where in a JSON text something is: what the exchange's parser stops at, and where members end.

The exchange names line and column in its complaints, both from 1, columns counted in bytes. Texts and
positions are those of the parser that its words give away (serde_json of Rust). Only texts that are
complained of are walked through, and only where that takes no time to speak of.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_SPACE = re.compile(rb"[ \t\n\r]*")
_PLAIN = re.compile(rb'[^"\\\x00-\x1f]*')
_ESCAPE = re.compile(rb'\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})')
_NUMBER = re.compile(rb"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_WORDS = {ord("t"): b"true", ord("f"): b"false", ord("n"): b"null"}

_QUOTE, _COMMA, _COLON = b'",:'
WALKED_MAX = 16_384
"""Bytes of a text that is walked through; of a longer one nothing is told but that it is wrong."""

_OPENING = {ord("["): ord("]"), ord("{"): ord("}")}
_BRACE = ord("}")


class Member(NamedTuple):
    """A member of the outermost object: where its value begins and ends, in bytes."""

    name: bytes
    begins: int
    ends: int


class _Stopped(Exception):
    """index: after the byte that the parser stopped at."""

    def __init__(self, reason: str, index: int) -> None:
        super().__init__(reason)
        self.reason = reason
        self.index = index


def place(text: bytes, index: int) -> str:
    """`line L column C` of the byte before an index."""
    before = text[:index]
    return f"line {before.count(10) + 1} column {index - before.rfind(10) - 1}"


def complaint(text: bytes) -> str:
    """What the exchange's parser says of a text that is not JSON."""
    try:
        if len(text) <= WALKED_MAX:
            walk(text)
    except _Stopped as stopped:
        return f"{stopped.reason} at {place(text, stopped.index)}"
    # Too long to be walked through, or what only another parser refuses: not Unicode, or too deep.
    return f"expected value at {place(text, min(1, len(text)))}"


def walk(text: bytes) -> list[Member]:
    """The members of the outermost object; none when it is something else. Raises when it is not JSON."""
    members: list[Member] = []
    closers: list[int] = []
    name, begins = b"", 0
    index = _skip(text, 0)
    end = len(text)
    while True:
        # A value is to come.
        if index == end:
            raise _Stopped("EOF while parsing a value", end)
        if len(closers) == 1:
            begins = index
        closer = _OPENING.get(text[index])
        if closer is not None:
            index = _skip(text, index + 1)
            if index == end:
                raise _Stopped(_cut_off(closer), end)
            if text[index] != closer:
                closers.append(closer)
                if closer == _BRACE:
                    name, index = _name(text, index, len(closers), name)
                continue
            index += 1
        else:
            index = _scalar(text, index)
        # A value has ended; perhaps what it is in ends with it.
        while closers:
            if len(closers) == 1 and closers[0] == _BRACE:
                members.append(Member(name, begins, index))
            index = _skip(text, index)
            if index == end:
                raise _Stopped(_cut_off(closers[-1]), end)
            if text[index] == closers[-1]:
                closers.pop()
                index += 1
                continue
            if text[index] != _COMMA:
                raise _Stopped(f"expected `,` or `{closers[-1]:c}`", index + 1)
            index = _skip(text, index + 1)
            if index < end and text[index] == closers[-1]:
                raise _Stopped("trailing comma", index + 1)
            if closers[-1] == _BRACE:
                name, index = _name(text, index, len(closers), name)
            break
        else:
            index = _skip(text, index)
            if index < end:
                raise _Stopped("trailing characters", index + 1)
            return members


def _cut_off(closer: int) -> str:
    return "EOF while parsing an object" if closer == _BRACE else "EOF while parsing a list"


def _skip(text: bytes, index: int) -> int:
    match = _SPACE.match(text, index)
    assert match is not None
    return match.end()


def _name(text: bytes, index: int, depth: int, outer: bytes) -> tuple[bytes, int]:
    """A member's name up to the value: the name, where it is of the outermost object, and the index."""
    if index == len(text):
        raise _Stopped("EOF while parsing an object", index)
    if text[index] != _QUOTE:
        raise _Stopped("key must be a string", index + 1)
    after = _string(text, index)
    name = text[index + 1 : after - 1] if depth == 1 else outer
    index = _skip(text, after)
    if index == len(text):
        raise _Stopped("EOF while parsing an object", index)
    if text[index] != _COLON:
        raise _Stopped("expected `:`", index + 1)
    return name, _skip(text, index + 1)


def _scalar(text: bytes, index: int) -> int:
    first = text[index]
    if first == _QUOTE:
        return _string(text, index)
    word = _WORDS.get(first)
    if word is not None:
        for place_in_word, letter in enumerate(word):
            at = index + place_in_word
            if at == len(text):
                raise _Stopped("EOF while parsing a value", at)
            if text[at] != letter:
                raise _Stopped("expected ident", at + 1)
        return index + len(word)
    if first != ord("-") and not ord("0") <= first <= ord("9"):
        raise _Stopped("expected value", index + 1)
    number = _NUMBER.match(text, index)
    after = index + 1 if number is None else number.end()
    following = text[after : after + 1]
    if number is not None and not following.isdigit() and following not in _UNFINISHED:
        return after
    at = after + (following in _UNFINISHED and number is not None)
    if at >= len(text):
        raise _Stopped("EOF while parsing a value", at)
    raise _Stopped("invalid number", at + 1)


_UNFINISHED = (b".", b"e", b"E")
"""Where a number goes on that has ended."""


def _string(text: bytes, index: int) -> int:
    """The index after a string's closing quote."""
    index += 1
    while True:
        plain = _PLAIN.match(text, index)
        assert plain is not None
        index = plain.end()
        if index == len(text):
            raise _Stopped("EOF while parsing a string", index)
        if text[index] == _QUOTE:
            return index + 1
        escape = _ESCAPE.match(text, index)
        if escape is not None:
            index = escape.end()
        elif text[index] < 32:
            raise _Stopped("control character (\\u0000-\\u001F) found while parsing a string", index + 1)
        elif index + 1 == len(text):
            raise _Stopped("EOF while parsing a string", index + 1)
        else:
            raise _Stopped("invalid escape", index + 2)
