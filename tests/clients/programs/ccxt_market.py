"""ccxt, synchronous: markets, currencies and prices."""

import time
from itertools import pairwise

import ccxt
from ccxt_setup import config_of, own_ports, urls
from stage import DEMO_KEY, DEMO_SECRET, URL, Account, D, control, hold_book, raised, requests_seen, run

DEMO = Account("demo", DEMO_KEY, DEMO_SECRET)
MINUTE_MS = 60_000

exchange = ccxt.binance(config_of(DEMO))


def check_load_markets_with_a_key():
    markets = exchange.load_markets()
    paths = {request["path"] for request in requests_seen()}
    assert {
        "/api/v3/exchangeInfo",
        "/fapi/v1/exchangeInfo",
        "/dapi/v1/exchangeInfo",
        "/sapi/v1/capital/config/getall",
        "/sapi/v1/margin/allPairs",
        "/sapi/v1/margin/isolated/allPairs",
    } <= paths, "what it asks for by itself"
    assert len(markets) >= 40
    market = markets["BTC/USDT"]
    assert (market["id"], market["base"], market["quote"], market["type"]) == (
        "BTCUSDT",
        "BTC",
        "USDT",
        "spot",
    )
    assert (market["active"], market["spot"], market["contract"]) == (True, True, False)
    assert (market["precision"]["price"], market["precision"]["amount"]) == (0.01, 0.00001)
    assert (market["limits"]["amount"]["min"], market["limits"]["cost"]["min"]) == (0.00001, 5.0)
    assert (market["maker"], market["taker"]) == (0.001, 0.001)


def check_load_markets_without_a_key():
    stranger = ccxt.binance({"urls": urls()})
    assert set(stranger.load_markets()) == set(exchange.markets)


def check_load_markets_from_ports_of_their_own():
    other = ccxt.binance(config_of(DEMO, urls=own_ports()))
    assert set(other.load_markets()) == set(exchange.markets)
    assert other.fetch_balance()["BTC"]["total"] == 100.0
    assert other.fetch_ticker("BTC/USDT")["symbol"] == "BTC/USDT"


def check_load_markets_under_the_names_of_sites():
    other = ccxt.binance(
        config_of(DEMO, urls=urls(f"{URL}/binance", f"{URL}/binance-usdm", f"{URL}/binance-coinm"))
    )
    assert set(other.load_markets()) == set(exchange.markets)
    assert other.fetch_time() > 0


def check_sandboxes_are_apart():
    control("POST", "sandboxes", {"name": "apart"})
    inside = ccxt.binance(config_of(DEMO, urls=urls(*[f"{URL}/~apart"] * 3)))
    inside.load_markets()
    inside.create_order(
        "BTC/USDT", "limit", "buy", 0.01, round(inside.fetch_ticker("BTC/USDT")["last"] * 0.9)
    )
    assert len(inside.fetch_open_orders("BTC/USDT")) == 1
    assert exchange.fetch_open_orders("BTC/USDT") == [], "the same key is another account elsewhere"
    control("DELETE", "sandboxes/apart")


def check_load_markets_of_futures():
    contracts = {symbol for symbol, market in exchange.markets.items() if market["contract"]}
    loaded = set()
    for kind in ("binanceusdm", "binancecoinm"):
        futures = getattr(ccxt, kind)(config_of(DEMO))
        loaded |= set(futures.load_markets())
    assert loaded == contracts, "what the class of all products loads beside spot"


def check_currencies():
    currencies = exchange.fetch_currencies()
    tether = currencies["USDT"]
    assert (tether["active"], tether["deposit"], tether["withdraw"]) == (True, True, True)
    assert {"ERC20", "TRC20", "BEP20"} <= set(tether["networks"])
    tron = tether["networks"]["TRC20"]
    assert (tron["id"], tron["deposit"], tron["withdraw"]) == ("TRX", True, True)
    assert tron["fee"] > 0
    assert tron["limits"]["withdraw"]["min"] > tron["fee"]


def check_precision_agrees_with_the_filters():
    for symbol, market in exchange.markets.items():
        rules = {rule["filterType"]: rule for rule in market["info"]["filters"]}
        tick, step = D(rules["PRICE_FILTER"]["tickSize"]), D(rules["LOT_SIZE"]["stepSize"])
        price = D(exchange.price_to_precision(symbol, float(tick * 1234567)))
        quantity = D(exchange.amount_to_precision(symbol, float(step) * 765.4))
        assert price == tick * 1234567, symbol
        assert quantity == step * 765, symbol
        assert D(str(market["limits"]["amount"]["min"])) == D(rules["LOT_SIZE"]["minQty"])
        assert D(str(market["limits"]["price"]["max"])) == D(rules["PRICE_FILTER"]["maxPrice"])


