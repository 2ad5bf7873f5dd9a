"""ccxt, synchronous and asynchronous."""

from __future__ import annotations

import pytest

from tests.clients.conftest import Runner
from tests.clients.running import checks_of

pytestmark = pytest.mark.clients

PROGRAMS = ("ccxt_market", "ccxt_futures_market", "ccxt_trading", "ccxt_account", "ccxt_async")


@pytest.mark.parametrize(("program", "check"), checks_of(*PROGRAMS))
def test_ccxt(run: Runner, program: str, check: str) -> None:
    run(program).verify(check)
