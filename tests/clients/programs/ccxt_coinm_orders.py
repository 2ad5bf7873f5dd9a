"""ccxt, synchronous, on COIN-M: orders of every kind and what becomes of them."""

import ccxt
from ccxt_setup import config_of
from stage import Account, hold_book, hold_price, open_account, raised, run

SITE = "binance-coinm"
SYMBOL = "BTC/USD:BTC"
MARKET = "BTCUSD_PERP"
BIDS = (("49990", "1000"), ("49980", "2000"))
ASKS = (("50010", "1000"), ("50020", "2000"))

_loaded = ccxt.binancecoinm(config_of(Account("", None, None)))
_loaded.load_markets()


def begin():
    hold_book(MARKET, "50000", BIDS, ASKS, SITE)
    exchange = ccxt.binancecoinm(config_of(open_account(wallet="coinm", BTC="1")))
    exchange.set_markets(_loaded.markets, _loaded.currencies)
    return exchange


def check_resting_orders():
    exchange = begin()
    first = exchange.create_order(SYMBOL, "limit", "buy", 5, 49000)
    edited = exchange.edit_order(first["id"], SYMBOL, "limit", "buy", 6, 48900)
    assert (edited["id"], edited["price"], edited["amount"]) == (first["id"], 48900.0, 6.0)
    posted = exchange.create_order(SYMBOL, "limit", "buy", 5, 49500, {"postOnly": True})
    assert posted["timeInForce"] == "PO"
    gone = exchange.create_order(SYMBOL, "limit", "buy", 5, 49500, {"timeInForce": "IOC"})
    assert gone["status"] == "expired"
    assert [each["id"] for each in exchange.fetch_open_orders(SYMBOL)] == [first["id"], posted["id"]]
    assert exchange.fetch_open_order(first["id"], SYMBOL)["price"] == 48900.0
    assert exchange.cancel_order(first["id"], SYMBOL)["status"] == "canceled"
    raised(ccxt.OrderNotFound, exchange.cancel_order, first["id"], SYMBOL)
    exchange.cancel_all_orders(SYMBOL)
    assert [each["status"] for each in exchange.fetch_orders(SYMBOL)] == ["canceled", "canceled", "expired"]
    assert len(exchange.fetch_canceled_orders(SYMBOL)) == 2


def check_batches():
    exchange = begin()
    terms = {"symbol": SYMBOL, "type": "limit", "side": "buy", "amount": 1}
    prices = (49000, 48000, 80000)
    placed = exchange.create_orders([{**terms, "price": price} for price in prices])
    # It sorts them by time, and what was refused has none.
    failed, *resting = placed
    assert (failed["status"], failed["info"]["code"]) == ("rejected", -4016)
    assert [each["price"] for each in resting] == [49000.0, 48000.0]
    numbers = [each["id"] for each in resting]
    edited = exchange.edit_orders(
        [
            {**terms, "id": number, "price": price}
            for number, price in zip(numbers, (47000, 46000), strict=True)
        ]
    )
    assert [each["price"] for each in edited] == [47000.0, 46000.0]
    both = exchange.cancel_orders(numbers, SYMBOL)
    assert [each["status"] for each in both] == ["canceled", "canceled"]


def check_conditional_orders():
    """This client posts them as algo orders on both sites."""
    exchange = begin()
    exchange.create_order(SYMBOL, "market", "buy", 10)
    stop = exchange.create_order(
        SYMBOL, "market", "sell", None, None, {"stopLossPrice": 49000, "closePosition": True}
    )
    assert (stop["triggerPrice"], stop["status"]) == (49000.0, "open")
    profit = exchange.create_order(
        SYMBOL, "limit", "sell", 5, 51010, {"takeProfitPrice": 51000, "reduceOnly": True}
    )
    trailing = exchange.create_order(
        SYMBOL, "market", "sell", 2, None, {"trailingPercent": 1, "reduceOnly": True}
    )
    assert exchange.fetch_open_orders(SYMBOL) == []
    waiting = exchange.fetch_open_orders(SYMBOL, params={"trigger": True})
    assert {each["id"] for each in waiting} == {stop["id"], profit["id"], trailing["id"]}
    exchange.cancel_order(profit["id"], SYMBOL, {"trigger": True})
    hold_price(MARKET, "50500", SITE)
    hold_price(MARKET, "49990", SITE)
    fired = exchange.fetch_order(trailing["id"], SYMBOL, {"trigger": True})
    sold = exchange.fetch_order(fired["info"]["actualOrderId"], SYMBOL)
    assert (sold["status"], sold["filled"], sold["clientOrderId"]) == (
        "closed",
        2.0,
        trailing["clientOrderId"],
    )
    hold_price(MARKET, "49000", SITE)
    fired = exchange.fetch_order(stop["id"], SYMBOL, {"trigger": True})
    assert exchange.fetch_order(fired["info"]["actualOrderId"], SYMBOL)["filled"] == 8.0
    exchange.cancel_all_orders(SYMBOL, {"trigger": True})
    assert exchange.fetch_open_orders(SYMBOL, params={"trigger": True}) == []


run()
