"""What index prices are made of, and what assets are worth where all of them stand together as margin."""

from __future__ import annotations

from emulator.core.numbers import exact
from emulator.exchanges.binance.futures.assets import BUFFERS, read_asset
from emulator.exchanges.binance.futures.market.tickers import by_symbol
from emulator.exchanges.binance.futures.payloads.market import AssetIndex, CompositeIndex, Constituents
from emulator.exchanges.binance.futures.products import USDM, product_of
from emulator.exchanges.binance.futures.refusals import TABLES
from emulator.exchanges.binance.futures.rows import Declared, FuturesRows
from emulator.exchanges.binance.futures.symbols import asked_shown
from emulator.exchanges.binance.vocabulary import SYMBOL, SYMBOL_OPTIONAL, render_amount
from emulator.market_data.marks import marks_of
from emulator.web.contract import Call

rows = FuturesRows()


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


def _render_asset(call: Call, asset: str) -> AssetIndex:
    one = read_asset(call.engine, asset, call.now_us)
    buffer, exchanged = one.buffer, one.exchanged
    return {
        "symbol": one.symbol,
        "time": call.render_time(call.now_us),
        "index": render_amount(one.price),
        "bidBuffer": render_amount(buffer),
        "askBuffer": render_amount(buffer),
        "bidRate": render_amount(one.rate(-buffer)),
        "askRate": render_amount(one.rate(buffer)),
        "autoExchangeBidBuffer": render_amount(exchanged),
        "autoExchangeAskBuffer": render_amount(exchanged),
        "autoExchangeBidRate": render_amount(one.rate(-exchanged)),
        "autoExchangeAskRate": render_amount(one.rate(exchanged)),
    }
