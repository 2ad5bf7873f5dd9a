"""What came into a wallet and left it, and at which rates trades are charged."""

from __future__ import annotations

from typing import Final

from emulator.core.history import Income as IncomeRecord
from emulator.core.history import IncomeKind, incomes_of
from emulator.core.numbers import ZERO
from emulator.exchanges.binance.futures.account.readings import render_plain, render_value
from emulator.exchanges.binance.futures.payloads.account import CommissionRate, Income, TradingStatus
from emulator.exchanges.binance.futures.products import USDM, product_of
from emulator.exchanges.binance.futures.refusals import TABLES
from emulator.exchanges.binance.futures.rows import Declared, FuturesRows
from emulator.exchanges.binance.futures.symbols import asked, find
from emulator.exchanges.binance.vocabulary import (
    END_TIME,
    START_TIME,
    SYMBOL,
    SYMBOL_OPTIONAL,
    USER_DATA,
    limit,
)
from emulator.web.contract import Call, Kind, Parameter

rows = FuturesRows()

INCOME_TYPES: Final = {
    IncomeKind.TRANSFER: "TRANSFER",
    IncomeKind.REALISED: "REALIZED_PNL",
    IncomeKind.FUNDING: "FUNDING_FEE",
    IncomeKind.COMMISSION: "COMMISSION",
    IncomeKind.LIQUIDATION_FEE: "INSURANCE_CLEAR",
    IncomeKind.INSURANCE: "INSURANCE_CLEAR",
    # Quirk: the type of what a delivery settles is misspelled (Get Income History).
    IncomeKind.SETTLEMENT: "DELIVERED_SETTELMENT",
    IncomeKind.EXCHANGE: "AUTO_EXCHANGE",
    # Amounts that a person puts into the wallet by the control API come from nowhere on the exchange.
    IncomeKind.DEPOSIT: "TRANSFER",
    IncomeKind.WITHDRAWAL: "TRANSFER",
    IncomeKind.CORRECTION: "TRANSFER",
}
SWAPPED_IN: Final = "COIN_SWAP_DEPOSIT"
SWAPPED_OUT: Final = "COIN_SWAP_WITHDRAW"
"""Both sides of a conversion, which is one kind of income."""

_OTHER_TYPES: Final = (
    "WELCOME_BONUS",
    "REFERRAL_KICKBACK",
    "COMMISSION_REBATE",
    "API_REBATE",
    "CONTEST_REWARD",
    "CROSS_COLLATERAL_TRANSFER",
    "OPTIONS_PREMIUM_FEE",
    "OPTIONS_SETTLE_PROFIT",
    "INTERNAL_TRANSFER",
    "POSITION_LIMIT_INCREASE_FEE",
    "STRATEGY_UMFUTURES_TRANSFER",
    "FEE_RETURN",
    "BFUSD_REWARD",
    "SPECIAL_FUNDING_FEE",
)
"""Of what does not happen here."""

DAY_US: Final = 86_400_000_000
WEEK_US: Final = 7 * DAY_US
KEPT_US: Final = 90 * DAY_US

INCOME_TYPE: Final = Parameter(
    "incomeType",
    Kind.CHOICE,
    choices=(*dict.fromkeys(INCOME_TYPES.values()), SWAPPED_IN, SWAPPED_OUT, *_OTHER_TYPES),
)


