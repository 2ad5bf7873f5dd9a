"""Histories are the same whether they are in memory, in an archive or in both, page by page, and after a
restart: compared are answers over the wire, with those of an emulator that keeps all in memory."""

from __future__ import annotations

from contextlib import AsyncExitStack
from decimal import Decimal
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from emulator.core.commands import Transfer
from emulator.exchanges import bybit
from emulator.exchanges.bybit.running import ENGINE, FUND, UNIFIED
from emulator.feeds.synthetic import SyntheticFeed
from emulator.runtime import upkeep
from emulator.runtime.archive import Archive
from emulator.runtime.chronicle import Keeping
from emulator.storage.memory import MemoryArchive, MemoryJournal
from emulator.storage.sqlite_archive import SqliteArchive
from tests.exchanges.bybit.pit import BUY, LINEAR, LONG, NOW_MS, SECOND_US, SHORT, Pit

pytestmark = pytest.mark.anyio

ROUNDS = 4
FUNDING_US = 1_790_006_400 * SECOND_US
"""2026-09-21 16:00 UTC, the first payment after the start."""
CLOSED = "/v5/position/closed-pnl"
HISTORIES = (
    "/v5/order/history",
    "/v5/execution/list",
    CLOSED,
    "/v5/account/transaction-log",
)


async def live(pit: Pit) -> list[str]:
    """Rounds of everything that leaves a record, a second each, around a payment of funding; all orders."""
    alice, orders = pit.sandbox.accounts["alice"], []
    short = {**SHORT, "orderType": "Market"}
    for place in range(ROUNDS):
        await pit.step(FUNDING_US - pit.sandbox.clock.now_us() if place == 3 else SECOND_US)
        orders.append(await pit.place(LONG, orderType="Market", qty="0.04", orderLinkId=f"long-{place}"))
        # Closes by and by: a part each round, and is ended by the next one.
        resting = await pit.place(SHORT, price="100005", qty="0.02", reduceOnly=True)
        orders.append(resting)
        for who in ("bob", "alice"):
            orders.append(await pit.place(LONG, who=who, orderType="Market", qty="0.005"))
        orders.append(await pit.place(short, qty="0.01"))
        orders.append(await pit.place(short, who="bob", qty="0.005"))
        await pit.post("/v5/order/cancel", {"category": LINEAR, "symbol": "BTCUSDT", "orderId": resting})
        canceled = await pit.place(BUY, orderLinkId=f"again-{place}")
        await pit.post("/v5/order/cancel", {"category": "spot", "symbol": "BTCUSDT", "orderId": canceled})
        orders += [canceled, await pit.place(BUY, orderType="Market", qty="1500")]
        for name, side in (("inverse", "Buy"), ("inverse", "Sell")):
            order = {"category": name, "symbol": "BTCUSD", "side": side, "orderType": "Market", "qty": "300"}
            orders.append(await pit.place(order))
        amount = Decimal(place + 1)
        await pit.do(Transfer(account=alice, asset="USDT", amount=amount, source=UNIFIED, target=FUND))
        await settle(pit)
    # Stays open, and has closed a part.
    orders.append(await pit.place(SHORT, price="100005", qty="0.02", reduceOnly=True))
    orders.append(await pit.place(LONG, who="bob", orderType="Market", qty="0.005"))
    await settle(pit)
    return orders


async def settle(pit: Pit) -> None:
    """Let the archive hold, and memory forget, what it may."""
    if pit.sandbox.chronicle is not None:
        await pit.sandbox.durable(pit.sandbox.sequence)
        await pit.sandbox.chronicle.flush()


