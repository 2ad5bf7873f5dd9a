"""Placing one order: its checks, and how it enters the market."""

from __future__ import annotations

from decimal import Decimal

from emulator.core import commands as c
from emulator.core import events as e
from emulator.core import rejections as r
from emulator.core.checks import (
    admits,
    check_counts,
    check_position,
    check_shape,
    check_status,
    check_terms,
)
from emulator.core.decisions import contracts, lending, leverages
from emulator.core.decisions.decision import Decision
from emulator.core.decisions.outcomes import bound_of, finish, placed, rest_or_expire, starting_point
from emulator.core.decisions.stops import check_attached, check_pairs
from emulator.core.instruments import BUY, SELL, Instrument, Outcome, SelfTradeMode, Side, TimeInForce
from emulator.core.matching import Plan, Taker, walk
from emulator.core.numbers import ZERO, divide_down
from emulator.core.orders import EndReason, OrderStatus, OrderTerms, PegSide
from emulator.core.rejections import Limit, Rejection
from emulator.core.rules import EngineRules
from emulator.core.state import Account, State, dormant_price, dormant_requirement, requirement
from emulator.core.tape import Market

_REFUSE = Outcome.REFUSE
_GTC, _FOK = TimeInForce.GTC, TimeInForce.FOK


def place_order(
    state: State, rules: EngineRules, command: c.PlaceOrder | c.TestOrder, now_us: int
) -> Decision:
    account = state.accounts.get(command.account)
    market = state.markets.get(command.instrument)
    wallet, terms = command.wallet, command.terms
    if account is None:
        return r.UnknownAccount(account=command.account)
    if market is None:
        return r.UnknownInstrument(instrument=command.instrument)
    contract = market.instrument.contract
    if wallet not in state.pair_wallets if contract is None else wallet != contract.wallet:
        return r.UnknownWallet(wallet=wallet)
    price = terms.price
    if not admits(state, account, market, terms, now_us):
        active = limit_price(market, terms, now_us)
        if isinstance(active, Rejection):
            return active
        price = active
        instrument = market.instrument
        rejection = (
            check_status(instrument, now_us)
            or check_leg(state, account, wallet, market, terms, price, now_us)
            or leverages.check_own(state, rules, account, instrument, terms)
            or check_counts(state, account, instrument, (terms,))
        )
        if rejection is not None:
            return rejection
    if type(command) is c.TestOrder:
        return []  # Neither the wallet nor the book is asked.
    return enter_new(state, rules, account, wallet, market, terms, price, now_us)


def check_placement(state: State, rules: EngineRules, command: c.PlaceOrder, now_us: int) -> Rejection | None:
    """What can be said against an order before the book and the wallet are asked.

    Of a replacement the order that will be canceled still counts here.
    """
    account, market = state.accounts.get(command.account), state.markets.get(command.instrument)
    if account is None:
        return r.UnknownAccount(account=command.account)
    if market is None:
        return r.UnknownInstrument(instrument=command.instrument)
    wallet, contract = command.wallet, market.instrument.contract
    if wallet not in state.pair_wallets if contract is None else wallet != contract.wallet:
        return r.UnknownWallet(wallet=wallet)
    price = limit_price(market, command.terms, now_us)
    if isinstance(price, Rejection):
        return price
    return (
        check_status(market.instrument, now_us)
        or check_shape(command.terms)
        or check_terms(market, command.terms, price, now_us)
        or _check_named_price(market, command.terms, price, now_us)
        or check_position(state, account, command.wallet, market.instrument, command.terms)
        or check_counts(state, account, market.instrument, (command.terms,))
    )


def check_leg(
    state: State,
    account: Account,
    wallet: str,
    market: Market,
    terms: OrderTerms,
    price: Decimal | None,
    now_us: int,
    *,
    is_funded: bool = False,
) -> Rejection | None:
    """What can be said against one order by itself; `price` is its limit price if it were active now."""
    instrument, client_id = market.instrument, terms.client_id
    rejection = check_shape(terms, is_funded=is_funded) or check_terms(market, terms, price, now_us)
    if rejection is None and terms.peg is not None:
        rejection = _check_named_price(market, terms, price, now_us)
    if rejection is None and instrument.position_max is not None:
        rejection = check_position(state, account, wallet, instrument, terms)
    if rejection is None and instrument.contract is not None:
        rejection = contracts.check_leg(state, account, instrument, terms)
    if rejection is None and terms.attached is not None:
        rejection = check_attached(market, terms, now_us, price) or check_pairs(
            state, account.id, instrument, terms
        )
    if rejection is not None:
        return rejection
    if client_id and (account.id, instrument.symbol, client_id) in state.client_ids:
        return r.DuplicateClientId(client_id=client_id)
    return None


