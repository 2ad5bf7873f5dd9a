"""What index prices are made of, and what assets are worth where all of them stand together as margin."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Final

from emulator.core.numbers import ONE, exact, round_half
from emulator.exchanges.binance.futures.errors import TABLES
from emulator.exchanges.binance.futures.market.tickers import by_symbol
from emulator.exchanges.binance.futures.marks import marks_of
from emulator.exchanges.binance.futures.payloads.market import AssetIndex, CompositeIndex, Constituents
from emulator.exchanges.binance.futures.products import USDM, product_of
from emulator.exchanges.binance.futures.rows import Declared, FuturesRows
from emulator.exchanges.binance.futures.symbols import asked_shown, of_pair
from emulator.exchanges.binance.vocabulary import EIGHT_PLACES, SYMBOL, SYMBOL_OPTIONAL, render_amount
from emulator.web.contract import Call

rows = FuturesRows()

BUFFERS: Mapping[str, Decimal] = MappingProxyType(
    {
        "USDT": Decimal("0.001"),
        "USDC": Decimal("0.001"),
        "BTC": Decimal("0.05"),
        "ETH": Decimal("0.05"),
        "BNB": Decimal("0.05"),
    }
)
"""How far the rates at which an asset counts are from its index, either way. Half of it, where it is sold
or bought by itself. The documents have only examples, of other assets."""

_HALF: Final = Decimal("0.5")


@rows.both(
    "GET",
    "/v1/constituents",
    summary="Query index price constituents",
    description="An index is the price of one pair here. `symbol` is a pair.",
    weight=2,
    parameters=(SYMBOL,),
    answers=Constituents,
    coinm=Declared(weight=1),
)
def constituents(call: Call) -> Constituents:
    product, pair = product_of(call), call.values["symbol"]
    found = [one for one in product.listings.values() if one.pair == pair and one.is_shown(call.now_us)]
    if not found:
        raise TABLES[product].refuse(-1121)
    listing = found[0]
    name = call.instrument = listing.instrument.symbol
    with exact():
        price = marks_of(call.engine, name).index_price(call.now_us)
    quote = "USDT" if listing.instrument.quote == "USD" else listing.instrument.quote
    return {
        "symbol": pair,
        "time": call.render_time(call.now_us),
        "constituents": [
            {
                "exchange": "binance",
                "symbol": listing.row.path + quote,
                "price": render_amount(price),
                "weight": "1.00000000",
            }
        ],
    }


@rows.usdm(
    "GET",
    "/v1/indexInfo",
    summary="Composite index symbol information",
    description="Only of symbols of composite indexes, of which none is listed here.",
    weight=1,
    parameters=(SYMBOL_OPTIONAL,),
    answers=list[CompositeIndex],
)
def composite_index(call: Call) -> list[CompositeIndex]:
    if "symbol" in call.values:
        asked_shown(call)
    return []


@rows.usdm(
    "GET",
    "/v1/assetIndex",
    summary="Asset index",
    weight=by_symbol(1, 10),
    parameters=(SYMBOL_OPTIONAL,),
    answers=AssetIndex | list[AssetIndex],
)
def asset_index(call: Call) -> AssetIndex | list[AssetIndex]:
    with exact():
        if "symbol" in call.values:
            asset = call.values["symbol"].removesuffix("USD")
            if asset + "USD" != call.values["symbol"] or asset not in BUFFERS:
                raise TABLES[USDM].refuse(-1121)
            return _render_asset(call, asset)
        return [_render_asset(call, asset) for asset in BUFFERS]


def asset_price(call: Call, asset: str) -> Decimal:
    """In US dollars, for which a stablecoin stands."""
    if asset in USDM.assets:
        return ONE
    listing = of_pair(USDM, asset + "USDT", call.now_us)[0]
    return marks_of(call.engine, listing.instrument.symbol).index_price(call.now_us)


def _render_asset(call: Call, asset: str) -> AssetIndex:
    index, buffer = asset_price(call, asset), BUFFERS[asset]
    half = buffer * _HALF

    def rate(change: Decimal) -> str:
        return render_amount(round_half(index * (ONE + change), EIGHT_PLACES))

    return {
        "symbol": asset + "USD",
        "time": call.render_time(call.now_us),
        "index": render_amount(index),
        "bidBuffer": render_amount(buffer),
        "askBuffer": render_amount(buffer),
        "bidRate": rate(-buffer),
        "askRate": rate(buffer),
        "autoExchangeBidBuffer": render_amount(half),
        "autoExchangeAskBuffer": render_amount(half),
        "autoExchangeBidRate": rate(-half),
        "autoExchangeAskRate": rate(half),
    }
