"""What the wallet endpoints answer.

Amounts are text without trailing zeros here, unlike those of `/api/v3`, wherever the documented
examples have them so.
"""

from __future__ import annotations

from typing import NotRequired, TypedDict

# Coins, deposits and withdrawals


class Network(TypedDict):
    """contractAddress and contractAddressUrl only of tokens, denomination only of coins in multiples:
    neither is known of the coins that are listed here."""

    network: str
    coin: str
    withdrawIntegerMultiple: str
    isDefault: bool
    depositEnable: bool
    withdrawEnable: bool
    depositDesc: str
    withdrawDesc: str
    specialTips: str
    specialWithdrawTips: str
    name: str
    resetAddressStatus: bool
    addressRegex: str
    memoRegex: str
    withdrawFee: str
    withdrawMin: str
    withdrawMax: str
    withdrawInternalMin: str
    depositDust: str
    minConfirm: int
    unLockConfirm: int
    sameAddress: bool
    withdrawTag: bool
    estimatedArrivalTime: int
    busy: bool
    contractAddressUrl: NotRequired[str]
    contractAddress: NotRequired[str]
    denomination: NotRequired[int]


class Coin(TypedDict):
    coin: str
    depositAllEnable: bool
    withdrawAllEnable: bool
    name: str
    free: str
    locked: str
    freeze: str
    withdrawing: str
    ipoing: str
    ipoable: str
    storage: str
    isLegalMoney: bool
    trading: bool
    networkList: list[Network]


class DepositAddress(TypedDict):
    address: str
    coin: str
    tag: str
    url: str


class ListedDepositAddress(TypedDict):
    coin: str
    address: str
    tag: str
    isDefault: int


class Deposit(TypedDict):
    """sourceAddress only when it was asked for."""

    id: str
    amount: str
    coin: str
    network: str
    status: int
    address: str
    addressTag: str
    txId: str
    insertTime: int
    completeTime: int
    transferType: int
    confirmTimes: str
    unlockConfirm: int
    walletType: int
    travelRuleStatus: int
    sourceAddress: NotRequired[str]


class Withdrawal(TypedDict):
    """withdrawOrderId only when the client gave one. Times are text, in UTC."""

    id: str
    amount: str
    transactionFee: str
    coin: str
    status: int
    address: str
    txId: str
    applyTime: str
    network: str
    transferType: int
    withdrawOrderId: NotRequired[str]
    info: str
    confirmNo: int
    walletType: int
    txKey: str
    completeTime: str


class WithdrawalId(TypedDict):
    id: str


# Assets


class AssetDetail(TypedDict):
    """withdrawFee is a number on the wire. depositTip only where deposits are suspended."""

    minWithdrawAmount: str
    depositStatus: bool
    withdrawFee: float
    withdrawStatus: bool
    depositTip: NotRequired[str]


class TradeFee(TypedDict):
    symbol: str
    makerCommission: str
    takerCommission: str


class TransferId(TypedDict):
    tranId: int


class Transfer(TypedDict):
    asset: str
    amount: str
    type: str
    status: str
    tranId: int
    timestamp: int


class Transfers(TypedDict):
    total: int
    rows: list[Transfer]


class FundingAsset(TypedDict):
    asset: str
    free: str
    locked: str
    freeze: str
    withdrawing: str
    btcValuation: str


class UserAsset(TypedDict):
    asset: str
    free: str
    locked: str
    freeze: str
    withdrawing: str
    ipoable: str
    btcValuation: str


class DetailedBalance(TypedDict):
    asset: str
    assetName: str
    free: str
    locked: str
    freeze: str
    withdrawing: str
    btcValuation: str


class WalletBalance(TypedDict):
    """assetBalances only when it was asked for."""

    activate: bool
    balance: str
    walletName: str
    assetBalances: NotRequired[list[DetailedBalance]]


class Dividend(TypedDict):
    id: int
    amount: str
    asset: str
    divTime: int
    enInfo: str
    tranId: int
    direction: int


class Dividends(TypedDict):
    rows: list[Dividend]
    total: int


class DribbletDetail(TypedDict):
    transId: int
    serviceChargeAmount: str
    amount: str
    operateTime: int
    transferedAmount: str
    fromAsset: str
    targetAsset: str


class Dribblet(TypedDict):
    operateTime: int
    totalTransferedAmount: str
    totalServiceChargeAmount: str
    transId: int
    userAssetDribbletDetails: list[DribbletDetail]


class Dribblets(TypedDict):
    total: int
    userAssetDribblets: list[Dribblet]


class FeePayment(TypedDict):
    spotBNBBurn: bool
    interestBNBBurn: bool


# Account and system


class SystemStatus(TypedDict):
    status: int
    msg: str


class AccountStatus(TypedDict):
    data: str


class TriggerCondition(TypedDict):
    GCR: int
    IFER: int
    UFR: int


class TradingStatus(TypedDict):
    isLocked: bool
    plannedRecoverTime: int
    triggerCondition: TriggerCondition
    updateTime: int


class AccountTradingStatus(TypedDict):
    data: TradingStatus


class AccountLevel(TypedDict):
    vipLevel: int
    isMarginEnabled: bool
    isFutureEnabled: bool
    isOptionsEnabled: bool
    isPortfolioMarginRetailEnabled: bool


class KeyRestrictions(TypedDict):
    ipRestrict: bool
    createTime: int
    enableReading: bool
    enableWithdrawals: bool
    enableInternalTransfer: bool
    enableMargin: bool
    enableFutures: bool
    permitsUniversalTransfer: bool
    enableVanillaOptions: bool
    enableFixApiTrade: bool
    enableFixReadOnly: bool
    enableSpotAndMarginTrading: bool
    enablePortfolioMarginTrading: bool


class Delisting(TypedDict):
    delistTime: int
    symbols: list[str]


# Margin listings


class MarginPair(TypedDict):
    """delistTime only of a pair that will be removed."""

    base: str
    id: int
    isBuyAllowed: bool
    isMarginTrade: bool
    isSellAllowed: bool
    quote: str
    symbol: str
    delistTime: NotRequired[int]


class IsolatedMarginPair(TypedDict):
    base: str
    isBuyAllowed: bool
    isMarginTrade: bool
    isSellAllowed: bool
    quote: str
    symbol: str
    delistTime: NotRequired[int]
