"""What the server remembers of requests: how many there were, and the last ones without their secrets."""

from __future__ import annotations

from collections import deque
from typing import Any
from urllib.parse import unquote

RECORDS_MAX = 1000
RECORDED_BYTES_MAX = 2000


class Counts:
    """What the server has seen since it started."""

    __slots__ = ("defects", "refusals", "requests")

    def __init__(self) -> None:
        self.requests = 0
        self.refusals = 0
        self.defects = 0

    def note_defect(self) -> None:
        """A session of a WebSocket failed by one; a request is counted where it is answered."""
        self.defects += 1


class Recorder:
    """The last requests, as they came. Keeping one is a tuple and an append; masking waits for a reader."""

    def __init__(self, capacity: int = RECORDS_MAX) -> None:
        self._kept: deque[tuple[Any, ...]] = deque(maxlen=capacity)

    def note(self, *record: Any) -> None:
        """time_us, method, path, query, body, site, sandbox, status, code, duration_us, account, key."""
        self._kept.append(record)

    def clear(self) -> None:
        self._kept.clear()

    def read(self, limit: int = RECORDS_MAX) -> list[dict[str, Any]]:
        """The newest `limit` requests, oldest first, without secrets, passphrases and signatures."""
        kept = list(self._kept)[-limit:] if limit > 0 else []
        return [
            {
                "timeUs": time_us,
                "method": method,
                "path": path,
                "query": mask_pairs(query),
                "body": mask_pairs(body),
                "site": site,
                "sandbox": sandbox,
                "status": status,
                "code": code,
                "durationUs": duration_us,
                "account": account or None,
                "key": mask_key(key),
            }
            for (
                time_us,
                method,
                path,
                query,
                body,
                site,
                sandbox,
                status,
                code,
                duration_us,
                account,
                key,
            ) in kept
        ]


_MASKED = frozenset({"signature", "secret", "passphrase", "apisecret", "token", "sign", "password"})


def mask_pairs(raw: bytes) -> str:
    """A query or form as text, with the values of what is nobody else's business replaced."""
    text = raw[:RECORDED_BYTES_MAX].decode(errors="replace")
    if "=" not in text or text.startswith(("{", "[")):
        # Not a form, so nothing tells a name from a value: all of it, or nothing.
        return text if not any(word in text.lower() for word in _MASKED) else "***"
    pieces = []
    for piece in text.split("&"):
        name, equals, value = piece.partition("=")
        if unquote(name).lower() in _MASKED:
            value = "***"
        elif unquote(name).lower() in ("apikey", "key"):
            value = mask_key(value.encode()) or ""
        pieces.append(name + equals + value)
    return "&".join(pieces)


def mask_key(key: bytes | None) -> str | None:
    """The first letters of a key, enough to tell which of one's own it was."""
    if key is None:
        return None
    text = key[:64].decode("latin-1")
    return text[:6] + "…" if len(text) > 6 else "…"
