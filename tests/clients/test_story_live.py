"""One account behind three clients at once: each sees what the others do, in one order, to the last digit."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import pytest

from tests.clients.running import client_python, control, run_program
from tests.clients.test_story import open_account
from tests.launch import Server

pytestmark = pytest.mark.clients

D = Decimal
SYMBOL, ASSET = "DOTUSDT", "DOT"
RATE = D("0.001")


PLAYERS = ("python_binance", "ccxt", "binance_sdk_spot")
"""Who has a part in the story: the clients of Spot."""


@pytest.fixture(scope="module")
def told(
    server: Server, keys: Mapping[str, Any], tmp_path_factory: pytest.TempPathFactory
) -> Mapping[str, Any]:
    """What each of the clients tells. The script is in their programs, which are played at the same time."""
    for client in PLAYERS:
        client_python(client)
    shared = open_account(server, "shared", USDT="1000")
    other = open_account(server, "other", DOT="20")
    control(server, "PUT", f"markets/binance/{SYMBOL}/price", {"price": "10.5"})
    control(server, "PUT", f"markets/binance/{SYMBOL}/book", {"bids": [["9", "50"]], "asks": [["11", "50"]]})
    folder = tmp_path_factory.mktemp("reports")
    arguments = {
        "meeting": str(tmp_path_factory.mktemp("meeting")),
        "symbol": SYMBOL,
        "asset": ASSET,
        "key": shared[0],
        "secret": shared[1],
        "other": list(other),
    }
    with ThreadPoolExecutor() as stages:
        reports = {
            client: stages.submit(run_program, f"{client}_live_story", server, folder, keys, arguments)
            for client in PLAYERS
        }
    for report in reports.values():
        report.result().verify("check_part")
    return {client: report.result().told for client, report in reports.items()}


def test_all_are_told_the_same(told: Mapping[str, Any]) -> None:
    events = told["python_binance"]["events"]
    assert [(event["e"], event.get("x"), event.get("C") or event.get("c")) for event in events] == [
        ("executionReport", "NEW", "first"),
        ("outboundAccountPosition", None, None),
        ("executionReport", "NEW", "second"),
        ("outboundAccountPosition", None, None),
        ("executionReport", "TRADE", "first"),
        ("outboundAccountPosition", None, None),
        ("executionReport", "CANCELED", "second"),
        ("outboundAccountPosition", None, None),
        ("executionReport", "CANCELED", "first"),
        ("outboundAccountPosition", None, None),
    ]
    # The models of the SDK do not keep the kind of an event.
    kept = [{key: value for key, value in event.items() if key != "e"} for event in events]
    assert told["binance_sdk_spot"]["events"] == kept

    traded = events[4]
    trade = [int(told["ccxt"]["trades"][0][0]), *told["ccxt"]["trades"][0][1:]]
    assert len(told["ccxt"]["trades"]) == 1
    assert trade == [traded["t"], 10.0, 1.0, 10.0, "maker", "buy", traded["T"], 0.001, ASSET]
    last = {order[0]: order[1:] for order in told["ccxt"]["orders"]}
    assert last == {
        "first": ["canceled", 10.0, 3.0, 1.0, 10.0, str(traded["i"])],
        "second": ["canceled", 9.5, 2.0, 0.0, 0.0, str(events[2]["i"])],
    }


def test_both_sides_of_the_trade_agree(told: Mapping[str, Any]) -> None:
    traded = told["python_binance"]["events"][4]
    ((number, price, quantity, commission),) = told["binance_sdk_spot"]["sold"]
    assert (number, price, quantity) == (traded["t"], traded["L"], traded["l"])
    assert (price, quantity) == ("10.00000000", "1.00000000")
    assert (D(commission), D(traded["n"]), traded["N"]) == (10 * RATE, RATE, ASSET)
    assert (traded["X"], traded["m"], traded["z"], traded["Z"]) == (
        "PARTIALLY_FILLED",
        True,
        "1.00000000",
        "10.00000000",
    )


def test_balances_agree(told: Mapping[str, Any]) -> None:
    positions = [
        {each["a"]: (D(each["f"]), D(each["l"])) for each in event["B"]}
        for event in told["python_binance"]["events"][1::2]
    ]
    expected = [(970, 30), (951, 49), (951, 39), (970, 20), (990, 0)]
    assert [position["USDT"] for position in positions] == [(D(free), D(held)) for free, held in expected]
    bought = 1 - RATE
    assert positions[-1][ASSET] == (bought, D(0))
    assert told["ccxt"]["balance"] == {"USDT": [990.0, 0.0], ASSET: [float(bought), 0.0]}
    shown = {asset: [*map(D, amounts)] for asset, amounts in told["python_binance"]["balances"].items()}
    assert shown == {"USDT": [D(990), D(0)], ASSET: [bought, D(0)]}
