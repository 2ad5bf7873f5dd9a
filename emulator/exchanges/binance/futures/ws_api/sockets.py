"""The sockets of the WebSocket APIs of futures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from emulator.exchanges.binance.futures.products import COINM, USDM, Product
from emulator.exchanges.binance.futures.ws_api.methods import names_of
from emulator.exchanges.binance.lifetime import FUTURES_HEARTBEAT
from emulator.exchanges.binance.limits import Limits
from emulator.exchanges.binance.ws_api.connection import socket_row as row_of
from emulator.exchanges.binance.ws_api.frames import OrderWindow
from emulator.exchanges.binance.ws_api.offer import Offer
from emulator.exchanges.binance.ws_api.session import session_rows
from emulator.web.contract import Route, SocketRow

PATHS: Final = {USDM: "/ws-fapi/v1", COINM: "/ws-dapi/v1"}


def _order_windows(limits: Limits) -> tuple[OrderWindow, ...]:
    return (
        OrderWindow("SECOND", 10, limits.orders_per_10_seconds),
        OrderWindow("MINUTE", 1, limits.orders_per_minute),
    )


def socket_row(product: Product, rows: Sequence[Route]) -> SocketRow:
    """rows: those of the product's site."""
    offer = Offer(
        path=PATHS[product],
        summary="The WebSocket API: requests as over REST",
        version="v1/",
        connection_weight=5,
        heartbeat=FUTURES_HEARTBEAT,
        names=names_of(product),
        session_rows=session_rows(),
        order_windows=_order_windows,
    )
    return row_of(offer, rows)
