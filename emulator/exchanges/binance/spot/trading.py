"""Placing, canceling, replacing and amending single orders (rest-api.md, "Trading endpoints")."""

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
from emulator.core.engine import Done
from emulator.core.events import OrderAmended, OrderCanceled, OrderPlaced
from emulator.core.history import Amendment as AmendmentRecord
from emulator.core.history import Query
from emulator.core.ids import NO_LIST
from emulator.core.orders import OrderTerms
from emulator.core.rejections import ReplaceFailed
from emulator.exchanges.binance.client_ids import new_client_id
from emulator.exchanges.binance.door import Door
from emulator.exchanges.binance.errors import refuse, replace_refusal
from emulator.exchanges.binance.spot.order_parameters import (
    CLIENT_ID,
    COMPUTE_COMMISSION_RATES,
    NAMED,
    NEW_ORDER,
    SOR_ORDER,
    SOR_SYMBOLS,
    WALLET,
)
from emulator.exchanges.binance.spot.parameters import LIMIT
from emulator.exchanges.binance.spot.payloads.trading import (
    Amended,
    Amendment,
    CanceledOrderList,
    CancelReport,
    Nothing,
    OrderAck,
    OrderCommissions,
    OrderFull,
    OrderResult,
    Replacement,
)
from emulator.exchanges.binance.spot.queries import known_instrument
from emulator.exchanges.binance.spot.replies import (
    answer_amended_order,
    answer_amendment,
    answer_cancels,
    answer_commissions,
    answer_list_status,
    answer_order,
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
from emulator.exchanges.binance.vocabulary import (
    CANCEL_RESTRICTION,
    CANCEL_RESTRICTIONS,
    NEW_CLIENT_ORDER_ID,
    ORDER_ID,
    ORIG_CLIENT_ORDER_ID,
    SELF_TRADE_MODES,
    SIDES,
    SYMBOL,
    TRADE,
    USER_DATA,
)
from emulator.runtime.submission import Submission
from emulator.web.contract import Call, Kind, Parameter, Refusal, Rows

rows = Rows()

NO_SOR: Final = "This symbol has no SOR."
"""As the live host answers (ccxt, pull request 18883)."""


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
    one_of=NAMED,
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
    one_of=NAMED,
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
