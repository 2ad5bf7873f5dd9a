"""Answers about orders and order lists, built from the core's records and from what a command caused.

A placement is answered from the command's own events and the record as the command left it; a leg
that waits for its working order is answered as it was placed, even if it has been activated since
(rest-api.md, "New Order list - OTO"). Nothing here changes or decides anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Final, cast

from emulator.core.engine import Engine
from emulator.core.events import (
    Event,
    MatchPrevented,
    OrderCanceled,
    OrderPlaced,
    OrderRested,
    TradeExecuted,
)
from emulator.core.history import Amendment as AmendmentRecord
from emulator.core.history import ListRecord
from emulator.core.history import PreventedMatch as PreventedRecord
from emulator.core.ids import NO_LIST
from emulator.core.order_lists import ListKind, OrderList
from emulator.core.orders import EndReason, Order, OrderStatus, OrderTerms
from emulator.exchanges.binance.spot.order_parameters import WALLET
from emulator.exchanges.binance.spot.payloads.trading import (
    AmendedOrder,
    Amendment,
    CanceledOrderList,
    CancelReport,
    Conditionals,
    Fill,
    ListedOrder,
    ListStatusOfAmendment,
    OrderAck,
    OrderCommissions,
    OrderFull,
    OrderListState,
    OrderResult,
    OrderState,
    PlacedOrderList,
    PreventedMatch,
    PreventedMatchOfOrder,
)
from emulator.exchanges.binance.vocabulary import (
    EXPIRY_REASON_WORDS,
    LIST_ORDER_STATUS_WORDS,
    LIST_STATUS_TYPE_WORDS,
    ORDER_STATUS_WORDS,
    PEG_SIDE_WORDS,
    SELF_TRADE_WORDS,
    SIDE_WORDS,
    TIME_IN_FORCE_WORDS,
    ZERO_AMOUNT,
    order_type_word,
    render_amount,
    render_optional,
)
from emulator.web.contract import Call

ACK: Final = "ACK"
RESULT: Final = "RESULT"
FULL: Final = "FULL"

NO_LIST_ID: Final = -1
NO_TIME: Final = -1
NO_TRADE_GROUP: Final = -1
_EXPIRED: Final = OrderStatus.EXPIRED
PENDING_NEW: Final = ORDER_STATUS_WORDS[OrderStatus.WAITING]


def default_response(type_word: str) -> str:
    """The form of the answer to an order whose request does not name one."""
    # Quirk: LIMIT and MARKET orders are answered in full unless less is asked for, all others with an
    # acknowledgement of five members unless more is (rest-api.md, "New order").
    return FULL if type_word in ("LIMIT", "MARKET") else ACK


# Placements


def answer_order(
    call: Call, engine: Engine, order_id: int, events: Sequence[Event], response: str
) -> OrderAck | OrderResult | OrderFull:
    """A placed order in the form that was asked for. events: what its placement caused."""
    order = engine.views.orders[order_id]
    divisor = call.time_divisor
    terms = order.terms
    if response == ACK:
        ack: OrderAck = {
            "symbol": order.instrument,
            "orderId": order_id,
            "orderListId": order.list_id if order.list_id != NO_LIST else NO_LIST_ID,
            "clientOrderId": terms.client_id,
            "transactTime": order.created_us // divisor,
        }
        return ack
    executed = order.executed
    answer: OrderResult = {
        "symbol": order.instrument,
        "orderId": order_id,
        "orderListId": order.list_id if order.list_id != NO_LIST else NO_LIST_ID,
        "clientOrderId": terms.client_id,
        "transactTime": order.created_us // divisor,
        "price": render_amount(terms.price) if terms.price else ZERO_AMOUNT,
        "origQty": render_amount(order.quantity) if order.quantity else ZERO_AMOUNT,
        "executedQty": render_amount(executed) if executed else ZERO_AMOUNT,
        "origQuoteOrderQty": render_amount(terms.quote_quantity) if terms.quote_quantity else ZERO_AMOUNT,
        "cummulativeQuoteQty": render_amount(order.executed_amount) if executed else ZERO_AMOUNT,
        "status": ORDER_STATUS_WORDS[order.status],
        "timeInForce": TIME_IN_FORCE_WORDS[terms.time_in_force],
        "type": order_type_word(terms),
        "side": SIDE_WORDS[terms.side],
        "workingTime": order.working_us // divisor if order.working_us else NO_TIME,
        "selfTradePreventionMode": SELF_TRADE_WORDS[order.self_trade_mode],
    }
    fills: list[Fill] = []
    prevented: list[PreventedMatchOfOrder] = []
    only_rested = len(events) == 2 and type(events[1]) is OrderRested
    for event in () if only_rested else events:
        kind = type(event)
        if kind is TradeExecuted:
            assert isinstance(event, TradeExecuted)
            if event.taker == order_id:
                fills.append(_fill(event, event.taker_fee, event.taker_fee_asset))
            elif event.maker == order_id:
                # What follows from an order may come back to it: a stop that it fired took the rest.
                fills.append(_fill(event, event.maker_fee, event.maker_fee_asset))
        elif kind is MatchPrevented:
            assert isinstance(event, MatchPrevented)
            if event.taker == order_id:
                prevented.append(_prevented_match(event))
    if (
        terms.trigger is not None
        or terms.peg is not None
        or terms.iceberg_quantity is not None
        or terms.labels
    ):
        _add_terms(answer, terms)
    if order.trailing or terms.peg is not None or order.status is _EXPIRED:
        _add_progress(answer, order, divisor)
    if prevented:
        answer["preventedMatches"] = prevented
        if order.prevented:
            answer["preventedQuantity"] = render_amount(order.prevented)
        if order.trade_group:
            answer["tradeGroupId"] = order.trade_group
    if response == RESULT:
        return answer
    full: OrderFull = answer  # type: ignore[assignment]  # it becomes one here, and a cast is a call
    full["fills"] = fills
    return full


def _fill(event: TradeExecuted, fee: Decimal, fee_asset: str) -> Fill:
    return {
        "price": render_amount(event.price),
        "qty": render_amount(event.quantity),
        "commission": render_optional(fee),
        "commissionAsset": fee_asset,
        "tradeId": event.trade,
    }


def _prevented_match(event: MatchPrevented) -> PreventedMatchOfOrder:
    answer: PreventedMatchOfOrder = {
        "preventedMatchId": event.match,
        "makerSymbol": event.instrument,
        "makerOrderId": event.maker,
        "price": render_amount(event.price),
    }
    if event.taker_prevented:
        answer["takerPreventedQuantity"] = render_amount(event.taker_prevented)
    if event.maker_prevented:
        answer["makerPreventedQuantity"] = render_amount(event.maker_prevented)
    return answer


def _add_terms(answer: Conditionals, terms: OrderTerms) -> None:
    """What an order has because it was asked for."""
    trigger = terms.trigger
    if trigger is not None:
        answer["stopPrice"] = render_optional(trigger.price)
        if trigger.trailing_bips is not None:
            answer["trailingDelta"] = trigger.trailing_bips
            answer["trailingTime"] = NO_TIME
    if terms.iceberg_quantity is not None:
        answer["icebergQty"] = render_amount(terms.iceberg_quantity)
    peg = terms.peg
    if peg is not None:
        answer["pegPriceType"] = PEG_SIDE_WORDS[peg.side]
        if peg.levels:
            answer["pegOffsetType"] = "PRICE_LEVEL"
            answer["pegOffsetValue"] = peg.levels
    for name, value in terms.labels:
        match name:
            case "strategyId":
                answer["strategyId"] = int(value)
            case "strategyType":
                answer["strategyType"] = int(value)
            case "usedSor":
                answer["usedSor"] = True
                # Routed or not, it is filled from its own book; allocations of other books do not occur.
                answer["workingFloor"] = "EXCHANGE"
            case _:
                pass


def _add_progress(answer: Conditionals, order: Order, divisor: int) -> None:
    """What an order has because of what became of it, self-trade prevention apart."""
    if order.trailing:
        answer["trailingTime"] = order.extreme_us // divisor
    if order.terms.peg is not None and order.working_us and order.price is not None:
        answer["peggedPrice"] = render_amount(order.price)
    if order.status is _EXPIRED and order.end_reason is not EndReason.NONE:
        answer["expiryReason"] = EXPIRY_REASON_WORDS[order.end_reason]


def _add_prevention(answer: Conditionals, order: Order) -> None:
    if order.prevented and order.prevented_match is not None:
        answer["preventedMatchId"] = order.prevented_match
        answer["preventedQuantity"] = render_amount(order.prevented)


def _answer_waiting(
    call: Call, event: OrderPlaced, time_us: int, response: str
) -> OrderAck | OrderResult | OrderFull:
    """A leg that waits, as it was placed, whatever has become of it in the same moment."""
    terms = event.terms
    transact_time = call.render_time(time_us)
    if response == ACK:
        ack: OrderAck = {
            "symbol": event.instrument,
            "orderId": event.order,
            "orderListId": event.order_list,
            "clientOrderId": terms.client_id,
            "transactTime": transact_time,
        }
        return ack
    answer: OrderResult = {
        "symbol": event.instrument,
        "orderId": event.order,
        "orderListId": event.order_list,
        "clientOrderId": terms.client_id,
        "transactTime": transact_time,
        "price": render_optional(terms.price),
        "origQty": render_optional(event.quantity),
        "executedQty": ZERO_AMOUNT,
        "origQuoteOrderQty": ZERO_AMOUNT,
        "cummulativeQuoteQty": ZERO_AMOUNT,
        "status": PENDING_NEW,
        "timeInForce": TIME_IN_FORCE_WORDS[terms.time_in_force],
        "type": order_type_word(terms),
        "side": SIDE_WORDS[terms.side],
        "workingTime": NO_TIME,
        "selfTradePreventionMode": SELF_TRADE_WORDS[event.self_trade_mode],
    }
    if event.quantity is None:
        del answer["origQty"]
    _add_terms(answer, terms)
    if response == RESULT:
        return answer
    full = cast(OrderFull, answer)
    full["fills"] = []
    return full


def answer_placed_list(
    call: Call, engine: Engine, order_list_id: int, events: Sequence[Event], response: str
) -> PlacedOrderList:
    """A list as its placement left it, with its legs that wait shown waiting."""
    order_list = engine.views.lists[order_list_id]
    reports: list[OrderAck | OrderResult | OrderFull] = []
    for event in events:
        if isinstance(event, OrderPlaced) and event.order_list == order_list_id:
            if event.status is OrderStatus.WAITING:
                reports.append(_answer_waiting(call, event, order_list.created_us, response))
            else:
                reports.append(answer_order(call, engine, event.order, events, response))
    return {
        "orderListId": order_list.id,
        "contingencyType": _contingency(order_list),
        # Quirk: a list is answered as it began, EXEC_STARTED with PENDING_NEW legs, even when its working
        # order was filled at once and they work already (rest-api.md, "New Order list - OTO").
        "listStatusType": "EXEC_STARTED",
        "listOrderStatus": "EXECUTING",
        "listClientOrderId": order_list.client_id,
        "transactionTime": call.render_time(order_list.created_us),
        "symbol": order_list.instrument,
        "orders": _listed_orders(engine.views.list_record(order_list)),
        "orderReports": reports,
    }


def answer_commissions(engine: Engine, account: int, symbol: str, *, routed: bool) -> OrderCommissions:
    """The rates that an order of an account would pay; no symbol here has special or tax rates."""
    instrument = engine.instruments[symbol]
    fees = engine.rules.fees
    answer: OrderCommissions = {
        "standardCommissionForOrder": {
            "maker": render_amount(instrument.maker_fee),
            "taker": render_amount(instrument.taker_fee),
        },
        "specialCommissionForOrder": {"maker": ZERO_AMOUNT, "taker": ZERO_AMOUNT},
        "taxCommissionForOrder": {"maker": ZERO_AMOUNT, "taker": ZERO_AMOUNT},
        "discount": {
            "enabledForAccount": WALLET in engine.state.accounts[account].discounted,
            "enabledForSymbol": fees.discount_asset is not None,
            "discountAsset": fees.discount_asset or "BNB",
            "discount": render_amount(fees.discount),
        },
    }
    if routed:
        del answer["specialCommissionForOrder"]
    return answer


# Cancels


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
    _add_terms(answer, terms)
    _add_progress(answer, order, call.time_divisor)
    _add_prevention(answer, order)
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


# Amendments


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
    _add_terms(answer, terms)
    _add_progress(answer, order, call.time_divisor)
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


# Queries


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
    _add_terms(answer, terms)
    _add_progress(answer, order, divisor)
    _add_prevention(answer, order)
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
        "contingencyType": _contingency(order_list),
        "listStatusType": LIST_STATUS_TYPE_WORDS[order_list.status],
        "listOrderStatus": LIST_ORDER_STATUS_WORDS[order_list.status],
        "listClientOrderId": order_list.client_id,
        "transactionTime": call.render_time(order_list.updated_us),
        "symbol": order_list.instrument,
        "orders": _listed_orders(record),
    }


def answer_list_status(engine: Engine, order_list: OrderList) -> ListStatusOfAmendment:
    """The list beside an amendment of one of its orders."""
    return {
        "orderListId": order_list.id,
        "contingencyType": _contingency(order_list),
        "listOrderStatus": LIST_ORDER_STATUS_WORDS[order_list.status],
        "listClientOrderId": order_list.client_id,
        "symbol": order_list.instrument,
        "orders": _listed_orders(engine.views.list_record(order_list)),
    }


def _contingency(order_list: OrderList) -> str:
    # Quirk: the contingencyType of OTOCO, OPO and OPOCO lists is OTO (rest-api.md, their examples).
    return "OCO" if order_list.kind is ListKind.OCO else "OTO"


def _listed_orders(record: ListRecord) -> list[ListedOrder]:
    order_list = record.order_list
    return [
        {"symbol": order_list.instrument, "orderId": leg, "clientOrderId": client_id}
        for leg, client_id in zip(order_list.orders, record.client_ids, strict=True)
    ]
