"""Every method of the WebSocket API, once, against what REST answers to the same in the same place."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from typing import Any, NamedTuple

import pytest

from emulator.exchanges.binance.eras import Eras
from emulator.exchanges.binance.spot.ws_api import OFFER, socket_row
from emulator.exchanges.binance.ws_api.connection import operations
from tests.exchanges.binance.building import rows, spot
from tests.exchanges.binance.shapes import Shape, complaints, fields
from tests.exchanges.binance.switchboard import Caller, Switchboard
from tests.exchanges.binance.test_order_lists import OCO, OPO, OPOCO, OTO, OTOCO
from tests.exchanges.binance.trading_floor import DEMO, LIMIT_BUY, LIMIT_SELL, MARKET_BUY, NOW_MS, OTHER

pytestmark = pytest.mark.anyio

BTC = {"symbol": "BTCUSDT"}
BOTH = ["BTCUSDT", "ETHUSDT"]
NAMED = {"newClientOrderId": "mine"}
ROUTED = {**LIMIT_BUY, **NAMED}
LEGACY_OCO = {
    **BTC,
    "side": "SELL",
    "quantity": "0.01",
    "price": "110000",
    "stopPrice": "95000",
    "stopLimitPrice": "94000",
    "stopLimitTimeInForce": "GTC",
    "listClientOrderId": "my-list",
    "limitClientOrderId": "my-limit",
    "stopClientOrderId": "my-stop",
}
DAY = {"startTime": NOW_MS - 86_400_000, "endTime": NOW_MS}
HOUR_OF_CANDLES = {**BTC, "interval": "1m", "startTime": NOW_MS - 3_600_000, "timeZone": "1:00"}


class Case(NamedTuple):
    """The endpoint that the documents describe alike, and parameters for both."""

    method: str
    path: str
    params: Mapping[str, Any] = {}


# Orders by id are those of `_furnish`.
CASES: Mapping[str, Case] = {
    "ping": Case("GET", "ping"),
    "time": Case("GET", "time"),
    "exchangeInfo": Case("GET", "exchangeInfo", {"symbols": BOTH, "showPermissionSets": False}),
    "executionRules": Case("GET", "executionRules", {"symbols": BOTH}),
    "depth": Case("GET", "depth", {**BTC, "limit": 5}),
    "trades.recent": Case("GET", "trades", {**BTC, "limit": 3}),
    "trades.historical": Case("GET", "historicalTrades", {**BTC, "fromId": 1000, "limit": 3}),
    "trades.aggregate": Case("GET", "aggTrades", {**BTC, "startTime": NOW_MS - 60_000, "limit": 3}),
    "blockTrades.historical": Case("GET", "historicalBlockTrades", {**BTC, "fromId": 1}),
    "klines": Case("GET", "klines", HOUR_OF_CANDLES),
    "uiKlines": Case("GET", "uiKlines", HOUR_OF_CANDLES),
    "avgPrice": Case("GET", "avgPrice", BTC),
    "ticker": Case("GET", "ticker", {"symbols": BOTH, "windowSize": "7d"}),
    "ticker.24hr": Case("GET", "ticker/24hr", {**BTC, "type": "MINI"}),
    "ticker.tradingDay": Case("GET", "ticker/tradingDay", {"symbols": BOTH, "timeZone": "05:45"}),
    "ticker.price": Case("GET", "ticker/price", BTC),
    "ticker.book": Case("GET", "ticker/bookTicker", {"symbols": BOTH}),
    "referencePrice": Case("GET", "referencePrice", BTC),
    "referencePrice.calculation": Case("GET", "referencePrice/calculation", BTC),
    "order.place": Case("POST", "order", {**LIMIT_BUY, **NAMED}),
    "order.test": Case("POST", "order/test", {**LIMIT_BUY, "computeCommissionRates": True}),
    "order.cancel": Case("DELETE", "order", {**BTC, "orderId": 1, **NAMED}),
    "order.cancelReplace": Case(
        "POST",
        "order/cancelReplace",
        {
            **LIMIT_SELL,
            **NAMED,
            "cancelReplaceMode": "STOP_ON_FAILURE",
            "cancelOrigClientOrderId": "first",
            "cancelNewClientOrderId": "gone",
        },
    ),
    "order.amend.keepPriority": Case(
        "PUT", "order/amend/keepPriority", {**BTC, "orderId": 1, "newQty": "0.003", **NAMED}
    ),
    "openOrders.cancelAll": Case("DELETE", "openOrders", BTC),
    "orderList.place": Case("POST", "order/oco", LEGACY_OCO),
    "orderList.place.oco": Case("POST", "orderList/oco", OCO),
    "orderList.place.oto": Case("POST", "orderList/oto", OTO),
    "orderList.place.otoco": Case("POST", "orderList/otoco", OTOCO),
    "orderList.place.opo": Case("POST", "orderList/opo", OPO),
    "orderList.place.opoco": Case("POST", "orderList/opoco", OPOCO),
    "orderList.cancel": Case("DELETE", "orderList", {**BTC, "listClientOrderId": "pair", **NAMED}),
    "sor.order.place": Case("POST", "sor/order", ROUTED),
    "sor.order.test": Case("POST", "sor/order/test", {**ROUTED, "computeCommissionRates": True}),
    "account.status": Case("GET", "account", {"omitZeroBalances": True}),
    "account.commission": Case("GET", "account/commission", BTC),
    "account.rateLimits.orders": Case("GET", "rateLimit/order"),
    "order.status": Case("GET", "order", {**BTC, "origClientOrderId": "first"}),
    "order.amendments": Case("GET", "order/amendments", {**BTC, "orderId": 3}),
    "openOrders.status": Case("GET", "openOrders", BTC),
    "allOrders": Case("GET", "allOrders", {**BTC, **DAY, "limit": 3}),
    "orderList.status": Case("GET", "orderList", {"origClientOrderId": "pair"}),
    "openOrderLists.status": Case("GET", "openOrderList"),
    "allOrderLists": Case("GET", "allOrderList", {"limit": 2}),
    "myTrades": Case("GET", "myTrades", {**BTC, "orderId": 2}),
    "myPreventedMatches": Case("GET", "myPreventedMatches", {**BTC, "orderId": 6}),
    "myAllocations": Case("GET", "myAllocations", BTC),
    "myFilters": Case("GET", "myFilters", BTC),
}

REFUSED = {"referencePrice", "referencePrice.calculation"}
"""No symbol has a reference price."""

# web-socket-api.md, "Authentication requests" and "User Data Stream requests".
STATE = fields("connectedSince:i returnRateLimits:b serverTime:i userDataStream:b")
LOGGED_ON = {"apiKey": "s", "authorizedSince": "i", **STATE}
LOGGED_OUT = {"apiKey": "null", "authorizedSince": "null", **STATE}
SESSION: Mapping[str, Shape] = {
    "session.logon": LOGGED_ON,
    "session.status": LOGGED_ON,
    "userDataStream.subscribe": fields("subscriptionId:i"),
    "userDataStream.subscribe.signature": fields("subscriptionId:i"),
    "session.subscriptions": [fields("subscriptionId:i")],
    "userDataStream.unsubscribe": {},
    "session.logout": LOGGED_OUT,
}
"""In an order in which they can be called."""


async def _furnish(board: Switchboard) -> None:
    """Orders 1 (rests), 2 (filled), 3 (amended), 4 and 5 (a pair), 6 and 7 (which meet each other)."""
    await board.post("order", **LIMIT_BUY, newClientOrderId="first")
    await board.post("order", **MARKET_BUY, newClientOrderId="second")
    await board.post("order", **LIMIT_BUY, newClientOrderId="third")
    await board.ok(
        "PUT", "order/amend/keepPriority", symbol="BTCUSDT", orderId=3, newQty="0.005", newClientOrderId="3rd"
    )
    await board.post("orderList/oco", **OCO, listClientOrderId="pair")
    for side in ("SELL", "BUY"):
        await board.post("order", **{**LIMIT_BUY, "side": side, "price": "100000"}, newClientOrderId=side)


@pytest.fixture
async def board() -> AsyncIterator[Switchboard]:
    async with Switchboard().on_air() as on_air:
        yield on_air


@pytest.fixture
async def caller(board: Switchboard) -> AsyncIterator[Caller]:
    async with board.call() as connected:
        yield connected


def _used(board: Switchboard) -> int:
    return board.door.quotas(board.sandbox).charge("127.0.0.1", 0, board.sandbox.clock.now_us())


_GENERATED = re.compile("[0-9a-f]{22}")


def _settled(body: Any) -> Any:
    """A body without the names that the exchange made up."""
    match body:
        case dict():
            return {name: _settled(value) for name, value in body.items()}
        case list():
            return [_settled(value) for value in body]
        case str() if _GENERATED.fullmatch(body):
            return "(generated)"
    return body


@pytest.mark.parametrize("name", CASES)
async def test_it_answers_what_rest_does(name: str) -> None:
    case = CASES[name]
    path = f"/api/v3/{case.path}"
    signed = rows()[case.method, path].security.signed
    # Each in an exchange of its own, since many of them change it; both exchanges are made alike.
    async with Switchboard() as other:
        await _furnish(other)
        before = _used(other)
        sent = {
            key: str(value).replace(" ", "").replace("'", '"') if isinstance(value, list) else value
            for key, value in case.params.items()
        }
        reply = await other.ask(case.method, path, sent)
        weight = _used(other) - before
        expected = reply.json
    async with Switchboard().on_air() as board, board.call() as caller:
        await _furnish(board)
        before = _used(board)
        answer = await caller.ask(name, board.sign(**case.params) if signed else case.params)
        assert answer["status"] == reply.status == (400 if name in REFUSED else 200), answer
        assert _used(board) - before == weight
        assert answer["rateLimits"][-1]["count"] == before + weight
    if name == "exchangeInfo":
        # CHANGELOG.md, 2023-08-25.
        assert expected["rateLimits"].pop()["rateLimitType"] == "RAW_REQUESTS"
        assert answer["result"]["rateLimits"].pop() == {
            "rateLimitType": "CONNECTIONS",
            "interval": "MINUTE",
            "intervalNum": 5,
            "limit": 300,
        }
    told = "error" if name in REFUSED else "result"
    assert _settled(answer[told]) == _settled(expected)
    assert list(answer) == ["id", "status", told, "rateLimits"]


async def test_every_method_has_a_test_here() -> None:
    assert set(operations(OFFER, tuple(spot().rows))) == {*CASES, *SESSION}
    assert {method.name for method in socket_row.methods} == {*CASES, *SESSION}
    assert {method.name for method in socket_row.methods if method.route is None} == set(SESSION)


async def test_every_trading_row_can_be_called() -> None:
    reached = {("/api/v3/" + case.path, case.method) for case in CASES.values()}
    assert {(path, method) for method, path in rows() if path.startswith("/api/")} == reached


async def test_session_methods_answer_the_documented_keys(board: Switchboard, caller: Caller) -> None:
    params: Mapping[str, Any] = {
        "session.logon": board.sign(),
        # One account may be listened to once, so this is another one.
        "userDataStream.subscribe.signature": board.sign(OTHER),
    }
    for name, shape in SESSION.items():
        answer = await caller.ask(name, params.get(name))
        assert answer["status"] == 200, answer
        assert not list(complaints(answer["result"], shape, name))
        assert answer["rateLimits"][-1]["rateLimitType"] == "REQUEST_WEIGHT"


async def test_session_methods_weigh_two(board: Switchboard, caller: Caller) -> None:
    before = _used(board)
    for name in SESSION:
        await caller.ask(name, board.sign() if name in ("session.logon",) else None)
    assert _used(board) - before == 2 * len(SESSION)


@pytest.mark.parametrize("name", ["v3/order.place", "order.place"])
async def test_a_name_may_begin_with_the_version(name: str, board: Switchboard, caller: Caller) -> None:
    assert (await caller.own(name, **LIMIT_BUY))["status"] == "NEW"


@pytest.mark.parametrize(
    "name", ["", "v3/", "orders.place", "order.place/v3", "v2/ping", "POST /api/v3/order"]
)
async def test_other_names_are_refused_by_name(name: str, caller: Caller) -> None:
    status, code, text = await caller.no(name)
    assert (status, code) == (400, -1020)
    assert text.startswith("This operation is not supported. There is no method ")


# web-socket-api.md, allOrders, orderList.status and allOrderLists.
@pytest.mark.parametrize(
    ("name", "passed_over", "params"),
    [
        ("allOrders", {"orderId": 3}, {**BTC, "startTime": NOW_MS - 1000}),
        ("allOrders", {"orderId": 3}, {**BTC, "endTime": NOW_MS + 1000}),
        ("allOrderLists", {"fromId": 99}, DAY),
        ("orderList.status", {"orderListId": 99}, {"origClientOrderId": "pair"}),
    ],
)
async def test_some_parameters_are_passed_over_beside_others(
    name: str, passed_over: dict[str, Any], params: dict[str, Any], board: Switchboard, caller: Caller
) -> None:
    await _furnish(board)
    plain = await caller.own(name, **params)
    assert plain
    assert await caller.own(name, **params, **passed_over) == plain


async def test_they_count_where_the_others_are_not_sent(board: Switchboard, caller: Caller) -> None:
    await _furnish(board)
    found = await caller.own("allOrders", **BTC, orderId=6)
    assert [order["orderId"] for order in found] == [6, 7]


# Listen keys


async def test_removed_methods_say_so(caller: Caller) -> None:
    for verb in ("start", "ping", "stop"):
        status, code, text = await caller.no(f"userDataStream.{verb}", {"apiKey": f"key-of-{DEMO}"})
        assert (status, code) == (400, -1020)
        assert "removed userDataStream." in text
        assert "spot_listen_key" in text


async def test_removed_methods_are_back_in_their_era() -> None:
    board = Switchboard(eras=Eras(spot_listen_key="serve"))
    async with board.on_air(), board.call() as caller:
        mine = {"apiKey": f"key-of-{DEMO}"}
        key = (await caller.take("userDataStream.start", mine))["listenKey"]
        assert await caller.take("userDataStream.ping", {**mine, "listenKey": key}) == {}
        assert (await caller.no("userDataStream.ping", {"listenKey": key}))[1:] == (
            -1102,
            "Mandatory parameter 'apiKey' was not sent, was empty/null, or malformed.",
        )
        await caller.take("session.logon", board.sign())
        assert (await caller.take("userDataStream.start"))["listenKey"] == key
        assert await caller.take("userDataStream.stop", {"listenKey": key}) == {}
        assert (await caller.no("userDataStream.ping", {**mine, "listenKey": key}))[1] == -1125
