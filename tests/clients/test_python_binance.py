"""python-binance, synchronous and asynchronous."""

from __future__ import annotations

import pytest

from tests.clients.conftest import Runner
from tests.clients.running import checks_of

pytestmark = pytest.mark.clients

PROGRAMS = (
    "python_binance_market",
    "python_binance_futures_market",
    "python_binance_trading",
    "python_binance_account",
    "python_binance_errors",
    "python_binance_async",
)


@pytest.mark.parametrize(("program", "check"), checks_of(*PROGRAMS))
def test_python_binance(run: Runner, program: str, check: str) -> None:
    run(program).verify(check)
