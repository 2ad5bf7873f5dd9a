"""One request, or several, and the refusal that they end in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple

from tests.exchanges.binance.building import Building
from tests.exchanges.binance.test_wallet_movements import BITCOIN_ADDRESS
from tests.exchanges.binance.trading_floor import LIMIT_BUY
from tests.web.client import Reply

ORDER = "/api/v3/order"
REPLACE = "/api/v3/order/cancelReplace"
AMEND = "/api/v3/order/amend/keepPriority"
KLINES = "/api/v3/klines"
WITHDRAW = "/sapi/v1/capital/withdraw/apply"
TRANSFER = "/sapi/v1/asset/transfer"
BTC = "BTCUSDT"

TAKES = {"symbol": BTC, "side": "BUY", "type": "LIMIT_MAKER", "quantity": "0.01", "price": "100010"}
TRAILING = {"symbol": BTC, "side": "SELL", "type": "STOP_LOSS", "quantity": "0.01", "trailingDelta": "100"}
BY_QUOTE = {"symbol": BTC, "side": "BUY", "type": "MARKET", "quoteOrderQty": "100"}
DESTINATION = {"coin": "BTC", "address": BITCOIN_ADDRESS, "amount": "1"}

Scene = Callable[[Building], Awaitable[Reply]]


class Case(NamedTuple):
    code: int
    text: str
    status: int
    scene: Scene
    altered: Mapping[str, Any]
    settings: Callable[[], Mapping[str, Any]]


def _plain() -> Mapping[str, Any]:
    return {}


class Cases(list[Case]):
    """Those of one module, in their order."""

    def scene(
        self,
        code: int,
        text: str,
        *,
        status: int = 400,
        altered: Mapping[str, Any] | None = None,
        settings: Callable[[], Mapping[str, Any]] = _plain,
    ) -> Callable[[Scene], Scene]:
        """What the decorated requests end in. altered: fields of BTCUSDT that differ from the listing."""

        def add(of: Scene) -> Scene:
            self.append(Case(code, text, status, of, altered or {}, settings))
            return of

        return add

    def asks(
        self,
        code: int,
        text: str,
        method: str,
        path: str,
        parameters: Mapping[str, Any],
        *,
        status: int = 400,
        altered: Mapping[str, Any] | None = None,
        **more: Any,
    ) -> None:
        """One request is enough. more: how it is asked."""

        async def ask(building: Building) -> Reply:
            return await building.ask(method, path, parameters, **more)

        self.append(Case(code, text, status, ask, altered or {}, _plain))


def without(parameters: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in parameters.items() if name not in names}


async def amended(building: Building, *quantities: str) -> Reply:
    """What the last of these amendments of one order is answered with."""
    placed = await building.take("POST", ORDER, LIMIT_BUY)
    for quantity in quantities:
        changes = {"symbol": BTC, "orderId": placed["orderId"], "newQty": quantity}
        reply = await building.ask("PUT", AMEND, changes)
    return reply
