"""Every sort of execution report: its keys in their order, their JSON types, and what they say.

Keys and types are those of the example in user-data-stream.md, "Order Update", and of its table
"Conditional Fields in Execution Report"; sequences of values those of faqs/market_orders_faq.md.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from emulator.core.commands import SetFeePayment
from emulator.exchanges.binance.spot.payloads.user_data import ExecutionReport
from tests.exchanges.binance.listening import Event, Listener
from tests.exchanges.binance.shapes import complaints, fields
from tests.exchanges.binance.trading_floor import (
    DEMO,
    LIMIT_BUY,
    LIMIT_SELL,
    MARKET_BUY,
    NOW_MS,
    OTHER,
    SIBLING,
    STOP_SELL,
    TWIN,
    Floor,
)

pytestmark = pytest.mark.anyio

ALWAYS = (
    "e:s E:i s:s c:s S:s o:s f:s q:s p:s P:s F:s g:i C:s x:s X:s r:s i:i l:s z:s L:s n:s T:i t:i I:i "
    "w:b m:b M:b O:i Z:s Y:s Q:s V:s"
)
CONDITIONAL = fields(
    "d:i D:i j:i J:i v:i A:s B:s u:i U:i Cs:s pl:s pL:s pY:s W:i k:s uS:b gP:s gOT:s gOV:i gp:s eR:s"
)
ORDER = list(ExecutionReport.__annotations__)


@pytest.fixture
async def floor() -> AsyncIterator[Floor]:
    async with Floor() as opened:
        yield opened


def check(report: Event, conditional: str = "W") -> Event:
    """A report that has these conditional keys and no others, all of the right type, in the right order."""
    shape = fields(ALWAYS, N="null" if report["x"] != "TRADE" else "s")
    shape |= {key: CONDITIONAL[key] for key in conditional.split()}
    assert list(complaints(report, shape, at=f"{report['x']} {report['X']}")) == []
    told = list(report)
    assert [key for key in told if key in ALWAYS_IN_PLACE] == ALWAYS_IN_PLACE
    assert told == [key for key in ORDER if key in told]
    return report


ALWAYS_IN_PLACE = (
    "e E s c S o f q p P F g C x X r i l z L n N T t I w m M O Z Y Q V"
).split()  # fmt: skip


def test_the_declared_type_has_every_key_of_the_documents_that_can_occur() -> None:
    documented = {word.split(":")[0] for word in ALWAYS.split()} | {"N"} | CONDITIONAL.keys()
    assert set(ORDER) == documented


# One execution type after the other


async def test_a_new_order_that_rests(floor: Floor) -> None:
    listener = Listener(floor.sandbox)
    await floor.sandbox.step_clock(1_234_567)
    placed = await floor.post("order", **LIMIT_BUY, newClientOrderId="mine")
    (report,) = listener.reports()
    check(report)
    now_ms = NOW_MS + 1234
    assert report == {
        "e": "executionReport",
        "E": now_ms,
        "s": "BTCUSDT",
        "c": "mine",
        "S": "BUY",
        "o": "LIMIT",
        "f": "GTC",
        "q": "0.01000000",
        "p": "90000.00000000",
        "P": "0.00000000",
        "F": "0.00000000",
        "g": -1,
        "C": "",
        "x": "NEW",
        "X": "NEW",
        "r": "NONE",
        "i": placed["orderId"],
        "l": "0.00000000",
        "z": "0.00000000",
        "L": "0.00000000",
        "n": "0",
        "N": None,
        "T": now_ms,
        "t": -1,
        "I": report["I"],
        "w": True,
        "m": False,
        "M": False,
        "O": now_ms,
        "Z": "0.00000000",
        "Y": "0.00000000",
        "Q": "0.00000000",
        "W": now_ms,
        "V": "EXPIRE_MAKER",
    }


async def test_a_market_order_that_outruns_the_book(floor: Floor) -> None:
    """The example of faqs/market_orders_faq.md: 6 wanted, 2 and 2 there."""
    await floor.book(asks=[("100010", "2"), ("100020", "2")])
    listener = Listener(floor.sandbox)
    placed = await floor.post("order", **{**MARKET_BUY, "quantity": "6"}, newClientOrderId="big")
    new, first, second, expired = listener.reports()
    for report in (new, first, second):
        check(report)
    check(expired, "W eR")
    assert {report["i"] for report in (new, first, second, expired)} == {placed["orderId"]}
    assert {report["W"] for report in (new, first, second, expired)} == {NOW_MS}
    shown = [
        {key: report[key] for key in "xXlzLZYwM"} for report in (new, first, second, expired)
    ]  # fmt: skip
    nothing = "0.00000000"
    assert shown == [
        {"x": "NEW", "X": "NEW", "l": nothing, "z": nothing, "L": nothing, "Z": nothing, "Y": nothing,
         "w": True, "M": False},
        {"x": "TRADE", "X": "PARTIALLY_FILLED", "l": "2.00000000", "z": "2.00000000",
         "L": "100010.00000000", "Z": "200020.00000000", "Y": "200020.00000000", "w": False, "M": True},
        {"x": "TRADE", "X": "PARTIALLY_FILLED", "l": "2.00000000", "z": "4.00000000",
         "L": "100020.00000000", "Z": "400060.00000000", "Y": "200040.00000000", "w": False, "M": True},
        {"x": "EXPIRED", "X": "EXPIRED", "l": nothing, "z": "4.00000000", "L": nothing,
         "Z": "400060.00000000", "Y": nothing, "w": False, "M": False},
    ]  # fmt: skip
    assert expired["eR"] == "INSUFFICIENT_LIQUIDITY"
    assert (expired["n"], expired["N"], expired["t"]) == ("0", None, -1)
    assert [report["t"] for report in (first, second)] == [fill["tradeId"] for fill in placed["fills"]]
    assert [(report["n"], report["N"]) for report in (first, second)] == [("0.00200000", "BTC")] * 2
    assert [report["p"] for report in (new, expired)] == [nothing] * 2


async def test_an_order_by_quote_quantity_says_so(floor: Floor) -> None:
    listener = Listener(floor.sandbox)
    order = {key: value for key, value in MARKET_BUY.items() if key != "quantity"}
    placed = await floor.post("order", **order, quoteOrderQty="1000")
    new, trade = listener.reports()
    check(new)
    check(trade)
    assert (new["Q"], new["q"]) == ("1000.00000000", placed["origQty"])
    assert (trade["X"], trade["z"]) == ("FILLED", placed["executedQty"])


async def test_commission_in_bnb(floor: Floor) -> None:
    await floor.do(SetFeePayment(account=floor.sandbox.accounts[DEMO], discounted=True))
    listener = Listener(floor.sandbox)
    placed = await floor.post("order", **MARKET_BUY)
    trade = check(listener.reports()[-1])
    (fill,) = placed["fills"]
    assert fill["commissionAsset"] == "BNB"
    assert (trade["n"], trade["N"]) == (fill["commission"], "BNB")


async def test_a_canceled_order_is_reported_under_the_id_of_the_cancel(floor: Floor) -> None:
    placed = await floor.post("order", **LIMIT_BUY, newClientOrderId="mine")
    await floor.trade("89999", "0.004")
    listener = Listener(floor.sandbox)
    await floor.delete("order", symbol="BTCUSDT", orderId=placed["orderId"], newClientOrderId="the-cancel")
    (report,) = listener.reports()
    check(report)
    assert (report["c"], report["C"]) == ("the-cancel", "mine")
    assert (report["x"], report["X"], report["z"], report["w"]) == (
        "CANCELED",
        "CANCELED",
        "0.00400000",
        False,
    )
    assert report["W"] == placed["workingTime"]


async def test_an_amended_order_is_reported_under_its_new_id(floor: Floor) -> None:
    placed = await floor.post("order", **LIMIT_BUY, newClientOrderId="mine")
    listener = Listener(floor.sandbox)
    amended = await floor.ok(
        "PUT",
        "order/amend/keepPriority",
        symbol="BTCUSDT",
        orderId=placed["orderId"],
        newQty="0.004",
        newClientOrderId="smaller",
    )
    (report,) = listener.reports()
    check(report)
    assert (report["c"], report["C"]) == ("smaller", "mine")
    assert (report["x"], report["X"], report["q"]) == ("REPLACED", "NEW", "0.00400000")
    assert report["I"] == amended["executionId"]


async def test_an_amendment_that_leaves_nothing_ends_the_order(floor: Floor) -> None:
    placed = await floor.post("order", **LIMIT_BUY)
    await floor.trade("89999", "0.004")
    listener = Listener(floor.sandbox)
    ended = await floor.ok(
        "PUT", "order/amend/keepPriority", symbol="BTCUSDT", orderId=placed["orderId"], newQty="0.004"
    )
    (report,) = listener.reports()
    check(report)
    assert (report["x"], report["X"]) == ("EXPIRED", ended["amendedOrder"]["status"])
    assert report["I"] == ended["executionId"]


@pytest.mark.parametrize(
    ("time_in_force", "reason", "traded"),
    [
        ("IOC", "UNFILLED_IOC_QUANTITY_EXPIRED", ["TRADE"]),
        ("FOK", "UNFILLED_FOK_ORDER_EXPIRED", []),
    ],
)
async def test_what_is_not_filled_at_once_expires(
    floor: Floor, time_in_force: str, reason: str, traded: list[str]
) -> None:
    listener = Listener(floor.sandbox)
    order = {**LIMIT_BUY, "quantity": "6", "price": "100010", "timeInForce": time_in_force}
    await floor.post("order", **order)
    reports = listener.reports()
    assert [report["x"] for report in reports] == ["NEW", *traded, "EXPIRED"]
    for report in reports[:-1]:
        check(report)
    assert check(reports[-1], "W eR")["eR"] == reason


async def test_both_sides_of_a_trade_are_told(floor: Floor) -> None:
    one, other = Listener(floor.sandbox), Listener(floor.sandbox, OTHER)
    maker = await floor.post("order", **{**LIMIT_BUY, "price": "100000"})
    await floor.post("order", who=OTHER, **{**LIMIT_SELL, "price": "100000", "quantity": "0.004"})
    bought, sold = check(one.reports()[-1]), check(other.reports()[-1])
    assert (bought["x"], bought["X"], bought["m"], bought["l"]) == (
        "TRADE",
        "PARTIALLY_FILLED",
        True,
        "0.00400000",
    )
    assert (sold["x"], sold["X"], sold["m"], sold["l"]) == ("TRADE", "FILLED", False, "0.00400000")
    assert bought["t"] == sold["t"]
    assert (bought["n"], bought["N"]) == ("0.00000400", "BTC")
    assert (sold["n"], sold["N"]) == ("0.40000000", "USDT")
    assert sold["I"] + 1 == bought["I"], "the taker's report comes before the maker's"
    assert bought["i"] == maker["orderId"]
    assert bought["w"] is False, "it rests, but does not enter the book with this"


async def test_an_account_that_trades_with_itself_hears_both_sides(floor: Floor) -> None:
    listener = Listener(floor.sandbox)
    free = {"selfTradePreventionMode": "NONE", "price": "100000"}
    maker = await floor.post("order", **{**LIMIT_BUY, **free})
    taker = await floor.post("order", **{**LIMIT_SELL, **free})
    _, new, taken, made = listener.reports()
    assert (new["i"], taken["i"], made["i"]) == (taker["orderId"], taker["orderId"], maker["orderId"])
    assert (taken["m"], made["m"], taken["t"] == made["t"]) == (False, True, True)
    assert (taken["S"], made["S"]) == ("SELL", "BUY")
    check(taken)
    check(made)


# Conditional keys


async def test_a_stop_order_enters_the_book_when_it_fires(floor: Floor) -> None:
    listener = Listener(floor.sandbox)
    placed = await floor.post("order", **STOP_SELL)
    (report,) = listener.reports()
    check(report, "")
    assert (report["x"], report["X"], report["w"]) == ("NEW", "NEW", False)
    assert (report["P"], report["p"], report["o"]) == ("95000.00000000", "94000.00000000", "STOP_LOSS_LIMIT")
    await floor.book(bids=[("90000", "5")], asks=[("96000", "5")])
    await floor.sandbox.step_clock(1_000_000)
    await floor.trade("95000")
    (report,) = listener.reports(placed["orderId"])
    check(report)
    assert (report["x"], report["X"], report["w"]) == ("NEW", "NEW", True)
    assert (report["W"], report["O"]) == (NOW_MS + 1000, NOW_MS)


async def test_a_trailing_order_says_when_it_began_to_track(floor: Floor) -> None:
    listener = Listener(floor.sandbox)
    order = {**STOP_SELL, "stopPrice": "99000", "trailingDelta": "100"}
    placed = await floor.post("order", **order)
    assert check(listener.reports()[-1], "d")["d"] == 100
    await floor.drift("99500", "99000", "99500")
    assert listener.take() == [], "tracking is nothing that is reported"
    await floor.delete("order", symbol="BTCUSDT", orderId=placed["orderId"])
    canceled = check(listener.reports()[-1], "d D")
    assert (canceled["x"], canceled["D"]) == ("CANCELED", NOW_MS + 2000)


async def test_a_trailing_order_that_tracks_at_once_and_fires(floor: Floor) -> None:
    listener = Listener(floor.sandbox)
    order = {key: value for key, value in STOP_SELL.items() if key != "stopPrice"}
    await floor.post("order", **order, trailingDelta="100")
    new = check(listener.reports()[-1], "d D")
    assert (new["D"], new["P"], new["w"]) == (NOW_MS, "0.00000000", False)
    await floor.drift("98000")
    fired, traded = listener.reports()
    check(fired, "d D W")
    check(traded, "d D W")
    assert (fired["x"], fired["w"], traded["X"]) == ("NEW", True, "FILLED")


async def test_labels_are_given_back(floor: Floor) -> None:
    listener = Listener(floor.sandbox)
    await floor.post("order", **LIMIT_BUY, strategyId="12", strategyType="1000007")
    await floor.post("order", **LIMIT_BUY, strategyId="13")
    both, one = listener.reports()
    assert (check(both, "j J W")["j"], both["J"]) == (12, 1_000_007)
    assert check(one, "j W")["j"] == 13


async def test_an_iceberg_says_how_much_it_shows(floor: Floor) -> None:
    listener = Listener(floor.sandbox)
    await floor.post("order", **LIMIT_BUY, icebergQty="0.001")
    assert check(listener.reports()[-1])["F"] == "0.00100000"


async def test_an_order_that_was_routed(floor: Floor) -> None:
    listener = Listener(floor.sandbox)
    await floor.post("sor/order", **{**LIMIT_BUY, "price": "100010"})
    for report in listener.reports():
        check(report, "W k uS")
        assert (report["k"], report["uS"]) == ("EXCHANGE", True)


async def test_pegged_orders(floor: Floor) -> None:
    listener = Listener(floor.sandbox)
    await floor.book(bids=[("99990", "5"), ("99950", "1")], asks=[("100010", "5")])
    order = {key: value for key, value in LIMIT_BUY.items() if key != "price"}
    await floor.post("order", **order, pegPriceType="PRIMARY_PEG")
    await floor.post(
        "order", **order, pegPriceType="PRIMARY_PEG", pegOffsetType="PRICE_LEVEL", pegOffsetValue="1"
    )
    at_best, deeper = listener.reports()
    assert check(at_best, "W gP gp")["gp"] == "99990.00000000"
    assert (at_best["gP"], at_best["p"]) == ("PRIMARY_PEG", "0.00000000")
    check(deeper, "W gP gOT gOV gp")
    assert (deeper["gOT"], deeper["gOV"]) == ("PRICE_LEVEL", 1)


async def test_a_pegged_stop_has_its_price_once_it_fires(floor: Floor) -> None:
    listener = Listener(floor.sandbox)
    order = {key: value for key, value in STOP_SELL.items() if key != "price"}
    await floor.post("order", **order, pegPriceType="PRIMARY_PEG")
    check(listener.reports()[-1], "gP")
    await floor.book(bids=[("94900", "1")], asks=[("95100", "1")])
    await floor.trade("95000")
    assert check(listener.reports()[-1], "W gP gp")["gp"] == "95100.00000000"


async def test_a_stop_that_cannot_be_filled_at_once(floor: Floor) -> None:
    listener = Listener(floor.sandbox)
    await floor.post("order", **{**STOP_SELL, "timeInForce": "FOK", "quantity": "6"})
    await floor.book(bids=[("95000", "5")], asks=[("96000", "5")])
    listener.take()
    await floor.trade("95000")
    fired, expired = listener.reports()
    check(fired)
    assert check(expired, "W eR")["eR"] == "UNFILLED_FOK_ORDER_EXPIRED"
    assert expired["r"] == "NONE"


@pytest.mark.parametrize(
    ("pending", "reason", "conditional"),
    [
        ({"pendingType": "MARKET", "pendingQuantity": "80"}, "INSUFFICIENT_BALANCES", "W eR"),
        (
            {"pendingType": "LIMIT", "pendingPrice": "101000", "pendingTimeInForce": "GTC",
             "pendingQuantity": "80"},
            "INSUFFICIENT_BALANCES",
            "eR",
        ),
        (
            {"pendingType": "LIMIT_MAKER", "pendingPrice": "97000", "pendingQuantity": "0.01"},
            "WOULD_MATCH_IMMEDIATELY",
            "W eR",
        ),
    ],
)  # fmt: skip
async def test_a_pending_order_that_cannot_be_placed_says_why(
    floor: Floor, pending: dict[str, str], reason: str, conditional: str
) -> None:
    listener = Listener(floor.sandbox)
    working = {
        "symbol": "BTCUSDT",
        "workingType": "LIMIT",
        "workingSide": "BUY",
        "workingTimeInForce": "GTC",
        "workingPrice": "98000",
        "workingQuantity": "0.01",
        "pendingSide": "SELL",
    }
    placed = await floor.post("orderList/oto", **working, **pending)
    waiting = check(listener.reports()[-1], "")
    assert (waiting["x"], waiting["X"], waiting["w"]) == ("NEW", "PENDING_NEW", False)
    assert waiting["g"] == placed["orderListId"]
    await floor.post("order", **{**LIMIT_SELL, "price": "120000", "quantity": "70"})
    await floor.trade("98000", "0.01")
    expired = check(listener.reports(waiting["i"])[-1], conditional)
    assert (expired["x"], expired["X"]) == ("EXPIRED", "EXPIRED")
    assert (expired["eR"], expired["r"]) == ("REJECTED", reason)


# Refusals


@pytest.mark.parametrize(
    ("terms", "reason", "conditional"),
    [
        ({**LIMIT_SELL, "quantity": "70", "strategyId": "7"}, "INSUFFICIENT_BALANCES", "j"),
        (
            {"symbol": "BTCUSDT", "side": "BUY", "type": "LIMIT_MAKER", "quantity": "1", "price": "100010"},
            "WOULD_MATCH_IMMEDIATELY",
            "",
        ),
        ({**STOP_SELL, "stopPrice": "100001"}, "STOP_PRICE_WOULD_TRIGGER_IMMEDIATELY", ""),
        (
            {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quoteOrderQty": "90000000"},
            "INSUFFICIENT_BALANCES",
            "",
        ),
    ],
)
async def test_what_a_replacement_could_not_place_says_why(
    floor: Floor, terms: dict[str, str], reason: str, conditional: str
) -> None:
    await floor.post("order", **LIMIT_BUY)
    await floor.post("order", **{**LIMIT_SELL, "quantity": "70"})
    listener = Listener(floor.sandbox)
    in_microseconds = Listener(floor.sandbox, divisor=1)
    reply = await floor.send(
        "POST",
        "order/cancelReplace",
        **terms,
        newClientOrderId="new-one",
        cancelReplaceMode="ALLOW_FAILURE",
        cancelOrderId="1",
    )
    assert (reply.status, reply.json["code"]) == (409, -2021)
    canceled, rejected = listener.reports()
    check(canceled)
    check(rejected, conditional)
    assert (rejected["x"], rejected["X"], rejected["r"]) == ("REJECTED", "REJECTED", reason)
    assert (rejected["i"], rejected["I"], rejected["t"], rejected["O"]) == (-1, -1, -1, -1)
    assert (rejected["c"], rejected["C"], rejected["w"]) == ("new-one", "", False)
    assert (rejected["o"], rejected["q"]) == (terms["type"], f"{float(terms.get('quantity', 0)):.8f}")
    assert rejected["E"] == rejected["T"] == canceled["T"]
    assert in_microseconds.reports()[-1]["O"] == -1


# Self-trade prevention


PREVENTED = "W v A B U Cs pl pL pY"


async def cross(floor: Floor, mode: str, *, maker_quantity: str, taker_quantity: str, **more: Any) -> Any:
    """A bid and an offer at 100000; the ids of both."""
    terms = {"symbol": "BTCUSDT", "type": "LIMIT", "timeInForce": "GTC", "price": "100000"}
    maker_mode = more.get("maker_mode", "NONE")
    maker = await floor.post(
        "order",
        who=more.get("maker", DEMO),
        **{**terms, "side": "BUY", "quantity": maker_quantity, "selfTradePreventionMode": maker_mode},
    )
    taker = await floor.post(
        "order",
        who=more.get("taker", DEMO),
        **{**terms, "side": "SELL", "quantity": taker_quantity, "selfTradePreventionMode": mode},
    )
    return maker["orderId"], taker["orderId"]


@pytest.mark.parametrize(
    ("mode", "sides"),
    [
        ("EXPIRE_TAKER", {"taker": ("EXPIRED_IN_MATCH", "3.00000000")}),
        ("EXPIRE_MAKER", {"maker": ("EXPIRED_IN_MATCH", "1.00000000")}),
        (
            "EXPIRE_BOTH",
            {"taker": ("EXPIRED_IN_MATCH", "3.00000000"), "maker": ("EXPIRED_IN_MATCH", "1.00000000")},
        ),
        (
            "DECREMENT",
            {"taker": ("NEW", "1.00000000"), "maker": ("EXPIRED_IN_MATCH", "1.00000000")},
        ),
        (
            "TRANSFER",
            {"taker": ("NEW", "1.00000000"), "maker": ("EXPIRED_IN_MATCH", "1.00000000")},
        ),
    ],
)
async def test_each_order_that_loses_quantity_says_what_would_have_traded(
    floor: Floor, mode: str, sides: dict[str, tuple[str, str]]
) -> None:
    listener = Listener(floor.sandbox)
    maker, taker = await cross(floor, mode, maker_quantity="1", taker_quantity="3")
    ids = {"maker": maker, "taker": taker}
    prevented_reports = [report for report in listener.reports() if report["x"] == "TRADE_PREVENTION"]
    assert [report["i"] for report in prevented_reports] == [ids[side] for side in sides]
    for report, (side, (status, prevented)) in zip(prevented_reports, sides.items(), strict=True):
        check(report, PREVENTED)
        assert (report["X"], report["A"], report["B"]) == (status, prevented, prevented)
        assert report["U"] == ids["taker" if side == "maker" else "maker"]
        assert (report["Cs"], report["v"]) == ("BTCUSDT", 0)
        assert (report["pl"], report["pL"], report["pY"]) == (
            "1.00000000",
            "100000.00000000",
            "100000.00000000",
        )
        assert (report["l"], report["L"], report["Y"], report["t"]) == (*["0.00000000"] * 3, -1)
        assert (report["z"], report["w"], report["M"]) == ("0.00000000", False, False)
        assert report["r"] == "NONE"


async def test_what_was_prevented_before_stays_on_later_reports(floor: Floor) -> None:
    listener = Listener(floor.sandbox)
    maker, _ = await cross(floor, "DECREMENT", maker_quantity="6", taker_quantity="2")
    prevented = listener.reports(maker)[-1]
    check(prevented, PREVENTED)
    assert (prevented["X"], prevented["A"]) == ("NEW", "2.00000000")
    await floor.trade("99999", "1")
    (traded,) = listener.reports()
    check(traded, "W v A")
    assert (traded["X"], traded["z"], traded["A"]) == ("PARTIALLY_FILLED", "1.00000000", "2.00000000")


async def test_a_trade_group_is_named_and_both_accounts_are_told(floor: Floor) -> None:
    twin, sibling = Listener(floor.sandbox, TWIN), Listener(floor.sandbox, SIBLING)
    maker, taker = await cross(
        floor, "TRANSFER", maker_quantity="0.6", taker_quantity="0.2", maker=TWIN, taker=SIBLING,
        maker_mode="TRANSFER",
    )  # fmt: skip
    made, taken = twin.take(), sibling.take()
    (prevented,) = [event for event in made if event.get("x") == "TRADE_PREVENTION"]
    check(prevented, PREVENTED + " u")
    assert (prevented["i"], prevented["U"], prevented["u"]) == (maker, taker, 7)
    (prevented,) = [event for event in taken if event.get("x") == "TRADE_PREVENTION"]
    check(prevented, PREVENTED + " u")
    assert (prevented["i"], prevented["U"], prevented["X"]) == (taker, maker, "EXPIRED_IN_MATCH")
    for event, who in ((made[-1], TWIN), (taken[-1], SIBLING)):
        assert event["e"] == "outboundAccountPosition"
        free, held = floor.balance("BTC", who=who)
        assert event["B"][0] == {"a": "BTC", "f": f"{free:.8f}", "l": f"{held:.8f}"}


async def test_an_iceberg_would_have_traded_no_more_than_it_shows(floor: Floor) -> None:
    terms = {"symbol": "BTCUSDT", "type": "LIMIT", "timeInForce": "GTC", "price": "100000"}
    listener = Listener(floor.sandbox)
    await floor.post("order", **terms, side="BUY", quantity="5", icebergQty="0.5")
    await floor.post("order", **terms, side="SELL", quantity="3", selfTradePreventionMode="EXPIRE_TAKER")
    prevented = listener.reports()[-1]
    check(prevented, PREVENTED)
    assert (prevented["B"], prevented["pl"]) == ("3.00000000", "0.50000000")


# Ids and times


async def test_execution_ids_grow_and_never_repeat(floor: Floor) -> None:
    listener = Listener(floor.sandbox)
    placed = await floor.post("order", **{**LIMIT_BUY, "price": "100000"})
    await floor.post("order", who=OTHER, **{**LIMIT_SELL, "price": "100000", "quantity": "0.004"})
    await floor.post("order", **STOP_SELL)
    await floor.ok(
        "PUT", "order/amend/keepPriority", symbol="BTCUSDT", orderId=placed["orderId"], newQty="0.006"
    )
    await floor.delete("openOrders", symbol="BTCUSDT")
    ids = [report["I"] for report in listener.reports()]
    assert len(ids) == 6
    assert ids == sorted(set(ids))


async def test_nobody_listening_changes_no_ids(floor: Floor) -> None:
    """A later report continues the count of those that nobody heard."""
    placed = await floor.post("order", **LIMIT_BUY)
    listener = Listener(floor.sandbox)
    amended = await floor.ok(
        "PUT", "order/amend/keepPriority", symbol="BTCUSDT", orderId=placed["orderId"], newQty="0.006"
    )
    (report,) = listener.reports()
    assert report["I"] == amended["executionId"] > 1


async def test_times_in_microseconds(floor: Floor) -> None:
    listener = Listener(floor.sandbox, divisor=1)
    await floor.sandbox.step_clock(1_234_567)
    order = {key: value for key, value in STOP_SELL.items() if key != "stopPrice"}
    await floor.post("order", **order, trailingDelta="100")
    report, position = listener.take()
    now_us = NOW_MS * 1000 + 1_234_567
    assert (report["E"], report["T"], report["O"], report["D"]) == (now_us,) * 4
    assert (position["E"], position["u"]) == (now_us, now_us)
    assert report["d"] == 100
