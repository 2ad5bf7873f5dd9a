"""ccxt's part of the story: another account, which sells into the bid and offers what is left."""

import ccxt
from ccxt_setup import config_of
from stage import ARGUMENTS, TOLD, Account, run

exchange = ccxt.binance(config_of(Account("", ARGUMENTS["key"], ARGUMENTS["secret"])))
exchange.load_markets()
symbol = exchange.market(ARGUMENTS["symbol"])["symbol"]


def check_part():
    quantity, price = ARGUMENTS["limit"]
    sold = exchange.create_order(symbol, "market", "sell", float(ARGUMENTS["market"]))
    offered = exchange.create_order(symbol, "limit", "sell", float(quantity), float(price))
    TOLD["orders"] = [order["info"] for order in (sold, offered)]
    TOLD["statuses"] = [order["status"] for order in (sold, offered)]
    TOLD["open"] = [[order["price"], order["remaining"]] for order in exchange.fetch_open_orders(symbol)]


run()
