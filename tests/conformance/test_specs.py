"""Every row of the committed documents answers what it says: no 5xx, closed schemas, JSON."""

from __future__ import annotations

from pathlib import Path

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from tests.conformance.signing import Signed

SPECS = Path(__file__).resolve().parents[2] / "specs"
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
TIMEOUT = 20
"""Seconds after which a request counts as hanging."""

binance = schemathesis.openapi.from_path(SPECS / "binance" / "openapi.json")
control = schemathesis.openapi.from_path(SPECS / "control" / "openapi.json")
quick = settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)


@binance.parametrize()
@quick
def test_binance(case: schemathesis.Case, server_url: str, session: requests.Session) -> None:
    response = case.call(base_url=server_url, session=session, auth=Signed(), timeout=TIMEOUT)
    case.validate_response(response, checks=CHECKS)


@control.include(path_regex=".*").exclude(path_regex="reset|clock").parametrize()
@quick
def test_control(case: schemathesis.Case, server_url: str, session: requests.Session) -> None:
    response = case.call(base_url=f"{server_url}/_emulator", session=session, timeout=TIMEOUT)
    case.validate_response(response, checks=CHECKS)


@pytest.fixture(scope="module")
def session() -> requests.Session:
    """One set of keep-alive connections for all cases."""
    return requests.Session()
