"""What every WebSocket API answers beyond what REST does."""

from __future__ import annotations

from typing import TypedDict


class SessionState(TypedDict):
    """apiKey, authorizedSince: None while nobody is logged on. returnRateLimits: what the URL said."""

    apiKey: str | None
    authorizedSince: int | None
    connectedSince: int
    returnRateLimits: bool
    serverTime: int
