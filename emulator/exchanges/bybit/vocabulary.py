"""Bybit's words and the core's (docs/v5/enum), both ways where both are needed.

Of orders and what becomes of them. Decimals and times are in `figures`, refusals in `errors`.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from emulator.core.history import FillKind
from emulator.core.instruments import OrderType, SelfTradeMode, Side, TimeInForce, TriggerSource
from emulator.core.numbers import ZERO
from emulator.core.orders import Cause, EndReason, Order, OrderStatus, OrderTerms, PegSide, StopRole
from emulator.core.positions import Leg

UNKNOWN: Final = "UNKNOWN"

SIDES: Mapping[str, Side] = MappingProxyType({"Buy": Side.BUY, "Sell": Side.SELL})
SIDE_WORDS: Mapping[Side, str] = MappingProxyType({side: word for word, side in SIDES.items()})

ORDER_TYPES: Mapping[str, OrderType] = MappingProxyType(
    {"Market": OrderType.MARKET, "Limit": OrderType.LIMIT}
)
ORDER_TYPE_WORDS: Mapping[OrderType, str] = MappingProxyType({one: word for word, one in ORDER_TYPES.items()})

POST_ONLY: Final = "PostOnly"
RPI: Final = "RPI"
TIMES_IN_FORCE: Mapping[str, TimeInForce] = MappingProxyType(
    {
        "GTC": TimeInForce.GTC,
        "IOC": TimeInForce.IOC,
        "FOK": TimeInForce.FOK,
        POST_ONLY: TimeInForce.GTC,
    }
)
_TIME_IN_FORCE_WORDS: Mapping[TimeInForce, str] = MappingProxyType(
    {TimeInForce.GTC: "GTC", TimeInForce.IOC: "IOC", TimeInForce.FOK: "FOK"}
)

SELF_TRADE_MODES: Mapping[str, SelfTradeMode] = MappingProxyType(
    {
        "None": SelfTradeMode.NONE,
        "CancelMaker": SelfTradeMode.EXPIRE_MAKER,
        "CancelTaker": SelfTradeMode.EXPIRE_TAKER,
        "CancelBoth": SelfTradeMode.EXPIRE_BOTH,
    }
)
SELF_TRADE_WORDS: Mapping[SelfTradeMode, str] = MappingProxyType(
    {mode: word for word, mode in SELF_TRADE_MODES.items()}
)

TRIGGER_SOURCES: Mapping[str, TriggerSource] = MappingProxyType(
    {"LastPrice": TriggerSource.LAST, "IndexPrice": TriggerSource.INDEX, "MarkPrice": TriggerSource.MARK}
)
TRIGGER_WORDS: Mapping[TriggerSource, str] = MappingProxyType(
    {source: word for word, source in TRIGGER_SOURCES.items()}
)

RISING, FALLING = 1, 2
"""`triggerDirection`."""

POSITION_LEGS: Mapping[int, Leg] = MappingProxyType({0: Leg.BOTH, 1: Leg.LONG, 2: Leg.SHORT})
"""`positionIdx`: the one position, or a leg of hedge mode whatever the side of the order."""
POSITION_INDEXES: Mapping[Leg, int] = MappingProxyType({leg: idx for idx, leg in POSITION_LEGS.items()})

BBO_SIDES: Mapping[str, PegSide] = MappingProxyType(
    {"Queue": PegSide.PRIMARY, "Counterparty": PegSide.MARKET}
)

BASE_COIN, QUOTE_COIN = "baseCoin", "quoteCoin"
"""`marketUnit`: in what the quantity of a pair's market order is counted."""

TICK_SIZE, PERCENT = "TickSize", "Percent"
"""`slippageToleranceType`."""

ORDER, STOP_ORDER, SPOT_TPSL, OCO, BIDIRECTIONAL, OPEN_ORDER = (
    "Order",
    "StopOrder",
    "tpslOrder",
    "OcoOrder",
    "BidirectionalTpslOrder",
    "OpenOrder",
)
"""`orderFilter`."""

