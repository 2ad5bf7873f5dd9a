"""The average price as a stream, and two streams that have nothing to tell."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal

import pytest

from emulator.core.commands import SetPrice
from emulator.core.numbers import exact
from tests.exchanges.binance.hearing import Ear
from tests.exchanges.binance.marketplace import NOW_US, Marketplace
from tests.exchanges.binance.shapes import complaints, fields

SECOND_US = 1_000_000
WHOLE_US = NOW_US - NOW_US % SECOND_US

SHAPE = fields("e:s E:i s:s i:s w:s T:i")
"""web-socket-streams.md, "Average Price"."""


@pytest.fixture
async def place(anyio_backend: str) -> AsyncIterator[Marketplace]:
    async with Marketplace() as place:
        yield place


async def step_to(place: Marketplace, time_us: int) -> None:
    await place.step(time_us - place.sandbox.clock.now_us())


async def test_it_says_what_rest_says_at_that_moment(place: Marketplace) -> None:
    ear = Ear(place.sandbox, "btcusdt@avgPrice")
    for number in range(1, 5):
        if number == 3:
            await place.do(SetPrice(pair="BTC/USDT", price=Decimal(123_456)))
        await step_to(place, WHOLE_US + number * SECOND_US)
        event = await ear.next()
        assert list(complaints(event, SHAPE)) == []
        assert (event["e"], event["s"], event["i"]) == ("avgPrice", "BTCUSDT", "5m")
        assert event["E"] == WHOLE_US // 1000 + number * 1000
        answer = await place.get("avgPrice", "symbol=BTCUSDT")
        assert (event["w"], event["T"]) == (answer["price"], answer["closeTime"])
    assert ear.rest() == []


async def test_the_interval_is_the_symbols_own(anyio_backend: str) -> None:
    async with Marketplace({"BTCUSDT": {"reference_minutes": 1}}) as place:
        ear = Ear(place.sandbox, "btcusdt@avgPrice", divisor=1)
        await place.step(SECOND_US)
        event = await ear.next()
        assert (event["i"], event["E"]) == ("1m", NOW_US + SECOND_US)
        assert (
            event["T"]
            == place.sandbox.engines["binance"]
            .state.markets["BTCUSDT"]
            .last_print(NOW_US + SECOND_US)
            .time_us
        )


async def test_an_average_that_stays_is_not_told_again(place: Marketplace) -> None:
    # With the price held and nobody trading, only the seconds go by.
    market = place.sandbox.engines["binance"].state.markets["SOLBTC"]
    await place.do(SetPrice(pair="SOL/BTC", price=Decimal("0.002")))
    time_us = WHOLE_US + SECOND_US
    with exact():
        while market.feed.next_trade_time(market.instrument, time_us) < time_us + 4 * SECOND_US:
            time_us += SECOND_US
    await step_to(place, time_us)
    ear, busy = Ear(place.sandbox, "solbtc@avgPrice"), Ear(place.sandbox, "btcusdt@avgPrice")
    for number in range(1, 4):
        await step_to(place, time_us + number * SECOND_US)
        await busy.next()
    assert ear.rest() == []
    await step_to(place, time_us + 60 * SECOND_US)
    event = await ear.next()
    assert event["w"] == "0.00200000"


@pytest.mark.parametrize("name", ["btcusdt@referencePrice", "btcusdt@blockTrade"])
async def test_what_does_not_exist_here_is_not_told_of(place: Marketplace, name: str) -> None:
    ear, busy = Ear(place.sandbox, name), Ear(place.sandbox, "btcusdt@avgPrice")
    for number in range(1, 4):
        await step_to(place, WHOLE_US + number * SECOND_US)
        await busy.next()
    assert ear.rest() == []
    assert (await place.refusal("referencePrice", "symbol=BTCUSDT"))[0] == -2043
    assert await place.get("historicalBlockTrades", "symbol=BTCUSDT&fromId=1") == []
