"""The public endpoints of futures tell one story: trades, books, klines and statistics."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest

from emulator.core.instruments import Side
from emulator.exchanges.binance.futures import MARGIN
from emulator.exchanges.binance.futures.products import COINM, USDM, Product
from tests.exchanges.binance.futures.bourse import DAY_US, HOUR_US, MINUTE_US, SECOND_US, Bourse

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


# Trades


@EACH
async def test_a_kline_is_the_sum_of_its_trades(product: Product) -> None:
    worth = "quoteQty" if product is USDM else "baseQty"
    async with Bourse() as bourse:
        start_ms = minute_ms(bourse, 1)
        symbol = SYMBOLS[product]
        aggregates = await bourse.take(
            product, "/v1/aggTrades", symbol=symbol, startTime=start_ms, endTime=start_ms + 59_999, limit=1000
        )
        trades = await bourse.take(
            product, "/v1/historicalTrades", symbol=symbol, fromId=aggregates[0]["a"], limit=len(aggregates)
        )
        (
            (opened, first, high, low, last, volume, closed, value, count, taken, taken_value, _),
        ) = await bourse.take(
            product, "/v1/klines", symbol=symbol, interval="1m", startTime=start_ms, endTime=start_ms
        )
    assert 10 < len(aggregates) < 1000
    assert [one["a"] for one in aggregates] == [one["id"] for one in trades]
    assert [(one["p"], one["q"], one["T"], one["m"]) for one in aggregates] == [
        (one["price"], one["qty"], one["time"], one["isBuyerMaker"]) for one in trades
    ]
    assert (opened, closed) == (start_ms, start_ms + 59_999)
    prices = [Decimal(one["price"]) for one in trades]
    assert [Decimal(text) for text in (first, high, low, last)] == [
        prices[0],
        max(prices),
        min(prices),
        prices[-1],
    ]
    assert count == len(trades)
    assert Decimal(volume) == summed([one["qty"] for one in trades])
    bought = [one for one in trades if not one["isBuyerMaker"]]
    assert Decimal(taken) == summed([one["qty"] for one in bought])
    for told, found in ((value, trades), (taken_value, bought)):
        exactly = summed([one[worth] for one in found])
        if product is USDM:
            assert Decimal(told) == exactly
        else:
            # What many contracts are worth in coin is reckoned at their average price.
            assert abs(Decimal(told) / exactly - 1) < Decimal("0.000001")


async def test_what_one_contract_is_worth_in_coin() -> None:
    """Recent Trades List of COIN-M: 1 contract of 100 USD at 9635.0 is 0.01037883 BTC."""
    async with Bourse() as bourse:
        for symbol, size in (("BTCUSD_PERP", 100), ("ETHUSD_PERP", 10)):
            for trade in await bourse.coinm("/v1/trades", symbol=symbol, limit=50):
                worth = Decimal(trade["qty"]) * size / Decimal(trade["price"])
                assert Decimal(trade["baseQty"]) == worth.quantize(EIGHT)
    assert (Decimal(100) / Decimal("9635.0")).quantize(EIGHT) == Decimal("0.01037883")


@EACH
async def test_statistics_of_a_day_are_those_of_its_klines(product: Product) -> None:
    async with Bourse() as bourse:
        day = await bourse.take(product, "/v1/ticker/24hr", symbol=SYMBOLS[product])
        if product is COINM:
            (day,) = day
        # It begins with a whole minute, so its klines cover it.
        assert day["openTime"] == (bourse.now_us - DAY_US) // MINUTE_US * 60_000
        klines = await bourse.take(
            product,
            "/v1/klines",
            symbol=SYMBOLS[product],
            interval="1m",
            startTime=day["openTime"],
            limit=1500,
        )
        (newest,) = await bourse.take(product, "/v1/trades", symbol=SYMBOLS[product], limit=1)
    assert klines[0][0] == day["openTime"]
    assert len(klines) == 1441
    assert day["openPrice"] == klines[0][1]
    assert day["lastPrice"] == klines[-1][4] == newest["price"]
    assert day["lastQty"] == newest["qty"]
    assert day["lastId"] == newest["id"]
    assert Decimal(day["highPrice"]) == max(Decimal(row[2]) for row in klines)
    assert Decimal(day["lowPrice"]) == min(Decimal(row[3]) for row in klines)
    assert Decimal(day["volume"]) == summed([row[5] for row in klines])
    assert day["count"] == sum(row[8] for row in klines) == day["lastId"] - day["firstId"] + 1
    assert Decimal(day["priceChange"]) == Decimal(day["lastPrice"]) - Decimal(day["openPrice"])
    value = summed([row[7] for row in klines])
    if product is USDM:
        assert Decimal(day["quoteVolume"]) == value.quantize(Decimal("0.01"))
        assert Decimal(day["weightedAvgPrice"]) == (value / Decimal(day["volume"])).quantize(Decimal("0.01"))
    else:
        assert abs(Decimal(day["baseVolume"]) / value - 1) < Decimal("0.001")


@EACH
async def test_latest_and_best_prices_are_those_of_trades_and_book(product: Product) -> None:
    symbol = SYMBOLS[product]
    async with Bourse() as bourse:
        for _ in range(5):
            depth = await bourse.take(product, "/v1/depth", symbol=symbol, limit=5)
            best = await bourse.take(product, "/v1/ticker/bookTicker", symbol=symbol)
            price = await bourse.take(product, "/v1/ticker/price", symbol=symbol)
            if product is COINM:
                (best,), (price,) = best, price
            (newest,) = await bourse.take(product, "/v1/trades", symbol=symbol, limit=1)
            assert depth["bids"][0] == [best["bidPrice"], best["bidQty"]]
            assert depth["asks"][0] == [best["askPrice"], best["askQty"]]
            assert depth["lastUpdateId"] == best["lastUpdateId"]
            assert depth["T"] == best["time"] == bourse.now_us // 1000
            assert (price["price"], price["time"]) == (newest["price"], newest["time"])
            assert Decimal(best["bidPrice"]) < Decimal(best["askPrice"])
            await bourse.step(7 * SECOND_US)
        if product is USDM:
            newer = await bourse.usdm("/v2/ticker/price", symbol=symbol)
            assert newer == await bourse.usdm("/v1/ticker/price", symbol=symbol)


async def test_a_depth_of_any_limit_is_the_beginning_of_a_deeper_one() -> None:
    async with Bourse() as bourse:
        whole = await bourse.usdm("/v1/depth", symbol="ETHUSDT", limit=1000)
        for limit in (5, 10, 20, 50, 100, 500):
            part = await bourse.usdm("/v1/depth", symbol="ETHUSDT", limit=limit)
            assert (part["bids"], part["asks"]) == (whole["bids"][:limit], whole["asks"][:limit])
            assert len(part["bids"]) == limit
        assert await bourse.usdm("/v1/rpiDepth", symbol="ETHUSDT") == whole


async def test_an_order_shows_in_the_book_at_once() -> None:
    listing = USDM.listings["BTCUSDT"]
    async with Bourse() as bourse:
        before = await bourse.usdm("/v1/depth", symbol="BTCUSDT", limit=5)
        price = before["bids"][0][0]
        await bourse.trade(listing, Side.BUY, "1.5", price)
        after = await bourse.usdm("/v1/depth", symbol="BTCUSDT", limit=5)
    assert Decimal(after["bids"][0][1]) == Decimal(before["bids"][0][1]) + Decimal("1.5")
    assert after["bids"][1:] == before["bids"][1:]
    assert after["lastUpdateId"] == before["lastUpdateId"] + 1


async def test_an_accounts_trade_is_on_the_tape() -> None:
    listing = COINM.listings["BTCUSD_PERP"]
    async with Bourse() as bourse:
        best = await bourse.coinm("/v1/ticker/bookTicker", symbol="BTCUSD_PERP")
        await bourse.trade(listing, Side.BUY, "3")
        (newest,) = await bourse.coinm("/v1/trades", symbol="BTCUSD_PERP", limit=1)
        (ticker,) = await bourse.coinm("/v1/ticker/price", symbol="BTCUSD_PERP")
    assert newest["price"] == ticker["price"] == best[0]["askPrice"]
    assert (newest["qty"], newest["isBuyerMaker"]) == ("3", False)


# Klines


@EACH
async def test_klines_of_a_contract_type_are_those_of_the_contract_of_then(product: Product) -> None:
    pair = PAIRS[product]
    # 2026-09-25 08:00: 260925 is delivered, and 261225 becomes the current quarter's.
    delivery_us = 1_790_323_200_000_000
    async with Bourse(now_us=delivery_us - 90 * MINUTE_US) as bourse:
        # What tells its market from that of the other one.
        await bourse.trade(product.listings[f"{pair}_260925"], Side.BUY, "1")
        await bourse.step_to(delivery_us + 3 * HOUR_US + 1)
        current = await bourse.take(
            product, "/v1/continuousKlines", pair=pair, contractType="CURRENT_QUARTER", interval="1h", limit=6
        )
        perpetual = await bourse.take(
            product, "/v1/continuousKlines", pair=pair, contractType="PERPETUAL", interval="1h", limit=6
        )
        following = await bourse.take(product, "/v1/klines", symbol=f"{pair}_261225", interval="1h", limit=6)
        itself = await bourse.take(product, "/v1/klines", symbol=SYMBOLS[product], interval="1h", limit=6)
        next_one = await bourse.take(
            product, "/v1/continuousKlines", pair=pair, contractType="NEXT_QUARTER", interval="1h", limit=9
        )
        newest = await bourse.take(product, "/v1/klines", symbol=f"{pair}_270326", interval="1h", limit=9)
        # The one that was delivered is gone an hour later, but not from the type's klines.
        assert (await bourse.refusal(product, "/v1/klines", symbol=f"{pair}_260925", interval="1h"))[
            0
        ] == -1121
    assert perpetual == itself
    assert [row[0] for row in current] == [row[0] for row in itself]
    assert current[2:] == following[2:], "from 08:00 on it is the next contract"
    assert current[0] != following[0], "before that it was the one that was bought"
    assert next_one[-4:] == newest, "which was listed at 08:00"
    assert len(newest) == 4


@pytest.mark.parametrize(
    ("symbol", "pair"), [("BTCUSDT", "BTCUSDT"), ("BTCUSD_PERP", "BTCUSD"), ("1000PEPEUSDT", "1000PEPEUSDT")]
)
async def test_both_sites_answer_klines_of_either_product_alike(symbol: str, pair: str) -> None:
    async with Bourse() as bourse:
        for path, values in (
            ("/v1/klines", {"symbol": symbol}),
            ("/v1/markPriceKlines", {"symbol": symbol}),
            ("/v1/premiumIndexKlines", {"symbol": symbol}),
            ("/v1/indexPriceKlines", {"pair": pair}),
            ("/v1/continuousKlines", {"pair": pair, "contractType": "PERPETUAL"}),
        ):
            here = await bourse.usdm(path, interval="5m", limit=4, **values)
            assert here == await bourse.coinm(path, interval="5m", limit=4, **values)
            assert len(here) == 4


@EACH
@pytest.mark.parametrize("interval", ["1m", "1h", "1d", "1w", "1M"])
async def test_the_last_kline_is_still_open(product: Product, interval: str) -> None:
    async with Bourse() as bourse:
        for path, values in (
            ("/v1/klines", {"symbol": SYMBOLS[product]}),
            ("/v1/markPriceKlines", {"symbol": SYMBOLS[product]}),
            ("/v1/indexPriceKlines", {"pair": PAIRS[product]}),
        ):
            older, newer = await bourse.take(product, path, interval=interval, limit=2, **values)
            assert older[6] + 1 == newer[0] <= bourse.now_us // 1000 <= newer[6]


# The whole


async def test_a_seed_says_it_all() -> None:
    asked = (
        (USDM, "/v1/depth", {"symbol": "BTCUSDT", "limit": 5}),
        (USDM, "/v1/premiumIndex", {"symbol": "BTCUSDT"}),
        (USDM, "/v1/openInterest", {"symbol": "BTCUSDT"}),
        (COINM, "/futures/data/globalLongShortAccountRatio", {"pair": "BTCUSD", "period": "1d"}),
    )
    answers = []
    for seed in (5, 5, 6):
        async with Bourse(seed=seed) as bourse:
            answers.append([await bourse.take(product, path, **values) for product, path, values in asked])
    assert answers[0] == answers[1]
    assert all(one != other for one, other in zip(answers[0], answers[2], strict=True))


async def test_every_contract_has_a_market() -> None:
    async with Bourse() as bourse:
        for product, word in ((USDM, "status"), (COINM, "contractStatus")):
            listed = (await bourse.take(product, "/v1/exchangeInfo"))["symbols"]
            assert {one[word] for one in listed} == {"TRADING"}
            names = [one["symbol"] for one in listed]
            for path in ("/v1/ticker/24hr", "/v1/ticker/price", "/v1/ticker/bookTicker", "/v1/premiumIndex"):
                told = {one["symbol"]: one for one in await bourse.take(product, path)}
                assert list(told) == names
            day = {one["symbol"]: one for one in await bourse.take(product, "/v1/ticker/24hr")}
            for one in listed:
                ticker = day[one["symbol"]]
                assert ticker["count"] > 0
                step = Decimal(one["filters"][0]["tickSize"])
                assert not Decimal(ticker["lastPrice"]) % step
                assert not Decimal(ticker["lastQty"]) % Decimal(one["filters"][1]["stepSize"])


async def test_what_can_be_margin_is_listed_as_an_asset() -> None:
    async with Bourse() as bourse:
        assets = (await bourse.usdm("/v1/exchangeInfo"))["assets"]
        indexes = await bourse.usdm("/v1/assetIndex")
        funds = await bourse.usdm("/v1/insuranceBalance")
        fund = await bourse.usdm("/v1/insuranceBalance", symbol="BTCUSDC")
    assert {one["asset"] for one in assets} == {"USDT", "USDC", "BTC", "ETH", "BNB"}
    assert {one["symbol"] for one in indexes} == {f"{one['asset']}USD" for one in assets}
    assert fund in funds
    assert fund["symbols"] == ["BTCUSDC", "ETHUSDC", "SOLUSDC"]
    # Nobody was liquidated, so it has what it began with.
    (asset,) = fund["assets"]
    assert asset["asset"] == "USDC"
    assert Decimal(asset["marginBalance"]) == MARGIN.insurance["USDC"] > 0
