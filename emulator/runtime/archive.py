"""The archive: history for queries, and snapshots to start from. Both can be made anew from the journal.

What an archive holds is said by its mark: everything up to that entry of the journal, and of later ones
perhaps some. Writing the same twice changes nothing. Whoever opens it compares the mark with the journal
and begins anew where they do not fit, so an archive may be lost, or be another journal's, and nothing
but time is.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any, NamedTuple, Protocol, TypeVar

import msgspec

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
    Query,
    Transaction,
    WalletSettings,
    key_of,
)
from emulator.core.history import Key as Key
from emulator.core.ids import AccountId
from emulator.core.instruments import Instrument
from emulator.core.orders import Order
from emulator.core.shapes import shape_of
from emulator.runtime.journal_format import encode_batch
from emulator.runtime.ports import Batch, KeyKind, StorageUnavailable


class ArchiveUnavailable(StorageUnavailable):
    """The archive does not answer, or not in time; what was written may or may not be there."""


class ArchiveDamaged(ArchiveUnavailable):
    """What the archive holds is no record, or one that belongs elsewhere."""


class ArchiveLost(ArchiveUnavailable):
    """What the archive held of a sandbox is gone, until somebody asks for its mark and begins anew."""


class AccountRecord(msgspec.Struct, frozen=True):
    account: AccountId
    name: str
    trade_group: int
    time_us: int


class ApiKeyRecord(msgspec.Struct, frozen=True):
    """An API key without its secret, which only the journal has."""

    account: AccountId
    key: str
    kind: KeyKind
    permissions: tuple[str, ...]
    label: str
    time_us: int


class InstrumentRecord(msgspec.Struct, frozen=True):
    """What is traded, with its limits as they are now. No sandbox's own."""

    instrument: Instrument


SandboxRecord = AccountRecord | ApiKeyRecord | InstrumentRecord
ArchiveRecord = AnyRecord | SandboxRecord

TABLES: dict[type[Any], str] = {
    Order: "orders",
    Fill: "trades",
    ListRecord: "order_lists",
    Amendment: "amendments",
    PreventedMatch: "prevented_matches",
    Movement: "movements",
    LedgerEntry: "ledger_entries",
    Income: "incomes",
    Transaction: "transactions",
    ClosedRecord: "closed_positions",
    MarginChange: "margin_changes",
    BalanceRecord: "balances",
    PositionRecord: "positions",
    ContractSettings: "contract_settings",
    WalletSettings: "wallet_settings",
    AccountRecord: "accounts",
    ApiKeyRecord: "api_keys",
    InstrumentRecord: "instruments",
}
"""What an archive keeps, by the type of the records, and what it calls each of them."""

ROWS_PER_WRITE = 5_000
"""One transaction, where there are any; whoever asks the archive meanwhile waits for it."""

R = TypeVar("R")


class Row(msgspec.Struct, frozen=True, gc=False):
    """A record and whose it is. engine: empty for what belongs to the sandbox itself."""

    engine: str
    record: ArchiveRecord
    is_gone: bool = False
    """Whether it is to be removed instead of written."""


class Mark(msgspec.Struct, frozen=True):
    """An entry of a journal stream, and what tells it from another stream's under the same number."""

    sequence: int
    digest: str


def mark_of(batch: Batch) -> Mark:
    """The mark of an entry. A stream's copy under another name has the same ones."""
    content = encode_batch(msgspec.structs.replace(batch, sandbox=""))
    return Mark(batch.sequence, hashlib.blake2b(content, digest_size=12).hexdigest())


def archive_key(record: ArchiveRecord) -> Key:
    """Under which key a record stands in its table; see `history.key_of`."""
    if isinstance(record, AccountRecord):
        return Key(record.account, "", record.account, 0, record.time_us, record.name)
    if isinstance(record, ApiKeyRecord):
        return Key(record.account, record.key, 0, 0, record.time_us, record.label)
    if isinstance(record, InstrumentRecord):
        return Key(0, record.instrument.symbol, 0, 0, 0, "")
    return key_of(record)


_encoder = msgspec.json.Encoder()
_decoders = {kind: msgspec.json.Decoder(kind) for kind in TABLES}


def encode_record(record: ArchiveRecord) -> bytes:
    """As JSON, which people and other programs can read as well."""
    return _encoder.encode(record)


def decode_record(kind: type[R], encoded: bytes | str) -> R:
    """Raises msgspec.MsgspecError."""
    record: R = _decoders[kind].decode(encoded)
    return record


REVISION = 2
"""Counts what the shapes of records do not show: another meaning of the same fields."""

FORMAT = shape_of(tuple(TABLES), revision=REVISION)
"""An archive that was written in another format is made anew."""


class Snapshot(NamedTuple):
    """A universe as of a mark, in parts whose meaning is their writer's. format: of the parts."""

    mark: Mark
    format: str
    parts: Sequence[bytes]


class Archive(Protocol):
    """Keeps the records of all sandboxes, and of each its newest snapshot.

    Any call may raise ArchiveUnavailable. One that finds that the archive is damaged beyond use raises
    ArchiveLost, and so does all that follows for each sandbox that was in it, but for `mark` and `forget`:
    what is written then would pass for all that there ever was.
    """

    async def mark(self, sandbox: str) -> Mark | None:
        """Through which entry everything is there; None for a sandbox that it does not know."""
        ...

    async def write(self, sandbox: str, rows: Sequence[Row], mark: Mark) -> None:
        """Write records over those with the same key, in their order; then move the mark."""
        ...

    async def select(self, sandbox: str, engine: str, kind: type[R], query: Query) -> list[R]:
        """The records that a query asks for, ascending by id, then part."""
        ...

    def scan(self, sandbox: str, kind: type[R]) -> AsyncIterator[tuple[str, R]]:
        """All records of a type, each with its engine, in an order of the archive's own.

        Only some of them are in memory at a time. Raises ArchiveDamaged.
        """
        ...

    async def save(self, sandbox: str, mark: Mark, format: str, parts: Iterable[bytes]) -> None:
        """Keep a snapshot in place of the one before, whole or not at all.

        Only after everything up to its mark was written. `parts` may be drawn in another thread, one
        by one; a part that the snapshot before has as well is not written again.
        """
        ...

    async def snapshot(self, sandbox: str) -> Snapshot | None:
        """The newest snapshot; None too for one that is damaged."""
        ...

    async def forget(self, sandbox: str) -> None:
        """Remove everything of a sandbox."""
        ...

    async def close(self) -> None: ...


async def write_up_to(
    archive: Archive, sandbox: str, rows: Sequence[Row], *, before: Mark, mark: Mark
) -> None:
    """Write rows, however many, and move the mark, which stays where it was until all of them are there."""
    last = max(0, len(rows) - 1) // ROWS_PER_WRITE * ROWS_PER_WRITE
    for first in range(0, last, ROWS_PER_WRITE):
        await archive.write(sandbox, rows[first : first + ROWS_PER_WRITE], before)
    await archive.write(sandbox, rows[last:], mark)
