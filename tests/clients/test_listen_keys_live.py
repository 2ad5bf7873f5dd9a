"""The listen keys of before 2026: gone unless asked for, and then as older clients use them."""

from __future__ import annotations

import pytest

from tests.clients.conftest import Runner
from tests.clients.running import checks_of

pytestmark = pytest.mark.clients

PROGRAMS = ("python_binance_listen_key", "binance_sdk_spot_listen_key")


@pytest.fixture(scope="module")
def server_options() -> tuple[str, ...]:
    return ("--eras", '{"spot_listen_key": "serve"}')


@pytest.mark.parametrize(("program", "check"), checks_of(*PROGRAMS))
def test_listen_keys(run: Runner, program: str, check: str) -> None:
    run(program).verify(check)
