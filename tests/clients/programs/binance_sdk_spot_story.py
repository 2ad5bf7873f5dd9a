"""binance-sdk-spot's part of the story: it looks at both accounts and at what everybody sees."""

from binance_sdk_spot_setup import Rest, of, quietly
from stage import ARGUMENTS, TOLD, Account, run

symbol = ARGUMENTS["symbol"]


def check_part():
    for name, (key, secret) in ARGUMENTS["accounts"].items():
        rest = of(Account(name, key, secret))
        TOLD[name] = {
            "trades": [trade.to_dict() for trade in rest.my_trades(symbol=symbol)],
            "balances": [each.to_dict() for each in rest.get_account(omit_zero_balances=True).balances],
        }
    everybody = Rest()
    TOLD["trades"] = [trade.to_dict() for trade in everybody.get_trades(symbol=symbol, limit=1000)]
    book = everybody.depth(symbol=symbol)
    TOLD["book"] = {"bids": book.bids, "asks": book.asks}


run(around=quietly)
