"""Placing, canceling, replacing, amending and finding single orders (rest-api.md, "Trading endpoints")."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from emulator.core.commands import (
    AmendOrder,
    CancelAllOrders,
    CancelOrder,
    PlaceOrder,
    ReplaceOrder,
    TestOrder,
)
from emulator.core.engine import Done, Engine
from emulator.core.events import OrderAmended, OrderCanceled, OrderPlaced
from emulator.core.history import Amendment as AmendmentRecord
from emulator.core.history import PreventedMatch as PreventedRecord
from emulator.core.history import Query
from emulator.core.ids import NO_LIST
from emulator.core.orders import Order, OrderStatus, OrderTerms
from emulator.core.rejections import ReplaceFailed
from emulator.exchanges.binance.client_ids import new_client_id
from emulator.exchanges.binance.door import Door
from emulator.exchanges.binance.errors import refuse, replace_refusal
from emulator.exchanges.binance.refusals import EITHER_REQUIRED
from emulator.exchanges.binance.spot.order_parameters import (
    CLIENT_ID,
    COMPUTE_COMMISSION_RATES,
    NEW_ORDER,
    SOR_ORDER,
    SOR_SYMBOLS,
    WALLET,
)
from emulator.exchanges.binance.spot.parameters import LIMIT
from emulator.exchanges.binance.spot.payloads.trading import (
    Allocation,
    Amended,
    Amendment,
    CanceledOrderList,
    CancelReport,
    Nothing,
    OrderAck,
    OrderCommissions,
    OrderFull,
    OrderResult,
    OrderState,
    PreventedMatch,
    Replacement,
)
from emulator.exchanges.binance.spot.replies import (
    answer_amended_order,
    answer_amendment,
    answer_cancels,
    answer_commissions,
    answer_list_status,
    answer_order,
    answer_prevented_match,
    answer_state,
    default_response,
)
from emulator.exchanges.binance.spot.terms import (
    PLAIN,
    USED_SOR,
    check_precision,
    coarse_assets,
    parse_terms,
)
from emulator.exchanges.binance.spot.user_data import ACCOUNT_HUBS
from emulator.exchanges.binance.spot.windows import DAY_US, asked, check_span
from emulator.exchanges.binance.vocabulary import (
    CANCEL_RESTRICTION,
    CANCEL_RESTRICTIONS,
    END_TIME,
    NEW_CLIENT_ORDER_ID,
    ORDER_ID,
    ORIG_CLIENT_ORDER_ID,
    SELF_TRADE_MODES,
    SIDES,
    START_TIME,
    SYMBOL,
    SYMBOL_OPTIONAL,
    TRADE,
    USER_DATA,
)
from emulator.runtime.submission import Submission
from emulator.web.contract import Call, Kind, Parameter, Refusal, Rows

rows = Rows()

ARCHIVED_AFTER_US: Final = 90 * DAY_US

NO_SOR: Final = "This symbol has no SOR."
"""As the live host answers (ccxt, pull request 18883)."""

_NAMED: Final = (("orderId", "origClientOrderId"),)
_ARCHIVED: Final = frozenset({OrderStatus.CANCELED, OrderStatus.EXPIRED, OrderStatus.EXPIRED_IN_MATCH})

# Placing


def _parse(call: Call, labels: tuple[tuple[str, str], ...] = ()) -> OrderTerms:
    values = call.values
    mode = values.get("selfTradePreventionMode")
    return parse_terms(
        values,
        PLAIN,
        type_word=values["type"],
        side=SIDES[values["side"]],
        self_trade_mode=None if mode is None else SELF_TRADE_MODES[mode],
        labels=labels,
    )


def _place(call: Call, terms: OrderTerms) -> Submission[OrderAck | OrderResult | OrderFull]:
    values = call.values
    response: str = values.get("newOrderRespType") or default_response(values["type"])
    command = PlaceOrder(account=call.account, wallet=WALLET, instrument=values["symbol"], terms=terms)

    def answer(done: Done) -> OrderAck | OrderResult | OrderFull:
        placed = done.events[0]
        assert isinstance(placed, OrderPlaced)
        return answer_order(call, call.engine, placed.order, done.events, response)

    return call.submit(command, answer)


@rows.route(
    "POST",
    "/api/v3/order",
    summary="New order",
    security=TRADE,
    weight=1,
    free_when_accepted=True,
    orders=1,
    parameters=(SYMBOL, *NEW_ORDER),
    answers=OrderAck | OrderResult | OrderFull,
)
def place_order(call: Call) -> Submission[OrderAck | OrderResult | OrderFull]:
    return _place(call, _parse(call))


def _test_weight(values: Mapping[str, Any]) -> int:
    return 20 if values.get("computeCommissionRates") else 1


def _test(call: Call, terms: OrderTerms, *, routed: bool) -> Submission[Nothing | OrderCommissions]:
    symbol: str = call.values["symbol"]
    command = TestOrder(account=call.account, wallet=WALLET, instrument=symbol, terms=terms)

    def answer(done: Done) -> Nothing | OrderCommissions:
        if call.values.get("computeCommissionRates"):
            return answer_commissions(call.engine, call.account, symbol, routed=routed)
        return {}

    return call.submit(command, answer)


@rows.route(
    "POST",
    "/api/v3/order/test",
    summary="Test new order",
    security=TRADE,
    weight=_test_weight,
    parameters=(SYMBOL, *NEW_ORDER, COMPUTE_COMMISSION_RATES),
    answers=Nothing | OrderCommissions,
    description="Checks an order without placing it; neither the balance nor the book is asked.",
)
def try_order(call: Call) -> Submission[Nothing | OrderCommissions]:
    return _test(call, _parse(call), routed=False)


def _parse_routed(call: Call) -> OrderTerms:
    symbol: str = call.values["symbol"]
    known_instrument(call)
    if symbol not in SOR_SYMBOLS:
        raise refuse(-1013, text=NO_SOR)
    return _parse(call, (USED_SOR,))


@rows.route(
    "POST",
    "/api/v3/sor/order",
    summary="New order using SOR",
    security=TRADE,
    weight=1,
    free_when_accepted=True,
    orders=1,
    parameters=(SYMBOL, *SOR_ORDER),
    answers=OrderAck | OrderResult | OrderFull,
    description=(
        "Takes what the symbol's own book offers; books of other quote assets are not routed to, "
        "so there are trades and no allocations."
    ),
)
def place_routed_order(call: Call) -> Submission[OrderAck | OrderResult | OrderFull]:
    return _place(call, _parse_routed(call))


@rows.route(
    "POST",
    "/api/v3/sor/order/test",
    summary="Test new order using SOR",
    security=TRADE,
    weight=_test_weight,
    parameters=(SYMBOL, *SOR_ORDER, COMPUTE_COMMISSION_RATES),
    answers=Nothing | OrderCommissions,
)
def try_routed_order(call: Call) -> Submission[Nothing | OrderCommissions]:
    return _test(call, _parse_routed(call), routed=True)


# Canceling


@rows.route(
    "DELETE",
    "/api/v3/order",
    summary="Cancel order",
    security=TRADE,
    weight=1,
    free_when_accepted=True,
    parameters=(SYMBOL, ORDER_ID, ORIG_CLIENT_ORDER_ID, NEW_CLIENT_ORDER_ID, CANCEL_RESTRICTION),
    one_of=_NAMED,
    answers=CancelReport | CanceledOrderList,
    description="Canceling one order of an order list cancels the list, which is then the answer.",
)
def cancel_order(call: Call) -> Submission[CancelReport | CanceledOrderList]:
    values = call.values
    known_instrument(call)
    restriction = values.get("cancelRestrictions")
    command = CancelOrder(
        account=call.account,
        instrument=values["symbol"],
        order=values.get("orderId"),
        client_id=values.get("origClientOrderId"),
        cancel_client_id=values.get("newClientOrderId") or new_client_id(),
        restriction=None if restriction is None else CANCEL_RESTRICTIONS[restriction],
    )
    # Quirk: canceling one order of a list cancels the list, and the answer is then the list
    # (web-socket-api.md, order.cancel).
    return call.submit(command, lambda done: answer_cancels(call, call.engine, done.events)[0])


@rows.route(
    "DELETE",
    "/api/v3/openOrders",
    summary="Cancel all open orders on a symbol",
    security=TRADE,
    weight=1,
    free_when_accepted=True,
    parameters=(SYMBOL,),
    answers=list[CancelReport | CanceledOrderList],
)
def cancel_open_orders(call: Call) -> Submission[list[CancelReport | CanceledOrderList]]:
    # Quirk: canceling all open orders where none is open fails, -2011 (binance-connector-python, issue 185).
    command = CancelAllOrders(
        account=call.account, instrument=call.values["symbol"], cancel_client_id=new_client_id()
    )
    return call.submit(command, lambda done: answer_cancels(call, call.engine, done.events))


# Replacing


@rows.route(
    "POST",
    "/api/v3/order/cancelReplace",
    summary="Cancel an existing order and send a new order",
    failures={409: "Only one of the two was done; `data` says which"},
    security=TRADE,
    weight=1,
    free_when_accepted=True,
    parameters=(
        SYMBOL,
        *NEW_ORDER,
        Parameter(
            "cancelReplaceMode",
            Kind.CHOICE,
            required=True,
            choices=("STOP_ON_FAILURE", "ALLOW_FAILURE"),
            description="Whether the new order is tried when the cancel fails.",
        ),
        ORDER_ID.but(name="cancelOrderId"),
        ORIG_CLIENT_ORDER_ID.but(name="cancelOrigClientOrderId"),
        CLIENT_ID.but(
            name="cancelNewClientOrderId", description="Names the cancel; generated when not sent."
        ),
        CANCEL_RESTRICTION,
        Parameter(
            "orderRateLimitExceededMode",
            Kind.CHOICE,
            choices=("DO_NOTHING", "CANCEL_ONLY"),
            description="Whether the cancel is tried when there are too many unfilled orders.",
        ),
    ),
    one_of=(("cancelOrderId", "cancelOrigClientOrderId"),),
    answers=Replacement,
)
def replace_order(call: Call) -> Submission[Replacement]:
    values = call.values
    terms = _parse(call)
    known_instrument(call)
    response: str = values.get("newOrderRespType") or default_response(values["type"])
    restriction = values.get("cancelRestrictions")
    stop_on_failure = values["cancelReplaceMode"] == "STOP_ON_FAILURE"
    exceeded: Refusal | None = None
    try:
        call.reserve_orders(1)
    except Refusal as refusal:
        if values.get("orderRateLimitExceededMode") != "CANCEL_ONLY":
            raise
        exceeded = refusal
    command = ReplaceOrder(
        cancel=CancelOrder(
            account=call.account,
            instrument=values["symbol"],
            order=values.get("cancelOrderId"),
            client_id=values.get("cancelOrigClientOrderId"),
            cancel_client_id=values.get("cancelNewClientOrderId") or new_client_id(),
            restriction=None if restriction is None else CANCEL_RESTRICTIONS[restriction],
        ),
        place=PlaceOrder(account=call.account, wallet=WALLET, instrument=values["symbol"], terms=terms),
        stop_on_failure=stop_on_failure,
        place_allowed=exceeded is None,
    )

    def answer(done: Done) -> Replacement:
        engine = call.engine
        rejection = done.rejection
        if rejection is not None and not isinstance(rejection, ReplaceFailed):
            # What speaks against the new order by itself is found before anything is canceled.
            raise call.site.dialect.speak(rejection, command)
        canceled = next(iter(answer_cancels(call, engine, done.events)), None)
        placed = next((e.order for e in done.events if isinstance(e, OrderPlaced)), None)
        order = None if placed is None else answer_order(call, engine, placed, done.events, response)
        if rejection is None:
            assert canceled is not None
            assert order is not None
            return {
                "cancelResult": "SUCCESS",
                "newOrderResult": "SUCCESS",
                "cancelResponse": canceled,
                "newOrderResponse": order,
            }
        if exceeded is None and (placed is not None or not rejection.place_attempted):
            # Quirk: a replacement whose new order was not attempted adds to the count of unfilled orders all
            # the same (rest-api.md, cancelReplace).
            call.keep_orders()
        gone = next((e.order for e in done.events if isinstance(e, OrderCanceled)), None)
        if gone is not None and rejection.place is not None:
            # Quirk: the one refused order that user data tells of is that of a replacement whose cancel was
            # done (enums.md, "Execution types").
            now_us = engine.views.orders[gone].updated_us
            ACCOUNT_HUBS.of(call.sandbox).reject(command.place, rejection.place, now_us)
        not_tried = exceeded is not None and stop_on_failure and rejection.cancel is not None
        failed = replace_refusal(
            rejection,
            cancel_command=command.cancel,
            place_command=command.place,
            canceled=canceled,
            placed=order,
            place_refusal=None if not_tried else exceeded,
        )
        if exceeded is not None and stop_on_failure:
            failed.status = exceeded.status
            failed.headers = exceeded.headers
        raise failed

    return call.attempt(command, answer)


# Amending


@rows.route(
    "PUT",
    "/api/v3/order/amend/keepPriority",
    summary="Order amend keep priority",
    security=TRADE,
    weight=4,
    parameters=(
        SYMBOL,
        ORDER_ID,
        ORIG_CLIENT_ORDER_ID,
        NEW_CLIENT_ORDER_ID,
        Parameter("newQty", Kind.DECIMAL, required=True, description="Less than the order's quantity."),
    ),
    one_of=_NAMED,
    answers=Amended,
)
def amend_order(call: Call) -> Submission[Amended]:
    values = call.values
    known_instrument(call)
    coarse = coarse_assets().get(values["symbol"])
    if coarse is not None:
        check_precision(coarse[0], ("newQty", values["newQty"]))
    command = AmendOrder(
        account=call.account,
        instrument=values["symbol"],
        quantity=values["newQty"],
        order=values.get("orderId"),
        client_id=values.get("origClientOrderId"),
        new_client_id=values.get("newClientOrderId") or new_client_id(),
    )

    def answer(done: Done) -> Amended:
        engine = call.engine
        happened: Any = done.events[0]
        order = engine.views.orders[happened.order]
        before = order.client_id
        if isinstance(happened, OrderAmended):
            before = engine.views.amendments[order.id][-1].client_id_before
        else:
            # Nothing was left of the order at the new quantity: it expired under the id that it had.
            # Quirk: an amendment costs no weight only when its order expires by it (CHANGELOG.md,
            # 2026-04-02).
            door = call.site.dialect
            assert isinstance(door, Door)
            if door.eras.accepted_orders == "free":
                call.weight = 0
        answered: Amended = {
            "transactTime": call.render_time(order.updated_us),
            "executionId": happened.execution,
            "amendedOrder": answer_amended_order(call, order, client_id_before=before),
        }
        if order.list_id != NO_LIST:
            answered["listStatus"] = answer_list_status(engine, engine.views.lists[order.list_id])
        return answered

    return call.submit(command, answer)


@rows.route(
    "GET",
    "/api/v3/order/amendments",
    summary="Query order amendments",
    security=USER_DATA,
    weight=4,
    parameters=(
        SYMBOL,
        ORDER_ID.but(required=True),
        Parameter("fromExecutionId", Kind.INTEGER),
        LIMIT,
    ),
    answers=list[Amendment],
)
async def order_amendments(call: Call) -> list[Amendment]:
    values = call.values
    known_instrument(call)
    symbol: str = values["symbol"]
    order_id: int = values["orderId"]
    if await call.order(symbol, order_id, None) is None:
        raise refuse(-2013)
    query = Query(
        account=call.account,
        scope=symbol,
        part=order_id,
        first_id=values.get("fromExecutionId"),
        limit=values["limit"],
    )
    return [answer_amendment(call, record) for record in await call.records(AmendmentRecord, query)]


# Queries


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
    one_of=_NAMED,
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
