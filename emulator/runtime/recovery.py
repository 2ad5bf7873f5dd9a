"""Folds a journal stream into a universe: fresh engines and the sandbox's own state.

Folding is the only way in which state comes back: after a restart, for a fork, and for one engine
after an error of ours. What cannot be folded is refused whole, never skipped.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Iterable, Mapping
from typing import assert_never

from emulator.core.events import Event
from emulator.core.ids import AccountId
from emulator.runtime.ports import (
    SANDBOX,
    AccountNamed,
    AnySandboxEvent,
    Batch,
    ClockSet,
    ClockSetting,
    EnginePort,
    Journal,
    JournalCorrupt,
    KeyAdded,
    KeyRecord,
    KeyRemoved,
    SandboxCreated,
    SandboxProvisioned,
)

MakeEngines = Callable[[int], Mapping[str, EnginePort]]
"""Makes the engines of a universe from its seed, by name, without any state."""

BATCHES_PER_TURN = 200
"""How many batches are folded before other tasks get a turn."""


class SandboxState:
    """What a sandbox knows besides its engines. Only `apply` changes it."""

    def __init__(self) -> None:
        self.seed = 0
        self.created_clock = ClockSetting()
        self.clock = ClockSetting()
        self.provisioned = False
        self.accounts: dict[str, AccountId] = {}
        self.keys: dict[str, KeyRecord] = {}
        self.last_account: AccountId = 0

    def apply(self, event: AnySandboxEvent) -> None:
        match event:
            case SandboxCreated():
                self.seed = event.seed
                self.created_clock = self.clock = event.clock
            case SandboxProvisioned():
                self.provisioned = True
            case AccountNamed():
                self.accounts[event.name] = event.account
                self.last_account = event.account
            case KeyAdded():
                self.keys[event.record.key] = event.record
            case KeyRemoved():
                del self.keys[event.key]
            case ClockSet():
                self.clock = event.setting
            case _:
                assert_never(event)


def fingerprint(state: SandboxState, engines: Mapping[str, EnginePort]) -> str:
    """A hash of a whole universe; its name does not enter, so a fork has its source's."""
    digest = hashlib.sha256()
    parts: list[object] = [state.seed, state.created_clock, state.clock, state.provisioned]
    parts += sorted(state.accounts.items())
    for key, record in sorted(state.keys.items()):
        fields = [getattr(record, field) for field in record.__struct_fields__ if field != "permissions"]
        # A set has no order of its own, so neither may the hash see one.
        parts.append((key, fields, sorted(record.permissions)))
    parts += [(name, engines[name].fingerprint()) for name in sorted(engines)]
    for part in parts:
        digest.update(repr(part).encode())
        digest.update(b"\n")
    return digest.hexdigest()


class Recovered:
    """A universe as of `last_sequence`."""

    __slots__ = ("engines", "last_sequence", "last_time_us", "state")

    def __init__(self, *, state: SandboxState, engines: Mapping[str, EnginePort]) -> None:
        self.state = state
        self.engines = engines
        self.last_sequence = 0
        self.last_time_us = 0


async def recover(journal: Journal, sandbox: str, make_engines: MakeEngines) -> Recovered:
    """Fold a whole stream. Raises JournalCorrupt for gaps, unknown engines and a missing beginning."""
    state = SandboxState()
    recovered: Recovered | None = None
    last_sequence = 0
    async for batch in journal.read(sandbox):
        _check(batch, sandbox, last_sequence)
        last_sequence = batch.sequence
        if recovered is None:
            state.apply(_beginning(batch))
            recovered = Recovered(state=state, engines=make_engines(state.seed))
        try:
            _fold(recovered, batch)
        except JournalCorrupt:
            raise
        except Exception as error:
            raise JournalCorrupt(f"{sandbox}: entry {batch.sequence} cannot be applied: {error!r}") from error
        if batch.sequence % BATCHES_PER_TURN == 0:
            await asyncio.sleep(0)
    if recovered is None:
        raise JournalCorrupt(f"{sandbox}: the journal has no entries")
    recovered.last_sequence = last_sequence
    return recovered


def _fold(recovered: Recovered, batch: Batch) -> None:
    for record in batch.records:
        recovered.last_time_us = max(recovered.last_time_us, record.time_us)
        if record.engine == SANDBOX:
            for event in record.events:
                if not isinstance(event, AnySandboxEvent):
                    raise JournalCorrupt(f"{batch.sandbox}: entry {batch.sequence} misplaces {event!r}")
                if not isinstance(event, SandboxCreated):
                    recovered.state.apply(event)
            continue
        engine = recovered.engines.get(record.engine)
        if engine is None:
            raise JournalCorrupt(
                f"{batch.sandbox}: entry {batch.sequence} names the engine {record.engine!r}"
            )
        engine.apply(record.events, record.time_us)


async def rebuild_engine(
    journal: Journal, sandbox: str, engine: EnginePort, *, name: str, through_sequence: int
) -> EnginePort:
    """Fold one engine's events up to a sequence, which must be durable, into a fresh engine."""
    last_sequence = 0
    async for batch in journal.read(sandbox):
        if batch.sequence > through_sequence:
            break
        _check(batch, sandbox, last_sequence)
        last_sequence = batch.sequence
        for record in batch.records:
            if record.engine == name:
                engine.apply(record.events, record.time_us)
        if batch.sequence % BATCHES_PER_TURN == 0:
            await asyncio.sleep(0)
    if last_sequence != through_sequence:
        raise JournalCorrupt(f"{sandbox}: the journal ends at {last_sequence}, expected {through_sequence}")
    return engine


def _check(batch: Batch, sandbox: str, last_sequence: int) -> None:
    if batch.sandbox != sandbox or batch.sequence != last_sequence + 1:
        raise JournalCorrupt(
            f"{sandbox}: entry {batch.sequence} of {batch.sandbox} follows entry {last_sequence}"
        )


def _beginning(batch: Batch) -> SandboxCreated:
    events: Iterable[Event] = batch.records[0].events if batch.records else ()
    for event in events:
        if isinstance(event, SandboxCreated):
            return event
    raise JournalCorrupt(f"{batch.sandbox}: the journal does not begin with the sandbox's creation")
