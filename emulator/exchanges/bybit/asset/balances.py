"""What is in the unified and in the funding wallet, and how much of it may be moved."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Final

from emulator.core.numbers import ZERO, exact
from emulator.exchanges.bybit.account.readings import Standing, read
from emulator.exchanges.bybit.asset.words import COIN, WALLETS, find_coin
from emulator.exchanges.bybit.auth import READ
from emulator.exchanges.bybit.figures import decimal_text
from emulator.exchanges.bybit.payloads.asset import (
    HeldCoin,
    HeldCoins,
    LeavingCoin,
    LeavingCoins,
    OneHeldCoin,
)
from emulator.exchanges.bybit.refusals import refuse, refuse_parameter
from emulator.exchanges.bybit.running import FUND, UNIFIED
from emulator.exchanges.bybit.user import user_id_of
from emulator.web.contract import Call, Kind, Parameter, Rows

rows = Rows()

COINS_MAX: Final = 10
"""Of the unified wallet, in one request."""
_UNIFIED_ACCOUNT: Final = 1
"""`bizType` ("Get Single Coin Balance", its example)."""

ACCOUNT_TYPE: Final = Parameter("accountType", Kind.CHOICE, required=True, choices=tuple(WALLETS))
MEMBER_ID: Final = Parameter("memberId", description="The caller's own, as there are no subaccounts.")
WITH_BONUS: Final = Parameter("withBonus", Kind.INTEGER, default=0, minimum=0, maximum=1)


@rows.route(
    "GET",
    "/v5/asset/transfer/query-account-coins-balance",
    summary="Get all coins balance",
    security=READ,
    parameters=(
        ACCOUNT_TYPE,
        MEMBER_ID,
        Parameter("coin", description="Several with commas between them; UNIFIED needs it, ten at most."),
        WITH_BONUS,
    ),
    answers=HeldCoins,
)
def coins_balance(call: Call) -> HeldCoins:
    wallet = WALLETS[call.values["accountType"]]
    with exact():
        standing = read(call)
        return {
            "memberId": _member(call),
            "accountType": call.values["accountType"],
            "balance": [_held(standing, wallet, coin, call) for coin in _asked(standing, wallet, call)],
        }


@rows.route(
    "GET",
    "/v5/asset/transfer/query-account-coin-balance",
    summary="Get single coin balance",
    security=READ,
    parameters=(
        ACCOUNT_TYPE,
        COIN.but(required=True),
        MEMBER_ID,
        Parameter("toMemberId", description="Without effect, as there are no subaccounts."),
        Parameter("toAccountType", Kind.CHOICE, choices=tuple(WALLETS)),
        WITH_BONUS,
        Parameter("withTransferSafeAmount", Kind.INTEGER, default=0, minimum=0, maximum=1),
        Parameter("withLtvTransferSafeAmount", Kind.INTEGER, default=0, minimum=0, maximum=1),
    ),
    answers=OneHeldCoin,
)
def coin_balance(call: Call) -> OneHeldCoin:
    values = call.values
    wallet = WALLETS[values["accountType"]]
    with exact():
        standing = read(call)
        held = _held(standing, wallet, find_coin(values["coin"]).code, call)
    member = _member(call)
    return {
        "accountType": values["accountType"],
        "bizType": _UNIFIED_ACCOUNT,
        "accountId": member,
        "memberId": member,
        "balance": {
            **held,
            # Nothing that came in is looked at for a while before it may leave, so all of it is safe.
            "transferSafeAmount": held["transferBalance"] if values["withTransferSafeAmount"] else "",
            "ltvTransferSafeAmount": held["transferBalance"] if values["withLtvTransferSafeAmount"] else "",
        },
    }


@rows.route(
    "GET",
    "/v5/asset/withdraw/withdrawable-amount",
    summary="Get withdrawable amount",
    security=READ,
    parameters=(COIN.but(required=True),),
    answers=LeavingCoins,
)
def withdrawable_amount(call: Call) -> LeavingCoins:
    coin = find_coin(call.values["coin"]).code
    with exact():
        standing = read(call)
        return {
            # Nothing is frozen because of a risk.
            "limitAmountUsd": "0",
            "withdrawableAmount": {
                "FUND": _leaving(standing, FUND, coin),
                "UTA": _leaving(standing, UNIFIED, coin),
            },
        }


def _asked(standing: Standing, wallet: str, call: Call) -> Iterable[str]:
    listed = [one for one in call.values.get("coin", "").split(",") if one]
    if wallet == UNIFIED and not 0 < len(listed) <= COINS_MAX:
        raise refuse(10001, text="Request parameter error: coin is required, ten at most")
    for coin in listed:
        find_coin(coin)
    return listed or standing.coins_of(wallet)


def _member(call: Call) -> str:
    own = str(user_id_of(call.account))
    if call.values.get("memberId", own) not in (own, ""):
        raise refuse_parameter("memberId")
    return own


def _held(standing: Standing, wallet: str, coin: str, call: Call) -> HeldCoin:
    return {
        "coin": coin,
        "walletBalance": decimal_text(standing.balance(wallet, coin)),
        "transferBalance": decimal_text(standing.transferable(wallet, coin)),
        # Quirk: a bonus is "" where it was not asked for ("Get All Coins Balance", its example).
        "bonus": "0" if call.values["withBonus"] else "",
    }


def _leaving(standing: Standing, wallet: str, coin: str) -> LeavingCoin:
    amount: Decimal = standing.transferable(wallet, coin)
    return {
        "coin": coin,
        "withdrawableAmount": decimal_text(amount),
        "availableBalance": decimal_text(max(ZERO, amount)),
    }
