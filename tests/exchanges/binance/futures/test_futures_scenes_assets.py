"""A whole story of an account whose assets stand together, over signed requests; figures reckoned by hand.

Formulas: docs/futures-maths.md. Stablecoins count for a dollar less 0.1 % where they are owned and for as
much more where they are owed, bitcoins for 5 % less; half of that holds where one is exchanged for another.
Takers pay 0.05 %.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal

import pytest

from tests.exchanges.binance.futures.stage import SECOND_US, Stage, decimals

pytestmark = pytest.mark.anyio


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    """Alice has 1000 USDT, 5000 USDC and 1 BTC, and BTC is at 100000."""
    async with Stage.played() as stage:
        await stage.post("/sapi/v1/asset/transfer", type="UMFUTURE_MAIN", asset="USDT", amount="99000")
        for asset, amount in (("USDC", "5000"), ("BTC", "1")):
            await stage.deposit(asset, amount, "usdm")
        await stage.quote("99990", "100010")
        yield stage


async def amounts(stage: Stage) -> dict[str, Decimal]:
    balances = await stage.get("/fapi/v3/balance")
    return {
        one["asset"]: Decimal(one["balance"]) for one in balances if one["asset"] in ("BTC", "USDC", "USDT")
    }


async def exchanges(stage: Stage) -> list[tuple[str, Decimal]]:
    rows = await stage.get("/fapi/v1/income", incomeType="AUTO_EXCHANGE")
    return [(row["asset"], Decimal(row["income"])) for row in rows]


async def test_all_assets_stand_for_a_position_until_they_are_lost(stage: Stage) -> None:
    # 999 + 4995 + 95000 = 100994 dollars; 19 BTC at 20x need 95009.5 USDT, which are 95104.5095.
    code, text = await stage.no("POST", "order", symbol="BTCUSDT", side="BUY", type="MARKET", quantity="19")
    assert (code, text) == (-2019, "Margin is insufficient.")
    await stage.ok("POST", "multiAssetsMargin", multiAssetsMargin="true")
    account = await stage.get("/fapi/v3/account")
    assert Decimal(account["totalMarginBalance"]) == 100_994
    await stage.taken("BUY", "19", "100010")
    # The fee was 950.095.
    assert (await amounts(stage))["USDT"] == Decimal("49.905")

    # 2 * -1020 and a fee of 98.99 are more than there is: USDT is owed.
    await stage.quote("98990", "99010")
    await stage.taken("SELL", "2", "98990")
    await stage.step(2 * SECOND_US)
    assert await amounts(stage) == {
        "USDT": Decimal("-2089.085"),
        "USDC": Decimal(5000),
        "BTC": Decimal(1),
    }
    assert await exchanges(stage) == []

    # 4 * -2020 and 195.98 more: 10365.065 are owed, which are more than 10000. They cost 10370.2475325
    # dollars of 102497.5: of 97500 in BTC and 4997.5 in USDC. The same share of both is given.
    await stage.quote("97990", "98010")
    await stage.taken("SELL", "4", "97990")
    await stage.step(2 * SECOND_US)
    assert await exchanges(stage) == [
        ("BTC", Decimal("-0.10117561")),
        ("USDT", Decimal("9859.69212893")),
        ("USDC", Decimal("-505.87849676")),
        ("USDT", Decimal("505.37287107")),
    ]
    assert await amounts(stage) == {
        "USDT": Decimal(0),
        "USDC": Decimal("4494.12150324"),
        "BTC": Decimal("0.89882439"),
    }

    # 10 BTC without a profit; their fee of 500.05 is owed again. 3 BTC need some 15017 of the 22877 dollars
    # that are left without 0.7 BTC; another 0.09 BTC, which count for 8550, may not leave.
    await stage.quote("100010", "100030")
    await stage.step(31 * SECOND_US)
    await stage.taken("SELL", "10", "100010")
    way = {"type": "UMFUTURE_MAIN", "asset": "BTC"}
    await stage.post("/sapi/v1/asset/transfer", **way, amount="0.7")
    assert (await stage.refusal("POST", "/sapi/v1/asset/transfer", **way, amount="0.09"))[0] == 400

    # 95000 * 0.19882439 + 0.999 * 4494.12150324 = 23377.94443174 stand for 23354.58984189 USDT. With -500.05
    # and 3 * (p - 100010), and 0.4 % of 3 * p to be kept, all is lost below
    # (1.001 * 300530.05 - 23377.944) / (1.001 * 2.988) = 92762.87.
    await stage.quote("92800", "92820")
    await stage.step(31 * SECOND_US)
    assert await stage.positions() == {"BOTH": decimals("3", "100010")}
    await stage.quote("92700", "92720")
    await stage.step(31 * SECOND_US)
    assert await stage.positions() == {}
    (forced,) = await stage.ok("GET", "forceOrders")
    # Nothing would be left at (300030 + 500.05 - 23354.58984189) / 3 = 92391.82005.
    assert decimals(forced["price"], forced["avgPrice"]) == decimals("92391.9", "92700")
    # 3 * -7310. Of the fee, 1.25 % of 278100, there are 23354.58984189 - 22430.05.
    assert (await stage.incomes("REALIZED_PNL"))[-1] == -21930
    assert await stage.incomes("INSURANCE_CLEAR") == [Decimal("-924.53984189")]
    # All that is owed is bought: 23366.26713681 of 19385.37802500 + 4491.87444249 dollars. Since half of the
    # haircut holds, something is left.
    assert (await exchanges(stage))[4:] == [
        ("BTC", Decimal("-0.19456944")),
        ("USDT", Decimal("18961.03988005")),
        ("USDC", Decimal("-4397.94570968")),
        ("USDT", Decimal("4393.54996184")),
    ]
    assert await amounts(stage) == {
        "USDT": Decimal(0),
        "USDC": Decimal("96.17579356"),
        "BTC": Decimal("0.00425495"),
    }
    await stage.ok("POST", "multiAssetsMargin", multiAssetsMargin="false")
