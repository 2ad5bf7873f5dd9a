"""Rejections of the core in the words of the futures sites, whose codes are in `refusals`."""

from __future__ import annotations

from decimal import Decimal
from typing import assert_never

from emulator.core import commands, rejections
from emulator.core.commands import Command
from emulator.core.instruments import Instrument
from emulator.core.numbers import canonical
from emulator.core.orders import OrderTerms
from emulator.core.rejections import Feature, Limit, LimitBroken, Obstacle, Rejection, Setting
from emulator.exchanges.binance.errors import Attempt, attempt_of
from emulator.exchanges.binance.futures.products import Product
from emulator.exchanges.binance.futures.refusals import CODES, TABLES, Codes
from emulator.exchanges.binance.refusals import Language
from emulator.web.contract import Refusal


def language_of(product: Product) -> Language:
    """What the door of a product speaks."""

    def say(rejection: Rejection, command: Command | None) -> Refusal:
        return speak(product, rejection, command)

    return Language(errors=TABLES[product], speak=say, weight_headers=(b"x-mbx-used-weight-1m",))


def speak(product: Product, rejection: Rejection, command: Command | None) -> Refusal:
    """A rejection in a product's words. command: what was rejected; None for a query."""
    refuse, codes = TABLES[product].refuse, CODES[product]
    attempt = attempt_of(command)
    match rejection:
        case rejections.UnknownAccount() | rejections.UnknownWallet():
            return refuse(-1109)
        case rejections.UnknownInstrument() | rejections.NotAContract():
            return refuse(-1121)
        case rejections.UnknownOrder() | rejections.UnknownOrderList() | rejections.OrderIdsDisagree():
            # Quirk: canceling an order that is not open is -2011, asking for one or modifying one that is
            # not there -2013 (live answers).
            return refuse(-2011 if attempt is Attempt.CANCEL else -2013)
        case rejections.InstrumentNotTrading():
            return refuse(codes.modified_closed if attempt is Attempt.AMEND else -4141)
        case rejections.DuplicateClientId():
            return refuse(-4116)
        case rejections.AmountInvalid():
            return refuse(-4055)
        case rejections.InsufficientBalance():
            return refuse(-2018)
        case rejections.InsufficientMargin():
            return refuse(_margin_code(command))
        case rejections.PositionTooLarge():
            return refuse(-2027)
        case rejections.LeverageInvalid():
            return refuse(-4028, _plain(rejection.leverage))
        case rejections.SettingUnchanged():
            return _unchanged(product, rejection, command)
        case rejections.SettingBlocked():
            return _blocked(product, rejection)
        case rejections.NoIsolatedPosition():
            if isinstance(command, commands.MoveMargin) and command.amount < 0:
                # Quirk: where there is no margin to take back, that is all that is said; only who adds some
                # hears that there is no position (live answers).
                return refuse(-4051)
            return refuse(-4049 if rejection.is_cross else -4054)
        case rejections.LegWrong():
            return refuse(-4061)
        case rejections.NothingToReduce():
            return refuse(-2022)
        case rejections.MarginNeeded():
            return refuse(-4051)
        case rejections.LimitBroken():
            return _limit_broken(product, rejection, command)
        case rejections.FeatureOff():
            return refuse(-4120 if rejection.feature in (Feature.TRIGGER, Feature.TRAILING) else -1116)
        case rejections.SelfTradeModeNotAllowed():
            return refuse(-5039)
        case rejections.WouldTake():
            return refuse(-5022)
        case rejections.WouldTrigger():
            return refuse(-2021)
        case rejections.WouldNotFill():
            return refuse(-5021)
        case rejections.NotionalZero():
            return refuse(-4003)
        case rejections.BookTooThin():
            return refuse(-2020)
        case rejections.NoPegLevel():
            return refuse(-5041)
        case rejections.OrderNotResting():
            return refuse(codes.modified_type)
        case rejections.TimePassed():
            return refuse(-5040)
        case rejections.CancelRestricted():
            return refuse(-2011)
        case rejections.AmendChangesNothing():
            return refuse(codes.modified_nothing)
        case (
            rejections.IcebergTooLarge()
            | rejections.ListPricesWrong()
            | rejections.AmendIncreases()
            | rejections.AmendPendingFunded()
            | rejections.OrderTermsInvalid()
            | rejections.ReplaceFailed()
            | rejections.LeverageShared()
            | rejections.CollateralOff()
            | rejections.BorrowingOff()
            | rejections.BorrowedTooMuch()
            | rejections.NothingOwed()
            | rejections.StopPriceWrong()
            | rejections.AmendBelowExecuted()
        ):
            # Nothing that these sites take can come to any of them.
            return refuse(-1014)
        case _:
            # The root class is open to Python, the set is not: a member without words is our defect.
            raise AssertionError(f"no words for {type(rejection).__name__}")


def _margin_code(command: Command | None) -> int:
    match command:
        case commands.SetLeverage():
            return -2028
        case commands.MoveMargin():
            return -4050
        case _:
            return -2019


