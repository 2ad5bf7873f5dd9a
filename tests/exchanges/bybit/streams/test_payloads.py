"""Frames of topics, member by member and in order, as the documents' examples have them."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest

from emulator.core.commands import Deposit, PrintTrade, SetBook, SetPrice
from emulator.core.instruments import Side
from emulator.exchanges.bybit.categories import LINEAR
from tests.exchanges.bybit.station import NOW_US, SECOND_US, Station

pytestmark = pytest.mark.anyio

NOW_MS = NOW_US // 1000

PERPETUAL = """symbol tickDirection price24hPcnt lastPrice prevPrice24h highPrice24h lowPrice24h prevPrice1h
    markPrice indexPrice openInterest openInterestValue singleOpenInterest singleOpenInterestValue turnover24h
    volume24h fundingIntervalHour fundingCap nextFundingTime fundingRate bid1Price bid1Size ask1Price ask1Size
    preOpenPrice preQty curPreListingPhase""".split()
"""The example "LinearPerpetual" of "Ticker", with the two members that its table has beside."""

DATED = [
    *PERPETUAL[: PERPETUAL.index("fundingIntervalHour")],
    *"deliveryTime basisRate deliveryFeeRate predictedDeliveryPrice basis basisRateYear".split(),
    *"nextFundingTime fundingRate bid1Price bid1Size ask1Price ask1Size".split(),
]
"""The example "LinearFutures", of a contract that settles in USDC."""

PAIR = """symbol lastPrice highPrice24h lowPrice24h prevPrice24h volume24h turnover24h price24hPcnt
    usdIndexPrice""".split()


@pytest.fixture
async def station(anyio_backend: str) -> AsyncIterator[Station]:
    async with Station().on_air() as station:
        yield station


def levels(*rows: tuple[str, str]) -> tuple[tuple[Decimal, Decimal], ...]:
    return tuple((Decimal(price), Decimal(quantity)) for price, quantity in rows)


async def set_book(station: Station, instrument: str) -> None:
    bids, asks = levels(("60000", "1.25"), ("59999.9", "2")), levels(("60000.1", "3"), ("60001", "0.5"))
    await station.do(SetBook(instrument=instrument, bids=bids, asks=asks))


async def first(station: Station, path: str, topic: str) -> Any:
    async with station.listen(path) as client:
        await client.join(topic)
        return await client.told(topic)


async def test_a_book_of_contracts(station: Station) -> None:
    await set_book(station, "linear:BTCUSDT")
    async with station.listen("/v5/public/linear") as client:
        await client.join("orderbook.50.BTCUSDT")
        snapshot = await client.told("orderbook.50.BTCUSDT")
        number = snapshot["data"]["u"]
        assert list(snapshot) == ["topic", "type", "ts", "data", "cts"]
        assert list(snapshot["data"]) == ["s", "b", "a", "u", "seq"]
        assert snapshot["data"]["b"] == [["60000.00", "1.250"], ["59999.90", "2.000"]]
        assert snapshot["data"]["a"] == [["60000.10", "3.000"], ["60001.00", "0.500"]]
        assert (snapshot["type"], snapshot["ts"], snapshot["cts"]) == ("snapshot", NOW_MS, NOW_MS)
        await station.do(station.order("linear:BTCUSDT", Side.BUY, "3", "60000.1"))
        delta = await client.told("orderbook.50.BTCUSDT")
        assert list(delta) == ["topic", "type", "ts", "data", "cts"]
        assert (delta["type"], delta["data"]["u"]) == ("delta", number + 1)
        # What is gone is "0", without places.
        assert (delta["data"]["b"], delta["data"]["a"]) == ([], [["60000.10", "0"]])


async def test_the_best_of_contracts_is_told_without_zeros_at_the_end(station: Station) -> None:
    await set_book(station, "linear:BTCUSDT")
    frame = await first(station, "/v5/public/linear", "orderbook.1.BTCUSDT")
    assert list(frame) == ["topic", "ts", "type", "data", "cts"]
    assert (frame["data"]["b"], frame["data"]["a"]) == ([["60000", "1.25"]], [["60000.1", "3"]])


async def test_a_book_of_pairs_has_its_time_first(station: Station) -> None:
    await set_book(station, "spot:BTCUSDT")
    frame = await first(station, "/v5/public/spot", "orderbook.200.BTCUSDT")
    assert list(frame) == ["topic", "ts", "type", "data", "cts"]
    assert frame["data"]["b"] == [["60000", "1.25"], ["59999.9", "2"]]


@pytest.mark.parametrize(
    ("path", "members"),
    [
        ("/v5/public/linear", "T s S v p L i BT RPI seq"),
        ("/v5/public/spot", "T s S v p i BT RPI seq"),
    ],
)
async def test_trades(station: Station, path: str, members: str) -> None:
    category = path.rpartition("/")[2]
    instrument = f"{category}:BTCUSDT"
    await set_book(station, instrument)
    topic = "publicTrade.BTCUSDT"
    async with station.listen(path) as client:
        await client.join(topic)
        told = []
        for price in ("60000", "60000.1", "60000.1", "60000", "60000"):
            await station.do(
                PrintTrade(
                    instrument=instrument,
                    price=Decimal(price),
                    quantity=Decimal("0.5"),
                    buyer_is_maker=price == "60000",
                )
            )
            frame = await client.told(topic)
            assert list(frame) == ["topic", "type", "ts", "data"]
            told += frame["data"]
        assert all(list(trade) == members.split() for trade in told)
        assert [trade["S"] for trade in told] == ["Sell", "Buy", "Buy", "Sell", "Sell"]
        if category == "linear":
            assert [trade["L"] for trade in told][1:] == [
                "PlusTick",
                "ZeroPlusTick",
                "MinusTick",
                "ZeroMinusTick",
            ]
            assert all(re.fullmatch(r"[0-9a-f-]{36}", trade["i"]) for trade in told)
            assert told[0]["v"] == "0.500"
        assert all((trade["BT"], trade["RPI"], trade["T"]) == (False, False, NOW_MS) for trade in told)


async def test_trades_of_one_look_come_in_one_frame(station: Station) -> None:
    async with station.listen("/v5/public/linear") as client:
        await client.join("publicTrade.BTCUSDT")
        await station.step(600 * SECOND_US)
        (frame,) = await client.rest()
        assert 1 < len(frame["data"]) <= 1024


async def test_a_ticker_of_perpetuals(station: Station) -> None:
    async with station.listen("/v5/public/linear") as client:
        await client.join("tickers.BTCUSDT")
        snapshot = await client.told("tickers.BTCUSDT")
        assert list(snapshot) == ["topic", "type", "data", "cs", "ts"]
        assert list(snapshot["data"]) == PERPETUAL
        assert all(isinstance(value, str) for value in snapshot["data"].values())
        assert (snapshot["type"], snapshot["ts"]) == ("snapshot", NOW_MS)
        await set_book(station, "linear:BTCUSDT")
        delta = await client.told("tickers.BTCUSDT")
        assert list(delta) == ["topic", "type", "data", "cs", "ts"]
        assert delta["type"] == "delta"
        assert (
            delta["data"].items()
            >= {
                "symbol": "BTCUSDT",
                "bid1Price": "60000.00",
                "bid1Size": "1.250",
                "ask1Price": "60000.10",
                "ask1Size": "3.000",
            }.items()
        )
        assert "nextFundingTime" not in delta["data"]


async def test_a_ticker_of_pairs_is_always_whole_and_has_no_bid(station: Station) -> None:
    async with station.listen("/v5/public/spot") as client:
        await client.join("tickers.BTCUSDT")
        frames = [await client.told("tickers.BTCUSDT")]
        await station.step(60 * SECOND_US)
        frames.append(await client.told("tickers.BTCUSDT"))
        for frame in frames:
            assert list(frame) == ["topic", "ts", "type", "cs", "data"]
            assert frame["type"] == "snapshot"
            assert list(frame["data"]) == PAIR


async def test_a_ticker_of_dated_contracts(station: Station) -> None:
    listing = next(
        one
        for one in LINEAR.listings.values()
        if one.delivery_us is not None and one.settle == "USDC" and one.is_listed(NOW_US)
    )
    frame = await first(station, "/v5/public/linear", f"tickers.{listing.symbol}")
    assert list(frame["data"]) == DATED
    assert re.fullmatch(r"20[0-9]{2}-[0-9]{2}-[0-9]{2}T08:00:00Z", frame["data"]["deliveryTime"])
    assert (frame["data"]["nextFundingTime"], frame["data"]["fundingRate"]) == ("", "")


async def test_after_its_delivery_nothing_is_told_of_a_contract(station: Station) -> None:
    listing = next(
        one
        for one in LINEAR.listings.values()
        if one.delivery_us is not None
        and one.is_listed(NOW_US)
        and one.is_listed(NOW_US + 86_400 * SECOND_US)
    )
    assert listing.delivery_us is not None
    symbol = listing.symbol
    topics = [f"{word}.{symbol}" for word in ("tickers", "publicTrade", "orderbook.50", "kline.1")]
    async with station.listen("/v5/public/linear") as client:
        await client.join(*topics)
        await station.step(3_600 * SECOND_US)
        assert {frame["topic"] for frame in await client.rest()} == set(topics)
        await station.step(listing.delivery_us - station.now_us)
        await client.rest()
        await station.step(3_600 * SECOND_US)
        assert await client.rest() == []
        await client.ask("unsubscribe", *topics)
        answer = await client.ask("subscribe", topics[0])
        assert answer["ret_msg"] == f"error:handler not found,topic:{topics[0]}"


async def test_a_kline(station: Station) -> None:
    async with station.listen("/v5/public/linear") as client:
        await client.join("kline.5.BTCUSDT")
        await station.step(10 * SECOND_US)
        frame = await client.told("kline.5.BTCUSDT")
        assert list(frame) == ["topic", "data", "ts", "type"]
        (kline,) = frame["data"]
        members = "start end interval open close high low volume turnover confirm timestamp".split()
        assert list(kline) == members
        # The five minutes from 14:15:00.
        opens_ms = NOW_MS - NOW_MS % 300_000
        assert (kline["start"], kline["end"]) == (opens_ms, opens_ms + 299_999)
        assert (kline["interval"], kline["confirm"]) == ("5", False)


async def test_a_kline_is_confirmed_once(station: Station) -> None:
    async with station.listen("/v5/public/linear") as client:
        await client.join("kline.1.BTCUSDT")
        confirmed = []
        for _ in range(30):
            await station.step(4 * SECOND_US)
            confirmed += [
                frame["data"][0]["start"] for frame in await client.rest() if frame["data"][0]["confirm"]
            ]
        # From 14:15:23 to 14:17:23 two minutes end.
        opens_ms = NOW_MS - NOW_MS % 60_000
        assert confirmed == [opens_ms, opens_ms + 60_000]


async def test_a_price_limit(station: Station) -> None:
    frame = await first(station, "/v5/public/linear", "priceLimit.BTCUSDT")
    assert list(frame) == ["topic", "data", "ts"]
    assert list(frame["data"]) == ["symbol", "buyLmt", "sellLmt"]
    assert Decimal(frame["data"]["sellLmt"]) < Decimal(frame["data"]["buyLmt"])


@pytest.mark.parametrize("is_long", [True, False])
async def test_a_liquidation_tells_side_and_bankruptcy_price_of_the_position(
    station: Station, is_long: bool
) -> None:
    """By hand: 0.05 at 60,000 out of 1,000 USDT, of which 3,000 x 0.055 % = 1.65 is the fee. Closing leaves
    nothing of 998.35 at (3,000 - 998.35) / (0.05 * 0.99945) = 40,055.03..., or, short, at
    (3,000 + 998.35) / (0.05 * 1.00055) = 79,923.04...; either to the side on which something is left.
    """
    account = await station.sandbox.open_account("poor")
    await station.do(
        Deposit(account=account, wallet="unified", asset="USDT", amount=Decimal(1000), reference="")
    )
    bid, ask = ("59999.9", "60000") if is_long else ("60000", "60000.1")
    bids, asks = levels((bid, "10")), levels((ask, "10"))
    await station.do(SetPrice(pair="BTC/USDT", price=Decimal(60_000)))
    await station.do(SetBook(instrument="linear:BTCUSDT", bids=bids, asks=asks))
    side = Side.BUY if is_long else Side.SELL
    await station.do(station.order("linear:BTCUSDT", side, "0.05", "60000", "poor"))
    async with station.listen("/v5/public/linear") as client:
        await client.join("allLiquidation.BTCUSDT", "allLiquidation.ETHUSDT")
        await station.do(SetPrice(pair="BTC/USDT", price=Decimal(40_000 if is_long else 80_000)))
        await station.step(2 * SECOND_US)
        (frame,) = await client.rest()
        assert list(frame) == ["topic", "type", "ts", "data"]
        assert (frame["topic"], frame["type"]) == ("allLiquidation.BTCUSDT", "snapshot")
        (told,) = frame["data"]
        assert list(told) == ["T", "s", "S", "v", "p"]
        assert (told["s"], told["v"]) == ("BTCUSDT", "0.05")
        assert told["S"] == ("Buy" if is_long else "Sell")
        assert told["p"] == ("40055.10" if is_long else "79923.00")
        assert NOW_MS <= told["T"] <= frame["ts"]