FULL, PARTIAL = "Full", "Partial"
"""`tpslMode`."""

# Statuses

NEW: Final = "New"
PARTIALLY_FILLED: Final = "PartiallyFilled"
UNTRIGGERED: Final = "Untriggered"
REJECTED: Final = "Rejected"
PARTIALLY_FILLED_CANCELED: Final = "PartiallyFilledCanceled"
FILLED: Final = "Filled"
CANCELLED: Final = "Cancelled"
TRIGGERED: Final = "Triggered"
DEACTIVATED: Final = "Deactivated"

OPEN_STATUSES: Final = (NEW, PARTIALLY_FILLED, UNTRIGGERED)
CLOSED_STATUSES: Final = (REJECTED, PARTIALLY_FILLED_CANCELED, FILLED, CANCELLED, TRIGGERED, DEACTIVATED)
ORDER_STATUSES: Final = (*OPEN_STATUSES, *CLOSED_STATUSES)

TRADE, FUNDING = "Trade", "Funding"
EXECUTION_TYPES: Final = (
    TRADE,
    "AdlTrade",
    FUNDING,
    "BustTrade",
    "Delivery",
    "Settle",
    "BlockTrade",
    "MovePosition",
    "FutureSpread",
    "CorporateAction",
)


# Labels: the dialect's own words that terms keep and give back (`OrderTerms.labels`)

UNIT: Final = "unit"
"""`marketUnit`, of a pair's market order."""
TURNED_AWAY: Final = "turned away"
"""What becomes of a pair's order that may only rest and would trade, where that is not the usual status."""
BASE_PRICE: Final = "base"
"""The last price when the order was placed."""


def label_of(terms: OrderTerms, name: str) -> str:
    """What an order was labeled with; "" where it was not."""
    for label, word in terms.labels:
        if label == name:
            return word
    return ""


_STOP_WORDS: Mapping[StopRole, str] = MappingProxyType(
    {
        StopRole.STOP: "Stop",
        StopRole.TAKE_PROFIT: "TakeProfit",
        StopRole.STOP_LOSS: "StopLoss",
        StopRole.PARTIAL_TAKE_PROFIT: "PartialTakeProfit",
        StopRole.PARTIAL_STOP_LOSS: "PartialStopLoss",
        StopRole.TRAILING: "TrailingStop",
    }
)


def stop_word(order: Order, *, is_spot: bool) -> str:
    """`stopOrderType`; "" of an order that never waited for anything."""
    terms = order.terms
    if is_spot:
        # Quirk: of pairs the two that end each other are OCO orders; what waits with its funds frozen has a
        # word of its own (enum, `stopOrderType`).
        if order.in_list:
            return OCO
        if terms.trigger is not None and terms.role is not StopRole.STOP:
            return SPOT_TPSL
    return _STOP_WORDS.get(terms.role, "")


_CREATED_BY: Mapping[Cause, str] = MappingProxyType(
    {
        # Quirk: what makes a position smaller, so that it may be kept, is told from what closes it at its
        # bankruptcy price (enum, `createType`).
        Cause.REDUCTION: "CreateByLiq",
        Cause.LIQUIDATION: "CreateByTakeOver_PassThrough",
        Cause.DELEVERAGING: "CreateByAdl_PassThrough",
        Cause.DELIVERY: "CreateBySettle",
    }
)


_CREATED_FOR: Mapping[StopRole, str] = MappingProxyType(
    {
        StopRole.STOP: "CreateByStopOrder",
        StopRole.TAKE_PROFIT: "CreateByTakeProfit",
        StopRole.STOP_LOSS: "CreateByStopLoss",
        StopRole.PARTIAL_TAKE_PROFIT: "CreateByPartialTakeProfit",
        StopRole.PARTIAL_STOP_LOSS: "CreateByPartialStopLoss",
        StopRole.TRAILING: "CreateByTrailingStop",
    }
)


