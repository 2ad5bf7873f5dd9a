"""Refusals of the server, of its limits, of times and signatures (-10xx) and of parameters (-11xx)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from emulator.exchanges.binance.limits import VIOLATIONS_TOLERATED, Limits
from emulator.exchanges.binance.streams.connection import POOL as STREAMS_POOL
from tests.exchanges.binance.building import Building
from tests.exchanges.binance.error_scenes.case import BTC, KLINES, ORDER, Cases, without
from tests.exchanges.binance.test_order_lists import OCO, OPO, OPOCO
from tests.exchanges.binance.trading_floor import (
    LIMIT_BUY,
    MARKET_BUY,
)
from tests.runtime.universe import IMPATIENT, FailingJournal
from tests.web.client import Reply, knock

cases = Cases()

# 10xx: the server, the limits, the time and the signature


def _failing() -> Mapping[str, Any]:
    return {"journal": FailingJournal(), "patience": IMPATIENT}


def _break(building: Building) -> None:
    journal = building.journal
    assert isinstance(journal, FailingJournal)
    journal.fails = 1_000_000


OUTAGE = "Timeout waiting for response from backend server. Send status unknown; execution status unknown."


@cases.scene(-1007, OUTAGE, status=504, settings=_failing)
async def _the_journal_fails_under_an_order(building: Building) -> Reply:
    _break(building)
    return await building.ask("POST", ORDER, LIMIT_BUY)


@cases.scene(
    -1001,
    "Internal error; unable to process your request. Please try again.",
    status=503,
    settings=_failing,
)
async def _the_journal_still_fails(building: Building) -> Reply:
    _break(building)
    await building.ask("POST", ORDER, LIMIT_BUY)
    return await building.ask("POST", ORDER, LIMIT_BUY)


def _limited(**limits: Any) -> Callable[[], Mapping[str, Any]]:
    return lambda: {"counting": "on", "limits": Limits(**limits)}


@cases.scene(-1003, "Too many requests queued.", status=429, settings=_limited(requests_per_5_minutes=1))
async def _too_many_requests(building: Building) -> Reply:
    await building.take("GET", "/api/v3/ping")
    return await building.ask("GET", "/api/v3/ping")


WEIGHT = (
    "Too much request weight used; current limit is 10 request weight per 1 MINUTE. "
    "Please use WebSocket Streams for live updates to avoid polling the API."
)


@cases.scene(-1003, WEIGHT, status=429, settings=_limited(weight_per_minute=10))
async def _too_heavy_a_request(building: Building) -> Reply:
    return await building.ask("GET", "/api/v3/exchangeInfo")


BANNED = (
    "Way too much request weight used; IP banned until 1790000240000. "
    "Please use WebSocket Streams for live updates to avoid bans."
)


@cases.scene(-1003, BANNED, status=418, settings=_limited(weight_per_minute=10))
async def _going_on_after_429(building: Building) -> Reply:
    for _ in range(VIOLATIONS_TOLERATED + 1):
        await building.ask("GET", "/api/v3/exchangeInfo")
    return await building.ask("GET", "/api/v3/ping")


@cases.scene(
    -1015,
    "Too many new orders; current limit is 1 orders per 10 SECOND.",
    status=429,
    settings=_limited(orders_per_10_seconds=1),
)
async def _too_many_orders(building: Building) -> Reply:
    await building.take("POST", ORDER, LIMIT_BUY)
    return await building.ask("POST", ORDER, LIMIT_BUY)


@cases.scene(
    -1015,
    "Too many new orders; current limit is 1 orders per 1 DAY.",
    status=429,
    settings=_limited(orders_per_day=1),
)
async def _too_many_orders_of_a_list(building: Building) -> Reply:
    return await building.ask("POST", "/api/v3/orderList/oco", OCO)


@cases.scene(
    -1034,
    "Too many connection attempts from IP; current limit is 1 per '5 MINUTE'.",
    status=429,
    settings=_limited(connections_per_5_minutes=1),
)
async def _too_many_connections(building: Building) -> Reply:
    building.door.quotas(building.sandbox).connect(
        "127.0.0.1", building.sandbox.clock.now_us(), pool=STREAMS_POOL
    )
    return await knock(building.application, "/ws")


cases.asks(
    -1014,
    "Unsupported order combination.",
    "POST",
    ORDER,
    {**LIMIT_BUY, "timeInForce": "IOC", "icebergQty": "0.001"},
)
cases.asks(
    -1020,
    "This operation is not supported. Not emulated: POST /api/v3/userDataStream: the exchange removed it "
    "on 2026-02-20; subscribe over the WebSocket API, or set the era switch spot_listen_key to serve",
    "POST",
    "/api/v3/userDataStream",
    {},
    status=410,
)
cases.asks(
    -1020,
    "This operation is not supported. Not emulated: interest on margin loans.",
    "POST",
    "/sapi/v1/bnbBurn",
    {"interestBNBBurn": "true"},
)


def _timed() -> Mapping[str, Any]:
    return {"timestamps": "sandbox"}


@cases.scene(-1021, "Timestamp for this request is outside of the recvWindow.", settings=_timed)
async def _too_old_a_timestamp(building: Building) -> Reply:
    now_ms = building.sandbox.clock.now_us() // 1000
    return await building.ask("GET", "/api/v3/account", timestamp=now_ms - 5001)


@cases.scene(-1021, "Timestamp for this request was 1000ms ahead of the server's time.", settings=_timed)
async def _a_timestamp_of_the_future(building: Building) -> Reply:
    now_ms = building.sandbox.clock.now_us() // 1000
    return await building.ask("GET", "/api/v3/account", timestamp=now_ms + 1000)


cases.asks(
    -1022,
    "Signature for this request is not valid.",
    "GET",
    "/api/v3/account",
    {},
    signed=False,
    query=f"timestamp=1&signature={'0' * 64}",
)

# 11xx: parameters

cases.asks(
    -1100,
    "Illegal characters found in parameter 'symbol'; legal range is '^[\\w\\-._&&[^a-z]]{1,50}$'.",
    "GET",
    "/api/v3/depth",
    {"symbol": "btcusdt"},
)
cases.asks(-1101, "Too many parameters; expected '0' and received '1'.", "GET", "/api/v3/ping", {"a": 1})
cases.asks(
    -1101,
    "Duplicate values for a parameter detected.",
    "GET",
    "/api/v3/depth",
    {},
    query="symbol=BTCUSDT&symbol=ETHUSDT",
)
cases.asks(
    -1101,
    "Too many parameters sent for this endpoint.",
    "GET",
    "/api/v3/depth",
    {},
    query="&".join(f"a{count}=1" for count in range(2000)),
)
cases.asks(
    -1102,
    "Mandatory parameter 'symbol' was not sent, was empty/null, or malformed.",
    "GET",
    "/api/v3/depth",
    {},
)
cases.asks(
    -1102,
    "Mandatory parameter 'signature' was not sent, was empty/null, or malformed.",
    "GET",
    "/api/v3/account",
    {},
    signed=False,
    query="timestamp=1",
)
cases.asks(
    -1102,
    "Param 'orderId' or 'origClientOrderId' must be sent, but both were empty/null!",
    "GET",
    ORDER,
    {"symbol": BTC},
)
cases.asks(
    -1104,
    "Not all sent parameters were read; read '1' parameter(s) but was sent '2'.",
    "GET",
    "/api/v3/depth",
    {"symbol": BTC, "depth": 5},
)
cases.asks(-1105, "Parameter 'symbol' was empty.", "GET", "/api/v3/depth", {"symbol": ""})
cases.asks(
    -1106,
    "Parameter 'timeInForce' sent when not required.",
    "POST",
    ORDER,
    {**MARKET_BUY, "timeInForce": "GTC"},
)
cases.asks(
    -1108,
    "Parameter 'quantity' overflowed.",
    "POST",
    ORDER,
    {**LIMIT_BUY, "quantity": "92233720368.54775808"},
)
cases.asks(
    -1111,
    "Parameter 'quantity' has too much precision.",
    "POST",
    ORDER,
    {**LIMIT_BUY, "quantity": "0.010000001"},
)
cases.asks(-1115, "Invalid timeInForce.", "POST", ORDER, {**LIMIT_BUY, "timeInForce": "GTD"})
cases.asks(-1116, "Invalid orderType.", "POST", ORDER, {**LIMIT_BUY, "type": "STOP"})
cases.asks(-1117, "Invalid side.", "POST", ORDER, {**LIMIT_BUY, "side": "LONG"})
cases.asks(-1118, "New client order ID was empty.", "POST", ORDER, {**LIMIT_BUY, "newClientOrderId": ""})
cases.asks(
    -1119,
    "Original client order ID was empty.",
    "DELETE",
    ORDER,
    {"symbol": BTC, "origClientOrderId": ""},
)
cases.asks(-1120, "Invalid interval.", "GET", KLINES, {"symbol": BTC, "interval": "7m"})
cases.asks(-1121, "Invalid symbol.", "GET", "/api/v3/depth", {"symbol": "BTCMOON"})
cases.asks(-1122, "Invalid symbolStatus.", "GET", "/api/v3/ticker/price", {"symbolStatus": "OPEN"})
cases.asks(
    -1127,
    "More than 24 hours between startTime and endTime.",
    "GET",
    "/api/v3/allOrders",
    {"symbol": BTC, "startTime": 1_700_000_000_000, "endTime": 1_700_086_400_001},
)
cases.asks(
    -1128,
    "Combination of optional parameters invalid.",
    "GET",
    "/api/v3/myTrades",
    {"symbol": BTC, "orderId": 1, "startTime": 1},
)
cases.asks(
    -1130,
    "Data sent for parameter 'newOrderRespType' is not valid.",
    "POST",
    ORDER,
    {**LIMIT_BUY, "newOrderRespType": "SHORT"},
)
cases.asks(-1131, "recvWindow must be less than 60000", "POST", ORDER, {**LIMIT_BUY, "recvWindow": "60001"})
cases.asks(
    -1134,
    "`strategyType` was less than 1000000.",
    "POST",
    ORDER,
    {**LIMIT_BUY, "strategyType": 999_999},
)
cases.asks(-1139, "Invalid ticker type.", "GET", "/api/v3/ticker/24hr", {"symbol": BTC, "type": "SMALL"})
cases.asks(
    -1145,
    "`cancelRestrictions` has to be either `ONLY_NEW` or `ONLY_PARTIALLY_FILLED`.",
    "DELETE",
    ORDER,
    {"symbol": BTC, "orderId": 1, "cancelRestrictions": "ONLY_OLD"},
)
cases.asks(
    -1151,
    "Symbol is present multiple times in the list.",
    "GET",
    "/api/v3/ticker/price",
    {"symbols": '["BTCUSDT","BTCUSDT"]'},
)
cases.asks(
    -1158,
    "Order type not supported in OCO.",
    "POST",
    "/api/v3/orderList/oco",
    {**OCO, "aboveType": "LIMIT"},
)
cases.asks(
    -1160,
    "Parameter 'belowIcebergQty' is not supported if `aboveTimeInForce`/`belowTimeInForce` is not GTC.",
    "POST",
    "/api/v3/orderList/oco",
    {**OCO, "belowTimeInForce": "IOC", "belowIcebergQty": "0.001"},
)
cases.asks(
    -1194,
    "Invalid value for time unit; expected either MICROSECOND or MILLISECOND.",
    "GET",
    "/api/v3/time",
    {},
    headers={"X-MBX-TIME-UNIT": "SECOND"},
)

_STOP_ABOVE = {"aboveType": "STOP_LOSS", "aboveStopPrice": "105000"}
_STOP_BELOW = {"belowType": "STOP_LOSS", "belowStopPrice": "95000"}
_PROFIT_ABOVE = {"aboveType": "TAKE_PROFIT", "aboveStopPrice": "105000"}
_PROFIT_BELOW = {"belowType": "TAKE_PROFIT", "belowStopPrice": "95000"}
_LIMIT_ABOVE = {"aboveType": "LIMIT_MAKER", "abovePrice": "105000"}
_LIMIT_BELOW = {"belowType": "LIMIT_MAKER", "belowPrice": "95000"}

for _code, _text, _side, _legs in (
    (-1165, "A limit order in a buy OCO must be below.", "BUY", {**_LIMIT_ABOVE, **_STOP_BELOW}),
    (-1166, "A limit order in a sell OCO must be above.", "SELL", {**_STOP_ABOVE, **_LIMIT_BELOW}),
    (-1168, "At least one OCO order must be contingent.", "BUY", {**_LIMIT_ABOVE, **_LIMIT_BELOW}),
    (-1196, "A stop loss order in a buy OCO must be above.", "BUY", {**_PROFIT_ABOVE, **_STOP_BELOW}),
    (-1197, "A stop loss order in a sell OCO must be below.", "SELL", {**_STOP_ABOVE, **_PROFIT_BELOW}),
    (-1198, "A take profit order in a buy OCO must be below.", "BUY", {**_PROFIT_ABOVE, **_PROFIT_BELOW}),
    (-1199, "A take profit order in a sell OCO must be above.", "SELL", {**_PROFIT_ABOVE, **_PROFIT_BELOW}),
):
    cases.asks(
        _code,
        _text,
        "POST",
        "/api/v3/orderList/oco",
        {"symbol": BTC, "side": _side, "quantity": "0.01", **_legs},
    )

cases.asks(-1210, "Invalid pegPriceType.", "POST", ORDER, {**LIMIT_BUY, "pegPriceType": "BEST"})
cases.asks(
    -1211,
    "Invalid pegOffsetType.",
    "POST",
    ORDER,
    {**LIMIT_BUY, "pegPriceType": "PRIMARY_PEG", "pegOffsetType": "BIPS", "pegOffsetValue": 1},
)
cases.asks(
    -1220,
    "The symbol's status does not match the requested symbolStatus.",
    "GET",
    "/api/v3/depth",
    {"symbol": BTC, "symbolStatus": "HALT"},
)
cases.asks(
    -1222,
    "Working order in an OPO list must be a bid.",
    "POST",
    "/api/v3/orderList/opo",
    {**OPO, "workingSide": "SELL"},
)
cases.asks(
    -1223,
    "Pending orders in an OPO list must be asks.",
    "POST",
    "/api/v3/orderList/opoco",
    {**OPOCO, "pendingSide": "BUY"},
)
cases.asks(
    -1224,
    "Working order must include the 'workingQuantity' tag.",
    "POST",
    "/api/v3/orderList/opo",
    without(OPO, "workingQuantity"),
)
cases.asks(
    -1225,
    "Pending orders should not include the 'pendingQuantity' tag.",
    "POST",
    "/api/v3/orderList/opoco",
    {**OPOCO, "pendingQuantity": "0.01"},
)
