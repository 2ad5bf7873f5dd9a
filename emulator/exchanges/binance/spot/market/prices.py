"""Latest, best, average and reference prices."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from emulator.core.engine import Engine
from emulator.core.numbers import exact
from emulator.exchanges.binance.errors import refuse
from emulator.exchanges.binance.spot.market.symbols import asked, asked_for
from emulator.exchanges.binance.spot.payloads.market import (
    AveragePrice,
    BookTicker,
    PriceTicker,
    ReferencePrice,
    ReferencePriceCalculation,
)
from emulator.exchanges.binance.vocabulary import (
    SYMBOL,
    SYMBOL_OPTIONAL,
    SYMBOL_STATUS,
    SYMBOLS,
    render_amount,
)
from emulator.web.contract import Call, Rows

rows = Rows()


def _weight(values: Mapping[str, Any]) -> int:
    return 2 if "symbol" in values else 4


@rows.route(
    "GET",
    "/api/v3/ticker/price",
    summary="Symbol price ticker",
    weight=_weight,
    parameters=(SYMBOL_OPTIONAL, SYMBOLS, SYMBOL_STATUS),
    exclusive=(("symbol", "symbols"),),
    answers=PriceTicker | list[PriceTicker],
)
def price_ticker(call: Call) -> PriceTicker | list[PriceTicker]:
    markets = call.engine.state.markets

    def render(symbol: str) -> PriceTicker:
        return {"symbol": symbol, "price": render_amount(markets[symbol].last_price(call.now_us))}

    chosen = asked_for(call)
    with exact():
        if chosen is None:
            return render(asked(call).symbol)
        return [render(instrument.symbol) for instrument in chosen]


@rows.route(
    "GET",
    "/api/v3/ticker/bookTicker",
    summary="Symbol order book ticker",
    weight=_weight,
    parameters=(SYMBOL_OPTIONAL, SYMBOLS, SYMBOL_STATUS),
    exclusive=(("symbol", "symbols"),),
    answers=BookTicker | list[BookTicker],
)
def book_ticker(call: Call) -> BookTicker | list[BookTicker]:
    markets = call.engine.state.markets

    def render(symbol: str) -> BookTicker:
        quote = markets[symbol].quote(call.now_us)
        return {
            "symbol": symbol,
            "bidPrice": render_amount(quote.bid),
            "bidQty": render_amount(quote.bid_quantity),
            "askPrice": render_amount(quote.ask),
            "askQty": render_amount(quote.ask_quantity),
        }

    chosen = asked_for(call)
    with exact():
        if chosen is None:
            return render(asked(call).symbol)
        return [render(instrument.symbol) for instrument in chosen]


@rows.route(
    "GET",
    "/api/v3/avgPrice",
    summary="Current average price",
    weight=2,
    parameters=(SYMBOL,),
    answers=AveragePrice,
)
def average_price(call: Call) -> AveragePrice:
    instrument = asked(call)
    with exact():
        average = read_average(call.engine, instrument.symbol, call.now_us)
        return {
            "mins": average.minutes,
            "price": render_amount(average.price),
            "closeTime": call.render_time(average.last_trade_us),
        }


class Average(NamedTuple):
    """The average of the last minutes, and when the newest trade was."""

    minutes: int
    price: Decimal
    last_trade_us: int


def read_average(engine: Engine, symbol: str, now_us: int) -> Average:
    market = engine.state.markets[symbol]
    return Average(
        market.instrument.reference_minutes,
        market.average_price(now_us),
        market.last_print(now_us).time_us,
    )


@rows.route(
    "GET",
    "/api/v3/referencePrice",
    summary="Query reference price",
    description="No symbol has one: filters compare with the average of avgPrice, so this is always -2043.",
    weight=2,
    parameters=(SYMBOL,),
    answers=ReferencePrice,
)
def reference_price(call: Call) -> ReferencePrice:
    asked(call)
    raise refuse(-2043)


@rows.route(
    "GET",
    "/api/v3/referencePrice/calculation",
    summary="Query reference price calculation",
    description="No symbol has a reference price, so this is always -2043.",
    weight=2,
    parameters=(SYMBOL, SYMBOL_STATUS),
    answers=ReferencePriceCalculation,
)
def reference_price_calculation(call: Call) -> ReferencePriceCalculation:
    asked(call)
    raise refuse(-2043)
