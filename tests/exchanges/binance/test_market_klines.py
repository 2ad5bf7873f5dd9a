"""Klines: boundaries of every interval in any time zone, and which of them a range gives."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from itertools import pairwise

import pytest

from emulator.exchanges.binance.readings.intervals import interval_of, parse_offset
from emulator.exchanges.binance.vocabulary import INTERVALS_US
from emulator.market_data.intervals import DAY_US, MINUTE_US
from emulator.web.contract import Refusal
from tests.exchanges.binance.marketplace import NOW_MS, NOW_US, Marketplace

FIRST_TRADING_DAY_MS = 1_483_228_800_000
"""2017-01-01: where the synthetic market begins."""


@pytest.fixture
async def place(anyio_backend: str) -> AsyncIterator[Marketplace]:
    async with Marketplace() as place:
        yield place


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp()) * 1_000_000


# Boundaries


@pytest.mark.parametrize("zone", ["0", "8", "-12:00", "05:45", "14:00", "-3:30"])
def test_months_are_those_of_the_calendar(zone: str) -> None:
    offset_us = parse_offset(zone)
    interval = interval_of("1M", offset_us)
    here = timezone(timedelta(microseconds=offset_us))
    for days in range(0, 25_000, 13):
        time_us = days * DAY_US + 17 * 3_600_000_000
        local = datetime.fromtimestamp(time_us / 1e6, here)
        first = local.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        open_us = int(first.timestamp()) * 1_000_000
        length = monthrange(local.year, local.month)[1]
        assert interval.open_of(time_us) == open_us
        assert interval.step(open_us, 1) == open_us + length * DAY_US
        assert interval.step(interval.step(open_us, 1), -1) == open_us
        assert interval.step(interval.step(open_us, 300), -300) == open_us


def test_months_after_the_last_year_of_the_clock() -> None:
    interval = interval_of("1M", parse_offset("14"))
    last_us = 253_402_300_799_999_999
    assert interval.open_of(last_us) <= last_us < interval.step(interval.open_of(last_us), 1)


@pytest.mark.parametrize("zone", ["0", "8", "-11:30"])
def test_weeks_begin_on_monday(zone: str) -> None:
    offset_us = parse_offset(zone)
    interval = interval_of("1w", offset_us)
    for time_us in range(NOW_US, NOW_US + 20 * DAY_US, 7 * 3_600_000_000):
        open_us = interval.open_of(time_us)
        local = datetime.fromtimestamp(open_us / 1e6, UTC) + timedelta(microseconds=offset_us)
        assert (local.weekday(), local.hour, local.minute) == (0, 0, 0)
        assert open_us <= time_us < interval.step(open_us, 1)


@pytest.mark.parametrize(
    ("text", "minutes"),
    [("0", 0), ("8", 480), ("4", 240), ("-1:00", -60), ("05:45", 345), ("-12:00", -720), ("+14:00", 840)],
)
def test_time_zones(text: str, minutes: int) -> None:
    assert parse_offset(text) == minutes * MINUTE_US


@pytest.mark.parametrize("text", ["15", "14:01", "-12:01", "-13", "99:99", "1:60"])
def test_time_zones_that_there_are_not(text: str) -> None:
    with pytest.raises(Refusal) as refused:
        parse_offset(text)
    assert refused.value.code == -1130


# Endpoint


@pytest.mark.parametrize("interval", list(INTERVALS_US))
async def test_every_interval(place: Marketplace, interval: str) -> None:
    rows = await place.get("klines", f"symbol=BTCUSDT&interval={interval}&limit=5")
    assert len(rows) == 5
    boundaries = interval_of(interval)
    for row in rows:
        assert [type(value) for value in row] == [int, *[str] * 5, int, str, int, str, str, str]
        assert row[11] == "0"
        open_us = row[0] * 1000
        assert boundaries.open_of(open_us) == open_us
        assert row[6] == boundaries.step(open_us, 1) // 1000 - 1
        assert Decimal(row[3]) <= min(Decimal(row[1]), Decimal(row[4]))
        assert Decimal(row[2]) >= max(Decimal(row[1]), Decimal(row[4]))
        assert Decimal(row[9]) <= Decimal(row[5])
    assert all(a[6] + 1 == b[0] for a, b in pairwise(rows))
    assert rows[-1][0] <= NOW_MS <= rows[-1][6], "the last one is open"
    assert await place.get("uiKlines", f"symbol=BTCUSDT&interval={interval}&limit=5") == rows


PARTS = (("1m", "1s", 60), ("1h", "3m", 20), ("1d", "4h", 6), ("1w", "1d", 7), ("3d", "12h", 6))


async def test_intervals_add_up(place: Marketplace) -> None:
    for large, small, count in PARTS:
        whole = (await place.get("klines", f"symbol=ETHUSDT&interval={large}&limit=2"))[0]
        parts = await place.get(
            "klines", f"symbol=ETHUSDT&interval={small}&startTime={whole[0]}&endTime={whole[6]}"
        )
        assert len(parts) == count
        assert [whole[1], whole[4]] == [parts[0][1], parts[-1][4]]
        assert Decimal(whole[2]) == max(Decimal(part[2]) for part in parts)
        assert Decimal(whole[3]) == min(Decimal(part[3]) for part in parts)
        for column in (5, 7, 8, 9, 10):
            assert Decimal(whole[column]) == sum(Decimal(part[column]) for part in parts), column
    month = (await place.get("klines", "symbol=ETHUSDT&interval=1M&limit=2"))[0]
    days = await place.get("klines", f"symbol=ETHUSDT&interval=1d&startTime={month[0]}&endTime={month[6]}")
    assert len(days) == 31
    assert Decimal(month[5]) == sum(Decimal(day[5]) for day in days)
    assert month[8] == sum(day[8] for day in days)


async def test_which_ones_a_range_gives(place: Marketplace) -> None:
    asked = "symbol=BTCUSDT&interval=1m"
    rows = await place.get("klines", f"{asked}&limit=1000")
    assert len(rows) == 1000
    assert await place.get("klines", asked) == rows[-500:]
    assert await place.get("klines", f"{asked}&limit=3000") == rows
    start, end = rows[100][0], rows[200][0]
    assert await place.get("klines", f"{asked}&startTime={start}") == rows[100:600]
    assert await place.get("klines", f"{asked}&startTime={start}&limit=4") == rows[100:104]
    assert await place.get("klines", f"{asked}&startTime={start - 1}&limit=4") == rows[100:104]
    assert await place.get("klines", f"{asked}&startTime={start + 1}&limit=4") == rows[101:105]
    assert await place.get("klines", f"{asked}&endTime={end}&limit=4") == rows[197:201]
    assert await place.get("klines", f"{asked}&endTime={end - 1}&limit=4") == rows[196:200]
    assert await place.get("klines", f"{asked}&startTime={start}&endTime={end}") == rows[100:201]
    assert await place.get("klines", f"{asked}&startTime={start}&endTime={end}&limit=9") == rows[100:109]
    assert await place.get("klines", f"{asked}&startTime={start}000&endTime={end}000") == rows[100:201]
    assert await place.get("klines", f"{asked}&startTime={end}&endTime={start}") == []
    assert await place.get("klines", f"{asked}&startTime={NOW_MS + 1}") == []
    assert await place.get("klines", f"{asked}&startTime={rows[-1][0]}&endTime={NOW_MS * 2}") == rows[-1:]


async def test_they_begin_with_the_first_trade(place: Marketplace) -> None:
    for interval in INTERVALS_US:
        (first,) = await place.get("klines", f"symbol=BTCUSDT&interval={interval}&startTime=0&limit=1")
        assert first[8] > 0, interval
        assert first[0] <= FIRST_TRADING_DAY_MS + 10_000
        assert first[6] >= FIRST_TRADING_DAY_MS
    months = await place.get("klines", "symbol=BTCUSDT&interval=1M&limit=1000")
    assert months[0][0] == FIRST_TRADING_DAY_MS
    assert await place.get("klines", "symbol=BTCUSDT&interval=1M&startTime=0&limit=1000") == months
    assert await place.get("klines", "symbol=BTCUSDT&interval=1d&endTime=1400000000000") == []


async def test_time_zone_moves_the_boundaries_only(place: Marketplace) -> None:
    for zone in ("8", "-1:00", "05:45"):
        offset_ms = parse_offset(zone) // 1000
        days = await place.get("klines", f"symbol=BTCUSDT&interval=1d&timeZone={zone}&limit=3")
        assert all((day[0] + offset_ms) % 86_400_000 == 0 for day in days)
        assert days[-1][0] <= NOW_MS <= days[-1][6]
        start = days[1][0]
        minutes = await place.get(
            "klines", f"symbol=BTCUSDT&interval=15m&startTime={start}&endTime={days[1][6]}"
        )
        assert len(minutes) == 96
        assert Decimal(days[1][5]) == sum(Decimal(row[5]) for row in minutes)
        same = f"symbol=BTCUSDT&interval=1d&timeZone={zone}&startTime={start}&limit=1"
        assert await place.get("klines", same) == [days[1]]
    shifted = await place.get("klines", "symbol=BTCUSDT&interval=1m&timeZone=05:45&limit=5")
    assert shifted == await place.get("klines", "symbol=BTCUSDT&interval=1m&limit=5")


async def test_microseconds(place: Marketplace) -> None:
    query = "symbol=BTCUSDT&interval=1h&limit=2"
    micro = await place.get("klines", query, headers={"X-MBX-TIME-UNIT": "MICROSECOND"})
    milli = await place.get("klines", query)
    assert [row[0] for row in micro] == [row[0] * 1000 for row in milli]
    assert [row[6] for row in micro] == [row[6] * 1000 + 999 for row in milli]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("", -1102),
        ("symbol=BTCUSDT", -1102),
        ("interval=1m", -1102),
        ("symbol=BTCUSDT&interval=2m", -1120),
        ("symbol=BTCUSDT&interval=1W", -1120),
        ("symbol=BTCUSDT&interval=", -1105),
        ("symbol=NOPE&interval=1m", -1121),
        ("symbol=BTCUSDT&interval=1m&limit=0", -1130),
        ("symbol=BTCUSDT&interval=1m&limit=1.5", -1100),
        ("symbol=BTCUSDT&interval=1m&startTime=-1", -1100),
        ("symbol=BTCUSDT&interval=1m&endTime=1e9", -1100),
        ("symbol=BTCUSDT&interval=1m&startTime=99999999999999999999", -1108),
        ("symbol=BTCUSDT&interval=1m&timeZone=UTC", -1100),
        ("symbol=BTCUSDT&interval=1m&timeZone=14:01", -1130),
        ("symbol=BTCUSDT&interval=1m&timeZone=-12:30", -1130),
        ("symbol=BTCUSDT&interval=1m&star_time=1", -1104),
    ],
)
async def test_refusals(place: Marketplace, query: str, code: int) -> None:
    assert (await place.refusal("klines", query))[0] == code
    assert (await place.refusal("uiKlines", query))[0] == code


async def test_refusals_have_the_documented_texts(place: Marketplace) -> None:
    assert await place.refusal("klines", "symbol=BTCUSDT&interval=7m") == (-1120, "Invalid interval.")
    assert await place.refusal("klines", "symbol=NOPE&interval=1m") == (-1121, "Invalid symbol.")
    assert await place.refusal("klines", "symbol=BTCUSDT&interval=1m&limit=x") == (
        -1100,
        "Illegal characters found in parameter 'limit'; legal range is '^[0-9]{1,20}$'.",
    )
