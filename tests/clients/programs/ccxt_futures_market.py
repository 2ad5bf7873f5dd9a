"""ccxt, synchronous: its classes for both futures products, without an account."""

import time
from itertools import pairwise

import ccxt
from ccxt_setup import own_ports, urls
from stage import D, raised, requests_seen, run

HOUR_MS = 3_600_000
DAY_MS = 86_400_000
PAST_MS = (int(time.time() * 1000) - 10 * DAY_MS) // DAY_MS * DAY_MS
"""A midnight ten days ago."""

LINEAR = "BTC/USDT:USDT"
INVERSE = "BTC/USD:BTC"

usdm = ccxt.binanceusdm({"urls": urls(), "enableRateLimit": False})
coinm = ccxt.binancecoinm({"urls": urls(), "enableRateLimit": False})
BOTH = ((usdm, LINEAR), (coinm, INVERSE))


def check_load_markets():
    linear, inverse = usdm.load_markets(), coinm.load_markets()
    paths = {request["path"] for request in requests_seen()}
    assert {"/fapi/v1/exchangeInfo", "/dapi/v1/exchangeInfo"} <= paths
    market = linear[LINEAR]
    assert (market["id"], market["type"], market["settle"]) == ("BTCUSDT", "swap", "USDT")
    assert (market["linear"], market["inverse"], market["active"]) == (True, False, True)
    assert (market["precision"]["price"], market["precision"]["amount"]) == (0.1, 0.001)
    assert (market["limits"]["amount"]["min"], market["limits"]["cost"]["min"]) == (0.001, 50.0)
    assert (market["contractSize"], market["maker"], market["taker"]) == (1.0, 0.0002, 0.0005)
    market = inverse[INVERSE]
    assert (market["id"], market["type"], market["settle"]) == ("BTCUSD_PERP", "swap", "BTC")
    assert (market["linear"], market["inverse"], market["contractSize"]) == (False, True, 100.0)
    assert "BTC/USDC:USDC" in linear
    assert "1000PEPE/USDT:USDT" in linear
    assert {"ETH/USD:ETH", "BNB/USD:BNB", "SOL/USD:SOL", "XRP/USD:XRP"} <= set(inverse)
    for markets in (linear, inverse):
        dated = [one for one in markets.values() if one["future"]]
        assert len([one for one in dated if one["active"]]) == 4
        assert all(one["expiry"] % DAY_MS == 8 * HOUR_MS for one in dated)


def check_load_markets_from_ports_of_their_own():
    for kind, known in ((ccxt.binanceusdm, usdm), (ccxt.binancecoinm, coinm)):
        other = kind({"urls": own_ports(), "enableRateLimit": False})
        assert set(other.load_markets()) == set(known.markets)


def check_time():
    for exchange, _ in BOTH:
        assert abs(exchange.fetch_time() - time.time() * 1000) < 5000


def check_tickers():
    for exchange, symbol in BOTH:
        ticker = exchange.fetch_ticker(symbol)
        assert ticker["symbol"] == symbol
        assert ticker["low"] <= ticker["last"] <= ticker["high"]
        assert ticker["baseVolume"] > 0
        tickers = exchange.fetch_tickers()
        assert {name for name, one in exchange.markets.items() if one["active"]} <= set(tickers)
        assert set(exchange.fetch_tickers([symbol])) == {symbol}
        best = exchange.fetch_bids_asks([symbol])[symbol]
        assert best["bid"] < best["ask"]
        assert exchange.fetch_last_prices([symbol])[symbol]["price"] > 0
        mark = exchange.fetch_mark_price(symbol)
        assert abs(mark["markPrice"] / ticker["last"] - 1) < 0.02
        assert set(exchange.fetch_mark_prices()) >= {symbol}


def check_order_book():
    for exchange, symbol in BOTH:
        for limit in (5, 100, 1000):
            book = exchange.fetch_order_book(symbol, limit)
            assert len(book["bids"]) == len(book["asks"]) == limit
            assert book["bids"][0][0] < book["asks"][0][0]
            assert book["nonce"] > 0
            assert book["timestamp"] > 0


def check_trades():
    for exchange, symbol in BOTH:
        trades = exchange.fetch_trades(symbol, limit=50)
        assert len(trades) == 50
        assert all(older["timestamp"] <= newer["timestamp"] for older, newer in pairwise(trades))
        since = exchange.fetch_trades(symbol, since=PAST_MS, limit=20)
        assert len(since) == 20
        assert PAST_MS <= since[0]["timestamp"] < PAST_MS + HOUR_MS


