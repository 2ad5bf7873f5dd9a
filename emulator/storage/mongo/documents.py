"""What the journal and the archive keep in MongoDB, as Beanie documents.

Of the journal every id is a joined key, so that the index which MongoDB has of itself is the only one. An
entry's batch is one blob: as nested documents it would cost four times as much to write.

The archive has one document for each record, which tells the same in words that people can ask for.
"""

from __future__ import annotations

from typing import Any, ClassVar

from beanie import Document
from pymongo import IndexModel

from emulator.core.history import (
    Amendment,
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
    Transaction,
    WalletSettings,
)
from emulator.core.orders import Order
from emulator.runtime.archive import AccountRecord, ApiKeyRecord, InstrumentRecord


class JournalStream(Document):
    """Says which entries are a sandbox's. It changes as one, and only from the revision that was read.

    id: the sandbox's name. stem: what the ids of its entries begin with; None while there are none.
    draft: the stem of what is being made, and takes their place when it is whole. old: the stems of
    what was forgotten, and may still be there.
    """

    id: str  # type: ignore[assignment]  # Beanie lets documents choose the type of their ids
    revision: int
    stem: str | None
    draft: str | None
    old: list[str]

    class Settings:
        name = "journal_streams"


class JournalEntry(Document):
    """One entry, or the tombstone at the end of a stream that was forgotten.

    id: `<stem>/<sequence>`, which is the fence as well: it can be taken once. writer: who wrote it, for
    people. batch: the entry, or its beginning. parts: into how many documents it was cut, of which this
    is the first; 0 for a tombstone. attempt: what the ids of the others name.
    """

    id: str  # type: ignore[assignment]  # Beanie lets documents choose the type of their ids
    writer: str
    batch: bytes
    parts: int
    attempt: str

    class Settings:
        name = "journal_entries"


class JournalPart(Document):
    """A further piece of an entry that is too large for one document.

    id: `<entry>/<attempt>/<number>`. Pieces are written before their entry, so an attempt that fails
    leaves pieces that no entry names; they go with the stream.
    """

    id: str  # type: ignore[assignment]  # Beanie lets documents choose the type of their ids
    content: bytes

    class Settings:
        name = "journal_parts"


# The archive. A collection's name is `archive_` and what `runtime.archive.TABLES` calls the records.


def _index(name: str, *fields: str) -> IndexModel:
    return IndexModel([(field, 1) for field in ("sandbox", "engine", "account", "scope", *fields)], name=name)


BY_NUMBER = _index("by_number", "number", "part")
BY_TIME = _index("by_time", "time_us", "number", "part")
BY_PART = _index("by_part", "part", "number")
BY_LABEL = _index("by_label", "label", "number", "part")


class Archived(Document):
    """One record, and where it stands among the others.

    id: `<sandbox>/<engine>/<account>/<scope>/<number>/<part>`. account to label: the record's key, of
    which `number` is the id (`core.history.Key`). record: its own fields, as its JSON has them: decimals
    are strings that keep every digit, times are microseconds; a trade leaves out what most trades do not
    have. An event in it is a document as well, whose `type` is its name.
    """

    id: str  # type: ignore[assignment]  # Beanie lets documents choose the type of their ids
    sandbox: str
    engine: str
    account: int
    scope: str
    number: int
    part: int
    time_us: int
    label: str
    record: dict[str, Any]


class ArchivedAccount(Archived):
    """An account of a sandbox, which all its engines share."""

    class Settings:
        name = "archive_accounts"
        indexes: ClassVar = [BY_NUMBER]


class ArchivedApiKey(Archived):
    """An API key without its secret. scope: the key."""

    class Settings:
        name = "archive_api_keys"
        indexes: ClassVar = [BY_NUMBER]


class ArchivedInstrument(Archived):
    """What is traded. sandbox: empty. scope: its symbol."""

    class Settings:
        name = "archive_instruments"
        indexes: ClassVar = [BY_NUMBER]


class ArchivedOrder(Archived):
    """An order that ended. scope: its instrument. label: its client id."""

    class Settings:
        name = "archive_orders"
        indexes: ClassVar = [BY_NUMBER, BY_TIME, BY_LABEL]


class ArchivedOrderList(Archived):
    """An order list that ended. label: its client id."""

    class Settings:
        name = "archive_order_lists"
        indexes: ClassVar = [BY_NUMBER, BY_TIME, BY_LABEL]


class ArchivedTrade(Archived):
    """One account's side of a trade, or funding of a position. scope: its instrument. part: the order; of
    funding above all orders."""

    class Settings:
        name = "archive_trades"
        indexes: ClassVar = [BY_NUMBER, BY_TIME, BY_PART]


class ArchivedAmendment(Archived):
    """How an order was amended. scope: its instrument. part: the order. label: its client id before."""

    class Settings:
        name = "archive_amendments"
        indexes: ClassVar = [BY_PART]


class ArchivedPreventedMatch(Archived):
    """A match of an owner's two orders that did not happen. scope: the instrument. part: one of the two."""

    class Settings:
        name = "archive_prevented_matches"
        indexes: ClassVar = [BY_NUMBER, BY_PART]


