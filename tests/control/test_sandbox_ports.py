"""A sandbox's own port: the paths of the exchange, unchanged, each port in a universe of its own."""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import http.client
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from tests.control.conftest import ControlClient
from tests.launch import Server, launched, stop

KEY, SECRET = "emulator-demo-key", b"emulator-demo-secret"


def signed(port: int, method: str, path: str, **parameters: Any) -> Any:
    """What an SDK sends whose base address is the port and nothing else."""
    query = urlencode({**parameters, "timestamp": time.time_ns() // 1_000_000})
    signature = hmac.new(SECRET, query.encode(), hashlib.sha256).hexdigest()
    url = f"http://127.0.0.1:{port}{path}?{query}&signature={signature}"
    answer = httpx.request(method, url, headers={"X-MBX-APIKEY": KEY}, trust_env=False)
    assert answer.status_code == 200, answer.text
    return answer.json()


def price(address: str, **options: Any) -> Any:
    url = f"{address}/ticker/price?symbol=BTCUSDT"
    return httpx.get(url, trust_env=False, **options).raise_for_status().json()["price"]


def can_connect(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
    except ConnectionRefusedError:
        return False
    return True


def rest(connection: socket.socket) -> bytes:
    """What the server still sends before it ends the connection, in whatever way it ends it."""
    received = b""
    with contextlib.suppress(ConnectionResetError):
        while part := connection.recv(1000):
            received += part
    return received


@pytest.fixture
def red(control: ControlClient) -> Iterator[int]:
    """The own port of the sandbox `red`."""
    port: int = control.post("/sandboxes", {"name": "red", "port": 0})["port"]
    yield port
    control.delete("/sandboxes/red")


@pytest.fixture
def blue(control: ControlClient) -> Iterator[int]:
    port: int = control.post("/sandboxes", {"name": "blue", "port": 0})["port"]
    yield port
    control.delete("/sandboxes/blue")


def test_each_port_is_a_universe_of_its_own(
    server: Server, control: ControlClient, red: int, blue: int
) -> None:
    assert len({red, blue, *server.ports.values()}) == 2 + len(server.ports)
    for name, port, last in (("red", red, "61000"), ("blue", blue, "42000")):
        control.put(f"/markets/binance/BTCUSDT/price?sandbox={name}", {"price": last})
        assert price(f"http://127.0.0.1:{port}/api/v3") == f"{last}.00000000"
    assert price(server.url + "/api/v3") not in ("61000.00000000", "42000.00000000")

    order = signed(red, "POST", "/api/v3/order", symbol="BTCUSDT", side="BUY", type="MARKET", quantity="0.5")
    assert (order["orderId"], order["status"]) == (1, "FILLED")
    resting = {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT", "timeInForce": "GTC"}
    placed = signed(blue, "POST", "/api/v3/order", **resting, quantity="1", price="41000")
    assert placed["status"] == "NEW"

    assert signed(red, "GET", "/api/v3/openOrders") == []
    assert [one["price"] for one in signed(blue, "GET", "/api/v3/openOrders")] == ["41000.00000000"]
    assert len(signed(red, "GET", "/api/v3/allOrders", symbol="BTCUSDT")) == 1
    assert signed(blue, "GET", "/api/v3/myTrades", symbol="BTCUSDT") == []

    def balance(port: int, asset: str) -> tuple[str, str]:
        (kept,) = (b for b in signed(port, "GET", "/api/v3/account")["balances"] if b["asset"] == asset)
        return kept["free"], kept["locked"]

    assert balance(red, "BTC")[0].startswith("100.4")
    assert balance(blue, "BTC") == ("100.00000000", "0.00000000")
    assert balance(blue, "USDT") == ("959000.00000000", "41000.00000000")


def test_a_port_has_all_sites_as_the_common_one_has(control: ControlClient, red: int, blue: int) -> None:
    control.put("/markets/binance/BTCUSDT/price?sandbox=red", {"price": "61000"})
    control.put("/markets/binance/BTCUSDT/price?sandbox=blue", {"price": "42000"})
    here = f"http://127.0.0.1:{red}"
    assert price(here + "/api/v3") == "61000.00000000"
    assert price(here + "/binance/api/v3") == "61000.00000000"
    assert price(here + "/api/v3", headers={"host": "api.binance.com"}) == "61000.00000000"
    assert httpx.get(here + "/fapi/v1/ping", trust_env=False).json() == {}
    assert httpx.get(here + "/v5/market/time", trust_env=False).json()["retCode"] == 0
    assert httpx.get(here + "/kucoin/api/v1/timestamp", trust_env=False).status_code == 404
    # What names another sandbox outright is stronger than the port.
    assert price(here + "/~blue/api/v3") == "42000.00000000"
    assert price(here + "/api/v3", headers={"host": "blue.localhost"}) == "42000.00000000"


def test_control_calls_on_a_port_are_for_its_sandbox(server: Server, red: int, blue: int) -> None:
    of_port = ControlClient(f"http://127.0.0.1:{red}/_emulator")
    assert of_port.get("/clock")["sandbox"] == "red"
    assert of_port.get("/clock?sandbox=blue")["sandbox"] == "blue"
    assert of_port.get("/clock", headers={"host": f"blue.localhost:{red}"})["sandbox"] == "blue"
    assert of_port.post("/reset", {"seed": 5})["name"] == "red"
    of_port.close()


def test_ports_are_listed(control: ControlClient, red: int) -> None:
    listed = {one["name"]: one["port"] for one in control.get("/sandboxes")["sandboxes"]}
    assert listed["red"] == red == control.get("/sandboxes/red")["port"]
    assert listed["default"] is None


def test_a_port_stays_with_the_name_through_a_reset(control: ControlClient, red: int) -> None:
    address = f"http://127.0.0.1:{red}/api/v3"
    signed(red, "POST", "/api/v3/order", symbol="BTCUSDT", side="BUY", type="MARKET", quantity="1")
    with httpx.Client(trust_env=False) as client:
        client.get(address + "/ping").raise_for_status()
        assert control.post("/sandboxes/red/reset", {"seed": 3})["port"] == red
        client.get(address + "/ping").raise_for_status()
    assert signed(red, "GET", "/api/v3/myTrades", symbol="BTCUSDT") == []


def test_a_fork_has_no_port_or_its_own(control: ControlClient, red: int) -> None:
    signed(red, "POST", "/api/v3/order", symbol="BTCUSDT", side="BUY", type="MARKET", quantity="1")
    assert control.post("/sandboxes/red/fork", {"name": "red-plain"})["port"] is None
    forked = control.post("/sandboxes/red/fork", {"name": "red-own", "port": 0})["port"]
    try:
        assert forked not in (None, red)
        signed(forked, "POST", "/api/v3/order", symbol="BTCUSDT", side="BUY", type="MARKET", quantity="1")
        assert len(signed(forked, "GET", "/api/v3/allOrders", symbol="BTCUSDT")) == 2
        assert len(signed(red, "GET", "/api/v3/allOrders", symbol="BTCUSDT")) == 1
    finally:
        control.delete("/sandboxes/red-plain")
        control.delete("/sandboxes/red-own")


def test_a_port_that_is_taken_makes_nothing(server: Server, control: ControlClient, red: int) -> None:
    with socket.create_server(("127.0.0.1", 0)) as foreign:
        for taken in (red, server.ports["all"], server.ports["binance"], foreign.getsockname()[1]):
            wanted = {"name": "late", "port": taken}
            for call in ("/sandboxes", "/sandboxes/red/fork"):
                error = control.post(call, wanted, status=409)["error"]
                assert error["code"] == "port_unavailable"
                assert str(taken) in error["message"]
            assert control.refused("GET", "/sandboxes/late", status=404) == "no_such_sandbox"
    assert (
        "'red'" in control.post("/sandboxes", {"name": "late", "port": red}, status=409)["error"]["message"]
    )
    # A name that exists is said first: whoever runs the same thing twice asks for the same port again.
    again = {"name": "red", "port": red}
    assert control.refused("POST", "/sandboxes", again, status=409) == "sandbox_exists"
    signed(red, "GET", "/api/v3/account")


@pytest.mark.parametrize("port", [-1, 65_536, "8585", 1.5, True])
def test_what_is_no_port_is_refused(control: ControlClient, port: object) -> None:
    assert control.refused("POST", "/sandboxes", {"name": "late", "port": port}, status=400) == "invalid_body"


def test_a_sandbox_that_is_not_made_holds_no_port(control: ControlClient) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    past = {"name": "late", "port": port, "clock": {"time": "2026-01-01", "speed": 10_000_000}}
    assert control.refused("POST", "/sandboxes", past, status=409) == "clock_refused"
    assert control.refused("POST", "/sandboxes/nobody/fork", {"name": "late", "port": port}, status=404)
    assert not can_connect(port)
    assert control.post("/sandboxes", {"name": "late", "port": port})["port"] == port
    control.delete("/sandboxes/late")


def test_dropping_closes_the_port_and_its_connections(control: ControlClient) -> None:
    port = control.post("/sandboxes", {"name": "brief", "port": 0})["port"]
    idle = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    idle.request("GET", "/api/v3/ping")
    assert idle.getresponse().read() == b"{}"
    assert idle.sock is not None, "the server does not keep connections"
    silent = socket.create_connection(("127.0.0.1", port), timeout=10)

    control.delete("/sandboxes/brief")
    assert not can_connect(port)
    assert rest(idle.sock) == b""
    assert rest(silent) == b""
    idle.close()
    silent.close()

    # The name and the number are free for another universe.
    made = control.post("/sandboxes", {"name": "brief", "port": port})
    assert (made["port"], made["accounts"]) == (port, ["demo"])
    assert signed(port, "GET", "/api/v3/openOrders") == []
    control.delete("/sandboxes/brief")
    assert control.post("/sandboxes", {"name": "brief"})["port"] is None
    assert not can_connect(port)
    control.delete("/sandboxes/brief")


def test_a_number_passes_to_another_sandbox_at_once(control: ControlClient) -> None:
    port = control.post("/sandboxes", {"name": "first", "port": 0})["port"]
    under_way = socket.create_connection(("127.0.0.1", port), timeout=10)
    under_way.sendall(b"POST /api/v3/order HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n")
    # Answers when the server has read what was sent before it.
    signed(port, "GET", "/api/v3/account")
    control.delete("/sandboxes/first")
    control.post("/sandboxes", {"name": "second", "port": port})
    assert (
        httpx.get(f"http://127.0.0.1:{port}/_emulator/clock", trust_env=False).json()["sandbox"] == "second"
    )
    # What was under way for the first does not become the second's.
    assert rest(under_way) == b""
    under_way.close()
    control.delete("/sandboxes/second")


def test_a_request_under_way_is_answered_before_its_connection_ends(control: ControlClient) -> None:
    port = control.post("/sandboxes", {"name": "leaving", "port": 0})["port"]
    own = ControlClient(f"http://127.0.0.1:{port}/_emulator")
    # The call that drops the sandbox comes over the very port that it closes.
    assert own.delete("/sandboxes/leaving") == {"dropped": "leaving"}
    own.close()
    assert not can_connect(port)


def test_the_end_of_the_process_closes_them(tmp_path: Path) -> None:
    with launched(tmp_path) as running:
        control = ControlClient(running.control)
        ports = [control.post("/sandboxes", {"name": f"s{n}", "port": 0})["port"] for n in range(3)]
        idle = [socket.create_connection(("127.0.0.1", port), timeout=10) for port in ports]
        control.delete("/sandboxes/s2")
        control.close()
        began = time.monotonic()
        assert stop(running.process, signal.SIGTERM) == 0
        assert time.monotonic() - began < 3, "it waited for connections that were idle"
        assert not any(map(can_connect, ports))
        assert [rest(one) for one in idle] == [b""] * 3
        for one in idle:
            one.close()
        assert running.log.read_text(encoding="utf-8") == ""
