"""What a liquidation costs: all of an isolated position's margin, and no more."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest

from emulator.core.commands import SetAccountMargin
from emulator.core.positions import AccountMargin
from emulator.exchanges.bybit.running import UNIFIED
from tests.exchanges.bybit.pit import LINEAR, LONG, Pit

pytestmark = pytest.mark.anyio

SYMBOL = {"category": LINEAR, "symbol": "BTCUSDT"}


@pytest.fixture
async def pit() -> AsyncIterator[Pit]:
    async with Pit() as pit:
        account = pit.sandbox.accounts["alice"]
        await pit.do(SetAccountMargin(account=account, wallet=UNIFIED, mode=AccountMargin.ISOLATED))
        yield pit


async def dollars(pit: Pit) -> Decimal:
    (wallet,) = (await pit.get("/v5/account/wallet-balance", {"accountType": "UNIFIED", "coin": "USDT"}))[
        "list"
    ]
    (coin,) = wallet["coin"]
    return Decimal(coin["walletBalance"])


async def test_an_isolated_position_that_is_liquidated_costs_its_margin(pit: Pit) -> None:
    """A long of 0.1 at 100010 with a leverage of ten has 1000.1 of its own.

    With 0.005 for maintenance and 0.00055 for closing it is liquidated where 1000.1 + 0.1 * (p - 100010) is
    0.1 * p * 0.00555, at 90009 / 0.99445 = 90511.34. What is left then goes to the insurance fund (help
    centre, "Liquidation Process").
    """
    await pit.place(LONG, price="100010", qty="0.1")
    before = await dollars(pit)
    (position,) = (await pit.get("/v5/position/list", SYMBOL))["list"]
    assert position["liqPrice"] == "90511.34"
    await pit.hold("BTC/USDT", "90511.4")
    assert (await pit.get("/v5/position/list", SYMBOL))["list"][0]["size"] == "0.1"
    await pit.hold("BTC/USDT", "90511.3")
    assert (await pit.get("/v5/position/list", SYMBOL))["list"][0]["size"] == "0"
    assert before - await dollars(pit) == Decimal("1000.1")


async def test_its_transactions_come_to_that(pit: Pit) -> None:
    await pit.place(LONG, price="100010", qty="0.1")
    await pit.hold("BTC/USDT", "90511.3")
    listed: list[Any] = (await pit.get("/v5/account/transaction-log", {"type": "LIQUIDATION"}))["list"]
    assert sum(Decimal(one["change"]) for one in listed) == Decimal("-1000.1")
    assert Decimal(listed[0]["cashBalance"]) == await dollars(pit)
    (trade, *_) = await pit.trades(LINEAR)
    assert (trade["execType"], trade["createType"], trade["closedSize"]) == (
        "BustTrade",
        "CreateByLiq",
        "0.100",
    )
