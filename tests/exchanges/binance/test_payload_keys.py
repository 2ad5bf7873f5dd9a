"""Every row of the site answers with the keys and types that the documents show, in each of its forms.

Shapes are transcribed from the examples of rest-api.md (2026-07; sections are named by their titles) and,
for /sapi, from those of the wallet and margin documents as the unit tests of the exchange's own connector
(binance-connector-python, 2026-08) repeat them. What only some answers have is from "Conditional fields in
Order Responses" and faqs/stp_faq.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from tests.exchanges.binance.building import Building, rows
from tests.exchanges.binance.payload_examples import EXAMPLES
from tests.exchanges.binance.payload_examples.example import BTC, Example
from tests.exchanges.binance.payload_examples.market import (
    BLOCK_TRADE,
    FILTERS,
    PRICE_RANGE,
    RATE_LIMIT,
    SYMBOL,
)
from tests.exchanges.binance.payload_examples.orders import _BOTH, _CROSSING
from tests.exchanges.binance.payload_examples.queries import ACCOUNT
from tests.exchanges.binance.payload_examples.shapes_of_orders import ALLOCATION, RESTING
from tests.exchanges.binance.payload_examples.wallet import COIN, DIVIDEND, DRIBBLET
from tests.exchanges.binance.shapes import Shape, complaints, declared, fields
from tests.exchanges.binance.trading_floor import LIMIT_BUY, NOW_MS, TWIN

pytestmark = pytest.mark.anyio

# What never happens here

EMPTY: Mapping[str, tuple[Any, Shape, Mapping[str, Any]]] = {
    "GET /api/v3/executionRules": (
        {"symbolRules": [{"symbol": "BTCUSDT", "rules": []}]},
        {"symbolRules": [{"symbol": "s", "rules": [PRICE_RANGE]}]},
        BTC,
    ),
    "GET /api/v3/historicalBlockTrades": ([], [BLOCK_TRADE], {**BTC, "fromId": 1}),
    "GET /api/v3/myAllocations": ([], [ALLOCATION], BTC),
    "GET /sapi/v1/asset/assetDividend": (
        {"rows": [], "total": 0},
        fields("total:i", rows=[DIVIDEND]),
        {},
    ),
    "GET /sapi/v1/asset/dribblet": (
        {"total": 0, "userAssetDribblets": []},
        fields("total:i", userAssetDribblets=[DRIBBLET]),
        {},
    ),
    "GET /sapi/v1/spot/delist-schedule": ([], [fields("delistTime:i", symbols=["s"])], {}),
}
"""Rows that answer with nothing because nothing of the sort happens here: what they answer, and what they
declare to answer, which is the documented form all the same."""

REFUSED: Mapping[str, Shape] = {
    "GET /api/v3/referencePrice": fields("symbol:s referencePrice:s timestamp:i"),
    "GET /api/v3/referencePrice/calculation": fields(
        "symbol:s calculationType:s bucketCount:i bucketWidthMs:i externalCalculationId:i"
    ),
}
"""Rows that always answer with the documented error, -2043, and what they declare."""

ELSEWHERE: Mapping[str, str] = {
    "GET /api/v3/exchangeInfo": "test_exchange_info: its filters are of several forms",
    "GET /api/v3/myFilters": "test_own_filters: its filters are of several forms",
    "GET /sapi/v1/capital/config/getall": "test_coins: legal money has no networks",
}


@pytest.mark.parametrize(
    "example", EXAMPLES, ids=lambda example: f"{example.method} {example.path} {example.form}".strip()
)
async def test_an_answer_has_the_documented_keys_and_types(example: Example) -> None:
    async with Building() as building:
        body = await example.scene(building)
    assert list(complaints(body, example.shape)) == [], example.cite


@pytest.mark.parametrize("row", EMPTY)
async def test_what_never_happens_is_declared_all_the_same(row: str) -> None:
    answered, shape, parameters = EMPTY[row]
    method, path = row.split(" ")
    async with Building() as building:
        assert await building.take(method, path, parameters) == answered
    assert declared(rows()[method, path].answers) == shape


@pytest.mark.parametrize("row", REFUSED)
def test_what_is_always_refused_is_declared_all_the_same(row: str) -> None:
    method, path = row.split(" ")
    assert declared(rows()[method, path].answers) == REFUSED[row]


async def test_exchange_info() -> None:
    """rest-api.md, "Exchange information"; filters.md."""
    rare = {"iceberg_orders_max": 5, "position_max": 1000}
    async with Building({"BTCUSDT": rare}) as building:
        body = await building.take("GET", "/api/v3/exchangeInfo")
    seen: set[str] = set()
    for symbol in body["symbols"]:
        filters = symbol.pop("filters")
        seen |= check_filters(filters)
    assert seen == set(FILTERS)
    expected = fields(
        "timezone:s serverTime:i",
        rateLimits=[RATE_LIMIT],
        exchangeFilters=[],
        symbols=[SYMBOL],
        sors=[fields("baseAsset:s", symbols=["s"])],
    )
    assert list(complaints(body, expected)) == []


async def test_own_filters() -> None:
    """rest-api.md, "Query relevant filters"."""
    async with Building() as building:
        body = await building.take("GET", "/api/v3/myFilters", BTC)
    assert check_filters(body.pop("symbolFilters")) <= set(FILTERS)
    assert body == {"exchangeFilters": [], "assetFilters": []}


def check_filters(filters: list[dict[str, Any]]) -> set[str]:
    for one in filters:
        assert list(complaints(one, FILTERS[one["filterType"]])) == []
    return {one["filterType"] for one in filters}


async def test_coins() -> None:
    """Wallet documents, "All Coins' Information"."""
    async with Building() as building:
        coins = await building.take("GET", "/sapi/v1/capital/config/getall")
    legal = [coin for coin in coins if coin["isLegalMoney"]]
    others = [coin for coin in coins if not coin["isLegalMoney"]]
    assert list(complaints(others, [COIN])) == []
    assert list(complaints(legal, [COIN | {"networkList": []}])) == []


async def test_a_trade_group_shows_where_there_is_one() -> None:
    """faqs/stp_faq.md, "What is a Trade Group Id?" and scenario D."""
    async with Building() as building:
        account = await building.take("GET", "/api/v3/account", who=TWIN)
        await building.take("POST", "/api/v3/order", {**LIMIT_BUY, "price": "99995"}, who=TWIN)
        expired = await building.take(
            "POST", "/api/v3/order", {**_CROSSING, "selfTradePreventionMode": "EXPIRE_BOTH"}, who=TWIN
        )
    assert list(complaints(account, ACCOUNT | fields("tradeGroupId:i"))) == []
    shape = RESTING | fields("preventedQuantity:s tradeGroupId:i", preventedMatches=[_BOTH])
    assert list(complaints(expired, shape)) == []


@pytest.mark.parametrize("unit", ["MICROSECOND", "microsecond"])
async def test_times_change_their_unit_and_nothing_else(unit: str) -> None:
    """rest-api.md, "General API Information"."""
    async with Building() as building:
        placed = await building.take("POST", "/api/v3/order", LIMIT_BUY, headers={"X-MBX-TIME-UNIT": unit})
    assert list(complaints(placed, RESTING)) == []
    assert placed["transactTime"] == placed["workingTime"] == NOW_MS * 1000


def test_every_row_is_shown() -> None:
    shown = {f"{example.method} {example.path}" for example in EXAMPLES}
    known = [*shown, *EMPTY, *REFUSED, *ELSEWHERE]
    assert sorted(known) == sorted(" ".join(key) for key in rows())
