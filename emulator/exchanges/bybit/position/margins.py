"""The margin of isolated positions: moved by hand, and whether it is by itself."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from emulator.core import commands as c
from emulator.core.engine import Done
from emulator.core.numbers import exact
from emulator.core.positions import AccountMargin
from emulator.core.rejections import SettingUnchanged
from emulator.exchanges.bybit.account.readings import read
from emulator.exchanges.bybit.auth import POSITION
from emulator.exchanges.bybit.categories import INVERSE
from emulator.exchanges.bybit.payloads.account import Nothing
from emulator.exchanges.bybit.payloads.position import MovedMargin
from emulator.exchanges.bybit.position.readings import positions_of, render_position
from emulator.exchanges.bybit.position.words import CATEGORY, POSITION_INDEX, SYMBOL, asked, asked_leg
from emulator.exchanges.bybit.refusals import CATEGORY as ILLEGAL_CATEGORY
from emulator.exchanges.bybit.refusals import refuse
from emulator.exchanges.bybit.running import UNIFIED
from emulator.runtime.submission import Submission
from emulator.web.contract import Call, Kind, Parameter, Rows

rows = Rows()

PLACES: Final = 4
"""Of an amount of margin ("Add Or Reduce Margin")."""
ANY_AMOUNT: Final = Decimal(-(10**18))


@rows.route(
    "POST",
    "/v5/position/add-margin",
    summary="Add or reduce margin",
    security=POSITION,
    parameters=(
        CATEGORY,
        SYMBOL,
        Parameter(
            "margin",
            Kind.DECIMAL,
            required=True,
            minimum=ANY_AMOUNT,
            decimals=PLACES,
            description="To take back, below zero.",
        ),
        POSITION_INDEX,
    ),
    answers=MovedMargin,
)
def move_margin(call: Call) -> Submission[MovedMargin]:
    listing = asked(call)
    if call.engine.state.account_margin(call.account, UNIFIED) is not AccountMargin.ISOLATED:
        raise refuse(110015)
    leg, amount = asked_leg(call, listing), call.values["margin"]
    if not amount:
        raise refuse(110027)
    command = c.MoveMargin(account=call.account, instrument=listing.instrument.symbol, amount=amount, leg=leg)

    def answer(done: Done) -> MovedMargin:
        with exact():
            standing = read(call)
            one = next(one for one in positions_of(standing, listing) if one.position.leg is leg)
            told = render_position(standing, listing, one)
        return {
            "category": listing.category,
            "symbol": listing.symbol,
            "positionIdx": told["positionIdx"],
            "riskId": told["riskId"],
            "riskLimitValue": told["riskLimitValue"],
            "size": told["size"],
            "avgPrice": told["avgPrice"],
            "liqPrice": told["liqPrice"],
            "bustPrice": told["bustPrice"],
            "markPrice": told["markPrice"],
            "positionValue": told["positionValue"],
            "leverage": told["leverage"],
            "autoAddMargin": told["autoAddMargin"],
            "positionStatus": told["positionStatus"],
            "positionIM": told["positionIM"],
            "positionMM": told["positionMM"],
            "takeProfit": told["takeProfit"],
            "stopLoss": told["stopLoss"],
            "trailingStop": told["trailingStop"],
            "unrealisedPnl": told["unrealisedPnl"],
            "cumRealisedPnl": told["cumRealisedPnl"],
            "createdTime": told["createdTime"],
            "updatedTime": told["updatedTime"],
        }

    return call.submit(command, answer)


@rows.route(
    "POST",
    "/v5/position/set-auto-add-margin",
    summary="Set auto add margin",
    description="Of linear contracts, while all positions are isolated.",
    security=POSITION,
    parameters=(
        CATEGORY,
        SYMBOL,
        Parameter("autoAddMargin", Kind.INTEGER, required=True, minimum=0, maximum=1),
        POSITION_INDEX,
    ),
    answers=Nothing,
)
def set_automatic(call: Call) -> Submission[Nothing]:
    listing = asked(call)
    # Of inverse contracts the page knows nothing ("Set Auto Add Margin").
    if listing.category == INVERSE.name:
        raise refuse(10001, text=ILLEGAL_CATEGORY)
    command = c.SetReplenishment(
        account=call.account,
        instrument=listing.instrument.symbol,
        on=bool(call.values["autoAddMargin"]),
        leg=asked_leg(call, listing),
    )

    def answer(done: Done) -> Nothing:
        rejection = done.rejection
        # The page names no error for what is so already.
        if rejection is not None and not isinstance(rejection, SettingUnchanged):
            raise call.site.dialect.speak(rejection, command)
        return {}

    return call.attempt(command, answer)
