"""Market maker protection of options, of which there are none: what is set is kept and told of."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from emulator.exchanges.bybit.account.preferences import prefer
from emulator.exchanges.bybit.auth import POSITION, READ
from emulator.exchanges.bybit.figures import decimal_text
from emulator.exchanges.bybit.payloads.account import MakerStates, Nothing
from emulator.runtime.submission import Submission
from emulator.web.contract import Call, Kind, Parameter, Rows

rows = Rows()

PREFERENCE: Final = "mmp."
"""What it is kept under, with the coin behind it."""
LIMITS: Final = ("window", "frozenPeriod", "qtyLimit", "deltaLimit", "vegaLimit")
VEGA_LIMIT: Final = Decimal(500_000)

BASE_COIN: Final = Parameter("baseCoin", required=True, pattern="[A-Z0-9]{1,20}")


@rows.route(
    "POST",
    "/v5/account/mmp-modify",
    summary="Set MMP",
    security=POSITION,
    parameters=(
        BASE_COIN,
        Parameter("window", Kind.INTEGER, required=True),
        Parameter("frozenPeriod", Kind.INTEGER, required=True),
        Parameter("qtyLimit", Kind.DECIMAL, required=True, decimals=2),
        Parameter("deltaLimit", Kind.DECIMAL, required=True, decimals=2),
        Parameter("vegaLimit", Kind.DECIMAL, default=VEGA_LIMIT, decimals=2),
    ),
    answers=Nothing,
)
def set_protection(call: Call) -> Submission[Nothing]:
    values = call.values
    return prefer(call, PREFERENCE + values["baseCoin"], _kept(values))


def _kept(values: Mapping[str, Any]) -> str:
    texts = (values[name] for name in LIMITS)
    return "/".join(str(one) if isinstance(one, int) else decimal_text(one) for one in texts)


@rows.route(
    "POST",
    "/v5/account/mmp-reset",
    summary="Reset MMP",
    description="Nothing was counted and nothing is frozen, so nothing changes.",
    security=POSITION,
    parameters=(BASE_COIN,),
    answers=Nothing,
)
def reset_protection(call: Call) -> Nothing:
    return {}


@rows.route(
    "GET",
    "/v5/account/mmp-state",
    summary="Get MMP state",
    security=READ,
    parameters=(BASE_COIN,),
    answers=MakerStates,
)
def protection_state(call: Call) -> MakerStates:
    coin = call.values["baseCoin"]
    kept = call.engine.state.accounts[call.account].preferences.get(PREFERENCE + coin)
    if kept is None:
        return {"result": []}
    window, frozen, quantity, delta, vega = kept.split("/")
    return {
        "result": [
            {
                "baseCoin": coin,
                "mmpEnabled": True,
                "window": window,
                "frozenPeriod": frozen,
                "qtyLimit": quantity,
                "deltaLimit": delta,
                "vegaLimit": vega,
                "mmpFrozenUntil": "0",
                "mmpFrozen": False,
            }
        ]
    }
