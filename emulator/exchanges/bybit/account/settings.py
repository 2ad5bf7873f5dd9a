"""What an account is, and what it chooses for all that it trades."""

from __future__ import annotations

from typing import Final, Literal

from emulator.core import commands as c
from emulator.core.engine import Done
from emulator.core.positions import AccountMargin
from emulator.core.rejections import Obstacle, SettingBlocked, SettingUnchanged
from emulator.exchanges.bybit.account.preferences import prefer
from emulator.exchanges.bybit.auth import POSITION, READ
from emulator.exchanges.bybit.categories import CATEGORIES
from emulator.exchanges.bybit.figures import time_text
from emulator.exchanges.bybit.payloads.account import (
    AccountInfo,
    MarginModeSet,
    Nothing,
    SelfMatchGroup,
    TradeBehaviour,
    Upgrade,
)
from emulator.exchanges.bybit.refusals import refuse
from emulator.exchanges.bybit.running import UNIFIED
from emulator.runtime.submission import Submission
from emulator.web.contract import Call, Kind, Parameter, Refusal, Rows

rows = Rows()

MarginModeWord = Literal["ISOLATED_MARGIN", "REGULAR_MARGIN", "PORTFOLIO_MARGIN"]
MARGIN_MODES: Final[dict[MarginModeWord, AccountMargin]] = {
    "ISOLATED_MARGIN": AccountMargin.ISOLATED,
    "REGULAR_MARGIN": AccountMargin.CROSS,
    "PORTFOLIO_MARGIN": AccountMargin.PORTFOLIO,
}
MARGIN_MODE_WORDS: Final = {mode: word for word, mode in MARGIN_MODES.items()}

UNIFIED_2_PRO: Final = 6
"""`unifiedMarginStatus` (enum)."""
FAILED: Final = 3400045
REASONS: Final = {
    Obstacle.POSITION: ("3400214", "Positions would not be covered by margins of their own"),
    Obstacle.ORDERS: ("3400214", "Open orders would not be covered"),
    Obstacle.DEBT: ("3400071", "You have outstanding liabilities"),
    Obstacle.MARGIN: ("3400211", "Once switched, the estimated risk rate will be too high"),
    Obstacle.BORROWING: ("3400214", "You have spot orders that borrow"),
}
"""Codes that the error page has for such reasons; its texts are those of another occasion."""
OTHERWISE: Final = ("3400214", "Server error, please try again later")

SPOT_HEDGING: Final = "hedging"
ADJUSTED: Final = "adjust"
"""Preferences: whether hedging is on; whether prices beyond a limit are adjusted, for pairs and contracts."""
ON: Final = "on"
OFF: Final = "off"


@rows.route("GET", "/v5/account/info", summary="Get account info", security=READ, answers=AccountInfo)
def account_info(call: Call) -> AccountInfo:
    engine = call.engine
    mode = engine.state.account_margin(call.account, UNIFIED)
    assert mode is not None, "the unified wallet has one mode for all its contracts"
    preferences = engine.state.accounts[call.account].preferences
    return {
        "marginMode": MARGIN_MODE_WORDS[mode],
        "updatedTime": time_text(engine.views.updated_us.get(call.account, call.now_us)),
        "unifiedMarginStatus": UNIFIED_2_PRO,
        # Quirk: told by endpoints of their own, and always the same here ("Get Account Info").
        "dcpStatus": "OFF",
        "timeWindow": 0,
        "smpGroup": 0,
        "isMasterTrader": False,
        "spotHedgingStatus": "ON" if preferences.get(SPOT_HEDGING) == ON else "OFF",
    }


