"""Which of the records that are here a query asks for."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast, overload

from emulator.core.history import (
    KIND_OF_MOVEMENT,
    Amendment,
    ClosedRecord,
    Fill,
    Income,
    LedgerEntry,
    ListRecord,
    MarginChange,
    Movement,
    PreventedMatch,
    Query,
    R,
    Transaction,
    key_of,
)
from emulator.core.ids import AccountId, OrderId
from emulator.core.orders import Order

if TYPE_CHECKING:
    from emulator.core.views.views import Views


def select(views: Views, kind: type[R], query: Query) -> list[R]:
    """The records that a query asks for, as far as they are here."""
    account, scope = query.account, query.scope
    entries: Sequence[Any]
    if kind is Order:
        entries = _Named(views.order_ids.get((account, scope), []), views.orders)
    elif kind is Fill:
        entries = views.fills.get((account, scope), ())
        if query.part is not None:
            entries = _of(views.fills_of.get(query.part, ()), account, scope)
    elif kind is Amendment:
        assert query.part is not None, "amendments are those of an order"
        entries = _of(views.amendments.get(query.part, ()), account, scope)
    elif kind is PreventedMatch:
        entries = views.prevented.get((account, scope), ())
    elif kind is Movement:
        listed = views.movements.get(account, ())
        entries = [one for one in listed if KIND_OF_MOVEMENT[type(one.event)].value == scope]
    elif kind is LedgerEntry:
        entries = views.postings.get(account, ())
    elif kind is Income:
        entries = views.incomes.get((account, scope), ())
    elif kind is Transaction:
        entries = views.transactions.get((account, scope), ())
    elif kind is ClosedRecord:
        entries = _Named(views.closed_ids.get((account, scope), []), views.closed)
    elif kind is MarginChange:
        entries = views.margin_changes.get((account, scope), ())
    else:
        assert kind is ListRecord, f"{kind} is not asked for"
        entries = [views.list_record(views.lists[one]) for one in views.list_ids.get(account, ())]
    return cast("list[R]", chosen(entries, query))


def _of(records: Sequence[Fill | Amendment], account: AccountId, instrument: str) -> Sequence[Any]:
    return [one for one in records if one.account == account and one.instrument == instrument]


class _Named(Sequence[R]):
    """Records by the ids of orders, of which only those are looked up that somebody wants."""

    def __init__(self, ids: list[OrderId], records: dict[OrderId, R]) -> None:
        self._ids = ids
        self._records = records

    def __len__(self) -> int:
        return len(self._ids)

    @overload
    def __getitem__(self, place: int) -> R: ...

    @overload
    def __getitem__(self, place: slice) -> list[R]: ...

    def __getitem__(self, place: int | slice) -> R | list[R]:
        if isinstance(place, int):
            return self._records[self._ids[place]]
        return [self._records[one] for one in self._ids[place]]


def chosen(entries: Sequence[R], query: Query) -> Sequence[R]:
    """What a query asks for of all records of its account and scope, which ascend in id and time."""
    low, high = 0, len(entries)
    if query.first_id is not None:
        low = bisect_left(entries, query.first_id, key=lambda one: key_of(one).id)
    if query.start_us is not None:
        low = max(low, bisect_left(entries, query.start_us, key=lambda one: key_of(one).time_us))
    if query.last_id is not None:
        high = bisect_right(entries, query.last_id, key=lambda one: key_of(one).id)
    if query.end_us is not None:
        high = min(high, bisect_right(entries, query.end_us, key=lambda one: key_of(one).time_us))
    if query.part is not None or query.label is not None:
        entries = [entry for entry in entries[low:high] if query.admits(key_of(entry))]
    else:
        entries = entries[low : max(low, high)]
    return list(entries[-query.limit :] if query.newest else entries[: query.limit])
