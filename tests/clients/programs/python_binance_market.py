"""python-binance, synchronous: what needs no account."""

import time
from itertools import islice, pairwise

import python_binance_setup  # noqa: F401 - points the client at the emulator
from binance.client import Client
from binance.exceptions import BinanceAPIException
from stage import D, hold_book, raised, requests_seen, run, text

client = Client(ping=False)

MINUTE_MS = 60_000
DAY_MS = 86_400_000
PAST_MS = (int(time.time() * 1000) - 10 * DAY_MS) // DAY_MS * DAY_MS
"""A midnight ten days ago."""


def check_constructor_pings():
    Client()
    last = requests_seen()[-1]
    assert (last["method"], last["path"], last["status"]) == ("GET", "/api/v3/ping", 200)


def check_time():
    before = time.time() * 1000
    shown = client.get_server_time()
    after = time.time() * 1000
    assert list(shown) == ["serverTime"]
    assert before - 2 <= shown["serverTime"] <= after + 2
    assert client.ping() == {}


def check_exchange_info():
    shown = client.get_exchange_info()
    assert shown["timezone"] == "UTC"
    assert abs(shown["serverTime"] - time.time() * 1000) < 5000
    limits = {
        (limit["rateLimitType"], limit["interval"], limit["intervalNum"]): limit["limit"]
        for limit in shown["rateLimits"]
    }
    assert limits == {
        ("REQUEST_WEIGHT", "MINUTE", 1): 6000,
        ("ORDERS", "SECOND", 10): 100,
        ("ORDERS", "DAY", 1): 200_000,
        ("RAW_REQUESTS", "MINUTE", 5): 300_000,
    }
    symbols = {symbol["symbol"]: symbol for symbol in shown["symbols"]}
    assert len(symbols) == len(shown["symbols"]) >= 40
    for name, symbol in symbols.items():
        assert name == symbol["baseAsset"] + symbol["quoteAsset"]
        assert symbol["status"] == "TRADING"
        assert any("SPOT" in permissions for permissions in symbol["permissionSets"])
        filters = [rule["filterType"] for rule in symbol["filters"]]
        assert len(filters) == len(set(filters))
        assert {"PRICE_FILTER", "LOT_SIZE", "MARKET_LOT_SIZE", "NOTIONAL", "PERCENT_PRICE_BY_SIDE"} <= set(
            filters
        )
        assert {"LIMIT", "MARKET", "LIMIT_MAKER", "STOP_LOSS_LIMIT"} <= set(symbol["orderTypes"])
    assert {"BTCUSDT", "ETHUSDT", "BNBUSDT", "PEPEUSDT", "ETHBTC", "BNBBTC", "BTCUSDC", "BTCEUR"} <= set(
        symbols
    )


def check_symbol_info():
    symbol = client.get_symbol_info("BTCUSDT")
    rules = {rule["filterType"]: rule for rule in symbol["filters"]}
    assert rules["PRICE_FILTER"] == {
        "filterType": "PRICE_FILTER",
        "minPrice": "0.01000000",
        "maxPrice": "1000000.00000000",
        "tickSize": "0.01000000",
    }
    assert rules["LOT_SIZE"] == {
        "filterType": "LOT_SIZE",
        "minQty": "0.00001000",
        "maxQty": "9000.00000000",
        "stepSize": "0.00001000",
    }
    assert rules["NOTIONAL"]["minNotional"] == "5.00000000"
    assert symbol["quoteOrderQtyMarketAllowed"] is True
    assert client.get_symbol_info("NOSUCHCOIN") is None


def check_depth():
    for limit in (5, 100, 1000):
        book = client.get_order_book(symbol="ETHUSDT", limit=limit)
        assert sorted(book) == ["asks", "bids", "lastUpdateId"]
        bids = [D(price) for price, _ in book["bids"]]
        asks = [D(price) for price, _ in book["asks"]]
        assert bids == sorted(set(bids), reverse=True)
        assert asks == sorted(set(asks))
        assert min(limit, 50) <= len(bids) <= limit
        assert min(limit, 50) <= len(asks) <= limit
        assert bids[0] < asks[0] < bids[0] * D("1.01")
        assert all(price % D("0.01") == 0 for price in (*bids, *asks))
        assert all(
            D(quantity) > 0 and quantity == text(quantity) for _, quantity in (*book["bids"], *book["asks"])
        )
    assert len(client.get_order_book(symbol="ETHUSDT")["bids"]) <= 100
    time.sleep(0.002)
    assert client.get_order_book(symbol="ETHUSDT", limit=5)["lastUpdateId"] > book["lastUpdateId"]


