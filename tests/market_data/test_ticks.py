"""Which way prices go."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal

import pytest

from emulator.core.commands import PrintTrade
from emulator.core.numbers import exact
from emulator.market_data.ticks import Tick, read_tick, tick_of
from tests.exchanges.binance.marketplace import Marketplace

PLUS, ZERO_PLUS, MINUS, ZERO_MINUS = Tick


@pytest.mark.parametrize(
    ("prices", "tick"),
    [
        ("", PLUS),
        ("7", PLUS),
        ("7 8", PLUS),
        ("7 8 8", ZERO_PLUS),
        ("7 8 8 8", ZERO_PLUS),
        ("7 8 8 7", MINUS),
        ("8 7 7", ZERO_MINUS),
        ("8 7 7 8", PLUS),
        ("7 7", ZERO_PLUS),
    ],
)
def test_a_price_that_stays_keeps_the_direction_that_it_came_from(prices: str, tick: Tick) -> None:
    assert tick_of(map(Decimal, prices.split())) is tick


@pytest.fixture
async def place(anyio_backend: str) -> AsyncIterator[Marketplace]:
    async with Marketplace() as place:
        yield place


@pytest.mark.anyio
async def test_the_newest_trade_is_compared_with_those_before(place: Marketplace) -> None:
    sandbox = place.sandbox
    for price, tick in (("50000", MINUS), ("50000", ZERO_MINUS), ("50000.01", PLUS), ("50000.01", ZERO_PLUS)):
        await place.do(
            PrintTrade(instrument="BTCUSDT", price=Decimal(price), quantity=Decimal(1), buyer_is_maker=False)
        )
        with exact():
            assert read_tick(sandbox.engines["binance"], "BTCUSDT", sandbox.clock.now_us()) is tick
    # Over more trades than are read at once.
    for _ in range(120):
        await place.do(
            PrintTrade(
                instrument="BTCUSDT", price=Decimal("50000.01"), quantity=Decimal(1), buyer_is_maker=True
            )
        )
    with exact():
        assert read_tick(sandbox.engines["binance"], "BTCUSDT", sandbox.clock.now_us()) is ZERO_PLUS
