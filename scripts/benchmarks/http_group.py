"""Whole requests over loopback against one server process, beside raw uvicorn in the same run.

The load generator is one process with keep-alive connections, one request under way on each, and
requests that are encoded and signed before the clock starts. Ratios are of requests per second, and,
since a slow generator would flatter the emulator, of the server's own CPU time per request.
"""

from __future__ import annotations

import asyncio
import functools
import hashlib
import hmac
import itertools
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from decimal import ROUND_DOWN, ROUND_UP, Decimal
from pathlib import Path
from time import perf_counter, time
from typing import cast

import uvloop
from table import Table

CONNECTIONS = 16
KEY = "bench-key-"
SECRET = "bench-secret"
TICKS = os.sysconf("SC_CLK_TCK")
RAW_APP = """
import asyncio, socket, uvicorn, uvloop
BODY = b'{"pad":"' + b"x" * 290 + b'"}'
HEAD = [(b"content-type", b"application/json"), (b"content-length", str(len(BODY)).encode())]
async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    if scope["method"] == "POST":
        await receive()
    await send({"type": "http.response.start", "status": 200, "headers": HEAD})
    await send({"type": "http.response.body", "body": BODY})
sock = socket.socket()
sock.bind(("127.0.0.1", 0))
sock.listen(1024)
print(sock.getsockname()[1], flush=True)
config = uvicorn.Config(app, log_level="error", access_log=False, http="httptools", lifespan="off")
with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
    runner.run(uvicorn.Server(config).serve(sockets=[sock]))
"""


class Load:
    """What one run of requests came to."""

    def __init__(self, latencies: list[float], seconds: float, cpu_seconds: float, failures: int) -> None:
        self.requests = len(latencies)
        self.rate = self.requests / seconds
        self.cpu_us = cpu_seconds * 1e6 / self.requests
        cuts = statistics.quantiles(latencies, n=100) if self.requests > 100 else [0.0] * 99
        self.p50_ms, self.p99_ms = cuts[49] * 1000, cuts[98] * 1000
        self.failures = failures


def run_http(seconds: float) -> list[Table]:
    table = Table(
        f"HTTP, one server process, {CONNECTIONS} connections, memory journal",
        "what",
        "requests/s",
        "ratio",
        "server CPU µs",
        "ratio",
        "p50 ms",
        "p99 ms",
        "errors",
    )
    with _raw_server() as raw, _emulator() as emulator:
        symbols = _symbols(emulator.port)
        _accounts(emulator.port)
        plain_get = [_request("GET", "/")]
        plain_post = [_request("POST", "/", "a=1")]
        book = [_request("GET", "/api/v3/depth?symbol=BTCUSDT&limit=100")]
        _five_open_orders(emulator.port, symbols)
        rounds = 3
        share = seconds / rounds
        results: dict[str, list[Load]] = {}
        orders = _orders(symbols, int(30_000 * seconds))
        for _ in range(rounds):
            listing = _signed("GET", "/api/v3/openOrders", [("symbol", "BTCUSDT")], KEY + LISTER)
            for name, server, requests in (
                ("raw uvicorn, GET", raw, itertools.cycle(plain_get)),
                ("raw uvicorn, POST", raw, itertools.cycle(plain_post)),
                ("signed LIMIT order", emulator, orders),
                ("openOrders with 5 open", emulator, itertools.cycle([listing])),
                ("depth, limit=100", emulator, itertools.cycle(book)),
            ):
                results.setdefault(name, []).append(server.load(requests, share))
        for name, loads in results.items():
            kind = "raw uvicorn, POST" if name == "signed LIMIT order" else "raw uvicorn, GET"
            yardsticks = results[kind]
            rate = statistics.median(load.rate for load in loads)
            cpu = statistics.median(load.cpu_us for load in loads)
            rate_ratio = statistics.median(
                load.rate / other.rate for load, other in zip(loads, yardsticks, strict=True)
            )
            cpu_ratio = statistics.median(
                other.cpu_us / load.cpu_us for load, other in zip(loads, yardsticks, strict=True)
            )
            table.add(
                name,
                f"{rate:,.0f}",
                f"{rate_ratio:.2f}",
                f"{cpu:.0f}",
                f"{cpu_ratio:.2f}",
                f"{statistics.median(load.p50_ms for load in loads):.2f}",
                f"{statistics.median(load.p99_ms for load in loads):.2f}",
                str(sum(load.failures for load in loads)),
            )
    return [table]


