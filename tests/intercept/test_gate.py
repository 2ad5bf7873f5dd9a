"""The gate over real sockets: the real hosts by TLS, by a proxy's tunnel and plain; nobody else."""

from __future__ import annotations

import json
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.sync.client import connect

from emulator.intercept.hello import UNRECOGNIZED_NAME, server_name
from tests.launch import Server, launched

SPOT_TIME = "/api/v3/time"


class Gate:
    """One gate of the server, as the control API opens it."""

    def __init__(self, server: Server, **order: Any) -> None:
        self.server = server
        self._control = server.control
        answer = httpx.post(f"{self._control}/gates", json=order, trust_env=False)
        assert answer.status_code == 200, answer.text
        self.port: int = answer.json()["port"]
        self.ca: str = answer.json()["ca"]

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def seen(self) -> Any:
        answer = httpx.get(f"{self._control}/gates/{self.port}", trust_env=False)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def close(self) -> Any:
        answer = httpx.delete(f"{self._control}/gates/{self.port}", trust_env=False)
        assert answer.status_code == 200, answer.text
        return answer.json()


@pytest.fixture
def gate(server: Server) -> Iterator[Gate]:
    opened = Gate(server)
    yield opened
    opened.close()


def ask(connection: socket.socket, target: str, host: str) -> tuple[int, bytes]:
    """One GET over a connection that is open; status and body."""
    connection.sendall(f"GET {target} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n".encode())
    return answered(connection)


def answered(connection: socket.socket) -> tuple[int, bytes]:
    received = b""
    while part := connection.recv(65_536):
        received += part
    head, _, body = received.partition(b"\r\n\r\n")
    return int(head.split()[1]), body


def secured(port: int, context: ssl.SSLContext, name: str) -> ssl.SSLSocket:
    return context.wrap_socket(socket.create_connection(("127.0.0.1", port), 10), server_hostname=name)


@contextmanager
def stranger() -> Iterator[tuple[int, list[bytes]]]:
    """A server that is no exchange's: its port, and what it was sent. It answers in capitals."""
    listening = socket.create_server(("", 0))
    received: list[bytes] = []

    def serve() -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            with connection:
                received.append(connection.recv(65_536))
                connection.sendall(received[-1].upper())

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield listening.getsockname()[1], received
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join()


@pytest.mark.parametrize(
    ("host", "path", "member"),
    [
        ("api.binance.com", SPOT_TIME, "serverTime"),
        ("api.binance.us", SPOT_TIME, "serverTime"),
        ("demo-api.binance.com", SPOT_TIME, "serverTime"),
        ("fapi.binance.com", "/fapi/v1/time", "serverTime"),
        ("testnet.binancefuture.com", "/fapi/v1/time", "serverTime"),
        ("testnet.binancefuture.com", "/dapi/v1/time", "serverTime"),
        ("dapi.binance.com", "/dapi/v1/time", "serverTime"),
        ("api.bybit.com", "/v5/market/time", "retCode"),
        ("api-testnet.bybit.com", "/v5/market/time", "retCode"),
        ("api.bytick.com", "/v5/market/time", "retCode"),
        ("api.bybitgeorgia.ge", "/v5/market/time", "retCode"),
        ("api.manepa.jp", "/v5/market/time", "retCode"),
    ],
)
def test_a_tls_client_finds_the_host_it_names(
    server: Server, trusting: ssl.SSLContext, host: str, path: str, member: str
) -> None:
    with closing(secured(server.ready["tls"]["port"], trusting, host)) as connection:
        status, body = ask(connection, path, host)
    assert status == 200
    assert member in json.loads(body)


def test_a_host_that_is_not_served_yet_says_so(gate: Gate, trusting: ssl.SSLContext) -> None:
    with closing(secured(gate.port, trusting, "api.kucoin.eu")) as connection:
        status, body = ask(connection, "/api/v1/timestamp", "api.kucoin.eu")
    assert status == 404
    assert b"kucoin" in body
    assert gate.seen()["hosts"] == [
        {
            "host": "api.kucoin.eu",
            "requests": 1,
            "errors": 1,
            "sockets": 0,
            "notEmulated": ["GET /api/v1/timestamp"],
        }
    ]


