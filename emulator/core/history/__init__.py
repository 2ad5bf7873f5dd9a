"""What is over and does not change any more: the records that queries page through.

A record is made by one event and tells of it for ever; orders and lists become records when they end.
Recent records are in memory (`views`), all of them in an archive. Both are asked with the same `Query`,
by the same keys, so that an answer does not tell from where it came.
"""

from __future__ import annotations

from emulator.core.history.keys import AnyRecord, Key, R, key_of
from emulator.core.history.orders import (
    KIND_OF_CAUSE,
    Amendment,
    ClosedRecord,
    Fill,
    FillKind,
    ListRecord,
    PreventedMatch,
)
from emulator.core.history.positions import (
    ADDED,
    TAKEN,
    ContractSettings,
    MarginChange,
    PositionRecord,
    Settings,
    WalletSettings,
)
from emulator.core.history.queries import Query, incomes_of, transactions_of
from emulator.core.history.wallets import (
    KIND_OF_MOVEMENT,
    BalanceRecord,
    Income,
    IncomeKind,
    LedgerEntry,
    Movement,
    MovementKind,
    Transaction,
    TransactionKind,
)

__all__ = [
    "ADDED",
    "KIND_OF_CAUSE",
    "KIND_OF_MOVEMENT",
    "TAKEN",
    "Amendment",
    "AnyRecord",
    "BalanceRecord",
    "ClosedRecord",
    "ContractSettings",
    "Fill",
    "FillKind",
    "Income",
    "IncomeKind",
    "Key",
    "LedgerEntry",
    "ListRecord",
    "MarginChange",
    "Movement",
    "MovementKind",
    "PositionRecord",
    "PreventedMatch",
    "Query",
    "R",
    "Settings",
    "Transaction",
    "TransactionKind",
    "WalletSettings",
    "incomes_of",
    "key_of",
    "transactions_of",
]
