"""How far a limit order's price may be away."""

from __future__ import annotations

from emulator.core.numbers import exact
from emulator.exchanges.bybit.categories import LINEAR
from emulator.exchanges.bybit.figures import time_text
from emulator.exchanges.bybit.market.figures import figures_of
from emulator.exchanges.bybit.market.parameters import SYMBOL, asked_listed
from emulator.exchanges.bybit.market.prices import read_price_limit
from emulator.exchanges.bybit.payloads.market import PriceLimits
from emulator.web.contract import Call, Kind, Parameter, Rows

rows = Rows()


@rows.route(
    "GET",
    "/v5/market/price-limit",
    summary="The highest price of a buy, and the lowest of a sell",
    parameters=(
        Parameter("category", Kind.CHOICE, choices=("spot", "linear", "inverse"), default=LINEAR.name),
        SYMBOL,
    ),
    answers=PriceLimits,
)
def price_limit(call: Call) -> PriceLimits:
    listing = asked_listed(call)
    figures = figures_of(listing)
    with exact():
        limit = read_price_limit(call.engine, listing, call.now_us)
        return {
            "symbol": listing.symbol,
            "buyLmt": figures.price(limit.highest_bid),
            "sellLmt": figures.price(limit.lowest_ask),
            "ts": time_text(call.now_us),
        }
