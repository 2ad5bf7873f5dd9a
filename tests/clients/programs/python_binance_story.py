"""python-binance's part of the story: an account that bids, and later takes what the other one offers."""

from python_binance_setup import client_of
from stage import ARGUMENTS, TOLD, Account, run

client = client_of(Account("", ARGUMENTS["key"], ARGUMENTS["secret"]))
symbol = ARGUMENTS["symbol"]


def check_part():
    if "bid" in ARGUMENTS:
        quantity, price = ARGUMENTS["bid"]
        TOLD["order"] = client.order_limit_buy(symbol=symbol, quantity=quantity, price=price)
    else:
        TOLD["order"] = client.order_market_buy(symbol=symbol, quantity=ARGUMENTS["take"])
    TOLD["balances"] = client.get_account(omitZeroBalances="true")["balances"]


run()
