"""Rejections of the core in Bybit's words: pairs have codes of their own (170xxx), all else shares 110xxx.

Where the exchange documents several codes for one reason, the one that running servers send is taken;
where the core knows something that Bybit never says, the nearest word is.
"""

from __future__ import annotations

from decimal import Decimal
from enum import Enum
from typing import Final, assert_never

from emulator.core import commands, rejections
from emulator.core.commands import Command
from emulator.core.instruments import Instrument, OrderType, Side, TriggerSource
from emulator.core.numbers import ONE, ZERO
from emulator.core.orders import StopRole
from emulator.core.rejections import Feature, Limit, LimitBroken, Obstacle, Rejection, Setting
from emulator.exchanges.bybit.categories import CATEGORIES
from emulator.exchanges.bybit.figures import decimal_text
from emulator.exchanges.bybit.refusals import CATEGORY, refuse, refuse_parameter
from emulator.web.contract import Refusal

TOO_LITTLE: Final = "The number of contracts exceeds minimum limit allowed"
TOO_MUCH: Final = (
    "The number of contracts exceeds maximum limit allowed: too large, order_qty:%s > max_qty:%s"
)
"""Of 10001, as running servers say it of contracts."""
UNCHANGED: Final = "The order remains unchanged as the parameters entered match the existing ones."
"""Of 10001, of an amendment (running servers)."""
TO_CANCEL: Final = "order not exists or too late to cancel"
TO_REPLACE: Final = "order not exists or too late to replace"


class Attempt(str, Enum):
    """What was asked for when a rejection came."""

    PLACE = "place"
    CANCEL = "cancel"
    AMEND = "amend"
    MOVE = "move"
    """Deposits, withdrawals and transfers."""
    SET = "set"
    """What is chosen about positions and wallets."""
    QUERY = "query"


def attempt_of(command: Command | None) -> Attempt:
    match command:
        case None:
            return Attempt.QUERY
        case commands.CancelOrder() | commands.CancelAllOrders() | commands.CancelOrderList():
            return Attempt.CANCEL
        case commands.AmendOrder() | commands.ModifyOrder():
            return Attempt.AMEND
        case (
            commands.PlaceOrder() | commands.TestOrder() | commands.PlaceOrderList() | commands.ReplaceOrder()
        ):
            return Attempt.PLACE
        case (
            commands.Deposit()
            | commands.Withdraw()
            | commands.Transfer()
            | commands.ExchangeAssets()
            | commands.LockFunds()
            | commands.UnlockFunds()
            | commands.CorrectBalance()
        ):
            return Attempt.MOVE
        case _:
            return Attempt.SET


