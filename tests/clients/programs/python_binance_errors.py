"""python-binance, synchronous: every refusal comes as a BinanceAPIException with the exchange's own code."""

import time

from binance.client import Client
from binance.exceptions import BinanceAPIException
from python_binance_setup import client_of
from stage import Account, hold_book, open_account, raised, run

SYMBOL = "LTCUSDT"
BIDS = (("99.90", "50"),)
ASKS = (("100.10", "50"),)


def begin():
    hold_book(SYMBOL, "100.00", BIDS, ASKS)
    return client_of(open_account(USDT="1000", LTC="5"))


def refused(client, **changes):
    """The error of a limit order that would be fine without the changes; None takes a term away."""
    terms = {
        "symbol": SYMBOL,
        "side": "BUY",
        "type": "LIMIT",
        "timeInForce": "GTC",
        "quantity": "1",
        "price": "90",
    }
    terms = {name: value for name, value in (terms | changes).items() if value is not None}
    error = raised(BinanceAPIException, client.create_order, **terms)
    assert client.get_open_orders() == []
    return error.status_code, error.code, error.message


def check_symbol():
    client = begin()
    assert refused(client, symbol="NOSUCHCOIN") == (400, -1121, "Invalid symbol.")
    error = raised(BinanceAPIException, client.get_my_trades, symbol="NOSUCHCOIN")
    assert (error.status_code, error.code) == (400, -1121)
    assert refused(client, symbol="ltc/usdt")[1] == -1100


def check_balance():
    client = begin()
    message = "Account has insufficient balance for requested action."
    assert refused(client, quantity="20") == (400, -2010, message)
    assert refused(client, side="SELL", quantity="5.001", price="110") == (400, -2010, message)
    assert refused(client, type="MARKET", timeInForce=None, price=None, quantity="20") == (
        400,
        -2010,
        message,
    )


def check_filters():
    client = begin()
    assert refused(client, price="2000000") == (400, -1013, "Filter failure: PRICE_FILTER")
    assert refused(client, quantity="100000") == (400, -1013, "Filter failure: LOT_SIZE")
    assert refused(client, quantity="0.01") == (400, -1013, "Filter failure: NOTIONAL")
    assert refused(client, price="700") == (400, -1013, "Filter failure: PERCENT_PRICE_BY_SIDE")
    market = {"type": "MARKET", "timeInForce": None, "price": None}
    assert refused(client, **market, quantity="80000") == (400, -1013, "Filter failure: MARKET_LOT_SIZE")
    assert refused(client, quantity="0.0001") == (400, -1013, "Filter failure: LOT_SIZE")
    assert refused(client, price="90.001") == (400, -1013, "Filter failure: PRICE_FILTER")


def check_parameters():
    client = begin()
    precise = (400, -1111, "Parameter 'quantity' has too much precision.")
    assert refused(client, quantity="1.0000000001") == precise
    status, code, message = refused(client, price=None)
    assert (status, code) == (400, -1102)
    assert "'price'" in message
    assert refused(client, side="HOLD") == (400, -1117, "Invalid side.")
    assert refused(client, type="WISH") == (400, -1116, "Invalid orderType.")
    assert refused(client, timeInForce="EVER") == (400, -1115, "Invalid timeInForce.")
    assert refused(client, quantity="much")[1] == -1100
    assert refused(client, quantity="-1")[1] == -1100
    assert refused(client, stopPrice="80")[1] == -1106
    assert refused(client, nonsense="1")[1] == -1104
    error = raised(BinanceAPIException, client.get_order, symbol=SYMBOL)
    assert error.code == -1102
    assert "orderId" in error.message
    assert "origClientOrderId" in error.message


def check_unknown_orders():
    client = begin()
    error = raised(BinanceAPIException, client.get_order, symbol=SYMBOL, orderId=999_999_999)
    assert (error.status_code, error.code, error.message) == (400, -2013, "Order does not exist.")
    for name in ({"orderId": 999_999_999}, {"origClientOrderId": "nobody"}):
        error = raised(BinanceAPIException, client.cancel_order, symbol=SYMBOL, **name)
        assert (error.status_code, error.code, error.message) == (400, -2011, "Unknown order sent.")


