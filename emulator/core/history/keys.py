"""All types of records, and where one of them stands among those of its type."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

from emulator.core.history.orders import Amendment, ClosedRecord, Fill, ListRecord, PreventedMatch
from emulator.core.history.positions import (
    ADDED,
    TAKEN,
    ContractSettings,
    MarginChange,
    PositionRecord,
    WalletSettings,
)
from emulator.core.history.wallets import (
    KIND_OF_MOVEMENT,
    NUMBER_OF_INCOME,
    NUMBER_OF_TRANSACTION,
    BalanceRecord,
    Income,
    LedgerEntry,
    Movement,
    Transaction,
)
from emulator.core.ids import AccountId
from emulator.core.numbers import ZERO
from emulator.core.orders import Order
from emulator.core.positions import Leg

AnyRecord = (
    Order
    | Fill
    | Amendment
    | Movement
    | PreventedMatch
    | LedgerEntry
    | ListRecord
    | BalanceRecord
    | Income
    | Transaction
    | ClosedRecord
    | MarginChange
    | PositionRecord
    | ContractSettings
    | WalletSettings
)

R = TypeVar("R", bound=AnyRecord)


class Key(NamedTuple):
    """Where a record stands among those of its type in one engine.

    scope: within the account, the instrument; of movements the kind; of balances wallet and asset; of
    positions instrument and leg; of incomes, transactions and settings of a wallet the wallet; nothing for
    lists and ledger entries. id ascends with time. part: the order, where several records may share an id; of
    incomes and transactions a number for their kind, of changes of margin ADDED or TAKEN. label: a client's
    own name for it; of incomes the instrument, of transactions the asset.
    """

    account: AccountId
    scope: str
    id: int
    part: int
    time_us: int
    label: str


def key_of(record: AnyRecord) -> Key:
    """The key of a record: `account`, `scope`, `id` and `part` together are unique for its type."""
    return _KEYS[type(record)](record)


def _order(record: Order) -> Key:
    return Key(record.account, record.instrument, record.id, 0, record.created_us, record.client_id)


def _fill(record: Fill) -> Key:
    part = record.order or _part_of_funding(record)
    return Key(record.account, record.instrument, record.trade, part, record.time_us, "")


_LEG_NUMBERS = {leg: number for number, leg in enumerate(Leg)}


def _part_of_funding(record: Fill) -> int:
    """Above all orders, since it was after the trade whose number it has; ascending with time."""
    return (1 << 61) + record.time_us * len(_LEG_NUMBERS) + _LEG_NUMBERS[record.leg]


def _transaction(record: Transaction) -> Key:
    part = NUMBER_OF_TRANSACTION[record.kind]
    return Key(record.account, record.wallet, record.number, part, record.time_us, record.asset)


def _closed(record: ClosedRecord) -> Key:
    name = record.client_id
    return Key(record.account, record.instrument, record.trade, record.order, record.created_us, name)


def _ledger_entry(record: LedgerEntry) -> Key:
    return Key(record.account, "", record.number, 0, record.time_us, "")


def _balance(record: BalanceRecord) -> Key:
    return Key(record.account, f"{record.wallet}/{record.asset}", 0, 0, record.time_us, "")


def _amendment(record: Amendment) -> Key:
    before = record.client_id_before
    return Key(record.account, record.instrument, record.execution, record.order, record.time_us, before)


def _movement(record: Movement) -> Key:
    event = record.event
    kind = KIND_OF_MOVEMENT[type(event)].value
    return Key(event.account, kind, event.movement, 0, record.time_us, event.reference)


def _prevented_match(record: PreventedMatch) -> Key:
    event = record.event
    return Key(record.account, event.instrument, event.match, record.order, record.time_us, "")


def _order_list(record: ListRecord) -> Key:
    listed = record.order_list
    return Key(listed.account, "", listed.id, 0, listed.created_us, listed.client_id)


def _income(record: Income) -> Key:
    part = NUMBER_OF_INCOME[record.kind]
    return Key(record.account, record.wallet, record.number, part, record.time_us, record.instrument)


def _margin_change(record: MarginChange) -> Key:
    part = ADDED if record.amount > ZERO else TAKEN
    return Key(record.account, record.instrument, record.number, part, record.time_us, "")


def _position(record: PositionRecord) -> Key:
    leg = record.position.leg.value
    return Key(record.account, f"{record.instrument}/{leg}", 0, 0, record.time_us, "")


def _contract_settings(record: ContractSettings) -> Key:
    return Key(record.account, record.instrument, 0, 0, record.time_us, "")


def _wallet_settings(record: WalletSettings) -> Key:
    return Key(record.account, record.wallet, 0, 0, record.time_us, "")


_KEYS: dict[type[Any], Callable[[Any], Key]] = {
    Order: _order,
    Fill: _fill,
    LedgerEntry: _ledger_entry,
    BalanceRecord: _balance,
    Amendment: _amendment,
    Movement: _movement,
    PreventedMatch: _prevented_match,
    ListRecord: _order_list,
    Income: _income,
    Transaction: _transaction,
    ClosedRecord: _closed,
    MarginChange: _margin_change,
    PositionRecord: _position,
    ContractSettings: _contract_settings,
    WalletSettings: _wallet_settings,
}
