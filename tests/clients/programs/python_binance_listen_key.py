"""python-binance, used as before 2026: a listen key over REST, and its stream on a market socket."""

import asyncio

from binance.exceptions import BinanceAPIException
from python_binance_setup import client_of, connected, following, next_of
from stage import D, hold_book, open_account, raised, run

SYMBOL = "TRXUSDT"
BIDS = (("0.2990", "10000"),)
ASKS = (("0.3010", "10000"),)


async def check_stream_of_a_listen_key():
    hold_book(SYMBOL, "0.3000", BIDS, ASKS)
    account = open_account(USDT="1000")
    client = client_of(account)
    key = client.stream_get_listen_key()
    assert client.stream_get_listen_key() == key, "an account has one"
    assert client.stream_keepalive(key) == {}
    async with connected(account) as (_, sockets):
        names = [key, f"{SYMBOL.lower()}@trade"]
        combined, modern = await following(sockets.multiplex_socket(names), sockets.user_socket())
        placed = client.order_limit_buy(symbol=SYMBOL, quantity="100", price="0.3010")
        expected = await next_of(modern, 3)
        assert [event.get("x") for event in expected] == ["NEW", "TRADE", None]
        told = {name: [] for name in names}
        (fill,) = placed["fills"]
        # The market trades too.
        while len(told[key]) < 3 or fill["tradeId"] not in [trade["t"] for trade in told[names[1]]]:
            message = await next_of(combined)
            told[message["stream"]].append(message["data"])
        assert told[key] == expected
        assert D(told[key][1]["L"]) == D("0.3010")

        client.stream_close(key)
        error = raised(BinanceAPIException, client.stream_keepalive, key)
        assert error.code == -1125
        client.order_limit_buy(symbol=SYMBOL, quantity="100", price="0.2990")
        await next_of(modern, 2)
        async with asyncio.timeout(30):
            while (message := await combined.recv())["stream"] != names[1]:
                assert message["data"]["e"] == "listenKeyExpired", "nothing else of a key that was closed"


run()
