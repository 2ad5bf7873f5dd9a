"""The ledger of refusals: of every code, engine text and filter that the documents name, either a request
that is refused so, or why no client of this emulator gets it.

Codes and texts are those of errors.md, filters those of filters.md; codes of the wallet those of its own
error list. What a single endpoint makes of its parameters is tested beside that endpoint.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

import pytest

from emulator.core.instruments import InstrumentStatus, SelfTradeMode
from emulator.exchanges.binance import errors
from emulator.exchanges.binance.limits import VIOLATIONS_TOLERATED, Limits
from emulator.exchanges.binance.spot.wallet import words
from emulator.exchanges.binance.streams.connection import POOL as STREAMS_POOL
from tests.exchanges.binance.building import Building
from tests.exchanges.binance.test_order_lists import KINDS, OCO, OPO, OPOCO, OTO
from tests.exchanges.binance.test_wallet_movements import BITCOIN_ADDRESS, ETHEREUM_ADDRESS, RIPPLE_ADDRESS
from tests.exchanges.binance.trading_floor import (
    DAY_US,
    LIMIT_BUY,
    LIMIT_SELL,
    MARKET_BUY,
    MINUTE_US,
    STOP_SELL,
)
from tests.runtime.universe import IMPATIENT, FailingJournal
from tests.web.client import Reply, knock

pytestmark = pytest.mark.anyio

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


CASES: list[Case] = []


def _plain() -> Mapping[str, Any]:
    return {}


def scene(
    code: int,
    text: str,
    *,
    status: int = 400,
    altered: Mapping[str, Any] | None = None,
    settings: Callable[[], Mapping[str, Any]] = _plain,
) -> Callable[[Scene], Scene]:
    """What the decorated requests end in. altered: fields of BTCUSDT that differ from the listing."""

    def add(of: Scene) -> Scene:
        CASES.append(Case(code, text, status, of, altered or {}, settings))
        return of

    return add


def asks(
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

    CASES.append(Case(code, text, status, ask, altered or {}, _plain))


def without(parameters: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in parameters.items() if name not in names}


# 10xx: the server, the limits, the time and the signature


def _failing() -> Mapping[str, Any]:
    return {"journal": FailingJournal(), "patience": IMPATIENT}


def _break(building: Building) -> None:
    journal = building.journal
    assert isinstance(journal, FailingJournal)
    journal.fails = 1_000_000


OUTAGE = "Timeout waiting for response from backend server. Send status unknown; execution status unknown."


@scene(-1007, OUTAGE, status=504, settings=_failing)
async def _the_journal_fails_under_an_order(building: Building) -> Reply:
    _break(building)
    return await building.ask("POST", ORDER, LIMIT_BUY)


@scene(
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


@scene(-1003, "Too many requests queued.", status=429, settings=_limited(requests_per_5_minutes=1))
async def _too_many_requests(building: Building) -> Reply:
    await building.take("GET", "/api/v3/ping")
    return await building.ask("GET", "/api/v3/ping")


WEIGHT = (
    "Too much request weight used; current limit is 10 request weight per 1 MINUTE. "
    "Please use WebSocket Streams for live updates to avoid polling the API."
)


@scene(-1003, WEIGHT, status=429, settings=_limited(weight_per_minute=10))
async def _too_heavy_a_request(building: Building) -> Reply:
    return await building.ask("GET", "/api/v3/exchangeInfo")


BANNED = (
    "Way too much request weight used; IP banned until 1790000240000. "
    "Please use WebSocket Streams for live updates to avoid bans."
)


@scene(-1003, BANNED, status=418, settings=_limited(weight_per_minute=10))
async def _going_on_after_429(building: Building) -> Reply:
    for _ in range(VIOLATIONS_TOLERATED + 1):
        await building.ask("GET", "/api/v3/exchangeInfo")
    return await building.ask("GET", "/api/v3/ping")


@scene(
    -1015,
    "Too many new orders; current limit is 1 orders per 10 SECOND.",
    status=429,
    settings=_limited(orders_per_10_seconds=1),
)
async def _too_many_orders(building: Building) -> Reply:
    await building.take("POST", ORDER, LIMIT_BUY)
    return await building.ask("POST", ORDER, LIMIT_BUY)


@scene(
    -1015,
    "Too many new orders; current limit is 1 orders per 1 DAY.",
    status=429,
    settings=_limited(orders_per_day=1),
)
async def _too_many_orders_of_a_list(building: Building) -> Reply:
    return await building.ask("POST", "/api/v3/orderList/oco", OCO)


@scene(
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


asks(
    -1014,
    "Unsupported order combination.",
    "POST",
    ORDER,
    {**LIMIT_BUY, "timeInForce": "IOC", "icebergQty": "0.001"},
)
asks(
    -1020,
    "This operation is not supported. Not emulated: POST /api/v3/userDataStream: the exchange removed it "
    "on 2026-02-20; subscribe over the WebSocket API, or set the era switch spot_listen_key to serve",
    "POST",
    "/api/v3/userDataStream",
    {},
    status=410,
)
asks(
    -1020,
    "This operation is not supported. Not emulated: interest on margin loans.",
    "POST",
    "/sapi/v1/bnbBurn",
    {"interestBNBBurn": "true"},
)


def _timed() -> Mapping[str, Any]:
    return {"timestamps": "sandbox"}


@scene(-1021, "Timestamp for this request is outside of the recvWindow.", settings=_timed)
async def _too_old_a_timestamp(building: Building) -> Reply:
    now_ms = building.sandbox.clock.now_us() // 1000
    return await building.ask("GET", "/api/v3/account", timestamp=now_ms - 5001)


@scene(-1021, "Timestamp for this request was 1000ms ahead of the server's time.", settings=_timed)
async def _a_timestamp_of_the_future(building: Building) -> Reply:
    now_ms = building.sandbox.clock.now_us() // 1000
    return await building.ask("GET", "/api/v3/account", timestamp=now_ms + 1000)


asks(
    -1022,
    "Signature for this request is not valid.",
    "GET",
    "/api/v3/account",
    {},
    signed=False,
    query=f"timestamp=1&signature={'0' * 64}",
)

# 11xx: parameters

asks(
    -1100,
    "Illegal characters found in parameter 'symbol'; legal range is '^[\\w\\-._&&[^a-z]]{1,50}$'.",
    "GET",
    "/api/v3/depth",
    {"symbol": "btcusdt"},
)
asks(-1101, "Too many parameters; expected '0' and received '1'.", "GET", "/api/v3/ping", {"a": 1})
asks(
    -1101,
    "Duplicate values for a parameter detected.",
    "GET",
    "/api/v3/depth",
    {},
    query="symbol=BTCUSDT&symbol=ETHUSDT",
)
asks(
    -1101,
    "Too many parameters sent for this endpoint.",
    "GET",
    "/api/v3/depth",
    {},
    query="&".join(f"a{count}=1" for count in range(2000)),
)
asks(
    -1102,
    "Mandatory parameter 'symbol' was not sent, was empty/null, or malformed.",
    "GET",
    "/api/v3/depth",
    {},
)
asks(
    -1102,
    "Mandatory parameter 'signature' was not sent, was empty/null, or malformed.",
    "GET",
    "/api/v3/account",
    {},
    signed=False,
    query="timestamp=1",
)
asks(
    -1102,
    "Param 'orderId' or 'origClientOrderId' must be sent, but both were empty/null!",
    "GET",
    ORDER,
    {"symbol": BTC},
)
asks(
    -1104,
    "Not all sent parameters were read; read '1' parameter(s) but was sent '2'.",
    "GET",
    "/api/v3/depth",
    {"symbol": BTC, "depth": 5},
)
asks(-1105, "Parameter 'symbol' was empty.", "GET", "/api/v3/depth", {"symbol": ""})
asks(
    -1106,
    "Parameter 'timeInForce' sent when not required.",
    "POST",
    ORDER,
    {**MARKET_BUY, "timeInForce": "GTC"},
)
asks(
    -1108,
    "Parameter 'quantity' overflowed.",
    "POST",
    ORDER,
    {**LIMIT_BUY, "quantity": "92233720368.54775808"},
)
asks(
    -1111,
    "Parameter 'quantity' has too much precision.",
    "POST",
    ORDER,
    {**LIMIT_BUY, "quantity": "0.010000001"},
)
asks(-1115, "Invalid timeInForce.", "POST", ORDER, {**LIMIT_BUY, "timeInForce": "GTD"})
asks(-1116, "Invalid orderType.", "POST", ORDER, {**LIMIT_BUY, "type": "STOP"})
asks(-1117, "Invalid side.", "POST", ORDER, {**LIMIT_BUY, "side": "LONG"})
asks(-1118, "New client order ID was empty.", "POST", ORDER, {**LIMIT_BUY, "newClientOrderId": ""})
asks(
    -1119,
    "Original client order ID was empty.",
    "DELETE",
    ORDER,
    {"symbol": BTC, "origClientOrderId": ""},
)
asks(-1120, "Invalid interval.", "GET", KLINES, {"symbol": BTC, "interval": "7m"})
asks(-1121, "Invalid symbol.", "GET", "/api/v3/depth", {"symbol": "BTCMOON"})
asks(-1122, "Invalid symbolStatus.", "GET", "/api/v3/ticker/price", {"symbolStatus": "OPEN"})
asks(
    -1127,
    "More than 24 hours between startTime and endTime.",
    "GET",
    "/api/v3/allOrders",
    {"symbol": BTC, "startTime": 1_700_000_000_000, "endTime": 1_700_086_400_001},
)
asks(
    -1128,
    "Combination of optional parameters invalid.",
    "GET",
    "/api/v3/myTrades",
    {"symbol": BTC, "orderId": 1, "startTime": 1},
)
asks(
    -1130,
    "Data sent for parameter 'newOrderRespType' is not valid.",
    "POST",
    ORDER,
    {**LIMIT_BUY, "newOrderRespType": "SHORT"},
)
asks(-1131, "recvWindow must be less than 60000", "POST", ORDER, {**LIMIT_BUY, "recvWindow": "60001"})
asks(
    -1134,
    "`strategyType` was less than 1000000.",
    "POST",
    ORDER,
    {**LIMIT_BUY, "strategyType": 999_999},
)
asks(-1139, "Invalid ticker type.", "GET", "/api/v3/ticker/24hr", {"symbol": BTC, "type": "SMALL"})
asks(
    -1145,
    "`cancelRestrictions` has to be either `ONLY_NEW` or `ONLY_PARTIALLY_FILLED`.",
    "DELETE",
    ORDER,
    {"symbol": BTC, "orderId": 1, "cancelRestrictions": "ONLY_OLD"},
)
asks(
    -1151,
    "Symbol is present multiple times in the list.",
    "GET",
    "/api/v3/ticker/price",
    {"symbols": '["BTCUSDT","BTCUSDT"]'},
)
asks(
    -1158,
    "Order type not supported in OCO.",
    "POST",
    "/api/v3/orderList/oco",
    {**OCO, "aboveType": "LIMIT"},
)
asks(
    -1160,
    "Parameter 'belowIcebergQty' is not supported if `aboveTimeInForce`/`belowTimeInForce` is not GTC.",
    "POST",
    "/api/v3/orderList/oco",
    {**OCO, "belowTimeInForce": "IOC", "belowIcebergQty": "0.001"},
)
asks(
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
    asks(
        _code,
        _text,
        "POST",
        "/api/v3/orderList/oco",
        {"symbol": BTC, "side": _side, "quantity": "0.01", **_legs},
    )

asks(-1210, "Invalid pegPriceType.", "POST", ORDER, {**LIMIT_BUY, "pegPriceType": "BEST"})
asks(
    -1211,
    "Invalid pegOffsetType.",
    "POST",
    ORDER,
    {**LIMIT_BUY, "pegPriceType": "PRIMARY_PEG", "pegOffsetType": "BIPS", "pegOffsetValue": 1},
)
asks(
    -1220,
    "The symbol's status does not match the requested symbolStatus.",
    "GET",
    "/api/v3/depth",
    {"symbol": BTC, "symbolStatus": "HALT"},
)
asks(
    -1222,
    "Working order in an OPO list must be a bid.",
    "POST",
    "/api/v3/orderList/opo",
    {**OPO, "workingSide": "SELL"},
)
asks(
    -1223,
    "Pending orders in an OPO list must be asks.",
    "POST",
    "/api/v3/orderList/opoco",
    {**OPOCO, "pendingSide": "BUY"},
)
asks(
    -1224,
    "Working order must include the 'workingQuantity' tag.",
    "POST",
    "/api/v3/orderList/opo",
    without(OPO, "workingQuantity"),
)
asks(
    -1225,
    "Pending orders should not include the 'pendingQuantity' tag.",
    "POST",
    "/api/v3/orderList/opoco",
    {**OPOCO, "pendingQuantity": "0.01"},
)

# -1013: filters

_order: Mapping[str, Any]
for _name, _fields, _order in (
    ("PRICE_FILTER", {}, {**LIMIT_BUY, "price": "90000.001"}),
    ("LOT_SIZE", {}, {**LIMIT_BUY, "quantity": "0.010001"}),
    ("NOTIONAL", {}, {**LIMIT_BUY, "quantity": "0.00001"}),
    ("PERCENT_PRICE_BY_SIDE", {"bid_multiplier_down": Decimal("0.95")}, LIMIT_BUY),
    ("ICEBERG_PARTS", {"iceberg_parts_max": 9}, {**LIMIT_BUY, "icebergQty": "0.001"}),
    ("MARKET_LOT_SIZE", {"market_quantity_max": Decimal("0.009")}, MARKET_BUY),
    ("MAX_POSITION", {"position_max": Decimal("100.009")}, LIMIT_BUY),
    ("TRAILING_DELTA", {"trailing_below_max": 99}, TRAILING),
):
    asks(-1013, f"Filter failure: {_name}", "POST", ORDER, _order, altered=_fields)


def _is_one_too_many(name: str, field: str, path: str, order: Mapping[str, str]) -> None:
    @scene(-1013, f"Filter failure: {name}", altered={field: 1})
    async def _one_too_many(building: Building) -> Reply:
        await building.take("POST", path, order)
        return await building.ask("POST", path, order)


_is_one_too_many("MAX_NUM_ORDERS", "orders_max", ORDER, LIMIT_BUY)
_is_one_too_many("MAX_NUM_ALGO_ORDERS", "trigger_orders_max", ORDER, STOP_SELL)
_is_one_too_many("MAX_NUM_ICEBERG_ORDERS", "iceberg_orders_max", ORDER, {**LIMIT_BUY, "icebergQty": "0.005"})
_is_one_too_many("MAX_NUM_ORDER_LISTS", "order_lists_max", "/api/v3/orderList/oto", OTO)


async def _amended(building: Building, *quantities: str) -> Reply:
    placed = await building.take("POST", ORDER, LIMIT_BUY)
    for quantity in quantities:
        changes = {"symbol": BTC, "orderId": placed["orderId"], "newQty": quantity}
        reply = await building.ask("PUT", AMEND, changes)
    return reply


@scene(-2038, "Filter failure: MAX_NUM_ORDER_AMENDS", altered={"amends_max": 2})
async def _amended_too_often(building: Building) -> Reply:
    return await _amended(building, "0.009", "0.008", "0.007")


# -1013 and -2010: what the symbol does not offer, and what the matching engine refuses

_PROFIT_SELL = {**STOP_SELL, "stopPrice": "105000", "price": "105000"}

for _text, _field, _path, _order in (
    ("Market orders are not supported for this symbol.", "market_orders", ORDER, MARKET_BUY),
    (
        "Quote order qty market orders are not support for this symbol.",
        "quote_quantity_orders",
        ORDER,
        BY_QUOTE,
    ),
    ("Stop loss limit orders are not supported for this symbol.", "trigger_orders", ORDER, STOP_SELL),
    (
        "Stop loss orders are not supported for this symbol.",
        "trigger_orders",
        ORDER,
        {**without(STOP_SELL, "price", "timeInForce"), "type": "STOP_LOSS"},
    ),
    (
        "Take profit limit orders are not supported for this symbol.",
        "trigger_orders",
        ORDER,
        {**_PROFIT_SELL, "type": "TAKE_PROFIT_LIMIT"},
    ),
    (
        "Take profit orders are not supported for this symbol.",
        "trigger_orders",
        ORDER,
        {**without(_PROFIT_SELL, "price", "timeInForce"), "type": "TAKE_PROFIT"},
    ),
    ("Trailing stop orders are not supported for this symbol.", "trailing_orders", ORDER, TRAILING),
    (
        "Iceberg orders are not supported for this symbol.",
        "iceberg_orders",
        ORDER,
        {**LIMIT_BUY, "icebergQty": "0.005"},
    ),
    (
        "Pegged orders are not supported for this symbol.",
        "pegged_orders",
        ORDER,
        {**LIMIT_BUY, "pegPriceType": "PRIMARY_PEG"},
    ),
    ("OCO orders are not supported for this symbol", "order_lists", "/api/v3/orderList/oco", OCO),
    ("OPO orders are not supported for this symbol.", "order_lists", "/api/v3/orderList/opo", OPO),
    (
        "Order cancel-replace is not supported for this symbol.",
        "cancel_replace",
        REPLACE,
        {**LIMIT_BUY, "cancelReplaceMode": "ALLOW_FAILURE", "cancelOrderId": 1},
    ),
):
    asks(-1013, _text, "POST", _path, _order, altered={_field: False})

asks(
    -1013,
    "Market is closed.",
    "POST",
    ORDER,
    LIMIT_BUY,
    altered={"status": InstrumentStatus.HALTED},
)
asks(
    -1013,
    "This symbol does not allow the specified self-trade prevention mode.",
    "POST",
    ORDER,
    {**LIMIT_BUY, "selfTradePreventionMode": "TRANSFER"},
    altered={"self_trade_modes": frozenset({SelfTradeMode.EXPIRE_MAKER})},
)
asks(-1013, "Invalid quantity.", "POST", ORDER, {**LIMIT_BUY, "quantity": "0"})
asks(-1013, "Invalid price.", "POST", ORDER, {**LIMIT_BUY, "price": "0"})
asks(
    -1013,
    "This symbol has no SOR.",
    "POST",
    "/api/v3/sor/order",
    {**LIMIT_BUY, "symbol": "BNBUSDT", "price": "500"},
)

for _text, _order in (
    (
        "Account has insufficient balance for requested action.",
        {**LIMIT_SELL, "quantity": "100.00001", "price": "89000"},
    ),
    ("Order would immediately match and take.", TAKES),
    ("Order would trigger immediately.", {**STOP_SELL, "stopPrice": "100000"}),
    ("IcebergQty exceeds QTY.", {**LIMIT_BUY, "icebergQty": "0.01001"}),
    ("This order type may not use pegged price.", {**MARKET_BUY, "pegPriceType": "MARKET_PEG"}),
    (
        "This price peg cannot be used with this order type.",
        {**without(LIMIT_BUY, "timeInForce"), "type": "LIMIT_MAKER", "pegPriceType": "MARKET_PEG"},
    ),
):
    asks(-2010, _text, "POST", ORDER, _order)

asks(
    -2010,
    "The relationship of the prices for the orders is not correct.",
    "POST",
    "/api/v3/orderList/oco",
    {**OCO, "abovePrice": "99000"},
)


@scene(-2010, "Duplicate order sent.")
async def _a_client_id_in_use(building: Building) -> Reply:
    await building.take("POST", ORDER, {**LIMIT_BUY, "newClientOrderId": "mine"})
    return await building.ask("POST", ORDER, {**LIMIT_BUY, "newClientOrderId": "mine"})


@scene(-2010, "Order book liquidity is too low for this pegged order.")
async def _nothing_to_peg_to(building: Building) -> Reply:
    await building.book(asks=[("100010", "5")])
    return await building.ask("POST", ORDER, {**LIMIT_BUY, "pegPriceType": "PRIMARY_PEG"})


def _is_too_thin(text: str, asked: list[tuple[str, str]], **fields: str) -> None:
    altered = {name: Decimal(value) for name, value in fields.items()}

    @scene(-2010, f"Order book liquidity is less than {text} minimum quantity.", altered=altered)
    async def _too_thin_a_book(building: Building) -> Reply:
        await building.book(bids=[("99990", "5")], asks=asked)
        return await building.ask("POST", ORDER, BY_QUOTE)


_is_too_thin("symbol", [])
_is_too_thin("`LOT_SIZE` filter", [("100010", "0.0001")], quantity_min="0.0002")
_is_too_thin("`MARKET_LOT_SIZE` filter", [("100010", "0.0001")], market_quantity_min="0.0002")

# -2011 to -2043: orders that exist, or do not

asks(-2011, "Unknown order sent.", "DELETE", ORDER, {"symbol": BTC, "orderId": 987})


@scene(-2011, "Order was not canceled due to cancel restrictions.")
async def _a_restricted_cancel(building: Building) -> Reply:
    placed = await building.take("POST", ORDER, LIMIT_BUY)
    named = {"symbol": BTC, "orderId": placed["orderId"]}
    return await building.ask("DELETE", ORDER, {**named, "cancelRestrictions": "ONLY_PARTIALLY_FILLED"})


asks(-2013, "Order does not exist.", "GET", ORDER, {"symbol": BTC, "orderId": 987})
asks(-2014, "API-key format invalid.", "GET", "/api/v3/account", {}, status=401, who=None, signed=False)
asks(
    -2015,
    "Invalid API-key, IP, or permissions for action.",
    "GET",
    "/api/v3/account",
    {},
    status=401,
    headers={"X-MBX-APIKEY": "x" * 64},
)


async def _replaced(building: Building, cancel: bool, order: Mapping[str, str], mode: str) -> Reply:
    placed = await building.take("POST", ORDER, LIMIT_BUY)
    before = placed["orderId"] if cancel else 987
    return await building.ask("POST", REPLACE, {**order, "cancelReplaceMode": mode, "cancelOrderId": before})


@scene(-2021, "Order cancel-replace partially failed.", status=409)
async def _only_the_cancel_succeeds(building: Building) -> Reply:
    return await _replaced(building, True, TAKES, "STOP_ON_FAILURE")


@scene(-2022, "Order cancel-replace failed.")
async def _neither_succeeds(building: Building) -> Reply:
    return await _replaced(building, False, TAKES, "ALLOW_FAILURE")


@scene(
    -2026,
    "Order was canceled or expired with no executed qty over 90 days ago and has been archived.",
)
async def _an_order_of_long_ago(building: Building) -> Reply:
    placed = await building.take("POST", ORDER, LIMIT_BUY)
    named = {"symbol": BTC, "orderId": placed["orderId"]}
    await building.take("DELETE", ORDER, named)
    await building.sandbox.step_clock(91 * DAY_US)
    return await building.ask("GET", ORDER, named)


@scene(-2038, "Order amend (quantity increase) is not supported.")
async def _amended_upwards(building: Building) -> Reply:
    return await _amended(building, "0.02")


@scene(-2038, "The requested action would change no state; rejecting")
async def _amended_to_what_it_is(building: Building) -> Reply:
    return await _amended(building, "0.01")


@scene(-2038, "Order amend is not supported for this symbol.", altered={"amends": False})
async def _amended_where_none_is(building: Building) -> Reply:
    return await _amended(building, "0.005")


@scene(-2038, "Order amend (pending OPO order) is not supported.")
async def _amended_before_it_has_a_quantity(building: Building) -> Reply:
    placed = await building.take("POST", "/api/v3/orderList/opo", OPO)
    pending = placed["orders"][1]["orderId"]
    return await building.ask("PUT", AMEND, {"symbol": BTC, "orderId": pending, "newQty": "0.005"})


@scene(-2039, "Client order ID is not correct for this order ID.")
async def _two_ids_of_two_orders(building: Building) -> Reply:
    placed = await building.take("POST", ORDER, LIMIT_BUY)
    named = {"symbol": BTC, "orderId": placed["orderId"]}
    return await building.ask("GET", ORDER, {**named, "origClientOrderId": "another"})


asks(-2043, "This symbol doesn't have a reference price.", "GET", "/api/v3/referencePrice", {"symbol": BTC})

# The wallet's

for _code, _text, _changes in (
    (-4007, "Address verification failed", {"address": "0x1"}),
    (-4008, "Address tag validation is not passed.", {"coin": "XRP", "address": RIPPLE_ADDRESS}),
    (-4018, "We don't have this asset.", {"coin": "MOON"}),
    (-4019, "Current asset is not open for withdrawal.", {"coin": "EUR"}),
    (
        -4021,
        "Asset withdrawal must be an integer multiple of 0.000001.",
        {
            "coin": "USDT",
            "network": "ETH",
            "address": ETHEREUM_ADDRESS,
            "amount": "10.0000001",
        },
    ),
    (-4022, "Not less than the minimum pick-up quantity 0.0005.", {"amount": "0.0004"}),
    (-4023, "Within 24 hours, the withdrawal exceeds the maximum amount.", {"amount": 10_000_000_000}),
    (-4026, "User has insufficient balance", {"amount": "100.1"}),
    (-4106, "TAG_NOT_SUPPORTED_FOR_NETWORK", {"addressTag": "12"}),
):
    asks(_code, _text, "POST", WITHDRAW, {**DESTINATION, **_changes})

asks(
    -4047,
    "Time interval must be within 0-90 days",
    "GET",
    "/sapi/v1/capital/deposit/hisrec",
    {"startTime": 1},
)

for _code, _text, _changes in (
    (-5003, "You don't have this asset.", {"asset": "MOON"}),
    (-5007, "Quantity must be greater than zero.", {"amount": 0}),
    (-5013, "Asset transfer failed: insufficient balance", {"amount": "100.1"}),
):
    asks(_code, _text, "POST", TRANSFER, {"type": "MAIN_FUNDING", "asset": "BTC", "amount": 1, **_changes})


# What nobody gets, and why

_STREAMS = "of subscriptions to user data, over the WebSocket API only (`test_ws_api_user_data`)"
_FIX = "of the FIX API, which is not emulated"
_SBE = "of SBE encoding, which is not emulated"

UNREACHABLE: Mapping[int, str] = {
    -1000: "said only of a defect of our own",
    -1002: "of subscriptions without a logon, over the WebSocket API only (`test_ws_api_session`)",
    -1006: "there is no message bus that could answer something unexpected",
    -1008: "nothing is ever overloaded; that needs injected faults, which are not emulated yet",
    -1010: "the older code of what is a -2010 today",
    -1016: "the service never shuts down on its own",
    -1103: "the spot API says -1104 of parameters that it does not know",
    -1112: "orders into an empty book expire, or are refused with an engine text of their own",
    -1114: "-1106 names the parameter, here as on live hosts",
    -1125: "spot listen keys were removed, but for the switch that brings them back (`test_listen_keys`)",
    -1135: "of JSON requests, over the WebSocket API only (`test_ws_api_frames`)",
    -2008: "seen on live hosts, in no document; an unknown key is a -2015",
    -2016: "the synthetic market has traded in every window",
    **dict.fromkeys((-2035, -2036, -2042), _STREAMS),
    -1155: "of handshakes of the WebSocket API (`test_ws_api_frames`)",
    **dict.fromkeys((-1152, -1153, -1161, -1221), _SBE),
    **dict.fromkeys((-1033, -1035, *range(-1191, -1168)), _FIX),
}
"""By code."""

UNREACHABLE_TEXTS: Mapping[str, str] = {
    "Price * QTY is zero or less.": "prices and quantities of zero are refused one by one",
    "Unsupported order combination": "combinations are refused by -1014, -1102 and -1106 before",
    "Cancel order is invalid. Check origClOrdId and orderId.": "-1102 since 2025-04",
    "This action is disabled on this account.": "no account is restricted",
    "This account may not place or cancel orders.": "no account is restricted",
    "This symbol is not permitted for this account.": "every account has the permissions of every symbol",
    "This symbol is restricted for this account.": "every account may trade every symbol",
    "Rest API trading is not enabled.": "every server trades",
}

UNREACHABLE_FILTERS: Mapping[str, str] = {
    "PERCENT_PRICE": "all symbols have PERCENT_PRICE_BY_SIDE instead, as live ones have",
    "MIN_NOTIONAL": "all symbols have NOTIONAL instead, as live ones have",
    "EXCHANGE_MAX_NUM_ORDERS": "the exchange has no filters, as live exchangeInfo shows none",
    "EXCHANGE_MAX_NUM_ALGO_ORDERS": "the exchange has no filters",
    "EXCHANGE_MAX_NUM_ICEBERG_ORDERS": "the exchange has no filters",
    "EXCHANGE_MAX_NUM_ORDER_LISTS": "the exchange has no filters",
    "MAX_ASSET": "no account has filters of its own",
}

# What the documents name

DOCUMENTED_CODES = frozenset(
    {
        *range(-1003, -999), -1006, -1007, -1008, *range(-1016, -1012), *range(-1022, -1019),
        *range(-1035, -1032), *range(-1106, -1099), -1108, -1111, -1112, *range(-1122, -1113), -1125,
        -1127, -1128, -1130, -1134, -1135, -1139, -1145, *range(-1153, -1150), -1155, -1158, -1160, -1161,
        -1165, -1166, *range(-1191, -1167), -1194, *range(-1199, -1195), -1210, -1211,
        *range(-1225, -1219), -2010, -2011, *range(-2016, -2012), -2021, -2022, -2026, -2035, -2036,
        -2038, -2039, -2042, -2043,
    }
)  # fmt: skip
"""The headings of errors.md, and -2038 of its table of engine texts."""

DOCUMENTED_TEXTS = frozenset(
    f"{each}."
    for each in (
        "Unknown order sent",
        "Duplicate order sent",
        "Market is closed",
        "Account has insufficient balance for requested action",
        "Market orders are not supported for this symbol",
        "Iceberg orders are not supported for this symbol",
        "Stop loss orders are not supported for this symbol",
        "Stop loss limit orders are not supported for this symbol",
        "Take profit orders are not supported for this symbol",
        "Take profit limit orders are not supported for this symbol",
        "Order amend is not supported for this symbol",
        "Price * QTY is zero or less",
        "IcebergQty exceeds QTY",
        "This action is disabled on this account",
        "This account may not place or cancel orders",
        "Order would trigger immediately",
        "Cancel order is invalid. Check origClOrdId and orderId",
        "Order would immediately match and take",
        "The relationship of the prices for the orders is not correct",
        "Quote order qty market orders are not support for this symbol",
        "Trailing stop orders are not supported for this symbol",
        "Order cancel-replace is not supported for this symbol",
        "This symbol is not permitted for this account",
        "This symbol is restricted for this account",
        "Order was not canceled due to cancel restrictions",
        "Rest API trading is not enabled",
        "Order book liquidity is less than `LOT_SIZE` filter minimum quantity",
        "Order book liquidity is less than `MARKET_LOT_SIZE` filter minimum quantity",
        "Order book liquidity is less than symbol minimum quantity",
        "Order amend (quantity increase) is not supported",
        "Pegged orders are not supported for this symbol",
        "This order type may not use pegged price",
        "This price peg cannot be used with this order type",
        "Order book liquidity is too low for this pegged order",
        "OPO orders are not supported for this symbol",
        "Order amend (pending OPO order) is not supported",
    )
) | {
    "Unsupported order combination",
    "OCO orders are not supported for this symbol",
    "The requested action would change no state; rejecting",
}
"""errors.md, "Messages for -1010, -2010, -2011, and -2038", without those of other APIs."""

DOCUMENTED_FILTERS = frozenset(
    """PRICE_FILTER PERCENT_PRICE PERCENT_PRICE_BY_SIDE LOT_SIZE MIN_NOTIONAL NOTIONAL ICEBERG_PARTS
    MARKET_LOT_SIZE MAX_NUM_ORDERS MAX_NUM_ALGO_ORDERS MAX_NUM_ICEBERG_ORDERS MAX_POSITION TRAILING_DELTA
    MAX_NUM_ORDER_AMENDS MAX_NUM_ORDER_LISTS EXCHANGE_MAX_NUM_ORDERS EXCHANGE_MAX_NUM_ALGO_ORDERS
    EXCHANGE_MAX_NUM_ICEBERG_ORDERS EXCHANGE_MAX_NUM_ORDER_LISTS MAX_ASSET""".split()
)
"""filters.md, its headings."""


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.code} {case.text[:60]}")
async def test_it_is_reached(case: Case) -> None:
    async with Building({BTC: case.altered}, **case.settings()) as building:
        reply = await case.scene(building)
    body = reply.json
    assert (body["code"], body["msg"], reply.status) == (case.code, case.text, case.status)
    assert set(body) == {"code", "msg", "data"} if case.code in (-2021, -2022) else {"code", "msg"}
    assert reply.headers["content-type"].startswith("application/json")
    assert ("retry-after" in reply.headers) == (case.status in (418, 429))


def test_every_code_is_reached_or_has_a_reason() -> None:
    reached = {case.code for case in CASES}
    assert not reached & set(UNREACHABLE)
    known = reached | set(UNREACHABLE)
    assert set(errors.TEXTS) | set(words.TEXTS) <= known
    assert known >= DOCUMENTED_CODES
    # What is reached is declared, so that nobody makes up a code beside the tables.
    assert reached <= set(errors.TEXTS) | set(words.TEXTS)


def test_every_text_of_the_engine_is_reached_or_has_a_reason() -> None:
    reached = {case.text for case in CASES if case.code in (-1013, -2010, -2011, -2038)}
    assert not reached & set(UNREACHABLE_TEXTS)
    assert reached | set(UNREACHABLE_TEXTS) >= DOCUMENTED_TEXTS
    assert set(UNREACHABLE_TEXTS) <= DOCUMENTED_TEXTS


def test_every_filter_is_reached_or_has_a_reason() -> None:
    prefix = "Filter failure: "
    reached = {case.text.removeprefix(prefix) for case in CASES if case.text.startswith(prefix)}
    assert not reached & set(UNREACHABLE_FILTERS)
    assert reached | set(UNREACHABLE_FILTERS) == DOCUMENTED_FILTERS
    assert reached == set(errors.FILTERS.values())


async def test_filters_that_nobody_meets_are_not_shown() -> None:
    async with Building() as building:
        told = await building.take("GET", "/api/v3/exchangeInfo")
        own = await building.take("GET", "/api/v3/myFilters", {"symbol": BTC})
    shown = {each["filterType"] for each in told["exchangeFilters"]}
    shown |= {each["filterType"] for symbol in told["symbols"] for each in symbol["filters"]}
    shown |= {each["filterType"] for part in own.values() for each in part}
    assert not shown & set(UNREACHABLE_FILTERS)


@pytest.mark.parametrize("path", KINDS)
async def test_every_leg_of_a_list_passes_the_filters_of_an_order(path: str) -> None:
    async with Building({BTC: {"ask_multiplier_up": Decimal("1.05")}}) as building:
        await building.sandbox.step_clock(10 * MINUTE_US)
        reply = await building.ask("POST", f"/api/v3/{path}", KINDS[path])
        if path == "orderList/oto":
            assert reply.status == 200  # Its sale is at market.
        else:
            assert (reply.code, reply.json["msg"]) == (-1013, "Filter failure: PERCENT_PRICE_BY_SIDE")
