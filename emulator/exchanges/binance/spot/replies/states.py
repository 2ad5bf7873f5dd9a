"""What queries answer about orders and order lists, as they are."""

from __future__ import annotations

from emulator.core.engine import Engine
from emulator.core.history import ListRecord
from emulator.core.history import PreventedMatch as PreventedRecord
from emulator.core.ids import NO_LIST
from emulator.core.order_lists import ListKind, OrderList
from emulator.core.orders import Order
from emulator.exchanges.binance.spot.payloads.trading import (
    ListedOrder,
    ListStatusOfAmendment,
    OrderListState,
    OrderState,
    PreventedMatch,
)
from emulator.exchanges.binance.spot.replies.conditionals import (
    NO_LIST_ID,
    NO_TIME,
    NO_TRADE_GROUP,
    add_prevention,
    add_progress,
    add_terms,
)
from emulator.exchanges.binance.vocabulary import (
    LIST_ORDER_STATUS_WORDS,
    LIST_STATUS_TYPE_WORDS,
    ORDER_STATUS_WORDS,
    SELF_TRADE_WORDS,
    SIDE_WORDS,
    TIME_IN_FORCE_WORDS,
    ZERO_AMOUNT,
    order_type_word,
    render_amount,
    render_optional,
)
from emulator.web.contract import Call


def answer_state(call: Call, order: Order) -> OrderState:
    """An order as it stands."""
    terms = order.terms
    divisor = call.time_divisor
    answer: OrderState = {
        "symbol": order.instrument,
        "orderId": order.id,
        "orderListId": order.list_id if order.list_id != NO_LIST else NO_LIST_ID,
        "clientOrderId": order.client_id,
        "price": render_optional(terms.price),
        "origQty": render_optional(order.quantity),
        "executedQty": render_optional(order.executed),
        "cummulativeQuoteQty": render_optional(order.executed_amount),
        "status": ORDER_STATUS_WORDS[order.status],
        "timeInForce": TIME_IN_FORCE_WORDS[terms.time_in_force],
        "type": order_type_word(terms),
        "side": SIDE_WORDS[terms.side],
        # Quirk: queries have `stopPrice` and `icebergQty` for every order, placements only for orders that
        # were given them (rest-api.md, "Query order" and "Conditional fields in Order Responses").
        "stopPrice": ZERO_AMOUNT,
        "icebergQty": ZERO_AMOUNT,
        "time": order.created_us // divisor,
        "updateTime": order.updated_us // divisor,
        "isWorking": bool(order.working_us),
        "workingTime": order.working_us // divisor if order.working_us else NO_TIME,
        "origQuoteOrderQty": render_optional(terms.quote_quantity),
        "selfTradePreventionMode": SELF_TRADE_WORDS[order.self_trade_mode],
    }
    if order.quantity is None:
        del answer["origQty"]
    add_terms(answer, terms)
    add_progress(answer, order, divisor)
    add_prevention(answer, order)
    return answer


def answer_prevented_match(call: Call, record: PreventedRecord) -> PreventedMatch:
    event = record.event
    answer: PreventedMatch = {
        "symbol": event.instrument,
        "preventedMatchId": event.match,
        "takerOrderId": event.taker,
        "makerSymbol": event.instrument,
        "makerOrderId": event.maker,
        "tradeGroupId": record.trade_group or NO_TRADE_GROUP,
        "selfTradePreventionMode": SELF_TRADE_WORDS[event.mode],
        "price": render_amount(event.price),
        "transactTime": call.render_time(record.time_us),
    }
    if event.taker_prevented:
        answer["takerPreventedQuantity"] = render_amount(event.taker_prevented)
    if event.maker_prevented:
        answer["makerPreventedQuantity"] = render_amount(event.maker_prevented)
    return answer


def answer_list(call: Call, record: ListRecord) -> OrderListState:
    """An order list as it stands."""
    order_list = record.order_list
    return {
        "orderListId": order_list.id,
        "contingencyType": contingency(order_list),
        "listStatusType": LIST_STATUS_TYPE_WORDS[order_list.status],
        "listOrderStatus": LIST_ORDER_STATUS_WORDS[order_list.status],
        "listClientOrderId": order_list.client_id,
        "transactionTime": call.render_time(order_list.updated_us),
        "symbol": order_list.instrument,
        "orders": listed_orders(record),
    }


def answer_list_status(engine: Engine, order_list: OrderList) -> ListStatusOfAmendment:
    """The list beside an amendment of one of its orders."""
    return {
        "orderListId": order_list.id,
        "contingencyType": contingency(order_list),
        "listOrderStatus": LIST_ORDER_STATUS_WORDS[order_list.status],
        "listClientOrderId": order_list.client_id,
        "symbol": order_list.instrument,
        "orders": listed_orders(engine.views.list_record(order_list)),
    }


def contingency(order_list: OrderList) -> str:
    # Quirk: the contingencyType of OTOCO, OPO and OPOCO lists is OTO (rest-api.md, their examples).
    return "OCO" if order_list.kind is ListKind.OCO else "OTO"


def listed_orders(record: ListRecord) -> list[ListedOrder]:
    order_list = record.order_list
    return [
        {"symbol": order_list.instrument, "orderId": leg, "clientOrderId": client_id}
        for leg, client_id in zip(order_list.orders, record.client_ids, strict=True)
    ]