def create_word(terms: OrderTerms) -> str:
    """`createType`, of a contract's order."""
    if terms.cause is not Cause.OWNER:
        return _CREATED_BY[terms.cause]
    word = _CREATED_FOR.get(terms.role)
    if word is not None:
        return word
    return "CreateByBboOrder" if terms.peg is not None else "CreateByUser"


def is_order(order: Order) -> bool:
    """Whether an order is told of as one."""
    # Quirk: what closes a position because its contract is delivered is a trade and no order (enum,
    # `createType`).
    return order.terms.cause is not Cause.DELIVERY


_EXECUTION_WORDS: Mapping[FillKind, str] = MappingProxyType(
    {
        FillKind.TRADE: TRADE,
        FillKind.LIQUIDATION: "BustTrade",
        FillKind.DELEVERAGING: "AdlTrade",
        FillKind.DELIVERY: "Delivery",
        FillKind.FUNDING: FUNDING,
    }
)


def execution_word(kind: FillKind, *, is_inverse: bool) -> str:
    """`execType`."""
    # Quirk: that an inverse contract was delivered is a settlement (enum, `execType`).
    return "Settle" if is_inverse and kind is FillKind.DELIVERY else _EXECUTION_WORDS[kind]


def execution_kind(word: str) -> FillKind | None:
    """The kind that an `execType` asks for; None for one that nothing here is of."""
    return FillKind.DELIVERY if word == "Settle" else _KINDS_OF_WORDS.get(word)


_KINDS_OF_WORDS: Mapping[str, FillKind] = MappingProxyType(
    {word: kind for kind, word in _EXECUTION_WORDS.items()}
)


def time_in_force_word(terms: OrderTerms) -> str:
    if terms.post_only:
        return POST_ONLY
    # Quirk: a market order is told of as IOC, whatever it was sent with (create-order, `timeInForce`).
    return "IOC" if terms.type is OrderType.MARKET else _TIME_IN_FORCE_WORDS[terms.time_in_force]


def status_word(order: Order, *, is_spot: bool) -> str:
    """`orderStatus` of an order as it stands."""
    match order.status:
        case OrderStatus.WAITING | OrderStatus.DORMANT:
            return UNTRIGGERED
        case OrderStatus.NEW:
            return NEW
        case OrderStatus.PARTIALLY_FILLED:
            return PARTIALLY_FILLED
        case OrderStatus.FILLED:
            # Quirk: an order by value ends with what is too little for another step of its quantity, and is
            # told of as filled in part (recorded messages of the order topic).
            return PARTIALLY_FILLED_CANCELED if _leaves_value(order) else FILLED
        case OrderStatus.TRIGGERED:
            return TRIGGERED
        case OrderStatus.CANCELED | OrderStatus.EXPIRED | OrderStatus.EXPIRED_IN_MATCH:
            pass
    if is_spot and order.end_reason is EndReason.WOULD_TAKE:
        return label_of(order.terms, TURNED_AWAY) or CANCELLED
    if _is_deactivated(order):
        # Quirk: what ended before it was triggered is Deactivated; an order that was triggered and then
        # ended is Cancelled as any other (enum, `orderStatus`).
        return DEACTIVATED
    # Quirk: a pair's order that traded and was then ended has a status of its own, one of a contract has not
    # (enum, `orderStatus`).
    return PARTIALLY_FILLED_CANCELED if is_spot and order.executed else CANCELLED


def _leaves_value(order: Order) -> bool:
    """Whether an order by value that has ended has not spent all of it."""
    asked = order.terms.quote_quantity
    return asked is not None and order.is_ended and ZERO < order.executed_amount < asked


def _is_deactivated(order: Order) -> bool:
    return (
        order.is_ended
        and order.status is not OrderStatus.TRIGGERED
        and order.terms.trigger is not None
        and not order.working_us
        and order.end_reason not in _AT_TRIGGER
    )


