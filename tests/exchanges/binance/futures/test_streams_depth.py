"""The book of a contract: a local one that is kept by the documented procedure is the exchange's, exactly."""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal
from itertools import pairwise
from typing import Any

import orjson
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
from emulator.exchanges.binance.futures.products import COINM, USDM, Product
from emulator.exchanges.binance.futures.streams.hub import hubs_of
from emulator.exchanges.binance.futures.streams.names import parse_stream
from emulator.runtime.ports import ClockMode
from emulator.web.streams.message import Message
from tests.exchanges.binance.futures.local_book import FuturesBook
from tests.exchanges.binance.futures.studio import NOW_US, FuturesStudio

pytestmark = pytest.mark.anyio

TENTH_US, SECOND_US = 100_000, 1_000_000
QUARTER_US = 250_000


class Wall:
    """A wall clock that goes when it is told to."""

    def __init__(self) -> None:
        self.us = NOW_US - NOW_US % SECOND_US

    def ns(self) -> int:
        return self.us * 1000


class Ear:
    """Hears what a stream says, without a socket."""

    def __init__(self, square: Square, name: str) -> None:
        stream = parse_stream(square.site, name)
        assert stream is not None
        self._heard: asyncio.Queue[Any] = asyncio.Queue()
        self.close = hubs_of(square.site).of(square.studio.sandbox).subscribe(stream, self._hear)

    def _hear(self, message: Message) -> None:
        self._heard.put_nowait(orjson.loads(message.encoded(1000)))

    async def next(self) -> Any:
        return await asyncio.wait_for(self._heard.get(), 10)

    def rest(self) -> list[Any]:
        return [self._heard.get_nowait() for _ in range(self._heard.qsize())]


class Reader:
    """Keeps a local book from one stream, beginning with a snapshot of its own."""

    def __init__(self, square: Square, name: str) -> None:
        self.ear = Ear(square, name)
        self.pace_us = TENTH_US if "@100ms" in name else QUARTER_US
        self.book = FuturesBook()

    def read(self) -> None:
        for event in self.ear.rest():
            self.book.receive(event)

    async def begin(self, square: Square) -> None:
        self.read()
        self.book.begin(await square.snapshot())


