"""What a fresh sandbox is given, so that plausible requests find something to look at and cancel."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import requests

from tests.conformance.signing import Signed, Stamped

SYMBOL = "BTCUSDT"
CONTRACTS = {"binance-usdm": ("BTCUSDT", "/fapi", "0.01"), "binance-coinm": ("BTCUSD_PERP", "/dapi", "10")}
"""The contract that is traded on a site, where its paths begin, and of how much an order is."""
PRICE = 50_000
NOW_MS = 1_772_366_400_000
"""What the clock of every sandbox shows, and goes on showing: 2026-03-01T12:00Z."""


class Trades(NamedTuple):
    """What the account has of contracts on one site: orders that rest and wait, and one that was filled.

    download_ids: of files of history, by what is in them. conversion_id: of one asset for another, on USD-M.
    """

    site: str
    order_ids: Sequence[int]
    client_ids: Sequence[str]
    filled_id: int
    algo_ids: Sequence[int]
    client_algo_ids: Sequence[str]
    download_ids: Mapping[str, str]
    conversion_id: str


class Unified(NamedTuple):
    """Orders on a contract of Bybit that rest."""

    order_ids: Sequence[str]
    link_ids: Sequence[str]


class Furniture(NamedTuple):
    """What a sandbox was given: orders that rest, one that was filled, lists that wait. Its forks have
    the same, under the same ids. contracts: by site. gates: ports of two, which no sandbox has."""

    order_ids: Sequence[int]
    client_ids: Sequence[str]
    filled_id: int
    list_ids: Sequence[int]
    list_client_ids: Sequence[str]
    contracts: Mapping[str, Trades]
    unified: Unified
    gates: Sequence[int]


def furnish(url: str, sandbox: str, session: requests.Session) -> Furniture:
    """Make a sandbox whose clock stands still and whose demo account has something to look at and cancel."""

    def say(method: str, path: str, **content: Any) -> Any:
        response = session.request(method, url + path, timeout=10, **content)
        assert response.status_code == 200, response.text
        return response.json()

    def place(path: str, **values: Any) -> Any:
        return say("POST", f"/~{sandbox}{path}", params={"symbol": SYMBOL, **values}, auth=Signed())

    clock = {"mode": "virtual", "time": NOW_MS}
    say("POST", "/_emulator/sandboxes", json={"name": sandbox, "clock": clock})
    say("PUT", f"/~{sandbox}/_emulator/markets/binance/{SYMBOL}/price", json={"price": PRICE})
    resting = [
        place(
            "/api/v3/order",
            side="BUY",
            type="LIMIT",
            timeInForce="GTC",
            quantity="0.01",
            price=40_000 + number,
            newClientOrderId=f"resting-{number}",
        )
        for number in range(12)
    ]
    filled = place("/api/v3/order", side="BUY", type="MARKET", quantity="0.01")
    lists = [
        place(
            "/api/v3/orderList/oco",
            side="SELL",
            quantity="0.01",
            listClientOrderId=f"list-{number}",
            aboveType="LIMIT_MAKER",
            abovePrice=60_000 + number,
            belowType="STOP_LOSS",
            belowStopPrice=40_000,
        )
        for number in range(2)
    ]
    contracts = {site: _furnish_contracts(site, sandbox, say) for site in CONTRACTS}
    return Furniture(
        contracts=contracts,
        unified=_furnish_unified(sandbox, say),
        order_ids=[order["orderId"] for order in resting],
        client_ids=[order["clientOrderId"] for order in resting],
        filled_id=filled["orderId"],
        list_ids=[made["orderListId"] for made in lists],
        list_client_ids=[made["listClientOrderId"] for made in lists],
        gates=[say("POST", "/_emulator/gates", json={})["port"] for _ in range(2)],
    )


def _furnish_unified(sandbox: str, say: Callable[..., Any]) -> Unified:
    def place(**values: Any) -> str:
        order = {"category": "linear", "symbol": SYMBOL, "qty": "0.01", **values}
        placed = say("POST", f"/~{sandbox}/v5/order/create", json=order, auth=Stamped())
        assert placed["retCode"] == 0, placed
        found: str = placed["result"]["orderId"]
        return found

    say("PUT", f"/~{sandbox}/_emulator/markets/bybit/{SYMBOL}/price", json={"price": PRICE})
    names = [f"resting-{number}" for number in range(8)]
    resting = [
        place(side="Buy", orderType="Limit", price=str(40_000 + number), orderLinkId=name)
        for number, name in enumerate(names)
    ]
    place(side="Buy", orderType="Market")
    for path, chosen in (
        ("account/borrow", {"coin": "SOL", "amount": "10"}),
        ("spot-margin-trade/switch-mode", {"spotMarginMode": "1"}),
    ):
        said = say("POST", f"/~{sandbox}/v5/{path}", json=chosen, auth=Stamped())
        assert said["retCode"] == 0, said
    return Unified(order_ids=resting, link_ids=names)


def _furnish_contracts(site: str, sandbox: str, say: Callable[..., Any]) -> Trades:
    symbol, prefix, quantity = CONTRACTS[site]
    say("PUT", f"/~{sandbox}/_emulator/markets/{site}/{symbol}/price", json={"price": PRICE})

    def place(path: str, **values: Any) -> Any:
        values = {"symbol": symbol, "quantity": quantity, **values}
        return say("POST", f"/~{sandbox}{prefix}/v1/{path}", params=values, auth=Signed())

    resting = [
        place(
            "order",
            side="BUY",
            type="LIMIT",
            timeInForce="GTC",
            price=40_000 + number,
            newClientOrderId=f"resting-{number}",
        )
        for number in range(8)
    ]
    filled = place("order", side="BUY", type="MARKET")
    waiting = [
        place(
            "algoOrder",
            algoType="CONDITIONAL",
            side="SELL",
            type="STOP_MARKET",
            triggerPrice=30_000 + number,
            clientAlgoId=f"waiting-{number}",
        )
        for number in range(4)
    ]
    span = {"startTime": NOW_MS - 86_400_000, "endTime": NOW_MS}
    downloads = {
        subject: say("GET", f"/~{sandbox}{prefix}/v1/{subject}/asyn", params=span, auth=Signed())[
            "downloadId"
        ]
        for subject in ("order", "trade", "income")
    }
    conversion = ""
    if site == "binance-usdm":
        wanted = {"fromAsset": "USDT", "toAsset": "USDC", "fromAmount": 100}
        convert = f"/~{sandbox}{prefix}/v1/convert"
        quote = say("POST", f"{convert}/getQuote", params=wanted, auth=Signed())["quoteId"]
        conversion = say("POST", f"{convert}/acceptQuote", params={"quoteId": quote}, auth=Signed())[
            "orderId"
        ]
    return Trades(
        site=site,
        order_ids=[order["orderId"] for order in resting],
        client_ids=[order["clientOrderId"] for order in resting],
        filled_id=filled["orderId"],
        algo_ids=[order["algoId"] for order in waiting],
        client_algo_ids=[order["clientAlgoId"] for order in waiting],
        download_ids=downloads,
        conversion_id=conversion,
    )
