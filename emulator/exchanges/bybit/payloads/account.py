"""What is answered about the unified account (docs/v5/account, docs/v5/spot-margin-uta)."""

from __future__ import annotations

from typing import Literal, TypedDict

from emulator.exchanges.bybit.payloads.market import ContractInfo, PairInfo


class Nothing(TypedDict):
    """The result of what is just done."""


class CoinBalance(TypedDict):
    coin: str
    equity: str
    usdValue: str
    walletBalance: str
    locked: str
    spotHedgingQty: str
    borrowAmount: str
    spotBorrow: str
    accruedInterest: str
    totalOrderIM: str
    totalPositionIM: str
    totalPositionMM: str
    unrealisedPnl: str
    cumRealisedPnl: str
    bonus: str
    marginCollateral: bool
    collateralSwitch: bool
    colRes: str
    availableToWithdraw: str
    availableToBorrow: str


class Wallet(TypedDict):
    accountType: str
    accountLTV: str
    accountIMRate: str
    accountIMRateByMp: str
    accountMMRate: str
    accountMMRateByMp: str
    totalEquity: str
    totalWalletBalance: str
    totalMarginBalance: str
    totalAvailableBalance: str
    totalPerpUPL: str
    totalInitialMargin: str
    totalInitialMarginByMp: str
    totalMaintenanceMargin: str
    totalMaintenanceMarginByMp: str
    coin: list[CoinBalance]


class Wallets(TypedDict):
    list: list[Wallet]


class AccountInfo(TypedDict):
    marginMode: Literal["ISOLATED_MARGIN", "REGULAR_MARGIN", "PORTFOLIO_MARGIN"]
    updatedTime: str
    unifiedMarginStatus: int
    dcpStatus: str
    timeWindow: int
    smpGroup: int
    isMasterTrader: bool
    spotHedgingStatus: Literal["ON", "OFF"]


class FeeRate(TypedDict):
    symbol: str
    takerFeeRate: str
    makerFeeRate: str


class SpotFeeRate(FeeRate):
    baseCoin: str


class FeeRates(TypedDict):
    """Of contracts."""

    list: list[FeeRate]


class CategorisedFeeRates(TypedDict):
    category: str
    list: list[SpotFeeRate]


class Reason(TypedDict):
    reasonCode: str
    reasonMsg: str


class MarginModeSet(TypedDict):
    reasons: list[Reason]


class Transaction(TypedDict):
    id: str
    symbol: str
    category: str
    side: str
    transactionTime: str
    type: str
    transSubType: str
    qty: str
    size: str
    currency: str
    tradePrice: str
    funding: str
    fee: str
    cashFlow: str
    change: str
    cashBalance: str
    feeRate: str
    bonusChange: str
    tradeId: str
    orderId: str
    orderLinkId: str
    extraFees: str


class Transactions(TypedDict):
    nextPageCursor: str
    list: list[Transaction]


class CollateralCoin(TypedDict):
    currency: str
    hourlyBorrowRate: str
    maxBorrowingAmount: str
    freeBorrowingLimit: str
    freeBorrowAmount: str
    borrowAmount: str
    otherBorrowAmount: str
    availableToBorrow: str
    borrowable: bool
    borrowUsageRate: str
    marginCollateral: bool
    collateralSwitch: bool
    collateralRatio: str
    freeBorrowingAmount: str


class CollateralCoins(TypedDict):
    list: list[CollateralCoin]


class CollateralSwitch(TypedDict):
    coin: str
    collateralSwitch: str


class CollateralSwitches(TypedDict):
    list: list[CollateralSwitch]


class Withdrawable(TypedDict):
    availableWithdrawal: str
    availableWithdrawalMap: dict[str, str]


class Borrowed(TypedDict):
    coin: str
    amount: str


class Repaid(TypedDict):
    resultStatus: Literal["P", "SU", "FA"]


class Repayment(TypedDict):
    coin: str
    repaymentQty: str


