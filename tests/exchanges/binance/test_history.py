"""Histories are the same whether they are in memory, in an archive or in both, page by page, and after a
restart from a snapshot. Compared are answers over the wire, with those of an emulator that keeps all in
memory."""

from __future__ import annotations

import hmac
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from decimal import Decimal
from itertools import product
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from emulator.core.commands import Transfer, Withdraw
from emulator.core.orders import Order
from emulator.exchanges.binance.spot import account, order_lists, queries, trading, wallet
from emulator.runtime.archive import Archive
from emulator.runtime.chronicle import Keeping
from emulator.runtime.ports import Journal
from emulator.storage.memory import MemoryArchive, MemoryJournal
from emulator.storage.sqlite import SqliteJournal
from emulator.storage.sqlite_archive import SqliteArchive
from emulator.web.contract import Site
from tests.exchanges.binance.trading_floor import (
    DEMO,
    LIMIT_BUY,
    LIMIT_SELL,
    NOW_MS,
    OTHER,
    TWIN,
    Floor,
)
from tests.web.client import Reply, ask

pytestmark = pytest.mark.anyio

SECOND_US = 1_000_000
ROUNDS = 6


class Hall(Floor):
    """A floor with all that tells of history: its orders, its lists, its account and its wallets."""

    def _site(self) -> Site:
        rows = (*trading.rows, *queries.rows, *order_lists.rows, *account.rows, *wallet.rows)
        return Site(name="binance", engine="binance", title="Binance Spot", rows=rows, dialect=self.door)

    async def history(self, path: str, who: str, **parameters: Any) -> Reply:
        query = urlencode({**parameters, "timestamp": NOW_MS, "recvWindow": 60_000})
        query += "&signature=" + hmac.digest(f"secret-of-{who}".encode(), query.encode(), "sha256").hex()
        headers = {"X-MBX-APIKEY": f"key-of-{who}"}
        return await ask(self.application, "GET", path, query=query, headers=headers)

    async def settle(self) -> None:
        """Let the archive hold, and memory forget, what it may."""
        if self.sandbox.chronicle is not None:
            await self.sandbox.durable(self.sandbox.sequence)
            await self.sandbox.chronicle.flush()


async def live(floor: Hall) -> None:
    """Rounds of everything that leaves a record, a second each."""
    demo = floor.sandbox.accounts[DEMO]
    for place in range(ROUNDS):
        await floor.sandbox.step_clock(SECOND_US)
        # The same client id again and again: the newest order is meant.
        order = await floor.post("order", **LIMIT_BUY, newClientOrderId="again")
        await floor.delete("order", symbol="BTCUSDT", orderId=order["orderId"])
        resting = await floor.post("order", **LIMIT_SELL, newClientOrderId=f"rests-{place}")
        await floor.post("order", symbol="BTCUSDT", side="BUY", type="MARKET", quantity="0.02", who=OTHER)
        await floor.post("order", symbol="BTCUSDT", side="SELL", type="MARKET", quantity="0.01")
        await floor.trade("100005", "0.002")
        if place % 2:
            amended = {"symbol": "BTCUSDT", "orderId": resting["orderId"], "newQty": f"0.00{place + 1}"}
            await floor.ok("PUT", "order/amend/keepPriority", **amended)
        await meet_oneself(floor)
        await list_orders(floor, is_ended=place < ROUNDS - 1)
        amount = Decimal(place + 1)
        await floor.do(Transfer(account=demo, asset="USDT", amount=amount, source="spot", target="funding"))
        fee = Decimal("0.1")
        await floor.do(
            Withdraw(account=demo, wallet="spot", asset="BTC", amount=amount, fee=fee, reference=f"w{place}")
        )
        await floor.settle()


async def meet_oneself(floor: Hall) -> None:
    """Two orders of one owner meet and are prevented from trading."""
    inside = {**LIMIT_SELL, "price": "100001", "quantity": "0.003"}
    await floor.post("order", **inside, who=TWIN, selfTradePreventionMode="EXPIRE_BOTH")
    await floor.post(
        "order",
        **{**LIMIT_BUY, "price": "100001", "quantity": "0.003"},
        who=TWIN,
        selfTradePreventionMode="EXPIRE_BOTH",
    )


async def list_orders(floor: Hall, *, is_ended: bool) -> None:
    placed = await floor.post(
        "orderList/oco",
        symbol="BTCUSDT",
        side="SELL",
        quantity="0.01",
        aboveType="LIMIT_MAKER",
        abovePrice="120000",
        belowType="STOP_LOSS",
        belowStopPrice="80000",
        listClientOrderId="pair",
    )
    if is_ended:
        await floor.delete("orderList", symbol="BTCUSDT", orderListId=placed["orderListId"])


