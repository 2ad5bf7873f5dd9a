"""Server processes to put load on, and what a benchmark needs to find in an emulator."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import signal
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from decimal import ROUND_DOWN, ROUND_UP, Decimal
from pathlib import Path
from typing import Any

KEY = "bench-key-"
"""Before an account's name, its key."""
SECRET = "bench-secret"
ACCOUNTS = 40
UNIFIED = "unified"
"""The wallet out of which accounts trade on Bybit."""
OPEN_MAX = 60
"""Open orders of an account there on one symbol: five hundred are allowed of all pairs together."""
SYMBOLS = "BTCUSDT ETHUSDT BNBUSDT SOLUSDT XRPUSDT DOGEUSDT ADAUSDT LTCUSDT".split()
TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")


class Server:
    def __init__(self, process: subprocess.Popen[str], port: int) -> None:
        self.process = process
        self.port = port

    def cpu_seconds(self) -> float:
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def resident_bytes(self) -> int:
        return int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]) * PAGE


@contextmanager
def bare(program: str) -> Iterator[Server]:
    """A yardstick: a program that prints the port it listens on."""
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield Server(process, int(process.stdout.readline()))
    finally:
        process.kill()
        process.wait()


@contextmanager
def emulator(
    *arguments: str, directory: Path | None = None, settings: Mapping[str, str] | None = None
) -> Iterator[Server]:
    """A server without rate limits; its journal is in memory unless a directory is given, or settings."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = directory or Path(temporary)
        ready = folder / "ready.json"
        command = [sys.executable, "-m", "emulator", "serve", "--port", "0", "--data-dir", str(folder)]
        if directory is None and settings is None:
            command.append("--ephemeral")
        process = subprocess.Popen(
            [*command, "--no-limits", *arguments],
            stdout=subprocess.DEVNULL,
            text=True,
            env={**os.environ, **(settings or {})},
        )
        try:
            while not ready.exists():
                if process.poll() is not None:
                    raise SystemExit("the emulator did not start")
                os.sched_yield()
            yield Server(process, int(json.loads(ready.read_text())["ports"]["all"]))
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(10)


def control(port: int, method: str, path: str, body: object = None) -> None:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/_emulator/{path}",
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={"content-type": "application/json"},
    )
    urllib.request.urlopen(request).read()


def sign(text: str) -> str:
    return hmac.new(SECRET.encode(), text.encode(), hashlib.sha256).hexdigest()


def open_accounts(port: int, names: Iterable[str], *assets: str) -> None:
    for owner in names:
        name = f"bench-{owner}"
        control(port, "POST", "accounts", {"name": name})
        control(port, "POST", f"accounts/{name}/keys", {"key": KEY + owner, "secret": SECRET})
        for asset in assets:
            for wallet in ("spot", UNIFIED):
                deposit = {"wallet": wallet, "asset": asset, "amount": "100000000"}
                control(port, "POST", f"accounts/{name}/deposits", deposit)


def small_buys(port: int) -> list[tuple[str, str, str]]:
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


def resting_orders(symbols: list[tuple[str, str, str]], count: int) -> Iterator[tuple[str, dict[str, str]]]:
    """Keys and parameters of limit buys that rest, no more for an account and symbol than an exchange
    allows. Fewer than asked for, when there are not accounts enough."""
    share = len(symbols) * 190
    for number in range(min(count, ACCOUNTS * share)):
        account, at = divmod(number, share)
        symbol, price, quantity = symbols[at % len(symbols)]
        yield (
            f"{KEY}{account}",
            {
                "symbol": symbol,
                "side": "BUY",
                "type": "LIMIT",
                "timeInForce": "GTC",
                "quantity": quantity,
                "price": price,
            },
        )


def bybit_buys(port: int, category: str) -> list[tuple[str, str, str]]:
    """The same as `small_buys` of one of Bybit's categories, `spot` or `linear`."""

    def listed(path: str) -> list[dict[str, Any]]:
        url = f"http://127.0.0.1:{port}/v5/market/{path}?category={category}&limit=1000"
        with urllib.request.urlopen(url) as answer:
            return list(json.load(answer)["result"]["list"])

    last = {one["symbol"]: Decimal(one["lastPrice"]) for one in listed("tickers")}
    chosen = []
    for one in listed("instruments-info"):
        if one["symbol"] not in SYMBOLS:
            continue
        lot = one["lotSizeFilter"]
        tick = Decimal(one["priceFilter"]["tickSize"])
        step = Decimal(lot.get("qtyStep") or lot["basePrecision"])
        least = Decimal(lot.get("minNotionalValue") or lot["minOrderAmt"])
        price = (last[one["symbol"]] * Decimal("0.9") / tick).quantize(Decimal(1), ROUND_DOWN) * tick
        quantity = (least * Decimal("1.1") / price / step).quantize(Decimal(1), ROUND_UP) * step
        chosen.append((one["symbol"], f"{price.normalize():f}", f"{quantity.normalize():f}"))
    return chosen


def bybit_orders(
    symbols: list[tuple[str, str, str]], category: str, count: int
) -> Iterator[tuple[str, dict[str, str]]]:
    """The same as `resting_orders`, as requests to Bybit have it."""
    share = len(symbols) * OPEN_MAX
    for number in range(min(count, ACCOUNTS * share)):
        account, at = divmod(number, share)
        symbol, price, quantity = symbols[at % len(symbols)]
        yield (
            f"{KEY}{account}",
            {
                "category": category,
                "symbol": symbol,
                "side": "Buy",
                "orderType": "Limit",
                "timeInForce": "GTC",
                "qty": quantity,
                "price": price,
            },
        )
