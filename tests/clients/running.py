"""Runs a client's program in the client's own environment, and tells what became of each of its checks.

A program is a script in `programs/`, named after its client. Its functions named `check_…` are its
checks; all of them run in one process, in order, and each is one test here.
"""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pytest

TREE = Path(__file__).resolve().parents[2]
PROGRAMS = Path(__file__).with_name("programs")

READY_WITHIN_S = 20
STOPPED_WITHIN_S = 10
PROGRAM_WITHIN_S = 100
INSTALLED_WITHIN_S = 300
OUTPUT_SHOWN_MAX = 6000

_LACK_OF_NETWORK = (
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


# Environments


def client_python(client: str) -> Path:
    """The Python of a client's environment, which is made when it is not there.

    Skips where that needs a network and there is none, except in CI: there it fails.
    """
    made = subprocess.run(
        [str(TREE / "scripts" / "client-env"), client],
        capture_output=True,
        text=True,
        timeout=INSTALLED_WITHIN_S,
        check=False,
    )
    if made.returncode == 0:
        return Path(made.stdout.strip())
    if os.environ.get("CI", "").lower() not in ("", "0", "false"):
        pytest.fail(f"CI needs the environment of {client}:\n{made.stderr}", pytrace=False)
    if any(word in made.stderr for word in _LACK_OF_NETWORK):
        pytest.skip(f"the environment of {client} is not installed, and there is no network to install it from")
    pytest.fail(f"the environment of {client} cannot be made:\n{made.stderr}", pytrace=False)


# The server


class Server:
    """The emulator as `serve` starts it, in a process of its own.

    ready: what it wrote into its ready file.
    """

    def __init__(self, folder: Path, *options: str) -> None:
        self._log = folder / "server.log"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "emulator", "serve", "--port", "0", "--data-dir", str(folder), *options],
                cwd=TREE,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env={name: value for name, value in os.environ.items() if not name.startswith("EMULATOR_")},
            )
        try:
            self.ready: Mapping[str, Any] = self._wait(folder / "ready.json")
        except BaseException:
            self.stop()
            raise

    def _wait(self, ready_file: Path) -> Mapping[str, Any]:
        """The ready file is written whole, so it can be read as soon as it is there."""
        deadline = monotonic() + READY_WITHIN_S
        while not ready_file.exists():
            if self._process.poll() is not None:
                pytest.fail(f"the server ended with {self._process.returncode}:\n{self.log()}", pytrace=False)
            if monotonic() > deadline:
                pytest.fail(f"the server is not ready after {READY_WITHIN_S} s:\n{self.log()}", pytrace=False)
            sleep(0.02)
        ready: Mapping[str, Any] = json.loads(ready_file.read_text(encoding="utf-8"))
        return ready

    def log(self) -> str:
        """What the server printed until now."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    def stop(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(STOPPED_WITHIN_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


# Programs


class Report:
    """What became of a program: of each check None or what went wrong, and what it printed."""

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
    program: str, python: Path, server: Server, folder: Path, arguments: Mapping[str, Any] | None = None
) -> Report:
    """Runs the program to its end; what it is told, and tells, is in programs/stage.py."""
    report = folder / f"{program}.json"
    report.unlink(missing_ok=True)
    stage = {"report": str(report), "ready": server.ready, "arguments": arguments or {}}
    output, status = _run([str(python), str(PROGRAMS / f"{program}.py")], stage)
    output = f"{output[-OUTPUT_SHOWN_MAX:]}--- end of the server's log ---\n{server.log()[-OUTPUT_SHOWN_MAX:]}"
    if not report.exists():
        return Report({}, {}, f"ended with {status} and reported nothing\n{output}")
    reported = json.loads(report.read_text(encoding="utf-8"))
    return Report(reported["failures"], reported["told"], output)


def _run(command: Sequence[str], stage: Mapping[str, Any]) -> tuple[str, int | None]:
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV") and not name.lower().endswith("_proxy")
    }
    environment |= {"EMULATOR_STAGE": json.dumps(stage), "PYTHONDONTWRITEBYTECODE": "1", "NO_PROXY": "*"}
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
        return f"not done after {PROGRAM_WITHIN_S} s\n{(error.stdout or b'').decode(errors='replace')}", None
    return done.stdout.decode(errors="replace"), done.returncode
