"""The emulator that a command talks to: the one that runs already, or one that lives as long as the command.

Which one runs is said by the ready file of its data directory.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import httpx

import emulator
from emulator.web.hosts import CONTROL

READY_FILE = "ready.json"
START_S_MAX = 60.0
STOP_S_MAX = 20.0

_LOOK_AGAIN_S = 0.02
_ANSWER_S_MAX = 10.0
_LOG_SHOWN_MAX = 4000


class NoEmulator(Exception):
    """There is none to talk to, or it does not do what is needed; in words for people."""


class Found(NamedTuple):
    """is_own: whether it was started for this command."""

    url: str
    is_own: bool


class Gate(NamedTuple):
    """An open gate of an emulator. ca: the path of the certificate that its clients have to trust."""

    port: int
    ca: Path


def running(data_dir: Path) -> str | None:
    """The address of the emulator whose data is there, if it answers."""
    try:
        ready = json.loads((data_dir / READY_FILE).read_bytes())
        process, url = int(ready["pid"]), str(ready["url"])
        os.kill(process, 0)
    except PermissionError:
        pass  # It is somebody else's, and there.
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return url if answers(url) else None


def answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}{CONTROL}/health", timeout=_ANSWER_S_MAX, trust_env=False).is_success
    except (httpx.HTTPError, httpx.InvalidURL):
        return False


@contextmanager
def started(data_dir: Path, *, ephemeral: bool, log: Path) -> Iterator[str]:
    """The address of an emulator of one's own, on free ports, until the end. Raises NoEmulator."""
    command = [sys.executable, "-P", "-m", "emulator", "serve", "--quiet", "--host", "127.0.0.1"]
    command += ["--port", "0", "--data-dir", str(data_dir), *(["--ephemeral"] if ephemeral else [])]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=_environment(os.environ),
            # What a terminal sends to the command is not meant for it.
            start_new_session=True,
        )
    try:
        yield _wait_for(process, data_dir / READY_FILE, log)
    finally:
        process.terminate()
        try:
            process.wait(STOP_S_MAX)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _environment(inherited: Mapping[str, str]) -> dict[str, str]:
    """Settings stay, but for what would make it meet another one; it is the same emulator as this."""
    tree = str(Path(emulator.__file__).resolve().parents[1])
    path = os.pathsep.join(part for part in (tree, inherited.get("PYTHONPATH")) if part)
    own = {"PYTHONPATH": path, "EMULATOR_TLS_PORT": "0"}
    return {name: value for name, value in inherited.items() if name != "EMULATOR_EXEC"} | own


def _wait_for(process: subprocess.Popen[bytes], ready_file: Path, log: Path) -> str:
    last = time.monotonic() + START_S_MAX
    while process.poll() is None and time.monotonic() < last:
        try:
            ready = json.loads(ready_file.read_bytes())
            if ready["pid"] == process.pid:
                url: str = ready["url"]
                return url
        except (OSError, ValueError, KeyError, TypeError):
            pass  # Not there yet, or of one that was before.
        time.sleep(_LOOK_AGAIN_S)
    said = log.read_text(encoding="utf-8", errors="replace")[-_LOG_SHOWN_MAX:].strip()
    raise NoEmulator(f"the emulator did not start:\n{said}")


class Control:
    """Gates of an emulator, through its control API. Every call raises NoEmulator."""

    def __init__(self, url: str, token: str | None) -> None:
        self._url = url
        self._headers = {} if token is None else {"Authorization": f"Bearer {token}"}

    def open_gate(self, *, guard: bool, allow: Sequence[str]) -> Gate:
        opened = self._ask("POST", "/gates", {"guard": guard, "allow": list(allow)})
        gate = Gate(port=opened["port"], ca=Path(opened["ca"]))
        if not gate.ca.is_file():
            raise NoEmulator(f"{self._url} is an emulator on another machine: there is no {gate.ca} here")
        return gate

    def close_gate(self, port: int) -> dict[str, Any]:
        """What came through it, as the control API describes it."""
        tally: dict[str, Any] = self._ask("DELETE", f"/gates/{port}")
        return tally

    def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        url = f"{self._url}{CONTROL}{path}"
        try:
            answer = httpx.request(
                method, url, json=body, headers=self._headers, timeout=_ANSWER_S_MAX, trust_env=False
            )
            content = answer.json()
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            raise NoEmulator(f"no emulator answers at {self._url}: {error}") from error
        if answer.is_error:
            said = content.get("error", {}) if isinstance(content, dict) else {}
            raise NoEmulator(f"{self._url}: {said.get('message', f'{method} {path} is refused')}")
        return content
