"""A server for each module of tests, and the programs of the clients that talk to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Protocol

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from tests.clients.running import Report, run_program
from tests.launch import Server, launched

PASSPHRASE = "correct horse"


class Runner(Protocol):
    """Runs a program, or gives the report of its one run where it takes no arguments."""

    def __call__(self, program: str, **arguments: Any) -> Report: ...


@pytest.fixture(scope="session")
def keys() -> Mapping[str, Any]:
    """Pairs of keys as PEM text, by kind; the private one also protected by the passphrase."""

    def texts(pair: RSAPrivateKey | Ed25519PrivateKey) -> dict[str, str]:
        def private(encryption: KeySerializationEncryption) -> str:
            return pair.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption).decode()

        public = pair.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        return {
            "private": private(NoEncryption()),
            "protected": private(BestAvailableEncryption(PASSPHRASE.encode())),
            "passphrase": PASSPHRASE,
            "public": public.decode(),
        }

    return {"rsa": texts(generate_private_key(65537, 2048)), "ed25519": texts(Ed25519PrivateKey.generate())}


@pytest.fixture(scope="module")
def server_options() -> tuple[str, ...]:
    """What a module's server is started with beside a port and a place for its data."""
    return ()


@pytest.fixture(scope="module")
def server(server_options: tuple[str, ...], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Each module has one of its own, so that none uses up another's request weights."""
    with launched(tmp_path_factory.mktemp("server"), *server_options) as running:
        yield running
        log = running.log.read_text(encoding="utf-8")
        assert "Traceback" not in log, log


@pytest.fixture(scope="module")
def run(server: Server, keys: Mapping[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Runner:
    folder = tmp_path_factory.mktemp("reports")

    @cache
    def once(program: str) -> Report:
        return run_program(program, server, folder, keys, {})

    def run(program: str, **arguments: Any) -> Report:
        return run_program(program, server, folder, keys, arguments) if arguments else once(program)

    return run
