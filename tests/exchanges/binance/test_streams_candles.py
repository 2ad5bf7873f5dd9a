"""Kline streams: what GET klines answers of the same interval at the same moment, and every close once."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Sequence
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest

from emulator.core.commands import SetPrice
from emulator.core.instruments import Side
from emulator.core.numbers import exact
from emulator.exchanges.binance.readings.intervals import interval_of
from emulator.exchanges.binance.vocabulary import INTERVALS_US
from tests.exchanges.binance.hearing import Ear
from tests.exchanges.binance.marketplace import NOW_US, Marketplace
from tests.exchanges.binance.shapes import complaints, fields

SECOND_US = 1_000_000
MINUTE_US = 60 * SECOND_US
HOUR_US = 60 * MINUTE_US
EVEN_US = NOW_US - NOW_US % (2 * SECOND_US)

BUSY, QUIET = "btcusdt", "solbtc"

SHAPE = fields("e:s E:i s:s", k=fields("t:i T:i s:s i:s f:i L:i o:s c:s h:s l:s v:s n:i x:b q:s V:s Q:s B:s"))
"""web-socket-streams.md, "Kline/Candlestick Streams for UTC"."""


@pytest.fixture
async def place(anyio_backend: str) -> AsyncIterator[Marketplace]:
    async with Marketplace() as place:
        yield place


async def step_to(place: Marketplace, time_us: int) -> None:
    await place.step(time_us - place.sandbox.clock.now_us())


def row_of(event: Any) -> list[Any]:
    """The row of GET klines that says what an event says."""
    k = event["k"]
    names = ("t", "o", "h", "l", "c", "v", "T", "q", "n", "V", "Q", "B")
    return [k[name] for name in names]


async def rest_row(place: Marketplace, event: Any, zone: str = "0") -> Any:
    k = event["k"]
    query = f"symbol={k['s']}&interval={k['i']}&startTime={k['t']}&limit=1&timeZone={zone}"
    (row,) = await place.get("klines", query)
    return row


async def check_ids(place: Marketplace, event: Any) -> None:
    """The first and last trade are the ones that the trades themselves begin and end with."""
    k = event["k"]
    if not k["n"]:
        assert (k["f"], k["L"]) == (-1, -1)
        return
    assert k["L"] - k["f"] + 1 == k["n"]
    first, last = [
        (await place.get("historicalTrades", f"symbol={k['s']}&fromId={number}&limit=1"))[0]
        for number in (k["f"], k["L"])
    ]
    assert k["t"] <= first["time"] <= last["time"] <= k["T"]
    assert (first["price"], last["price"]) == (k["o"], k["c"])


async def test_a_kline_is_told_as_documented(place: Marketplace) -> None:
    ear = Ear(place.sandbox, f"{BUSY}@kline_1m")
    await step_to(place, EVEN_US + 2 * SECOND_US)
    growing = await ear.next()
    assert list(complaints(growing, SHAPE)) == []
    assert (growing["e"], growing["s"], growing["E"]) == ("kline", "BTCUSDT", EVEN_US // 1000 + 2000)
    assert (growing["k"]["s"], growing["k"]["i"], growing["k"]["x"]) == ("BTCUSDT", "1m", False)
    assert growing["k"]["T"] - growing["k"]["t"] == 59_999
    assert row_of(growing) == await rest_row(place, growing)
    await check_ids(place, growing)

    await step_to(place, NOW_US - NOW_US % MINUTE_US + MINUTE_US)
    closed = await ear.next()
    assert list(complaints(closed, SHAPE)) == []
    assert closed["k"]["x"] is True
    assert closed["k"]["t"] == growing["k"]["t"]
    assert row_of(closed) == await rest_row(place, closed)
    await check_ids(place, closed)


@pytest.mark.parametrize("zone", ["", "@+08:00"])
@pytest.mark.parametrize("interval", INTERVALS_US)
async def test_every_interval_is_closed_with_what_rest_says(
    place: Marketplace, interval: str, zone: str
) -> None:
    span = interval_of(interval, 8 * HOUR_US if zone else 0)
    open_us = span.open_of(NOW_US)
    close_us = span.step(open_us, 1)
    ear = Ear(place.sandbox, f"ethusdt@kline_{interval}{zone}")
    await step_to(place, close_us)
    closed = await ear.next()
    assert closed["E"] == close_us // 1000
    assert closed["k"]["x"] is True
    assert closed["k"]["i"] == interval
    assert (closed["k"]["t"], closed["k"]["T"]) == (open_us // 1000, close_us // 1000 - 1)
    assert row_of(closed) == await rest_row(place, closed, "8" if zone else "0")
    await check_ids(place, closed)


async def test_a_day_of_the_offset_form_begins_at_midnight_there(place: Marketplace) -> None:
    ear = Ear(place.sandbox, f"{BUSY}@kline_1d@+08:00")
    await step_to(place, EVEN_US + 2 * SECOND_US)
    # 2026-09-21 00:00 at UTC+8; the moment itself is 22:15 there.
    assert (await ear.next())["k"]["t"] == 1_789_920_000_000


async def test_a_growing_kline_is_told_every_two_seconds_and_a_second_once(place: Marketplace) -> None:
    minutes, seconds = Ear(place.sandbox, f"{BUSY}@kline_1m"), Ear(place.sandbox, f"{BUSY}@kline_1s")
    for number in range(1, 7):
        await step_to(place, EVEN_US + number * SECOND_US + SECOND_US)
        second = await seconds.next()
        assert second["k"]["x"] is True
        assert second["E"] - second["k"]["t"] == 1000
        assert row_of(second) == await rest_row(place, second)
        heard = minutes.rest()
        assert [event["E"] for event in heard] == ([second["E"]] if number % 2 else [])
    assert seconds.rest() == []


async def test_the_next_kline_waits_for_its_first_moment(place: Marketplace) -> None:
    close_us = NOW_US - NOW_US % MINUTE_US + MINUTE_US
    ear, other = Ear(place.sandbox, f"{BUSY}@kline_1m"), Ear(place.sandbox, f"{BUSY}@kline_3m")
    await step_to(place, close_us)
    assert (await ear.next())["k"]["x"] is True
    await other.next()
    await step_to(place, close_us + 2 * SECOND_US)
    begun = await ear.next()
    assert (begun["k"]["t"], begun["k"]["x"]) == (close_us // 1000, False)
    assert row_of(begun) == await rest_row(place, begun)


async def test_what_accounts_do_shows(place: Marketplace) -> None:
    ear = Ear(place.sandbox, "ethusdt@kline_5m")
    await place.order("ETHUSDT", Side.BUY, "2")
    await place.do(SetPrice(pair="ETH/USDT", price=Decimal(5000)))
    await place.order("ETHUSDT", Side.SELL, "3")
    await step_to(place, EVEN_US + 2 * SECOND_US)
    growing = await ear.next()
    assert Decimal(growing["k"]["h"]) >= 5000
    assert row_of(growing) == await rest_row(place, growing)
    await step_to(place, NOW_US - NOW_US % (5 * MINUTE_US) + 5 * MINUTE_US)
    closed = await ear.next()
    assert closed["k"]["x"] is True
    assert row_of(closed) == await rest_row(place, closed)
    await check_ids(place, closed)


async def test_a_jump_tells_all_closes_in_order_and_then_the_open_one(place: Marketplace) -> None:
    ear = Ear(place.sandbox, f"{BUSY}@kline_1m")
    await place.step(10 * MINUTE_US)
    events = await ear.several(11)
    rows = await place.get("klines", "symbol=BTCUSDT&interval=1m&limit=11")
    assert [row_of(event) for event in events] == rows
    assert [event["k"]["x"] for event in events] == [True] * 10 + [False]
    assert {event["E"] for event in events} == {(NOW_US + 10 * MINUTE_US) // 1000}


async def test_a_long_jump_tells_the_last_thousand_closes(place: Marketplace) -> None:
    ear = Ear(place.sandbox, f"{QUIET}@kline_1s")
    await place.step(HOUR_US)
    events = await ear.several(1000)
    await place.step(SECOND_US)
    after = await ear.next()
    times = [event["k"]["t"] for event in [*events, after]]
    assert times[0] == (NOW_US + HOUR_US) // SECOND_US * 1000 - 1_000_000
    assert {right - left for left, right in pairwise(times)} == {1000}
    assert all(event["k"]["x"] for event in events)
    rows = await place.get("klines", f"symbol={QUIET.upper()}&interval=1s&startTime={times[0]}&limit=1000")
    assert [row_of(event) for event in events] == rows


async def test_closed_months_are_told_after_a_jump_of_years(place: Marketplace) -> None:
    ear = Ear(place.sandbox, f"{BUSY}@kline_1M@+08:00")
    await place.step(2 * 366 * 24 * HOUR_US)
    events = await ear.several(25)
    rows = await place.get("klines", "symbol=BTCUSDT&interval=1M&limit=25&timeZone=8")
    assert [row_of(event) for event in events] == rows
    assert [event["k"]["x"] for event in events] == [True] * 24 + [False]


def quiet_since(place: Marketplace, length_us: int) -> int:
    """When a span without trades of QUIET begins, from the next whole minute on."""
    market = place.sandbox.engines["binance"].state.markets[QUIET.upper()]
    time_us = NOW_US - NOW_US % MINUTE_US + MINUTE_US
    with exact():
        while True:
            next_us = market.feed.next_trade_time(market.instrument, time_us)
            if next_us - time_us > length_us and time_us % MINUTE_US < MINUTE_US - length_us:
                return time_us
            time_us = next_us


async def test_a_quiet_market_is_not_told_again_but_still_closed(place: Marketplace) -> None:
    quiet_us = quiet_since(place, 8 * SECOND_US)
    await step_to(place, quiet_us)
    ear, busy = Ear(place.sandbox, f"{QUIET}@kline_1m"), Ear(place.sandbox, f"{BUSY}@kline_1m")
    seconds = Ear(place.sandbox, f"{QUIET}@kline_1s")
    first_us = quiet_us - quiet_us % (2 * SECOND_US) + 2 * SECOND_US
    for time_us in range(first_us, first_us + 6 * SECOND_US, SECOND_US):
        await step_to(place, time_us)
        empty = await seconds.next()
        while empty["k"]["T"] != time_us // 1000 - 1:
            empty = await seconds.next()
        if time_us == first_us:
            continue  # It holds the trade that the quiet began with, maybe.
        assert (empty["k"]["n"], empty["k"]["f"], empty["k"]["L"], empty["k"]["x"]) == (0, -1, -1, True)
        assert row_of(empty) == await rest_row(place, empty)
        assert empty["k"]["o"] == empty["k"]["c"] != "0.00000000"
    assert len(await busy.several(3)) == 3
    assert ear.rest() == []


async def test_microseconds_when_they_are_asked_for(place: Marketplace) -> None:
    ear = Ear(place.sandbox, f"{BUSY}@kline_1m", divisor=1)
    await place.step(3 * SECOND_US)
    event = await ear.next()
    open_us = NOW_US - NOW_US % MINUTE_US
    assert event["E"] == NOW_US + 3 * SECOND_US
    assert (event["k"]["t"], event["k"]["T"]) == (open_us, open_us + MINUTE_US - 1)


@pytest.mark.parametrize("speed", [60, 3600])
async def test_no_close_is_missed_on_a_fast_clock(anyio_backend: str, speed: int) -> None:
    async with Marketplace(wall_ns=time.time_ns) as place:
        ears = [Ear(place.sandbox, f"{name}@kline_1m") for name in (BUSY, QUIET)]
        await place.sandbox.set_clock(place.sandbox.clock.mode, None, Decimal(speed))
        closes: list[list[Any]] = [[], []]
        while min(map(len, closes)) < 5:
            for ear, heard in zip(ears, closes, strict=True):
                event = await ear.next()
                if event["k"]["x"]:
                    heard.append(event)
        await check_closes(place, closes)


async def check_closes(place: Marketplace, closes: Sequence[Sequence[Any]]) -> None:
    for heard in closes:
        times = [event["k"]["t"] for event in heard]
        assert times[0] == (NOW_US - NOW_US % MINUTE_US) // 1000
        assert {right - left for left, right in pairwise(times)} == {60_000}
        for event in heard:
            assert event["E"] > event["k"]["T"]
            assert row_of(event) == await rest_row(place, event)
