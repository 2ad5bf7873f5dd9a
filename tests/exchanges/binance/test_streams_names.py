"""Names of streams: every documented form is understood, and nothing else is."""

from __future__ import annotations

import pytest

from emulator.exchanges.binance.spot.streams.names import Stream, StreamKind, parse_stream

TENTH_US, SECOND_US, HOUR_US = 100_000, 1_000_000, 3_600_000_000

INTERVALS = "1s 1m 3m 5m 15m 30m 1h 2h 4h 6h 8h 12h 1d 3d 1w 1M".split()
"""web-socket-streams.md, "Kline/Candlestick chart intervals"."""


@pytest.mark.parametrize(
    ("name", "kind", "pace_us"),
    [
        ("bnbbtc@trade", StreamKind.TRADE, 0),
        ("bnbbtc@aggTrade", StreamKind.AGGREGATE_TRADE, 0),
        ("bnbbtc@blockTrade", StreamKind.BLOCK_TRADE, 0),
        ("bnbbtc@bookTicker", StreamKind.BOOK_TICKER, 0),
        ("bnbbtc@miniTicker", StreamKind.MINI_TICKER, SECOND_US),
        ("bnbbtc@ticker", StreamKind.TICKER, SECOND_US),
        ("bnbbtc@avgPrice", StreamKind.AVERAGE_PRICE, SECOND_US),
        ("bnbbtc@referencePrice", StreamKind.REFERENCE_PRICE, SECOND_US),
        ("bnbbtc@depth", StreamKind.DEPTH, SECOND_US),
        ("bnbbtc@depth@100ms", StreamKind.DEPTH, TENTH_US),
        ("bnbbtc@depth@1000ms", StreamKind.DEPTH, SECOND_US),
    ],
)
def test_a_stream_of_one_symbol(name: str, kind: StreamKind, pace_us: int) -> None:
    assert parse_stream(name) == Stream(name, kind, "BNBBTC", pace_us=pace_us)


@pytest.mark.parametrize("levels", [5, 10, 20])
@pytest.mark.parametrize(
    ("suffix", "pace_us"), [("", SECOND_US), ("@100ms", TENTH_US), ("@1000ms", SECOND_US)]
)
def test_a_partial_book(levels: int, suffix: str, pace_us: int) -> None:
    name = f"bnbbtc@depth{levels}{suffix}"
    expected = Stream(name, StreamKind.PARTIAL_DEPTH, "BNBBTC", levels=levels, pace_us=pace_us)
    assert parse_stream(name) == expected


@pytest.mark.parametrize("interval", INTERVALS)
@pytest.mark.parametrize(("suffix", "offset_us"), [("", 0), ("@+08:00", 8 * HOUR_US)])
def test_klines(interval: str, suffix: str, offset_us: int) -> None:
    name = f"bnbbtc@kline_{interval}{suffix}"
    pace_us = SECOND_US if interval == "1s" else 2 * SECOND_US
    expected = Stream(
        name, StreamKind.KLINE, "BNBBTC", interval=interval, offset_us=offset_us, pace_us=pace_us
    )
    assert parse_stream(name) == expected


@pytest.mark.parametrize("window", ["1h", "4h", "1d"])
def test_rolling_windows(window: str) -> None:
    for name, kind, symbol in (
        (f"bnbbtc@ticker_{window}", StreamKind.WINDOW_TICKER, "BNBBTC"),
        (f"!ticker_{window}@arr", StreamKind.WINDOW_TICKERS, None),
    ):
        assert parse_stream(name) == Stream(name, kind, symbol, interval=window, pace_us=SECOND_US)


@pytest.mark.parametrize(
    ("name", "kind", "pace_us"),
    [
        ("!miniTicker@arr", StreamKind.MINI_TICKERS, SECOND_US),
        ("!miniTicker@arr@1000ms", StreamKind.MINI_TICKERS, SECOND_US),
        ("!miniTicker@arr@3000ms", StreamKind.MINI_TICKERS, 3 * SECOND_US),
        ("!ticker@arr", StreamKind.TICKERS, SECOND_US),
    ],
)
def test_a_stream_of_all_symbols(name: str, kind: StreamKind, pace_us: int) -> None:
    assert parse_stream(name) == Stream(name, kind, None, pace_us=pace_us)


@pytest.mark.parametrize(
    "symbol", ["1000satsusdt", "4usdt", "btc_usdt-x.y", "币安人生usdt"], ids=["1000", "4", "marks", "letters"]
)
def test_a_symbol_may_be_any_that_there_could_be(symbol: str) -> None:
    """ "your request may contain a symbol name containing non-ASCII characters", General WSS information."""
    stream = parse_stream(f"{symbol}@trade")
    assert stream is not None
    assert stream.symbol == symbol.upper()


@pytest.mark.parametrize(
    "name",
    [
        "",
        "0",
        "btcusdt",
        "@trade",
        "btcusdt@",
        "BTCUSDT@trade",
        "btcUsdt@trade",
        "btcusdt@Trade",
        "btcusdt@aggtrade",
        "btcusdt@trade@100ms",
        "btcusdt@trade ",
        " btcusdt@trade",
        "btc usdt@trade",
        "btcusdt@depth1",
        "btcusdt@depth50",
        "btcusdt@depth5@",
        "btcusdt@depth@250ms",
        "btcusdt@depth@100",
        "btcusdt@depth@0ms",
        "btcusdt@kline",
        "btcusdt@kline_",
        "btcusdt@kline_2m",
        "btcusdt@kline_1H",
        "btcusdt@kline_1m@+00:00",
        "btcusdt@kline_1m@+8:00",
        "btcusdt@kline_1m@ 08:00",
        "btcusdt@ticker_2h",
        "btcusdt@ticker_1w",
        "!ticker",
        "!ticker_2h@arr",
        "!ticker_1h",
        "!ticker@arr@1000ms",
        "!miniTicker",
        "!miniTicker@arr@2000ms",
        "!bookTicker",
        "!ticker@ARR",
        "!btcusdt@trade",
        "btcusdt@trade/ethusdt@trade",
        "b" * 51 + "@trade",
        "btcusdt@kline_1m" * 1000,
        "btcusdt@depth٥",
        "btcusdt@trade\n",
    ],
)
def test_what_names_no_stream(name: str) -> None:
    assert parse_stream(name) is None
