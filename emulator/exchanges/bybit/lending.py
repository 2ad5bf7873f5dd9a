"""What is lent in the unified wallet, on which terms, and what an account owes: coin by coin."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from emulator.core.numbers import ONE, ZERO, decimals, exact
from emulator.core.rules import CollateralAsset
from emulator.core.statement import borrowable
from emulator.exchanges.bybit.account.readings import collateral_of, read
from emulator.exchanges.bybit.auth import READ
from emulator.exchanges.bybit.covering import DEBT_INITIAL, DEBT_MAINTENANCE, SPOT_LEVERAGE_MAX
from emulator.exchanges.bybit.figures import decimal_text
from emulator.exchanges.bybit.payloads.account import (
    BorrowLimits,
    BorrowLimitTiers,
    CoinLeverages,
    CollateralTiers,
    CollateralTiersOfCoin,
    Liability,
    LoanRules,
    MaxLoan,
    Repayable,
)
from emulator.exchanges.bybit.refusals import refuse_parameter
from emulator.exchanges.bybit.running import UNIFIED
from emulator.web.contract import Call, Parameter, Rows

rows = Rows()

CURRENCY: Final = Parameter("currency")
ONE_CURRENCY: Final = Parameter("currency", required=True)
STEP: Final = Decimal("0.00000001")
"""Of what is borrowed."""


def _listed(call: Call) -> list[CollateralAsset]:
    """The coin that is asked for, or all."""
    coin, known = call.values.get("currency"), collateral_of(call.engine)
    if coin is None:
        return list(known.values())
    if coin not in known:
        raise refuse_parameter("currency")
    return [known[coin]]


@rows.route(
    "GET",
    "/v5/spot-margin-trade/collateral",
    summary="Get tiered collateral ratio",
    parameters=(CURRENCY,),
    answers=CollateralTiers,
)
def collateral_tiers(call: Call) -> CollateralTiers:
    with exact():
        return {"list": [_tiers(one) for one in _listed(call)]}


def _tiers(one: CollateralAsset) -> CollateralTiersOfCoin:
    floors = [ZERO, *(tier.floor for tier in one.tiers)]
    buffers = [one.bid_buffer, *(tier.bid_buffer for tier in one.tiers)]
    # The last tier has no end.
    ends = [*map(decimal_text, floors[1:]), ""]
    return {
        "currency": one.asset,
        "collateralRatioList": [
            {"minQty": decimal_text(floor), "maxQty": end, "collateralRatio": decimal_text(ONE - buffer)}
            for floor, end, buffer in zip(floors, ends, buffers, strict=True)
        ],
    }


@rows.route(
    "GET",
    "/v5/spot-margin-trade/position-tiers",
    summary="Get position tiers",
    description="There is one for each coin.",
    security=READ,
    parameters=(CURRENCY,),
    answers=BorrowLimits,
)
def position_tiers(call: Call) -> BorrowLimits:
    with exact():
        return {"list": [_limits(one) for one in _listed(call) if one.borrow_max is not None]}


def _limits(one: CollateralAsset) -> BorrowLimitTiers:
    return {
        "currency": one.asset,
        "positionTiersRatioList": [
            {
                "tier": "1",
                "borrowLimit": decimal_text(one.borrow_max or ZERO),
                "positionMMR": decimal_text(DEBT_MAINTENANCE),
                "positionIMR": decimal_text(DEBT_INITIAL),
                "maxLeverage": decimal_text(SPOT_LEVERAGE_MAX),
            }
        ],
    }


@rows.route(
    "GET",
    "/v5/spot-margin-trade/coinstate",
    summary="Get coin state",
    description="One leverage is of all coins.",
    security=READ,
    parameters=(CURRENCY,),
    answers=CoinLeverages,
)
def coin_state(call: Call) -> CoinLeverages:
    leverage = call.engine.state.spot_margins.get((call.account, UNIFIED))
    text = "" if leverage is None else decimal_text(leverage)
    return {
        "list": [
            {"currency": one.asset, "spotLeverage": text}
            for one in _listed(call)
            if one.borrow_max is not None
        ]
    }


@rows.route(
    "GET",
    "/v5/spot-margin-trade/currency-data",
    summary="Get currency data",
    description="Nothing is lent at fixed rates here.",
    security=READ,
    parameters=(CURRENCY,),
    answers=LoanRules,
)
def currency_data(call: Call) -> LoanRules:
    return {
        "list": [
            {
                "currency": one.asset,
                "flexibleManualBorrowable": is_lent,
                "minFlexibleManualBorrowQty": decimal_text(STEP) if is_lent else "",
                "flexibleManualBorrowAccuracy": str(decimals(STEP)) if is_lent else "",
                "fixedManualBorrowable": False,
                "minFixedManualBorrowQty": "",
                "fixedManualBorrowAccuracy": "",
                "fixedInterestRateAccuracy": "",
                "minFixedInterestRate": "",
                "maxFixedInterestRate": "",
            }
            for one in _listed(call)
            for is_lent in (one.borrow_max is not None,)
        ]
    }


@rows.route(
    "GET",
    "/v5/spot-margin-trade/max-borrowable",
    summary="Get max borrowable amount",
    security=READ,
    parameters=(ONE_CURRENCY,),
    answers=MaxLoan,
)
def max_borrowable(call: Call) -> MaxLoan:
    (one,), engine = _listed(call), call.engine
    with exact():
        account = engine.state.accounts[call.account]
        most = borrowable(engine.state, engine.rules, account, UNIFIED, one.asset, call.now_us)
        return {"maxLoan": decimal_text(most), "currency": one.asset}


@rows.route(
    "GET",
    "/v5/spot-margin-trade/repayment-available-amount",
    summary="Get available amount to repay",
    description="Without an exchange of other coins.",
    security=READ,
    parameters=(ONE_CURRENCY,),
    answers=Repayable,
)
def repayable(call: Call) -> Repayable:
    (one,) = _listed(call)
    with exact():
        free = call.engine.state.ledger.free(call.account, UNIFIED, one.asset)
        amount = min(max(ZERO, free), read(call).figures(one.asset).owed)
        return {"lossLessRepaymentAmount": decimal_text(amount), "currency": one.asset}


@rows.route(
    "GET",
    "/v5/spot-margin-trade/liability",
    summary="Get liability info",
    security=READ,
    parameters=(ONE_CURRENCY,),
    answers=Liability,
)
def liability(call: Call) -> Liability:
    (one,) = _listed(call)
    with exact():
        own = read(call).figures(one.asset)
        owed = decimal_text(own.owed)
        # What is below zero without losses of contracts was spent for pairs, or lost with contracts before:
        # one balance cannot tell, and pairs are where it is paid from.
        spot = own.borrowed + own.overdrawn
        return {
            "currency": one.asset,
            "totalBorrowAmount": owed,
            "fixedBorrowAmount": "0",
            "flexibleBorrowAmount": owed,
            "spotTotalBorrow": decimal_text(min(spot, own.owed)),
            "derivativesBorrow": decimal_text(max(ZERO, own.owed - spot)),
        }
