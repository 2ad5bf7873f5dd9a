"""Every public row of both futures sites against the documents: security, weight, pool and parameters.

They are those of the market data pages of both products, as the exchange's own connector
(binance-connector-python, 2026-08) repeats them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import pytest

from emulator.exchanges.binance.futures import market
from emulator.exchanges.binance.futures.products import COINM, USDM, Product
from emulator.exchanges.binance.limits import DATA_POOL, FUNDING_POOL
from emulator.web.contract import Kind, Route


class Spec(NamedTuple):
    """weight: None where it depends on the parameters, see WEIGHTS. pool: what it is charged to, the IP
    unless said; such a request counts as one there. A parameter is mandatory with a `*`; `=` says its
    default, and `/` its maximum."""

    weight: int | None
    parameters: str = ""
    pool: str = ""
    security: str = "NONE"


RANGE = "startTime endTime"
CANDLES = f"interval* {RANGE} limit=500/1500"
PAGE = "limit=500/1000"
DATA = f"symbol* period* {RANGE} limit=30/500"
DATA_OF_PAIR = f"pair* period* {RANGE} limit=30/500"

BOTH: Mapping[str, Spec] = {
    "/v1/ping": Spec(1),
    "/v1/time": Spec(1),
    "/v1/exchangeInfo": Spec(1),
    "/v1/depth": Spec(None, "symbol* limit=500/1000"),
    "/v1/trades": Spec(5, f"symbol* {PAGE}"),
    "/v1/historicalTrades": Spec(200, "symbol* limit=100/500 fromId", security="MARKET_DATA"),
    "/v1/aggTrades": Spec(20, f"symbol* fromId {RANGE} {PAGE}"),
    "/v1/klines": Spec(None, f"symbol* {CANDLES}"),
    "/v1/continuousKlines": Spec(None, f"pair* contractType* {CANDLES}"),
    "/v1/indexPriceKlines": Spec(None, f"pair* {CANDLES}"),
    "/v1/markPriceKlines": Spec(None, f"symbol* {CANDLES}"),
    "/v1/premiumIndexKlines": Spec(None, f"symbol* {CANDLES}"),
    "/v1/openInterest": Spec(1, "symbol*"),
}

SPECS: Mapping[Product, Mapping[str, Spec]] = {
    USDM: {
        **BOTH,
        "/v1/rpiDepth": Spec(20, "symbol* limit=1000/1000"),
        "/v1/premiumIndex": Spec(None, "symbol"),
        "/v1/fundingRate": Spec(1, f"symbol {RANGE} limit", FUNDING_POOL),
        "/v1/fundingInfo": Spec(1, pool=FUNDING_POOL),
        "/v1/ticker/24hr": Spec(None, "symbol"),
        "/v1/ticker/price": Spec(None, "symbol"),
        "/v2/ticker/price": Spec(None, "symbol"),
        "/v1/ticker/bookTicker": Spec(None, "symbol"),
        "/futures/data/openInterestHist": Spec(1, DATA, DATA_POOL),
        "/futures/data/topLongShortPositionRatio": Spec(1, DATA, DATA_POOL),
        "/futures/data/topLongShortAccountRatio": Spec(1, DATA, DATA_POOL),
        "/futures/data/globalLongShortAccountRatio": Spec(1, DATA, DATA_POOL),
        "/futures/data/takerlongshortRatio": Spec(1, DATA, DATA_POOL),
        "/futures/data/basis": Spec(1, f"{DATA_OF_PAIR} contractType*", DATA_POOL),
        "/futures/data/delivery-price": Spec(1, "pair*", DATA_POOL),
        "/v1/constituents": Spec(2, "symbol*"),
        "/v1/indexInfo": Spec(1, "symbol"),
        "/v1/assetIndex": Spec(None, "symbol"),
        "/v1/insuranceBalance": Spec(1, "symbol"),
        "/v1/symbolAdlRisk": Spec(1, "symbol"),
        "/v1/tradingSchedule": Spec(5),
    },
    COINM: {
        **BOTH,
        "/v1/premiumIndex": Spec(10, "symbol pair"),
        "/v1/fundingRate": Spec(1, f"symbol* {RANGE} limit=100/1000"),
        "/v1/fundingInfo": Spec(1),
        "/v1/ticker/24hr": Spec(None, "symbol pair"),
        "/v1/ticker/price": Spec(None, "symbol pair"),
        "/v1/ticker/bookTicker": Spec(None, "symbol pair"),
        "/futures/data/openInterestHist": Spec(1, f"{DATA_OF_PAIR} contractType"),
        "/futures/data/topLongShortPositionRatio": Spec(1, f"{DATA_OF_PAIR} contractType"),
        "/futures/data/topLongShortAccountRatio": Spec(1, f"{DATA_OF_PAIR} contractType"),
        "/futures/data/globalLongShortAccountRatio": Spec(1, f"{DATA_OF_PAIR} contractType"),
        "/futures/data/takerBuySellVol": Spec(1, f"{DATA_OF_PAIR} contractType*"),
        "/futures/data/basis": Spec(1, f"{DATA_OF_PAIR} contractType*"),
        "/futures/data/delivery-price": Spec(1, "pair*"),
        "/v1/constituents": Spec(1, "symbol*"),
    },
}

KLINES = [
    *[({"limit": limit}, 1) for limit in (1, 99)],
    *[({"limit": limit}, 2) for limit in (100, 499)],
    *[({"limit": limit}, 5) for limit in (500, 1000)],
    *[({"limit": limit}, 10) for limit in (1001, 1500)],
]
WEIGHTS: Mapping[str, list[tuple[dict[str, Any], int]]] = {
    "/v1/depth": [
        *[({"limit": limit}, 2) for limit in (5, 10, 20, 50)],
        ({"limit": 100}, 5),
        ({"limit": 500}, 10),
        ({"limit": 1000}, 20),
    ],
    "/v1/klines": KLINES,
    "/v1/continuousKlines": KLINES,
    "/v1/indexPriceKlines": KLINES,
    "/v1/markPriceKlines": KLINES,
    "/v1/premiumIndexKlines": KLINES,
    "/v1/premiumIndex": [({"symbol": "A"}, 1), ({}, 10)],
    "/v1/ticker/24hr": [({"symbol": "A"}, 1), ({}, 40), ({"pair": "A"}, 40)],
    "/v1/ticker/price": [({"symbol": "A"}, 1), ({}, 2), ({"pair": "A"}, 2)],
    "/v2/ticker/price": [({"symbol": "A"}, 1), ({}, 2)],
    "/v1/ticker/bookTicker": [({"symbol": "A"}, 2), ({}, 5), ({"pair": "A"}, 5)],
    "/v1/assetIndex": [({"symbol": "A"}, 1), ({}, 10)],
}

EVERY_ROW = pytest.mark.parametrize(
    ("product", "path"),
    [(product, path) for product, specs in SPECS.items() for path in specs],
    ids=lambda one: repr(one) if isinstance(one, Product) else str(one),
)


def rows(product: Product) -> dict[str, Route]:
    return {route.path: route for module in market.MODULES for route in module.of(product)}


def whole(product: Product, path: str) -> str:
    return path if path.startswith("/futures/") else product.prefix + path


def described(route: Route) -> set[str]:
    """The parameters of a row in the words of a Spec."""
    words: set[str] = set()
    for parameter in route.parameters:
        word = parameter.name + ("*" if parameter.required else "")
        if parameter.default is not None:
            word += f"={parameter.default}"
        if parameter.kind is Kind.INTEGER and parameter.default is not None and parameter.maximum is not None:
            word += f"/{parameter.maximum}"
        words.add(word)
    return words


@pytest.mark.parametrize("product", SPECS, ids=repr)
def test_every_row_is_in_the_table(product: Product) -> None:
    assert set(rows(product)) == {whole(product, path) for path in SPECS[product]}


@EVERY_ROW
def test_a_row_is_as_documented(product: Product, path: str) -> None:
    route, spec = rows(product)[whole(product, path)], SPECS[product][path]
    assert route.method == "GET"
    assert route.security.name == spec.security
    assert not route.security.signed
    assert route.security.keyed == (spec.security != "NONE")
    assert (route.weight if isinstance(route.weight, int) else None) == spec.weight
    assert route.pool == spec.pool
    assert described(route) == set(spec.parameters.split())


@EVERY_ROW
def test_a_weight_depends_on_the_parameters(product: Product, path: str) -> None:
    weigh = rows(product)[whole(product, path)].weight
    if isinstance(weigh, int):
        assert SPECS[product][path].weight == weigh
        return
    for values, weight in WEIGHTS[path]:
        assert weigh(values) == weight, values


@pytest.mark.parametrize(
    "path", ["/v1/ticker/24hr", "/v1/ticker/price", "/v1/ticker/bookTicker", "/v1/premiumIndex"]
)
def test_a_symbol_or_a_pair_but_not_both(path: str) -> None:
    assert rows(COINM)[whole(COINM, path)].exclusive == (("symbol", "pair"),)