def speak(rejection: Rejection, command: Command | None) -> Refusal:
    """A rejection in Bybit's words. command: what was rejected; None for a query."""
    instrument = _instrument_of(command)
    is_pair = instrument is not None and instrument.contract is None
    attempt = attempt_of(command)
    match rejection:
        case rejections.UnknownAccount():
            return refuse(10007)
        case rejections.UnknownInstrument():
            is_spot = rejection.instrument.startswith("spot:")
            return refuse(170121) if is_spot else refuse_parameter("symbol")
        case rejections.UnknownWallet():
            return refuse(131002)
        case rejections.UnknownOrder() | rejections.UnknownOrderList() | rejections.OrderIdsDisagree():
            if is_pair:
                return refuse(170213)
            return refuse(110001, text=TO_REPLACE if attempt is Attempt.AMEND else TO_CANCEL)
        case rejections.InstrumentNotTrading():
            return refuse(170151) if is_pair else refuse(110074)
        case rejections.DuplicateClientId():
            if attempt is Attempt.MOVE:
                return refuse(131214)
            return refuse(170141) if is_pair else refuse(110072)
        case rejections.TimePassed():
            return refuse(10001)
        case rejections.AmountInvalid():
            return refuse(131002) if attempt is Attempt.MOVE else refuse_parameter("margin")
        case rejections.InsufficientBalance() | rejections.InsufficientMargin():
            return _insufficient(attempt, command, is_pair=is_pair)
        case rejections.CollateralOff():
            return refuse(170346) if is_pair else refuse(110101)
        case rejections.BorrowingOff():
            return refuse(182021) if rejection.is_isolated and not is_pair else refuse(170036)
        case rejections.BorrowedTooMuch():
            return refuse(170034)
        case rejections.NothingOwed():
            return refuse_parameter("amount")
        case rejections.PositionTooLarge():
            if isinstance(command, commands.SetLeverage):
                return _leverage_too_high(rejection.leverage, None)
            return refuse(110090, decimal_text(_leverage_for(instrument, rejection.value)))
        case rejections.NotAContract():
            return refuse(10001, text=CATEGORY)
        case rejections.LeverageInvalid():
            if rejection.leverage < ONE:
                return refuse_parameter("buyLeverage")
            return _leverage_too_high(rejection.leverage, rejection.most)
        case rejections.LeverageShared():
            return refuse_parameter("sellLeverage")
        case rejections.SettingUnchanged():
            return refuse(_UNCHANGED.get(rejection.setting, 110026))
        case rejections.SettingBlocked():
            return _blocked(rejection)
        case rejections.LegWrong():
            return refuse_parameter("positionIdx")
        case rejections.NothingToReduce():
            return refuse(110017)
        case rejections.NoIsolatedPosition():
            return refuse(110015) if rejection.is_cross else refuse(110033)
        case rejections.MarginNeeded():
            # A higher leverage takes back margin as well, which the position's losses may need.
            return refuse(110011 if isinstance(command, commands.SetLeverage) else 110078)
        case rejections.LimitBroken():
            return _limit(rejection, command, instrument, is_pair=is_pair)
        case rejections.FeatureOff():
            if rejection.feature is Feature.AMEND and is_pair:
                return refuse(170312)
            return refuse(170227) if is_pair else refuse(110032)
        case rejections.SelfTradeModeNotAllowed():
            return refuse_parameter("smpType")
        case rejections.WouldTake():
            # The exchange accepts such an order and cancels it; its instruments are configured so.
            return refuse(170218) if is_pair else refuse(110032)
        case rejections.WouldTrigger():
            return _would_trigger(command, is_pair=is_pair)
        case rejections.WouldNotFill():
            return refuse(170210) if is_pair else refuse(110032)
        case rejections.NotionalZero():
            return refuse(170140) if is_pair else refuse_parameter("qty")
        case rejections.IcebergTooLarge():
            return refuse_parameter("qty")
        case rejections.BookTooThin() | rejections.NoPegLevel():
            return refuse(170210) if is_pair else refuse(110118)
        case rejections.ListPricesWrong():
            return refuse(170203) if is_pair else refuse_parameter("takeProfit")
        case rejections.CancelRestricted():
            return refuse(170191) if is_pair else refuse(110079)
        case rejections.OrderNotResting():
            return refuse(170312) if is_pair else refuse(110079)
        case rejections.AmendIncreases():
            return refuse(170312) if is_pair else refuse(110022)
        case rejections.AmendChangesNothing():
            return refuse(10001, text=UNCHANGED)
        case rejections.AmendPendingFunded():
            return refuse(170312) if is_pair else refuse(110032)
        case rejections.OrderTermsInvalid():
            if attempt is Attempt.PLACE and is_pair:
                return refuse(170210)
            return refuse(110032) if attempt is Attempt.PLACE else refuse(10001)
        case rejections.StopPriceWrong():
            return _stop_wrong(rejection)
        case rejections.AmendBelowExecuted():
            return refuse(170313) if is_pair else refuse(110064)
        case rejections.ReplaceFailed():
            cause = rejection.cancel or rejection.place
            assert cause is not None, "something failed"
            return speak(cause, command)
        case _:
            # The root class is open to Python, the set is not: a member without words is our defect.
            raise AssertionError(f"no words for {type(rejection).__name__}")


_UNCHANGED: Final = {
    Setting.LEVERAGE: 110043,
    Setting.MARGIN_MODE: 110026,
    Setting.POSITION_MODE: 110025,
    Setting.COLLATERAL_MODE: 110026,
    Setting.STOPS: 34040,
}


