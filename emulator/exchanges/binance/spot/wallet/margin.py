"""Which symbols the exchange trades on margin: clients load the lists with the markets.

Margin trading itself is not emulated; the lists repeat a flag of the listings.
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import blake2b

from emulator.core.instruments import Instrument
from emulator.exchanges.binance.spot.instruments import load
from emulator.exchanges.binance.spot.market.symbols import find, listed
from emulator.exchanges.binance.spot.payloads.wallet import IsolatedMarginPair, MarginPair
from emulator.exchanges.binance.vocabulary import MARKET_DATA, SYMBOL_OPTIONAL
from emulator.web.contract import Call, Rows

rows = Rows()

ID_BYTES = 6
"""Ids of pairs then are below 2^53, so that clients in JavaScript read them as they are."""


def _flagged(call: Call) -> Iterator[Instrument]:
    symbol = call.values.get("symbol")
    chosen = listed(call.engine) if symbol is None else [find(call.engine, symbol)]
    allowed = {listing.symbol for listing in load() if listing.is_margin_allowed}
    return (instrument for instrument in chosen if instrument.symbol in allowed)


@rows.route(
    "GET",
    "/sapi/v1/margin/allPairs",
    summary="Get all cross margin pairs",
    description="Margin orders are not emulated.",
    security=MARKET_DATA,
    reads=False,
    parameters=(SYMBOL_OPTIONAL,),
    answers=list[MarginPair],
)
def cross_pairs(call: Call) -> list[MarginPair]:
    return [
        {
            "base": instrument.base,
            "id": int.from_bytes(blake2b(instrument.symbol.encode(), digest_size=ID_BYTES).digest(), "big"),
            "isBuyAllowed": True,
            "isMarginTrade": True,
            "isSellAllowed": True,
            "quote": instrument.quote,
            "symbol": instrument.symbol,
        }
        for instrument in _flagged(call)
    ]


@rows.route(
    "GET",
    "/sapi/v1/margin/isolated/allPairs",
    summary="Get all isolated margin symbols",
    description="Margin orders are not emulated.",
    security=MARKET_DATA,
    weight=10,
    reads=False,
    parameters=(SYMBOL_OPTIONAL,),
    answers=list[IsolatedMarginPair],
)
def isolated_pairs(call: Call) -> list[IsolatedMarginPair]:
    return [
        {
            "base": instrument.base,
            "isBuyAllowed": True,
            "isMarginTrade": True,
            "isSellAllowed": True,
            "quote": instrument.quote,
            "symbol": instrument.symbol,
        }
        for instrument in _flagged(call)
    ]
