"""ccxt's bybit, synchronous: markets and what anybody may ask of them."""

import ccxt
from bybit_markets import INVERSE, LINEAR, hold_markets, move, trade_there
from ccxt_bybit_setup import COIN, PAIR, SWAP, begin, config_of, loaded
from stage import D, move_clock, open_account, raised, run

DAY_MS = 86_400_000

exchange = ccxt.bybit(config_of())
exchange.set_markets(loaded.markets, loaded.currencies)
hold_markets()


def check_markets():
    swap, coin, pair = (loaded.market(symbol) for symbol in (SWAP, COIN, PAIR))
    assert (swap["id"], swap["linear"], swap["settle"], swap["contractSize"]) == (
        "BTCUSDT",
        True,
        "USDT",
        1.0,
    )
    assert (coin["id"], coin["inverse"], coin["settle"]) == ("BTCUSD", True, "BTC")
    assert (pair["id"], pair["spot"]) == ("BTCUSDT", True)
    assert (swap["precision"]["price"], swap["precision"]["amount"]) == (0.1, 0.001)
    assert pair["precision"]["amount"] == 0.000001
    assert (swap["limits"]["leverage"]["max"], swap["limits"]["cost"]["min"]) == (100.0, 5.0)
    assert {market["type"] for market in loaded.markets.values()} >= {"spot", "swap"}


def check_loading_with_keys():
    """It then asks for the coins first."""
    known = begin()
    fresh = ccxt.bybit(config_of(open_account(wallet="unified", USDT="1")))
    assert set(fresh.load_markets()) == set(known.markets)
    assert fresh.currencies["USDT"]["networks"]


def check_time_and_status():
    assert exchange.fetch_time() == move_clock(step="0s")
    assert exchange.fetch_status()["status"] == "ok"


def check_books():
    hold_markets()
    for symbol, quantity in ((PAIR, 10.0), (SWAP, 10.0), (COIN, 1_000_000.0)):
        book = exchange.fetch_order_book(symbol, 50)
        assert book["bids"] == [[99990.0, quantity], [99980.0, quantity]]
        assert book["asks"] == [[100010.0, quantity], [100020.0, quantity]]


def check_tickers():
    for symbol in (PAIR, SWAP, COIN):
        ticker = exchange.fetch_ticker(symbol)
        assert (ticker["symbol"], ticker["last"], ticker["bid"], ticker["ask"]) == (
            symbol,
            100000.0,
            99990.0,
            100010.0,
        )
    assert set(exchange.fetch_tickers([PAIR, "ETH/USDT"])) == {PAIR, "ETH/USDT"}
    assert set(exchange.fetch_tickers([SWAP, "ETH/USDT:USDT"])) == {SWAP, "ETH/USDT:USDT"}
    assert exchange.fetch_bids_asks([SWAP])[SWAP]["bid"] == 99990.0


def check_trades():
    trade_there(LINEAR, "100000", "0.25", "sell")
    trades = exchange.fetch_trades(SWAP, limit=5)
    (trade,) = [trade for trade in trades if trade["amount"] == 0.25]
    assert (trade["side"], trade["price"], trade["symbol"]) == ("sell", 100000.0, SWAP)


def check_candles():
    now = move_clock(step="0s")
    for symbol in (PAIR, SWAP, COIN):
        candles = exchange.fetch_ohlcv(symbol, "1h", limit=24)
        assert [candle[0] for candle in candles] == [
            now // 3_600_000 * 3_600_000 - 3_600_000 * back for back in range(23, -1, -1)
        ]
        assert candles[-1][4] == 100000.0
    since = now - 10 * DAY_MS
    pages = exchange.fetch_ohlcv(SWAP, "1h", since=since, limit=1000)
    assert len(pages) == 241, "the one that begins now as well"
    for ask in (exchange.fetch_mark_ohlcv, exchange.fetch_index_ohlcv):
        assert ask(SWAP, "1d", limit=2)[-1][4] == 100000.0
    assert exchange.fetch_premium_index_ohlcv(SWAP, "1d", limit=1)[0][0] % DAY_MS == 0


def check_funding():
    now = move_clock(step="0s")
    rate = exchange.fetch_funding_rate(SWAP)
    assert (rate["markPrice"], rate["indexPrice"], rate["interval"]) == (100000.0, 100000.0, "8h")
    assert 0 < rate["fundingTimestamp"] - now <= 8 * 3_600_000
    history = exchange.fetch_funding_rate_history(SWAP, limit=3)
    last = now // 28_800_000 * 28_800_000
    assert [each["timestamp"] for each in history] == [last - 28_800_000 * back for back in (2, 1, 0)]
    assert set(exchange.fetch_funding_rates([COIN])) == {COIN}


def check_contracts():
    tiers = exchange.fetch_market_leverage_tiers(SWAP)
    # "Get Risk Limit": rates are fractions, and the first tier goes to two million.
    assert (tiers[0]["maxNotional"], tiers[0]["maxLeverage"], tiers[0]["maintenanceMarginRate"]) == (
        2000000.0,
        100.0,
        0.005,
    )
    assert tiers[1]["minNotional"] == tiers[0]["maxNotional"]
    assert {SWAP, "ETH/USDT:USDT"} <= set(exchange.fetch_leverage_tiers([SWAP, "ETH/USDT:USDT"]))
    assert exchange.fetch_open_interest(SWAP)["openInterestAmount"] > 0
    assert len(exchange.fetch_open_interest_history(SWAP, "1h", limit=3)) == 3
    ratio = exchange.fetch_long_short_ratio_history(SWAP, "1h", limit=1)[0]
    assert ratio["longShortRatio"] > 0


def check_inverse_stands_for_itself():
    move(INVERSE, "90000")
    assert exchange.fetch_ticker(COIN)["last"] == 90000.0
    assert D(exchange.fetch_ticker(SWAP)["last"]) == 100000
    hold_markets()


def check_refusals():
    raised(ccxt.BadSymbol, exchange.fetch_ticker, "NOSUCH/USDT")
    error = raised(
        ccxt.BadRequest,
        exchange.publicGetV5MarketOrderbook,
        {"category": "linear", "symbol": "NOSUCH"},
    )
    assert '"retCode":10001' in str(error)


run()