def _instrument_of(command: Command | None) -> Instrument | None:
    if isinstance(command, commands.ReplaceOrder):
        command = command.place
    name = getattr(command, "instrument", None)
    if not isinstance(name, str):
        return None
    category = CATEGORIES.get(name.partition(":")[0])
    return None if category is None else category.instruments.get(name)


def _insufficient(attempt: Attempt, command: Command | None, *, is_pair: bool) -> Refusal:
    if is_pair:
        return refuse(170131)
    if attempt is Attempt.MOVE:
        return refuse(131212)
    if isinstance(command, commands.MoveMargin):
        return refuse(110014)
    return refuse(110012) if attempt is Attempt.SET else refuse(110007)


def _leverage_too_high(leverage: Decimal, most: Decimal | None) -> Refusal:
    if most is None:
        return refuse(110013, text="Cannot set leverage due to risk limit level.")
    # Quirk: both are told in hundredths, `[10100] gt maxLeverage [10000]` (running servers).
    return refuse(110013, decimal_text(leverage * 100), decimal_text(most * 100))


def _leverage_for(instrument: Instrument | None, value: Decimal) -> Decimal:
    """The highest leverage at which so much may be held; one where none is high enough."""
    tiers = () if instrument is None or instrument.contract is None else instrument.contract.tiers
    return next((tier.leverage_max for tier in tiers if value <= tier.cap), ONE)


def _blocked(rejection: rejections.SettingBlocked) -> Refusal:
    match rejection.setting, rejection.obstacle:
        case Setting.POSITION_MODE, Obstacle.ORDERS:
            return refuse(110028)
        case Setting.POSITION_MODE, Obstacle.NOT_OFFERED:
            return refuse(110029)
        case Setting.POSITION_MODE, _:
            return refuse(110024)
        case Setting.LEVERAGE, _:
            return refuse(110044)
        case Setting.REPLENISHMENT, _:
            return refuse(110076)
        case _, Obstacle.ISOLATED:
            return refuse(110015)
        case _:
            return refuse(110073)


def _would_trigger(command: Command | None, *, is_pair: bool) -> Refusal:
    if is_pair:
        return refuse(170210)
    terms = command.terms if isinstance(command, commands.PlaceOrder | commands.TestOrder) else None
    price = None if terms is None or terms.trigger is None else terms.trigger.price
    shown = "" if price is None else scaled_text(price)
    is_rising = terms is not None and terms.side is Side.BUY
    source = TriggerSource.LAST if terms is None or terms.trigger is None else terms.trigger.source
    # The core does not say at which price it judged.
    return refuse(110092 if is_rising else 110093, shown, "", _SOURCES[source])


def _stop_wrong(rejection: rejections.StopPriceWrong) -> Refusal:
    is_profit = rejection.role in (StopRole.TAKE_PROFIT, StopRole.PARTIAL_TAKE_PROFIT)
    is_long = rejection.side is Side.BUY
    side = "Buy" if is_long else "Sell"
    price, base = scaled_text(rejection.price), scaled_text(rejection.base)
    if rejection.role is StopRole.TRAILING:
        # The price from which on it trails, which the market has passed.
        wanted = "greater" if is_long else "less"
        text = f"TrailingProfit:{price} set for {side} position should be {wanted} than last_price:{base}"
        return refuse(10001, text=text)
    name = "TakeProfit" if is_profit else "StopLoss"
    wanted = _WANTED[is_profit, is_long]
    base += f"??{_SOURCES[rejection.source]}"
    return refuse(10001, text=f"{name}:{price} set for {side} position should {wanted} base_price:{base}")


# Quirk: each of the four is worded in its own way (running servers).
_WANTED: Final = {
    (True, True): "be higher than",
    (True, False): "be lower than",
    (False, True): "lower than",
    (False, False): "greater",
}
"""By whether it takes profit, and of a long position."""


_SOURCES: Final = {
    TriggerSource.LAST: "LastPrice",
    TriggerSource.MARK: "MarkPrice",
    TriggerSource.INDEX: "IndexPrice",
}


