"""Orders of hedge mode, of whom the exchange closes out, and how many may be open."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest

from emulator.core.commands import Deposit, EndOrders, SetLeverage, SetPositionMode, Withdraw
from emulator.core.orders import EndReason, OrderStatus
from emulator.exchanges.bybit.running import UNIFIED
from tests.exchanges.bybit.pit import BUY, DAY_US, LINEAR, LONG, SHORT, SPOT, Pit

pytestmark = pytest.mark.anyio

BTC = "linear:BTCUSDT"


@pytest.fixture
async def pit() -> AsyncIterator[Pit]:
    async with Pit() as pit:
        yield pit


async def hedge(pit: Pit) -> None:
    account = pit.sandbox.accounts["alice"]
    await pit.do(SetPositionMode(account=account, wallet=UNIFIED, hedged=True))


# positionIdx: 0 one-way; 1 the long and 2 the short position of hedge mode (enum.mdx)


async def test_a_leg_is_named_whatever_the_side(pit: Pit) -> None:
    await hedge(pit)
    opened = [
        await pit.place(LONG, price="100010", positionIdx=1),
        await pit.place(SHORT, price="99990", positionIdx=2),
    ]
    assert [(await pit.find(one, LINEAR))["positionIdx"] for one in opened] == [1, 2]
    # A buy of leg 2 closes the short position, and does not touch the long one.
    closing = await pit.place(LONG, price="100010", positionIdx=2)
    (trade,) = await pit.trades(LINEAR, orderId=closing)
    assert trade["closedSize"] == "0.010"
    refused = await pit.refused(LONG, price="100010", positionIdx=2)
    assert refused[0] == 110017
    closing = await pit.place(SHORT, price="99990", positionIdx=1)
    assert (await pit.trades(LINEAR, orderId=closing))[0]["closedSize"] == "0.010"


@pytest.mark.parametrize("changes", [{}, {"positionIdx": 0}, {"positionIdx": 3}])
async def test_in_hedge_mode_a_leg_is_needed(pit: Pit, changes: dict[str, Any]) -> None:
    # create-order.mdx: under hedge-mode, this param is required
    await hedge(pit)
    assert await pit.refused(LONG, **changes) == (10001, "position idx not match position mode")


# Liquidation


async def test_the_order_of_a_liquidation_says_who_made_it(pit: Pit) -> None:
    """Bob is long with a leverage of 100 and next to nothing beside, and the price falls by two per cent."""
    bob = pit.sandbox.accounts["bob"]
    await pit.do(SetLeverage(account=bob, instrument=BTC, leverage=Decimal(100)))
    await pit.do(
        Withdraw(account=bob, wallet=UNIFIED, asset="BTC", amount=Decimal(10), fee=Decimal(0), reference="")
    )
    await pit.do(
        Withdraw(
            account=bob, wallet=UNIFIED, asset="USDT", amount=Decimal(998_500), fee=Decimal(0), reference=""
        )
    )
    await pit.place(LONG, "bob", price="100010", qty="1")
    resting = await pit.place(LONG, "bob", price="96000", qty="0.001")
    await pit.hold("BTC/USDT", "97500")
    await pit.step(60_000_000)
    orders = (await pit.get("/v5/order/history", {"category": LINEAR}, "bob"))["list"]
    closing = next(one for one in orders if one["createType"] != "CreateByUser")
    assert (closing["createType"], closing["side"], closing["orderStatus"]) == (
        "CreateByTakeOver_PassThrough",
        "Sell",
        "Filled",
    )
    ended = await pit.find(resting, LINEAR, "bob")
    assert (ended["orderStatus"], ended["cancelType"]) == ("Cancelled", "CancelAllBeforeLiq")
    trades = await pit.trades(LINEAR, "bob", execType="BustTrade")
    assert sum(Decimal(one["execQty"]) for one in trades) == 1
    assert {one["orderId"] for one in trades} == {closing["orderId"]}


# Delivery


async def test_a_delivery_is_a_trade_and_no_order(pit: Pit) -> None:
    # enum.mdx, createType: recorded as a trade but not an order. Delivered on the last Friday of September.
    symbol = "BTCUSDT-25SEP26"
    await pit.book(f"linear:{symbol}", [("99990", "5")], [("100010", "5")])
    await pit.place(LONG, symbol=symbol, price="100010")
    resting = await pit.place(LONG, symbol=symbol)
    assert len((await pit.get("/v5/order/history", {"category": LINEAR}))["list"]) == 1
    await pit.step(4 * DAY_US)
    (trade,) = await pit.trades(LINEAR, execType="Delivery")
    assert (trade["side"], trade["execQty"], trade["closedSize"]) == ("Sell", "0.010", "0.010")
    assert trade["createType"] == "CreateBySettle"
    values = {"category": LINEAR, "orderStatus": "Filled"}
    assert len((await pit.get("/v5/order/history", values))["list"]) == 1
    ended = await pit.find(resting, LINEAR)
    assert (ended["orderStatus"], ended["cancelType"]) == ("Cancelled", "CancelBySettle")
    named = {"category": LINEAR, "orderId": trade["orderId"]}
    assert (await pit.get("/v5/order/realtime", named))["list"] == []
    assert await pit.trades(**named) == [trade]


# The exchange's own endings


@pytest.mark.parametrize("category", [SPOT, LINEAR])
async def test_what_ended_because_its_owner_was_gone_says_so(pit: Pit, category: str) -> None:
    order_id = await pit.place(BUY if category == SPOT else LONG)
    alice = pit.sandbox.accounts["alice"]
    names = (f"{category}:BTCUSDT",)
    await pit.do(EndOrders(account=alice, instruments=names, reason=EndReason.DISCONNECTED))
    order = await pit.find(order_id, category)
    assert (order["orderStatus"], order["cancelType"]) == ("Cancelled", "CancelByDCP")


# How many


@pytest.mark.parametrize(("category", "code"), [(SPOT, 170810), (LINEAR, 110020)])
async def test_at_most_five_hundred_orders_are_open(pit: Pit, category: str, code: int) -> None:
    # create-order.mdx: 500 active orders simultaneously per symbol; Spot: 500 orders in total
    values = {**(BUY if category == SPOT else LONG), "qty": "0.001"}
    alice = pit.sandbox.accounts["alice"]
    await pit.do(Deposit(account=alice, wallet=UNIFIED, asset="USDT", amount=Decimal(10**8)))
    other = {**values, "symbol": "ETHUSDT", "qty": "0.01", "price": "1000"}
    for number in range(500):
        # Of pairs all symbols are counted together.
        await pit.place(other if category == SPOT and number % 2 else values)
    assert (await pit.refused(values))[0] == code
    account = pit.sandbox.engines["bybit"].state.accounts[alice]
    assert sum(one.status is OrderStatus.NEW for one in account.open_orders.values()) == 500
