"""Streams of the futures sites say what their REST endpoints answer at the same moment."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from decimal import Decimal
from typing import Any

import pytest

from emulator.core.commands import PrintTrade
from emulator.exchanges.binance.futures.products import COINM, USDM, Product
from tests.exchanges.binance.futures.studio import SECOND_US, FuturesStudio

pytestmark = pytest.mark.anyio

BOTH = [(USDM, "BTCUSDT"), (COINM, "BTCUSD_PERP"), (USDM, "BTCUSDT_260925"), (COINM, "ETHUSD_PERP")]


@pytest.fixture
async def studio(anyio_backend: str) -> AsyncIterator[FuturesStudio]:
    async with FuturesStudio().on_air() as studio:
        yield studio


async def told(
    studio: FuturesStudio, name: str, site: Product, *, step_us: int = 0, trade: str | None = None
) -> Any:
    """What a stream says of its next whole second, or so many microseconds later, or of a trade."""
    async with studio.listen(f"/ws/{name}", site=site) as client:
        await client.ask("LIST_SUBSCRIPTIONS")
        if trade is None:
            await studio.step(step_us or 10 * SECOND_US - studio.now_us % (10 * SECOND_US))
        else:
            await studio.do(
                PrintTrade(
                    instrument=f"{site.wallet}:{trade}",
                    price=Decimal(3_000),
                    quantity=Decimal(7),
                    buyer_is_maker=False,
                )
            )
        return await client.next()


def same(event: Any, answer: Any, names: Mapping[str, str]) -> None:
    """names: what REST calls the keys of an event."""
    assert {name: event[key] for key, name in names.items()} == {
        name: answer[name] for name in names.values()
    }


@pytest.mark.parametrize(("site", "symbol"), BOTH)
class TestOfOneContract:
    async def test_trades(self, studio: FuturesStudio, site: Product, symbol: str) -> None:
        event = await told(studio, f"{symbol.lower()}@trade", site, trade=symbol)
        (row,) = await studio.get(f"{site.prefix}/v1/trades", f"symbol={symbol}&limit=1", site=site)
        same(event, row, {"t": "id", "p": "price", "q": "qty", "T": "time", "m": "isBuyerMaker"})
        event = await told(studio, f"{symbol.lower()}@aggTrade", site, trade=symbol)
        (row,) = await studio.get(f"{site.prefix}/v1/aggTrades", f"symbol={symbol}&limit=1", site=site)
        assert {key: event[key] for key in row} == row

    async def test_the_best_prices(self, studio: FuturesStudio, site: Product, symbol: str) -> None:
        event = await told(studio, f"{symbol.lower()}@bookTicker", site)
        answer = await studio.get(f"{site.prefix}/v1/ticker/bookTicker", f"symbol={symbol}", site=site)
        names = {"b": "bidPrice", "B": "bidQty", "a": "askPrice", "A": "askQty", "T": "time"}
        same(event, answer if site is USDM else answer[0], {**names, "u": "lastUpdateId", "s": "symbol"})

    async def test_the_best_levels(self, studio: FuturesStudio, site: Product, symbol: str) -> None:
        event = await told(studio, f"{symbol.lower()}@depth10", site)
        answer = await studio.get(f"{site.prefix}/v1/depth", f"symbol={symbol}&limit=10", site=site)
        same(event, answer, {"b": "bids", "a": "asks", "u": "lastUpdateId", "T": "T"})

    @pytest.mark.parametrize(
        ("word", "path", "by"),
        [
            ("{}@kline_5m", "klines", "symbol"),
            ("{}@kline_1M", "klines", "symbol"),
            ("{}@markPriceKline_15m", "markPriceKlines", "symbol"),
            ("{}@markPriceKline_1w", "markPriceKlines", "symbol"),
            ("{}@indexPriceKline_1h", "indexPriceKlines", "pair"),
            ("{}_next_quarter@continuousKline_3m", "continuousKlines", "pair"),
            ("{}_current_quarter@continuousKline_1d", "continuousKlines", "pair"),
        ],
    )
    async def test_klines(
        self, studio: FuturesStudio, site: Product, symbol: str, word: str, path: str, by: str
    ) -> None:
        pair = site.listings[symbol].pair
        name = word.format((symbol if by == "symbol" else pair).lower())
        event = await told(studio, name, site, step_us=60 * SECOND_US)
        query = f"{by}={symbol if by == 'symbol' else pair}&interval={event['k']['i']}&limit=1"
        if "ct" in event:
            query += f"&contractType={event['ct']}"
        while event["k"]["x"]:
            event = await told(studio, name, site, step_us=SECOND_US)
        (row,) = await studio.get(f"{site.prefix}/v1/{path}", query, site=site)
        assert [event["k"][key] for key in "tohlcvTqnVQB"] == row

    async def test_the_day(self, studio: FuturesStudio, site: Product, symbol: str) -> None:
        event = await told(studio, f"{symbol.lower()}@ticker", site)
        answer = await studio.get(f"{site.prefix}/v1/ticker/24hr", f"symbol={symbol}", site=site)
        names = {
            "s": "symbol",
            "p": "priceChange",
            "P": "priceChangePercent",
            "w": "weightedAvgPrice",
            "c": "lastPrice",
            "Q": "lastQty",
            "o": "openPrice",
            "h": "highPrice",
            "l": "lowPrice",
            "v": "volume",
            "O": "openTime",
            "C": "closeTime",
            "F": "firstId",
            "L": "lastId",
            "n": "count",
        }
        if site is USDM:
            same(event, answer, {**names, "q": "quoteVolume"})
        else:
            same(event, answer[0], {**names, "ps": "pair"})
            # The stream rounds what REST has eight places of.
            assert abs(Decimal(event["q"]) - Decimal(answer[0]["baseVolume"])) <= Decimal("0.05")
        mini = await told(studio, f"{symbol.lower()}@miniTicker", site)
        answer = await studio.get(f"{site.prefix}/v1/ticker/24hr", f"symbol={symbol}", site=site)
        short = {key: names[key] for key in "scohlv"}
        same(mini, answer if site is USDM else answer[0], short)

    async def test_mark_price_and_funding(self, studio: FuturesStudio, site: Product, symbol: str) -> None:
        event = await told(studio, f"{symbol.lower()}@markPrice@1s", site)
        answer = await studio.get(f"{site.prefix}/v1/premiumIndex", f"symbol={symbol}", site=site)
        names = {"p": "markPrice", "i": "indexPrice", "P": "estimatedSettlePrice", "r": "lastFundingRate"}
        answer = answer if site is USDM else answer[0]
        same(event, answer, {**names, "T": "nextFundingTime", "E": "time", "s": "symbol"})
        index = await told(studio, f"{site.listings[symbol].pair.lower()}@indexPrice@1s", site)
        answer = await studio.get(f"{site.prefix}/v1/premiumIndex", f"symbol={symbol}", site=site)
        assert index["p"] == (answer if site is USDM else answer[0])["indexPrice"]


@pytest.mark.parametrize("site", [USDM, COINM])
async def test_marks_of_all_are_those_of_the_endpoint(studio: FuturesStudio, site: Product) -> None:
    events = await told(studio, "!markPrice@arr@1s", site)
    answer = await studio.get(f"{site.prefix}/v1/premiumIndex", site=site)
    assert [(one["s"], one["p"]) for one in events] == [(one["symbol"], one["markPrice"]) for one in answer]


async def test_assets_are_worth_what_the_endpoint_says(studio: FuturesStudio) -> None:
    names = {
        "s": "symbol",
        "E": "time",
        "i": "index",
        "b": "bidBuffer",
        "a": "askBuffer",
        "B": "bidRate",
        "A": "askRate",
        "q": "autoExchangeBidBuffer",
        "g": "autoExchangeAskBuffer",
        "Q": "autoExchangeBidRate",
        "G": "autoExchangeAskRate",
    }
    events = await told(studio, "!assetIndex@arr", USDM)
    answers = await studio.get("/fapi/v1/assetIndex")
    assert len(events) == len(answers) > 2
    for event, answer in zip(events, answers, strict=True):
        # The keys of live frames of 2026-07, in their order.
        assert list(event) == ["e", "E", *(key for key in "sibaBAqgQG")]
        assert event["e"] == "assetIndexUpdate"
        same(event, answer, names)
    event = await told(studio, "btcusd@assetIndex", USDM)
    same(event, await studio.get("/fapi/v1/assetIndex", "symbol=BTCUSD"), names)
