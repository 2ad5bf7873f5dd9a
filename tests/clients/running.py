"""Runs a client's program in the client's own environment, and tells what became of each of its checks.

A program is a script in `programs/`, named after its client. Its functions named `check_…` are its
checks; all of them run in one process, in order, and each is one test here.
"""

from __future__ import annotations

import ast
import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest

from tests.launch import Server

TREE = Path(__file__).resolve().parents[2]
PROGRAMS = Path(__file__).with_name("programs")

CLIENTS = (
    "python_binance",
    "ccxt",
    "binance_sdk_spot",
    "binance_sdk_derivatives_trading_usds_futures",
    "binance_sdk_derivatives_trading_coin_futures",
    "pybit",
)

PROGRAM_WITHIN_S = 100
INSTALLED_WITHIN_S = 300
OUTPUT_SHOWN_MAX = 6000

_LACK_OF_NETWORK = (
    "(from versions: none)",  # what pip says of an index that it cannot reach
    "NameResolutionError",
    "NewConnectionError",
    "ConnectTimeoutError",
    "Temporary failure in name resolution",
    "Name or service not known",
    "Network is unreachable",
    "No route to host",
    "Connection refused",
    "ProxyError",
)


def checks_of(*programs: str) -> list[Any]:
    """The (program, check) of every check in the programs, to parametrize a test with."""
    found = []
    for program in programs:
        source = (PROGRAMS / f"{program}.py").read_text(encoding="utf-8")
        names = [
            node.name
            for node in ast.parse(source).body
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("check_")
        ]
        assert names, f"{program} checks nothing"
        found += [pytest.param(program, name, id=f"{program}:{name[6:]}") for name in names]
    return found


def control(server: Server, method: str, path: str, body: Any = None) -> Any:
    """What the control API answers; fails the test on anything but a success."""
    reply = httpx.request(method, f"{server.control}/{path}", json=body, timeout=10)
    assert reply.is_success, f"{method} {path}: {reply.status_code} {reply.text}"
    return reply.json()


# Environments


class Environment(NamedTuple):
    """python: None where the environment could not be made, for the reason that `trouble` says."""

    python: Path | None
    trouble: str = ""
    is_offline: bool = False


def client_python(client: str) -> Path:
    """The Python of a client's environment, which is made when it is not there.

    Skips where that needs a network and there is none, except in CI: there it fails.
    """
    made = _environment(client)
    if made.python is not None:
        return made.python
    is_ci = os.environ.get("CI", "").lower() not in ("", "0", "false")
    if made.is_offline and not is_ci:
        pytest.skip(
            f"the environment of {client} is not installed, and there is no network to install it from"
        )
    pytest.fail(f"the environment of {client} cannot be made:\n{made.trouble}", pytrace=False)


@cache
def _environment(client: str) -> Environment:
    """Tried once: where it fails, all tests of the client end the same way at once."""
    try:
        made = subprocess.run(
            [str(TREE / "scripts" / "client-env"), client.replace("_", "-")],
            capture_output=True,
            text=True,
            timeout=INSTALLED_WITHIN_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        return Environment(None, f"not done after {INSTALLED_WITHIN_S} s\n{_text(error.stderr)}")
    if made.returncode == 0:
        return Environment(Path(made.stdout.strip()))
    return Environment(None, made.stderr, any(word in made.stderr for word in _LACK_OF_NETWORK))


# Programs


class Report:
    """What became of a program: of each check None or what went wrong; what it told, and printed."""

    def __init__(self, failures: Mapping[str, str | None], told: Mapping[str, Any], output: str) -> None:
        self.failures = failures
        self.told = told
        self.output = output
        self._is_shown = False

    def verify(self, check: str) -> None:
        """Fails the test if the check failed, or if the program never came to it."""
        failure = self.failures.get(check, "the program ended before this check")
        if failure is not None:
            output = "shown with an earlier failure" if self._is_shown else self.output
            self._is_shown = True
            pytest.fail(f"{failure}\n--- output of the program ---\n{output}", pytrace=False)


def run_program(
    program: str, server: Server, folder: Path, keys: Mapping[str, Any], arguments: Mapping[str, Any]
) -> Report:
    """Runs the program to its end. What it is given, and tells, is in programs/stage.py."""
    (client,) = (name for name in CLIENTS if program.startswith(name))
    command = [str(client_python(client)), str(PROGRAMS / f"{program}.py")]
    return run_command(command, server, folder / f"{program}.json", keys, arguments)


def run_command(
    command: Sequence[str],
    server: Server,
    report: Path,
    keys: Mapping[str, Any],
    arguments: Mapping[str, Any],
    settings: Mapping[str, str] | None = None,
) -> Report:
    """The same of a program in whatever language. report: where it reports. settings: of its environment."""
    report.unlink(missing_ok=True)
    stage = {"report": str(report), "ready": server.ready, "keys": keys, "arguments": arguments}
    output, status = _run(command, stage, settings or {})
    log = server.log.read_text(encoding="utf-8", errors="replace")
    output = f"{output[-OUTPUT_SHOWN_MAX:]}--- end of the server's log ---\n{log[-OUTPUT_SHOWN_MAX:]}"
    if not report.exists():
        return Report({}, {}, f"ended with {status} and reported nothing\n{output}")
    reported = json.loads(report.read_text(encoding="utf-8"))
    return Report(reported["failures"], reported["told"], output)


def play_in_sandbox(
    program: str, server: Server, folder: Path, keys: Mapping[str, Any], options: Mapping[str, Any]
) -> Report:
    """Runs the program in a sandbox of its own, which its path names, or a port of its own if it has one."""
    return run_program(program, enter_sandbox(program, server, options), folder, keys, {})


def enter_sandbox(program: str, server: Server, options: Mapping[str, Any]) -> Server:
    """The server as a program sees it for which a sandbox was made."""
    made = control(server, "POST", "sandboxes", {"name": program.replace("_", "-"), **options})
    port = made["port"]
    url = f"{server.url}{made['path']}" if port is None else f"http://127.0.0.1:{port}"
    return server._replace(url=url, ready={**server.ready, "url": url})


def _run(
    command: Sequence[str], stage: Mapping[str, Any], settings: Mapping[str, str]
) -> tuple[str, int | None]:
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("PYTHON") and name != "VIRTUAL_ENV" and not name.lower().endswith("_proxy")
    }
    environment |= {"EMULATOR_STAGE": json.dumps(stage), "PYTHONDONTWRITEBYTECODE": "1", **settings}
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=environment,
            timeout=PROGRAM_WITHIN_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        return f"not done after {PROGRAM_WITHIN_S} s\n{_text(error.stdout)}", None
    return _text(done.stdout), done.returncode


def _text(output: bytes | str | None) -> str:
    return output if isinstance(output, str) else (output or b"").decode(errors="replace")
