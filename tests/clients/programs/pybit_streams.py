"""pybit's public sockets, on markets that stand still until something is done."""

from bybit_markets import INVERSE, LINEAR, SPOT, hold_markets, move, trade_there
from pybit_setup import Heard, listening, session_of
from stage import D, control, open_account, run

STEP = "200ms"


def levels(shown):
    return [[D(price), D(quantity)] for price, quantity in shown]


def check_book():
    hold_markets()
    with listening("linear") as socket:
        heard = Heard()
        socket.orderbook_stream(50, "BTCUSDT", heard)
        whole = heard.next()
        assert levels(whole["data"]["b"]) == [[99990, 10], [99980, 10]]
        assert levels(whole["data"]["a"]) == [[100010, 10], [100020, 10]]
        own = session_of(open_account(wallet="unified", USDT="1000"))
        order = {
            "category": "linear",
            "symbol": "BTCUSDT",
            "side": "Buy",
            "orderType": "Limit",
            "qty": "0.05",
        }
        placed = own.place_order(**order, price="99000")["result"]["orderId"]
        control("PUT", "clock", {"step": STEP})
        # The client puts what it is told into a book of its own, in no order; zero takes a level out.
        added = heard.until(lambda told: len(told["data"]["b"]) == 3)
        assert [D(99000), D("0.05")] in levels(added["data"]["b"])
        own.cancel_order(category="linear", symbol="BTCUSDT", orderId=placed)
        control("PUT", "clock", {"step": STEP})
        gone = heard.until(lambda told: len(told["data"]["b"]) == 2)
        assert levels(gone["data"]["b"]) == levels(session_book())


def session_book():
    return session_of().get_orderbook(category="linear", symbol="BTCUSDT", limit=50)["result"]["b"]


def check_best_prices():
    """Of depth 1 there are snapshots only, again after three seconds in which nothing changed."""
    hold_markets()
    with listening("spot") as socket:
        heard = Heard()
        socket.orderbook_stream(1, "BTCUSDT", heard)
        first = heard.next()["data"]
        assert (levels(first["b"]), levels(first["a"])) == ([[99990, 10]], [[100010, 10]])
        control("PUT", "clock", {"step": "3100ms"})
        again = heard.next()["data"]
        assert (again["u"], again["b"]) == (first["u"], first["b"])
        move(SPOT, "98000")
        control("PUT", "clock", {"step": STEP})
        moved = heard.until(lambda told: told["data"]["b"] != first["b"])
        assert len(moved["data"]["b"]) == len(moved["data"]["a"]) == 1


def check_trades_of_two_symbols():
    hold_markets()
    with listening("linear") as socket:
        heard, quoted = Heard(), Heard()
        # A ticker's first message says that the subscription before it is there as well.
        socket.trade_stream(["BTCUSDT", "ETHUSDT"], heard)
        socket.ticker_stream("BTCUSDT", quoted)
        quoted.next()
        trade_there(LINEAR, "100000", "0.125", "sell")
        control("PUT", "clock", {"step": STEP})
        told = heard.until(lambda told: told["topic"] == "publicTrade.BTCUSDT")
        (traded,) = [each for each in told["data"] if each["v"] == "0.125"]
        assert (traded["S"], D(traded["p"]), traded["s"]) == ("Sell", D(100000), "BTCUSDT")
        assert traded["L"]


def check_ticker():
    """The client lays what changed over what it was told first."""
    hold_markets()
    with listening("linear") as socket:
        heard = Heard()
        socket.ticker_stream("BTCUSDT", heard)
        first = heard.next()["data"]
        assert (D(first["lastPrice"]), D(first["bid1Price"])) == (100000, 99990)
        move(LINEAR, "101000")
        control("PUT", "clock", {"step": STEP})
        changed = heard.until(lambda told: D(told["data"]["lastPrice"]) == 101000)["data"]
        assert (D(changed["markPrice"]), D(changed["fundingRate"])) == (101000, D(first["fundingRate"]))
        assert set(changed) == set(first)


def check_ticker_of_a_pair():
    hold_markets()
    with listening("spot") as socket:
        heard = Heard()
        socket.ticker_stream("BTCUSDT", heard)
        first = heard.next()["data"]
        assert D(first["lastPrice"]) == 100000
        assert "bid1Price" not in first


def check_candles():
    hold_markets()
    with listening("inverse") as socket:
        heard = Heard()
        socket.kline_stream(1, "BTCUSD", heard)
        opened = {}

        def is_confirmed(told):
            opened.update({candle["start"]: candle for candle in told["data"]})
            return any(candle["confirm"] for candle in told["data"])

        quoted = Heard()
        socket.ticker_stream("BTCUSD", quoted)
        quoted.next()
        trade_there(INVERSE, "100000", "1000", "buy")
        control("PUT", "clock", {"step": "61s"})
        told = heard.until(is_confirmed)
        (candle,) = [each for each in told["data"] if each["confirm"]]
        assert candle["end"] - candle["start"] == 59_999
        assert D(candle["close"]) == 100000


def check_unsubscribing():
    hold_markets()
    with listening("linear") as socket:
        heard = Heard()
        socket.orderbook_stream(1, "BTCUSDT", heard)
        heard.next()
        socket.unsubscribe("orderbook.1.BTCUSDT")
        again = Heard()
        while "orderbook.1.BTCUSDT" in socket.callback_directory:
            # It takes the topic off its list when the answer is there; snapshots until then are the old ones.
            control("PUT", "clock", {"step": STEP})
        socket.orderbook_stream(1, "BTCUSDT", again)
        assert levels(again.next()["data"]["b"]) == [[99990, 10]]


run()
