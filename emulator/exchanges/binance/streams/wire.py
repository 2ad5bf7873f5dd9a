"""How a payload looks on a socket of the market streams."""

from __future__ import annotations

from emulator.web.codec import encode


def combined(stream: str, payload: bytes) -> bytes:
    """A payload with the name of its stream around it."""
    return b'{"stream":%b,"data":%b}' % (encode(stream), payload)
