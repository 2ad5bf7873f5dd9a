"""ccxt, synchronous: orders, trades and the unified errors."""

import ccxt
from ccxt_setup import config_of
from stage import TAKER_RATE, Account, D, hold_book, hold_price, open_account, print_trade, raised, run

SYMBOL = "DOT/USDT"
MARKET = "DOTUSDT"
BIDS = (("7.990", "100"), ("7.950", "200"))
ASKS = (("8.010", "100"), ("8.050", "200"))

_loaded = ccxt.binance(config_of(Account("", None, None)))
_loaded.load_markets()


def exchange_of(account, **options):
    """An exchange that does not load the markets again."""
    exchange = ccxt.binance(config_of(account, **options))
    exchange.set_markets(_loaded.markets, _loaded.currencies)
    return exchange


def begin(**funds):
    hold_book(MARKET, "8.000", BIDS, ASKS)
    return exchange_of(open_account(**(funds or {"USDT": "10000", "DOT": "1000"})))


def near(shown, exact):
    """Unified figures are floats."""
    return abs(D(str(shown)) - D(exact)) < D("1e-9")


def check_balance():
    exchange = begin(USDT="10000.5", DOT="3")
    balance = exchange.fetch_balance()
    assert balance["USDT"] == {"free": 10000.5, "used": 0.0, "total": 10000.5}
    exchange.create_order(SYMBOL, "limit", "buy", 100, 7)
    balance = exchange.fetch_balance()
    assert balance["USDT"] == {"free": 9300.5, "used": 700.0, "total": 10000.5}
    assert balance["free"]["DOT"] == 3.0


def check_limit_order_from_birth_to_death():
    exchange = begin()
    placed = exchange.create_order(SYMBOL, "limit", "buy", 10, 7.5)
    assert (placed["status"], placed["type"], placed["side"], placed["timeInForce"]) == (
        "open",
        "limit",
        "buy",
        "GTC",
    )
    assert (placed["price"], placed["amount"], placed["filled"], placed["remaining"]) == (
        7.5,
        10.0,
        0.0,
        10.0,
    )
    assert placed["clientOrderId"].startswith("x-TKT5PX2F")
    assert (placed["trades"], placed["fees"]) == ([], [])
    assert abs(placed["timestamp"] - exchange.milliseconds()) < 5000

    found = exchange.fetch_order(placed["id"], SYMBOL)
    assert (found["id"], found["status"], found["clientOrderId"]) == (
        placed["id"],
        "open",
        placed["clientOrderId"],
    )
    assert [order["id"] for order in exchange.fetch_open_orders(SYMBOL)] == [placed["id"]]

    print_trade(MARKET, "7.500", "4", "sell")
    found = exchange.fetch_order(placed["id"], SYMBOL)
    assert (found["status"], found["filled"], found["remaining"], found["average"]) == ("open", 4.0, 6.0, 7.5)
    (trade,) = exchange.fetch_my_trades(SYMBOL)
    assert (trade["order"], trade["takerOrMaker"], trade["side"]) == (placed["id"], "maker", "buy")
    assert (trade["fee"]["cost"], trade["fee"]["currency"]) == (0.004, "DOT")

    canceled = exchange.cancel_order(placed["id"], SYMBOL)
    assert (canceled["id"], canceled["status"], canceled["filled"]) == (placed["id"], "canceled", 4.0)
    assert exchange.fetch_open_orders(SYMBOL) == []
    assert exchange.fetch_order(placed["id"], SYMBOL)["status"] == "canceled"
    assert [order["id"] for order in exchange.fetch_canceled_orders(SYMBOL)] == [placed["id"]]
    assert exchange.fetch_closed_orders(SYMBOL) == []
    balance = exchange.fetch_balance()
    assert near(balance["USDT"]["free"], "9970")
    assert near(balance["DOT"]["free"], "1003.996")


def check_market_order():
    exchange = begin()
    done = exchange.create_order(SYMBOL, "market", "buy", 150)
    cost = D("8.01") * 100 + D("8.05") * 50
    assert (done["status"], done["filled"], done["remaining"]) == ("closed", 150.0, 0.0)
    assert near(done["cost"], cost)
    assert near(done["average"], cost / 150)
    assert [(trade["price"], trade["amount"]) for trade in done["trades"]] == [(8.01, 100.0), (8.05, 50.0)]
    assert done["fee"]["currency"] == "DOT"
    assert near(done["fee"]["cost"], 150 * TAKER_RATE)
    assert [order["id"] for order in exchange.fetch_closed_orders(SYMBOL)] == [done["id"]]
    trades = exchange.fetch_order_trades(done["id"], SYMBOL)
    assert [trade["id"] for trade in trades] == [trade["id"] for trade in done["trades"]]
    assert {trade["takerOrMaker"] for trade in trades} == {"taker"}
    balance = exchange.fetch_balance()
    assert near(balance["USDT"]["total"], 10000 - cost)
    assert near(balance["DOT"]["total"], 1000 + 150 * (1 - TAKER_RATE))


