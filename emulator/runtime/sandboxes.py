"""All sandboxes of this process by name: recovered, made, forked, reset and dropped here.

A sandbox that is reset is another object under the same name, so whoever holds the old one is told
that it is closed and never reads a universe that is gone.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal

import msgspec

from emulator.runtime.archive import Archive, ArchiveLost, InstrumentRecord, Mark, Row
from emulator.runtime.chronicle import Keeping
from emulator.runtime.clock import SandboxClock, plan_virtual
from emulator.runtime.concerns import Concerns, concerns
from emulator.runtime.ports import (
    SANDBOX,
    Batch,
    ClockMode,
    ClockSetting,
    Journal,
    JournalError,
    NoSuchSandbox,
    Record,
    SandboxCreated,
    SandboxExists,
    SandboxNameInvalid,
    StorageUnavailable,
)
from emulator.runtime.reconciliation import doubtful, reconcile
from emulator.runtime.recovery import MakeEngines
from emulator.runtime.sandbox import Sandbox
from emulator.runtime.sequencer import Patience

DEFAULT = "default"
EVERYWHERE = ""
"""Stands for the sandbox in the archive for what belongs to none."""
_STOPPING = "the emulator is shutting down"

_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
"""What may stand as a label of a host name, since `<sandbox>.localhost` addresses a sandbox."""

_log = logging.getLogger(__name__)

Provision = Callable[[Sandbox], Awaitable[None]]
Furnish = Callable[[Sandbox, Sequence[str]], Awaitable[None]]


class ClockStart(msgspec.Struct, frozen=True, kw_only=True):
    """How the clock of a new sandbox begins. time_us: None for the wall's time."""

    mode: ClockMode = ClockMode.WALL
    time_us: int | None = None
    speed: Decimal = Decimal(0)


