"""What became of orders, order lists and balances, as a user data stream says it.

Everything is taken from the core's records as they are at the call, which is when the event that is
told of has just been applied; nothing is read later.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Final, NamedTuple

from emulator.core.commands import PlaceOrder
from emulator.core.engine import Engine
from emulator.core.events import MatchPrevented
from emulator.core.history import Fill
from emulator.core.ids import NO_LIST
from emulator.core.numbers import EXACT
from emulator.core.order_lists import ListKind, OrderList
from emulator.core.orders import EndReason, Order, OrderStatus, Peg
from emulator.core.rejections import InsufficientBalance, Rejection, WouldTake, WouldTrigger
from emulator.exchanges.binance.spot.holdings import Holding
from emulator.exchanges.binance.spot.payloads.user_data import (
    AccountPosition,
    BalanceUpdate,
    EventStreamTerminated,
    ExecutionReport,
    ExternalLockUpdate,
    ListStatus,
)
from emulator.exchanges.binance.spot.replies import NO_LIST_ID
from emulator.exchanges.binance.user_data.account_event import AccountEvent
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
    render_product,
)

NEW: Final = "NEW"
CANCELED: Final = "CANCELED"
REPLACED: Final = "REPLACED"
TRADE: Final = "TRADE"
EXPIRED: Final = "EXPIRED"
TRADE_PREVENTION: Final = "TRADE_PREVENTION"
REJECTED: Final = "REJECTED"
"""Execution types; the last one is a status, too."""

UPDATED: Final = "UPDATED"
"""The list status type of a list of which an order got another client order id."""

NO_TRADE: Final = -1
NO_ORDER: Final = -1
NO_EXECUTION: Final = -1
NO_TIME: Final = -1
NO_REASON: Final = "NONE"

REJECT_REASON_WORDS: Mapping[EndReason, str] = MappingProxyType(
    {
        EndReason.INSUFFICIENT_BALANCE: "INSUFFICIENT_BALANCES",
        EndReason.WOULD_TAKE: "WOULD_MATCH_IMMEDIATELY",
    }
)
"""Why an order that waited was rejected when its turn came, as far as there is a word for it."""

REFUSAL_WORDS: Mapping[type[Rejection], str] = MappingProxyType(
    {
        InsufficientBalance: "INSUFFICIENT_BALANCES",
        WouldTake: "WOULD_MATCH_IMMEDIATELY",
        WouldTrigger: "STOP_PRICE_WOULD_TRIGGER_IMMEDIATELY",
    }
)
"""The same for an order that never was."""

_REPORT_TIMES: Final = ("E", "T", "O", "W", "D")
_POSITION_TIMES: Final = ("E", "u")
_CLEARED_TIMES: Final = ("E", "T")
_TERMINATED_TIMES: Final = ("E",)


class Prevention(NamedTuple):
    """One order's side of a prevented match.

    quantity: what the order lost by it. missed: what would have traded otherwise, at `price`.
    """

    quantity: Decimal
    counter_order: int
    counter_symbol: str
    price: Decimal
    missed: Decimal


def report_order(
    order: Order,
    now_us: int,
    execution_type: str,
    *,
    execution: int,
    client_id: str | None = None,
    client_id_before: str = "",
    fill: Fill | None = None,
    prevention: Prevention | None = None,
) -> AccountEvent:
    """An executionReport about an order as it is now.

    execution: the id of the report. client_id: that of a cancel, if it is not the order's own.
    fill, prevention: what happened, of a TRADE and of a TRADE_PREVENTION.
    """
    report = _report(
        order,
        now_us,
        execution_type,
        execution=execution,
        client_id=client_id,
        client_id_before=client_id_before,
        fill=fill,
        prevention=prevention,
    )
    return AccountEvent(report, _REPORT_TIMES)


def report_rejection(engine: Engine, command: PlaceOrder, rejection: Rejection, now_us: int) -> AccountEvent:
    """The executionReport of an order that was refused, and is no order therefore."""
    terms = command.terms
    never = Order(
        id=NO_ORDER,
        account=command.account,
        wallet=command.wallet,
        instrument=command.instrument,
        terms=terms,
        client_id=terms.client_id,
        self_trade_mode=terms.self_trade_mode or engine.instruments[command.instrument].self_trade_default,
        trade_group=0,
        quantity=terms.quantity,
        price=terms.price,
        status=OrderStatus.DORMANT,
        list_id=NO_LIST,
        hold_asset="",
        created_us=NO_TIME,
        updated_us=now_us,
    )
    # Quirk: the report of what was refused has -1 for its execution id and its time of creation, and, as is
    # assumed, for its order id (sammchardy/python-binance, issue 285; orderCreationTime in SBE's schemas).
    report = _report(never, now_us, REJECTED, execution=NO_EXECUTION)
    report["X"] = REJECTED
    report["r"] = REFUSAL_WORDS.get(type(rejection), NO_REASON)
    return AccountEvent(report, _REPORT_TIMES)


def _report(
    order: Order,
    now_us: int,
    execution_type: str,
    *,
    execution: int,
    client_id: str | None = None,
    client_id_before: str = "",
    fill: Fill | None = None,
    prevention: Prevention | None = None,
) -> ExecutionReport:
    terms = order.terms
    trigger = terms.trigger
    labels = dict(terms.labels)
    price = quantity = amount = ZERO_AMOUNT
    commission: str = "0"
    commission_asset: str | None = None
    trade, is_maker = NO_TRADE, False
    if fill is not None:
        price, quantity = render_amount(fill.price), render_amount(fill.quantity)
        amount, commission = render_amount(fill.amount), render_amount(fill.fee)
        commission_asset = fill.fee_asset or None
        trade, is_maker = fill.trade, fill.is_maker
    executed = order.executed
    report: ExecutionReport = {
        "e": "executionReport",
        "E": now_us,
        "s": order.instrument,
        # Quirk: the report of a cancel has the cancel's own id in `c`, and the order's in `C`, which is empty
        # in all other reports but that of an amendment (user-data-stream.md, "Order Update"; live reports).
        "c": client_id or order.client_id,
        "S": SIDE_WORDS[terms.side],
        "o": order_type_word(terms),
        "f": TIME_IN_FORCE_WORDS[terms.time_in_force],
        "q": render_optional(order.quantity),
        "p": render_optional(terms.price),
        "P": ZERO_AMOUNT if trigger is None else render_optional(trigger.price),
        "d": 0,
        "F": render_optional(terms.iceberg_quantity),
        "g": order.list_id if order.list_id != NO_LIST else NO_LIST_ID,
        "C": client_id_before,
        "x": execution_type,
        "X": ORDER_STATUS_WORDS[order.status],
        "r": REJECT_REASON_WORDS.get(order.end_reason, NO_REASON),
        "i": order.id,
        "l": quantity,
        "z": render_amount(order.executed) if executed else ZERO_AMOUNT,
        "L": price,
        # Quirk: without a trade the commission is "0", without decimal places, and its asset null
        # (user-data-stream.md, "Order Update").
        "n": commission,
        "N": commission_asset,
        "T": now_us,
        "t": trade,
        "v": 0,
        "I": execution,
        # Quirk: `w` is true in the report with which an order enters the book, or would if it were not at
        # market, and in no later one, even while the order rests (faqs/market_orders_faq.md; fix-api.md,
        # WorkingIndicator; live reports of makers that were partly filled).
        "w": execution_type == NEW and order.status is OrderStatus.NEW,
        "m": is_maker,
        # Quirk: `M`, which the documents call ignored, is true in reports of trades and false in all others
        # (faqs/market_orders_faq.md).
        "M": fill is not None,
        "O": order.created_us,
        "Z": render_amount(order.executed_amount) if executed else ZERO_AMOUNT,
        "Y": amount,
        "Q": render_optional(terms.quote_quantity),
        "D": order.extreme_us,
        "j": int(labels.get("strategyId", 0)),
        "J": int(labels.get("strategyType", 0)),
        "W": order.working_us,
        "V": SELF_TRADE_WORDS[order.self_trade_mode],
    }
    # What does not apply goes; what does apply has its place.
    if trigger is None or trigger.trailing_bips is None:
        del report["d"], report["D"]
    else:
        report["d"] = trigger.trailing_bips
        if not order.trailing:
            # Quirk: `D` is there once a trailing order tracks the price, where answers of the REST API say -1
            # before (CHANGELOG.md, 2022-12-05).
            del report["D"]
    if "strategyId" not in labels:
        del report["j"]
    if "strategyType" not in labels:
        del report["J"]
    if not order.working_us:
        # Quirk: reports of an order that has not been on the book yet have no `W`, where answers of the REST
        # API say -1 (user-data-stream.md, "Conditional Fields in Execution Report").
        del report["W"]
    if order.prevented and order.prevented_match is not None:
        report["v"] = order.prevented_match
        report["A"] = render_amount(order.prevented)
    else:
        del report["v"]
    if prevention is not None:
        _add_prevention(report, order, prevention)
    if "usedSor" in labels:
        # Routed or not, it is filled from its own book; allocations of other books do not occur.
        report["k"] = "EXCHANGE"
        report["uS"] = True
    if terms.peg is not None:
        _add_peg(report, order, terms.peg)
    if order.status is OrderStatus.EXPIRED and order.end_reason is not EndReason.NONE:
        report["eR"] = EXPIRY_REASON_WORDS[order.end_reason]
    return report


def _add_prevention(report: ExecutionReport, order: Order, prevention: Prevention) -> None:
    # Quirk: of a prevented match `l`, `L` and `Y` are zero; what would have traded is in `pl`, `pL` and `pY`
    # (CHANGELOG.md, 2023-12-04).
    report["B"] = render_amount(prevention.quantity)
    if order.trade_group:
        report["u"] = order.trade_group
    report["U"] = prevention.counter_order
    report["Cs"] = prevention.counter_symbol
    report["pl"] = render_amount(prevention.missed)
    report["pL"] = render_amount(prevention.price)
    report["pY"] = render_product(EXACT.multiply(prevention.price, prevention.missed))


def _add_peg(report: ExecutionReport, order: Order, peg: Peg) -> None:
    report["gP"] = PEG_SIDE_WORDS[peg.side]
    if peg.levels:
        report["gOT"] = "PRICE_LEVEL"
        report["gOV"] = peg.levels
    if order.working_us and order.price is not None:
        report["gp"] = render_amount(order.price)


def prevention_of(event: MatchPrevented, order: Order, other: Order) -> Prevention:
    """What a prevented match was to one of its orders; `other` is the one that it met."""
    is_taker = event.taker == order.id
    taker, maker = (order, other) if is_taker else (other, order)
    # An order that lost nothing still has what it would have traded with; of an iceberg a part shows.
    offered = event.maker_prevented or maker.visible
    if maker.terms.iceberg_quantity is not None:
        offered = min(offered, maker.terms.iceberg_quantity)
    return Prevention(
        quantity=event.taker_prevented if is_taker else event.maker_prevented,
        counter_order=other.id,
        counter_symbol=other.instrument,
        price=event.price,
        missed=min(event.taker_prevented or taker.remaining, offered),
    )


def report_list(engine: Engine, order_list: OrderList, now_us: int, status_type: str = "") -> AccountEvent:
    """A listStatus of a list as it is now; status_type: what its own state does not tell."""
    orders = engine.views.orders
    status: ListStatus = {
        "e": "listStatus",
        "E": now_us,
        "s": order_list.instrument,
        "g": order_list.id,
        "c": "OCO" if order_list.kind is ListKind.OCO else "OTO",
        "l": status_type or LIST_STATUS_TYPE_WORDS[order_list.status],
        "L": LIST_ORDER_STATUS_WORDS[order_list.status],
        "r": NO_REASON,
        "C": order_list.client_id,
        "T": now_us,
        "O": [
            {"s": order_list.instrument, "i": leg, "c": orders[leg].client_id} for leg in order_list.orders
        ],
    }
    return AccountEvent(status, _CLEARED_TIMES)


def report_position(held: Iterable[Holding], now_us: int) -> AccountEvent:
    """An outboundAccountPosition with these balances, which changed just now."""
    position: AccountPosition = {
        "e": "outboundAccountPosition",
        "E": now_us,
        "u": now_us,
        "B": [{"a": one.asset, "f": render_amount(one.free), "l": render_amount(one.held)} for one in held],
    }
    return AccountEvent(position, _POSITION_TIMES)


def report_movement(asset: str, change: Decimal, now_us: int) -> AccountEvent:
    """A balanceUpdate: funds that came (positive) or went (negative)."""
    update: BalanceUpdate = {
        "e": "balanceUpdate",
        "E": now_us,
        "a": asset,
        "d": render_amount(change),
        "T": now_us,
    }
    return AccountEvent(update, _CLEARED_TIMES)


def report_lock(asset: str, change: Decimal, now_us: int) -> AccountEvent:
    """An externalLockUpdate: funds that a system outside took hold of (positive) or gave back (negative)."""
    update: ExternalLockUpdate = {
        "e": "externalLockUpdate",
        "E": now_us,
        "a": asset,
        "d": render_amount(change),
        "T": now_us,
    }
    return AccountEvent(update, _CLEARED_TIMES)


def stream_terminated(now_us: int) -> AccountEvent:
    """The eventStreamTerminated that is the last event of a subscription."""
    terminated: EventStreamTerminated = {"e": "eventStreamTerminated", "E": now_us}
    return AccountEvent(terminated, _TERMINATED_TIMES)
