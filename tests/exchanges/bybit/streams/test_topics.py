"""The names of public topics: exact, of what is listed, and with the pace of the documents."""

from __future__ import annotations

import pytest

from emulator.exchanges.bybit.categories import INVERSE, LINEAR, SPOT, Category
from emulator.exchanges.bybit.streams.topics import Topic, TopicKind, parse_status, parse_topic

NOW_US = 1_790_000_123_456_789
"""2026-09-21 14:15:23.456789 UTC."""


def parse(category: Category, text: str) -> Topic | None:
    return parse_topic(category, text, NOW_US)


@pytest.mark.parametrize("category", [SPOT, LINEAR, INVERSE])
@pytest.mark.parametrize(("levels", "pace_ms"), [(1, 10), (50, 20), (200, 100), (1000, 200)])
def test_books(category: Category, levels: int, pace_ms: int) -> None:
    """ "Orderbook": the depths and how often each is told."""
    symbol = "BTCUSD" if category is INVERSE else "BTCUSDT"
    topic = parse(category, f"orderbook.{levels}.{symbol}")
    assert topic is not None
    assert topic.kind is (TopicKind.BEST if levels == 1 else TopicKind.BOOK)
    assert (topic.levels, topic.pace_us) == (levels, pace_ms * 1000)
    assert (topic.engine, topic.instrument) == ("bybit", f"{category.name}:{symbol}")


@pytest.mark.parametrize(
    ("category", "text", "kind", "pace_ms"),
    [
        (SPOT, "tickers.BTCUSDT", TopicKind.TICKER, 50),
        (LINEAR, "tickers.BTCUSDT", TopicKind.TICKER, 100),
        (INVERSE, "tickers.BTCUSD", TopicKind.TICKER, 100),
        (SPOT, "publicTrade.BTCUSDT", TopicKind.TRADE, 0),
        (LINEAR, "publicTrade.BTCPERP", TopicKind.TRADE, 0),
        (SPOT, "kline.D.BTCUSDT", TopicKind.KLINE, 1000),
        (LINEAR, "allLiquidation.BTCUSDT", TopicKind.LIQUIDATION, 500),
        (SPOT, "priceLimit.BTCUSDT", TopicKind.PRICE_LIMIT, 300),
        (LINEAR, "orderbook.rpi.BTCUSDT", TopicKind.RPI_BOOK, 100),
    ],
)
def test_topics_of_a_symbol(category: Category, text: str, kind: TopicKind, pace_ms: int) -> None:
    topic = parse(category, text)
    assert topic is not None
    assert (topic.name, topic.kind, topic.pace_us) == (text, kind, pace_ms * 1000)
    assert topic.instrument == f"{category.name}:{text.rpartition('.')[2]}"


@pytest.mark.parametrize("word", "1 3 5 15 30 60 120 240 360 720 D W M".split())
def test_intervals_of_klines(word: str) -> None:
    """ "Kline", Available intervals."""
    topic = parse(LINEAR, f"kline.{word}.BTCUSDT")
    assert topic is not None
    assert topic.interval == word


@pytest.mark.parametrize(
    "text",
    [
        "",
        ".",
        "orderbook",
        "orderbook.50",
        "orderbook.50.",
        "orderbook.BTCUSDT",
        "orderbook.25.BTCUSDT",
        "orderbook.30.BTCUSDT",
        "orderbook.500.BTCUSDT",
        "orderbook.050.BTCUSDT",
        "orderbook.1000.NOPEUSDT",
        "orderbook.50.btcusdt",
        "orderbook.50.linear:BTCUSDT",
        "orderbook.full.BTCUSDT",
        "Orderbook.50.BTCUSDT",
        "publicTrade.BTC",
        "publicTrade.BTCUSD",
        "tickers",
        "tickers.",
        "kline.BTCUSDT",
        "kline.2.BTCUSDT",
        "kline.1m.BTCUSDT",
        "kline.d.BTCUSDT",
        "liquidation.BTCUSDT",
        "kline_lt.1.BTC3LUSDT",
        "adlAlert.USDT",
        "insurance.BTC",
        "order",
        "wallet",
        "system.status",
    ],
)
def test_what_names_nothing(text: str) -> None:
    """Live hosts refuse other depths, lower case and symbols of other categories."""
    assert parse(LINEAR, text) is None


@pytest.mark.parametrize("text", ["allLiquidation.BTCUSDT", "insurance.USDT", "publicTrade.BTCUSD"])
def test_pairs_have_no_topics_of_contracts(text: str) -> None:
    assert parse(SPOT, text) is None


def test_a_dated_contract_is_there_while_it_is_listed() -> None:
    symbols = [one for one in LINEAR.listings.values() if one.delivery_us is not None]
    assert symbols
    for listing in symbols:
        is_listed = listing.is_listed(NOW_US)
        assert (parse(LINEAR, f"tickers.{listing.symbol}") is not None) is is_listed


def test_pools_and_the_state_of_the_exchange_are_of_no_symbol() -> None:
    for text in ("insurance.USDT", "insurance.USDC", "insurance.inverse"):
        topic = parse(LINEAR, text)
        assert topic is not None
        assert (topic.kind, topic.instrument) == (TopicKind.INSURANCE, None)
    assert parse_status("system.status") is not None
    assert parse_status("system") is None