def check_market_buy_by_cost():
    exchange = begin()
    done = exchange.create_market_buy_order_with_cost(SYMBOL, 400.5)
    assert (done["status"], done["filled"]) == ("closed", 50.0)
    assert near(done["cost"], "400.5")
    again = exchange.create_order(SYMBOL, "market", "buy", None, None, {"cost": 80.1})
    assert again["filled"] == 10.0
    sold = exchange.create_market_sell_order_with_cost(SYMBOL, 79.9)
    assert (sold["filled"], sold["cost"]) == (10.0, 79.9)


def check_post_only():
    exchange = begin()
    error = raised(
        ccxt.OrderImmediatelyFillable,
        exchange.create_order,
        SYMBOL,
        "limit",
        "buy",
        10,
        8.01,
        {"postOnly": True},
    )
    assert "Order would immediately match and take." in str(error)
    placed = exchange.create_order(SYMBOL, "limit", "buy", 10, 8.0, {"postOnly": True})
    assert (placed["status"], placed["postOnly"], placed["info"]["type"]) == ("open", True, "LIMIT_MAKER")


def check_time_in_force():
    exchange = begin()
    taken = exchange.create_order(SYMBOL, "limit", "buy", 150, 8.01, {"timeInForce": "IOC"})
    assert (taken["status"], taken["filled"], taken["timeInForce"]) == ("expired", 100.0, "IOC")
    killed = exchange.create_order(SYMBOL, "limit", "sell", 150, 7.99, {"timeInForce": "FOK"})
    assert (killed["status"], killed["filled"]) == ("expired", 0.0)


def check_stop_orders():
    exchange = begin()
    loss = exchange.create_order(SYMBOL, "limit", "sell", 10, 7.4, {"triggerPrice": 7.5})
    assert (loss["info"]["type"], loss["triggerPrice"], loss["status"]) == ("STOP_LOSS_LIMIT", 7.5, "open")
    profit = exchange.create_order(SYMBOL, "limit", "sell", 10, 9.0, {"takeProfitPrice": 9.0})
    assert profit["info"]["type"] == "TAKE_PROFIT_LIMIT"
    market = exchange.create_order(SYMBOL, "market", "sell", 10, None, {"stopLossPrice": 7.0})
    assert market["info"]["type"] == "STOP_LOSS"
    error = raised(
        ccxt.OrderImmediatelyFillable,
        exchange.create_order,
        SYMBOL,
        "limit",
        "sell",
        10,
        7.4,
        {"stopLossPrice": 8.5},
    )
    assert "trigger immediately" in str(error)
    hold_price(MARKET, "7.500")
    assert exchange.fetch_order(loss["id"], SYMBOL)["status"] == "closed"
    hold_price(MARKET, "7.000")
    assert exchange.fetch_order(market["id"], SYMBOL)["status"] == "closed"
    assert [order["id"] for order in exchange.fetch_open_orders(SYMBOL)] == [profit["id"]]
    hold_price(MARKET, "9.100")
    assert exchange.fetch_order(profit["id"], SYMBOL)["status"] == "closed"
    assert len(exchange.fetch_closed_orders(SYMBOL)) == 3


def check_edit_order():
    exchange = begin()
    placed = exchange.create_order(SYMBOL, "limit", "buy", 10, 7)
    edited = exchange.edit_order(placed["id"], SYMBOL, "limit", "buy", 20, 6.5)
    assert edited["id"] != placed["id"]
    assert (edited["status"], edited["price"], edited["amount"]) == ("open", 6.5, 20.0)
    assert [order["id"] for order in exchange.fetch_open_orders(SYMBOL)] == [edited["id"]]
    assert exchange.fetch_order(placed["id"], SYMBOL)["status"] == "canceled"
    assert exchange.fetch_balance()["USDT"]["used"] == 130.0


def check_lists_of_orders():
    exchange = begin()
    placed = [exchange.create_order(SYMBOL, "limit", "buy", 10, price)["id"] for price in (7.0, 7.1, 7.2)]
    other = exchange.create_order("LTC/USDT", "limit", "buy", 0.1, 60)["id"]
    exchange.options["warnOnFetchOpenOrdersWithoutSymbol"] = False
    assert {order["id"] for order in exchange.fetch_open_orders()} == {*placed, other}
    assert [order["id"] for order in exchange.fetch_orders(SYMBOL)] == placed
    assert [order["id"] for order in exchange.fetch_orders(SYMBOL, limit=2)] == placed[1:]
    since = exchange.fetch_order(placed[0], SYMBOL)["timestamp"]
    assert [order["id"] for order in exchange.fetch_orders(SYMBOL, since=since)] == placed
    assert {order["id"] for order in exchange.cancel_all_orders(SYMBOL)} == set(placed)
    assert [order["id"] for order in exchange.fetch_open_orders()] == [other]
    by_client_id = exchange.create_order(SYMBOL, "limit", "buy", 10, 7, {"clientOrderId": "my-own"})
    assert by_client_id["clientOrderId"] == "my-own"
    assert exchange.fetch_order(None, SYMBOL, {"clientOrderId": "my-own"})["id"] == by_client_id["id"]
    exchange.cancel_order(None, SYMBOL, {"clientOrderId": "my-own"})
    assert exchange.fetch_open_orders(SYMBOL) == []


