"""A bot on ccxt and ccxt.pro as their documents show it, on Bybit."""

import asyncio
import contextlib
import json

import ccxt
import ccxt.pro

KEYS = {"apiKey": "emulator-demo-key", "secret": "emulator-demo-secret"}
SWAP = "BTC/USDT:USDT"

told = {}


def trade():
    exchange = ccxt.bybit(KEYS)
    placed = exchange.create_order("BTC/USDT", "market", "buy", 0.01)
    told["order"] = exchange.fetch_order(placed["id"], "BTC/USDT", {"acknowledged": True})["status"]
    exchange.create_order(SWAP, "market", "buy", 0.01)
    told["contracts"] = exchange.fetch_position(SWAP)["side"]
    told["coin"] = exchange.fetch_ticker("BTC/USD:BTC")["symbol"]
    try:
        exchange.create_order("BTC/USDT", "limit", "buy", 40, 50_000)
    except ccxt.InsufficientFunds:
        told["refusal"] = "InsufficientFunds"
    demo = ccxt.bybit(KEYS)
    demo.enable_demo_trading(True)
    told["demo"] = demo.privateGetV5AccountInfo()["result"]["marginMode"]
    testnet = ccxt.bybit(KEYS)
    testnet.set_sandbox_mode(True)
    told["testnet"] = testnet.fetch_status()["status"]


async def listen():
    exchange = ccxt.pro.bybit(KEYS)
    try:
        told["book"] = (await exchange.watch_order_book("BTC/USDT"))["symbol"]
        told["ticker"] = (await exchange.watch_ticker(SWAP))["symbol"]
        watching = asyncio.ensure_future(exchange.watch_orders(SWAP))
        while not watching.done():
            # The socket of the account opens in its own time; an order before that is not told of.
            await exchange.create_order(SWAP, "market", "buy", 0.01)
            await asyncio.wait([watching], timeout=1)
        told["account"] = watching.result()[0]["symbol"]
        order = await exchange.create_order_ws(SWAP, "limit", "buy", 0.01, 50_000)
        told["over the socket"] = (await exchange.cancel_order_ws(order["id"], SWAP))["id"] == order["id"]
    finally:
        # Debian's Python 3.11.2 cannot abort a TLS connection that was closed twice.
        with contextlib.suppress(AttributeError):
            await exchange.close()


trade()
asyncio.run(asyncio.wait_for(listen(), 90))
print(json.dumps(told))
