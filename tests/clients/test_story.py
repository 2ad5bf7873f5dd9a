"""Two accounts with different clients trade with each other; a third client sees it to the last digit."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.clients.conftest import Runner
from tests.clients.running import control
from tests.launch import Server

pytestmark = pytest.mark.clients

D = Decimal
SYMBOL = "APTUSDT"
RATE = D("0.001")

Key = tuple[str, str]


def open_account(server: Server, name: str, **funds: str) -> Key:
    control(server, "POST", "accounts", {"name": name})
    for asset, amount in funds.items():
        control(
            server, "POST", f"accounts/{name}/deposits", {"wallet": "spot", "asset": asset, "amount": amount}
        )
    made = control(server, "POST", f"accounts/{name}/keys", {})
    return made["key"], made["secret"]


def play(run: Runner, program: str, key: Key | None = None, **part: Any) -> Any:
    signed = {} if key is None else {"key": key[0], "secret": key[1]}
    report = run(program, symbol=SYMBOL, **signed, **part)
    report.verify("check_part")
    return report.told


def held(balances: list[dict[str, str]]) -> dict[str, tuple[D, D]]:
    return {each["asset"]: (D(each["free"]), D(each["locked"])) for each in balances}


def test_accounts_of_different_clients_trade_with_each_other(server: Server, run: Runner) -> None:
    buyer = open_account(server, "buyer", USDT="1000")
    seller = open_account(server, "seller", APT="20")
    control(server, "PUT", f"markets/binance/{SYMBOL}/price", {"price": "10"})
    control(server, "PUT", f"markets/binance/{SYMBOL}/book", {"bids": [["9", "50"]], "asks": [["11", "50"]]})

    # The buyer bids for 3 at 10, ahead of the market.
    told = play(run, "python_binance_story", buyer, bid=["3", "10.00"])
    bid = told["order"]
    assert bid["status"] == "NEW"
    assert held(told["balances"]) == {"USDT": (D(970), D(30))}

    # The seller sells 2 into the bid, then 5 more at 9.99: 1 is taken at 10, and 4 are offered.
    told = play(run, "ccxt_story", seller, market="2", limit=["5", "9.99"])
    assert told["statuses"] == ["closed", "open"]
    sold, offered = told["orders"]
    assert [(fill["price"], fill["qty"]) for fill in sold["fills"]] == [("10.00000000", "2.00000000")]
    assert [(fill["price"], fill["qty"]) for fill in offered["fills"]] == [("10.00000000", "1.00000000")]
    assert told["open"] == [[9.99, 4.0]]

    # The buyer takes 1.5 of the offer.
    told = play(run, "python_binance_story", buyer, take="1.5")
    taken = told["order"]
    assert [(fill["price"], fill["qty"]) for fill in taken["fills"]] == [("9.99000000", "1.50000000")]

    seen = play(run, "binance_sdk_spot_story", accounts={"buyer": list(buyer), "seller": list(seller)})

    # Both saw the same three trades, each from its own side.
    expected = [
        # order of the buyer, of the seller, quantity, price, whether the buyer was the maker
        (bid["orderId"], int(sold["orderId"]), D(2), D(10), True),
        (bid["orderId"], int(offered["orderId"]), D(1), D(10), True),
        (taken["orderId"], int(offered["orderId"]), D("1.5"), D("9.99"), False),
    ]
    bought, given = seen["buyer"]["trades"], seen["seller"]["trades"]
    assert [trade["id"] for trade in bought] == [trade["id"] for trade in given]
    public = {trade["id"]: trade for trade in seen["trades"]}
    for own, other, (buy, sell, quantity, price, is_maker) in zip(bought, given, expected, strict=True):
        assert (own["orderId"], own["isBuyer"], own["isMaker"]) == (buy, True, is_maker)
        assert (other["orderId"], other["isBuyer"], other["isMaker"]) == (sell, False, not is_maker)
        for trade in (own, other, public[own["id"]]):
            assert (D(trade["qty"]), D(trade["price"])) == (quantity, price)
            assert D(trade["quoteQty"]) == quantity * price
        assert own["time"] == other["time"] == public[own["id"]]["time"]
        assert public[own["id"]]["isBuyerMaker"] is is_maker
        assert (own["commissionAsset"], D(own["commission"])) == ("APT", quantity * RATE)
        assert (other["commissionAsset"], D(other["commission"])) == ("USDT", quantity * price * RATE)

    spent = D(3) * 10 + D("1.5") * D("9.99")
    balances = {name: held(seen[name]["balances"]) for name in ("buyer", "seller")}
    assert balances["buyer"] == {"USDT": (1000 - spent, D(0)), "APT": (D("4.5") * (1 - RATE), D(0))}
    assert balances["seller"] == {
        "USDT": (spent * (1 - RATE), D(0)),
        "APT": (20 - D("4.5") - D("2.5"), D("2.5")),
    }
    assert seen["book"] == {
        "bids": [["9.00000000", "50.00000000"]],
        "asks": [["9.99000000", "2.50000000"], ["11.00000000", "50.00000000"]],
    }

    # The ledger agrees with what the clients were told.
    for name, expected_balances in balances.items():
        spot = control(server, "GET", f"accounts/{name}")["exchanges"]["binance"]["spot"]
        shown = {asset: (D(each["free"]), D(each["held"])) for asset, each in spot.items()}
        assert {asset: amounts for asset, amounts in shown.items() if any(amounts)} == expected_balances
