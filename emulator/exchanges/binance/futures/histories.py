"""Lists of an account's orders and trades, and how many orders it may place."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from emulator.core.history import Fill
from emulator.core.orders import Cause, Order
from emulator.exchanges.binance.futures.door import door_of
from emulator.exchanges.binance.futures.orders import is_told
from emulator.exchanges.binance.futures.payloads.trading import (
    CoinmOrderState,
    ForcedOrder,
    OrderLimit,
    UsdmOrderState,
    UserTrade,
)
from emulator.exchanges.binance.futures.products import product_of
from emulator.exchanges.binance.futures.refusals import TABLES
from emulator.exchanges.binance.futures.replies import (
    OrderStanding,
    answer_forced,
    answer_state,
    answer_trade,
)
from emulator.exchanges.binance.futures.rows import Declared, FuturesRows
from emulator.exchanges.binance.futures.symbols import find
from emulator.exchanges.binance.futures.vocabulary import PAIR
from emulator.exchanges.binance.futures.windows import DAY_US, LIMIT, Span, records_of, span_of
from emulator.exchanges.binance.vocabulary import (
    END_TIME,
    FROM_ID,
    ORDER_ID,
    START_TIME,
    SYMBOL,
    SYMBOL_OPTIONAL,
    USER_DATA,
    limit,
)
from emulator.web.contract import Call, Kind, Parameter

rows = FuturesRows()

TRADES_KEPT_US: Final = 90 * DAY_US

AUTO_CLOSE_TYPES: Final = {"LIQUIDATION": Cause.LIQUIDATION, "ADL": Cause.DELEVERAGING}


def _open_weight(values: Mapping[str, Any]) -> int:
    return 1 if "symbol" in values else 40


@rows.both(
    "GET",
    "/v1/openOrders",
    summary="Current all open orders",
    description="Those that stand apart until their trigger are not among them.",
    security=USER_DATA,
    weight=_open_weight,
    parameters=(SYMBOL_OPTIONAL,),
    answers=list[UsdmOrderState],
    coinm=Declared(parameters=(SYMBOL_OPTIONAL, PAIR), answers=list[CoinmOrderState]),
)
def open_orders(call: Call) -> list[OrderStanding]:
    product = product_of(call)
    chosen = set(instruments_of(call))
    return [
        answer_state(call, product, order)
        for order in call.engine.state.accounts[call.account].open_orders.values()
        if order.instrument in chosen and not order.terms.detached
    ]


def instruments_of(call: Call) -> list[str]:
    """What a request is about that names a symbol, a pair or neither: the core's names."""
    product, values = product_of(call), call.values
    symbol: str | None = values.get("symbol")
    pair: str | None = values.get("pair")
    if symbol is not None:
        return [find(product, symbol, call.now_us).instrument.symbol]
    chosen = [one for one in product.listings.values() if pair in (None, one.pair)]
    if not chosen:
        raise TABLES[product].refuse(-1121)
    return [one.instrument.symbol for one in chosen]


@rows.both(
    "GET",
    "/v1/allOrders",
    summary="All orders",
    description="Of seven days at most, the last ones where no time is given.",
    security=USER_DATA,
    weight=5,
    parameters=(SYMBOL_OPTIONAL, ORDER_ID, START_TIME, END_TIME, LIMIT),
    answers=list[UsdmOrderState],
    coinm=Declared(
        parameters=(SYMBOL_OPTIONAL, PAIR, ORDER_ID, START_TIME, END_TIME, LIMIT),
        answers=list[CoinmOrderState],
    ),
)
async def all_orders(call: Call) -> list[OrderStanding]:
    product, now_us = product_of(call), call.now_us
    instruments = instruments_of(call)
    first_id: int | None = call.values.get("orderId")
    span = span_of(call)
    if first_id is not None:
        # Quirk: from an id on the oldest orders are answered, without one the newest (All Orders).
        span = Span(span.start_us if "startTime" in call.values else None, span.end_us, newest=False)
    listed = await records_of(
        call, Order, instruments, span, admits=lambda order: is_told(order, now_us), first_id=first_id
    )
    return [answer_state(call, product, order, has_both=True) for order in listed]


@rows.both(
    "GET",
    "/v1/userTrades",
    summary="Account trade list",
    description="Of seven days at most, the last ones where no time is given; three months are kept.",
    security=USER_DATA,
    weight=5,
    parameters=(SYMBOL, ORDER_ID, START_TIME, END_TIME, FROM_ID, LIMIT),
    answers=list[UserTrade],
    coinm=Declared(
        parameters=(SYMBOL_OPTIONAL, PAIR, ORDER_ID, START_TIME, END_TIME, FROM_ID, LIMIT),
        one_of=(("symbol", "pair"),),
    ),
)
async def user_trades(call: Call) -> list[UserTrade]:
    values, product = call.values, product_of(call)
    from_id: int | None = values.get("fromId")
    if from_id is not None and ("startTime" in values or "endTime" in values):
        # Quirk: trades are asked for from an id on or by their time, not by both (Account Trade List).
        raise TABLES[product].refuse(-1128)
    if "symbol" not in values and (from_id is not None or "orderId" in values):
        # Quirk: ids are a symbol's, so a pair does not go with them (Account Trade List of COIN-M).
        raise TABLES[product].refuse(-1128)
    instruments = instruments_of(call)
    span = span_of(call, kept_us=TRADES_KEPT_US)
    if from_id is not None:
        span = Span(call.now_us - TRADES_KEPT_US, None, newest=False)
    listed = await records_of(call, Fill, instruments, span, first_id=from_id, part=values.get("orderId"))
    return [answer_trade(call, product, fill) for fill in listed]


@rows.both(
    "GET",
    "/v1/forceOrders",
    summary="User's force orders",
    description="By which the exchange closed positions, of seven days at most.",
    security=USER_DATA,
    weight=lambda values: 20 if "symbol" in values else 50,
    parameters=(
        SYMBOL_OPTIONAL,
        Parameter("autoCloseType", Kind.CHOICE, choices=tuple(AUTO_CLOSE_TYPES)),
        START_TIME,
        END_TIME,
        limit(50, 100),
    ),
    answers=list[ForcedOrder],
)
async def forced_orders(call: Call) -> list[ForcedOrder]:
    product = product_of(call)
    word = call.values.get("autoCloseType")
    causes = set(AUTO_CLOSE_TYPES.values()) if word is None else {AUTO_CLOSE_TYPES[word]}
    listed = await records_of(
        call, Order, instruments_of(call), span_of(call), admits=lambda order: order.terms.cause in causes
    )
    return [answer_forced(call, product, order) for order in listed]


@rows.usdm(
    "GET",
    "/v1/rateLimit/order",
    summary="Query user rate limit",
    security=USER_DATA,
    weight=1,
    answers=list[OrderLimit],
)
def order_limits(call: Call) -> list[OrderLimit]:
    limits = door_of(call).limits
    return [
        {"rateLimitType": "ORDERS", "interval": interval, "intervalNum": number, "limit": limit}
        for interval, number, limit in (
            ("SECOND", 10, limits.orders_per_10_seconds),
            ("MINUTE", 1, limits.orders_per_minute),
        )
    ]
