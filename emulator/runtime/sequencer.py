"""The only place that orders commands, and that waits for the journal.

A command is decided and applied at once, in memory, at the sandbox's now. What it made happen joins
the open batch; while one batch is being written, the next one gathers (group commit). A caller gets
its answer when the journal holds its batch.

Invariants:
- Times and sequences only grow. One batch is written at a time, in order, until the journal has it.
- While the journal refuses, nothing further is decided: the pending batches are all that memory is
  ahead of it, and they are written first when it accepts again.
- An engine that raised is taken out at once, because half of a command may be applied in it, and
  comes back folded from the journal.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, deque
from collections.abc import Callable, Coroutine, Mapping
from functools import partial
from time import perf_counter
from typing import Any, TypeVar

import msgspec

from emulator.core.commands import Command
from emulator.core.engine import Done, Observer
from emulator.core.events import Event
from emulator.core.ids import AccountId
from emulator.runtime.chronicle import Chronicle, Taking
from emulator.runtime.concerns import Concern, Concerns
from emulator.runtime.fanout import Fanout
from emulator.runtime.outlet import Outlet
from emulator.runtime.ports import (
    SANDBOX,
    Batch,
    Clock,
    EnginePort,
    EngineUnavailable,
    Journal,
    JournalConflict,
    OutcomeUnknown,
    Record,
    SandboxClosed,
    SandboxError,
    StorageUnavailable,
)
from emulator.runtime.recovery import rebuild_engine
from emulator.runtime.submission import Submission

RECORDS_PER_BATCH_MAX = 4096
"""Bounds one journal entry; a MongoDB document ends at 16 MB."""

LOOKS_PER_ANSWER = 4
"""How often the age of what is being written is looked at while a caller's patience lasts."""

T = TypeVar("T")

Waiter = Callable[[SandboxError | None], None]
"""Told once, when the journal holds what it waits for, or why nobody waits for that any longer."""

_log = logging.getLogger(__name__)


class Patience(msgspec.Struct, frozen=True, kw_only=True):
    """How long to wait for what, in seconds.

    answer: how long a caller waits for the journal before it is told that the outcome is unknown.
    retry, retry_max: the pause after the first failed write, doubled up to the maximum.
    rebuild_pause: the least time between two rebuilds of one engine.
    gather: how long what was decided first waits at most for others to join its entry, where the last
    write took `gather_from` or longer.
    """

    answer: float = 5.0
    retry: float = 0.05
    retry_max: float = 5.0
    rebuild_pause: float = 1.0
    gather: float = 0.01
    gather_from: float = 0.0001


class Engines(dict[str, EnginePort]):
    """The engines of a sandbox by name. Asking for one that is being rebuilt raises EngineUnavailable."""

    def __init__(self, engines: Mapping[str, EnginePort]) -> None:
        super().__init__(engines)
        self.absent: set[str] = set()

    def __missing__(self, name: str) -> EnginePort:
        if name in self.absent:
            raise EngineUnavailable(f"the engine {name!r} is being rebuilt from the journal")
        raise KeyError(name)


class _Pending:
    """A batch that the journal does not hold yet, and who waits for it."""

    __slots__ = ("looks", "records", "sequence", "waiters")

    def __init__(self, sequence: int) -> None:
        self.sequence = sequence
        self.looks = 0
        self.records: list[Record] = []
        self.waiters: list[Waiter] = []


