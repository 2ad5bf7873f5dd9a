"""Risk limits: the tiers of margin, fifteen symbols a page; and what the insurance fund holds."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from emulator.core.numbers import exact
from emulator.core.statement import insurance_balance
from emulator.exchanges.bybit.categories import CATEGORIES, INVERSE, LINEAR
from emulator.exchanges.bybit.cursors import LAST_PAGE
from emulator.exchanges.bybit.door import Door
from emulator.exchanges.bybit.figures import decimal_text, time_text
from emulator.exchanges.bybit.listings import Listing
from emulator.exchanges.bybit.market.figures import EIGHT_PLACES
from emulator.exchanges.bybit.market.instruments import page_of
from emulator.exchanges.bybit.market.parameters import (
    CONTRACT_CATEGORY,
    CURSOR,
    SYMBOL_OPTIONAL,
    asked_listed,
    listed,
)
from emulator.exchanges.bybit.market.prices import dollar_index
from emulator.exchanges.bybit.payloads.market import InsurancePool, InsurancePools, RiskLimit, RiskLimits
from emulator.web.contract import Call, Parameter, Rows

rows = Rows()

SYMBOLS: Final = 15
"""Of a page."""


@rows.route(
    "GET",
    "/v5/market/risk-limit",
    summary="Risk limits",
    parameters=(CONTRACT_CATEGORY, SYMBOL_OPTIONAL, CURSOR),
    answers=RiskLimits,
)
def risk_limits(call: Call) -> RiskLimits:
    values, now_us = call.values, call.now_us
    if "symbol" in values:
        page, following = [asked_listed(call)], LAST_PAGE
    else:
        chosen = listed(CATEGORIES[values["category"]], now_us)
        part, following = page_of(chosen, values.get("cursor"), SYMBOLS)
        page = list(part)
    door = call.site.dialect
    assert isinstance(door, Door)
    in_percent = door.eras.bybit_risk_rates == "percent"
    return {
        "category": values["category"],
        "list": [limit for listing in page for limit in render_risk_limits(listing, in_percent=in_percent)],
        "nextPageCursor": following,
    }


def render_risk_limits(listing: Listing, *, in_percent: bool = False) -> list[RiskLimit]:
    contract = listing.contract
    assert contract is not None
    return [
        {
            "id": shown.number,
            "symbol": listing.symbol,
            "riskLimitValue": shown.value_max,
            # Quirk: rates are fractions, where the example of the documents has per cents ("Get Risk Limit";
            # live answers).
            "maintenanceMargin": _rate(shown.maintenance, in_percent),
            "initialMargin": _rate(shown.initial, in_percent),
            "isLowestRisk": int(shown.number == 1),
            "maxLeverage": shown.leverage_max,
            # Quirk: nothing is deducted in the lowest tier, which is told as nothing ("Get Risk Limit").
            "mmDeduction": decimal_text(tier.maintenance_amount) if tier.maintenance_amount else "",
        }
        for shown, tier in zip(listing.risk_tiers, contract.tiers, strict=True)
    ]


def _rate(fraction: str, in_percent: bool) -> str:
    return decimal_text(Decimal(fraction) * 100) if in_percent else fraction


@rows.route(
    "GET",
    "/v5/market/insurance",
    summary="Insurance pools",
    description="What they had at the start, with what liquidations of the sandbox's accounts left in them "
    "and took out of them. All contracts that settle in a coin share one.",
    parameters=(Parameter("coin"),),
    answers=InsurancePools,
)
def insurance(call: Call) -> InsurancePools:
    wanted = call.values.get("coin")
    coins = dict.fromkeys((*LINEAR.settle_coins, *INVERSE.settle_coins))
    with exact():
        return {
            "updatedTime": time_text(call.now_us // 60_000_000 * 60_000_000),
            "list": [_pool(call, coin) for coin in coins if wanted in (None, coin)],
        }


def _pool(call: Call, coin: str) -> InsurancePool:
    engine, now_us = call.engine, call.now_us
    balance = insurance_balance(engine.state, engine.rules, coin)
    worth = dollar_index(engine, coin, now_us)
    return {
        "coin": coin,
        "symbols": ",".join(
            listing.symbol
            for category in (LINEAR, INVERSE)
            for listing in listed(category, now_us)
            if listing.settle == coin
        ),
        "balance": decimal_text(balance),
        "value": "" if worth is None else decimal_text((balance * worth).quantize(EIGHT_PLACES)),
    }
