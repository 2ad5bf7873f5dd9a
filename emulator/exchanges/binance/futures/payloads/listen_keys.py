"""What the endpoints of listen keys answer."""

from __future__ import annotations

from typing import TypedDict


class GivenListenKey(TypedDict):
    listenKey: str
