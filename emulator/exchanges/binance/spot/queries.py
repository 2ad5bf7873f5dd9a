"""Finding orders, open and over, and what self-trade prevention made of them (rest-api.md, "Trading" and
"Account endpoints")."""

from __future__ import annotations

from typing import Final

from emulator.core.engine import Engine
from emulator.core.history import PreventedMatch as PreventedRecord
from emulator.core.history import Query
from emulator.core.orders import Order, OrderStatus
from emulator.exchanges.binance.errors import refuse
from emulator.exchanges.binance.refusals import EITHER_REQUIRED
from emulator.exchanges.binance.spot.order_parameters import NAMED, WALLET
from emulator.exchanges.binance.spot.parameters import LIMIT
from emulator.exchanges.binance.spot.payloads.trading import Allocation, OrderState, PreventedMatch
from emulator.exchanges.binance.spot.replies import answer_prevented_match, answer_state
from emulator.exchanges.binance.spot.windows import DAY_US, asked, check_span
from emulator.exchanges.binance.vocabulary import (
    END_TIME,
    ORDER_ID,
    ORIG_CLIENT_ORDER_ID,
    START_TIME,
    SYMBOL,
    SYMBOL_OPTIONAL,
    USER_DATA,
)
from emulator.web.contract import Call, Kind, Parameter, Rows

rows = Rows()

ARCHIVED_AFTER_US: Final = 90 * DAY_US

_ARCHIVED: Final = frozenset({OrderStatus.CANCELED, OrderStatus.EXPIRED, OrderStatus.EXPIRED_IN_MATCH})


def known_instrument(call: Call) -> Engine:
    """The engine, if it has the symbol; otherwise -1121."""
    engine = call.engine
    if call.values["symbol"] not in engine.instruments:
        raise refuse(-1121)
    return engine


@rows.route(
    "GET",
    "/api/v3/order",
    summary="Query order",
    security=USER_DATA,
    weight=4,
    parameters=(SYMBOL, ORDER_ID, ORIG_CLIENT_ORDER_ID),
    one_of=NAMED,
    answers=OrderState,
)
async def query_order(call: Call) -> OrderState:
    values = call.values
    client_id: str | None = values.get("origClientOrderId")
    known_instrument(call)
    order = await call.order(values["symbol"], values.get("orderId"), client_id)
    if order is None:
        raise refuse(-2013)
    if client_id is not None and "orderId" in values and order.client_id != client_id:
        raise refuse(-2039)
    if is_archived(order, call.now_us):
        raise refuse(-2026)
    return answer_state(call, order)


def is_archived(order: Order, now_us: int) -> bool:
    """Whether an order came to nothing so long ago that it is no longer told of (errors.md, -2026)."""
    # Quirk: 90 days after an order ended without any trade, asking for it is an error of its own
    # (errors.md, -2026).
    return order.updated_us < now_us - ARCHIVED_AFTER_US and order.status in _ARCHIVED and not order.executed


@rows.route(
    "GET",
    "/api/v3/openOrders",
    summary="Current open orders",
    security=USER_DATA,
    weight=lambda values: 6 if "symbol" in values else 80,
    parameters=(SYMBOL_OPTIONAL,),
    answers=list[OrderState],
)
def open_orders(call: Call) -> list[OrderState]:
    symbol: str | None = call.values.get("symbol")
    engine = call.engine
    if symbol is not None:
        known_instrument(call)
    listed = engine.state.accounts[call.account].open_orders.values()
    # Those of contracts are the futures sites' to tell of.
    return [
        answer_state(call, order)
        for order in listed
        if order.wallet == WALLET and symbol in (None, order.instrument)
    ]


@rows.route(
    "GET",
    "/api/v3/allOrders",
    summary="All orders",
    security=USER_DATA,
    weight=20,
    parameters=(SYMBOL, ORDER_ID, START_TIME, END_TIME, LIMIT),
    answers=list[OrderState],
)
async def all_orders(call: Call) -> list[OrderState]:
    values = call.values
    known_instrument(call)
    check_span(values)
    query = asked(
        values,
        account=call.account,
        scope=values["symbol"],
        divisor=call.time_divisor,
        first_id=values.get("orderId"),
    )
    return [answer_state(call, order) for order in await call.records(Order, query)]


@rows.route(
    "GET",
    "/api/v3/myPreventedMatches",
    summary="Query prevented matches",
    security=USER_DATA,
    weight=lambda values: 2 if "preventedMatchId" in values else 20,
    parameters=(
        SYMBOL,
        Parameter("preventedMatchId", Kind.INTEGER),
        ORDER_ID,
        Parameter("fromPreventedMatchId", Kind.INTEGER),
        LIMIT,
    ),
    answers=list[PreventedMatch],
)
async def prevented_matches(call: Call) -> list[PreventedMatch]:
    values = call.values
    match_id: int | None = values.get("preventedMatchId")
    order_id: int | None = values.get("orderId")
    engine = call.engine
    symbol: str = values["symbol"]
    if symbol not in engine.instruments:
        call.weight = 2
        raise refuse(-1121)
    if match_id is None and order_id is None:
        raise refuse(-1102, "preventedMatchId", "orderId", text=EITHER_REQUIRED)
    if match_id is not None and (order_id is not None or "fromPreventedMatchId" in values):
        raise refuse(-1128)
    query = Query(
        account=call.account,
        scope=symbol,
        first_id=match_id if match_id is not None else values.get("fromPreventedMatchId"),
        last_id=match_id,
        part=order_id,
        limit=values["limit"],
    )
    records = await call.records(PreventedRecord, query)
    # Each of the two orders has a record of its own.
    matches = {record.event.match: record for record in records}
    return [answer_prevented_match(call, record) for record in matches.values()]


@rows.route(
    "GET",
    "/api/v3/myAllocations",
    summary="Query allocations",
    security=USER_DATA,
    weight=20,
    parameters=(
        SYMBOL,
        START_TIME,
        END_TIME,
        Parameter("fromAllocationId", Kind.INTEGER),
        LIMIT,
        ORDER_ID,
    ),
    answers=list[Allocation],
    description="There are none: an order that uses SOR is filled by trades on its own book.",
)
def allocations(call: Call) -> list[Allocation]:
    values = call.values
    known_instrument(call)
    timed = "startTime" in values or "endTime" in values
    if timed and ("fromAllocationId" in values or "orderId" in values):
        raise refuse(-1128)
    check_span(values)
    return []
