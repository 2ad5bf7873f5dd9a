"""Runs commands under `emulator exec` as its users do, in processes of their own."""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.clients.running import client_python
from tests.launch import environment

TREE = Path(__file__).resolve().parents[2]
PROGRAMS = Path(__file__).with_name("programs")
WITHIN_S = 150

_LEADING = re.compile(r"^(?:.*_proxy|.*_CA_BUNDLE|.*_CA_CERTS|SSL_CERT_.*|PYTHON.*|NODE_.*)$", re.IGNORECASE)


class Outcome(NamedTuple):
    """summary: the report file; None where there is none."""

    code: int
    output: str
    errors: str
    summary: dict[str, Any] | None

    def hosts(self) -> dict[str, tuple[int, int, int]]:
        """Requests, errors and sockets of each host that was called."""
        assert self.summary is not None, self.errors
        hosts = self.summary["hosts"]
        return {called["host"]: (called["requests"], called["errors"], called["sockets"]) for called in hosts}

    def refused(self) -> dict[str, int]:
        assert self.summary is not None, self.errors
        return {refusal["host"]: refusal["count"] for refusal in self.summary["refused"]}


def plain_environment(**settings: str) -> dict[str, str]:
    """Nothing in it leads a client anywhere, or makes it trust anybody."""
    kept = {name: value for name, value in environment().items() if not _LEADING.match(name)}
    # Servers and hooks are those of this tree, and are compiled once.
    own = {name: os.environ[name] for name in ("PYTHONPYCACHEPREFIX",) if name in os.environ}
    return kept | own | {"PYTHONPATH": str(TREE)} | settings


def exec_command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "emulator", "exec", *arguments]


def run_under_exec(
    folder: Path, options: Sequence[str], command: Sequence[str], settings: Mapping[str, str] | None = None
) -> Outcome:
    """Runs the command to its end; its report is written to the folder."""
    report = folder / "summary.json"
    report.unlink(missing_ok=True)
    done = subprocess.run(
        exec_command("--report", str(report), *options, "--", *command),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        env=plain_environment(**(settings or {})),
        cwd=folder,
        timeout=WITHIN_S,
        check=False,
    )
    summary = json.loads(report.read_bytes()) if report.exists() else None
    return Outcome(done.returncode, done.stdout, done.stderr, summary)


def node() -> str:
    """Node, new enough for its hook; skips where there is none."""
    found = shutil.which("node")
    if found is None:
        pytest.skip("there is no Node here")
    version = subprocess.run([found, "--version"], capture_output=True, text=True, check=True).stdout
    if int(version.strip().lstrip("v").partition(".")[0]) < 18:
        pytest.skip(f"this Node is {version.strip()}, and its hook needs 18")
    return found


@cache
def node_packages() -> str:
    """The path of packages for Node; skips where they cannot be had."""
    made = subprocess.run(
        [sys.executable, str(TREE / "scripts" / "environments.py"), "node"],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    if made.returncode != 0 or not made.stdout.strip():
        return ""
    return made.stdout.strip()


def node_settings() -> dict[str, str]:
    packages = node_packages()
    if not packages:
        pytest.skip("the packages for Node cannot be had: there is no npm, or no network")
    return {"NODE_PATH": packages}


def client(name: str, program: str, *arguments: str) -> list[str]:
    """The command that runs a program in a client's environment."""
    return [str(client_python(name)), str(PROGRAMS / program), *arguments]


def checks_in(program: str) -> list[str]:
    """The names of a program's checks."""
    text = (PROGRAMS / program).read_text(encoding="utf-8")
    if program.endswith(".cjs"):
        (table,) = re.findall(r"^const CHECKS = \{\n(.*?)^\}", text, re.MULTILINE | re.DOTALL)
        names = re.findall(r"^  (\w+): async", table, re.MULTILINE)
    else:
        names = [
            node.name
            for node in ast.parse(text).body
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("check_")
        ]
    assert names, f"{program} checks nothing"
    return names


class Checked:
    """What became of a program's checks."""

    def __init__(self, outcome: Outcome, report: Path) -> None:
        self.outcome = outcome
        told = f"ended with {outcome.code}\n{outcome.output}{outcome.errors}"
        assert report.exists(), told
        self._failures: dict[str, str | None] = json.loads(report.read_bytes())
        self._told = told

    def verify(self, check: str) -> None:
        failure = self._failures[check]
        if failure is not None:
            pytest.fail(f"{failure}\n--- the program ---\n{self._told}", pytrace=False)
