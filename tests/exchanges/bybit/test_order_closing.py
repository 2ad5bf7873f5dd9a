"""Orders that close what is there while others wait to do the same, and what is told of them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest

from tests.exchanges.bybit.pit import BUY, LINEAR, LONG, SHORT, SPOT, Pit

pytestmark = pytest.mark.anyio

SYMBOL = {"category": LINEAR, "symbol": "BTCUSDT"}
CLOSE: dict[str, Any] = {
    **SYMBOL,
    "side": "Sell",
    "orderType": "Market",
    "qty": "0",
    "reduceOnly": True,
    "closeOnTrigger": True,
}
"""create-order.mdx: qty="0" with reduceOnly=true and closeOnTrigger=true closes the position."""


@pytest.fixture
async def pit() -> AsyncIterator[Pit]:
    async with Pit() as pit:
        yield pit


async def size(pit: Pit) -> str:
    return str((await pit.get("/v5/position/list", SYMBOL))["list"][0]["size"])


async def test_closing_all_ends_what_would_reduce_from_the_book(pit: Pit) -> None:
    # create-order.mdx, closeOnTrigger: other active orders of similar contracts will be cancelled or reduced
    await pit.place(LONG, price="100010", qty="0.03")
    resting = await pit.place(SHORT, price="100500", qty="0.03", reduceOnly=True)
    opening = await pit.place(SHORT, price="100600", qty="0.01")
    closing = await pit.place(CLOSE)
    told = await pit.find(closing, LINEAR)
    assert (told["orderStatus"], told["qty"], told["cumExecQty"]) == ("Filled", "0.030", "0.030")
    assert await size(pit) == "0"
    told = await pit.find(resting, LINEAR)
    assert (told["orderStatus"], told["cancelType"]) == ("Cancelled", "CancelByReduceOnly")
    assert (await pit.find(opening, LINEAR))["orderStatus"] == "New"


async def test_a_closing_order_ends_no_more_than_it_needs(pit: Pit) -> None:
    await pit.place(LONG, price="100010", qty="0.03")
    first = await pit.place(SHORT, price="100500", qty="0.01", reduceOnly=True)
    second = await pit.place(SHORT, price="100500", qty="0.02", reduceOnly=True)
    await pit.place(CLOSE, qty="0.01")
    assert (await pit.find(first, LINEAR))["orderStatus"] == "New"
    assert (await pit.find(second, LINEAR))["cancelType"] == "CancelByReduceOnly"
    assert await size(pit) == "0.02"


async def test_what_only_reduces_ends_nothing(pit: Pit) -> None:
    await pit.place(LONG, price="100010", qty="0.03")
    await pit.place(SHORT, price="100500", qty="0.03", reduceOnly=True)
    refused = await pit.refused(SHORT, price="99990", qty="0.03", reduceOnly=True)
    assert refused[0] == 110017


async def test_a_stop_for_all_of_a_position_has_its_quantity(pit: Pit) -> None:
    await pit.place(LONG, price="100010", qty="0.03", takeProfit="110000", stopLoss="90000")
    assert [(one["qty"], one["leavesQty"]) for one in await pit.open(LINEAR)] == [("0.030", "0.030")] * 2
    await pit.place(LONG, price="100010", qty="0.02")
    assert {one["qty"] for one in await pit.open(LINEAR)} == {"0.050"}


async def test_what_was_closed_at_market_says_how_far_it_would_have_gone(pit: Pit) -> None:
    # create-order.mdx: a market order is a limit order with a price far away
    await pit.place(LONG, price="100010", qty="0.03")
    closing = await pit.place(CLOSE)
    (closed,) = (await pit.get("/v5/position/closed-pnl", {"category": LINEAR}))["list"]
    price = (await pit.find(closing, LINEAR))["price"]
    assert Decimal(price) < Decimal("99990")
    assert Decimal(closed["orderPrice"]) == Decimal(price)


async def test_money_for_a_market_order_has_no_more_places_than_is_said(pit: Pit) -> None:
    (listed,) = (await pit.get("/v5/market/instruments-info", {"category": SPOT, "symbol": "BTCUSDT"}))[
        "list"
    ]
    assert listed["lotSizeFilter"]["quotePrecision"] == "0.0000001"
    buy = {**BUY, "orderType": "Market", "price": None}
    assert (await pit.refused(buy, qty="1000.12345678"))[0] == 170148
    assert await pit.place({**buy, "price": "1"}, qty="1000.1234567")


async def test_one_of_two_stops_that_was_triggered_is_an_order_as_any_other(pit: Pit) -> None:
    """A take profit with a limit further away rests in the book: it is found and ended without a filter."""
    await pit.place(
        BUY, price="100010", takeProfit="100200", tpOrderType="Limit", tpLimitPrice="100300", stopLoss="99000"
    )
    await pit.book("spot:BTCUSDT", [("100190", "5")], [("100210", "5")])
    await pit.book("spot:BTCUSDT", [("100200", "5")], [("100220", "5")])
    (resting,) = await pit.open(SPOT, orderFilter="Order")
    assert (resting["orderStatus"], resting["price"]) == ("New", "100300.0")
    assert await pit.open(SPOT, orderFilter="OcoOrder") == []
    canceled = (await pit.post("/v5/order/cancel-all", {"category": SPOT}))["list"]
    assert [one["orderId"] for one in canceled] == [resting["orderId"]]
    assert await pit.open(SPOT) == []


async def test_two_stops_that_wait_are_no_plain_orders(pit: Pit) -> None:
    await pit.place(BUY, price="100010", takeProfit="100200", stopLoss="99000")
    assert (await pit.post("/v5/order/cancel-all", {"category": SPOT}))["list"] == []
    assert len(await pit.open(SPOT, orderFilter="OcoOrder")) == 2
    canceled = (await pit.post("/v5/order/cancel-all", {"category": SPOT, "orderFilter": "OcoOrder"}))["list"]
    assert len(canceled) == 2
