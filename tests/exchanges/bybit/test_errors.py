"""Every rejection of the core has words, and the important ones those of the error page (docs, v5)."""

from __future__ import annotations

from decimal import Decimal
from enum import Enum
from typing import Any, get_args, get_type_hints

import msgspec
import pytest

from emulator.core import commands, rejections
from emulator.core.commands import Command
from emulator.core.instruments import OrderType, Side, TriggerSource
from emulator.core.orders import OrderTerms, StopRole, Trigger, TriggerKind
from emulator.core.rejections import Limit, LimitBroken, Obstacle, Rejection, Setting
from emulator.exchanges.bybit.categories import CATEGORIES
from emulator.exchanges.bybit.errors import speak
from emulator.exchanges.bybit.refusals import TEXTS, fail
from emulator.web.contract import Failure

ONE = Decimal(1)
LINEAR_LISTING = CATEGORIES["linear"].listings["BTCUSDT"]
SPOT = "spot:BTCUSDT"
LINEAR = "linear:BTCUSDT"


def place(instrument: str, **terms: Any) -> commands.PlaceOrder:
    usual = {"side": Side.BUY, "type": OrderType.LIMIT, "price": ONE, "quantity": ONE}
    return commands.PlaceOrder(
        account=1, wallet="unified", instrument=instrument, terms=OrderTerms(**{**usual, **terms})
    )


def cancel(instrument: str) -> commands.CancelOrder:
    return commands.CancelOrder(account=1, instrument=instrument, order=1)


def modify(instrument: str) -> commands.ModifyOrder:
    return commands.ModifyOrder(account=1, instrument=instrument, order=1, price=ONE)


LEVERAGE = commands.SetLeverage(account=1, instrument=LINEAR, leverage=ONE)
TRANSFER = commands.Transfer(account=1, source="fund", target="unified", asset="BTC", amount=ONE)
MARGIN = commands.MoveMargin(account=1, instrument=LINEAR, amount=ONE)
POOR = rejections.InsufficientBalance(asset="USDT", needed=ONE, available=Decimal(0))
POOR_MARGIN = rejections.InsufficientMargin(asset="USDT", needed=ONE, available=Decimal(0))
GONE = rejections.UnknownOrder()
TWICE = rejections.DuplicateClientId(client_id="x")

ASKED = (place(SPOT), place(LINEAR), cancel(SPOT), cancel(LINEAR), modify(SPOT), modify(LINEAR), LEVERAGE)


def a(kind: type[Rejection]) -> Rejection:
    """Some rejection of a kind: the first word of each enumeration, and one of everything else."""
    hints = get_type_hints(kind)
    needed = [field.name for field in msgspec.structs.fields(kind) if field.required]
    return kind(**{name: _some(hints[name]) for name in needed})


def _some(hint: Any) -> Any:
    if isinstance(hint, type) and issubclass(hint, Enum):
        return next(iter(hint))
    if hint in (Rejection, Rejection | None):
        return GONE
    made = {Decimal: ONE, int: 1, str: "x", bool: False}
    return next(made[one] for one in (hint, *get_args(hint)) if one in made)


def words(rejection: Rejection, command: Command | None) -> tuple[int | str, str]:
    refusal = speak(rejection, command)
    assert refusal.status == 200
    return refusal.code, refusal.message


@pytest.mark.parametrize("command", [*ASKED, TRANSFER, MARGIN, None], ids=lambda one: type(one).__name__)
@pytest.mark.parametrize("kind", Rejection.__subclasses__(), ids=lambda kind: kind.__name__)
def test_every_rejection_has_words(kind: type[Rejection], command: Command | None) -> None:
    code, text = words(a(kind), command)
    assert code in TEXTS
    assert text
    assert "%s" not in text


@pytest.mark.parametrize("command", ASKED, ids=lambda one: type(one).__name__)
@pytest.mark.parametrize("limit", list(Limit))
def test_every_limit_has_words(limit: Limit, command: Command) -> None:
    assert words(LimitBroken(limit=limit, value=ONE, bound=ONE), command)[0] in TEXTS


@pytest.mark.parametrize("setting", list(Setting))
@pytest.mark.parametrize("obstacle", list(Obstacle))
def test_every_setting_has_words(setting: Setting, obstacle: Obstacle) -> None:
    assert words(rejections.SettingUnchanged(setting=setting), None)[0] in TEXTS
    assert words(rejections.SettingBlocked(setting=setting, obstacle=obstacle), None)[0] in TEXTS


@pytest.mark.parametrize("failure", list(Failure))
def test_every_failure_has_words_and_a_documented_status(failure: Failure) -> None:
    refusal = fail(failure, "GET /v5/x")
    assert refusal.code in TEXTS
    assert refusal.status in (200, 400, 404)


