"""Which rows of REST can be asked over a WebSocket, and under which names ("Websocket Trade Guideline")."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

from emulator.web.contract import Method, Route

PATHS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "order.create": "/v5/order/create",
        "order.amend": "/v5/order/amend",
        "order.cancel": "/v5/order/cancel",
        "order.create-batch": "/v5/order/create-batch",
        "order.amend-batch": "/v5/order/amend-batch",
        "order.cancel-batch": "/v5/order/cancel-batch",
    }
)


def methods(rows: Iterable[Route]) -> tuple[Method, ...]:
    """rows: of the site."""
    by_path = {route.path: route for route in rows if route.method == "POST"}
    return tuple(Method(name, by_path[path].summary, by_path[path]) for name, path in PATHS.items())
