"""Transfers between the unified and the funding wallet of an account."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from emulator.core import commands as c
from emulator.core.engine import Done
from emulator.core.events import AmountTransferred
from emulator.core.history import Movement, MovementKind, Query
from emulator.core.numbers import ZERO, exact, is_on_step
from emulator.core.rejections import InsufficientBalance
from emulator.exchanges.bybit.asset.words import (
    ACCOUNT_TYPES,
    COIN,
    CURSOR,
    END_TIME,
    START_TIME,
    WALLETS,
    limit,
    movements,
    page,
    refuse_asset,
)
from emulator.exchanges.bybit.assets import assets
from emulator.exchanges.bybit.auth import READ, TRANSFER
from emulator.exchanges.bybit.figures import decimal_text
from emulator.exchanges.bybit.ids import uuid_text
from emulator.exchanges.bybit.payloads.asset import Transfer, TransferableCoins, TransferMade, Transfers
from emulator.exchanges.bybit.running import engine_of
from emulator.web.contract import Call, Kind, Parameter, Rows

rows = Rows()

TRANSFER_ID: Final = Parameter("transferId", pattern="[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
FROM: Final = Parameter("fromAccountType", required=True, description="UNIFIED or FUND.")
TO: Final = Parameter("toAccountType", required=True, description="UNIFIED or FUND.")
SUCCESS: Final = "SUCCESS"
STEP: Final = Decimal("1E-8")
"""Of amounts in wallets."""
DAYS: Final = 7
"""How much of the history one call may ask for."""


@rows.route(
    "POST",
    "/v5/asset/transfer/inter-transfer",
    summary="Create internal transfer",
    security=TRANSFER,
    parameters=(
        TRANSFER_ID.but(required=True, description="A UUID that the client makes."),
        COIN.but(required=True),
        Parameter("amount", Kind.DECIMAL, required=True),
        FROM,
        TO,
    ),
    answers=TransferMade,
)
async def transfer(call: Call) -> TransferMade:
    values = call.values
    coin, name = values["coin"], values["transferId"].lower()
    source, target = _way(values)
    amount = values["amount"]
    if coin not in assets():
        raise refuse_asset(131203)
    with exact():
        if amount <= ZERO:
            raise refuse_asset(131215)
        if not is_on_step(amount, STEP):
            raise refuse_asset(131210)
    query = Query(account=call.account, scope=MovementKind.TRANSFER.value, label=name, limit=1)
    # What is asked of the archive takes a while, in which the same may be sent again: memory is asked last.
    found = await call.records(Movement, query) or engine_of(call.sandbox).views.select(Movement, query)
    if found:
        raise refuse_asset(131214)
    command = c.Transfer(
        account=call.account, asset=coin, amount=amount, source=source, target=target, reference=name
    )

    def answer(done: Done) -> TransferMade:
        if isinstance(done.rejection, InsufficientBalance):
            raise refuse_asset(131212)
        if done.rejection is not None:
            raise call.site.dialect.speak(done.rejection, command)
        return {"transferId": values["transferId"], "status": SUCCESS}

    return await call.attempt(command, answer)


@rows.route(
    "GET",
    "/v5/asset/transfer/query-inter-transfer-list",
    summary="Get internal transfer records",
    description="Newest first, of the last seven days where no time is given.",
    security=READ,
    parameters=(TRANSFER_ID, COIN, Parameter("status"), START_TIME, END_TIME, limit(20), CURSOR),
    answers=Transfers,
)
async def transfers(call: Call) -> Transfers:
    values = call.values
    coin, name = values.get("coin"), values.get("transferId")
    # What is made is a success at once.
    is_wanted = values.get("status") in (None, "", SUCCESS)
    found = [
        (event.movement, _transfer(event, one.time_us))
        for one in await movements(call, MovementKind.TRANSFER, DAYS)
        if is_wanted
        and type(event := one.event) is AmountTransferred
        and coin in (None, event.asset)
        and (name is None or _name(event) == name.lower())
    ]
    listed, cursor = page(found, values["limit"])
    return {"list": listed, "nextPageCursor": cursor}


@rows.route(
    "GET",
    "/v5/asset/transfer/query-transfer-coin-list",
    summary="Get transferable coins",
    security=READ,
    parameters=(FROM, TO),
    answers=TransferableCoins,
)
def transferable(call: Call) -> TransferableCoins:
    _way(call.values)
    return {"list": list(assets())}


def _way(values: dict[str, str]) -> tuple[str, str]:
    source, target = WALLETS.get(values["fromAccountType"]), WALLETS.get(values["toAccountType"])
    if source is None:
        raise refuse_asset(131232)
    if target is None:
        raise refuse_asset(131231)
    if source == target:
        raise refuse_asset(131211)
    return source, target


def _name(event: AmountTransferred) -> str:
    """What it was called; what nobody named has a name of its own."""
    return event.reference or uuid_text(event.movement, version=4)


def _transfer(event: AmountTransferred, time_us: int) -> Transfer:
    return {
        "transferId": _name(event),
        "coin": event.asset,
        "amount": decimal_text(event.amount),
        "fromAccountType": ACCOUNT_TYPES[event.source],
        "toAccountType": ACCOUNT_TYPES[event.target],
        "timestamp": str(time_us // 1_000_000 * 1000),
        "status": SUCCESS,
    }
