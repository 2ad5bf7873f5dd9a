"""Names of the futures sites' market streams: what is one, and what it says."""

from __future__ import annotations

import pytest

from emulator.exchanges.binance.futures.products import COINM, USDM, Product
from emulator.exchanges.binance.futures.streams.channels import channels
from emulator.exchanges.binance.futures.streams.hub import sources_of
from emulator.exchanges.binance.futures.streams.names import (
    MARKET,
    PUBLIC,
    Stream,
    StreamKind,
    parse_stream,
)
from emulator.exchanges.binance.streams.control import is_well_formed

K = StreamKind
MS = 1000
S = 1_000_000


def named(text: str, site: Product = USDM) -> Stream:
    stream = parse_stream(site, text)
    assert stream is not None, text
    assert stream.name == text
    return stream


@pytest.mark.parametrize(
    ("text", "kind", "instrument", "pace_us", "route"),
    [
        # "Update Speed" of each page of the documents.
        ("btcusdt@aggTrade", K.AGGREGATE_TRADE, "usdm:BTCUSDT", 100 * MS, MARKET),
        ("btcusdt@trade", K.TRADE, "usdm:BTCUSDT", 0, PUBLIC),
        ("btcusdt@bookTicker", K.BOOK_TICKER, "usdm:BTCUSDT", 0, PUBLIC),
        ("!bookTicker", K.BOOK_TICKERS, None, 5 * S, PUBLIC),
        ("btcusdt@depth", K.DEPTH, "usdm:BTCUSDT", 250 * MS, PUBLIC),
        ("btcusdt@depth@100ms", K.DEPTH, "usdm:BTCUSDT", 100 * MS, PUBLIC),
        ("btcusdt@depth@250ms", K.DEPTH, "usdm:BTCUSDT", 250 * MS, PUBLIC),
        ("btcusdt@depth@500ms", K.DEPTH, "usdm:BTCUSDT", 500 * MS, PUBLIC),
        ("btcusdt@depth10", K.PARTIAL_DEPTH, "usdm:BTCUSDT", 250 * MS, PUBLIC),
        ("btcusdt@depth20@100ms", K.PARTIAL_DEPTH, "usdm:BTCUSDT", 100 * MS, PUBLIC),
        ("btcusdt@rpiDepth@500ms", K.RETAIL_DEPTH, "usdm:BTCUSDT", 500 * MS, PUBLIC),
        ("btcusdt@kline_1m", K.KLINE, "usdm:BTCUSDT", 250 * MS, MARKET),
        ("btcusdt@markPriceKline_1d", K.MARK_KLINE, "usdm:BTCUSDT", 250 * MS, MARKET),
        ("btcusdt@miniTicker", K.MINI_TICKER, "usdm:BTCUSDT", 2 * S, MARKET),
        ("btcusdt@ticker", K.TICKER, "usdm:BTCUSDT", 2 * S, MARKET),
        ("btcusd_perp@miniTicker", K.MINI_TICKER, "coinm:BTCUSD_PERP", 500 * MS, MARKET),
        ("btcusd_perp@ticker", K.TICKER, "coinm:BTCUSD_PERP", 500 * MS, MARKET),
        ("!miniTicker@arr", K.MINI_TICKERS, None, S, MARKET),
        ("!ticker@arr", K.TICKERS, None, S, MARKET),
        ("btcusdt@markPrice", K.MARK_PRICE, "usdm:BTCUSDT", 3 * S, MARKET),
        ("btcusdt@markPrice@1s", K.MARK_PRICE, "usdm:BTCUSDT", S, MARKET),
        ("btcusdt_260925@markPrice", K.MARK_PRICE, "usdm:BTCUSDT_260925", 3 * S, MARKET),
        ("!markPrice@arr", K.MARK_PRICES, None, 3 * S, MARKET),
        ("!markPrice@arr@1s", K.MARK_PRICES, None, S, MARKET),
        ("btcusdt@forceOrder", K.FORCED_ORDER, "usdm:BTCUSDT", S, MARKET),
        ("!forceOrder@arr", K.FORCED_ORDERS, None, S, MARKET),
        ("!contractInfo", K.CONTRACT_INFO, None, 0, MARKET),
        ("defiusdt@compositeIndex", K.COMPOSITE_INDEX, None, S, MARKET),
        ("!assetIndex@arr", K.ASSET_INDICES, None, S, MARKET),
        ("tradingSession", K.TRADING_SESSION, None, S, MARKET),
        ("nosuchusdt@trade", K.TRADE, None, 0, PUBLIC),
    ],
)
@pytest.mark.parametrize("site", [USDM, COINM])
def test_a_name_says_what_is_told(
    site: Product, text: str, kind: StreamKind, instrument: str | None, pace_us: int, route: str
) -> None:
    stream = named(text, site)
    assert (stream.kind, stream.instrument, stream.pace_us, stream.route) == (
        kind,
        instrument,
        pace_us,
        route,
    )


