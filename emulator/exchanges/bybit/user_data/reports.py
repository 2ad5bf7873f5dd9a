"""What became of orders, as private topics say it, and the frames in which all of that is said.

What REST tells is taken from there, so that both agree, and what it does not tell is added. Everything is
read from the core's records as they are at the call, which is when the event that is told of has just been
applied.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from functools import partial
from typing import Any, Final, cast
from uuid import uuid4

from emulator.core.engine import Engine
from emulator.core.history import Fill
from emulator.core.ids import AccountId
from emulator.core.instruments import BUY
from emulator.core.numbers import ZERO
from emulator.core.orders import Order
from emulator.exchanges.bybit.beside import beside_now
from emulator.exchanges.bybit.categories import Category, listing_of
from emulator.exchanges.bybit.figures import decimal_text
from emulator.exchanges.bybit.payloads.trading import Execution
from emulator.exchanges.bybit.payloads.user_data import (
    FastExecution,
    FastFrame,
    Frame,
    StreamedExecution,
    StreamedOrder,
)
from emulator.exchanges.bybit.position.sums import amount
from emulator.exchanges.bybit.replies import render_execution, render_order
from emulator.exchanges.bybit.user import user_id_of
from emulator.exchanges.bybit.user_data.topics import TopicKind
from emulator.exchanges.bybit.vocabulary import TRIGGERED, UNIT, label_of
from emulator.web.streams.message import Message

MILLISECOND_US: Final = 1000


class Report:
    """What one frame says, whichever name of its topic it was subscribed to by.

    category: that it is about; empty: of the account as a whole. records: must not change any more.
    """

    __slots__ = ("_messages", "account", "category", "kind", "now_us", "records")

    def __init__(
        self, account: AccountId, kind: TopicKind, category: str, records: Sequence[Any], now_us: int
    ) -> None:
        self.account = account
        self.kind = kind
        self.category = category
        self.records = records
        self.now_us = now_us
        self._messages: dict[str, Message] = {}

    def message(self, topic: str) -> Message:
        """topic: as it was subscribed to. Made once for all who did."""
        message = self._messages.get(topic)
        if message is None:
            message = self._messages[topic] = Message(topic, partial(self._frame, topic))
        return message

    def _frame(self, topic: str, _: int) -> Frame | FastFrame:
        rest: FastFrame = {
            "topic": topic,
            "creationTime": self.now_us // MILLISECOND_US,
            "data": list(self.records),
        }
        if self.kind is TopicKind.FAST_EXECUTION:
            # Quirk: frames of fast executions have no id, all others do ("Fast Execution").
            return rest
        # Quirk: an id begins with that of the user ("Order" and others, their examples).
        return {"id": f"{user_id_of(self.account)}{uuid4()}", **rest}


def streamed_order(
    engine: Engine, category: Category, order: Order, now_us: int | None = None
) -> StreamedOrder:
    """An order as it is now. now_us: None: at the event that is being told."""
    closed = engine.views.closed.get(order.id)
    rendered: dict[str, object] = {
        "category": category.name,
        **render_order(category, order, beside_now(engine, order, now_us)),
        "closedPnl": "0" if closed is None else amount(closed.profit),
        # Quirk: of pairs only the coin of fees has a name here ("Order", `feeCurrency`).
        "feeCurrency": "" if category.is_derivative else _fee_coin(order),
    }
    return cast("StreamedOrder", rendered)


def streamed_trigger(engine: Engine, category: Category, order: Order) -> StreamedOrder:
    """An order at the moment at which its condition was met, just before it is an active one."""
    streamed = streamed_order(engine, category, order)
    streamed["orderStatus"] = TRIGGERED
    return streamed


def _fee_coin(order: Order) -> str:
    if order.fees:
        return order.fees[-1][0]
    instrument = listing_of(order.instrument).instrument
    return instrument.base if order.side is BUY else instrument.quote


def streamed_execution(
    category: Category, fill: Fill, rendered: Execution, order: Order | None
) -> StreamedExecution:
    """order: None of a payment of funding. rendered: as REST has it."""
    is_margin = order is not None and order.terms.borrows
    told: dict[str, object] = {
        "category": category.name,
        **rendered,
        "isLeverage": "1" if is_margin else "0",
        "execPnl": decimal_text(_profit(fill)),
        "marketUnit": "" if order is None else label_of(order.terms, UNIT),
    }
    return cast("StreamedExecution", told)


def _profit(fill: Fill) -> Decimal:
    """Of what it closed, before fees."""
    return fill.realised if fill.order else ZERO


def streamed_trade(category: Category, fill: Fill, order: Order) -> StreamedExecution:
    return streamed_execution(category, fill, render_execution(category, fill, order), order)


def fast_execution(category: Category, fill: Fill, order: Order) -> FastExecution:
    full = render_execution(category, fill, order)
    told: dict[str, object] = {
        "category": category.name,
        "symbol": full["symbol"],
        "execId": full["execId"],
        "execPrice": full["execPrice"],
        "execQty": full["execQty"],
        "orderId": full["orderId"],
        "isMaker": full["isMaker"],
        # Quirk: whoever rested is not told the name of the order ("Fast Execution", `orderLinkId`).
        "orderLinkId": "" if fill.is_maker else full["orderLinkId"],
        "side": full["side"],
        "execTime": full["execTime"],
        "seq": full["seq"],
    }
    return cast("FastExecution", told)
