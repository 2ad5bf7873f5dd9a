"""A server whose gate is open, and clients that mean the real hosts."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.launch import Server, launched


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with launched(tmp_path_factory.mktemp("gate"), "--ephemeral") as running:
        yield running


@pytest.fixture(scope="module")
def authority(server: Server) -> Path:
    """The path of the certificate that clients have to trust."""
    return Path(server.ready["tls"]["ca"])


@pytest.fixture(scope="module")
def trusting(authority: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(authority))
