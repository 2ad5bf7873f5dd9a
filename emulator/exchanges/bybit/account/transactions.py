"""The transaction log of the unified wallet: every change of what is in it, with the balance after it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from emulator.core.history import Transaction as TransactionRecord
from emulator.core.history import TransactionKind, transactions_of
from emulator.core.numbers import exact
from emulator.exchanges.bybit.auth import READ
from emulator.exchanges.bybit.categories import CATEGORIES, OPTION, category_of, listing_of
from emulator.exchanges.bybit.cursors import LAST_PAGE, cursor_text
from emulator.exchanges.bybit.figures import decimal_text, time_text
from emulator.exchanges.bybit.ids import execution_id_text, funding_id_text, order_id_text, uuid_text
from emulator.exchanges.bybit.payloads.account import Transaction, Transactions
from emulator.exchanges.bybit.refusals import refuse_parameter
from emulator.exchanges.bybit.running import UNIFIED
from emulator.exchanges.bybit.windows import asked_number
from emulator.web.contract import Call, Kind, Parameter, Rows

rows = Rows()

DAY_US: Final = 86_400_000_000
SPAN_US: Final = 7 * DAY_US
PAGE: Final = 500
"""How many are looked at at once, where what is asked for is no key."""

WORDS: Final[Mapping[TransactionKind, str]] = MappingProxyType(
    {
        TransactionKind.TRADE: "TRADE",
        TransactionKind.LIQUIDATION: "LIQUIDATION",
        TransactionKind.DELEVERAGING: "ADL",
        TransactionKind.DELIVERY: "DELIVERY",
        TransactionKind.FUNDING: "SETTLEMENT",
        # Deposits and withdrawals go by the funding wallet on the exchange.
        TransactionKind.DEPOSIT: "TRANSFER_IN",
        TransactionKind.WITHDRAWAL: "TRANSFER_OUT",
        TransactionKind.TRANSFER_IN: "TRANSFER_IN",
        TransactionKind.TRANSFER_OUT: "TRANSFER_OUT",
        TransactionKind.INSURANCE: "LIQUIDATION",
        TransactionKind.BOUGHT: "CURRENCY_BUY",
        TransactionKind.SOLD: "CURRENCY_SELL",
        TransactionKind.CORRECTION: "AUTO_DEDUCTION",
        TransactionKind.INTEREST: "INTEREST",
        TransactionKind.BORROWED: "BORROW",
        TransactionKind.REPAID: "REPAY",
    }
)
"""`type` (enum, `type(uta-translog)`)."""


@rows.route(
    "GET",
    "/v5/account/transaction-log",
    summary="Get transaction log (UTA)",
    description="Newest first, of the last 24 hours where no time is given.",
    security=READ,
    parameters=(
        Parameter("accountType", Kind.CHOICE, choices=("UNIFIED",)),
        Parameter("category", Kind.CHOICE, choices=(*CATEGORIES, OPTION)),
        Parameter("currency"),
        Parameter("baseCoin"),
        Parameter("type"),
        Parameter("transSubType", description="`movePosition`, of which there is none."),
        Parameter("startTime", Kind.TIME),
        Parameter("endTime", Kind.TIME, description="Seven days after the start at most."),
        Parameter("limit", Kind.INTEGER, default=20, minimum=1, maximum=50),
        Parameter("cursor", length_max=500, description="`nextPageCursor` of the page before."),
    ),
    answers=Transactions,
)
async def transactions(call: Call) -> Transactions:
    values = call.values
    start_us, end_us = _span(call)
    last = asked_number(values.get("cursor"))
    found: list[TransactionRecord] = []
    size = values["limit"] + 1
    is_none = bool(values.get("transSubType"))
    while len(found) < size and not is_none:
        query = transactions_of(
            call.account,
            UNIFIED,
            asset=values.get("currency"),
            start_us=start_us,
            end_us=end_us,
            last_number=last,
            limit=PAGE,
            newest=True,
        )
        page = await call.records(TransactionRecord, query)
        found += (one for one in reversed(page) if _is_asked(call, one))
        if len(page) < PAGE:
            break
        last = page[0].number - 1
    shown, rest = found[: values["limit"]], found[values["limit"] :]
    with exact():
        return {
            "nextPageCursor": cursor_text(rest[0].number) if rest else LAST_PAGE,
            "list": [_transaction(one) for one in shown],
        }


def _span(call: Call) -> tuple[int, int]:
    """Quirk: without both times it is a day, with both it may be seven ("Get Transaction Log")."""
    start_us, end_us = call.values.get("startTime"), call.values.get("endTime")
    if start_us is None:
        end_us = call.now_us if end_us is None else end_us + 999
        return max(0, end_us - DAY_US), end_us
    if end_us is None:
        return start_us, start_us + DAY_US
    if not 0 <= end_us - start_us <= SPAN_US:
        raise refuse_parameter("endTime")
    return start_us, end_us + 999


def _is_asked(call: Call, one: TransactionRecord) -> bool:
    values = call.values
    category, base, word = values.get("category"), values.get("baseCoin"), values.get("type")
    if word is not None and WORDS[one.kind] != word:
        return False
    if one.kind is TransactionKind.INTEREST and not one.change:
        return False  # It is owed with the loan: nothing was paid.
    if category is None and base is None:
        return True
    if not one.instrument:
        return False
    return category in (None, category_of(one.instrument).name) and base in (
        None,
        listing_of(one.instrument).base,
    )


def _transaction(one: TransactionRecord) -> Transaction:
    category, symbol = "", ""
    trade = order = ""
    is_funding = one.kind is TransactionKind.FUNDING
    if one.instrument:
        category, symbol = category_of(one.instrument).name, listing_of(one.instrument).symbol
        if one.trade:
            trade = execution_id_text(category, one.instrument, one.trade)
        if one.order:
            order = order_id_text(category, one.order)
    if is_funding:
        trade = funding_id_text(one.account, one.instrument, one.leg.value, one.time_us)
    is_derivative = category not in ("", "spot")
    rate = one.rate if one.is_buyer is not False or not is_funding else -one.rate
    return {
        "id": uuid_text(one.number, version=4),
        "symbol": symbol,
        "category": category,
        "side": "None" if one.is_buyer is None else "Buy" if one.is_buyer else "Sell",
        "transactionTime": time_text(one.time_us),
        "type": WORDS[one.kind],
        "transSubType": "",
        "qty": decimal_text(one.quantity) if one.instrument else decimal_text(abs(one.change)),
        "size": decimal_text(one.position) if is_derivative else "0",
        "currency": one.asset,
        "tradePrice": "" if one.price is None else decimal_text(one.price),
        # Quirk: nothing where it is about no funding; above zero it was received, the contrary of an
        # execution's fee ("Get Transaction Log", `funding`).
        "funding": decimal_text(one.funding) if is_funding else "",
        "fee": decimal_text(one.fee),
        "cashFlow": decimal_text(one.cash),
        "change": decimal_text(one.change),
        "cashBalance": decimal_text(one.balance),
        # Quirk: a short's rate of funding has the other sign ("Get Transaction Log", `feeRate`).
        "feeRate": decimal_text(rate) if one.rate else "",
        "bonusChange": "",
        "tradeId": trade,
        "orderId": order,
        "orderLinkId": one.reference if one.order else "",
        "extraFees": "",
    }
