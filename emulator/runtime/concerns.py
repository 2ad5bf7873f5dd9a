"""Whom an event concerns: the accounts and instruments whose readers would notice it.

Asked only while the journal is down, to tell which reads may still be answered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from emulator.core.engine import Engine
from emulator.core.events import Event
from emulator.core.ids import MARKET_ORDER, NO_LIST, AccountId

Concern = AccountId | str
"""An account by its id, or an instrument by its name."""

Concerns = Callable[[Any, Event], Iterable[Concern] | None]
"""What an event of an engine concerns; None when that cannot be told, so it may be everything."""


def concerns(engine: Engine, event: Event) -> set[Concern] | None:
    """Read from the names of the event's fields, which have one meaning throughout the core."""
    found: set[Concern] = set()
    for field in ("account", "instrument"):
        named = getattr(event, field, None)
        if named is not None:
            found.add(named)
    for field in ("order", "taker", "maker"):
        order_id = getattr(event, field, MARKET_ORDER)
        if order_id != MARKET_ORDER:
            order = engine.views.orders.get(order_id)
            if order is None:
                return None
            found |= {order.account, order.instrument}
    list_id = getattr(event, "order_list", NO_LIST)
    if list_id != NO_LIST:
        order_list = engine.views.lists.get(list_id)
        if order_list is None:
            return None
        found |= {order_list.account, order_list.instrument}
    return found or None
