"""How pybit tells what the exchange refuses, and what it does about it. It needs a clock that runs."""

import logging

from bybit_markets import hold_markets
from pybit.exceptions import FailedRequestError, InvalidRequestError
from pybit_setup import session_of
from stage import KEYS, Account, open_account, raised, register, requests_seen, run

PAIR = {"category": "spot", "symbol": "BTCUSDT"}
CONTRACT = {"category": "linear", "symbol": "BTCUSDT"}
LIMIT_MAX = 10
"""Orders of contracts an account may place each second ("Rate Limit")."""

hold_markets()


def begin(**options):
    return session_of(open_account(wallet="unified", USDT="1000"), **options)


def refused(call, **terms):
    return raised(InvalidRequestError, call, **terms).status_code


def check_codes():
    session = begin()
    order = {"side": "Buy", "orderType": "Limit", "price": "99000"}
    assert refused(session.place_order, **PAIR, **order, qty="1") == 170131
    assert refused(session.place_order, **CONTRACT, **order, qty="1") == 110007
    assert refused(session.place_order, **PAIR, **order, qty="0.00001") == 170140
    assert refused(session.place_order, **CONTRACT, **order, qty="0.0001") == 10001
    assert refused(session.place_order, **CONTRACT, **order, qty="0.01", reduceOnly=True) == 110017
    assert refused(session.cancel_order, **CONTRACT, orderId="0" * 8) == 110001
    assert refused(session.cancel_order, **PAIR, orderId="12345") == 170213
    session.place_order(**CONTRACT, **order, qty="0.01", orderLinkId="twice")
    assert refused(session.place_order, **CONTRACT, **order, qty="0.01", orderLinkId="twice") == 110072
    session.place_order(**PAIR, **order, qty="0.001", orderLinkId="twice-of-pairs")
    again = refused(session.place_order, **PAIR, **order, qty="0.001", orderLinkId="twice-of-pairs")
    assert again == 170141
    ignoring = begin(ignore_codes={110043})
    leverage = {"buyLeverage": "10", "sellLeverage": "10"}
    assert ignoring.set_leverage(**CONTRACT, **leverage)["retCode"] == 110043


def check_keys():
    account = open_account(wallet="unified", USDT="1")
    assert refused(session_of(Account("", "nobody", "x")).get_account_info) == 10003
    assert refused(session_of(account._replace(secret="wrong")).get_account_info) == 10004
    modest = open_account(permissions=["SpotTrade"], wallet="unified", USDT="1000")
    order = {"side": "Buy", "orderType": "Limit", "qty": "0.001", "price": "99000"}
    assert refused(session_of(modest).place_order, **CONTRACT, **order) == 10005
    assert session_of(modest).place_order(**PAIR, **order)["retCode"] == 0


def check_rsa():
    account = open_account(wallet="unified", USDT="1000")
    pair = KEYS["rsa"]
    key = register(account.name, "rsa", pair["public"])
    session = session_of(Account("", key, pair["private"]), rsa_authentication=True)
    order = {"side": "Buy", "orderType": "Limit", "qty": "0.001", "price": "99000"}
    placed = session.place_order(**CONTRACT, **order)["result"]["orderId"]
    (shown,) = session.get_open_orders(**CONTRACT)["result"]["list"]
    assert shown["orderId"] == placed


def check_late_requests_are_sent_again():
    """A window of -1 ms is always past. pybit adds 2500 ms after 10002, and asks again."""
    logging.getLogger("pybit").setLevel(logging.CRITICAL)
    session = begin(recv_window=-1, retry_delay=0)
    assert session.get_account_info()["retCode"] == 0
    asked = [each for each in requests_seen() if each["path"] == "/v5/account/info"]
    assert len(asked) >= 2
    once = begin(recv_window=-1, retry_delay=0, max_retries=1)
    assert raised(FailedRequestError, once.get_account_info).status_code == 400


def check_limits_are_waited_for():
    """After 10006 pybit sleeps until X-Bapi-Limit-Reset-Timestamp, which must not be past."""
    session = begin(return_response_headers=True)
    order = {"side": "Buy", "orderType": "Limit", "qty": "0.001", "price": "90000"}
    times = []
    for _ in range(LIMIT_MAX + 2):
        answer, _, headers = session.place_order(**CONTRACT, **order)
        assert answer["retCode"] == 0
        assert int(headers["X-Bapi-Limit"]) == LIMIT_MAX
        assert 0 <= int(headers["X-Bapi-Limit-Status"]) < LIMIT_MAX
        times.append(answer["time"])
    assert times[LIMIT_MAX] - times[0] >= 999
    open_orders, _, _ = session.get_open_orders(**CONTRACT, limit=50)
    assert len(open_orders["result"]["list"]) == LIMIT_MAX + 2


run()