def _unchanged(product: Product, rejection: rejections.SettingUnchanged, command: Command | None) -> Refusal:
    refuse = TABLES[product].refuse
    match rejection.setting:
        case Setting.LEVERAGE:
            # The exchange takes it for a success, so this text of its page is hardly ever seen.
            leverage = command.leverage if isinstance(command, commands.SetLeverage) else Decimal(1)
            symbol = command.instrument if isinstance(command, commands.SetLeverage) else ""
            text = "Leverage %s already exist with %s"
            return refuse(-4028, _plain(leverage), product.symbols.get(symbol, symbol), text=text)
        case Setting.MARGIN_MODE:
            return refuse(-4046)
        case Setting.POSITION_MODE:
            return refuse(-4059)
        case Setting.COLLATERAL_MODE:
            return refuse(-4171)
        case Setting.ACCOUNT_MARGIN | Setting.COLLATERAL_USE | Setting.SPOT_MARGIN:
            return refuse(-1014)  # None of these can be chosen here.
        case Setting.STOPS | Setting.REPLENISHMENT:
            return refuse(-1014)
    assert_never(rejection.setting)


_COLLATERAL_CODES = {
    Obstacle.ISOLATED: -4167,
    Obstacle.MARGIN: -4169,
    Obstacle.ORDERS: -4170,
    Obstacle.DEBT: -4172,
}


def _blocked(product: Product, rejection: rejections.SettingBlocked) -> Refusal:
    refuse, is_position = TABLES[product].refuse, rejection.obstacle is Obstacle.POSITION
    match rejection.setting:
        case Setting.LEVERAGE:
            return refuse(CODES[product].reduced_leverage)
        case Setting.MARGIN_MODE if rejection.obstacle is Obstacle.SHARED:
            return refuse(-4168)
        case Setting.MARGIN_MODE:
            return refuse(-4048 if is_position else -4047)
        case Setting.POSITION_MODE if rejection.elsewhere:
            return refuse(-4531, "UM" if product.is_inverse else "CM")
        case Setting.POSITION_MODE:
            return refuse(-4068 if is_position else -4067)
        case Setting.COLLATERAL_MODE:
            return refuse(_COLLATERAL_CODES[rejection.obstacle])
        case Setting.ACCOUNT_MARGIN | Setting.COLLATERAL_USE | Setting.SPOT_MARGIN:
            return refuse(-1014)
        case Setting.STOPS | Setting.REPLENISHMENT:
            return refuse(-1014)
    assert_never(rejection.setting)


# Limits of instruments


def _limit_broken(product: Product, rejection: LimitBroken, command: Command | None) -> Refusal:
    refuse, codes = TABLES[product].refuse, CODES[product]
    instrument = _instrument_of(product, command)
    match rejection.limit:
        case Limit.PRICE_RANGE:
            return refuse(_price_code(rejection.value, instrument, command))
        case Limit.PRICE_STEP:
            return refuse(-4014)
        case Limit.PRICE_BAND:
            return refuse(_band_code(codes, rejection, command), _plain(rejection.bound or Decimal(0)))
        case Limit.QUANTITY_RANGE:
            return refuse(
                _quantity_code(rejection.value, None if instrument is None else instrument.quantity_min)
            )
        case Limit.MARKET_QUANTITY_RANGE:
            least = None if instrument is None else instrument.market_quantity_min
            return refuse(_quantity_code(rejection.value, least))
        case Limit.QUANTITY_STEP | Limit.MARKET_QUANTITY_STEP:
            return refuse(-4023)
        case Limit.NOTIONAL:
            least = Decimal(0) if instrument is None else instrument.notional_min
            is_amended = attempt_of(command) is Attempt.AMEND
            return refuse(-5029 if is_amended else codes.minimum_notional, _plain(least))
        case Limit.ORDERS:
            return refuse(-2025)
        case Limit.TRIGGER_ORDERS:
            return refuse(-4045)
        case Limit.CLOSING_ORDERS:
            return refuse(-4130)
        case Limit.TAKE_BOUND:
            return refuse(codes.market_bound)
        case Limit.AMENDS:
            return refuse(codes.modified_often)
        case Limit.TRAILING_DISTANCE:
            return refuse(-2007)
        case Limit.POSITION:
            return refuse(-2027)
        case Limit.ICEBERG_PARTS | Limit.ICEBERG_ORDERS | Limit.ORDER_LISTS | Limit.STOP_PAIRS:
            return refuse(-1014)
    assert_never(rejection.limit)


def _price_code(value: Decimal | None, instrument: Instrument | None, command: Command | None) -> int:
    is_low = instrument is not None and value is not None and value < instrument.price_min
    terms = _terms_of(command)
    if terms is not None and terms.trigger is not None and value == terms.trigger.price:
        return -4006 if is_low else -4007
    return -4013 if is_low else -4002


def _band_code(codes: Codes, rejection: LimitBroken, command: Command | None) -> int:
    is_low = rejection.value is not None and rejection.bound is not None and rejection.value < rejection.bound
    terms = _terms_of(command)
    if terms is not None and terms.trigger is not None and terms.trigger.price is not None:
        return codes.below_stop_floor if is_low else codes.above_stop_cap
    return -4024 if is_low else -4016


def _quantity_code(value: Decimal | None, least: Decimal | None) -> int:
    return -4004 if value is not None and least is not None and value < least else -4005


def _instrument_of(product: Product, command: Command | None) -> Instrument | None:
    symbol: str = getattr(command, "instrument", "")
    return product.instruments.get(symbol)


def _terms_of(command: Command | None) -> OrderTerms | None:
    return command.terms if isinstance(command, commands.PlaceOrder | commands.TestOrder) else None


def _plain(value: Decimal) -> str:
    return format(canonical(value), "f")
