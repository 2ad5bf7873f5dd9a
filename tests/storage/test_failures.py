"""What a user sees when the journal's file fails: over HTTP, with a real server and a real file."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import os
import re
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from emulator.runtime.journal_format import decode_batch, encode_batch
from emulator.runtime.ports import Batch
from emulator.storage.sqlite import SqliteJournal
from tests.launch import Server, environment, launched, stop
from tests.storage.faults import FAULTS, Fault, NoGrowth
from tests.storage.samples.frozen import samples

DEADLINE_S = 20
OPEN_ORDERS_MAX = 150
SECRET = b"a-secret"
UNKNOWN, UNAVAILABLE = (504, -1007), (503, -1001)


class Client:
    """Somebody with an account and one connection."""

    def __init__(self, server: Server, key: str) -> None:
        self._key = key
        self._secret = b"emulator-demo-secret" if key == "emulator-demo-key" else SECRET
        self._http = httpx.Client(base_url=server.url, trust_env=False, timeout=DEADLINE_S)
        last = self._http.get("/api/v3/ticker/price?symbol=ADAUSDT").json()["price"]
        self._far_below = (Decimal(last) * Decimal("0.8")).quantize(Decimal("0.0001"))

    def ask(self, method: str, path: str, **parameters: Any) -> tuple[int, Any]:
        """The HTTP status with what was answered, or with the code of the error."""
        query = urlencode({**parameters, "timestamp": int(time.time() * 1000)})
        signature = hmac.new(self._secret, query.encode(), hashlib.sha256).hexdigest()
        url = f"{path}?{query}&signature={signature}"
        answer = self._http.request(method, url, headers={"X-MBX-APIKEY": self._key})
        content = answer.json()
        return answer.status_code, content if answer.is_success else content["code"]

    def place(self, name: str) -> tuple[int, Any]:
        """An order that rests."""
        return self.ask(
            "POST", "/api/v3/order", symbol="ADAUSDT", side="BUY", type="LIMIT", timeInForce="GTC",
            quantity="100", price=str(self._far_below), newClientOrderId=name,
        )  # fmt: skip

    def orders(self) -> list[str]:
        """The names of all orders there ever were, oldest first."""
        status, listed = self.ask("GET", "/api/v3/allOrders", symbol="ADAUSDT")
        assert status == 200
        numbers = [order["orderId"] for order in listed]
        assert numbers == sorted(set(numbers))
        return [order["clientOrderId"] for order in listed]


def demo(server: Server) -> Client:
    return Client(server, "emulator-demo-key")


def bystander(server: Server) -> Client:
    """Somebody whom nothing pending concerns."""
    with httpx.Client(base_url=f"{server.control}", trust_env=False) as control:
        control.post("/accounts", json={"name": "bystander"}).raise_for_status()
        body = {"key": "bystander-key", "secret": SECRET.decode()}
        control.post("/accounts/bystander/keys", json=body).raise_for_status()
    return Client(server, "bystander-key")


def health(server: Server) -> Any:
    return httpx.get(f"{server.control}/health", trust_env=False).json()


def until(met: Callable[[], bool]) -> None:
    """Look again and again; the machine's speed decides how often, not the outcome."""
    deadline = time.monotonic() + DEADLINE_S
    while not met():
        assert time.monotonic() < deadline, "it never came to that"
        time.sleep(0.01)


@pytest.fixture(params=FAULTS)
def fault(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Fault]:
    directory = tmp_path / "state"
    directory.mkdir()
    fault = request.param(directory)
    yield fault
    fault.clear()


@pytest.fixture
def no_growth(tmp_path: Path) -> Fault:
    return NoGrowth(tmp_path)


def place_until_refused(
    server: Server, client: Client, pool: ThreadPoolExecutor
) -> tuple[list[str], Future[tuple[int, Any]]]:
    """Place orders until the journal refuses one; the names of all, and the answer of the last to come.

    That a file is gone is noticed after a moment only.
    """
    names: list[str] = []
    while len(names) < OPEN_ORDERS_MAX:
        names.append(f"meanwhile-{len(names)}")
        answer = pool.submit(client.place, names[-1])
        while not answer.done():
            if health(server)["status"] == "degraded":
                return names, answer
        assert answer.result()[0] == 200
    raise AssertionError("the journal did not refuse")


