"""The emulator that a command talks to: the one that runs already, or one that is started for it.

Which one runs is said by the ready file of its data directory. One that was started for a command may be
found by others meanwhile; whoever of them is the last stops it. What tells them of each other is a lock in
the data directory that each holds as long as its command runs, and another around starting and stopping.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, NamedTuple

import httpx

import emulator
from emulator.web.hosts import CONTROL

READY_FILE = "ready.json"
TURN_FILE = "exec.turn"
"""Locked by whoever starts or stops an emulator for commands."""
USERS_FILE = "exec.users"
"""Locked, by all of them together, by those who use it; says which process was started for them."""
LOG_FILE = "exec.log"
START_S_MAX = 60.0
STOP_S_MAX = 20.0

_LOOK_AGAIN_S = 0.02
_ANSWER_S_MAX = 10.0
_LOG_SHOWN_MAX = 4000


class NoEmulator(Exception):
    """There is none to talk to, or it does not do what is needed; in words for people."""


class Gate(NamedTuple):
    """An open gate of an emulator. ca: the path of the certificate that its clients have to trust."""

    port: int
    ca: Path


def running(data_dir: Path) -> str | None:
    """The address of the emulator whose data is there, if it answers."""
    ready = _ready(data_dir)
    return ready[1] if ready is not None and _is_alive(ready[0]) and answers(ready[1]) else None


def _ready(data_dir: Path) -> tuple[int, str] | None:
    """Process and address of the emulator that was the last to be ready there."""
    try:
        ready = json.loads((data_dir / READY_FILE).read_bytes())
        return int(ready["pid"]), str(ready["url"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except PermissionError:
        return True  # It is somebody else's.
    except (OSError, OverflowError):
        return False
    return True


def answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}{CONTROL}/health", timeout=_ANSWER_S_MAX, trust_env=False).is_success
    except (httpx.HTTPError, httpx.InvalidURL):
        return False


@contextmanager
def shared(data_dir: Path) -> Iterator[str]:
    """The address of the emulator that runs on the directory, or of one that is started there; it is stopped
    by the last of those who use it, unless it was there before them all. Raises NoEmulator and OSError."""
    data_dir.mkdir(parents=True, exist_ok=True)
    try:
        users = (data_dir / USERS_FILE).open("a+")
    except PermissionError:
        # Somebody else's emulator; he keeps it running.
        url = running(data_dir)
        if url is None:
            raise
        yield url
        return
    with users:
        with _turn(data_dir):
            url = running(data_dir) or _start_for_all(data_dir, users)
            fcntl.flock(users, fcntl.LOCK_SH)
        try:
            yield url
        finally:
            with _turn(data_dir):
                _leave(users, data_dir)


@contextmanager
def _turn(data_dir: Path) -> Iterator[None]:
    with (data_dir / TURN_FILE).open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        yield


def _start_for_all(data_dir: Path, users: IO[str]) -> str:
    process = _start(data_dir, ephemeral=False, log=data_dir / LOG_FILE)
    url = _wait_for(process, data_dir, data_dir / LOG_FILE)
    users.truncate(0)
    users.write(str(process.pid))
    users.flush()
    return url


def _leave(users: IO[str], data_dir: Path) -> None:
    fcntl.flock(users, fcntl.LOCK_UN)
    try:
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return  # Others use it still.
    users.seek(0)
    ready = _ready(data_dir)
    if ready is not None and users.read() == str(ready[0]):
        with suppress(ProcessLookupError):
            os.kill(ready[0], signal.SIGTERM)
        last = time.monotonic() + STOP_S_MAX
        while _is_alive(ready[0]) and _ready(data_dir) == ready and time.monotonic() < last:
            time.sleep(_LOOK_AGAIN_S)
        _repeat_troubles(data_dir / LOG_FILE)
    users.truncate(0)


@contextmanager
def started(data_dir: Path, *, log: Path) -> Iterator[str]:
    """The address of an emulator of one's own that forgets, on free ports. Raises NoEmulator."""
    process = _start(data_dir, ephemeral=True, log=log)
    try:
        yield _wait_for(process, data_dir, log)
    finally:
        _stop(process)
        _repeat_troubles(log)


def _start(data_dir: Path, *, ephemeral: bool, log: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-P", "-m", "emulator", "serve", "--quiet", "--host", "127.0.0.1"]
    command += ["--port", "0", "--data-dir", str(data_dir), *(["--ephemeral"] if ephemeral else [])]
    with log.open("wb") as output:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=_environment(os.environ),
            # What a terminal sends to the command is not meant for it.
            start_new_session=True,
        )


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_S_MAX)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _repeat_troubles(log: Path) -> None:
    """What the emulator complained of, since its log ends with the command."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    said = "\n".join(line for line in lines if not line.startswith("emulator "))
    if said.strip():
        print(f"emulator exec: its emulator said:\n{said[-_LOG_SHOWN_MAX:]}", file=sys.stderr)


def _environment(inherited: Mapping[str, str]) -> dict[str, str]:
    """Settings stay, but for what would make it meet another one; it is the same emulator as this."""
    tree = str(Path(emulator.__file__).resolve().parents[1])
    path = os.pathsep.join(part for part in (tree, inherited.get("PYTHONPATH")) if part)
    own = {"PYTHONPATH": path, "EMULATOR_TLS_PORT": "0"}
    return {name: value for name, value in inherited.items() if name != "EMULATOR_EXEC"} | own


def _wait_for(process: subprocess.Popen[bytes], data_dir: Path, log: Path) -> str:
    """The address, as soon as it is ready; one that does not become so is stopped."""
    last = time.monotonic() + START_S_MAX
    try:
        while process.poll() is None and time.monotonic() < last:
            ready = _ready(data_dir)
            if ready is not None and ready[0] == process.pid:
                return ready[1]
            time.sleep(_LOOK_AGAIN_S)
    except BaseException:
        _stop(process)
        raise
    _stop(process)
    said = log.read_text(encoding="utf-8", errors="replace").strip()[-_LOG_SHOWN_MAX:]
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
