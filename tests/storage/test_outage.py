"""A database that goes and comes back under a server that trades, and one that two servers would share."""

from __future__ import annotations

import hashlib
import hmac
import threading
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx

from tests.launch import Server, launched
from tests.storage.mongo_server import StandIn, stand_in

KEY, SECRET = "emulator-demo-key", b"emulator-demo-secret"
PLACERS = 6
WAIT_S_MAX = 30


def ask(server: Server, method: str, path: str, **parameters: Any) -> httpx.Response:
    query = urlencode({**parameters, "timestamp": int(time.time() * 1000)})
    signature = hmac.new(SECRET, query.encode(), hashlib.sha256).hexdigest()
    return httpx.request(
        method,
        f"{server.url}{path}?{query}&signature={signature}",
        headers={"X-MBX-APIKEY": KEY},
        trust_env=False,
        timeout=WAIT_S_MAX,
    )


def place(server: Server, name: str) -> httpx.Response:
    return ask(
        server,
        "POST",
        "/api/v3/order",
        symbol="ADAUSDT",
        side="BUY",
        type="MARKET",
        quantity="100",
        newClientOrderId=name,
    )


def held(server: Server) -> list[str]:
    """The orders of the account, as clients called them, in the order of their ids."""
    answer = ask(server, "GET", "/api/v3/allOrders", symbol="ADAUSDT", limit=1000)
    assert answer.status_code == 200, answer.text
    return [order["clientOrderId"] for order in answer.json()]


def health(server: Server) -> Any:
    return httpx.get(f"{server.control}/health", trust_env=False).json()


def wait_for(server: Server, status: str) -> Any:
    give_up = time.monotonic() + WAIT_S_MAX
    while (found := health(server))["status"] != status:
        assert time.monotonic() < give_up, found
        time.sleep(0.02)
    return found


class Placer(threading.Thread):
    """Places an order in the background."""

    def __init__(self, server: Server, name: str) -> None:
        super().__init__(daemon=True)
        self._server = server
        self.order = name
        self.answer: httpx.Response | None = None

    def run(self) -> None:
        self.answer = place(self._server, self.order)


def serving(folder: Path, database: StandIn) -> Any:
    folder.mkdir(exist_ok=True)
    return launched(folder, "--no-limits", settings={"EMULATOR_MONGO_URL": database.url})


def test_a_database_that_goes_stops_trading_until_it_is_back(tmp_path: Path) -> None:
    with stand_in(tmp_path) as database:
        with serving(tmp_path / "emulator", database) as server:
            assert f"state        {database.url}\n" in server.announced
            assert health(server)["journal"] == {"kind": "mongo", "durable": True}
            assert place(server, "before").status_code == 200

            database.kill()
            placers = [Placer(server, f"meanwhile-{number}") for number in range(PLACERS)]
            for placer in placers:
                placer.start()
            said = wait_for(server, "degraded")
            assert said["degraded"] == ["default"]
            assert f"MongoDB at {database.url}: " in said["reasons"]["default"]
            refused = place(server, "refused")
            assert (refused.status_code, refused.json()["code"]) == (503, -1001)
            # What nothing pending concerns is still answered.
            other = httpx.get(f"{server.url}/api/v3/depth?symbol=BTCUSDT", trust_env=False)
            assert other.status_code == 200
            unknown: set[str] = set()
            for placer in placers:
                placer.join(WAIT_S_MAX)
                assert placer.answer is not None, "a caller is left without an answer"
                outcome = placer.answer.status_code, placer.answer.json()["code"]
                assert outcome in ((504, -1007), (503, -1001))
                if outcome == (504, -1007):
                    unknown.add(placer.order)
            assert unknown

            database.start()
            assert wait_for(server, "ok")["reasons"] == {}
            assert place(server, "after").status_code == 200
            first, *pending, last = held(server)
            assert (first, set(pending), last) == ("before", unknown, "after")
            server.process.kill()
        with serving(tmp_path / "emulator", database) as server:
            assert held(server) == [first, *pending, last]


def test_the_second_server_on_one_database_stops_and_names_the_first(tmp_path: Path) -> None:
    with (
        stand_in(tmp_path) as database,
        serving(tmp_path / "one", database) as one,
        serving(tmp_path / "other", database) as other,
    ):
        assert place(one, "first").status_code == 200
        lost = place(other, "second")
        assert (lost.status_code, lost.json()["code"]) == (504, -1007)
        refused = place(other, "third")
        assert (refused.status_code, refused.json()["code"]) == (503, -1001)
        said = health(other)
        assert said["status"] == "degraded"
        assert f"written by process {one.process.pid} on " in said["reasons"]["default"]
        assert f"written by process {one.process.pid} on " in other.log.read_text(encoding="utf-8")
        assert place(one, "fourth").status_code == 200
        assert held(one) == ["first", "fourth"]
