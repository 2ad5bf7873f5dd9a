"""Which coins cover an account's positions, and what may be borrowed of them."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from emulator.core import commands as c
from emulator.core.engine import Done
from emulator.core.numbers import ONE, ZERO, divide_down, exact
from emulator.core.rejections import SettingBlocked, SettingUnchanged
from emulator.core.rules import CollateralAsset
from emulator.exchanges.bybit.account.readings import Standing, collateral_of, is_used, read
from emulator.exchanges.bybit.auth import POSITION, READ
from emulator.exchanges.bybit.figures import decimal_text
from emulator.exchanges.bybit.payloads.account import (
    CollateralCoin,
    CollateralCoins,
    CollateralSwitches,
    Nothing,
)
from emulator.exchanges.bybit.refusals import refuse, refuse_parameter
from emulator.exchanges.bybit.running import UNIFIED
from emulator.runtime.submission import Submission
from emulator.web.contract import Call, Kind, Parameter, Refusal, Rows

rows = Rows()

USAGE_STEP: Final = Decimal("0.0001")
NOT_SWITCHED: Final = 182111
NOT_COVERED: Final = 182108
TWICE: Final = 182112
TEXTS: Final = {
    NOT_COVERED: "Switching failed, margin verification failed, please re-adjust the currency status",
    NOT_SWITCHED: (
        "The requested currency has a non guaranteed gold currency or does not support switching status "
        "currencies"
    ),
    TWICE: "Duplicate currency, please re-adjust",
}
"""Those of the error page."""
SWITCHES_MAX: Final = 100

COIN: Final = Parameter("coin", required=True)
SWITCH: Final = Parameter("collateralSwitch", Kind.CHOICE, required=True, choices=("ON", "OFF"))


@rows.route(
    "GET",
    "/v5/account/collateral-info",
    summary="Get collateral info",
    security=READ,
    parameters=(Parameter("currency"),),
    answers=CollateralCoins,
)
def collateral_info(call: Call) -> CollateralCoins:
    known, coin = collateral_of(call.engine), call.values.get("currency")
    if coin is not None and coin not in known:
        raise refuse_parameter("currency")
    with exact():
        standing = read(call)
        return {"list": [_coin(standing, one) for code, one in known.items() if coin in (None, code)]}


def _coin(standing: Standing, one: CollateralAsset) -> CollateralCoin:
    own = standing.figures(one.asset)
    most = one.borrow_max or ZERO
    lost = own.owed - own.borrowed - own.overdrawn
    return {
        "currency": one.asset,
        "hourlyBorrowRate": decimal_text(one.hourly_rate),
        "maxBorrowingAmount": decimal_text(most),
        "freeBorrowingLimit": decimal_text(one.debt_free),
        "freeBorrowAmount": decimal_text(min(max(ZERO, lost), one.debt_free)),
        "borrowAmount": decimal_text(own.owed),
        "otherBorrowAmount": "0",
        "availableToBorrow": decimal_text(max(ZERO, most - own.owed)),
        "borrowable": one.borrow_max is not None,
        "borrowUsageRate": decimal_text(divide_down(own.owed, most, USAGE_STEP)) if most else "0",
        "marginCollateral": one.bid_buffer < ONE,
        "collateralSwitch": is_used(standing.engine, standing.account, one.asset),
        "collateralRatio": decimal_text(ONE - one.bid_buffer),
        # Quirk: told as `freeBorrowingLimit` by now ("Get Collateral Info").
        "freeBorrowingAmount": "",
    }


@rows.route(
    "POST",
    "/v5/account/set-collateral-switch",
    summary="Set collateral coin",
    security=POSITION,
    parameters=(COIN, SWITCH),
    answers=Nothing,
)
def set_switch(call: Call) -> Submission[Nothing]:
    coin, used = call.values["coin"], call.values["collateralSwitch"] == "ON"
    command = _command(call, (coin,), used=used)

    def answer(done: Done) -> Nothing:
        _check(call, done, command)
        return {}

    return call.attempt(command, answer)


@rows.route(
    "POST",
    "/v5/account/set-collateral-switch-batch",
    summary="Batch set collateral coin",
    description="Either all of them or none.",
    security=POSITION,
    parameters=(
        Parameter(
            "request", Kind.REQUEST_LIST, required=True, members=(COIN, SWITCH), members_max=SWITCHES_MAX
        ),
    ),
    answers=CollateralSwitches,
)
def set_switches(call: Call) -> Submission[CollateralSwitches]:
    wanted: dict[str, str] = {}
    for member in call.values["request"]:
        if isinstance(member, Refusal):
            raise member
        if wanted.setdefault(member["coin"], member["collateralSwitch"]) != member["collateralSwitch"]:
            raise refuse(TWICE, text=TEXTS[TWICE])
    on, off = (tuple(coin for coin, one in wanted.items() if one == word) for word in ("ON", "OFF"))
    # What is switched on may be what lets other coins go.
    command = _command(call, on, used=True, others=off)

    def answer(done: Done) -> CollateralSwitches:
        _check(call, done, command)
        return {"list": [{"coin": coin, "collateralSwitch": word} for coin, word in wanted.items()]}

    return call.attempt(command, answer)


def _command(
    call: Call, coins: tuple[str, ...], *, used: bool, others: tuple[str, ...] = ()
) -> c.SetCollateralUse:
    known = collateral_of(call.engine)
    for coin in (*coins, *others):
        if coin not in known:
            raise refuse(110050)
        if not known[coin].is_optional:
            # Of the two stablecoins that contracts settle in nobody has a choice ("Set Collateral Coin").
            raise refuse(NOT_SWITCHED, text=TEXTS[NOT_SWITCHED])
    return c.SetCollateralUse(account=call.account, wallet=UNIFIED, assets=coins, used=used, others=others)


def _check(call: Call, done: Done, command: c.SetCollateralUse) -> None:
    rejection = done.rejection
    if isinstance(rejection, SettingBlocked):
        raise refuse(NOT_COVERED, text=TEXTS[NOT_COVERED])
    # What is switched so already is a success, as on the exchange's own pages.
    if rejection is not None and not isinstance(rejection, SettingUnchanged):
        raise call.site.dialect.speak(rejection, command)
