"""Deposits: addresses to receive at, and what was received into the spot and funding wallets.

Deposits come through the control API, not over a network: the network shown is the coin's default.
"""

from __future__ import annotations

from emulator.core.events import AmountDeposited
from emulator.core.history import Movement, MovementKind
from emulator.exchanges.binance.assets import Asset, assets
from emulator.exchanges.binance.errors import refuse
from emulator.exchanges.binance.spot.payloads.wallet import Deposit, DepositAddress, ListedDepositAddress
from emulator.exchanges.binance.spot.wallet.networks import deposit_address
from emulator.exchanges.binance.spot.wallet.words import (
    COIN,
    HISTORY,
    NETWORK,
    WALLET_TYPES,
    asked_range,
    find_coin,
    movements,
    page,
    render_plain,
)
from emulator.exchanges.binance.vocabulary import USER_DATA
from emulator.listings.networks import Network
from emulator.web.addresses import transaction_id
from emulator.web.contract import Call, Kind, Parameter, Rows

rows = Rows()

SUCCESS = 1


def find_network(asset: Asset, code: str | None) -> Network:
    """The network of a code, or the default one; raises -1130, as the error list has nothing nearer."""
    if not asset.networks:
        raise refuse(-1130, "coin")
    if code is None:
        return asset.networks[0]
    for network in asset.networks:
        if network.code == code:
            return network
    raise refuse(-1130, "network")


@rows.route(
    "GET",
    "/sapi/v1/capital/deposit/address",
    summary="Deposit address (supporting network)",
    security=USER_DATA,
    weight=10,
    parameters=(COIN.but(required=True), NETWORK, Parameter("amount", Kind.DECIMAL)),
    answers=DepositAddress,
)
def address(call: Call) -> DepositAddress:
    asset = find_coin(call.values["coin"])
    network = find_network(asset, call.values.get("network"))
    own = deposit_address(call.sandbox.seed, call.account, network)
    return {"address": own.text, "coin": asset.code, "tag": own.tag, "url": own.url}


@rows.route(
    "GET",
    "/sapi/v1/capital/deposit/address/list",
    summary="Fetch deposit address list with network",
    security=USER_DATA,
    weight=10,
    parameters=(COIN.but(required=True), NETWORK),
    answers=list[ListedDepositAddress],
)
def addresses(call: Call) -> list[ListedDepositAddress]:
    asset = find_coin(call.values["coin"])
    network = find_network(asset, call.values.get("network"))
    own = deposit_address(call.sandbox.seed, call.account, network)
    # An account has one address on a network, which is then its default.
    return [{"coin": asset.code, "address": own.text, "tag": own.tag, "isDefault": 1}]


@rows.route(
    "GET",
    "/sapi/v1/capital/deposit/hisrec",
    summary="Deposit history (supporting network)",
    security=USER_DATA,
    parameters=(
        Parameter("includeSource", Kind.BOOLEAN, default=False),
        COIN,
        Parameter("status", Kind.INTEGER, description="1 is success; deposits have no other status here."),
        Parameter("txId"),
        *HISTORY,
    ),
    answers=list[Deposit],
)
async def deposits(call: Call) -> list[Deposit]:
    return list(page(await _wanted(call), call.values))


async def _wanted(call: Call) -> list[Deposit]:
    """Newest first."""
    values = call.values
    start_us, end_us = asked_range(values, call.now_us)
    if values.get("status", SUCCESS) != SUCCESS:
        return []
    coin, transaction = values.get("coin"), values.get("txId")
    wanted: list[Deposit] = []
    for movement in await movements(call, MovementKind.DEPOSIT, start_us, end_us):
        event = movement.event
        if type(event) is not AmountDeposited or event.wallet not in WALLET_TYPES:
            continue
        if coin is not None and event.asset != coin:
            continue
        deposit = _deposit(call, event, movement)
        if deposit is not None and (transaction is None or deposit["txId"] == transaction):
            wanted.append(deposit)
    return wanted


def _deposit(call: Call, event: AmountDeposited, movement: Movement) -> Deposit | None:
    asset = assets().get(event.asset)
    if asset is None or not asset.networks:
        return None  # Came over no network, so it is no deposit in the sense of this history.
    network = asset.networks[0]
    own = deposit_address(call.sandbox.seed, call.account, network)
    time_ms = movement.time_us // 1000
    deposit: Deposit = {
        "id": str(event.movement),
        "amount": render_plain(event.amount),
        "coin": event.asset,
        "network": network.code,
        "status": SUCCESS,
        "address": own.text,
        "addressTag": own.tag,
        "txId": transaction_id(call.sandbox.seed, event.movement, network.code),
        "insertTime": time_ms,
        "completeTime": time_ms,
        "transferType": 0,
        "confirmTimes": f"{network.confirmations}/{network.confirmations}",
        "unlockConfirm": network.safe_confirmations,
        "walletType": WALLET_TYPES[event.wallet],
        "travelRuleStatus": 0,
    }
    if call.values["includeSource"]:
        deposit["sourceAddress"] = ""
    return deposit
