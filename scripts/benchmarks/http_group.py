"""Whole requests over loopback against one server process, beside raw uvicorn in the same run.

The load generator is one process with keep-alive connections, one request under way on each, and
requests that are encoded and signed before the clock starts. Ratios are of requests per second, and,
since a slow generator would flatter the emulator, of the server's own CPU time per request.
"""

from __future__ import annotations

import itertools
import statistics

import servers
from load import Load, drive, json_signed, plain, signed
from servers import (
    ACCOUNTS,
    KEY,
    Server,
    bybit_buys,
    bybit_orders,
    open_accounts,
    resting_orders,
    small_buys,
)
from table import Table

CONNECTIONS = 16
LISTER = "lister"
RAW_GET, RAW_POST = "raw uvicorn, GET", "raw uvicorn, POST"
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
    with servers.bare(RAW_APP) as raw, servers.emulator() as emulator:
        symbols = small_buys(emulator.port)
        # Several, because an exchange allows one only so many open orders on a symbol.
        open_accounts(emulator.port, (LISTER, *map(str, range(ACCOUNTS))), "USDT")
        plain_get = [plain("GET", "/")]
        plain_post = [plain("POST", "/", "a=1")]
        book = [plain("GET", "/api/v3/depth?symbol=BTCUSDT&limit=100")]
        bybit_book = [plain("GET", "/v5/market/orderbook?category=linear&symbol=BTCUSDT&limit=100")]
        _five_open_orders(emulator, symbols)
        pairs, contracts = (bybit_buys(emulator.port, category) for category in ("spot", "linear"))
        _five_open_at_bybit(emulator, contracts)
        rounds = 3
        share = seconds / rounds
        results: dict[str, list[Load]] = {}
        orders = iter(
            [
                signed("POST", "/api/v3/order", tuple(fields.items()), key)
                for key, fields in resting_orders(symbols, int(30_000 * seconds))
            ]
        )
        bybit_placed = {
            f"Bybit, signed {word} order": iter(
                [
                    json_signed("POST", "/v5/order/create", fields, key)
                    for key, fields in bybit_orders(listed, category, int(5_000 * seconds))
                ]
            )
            for word, category, listed in (("spot", "spot", pairs), ("linear", "linear", contracts))
        }
        for _ in range(rounds):
            listing = signed("GET", "/api/v3/openOrders", [("symbol", "BTCUSDT")], KEY + LISTER)
            asked = {"category": "linear", "symbol": "BTCUSDT"}
            bybit_listing = json_signed("GET", "/v5/order/realtime", asked, KEY + LISTER)
            for name, server, requests in (
                (RAW_GET, raw, itertools.cycle(plain_get)),
                (RAW_POST, raw, itertools.cycle(plain_post)),
                ("Binance, signed LIMIT order", emulator, orders),
                ("Binance, openOrders with 5 open", emulator, itertools.cycle([listing])),
                ("Binance, depth, limit=100", emulator, itertools.cycle(book)),
                *((name, emulator, requests) for name, requests in bybit_placed.items()),
                ("Bybit, realtime with 5 open", emulator, itertools.cycle([bybit_listing])),
                ("Bybit, orderbook, limit=100", emulator, itertools.cycle(bybit_book)),
            ):
                loads = results.setdefault(name, [])
                loads.append(drive(server, requests, connections=CONNECTIONS, seconds=share))
        for name, loads in results.items():
            yardsticks = results[RAW_POST if name.endswith(" order") else RAW_GET]
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


def _five_open_orders(emulator: Server, symbols: list[tuple[str, str, str]]) -> None:
    wanted = [one for one in symbols if one[0] == "BTCUSDT"]
    fields = next(fields for _, fields in resting_orders(wanted, 1))
    _have(emulator, [signed("POST", "/api/v3/order", tuple(fields.items()), KEY + LISTER)] * 5)


def _five_open_at_bybit(emulator: Server, symbols: list[tuple[str, str, str]]) -> None:
    wanted = [one for one in symbols if one[0] == "BTCUSDT"]
    fields = next(fields for _, fields in bybit_orders(wanted, "linear", 1))
    _have(emulator, [json_signed("POST", "/v5/order/create", fields, KEY + LISTER)] * 5)


def _have(server: Server, requests: list[bytes]) -> None:
    """Send requests that must be granted."""
    if drive(server, iter(requests), connections=1, seconds=10).failures:
        raise SystemExit("what a benchmark needs was refused")