class Square:
    """One contract's market, whose clock runs as the wall does, with readers of its book."""

    def __init__(self, studio: FuturesStudio, wall: Wall, site: Product, symbol: str) -> None:
        self.studio = studio
        self.wall = wall
        self.site = site
        self.symbol = symbol
        self.instrument = f"{site.wallet}:{symbol}"
        self.readers: list[Reader] = []
        # It speaks at every tenth of a second, changed or not.
        self.pulse = Ear(self, f"{symbol.lower()}@depth5@100ms")

    @property
    def now_us(self) -> int:
        return self.studio.now_us

    async def snapshot(self, limit: int = 1000) -> Any:
        path = f"{self.site.prefix}/v1/depth"
        return await self.studio.get(path, f"symbol={self.symbol}&limit={limit}", site=self.site)

    async def wait_until(self, time_us: int) -> None:
        """Let the time come, and what the streams have to say then."""
        before_us = self.now_us
        self.wall.us += time_us - before_us
        self.studio.sandbox.alarms.look()
        if time_us // TENTH_US > before_us // TENTH_US:
            await self.pulse.next()
        # Others may have their turns after it: at least one stream in a turn of the event loop.
        for _ in range(2 * len(hubs_of(self.site).of(self.studio.sandbox).streams)):
            await asyncio.sleep(0)

    async def next_moment(self) -> None:
        """The next tenth, or quarter of a second."""
        now_us = self.now_us
        await self.wait_until(min((now_us // pace_us + 1) * pace_us for pace_us in (TENTH_US, QUARTER_US)))

    async def try_(self, command: Command) -> Any:
        """Accepted or not."""
        return await self.studio.sandbox.submit("binance", command)

    def join(self, name: str) -> Reader:
        reader = Reader(self, name)
        self.readers.append(reader)
        return reader

    async def check(self) -> int:
        """Compare every local book whose stream has just spoken; how many."""
        snapshot, checked = await self.snapshot(), 0
        for reader in self.readers:
            reader.read()
            if self.now_us % reader.pace_us or not reader.book.has_begun:
                continue
            assert reader.book.differences(snapshot) == []
            checked += 1
        return checked

    def order(self, side: Side, quantity: str, price: str | None) -> PlaceOrder:
        terms = OrderTerms(
            side=side,
            type=OrderType.MARKET if price is None else OrderType.LIMIT,
            quantity=Decimal(quantity),
            price=None if price is None else Decimal(price),
        )
        account = self.studio.sandbox.accounts["demo"]
        return PlaceOrder(account=account, instrument=self.instrument, wallet=self.site.wallet, terms=terms)


@asynccontextmanager
async def squared(site: Product, symbol: str) -> AsyncIterator[Square]:
    wall = Wall()
    async with FuturesStudio(now_us=wall.us, wall_ns=wall.ns) as studio:
        await studio.sandbox.set_clock(ClockMode.VIRTUAL, speed=Decimal(1))
        yield Square(studio, wall, site, symbol)


MARKETS = [(USDM, "BTCUSDT"), (COINM, "BTCUSD_PERP")]


@pytest.mark.parametrize(("site", "symbol"), MARKETS)
async def test_each_event_goes_on_from_the_one_before(site: Product, symbol: str) -> None:
    async with squared(site, symbol) as square:
        fast, slow = (Ear(square, f"{symbol.lower()}@depth{pace}") for pace in ("@100ms", ""))
        for _ in range(40):
            await square.next_moment()
        for ear, pace_ms in ((fast, 100), (slow, 250)):
            events = ear.rest()
            assert len(events) > 5
            assert all(event["E"] % pace_ms == 0 for event in events)
            for earlier, later in pairwise(events):
                assert later["pu"] == earlier["u"]
                assert later["U"] <= later["u"]


async def test_an_idle_book_begins_as_soon_as_something_changes() -> None:
    async with squared(USDM, "BTCUSDT") as square:
        sides = {"bids": ((Decimal(60_000), Decimal(1)),), "asks": ((Decimal(60_001), Decimal(1)),)}
        await square.studio.do(SetBook(instrument=square.instrument, **sides))
        reader = square.join("btcusdt@depth@100ms")
        await reader.begin(square)
        for _ in range(20):
            await square.next_moment()
        assert reader.ear.rest() == []
        await square.try_(square.order(Side.BUY, "0.5", "60000"))
        await square.wait_until(square.now_us // TENTH_US * TENTH_US + TENTH_US)
        (event,) = reader.ear.rest()
        assert event["b"] == [["60000.00", "1.500"]]
        reader.book.receive(event)
        assert reader.book.differences(await square.snapshot()) == []


async def test_while_the_clock_stands_still_a_snapshot_of_the_same_moment_begins_a_book() -> None:
    """Its id is that with which the last event ended, and the next event has to reach back to it."""
    async with FuturesStudio() as studio:
        square = Square(studio, Wall(), USDM, "BTCUSDT")
        early = square.join("btcusdt@depth")
        await early.begin(square)
        best = Decimal((await square.snapshot(5))["bids"][0][0])
        for step in range(1, 4):
            await studio.do(square.order(Side.BUY, "1", str(best - step)))
            for reader in square.readers:
                reader.book.receive(await reader.ear.next())
            late = square.join("btcusdt@depth")
            await late.begin(square)
            assert late.book.differences(await square.snapshot()) == []
            await studio.do(square.order(Side.BUY, "1", str(best - 10)))
            for reader in square.readers:
                reader.book.receive(await reader.ear.next())
                assert reader.book.differences(await square.snapshot()) == []


class Chance:
    """What happens by chance in a market, with the same chances for the same seed."""

    def __init__(self, square: Square, seed: int) -> None:
        self.square = square
        self.random = random.Random(seed)
        self.open: list[Any] = []

    async def happen(self) -> None:
        acts = [self.place, self.place, self.place, self.cancel, self.cancel, self.take, self.join]
        acts += [self.price, self.book, self.release, self.print, self.jump, self.leave]
        await self.random.choice(acts)()

    @property
    def quantity(self) -> str:
        return str(self.random.randrange(1, 40))

    async def place(self) -> None:
        chance, square = self.random, self.square
        top = await square.snapshot(20)
        levels = top["bids"] + top["asks"]
        price = Decimal(chance.choice(levels)[0]) if levels else Decimal(100_000)
        price += Decimal(chance.choice((0, 0, 1, -1, 7, -40, 3000, -3000))) / 10
        side = chance.choice((Side.BUY, Side.SELL))
        self.open.append(await square.try_(square.order(side, self.quantity, str(price))))

    async def cancel(self) -> None:
        if self.open:
            done = self.open.pop(self.random.randrange(len(self.open)))
            account = self.square.studio.sandbox.accounts["demo"]
            for event in done.events:
                if isinstance(event, OrderPlaced):
                    await self.square.try_(
                        CancelOrder(account=account, instrument=self.square.instrument, order=event.order)
                    )

    async def take(self) -> None:
        side = self.random.choice((Side.BUY, Side.SELL))
        await self.square.try_(self.square.order(side, self.quantity, None))

    async def price(self) -> None:
        pair = "BTC/USDT" if self.square.site is USDM else "BTC/USD"
        price, mode = Decimal(self.random.randrange(90_000, 150_000)), self.random.choice(tuple(PriceMode))
        await self.square.try_(SetPrice(pair=pair, price=price, mode=mode))

    async def book(self) -> None:
        best, count = self.random.randrange(90_000, 150_000), self.random.randrange(4)
        bids = tuple((Decimal(best - step), Decimal(step + 1)) for step in range(count))
        asks = tuple((Decimal(best + 1 + step), Decimal(step + 1)) for step in range(3 - count + 1))
        await self.square.try_(SetBook(instrument=self.square.instrument, bids=bids, asks=asks))

    async def release(self) -> None:
        pair = "BTC/USDT" if self.square.site is USDM else "BTC/USD"
        await self.square.try_(ReleaseMarket(pair=pair))

    async def print(self) -> None:
        await self.square.try_(
            PrintTrade(
                instrument=self.square.instrument,
                price=Decimal(self.random.randrange(90_000, 150_000)),
                quantity=Decimal(self.random.randrange(1, 50)),
                buyer_is_maker=self.random.random() < 0.5,
            )
        )

    async def jump(self) -> None:
        square = self.square
        await square.studio.step(self.random.choice((TENTH_US, 3 * SECOND_US, 40 * SECOND_US)))
        await square.pulse.next()

    async def join(self) -> None:
        square = self.square
        pace = self.random.choice(("@100ms", ""))
        reader = square.join(f"{square.symbol.lower()}@depth{pace}")
        if self.random.random() < 0.5:
            await reader.begin(square)

    async def leave(self) -> None:
        readers = self.square.readers
        if len(readers) > 3:
            readers.pop(self.random.randrange(len(readers))).ear.close()

    async def begin(self) -> None:
        for reader in self.square.readers:
            if not reader.book.has_begun and self.random.random() < 0.3:
                await reader.begin(self.square)


SEEDS = range(40) if os.environ.get("EMULATOR_TEST_LONG") else (0, 7)
"""Of the short ones the second comes to a book that is cut to a thousand levels, and then is not any more."""


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(("site", "symbol"), MARKETS)
async def test_a_local_book_is_the_book_whatever_happens(site: Product, symbol: str, seed: int) -> None:
    """Snapshots of any moment, orders, prices by hand, jumps of the clock: no difference ever."""
    async with squared(site, symbol) as square:
        chance, checked = Chance(square, seed), 0
        square.join(f"{symbol.lower()}@depth@100ms")
        square.join(f"{symbol.lower()}@depth")
        for _ in range(60):
            for _ in range(chance.random.randrange(4)):
                rest_us = -square.now_us % TENTH_US
                if rest_us > 1:
                    await square.wait_until(square.now_us + chance.random.randrange(rest_us))
                await chance.happen()
                await chance.begin()
            await square.next_moment()
            square.pulse.rest()
            checked += await square.check()
        assert checked > 60
