"""The public files: that they look as the exchange's own, and tell what REST tells.

Columns are those of the README of binance/binance-public-data; header lines those that files of contracts
have had since 2022, as programs that read them repeat (such as freqtrade, `binance_public_data.py`).
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.exchanges.binance.warehouse import DAY_MS, DAY_US, TODAY_MS, Warehouse

YESTERDAY = "2026-07-19"
YESTERDAY_MS = TODAY_MS - DAY_MS

KLINE_HEADER = (
    "open_time,open,high,low,close,volume,close_time,quote_volume,count,"
    "taker_buy_volume,taker_buy_quote_volume,ignore"
)


@pytest.fixture
async def house(anyio_backend: str) -> AsyncIterator[Warehouse]:
    async with Warehouse() as house:
        yield house


def texts(row: Any) -> list[str]:
    return [str(value) for value in row]


# Klines


@pytest.mark.parametrize(("interval", "count"), [("1m", 1440), ("1h", 24), ("1d", 1)])
async def test_klines_of_spot_are_those_of_rest(house: Warehouse, interval: str, count: int) -> None:
    key = f"data/spot/daily/klines/BTCUSDT/{interval}/BTCUSDT-{interval}-{YESTERDAY}.zip"
    found = await house.file(key)
    assert found.member == f"BTCUSDT-{interval}-{YESTERDAY}.csv"
    assert found.header is None
    told: list[Any] = []
    while len(told) < count:
        told += await house.rest(
            "binance",
            "/api/v3/klines",
            unit="MICROSECOND",
            symbol="BTCUSDT",
            interval=interval,
            startTime=told[-1][6] + 1 if told else YESTERDAY_MS * 1000,
            limit=min(1000, count - len(told)),
        )
    assert found.rows == [texts(row) for row in told]
    assert len(found.rows) == count
    assert int(found.rows[0][0]) == YESTERDAY_MS * 1000
    assert int(found.rows[-1][6]) == TODAY_MS * 1000 - 1


@pytest.mark.parametrize(
    ("site", "product", "symbol"),
    [("binance-usdm", "um", "BTCUSDT"), ("binance-coinm", "cm", "BTCUSD_PERP")],
)
@pytest.mark.parametrize("kind", ["klines", "markPriceKlines", "indexPriceKlines", "premiumIndexKlines"])
async def test_klines_of_contracts_are_those_of_rest(
    house: Warehouse, site: str, product: str, symbol: str, kind: str
) -> None:
    pair = symbol.partition("_")[0]
    name = pair if kind == "indexPriceKlines" else symbol
    found = await house.file(f"data/futures/{product}/daily/{kind}/{name}/15m/{name}-15m-{YESTERDAY}.zip")
    assert found.header is not None
    assert ",".join(found.header) == KLINE_HEADER
    asked = {"pair": pair} if kind == "indexPriceKlines" else {"symbol": symbol}
    prefix = "/fapi/v1" if product == "um" else "/dapi/v1"
    told = await house.rest(
        site,
        f"{prefix}/{kind}",
        interval="15m",
        startTime=YESTERDAY_MS,
        endTime=TODAY_MS - 1,
        limit=96,
        **asked,
    )
    assert found.rows == [texts(row) for row in told]
    assert len(found.rows) == 96
    assert int(found.rows[0][0]) == YESTERDAY_MS


async def test_a_month_of_klines_is_its_days(house: Warehouse) -> None:
    month = await house.file("data/spot/monthly/klines/ETHUSDT/12h/ETHUSDT-12h-2026-06.zip")
    days = [
        row
        for day in range(1, 31)
        for row in (
            await house.file(f"data/spot/daily/klines/ETHUSDT/12h/ETHUSDT-12h-2026-06-{day:02}.zip")
        ).rows
    ]
    assert month.rows == days
    assert len(days) == 60


async def test_a_month_is_one_kline_of_a_month(house: Warehouse) -> None:
    found = await house.file("data/futures/um/monthly/klines/BTCUSDT/1mo/BTCUSDT-1mo-2026-06.zip")
    told = await house.rest(
        "binance-usdm",
        "/fapi/v1/klines",
        symbol="BTCUSDT",
        interval="1M",
        startTime=1_780_272_000_000,
        limit=1,
    )
    assert found.rows == [texts(told[0])]


async def test_weeks_that_begin_in_a_month_are_in_its_file(house: Warehouse) -> None:
    found = await house.file("data/spot/monthly/klines/BTCUSDT/1w/BTCUSDT-1w-2026-06.zip")
    # Mondays of June 2026: 1, 8, 15, 22, 29. The last week ended on Sunday 5 July, the day before the file.
    first_us = 1_780_272_000_000_000
    assert [int(row[0]) for row in found.rows] == [first_us + 7 * DAY_US * week for week in range(5)]


async def test_three_days_that_were_not_over_when_the_file_was_made_are_not_in_it(house: Warehouse) -> None:
    # The first Monday of June 2026 is the 1st, when the candle of 30 May to 1 June was still open.
    found = await house.file("data/spot/monthly/klines/BTCUSDT/3d/BTCUSDT-3d-2026-05.zip")
    assert [int(row[6]) < 1_780_272_000_000_000 for row in found.rows] == [True] * len(found.rows)
    told = await house.rest(
        "binance",
        "/api/v3/klines",
        symbol="BTCUSDT",
        interval="3d",
        startTime=1_777_593_600_000,
        endTime=1_780_272_000_000 - 1,
    )
    assert len(found.rows) == len([row for row in told if row[6] < 1_780_272_000_000])


async def test_files_of_spot_tell_microseconds_from_2025_on(house: Warehouse) -> None:
    older = await house.file("data/spot/daily/klines/BTCUSDT/1h/BTCUSDT-1h-2024-12-31.zip")
    newer = await house.file("data/spot/daily/klines/BTCUSDT/1h/BTCUSDT-1h-2025-01-01.zip")
    # 2024-12-31 and 2025-01-01, 00:00 to 00:59:59.999(999).
    assert (older.rows[0][0], older.rows[0][6]) == ("1735603200000", "1735606799999")
    assert (newer.rows[0][0], newer.rows[0][6]) == ("1735689600000000", "1735693199999999")
    trades = await house.file("data/spot/daily/trades/BTCUSDT/BTCUSDT-trades-2024-12-31.zip")
    assert {len(row[4]) for row in trades.rows} == {13}
    contract = await house.file("data/futures/um/daily/klines/BTCUSDT/1h/BTCUSDT-1h-2025-01-01.zip")
    assert (contract.rows[0][0], contract.rows[0][6]) == ("1735689600000", "1735693199999")


# Trades


async def test_trades_of_spot_are_those_of_rest(house: Warehouse) -> None:
    found = await house.file(f"data/spot/daily/trades/BTCUSDT/BTCUSDT-trades-{YESTERDAY}.zip")
    assert found.header is None
    assert len(found.rows) == 1440
    assert all(YESTERDAY_MS * 1000 <= int(row[4]) < TODAY_MS * 1000 for row in found.rows)
    first_id = int(found.rows[0][0])
    told = await house.trades_of_day(
        "binance", "/api/v3/historicalTrades", first_id, unit="MICROSECOND", symbol="BTCUSDT"
    )
    names = ("id", "price", "qty", "quoteQty", "time", "isBuyerMaker", "isBestMatch")
    assert found.rows[:1000] == [texts(trade[name] for name in names) for trade in told]
    before = await house.trades_of_day(
        "binance", "/api/v3/historicalTrades", first_id - 1, unit="MICROSECOND", symbol="BTCUSDT"
    )
    assert before[0]["time"] < YESTERDAY_MS * 1000


async def test_aggregate_trades_of_spot_are_those_of_rest(house: Warehouse) -> None:
    found = await house.file(f"data/spot/daily/aggTrades/BTCUSDT/BTCUSDT-aggTrades-{YESTERDAY}.zip")
    assert found.header is None
    told = await house.trades_of_day(
        "binance", "/api/v3/aggTrades", int(found.rows[0][0]), unit="MICROSECOND", symbol="BTCUSDT"
    )
    assert found.rows[:1000] == [texts(trade[name] for name in "apqflTmM") for trade in told]


@pytest.mark.parametrize(
    ("site", "product", "symbol", "value_name", "value_header"),
    [
        ("binance-usdm", "um", "BTCUSDT", "quoteQty", "quote_qty"),
        ("binance-coinm", "cm", "BTCUSD_PERP", "baseQty", "base_qty"),
    ],
)
async def test_trades_of_contracts_are_those_of_rest(
    house: Warehouse, site: str, product: str, symbol: str, value_name: str, value_header: str
) -> None:
    prefix = "/fapi/v1" if product == "um" else "/dapi/v1"
    found = await house.file(
        f"data/futures/{product}/daily/aggTrades/{symbol}/{symbol}-aggTrades-{YESTERDAY}.zip"
    )
    assert found.header == [
        "agg_trade_id", "price", "quantity", "first_trade_id", "last_trade_id", "transact_time",
        "is_buyer_maker",
    ]  # fmt: skip
    first_id = int(found.rows[0][0])
    told = await house.trades_of_day(site, f"{prefix}/aggTrades", first_id, symbol=symbol)
    assert found.rows[:1000] == [
        texts(trade[name] for name in "apqflT") + [_truth(trade["m"])] for trade in told
    ]
    assert int(found.rows[0][5]) >= YESTERDAY_MS > told[0]["T"] - 600_000

    single = await house.file(f"data/futures/{product}/daily/trades/{symbol}/{symbol}-trades-{YESTERDAY}.zip")
    assert single.header == ["id", "price", "qty", value_header, "time", "is_buyer_maker"]
    assert [row[0] for row in single.rows] == [row[0] for row in found.rows]
    newest = await house.rest(site, f"{prefix}/trades", symbol=symbol, limit=1000)
    recent = {trade["id"]: trade for trade in newest}
    shared = [row for row in single.rows if int(row[0]) in recent]
    assert shared, "today has fewer than a thousand trades, so some of the newest are yesterday's"
    for row in shared:
        trade = recent[int(row[0])]
        names = ("id", "price", "qty", value_name, "time")
        assert row == texts(trade[name] for name in names) + [_truth(trade["isBuyerMaker"])]


def _truth(value: bool) -> str:
    return "true" if value else "false"


async def test_what_accounts_traded_is_in_the_file_of_its_day(house: Warehouse) -> None:
    done = await house.buy("BTCUSDT", "0.12345")
    assert done.rejection is None
    before = await house.rest("binance", "/api/v3/trades", symbol="BTCUSDT", limit=5)
    await house.step(DAY_US)
    found = await house.file("data/spot/daily/trades/BTCUSDT/BTCUSDT-trades-2026-07-20.zip")
    by_id = {int(row[0]): row for row in found.rows}
    assert [by_id[trade["id"]][1:3] for trade in before] == [
        [trade["price"], trade["qty"]] for trade in before
    ]
    mine = [row for row in found.rows if int(row[4]) == 1_784_550_123_456_789]
    assert sum(int(row[2].replace(".", "")) for row in mine) == 12_345_000
    candles = await house.file("data/spot/daily/klines/BTCUSDT/1d/BTCUSDT-1d-2026-07-20.zip")
    assert int(candles.rows[0][8]) == len(found.rows)


# Funding


@pytest.mark.parametrize(
    ("site", "product", "symbol", "prefix"),
    [
        ("binance-usdm", "um", "BTCUSDT", "/fapi/v1"),
        ("binance-coinm", "cm", "BTCUSD_PERP", "/dapi/v1"),
    ],
)
async def test_funding_of_a_month_is_that_of_rest(
    house: Warehouse, site: str, product: str, symbol: str, prefix: str
) -> None:
    found = await house.file(
        f"data/futures/{product}/monthly/fundingRate/{symbol}/{symbol}-fundingRate-2026-06.zip"
    )
    assert found.header == ["calc_time", "funding_interval_hours", "last_funding_rate"]
    told = await house.rest(
        site,
        f"{prefix}/fundingRate",
        symbol=symbol,
        startTime=1_780_272_000_000,
        endTime=1_782_864_000_000 - 1,
        limit=1000,
    )
    assert found.rows == [[str(one["fundingTime"]), "8", one["fundingRate"]] for one in told]
    assert len(found.rows) == 90


# The same again


async def test_a_file_is_the_same_bytes_whenever_and_wherever_it_is_made(house: Warehouse) -> None:
    key = f"data/spot/daily/aggTrades/ETHUSDT/ETHUSDT-aggTrades-{YESTERDAY}.zip"
    found = await house.file(key)
    async with Warehouse() as other:
        await other.step(3 * DAY_US)
        assert (await other.file(key)).content == found.content
    async with Warehouse(seed=2) as elsewhere:
        assert (await elsewhere.file(key)).content != found.content
