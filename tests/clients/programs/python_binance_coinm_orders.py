"""python-binance, synchronous, on COIN-M: orders of every kind and what becomes of them.

The clock stands still and the market is held.
"""

from binance.exceptions import BinanceAPIException
from python_binance_setup import client_of
from stage import hold_book, hold_price, move_clock, open_account, raised, run

SITE = "binance-coinm"
SYMBOL = "BTCUSD_PERP"
BIDS = (("49990", "1000"), ("49980", "2000"))
ASKS = (("50010", "1000"), ("50020", "2000"))


def begin():
    hold_book(SYMBOL, "50000", BIDS, ASKS, SITE)
    return client_of(open_account(wallet="coinm", BTC="1"))


def order(client, side, kind, **terms):
    return client.futures_coin_create_order(symbol=SYMBOL, side=side, type=kind, **terms)


def limit(client, side, quantity, price, **terms):
    return order(client, side, "LIMIT", quantity=quantity, price=price, **{"timeInForce": "GTC", **terms})


def state(client, placed):
    return client.futures_coin_get_order(symbol=SYMBOL, orderId=placed["orderId"])


def refused(call, *arguments, **terms):
    error = raised(BinanceAPIException, call, *arguments, **terms)
    assert error.status_code == 400
    return error.code


def check_times_in_force():
    client = begin()
    assert refused(limit, client, "BUY", "5", "50010", timeInForce="GTX") == -5022
    assert refused(limit, client, "BUY", "5000", "50010", timeInForce="FOK") == -5021
    taken = limit(client, "BUY", "1500", "50010", timeInForce="IOC", newOrderRespType="RESULT")
    assert (taken["status"], taken["executedQty"]) == ("EXPIRED", "1000")
    joined = order(client, "BUY", "LIMIT", quantity="1", priceMatch="QUEUE", timeInForce="GTC")
    assert joined["price"] == "49990.0"


def check_conditional_orders():
    """This client posts them as orders, which COIN-M goes on taking."""
    client = begin()
    order(client, "BUY", "MARKET", quantity="10")
    stop = order(client, "SELL", "STOP_MARKET", stopPrice="49000", closePosition="true")
    assert (stop["type"], stop["stopPrice"], stop["closePosition"]) == ("STOP_MARKET", "49000.0", True)
    profit = order(
        client, "SELL", "TAKE_PROFIT", quantity="5", stopPrice="51000", price="51010", reduceOnly="true"
    )
    trailing = order(
        client, "SELL", "TRAILING_STOP_MARKET", quantity="2", callbackRate="1", reduceOnly="true"
    )
    waiting = [each["orderId"] for each in client.futures_coin_get_open_orders(symbol=SYMBOL)]
    assert waiting == [stop["orderId"], profit["orderId"], trailing["orderId"]]
    hold_price(SYMBOL, "50500", SITE)
    hold_price(SYMBOL, "49990", SITE)
    fired = state(client, trailing)
    assert (fired["status"], fired["origType"], fired["executedQty"]) == (
        "FILLED",
        "TRAILING_STOP_MARKET",
        "2",
    )
    hold_price(SYMBOL, "49000", SITE)
    fired = state(client, stop)
    assert (fired["status"], fired["executedQty"]) == ("FILLED", "8")
    assert client.futures_coin_position_information(pair="BTCUSD")[0]["positionAmt"] == "0"


def check_batches():
    client = begin()
    terms = {"symbol": SYMBOL, "side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "1"}
    placed = client.futures_coin_place_batch_order(
        batchOrders=[{**terms, "price": "49000"}, {**terms, "price": "49000.05"}, {**terms, "price": "48000"}]
    )
    assert [each.get("code") for each in placed] == [None, -1111, None]
    numbers = [placed[0]["orderId"], placed[2]["orderId"]]
    gone = client.futures_coin_cancel_orders(symbol=SYMBOL, orderidlist=[numbers[0], 1])
    assert [each.get("status", each.get("code")) for each in gone] == ["CANCELED", -2011]
    assert client.futures_coin_cancel_all_open_orders(symbol=SYMBOL)["code"] == 200
    assert client.futures_coin_get_open_orders(symbol=SYMBOL) == []


def check_countdown():
    client = begin()
    placed = limit(client, "BUY", "1", "49000")
    said = client.futures_coin_countdown_cancel_all(symbol=SYMBOL, countdownTime=10_000)
    assert said == {"symbol": SYMBOL, "countdownTime": "10000"}
    move_clock(step="9s")
    assert state(client, placed)["status"] == "NEW"
    move_clock(step="2s")
    assert state(client, placed)["status"] in ("CANCELED", "EXPIRED")


def check_refusals():
    client = begin()
    assert refused(limit, client, "BUY", "1.5", "49000") == -1111
    assert refused(limit, client, "BUY", "1", "49000.123") == -1111
    assert refused(limit, client, "BUY", "1", "60000") == -4016
    assert refused(order, client, "BUY", "MARKET", quantity="100000") == -4005
    assert refused(order, client, "BUY", "STOP_MARKET", quantity="1", stopPrice="40000") == -2021
    assert refused(order, client, "BUY", "LIMIT", quantity="1", timeInForce="GTC") == -1102
    assert refused(limit, client, "BUY", "1", "49000", positionSide="LONG") == -4061
    assert refused(client.futures_coin_get_order, symbol=SYMBOL, orderId=987654321) == -2013


run()
