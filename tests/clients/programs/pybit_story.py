"""pybit's part of the story: an account that bids, and later takes what the other one offers."""

from pybit_setup import session_of
from stage import ARGUMENTS, TOLD, Account, run

CONTRACT = {"category": "linear", "symbol": "BTCUSDT"}


def part(key, secret):
    """What an account is told of its trades, its position and its money."""
    session = session_of(Account("", key, secret))
    (position,) = session.get_positions(**CONTRACT)["result"]["list"]
    (wallet,) = session.get_wallet_balance(accountType="UNIFIED")["result"]["list"]
    trades = session.get_executions(**CONTRACT)["result"]["list"]
    log = session.get_transaction_log(accountType="UNIFIED", type="TRADE")["result"]["list"]
    return {"trades": trades[::-1], "position": position, "wallet": wallet["coin"][0], "log": log[::-1]}


def check_part():
    if "accounts" in ARGUMENTS:
        for name, keys in ARGUMENTS["accounts"].items():
            TOLD[name] = part(*keys)
        anybody = session_of()
        TOLD["trades"] = anybody.get_public_trade_history(**CONTRACT, limit=1000)["result"]["list"]
        TOLD["book"] = anybody.get_orderbook(**CONTRACT, limit=50)["result"]
        return
    session = session_of(Account("", ARGUMENTS["key"], ARGUMENTS["secret"]))
    if "bid" in ARGUMENTS:
        quantity, price = ARGUMENTS["bid"]
        terms = {"orderType": "Limit", "qty": quantity, "price": price}
    else:
        terms = {"orderType": "Market", "qty": ARGUMENTS["take"]}
    TOLD["order"] = session.place_order(**CONTRACT, side="Buy", **terms)["result"]["orderId"]


run()
