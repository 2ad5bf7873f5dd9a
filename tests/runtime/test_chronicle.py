"""History that is written behind: nobody waits for an archive, nothing is lost while it refuses, and what
it has may be forgotten."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from decimal import Decimal

import pytest

from emulator.core.commands import CancelOrder
from emulator.core.events import Event
from emulator.core.history import BalanceRecord, Fill, LedgerEntry, Query
from emulator.core.instruments import Side
from emulator.core.orders import Order, OrderStatus
from emulator.runtime import upkeep
from emulator.runtime.archive import ApiKeyRecord, ArchiveUnavailable, Mark, Row
from emulator.runtime.chronicle import Keeping
from emulator.runtime.ports import ClockMode, KeyRecord, OutcomeUnknown
from emulator.runtime.sandbox import Sandbox
from emulator.storage.memory import MemoryArchive
from tests.runtime.test_with_engine import HOUR_US, Exchange, limit, place_many
from tests.runtime.universe import START_US, FailingJournal

pytestmark = pytest.mark.anyio

NOTHING_KEPT = Keeping(retained=0, snapshot_every=10**9)
WAIT_S = 10
NAMES = ("one", "two")


class BadArchive(MemoryArchive):
    """fails: how many of the next writes raise. gate: every write waits for it. saved: set when a
    snapshot came."""

    def __init__(self) -> None:
        super().__init__()
        self.fails = 0
        self.refused = 0
        self.has_refused = asyncio.Event()
        self.gate: asyncio.Event | None = None
        self.saved = asyncio.Event()

    async def write(self, sandbox: str, rows: Sequence[Row], mark: Mark) -> None:
        if self.gate is not None:
            await self.gate.wait()
        if self.fails:
            self.fails -= 1
            self.refused += 1
            self.has_refused.set()
            raise ArchiveUnavailable("the disk is full")
        await super().write(sandbox, rows, mark)

    async def save(self, sandbox: str, mark: Mark, format: str, parts: Iterable[bytes]) -> None:
        await super().save(sandbox, mark, format, parts)
        self.saved.set()


class Defect:
    """Breaks an engine once, in the middle of a command."""

    def __init__(self) -> None:
        self.is_left = True

    def happened(self, event: Event, now_us: int) -> None:
        is_left, self.is_left = self.is_left, False
        assert not is_left, "a defect"

    def settled(self, now_us: int) -> None:
        """Not looked at."""


async def trade(sandbox: Sandbox, times: int = 5) -> None:
    """Orders that rest and are canceled, and others that trade at once."""
    for _ in range(times):
        placed = await sandbox.submit("here", limit(1, Side.BUY, 50))
        order = next(iter(sandbox.engines["here"].state.accounts[1].open_orders))
        assert placed.rejection is None
        await sandbox.submit("here", CancelOrder(account=1, instrument="BTCUSDT", order=order))
        await sandbox.submit("here", limit(2, Side.BUY, 150))


async def everything(sandbox: Sandbox) -> list[object]:
    """All history of both accounts, as whoever asks for it gets it."""
    found: list[object] = []
    for account in (1, 2):
        for symbol in ("BTCUSDT", "ETHUSDT"):
            query = Query(account=account, scope=symbol, limit=10_000)
            orders = await sandbox.history.select("here", Order, query)
            found += [(order.id, order.status, order.executed, order.updated_us) for order in orders]
            found += await sandbox.history.select("here", Fill, query)
        found += await sandbox.history.select("here", LedgerEntry, Query(account=account, limit=100_000))
    return found


def remembered(sandbox: Sandbox) -> int:
    """How many orders that ended are in memory."""
    return sum(order.is_ended for order in sandbox.engines["here"].views.orders.values())


def failure(sandbox: Sandbox) -> str | None:
    assert sandbox.chronicle is not None
    return sandbox.chronicle.failure


async def caught_up(sandbox: Sandbox) -> None:
    assert sandbox.chronicle is not None
    async with asyncio.timeout(WAIT_S):
        await sandbox.chronicle.flush()


async def test_an_archive_that_refuses_costs_nothing_but_memory() -> None:
    archive = BadArchive()
    sandbox = await Exchange(FailingJournal(), archive=archive, keeping=NOTHING_KEPT).open()
    await caught_up(sandbox)
    archive.fails = 3
    await trade(sandbox)
    seen = await everything(sandbox)
    async with asyncio.timeout(WAIT_S):
        await archive.has_refused.wait()
    assert remembered(sandbox) == 10
    assert failure(sandbox) == "the disk is full"
    assert not sandbox.is_degraded
    await caught_up(sandbox)
    assert archive.refused == 3
    assert failure(sandbox) is None
    assert remembered(sandbox) == 0
    assert await everything(sandbox) == seen


async def test_nobody_waits_for_an_archive() -> None:
    archive = BadArchive()
    sandbox = await Exchange(FailingJournal(), archive=archive, keeping=NOTHING_KEPT).open()
    await caught_up(sandbox)
    archive.gate = asyncio.Event()
    async with asyncio.timeout(WAIT_S):
        await trade(sandbox)
        seen = await everything(sandbox)
    assert remembered(sandbox) == 10
    archive.gate.set()
    await caught_up(sandbox)
    assert remembered(sandbox) == 0
    assert await everything(sandbox) == seen


async def test_an_order_is_history_when_it_ends() -> None:
    archive = MemoryArchive()
    sandbox = await Exchange(FailingJournal(), archive=archive, keeping=NOTHING_KEPT).open()
    await sandbox.submit("here", limit(1, Side.BUY, 50))
    await caught_up(sandbox)
    query = Query(account=1, scope="BTCUSDT")
    assert await archive.select("default", "here", Order, query) == []
    (order,) = await sandbox.history.select("here", Order, query)
    assert not order.is_ended
    await sandbox.submit("here", CancelOrder(account=1, instrument="BTCUSDT", order=order.id))
    await caught_up(sandbox)
    (ended,) = await archive.select("default", "here", Order, query)
    assert (ended.id, ended.status) == (order.id, OrderStatus.CANCELED)
    assert remembered(sandbox) == 0


async def test_what_the_journal_does_not_hold_does_not_come_to_the_archive() -> None:
    journal, archive = FailingJournal(), MemoryArchive()
    exchange = Exchange(journal, archive=archive, keeping=NOTHING_KEPT)
    sandbox = await exchange.open()
    await caught_up(sandbox)
    await trade(sandbox)
    journal.gate = asyncio.Event()
    placed = asyncio.ensure_future(sandbox.submit("here", limit(2, Side.BUY, 150)))
    written = asyncio.ensure_future(caught_up(sandbox))
    for _ in range(20):
        await asyncio.sleep(0)
    assert sandbox.sequence == sandbox.durable_sequence + 1
    query = Query(account=2, scope="BTCUSDT")
    assert await archive.select("default", "here", Order, query) == []
    journal.gate.set()
    await asyncio.gather(placed, written)
    assert len(await archive.select("default", "here", Order, query)) == 6
    verified = await upkeep.verify(journal, archive, "default", exchange.make_engines)
    assert verified.of_archive == []


async def test_a_rebuilt_engine_neither_loses_nor_repeats_history() -> None:
    archive = MemoryArchive()
    exchange = Exchange(FailingJournal(), archive=archive, keeping=NOTHING_KEPT)
    sandbox = await exchange.open()
    await trade(sandbox)
    await caught_up(sandbox)
    await trade(sandbox)
    seen = await everything(sandbox)
    engine = sandbox.engines["here"]
    sandbox.observe("here", Defect())
    with pytest.raises(OutcomeUnknown):
        await sandbox.submit("here", limit(1, Side.BUY, 50))
    assert sandbox.engines["here"] is not engine
    assert await everything(sandbox) == seen
    await trade(sandbox)
    await caught_up(sandbox)
    after = await everything(sandbox)
    assert [one for one in after if one in seen] == seen
    assert remembered(sandbox) == 0
    twin = await Exchange(FailingJournal(), archive=MemoryArchive()).open()
    for _ in range(3):
        await trade(twin)
    assert len(await everything(twin)) == len(after)


async def test_a_kill_leaves_nothing_for_the_archive_to_miss() -> None:
    journal, archive = FailingJournal(), BadArchive()
    sandbox = await Exchange(journal, archive=archive, keeping=NOTHING_KEPT).open()
    await trade(sandbox)
    await caught_up(sandbox)
    archive.gate = asyncio.Event()
    await trade(sandbox)
    seen = await everything(sandbox)
    # The first one is never closed, as if it had been killed with its archive behind.
    archive.gate.set()
    archive.fails = 10**9
    unhurt = BadArchive()
    unhurt.__dict__.update({**archive.__dict__, "fails": 0, "gate": None})
    again = await Exchange(journal, archive=unhurt, keeping=NOTHING_KEPT).open()
    assert again.fingerprint() == sandbox.fingerprint()
    assert await everything(again) == seen
    mark = await unhurt.mark("default")
    assert mark is not None
    assert mark.sequence == again.durable_sequence


async def test_a_snapshot_is_of_one_moment_whatever_goes_on() -> None:
    journal, archive = FailingJournal(), MemoryArchive()
    journal.turns = 3
    exchange = Exchange(journal, archive=archive, keeping=NOTHING_KEPT)
    sandbox = await exchange.open()
    await place_many(sandbox)
    busy = [asyncio.ensure_future(trade(sandbox, 3)) for _ in range(1)]
    sequence = await sandbox.snapshot()
    await asyncio.gather(*busy)
    await sandbox.set_clock(ClockMode.VIRTUAL, START_US + HOUR_US)
    kept = await archive.snapshot("default")
    assert kept is not None
    assert kept.mark.sequence == sequence
    assert sequence is not None
    assert sequence < sandbox.durable_sequence
    again = await Exchange(journal, archive=archive, keeping=NOTHING_KEPT).open()
    assert again.engines["here"].views.begins_late
    assert again.fingerprint() == sandbox.fingerprint()


async def test_snapshots_come_by_themselves() -> None:
    archive = BadArchive()
    keeping = Keeping(retained=0, snapshot_every=50)
    exchange = Exchange(FailingJournal(), archive=archive, keeping=keeping)
    sandbox = await exchange.open()
    await trade(sandbox, 20)
    async with asyncio.timeout(WAIT_S):
        await archive.saved.wait()
    await exchange.sandboxes.close()
    kept = await archive.snapshot("default")
    assert kept is not None
    assert kept.mark.sequence == sandbox.durable_sequence, "a clean stop keeps the end"


async def test_keys_and_balances_are_shown_as_they_are() -> None:
    archive = MemoryArchive()
    sandbox = await Exchange(FailingJournal(), archive=archive).open()
    for name in NAMES:
        await sandbox.add_key(KeyRecord(key=name, account=1, secret="s", permissions=frozenset({"read"})))
    await sandbox.remove_key("one")
    await trade(sandbox)
    await caught_up(sandbox)
    shown = {
        key: await archive.select("default", "", ApiKeyRecord, Query(account=1, scope=key)) for key in NAMES
    }
    assert [(key, len(found)) for key, found in shown.items()] == [("one", 0), ("two", 1)]
    assert shown["two"][0].permissions == ("read",)
    ledger = sandbox.engines["here"].state.ledger
    found = await archive.select("default", "here", BalanceRecord, Query(account=2, scope="spot/USDT"))
    assert [(one.free, one.held) for one in found] == [
        (ledger.balance(2, "spot", "USDT").free, Decimal(0)),
    ]