def check_trades():
    trades = client.get_recent_trades(symbol="ETHUSDT", limit=200)
    assert len(trades) == 200
    for earlier, later in pairwise(trades):
        assert later["id"] == earlier["id"] + 1
        assert later["time"] >= earlier["time"]
    for trade in trades:
        assert D(trade["quoteQty"]) == D(trade["price"]) * D(trade["qty"])
        assert trade["isBuyerMaker"] in (True, False)
        assert trade["isBestMatch"] is True
    assert 0 <= time.time() * 1000 - trades[-1]["time"] < MINUTE_MS
    again = client.get_historical_trades(symbol="ETHUSDT", fromId=trades[0]["id"], limit=200)
    assert again == trades
    assert len(client.get_recent_trades(symbol="ETHUSDT")) == 500


def check_aggregate_trades():
    start = PAST_MS + 3_600_000
    grouped = client.get_aggregate_trades(
        symbol="ETHUSDT", startTime=start, endTime=start + 5 * MINUTE_MS, limit=100
    )
    assert len(grouped) == 100
    assert sorted(grouped[0]) == sorted("apqflTmM")
    single = client.get_historical_trades(
        symbol="ETHUSDT", fromId=grouped[0]["f"], limit=min(1000, grouped[-1]["l"] - grouped[0]["f"] + 1)
    )
    by_id = {trade["id"]: trade for trade in single}
    for earlier, later in pairwise(grouped):
        assert later["a"] == earlier["a"] + 1
        assert later["f"] == earlier["l"] + 1
        assert later["T"] >= earlier["T"]
    for group in grouped:
        assert start <= group["T"] <= start + 5 * MINUTE_MS
        members = [by_id[number] for number in range(group["f"], group["l"] + 1) if number in by_id]
        if len(members) == group["l"] - group["f"] + 1:
            assert sum(D(trade["qty"]) for trade in members) == D(group["q"])
            assert {(D(trade["price"]), trade["isBuyerMaker"]) for trade in members} == {
                (D(group["p"]), group["m"])
            }
    assert client.get_aggregate_trades(symbol="ETHUSDT", fromId=grouped[7]["a"], limit=3) == grouped[7:10]


def check_aggregate_trade_iterator():
    start = PAST_MS + 7_200_000
    walked = list(islice(client.aggregate_trade_iter("ETHUSDT", start_str=start), 1100))
    assert len(walked) == 1100
    assert [trade["a"] for trade in walked] == list(range(walked[0]["a"], walked[0]["a"] + 1100))
    assert walked[0]["T"] >= start
    resumed = list(islice(client.aggregate_trade_iter("ETHUSDT", last_id=walked[899]["a"]), 200))
    assert resumed == walked[900:]


def check_klines():
    rows = client.get_klines(symbol="BTCUSDT", interval=Client.KLINE_INTERVAL_1MINUTE, limit=10)
    now = time.time() * 1000
    assert len(rows) == 10
    assert rows[-1][0] <= now <= rows[-1][6] + 1000, "the last candle is the one that is still open"
    for row in rows:
        assert len(row) == 12
        assert row[0] % MINUTE_MS == 0
        assert row[6] == row[0] + MINUTE_MS - 1
        opened, high, low, closed = (D(value) for value in row[1:5])
        assert low <= min(opened, closed) <= max(opened, closed) <= high
        assert D(row[9]) <= D(row[5])
        assert D(row[10]) <= D(row[7])
        assert row[11] == "0"
    for earlier, later in pairwise(rows):
        assert later[0] == earlier[0] + MINUTE_MS
    past = client.get_klines(symbol="BTCUSDT", interval="1m", startTime=rows[0][0], endTime=rows[4][0])
    assert past == rows[:5]
    assert (
        client.get_ui_klines(symbol="BTCUSDT", interval="1m", startTime=rows[0][0], endTime=rows[4][0])
        == past
    )


def check_klines_agree_across_intervals():
    def rows(interval, span_ms):
        return client.get_klines(
            symbol="BTCUSDT", interval=interval, startTime=PAST_MS, endTime=PAST_MS + span_ms - 1
        )

    for small, count, large in (("1s", 60, "1m"), ("1m", 5, "5m"), ("5m", 12, "1h"), ("1h", 24, "1d")):
        span = {"1m": 1, "5m": 5, "1h": 60, "1d": 1440}[large] * MINUTE_MS
        parts = rows(small, span)
        (whole,) = rows(large, span)
        assert len(parts) == count
        assert (parts[0][0], parts[-1][6]) == (whole[0], whole[6])
        assert (parts[0][1], parts[-1][4]) == (whole[1], whole[4])
        assert max(D(row[2]) for row in parts) == D(whole[2])
        assert min(D(row[3]) for row in parts) == D(whole[3])
        for column in (5, 7, 9, 10):
            assert sum(D(row[column]) for row in parts) == D(whole[column]), (small, large, column)
        assert sum(row[8] for row in parts) == whole[8]


