"""binance-sdk-spot, which still has a method for the stream of a listen key."""

import json
import urllib.request

from binance_sdk_spot.websocket_streams.models import ExecutionReport, OutboundAccountPosition
from binance_sdk_spot_setup import Heard, market_streams, of, quietly
from stage import URL, hold_book, open_account, run

SYMBOL = "TRXUSDT"


def listen_key_of(account):
    """It can use one, and has no method left to get it."""
    request = urllib.request.Request(
        f"{URL}/api/v3/userDataStream", method="POST", headers={"X-MBX-APIKEY": account.key}
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)["listenKey"]


async def check_stream_of_a_listen_key():
    hold_book(SYMBOL, "0.3000", (("0.2990", "10000"),), (("0.3010", "10000"),))
    account = open_account(USDT="1000")
    key = listen_key_of(account)
    async with market_streams() as streams:
        events = Heard(await streams.user_data(key))
        assert (await streams.list_subscribe())["result"] == [key]
        placed = of(account).new_order(
            symbol=SYMBOL, side="BUY", type="LIMIT", time_in_force="GTC", quantity=100, price=0.25
        )
        report, position = await events.next(), await events.next()
        assert isinstance(report, ExecutionReport)
        assert (report.i, report.x, report.T) == (placed.order_id, "NEW", placed.transact_time)
        assert isinstance(position, OutboundAccountPosition)
        assert {each.a: (each.f, each.l) for each in position.B}["USDT"] == ("975.00000000", "25.00000000")


run(around=quietly)
