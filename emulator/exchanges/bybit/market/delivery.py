"""At what dated contracts were delivered, what an index is made of, and what there is only of options."""

from __future__ import annotations

from typing import Final

from emulator.core.numbers import exact
from emulator.exchanges.bybit.categories import CATEGORIES, LINEAR, OPTION
from emulator.exchanges.bybit.cursors import LAST_PAGE
from emulator.exchanges.bybit.figures import decimal_text, time_text
from emulator.exchanges.bybit.listings import Listing
from emulator.exchanges.bybit.market.figures import figures_of
from emulator.exchanges.bybit.market.instruments import page_of
from emulator.exchanges.bybit.market.parameters import BASE_COIN, CURSOR, SYMBOL_OPTIONAL, asked, limit
from emulator.exchanges.bybit.payloads.market import (
    DeliveryPrices,
    IndexComponents,
    OptionDeliveries,
    Volatility,
)
from emulator.exchanges.bybit.refusals import refuse
from emulator.market_data.marks import marks_of
from emulator.web.contract import Call, Kind, Parameter, Rows
from emulator.web.turns import in_turns

rows = Rows()

PRICES: Final = 50
PRICES_MAX: Final = 200
OPTIONS_ONLY: Final = Parameter("category", Kind.CHOICE, required=True, choices=(OPTION,))


@rows.route(
    "GET",
    "/v5/market/delivery-price",
    summary="At what dated contracts were delivered",
    description="Newest first; of linear ones those that settle in USDC unless said. There are no options.",
    parameters=(
        Parameter("category", Kind.CHOICE, required=True, choices=("linear", "inverse", OPTION)),
        SYMBOL_OPTIONAL,
        BASE_COIN,
        Parameter("settleCoin"),
        limit(PRICES, PRICES_MAX),
        CURSOR,
    ),
    answers=DeliveryPrices,
)
async def delivery_prices(call: Call) -> DeliveryPrices:
    values, now_us = call.values, call.now_us
    category = CATEGORIES.get(values["category"])
    if category is None:
        return {"category": OPTION, "list": [], "nextPageCursor": LAST_PAGE}
    if "symbol" in values:
        chosen = [asked(call)]
    else:
        settle = values.get("settleCoin", "USDC" if category is LINEAR else None)
        chosen = [one for one in category.listings.values() if settle in (None, one.settle)]
    delivered = [one for one in chosen if one.delivery_us is not None and one.delivery_us <= now_us]
    delivered.sort(key=_delivery_us, reverse=True)
    page, following = page_of(delivered, values.get("cursor"), values["limit"])
    engine = call.engine

    def price(listing: Listing) -> str:
        settled = marks_of(engine, listing.instrument.symbol).settlement_price(_delivery_us(listing))
        return figures_of(listing).mark(settled)

    prices = await in_turns(price(listing) for listing in page)
    return {
        "category": category.name,
        "list": [
            {
                "symbol": listing.symbol,
                "deliveryPrice": text,
                "deliveryTime": time_text(_delivery_us(listing)),
            }
            for listing, text in zip(page, prices, strict=True)
        ],
        "nextPageCursor": following,
    }


def _delivery_us(listing: Listing) -> int:
    assert listing.delivery_us is not None
    return listing.delivery_us


@rows.route(
    "GET",
    "/v5/market/index-price-components",
    summary="What an index is made of",
    description="An index here is the price of its pair, which is the only component of it.",
    parameters=(Parameter("indexName", required=True),),
    answers=IndexComponents,
)
def index_components(call: Call) -> IndexComponents:
    name = call.values["indexName"]
    for category in CATEGORIES.values():
        for listing in category.listings.values():
            if listing.is_perpetual and listing.base + listing.quote == name:
                return _components(call, listing, name)
    raise refuse(10001, "indexName", text="params error: %s invalid")


def _components(call: Call, listing: Listing, name: str) -> IndexComponents:
    call.instrument = listing.instrument.symbol
    with exact():
        price = decimal_text(marks_of(call.engine, listing.instrument.symbol).index_price(call.now_us))
    times = "1000" if "1000" in listing.base else "1"
    return {
        "indexName": name,
        "lastPrice": price,
        "updateTime": time_text(call.now_us // 1_000_000 * 1_000_000),
        "components": [
            {
                "exchange": "Bybit",
                "spotPair": name.replace("1000", ""),
                "equivalentPrice": price,
                "multiplier": times,
                "price": price,
                "weight": "1",
            }
        ],
    }


@rows.route(
    "GET",
    "/v5/market/new-delivery-price",
    summary="At what options were delivered: there are none",
    parameters=(OPTIONS_ONLY, BASE_COIN.but(required=True), Parameter("settleCoin")),
    answers=OptionDeliveries,
)
def option_deliveries(call: Call) -> OptionDeliveries:
    return {"category": OPTION, "list": []}


@rows.route(
    "GET",
    "/v5/market/historical-volatility",
    summary="Volatility of options: there are none",
    parameters=(
        OPTIONS_ONLY,
        BASE_COIN,
        Parameter("quoteCoin", Kind.CHOICE, choices=("USD", "USDT")),
        Parameter("period", Kind.INTEGER),
        Parameter("startTime", Kind.TIME),
        Parameter("endTime", Kind.TIME),
    ),
    answers=list[Volatility],
)
def historical_volatility(call: Call) -> list[Volatility]:
    return []
