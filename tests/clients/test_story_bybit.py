"""Two accounts with different clients trade a contract with each other; all that is told of it agrees."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.clients.conftest import Runner
from tests.clients.running import control
from tests.clients.test_story import Key
from tests.launch import Server

pytestmark = pytest.mark.clients

D = Decimal
SYMBOL = "BTCUSDT"
TAKER, MAKER = D("0.00055"), D("0.0002")


def open_account(server: Server, name: str) -> Key:
    control(server, "POST", "accounts", {"name": name})
    funds = {"wallet": "unified", "asset": "USDT", "amount": "10000"}
    control(server, "POST", f"accounts/{name}/deposits", funds)
    made = control(server, "POST", f"accounts/{name}/keys", {})
    return made["key"], made["secret"]


def play(run: Runner, program: str, key: Key | None = None, **part: Any) -> Any:
    signed = {} if key is None else {"key": key[0], "secret": key[1]}
    report = run(program, **signed, **part)
    report.verify("check_part")
    return report.told


def test_accounts_of_different_clients_trade_with_each_other(server: Server, run: Runner) -> None:
    buyer, seller = open_account(server, "buyer"), open_account(server, "seller")
    market = f"markets/bybit/linear:{SYMBOL}"
    control(server, "PUT", f"{market}/price", {"price": "100000"})
    control(server, "PUT", f"{market}/book", {"bids": [["99990", "5"]], "asks": [["100010", "5"]]})

    # The buyer bids for 0.3 at 100000, ahead of the market. The seller sells 0.2 into the bid, then 0.25
    # more at 99995: 0.1 is taken at 100000, and 0.15 are offered, of which the buyer takes 0.1.
    bid = play(run, "pybit_story", buyer, bid=["0.3", "100000"])["order"]
    told = play(run, "ccxt_bybit_story", seller, market="0.2", limit=["0.25", "99995"])
    sold, offered = told["orders"]
    assert (told["filled"], told["open"]) == (0.2, [[99995.0, 0.15]])
    taken = play(run, "pybit_story", buyer, take="0.1")["order"]
    seen = play(run, "pybit_story", accounts={"buyer": list(buyer), "seller": list(seller)})

    expected = [
        # order of the buyer, of the seller, quantity, price, whether the buyer was the maker
        (bid, sold, D("0.2"), D(100000), True),
        (bid, offered, D("0.1"), D(100000), True),
        (taken, offered, D("0.1"), D(99995), False),
    ]
    bought, given = seen["buyer"]["trades"], seen["seller"]["trades"]
    public = {trade["execId"]: trade for trade in seen["trades"]}
    for own, other, (buy, sell, quantity, price, is_maker) in zip(bought, given, expected, strict=True):
        assert own["execId"] == other["execId"]
        assert (own["orderId"], own["side"], own["isMaker"]) == (buy, "Buy", is_maker)
        assert (other["orderId"], other["side"], other["isMaker"]) == (sell, "Sell", not is_maker)
        for trade in (own, other):
            assert (D(trade["execQty"]), D(trade["execPrice"])) == (quantity, price)
            assert D(trade["execFee"]) == quantity * price * (MAKER if trade["isMaker"] else TAKER)
        shown = public[own["execId"]]
        assert (D(shown["size"]), D(shown["price"])) == (quantity, price)
        assert own["execTime"] == other["execTime"] == shown["time"]
        assert shown["side"] == ("Sell" if is_maker else "Buy"), "that of the taker"

    # 0.3 at 100000 and 0.1 at 99995; what one wins by the mark price the other loses.
    for name, side, profit in (("buyer", "Buy", D("0.5")), ("seller", "Sell", D("-0.5"))):
        position, wallet, log = (seen[name][each] for each in ("position", "wallet", "log"))
        fees = sum(D(trade["execFee"]) for trade in seen[name]["trades"])
        assert (position["side"], D(position["size"])) == (side, D("0.4"))
        assert D(position["avgPrice"]) == D("99998.75")
        assert (D(position["unrealisedPnl"]), D(position["cumRealisedPnl"])) == (profit, -fees)
        assert (D(wallet["walletBalance"]), D(wallet["equity"])) == (10_000 - fees, 10_000 - fees + profit)
        assert [entry["tradeId"] for entry in log] == [trade["execId"] for trade in seen[name]["trades"]]
        assert D(log[-1]["cashBalance"]) == 10_000 - fees
    levels = {side: [[*map(D, level)] for level in seen["book"][side]] for side in ("b", "a")}
    assert levels == {"b": [[99990, 5]], "a": [[99995, D("0.05")], [100010, 5]]}

    # The ledger agrees with what the clients were told.
    for name in ("buyer", "seller"):
        kept = control(server, "GET", f"accounts/{name}")["exchanges"]["bybit"]["unified"]["USDT"]
        assert D(kept["free"]) + D(kept["held"]) == D(seen[name]["wallet"]["walletBalance"])
