"""Heads of requests whose header lines were read before.

Clients send the same lines with every request, of which the parser calls back for each one. So what it
made of a block of lines is remembered, and where the next request has the very same bytes, only its first
line is read anew. Nothing is remembered but blocks that say the same when they are simply split at their
colons, and whose requests end with what `content-length` says.
"""

from __future__ import annotations

import re
from typing import Final

import msgspec

REQUEST_LINE: Final = re.compile(
    rb"(GET|POST|PUT|DELETE) (/[!-\"$&->@-~]{0,200})(?:\?([!-\"$-~]{0,16384}))? HTTP/1\.1\r\n"
).match
"""One of plain letters: method, path and query."""

BLOCK_MAX: Final = 2048
_BLOCKS_MAX: Final = 1024
_SEEN_MAX: Final = 8192

_ELSE: Final = frozenset({b"transfer-encoding", b"upgrade", b"expect"})
"""Lines with which a request is more than its head and so many bytes."""


class Lines(msgspec.Struct, frozen=True):
    """What a block of header lines says. length: of the body behind it."""

    headers: dict[bytes, bytes]
    host: bytes
    length: int


class KnownLines:
    """Blocks by what they say: those that came at least twice, a bounded number of them."""

    __slots__ = ("_blocks", "_seen", "get")

    def __init__(self) -> None:
        self._blocks: dict[bytes, Lines] = {}
        self._seen: set[int] = set()
        self.get = self._blocks.get
        """What a block says, if that is known. No method, because it is asked about every request."""

    def learn(self, received: bytes, headers: list[tuple[bytes, bytes]], length_max: int) -> None:
        """Note what the parser made of the head with which `received` begins: names in lower case, values.

        The request is kept alive, asks for no other protocol, and is no longer than `length_max`.
        """
        line = REQUEST_LINE(received)
        if line is None:
            return
        block = received[line.end() : received.find(b"\r\n\r\n")]
        if len(block) > BLOCK_MAX or not self._came_before(block):
            return
        values = dict(headers)
        length = values.get(b"content-length", b"0")
        if _split(block) != headers or len(values) < len(headers) or not _ELSE.isdisjoint(values):
            return
        if length.isdigit() and int(length) <= length_max:
            if len(self._blocks) >= _BLOCKS_MAX:
                self._blocks.clear()
            self._blocks[block] = Lines(values, values.get(b"host", b""), int(length))

    def _came_before(self, block: bytes) -> bool:
        # A client that numbers its requests in a header would fill everything with what never comes again.
        known = hash(block)
        if known in self._seen:
            return True
        if len(self._seen) >= _SEEN_MAX:
            self._seen.clear()
        self._seen.add(known)
        return False


def _split(block: bytes) -> list[tuple[bytes, bytes]]:
    pieces = [line.partition(b":") for line in block.split(b"\r\n")]
    return [(name.lower(), value.strip(b" \t")) for name, _, value in pieces]