def test_what_a_pair_is_told_of() -> None:
    marks = named("btcusd@markPrice@1s", COINM)
    assert (marks.kind, marks.pair, marks.product, marks.pace_us) == (K.PAIR_MARK_PRICES, "BTCUSD", COINM, S)
    index = named("btcusd@indexPrice", COINM)
    assert (index.kind, index.pair, index.pace_us) == (K.INDEX_PRICE, "BTCUSD", 3 * S)
    kline = named("btcusd@indexPriceKline_1M", COINM)
    assert (kline.kind, kline.pair, kline.interval) == (K.INDEX_KLINE, "BTCUSD", "1M")
    # A pair that is the symbol of its perpetual as well is the symbol.
    assert named("btcusdt@markPrice").kind is K.MARK_PRICE


@pytest.mark.parametrize(
    ("text", "pair", "contract_type", "interval", "product"),
    [
        ("btcusdt_perpetual@continuousKline_1m", "BTCUSDT", "PERPETUAL", "1m", USDM),
        ("btcusd_next_quarter@continuousKline_1d", "BTCUSD", "NEXT_QUARTER", "1d", COINM),
        ("btcusdt_current_quarter@continuousKline_15m", "BTCUSDT", "CURRENT_QUARTER", "15m", USDM),
        ("btcusdt_perpetual@continuousKline_1s", "BTCUSDT", "PERPETUAL", "1s", USDM),
    ],
)
def test_a_continuous_kline_is_of_a_pair_and_a_type(
    text: str, pair: str, contract_type: str, interval: str, product: Product
) -> None:
    stream = named(text)
    assert stream.kind is K.CONTINUOUS_KLINE
    assert (stream.pair, stream.contract_type, stream.interval) == (pair, contract_type, interval)
    assert stream.product is product


@pytest.mark.parametrize(
    "text",
    [
        "BTCUSDT@trade",
        "btcusdt",
        "btcusdt@",
        "@trade",
        "btcusdt@nosuch",
        "btcusdt@depth7",
        "btcusdt@depth@1000ms",
        "btcusdt@rpiDepth",
        "btcusdt@kline_1s",
        "btcusdt@kline_7m",
        "btcusdt@markPrice@3s",
        "btcusdt@avgPrice",
        "btcusdt_weekly@continuousKline_1m",
        "btcusdt_perpetual@continuousKline_7m",
        "!nosuch@arr",
        "!markPrice@arr@3s",
        "x" * 101 + "@trade",
    ],
)
def test_what_is_not_a_name_names_nothing(text: str) -> None:
    assert parse_stream(USDM, text) is None


@pytest.mark.parametrize("site", [USDM, COINM])
def test_every_channel_is_a_stream_and_every_kind_of_stream_is_listed(site: Product) -> None:
    kinds = set()
    for channel in channels(site):
        name = channel.name
        if "<symbol>" in name:
            name = name.replace("<symbol>", "btcusdt")
        name = name.replace("<pair>", "btcusd").replace("<contractType>", "perpetual")
        name = name.replace("<interval>", "1m").replace("<levels>", "5").replace("<asset>", "btcusd")
        assert is_well_formed(name)
        kinds.add(named(name, site).kind)
    assert set(StreamKind) - kinds <= ({K.PAIR_MARK_PRICES} if site is USDM else set())


@pytest.mark.parametrize("site", [USDM, COINM])
def test_every_kind_that_is_not_silent_has_a_source(site: Product) -> None:
    silent = {K.COMPOSITE_INDEX, K.TRADING_SESSION}
    assert set(StreamKind) - set(sources_of(site, is_merged=False)) == silent
