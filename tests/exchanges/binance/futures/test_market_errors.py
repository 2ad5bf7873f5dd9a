"""What the public endpoints of futures refuse, with which code and text, and what they pass over.

Codes are those of the error-code pages of both products; texts and cases marked so are live answers of
September 2026.
"""

from __future__ import annotations

from typing import Any

import pytest

from emulator.exchanges.binance.futures.products import COINM, USDM, Product
from tests.exchanges.binance.futures.bourse import DAY_US, NOW_MS, Bourse

pytestmark = pytest.mark.anyio

SYMBOLS = {USDM: "BTCUSDT", COINM: "BTCUSD_PERP"}
PAIRS = {USDM: "BTCUSDT", COINM: "BTCUSD"}
EACH = pytest.mark.parametrize("product", [USDM, COINM], ids=repr)

INVALID_SYMBOL = (-1121, "Invalid symbol.")
INVALID_LIMIT = (-1130, "Data sent for parameter 'limit' is not valid.")
BACKWARDS = (-1023, "Start time is greater than end time.")
DAY_MS = DAY_US // 1000


def missing(name: str) -> tuple[int, str]:
    return -1102, f"Mandatory parameter '{name.lower()}' was not sent, was empty/null, or malformed."


@EACH
@pytest.mark.parametrize(
    ("path", "values", "refusal"),
    [
        ("/v1/depth", {}, missing("symbol")),
        ("/v1/klines", {"symbol": "BTCUSDT"}, missing("interval")),
        ("/v1/indexPriceKlines", {"interval": "1m"}, missing("pair")),
        ("/v1/continuousKlines", {"pair": "BTCUSDT", "interval": "1m"}, missing("contractType")),
        ("/v1/openInterest", {}, missing("symbol")),
        ("/futures/data/basis", {"pair": "BTCUSDT", "contractType": "PERPETUAL"}, missing("period")),
        ("/v1/depth", {"symbol": "NOSUCH"}, INVALID_SYMBOL),
        ("/v1/trades", {"symbol": "BTCUSDT_261231"}, INVALID_SYMBOL),
        ("/v1/ticker/24hr", {"symbol": "NOSUCH"}, INVALID_SYMBOL),
        ("/v1/ticker/price", {"symbol": "NOSUCH"}, INVALID_SYMBOL),
        ("/v1/ticker/bookTicker", {"symbol": "NOSUCH"}, INVALID_SYMBOL),
        ("/v1/premiumIndex", {"symbol": "NOSUCH"}, INVALID_SYMBOL),
        ("/v1/fundingRate", {"symbol": "NOSUCH"}, INVALID_SYMBOL),
        ("/v1/openInterest", {"symbol": "NOSUCH"}, INVALID_SYMBOL),
        ("/v1/constituents", {"symbol": "NOSUCH"}, INVALID_SYMBOL),
        ("/v1/klines", {"symbol": "NOSUCH", "interval": "1m"}, INVALID_SYMBOL),
        ("/v1/markPriceKlines", {"symbol": "NOSUCH", "interval": "1m"}, INVALID_SYMBOL),
        # Spot has this symbol, futures have not.
        ("/v1/klines", {"symbol": "USDCUSDT", "interval": "1m"}, INVALID_SYMBOL),
    ],
    ids=str,
)
async def test_what_is_asked_about(
    product: Product, path: str, values: dict[str, Any], refusal: tuple[int, str]
) -> None:
    async with Bourse() as bourse:
        assert await bourse.refusal(product, path, **values) == refusal


@EACH
@pytest.mark.parametrize("limit", [3, 1, 15, 99, 600])
async def test_a_depth_has_few_limits(product: Product, limit: int) -> None:
    """Live answer: 3 is not valid depth limit."""
    async with Bourse() as bourse:
        refusal = await bourse.refusal(product, "/v1/depth", symbol=SYMBOLS[product], limit=limit)
    assert refusal == (-4021, f"{limit} is not valid depth limit")


async def test_a_book_with_retail_orders_has_one_limit() -> None:
    async with Bourse() as bourse:
        refusal = await bourse.refusal(USDM, "/v1/rpiDepth", symbol="BTCUSDT", limit=500)
    assert refusal == (-4021, "500 is not valid depth limit")


