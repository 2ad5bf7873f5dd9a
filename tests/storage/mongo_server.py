"""MongoDB for tests: a real server if EMULATOR_TEST_MONGO_URL names one, else a stand-in of ours.

The stand-in is nx-27017, which speaks MongoDB's protocol and keeps what it is given in SQLite files. It
is a process of its own, so it can be killed and started again over what it kept.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex
from urllib.parse import urlsplit, urlunsplit

import pytest
from pymongo import MongoClient

REAL_URL = os.environ.get("EMULATOR_TEST_MONGO_URL")
START_S_MAX = 30

_PROGRAM = Path(sys.executable).with_name("nx-27017")
_LISTENING = re.compile(r"Listening on 127\.0\.0\.1:(\d+)")


class StandIn:
    """A server on a port of its own, which it keeps when it is started again. is_durable: what it keeps
    is in files, so that it survives a kill; else in memory, where nobody waits for a disk."""

    def __init__(self, folder: Path, *, is_durable: bool = True) -> None:
        if not _PROGRAM.exists():
            pytest.skip("nx-27017 is not installed: scripts/install dev")
        self._folder = folder
        self._is_durable = is_durable
        self._port = 0
        self.start()

    @property
    def url(self) -> str:
        return f"mongodb://127.0.0.1:{self._port}/emulator"

    def start(self) -> None:
        """Returns when it listens."""
        options = {
            "--data-dir": self._folder / "mongo" if self._is_durable else "memory",
            "--port": self._port,
            "--log-file": self._folder / "mongo.log",
            "--pid-file": self._folder / "mongo.pid",
        }
        output = self._folder / "mongo.txt"
        with output.open("w", encoding="utf-8") as written:
            self._process = subprocess.Popen(
                [_PROGRAM, *(str(word) for option in options.items() for word in option)],
                stdout=subprocess.DEVNULL,
                stderr=written,
            )
        give_up = time.monotonic() + START_S_MAX
        while (found := _LISTENING.search(text := output.read_text(encoding="utf-8"))) is None:
            assert self._process.poll() is None, text
            assert time.monotonic() < give_up, text
            time.sleep(0.01)
        self._port = int(found[1])

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def freeze(self) -> None:
        """It keeps its connections and says nothing, until it thaws."""
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._process.send_signal(signal.SIGCONT)


@contextmanager
def stand_in(folder: Path, *, is_durable: bool = True) -> Iterator[StandIn]:
    """One that the test has for itself, to do harm to; or one that all share, and nobody kills."""
    server = StandIn(folder, is_durable=is_durable)
    try:
        yield server
    finally:
        server.kill()


@contextmanager
def database(server_url: str) -> Iterator[str]:
    """The address of a database that nobody else has, and that is gone afterwards."""
    parts = urlsplit(server_url)
    name = f"test-{token_hex(6)}"
    url = urlunsplit(parts._replace(path=f"/{name}"))
    yield url
    with MongoClient[dict[str, object]](url) as client:
        client.drop_database(name)
