"""Ticker streams: what the ticker endpoints answer at the same moment, of every symbol that changed."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Mapping
from decimal import Decimal
from typing import Any

import pytest

from emulator.core.commands import BookSide, SetBook, SetPrice
from emulator.core.instruments import Side
from emulator.core.numbers import exact
from emulator.exchanges.binance.spot.streams.hub import SOURCES
from emulator.exchanges.binance.spot.streams.names import parse_stream
from emulator.web.streams.message import Message
from tests.exchanges.binance.hearing import Ear
from tests.exchanges.binance.marketplace import NOW_US, Marketplace
from tests.exchanges.binance.shapes import Shape, complaints, fields

SECOND_US = 1_000_000
MINUTE_US = 60 * SECOND_US
HOUR_US = 60 * MINUTE_US
DAY_US = 24 * HOUR_US
WHOLE_US = NOW_US - NOW_US % SECOND_US

BUSY, QUIET = "btcusdt", "solbtc"

MINI = fields("e:s E:i s:s c:s o:s h:s l:s v:s q:s")
DAY = fields("e:s E:i s:s p:s P:s w:s x:s c:s Q:s b:s B:s a:s A:s o:s h:s l:s v:s q:s O:i C:i F:i L:i n:i")
WINDOW = fields("e:s E:i s:s p:s P:s o:s h:s l:s c:s w:s v:s q:s O:i C:i F:i L:i n:i")
"""web-socket-streams.md, "Individual Symbol Mini Ticker Stream", "… Ticker Streams" and "… Rolling Window
Statistics Streams"."""

SUMS = {
    "s": "symbol",
    "c": "lastPrice",
    "o": "openPrice",
    "h": "highPrice",
    "l": "lowPrice",
    "v": "volume",
    "q": "quoteVolume",
}
CHANGES = {
    "p": "priceChange",
    "P": "priceChangePercent",
    "w": "weightedAvgPrice",
    "O": "openTime",
    "C": "closeTime",
    "F": "firstId",
    "L": "lastId",
    "n": "count",
}
EDGES = {
    "x": "prevClosePrice",
    "Q": "lastQty",
    "b": "bidPrice",
    "B": "bidQty",
    "a": "askPrice",
    "A": "askQty",
}

STREAMS: Mapping[str, tuple[str, str, Shape, Mapping[str, str]]] = {
    "miniTicker": ("24hrMiniTicker", "ticker/24hr?type=MINI", MINI, SUMS),
    "ticker": ("24hrTicker", "ticker/24hr?type=FULL", DAY, SUMS | CHANGES | EDGES),
    "ticker_1h": ("1hTicker", "ticker?windowSize=1h", WINDOW, SUMS | CHANGES),
    "ticker_4h": ("4hTicker", "ticker?windowSize=4h", WINDOW, SUMS | CHANGES),
    "ticker_1d": ("1dTicker", "ticker?windowSize=1d", WINDOW, SUMS | CHANGES),
}
"""Type of the event, the endpoint that says the same, the documented keys, and the endpoint's names."""

each_stream = pytest.mark.parametrize("stream", STREAMS)


@pytest.fixture
async def place(anyio_backend: str) -> AsyncIterator[Marketplace]:
    async with Marketplace() as place:
        yield place


async def step_to(place: Marketplace, time_us: int) -> None:
    await place.step(time_us - place.sandbox.clock.now_us())


async def check(place: Marketplace, stream: str, event: Any) -> None:
    """An event has the documented keys, and says what REST says now, which is its moment."""
    kind, endpoint, shape, names = STREAMS[stream]
    assert list(complaints(event, shape)) == []
    assert event["e"] == kind
    assert event["E"] == place.sandbox.clock.now_us() // 1000
    path, _, query = endpoint.partition("?")
    answer = await place.get(path, f"{query}&symbol={event['s']}")
    assert {key: event[key] for key in names} == {key: answer[name] for key, name in names.items()}


