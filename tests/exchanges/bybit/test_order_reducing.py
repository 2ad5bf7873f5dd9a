"""Orders that may only make a position smaller: what is refused of them, and what they are told of as."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal

import pytest

from emulator.core.commands import Deposit, SetPositionMode
from emulator.exchanges.bybit import categories as listed
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


# Larger than one order may be. create-order.mdx: if reduceOnly=true and order qty > max order qty, the order
# will automatically be split up into multiple orders.

ETH = "ETHUSDT"
LARGE = {"category": LINEAR, "symbol": ETH}
CLOSE = {**LARGE, "side": "Sell", "orderType": "Market", "reduceOnly": True}
AT_MARKET = listed.LINEAR.listings[ETH].instrument.market_quantity_max
AT_LIMIT = listed.LINEAR.listings[ETH].instrument.quantity_max
HALF = Decimal("0.5")
HELD = AT_LIMIT * 3


def text(quantity: Decimal) -> str:
    return f"{quantity:.2f}"


def parts(quantity: Decimal, most: Decimal) -> list[str]:
    """The largest ones, and what is left."""
    count, rest = divmod(quantity, most)
    return [text(most)] * int(count) + ([text(rest)] if rest else [])


@pytest.fixture
async def large(pit: Pit) -> Pit:
    """Alice is long by three of the largest orders, without leverage, and ETH stands at 3500."""
    alice = pit.sandbox.accounts["alice"]
    await pit.do(Deposit(account=alice, wallet=UNIFIED, asset="USDT", amount=Decimal(10**9)))
    await pit.post("/v5/position/set-leverage", {**LARGE, "buyLeverage": "1", "sellLeverage": "1"})
    await pit.hold("ETH/USDT", "3500")
    for quantity in parts(HELD, AT_LIMIT):
        await quote(pit, HELD)
        await pit.place({**LONG, **LARGE}, price="3501", qty=quantity)
    await quote(pit, HELD)
    return pit


async def quote(pit: Pit, quantity: Decimal, bid: str = "3499", ask: str = "3501") -> None:
    await pit.book(f"linear:{ETH}", [(bid, str(quantity))], [(ask, str(quantity))])


async def size(pit: Pit) -> Decimal:
    return Decimal((await pit.get("/v5/position/list", LARGE))["list"][0]["size"])


async def history(pit: Pit) -> list[tuple[str, str, str]]:
    """Sells that are over, the oldest first."""
    found = (await pit.get("/v5/order/history", {**LARGE, "limit": 50}))["list"]
    return [
        (one["qty"], one["orderStatus"], one["orderLinkId"])
        for one in reversed(found)
        if one["side"] == "Sell"
    ]


async def test_what_is_too_large_for_one_order_at_market_comes_as_several(large: Pit) -> None:
    asked = AT_MARKET * 2 + AT_MARKET * HALF
    assert (await large.refused({**CLOSE, "reduceOnly": False}, qty=text(asked)))[0] == 10001
    first = await large.place(CLOSE, qty=text(asked), orderLinkId="mine")
    assert await size(large) == HELD - asked
    assert await history(large) == [
        (text(AT_MARKET), "Filled", "mine"),
        (text(AT_MARKET), "Filled", ""),
        (text(AT_MARKET * HALF), "Filled", ""),
    ]
    told = await large.find(first, LINEAR)
    assert (told["orderLinkId"], told["reduceOnly"]) == ("mine", True)


async def test_it_is_split_as_far_as_there_is_a_position(large: Pit) -> None:
    await large.place(CLOSE, qty=text(HELD * 100))
    assert await size(large) == 0
    assert [quantity for quantity, *_ in await history(large)] == parts(HELD, AT_MARKET)


async def test_what_the_book_does_not_have_is_canceled_of_each_part(large: Pit) -> None:
    there = AT_MARKET + AT_MARKET * HALF
    await quote(large, there)
    await large.place(CLOSE, qty=text(HELD))
    assert await size(large) == HELD - there
    told = await history(large)
    assert told[:2] == [(text(AT_MARKET), "Filled", ""), (text(AT_MARKET), "Cancelled", "")]
    assert {status for _, status, _ in told[1:]} == {"Cancelled"}
    found = (await large.get("/v5/order/history", {**LARGE, "limit": 50}))["list"]
    assert sum(Decimal(one["cumExecQty"]) for one in found if one["side"] == "Sell") == there


async def test_limit_orders_rest_side_by_side(large: Pit) -> None:
    asked = AT_LIMIT * 2 + AT_LIMIT * HALF
    order = {**SHORT, **LARGE, "price": "3510", "qty": text(asked), "reduceOnly": True}
    await large.place(order, orderLinkId="mine")
    found = (await large.get("/v5/order/realtime", LARGE))["list"]
    assert [(one["qty"], one["orderLinkId"], one["orderStatus"]) for one in reversed(found)] == [
        (text(AT_LIMIT), "mine", "New"),
        (text(AT_LIMIT), "", "New"),
        (text(AT_LIMIT * HALF), "", "New"),
    ]
    assert {one["reduceOnly"] for one in found} == {True}
    # No more than one order may be made of one that rests.
    amended = {**LARGE, "orderLinkId": "mine", "qty": text(AT_LIMIT + 1)}
    assert (await large.no("POST", "/v5/order/amend", amended))[0] == 10001


async def test_a_quantity_of_zero_closes_as_much_as_one_order_can(large: Pit) -> None:
    # create-order.mdx, qty: you can close the position up to maxMktOrderQty or maxOrderQty
    await large.place(CLOSE, qty="0", closeOnTrigger=True)
    assert await size(large) == HELD - AT_MARKET
    assert await history(large) == [(text(AT_MARKET), "Filled", "")]


async def test_a_limit_order_of_zero_closes_all_at_its_price(large: Pit) -> None:
    closing = {**SHORT, **LARGE, "qty": "0", "reduceOnly": True, "closeOnTrigger": True}
    told = await large.find(await large.place(closing, price="3510"), LINEAR)
    assert (told["orderType"], told["qty"], told["price"], told["orderStatus"]) == (
        "Limit",
        text(AT_LIMIT),
        "3510.00",
        "New",
    )
    buying = {**closing, "side": "Buy", "price": "3490"}
    assert await large.refused(buying) == (110017, SAME_SIDE)
    assert await large.refused({**closing, "symbol": "BTCUSDT"}) == (110017, ZERO_HELD)


async def test_a_stop_for_all_of_a_large_position_comes_as_several_orders(large: Pit) -> None:
    stop = {**LARGE, "positionIdx": 0, "tpslMode": "Full", "stopLoss": "3480"}
    await large.post("/v5/position/trading-stop", stop)
    await quote(large, HELD, "3479", "3480")
    assert await size(large) == 0
    found = [
        one
        for one in (await large.get("/v5/order/history", {**LARGE, "limit": 50}))["list"]
        if one["stopOrderType"] == "StopLoss"
    ]
    assert sorted(one["qty"] for one in found) == sorted(parts(HELD, AT_MARKET))
    assert {(one["createType"], one["orderStatus"], one["reduceOnly"]) for one in found} == {
        ("CreateByStopLoss", "Filled", True)
    }


async def test_a_conditional_order_is_split_when_it_is_triggered(large: Pit) -> None:
    asked = AT_MARKET + AT_MARKET * HALF
    waits = {**CLOSE, "qty": text(asked), "triggerPrice": "3480", "triggerDirection": 2}
    await large.place(waits, orderLinkId="mine")
    (waiting,) = (await large.get("/v5/order/realtime", LARGE))["list"]
    assert (waiting["qty"], waiting["orderStatus"]) == (text(asked), "Untriggered")
    await quote(large, HELD, "3479", "3480")
    assert await size(large) == HELD - asked
    assert sorted(await history(large)) == sorted(
        [(text(AT_MARKET), "Filled", "mine"), (text(AT_MARKET * HALF), "Filled", "")]
    )


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
