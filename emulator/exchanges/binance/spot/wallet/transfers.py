"""Transfers between an account's own wallets: spot, funding and those of the two futures sites."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from emulator.core import commands
from emulator.core.engine import Done
from emulator.core.events import AmountTransferred
from emulator.core.history import MovementKind
from emulator.core.numbers import ZERO
from emulator.core.rejections import InsufficientBalance
from emulator.exchanges.binance.assets import assets
from emulator.exchanges.binance.errors import TEXTS, refuse
from emulator.exchanges.binance.limits import ACCOUNT_POOL
from emulator.exchanges.binance.spot.holdings import holding
from emulator.exchanges.binance.spot.payloads.wallet import Transfer, TransferId, Transfers
from emulator.exchanges.binance.spot.wallet.words import (
    ASSET,
    FUNDING,
    SPOT,
    movements,
    refuse_wallet,
    render_plain,
)
from emulator.exchanges.binance.spot.windows import DAY_US
from emulator.exchanges.binance.vocabulary import END_TIME, START_TIME, TRANSFER, USER_DATA
from emulator.runtime.submission import Submission
from emulator.web.contract import Call, Kind, Parameter, Rows

rows = Rows()

_WALLETS: Mapping[str, str] = {"MAIN": SPOT, "FUNDING": FUNDING, "UMFUTURE": "usdm", "CMFUTURE": "coinm"}

WAYS: Mapping[str, tuple[str, str]] = {
    f"{source}_{target}": (_WALLETS[source], _WALLETS[target])
    for source, target in (
        ("MAIN", "UMFUTURE"),
        ("MAIN", "CMFUTURE"),
        ("UMFUTURE", "MAIN"),
        ("CMFUTURE", "MAIN"),
        ("MAIN", "FUNDING"),
        ("FUNDING", "MAIN"),
        ("FUNDING", "UMFUTURE"),
        ("UMFUTURE", "FUNDING"),
        ("FUNDING", "CMFUTURE"),
        ("CMFUTURE", "FUNDING"),
    )
}
"""From which wallet into which, by the type on the wire."""

ABSENT_WAYS: Final = (
    "MAIN_MARGIN",
    "UMFUTURE_MARGIN",
    "CMFUTURE_MARGIN",
    "MARGIN_MAIN",
    "MARGIN_UMFUTURE",
    "MARGIN_CMFUTURE",
    "ISOLATEDMARGIN_MARGIN",
    "MARGIN_ISOLATEDMARGIN",
    "ISOLATEDMARGIN_ISOLATEDMARGIN",
    "MARGIN_FUNDING",
    "FUNDING_MARGIN",
    "MAIN_OPTION",
    "OPTION_MAIN",
    "UMFUTURE_OPTION",
    "OPTION_UMFUTURE",
    "MARGIN_OPTION",
    "OPTION_MARGIN",
    "FUNDING_OPTION",
    "OPTION_FUNDING",
    "MAIN_PORTFOLIO_MARGIN",
    "PORTFOLIO_MARGIN_MAIN",
)
"""Types that the exchange has and this emulator has no wallets for."""

TYPE: Final = Parameter("type", Kind.CHOICE, required=True, choices=(*WAYS, *ABSENT_WAYS), error=-1102)

HISTORY_DAYS: Final = 7
REACH_DAYS: Final = 183
"""How far back the history goes: six months."""


@rows.route(
    "POST",
    "/sapi/v1/asset/transfer",
    summary="User universal transfer",
    security=TRANSFER,
    weight=300,
    pool=ACCOUNT_POOL,
    parameters=(
        TYPE,
        ASSET.but(required=True),
        Parameter("amount", Kind.DECIMAL, required=True),
        Parameter("fromSymbol", description="Of isolated margin, which is not emulated."),
        Parameter("toSymbol", description="Of isolated margin, which is not emulated."),
    ),
    answers=TransferId,
)
def transfer(call: Call) -> Submission[TransferId]:
    values = call.values
    way = WAYS.get(values["type"])
    if way is None:
        raise refuse(-1020, text=f"{TEXTS[-1020]} Not emulated: transfers of type {values['type']}.")
    if values["amount"] == ZERO:
        raise refuse_wallet(-5007)
    source, target = way
    asset: str = values["asset"]
    if asset not in assets() and not holding(call.engine, call.account, source, asset).total:
        raise refuse_wallet(-5003)
    command = commands.Transfer(
        account=call.account, asset=asset, amount=values["amount"], source=source, target=target
    )

    def answer(done: Done) -> TransferId:
        rejection = done.rejection
        if isinstance(rejection, InsufficientBalance):
            raise refuse_wallet(-5013)
        if rejection is not None:
            raise call.site.dialect.speak(rejection, command)
        (event,) = done.events
        assert isinstance(event, AmountTransferred)
        return {"tranId": event.movement}

    return call.attempt(command, answer)


@rows.route(
    "GET",
    "/sapi/v1/asset/transfer",
    summary="Query user universal transfer history",
    security=USER_DATA,
    parameters=(
        TYPE,
        START_TIME,
        END_TIME,
        Parameter("current", Kind.INTEGER, default=1, minimum=1, description="The page, from 1 on."),
        Parameter("size", Kind.INTEGER, default=10, minimum=1, maximum=100, clamped=True),
        Parameter("fromSymbol", description="Of isolated margin, which is not emulated."),
        Parameter("toSymbol", description="Of isolated margin, which is not emulated."),
    ),
    answers=Transfers,
)
async def transfers(call: Call) -> Transfers:
    values = call.values
    start_us = values.get("startTime")
    end_us = values["endTime"] + 999 if "endTime" in values else call.now_us
    if start_us is None:
        start_us = end_us - HISTORY_DAYS * DAY_US
    start_us = max(start_us, call.now_us - REACH_DAYS * DAY_US)
    way = WAYS.get(values["type"])
    found: list[Transfer] = [
        {
            "asset": event.asset,
            "amount": render_plain(event.amount),
            "type": values["type"],
            "status": "CONFIRMED",
            "tranId": event.movement,
            "timestamp": movement.time_us // 1000,
        }
        for movement in await movements(call, MovementKind.TRANSFER, start_us, end_us)
        if type(event := movement.event) is AmountTransferred and (event.source, event.target) == way
    ]
    size: int = values["size"]
    first = (values["current"] - 1) * size
    return {"total": len(found), "rows": found[first : first + size]}
