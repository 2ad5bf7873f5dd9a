"""Runs the emulator as its users do: `python -m emulator serve`, in a process of its own, on free ports."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from threading import Timer
from typing import Any, NamedTuple

START_S_MAX = 60
STOP_S_MAX = 20

_SETTINGS = ("EMULATOR_", "MONGO_DB_", "REDIS_", "APP_PORT")


class Server(NamedTuple):
    """An emulator that answers. ready: the content of its ready file."""

    url: str
    control: str
    ports: dict[str, int]
    ready: dict[str, Any]
    ready_file: Path
    process: subprocess.Popen[str]
    announced: str
    log: Path

    def site(self, name: str) -> str:
        """The address that serves one site at its root."""
        url: str = self.ready["sites"][name]["url"]
        return url


def environment(**settings: str) -> dict[str, str]:
    """This process's environment with no settings of the emulator but those given."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(_SETTINGS)}
    return {**inherited, **settings}


@contextlib.contextmanager
def launched(
    directory: Path, *arguments: str, settings: Mapping[str, str] | None = None, port: int = 0
) -> Iterator[Server]:
    """Start a server with its data in a directory, wait until it is ready, and stop it afterwards."""
    log = directory / "log.txt"
    command = [sys.executable, "-m", "emulator", "serve", "--port", str(port), "--data-dir", str(directory)]
    with log.open("w", encoding="utf-8") as errors:
        process = subprocess.Popen(
            [*command, *arguments],
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env=environment(**(settings or {})),
        )
    # Reading its output blocks until the line comes or the process ends; a process that hangs is ended.
    watch = Timer(START_S_MAX, process.kill)
    watch.start()
    try:
        announced = _read_until_ready(process)
        watch.cancel()
        assert announced is not None, f"the server did not start:\n{log.read_text(encoding='utf-8')}"
        ready_file = directory / "ready.json"
        ready = json.loads(ready_file.read_bytes())
        yield Server(
            url=ready["url"],
            control=ready["control"],
            ports=ready["ports"],
            ready=ready,
            ready_file=ready_file,
            process=process,
            announced=announced,
            log=log,
        )
    finally:
        watch.cancel()
        stop(process)


def stop(process: subprocess.Popen[str], number: signal.Signals = signal.SIGTERM) -> int:
    """Ask a server to stop, and wait until it has; its exit code."""
    if process.poll() is None:
        process.send_signal(number)
    try:
        code = process.wait(STOP_S_MAX)
    except subprocess.TimeoutExpired:
        process.kill()
        raise
    if process.stdout is not None:
        process.stdout.close()
    return code


def _read_until_ready(process: subprocess.Popen[str]) -> str | None:
    """All lines up to the one that says it is ready, or None when the process ended instead."""
    assert process.stdout is not None
    lines: list[str] = []
    for line in process.stdout:
        lines.append(line)
        if line.startswith("emulator ") and " is ready on " in line:
            return "".join(lines)
    return None
