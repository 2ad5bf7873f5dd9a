"""The wallet."""

from __future__ import annotations

from typing import Any

from tests.exchanges.binance.building import Building
from tests.exchanges.binance.payload_examples.example import Examples
from tests.exchanges.binance.shapes import Each, Shape, fields
from tests.exchanges.binance.test_wallet_movements import BITCOIN_ADDRESS
from tests.exchanges.binance.trading_floor import NOW_MS

examples = Examples()

# What the loops below go through.
_shape: Shape

# Shapes: the wallet

NETWORK = fields(
    """network:s coin:s withdrawIntegerMultiple:s isDefault:b depositEnable:b withdrawEnable:b depositDesc:s
    withdrawDesc:s specialTips:s specialWithdrawTips:s name:s resetAddressStatus:b addressRegex:s memoRegex:s
    withdrawFee:s withdrawMin:s withdrawMax:s withdrawInternalMin:s depositDust:s minConfirm:i unLockConfirm:i
    sameAddress:b withdrawTag:b estimatedArrivalTime:i busy:b"""
)
COIN = fields(
    "coin:s depositAllEnable:b withdrawAllEnable:b name:s free:s locked:s freeze:s withdrawing:s ipoing:s "
    "ipoable:s storage:s isLegalMoney:b trading:b",
    networkList=[NETWORK],
)
DEPOSIT = fields(
    "id:s amount:s coin:s network:s status:i address:s addressTag:s txId:s insertTime:i completeTime:i "
    "transferType:i confirmTimes:s unlockConfirm:i walletType:i travelRuleStatus:i"
)
WITHDRAWAL = fields(
    "id:s amount:s transactionFee:s coin:s status:i address:s txId:s applyTime:s network:s transferType:i "
    "withdrawOrderId:s info:s confirmNo:i walletType:i txKey:s completeTime:s"
)
OWNED = fields("asset:s free:s locked:s freeze:s withdrawing:s btcValuation:s")
WALLET = fields("activate:b balance:s walletName:s")
DIVIDEND = fields("id:i amount:s asset:s divTime:i enInfo:s tranId:i direction:i")
DUST = fields(
    "transId:i serviceChargeAmount:s amount:s operateTime:i transferedAmount:s fromAsset:s targetAsset:s"
)
DRIBBLET = fields(
    "operateTime:i totalTransferedAmount:s totalServiceChargeAmount:s transId:i",
    userAssetDribbletDetails=[DUST],
)
RESTRICTIONS = fields(
    "ipRestrict:b createTime:i enableReading:b enableWithdrawals:b enableInternalTransfer:b enableMargin:b "
    "enableFutures:b permitsUniversalTransfer:b enableVanillaOptions:b enableFixApiTrade:b "
    "enableFixReadOnly:b enableSpotAndMarginTrading:b enablePortfolioMarginTrading:b"
)
PAIR = fields("base:s isBuyAllowed:b isMarginTrade:b isSellAllowed:b quote:s symbol:s")

# The wallet


async def _a_deposit(building: Building) -> dict[str, Any]:
    return {"coin": "BTC"}


async def _a_withdrawal(building: Building) -> dict[str, Any]:
    await building.take(
        "POST",
        "/sapi/v1/capital/withdraw/apply",
        {"coin": "BTC", "address": BITCOIN_ADDRESS, "amount": 1, "withdrawOrderId": "mine"},
    )
    return {}


async def _a_transfer(building: Building) -> dict[str, Any]:
    await building.take(
        "POST", "/sapi/v1/asset/transfer", {"type": "MAIN_FUNDING", "asset": "BTC", "amount": 1}
    )
    return {}


async def _an_old_transfer(building: Building) -> dict[str, Any]:
    await building.take("POST", "/sapi/v1/futures/transfer", {"type": 1, "asset": "BTC", "amount": 1})
    return {}


async def _in_funding(building: Building) -> dict[str, Any]:
    await _a_transfer(building)
    return {"asset": "BTC"}


