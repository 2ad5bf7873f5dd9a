"""How many orders may be open ("Open orders up limit" of create-order.mdx), in batches too, where those that
still have room are accepted and the others refused in their places; and how large one may be."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest

from emulator.core.commands import Deposit
from emulator.exchanges.bybit.running import UNIFIED
from tests.exchanges.bybit.pit import BUY, LINEAR, LONG, SELL, SPOT, Pit

pytestmark = pytest.mark.anyio

CREATE = "/v5/order/create-batch"
WAITING: dict[str, Any] = {**LONG, "qty": "0.001", "triggerPrice": "101000", "triggerDirection": 1}
STOPS: dict[str, Any] = {"category": LINEAR, "symbol": "BTCUSDT", "positionIdx": 0}


@pytest.fixture
async def pit() -> AsyncIterator[Pit]:
    async with Pit() as pit:
        await pit.do(
            Deposit(
                account=pit.sandbox.accounts["alice"], wallet=UNIFIED, asset="USDT", amount=Decimal(10**8)
            )
        )
        yield pit


async def batch(pit: Pit, category: str, order: dict[str, Any], count: int) -> list[int]:
    """The codes of as many alike."""
    member = {name: value for name, value in order.items() if name != "category"}
    body = await pit.whole("POST", CREATE, {"category": category, "request": [member] * count})
    for one, told in zip(body["result"]["list"], body["retExtInfo"]["list"], strict=True):
        assert bool(one["orderId"]) is (told["code"] == 0)
    return [one["code"] for one in body["retExtInfo"]["list"]]


async def test_a_contract_has_five_hundred_active_orders(pit: Pit) -> None:
    """500 per symbol; what waits for its trigger is counted apart, stops of a position not at all."""
    plain = {**LONG, "qty": "0.001"}
    await pit.place(LONG, price="100010")
    await pit.post("/v5/position/trading-stop", {**STOPS, "tpslMode": "Full", "stopLoss": "90000"})
    for _ in range(24):
        assert await batch(pit, LINEAR, plain, 20) == [0] * 20
    assert await batch(pit, LINEAR, plain, 15) == [0] * 15
    assert await batch(pit, LINEAR, plain, 8) == [0] * 5 + [110020] * 3
    assert await batch(pit, LINEAR, WAITING, 1) == [0]
    assert await batch(pit, LINEAR, {**plain, "symbol": "ETHUSDT", "qty": "0.01", "price": "1000"}, 1) == [0]
    (newest, *_) = await pit.open(LINEAR, orderFilter="Order", limit=1)
    await pit.post("/v5/order/cancel", {**STOPS, "orderId": newest["orderId"]})
    assert await batch(pit, LINEAR, plain, 2) == [0, 110020]
    # cancel-all.mdx, "Futures": up to 500, of 500 active ones, one conditional, one stop and that of ETHUSDT.
    for count in (500, 3, 0):
        canceled = await pit.post("/v5/order/cancel-all", {"category": LINEAR, "settleCoin": "USDT"})
        assert len(canceled["list"]) == count


async def test_a_contract_has_ten_conditional_orders(pit: Pit) -> None:
    await pit.place(LONG, price="100010")
    sent = {**STOPS, "tpslMode": "Full", "takeProfit": "110000", "stopLoss": "90000", "trailingStop": "500"}
    await pit.post("/v5/position/trading-stop", sent)
    assert await batch(pit, LINEAR, WAITING, 8) == [0] * 8
    assert await batch(pit, LINEAR, WAITING, 4) == [0] * 2 + [110009] * 2
    assert await pit.refused(WAITING) == (110009, "already had 10 working normal stop orders")
    other = {**WAITING, "symbol": "ETHUSDT", "qty": "0.01", "price": "9000", "triggerPrice": "9000"}
    assert await batch(pit, LINEAR, other, 1) == [0]
    # What is triggered is an active order from then on.
    await pit.book("linear:BTCUSDT", [("101000", "5")], [("101010", "5")])
    assert await batch(pit, LINEAR, {**WAITING, "triggerPrice": "102000"}, 11) == [0] * 10 + [110009]


async def test_a_position_has_twenty_pairs_of_stops(pit: Pit) -> None:
    # error.mdx, 110061: not allowed to have more than 20 TP/SLs under Partial tpSlMode
    await pit.place(LONG, price="100010", qty="0.03")
    pair = {**STOPS, "tpslMode": "Partial", "takeProfit": "110000", "stopLoss": "90000"}
    for _ in range(19):
        await pit.post("/v5/position/trading-stop", {**pair, "tpSize": "0.001", "slSize": "0.001"})
    brings = {**LONG, "price": "100010", "tpslMode": "Partial", "takeProfit": "110000", "qty": "0.001"}
    await pit.place(brings)
    assert len(await pit.open(LINEAR, orderFilter="StopOrder", limit=50)) == 19 * 2 + 1
    refused = await pit.no(
        "POST", "/v5/position/trading-stop", {**pair, "tpSize": "0.001", "slSize": "0.001"}
    )
    assert refused == (110061, "Not allowed to have more than 20 TP/SLs under Partial tpSlMode")
    assert (await pit.refused(brings))[0] == 110061
    assert await batch(pit, LINEAR, brings, 2) == [110061] * 2
    # Stops for all of the position are no pairs.
    await pit.post("/v5/position/trading-stop", {**STOPS, "tpslMode": "Full", "stopLoss": "80000"})


async def test_pairs_have_five_hundred_orders_together(pit: Pit) -> None:
    """In total, of which thirty of a symbol may wait with their funds frozen, and thirty without."""
    plain = {**BUY, "qty": "0.001"}
    other = {**plain, "symbol": "ETHUSDT", "qty": "0.01", "price": "1000"}
    waits = {**plain, "price": "101000", "triggerPrice": "101000"}
    for word in ("tpslOrder", "StopOrder"):
        for expected in ([0] * 10, [0] * 10, [0] * 10, [170810]):
            assert await batch(pit, SPOT, {**waits, "orderFilter": word}, len(expected)) == expected
    for number in range(43):
        assert await batch(pit, SPOT, other if number % 2 else plain, 10) == [0] * 10
    assert await batch(pit, SPOT, plain, 10) == [0] * 10
    assert await batch(pit, SPOT, other, 1) == [170810]
    assert await batch(pit, SPOT, plain, 1) == [170810]
    await pit.post("/v5/order/cancel-all", {"category": SPOT, "symbol": "ETHUSDT"})
    assert await batch(pit, SPOT, plain, 1) == [0]


async def test_a_post_only_order_of_a_pair_may_be_larger(pit: Pit) -> None:
    """instrument.mdx: maxLimitOrderQty of all limit orders, postOnlyMaxLimitOrderSize of post-only ones."""
    (row,) = (await pit.get("/v5/market/instruments-info", {"category": SPOT, "symbol": "BTCUSDT"}))["list"]
    usual, most = (
        Decimal(row["lotSizeFilter"][name]) for name in ("maxLimitOrderQty", "postOnlyMaxLimitOrderSize")
    )
    assert usual < most
    alice = pit.sandbox.accounts["alice"]
    await pit.do(Deposit(account=alice, wallet=UNIFIED, asset="BTC", amount=most + 2 * usual))
    step = Decimal("0.001")
    too_large = (170381, "Order quantity too large.")
    await pit.place(SELL, qty=str(usual))
    assert await pit.refused(SELL, qty=str(usual + step)) == too_large
    order = await pit.place(SELL, qty=str(usual + step), timeInForce="PostOnly")
    named = {"category": SPOT, "symbol": "BTCUSDT", "orderId": order}
    await pit.post("/v5/order/amend", {**named, "qty": str(most)})
    assert Decimal((await pit.find(order))["qty"]) == most
    assert await pit.no("POST", "/v5/order/amend", {**named, "qty": str(most + step)}) == too_large
    assert await pit.refused(SELL, qty=str(most + step), timeInForce="PostOnly") == too_large
