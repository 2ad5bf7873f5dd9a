"""What coins there are and on which chains they move."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from emulator.exchanges.bybit.asset.words import COIN, find_coin
from emulator.exchanges.bybit.assets import Asset, assets
from emulator.exchanges.bybit.auth import READ
from emulator.exchanges.bybit.figures import decimal_text
from emulator.exchanges.bybit.payloads.asset import Chain, Coin, Coins
from emulator.listings.networks import Network
from emulator.web.contract import Call, Rows

rows = Rows()

WITHDRAW_MAX: Final = Decimal(10_000_000)
"""Of one withdrawal, and what is said to be left of a coin ("Get Coin Info", its example)."""


@rows.route(
    "GET",
    "/v5/asset/coin/query-info",
    summary="Get coin info",
    security=READ,
    parameters=(COIN,),
    answers=Coins,
)
def coins(call: Call) -> Coins:
    code = call.values.get("coin")
    found = assets().values() if code is None else (find_coin(code),)
    return {"rows": [_coin(one) for one in found]}


def _coin(asset: Asset) -> Coin:
    return {
        "name": asset.name,
        "coin": asset.code,
        "remainAmount": decimal_text(WITHDRAW_MAX),
        "chains": [_chain(one) for one in asset.networks],
    }


def _chain(chain: Network) -> Chain:
    return {
        "chain": chain.code,
        "chainType": chain.name,
        "confirmation": str(chain.confirmations),
        "safeConfirmNumber": str(chain.safe_confirmations),
        "withdrawFee": decimal_text(chain.withdraw_fee),
        "withdrawPercentageFee": "0",
        # Deposits come through the control API and may be of any amount.
        "depositMin": "0",
        "withdrawMin": decimal_text(chain.withdraw_min),
        "withdrawMax": decimal_text(WITHDRAW_MAX),
        "minAccuracy": str(chain.places),
        "chainDeposit": "1",
        "chainWithdraw": "1",
        "contractAddress": "",
    }
