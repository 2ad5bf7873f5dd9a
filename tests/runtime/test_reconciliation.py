"""What a sandbox does that is distrusted, whatever its engines are; and what is said of it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from decimal import Decimal

import pytest

from emulator.core.audit import Mismatch
from emulator.runtime.ports import (
    Batch,
    ClockMode,
    EnginePort,
    KeyRecord,
    SandboxClosed,
    StorageUnavailable,
)
from tests.runtime.universe import START_US, FailingJournal, TillEngine, Universe, deposit, till, withdraw

pytestmark = pytest.mark.anyio


class DoubtfulEngine(TillEngine):
    """Says of itself what it is told to."""

    def __init__(self, wrong: list[Mismatch]) -> None:
        super().__init__({})
        self._wrong = wrong

    def audit(self) -> Sequence[Mismatch]:
        return self._wrong


class DoubtfulUniverse(Universe):
    """wrong: what its engine in the north finds wrong the next time that it is recovered."""

    def __init__(self, journal: FailingJournal | None = None) -> None:
        self.wrong: list[Mismatch] = []
        super().__init__(journal)

    def make_engines(self, seed: int) -> Mapping[str, EnginePort]:
        return {"north": DoubtfulEngine(list(self.wrong)), "south": TillEngine({})}


def wrong(account: int, found: str = "3.50") -> Mismatch:
    return Mismatch(
        what="held", asset="USDT", expected=Decimal(5), found=Decimal(found), account=account, wallet="spot"
    )


async def distrusted(*mismatches: Mismatch) -> DoubtfulUniverse:
    """Recovered, with something due in a second."""
    universe = DoubtfulUniverse()
    sandbox = await universe.open()
    await sandbox.submit("north", deposit(1, "7", until_us=START_US + 1_000_000))
    await universe.sandboxes.close()
    after = DoubtfulUniverse(universe.journal)
    after.wrong = list(mismatches)
    await after.open()
    return after


async def test_nothing_is_decided_and_reads_are_answered() -> None:
    universe = await distrusted(wrong(1))
    sandbox = universe.sandboxes.default
    entries = await universe.journal.batches()
    before = sandbox.fingerprint()
    for refused in (
        sandbox.submit("north", deposit(1, "1")),
        sandbox.submit("south", withdraw(1, "1")),
        sandbox.open_account("alice"),
        sandbox.add_key(KeyRecord(key="k", account=1)),
        sandbox.remove_key("demo-key"),
        sandbox.set_clock(ClockMode.VIRTUAL),
    ):
        with pytest.raises(StorageUnavailable, match="its books do not agree"):
            await refused
    universe.wall_us += 2_000_000
    assert sandbox.advance() == sandbox.sequence == sandbox.durable_sequence == len(entries)
    await sandbox.durable(sandbox.sequence, engine="north", account=1)
    assert till(sandbox).balances[1, "USDT"] == 1007, "what is due does not happen"
    assert await sandbox.snapshot() is None
    assert sandbox.fingerprint() == before
    assert await universe.journal.batches() == entries
    await universe.sandboxes.close()
    with pytest.raises(SandboxClosed):
        await sandbox.submit("north", deposit(1, "1"))


async def test_it_says_the_first_with_both_figures_and_logs_all(caplog: pytest.LogCaptureFixture) -> None:
    universe = await distrusted(*(wrong(account) for account in range(1, 6)))
    sandbox = universe.sandboxes.default
    assert sandbox.is_degraded
    said = sandbox.degraded_because
    assert said is not None
    for account in (1, 2, 3):
        assert f"north: held of USDT of account {account} in spot: expected 5, found 3.5; " in said
    assert "account 4" not in said
    assert said.endswith("; and 2 more")
    errors = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    assert errors == [
        f"default: north: held of USDT of account {account} in spot: expected 5, found 3.5"
        for account in range(1, 6)
    ]
    await universe.sandboxes.close()


async def test_three_are_said_without_more() -> None:
    universe = await distrusted(*(wrong(account) for account in range(1, 4)))
    said = universe.sandboxes.default.degraded_because
    assert said is not None
    assert said.endswith("account 3 in spot: expected 5, found 3.5")
    await universe.sandboxes.close()


async def test_a_sandbox_in_which_all_agrees_is_not_touched_by_another() -> None:
    universe = await distrusted(wrong(1))
    universe.wrong = []
    other = await universe.sandboxes.create("other")
    await other.submit("north", deposit(1, "1"))
    assert not other.is_degraded
    assert universe.sandboxes.default.is_degraded
    fresh = await universe.sandboxes.reset("default")
    await fresh.submit("north", deposit(1, "1"))
    assert not fresh.is_degraded
    await universe.sandboxes.close()


async def test_a_journal_that_accepts_again_does_not_make_it_trusted() -> None:
    universe = DoubtfulUniverse()
    sandbox = await universe.open()
    universe.journal.fails = 3
    waiting = asyncio.ensure_future(sandbox.submit("north", deposit(1, "1")))
    written = asyncio.Event()

    def note(batch: Batch) -> None:
        written.set()

    sandbox.fanout.subscribe(note)
    await asyncio.sleep(0)
    sandbox.distrust("somebody says so")
    await written.wait()
    assert (await waiting).rejection is None, "what was decided before is written"
    assert sandbox.degraded_because == "somebody says so"
    with pytest.raises(StorageUnavailable, match="somebody says so"):
        await sandbox.submit("north", deposit(1, "1"))
    await universe.sandboxes.close()
