"""What a product offers over its WebSocket API."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from emulator.exchanges.binance.lifetime import Heartbeat
from emulator.exchanges.binance.limits import Limits
from emulator.exchanges.binance.ws_api.frames import OrderWindow
from emulator.exchanges.binance.ws_api.methods import Name
from emulator.exchanges.binance.ws_api.standing import Standing
from emulator.web.contract import Opening, Route
from emulator.web.sockets import Socket


def _no_such_method(name: str) -> str:
    return f"There is no method {name!r}."


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """names: methods that rows of REST answer. session_rows: those that only a socket has.

    version: what may stand before the name of a method. connection_weight: what it costs to connect.
    stand: makes the standing of a connection. counted: paths of rows whose answers tell how many orders are
    unfilled, beside those that place orders. order_windows: in which these counts are given. explain: why
    a method is not offered. takes_time_unit, announces_shutdown: as in `streams.offer`.
    """

    path: str
    summary: str
    version: str
    connection_weight: int
    heartbeat: Heartbeat
    names: tuple[Name, ...]
    session_rows: tuple[Route, ...]
    order_windows: Callable[[Limits], tuple[OrderWindow, ...]]
    stand: Callable[[Opening, Socket, int, bool], Standing] = Standing
    counted: frozenset[str] = frozenset()
    explain: Callable[[str], str] = _no_such_method
    takes_time_unit: bool = False
    announces_shutdown: bool = False

    def all_names(self, rows: Sequence[Route]) -> list[tuple[Name, Route]]:
        """The methods that some of these rows answer, each with its row."""
        known = {(route.method, route.path): route for route in rows}
        return [
            (one, route) for one in self.names if (route := known.get((one.method, one.path))) is not None
        ]