def questions(orders: list[str]) -> list[tuple[str, str, dict[str, Any]]]:
    """Every history with the parameters that it takes, for those who have one."""
    asked: list[tuple[str, str, dict[str, Any]]] = []
    middle = FUNDING_US // 1000
    times: list[dict[str, Any]] = [
        {}, {"startTime": NOW_MS + 2000}, {"endTime": NOW_MS + 3000},
        {"startTime": middle, "endTime": middle},
    ]  # fmt: skip
    for who, path, category, span in product(("alice", "bob"), HISTORIES, ("spot", LINEAR, "inverse"), times):
        if (path, category) != (CLOSED, "spot"):
            asked += [(who, path, {"category": category, "limit": limit, **span}) for limit in (2, 50)]
    for kind in ("SETTLEMENT", "TRADE", "TRANSFER_OUT"):
        asked.append(("alice", "/v5/account/transaction-log", {"type": kind, "currency": "USDT", "limit": 3}))
    asked.append(("alice", "/v5/execution/list", {"category": LINEAR, "execType": "Funding", "limit": 1}))
    for order, category in product(orders, ("spot", LINEAR, "inverse")):
        named = {"category": category, "orderId": order}
        for path in ("/v5/order/realtime", "/v5/order/history", "/v5/execution/list"):
            asked.append(("alice", path, named))
    for place in range(ROUNDS):
        named = {"category": LINEAR, "orderLinkId": f"long-{place}"}
        asked.append(("alice", "/v5/order/history", named))
    return asked


async def answers(pit: Pit, orders: list[str]) -> dict[str, list[Any]]:
    """Page after page of each."""
    found: dict[str, list[Any]] = {}
    for who, path, values in questions(orders):
        pages, cursor = [], ""
        while True:
            told = await pit.get(path, {**values, "cursor": cursor} if cursor else values, who)
            pages.append(told)
            cursor = told["nextPageCursor"]
            if not cursor:
                break
        found[f"{who} {path} {values}"] = pages
    return found


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
async def remembered(anyio_backend: str) -> dict[str, list[Any]]:
    """What is answered where everything is in memory."""
    async with Pit() as pit:
        found = await answers(pit, await live(pit))
    for path in HISTORIES:
        told = [pages for question, pages in found.items() if path in question]
        assert any(len(pages) > 2 for pages in told), path
        assert any(page["list"] for pages in told for page in pages), path
    (funded,) = [pages for question, pages in found.items() if "'Funding'" in question]
    assert [one["execType"] for page in funded for one in page["list"]] == ["Funding"]
    return found


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
@pytest.mark.parametrize("retained", [0, 25])
async def test_answers_do_not_tell_where_history_is(
    remembered: dict[str, list[Any]], kind: str, retained: int, tmp_path: Path
) -> None:
    archive: Archive = MemoryArchive() if kind == "memory" else SqliteArchive(tmp_path / "history.sqlite")
    keeping = Keeping(retained=retained, snapshot_every=10**9)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(archive.close)
        pit = await stack.enter_async_context(Pit(archive=archive, keeping=keeping))
        orders = await live(pit)
        views = pit.sandbox.engines[ENGINE].views
        assert len(views.transactions.get((pit.sandbox.accounts["alice"], UNIFIED), [])) <= retained
        assert await answers(pit, orders) == remembered


@pytest.mark.parametrize("is_snapshot", [True, False])
async def test_nor_do_they_after_a_restart(remembered: dict[str, list[Any]], is_snapshot: bool) -> None:
    journal, archive = MemoryJournal(), MemoryArchive()
    keeping = Keeping(retained=10, snapshot_every=10**9)
    async with Pit(journal=journal, archive=archive, keeping=keeping) as pit:
        orders = await live(pit)
        if is_snapshot:
            await pit.sandbox.snapshot()
        again = Pit(journal=journal, archive=archive, keeping=keeping)
        await again.sandboxes.open()
        assert again.sandbox.engines[ENGINE].views.begins_late is is_snapshot
        assert again.sandbox.fingerprint() == pit.sandbox.fingerprint()
        assert await answers(again, orders) == remembered
        # What is open goes on to close, in the record that it has.
        await again.place(LONG, who="bob", orderType="Market", qty="0.015")
        closed = await again.get(CLOSED, {"category": LINEAR, "symbol": "BTCUSDT", "limit": 1})
        (record,) = closed["list"]
        assert (record["orderId"], record["closedSize"], record["fillCount"]) == (orders[-2], "0.02", "2")
        await settle(again)
        verified = await upkeep.verify(
            journal, archive, "default", lambda seed: {ENGINE: bybit.engine(SyntheticFeed(seed))}
        )
    assert verified.agrees, verified
    assert verified.tables["closed_positions"].records > 2 * ROUNDS
    assert verified.tables["transactions"].records > 10 * ROUNDS
