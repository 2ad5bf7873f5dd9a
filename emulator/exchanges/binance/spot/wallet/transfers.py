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

OLD_WAYS: Mapping[str, tuple[str, str]] = {
    "1": (SPOT, "usdm"),
    "2": ("usdm", SPOT),
    "3": (SPOT, "coinm"),
    "4": ("coinm", SPOT),
}
"""The same for the older endpoint, which knows only these."""

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
    way = WAYS.get(call.values["type"])
    if way is None:
        raise refuse(-1020, text=f"{TEXTS[-1020]} Not emulated: transfers of type {call.values['type']}.")
    return _move(call, way)


def _move(call: Call, way: tuple[str, str]) -> Submission[TransferId]:
    values = call.values
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
    way = WAYS.get(call.values["type"])
    return await _list(call, {} if way is None else {way: call.values["type"]}, asset=None)


# Quirk: the endpoint that came before the universal transfer is still there, and is not in the documents any
# more; what is moved by either is in the history of both (New Future Account Transfer, editions until 2024).


@rows.route(
    "POST",
    "/sapi/v1/futures/transfer",
    summary="New future account transfer",
    description="1: spot to USD-M, 2: USD-M to spot, 3: spot to COIN-M, 4: COIN-M to spot.",
    security=TRANSFER,
    parameters=(
        ASSET.but(required=True),
        Parameter("amount", Kind.DECIMAL, required=True),
        Parameter("type", Kind.CHOICE, required=True, choices=tuple(OLD_WAYS), error=-1102),
    ),
    answers=TransferId,
    deprecated=True,
)
def old_transfer(call: Call) -> Submission[TransferId]:
    return _move(call, OLD_WAYS[call.values["type"]])


@rows.route(
    "GET",
    "/sapi/v1/futures/transfer",
    summary="Get future account transaction history list",
    security=USER_DATA,
    weight=10,
    parameters=(
        ASSET.but(required=True),
        START_TIME.but(required=True),
        END_TIME,
        Parameter("current", Kind.INTEGER, default=1, minimum=1, description="The page, from 1 on."),
        Parameter("size", Kind.INTEGER, default=10, minimum=1, maximum=100, clamped=True),
    ),
    answers=Transfers,
    deprecated=True,
)
async def old_transfers(call: Call) -> Transfers:
    types = {way: word for word, way in OLD_WAYS.items()}
    return await _list(call, types, asset=call.values["asset"])


async def _list(call: Call, types: Mapping[tuple[str, str], str], *, asset: str | None) -> Transfers:
    """A page of what was moved, newest first. types: the ways that are asked for, and how they are called."""
    values = call.values
    start_us = values.get("startTime")
    end_us = values["endTime"] + 999 if "endTime" in values else call.now_us
    if start_us is None:
        start_us = end_us - HISTORY_DAYS * DAY_US
    start_us = max(start_us, call.now_us - REACH_DAYS * DAY_US)
    found: list[Transfer] = [
        {
            "asset": event.asset,
            "amount": render_plain(event.amount),
            "type": types[event.source, event.target],
            "status": "CONFIRMED",
            "tranId": event.movement,
            "timestamp": movement.time_us // 1000,
        }
        for movement in await movements(call, MovementKind.TRANSFER, start_us, end_us)
        if type(event := movement.event) is AmountTransferred
        and (event.source, event.target) in types
        and asset in (None, event.asset)
    ]
    size: int = values["size"]
    first = (values["current"] - 1) * size
    return {"total": len(found), "rows": found[first : first + size]}
