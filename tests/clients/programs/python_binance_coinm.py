"""python-binance, synchronous, on COIN-M: contracts of 100 dollars, paid for in bitcoin.

The clock stands still and the market is held, so index and mark price are the price that is held.
"""

from binance.exceptions import BinanceAPIException
from python_binance_setup import client_of
from stage import (
    CONTRACT_TAKER_RATE,
    D,
    hold_book,
    hold_price,
    move_clock,
    open_account,
    raised,
    run,
)

SITE = "binance-coinm"
SYMBOL, PAIR = "BTCUSD_PERP", "BTCUSD"
BIDS = (("49990", "1000"), ("49980", "2000"))
ASKS = (("50010", "1000"), ("50020", "2000"))
DONE = {"code": 200, "msg": "success"}


def begin(btc="1", leverage=10):
    hold_book(SYMBOL, "50000", BIDS, ASKS, SITE)
    client = client_of(open_account(wallet="coinm", BTC=btc))
    client.futures_coin_change_leverage(symbol=SYMBOL, leverage=leverage)
    return client


def order(client, side, quantity, **terms):
    if "price" in terms:
        terms = {"type": "LIMIT", "timeInForce": "GTC", **terms}
    else:
        terms = {"type": "MARKET", "newOrderRespType": "RESULT", **terms}
    return client.futures_coin_create_order(symbol=SYMBOL, side=side, quantity=quantity, **terms)


def code(call, *arguments, **terms):
    error = raised(BinanceAPIException, call, *arguments, **terms)
    assert error.status_code == 400
    return error.code


def wallet(client):
    (btc,) = (each for each in client.futures_coin_account_balance() if each["asset"] == "BTC")
    return D(btc["balance"])


def position(client):
    (found,) = (
        each for each in client.futures_coin_position_information(pair=PAIR) if each["symbol"] == SYMBOL
    )
    return found


def near(shown, exact, rounded=1):
    """rounded: how many amounts of eight places are in it."""
    return abs(D(shown) - exact) <= rounded * D("1e-8")


def check_market():
    client = begin()
    assert client.futures_coin_ping() == {}
    now = move_clock(step="0s")
    assert client.futures_coin_time() == {"serverTime": now}
    (listed,) = (each for each in client.futures_coin_exchange_info()["symbols"] if each["symbol"] == SYMBOL)
    assert (listed["contractStatus"], listed["contractSize"], listed["marginAsset"]) == (
        "TRADING",
        100,
        "BTC",
    )
    book = client.futures_coin_order_book(symbol=SYMBOL, limit=5)
    assert (book["bids"], book["pair"]) == ([["49990.0", "1000"], ["49980.0", "2000"]], PAIR)
    (best,) = client.futures_coin_orderbook_ticker(symbol=SYMBOL)
    assert (best["bidPrice"], best["askPrice"]) == ("49990.0", "50010.0")
    (ticker,) = client.futures_coin_symbol_ticker(symbol=SYMBOL)
    assert (ticker["price"], ticker["ps"]) == ("50000.0", PAIR)
    (marks,) = client.futures_coin_mark_price(symbol=SYMBOL)
    assert (marks["markPrice"], marks["indexPrice"]) == ("50000.00000000", "50000.00000000")
    (row,) = client.futures_coin_klines(symbol=SYMBOL, interval="1m", limit=1)
    assert row[4] == "50000.0"
    assert client.futures_coin_recent_trades(symbol=SYMBOL, limit=1)[0]["price"] == "50000.0"
    assert client.futures_coin_aggregate_trades(symbol=SYMBOL, limit=1)[0]["p"] == "50000.0"
    assert len(client.futures_coin_funding_rate(symbol=SYMBOL, limit=3)) == 3
    assert client.futures_coin_ticker(symbol=SYMBOL)[0]["lastPrice"] == "50000.0"
    assert D(client.futures_coin_open_interest(symbol=SYMBOL)["openInterest"]) > 0
    assert len(client.futures_coin_open_interest_hist(pair=PAIR, contractType="PERPETUAL", period="5m")) > 1
    assert code(client.futures_coin_order_book, symbol="NOSUCH_PERP") == -1121


def check_settings():
    client = begin()
    changed = client.futures_coin_change_leverage(symbol=SYMBOL, leverage=20)
    assert (changed["leverage"], changed["symbol"]) == (20, SYMBOL)
    assert D(changed["maxQty"]) == 50, "bitcoin, by the tier that still allows it"
    assert client.futures_coin_change_margin_type(symbol=SYMBOL, marginType="ISOLATED") == DONE
    assert code(client.futures_coin_change_margin_type, symbol=SYMBOL, marginType="ISOLATED") == -4046
    assert client.futures_coin_get_position_mode() == {"dualSidePosition": False}
    assert client.futures_coin_change_position_mode(dualSidePosition="true") == DONE
    assert client.futures_get_position_mode() == {"dualSidePosition": True}, "one mode for both sites"
    assert code(client.futures_coin_change_position_mode, dualSidePosition="true") == -4059
    (listed,) = client.futures_coin_leverage_bracket(symbol=SYMBOL)
    assert listed["brackets"][1]["initialLeverage"] == 100


