"""python-binance, synchronous: what futures tell without an account."""

import time
from itertools import pairwise

from binance.client import Client
from binance.exceptions import BinanceAPIException
from python_binance_setup import client_of
from stage import DEMO_KEY, DEMO_SECRET, Account, D, raised, run

client = client_of(Account("demo", DEMO_KEY, DEMO_SECRET))

MINUTE_MS = 60_000
HOUR_MS = 3_600_000
DAY_MS = 86_400_000
PAST_MS = (int(time.time() * 1000) - 10 * DAY_MS) // DAY_MS * DAY_MS
"""A midnight ten days ago."""

LINEAR = "BTCUSDT"
INVERSE = "BTCUSD_PERP"


def current_quarter(info):
    (listed,) = (
        one["symbol"]
        for one in info["symbols"]
        if one["contractType"] == "CURRENT_QUARTER" and one["baseAsset"] == "BTC"
    )
    return listed


def check_ping_and_time():
    assert client.futures_ping() == client.futures_coin_ping() == {}
    for shown in (client.futures_time(), client.futures_coin_time()):
        assert list(shown) == ["serverTime"]
        assert abs(shown["serverTime"] - time.time() * 1000) < 5000


def check_exchange_info():
    linear, inverse = client.futures_exchange_info(), client.futures_coin_exchange_info()
    for info, status in ((linear, "status"), (inverse, "contractStatus")):
        assert info["timezone"] == "UTC"
        limits = {
            (limit["rateLimitType"], limit["interval"], limit["intervalNum"]): limit["limit"]
            for limit in info["rateLimits"]
        }
        assert limits == {
            ("REQUEST_WEIGHT", "MINUTE", 1): 2400,
            ("ORDERS", "MINUTE", 1): 1200,
            ("ORDERS", "SECOND", 10): 300,
        }
        kinds = {one["contractType"] for one in info["symbols"]} - {"CURRENT_QUARTER DELIVERING"}
        assert kinds == {"PERPETUAL", "CURRENT_QUARTER", "NEXT_QUARTER"}
        assert {one[status] for one in info["symbols"]} <= {"TRADING", "DELIVERING"}
    assert {one["marginAsset"] for one in linear["symbols"]} == {"USDT", "USDC"}
    sizes = {one["symbol"]: one["contractSize"] for one in inverse["symbols"]}
    assert (sizes["BTCUSD_PERP"], sizes["ETHUSD_PERP"]) == (100, 10)


def check_books():
    for ask, symbol in ((client.futures_order_book, LINEAR), (client.futures_coin_order_book, INVERSE)):
        book = ask(symbol=symbol, limit=20)
        assert len(book["bids"]) == len(book["asks"]) == 20
        bids, asks = ([D(price) for price, _ in book[side]] for side in ("bids", "asks"))
        assert bids == sorted(bids, reverse=True)
        assert asks == sorted(asks)
        assert bids[0] < asks[0]
        assert book["E"] >= book["T"] > 0
    assert book["pair"] == "BTCUSD"
    assert len(client.futures_rpi_depth(symbol=LINEAR)["bids"]) == 1000


def check_trades():
    for recent, old, grouped, symbol, worth in (
        (
            client.futures_recent_trades,
            client.futures_historical_trades,
            client.futures_aggregate_trades,
            LINEAR,
            "quoteQty",
        ),
        (
            client.futures_coin_recent_trades,
            client.futures_coin_historical_trades,
            client.futures_coin_aggregate_trades,
            INVERSE,
            "baseQty",
        ),
    ):
        trades = recent(symbol=symbol, limit=30)
        assert [newer["id"] - older["id"] for older, newer in pairwise(trades)] == [1] * 29
        assert all(D(trade[worth]) > 0 for trade in trades)
        assert old(symbol=symbol, limit=30, fromId=trades[0]["id"]) == trades
        found = grouped(symbol=symbol, fromId=trades[0]["id"], limit=30)
        assert [one["p"] for one in found] == [trade["price"] for trade in trades]
        assert ("nq" in found[0]) is (symbol == LINEAR)


