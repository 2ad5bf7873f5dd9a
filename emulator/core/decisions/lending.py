"""What is owed where assets stand together: how it is borrowed and given back, and what it costs."""

from __future__ import annotations

from decimal import Decimal

from msgspec.structs import replace

from emulator.core import commands as c
from emulator.core import events as e
from emulator.core import rejections as r
from emulator.core.collateral import CollateralAsset, Loan, SharedCollateral
from emulator.core.coverage import borrowable, collateral, collateral_rates, lent_asset, payable
from emulator.core.decisions.decision import Decision
from emulator.core.decisions.sharing import ASSET_STEP, exchanged
from emulator.core.instruments import SELL, FeeAssetRule, Instrument
from emulator.core.margin import AssetFigures
from emulator.core.numbers import ZERO, divide_down, divide_up, is_on_step, round_down
from emulator.core.orders import OrderTerms
from emulator.core.rejections import Rejection
from emulator.core.rules import EngineRules
from emulator.core.state import Account, State


def check_spending(
    state: State,
    rules: EngineRules,
    account: Account,
    wallet: str,
    instrument: Instrument,
    terms: OrderTerms,
    paid: Decimal,
    received: Decimal,
    now_us: int,
    *,
    held: Decimal = ZERO,
) -> Rejection | None:
    """Whether an order of a pair may pay so much for so much out of a wallet of contracts.

    Where each asset stands for itself, with what positions there leave. Where all stand together, with what
    is free, or what may be owed if the order borrows: and all that there is must cover what must be covered,
    what is owed included, while the order rests and when it has traded. held: what is for it already.
    """
    asset, got = instrument.quote, instrument.base
    if terms.side is SELL:
        asset, got = got, asset
    is_shared, can_borrow = (account.id, wallet) in state.shared, (account.id, wallet) in state.spot_margins
    if terms.borrows and not (is_shared and can_borrow):
        return r.BorrowingOff(asset=asset, is_isolated=not is_shared)
    available = held + payable(state, rules, account, wallet, asset, now_us)
    borrows = paid > available
    if borrows and not terms.borrows:
        return r.InsufficientBalance(asset=asset, needed=paid, available=available)
    now = collateral(state, rules, account, wallet, now_us)
    if not isinstance(now, SharedCollateral):
        return None
    own = now.figures.get(asset) or AssetFigures(asset=asset, wallet=ZERO)
    other = now.figures.get(got) or AssetFigures(asset=got, wallet=ZERO)
    resting = replace(own, held=own.held + paid - held)
    if borrows:
        lent = lent_asset(state, account, wallet, asset)
        if lent is None or lent.borrow_max is None:
            return r.BorrowingOff(asset=asset)
        if resting.owed > lent.borrow_max:
            return r.BorrowedTooMuch(asset=asset, owed=resting.owed, most=lent.borrow_max)
    if instrument.fee_asset_rule is FeeAssetRule.RECEIVED:
        received -= received * max(instrument.maker_fee, instrument.taker_fee)
    traded = replace(own, wallet=own.wallet - paid, held=own.held - held)
    filled = replace(other, wallet=other.wallet + received)
    missing = max(_missing(now, {asset: resting}), _missing(now, {asset: traded, got: filled}))
    # What makes nothing worse is let through, as when what is owed is bought back.
    if missing <= ZERO or missing <= _missing(now, {}) or asset not in now.rates:
        return None
    lacking = divide_up(missing, now.rates[asset].ask, ASSET_STEP)
    left = max(ZERO, paid - lacking)
    if borrows:
        return r.InsufficientMargin(asset=asset, needed=paid, available=left)
    return r.InsufficientBalance(asset=asset, needed=paid, available=left)


def brought(instrument: Instrument, terms: OrderTerms, price: Decimal, quantity: Decimal | None) -> Decimal:
    """What an order would bring if it traded at a price. quantity: None: for its quote quantity."""
    if quantity is None:
        assert terms.quote_quantity is not None, "an order of no quantity"
        if terms.side is SELL:
            return terms.quote_quantity
        return divide_down(terms.quote_quantity, price, instrument.base_step)
    return quantity * price if terms.side is SELL else quantity


def _missing(now: SharedCollateral, changed: dict[str, AssetFigures]) -> Decimal:
    """By how much initial margins would exceed the equity if some assets were other than they are."""
    then = replace(now, figures={**now.figures, **changed})
    return then.initial_margin() - then.equity()


