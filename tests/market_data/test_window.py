"""Windows of a book: a copy that is kept of what they say is the book, whatever happens to it."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any, NamedTuple

import orjson
import pytest

from emulator.core.commands import (
    CancelAllOrders,
    PlaceOrder,
    PriceMode,
    PrintTrade,
    ReleaseMarket,
    SetBook,
    SetPrice,
)
from emulator.core.instruments import BUY, SELL, OrderType, Side
from emulator.core.numbers import exact
from emulator.core.orders import OrderTerms
from emulator.market_data.streams.window import BestWindow, BookWindow, ToldWindow, Window
from emulator.runtime.ports import ClockMode
from emulator.web.streams.message import Message
from tests.exchanges.binance.marketplace import NOW_US, Marketplace

pytestmark = pytest.mark.anyio

MILLISECOND_US, SECOND_US = 1000, 1_000_000
SYMBOL = "BTCUSDT"


class Stream(NamedTuple):
    pace_us: int
    name: str = "book"
    kind: str = "book"
    instrument: str | None = SYMBOL
    engine: str = "binance"


def render(told: ToldWindow, divisor: int) -> dict[str, Any]:
    return {
        "snapshot": told.is_snapshot,
        "number": told.number,
        "told_us": told.now_us,
        "looked_us": told.looked_us,
        "bids": [[str(price), str(quantity)] for price, quantity in told.bids],
        "asks": [[str(price), str(quantity)] for price, quantity in told.asks],
    }


def said(messages: Any) -> list[dict[str, Any]]:
    assert all(isinstance(message, Message) for message in messages)
    return [orjson.loads(message.encoded(1)) for message in messages]


class Copy:
    """A book kept by what is said; it fails where something is taken away that is not there."""

    def __init__(self, greeting: dict[str, Any]) -> None:
        assert greeting["snapshot"]
        self.number = greeting["number"]
        self.sides = {side: {Decimal(p): Decimal(q) for p, q in greeting[side]} for side in ("bids", "asks")}

    def receive(self, change: dict[str, Any]) -> None:
        assert not change["snapshot"]
        assert change["number"] == self.number + 1
        assert change["bids"] or change["asks"]
        self.number = change["number"]
        for side, is_reversed in (("bids", True), ("asks", False)):
            prices = [Decimal(price) for price, _ in change[side]]
            assert prices == sorted(set(prices), reverse=is_reversed)
            for price, quantity in change[side]:
                if Decimal(quantity):
                    self.sides[side][Decimal(price)] = Decimal(quantity)
                else:
                    del self.sides[side][Decimal(price)]


class Place(Marketplace):
    wall_us = NOW_US - NOW_US % SECOND_US

    def __init__(self) -> None:
        super().__init__(now_us=self.wall_us, wall_ns=lambda: self.wall_us * 1000)

    @property
    def now_us(self) -> int:
        return self.sandbox.clock.now_us()

    def open(self, window: Window) -> dict[str, Any]:
        with exact():
            window.open(self.now_us)
            (greeting,) = said(window.greet(self.now_us))
        return greeting

    def look(self, window: Window) -> list[dict[str, Any]]:
        with exact():
            return said(window.look(self.now_us))

    def book(self, levels: int) -> dict[str, dict[Decimal, Decimal]]:
        market = self.sandbox.engines["binance"].state.markets[SYMBOL]
        with exact():
            return {
                name: dict(market.depth(side, self.now_us, levels))
                for name, side in (("bids", BUY), ("asks", SELL))
            }


@pytest.fixture
async def place(anyio_backend: str) -> AsyncIterator[Place]:
    place = Place()
    async with place:
        yield place


def side(*levels: tuple[int, int]) -> tuple[tuple[Decimal, Decimal], ...]:
    return tuple((Decimal(price), Decimal(quantity)) for price, quantity in levels)


async def set_book(place: Place, bids: Any, asks: Any) -> None:
    await place.do(SetBook(instrument=SYMBOL, bids=side(*bids), asks=side(*asks)))


BIDS, ASKS = ((100, 1), (99, 2), (98, 3)), ((101, 1), (102, 2), (103, 3))


async def test_who_is_new_is_told_all_and_then_what_changed(place: Place) -> None:
    await set_book(place, BIDS, ASKS)
    window = BookWindow(place.sandbox, Stream(20 * MILLISECOND_US), render, levels=2)
    greeting = place.open(window)
    assert (greeting["bids"], greeting["asks"]) == ([["100", "1"], ["99", "2"]], [["101", "1"], ["102", "2"]])
    assert place.look(window) == []
    # What is taken leaves the window, and what was behind it comes in.
    await place.order(SYMBOL, Side.BUY, "1", "101")
    (change,) = place.look(window)
    assert (change["bids"], change["asks"]) == ([], [["101", "0"], ["103", "3"]])
    assert change["number"] == greeting["number"] + 1
    # What pushes another one out of the window takes it away.
    await place.order(SYMBOL, Side.BUY, "5", "99.5")
    (change,) = place.look(window)
    assert (change["bids"], change["asks"]) == ([["99.5", "5"], ["99", "0"]], [])
    assert place.look(window) == []
    (again,) = said(window.greet(place.now_us))
    assert (again["snapshot"], again["number"]) == (True, change["number"])
    assert again["bids"] == [["100", "1"], ["99.5", "5"]]


async def test_the_best_alone_is_told_again_after_a_while(place: Place) -> None:
    await set_book(place, BIDS, ASKS)
    await place.sandbox.set_clock(ClockMode.VIRTUAL, speed=Decimal(1))
    stream = Stream(10 * MILLISECOND_US)
    window = BestWindow(place.sandbox, stream, render, levels=1, repeat_us=3 * SECOND_US)
    greeting = place.open(window)
    assert (greeting["bids"], greeting["asks"]) == ([["100", "1"]], [["101", "1"]])
    place.wall_us += 2_999 * MILLISECOND_US
    assert place.look(window) == []
    assert window.next_us(place.now_us) - place.now_us == MILLISECOND_US
    place.wall_us += MILLISECOND_US
    (again,) = place.look(window)
    assert again == {**greeting, "told_us": place.now_us, "looked_us": place.now_us}
    await place.order(SYMBOL, Side.BUY, "1", "101")
    assert place.look(window) == []
    assert window.next_us(place.now_us) - place.now_us == 10 * MILLISECOND_US
    place.wall_us += 10 * MILLISECOND_US
    (new,) = place.look(window)
    assert (new["snapshot"], new["number"], new["asks"]) == (True, greeting["number"] + 1, [["102", "2"]])
    place.wall_us += 2_990 * MILLISECOND_US
    assert place.look(window) == []
    place.wall_us += 10 * MILLISECOND_US
    assert place.look(window)[0]["number"] == new["number"]


async def test_between_its_moments_a_window_says_nothing(place: Place) -> None:
    await set_book(place, BIDS, ASKS)
    await place.sandbox.set_clock(ClockMode.VIRTUAL, speed=Decimal(1))
    window = BookWindow(place.sandbox, Stream(100 * MILLISECOND_US), render, levels=3)
    copy = Copy(place.open(window))
    for by_ms, is_moment in ((30, False), (60, False), (10, True), (1, False), (99, True)):
        place.wall_us += by_ms * MILLISECOND_US
        await place.order(SYMBOL, Side.BUY, "0.1", "98")
        changes = place.look(window)
        assert len(changes) == is_moment
        assert window.next_us(place.now_us) % (100 * MILLISECOND_US) == 0
        for change in changes:
            copy.receive(change)
            assert copy.sides == place.book(3)


@pytest.mark.parametrize("levels", [1, 5, 50, 200])
async def test_a_copy_is_the_book_whatever_happens(place: Place, levels: int) -> None:
    chance = random.Random(levels)
    window = BookWindow(place.sandbox, Stream(20 * MILLISECOND_US), render, levels=levels)
    copies = [Copy(place.open(window))]
    account = place.sandbox.accounts["demo"]
    spoke = 0
    for _ in range(150):
        book = place.book(20)
        around = [*book["bids"], *book["asks"]] or [Decimal(50_000)]
        price = max(chance.choice(around) + chance.choice((-1, 0, 0, 1)) * Decimal("0.01"), Decimal("0.01"))
        match chance.randrange(12):
            case 0:
                await place.sandbox.submit(
                    "binance", SetPrice(pair="BTC/USDT", price=price, mode=chance.choice(list(PriceMode)))
                )
            case 1:
                await place.sandbox.submit("binance", ReleaseMarket(pair="BTC/USDT"))
            case 2:
                await set_book(place, BIDS[: chance.randrange(4)], ASKS[: chance.randrange(4)])
            case 3:
                await place.sandbox.submit(
                    "binance",
                    PrintTrade(instrument=SYMBOL, price=price, quantity=Decimal(1), buyer_is_maker=False),
                )
            case 4:
                await place.sandbox.submit("binance", CancelAllOrders(account=account, instrument=SYMBOL))
            case 5 | 6:
                await place.step(chance.choice((1, 20_000, SECOND_US, 3_600 * SECOND_US)))
            case _:
                terms = OrderTerms(
                    side=chance.choice((Side.BUY, Side.SELL)),
                    type=OrderType.LIMIT,
                    quantity=Decimal(chance.randrange(1, 500)) / 100,
                    price=price,
                )
                await place.sandbox.submit(
                    "binance", PlaceOrder(account=account, instrument=SYMBOL, wallet="spot", terms=terms)
                )
        for change in place.look(window):
            spoke += 1
            for copy in copies:
                copy.receive(change)
        if chance.random() < 0.1:
            (greeting,) = said(window.greet(place.now_us))
            copies.append(Copy(greeting))
        for copy in copies:
            assert copy.sides == place.book(levels)
    assert spoke > 50
