"""The ledger of refusals: of every code, engine text and filter that the documents name, either a request
that is refused so, or why no client of this emulator gets it.

Codes and texts are those of errors.md, filters those of filters.md; codes of the wallet those of its own
error list. What a single endpoint makes of its parameters is tested beside that endpoint.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import pytest

from emulator.exchanges.binance import errors
from emulator.exchanges.binance.spot.wallet import words
from tests.exchanges.binance.building import Building
from tests.exchanges.binance.error_scenes import CASES, Case
from tests.exchanges.binance.error_scenes.case import BTC
from tests.exchanges.binance.test_order_lists import KINDS
from tests.exchanges.binance.trading_floor import (
    MINUTE_US,
)

pytestmark = pytest.mark.anyio

# What nobody gets, and why

_STREAMS = "of subscriptions to user data, over the WebSocket API only (`test_ws_api_user_data`)"
_FIX = "of the FIX API, which is not emulated"
_SBE = "of SBE encoding, which is not emulated"

UNREACHABLE: Mapping[int, str] = {
    -1000: "said only of a defect of our own",
    -1002: "of subscriptions without a logon, over the WebSocket API only (`test_ws_api_session`)",
    -1006: "there is no message bus that could answer something unexpected",
    -1008: "nothing is ever overloaded; that needs injected faults, which are not emulated yet",
    -1010: "the older code of what is a -2010 today",
    -1016: "the service never shuts down on its own",
    -1103: "the spot API says -1104 of parameters that it does not know",
    -1112: "orders into an empty book expire, or are refused with an engine text of their own",
    -1114: "-1106 names the parameter, here as on live hosts",
    -1125: "spot listen keys were removed, but for the switch that brings them back (`test_listen_keys`)",
    -1135: "of JSON requests, over the WebSocket API only (`test_ws_api_frames`)",
    -2008: "seen on live hosts, in no document; an unknown key is a -2015",
    -2016: "the synthetic market has traded in every window",
    **dict.fromkeys((-2035, -2036, -2042), _STREAMS),
    -1155: "of handshakes of the WebSocket API (`test_ws_api_frames`)",
    **dict.fromkeys((-1152, -1153, -1161, -1221), _SBE),
    **dict.fromkeys((-1033, -1035, *range(-1191, -1168)), _FIX),
}
"""By code."""

UNREACHABLE_TEXTS: Mapping[str, str] = {
    "Price * QTY is zero or less.": "prices and quantities of zero are refused one by one",
    "Unsupported order combination": "combinations are refused by -1014, -1102 and -1106 before",
    "Cancel order is invalid. Check origClOrdId and orderId.": "-1102 since 2025-04",
    "This action is disabled on this account.": "no account is restricted",
    "This account may not place or cancel orders.": "no account is restricted",
    "This symbol is not permitted for this account.": "every account has the permissions of every symbol",
    "This symbol is restricted for this account.": "every account may trade every symbol",
    "Rest API trading is not enabled.": "every server trades",
}

UNREACHABLE_FILTERS: Mapping[str, str] = {
    "PERCENT_PRICE": "all symbols have PERCENT_PRICE_BY_SIDE instead, as live ones have",
    "MIN_NOTIONAL": "all symbols have NOTIONAL instead, as live ones have",
    "EXCHANGE_MAX_NUM_ORDERS": "the exchange has no filters, as live exchangeInfo shows none",
    "EXCHANGE_MAX_NUM_ALGO_ORDERS": "the exchange has no filters",
    "EXCHANGE_MAX_NUM_ICEBERG_ORDERS": "the exchange has no filters",
    "EXCHANGE_MAX_NUM_ORDER_LISTS": "the exchange has no filters",
    "MAX_ASSET": "no account has filters of its own",
}

# What the documents name

DOCUMENTED_CODES = frozenset(
    {
        *range(-1003, -999), -1006, -1007, -1008, *range(-1016, -1012), *range(-1022, -1019),
        *range(-1035, -1032), *range(-1106, -1099), -1108, -1111, -1112, *range(-1122, -1113), -1125,
        -1127, -1128, -1130, -1134, -1135, -1139, -1145, *range(-1153, -1150), -1155, -1158, -1160, -1161,
        -1165, -1166, *range(-1191, -1167), -1194, *range(-1199, -1195), -1210, -1211,
        *range(-1225, -1219), -2010, -2011, *range(-2016, -2012), -2021, -2022, -2026, -2035, -2036,
        -2038, -2039, -2042, -2043,
    }
)  # fmt: skip
"""The headings of errors.md, and -2038 of its table of engine texts."""

DOCUMENTED_TEXTS = frozenset(
    f"{each}."
    for each in (
        "Unknown order sent",
        "Duplicate order sent",
        "Market is closed",
        "Account has insufficient balance for requested action",
        "Market orders are not supported for this symbol",
        "Iceberg orders are not supported for this symbol",
        "Stop loss orders are not supported for this symbol",
        "Stop loss limit orders are not supported for this symbol",
        "Take profit orders are not supported for this symbol",
        "Take profit limit orders are not supported for this symbol",
        "Order amend is not supported for this symbol",
        "Price * QTY is zero or less",
        "IcebergQty exceeds QTY",
        "This action is disabled on this account",
        "This account may not place or cancel orders",
        "Order would trigger immediately",
        "Cancel order is invalid. Check origClOrdId and orderId",
        "Order would immediately match and take",
        "The relationship of the prices for the orders is not correct",
        "Quote order qty market orders are not support for this symbol",
        "Trailing stop orders are not supported for this symbol",
        "Order cancel-replace is not supported for this symbol",
        "This symbol is not permitted for this account",
        "This symbol is restricted for this account",
        "Order was not canceled due to cancel restrictions",
        "Rest API trading is not enabled",
        "Order book liquidity is less than `LOT_SIZE` filter minimum quantity",
        "Order book liquidity is less than `MARKET_LOT_SIZE` filter minimum quantity",
        "Order book liquidity is less than symbol minimum quantity",
        "Order amend (quantity increase) is not supported",
        "Pegged orders are not supported for this symbol",
        "This order type may not use pegged price",
        "This price peg cannot be used with this order type",
        "Order book liquidity is too low for this pegged order",
        "OPO orders are not supported for this symbol",
        "Order amend (pending OPO order) is not supported",
    )
) | {
    "Unsupported order combination",
    "OCO orders are not supported for this symbol",
    "The requested action would change no state; rejecting",
}
"""errors.md, "Messages for -1010, -2010, -2011, and -2038", without those of other APIs."""

DOCUMENTED_FILTERS = frozenset(
    """PRICE_FILTER PERCENT_PRICE PERCENT_PRICE_BY_SIDE LOT_SIZE MIN_NOTIONAL NOTIONAL ICEBERG_PARTS
    MARKET_LOT_SIZE MAX_NUM_ORDERS MAX_NUM_ALGO_ORDERS MAX_NUM_ICEBERG_ORDERS MAX_POSITION TRAILING_DELTA
    MAX_NUM_ORDER_AMENDS MAX_NUM_ORDER_LISTS EXCHANGE_MAX_NUM_ORDERS EXCHANGE_MAX_NUM_ALGO_ORDERS
    EXCHANGE_MAX_NUM_ICEBERG_ORDERS EXCHANGE_MAX_NUM_ORDER_LISTS MAX_ASSET""".split()
)
"""filters.md, its headings."""


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.code} {case.text[:60]}")
async def test_it_is_reached(case: Case) -> None:
    async with Building({BTC: case.altered}, **case.settings()) as building:
        reply = await case.scene(building)
    body = reply.json
    assert (body["code"], body["msg"], reply.status) == (case.code, case.text, case.status)
    assert set(body) == {"code", "msg", "data"} if case.code in (-2021, -2022) else {"code", "msg"}
    assert reply.headers["content-type"].startswith("application/json")
    assert ("retry-after" in reply.headers) == (case.status in (418, 429))


def test_every_code_is_reached_or_has_a_reason() -> None:
    reached = {case.code for case in CASES}
    assert not reached & set(UNREACHABLE)
    known = reached | set(UNREACHABLE)
    assert set(errors.TEXTS) | set(words.TEXTS) <= known
    assert known >= DOCUMENTED_CODES
    # What is reached is declared, so that nobody makes up a code beside the tables.
    assert reached <= set(errors.TEXTS) | set(words.TEXTS)


def test_every_text_of_the_engine_is_reached_or_has_a_reason() -> None:
    reached = {case.text for case in CASES if case.code in (-1013, -2010, -2011, -2038)}
    assert not reached & set(UNREACHABLE_TEXTS)
    assert reached | set(UNREACHABLE_TEXTS) >= DOCUMENTED_TEXTS
    assert set(UNREACHABLE_TEXTS) <= DOCUMENTED_TEXTS


def test_every_filter_is_reached_or_has_a_reason() -> None:
    prefix = "Filter failure: "
    reached = {case.text.removeprefix(prefix) for case in CASES if case.text.startswith(prefix)}
    assert not reached & set(UNREACHABLE_FILTERS)
    assert reached | set(UNREACHABLE_FILTERS) == DOCUMENTED_FILTERS
    assert reached == set(errors.FILTERS.values())


async def test_filters_that_nobody_meets_are_not_shown() -> None:
    async with Building() as building:
        told = await building.take("GET", "/api/v3/exchangeInfo")
        own = await building.take("GET", "/api/v3/myFilters", {"symbol": BTC})
    shown = {each["filterType"] for each in told["exchangeFilters"]}
    shown |= {each["filterType"] for symbol in told["symbols"] for each in symbol["filters"]}
    shown |= {each["filterType"] for part in own.values() for each in part}
    assert not shown & set(UNREACHABLE_FILTERS)


@pytest.mark.parametrize("path", KINDS)
async def test_every_leg_of_a_list_passes_the_filters_of_an_order(path: str) -> None:
    async with Building({BTC: {"ask_multiplier_up": Decimal("1.05")}}) as building:
        await building.sandbox.step_clock(10 * MINUTE_US)
        reply = await building.ask("POST", f"/api/v3/{path}", KINDS[path])
        if path == "orderList/oto":
            assert reply.status == 200  # Its sale is at market.
        else:
            assert (reply.code, reply.json["msg"]) == (-1013, "Filter failure: PERCENT_PRICE_BY_SIDE")