@pytest.mark.parametrize(
    ("rejection", "command", "code", "text"),
    [
        (POOR, place(SPOT), 170131, "Insufficient balance."),
        (POOR_MARGIN, place(SPOT), 170131, "Insufficient balance."),
        (POOR_MARGIN, place(LINEAR), 110007, "ab not enough for new order"),
        (POOR, TRANSFER, 131212, "Insufficient balance"),
        (POOR_MARGIN, LEVERAGE, 110012, "Insufficient available balance."),
        (POOR_MARGIN, MARGIN, 110014, "Insufficient available balance to add additional margin."),
        (GONE, cancel(SPOT), 170213, "Order does not exist."),
        (GONE, cancel(LINEAR), 110001, "order not exists or too late to cancel"),
        (GONE, modify(LINEAR), 110001, "order not exists or too late to replace"),
        (TWICE, place(SPOT), 170141, "Duplicate clientOrderId"),
        (TWICE, place(LINEAR), 110072, "OrderLinkedID is duplicate"),
        (
            rejections.LeverageInvalid(leverage=Decimal(101), most=Decimal(100)),
            LEVERAGE,
            110013,
            "cannot set leverage [10100] gt maxLeverage [10000] by risk limit",
        ),
        (rejections.SettingUnchanged(setting=Setting.LEVERAGE), LEVERAGE, 110043, "leverage not modified"),
        (
            rejections.SettingBlocked(setting=Setting.POSITION_MODE, obstacle=Obstacle.POSITION),
            None,
            110024,
            "You have an existing position, so the position mode cannot be switched.",
        ),
        (
            rejections.SettingBlocked(setting=Setting.POSITION_MODE, obstacle=Obstacle.ORDERS),
            None,
            110028,
            "You have existing open orders, so the position mode cannot be switched.",
        ),
        (
            rejections.NothingToReduce(),
            place(LINEAR),
            110017,
            "current position is zero, cannot fix reduce-only order qty",
        ),
        (rejections.LegWrong(), place(LINEAR), 10001, "position idx not match position mode"),
        (
            rejections.AmendBelowExecuted(executed=ONE),
            modify(LINEAR),
            110064,
            "The modified contract quantity cannot be less than or equal to the filled quantity.",
        ),
        (
            LimitBroken(limit=Limit.NOTIONAL, value=ONE, bound=Decimal(5)),
            place(LINEAR),
            110094,
            "Order does not meet minimum order value 5USDT",
        ),
        (
            LimitBroken(limit=Limit.NOTIONAL, value=ONE, bound=Decimal(5)),
            place(SPOT),
            170140,
            "Order value exceeded lower limit.",
        ),
        (
            LimitBroken(limit=Limit.PRICE_BAND, value=Decimal(101), bound=Decimal("100.50")),
            place(LINEAR),
            110121,
            "Order price cannot be higher than 100.5, the price limitation",
        ),
        (
            LimitBroken(limit=Limit.PRICE_BAND, value=Decimal(99), bound=Decimal(100)),
            place(SPOT, side=Side.SELL),
            # As servers say it of late; 170193 and 170194 are older.
            170371,
            "Order price cannot be lower than 100, the price limitation.",
        ),
        (
            rejections.StopPriceWrong(
                role=StopRole.STOP_LOSS,
                side=Side.BUY,
                price=Decimal(60_000),
                base=Decimal("50000.5"),
                source=TriggerSource.LAST,
            ),
            place(LINEAR),
            10001,
            "StopLoss:600000000 set for Buy position should lower than base_price:500005000??LastPrice",
        ),
        (
            rejections.StopPriceWrong(
                role=StopRole.TAKE_PROFIT,
                side=Side.SELL,
                price=Decimal(60_000),
                base=Decimal(50_000),
                source=TriggerSource.MARK,
            ),
            place(LINEAR),
            10001,
            "TakeProfit:600000000 set for Sell position should be lower than base_price:500000000??MarkPrice",
        ),
    ],
    ids=lambda value: str(value)[:12],
)
def test_the_words_are_the_exchanges(
    rejection: Rejection, command: Command | None, code: int, text: str
) -> None:
    assert words(rejection, command) == (code, text)


def test_a_position_that_is_too_large_names_a_leverage_that_is_low_enough() -> None:
    contract = LINEAR_LISTING.contract
    assert contract is not None
    for tier in contract.tiers:
        rejection = rejections.PositionTooLarge(leverage=Decimal(125), value=tier.cap, most=ONE)
        code, text = words(rejection, place(LINEAR))
        assert code == 110090
        assert f"adjust your leverage to {tier.leverage_max:f} or below" in text


def test_a_trigger_that_is_met_already_names_its_price() -> None:
    trigger = Trigger(kind=TriggerKind.STOP_LOSS, price=Decimal("65000.5"))
    code, text = words(rejections.WouldTrigger(), place(LINEAR, trigger=trigger))
    assert (code, text) == (110092, "expect Rising, but trigger_price[650005000] <= current[]??LastPrice")
