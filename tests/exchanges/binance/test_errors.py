"""Every rejection and every failure has words, and they are the documented ones."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, Inexact
from enum import Enum
from typing import Any

import pytest

from emulator.core import commands, rejections
from emulator.core.commands import Command
from emulator.core.instruments import (
    InstrumentStatus,
    OrderType,
    SelfTradeMode,
    Side,
    TimeInForce,
    TriggerSource,
)
from emulator.core.order_lists import ListKind, ListStatus
from emulator.core.orders import (
    EndReason,
    OrderStatus,
    OrderTerms,
    PegSide,
    StopRole,
    Trigger,
    TriggerKind,
)
from emulator.core.rejections import Feature, Limit, LimitBroken, Obstacle, Rejection, Setting
from emulator.exchanges.binance import vocabulary as v
from emulator.exchanges.binance.errors import (
    ERRORS,
    FILTERS,
    STATUSES,
    TEXTS,
    refuse,
    replace_refusal,
    speak,
)
from emulator.exchanges.binance.refusals import render_error
from emulator.web.contract import Failure

ONE = Decimal(1)
TERMS = OrderTerms(side=Side.BUY, type=OrderType.LIMIT, quantity=ONE, price=ONE)


def place(terms: OrderTerms = TERMS) -> commands.PlaceOrder:
    return commands.PlaceOrder(account=1, wallet="spot", instrument="BTCUSDT", terms=terms)


def with_trigger(kind: TriggerKind, type: OrderType) -> commands.PlaceOrder:
    return place(OrderTerms(side=Side.BUY, type=type, quantity=ONE, trigger=Trigger(kind=kind, price=ONE)))


CANCEL = commands.CancelOrder(account=1, instrument="BTCUSDT", order=1)
AMEND = commands.AmendOrder(account=1, instrument="BTCUSDT", quantity=ONE, order=1)
REPLACE = commands.ReplaceOrder(cancel=CANCEL, place=place(), stop_on_failure=True)
WITHDRAW = commands.Withdraw(account=1, wallet="spot", asset="BTC", amount=ONE, fee=ONE)
POOR = rejections.InsufficientBalance(asset="USDT", needed=ONE, available=Decimal(0))
GONE = rejections.UnknownOrder()


def a(kind: type[Rejection]) -> Rejection:
    """Some rejection of a kind."""
    fields: dict[str, Any] = {
        "account": 1,
        "instrument": "BTCUSDT",
        "wallet": "spot",
        "client_id": "x",
        "amount": ONE,
        "asset": "USDT",
        "needed": ONE,
        "available": ONE,
        "leverage": ONE,
        "value": ONE,
        "most": ONE,
        "owed": ONE,
        "setting": Setting.LEVERAGE,
        "obstacle": Obstacle.ORDERS,
        "spare": ONE,
        "at_us": 1,
        "limit": Limit.NOTIONAL,
        "feature": Feature.MARKET,
        "reason": "r",
        "cancel": GONE,
        "place": None,
        "place_attempted": False,
        "executed": ONE,
        "role": StopRole.TAKE_PROFIT,
        "side": Side.BUY,
        "price": ONE,
        "base": ONE,
        "source": TriggerSource.LAST,
    }
    return kind(**{name: fields[name] for name in kind.__struct_fields__ if name in fields})


KINDS = Rejection.__subclasses__()


@pytest.mark.parametrize("command", [place(), CANCEL, AMEND, REPLACE, WITHDRAW, None], ids=str)
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_rejection_has_words(kind: type[Rejection], command: Command | None) -> None:
    refusal = speak(a(kind), command)
    assert isinstance(refusal.code, int)
    assert refusal.code in TEXTS
    assert 400 <= refusal.status < 500
    assert "%s" not in refusal.message
    assert refusal.message


@pytest.mark.parametrize("failure", list(Failure))
def test_every_failure_has_words(failure: Failure) -> None:
    refusal = ERRORS.fail(failure, "GET /api/v3/x")
    assert refusal.message
    outages = (Failure.UNAVAILABLE, Failure.OUTCOME_UNKNOWN)
    assert (refusal.status >= 500) == (failure in outages)


def test_a_path_that_is_missing_is_named() -> None:
    refusal = ERRORS.fail(Failure.NOT_EMULATED, "GET /sapi/v1/margin/loan: margin is not emulated")
    assert refusal.status == 404
    assert "GET /sapi/v1/margin/loan: margin is not emulated" in refusal.message


@pytest.mark.parametrize("limit", list(Limit))
def test_every_limit_is_a_filter(limit: Limit) -> None:
    refusal = speak(LimitBroken(limit=limit), place())
    assert refusal.message == f"Filter failure: {FILTERS[limit]}"
    assert refusal.code == (-2038 if limit is Limit.AMENDS else -1013)
    assert refusal.status == 400


@pytest.mark.parametrize(
    ("rejection", "command", "code", "message"),
    [
        (POOR, place(), -2010, "Account has insufficient balance for requested action."),
        (POOR, WITHDRAW, -4026, "User has insufficient balance"),
        (GONE, CANCEL, -2011, "Unknown order sent."),
        (GONE, AMEND, -2038, "Unknown order sent."),
        (GONE, None, -2013, "Order does not exist."),
        (rejections.WouldTake(), place(), -2010, "Order would immediately match and take."),
        (rejections.WouldTrigger(), place(), -2010, "Order would trigger immediately."),
        (rejections.DuplicateClientId(client_id="x"), place(), -2010, "Duplicate order sent."),
        (rejections.UnknownInstrument(instrument="X"), place(), -1121, "Invalid symbol."),
        (
            rejections.OrderIdsDisagree(),
            CANCEL,
            -2039,
            "Client order ID is not correct for this order ID.",
        ),
        (
            rejections.CancelRestricted(),
            CANCEL,
            -2011,
            "Order was not canceled due to cancel restrictions.",
        ),
        (
            rejections.AmendIncreases(),
            AMEND,
            -2038,
            "Order amend (quantity increase) is not supported.",
        ),
    ],
)
def test_words_depend_on_what_was_asked(
    rejection: Rejection, command: Command | None, code: int, message: str
) -> None:
    assert render_error(speak(rejection, command)) == {"code": code, "msg": message}


@pytest.mark.parametrize(
    ("feature", "command", "message"),
    [
        (Feature.MARKET, place(), "Market orders are not supported for this symbol."),
        (
            Feature.TRIGGER,
            with_trigger(TriggerKind.STOP_LOSS, OrderType.MARKET),
            "Stop loss orders are not supported for this symbol.",
        ),
        (
            Feature.TRIGGER,
            with_trigger(TriggerKind.TAKE_PROFIT, OrderType.LIMIT),
            "Take profit limit orders are not supported for this symbol.",
        ),
        (Feature.ORDER_LIST, place(), "OCO orders are not supported for this symbol"),
        (
            Feature.ORDER_LIST,
            commands.PlaceOrderList(
                account=1,
                wallet="spot",
                instrument="BTCUSDT",
                kind=ListKind.OTO,
                legs=(TERMS, TERMS),
                funded=True,
            ),
            "OPO orders are not supported for this symbol.",
        ),
    ],
)
def test_features_that_are_off_are_named(feature: Feature, command: Command, message: str) -> None:
    refusal = speak(rejections.FeatureOff(feature=feature), command)
    assert (refusal.code, refusal.message) == (-1013, message)


class TestReplacement:
    """rest-api.md, "Cancel an Existing Order and Send a New Order": what each outcome answers."""

    def test_the_cancel_failed_and_nothing_was_placed(self) -> None:
        rejection = rejections.ReplaceFailed(cancel=GONE, place=None, place_attempted=False)
        refusal = replace_refusal(rejection)
        assert refusal.status == 400
        assert render_error(refusal) == {
            "code": -2022,
            "msg": "Order cancel-replace failed.",
            "data": {
                "cancelResult": "FAILURE",
                "newOrderResult": "NOT_ATTEMPTED",
                "cancelResponse": {"code": -2011, "msg": "Unknown order sent."},
                "newOrderResponse": None,
            },
        }

    def test_only_the_cancel_succeeded(self) -> None:
        rejection = rejections.ReplaceFailed(cancel=None, place=POOR, place_attempted=True)
        refusal = replace_refusal(rejection, canceled={"orderId": 1})
        assert refusal.status == 409
        assert render_error(refusal) == {
            "code": -2021,
            "msg": "Order cancel-replace partially failed.",
            "data": {
                "cancelResult": "SUCCESS",
                "newOrderResult": "FAILURE",
                "cancelResponse": {"orderId": 1},
                "newOrderResponse": {
                    "code": -2010,
                    "msg": "Account has insufficient balance for requested action.",
                },
            },
        }

    def test_only_the_placement_succeeded(self) -> None:
        rejection = rejections.ReplaceFailed(cancel=GONE, place=None, place_attempted=True)
        refusal = replace_refusal(rejection, placed={"orderId": 2})
        assert (refusal.status, refusal.code) == (409, -2021)
        assert refusal.extra is not None
        assert refusal.extra["data"]["newOrderResult"] == "SUCCESS"
        assert refusal.extra["data"]["newOrderResponse"] == {"orderId": 2}

    def test_both_failed(self) -> None:
        rejection = rejections.ReplaceFailed(cancel=GONE, place=POOR, place_attempted=True)
        refusal = replace_refusal(rejection)
        assert (refusal.status, refusal.code) == (400, -2022)

    def test_the_quota_forbade_the_placement(self) -> None:
        rejection = rejections.ReplaceFailed(cancel=None, place=None, place_attempted=False)
        refusal = replace_refusal(
            rejection, canceled={"orderId": 1}, place_refusal=refuse(-1015, 100, "10 SECOND")
        )
        assert (refusal.status, refusal.code) == (409, -2021)
        assert refusal.extra is not None
        assert refusal.extra["data"]["newOrderResponse"] == {
            "code": -1015,
            "msg": "Too many new orders; current limit is 100 orders per 10 SECOND.",
        }


def test_statuses_are_of_codes_that_exist() -> None:
    assert set(STATUSES) <= set(TEXTS)
    assert refuse(-2014).status == refuse(-2015).status == 401
    assert refuse(-1003).status == 429
    assert refuse(-1121).status == 400


@pytest.mark.parametrize(
    ("words", "members"),
    [
        (v.SIDE_WORDS, Side),
        (v.TIME_IN_FORCE_WORDS, TimeInForce),
        (v.SELF_TRADE_WORDS, SelfTradeMode),
        (v.PEG_SIDE_WORDS, PegSide),
        (v.ORDER_STATUS_WORDS, OrderStatus),
        (v.EXPIRY_REASON_WORDS, EndReason),
        (v.SYMBOL_STATUS_WORDS, InstrumentStatus),
        (v.LIST_STATUS_TYPE_WORDS, ListStatus),
        (v.LIST_ORDER_STATUS_WORDS, ListStatus),
        (FILTERS, Limit),
    ],
)
def test_every_word_of_the_core_has_one_on_the_wire(words: Mapping[Enum, str], members: type[Enum]) -> None:
    assert set(words) == set(members)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("0", "0.00000000"),
        ("1", "1.00000000"),
        ("100", "100.00000000"),
        ("0.1", "0.10000000"),
        ("0.00000001", "0.00000001"),
        ("-2.5", "-2.50000000"),
        ("92233720368.54775807", "92233720368.54775807"),
    ],
)
def test_amounts_have_eight_places(value: str, text: str) -> None:
    assert v.render_amount(Decimal(value)) == text


def test_an_amount_is_never_rounded() -> None:
    with pytest.raises(Inexact):
        v.render_amount(Decimal("0.123456789"))


@pytest.mark.parametrize(
    ("terms", "word"),
    [
        (TERMS, "LIMIT"),
        (OrderTerms(side=Side.BUY, type=OrderType.LIMIT, post_only=True), "LIMIT_MAKER"),
        (OrderTerms(side=Side.BUY, type=OrderType.MARKET), "MARKET"),
        (with_trigger(TriggerKind.STOP_LOSS, OrderType.MARKET).terms, "STOP_LOSS"),
        (with_trigger(TriggerKind.TAKE_PROFIT, OrderType.LIMIT).terms, "TAKE_PROFIT_LIMIT"),
    ],
)
def test_the_type_of_an_order_says_what_its_terms_say(terms: OrderTerms, word: str) -> None:
    assert v.order_type_word(terms) == word
    assert word in v.ORDER_TYPES