def borrow(state: State, rules: EngineRules, command: c.BorrowFunds, now_us: int) -> Decision:
    checked = _checked(state, command)
    if isinstance(checked, Rejection):
        return checked
    account, lent = checked
    wallet, asset, amount = command.wallet, command.asset, command.amount
    if lent is None or lent.borrow_max is None:
        return r.BorrowingOff(asset=asset, is_isolated=(account.id, wallet) not in state.shared)
    own = collateral(state, rules, account, wallet, now_us).figures.get(asset)
    owed = amount if own is None else own.owed + amount
    if owed > lent.borrow_max:
        return r.BorrowedTooMuch(asset=asset, owed=owed, most=lent.borrow_max)
    most = borrowable(state, rules, account, wallet, asset, now_us)
    if amount > most:
        return r.InsufficientMargin(asset=asset, needed=amount, available=most)
    return [e.FundsBorrowed(account=account.id, wallet=wallet, asset=asset, amount=amount)]


def repay(state: State, rules: EngineRules, command: c.RepayFunds, now_us: int) -> Decision:
    checked = _checked(state, command)
    if isinstance(checked, Rejection):
        return checked
    account, _ = checked
    wallet, asset = command.wallet, command.asset
    place = (account.id, wallet, asset)
    loan = state.loans.get(place) or Loan()
    free = state.ledger.free(*place)
    owed = loan.total + max(ZERO, -free)
    wanted = owed if command.amount is None else command.amount
    if not owed or wanted > owed:
        return r.NothingOwed(asset=asset, owed=owed)
    own = max(ZERO, free)
    made: list[e.Event] = []
    missing = wanted - min(wanted, own, loan.total)
    if missing and command.converts:
        rates = collateral_rates(state, wallet, now_us, account.id)
        there = {
            one: max(ZERO, balance.free)
            for one, balance in state.ledger.wallets[account.id, wallet].items()
            if one in rates
        }
        there[asset] = -missing
        if asset in rates:
            made += exchanged(account.id, wallet, rates, there, asset)
        free += missing + there[asset]
        missing = -there[asset]
    if missing and (command.amount is not None or missing == wanted):
        return r.InsufficientBalance(asset=asset, needed=wanted, available=wanted - missing)
    given = min(loan.total, max(ZERO, free), wanted)
    if given:
        made.append(repaid(account, wallet, asset, loan, given))
    return made


def repaid(account: Account, wallet: str, asset: str, loan: Loan, amount: Decimal) -> e.LoanRepaid:
    """So much of a loan is given back, interest first."""
    interest = min(amount, loan.interest)
    return e.LoanRepaid(
        account=account.id, wallet=wallet, asset=asset, principal=amount - interest, interest=interest
    )


def _checked(
    state: State, command: c.BorrowFunds | c.RepayFunds
) -> tuple[Account, CollateralAsset | None] | Rejection:
    account, amount = state.accounts.get(command.account), command.amount
    if account is None:
        return r.UnknownAccount(account=command.account)
    if command.wallet not in state.lending:
        return r.UnknownWallet(wallet=command.wallet)
    if amount is not None and (amount <= ZERO or not is_on_step(amount, ASSET_STEP)):
        return r.AmountInvalid(amount=amount)
    return account, lent_asset(state, account, command.wallet, command.asset)


def charge(state: State, rules: EngineRules, command: c.ChargeInterest, now_us: int) -> Decision:
    """Interest of one hour on all that is owed; on what is owed because of losses that are not realised, only
    beyond what is free of it."""
    account, made = state.accounts[command.account], list[e.Event]()
    for wallet in sorted(state.lending):
        if (account.id, wallet) not in state.shared:
            continue
        figures = collateral(state, rules, account, wallet, now_us).figures
        for one in state.collateral[wallet]:
            own = figures.get(one.asset)
            if own is None or not one.hourly_rate or not own.owed:
                continue
            lost = own.owed - own.borrowed - own.overdrawn
            bearing = own.owed - min(max(ZERO, lost), one.debt_free)
            rate = one.rate_of(own.owed)
            amount = round_down(bearing * rate, ASSET_STEP)
            if amount:
                made.append(
                    e.InterestCharged(
                        account=account.id,
                        wallet=wallet,
                        asset=one.asset,
                        owed=own.owed,
                        bearing=bearing,
                        rate=rate,
                        amount=amount,
                        of_loan=min(amount, round_down(own.borrowed * rate, ASSET_STEP)),
                    )
                )
    return made
