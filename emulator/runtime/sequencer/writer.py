"""Writes what was decided, batch by batch, and tells who waits for it.

Invariants: one batch is written at a time, in order, until the journal has it; while one is being
written, the next one gathers.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from functools import partial
from time import perf_counter

from emulator.core.ids import AccountId
from emulator.runtime.concerns import Concern, Concerns
from emulator.runtime.fanout import Fanout
from emulator.runtime.outlet import Outlet
from emulator.runtime.ports import (
    Batch,
    Journal,
    JournalConflict,
    OutcomeUnknown,
    Record,
    SandboxError,
    StorageUnavailable,
)
from emulator.runtime.sequencer.engines import Engines
from emulator.runtime.sequencer.pending import Pending, Waiter, describe_unwritten, wake
from emulator.runtime.sequencer.standing import Patience, Standing

RECORDS_PER_BATCH_MAX = 4096
"""Bounds one journal entry; a MongoDB document ends at 16 MB."""

LOOKS_PER_ANSWER = 4
"""How often the age of what is being written is looked at while a caller's patience lasts."""

_log = logging.getLogger(__name__)


class Writer:
    """Group commit of one sandbox. durable: the last sequence that the journal holds."""

    def __init__(
        self,
        *,
        sandbox: str,
        engines: Engines,
        journal: Journal,
        fanout: Fanout,
        concerns: Concerns,
        standing: Standing,
        patience: Patience,
        last_sequence: int,
    ) -> None:
        self._sandbox = sandbox
        self._engines = engines
        self._journal = journal
        self._fanout = fanout
        self._concerns = concerns
        self._standing = standing
        self._patience = patience
        self.durable = last_sequence
        self.outlet = Outlet(last_sequence)
        self._closed: deque[Pending] = deque()
        self._open = Pending(last_sequence + 1)
        self._loop = asyncio.get_running_loop()
        self.task: asyncio.Task[None] | None = None
        """Writes, as long as there is something to write."""
        self._write_s = 0.0
        """How long the last write took."""
        self._watch: asyncio.TimerHandle | None = None

    @property
    def sequence(self) -> int:
        """The last sequence that was decided."""
        return self._open.sequence if self._open.records else self._open.sequence - 1

    def append(self, record: Record, waiter: Waiter | None = None) -> int:
        """Let a record join what is written next; returns its sequence."""
        pending = self._open
        pending.records.append(record)
        if waiter is not None:
            pending.waiters.append(waiter)
        if self.task is None or len(pending.records) >= RECORDS_PER_BATCH_MAX:
            self._start_flush()
        return pending.sequence

    def cut(self) -> int:
        """Let nothing further join what was decided until now; returns the sequence that this is of."""
        if self._open.records:
            self._close_open()
            self._start_flush()
        return self.sequence

    # Waiting for it

    async def written(self) -> None:
        """Wait until all that was decided is durable. Raises OutcomeUnknown when that takes too long."""
        if self._open.records:
            await self._wait(self._open)
        elif self._closed:
            await self._wait(self._closed[-1])

    async def _wait(self, pending: Pending) -> None:
        waiter = self._loop.create_future()
        pending.waiters.append(partial(wake, waiter))
        await waiter

    async def until_durable(
        self,
        sequence: int,
        *,
        engine: str | None = None,
        account: AccountId | None = None,
        instrument: str | None = None,
    ) -> None:
        """Wait until the journal holds a sequence; returns at once when it does. See `when_durable`."""
        if sequence <= self.durable:
            return
        waiter = self._loop.create_future()
        tell = partial(wake, waiter)
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
        if sequence <= self.durable:
            tell(None)
            return
        assert sequence <= self.sequence, "nobody can have read what was not decided"

        def judge(error: SandboxError | None) -> None:
            if error is not None:
                concerned = self._standing.ended is not None or self._is_concerned(
                    engine, account, instrument
                )
                error = None
                if concerned and sequence > self.durable:
                    error = StorageUnavailable(f"{self._sandbox}: what was read is not durable yet")
            tell(error)

        if self._standing.is_refused or self._standing.ended is not None:
            judge(OutcomeUnknown("the journal does not accept entries"))
            return
        pending = next((p for p in self._closed if p.sequence == sequence), self._open)
        pending.waiters.append(judge)

    def _is_concerned(self, engine: str | None, account: AccountId | None, instrument: str | None) -> bool:
        """Whether a pending event touches what was read."""
        if engine is None:
            return True
        named: set[Concern] = {name for name in (account, instrument) if name is not None}
        for pending in (*self._closed, self._open):
            for record in pending.records:
                if record.engine != engine:
                    continue
                if not named or engine not in self._engines:
                    return True
                for event in record.events:
                    concerned = self._concerns(self._engines[engine], event)
                    if concerned is None or not named.isdisjoint(concerned):
                        return True
        return False

    async def conclude(self, reason: str, *, within_s: float) -> None:
        """Let nobody wait much longer: who waits for a journal that refuses hears OutcomeUnknown now."""
        if not self._standing.is_refused and self.task is not None:
            await asyncio.wait((self.task,), timeout=within_s)
        for pending in (*self._closed, self._open):
            pending.tell(reason)

    async def settle(self) -> None:
        """Wait until nothing is being written, as long as patience lasts."""
        if self.task is not None:
            await asyncio.wait((self.task,), timeout=self._patience.answer)

    def end(self, reason: str) -> None:
        """Nobody waits any longer; what is not written is said in the log."""
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None
        unwritten = [p for p in (*self._closed, self._open) if p.records]
        if unwritten:
            _log.error("%s: %s", self._sandbox, describe_unwritten(unwritten, self.durable))
        for pending in (*self._closed, self._open):
            pending.tell(reason)
        self.outlet.end()

    # Writing

    def _start_flush(self) -> None:
        if len(self._open.records) >= RECORDS_PER_BATCH_MAX:
            self._close_open()
        if self.task is None:
            self._open.looks = 0
            self.task = self._loop.create_task(self._flush())
            if self._watch is None:
                self._watch_again()

    def _close_open(self) -> None:
        self._closed.append(self._open)
        self._open = Pending(self._open.sequence + 1)

    async def _flush(self) -> None:
        """Write batch after batch until there is none; lives only as long as there is work."""
        closed = self._closed
        try:
            while True:
                if not closed:
                    if not self._open.records:
                        break
                    await self._gather()
                    if not closed:
                        self._close_open()
                pending = closed[0]
                batch = Batch(
                    sandbox=self._sandbox, sequence=pending.sequence, records=tuple(pending.records)
                )
                began = perf_counter()
                try:
                    await self._journal.append(batch)
                    self._write_s = perf_counter() - began
                except Exception as error:
                    if not await self._write_again(batch, error):
                        break
                if self._standing.is_refused:
                    self._recover(batch.sequence)
                self.durable = batch.sequence
                closed.popleft()
                self._fanout.publish(batch)
                self.outlet.durable(batch.sequence)
                pending.tell()
        except Exception:
            _log.exception("%s: the sequencer itself failed", self._sandbox)
            self._lose("an internal error in the sequencer")
        finally:
            self.task = None

    async def _gather(self) -> None:
        """Let join what is decided until a turn of the loop brings nothing more.

        Each write costs the same however much is in it, and one that is under way while commands are
        decided costs more: its thread waits for the interpreter again and again, and each time somebody
        has to wake it in vain.
        """
        if self._write_s < self._patience.gather_from:
            return
        until, count = perf_counter() + self._patience.gather, 0
        while count < len(self._open.records) and not self._closed and perf_counter() < until:
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
            async for batch in self._journal.read(self._sandbox, sequence - 1):
                return batch
        except Exception:
            _log.exception("%s: the journal cannot be read", self._sandbox)
        return None

    def _degrade(self, why: str) -> None:
        if not self._standing.is_refused:
            _log.error("%s: the journal refuses, trading stops: %s", self._sandbox, why)
        self._standing.degrade(why)

    def _recover(self, sequence: int) -> None:
        _log.warning("%s: the journal accepts again, at entry %d", self._sandbox, sequence)
        self._standing.recover()

    def _lose(self, reason: str) -> None:
        """End for good: memory is ahead of a journal that will never hold what was decided."""
        _log.critical("%s: %s", self._sandbox, reason)
        self._standing.end(reason)
        for pending in (*self._closed, self._open):
            pending.tell(reason)
        # Who listens must not wait for what will never be told.
        self.outlet.end()
        self._fanout.end()

    # Who waits too long

    def _watch_again(self) -> None:
        interval = self._patience.answer / LOOKS_PER_ANSWER
        self._watch = self._loop.call_later(interval, self._look_for_overdue)

    def _look_for_overdue(self) -> None:
        """One timer for all batches, which re-arms itself as long as something is being written.

        Age is counted in looks, not in seconds: while the loop is kept busy by others the journal
        cannot answer either, and that is not its fault.
        """
        self._watch = None
        if self.task is None:
            return
        for pending in (*self._closed, self._open):
            pending.looks += 1
            if pending.looks > LOOKS_PER_ANSWER:
                if pending.records and not self._standing.is_refused:
                    self._degrade(f"entry {pending.sequence}: no answer for {self._patience.answer:g} s")
                pending.tell("the journal did not accept in time")
        self._watch_again()
