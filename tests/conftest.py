"""What every test may rely on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.launch import Server, launched


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
