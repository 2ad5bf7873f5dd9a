"""ccxt's binancecoinm, synchronous: contracts of 100 dollars, paid for in bitcoin."""

import ccxt
from ccxt_setup import config_of
from stage import Account, D, hold_book, hold_price, move_clock, open_account, raised, run

SITE = "binance-coinm"
SYMBOL, MARKET = "BTC/USD:BTC", "BTCUSD_PERP"
BIDS = (("49990", "1000"), ("49980", "2000"))
ASKS = (("50010", "1000"), ("50020", "2000"))

_loaded = ccxt.binancecoinm(config_of(Account("", None, None)))
_loaded.load_markets()


def begin(btc="1", leverage=10):
    hold_book(MARKET, "50000", BIDS, ASKS, SITE)
    exchange = ccxt.binancecoinm(config_of(open_account(wallet="coinm", BTC=btc)))
    exchange.set_markets(_loaded.markets, _loaded.currencies)
    exchange.set_leverage(leverage, SYMBOL)
    return exchange


def near(shown, exact, rounded=1):
    """Unified figures are floats; the exchange's have eight places. rounded: how many amounts were."""
    return abs(D(str(shown)) - D(exact)) <= rounded * D("1e-8")


def check_markets():
    market = _loaded.market(SYMBOL)
    assert (market["id"], market["inverse"], market["contractSize"], market["settle"]) == (
        MARKET,
        True,
        100.0,
        "BTC",
    )
    exchange = begin()
    assert exchange.fetch_order_book(SYMBOL, limit=5)["bids"] == [[49990.0, 1000.0], [49980.0, 2000.0]]
    assert exchange.fetch_ticker(SYMBOL)["last"] == 50000.0
    assert exchange.fetch_ohlcv(SYMBOL, "1m", limit=1)[0][4] == 50000.0
    assert exchange.fetch_funding_rate(SYMBOL)["markPrice"] == 50000.0
    assert exchange.fetch_market_leverage_tiers(SYMBOL)[0]["maxLeverage"] == 125.0


def check_position():
    """100 contracts bought at 50,010, sold at 51,000: for 10,000 / 50,010 and 10,000 / 51,000 bitcoin."""
    exchange = begin()
    bought = exchange.create_order(SYMBOL, "market", "buy", 100)
    assert (bought["status"], bought["filled"]) == ("closed", 100.0)
    hold_book(MARKET, "51010", (("51000", "1000"),), (("51020", "1000"),), SITE)
    (held,) = exchange.fetch_positions([SYMBOL])
    worth, mark, exit_price = D(10_000) / 50_010, D(51_010), D(51_000)
    assert (held["side"], held["contracts"], held["entryPrice"]) == ("long", 100.0, 50010.0)
    assert near(held["unrealizedPnl"], worth - 10_000 / mark)
    assert near(held["notional"], 10_000 / mark)
    assert near(held["initialMargin"], 1000 / mark)
    exchange.create_order(SYMBOL, "market", "sell", 100, None, {"reduceOnly": True})
    assert exchange.fetch_positions([SYMBOL]) == []
    won = worth - 10_000 / exit_price
    fees = [worth * D("0.0005"), 10_000 / exit_price * D("0.0005")]
    balance = exchange.fetch_balance()["BTC"]
    assert near(balance["total"], 1 + won - sum(fees), rounded=3)
    trades = exchange.fetch_my_trades(SYMBOL)
    assert [(each["side"], each["price"], each["amount"]) for each in trades] == [
        ("buy", 50010.0, 100.0),
        ("sell", 51000.0, 100.0),
    ]
    assert [near(each["fee"]["cost"], fee) for each, fee in zip(trades, fees, strict=True)] == [True, True]
    assert {each["fee"]["currency"] for each in trades} == {"BTC"}
    kinds = [each["info"]["incomeType"] for each in exchange.fetch_ledger("BTC")]
    assert kinds == ["TRANSFER", "COMMISSION", "REALIZED_PNL", "COMMISSION"]


def check_resting_orders():
    exchange = begin()
    first = exchange.create_order(SYMBOL, "limit", "buy", 10, 49000)
    edited = exchange.edit_order(first["id"], SYMBOL, "limit", "buy", 20, 48500)
    assert (edited["price"], edited["amount"]) == (48500.0, 20.0)
    posted = exchange.create_order(SYMBOL, "limit", "sell", 10, 50500, {"postOnly": True})
    assert [each["id"] for each in exchange.fetch_open_orders(SYMBOL)] == [first["id"], posted["id"]]
    assert exchange.cancel_order(first["id"], SYMBOL)["status"] == "canceled"
    hold_price(MARKET, "50501", SITE)
    sold = exchange.fetch_order(posted["id"], SYMBOL)
    assert (sold["status"], sold["average"]) == ("closed", 50500.0)
    (held,) = exchange.fetch_positions([SYMBOL])
    assert (held["side"], held["contracts"]) == ("short", 10.0)
    raised(ccxt.OrderNotFound, exchange.cancel_order, posted["id"], SYMBOL)


def check_conditional_orders():
    exchange = begin()
    exchange.create_order(SYMBOL, "market", "buy", 10)
    stop = exchange.create_order(
        SYMBOL, "market", "sell", 10, None, {"stopLossPrice": 49000, "reduceOnly": True}
    )
    waiting = exchange.fetch_open_orders(SYMBOL, params={"trigger": True})
    assert [each["id"] for each in waiting] == [stop["id"]]
    hold_price(MARKET, "48990", SITE)
    assert exchange.fetch_positions([SYMBOL]) == []


def check_margin_and_funding():
    exchange = begin(btc="3")
    exchange.set_margin_mode("isolated", SYMBOL)
    raised(ccxt.MarginModeAlreadySet, exchange.set_margin_mode, "isolated", SYMBOL)
    exchange.create_order(SYMBOL, "market", "sell", 100)
    (held,) = exchange.fetch_positions([SYMBOL])
    # A tenth of 10,000 / 49,990 bitcoin.
    assert near(held["info"]["isolatedWallet"], D(1000) / 49_990)
    assert exchange.add_margin(SYMBOL, 1)["amount"] == 1.0, "the client adds whole coins only"
    due = exchange.fetch_funding_rate(SYMBOL)["fundingTimestamp"]
    move_clock(time=due + 1000)
    (got,) = exchange.fetch_funding_history(SYMBOL)
    (rate,) = exchange.fetch_funding_rate_history(SYMBOL, limit=1)
    assert near(got["amount"], D(10_000) / 50_000 * D(str(rate["fundingRate"])))
    assert (got["code"], got["amount"] > 0) == ("BTC", True)


run()