@rows.route(
    "POST",
    "/v5/account/set-margin-mode",
    summary="Set margin mode (portfolio margin is priced as cross margin)",
    description="For all contracts at once, as positions and orders are, if they are covered afterwards.",
    security=POSITION,
    parameters=(Parameter("setMarginMode", Kind.CHOICE, required=True, choices=tuple(MARGIN_MODES)),),
    answers=MarginModeSet,
)
def set_margin_mode(call: Call) -> Submission[MarginModeSet]:
    mode = MARGIN_MODES[call.values["setMarginMode"]]
    command = c.SetAccountMargin(account=call.account, wallet=UNIFIED, mode=mode)

    def answer(done: Done) -> MarginModeSet:
        rejection = done.rejection
        if isinstance(rejection, SettingBlocked):
            raise _failed(rejection)
        # Quirk: the mode that is chosen already is a success; clients send it at each start ("Set Margin
        # Mode").
        if rejection is not None and not isinstance(rejection, SettingUnchanged):
            raise call.site.dialect.speak(rejection, command)
        return {"reasons": []}

    return call.attempt(command, answer)


def _failed(rejection: SettingBlocked) -> Refusal:
    obstacles = (rejection.obstacle, *rejection.beside)
    reasons = [REASONS.get(one, OTHERWISE) for one in dict.fromkeys(obstacles)]
    refusal = refuse(FAILED)
    told = [{"reasonCode": code, "reasonMsg": text} for code, text in reasons]
    return Refusal(refusal.status, refusal.code, refusal.message, extra={"result": {"reasons": told}})


@rows.route(
    "POST",
    "/v5/account/set-hedging-mode",
    summary="Set spot hedging",
    description="Kept and told of; portfolio margin here does not count pairs against positions.",
    security=POSITION,
    parameters=(Parameter("setHedgingMode", Kind.CHOICE, required=True, choices=("ON", "OFF")),),
    answers=Nothing,
)
def set_hedging(call: Call) -> Submission[Nothing]:
    return prefer(call, SPOT_HEDGING, ON if call.values["setHedgingMode"] == "ON" else "")


@rows.route(
    "GET",
    "/v5/account/smp-group",
    summary="Get SMP group ID",
    security=READ,
    answers=SelfMatchGroup,
)
def self_match_group(call: Call) -> SelfMatchGroup:
    return {"smpGroup": max(0, call.engine.state.accounts[call.account].trade_group)}


def is_adjusted(preferences: dict[str, str], *, is_derivative: bool) -> bool:
    """Whether a limit price beyond what is allowed becomes the nearest allowed one, or else is refused."""
    chosen = preferences.get(f"{ADJUSTED}.{'contracts' if is_derivative else 'pairs'}")
    return is_derivative if chosen is None else chosen == ON


@rows.route(
    "POST",
    "/v5/account/set-limit-px-action",
    summary="Set price limit behaviour",
    security=POSITION,
    parameters=(
        Parameter("category", Kind.CHOICE, required=True, choices=tuple(CATEGORIES)),
        Parameter("modifyEnable", Kind.BOOLEAN, required=True),
    ),
    answers=Nothing,
)
def set_limit_action(call: Call) -> Submission[Nothing]:
    kind = "contracts" if CATEGORIES[call.values["category"]].is_derivative else "pairs"
    return prefer(call, f"{ADJUSTED}.{kind}", ON if call.values["modifyEnable"] else OFF)


@rows.route(
    "GET",
    "/v5/account/user-setting-config",
    summary="Get trade behaviour config",
    security=READ,
    answers=TradeBehaviour,
)
def trade_behaviour(call: Call) -> TradeBehaviour:
    preferences = call.engine.state.accounts[call.account].preferences
    return {
        "lpaSpot": is_adjusted(preferences, is_derivative=False),
        # Quirk: of contracts it says the contrary, whether such an order is refused ("Get Trade Behaviour
        # Config").
        "lpaPerp": not is_adjusted(preferences, is_derivative=True),
        "deltaEnable": False,
        "smsef": False,
        "fmsef": False,
    }


@rows.route(
    "POST",
    "/v5/account/upgrade-to-uta",
    summary="Upgrade to Unified Account Pro",
    description="Every account here is one already.",
    security=POSITION,
    answers=Upgrade,
)
def upgrade(call: Call) -> Upgrade:
    return {"unifiedUpdateStatus": "SUCCESS", "unifiedUpdateMsg": None}
