"""Deposits: addresses to receive at, and what was received.

Deposits come through the control API, not over a chain: the chain shown is the coin's default.
"""

from __future__ import annotations

from typing import Final

from emulator.core.events import AmountDeposited
from emulator.core.history import Movement, MovementKind
from emulator.core.ids import AccountId
from emulator.exchanges.bybit.asset.words import (
    COIN,
    CURSOR,
    END_TIME,
    START_TIME,
    find_coin,
    limit,
    movements,
    page,
)
from emulator.exchanges.bybit.assets import Asset, assets
from emulator.exchanges.bybit.auth import READ
from emulator.exchanges.bybit.figures import decimal_text
from emulator.exchanges.bybit.payloads.asset import Addresses, AddressOfChain, Deposit, Deposits
from emulator.exchanges.bybit.refusals import refuse_parameter
from emulator.listings.networks import Network
from emulator.web.addresses import FORMS, Address, derived_address, derived_digest, transaction_id
from emulator.web.contract import Call, Parameter, Rows

rows = Rows()

SUCCESS: Final = 3
"""`status` (enum, `depositStatus`)."""
DAYS: Final = 30

NETWORKS: Final = {"APTOS": "APT", "ARBI": "ARBITRUM", "CAVAX": "AVAXC", "OP": "OPTIMISM"}
"""Chains that are called otherwise elsewhere."""


def find_chain(asset: Asset, code: str | None) -> Network:
    """The chain of a code, or the default one; raises 10001."""
    if not asset.networks:
        raise refuse_parameter("coin")
    if not code:
        return asset.networks[0]
    for chain in asset.networks:
        if code in (chain.code, chain.name):
            return chain
    raise refuse_parameter("chainType")


def network_of(chain: Network) -> str:
    """What the looks of its addresses go by."""
    network = NETWORKS.get(chain.code, chain.code)
    # A chain of Ethereum's kind, if nothing else is known of it.
    return network if network in FORMS else "ETH"


def own_address(seed: int, account: AccountId, chain: Network) -> Address:
    return derived_address(seed, account, network_of(chain), has_memo=bool(chain.tag_regex))


@rows.route(
    "GET",
    "/v5/asset/deposit/query-address",
    summary="Get master deposit address",
    security=READ,
    parameters=(COIN.but(required=True), Parameter("chainType", description="A `chain` of coin info.")),
    answers=Addresses,
)
def addresses(call: Call) -> Addresses:
    asset = find_coin(call.values["coin"])
    chosen = call.values.get("chainType")
    chains = (find_chain(asset, chosen),) if chosen else asset.networks
    return {"coin": asset.code, "chains": [_address(call, one) for one in chains]}


def _address(call: Call, chain: Network) -> AddressOfChain:
    own = own_address(call.sandbox.seed, call.account, chain)
    return {
        "chainType": chain.name,
        "addressDeposit": own.text,
        "tagDeposit": own.tag,
        "chain": chain.code,
        "batchReleaseLimit": "-1",
        "contractAddress": "",
    }


@rows.route(
    "GET",
    "/v5/asset/deposit/query-record",
    summary="Get deposit records (on-chain)",
    description="Newest first, of the last thirty days where no time is given.",
    security=READ,
    parameters=(Parameter("id"), Parameter("txID"), COIN, START_TIME, END_TIME, limit(50), CURSOR),
    answers=Deposits,
)
async def deposits(call: Call) -> Deposits:
    values = call.values
    number, transaction, coin = values.get("id"), values.get("txID"), values.get("coin")
    found: list[tuple[int, Deposit]] = []
    for movement in await movements(call, MovementKind.DEPOSIT, DAYS):
        event = movement.event
        assert type(event) is AmountDeposited
        asset = assets().get(event.asset)
        if asset is None or not asset.networks:
            continue  # Came over no chain, so it is no deposit in the sense of this history.
        if number not in (None, "", str(event.movement)) or coin not in (None, event.asset):
            continue
        deposit = _deposit(call, event, asset.networks[0], movement)
        if transaction in (None, "", deposit["txID"]):
            found.append((event.movement, deposit))
    listed, cursor = page(found, values["limit"])
    return {"rows": listed, "nextPageCursor": cursor}


def _deposit(call: Call, event: AmountDeposited, chain: Network, movement: Movement) -> Deposit:
    own = own_address(call.sandbox.seed, call.account, chain)
    return {
        "coin": event.asset,
        "chain": chain.code,
        "amount": decimal_text(event.amount),
        "txID": transaction_id(call.sandbox.seed, event.movement, network_of(chain)),
        "status": SUCCESS,
        "toAddress": own.text,
        "tag": own.tag,
        "depositFee": "",
        "successAt": str(movement.time_us // 1_000_000 * 1000),
        "confirmations": str(chain.confirmations),
        "txIndex": "0",
        "blockHash": derived_digest(f"block/{call.sandbox.seed}/{event.movement}", 32).hex(),
        "batchReleaseLimit": "-1",
        "depositType": "0",
        "fromAddress": "",
        "taxDepositRecordsId": "0",
        "taxStatus": 0,
        "id": str(event.movement),
    }
