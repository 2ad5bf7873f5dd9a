"""What the endpoints of histories as files answer."""

from __future__ import annotations

from typing import Literal, TypedDict


class DownloadId(TypedDict):
    avgCostTimestampOfLast30d: int
    downloadId: str


class DownloadLink(TypedDict):
    downloadId: str
    status: Literal["processing", "completed"]
    url: str
    notified: bool
    expirationTimestamp: int
    isExpired: str | None