def questions() -> list[tuple[str, str, dict[str, Any]]]:
    """Every history with the parameters that it takes, for those who have one."""
    asked: list[tuple[str, str, dict[str, Any]]] = []
    times: list[dict[str, Any]] = [
        {},
        {"startTime": NOW_MS + 2000},
        {"endTime": NOW_MS + 3000},
        {"startTime": NOW_MS + 1500, "endTime": NOW_MS + 4500},
        {"startTime": NOW_MS + 90_000},
    ]
    limits = [{}, {"limit": 1}, {"limit": 3}, {"limit": 1000}]
    for who, symbol, span, limit in product((DEMO, OTHER, TWIN), ("BTCUSDT", "ETHUSDT"), times, limits):
        asked.append(("/api/v3/allOrders", who, {"symbol": symbol, **span, **limit}))
        asked.append(("/api/v3/myTrades", who, {"symbol": symbol, **span, **limit}))
    for limit, first in product(limits, range(1, 45, 4)):
        asked.append(("/api/v3/allOrders", DEMO, {"symbol": "BTCUSDT", "orderId": first, **limit}))
    for span, limit in product(times, limits):
        asked.append(("/api/v3/allOrderList", DEMO, {**span, **limit}))
    for number in range(1, 70):
        named = {"symbol": "BTCUSDT", "orderId": number}
        for who in (DEMO, OTHER):
            asked.append(("/api/v3/order", who, named))
            asked.append(("/api/v3/myTrades", who, named))
        asked.append(("/api/v3/order/amendments", DEMO, named))
        asked.append(("/api/v3/myPreventedMatches", TWIN, named))
    for number in range(8):
        asked.append(("/api/v3/orderList", DEMO, {"orderListId": number}))
        asked.append(("/api/v3/allOrderList", DEMO, {"fromId": number, "limit": 2}))
        asked.append(("/api/v3/myPreventedMatches", TWIN, {"symbol": "BTCUSDT", "preventedMatchId": number}))
        asked.append(("/sapi/v1/capital/deposit/hisrec", DEMO, {"offset": number, "limit": 2}))
        asked.append(("/sapi/v1/capital/withdraw/history", DEMO, {"offset": number, "limit": 2}))
        asked.append(("/sapi/v1/capital/withdraw/history", DEMO, {"withdrawOrderId": f"w{number}"}))
        asked.append(
            ("/sapi/v1/asset/transfer", DEMO, {"type": "MAIN_FUNDING", "current": number + 1, "size": 2})
        )
        asked.append(("/api/v3/order", DEMO, {"symbol": "BTCUSDT", "origClientOrderId": f"rests-{number}"}))
    asked.append(("/api/v3/order", DEMO, {"symbol": "BTCUSDT", "origClientOrderId": "again"}))
    asked.append(("/api/v3/order", DEMO, {"symbol": "BTCUSDT", "origClientOrderId": "nobody"}))
    asked.append(("/api/v3/orderList", DEMO, {"origClientOrderId": "pair"}))
    asked.append(("/api/v3/openOrders", DEMO, {}))
    asked.append(("/api/v3/account", DEMO, {}))
    return asked


def comparable(body: Any) -> Any:
    """The body without the names that are made up anew in each run."""
    if isinstance(body, list):
        return [comparable(one) for one in body]
    if isinstance(body, dict):
        return {
            field: "generated" if field.endswith("lientOrderId") and len(value) > 20 else comparable(value)
            for field, value in body.items()
        }
    return body


async def answers(floor: Hall) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for path, who, parameters in questions():
        reply = await floor.history(path, who, **parameters)
        found[f"{who} {path} {parameters}"] = (reply.status, comparable(reply.json))
    trades = found["demo /api/v3/myTrades {'symbol': 'BTCUSDT'}"][1]
    for trade in trades:
        parameters = {"symbol": "BTCUSDT", "fromId": trade["id"], "limit": 3}
        reply = await floor.history("/api/v3/myTrades", DEMO, **parameters)
        found[f"from {trade['id']}"] = (reply.status, comparable(reply.json))
    return found


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
async def remembered(anyio_backend: str) -> dict[str, Any]:
    """What is answered where everything is in memory."""
    async with Hall() as floor:
        await live(floor)
        found = await answers(floor)
    statuses = [status for status, _ in found.values()]
    assert statuses.count(200) > 400
    for path in (
        "allOrders",
        "myTrades",
        "allOrderList",
        "myPreventedMatches",
        "amendments",
        "withdraw",
        "transfer",
    ):
        assert any(path in question and body for question, (_, body) in found.items()), path
    return found


