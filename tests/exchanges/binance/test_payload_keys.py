"""Every row of the site answers with the keys and types that the documents show, in each of its forms.

Shapes are transcribed from the examples of rest-api.md (2026-07; sections are named by their titles) and,
for /sapi, from those of the wallet and margin documents as the unit tests of the exchange's own connector
(binance-connector-python, 2026-08) repeat them. What only some answers have is from "Conditional fields in
Order Responses" and faqs/stp_faq.md.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple

import pytest

from tests.exchanges.binance.building import Building, rows
from tests.exchanges.binance.shapes import Each, Shape, complaints, declared, fields
from tests.exchanges.binance.test_order_lists import KINDS, OCO, OTO
from tests.exchanges.binance.test_wallet_movements import BITCOIN_ADDRESS
from tests.exchanges.binance.trading_floor import LIMIT_BUY, LIMIT_SELL, MARKET_BUY, NOW_MS, STOP_SELL, TWIN

pytestmark = pytest.mark.anyio

# Shapes: market data

RATE_LIMIT = fields("rateLimitType:s interval:s intervalNum:i limit:i")
SYMBOL = fields(
    """symbol:s status:s baseAsset:s baseAssetPrecision:i quoteAsset:s quotePrecision:i quoteAssetPrecision:i
    baseCommissionPrecision:i quoteCommissionPrecision:i icebergAllowed:b ocoAllowed:b otoAllowed:b
    opoAllowed:b quoteOrderQtyMarketAllowed:b allowTrailingStop:b cancelReplaceAllowed:b amendAllowed:b
    pegInstructionsAllowed:b isSpotTradingAllowed:b isMarginTradingAllowed:b
    defaultSelfTradePreventionMode:s""",
    orderTypes=["s"],
    permissions=[],
    permissionSets=[["s"]],
    allowedSelfTradePreventionModes=["s"],
)
FILTERS = {
    "PRICE_FILTER": fields("filterType:s minPrice:s maxPrice:s tickSize:s"),
    "LOT_SIZE": fields("filterType:s minQty:s maxQty:s stepSize:s"),
    "MARKET_LOT_SIZE": fields("filterType:s minQty:s maxQty:s stepSize:s"),
    "ICEBERG_PARTS": fields("filterType:s limit:i"),
    "TRAILING_DELTA": fields(
        "filterType:s minTrailingAboveDelta:i maxTrailingAboveDelta:i minTrailingBelowDelta:i "
        "maxTrailingBelowDelta:i"
    ),
    "PERCENT_PRICE_BY_SIDE": fields(
        "filterType:s bidMultiplierUp:s bidMultiplierDown:s askMultiplierUp:s askMultiplierDown:s "
        "avgPriceMins:i"
    ),
    "NOTIONAL": fields(
        "filterType:s minNotional:s applyMinToMarket:b maxNotional:s applyMaxToMarket:b avgPriceMins:i"
    ),
    "MAX_NUM_ORDERS": fields("filterType:s maxNumOrders:i"),
    "MAX_NUM_ORDER_LISTS": fields("filterType:s maxNumOrderLists:i"),
    "MAX_NUM_ALGO_ORDERS": fields("filterType:s maxNumAlgoOrders:i"),
    "MAX_NUM_ICEBERG_ORDERS": fields("filterType:s maxNumIcebergOrders:i"),
    "MAX_NUM_ORDER_AMENDS": fields("filterType:s maxNumOrderAmends:i"),
    "MAX_POSITION": fields("filterType:s maxPosition:s"),
}
"""filters.md, "/exchangeInfo format" of each."""

TRADE = fields("id:i price:s qty:s quoteQty:s time:i isBuyerMaker:b isBestMatch:b")
BLOCK_TRADE = fields("id:i price:s qty:s quoteQty:s time:i isBuyerMaker:b")
AGGREGATE = fields("a:i p:s q:s f:i l:i T:i m:b M:b")
KLINE = ("i", "s", "s", "s", "s", "s", "i", "s", "i", "s", "s", "s")
MINI = fields(
    "symbol:s openPrice:s highPrice:s lowPrice:s lastPrice:s volume:s quoteVolume:s openTime:i closeTime:i "
    "firstId:i lastId:i count:i"
)
WINDOW = MINI | fields("priceChange:s priceChangePercent:s weightedAvgPrice:s")
DAY = WINDOW | fields("prevClosePrice:s lastQty:s bidPrice:s bidQty:s askPrice:s askQty:s")
PRICE_RANGE = fields("ruleType:s bidLimitMultUp:s bidLimitMultDown:s askLimitMultUp:s askLimitMultDown:s")
PRICE = fields("symbol:s price:s")
BOOK = fields("symbol:s bidPrice:s bidQty:s askPrice:s askQty:s")

# Shapes: orders

ACK = fields("symbol:s orderId:i orderListId:i clientOrderId:s transactTime:i")
RESULT = ACK | fields(
    "price:s origQty:s executedQty:s origQuoteOrderQty:s cummulativeQuoteQty:s status:s timeInForce:s type:s "
    "side:s workingTime:i selfTradePreventionMode:s"
)
FILL = fields("price:s qty:s commission:s commissionAsset:s tradeId:i")
RESTING = RESULT | {"fills": []}
FILLED = RESULT | {"fills": [FILL]}
STOP = fields("stopPrice:s")
TRAILING = STOP | fields("trailingDelta:i trailingTime:i")
PEGGED = fields("pegPriceType:s peggedPrice:s")
ROUTED = fields("usedSor:b workingFloor:s")
EXPIRED = fields("expiryReason:s")
STRATEGY = fields("strategyId:i strategyType:i")


def less(shape: Mapping[str, Shape], *names: str) -> dict[str, Shape]:
    return {name: value for name, value in shape.items() if name not in names}


CANCELED = less(RESULT, "workingTime") | fields("origClientOrderId:s")
STATE = less(RESULT, "transactTime") | fields("stopPrice:s icebergQty:s time:i updateTime:i isWorking:b")
RATES = fields("maker:s taker:s")
DISCOUNT = fields("enabledForAccount:b enabledForSymbol:b discountAsset:s discount:s")
ORDER_RATES = {
    "standardCommissionForOrder": RATES,
    "specialCommissionForOrder": RATES,
    "taxCommissionForOrder": RATES,
    "discount": DISCOUNT,
}
AMENDED = fields(
    "symbol:s orderId:i orderListId:i origClientOrderId:s clientOrderId:s price:s qty:s executedQty:s "
    "preventedQty:s quoteOrderQty:s cumulativeQuoteQty:s status:s timeInForce:s type:s side:s workingTime:i "
    "selfTradePreventionMode:s"
)
AMENDMENT = fields(
    "symbol:s orderId:i executionId:i origClientOrderId:s newClientOrderId:s origQty:s newQty:s time:i"
)
LISTED = fields("symbol:s orderId:i clientOrderId:s")
LIST = fields(
    "orderListId:i contingencyType:s listStatusType:s listOrderStatus:s listClientOrderId:s "
    "transactionTime:i symbol:s",
    orders=[LISTED],
)
PREVENTED = fields(
    "symbol:s preventedMatchId:i takerOrderId:i makerSymbol:s makerOrderId:i tradeGroupId:i "
    "selfTradePreventionMode:s price:s makerPreventedQuantity:s transactTime:i"
)
PREVENTED_OF_ORDER = fields(
    "preventedMatchId:i makerSymbol:s makerOrderId:i price:s makerPreventedQuantity:s"
)
ALLOCATION = fields(
    "symbol:s allocationId:i allocationType:s orderId:i orderListId:i price:s qty:s quoteQty:s commission:s "
    "commissionAsset:s time:i isBuyer:b isMaker:b isAllocator:b"
)

# Shapes: the account

FOUR_RATES = fields("maker:s taker:s buyer:s seller:s")
ACCOUNT = fields(
    "makerCommission:i takerCommission:i buyerCommission:i sellerCommission:i canTrade:b canWithdraw:b "
    "canDeposit:b brokered:b requireSelfTradePrevention:b preventSor:b updateTime:i accountType:s uid:i",
    commissionRates=FOUR_RATES,
    balances=[fields("asset:s free:s locked:s")],
    permissions=["s"],
)
OWN_TRADE = fields(
    "symbol:s id:i orderId:i orderListId:i price:s qty:s quoteQty:s commission:s commissionAsset:s time:i "
    "isBuyer:b isMaker:b isBestMatch:b"
)

# Shapes: the wallet

NETWORK = fields(
    """network:s coin:s withdrawIntegerMultiple:s isDefault:b depositEnable:b withdrawEnable:b depositDesc:s
    withdrawDesc:s specialTips:s specialWithdrawTips:s name:s resetAddressStatus:b addressRegex:s memoRegex:s
    withdrawFee:s withdrawMin:s withdrawMax:s withdrawInternalMin:s depositDust:s minConfirm:i unLockConfirm:i
    sameAddress:b withdrawTag:b estimatedArrivalTime:i busy:b"""
)
COIN = fields(
    "coin:s depositAllEnable:b withdrawAllEnable:b name:s free:s locked:s freeze:s withdrawing:s ipoing:s "
    "ipoable:s storage:s isLegalMoney:b trading:b",
    networkList=[NETWORK],
)
DEPOSIT = fields(
    "id:s amount:s coin:s network:s status:i address:s addressTag:s txId:s insertTime:i completeTime:i "
    "transferType:i confirmTimes:s unlockConfirm:i walletType:i travelRuleStatus:i"
)
WITHDRAWAL = fields(
    "id:s amount:s transactionFee:s coin:s status:i address:s txId:s applyTime:s network:s transferType:i "
    "withdrawOrderId:s info:s confirmNo:i walletType:i txKey:s completeTime:s"
)
OWNED = fields("asset:s free:s locked:s freeze:s withdrawing:s btcValuation:s")
WALLET = fields("activate:b balance:s walletName:s")
DIVIDEND = fields("id:i amount:s asset:s divTime:i enInfo:s tranId:i direction:i")
DUST = fields(
    "transId:i serviceChargeAmount:s amount:s operateTime:i transferedAmount:s fromAsset:s targetAsset:s"
)
DRIBBLET = fields(
    "operateTime:i totalTransferedAmount:s totalServiceChargeAmount:s transId:i",
    userAssetDribbletDetails=[DUST],
)
RESTRICTIONS = fields(
    "ipRestrict:b createTime:i enableReading:b enableWithdrawals:b enableInternalTransfer:b enableMargin:b "
    "enableFutures:b permitsUniversalTransfer:b enableVanillaOptions:b enableFixApiTrade:b "
    "enableFixReadOnly:b enableSpotAndMarginTrading:b enablePortfolioMarginTrading:b"
)
PAIR = fields("base:s isBuyAllowed:b isMarginTrade:b isSellAllowed:b quote:s symbol:s")

# Examples

Scene = Callable[[Building], Awaitable[Any]]


class Example(NamedTuple):
    """cite: the section whose example it is. form: which of several."""

    method: str
    path: str
    form: str
    shape: Shape
    scene: Scene
    cite: str


EXAMPLES: list[Example] = []

# What the loops below go through.
_shape: Shape
_order: Mapping[str, Any]


def shows(
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

    EXAMPLES.append(Example(method, path, form, shape, ask, cite))


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

# General and market data

shows("GET /api/v3/ping", {}, "Test connectivity")
shows("GET /api/v3/time", fields("serverTime:i"), "Check server time")
shows("GET /api/v3/depth", fields("lastUpdateId:i", bids=[("s", "s")], asks=[("s", "s")]), "Order book", BTC)
shows("GET /api/v3/trades", [TRADE], "Recent trades list", BTC)
shows("GET /api/v3/historicalTrades", [TRADE], "Old trade lookup", BTC)
shows("GET /api/v3/aggTrades", [AGGREGATE], "Compressed/Aggregate trades list", BTC)
shows("GET /api/v3/klines", [KLINE], "Kline/Candlestick data", {**BTC, "interval": "1M"})
shows("GET /api/v3/uiKlines", [KLINE], "UIKlines", {**BTC, "interval": "1s"})
shows("GET /api/v3/avgPrice", fields("mins:i price:s closeTime:i"), "Current average price", BTC)
for _path, _full, _cite in (
    ("24hr", DAY, "24hr ticker price change statistics"),
    ("tradingDay", WINDOW, "Trading Day Ticker"),
    ("", WINDOW, "Rolling window price change statistics"),
):
    _row = f"GET /api/v3/ticker/{_path}".rstrip("/")
    shows(_row, _full, _cite, BTC, form="FULL")
    shows(_row, [_full], _cite, TWO, form="FULL of several")
    shows(_row, MINI, _cite, {**BTC, "type": "MINI"}, form="MINI")
    shows(_row, [MINI], _cite, {**TWO, "type": "MINI"}, form="MINI of several")
for _path, _full, _cite in (
    ("price", PRICE, "Symbol price ticker"),
    ("bookTicker", BOOK, "Symbol order book ticker"),
):
    shows(f"GET /api/v3/ticker/{_path}", _full, _cite, BTC)
    shows(f"GET /api/v3/ticker/{_path}", [_full], _cite, form="of all")

# Placing

_NEW = "New order (TRADE)"
for _form, _shape in (("ACK", ACK), ("RESULT", RESULT), ("FULL", FILLED)):
    shows("POST /api/v3/order", _shape, _NEW, {**MARKET_BUY, "newOrderRespType": _form}, form=_form)
for _form, _shape, _changes in (
    ("with nothing filled", {}, {}),
    ("an iceberg", fields("icebergQty:s"), {"icebergQty": "0.001"}),
    ("of a strategy", STRATEGY, {"strategyId": 1, "strategyType": 1_000_000}),
    ("pegged", PEGGED, {"pegPriceType": "PRIMARY_PEG"}),
    ("expired", EXPIRED, {"timeInForce": "IOC"}),
):
    shows("POST /api/v3/order", RESTING | _shape, _NEW, {**LIMIT_BUY, **_changes}, form=_form)


async def _deeper_book(building: Building) -> dict[str, Any]:
    await building.book(bids=[("99990", "5"), ("99980", "5")], asks=[("100010", "5")])
    return {}


shows(
    "POST /api/v3/order",
    RESTING | PEGGED | fields("pegOffsetType:s pegOffsetValue:i"),
    _NEW,
    {**LIMIT_BUY, "pegPriceType": "PRIMARY_PEG", "pegOffsetType": "PRICE_LEVEL", "pegOffsetValue": 1},
    form="pegged to a level",
    before=_deeper_book,
)
_FULL = {"newOrderRespType": "FULL"}
shows("POST /api/v3/order", RESTING | STOP, _NEW, {**STOP_SELL, **_FULL}, form="a stop")
shows(
    "POST /api/v3/order",
    RESTING | TRAILING,
    _NEW,
    {**STOP_SELL, "trailingDelta": 100, **_FULL},
    form="a trailing stop",
)
# faqs/stp_faq.md, scenarios B and D.
_CROSSING = {**LIMIT_SELL, "price": "90000", "quantity": "1"}
shows(
    "POST /api/v3/order",
    FILLED | {"preventedMatches": [PREVENTED_OF_ORDER]},
    "stp_faq.md",
    {**_CROSSING, "quantity": "6", "selfTradePreventionMode": "EXPIRE_MAKER"},
    form="that expired a maker",
    before=placing("order", {**LIMIT_BUY, "price": "99995"}),
)
_BOTH = PREVENTED_OF_ORDER | fields("takerPreventedQuantity:s")
shows(
    "POST /api/v3/order",
    RESTING | fields("preventedQuantity:s", preventedMatches=[_BOTH]),
    "stp_faq.md",
    {**_CROSSING, "selfTradePreventionMode": "EXPIRE_BOTH"},
    form="that expired with a maker",
    before=placing("order", {**LIMIT_BUY, "price": "99995"}),
)

for _row, _order, _rates in (
    ("order/test", LIMIT_BUY, ORDER_RATES),
    ("sor/order/test", LIMIT_BUY, less(ORDER_RATES, "specialCommissionForOrder")),
):
    shows(f"POST /api/v3/{_row}", {}, "Test new order", _order)
    _asking = {**_order, "computeCommissionRates": "true"}
    shows(f"POST /api/v3/{_row}", _rates, "Test new order", _asking, form="with rates")
# faqs/sor_faq.md: fills that are trades have an id; matchType and allocId are of allocations, and there
# are none here.
for _form, _shape in (("ACK", ACK), ("RESULT", RESULT | ROUTED), ("FULL", FILLED | ROUTED)):
    shows(
        "POST /api/v3/sor/order",
        _shape,
        "New order using SOR (TRADE)",
        {**MARKET_BUY, "newOrderRespType": _form},
        form=_form,
    )

# Canceling, replacing, amending

_CANCELED_LIST = LIST | {"orderReports": [CANCELED]}
_WITHOUT_STOPS = {
    **{name: value for name, value in OTO.items() if not name.startswith("pending")},
    "pendingType": "LIMIT_MAKER",
    "pendingSide": "SELL",
    "pendingPrice": "110000",
    "pendingQuantity": "0.004",
}
"""A list of which all reports look alike."""
shows("DELETE /api/v3/order", CANCELED, "Cancel order (TRADE)", BTC, before=RESTING_ORDER)
shows(
    "DELETE /api/v3/order",
    CANCELED | STOP,
    "Cancel order (TRADE)",
    BTC,
    form="of a stop",
    before=placing("order", STOP_SELL, orderId="orderId"),
)
shows(
    "DELETE /api/v3/openOrders", [CANCELED], "Cancel All Open Orders", BTC, before=placing("order", LIMIT_BUY)
)
shows(
    "DELETE /api/v3/openOrders",
    [_CANCELED_LIST],
    "Cancel All Open Orders",
    BTC,
    form="of a list",
    before=placing("orderList/oto", _WITHOUT_STOPS),
)
shows(
    "DELETE /api/v3/orderList",
    _CANCELED_LIST,
    "Cancel Order list (TRADE)",
    BTC,
    before=placing("orderList/oto", _WITHOUT_STOPS, orderListId="orderListId"),
)
for _form, _shape in (("ACK", ACK), ("RESULT", RESULT), ("FULL", RESTING)):
    shows(
        "POST /api/v3/order/cancelReplace",
        fields("cancelResult:s newOrderResult:s", cancelResponse=CANCELED, newOrderResponse=_shape),
        "Cancel an Existing Order and Send a New Order (TRADE)",
        {**LIMIT_BUY, "cancelReplaceMode": "STOP_ON_FAILURE", "newOrderRespType": _form},
        form=_form,
        before=placing("order", LIMIT_BUY, orderId="cancelOrderId"),
    )
_AMENDED = fields("transactTime:i executionId:i", amendedOrder=AMENDED)
_LESS = {**BTC, "newQty": "0.003"}
shows(
    "PUT /api/v3/order/amend/keepPriority",
    _AMENDED,
    "Order Amend Keep Priority",
    _LESS,
    before=RESTING_ORDER,
)


async def _pending(building: Building) -> dict[str, Any]:
    placed = await building.take("POST", "/api/v3/orderList/oto", OTO)
    return {"orderId": placed["orders"][1]["orderId"]}


shows(
    "PUT /api/v3/order/amend/keepPriority",
    _AMENDED
    | {
        "amendedOrder": less(AMENDED, "workingTime"),
        "listStatus": less(LIST, "listStatusType", "transactionTime"),
    },
    "Order Amend Keep Priority",
    _LESS,
    form="in a list",
    before=_pending,
)


async def _amended(building: Building) -> dict[str, Any]:
    named = await RESTING_ORDER(building)
    await building.take("PUT", "/api/v3/order/amend/keepPriority", {**_LESS, **named})
    return dict(named)


shows("GET /api/v3/order/amendments", [AMENDMENT], "Query Order Amendments", BTC, before=_amended)

# Order lists


def _reports(path: str, report: dict[str, Shape]) -> list[Shape]:
    """The shape of each report of a kind of list, in the order of the examples."""
    unknown = ("origQty",) if path in ("orderList/opo", "orderList/opoco") else ()
    pending = less(report, *unknown)
    is_ack = "status" not in report
    stop = {} if is_ack else STOP
    return {
        "orderList/oco": [report | stop, report],
        "orderList/oto": [report, pending],
        "orderList/otoco": [report, pending | stop, pending],
        "orderList/opo": [report, pending],
        "orderList/opoco": [report, pending | stop, pending],
    }[path]


for _path, _list in KINDS.items():
    for _form, _shape in (("ACK", ACK), ("RESULT", RESULT), ("FULL", RESTING)):
        shows(
            f"POST /api/v3/{_path}",
            LIST | {"orderReports": tuple(_reports(_path, _shape))},
            "New Order list",
            {**_list, "newOrderRespType": _form},
            form=_form,
        )
shows(
    "POST /api/v3/order/oco",
    LIST | {"orderReports": (RESULT | STOP, RESULT)},
    "New OCO - Deprecated (TRADE)",
    {**BTC, "side": "SELL", "quantity": "0.01", "price": "110000", "stopPrice": "95000"},
)
shows("GET /api/v3/orderList", LIST, "Query Order list", before=RESTING_LIST)
shows("GET /api/v3/allOrderList", [LIST], "Query all Order lists", before=placing("orderList/oco", OCO))
shows("GET /api/v3/openOrderList", [LIST], "Query Open Order lists", before=placing("orderList/oco", OCO))

# Queries

_STATES: tuple[tuple[str, Mapping[str, Any], dict[str, Shape]], ...] = (
    ("", LIMIT_BUY, {}),
    ("a stop", STOP_SELL, {}),
    ("a trailing stop", {**STOP_SELL, "trailingDelta": 100}, fields("trailingDelta:i trailingTime:i")),
    ("an iceberg", {**LIMIT_BUY, "icebergQty": "0.001"}, {}),
    ("of a strategy", {**LIMIT_BUY, "strategyId": 1, "strategyType": 1_000_000}, STRATEGY),
    ("pegged", {**LIMIT_BUY, "pegPriceType": "PRIMARY_PEG"}, PEGGED),
    ("expired", {**LIMIT_BUY, "timeInForce": "FOK"}, EXPIRED),
)
for _form, _order, _more in _STATES:
    shows(
        "GET /api/v3/order",
        STATE | _more,
        "Query order",
        BTC,
        form=_form,
        before=placing("order", _order, orderId="orderId"),
    )


async def _prevented(building: Building) -> dict[str, Any]:
    """A maker that expired so."""
    placed = await building.take("POST", "/api/v3/order", {**LIMIT_BUY, "price": "99995"})
    await building.take(
        "POST", "/api/v3/order", {**LIMIT_SELL, "price": "99995", "selfTradePreventionMode": "EXPIRE_MAKER"}
    )
    return {"orderId": placed["orderId"]}


shows(
    "GET /api/v3/order",
    STATE | fields("preventedMatchId:i preventedQuantity:s"),
    "stp_faq.md",
    BTC,
    form="expired in a match",
    before=_prevented,
)
shows("GET /api/v3/myPreventedMatches", [PREVENTED], "Query Prevented Matches", BTC, before=_prevented)
shows("GET /api/v3/openOrders", [STATE], "Current open orders", BTC, before=placing("order", LIMIT_BUY))
shows("GET /api/v3/allOrders", [STATE], "All orders", BTC, before=placing("order", LIMIT_BUY))
shows("GET /api/v3/myTrades", [OWN_TRADE], "Account trade list", BTC, before=placing("order", MARKET_BUY))
shows("GET /api/v3/account", ACCOUNT, "Account information")
shows(
    "GET /api/v3/account/commission",
    {
        "symbol": "s",
        "standardCommission": FOUR_RATES,
        "specialCommission": FOUR_RATES,
        "taxCommission": FOUR_RATES,
        "discount": DISCOUNT,
    },
    "Query Commission Rates",
    BTC,
)
shows(
    "GET /api/v3/rateLimit/order",
    [RATE_LIMIT | fields("count:i")],
    "Query Unfilled Order Count",
)

# The wallet


async def _a_deposit(building: Building) -> dict[str, Any]:
    return {"coin": "BTC"}


async def _a_withdrawal(building: Building) -> dict[str, Any]:
    await building.take(
        "POST",
        "/sapi/v1/capital/withdraw/apply",
        {"coin": "BTC", "address": BITCOIN_ADDRESS, "amount": 1, "withdrawOrderId": "mine"},
    )
    return {}


async def _a_transfer(building: Building) -> dict[str, Any]:
    await building.take(
        "POST", "/sapi/v1/asset/transfer", {"type": "MAIN_FUNDING", "asset": "BTC", "amount": 1}
    )
    return {}


async def _an_old_transfer(building: Building) -> dict[str, Any]:
    await building.take("POST", "/sapi/v1/futures/transfer", {"type": 1, "asset": "BTC", "amount": 1})
    return {}


async def _in_funding(building: Building) -> dict[str, Any]:
    await _a_transfer(building)
    return {"asset": "BTC"}


for _row, _shape, _cite, _parameters, _before in (
    ("GET /sapi/v1/system/status", fields("status:i msg:s"), "System Status", {}, None),
    ("GET /sapi/v1/capital/deposit/hisrec", [DEPOSIT], "Deposit History", {}, _a_deposit),
    (
        "GET /sapi/v1/capital/deposit/address",
        fields("address:s coin:s tag:s url:s"),
        "Deposit Address",
        {"coin": "BTC"},
        None,
    ),
    (
        "GET /sapi/v1/capital/deposit/address/list",
        [fields("coin:s address:s tag:s isDefault:i")],
        "Fetch deposit address list with network",
        {"coin": "ETH"},
        None,
    ),
    (
        "POST /sapi/v1/capital/withdraw/apply",
        fields("id:s"),
        "Withdraw",
        {"coin": "BTC", "address": BITCOIN_ADDRESS, "amount": 1},
        None,
    ),
    ("GET /sapi/v1/capital/withdraw/history", [WITHDRAWAL], "Withdraw History", {}, _a_withdrawal),
    (
        "POST /sapi/v1/asset/transfer",
        fields("tranId:i"),
        "User Universal Transfer",
        {"type": "MAIN_FUNDING", "asset": "BTC", "amount": 1},
        None,
    ),
    (
        "GET /sapi/v1/asset/transfer",
        fields("total:i", rows=[fields("asset:s amount:s type:s status:s tranId:i timestamp:i")]),
        "Query User Universal Transfer History",
        {"type": "MAIN_FUNDING"},
        _a_transfer,
    ),
    (
        "POST /sapi/v1/futures/transfer",
        fields("tranId:i"),
        "New Future Account Transfer",
        {"type": 1, "asset": "BTC", "amount": 1},
        None,
    ),
    (
        "GET /sapi/v1/futures/transfer",
        fields("total:i", rows=[fields("asset:s amount:s type:s status:s tranId:i timestamp:i")]),
        "Get Future Account Transaction History List",
        {"asset": "BTC", "startTime": NOW_MS},
        _an_old_transfer,
    ),
    (
        "GET /sapi/v1/asset/assetDetail",
        Each(fields("minWithdrawAmount:s depositStatus:b withdrawFee:n withdrawStatus:b")),
        "Asset Detail",
        {"asset": "BTC"},
        None,
    ),
    (
        "GET /sapi/v1/asset/tradeFee",
        [fields("symbol:s makerCommission:s takerCommission:s")],
        "Trade Fee",
        {},
        None,
    ),
    ("POST /sapi/v3/asset/getUserAsset", [OWNED | fields("ipoable:s")], "User Asset", {}, None),
    ("POST /sapi/v1/asset/get-funding-asset", [OWNED], "Funding Wallet", {}, _in_funding),
    ("GET /sapi/v1/asset/wallet/balance", [WALLET], "Query User Wallet Balance", {}, None),
    ("GET /sapi/v1/account/status", fields("data:s"), "Account Status", {}, None),
    (
        "GET /sapi/v1/account/apiTradingStatus",
        {
            "data": fields(
                "isLocked:b plannedRecoverTime:i updateTime:i", triggerCondition=fields("GCR:i IFER:i UFR:i")
            )
        },
        "Account API Trading Status",
        {},
        None,
    ),
    (
        "GET /sapi/v1/account/info",
        fields(
            "vipLevel:i isMarginEnabled:b isFutureEnabled:b isOptionsEnabled:b "
            "isPortfolioMarginRetailEnabled:b"
        ),
        "Account info",
        {},
        None,
    ),
    ("GET /sapi/v1/account/apiRestrictions", RESTRICTIONS, "Get API Key Permission", {}, None),
    (
        "GET /sapi/v1/bnbBurn",
        fields("spotBNBBurn:b interestBNBBurn:b"),
        "Get BNB Burn Status (margin)",
        {},
        None,
    ),
    (
        "POST /sapi/v1/bnbBurn",
        fields("spotBNBBurn:b interestBNBBurn:b"),
        "Toggle BNB Burn On Spot Trade And Margin Interest",
        {"spotBNBBurn": "true"},
        None,
    ),
    (
        "GET /sapi/v1/margin/allPairs",
        [PAIR | fields("id:i")],
        "Get All Cross Margin Pairs (margin)",
        {},
        None,
    ),
    (
        "GET /sapi/v1/margin/isolated/allPairs",
        [PAIR],
        "Get All Isolated Margin Symbol (margin)",
        {},
        None,
    ),
):
    shows(_row, _shape, _cite, _parameters, before=_before)
_BARE = WALLET | {"assetBalances": []}
shows(
    "GET /sapi/v1/asset/wallet/balance",
    (WALLET | {"assetBalances": [OWNED | fields("assetName:s")]}, _BARE, _BARE, _BARE),
    "Query User Wallet Balance",
    {"needBalanceDetail": "true"},
    form="with details",
)
shows(
    "GET /sapi/v1/capital/deposit/hisrec",
    [DEPOSIT | fields("sourceAddress:s")],
    "Deposit History",
    {"includeSource": "true"},
    form="with sources",
)

# What never happens here

EMPTY: Mapping[str, tuple[Any, Shape, Mapping[str, Any]]] = {
    "GET /api/v3/executionRules": (
        {"symbolRules": [{"symbol": "BTCUSDT", "rules": []}]},
        {"symbolRules": [{"symbol": "s", "rules": [PRICE_RANGE]}]},
        BTC,
    ),
    "GET /api/v3/historicalBlockTrades": ([], [BLOCK_TRADE], {**BTC, "fromId": 1}),
    "GET /api/v3/myAllocations": ([], [ALLOCATION], BTC),
    "GET /sapi/v1/asset/assetDividend": (
        {"rows": [], "total": 0},
        fields("total:i", rows=[DIVIDEND]),
        {},
    ),
    "GET /sapi/v1/asset/dribblet": (
        {"total": 0, "userAssetDribblets": []},
        fields("total:i", userAssetDribblets=[DRIBBLET]),
        {},
    ),
    "GET /sapi/v1/spot/delist-schedule": ([], [fields("delistTime:i", symbols=["s"])], {}),
}
"""Rows that answer with nothing because nothing of the sort happens here: what they answer, and what they
declare to answer, which is the documented form all the same."""

REFUSED: Mapping[str, Shape] = {
    "GET /api/v3/referencePrice": fields("symbol:s referencePrice:s timestamp:i"),
    "GET /api/v3/referencePrice/calculation": fields(
        "symbol:s calculationType:s bucketCount:i bucketWidthMs:i externalCalculationId:i"
    ),
}
"""Rows that always answer with the documented error, -2043, and what they declare."""

ELSEWHERE: Mapping[str, str] = {
    "GET /api/v3/exchangeInfo": "test_exchange_info: its filters are of several forms",
    "GET /api/v3/myFilters": "test_own_filters: its filters are of several forms",
    "GET /sapi/v1/capital/config/getall": "test_coins: legal money has no networks",
}


@pytest.mark.parametrize(
    "example", EXAMPLES, ids=lambda example: f"{example.method} {example.path} {example.form}".strip()
)
async def test_an_answer_has_the_documented_keys_and_types(example: Example) -> None:
    async with Building() as building:
        body = await example.scene(building)
    assert list(complaints(body, example.shape)) == [], example.cite


@pytest.mark.parametrize("row", EMPTY)
async def test_what_never_happens_is_declared_all_the_same(row: str) -> None:
    answered, shape, parameters = EMPTY[row]
    method, path = row.split(" ")
    async with Building() as building:
        assert await building.take(method, path, parameters) == answered
    assert declared(rows()[method, path].answers) == shape


@pytest.mark.parametrize("row", REFUSED)
def test_what_is_always_refused_is_declared_all_the_same(row: str) -> None:
    method, path = row.split(" ")
    assert declared(rows()[method, path].answers) == REFUSED[row]


async def test_exchange_info() -> None:
    """rest-api.md, "Exchange information"; filters.md."""
    rare = {"iceberg_orders_max": 5, "position_max": 1000}
    async with Building({"BTCUSDT": rare}) as building:
        body = await building.take("GET", "/api/v3/exchangeInfo")
    seen: set[str] = set()
    for symbol in body["symbols"]:
        filters = symbol.pop("filters")
        seen |= check_filters(filters)
    assert seen == set(FILTERS)
    expected = fields(
        "timezone:s serverTime:i",
        rateLimits=[RATE_LIMIT],
        exchangeFilters=[],
        symbols=[SYMBOL],
        sors=[fields("baseAsset:s", symbols=["s"])],
    )
    assert list(complaints(body, expected)) == []


async def test_own_filters() -> None:
    """rest-api.md, "Query relevant filters"."""
    async with Building() as building:
        body = await building.take("GET", "/api/v3/myFilters", BTC)
    assert check_filters(body.pop("symbolFilters")) <= set(FILTERS)
    assert body == {"exchangeFilters": [], "assetFilters": []}


def check_filters(filters: list[dict[str, Any]]) -> set[str]:
    for one in filters:
        assert list(complaints(one, FILTERS[one["filterType"]])) == []
    return {one["filterType"] for one in filters}


async def test_coins() -> None:
    """Wallet documents, "All Coins' Information"."""
    async with Building() as building:
        coins = await building.take("GET", "/sapi/v1/capital/config/getall")
    legal = [coin for coin in coins if coin["isLegalMoney"]]
    others = [coin for coin in coins if not coin["isLegalMoney"]]
    assert list(complaints(others, [COIN])) == []
    assert list(complaints(legal, [COIN | {"networkList": []}])) == []


async def test_a_trade_group_shows_where_there_is_one() -> None:
    """faqs/stp_faq.md, "What is a Trade Group Id?" and scenario D."""
    async with Building() as building:
        account = await building.take("GET", "/api/v3/account", who=TWIN)
        await building.take("POST", "/api/v3/order", {**LIMIT_BUY, "price": "99995"}, who=TWIN)
        expired = await building.take(
            "POST", "/api/v3/order", {**_CROSSING, "selfTradePreventionMode": "EXPIRE_BOTH"}, who=TWIN
        )
    assert list(complaints(account, ACCOUNT | fields("tradeGroupId:i"))) == []
    shape = RESTING | fields("preventedQuantity:s tradeGroupId:i", preventedMatches=[_BOTH])
    assert list(complaints(expired, shape)) == []


@pytest.mark.parametrize("unit", ["MICROSECOND", "microsecond"])
async def test_times_change_their_unit_and_nothing_else(unit: str) -> None:
    """rest-api.md, "General API Information"."""
    async with Building() as building:
        placed = await building.take("POST", "/api/v3/order", LIMIT_BUY, headers={"X-MBX-TIME-UNIT": unit})
    assert list(complaints(placed, RESTING)) == []
    assert placed["transactTime"] == placed["workingTime"] == NOW_MS * 1000


def test_every_row_is_shown() -> None:
    shown = {f"{example.method} {example.path}" for example in EXAMPLES}
    known = [*shown, *EMPTY, *REFUSED, *ELSEWHERE]
    assert sorted(known) == sorted(" ".join(key) for key in rows())
