"""Which host a TLS client means, from the first message that it sends (RFC 8446 §4.1.2, RFC 6066 §3).

It is read before anything answers, because who is not to be answered must not be, and because another
host's connection is passed on as it is.
"""

from __future__ import annotations

HANDSHAKE = 0x16
"""The first byte of what a TLS client sends."""
RECORD_MAX = 16_384 + 5

UNRECOGNIZED_NAME = bytes((0x15, 3, 1, 0, 2, 2, 112))
"""The fatal alert for who asks for a name that is not here."""

_CLIENT_HELLO = 1
_SERVER_NAME = 0
_HOST_NAME = 0


def record_length(begun: bytes) -> int | None:
    """Bytes of the first record, header included; None while its header is not whole."""
    return 5 + int.from_bytes(begun[3:5], "big") if len(begun) >= 5 else None


def server_name(record: bytes) -> str | None:
    """The name in a client's first message, in lower case; None when it names none or is no such message.

    A message that goes on in a second record, which no client sends, is read as far as the first one goes.
    """
    try:
        return _server_name(_Reader(record[5:]))
    except IndexError:
        return None


def _server_name(message: _Reader) -> str | None:
    if message.number(1) != _CLIENT_HELLO:
        return None
    message.skip(3 + 2 + 32)  # Length, version, random.
    message.skip(message.number(1))  # Session.
    message.skip(message.number(2))  # Cipher suites.
    message.skip(message.number(1))  # Compression.
    extensions = message.part(message.number(2))
    while not extensions.is_empty:
        kind = extensions.number(2)
        extension = extensions.part(extensions.number(2))
        if kind != _SERVER_NAME:
            continue
        names = extension.part(extension.number(2))
        if names.number(1) == _HOST_NAME:
            return names.take(names.number(2)).decode("latin-1").lower().rstrip(".")
    return None


class _Reader:
    """Raises IndexError where there is no more to read."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._place = 0

    @property
    def is_empty(self) -> bool:
        return self._place >= len(self._content)

    def take(self, length: int) -> bytes:
        taken = self._content[self._place : self._place + length]
        if len(taken) < length:
            raise IndexError(length)
        self._place += length
        return taken

    def skip(self, length: int) -> None:
        self.take(length)

    def number(self, length: int) -> int:
        return int.from_bytes(self.take(length), "big")

    def part(self, length: int) -> _Reader:
        """The next bytes as a reader of their own; as many as there are of them."""
        taken = _Reader(self._content[self._place : self._place + length])
        self._place += length
        return taken