@EACH
@pytest.mark.parametrize(
    ("path", "most"),
    [
        ("/v1/depth", 1000),
        ("/v1/trades", 1000),
        ("/v1/historicalTrades", 500),
        ("/v1/aggTrades", 1000),
        ("/v1/klines", 1500),
        ("/v1/markPriceKlines", 1500),
        ("/v1/premiumIndexKlines", 1500),
        ("/v1/continuousKlines", 1500),
        ("/v1/indexPriceKlines", 1500),
        ("/v1/fundingRate", 1000),
        ("/futures/data/basis", 500),
    ],
)
async def test_more_rows_than_the_most_are_refused(product: Product, path: str, most: int) -> None:
    """Live answers: 1001 and 2000 are -1130, where Spot gives the most."""
    values: dict[str, Any] = {"symbol": SYMBOLS[product], "pair": PAIRS[product], "interval": "1m"}
    values |= {"contractType": "PERPETUAL", "period": "5m"}
    async with Bourse() as bourse:
        assert await bourse.refusal(product, path, **values, limit=most + 1) == INVALID_LIMIT
        assert await bourse.refusal(product, path, **values, limit=0) == INVALID_LIMIT
        assert await bourse.take(product, path, **values, limit=most)


@EACH
async def test_futures_have_no_klines_of_a_second(product: Product) -> None:
    """Live answer."""
    async with Bourse() as bourse:
        for interval in ("1s", "7m", "1H", "1y"):
            refusal = await bourse.refusal(product, "/v1/klines", symbol=SYMBOLS[product], interval=interval)
            assert refusal == (-1120, "Invalid interval.")


@EACH
async def test_pairs_and_types_of_contracts(product: Product) -> None:
    """Error codes of both: -4144 and -4087 for pairs, -4104 for types."""
    code = -4144 if product is USDM else -4087
    async with Bourse() as bourse:
        for path, values in (
            ("/v1/indexPriceKlines", {"interval": "1m"}),
            ("/v1/continuousKlines", {"interval": "1m", "contractType": "PERPETUAL"}),
            ("/futures/data/basis", {"period": "1h", "contractType": "PERPETUAL"}),
            ("/futures/data/delivery-price", {}),
        ):
            assert await bourse.refusal(product, path, pair="NOSUCH", **values) == (code, "Invalid pair")
        refusal = await bourse.refusal(
            product, "/v1/continuousKlines", pair=PAIRS[product], contractType="WEEKLY", interval="1m"
        )
        assert refusal == (-4104, "Invalid contract type")


@EACH
@pytest.mark.parametrize(
    ("path", "more"),
    [
        ("/v1/klines", {"interval": "1m"}),
        ("/v1/markPriceKlines", {"interval": "1m"}),
        ("/v1/aggTrades", {}),
        ("/v1/fundingRate", {}),
    ],
)
async def test_a_range_does_not_end_before_it_begins(
    product: Product, path: str, more: dict[str, str]
) -> None:
    """python-binance, issue 1052."""
    async with Bourse() as bourse:
        refusal = await bourse.refusal(
            product, path, symbol=SYMBOLS[product], startTime=NOW_MS, endTime=NOW_MS - 1, **more
        )
    assert refusal == BACKWARDS


@EACH
async def test_aggregates_are_asked_for_by_the_hour(product: Product) -> None:
    """Compressed/Aggregate Trades List: less than an hour between both times. -1127 of the error codes."""
    values = {"symbol": SYMBOLS[product], "limit": 1}
    async with Bourse() as bourse:
        start_ms = NOW_MS - 2 * 3_600_000
        refusal = await bourse.refusal(
            product, "/v1/aggTrades", startTime=start_ms, endTime=start_ms + 3_600_001, **values
        )
        # ccxt asks for the whole of it.
        assert await bourse.take(
            product, "/v1/aggTrades", startTime=start_ms, endTime=start_ms + 3_600_000, **values
        )
    assert refusal == (-1127, "More than 1 hours between startTime and endTime.")


async def test_old_trades_ask_for_a_key() -> None:
    """Live answer: 401 and -2014."""
    async with Bourse() as bourse:
        for product in (USDM, COINM):
            reply = await bourse.ask(
                product, "/v1/historicalTrades", headers={"X-MBX-APIKEY": ""}, symbol=SYMBOLS[product]
            )
            assert reply.status == 401
            assert reply.json == {"code": -2014, "msg": "API-key format invalid."}
            stranger = await bourse.ask(
                product, "/v1/historicalTrades", headers={"X-MBX-APIKEY": "x" * 64}, symbol=SYMBOLS[product]
            )
            assert (stranger.status, stranger.json["code"]) == (401, -2015)


async def test_a_symbol_and_a_pair_are_not_asked_for_together() -> None:
    """24hr Ticker Price Change Statistics of COIN-M."""
    async with Bourse() as bourse:
        for path in ("/v1/ticker/24hr", "/v1/ticker/price", "/v1/ticker/bookTicker", "/v1/premiumIndex"):
            refusal = await bourse.refusal(COINM, path, symbol="BTCUSD_PERP", pair="BTCUSD")
            assert refusal == (-1128, "Combination of optional parameters invalid.")
            assert len(await bourse.coinm(path, pair="BTCUSD")) == 3


