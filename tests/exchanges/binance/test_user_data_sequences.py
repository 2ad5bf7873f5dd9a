"""In which order an account hears what its orders, lists and funds go through.

Sequences follow user-data-stream.md, faqs/market_orders_faq.md and live logs of orders, cancels and
transfers: reports first, then the list, then the balances that all of it may have moved.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest

from emulator.core.commands import Deposit, LockFunds, Transfer, UnlockFunds, Withdraw
from tests.exchanges.binance.listening import Listener
from tests.exchanges.binance.shapes import complaints, fields
from tests.exchanges.binance.trading_floor import (
    DEMO,
    LIMIT_BUY,
    LIMIT_SELL,
    NOW_MS,
    OTHER,
    Floor,
)

pytestmark = pytest.mark.anyio

POSITION = "position BTC USDT BNB"

OCO = {
    "symbol": "BTCUSDT",
    "side": "SELL",
    "quantity": "0.01",
    "aboveType": "LIMIT_MAKER",
    "abovePrice": "110000",
    "belowType": "STOP_LOSS_LIMIT",
    "belowPrice": "94000",
    "belowStopPrice": "95000",
    "belowTimeInForce": "GTC",
}
WORKING = {
    "symbol": "BTCUSDT",
    "workingType": "LIMIT",
    "workingSide": "BUY",
    "workingTimeInForce": "GTC",
    "workingPrice": "98000",
    "workingQuantity": "0.01",
}
OTO = {
    **WORKING,
    "pendingType": "LIMIT",
    "pendingSide": "SELL",
    "pendingPrice": "110000",
    "pendingTimeInForce": "GTC",
}
PAIR = {
    "pendingSide": "SELL",
    "pendingAboveType": "LIMIT_MAKER",
    "pendingAbovePrice": "110000",
    "pendingBelowType": "STOP_LOSS",
    "pendingBelowStopPrice": "95000",
}


@pytest.fixture
async def floor() -> AsyncIterator[Floor]:
    async with Floor() as opened:
        yield opened


@pytest.fixture
def listener(floor: Floor) -> Listener:
    return Listener(floor.sandbox)


# Single orders


async def test_an_order_that_rests_and_is_canceled(floor: Floor, listener: Listener) -> None:
    await floor.post("order", **LIMIT_BUY)
    assert listener.story() == ["1 NEW NEW", POSITION]
    await floor.delete("order", symbol="BTCUSDT", orderId="1")
    assert listener.story() == ["1 CANCELED CANCELED", POSITION]


async def test_an_order_that_takes(floor: Floor, listener: Listener) -> None:
    await floor.book(asks=[("100010", "0.004"), ("100020", "5")])
    await floor.post("order", **{**LIMIT_BUY, "price": "100020"})
    assert listener.story() == ["1 NEW NEW", "1 TRADE PARTIALLY_FILLED", "1 TRADE FILLED", POSITION]


async def test_an_order_that_takes_what_there_is_and_rests(floor: Floor, listener: Listener) -> None:
    await floor.post("order", **{**LIMIT_BUY, "price": "100010", "quantity": "6"})
    assert listener.story() == ["1 NEW NEW", "1 TRADE PARTIALLY_FILLED", POSITION]
    await floor.trade("99999", "1")
    assert listener.story() == ["1 TRADE FILLED", POSITION]


async def test_a_market_order_without_enough_depth(floor: Floor, listener: Listener) -> None:
    await floor.post("order", symbol="BTCUSDT", side="BUY", type="MARKET", quantity="6")
    assert listener.story() == [
        "1 NEW NEW",
        "1 TRADE PARTIALLY_FILLED",
        "1 EXPIRED EXPIRED",
        POSITION,
    ]


async def test_an_order_that_only_meets_its_owners(floor: Floor, listener: Listener) -> None:
    at = {"price": "100000", "quantity": "1"}
    await floor.post("order", **{**LIMIT_BUY, **at})
    listener.take()
    await floor.post("order", **{**LIMIT_SELL, **at})
    assert listener.story() == ["2 NEW NEW", "1 TRADE_PREVENTION EXPIRED_IN_MATCH", POSITION]


async def test_what_is_refused_is_not_told(floor: Floor, listener: Listener) -> None:
    await floor.post("order", **{**LIMIT_SELL, "quantity": "70"})
    listener.take()
    code, _ = await floor.no("POST", "order", **{**LIMIT_SELL, "quantity": "70"})
    assert code == -2010
    await floor.no(
        "POST", "order", symbol="BTCUSDT", side="BUY", type="LIMIT_MAKER", quantity="1", price="100010"
    )
    await floor.no("DELETE", "order", symbol="BTCUSDT", orderId="77")
    await floor.post("order/test", **LIMIT_BUY)
    await floor.send("POST", "orderList/oco", **{**OCO, "abovePrice": "90000"})
    assert listener.story() == []


async def test_a_replaced_order_is_canceled_and_another_one_placed(floor: Floor, listener: Listener) -> None:
    await floor.post("order", **LIMIT_BUY)
    listener.take()
    await floor.post(
        "order/cancelReplace",
        **{**LIMIT_BUY, "price": "91000"},
        cancelReplaceMode="STOP_ON_FAILURE",
        cancelOrderId="1",
    )
    assert [words for words in listener.story() if words != POSITION] == [
        "1 CANCELED CANCELED",
        "2 NEW NEW",
    ]


async def test_a_replacement_that_is_refused_leaves_the_cancel(floor: Floor, listener: Listener) -> None:
    await floor.post("order", **{**LIMIT_SELL, "quantity": "70"})
    await floor.post("order", **LIMIT_BUY)
    listener.take()
    reply = await floor.send(
        "POST",
        "order/cancelReplace",
        **{**LIMIT_SELL, "quantity": "70"},
        cancelReplaceMode="STOP_ON_FAILURE",
        cancelOrderId="2",
    )
    assert (reply.status, reply.json["code"]) == (409, -2021)
    assert listener.story() == ["2 CANCELED CANCELED", POSITION, "-1 REJECTED REJECTED"]


async def test_a_replacement_that_does_nothing_is_not_told(floor: Floor, listener: Listener) -> None:
    await floor.post("order", **{**LIMIT_SELL, "quantity": "70"})
    listener.take()
    for mode in ("STOP_ON_FAILURE", "ALLOW_FAILURE"):
        reply = await floor.send(
            "POST",
            "order/cancelReplace",
            **{**LIMIT_SELL, "quantity": "70"},
            cancelReplaceMode=mode,
            cancelOrderId="2",
        )
        assert (reply.status, reply.json["code"]) == (400, -2022)
    assert listener.story() == []


async def test_all_orders_are_canceled_with_one_position(floor: Floor, listener: Listener) -> None:
    await floor.post("order", **LIMIT_BUY)
    await floor.post("order", **LIMIT_SELL)
    await floor.post("orderList/oco", **OCO)
    listener.take()
    await floor.delete("openOrders", symbol="BTCUSDT")
    assert listener.story() == [
        "1 CANCELED CANCELED",
        "2 CANCELED CANCELED",
        "3 CANCELED CANCELED",
        "4 CANCELED CANCELED",
        "list 1 ALL_DONE ALL_DONE",
        POSITION,
    ]


async def test_a_price_that_reaches_orders_of_several_accounts(floor: Floor, listener: Listener) -> None:
    other = Listener(floor.sandbox, OTHER)
    await floor.post("order", **LIMIT_SELL)
    await floor.post("order", who=OTHER, **LIMIT_SELL)
    await floor.post("order", **{**LIMIT_SELL, "price": "110001"})
    for one in (listener, other):
        one.take()
    # A book set by hand hides the price.
    await floor.book(bids=[("112000", "5")], asks=[("112010", "5")])
    assert listener.story() == ["1 TRADE FILLED", "3 TRADE FILLED", POSITION]
    assert other.story() == ["2 TRADE FILLED", POSITION]


async def test_every_moment_of_a_jump_of_the_clock_is_told_with_its_time(
    floor: Floor, listener: Listener
) -> None:
    """The market fills the order some time while nobody looks; that time is told, not now."""
    placed = await floor.post(
        "order", symbol="DOGEUSDT", side="BUY", type="LIMIT", timeInForce="GTC", quantity="1000",
        price=await doge_below(floor),
    )  # fmt: skip
    listener.take()
    await floor.sandbox.step_clock(6 * 3_600_000_000)
    trade = listener.reports(placed["orderId"])[-1]
    found = await floor.order(placed["orderId"], symbol="DOGEUSDT")
    assert (trade["x"], trade["X"]) == ("TRADE", "FILLED")
    assert trade["T"] == found["updateTime"]
    assert NOW_MS < trade["T"] < NOW_MS + 6 * 3_600_000


async def doge_below(floor: Floor) -> str:
    """A price that DOGEUSDT has not yet, but comes to within the next six hours."""
    market = floor.engine.state.markets["DOGEUSDT"]
    now_us = floor.sandbox.clock.now_us()
    lowest = min(
        market.last_price(now_us + minute * 60_000_000) for minute in range(0, 350, 2)
    )  # fmt: skip
    last = market.last_price(now_us)
    assert lowest < last
    return str((lowest + (last - lowest) / 2).quantize(Decimal("0.00001")))


# Order lists


async def test_a_pair_is_placed_and_canceled(floor: Floor, listener: Listener) -> None:
    await floor.post("orderList/oco", **OCO)
    assert listener.story() == ["1 NEW NEW", "2 NEW NEW", "list 1 EXEC_STARTED EXECUTING", POSITION]
    await floor.delete("order", symbol="BTCUSDT", orderId="2")
    assert listener.story() == [
        "1 CANCELED CANCELED",
        "2 CANCELED CANCELED",
        "list 1 ALL_DONE ALL_DONE",
        POSITION,
    ]


async def test_a_fill_of_one_leg_ends_the_other(floor: Floor, listener: Listener) -> None:
    await floor.post("orderList/oco", **OCO)
    listener.take()
    await floor.trade("110000", "0.004")
    expired, trade, _ = heard = listener.take()
    assert [one["e"] for one in heard] == ["executionReport", "executionReport", "outboundAccountPosition"]
    assert (expired["i"], expired["X"], expired["eR"]) == (1, "EXPIRED", "OCO_TRIGGER")
    assert (trade["i"], trade["X"]) == (2, "PARTIALLY_FILLED")
    await floor.trade("110000", "1")
    assert listener.story() == ["2 TRADE FILLED", "list 1 ALL_DONE ALL_DONE", POSITION]


async def test_a_leg_that_fires_ends_the_other(floor: Floor, listener: Listener) -> None:
    await floor.post("orderList/oco", **OCO)
    await floor.book(bids=[("94500", "5")], asks=[("95500", "5")])
    listener.take()
    await floor.trade("95000")
    assert listener.story() == [
        "2 EXPIRED EXPIRED",
        "1 NEW NEW",
        "1 TRADE FILLED",
        "list 1 ALL_DONE ALL_DONE",
        POSITION,
    ]


async def test_a_pending_order_is_new_twice(floor: Floor, listener: Listener) -> None:
    await floor.post("orderList/oto", **OTO, pendingQuantity="0.004")
    assert listener.story() == [
        "1 NEW NEW",
        "2 NEW PENDING_NEW",
        "list 1 EXEC_STARTED EXECUTING",
        POSITION,
    ]
    await floor.trade("98000", "0.004")
    assert listener.story() == ["1 TRADE PARTIALLY_FILLED", POSITION]
    await floor.trade("98000", "0.006")
    assert listener.story() == ["1 TRADE FILLED", "2 NEW NEW", POSITION]
    await floor.trade("110000", "1")
    assert listener.story() == ["2 TRADE FILLED", "list 1 ALL_DONE ALL_DONE", POSITION]


async def test_a_working_order_that_is_filled_at_once(floor: Floor, listener: Listener) -> None:
    order = {**OTO, "workingPrice": "100010", "pendingType": "MARKET", "pendingQuantity": "0.004"}
    for name in ("pendingPrice", "pendingTimeInForce"):
        del order[name]
    await floor.post("orderList/oto", **order)
    assert listener.story() == [
        "1 NEW NEW",
        "2 NEW PENDING_NEW",
        "list 1 EXEC_STARTED EXECUTING",
        "1 TRADE FILLED",
        "2 NEW NEW",
        "2 TRADE FILLED",
        "list 1 ALL_DONE ALL_DONE",
        POSITION,
    ]


async def test_a_pending_pair(floor: Floor, listener: Listener) -> None:
    await floor.post("orderList/otoco", **WORKING, **PAIR, pendingQuantity="0.01")
    assert listener.story() == [
        "1 NEW NEW",
        "2 NEW PENDING_NEW",
        "3 NEW PENDING_NEW",
        "list 1 EXEC_STARTED EXECUTING",
        POSITION,
    ]
    await floor.trade("98000", "0.01")
    assert listener.story() == ["1 TRADE FILLED", "2 NEW NEW", "3 NEW NEW", POSITION]


async def test_a_working_order_that_ends_takes_the_pending_ones_along(
    floor: Floor, listener: Listener
) -> None:
    await floor.post("orderList/oto", **{**OTO, "workingTimeInForce": "IOC"}, pendingQuantity="0.004")
    heard = listener.take()
    assert [one.get("x") for one in heard] == ["NEW", "NEW", None, "EXPIRED", "EXPIRED", None, None]
    assert [one["eR"] for one in heard[3:5]] == ["UNFILLED_IOC_QUANTITY_EXPIRED", "OTO_PHASE_ONE_EXPIRED"]
    assert heard[5]["l"] == "ALL_DONE"


async def test_what_was_bought_becomes_the_quantity_of_the_pending_order(
    floor: Floor, listener: Listener
) -> None:
    await floor.post("orderList/opo", **OTO)
    waiting = listener.reports(2)[-1]
    assert (waiting["X"], waiting["q"]) == ("PENDING_NEW", "0.00000000")
    await floor.trade("98000", "0.01")
    assert listener.reports(2)[-1]["q"] == "0.01000000"


async def test_amending_a_leg_of_a_pair(floor: Floor, listener: Listener) -> None:
    await floor.post("orderList/oco", **OCO)
    listener.take()
    amending = {"symbol": "BTCUSDT", "orderId": "2"}
    await floor.ok("PUT", "order/amend/keepPriority", **amending, newQty="0.008", newClientOrderId="renamed")
    amended, sibling, listed, position = listener.take()
    assert [(one["i"], one["x"], one["q"]) for one in (amended, sibling)] == [
        (2, "REPLACED", "0.00800000"),
        (1, "REPLACED", "0.00800000"),
    ]
    assert amended["c"] == "renamed" != amended["C"]
    assert sibling["c"] == sibling["C"]
    assert (listed["l"], listed["L"]) == ("UPDATED", "EXECUTING")
    assert [one["c"] for one in listed["O"]] == [sibling["c"], "renamed"]
    assert position["B"][0] == {"a": "BTC", "f": "99.99200000", "l": "0.00800000"}
    await floor.ok("PUT", "order/amend/keepPriority", **amending, newQty="0.006", newClientOrderId="renamed")
    assert listener.story() == ["2 REPLACED NEW", "1 REPLACED NEW", POSITION], "no id has changed"


async def test_amending_an_order_that_waits_moves_no_balance(floor: Floor, listener: Listener) -> None:
    await floor.post("orderList/oto", **OTO, pendingQuantity="0.004")
    listener.take()
    await floor.ok("PUT", "order/amend/keepPriority", symbol="BTCUSDT", orderId="2", newQty="0.003")
    assert listener.story() == ["2 REPLACED PENDING_NEW", "list 1 UPDATED EXECUTING"]


async def test_what_is_told_of_a_list(floor: Floor, listener: Listener) -> None:
    placed = await floor.post("orderList/oco", **OCO, listClientOrderId="the-list")
    (told,) = [one for one in listener.take() if one["e"] == "listStatus"]
    shape = fields("e:s E:i s:s g:i c:s l:s L:s r:s C:s T:i", O=[fields("s:s i:i c:s")])
    assert list(complaints(told, shape)) == []
    assert list(told) == list(shape), "in the order of the documents' example"
    assert told == {
        "e": "listStatus",
        "E": NOW_MS,
        "s": "BTCUSDT",
        "g": placed["orderListId"],
        "c": "OCO",
        "l": "EXEC_STARTED",
        "L": "EXECUTING",
        "r": "NONE",
        "C": "the-list",
        "T": NOW_MS,
        "O": [{"s": "BTCUSDT", "i": one["orderId"], "c": one["clientOrderId"]} for one in placed["orders"]],
    }


# Funds


async def move(floor: Floor, kind: Any, **more: Any) -> None:
    more = {name: Decimal(value) if name in ("amount", "fee") else value for name, value in more.items()}
    await floor.do(kind(account=floor.sandbox.accounts[DEMO], asset="ETH", **more))


@pytest.mark.parametrize(
    ("kind", "terms", "change"),
    [
        (Deposit, {"wallet": "spot", "amount": "1.5"}, "1.50000000"),
        (Withdraw, {"wallet": "spot", "amount": "1.5", "fee": "0.1"}, "-1.50000000"),
        (Transfer, {"source": "spot", "target": "funding", "amount": "1.5"}, "-1.50000000"),
    ],
)
async def test_funds_that_come_and_go(
    floor: Floor, listener: Listener, kind: Any, terms: dict[str, str], change: str
) -> None:
    await move(floor, kind, **terms)
    update, position = listener.take()
    assert list(complaints(update, fields("e:s E:i a:s d:s T:i"))) == []
    assert update == {"e": "balanceUpdate", "E": NOW_MS, "a": "ETH", "d": change, "T": NOW_MS}
    assert list(complaints(position, fields("e:s E:i u:i", B=[fields("a:s f:s l:s")]))) == []
    free = Decimal(1000) + Decimal(change)
    assert position == {
        "e": "outboundAccountPosition",
        "E": NOW_MS,
        "u": NOW_MS,
        "B": [{"a": "ETH", "f": f"{free}", "l": "0.00000000"}],
    }


async def test_funds_that_a_system_outside_locks_and_gives_back(floor: Floor, listener: Listener) -> None:
    await move(floor, LockFunds, wallet="spot", amount="1.5")
    update, position = listener.take()
    assert list(complaints(update, fields("e:s E:i a:s d:s T:i"))) == []
    assert update == {"e": "externalLockUpdate", "E": NOW_MS, "a": "ETH", "d": "1.50000000", "T": NOW_MS}
    assert position["B"] == [{"a": "ETH", "f": "998.50000000", "l": "1.50000000"}]
    await move(floor, UnlockFunds, wallet="spot", amount="0.5")
    update, position = listener.take()
    assert (update["e"], update["d"]) == ("externalLockUpdate", "-0.50000000")
    assert position["B"] == [{"a": "ETH", "f": "999.00000000", "l": "1.00000000"}]
    await move(floor, Deposit, wallet="funding", amount="1")
    await move(floor, LockFunds, wallet="funding", amount="1")
    assert listener.take() == [], "this stream tells of the spot wallet"


async def test_what_comes_back_from_another_wallet(floor: Floor, listener: Listener) -> None:
    await move(floor, Transfer, source="spot", target="usdm", amount="2")
    await move(floor, Transfer, source="usdm", target="spot", amount="1")
    assert listener.story() == ["ETH -2.00000000", "position ETH", "ETH 1.00000000", "position ETH"]


async def test_other_wallets_are_not_of_this_stream(floor: Floor, listener: Listener) -> None:
    await move(floor, Deposit, wallet="funding", amount="2")
    await move(floor, Transfer, source="funding", target="usdm", amount="1")
    await move(floor, Withdraw, wallet="funding", amount="1", fee="0")
    assert listener.story() == []


async def test_a_position_has_what_is_free_and_what_is_locked(floor: Floor, listener: Listener) -> None:
    await floor.post("order", **LIMIT_BUY)
    position = listener.take()[-1]
    assert position["B"] == [
        {"a": "BTC", "f": "100.00000000", "l": "0.00000000"},
        {"a": "USDT", "f": "9999100.00000000", "l": "900.00000000"},
        {"a": "BNB", "f": "1000.00000000", "l": "0.00000000"},
    ]


async def test_an_account_hears_nothing_of_others(floor: Floor, listener: Listener) -> None:
    await floor.post("order", who=OTHER, **LIMIT_BUY)
    await floor.post("orderList/oco", who=OTHER, **OCO)
    await floor.do(
        Deposit(account=floor.sandbox.accounts[OTHER], wallet="spot", asset="ETH", amount=Decimal(1))
    )
    assert listener.story() == []
