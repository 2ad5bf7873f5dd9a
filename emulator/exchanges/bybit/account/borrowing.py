"""What an account borrows and gives back by itself, and what it costs."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from emulator.core import commands as c
from emulator.core.engine import Done
from emulator.core.events import AssetExchanged
from emulator.core.history import Transaction, TransactionKind, transactions_of
from emulator.core.numbers import ZERO, exact, round_down
from emulator.core.rejections import (
    AmountInvalid,
    BorrowedTooMuch,
    BorrowingOff,
    InsufficientBalance,
    InsufficientMargin,
    NothingOwed,
    Rejection,
)
from emulator.exchanges.bybit.account.readings import collateral_of, read
from emulator.exchanges.bybit.auth import POSITION, READ
from emulator.exchanges.bybit.cursors import LAST_PAGE, cursor_text
from emulator.exchanges.bybit.figures import decimal_text
from emulator.exchanges.bybit.payloads.account import Borrowed, Interest, Interests, Repaid, Repayments
from emulator.exchanges.bybit.refusals import refuse, refuse_parameter
from emulator.exchanges.bybit.running import UNIFIED
from emulator.exchanges.bybit.windows import asked_number, span_of
from emulator.runtime.submission import Submission
from emulator.web.contract import Call, Kind, Parameter, Refusal, Rows

rows = Rows()

TEXTS: Final = {
    34022010: "The borrowed asset does not exist.",
    34022031: "Risk rate limit exceeded. Please reduce your borrow amount in the Unified Trading Account.",
    34022033: "Borrowing precision must be an integer multiple.",
    34022034: "The minimum repayment amount must be an integer multiple.",
    34022035: "You cannot repay while interest is being calculated.",
    34022036: "Please enable Margin Trading to continue.",
    34022041: "Currently, your account has no borrowed coins. No repayments are needed.",
    34022044: "Repayment unsuccessful.",
    34022045: "Borrowing unsuccessful.",
    34022049: "Insufficient collateral balance.",
    34022107: (
        "To use this feature, your net liability value must be below %s USD. Otherwise, please repay through "
        "spot trading or deposit funds first."
    ),
    34022108: (
        "To use this feature, your net liability value must be below %s USD. Otherwise, please repay through "
        "spot trading or deposit funds first."
    ),
    182101: "Failed repayment, insufficient collateral balance",
    182102: "Failed repayment, there are no liabilities in the current currency",
    182120: "Please use the repay and no-convert-repay API.",
}
"""Those of the error page."""

HOUR_US: Final = 3_600_000_000
CLOSED_US: Final = range(240_000_000, 330_000_000)
"""After each whole hour nobody repays, because interest is reckoned ("Manual Repay")."""
CONVERTED_MAX: Final = 300_000
"""What is bought at once to repay with is worth less, in US dollars ("Manual Repay")."""
SPAN_US: Final = 30 * 86_400_000_000
COST_STEP: Final = Decimal("1E-8")

FLEXIBLE, FIXED, ALL = "FLEXIBLE", "FIXED", "ALL"
REPAYMENT: Final = Parameter(
    "repaymentType",
    Kind.CHOICE,
    choices=(FLEXIBLE, FIXED, ALL),
    default=FLEXIBLE,
    description="Nothing is owed at fixed rates here.",
)


def refuse_loan(code: int) -> Refusal:
    return refuse(code, text=TEXTS[code])


@rows.route(
    "POST",
    "/v5/account/borrow",
    summary="Manual borrow",
    security=POSITION,
    parameters=(Parameter("coin", required=True), Parameter("amount", Kind.DECIMAL, required=True)),
    answers=Borrowed,
)
def borrow(call: Call) -> Submission[Borrowed]:
    coin, amount = _known(call, call.values["coin"]), call.values["amount"]
    command = c.BorrowFunds(account=call.account, wallet=UNIFIED, asset=coin, amount=amount)

    def answer(done: Done) -> Borrowed:
        if done.rejection is not None:
            raise _refusal(call, done.rejection, command)
        return {"coin": coin, "amount": decimal_text(amount)}

    return call.attempt(command, answer)


def _known(call: Call, coin: str) -> str:
    if coin not in collateral_of(call.engine):
        raise refuse_loan(34022010)
    return coin


def _refusal(call: Call, rejection: Rejection, command: c.BorrowFunds | c.RepayFunds) -> Refusal:
    match rejection:
        case BorrowingOff():
            return refuse_loan(34022036)
        case BorrowedTooMuch() | InsufficientMargin():
            return refuse_loan(34022031)
        case AmountInvalid():
            return refuse_loan(34022033 if isinstance(command, c.BorrowFunds) else 34022034)
        case NothingOwed():
            return refuse_loan(34022044 if rejection.owed else 34022041)
        case InsufficientBalance():
            return refuse_loan(34022049)
        case _:
            return call.site.dialect.speak(rejection, command)


@rows.route(
    "GET",
    "/v5/account/borrow-history",
    summary="Get borrow history",
    description="What was charged for debts, newest first, of the last thirty days where no time is given.",
    security=READ,
    parameters=(
        Parameter("currency"),
        Parameter("startTime", Kind.TIME),
        Parameter("endTime", Kind.TIME, description="Thirty days after the start at most."),
        Parameter("limit", Kind.INTEGER, default=20, minimum=1, maximum=50),
        Parameter("cursor", length_max=500, description="`nextPageCursor` of the page before."),
    ),
    answers=Interests,
)
async def interest_charged(call: Call) -> Interests:
    values = call.values
    start_us, end_us = span_of(call, longest_us=SPAN_US, default_us=SPAN_US)
    last = asked_number(values.get("cursor"))
    query = transactions_of(
        call.account,
        UNIFIED,
        kind=TransactionKind.INTEREST,
        asset=values.get("currency"),
        start_us=start_us,
        end_us=end_us,
        last_number=last,
    )
    # What is paid of interest later is of this kind as well, and bears none itself.
    walked = await call.sandbox.history.walk_back(call.site.engine, Transaction, query)
    found = [one for one in walked if one.quantity]
    rest = found[values["limit"] :]
    with exact():
        return {
            "nextPageCursor": cursor_text(rest[0].number) if rest else LAST_PAGE,
            "list": [_interest(one) for one in found[: values["limit"]]],
        }


def _interest(one: Transaction) -> Interest:
    bearing = decimal_text(one.quantity)
    return {
        "currency": one.asset,
        "createdTime": one.time_us // 1000,
        "borrowCost": decimal_text(round_down(one.quantity * one.rate, COST_STEP)),
        "hourlyBorrowRate": decimal_text(one.rate),
        # Nothing is free of interest here, so it is all that was owed.
        "InterestBearingBorrowSize": bearing,
        "costExemption": "0",
        "borrowAmount": bearing,
        "unrealisedLoss": "",
        "freeBorrowedAmount": "0",
    }


@rows.route(
    "POST",
    "/v5/account/no-convert-repay",
    summary="Manual repay without asset conversion",
    description="Out of what is free of the coin that is owed.",
    security=POSITION,
    parameters=(Parameter("coin", required=True), Parameter("amount", Kind.DECIMAL), REPAYMENT),
    answers=Repaid,
)
def repay_plainly(call: Call) -> Submission[Repaid]:
    return _repay(call, call.values["coin"], converts=False)


@rows.route(
    "POST",
    "/v5/account/repay",
    summary="Manual repay",
    description="Of one coin; what is missing of it is bought for other coins.",
    security=POSITION,
    parameters=(Parameter("coin"), Parameter("amount", Kind.DECIMAL), REPAYMENT),
    answers=Repaid,
)
async def repay(call: Call) -> Repaid:
    values = call.values
    if "coin" in values:
        return await _repay(call, values["coin"], converts=True)
    if "amount" in values:
        raise refuse_parameter("amount")
    if values["repaymentType"] != ALL:
        raise refuse_parameter("repaymentType")
    _check_time(call)
    owed = _owed(call)
    if not owed:
        raise refuse_loan(34022041)
    _check_converted(call, owed, None, 34022107)
    for coin in owed:
        await _repay(call, coin, converts=True)
    return {"resultStatus": "SU"}


def _check_time(call: Call) -> None:
    if call.now_us % HOUR_US in CLOSED_US:
        raise refuse_loan(34022035)


def _check_converted(call: Call, coins: list[str], amount: Decimal | None, code: int) -> None:
    """What of coins that are owed is not there, and would have to be bought, is not worth too much. amount:
    of the one coin that is to be given back; None: all of them."""
    with exact():
        standing, worth = read(call), ZERO
        for coin in coins:
            own, free = standing.figures(coin), call.engine.state.ledger.free(call.account, UNIFIED, coin)
            wanted = own.borrowed + own.overdrawn if amount is None else amount
            missing = max(ZERO, wanted - min(max(ZERO, free), own.borrowed))
            worth += missing * standing.price(coin)
    if worth >= CONVERTED_MAX:
        raise refuse(code, f"{CONVERTED_MAX}", text=TEXTS[code])


def _repay(call: Call, coin: str, *, converts: bool) -> Submission[Repaid]:
    if call.values["repaymentType"] == FIXED:
        raise refuse_loan(34022041)
    command = c.RepayFunds(
        account=call.account,
        wallet=UNIFIED,
        asset=_known(call, coin),
        amount=call.values.get("amount"),
        converts=converts,
    )
    _check_time(call)
    if converts:
        _check_converted(call, [coin], command.amount, 34022108)

    def answer(done: Done) -> Repaid:
        if done.rejection is not None:
            raise _refusal(call, done.rejection, command)
        return {"resultStatus": "SU"}

    return call.attempt(command, answer)


def _owed(call: Call) -> list[str]:
    """The coins of which something is owed."""
    with exact():
        figures = read(call).statement.assets
        return [coin for coin, own in figures.items() if own.borrowed + own.overdrawn]


@rows.route(
    "POST",
    "/v5/account/quick-repayment",
    summary="Repay liability",
    description="What was spent beyond what there was, of one coin or of all; tells what was sold for it. "
    "What was borrowed by hand is given back by `repay` and `no-convert-repay`.",
    security=POSITION,
    parameters=(Parameter("coin"),),
    answers=Repayments,
)
async def quick_repayment(call: Call) -> Repayments:
    _check_time(call)
    named = "coin" in call.values
    coins = [_known(call, call.values["coin"])] if named else _owed(call)
    given: dict[str, Decimal] = {}
    refused: Refusal | None = None
    for coin in coins:
        try:
            repaid = await _repay_overdrawn(call, coin)
        except Refusal as refusal:
            refused = refused or refusal
            continue
        with exact():
            for one, amount in repaid:
                given[one] = given.get(one, ZERO) + amount
    if not given:
        raise refused or refuse_loan(182102)
    return {"list": [{"coin": coin, "repaymentQty": decimal_text(amount)} for coin, amount in given.items()]}


async def _repay_overdrawn(call: Call, coin: str) -> list[tuple[str, Decimal]]:
    """What was not borrowed by hand but spent. Raises Refusal."""
    with exact():
        overdrawn = max(ZERO, -call.engine.state.ledger.free(call.account, UNIFIED, coin))
    is_lent = (call.account, UNIFIED, coin) in call.engine.state.loans
    if is_lent and not overdrawn:
        raise refuse_loan(182120)
    command = c.RepayFunds(
        account=call.account,
        wallet=UNIFIED,
        asset=coin,
        amount=overdrawn if is_lent else None,
        converts=True,
    )

    def answer(done: Done) -> list[tuple[str, Decimal]]:
        if isinstance(done.rejection, NothingOwed):
            raise refuse_loan(182102)
        if isinstance(done.rejection, InsufficientBalance | InsufficientMargin):
            raise refuse_loan(182101)
        if done.rejection is not None:
            raise _refusal(call, done.rejection, command)
        return [(one.sold, one.sold_amount) for one in done.events if isinstance(one, AssetExchanged)]

    return await call.attempt(command, answer)
