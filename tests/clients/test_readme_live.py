"""What a newcomer is told to paste, by the README about listening and futures, and at the start, runs."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from threading import Timer

import pytest

from tests.clients.running import TREE, client_python
from tests.intercept.under_exec import node, node_settings
from tests.launch import Server, environment

pytestmark = pytest.mark.clients

WRITTEN_HOST = "127.0.0.1:8585"
WITHIN_S = 60

SEEN = {
    "python-binance": ("'status': 'FILLED'", "'e': 'kline'", "'e': 'executionReport'"),
    "ccxt": ("'status': 'closed'", "[[1", "'e': 'executionReport'"),
    "binance-sdk-spot": ("e='kline'", "X='FILLED'"),
}
"""What is printed sooner or later, by client."""


PASTED = {
    "python-binance": ("python-binance", ("'status': 'FILLED'", "'orderId'")),
    "ccxt": ("ccxt", ("closed",)),
    "ccxt, futures": ("ccxt", ("closed",)),
    "binance-sdk-spot": ("binance-sdk-spot", ("status='FILLED'",)),
    "pybit": ("pybit", ("'retMsg': 'OK'",)),
    "ccxt, Bybit": ("ccxt", ("long",)),
}
"""What the server shows at its start, ready to paste: for which client, and what is printed then."""

TRADED = {
    "python-binance": ("'positionAmt': '0.1'", "'qty': '5'"),
    "ccxt": ("'contracts': 1.0",),
    "binance-sdk-derivatives-trading-usds-futures": ("position_amt='2'",),
    "binance-sdk-derivatives-trading-coin-futures": ("qty='3'",),
}
"""What is printed of contracts, by client."""

ON_BYBIT = {
    "pybit": ("'retMsg': 'OK'", "'topic': 'tickers.BTCUSDT'", "'topic': 'execution'", "'op': 'order.create'"),
    "ccxt": ("'side': 'long'", "'bids': [["),
}
"""What is printed of Bybit, by client."""


def code_of(client: str, heading: str, language: str = "python") -> str:
    section = (TREE / "README.md").read_text(encoding="utf-8").split(f"## {heading}")[1].split("\n## ")[0]
    (code,) = re.findall(rf"\*\*{client}\*\*.*?```{language}\n(.*?)```", section, re.DOTALL)
    return str(code)


@pytest.mark.parametrize("client", TRADED)
def test_trading_of_futures(client: str, server: Server) -> None:
    code = code_of(client, "Trade futures").replace(WRITTEN_HOST, server.url.removeprefix("http://"))
    run_code(client, code, TRADED[client])


@pytest.mark.parametrize("client", ON_BYBIT)
def test_trading_on_bybit(client: str, server: Server) -> None:
    code = code_of(client, "Trade on Bybit").replace(WRITTEN_HOST, server.url.removeprefix("http://"))
    run_code(client, code, ON_BYBIT[client])


def test_trading_on_bybit_with_node(server: Server, tmp_path: Path) -> None:
    code = code_of("bybit-api", "Trade on Bybit", "javascript")
    output = run_module(code.replace(WRITTEN_HOST, server.url.removeprefix("http://")), tmp_path)
    assert output.count("OK\n") == 2
    assert "tickers.BTCUSDT\n" in output


def test_what_is_shown_at_the_start_for_node(server: Server, tmp_path: Path) -> None:
    code = server.announced.split("# bybit-api, for Node\n")[1].split("\n\n")[0]
    assert "retMsg: 'OK'" in run_module(code, tmp_path)


@pytest.mark.parametrize("title", PASTED)
def test_what_is_shown_at_the_start(title: str, server: Server) -> None:
    client, printed = PASTED[title]
    code = server.announced.split(f"# {title}\n")[1].split("\n\n")[0]
    run_code(client, code, printed)


def run_module(code: str, folder: Path) -> str:
    """What Node prints of a module. Modules look for packages beside them only."""
    command = node()
    (folder / "node_modules").symlink_to(node_settings()["NODE_PATH"])
    (folder / "bot.mjs").write_text(code, encoding="utf-8")
    done = subprocess.run(
        [command, "bot.mjs"], cwd=folder, capture_output=True, text=True, timeout=WITHIN_S, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def run_code(client: str, code: str, printed: tuple[str, ...]) -> None:
    done = subprocess.run(
        [client_python(client.replace("-", "_")), "-c", code],
        capture_output=True,
        text=True,
        env=environment(no_proxy="*"),
        timeout=WITHIN_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert [each for each in printed if each not in done.stdout] == [], done.stdout


@pytest.mark.parametrize("client", SEEN)
def test_listening(client: str, server: Server, tmp_path: Path) -> None:
    script = tmp_path / "listening.py"
    script.write_text(
        code_of(client, "Listen to it").replace(WRITTEN_HOST, server.url.removeprefix("http://"))
    )
    process = subprocess.Popen(
        [client_python(client.replace("-", "_")), "-u", script],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment(no_proxy="*"),
    )
    watch = Timer(WITHIN_S, process.kill)
    watch.start()
    try:
        assert process.stdout is not None
        printed = ""
        missing = set(SEEN[client])
        for line in process.stdout:
            printed += line
            missing = {each for each in missing if each not in line}
            if not missing:
                break
        assert not missing, printed
        assert "Traceback" not in printed
    finally:
        watch.cancel()
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()
