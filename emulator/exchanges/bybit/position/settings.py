"""What an account chooses for its positions: leverage, and one position or two."""

from __future__ import annotations

from typing import Final

from emulator.core import commands as c
from emulator.core.engine import Done
from emulator.core.positions import AccountMargin, Leg
from emulator.core.rejections import SettingUnchanged
from emulator.exchanges.bybit.auth import POSITION
from emulator.exchanges.bybit.categories import Category
from emulator.exchanges.bybit.door import Door
from emulator.exchanges.bybit.listings import Listing
from emulator.exchanges.bybit.payloads.account import Nothing
from emulator.exchanges.bybit.payloads.position import RiskLimitChosen, StopModeChosen
from emulator.exchanges.bybit.position.words import (
    CATEGORY,
    POSITION_INDEX,
    SYMBOL,
    SYMBOL_OPTIONAL,
    asked,
    asked_category,
    find,
)
from emulator.exchanges.bybit.refusals import MISSING_ONE_OF, refuse, refuse_parameter
from emulator.exchanges.bybit.running import UNIFIED
from emulator.runtime.submission import Submission
from emulator.web.contract import Call, Kind, Parameter, Rows

rows = Rows()

ONE_WAY, BOTH_SIDES = 0, 3
"""`mode` of switch-mode."""
LEVERAGE_PLACES: Final = 2


@rows.route(
    "POST",
    "/v5/position/set-leverage",
    summary="Set leverage",
    security=POSITION,
    parameters=(
        CATEGORY,
        SYMBOL,
        Parameter("buyLeverage", Kind.DECIMAL, required=True, decimals=LEVERAGE_PLACES),
        Parameter("sellLeverage", Kind.DECIMAL, required=True, decimals=LEVERAGE_PLACES),
    ),
    answers=Nothing,
)
def set_leverage(call: Call) -> Submission[Nothing]:
    listing, values = asked(call), call.values
    name, state = listing.instrument.symbol, call.engine.state
    long, short = values["buyLeverage"], values["sellLeverage"]
    mode = state.account_margin(call.account, UNIFIED)
    if mode is AccountMargin.PORTFOLIO:
        raise refuse(110038)
    if long == short:
        command = c.SetLeverage(account=call.account, instrument=name, leverage=long)
    elif mode is AccountMargin.ISOLATED and state.is_hedged(call.account, name):
        command = c.SetLeverage(
            account=call.account, instrument=name, leverage=long, leg=Leg.LONG, opposite=short
        )
    else:
        raise refuse_parameter("sellLeverage")
    return call.submit(command, nothing)


@rows.route(
    "POST",
    "/v5/position/switch-mode",
    summary="Switch position mode",
    description="Of one symbol, or of all that settle in a coin and have neither positions nor orders.",
    security=POSITION,
    parameters=(
        CATEGORY,
        SYMBOL_OPTIONAL,
        Parameter("coin", description="What contracts settle in."),
        Parameter("mode", Kind.INTEGER, required=True, description="0: one position; 3: a long and a short."),
    ),
    answers=Nothing,
)
def switch_mode(call: Call) -> Submission[Nothing]:
    category, values = asked_category(call), call.values
    if values["mode"] not in (ONE_WAY, BOTH_SIDES):
        raise refuse_parameter("mode")
    hedged = values["mode"] == BOTH_SIDES
    symbol, coin = values.get("symbol"), values.get("coin")
    if symbol is not None:
        listing = find(category, symbol, call.now_us)
        return _switch(call, (listing.instrument.symbol,), hedged=hedged, is_one=True)
    if coin is None:
        raise refuse(10001, "symbol or coin", text=MISSING_ONE_OF)
    return _switch(call, _switchable(call, category, coin), hedged=hedged, is_one=False)


def _switchable(call: Call, category: Category, coin: str) -> tuple[str, ...]:
    """What a coin's contracts come to, without those that have positions or orders and stay as they are."""
    settled = [one for one in category.listings.values() if one.settle == coin]
    if not settled:
        raise refuse(110050)
    able = [one for one in settled if one.contract is not None and one.contract.hedgeable]
    if not able:
        raise refuse(110029)
    account = call.engine.state.accounts[call.account]
    busy = {name for name, _ in account.positions}
    busy |= {order.instrument for order in account.open_orders.values()}
    # Quirk: contracts with positions or orders are passed over ("Switch Position Mode").
    return tuple(one.instrument.symbol for one in able if one.instrument.symbol not in busy)


def _switch(call: Call, instruments: tuple[str, ...], *, hedged: bool, is_one: bool) -> Submission[Nothing]:
    command = c.SetPositionMode(account=call.account, wallet=UNIFIED, hedged=hedged, instruments=instruments)
    door = call.site.dialect
    assert isinstance(door, Door)

    def answer(done: Done) -> Nothing:
        rejection = done.rejection
        # Quirk: for a whole coin, a mode that is there already is a success, as clients take it for granted
        # at every start; only of a symbol an error is documented (freqtrade).
        is_taken_for_granted = not is_one and door.eras.bybit_coin_mode_unchanged == "ok"
        if rejection is not None and not (is_taken_for_granted and isinstance(rejection, SettingUnchanged)):
            raise call.site.dialect.speak(rejection, command)
        return {}

    return call.attempt(command, answer)


@rows.route(
    "POST",
    "/v5/position/switch-isolated",
    summary="Switch cross or isolated margin",
    description="Unified accounts choose that for all contracts at once, and are told so.",
    security=POSITION,
    parameters=(
        CATEGORY,
        SYMBOL,
        Parameter("tradeMode", Kind.INTEGER, required=True),
        Parameter("buyLeverage", Kind.DECIMAL, required=True),
        Parameter("sellLeverage", Kind.DECIMAL, required=True),
    ),
    answers=Nothing,
    deprecated=True,
)
def switch_isolated(call: Call) -> Nothing:
    raise refuse(100028)


@rows.route(
    "POST",
    "/v5/position/set-risk-limit",
    summary="Set risk limit",
    description="Tiers follow from what positions are worth, so this tells which one it is.",
    security=POSITION,
    parameters=(CATEGORY, SYMBOL, Parameter("riskId", Kind.INTEGER, required=True), POSITION_INDEX),
    answers=RiskLimitChosen,
    deprecated=True,
)
def set_risk_limit(call: Call) -> RiskLimitChosen:
    listing: Listing = asked(call)
    chosen = next((one for one in listing.risk_tiers if one.number == call.values["riskId"]), None)
    if chosen is None:
        raise refuse_parameter("riskId")
    return {
        "category": listing.category,
        "riskId": chosen.number,
        "riskLimitValue": chosen.value_max,
    }


@rows.route(
    "POST",
    "/v5/position/set-tpsl-mode",
    summary="Set TP/SL mode",
    description="Unified accounts may have both at any time, so this changes nothing.",
    security=POSITION,
    parameters=(
        CATEGORY,
        SYMBOL,
        Parameter("tpSlMode", Kind.CHOICE, required=True, choices=("Full", "Partial")),
    ),
    answers=StopModeChosen,
    deprecated=True,
)
def set_stop_mode(call: Call) -> StopModeChosen:
    asked(call)
    return {"tpSlMode": call.values["tpSlMode"]}


def nothing(done: Done) -> Nothing:
    return {}