class Sequencer:
    """Orders the commands of one sandbox. `fresh_engine(name)` makes an engine without state."""

    def __init__(
        self,
        *,
        sandbox: str,
        engines: Mapping[str, EnginePort],
        clock: Clock,
        journal: Journal,
        fanout: Fanout,
        fresh_engine: Callable[[str], EnginePort],
        concerns: Concerns,
        last_sequence: int = 0,
        patience: Patience | None = None,
    ) -> None:
        self.sandbox = sandbox
        self.engines = Engines(engines)
        self._clock = clock
        self._journal = journal
        self._fanout = fanout
        self._fresh_engine = fresh_engine
        self._concerns = concerns
        self._patience = patience or Patience()
        self._durable = last_sequence
        self._closed_batches: deque[_Pending] = deque()
        self._open = _Pending(last_sequence + 1)
        self._loop = asyncio.get_running_loop()
        self._flush_task: asyncio.Task[None] | None = None
        self._write_s = 0.0
        """How long the last write took."""
        self._watch: asyncio.TimerHandle | None = None
        self._degraded = False
        self._refused = ""
        """What the journal said last when it refused."""
        self._ended: str | None = None
        self._distrusted: str | None = None
        self._halted = False
        """Degraded, distrusted or ended: one look on the way of every command instead of three."""
        self.outlet = Outlet(last_sequence)
        self.chronicle: Chronicle | None = None
        """Where what becomes history goes, if an archive keeps it."""
        self._taken = last_sequence
        """Until where it has what the engines recorded."""
        self._observers: dict[str, list[Observer]] = {name: [] for name in engines}
        for name, engine in engines.items():
            engine.observers = self._observers[name]
        self._rebuilds: dict[str, asyncio.Task[None]] = {}
        self._rebuilt_at: dict[str, float] = {}
        self._waiting_for_engines: set[asyncio.Task[None]] = set()

    @property
    def sequence(self) -> int:
        """The last sequence that was decided; what a reader sees now is of it or older."""
        return self._open.sequence if self._open.records else self._open.sequence - 1

    @property
    def durable_sequence(self) -> int:
        return self._durable

    @property
    def is_degraded(self) -> bool:
        """Whether nothing is decided: the journal refuses, keeps silent, or was lost for good, or what was
        recovered is distrusted."""
        return self._halted

    @property
    def degraded_because(self) -> str | None:
        """Why nothing is decided, for people; None while it is well."""
        return (self._ended or self._distrusted or self._refused) if self._halted else None

    @property
    def is_distrusted(self) -> bool:
        return self._distrusted is not None

    def distrust(self, reason: str) -> None:
        """Decide nothing, as long as it lives: the state is not what it should be. Reads are answered."""
        self._distrusted = reason
        self._halted = True

    def observe(self, engine_name: str, observer: Observer) -> Callable[[], None]:
        """Have an engine watched, also after it was rebuilt; returns what ends it."""
        observers = self._observers[engine_name]
        observers.append(observer)
        return lambda: observers.remove(observer)

    # The way of a command

    def decide(self, engine_name: str, command: Command, answer: Callable[[Done], T]) -> Submission[T]:
        """Advance to now, execute and answer; the submission is over once the journal holds what happened.

        `answer` runs right after the execution, so that it reads the state the command left; what it
        raises is the submission's failure, to be told once what it may have seen is durable.
        Raises StorageUnavailable when the command was not tried. The submission fails with that, too,
        and with OutcomeUnknown when the command may or may not survive. Raises KeyError for an engine
        that does not exist.
        """
        if self._halted:
            self._refuse()
        now_us = self._clock.now_us()
        self._advance(now_us)
        submission: Submission[T] = Submission()
        engine = self.engines.get(engine_name)
        if engine is not None:
            self._decide(submission, engine_name, engine, command, answer, now_us)
        elif engine_name in self._rebuilds:
            self._later(self._decide_once_returned(submission, engine_name, command, answer))
        else:
            raise KeyError(engine_name)
        return submission

    def _decide(
        self,
        submission: Submission[T],
        engine_name: str,
        engine: EnginePort,
        command: Command,
        answer: Callable[[Done], T],
        now_us: int,
    ) -> None:
        try:
            done = engine.execute(command, now_us)
        except Exception as error:
            rebuild = self._take_out(engine_name, type(command).__name__, error)
            unknown = OutcomeUnknown(f"an internal error in the engine {engine_name!r}")
            unknown.__cause__ = error
            self._later(self._end_once_rebuilt(submission, rebuild, unknown))
            return
        try:
            submission.answered = answer(done)
        except Exception as error:
            submission.failure = error
        if done.events:
            pending = self._open
            pending.records.append(Record(engine=engine_name, time_us=now_us, events=done.events))
            pending.waiters.append(submission.end)
            if self._flush_task is None or len(pending.records) >= RECORDS_PER_BATCH_MAX:
                self._start_flush()
            if self.outlet.noted:
                self.outlet.decided(pending.sequence)
        elif self._flush_task is None:
            submission.end(None)
        else:
            # A refusal tells what the state was, so it waits for that state like any reader.
            self.when_durable(self.sequence, submission.end, engine=engine_name)

    async def _decide_once_returned(
        self, submission: Submission[T], engine_name: str, command: Command, answer: Callable[[Done], T]
    ) -> None:
        try:
            engine = await self._returned(engine_name)
        except SandboxError as error:
            submission.end(error)
        else:
            self._decide(submission, engine_name, engine, command, answer, self._clock.now_us())

    async def _end_once_rebuilt(
        self, submission: Submission[T], rebuild: asyncio.Task[None], unknown: OutcomeUnknown
    ) -> None:
        await asyncio.wait((rebuild,), timeout=self._patience.answer)
        submission.end(unknown)

    def _later(self, rest: Coroutine[Any, Any, None]) -> None:
        """What has to wait for an engine's rebuild goes on by itself."""
        task = self._loop.create_task(rest)
        self._waiting_for_engines.add(task)
        task.add_done_callback(self._waiting_for_engines.discard)

    def advance(self) -> int:
        """Let happen in all engines what is due by now; returns the sequence that a reader sees then.

        Does nothing while nothing is decided: state then stays what it was.
        """
        if not self._halted:
            self._advance(self._clock.now_us())
        return self.sequence

    def record(self, time_us: int, event: Event) -> None:
        """Journal what happened to the sandbox itself, at its now. Raises StorageUnavailable."""
        if self._halted:
            self._refuse()
        self._append(Record(engine=SANDBOX, time_us=time_us, events=(event,)))

    def execute(self, engine_name: str, command: Command, now_us: int) -> Done:
        """The first half of `decide`, for steps that belong together; `written` is the other."""
        if self._halted:
            self._refuse()
        engine = self.engines[engine_name]
        try:
            done = engine.execute(command, now_us)
        except Exception as error:
            self._take_out(engine_name, type(command).__name__, error)
            raise OutcomeUnknown(f"an internal error in the engine {engine_name!r}") from error
        if done.events:
            self._append(Record(engine=engine_name, time_us=now_us, events=done.events))
            self.outlet.decided(self.sequence)
        return done

    def cut(self) -> int:
        """Let nothing further join what was decided until now; returns the sequence that this is of."""
        if self._open.records:
            self._close_open()
            self._start_flush()
        return self.sequence

    def take(self) -> Taking | None:
        """All that the engines recorded since the last time.

        None while one of them is being rebuilt, whose records have to come from the journal first, and
        while it cannot be told whether what they recorded will be in the journal.
        """
        if self.engines.absent or (self._halted and self._durable < self.sequence):
            return None
        self._taken = self.cut()
        return Taking(self._taken, {name: engine.take() for name, engine in self.engines.items()})

    async def written(self) -> None:
        """Wait until all that was decided is durable. Raises OutcomeUnknown when that takes too long."""
        if self._open.records:
            await self._wait(self._open)
        elif self._closed_batches:
            await self._wait(self._closed_batches[-1])

    async def durable(
        self,
        sequence: int,
        *,
        engine: str | None = None,
        account: AccountId | None = None,
        instrument: str | None = None,
    ) -> None:
        """Wait until the journal holds a sequence; returns at once when it does. See `when_durable`."""
        if sequence <= self._durable:
            return
        waiter = self._loop.create_future()
        tell = partial(_wake, waiter)
        self.when_durable(sequence, tell, engine=engine, account=account, instrument=instrument)
        await waiter

    def when_durable(
        self,
        sequence: int,
        tell: Waiter,
        *,
        engine: str | None = None,
        account: AccountId | None = None,
        instrument: str | None = None,
    ) -> None:
        """Call back once the journal holds a sequence; at once when it does.

        Who read only what belongs to an engine, or there to an account or to an instrument's market,
        says so, and is not held up by a failing journal if nothing pending concerns that. Everybody
        else is then told of a StorageUnavailable.
        """
        if sequence <= self._durable:
            tell(None)
            return
        assert sequence <= self.sequence, "nobody can have read what was not decided"

        def judge(error: SandboxError | None) -> None:
            if error is not None:
                concerned = self._ended is not None or self._is_concerned(engine, account, instrument)
                error = None
                if concerned and sequence > self._durable:
                    error = StorageUnavailable(f"{self.sandbox}: what was read is not durable yet")
            tell(error)

        if self._degraded or self._ended is not None:
            judge(OutcomeUnknown("the journal does not accept entries"))
            return
        pending = next((p for p in self._closed_batches if p.sequence == sequence), self._open)
        pending.waiters.append(judge)

    async def ready(self) -> None:
        """Wait until every engine is there. Raises StorageUnavailable when nothing can be decided."""
        if self._halted:
            self._refuse()
        for name in tuple(self._rebuilds):
            await self._returned(name)

    async def conclude(self, reason: str, *, within_s: float) -> None:
        """Let nobody wait much longer: who waits for a journal that refuses hears OutcomeUnknown now."""
        if not self._degraded and self._flush_task is not None:
            await asyncio.wait((self._flush_task,), timeout=within_s)
        for pending in (*self._closed_batches, self._open):
            _give_up(pending, reason)

    async def close(self, reason: str) -> None:
        """Refuse everything from now on; what was decided is still written, as long as patience lasts."""
        self._ended = self._ended or reason
        self._halted = True
        if self._flush_task is not None:
            await asyncio.wait((self._flush_task,), timeout=self._patience.answer)
        tasks = [task for task in (self._flush_task, *self._rebuilds.values()) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None
        unwritten = [p for p in (*self._closed_batches, self._open) if p.records]
        if unwritten:
            _log.error("%s: %s", self.sandbox, _describe_unwritten(unwritten, self._durable))
        for pending in (*self._closed_batches, self._open):
            _give_up(pending, reason)
        self.outlet.end()

    def _refuse(self) -> None:
        if self._ended is not None:
            raise SandboxClosed(f"{self.sandbox}: {self._ended}")
        if self._distrusted is not None:
            raise StorageUnavailable(f"{self.sandbox}: {self._distrusted}")
        raise StorageUnavailable(f"{self.sandbox}: the journal does not accept entries")

    # What the market makes due

    def _advance(self, now_us: int) -> None:
        records: list[Record] | None = None
        failed: dict[str, Exception] | None = None
        engines_moved = 0
        outlet = self.outlet
        for name, engine in self.engines.items():
            noted = len(outlet.noted)
            try:
                moments = engine.advance(now_us)
            except Exception as error:
                outlet.void(noted)
                failed = {**(failed or {}), name: error}
                continue
            if moments:
                engines_moved += 1
                records = records or []
                records += [Record(engine=name, time_us=t, events=events) for t, events in moments]
        if records is not None:
            if engines_moved > 1:
                records.sort(key=_record_time)
            for record in records:
                self._append(record)
            if self.outlet.noted:
                self.outlet.decided(self.sequence)
        if failed is not None:
            for name, raised in failed.items():
                self._take_out(name, "advance", raised)

    def _append(self, record: Record) -> None:
        records = self._open.records
        records.append(record)
        if self._flush_task is None or len(records) >= RECORDS_PER_BATCH_MAX:
            self._start_flush()

    # Writing

    def _start_flush(self) -> None:
        if len(self._open.records) >= RECORDS_PER_BATCH_MAX:
            self._close_open()
        if self._flush_task is None:
            self._open.looks = 0
            self._flush_task = self._loop.create_task(self._flush())
            if self._watch is None:
                self._watch_again()

    def _close_open(self) -> None:
        self._closed_batches.append(self._open)
        self._open = _Pending(self._open.sequence + 1)

    async def _flush(self) -> None:
        """Write batch after batch until there is none; lives only as long as there is work."""
        closed = self._closed_batches
        try:
            while True:
                if not closed:
                    if not self._open.records:
                        break
                    await self._gather()
                    if not closed:
                        self._close_open()
                pending = closed[0]
                batch = Batch(sandbox=self.sandbox, sequence=pending.sequence, records=tuple(pending.records))
                began = perf_counter()
                try:
                    await self._journal.append(batch)
                    self._write_s = perf_counter() - began
                except Exception as error:
                    if not await self._write_again(batch, error):
                        break
                if self._degraded:
                    self._recover(batch.sequence)
                self._durable = batch.sequence
                closed.popleft()
                self._fanout.publish(batch)
                self.outlet.durable(batch.sequence)
                _tell(pending)
        except Exception:
            _log.exception("%s: the sequencer itself failed", self.sandbox)
            self._lose("an internal error in the sequencer")
        finally:
            self._flush_task = None

    async def _gather(self) -> None:
        """Let join what is decided until a turn of the loop brings nothing more.

        Each write costs the same however much is in it, and one that is under way while commands are
        decided costs more: its thread waits for the interpreter again and again, and each time somebody
        has to wake it in vain.
        """
        if self._write_s < self._patience.gather_from:
            return
        until, count = perf_counter() + self._patience.gather, 0
        while count < len(self._open.records) and not self._closed_batches and perf_counter() < until:
            count = len(self._open.records)
            await asyncio.sleep(0)

    async def _write_again(self, batch: Batch, error: Exception) -> bool:
        """Try until the journal holds the batch. False: it holds another one in its place, for good."""
        pause = self._patience.retry
        while True:
            if isinstance(error, JournalConflict):
                held = await self._held(batch.sequence)
                if held == batch:
                    return True  # An earlier try succeeded though it reported an error.
                if held is not None:
                    self._lose(f"another process writes this journal: {error}")
                    return False
            self._degrade(f"entry {batch.sequence}: {type(error).__name__}: {error}")
            await asyncio.sleep(pause)
            pause = min(2 * pause, self._patience.retry_max)
            try:
                await self._journal.append(batch)
                return True
            except Exception as another:
                error = another

    async def _held(self, sequence: int) -> Batch | None:
        """What the journal holds under a sequence; None too when it cannot be read now."""
        try:
            async for batch in self._journal.read(self.sandbox, sequence - 1):
                return batch
        except Exception:
            _log.exception("%s: the journal cannot be read", self.sandbox)
        return None

    def _degrade(self, why: str) -> None:
        if not self._degraded:
            _log.error("%s: the journal refuses, trading stops: %s", self.sandbox, why)
        self._refused = why
        self._degraded = True
        self._halted = True

    def _recover(self, sequence: int) -> None:
        _log.warning("%s: the journal accepts again, at entry %d", self.sandbox, sequence)
        self._degraded = False
        self._halted = self._ended is not None or self.is_distrusted

    def _lose(self, reason: str) -> None:
        """End for good: memory is ahead of a journal that will never hold what was decided."""
        _log.critical("%s: %s", self.sandbox, reason)
        self._ended = reason
        self._halted = True
        for pending in (*self._closed_batches, self._open):
            _give_up(pending, reason)
        # Who listens must not wait for what will never be told.
        self.outlet.end()
        self._fanout.end()

    # Waiting

    async def _wait(self, pending: _Pending) -> None:
        waiter = self._loop.create_future()
        pending.waiters.append(partial(_wake, waiter))
        await waiter

    def _watch_again(self) -> None:
        interval = self._patience.answer / LOOKS_PER_ANSWER
        self._watch = self._loop.call_later(interval, self._look_for_overdue)

    def _look_for_overdue(self) -> None:
        """One timer for all batches, which re-arms itself as long as something is being written.

        Age is counted in looks, not in seconds: while the loop is kept busy by others the journal
        cannot answer either, and that is not its fault.
        """
        self._watch = None
        if self._flush_task is None:
            return
        for pending in (*self._closed_batches, self._open):
            pending.looks += 1
            if pending.looks > LOOKS_PER_ANSWER:
                if pending.records and not self._degraded:
                    self._degrade(f"entry {pending.sequence}: no answer for {self._patience.answer:g} s")
                _give_up(pending, "the journal did not accept in time")
        self._watch_again()

    def _is_concerned(self, engine: str | None, account: AccountId | None, instrument: str | None) -> bool:
        """Whether a pending event touches what was read."""
        if engine is None:
            return True
        named: set[Concern] = {name for name in (account, instrument) if name is not None}
        for pending in (*self._closed_batches, self._open):
            for record in pending.records:
                if record.engine != engine:
                    continue
                if not named or engine not in self.engines:
                    return True
                for event in record.events:
                    concerned = self._concerns(self.engines[engine], event)
                    if concerned is None or not named.isdisjoint(concerned):
                        return True
        return False

    # Rebuilding

    def _take_out(self, name: str, occasion: str, error: Exception) -> asyncio.Task[None]:
        """Remove an engine that raised, and start to rebuild it."""
        _log.error("%s: %s raised at %s; rebuilding it", self.sandbox, name, occasion, exc_info=error)
        del self.engines[name]
        self.outlet.void()
        self.engines.absent.add(name)
        rebuild = self._loop.create_task(self._rebuild(name, self.sequence))
        self._rebuilds[name] = rebuild
        return rebuild

    async def _rebuild(self, name: str, through_sequence: int) -> None:
        """Fold the engine anew. It decided nothing since, so its events end at the sequence given."""
        # An error that comes back at once would otherwise fold the journal in a tight circle.
        pause = self._rebuilt_at.get(name, -self._patience.rebuild_pause) + self._patience.rebuild_pause
        await asyncio.sleep(max(0.0, pause - self._loop.time()))
        while True:
            try:
                while self._durable < through_sequence:
                    await self.durable(through_sequence)
                engine = await rebuild_engine(
                    self._journal,
                    self.sandbox,
                    lambda: self._fresh_engine(name),
                    name=name,
                    through_sequence=through_sequence,
                    archive=None if self.chronicle is None else self.chronicle.archive,
                    taken_sequence=self._taken,
                )
                break
            except Exception:
                _log.exception("%s: %s cannot be rebuilt yet", self.sandbox, name)
                if self._ended is not None:
                    return
                await asyncio.sleep(self._patience.rebuild_pause)
        self.engines.absent.discard(name)
        engine.observers = self._observers[name]
        if self.chronicle is not None:
            self.chronicle.rebuilt(name)
        self.engines[name] = engine
        self._rebuilt_at[name] = self._loop.time()
        del self._rebuilds[name]

    async def _returned(self, name: str) -> EnginePort:
        """The engine, once it is rebuilt. Raises KeyError for one that never existed."""
        rebuild = self._rebuilds.get(name)
        if rebuild is None:
            return self.engines[name]
        await asyncio.wait((rebuild,), timeout=self._patience.answer)
        if self._halted:
            self._refuse()
        self._advance(self._clock.now_us())
        return self.engines[name]


def _describe_unwritten(unwritten: list[_Pending], durable: int) -> str:
    events = Counter(type(event).__name__ for p in unwritten for r in p.records for event in r.events)
    listed = ", ".join(f"{count} {name}" for name, count in events.items())
    return (
        f"ends, and the journal did not acknowledge entries {unwritten[0].sequence} to"
        f" {unwritten[-1].sequence} ({listed}): who waits for them hears that the outcome is unknown; all"
        f" that was answered is in the journal, up to entry {durable}"
    )


def _record_time(record: Record) -> int:
    return record.time_us


def _give_up(pending: _Pending, reason: str) -> None:
    _tell(pending, reason)


def _tell(pending: _Pending, unknown: str | None = None) -> None:
    """Tell who waits for a batch that the journal holds it, or why nobody knows whether it will."""
    waiters, pending.waiters = pending.waiters, []
    for waiter in waiters:
        try:
            waiter(None if unknown is None else OutcomeUnknown(unknown))
        except Exception:
            _log.exception("who waited for entry %d raised", pending.sequence)


def _wake(waiter: asyncio.Future[None], error: SandboxError | None) -> None:
    if waiter.done():
        return  # Whoever waited was cancelled meanwhile.
    if error is None:
        waiter.set_result(None)
    else:
        waiter.set_exception(error)
