"""What every test may rely on."""

from __future__ import annotations

import contextlib
import gc
import os
import random
import sys
from collections.abc import Iterator
from functools import cache

import pytest

from tests.launch import Server, launched

LONGEST = (
    "tests/conformance/test_specs.py",
    "tests/clients/test_live.py",
    "tests/storage/test_upkeep.py",
    "tests/intercept/test_stock_programs.py",
    "tests/clients/test_futures.py",
    "tests/control/test_command_line.py",
    "tests/clients/test_bybit.py",
    "tests/storage/test_failures.py",
    "tests/intercept/test_exec.py",
    "tests/storage/test_crash.py",
    "tests/clients/test_readme_live.py",
    "tests/simulation/",
    "tests/clients/",
    "tests/intercept/",
    "tests/storage/",
    "tests/properties/",
    "tests/conformance/",
    "tests/stories/",
    "tests/feeds/",
)
"""Files of tests that take longest, or their folders: where several workers share a run they begin with
these, so that none is busy with one at the end while the others have nothing left."""


def pytest_configure(config: pytest.Config) -> None:
    # Where Python is told to leave no compiled files in the tree, each server and each command would
    # compile all of it again, which is most of what a start costs.
    keeps = config.pluginmanager.has_plugin("cacheprovider")
    if keeps and sys.dont_write_bytecode and sys.pycache_prefix is None:
        with contextlib.suppress(OSError):
            sys.pycache_prefix = str(config.cache.mkdir("compiled"))
            sys.dont_write_bytecode = False
            os.environ["PYTHONPYCACHEPREFIX"] = sys.pycache_prefix
            os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    # The names of tests must be the same for all workers, and some are made of sets.
    os.environ.setdefault("PYTHONHASHSEED", str(random.SystemRandom().getrandbits(32)))
    # Until all tests are there hardly anything is garbage, and then hardly anything of it ever becomes so:
    # without this, looking through all that again and again is a tenth of a run.
    gc.disable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if " at 0x" in item.nodeid:
            raise pytest.UsageError(f"{item.nodeid}: its name is another one in every process; give it an id")

    @cache
    def place(path: str) -> int:
        return next((n for n, first in enumerate(LONGEST) if path.startswith(first)), len(LONGEST))

    items.sort(key=lambda item: place(item.nodeid.partition("::")[0]))


def pytest_collection_finish() -> None:
    gc.collect()
    gc.freeze()
    # A test makes an engine of thousands of objects and lets go of it: at Python's own thresholds most of
    # what that costs is looking for garbage among what is still needed.
    gc.set_threshold(100_000, 10, 10)
    gc.enable()


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Asynchronous tests run on asyncio, as the server does."""
    return "asyncio"


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A running emulator that all tests of a session share: leave its default sandbox as it was, or
    use one of your own. A request that met a defect of ours fails the session."""
    with launched(tmp_path_factory.mktemp("server"), "--ephemeral") as running:
        yield running
        log = running.log.read_text(encoding="utf-8")
        assert "Traceback" not in log, log