@rows.both(
    "GET",
    "/v1/income",
    summary="Income history",
    description="Of the last seven days where no time is given; three months are kept.",
    security=USER_DATA,
    weight=30,
    parameters=(
        SYMBOL_OPTIONAL,
        INCOME_TYPE,
        START_TIME,
        END_TIME,
        Parameter("page", Kind.INTEGER, minimum=1, default=1),
        limit(100, 1000),
    ),
    answers=list[Income],
    coinm=Declared(weight=20),
)
async def incomes(call: Call) -> list[Income]:
    values, product = call.values, product_of(call)
    start_us, end_us = values.get("startTime"), values.get("endTime")
    if start_us is not None and end_us is not None and start_us > end_us:
        raise TABLES[product].refuse(-1023)
    symbol = values.get("symbol")
    name = None if symbol is None else find(product, symbol, call.now_us).instrument.symbol
    word = values.get("incomeType")
    kinds = _kinds(word)
    if kinds is not None and not kinds:
        return []
    newest = start_us is None
    if start_us is None:
        start_us = (call.now_us if end_us is None else end_us) - WEEK_US
    start_us = max(start_us, call.now_us - KEPT_US)
    last = values["page"] * values["limit"]
    if kinds == [IncomeKind.CONVERSION]:
        # Every other one of them is of either type.
        last *= 2
    found: list[IncomeRecord] = []
    for kind in kinds or (None,):
        query = incomes_of(
            call.account,
            product.wallet,
            kind=kind,
            instrument=name,
            start_us=start_us,
            end_us=None if end_us is None else end_us + call.time_divisor - 1,
            limit=last,
            newest=newest,
        )
        found += await call.records(IncomeRecord, query)
    if kinds is not None:
        found = [one for one in found if word_of(one) == word]
    found.sort(key=lambda one: one.number)
    last = values["page"] * values["limit"]
    size = values["limit"]
    # Without a start the first page has the newest entries; all ascend in time.
    end = max(0, len(found) - (last - size)) if newest else last
    page = found[max(0, end - size) : end]
    return [
        {
            "symbol": product.symbols.get(one.instrument, ""),
            "incomeType": word_of(one),
            "income": render_value(one.amount),
            "asset": one.asset,
            "info": _about(one),
            "time": call.render_time(one.time_us),
            # Quirk: COIN-M writes the transaction's number as text, USD-M as a number (Get Income History of
            # either, their examples and the models of the exchange's own SDKs).
            "tranId": str(one.number) if product.is_inverse else one.number,
            "tradeId": str(one.trade) if one.trade else "",
        }
        for one in page
    ]


def _kinds(word: str | None) -> list[IncomeKind] | None:
    """What the core calls a type of income; None of all."""
    if word is None:
        return None
    if word in (SWAPPED_IN, SWAPPED_OUT):
        return [IncomeKind.CONVERSION]
    return [kind for kind, name in INCOME_TYPES.items() if name == word]


def word_of(one: IncomeRecord) -> str:
    """What the exchange calls an entry."""
    if one.kind is IncomeKind.CONVERSION:
        return SWAPPED_IN if one.amount > ZERO else SWAPPED_OUT
    return INCOME_TYPES[one.kind]


def _about(one: IncomeRecord) -> str:
    # Quirk: `info` is the trade's id of what a trade caused, and a word of the rest (Get Income History, its
    # examples).
    return str(one.trade) if one.trade else word_of(one)


@rows.both(
    "GET",
    "/v1/commissionRate",
    summary="User commission rate",
    security=USER_DATA,
    weight=20,
    parameters=(SYMBOL,),
    answers=CommissionRate,
)
def commission_rate(call: Call) -> CommissionRate:
    listing = asked(call)
    rate: CommissionRate = {
        "symbol": listing.symbol,
        "makerCommissionRate": render_plain(listing.instrument.maker_fee),
        "takerCommissionRate": render_plain(listing.instrument.taker_fee),
    }
    if product_of(call) is USDM:
        rate["rpiCommissionRate"] = render_plain(listing.instrument.maker_fee)
    return rate


@rows.usdm(
    "GET",
    "/v1/apiTradingStatus",
    summary="Futures trading quantitative rules indicators",
    description="Nobody is restricted here, so there are no indicators.",
    security=USER_DATA,
    weight=lambda values: 1 if "symbol" in values else 10,
    parameters=(SYMBOL_OPTIONAL,),
    answers=TradingStatus,
)
def trading_status(call: Call) -> TradingStatus:
    if "symbol" in call.values:
        asked(call)
    return {"indicators": {}, "updateTime": call.render_time(call.now_us)}