class Server:
    """A running server process to put load on."""

    def __init__(self, process: subprocess.Popen[str], port: int) -> None:
        self.process = process
        self.port = port

    def cpu_seconds(self) -> float:
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def load(self, requests: Iterator[bytes], seconds: float) -> Load:
        before = self.cpu_seconds()
        started = perf_counter()
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            latencies, failures = runner.run(_drive(self.port, requests, seconds))
        return Load(latencies, perf_counter() - started, self.cpu_seconds() - before, failures)


class _Connection(asyncio.Protocol):
    def __init__(self, requests: Iterator[bytes], until: float, finished: asyncio.Future[None]) -> None:
        self.requests = requests
        self.until = until
        self.finished = finished
        self.latencies: list[float] = []
        self.failures = 0
        self.buffer = b""
        self.sent = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports do not inherit from asyncio's.
        self.transport = cast(asyncio.Transport, transport)
        self.next()

    def next(self) -> None:
        self.sent = perf_counter()
        if self.sent > self.until:
            self.transport.close()
            return
        request = next(self.requests, None)
        if request is None:
            self.transport.close()
            return
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        buffer = self.buffer + data if self.buffer else data
        head = buffer.find(b"\r\n\r\n")
        if head >= 0:
            at = buffer.find(b"ontent-length: ")
            length = int(buffer[at + 15 : buffer.find(b"\r\n", at)])
            if len(buffer) >= head + 4 + length:
                self.buffer = b""
                self.latencies.append(perf_counter() - self.sent)
                if not buffer.startswith(b"HTTP/1.1 200"):
                    self.failures += 1
                    if self.failures == 1:
                        print(buffer[head + 4 :].decode(), file=sys.stderr)
                self.next()
                return
        self.buffer = buffer

    def connection_lost(self, error: Exception | None) -> None:
        if not self.finished.done():
            self.finished.set_result(None)


async def _drive(port: int, requests: Iterator[bytes], seconds: float) -> tuple[list[float], int]:
    loop = asyncio.get_running_loop()
    until = perf_counter() + seconds
    made: list[_Connection] = []
    waiting: list[asyncio.Future[None]] = []
    for _ in range(CONNECTIONS):
        finished: asyncio.Future[None] = loop.create_future()
        make = functools.partial(_Connection, requests, until, finished)
        _, connection = await loop.create_connection(make, "127.0.0.1", port)
        made.append(connection)
        waiting.append(finished)
    await asyncio.gather(*waiting)
    latencies = [one for connection in made for one in connection.latencies]
    return latencies, sum(connection.failures for connection in made)


@contextmanager
def _raw_server() -> Iterator[Server]:
    process = subprocess.Popen([sys.executable, "-c", RAW_APP], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield Server(process, int(process.stdout.readline()))
    finally:
        process.kill()
        process.wait()


@contextmanager
def _emulator() -> Iterator[Server]:
    with tempfile.TemporaryDirectory() as folder:
        ready = Path(folder) / "ready.json"
        command = [sys.executable, "-m", "emulator", "serve", "--port", "0", "--data-dir", folder]
        process = subprocess.Popen(
            [*command, "--ephemeral", "--no-limits"], stdout=subprocess.DEVNULL, text=True
        )
        try:
            while not ready.exists():
                if process.poll() is not None:
                    raise SystemExit("the emulator did not start")
                os.sched_yield()
            yield Server(process, _port(ready))
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(10)


def _port(ready: Path) -> int:
    return int(json.loads(ready.read_text())["ports"]["all"])


def _request(method: str, target: str, body: str = "", key: str = "") -> bytes:
    head = f"{method} {target} HTTP/1.1\r\nhost: 127.0.0.1\r\n"
    if key:
        head += f"x-mbx-apikey: {key}\r\n"
    if body:
        head += f"content-type: application/x-www-form-urlencoded\r\ncontent-length: {len(body)}\r\n"
    return (head + "\r\n" + body).encode()


def _signed(method: str, path: str, parameters: Sequence[tuple[str, str]], key: str) -> bytes:
    fields = [*parameters, ("recvWindow", "60000"), ("timestamp", str(int(time() * 1000)))]
    text = "&".join(f"{name}={value}" for name, value in fields)
    text += "&signature=" + hmac.new(SECRET.encode(), text.encode(), hashlib.sha256).hexdigest()
    if method == "POST":
        return _request(method, path, text, key)
    return _request(method, f"{path}?{text}", key=key)


def _control(port: int, method: str, path: str, body: object = None) -> None:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/_emulator/{path}",
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={"content-type": "application/json"},
    )
    urllib.request.urlopen(request).read()


