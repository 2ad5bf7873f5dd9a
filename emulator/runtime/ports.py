"""What the runtime asks of its surroundings: errors, journal entries, and the ports themselves.

SandboxError
├── StorageUnavailable      nothing was done; the journal does not accept, or not yet again
│   ├── EngineUnavailable   one engine is being rebuilt after an error of ours
│   └── SandboxClosed       the sandbox was dropped, reset, or lost its journal to another writer
├── OutcomeUnknown          the command may or may not have happened
├── ClockSettingRefused     the clock would go back, or the setting makes no sense
├── AccountExists, NoSuchAccount, KeyExists, NoSuchKey
└── SandboxExists, NoSuchSandbox, SandboxNameInvalid
JournalError
├── JournalConflict         the journal holds another entry under this number, or ends earlier
├── JournalTaken            another process has it, which is named
├── JournalUnavailable      nobody answers, or not in time; what was asked may or may not be done
└── JournalCorrupt          what the journal holds cannot be folded
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from decimal import Decimal
from enum import Enum
from typing import TYPE_CHECKING, Protocol

import msgspec

from emulator.core.commands import Command
from emulator.core.engine import Done, Observer
from emulator.core.events import AnyEvent, Event
from emulator.core.ids import AccountId

if TYPE_CHECKING:
    from emulator.core.audit import Mismatch
    from emulator.core.snapshot import Capture
    from emulator.core.views import Taken


class SandboxError(Exception):
    """The root of what a sandbox refuses or fails to do."""


class StorageUnavailable(SandboxError):
    """Nothing was done, because it could not be made durable."""


class EngineUnavailable(StorageUnavailable):
    pass


class SandboxClosed(StorageUnavailable):
    pass


class OutcomeUnknown(SandboxError):
    """The command may or may not have happened; a later query tells."""


class ClockSettingRefused(SandboxError):
    pass


class AccountExists(SandboxError):
    pass


class NoSuchAccount(SandboxError):
    pass


class KeyExists(SandboxError):
    pass


class NoSuchKey(SandboxError):
    pass


class SandboxExists(SandboxError):
    pass


class NoSuchSandbox(SandboxError):
    pass


class SandboxNameInvalid(SandboxError):
    pass


class JournalError(Exception):
    """The root of what a journal refuses."""


class JournalConflict(JournalError):
    pass


class JournalTaken(JournalError):
    pass


class JournalUnavailable(JournalError):
    pass


class JournalCorrupt(JournalError):
    pass


class ClockMode(str, Enum):
    WALL = "wall"
    VIRTUAL = "virtual"


class ClockSetting(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """Which time it is.

    A virtual clock shows `time_us` when the wall shows `wall_us`, and from there runs at `speed`
    virtual seconds a second; 0 is frozen. In mode WALL these three have no meaning.
    """

    mode: ClockMode = ClockMode.WALL
    time_us: int = 0
    wall_us: int = 0
    speed: Decimal = Decimal(0)


class KeyKind(str, Enum):
    HMAC = "hmac"
    RSA = "rsa"
    ED25519 = "ed25519"


class KeyRecord(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """An API key. secret: the shared secret of an HMAC key, else the public key as PEM.

    created_us: when its sandbox got it, which says so itself.
    """

    key: str
    account: AccountId
    kind: KeyKind = KeyKind.HMAC
    secret: str = ""
    passphrase: str = ""
    permissions: frozenset[str] = frozenset()
    label: str = ""
    created_us: int = 0

    def __repr__(self) -> str:
        """Without what signs: whatever is logged may be pasted somewhere."""
        return f"KeyRecord(account={self.account}, kind={self.kind.value}, label={self.label!r})"


class SandboxEvent(Event, frozen=True, kw_only=True, array_like=True, tag=True):
    """The root of what happens to a sandbox as a whole, outside its engines."""


class SandboxCreated(SandboxEvent, frozen=True, kw_only=True):
    """The first event of every journal stream. clock: what a reset goes back to."""

    seed: int
    clock: ClockSetting


class SandboxProvisioned(SandboxEvent, frozen=True, kw_only=True):
    """The accounts and keys of the start exist. A stream without it was cut off while it began."""


class AccountNamed(SandboxEvent, frozen=True, kw_only=True):
    account: AccountId
    name: str
    trade_group: int


class KeyAdded(SandboxEvent, frozen=True, kw_only=True):
    record: KeyRecord


class KeyRemoved(SandboxEvent, frozen=True, kw_only=True):
    key: str


class ClockSet(SandboxEvent, frozen=True, kw_only=True):
    setting: ClockSetting


AnySandboxEvent = SandboxCreated | SandboxProvisioned | AccountNamed | KeyAdded | KeyRemoved | ClockSet

SANDBOX = ""
"""Stands in a record for the sandbox itself, where engines have their names."""


if TYPE_CHECKING:
    Events = tuple[Event, ...]
else:
    # Writers hold events by their root; the decoder has to be told every member.
    Events = tuple[AnyEvent | AnySandboxEvent, ...]


class Record(msgspec.Struct, frozen=True, kw_only=True, array_like=True, gc=False):
    """What one command, or one moment of the market, made happen in one engine."""

    engine: str
    time_us: int
    events: Events


FORMAT_VERSION = 1
"""Of what is written now; see journal_format for what was written before."""


class Batch(msgspec.Struct, frozen=True, kw_only=True, array_like=True, gc=False):
    """One journal entry: what was decided while the entry before it was being written.

    `sequence` counts entries of a sandbox from 1 without gaps. Times never decrease within a
    sandbox. Neither batches nor records can be part of a cycle, and there may be millions of them in
    memory, so the garbage collector is spared them.
    """

    version: int = FORMAT_VERSION
    sandbox: str
    sequence: int
    records: tuple[Record, ...]


class Journal(Protocol):
    """Keeps the batches of all sandboxes. One stream per sandbox, ordered by sequence.

    Any call may raise JournalUnavailable, JournalTaken, and JournalCorrupt for what cannot be read.
    """

    async def append(self, batch: Batch) -> None:
        """Return once the batch is durable.

        Raises JournalConflict when `batch.sequence` is not the one after the stream's last, which is
        what keeps a second writer out. After any other error the batch may or may not be durable.
        """
        ...

    def read(self, sandbox: str, after_sequence: int = 0) -> AsyncIterator[Batch]:
        """The batches of a stream after a sequence, in order, up to the last at the time of the call."""
        ...

    async def sandboxes(self) -> Sequence[str]:
        """The names of all streams that have an entry, in the order in which they began."""
        ...

    async def copy(self, source: str, target: str, through_sequence: int) -> None:
        """Make a stream that begins as another one up to a sequence, whole or not at all.

        What was under the target's name is forgotten.
        """
        ...

    async def forget(self, sandbox: str) -> None:
        """Remove a stream; the next entry under this name is the first again."""
        ...

    async def close(self) -> None: ...


class Clock(Protocol):
    def now_us(self) -> int:
        """Microseconds since 1970-01-01 UTC. Never less than what an earlier call returned."""
        ...


class EnginePort(Protocol):
    """What the runtime needs of an engine. All synchronous; an exception is always a defect of ours."""

    observers: Sequence[Observer]
    """Told of every event that it decides, not of those that it replays."""

    def execute(self, command: Command, now_us: int) -> Done:
        """Decide and apply a command and what follows from it."""
        ...

    def advance(self, now_us: int) -> Sequence[tuple[int, tuple[Event, ...]]]:
        """Apply what the market made due up to now; each with its own time, in time order."""
        ...

    def has_account(self, account: AccountId) -> bool:
        """Whether it was opened here; not, where the engine is younger than its sandbox."""
        ...

    def next_due_us(self, now_us: int) -> int | None:
        """When something will be due next as far as known; None when nothing is at stake."""
        ...

    def apply(self, events: Sequence[Event], time_us: int) -> None:
        """Replay events that were decided before."""
        ...

    def keep_records(self) -> None:
        """From now on, records of what is over gather until they are taken."""
        ...

    def take(self) -> Taken:
        """The records since the last taking."""
        ...

    def forget(self, through: int, retained: int, at_most: int | None = None) -> int:
        """Drop records up to those of a taking, beyond the newest `retained`; returns how many went."""
        ...

    def capture(self) -> Capture:
        """The whole state as it is now, to be encoded later and elsewhere."""
        ...

    def restore(self, parts: Iterable[bytes]) -> None:
        """Take over what another engine captured, instead of any event. Raises ValueError."""
        ...

    def audit(self) -> Sequence[Mismatch]:
        """Where the folded state does not agree with itself."""
        ...

    def fingerprint(self) -> str:
        """A hash of the whole folded state."""
        ...
