"""One event of one account, encoded once for all who listen to it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from emulator.web.codec import encode


class AccountEvent:
    """A payload whose times are in microseconds until somebody says in which unit to tell them.

    times: its keys that are times; those that the payload does not have are passed over. The payload
    must not change any more.
    """

    __slots__ = ("_encoded", "_payload", "_times")

    def __init__(self, payload: Mapping[str, Any], times: tuple[str, ...]) -> None:
        self._payload = payload
        self._times = times
        self._encoded: dict[int, bytes] = {}

    @property
    def kind(self) -> str:
        """What it calls itself: executionReport, outboundAccountPosition and so on."""
        kind: str = self._payload["e"]
        return kind

    def encoded(self, divisor: int) -> bytes:
        """The event as JSON. divisor: how many microseconds its unit of time has, 1000 or 1."""
        encoded = self._encoded.get(divisor)
        if encoded is None:
            payload = dict(self._payload)
            for key in self._times:
                if key in payload:
                    payload[key] //= divisor
            encoded = self._encoded[divisor] = encode(payload)
        return encoded
