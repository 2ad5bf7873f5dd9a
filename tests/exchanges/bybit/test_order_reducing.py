"""Orders that may only make a position smaller: what is refused of them, and what they are told of as."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal

import pytest

from emulator.core.commands import Deposit, SetPositionMode
from emulator.exchanges.bybit.running import UNIFIED
from tests.exchanges.bybit.pit import LINEAR, LONG, SHORT, Pit

pytestmark = pytest.mark.anyio

ZERO_HELD = "current position is zero, cannot fix reduce-only order qty"
SAME_SIDE = "reduce-only order has same side with current position"
COVERED = "orderQty will be truncated to zero"
"""All of 110017: the last one is the error page's, the others are recorded from running servers."""


@pytest.fixture
async def pit() -> AsyncIterator[Pit]:
    async with Pit() as pit:
        yield pit


async def hedge(pit: Pit) -> None:
    account = pit.sandbox.accounts["alice"]
    await pit.do(SetPositionMode(account=account, wallet=UNIFIED, hedged=True))


@pytest.mark.parametrize("kind", ["Limit", "Market"])
async def test_the_text_says_why_there_is_nothing_to_reduce(pit: Pit, kind: str) -> None:
    price = "99990" if kind == "Limit" else None
    reducing = {**SHORT, "orderType": kind, "price": price, "reduceOnly": True}
    assert await pit.refused(reducing) == (110017, ZERO_HELD)
    await pit.place(LONG, price="100010", qty="0.03")
    buying = {**reducing, "side": "Buy", "price": None if price is None else "100010"}
    assert await pit.refused(buying) == (110017, SAME_SIDE)
    await pit.place(SHORT, price="100500", qty="0.03", reduceOnly=True)
    assert await pit.refused(reducing) == (110017, COVERED)


async def test_an_order_is_trimmed_to_what_others_leave(pit: Pit) -> None:
    # help centre, Reduce-Only Order: no larger than the open position, less what other orders claim
    await pit.place(LONG, price="100010", qty="0.03")
    await pit.place(SHORT, price="100500", qty="0.02", reduceOnly=True)
    trimmed = await pit.find(await pit.place(SHORT, price="100600", qty="0.05", reduceOnly=True), LINEAR)
    assert (trimmed["qty"], trimmed["leavesQty"], trimmed["reduceOnly"]) == ("0.010", "0.010", True)


async def test_against_a_position_of_hedge_mode_an_order_only_reduces(pit: Pit) -> None:
    """Recorded: accepted orders came back with reduceOnly, though they had been sent without it, and those
    beyond the position were refused; one that waits for a trigger stays without, and is bound by nothing."""
    await hedge(pit)
    assert await pit.refused(SHORT, positionIdx=1) == (110017, ZERO_HELD)
    waits = {**SHORT, "positionIdx": 1, "triggerPrice": "99000", "triggerDirection": 2}
    waiting = await pit.find(await pit.place(waits), LINEAR)
    assert (waiting["orderStatus"], waiting["reduceOnly"]) == ("Untriggered", False)
    opened = await pit.find(await pit.place(LONG, price="100010", qty="0.03", positionIdx=1), LINEAR)
    assert opened["reduceOnly"] is False
    closing = await pit.find(await pit.place(SHORT, price="100500", qty="0.03", positionIdx=1), LINEAR)
    assert closing["reduceOnly"] is True
    assert await pit.refused(SHORT, positionIdx=1) == (110017, COVERED)
    assert (await pit.find(await pit.place(waits), LINEAR))["orderStatus"] == "Untriggered"


# Larger than one order may be: of this dated contract 300 BTC as a limit order and 60 at market, as its
# listing says. create-order.mdx: if reduceOnly=true and order qty > max order qty, the order will
# automatically be split up into multiple orders.

DATED = "BTCUSDT-25SEP26"
LARGE = {"category": LINEAR, "symbol": DATED}
CLOSE = {**LARGE, "side": "Sell", "orderType": "Market", "reduceOnly": True}


@pytest.fixture
async def large(pit: Pit) -> Pit:
    """Alice is long by 350 BTC, which cost 35,000,000 USDT, at a leverage of 5."""
    alice = pit.sandbox.accounts["alice"]
    await pit.do(Deposit(account=alice, wallet=UNIFIED, asset="USDT", amount=Decimal(10**8)))
    await pit.post("/v5/position/set-leverage", {**LARGE, "buyLeverage": "5", "sellLeverage": "5"})
    await quote(pit, "1000")
    for quantity in ("300", "50"):
        await pit.place({**LONG, **LARGE}, price="100010", qty=quantity)
    await quote(pit, "1000")
    return pit


async def quote(pit: Pit, quantity: str) -> None:
    await pit.book(f"linear:{DATED}", [("99990", quantity)], [("100010", quantity)])


async def size(pit: Pit) -> str:
    return str((await pit.get("/v5/position/list", LARGE))["list"][0]["size"])


async def history(pit: Pit) -> list[tuple[str, str, str]]:
    """Sells that are over, the oldest first."""
    listed = (await pit.get("/v5/order/history", LARGE))["list"]
    return [
        (one["qty"], one["orderStatus"], one["orderLinkId"])
        for one in reversed(listed)
        if one["side"] == "Sell"
    ]


async def test_what_is_too_large_for_one_order_at_market_comes_as_several(large: Pit) -> None:
    assert (await large.refused({**CLOSE, "reduceOnly": False}, qty="150"))[0] == 10001
    first = await large.place(CLOSE, qty="150", orderLinkId="mine")
    assert await size(large) == "200"
    assert await history(large) == [
        ("60.000", "Filled", "mine"),
        ("60.000", "Filled", ""),
        ("30.000", "Filled", ""),
    ]
    told = await large.find(first, LINEAR)
    assert (told["orderLinkId"], told["reduceOnly"]) == ("mine", True)