for _row, _shape, _cite, _parameters, _before in (
    ("GET /sapi/v1/system/status", fields("status:i msg:s"), "System Status", {}, None),
    ("GET /sapi/v1/capital/deposit/hisrec", [DEPOSIT], "Deposit History", {}, _a_deposit),
    (
        "GET /sapi/v1/capital/deposit/address",
        fields("address:s coin:s tag:s url:s"),
        "Deposit Address",
        {"coin": "BTC"},
        None,
    ),
    (
        "GET /sapi/v1/capital/deposit/address/list",
        [fields("coin:s address:s tag:s isDefault:i")],
        "Fetch deposit address list with network",
        {"coin": "ETH"},
        None,
    ),
    (
        "POST /sapi/v1/capital/withdraw/apply",
        fields("id:s"),
        "Withdraw",
        {"coin": "BTC", "address": BITCOIN_ADDRESS, "amount": 1},
        None,
    ),
    ("GET /sapi/v1/capital/withdraw/history", [WITHDRAWAL], "Withdraw History", {}, _a_withdrawal),
    (
        "POST /sapi/v1/asset/transfer",
        fields("tranId:i"),
        "User Universal Transfer",
        {"type": "MAIN_FUNDING", "asset": "BTC", "amount": 1},
        None,
    ),
    (
        "GET /sapi/v1/asset/transfer",
        fields("total:i", rows=[fields("asset:s amount:s type:s status:s tranId:i timestamp:i")]),
        "Query User Universal Transfer History",
        {"type": "MAIN_FUNDING"},
        _a_transfer,
    ),
    (
        "POST /sapi/v1/futures/transfer",
        fields("tranId:i"),
        "New Future Account Transfer",
        {"type": 1, "asset": "BTC", "amount": 1},
        None,
    ),
    (
        "GET /sapi/v1/futures/transfer",
        fields("total:i", rows=[fields("asset:s amount:s type:s status:s tranId:i timestamp:i")]),
        "Get Future Account Transaction History List",
        {"asset": "BTC", "startTime": NOW_MS},
        _an_old_transfer,
    ),
    (
        "GET /sapi/v1/asset/assetDetail",
        Each(fields("minWithdrawAmount:s depositStatus:b withdrawFee:n withdrawStatus:b")),
        "Asset Detail",
        {"asset": "BTC"},
        None,
    ),
    (
        "GET /sapi/v1/asset/tradeFee",
        [fields("symbol:s makerCommission:s takerCommission:s")],
        "Trade Fee",
        {},
        None,
    ),
    ("POST /sapi/v3/asset/getUserAsset", [OWNED | fields("ipoable:s")], "User Asset", {}, None),
    ("POST /sapi/v1/asset/get-funding-asset", [OWNED], "Funding Wallet", {}, _in_funding),
    ("GET /sapi/v1/asset/wallet/balance", [WALLET], "Query User Wallet Balance", {}, None),
    ("GET /sapi/v1/account/status", fields("data:s"), "Account Status", {}, None),
    (
        "GET /sapi/v1/account/apiTradingStatus",
        {
            "data": fields(
                "isLocked:b plannedRecoverTime:i updateTime:i", triggerCondition=fields("GCR:i IFER:i UFR:i")
            )
        },
        "Account API Trading Status",
        {},
        None,
    ),
    (
        "GET /sapi/v1/account/info",
        fields(
            "vipLevel:i isMarginEnabled:b isFutureEnabled:b isOptionsEnabled:b "
            "isPortfolioMarginRetailEnabled:b"
        ),
        "Account info",
        {},
        None,
    ),
    ("GET /sapi/v1/account/apiRestrictions", RESTRICTIONS, "Get API Key Permission", {}, None),
    (
        "GET /sapi/v1/bnbBurn",
        fields("spotBNBBurn:b interestBNBBurn:b"),
        "Get BNB Burn Status (margin)",
        {},
        None,
    ),
    (
        "POST /sapi/v1/bnbBurn",
        fields("spotBNBBurn:b interestBNBBurn:b"),
        "Toggle BNB Burn On Spot Trade And Margin Interest",
        {"spotBNBBurn": "true"},
        None,
    ),
    (
        "GET /sapi/v1/margin/allPairs",
        [PAIR | fields("id:i")],
        "Get All Cross Margin Pairs (margin)",
        {},
        None,
    ),
    (
        "GET /sapi/v1/margin/isolated/allPairs",
        [PAIR],
        "Get All Isolated Margin Symbol (margin)",
        {},
        None,
    ),
):
    examples.shows(_row, _shape, _cite, _parameters, before=_before)
_BARE = WALLET | {"assetBalances": []}
examples.shows(
    "GET /sapi/v1/asset/wallet/balance",
    (WALLET | {"assetBalances": [OWNED | fields("assetName:s")]}, _BARE, _BARE, _BARE),
    "Query User Wallet Balance",
    {"needBalanceDetail": "true"},
    form="with details",
)
examples.shows(
    "GET /sapi/v1/capital/deposit/hisrec",
    [DEPOSIT | fields("sourceAddress:s")],
    "Deposit History",
    {"includeSource": "true"},
    form="with sources",
)
