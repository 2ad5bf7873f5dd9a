"""What `emulator storage` does, and what a start finds: on the real engine, with a life behind it in which
everything happened. Each kind of storage goes through all of it."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from decimal import Decimal
from itertools import count
from pathlib import Path

import msgspec
import pytest

from emulator.app import make_engines, provision
from emulator.core import commands as c
from emulator.core.engine import Done
from emulator.core.events import BalanceCorrected
from emulator.core.history import BalanceRecord, Fill
from emulator.core.instruments import OrderType, Side
from emulator.core.ledger import MARKET
from emulator.core.numbers import canonical
from emulator.core.orders import OrderTerms, Trigger, TriggerKind
from emulator.exchanges.binance import ENGINE
from emulator.runtime import upkeep
from emulator.runtime.archive import Archive, ArchiveDamaged, Mark, Row
from emulator.runtime.chronicle import Keeping
from emulator.runtime.ports import ClockMode, Journal, KeyRecord, StorageUnavailable
from emulator.runtime.recovery import MakeEngines
from emulator.runtime.sandbox import Sandbox
from emulator.runtime.sandboxes import ClockStart, Sandboxes
from emulator.storage.memory import MemoryArchive, MemoryJournal
from emulator.storage.mongo import MongoArchive, MongoJournal
from emulator.storage.sqlite import SqliteJournal
from emulator.storage.sqlite_archive import SqliteArchive
from tests.storage.forgetful import forgetful_engines
from tests.storage.samples.workload import START_US, limit, live

pytestmark = pytest.mark.anyio

NAME = "default"
BTC = "BTCUSDT"
DEMO = 1
OF_CONTRACTS = {"positions", "contract_settings", "margin_changes", "wallet_settings", "closed_positions"}
"""Tables of what this life did not have: no contract was traded."""


class Place:
    """Where a journal and its archive are kept, opened by one process after the other."""

    def __init__(self, open_both: Callable[[], tuple[Journal, Archive]]) -> None:
        self._open_both = open_both

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[tuple[Journal, Archive]]:
        journal, archive = self._open_both()
        try:
            yield journal, archive
        finally:
            await archive.close()
            await journal.close()

    @asynccontextmanager
    async def running(
        self, engines: MakeEngines = make_engines, *, is_archived: bool = True, is_still: bool = True
    ) -> AsyncIterator[Sandbox]:
        """An emulator on it. is_archived: or does it end before anything comes to its archive. is_still:
        or does its clock, the wall's, show another time whenever it is looked at."""
        walls = count(START_US * 1000, 1_000_000)
        async with self.opened() as (journal, archive):
            sandboxes = Sandboxes(
                journal=journal,
                archive=archive if is_archived else None,
                keeping=Keeping(retained=20),
                make_engines=engines,
                provision=provision,
                wall_ns=lambda: START_US * 1000 if is_still else next(walls),
                seed=20,
                clock=ClockStart(mode=ClockMode.VIRTUAL, time_us=START_US) if is_still else ClockStart(),
            )
            await sandboxes.open()
            try:
                yield sandboxes.default
            finally:
                await sandboxes.close()

    async def verify(self, engines: MakeEngines = make_engines) -> upkeep.Verified:
        async with self.opened() as (journal, archive):
            return await upkeep.verify(journal, archive, NAME, engines)

    async def rebuild(self, engines: MakeEngines = make_engines) -> dict[str, int]:
        async with self.opened() as (journal, archive):
            return await upkeep.rebuild(journal, archive, NAME, engines)

    async def plan(self, engines: MakeEngines = make_engines) -> upkeep.Plan:
        async with self.opened() as (journal, archive):
            return await upkeep.plan_repair(journal, archive, NAME, engines)

    async def repair(self, engines: MakeEngines = make_engines) -> upkeep.Plan:
        async with self.opened() as (journal, archive):
            return await upkeep.repair(journal, archive, NAME, engines)

    async def entries(self) -> int:
        async with self.opened() as (journal, _):
            return sum([1 async for _ in journal.read(NAME)])