def _check_named_price(
    market: Market, terms: OrderTerms, price: Decimal | None, now_us: int
) -> Rejection | None:
    """A pegged order that names a price as well must pass with both (pegged_orders.md)."""
    if terms.peg is None or terms.price is None or price == terms.price:
        return None
    return check_terms(market, terms, terms.price, now_us)


def limit_price(market: Market, terms: OrderTerms, now_us: int) -> Decimal | Rejection | None:
    """The limit price an order would have if it became active now."""
    if terms.peg is None or terms.trigger is not None:
        return terms.price
    price = peg_price(market, terms, now_us)
    return r.NoPegLevel() if price is None else price


def peg_price(market: Market, terms: OrderTerms, now_us: int) -> Decimal | None:
    """The price of the book level that a pegged order names, if the book has it."""
    peg = terms.peg
    assert peg is not None
    side = terms.side if peg.side is PegSide.PRIMARY else terms.side.opposite
    levels = market.depth(side, now_us, max(0, peg.levels) + 1)
    return levels[peg.levels][0] if len(levels) > peg.levels else None


def hold_asset(instrument: Instrument, side: Side) -> str:
    """What an order pays with."""
    return instrument.base if side is SELL else instrument.quote


def enter_new(
    state: State,
    rules: EngineRules,
    account: Account,
    wallet: str,
    market: Market,
    terms: OrderTerms,
    price: Decimal | None,
    now_us: int,
    *,
    is_successor: bool = False,
) -> Decision:
    """Accept one order that passed its checks: dormant, or active at once. is_successor: it comes in the
    place of one that waited."""
    instrument, side, quantity = market.instrument, terms.side, terms.quantity
    if instrument.contract is not None:
        return contracts.enter_new(
            state, rules, account, market, terms, price, now_us, is_successor=is_successor
        )
    order_id = state.next_order
    mode = terms.self_trade_mode or instrument.self_trade_default
    if terms.trigger is not None:
        return _sleep_new(state, rules, account, wallet, market, terms, order_id, mode, now_us)
    asset = instrument.base if side is SELL else instrument.quote
    free = state.ledger.free(account.id, wallet, asset)
    is_covering = wallet in state.margin_wallets
    needed = ZERO
    if price is not None:
        assert quantity is not None
        needed = requirement(instrument, side, price, quantity)
        crossing = market.crosses(side, price, now_us)
        if terms.post_only and crossing and instrument.post_only_failure is _REFUSE:
            return r.WouldTake()
        if needed > free or is_covering:
            received = quantity if side is BUY else price * quantity
            lacking = _lacking(
                state, rules, account, wallet, instrument, terms, free, needed, received, now_us
            )
            if lacking is not None:
                return lacking
        if not crossing or terms.post_only:
            if crossing:
                ending: e.Event = e.OrderExpired(order=order_id, reason=EndReason.WOULD_TAKE)
            elif terms.time_in_force is _GTC:
                ending = e.OrderRested(order=order_id)
            elif terms.time_in_force is _FOK and instrument.fill_or_kill_failure is _REFUSE:
                return r.WouldNotFill()
            else:
                ending = rest_or_expire(terms, order_id)
            return [placed(order_id, account, wallet, instrument, terms, mode, quantity, price), ending]
    elif side is SELL and quantity is not None:
        needed = quantity
    elif side is BUY and terms.quote_quantity is not None:
        needed = terms.quote_quantity
    if needed and price is None and (needed > free or is_covering):
        last = market.last_price(now_us)
        received = needed * last if side is SELL else divide_down(needed, last, instrument.base_step)
        lacking = _lacking(state, rules, account, wallet, instrument, terms, free, needed, received, now_us)
        if lacking is not None:
            return lacking
    taker = Taker(order=order_id, account=account, wallet=wallet, side=side, mode=mode)
    bound = bound_of(market, terms, now_us) if price is None else None
    plan = plan_walk(
        state, rules, market, taker, now_us, limit=bound if price is None else price, quantity=quantity,
        budget=terms.quote_quantity, reserved=needed,
    )  # fmt: skip
    if price is None:
        if plan.paid > free or is_covering:
            received = plan.executed if side is BUY else plan.amount
            lacking = _lacking(
                state, rules, account, wallet, instrument, terms, free, plan.paid, received, now_us
            )
            if lacking is not None:
                return lacking
        if quantity is None:
            quantity = plan.executed + plan.prevented
            is_refused = not (plan.bounded or plan.dry) or instrument.take_bound_failure is _REFUSE
            if is_refused and not plan.matches and (thin := _too_thin(instrument, plan)) is not None:
                return thin
            if plan.dry or plan.bounded:
                quantity += unspent(market, terms, plan, now_us)
    assert quantity is not None
    endings = finish(instrument, terms, order_id, price, plan, quantity=quantity)
    if isinstance(endings, Rejection):
        return endings
    return [
        placed(order_id, account, wallet, instrument, terms, mode, quantity, price, bound=bound),
        *endings,
    ]