class Repayments(TypedDict):
    list: list[Repayment]


class Interest(TypedDict):
    currency: str
    createdTime: int
    borrowCost: str
    hourlyBorrowRate: str
    InterestBearingBorrowSize: str
    costExemption: str
    borrowAmount: str
    unrealisedLoss: str
    freeBorrowedAmount: str


class Interests(TypedDict):
    nextPageCursor: str
    list: list[Interest]


class SelfMatchGroup(TypedDict):
    smpGroup: int


class Protected(TypedDict):
    product: str
    dcpStatus: str
    timeWindow: str


class Protection(TypedDict):
    dcpInfos: list[Protected]


class MakerState(TypedDict):
    baseCoin: str
    mmpEnabled: bool
    window: str
    frozenPeriod: str
    qtyLimit: str
    deltaLimit: str
    vegaLimit: str
    mmpFrozenUntil: str
    mmpFrozen: bool


class MakerStates(TypedDict):
    result: list[MakerState]


class TradeBehaviour(TypedDict):
    lpaSpot: bool
    lpaPerp: bool
    deltaEnable: bool
    smsef: bool
    fmsef: bool


class Upgrade(TypedDict):
    unifiedUpdateStatus: Literal["FAIL", "PROCESS", "SUCCESS"]
    unifiedUpdateMsg: None


class SpotMarginState(TypedDict):
    spotLeverage: str
    spotMarginMode: str
    effectiveLeverage: str


class SpotMarginMode(TypedDict):
    spotMarginMode: str


class LoanTerms(TypedDict):
    borrowable: bool
    collateralRatio: str
    currency: str
    hourlyBorrowRate: str
    liquidationOrder: str
    marginCollateral: bool
    maxBorrowingAmount: str


class LoanTermsOfLevel(TypedDict):
    list: list[LoanTerms]
    vipLevel: str


class LoanTermsOfLevels(TypedDict):
    vipCoinList: list[LoanTermsOfLevel]


class CollateralTier(TypedDict):
    minQty: str
    maxQty: str
    collateralRatio: str


class CollateralTiersOfCoin(TypedDict):
    currency: str
    collateralRatioList: list[CollateralTier]


class CollateralTiers(TypedDict):
    list: list[CollateralTiersOfCoin]


class BorrowLimitTier(TypedDict):
    tier: str
    borrowLimit: str
    positionMMR: str
    positionIMR: str
    maxLeverage: str


class BorrowLimitTiers(TypedDict):
    currency: str
    positionTiersRatioList: list[BorrowLimitTier]


class BorrowLimits(TypedDict):
    list: list[BorrowLimitTiers]


class CoinLeverage(TypedDict):
    currency: str
    spotLeverage: str


class CoinLeverages(TypedDict):
    list: list[CoinLeverage]


class LoanRule(TypedDict):
    currency: str
    flexibleManualBorrowable: bool
    minFlexibleManualBorrowQty: str
    flexibleManualBorrowAccuracy: str
    fixedManualBorrowable: bool
    minFixedManualBorrowQty: str
    fixedManualBorrowAccuracy: str
    fixedInterestRateAccuracy: str
    minFixedInterestRate: str
    maxFixedInterestRate: str


class LoanRules(TypedDict):
    list: list[LoanRule]


class MaxLoan(TypedDict):
    maxLoan: str
    currency: str


class Repayable(TypedDict):
    lossLessRepaymentAmount: str
    currency: str


class Liability(TypedDict):
    currency: str
    totalBorrowAmount: str
    fixedBorrowAmount: str
    flexibleBorrowAmount: str
    spotTotalBorrow: str
    derivativesBorrow: str


class OwnPair(PairInfo):
    isPublicRpi: bool
    myRpiPermission: bool


class OwnContract(ContractInfo):
    isPublicRpi: bool
    myRpiPermission: bool


class OwnInstruments(TypedDict):
    category: str
    list: list[OwnPair] | list[OwnContract]
    nextPageCursor: str