async def test_it_is_split_as_far_as_there_is_a_position(large: Pit) -> None:
    await large.place(CLOSE, qty="100000")
    assert await size(large) == "0"
    assert [quantity for quantity, *_ in await history(large)] == ["60.000"] * 5 + ["50.000"]


async def test_a_book_that_is_empty_ends_the_splitting(large: Pit) -> None:
    await quote(large, "70")
    await large.place(CLOSE, qty="350")
    assert await size(large) == "280"
    assert (await history(large))[:2] == [("60.000", "Filled", ""), ("60.000", "Cancelled", "")]
    listed = (await large.get("/v5/order/history", LARGE))["list"]
    assert sum(Decimal(one["cumExecQty"]) for one in listed if one["side"] == "Sell") == 70


async def test_limit_orders_rest_side_by_side(large: Pit) -> None:
    asked = {**SHORT, **LARGE, "price": "100500", "qty": "340", "reduceOnly": True, "orderLinkId": "mine"}
    await large.place(asked)
    listed = (await large.get("/v5/order/realtime", LARGE))["list"]
    assert [(one["qty"], one["orderLinkId"], one["orderStatus"]) for one in listed] == [
        ("40.000", "", "New"),
        ("300.000", "mine", "New"),
    ]
    assert {one["reduceOnly"] for one in listed} == {True}
    # No more than one order may be made of one that rests.
    amended = {**LARGE, "orderLinkId": "mine", "qty": "310"}
    assert (await large.no("POST", "/v5/order/amend", amended))[0] == 10001


async def test_a_quantity_of_zero_closes_as_much_as_one_order_can(large: Pit) -> None:
    # create-order.mdx, qty: you can close the position up to maxMktOrderQty or maxOrderQty
    await large.place(CLOSE, qty="0", closeOnTrigger=True)
    assert await size(large) == "290"
    assert await history(large) == [("60.000", "Filled", "")]


async def test_a_limit_order_of_zero_closes_all_at_its_price(large: Pit) -> None:
    closing = {**SHORT, **LARGE, "qty": "0", "reduceOnly": True, "closeOnTrigger": True}
    told = await large.find(await large.place(closing, price="100500"), LINEAR)
    assert (told["orderType"], told["qty"], told["price"], told["orderStatus"]) == (
        "Limit",
        "300.000",
        "100500.00",
        "New",
    )
    buying = {**closing, "side": "Buy", "price": "99000"}
    assert await large.refused(buying) == (110017, SAME_SIDE)
    assert await large.refused({**closing, "symbol": "BTCUSDT"}) == (110017, ZERO_HELD)


async def test_a_stop_for_all_of_a_large_position_comes_as_several_orders(large: Pit) -> None:
    stop = {**LARGE, "positionIdx": 0, "tpslMode": "Full", "stopLoss": "99000"}
    await large.post("/v5/position/trading-stop", stop)
    await large.book(f"linear:{DATED}", [("98990", "1000")], [("99000", "1000")])
    assert await size(large) == "0"
    listed = [
        one
        for one in (await large.get("/v5/order/history", LARGE))["list"]
        if one["stopOrderType"] == "StopLoss"
    ]
    assert sorted(one["qty"] for one in listed) == ["50.000"] + ["60.000"] * 5
    assert {(one["createType"], one["orderStatus"], one["reduceOnly"]) for one in listed} == {
        ("CreateByStopLoss", "Filled", True)
    }


async def test_a_conditional_order_is_split_when_it_is_triggered(large: Pit) -> None:
    waits = {**CLOSE, "qty": "150", "triggerPrice": "99000", "triggerDirection": 2}
    await large.place(waits, orderLinkId="mine")
    (waiting,) = (await large.get("/v5/order/realtime", LARGE))["list"]
    assert (waiting["qty"], waiting["orderStatus"]) == ("150.000", "Untriggered")
    await large.book(f"linear:{DATED}", [("98990", "1000")], [("99000", "1000")])
    assert await size(large) == "200"
    assert sorted(await history(large)) == [
        ("30.000", "Filled", ""),
        ("60.000", "Filled", ""),
        ("60.000", "Filled", "mine"),
    ]


# What is in the book when the position becomes smaller (help centre, Reduce-Only Order: all other reduce-only
# orders exceeding the existing position's contract size will be automatically reduced or cancelled)


async def test_what_rests_becomes_as_small_as_the_position(pit: Pit) -> None:
    await pit.place(LONG, price="100010", qty="0.03")
    first = await pit.place(SHORT, price="100500", qty="0.02", reduceOnly=True)
    second = await pit.place(SHORT, price="100600", qty="0.01", reduceOnly=True)
    opening = await pit.place(SHORT, price="100700", qty="0.05")
    await pit.place(SHORT, price="99990", qty="0.005")
    told = await pit.find(second, LINEAR)
    assert (told["orderStatus"], told["qty"], told["leavesQty"]) == ("New", "0.005", "0.005")
    await pit.place(SHORT, price="99990", qty="0.010")
    # Of 0.015 the first has 0.015; nothing is left for the second one.
    told = await pit.find(first, LINEAR)
    assert (told["orderStatus"], told["qty"]) == ("New", "0.015")
    told = await pit.find(second, LINEAR)
    assert (told["orderStatus"], told["cancelType"]) == ("Cancelled", "CancelByReduceOnly")
    assert (await pit.find(opening, LINEAR))["qty"] == "0.050"