def test_a_proxys_client_gets_a_tunnel_to_it(gate: Gate, trusting: ssl.SSLContext) -> None:
    with httpx.Client(proxy=gate.address, verify=trusting, trust_env=False) as client:
        for _ in range(3):
            assert "serverTime" in client.get(f"https://api.binance.com{SPOT_TIME}").json()
        assert client.get("https://api.binance.com/api/v3/depth").json()["code"] == -1102
        assert "serverTime" in client.get("https://dapi.binance.com:443/dapi/v1/time").json()
        assert client.get("https://api.binance.com/api/v3/nothing").status_code == 404
    hosts = {one.pop("host"): one for one in gate.seen()["hosts"]}
    assert hosts == {
        "api.binance.com": {
            "requests": 5,
            "errors": 2,
            "sockets": 0,
            "notEmulated": ["GET /api/v3/nothing"],
        },
        "dapi.binance.com": {"requests": 1, "errors": 0, "sockets": 0, "notEmulated": []},
    }


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxys_client_may_ask_in_absolute_form(gate: Gate, scheme: str) -> None:
    with closing(socket.create_connection(("127.0.0.1", gate.port), 10)) as connection:
        status, body = ask(connection, f"{scheme}://api.binance.com/api/v3/ticker/price?symbol=BTCUSDT", "")
    assert status == 200
    assert json.loads(body)["symbol"] == "BTCUSDT"


def test_websockets_come_through(gate: Gate, trusting: ssl.SSLContext) -> None:
    def requests() -> int:
        return sum(one["requests"] for one in gate.seen()["hosts"] if one["host"] == "ws-api.binance.com")

    url = "wss://stream.binance.com:9443/ws/btcusdt@bookTicker"
    opened = socket.create_connection(("127.0.0.1", gate.port), 10)
    with connect(url, sock=opened, ssl=trusting, proxy=None) as stream:
        assert json.loads(stream.recv(10))["s"] == "BTCUSDT"
    with connect("wss://ws-api.binance.com/ws-api/v3", ssl=trusting, proxy=gate.address) as api:
        opening = requests()
        for number in range(3):
            api.send(f'{{"id": {number}, "method": "time"}}')
            assert json.loads(api.recv(10))["status"] == 200
        assert requests() == opening + 3
    hosts = {one["host"]: one for one in gate.seen()["hosts"]}
    assert hosts["stream.binance.com"]["sockets"] == 1
    assert hosts["ws-api.binance.com"]["sockets"] == 1


def test_a_tunnel_may_carry_plain_http(gate: Gate) -> None:
    with closing(socket.create_connection(("127.0.0.1", gate.port), 10)) as connection:
        connection.sendall(b"CONNECT api.binance.com:80 HTTP/1.1\r\nhost: api.binance.com:80\r\n\r\n")
        assert connection.recv(1000).startswith(b"HTTP/1.1 200 ")
        status, body = ask(connection, SPOT_TIME, "api.binance.com")
    assert status == 200
    assert "serverTime" in json.loads(body)


def test_the_control_api_has_no_exchanges_name(gate: Gate, trusting: ssl.SSLContext) -> None:
    with closing(secured(gate.port, trusting, "api.binance.com")) as connection:
        status, body = ask(connection, "/_emulator/health", "api.binance.com")
    assert (status, json.loads(body)["error"]["code"]) == (403, "foreign_host")
    with closing(secured(gate.port, trusting, "localhost")) as connection:
        status, body = ask(connection, "/_emulator/health", "localhost")
    assert status == 200


# Who does not trust, and who is refused


def test_who_does_not_trust_the_authority_is_told_of(gate: Gate) -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        secured(gate.port, ssl.create_default_context(), "api.binance.com")
    with closing(socket.create_connection(("127.0.0.1", gate.port))):
        # Whatever was asked later has been seen after what came before.
        seen = gate.seen()
        while not seen["untrusting"]:
            seen = gate.seen()
    assert seen["untrusting"] == [{"host": "api.binance.com", "count": 1}]
    assert seen["hosts"] == []


