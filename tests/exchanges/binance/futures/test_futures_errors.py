"""Every rejection has words on both futures sites, and they are those of their error-code pages."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from emulator.core import commands, rejections
from emulator.core.commands import Command
from emulator.core.instruments import OrderType, Side
from emulator.core.orders import OrderTerms, Trigger, TriggerKind
from emulator.core.positions import MarginMode
from emulator.core.rejections import Limit, LimitBroken, Obstacle, Rejection, Setting
from emulator.exchanges.binance.futures.errors import speak
from emulator.exchanges.binance.futures.products import COINM, USDM, Product
from emulator.exchanges.binance.futures.refusals import TABLES, refuse
from emulator.web.contract import Failure
from tests.exchanges.binance.test_errors import KINDS, a

ONE = Decimal(1)
LINEAR, INVERSE = "usdm:BTCUSDT", "coinm:BTCUSD_PERP"


def place(instrument: str = LINEAR, **terms: Any) -> commands.PlaceOrder:
    said: dict[str, Any] = {"side": Side.BUY, "type": OrderType.LIMIT, "quantity": ONE, "price": ONE, **terms}
    return commands.PlaceOrder(
        account=1, wallet=instrument.partition(":")[0], instrument=instrument, terms=OrderTerms(**said)
    )


CANCEL = commands.CancelOrder(account=1, instrument=LINEAR, order=1)
AMEND = commands.AmendOrder(account=1, instrument=LINEAR, quantity=ONE, order=1)
LEVERAGE = commands.SetLeverage(account=1, instrument=LINEAR, leverage=Decimal(200))
MODE = commands.SetMarginMode(account=1, instrument=LINEAR, mode=MarginMode.ISOLATED)
SIDES = commands.SetPositionMode(account=1, wallet="usdm", hedged=True)
MARGIN = commands.MoveMargin(account=1, instrument=LINEAR, amount=ONE)
COMMANDS: tuple[Command | None, ...] = (place(), CANCEL, AMEND, LEVERAGE, MODE, SIDES, MARGIN, None)


@pytest.mark.parametrize("product", [USDM, COINM], ids=str)
@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: type(command).__name__)
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_rejection_has_words(kind: type[Rejection], command: Command | None, product: Product) -> None:
    refusal = speak(product, a(kind), command)
    assert refusal.code in TABLES[product].texts
    assert refusal.status == 400
    assert refusal.message
    assert "%s" not in refusal.message


@pytest.mark.parametrize("product", [USDM, COINM], ids=str)
@pytest.mark.parametrize("limit", list(Limit))
def test_every_limit_has_words(limit: Limit, product: Product) -> None:
    refusal = speak(product, LimitBroken(limit=limit), None)
    assert refusal.code in TABLES[product].texts
    assert "%s" not in refusal.message


@pytest.mark.parametrize("product", [USDM, COINM], ids=str)
@pytest.mark.parametrize("failure", list(Failure))
def test_every_failure_has_words(failure: Failure, product: Product) -> None:
    refusal = TABLES[product].fail(failure, "GET /fapi/v1/x")
    assert refusal.message
    status = {Failure.UNAVAILABLE: 503, Failure.OUTCOME_UNKNOWN: 408}.get(failure)
    assert refusal.status == status or (status is None and 400 <= refusal.status < 500)


def needs(kind: type[Rejection]) -> Rejection:
    return a(kind)


@pytest.mark.parametrize(
    ("rejection", "command", "code", "message"),
    [
        (needs(rejections.InsufficientMargin), place(), -2019, "Margin is insufficient."),
        (
            needs(rejections.InsufficientMargin),
            LEVERAGE,
            -2028,
            "Leverage is smaller than permitted: insufficient margin balance.",
        ),
        (needs(rejections.InsufficientMargin), MARGIN, -4050, "Cross balance insufficient."),
        (
            needs(rejections.PositionTooLarge),
            place(),
            -2027,
            "Exceeded the maximum allowable position at current leverage.",
        ),
        (rejections.NothingToReduce(), place(), -2022, "ReduceOnly Order is rejected."),
        (
            rejections.WouldTake(),
            place(),
            -5022,
            (
                "Due to the order could not be executed as maker, the Post Only order will be rejected. "
                "The order will not be recorded in the order history"
            ),
        ),
        (
            rejections.WouldNotFill(),
            place(),
            -5021,
            (
                "Due to the order could not be filled immediately, the FOK order has been rejected. "
                "The order will not be recorded in the order history"
            ),
        ),
        (rejections.WouldTrigger(), place(), -2021, "Order would immediately trigger."),
        (rejections.LegWrong(), place(), -4061, "Order's position side does not match user's setting."),
        (rejections.DuplicateClientId(client_id="x"), place(), -4116, "ClientOrderId is duplicated."),
        (rejections.UnknownOrder(), CANCEL, -2011, "Unknown order sent."),
        (rejections.UnknownOrder(), AMEND, -2013, "Order does not exist."),
        (rejections.UnknownOrder(), None, -2013, "Order does not exist."),
        (rejections.UnknownInstrument(instrument="X"), place(), -1121, "Invalid symbol."),
        (
            rejections.LeverageInvalid(leverage=Decimal(200), most=Decimal(150)),
            LEVERAGE,
            -4028,
            "Leverage 200 is not valid",
        ),
        (
            rejections.SettingUnchanged(setting=Setting.MARGIN_MODE),
            MODE,
            -4046,
            "No need to change margin type.",
        ),
        (
            rejections.SettingUnchanged(setting=Setting.POSITION_MODE),
            SIDES,
            -4059,
            "No need to change position side.",
        ),
        (
            rejections.SettingBlocked(setting=Setting.MARGIN_MODE, obstacle=Obstacle.ORDERS),
            MODE,
            -4047,
            "Margin type cannot be changed if there exists open orders.",
        ),
        (
            rejections.SettingBlocked(setting=Setting.MARGIN_MODE, obstacle=Obstacle.POSITION),
            MODE,
            -4048,
            "Margin type cannot be changed if there exists position.",
        ),
        (
            rejections.SettingBlocked(setting=Setting.POSITION_MODE, obstacle=Obstacle.ORDERS),
            SIDES,
            -4067,
            "Position side cannot be changed if there exists open orders.",
        ),
        (
            rejections.SettingBlocked(setting=Setting.POSITION_MODE, obstacle=Obstacle.POSITION),
            SIDES,
            -4068,
            "Position side cannot be changed if there exists position.",
        ),
        (rejections.NoIsolatedPosition(), MARGIN, -4054, "Cannot add position margin: position is 0."),
        (
            rejections.NoIsolatedPosition(is_cross=True),
            MARGIN,
            -4049,
            "Add margin only support for isolated position.",
        ),
        (needs(rejections.MarginNeeded), MARGIN, -4051, "Isolated balance insufficient."),
        (rejections.AmountInvalid(amount=ONE), MARGIN, -4055, "Amount must be positive."),
        (rejections.SelfTradeModeNotAllowed(), place(), -5039, "Invalid self trade prevention mode"),
    ],
    ids=lambda one: type(one).__name__,
)
def test_both_products_say(rejection: Rejection, command: Command | None, code: int, message: str) -> None:
    for product in (USDM, COINM):
        refusal = speak(product, rejection, command)
        assert (refusal.code, refusal.message) == (code, message)


@pytest.mark.parametrize(
    ("limit", "value", "command", "code", "message"),
    [
        # BTCUSDT: 261.1 to 809484 (listing), and its market orders up to 120.
        (Limit.PRICE_RANGE, "100", place(price=Decimal(100)), -4013, "Price less than min price."),
        (
            Limit.PRICE_RANGE,
            "9000000",
            place(price=Decimal(9000000)),
            -4002,
            "Price greater than max price.",
        ),
        (
            Limit.PRICE_RANGE,
            "9000000",
            place(trigger=Trigger(kind=TriggerKind.STOP_LOSS, price=Decimal(9000000))),
            -4007,
            "Stop price greater than max price.",
        ),
        (
            Limit.PRICE_RANGE,
            "0",
            place(trigger=Trigger(kind=TriggerKind.STOP_LOSS, price=Decimal(0))),
            -4006,
            "Stop price less than zero.",
        ),
        (Limit.PRICE_STEP, "1.23", place(), -4014, "Price not increased by tick size."),
        (Limit.QUANTITY_RANGE, "0.0001", place(), -4004, "Quantity less than min quantity."),
        (Limit.QUANTITY_RANGE, "5000", place(), -4005, "Quantity greater than max quantity."),
        (Limit.MARKET_QUANTITY_RANGE, "500", place(), -4005, "Quantity greater than max quantity."),
        (Limit.QUANTITY_STEP, "1.0001", place(), -4023, "Qty not increased by step size."),
        (Limit.ORDERS, None, place(), -2025, "Reach max open order limit."),
        (Limit.TRIGGER_ORDERS, None, place(), -4045, "Reach max stop order limit."),
        (Limit.TRAILING_DISTANCE, None, place(), -2007, "Invalid callBack rate."),
    ],
)
def test_limits(limit: Limit, value: str | None, command: Command, code: int, message: str) -> None:
    broken = LimitBroken(limit=limit, value=None if value is None else Decimal(value))
    refusal = speak(USDM, broken, command)
    assert (refusal.code, refusal.message) == (code, message)


STOP = Trigger(kind=TriggerKind.STOP_LOSS, price=Decimal(100_000))


@pytest.mark.parametrize(
    ("value", "trigger", "usdm", "coinm", "message"),
    [
        ("110000", None, -4016, -4016, "Limit price can't be higher than 105000.00525."),
        ("90000", None, -4024, -4024, "Limit price can't be lower than 105000.00525."),
        ("110000", STOP, -4183, -4151, "Limit price can't be higher than 105000.00525."),
        ("90000", STOP, -4184, -4152, "Limit price can't be lower than 105000.00525."),
    ],
)
def test_the_bound_of_a_band_is_told(
    value: str, trigger: Trigger | None, usdm: int, coinm: int, message: str
) -> None:
    broken = LimitBroken(limit=Limit.PRICE_BAND, value=Decimal(value), bound=Decimal("105000.0052500"))
    for product, code in ((USDM, usdm), (COINM, coinm)):
        refusal = speak(product, broken, place(trigger=trigger))
        assert (refusal.code, refusal.message) == (code, message)


def test_the_smallest_notional_is_told() -> None:
    """BTCUSDT: 50 (exchangeInfo, MIN_NOTIONAL)."""
    broken = LimitBroken(limit=Limit.NOTIONAL, value=ONE)
    placed, amended = speak(USDM, broken, place()), speak(USDM, broken, AMEND)
    assert placed.message == "Order's notional must be no smaller than 50 (unless you choose reduce only)."
    assert (amended.code, amended.message) == (-5029, "Order's notional must be no smaller than 50")


@pytest.mark.parametrize(
    ("rejection", "command", "usdm", "coinm"),
    [
        (LimitBroken(limit=Limit.NOTIONAL, value=ONE), place(), -4164, -4178),
        (
            rejections.SettingBlocked(setting=Setting.LEVERAGE, obstacle=Obstacle.POSITION),
            LEVERAGE,
            -4161,
            -4150,
        ),
        (rejections.AmendChangesNothing(), AMEND, -5027, -4197),
        (LimitBroken(limit=Limit.AMENDS), AMEND, -5026, -4198),
        (rejections.InstrumentNotTrading(instrument="X"), AMEND, -5024, -4199),
    ],
)
def test_what_the_products_have_different_codes_for(
    rejection: Rejection, command: Command, usdm: int, coinm: int
) -> None:
    """The pages "Error Codes" of USD-M and of COIN-M."""
    assert speak(USDM, rejection, command).code == usdm
    assert speak(COINM, rejection, command).code == coinm


def test_statuses() -> None:
    assert (refuse(-2014).status, refuse(-1003).status, refuse(-1007).status) == (401, 429, 408)
    assert refuse(-1121).status == 400
