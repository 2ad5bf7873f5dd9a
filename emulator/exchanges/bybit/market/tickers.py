"""The latest prices, the best of the book, and the last 24 hours: of the same tape as trades and klines."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from emulator.core.contracts import Contract
from emulator.core.engine import Engine
from emulator.core.numbers import ZERO, divide_half
from emulator.exchanges.bybit.categories import CATEGORIES, OPTION
from emulator.exchanges.bybit.figures import decimal_text, time_text
from emulator.exchanges.bybit.listings import Listing
from emulator.exchanges.bybit.market.figures import EIGHT_PLACES, Figures, figures_of, fixed
from emulator.exchanges.bybit.market.parameters import (
    BASE_COIN,
    CATEGORY,
    NOT_SUPPORTED,
    SYMBOL_INVALID,
    SYMBOL_OPTIONAL,
    asked_listed,
    listed,
)
from emulator.exchanges.bybit.market.prices import dollar_index, interest_now
from emulator.exchanges.bybit.payloads.market import ContractTicker, PairTicker, Tickers
from emulator.exchanges.bybit.refusals import refuse
from emulator.market_data.intervals import DAY_US
from emulator.market_data.marks import MarkReading, marks_of, read_mark
from emulator.market_data.statistics import read_day
from emulator.runtime.sandbox import Sandbox
from emulator.web.contract import Call, Parameter, Rows
from emulator.web.turns import in_turns

rows = Rows()

HOUR_US: Final = 3_600_000_000
YEAR_DAYS: Final = 365
PREDICTED_US: Final = HOUR_US // 2
"""A delivery price is predicted in the half hour over which it is averaged."""

DAY_PLACES: Final = 4
VALUE_PLACES: Final = 2
_SIX_PLACES: Final = Decimal("0.000001")
_FOUR_PLACES: Final = Decimal("0.0001")


@rows.route(
    "GET",
    "/v5/market/tickers",
    summary="Tickers",
    description="Of one symbol, or of all that can be traded.",
    parameters=(CATEGORY, SYMBOL_OPTIONAL, BASE_COIN, Parameter("expDate")),
    answers=Tickers,
)
async def tickers(call: Call) -> Tickers:
    values = call.values
    category = CATEGORIES.get(values["category"])
    if category is None:
        if "symbol" in values:
            raise refuse(10001, text=SYMBOL_INVALID)
        return {"category": OPTION, "list": []}
    if "symbol" in values:
        chosen = [asked_listed(call, text=SYMBOL_INVALID if category.is_derivative else NOT_SUPPORTED)]
    else:
        chosen = listed(category, call.now_us)
    sandbox, engine, now_us = call.sandbox, call.engine, call.now_us
    made = await in_turns(render_ticker(sandbox, engine, listing, now_us) for listing in chosen)
    return {"category": category.name, "list": made}  # type: ignore[typeddict-item]  # all of one kind


def render_ticker(
    sandbox: Sandbox, engine: Engine, listing: Listing, now_us: int
) -> ContractTicker | PairTicker:
    """To be asked inside `exact()`, of what can be traded."""
    if listing.contract is None:
        return render_pair_ticker(engine, listing, now_us)
    return render_contract_ticker(sandbox, engine, listing, listing.contract, now_us)


def price_at(engine: Engine, listing: Listing, time_us: int) -> Decimal | None:
    """Of the last trade until a time; None before the first one."""
    market = engine.state.markets[listing.instrument.symbol]
    found = market.trades(market.trade_count(time_us), 1, time_us)
    return found[0].price if found else None


def render_pair_ticker(engine: Engine, listing: Listing, now_us: int) -> PairTicker:
    instrument = listing.instrument.symbol
    figures = figures_of(listing)
    market = engine.state.markets[instrument]
    quote = market.quote(now_us)
    last, span = market.last_price(now_us), read_day(engine, instrument, now_us).span
    before = price_at(engine, listing, now_us - DAY_US) or last
    worth = dollar_index(engine, listing.base, now_us)
    return {
        "symbol": listing.symbol,
        "bid1Price": figures.price(quote.bid),
        "bid1Size": figures.quantity(quote.bid_quantity),
        "ask1Price": figures.price(quote.ask),
        "ask1Size": figures.quantity(quote.ask_quantity),
        "lastPrice": figures.price(last),
        "prevPrice24h": figures.price(before),
        "price24hPcnt": decimal_text(_change(last, before, _FOUR_PLACES)),
        "highPrice24h": figures.price(span.high or last),
        "lowPrice24h": figures.price(span.low or last),
        "turnover24h": decimal_text(span.quote_volume),
        "volume24h": decimal_text(span.volume),
        "usdIndexPrice": "" if worth is None else decimal_text(worth),
    }


def render_contract_ticker(
    sandbox: Sandbox, engine: Engine, listing: Listing, contract: Contract, now_us: int
) -> ContractTicker:
    instrument = listing.instrument.symbol
    figures = figures_of(listing)
    market = engine.state.markets[instrument]
    reading = read_mark(engine, listing.instrument, now_us)
    quote = market.quote(now_us)
    last, span = market.last_price(now_us), read_day(engine, instrument, now_us).span
    before = price_at(engine, listing, now_us - DAY_US) or last
    an_hour_before = price_at(engine, listing, now_us - HOUR_US) or last
    single = interest_now(sandbox, engine, listing, now_us)
    row = listing.contract_row
    assert row is not None
    rate = reading.rate
    basis, basis_rate, yearly = _basis(figures, contract, reading, last, now_us)
    return {
        "symbol": listing.symbol,
        "lastPrice": figures.price(last),
        "indexPrice": figures.mark(reading.index_price),
        "markPrice": figures.mark(reading.mark_price),
        "prevPrice24h": figures.price(before),
        "price24hPcnt": decimal_text(_change(last, before, _SIX_PLACES)),
        "highPrice24h": figures.price(span.high or last),
        "lowPrice24h": figures.price(span.low or last),
        "prevPrice1h": figures.price(an_hour_before),
        "openInterest": decimal_text(single * 2),
        "openInterestValue": fixed(_worth(listing, single * 2, reading.mark_price), VALUE_PLACES),
        "turnover24h": fixed(figures.turnover(span), DAY_PLACES),
        "volume24h": fixed(span.volume, DAY_PLACES),
        # Quirk: contracts that are delivered have an empty rate, and no time of payment (live answers).
        "fundingRate": "" if rate is None else decimal_text(rate),
        "nextFundingTime": "0" if rate is None else time_text(reading.next_funding_us),
        "predictedDeliveryPrice": _predicted(engine, listing, contract, figures, now_us),
        "basisRate": basis_rate,
        "deliveryFeeRate": "" if contract.delivery_us is None else row.delivery_fee,
        "deliveryTime": "0" if contract.delivery_us is None else time_text(contract.delivery_us),
        "ask1Size": figures.quantity(quote.ask_quantity),
        "bid1Price": figures.price(quote.bid),
        "ask1Price": figures.price(quote.ask),
        "bid1Size": figures.quantity(quote.bid_quantity),
        "basis": basis,
        "preOpenPrice": "",
        "preQty": "",
        "curPreListingPhase": "",
        "fundingIntervalHour": "" if rate is None else str(contract.funding_hours),
        "basisRateYear": yearly,
        "fundingCap": "" if rate is None else row.funding_cap,
        "singleOpenInterest": decimal_text(single),
        "singleOpenInterestValue": fixed(_worth(listing, single, reading.mark_price), VALUE_PLACES),
    }


def _change(last: Decimal, before: Decimal, step: Decimal) -> Decimal:
    """As a fraction."""
    return divide_half(last - before, before, step) if before else ZERO


def _worth(listing: Listing, quantity: Decimal, mark_price: Decimal) -> Decimal:
    if listing.is_inverse:
        return divide_half(quantity, mark_price, EIGHT_PLACES)
    return quantity * mark_price


def _basis(
    figures: Figures, contract: Contract, reading: MarkReading, last: Decimal, now_us: int
) -> tuple[str, str, str]:
    """How far a dated contract is away from its index: in price, as a fraction, and as one of a year."""
    if contract.delivery_us is None:
        return "", "", ""
    basis = last - reading.index_price
    left_us = contract.delivery_us - now_us
    return (
        figures.mark(basis),
        fixed(divide_half(basis, reading.index_price, EIGHT_PLACES), 8),
        fixed(
            divide_half(basis * YEAR_DAYS * DAY_US, reading.index_price * max(left_us, 1), EIGHT_PLACES), 8
        ),
    )


def _predicted(engine: Engine, listing: Listing, contract: Contract, figures: Figures, now_us: int) -> str:
    if contract.delivery_us is None:
        return ""
    if now_us < contract.delivery_us - PREDICTED_US:
        return "0"
    return figures.mark(marks_of(engine, listing.instrument.symbol).settlement_estimate(now_us))
