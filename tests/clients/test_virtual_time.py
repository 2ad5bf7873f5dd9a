"""An unmodified client, whose requests carry its own time, on a server that shows another."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.clients.conftest import Runner

pytestmark = pytest.mark.clients

BEGIN = datetime(2025, 3, 1, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def server_options() -> tuple[str, ...]:
    return ("--virtual-time", BEGIN.isoformat())


def test_python_binance(run: Runner) -> None:
    report = run("python_binance_virtual", begin_ms=int(BEGIN.timestamp() * 1000))
    report.verify("check_time_stands_still")
