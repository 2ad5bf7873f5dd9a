"""python-binance, unmodified, where another time is shown: it signs with its own clock."""

import time

from python_binance_setup import client_of
from stage import ARGUMENTS, D, control, open_account, run

SYMBOL = "BTCUSDT"
DAY_MS = 86_400_000
BEGIN_MS = ARGUMENTS["begin_ms"]


def check_time_stands_still():
    client = client_of(open_account(USDT="100000"))
    assert client.get_server_time() == {"serverTime": BEGIN_MS}
    assert abs(time.time() * 1000 - BEGIN_MS) > DAY_MS
    assert client.get_klines(symbol=SYMBOL, interval="1m", limit=1)[0][0] == BEGIN_MS // 60_000 * 60_000
    prices = {client.get_symbol_ticker(symbol=SYMBOL)["price"] for _ in range(3)}
    assert len(prices) == 1
    price = D(prices.pop())
    placed = client.order_limit_buy(symbol=SYMBOL, quantity="0.1", price=f"{price * D('0.999'):.2f}")
    assert (placed["status"], placed["transactTime"]) == ("NEW", BEGIN_MS)

    control("PUT", "clock", {"step": "30d"})
    assert client.get_server_time() == {"serverTime": BEGIN_MS + 30 * DAY_MS}
    state = client.get_order(symbol=SYMBOL, orderId=placed["orderId"])
    assert state["status"] == "FILLED", "in a month the price falls by a thousandth at some time"
    (trade,) = client.get_my_trades(symbol=SYMBOL, orderId=placed["orderId"])
    assert BEGIN_MS < trade["time"] < BEGIN_MS + 30 * DAY_MS
    assert trade["price"] == placed["price"]
    assert state["updateTime"] == trade["time"]
    (candle,) = client.get_klines(
        symbol=SYMBOL, interval="1m", startTime=trade["time"] // 60_000 * 60_000, limit=1
    )
    assert D(candle[3]) <= D(trade["price"]) <= D(candle[2]), "the market was there at that time"


run()