async def test_what_exchange_info_and_funding_info_pass_over() -> None:
    """Live answers: they take a symbol, known or not, and show all."""
    async with Bourse() as bourse:
        for path in ("/v1/exchangeInfo", "/v1/fundingInfo"):
            whole = await bourse.usdm(path)
            assert await bourse.usdm(path, symbol="ETHUSDT") == whole
            assert await bourse.usdm(path, symbol="NOSUCH") == whole
        funding = await bourse.usdm("/v1/fundingInfo")
    told = {one["symbol"]: one for one in funding}
    assert told["LPTUSDT"] == {
        "symbol": "LPTUSDT",
        "adjustedFundingRateCap": "0.02000000",
        "adjustedFundingRateFloor": "-0.02000000",
        "fundingIntervalHours": 4,
        "disclaimer": False,
    }
    assert told["BTCUSDT"] == {
        "symbol": "BTCUSDT",
        "adjustedFundingRateCap": "0.00300",
        "adjustedFundingRateFloor": "-0.00300",
        "fundingIntervalHours": 8,
        "disclaimer": True,
    }
    assert "BTCUSD_PERP" in told
    assert [one["disclaimer"] for one in funding] == sorted(one["disclaimer"] for one in funding)


# Ranges of klines


async def test_linear_klines_begin_at_their_start() -> None:
    start_ms = NOW_MS - 3 * DAY_MS
    async with Bourse() as bourse:
        found = await bourse.usdm("/v1/klines", symbol="BTCUSDT", interval="1h", startTime=start_ms, limit=5)
    first_ms = -(-start_ms // 3_600_000) * 3_600_000
    assert [row[0] for row in found] == [first_ms + hour * 3_600_000 for hour in range(5)]


async def test_inverse_klines_end_at_their_end() -> None:
    """COIN-M, "Kline/Candlestick Data": the most recent data from `endTime`, which is 200 days after a start
    or now."""
    async with Bourse() as bourse:

        async def opened(path: str = "/v1/klines", **values: Any) -> list[int]:
            name = {"pair": "BTCUSD"} if path == "/v1/indexPriceKlines" else {"symbol": "BTCUSD_PERP"}
            found = await bourse.coinm(path, interval="1d", limit=5, **name, **values)
            return [row[0] for row in found]

        today_ms = NOW_MS // DAY_MS * DAY_MS
        newest = [today_ms - day * DAY_MS for day in reversed(range(5))]
        long_ago_ms = today_ms - 400 * DAY_MS
        for path in ("/v1/klines", "/v1/markPriceKlines", "/v1/indexPriceKlines"):
            assert await opened(path) == newest
            assert await opened(path, startTime=today_ms - 100 * DAY_MS) == newest
            assert await opened(path, startTime=long_ago_ms) == [
                long_ago_ms + day * DAY_MS for day in range(196, 201)
            ]
            assert await opened(path, endTime=long_ago_ms) == [
                long_ago_ms - day * DAY_MS for day in reversed(range(5))
            ]
            assert await opened(path, startTime=long_ago_ms, endTime=long_ago_ms + DAY_MS) == [
                long_ago_ms,
                long_ago_ms + DAY_MS,
            ]
        refusal = await bourse.refusal(
            COINM,
            "/v1/klines",
            symbol="BTCUSD_PERP",
            interval="1d",
            startTime=long_ago_ms,
            endTime=long_ago_ms + 200 * DAY_MS + 1,
        )
    assert refusal == (-4088, "Maximum time interval is 200 days")


@EACH
async def test_klines_of_the_future_and_of_before_the_market_are_none(product: Product) -> None:
    async with Bourse() as bourse:
        for path in ("/v1/klines", "/v1/markPriceKlines", "/v1/premiumIndexKlines"):
            values = {"symbol": SYMBOLS[product], "interval": "1d"}
            assert await bourse.take(product, path, **values, startTime=NOW_MS + DAY_MS) == []
            assert await bourse.take(product, path, **values, endTime=1_000_000_000_000) == []


async def test_a_market_begins_once() -> None:
    async with Bourse() as bourse:
        first = await bourse.usdm("/v1/klines", symbol="BTCUSDT", interval="1d", startTime=0, limit=2)
        marks = await bourse.usdm(
            "/v1/markPriceKlines", symbol="BTCUSDT", interval="1d", startTime=0, limit=2
        )
        paid = await bourse.usdm("/v1/fundingRate", symbol="BTCUSDT", startTime=0, limit=2)
    assert [row[0] for row in first] == [row[0] for row in marks]
    assert first[0][0] <= paid[0]["fundingTime"] <= first[0][6]


async def test_klines_of_a_quarter_begin_when_it_is_listed() -> None:
    """BTCUSDT_261225 is listed when 260626 is delivered: onboardDate 1782460800000."""
    async with Bourse() as bourse:
        for path in ("/v1/klines", "/v1/markPriceKlines"):
            values = {"symbol": "BTCUSDT_261225", "interval": "1d"}
            since = await bourse.usdm(path, startTime=0, **values)
            newest = await bourse.usdm(path, **values)
            assert since == newest
            assert since[0][0] == 1_782_460_800_000 // DAY_MS * DAY_MS


# /futures/data


@EACH
async def test_figures_go_back_thirty_days(product: Product) -> None:
    asked = {"pair": PAIRS[product], "contractType": "PERPETUAL", "period": "1d"}
    async with Bourse() as bourse:
        path = "/futures/data/basis"
        refusal = await bourse.refusal(product, path, **asked, startTime=NOW_MS - 31 * DAY_MS)
        since = await bourse.take(product, path, **asked, startTime=NOW_MS - 30 * DAY_MS)
        newest = await bourse.take(product, path, **asked, limit=500)
        few = await bourse.take(product, path, **asked, startTime=NOW_MS - 30 * DAY_MS, limit=3)
        backwards = await bourse.refusal(product, path, **asked, startTime=NOW_MS, endTime=NOW_MS - 1)
        wrong = await bourse.refusal(product, path, **(asked | {"period": "1m"}))
    assert refusal == (-1130, "parameter 'startTime' is invalid.")
    today_ms = NOW_MS // DAY_MS * DAY_MS
    assert [row["timestamp"] for row in newest] == [today_ms - day * DAY_MS for day in reversed(range(30))]
    assert since == newest
    assert few == newest[:3]
    assert backwards == BACKWARDS
    assert wrong == (-1130, "Data sent for parameter 'period' is not valid.")


# Weights


async def test_weights_are_told_and_shared() -> None:
    """Both products have one pool since 2026-06."""
    async with Bourse() as bourse:

        async def used(product: Product, path: str, **values: Any) -> str | None:
            reply = await bourse.ask(product, path, **values)
            assert reply.status == 200
            found: str | None = reply.headers.get("x-mbx-used-weight-1m")
            return found

        assert await used(USDM, "/v1/depth", symbol="BTCUSDT", limit=1000) == "20"
        assert await used(COINM, "/v1/klines", symbol="BTCUSD_PERP", interval="1m", limit=1) == "21"
        assert await used(USDM, "/v1/ticker/24hr") == "61"
        # Quirk: neither funding rates nor the figures of USD-M cost any, and no header tells of them.
        assert await used(USDM, "/v1/fundingRate", symbol="BTCUSDT") is None
        assert await used(USDM, "/futures/data/openInterestHist", symbol="BTCUSDT", period="5m") is None
        assert await used(USDM, "/v1/ping") == "62"
        assert await used(COINM, "/futures/data/openInterestHist", pair="BTCUSD", period="5m") == "63"
        assert await used(COINM, "/v1/premiumIndex") == "73"


async def test_funding_rates_and_figures_have_pools_of_their_own() -> None:
    """500 in 5 minutes, shared with fundingInfo; 1000 in 5 minutes for each endpoint of /futures/data."""
    async with Bourse(counting="on") as bourse:
        for _ in range(250):
            assert (await bourse.ask(USDM, "/v1/fundingInfo")).status == 200
            assert (await bourse.ask(USDM, "/v1/fundingRate", symbol="BTCUSDT", limit=1)).status == 200
        refused = await bourse.ask(USDM, "/v1/fundingRate", symbol="BTCUSDT", limit=1)
        assert (refused.status, refused.json["code"]) == (429, -1003)
        assert (await bourse.ask(USDM, "/v1/premiumIndex", symbol="BTCUSDT")).status == 200

        figures: dict[str, Any] = {"pair": "BTCUSDT"}
        for _ in range(1000):
            assert (await bourse.ask(USDM, "/futures/data/delivery-price", **figures)).status == 200
        assert (await bourse.ask(USDM, "/futures/data/delivery-price", **figures)).status == 429
        other: dict[str, Any] = {"symbol": "BTCUSDT", "period": "5m"}
        assert (await bourse.ask(USDM, "/futures/data/openInterestHist", **other)).status == 200
