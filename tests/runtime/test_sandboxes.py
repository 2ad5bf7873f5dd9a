"""Universes: made, recovered, forked, reset and dropped; their accounts, keys and clocks."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from decimal import Decimal

import msgspec
import pytest

from emulator.core.events import AccountOpened
from emulator.runtime.ports import (
    AccountExists,
    Batch,
    ClockMode,
    ClockSettingRefused,
    EnginePort,
    JournalCorrupt,
    KeyAdded,
    KeyExists,
    KeyRecord,
    NoSuchAccount,
    NoSuchKey,
    NoSuchSandbox,
    OutcomeUnknown,
    SandboxClosed,
    SandboxExists,
    SandboxNameInvalid,
    StorageUnavailable,
)
from emulator.runtime.sandbox import Sandbox
from emulator.runtime.sandboxes import ClockStart, Sandboxes
from tests.runtime.universe import START_US, TillEngine, Universe, deposit, till, toy_concerns

pytestmark = pytest.mark.anyio

DAY_US = 86_400_000_000


# Accounts and keys


async def test_an_account_has_one_id_in_all_engines() -> None:
    universe = Universe()
    sandbox = await universe.open()
    account = await sandbox.open_account("alice", 3)
    assert sandbox.accounts == {"demo": 1, "alice": account}
    records = (await universe.journal.batches())[-1].records
    assert [record.engine for record in records] == ["", "north", "south"]
    for record in records[1:]:
        assert record.events == (AccountOpened(account=account, name="alice", trade_group=3),)
    with pytest.raises(AccountExists):
        await sandbox.open_account("alice")


async def test_an_engine_that_fails_to_open_an_account_does_not_keep_it_from_the_others() -> None:
    universe = Universe()
    sandbox = await universe.open()
    universe.defects["execute"] = 1
    with pytest.raises(OutcomeUnknown):
        await sandbox.open_account("alice")
    assert (2, "") in till(sandbox, "south").balances
    assert await sandbox.open_account("bob") == 3
    assert (3, "") in till(sandbox).balances


async def test_keys_come_and_go() -> None:
    universe = Universe()
    sandbox = await universe.open()
    record = KeyRecord(key="k", account=1, secret="s", permissions=frozenset({"trade"}))
    await sandbox.add_key(record)
    assert sandbox.keys["k"] == msgspec.structs.replace(record, created_us=universe.wall_us)
    assert universe.sandboxes.owning("k") is sandbox
    with pytest.raises(KeyExists):
        await sandbox.add_key(record)
    with pytest.raises(NoSuchAccount):
        await sandbox.add_key(KeyRecord(key="l", account=99))
    await sandbox.remove_key("k")
    assert "k" not in sandbox.keys
    assert universe.sandboxes.owning("k") is None
    with pytest.raises(NoSuchKey):
        await sandbox.remove_key("k")


async def test_a_key_is_looked_up_in_the_default_sandbox_first() -> None:
    universe = Universe()
    default = await universe.open()
    other = await universe.sandboxes.create("other")
    await other.add_key(KeyRecord(key="k", account=1))
    assert universe.sandboxes.owning("demo-key") is default
    assert universe.sandboxes.owning("k") is other


# Time


async def test_a_jump_of_the_clock_makes_due_what_lies_between() -> None:
    universe = Universe()
    sandbox = await universe.open()
    await sandbox.submit("north", deposit(1, "5", until_us=START_US + DAY_US))
    await sandbox.submit("north", deposit(1, "6", until_us=START_US + 40 * DAY_US))
    await sandbox.set_clock(ClockMode.VIRTUAL, START_US + 30 * DAY_US)
    assert sandbox.clock.now_us() == START_US + 30 * DAY_US
    assert till(sandbox).balances[1, "USDT"] == 1006
    last = (await universe.journal.batches())[-1]
    assert [record.time_us for record in last.records] == [START_US, START_US + DAY_US]
    await sandbox.step_clock(10 * DAY_US)
    assert till(sandbox).balances[1, "USDT"] == 1000


async def test_the_past_is_refused_and_nothing_is_written() -> None:
    universe = Universe()
    sandbox = await universe.open()
    before = sandbox.sequence
    with pytest.raises(ClockSettingRefused):
        await sandbox.set_clock(ClockMode.VIRTUAL, START_US - 1)
    assert sandbox.sequence == before
    assert sandbox.clock.mode is ClockMode.WALL


async def test_a_step_keeps_the_speed() -> None:
    universe = Universe()
    sandbox = await universe.open()
    await sandbox.set_clock(ClockMode.VIRTUAL, speed=Decimal(60))
    await sandbox.step_clock(1_000)
    universe.wall_us += 1
    assert sandbox.clock.now_us() == START_US + 1_060


async def test_what_comes_due_happens_without_a_request() -> None:
    universe = Universe()
    sandbox = await universe.open()
    await sandbox.submit("north", deposit(1, "5", until_us=START_US + 10))
    happened: asyncio.Queue[Batch] = asyncio.Queue()
    sandbox.fanout.subscribe(happened.put_nowait)
    universe.wall_us += 10
    batch = await asyncio.wait_for(happened.get(), timeout=5)
    assert [record.time_us for record in batch.records] == [START_US + 10]


# Recovery


async def test_a_restart_gives_the_same_universe() -> None:
    universe = Universe()
    sandbox = await universe.open()
    await sandbox.open_account("alice")
    await sandbox.submit("south", deposit(2, "0.10", until_us=START_US + 7 * DAY_US))
    await sandbox.set_clock(ClockMode.VIRTUAL, START_US + DAY_US, Decimal("0.5"))
    other = await universe.sandboxes.create("other", seed=9)
    prints = [sandbox.fingerprint(), other.fingerprint()]
    await universe.sandboxes.close()

    again = Universe(universe.journal)
    again.wall_us = universe.wall_us + 10
    await again.sandboxes.open()
    assert [s.fingerprint() for s in again.sandboxes] == prints
    assert again.provisioned == []
    recovered = again.sandboxes.default
    assert recovered.clock.now_us() == START_US + DAY_US + 5
    assert recovered.sequence == recovered.durable_sequence == sandbox.sequence
    assert recovered.accounts == {"demo": 1, "alice": 2}
    await recovered.submit("north", deposit(1, "1"))
    assert again.sandboxes.get("other") is not None


async def test_an_engine_that_is_younger_than_its_sandbox_has_its_accounts_too() -> None:
    class Before(Universe):
        def make_engines(self, seed: int) -> Mapping[str, EnginePort]:
            return {"north": TillEngine({})}

    before = Before()
    sandbox = await before.open()
    await sandbox.open_account("alice")
    await before.sandboxes.close()

    furnished: list[tuple[str, list[str]]] = []

    async def furnish(sandbox: Sandbox, engines: Sequence[str]) -> None:
        furnished.append((sandbox.name, list(engines)))
        await sandbox.submit("south", deposit(1, "7"))

    for expected in ([("default", ["south"])], []):
        furnished.clear()
        after = Universe(before.journal)
        after.sandboxes = Sandboxes(
            journal=after.journal,
            make_engines=after.make_engines,
            concerns=toy_concerns,
            provision=after.provision,
            furnish=furnish,
            wall_ns=lambda: START_US * 1000,
        )
        opened = await after.open()
        assert furnished == expected
        await opened.submit("south", deposit(2, "1"))
        assert till(opened, "south").balances[1, "USDT"] == 7
        assert till(opened).balances[1, "USDT"] == 1000
        await after.sandboxes.close()


async def test_time_goes_on_where_the_journal_ended_even_if_the_host_was_set_back() -> None:
    universe = Universe()
    universe.wall_us += DAY_US
    await universe.open()
    await universe.sandboxes.close()
    again = Universe(universe.journal)
    sandbox = await again.open()
    assert sandbox.clock.now_us() == START_US + DAY_US


async def test_a_beginning_that_was_cut_off_is_begun_again() -> None:
    universe = Universe()
    sandbox = await universe.open()
    whole = await universe.journal.batches()
    fingerprint = sandbox.fingerprint()
    await universe.sandboxes.close()
    await universe.journal.forget("default")
    for batch in whole[:2]:
        await universe.journal.append(batch)

    again = Universe(universe.journal)
    sandbox = await again.open()
    assert again.provisioned == ["default"]
    assert sandbox.fingerprint() == fingerprint


async def test_a_stream_that_does_not_begin_is_refused() -> None:
    universe = Universe()
    await universe.journal.append(Batch(sandbox="default", sequence=1, records=()))
    with pytest.raises(JournalCorrupt):
        await universe.open()


# Making and ending


@pytest.mark.parametrize("name", ["", "-a", "a-", "A", "a_b", "a.b", "a" * 64, "ä", "a\n"])
async def test_a_name_must_be_a_host_label(name: str) -> None:
    universe = Universe()
    await universe.open()
    with pytest.raises(SandboxNameInvalid):
        await universe.sandboxes.create(name)


async def test_sandboxes_are_apart() -> None:
    universe = Universe()
    default = await universe.open()
    other = await universe.sandboxes.create("other")
    assert other.fingerprint() == default.fingerprint()
    await other.submit("north", deposit(1, "5"))
    assert till(default).balances[1, "USDT"] == 1000
    assert till(other).balances[1, "USDT"] == 1005
    with pytest.raises(SandboxExists):
        await universe.sandboxes.create("other")


async def test_a_beginning_may_lie_in_the_past() -> None:
    universe = Universe()
    await universe.open()
    start = ClockStart(mode=ClockMode.VIRTUAL, time_us=START_US - 365 * DAY_US)
    sandbox = await universe.sandboxes.create("past", clock=start)
    assert sandbox.clock.now_us() == START_US - 365 * DAY_US
    first = (await universe.journal.batches("past"))[0]
    assert first.records[0].time_us == START_US - 365 * DAY_US


async def test_a_beginning_that_fails_can_be_tried_again() -> None:
    universe = Universe()
    await universe.open()
    universe.defects["execute"] = 1
    with pytest.raises(OutcomeUnknown):
        await universe.sandboxes.create("other")
    assert "other" not in universe.sandboxes
    assert (await universe.sandboxes.create("other")).accounts == {"demo": 1}


async def test_drop_forgets() -> None:
    universe = Universe()
    await universe.open()
    sandbox = await universe.sandboxes.create("other")
    ended: list[bool] = []
    sandbox.fanout.subscribe(lambda batch: None, on_end=lambda: ended.append(True))
    await universe.sandboxes.drop("other")
    assert ended == [True]
    assert universe.sandboxes.get("other") is None
    assert list(await universe.journal.sandboxes()) == ["default"]
    with pytest.raises(SandboxClosed):
        await sandbox.submit("north", deposit(1, "1"))
    with pytest.raises(NoSuchSandbox):
        await universe.sandboxes.drop("other")
    with pytest.raises(SandboxNameInvalid):
        await universe.sandboxes.drop("default")


async def test_reset_gives_a_fresh_universe_under_the_same_name() -> None:
    universe = Universe()
    old = await universe.open()
    fresh_print = old.fingerprint()
    await old.submit("north", deposit(1, "5"))
    await old.open_account("alice")
    await old.set_clock(ClockMode.VIRTUAL, START_US + DAY_US)
    new = await universe.sandboxes.reset("default")
    assert universe.sandboxes.default is new
    assert new.fingerprint() == fresh_print
    assert new.clock.now_us() == START_US
    assert new.accounts == {"demo": 1}
    with pytest.raises(SandboxClosed):
        await old.submit("north", deposit(1, "1"))
    await new.submit("north", deposit(1, "1"))


async def test_reset_goes_back_to_the_clock_of_the_beginning_or_to_another() -> None:
    universe = Universe()
    await universe.open()
    start = ClockStart(mode=ClockMode.VIRTUAL, time_us=START_US - DAY_US, speed=Decimal(2))
    sandbox = await universe.sandboxes.create("other", clock=start, seed=4)
    await sandbox.set_clock(ClockMode.VIRTUAL, START_US)
    universe.wall_us += 1_000
    sandbox = await universe.sandboxes.reset("other")
    assert (sandbox.seed, sandbox.clock.now_us()) == (4, START_US - DAY_US)
    universe.wall_us += 1
    assert sandbox.clock.now_us() == START_US - DAY_US + 2
    earlier = ClockStart(mode=ClockMode.VIRTUAL, time_us=START_US - 9 * DAY_US)
    sandbox = await universe.sandboxes.reset("other", clock=earlier, seed=5)
    assert (sandbox.seed, sandbox.clock.now_us()) == (5, START_US - 9 * DAY_US)


async def test_a_reset_that_fails_can_be_tried_again() -> None:
    universe = Universe()
    await universe.open()
    universe.defects["execute"] = 1
    with pytest.raises(OutcomeUnknown):
        await universe.sandboxes.reset("default")
    with pytest.raises(StorageUnavailable):
        await universe.sandboxes.default.submit("north", deposit(1, "1"))
    sandbox = await universe.sandboxes.reset("default")
    await sandbox.submit("north", deposit(1, "1"))


async def test_a_fork_begins_as_its_source_is_and_goes_its_own_way() -> None:
    universe = Universe()
    source = await universe.open()
    await source.submit("north", deposit(1, "5", until_us=START_US + DAY_US))
    await source.set_clock(ClockMode.VIRTUAL, START_US + 10, Decimal(0))
    fork = await universe.sandboxes.fork("default", "what-if")
    assert fork.fingerprint() == source.fingerprint()
    assert fork.clock.now_us() == source.clock.now_us()
    assert universe.provisioned == ["default"]
    before = source.fingerprint()
    await fork.step_clock(2 * DAY_US)
    assert till(fork).balances[1, "USDT"] == 1000
    assert source.fingerprint() == before
    await source.step_clock(2 * DAY_US)
    assert fork.fingerprint() == source.fingerprint()


async def test_a_fork_holds_what_was_still_being_written() -> None:
    universe = Universe()
    source = await universe.open()
    submits = asyncio.gather(*(source.submit("north", deposit(1, "1")) for _ in range(5)))
    await asyncio.sleep(0)
    assert source.sequence > source.durable_sequence
    fork = await universe.sandboxes.fork("default", "copy")
    await submits
    assert fork.fingerprint() == source.fingerprint()
    with pytest.raises(SandboxExists):
        await universe.sandboxes.fork("default", "copy")
    with pytest.raises(NoSuchSandbox):
        await universe.sandboxes.fork("nobody", "copy-2")


def test_a_key_that_is_logged_shows_nothing_that_signs() -> None:
    record = KeyRecord(key="the-key", account=1, secret="the-secret", passphrase="the-passphrase")
    for shown in (repr(record), str(record), repr(KeyAdded(record=record))):
        assert "account=1" in shown
        assert "the-" not in shown
