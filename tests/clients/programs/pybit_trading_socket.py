"""pybit's WebSocketTrading: orders over a socket, as REST then tells of them."""

from bybit_markets import hold_markets
from pybit_setup import Heard, ordering, session_of
from stage import D, open_account, run

CONTRACT = {"category": "linear", "symbol": "BTCUSDT"}
PAIR = {"category": "spot", "symbol": "BTCUSDT"}
ORDER = {"side": "Buy", "orderType": "Limit", "qty": "0.01", "price": "99000"}


def begin():
    hold_markets()
    account = open_account(wallet="unified", USDT="10000")
    return account, session_of(account)


def answered(call, **terms):
    heard = Heard()
    call(heard, **terms)
    answer = heard.next()
    assert (answer["retCode"], answer["retMsg"]) == (0, "OK")
    assert {"X-Bapi-Limit", "X-Bapi-Limit-Status", "Timenow"} <= answer["header"].keys()
    return answer


def check_one_order():
    account, session = begin()
    with ordering(account, recv_window=5000) as socket:
        for market in (CONTRACT, PAIR):
            order = answered(socket.place_order, **market, **ORDER, orderLinkId="mine")["data"]
            assert order["orderLinkId"] == "mine"
            (shown,) = session.get_open_orders(**market)["result"]["list"]
            assert (shown["orderId"], shown["orderStatus"]) == (order["orderId"], "New")
            answered(socket.amend_order, **market, orderId=order["orderId"], qty="0.02")
            (shown,) = session.get_open_orders(**market)["result"]["list"]
            assert D(shown["qty"]) == D("0.02")
            answered(socket.cancel_order, **market, orderId=order["orderId"])
            assert session.get_open_orders(**market, openOnly=0)["result"]["list"] == []


def check_many_orders():
    account, session = begin()
    with ordering(account) as socket:
        many = [{"symbol": "BTCUSDT", **ORDER, "price": price} for price in ("99000", "98000")]
        placed = answered(socket.place_batch_order, category="linear", request=many)
        numbers = [each["orderId"] for each in placed["data"]["list"]]
        assert [each["code"] for each in placed["retExtInfo"]["list"]] == [0, 0]
        named = [{"symbol": "BTCUSDT", "orderId": number} for number in numbers]
        answered(
            socket.amend_batch_order, category="linear", request=[{**each, "qty": "0.03"} for each in named]
        )
        shown = session.get_open_orders(**CONTRACT)["result"]["list"]
        assert [(each["orderId"], each["qty"]) for each in shown] == [
            (number, "0.030") for number in reversed(numbers)
        ]
        answered(socket.cancel_batch_order, category="linear", request=named)
        assert session.get_open_orders(**CONTRACT)["result"]["list"] == []


def check_refusals_come_to_their_own_callback():
    account, _ = begin()
    with ordering(account) as socket:
        heard, refused = Heard(), Heard()
        socket.place_order(heard, refused, **CONTRACT, **{**ORDER, "qty": "100"})
        assert refused.next()["retCode"] == 110007
        socket.cancel_order(heard, refused, **CONTRACT, orderId="nonsense")
        assert refused.next()["retCode"] == 110001
        answered(socket.place_order, **CONTRACT, **ORDER)


run()
