"""Bybit, as its clients use it: unmodified, pointed here by their own attributes and options.

What breaks clients is among the checks: pairs' orders without `tpslMode`, books of one level that are sent
whole, `entryPrice` in what is pushed of positions, cursors, and "0" for amounts in wallets.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import pytest

from tests.clients.conftest import Runner
from tests.clients.running import (
    PROGRAMS,
    Report,
    checks_of,
    enter_sandbox,
    play_in_sandbox,
    run_command,
)
from tests.intercept.under_exec import checks_in, node, node_settings
from tests.launch import Server

pytestmark = pytest.mark.clients

STANDING = {"clock": {"mode": "virtual", "time": "2026-03-02T10:00:00Z"}}

SANDBOXES: Mapping[str, Mapping[str, Any] | None] = {
    "pybit_market": STANDING,
    "pybit_trading": STANDING,
    "pybit_account": STANDING,
    # In the default sandbox: its clock is the wall's, so requests may be late, and are counted.
    "pybit_errors": None,
    "pybit_streams": STANDING,
    "pybit_private": STANDING,
    "pybit_trading_socket": STANDING,
    "ccxt_bybit_market": STANDING,
    "ccxt_bybit_trading": STANDING,
    "ccxt_bybit_account": STANDING,
    "ccxt_bybit_async": STANDING,
    "ccxt_bybit_errors": None,
    "ccxt_bybit_watching": STANDING,
    "ccxt_bybit_user_data": STANDING,
}
"""What each program is played in."""

OF_NODE = PROGRAMS / "bybit_api.cjs"


@pytest.fixture(scope="module")
def play(
    server: Server, run: Runner, keys: Mapping[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> Runner:
    folder = tmp_path_factory.mktemp("reports")

    @cache
    def play(program: str) -> Report:
        options = SANDBOXES[program]
        if options is None:
            return run(program)
        return play_in_sandbox(program, server, folder, keys, options)

    return play


@pytest.mark.parametrize(("program", "check"), checks_of(*SANDBOXES))
def test_bybit(play: Runner, program: str, check: str) -> None:
    play(program).verify(check)


@pytest.fixture(scope="module")
def played_by_node(
    server: Server, keys: Mapping[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> Report:
    report = tmp_path_factory.mktemp("reports") / "bybit_api.json"
    there = enter_sandbox("bybit_api", server, STANDING)
    return run_command([node(), str(OF_NODE)], there, report, keys, {}, node_settings())


@pytest.mark.parametrize("check", checks_in(str(OF_NODE)))
def test_node(played_by_node: Report, check: str) -> None:
    played_by_node.verify(check)
