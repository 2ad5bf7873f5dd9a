"""A bot on pybit as its documents show it: no address, no certificate, no setting is changed."""

import json
import queue

from pybit.exceptions import InvalidRequestError
from pybit.unified_trading import HTTP, WebSocket, WebSocketTrading

KEYS = {"api_key": "emulator-demo-key", "api_secret": "emulator-demo-secret"}
CONTRACT = {"category": "linear", "symbol": "BTCUSDT"}
WITHIN_S = 30

told = {}


def trade(session):
    session.place_order(**CONTRACT, side="Buy", orderType="Market", qty="0.001")


def came(subscribe, stir=None):
    """What is pushed first. The socket tells nobody when it is subscribed, so it is stirred until then."""
    messages = queue.Queue()
    subscribe(messages.put)
    for _ in range(WITHIN_S):
        if stir is not None:
            stir()
        try:
            return messages.get(timeout=1)
        except queue.Empty:
            pass
    raise AssertionError("nothing came")


def main():
    session = HTTP(testnet=False, **KEYS)
    placed = session.place_order(
        category="spot", symbol="BTCUSDT", side="Buy", orderType="Market", qty="0.01", marketUnit="baseCoin"
    )["result"]["orderId"]
    (order,) = session.get_order_history(category="spot", orderId=placed)["result"]["list"]
    told["order"] = order["orderStatus"]
    trade(session)
    told["contracts"] = session.get_positions(**CONTRACT)["result"]["list"][0]["side"]
    try:
        session.place_order(
            category="spot", symbol="BTCUSDT", side="Buy", orderType="Limit", qty="40", price="50000"
        )
    except InvalidRequestError as error:
        told["refusal"] = error.status_code
    for name in ("testnet", "demo"):
        told[name] = HTTP(**{name: True}, **KEYS).get_account_info()["result"]["unifiedMarginStatus"]

    public = WebSocket(testnet=False, channel_type="linear")
    told["market"] = came(lambda tell: public.orderbook_stream(50, "BTCUSDT", tell))["data"]["s"]
    private = WebSocket(testnet=False, channel_type="private", **KEYS)
    told["account"] = came(private.order_stream, lambda: trade(session))["data"][0]["symbol"]
    demo = WebSocket(testnet=False, demo=True, channel_type="private", **KEYS)
    told["execution"] = came(demo.execution_stream, lambda: trade(session))["data"][0]["execType"]
    orders = WebSocketTrading(testnet=False, **KEYS)
    answer = came(
        lambda tell: orders.place_order(
            tell, tell, **CONTRACT, side="Buy", orderType="Limit", qty="0.001", price="50000"
        )
    )
    told["over the socket"] = answer["retMsg"]
    for socket in (public, private, demo, orders):
        socket.exit()


main()
print(json.dumps(told))
