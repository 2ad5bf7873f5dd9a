"""Market data and general endpoints of Binance Spot: shapes, parameters, weights and refusals.

Key sets are those of the documented examples (binance-spot-api-docs, rest-api.md of 2026, "General
endpoints" and "Market Data endpoints", and filters.md).
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest

from emulator.core.commands import ReleaseMarket, SetBook
from emulator.core.instruments import InstrumentStatus, Side
from emulator.exchanges.binance.spot.instruments import load
from tests.exchanges.binance.marketplace import NOW_MS, NOW_US, Marketplace

AMOUNT = re.compile(r"-?[0-9]+\.[0-9]{8}")
DAY_MS = 86_400_000

SYMBOL_KEYS = """symbol status baseAsset baseAssetPrecision quoteAsset quotePrecision quoteAssetPrecision
    baseCommissionPrecision quoteCommissionPrecision orderTypes icebergAllowed ocoAllowed otoAllowed
    opoAllowed quoteOrderQtyMarketAllowed allowTrailingStop cancelReplaceAllowed amendAllowed
    pegInstructionsAllowed isSpotTradingAllowed isMarginTradingAllowed filters permissions permissionSets
    defaultSelfTradePreventionMode allowedSelfTradePreventionModes""".split()
FILTER_KEYS = {
    "PRICE_FILTER": "minPrice maxPrice tickSize",
    "LOT_SIZE": "minQty maxQty stepSize",
    "ICEBERG_PARTS": "limit",
    "MARKET_LOT_SIZE": "minQty maxQty stepSize",
    "TRAILING_DELTA": (
        "minTrailingAboveDelta maxTrailingAboveDelta minTrailingBelowDelta maxTrailingBelowDelta"
    ),
    "PERCENT_PRICE_BY_SIDE": (
        "bidMultiplierUp bidMultiplierDown askMultiplierUp askMultiplierDown avgPriceMins"
    ),
    "NOTIONAL": "minNotional applyMinToMarket maxNotional applyMaxToMarket avgPriceMins",
    "MAX_NUM_ORDERS": "maxNumOrders",
    "MAX_NUM_ORDER_LISTS": "maxNumOrderLists",
    "MAX_NUM_ALGO_ORDERS": "maxNumAlgoOrders",
    "MAX_NUM_ORDER_AMENDS": "maxNumOrderAmends",
}
MINI_KEYS = """symbol openPrice highPrice lowPrice lastPrice volume quoteVolume openTime closeTime firstId
    lastId count""".split()
WINDOW_KEYS = """symbol priceChange priceChangePercent weightedAvgPrice openPrice highPrice lowPrice lastPrice
    volume quoteVolume openTime closeTime firstId lastId count""".split()
DAY_KEYS = """symbol priceChange priceChangePercent weightedAvgPrice prevClosePrice lastPrice lastQty bidPrice
    bidQty askPrice askQty openPrice highPrice lowPrice volume quoteVolume openTime closeTime firstId lastId
    count""".split()

TICKERS = ["ticker/24hr", "ticker/price", "ticker/bookTicker", "ticker", "ticker/tradingDay"]
PAIR = '["BTCUSDT","ETHUSDT"]'


@pytest.fixture
async def place(anyio_backend: str) -> AsyncIterator[Marketplace]:
    async with Marketplace() as place:
        yield place


@pytest.fixture
async def halted(anyio_backend: str) -> AsyncIterator[Marketplace]:
    """ETHUSDT does not trade, and two rules that symbols rarely have apply to BNBUSDT."""
    async with Marketplace(
        {
            "ETHUSDT": {"status": InstrumentStatus.HALTED},
            "BNBUSDT": {"iceberg_orders_max": 7, "position_max": Decimal("1000.5")},
        }
    ) as place:
        yield place


def check_amounts(row: dict[str, Any], names: list[str]) -> None:
    for name in names:
        assert AMOUNT.fullmatch(row[name]), (name, row[name])


# General


async def test_ping_and_time(place: Marketplace) -> None:
    assert await place.get("ping") == {}
    assert await place.get("time") == {"serverTime": NOW_MS}
    micro = {"X-MBX-TIME-UNIT": "MICROSECOND"}
    assert await place.get("time", headers=micro) == {"serverTime": NOW_US}
    assert (await place.refusal("ping", "a=1"))[0] == -1101


async def test_exchange_info_lists_every_symbol(place: Marketplace) -> None:
    told = await place.get("exchangeInfo")
    assert list(told) == ["timezone", "serverTime", "rateLimits", "exchangeFilters", "symbols", "sors"]
    assert told["timezone"] == "UTC"
    assert told["serverTime"] == NOW_MS
    assert told["exchangeFilters"] == []
    assert [symbol["symbol"] for symbol in told["symbols"]] == [listing.symbol for listing in load()]
    for symbol in told["symbols"]:
        assert list(symbol) == SYMBOL_KEYS
        assert symbol["status"] == "TRADING"
        assert symbol["permissions"] == []
        assert any("SPOT" in words for words in symbol["permissionSets"])
        assert [row["filterType"] for row in symbol["filters"]] == list(FILTER_KEYS)
        for row in symbol["filters"]:
            assert list(row) == ["filterType", *FILTER_KEYS[row["filterType"]].split()]
    assert {(sor["baseAsset"], *sor["symbols"]) for sor in told["sors"]} >= {("BTC", "BTCUSDT", "BTCUSDC")}
    limits = [(row["rateLimitType"], row["interval"], row["intervalNum"]) for row in told["rateLimits"]]
    assert limits == [
        ("REQUEST_WEIGHT", "MINUTE", 1),
        ("ORDERS", "SECOND", 10),
        ("ORDERS", "DAY", 1),
        ("RAW_REQUESTS", "MINUTE", 5),
    ]
    for row in told["rateLimits"]:
        assert list(row) == ["rateLimitType", "interval", "intervalNum", "limit"]


async def test_exchange_info_shows_the_rules_that_the_core_checks(place: Marketplace) -> None:
    (symbol,) = (await place.get("exchangeInfo", "symbol=BTCUSDT"))["symbols"]
    filters = {row["filterType"]: row for row in symbol["filters"]}
    # Figures of the exchange's own listing, as instruments.json gives their source.
    assert filters["PRICE_FILTER"]["tickSize"] == "0.01000000"
    assert filters["LOT_SIZE"]["stepSize"] == "0.00001000"
    assert filters["NOTIONAL"]["minNotional"] == "5.00000000"
    assert filters["PERCENT_PRICE_BY_SIDE"]["bidMultiplierDown"] == "0.2"
    assert filters["MARKET_LOT_SIZE"]["stepSize"] == "0.00000000"
    assert symbol["defaultSelfTradePreventionMode"] in symbol["allowedSelfTradePreventionModes"]


async def test_exchange_info_of_some_symbols(halted: Marketplace) -> None:
    async def symbols(query: str) -> list[str]:
        return [row["symbol"] for row in (await halted.get("exchangeInfo", query))["symbols"]]

    every = await symbols("")
    assert await symbols(f"symbols={PAIR}") == ["BTCUSDT", "ETHUSDT"]
    assert await symbols("symbols=%5B%22ETHBTC%22%5D") == ["ETHBTC"]
    assert await symbols("permissions=SPOT") == every
    margin = await symbols("permissions=MARGIN")
    assert 0 < len(margin) < len(every)
    assert await symbols('permissions=["MARGIN","LEVERAGED"]') == margin
    assert await symbols("permissions=TRD_GRP_004") == []
    assert await symbols("symbolStatus=HALT") == ["ETHUSDT"]
    assert await symbols("symbolStatus=BREAK") == []
    assert "ETHUSDT" not in await symbols("symbolStatus=TRADING&permissions=SPOT")
    bare = await halted.get("exchangeInfo", "symbol=BTCUSDT&showPermissionSets=false")
    assert bare["symbols"][0]["permissionSets"] == []


async def test_exchange_info_shows_rare_rules_where_they_apply(halted: Marketplace) -> None:
    (symbol,) = (await halted.get("exchangeInfo", "symbol=BNBUSDT"))["symbols"]
    assert symbol["filters"][-2:] == [
        {"filterType": "MAX_NUM_ICEBERG_ORDERS", "maxNumIcebergOrders": 7},
        {"filterType": "MAX_POSITION", "maxPosition": "1000.50000000"},
    ]
    (symbol,) = (await halted.get("exchangeInfo", "symbol=ETHUSDT"))["symbols"]
    assert symbol["status"] == "HALT"


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("symbol=NOPE", -1121),
        ('symbols=["BTCUSDT","NOPE"]', -1121),
        ('symbols=["BTCUSDT","BTCUSDT"]', -1151),
        ("symbols=[]", -1105),
        ('symbols=["BTCUSDT", "ETHUSDT"]', -1100),
        ("symbols=BTCUSDT", -1100),
        ("symbol=btcusdt", -1100),
        ("symbol=", -1105),
        (f"symbol=BTCUSDT&symbols={PAIR}", -1128),
        ("symbol=BTCUSDT&permissions=SPOT", -1128),
        (f"symbols={PAIR}&permissions=SPOT", -1128),
        ("symbol=BTCUSDT&symbolStatus=TRADING", -1128),
        (f"symbols={PAIR}&symbolStatus=TRADING", -1128),
        ("symbolStatus=OPEN", -1122),
        ("permissions=NOPE", -1130),
        ("permissions=spot", -1100),
        ("permissions=[]", -1105),
        ("showPermissionSets=maybe", -1130),
        ("limit=5", -1104),
    ],
)
async def test_exchange_info_refuses(place: Marketplace, query: str, code: int) -> None:
    assert (await place.refusal("exchangeInfo", query))[0] == code


async def test_no_execution_rules_and_no_reference_prices(halted: Marketplace) -> None:
    one = await halted.get("executionRules", "symbol=BTCUSDT")
    assert one == {"symbolRules": [{"symbol": "BTCUSDT", "rules": []}]}
    assert len((await halted.get("executionRules"))["symbolRules"]) == len(load())
    assert len((await halted.get("executionRules", f"symbols={PAIR}"))["symbolRules"]) == 2
    some = await halted.get("executionRules", "symbolStatus=HALT")
    assert [row["symbol"] for row in some["symbolRules"]] == ["ETHUSDT"]
    assert (await halted.refusal("executionRules", "symbol=BTCUSDT&symbolStatus=TRADING"))[0] == -1128

    text = "This symbol doesn't have a reference price."
    assert await halted.refusal("referencePrice", "symbol=BTCUSDT") == (-2043, text)
    assert await halted.refusal("referencePrice/calculation", "symbol=BTCUSDT") == (-2043, text)
    assert (await halted.refusal("referencePrice", "symbol=NOPE"))[0] == -1121
    other_status = "symbol=ETHUSDT&symbolStatus=TRADING"
    assert (await halted.refusal("referencePrice/calculation", other_status))[0] == -1220


# Book


async def test_depth(place: Marketplace) -> None:
    book = await place.get("depth", "symbol=BTCUSDT&limit=20")
    assert list(book) == ["lastUpdateId", "bids", "asks"]
    assert len(book["bids"]) == len(book["asks"]) == 20
    for side in ("bids", "asks"):
        for level in book[side]:
            assert len(level) == 2
            assert all(AMOUNT.fullmatch(text) for text in level)
    bids = [Decimal(price) for price, _ in book["bids"]]
    asks = [Decimal(price) for price, _ in book["asks"]]
    assert bids == sorted(bids, reverse=True)
    assert asks == sorted(asks)
    assert bids[0] < asks[0]
    best = await place.get("ticker/bookTicker", "symbol=BTCUSDT")
    assert best == {
        "symbol": "BTCUSDT",
        "bidPrice": book["bids"][0][0],
        "bidQty": book["bids"][0][1],
        "askPrice": book["asks"][0][0],
        "askQty": book["asks"][0][1],
    }


async def test_depth_limits(place: Marketplace) -> None:
    whole = await place.get("depth", "symbol=BTCUSDT&limit=5000")
    assert len(whole["bids"]) > 500
    assert await place.get("depth", "symbol=BTCUSDT&limit=9999") == whole
    for query, expected in (("", 100), ("&limit=1", 1), ("&limit=101", 101)):
        book = await place.get("depth", f"symbol=BTCUSDT{query}")
        assert book["bids"] == whole["bids"][:expected]
        assert book["asks"] == whole["asks"][:expected]


async def test_depth_is_never_stale(place: Marketplace) -> None:
    """Over some seconds of steps, with accounts trading, the same as a book that nobody asked for before."""
    market = place.sandbox.engines["binance"].state.markets["ETHUSDT"]
    quantities = set()
    for step in range(120):
        await place.step(step * 1_700 + 1)
        if step % 10 == 3:
            await place.order("ETHUSDT", Side.BUY if step % 20 == 3 else Side.SELL, "15")
        if step % 10 == 7:
            bid = Decimal((await place.get("ticker/bookTicker", "symbol=ETHUSDT"))["bidPrice"])
            await place.order("ETHUSDT", Side.BUY, "0.5", str(bid - Decimal("0.05")))
        book = await place.get("depth", "symbol=ETHUSDT&limit=10")
        now_us = place.sandbox.clock.now_us()
        for name, side in (("bids", Side.BUY), ("asks", Side.SELL)):
            fresh = [(Decimal(p), Decimal(q)) for p, q in book[name]]
            assert fresh == market.depth(side, now_us, 10), (step, name)
        assert book["lastUpdateId"] == market.update_id(now_us)
        quantities.add(book["bids"][0][1])
    assert len(quantities) > 5, "the book moved meanwhile"


async def test_depth_of_a_book_set_by_hand(place: Marketplace) -> None:
    bids = ((Decimal(1000), Decimal(2)), (Decimal("999.99"), Decimal("0.5")))
    before = await place.get("depth", "symbol=ETHUSDT")
    await place.do(SetBook(instrument="ETHUSDT", bids=bids, asks=()))
    book = await place.get("depth", "symbol=ETHUSDT")
    assert book["bids"] == [["1000.00000000", "2.00000000"], ["999.99000000", "0.50000000"]]
    assert book["asks"] == []
    assert book["lastUpdateId"] > before["lastUpdateId"]
    best = await place.get("ticker/bookTicker", "symbol=ETHUSDT")
    assert (best["askPrice"], best["askQty"]) == ("0.00000000", "0.00000000")
    await place.do(ReleaseMarket(pair="ETH/USDT"))
    assert (await place.get("depth", "symbol=ETHUSDT"))["asks"] == before["asks"]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("", -1102),
        ("symbol=NOPE", -1121),
        ("symbol=BTCUSDT&limit=0", -1130),
        ("symbol=BTCUSDT&limit=-1", -1100),
        ("symbol=BTCUSDT&limit=ten", -1100),
        ("symbol=BTCUSDT&limit=99999999999999999999", -1108),
        ("symbol=BTCUSDT&symbolStatus=HALT", -1220),
        ("symbol=BTCUSDT&symbolStatus=nope", -1122),
        ("symbol=BTCUSDT&limit=5&limit=6", -1101),
        ("symbol=BTCUSDT&x=1", -1104),
    ],
)
async def test_depth_refuses(place: Marketplace, query: str, code: int) -> None:
    assert (await place.refusal("depth", query))[0] == code


# Trades


async def test_trades(place: Marketplace) -> None:
    trades = await place.get("trades", "symbol=BTCUSDT")
    assert len(trades) == 500
    for trade in trades:
        assert list(trade) == ["id", "price", "qty", "quoteQty", "time", "isBuyerMaker", "isBestMatch"]
        check_amounts(trade, ["price", "qty", "quoteQty"])
        assert Decimal(trade["quoteQty"]) == Decimal(trade["price"]) * Decimal(trade["qty"])
        assert trade["isBestMatch"] is True
        assert type(trade["isBuyerMaker"]) is bool
    ids = [trade["id"] for trade in trades]
    assert ids == list(range(ids[0], ids[0] + 500))
    assert trades[-1]["time"] <= NOW_MS
    assert len(await place.get("trades", "symbol=BTCUSDT&limit=5000")) == 1000
    assert await place.get("historicalTrades", "symbol=BTCUSDT") == trades
    assert await place.get("historicalTrades", f"symbol=BTCUSDT&fromId={ids[7]}&limit=3") == trades[7:10]
    oldest = await place.get("historicalTrades", "symbol=BTCUSDT&fromId=0&limit=2")
    assert [trade["id"] for trade in oldest] == [1, 2]
    assert await place.get("historicalTrades", f"symbol=BTCUSDT&fromId={ids[-1] + 1}") == []


async def test_amounts_that_eight_places_cannot_hold_are_cut(place: Marketplace) -> None:
    """ETHBTC has steps of 0.00001 and 0.0001, so amounts have nine places."""
    trades = await place.get("trades", "symbol=ETHBTC")
    exact = [Decimal(trade["price"]) * Decimal(trade["qty"]) for trade in trades]
    shown = [Decimal(trade["quoteQty"]) for trade in trades]
    assert all(0 <= whole - cut < Decimal("0.00000001") for whole, cut in zip(exact, shown, strict=True))
    assert exact != shown


async def test_no_block_trades(place: Marketplace) -> None:
    assert await place.get("historicalBlockTrades", "symbol=BTCUSDT&fromId=1") == []
    assert (await place.refusal("historicalBlockTrades", "symbol=BTCUSDT"))[0] == -1102
    assert (await place.refusal("historicalBlockTrades", "symbol=NOPE&fromId=1"))[0] == -1121


async def test_aggregate_trades(place: Marketplace) -> None:
    newest = await place.get("aggTrades", "symbol=BTCUSDT&limit=200")
    for trade in newest:
        assert list(trade) == ["a", "p", "q", "f", "l", "T", "m", "M"]
        check_amounts(trade, ["p", "q"])
        assert trade["f"] <= trade["l"]
    ids = [trade["a"] for trade in newest]
    assert ids == list(range(ids[0], ids[0] + 200))
    assert await place.get("aggTrades", f"symbol=BTCUSDT&fromId={ids[5]}&limit=4") == newest[5:9]
    start, end = newest[20]["T"], newest[60]["T"]
    within = [trade for trade in newest if start <= trade["T"] <= end]
    assert await place.get("aggTrades", f"symbol=BTCUSDT&startTime={start}&endTime={end}") == within
    assert await place.get("aggTrades", f"symbol=BTCUSDT&startTime={start}&limit=7") == within[:7]
    assert await place.get("aggTrades", f"symbol=BTCUSDT&endTime={end}&limit=7") == within[-7:]
    assert await place.get("aggTrades", f"symbol=BTCUSDT&startTime={start}000&limit=7") == within[:7]
    assert await place.get("aggTrades", f"symbol=BTCUSDT&startTime={end}&endTime={start}") == []
    assert await place.get("aggTrades", f"symbol=BTCUSDT&startTime={NOW_MS + 5000}") == []
    assert await place.get("aggTrades", "symbol=BTCUSDT&endTime=1000") == []


async def test_aggregate_trades_in_microseconds(place: Marketplace) -> None:
    micro = {"X-MBX-TIME-UNIT": "MICROSECOND"}
    newest = await place.get("aggTrades", "symbol=BTCUSDT&limit=50", headers=micro)
    end = newest[30]["T"]
    until = await place.get("aggTrades", f"symbol=BTCUSDT&limit=50&endTime={end}", headers=micro)
    assert until[-1] == newest[30]
    before = await place.get("aggTrades", f"symbol=BTCUSDT&limit=50&endTime={end - 1}", headers=micro)
    assert before[-1] == newest[29]


@pytest.mark.parametrize("path", ["trades", "historicalTrades", "aggTrades", "avgPrice"])
async def test_single_symbol_endpoints_refuse(place: Marketplace, path: str) -> None:
    assert (await place.refusal(path))[0] == -1102
    assert (await place.refusal(path, "symbol=NOPE"))[0] == -1121
    assert (await place.refusal(path, "symbol=BTC+USDT"))[0] == -1100
    assert (await place.refusal(path, "symbol=BTCUSDT&foo=1"))[0] == -1104


async def test_aggregate_trades_refuse_an_id_with_times(place: Marketplace) -> None:
    for times in ("startTime=1", "endTime=1", "startTime=1&endTime=2"):
        assert (await place.refusal("aggTrades", f"symbol=BTCUSDT&fromId=1&{times}"))[0] == -1128
    assert (await place.refusal("aggTrades", "symbol=BTCUSDT&startTime=x"))[0] == -1100


# Prices and statistics


async def test_average_price(place: Marketplace) -> None:
    average = await place.get("avgPrice", "symbol=BTCUSDT")
    assert list(average) == ["mins", "price", "closeTime"]
    assert average["mins"] == 5
    end = NOW_MS // 1000 * 1000
    seconds = await place.get(
        "klines", f"symbol=BTCUSDT&interval=1s&startTime={end - 300_000}&endTime={end - 1}"
    )
    volume = sum((Decimal(row[5]) for row in seconds), Decimal(0))
    amount = sum((Decimal(row[7]) for row in seconds), Decimal(0))
    assert abs(Decimal(average["price"]) - amount / volume) <= Decimal("0.00000001")
    newest = (await place.get("trades", "symbol=BTCUSDT&limit=1"))[0]
    assert average["closeTime"] == newest["time"]


async def test_day_statistics(place: Marketplace) -> None:
    day = await place.get("ticker/24hr", "symbol=BTCUSDT")
    assert list(day) == DAY_KEYS
    amounts = [name for name in DAY_KEYS if "Price" in name or "Qty" in name or "olume" in name]
    check_amounts(day, [*amounts, "priceChange"])
    assert re.fullmatch(r"-?[0-9]+\.[0-9]{3}", day["priceChangePercent"])
    assert (day["openTime"], day["closeTime"]) == (NOW_MS - DAY_MS, NOW_MS)
    change = Decimal(day["lastPrice"]) - Decimal(day["openPrice"])
    assert Decimal(day["priceChange"]) == change
    percent = 100 * change / Decimal(day["openPrice"])
    assert abs(Decimal(day["priceChangePercent"]) - percent) <= Decimal("0.0005")
    weighted = Decimal(day["quoteVolume"]) / Decimal(day["volume"])
    assert abs(Decimal(day["weightedAvgPrice"]) - weighted) <= Decimal("0.00000001")
    previous = await place.get("historicalTrades", f"symbol=BTCUSDT&fromId={day['firstId'] - 1}&limit=2")
    assert day["prevClosePrice"] == previous[0]["price"]
    assert day["openPrice"] == previous[1]["price"]
    assert previous[0]["time"] < day["openTime"] <= previous[1]["time"]
    mini = await place.get("ticker/24hr", "symbol=BTCUSDT&type=MINI")
    assert list(mini) == MINI_KEYS
    assert mini == {name: day[name] for name in MINI_KEYS}


async def test_trading_day(place: Marketplace) -> None:
    day = await place.get("ticker/tradingDay", "symbol=BTCUSDT")
    assert list(day) == WINDOW_KEYS
    midnight = NOW_MS // DAY_MS * DAY_MS
    assert (day["openTime"], day["closeTime"]) == (midnight, midnight + DAY_MS - 1)
    (kline,) = await place.get("klines", "symbol=BTCUSDT&interval=1d&limit=1")
    shown = [day[name] for name in ("openTime", "openPrice", "highPrice", "lowPrice", "lastPrice", "volume")]
    assert shown == kline[:6]
    assert [day["closeTime"], day["quoteVolume"], day["count"]] == kline[6:9]
    mini = await place.get("ticker/tradingDay", "symbol=BTCUSDT&type=MINI")
    assert list(mini) == MINI_KEYS
    assert mini == {name: day[name] for name in MINI_KEYS}


@pytest.mark.parametrize(
    ("zone", "hours"), [("0", 0), ("8", 8), ("05:45", 5.75), ("-1:00", -1), ("-12:00", -12), ("14", 14)]
)
async def test_trading_day_of_a_time_zone(place: Marketplace, zone: str, hours: float) -> None:
    day = await place.get("ticker/tradingDay", f"symbol=BTCUSDT&timeZone={zone}")
    assert (day["openTime"] + int(hours * 3_600_000)) % DAY_MS == 0
    assert day["openTime"] <= NOW_MS < day["openTime"] + DAY_MS
    (kline,) = await place.get("klines", f"symbol=BTCUSDT&interval=1d&limit=1&timeZone={zone}")
    assert [day["openTime"], day["openPrice"], day["volume"]] == [kline[0], kline[1], kline[5]]


@pytest.mark.parametrize(
    ("size", "minutes"), [("1m", 1), ("59m", 59), ("1h", 60), ("23h", 1380), ("1d", 1440), ("7d", 10080)]
)
async def test_rolling_window(place: Marketplace, size: str, minutes: int) -> None:
    window = await place.get("ticker", f"symbol=BTCUSDT&windowSize={size}")
    assert list(window) == WINDOW_KEYS
    assert window["closeTime"] == NOW_MS
    assert window["openTime"] % 60_000 == 0
    assert 0 <= NOW_MS - window["openTime"] - minutes * 60_000 <= 59_999
    assert window["count"] == window["lastId"] - window["firstId"] + 1


async def test_rolling_window_is_a_day_unless_said(place: Marketplace) -> None:
    assert await place.get("ticker", "symbol=BTCUSDT") == await place.get(
        "ticker", "symbol=BTCUSDT&windowSize=1d"
    )
    mini = await place.get("ticker", "symbol=BTCUSDT&type=MINI")
    assert list(mini) == MINI_KEYS


async def test_latest_and_best_prices(place: Marketplace) -> None:
    newest = (await place.get("trades", "symbol=ETHBTC&limit=1"))[0]
    price = await place.get("ticker/price", "symbol=ETHBTC")
    assert price == {"symbol": "ETHBTC", "price": newest["price"]}
    everything = await place.get("ticker/price")
    assert price in everything
    assert [row["symbol"] for row in everything] == [listing.symbol for listing in load()]
    best = await place.get("ticker/bookTicker", "symbol=ETHBTC")
    assert list(best) == ["symbol", "bidPrice", "bidQty", "askPrice", "askQty"]
    check_amounts(best, ["bidPrice", "bidQty", "askPrice", "askQty"])
    assert best in await place.get("ticker/bookTicker")


@pytest.mark.parametrize("path", TICKERS)
async def test_tickers_of_several_symbols(halted: Marketplace, path: str) -> None:
    one = await halted.get(path, "symbol=ETHUSDT")
    rows = await halted.get(path, f"symbols={PAIR}")
    assert [row["symbol"] for row in rows] == ["BTCUSDT", "ETHUSDT"]
    assert rows[1] == one
    assert await halted.get(path, f"symbols={PAIR}&symbolStatus=HALT") == [one]
    assert await halted.get(path, f"symbols={PAIR}&symbolStatus=BREAK") == []
    assert await halted.get(path, "symbol=ETHUSDT&symbolStatus=HALT") == one
    code, text = await halted.refusal(path, "symbol=ETHUSDT&symbolStatus=TRADING")
    assert (code, text) == (-1220, "The symbol's status does not match the requested symbolStatus.")


@pytest.mark.parametrize("path", ["ticker/24hr", "ticker/price", "ticker/bookTicker"])
async def test_tickers_of_all_symbols(halted: Marketplace, path: str) -> None:
    every = await halted.get(path)
    assert len(every) == len(load())
    trading = await halted.get(path, "symbolStatus=TRADING")
    assert [row for row in every if row["symbol"] != "ETHUSDT"] == trading


@pytest.mark.parametrize("path", TICKERS)
@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("symbol=NOPE", -1121),
        ('symbols=["BTCUSDT","NOPE"]', -1121),
        ('symbols=["BTCUSDT","BTCUSDT"]', -1151),
        ("symbols=[]", -1105),
        ("symbols=BTCUSDT", -1100),
        (f"symbol=BTCUSDT&symbols={PAIR}", -1128),
        ("symbol=BTCUSDT&symbolStatus=CLOSED", -1122),
        ("symbol=BTCUSDT&x=1", -1104),
    ],
)
async def test_tickers_refuse(place: Marketplace, path: str, query: str, code: int) -> None:
    assert (await place.refusal(path, query))[0] == code


async def test_tickers_refuse_what_only_some_of_them_know(place: Marketplace) -> None:
    for path in ("ticker/24hr", "ticker/tradingDay", "ticker"):
        refused = await place.refusal(path, "symbol=BTCUSDT&type=HUGE")
        assert refused == (-1139, "Invalid ticker type.")
    for path in ("ticker", "ticker/tradingDay"):
        assert await place.refusal(path) == (
            -1102,
            "Param 'symbol' or 'symbols' must be sent, but both were empty/null!",
        )
        many = ",".join(f'"A{number}"' for number in range(101))
        assert (await place.refusal(path, f"symbols=[{many}]"))[0] == -1101
    for size in ("60m", "0m", "24h", "8d", "1d2h", "1w", "1M"):
        assert (await place.refusal("ticker", f"symbol=BTCUSDT&windowSize={size}"))[0] == -1130
    assert (await place.refusal("ticker/tradingDay", "symbol=BTCUSDT&timeZone=15"))[0] == -1130


# Weights


@pytest.mark.parametrize(
    ("path", "query", "weight"),
    [
        ("ping", "", 1),
        ("time", "", 1),
        ("exchangeInfo", "symbol=BTCUSDT", 20),
        ("depth", "symbol=BTCUSDT", 5),
        ("depth", "symbol=BTCUSDT&limit=100", 5),
        ("depth", "symbol=BTCUSDT&limit=101", 25),
        ("depth", "symbol=BTCUSDT&limit=500", 25),
        ("depth", "symbol=BTCUSDT&limit=501", 50),
        ("depth", "symbol=BTCUSDT&limit=1001", 250),
        ("depth", "symbol=BTCUSDT&limit=9999", 250),
        ("trades", "symbol=BTCUSDT&limit=1", 25),
        ("historicalTrades", "symbol=BTCUSDT&limit=1", 25),
        ("historicalBlockTrades", "symbol=BTCUSDT&fromId=1", 25),
        ("aggTrades", "symbol=BTCUSDT&limit=1", 4),
        ("klines", "symbol=BTCUSDT&interval=1m&limit=1", 2),
        ("uiKlines", "symbol=BTCUSDT&interval=1m&limit=1", 2),
        ("avgPrice", "symbol=BTCUSDT", 2),
        ("ticker/24hr", "symbol=BTCUSDT", 2),
        ("ticker/24hr", f"symbols={PAIR}", 2),
        ("ticker/24hr", "type=MINI", 80),
        ("ticker/tradingDay", "symbol=BTCUSDT", 4),
        ("ticker/tradingDay", f"symbols={PAIR}", 8),
        ("ticker", "symbol=BTCUSDT&windowSize=1m", 4),
        ("ticker", f"symbols={PAIR}&windowSize=1m", 8),
        ("ticker/price", "symbol=BTCUSDT", 2),
        ("ticker/price", f"symbols={PAIR}", 4),
        ("ticker/price", "", 4),
        ("ticker/bookTicker", "symbol=BTCUSDT", 2),
        ("ticker/bookTicker", "", 4),
        ("executionRules", "symbol=BTCUSDT", 2),
        ("executionRules", f"symbols={PAIR}", 4),
        ("executionRules", "", 40),
        ("executionRules", "symbolStatus=TRADING", 40),
    ],
)
async def test_weights(place: Marketplace, path: str, query: str, weight: int) -> None:
    reply = await place.ask(path, query)
    assert reply.status == 200, reply.content
    assert reply.headers["x-mbx-used-weight-1m"] == str(weight)


async def test_weights_of_many_symbols(place: Marketplace) -> None:
    symbols = [listing.symbol for listing in load()]

    async def weight(path: str, count: int) -> int:
        before = int((await place.ask("ping")).headers["x-mbx-used-weight-1m"])
        listed = ",".join(f'"{symbol}"' for symbol in symbols[:count])
        reply = await place.ask(path, f"symbols=[{listed}]")
        assert reply.status == 200
        return int(reply.headers["x-mbx-used-weight-1m"]) - before

    assert [await weight("ticker/24hr", count) for count in (20, 21)] == [2, 40]
    assert [await weight("ticker", count) for count in (50, 60)] == [200, 200]
    assert [await weight("executionRules", count) for count in (19, 30)] == [38, 40]
