"""What is in the unified wallet, and how much of it may leave."""

from __future__ import annotations

from typing import Final

from emulator.core.numbers import exact
from emulator.exchanges.bybit.account.readings import read, render_wallet
from emulator.exchanges.bybit.assets import assets
from emulator.exchanges.bybit.auth import READ
from emulator.exchanges.bybit.figures import decimal_text
from emulator.exchanges.bybit.payloads.account import Wallets, Withdrawable
from emulator.exchanges.bybit.refusals import refuse, refuse_parameter
from emulator.exchanges.bybit.running import UNIFIED
from emulator.web.contract import Call, Parameter, Rows

rows = Rows()

COINS_MAX: Final = 20
"""Of one request for what may leave."""
UNIFIED_ONLY: Final = "accountType only support UNIFIED."
"""Of 10001, as running servers say it."""


def asked_coins(text: str, name: str) -> list[str]:
    """Coins with commas between them; raises 10001 for one that there is not."""
    listed = [one.strip() for one in text.split(",") if one.strip()]
    if not all(one in assets() for one in listed):
        raise refuse_parameter(name)
    return list(dict.fromkeys(listed))


@rows.route(
    "GET",
    "/v5/account/wallet-balance",
    summary="Get wallet balance",
    description="Of all coins of which there is anything or anything owed, or of those that are named.",
    security=READ,
    parameters=(
        Parameter("accountType", required=True, description="`UNIFIED`."),
        Parameter("coin", description="Several with commas between them.", length_max=1000),
    ),
    answers=Wallets,
)
def wallet_balance(call: Call) -> Wallets:
    if call.values["accountType"] != "UNIFIED":
        raise refuse(10001, text=UNIFIED_ONLY)
    with exact():
        standing = read(call)
        coins = asked_coins(call.values.get("coin", ""), "coin") or standing.coins_of(UNIFIED)
        return {"list": [render_wallet(standing, coins)]}


@rows.route(
    "GET",
    "/v5/account/withdrawal",
    summary="Get transferable amount (unified)",
    security=READ,
    parameters=(Parameter("coinName", required=True, description="Up to twenty, with commas between them."),),
    answers=Withdrawable,
)
def withdrawal(call: Call) -> Withdrawable:
    coins = asked_coins(call.values["coinName"], "coinName")
    if not 0 < len(coins) <= COINS_MAX:
        raise refuse_parameter("coinName")
    with exact():
        standing = read(call)
        amounts = {coin: decimal_text(standing.transferable(UNIFIED, coin)) for coin in coins}
    return {"availableWithdrawal": amounts[coins[0]], "availableWithdrawalMap": amounts}
