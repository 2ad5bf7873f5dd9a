"""Rows of both futures sites: declared once, with what one of them has otherwise beside it.

    rows = FuturesRows()

    @rows.both("GET", "/v1/depth", summary="Order book", weight=2, answers=Depth, coinm=Declared(weight=3))
    def depth(call: Call) -> Depth: ...

A path is what follows the product's own prefix; one that begins with `/futures/` is the same on both.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypedDict, TypeVar, Unpack

from emulator.exchanges.binance.futures.products import COINM, USDM, Product
from emulator.web.contract import Handler, Parameter, Rows, Security, Weight

H = TypeVar("H", bound=Handler)


class Declared(TypedDict, total=False):
    """What `Rows.route` takes by keyword."""

    summary: str
    answers: Any
    security: Security
    parameters: tuple[Parameter, ...]
    one_of: tuple[tuple[str, ...], ...]
    exclusive: tuple[tuple[str, ...], ...]
    weight: Weight
    free_when_accepted: bool
    orders: int
    reads: bool | None
    pool: str
    deprecated: bool
    description: str
    failures: Mapping[int, str] | None
    media: str


class FuturesRows:
    """The rows of one module, for each of the two sites."""

    def __init__(self) -> None:
        self._rows = {USDM: Rows(), COINM: Rows()}

    def of(self, product: Product) -> Rows:
        return self._rows[product]

    def both(
        self,
        method: str,
        path: str,
        *,
        usdm: Declared | None = None,
        coinm: Declared | None = None,
        **declared: Unpack[Declared],
    ) -> Callable[[H], H]:
        """Declare the decorated function for both sites. usdm, coinm: what is otherwise on one of them."""

        def declare(answer: H) -> H:
            self._declare(USDM, method, path, {**declared, **(usdm or {})})(answer)
            return self._declare(COINM, method, path, {**declared, **(coinm or {})})(answer)

        return declare

    def usdm(self, method: str, path: str, **declared: Unpack[Declared]) -> Callable[[H], H]:
        """Declare a row that only USD-M has."""
        return self._declare(USDM, method, path, declared)

    def coinm(self, method: str, path: str, **declared: Unpack[Declared]) -> Callable[[H], H]:
        """Declare a row that only COIN-M has."""
        return self._declare(COINM, method, path, declared)

    def _declare(
        self, product: Product, method: str, path: str, declared: Mapping[str, Any]
    ) -> Callable[[H], H]:
        whole = path if path.startswith("/futures/") else product.prefix + path
        return self._rows[product].route(method, whole, **declared)
