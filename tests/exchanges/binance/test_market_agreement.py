"""Trades, klines and statistics of one span say the same, whoever traded and however the price moved."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from decimal import Decimal
from itertools import pairwise
from typing import Any, NamedTuple

import pytest

from emulator.core.commands import PriceMode, PrintTrade, ReleaseMarket, SetPrice
from emulator.core.instruments import Side
from tests.exchanges.binance.marketplace import Marketplace

HOUR_US = 3_600_000_000
MINUTE_US = 60_000_000
SECOND_US = 1_000_000
NOW_US = 497_222 * HOUR_US
"""A whole hour, so that 24 hours are whole klines."""

SYMBOL = "ETHUSDT"


@pytest.fixture
async def place(anyio_backend: str) -> AsyncIterator[Marketplace]:
    async with Marketplace(now_us=NOW_US) as place:
        yield place


class Sum(NamedTuple):
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal
    quote_volume: Decimal
    trades: int


def of_klines(klines: Sequence[Sequence[Any]]) -> Sum:
    traded = [row for row in klines if row[8]]
    return Sum(
        Decimal(traded[0][1]),
        max(Decimal(row[2]) for row in traded),
        min(Decimal(row[3]) for row in traded),
        Decimal(traded[-1][4]),
        sum((Decimal(row[5]) for row in traded), Decimal(0)),
        sum((Decimal(row[7]) for row in traded), Decimal(0)),
        sum(row[8] for row in traded),
    )


def of_trades(trades: Sequence[dict[str, Any]]) -> Sum:
    prices = [Decimal(trade["price"]) for trade in trades]
    return Sum(
        prices[0],
        max(prices),
        min(prices),
        prices[-1],
        sum((Decimal(trade["qty"]) for trade in trades), Decimal(0)),
        sum((Decimal(trade["quoteQty"]) for trade in trades), Decimal(0)),
        len(trades),
    )


def of_aggregates(trades: Sequence[dict[str, Any]]) -> Sum:
    return of_trades(
        [{"price": t["p"], "qty": t["q"], "quoteQty": str(Decimal(t["p"]) * Decimal(t["q"]))} for t in trades]
    )


def of_ticker(ticker: dict[str, Any]) -> Sum:
    names = ("openPrice", "highPrice", "lowPrice", "lastPrice", "volume", "quoteVolume")
    opening, high, low, close, volume, quote_volume = (Decimal(ticker[name]) for name in names)
    return Sum(opening, high, low, close, volume, quote_volume, ticker["count"])


async def aggregates(place: Marketplace, start_ms: int, end_ms: int) -> list[dict[str, Any]]:
    """All of a span, a page at a time, as clients read them."""
    rows: list[dict[str, Any]] = await place.get(
        "aggTrades", f"symbol={SYMBOL}&startTime={start_ms}&endTime={end_ms}&limit=1000"
    )
    whole = list(rows)
    while len(rows) == 1000:
        rows = await place.get("aggTrades", f"symbol={SYMBOL}&fromId={whole[-1]['a'] + 1}&limit=1000")
        whole += [row for row in rows if row["T"] <= end_ms]
        if rows[-1]["T"] > end_ms:
            break
    return whole


async def check_agreement(place: Marketplace) -> None:
    """The last one to two minutes: window ticker, 1 s klines, aggregated and single trades."""
    ticker = await place.get("ticker", f"symbol={SYMBOL}&windowSize=1m")
    start_ms, end_ms = ticker["openTime"], ticker["closeTime"]
    expected = of_ticker(ticker)
    seconds = await place.get(
        "klines", f"symbol={SYMBOL}&interval=1s&startTime={start_ms}&endTime={end_ms}&limit=1000"
    )
    assert len(seconds) == (end_ms - start_ms) // 1000 + 1
    assert of_klines(seconds) == expected

    rows = await aggregates(place, start_ms, end_ms)
    assert [row["a"] for row in rows] == list(range(ticker["firstId"], ticker["lastId"] + 1))
    assert [row["T"] for row in rows] == sorted(row["T"] for row in rows)
    assert of_aggregates(rows) == expected

    trades = await place.get("historicalTrades", f"symbol={SYMBOL}&fromId={ticker['firstId']}&limit=1000")
    if len(trades) < 1000:
        assert of_trades(trades) == expected
    taken = sum((Decimal(trade["qty"]) for trade in trades if not trade["isBuyerMaker"]), Decimal(0))
    if len(trades) < 1000:
        assert taken == sum((Decimal(row[9]) for row in seconds), Decimal(0))

    newest = (await place.get("trades", f"symbol={SYMBOL}&limit=1"))[0]
    price = await place.get("ticker/price", f"symbol={SYMBOL}")
    day = await place.get("ticker/24hr", f"symbol={SYMBOL}")
    assert newest["id"] == rows[-1]["a"] == day["lastId"]
    assert newest["price"] == price["price"] == day["lastPrice"] == seconds[-1][4]
    assert newest["qty"] == day["lastQty"]


async def check_intervals(place: Marketplace) -> None:
    """The last day: 24 h statistics, and klines of several intervals."""
    day = await place.get("ticker/24hr", f"symbol={SYMBOL}")
    rolling = await place.get("ticker", f"symbol={SYMBOL}&windowSize=1d")
    if rolling["openTime"] == day["openTime"]:
        assert of_ticker(rolling) == of_ticker(day)
    assert day["count"] == day["lastId"] - day["firstId"] + 1
    start_ms = rolling["openTime"]
    for interval, length_ms in (("1m", 60_000), ("3m", 180_000), ("1h", 3_600_000)):
        if start_ms % length_ms:
            continue
        rows: list[Any] = []
        while not rows or rows[-1][6] < rolling["closeTime"]:
            from_ms = rows[-1][6] + 1 if rows else start_ms
            rows += await place.get(
                "klines", f"symbol={SYMBOL}&interval={interval}&startTime={from_ms}&limit=1000"
            )
        assert of_klines(rows) == of_ticker(rolling), interval
        for earlier, later in pairwise(rows):
            assert earlier[6] + 1 == later[0]


async def test_the_untouched_market(place: Marketplace) -> None:
    await check_agreement(place)
    await check_intervals(place)


async def test_after_accounts_have_traded(place: Marketplace) -> None:
    await place.step(10 * SECOND_US + 123_457)
    last_before = (await place.get("trades", f"symbol={SYMBOL}&limit=1"))[0]["id"]
    await place.order(SYMBOL, Side.BUY, "200")
    own = await place.get("historicalTrades", f"symbol={SYMBOL}&fromId={last_before + 1}")
    assert len(own) > 3, "the order walks several levels"
    assert sum(Decimal(trade["qty"]) for trade in own) == 200
    await check_agreement(place)
    await place.order(SYMBOL, Side.SELL, "150")
    await place.step(7 * SECOND_US)
    await check_agreement(place)
    quote = await place.get("ticker/bookTicker", f"symbol={SYMBOL}")
    await place.order(SYMBOL, Side.SELL, "300", quote["bidPrice"])
    await place.step(40 * SECOND_US + 1)
    await check_agreement(place)
    await check_intervals(place)


async def test_after_the_price_was_set_by_hand(place: Marketplace) -> None:
    pair = "ETH/USDT"
    await place.step(5 * SECOND_US + 77)
    await place.do(SetPrice(pair=pair, price=Decimal("2500.5")))
    price = await place.get("ticker/price", f"symbol={SYMBOL}")
    assert price["price"] == "2500.50000000"
    await check_agreement(place)
    await place.step(9 * SECOND_US)
    await check_agreement(place)
    rows = await place.get("klines", f"symbol={SYMBOL}&interval=1s&limit=3")
    assert {row[column] for row in rows for column in (1, 2, 3, 4)} == {"2500.50000000"}
    await place.order(SYMBOL, Side.BUY, "20")
    await place.do(SetPrice(pair=pair, price=Decimal("2600"), mode=PriceMode.SHIFT))
    await place.step(6 * SECOND_US)
    await place.do(PrintTrade(instrument=SYMBOL, price=Decimal("2610.01"), quantity=Decimal("0.5")))
    await check_agreement(place)
    await place.do(ReleaseMarket(pair=pair))
    await place.step(8 * SECOND_US + 3)
    await check_agreement(place)
    await check_intervals(place)


async def test_what_was_before_a_change_stays_as_it_was(place: Marketplace) -> None:
    await place.step(MINUTE_US)
    asked = f"symbol={SYMBOL}&interval=1s&limit=50&endTime={(NOW_US + MINUTE_US) // 1000 - 1000}"
    before = await place.get("klines", asked)
    trades = await place.get("trades", f"symbol={SYMBOL}&limit=200")
    await place.order(SYMBOL, Side.BUY, "200")
    await place.do(SetPrice(pair="ETH/USDT", price=Decimal("2500")))
    await place.step(MINUTE_US)
    assert await place.get("klines", asked) == before
    first = trades[0]["id"]
    assert await place.get("historicalTrades", f"symbol={SYMBOL}&fromId={first}&limit=200") == trades
