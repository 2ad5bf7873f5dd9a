"""What the public endpoints of futures answer."""

from __future__ import annotations

from typing import TypedDict


class Nothing(TypedDict):
    """An empty object."""


class ServerTime(TypedDict):
    serverTime: int


class RateLimit(TypedDict):
    rateLimitType: str
    interval: str
    intervalNum: int
    limit: int


class MarginAsset(TypedDict):
    asset: str
    marginAvailable: bool
    autoAssetExchange: str


class Contract(TypedDict):
    """What both sites say of a contract; no contract is listed yet."""

    symbol: str
    pair: str


class UsdmExchangeInfo(TypedDict):
    timezone: str
    serverTime: int
    futuresType: str
    rateLimits: list[RateLimit]
    exchangeFilters: list[dict[str, str]]
    assets: list[MarginAsset]
    symbols: list[Contract]


class CoinmExchangeInfo(TypedDict):
    timezone: str
    serverTime: int
    rateLimits: list[RateLimit]
    exchangeFilters: list[dict[str, str]]
    symbols: list[Contract]