def check_klines():
    for ask, symbol in ((client.futures_klines, LINEAR), (client.futures_coin_klines, INVERSE)):
        rows = ask(symbol=symbol, interval="1h", startTime=PAST_MS, endTime=PAST_MS + 5 * HOUR_MS - 1)
        assert [row[0] for row in rows] == [PAST_MS + hour * HOUR_MS for hour in range(5)]
        for row in rows:
            assert D(row[3]) <= min(D(row[1]), D(row[4])) <= max(D(row[1]), D(row[4])) <= D(row[2])
            assert row[6] == row[0] + HOUR_MS - 1
    error = raised(BinanceAPIException, client.futures_klines, symbol=LINEAR, interval="1s")
    assert (error.code, error.message) == (-1120, "Invalid interval.")


def check_klines_of_other_prices():
    perpetual = client.futures_continuous_klines(
        pair=LINEAR, contractType="PERPETUAL", interval="1h", limit=3
    )
    assert perpetual[:-1] == client.futures_klines(symbol=LINEAR, interval="1h", limit=3)[:-1]
    for ask, values in (
        (client.futures_index_price_klines, {"pair": LINEAR}),
        (client.futures_mark_price_klines, {"symbol": LINEAR}),
        (client.futures_premium_index_klines, {"symbol": LINEAR}),
        (client.futures_coin_index_price_klines, {"pair": "BTCUSD"}),
        (client.futures_coin_mark_price_klines, {"symbol": INVERSE}),
        (client.futures_coin_premium_index_klines, {"symbol": INVERSE}),
    ):
        rows = ask(interval="15m", limit=4, **values)
        assert [newer[0] - older[0] for older, newer in pairwise(rows)] == [15 * MINUTE_MS] * 3
        assert rows[0][5] == rows[0][7] == "0"
        assert rows[0][8] == 900


def check_historical_klines_are_pages_of_klines():
    """The client asks for pages of 500 until there are no more."""
    end_ms = PAST_MS + 700 * MINUTE_MS
    rows = client.futures_historical_klines(LINEAR, "1m", PAST_MS, end_ms - 1)
    assert [row[0] for row in rows] == list(range(PAST_MS, end_ms, MINUTE_MS))
    marks = client.futures_historical_mark_price_klines(LINEAR, "1h", PAST_MS, PAST_MS + DAY_MS - 1)
    assert len(marks) == 24


def check_marks_and_funding():
    premium = client.futures_mark_price(symbol=LINEAR)
    assert abs(D(premium["markPrice"]) / D(premium["indexPrice"]) - 1) < D("0.01")
    assert premium["nextFundingTime"] % (8 * HOUR_MS) == 0
    assert len(client.futures_mark_price()) > 30
    (inverse,) = client.futures_coin_mark_price(symbol=INVERSE)
    assert inverse["pair"] == "BTCUSD"
    for ask, symbol in ((client.futures_funding_rate, LINEAR), (client.futures_coin_funding_rate, INVERSE)):
        rates = ask(symbol=symbol, limit=10)
        assert [newer["fundingTime"] - older["fundingTime"] for older, newer in pairwise(rates)] == [
            8 * HOUR_MS
        ] * 9
    hours = {one["symbol"]: one["fundingIntervalHours"] for one in client.futures_v1_get_funding_info()}
    assert (hours[LINEAR], hours["LPTUSDT"]) == (8, 4)
    assert client.futures_coin_v1_get_funding_info()


def check_tickers():
    day = client.futures_ticker(symbol=LINEAR)
    assert D(day["lowPrice"]) <= D(day["lastPrice"]) <= D(day["highPrice"])
    price, best = client.futures_symbol_ticker(symbol=LINEAR), client.futures_orderbook_ticker(symbol=LINEAR)
    assert abs(D(price["price"]) / D(best["bidPrice"]) - 1) < D("0.001")
    names = {one["symbol"] for one in client.futures_exchange_info()["symbols"]}
    for ask in (client.futures_ticker, client.futures_symbol_ticker, client.futures_orderbook_ticker):
        assert {one["symbol"] for one in ask()} == names
    for ask in (
        client.futures_coin_ticker,
        client.futures_coin_symbol_ticker,
        client.futures_coin_orderbook_ticker,
    ):
        (one,) = ask(symbol=INVERSE)
        assert one.get("pair", one.get("ps")) == "BTCUSD"
        assert len(ask(pair="BTCUSD")) >= 3


