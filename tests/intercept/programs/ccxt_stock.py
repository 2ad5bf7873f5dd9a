"""A bot on ccxt as its documents show it. Which class an error has depends on the host's name there."""

import json

import ccxt

KEYS = {"apiKey": "emulator-demo-key", "secret": "emulator-demo-secret"}

told = {}


def error_of(call, *arguments, **options):
    try:
        call(*arguments, **options)
    except ccxt.BaseError as error:
        return type(error).__name__, str(error)
    return None


spot = ccxt.binance(KEYS)
told["order"] = spot.create_order("BTC/USDT", "market", "buy", 0.01)["status"]
told["spot -2010"] = error_of(spot.create_order, "BTC/USDT", "limit", "buy", 100, 50_000)

contracts = ccxt.binanceusdm(KEYS)
told["contract"] = contracts.create_order("BTC/USDT:USDT", "market", "buy", 0.01)["status"]
contracts.set_leverage(1, "BTC/USDT:USDT")
told["usdm -2019"] = error_of(contracts.create_order, "BTC/USDT:USDT", "limit", "buy", 30, 60_000)
contracts.options["timeDifference"] = 3_600_000
told["usdm -1021"] = error_of(contracts.fetch_balance)

coin = ccxt.binancecoinm(KEYS)
told["coin"] = coin.fetch_ticker("BTC/USD:BTC")["symbol"]
print(json.dumps(told))
