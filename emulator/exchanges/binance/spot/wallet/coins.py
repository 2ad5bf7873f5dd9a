"""Coins: what an account has of each in its spot wallet, and how each moves in and out."""

from __future__ import annotations

from functools import cache

from emulator.core.instruments import InstrumentStatus
from emulator.exchanges.binance.assets import Asset, assets
from emulator.exchanges.binance.spot.holdings import Holding, holding
from emulator.exchanges.binance.spot.market.symbols import listed
from emulator.exchanges.binance.spot.payloads.wallet import AssetDetail, Coin, Delisting, Network
from emulator.exchanges.binance.spot.wallet.words import (
    ASSET,
    SPOT,
    find_coin,
    render_plain,
)
from emulator.exchanges.binance.vocabulary import MARKET_DATA, USER_DATA, ZERO_AMOUNT, render_amount
from emulator.listings import networks
from emulator.web.contract import Call, Rows

rows = Rows()


@rows.route(
    "GET",
    "/sapi/v1/capital/config/getall",
    summary="All coins' information",
    security=USER_DATA,
    weight=10,
    answers=list[Coin],
)
def all_coins(call: Call) -> list[Coin]:
    engine = call.engine
    traded: set[str] = set()
    for instrument in listed(engine):
        if instrument.status is InstrumentStatus.TRADING:
            traded.update((instrument.base, instrument.quote))
    return [
        _coin(asset, holding(engine, call.account, SPOT, code), is_traded=code in traded)
        for code, asset in assets().items()
    ]


def _coin(asset: Asset, owned: Holding, *, is_traded: bool) -> Coin:
    # Legal money moves by bank only, which is not emulated.
    moves = bool(asset.networks)
    return {
        "coin": asset.code,
        "depositAllEnable": moves,
        "withdrawAllEnable": moves,
        "name": asset.name,
        "free": render_plain(owned.free),
        "locked": render_plain(owned.held),
        "freeze": "0",
        "withdrawing": "0",
        "ipoing": "0",
        "ipoable": "0",
        "storage": "0",
        "isLegalMoney": asset.is_legal_money,
        "trading": is_traded,
        "networkList": _networks(asset.code),
    }


@cache
def _networks(code: str) -> list[Network]:
    """Nothing in it changes, and clients ask for all of it whenever they start."""
    return [_network(code, network) for network in assets()[code].networks]


def _network(coin: str, network: networks.Network) -> Network:
    return {
        "network": network.code,
        "coin": coin,
        "withdrawIntegerMultiple": render_plain(network.step),
        "isDefault": network.is_default,
        "depositEnable": True,
        "withdrawEnable": True,
        "depositDesc": "",
        "withdrawDesc": "",
        "specialTips": "",
        "specialWithdrawTips": "",
        "name": network.name,
        "resetAddressStatus": False,
        "addressRegex": network.address_regex,
        "memoRegex": network.tag_regex,
        "withdrawFee": render_plain(network.withdraw_fee),
        "withdrawMin": render_plain(network.withdraw_min),
        "withdrawMax": render_plain(network.withdraw_max),
        "withdrawInternalMin": render_plain(network.step),
        "depositDust": render_plain(network.step),
        "minConfirm": network.confirmations,
        "unLockConfirm": network.safe_confirmations,
        # Both say whether a withdrawal needs a memo.
        "sameAddress": bool(network.tag_regex),
        "withdrawTag": bool(network.tag_regex),
        "estimatedArrivalTime": network.arrival_minutes,
        "busy": False,
    }


@rows.route(
    "GET",
    "/sapi/v1/asset/assetDetail",
    summary="Asset detail",
    security=USER_DATA,
    parameters=(ASSET,),
    answers=dict[str, AssetDetail],
)
def asset_detail(call: Call) -> dict[str, AssetDetail]:
    code = call.values.get("asset")
    chosen = assets().values() if code is None else (find_coin(code),)
    return {asset.code: _detail(asset) for asset in chosen}


def _detail(asset: Asset) -> AssetDetail:
    if not asset.networks:
        return {
            "minWithdrawAmount": ZERO_AMOUNT,
            "depositStatus": False,
            "withdrawFee": 0,
            "withdrawStatus": False,
            "depositTip": "Moves on no network",
        }
    network = asset.networks[0]
    fee = network.withdraw_fee
    return {
        "minWithdrawAmount": render_amount(network.withdraw_min),
        "depositStatus": True,
        # Quirk: `withdrawFee` of assetDetail is a JSON number, where all amounts are text (wallet documents,
        # "Asset Detail").
        "withdrawFee": int(fee) if fee == fee.to_integral_value() else float(fee),
        "withdrawStatus": True,
    }


@rows.route(
    "GET",
    "/sapi/v1/spot/delist-schedule",
    summary="Get spot delist schedule",
    description="No symbol is ever removed here, so nothing is scheduled.",
    security=MARKET_DATA,
    weight=100,
    reads=False,
    answers=list[Delisting],
)
def delist_schedule(call: Call) -> list[Delisting]:
    return []
