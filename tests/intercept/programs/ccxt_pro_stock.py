"""A bot on ccxt.pro as its documents show it: the market's and the account's sockets of two products."""

import asyncio
import contextlib
import json

import ccxt.pro

KEYS = {"apiKey": "emulator-demo-key", "secret": "emulator-demo-secret"}

told = {}


async def main():
    spot, contracts = ccxt.pro.binance(KEYS), ccxt.pro.binanceusdm(KEYS)
    try:
        told["book"] = len((await spot.watch_order_book("BTC/USDT", 5))["bids"])
        told["ticker"] = (await contracts.watch_ticker("BTC/USDT:USDT"))["symbol"]
        watching = asyncio.ensure_future(spot.watch_orders("BTC/USDT"))
        while not watching.done():
            # The socket of the account opens in its own time; an order before that is not told of.
            await spot.create_order("BTC/USDT", "market", "buy", 0.01)
            await asyncio.wait([watching], timeout=1)
        told["order"] = watching.result()[0]["symbol"]
        order = await spot.create_order_ws("BTC/USDT", "limit", "buy", 0.01, 50_000)
        told["over the socket"] = order["status"]
    finally:
        for exchange in (spot, contracts):
            # Debian's Python 3.11.2 cannot abort a TLS connection that was closed twice.
            with contextlib.suppress(AttributeError):
                await exchange.close()


asyncio.run(asyncio.wait_for(main(), 90))
print(json.dumps(told))
