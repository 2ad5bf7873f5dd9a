"""Libraries that clients are made of, under `emulator exec`: they find the exchange at its real hosts."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from emulator.intercept import namespace
from tests.intercept.under_exec import (
    PROGRAMS,
    Checked,
    checks_in,
    client,
    node,
    node_settings,
    plain_environment,
    run_under_exec,
)
from tests.launch import Server

pytestmark = pytest.mark.clients

Play = Callable[[str], Checked]

PYTHON = ("transports.py", "guarded.py", "gevent_transports.py")
NODE = "transports.cjs"


@pytest.fixture(scope="module")
def play(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Play:
    """Runs a program once, on the module's server."""
    folder = tmp_path_factory.mktemp("transports")

    @cache
    def play(program: str) -> Checked:
        report = folder / f"{program}.json"
        # By its hooks alone: a network of its own would lead and refuse what they overlook.
        options = ("--no-namespace", "--data-dir", str(server.ready_file.parent))
        if program.endswith(".cjs"):
            settings = node_settings()
            command = [node(), str(PROGRAMS / program), str(report)]
        else:
            settings = {}
            command = client("transports", program, str(report))
        outcome = run_under_exec(folder, options, command, settings)
        return Checked(outcome, report)

    return play


@pytest.mark.parametrize(
    ("program", "check"), [(program, check) for program in PYTHON for check in checks_in(program)]
)
def test_python(play: Play, program: str, check: str) -> None:
    play(program).verify(check)


@pytest.mark.parametrize("check", checks_in(NODE))
def test_node(play: Play, check: str) -> None:
    play(NODE).verify(check)


def test_what_was_called_is_told(play: Play) -> None:
    outcome = play("transports.py").outcome
    assert outcome.code == 0, outcome.errors
    hosts = outcome.hosts()
    assert hosts.keys() == {"api.binance.com", "fapi.binance.com", "stream.binance.com"}
    assert all(requests > 0 and errors == 0 for requests, errors, _ in hosts.values())
    assert hosts["stream.binance.com"][2] > 5
    assert not outcome.refused()


@pytest.mark.parametrize("program", ["guarded.py", NODE])
def test_what_was_refused_is_told(play: Play, program: str) -> None:
    refused = play(program).outcome.refused()
    assert {"192.0.2.1:443", "192.0.2.1:53", "[2001:db8::1]:443", "elsewhere.example:443"} <= refused.keys()
    assert not [name for name in refused if name.startswith(("127.", "localhost"))]


@pytest.mark.parametrize("program", ["transports.py", "guarded.py", NODE])
def test_all_of_it_in_a_network_of_its_own(server: Server, tmp_path: Path, program: str) -> None:
    if (why := namespace.available()) is not None:
        pytest.skip(why)
    report = tmp_path / "report.json"
    options = ("--data-dir", str(server.ready_file.parent))
    if program == NODE:
        outcome = run_under_exec(
            tmp_path, options, [node(), str(PROGRAMS / program), str(report)], node_settings()
        )
    else:
        outcome = run_under_exec(tmp_path, options, client("transports", program, str(report)))
    checked = Checked(outcome, report)
    for check in checks_in(program):
        checked.verify(check)


def test_who_was_not_told_of_it_does_not_trust_it(server: Server) -> None:
    gate = server.ready["tls"]["port"]
    code = (
        "import urllib.request as r\n"
        f"proxies = r.ProxyHandler({{'https': 'http://127.0.0.1:{gate}'}})\n"
        "r.build_opener(proxies).open('https://api.binance.com/api/v3/time', timeout=20)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=plain_environment(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "CERTIFICATE_VERIFY_FAILED" in done.stderr
