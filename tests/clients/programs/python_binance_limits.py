"""python-binance, of a banned address."""

from binance.client import Client
from binance.exceptions import BinanceAPIException
from python_binance_setup import client_of
from stage import DEMO_KEY, DEMO_SECRET, Account, raised, run


def check_banned():
    for call in (Client, client_of(Account("demo", DEMO_KEY, DEMO_SECRET)).get_account):
        error = raised(BinanceAPIException, call)
        assert (error.status_code, error.code) == (418, -1003)
        assert int(error.response.headers["Retry-After"]) <= 120


run()
