"""The methods of the WebSocket APIs of futures: each is a row of REST, and none is missing."""

from __future__ import annotations

import pytest

from emulator.exchanges.binance import futures
from emulator.exchanges.binance.futures.products import COINM, USDM, Product
from emulator.exchanges.binance.futures.ws_api.methods import names_of

BOTH = (
    "ping time order.place order.modify order.cancel order.status userDataStream.start userDataStream.ping "
    "userDataStream.stop account.status account.balance account.position"
).split()
USDM_ONLY = (
    "depth ticker.price ticker.book algoOrder.place algoOrder.cancel v2/account.status v2/account.balance "
    "v2/account.position"
).split()


@pytest.mark.parametrize(("product", "listed"), [(USDM, {*BOTH, *USDM_ONLY}), (COINM, {*BOTH})])
def test_the_documented_methods_are_offered_and_answered(product: Product, listed: set[str]) -> None:
    names = names_of(product)
    assert {one.name for one in names} == listed
    rows = {(route.method, route.path) for route in futures.rows(product)}
    assert {(one.method, one.path) for one in names} <= rows