ACCOUNTS = 40
SYMBOLS = "BTCUSDT ETHUSDT BNBUSDT SOLUSDT XRPUSDT DOGEUSDT ADAUSDT LTCUSDT".split()
LISTER = "lister"


def _accounts(port: int) -> None:
    """Several accounts, because an exchange allows one only so many open orders on a symbol."""
    for owner in (LISTER, *map(str, range(ACCOUNTS))):
        name = f"bench-{owner}"
        _control(port, "POST", "accounts", {"name": name})
        _control(port, "POST", f"accounts/{name}/keys", {"key": KEY + owner, "secret": SECRET})
        deposit = {"wallet": "spot", "asset": "USDT", "amount": "100000000"}
        _control(port, "POST", f"accounts/{name}/deposits", deposit)


def _symbols(port: int) -> list[tuple[str, str, str]]:
    """(symbol, price, quantity) of a small buy ten percent below the market, for some symbols."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v3/exchangeInfo") as answer:
        listed = json.load(answer)["symbols"]
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v3/ticker/price") as answer:
        last = {one["symbol"]: Decimal(one["price"]) for one in json.load(answer)}
    chosen = []
    for one in listed:
        if one["symbol"] not in SYMBOLS:
            continue
        filters = {entry["filterType"]: entry for entry in one["filters"]}
        tick = Decimal(filters["PRICE_FILTER"]["tickSize"])
        step = Decimal(filters["LOT_SIZE"]["stepSize"])
        least = Decimal(filters["NOTIONAL"]["minNotional"])
        price = (last[one["symbol"]] * Decimal("0.9") / tick).quantize(Decimal(1), ROUND_DOWN) * tick
        quantity = (least * Decimal("1.1") / price / step).quantize(Decimal(1), ROUND_UP) * step
        chosen.append((one["symbol"], f"{price.normalize():f}", f"{quantity.normalize():f}"))
    return chosen


def _orders(symbols: list[tuple[str, str, str]], count: int) -> Iterator[bytes]:
    """Signed limit buys that rest; each account and symbol gets no more than an exchange allows."""
    most = min(count, ACCOUNTS * len(symbols) * 190)
    made = []
    for number in range(most):
        account, at = divmod(number, len(symbols) * 190)
        symbol, price, quantity = symbols[at % len(symbols)]
        fields = [
            ("symbol", symbol),
            ("side", "BUY"),
            ("type", "LIMIT"),
            ("timeInForce", "GTC"),
            ("quantity", quantity),
            ("price", price),
        ]
        made.append(_signed("POST", "/api/v3/order", fields, KEY + str(account)))
    return iter(made)


def _five_open_orders(port: int, symbols: list[tuple[str, str, str]]) -> None:
    _, price, quantity = next(one for one in symbols if one[0] == "BTCUSDT")
    for _ in range(5):
        fields = [
            ("symbol", "BTCUSDT"),
            ("side", "BUY"),
            ("type", "LIMIT"),
            ("timeInForce", "GTC"),
            ("quantity", quantity),
            ("price", price),
        ]
        head, _, body = _signed("POST", "/api/v3/order", fields, KEY + LISTER).decode().partition("\r\n\r\n")
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}/api/v3/order",
            data=body.encode(),
            headers={"x-mbx-apikey": KEY + LISTER},
        )
        assert head
        urllib.request.urlopen(request).read()
