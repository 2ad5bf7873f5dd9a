"""Streams, user data and the WebSocket API, as the sockets of real clients have them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import pytest

from tests.clients.conftest import Runner
from tests.clients.running import Report, checks_of, play_in_sandbox
from tests.launch import Server

pytestmark = pytest.mark.clients

BEGIN = "2026-03-02T10:00:00Z"

SANDBOXES: Mapping[str, Mapping[str, Any]] = {
    # A clock that stands still, in a sandbox that the path names; one that runs, behind its own port.
    "python_binance_streams": {"clock": {"mode": "virtual", "time": BEGIN}},
    "python_binance_futures_streams": {"clock": {"mode": "virtual", "time": BEGIN}},
    "ccxt_streams": {"clock": {"mode": "virtual", "time": BEGIN, "speed": 20}, "port": 0},
    "ccxt_futures_streams": {"clock": {"mode": "virtual", "time": BEGIN, "speed": 20}, "port": 0},
}
"""What the programs that are not played in the default sandbox are played in."""

PROGRAMS = (
    "python_binance_streams",
    "python_binance_futures_streams",
    "python_binance_user_data",
    "python_binance_ws_api",
    "ccxt_streams",
    "ccxt_futures_streams",
    "ccxt_user_data",
    "ccxt_ws_api",
    "binance_sdk_spot_streams",
    "binance_sdk_spot_user_data",
    "binance_sdk_spot_ws_api",
)


@pytest.fixture(scope="module")
def play(
    server: Server, run: Runner, keys: Mapping[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> Runner:
    folder = tmp_path_factory.mktemp("reports")

    @cache
    def play(program: str) -> Report:
        options = SANDBOXES.get(program)
        if options is None:
            return run(program)
        return play_in_sandbox(program, server, folder, keys, options)

    return play


@pytest.mark.parametrize(("program", "check"), checks_of(*PROGRAMS))
def test_live(play: Runner, program: str, check: str) -> None:
    play(program).verify(check)
