"""What is open, who holds it, what takers did, and how far contracts are from their index."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest

from emulator.core.instruments import Side
from emulator.exchanges.binance.futures.products import COINM, USDM, Product
from tests.exchanges.binance.futures.bourse import HOUR_US, MINUTE_US, Bourse

pytestmark = pytest.mark.anyio

EIGHT = Decimal("0.00000001")
PAIRS = {USDM: "BTCUSDT", COINM: "BTCUSD"}
SYMBOLS = {USDM: "BTCUSDT", COINM: "BTCUSD_PERP"}
EACH = pytest.mark.parametrize("product", [USDM, COINM], ids=repr)

Row = Sequence[Any]


def summed(values: Sequence[str]) -> Decimal:
    return sum((Decimal(value) for value in values), Decimal(0))


def minute_ms(bourse: Bourse, back: int) -> int:
    return (bourse.now_us // MINUTE_US - back) * 60_000


async def test_what_accounts_have_open_is_added() -> None:
    async with Bourse() as bourse:
        before = Decimal((await bourse.usdm("/v1/openInterest", symbol="BTCUSDT"))["openInterest"])
        await bourse.trade(USDM.listings["BTCUSDT"], Side.BUY, "0.7")
        after = Decimal((await bourse.usdm("/v1/openInterest", symbol="BTCUSDT"))["openInterest"])
        await bourse.trade(USDM.listings["BTCUSDT"], Side.SELL, "1.0")
        turned = Decimal((await bourse.usdm("/v1/openInterest", symbol="BTCUSDT"))["openInterest"])
    assert after - before == Decimal("0.7")
    assert turned - before == Decimal("0.3")


async def test_the_history_of_what_is_open_agrees_with_what_is_open() -> None:
    async with Bourse() as bourse:
        await bourse.step_to((bourse.now_us // HOUR_US + 1) * HOUR_US)
        now = await bourse.usdm("/v1/openInterest", symbol="ETHUSDT")
        (newest,) = await bourse.usdm(
            "/futures/data/openInterestHist", symbol="ETHUSDT", period="1h", limit=1
        )
        premium = await bourse.usdm("/v1/premiumIndex", symbol="ETHUSDT")
        coins = [
            await bourse.coinm("/v1/openInterest", symbol=symbol)
            for symbol in ("ETHUSD_PERP", "ETHUSD_260925", "ETHUSD_261225")
        ]
        (of_pair,) = await bourse.coinm("/futures/data/openInterestHist", pair="ETHUSD", period="1h", limit=1)
        (of_type,) = await bourse.coinm(
            "/futures/data/openInterestHist",
            pair="ETHUSD",
            period="1h",
            limit=1,
            contractType="CURRENT_QUARTER",
        )
        later = await bourse.usdm("/futures/data/openInterestHist", symbol="ETHUSDT", period="5m", limit=13)
        await bourse.step(3 * HOUR_US)
        again = await bourse.usdm(
            "/futures/data/openInterestHist",
            symbol="ETHUSDT",
            period="1h",
            endTime=newest["timestamp"],
            limit=1,
        )
    assert newest["timestamp"] == now["time"]
    assert Decimal(newest["sumOpenInterest"]) == Decimal(now["openInterest"])
    worth = Decimal(now["openInterest"]) * Decimal(premium["markPrice"])
    assert Decimal(newest["sumOpenInterestValue"]) == worth.quantize(EIGHT)
    assert Decimal(of_pair["sumOpenInterest"]) == summed([one["openInterest"] for one in coins])
    assert of_type["sumOpenInterest"] == coins[1]["openInterest"]
    assert later[-1] == newest
    assert again == [newest], "history does not change"


@EACH
async def test_shares_of_long_and_short_are_the_whole(product: Product) -> None:
    asked = {"symbol": "BTCUSDT"} if product is USDM else {"pair": "BTCUSD"}
    async with Bourse() as bourse:
        for name in ("topLongShortAccountRatio", "topLongShortPositionRatio", "globalLongShortAccountRatio"):
            rows = await bourse.take(product, f"/futures/data/{name}", period="5m", limit=500, **asked)
            assert len(rows) == 500
            word = "Position" if product is COINM and "Position" in name else "Account"
            for row in rows:
                long, short = Decimal(row[f"long{word}"]), Decimal(row[f"short{word}"])
                assert long + short == 1
                assert Decimal(row["longShortRatio"]) == (long / short).quantize(Decimal("0.0001"))
            assert len({row["longShortRatio"] for row in rows}) > 100


@EACH
async def test_what_takers_did_is_in_the_klines(product: Product) -> None:
    async with Bourse() as bourse:
        klines = await bourse.take(product, "/v1/klines", symbol=SYMBOLS[product], interval="15m", limit=5)
        if product is USDM:
            rows = await bourse.usdm(
                "/futures/data/takerlongshortRatio", symbol="BTCUSDT", period="15m", limit=4
            )
            found = [(row["timestamp"], Decimal(row["buyVol"]), Decimal(row["sellVol"])) for row in rows]
        else:
            rows = await bourse.coinm(
                "/futures/data/takerBuySellVol",
                pair="BTCUSD",
                contractType="PERPETUAL",
                period="15m",
                limit=4,
            )
            found = [
                (row["timestamp"], Decimal(row["takerBuyVol"]), Decimal(row["takerSellVol"])) for row in rows
            ]
            for row, kline in zip(rows, klines, strict=False):
                value = Decimal(row["takerBuyVolValue"])
                assert value == Decimal(kline[10]).quantize(Decimal("0.0001"))
    # The kline that is still open is not among them.
    assert found == [(row[0], Decimal(row[9]), Decimal(row[5]) - Decimal(row[9])) for row in klines[:-1]]


@EACH
async def test_a_basis_is_a_price_less_its_index(product: Product) -> None:
    pair = PAIRS[product]
    async with Bourse() as bourse:
        for kind, symbol in (("PERPETUAL", SYMBOLS[product]), ("CURRENT_QUARTER", f"{pair}_260925")):
            rows = await bourse.take(
                product, "/futures/data/basis", pair=pair, contractType=kind, period="1h", limit=3
            )
            assert len(rows) == 3
            for row in rows:
                (index,) = await bourse.take(
                    product,
                    "/v1/indexPriceKlines",
                    pair=pair,
                    interval="1h",
                    endTime=row["timestamp"],
                    limit=1,
                )
                (kline,) = await bourse.take(
                    product, "/v1/klines", symbol=symbol, interval="1m", endTime=row["timestamp"] - 1, limit=1
                )
                assert row["indexPrice"] == index[1]
                assert row["futuresPrice"] == kline[4]
                basis = Decimal(row["futuresPrice"]) - Decimal(row["indexPrice"])
                assert Decimal(row["basis"]) == basis
                assert row["basisRate"].lstrip("-") == f"{abs(basis) / Decimal(index[1]):.4f}"
                assert (row["annualizedBasisRate"] == "") is (kind == "PERPETUAL")