def _lacking(
    state: State,
    rules: EngineRules,
    account: Account,
    wallet: str,
    instrument: Instrument,
    terms: OrderTerms,
    free: Decimal,
    paid: Decimal,
    received: Decimal,
    now_us: int,
) -> Rejection | None:
    """What speaks against paying so much for so much."""
    if wallet in state.margin_wallets:
        return lending.check_spending(
            state, rules, account, wallet, instrument, terms, paid, received, now_us
        )
    asset = hold_asset(instrument, terms.side)
    if terms.borrows:
        return r.BorrowingOff(asset=asset)
    return r.InsufficientBalance(asset=asset, needed=paid, available=free) if paid > free else None


def plan_walk(
    state: State,
    rules: EngineRules,
    market: Market,
    taker: Taker,
    now_us: int,
    *,
    limit: Decimal | None,
    quantity: Decimal | None,
    budget: Decimal | None,
    reserved: Decimal,
) -> Plan:
    """Plan a walk whose cost may be known only afterwards; `reserved` is zero then."""
    plan = walk(
        state, rules, market, taker, now_us, limit=limit, quantity=quantity, budget=budget, reserved=reserved
    )
    pays_with = hold_asset(market.instrument, taker.side)
    is_discounted = taker.wallet in taker.account.discounted
    if not reserved and plan.paid and is_discounted and pays_with == rules.fees.discount_asset:
        # Fees must not take what the trades themselves need. Which asset a fee is in does not change
        # the walk, so the second plan costs the same.
        plan = walk(
            state, rules, market, taker, now_us, limit=limit, quantity=quantity, budget=budget,
            reserved=plan.paid,
        )  # fmt: skip
    return plan


def _too_thin(instrument: Instrument, plan: Plan) -> Rejection | None:
    """Why a budget is not spent at all, if it finds less than may trade."""
    if not plan.executed:
        return r.BookTooThin(limit=None) if plan.dry else r.BookTooThin()
    if plan.executed < instrument.quantity_min:
        return r.BookTooThin()
    if plan.executed < instrument.market_quantity_min:
        return r.BookTooThin(limit=Limit.MARKET_QUANTITY_RANGE)
    return None


def unspent(market: Market, terms: OrderTerms, plan: Plan, now_us: int) -> Decimal:
    """What was left of a budget when the book ran out, as a quantity at the last price."""
    assert terms.quote_quantity is not None
    rest = terms.quote_quantity - plan.amount
    step = market.instrument.quantity_step
    return max(step, divide_down(rest, market.last_price(now_us), step))


def _sleep_new(
    state: State,
    rules: EngineRules,
    account: Account,
    wallet: str,
    market: Market,
    terms: OrderTerms,
    order_id: int,
    mode: SelfTradeMode,
    now_us: int,
) -> Decision:
    instrument = market.instrument
    starting = starting_point(market, terms, now_us)
    if isinstance(starting, Rejection):
        return starting
    asset = hold_asset(instrument, terms.side)
    needed = dormant_requirement(instrument, terms, starting, terms.quantity)
    free = state.ledger.free(account.id, wallet, asset)
    if needed > free or (needed and wallet in state.margin_wallets):
        received = lending.brought(instrument, terms, dormant_price(terms, starting), terms.quantity)
        lacking = _lacking(state, rules, account, wallet, instrument, terms, free, needed, received, now_us)
        if lacking is not None:
            return lacking
    return [
        placed(
            order_id,
            account,
            wallet,
            instrument,
            terms,
            mode,
            terms.quantity,
            terms.price,
            status=OrderStatus.DORMANT,
            extreme=starting,
        )
    ]