class ArchivedMovement(Archived):
    """A deposit, withdrawal or transfer, which its scope says. label: the reference."""

    class Settings:
        name = "archive_movements"
        indexes: ClassVar = [BY_NUMBER, BY_TIME]


class ArchivedLedgerEntry(Archived):
    """What one event added to a wallet, or took from it."""

    class Settings:
        name = "archive_ledger_entries"
        indexes: ClassVar = [BY_NUMBER]


class ArchivedBalance(Archived):
    """What is in a wallet of one asset. scope: `<wallet>/<asset>`."""

    class Settings:
        name = "archive_balances"
        indexes: ClassVar = [BY_NUMBER]


class ArchivedIncome(Archived):
    """Why a wallet of contracts has more or less than before. scope: the wallet. part: a number for the
    kind, which the record names. label: the instrument."""

    class Settings:
        name = "archive_incomes"
        indexes: ClassVar = [BY_NUMBER, BY_TIME, BY_PART, BY_LABEL]


class ArchivedTransaction(Archived):
    """A change of one asset of a wallet of contracts, with the balance after it. scope: the wallet. part: a
    number for the kind, which the record names. label: the asset."""

    class Settings:
        name = "archive_transactions"
        indexes: ClassVar = [BY_NUMBER, BY_TIME, BY_PART, BY_LABEL]


class ArchivedClosedPosition(Archived):
    """What an order closed of a position. scope: its instrument. part: the order. label: its client id."""

    class Settings:
        name = "archive_closed_positions"
        indexes: ClassVar = [BY_NUMBER, BY_TIME, BY_PART]


class ArchivedMarginChange(Archived):
    """An owner moved margin of an isolated position. scope: the instrument. part: 1 added, 2 taken back."""

    class Settings:
        name = "archive_margin_changes"
        indexes: ClassVar = [BY_NUMBER, BY_TIME, BY_PART]


class ArchivedPosition(Archived):
    """A position or one leg of two; its quantity is zero when it was closed. scope: `<instrument>/<leg>`."""

    class Settings:
        name = "archive_positions"
        indexes: ClassVar = [BY_NUMBER]


class ArchivedContractSettings(Archived):
    """Leverage, that of single legs too, and margin mode that were chosen. scope: the instrument."""

    class Settings:
        name = "archive_contract_settings"
        indexes: ClassVar = [BY_NUMBER]


class ArchivedWalletSettings(Archived):
    """What was chosen for all contracts of a wallet. scope: the wallet."""

    class Settings:
        name = "archive_wallet_settings"
        indexes: ClassVar = [BY_NUMBER]


ARCHIVED: dict[type[Any], type[Archived]] = {
    Order: ArchivedOrder,
    Fill: ArchivedTrade,
    ListRecord: ArchivedOrderList,
    Amendment: ArchivedAmendment,
    PreventedMatch: ArchivedPreventedMatch,
    Movement: ArchivedMovement,
    LedgerEntry: ArchivedLedgerEntry,
    Income: ArchivedIncome,
    Transaction: ArchivedTransaction,
    ClosedRecord: ArchivedClosedPosition,
    MarginChange: ArchivedMarginChange,
    BalanceRecord: ArchivedBalance,
    PositionRecord: ArchivedPosition,
    ContractSettings: ArchivedContractSettings,
    WalletSettings: ArchivedWalletSettings,
    AccountRecord: ArchivedAccount,
    ApiKeyRecord: ArchivedApiKey,
    InstrumentRecord: ArchivedInstrument,
}
"""Each type of record of `runtime.archive.TABLES` has its documents."""


class ArchiveMark(Document):
    """Through which entry of its journal stream a sandbox's records are there. id: its name."""

    id: str  # type: ignore[assignment]  # Beanie lets documents choose the type of their ids
    sequence: int
    digest: str

    class Settings:
        name = "archive_marks"


class ArchiveSnapshot(Document):
    """A sandbox's newest snapshot. id: its name.

    sequence, digest: of its mark. format: of the parts. parts: of each part the digests of the pieces
    into which it was cut. checksum: over all of these.
    """

    id: str  # type: ignore[assignment]  # Beanie lets documents choose the type of their ids
    sequence: int
    digest: str
    format: str
    parts: list[list[str]]
    checksum: str

    class Settings:
        name = "archive_snapshots"


class ArchiveSnapshotPiece(Document):
    """A piece of a snapshot's part. id: `<sandbox>/<digest of the content>`.

    Pieces are written before the snapshot that names them, so one that fails leaves pieces that nobody
    names; the next one takes them or removes them.
    """

    id: str  # type: ignore[assignment]  # Beanie lets documents choose the type of their ids
    sandbox: str
    content: bytes

    class Settings:
        name = "archive_snapshot_pieces"
        indexes: ClassVar = [IndexModel([("sandbox", 1)], name="by_sandbox")]


class ArchiveFormat(Document):
    """In which format everything else of the archive is; the one document of its kind.

    format: empty while the archive is begun anew. begun: a word made at that moment, by which a process
    sees that another one began it anew.
    """

    id: str  # type: ignore[assignment]  # Beanie lets documents choose the type of their ids
    format: str
    begun: str

    class Settings:
        name = "archive_format"