def check_time_and_status():
    assert abs(exchange.fetch_time() - time.time() * 1000) < 2000
    status = exchange.fetch_status()
    assert status["status"] == "ok"
    assert abs(exchange.load_time_difference()) < 2000


def check_candles():
    now = exchange.milliseconds()
    since = now // 3_600_000 * 3_600_000 - 5 * 86_400_000
    rows = exchange.fetch_ohlcv("ETH/USDT", "1m", since=since, limit=1000)
    assert [row[0] for row in rows] == list(range(since, since + 1000 * MINUTE_MS, MINUTE_MS))
    for _, opened, high, low, closed, volume in rows:
        assert low <= min(opened, closed) <= max(opened, closed) <= high
        assert volume >= 0
    (hour,) = exchange.fetch_ohlcv("ETH/USDT", "1h", since=since, limit=1)
    minutes = rows[:60]
    assert (hour[1], hour[4]) == (minutes[0][1], minutes[-1][4])
    assert (hour[2], hour[3]) == (max(row[2] for row in minutes), min(row[3] for row in minutes))
    newest = exchange.fetch_ohlcv("ETH/USDT", "5m")
    assert now - newest[-1][0] < 5 * MINUTE_MS + 2000
    for frame in exchange.timeframes:
        assert exchange.fetch_ohlcv("ETH/USDT", frame, limit=2), frame


def check_order_book():
    for limit in (5, 100, 500):
        book = exchange.fetch_order_book("ETH/USDT", limit)
        assert book["symbol"] == "ETH/USDT"
        assert book["bids"][0][0] < book["asks"][0][0]
        assert min(50, limit) <= len(book["bids"]) <= limit
        assert all(better[0] > worse[0] for better, worse in pairwise(book["bids"]))
        assert all(better[0] < worse[0] for better, worse in pairwise(book["asks"]))
    later = exchange.fetch_order_book("ETH/USDT", 5)
    assert later["nonce"] >= book["nonce"]


def check_tickers():
    hold_book("UNIUSDT", "10.000", [("9.990", "7")], [("10.010", "5")])
    ticker = exchange.fetch_ticker("UNI/USDT")
    assert (ticker["last"], ticker["close"]) == (10.0, 10.0)
    assert [ticker[name] for name in ("bid", "bidVolume", "ask", "askVolume")] == [9.99, 7.0, 10.01, 5.0]
    assert abs(ticker["change"] - (ticker["last"] - ticker["open"])) < 1e-9
    several = exchange.fetch_tickers(["BTC/USDT", "UNI/USDT"])
    assert set(several) == {"BTC/USDT", "UNI/USDT"}
    assert several["UNI/USDT"]["last"] == 10.0
    spot = {symbol for symbol, market in exchange.markets.items() if market["spot"]}
    assert set(exchange.fetch_tickers()) == spot
    best = exchange.fetch_bids_asks(["UNI/USDT"])["UNI/USDT"]
    assert (best["bid"], best["ask"]) == (9.99, 10.01)
    assert exchange.fetch_last_prices(["UNI/USDT"])["UNI/USDT"]["price"] == 10.0


def check_trades():
    for method in ("publicGetAggTrades", "publicGetTrades"):
        trades = exchange.fetch_trades("ETH/USDT", limit=50, params={"fetchTradesMethod": method})
        assert len(trades) == 50
        assert all(int(later["id"]) == int(earlier["id"]) + 1 for earlier, later in pairwise(trades))
        assert {trade["side"] for trade in trades} <= {"buy", "sell"}
        assert all(abs(trade["cost"] - trade["price"] * trade["amount"]) < 1e-6 for trade in trades)
    since = exchange.milliseconds() - 3_600_000
    older = exchange.fetch_trades("ETH/USDT", since=since, limit=20)
    assert all(since <= trade["timestamp"] < since + MINUTE_MS * 30 for trade in older)


def check_unknown_symbol():
    raised(ccxt.BadSymbol, exchange.fetch_ticker, "NOSUCH/COIN")
    error = raised(ccxt.BadSymbol, exchange.public_get_ticker_price, {"symbol": "NOSUCHCOIN"})
    assert '"code":-1121' in str(error)


run()
