"""What every client of the futures sites asks for at its start: ping, time and exchangeInfo.

Futures are not traded yet, so no contract is listed. Clients of the spot site ask all the same:
ccxt loads the markets of all three sites, and one that fails fails them all.
"""

from __future__ import annotations

from emulator.exchanges.binance.futures.payloads import (
    CoinmExchangeInfo,
    Nothing,
    RateLimit,
    ServerTime,
    UsdmExchangeInfo,
)
from emulator.web.contract import Call, NotEmulated, Rows

REQUESTS_PER_MINUTE = 2400
ORDERS_PER_MINUTE = 1200
ORDERS_PER_10_SECONDS = 300

NOT_YET = "futures are not emulated yet"

usdm_rows = Rows()
coinm_rows = Rows()

usdm_not_emulated = (
    NotEmulated("*", "/fapi/*", NOT_YET),
    NotEmulated("*", "/futures/data/*", NOT_YET),
)
coinm_not_emulated = (
    NotEmulated("*", "/dapi/*", NOT_YET),
    NotEmulated("*", "/futures/data/*", NOT_YET),
)


@usdm_rows.route("GET", "/fapi/v1/ping", summary="Test connectivity", weight=1, reads=False, answers=Nothing)
@coinm_rows.route("GET", "/dapi/v1/ping", summary="Test connectivity", weight=1, reads=False, answers=Nothing)
def ping(call: Call) -> Nothing:
    return {}


@usdm_rows.route(
    "GET", "/fapi/v1/time", summary="Check server time", weight=1, reads=False, answers=ServerTime
)
@coinm_rows.route(
    "GET", "/dapi/v1/time", summary="Check server time", weight=1, reads=False, answers=ServerTime
)
def server_time(call: Call) -> ServerTime:
    return {"serverTime": call.render_time(call.now_us)}


@usdm_rows.route(
    "GET",
    "/fapi/v1/exchangeInfo",
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


@coinm_rows.route(
    "GET",
    "/dapi/v1/exchangeInfo",
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
