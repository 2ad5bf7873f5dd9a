"""The methods of both products' WebSocket APIs: the rows of REST under other names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from emulator.exchanges.binance.futures.products import COINM, USDM, Product
from emulator.exchanges.binance.ws_api.methods import Name

_USER_DATA: Final = (("start", "POST"), ("ping", "PUT"), ("stop", "DELETE"))

_BOTH: Final = (
    ("ping", "GET", "/v1/ping"),
    ("time", "GET", "/v1/time"),
    ("order.place", "POST", "/v1/order"),
    ("order.modify", "PUT", "/v1/order"),
    ("order.cancel", "DELETE", "/v1/order"),
    ("order.status", "GET", "/v1/order"),
    *((f"userDataStream.{verb}", method, "/v1/listenKey") for verb, method in _USER_DATA),
)

# Quirk: a method and its `v2/` are REST's version 2 and version 3 of the same (Account Information V2,
# Futures Account Balance V2, Position Information V2, WebSocket API).
_OWN: Final[Mapping[Product, tuple[tuple[str, str, str], ...]]] = {
    USDM: (
        ("depth", "GET", "/v1/depth"),
        ("ticker.price", "GET", "/v1/ticker/price"),
        ("ticker.book", "GET", "/v1/ticker/bookTicker"),
        ("algoOrder.place", "POST", "/v1/algoOrder"),
        ("algoOrder.cancel", "DELETE", "/v1/algoOrder"),
        ("account.status", "GET", "/v2/account"),
        ("v2/account.status", "GET", "/v3/account"),
        ("account.balance", "GET", "/v2/balance"),
        ("v2/account.balance", "GET", "/v3/balance"),
        ("account.position", "GET", "/v2/positionRisk"),
        ("v2/account.position", "GET", "/v3/positionRisk"),
    ),
    COINM: (
        ("account.status", "GET", "/v1/account"),
        ("account.balance", "GET", "/v1/balance"),
        ("account.position", "GET", "/v1/positionRisk"),
    ),
}


def names_of(product: Product) -> tuple[Name, ...]:
    return tuple(Name(name, method, product.prefix + path) for name, method, path in (*_BOTH, *_OWN[product]))