def check_ohlcv():
    for exchange, symbol in BOTH:
        rows = exchange.fetch_ohlcv(symbol, "1h", since=PAST_MS, limit=24)
        assert [row[0] for row in rows] == [PAST_MS + hour * HOUR_MS for hour in range(24)]
        assert len(exchange.fetch_ohlcv(symbol, "1m")) == 500
        assert len(exchange.fetch_ohlcv(symbol, "1m", limit=1000)) == 1000
        for ask in (
            exchange.fetch_mark_ohlcv,
            exchange.fetch_index_ohlcv,
            exchange.fetch_premium_index_ohlcv,
        ):
            rows = ask(symbol, "1h", since=PAST_MS, limit=5)
            assert [row[0] for row in rows] == [PAST_MS + hour * HOUR_MS for hour in range(5)]
            assert all(row[3] <= min(row[1], row[4]) <= max(row[1], row[4]) <= row[2] for row in rows)


def check_ohlcv_by_pages():
    rows = usdm.fetch_ohlcv(
        LINEAR, "5m", since=PAST_MS, params={"paginate": True, "until": PAST_MS + 8 * DAY_MS}
    )
    times = [row[0] for row in rows]
    assert times == sorted(set(times))
    assert len(times) > 1500


def check_funding():
    for exchange, symbol in BOTH:
        rate = exchange.fetch_funding_rate(symbol)
        assert rate["symbol"] == symbol
        assert rate["fundingTimestamp"] % (8 * HOUR_MS) == 0
        assert abs(rate["fundingRate"]) <= 0.003
        assert abs(rate["markPrice"] / rate["indexPrice"] - 1) < 0.02
        rates = exchange.fetch_funding_rates()
        perpetuals = {name for name, one in exchange.markets.items() if one["swap"]}
        assert perpetuals <= set(rates)
        history = exchange.fetch_funding_rate_history(symbol, limit=10)
        assert [newer["timestamp"] - older["timestamp"] for older, newer in pairwise(history)] == [
            8 * HOUR_MS
        ] * 9
        since = exchange.fetch_funding_rate_history(symbol, since=PAST_MS, limit=3)
        assert [row["timestamp"] for row in since] == [PAST_MS + part * 8 * HOUR_MS for part in range(3)]
    intervals = usdm.fetch_funding_intervals()
    assert intervals["LPT/USDT:USDT"]["interval"] == "4h"
    assert usdm.fetch_funding_interval(LINEAR)["interval"] == "8h"


def check_open_interest():
    for exchange, symbol in BOTH:
        shown = exchange.fetch_open_interest(symbol)
        assert shown["symbol"] == symbol
        assert shown["openInterestAmount"] > 0
        history = exchange.fetch_open_interest_history(symbol, "1h", limit=5)
        assert [newer["timestamp"] - older["timestamp"] for older, newer in pairwise(history)] == [
            HOUR_MS
        ] * 4
    ratios = usdm.fetch_long_short_ratio_history(LINEAR, "1h", limit=5)
    assert all(row["longShortRatio"] > 0 for row in ratios)


def check_dated_contracts():
    for exchange, _ in BOTH:
        (near, *_) = sorted(
            (one for one in exchange.markets.values() if one["future"] and one["active"]),
            key=lambda one: one["expiry"],
        )
        assert exchange.fetch_ticker(near["symbol"])["last"] > 0
        assert exchange.fetch_order_book(near["symbol"], 5)["bids"]
        assert exchange.fetch_ohlcv(near["symbol"], "1d", limit=2)


def check_all_products_in_one():
    """What `binance` itself loads: spot, linear and inverse."""
    exchange = ccxt.binance({"urls": urls(), "enableRateLimit": False})
    markets = exchange.load_markets()
    assert {"BTC/USDT", LINEAR, INVERSE} <= set(markets)
    prices = [exchange.fetch_ticker(symbol)["last"] for symbol in ("BTC/USDT", LINEAR, INVERSE)]
    assert max(prices) / min(prices) < 1.02
    assert D(str(exchange.fetch_funding_rate(INVERSE)["interestRate"])) == D("0.0001")


def check_errors():
    error = raised(ccxt.BadSymbol, usdm.fapipublic_get_depth, {"symbol": "NOSUCH"})
    assert '"code":-1121' in str(error)
    raised(ccxt.BadRequest, usdm.fapipublic_get_klines, {"symbol": "BTCUSDT", "interval": "1s"})


run()
