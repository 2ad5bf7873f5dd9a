"""What orders and positions cost and bring, over the wire: a linear and an inverse example each, by hand.

A taker pays 0.055 %; leverage is ten unless chosen. What is held by hand is index, mark and last price alike.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest

from emulator.core.commands import Deposit, Withdraw
from emulator.exchanges.bybit.running import UNIFIED
from tests.exchanges.bybit.treasury import INVERSE, LINEAR, Treasury

pytestmark = pytest.mark.anyio

HOUR_US = 3_600 * 1_000_000
SETTLEMENTS = {"type": "SETTLEMENT"}

BUY_LINEAR: dict[str, Any] = {
    "category": "linear",
    "symbol": "BTCUSDT",
    "side": "Buy",
    "orderType": "Limit",
    "qty": "0.1",
    "price": "99000",
}
BUY_INVERSE: dict[str, Any] = {**BUY_LINEAR, "category": "inverse", "symbol": "BTCUSD", "qty": "1000"}


@pytest.fixture
async def pit() -> AsyncIterator[Treasury]:
    async with Treasury() as pit:
        yield pit


async def leave(pit: Treasury, coin: str, amount: str) -> None:
    """So much of a coin, and no more."""
    account, had = pit.sandbox.accounts["alice"], Decimal((await pit.coin(coin))["walletBalance"])
    await pit.do(
        Withdraw(account=account, wallet=UNIFIED, asset=coin, amount=had - Decimal(amount), fee=Decimal(0))
    )


# Order cost


@pytest.mark.parametrize(
    ("order", "coin", "cost", "step"),
    [
        # 9900 / 10; for opening 9900 * 0.00055 and for closing 8910 * 0.00055 ("Order Cost (USDT Contract)")
        (BUY_LINEAR, "USDT", "1000.3455", "0.0001"),
        # Sold for 10100 it is closed at 11 / 10 of that: 1010 + 5.555 + 6.1105
        ({**BUY_LINEAR, "side": "Sell", "price": "101000"}, "USDT", "1021.6655", "0.0001"),
        # 0.0101010101... / 10; 0.00000555..., and 11 / 10 of it, 0.00000611..., both upwards
        (BUY_INVERSE, "BTC", "0.00102178", "0.00000001"),
    ],
)
async def test_an_order_needs_its_margin_and_both_fees(
    pit: Treasury, order: dict[str, Any], coin: str, cost: str, step: str
) -> None:
    await pit.margin_mode("ISOLATED_MARGIN")
    await leave(pit, coin, str(Decimal(cost) - Decimal(step)))
    assert (await pit.no("POST", "/v5/order/create", order))[0] == 110007
    account = pit.sandbox.accounts["alice"]
    await pit.do(Deposit(account=account, wallet=UNIFIED, asset=coin, amount=Decimal(step), reference=""))
    await pit.place(order)


# Entry, profit, break-even


async def test_a_linear_entry_is_the_average_of_its_prices(pit: Treasury) -> None:
    await pit.book(LINEAR, [("99990", "5")], [("100000", "0.1"), ("100400", "5")])
    await pit.trade(LINEAR, "0.4")
    one = await pit.position()
    # (0.1 * 100000 + 0.3 * 100400) / 0.4
    assert (one["avgPrice"], one["positionValue"]) == ("100300", "40120")
    await pit.hold("BTC/USDT", "101000")
    # 0.4 * 700; fees of 40120 * 0.00055 = 22.066
    assert ((await pit.position())["unrealisedPnl"], one["curRealisedPnl"]) == ("280", "-22.066")
    # (40120 + 22.066) / (0.4 * 0.99945) = 40142.066 / 0.39978
    assert one["breakEvenPrice"] == "100410.39071489"


async def test_an_inverse_entry_is_a_harmonic_average(pit: Treasury) -> None:
    await pit.book(INVERSE, [("99990", "500000")], [("100000", "1000"), ("102400", "500000")])
    await pit.trade(INVERSE, "4000")
    one = await pit.position("BTCUSD", "inverse")
    # 4000 / (1000 / 100000 + 3000 / 102400) = 4000 / 0.039296875
    assert (one["avgPrice"], one["positionValue"]) == ("101789.26441352", "0.03929688")
    await pit.hold("BTC/USD", "160000")
    # 0.039296875 - 4000 / 160000; fees of 0.01 * 0.00055 and of 0.029296875 * 0.00055 = 0.0000161132...
    one = await pit.position("BTCUSD", "inverse")
    assert (one["unrealisedPnl"], one["curRealisedPnl"]) == ("0.01429688", "-0.00002161")
    # 4000 * 1.00055 / (0.039296875 - 0.00002161) = 4002.2 / 0.039275265
    assert one["breakEvenPrice"] == "101901.28570743"


async def test_a_short_gains_as_the_price_falls(pit: Treasury) -> None:
    await pit.trade(LINEAR, "-0.1")
    await pit.trade(INVERSE, "-1000")
    await pit.hold("BTC/USDT", "80000")
    await pit.hold("BTC/USD", "80000")
    # 0.1 * (99990 - 80000); 1000 / 80000 - 1000 / 99990 = 0.0125 - 0.0100010001...
    assert (await pit.position())["unrealisedPnl"] == "1999"
    assert (await pit.position("BTCUSD", "inverse"))["unrealisedPnl"] == "0.002499"


# Maintenance margin


async def test_a_higher_tier_takes_something_off(pit: Treasury) -> None:
    """2200000 is in the second tier: 0.56 % less 1200; for closing 9 / 10 of it * 0.00055."""
    await pit.book(LINEAR, [("99990", "30")], [("100010", "30")])
    await pit.trade(LINEAR, "22")
    one = await pit.position()
    assert (one["riskId"], one["riskLimitValue"], one["markPrice"]) == (2, "2600000", "100000")
    # 12320 - 1200 + 1089
    assert one["positionMM"] == "12209"


async def test_a_higher_tier_of_an_inverse_contract_does_so_in_coins(pit: Treasury) -> None:
    """200 BTC are in the second tier, which begins at 150 and keeps 1 %: 0.75 are taken off. For closing are
    11 / 10 of them * 0.00055."""
    account = pit.sandbox.accounts["alice"]
    await pit.do(Deposit(account=account, wallet=UNIFIED, asset="BTC", amount=Decimal(100), reference=""))
    await pit.book(INVERSE, [("99990", "30000000")], [("100000", "30000000")])
    await pit.place(BUY_INVERSE, qty="20000000", price="100000")
    one = await pit.position("BTCUSD", "inverse")
    assert (one["size"], one["markPrice"], one["riskId"]) == ("20000000", "100000", 2)
    # 2 - 0.75 + 0.121
    assert one["positionMM"] == "1.371"


# Funding


async def test_funding_is_paid_for_the_worth_at_the_mark_price(pit: Treasury) -> None:
    """The worth of 0.1 at 120000 is 12000, of 1000 dollars at 125000 it is 0.008."""
    await pit.trade(LINEAR, "0.1")
    await pit.trade(INVERSE, "1000")
    await pit.hold("BTC/USDT", "120000")
    await pit.hold("BTC/USD", "125000")
    before = {coin: Decimal((await pit.coin(coin))["walletBalance"]) for coin in ("USDT", "BTC")}
    await pit.step(2 * HOUR_US)
    for category, symbol, coin, worth in (
        ("linear", "BTCUSDT", "USDT", Decimal(12000)),
        ("inverse", "BTCUSD", "BTC", Decimal("0.008")),
    ):
        asked = {"category": category, "symbol": symbol}
        rate = Decimal((await pit.get("/v5/market/funding/history", asked))["list"][0]["fundingRate"])
        assert rate
        (paid,) = (await pit.get("/v5/execution/list", {**asked, "execType": "Funding"}))["list"]
        due = (worth * rate).quantize(Decimal("1E-8"))
        assert Decimal(paid["execFee"]) == due
        (line,) = (await pit.get("/v5/account/transaction-log", {**SETTLEMENTS, "currency": coin}))["list"]
        assert Decimal(line["funding"]) == -due
        assert Decimal((await pit.coin(coin))["walletBalance"]) == before[coin] - due


# Totals of the wallet


async def test_totals_count_coins_at_their_index(pit: Treasury) -> None:
    """Inverse profit is in bitcoin: 0.002 of it after fees of 0.0000055 at 125000."""
    await pit.book(INVERSE, [("99990", "500000")], [("100000", "500000")])
    await pit.trade(INVERSE, "1000")
    await pit.hold("BTC/USD", "125000")
    await pit.hold("BTC/USDT", "125000")
    wallet = await pit.wallet()
    # (10 - 0.0000055) * 125000 and 0.002 * 125000, with a million of USDT
    assert (wallet["totalWalletBalance"], wallet["totalPerpUPL"]) == ("2249999.3125", "250")
    assert wallet["totalEquity"] == wallet["totalMarginBalance"] == "2250249.3125"
    # 0.008 / 10 and 0.0088 * 0.00055 = 0.00080484, and 0.008 * 0.005 with the same fee
    assert (wallet["totalInitialMargin"], wallet["totalMaintenanceMargin"]) == ("100.605", "5.605")
    # Ten count with 0.98 and what is beyond with 0.95: 1000000 + (9.8 + 0.001894775) * 125000 - 100.605
    assert wallet["totalAvailableBalance"] == "2225136.241875"


async def test_what_was_borrowed_is_in_the_wallet_and_no_part_of_the_equity(pit: Treasury) -> None:
    """equity = walletBalance - spotBorrow + unrealisedPnl ("Get Wallet Balance"). The margin balance has
    it taken off as well (help centre, "Trading Terms and Formulas in Unified Trading Account")."""
    await pit.post("/v5/account/borrow", {"coin": "BTC", "amount": "2"})
    wallet = await pit.wallet()
    bitcoin = next(one for one in wallet["coin"] if one["coin"] == "BTC")
    assert (bitcoin["walletBalance"], bitcoin["spotBorrow"], bitcoin["equity"]) == ("12", "2", "10")
    assert wallet["totalWalletBalance"] == "2200000"
    assert wallet["totalEquity"] == wallet["totalMarginBalance"] == "2000000"
    # 1000000 + 10 * 100000 * 0.98 - 20000 that owing two takes
    assert wallet["totalAvailableBalance"] == "1960000"
