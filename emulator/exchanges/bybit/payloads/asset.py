"""What is answered about coins and how they move (docs/v5/asset)."""

from __future__ import annotations

from typing import Literal, TypedDict


class Chain(TypedDict):
    chain: str
    chainType: str
    confirmation: str
    safeConfirmNumber: str
    withdrawFee: str
    withdrawPercentageFee: str
    depositMin: str
    withdrawMin: str
    withdrawMax: str
    minAccuracy: str
    chainDeposit: str
    chainWithdraw: str
    contractAddress: str


class Coin(TypedDict):
    name: str
    coin: str
    remainAmount: str
    chains: list[Chain]


class Coins(TypedDict):
    rows: list[Coin]


class TransferMade(TypedDict):
    transferId: str
    status: Literal["SUCCESS"]


class Transfer(TypedDict):
    transferId: str
    coin: str
    amount: str
    fromAccountType: str
    toAccountType: str
    timestamp: str
    status: Literal["SUCCESS"]


class Transfers(TypedDict):
    list: list[Transfer]
    nextPageCursor: str


class TransferableCoins(TypedDict):
    list: list[str]


class HeldCoin(TypedDict):
    coin: str
    walletBalance: str
    transferBalance: str
    bonus: str


class HeldCoins(TypedDict):
    accountType: str
    memberId: str
    balance: list[HeldCoin]


class SafelyHeldCoin(HeldCoin):
    transferSafeAmount: str
    ltvTransferSafeAmount: str


class OneHeldCoin(TypedDict):
    accountType: str
    bizType: int
    accountId: str
    memberId: str
    balance: SafelyHeldCoin


class AddressOfChain(TypedDict):
    chainType: str
    addressDeposit: str
    tagDeposit: str
    chain: str
    batchReleaseLimit: str
    contractAddress: str


class Addresses(TypedDict):
    coin: str
    chains: list[AddressOfChain]


class Deposit(TypedDict):
    coin: str
    chain: str
    amount: str
    txID: str
    status: int
    toAddress: str
    tag: str
    depositFee: str
    successAt: str
    confirmations: str
    txIndex: str
    blockHash: str
    batchReleaseLimit: str
    depositType: str
    fromAddress: str
    taxDepositRecordsId: str
    taxStatus: int
    id: str


class Deposits(TypedDict):
    rows: list[Deposit]
    nextPageCursor: str


class WithdrawalMade(TypedDict):
    id: str


class Withdrawal(TypedDict):
    coin: str
    chain: str
    amount: str
    txID: str
    status: str
    toAddress: str
    tag: str
    withdrawFee: str
    createTime: str
    updateTime: str
    withdrawId: str
    withdrawType: int
    tax: str
    taxRate: str
    taxType: str


class Withdrawals(TypedDict):
    rows: list[Withdrawal]
    nextPageCursor: str


class LeavingCoin(TypedDict):
    coin: str
    withdrawableAmount: str
    availableBalance: str


class LeavingWallets(TypedDict):
    FUND: LeavingCoin
    UTA: LeavingCoin


class LeavingCoins(TypedDict):
    limitAmountUsd: str
    withdrawableAmount: LeavingWallets
