"""A bot on python-binance as its documents show it: no address, no certificate, no setting is changed."""

import asyncio
import json

from binance import AsyncClient, BinanceAPIException, BinanceSocketManager, Client

KEY, SECRET = "emulator-demo-key", "emulator-demo-secret"

told = {}


def trade():
    client = Client(KEY, SECRET)
    told["order"] = client.order_market_buy(symbol="BTCUSDT", quantity="0.01")["status"]
    told["contracts"] = client.futures_create_order(
        symbol="BTCUSDT", side="BUY", type="MARKET", quantity="0.01", newOrderRespType="RESULT"
    )["status"]
    told["coin"] = client.futures_coin_symbol_ticker(symbol="BTCUSD_PERP")[0]["symbol"]
    try:
        client.order_limit_buy(symbol="BTCUSDT", quantity="100", price="50000")
    except BinanceAPIException as error:
        told["refusal"] = error.code


async def listen():
    client = await AsyncClient.create(KEY, SECRET)
    sockets = BinanceSocketManager(client)
    async with sockets.trade_socket("BTCUSDT") as market, sockets.user_socket() as account:
        await client.order_market_sell(symbol="BTCUSDT", quantity="0.01")
        told["market"] = (await market.recv())["e"]
        told["account"] = (await account.recv())["e"]
    async with sockets.symbol_mark_price_socket("BTCUSDT") as marks:
        told["marks"] = (await marks.recv())["data"]["e"]
    await client.close_connection()


trade()
asyncio.run(listen())
print(json.dumps(told))