# A disk that refuses


def test_a_short_failure_costs_time_only(fault: Fault) -> None:
    with ThreadPoolExecutor() as pool, launched(fault.directory) as server:
        client = demo(server)
        assert client.place("before")[0] == 200
        fault.strike(server)
        names, answer = place_until_refused(server, client, pool)
        reason = health(server)["reasons"]["default"]
        assert fault.reason in reason
        assert "journal.sqlite" in reason
        fault.mend(server)
        assert answer.result()[0] == 200
        assert health(server)["status"] == "ok"
        assert client.place("after")[0] == 200
        server.process.kill()
        server.process.wait()
        with launched(fault.directory) as again:
            assert demo(again).orders() == ["before", *names, "after"]


def test_a_long_failure_is_told_as_the_exchange_does(no_growth: Fault) -> None:
    with ThreadPoolExecutor() as pool, launched(no_growth.directory) as server:
        client, other = demo(server), bystander(server)
        several = [demo(server) for _ in range(4)]
        assert client.place("before")[0] == 200
        no_growth.strike(server)
        # They come at once, so that some are decided while the journal has not refused yet.
        names = [f"pending-{number}" for number in range(len(several))]
        answers = dict(zip(names, pool.map(Client.place, several, names), strict=True))
        assert set(answers.values()) <= {UNKNOWN, UNAVAILABLE}
        pending = {name for name, answer in answers.items() if answer == UNKNOWN}
        assert pending
        assert health(server)["degraded"] == ["default"]

        # What is asked for now is not even tried.
        assert client.place("refused") == UNAVAILABLE
        assert (
            client.ask("DELETE", "/api/v3/order", symbol="ADAUSDT", origClientOrderId="before") == UNAVAILABLE
        )
        sandbox = httpx.post(f"{server.control}/sandboxes", json={"name": "new"}, trust_env=False)
        assert sandbox.status_code == 503
        # Whoever could see what is pending is held up, and nobody else.
        assert client.ask("GET", "/api/v3/account") == UNAVAILABLE
        assert client.ask("GET", "/api/v3/openOrders", symbol="ADAUSDT") == UNAVAILABLE
        assert other.ask("GET", "/api/v3/account")[0] == 200
        assert httpx.get(f"{server.url}/api/v3/depth?symbol=BTCUSDT", trust_env=False).status_code == 200

        no_growth.mend(server)
        until(lambda: health(server)["status"] == "ok")
        assert client.place("after")[0] == 200
        orders = client.orders()
        assert orders[0] == "before"
        assert set(orders[1:-1]) == pending
        assert orders[-1] == "after"
        log = server.log.read_text(encoding="utf-8")
        assert "the journal refuses, trading stops" in log
        assert "the journal accepts again" in log
        assert "Traceback" not in log
        server.process.kill()
        server.process.wait()
        with launched(no_growth.directory) as again:
            assert demo(again).orders() == orders


def test_a_stop_meanwhile_says_what_was_not_written(no_growth: Fault) -> None:
    with ThreadPoolExecutor() as pool, launched(no_growth.directory) as server:
        client = demo(server)
        assert client.place("before")[0] == 200
        no_growth.strike(server)
        names, answer = place_until_refused(server, client, pool)
        assert stop(server.process) == 0
        assert answer.result() == UNKNOWN
        log = server.log.read_text(encoding="utf-8")
        assert "Traceback" not in log
        said = r"default: ends, and the journal did not acknowledge entries (\d+) to \1 \(1 OrderPlaced"
        assert re.search(said, log), log
    with launched(no_growth.directory) as again:
        assert demo(again).orders() == ["before", *names[:-1]]


# A file that somebody else has


def test_a_second_server_stops_and_names_the_first(tmp_path: Path) -> None:
    with launched(tmp_path) as server:
        client = demo(server)
        assert client.place("before")[0] == 200
        said = refused_start(tmp_path)
        assert f"journal.sqlite is in use by process {server.process.pid} on {socket.gethostname()}:" in said
        assert health(server)["status"] == "ok"
        assert client.place("after")[0] == 200
        assert server.ready_file.exists()
        assert client.orders() == ["before", "after"]


# A file that cannot be read


