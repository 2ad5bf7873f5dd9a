"""What only some answers about an order have, and what stands where there is nothing."""

from __future__ import annotations

from typing import Final

from emulator.core.orders import EndReason, Order, OrderStatus, OrderTerms
from emulator.exchanges.binance.spot.payloads.trading import (
    Conditionals,
)
from emulator.exchanges.binance.vocabulary import (
    EXPIRY_REASON_WORDS,
    ORDER_STATUS_WORDS,
    PEG_SIDE_WORDS,
    render_amount,
    render_optional,
)

NO_LIST_ID: Final = -1
NO_TIME: Final = -1
NO_TRADE_GROUP: Final = -1
PENDING_NEW: Final = ORDER_STATUS_WORDS[OrderStatus.WAITING]
_EXPIRED: Final = OrderStatus.EXPIRED


def add_terms(answer: Conditionals, terms: OrderTerms) -> None:
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


def add_progress(answer: Conditionals, order: Order, divisor: int) -> None:
    """What an order has because of what became of it, self-trade prevention apart."""
    if order.trailing:
        answer["trailingTime"] = order.extreme_us // divisor
    if order.terms.peg is not None and order.working_us and order.price is not None:
        answer["peggedPrice"] = render_amount(order.price)
    if order.status is _EXPIRED and order.end_reason is not EndReason.NONE:
        answer["expiryReason"] = EXPIRY_REASON_WORDS[order.end_reason]


def add_prevention(answer: Conditionals, order: Order) -> None:
    if order.prevented and order.prevented_match is not None:
        answer["preventedMatchId"] = order.prevented_match
        answer["preventedQuantity"] = render_amount(order.prevented)
