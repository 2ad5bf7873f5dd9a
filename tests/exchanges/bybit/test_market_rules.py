"""What rows of market data take and refuse: defaults, limits, pages, orders (v5, "Market")."""

from __future__ import annotations

import pytest

from tests.exchanges.bybit.bazaar import NOW_MS, NOW_US, Bazaar

HOUR_MS = 3_600_000


@pytest.mark.parametrize(
    ("path", "query", "text"),
    [
        ("tickers", "", "Illegal category"),
        ("tickers", "category=margin", "Illegal category"),
        ("funding/history", "category=spot&symbol=BTCUSDT", "Illegal category"),
        ("premium-index-price-kline", "category=inverse&symbol=BTCUSD&interval=1", "Illegal category"),
        ("risk-limit", "category=option", "Illegal category"),
        ("tickers", "category=linear&symbol=btcusdt", "params error: symbol invalid"),
        ("tickers", "category=option&symbol=BTC-30DEC22-18000-C", "params error: symbol invalid"),
        ("orderbook", "category=linear", "params error: symbol invalid"),
        ("orderbook", "category=linear&symbol=XYZ", "params error: symbol invalid"),
        ("instruments-info", "category=linear&symbol=BTCUSDC1", "params error: symbol invalid"),
        ("tickers", "category=spot&symbol=USDTUSDC", "Not supported symbols"),
        ("kline", "symbol=XYZ&interval=1", "Not supported symbols"),
        ("mark-price-kline", "category=option&symbol=XYZ&interval=1", "Not supported symbols"),
        ("premium-index-price-kline", "symbol=BTCUSDT-25SEP26&interval=1", "Not supported symbols"),
        # As a running server answered (pybit, issue 308).
        ("premium-index-price-kline", "symbol=BTCUSDT&inverval=D", "params error: intervalTime is invalid"),
        ("kline", "symbol=BTCUSDT&interval=7", "params error: intervalTime is invalid"),
        ("kline", "symbol=BTCUSDT&interval=1&start=2&end=1", "start"),
        ("kline", "symbol=BTCUSDT&interval=1&limit=0", "limit"),
        ("funding/history", "category=linear&symbol=BTCUSDT&startTime=1", "endTime"),
        ("open-interest", "category=linear&symbol=BTCUSDT&intervalTime=2h", "intervalTime"),
        ("instruments-info", "category=linear&cursor=nonsense", "cursor"),
        ("rpi_orderbook", "category=linear&symbol=BTCUSDT", "limit"),
    ],
)
async def test_what_is_wrong_is_refused_with_10001(path: str, query: str, text: str) -> None:
    async with Bazaar() as bazaar:
        code, message = await bazaar.refusal(path, query)
        assert code == 10001
        assert text in message


async def test_no_such_pair_is_an_empty_list() -> None:
    # As a running server answered in September 2026, where it refuses a contract that there is not.
    async with Bazaar() as bazaar:
        assert (await bazaar.get("instruments-info", "category=spot&symbol=NOTACOIN"))["list"] == []


async def test_contracts_that_are_not_there_yet_or_any_more() -> None:
    async with Bazaar() as bazaar:
        # Listed on 26 December 2026.
        assert (await bazaar.refusal("orderbook", "category=linear&symbol=BTCUSDT-25JUN27"))[0] == 10001
        # Delivered on 26 June 2026.
        over = "category=linear&symbol=BTCUSDT-26JUN26"
        assert (await bazaar.get("instruments-info", over))["list"] == []
        (closed,) = (await bazaar.get("instruments-info", f"{over}&status=Closed"))["list"]
        assert closed["status"] == "Closed"
        for path in ("tickers", "orderbook", "price-limit", "risk-limit"):
            assert await bazaar.refusal(path, over) == (10001, "params error: symbol invalid")
        # What was is still told.
        last = (await bazaar.get("kline", f"{over}&interval=60&limit=1"))["list"][0]
        assert int(last[0]) == 1_782_457_200_000
        assert len((await bazaar.get("recent-trade", over))["list"]) == 500
        (price,) = (await bazaar.get("delivery-price", over))["list"]
        assert price["deliveryTime"] == "1782460800000"
    async with Bazaar(now_us=1_782_460_800_000_000) as bazaar:
        found = (await bazaar.get("instruments-info", "category=linear&status=Delivering"))["list"]
        assert {one["symbol"] for one in found} >= {"BTCUSDT-26JUN26", "BTC-26JUN26", "ETHUSDT-26JUN26"}


