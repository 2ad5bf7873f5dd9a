"""Contracts, traded by real clients on both futures sites, in sandboxes whose clocks stand still."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import pytest

from tests.clients.conftest import Runner
from tests.clients.running import Report, checks_of, play_in_sandbox
from tests.launch import Server

pytestmark = pytest.mark.clients

CLOCK = {"mode": "virtual", "time": "2026-03-02T10:00:00Z"}

PROGRAMS = (
    "python_binance_usdm",
    "python_binance_coinm",
    "python_binance_coinm_orders",
    "python_binance_futures_files",
    "python_binance_futures_live",
    "ccxt_usdm",
    "ccxt_coinm",
    "ccxt_coinm_orders",
    "ccxt_contract_errors",
    "ccxt_futures_watching",
    "binance_sdk_derivatives_trading_usds_futures_story",
    "binance_sdk_derivatives_trading_coin_futures_story",
)


@pytest.fixture(scope="module")
def play(server: Server, keys: Mapping[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Runner:
    folder = tmp_path_factory.mktemp("reports")

    @cache
    def play(program: str) -> Report:
        return play_in_sandbox(program, server, folder, keys, {"clock": CLOCK})

    return play


@pytest.mark.parametrize(("program", "check"), checks_of(*PROGRAMS))
def test_futures(play: Runner, program: str, check: str) -> None:
    play(program).verify(check)
