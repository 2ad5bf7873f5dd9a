"""What the market streams of the futures sites say, against their documents and live frames.

Keys are those of the exchange's own models (binance-sdk-derivatives-trading-usds-futures 18.0.1 and
-coin-futures 14.0.0), their order and the decimal places those of live frames of 2026-08.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest

from emulator.core.commands import PriceMode, PrintTrade, SetBook, SetPrice
from emulator.exchanges.binance.futures.products import COINM, USDM, Product
from tests.exchanges.binance.futures.studio import SECOND_US, FuturesStudio
from tests.exchanges.binance.shapes import complaints, fields

pytestmark = pytest.mark.anyio

MINUTE_US = 60 * SECOND_US
HOUR_US = 60 * MINUTE_US
DAY_US = 24 * HOUR_US

LEVELS = [("s", "s")]
SUMS = "i:s f:i L:i o:s c:s h:s l:s v:s n:i x:b q:s V:s Q:s B:s"
SHAPES: dict[str, Any] = {
    "trade": fields("e:s E:i T:i s:s t:i p:s q:s X:s m:b st:i"),
    "aggTrade": fields("e:s E:i a:i s:s p:s q:s nq:s f:i l:i T:i m:b st:i"),
    "bookTicker": fields("e:s u:i s:s ps:s b:s B:s a:s A:s T:i E:i st:i"),
    "depth": fields("e:s E:i T:i s:s ps:s U:i u:i pu:i", b=LEVELS, a=LEVELS, st="i"),
    "kline": fields("e:s E:i s:s", k=fields("t:i T:i s:s " + SUMS)),
    "continuousKline": fields("e:s E:i ps:s ct:s", k=fields("t:i T:i " + SUMS)),
    "priceKline": fields("e:s E:i ps:s", k=fields("t:i T:i s:s " + SUMS)),
    "miniTicker": fields("e:s E:i s:s ps:s c:s o:s h:s l:s v:s q:s st:i"),
    "ticker": fields("e:s E:i s:s ps:s p:s P:s w:s c:s Q:s o:s h:s l:s v:s q:s O:i C:i F:i L:i n:i st:i"),
    "markPrice": fields("e:s E:i s:s p:s ap:s P:s i:s r:s T:i st:i"),
    "indexPrice": fields("e:s E:i i:s p:s"),
    "contractInfo": fields("e:s E:i s:s ps:s ct:s dt:i ot:i cs:s st:i"),
}


def keys(shape: dict[str, Any]) -> list[str]:
    return list(shape)


def looks_like(payload: Any, shape: str) -> None:
    expected = SHAPES[shape]
    if payload["e"] == "aggTrade" and payload["st"] == 2:
        expected = {key: value for key, value in expected.items() if key != "nq"}
    assert list(complaints(payload, expected)) == []
    assert keys(payload) == keys(expected)
    if "k" in expected:
        assert keys(payload["k"]) == keys(expected["k"])


def places(text: str) -> int:
    return len(text.partition(".")[2])


@pytest.fixture
async def studio(anyio_backend: str) -> AsyncIterator[FuturesStudio]:
    async with FuturesStudio().on_air() as studio:
        yield studio


async def first(
    studio: FuturesStudio, name: str, *, site: Product = USDM, step_us: int = SECOND_US, until: int = 60
) -> Any:
    """The first thing that a stream says while the clock is stepped."""
    async with studio.listen(f"/ws/{name}", site=site) as client:
        await client.ask("LIST_SUBSCRIPTIONS")
        for _ in range(until):
            await studio.step(step_us)
            # The answer comes after what was said until then.
            await client.say({"method": "GET_PROPERTY", "params": ["combined"], "id": 7})
            message = await client.next()
            if not (isinstance(message, dict) and message.get("id") == 7):
                return message
            # What is told of a step may come in a later turn of the event loop than the answer.
    raise AssertionError(f"{name} is silent")


# Trades, quotes and books


@pytest.mark.parametrize(("site", "symbol", "number"), [(USDM, "BTCUSDT", 1), (COINM, "BTCUSD_PERP", 2)])
@pytest.mark.parametrize("word", ["trade", "aggTrade"])
async def test_trades(studio: FuturesStudio, site: Product, symbol: str, number: int, word: str) -> None:
    instrument = f"{site.wallet}:{symbol}"
    async with studio.listen(f"/ws/{symbol.lower()}@{word}", site=site) as client:
        await client.ask("LIST_SUBSCRIPTIONS")
        await studio.do(
            PrintTrade(
                instrument=instrument, price=Decimal("110000"), quantity=Decimal(3), buyer_is_maker=True
            )
        )
        told = await client.next()
    looks_like(told, word)
    assert (told["s"], told["st"], told["m"]) == (symbol, number, True)
    assert told["p"] == ("110000.00" if site is USDM else "110000.0")
    assert told["q"] == ("3.000" if site is USDM else "3")
    assert told["T"] == told["E"] == studio.now_us // 1000
    trade = studio.engine.state.markets[instrument].last_print(studio.now_us)
    assert told["t" if word == "trade" else "a"] == trade.id
    if word == "aggTrade":
        assert (told["f"], told["l"]) == (trade.id, trade.id)
        assert told.get("nq") == (told["q"] if site is USDM else None)
    else:
        assert told["X"] == "MARKET"


@pytest.mark.parametrize(("site", "symbol"), [(USDM, "BTCUSDT"), (COINM, "BTCUSD_PERP")])
async def test_the_best_prices(studio: FuturesStudio, site: Product, symbol: str) -> None:
    instrument = f"{site.wallet}:{symbol}"
    async with studio.listen(f"/ws/{symbol.lower()}@bookTicker", site=site) as client:
        await client.ask("LIST_SUBSCRIPTIONS")
        await studio.do(
            SetBook(
                instrument=instrument,
                bids=((Decimal(99_999), Decimal(2)),),
                asks=((Decimal(100_001), Decimal(5)),),
            )
        )
        told = await client.next()
    looks_like(told, "bookTicker")
    assert (told["s"], told["ps"]) == (symbol, symbol.removesuffix("_PERP"))
    expected = (
        ("99999.00", "2.000", "100001.00", "5.000") if site is USDM else ("99999.0", "2", "100001.0", "5")
    )
    assert tuple(told[key] for key in "bBaA") == expected
    assert told["u"] == studio.engine.state.markets[instrument].update_id(studio.now_us)


async def test_the_best_prices_of_all_come_every_five_seconds_one_by_one(studio: FuturesStudio) -> None:
    async with studio.listen("/ws/!bookTicker") as client:
        await client.ask("LIST_SUBSCRIPTIONS")
        rest_us = 5 * SECOND_US - studio.now_us % (5 * SECOND_US)
        await studio.step(rest_us - 1)
        await client.ask("LIST_SUBSCRIPTIONS")
        await studio.step(1)
        told = [await client.next() for _ in range(3)]
    for one in told:
        looks_like(one, "bookTicker")
        assert one["E"] == studio.now_us // 1000
    symbols = [one["s"] for one in told]
    assert len(set(symbols)) == 3
    assert "BTCUSDT" in symbols


async def test_a_partial_book_is_an_event_like_a_difference(studio: FuturesStudio) -> None:
    instrument = "usdm:BTCUSDT"
    await studio.do(
        SetBook(
            instrument=instrument,
            bids=tuple((Decimal(100_000 - step), Decimal(1 + step)) for step in range(7)),
            asks=tuple((Decimal(100_001 + step), Decimal(1 + step)) for step in range(3)),
        )
    )
    told = await first(studio, "btcusdt@depth5@100ms", step_us=100_000)
    looks_like(told, "depth")
    assert (told["e"], told["s"], told["ps"], told["st"]) == ("depthUpdate", "BTCUSDT", "BTCUSDT", 1)
    assert told["b"] == [[f"{100_000 - step}.00", f"{1 + step}.000"] for step in range(5)]
    assert told["a"] == [[f"{100_001 + step}.00", f"{1 + step}.000"] for step in range(3)]
    assert told["pu"] < told["U"] <= told["u"]


async def test_levels_that_are_gone_have_as_many_places_as_others(studio: FuturesStudio) -> None:
    for site, symbol, zero in ((USDM, "BTCUSDT", "0.000"), (COINM, "BTCUSD_PERP", "0")):
        instrument = f"{site.wallet}:{symbol}"
        sides = {"asks": ((Decimal(100_001), Decimal(1)),)}
        await studio.do(SetBook(instrument=instrument, bids=((Decimal(99_000), Decimal(1)),), **sides))
        async with studio.listen(f"/ws/{symbol.lower()}@depth", site=site) as client:
            await client.ask("LIST_SUBSCRIPTIONS")
            await studio.do(SetBook(instrument=instrument, bids=((Decimal(99_500), Decimal(1)),), **sides))
            told = await client.next()
        looks_like({**told, "a": [["", ""]]}, "depth")
        assert [quantity for price, quantity in told["b"] if price.startswith("99000")] == [zero]
        assert told["a"] == []


# Klines


@pytest.mark.parametrize(("site", "symbol"), [(USDM, "BTCUSDT"), (COINM, "BTCUSD_PERP")])
async def test_klines_are_sums_of_the_trades(studio: FuturesStudio, site: Product, symbol: str) -> None:
    instrument, open_us = f"{site.wallet}:{symbol}", studio.now_us - studio.now_us % MINUTE_US + MINUTE_US
    async with studio.listen(f"/ws/{symbol.lower()}@kline_1m", site=site) as client:
        await client.ask("LIST_SUBSCRIPTIONS")
        await studio.step(open_us + MINUTE_US - studio.now_us)
        told = await client.next()
        while not told["k"]["x"] or told["k"]["t"] != open_us // 1000:
            told = await client.next()
    looks_like(told, "kline")
    kline, market = told["k"], studio.engine.state.markets[instrument]
    assert (kline["T"], kline["s"], kline["i"]) == ((open_us + MINUTE_US) // 1000 - 1, symbol, "1m")
    count = kline["L"] - kline["f"] + 1
    trades = market.trades(kline["f"], count, studio.now_us)
    assert len(trades) == count == kline["n"]
    assert all(open_us <= trade.time_us < open_us + MINUTE_US for trade in trades)
    assert Decimal(kline["o"]) == trades[0].price
    assert Decimal(kline["c"]) == trades[-1].price
    assert Decimal(kline["h"]) == max(trade.price for trade in trades)
    assert Decimal(kline["v"]) == sum(trade.quantity for trade in trades)
    taken = [trade for trade in trades if not trade.buyer_is_maker]
    assert Decimal(kline["V"]) == sum(trade.quantity for trade in taken)
    if site is USDM:
        assert Decimal(kline["q"]) == sum(trade.price * trade.quantity for trade in trades)
        assert (places(kline["o"]), places(kline["v"]), places(kline["q"])) == (2, 3, 5)
    else:
        # Each contract stands for 100 USD.
        coins = sum(100 * trade.quantity / trade.price for trade in trades)
        assert abs(Decimal(kline["q"]) / coins - 1) < Decimal("0.000001")
        assert (places(kline["o"]), places(kline["v"]), places(kline["q"])) == (1, 0, 8)


async def test_a_continuous_kline_is_that_of_the_contract_of_its_type(studio: FuturesStudio) -> None:
    names = [
        "btcusdt@kline_1m",
        "btcusdt_perpetual@continuousKline_1m",
        "btcusdt_260925@kline_1m",
        "btcusdt_current_quarter@continuousKline_1m",
        "btcusdt_261225@kline_1m",
        "btcusdt_next_quarter@continuousKline_1m",
    ]
    told: dict[str, Any] = {}
    async with studio.listen("/stream?streams=" + "/".join(names)) as client:
        await client.ask("LIST_SUBSCRIPTIONS")
        await studio.step(MINUTE_US)
        while len(told) < len(names):
            message = await client.next()
            if message["data"]["k"]["x"]:
                told[message["stream"]] = message["data"]
    types = ("PERPETUAL", "CURRENT_QUARTER", "NEXT_QUARTER")
    for plain, continuous, contract_type in zip(names[::2], names[1::2], types, strict=True):
        of_symbol, of_type = told[plain], told[continuous]
        looks_like(of_type, "continuousKline")
        assert (of_type["ps"], of_type["ct"]) == ("BTCUSDT", contract_type)
        ids = {"s", "f", "L"}
        same = {key: value for key, value in of_symbol["k"].items() if key not in ids}
        assert same == {key: value for key, value in of_type["k"].items() if key not in ids}
        assert of_type["k"]["f"] < of_type["k"]["L"]


@pytest.mark.parametrize("kind", ["index", "mark"])
async def test_klines_of_prices_have_one_price_of_each_second(studio: FuturesStudio, kind: str) -> None:
    open_us = studio.now_us - studio.now_us % MINUTE_US + MINUTE_US
    name = "btcusd@indexPriceKline_1m" if kind == "index" else "btcusd_perp@markPriceKline_1m"
    async with studio.listen(f"/ws/{name}", site=COINM) as client:
        await client.ask("LIST_SUBSCRIPTIONS")
        await studio.step(open_us + MINUTE_US - studio.now_us)
        told = await client.next()
        while not told["k"]["x"] or told["k"]["t"] != open_us // 1000:
            told = await client.next()
    looks_like(told, "priceKline")
    kline, marks = told["k"], studio.engine.state.markets["coinm:BTCUSD_PERP"].marks
    assert marks is not None
    price = marks.index_price if kind == "index" else marks.mark_price
    seconds = [price(open_us + second * SECOND_US) for second in range(60)]
    assert told["e"] == f"{kind}Price_kline"
    assert (told["ps"], kline["s"]) == ("BTCUSD", "0" if kind == "index" else "BTCUSD_PERP")
    assert [Decimal(kline[key]) for key in "ohlc"] == [seconds[0], max(seconds), min(seconds), seconds[-1]]
    assert (kline["n"], kline["f"], kline["L"]) == (60, kline["t"], kline["t"] + 59_000)
    assert {kline[key] for key in "vqVQB"} == {"0"}
    assert places(kline["o"]) == 8


# Tickers


@pytest.mark.parametrize(("site", "symbol"), [(USDM, "BTCUSDT"), (COINM, "BTCUSD_PERP")])
async def test_tickers_sum_the_day(studio: FuturesStudio, site: Product, symbol: str) -> None:
    market = studio.engine.state.markets[f"{site.wallet}:{symbol}"]
    told = await first(studio, f"{symbol.lower()}@ticker", site=site)
    looks_like(told, "ticker")
    # The day begins with a whole minute, so that it is up to one longer.
    begin_ms = (told["C"] - DAY_US // 1000) // 60_000 * 60_000
    assert told["O"] == begin_ms
    day = market.range(begin_ms * 1000, studio.now_us + 1)
    assert [Decimal(told[key]) for key in "ohlcv"] == [day.open, day.high, day.low, day.close, day.volume]
    assert Decimal(told["p"]) == day.close - day.open
    assert abs(Decimal(told["P"]) - (day.close - day.open) * 100 / day.open) <= Decimal("0.0005")
    assert (told["F"], told["L"], told["n"]) == (day.first, day.last, day.trades)
    assert Decimal(told["Q"]) == market.last_print(studio.now_us).quantity
    mean = day.quote_volume / day.volume
    if site is USDM:
        assert (places(told["c"]), places(told["w"]), places(told["q"]), places(told["v"])) == (2, 2, 2, 3)
        assert abs(Decimal(told["q"]) - day.quote_volume) <= Decimal("0.005")
        assert abs(Decimal(told["w"]) - mean) <= Decimal("0.005")
    else:
        assert (places(told["c"]), places(told["w"]), places(told["q"]), places(told["v"])) == (1, 8, 1, 0)
        assert abs(Decimal(told["q"]) - 100 * day.volume / mean) <= Decimal("0.05")
    mini = await first(studio, f"{symbol.lower()}@miniTicker", site=site)
    looks_like(mini, "miniTicker")
    assert (mini["s"], mini["ps"]) == (symbol, told["ps"])


@pytest.mark.parametrize(("name", "shape"), [("!ticker@arr", "ticker"), ("!miniTicker@arr", "miniTicker")])
@pytest.mark.parametrize("site", [USDM, COINM])
async def test_tickers_of_all_are_of_the_sites_own_contracts_that_changed(
    studio: FuturesStudio, name: str, shape: str, site: Product
) -> None:
    told = await first(studio, name, site=site, step_us=10 * SECOND_US)
    for one in told:
        looks_like(one, shape)
    symbols = [one["s"] for one in told]
    assert set(symbols) <= set(site.listings)
    assert all(site.listings[symbol].is_listed(studio.now_us) for symbol in symbols)
    assert len(symbols) == len(set(symbols)) > 1


# Marks


@pytest.mark.parametrize(
    ("site", "symbol", "pair"),
    [(USDM, "BTCUSDT", "BTCUSDT"), (COINM, "BTCUSD_PERP", "BTCUSD"), (COINM, "BTCUSD_260925", "BTCUSD")],
)
async def test_mark_prices_are_the_cores(
    studio: FuturesStudio, site: Product, symbol: str, pair: str
) -> None:
    marks = studio.engine.state.markets[f"{site.wallet}:{symbol}"].marks
    assert marks is not None
    told = await first(studio, f"{symbol.lower()}@markPrice@1s", site=site)
    looks_like(told, "markPrice")
    now_us = studio.now_us
    assert (told["s"], told["E"]) == (symbol, now_us // 1000)
    assert Decimal(told["p"]) == Decimal(told["ap"]) == marks.mark_price(now_us)
    assert Decimal(told["i"]) == marks.index_price(now_us)
    assert {places(told[key]) for key in ("p", "ap", "P", "i")} == {8}
    if symbol.endswith("_260925"):
        assert (told["r"], told["T"]) == ("", 0)
    else:
        assert Decimal(told["r"]) == marks.predicted_rate(now_us)
        # Every eight hours from midnight.
        assert told["T"] == (now_us // (8 * HOUR_US) + 1) * 8 * HOUR_US // 1000
        assert places(told["r"]) == 8
    index = await first(studio, f"{pair.lower()}@indexPrice@1s", site=site)
    looks_like(index, "indexPrice")
    assert (index["e"], index["i"]) == ("indexPriceUpdate", pair)
    assert Decimal(index["p"]) == marks.index_price(studio.now_us)


async def test_a_price_that_is_held_is_mark_index_and_settlement(studio: FuturesStudio) -> None:
    await studio.do(SetPrice(pair="BTC/USDT", price=Decimal(90_000), mode=PriceMode.HOLD))
    await studio.step(2 * HOUR_US)
    told = await first(studio, "btcusdt@markPrice@1s")
    assert told["p"] == told["i"] == told["P"] == "90000.00000000"


async def test_mark_prices_come_every_three_seconds_or_every_second(studio: FuturesStudio) -> None:
    names = ["btcusdt@markPrice", "btcusdt@markPrice@1s", "!markPrice@arr"]
    counts = dict.fromkeys(names, 0)
    await studio.step(3 * SECOND_US - studio.now_us % (3 * SECOND_US))
    async with studio.listen("/stream?streams=" + "/".join(names)) as client:
        await client.ask("LIST_SUBSCRIPTIONS")
        for second in range(1, 7):
            await studio.step(SECOND_US)
            for _ in range(3 if second % 3 == 0 else 1):
                counts[(await client.next())["stream"]] += 1
    assert counts == {"btcusdt@markPrice": 2, "btcusdt@markPrice@1s": 6, "!markPrice@arr": 2}


async def test_mark_prices_of_a_pair_are_those_of_its_contracts(studio: FuturesStudio) -> None:
    told = await first(studio, "btcusd@markPrice@1s", site=COINM)
    for one in told:
        looks_like(one, "markPrice")
    assert [one["s"] for one in told] == ["BTCUSD_PERP", "BTCUSD_260925", "BTCUSD_261225"]


# What becomes of contracts


DELIVERY_US = 1_790_323_200 * SECOND_US
"""2026-09-25 08:00 UTC, the last Friday of September."""


@pytest.fixture
async def eve(anyio_backend: str) -> AsyncIterator[FuturesStudio]:
    """Two seconds before a delivery."""
    async with FuturesStudio(now_us=DELIVERY_US - 2 * SECOND_US).on_air() as studio:
        yield studio


async def test_a_delivery_is_told_with_what_it_makes_of_other_contracts(eve: FuturesStudio) -> None:
    async with eve.listen("/ws/!contractInfo") as client:
        await client.ask("LIST_SUBSCRIPTIONS")
        await eve.step(2 * SECOND_US - 1)
        await client.ask("LIST_SUBSCRIPTIONS")
        await eve.step(1)
        told = {}
        # Three of each pair that has contracts with a delivery.
        pairs = {one.pair for one in USDM.listings.values() if not one.is_perpetual}
        for _ in range(3 * len(pairs)):
            one = await client.next()
            looks_like(one, "contractInfo")
            told[one["s"]] = one
        for shown in (await eve.get("/fapi/v1/exchangeInfo"))["symbols"]:
            if shown["symbol"] in told:
                one = told[shown["symbol"]]
                assert (one["ct"], one["cs"]) == (shown["contractType"], shown["status"])
                assert (one["dt"], one["ot"]) == (shown["deliveryDate"], shown["onboardDate"])
        await eve.step(HOUR_US)
        last = [await client.next() for _ in pairs]
    assert {(one["s"], one["cs"]) for one in last} == {(f"{pair}_260925", "DELIVERED") for pair in pairs}
    of_bitcoin = {symbol: one for symbol, one in told.items() if symbol.startswith("BTCUSDT_")}
    assert {symbol: (one["ct"], one["cs"]) for symbol, one in of_bitcoin.items()} == {
        "BTCUSDT_260925": ("CURRENT_QUARTER DELIVERING", "DELIVERING"),
        "BTCUSDT_261225": ("CURRENT_QUARTER", "TRADING"),
        "BTCUSDT_270326": ("NEXT_QUARTER", "TRADING"),
    }
    assert told["BTCUSDT_260925"]["dt"] == DELIVERY_US // 1000
    assert told["BTCUSDT_270326"]["ot"] == DELIVERY_US // 1000


async def test_a_contract_that_was_delivered_says_nothing_more(eve: FuturesStudio) -> None:
    names = ("btcusdt_260925@markPrice@1s", "btcusdt@markPrice@1s")
    told = []
    async with eve.listen("/stream?streams=" + "/".join(names)) as client:
        await client.ask("LIST_SUBSCRIPTIONS")
        for count in (2, 1, 1):
            await eve.step(SECOND_US)
            told.append({(await client.next())["stream"] for _ in range(count)})
        await eve.step(SECOND_US)
        told.append({(await client.next())["stream"]})
    assert told == [set(names), {names[1]}, {names[1]}, {names[1]}]
