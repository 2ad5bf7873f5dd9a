"""The state of the system, of the account and of its key, and in what the account pays its fees."""

from __future__ import annotations

from emulator.core.commands import SetFeePayment
from emulator.exchanges.binance.auth import permits
from emulator.exchanges.binance.errors import TEXTS, refuse
from emulator.exchanges.binance.spot.payloads.wallet import (
    AccountLevel,
    AccountStatus,
    AccountTradingStatus,
    FeePayment,
    KeyRestrictions,
    SystemStatus,
)
from emulator.exchanges.binance.spot.wallet.words import SPOT
from emulator.exchanges.binance.vocabulary import USER_DATA
from emulator.runtime.submission import Submission
from emulator.web.contract import Call, Kind, Parameter, Rows

rows = Rows()


@rows.route(
    "GET",
    "/sapi/v1/system/status",
    summary="System status",
    description="A system that is down answers nothing at all here.",
    reads=False,
    answers=SystemStatus,
)
def system_status(call: Call) -> SystemStatus:
    return {"status": 0, "msg": "normal"}


@rows.route(
    "GET",
    "/sapi/v1/account/status",
    summary="Account status",
    description="No account is ever restricted here.",
    security=USER_DATA,
    answers=AccountStatus,
)
def account_status(call: Call) -> AccountStatus:
    return {"data": "Normal"}


@rows.route(
    "GET",
    "/sapi/v1/account/apiTradingStatus",
    summary="Account API trading status",
    description="No account is ever locked here, whatever its ratios.",
    security=USER_DATA,
    answers=AccountTradingStatus,
)
def trading_status(call: Call) -> AccountTradingStatus:
    return {
        "data": {
            "isLocked": False,
            "plannedRecoverTime": 0,
            # How many orders each ratio is taken over, as the exchange documents them.
            "triggerCondition": {"GCR": 150, "IFER": 150, "UFR": 300},
            "updateTime": call.now_us // 1000,
        }
    }


@rows.route(
    "GET",
    "/sapi/v1/account/info",
    summary="Account info",
    security=USER_DATA,
    answers=AccountLevel,
)
def account_info(call: Call) -> AccountLevel:
    return {
        "vipLevel": 0,
        "isMarginEnabled": False,
        "isFutureEnabled": False,
        "isOptionsEnabled": False,
        "isPortfolioMarginRetailEnabled": False,
    }


@rows.route(
    "GET",
    "/sapi/v1/account/apiRestrictions",
    summary="Get API key permission",
    security=USER_DATA,
    answers=KeyRestrictions,
)
def key_restrictions(call: Call) -> KeyRestrictions:
    record = call.key_record
    assert record is not None
    may_trade = permits(record, "trade")
    return {
        "ipRestrict": False,
        "createTime": record.created_us // 1000,
        "enableReading": permits(record, "read"),
        "enableWithdrawals": permits(record, "withdraw"),
        # Between master and sub-accounts, which are not emulated.
        "enableInternalTransfer": False,
        "enableMargin": False,
        "enableFutures": permits(record, "futures"),
        "permitsUniversalTransfer": permits(record, "transfer"),
        "enableVanillaOptions": False,
        "enableFixApiTrade": False,
        "enableFixReadOnly": False,
        "enableSpotAndMarginTrading": may_trade,
        "enablePortfolioMarginTrading": False,
    }


# Fees in BNB


@rows.route(
    "GET",
    "/sapi/v1/bnbBurn",
    summary="Get BNB burn status",
    security=USER_DATA,
    answers=FeePayment,
)
def fee_payment(call: Call) -> FeePayment:
    # Interest is due on margin loans only, and there are none.
    return {
        "spotBNBBurn": SPOT in call.engine.state.accounts[call.account].discounted,
        "interestBNBBurn": False,
    }


@rows.route(
    "POST",
    "/sapi/v1/bnbBurn",
    summary="Toggle BNB burn on spot trade and margin interest",
    security=USER_DATA,
    reads=True,
    parameters=(Parameter("spotBNBBurn", Kind.BOOLEAN), Parameter("interestBNBBurn", Kind.BOOLEAN)),
    one_of=(("spotBNBBurn", "interestBNBBurn"),),
    answers=FeePayment,
)
def set_fee_payment(call: Call) -> FeePayment | Submission[FeePayment]:
    values = call.values
    if values.get("interestBNBBurn"):
        raise refuse(-1020, text=f"{TEXTS[-1020]} Not emulated: interest on margin loans.")
    discounted = values.get("spotBNBBurn")
    if discounted is None:
        return fee_payment(call)
    command = SetFeePayment(account=call.account, discounted=discounted, wallet=SPOT)
    return call.submit(command, lambda done: fee_payment(call))
