"""Answers to cancels and amendments."""

from __future__ import annotations

from collections.abc import Iterable

from emulator.core.engine import Engine
from emulator.core.events import (
    Event,
    OrderCanceled,
)
from emulator.core.history import Amendment as AmendmentRecord
from emulator.core.ids import NO_LIST
from emulator.core.orders import Order
from emulator.exchanges.binance.spot.payloads.trading import (
    AmendedOrder,
    Amendment,
    CanceledOrderList,
    CancelReport,
)
from emulator.exchanges.binance.spot.replies.conditionals import (
    NO_LIST_ID,
    add_prevention,
    add_progress,
    add_terms,
)
from emulator.exchanges.binance.spot.replies.states import answer_list
from emulator.exchanges.binance.vocabulary import (
    ORDER_STATUS_WORDS,
    SELF_TRADE_WORDS,
    SIDE_WORDS,
    TIME_IN_FORCE_WORDS,
    order_type_word,
    render_amount,
    render_optional,
)
from emulator.web.contract import Call


def answer_cancel(call: Call, engine: Engine, event: OrderCanceled) -> CancelReport:
    """A canceled order, under the id of the cancel."""
    order = engine.views.orders[event.order]
    terms = order.terms
    answer: CancelReport = {
        "symbol": order.instrument,
        # Quirk: the answer to a cancel has the cancel's own id in `clientOrderId`, and the order's in
        # `origClientOrderId` (rest-api.md, "Cancel order").
        "origClientOrderId": order.client_id,
        "orderId": order.id,
        "orderListId": order.list_id if order.list_id != NO_LIST else NO_LIST_ID,
        "clientOrderId": event.cancel_client_id,
        "transactTime": call.render_time(order.updated_us),
        "price": render_optional(terms.price),
        "origQty": render_optional(order.quantity),
        "executedQty": render_optional(order.executed),
        "origQuoteOrderQty": render_optional(terms.quote_quantity),
        "cummulativeQuoteQty": render_optional(order.executed_amount),
        "status": ORDER_STATUS_WORDS[order.status],
        "timeInForce": TIME_IN_FORCE_WORDS[terms.time_in_force],
        "type": order_type_word(terms),
        "side": SIDE_WORDS[terms.side],
        "selfTradePreventionMode": SELF_TRADE_WORDS[order.self_trade_mode],
    }
    if order.quantity is None:
        del answer["origQty"]
    add_terms(answer, terms)
    add_progress(answer, order, call.time_divisor)
    add_prevention(answer, order)
    return answer


def answer_cancels(
    call: Call, engine: Engine, events: Iterable[Event]
) -> list[CancelReport | CanceledOrderList]:
    """What a command canceled: orders, and lists in the place of their first leg."""
    answers: list[CancelReport | CanceledOrderList] = []
    lists: dict[int, CanceledOrderList] = {}
    for event in events:
        if not isinstance(event, OrderCanceled):
            continue
        report = answer_cancel(call, engine, event)
        list_id = engine.views.orders[event.order].list_id
        if list_id == NO_LIST:
            answers.append(report)
            continue
        canceled = lists.get(list_id)
        if canceled is None:
            state = answer_list(call, engine.views.list_record(engine.views.lists[list_id]))
            canceled = lists[list_id] = {**state, "orderReports": []}
            answers.append(canceled)
        canceled["orderReports"].append(report)
    return answers


def answer_amended_order(call: Call, order: Order, *, client_id_before: str) -> AmendedOrder:
    terms = order.terms
    answer: AmendedOrder = {
        "symbol": order.instrument,
        "orderId": order.id,
        "orderListId": order.list_id if order.list_id != NO_LIST else NO_LIST_ID,
        "origClientOrderId": client_id_before,
        "clientOrderId": order.client_id,
        "price": render_optional(terms.price),
        "qty": render_optional(order.quantity),
        "executedQty": render_optional(order.executed),
        "preventedQty": render_optional(order.prevented),
        "quoteOrderQty": render_optional(terms.quote_quantity),
        "cumulativeQuoteQty": render_optional(order.executed_amount),
        "status": ORDER_STATUS_WORDS[order.status],
        "timeInForce": TIME_IN_FORCE_WORDS[terms.time_in_force],
        "type": order_type_word(terms),
        "side": SIDE_WORDS[terms.side],
        "workingTime": call.render_time(order.working_us),
        "selfTradePreventionMode": SELF_TRADE_WORDS[order.self_trade_mode],
    }
    if not order.working_us:
        del answer["workingTime"]
    add_terms(answer, terms)
    add_progress(answer, order, call.time_divisor)
    return answer


def answer_amendment(call: Call, record: AmendmentRecord) -> Amendment:
    return {
        "symbol": record.instrument,
        "orderId": record.order,
        "executionId": record.execution,
        "origClientOrderId": record.client_id_before,
        "newClientOrderId": record.client_id_after,
        "origQty": render_amount(record.quantity_before),
        "newQty": render_amount(record.quantity_after),
        "time": call.render_time(record.time_us),
    }
