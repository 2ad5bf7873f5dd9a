"""All endpoints tell one story: tickers, klines, trades and books come of the same tape."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from emulator.core.commands import PlaceOrder, PriceMode, SetPrice
from emulator.core.instruments import OrderType, Side
from emulator.core.orders import OrderTerms
from emulator.core.rejections import Limit, LimitBroken
from tests.exchanges.bybit.bazaar import NOW_MS, Bazaar

SYMBOLS = [
    ("spot", "BTCUSDT"),
    ("spot", "ETHBTC"),
    ("linear", "BTCUSDT"),
    ("linear", "ETHPERP"),
    ("linear", "BTCUSDT-25SEP26"),
    ("inverse", "BTCUSD"),
    ("inverse", "ETHUSDU26"),
]
MINUTE_MS = 60_000
DAY_MINUTES = 1440


def _decimals(*texts: str) -> tuple[Decimal, ...]:
    return tuple(Decimal(text) for text in texts)


async def _ticker(bazaar: Bazaar, query: str) -> dict[str, Any]:
    (ticker,) = (await bazaar.get("tickers", query))["list"]
    assert isinstance(ticker, dict)
    return ticker


@pytest.mark.parametrize(("category", "symbol"), SYMBOLS)
async def test_a_ticker_is_what_book_trades_and_klines_say(category: str, symbol: str) -> None:
    async with Bazaar() as bazaar:
        query = f"category={category}&symbol={symbol}"
        ticker = await _ticker(bazaar, query)
        book = await bazaar.get("orderbook", f"{query}&limit=1")
        assert [[ticker["bid1Price"], ticker["bid1Size"]]] == book["b"]
        assert [[ticker["ask1Price"], ticker["ask1Size"]]] == book["a"]
        trade = (await bazaar.get("recent-trade", f"{query}&limit=1"))["list"][0]
        assert trade["price"] == ticker["lastPrice"]
        kline = (await bazaar.get("kline", f"{query}&interval=1&limit=1"))["list"][0]
        assert Decimal(kline[4]) == Decimal(ticker["lastPrice"])
        # The whole minutes of the last day are within it, and it is within them and both at its ends.
        minutes = []
        for end in (NOW_MS, NOW_MS - 1000 * MINUTE_MS):
            part = await bazaar.get("kline", f"{query}&interval=1&limit=1000&end={end}")
            minutes += part["list"]
        touched, within = minutes[: DAY_MINUTES + 1], minutes[1:DAY_MINUTES]
        high, low, volume = _decimals(ticker["highPrice24h"], ticker["lowPrice24h"], ticker["volume24h"])
        assert max(Decimal(row[2]) for row in within) <= high <= max(Decimal(row[2]) for row in touched)
        assert min(Decimal(row[3]) for row in touched) <= low <= min(Decimal(row[3]) for row in within)
        slack = Decimal("0.0001")
        assert sum(Decimal(row[5]) for row in within) - slack <= volume
        assert volume <= sum(Decimal(row[5]) for row in touched) + slack


@pytest.mark.parametrize(("category", "symbol"), SYMBOLS)
async def test_long_klines_are_their_short_ones(category: str, symbol: str) -> None:
    async with Bazaar() as bazaar:
        query = f"category={category}&symbol={symbol}"
        hour = (await bazaar.get("kline", f"{query}&interval=60&limit=2"))["list"][1]
        start = int(hour[0])
        minutes = (
            await bazaar.get("kline", f"{query}&interval=1&start={start}&end={start + 59 * MINUTE_MS}")
        )["list"]
        assert (hour[1], hour[4]) == (minutes[-1][1], minutes[0][4])
        assert Decimal(hour[2]) == max(Decimal(row[2]) for row in minutes)
        assert Decimal(hour[3]) == min(Decimal(row[3]) for row in minutes)
        assert Decimal(hour[5]) == sum(Decimal(row[5]) for row in minutes)
        worth = sum(Decimal(row[6]) for row in minutes)
        assert abs(Decimal(hour[6]) - worth) <= worth * Decimal("0.001")


@pytest.mark.parametrize(("category", "symbol"), [one for one in SYMBOLS if one[0] != "spot"])
async def test_marks_agree_with_their_klines_and_funding_with_its_history(category: str, symbol: str) -> None:
    async with Bazaar() as bazaar:
        query = f"category={category}&symbol={symbol}"
        ticker = await _ticker(bazaar, query)
        for path, name in (("mark-price-kline", "markPrice"), ("index-price-kline", "indexPrice")):
            newest = (await bazaar.get(path, f"{query}&interval=1&limit=1"))["list"][0]
            assert Decimal(newest[4]) == Decimal(ticker[name])
        if ticker["fundingRate"]:
            eight_hours = 8 * 60 * MINUTE_MS
            assert int(ticker["nextFundingTime"]) == (NOW_MS // eight_hours + 1) * eight_hours
        else:
            last, index = _decimals(ticker["lastPrice"], ticker["indexPrice"])
            assert Decimal(ticker["basis"]) == last - index


async def test_what_an_account_trades_is_in_all_of_it() -> None:
    async with Bazaar() as bazaar:
        query = "category=linear&symbol=BTCUSDT"
        account = bazaar.sandbox.accounts["demo"]
        before = await _ticker(bazaar, query)
        await bazaar.deposit("USDT", 1_000_000)
        book = await bazaar.get("orderbook", f"{query}&limit=1")
        terms = OrderTerms(side=Side.BUY, type=OrderType.MARKET, quantity=Decimal("0.1"))
        await bazaar.do(
            PlaceOrder(account=account, instrument="linear:BTCUSDT", wallet="unified", terms=terms)
        )
        best_price, best_size = book["a"][0]
        assert Decimal(best_size) > Decimal("0.1")
        trade = (await bazaar.get("recent-trade", f"{query}&limit=1"))["list"][0]
        assert (trade["price"], trade["size"], trade["side"]) == (best_price, "0.100", "Buy")
        left = (await bazaar.get("orderbook", f"{query}&limit=1"))["a"][0]
        assert (left[0], Decimal(left[1])) == (best_price, Decimal(best_size) - Decimal("0.1"))
        after = await _ticker(bazaar, query)
        assert after["lastPrice"] == best_price
        assert Decimal(after["volume24h"]) - Decimal(before["volume24h"]) == Decimal("0.1")
        opened = Decimal(after["singleOpenInterest"]) - Decimal(before["singleOpenInterest"])
        assert opened == Decimal("0.1")
        assert Decimal(after["openInterest"]) - Decimal(before["openInterest"]) == 2 * opened


@pytest.mark.parametrize(
    ("category", "symbol", "pair", "ratio"),
    [
        ("linear", "BTCUSDT", "BTC/USDT", "0.01"),
        ("inverse", "BTCUSD", "BTC/USD", "0.05"),
        ("spot", "ETHUSDT", "ETH/USDT", "0.01"),
    ],
)
async def test_price_limits_are_what_orders_are_held_to(
    category: str, symbol: str, pair: str, ratio: str
) -> None:
    async with Bazaar() as bazaar:
        query = f"category={category}&symbol={symbol}"
        # Index, mark and book are one price then ("Set Price Limit Behaviour": nothing stands apart).
        await bazaar.do(SetPrice(pair=pair, price=Decimal("33333.3"), mode=PriceMode.HOLD))
        limits = await bazaar.get("price-limit", query)
        ticker = await _ticker(bazaar, query)
        reference = Decimal(ticker["lastPrice"] if category == "spot" else ticker["markPrice"])
        step = Decimal("0.1") if symbol.startswith("BTC") else Decimal("0.01")
        # Down to a step; the other way round for sells.
        highest, lowest = reference * (1 + Decimal(ratio)), reference * (1 - Decimal(ratio))
        assert 0 <= highest - Decimal(limits["buyLmt"]) < step
        assert 0 <= Decimal(limits["sellLmt"]) - lowest < step
        assert not Decimal(limits["buyLmt"]) % step


async def test_an_order_at_the_limit_is_taken_and_one_beyond_is_not() -> None:
    async with Bazaar() as bazaar:
        limits = await bazaar.get("price-limit", "category=linear&symbol=BTCUSDT")
        await bazaar.deposit("USDT", 1_000_000)
        account = bazaar.sandbox.accounts["demo"]
        for side, price, beyond in (
            (Side.BUY, limits["buyLmt"], Decimal("0.1")),
            (Side.SELL, limits["sellLmt"], Decimal("-0.1")),
        ):
            for asked, limit in ((Decimal(price), None), (Decimal(price) + beyond, Limit.PRICE_BAND)):
                terms = OrderTerms(side=side, type=OrderType.LIMIT, quantity=Decimal("0.001"), price=asked)
                done = await bazaar.sandbox.submit(
                    "bybit",
                    PlaceOrder(account=account, instrument="linear:BTCUSDT", wallet="unified", terms=terms),
                )
                found = done.rejection.limit if isinstance(done.rejection, LimitBroken) else None
                assert found is limit


async def test_a_price_set_by_hand_is_everywhere_at_once() -> None:
    async with Bazaar() as bazaar:
        price = Decimal(100_000)
        await bazaar.do(SetPrice(pair="BTC/USDT", price=price, mode=PriceMode.HOLD))
        for category in ("linear", "spot"):
            query = f"category={category}&symbol=BTCUSDT"
            ticker = await _ticker(bazaar, query)
            assert Decimal(ticker["lastPrice"]) == price
            book = await bazaar.get("orderbook", f"{query}&limit=1")
            # It was above, so the price is the best ask.
            assert Decimal(book["a"][0][0]) == price
            newest = (await bazaar.get("kline", f"{query}&interval=1&limit=1"))["list"][0]
            assert Decimal(newest[4]) == price
            assert Decimal(newest[3]) == price
            trade = (await bazaar.get("recent-trade", f"{query}&limit=1"))["list"][0]
            assert Decimal(trade["price"]) == price
        contract = await _ticker(bazaar, "category=linear&symbol=BTCUSDT")
        assert _decimals(contract["indexPrice"], contract["markPrice"]) == (price, price)
        limits = await bazaar.get("price-limit", "symbol=BTCUSDT")
        assert _decimals(limits["buyLmt"], limits["sellLmt"]) == _decimals("101000", "99000")


async def test_one_coin_costs_alike_in_every_category() -> None:
    async with Bazaar() as bazaar:
        index = Decimal((await _ticker(bazaar, "category=linear&symbol=BTCUSDT"))["indexPrice"])
        for query in ("category=inverse&symbol=BTCUSD", "category=linear&symbol=BTCPERP"):
            assert Decimal((await _ticker(bazaar, query))["indexPrice"]) == index
        pair = await _ticker(bazaar, "category=spot&symbol=BTCUSDT")
        assert Decimal(pair["usdIndexPrice"]) == index
        assert abs(Decimal(pair["lastPrice"]) - index) < index * Decimal("0.001")
        thousand = await _ticker(bazaar, "category=linear&symbol=1000PEPEUSDT")
        one = await _ticker(bazaar, "category=spot&symbol=PEPEUSDT")
        assert Decimal(one["usdIndexPrice"]) * 1000 == Decimal(thousand["indexPrice"])
        components = await bazaar.get("index-price-components", "indexName=BTCUSDT")
        assert Decimal(components["lastPrice"]) == index
