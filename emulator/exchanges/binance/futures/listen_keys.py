"""Listen keys over REST: the way to user data of futures."""

from __future__ import annotations

from emulator.exchanges.binance.futures.payloads.listen_keys import GivenListenKey
from emulator.exchanges.binance.futures.payloads.market import Nothing
from emulator.exchanges.binance.futures.products import product_of
from emulator.exchanges.binance.futures.rows import FuturesRows
from emulator.exchanges.binance.futures.user_data import LISTEN_KEYS
from emulator.exchanges.binance.user_data.listen_keys import ListenKeys
from emulator.exchanges.binance.vocabulary import USER_STREAM
from emulator.web.contract import Call

rows = FuturesRows()


def _keys(call: Call) -> ListenKeys:
    return LISTEN_KEYS[product_of(call)].of(call.sandbox)


@rows.both(
    "POST",
    "/v1/listenKey",
    summary="Start user data stream, or go on with the one that there is",
    security=USER_STREAM,
    weight=1,
    answers=GivenListenKey,
)
def start(call: Call) -> GivenListenKey:
    return {"listenKey": _keys(call).start(call.account)}


# Quirk: no key need be named to keep one alive or to close it, as an account has one only (Keepalive User
# Data Stream).


@rows.both(
    "PUT",
    "/v1/listenKey",
    summary="Keep user data stream alive",
    security=USER_STREAM,
    weight=1,
    answers=GivenListenKey,
)
def keep_alive(call: Call) -> GivenListenKey:
    return {"listenKey": _keys(call).extend(call.account)}


@rows.both(
    "DELETE",
    "/v1/listenKey",
    summary="Close user data stream",
    security=USER_STREAM,
    weight=1,
    answers=Nothing,
)
def close(call: Call) -> Nothing:
    _keys(call).close(call.account)
    return {}