async def test_options_are_a_word_that_has_nothing_listed() -> None:
    async with Bazaar() as bazaar:
        assert (await bazaar.get("instruments-info", "category=option&baseCoin=BTC"))["list"] == []
        assert (await bazaar.get("tickers", "category=option&baseCoin=BTC"))["list"] == []
        assert (await bazaar.get("recent-trade", "category=option"))["list"] == []
        assert (await bazaar.get("delivery-price", "category=option"))["list"] == []
        assert await bazaar.get("historical-volatility", "category=option") == []


async def test_books_have_their_usual_depths_and_at_most_a_thousand_levels() -> None:
    async with Bazaar() as bazaar:
        for query, levels in (
            ("category=spot&symbol=BTCUSDT", 1),
            ("category=linear&symbol=BTCUSDT", 25),
            ("category=inverse&symbol=BTCUSD", 25),
            ("category=linear&symbol=BTCUSDT&limit=50", 50),
            ("category=linear&symbol=BTCUSDT&limit=5000", 1000),
        ):
            book = await bazaar.get("orderbook", query)
            assert (len(book["b"]), len(book["a"])) == (levels, levels)
        full = await bazaar.get("full_orderbook", "category=linear&symbol=BTCUSDT")
        assert (full["b"], full["a"]) == (book["b"], book["a"])
        bids = [float(price) for price, _ in book["b"]]
        asks = [float(price) for price, _ in book["a"]]
        assert bids == sorted(bids, reverse=True)
        assert asks == sorted(asks)
        assert bids[0] < asks[0]


async def test_recent_trades_are_newest_first_and_sixty_of_pairs() -> None:
    async with Bazaar() as bazaar:
        for query, count in (
            ("category=spot&symbol=BTCUSDT", 60),
            ("category=spot&symbol=BTCUSDT&limit=1000", 60),
            ("category=linear&symbol=BTCUSDT", 500),
            ("category=linear&symbol=BTCUSDT&limit=1000", 1000),
        ):
            trades = (await bazaar.get("recent-trade", query))["list"]
            assert len(trades) == count
            times = [int(trade["time"]) for trade in trades]
            assert times == sorted(times, reverse=True)
            assert len({trade["execId"] for trade in trades}) == count


async def test_klines_are_newest_first_and_a_start_alone_begins_there() -> None:
    async with Bazaar() as bazaar:

        async def opened(query: str) -> list[int]:
            rows = (await bazaar.get("kline", f"symbol=BTCUSDT&interval=60&{query}"))["list"]
            return [int(row[0]) for row in rows]

        hour = NOW_MS // HOUR_MS * HOUR_MS
        assert await opened("limit=3") == [hour, hour - HOUR_MS, hour - 2 * HOUR_MS]
        assert len(await opened("")) == 200
        start = hour - 100 * HOUR_MS
        assert await opened(f"start={start}&limit=2") == [start + HOUR_MS, start]
        # "Get Kline", the example: both ends are included.
        assert await opened(f"start={start}&end={start + 2 * HOUR_MS}") == [
            start + 2 * HOUR_MS,
            start + HOUR_MS,
            start,
        ]
        # Of a range that is longer than the limit the newest are told.
        assert await opened(f"start={start}&end={start + 9 * HOUR_MS}&limit=2") == [
            start + 9 * HOUR_MS,
            start + 8 * HOUR_MS,
        ]
        assert await opened(f"start={hour + HOUR_MS}") == []


@pytest.mark.parametrize(
    "interval", ["1", "3", "5", "15", "30", "60", "120", "240", "360", "720", "D", "W", "M"]
)
async def test_every_interval_opens_on_its_grid(interval: str) -> None:
    async with Bazaar() as bazaar:
        for path in ("kline", "mark-price-kline", "index-price-kline", "premium-index-price-kline"):
            rows = (await bazaar.get(path, f"symbol=ETHUSDT&interval={interval}&limit=2"))["list"]
            newest = int(rows[0][0])
            assert newest <= NOW_MS
            if interval.isdigit():
                assert newest % (int(interval) * 60_000) == 0
        # 21 September 2026 is a Monday; its month began on 1 September.
        expected = {"W": 1_789_948_800_000, "D": 1_789_948_800_000, "M": 1_788_220_800_000}
        assert newest == expected.get(interval, newest)


