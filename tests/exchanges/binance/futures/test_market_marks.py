"""Marks of contracts as the public endpoints tell them: index, funding, deliveries."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest

from emulator.core.commands import PriceMode, SetPrice
from emulator.exchanges.binance.futures.products import COINM, USDM, Product
from tests.exchanges.binance.futures.bourse import HOUR_US, MINUTE_US, SECOND_US, Bourse

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


# Marks


@EACH
async def test_marks_are_where_their_klines_close(product: Product) -> None:
    async with Bourse() as bourse:
        for _ in range(3):
            premium = await bourse.take(product, "/v1/premiumIndex", symbol=SYMBOLS[product])
            if product is COINM:
                (premium,) = premium
            (mark,) = await bourse.take(
                product, "/v1/markPriceKlines", symbol=SYMBOLS[product], interval="1m", limit=1
            )
            (index,) = await bourse.take(
                product, "/v1/indexPriceKlines", pair=PAIRS[product], interval="1m", limit=1
            )
            assert premium["markPrice"] == mark[4]
            assert premium["indexPrice"] == index[4]
            assert premium["time"] == bourse.now_us // SECOND_US * 1000
            # One price each second, from the opening on.
            assert mark[8] == index[8] == (premium["time"] - mark[0]) // 1000 + 1
            await bourse.step(41 * SECOND_US)


async def test_the_index_is_the_same_for_all_contracts_of_a_pair() -> None:
    async with Bourse() as bourse:
        premiums = {one["symbol"]: one for one in await bourse.usdm("/v1/premiumIndex")}
        (constituent,) = (await bourse.usdm("/v1/constituents", symbol="BTCUSDT"))["constituents"]
        asset = await bourse.usdm("/v1/assetIndex", symbol="BTCUSD")
    symbols = ("BTCUSDT", "BTCUSDT_260925", "BTCUSDT_261225")
    indexes = {premiums[symbol]["indexPrice"] for symbol in symbols}
    assert indexes == {constituent["price"]} == {asset["index"]}
    # 5 % either way, and half of it where it is exchanged by itself.
    index = Decimal(asset["index"])
    for name, factor in (
        ("bidRate", "0.95"),
        ("askRate", "1.05"),
        ("autoExchangeBidRate", "0.975"),
        ("autoExchangeAskRate", "1.025"),
    ):
        assert Decimal(asset[name]) == (index * Decimal(factor)).quantize(EIGHT)


async def test_only_perpetuals_pay_funding() -> None:
    """Index Price and Mark Price of COIN-M: empty rates, and no time of payment."""
    async with Bourse() as bourse:
        everything = [*await bourse.usdm("/v1/premiumIndex"), *await bourse.coinm("/v1/premiumIndex")]
        history = await bourse.coinm("/v1/fundingRate", symbol="BTCUSD_260925")
        now_us = bourse.now_us
    assert history == []
    quarterly = [one for one in everything if one["symbol"][-1].isdigit()]
    assert len(quarterly) == 8
    for one in quarterly:
        assert (one["lastFundingRate"], one["interestRate"], one["nextFundingTime"]) == ("", "", 0)
    for one in everything:
        if one not in quarterly:
            assert one["interestRate"] == "0.00010000"
            hours = 4 if one["symbol"] == "LPTUSDT" else 8
            assert one["nextFundingTime"] == (now_us // (hours * HOUR_US) + 1) * hours * 3_600_000


@pytest.mark.parametrize(
    ("product", "symbol", "hours"),
    [(USDM, "BTCUSDT", 8), (USDM, "LPTUSDT", 4), (COINM, "ETHUSD_PERP", 8)],
)
async def test_the_coming_rate_becomes_the_one_that_was_paid(
    product: Product, symbol: str, hours: int
) -> None:
    async with Bourse() as bourse:
        before = await bourse.take(product, "/v1/premiumIndex", symbol=symbol)
        due_ms = (before if product is USDM else before[0])["nextFundingTime"]
        await bourse.step_to(due_ms * 1000 - 1)
        coming = await bourse.take(product, "/v1/premiumIndex", symbol=symbol)
        coming = coming if product is USDM else coming[0]
        assert coming["nextFundingTime"] == due_ms
        await bourse.step(1)
        after = await bourse.take(product, "/v1/premiumIndex", symbol=symbol)
        after = after if product is USDM else after[0]
        history = await bourse.take(product, "/v1/fundingRate", symbol=symbol, limit=3)
    assert after["nextFundingTime"] == due_ms + hours * 3_600_000
    assert history[-1]["fundingTime"] == due_ms
    assert history[-1]["fundingRate"] == coming["lastFundingRate"]
    assert {newer["fundingTime"] - older["fundingTime"] for older, newer in pairwise(history)} == {
        hours * 3_600_000
    }
    if product is USDM:
        assert history[-1]["markPrice"] == after["markPrice"]
        assert history[-1]["rateType"] == "Regular"


async def test_payments_of_all_contracts_come_in_the_order_of_time() -> None:
    async with Bourse() as bourse:
        everything = await bourse.usdm("/v1/fundingRate")
        one = await bourse.usdm("/v1/fundingRate", symbol="SOLUSDT")
        first_ms = everything[-1]["fundingTime"] - 3 * 8 * 3_600_000
        since = await bourse.usdm("/v1/fundingRate", startTime=first_ms, limit=60)
    assert [row["fundingTime"] for row in everything] == sorted(row["fundingTime"] for row in everything)
    # Get Funding Rate History: the most recent 200 where no time is said.
    assert len(everything) == len(one) == 200
    found = [row for row in everything if row["symbol"] == "SOLUSDT"]
    assert found == one[-len(found) :]
    assert since[0]["fundingTime"] == first_ms
    assert len(since) == 60


@EACH
async def test_a_price_set_by_hand_is_seen_everywhere(product: Product) -> None:
    symbol, pair = SYMBOLS[product], "BTC/USDT" if product is USDM else "BTC/USD"
    async with Bourse() as bourse:
        await bourse.do(SetPrice(pair=pair, price=Decimal(90_000), mode=PriceMode.HOLD))
        premium = await bourse.take(product, "/v1/premiumIndex", symbol=symbol)
        price = await bourse.take(product, "/v1/ticker/price", symbol=symbol)
        if product is COINM:
            (premium,), (price,) = premium, price
        depth = await bourse.take(product, "/v1/depth", symbol=symbol, limit=5)
        (kline,) = await bourse.take(product, "/v1/klines", symbol=symbol, interval="1m", limit=1)
    assert premium["markPrice"] == premium["indexPrice"] == "90000.00000000"
    assert Decimal(price["price"]) == Decimal(kline[4]) == 90_000
    assert depth["asks"][0][0] == price["price"]


# Delivery


@EACH
async def test_a_contract_around_its_delivery(product: Product) -> None:
    """BTC*_260925 is delivered on 2026-09-25 at 08:00 (deliveryDate 1790323200000)."""
    pair, delivery_us = PAIRS[product], 1_790_323_200_000_000
    symbol = f"{pair}_260925"
    word = "status" if product is USDM else "contractStatus"

    async def listed(bourse: Bourse) -> dict[str, tuple[str, str, int]]:
        body = await bourse.take(product, "/v1/exchangeInfo")
        return {
            one["symbol"]: (one["contractType"], one[word], one["deliveryDate"])
            for one in body["symbols"]
            if one["pair"] == pair and one["contractType"] != "PERPETUAL"
        }

    async with Bourse(now_us=delivery_us - 1) as bourse:
        assert await listed(bourse) == {
            symbol: ("CURRENT_QUARTER", "TRADING", 1_790_323_200_000),
            f"{pair}_261225": ("NEXT_QUARTER", "TRADING", 1_798_185_600_000),
        }
        last = await bourse.take(product, "/v1/trades", symbol=symbol, limit=1)
        before = await bourse.take(product, "/futures/data/delivery-price", pair=pair)
        await bourse.step(1)
        assert await listed(bourse) == {
            symbol: ("CURRENT_QUARTER DELIVERING", "DELIVERING", 1_790_323_200_000),
            f"{pair}_261225": ("CURRENT_QUARTER", "TRADING", 1_798_185_600_000),
            f"{pair}_270326": ("NEXT_QUARTER", "TRADING", 1_806_048_000_000),
        }
        # Its market stands still.
        await bourse.step(30 * MINUTE_US)
        assert await bourse.take(product, "/v1/trades", symbol=symbol, limit=1) == last
        (kline,) = await bourse.take(product, "/v1/klines", symbol=symbol, interval="1h", limit=1)
        assert kline[6] == 1_790_323_200_000 - 1
        # As live hosts answer.
        assert await bourse.refusal(product, "/v1/openInterest", symbol=symbol) == (
            -4108,
            "Symbol is on delivering or delivered or settling or closed or pre-trading.",
        )

        delivered = await bourse.take(product, "/futures/data/delivery-price", pair=pair)
        assert delivered[1:] == before
        assert delivered[0]["deliveryTime"] == 1_790_323_200_000
        # The average of 1800 seconds is between those of the extremes of the thirty minutes.
        minutes = await bourse.take(
            product,
            "/v1/indexPriceKlines",
            pair=pair,
            interval="1m",
            startTime=1_790_323_200_000 - 30 * 60_000,
            endTime=1_790_323_200_000 - 1,
        )
        assert len(minutes) == 30
        price = Decimal(delivered[0]["deliveryPrice"])
        highest, lowest = (summed([row[column] for row in minutes]) / 30 for column in (2, 3))
        assert lowest < price < highest

        await bourse.step(30 * MINUTE_US)
        assert symbol not in await listed(bourse)
        assert await bourse.refusal(product, "/v1/depth", symbol=symbol) == (-1121, "Invalid symbol.")


@EACH
async def test_it_is_delivered_at_the_average_of_1800_seconds(product: Product) -> None:
    """The index at each second of the last half hour, as it is told at that second."""
    pair, delivery_us = PAIRS[product], 1_790_323_200_000_000
    told: list[str] = []
    async with Bourse(now_us=delivery_us - 30 * MINUTE_US) as bourse:
        for _ in range(30 * 60):
            premium = await bourse.take(product, "/v1/premiumIndex", symbol=SYMBOLS[product])
            told.append((premium if product is USDM else premium[0])["indexPrice"])
            await bourse.step(SECOND_US)
        (delivered, *_) = await bourse.take(product, "/futures/data/delivery-price", pair=pair)
    assert len(set(told)) > 100
    assert abs(Decimal(delivered["deliveryPrice"]) - summed(told) / 1800) <= EIGHT


@EACH
async def test_a_contract_that_is_not_listed_yet_is_no_symbol(product: Product) -> None:
    async with Bourse() as bourse:
        for path in ("/v1/depth", "/v1/trades", "/v1/premiumIndex", "/v1/ticker/24hr", "/v1/openInterest"):
            refusal = await bourse.refusal(product, path, symbol=f"{PAIRS[product]}_270326")
            assert refusal == (-1121, "Invalid symbol.")
