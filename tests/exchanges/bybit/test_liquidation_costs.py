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
    """A long of 0.1 at 100010 with a leverage of ten has 1000.1 of its own and, for closing at nine tenths of
    that price, 9000.9 * 0.00055 = 4.950495.

    With 0.005 for maintenance and 0.00055 for closing it is liquidated where 1005.050495 + 0.1 * (p - 100010)
    is 0.1 * p * 0.00555, at 89959.49505 / 0.99445 = 90461.56. What is left then goes to the insurance fund
    (help centre, "Liquidation Process").
    """
    await pit.place(LONG, price="100010", qty="0.1")
    before = await dollars(pit)
    (position,) = (await pit.get("/v5/position/list", SYMBOL))["list"]
    assert position["liqPrice"] == "90461.56"
    await pit.hold("BTC/USDT", "90461.6")
    assert (await pit.get("/v5/position/list", SYMBOL))["list"][0]["size"] == "0.1"
    await pit.hold("BTC/USDT", "90461.5")
    assert (await pit.get("/v5/position/list", SYMBOL))["list"][0]["size"] == "0"
    assert before - await dollars(pit) == Decimal("1005.050495")


async def test_its_transactions_come_to_that(pit: Pit) -> None:
    await pit.place(LONG, price="100010", qty="0.1")
    await pit.hold("BTC/USDT", "90461.5")
    listed: list[Any] = (await pit.get("/v5/account/transaction-log", {"type": "LIQUIDATION"}))["list"]
    assert sum(Decimal(one["change"]) for one in listed) == Decimal("-1005.050495")
    assert Decimal(listed[0]["cashBalance"]) == await dollars(pit)
    (trade, *_) = await pit.trades(LINEAR)
    assert (trade["execType"], trade["createType"], trade["closedSize"]) == (
        "BustTrade",
        "CreateByLiq",
        "0.100",
    )
