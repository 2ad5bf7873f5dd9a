"""What was open, and which part of the holders was long: at the moments of a grid, newest first.

What is open now is in `tickers`, with what accounts of the sandbox have; former times are those of the
market's own traders.
"""

from __future__ import annotations

from typing import Final

from emulator.core.numbers import exact
from emulator.exchanges.bybit.cursors import LAST_PAGE, cursor_text, read_cursor
from emulator.exchanges.bybit.figures import decimal_text, time_text
from emulator.exchanges.bybit.listings import Listing
from emulator.exchanges.bybit.market.figures import fixed
from emulator.exchanges.bybit.market.parameters import (
    CONTRACT_CATEGORY,
    CURSOR,
    END_TIME,
    PERIODS_US,
    START_TIME,
    SYMBOL,
    asked,
    check_span,
    limit,
)
from emulator.exchanges.bybit.market.prices import crowd_interest
from emulator.exchanges.bybit.payloads.market import AccountRatios, OpenInterest
from emulator.exchanges.bybit.refusals import refuse_parameter
from emulator.market_data.crowd import shares
from emulator.web.contract import Call, Kind, Parameter, Rows
from emulator.web.turns import in_turns

rows = Rows()

MOMENTS: Final = 50
INTEREST_MAX: Final = 200
RATIO_MAX: Final = 500
SUM_PLACES: Final = 8
CROWD: Final = "accounts"


@rows.route(
    "GET",
    "/v5/market/open-interest",
    summary="Open interest at former times",
    description="What the market's own traders had open; of both sides, and of one.",
    parameters=(
        CONTRACT_CATEGORY,
        SYMBOL,
        Parameter("intervalTime", Kind.CHOICE, required=True, choices=tuple(PERIODS_US)),
        START_TIME,
        END_TIME,
        limit(MOMENTS, INTEREST_MAX),
        CURSOR,
    ),
    answers=OpenInterest,
)
def open_interest(call: Call) -> OpenInterest:
    listing = asked(call)
    moments, following = _moments(call, listing, PERIODS_US[call.values["intervalTime"]])
    with exact():
        singles = [crowd_interest(call.sandbox, listing, time_us) for time_us in moments]
        return {
            "symbol": listing.symbol,
            "category": listing.category,
            "list": [
                {
                    "openInterest": fixed(single * 2, SUM_PLACES),
                    "singleOpenInterest": decimal_text(single),
                    "timestamp": time_text(time_us),
                }
                for time_us, single in zip(moments, singles, strict=True)
            ],
            "nextPageCursor": following,
        }


@rows.route(
    "GET",
    "/v5/market/account-ratio",
    summary="Which part of the holders is long",
    description="Of the market's own traders.",
    parameters=(
        CONTRACT_CATEGORY,
        SYMBOL,
        Parameter("period", Kind.CHOICE, required=True, choices=tuple(PERIODS_US)),
        START_TIME,
        END_TIME,
        limit(MOMENTS, RATIO_MAX),
        CURSOR,
    ),
    answers=AccountRatios,
)
async def account_ratio(call: Call) -> AccountRatios:
    listing = asked(call)
    moments, following = _moments(call, listing, PERIODS_US[call.values["period"]])
    seed, name = call.sandbox.seed, listing.instrument.symbol
    ratios = await in_turns((time_us, shares(seed, name, CROWD, time_us)) for time_us in moments)
    return {
        "list": [
            {
                "symbol": listing.symbol,
                "buyRatio": decimal_text(parts.long),
                "sellRatio": decimal_text(parts.short),
                "timestamp": time_text(time_us),
            }
            for time_us, parts in ratios
        ],
        "nextPageCursor": following,
    }


def _moments(call: Call, listing: Listing, period_us: int) -> tuple[range, str]:
    """The newest moments of a grid that were asked for, newest first, and the cursor of those before."""
    values = call.values
    check_span(values, "startTime", "endTime")
    last_us = min(values.get("endTime", call.now_us), listing.read_us(call.now_us))
    cursor = values.get("cursor")
    if cursor:
        parts = read_cursor(cursor, 2)
        if parts is None or parts[0] != "before" or not (parts[1].isascii() and parts[1].isdecimal()):
            raise refuse_parameter("cursor")
        last_us = min(last_us, int(parts[1]) * 1000 - 1)
    last_us -= last_us % period_us
    # How it was before it was listed cannot be asked for.
    first_us = max(values.get("startTime", 0), listing.launch_us)
    first_us = -(-first_us // period_us) * period_us
    wanted = values["limit"]
    oldest_us = max(first_us, last_us - (wanted - 1) * period_us)
    if oldest_us > last_us:
        return range(0), LAST_PAGE
    following = cursor_text("before", oldest_us // 1000) if oldest_us > first_us else LAST_PAGE
    return range(last_us, oldest_us - 1, -period_us), following
