"""What topics tell is what REST answers, at every moment and whatever happens."""

from __future__ import annotations

import os
import random
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest

from emulator.core.commands import CancelAllOrders, PriceMode, PrintTrade, ReleaseMarket, SetBook, SetPrice
from emulator.core.instruments import Side
from emulator.runtime.ports import ClockMode
from tests.exchanges.bybit.station import NOW_US, SECOND_US, Client, Station
from tests.exchanges.bybit.streams.keeping import KeptBook, KeptTicker, rest_book

pytestmark = pytest.mark.anyio

MILLISECOND_US = 1000
MINUTE_US = 60 * SECOND_US

CATEGORIES = {"spot": "BTCUSDT", "linear": "BTCUSDT", "inverse": "BTCUSD"}
DEPTHS = (1, 50, 200, 1000)
TURNS = 400 if os.environ.get("EMULATOR_TEST_LONG") == "1" else 36


class Wall:
    """A wall clock that goes when it is told to."""

    def __init__(self) -> None:
        self.us = NOW_US - NOW_US % SECOND_US

    def ns(self) -> int:
        return self.us * 1000


class Chance:
    """What happens by chance to one market, with the same chances for the same seed."""

    def __init__(self, station: Station, category: str, seed: int) -> None:
        self.station = station
        self.category = category
        self.instrument = f"{category}:{CATEGORIES[category]}"
        self.pair = "BTC/USD" if category == "inverse" else "BTC/USDT"
        self.random = random.Random(seed)

    async def happen(self) -> None:
        acts = [self.place, self.place, self.place, self.take, self.cancel, self.price, self.book]
        await self.random.choice([*acts, self.release, self.print])()

    def near(self) -> Decimal:
        market = self.station.engine.state.markets[self.instrument]
        last = market.last_price(self.station.now_us)
        step = market.instrument.price_step
        return max((last // step) * step + step * self.random.randrange(-40, 41), step)

    def quantity(self) -> str:
        if self.category == "inverse":
            return str(self.random.randrange(1, 5_000))
        return str(Decimal(self.random.randrange(1, 3_000)) / 1000)

    async def place(self) -> None:
        side = self.random.choice((Side.BUY, Side.SELL))
        account = self.random.choice(("demo", "other"))
        order = self.station.order(self.instrument, side, self.quantity(), str(self.near()), account)
        await self.station.attempt(order)

    async def take(self) -> None:
        side = self.random.choice((Side.BUY, Side.SELL))
        await self.station.attempt(self.station.order(self.instrument, side, self.quantity()))

    async def cancel(self) -> None:
        account = self.station.sandbox.accounts[self.random.choice(("demo", "other"))]
        await self.station.attempt(CancelAllOrders(account=account, instrument=self.instrument))

    async def price(self) -> None:
        mode = self.random.choice(list(PriceMode))
        await self.station.attempt(SetPrice(pair=self.pair, price=self.near(), mode=mode))

    async def book(self) -> None:
        market = self.station.engine.state.markets[self.instrument]
        step, middle = market.instrument.price_step, self.near()
        bids = tuple(
            (max(middle - step * (2 * i + 1), step), Decimal(i + 1)) for i in range(self.random.randrange(5))
        )
        asks = tuple((middle + step * (2 * i + 1), Decimal(i + 1)) for i in range(self.random.randrange(5)))
        await self.station.attempt(SetBook(instrument=self.instrument, bids=bids, asks=asks))

    async def release(self) -> None:
        await self.station.attempt(ReleaseMarket(pair=self.pair))

    async def print(self) -> None:
        trade = PrintTrade(
            instrument=self.instrument,
            price=self.near(),
            quantity=Decimal(self.quantity()),
            buyer_is_maker=self.random.choice((True, False)),
        )
        await self.station.attempt(trade)


class Copies:
    """All books and the ticker of one symbol, kept over one connection."""

    def __init__(self, station: Station, client: Client, category: str) -> None:
        self.station = station
        self.client = client
        self.category = category
        self.symbol = CATEGORIES[category]
        self.books = [KeptBook(f"orderbook.{depth}.{self.symbol}") for depth in DEPTHS]
        self.ticker = KeptTicker(f"tickers.{self.symbol}")

    async def join(self) -> None:
        await self.client.join(*[book.topic for book in self.books], self.ticker.topic)
        await self.read()

    async def read(self) -> None:
        by_topic: dict[str, KeptBook | KeptTicker] = {book.topic: book for book in self.books}
        by_topic[self.ticker.topic] = self.ticker
        for frame in await self.client.rest():
            by_topic[frame["topic"]].receive(frame)

    async def check(self) -> None:
        """Compare with REST of this moment."""
        asked = {"category": self.category, "symbol": self.symbol}
        for book in self.books:
            result = await self.station.get("/v5/market/orderbook", **asked, limit=book.levels)
            assert book.shown() == rest_book(result), book.topic
            assert book.sequence <= result["seq"]
        (shown,) = (await self.station.get("/v5/market/tickers", **asked))["list"]
        told = {name: value for name, value in self.ticker.fields.items() if name != "tickDirection"}
        assert told == {name: shown[name] for name in told}


@pytest.fixture
async def station(anyio_backend: str) -> AsyncIterator[Station]:
    async with Station().on_air() as station:
        yield station


@pytest.mark.parametrize("category", list(CATEGORIES))
async def test_copies_are_the_market_while_the_clock_stands_still(station: Station, category: str) -> None:
    chance = Chance(station, category, seed=len(category))
    async with station.listen(f"/v5/public/{category}") as first, station.listen("/v5/any") as second:
        everybody = [Copies(station, first, category)]
        await everybody[0].join()
        for turn in range(TURNS):
            await chance.happen()
            if turn % 10 == 9:
                await station.step(chance.random.choice((1, 20 * MILLISECOND_US, SECOND_US, MINUTE_US)))
            if turn == TURNS // 2 and category != "spot":
                # Who comes later begins in the midst of what others were told.
                everybody.append(Copies(station, second, category))
                await everybody[1].join()
            for copies in everybody:
                await copies.read()
                await copies.check()
        assert everybody[0].books[1].deltas > 10


@pytest.mark.parametrize("category", list(CATEGORIES))
async def test_copies_are_the_market_at_each_of_their_moments(category: str) -> None:
    wall = Wall()
    async with Station(now_us=wall.us, wall_ns=wall.ns).on_air() as station:
        await station.sandbox.set_clock(ClockMode.VIRTUAL, speed=Decimal(1))
        chance = Chance(station, category, seed=7)
        async with station.listen(f"/v5/public/{category}") as client:
            copies = Copies(station, client, category)
            await copies.join()
            for _ in range(TURNS):
                for _ in range(chance.random.randrange(3)):
                    wall.us += chance.random.randrange(1, 60) * MILLISECOND_US
                    station.sandbox.alarms.look()
                    await chance.happen()
                # A moment of all of them.
                wall.us += 200 * MILLISECOND_US - wall.us % (200 * MILLISECOND_US)
                station.sandbox.alarms.look()
                await copies.read()
                await copies.check()
            assert copies.ticker.frames > 20


async def test_the_best_is_told_again_after_three_seconds_with_the_same_number() -> None:
    """ "Orderbook": if 3 seconds have elapsed without a change, a snapshot is pushed again."""
    wall = Wall()
    async with Station(now_us=wall.us, wall_ns=wall.ns).on_air() as station:
        level = ((Decimal(60_000), Decimal(1)),)
        await station.do(
            SetBook(instrument="linear:BTCUSDT", bids=level, asks=((Decimal(60_001), Decimal(2)),))
        )
        await station.sandbox.set_clock(ClockMode.VIRTUAL, speed=Decimal(1))
        async with station.listen("/v5/public/linear") as client:
            await client.join("orderbook.1.BTCUSDT")
            first = await client.told("orderbook.1.BTCUSDT")
            assert first["data"]["b"] == [["60000", "1"]]
            for _ in range(2):
                wall.us += 3 * SECOND_US
                station.sandbox.alarms.look()
                again = await client.told("orderbook.1.BTCUSDT")
                assert again["type"] == "snapshot"
                assert {**again["data"], "seq": 0} == {**first["data"], "seq": 0}
            await station.do(station.order("linear:BTCUSDT", Side.BUY, "0.5", "60000"))
            wall.us += 10 * MILLISECOND_US
            station.sandbox.alarms.look()
            new = await client.told("orderbook.1.BTCUSDT")
            assert new["data"]["b"] == [["60000", "1.5"]]
            assert new["data"]["u"] == first["data"]["u"] + 1


@pytest.mark.parametrize("category", list(CATEGORIES))
async def test_klines_are_those_of_rest(station: Station, category: str) -> None:
    symbol = CATEGORIES[category]
    topics = {word: f"kline.{word}.{symbol}" for word in ("1", "5")}
    async with station.listen(f"/v5/public/{category}") as client:
        await client.join(*topics.values())
        closed: dict[str, list[Any]] = {word: [] for word in topics}
        current: dict[str, Any] = {}
        for _ in range(40):
            await station.step(17 * SECOND_US)
            for frame in await client.rest():
                assert (frame["type"], frame["ts"]) == ("snapshot", station.now_us // 1000)
                (kline,) = frame["data"]
                word = kline["interval"]
                assert frame["topic"] == topics[word]
                if kline["confirm"]:
                    closed[word].append(kline)
                else:
                    current[word] = kline
            for word, kline in current.items():
                await _compare(station, category, word, [*closed[word], kline])
        assert [len(closed["1"]), len(closed["5"])] == [11, 2]


async def _compare(station: Station, category: str, word: str, told: list[Any]) -> None:
    result = await station.get(
        "/v5/market/kline", category=category, symbol=CATEGORIES[category], interval=word, limit=len(told)
    )
    rows = list(reversed(result["list"]))
    now_ms = station.now_us // 1000
    length_ms = int(word) * 60_000
    # What was told last may be over, and not yet told to be so.
    for kline, row in zip(told, rows, strict=True):
        assert kline["end"] == kline["start"] + length_ms - 1
        assert kline["start"] <= kline["timestamp"] <= kline["end"]
        assert kline["confirm"] is (kline["end"] < now_ms)
        fields = ("start", "open", "high", "low", "close", "volume", "turnover")
        assert [str(kline[name]) for name in fields] == row


@pytest.mark.parametrize("category", list(CATEGORIES))
async def test_trades_are_those_of_rest(station: Station, category: str) -> None:
    symbol, topic = CATEGORIES[category], f"publicTrade.{CATEGORIES[category]}"
    async with station.listen(f"/v5/public/{category}") as client:
        await client.join(topic)
        chance = Chance(station, category, seed=3)
        told: list[Any] = []
        for _ in range(20):
            await chance.happen()
            await station.step(SECOND_US // 2)
            for frame in await client.rest():
                assert frame["type"] == "snapshot"
                assert frame["data"][-1]["T"] <= frame["ts"] <= station.now_us // 1000
                assert 0 < len(frame["data"]) <= 1024
                told += frame["data"]
        assert len(told) > 20
        asked = {"category": category, "symbol": symbol}
        result = await station.get("/v5/market/recent-trade", **asked, limit=min(len(told), 60))
        for trade, shown in zip(reversed(told), result["list"], strict=False):
            assert [trade[name] for name in ("i", "s", "p", "v", "S", "BT", "RPI")] == [
                shown[name]
                for name in ("execId", "symbol", "price", "size", "side", "isBlockTrade", "isRPITrade")
            ]
            assert (str(trade["T"]), str(trade["seq"])) == (shown["time"], shown["seq"])
        assert [trade["T"] for trade in told] == sorted(trade["T"] for trade in told)
        assert len({trade["i"] for trade in told}) == len(told)


async def test_price_limits_are_those_of_rest(station: Station) -> None:
    async with station.listen("/v5/public/linear") as client:
        await client.join("priceLimit.BTCUSDT")
        frames = await client.rest()
        for _ in range(5):
            await station.step(MINUTE_US)
            frames += await client.rest()
            shown = await station.get("/v5/market/price-limit", category="linear", symbol="BTCUSDT")
            told = frames[-1]["data"]
            assert told == {name: shown[name] for name in ("symbol", "buyLmt", "sellLmt")}
        assert len(frames) > 2


async def test_the_book_of_price_improvement_is_the_book(station: Station) -> None:
    async with station.listen("/v5/public/spot") as client:
        await client.join("orderbook.rpi.BTCUSDT")
        (frame,) = await client.rest()
        result = await station.get("/v5/market/orderbook", category="spot", symbol="BTCUSDT", limit=50)
        for side in ("b", "a"):
            assert [level[:2] for level in frame["data"][side]] == result[side]
            assert {level[2] for level in frame["data"][side]} == {"0"}
