"""Programs as the documents of their libraries show them, nothing changed, trade under `emulator exec`.

Each runs on a fresh emulator, at the exchange's real addresses, with the demo account's key.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from emulator.intercept import namespace
from emulator.intercept.surroundings import over_roots
from tests.intercept.under_exec import PROGRAMS, Outcome, client, node, node_settings, run_under_exec

pytestmark = pytest.mark.clients


def told(
    folder: Path, command: Sequence[str], settings: Mapping[str, str] | None = None
) -> tuple[dict[str, Any], Outcome]:
    """What the program prints last, and what exec says of it."""
    outcome = run_under_exec(folder, ["--fresh"], command, settings)
    assert outcome.code == 0, outcome.output + outcome.errors
    lines = [line for line in outcome.output.splitlines() if line.startswith("{")]
    assert outcome.summary is not None
    assert not outcome.summary["refused"], outcome.errors
    assert not outcome.summary["untrusting"], outcome.errors
    assert not [path for host in outcome.summary["hosts"] for path in host["notEmulated"]]
    said: dict[str, Any] = json.loads(lines[-1])
    return said, outcome


def test_python_binance(tmp_path: Path) -> None:
    said, outcome = told(tmp_path, client("python_binance", "python_binance_stock.py"))
    assert said == {
        "order": "FILLED",
        "contracts": "FILLED",
        "coin": "BTCUSD_PERP",
        "refusal": -2010,
        "market": "trade",
        "account": "executionReport",
        "marks": "markPriceUpdate",
    }
    sockets = {host for host, (_, _, sockets) in outcome.hosts().items() if sockets}
    assert sockets == {"stream.binance.com", "ws-api.binance.com", "fstream.binance.com"}
    assert {"api.binance.com", "fapi.binance.com", "dapi.binance.com"} < outcome.hosts().keys()


def test_ccxt_with_the_error_classes_of_each_host(tmp_path: Path) -> None:
    """-2019 and -1021 on fapi.binance.com: ccxt, ts/src/binance.ts, `exceptions` by host."""
    said, _ = told(tmp_path, client("ccxt", "ccxt_stock.py"))
    errors = {name: said.pop(name) for name in list(said) if " -" in name}
    assert said == {"order": "closed", "contract": "closed", "coin": "BTC/USD:BTC"}
    assert {name: kind for name, (kind, _) in errors.items()} == {
        "spot -2010": "InsufficientFunds",
        "usdm -2019": "InsufficientFunds",
        "usdm -1021": "InvalidNonce",
    }
    for name in ("usdm -2019", "usdm -1021"):
        assert name.split()[1] in errors[name][1]


def test_ccxt_pro(tmp_path: Path) -> None:
    said, outcome = told(tmp_path, client("ccxt", "ccxt_pro_stock.py"))
    assert said == {
        "book": 5,
        "ticker": "BTC/USDT:USDT",
        "order": "BTC/USDT",
        "over the socket": "open",
    }
    sockets = {host for host, (_, _, sockets) in outcome.hosts().items() if sockets}
    assert sockets == {"stream.binance.com", "ws-api.binance.com", "fstream.binance.com"}


def test_node_binance(tmp_path: Path) -> None:
    command = [node(), str(PROGRAMS / "binance_stock.cjs")]
    said, outcome = told(tmp_path, command, node_settings())
    assert said == {
        "order": "FILLED",
        "refusal": -2010,
        "contracts": "FILLED",
        "came": ["aggTrade", "markPriceUpdate"],
    }
    assert {"stream.binance.com", "fstream.binance.com"} < outcome.hosts().keys()


def test_node_ccxt(tmp_path: Path) -> None:
    command = [node(), str(PROGRAMS / "ccxt_stock.cjs")]
    said, _ = told(tmp_path, command, node_settings())
    assert said == {"order": "closed", "refusal": "InsufficientFunds", "book": 5}


def test_pybit(tmp_path: Path) -> None:
    said, outcome = told(tmp_path, client("pybit", "pybit_stock.py"))
    assert said == {
        "order": "Filled",
        "contracts": "Buy",
        "refusal": 170131,
        "testnet": 6,
        "demo": 6,
        "market": "BTCUSDT",
        "account": "BTCUSDT",
        "execution": "Trade",
        "over the socket": "OK",
    }
    sockets = {host: count for host, (_, _, count) in outcome.hosts().items() if count}
    assert sockets == {"stream.bybit.com": 3, "stream-demo.bybit.com": 1}
    assert {"api.bybit.com", "api-testnet.bybit.com", "api-demo.bybit.com"} < outcome.hosts().keys()


def test_ccxt_on_bybit(tmp_path: Path) -> None:
    said, outcome = told(tmp_path, client("ccxt", "ccxt_bybit_stock.py"))
    assert said == {
        "order": "closed",
        "contracts": "long",
        "coin": "BTC/USD:BTC",
        "refusal": "InsufficientFunds",
        "demo": "REGULAR_MARGIN",
        "testnet": "ok",
        "book": "BTC/USDT",
        "ticker": "BTC/USDT:USDT",
        "account": "BTC/USDT:USDT",
        "over the socket": True,
    }
    # Pairs, contracts, the account, and its orders.
    assert outcome.hosts()["stream.bybit.com"][2] == 4
    assert {"api.bybit.com", "api-testnet.bybit.com", "api-demo.bybit.com"} < outcome.hosts().keys()


def test_node_bybit(tmp_path: Path) -> None:
    command = [node(), str(PROGRAMS / "bybit_stock.cjs")]
    said, outcome = told(tmp_path, command, node_settings())
    assert said == {
        "order": "Filled",
        "contracts": "Buy",
        "refusal": 170131,
        "came": ["order", "orderbook.50.BTCUSDT", "tickers.BTCUSDT", "wallet"],
        "sent": "OK",
        "canceled": "OK",
    }
    assert outcome.hosts()["stream.bybit.com"][2] == 4


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl here")
def test_curl(tmp_path: Path) -> None:
    said, outcome = told(
        tmp_path, ["curl", "-sS", "https://api.binance.com/api/v3/ticker/price?symbol=BTCUSDT"]
    )
    assert said["symbol"] == "BTCUSDT"
    assert outcome.hosts() == {"api.binance.com": (1, 0, 0)}


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl here")
def test_a_program_that_asks_no_variables_trusts_it_in_a_network_of_its_own(tmp_path: Path) -> None:
    if (why := namespace.available()) is not None:
        pytest.skip(why)
    if not over_roots(tmp_path):
        pytest.skip("this machine has no list of roots in a file")
    # curl reads the machine's list of roots unless it is told otherwise, as wget and git do.
    unaware = ["env", "-i", f"PATH={os.environ['PATH']}", "curl", "-sS"]
    said, outcome = told(tmp_path, [*unaware, "https://api.binance.com/api/v3/ticker/price?symbol=BTCUSDT"])
    assert said["symbol"] == "BTCUSDT"
    assert outcome.hosts() == {"api.binance.com": (1, 0, 0)}
