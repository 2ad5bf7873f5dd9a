"""Read-only indices over what happened, for queries. Derived from events, never decided on.

An ended order leaves `State` and stays here, with its fills, amendments and prevented matches. Where an
archive keeps history, whoever fills it takes each record once (`take`), and when it is there the oldest
ones may go from here (`forget`). Nothing else is ever dropped, and open orders never are.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from types import MethodType
from typing import Any

from emulator.core import events as e
from emulator.core.accounting import Accounting
from emulator.core.history import (
    Amendment,
    AnyRecord,
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
    Settings,
    Transaction,
)
from emulator.core.ids import AccountId, ListId, OrderId
from emulator.core.order_lists import OrderList
from emulator.core.orders import Order
from emulator.core.state import PositionKey, State
from emulator.core.views.archiving import Taken, forget, take
from emulator.core.views.notes import NOTES
from emulator.core.views.orders import will_amend
from emulator.core.views.selecting import select
from emulator.core.views.wallets import position_changed, posted


class Views:
    """All indices of one engine.

    is_taken: whether somebody takes the records; nothing is dropped and nothing gathers where nobody does.
    accounting: makes what only some exchanges tell of; None where the rules do not ask for it.
    """

    def __init__(self, state: State, accounting: Accounting | None = None) -> None:
        self.state = state
        self.accounting = accounting
        self.orders: dict[OrderId, Order] = {}
        self.order_ids: dict[tuple[AccountId, str], list[OrderId]] = {}
        self.client_ids: dict[tuple[AccountId, str, str], OrderId] = {}
        """The newest order that has a client id; who looks for one that is open finds it in the state."""
        self.older_of_name: dict[tuple[AccountId, str, str], list[OrderId]] = {}
        """Older ones that have it as well, ascending."""
        self.fills: dict[tuple[AccountId, str], list[Fill]] = {}
        self.fills_of: dict[OrderId, list[Fill]] = {}
        self.amendments: dict[OrderId, list[Amendment]] = {}
        self.prevented: dict[tuple[AccountId, str], list[PreventedMatch]] = {}
        self.lists: dict[ListId, OrderList] = {}
        self.list_ids: dict[AccountId, list[ListId]] = {}
        self.movements: dict[AccountId, list[Movement]] = {}
        self.postings: dict[AccountId, list[LedgerEntry]] = {}
        self.incomes: dict[tuple[AccountId, str], list[Income]] = {}
        """By account and wallet."""
        self.margin_changes: dict[tuple[AccountId, str], list[MarginChange]] = {}
        self.transactions: dict[tuple[AccountId, str], list[Transaction]] = {}
        """By account and wallet."""
        self.transaction_count = 0
        """How many there were; the number of the newest."""
        self.closed: dict[OrderId, ClosedRecord] = {}
        self.closed_ids: dict[tuple[AccountId, str], list[OrderId]] = {}
        """The orders that closed something, by account and instrument, as they began to."""
        self.updated_us: dict[AccountId, int] = {}
        self.is_taken = False
        self.begins_late = False
        """Whether what happened before is in the archive only, because the state came from a snapshot."""
        self.dropped: set[tuple[type[Any], AccountId, str]] = set()
        self.aging: deque[AnyRecord] = deque()
        """Everything here that will not change any more, in the order in which that came."""
        self.forgotten = 0
        self.fresh: list[AnyRecord] = []
        self.fresh_balances: dict[tuple[AccountId, str, str], int] = {}
        """When they changed last."""
        self.fresh_positions: dict[PositionKey, int] = {}
        self.fresh_settings: dict[tuple[type[Settings], AccountId, str], int] = {}
        self.event = e.Event()
        """What is being folded, at `now_us`: both are set before the state applies it, and afterwards what
        `notes` has for its kind is called."""
        self.now_us = 0
        self.margin_wallets = state.margin_wallets
        state.ledger.listener = MethodType(posted, self)
        state.position_listener = MethodType(position_changed, self)
        self.notes: dict[type[e.Event], Callable[[Any], None]] = {
            kind: MethodType(note, self) for kind, note in NOTES.items()
        }
        """What is called with an event of a kind right after the state applied it."""
        if accounting is not None:
            self.notes = {kind: self._concluding(accounting, self.notes.get(kind)) for kind in state.folds}

    def order(
        self, account: AccountId, instrument: str, order: OrderId | None, client_id: str | None
    ) -> Order | None:
        """The order of an id, or of a client id the open one, or else the newest one that has it."""
        if order is None and client_id is not None:
            key = (account, instrument, client_id)
            order = self.state.client_ids.get(key) or self.client_ids.get(key)
        found = None if order is None else self.orders.get(order)
        if found is None or found.account != account or found.instrument != instrument:
            return None
        return found

    def is_whole(self, kind: type[Any], account: AccountId, scope: str) -> bool:
        """Whether all records of an account and scope are here, so that no archive need be asked."""
        return not self.begins_late and (kind, account, scope) not in self.dropped

    def select(self, kind: type[R], query: Query) -> list[R]:
        """The records that a query asks for, as far as they are here."""
        return select(self, kind, query)

    def list_record(self, order_list: OrderList) -> ListRecord:
        """A list with the names that its legs have now."""
        return ListRecord(order_list, tuple(self.orders[leg].client_id for leg in order_list.orders))

    # As events are folded

    def will_amend(self, event: e.OrderAmended) -> None:
        """Note what the event is about to change: no other kind is noted before the state applies it."""
        will_amend(self, event)

    def record(self, record: AnyRecord) -> None:
        """Something is over, and goes to the archive."""
        self.fresh.append(record)
        self.aging.append(record)

    def _concluding(
        self, accounting: Accounting, note: Callable[[Any], None] | None
    ) -> Callable[[Any], None]:
        """What notes an event, and then the transactions that it was."""

        def conclude(event: e.Event) -> None:
            if note is not None:
                note(event)
            for one in accounting.conclude(event, self.transaction_count, self.now_us):
                self.transaction_count = one.number
                self.transactions.setdefault((one.account, one.wallet), []).append(one)
                if self.is_taken:
                    self.record(one)

        return conclude

    # Into an archive, and out of here

    def take(self) -> Taken:
        """What was recorded since the last time, in order; then what changed and is no history, as it is."""
        return take(self)

    def forget(self, through: int, retained: int, at_most: int | None = None) -> int:
        """Drop the oldest records, up to those of a taking that the archive holds, beyond `retained`;
        returns how many went. `at_most` leaves the rest for the next call."""
        return forget(self, through, retained, at_most)
