"""What an archive does to a sandbox when it is slow, refuses, or goes on with what nobody waits for; and what
a sandbox does to its archive when it breaks, ends, or changes while somebody asks."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from emulator.core.commands import AmendOrder, Command, Deposit, PlaceOrder
from emulator.core.engine import Engine
from emulator.core.events import Event
from emulator.core.history import Query
from emulator.core.instruments import Side
from emulator.core.orders import Order
from emulator.feeds.synthetic import SyntheticFeed
from emulator.runtime import upkeep
from emulator.runtime.archive import ArchiveUnavailable, Mark, Row, Snapshot
from emulator.runtime.chronicle import Keeping
from emulator.runtime.ports import ClockMode, OutcomeUnknown, SandboxClosed, StorageUnavailable
from emulator.runtime.sandbox import Sandbox
from emulator.storage.memory import MemoryArchive
from tests.runtime.test_chronicle import (
    NOTHING_KEPT,
    BadArchive,
    Defect,
    caught_up,
    everything,
    remembered,
    trade,
)
from tests.runtime.test_with_engine import HOUR_US, INSTRUMENTS, Exchange, limit
from tests.runtime.universe import START_US, FailingJournal

pytestmark = pytest.mark.anyio

BTC = "BTCUSDT"
TURNS = 20


class SlowArchive(BadArchive):
    """answering: every question waits for it. asked: somebody asked. A write goes on when nobody waits for
    it any more, as in a database that has got it already. began: a write did."""

    def __init__(self) -> None:
        super().__init__()
        self.answering: asyncio.Event | None = None
        self.asked = asyncio.Event()
        self.began = asyncio.Event()

    async def write(self, sandbox: str, rows: Sequence[Row], mark: Mark) -> None:
        self.began.set()
        await asyncio.shield(asyncio.ensure_future(super().write(sandbox, rows, mark)))

    async def select(self, sandbox: str, engine: str, kind: type[Any], query: Query) -> list[Any]:
        self.asked.set()
        if self.answering is not None:
            await self.answering.wait()
        return await super().select(sandbox, engine, kind, query)


class FullArchive(BadArchive):
    """Takes records and no snapshots. tried: how many it was given."""

    def __init__(self) -> None:
        super().__init__()
        self.is_full = True
        self.tried = 0

    async def save(self, sandbox: str, mark: Mark, format: str, parts: Iterable[bytes]) -> None:
        self.tried += 1
        if self.is_full:
            raise ArchiveUnavailable("the disk is full")
        await super().save(sandbox, mark, format, parts)


class MuteArchive(MemoryArchive):
    """Whoever asks it for a snapshot, when it is mute, hears that it cannot."""

    def __init__(self) -> None:
        super().__init__()
        self.is_mute = False

    async def snapshot(self, sandbox: str) -> Snapshot | None:
        if self.is_mute:
            raise ArchiveUnavailable("nobody answers")
        return await super().snapshot(sandbox)


class TwoEngines(Exchange):
    """Two exchanges in one sandbox."""

    def make_engines(self, seed: int) -> Mapping[str, Engine]:
        return {
            name: Engine(name, INSTRUMENTS, SyntheticFeed(seed, name), ("spot",))
            for name in ("here", "there")
        }

    async def provision(self, sandbox: Sandbox) -> None:
        account = await sandbox.open_account("alice")
        for name in sandbox.engines:
            await sandbox.submit(
                name, Deposit(account=account, wallet="spot", asset="USDT", amount=Decimal(1_000_000))
            )


class LastingDefect(Defect):
    """Breaks an engine whenever something happens in it. met: how often."""

    met = 0

    def happened(self, event: Event, now_us: int) -> None:
        self.met += 1
        raise AssertionError("a defect")


def named(command: Command, name: str) -> Command:
    """A placement of more, under a name."""
    assert isinstance(command, PlaceOrder)
    return msgspec.structs.replace(
        command, terms=msgspec.structs.replace(command.terms, client_id=name, quantity=Decimal("0.002"))
    )


# Engines


async def test_an_engine_is_rebuilt_without_its_archive() -> None:
    archive = MuteArchive()
    sandbox = await Exchange(FailingJournal(), archive=archive, keeping=NOTHING_KEPT).open()
    await trade(sandbox)
    await sandbox.snapshot()
    await trade(sandbox)
    seen = await everything(sandbox)
    archive.is_mute = True
    engine = sandbox.engines["here"]
    sandbox.observe("here", Defect())
    with pytest.raises(OutcomeUnknown):
        await sandbox.submit("here", limit(1, Side.BUY, 50))
    assert sandbox.engines["here"] is not engine
    assert await everything(sandbox) == seen
    await trade(sandbox)


async def test_what_an_engine_recorded_before_it_raised_is_no_history() -> None:
    journal, archive = FailingJournal(), MemoryArchive()
    exchange = TwoEngines(journal, archive=archive, keeping=NOTHING_KEPT)
    sandbox = await exchange.open()
    for name in ("here", "there"):
        for percent in range(90, 100):
            await sandbox.submit(name, limit(1, Side.BUY, percent))
    await caught_up(sandbox)
    # Both move at once, and one of them breaks in the midst of it, as often as it tries.
    defect = LastingDefect()
    sandbox.observe("there", defect)
    await sandbox.set_clock(ClockMode.VIRTUAL, START_US + 400 * HOUR_US)
    await caught_up(sandbox)
    assert defect.met, "something was due there as well"
    verified = await upkeep.verify(journal, archive, "default", exchange.make_engines)
    assert verified.of_archive == []


async def test_an_engine_is_rebuilt_while_its_records_are_being_written() -> None:
    """Some are on their way then, others were not taken yet, and the fresh engine counts from elsewhere."""
    journal, archive = FailingJournal(), SlowArchive()
    exchange = Exchange(journal, archive=archive, keeping=NOTHING_KEPT)
    sandbox = await exchange.open()
    await trade(sandbox)
    await sandbox.snapshot()
    await trade(sandbox)
    archive.gate = asyncio.Event()
    archive.began.clear()
    written = asyncio.ensure_future(caught_up(sandbox))
    await archive.began.wait()
    await trade(sandbox)
    seen = await everything(sandbox)
    engine = sandbox.engines["here"]
    sandbox.observe("here", Defect())
    with pytest.raises(OutcomeUnknown):
        await sandbox.submit("here", limit(1, Side.BUY, 50))
    assert sandbox.engines["here"] is not engine
    archive.gate.set()
    await written
    assert await everything(sandbox) == seen
    await trade(sandbox)
    await caught_up(sandbox)
    assert remembered(sandbox) == 0
    assert [one for one in await everything(sandbox) if one in seen] == seen
    verified = await upkeep.verify(journal, archive, "default", exchange.make_engines)
    assert verified.of_archive == []


# Ends and beginnings


async def test_who_asks_while_a_sandbox_ends_hears_that_it_did() -> None:
    archive = SlowArchive()
    exchange = Exchange(FailingJournal(), archive=archive, keeping=NOTHING_KEPT)
    sandbox = await exchange.open()
    await trade(sandbox)
    await caught_up(sandbox)
    archive.answering = asyncio.Event()
    asked = [
        asyncio.ensure_future(sandbox.history.select("here", Order, Query(account=1, scope=BTC))),
        asyncio.ensure_future(sandbox.history.order("here", 1, BTC, 1, None)),
    ]
    await archive.asked.wait()
    await exchange.sandboxes.reset("default")
    archive.answering.set()
    for one in asked:
        with pytest.raises(SandboxClosed, match="reset"):
            await one


async def test_a_write_that_is_under_way_does_not_come_after_a_reset() -> None:
    archive = SlowArchive()
    exchange = Exchange(FailingJournal(), archive=archive, keeping=NOTHING_KEPT)
    sandbox = await exchange.open()
    await caught_up(sandbox)
    archive.gate = asyncio.Event()
    archive.began.clear()
    await trade(sandbox)
    await archive.began.wait()
    reset = asyncio.ensure_future(exchange.sandboxes.reset("default"))
    for _ in range(TURNS):
        await asyncio.sleep(0)
    archive.gate.set()
    fresh = await reset
    await caught_up(fresh)
    assert await archive.select("default", "here", Order, Query(account=1, scope=BTC)) == []
    assert not fresh.is_degraded


async def test_a_fork_that_fails_leaves_nothing() -> None:
    journal, archive = FailingJournal(), BadArchive()
    exchange = Exchange(journal, archive=archive, keeping=NOTHING_KEPT)
    sandbox = await exchange.open()
    await trade(sandbox)
    await caught_up(sandbox)
    archive.fails = 1
    with pytest.raises(StorageUnavailable):
        await exchange.sandboxes.fork("default", "fork")
    assert await journal.sandboxes() == ("default",)
    await trade(sandbox)
    fork = await exchange.sandboxes.fork("default", "fork")
    assert await everything(fork) == await everything(sandbox)


# Snapshots


async def test_a_snapshot_that_failed_is_not_tried_again_at_once() -> None:
    archive = FullArchive()
    sandbox = await Exchange(
        FailingJournal(), archive=archive, keeping=Keeping(retained=0, snapshot_every=50)
    ).open()
    assert sandbox.chronicle is not None
    rounds = 0
    while sandbox.chronicle.events < 500:
        rounds += 1
        await trade(sandbox, 1)
        await caught_up(sandbox)
    assert rounds > 50
    assert 2 <= archive.tried <= 10
    archive.is_full = False
    while not archive.saved.is_set():
        await trade(sandbox, 1)
        await caught_up(sandbox)
    assert sandbox.chronicle.events < 500


async def test_two_may_ask_for_a_snapshot_at_once() -> None:
    archive = MemoryArchive()
    sandbox = await Exchange(FailingJournal(), archive=archive, keeping=NOTHING_KEPT).open()
    await trade(sandbox)
    for kept in await asyncio.gather(sandbox.snapshot(), sandbox.snapshot()):
        assert kept == sandbox.sequence


# Names


async def test_an_order_is_not_found_by_a_name_that_only_the_archive_remembers() -> None:
    archive = BadArchive()
    sandbox = await Exchange(FailingJournal(), archive=archive, keeping=NOTHING_KEPT).open()
    await sandbox.submit("here", named(limit(1, Side.BUY, 150), "old"))
    await trade(sandbox)
    await sandbox.submit("here", named(limit(1, Side.BUY, 50), "old"))
    await caught_up(sandbox)
    archive.fails = 10**9
    await sandbox.submit(
        "here",
        AmendOrder(
            account=1, instrument=BTC, client_id="old", new_client_id="new", quantity=Decimal("0.001")
        ),
    )
    found = [await sandbox.history.order("here", 1, BTC, None, name) for name in ("old", "new")]
    assert [(one.client_id, one.is_ended) for one in found if one] == [("old", True), ("new", False)]
