"""What both futures sites say of themselves: ping, time and exchangeInfo."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from emulator.core.instruments import Instrument
from emulator.exchanges.binance.futures.assets import AUTO_EXCHANGE
from emulator.exchanges.binance.futures.door import LIMITS
from emulator.exchanges.binance.futures.market.contracts import render_coinm_contract, render_usdm_contract
from emulator.exchanges.binance.futures.payloads.market import (
    CoinmExchangeInfo,
    MarginAsset,
    Nothing,
    RateLimit,
    ServerTime,
    UsdmExchangeInfo,
)
from emulator.exchanges.binance.futures.products import USDM, product_of
from emulator.exchanges.binance.futures.rows import FuturesRows
from emulator.exchanges.binance.futures.symbols import shown
from emulator.web.codec import encode
from emulator.web.contract import Call

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
    description="A contract that was delivered is shown for another hour. A symbol cannot be chosen.",
    weight=1,
    answers=UsdmExchangeInfo,
)
def usdm_exchange_info(call: Call) -> bytes:
    # Quirk: exchangeInfo of futures passes over `symbol`, known or not, and shows all (live answers).
    return (
        b'{"timezone":"UTC","serverTime":%d,"futuresType":"U_MARGINED","rateLimits":%b,"exchangeFilters":[],'
        b'"assets":%b,"symbols":[%b]}'
        % (call.render_time(call.now_us), _RATE_LIMITS, _ASSETS, _contracts(call))
    )


@rows.coinm(
    "GET",
    "/v1/exchangeInfo",
    summary="Exchange information",
    description="A contract that was delivered is shown for another hour. A symbol cannot be chosen.",
    weight=1,
    answers=CoinmExchangeInfo,
)
def coinm_exchange_info(call: Call) -> bytes:
    return b'{"timezone":"UTC","serverTime":%d,"rateLimits":%b,"exchangeFilters":[],"symbols":[%b]}' % (
        call.render_time(call.now_us),
        _RATE_LIMITS,
        _contracts(call),
    )


class _Encoded(NamedTuple):
    """A contract as exchangeInfo shows it, which holds for this instrument and this type."""

    instrument: Instrument
    contract_type: str
    text: bytes


_encoded: Final[dict[str, _Encoded]] = {}


def _contracts(call: Call) -> bytes:
    now_us, product = call.now_us, product_of(call)
    render: Any = render_usdm_contract if product is USDM else render_coinm_contract
    instruments = call.engine.instruments
    texts: list[bytes] = []
    for listing in shown(product, now_us):
        name = listing.instrument.symbol
        instrument, contract_type = instruments[name], listing.contract_type(now_us)
        known = _encoded.get(name)
        # Sandboxes share their instruments, unless one of them has rules of its own.
        if known is None or known.instrument is not instrument or known.contract_type != contract_type:
            text = encode(render(listing, instrument, now_us))
            known = _encoded[name] = _Encoded(instrument, contract_type, text)
        texts.append(known.text)
    return b",".join(texts)


def render_rate_limits() -> list[RateLimit]:
    return [
        {"rateLimitType": kind, "interval": interval, "intervalNum": number, "limit": limit}
        for kind, interval, number, limit in (
            ("REQUEST_WEIGHT", "MINUTE", 1, LIMITS.weight_per_minute),
            ("ORDERS", "MINUTE", 1, LIMITS.orders_per_minute),
            ("ORDERS", "SECOND", 10, LIMITS.orders_per_10_seconds),
        )
    ]


def _assets() -> list[MarginAsset]:
    return [
        {"asset": asset, "marginAvailable": True, "autoAssetExchange": amount}
        for asset, amount in AUTO_EXCHANGE.items()
    ]


_RATE_LIMITS: Final = encode(render_rate_limits())
_ASSETS: Final = encode(_assets())
