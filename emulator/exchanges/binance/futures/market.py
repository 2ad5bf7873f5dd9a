"""What both futures sites say of themselves: ping, time and exchangeInfo."""

from __future__ import annotations

from emulator.exchanges.binance.futures.payloads.market import (
    CoinmExchangeInfo,
    Nothing,
    RateLimit,
    ServerTime,
    UsdmExchangeInfo,
)
from emulator.exchanges.binance.futures.rows import FuturesRows
from emulator.web.contract import Call

REQUESTS_PER_MINUTE = 2400
ORDERS_PER_MINUTE = 1200
ORDERS_PER_10_SECONDS = 300

rows = FuturesRows()


@rows.both("GET", "/v1/ping", summary="Test connectivity", weight=1, reads=False, answers=Nothing)
def ping(call: Call) -> Nothing:
    return {}


@rows.both("GET", "/v1/time", summary="Check server time", weight=1, reads=False, answers=ServerTime)
def server_time(call: Call) -> ServerTime:
    return {"serverTime": call.render_time(call.now_us)}


@rows.usdm(
    "GET",
    "/v1/exchangeInfo",
    summary="Exchange information",
    description="No contract is listed: futures are not emulated yet.",
    weight=1,
    reads=False,
    answers=UsdmExchangeInfo,
)
def usdm_exchange_info(call: Call) -> UsdmExchangeInfo:
    return {
        "timezone": "UTC",
        "serverTime": call.render_time(call.now_us),
        "futuresType": "U_MARGINED",
        "rateLimits": _rate_limits(),
        "exchangeFilters": [],
        "assets": [],
        "symbols": [],
    }


@rows.coinm(
    "GET",
    "/v1/exchangeInfo",
    summary="Exchange information",
    description="No contract is listed: futures are not emulated yet.",
    weight=1,
    reads=False,
    answers=CoinmExchangeInfo,
)
def coinm_exchange_info(call: Call) -> CoinmExchangeInfo:
    return {
        "timezone": "UTC",
        "serverTime": call.render_time(call.now_us),
        "rateLimits": _rate_limits(),
        "exchangeFilters": [],
        "symbols": [],
    }


def _rate_limits() -> list[RateLimit]:
    return [
        {
            "rateLimitType": kind,
            "interval": interval,
            "intervalNum": number,
            "limit": limit,
        }
        for kind, interval, number, limit in (
            ("REQUEST_WEIGHT", "MINUTE", 1, REQUESTS_PER_MINUTE),
            ("ORDERS", "MINUTE", 1, ORDERS_PER_MINUTE),
            ("ORDERS", "SECOND", 10, ORDERS_PER_10_SECONDS),
        )
    ]
