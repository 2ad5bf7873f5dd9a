"""One payload of a stream, encoded once for all who get it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from emulator.web.codec import encode
from emulator.web.sockets import encode_text

Payload = Mapping[str, Any] | Sequence[Any]

Build = Callable[[int], Payload]
"""Makes the JSON-ready payload. The argument is how many microseconds its unit of time has: 1000 or 1."""

Wrap = Callable[[str, bytes], bytes]
"""Puts the name of its stream around a payload, both as an exchange does it: a function of a module."""


class Message:
    """What one stream says once.

    build: is called when somebody gets the message, which may be much later than the look that it tells
    of: it renders values that were taken then, and reads nothing that changes. At most once per unit
    of time.
    """

    __slots__ = ("_build", "_frames", "_payloads", "stream")

    def __init__(self, stream: str, build: Build) -> None:
        self.stream = stream
        self._build = build
        self._payloads: dict[int, bytes] = {}
        self._frames: dict[tuple[Wrap | None, int], bytes] = {}

    def frame(self, divisor: int, wrap: Wrap | None = None) -> bytes:
        """A WebSocket frame with the payload alone, or with what is put around it."""
        frame = self._frames.get((wrap, divisor))
        if frame is None:
            payload = self.encoded(divisor)
            if wrap is not None:
                payload = wrap(self.stream, payload)
            frame = self._frames[wrap, divisor] = encode_text(payload)
        return frame

    def encoded(self, divisor: int) -> bytes:
        """The payload as JSON."""
        payload = self._payloads.get(divisor)
        if payload is None:
            payload = self._payloads[divisor] = encode(self._build(divisor))
        return payload
