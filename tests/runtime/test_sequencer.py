"""Order, durability and what happens when either fails."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from emulator.core.events import AmountWithdrawn
from emulator.core.rejections import InsufficientBalance
from emulator.runtime import sequencer
from emulator.runtime.ports import Batch, EngineUnavailable, OutcomeUnknown, SandboxClosed, StorageUnavailable
from emulator.runtime.sandbox import Sandbox
from tests.runtime.universe import IMPATIENT, START_US, Universe, deposit, till, withdraw

pytestmark = pytest.mark.anyio


async def settle() -> None:
    """Let everything that can run, run."""
    for _ in range(20):
        await asyncio.sleep(0)


def start(*coroutines: Coroutine[Any, Any, Any]) -> list[asyncio.Task[Any]]:
    return [asyncio.ensure_future(coroutine) for coroutine in coroutines]


async def until_told(universe: Universe, batches: int) -> None:
    """Wait until the default sandbox has published so many batches from now on."""
    told = asyncio.Semaphore(0)
    universe.sandboxes.default.fanout.subscribe(lambda batch: told.release())
    for _ in range(batches):
        await asyncio.wait_for(told.acquire(), timeout=5)


def degraded(sandbox: Sandbox) -> bool:
    return sandbox.is_degraded


def balance(universe: Universe, account: int, name: str = "north") -> Decimal:
    return till(universe.sandboxes.default, name).balances.get((account, "USDT"), Decimal(0))


# Durability


async def test_an_answer_leaves_when_the_journal_holds_it() -> None:
    universe = Universe()
    sandbox = await universe.open()
    universe.journal.gate = asyncio.Event()
    before = sandbox.durable_sequence
    (placed,) = start(sandbox.submit("north", deposit(1, "5")))
    await settle()
    assert balance(universe, 1) == 1005
    assert not placed.done()
    assert sandbox.sequence == before + 1
    assert sandbox.durable_sequence == before
    universe.journal.gate.set()
    done = await placed
    assert done.rejection is None
    assert sandbox.durable_sequence == before + 1
    (record,) = (await universe.journal.batches())[-1].records
    assert record.events == done.events
    assert (record.engine, record.time_us) == ("north", START_US)


async def test_commands_that_arrive_during_a_write_form_the_next_batch() -> None:
    universe = Universe()
    sandbox = await universe.open()
    universe.journal.gate = asyncio.Event()
    tasks = start(sandbox.submit("north", deposit(1, "1")))
    await settle()
    tasks += start(*(sandbox.submit("south", deposit(1, str(n))) for n in range(2, 11)))
    await settle()
    universe.journal.gate.set()
    await asyncio.gather(*tasks)
    first, second = (await universe.journal.batches())[-2:]
    assert [len(first.records), len(second.records)] == [1, 9]


async def test_commands_of_one_turn_share_a_batch() -> None:
    universe = Universe()
    sandbox = await universe.open()
    before = sandbox.sequence
    await asyncio.gather(*(sandbox.submit("north", deposit(1, "1")) for _ in range(50)))
    assert sandbox.sequence == before + 1


@pytest.mark.parametrize("is_slow", [True, False])
async def test_commands_of_further_turns_join_a_batch_where_a_write_takes_long(is_slow: bool) -> None:
    patience = replace(IMPATIENT, gather=60.0, gather_from=0.0 if is_slow else 60.0)
    universe = Universe(patience=patience)
    sandbox = await universe.open()
    universe.journal.turns = 2
    before = sandbox.sequence
    tasks: list[asyncio.Task[Any]] = []
    for _ in range(20):
        tasks += start(sandbox.submit("north", deposit(1, "1")))
        await asyncio.sleep(0)
    await asyncio.gather(*tasks)
    assert (sandbox.sequence == before + 1) is is_slow


async def test_who_came_first_does_not_wait_for_others_for_ever() -> None:
    universe = Universe(patience=replace(IMPATIENT, gather=0.01, gather_from=0.0))
    sandbox = await universe.open()
    before = sandbox.sequence
    while sandbox.durable_sequence == before:
        sandbox.decide("north", deposit(1, "1"), lambda done: None)
        await asyncio.sleep(0)
    assert sandbox.sequence > before


async def test_a_client_that_hangs_up_disturbs_nobody() -> None:
    universe = Universe()
    sandbox = await universe.open()
    universe.journal.gate = asyncio.Event()
    gone, stays = start(sandbox.submit("north", deposit(1, "1")), sandbox.submit("north", deposit(1, "2")))
    await settle()
    gone.cancel()
    await settle()
    universe.journal.gate.set()
    await stays
    assert gone.cancelled()
    assert balance(universe, 1) == 1003


async def test_a_refusal_that_saw_nothing_pending_writes_nothing() -> None:
    universe = Universe()
    sandbox = await universe.open()
    tries = universe.journal.tries
    done = await sandbox.submit("north", withdraw(1, "2000"))
    assert isinstance(done.rejection, InsufficientBalance)
    assert universe.journal.tries == tries


async def test_a_refusal_waits_for_the_state_that_it_tells_of() -> None:
    universe = Universe()
    sandbox = await universe.open()
    universe.journal.gate = asyncio.Event()
    tasks = start(sandbox.submit("north", withdraw(1, "1000")), sandbox.submit("north", withdraw(1, "1")))
    await settle()
    assert not any(task.done() for task in tasks)
    universe.journal.gate.set()
    _, refused = await asyncio.gather(*tasks)
    assert isinstance(refused.rejection, InsufficientBalance)


async def test_a_reader_waits_for_what_it_saw_and_for_nothing_else() -> None:
    universe = Universe()
    sandbox = await universe.open()
    await sandbox.durable(sandbox.advance())
    universe.journal.gate = asyncio.Event()
    old = sandbox.sequence
    (placed,) = start(sandbox.submit("north", deposit(1, "5")))
    await settle()
    await sandbox.durable(old)
    (reader,) = start(sandbox.durable(sandbox.advance()))
    await settle()
    assert not reader.done()
    universe.journal.gate.set()
    await asyncio.gather(reader, placed)


async def test_an_answer_reads_the_state_that_its_command_left() -> None:
    universe = Universe()
    sandbox = await universe.open()
    universe.journal.gate = asyncio.Event()
    tasks = start(
        sandbox.submit("north", deposit(1, "1"), lambda done: balance(universe, 1)),
        sandbox.submit("north", deposit(1, "1"), lambda done: balance(universe, 1)),
    )
    await settle()
    universe.journal.gate.set()
    assert await asyncio.gather(*tasks) == [1001, 1002]


async def test_an_answer_that_raises_is_raised_once_it_is_durable() -> None:
    universe = Universe()
    sandbox = await universe.open()
    universe.journal.gate = asyncio.Event()

    def refuse(done: object) -> None:
        raise LookupError

    (task,) = start(sandbox.submit("north", deposit(1, "1"), refuse))
    await settle()
    assert not task.done()
    universe.journal.gate.set()
    with pytest.raises(LookupError):
        await task
    assert balance(universe, 1) == 1001


async def test_subscribers_hear_of_durable_batches_only_and_in_order() -> None:
    universe = Universe()
    sandbox = await universe.open()
    heard: list[Batch] = []
    sandbox.fanout.subscribe(heard.append)
    universe.journal.gate = asyncio.Event()
    tasks = start(sandbox.submit("north", deposit(1, "1")))
    await settle()
    tasks += start(sandbox.submit("north", deposit(1, "2")))
    await settle()
    assert heard == []
    universe.journal.gate.set()
    await asyncio.gather(*tasks)
    assert heard == (await universe.journal.batches())[-2:]


async def test_an_unknown_engine_is_our_own_mistake() -> None:
    universe = Universe()
    sandbox = await universe.open()
    with pytest.raises(KeyError):
        await sandbox.submit("west", deposit(1, "1"))


# Time


async def test_times_never_decrease() -> None:
    universe = Universe()
    sandbox = await universe.open()
    for wall_us in (START_US + 100, START_US - 5_000_000, START_US + 100, START_US + 101):
        universe.wall_us = wall_us
        await sandbox.submit("north", deposit(1, "1"))
    times = [record.time_us for batch in await universe.journal.batches() for record in batch.records]
    assert times == sorted(times)
    assert times[-4:] == [START_US + 100] * 3 + [START_US + 101]


async def test_what_the_market_made_due_is_written_with_its_own_times_in_order() -> None:
    universe = Universe()
    sandbox = await universe.open()
    await sandbox.open_account("other")
    await sandbox.submit("north", deposit(1, "1", until_us=START_US + 30))
    await sandbox.submit("south", deposit(1, "2", until_us=START_US + 20))
    await sandbox.submit("north", deposit(2, "3", until_us=START_US + 10))
    await sandbox.submit("north", deposit(2, "4", until_us=START_US + 99))
    universe.wall_us += 50
    sequence = sandbox.advance()
    await sandbox.durable(sequence)
    batch = (await universe.journal.batches())[-1]
    assert batch.sequence == sequence
    assert [(r.engine, r.time_us - START_US) for r in batch.records] == [
        ("north", 10),
        ("south", 20),
        ("north", 30),
    ]
    assert sandbox.advance() == sequence


async def test_a_command_sees_what_was_due_before_it() -> None:
    universe = Universe()
    sandbox = await universe.open()
    await sandbox.submit("north", deposit(1, "500", until_us=START_US + 10))
    universe.wall_us += 10
    done = await sandbox.submit("north", withdraw(1, "1001"))
    assert done.rejection == InsufficientBalance(asset="USDT", needed=Decimal(1001), available=Decimal(1000))


async def test_a_long_advance_is_split_into_bounded_batches() -> None:
    universe = Universe()
    sandbox = await universe.open()
    many = sequencer.RECORDS_PER_BATCH_MAX + 10
    for n in range(1, many + 1):
        till(sandbox).due.append((START_US + n, 1, "USDT", Decimal("0.01")))
    universe.wall_us += many
    before = sandbox.durable_sequence
    await sandbox.durable(sandbox.advance())
    batches = [b for b in await universe.journal.batches() if b.sequence > before]
    assert [len(batch.records) for batch in batches] == [sequencer.RECORDS_PER_BATCH_MAX, 10]


# A journal that fails


async def test_a_short_failure_is_only_felt_as_delay() -> None:
    universe = Universe()
    sandbox = await universe.open()
    universe.journal.fails = 2
    done = await sandbox.submit("north", deposit(1, "5"))
    assert done.rejection is None
    assert not degraded(sandbox)
    sequences = [batch.sequence for batch in await universe.journal.batches()]
    assert sequences == list(range(1, len(sequences) + 1))


async def test_a_long_failure_is_said_and_mended() -> None:
    universe = Universe()
    sandbox = await universe.open()
    other = await sandbox.open_account("other")
    universe.journal.fails = 1_000_000
    seen = sandbox.sequence
    tasks = start(sandbox.submit("north", deposit(1, "5")), sandbox.submit("north", deposit(1, "6")))
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [OutcomeUnknown, OutcomeUnknown]
    assert degraded(sandbox)

    with pytest.raises(StorageUnavailable):
        await sandbox.submit("north", deposit(other, "1"))
    with pytest.raises(StorageUnavailable):
        await sandbox.open_account("third")
    assert balance(universe, other) == 0
    assert list(sandbox.accounts) == ["demo", "other"]

    sequence = sandbox.advance()
    await sandbox.durable(seen)
    await sandbox.durable(sequence, engine="south")
    await sandbox.durable(sequence, engine="north", account=other)
    for engine, account in ((None, None), ("north", None), ("north", 1)):
        with pytest.raises(StorageUnavailable):
            await sandbox.durable(sequence, engine=engine, account=account)

    universe.journal.fails = 0
    await until_told(universe, 1)
    assert not degraded(sandbox)
    await sandbox.durable(sequence)
    await sandbox.submit("north", deposit(1, "7"))
    assert balance(universe, 1) == 1018
    *_, kept, last = await universe.journal.batches()
    assert [len(kept.records), len(last.records)] == [2, 1]


async def test_pending_batches_are_written_in_order_when_it_is_back() -> None:
    universe = Universe()
    sandbox = await universe.open()
    universe.journal.gate = asyncio.Event()
    universe.journal.fails = 3
    tasks = start(sandbox.submit("north", deposit(1, "1")))
    await settle()
    tasks += start(sandbox.submit("north", deposit(1, "2")))
    await settle()
    universe.journal.gate.set()
    await asyncio.gather(*tasks)
    amounts = [
        event.amount
        for batch in (await universe.journal.batches())[-2:]
        for record in batch.records
        for event in record.events
        if hasattr(event, "amount")
    ]
    assert amounts == [1, 2]


async def test_nothing_comes_due_while_it_fails_and_all_of_it_afterwards() -> None:
    universe = Universe()
    sandbox = await universe.open()
    await sandbox.submit("north", deposit(1, "5", until_us=START_US + 10))
    universe.journal.fails = 1_000_000
    with pytest.raises(OutcomeUnknown):
        await sandbox.submit("north", deposit(1, "1"))
    universe.wall_us += 20
    sandbox.advance()
    assert balance(universe, 1) == 1006
    universe.journal.fails = 0
    await until_told(universe, 1)
    await sandbox.durable(sandbox.advance())
    (record,) = (await universe.journal.batches())[-1].records
    assert record.time_us == START_US + 10
    assert isinstance(record.events[0], AmountWithdrawn)


async def test_a_write_that_succeeded_though_it_reported_an_error_is_not_repeated() -> None:
    universe = Universe()
    sandbox = await universe.open()
    universe.journal.fails = 1
    universe.journal.after_write = True
    await sandbox.submit("north", deposit(1, "5"))
    await sandbox.submit("north", deposit(1, "6"))
    assert not degraded(sandbox)
    sequences = [batch.sequence for batch in await universe.journal.batches()]
    assert sequences == list(range(1, len(sequences) + 1))


async def test_a_silent_journal_is_taken_for_a_failing_one() -> None:
    universe = Universe()
    sandbox = await universe.open()
    universe.journal.gate = asyncio.Event()
    with pytest.raises(OutcomeUnknown):
        await sandbox.submit("north", deposit(1, "5"))
    with pytest.raises(StorageUnavailable):
        await sandbox.submit("north", deposit(1, "5"))
    universe.journal.gate.set()
    await until_told(universe, 1)
    await sandbox.submit("north", deposit(1, "6"))
    assert balance(universe, 1) == 1011


async def test_a_loop_kept_busy_by_others_is_not_the_journals_fault() -> None:
    universe = Universe()
    sandbox = await universe.open()
    universe.journal.turns = 5
    (placed,) = start(sandbox.submit("north", deposit(1, "5")))
    await asyncio.sleep(0)
    busy_until = time.monotonic() + 3 * IMPATIENT.answer
    while time.monotonic() < busy_until:
        pass
    assert (await placed).rejection is None
    assert not degraded(sandbox)


async def test_a_second_writer_is_kept_out() -> None:
    universe = Universe()
    sandbox = await universe.open()
    intruder = Batch(sandbox="default", sequence=sandbox.durable_sequence + 1, records=())
    await universe.journal.append(intruder)
    with pytest.raises(OutcomeUnknown):
        await sandbox.submit("north", deposit(1, "5"))
    with pytest.raises(SandboxClosed):
        await sandbox.submit("north", deposit(1, "5"))
    with pytest.raises(StorageUnavailable):
        await sandbox.durable(sandbox.advance(), engine="south")
    assert (await universe.journal.batches())[-1] == intruder


async def test_who_listens_hears_that_the_journal_was_lost_and_nothing_piles_up() -> None:
    universe = Universe()
    sandbox = await universe.open()
    ended: list[str] = []
    sandbox.fanout.at_end(lambda: ended.append("ended"))
    await universe.journal.append(Batch(sandbox="default", sequence=sandbox.durable_sequence + 1, records=()))
    submitting = asyncio.create_task(sandbox.submit("north", deposit(1, "5")))
    await settle()
    sandbox.outlet.say(sandbox.sequence, lambda: ended.append("never"))
    with pytest.raises(OutcomeUnknown):
        await submitting
    assert ended == ["ended"]
    assert sandbox.is_degraded
    assert sandbox.outlet.held == 0


# An engine that fails


async def test_an_engine_that_raises_is_rebuilt_from_the_journal(caplog: pytest.LogCaptureFixture) -> None:
    universe = Universe()
    sandbox = await universe.open()
    await sandbox.submit("north", deposit(1, "5"))
    broken, sound, before = till(sandbox), till(sandbox, "south"), sandbox.fingerprint()
    universe.defects["execute"] = 1
    with pytest.raises(OutcomeUnknown):
        await sandbox.submit("north", deposit(1, "6"))
    assert "Defect" in caplog.text
    assert till(sandbox) is not broken
    assert till(sandbox, "south") is sound
    assert sandbox.fingerprint() == before
    await sandbox.submit("north", deposit(1, "7"))
    assert balance(universe, 1) == 1012


async def test_a_rebuild_includes_what_was_pending() -> None:
    universe = Universe()
    sandbox = await universe.open()
    universe.journal.gate = asyncio.Event()
    (first,) = start(sandbox.submit("north", deposit(1, "5")))
    await settle()
    universe.defects["execute"] = 1
    failed, after = start(sandbox.submit("north", deposit(1, "6")), sandbox.submit("north", deposit(1, "7")))
    await settle()
    with pytest.raises(EngineUnavailable):
        sandbox.engines["north"]
    (elsewhere,) = start(sandbox.submit("south", deposit(1, "8")))
    await settle()
    universe.journal.gate.set()
    await asyncio.gather(first, after, elsewhere)
    with pytest.raises(OutcomeUnknown):
        await failed
    assert balance(universe, 1) == 1012
    assert balance(universe, 1, "south") == 8


async def test_an_engine_that_raises_while_it_advances_does_not_stop_the_others() -> None:
    universe = Universe()
    sandbox = await universe.open()
    await sandbox.submit("north", deposit(1, "5", until_us=START_US + 10))
    await sandbox.submit("south", deposit(1, "6", until_us=START_US + 10))
    universe.wall_us += 10
    universe.defects["advance"] = 1
    sandbox.advance()
    assert balance(universe, 1, "south") == 0
    with pytest.raises(EngineUnavailable):
        sandbox.engines["north"]
    await sandbox.submit("north", deposit(1, "1"))
    assert balance(universe, 1) == 1001
