"""ccxt, of a banned address."""

import ccxt
from ccxt_setup import urls
from stage import raised, run


def check_banned():
    exchange = ccxt.binance({"urls": urls()})
    error = raised(ccxt.DDoSProtection, exchange.fetch_time)
    assert '"code":-1003' in str(error)
    raised(ccxt.DDoSProtection, exchange.load_markets)


run()
