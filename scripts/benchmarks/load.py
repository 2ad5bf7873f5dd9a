"""Load on one server process: signed requests over keep-alive connections, one under way on each.

The generator is one process, and requests are encoded and signed before the clock starts.
"""

from __future__ import annotations

import asyncio
import functools
import json
import re
import statistics
import sys
from collections.abc import Iterator, Mapping, Sequence
from time import perf_counter, time
from typing import cast
from urllib.parse import urlencode

import uvloop
from servers import Server, sign

REFUSED = re.compile(rb'"retCode":[1-9]')
WINDOW = "60000"


class Load:
    """What one run of requests came to."""

    def __init__(self, latencies: list[float], seconds: float, cpu_seconds: float, failures: int) -> None:
        self.latencies = latencies
        self.requests = len(latencies)
        self.rate = self.requests / seconds
        self.cpu_us = cpu_seconds * 1e6 / self.requests
        cuts = statistics.quantiles(latencies, n=100) if self.requests > 100 else [0.0] * 99
        self.p50_ms, self.p99_ms = cuts[49] * 1000, cuts[98] * 1000
        self.failures = failures


def drive(server: Server, requests: Iterator[bytes], *, connections: int, seconds: float) -> Load:
    before = server.cpu_seconds()
    started = perf_counter()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        latencies, failures = runner.run(_run(server.port, requests, connections, seconds))
    return Load(latencies, perf_counter() - started, server.cpu_seconds() - before, failures)


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
        encoded = next(self.requests, None)
        if encoded is None:
            self.transport.close()
            return
        self.transport.write(encoded)

    def data_received(self, data: bytes) -> None:
        buffer = self.buffer + data if self.buffer else data
        head = buffer.find(b"\r\n\r\n")
        if head >= 0:
            at = buffer.find(b"ontent-length: ")
            length = int(buffer[at + 15 : buffer.find(b"\r\n", at)])
            if len(buffer) >= head + 4 + length:
                self.buffer = b""
                self.latencies.append(perf_counter() - self.sent)
                # Bybit's errors have the status of success.
                if not buffer.startswith(b"HTTP/1.1 200") or REFUSED.search(buffer, head, head + 40):
                    self.failures += 1
                    if self.failures == 1:
                        print(buffer[head + 4 :].decode(), file=sys.stderr)
                self.next()
                return
        self.buffer = buffer

    def connection_lost(self, error: Exception | None) -> None:
        if not self.finished.done():
            self.finished.set_result(None)


async def _run(
    port: int, requests: Iterator[bytes], connections: int, seconds: float
) -> tuple[list[float], int]:
    loop = asyncio.get_running_loop()
    until = perf_counter() + seconds
    made: list[_Connection] = []
    waiting: list[asyncio.Future[None]] = []
    for _ in range(connections):
        finished: asyncio.Future[None] = loop.create_future()
        make = functools.partial(_Connection, requests, until, finished)
        _, connection = await loop.create_connection(make, "127.0.0.1", port)
        made.append(connection)
        waiting.append(finished)
    await asyncio.gather(*waiting)
    latencies = [one for connection in made for one in connection.latencies]
    return latencies, sum(connection.failures for connection in made)


def json_signed(method: str, path: str, fields: Mapping[str, object], key: str) -> bytes:
    """As Bybit wants it: what proves who asks is in headers, a body is JSON, and both are signed as sent."""
    text = json.dumps(fields) if method == "POST" else urlencode(fields)
    stamp = str(int(time() * 1000))
    proof = sign(f"{stamp}{key}{WINDOW}{text}")
    target = path if method == "POST" else f"{path}?{text}"
    head = (
        f"{method} {target} HTTP/1.1\r\nhost: 127.0.0.1\r\nx-bapi-api-key: {key}\r\n"
        f"x-bapi-timestamp: {stamp}\r\nx-bapi-recv-window: {WINDOW}\r\nx-bapi-sign: {proof}\r\n"
    )
    if method == "POST":
        head += f"content-type: application/json\r\ncontent-length: {len(text)}\r\n"
    return (head + "\r\n" + (text if method == "POST" else "")).encode()


def plain(method: str, target: str, body: str = "", key: str = "") -> bytes:
    head = f"{method} {target} HTTP/1.1\r\nhost: 127.0.0.1\r\n"
    if key:
        head += f"x-mbx-apikey: {key}\r\n"
    if body:
        head += f"content-type: application/x-www-form-urlencoded\r\ncontent-length: {len(body)}\r\n"
    return (head + "\r\n" + body).encode()


def signed(method: str, path: str, parameters: Sequence[tuple[str, str]], key: str) -> bytes:
    fields = [*parameters, ("recvWindow", "60000"), ("timestamp", str(int(time() * 1000)))]
    text = "&".join(f"{name}={value}" for name, value in fields)
    text += "&signature=" + sign(text)
    if method == "POST":
        return plain(method, path, text, key)
    return plain(method, f"{path}?{text}", key=key)
