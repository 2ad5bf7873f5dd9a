"""The public endpoints of futures tell one story: each figure is checked against those of other endpoints."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest

from emulator.core.commands import PriceMode, SetPrice
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


# What is open


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
        interest = await bourse.take(product, "/v1/openInterest", symbol=symbol)
        assert Decimal(interest["openInterest"]) == 0

        delivered = await bourse.take(product, "/futures/data/delivery-price", pair=pair)
        assert delivered[1:] == before
        assert delivered[0]["deliveryTime"] == 1_790_323_200_000
        minutes = await bourse.take(
            product,
            "/v1/indexPriceKlines",
            pair=pair,
            interval="1m",
            startTime=1_790_323_200_000 - 59 * 60_000,
            endTime=1_790_323_200_000,
        )
        average = summed([row[1] for row in minutes]) / 60
        assert len(minutes) == 60
        assert abs(Decimal(delivered[0]["deliveryPrice"]) - average) < EIGHT

        await bourse.step(30 * MINUTE_US)
        assert symbol not in await listed(bourse)
        assert await bourse.refusal(product, "/v1/depth", symbol=symbol) == (-1121, "Invalid symbol.")


@EACH
async def test_a_contract_that_is_not_listed_yet_is_no_symbol(product: Product) -> None:
    async with Bourse() as bourse:
        for path in ("/v1/depth", "/v1/trades", "/v1/premiumIndex", "/v1/ticker/24hr", "/v1/openInterest"):
            refusal = await bourse.refusal(product, path, symbol=f"{PAIRS[product]}_270326")
            assert refusal == (-1121, "Invalid symbol.")


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
