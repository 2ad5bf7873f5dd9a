"""Markets moved by hand, seen by the sites' own clients."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.control.conftest import ControlClient

BTC = "/markets/binance/BTCUSDT"


def test_a_market_is_read(inside: ControlClient, sandbox: str) -> None:
    market = inside.get(BTC)
    assert (market["sandbox"], market["site"], market["symbol"]) == (sandbox, "binance", "BTCUSDT")
    assert market["pair"] == "BTC/USDT"
    assert market["byHand"] is False
    assert len(market["bids"]) == len(market["asks"]) == 20
    bids = [Decimal(level["price"]) for level in market["bids"]]
    asks = [Decimal(level["price"]) for level in market["asks"]]
    assert bids == sorted(bids, reverse=True)
    assert asks == sorted(asks)
    assert bids[0] < asks[0]


def test_a_held_price_stays_until_released(inside: ControlClient) -> None:
    own = inside.get(BTC)["last"]
    moved = inside.put(f"{BTC}/price", {"price": "54321.01"})
    assert (moved["last"], moved["byHand"]) == ("54321.01", True)
    inside.put("/clock", {"step": "1d"})
    assert inside.get(BTC)["last"] == "54321.01"
    released = inside.delete(BTC)
    assert released["byHand"] is False
    inside.put("/clock", {"step": "1m"})
    assert Decimal(inside.get(BTC)["last"]) == pytest.approx(Decimal(own), rel=Decimal("0.3"))


def test_a_shifted_price_goes_on_moving(inside: ControlClient) -> None:
    moved = inside.put(f"{BTC}/price", {"price": 98765, "mode": "shift"})
    assert moved["last"] == "98765"
    inside.put("/clock", {"step": "1h"})
    later = Decimal(inside.get(BTC)["last"])
    assert later != 98765
    assert later == pytest.approx(Decimal(98765), rel=Decimal("0.2"))


def test_a_quote_stands_in_for_the_book(inside: ControlClient) -> None:
    quote = {"bid": "50000", "bidQuantity": "1.5", "ask": "50001", "askQuantity": "0.25"}
    market = inside.put(f"{BTC}/quote", quote)
    assert market["bids"] == [{"price": "50000", "quantity": "1.5"}]
    assert market["asks"] == [{"price": "50001", "quantity": "0.25"}]
    assert inside.get(BTC)["bids"] == market["bids"]


def test_a_quote_without_quantities_has_usual_ones(inside: ControlClient) -> None:
    market = inside.put(f"{BTC}/quote", {"bid": 50000, "ask": 50001})
    assert Decimal(market["bids"][0]["quantity"]) > 0
    assert Decimal(market["asks"][0]["quantity"]) > 0


def test_a_whole_book_is_set(inside: ControlClient) -> None:
    book = {"bids": [["50000", "1"], ["49999.5", 2]], "asks": [[50010, "3"]]}
    market = inside.put(f"{BTC}/book", book)
    assert [level["price"] for level in market["bids"]] == ["50000", "49999.5"]
    assert market["asks"] == [{"price": "50010", "quantity": "3"}]
    assert inside.put(f"{BTC}/book", {"bids": [["50000", "1"]]})["asks"] == []


@pytest.mark.parametrize("side", ["buy", "sell"])
def test_a_printed_trade_is_the_last_price(inside: ControlClient, side: str) -> None:
    market = inside.post(f"{BTC}/trades", {"price": "61000", "quantity": "0.5", "side": side})
    assert market["last"] == "61000"
    printed = [e for e in inside.get("/events")["events"] if e["kind"] == "TradePrinted"]
    assert printed[-1]["content"]["quantity"] == "0.5"
    assert printed[-1]["content"]["buyer_is_maker"] is (side == "sell")


WRONG: list[tuple[str, str, Any, int, str]] = [
    ("PUT", f"{BTC}/price", {"price": "0"}, 400, "limit_broken"),
    ("PUT", f"{BTC}/price", {"price": "50000.001"}, 400, "limit_broken"),
    ("PUT", f"{BTC}/price", {"price": "1e400"}, 400, "invalid_body"),
    ("PUT", f"{BTC}/price", {"price": 9e99}, 400, "invalid_body"),
    ("PUT", f"{BTC}/price", {"price": "1", "mode": "jump"}, 400, "invalid_body"),
    ("PUT", f"{BTC}/price", {}, 400, "invalid_body"),
    ("PUT", f"{BTC}/quote", {"bid": "50001", "ask": "50000"}, 400, "invalid_book"),
    ("PUT", f"{BTC}/quote", {"bid": "50000", "ask": "50001", "bidQuantity": "0"}, 400, "limit_broken"),
    ("PUT", f"{BTC}/book", {"bids": [["1", "1"], ["2", "1"]]}, 400, "invalid_book"),
    ("PUT", f"{BTC}/book", {"bids": [["1"]]}, 400, "invalid_body"),
    ("PUT", f"{BTC}/book", {"bids": [["1", "1"]] * 5001}, 400, "invalid_body"),
    ("POST", f"{BTC}/trades", {"price": "50000", "quantity": "0"}, 400, "limit_broken"),
    ("POST", f"{BTC}/trades", {"price": "50000", "side": "both"}, 400, "invalid_body"),
    ("PUT", "/markets/binance/NOPE/price", {"price": "1"}, 404, "no_such_symbol"),
    ("PUT", "/markets/binance-usdm/NOPE/price", {"price": "1"}, 404, "no_such_symbol"),
    ("PUT", "/markets/kucoin/BTC-USDT/price", {"price": "1"}, 404, "no_such_site"),
    ("DELETE", "/markets/binance/NOPE", None, 404, "no_such_symbol"),
    ("GET", "/markets/BINANCE/BTCUSDT", None, 400, "invalid_parameter"),
]


@pytest.mark.parametrize(("method", "path", "body", "status", "code"), WRONG)
def test_what_no_market_takes(
    inside: ControlClient, method: str, path: str, body: Any, status: int, code: str
) -> None:
    before = inside.get(BTC)
    assert inside.refused(method, path, body, status=status) == code
    assert inside.get(BTC) == before