def check_open_interest():
    shown = client.futures_open_interest(symbol=LINEAR)
    assert D(shown["openInterest"]) > 0
    (newest,) = client.futures_open_interest_hist(symbol=LINEAR, period="5m", limit=1)
    assert abs(D(newest["sumOpenInterest"]) / D(shown["openInterest"]) - 1) < D("0.2")
    coin = client.futures_coin_open_interest(symbol=INVERSE)
    assert (coin["pair"], coin["contractType"]) == ("BTCUSD", "PERPETUAL")
    rows = client.futures_coin_open_interest_hist(pair="BTCUSD", contractType="ALL", period="1d", limit=5)
    assert [newer["timestamp"] - older["timestamp"] for older, newer in pairwise(rows)] == [DAY_MS] * 4


def check_ratios():
    for ask in (
        client.futures_top_longshort_account_ratio,
        client.futures_top_longshort_position_ratio,
        client.futures_global_longshort_ratio,
    ):
        (row,) = ask(symbol=LINEAR, period="1h", limit=1)
        assert D(row["longAccount"]) + D(row["shortAccount"]) == 1
    (taken,) = client.futures_taker_longshort_ratio(symbol=LINEAR, period="1h", limit=1)
    assert D(taken["buyVol"]) > 0
    for ask in (
        client.futures_coin_top_longshort_account_ratio,
        client.futures_coin_top_longshort_position_ratio,
        client.futures_coin_global_longshort_ratio,
    ):
        (row,) = ask(pair="BTCUSD", period="1h", limit=1)
        assert row["pair"] == "BTCUSD"
    (taken,) = client.futures_coin_taker_buy_sell_volume(
        pair="BTCUSD", contractType="PERPETUAL", period="1h", limit=1
    )
    assert D(taken["takerBuyVol"]) > 0
    for ask, pair in ((client.futures_basis, LINEAR), (client.futures_coin_basis, "BTCUSD")):
        (row,) = ask(pair=pair, contractType="CURRENT_QUARTER", period="1h", limit=1)
        assert D(row["futuresPrice"]) - D(row["indexPrice"]) == D(row["basis"])
    delivered = client.futures_delivery_price(pair=LINEAR)
    assert delivered[0]["deliveryTime"] > delivered[1]["deliveryTime"]


def check_indexes_and_risk():
    assert client.futures_index_price_constituents(symbol=LINEAR)["constituents"]
    assert client.futures_coin_index_price_constituents(symbol="BTCUSD")["constituents"]
    assert client.futures_index_info() == []
    assert D(client.futures_v1_get_asset_index(symbol="USDTUSD")["index"]) == 1
    assert client.futures_insurance_fund_balance_snapshot(symbol=LINEAR)["assets"][0]["asset"] == "USDT"
    assert client.futures_symbol_adl_risk(symbol=LINEAR)["adlRisk"] == "low"


def check_quarterly_contracts():
    linear = current_quarter(client.futures_exchange_info())
    inverse = current_quarter(client.futures_coin_exchange_info())
    assert client.futures_order_book(symbol=linear, limit=5)["bids"]
    assert client.futures_coin_order_book(symbol=inverse, limit=5)["bids"]
    assert client.futures_mark_price(symbol=linear)["nextFundingTime"] == 0
    assert client.futures_coin_mark_price(symbol=inverse)[0]["lastFundingRate"] == ""


def check_errors():
    for ask in (client.futures_order_book, client.futures_coin_order_book):
        error = raised(BinanceAPIException, ask, symbol="NOSUCH")
        assert (error.status_code, error.code, error.message) == (400, -1121, "Invalid symbol.")
        error = raised(BinanceAPIException, ask, symbol=LINEAR, limit=7)
        assert (error.code, error.message) == (-4021, "7 is not valid depth limit")
    error = raised(BinanceAPIException, client.futures_klines, symbol=LINEAR, interval="1m", limit=1501)
    assert (error.code, error.message) == (-1130, "Data sent for parameter 'limit' is not valid.")
    stranger = Client(ping=False)
    error = raised(BinanceAPIException, stranger.futures_historical_trades, symbol=LINEAR)
    assert (error.status_code, error.code) == (401, -2014)


run()
