"""Answers to placements, from the command's own events and the record as the command left it.

A leg that waits for its working order is answered as it was placed, even if it has been activated since
(rest-api.md, "New Order list - OTO").
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Final, cast

from emulator.core.engine import Engine
from emulator.core.events import (
    Event,
    MatchPrevented,
    OrderPlaced,
    OrderRested,
    TradeExecuted,
)
from emulator.core.ids import NO_LIST
from emulator.core.orders import OrderStatus
from emulator.exchanges.binance.spot.order_parameters import WALLET
from emulator.exchanges.binance.spot.payloads.trading import (
    Fill,
    OrderAck,
    OrderCommissions,
    OrderFull,
    OrderResult,
    PlacedOrderList,
    PreventedMatchOfOrder,
)
from emulator.exchanges.binance.spot.replies.conditionals import (
    NO_LIST_ID,
    NO_TIME,
    PENDING_NEW,
    add_progress,
    add_terms,
)
from emulator.exchanges.binance.spot.replies.states import contingency, listed_orders
from emulator.exchanges.binance.vocabulary import (
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

ACK: Final = "ACK"
RESULT: Final = "RESULT"
FULL: Final = "FULL"
_EXPIRED: Final = OrderStatus.EXPIRED


def default_response(type_word: str) -> str:
    """The form of the answer to an order whose request does not name one."""
    # Quirk: LIMIT and MARKET orders are answered in full unless less is asked for, all others with an
    # acknowledgement of five members unless more is (rest-api.md, "New order").
    return FULL if type_word in ("LIMIT", "MARKET") else ACK


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
        add_terms(answer, terms)
    if order.trailing or terms.peg is not None or order.status is _EXPIRED:
        add_progress(answer, order, divisor)
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
    add_terms(answer, terms)
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
        "contingencyType": contingency(order_list),
        # Quirk: a list is answered as it began, EXEC_STARTED with PENDING_NEW legs, even when its working
        # order was filled at once and they work already (rest-api.md, "New Order list - OTO").
        "listStatusType": "EXEC_STARTED",
        "listOrderStatus": "EXECUTING",
        "listClientOrderId": order_list.client_id,
        "transactionTime": call.render_time(order_list.created_us),
        "symbol": order_list.instrument,
        "orders": listed_orders(engine.views.list_record(order_list)),
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
