"""By which of their clients' names orders are found: the newest order that has a name, and older ones."""

from __future__ import annotations

from bisect import insort
from typing import TYPE_CHECKING

from emulator.core.ids import AccountId, OrderId
from emulator.core.orders import Order

if TYPE_CHECKING:
    from emulator.core.views.views import Views


def add_name(views: Views, key: tuple[AccountId, str, str], order: OrderId) -> None:
    """An order has a name that others have or had, too; key: account, instrument and name."""
    newest = views.client_ids.get(key)
    if newest is None:
        views.client_ids[key] = order
        return
    views.client_ids[key] = max(newest, order)
    insort(views.older_of_name.setdefault(key, []), min(newest, order))


def rename(views: Views, order: Order, client_id: str) -> None:
    """An order is about to be called otherwise; the newest of the others that had its name is found by it."""
    key = (order.account, order.instrument, order.client_id)
    if views.client_ids.get(key) == order.id:
        if key in views.older_of_name:
            newest = views.client_ids[key] = views.older_of_name[key][-1]
            remove_older(views, key, newest)
        else:
            del views.client_ids[key]
    elif key in views.older_of_name:
        remove_older(views, key, order.id)
    if client_id:
        add_name(views, (order.account, order.instrument, client_id), order.id)


def remove_older(views: Views, key: tuple[AccountId, str, str], order: OrderId) -> None:
    """An order that is not the newest is not found by a name any more."""
    older = views.older_of_name[key]
    if order in older:
        older.remove(order)
        if not older:
            del views.older_of_name[key]
