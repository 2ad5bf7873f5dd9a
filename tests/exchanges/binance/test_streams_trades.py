"""Streams of trades and of the best bid and ask: what happened, once, in order, as REST tells it."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Sequence
from decimal import Decimal
from typing import Any

import pytest

from emulator.core.commands import PrintTrade, ReleaseMarket, SetBook, SetPrice
from emulator.core.instruments import Side
from emulator.exchanges.binance.spot.payloads.streams import (
    AggregateTradeEvent,
    BookTickerEvent,
    TradeEvent,
)
from emulator.market_data.streams.trades import TRADES_MAX
from emulator.runtime.ports import ClockMode
from tests.exchanges.binance.hearing import Ear
from tests.exchanges.binance.marketplace import NOW_US, Marketplace
from tests.exchanges.binance.shapes import complaints, declared, fields

pytestmark = pytest.mark.anyio

SECOND_US = 1_000_000
DAY_US = 86_400 * SECOND_US

TRADE = fields("e:s E:i s:s t:i p:s q:s T:i m:b M:b")
"""web-socket-streams.md, "Trade Streams"."""
AGGREGATE = fields("e:s E:i s:s a:i p:s q:s f:i l:i T:i m:b M:b")
"""web-socket-streams.md, "Aggregate Trade Streams"."""
QUOTE = fields("u:i s:s b:s B:s a:s A:s")
"""web-socket-streams.md, "Individual Symbol Book Ticker Streams"."""


@pytest.fixture
async def place(anyio_backend: str) -> AsyncIterator[Marketplace]:
    async with Marketplace() as place:
        yield place


def test_payloads_are_declared_as_documented() -> None:
    assert declared(TradeEvent) == TRADE
    assert declared(AggregateTradeEvent) == AGGREGATE
    assert declared(BookTickerEvent) == QUOTE


# Trades


async def recent(place: Marketplace, limit: int) -> Any:
    return await place.get("trades", f"symbol=BTCUSDT&limit={limit}")


async def heard_until(place: Marketplace, ear: Ear, told: Sequence[Any] = ()) -> list[Any]:
    """All trades that a stream told by now, up to the newest there is. told: what was taken already."""
    newest = (await recent(place, 1))[0]["id"]
    told = list(told)
    while not told or told[-1].get("t", told[-1].get("a")) < newest:
        told.append(await ear.next())
    assert ear.rest() == []
    return told


def row_of(event: Any) -> dict[str, Any]:
    """What GET trades and a trade event both tell."""
    return {
        "id": event.get("t", event.get("a")),
        "price": event["p"],
        "qty": event["q"],
        "time": event["T"],
        "isBuyerMaker": event["m"],
    }


async def check_told(place: Marketplace, told: Sequence[Any]) -> None:
    """Every trade once, in order, and each as REST has it."""
    rows = await recent(place, len(told))
    shared = ("id", "price", "qty", "time", "isBuyerMaker")
    assert [row_of(event) for event in told] == [{name: row[name] for name in shared} for row in rows]


@pytest.mark.parametrize(
    ("name", "kind", "shape"), [("trade", "trade", TRADE), ("aggTrade", "aggTrade", AGGREGATE)]
)
async def test_trades_are_told_as_documented(place: Marketplace, name: str, kind: str, shape: Any) -> None:
    ear = Ear(place.sandbox, f"btcusdt@{name}")
    await place.step(10 * SECOND_US)
    told = await heard_until(place, ear)
    assert len(told) > 10
    for event in told:
        assert list(complaints(event, shape)) == []
        assert (event["e"], event["s"], event["M"]) == (kind, "BTCUSDT", True)
        assert event["E"] == (NOW_US + 10 * SECOND_US) // 1000
        assert NOW_US // 1000 <= event["T"] <= event["E"]
        if name == "aggTrade":
            # Every trade is an aggregate of its own, as on REST.
            assert event["f"] == event["l"] == event["a"]
    await check_told(place, told)


async def test_times_are_in_microseconds_for_who_wants_them(place: Marketplace) -> None:
    ear = Ear(place.sandbox, "btcusdt@trade", divisor=1)
    await place.step(SECOND_US)
    told = await ear.next()
    assert told["E"] == NOW_US + SECOND_US
    assert NOW_US < told["T"] <= NOW_US + SECOND_US


async def test_trades_of_accounts_and_by_hand_stand_among_those_of_the_market(place: Marketplace) -> None:
    ear, aggregates = Ear(place.sandbox, "btcusdt@trade"), Ear(place.sandbox, "btcusdt@aggTrade")
    before = (await recent(place, 1))[0]["id"]
    for step in range(1, 8):
        await place.order("BTCUSDT", Side.BUY, f"0.00{step}")
        await place.step(700_000)
        await place.do(
            PrintTrade(
                instrument="BTCUSDT", price=Decimal(90_000), quantity=Decimal(step), buyer_is_maker=True
            )
        )
        await place.step(300_000)
    await place.do(SetPrice(pair="BTC/USDT", price=Decimal(91_000)))
    await place.step(SECOND_US)
    await place.do(ReleaseMarket(pair="BTC/USDT"))
    await place.step(SECOND_US)
    told = await heard_until(place, ear)
    assert [event["t"] for event in told] == list(range(before + 1, told[-1]["t"] + 1))
    assert {"0.00700000", "7.00000000"} <= {event["q"] for event in told}
    assert any(event["p"] == "91000.00000000" for event in told)
    await check_told(place, told)
    await check_told(place, await heard_until(place, aggregates))


async def test_a_trade_of_an_account_is_told_at_once_although_the_clock_stands_still(
    place: Marketplace,
) -> None:
    ear = Ear(place.sandbox, "btcusdt@trade")
    await place.order("BTCUSDT", Side.SELL, "0.123")
    told = await ear.next()
    assert (told["q"], told["m"], told["T"], told["E"]) == (
        "0.12300000",
        True,
        NOW_US // 1000,
        NOW_US // 1000,
    )


async def test_what_becomes_due_is_told_at_its_own_time(place: Marketplace) -> None:
    """A resting order is filled by the market on the way; its trade stands where it happened."""
    ear = Ear(place.sandbox, "btcusdt@trade")
    bid = (await place.get("ticker/bookTicker", "symbol=BTCUSDT"))["bidPrice"]
    await place.order("BTCUSDT", Side.BUY, "0.54321", bid)
    await place.step(60 * SECOND_US)
    told = await heard_until(place, ear)
    laid = {trade.id: trade for trade in place.sandbox.engines["binance"].state.markets["BTCUSDT"].prints}
    own = [event for event in told if event["t"] in laid]
    assert sum(Decimal(event["q"]) for event in own) == Decimal("0.54321")
    assert [event["T"] for event in own] == [laid[event["t"]].time_us // 1000 for event in own]
    assert NOW_US // 1000 < own[0]["T"] < own[0]["E"]
    assert [event["T"] for event in told] == sorted(event["T"] for event in told)
    await check_told(place, told)


async def test_after_a_long_jump_the_newest_are_told(place: Marketplace) -> None:
    ear = Ear(place.sandbox, "btcusdt@trade")
    await place.step(2 * DAY_US)
    told = await heard_until(place, ear)
    assert len(told) == TRADES_MAX
    await check_told(place, told)
    await place.step(SECOND_US)
    after = await heard_until(place, ear)
    assert after[0]["t"] == told[-1]["t"] + 1


async def test_under_a_clock_that_runs_fast_nothing_is_left_out() -> None:
    began_ns = time.perf_counter_ns()
    async with Marketplace(wall_ns=lambda: NOW_US * 1000 + time.perf_counter_ns() - began_ns) as place:
        ear, before = Ear(place.sandbox, "btcusdt@trade"), (await recent(place, 1))[0]["id"]
        await place.sandbox.set_clock(ClockMode.VIRTUAL, speed=Decimal(50))
        told = await ear.several(300)
        await place.order("BTCUSDT", Side.BUY, "0.01")
        told += await ear.several(100)
        await place.sandbox.set_clock(ClockMode.VIRTUAL, speed=Decimal(0))
        told = await heard_until(place, ear, told)
        assert [event["t"] for event in told] == list(range(before + 1, told[-1]["t"] + 1))
        assert all(event["T"] <= event["E"] for event in told)
        await check_told(place, told)


async def test_time_that_passes_during_a_look_changes_no_order() -> None:
    """What accounts trade while a look is under way is not told after what the market traded later."""
    wall_us = NOW_US

    def wall_ns() -> int:
        nonlocal wall_us
        wall_us += 40_000
        return wall_us * 1000

    async with Marketplace(now_us=NOW_US, wall_ns=wall_ns) as place:
        ear = Ear(place.sandbox, "btcusdt@trade")
        before = (await recent(place, 1))[0]["id"]
        await place.sandbox.set_clock(ClockMode.VIRTUAL, speed=Decimal(1))
        for turn in range(150):
            side, name = ((Side.BUY, "b"), (Side.SELL, "a"))[turn % 2]
            await place.order("BTCUSDT", side, "0.01", (await quote_of(place))[name])
        await place.sandbox.set_clock(ClockMode.VIRTUAL, speed=Decimal(0))
        told = await heard_until(place, ear)
        own = {trade.id for trade in place.sandbox.engines["binance"].state.markets["BTCUSDT"].prints}
        assert len(own) > 50
        assert own <= {event["t"] for event in told}
        assert [event["t"] for event in told] == list(range(before + 1, told[-1]["t"] + 1))
        await check_told(place, told)


# Quotes


async def quote_of(place: Marketplace) -> dict[str, str]:
    row = await place.get("ticker/bookTicker", "symbol=BTCUSDT")
    return {"b": row["bidPrice"], "B": row["bidQty"], "a": row["askPrice"], "A": row["askQty"]}


def shown(event: Any) -> dict[str, str]:
    return {name: event[name] for name in ("b", "B", "a", "A")}


async def test_a_quote_is_told_as_documented_and_as_rest_shows_it(place: Marketplace) -> None:
    ear = Ear(place.sandbox, "btcusdt@bookTicker")
    before, told = await quote_of(place), 0
    for _ in range(40):
        await place.step(250_000)
        now = await quote_of(place)
        if now != before:
            event = await ear.next()
            assert list(complaints(event, QUOTE)) == []
            assert shown(event) == now
            assert event["u"] == (await place.get("depth", "symbol=BTCUSDT&limit=1"))["lastUpdateId"]
            told += 1
        before = now
    assert told > 10
    assert ear.rest() == []


async def test_every_change_of_a_quantity_is_told_and_nothing_else(place: Marketplace) -> None:
    levels = ((Decimal(60_000), Decimal(2)),), ((Decimal(60_010), Decimal(3)),)
    await place.do(SetBook(instrument="BTCUSDT", bids=levels[0], asks=levels[1]))
    ear = Ear(place.sandbox, "btcusdt@bookTicker")
    await place.order("BTCUSDT", Side.BUY, "1", "60000")
    await place.order("BTCUSDT", Side.BUY, "1", "59999")
    await place.order("BTCUSDT", Side.BUY, "1.5")
    await place.order("BTCUSDT", Side.BUY, "1.5")
    told = [shown(event) for event in await ear.several(3)]
    assert told == [
        {"b": "60000.00000000", "B": "3.00000000", "a": "60010.00000000", "A": "3.00000000"},
        {"b": "60000.00000000", "B": "3.00000000", "a": "60010.00000000", "A": "1.50000000"},
        # Quirk of an empty side: zeros, as GET ticker/bookTicker shows it.
        {"b": "60000.00000000", "B": "3.00000000", "a": "0.00000000", "A": "0.00000000"},
    ]
    assert told[-1] == await quote_of(place)
    await place.step(3600 * SECOND_US)
    assert ear.rest() == []


async def test_a_quote_set_by_hand_and_released(place: Marketplace) -> None:
    ear = Ear(place.sandbox, "btcusdt@bookTicker")
    for price in ("100000", "99000", "105000"):
        await place.do(SetPrice(pair="BTC/USDT", price=Decimal(price)))
        assert shown(await ear.next()) == await quote_of(place)
    await place.do(ReleaseMarket(pair="BTC/USDT"))
    assert shown(await ear.next()) == await quote_of(place)