@pytest.fixture(params=["memory", "sqlite", "mongo"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    if request.param == "memory":
        both = MemoryJournal(), MemoryArchive()
        return Place(lambda: both)
    if request.param == "sqlite":
        return in_files(tmp_path)
    url = request.getfixturevalue("mongo_url")
    return Place(lambda: (MongoJournal(url), MongoArchive(url)))


def in_files(folder: Path) -> Place:
    return Place(lambda: (SqliteJournal(folder / "journal.sqlite"), SqliteArchive(folder / "history.sqlite")))


async def buy(sandbox: Sandbox, quantity: str, *, client_id: str = "") -> Decimal:
    """A bid of the demo account below the market; returns what it holds."""
    last = sandbox.engines[ENGINE].state.markets[BTC].last_price(sandbox.clock.now_us())
    price = (last * Decimal("0.9")).quantize(Decimal(1))
    terms = limit(Side.BUY, Decimal(quantity), price, client_id=client_id)
    command = c.PlaceOrder(account=DEMO, wallet="spot", instrument=BTC, terms=terms)
    done = await sandbox.submit(ENGINE, command)
    assert done.rejection is None
    return canonical(price * Decimal(quantity))


async def cancel_all(sandbox: Sandbox) -> Done:
    return await sandbox.submit(ENGINE, c.CancelAllOrders(account=DEMO, instrument=BTC))


async def caught_up(sandbox: Sandbox) -> None:
    """The archive has what was so far."""
    assert sandbox.chronicle is not None
    await sandbox.chronicle.flush()


def usdt(sandbox: Sandbox) -> tuple[Decimal, Decimal]:
    """Free and held, as they are shown."""
    balance = sandbox.engines[ENGINE].state.ledger.balance(DEMO, "spot", "USDT")
    return canonical(balance.free), canonical(balance.held)


async def the_mark(archive: Archive) -> Mark:
    mark = await archive.mark(NAME)
    assert mark is not None
    return mark


async def change_a_balance(place: Place) -> None:
    async with place.opened() as (_, archive):
        async for engine, record in archive.scan(NAME, BalanceRecord):
            if (record.account, record.wallet, record.asset) == (DEMO, "spot", "USDT"):
                changed = msgspec.structs.replace(record, free=record.free + 7)
                await archive.write(NAME, [Row(engine, changed)], await the_mark(archive))
                return
    raise AssertionError("the account has no such balance")


# All records of a type


async def test_all_records_of_a_type_are_read_page_by_page(place: Place) -> None:
    def record(account: int, wallet: str) -> BalanceRecord:
        return BalanceRecord(account, wallet, "USDT", Decimal(account), Decimal("1.50"), 9)

    there = [(name, record(n, wallet)) for name in ("a", "b") for n in range(301) for wallet in ("s", "f/2")]
    async with place.opened() as (_, archive):
        await archive.write(NAME, [Row(name, one) for name, one in there], Mark(1, ""))
        for other in ("defaul", "default-2", "default0"):
            await archive.write(other, [Row("a", record(1, "s"))], Mark(1, ""))
        scanned = [one async for one in archive.scan(NAME, BalanceRecord)]
        assert sorted(scanned, key=str) == sorted(there, key=str)
        assert [one async for one in archive.scan(NAME, Fill)] == []
        assert [one async for one in archive.scan("nobody", BalanceRecord)] == []


# Verify and rebuild


async def test_what_a_life_leaves_is_what_its_journal_comes_to(place: Place) -> None:
    async with place.running() as sandbox:
        await live(sandbox)
        state = sandbox.engines[ENGINE].state
        assert state.orders, "some stay open, and are no history"
        assert state.lists
    verified = await place.verify()
    assert verified.agrees, verified
    assert verified.notes == []
    assert verified.snapshot == verified.entries == await place.entries()
    counts = {table: figures.records for table, figures in verified.tables.items()}
    assert {table for table, count in counts.items() if not count} == OF_CONTRACTS, (
        "every other table has something to compare"
    )
    assert counts["ledger_entries"] == verified.ledger_entries
    assert counts["balances"] == verified.balances
    assert counts["api_keys"] == 3


async def test_commands_of_one_entry_leave_what_each_of_them_left(place: Place) -> None:
    """An archive that is written as things happen may see more than one that is made entry by entry."""
    async with place.running(is_still=False) as sandbox:
        last = sandbox.engines[ENGINE].state.markets[BTC].last_price(sandbox.clock.now_us())
        trailing = Trigger(kind=TriggerKind.STOP_LOSS, trailing_bips=200)
        terms = OrderTerms(side=Side.SELL, type=OrderType.MARKET, quantity=Decimal(1), trigger=trailing)
        before = sandbox.sequence
        await asyncio.gather(
            sandbox.submit(ENGINE, c.PlaceOrder(account=DEMO, wallet="spot", instrument=BTC, terms=terms)),
            buy(sandbox, "0.1"),
            sandbox.submit(ENGINE, c.PrintTrade(instrument=BTC, price=last + 100, quantity=Decimal(1))),
            buy(sandbox, "0.2"),
        )
        assert sandbox.sequence - before < 4, "some of them are one entry"
        (order,) = [one for one in sandbox.engines[ENGINE].state.orders.values() if one.trailing]
        assert order.seen == last + 100
    verified = await place.verify()
    assert verified.agrees, verified


async def test_a_rebuild_makes_the_same_again_and_again(place: Place) -> None:
    async with place.running() as sandbox:
        await live(sandbox)
    before = await place.verify()
    for _ in range(2):
        counts = await place.rebuild()
        after = await place.verify()
        assert after == before
        assert counts == {table: figures.records for table, figures in after.tables.items()}
    async with place.running() as sandbox:
        assert not sandbox.is_degraded


async def test_a_missing_and_a_changed_trade_are_found(place: Place) -> None:
    async with place.running() as sandbox:
        await live(sandbox)
    before = (await place.verify()).tables["trades"]
    async with place.opened() as (_, archive):
        mark = await the_mark(archive)
        (engine, missing), (_, changed) = [one async for one in archive.scan(NAME, Fill)][:2]
        await archive.write(NAME, [Row(engine, missing, is_gone=True)], mark)
    one_missing = await place.verify()
    (difference,) = one_missing.of_archive
    assert difference.startswith(f"trades: the journal comes to {before}, the archive has ")
    assert one_missing.tables["trades"].records == before.records - 1
    async with place.opened() as (_, archive):
        cheaper = msgspec.structs.replace(changed, price=changed.price - 1)
        await archive.write(NAME, [Row(engine, missing), Row(engine, cheaper)], mark)
    one_changed = await place.verify()
    (difference,) = one_changed.of_archive
    assert difference.startswith(f"trades: the journal comes to {before}, the archive has ")
    assert one_changed.tables["trades"].records == before.records
    await place.rebuild()
    assert (await place.verify()).tables["trades"] == before


async def test_an_archive_that_is_behind_is_compared_as_far_as_it_goes(place: Place) -> None:
    async with place.running() as sandbox:
        await live(sandbox)
    async with place.running(is_archived=False) as sandbox:
        await buy(sandbox, "0.1")
    verified = await place.verify()
    assert verified.agrees, verified
    assert verified.notes == ["entries that the archive lacks, which the next start makes up for: 1"]
    assert verified.snapshot == verified.entries - 1
    async with place.running() as sandbox:
        assert not sandbox.is_degraded
    assert (await place.verify()).notes == []


async def test_a_key_that_was_removed_before_the_archive_heard_of_it_is_gone(place: Place) -> None:
    async with place.running() as sandbox:
        await sandbox.add_key(KeyRecord(key="a-key", account=DEMO, secret="s"))
    async with place.running(is_archived=False) as sandbox:
        await sandbox.remove_key("a-key")
    assert (await place.verify()).tables["api_keys"].records == 2
    async with place.running() as sandbox:
        assert "a-key" not in sandbox.keys
    verified = await place.verify()
    assert verified.agrees, verified
    assert verified.tables["api_keys"].records == 1


async def test_an_archive_of_another_journal_is_said_to_be(tmp_path: Path) -> None:
    for name, amount in (("one", "0.1"), ("other", "0.2")):
        async with in_files(tmp_path / name).running() as sandbox:
            await buy(sandbox, amount)
    (tmp_path / "one" / "history.sqlite").replace(tmp_path / "other" / "history.sqlite")
    verified = await in_files(tmp_path / "other").verify()
    (difference,) = verified.of_archive
    assert difference.startswith("the archive is another journal's: it has come to entry ")
    assert verified.notes == [
        "there is a snapshot of another release or another journal: the next start reads the whole journal"
    ]


# What a start finds in the archive


async def test_a_balance_that_the_archive_knows_otherwise_stops_trading(
    place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    async with place.running() as sandbox:
        await buy(sandbox, "0.1")
        free, held = usdt(sandbox)
    entries = await place.entries()
    await change_a_balance(place)
    said = (
        f"binance: the balance of USDT of account 1 in spot is free {free:f} and held {held:f} by the"
        f" journal, free {free + 7:f} and held {held:f} in the archive"
    )
    for _ in range(2):
        async with place.running() as sandbox:
            assert sandbox.is_degraded
            assert sandbox.degraded_because is not None
            assert said in sandbox.degraded_because
            assert "`emulator storage repair`" in sandbox.degraded_because
            assert [r for r in caplog.records if r.levelno == logging.ERROR and said in r.getMessage()]
            with pytest.raises(StorageUnavailable, match="books do not agree"):
                await buy(sandbox, "0.1")
            with pytest.raises(StorageUnavailable, match="books do not agree"):
                await sandbox.step_clock(1_000_000)
            assert sandbox.advance() == sandbox.durable_sequence == entries
            assert usdt(sandbox) == (free, held), "reads are answered"
            assert await sandbox.snapshot() is None
    plan = await place.plan()
    assert said in plan.verified.of_archive
    assert (plan.verified.of_state, plan.commands) == ([], {})
    assert (await place.repair()).is_needed
    assert await place.entries() == entries, "the journal's figures stand"
    assert not (await place.plan()).is_needed
    async with place.running() as sandbox:
        assert not sandbox.is_degraded
        assert usdt(sandbox) == (free, held)
        assert (await cancel_all(sandbox)).rejection is None
    assert (await place.verify()).agrees


async def test_a_balance_without_a_record_is_a_mismatch_too(place: Place) -> None:
    async with place.running():
        pass
    async with place.opened() as (_, archive):
        engine, record = await anext(archive.scan(NAME, BalanceRecord))
        await archive.write(NAME, [Row(engine, record, is_gone=True)], await the_mark(archive))
    async with place.running() as sandbox:
        assert sandbox.degraded_because is not None
        assert f"the balance of {record.asset} " in sandbox.degraded_because
        assert sandbox.degraded_because.endswith("by the journal, nothing in the archive")


async def test_a_crash_between_journal_and_archive_is_no_mismatch(place: Place) -> None:
    """What the archive lacks is written at the start, and is right by itself."""
    async with place.running() as sandbox:
        await buy(sandbox, "0.1")
    async with place.running(is_archived=False) as sandbox:
        await buy(sandbox, "0.2")
        known = usdt(sandbox)
    async with place.running() as sandbox:
        assert not sandbox.is_degraded
        assert usdt(sandbox) == known


async def test_a_row_changed_in_the_file_is_found(tmp_path: Path) -> None:
    place = in_files(tmp_path)
    async with place.running():
        pass

    def change(statement: str) -> None:
        with closing(sqlite3.connect(tmp_path / "history.sqlite")) as connection, connection:
            assert connection.execute(statement).rowcount == 1

    mine = "WHERE shelf = (SELECT id FROM shelf WHERE account = 1 AND scope = 'spot/USDT')"
    change(f"UPDATE balances SET record = replace(record, '1000000', '1000001') {mine}")
    async with place.running() as sandbox:
        assert sandbox.degraded_because is not None
        assert (
            "free 1000000 and held 0 by the journal, free 1000001 and held 0 in" in sandbox.degraded_because
        )
    for damage in ("record = 'nothing'", "label = 'elsewhere'"):
        await place.rebuild()
        change(f"UPDATE balances SET {damage} {mine}")
        async with place.opened() as (_, archive):
            with pytest.raises(ArchiveDamaged, match=r"history\.sqlite: balances: "):
                [one async for one in archive.scan(NAME, BalanceRecord)]
        async with place.running() as sandbox:
            assert sandbox.degraded_because is not None
            assert "the archive's balances cannot be read: " in sandbox.degraded_because
        (difference, _) = (await place.verify()).of_archive
        assert difference.startswith("balances: the journal comes to ")
    await place.repair()
    async with place.running() as sandbox:
        assert not sandbox.is_degraded


# A snapshot that is wrong


@pytest.mark.parametrize("is_balanced", [False, True])
async def test_a_snapshot_of_wrong_books_is_set_aside(
    place: Place, caplog: pytest.LogCaptureFixture, is_balanced: bool
) -> None:
    """Books that do not agree with themselves say so; those that do are compared with the archive."""
    async with place.running() as sandbox:
        await buy(sandbox, "0.1")
        known = usdt(sandbox)
        whole = sandbox.fingerprint()
        await caught_up(sandbox)
        ledger = sandbox.engines[ENGINE].state.ledger
        ledger.balance(DEMO, "spot", "USDT").free += 5
        if is_balanced:
            ledger.counterparties[MARKET]["USDT"] = Decimal(-5)
        await sandbox.snapshot()
    verified = await place.verify()
    (difference,) = verified.of_archive
    assert difference.startswith(f"the snapshot of entry {verified.entries}: the journal comes to the finger")
    async with place.running() as sandbox:
        assert not sandbox.is_degraded
        assert usdt(sandbox) == known
        assert sandbox.fingerprint() == whole
    warnings = [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING]
    if is_balanced:
        figures = f"is free {known[0] + 5:f} and held {known[1]:f} by the journal, free {known[0]:f} and held"
        assert any(figures in warning for warning in warnings)
    else:
        figures = "the snapshot is not used: binance: sum of USDT: expected 0, found 5"
        assert any(figures in warning for warning in warnings)
    assert any("the snapshot is replaced" in warning for warning in warnings)
    assert (await place.verify()).agrees
    caplog.clear()
    async with place.running() as sandbox:
        assert sandbox.fingerprint() == whole
    assert caplog.records == []


async def test_nothing_of_a_wrong_snapshot_comes_to_the_archive(place: Place) -> None:
    async with place.running() as sandbox:
        await buy(sandbox, "0.1")
        await caught_up(sandbox)
        sandbox.engines[ENGINE].state.ledger.balance(DEMO, "spot", "USDT").free += 5
        await sandbox.snapshot()
    async with place.running(is_archived=False) as sandbox:
        await buy(sandbox, "0.2")
        known = usdt(sandbox)
    async with place.running() as sandbox:
        assert not sandbox.is_degraded
        assert usdt(sandbox) == known
    verified = await place.verify()
    assert verified.agrees, verified


# Books that do not agree with themselves


@pytest.mark.parametrize("how", ["forget", "lose"])
async def test_books_that_do_not_agree_are_repaired_by_a_journalled_correction(
    place: Place, how: str
) -> None:
    async with place.running(forgetful_engines) as sandbox:
        needed = await buy(sandbox, "0.1", client_id=f"{how}-1")
        needed += await buy(sandbox, "0.2", client_id=f"{how}-2")
        free, held = usdt(sandbox)
        assert held == needed - 2
    entries = await place.entries()
    async with place.running(forgetful_engines) as sandbox:
        assert sandbox.degraded_because is not None
        figures = f"binance: held of USDT of account 1 in spot: expected {needed:f}, found {held:f}"
        assert figures in sandbox.degraded_because
        with pytest.raises(StorageUnavailable):
            await cancel_all(sandbox)
    plan = await place.plan(forgetful_engines)
    assert plan.is_needed
    assert plan.commands[ENGINE][0] == c.CorrectBalance(
        account=DEMO, wallet="spot", asset="USDT", free=Decimal(-2), held=Decimal(2), rounding=Decimal(0)
    )
    assert await place.entries() == entries, "a plan changes nothing"

    await place.repair(forgetful_engines)
    assert await place.entries() == entries + 1
    async with place.opened() as (journal, _):
        (batch,) = [batch async for batch in journal.read(NAME, entries)]
    corrected = [event for record in batch.records for event in record.events]
    assert all(isinstance(event, BalanceCorrected) for event in corrected)
    assert len(corrected) == (2 if how == "lose" else 1), "what was lost is booked as well"
    for _ in range(2):
        async with place.running(forgetful_engines) as sandbox:
            assert not sandbox.is_degraded
            assert usdt(sandbox) == (free - 2, held + 2)
            assert sandbox.engines[ENGINE].audit() == []
    assert not (await place.plan(forgetful_engines)).is_needed
    async with place.running(forgetful_engines) as sandbox:
        assert (await cancel_all(sandbox)).rejection is None
        assert usdt(sandbox) == (free + held, Decimal(0))
        later = await buy(sandbox, "0.3")
    async with place.running(forgetful_engines) as sandbox:
        assert usdt(sandbox) == (free + held - later, later)
    assert (await place.verify(forgetful_engines)).agrees is (how == "forget")
