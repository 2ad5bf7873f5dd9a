"""Mark and index prices with the coming funding rate, and the payments that were."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

from emulator.core.contracts import FundingRule, MarkRule
from emulator.core.numbers import decimals
from emulator.exchanges.binance.futures.door import FUNDING_POOL
from emulator.exchanges.binance.futures.listings import Listing
from emulator.exchanges.binance.futures.market.tickers import SYMBOL_OR_PAIR, by_symbol
from emulator.exchanges.binance.futures.parameters import PAIR_OPTIONAL, check_order, limit
from emulator.exchanges.binance.futures.payloads.market import (
    CoinmFundingRate,
    CoinmPremium,
    FundingInfo,
    UsdmFundingRate,
    UsdmPremium,
)
from emulator.exchanges.binance.futures.products import PRODUCTS, product_of
from emulator.exchanges.binance.futures.rows import Declared, FuturesRows
from emulator.exchanges.binance.futures.symbols import asked_for, asked_shown, shown
from emulator.exchanges.binance.vocabulary import (
    END_TIME,
    START_TIME,
    SYMBOL,
    SYMBOL_OPTIONAL,
    render_amount,
    render_places,
)
from emulator.market_data.marks import FundingReading, payment_times, read_mark, read_payment
from emulator.web.contract import Call
from emulator.web.turns import in_turns

rows = FuturesRows()

T = TypeVar("T")

SECOND_MS: Final = 1000
PAYMENTS: Final = 100
PAYMENTS_WITHOUT_TIMES: Final = 200
PAYMENTS_MAX: Final = 1000
PAYMENT_LIMIT: Final = limit(PAYMENTS, PAYMENTS_MAX).but(
    default=None, description="100 unless said, 200 where neither time is said either."
)


@rows.usdm(
    "GET",
    "/v1/premiumIndex",
    summary="Mark price",
    description="The funding rate is that of the coming payment, as it would be now.",
    weight=by_symbol(1, 10),
    parameters=(SYMBOL_OPTIONAL,),
    answers=UsdmPremium | list[UsdmPremium],
)
async def usdm_premium(call: Call) -> UsdmPremium | list[UsdmPremium]:
    chosen = asked_for(call)
    premiums = await in_turns(_usdm_premium(call, listing) for listing in chosen)
    return premiums[0] if "symbol" in call.values else premiums


@rows.coinm(
    "GET",
    "/v1/premiumIndex",
    summary="Index price and mark price",
    description="The funding rate is that of the coming payment, as it would be now.",
    weight=10,
    parameters=(SYMBOL_OPTIONAL, PAIR_OPTIONAL),
    exclusive=SYMBOL_OR_PAIR,
    answers=list[CoinmPremium],
)
async def coinm_premium(call: Call) -> list[CoinmPremium]:
    return await in_turns(_coinm_premium(call, listing) for listing in asked_for(call))


def _usdm_premium(call: Call, listing: Listing) -> UsdmPremium:
    premium = _coinm_premium(call, listing)
    return {
        "symbol": premium["symbol"],
        "markPrice": premium["markPrice"],
        "indexPrice": premium["indexPrice"],
        "estimatedSettlePrice": premium["estimatedSettlePrice"],
        "lastFundingRate": premium["lastFundingRate"],
        "interestRate": premium["interestRate"],
        "nextFundingTime": premium["nextFundingTime"],
        "time": premium["time"],
    }


def _coinm_premium(call: Call, listing: Listing) -> CoinmPremium:
    now_us = listing.read_us(call.now_us)
    reading = read_mark(call.engine, listing.instrument, now_us)
    is_paid = reading.rate is not None
    return {
        "symbol": listing.symbol,
        "pair": listing.pair,
        "markPrice": render_amount(reading.mark_price),
        "indexPrice": render_amount(reading.index_price),
        "estimatedSettlePrice": render_amount(reading.settled_price),
        # Quirk: contracts that are delivered have empty rates and no time of payment; and the rate that is
        # called the last is that of the coming payment (COIN-M, "Index Price and Mark Price"; live answers).
        "lastFundingRate": "" if reading.rate is None else render_amount(reading.rate),
        "interestRate": render_amount(_funding_rule(listing).interest) if is_paid else "",
        "nextFundingTime": reading.next_funding_us // 1000,
        # Marks change at whole seconds.
        "time": now_us // 1000 // SECOND_MS * SECOND_MS,
    }


def _funding_rule(listing: Listing) -> FundingRule:
    marking = listing.contract.marking
    assert isinstance(marking, MarkRule)
    return marking.funding


# Payments


@rows.usdm(
    "GET",
    "/v1/fundingRate",
    summary="Get funding rate history",
    pool=FUNDING_POOL,
    weight=1,
    parameters=(SYMBOL_OPTIONAL, START_TIME, END_TIME, PAYMENT_LIMIT),
    answers=list[UsdmFundingRate],
)
async def usdm_funding_rate(call: Call) -> list[UsdmFundingRate]:
    if "symbol" in call.values:
        chosen = [asked_shown(call)]
    else:
        chosen = shown(product_of(call), call.now_us)
    return await _payments(call, chosen, _usdm_payment)


def _usdm_payment(listing: Listing, payment: FundingReading) -> UsdmFundingRate:
    return {
        "symbol": listing.symbol,
        "fundingTime": payment.time_us // 1000,
        "fundingRate": render_amount(payment.rate),
        "markPrice": render_amount(payment.mark_price),
        "rateType": "Regular",
    }


@rows.coinm(
    "GET",
    "/v1/fundingRate",
    summary="Get funding rate history of perpetual futures",
    weight=1,
    parameters=(SYMBOL, START_TIME, END_TIME, limit(PAYMENTS, PAYMENTS_MAX)),
    answers=list[CoinmFundingRate],
)
async def coinm_funding_rate(call: Call) -> list[CoinmFundingRate]:
    return await _payments(call, [asked_shown(call)], _coinm_payment)


def _coinm_payment(listing: Listing, payment: FundingReading) -> CoinmFundingRate:
    return {
        "symbol": listing.symbol,
        "fundingTime": payment.time_us // 1000,
        "fundingRate": render_amount(payment.rate),
    }


async def _payments(
    call: Call, listings: list[Listing], render: Callable[[Listing, FundingReading], T]
) -> list[T]:
    """Of all these contracts together, in order of time: with a start the oldest, else the newest."""
    values, engine = call.values, call.engine
    check_order(product_of(call), values)
    start_us, end_us = values.get("startTime"), values.get("endTime")
    wanted = values.get("limit")
    if wanted is None:
        wanted = PAYMENTS_WITHOUT_TIMES if start_us is None and end_us is None else PAYMENTS
    until_us = call.now_us if end_us is None else min(end_us, call.now_us)
    of_each = await in_turns(
        (listing, payment_times(engine, listing.instrument, start_us=start_us, end_us=until_us, limit=wanted))
        for listing in listings
    )
    times = [(time_us, listing) for listing, listed in of_each for time_us in listed]
    times.sort(key=lambda one: one[0])
    chosen = times[:wanted] if start_us is not None else times[-wanted:]
    return await in_turns(
        render(listing, read_payment(engine, listing.instrument, time_us)) for time_us, listing in chosen
    )


@rows.both(
    "GET",
    "/v1/fundingInfo",
    summary="Get funding rate info",
    description="Of the perpetuals of both products.",
    weight=1,
    answers=list[FundingInfo],
    usdm=Declared(pool=FUNDING_POOL),
)
def funding_info(call: Call) -> list[FundingInfo]:
    # Quirk: fundingInfo passes over `symbol`, and tells of the contracts of both products; those whose
    # limits follow from their margin rates come last, with a disclaimer and fewer places (live answers).
    perpetuals = [
        listing
        for product in PRODUCTS.values()
        for listing in shown(product, call.now_us)
        if listing.is_perpetual
    ]
    perpetuals.sort(key=lambda listing: listing.row.funding_disclaimer)
    return [_info(listing) for listing in perpetuals]


def _info(listing: Listing) -> FundingInfo:
    rule, disclaimer = _funding_rule(listing), listing.row.funding_disclaimer
    assert rule.cap is not None
    assert rule.floor is not None
    places = max(5, decimals(rule.cap)) if disclaimer else 8
    return {
        "symbol": listing.symbol,
        "adjustedFundingRateCap": render_places(rule.cap, places),
        "adjustedFundingRateFloor": render_places(rule.floor, places),
        "fundingIntervalHours": listing.contract.funding_hours,
        "disclaimer": disclaimer,
    }