@each_stream
async def test_it_says_what_rest_says_at_that_moment(place: Marketplace, stream: str) -> None:
    ear = Ear(place.sandbox, f"{BUSY}@{stream}")
    for number in range(1, 4):
        await step_to(place, WHOLE_US + number * SECOND_US)
        await check(place, stream, await ear.next())
    await place.step(5 * HOUR_US + 123_456)
    await check(place, stream, await ear.next())
    assert ear.rest() == []


@each_stream
async def test_what_accounts_do_shows(place: Marketplace, stream: str) -> None:
    ear = Ear(place.sandbox, f"ethusdt@{stream}")
    await place.order("ETHUSDT", Side.BUY, "2")
    await place.do(SetPrice(pair="ETH/USDT", price=Decimal(5000)))
    await place.order("ETHUSDT", Side.SELL, "3")
    await step_to(place, WHOLE_US + SECOND_US)
    event = await ear.next()
    assert Decimal(event["h"]) >= 5000
    await check(place, stream, event)


async def test_times_of_the_last_24_hours_and_of_a_window(place: Marketplace) -> None:
    day, hour = Ear(place.sandbox, f"{BUSY}@ticker", divisor=1), Ear(place.sandbox, f"{BUSY}@ticker_1h")
    await place.step(SECOND_US)
    now_us = NOW_US + SECOND_US
    event = await day.next()
    assert (event["E"], event["C"]) == (now_us, now_us)
    assert event["O"] == now_us // 1000 * 1000 - DAY_US
    event = await hour.next()
    assert event["C"] == now_us // 1000
    assert event["O"] == (now_us - HOUR_US) // MINUTE_US * 60_000


