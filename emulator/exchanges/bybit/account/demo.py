"""Demo funds, as the demo trading service gives them out: real deposits, at any time."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from emulator.core import commands as c
from emulator.core.engine import Done
from emulator.core.numbers import ZERO, exact, is_on_step
from emulator.core.rejections import InsufficientBalance
from emulator.exchanges.bybit.account.readings import read
from emulator.exchanges.bybit.auth import POSITION
from emulator.exchanges.bybit.payloads.account import Nothing
from emulator.exchanges.bybit.refusals import refuse, refuse_parameter
from emulator.exchanges.bybit.running import UNIFIED
from emulator.web.contract import Call, Kind, Parameter, Refusal, Rows

rows = Rows()

MOST: Final = {"BTC": Decimal(15), "ETH": Decimal(200), "USDT": Decimal(100_000), "USDC": Decimal(100_000)}
"""Of one request ("Request Demo Trading Funds")."""
ADD, REDUCE = 0, 1
STEP: Final = Decimal("1E-8")
REFERENCE: Final = "demo"


@rows.route(
    "POST",
    "/v5/account/demo-apply-money",
    summary="Request demo trading funds",
    security=POSITION,
    parameters=(
        Parameter("adjustType", Kind.INTEGER, default=ADD, minimum=ADD, maximum=REDUCE),
        Parameter(
            "utaDemoApplyMoney",
            Kind.REQUEST_LIST,
            required=True,
            members=(
                Parameter("coin", Kind.CHOICE, required=True, choices=tuple(MOST)),
                Parameter("amountStr", Kind.DECIMAL, required=True),
            ),
            members_max=len(MOST),
        ),
    ),
    answers=Nothing,
)
async def apply_money(call: Call) -> Nothing:
    with exact():
        asked = _asked(call.values["utaDemoApplyMoney"])
    reduces = call.values["adjustType"] == REDUCE
    with exact():
        standing = read(call)
        if reduces and any(standing.transferable(UNIFIED, coin) < amount for coin, amount in asked):
            raise refuse(110012)
    for coin, amount in asked:
        command: c.Deposit | c.Withdraw = c.Deposit(
            account=call.account, wallet=UNIFIED, asset=coin, amount=amount, reference=REFERENCE
        )
        if reduces:
            command = c.Withdraw(
                account=call.account, wallet=UNIFIED, asset=coin, amount=amount, fee=ZERO, reference=REFERENCE
            )

        def answer(done: Done, command: c.Deposit | c.Withdraw = command) -> None:
            if isinstance(done.rejection, InsufficientBalance):
                raise refuse(110012)
            if done.rejection is not None:
                raise call.site.dialect.speak(done.rejection, command)

        await call.attempt(command, answer)
    return {}


def _asked(members: tuple[dict[str, Any] | Refusal, ...]) -> list[tuple[str, Decimal]]:
    asked: list[tuple[str, Decimal]] = []
    for member in members:
        if isinstance(member, Refusal):
            raise member
        coin, amount = member["coin"], member["amountStr"]
        if not (ZERO < amount <= MOST[coin] and is_on_step(amount, STEP)):
            raise refuse_parameter("amountStr")
        asked.append((coin, amount))
    return asked
