"""Streams of the book: a local book that is kept by the documented procedure is the book of REST, exactly."""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import AsyncIterator
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest

from emulator.core.commands import (
    CancelOrder,
    Command,
    PlaceOrder,
    PriceMode,
    PrintTrade,
    ReleaseMarket,
    SetBook,
    SetPrice,
)
from emulator.core.events import OrderPlaced
from emulator.core.instruments import OrderType, Side
from emulator.core.orders import OrderTerms
from emulator.exchanges.binance.spot.payloads.streams import DepthEvent, PartialDepthEvent
from emulator.exchanges.binance.spot.streams.hub import HUBS
from emulator.runtime.ports import ClockMode
from tests.exchanges.binance.hearing import Ear
from tests.exchanges.binance.local_book import LocalBook
from tests.exchanges.binance.marketplace import NOW_US, Marketplace
from tests.exchanges.binance.shapes import complaints, declared, fields

pytestmark = pytest.mark.anyio

TENTH_US, SECOND_US = 100_000, 1_000_000
DAY_US = 86_400 * SECOND_US

DIFF = fields("e:s E:i s:s U:i u:i", b=[("s", "s")], a=[("s", "s")])
"""web-socket-streams.md, "Diff. Depth Stream"."""
PARTIAL = fields("lastUpdateId:i", bids=[("s", "s")], asks=[("s", "s")])
"""web-socket-streams.md, "Partial Book Depth Streams"."""


def test_payloads_are_declared_as_documented() -> None:
    assert declared(DepthEvent) == DIFF
    assert declared(PartialDepthEvent) == PARTIAL


class Wall:
    """A wall clock that goes when it is told to."""

    def __init__(self) -> None:
        self.us = NOW_US - NOW_US % SECOND_US

    def ns(self) -> int:
        return self.us * 1000


class Reader:
    """Keeps a local book from one stream, beginning with a snapshot of its own."""

    def __init__(self, square: Square, name: str) -> None:
        self.name = name
        self.ear = Ear(square.place.sandbox, name)
        self.book = LocalBook()
        self.has_begun = False

    def read(self) -> None:
        for event in self.ear.rest():
            assert (
                list(
                    complaints({**event, "b": event["b"] or [["", ""]], "a": event["a"] or [["", ""]]}, DIFF)
                )
                == []
            )
            self.book.receive(event)

    async def begin(self, square: Square, limit: int = 5000) -> None:
        self.read()
        self.has_begun = self.book.begin(await square.snapshot(limit))


