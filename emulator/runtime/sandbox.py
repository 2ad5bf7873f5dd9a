"""One isolated universe: its clock, engines, accounts and keys behind one sequencer.

Everything that changes a sandbox goes through the sequencer into one journal stream, so a sandbox is
the fold of its stream. Engines are looked up in `engines` at each use: one that failed is replaced.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Protocol, TypeVar, cast, overload

import msgspec

from emulator.core.commands import Command, OpenAccount
from emulator.core.engine import Done, Engine, Observer
from emulator.core.ids import AccountId
from emulator.runtime import snapshots
from emulator.runtime.alarms import Alarms
from emulator.runtime.archive import Archive
from emulator.runtime.chronicle import Chronicle, Keeping
from emulator.runtime.clock import SandboxClock
from emulator.runtime.concerns import Concerns
from emulator.runtime.fanout import Fanout
from emulator.runtime.history import History
from emulator.runtime.outlet import Outlet
from emulator.runtime.ports import (
    AccountExists,
    AccountNamed,
    AnySandboxEvent,
    Batch,
    ClockMode,
    ClockSet,
    ClockSetting,
    EngineUnavailable,
    Journal,
    KeyAdded,
    KeyExists,
    KeyRecord,
    KeyRemoved,
    NoSuchAccount,
    NoSuchKey,
    OutcomeUnknown,
    SandboxError,
    SandboxProvisioned,
)
from emulator.runtime.recovery import MakeEngines, Recovered, fingerprint
from emulator.runtime.schedule import Schedule
from emulator.runtime.sequencer import Patience, Sequencer, Waiter
from emulator.runtime.submission import Submission

CATCH_UP_S = 5.0
"""How long the end of a sandbox waits for its archive; what is missing then, the next start makes up for."""

_log = logging.getLogger(__name__)

T = TypeVar("T")


def _as_it_is(done: Done) -> Done:
    return done


class Decide(Protocol):
    def __call__(self, engine_name: str, command: Command, answer: Callable[[Done], T]) -> Submission[T]: ...


class Sandbox:
    """A recovered universe that goes on. Made by `Sandboxes`, inside a running event loop."""

    def __init__(
        self,
        name: str,
        *,
        recovered: Recovered,
        journal: Journal,
        make_engines: MakeEngines,
        wall_ns: Callable[[], int],
        concerns: Concerns,
        patience: Patience | None = None,
        archive: Archive | None = None,
        keeping: Keeping | None = None,
    ) -> None:
        self.name = name
        self.seed = recovered.state.seed
        self.clock = SandboxClock(wall_ns, setting=recovered.state.clock)
        self.clock.not_before(recovered.last_time_us)
        self.fanout = Fanout()
        self._state = recovered.state
        seed = self.seed
        self._sequencer = Sequencer(
            sandbox=name,
            engines=recovered.engines,
            clock=self.clock,
            journal=journal,
            fanout=self.fanout,
            fresh_engine=lambda engine: make_engines(seed)[engine],
            concerns=concerns,
            last_sequence=recovered.last_sequence,
            patience=patience,
        )
        self.decide: Decide = self._sequencer.decide
        """As `submit`, without waiting: who submits is called back."""
        # Ordering needs no more of an engine than its port; readers need all of it.
        self.engines = cast(Mapping[str, Engine], self._sequencer.engines)
        self.history = History(name, self.engines, archive)
        self.chronicle: Chronicle | None = None
        if archive is not None:
            assert recovered.mark is not None, "an archive is brought up to the journal before it is used"
            self.chronicle = self._sequencer.chronicle = Chronicle(
                sandbox=name,
                archive=archive,
                engines=self._sequencer.engines,
                take=self._sequencer.take,
                mark=recovered.mark,
                last=recovered.last,
                keys=recovered.state.keys,
                keeping=keeping or Keeping(),
                events=recovered.events,
            )
            self.fanout.subscribe(self.chronicle.on_batch)
            self.fanout.subscribe(self._snapshot_when_due)
        self._snapshot_task: asyncio.Task[None] | None = None
        self._one_snapshot = asyncio.Lock()
        self._snapshot_failed_at = 0
        """Events until the last try, if that failed: each one costs a copy of everything."""
        self.accounts: Mapping[str, AccountId] = MappingProxyType(self._state.accounts)
        self.keys: Mapping[str, KeyRecord] = MappingProxyType(self._state.keys)
        self.schedule = Schedule(
            advance=self._sequencer.advance,
            now_us=self.clock.now_us,
            next_due_us=self.next_due_us,
            speed=lambda: self.clock.speed,
        )
        self.alarms = Alarms(now_us=self.clock.now_us, speed=lambda: self.clock.speed)
        self.fanout.subscribe(self.schedule.on_batch)
        self.schedule.wake()
        if self.chronicle is not None:
            self._snapshot_when_due()

    # Commands and reads

    @overload
    async def submit(self, engine_name: str, command: Command) -> Done: ...

    @overload
    async def submit(self, engine_name: str, command: Command, answer: Callable[[Done], T]) -> T: ...

    async def submit(
        self, engine_name: str, command: Command, answer: Callable[[Done], Any] = _as_it_is
    ) -> Any:
        """Advance to now, execute, and return the answer once the journal holds what happened.

        `answer` runs right after the execution and reads the state that the command left; without
        one, the answer is what the command came to. See `Sequencer.decide`.
        """
        return await self._sequencer.decide(engine_name, command, answer)

    def advance(self) -> int:
        """Let happen what is due by now; returns the sequence that a reader then sees."""
        return self._sequencer.advance()

    def durable(
        self,
        sequence: int,
        *,
        engine: str | None = None,
        account: AccountId | None = None,
        instrument: str | None = None,
    ) -> Coroutine[Any, Any, None]:
        """Wait until the journal holds a sequence; see `Writer.when_durable` for what was read."""
        return self._sequencer.durable(sequence, engine=engine, account=account, instrument=instrument)

    def when_durable(
        self,
        sequence: int,
        tell: Waiter,
        *,
        engine: str | None,
        account: AccountId | None,
        instrument: str | None,
    ) -> None:
        """The same without waiting: who reads is called back."""
        self._sequencer.when_durable(sequence, tell, engine=engine, account=account, instrument=instrument)

    @property
    def outlet(self) -> Outlet:
        """Where everything goes that is told of this sandbox without being asked for."""
        return self._sequencer.outlet

    def observe(self, engine_name: str, observer: Observer) -> Callable[[], None]:
        """Watch an engine from inside (see `Observer`), also after a rebuild; returns what ends it."""
        return self._sequencer.observe(engine_name, observer)

    @property
    def sequence(self) -> int:
        return self._sequencer.sequence

    @property
    def durable_sequence(self) -> int:
        return self._sequencer.durable_sequence

    @property
    def is_degraded(self) -> bool:
        return self._sequencer.is_degraded

    @property
    def degraded_because(self) -> str | None:
        """What the journal said, or why the state is distrusted; None while all is well."""
        return self._sequencer.degraded_because

    def distrust(self, reason: str) -> None:
        """Answer reads and decide nothing; see `Sequencer.distrust`."""
        self._sequencer.distrust(reason)

    @property
    def created_clock(self) -> ClockSetting:
        """The clock it began with, which a reset goes back to."""
        return self._state.created_clock

    @property
    def is_provisioned(self) -> bool:
        return self._state.provisioned

    def next_due_us(self, now_us: int) -> int | None:
        """When something will be due next in any engine, as far as known."""
        due = [engine.next_due_us(now_us) for engine in self._sequencer.engines.values()]
        return min((time_us for time_us in due if time_us is not None), default=None)

    def fingerprint(self) -> str:
        """A hash of the whole state; equal for a fork, and after a restart."""
        return fingerprint(self._state, self._sequencer.engines)

    # Snapshots

    async def snapshot(self) -> int | None:
        """Keep a snapshot of what was decided until now, after any that is being kept; returns its sequence.

        None where there is no archive to keep it, an engine is being rebuilt, or the state is distrusted.
        Raises StorageUnavailable when what it would hold does not become durable.
        """
        async with self._one_snapshot:
            return await self._snapshot()

    async def _snapshot(self) -> int | None:
        chronicle, sequencer = self.chronicle, self._sequencer
        if chronicle is None or chronicle.is_lost or sequencer.engines.absent or sequencer.is_distrusted:
            return None
        sequence = sequencer.cut()
        chronicle.want_mark(sequence)
        # All of it in one go: a moment later the engines are further on.
        state = self._state.captured(self.clock.now_us())
        captures = {name: engine.capture() for name, engine in sequencer.engines.items()}
        events, chronicle.events = chronicle.events, 0
        try:
            await sequencer.durable(sequence)
            mark = await chronicle.wanted_mark(sequence)
            parts = snapshots.encode(state, captures)
            await chronicle.archive.save(self.name, mark, snapshots.FORMAT, parts)
        except BaseException:
            chronicle.events += events
            chronicle.unwant_mark(sequence)
            raise
        return sequence

    def _snapshot_when_due(self, batch: Batch | None = None) -> None:
        """A subscriber of the fan-out. At the start, for what was folded before it, there is no batch."""
        chronicle = self.chronicle
        assert chronicle is not None
        due = chronicle.keeping.snapshot_every + self._snapshot_failed_at
        if chronicle.events >= due and self._snapshot_task is None:
            self._snapshot_task = asyncio.get_running_loop().create_task(self._snapshot_aside())

    async def _snapshot_aside(self) -> None:
        chronicle = self.chronicle
        assert chronicle is not None
        failed_at = chronicle.events
        try:
            await self.snapshot()
            failed_at = 0
        except SandboxError as error:
            _log.warning("%s: no snapshot this time: %s", self.name, error)
        except Exception:
            _log.exception("%s: a snapshot failed", self.name)
        finally:
            self._snapshot_failed_at = failed_at
            self._snapshot_task = None

    # Accounts and keys

    async def open_account(self, name: str, trade_group: int = 0) -> AccountId:
        """Open an account in every engine under one id. Raises AccountExists."""
        sequencer = self._sequencer
        await sequencer.ready()
        if name in self._state.accounts:
            raise AccountExists(f"{self.name}: the account {name!r} exists")
        sequencer.advance()
        if sequencer.engines.absent:
            raise EngineUnavailable(f"{self.name}: an account is opened in all engines or in none")
        now_us = self.clock.now_us()
        account = self._state.last_account + 1
        self._record(now_us, AccountNamed(account=account, name=name, trade_group=trade_group))
        command = OpenAccount(account=account, name=name, trade_group=trade_group)
        failure: OutcomeUnknown | None = None
        for engine_name in tuple(sequencer.engines):
            try:
                rejection = sequencer.execute(engine_name, command, now_us).rejection
            except OutcomeUnknown as unknown:
                failure = unknown  # The others shall agree on the account all the same.
                continue
            assert rejection is None, f"{engine_name} refused a new account: {rejection}"
        await sequencer.written()
        if failure is not None:
            raise failure
        return account

    async def open_accounts_everywhere(self) -> list[str]:
        """Open in every engine the accounts that it lacks; returns the engines that had none of them, which
        are younger than this universe. They are told under which names and ids, but not in which groups: who
        trades together was said to the others only."""
        sequencer = self._sequencer
        young: list[str] = []
        for engine_name, engine in tuple(sequencer.engines.items()):
            missing = [
                (account, name) for name, account in self.accounts.items() if not engine.has_account(account)
            ]
            if missing and len(missing) == len(self.accounts):
                young.append(engine_name)
            for account, name in missing:
                command = OpenAccount(account=account, name=name)
                done = sequencer.execute(engine_name, command, self.clock.now_us())
                assert done.rejection is None, done.rejection
        if young:
            await sequencer.written()
        return young

    async def add_key(self, record: KeyRecord) -> None:
        """Raises KeyExists and NoSuchAccount."""
        if record.key in self._state.keys:
            raise KeyExists(f"{self.name}: the key exists")
        if record.account not in self._state.accounts.values():
            raise NoSuchAccount(f"{self.name}: there is no account {record.account}")
        record = msgspec.structs.replace(record, created_us=self.clock.now_us())
        await self._record_now(KeyAdded(record=record))

    async def remove_key(self, key: str) -> None:
        """Raises NoSuchKey."""
        if key not in self._state.keys:
            raise NoSuchKey(f"{self.name}: there is no such key")
        await self._record_now(KeyRemoved(key=key))

    async def note_provisioned(self) -> None:
        """The start is complete: from here on the stream is a sandbox to come back to."""
        await self._record_now(SandboxProvisioned())

    # Time

    async def set_clock(
        self, mode: ClockMode, time_us: int | None = None, speed: Decimal = Decimal(0)
    ) -> None:
        """Show `time_us` (None: go on from now) from now on, and let happen what that makes due.

        Raises ClockSettingRefused for a time before now.
        """
        await self._sequencer.ready()
        self._sequencer.advance()
        now_us = self.clock.now_us()
        setting = self.clock.plan(mode, time_us=time_us, speed=speed)
        self._record(now_us, ClockSet(setting=setting))
        self.clock.apply(setting)
        self._sequencer.advance()
        self.alarms.look()
        await self._sequencer.written()

    async def step_clock(self, by_us: int) -> None:
        """Move a virtual clock on; it keeps its speed. Makes a wall clock virtual and frozen."""
        speed = self.clock.speed if self.clock.mode is ClockMode.VIRTUAL else Decimal(0)
        await self.set_clock(ClockMode.VIRTUAL, self.clock.now_us() + by_us, speed)

    async def conclude(self, reason: str, *, within_s: float) -> None:
        """Let nobody wait much longer for the journal; see `Writer.conclude`."""
        await self._sequencer.conclude(reason, within_s=within_s)

    async def close(self, reason: str, *, is_kept: bool = False) -> None:
        """Refuse everything from now on, write what was decided, and tell the subscribers.

        is_kept: whether this universe will be opened again, so that a snapshot is worth its while.
        """
        self.schedule.stop()
        self.alarms.stop()
        self.history.end(reason)
        if self._snapshot_task is not None:
            self._snapshot_task.cancel()
            await asyncio.gather(self._snapshot_task, return_exceptions=True)
        await self._sequencer.close(reason)
        if self.chronicle is not None:
            is_durable = self._sequencer.durable_sequence == self._sequencer.sequence
            if is_kept and is_durable and not self.chronicle.is_lost:
                loop = asyncio.get_running_loop()
                deadline = loop.time() + CATCH_UP_S
                await self._snapshot_at_end(self.chronicle)
                await self.chronicle.catch_up(within_s=deadline - loop.time())
            await self.chronicle.close()
        self.fanout.end()

    async def _snapshot_at_end(self, chronicle: Chronicle) -> None:
        if not chronicle.events:
            return
        try:
            async with asyncio.timeout(CATCH_UP_S):
                await self.snapshot()
        except (TimeoutError, SandboxError) as error:
            _log.warning("%s: no snapshot at the end: %r", self.name, error)

    async def _record_now(self, event: AnySandboxEvent) -> None:
        self._sequencer.advance()
        self._record(self.clock.now_us(), event)
        await self._sequencer.written()

    def _record(self, time_us: int, event: AnySandboxEvent) -> None:
        self._sequencer.record(time_us, event)
        self._state.apply(event)