def test_another_name_is_refused_before_any_handshake(gate: Gate, trusting: ssl.SSLContext) -> None:
    with pytest.raises(ssl.SSLError, match=r"(?i)unrecognized.name"):
        secured(gate.port, trusting, "www.example.org")
    assert gate.seen()["refused"] == [{"host": "www.example.org:443", "count": 1}]


def test_a_name_that_no_host_can_have_is_refused(gate: Gate) -> None:
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = ssl.create_default_context().wrap_bio(to_client, to_server, server_hostname="xx.binance.com")
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    sent = to_server.read().replace(b"xx.binance.com", b"\xff\xfe.binance.com")
    with closing(socket.create_connection(("127.0.0.1", gate.port), 10)) as connection:
        connection.sendall(sent)
        assert connection.recv(100) == UNRECOGNIZED_NAME
    assert gate.seen()["refused"] == [{"host": "\xff\xfe.binance.com:443", "count": 1}]


def test_a_proxys_client_is_not_let_out(gate: Gate, trusting: ssl.SSLContext) -> None:
    with httpx.Client(proxy=gate.address, verify=trusting, trust_env=False) as client:
        with pytest.raises(httpx.ProxyError, match="403"):
            client.get("https://www.example.org/")
        refused = client.get("http://www.example.org/")
    assert refused.status_code == 403
    assert "www.example.org:80" in refused.text
    assert gate.seen()["refused"] == [
        {"host": "www.example.org:443", "count": 1},
        {"host": "www.example.org:80", "count": 1},
    ]


def test_the_gate_of_the_server_has_a_guard(server: Server, trusting: ssl.SSLContext) -> None:
    port = server.ready["tls"]["port"]
    with pytest.raises(ssl.SSLError):
        secured(port, trusting, "www.example.org")
    seen = httpx.get(f"{server.control}/gates/{port}", trust_env=False).json()
    assert {"host": "www.example.org:443", "count": 1} in seen["refused"]
    closed = httpx.delete(f"{server.control}/gates/{port}", trust_env=False)
    assert (closed.status_code, closed.json()["error"]["code"]) == (409, "permanent_gate")


def test_this_machine_is_always_let_in(gate: Gate) -> None:
    with (
        stranger() as (port, received),
        closing(socket.create_connection(("127.0.0.1", gate.port), 10)) as connection,
    ):
        connection.sendall(f"CONNECT 127.0.0.1:{port} HTTP/1.1\r\n\r\n".encode())
        assert connection.recv(1000).startswith(b"HTTP/1.1 200 ")
        connection.sendall(b"abc")
        assert connection.recv(1000) == b"ABC"
    assert received == [b"abc"]
    assert gate.seen()["refused"] == []


def test_who_is_allowed_is_passed_on_as_he_is(server: Server) -> None:
    name = socket.gethostname().lower()
    try:
        socket.getaddrinfo(name, None)
    except OSError:
        pytest.skip("this machine does not know its own name")
    with stranger() as (port, received):
        opened = Gate(server, allow=[f"{name}:{port}"])
        sent = b"GET /x HTTP/1.1\r\nconnection: close\r\n\r\n"
        with closing(socket.create_connection(("127.0.0.1", opened.port), 10)) as connection:
            connection.sendall(f"CONNECT {name}:{port} HTTP/1.1\r\n\r\n".encode())
            assert connection.recv(1000).startswith(b"HTTP/1.1 200 ")
            connection.sendall(sent)
            assert connection.recv(1000) == sent.upper()
        with closing(socket.create_connection(("127.0.0.1", opened.port), 10)) as connection:
            connection.sendall(f"CONNECT {name}:{port + 1} HTTP/1.1\r\n\r\n".encode())
            assert answered(connection)[0] == 403
    assert received == [sent]
    assert opened.close()["refused"] == [{"host": f"{name}:{port + 1}", "count": 1}]