def check_trades_since():
    exchange = begin()
    for amount in (10, 20, 30):
        exchange.create_order(SYMBOL, "market", "buy", amount)
    trades = exchange.fetch_my_trades(SYMBOL)
    assert [trade["amount"] for trade in trades] == [10.0, 20.0, 30.0]
    assert exchange.fetch_my_trades(SYMBOL, since=trades[0]["timestamp"], limit=2) == trades[:2]
    assert exchange.fetch_my_trades(SYMBOL, limit=1) == trades[2:]


def check_test_order():
    exchange = begin()
    exchange.create_order(SYMBOL, "limit", "buy", 10, 7, {"test": True})
    assert exchange.fetch_orders(SYMBOL) == []


def check_fees():
    exchange = begin()
    fee = exchange.fetch_trading_fee(SYMBOL)
    assert (fee["symbol"], fee["maker"], fee["taker"]) == (SYMBOL, 0.001, 0.001)
    fees = exchange.fetch_trading_fees()
    assert set(fees) == {symbol for symbol, market in exchange.markets.items() if market["spot"]}
    assert exchange.calculate_fee(SYMBOL, "limit", "buy", 10, 8, "taker")["cost"] == 0.01


def check_errors():
    exchange = begin(USDT="100")
    raised(ccxt.InsufficientFunds, exchange.create_order, SYMBOL, "limit", "buy", 100, 7)
    raised(ccxt.InsufficientFunds, exchange.create_order, SYMBOL, "market", "sell", 10)
    # ccxt has no class of its own for this filter.
    error = raised(ccxt.BadRequest, exchange.create_order, SYMBOL, "limit", "buy", 0.5, 7)
    assert "NOTIONAL" in str(error)
    error = raised(ccxt.InvalidOrder, exchange.create_order, SYMBOL, "limit", "buy", 10, 700)
    assert "PERCENT_PRICE_BY_SIDE" in str(error)
    raw = {
        "symbol": MARKET,
        "side": "BUY",
        "type": "LIMIT",
        "timeInForce": "GTC",
        "quantity": "10",
        "price": "7",
    }
    for change, name in (({"price": "7.00001"}, "PRICE_FILTER"), ({"quantity": "10.0001"}, "LOT_SIZE")):
        error = raised(ccxt.InvalidOrder, exchange.private_post_order, {**raw, **change})
        assert name in str(error)
    raised(ccxt.OrderNotFound, exchange.fetch_order, "999999999", SYMBOL)
    raised(ccxt.OrderNotFound, exchange.cancel_order, "999999999", SYMBOL)
    raised(ccxt.OrderNotFound, exchange.cancel_all_orders, SYMBOL)
    raised(ccxt.BadSymbol, exchange.create_order, "NOSUCH/COIN", "limit", "buy", 10, 7)
    raised(ccxt.BadSymbol, exchange.private_post_order, {**raw, "symbol": "NOSUCHCOIN"})
    raised(ccxt.BadRequest, exchange.private_post_order, {**raw, "price": "cheap"})
    assert exchange.fetch_balance()["USDT"] == {"free": 100.0, "used": 0.0, "total": 100.0}


def check_errors_of_keys_and_clocks():
    account = open_account(USDT="1")
    for change in ({"secret": "wrong"}, {"key": "k" * 64}, {"key": "not a key!"}):
        raised(ccxt.AuthenticationError, exchange_of(account._replace(**change)).fetch_balance)
    late = exchange_of(account)
    late.options["timeDifference"] = 20_000
    error = raised(ccxt.InvalidNonce, late.fetch_balance)
    assert '"code":-1021' in str(error)
    adjusted = exchange_of(account, options={"adjustForTimeDifference": True, "recvWindow": 2000})
    adjusted.load_time_difference()
    assert adjusted.fetch_balance()["USDT"]["total"] == 1.0


def check_order_rate_limit():
    exchange = begin()
    error = None
    for _ in range(210):  # two windows of ten seconds at most
        try:
            exchange.create_order(SYMBOL, "limit", "buy", 1, 7)
        except ccxt.BaseError as refusal:
            error = refusal
            break
    assert type(error) is ccxt.DDoSProtection
    assert '"code":-1015' in str(error)
    assert len(exchange.cancel_all_orders(SYMBOL)) >= 100


run()
