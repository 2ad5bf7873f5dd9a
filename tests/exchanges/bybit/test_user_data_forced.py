"""What the exchange does with positions, as private topics tell it: liquidation, deleveraging, delivery.

The words are those of docs/v5/enum.mdx (`createType`, `cancelType`, `execType`).
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from emulator.core import commands as c
from emulator.exchanges import bybit
from emulator.exchanges.bybit.covering import MARGIN
from tests.exchanges.bybit.booth import PRIVATE, Booth
from tests.exchanges.bybit.pit import DAY_US, LINEAR, LONG, SECOND_US, SHORT

pytestmark = pytest.mark.anyio

BTC = "linear:BTCUSDT"
ALL = ("order", "execution", "execution.fast", "position", "wallet")


@pytest.fixture
async def booth(anyio_backend: str) -> AsyncIterator[Booth]:
    async with Booth().on_air() as booth:
        yield booth


async def impoverish(booth: Booth, who: str, left: int = 1500) -> None:
    """A leverage of 100, and next to nothing."""
    account = booth.sandbox.accounts[who]
    await booth.do(c.SetLeverage(account=account, instrument=BTC, leverage=Decimal(100)))
    for asset, amount in (("BTC", 10), ("USDT", 1_000_000 - left)):
        await booth.do(
            c.Withdraw(account=account, wallet="unified", asset=asset, amount=Decimal(amount), fee=Decimal(0))
        )


def records(frames: list[Any], topic: str) -> list[Any]:
    return [one for frame in frames if frame["topic"] == topic for one in frame["data"]]


async def test_a_liquidation(booth: Booth) -> None:
    await impoverish(booth, "bob")
    async with booth.line(PRIVATE, "bob") as line:
        await line.join(*ALL)
        await booth.place(LONG, "bob", price="100010", qty="1", stopLoss="90000")
        resting = await booth.place(LONG, "bob", price="96000", qty="0.001")
        await line.rest()
        await booth.hold("BTC/USDT", "97500")
        await booth.step(60 * SECOND_US)
        frames = await line.rest()
    orders, executions = records(frames, "order"), records(frames, "execution")
    ended = [one for one in orders if one["orderId"] == resting]
    assert [(one["orderStatus"], one["cancelType"]) for one in ended] == [("Cancelled", "CancelAllBeforeLiq")]
    forced = [one for one in orders if one["createType"] == "CreateByTakeOver_PassThrough"]
    assert (forced[0]["side"], forced[-1]["orderStatus"], forced[-1]["cumExecQty"]) == (
        "Sell",
        "Filled",
        "1.000",
    )
    assert {one["execType"] for one in executions} == {"BustTrade"}
    assert sum(Decimal(one["execQty"]) for one in executions) == 1
    # Only ordinary trades are told fast ("Fast Execution").
    assert records(frames, "execution.fast") == []
    assert (records(frames, "position")[-1]["side"], records(frames, "position")[-1]["size"]) == ("", "0")
    assert executions[-1]["closedSize"] != "0.000"
    told = {one["execId"] for one in executions}
    assert told == {one["execId"] for one in await booth.trades(LINEAR, "bob", execType="BustTrade")}
    asked = {"accountType": "UNIFIED", "coin": "USDT"}
    (wallet,) = (await booth.get("/v5/account/wallet-balance", asked, "bob"))["list"]
    last = records(frames, "wallet")[-1]
    assert last["coin"][0]["walletBalance"] == wallet["coin"][0]["walletBalance"]


async def test_deleveraging_closes_the_other_side(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing insures bob, and nobody in the market takes his position: alice, who won, gives up hers."""
    monkeypatch.setattr(bybit, "MARGIN", msgspec.structs.replace(MARGIN, insurance={}))
    async with Booth().on_air() as booth:
        await impoverish(booth, "bob")
        await booth.place(SHORT, price="100000", qty="1")
        await booth.place(LONG, "bob", price="100000", qty="1")
        resting = await booth.place(SHORT, price="104000", qty="0.01")
        async with booth.line(PRIVATE) as line:
            await line.join(*ALL)
            await booth.book(BTC, [("80000", "0.001")], [("80010", "0.001")])
            await booth.hold("BTC/USDT", "80000")
            await booth.step(SECOND_US)
            frames = await line.rest()
        orders, executions = records(frames, "order"), records(frames, "execution")
        # Who is deleveraged has no orders any more ("Auto-Deleveraging (ADL)").
        ended = [one for one in orders if one["orderId"] == resting]
        assert [(one["orderStatus"], one["cancelType"]) for one in ended] == [
            ("Cancelled", "CancelAllBeforeAdl")
        ]
        orders = [one for one in orders if one["orderId"] != resting]
        assert {one["createType"] for one in orders} == {"CreateByAdl_PassThrough"}
        assert {(one["execType"], one["side"]) for one in executions} == {("AdlTrade", "Buy")}
        assert Decimal(executions[-1]["execPnl"]) > 0
        # As a maker (the same page).
        assert {one["feeRate"] for one in executions} == {"0.0002"}
        closed = sum(Decimal(one["closedSize"]) for one in executions)
        left = records(frames, "position")[-1]
        assert Decimal(left["size"]) == 1 - closed
        assert records(frames, "execution.fast") == []
        told = {one["execId"] for one in executions}
        assert told == {one["execId"] for one in await booth.trades(LINEAR, execType="AdlTrade")}


async def test_a_delivery_is_an_execution_and_no_order(booth: Booth) -> None:
    # Delivered on the last Friday of September.
    symbol = "BTCUSDT-25SEP26"
    await booth.book(f"linear:{symbol}", [("99990", "5")], [("100010", "5")])
    async with booth.line(PRIVATE) as line:
        await line.join(*ALL)
        await booth.place(LONG, symbol=symbol, price="100010")
        resting = await booth.place(LONG, symbol=symbol)
        await line.rest()
        await booth.step(4 * DAY_US)
        frames = await line.rest()
    (order,) = records(frames, "order")
    assert (order["orderId"], order["cancelType"]) == (resting, "CancelBySettle")
    (execution,) = records(frames, "execution")
    assert (execution["execType"], execution["createType"]) == ("Delivery", "CreateBySettle")
    assert (execution["side"], execution["closedSize"]) == ("Sell", "0.010")
    assert [execution["execId"]] == [one["execId"] for one in await booth.trades(LINEAR, execType="Delivery")]
    position = records(frames, "position")[-1]
    assert (position["symbol"], position["side"], position["size"]) == (symbol, "", "0")
    assert records(frames, "wallet")[-1]["coin"][0]["coin"] == "USDT"


async def test_nobody_else_hears_of_it(booth: Booth) -> None:
    await impoverish(booth, "bob")
    async with booth.line(PRIVATE) as line:
        await line.join(*ALL)
        await booth.place(LONG, "bob", price="100010", qty="1")
        await booth.hold("BTC/USDT", "97500")
        await booth.step(60 * SECOND_US)
        assert await line.rest() == []
