"""Funding payments that were, newest first."""

from __future__ import annotations

from typing import Final

from emulator.exchanges.bybit.figures import decimal_text, time_text
from emulator.exchanges.bybit.market.parameters import (
    CONTRACT_CATEGORY,
    END_TIME,
    START_TIME,
    SYMBOL,
    asked,
    check_span,
    limit,
)
from emulator.exchanges.bybit.payloads.market import FundingHistory
from emulator.exchanges.bybit.refusals import refuse_parameter
from emulator.market_data.marks import payment_times, read_payment
from emulator.web.contract import Call, Rows
from emulator.web.turns import in_turns

rows = Rows()

PAYMENTS_MAX: Final = 200


@rows.route(
    "GET",
    "/v5/market/funding/history",
    summary="Funding rate history",
    description="The newest until the end, or until now.",
    parameters=(CONTRACT_CATEGORY, SYMBOL, START_TIME, END_TIME, limit(PAYMENTS_MAX, PAYMENTS_MAX)),
    answers=FundingHistory,
)
async def funding_history(call: Call) -> FundingHistory:
    values = call.values
    listing = asked(call)
    start_us, end_us = values.get("startTime"), values.get("endTime")
    if start_us is not None and end_us is None:
        # Quirk: a start without an end is an error ("Get Funding Rate History").
        raise refuse_parameter("endTime")
    check_span(values, "startTime", "endTime")
    engine, now_us = call.engine, listing.read_us(call.now_us)
    until_us = now_us if end_us is None else min(end_us, now_us)
    times = payment_times(engine, listing.instrument, start_us=None, end_us=until_us, limit=values["limit"])
    chosen = [time_us for time_us in reversed(times) if start_us is None or time_us >= start_us]
    payments = await in_turns(read_payment(engine, listing.instrument, time_us) for time_us in chosen)
    return {
        "category": listing.category,
        "list": [
            {
                "symbol": listing.symbol,
                "fundingRate": decimal_text(payment.rate),
                "fundingRateTimestamp": time_text(payment.time_us),
            }
            for payment in payments
        ],
    }