def check_position():
    """100 contracts bought at 50,010, sold at 51,000: for 10,000 / 50,010 and 10,000 / 51,000 bitcoin."""
    client = begin()
    bought = order(client, "BUY", "100")
    assert (bought["status"], bought["executedQty"], bought["pair"]) == ("FILLED", "100", PAIR)
    state = client.futures_coin_get_order(symbol=SYMBOL, orderId=bought["orderId"])
    worth = D(10_000) / 50_010
    assert (D(state["avgPrice"]), near(state["cumBase"], worth)) == (50_010, True)
    paid = worth * CONTRACT_TAKER_RATE
    assert near(wallet(client), 1 - paid)
    hold_book(SYMBOL, "51010", (("51000", "1000"),), (("51020", "1000"),), SITE)
    held = position(client)
    assert (held["positionAmt"], D(held["entryPrice"]), held["leverage"]) == ("100", 50_010, "10")
    assert near(held["unRealizedProfit"], worth - D(10_000) / 51_010)
    account = client.futures_coin_account()
    (btc,) = (each for each in account["assets"] if each["asset"] == "BTC")
    assert near(btc["initialMargin"], D(1000) / 51_010)
    assert near(btc["maintMargin"], D(40) / 51_010)
    assert near(btc["marginBalance"], 1 - paid + worth - D(10_000) / 51_010, rounded=2)
    sold = order(client, "SELL", "100", reduceOnly="true")
    won, fee = worth - D(10_000) / 51_000, D(10_000) / 51_000 * CONTRACT_TAKER_RATE
    assert near(wallet(client), 1 + won - paid - fee, rounded=3)
    assert D(position(client)["positionAmt"]) == 0
    trades = client.futures_coin_account_trades(symbol=SYMBOL)
    assert [(each["side"], each["qty"], each["commissionAsset"]) for each in trades] == [
        ("BUY", "100", "BTC"),
        ("SELL", "100", "BTC"),
    ]
    assert near(trades[1]["realizedPnl"], won)
    assert trades[1]["orderId"] == sold["orderId"]
    incomes = client.futures_coin_income_history()
    assert [each["incomeType"] for each in incomes] == [
        "TRANSFER",
        "COMMISSION",
        "REALIZED_PNL",
        "COMMISSION",
    ]
    assert sum(D(each["income"]) for each in incomes) == wallet(client)


def check_resting_orders():
    client = begin()
    first = order(client, "BUY", "10", price="49000")
    changed = client.futures_coin_modify_order(
        symbol=SYMBOL, side="BUY", orderId=first["orderId"], quantity="20", price="48500"
    )
    assert (changed["price"], changed["origQty"]) == ("48500.0", "20")
    posted = order(client, "SELL", "10", price="50500", timeInForce="GTX", newClientOrderId="mine-2")
    assert code(order, client, "SELL", "10", price="49990", timeInForce="GTX") == -5022
    numbers = [first["orderId"], posted["orderId"]]
    assert [each["orderId"] for each in client.futures_coin_get_open_orders(symbol=SYMBOL)] == numbers
    one = client.futures_coin_get_open_order(symbol=SYMBOL, origClientOrderId="mine-2")
    assert one["orderId"] == numbers[1]
    terms = {"symbol": SYMBOL, "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "1"}
    # This client encodes the list twice.
    placed = client.futures_coin_place_batch_order(
        batchOrders=[{**terms, "price": price} for price in ("47600", "1")]
    )
    assert (placed[0]["price"], placed[1]["code"]) == ("47600.0", -4013)
    assert client.futures_coin_cancel_order(symbol=SYMBOL, orderId=numbers[1])["status"] == "CANCELED"
    assert client.futures_coin_cancel_all_open_orders(symbol=SYMBOL)["code"] == 200
    assert client.futures_coin_get_open_orders(symbol=SYMBOL) == []
    assert {each["status"] for each in client.futures_coin_get_all_orders(symbol=SYMBOL)} == {"CANCELED"}


def check_stop_orders():
    """This client still sends them where plain orders go, and the site still takes them there."""
    client = begin()
    order(client, "BUY", "10")
    stop = client.futures_coin_create_order(
        symbol=SYMBOL, side="SELL", type="STOP_MARKET", stopPrice="49000", closePosition="true"
    )
    assert (stop["type"], stop["status"], D(stop["stopPrice"])) == ("STOP_MARKET", "NEW", 49_000)
    hold_price(SYMBOL, "48990", SITE)
    assert D(position(client)["positionAmt"]) == 0


def check_isolated_margin():
    client = begin()
    client.futures_coin_change_margin_type(symbol=SYMBOL, marginType="ISOLATED")
    order(client, "SELL", "100")
    held = position(client)
    assert (held["marginType"], held["positionAmt"]) == ("isolated", "-100")
    assert near(held["isolatedWallet"], D(1000) / 49_990)
    added = client.futures_coin_change_position_margin(symbol=SYMBOL, amount="0.01", type=1)
    assert (added["code"], added["type"]) == (200, 1)
    assert near(position(client)["isolatedWallet"], D(1000) / 49_990 + D("0.01"))
    assert code(client.futures_coin_change_margin_type, symbol=SYMBOL, marginType="CROSSED") == -4048


def check_refusals():
    client = begin(leverage=1)
    assert code(order, client, "BUY", "800") == -2019
    assert code(order, client, "SELL", "1", reduceOnly="true") == -2022
    assert code(order, client, "BUY", "0.5", price="49000") == -1111
    assert code(client.futures_coin_get_order, symbol=SYMBOL, orderId=987654) == -2013
    assert code(client.futures_coin_cancel_order, symbol=SYMBOL, orderId=987654) == -2011
    assert code(client.futures_coin_change_leverage, symbol=SYMBOL, leverage=126) == -4028


def check_listen_key():
    client = begin()
    key = client.futures_coin_stream_get_listen_key()
    assert client.futures_coin_stream_get_listen_key() == key
    client.futures_coin_stream_keepalive(key)
    assert client.futures_coin_stream_close(key) == {}


run()
