"""What the README says about listening is what a newcomer sees: its code runs as it stands."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from threading import Timer

import pytest

from tests.clients.running import TREE, client_python
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


def code_of(client: str) -> str:
    section = (TREE / "README.md").read_text(encoding="utf-8").split("## Listen to it")[1].split("\n## ")[0]
    (code,) = re.findall(rf"\*\*{client}\*\*.*?```python\n(.*?)```", section, re.DOTALL)
    return str(code)


@pytest.mark.parametrize("client", SEEN)
def test_listening(client: str, server: Server, tmp_path: Path) -> None:
    script = tmp_path / "listening.py"
    script.write_text(code_of(client).replace(WRITTEN_HOST, server.url.removeprefix("http://")))
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