def scaled_text(price: Decimal) -> str:
    # Quirk: prices in the texts about triggers and stops are told in ten-thousandths (running servers).
    return decimal_text(price * 10_000)


def _limit(
    rejection: LimitBroken, command: Command | None, instrument: Instrument | None, *, is_pair: bool
) -> Refusal:
    value = rejection.value
    match rejection.limit:
        case Limit.PRICE_RANGE:
            is_high = instrument is not None and value is not None and value > instrument.price_max
            return refuse(170132 if is_high else 170133) if is_pair else refuse(110003)
        case Limit.PRICE_STEP:
            return refuse(170134) if is_pair else refuse_parameter("price")
        case Limit.PRICE_BAND | Limit.TAKE_BOUND:
            return _beyond(rejection, command, is_pair=is_pair)
        case Limit.QUANTITY_RANGE | Limit.MARKET_QUANTITY_RANGE:
            lowest = ZERO if instrument is None else instrument.quantity_min
            is_low = value is not None and value < lowest
            if is_pair:
                # Quirk: too large a quantity has one code for limit and one for market orders, with the same
                # text (error page).
                return refuse(170136 if is_low else 170382 if _is_market(command) else 170381)
            if is_low:
                return refuse(10001, text=TOO_LITTLE)
            return refuse(10001, *_too_much(rejection, instrument), text=TOO_MUCH)
        case Limit.QUANTITY_STEP | Limit.MARKET_QUANTITY_STEP:
            return refuse(170137) if is_pair else refuse_parameter("qty")
        case Limit.NOTIONAL:
            highest = ZERO if instrument is None else instrument.notional_max
            if is_pair:
                return refuse(170124 if highest and value is not None and value > highest else 170140)
            return refuse(110094, _least_value(instrument))
        case Limit.TRAILING_DISTANCE:
            return refuse_parameter("trailingStop")
        case Limit.POSITION:
            return refuse(170124) if is_pair else refuse(110089)
        case Limit.ORDERS:
            return refuse(170810) if is_pair else refuse(110020)
        case Limit.TRIGGER_ORDERS:
            return refuse(170810) if is_pair else refuse(110009)
        case Limit.ORDER_LISTS | Limit.CLOSING_ORDERS | Limit.STOP_PAIRS:
            return refuse(170810) if is_pair else refuse(110061)
        case Limit.ICEBERG_PARTS | Limit.ICEBERG_ORDERS | Limit.AMENDS:
            return refuse(170227) if is_pair else refuse(110032)
    assert_never(rejection.limit)


def _is_market(command: Command | None) -> bool:
    return (
        isinstance(command, commands.PlaceOrder | commands.TestOrder)
        and command.terms.type is OrderType.MARKET
    )


def _too_much(rejection: LimitBroken, instrument: Instrument | None) -> tuple[str, str]:
    """A quantity and the largest one that is allowed."""
    most = ZERO
    if instrument is not None:
        is_market = rejection.limit is Limit.MARKET_QUANTITY_RANGE
        most = instrument.market_quantity_max if is_market else instrument.quantity_max
    # Quirk: both are told in hundred millionths (running servers).
    return decimal_text((rejection.value or ZERO).scaleb(8)), decimal_text(most.scaleb(8))


def _least_value(instrument: Instrument | None) -> str:
    if instrument is None:
        return ""
    return f"{decimal_text(instrument.notional_min)}{instrument.quote}"


def _beyond(rejection: LimitBroken, command: Command | None, *, is_pair: bool) -> Refusal:
    """A price that is further from the market than orders may be."""
    terms = command.terms if isinstance(command, commands.PlaceOrder | commands.TestOrder) else None
    bound = "" if rejection.bound is None else decimal_text(rejection.bound)
    if terms is not None:
        is_high = terms.side is Side.BUY
    else:
        is_high = (
            rejection.value is not None and rejection.bound is not None and rejection.value > rejection.bound
        )
    if is_pair:
        # Quirk: the error page has further codes for this, 170193 and 170194, from when prices were measured
        # by the last one; since there is `price-limit`, others are sent (running servers).
        return refuse(170372 if is_high else 170371, bound)
    return refuse(110121 if is_high else 110120, bound)