class Square:
    """A market place whose clock runs as the wall does, with readers of one symbol's book."""

    def __init__(self, place: Marketplace, wall: Wall, symbol: str) -> None:
        self.place = place
        self.wall = wall
        self.symbol = symbol
        self.readers: list[Reader] = []
        # It speaks at every tenth of a second, changed or not.
        self.pulse = Ear(place.sandbox, f"{symbol.lower()}@depth5@100ms")

    @property
    def now_us(self) -> int:
        return self.place.sandbox.clock.now_us()

    async def snapshot(self, limit: int = 5000) -> Any:
        return await self.place.get("depth", f"symbol={self.symbol}&limit={limit}")

    async def wait_until(self, time_us: int) -> None:
        """Let the time come, and what the streams have to say then."""
        before_us = self.now_us
        self.wall.us += time_us - before_us
        self.place.sandbox.alarms.look()
        if time_us // TENTH_US > before_us // TENTH_US:
            await self.pulse.next()
            # Others may have their turns after it: at least one stream in a turn of the event loop.
            for _ in HUBS.of(self.place.sandbox).streams:
                await asyncio.sleep(0)

    async def next_tenth(self) -> None:
        await self.wait_until(self.now_us // TENTH_US * TENTH_US + TENTH_US)

    async def try_(self, command: Command) -> Any:
        """Accepted or not."""
        return await self.place.sandbox.submit("binance", command)

    def join(self, name: str) -> Reader:
        reader = Reader(self, name)
        self.readers.append(reader)
        return reader

    async def check(self) -> int:
        """Compare every local book with REST, at a moment at which its stream has just spoken; how many."""
        assert not self.now_us % TENTH_US
        snapshot, checked = await self.snapshot(), 0
        for reader in self.readers:
            if "@100ms" not in reader.name and self.now_us % SECOND_US:
                continue
            reader.read()
            if not reader.has_begun:
                continue
            assert reader.book.differences(snapshot) == []
            assert reader.book.update_id <= snapshot["lastUpdateId"]
            checked += 1
        return checked


@pytest.fixture
async def square(anyio_backend: str) -> AsyncIterator[Square]:
    wall = Wall()
    async with Marketplace(now_us=wall.us, wall_ns=wall.ns) as place:
        await place.sandbox.set_clock(ClockMode.VIRTUAL, speed=Decimal(1))
        yield Square(place, wall, "BTCUSDT")


FAST, SLOW = "btcusdt@depth@100ms", "btcusdt@depth"


def order(square: Square, side: Side, quantity: str, price: str, iceberg: str | None = None) -> PlaceOrder:
    terms = OrderTerms(
        side=side,
        type=OrderType.LIMIT,
        quantity=Decimal(quantity),
        price=Decimal(price),
        iceberg_quantity=None if iceberg is None else Decimal(iceberg),
    )
    account = square.place.sandbox.accounts["demo"]
    return PlaceOrder(account=account, instrument=square.symbol, wallet="spot", terms=terms)


# The payloads


async def test_what_changed_is_told_as_documented(square: Square) -> None:
    ear = Ear(square.place.sandbox, FAST)
    before_us, first_id = square.now_us, (await square.snapshot(1))["lastUpdateId"]
    await square.wait_until(before_us + TENTH_US)
    event = await ear.next()
    assert list(complaints(event, DIFF)) == []
    assert (event["e"], event["s"], event["E"]) == ("depthUpdate", "BTCUSDT", (before_us + TENTH_US) // 1000)
    assert event["U"] == first_id + 1
    assert event["u"] == (await square.snapshot(1))["lastUpdateId"]
    for side, is_reversed in (("b", True), ("a", False)):
        prices = [Decimal(price) for price, _ in event[side]]
        assert prices == sorted(prices, reverse=is_reversed)
        assert all(text.partition(".")[2].__len__() == 8 for level in event[side] for text in level)


async def test_each_pace_has_its_own_chain(square: Square) -> None:
    fast, slow = Ear(square.place.sandbox, FAST), Ear(square.place.sandbox, SLOW)
    for _ in range(30):
        await square.next_tenth()
    fasts, slows = fast.rest(), slow.rest()
    assert [event["E"] - square.now_us // 1000 for event in slows] == [-2000, -1000, 0]
    assert len(fasts) == 30
    for events in (fasts, slows):
        assert all(later["U"] == earlier["u"] + 1 for earlier, later in pairwise(events))
    assert fasts[-1]["u"] == slows[-1]["u"]
    assert fasts[0]["U"] == slows[0]["U"]


async def test_a_book_without_a_change_is_not_told_of(square: Square) -> None:
    bids, asks = ((Decimal(60_000), Decimal(1)),), ((Decimal(60_001), Decimal(1)),)
    await square.try_(SetBook(instrument="BTCUSDT", bids=bids, asks=asks))
    reader = square.join(FAST)
    await reader.begin(square)
    for _ in range(20):
        await square.next_tenth()
    assert reader.ear.rest() == []
    await square.try_(order(square, Side.BUY, "0.5", "60000"))
    await square.next_tenth()
    (event,) = reader.ear.rest()
    assert (event["b"], event["a"]) == ([["60000.00000000", "1.50000000"]], [])
    reader.book.receive(event)
    assert await square.check() == 1


async def test_a_level_that_is_gone_is_told_as_zero(square: Square) -> None:
    bids, asks = ((Decimal(60_000), Decimal(1)),), ((Decimal(60_001), Decimal(1)),)
    await square.try_(SetBook(instrument="BTCUSDT", bids=bids, asks=asks))
    ear = Ear(square.place.sandbox, FAST)
    await square.try_(order(square, Side.BUY, "1", "60001"))
    await square.next_tenth()
    assert (await ear.next())["a"] == [["60001.00000000", "0.00000000"]]


async def test_an_order_that_came_and_went_between_two_moments_is_not_told(square: Square) -> None:
    bids, asks = ((Decimal(60_000), Decimal(1)),), ((Decimal(60_001), Decimal(1)),)
    await square.try_(SetBook(instrument="BTCUSDT", bids=bids, asks=asks))
    ear = Ear(square.place.sandbox, FAST)
    done = await square.try_(order(square, Side.BUY, "1", "59999"))
    await cancel(square, done)
    await square.next_tenth()
    assert ear.rest() == []


async def test_but_it_is_if_somebody_was_shown_it(square: Square) -> None:
    bids, asks = ((Decimal(60_000), Decimal(1)),), ((Decimal(60_001), Decimal(1)),)
    await square.try_(SetBook(instrument="BTCUSDT", bids=bids, asks=asks))
    readers = square.join(FAST), square.join(SLOW)
    done = await square.try_(order(square, Side.BUY, "1", "59999"))
    for reader in readers:
        await reader.begin(square, limit=1000)
        assert reader.book.bids["59999.00000000"] == "1.00000000"
    await cancel(square, done)
    for _ in range(10):
        await square.next_tenth()
        await square.check()
    for reader in readers:
        assert "59999.00000000" not in reader.book.bids
        assert reader.book.events == 1


async def cancel(square: Square, done: Any) -> None:
    placed = next(event for event in done.events if isinstance(event, OrderPlaced))
    account = square.place.sandbox.accounts["demo"]
    await square.place.do(CancelOrder(account=account, instrument=square.symbol, order=placed.order))


# Partial books


@pytest.mark.parametrize("levels", [5, 10, 20])
async def test_the_best_levels_are_told_as_rest_shows_them(square: Square, levels: int) -> None:
    ears = [Ear(square.place.sandbox, f"btcusdt@depth{levels}{pace}") for pace in ("@100ms", "")]
    await square.try_(order(square, Side.BUY, "0.5", "1000"))
    for _ in range(20):
        await square.next_tenth()
        expected = await square.snapshot(levels)
        told = await ears[0].next()
        assert list(complaints(told, PARTIAL)) == []
        assert told == expected
        if not square.now_us % SECOND_US:
            assert await ears[1].next() == expected
    assert [ear.rest() for ear in ears] == [[], []]


# A clock that stands still


async def test_while_the_clock_stands_still_changes_by_accounts_are_told_at_once() -> None:
    async with Marketplace() as place:
        square = Square(place, Wall(), "BTCUSDT")
        reader, top = square.join(SLOW), Ear(place.sandbox, "btcusdt@depth5")
        await reader.begin(square)
        for price in ("60000", "60001", "60002"):
            await place.do(order(square, Side.BUY, "1", price))
            event = await reader.ear.next()
            assert event["b"] == [[f"{price}.00000000", "1.00000000"]]
            reader.book.receive(event)
            assert reader.book.differences(await square.snapshot()) == []
            assert reader.book.update_id == (await square.snapshot())["lastUpdateId"]
            assert await top.next() == await square.snapshot(5)
        await place.step(DAY_US)
        reader.book.receive(await reader.ear.next())
        assert reader.book.differences(await square.snapshot()) == []


# Any history


class Chance:
    """What happens by chance in a market, with the same chances for the same seed."""

    def __init__(self, square: Square, seed: int) -> None:
        self.square = square
        self.random = random.Random(seed)
        self.open: list[Any] = []

    async def happen(self) -> None:
        acts = [self.place, self.place, self.place, self.cancel, self.cancel, self.take, self.join, self.join]
        acts += [self.price, self.book, self.release, self.print, self.jump, self.stop, self.leave]
        await self.random.choice(acts)()

    async def place(self) -> None:
        chance, square = self.random, self.square
        side = chance.choice((Side.BUY, Side.SELL))
        top = await square.snapshot(20)
        price = (
            Decimal(chance.choice(top["bids"] + top["asks"])[0])
            if top["bids"] or top["asks"]
            else Decimal(50_000)
        )
        price += Decimal(chance.choice((0, 0, 1, -1, 7, -40, 3000, -3000))) * Decimal("0.01")
        quantity = str(Decimal(chance.randrange(1, 300_000)) / 100_000)
        iceberg = str(Decimal(quantity) / 4) if chance.random() < 0.2 else None
        self.open.append(await square.try_(order(square, side, quantity, str(price), iceberg)))

    async def cancel(self) -> None:
        if self.open:
            done = self.open.pop(self.random.randrange(len(self.open)))
            placed = [event.order for event in done.events if isinstance(event, OrderPlaced)]
            account = self.square.place.sandbox.accounts["demo"]
            for number in placed:
                await self.square.try_(
                    CancelOrder(account=account, instrument=self.square.symbol, order=number)
                )

    async def take(self) -> None:
        chance, place = self.random, self.square.place
        terms = OrderTerms(
            side=chance.choice((Side.BUY, Side.SELL)),
            type=OrderType.MARKET,
            quantity=Decimal(chance.choice((1, 30, 3000, 40_000))) / 100,
        )
        account = place.sandbox.accounts["demo"]
        await self.square.try_(
            PlaceOrder(account=account, instrument=self.square.symbol, wallet="spot", terms=terms)
        )

    async def price(self) -> None:
        price = Decimal(self.random.randrange(90_000, 150_000))
        mode = self.random.choice(tuple(PriceMode))
        await self.square.try_(SetPrice(pair="BTC/USDT", price=price, mode=mode))

    async def book(self) -> None:
        best, count = self.random.randrange(90_000, 150_000), self.random.randrange(4)
        bids = tuple((Decimal(best - step), Decimal(step + 1)) for step in range(count))
        asks = tuple((Decimal(best + 1 + step), Decimal(step + 1)) for step in range(3 - count + 1))
        await self.square.try_(SetBook(instrument=self.square.symbol, bids=bids, asks=asks))

    async def release(self) -> None:
        await self.square.try_(ReleaseMarket(pair="BTC/USDT"))

    async def print(self) -> None:
        price = Decimal(self.random.randrange(90_000, 150_000))
        await self.square.try_(
            PrintTrade(
                instrument=self.square.symbol,
                price=price,
                quantity=Decimal(self.random.randrange(1, 50)) / 10,
                buyer_is_maker=self.random.random() < 0.5,
            )
        )

    async def jump(self) -> None:
        square = self.square
        by_us = self.random.choice((TENTH_US, 3 * SECOND_US, 40 * SECOND_US, DAY_US))
        await square.place.step(by_us)
        await square.pulse.next()

    async def stop(self) -> None:
        """The clock stands still while something happens, and goes on."""
        square = self.square
        await square.place.sandbox.set_clock(ClockMode.VIRTUAL, speed=Decimal(0))
        await self.place()
        await self.cancel()
        await square.place.sandbox.set_clock(ClockMode.VIRTUAL, speed=Decimal(1))

    async def join(self) -> None:
        square = self.square
        reader = square.join(self.random.choice((FAST, SLOW)))
        if self.random.random() < 0.5:
            await reader.begin(square)

    async def leave(self) -> None:
        readers = self.square.readers
        if len(readers) > 3:
            readers.pop(self.random.randrange(len(readers))).ear.close()

    async def begin(self) -> None:
        for reader in self.square.readers:
            if not reader.has_begun and self.random.random() < 0.3:
                await reader.begin(self.square)


SEEDS = range(40 if os.environ.get("EMULATOR_TEST_LONG") else 4)


@pytest.mark.parametrize("seed", SEEDS)
async def test_a_local_book_is_the_book_whatever_happens(square: Square, seed: int) -> None:
    """Snapshots of any moment, orders, prices by hand, jumps and stops of the clock: no difference ever."""
    chance, checked = Chance(square, seed), 0
    square.join(FAST)
    square.join(SLOW)
    for _ in range(60):
        for _ in range(chance.random.randrange(4)):
            rest_us = -square.now_us % TENTH_US
            if rest_us > 1:
                await square.wait_until(square.now_us + chance.random.randrange(rest_us))
            await chance.happen()
            await chance.begin()
        await square.next_tenth()
        square.pulse.rest()
        checked += await square.check()
    assert checked > 60


async def test_a_book_of_more_levels_than_rest_shows_is_cut_where_rest_cuts_it() -> None:
    """5,000 levels a side, the market's thousand among them; what lies beyond comes in when there is room."""
    wall = Wall()
    altered = {"BTCUSDT": {"orders_max": 10_000}}
    async with Marketplace(altered, now_us=wall.us, wall_ns=wall.ns) as place:
        await place.sandbox.set_clock(ClockMode.VIRTUAL, speed=Decimal(1))
        square = Square(place, wall, "BTCUSDT")
        await square.join(FAST).begin(square)
        placed = [
            await square.try_(order(square, Side.BUY, "0.0001", str(100_000 + Decimal(step) / 100)))
            for step in range(4_200)
        ]
        await square.next_tenth()
        assert len((await square.snapshot())["bids"]) == 5_000
        assert await square.check() == 1
        await square.join(FAST).begin(square)
        for done in placed[-300:]:
            await cancel(square, done)
        await square.next_tenth()
        assert len((await square.snapshot())["bids"]) < 5_000
        assert await square.check() == 2
