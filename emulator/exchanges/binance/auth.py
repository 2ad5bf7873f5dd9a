"""Who asks: keys, signatures and timestamps (rest-api.md, "Request Security").

The payload is the raw query followed by the raw body without a separator, with the `signature`
parameter taken out wherever it stands. It is verified over the bytes as they came, never over
parsed and re-encoded parameters.
"""

from __future__ import annotations

import re
from decimal import Decimal

from emulator.exchanges.binance.refusals import AHEAD_OF_SERVER, ErrorTable
from emulator.runtime.ports import KeyRecord

KEY_PATTERN = re.compile(r"[A-Za-z0-9_-]{1,128}")
"""Real keys have 64 letters and digits; keys of this emulator may be shorter and have hyphens."""

RECV_WINDOW_DEFAULT_MS = Decimal(5000)
RECV_WINDOW_MAX_MS = Decimal(60_000)
AHEAD_MAX_US = 1_000_000

MICROSECONDS_FROM = 100_000_000_000_000
"""A timestamp from here on is in microseconds: as milliseconds it would lie in the year 5138."""


def to_microseconds(timestamp: int) -> int:
    """A request's timestamp in microseconds; its unit is told by its magnitude."""
    # Quirk: times in requests are milliseconds or microseconds, and nothing says which (rest-api.md,
    # "General API Information").
    return timestamp if timestamp >= MICROSECONDS_FROM else timestamp * 1000


def check_timestamp(timestamp_us: int, window_ms: Decimal, server_us: int, errors: ErrorTable) -> None:
    """Raises -1131 and -1021 as the documents' pseudo-code says."""
    if window_ms > RECV_WINDOW_MAX_MS:
        raise errors.refuse(-1131)
    # Quirk: a timestamp may be up to a second ahead of the server, whatever the recvWindow, which only
    # counts backwards (rest-api.md, "Timing security").
    if timestamp_us >= server_us + AHEAD_MAX_US:
        raise errors.refuse(-1021, text=AHEAD_OF_SERVER)
    if server_us - timestamp_us > window_ms * 1000:
        raise errors.refuse(-1021)


def unsigned(raw: bytes) -> bytes:
    """A query or a body without its `signature` parameter."""
    before, found, signature = raw.partition(b"&signature=")
    if found:
        _, further, behind = signature.partition(b"&")
        return before + further + behind if further else before
    if raw.startswith(b"signature="):
        end = raw.find(b"&")
        return b"" if end < 0 else raw[end + 1 :]
    return raw


def permits(record: KeyRecord, permission: str | None) -> bool:
    """Whether a key may do what a row asks for; a key without any permission named may do all."""
    return permission is None or not record.permissions or permission in record.permissions