@asynccontextmanager
async def storage(kind: str, directory: Path) -> AsyncIterator[tuple[Journal, Archive]]:
    journal: Journal = MemoryJournal()
    archive: Archive = MemoryArchive()
    if kind == "sqlite":
        journal, archive = (
            SqliteJournal(directory / "journal.sqlite"),
            SqliteArchive(directory / "history.sqlite"),
        )
    yield journal, archive
    await archive.close()
    await journal.close()


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
@pytest.mark.parametrize("retained", [0, 25, 80])
async def test_answers_do_not_tell_where_history_is(
    remembered: dict[str, Any], kind: str, retained: int, tmp_path: Path
) -> None:
    keeping = Keeping(retained=retained, snapshot_every=10**9)
    async with AsyncExitStack() as stack:
        journal, archive = await stack.enter_async_context(storage(kind, tmp_path))
        floor = await stack.enter_async_context(Hall(journal=journal, archive=archive, keeping=keeping))
        await live(floor)
        in_memory = floor.engine.views.orders
        ended = [order for order in in_memory.values() if order.is_ended and not order.in_list]
        assert len(ended) <= retained, "memory has forgotten nothing"
        found = await answers(floor)
    assert found == remembered


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
@pytest.mark.parametrize("is_snapshot", [True, False])
async def test_nor_do_they_after_a_restart(
    remembered: dict[str, Any], kind: str, is_snapshot: bool, tmp_path: Path
) -> None:
    keeping = Keeping(retained=30, snapshot_every=10**9)
    async with AsyncExitStack() as stack:
        journal, archive = await stack.enter_async_context(storage(kind, tmp_path))
        floor = await stack.enter_async_context(Hall(journal=journal, archive=archive, keeping=keeping))
        await live(floor)
        if is_snapshot:
            await floor.sandbox.snapshot()
        again = Hall(journal=journal, archive=archive, keeping=keeping)
        await again.sandboxes.open()
        assert again.engine.views.begins_late is is_snapshot
        assert again.sandbox.fingerprint() == floor.sandbox.fingerprint()
        found = await answers(again)
        assert found == remembered
        # It goes on where it was, and history with it.
        order = await again.post("order", **LIMIT_BUY)
        await again.delete("order", symbol="BTCUSDT", orderId=order["orderId"])
        newest = await again.get("allOrders", symbol="BTCUSDT", limit=2)
        assert [one["orderId"] for one in newest][-1] == order["orderId"]


async def test_what_an_archive_lost_is_made_from_the_journal(
    remembered: dict[str, Any], tmp_path: Path
) -> None:
    keeping = Keeping(retained=0, snapshot_every=10**9)
    journal = MemoryJournal()
    async with Hall(journal=journal, archive=MemoryArchive(), keeping=keeping) as floor:
        await live(floor)
        again = Hall(journal=journal, archive=MemoryArchive(), keeping=keeping)
        await again.sandboxes.open()
        assert await answers(again) == remembered


async def test_an_archive_of_another_journal_is_not_believed() -> None:
    archive = MemoryArchive()
    keeping = Keeping(retained=0, snapshot_every=10**9)
    async with Hall(archive=archive, keeping=keeping) as floor:
        await live(floor)
        await floor.sandbox.snapshot()
    async with Hall(archive=archive, keeping=keeping) as floor:
        order = await floor.post("order", **LIMIT_BUY)
        assert order["orderId"] == 1
        assert len(await floor.get("allOrders", symbol="BTCUSDT")) == 1


async def test_legs_stay_as_long_as_their_list() -> None:
    async with Hall(archive=MemoryArchive(), keeping=Keeping(retained=0)) as floor:
        placed = await floor.post(
            "orderList/oto",
            symbol="BTCUSDT",
            workingType="LIMIT",
            workingSide="BUY",
            workingPrice="100010",
            workingQuantity="0.01",
            workingTimeInForce="GTC",
            pendingType="LIMIT",
            pendingSide="SELL",
            pendingPrice="130000",
            pendingQuantity="0.01",
            pendingTimeInForce="GTC",
        )
        await floor.settle()
        assert placed["orders"][0]["orderId"] in floor.engine.views.orders
        canceled = await floor.delete("orderList", symbol="BTCUSDT", orderListId=placed["orderListId"])
        assert canceled["orders"] == placed["orders"]
        await floor.settle()
        assert not floor.engine.views.orders
        shown = await floor.get("orderList", orderListId=placed["orderListId"])
        assert shown["orders"] == placed["orders"]


async def test_memory_stays_bounded() -> None:
    keeping = Keeping(retained=100)
    async with Hall(archive=MemoryArchive(), keeping=keeping) as floor:
        for _ in range(60):
            order = await floor.post("order", **LIMIT_BUY)
            await floor.delete("order", symbol="BTCUSDT", orderId=order["orderId"])
        await floor.settle()
        views = floor.engine.views
        kept = len(views.orders) + sum(len(entries) for entries in views.postings.values())
        assert kept <= keeping.retained * 9 // 8 + 1
        account = floor.sandbox.accounts[DEMO]
        assert not views.is_whole(Order, account, "BTCUSDT")
        listed = await floor.get("allOrders", symbol="BTCUSDT", startTime=NOW_MS, limit=1000)
        assert [one["orderId"] for one in listed] == list(range(1, 61))