def refused_start(directory: Path, *, prefix: tuple[str, ...] = ()) -> str:
    """Start a server that has to fail; the one line that it says."""
    command = [sys.executable, "-m", "emulator", "serve", "--port", "0", "--data-dir", str(directory)]
    run = subprocess.run(
        [*prefix, *command], capture_output=True, text=True, env=environment(), timeout=60, check=False
    )
    assert run.returncode == 1
    assert run.stdout == ""
    (line,) = run.stderr.splitlines()
    assert line.startswith("error: ")
    return line


@pytest.fixture
def journal_file(tmp_path: Path) -> Path:
    """A journal with the history of a sample, and without a snapshot, so that a start reads all of it."""

    async def write() -> None:
        journal = SqliteJournal(path)
        (sample,) = (one for one in samples() if one.name == "1-spot")
        for batch in sample.batches():
            await journal.append(batch)
        await journal.close()

    path = tmp_path / "journal.sqlite"
    asyncio.run(write())
    return path


def change_entry(path: Path, sequence: int, change: Callable[[bytes], bytes]) -> None:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        where = "FROM entry WHERE sequence = ?"
        (entry,) = connection.execute(f"SELECT batch {where}", (sequence,)).fetchone()
        parameters = (change(entry), sequence)
        connection.execute("UPDATE entry SET batch = ? WHERE sequence = ?", parameters)


def without_first_record(entry: bytes) -> bytes:
    batch = decode_batch(entry)
    return encode_batch(Batch(sandbox="", sequence=batch.sequence, records=batch.records[1:]))


def test_the_sample_starts_when_it_is_whole(journal_file: Path) -> None:
    with launched(journal_file.parent) as server:
        assert health(server)["status"] == "ok"


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    path.write_bytes(os.urandom(100_000))
    before = path.read_bytes()
    assert refused_start(tmp_path) == f"error: {path}: file is not a database"
    assert path.read_bytes() == before


def test_a_file_that_was_cut_off(journal_file: Path) -> None:
    with journal_file.open("r+b") as file:
        file.truncate(journal_file.stat().st_size // 2)
    before = journal_file.read_bytes()
    assert refused_start(journal_file.parent) == f"error: {journal_file}: database disk image is malformed"
    assert journal_file.read_bytes() == before


def test_an_entry_that_was_changed(journal_file: Path) -> None:
    change_entry(journal_file, 70, lambda entry: entry[:-20] + b"x" + entry[-19:])
    before = journal_file.read_bytes()
    said = refused_start(journal_file.parent)
    assert said.startswith("error: default: entry 70 was changed or cut off")
    assert journal_file.read_bytes() == before


def test_an_entry_that_is_missing(journal_file: Path) -> None:
    with closing(sqlite3.connect(journal_file, isolation_level=None)) as connection:
        connection.execute("DELETE FROM entry WHERE sequence = 70")
    assert refused_start(journal_file.parent) == "error: default: entry 71 of default follows entry 69"


def test_an_entry_that_does_not_fit_what_was_before(journal_file: Path) -> None:
    change_entry(journal_file, 8, without_first_record)
    said = refused_start(journal_file.parent)
    assert re.match(r"error: default: entry \d+ cannot be applied: ", said), said


WITHOUT_RIGHTS_OF_ROOT = (
    sys.executable,
    "-c",
    """
import ctypes, os, sys
PR_CAPBSET_DROP, CAP_DAC_OVERRIDE = 24, 1
ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, 0, 0, 0)
os.execv(sys.argv[1], sys.argv[1:])
""",
)
"""Runs a program to which read-only means read-only."""


@pytest.mark.parametrize(
    ("read_only", "said"),
    [
        ("journal.sqlite", "journal.sqlite: this file may not be written"),
        (".", "journal.sqlite.lock: Permission denied"),
    ],
)
def test_what_may_not_be_written(journal_file: Path, read_only: str, said: str) -> None:
    path = journal_file.parent / read_only
    (journal_file.parent / "journal.sqlite.lock").unlink()
    mode = path.stat().st_mode
    path.chmod(mode & ~0o222)
    try:
        prefix = WITHOUT_RIGHTS_OF_ROOT if os.geteuid() == 0 else ()
        assert refused_start(journal_file.parent, prefix=prefix).endswith(said)
    finally:
        path.chmod(mode)
