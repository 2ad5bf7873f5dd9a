"""A server of its own, without rate limits: conformance sends more than an exchange would bear."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests

from tests.launch import launched


@pytest.fixture(scope="session")
def server_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address; a request that met a defect of ours fails the session at its end."""
    with launched(tmp_path_factory.mktemp("conformance"), "--ephemeral", "--no-limits") as running:
        yield running.url
        log = running.log.read_text(encoding="utf-8")
        assert "Traceback" not in log, log[-20_000:]


@pytest.fixture(scope="session")
def session() -> Iterator[requests.Session]:
    """One set of keep-alive connections for all cases."""
    with requests.Session() as connections:
        yield connections
