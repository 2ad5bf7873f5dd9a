"""Orders the commands of one sandbox, and lets happen what the market makes due."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, TypeVar

from emulator.core.commands import Command
from emulator.core.engine import Done
from emulator.core.events import Event
from emulator.runtime.chronicle import Chronicle, Taking
from emulator.runtime.concerns import Concerns
from emulator.runtime.fanout import Fanout
from emulator.runtime.ports import (
    SANDBOX,
    Clock,
    EnginePort,
    Journal,
    OutcomeUnknown,
    Record,
    SandboxError,
)
from emulator.runtime.sequencer.engines import Engines
from emulator.runtime.sequencer.rebuilds import Rebuilds
from emulator.runtime.sequencer.standing import Patience, Standing
from emulator.runtime.sequencer.writer import Writer
from emulator.runtime.submission import Submission

T = TypeVar("T")


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
        self._patience = patience or Patience()
        self._standing = Standing(sandbox)
        self._writer = Writer(
            sandbox=sandbox,
            engines=self.engines,
            journal=journal,
            fanout=fanout,
            concerns=concerns,
            standing=self._standing,
            patience=self._patience,
            last_sequence=last_sequence,
        )
        self._rebuilds = Rebuilds(
            sandbox=sandbox,
            engines=self.engines,
            journal=journal,
            fresh_engine=fresh_engine,
            writer=self._writer,
            standing=self._standing,
            patience=self._patience,
        )
        self.outlet = self._writer.outlet
        # Asked of it, and done by these:
        self.observe = self.engines.observe
        self.written = self._writer.written
        self.durable = self._writer.until_durable
        self.when_durable = self._writer.when_durable
        self.conclude = self._writer.conclude
        self.cut = self._writer.cut
        self._loop = asyncio.get_running_loop()
        self._waiting_for_engines: set[asyncio.Task[None]] = set()

    @property
    def sequence(self) -> int:
        """The last sequence that was decided; what a reader sees now is of it or older."""
        return self._writer.sequence

    @property
    def durable_sequence(self) -> int:
        return self._writer.durable

    @property
    def is_degraded(self) -> bool:
        """Whether nothing is decided: the journal refuses, keeps silent, or was lost for good, or what was
        recovered is distrusted."""
        return self._standing.is_halted

    @property
    def degraded_because(self) -> str | None:
        """Why nothing is decided, for people; None while it is well."""
        return self._standing.because

    @property
    def is_distrusted(self) -> bool:
        return self._standing.distrusted is not None

    def distrust(self, reason: str) -> None:
        """Decide nothing, as long as it lives: the state is not what it should be. Reads are answered."""
        self._standing.distrust(reason)

    @property
    def chronicle(self) -> Chronicle | None:
        """Where what becomes history goes, if an archive keeps it."""
        return self._rebuilds.chronicle

    @chronicle.setter
    def chronicle(self, chronicle: Chronicle) -> None:
        self._rebuilds.chronicle = chronicle

    # The way of a command

    def decide(self, engine_name: str, command: Command, answer: Callable[[Done], T]) -> Submission[T]:
        """Advance to now, execute and answer; the submission is over once the journal holds what happened.

        `answer` runs right after the execution, so that it reads the state the command left; what it
        raises is the submission's failure, to be told once what it may have seen is durable.
        Raises StorageUnavailable when the command was not tried. The submission fails with that, too,
        and with OutcomeUnknown when the command may or may not survive. Raises KeyError for an engine
        that does not exist.
        """
        if self._standing.is_halted:
            self._standing.refuse()
        now_us = self._clock.now_us()
        self._advance(now_us)
        submission: Submission[T] = Submission()
        engine = self.engines.get(engine_name)
        if engine is not None:
            self._decide(submission, engine_name, engine, command, answer, now_us)
        elif engine_name in self._rebuilds.running:
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
            rebuild = self._rebuilds.begin(engine_name, type(command).__name__, error)
            unknown = OutcomeUnknown(f"an internal error in the engine {engine_name!r}")
            unknown.__cause__ = error
            self._later(self._end_once_rebuilt(submission, rebuild, unknown))
            return
        try:
            submission.answered = answer(done)
        except Exception as error:
            submission.failure = error
        if done.events:
            record = Record(engine=engine_name, time_us=now_us, events=done.events)
            sequence = self._writer.append(record, submission.end)
            if self.outlet.noted:
                self.outlet.decided(sequence)
        elif self._writer.task is None:
            submission.end(None)
        else:
            # A refusal tells what the state was, so it waits for that state like any reader.
            self._writer.when_durable(self.sequence, submission.end, engine=engine_name)

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

    async def _returned(self, name: str) -> EnginePort:
        """The engine, once it is rebuilt. Raises KeyError for one that never existed."""
        rebuild = self._rebuilds.running.get(name)
        if rebuild is None:
            return self.engines[name]
        await asyncio.wait((rebuild,), timeout=self._patience.answer)
        if self._standing.is_halted:
            self._standing.refuse()
        self._advance(self._clock.now_us())
        return self.engines[name]

    def advance(self) -> int:
        """Let happen in all engines what is due by now; returns the sequence that a reader sees then.

        Does nothing while nothing is decided: state then stays what it was.
        """
        if not self._standing.is_halted:
            self._advance(self._clock.now_us())
        return self.sequence

    def record(self, time_us: int, event: Event) -> None:
        """Journal what happened to the sandbox itself, at its now. Raises StorageUnavailable."""
        if self._standing.is_halted:
            self._standing.refuse()
        self._writer.append(Record(engine=SANDBOX, time_us=time_us, events=(event,)))

    def execute(self, engine_name: str, command: Command, now_us: int) -> Done:
        """The first half of `decide`, for steps that belong together; `written` is the other."""
        if self._standing.is_halted:
            self._standing.refuse()
        engine = self.engines[engine_name]
        try:
            done = engine.execute(command, now_us)
        except Exception as error:
            self._rebuilds.begin(engine_name, type(command).__name__, error)
            raise OutcomeUnknown(f"an internal error in the engine {engine_name!r}") from error
        if done.events:
            self._writer.append(Record(engine=engine_name, time_us=now_us, events=done.events))
            self.outlet.decided(self.sequence)
        return done

    def take(self) -> Taking | None:
        """All that the engines recorded since the last time.

        None while one of them is being rebuilt, whose records have to come from the journal first, and
        while it cannot be told whether what they recorded will be in the journal.
        """
        if self.engines.absent or (self._standing.is_halted and self._writer.durable < self.sequence):
            return None
        self._rebuilds.taken = self.cut()
        return Taking(self._rebuilds.taken, {name: engine.take() for name, engine in self.engines.items()})

    async def ready(self) -> None:
        """Wait until every engine is there. Raises StorageUnavailable when nothing can be decided."""
        if self._standing.is_halted:
            self._standing.refuse()
        for name in tuple(self._rebuilds.running):
            await self._returned(name)

    async def close(self, reason: str) -> None:
        """Refuse everything from now on; what was decided is still written, as long as patience lasts."""
        self._standing.end(self._standing.ended or reason)
        await self._writer.settle()
        tasks = [task for task in (self._writer.task, *self._rebuilds.running.values()) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._writer.end(reason)

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
                self._writer.append(record)
            if self.outlet.noted:
                self.outlet.decided(self.sequence)
        if failed is not None:
            for name, raised in failed.items():
                self._rebuilds.begin(name, "advance", raised)


def _record_time(record: Record) -> int:
    return record.time_us
