"""Connectivity, time, and the rules of the exchange and its symbols."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from emulator.core.engine import Engine
from emulator.core.instruments import Instrument, Kind
from emulator.exchanges.binance.door import Door
from emulator.exchanges.binance.errors import refuse
from emulator.exchanges.binance.spot.market.filters import listing_of, render_symbol
from emulator.exchanges.binance.spot.market.symbols import asked, asked_for
from emulator.exchanges.binance.spot.parameters import (
    PERMISSION_WORDS,
    PERMISSIONS,
    PERMISSIONS_SHOWN,
    SHOW_PERMISSION_SETS,
    SMART_ROUTED,
)
from emulator.exchanges.binance.spot.payloads.market import (
    ExchangeInfo,
    ExecutionRules,
    Nothing,
    RateLimit,
    ServerTime,
    SmartRouting,
)
from emulator.exchanges.binance.vocabulary import SYMBOL_OPTIONAL, SYMBOL_STATUS, SYMBOLS
from emulator.web.codec import decode, encode
from emulator.web.contract import Call, Rows

rows = Rows()


@rows.route("GET", "/api/v3/ping", summary="Test connectivity", weight=1, reads=False, answers=Nothing)
def ping(call: Call) -> Nothing:
    return {}


@rows.route("GET", "/api/v3/time", summary="Check server time", weight=1, reads=False, answers=ServerTime)
def server_time(call: Call) -> ServerTime:
    return {"serverTime": call.render_time(call.now_us)}


@rows.route(
    "GET",
    "/api/v3/exchangeInfo",
    summary="Exchange information",
    weight=20,
    parameters=(SYMBOL_OPTIONAL, SYMBOLS, PERMISSIONS, SHOW_PERMISSION_SETS, SYMBOL_STATUS),
    exclusive=(("symbol", "symbols", "permissions"), ("symbol", "symbolStatus"), ("symbols", "symbolStatus")),
    answers=ExchangeInfo,
)
def exchange_info(call: Call) -> bytes:
    chosen = asked_for(call)
    if chosen is None:
        chosen = [asked(call)]
    elif "symbols" not in call.values:
        shown = _permissions(call.values.get("permissions"))
        chosen = [instrument for instrument in chosen if _is_permitted(instrument, shown)]
    with_sets = call.values["showPermissionSets"]
    texts = [_encoded(instrument) for instrument in chosen]
    routed = _smart_routing(call.engine)
    return b'{"timezone":"UTC","serverTime":%d,"rateLimits":%b,"exchangeFilters":[],"symbols":[%b]%b}' % (
        call.render_time(call.now_us),
        encode(render_rate_limits(_door(call))),
        b",".join([text.whole if with_sets else text.without_sets for text in texts]),
        b',"sors":' + encode(routed) if routed else b"",
    )


class _Encoded(msgspec.Struct, frozen=True):
    """A symbol as exchangeInfo shows it; the instrument tells whether that still holds."""

    instrument: Instrument
    whole: bytes
    without_sets: bytes


_symbols: dict[str, _Encoded] = {}


def _encoded(instrument: Instrument) -> _Encoded:
    known = _symbols.get(instrument.symbol)
    # Sandboxes share their instruments, unless one of them has rules of its own.
    if known is None or known.instrument is not instrument:
        known = _symbols[instrument.symbol] = _Encoded(
            instrument,
            encode(render_symbol(instrument, shows_permission_sets=True)),
            encode(render_symbol(instrument, shows_permission_sets=False)),
        )
    return known


def _permissions(sent: str | None) -> frozenset[str]:
    if sent is None:
        return PERMISSIONS_SHOWN
    words = frozenset(decode(sent) if sent.startswith("[") else [sent])
    if not words:
        raise refuse(-1105, "permissions")
    if not words.issubset(PERMISSION_WORDS):
        raise refuse(-1130, "permissions")
    return words


def _is_permitted(instrument: Instrument, shown: frozenset[str]) -> bool:
    return any(not shown.isdisjoint(words) for words in listing_of(instrument).permission_sets)


def _smart_routing(engine: Engine) -> list[SmartRouting]:
    traded = engine.instruments
    return [
        {"baseAsset": base, "symbols": list(symbols)}
        for base, symbols in SMART_ROUTED.items()
        if all(symbol in traded and traded[symbol].kind is Kind.SPOT for symbol in symbols)
    ]


def _door(call: Call) -> Door:
    door = call.site.dialect
    assert isinstance(door, Door)
    return door


def render_rate_limits(door: Door) -> list[RateLimit]:
    limits = door.limits
    # Quirk: over a WebSocket, connections are limited where REST limits raw requests (CHANGELOG.md,
    # 2023-08-25).
    raw = ("RAW_REQUESTS", "MINUTE", 5, limits.requests_per_5_minutes)
    connections = ("CONNECTIONS", "MINUTE", 5, limits.connections_per_5_minutes)
    return [
        {"rateLimitType": kind, "interval": interval, "intervalNum": number, "limit": limit}
        for kind, interval, number, limit in (
            ("REQUEST_WEIGHT", "MINUTE", 1, limits.weight_per_minute),
            ("ORDERS", "SECOND", 10, limits.orders_per_10_seconds),
            ("ORDERS", "DAY", 1, limits.orders_per_day),
            connections if door.counts_connections else raw,
        )
    ]


def _execution_rules_weight(values: Mapping[str, Any]) -> int:
    if "symbol" in values:
        return 2
    symbols = values.get("symbols")
    return 40 if symbols is None else min(40, 2 * max(1, len(symbols)))


@rows.route(
    "GET",
    "/api/v3/executionRules",
    summary="Query execution rules",
    description="No symbol has a price range rule here: trades happen at any price that orders may have.",
    weight=_execution_rules_weight,
    parameters=(SYMBOL_OPTIONAL, SYMBOLS, SYMBOL_STATUS),
    exclusive=(("symbol", "symbols", "symbolStatus"),),
    answers=ExecutionRules,
)
def execution_rules(call: Call) -> ExecutionRules:
    chosen = asked_for(call)
    if chosen is None:
        chosen = [asked(call)]
    return {"symbolRules": [{"symbol": instrument.symbol, "rules": []} for instrument in chosen]}