async def test_funding_history_is_newest_first_until_the_end() -> None:
    async with Bazaar() as bazaar:
        base = "category=linear&symbol=BTCUSDT"
        whole = (await bazaar.get("funding/history", base))["list"]
        assert len(whole) == 200
        times = [int(row["fundingRateTimestamp"]) for row in whole]
        assert times == [times[0] - 8 * HOUR_MS * place for place in range(200)]
        assert times[0] == NOW_MS // (8 * HOUR_MS) * 8 * HOUR_MS
        until = (await bazaar.get("funding/history", f"{base}&endTime={times[3]}&limit=2"))["list"]
        assert until == whole[3:5]
        span = (await bazaar.get("funding/history", f"{base}&startTime={times[5]}&endTime={times[3]}"))[
            "list"
        ]
        assert span == whole[3:6]
        dated = await bazaar.get("funding/history", "category=linear&symbol=BTCUSDT-25SEP26")
        assert dated["list"] == []


@pytest.mark.parametrize(
    ("path", "query", "size"),
    [
        ("open-interest", "category=linear&symbol=BTCUSDT&intervalTime=1d", 200),
        ("account-ratio", "category=linear&symbol=BTCUSDT&period=1d", 500),
    ],
)
async def test_former_times_come_in_pages_until_there_are_none(path: str, query: str, size: int) -> None:
    async with Bazaar() as bazaar:
        assert len((await bazaar.get(path, query))["list"]) == 50
        start = NOW_MS - 1000 * 24 * HOUR_MS
        found: list[int] = []
        cursor = ""
        while True:
            page = await bazaar.get(path, f"{query}&limit=1000&startTime={start}&cursor={cursor}")
            assert len(page["list"]) <= size
            found += [int(row["timestamp"]) for row in page["list"]]
            cursor = page["nextPageCursor"]
            if not cursor:
                break
        assert found == sorted(set(found), reverse=True)
        assert len(found) == 1000
        assert found[-1] >= start


async def test_instruments_come_in_pages_of_contracts_and_in_one_of_pairs() -> None:
    async with Bazaar() as bazaar:
        whole = (await bazaar.get("instruments-info", "category=linear&limit=1000"))["list"]
        found, cursor = [], ""
        while True:
            page = await bazaar.get("instruments-info", f"category=linear&limit=20&cursor={cursor}")
            found += page["list"]
            cursor = page["nextPageCursor"]
            if not cursor:
                break
        assert found == whole
        assert {one["status"] for one in whole} == {"Trading"}
        pairs = await bazaar.get("instruments-info", "category=spot&limit=2")
        assert len(pairs["list"]) > 30
        assert pairs["nextPageCursor"] == ""
        # Contracts of a base coin are of both categories, whichever was asked for.
        of_bitcoin = (await bazaar.get("instruments-info", "category=inverse&baseCoin=BTC"))["list"]
        assert {"BTCUSDT", "BTCPERP", "BTCUSD", "BTCUSDU26"} <= {one["symbol"] for one in of_bitcoin}
        assert {one["baseCoin"] for one in of_bitcoin} == {"BTC"}
        assert (await bazaar.get("instruments-info", "category=linear&symbolType=stock"))["list"] == []
        assert (await bazaar.get("instruments-info", "category=linear&status=PreLaunch"))["list"] == []


async def test_risk_limits_come_by_fifteen_symbols() -> None:
    async with Bazaar() as bazaar:
        symbols: list[str] = []
        cursor = ""
        while True:
            page = await bazaar.get("risk-limit", f"category=linear&cursor={cursor}")
            here = list(dict.fromkeys(row["symbol"] for row in page["list"]))
            assert len(here) <= 15
            symbols += here
            cursor = page["nextPageCursor"]
            if not cursor:
                break
        listed = (await bazaar.get("instruments-info", "category=linear&limit=1000"))["list"]
        assert symbols == [one["symbol"] for one in listed]


async def test_times_of_a_book_are_those_of_the_clock() -> None:
    async with Bazaar() as bazaar:
        book = await bazaar.get("orderbook", "category=linear&symbol=BTCUSDT")
        assert book["ts"] == book["cts"] == NOW_US // 1000
