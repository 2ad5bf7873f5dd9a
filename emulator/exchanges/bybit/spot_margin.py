"""Spot margin: whether orders of pairs may borrow what they pay with, and on which terms."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from emulator.core import commands as c
from emulator.core.engine import Done
from emulator.core.numbers import ONE, ZERO, divide_down, exact
from emulator.core.positions import AccountMargin
from emulator.core.rejections import LeverageInvalid, Obstacle, SettingBlocked, SettingUnchanged
from emulator.exchanges.bybit.account.readings import Standing, collateral_of, read
from emulator.exchanges.bybit.auth import READ, SPOT_MARGIN
from emulator.exchanges.bybit.figures import decimal_text
from emulator.exchanges.bybit.payloads.account import (
    LoanTermsOfLevels,
    Nothing,
    SpotMarginMode,
    SpotMarginState,
)
from emulator.exchanges.bybit.refusals import refuse, refuse_parameter
from emulator.exchanges.bybit.running import UNIFIED
from emulator.runtime.submission import Submission
from emulator.web.contract import Call, Kind, Parameter, Refusal, Rows

rows = Rows()

NO_VIP: Final = "No VIP"
VIP_LEVELS: Final = (
    NO_VIP,
    *(f"VIP-{number}" for number in range(1, 6)),
    "VIP-Supreme",
    *(f"PRO-{number}" for number in range(1, 7)),
)
"""Those of the page of enumerations. Nobody has any but the first here."""
LEVERAGE_MIN, LEVERAGE_MAX = Decimal(2), Decimal(10)
TWO_PLACES: Final = Decimal("0.01")

TEXTS: Final = {
    176034: "The leverage ratio is out of range",
    176038: "The spot leverage is closed and the current operation is not allowed",
    176039: "Borrowing, current operation is not allowed",
    176040: "There is a spot leverage order, and the adjustment of the leverage switch failed!",
    182021: (
        "Cannot enable spot margin while in isolated margin mode. Please switch to cross margin mode or "
        "portfolio margin mode to trade spot with margin."
    ),
}
"""Those of the error page."""


def refuse_margin(code: int) -> Refusal:
    return refuse(code, text=TEXTS[code])


@rows.route(
    "GET",
    "/v5/spot-margin-trade/data",
    summary="Get VIP margin data",
    parameters=(
        Parameter("vipLevel", Kind.CHOICE, choices=VIP_LEVELS, default=NO_VIP),
        Parameter("currency"),
    ),
    answers=LoanTermsOfLevels,
)
def loan_terms(call: Call) -> LoanTermsOfLevels:
    coin, level = call.values.get("currency"), call.values["vipLevel"]
    known = collateral_of(call.engine)
    if coin is not None and coin not in known:
        raise refuse_parameter("currency")
    if level != NO_VIP:
        return {"vipCoinList": []}
    with exact():
        return {
            "vipCoinList": [
                {
                    "list": [
                        {
                            "borrowable": one.borrow_max is not None,
                            "collateralRatio": decimal_text(ONE - one.bid_buffer),
                            "currency": code,
                            "hourlyBorrowRate": decimal_text(one.hourly_rate),
                            "liquidationOrder": str(one.turn),
                            "marginCollateral": one.bid_buffer < ONE,
                            "maxBorrowingAmount": decimal_text(one.borrow_max or ZERO),
                        }
                        for code, one in known.items()
                        if coin in (None, code)
                    ],
                    "vipLevel": NO_VIP,
                }
            ]
        }


@rows.route(
    "GET",
    "/v5/spot-margin-trade/state",
    summary="Get status and leverage",
    security=READ,
    answers=SpotMarginState,
)
def margin_state(call: Call) -> SpotMarginState:
    leverage = call.engine.state.spot_margins.get((call.account, UNIFIED))
    with exact():
        effective = _effective(read(call))
    return {
        "spotLeverage": "" if leverage is None else decimal_text(leverage),
        "spotMarginMode": "0" if leverage is None else "1",
        "effectiveLeverage": "" if leverage is None else effective,
    }


def _effective(standing: Standing) -> str:
    """What is owned over what is left of it when what is owed is given back: two places, cut off."""
    owned = net = ZERO
    for coin, own in standing.statement.assets.items():
        index = standing.price(coin)
        owned += max(ZERO, own.wallet) * index
        net += (own.wallet - own.borrowed) * index
    return decimal_text(divide_down(owned, net, TWO_PLACES)) if net > ZERO else "0"


@rows.route(
    "POST",
    "/v5/spot-margin-trade/switch-mode",
    summary="Toggle margin trade",
    security=SPOT_MARGIN,
    parameters=(Parameter("spotMarginMode", Kind.CHOICE, required=True, choices=("0", "1")),),
    answers=SpotMarginMode,
)
def switch_mode(call: Call) -> Submission[SpotMarginMode]:
    word = call.values["spotMarginMode"]
    on = word == "1"
    if on and call.engine.state.account_margin(call.account, UNIFIED) is AccountMargin.ISOLATED:
        raise refuse_margin(182021)
    command = c.SetSpotMargin(account=call.account, wallet=UNIFIED, on=on)

    def answer(done: Done) -> SpotMarginMode:
        _check(call, done, command)
        return {"spotMarginMode": word}

    return call.attempt(command, answer)


@rows.route(
    "POST",
    "/v5/spot-margin-trade/set-leverage",
    summary="Set leverage of spot margin",
    description="For all coins; that of a single one cannot be chosen here.",
    security=SPOT_MARGIN,
    parameters=(
        Parameter("leverage", Kind.DECIMAL, required=True),
        Parameter("currency", description="Refused, since it would change the leverage of one coin only."),
    ),
    answers=Nothing,
)
def set_leverage(call: Call) -> Submission[Nothing]:
    leverage = call.values["leverage"]
    if "currency" in call.values:
        raise refuse_parameter("currency")
    if not LEVERAGE_MIN <= leverage <= LEVERAGE_MAX:
        raise refuse_margin(176034)
    if (call.account, UNIFIED) not in call.engine.state.spot_margins:
        raise refuse_margin(176038)
    command = c.SetSpotMargin(account=call.account, wallet=UNIFIED, on=True, leverage=leverage)

    def answer(done: Done) -> Nothing:
        _check(call, done, command)
        return {}

    return call.attempt(command, answer)


def _check(call: Call, done: Done, command: c.SetSpotMargin) -> None:
    match done.rejection:
        case None | SettingUnchanged():
            return
        case LeverageInvalid():
            raise refuse_margin(176034)
        case SettingBlocked(obstacle=Obstacle.DEBT):
            raise refuse_margin(176039)
        case SettingBlocked():
            raise refuse_margin(176040)
        case rejection:
            raise call.site.dialect.speak(rejection, command)
