"""ccxt's bybit: which of its classes tells of what is refused. It needs a clock that runs."""

import ccxt
from ccxt_bybit_setup import PAIR, SWAP, begin, nobody
from stage import open_account, raised, run

LIMIT_MAX = 10
"""Orders of contracts an account may place each second ("Rate Limit")."""


def check_funds():
    exchange = begin(funds={"USDT": "100"})
    for symbol in (PAIR, SWAP):
        raised(ccxt.InsufficientFunds, exchange.create_order, symbol, "limit", "buy", 1, 99000)


def check_orders():
    exchange = begin()
    raised(ccxt.OrderNotFound, exchange.cancel_order, "12345", PAIR)
    raised(ccxt.OrderNotFound, exchange.cancel_order, "no-such-order", SWAP)
    raised(ccxt.OrderNotFound, exchange.edit_order, "no-such-order", SWAP, "limit", "buy", 0.1, 99000)
    raised(ccxt.OrderNotFound, exchange.fetch_order, "no-such-order", SWAP, {"acknowledged": True})
    raised(ccxt.InvalidOrder, exchange.create_order, PAIR, "limit", "buy", 0.00002, 99000)
    # It refuses itself what is below the market's precision.
    raised(ccxt.InvalidOrder, exchange.create_order, SWAP, "limit", "buy", 0.00001, 99000)
    error = raised(
        ccxt.InvalidOrder, exchange.create_order, SWAP, "market", "sell", 0.01, None, {"reduceOnly": True}
    )
    assert '"retCode":110017' in str(error)


def check_keys():
    raised(ccxt.AuthenticationError, begin(account=nobody()).fetch_balance)
    account = open_account(wallet="unified", USDT="1")
    wrong = begin(account=account._replace(secret="wrong"))
    raised(ccxt.AuthenticationError, wrong.privateGetV5AccountInfo)
    modest = begin(permissions=["SpotTrade"])
    raised(ccxt.PermissionDenied, modest.create_order, SWAP, "limit", "buy", 0.01, 99000)
    assert modest.create_order(PAIR, "limit", "buy", 0.01, 99000)["id"]


def check_late_requests():
    exchange = begin(options={"recvWindow": -1})
    raised(ccxt.InvalidNonce, exchange.privateGetV5AccountInfo)
    ahead = begin(options={"timeDifference": -30_000})
    raised(ccxt.InvalidNonce, ahead.privateGetV5AccountInfo)


def check_limits():
    exchange = begin()

    def hurry():
        for _ in range(5 * LIMIT_MAX):
            exchange.create_order(SWAP, "limit", "buy", 0.001, 90000)

    error = raised(ccxt.RateLimitExceeded, hurry)
    assert '"retCode":10006' in str(error)


run()
