"""What an archive takes of the views, and what they may forget when it has that."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from emulator.core.history import (
    Amendment,
    AnyRecord,
    BalanceRecord,
    ClosedRecord,
    ContractSettings,
    Fill,
    Income,
    LedgerEntry,
    ListRecord,
    MarginChange,
    Movement,
    PositionRecord,
    PreventedMatch,
    R,
    Transaction,
    WalletSettings,
    key_of,
)
from emulator.core.ids import AccountId, OrderId
from emulator.core.orders import Order
from emulator.core.positions import Position
from emulator.core.views.names import remove_older

if TYPE_CHECKING:
    from emulator.core.views.views import Views


K = TypeVar("K")


class Taken(NamedTuple):
    """Records since the last taking, in order. through: for `Views.forget`."""

    records: list[AnyRecord]
    through: int


def take(views: Views) -> Taken:
    """What was recorded since the last time, in order; then what changed and is no history, as it is."""
    records, views.fresh = views.fresh, []
    if views.fresh_balances:
        wallets = views.state.ledger.wallets
        for (account, wallet, asset), changed_us in views.fresh_balances.items():
            balance = wallets[account, wallet][asset]
            records.append(BalanceRecord(account, wallet, asset, balance.free, balance.held, changed_us))
        views.fresh_balances = {}
    if views.fresh_positions or views.fresh_settings:
        records += _of_contracts(views)
    return Taken(records, views.forgotten + len(views.aging))


def _of_contracts(views: Views) -> list[AnyRecord]:
    """Positions and settings that changed, as they are now."""
    state = views.state
    records: list[AnyRecord] = []
    for (account, symbol, leg), changed_us in views.fresh_positions.items():
        # Of one that was closed nothing is said that is chosen, and may be chosen anew.
        position = state.positions.get((account, symbol, leg)) or Position(leg=leg, updated_us=changed_us)
        records.append(PositionRecord(account, symbol, position, changed_us))
    for (kind, account, scope), changed_us in views.fresh_settings.items():
        if kind is ContractSettings:
            choice = state.choice(account, scope)
            records.append(
                ContractSettings(
                    account, scope, choice.leverage, choice.mode, changed_us, choice.long, choice.short
                )
            )
        else:
            place = (account, scope)
            is_hedged, is_shared = place in state.hedged, place in state.shared
            records.append(WalletSettings(account, scope, is_hedged, is_shared, changed_us))
    views.fresh_positions, views.fresh_settings = {}, {}
    return records


def forget(views: Views, through: int, retained: int, at_most: int | None = None) -> int:
    """Drop the oldest records, up to those of a taking that the archive holds, beyond `retained`.

    In strides, since taking from the front of a list costs as much for one as for many. Returns how
    many went; `at_most` leaves the rest of a stride for the next call.
    """
    aging, dropped = views.aging, views.dropped
    count = min(len(aging) - retained, through - views.forgotten)
    if count < max(1, retained // 8):
        return 0
    if at_most is not None:
        count = min(count, at_most)
    views.forgotten += count
    # How many go from the front of each list.
    postings: dict[AccountId, int] = defaultdict(int)
    incomes: dict[tuple[AccountId, str], int] = defaultdict(int)
    transactions: dict[tuple[AccountId, str], int] = defaultdict(int)
    closed: dict[tuple[AccountId, str], set[OrderId]] = defaultdict(set)
    margins: dict[tuple[AccountId, str], int] = defaultdict(int)
    fills: dict[tuple[AccountId, str], int] = defaultdict(int)
    fills_of: dict[OrderId, int] = defaultdict(int)
    movements: dict[AccountId, int] = defaultdict(int)
    prevented: dict[tuple[AccountId, str], int] = defaultdict(int)
    amendments: dict[OrderId, int] = defaultdict(int)
    orders: dict[tuple[AccountId, str], set[OrderId]] = defaultdict(set)
    for _ in range(count):
        match aging.popleft():
            case LedgerEntry() as entry:
                postings[entry.account] += 1
            case Income() as income:
                incomes[income.account, income.wallet] += 1
            case Transaction() as transaction:
                transactions[transaction.account, transaction.wallet] += 1
            case ClosedRecord() as record:
                closed[record.account, record.instrument].add(record.order)
                del views.closed[record.order]
            case MarginChange() as change:
                margins[change.account, change.instrument] += 1
            case Fill() as fill:
                fills[fill.account, fill.instrument] += 1
                if fill.order:
                    fills_of[fill.order] += 1
            case Order() as order:
                orders[order.account, order.instrument].add(order.id)
                _drop_order(views, order)
            case Movement() as movement:
                movements[movement.event.account] += 1
                dropped.add((Movement, movement.event.account, key_of(movement).scope))
            case PreventedMatch() as met:
                prevented[met.account, met.event.instrument] += 1
            case Amendment() as amendment:
                amendments[amendment.order] += 1
                dropped.add((Amendment, amendment.account, amendment.instrument))
            case ListRecord(order_list=listed):
                del views.lists[listed.id]
                _remove(views.list_ids[listed.account], {listed.id})
                dropped.add((ListRecord, listed.account, ""))
    _drop_first(views.postings, postings)
    _drop_first(views.incomes, incomes)
    _drop_first(views.transactions, transactions)
    for key, ids in closed.items():
        views.closed_ids[key] = [one for one in views.closed_ids[key] if one not in ids]
    _drop_first(views.margin_changes, margins)
    _drop_first(views.fills, fills)
    _drop_first(views.fills_of, fills_of)
    _drop_first(views.movements, movements)
    _drop_first(views.prevented, prevented)
    _drop_first(views.amendments, amendments)
    for key, ids in orders.items():
        _remove(views.order_ids[key], ids)
    dropped.update((Order, *key) for key in orders)
    dropped.update((Income, *key) for key in incomes)
    dropped.update((Transaction, *key) for key in transactions)
    dropped.update((ClosedRecord, *key) for key in closed)
    dropped.update((MarginChange, *key) for key in margins)
    dropped.update((Fill, *key) for key in fills)
    dropped.update((PreventedMatch, *key) for key in prevented)
    dropped.update((LedgerEntry, account, "") for account in postings)
    return count


def _drop_order(views: Views, order: Order) -> None:
    del views.orders[order.id]
    key = (order.account, order.instrument, order.client_id)
    if views.client_ids.get(key) == order.id:
        # Those before it must not be taken for the newest, which the archive knows.
        del views.client_ids[key]
        views.older_of_name.pop(key, None)
    elif key in views.older_of_name:
        remove_older(views, key, order.id)


def _drop_first(index: dict[K, list[R]], counts: dict[K, int]) -> None:
    """Drop so many from the front of each list, and lists of which nothing is left."""
    for key, count in counts.items():
        entries = index[key]
        if count < len(entries):
            del entries[:count]
        else:
            del index[key]


def _remove(ids: list[int], gone: set[int]) -> None:
    low, high = bisect_left(ids, min(gone)), bisect_right(ids, max(gone))
    ids[low:high] = [one for one in ids[low:high] if one not in gone]