def check_historical_klines():
    end = PAST_MS + 1500 * MINUTE_MS - 1
    rows = client.get_historical_klines("ETHUSDT", Client.KLINE_INTERVAL_1MINUTE, PAST_MS, end)
    assert [row[0] for row in rows] == [PAST_MS + ordinal * MINUTE_MS for ordinal in range(1500)]
    generated = client.get_historical_klines_generator("ETHUSDT", Client.KLINE_INTERVAL_1MINUTE, PAST_MS, end)
    assert list(generated) == rows
    named = client.get_historical_klines("ETHUSDT", Client.KLINE_INTERVAL_1DAY, "5 days ago UTC")
    assert len(named) == 5


def check_average_price():
    shown = client.get_avg_price(symbol="BTCUSDT")
    assert sorted(shown) == ["closeTime", "mins", "price"]
    assert shown["mins"] == 5
    last = D(client.get_symbol_ticker(symbol="BTCUSDT")["price"])
    assert abs(D(shown["price"]) - last) < last / 20


def check_day_ticker():
    ticker = client.get_ticker(symbol="BTCUSDT")
    assert D(ticker["priceChange"]) == D(ticker["lastPrice"]) - D(ticker["openPrice"])
    percent = D(ticker["priceChange"]) / D(ticker["openPrice"]) * 100
    assert abs(D(ticker["priceChangePercent"]) - percent) <= D("0.001")
    assert ticker["closeTime"] - ticker["openTime"] == DAY_MS
    assert ticker["count"] == ticker["lastId"] - ticker["firstId"] + 1
    assert D(ticker["lowPrice"]) <= D(ticker["weightedAvgPrice"]) <= D(ticker["highPrice"])
    assert D(ticker["bidPrice"]) < D(ticker["askPrice"])
    several = client.get_ticker(symbols='["BTCUSDT","ETHUSDT"]')
    assert [each["symbol"] for each in several] == ["BTCUSDT", "ETHUSDT"]
    everything = client.get_ticker()
    assert {each["symbol"] for each in everything} == {
        each["symbol"] for each in client.get_exchange_info()["symbols"]
    }


def check_price_tickers():
    single = client.get_symbol_ticker(symbol="LTCUSDT")
    assert sorted(single) == ["price", "symbol"]
    prices = {each["symbol"]: D(each["price"]) for each in client.get_all_tickers()}
    assert abs(prices["LTCUSDT"] - D(single["price"])) < prices["LTCUSDT"] / 50
    assert set(prices) == {each["symbol"] for each in client.get_exchange_info()["symbols"]}
    window = client.get_symbol_ticker_window(symbol="LTCUSDT", windowSize="2h")
    assert window["symbol"] == "LTCUSDT"
    assert 2 * 3_600_000 - MINUTE_MS <= window["closeTime"] - window["openTime"] <= 2 * 3_600_000 + MINUTE_MS
    day = client.v3_get_ticker_trading_day(symbol="LTCUSDT")
    assert day["openTime"] % DAY_MS == 0


def check_one_story():
    hold_book(
        "BCHUSDT",
        "500.00",
        [["499.90", "7"], ["499.80", "8"]],
        [["500.10", "5"], ["500.20", "6"]],
    )
    best = {
        "bidPrice": "499.90000000",
        "bidQty": "7.00000000",
        "askPrice": "500.10000000",
        "askQty": "5.00000000",
    }
    assert client.get_orderbook_ticker(symbol="BCHUSDT") == {"symbol": "BCHUSDT", **best}
    (listed,) = (each for each in client.get_orderbook_tickers() if each["symbol"] == "BCHUSDT")
    assert listed == {"symbol": "BCHUSDT", **best}
    book = client.get_order_book(symbol="BCHUSDT")
    assert book["bids"] == [["499.90000000", "7.00000000"], ["499.80000000", "8.00000000"]]
    assert book["asks"] == [["500.10000000", "5.00000000"], ["500.20000000", "6.00000000"]]
    ticker = client.get_ticker(symbol="BCHUSDT")
    assert {name: ticker[name] for name in best} == best
    assert ticker["lastPrice"] == "500.00000000"
    assert client.get_symbol_ticker(symbol="BCHUSDT")["price"] == "500.00000000"
    assert client.get_recent_trades(symbol="BCHUSDT", limit=1)[0]["price"] == "500.00000000"
    assert client.get_klines(symbol="BCHUSDT", interval="1m", limit=1)[0][4] == "500.00000000"


def check_system_status():
    assert client.get_system_status() == {"status": 0, "msg": "normal"}


def check_unknown_symbol():
    for call in (client.get_order_book, client.get_recent_trades, client.get_ticker, client.get_avg_price):
        error = raised(BinanceAPIException, call, symbol="NOSUCHCOIN")
        assert (error.status_code, error.code, error.message) == (400, -1121, "Invalid symbol.")
    error = raised(BinanceAPIException, client.get_klines, symbol="BTCUSDT", interval="7m")
    assert (error.code, error.message) == (-1120, "Invalid interval.")
    error = raised(BinanceAPIException, client.get_order_book)
    assert error.code == -1102
    assert "'symbol'" in error.message


run()