def check_duplicate_client_order_id():
    client = begin()
    terms = {"symbol": SYMBOL, "quantity": "1", "price": "90", "newClientOrderId": "mine"}
    client.order_limit_buy(**terms)
    error = raised(BinanceAPIException, client.order_limit_buy, **terms)
    assert (error.code, error.message) == (-2010, "Duplicate order sent.")
    client.cancel_order(symbol=SYMBOL, origClientOrderId="mine")
    assert client.order_limit_buy(**terms)["clientOrderId"] == "mine", "free again after the cancel"


def check_timestamps():
    client = begin()
    client.timestamp_offset = -20_000
    error = raised(BinanceAPIException, client.get_account)
    assert (error.status_code, error.code) == (400, -1021)
    assert error.message == "Timestamp for this request is outside of the recvWindow."
    client.REQUEST_RECVWINDOW = 60_000  # what the client sends, whatever a call asks for
    assert client.get_account()["canTrade"] is True
    client.timestamp_offset = 5000
    error = raised(BinanceAPIException, client.get_account)
    assert error.code == -1021
    assert error.message == "Timestamp for this request was 1000ms ahead of the server's time."
    client.timestamp_offset = 0
    client.REQUEST_RECVWINDOW = 60_001
    error = raised(BinanceAPIException, client.get_account)
    assert (error.status_code, error.code) == (400, -1131)


def check_keys():
    account = open_account(USDT="1")
    message = "Signature for this request is not valid."
    error = raised(BinanceAPIException, client_of(account._replace(secret="wrong")).get_account)
    assert (error.status_code, error.code, error.message) == (400, -1022, message)
    error = raised(BinanceAPIException, client_of(Account("", "k" * 64, "s" * 64)).get_account)
    assert (error.status_code, error.code) == (401, -2015)
    assert error.message == "Invalid API-key, IP, or permissions for action."
    error = raised(BinanceAPIException, client_of(Account("", "not a key!", "s")).get_account)
    assert (error.status_code, error.code, error.message) == (401, -2014, "API-key format invalid.")
    error = raised(BinanceAPIException, Client(None, "s" * 64, ping=False).get_account)
    assert (error.status_code, error.code) == (401, -2014)
    assert client_of(account).get_account()["canTrade"] is True


def check_permissions():
    reader = client_of(open_account(permissions=["read"], USDT="1000"))
    assert reader.get_asset_balance("USDT")["free"] == "1000.00000000"
    terms = {"symbol": SYMBOL, "quantity": "1", "price": "90"}
    error = raised(BinanceAPIException, reader.order_limit_buy, **terms)
    assert (error.status_code, error.code) == (401, -2015)


def check_order_rate_limit():
    client = begin()
    terms = {
        "symbol": SYMBOL,
        "side": "BUY",
        "type": "LIMIT",
        "timeInForce": "GTC",
        "quantity": "0.1",
        "price": "90",
    }
    accepted, error = 0, None
    # Two windows of ten seconds at most: the second one begins while the orders are placed.
    while error is None and accepted <= 200:
        try:
            client.create_order(**terms)
            accepted += 1
        except BinanceAPIException as refusal:
            error = refusal
    assert (error.status_code, error.code) == (429, -1015), (accepted, error)
    assert error.message == "Too many new orders; current limit is 100 orders per 10 SECOND."
    assert 100 <= accepted < 200
    assert 0 < int(error.response.headers["Retry-After"]) <= 10
    assert len(client.cancel_all_open_orders(symbol=SYMBOL)) == accepted


def check_not_emulated():
    error = raised(BinanceAPIException, client_of(open_account(USDT="1")).get_sub_account_list)
    assert error.status_code == 404
    assert isinstance(error.code, int)
    assert "sub-account" in error.message


def check_time_offset():
    client = begin()
    client.timestamp_offset = client.get_server_time()["serverTime"] - int(time.time() * 1000)
    assert abs(client.timestamp_offset) < 1000
    client.REQUEST_RECVWINDOW = 2000
    assert client.get_account()["canTrade"] is True


run()