def test_a_proxys_client_cannot_take_a_connection_to_somebody_else(gate: Gate) -> None:
    with stranger() as (port, received):
        other = Gate(gate.server, allow=[])
        with httpx.Client(proxy=gate.address, trust_env=False) as client:
            assert client.get("http://api.binance.com/api/v3/time").status_code == 200
            assert client.get("http://elsewhere.invalid/").status_code == 403
            assert client.get("http://fapi.binance.com/fapi/v1/time").status_code == 200
            assert client.get("http://fapi.binance.com?").status_code == 404
        with closing(socket.create_connection(("127.0.0.1", other.port), 10)) as connection:
            connection.sendall(
                f"GET http://u:p@localhost:{port}/x?y=http://z HTTP/1.1\r\nProxy-Connection: keep-alive\r\n"
                "Host: localhost\r\nCONNECTION: keep-alive\r\n\r\n".encode()
            )
            connection.recv(1000)
        assert other.close()["refused"] == []
    assert received == [
        f"GET /x?y=http://z HTTP/1.1\r\nhost: localhost:{port}\r\nconnection: close\r\n\r\n".encode()
    ]
    seen = gate.seen()
    assert seen["refused"] == [{"host": "elsewhere.invalid:80", "count": 1}]
    assert {host["host"] for host in seen["hosts"]} == {"api.binance.com", "fapi.binance.com"}


def test_an_order_that_is_sent_ahead_of_its_body_in_absolute_form_is_placed_once(gate: Gate) -> None:
    with closing(socket.create_connection(("127.0.0.1", gate.port), 10)) as connection:
        connection.sendall(
            b"POST http://api.binance.com/api/v3/userDataStream HTTP/1.1\r\nHost: api.binance.com\r\n"
            b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 13\r\n\r\nsymbol=B"
        )
        connection.sendall(b"TCUSD")
        status, _ = answered(connection)
    assert 400 <= status < 500
    (host,) = gate.seen()["hosts"]
    assert (host["host"], host["requests"]) == ("api.binance.com", 1)


def test_a_websocket_may_be_asked_for_in_absolute_form(gate: Gate) -> None:
    with closing(socket.create_connection(("127.0.0.1", gate.port), 10)) as connection:
        connection.sendall(
            b"GET http://stream.binance.com:9443/ws/btcusdt@trade HTTP/1.1\r\nHost: stream.binance.com\r\n"
            b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        # The key and what answers it are those of RFC 6455, section 1.3.
        received = connection.recv(1000)
    assert received.startswith(b"HTTP/1.1 101 ")
    assert b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" in received


def test_without_a_guard_nobody_is_refused(server: Server) -> None:
    opened = Gate(server, guard=False)
    with closing(socket.create_connection(("127.0.0.1", opened.port), 10)) as connection:
        connection.sendall(b"CONNECT nowhere.invalid:443 HTTP/1.1\r\n\r\n")
        status, body = answered(connection)
    assert status == 502
    assert b"nowhere.invalid:443 does not answer" in body
    assert opened.close()["refused"] == []


@pytest.mark.parametrize("allowed", ["db.example", "DB.example:5432", "192.0.2.7", "2001:db8::1", "[::1]:80"])
def test_others_can_be_allowed(server: Server, allowed: str) -> None:
    assert Gate(server, allow=[allowed]).close()["refused"] == []


@pytest.mark.parametrize(
    "allowed",
    ["api.binance.com", "API.BINANCE.COM.", "fapi.binance.com:443", ":443", "a:b", "a:70000", "*.example"]
    + ["db.example/x", "10.0.0.0/8", "two words", "b\u00fccher.example"],
)
def test_neither_an_exchange_nor_a_pattern_can_be_allowed(server: Server, allowed: str) -> None:
    refused = httpx.post(f"{server.control}/gates", json={"allow": [allowed]}, trust_env=False)
    assert (refused.status_code, refused.json()["error"]["code"]) == (422, "not_allowable")


# Nothing hangs, whatever comes


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"CONNECT nowhere HTTP/1.1\r\n\r\n", 403),
        (b"CONNECT a:b:c HTTP/1.1\r\n\r\n", 400),
        (b"CONNECT :443 HTTP/1.1\r\n\r\n", 400),
        (b"CONNECT localhost:99999 HTTP/1.1\r\n\r\n", 400),
        (b"CONNECT localhost:0 HTTP/1.1\r\n\r\n", 400),
        (b"CONNECT localhost:-1 HTTP/1.1\r\n\r\n", 400),
        (b"GET ftp://nowhere/ HTTP/1.1\r\n\r\n", 403),
        (b"GET http:/// HTTP/1.1\r\n\r\n", 400),
        (b"GET http://:1/ HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nx: " + b"y" * 20_000, 431),
        (b"\x00\x01\x02\r\n\r\n", 400),
    ],
)
def test_what_makes_no_sense_is_told_so(gate: Gate, sent: bytes, status: int) -> None:
    with closing(socket.create_connection(("127.0.0.1", gate.port), 10)) as connection:
        connection.sendall(sent)
        assert answered(connection)[0] == status


