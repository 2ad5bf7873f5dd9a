"""A server for each module, and the programs of the clients that talk to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Protocol

import pytest

from tests.clients.running import Report, Server, client_python, run_program

CLIENTS = ("python_binance", "ccxt", "binance_sdk_spot")


class Runner(Protocol):
    """Runs a program, or gives the report of its one run where it takes no arguments."""

    def __call__(self, program: str, **arguments: Any) -> Report: ...


@pytest.fixture(scope="session")
def python_of() -> Mapping[str, Path]:
    """The Python of each client's environment, made when it is first asked for."""

    class Pythons(dict[str, Path]):
        def __missing__(self, client: str) -> Path:
            self[client] = client_python(client.replace("_", "-"))
            return self[client]

    return Pythons()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    running = Server(tmp_path_factory.mktemp("server"))
    yield running
    running.stop()


@pytest.fixture(scope="module")
def run(
    server: Server, python_of: Mapping[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> Runner:
    folder = tmp_path_factory.mktemp("reports")

    def start(program: str, **arguments: Any) -> Report:
        (client,) = (name for name in CLIENTS if program.startswith(name))
        return run_program(program, python_of[client], server, folder, arguments)

    once = cache(start)

    def run(program: str, **arguments: Any) -> Report:
        return start(program, **arguments) if arguments else once(program)

    return run
