"""The methods of spot's WebSocket API: the rows of REST under other names, and those of user data.

What a method does otherwise than its row is said here, and nowhere else.
"""

from __future__ import annotations

from typing import Final

from emulator.exchanges.binance.auth import permits
from emulator.exchanges.binance.errors import refuse
from emulator.exchanges.binance.spot.payloads.ws_api import Nothing, SpotSessionState, Subscribed
from emulator.exchanges.binance.spot.ws_api.standing import SpotStanding
from emulator.exchanges.binance.vocabulary import USER_DATA
from emulator.exchanges.binance.ws_api.methods import Name, own_row
from emulator.exchanges.binance.ws_api.session import session_rows, standing_of
from emulator.web.contract import Call, Kind, Parameter, Security

WEIGHT: Final = 2
"""Of methods that only a socket has."""

_TIMES = ("startTime", "endTime")

# Quirk: three queries pass over a parameter that REST refuses, or takes into account, beside certain others
# (web-socket-api.md, allOrders, orderList.status and allOrderLists).
NAMES: Final = (
    Name("ping", "GET", "/api/v3/ping"),
    Name("time", "GET", "/api/v3/time"),
    Name("exchangeInfo", "GET", "/api/v3/exchangeInfo"),
    Name("executionRules", "GET", "/api/v3/executionRules"),
    Name("depth", "GET", "/api/v3/depth"),
    Name("trades.recent", "GET", "/api/v3/trades"),
    Name("trades.historical", "GET", "/api/v3/historicalTrades"),
    Name("trades.aggregate", "GET", "/api/v3/aggTrades"),
    Name("blockTrades.historical", "GET", "/api/v3/historicalBlockTrades"),
    Name("klines", "GET", "/api/v3/klines"),
    Name("uiKlines", "GET", "/api/v3/uiKlines"),
    Name("avgPrice", "GET", "/api/v3/avgPrice"),
    Name("ticker", "GET", "/api/v3/ticker"),
    Name("ticker.24hr", "GET", "/api/v3/ticker/24hr"),
    Name("ticker.tradingDay", "GET", "/api/v3/ticker/tradingDay"),
    Name("ticker.price", "GET", "/api/v3/ticker/price"),
    Name("ticker.book", "GET", "/api/v3/ticker/bookTicker"),
    Name("referencePrice", "GET", "/api/v3/referencePrice"),
    Name("referencePrice.calculation", "GET", "/api/v3/referencePrice/calculation"),
    Name("order.place", "POST", "/api/v3/order"),
    Name("order.test", "POST", "/api/v3/order/test"),
    Name("order.cancel", "DELETE", "/api/v3/order"),
    Name("order.cancelReplace", "POST", "/api/v3/order/cancelReplace"),
    Name("order.amend.keepPriority", "PUT", "/api/v3/order/amend/keepPriority"),
    Name("openOrders.cancelAll", "DELETE", "/api/v3/openOrders"),
    Name("orderList.place", "POST", "/api/v3/order/oco"),
    Name("orderList.place.oco", "POST", "/api/v3/orderList/oco"),
    Name("orderList.place.oto", "POST", "/api/v3/orderList/oto"),
    Name("orderList.place.otoco", "POST", "/api/v3/orderList/otoco"),
    Name("orderList.place.opo", "POST", "/api/v3/orderList/opo"),
    Name("orderList.place.opoco", "POST", "/api/v3/orderList/opoco"),
    Name("orderList.cancel", "DELETE", "/api/v3/orderList"),
    Name("sor.order.place", "POST", "/api/v3/sor/order"),
    Name("sor.order.test", "POST", "/api/v3/sor/order/test"),
    Name("account.status", "GET", "/api/v3/account"),
    Name("account.commission", "GET", "/api/v3/account/commission"),
    Name("account.rateLimits.orders", "GET", "/api/v3/rateLimit/order"),
    Name("order.status", "GET", "/api/v3/order"),
    Name("order.amendments", "GET", "/api/v3/order/amendments"),
    Name("openOrders.status", "GET", "/api/v3/openOrders"),
    Name("allOrders", "GET", "/api/v3/allOrders", {"orderId": _TIMES}),
    Name("orderList.status", "GET", "/api/v3/orderList", {"orderListId": ("origClientOrderId",)}),
    Name("openOrderLists.status", "GET", "/api/v3/openOrderList"),
    Name("allOrderLists", "GET", "/api/v3/allOrderList", {"fromId": _TIMES}),
    Name("myTrades", "GET", "/api/v3/myTrades"),
    Name("myPreventedMatches", "GET", "/api/v3/myPreventedMatches"),
    Name("myAllocations", "GET", "/api/v3/myAllocations"),
    Name("myFilters", "GET", "/api/v3/myFilters"),
    *(
        Name(f"userDataStream.{verb}", method, "/api/v3/userDataStream")
        for verb, method in (("start", "POST"), ("ping", "PUT"), ("stop", "DELETE"))
    ),
)
"""The last three are of the rows that an era switch brings back."""

# Quirk: the counts of orders that account.rateLimits.orders asks for are its result only; its `rateLimits`
# tell of the weight (web-socket-api.md, "Unfilled Order Count").
COUNTED: Final = frozenset({"/api/v3/order/cancelReplace"})
"""Rows whose answers tell how many orders are unfilled, beside those that place orders."""


def explain(name: str) -> str:
    """Why a method is not offered."""
    if any(one.name == name for one in NAMES):
        return (
            f"The exchange removed {name} on 2026-02-20; use userDataStream.subscribe.signature, "
            "or set the era switch spot_listen_key to serve."
        )
    return f"There is no method {name!r}."


# User data


def _standing(call: Call) -> SpotStanding:
    standing = standing_of(call)
    assert isinstance(standing, SpotStanding)
    return standing


def subscribe(call: Call) -> Subscribed:
    standing = _standing(call)
    key = standing.key
    if key is None:
        raise refuse(-1002)
    if not permits(key, USER_DATA.permission):
        raise refuse(-2015)
    return {"subscriptionId": standing.subscribe(standing.home, key.account, by_logon=True)}


def subscribe_signed(call: Call) -> Subscribed:
    standing = _standing(call)
    return {"subscriptionId": standing.subscribe(call.sandbox, call.account, by_logon=False)}


def unsubscribe(call: Call) -> Nothing:
    _standing(call).unsubscribe(call.values.get("subscriptionId"))
    return {}


def list_subscriptions(call: Call) -> list[Subscribed]:
    return [{"subscriptionId": number} for number in _standing(call).subscriptions]


_USER_STREAM: Final = Security(name="USER_STREAM", keyed=True, signed=True, permission=USER_DATA.permission)

SESSION_ROWS: Final = (
    *session_rows(SpotSessionState, weight=WEIGHT),
    own_row(
        "session.subscriptions",
        "List all subscriptions",
        list_subscriptions,
        list[Subscribed],
        weight=WEIGHT,
    ),
    own_row(
        "userDataStream.subscribe",
        "Subscribe to user data, logged on",
        subscribe,
        Subscribed,
        weight=WEIGHT,
    ),
    own_row(
        "userDataStream.subscribe.signature",
        "Subscribe to user data by signature",
        subscribe_signed,
        Subscribed,
        weight=WEIGHT,
        security=_USER_STREAM,
    ),
    own_row(
        "userDataStream.unsubscribe",
        "Unsubscribe from user data",
        unsubscribe,
        Nothing,
        Parameter("subscriptionId", Kind.INTEGER),
        weight=WEIGHT,
    ),
)
