"""binance-sdk-spot, the exchange's own modular SDK."""

from __future__ import annotations

import pytest

from tests.clients.conftest import Runner
from tests.clients.running import checks_of

pytestmark = pytest.mark.clients

PROGRAMS = ("binance_sdk_spot_market", "binance_sdk_spot_trading")


@pytest.mark.parametrize(("program", "check"), checks_of(*PROGRAMS))
def test_binance_sdk_spot(run: Runner, program: str, check: str) -> None:
    run(program).verify(check)