@pytest.mark.parametrize("sent", [b"", b"\x16", b"\x16\x03\x01", b"GET / HT"])
def test_who_breaks_off_early_holds_nothing_up(gate: Gate, sent: bytes) -> None:
    for _ in range(20):
        with closing(socket.create_connection(("127.0.0.1", gate.port), 10)) as connection:
            connection.sendall(sent)
    with closing(socket.create_connection(("127.0.0.1", gate.port), 10)) as connection:
        assert ask(connection, SPOT_TIME, "api.binance.com")[0] == 200


def test_a_gate_that_is_closed_is_gone(server: Server) -> None:
    opened = Gate(server)
    kept = socket.create_connection(("127.0.0.1", opened.port), 10)
    kept.sendall(f"GET {SPOT_TIME} HTTP/1.1\r\nhost: api.binance.com\r\n\r\n".encode())
    assert kept.recv(4000).startswith(b"HTTP/1.1 200 ")
    assert opened.close()["hosts"][0]["requests"] == 1
    with closing(kept):
        assert kept.recv(1000) == b""
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", opened.port))
    gone = httpx.get(f"{server.control}/gates/{opened.port}", trust_env=False)
    assert (gone.status_code, gone.json()["error"]["code"]) == (404, "no_such_gate")


def test_the_server_ends_while_tunnels_are_open(tmp_path: Path) -> None:
    with stranger() as (port, _), launched(tmp_path, "--ephemeral") as running:
        connection = socket.create_connection(("127.0.0.1", running.ready["tls"]["port"]), 10)
        connection.sendall(f"CONNECT 127.0.0.1:{port} HTTP/1.1\r\n\r\n".encode())
        assert connection.recv(1000).startswith(b"HTTP/1.1 200 ")
        running.process.terminate()
        assert running.process.wait(10) == 0
    connection.close()


def test_several_ports_may_be_given(tmp_path: Path) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        free: int = taken.getsockname()[1]
    with launched(tmp_path, "--ephemeral", "--tls-port", f"0,{free}") as running:
        context = ssl.create_default_context(cafile=running.ready["tls"]["ca"])
        for port in (running.ready["tls"]["port"], free):
            with closing(secured(port, context, "api.binance.com")) as connection:
                assert ask(connection, SPOT_TIME, "api.binance.com")[0] == 200
        assert f"real hosts   :{running.ready['tls']['port']}" in running.announced


# What a TLS client says first


def greeting(name: str | None) -> bytes:
    """What this machine's TLS library says first to a server of that name."""
    context = ssl.create_default_context()
    context.check_hostname = name is not None
    received, sent = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context.wrap_bio(received, sent, server_hostname=name)
    with pytest.raises(ssl.SSLWantReadError):
        client.do_handshake()
    return sent.read()


@pytest.mark.parametrize("name", ["api.binance.com", "API.Binance.COM", "x" * 60 + ".kucoin.com"])
def test_the_name_is_read_from_the_first_message(name: str) -> None:
    assert server_name(greeting(name)) == name.lower()


def test_a_client_may_name_nobody() -> None:
    assert server_name(greeting(None)) is None


def test_no_beginning_of_a_message_is_taken_for_more_than_it_is() -> None:
    whole = greeting("api.binance.com")
    for length in range(len(whole)):
        assert server_name(whole[:length]) in (None, "api.binance.com")
        assert server_name(bytes(length)) is None
