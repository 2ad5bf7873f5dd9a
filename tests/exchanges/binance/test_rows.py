"""Every row of the site against the documents: security, weight, orders that it counts, and parameters.

Rows of /api are those of rest-api.md (2026-07), those of /sapi of the wallet and margin documents, as the
exchange's own connector (binance-connector-python, 2026-08) repeats them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import pytest

from emulator.exchanges.binance.limits import ACCOUNT_POOL, ACCOUNT_SECOND_POOL
from emulator.web.contract import Kind, Route
from tests.exchanges.binance.building import rows


class Spec(NamedTuple):
    """weight: None where it depends on the parameters, see WEIGHTS. pool: what it is charged to, the IP
    unless said. A parameter is mandatory with a `*`; `=` says its default, and `/` its maximum."""

    security: str
    weight: int | None
    parameters: str = ""
    orders: int = 0
    is_free: bool = False
    pool: str = ""


def leg(prefix: str, *, triggered: bool = True) -> str:
    names = (
        "Type* ClientOrderId IcebergQty Price TimeInForce StrategyId StrategyType "
        "PegPriceType PegOffsetType PegOffsetValue"
    )
    if triggered:
        names += " StopPrice TrailingDelta"
    return " ".join(prefix + name for name in names.split())


NEW = (
    "symbol* side* type* timeInForce quantity quoteOrderQty price newClientOrderId strategyId strategyType "
    "stopPrice trailingDelta icebergQty newOrderRespType selfTradePreventionMode "
    "pegPriceType pegOffsetValue pegOffsetType"
)
ROUTED = (
    "symbol* side* type* timeInForce quantity* price newClientOrderId strategyId strategyType "
    "icebergQty newOrderRespType selfTradePreventionMode"
)
LIST = "symbol* listClientOrderId newOrderRespType selfTradePreventionMode"
# Documented as optional, though a pair has two legs: pendingBelowType.
WORKING = f"workingSide* {leg('working', triggered=False)}"
PAIR = f"pendingSide* {leg('pendingAbove')} {leg('pendingBelow')}"
PENDING = f"pendingSide* {leg('pending')}"
# An OPO without the one or with the other has a code of its own: -1224, -1225.
PAID = "workingQuantity pendingQuantity"
QUANTITIES = "workingQuantity* pendingQuantity*"
TIMES = "startTime endTime"
PAGE = "limit=500/1000"
CANDLES = f"symbol* interval* {TIMES} timeZone=0 {PAGE}"
SYMBOLS = "symbol symbols symbolStatus"
HISTORY = f"{TIMES} offset=0 limit=1000/1000"

API: Mapping[str, Spec] = {
    "GET /ping": Spec("NONE", 1),
    "GET /time": Spec("NONE", 1),
    "GET /exchangeInfo": Spec("NONE", 20, f"{SYMBOLS} permissions showPermissionSets=True"),
    "GET /executionRules": Spec("NONE", None, SYMBOLS),
    "GET /depth": Spec("NONE", None, "symbol* limit=100/5000 symbolStatus"),
    "GET /trades": Spec("NONE", 25, f"symbol* {PAGE}"),
    "GET /historicalTrades": Spec("NONE", 25, f"symbol* {PAGE} fromId"),
    "GET /historicalBlockTrades": Spec("NONE", 25, f"symbol* fromId* {PAGE}"),
    "GET /aggTrades": Spec("NONE", 4, f"symbol* fromId {TIMES} {PAGE}"),
    "GET /klines": Spec("NONE", 2, CANDLES),
    "GET /uiKlines": Spec("NONE", 2, CANDLES),
    "GET /avgPrice": Spec("NONE", 2, "symbol*"),
    "GET /ticker/24hr": Spec("NONE", None, f"{SYMBOLS} type=FULL"),
    "GET /ticker/tradingDay": Spec("NONE", None, f"{SYMBOLS} timeZone=0 type=FULL"),
    "GET /ticker/price": Spec("NONE", None, SYMBOLS),
    "GET /ticker/bookTicker": Spec("NONE", None, SYMBOLS),
    "GET /ticker": Spec("NONE", None, f"{SYMBOLS} windowSize=1d type=FULL"),
    "GET /referencePrice": Spec("NONE", 2, "symbol*"),
    "GET /referencePrice/calculation": Spec("NONE", 2, "symbol* symbolStatus"),
    "POST /order": Spec("TRADE", 1, NEW, orders=1, is_free=True),
    "POST /order/test": Spec("TRADE", None, f"{NEW} computeCommissionRates"),
    "DELETE /order": Spec(
        "TRADE", 1, "symbol* orderId origClientOrderId newClientOrderId cancelRestrictions", is_free=True
    ),
    "DELETE /openOrders": Spec("TRADE", 1, "symbol*", is_free=True),
    # Its one order is counted by the endpoint itself, which may be told to cancel all the same.
    "POST /order/cancelReplace": Spec(
        "TRADE",
        1,
        f"{NEW} cancelReplaceMode* cancelNewClientOrderId cancelOrigClientOrderId cancelOrderId "
        "cancelRestrictions orderRateLimitExceededMode",
        is_free=True,
    ),
    "PUT /order/amend/keepPriority": Spec(
        "TRADE", 4, "symbol* orderId origClientOrderId newClientOrderId newQty*"
    ),
    "POST /order/oco": Spec(
        "TRADE",
        1,
        f"{LIST} side* quantity* limitClientOrderId price* limitStrategyId limitStrategyType limitIcebergQty "
        "trailingDelta stopClientOrderId stopPrice* stopStrategyId stopStrategyType stopLimitPrice "
        "stopIcebergQty stopLimitTimeInForce",
        orders=2,
        is_free=True,
    ),
    "POST /orderList/oco": Spec(
        "TRADE", 1, f"{LIST} side* quantity* {leg('above')} {leg('below')}", orders=2, is_free=True
    ),
    "POST /orderList/oto": Spec(
        "TRADE", 1, f"{LIST} {WORKING} {PENDING} {QUANTITIES}", orders=2, is_free=True
    ),
    "POST /orderList/otoco": Spec(
        "TRADE", 1, f"{LIST} {WORKING} {PAIR} {QUANTITIES}", orders=3, is_free=True
    ),
    "POST /orderList/opo": Spec("TRADE", 1, f"{LIST} {WORKING} {PENDING} {PAID}", orders=2, is_free=True),
    "POST /orderList/opoco": Spec("TRADE", 1, f"{LIST} {WORKING} {PAIR} {PAID}", orders=3, is_free=True),
    "DELETE /orderList": Spec(
        "TRADE", 1, "symbol* orderListId listClientOrderId newClientOrderId", is_free=True
    ),
    "POST /sor/order": Spec("TRADE", 1, ROUTED, orders=1, is_free=True),
    "POST /sor/order/test": Spec("TRADE", None, f"{ROUTED} computeCommissionRates"),
    "GET /account": Spec("USER_DATA", 20, "omitZeroBalances=False"),
    "GET /order": Spec("USER_DATA", 4, "symbol* orderId origClientOrderId"),
    "GET /openOrders": Spec("USER_DATA", None, "symbol"),
    "GET /allOrders": Spec("USER_DATA", 20, f"symbol* orderId {TIMES} {PAGE}"),
    "GET /orderList": Spec("USER_DATA", 4, "orderListId origClientOrderId"),
    "GET /allOrderList": Spec("USER_DATA", 20, f"fromId {TIMES} {PAGE}"),
    "GET /openOrderList": Spec("USER_DATA", 6),
    "GET /myTrades": Spec("USER_DATA", None, f"symbol* orderId {TIMES} fromId {PAGE}"),
    "GET /rateLimit/order": Spec("USER_DATA", 40),
    "GET /myPreventedMatches": Spec(
        "USER_DATA", None, f"symbol* preventedMatchId orderId fromPreventedMatchId {PAGE}"
    ),
    "GET /myAllocations": Spec("USER_DATA", 20, f"symbol* {TIMES} fromAllocationId {PAGE} orderId"),
    "GET /account/commission": Spec("USER_DATA", 20, "symbol*"),
    "GET /order/amendments": Spec("USER_DATA", 4, f"symbol* orderId* fromExecutionId {PAGE}"),
    "GET /myFilters": Spec("USER_DATA", 40, "symbol*"),
}

SAPI: Mapping[str, Spec] = {
    "GET /v1/system/status": Spec("NONE", 1),
    "GET /v1/capital/config/getall": Spec("USER_DATA", 10),
    "GET /v1/capital/deposit/address": Spec("USER_DATA", 10, "coin* network amount"),
    "GET /v1/capital/deposit/address/list": Spec("USER_DATA", 10, "coin* network"),
    "GET /v1/capital/deposit/hisrec": Spec("USER_DATA", 1, f"includeSource=False coin status txId {HISTORY}"),
    "POST /v1/capital/withdraw/apply": Spec(
        "WITHDRAW",
        900,
        "coin* withdrawOrderId network address* addressTag amount* transactionFeeFlag name walletType=0/1",
        pool=ACCOUNT_POOL,
    ),
    "GET /v1/capital/withdraw/history": Spec(
        "USER_DATA", 18_000, f"coin withdrawOrderId status idList {HISTORY}", pool=ACCOUNT_SECOND_POOL
    ),
    "POST /v1/asset/transfer": Spec(
        "TRANSFER", 300, "type* asset* amount* fromSymbol toSymbol", pool=ACCOUNT_POOL
    ),
    "GET /v1/asset/transfer": Spec(
        "USER_DATA", 1, f"type* {TIMES} current=1 size=10/100 fromSymbol toSymbol"
    ),
    # No longer in the documents; as releases of the connector before had them (1.0, "futures").
    "POST /v1/futures/transfer": Spec("TRANSFER", 1, "asset* amount* type*"),
    "GET /v1/futures/transfer": Spec("USER_DATA", 10, "asset* startTime* endTime current=1 size=10/100"),
    "GET /v1/asset/assetDetail": Spec("USER_DATA", 1, "asset"),
    "GET /v1/asset/tradeFee": Spec("USER_DATA", 1, "symbol"),
    "POST /v3/asset/getUserAsset": Spec("USER_DATA", 5, "asset needBtcValuation=False"),
    "POST /v1/asset/get-funding-asset": Spec("USER_DATA", 1, "asset needBtcValuation=False"),
    "GET /v1/asset/wallet/balance": Spec("USER_DATA", 60, "quoteAsset=BTC needBalanceDetail=False"),
    "GET /v1/asset/assetDividend": Spec("USER_DATA", 10, f"asset {TIMES} limit=20/500"),
    "GET /v1/asset/dribblet": Spec("USER_DATA", 1, f"accountType=SPOT {TIMES}"),
    "GET /v1/account/status": Spec("USER_DATA", 1),
    "GET /v1/account/apiTradingStatus": Spec("USER_DATA", 1),
    "GET /v1/account/info": Spec("USER_DATA", 1),
    "GET /v1/account/apiRestrictions": Spec("USER_DATA", 1),
    "GET /v1/bnbBurn": Spec("USER_DATA", 1),
    "POST /v1/bnbBurn": Spec("USER_DATA", 1, "spotBNBBurn interestBNBBurn"),
    "GET /v1/spot/delist-schedule": Spec("MARKET_DATA", 100),
    "GET /v1/margin/allPairs": Spec("MARKET_DATA", 1, "symbol"),
    "GET /v1/margin/isolated/allPairs": Spec("MARKET_DATA", 10, "symbol"),
}


def _under(prefix: str, specs: Mapping[str, Spec]) -> dict[tuple[str, str], Spec]:
    split = {name: name.split(" ") for name in specs}
    return {(split[name][0], prefix + split[name][1]): spec for name, spec in specs.items()}


SPECS = _under("/api/v3", API) | _under("/sapi", SAPI)

MANY = tuple(f"A{count}" for count in range(101))

WEIGHTS: Mapping[tuple[str, str], list[tuple[dict[str, Any], int]]] = {
    ("GET", "/api/v3/executionRules"): [
        ({"symbol": "A"}, 2),
        ({"symbols": MANY[:3]}, 6),
        ({"symbols": MANY[:21]}, 40),
        ({"symbolStatus": "HALT"}, 40),
        ({}, 40),
    ],
    ("GET", "/api/v3/depth"): [
        *[({"limit": limit}, 5) for limit in (1, 100)],
        *[({"limit": limit}, 25) for limit in (101, 500)],
        *[({"limit": limit}, 50) for limit in (501, 1000)],
        *[({"limit": limit}, 250) for limit in (1001, 5000)],
    ],
    ("GET", "/api/v3/ticker/24hr"): [
        ({"symbol": "A"}, 2),
        ({"symbols": MANY[:1]}, 2),
        ({"symbols": MANY[:20]}, 2),
        ({"symbols": MANY[:21]}, 40),
        ({"symbols": MANY[:100]}, 40),
        ({"symbols": MANY}, 80),
        ({}, 80),
    ],
    ("GET", "/api/v3/ticker/tradingDay"): [
        ({"symbol": "A"}, 4),
        ({"symbols": MANY[:50]}, 200),
        ({"symbols": MANY[:100]}, 200),
    ],
    ("GET", "/api/v3/ticker"): [
        ({"symbol": "A"}, 4),
        ({"symbols": MANY[:2]}, 8),
        ({"symbols": MANY[:100]}, 200),
    ],
    ("GET", "/api/v3/ticker/price"): [({"symbol": "A"}, 2), ({"symbols": MANY[:1]}, 4), ({}, 4)],
    ("GET", "/api/v3/ticker/bookTicker"): [({"symbol": "A"}, 2), ({"symbols": MANY[:1]}, 4), ({}, 4)],
    ("POST", "/api/v3/order/test"): [({}, 1), ({"computeCommissionRates": True}, 20)],
    ("POST", "/api/v3/sor/order/test"): [
        ({"computeCommissionRates": False}, 1),
        ({"computeCommissionRates": True}, 20),
    ],
    ("GET", "/api/v3/openOrders"): [({"symbol": "A"}, 6), ({}, 80)],
    ("GET", "/api/v3/myTrades"): [({}, 20), ({"orderId": 1}, 5), ({"orderId": 1, "fromId": 1}, 5)],
    ("GET", "/api/v3/myPreventedMatches"): [({"preventedMatchId": 1}, 2), ({"orderId": 1}, 20)],
}


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


def test_every_row_is_in_the_table() -> None:
    assert set(rows()) == set(SPECS)


@pytest.mark.parametrize("key", SPECS, ids=" ".join)
def test_a_row_is_as_documented(key: tuple[str, str]) -> None:
    route, spec = rows()[key], SPECS[key]
    assert route.security.name == spec.security
    assert route.security.signed == (spec.security not in ("NONE", "MARKET_DATA"))
    assert route.security.keyed == (spec.security != "NONE")
    assert (route.weight if isinstance(route.weight, int) else None) == spec.weight
    assert (route.orders, route.free_when_accepted) == (spec.orders, spec.is_free)
    assert route.pool == spec.pool
    assert described(route) == set(spec.parameters.split())


@pytest.mark.parametrize("key", [key for key, spec in SPECS.items() if spec.weight is None], ids=" ".join)
def test_a_weight_depends_on_the_parameters(key: tuple[str, str]) -> None:
    weigh = rows()[key].weight
    assert not isinstance(weigh, int)
    for values, weight in WEIGHTS[key]:
        assert weigh(values) == weight, values
