"""Listen keys over REST: how user data was streamed before 2026-02-20, for clients that still do."""

from __future__ import annotations

from functools import partial
from typing import Final, TypedDict

from emulator.exchanges.binance.errors import refuse
from emulator.exchanges.binance.spot.user_data import ACCOUNT_HUBS
from emulator.exchanges.binance.user_data.listen_keys import ListenKeyRing
from emulator.exchanges.binance.vocabulary import USER_STREAM
from emulator.web.contract import Call, Parameter, Rows

LISTEN_KEYS: Final = ListenKeyRing(ACCOUNT_HUBS.of, partial(refuse, -1125))

LISTEN_KEY: Final = Parameter("listenKey", required=True, description="As it was given out.")

rows = Rows()


class GivenListenKey(TypedDict):
    listenKey: str


class Nothing(TypedDict):
    pass


@rows.route(
    "POST",
    "/api/v3/userDataStream",
    summary="Start user data stream, or go on with the one that there is",
    security=USER_STREAM,
    weight=2,
    answers=GivenListenKey,
    deprecated=True,
)
def start(call: Call) -> GivenListenKey:
    return {"listenKey": LISTEN_KEYS.of(call.sandbox).start(call.account)}


@rows.route(
    "PUT",
    "/api/v3/userDataStream",
    summary="Keep user data stream alive",
    security=USER_STREAM,
    weight=2,
    parameters=(LISTEN_KEY,),
    answers=Nothing,
    deprecated=True,
)
def keep_alive(call: Call) -> Nothing:
    LISTEN_KEYS.of(call.sandbox).extend(call.account, call.values["listenKey"])
    return {}


@rows.route(
    "DELETE",
    "/api/v3/userDataStream",
    summary="Close user data stream",
    security=USER_STREAM,
    weight=2,
    parameters=(LISTEN_KEY,),
    answers=Nothing,
    deprecated=True,
)
def close(call: Call) -> Nothing:
    LISTEN_KEYS.of(call.sandbox).close(call.account, call.values["listenKey"])
    return {}
