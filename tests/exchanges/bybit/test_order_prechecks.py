"""What an order would come to before it is placed (docs/v5/order/pre-check-order, spot-borrow-quota)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import ROUND_DOWN, Decimal

import pytest

from emulator.core.commands import SetAccountMargin, SetSpotMargin, Withdraw
from emulator.core.numbers import ONE, ZERO
from emulator.core.positions import AccountMargin
from emulator.exchanges.bybit.running import UNIFIED
from tests.exchanges.bybit.pit import BUY, FUNDS, INVERSE, LINEAR, LONG, SELL, SHORT, SPOT, Pit

pytestmark = pytest.mark.anyio

PATH = "/v5/order/pre-check"
QUOTA = "/v5/order/spot-borrow-check"


@pytest.fixture
async def pit() -> AsyncIterator[Pit]:
    """Alice has a million dollars and nothing else."""
    async with Pit() as pit:
        await pit.do(
            Withdraw(
                account=pit.sandbox.accounts["alice"],
                wallet=UNIFIED,
                asset="BTC",
                amount=FUNDS["BTC"],
                fee=ZERO,
            )
        )
        yield pit


async def test_an_order_is_checked_and_not_placed(pit: Pit) -> None:
    """10 BTC at 99000 are worth 990000: at a leverage of ten 99000 of a million and for closing
    990000 * 9 / 10 * 0.00055, so 99490.05; to be kept 0.005 of the first tier and the same fee, 5440.05."""
    checked = await pit.post(PATH, {**LONG, "qty": "10", "orderLinkId": "mine"})
    assert (checked["preImrE4"], checked["preMmrE4"], checked["orderLinkId"]) == (0, 0, "mine")
    assert (checked["postImrE4"], checked["postMmrE4"]) == (995, 54)
    assert await pit.open(LINEAR) == []
    # It is the id that the next order gets.
    assert checked["orderId"] == await pit.place(LONG)


async def test_what_reduces_asks_for_less(pit: Pit) -> None:
    await pit.place(LONG, price="100010", qty="1")
    checked = await pit.post(PATH, {**SHORT, "qty": "1", "price": "100000"})
    assert checked["preImrE4"] > checked["postImrE4"]
    assert checked["preMmrE4"] > checked["postMmrE4"]


async def test_an_order_that_is_not_covered_is_refused_with_its_rates(pit: Pit) -> None:
    reply = await pit.ask("POST", PATH, {**LONG, "qty": "110"})
    body = reply.json
    assert (body["retCode"], body["result"]) == (110007, {})
    # 10890000 / 10 and 10890000 * 9 / 10 * 0.00055 are 1094390.55 of a million.
    assert body["retExtInfo"]["post_imr_e4"] == 10944
    assert set(body["retExtInfo"]) == {
        "future_order_id",
        "future_order_link_id",
        "post_imr_e4",
        "post_mmr_e4",
    }
    body = (await pit.ask("POST", PATH, {**LONG, "qty": "0.0015", "orderLinkId": "x"})).json
    assert body["retCode"] == 10001
    assert body["retExtInfo"]["future_order_link_id"] == "x"


async def test_what_is_not_checked(pit: Pit) -> None:
    assert (await pit.no("POST", PATH, BUY))[0] == 10001
    inverse = {**LONG, "category": INVERSE, "symbol": "BTCUSD", "qty": "100"}
    assert (await pit.no("POST", PATH, inverse))[0] == 10001
    waiting = {**LONG, "triggerPrice": "101000", "triggerDirection": 1}
    assert (await pit.no("POST", PATH, waiting))[0] == 10001
    account = pit.sandbox.accounts["alice"]
    await pit.do(SetAccountMargin(account=account, wallet=UNIFIED, mode=AccountMargin.ISOLATED))
    assert (await pit.no("POST", PATH, LONG))[0] == 110077


async def test_the_quota_of_a_pair_without_borrowing(pit: Pit) -> None:
    quota = await pit.get(QUOTA, {"category": SPOT, "symbol": "BTCUSDT", "side": "Buy"})
    assert quota == {
        "symbol": "BTCUSDT",
        "side": "Buy",
        "maxTradeQty": "10",
        "maxTradeAmount": "1000000",
        "spotMaxTradeQty": "10",
        "spotMaxTradeAmount": "1000000",
        "borrowCoin": "USDT",
    }
    quota = await pit.get(QUOTA, {"category": SPOT, "symbol": "BTCUSDT", "side": "Sell"})
    assert (quota["maxTradeQty"], quota["spotMaxTradeAmount"], quota["borrowCoin"]) == ("0", "0", "BTC")


async def test_the_quota_with_borrowing_is_what_may_be_sold(pit: Pit) -> None:
    account = pit.sandbox.accounts["alice"]
    await pit.do(SetSpotMargin(account=account, wallet=UNIFIED, on=True))
    quota = await pit.get(QUOTA, {"category": SPOT, "symbol": "BTCUSDT", "side": "Sell"})
    assert quota["spotMaxTradeQty"] == "0"
    assert float(quota["maxTradeQty"]) > 1
    assert (await pit.refused(SELL, qty="0.01"))[0] == 170131
    order = await pit.find(await pit.place(SELL, qty="0.01", isLeverage=1))
    assert order["isLeverage"] == "1"
    assert (await pit.refused(SELL, qty=str(float(quota["maxTradeQty"]) * 2), isLeverage=1))[0] == 170034


@pytest.mark.parametrize(("side", "unit"), [("Buy", "maxTradeAmount"), ("Sell", "maxTradeQty")])
async def test_the_quota_with_borrowing_can_be_traded(pit: Pit, side: str, unit: str) -> None:
    """At the market, where what is bought counts for less than what is owed, and a fee is paid."""
    account = pit.sandbox.accounts["alice"]
    await pit.do(SetSpotMargin(account=account, wallet=UNIFIED, on=True, leverage=ONE * 5))
    away = FUNDS["USDT"] - 10_000
    await pit.do(Withdraw(account=account, wallet=UNIFIED, asset="USDT", amount=away, fee=ZERO))
    quota = await pit.get(QUOTA, {"category": SPOT, "symbol": "BTCUSDT", "side": side})
    most = Decimal(quota[unit])
    more = (most * Decimal("1.01")).quantize(Decimal("0.0001"))
    market = {**BUY, "side": side, "orderType": "Market", "price": None, "isLeverage": 1}
    assert (await pit.refused(market, qty=str(more)))[0] in (170131, 170034)
    order = {name: value for name, value in market.items() if value is not None}
    placed = await pit.find(await pit.place(order, qty=str(most.quantize(Decimal("0.0001"), ROUND_DOWN))))
    # An order by value leaves what is too little for another step of the pair's quantity.
    assert placed["orderStatus"] == ("PartiallyFilledCanceled" if side == "Buy" else "Filled")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"category": LINEAR}, 10001),
        ({"symbol": "XYZ"}, 170121),
        ({"side": "buy"}, 170117),
        ({"side": ""}, 10001),
    ],
)
async def test_a_quota_that_there_is_not(pit: Pit, changes: dict[str, str], code: int) -> None:
    values = {"category": SPOT, "symbol": "BTCUSDT", "side": "Buy", **changes}
    assert (await pit.no("GET", QUOTA, values))[0] == code
