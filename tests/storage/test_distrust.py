"""A sandbox whose books do not agree, as its clients see it over HTTP, until it is repaired."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from emulator import app
from emulator.settings import Settings
from tests.storage.forgetful import forgetful_engines
from tests.web.serving import serving

pytestmark = pytest.mark.anyio

KEY, SECRET = "emulator-demo-key", b"emulator-demo-secret"
SYMBOL = "ADAUSDT"
WAIT_S = 20


class Client:
    """The demo account's, and whoever looks after the emulator."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http

    async def ask(self, method: str, path: str, **parameters: Any) -> tuple[int, Any]:
        query = urlencode({**parameters, "timestamp": int(time.time() * 1000)})
        signature = hmac.new(SECRET, query.encode(), hashlib.sha256).hexdigest()
        url = f"{path}?{query}&signature={signature}"
        answer = await self._http.request(method, url, headers={"X-MBX-APIKEY": KEY})
        return answer.status_code, answer.json()

    async def bid(self, name: str) -> tuple[int, Any]:
        """A hundred, for less than they are worth: it rests."""
        last = (await self._http.get(f"/api/v3/ticker/price?symbol={SYMBOL}")).json()["price"]
        price = (Decimal(last) * Decimal("0.9")).quantize(Decimal("0.001"))
        return await self.ask(
            "POST", "/api/v3/order", symbol=SYMBOL, side="BUY", type="LIMIT", timeInForce="GTC",
            quantity="100", price=str(price), newClientOrderId=name,
        )  # fmt: skip

    async def usdt(self) -> tuple[Decimal, Decimal]:
        status, account = await self.ask("GET", "/api/v3/account")
        assert status == 200
        (balance,) = [one for one in account["balances"] if one["asset"] == "USDT"]
        return Decimal(balance["free"]), Decimal(balance["locked"])

    async def control(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        answer = await self._http.request(method, f"/_emulator{path}", json=body)
        return answer.status_code, answer.json()

    async def health(self) -> Any:
        return (await self.control("GET", "/health"))[1]


@asynccontextmanager
async def started(settings: Settings) -> AsyncIterator[Client]:
    """The whole emulator, with engines that forget, in this process and behind a real socket."""
    emulator = app.build(settings, engines=forgetful_engines)
    await emulator.sandboxes.open()
    try:
        async with (
            serving(emulator.application) as port,
            httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as http,
        ):
            yield Client(http)
    finally:
        await emulator.sandboxes.close()
        await emulator.storage.close()


async def test_it_answers_and_does_not_trade_until_it_is_repaired(tmp_path: Path) -> None:
    settings = app.default_settings().model_copy(update={"data_dir": tmp_path})
    async with started(settings) as client:
        assert (await client.bid("forget-one"))[0] == 200
        assert (await client.bid("another"))[0] == 200
        assert (await client.health())["status"] == "ok"
        free, locked = await client.usdt()

    for _ in range(2):
        async with started(settings) as client:
            health = await client.health()
            assert (health["status"], health["degraded"]) == ("degraded", ["default"])
            figures = (
                f"held of USDT of account 1 in spot: expected {_plain(locked + 1)}, found {_plain(locked)}"
            )
            assert figures in health["reasons"]["default"]
            assert health["archive"] == {"kept": True, "behind": 0, "refusals": {}}
            status, error = await client.bid("refused")
            assert (status, error["code"]) == (503, -1001)
            status, error = await client.ask("DELETE", "/api/v3/openOrders", symbol=SYMBOL)
            assert (status, error["code"]) == (503, -1001)
            assert (await client.usdt()) == (free, locked)
            status, opened = await client.ask("GET", "/api/v3/openOrders", symbol=SYMBOL)
            assert (status, [one["clientOrderId"] for one in opened]) == (200, ["forget-one", "another"])
            status, refused = await client.control("PUT", "/clock", {"step": "1s"})
            assert (status, refused["error"]["code"]) == (503, "unavailable")
            # Another sandbox is another world.
            assert (await client.control("POST", "/sandboxes", {"name": "other"}))[0] == 200
            assert (await client.control("DELETE", "/sandboxes/other"))[0] == 200

    def repair(*, is_agreed: bool) -> app.Plan:
        (plan,) = app.repair_storage(settings, None, is_agreed=is_agreed, engines=forgetful_engines)
        return plan

    for is_agreed in (False, False, True):
        plan = await asyncio.to_thread(repair, is_agreed=is_agreed)
        assert plan.is_needed
        assert figures in plan.verified.of_state[0]
    assert not (await asyncio.to_thread(repair, is_agreed=True)).is_needed

    for turn in range(3):
        async with started(settings) as client:
            assert (await client.health())["status"] == "ok"
            assert (await client.usdt()) == (free - 1, locked + 1)
            if turn == 1:
                assert (await client.bid("further"))[0] == 200
                status, canceled = await client.ask("DELETE", "/api/v3/openOrders", symbol=SYMBOL)
                assert (status, len(canceled)) == (200, 3)
                assert (await client.usdt()) == (free + locked, Decimal(0))
                free, locked = free + locked + 1, Decimal(-1)
    (verified,) = await asyncio.to_thread(app.verify_storage, settings, None, engines=forgetful_engines)
    assert verified.agrees, verified


async def test_a_distrusted_sandbox_may_begin_afresh_or_go(tmp_path: Path) -> None:
    settings = app.default_settings().model_copy(update={"data_dir": tmp_path})
    async with started(settings) as client:
        assert (await client.bid("lose-one"))[0] == 200
        assert (await client.control("POST", "/sandboxes/default/fork", {"name": "copy"}))[0] == 200
        health = await client.health()
        assert health["degraded"] == ["copy"], "a fork is folded from the same entries"
    async with started(settings) as client:
        assert (await client.health())["degraded"] == ["default", "copy"]
        assert (await client.control("POST", "/reset"))[0] == 200
        assert (await client.control("DELETE", "/sandboxes/copy"))[0] == 200
        assert (await client.health())["status"] == "ok"
        assert (await client.bid("again"))[0] == 200


async def test_an_archive_that_refuses_is_said_and_holds_nobody_up(tmp_path: Path) -> None:
    settings = app.default_settings().model_copy(update={"data_dir": tmp_path})
    async with started(settings) as client:
        with closing(sqlite3.connect(tmp_path / "history.sqlite")) as connection:
            connection.execute("DROP TABLE mark")
        async with asyncio.timeout(WAIT_S):
            while not (archive := (await client.health())["archive"])["refusals"]:
                assert (await client.bid("meanwhile"))[0] == 200
                await client.ask("DELETE", "/api/v3/openOrders", symbol=SYMBOL)
        assert "history.sqlite: no such table: mark" in archive["refusals"]["default"]
        assert archive["behind"] > 0
        assert (await client.health())["status"] == "ok"
        assert (await client.bid("further"))[0] == 200


def _plain(amount: Decimal) -> str:
    return f"{amount.normalize():f}"
