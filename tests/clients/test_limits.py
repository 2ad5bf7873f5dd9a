"""What clients see when their address asks for too much; it needs a server of its own, which then bans it."""

from __future__ import annotations

import pytest

from tests.clients.conftest import Runner
from tests.clients.running import checks_of

pytestmark = pytest.mark.clients


@pytest.fixture(scope="module")
def banned(run: Runner) -> Runner:
    """The address is banned from now on."""
    report = run("binance_sdk_spot_limits")
    for check in report.failures:
        report.verify(check)
    return run


@pytest.mark.parametrize(("program", "check"), checks_of("binance_sdk_spot_limits"))
def test_asking_for_too_much(run: Runner, program: str, check: str) -> None:
    run(program).verify(check)


@pytest.mark.parametrize("program", ["python_binance_limits", "ccxt_limits"])
def test_banned(banned: Runner, program: str) -> None:
    banned(program).verify("check_banned")
