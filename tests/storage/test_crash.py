"""A server that is killed has, after its next start, everything that it acknowledged, exactly once.

With MongoDB the database is killed first, at the random moment, and the server that uses it soon after.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import random
import threading
import time
from contextlib import AbstractContextManager, ExitStack
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from tests.launch import Server, launched
from tests.storage.mongo_server import StandIn, stand_in

ROUNDS = int(os.environ.get("EMULATOR_TEST_CRASHES", "5"))
"""Kills in one run of this test."""
CLIENTS = 4
KEY, SECRET = "emulator-demo-key", b"emulator-demo-secret"


class _Unavailable(Exception):
    """The answer of a server whose journal does not accept. is_known: nothing was done."""

    def __init__(self, answer: httpx.Response) -> None:
        super().__init__(answer.text)
        self.is_known = answer.status_code == 503


def _ask(client: httpx.Client, method: str, path: str, **parameters: Any) -> Any:
    query = urlencode({**parameters, "timestamp": int(time.time() * 1000)})
    signature = hmac.new(SECRET, query.encode(), hashlib.sha256).hexdigest()
    answer = client.request(method, f"{path}?{query}&signature={signature}", headers={"X-MBX-APIKEY": KEY})
    if answer.status_code in (503, 504):
        raise _Unavailable(answer)
    assert answer.status_code == 200, answer.text
    return answer.json()


class _Bot(threading.Thread):
    """Places and cancels until its server is gone or refuses. Keeps what was acknowledged, and what not."""

    def __init__(self, url: str, number: int, seed: int, price: str) -> None:
        super().__init__(daemon=True)
        self._price = price
        self._url = url
        self._number = number
        self._dice = random.Random(seed)
        self.acknowledged: dict[str, dict[str, Any]] = {}
        self.canceled: set[str] = set()
        self.in_doubt: set[str] = set()
        self.refused: set[str] = set()

    def run(self) -> None:
        with httpx.Client(base_url=self._url, trust_env=False, timeout=10) as client:
            placed = 0
            under_way = ""
            try:
                while True:
                    placed += 1
                    under_way = f"bot{self._number}-{self._dice.getrandbits(40):x}-{placed}"
                    is_market = self._dice.random() < 0.3
                    terms = (
                        {"type": "MARKET"}
                        if is_market
                        else {"type": "LIMIT", "timeInForce": "GTC", "price": self._price}
                    )
                    self.acknowledged[under_way] = _ask(
                        client,
                        "POST",
                        "/api/v3/order",
                        symbol="ADAUSDT",
                        side="BUY",
                        quantity="100",
                        newClientOrderId=under_way,
                        **terms,
                    )
                    if not is_market:
                        named = under_way
                        _ask(client, "DELETE", "/api/v3/order", symbol="ADAUSDT", origClientOrderId=named)
                        self.canceled.add(named)
            except httpx.TransportError:
                self.in_doubt.add(under_way)
            except _Unavailable as unavailable:
                if unavailable.is_known and under_way not in self.acknowledged:
                    self.refused.add(under_way)
                else:
                    self.in_doubt.add(under_way)


def _start(folder: Path, database: StandIn | None) -> AbstractContextManager[Server]:
    settings = {} if database is None else {"EMULATOR_MONGO_URL": database.url}
    return launched(folder, "--no-limits", settings=settings)


def _far_below(server: Server) -> str:
    """A price at which an order rests."""
    last = httpx.get(f"{server.url}/api/v3/ticker/price?symbol=ADAUSDT", trust_env=False).json()["price"]
    return str((Decimal(last) * Decimal("0.8")).quantize(Decimal("0.0001")))


def _money(client: httpx.Client) -> dict[str, Decimal]:
    balances = _ask(client, "GET", "/api/v3/account")["balances"]
    return {one["asset"]: Decimal(one["free"]) + Decimal(one["locked"]) for one in balances}


@pytest.mark.parametrize("kind", ["sqlite", "mongo"])
def test_what_was_acknowledged_survives_a_kill_exactly_once(tmp_path: Path, kind: str) -> None:
    with ExitStack() as stack:
        database = stack.enter_context(stand_in(tmp_path)) if kind == "mongo" else None
        _kill_again_and_again(tmp_path, database)


def _kill_again_and_again(folder: Path, database: StandIn | None) -> None:
    seed = int(os.environ.get("EMULATOR_TEST_SEED", random.SystemRandom().getrandbits(32)))
    print(f"EMULATOR_TEST_SEED={seed}")
    dice = random.Random(seed)
    known: list[_Bot] = []
    acknowledged = 0
    for _ in range(ROUNDS):
        with _start(folder, database) as server:
            _check(server, known)
            _tidy(server)
            price = _far_below(server)
            bots = [_Bot(server.url, number, dice.getrandbits(32), price) for number in range(CLIENTS)]
            for bot in bots:
                bot.start()
            # A random moment, but not before every client was answered once.
            while not all(bot.acknowledged for bot in bots):
                assert all(bot.is_alive() for bot in bots), "a client was refused"
                time.sleep(0.01)
            time.sleep(dice.random() * 0.5)
            if database is not None:
                database.kill()
                time.sleep(dice.random() * 0.2)
            server.process.kill()
            for bot in bots:
                bot.join(20)
                assert not bot.is_alive(), "a client hangs on a server that is gone"
            known += bots
            acknowledged += sum(len(bot.acknowledged) for bot in bots)
        if database is not None:
            database.start()
    with _start(folder, database) as server:
        _check(server, known)
    assert acknowledged >= ROUNDS * CLIENTS


def _tidy(server: Server) -> None:
    """Cancel what was left open: after many rounds it would be more than an account may have."""
    with httpx.Client(base_url=server.url, trust_env=False, timeout=10) as client:
        if _ask(client, "GET", "/api/v3/openOrders", symbol="ADAUSDT"):
            _ask(client, "DELETE", "/api/v3/openOrders", symbol="ADAUSDT")


def _check(server: Server, bots: list[_Bot]) -> None:
    with httpx.Client(base_url=server.url, trust_env=False, timeout=10) as client:
        held: dict[str, list[dict[str, Any]]] = {}
        first = 0
        while page := _ask(client, "GET", "/api/v3/allOrders", symbol="ADAUSDT", orderId=first, limit=1000):
            for order in page:
                held.setdefault(order["clientOrderId"], []).append(order)
            first = page[-1]["orderId"] + 1
        assert all(len(orders) == 1 for orders in held.values()), "an order is there twice"
        told: set[str] = set()
        for bot in bots:
            told |= bot.acknowledged.keys() | bot.in_doubt
            assert not held.keys() & bot.refused, "an order is there that was refused"
            for name, answered in bot.acknowledged.items():
                (order,) = held[name]
                assert order["orderId"] == answered["orderId"]
                if answered["status"] == "FILLED":
                    assert order["executedQty"] == answered["executedQty"]
                    assert order["cummulativeQuoteQty"] == answered["cummulativeQuoteQty"]
                if name in bot.canceled:
                    assert order["status"] == "CANCELED"
        assert held.keys() <= told, "an order is there that nobody placed"

        fills: list[dict[str, Any]] = []
        first = 0
        while page := _ask(client, "GET", "/api/v3/myTrades", symbol="ADAUSDT", fromId=first, limit=1000):
            fills += page
            first = page[-1]["id"] + 1
        bought: dict[int, Decimal] = {}
        for fill in fills:
            bought[fill["orderId"]] = bought.get(fill["orderId"], Decimal(0)) + Decimal(fill["qty"])
        for orders in held.values():
            assert Decimal(orders[0]["executedQty"]) == bought.get(orders[0]["orderId"], Decimal(0))
        money = _money(client)
        fees = sum((Decimal(f["commission"]) for f in fills if f["commissionAsset"] == "ADA"), Decimal(0))
        assert money["ADA"] == 100_000 + sum(bought.values(), Decimal(0)) - fees
        assert money["USDT"] == 1_000_000 - sum((Decimal(fill["quoteQty"]) for fill in fills), Decimal(0))
