"""ccxt's part of the story: another account, which sells into the bid and offers what is left."""

import ccxt
from ccxt_bybit_setup import SWAP, config_of, loaded
from stage import ARGUMENTS, TOLD, Account, run

exchange = ccxt.bybit(config_of(Account("", ARGUMENTS["key"], ARGUMENTS["secret"])))
exchange.set_markets(loaded.markets, loaded.currencies)


def check_part():
    quantity, price = ARGUMENTS["limit"]
    sold = exchange.create_order(SWAP, "market", "sell", float(ARGUMENTS["market"]))
    offered = exchange.create_order(SWAP, "limit", "sell", float(quantity), float(price))
    TOLD["orders"] = [order["id"] for order in (sold, offered)]
    TOLD["filled"] = exchange.fetch_order(sold["id"], SWAP, {"acknowledged": True})["filled"]
    TOLD["open"] = [[order["price"], order["remaining"]] for order in exchange.fetch_open_orders(SWAP)]


run()