def spans(place: Marketplace, symbol: str, time_us: int) -> tuple[int, int]:
    """How many trades came before the 24 hours until a moment, and until that moment."""
    market = place.sandbox.engines["binance"].state.markets[symbol]
    with exact():
        return market.trade_count(time_us // 1000 * 1000 - DAY_US - 1), market.trade_count(time_us)


def quiet_since(place: Marketplace, length_us: int) -> int:
    """A whole second from which on no trade of QUIET comes into or falls out of the last 24 hours."""
    time_us = WHOLE_US
    while spans(place, QUIET.upper(), time_us) != spans(place, QUIET.upper(), time_us + length_us):
        time_us += SECOND_US
    return time_us


async def test_a_quiet_market_says_nothing(place: Marketplace) -> None:
    quiet_us = quiet_since(place, 3 * SECOND_US)
    await step_to(place, quiet_us)
    mini, busy = Ear(place.sandbox, f"{QUIET}@miniTicker"), Ear(place.sandbox, f"{BUSY}@miniTicker")
    for number in range(1, 4):
        await step_to(place, quiet_us + number * SECOND_US)
        await busy.next()
    assert mini.rest() == []
    await place.order(QUIET.upper(), Side.BUY, "1")
    await step_to(place, quiet_us + 4 * SECOND_US)
    await check(place, "miniTicker", await mini.next())


async def test_a_new_best_price_is_told_though_nobody_trades(place: Marketplace) -> None:
    quiet_us = quiet_since(place, 4 * SECOND_US)
    await step_to(place, quiet_us)
    quote = await place.get("ticker/bookTicker", f"symbol={QUIET.upper()}")
    bids: BookSide = ((Decimal(quote["bidPrice"]), Decimal(7)),)
    asks: BookSide = ((Decimal(quote["askPrice"]), Decimal(9)),)
    await place.do(SetBook(instrument=QUIET.upper(), bids=bids, asks=asks))
    ear, busy = Ear(place.sandbox, f"{QUIET}@ticker"), Ear(place.sandbox, f"{BUSY}@ticker")
    await step_to(place, quiet_us + SECOND_US)
    await busy.next()
    ear.rest()
    await step_to(place, quiet_us + 2 * SECOND_US)
    await busy.next()
    assert ear.rest() == []
    await place.do(SetBook(instrument=QUIET.upper(), bids=((bids[0][0], Decimal(8)),), asks=asks))
    await step_to(place, quiet_us + 3 * SECOND_US)
    event = await ear.next()
    assert event["B"] == "8.00000000"
    await check(place, "ticker", event)


@each_stream
async def test_all_that_changed_and_nothing_else(place: Marketplace, stream: str) -> None:
    ear = Ear(place.sandbox, f"!{stream}@arr")
    for number in range(1, 4):
        before = await answers(place, stream)
        await step_to(place, WHOLE_US + number * SECOND_US)
        after = await answers(place, stream)
        events = await ear.next()
        changed = [symbol for symbol in after if after[symbol] != before[symbol]]
        if stream == "ticker" and number == 1:
            # Of the book before the first moment nothing is known, so a change of it alone is not told.
            ids = ("firstId", "lastId")
            changed = [s for s in changed if [after[s][i] for i in ids] != [before[s][i] for i in ids]]
        assert [event["s"] for event in events] == changed
        assert len(changed) > 10
        for event in events:
            await check(place, stream, event)
    assert ear.rest() == []


async def answers(place: Marketplace, stream: str) -> dict[str, Any]:
    """What REST says of all symbols, without the times, which are always others."""
    path, _, query = STREAMS[stream][1].partition("?")
    if path == "ticker/24hr":
        listed = await place.get(path, query)
    else:
        symbols = [one["symbol"] for one in await place.get("ticker/price")]
        listed = await place.get(path, f"{query}&symbols=[{','.join(f'%22{s}%22' for s in symbols)}]")
    return {
        one["symbol"]: {name: one[name] for name in one if name not in ("openTime", "closeTime")}
        for one in listed
    }


async def test_an_array_after_a_jump_of_a_week(place: Marketplace) -> None:
    ear = Ear(place.sandbox, "!ticker@arr")
    await place.step(7 * DAY_US)
    events = await ear.next()
    assert len(events) == len(await place.get("ticker/price"))
    for event in events[::16]:
        await check(place, "ticker", event)


@pytest.mark.parametrize(
    "name", [f"{BUSY}@ticker_1h", f"{BUSY}@miniTicker", "!miniTicker@arr", "!ticker@arr"]
)
async def test_the_pace_is_that_of_the_sandboxs_clock(anyio_backend: str, name: str) -> None:
    async with Marketplace(wall_ns=time.time_ns) as place:
        ear = Ear(place.sandbox, name)
        await place.sandbox.set_clock(place.sandbox.clock.mode, None, Decimal(10))
        events = await ear.several(4)
        times = [event[0]["E"] if isinstance(event, list) else event["E"] for event in events]
        assert len({time_ms // 1000 for time_ms in times}) == 4


@pytest.mark.parametrize(("speed", "rest_s"), [(0, 1), (1, 1), (50, 1), (1000, 20)])
async def test_a_stream_of_all_leaves_time_to_others_on_a_fast_clock(
    place: Marketplace, speed: int, rest_s: int
) -> None:
    # The wall of this place stands still, so that only the source's own wishes pass.
    await place.sandbox.set_clock(place.sandbox.clock.mode, None, Decimal(speed))
    stream = parse_stream("!miniTicker@arr")
    assert stream is not None
    source = SOURCES[stream.kind](place.sandbox, stream)
    source.open(WHOLE_US)
    now_us = source.next_us(WHOLE_US)
    assert now_us == WHOLE_US + SECOND_US
    messages: list[Message] = []
    turns = 0
    with exact():
        while source.next_us(now_us) == now_us:
            messages += source.look(now_us)
            turns += 1
    assert len(messages) == 1
    assert turns > 8
    assert source.next_us(now_us) == now_us + rest_s * SECOND_US


async def test_no_array_is_lost_on_a_fast_clock(anyio_backend: str) -> None:
    async with Marketplace(wall_ns=time.time_ns) as place:
        ear = Ear(place.sandbox, "!ticker@arr")
        await place.sandbox.set_clock(place.sandbox.clock.mode, None, Decimal(100_000))
        for _ in range(3):
            events = await ear.next()
            # So much time passes between any two that all have traded.
            assert len(events) == len(place.sandbox.engines["binance"].instruments)
