"""Orders and executions are answered alike from memory and from an archive, page by page."""

from __future__ import annotations

from typing import Any

import pytest

from emulator.runtime.chronicle import Keeping
from emulator.storage.memory import MemoryArchive
from tests.exchanges.bybit.pit import BUY, INVERSE, LINEAR, LONG, SECOND_US, SELL, SHORT, SPOT, Pit

pytestmark = pytest.mark.anyio

CATEGORIES = (SPOT, LINEAR, INVERSE)
PATHS = ("/v5/order/history", "/v5/order/realtime", "/v5/execution/list")


async def settle(pit: Pit) -> None:
    """Let the archive hold, and memory forget, what it may."""
    if pit.sandbox.chronicle is not None:
        await pit.sandbox.durable(pit.sandbox.sequence)
        await pit.sandbox.chronicle.flush()


async def live(pit: Pit) -> None:
    """Rounds of everything that leaves a record, a second each."""
    for number in range(4):
        await pit.step(SECOND_US)
        for first, second, symbol in ((BUY, SELL, "BTCUSDT"), (LONG, SHORT, "BTCUSDT")):
            category = first["category"]
            canceled = await pit.place(first, orderLinkId=f"c{number}")
            await pit.post("/v5/order/cancel", {"category": category, "symbol": symbol, "orderId": canceled})
            await pit.place(first, price="100010", orderLinkId=f"t{number}")
            await pit.place(second, price="99990")
            await pit.place(first, side="Sell", price="100005", smpType="CancelMaker")
            await pit.place(first, price="100005", smpType="CancelMaker", timeInForce="IOC")
        await pit.place(LONG, category=INVERSE, symbol="BTCUSD", qty="100", price="100010")
        await settle(pit)


async def answers(pit: Pit) -> dict[str, Any]:
    """Every list, in pages of three, and what is found by names."""
    found: dict[str, Any] = {}
    for category in CATEGORIES:
        for path in PATHS:
            values: dict[str, Any] = {"category": category, "limit": 3}
            if path.endswith("realtime"):
                values |= {"openOnly": 1, "baseCoin": "BTC"}
            pages = []
            cursor = ""
            while True:
                answer = await pit.get(path, {**values, **({"cursor": cursor} if cursor else {})})
                pages.append(answer)
                cursor = answer["nextPageCursor"]
                if not cursor:
                    break
            found[f"{category} {path}"] = pages
            for name in ("c0", "t1", "nobody"):
                named = {"category": category, "orderLinkId": name}
                found[f"{category} {path} {name}"] = await pit.get(path, named)
        for page in found[f"{category} /v5/order/history"]:
            for one in page["list"]:
                for path in PATHS:
                    named = {"category": category, "orderId": one["orderId"]}
                    found[f"{path} {one['orderId']}"] = await pit.get(path, named)
    return found


@pytest.mark.parametrize("retained", [0, 10])
async def test_answers_do_not_tell_where_history_is(retained: int) -> None:
    async with Pit() as pit:
        await live(pit)
        remembered = await answers(pit)
    assert sum(len(page["list"]) for page in remembered[f"{LINEAR} /v5/order/history"]) == 20
    keeping = Keeping(retained=retained, snapshot_every=10**9)
    async with Pit(archive=MemoryArchive(), keeping=keeping) as pit:
        await live(pit)
        orders = pit.sandbox.engines["bybit"].views.orders
        assert sum(order.is_ended for order in orders.values()) <= retained, "memory has forgotten nothing"
        assert await answers(pit) == remembered
