"""The insurance fund, how likely deleveraging is, and the hours of contracts that have some."""

from __future__ import annotations

from typing import Final

from emulator.core.statement import insurance_balance
from emulator.exchanges.binance.futures.listings import Listing
from emulator.exchanges.binance.futures.market.tickers import one_or_each
from emulator.exchanges.binance.futures.payloads.market import (
    AdlRisk,
    InsuranceFund,
    Sessions,
    TradingSchedule,
)
from emulator.exchanges.binance.futures.products import USDM
from emulator.exchanges.binance.futures.rows import FuturesRows
from emulator.exchanges.binance.futures.symbols import asked_for, shown
from emulator.exchanges.binance.vocabulary import SYMBOL_OPTIONAL, render_amount
from emulator.web.contract import Call

rows = FuturesRows()

RATED_US: Final = 1_800_000_000
"""Ratings are renewed every half hour."""

WEEK_US: Final = 7 * 86_400_000_000


@rows.usdm(
    "GET",
    "/v1/insuranceBalance",
    summary="Query insurance fund balance snapshot",
    description="What it had at the start, with what liquidations of the sandbox's accounts left in it and "
    "took out of it. One fund for each asset that contracts settle in.",
    weight=1,
    parameters=(SYMBOL_OPTIONAL,),
    answers=InsuranceFund | list[InsuranceFund],
)
def insurance_funds(call: Call) -> InsuranceFund | list[InsuranceFund]:
    if "symbol" in call.values:
        return _fund(call, asked_for(call)[0].contract.settle)
    return [_fund(call, asset) for asset in USDM.assets]


def _fund(call: Call, asset: str) -> InsuranceFund:
    engine = call.engine
    balance = insurance_balance(engine.state, engine.rules, asset)
    return {
        "symbols": [
            listing.symbol for listing in shown(USDM, call.now_us) if listing.contract.settle == asset
        ],
        "assets": [
            {
                "asset": asset,
                "marginBalance": render_amount(balance),
                "updateTime": call.render_time(call.now_us),
            }
        ],
    }


@rows.usdm(
    "GET",
    "/v1/symbolAdlRisk",
    summary="ADL risk",
    description="Always low: the market's own book takes over what is liquidated.",
    weight=1,
    parameters=(SYMBOL_OPTIONAL,),
    answers=AdlRisk | list[AdlRisk],
)
def adl_risk(call: Call) -> AdlRisk | list[AdlRisk]:
    return one_or_each(call, _risk)


def _risk(call: Call, listing: Listing) -> AdlRisk:
    rated_us = call.now_us - call.now_us % RATED_US
    return {"symbol": listing.symbol, "adlRisk": "low", "updateTime": rated_us // 1000}


@rows.usdm(
    "GET",
    "/v1/tradingSchedule",
    summary="Trading schedule",
    description="No contract on shares or commodities is listed here, so no market has sessions.",
    weight=5,
    answers=TradingSchedule,
)
def trading_schedule(call: Call) -> TradingSchedule:
    def none() -> Sessions:
        return {"sessions": []}

    return {
        "updateTime": (call.now_us - call.now_us % WEEK_US) // 1000,
        "marketSchedules": {
            "EQUITY": none(),
            "COMMODITY": none(),
            "KR_EQUITY": none(),
            "HK_EQUITY": none(),
            "CN_EQUITY": none(),
        },
    }
