"""Withdrawals: checked as the exchange checks them, taken from the ledger and completed at once.

The amount asked for includes the fee: what arrives, and what the history shows, is the amount less
the fee. Whether the receiving address belongs to another account here is not looked at, so no
withdrawal is internal.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from emulator.core import commands
from emulator.core.engine import Done
from emulator.core.events import AmountWithdrawn
from emulator.core.history import MovementKind
from emulator.core.numbers import EXACT, is_on_step
from emulator.exchanges.binance.assets import Asset, assets
from emulator.exchanges.binance.errors import refuse
from emulator.exchanges.binance.limits import ACCOUNT_POOL, ACCOUNT_SECOND_POOL
from emulator.exchanges.binance.spot.payloads.wallet import Withdrawal, WithdrawalId
from emulator.exchanges.binance.spot.wallet.deposits import find_network
from emulator.exchanges.binance.spot.wallet.networks import withdrawal_id
from emulator.exchanges.binance.spot.wallet.words import (
    COIN,
    FUNDING,
    HISTORY,
    HISTORY_DAYS,
    NETWORK,
    SPOT,
    WALLET_TYPES,
    asked_range,
    find_coin,
    movements,
    page,
    refuse_wallet,
    render_plain,
)
from emulator.exchanges.binance.vocabulary import USER_DATA, WITHDRAW
from emulator.listings.networks import Network
from emulator.runtime.submission import Submission
from emulator.web.addresses import transaction_id
from emulator.web.contract import Call, Kind, Parameter, Rows

rows = Rows()

COMPLETED: Final = 6
IDS_MAX: Final = 45
NAMED_DAYS: Final = 7
"""How far back a history by `withdrawOrderId` reaches."""

WITHDRAW_ORDER_ID: Final = Parameter("withdrawOrderId", length_max=64)


@rows.route(
    "POST",
    "/sapi/v1/capital/withdraw/apply",
    summary="Withdraw",
    security=WITHDRAW,
    weight=900,
    pool=ACCOUNT_POOL,
    parameters=(
        COIN.but(required=True),
        WITHDRAW_ORDER_ID,
        NETWORK,
        Parameter("address", required=True, length_max=200),
        Parameter("addressTag", length_max=200, description="The memo, where the network has one."),
        Parameter("amount", Kind.DECIMAL, required=True, description="The fee is taken out of it."),
        Parameter(
            "transactionFeeFlag", Kind.BOOLEAN, description="About internal transfers: there are none."
        ),
        Parameter("name", length_max=200, description="For the address book, which is not kept."),
        Parameter(
            "walletType", Kind.INTEGER, default=0, minimum=0, maximum=1, description="0 spot, 1 funding."
        ),
    ),
    answers=WithdrawalId,
)
def withdraw(call: Call) -> Submission[WithdrawalId]:
    values = call.values
    asset = find_coin(values["coin"])
    if not asset.networks:
        raise refuse_wallet(-4019)
    network = find_network(asset, values.get("network"))
    amount: Decimal = values["amount"]
    address: str = values["address"]
    tag: str = values.get("addressTag", "")
    _check_destination(network, address, tag)
    _check_amount(network, amount)
    command = commands.Withdraw(
        account=call.account,
        wallet=FUNDING if values["walletType"] else SPOT,
        asset=asset.code,
        amount=amount,
        fee=network.withdraw_fee,
        reference=values.get("withdrawOrderId", ""),
        labels=(("network", network.code), ("address", address), ("tag", tag)),
    )

    def answer(done: Done) -> WithdrawalId:
        (event,) = done.events
        assert isinstance(event, AmountWithdrawn)
        return {"id": withdrawal_id(call.sandbox.seed, event.movement)}

    return call.submit(command, answer)


def _check_destination(network: Network, address: str, tag: str) -> None:
    if not re.search(network.address_regex, address):
        raise refuse_wallet(-4007)
    if not network.tag_regex:
        if tag:
            raise refuse_wallet(-4106)
    elif not re.search(network.tag_regex, tag):
        # A memo is mandatory where the network has one (wallet documents, "Withdraw").
        raise refuse_wallet(-4008)


def _check_amount(network: Network, amount: Decimal) -> None:
    if not is_on_step(amount, network.step):
        raise refuse_wallet(-4021, "integer", render_plain(network.step))
    if amount < network.withdraw_min:
        raise refuse_wallet(-4022, render_plain(network.withdraw_min))
    if amount > network.withdraw_max:
        raise refuse_wallet(-4023)


@rows.route(
    "GET",
    "/sapi/v1/capital/withdraw/history",
    summary="Withdraw history (supporting network)",
    security=USER_DATA,
    # Ten requests a second: this one weighs by the second.
    weight=18_000,
    pool=ACCOUNT_SECOND_POOL,
    parameters=(
        COIN,
        WITHDRAW_ORDER_ID,
        Parameter("status", Kind.INTEGER, description="6 is completed; there is no other here."),
        Parameter("idList", length_max=2000, description=f"Up to {IDS_MAX} ids, separated by commas."),
        *HISTORY,
    ),
    answers=list[Withdrawal],
)
async def withdrawals(call: Call) -> list[Withdrawal]:
    return list(page(await _wanted(call), call.values))


async def _wanted(call: Call) -> list[Withdrawal]:
    """Newest first."""
    values = call.values
    coin, name = values.get("coin"), values.get("withdrawOrderId")
    start_us, end_us = asked_range(values, call.now_us, HISTORY_DAYS if name is None else NAMED_DAYS)
    ids = frozenset(values["idList"].split(",")) if "idList" in values else None
    if ids is not None and len(ids) > IDS_MAX:
        # The documents name the bound, not the error.
        raise refuse(-1130, "idList")
    if values.get("status", COMPLETED) != COMPLETED:
        return []
    wanted: list[Withdrawal] = []
    for movement in await movements(call, MovementKind.WITHDRAWAL, start_us, end_us):
        event = movement.event
        if type(event) is not AmountWithdrawn or event.wallet not in WALLET_TYPES:
            continue
        if (coin is not None and event.asset != coin) or (name is not None and event.reference != name):
            continue
        withdrawal = _withdrawal(call.sandbox.seed, event, movement.time_us)
        if ids is None or withdrawal["id"] in ids:
            wanted.append(withdrawal)
    return wanted


def _withdrawal(seed: int, event: AmountWithdrawn, time_us: int) -> Withdrawal:
    labels = dict(event.labels)
    network = labels.get("network", "")
    moment = datetime.fromtimestamp(time_us // 1_000_000, UTC).strftime("%Y-%m-%d %H:%M:%S")
    withdrawal: Withdrawal = {
        "id": withdrawal_id(seed, event.movement),
        "amount": render_plain(EXACT.subtract(event.amount, event.fee)),
        "transactionFee": render_plain(event.fee),
        "coin": event.asset,
        "status": COMPLETED,
        "address": labels.get("address", ""),
        "txId": transaction_id(seed, event.movement, network),
        # Quirk: times of withdrawals are text in UTC, where those of deposits are milliseconds (wallet
        # documents, "Withdraw History").
        "applyTime": moment,
        "network": network,
        "transferType": 0,
        "info": "",
        "confirmNo": _confirmations(assets().get(event.asset), network),
        "walletType": WALLET_TYPES[event.wallet],
        "txKey": "",
        "completeTime": moment,
    }
    if event.reference:
        withdrawal["withdrawOrderId"] = event.reference
    return withdrawal


def _confirmations(asset: Asset | None, network: str) -> int:
    networks = () if asset is None else asset.networks
    return next((each.confirmations for each in networks if each.code == network), 0)
