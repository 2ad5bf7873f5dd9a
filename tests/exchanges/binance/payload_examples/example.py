"""What a row answers in one of its forms, and the requests that make it do so."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple

from tests.exchanges.binance.building import Building
from tests.exchanges.binance.shapes import Shape
from tests.exchanges.binance.test_order_lists import OCO
from tests.exchanges.binance.trading_floor import LIMIT_BUY

Scene = Callable[[Building], Awaitable[Any]]


class Example(NamedTuple):
    """cite: the section whose example it is. form: which of several."""

    method: str
    path: str
    form: str
    shape: Shape
    scene: Scene
    cite: str


class Examples(list[Example]):
    """Those of one module."""

    def shows(
        self,
        row: str,
        shape: Shape,
        cite: str,
        parameters: Mapping[str, Any] | None = None,
        *,
        form: str = "",
        before: Scene | None = None,
    ) -> None:
        """One request shows it. before: what happens first; the keys that it returns are sent as well."""
        method, path = row.split(" ")

        async def ask(building: Building) -> Any:
            found = {} if before is None else await before(building)
            return await building.take(method, path, {**(parameters or {}), **found})

        self.append(Example(method, path, form, shape, ask, cite))


def placing(path: str, order: Mapping[str, Any], **names: str) -> Scene:
    """Place something; names: which member of the answer is sent as what."""

    async def place(building: Building) -> dict[str, Any]:
        placed = await building.take("POST", f"/api/v3/{path}", order)
        return {sent: placed[member] for member, sent in names.items()}

    return place


BTC = {"symbol": "BTCUSDT"}
TWO = {"symbols": '["BTCUSDT","ETHUSDT"]'}
RESTING_ORDER = placing("order", LIMIT_BUY, orderId="orderId")
RESTING_LIST = placing("orderList/oco", OCO, orderListId="orderListId")
