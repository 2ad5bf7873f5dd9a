"""An archive whose file turns out to be damaged: nothing wrong is ever answered from it, and the next start
makes it anew."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest

from emulator.core.history import LedgerEntry, Query
from emulator.core.orders import Order
from emulator.runtime import upkeep
from emulator.runtime.archive import ArchiveDamaged, ArchiveLost
from emulator.runtime.sandbox import Sandbox
from emulator.storage.sqlite_archive import SqliteArchive
from tests.runtime.test_chronicle import NOTHING_KEPT, caught_up, everything, failure, trade
from tests.runtime.test_with_engine import Exchange
from tests.runtime.universe import FailingJournal

pytestmark = pytest.mark.anyio

PAGE = 4096


class World:
    """A journal, and a file for its archive, opened by one process after the other."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "history.sqlite"
        self.journal = FailingJournal()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Exchange]:
        archive = SqliteArchive(self.path)
        exchange = Exchange(self.journal, archive=archive, keeping=NOTHING_KEPT)
        await exchange.open()
        try:
            yield exchange
        finally:
            await exchange.sandboxes.close()
            await archive.close()

    def damage(self, *tables: str) -> None:
        """Write nonsense over every page of these tables, and of no others."""
        with closing(sqlite3.connect(self.path)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            roots = [
                root
                for table in tables
                for (root,) in connection.execute(
                    "SELECT rootpage FROM sqlite_master WHERE tbl_name = ?", (table,)
                )
            ]
        with self.path.open("r+b") as file:
            for root in roots:
                file.seek((root - 1) * PAGE)
                file.write(b"\xff" * 64)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


async def orders(sandbox: Sandbox) -> list[Order]:
    return await sandbox.history.select("here", Order, Query(account=1, scope="BTCUSDT"))


async def test_damage_that_is_met_while_it_runs_costs_answers_until_the_next_start(world: World) -> None:
    async with world.running() as exchange:
        sandbox = exchange.sandboxes.default
        await trade(sandbox, 20)
        await caught_up(sandbox)
        seen = await everything(sandbox)
        assert len(await orders(sandbox)) == 20
        world.damage("orders")
        for _ in range(2):
            with pytest.raises(ArchiveLost, match="the next start makes it anew"):
                await orders(sandbox)
        await trade(sandbox)
        assert sandbox.chronicle is not None
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await sandbox.chronicle.flush()
        reason = failure(sandbox)
        assert reason is not None
        assert reason.endswith("the next start makes it anew")
        assert not sandbox.is_degraded
        # What begins now relies on nothing that was there before.
        fork = await exchange.sandboxes.fork("default", "fork")
        assert len(await orders(fork)) == 25
    async with world.running() as exchange:
        again = exchange.sandboxes.default
        assert not again.is_degraded
        after = await everything(again)
        assert [one for one in after if one in seen] == seen
        assert len(await orders(again)) == 25


@pytest.mark.parametrize("table", ["mark", "snapshot", "balances", "orders"])
async def test_damage_that_is_met_at_a_start(world: World, table: str) -> None:
    async with world.running() as exchange:
        await trade(exchange.sandboxes.default, 20)
        fork = await exchange.sandboxes.fork("default", "fork")
        await trade(fork)
        seen = [await everything(one) for one in exchange.sandboxes]
    world.damage(table)
    async with world.running() as exchange:
        assert not any(one.is_degraded for one in exchange.sandboxes)
        assert [await everything(one) for one in exchange.sandboxes] == seen
    async with world.running() as exchange:
        assert [await everything(one) for one in exchange.sandboxes] == seen


async def test_a_damaged_archive_is_rebuilt(world: World) -> None:
    async with world.running() as exchange:
        await trade(exchange.sandboxes.default, 20)
    world.damage("orders", "balances")
    archive = SqliteArchive(world.path)
    counts = await upkeep.rebuild(world.journal, archive, "default", exchange.make_engines)
    assert counts["orders"] == 40
    assert (await upkeep.verify(world.journal, archive, "default", exchange.make_engines)).agrees
    await archive.close()


@pytest.mark.parametrize(
    "damage",
    [
        "records = '[{}]'",
        "records = '[]'",
        "first = first + 1",
        "until_us = until_us - 1",
        "shelf = (SELECT max(id) FROM shelf WHERE scope <> '')",
    ],
)
async def test_ledger_entries_that_are_none_or_anothers(world: World, damage: str) -> None:
    async with world.running() as exchange:
        await trade(exchange.sandboxes.default)
    with closing(sqlite3.connect(world.path)) as connection, connection:
        changed = connection.execute(
            f"UPDATE ledger_entries SET {damage} WHERE rowid = (SELECT max(rowid) FROM ledger_entries)"
        )
        assert changed.rowcount == 1
    archive = SqliteArchive(world.path)
    with pytest.raises(ArchiveDamaged, match="ledger_entries: "):
        [one async for one in archive.scan("default", LedgerEntry)]
    verified = await upkeep.verify(world.journal, archive, "default", exchange.make_engines)
    (difference,) = verified.of_archive
    assert "ledger_entries: the journal comes to " in difference
    await upkeep.repair(world.journal, archive, "default", exchange.make_engines)
    assert (await upkeep.verify(world.journal, archive, "default", exchange.make_engines)).agrees
    await archive.close()


async def test_a_record_that_is_none(world: World) -> None:
    async with world.running() as exchange:
        await trade(exchange.sandboxes.default)
    with closing(sqlite3.connect(world.path)) as connection, connection:
        connection.execute("UPDATE orders SET record = '{}' WHERE id = 1")
    async with world.running() as exchange:
        with pytest.raises(ArchiveDamaged, match="orders"):
            await orders(exchange.sandboxes.default)
