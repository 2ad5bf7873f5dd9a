"""The socket of spot's WebSocket API."""

from __future__ import annotations

from typing import Final

from emulator.exchanges.binance.lifetime import SPOT_HEARTBEAT
from emulator.exchanges.binance.limits import Limits
from emulator.exchanges.binance.spot import account, market, order_lists, queries, trading
from emulator.exchanges.binance.spot.ws_api.methods import COUNTED, NAMES, SESSION_ROWS, explain
from emulator.exchanges.binance.spot.ws_api.standing import SpotStanding
from emulator.exchanges.binance.ws_api.connection import socket_row as row_of
from emulator.exchanges.binance.ws_api.frames import OrderWindow
from emulator.exchanges.binance.ws_api.offer import Offer


def _order_windows(limits: Limits) -> tuple[OrderWindow, ...]:
    return (
        OrderWindow("SECOND", 10, limits.orders_per_10_seconds),
        OrderWindow("DAY", 1, limits.orders_per_day),
    )


OFFER: Final = Offer(
    path="/ws-api/v3",
    summary="The WebSocket API: requests as over REST, and user data",
    version="v3/",
    connection_weight=2,
    heartbeat=SPOT_HEARTBEAT,
    names=NAMES,
    session_rows=SESSION_ROWS,
    order_windows=_order_windows,
    stand=SpotStanding,
    counted=COUNTED,
    explain=explain,
    takes_time_unit=True,
    announces_shutdown=True,
)

socket_row: Final = row_of(
    OFFER, (*market.rows, *trading.rows, *queries.rows, *order_lists.rows, *account.rows)
)
