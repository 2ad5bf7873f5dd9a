"""A toy universe for the runtime's tests: an engine of deposits that come due, and a journal that fails
on demand. The runtime sees nothing of an engine but its port, so it needs no exchange to be tested."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

from emulator.core.audit import Mismatch
from emulator.core.commands import Command, Deposit, OpenAccount, Withdraw
from emulator.core.engine import Done, Observer
from emulator.core.events import AccountOpened, AmountDeposited, AmountWithdrawn, Event
from emulator.core.rejections import InsufficientBalance
from emulator.core.snapshot import Capture
from emulator.core.views import Taken
from emulator.runtime.concerns import Concern
from emulator.runtime.ports import Batch, EnginePort, KeyRecord
from emulator.runtime.sandbox import Sandbox
from emulator.runtime.sandboxes import ClockStart, Sandboxes
from emulator.runtime.sequencer import Patience
from emulator.storage.memory import MemoryJournal

START_US = 1_700_000_000_000_000
IMPATIENT = Patience(answer=0.05, retry=0.005, retry_max=0.01, rebuild_pause=0.01)


class Defect(Exception):
    """What an engine raises when it is told to."""


class TillEngine:
    """Holds deposits. One with a reference `until <time_us>` is taken back by the market at that time.

    defects: how many of the next calls raise, after they half changed the state.
    """

    def __init__(self, defects: dict[str, int]) -> None:
        self.balances: dict[tuple[int, str], Decimal] = {}
        self.due: list[tuple[int, int, str, Decimal]] = []
        self.movement = 0
        self.times: list[int] = []
        self.observers: Sequence[Observer] = ()
        self._defects = defects

    def execute(self, command: Command, now_us: int) -> Done:
        self._raise("execute")
        match command:
            case OpenAccount():
                return self._did(
                    now_us,
                    AccountOpened(
                        account=command.account, name=command.name, trade_group=command.trade_group
                    ),
                )
            case Deposit():
                return self._did(
                    now_us,
                    AmountDeposited(
                        account=command.account,
                        wallet=command.wallet,
                        asset=command.asset,
                        amount=command.amount,
                        movement=self.movement + 1,
                        reference=command.reference,
                    ),
                )
            case Withdraw():
                available = self.balances.get((command.account, command.asset), Decimal(0))
                if available < command.amount:
                    return Done(
                        (),
                        InsufficientBalance(asset=command.asset, needed=command.amount, available=available),
                    )
                return self._did(now_us, self._withdrawal(command.account, command.asset, command.amount))
        raise AssertionError(command)

    def advance(self, now_us: int) -> Sequence[tuple[int, tuple[Event, ...]]]:
        moments: list[tuple[int, tuple[Event, ...]]] = []
        while self.due and self.due[0][0] <= now_us:
            time_us, account, asset, amount = self.due[0]
            self._raise("advance")
            moments.append((time_us, self._did(time_us, self._withdrawal(account, asset, amount)).events))
        return moments

    def has_account(self, account: int) -> bool:
        return (account, "") in self.balances

    def next_due_us(self, now_us: int) -> int | None:
        return self.due[0][0] if self.due else None

    def apply(self, events: Sequence[Event], time_us: int) -> None:
        for event in events:
            match event:
                case AccountOpened():
                    self.balances[event.account, ""] = Decimal(0)
                case AmountDeposited():
                    pot = event.account, event.asset
                    self.balances[pot] = self.balances.get(pot, Decimal(0)) + event.amount
                    self.movement = event.movement
                    if event.reference.startswith("until "):
                        self.due.append((int(event.reference[6:]), *pot, event.amount))
                        self.due.sort()
                case AmountWithdrawn():
                    pot = event.account, event.asset
                    self.balances[pot] -= event.amount
                    self.movement = event.movement
                    self.due = [d for d in self.due if d[0] > time_us]
                case _:
                    raise AssertionError(event)
            self.times.append(time_us)

    def keep_records(self) -> None:
        """It has no records of what is over."""

    def take(self) -> Taken:
        return Taken([], 0)

    def forget(self, through: int, retained: int, at_most: int | None = None) -> int:
        return 0

    def capture(self) -> Capture:
        raise NotImplementedError("it lives in tests without an archive")

    def restore(self, parts: Iterable[bytes]) -> None:
        raise NotImplementedError("it lives in tests without an archive")

    def audit(self) -> Sequence[Mismatch]:
        return ()

    def fingerprint(self) -> str:
        return repr((sorted(self.balances.items()), self.due, self.movement))

    def _did(self, now_us: int, *events: Event) -> Done:
        self.apply(events, now_us)
        for observer in self.observers:
            for event in events:
                observer.happened(event, now_us)
            observer.settled(now_us)
        return Done(events, None)

    def _withdrawal(self, account: int, asset: str, amount: Decimal) -> AmountWithdrawn:
        return AmountWithdrawn(
            account=account,
            wallet="spot",
            asset=asset,
            amount=amount,
            fee=Decimal(0),
            movement=self.movement + 1,
            reference="",
            labels=(),
        )

    def _raise(self, occasion: str) -> None:
        if self._defects.get(occasion, 0):
            self._defects[occasion] -= 1
            self.balances[0, "half done"] = Decimal(1)
            raise Defect(occasion)


def toy_concerns(engine: object, event: Event) -> list[Concern] | None:
    account = getattr(event, "account", None)
    return None if account is None else [account]


class FailingJournal(MemoryJournal):
    """fails: how many of the next appends raise. after_write: they raise although they wrote.
    gate: every append waits for it. turns: how many turns of the loop an append takes."""

    def __init__(self) -> None:
        super().__init__()
        self.fails = 0
        self.after_write = False
        self.tries = 0
        self.turns = 0
        self.gate: asyncio.Event | None = None

    async def append(self, batch: Batch) -> None:
        self.tries += 1
        if self.gate is not None:
            await self.gate.wait()
        for _ in range(self.turns):
            await asyncio.sleep(0)
        if self.fails:
            self.fails -= 1
            if self.after_write:
                await super().append(batch)
            raise OSError("the disk is full")
        await super().append(batch)

    async def batches(self, sandbox: str = "default") -> list[Batch]:
        return [batch async for batch in self.read(sandbox)]


class Universe:
    """Everything that a test needs to hold: the wall's time, the journal and the sandboxes."""

    def __init__(self, journal: FailingJournal | None = None, *, patience: Patience = IMPATIENT) -> None:
        self.wall_us = START_US
        self.journal = journal or FailingJournal()
        self.defects: dict[str, int] = {}
        self.provisioned: list[str] = []
        self.sandboxes = Sandboxes(
            journal=self.journal,
            make_engines=self.make_engines,
            concerns=toy_concerns,
            provision=self.provision,
            wall_ns=lambda: self.wall_us * 1000,
            clock=ClockStart(),
            patience=patience,
        )

    def make_engines(self, seed: int) -> Mapping[str, EnginePort]:
        return {"north": TillEngine(self.defects), "south": TillEngine({})}

    async def provision(self, sandbox: Sandbox) -> None:
        self.provisioned.append(sandbox.name)
        account = await sandbox.open_account("demo")
        await sandbox.add_key(KeyRecord(key="demo-key", account=account, secret="demo-secret"))
        await sandbox.submit("north", deposit(account, "1000"))

    async def open(self) -> Sandbox:
        await self.sandboxes.open()
        return self.sandboxes.default


def deposit(account: int, amount: str, *, asset: str = "USDT", until_us: int | None = None) -> Deposit:
    return Deposit(
        account=account,
        wallet="spot",
        asset=asset,
        amount=Decimal(amount),
        reference="" if until_us is None else f"until {until_us}",
    )


def withdraw(account: int, amount: str, *, asset: str = "USDT") -> Withdraw:
    return Withdraw(account=account, wallet="spot", asset=asset, amount=Decimal(amount), fee=Decimal(0))


def till(sandbox: Sandbox, name: str = "north") -> TillEngine:
    engine: object = sandbox.engines[name]
    assert isinstance(engine, TillEngine)
    return engine