class Sandboxes:
    """provision: makes the accounts and keys of the start in a sandbox that has none. furnish: gives these
    accounts what they have at the start in engines that are younger than their sandbox, by name."""

    def __init__(
        self,
        *,
        journal: Journal,
        make_engines: MakeEngines,
        provision: Provision,
        furnish: Furnish | None = None,
        wall_ns: Callable[[], int],
        concerns: Concerns = concerns,
        seed: int = 1,
        clock: ClockStart | None = None,
        patience: Patience | None = None,
        archive: Archive | None = None,
        keeping: Keeping | None = None,
    ) -> None:
        self._journal = journal
        self._make_engines = make_engines
        self._concerns = concerns
        self._provision = provision
        self._furnish = furnish
        self._wall_ns = wall_ns
        self._seed = seed
        self._clock = clock or ClockStart()
        self._patience = patience
        self._archive = archive
        self._keeping = keeping
        self._by_name: dict[str, Sandbox] = {}
        # Making and ending universes is rare and spans many steps; commands never take this lock.
        self._changing = asyncio.Lock()

    async def open(self) -> None:
        """Recover every sandbox of the journal and make the default one if it is not there."""
        async with self._changing:
            try:
                await self._open()
            except ArchiveLost as error:
                _log.warning("everything is recovered once more: %s", error)
                # What was recovered before the damage was found is not in the archive any more either.
                for sandbox in self._by_name.values():
                    await sandbox.close("its archive is lost")
                self._by_name.clear()
                await self._open()

    async def _open(self) -> None:
        for name in await self._journal.sandboxes():
            sandbox = await self._recover(name)
            if sandbox.is_provisioned:
                await self._grow(sandbox)
                self._by_name[name] = sandbox
            else:
                # The process ended while this one began: nobody was told of it yet.
                await sandbox.close("its beginning was cut off")
                await self._forget(name)
        if DEFAULT not in self._by_name:
            await self._make(DEFAULT, seed=self._seed, clock=self._start_setting(self._clock))
        if self._archive is not None:
            rows = [
                Row(name, InstrumentRecord(instrument))
                for name, engine in self.default.engines.items()
                for instrument in engine.instruments.values()
            ]
            await self._archive.forget(EVERYWHERE)
            await self._archive.write(EVERYWHERE, rows, Mark(0, ""))

    async def _grow(self, sandbox: Sandbox) -> None:
        """Let engines take part that there were not when the sandbox was last opened."""
        if sandbox.is_degraded:
            return  # What its state is worth must be seen first.
        with _storage():
            young = await sandbox.open_accounts_everywhere()
            if young:
                _log.info("%s: its accounts are opened in %s as well", sandbox.name, ", ".join(young))
                if self._furnish is not None:
                    await self._furnish(sandbox, young)

    async def conclude(self, *, within_s: float) -> None:
        """The emulator is about to stop: whoever waits for the journal is answered."""
        await asyncio.gather(*(s.conclude(_STOPPING, within_s=within_s) for s in self._by_name.values()))

    async def close(self) -> None:
        """Write what was decided in all sandboxes; the journal stays open."""
        async with self._changing:
            await asyncio.gather(*(s.close(_STOPPING, is_kept=True) for s in self._by_name.values()))
            self._by_name.clear()

    def get(self, name: str) -> Sandbox | None:
        return self._by_name.get(name)

    @property
    def default(self) -> Sandbox:
        return self._by_name[DEFAULT]

    def owning(self, key: str) -> Sandbox | None:
        """The sandbox that knows an API key: the default one first, then the oldest."""
        for sandbox in self._by_name.values():
            if key in sandbox.keys:
                return sandbox
        return None

    def __iter__(self) -> Iterator[Sandbox]:
        return iter(tuple(self._by_name.values()))

    def __len__(self) -> int:
        return len(self._by_name)

    def __contains__(self, name: str) -> bool:
        return name in self._by_name

    async def create(self, name: str, *, seed: int | None = None, clock: ClockStart | None = None) -> Sandbox:
        """A fresh universe. Raises SandboxExists, SandboxNameInvalid and ClockSettingRefused."""
        _check_name(name)
        async with self._changing:
            self._must_not_exist(name)
            setting = self._start_setting(clock or self._clock)
            with _storage():
                return await self._make(name, seed=self._seed if seed is None else seed, clock=setting)

    async def drop(self, name: str) -> None:
        """End a sandbox and forget its journal. Raises NoSuchSandbox; the default one is only reset."""
        async with self._changing:
            sandbox = self._must_exist(name)
            if name == DEFAULT:
                raise SandboxNameInvalid("the default sandbox cannot be dropped; reset it")
            await sandbox.close("the sandbox was dropped")
            with _storage():
                await self._forget(name)
            del self._by_name[name]

    async def reset(self, name: str, *, seed: int | None = None, clock: ClockStart | None = None) -> Sandbox:
        """A fresh universe under the same name, with the seed and the clock it was created with unless
        others are given. Here the clock may go back. Raises NoSuchSandbox and ClockSettingRefused."""
        async with self._changing:
            sandbox = self._must_exist(name)
            setting = sandbox.created_clock if clock is None else self._start_setting(clock)
            if clock is None and setting.mode is ClockMode.VIRTUAL:
                setting = plan_virtual(self._wall_ns, time_us=setting.time_us, speed=setting.speed)
            await sandbox.close("the sandbox was reset")
            with _storage():
                return await self._make(name, seed=sandbox.seed if seed is None else seed, clock=setting)

    async def fork(self, source: str, name: str) -> Sandbox:
        """A new sandbox that begins as the source is now: its whole history under another name.

        Raises NoSuchSandbox, SandboxExists and SandboxNameInvalid.
        """
        _check_name(name)
        async with self._changing:
            origin = self._must_exist(source)
            self._must_not_exist(name)
            cut = origin.advance()
            await origin.durable(cut)
            with _storage():
                await self._journal.copy(source, name, cut)
                try:
                    sandbox = await self._recover(name)
                except BaseException:
                    # Who is told that there is none shall not find it at the next start.
                    await self._journal.forget(name)
                    raise
            self._by_name[name] = sandbox
            return sandbox

    def _start_setting(self, start: ClockStart) -> ClockSetting:
        if start.mode is ClockMode.WALL:
            return SandboxClock(self._wall_ns).plan(start.mode, time_us=start.time_us, speed=start.speed)
        time_us = self._wall_ns() // 1000 if start.time_us is None else start.time_us
        return plan_virtual(self._wall_ns, time_us=time_us, speed=start.speed)

    async def _make(self, name: str, *, seed: int, clock: ClockSetting) -> Sandbox:
        created = SandboxCreated(seed=seed, clock=clock)
        now_us = SandboxClock(self._wall_ns, setting=clock).now_us()
        record = Record(engine=SANDBOX, time_us=now_us, events=(created,))
        await self._forget(name)  # A beginning that failed may have left something.
        await self._journal.append(Batch(sandbox=name, sequence=1, records=(record,)))
        sandbox = await self._recover(name)
        try:
            await self._provision(sandbox)
            await sandbox.note_provisioned()
        except BaseException:
            await sandbox.close("its beginning failed")
            raise
        self._by_name[name] = sandbox
        return sandbox

    async def _forget(self, name: str) -> None:
        # The archive first: without its journal it would be another universe's.
        if self._archive is not None:
            await self._archive.forget(name)
        await self._journal.forget(name)

    async def _recover(self, name: str) -> Sandbox:
        archive, keeping = self._archive, self._keeping
        recovered, doubts = await reconcile(
            self._journal, name, self._make_engines, archive=archive, keeping=keeping
        )
        sandbox = Sandbox(
            name,
            recovered=recovered,
            archive=archive,
            keeping=keeping,
            journal=self._journal,
            make_engines=self._make_engines,
            concerns=self._concerns,
            wall_ns=self._wall_ns,
            patience=self._patience,
        )
        if doubts:
            sandbox.distrust(doubtful(doubts))
        return sandbox

    def _must_exist(self, name: str) -> Sandbox:
        sandbox = self._by_name.get(name)
        if sandbox is None:
            raise NoSuchSandbox(f"there is no sandbox {name!r}")
        return sandbox

    def _must_not_exist(self, name: str) -> None:
        if name in self._by_name:
            raise SandboxExists(f"the sandbox {name!r} exists")


@contextmanager
def _storage() -> Iterator[None]:
    """What the journal refuses, in the words of who asks for a sandbox."""
    try:
        yield
    except JournalError as error:
        raise StorageUnavailable(str(error)) from error


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise SandboxNameInvalid(
            f"{name!r} is not a sandbox name: lower-case letters, digits and inner hyphens, at most 63"
        )