_AT_TRIGGER: Final = frozenset(
    {
        EndReason.INSUFFICIENT_BALANCE,
        EndReason.REFUSED_AT_ACTIVATION,
        EndReason.NOTHING_TO_REDUCE,
        EndReason.WOULD_TAKE,
        EndReason.NO_LIQUIDITY,
        EndReason.UNFILLED_ALL_OR_NOTHING,
    }
)
"""Why an order whose condition was met came to nothing."""


def _endings() -> dict[EndReason, tuple[str, str]]:
    return {
        EndReason.NONE: (UNKNOWN, "EC_NoError"),
        EndReason.UNFILLED_IMMEDIATE: (UNKNOWN, "EC_NoImmediateQtyToFill"),
        EndReason.UNFILLED_ALL_OR_NOTHING: (UNKNOWN, "EC_NoEnoughQtyToFill"),
        EndReason.WOULD_TAKE: (UNKNOWN, "EC_PostOnlyWillTakeLiquidity"),
        EndReason.NO_LIQUIDITY: (UNKNOWN, "EC_NoImmediateQtyToFill"),
        EndReason.SELF_TRADE: ("CancelBySmp", "EC_BySelfMatch"),
        EndReason.LIST_SIBLING: (UNKNOWN, "EC_PerCancelRequest"),
        EndReason.LIST_WORKING_ENDED: (UNKNOWN, "EC_PerCancelRequest"),
        EndReason.INSUFFICIENT_BALANCE: (UNKNOWN, "EC_Others"),
        EndReason.NO_PEG_LEVEL: (UNKNOWN, "EC_NoImmediateQtyToFill"),
        EndReason.REFUSED_AT_ACTIVATION: (UNKNOWN, "EC_Others"),
        EndReason.NOTHING_TO_REDUCE: ("CancelByReduceOnly", "EC_PerCancelRequest"),
        EndReason.LIQUIDATION: ("CancelAllBeforeLiq", "EC_PerCancelRequest"),
        EndReason.DELEVERAGING: ("CancelAllBeforeAdl", "EC_PerCancelRequest"),
        EndReason.DELIVERED: ("CancelBySettle", "EC_PerCancelRequest"),
        EndReason.PRICE_PROTECTED: (UNKNOWN, "EC_ReachRiskPriceLimit"),
        EndReason.TIME_PASSED: (UNKNOWN, "EC_PerCancelRequest"),
        EndReason.TAKE_PROFIT_FIRED: ("CancelByOCOSlCanceledByTpTriggered", "EC_PerCancelRequest"),
        EndReason.STOP_LOSS_FIRED: ("CancelByOCOTpCanceledBySlTriggered", "EC_PerCancelRequest"),
        EndReason.POSITION_CLOSED: ("CancelByTpSlTsClear", "EC_PerCancelRequest"),
        EndReason.DISCONNECTED: ("CancelByDCP", "EC_PerCancelRequest"),
        EndReason.MADE_WAY: ("CancelByReduceOnly", "EC_PerCancelRequest"),
    }


ENDINGS: Mapping[EndReason, tuple[str, str]] = MappingProxyType(_endings())
"""`cancelType` and `rejectReason` of what the exchange itself ended."""


def ending_words(order: Order) -> tuple[str, str]:
    """`cancelType` and `rejectReason` of an order as it stands."""
    if order.status is OrderStatus.CANCELED and order.end_reason is EndReason.NONE:
        cancel, reason = "CancelByUser", "EC_PerCancelRequest"
    else:
        cancel, reason = ENDINGS[order.end_reason]
    if _is_deactivated(order):
        # Quirk: what waited for its trigger never came to the matching engine, so nothing there has a reason
        # for its end (recorded messages of the order topic).
        return cancel, "EC_NoError"
    if _leaves_value(order) or (order.executed and order.end_reason in _UNFILLED):
        # Quirk: where some of an order found somebody, that the rest did not is told in another way than of
        # one that found nobody at all (enum, `rejectReason`; recorded messages of the order topic).
        return cancel, "EC_CancelForNoFullFill"
    return cancel, reason


_UNFILLED: Final = frozenset({EndReason.UNFILLED_IMMEDIATE, EndReason.NO_LIQUIDITY})
