"""Placing orders of futures contracts: what they need is margin, and what they change are positions."""

from __future__ import annotations

from decimal import Decimal

from emulator.core import commands as c
from emulator.core import events as e
from emulator.core import rejections as r
from emulator.core.checks import at_once, check_status
from emulator.core.contracts import Contract, value_max, value_of
from emulator.core.coverage import collateral, mark_price, reducible, resting, spendable
from emulator.core.decisions import modes
from emulator.core.decisions.decision import Decision
from emulator.core.decisions.outcomes import bound_of, finish, placed, starting_point, take_bound
from emulator.core.instruments import BUY, SELL, Instrument, Outcome, Side
from emulator.core.margin import (
    Resting,
    assumed_price,
    cost_beside_margin,
    counted,
    margin_value,
    requirement,
)
from emulator.core.matching import Plan, Taker, walk
from emulator.core.numbers import ONE, ZERO, is_on_step
from emulator.core.orders import EndReason, Order, OrderStatus, OrderTerms
from emulator.core.positions import Leg, MarginMode, Position, joined_leverage, unrealised
from emulator.core.rejections import Limit, Obstacle, Rejection, Setting
from emulator.core.rules import EngineRules, PositionModeScope
from emulator.core.state import Account, State
from emulator.core.tape import Market


def enter_new(
    state: State,
    rules: EngineRules,
    account: Account,
    market: Market,
    terms: OrderTerms,
    price: Decimal | None,
    now_us: int,
    *,
    is_successor: bool = False,
) -> Decision:
    """Accept one order that passed its checks: dormant, or active at once. is_successor: it comes in the
    place of one that waited."""
    instrument, quantity = market.instrument, terms.quantity
    assert instrument.contract is not None
    wallet, order_id = instrument.contract.wallet, state.next_order
    mode = terms.self_trade_mode or instrument.self_trade_default
    if terms.trigger is not None:
        starting = starting_point(market, terms, now_us)
        if isinstance(starting, Rejection):
            return starting
        # What it needs is asked for when it is active: until then it freezes no margin.
        return [
            placed(
                order_id, account, wallet, instrument, terms, mode, quantity, terms.price,
                status=OrderStatus.DORMANT, extreme=starting,
            )
        ]  # fmt: skip
    gone: list[e.Event] = []
    if terms.reduces:
        most = reducible(state, account, instrument, terms)
        if terms.close_on_trigger:
            gone, most = _make_way(account, instrument.symbol, terms, quantity, most)
        # What closes all that there is does so as far as one order can, unless it waited to do so.
        wanted = quantity or (most if is_successor else _cut(instrument, terms, most))
        if not most or (wanted > most and not rules.margin.shrinks_reducing):
            return r.NothingToReduce()
        quantity = min(wanted, most)
        if instrument.contract.splits_reducing:
            quantity = _cut(instrument, terms, quantity)
    assert quantity is not None
    taker = Taker(order=order_id, account=account, wallet=wallet, side=terms.side, mode=mode, leg=terms.leg)
    bound = bound_of(market, terms, now_us) if price is None else None
    plan = _planned(state, rules, market, taker, terms, price, bound, quantity, now_us)
    if plan is None:
        if instrument.post_only_failure is Outcome.REFUSE:
            return r.WouldTake()
        endings: list[e.Event] | Rejection = [e.OrderExpired(order=order_id, reason=EndReason.WOULD_TAKE)]
    elif price is None and not (plan.executed or plan.prevented or plan.dry):
        best, _ = market.depth(terms.side.opposite, now_us, 1)[0]
        if instrument.take_bound_failure is Outcome.REFUSE:
            widest = take_bound(market, terms.side, now_us)
            return r.LimitBroken(limit=Limit.TAKE_BOUND, value=best, bound=widest)
        endings = [e.OrderExpired(order=order_id, reason=EndReason.NO_LIQUIDITY)]
    else:
        refused = check_margin(
            state, rules, account, market, terms, _exposed(plan, price, quantity), price, plan, now_us
        )
        if refused is not None:
            return refused
        endings = finish(instrument, terms, order_id, price, plan, quantity=quantity)
    if isinstance(endings, Rejection):
        return endings
    return [
        placed(order_id, account, wallet, instrument, terms, mode, quantity, price, bound=bound),
        *gone,
        *endings,
    ]


def _cut(instrument: Instrument, terms: OrderTerms, quantity: Decimal) -> Decimal:
    """As much of a quantity as one order may have."""
    most = at_once(instrument, terms.type)
    return min(quantity, most) if most else quantity


def wake_reducing(
    state: State, rules: EngineRules, market: Market, order: Order, price: Decimal | None, now_us: int
) -> list[e.Event]:
    """What becomes of an order that may only reduce, and whose condition is met: it takes what is there."""
    account = state.accounts[order.account]
    most = reducible(state, account, market.instrument, order.terms)
    gone: list[e.Event] = []
    if order.terms.close_on_trigger:
        gone, most = _make_way(account, order.instrument, order.terms, order.quantity, most)
    if not most:
        return [e.OrderExpired(order=order.id, reason=EndReason.NOTHING_TO_REDUCE)]
    quantity = most if order.quantity is None else min(order.quantity, most)
    contract = market.instrument.contract
    if contract is not None and contract.splits_reducing:
        quantity = _cut(market.instrument, order.terms, quantity)
    bound = bound_of(market, order.terms, now_us) if price is None else None
    return [
        *gone,
        e.OrderTriggered(
            order=order.id,
            price=price,
            quantity=None if quantity == order.quantity else quantity,
            bound=bound,
        ),
        *enter_existing(state, rules, market, order, price, bound, quantity, now_us),
    ]


def _make_way(
    account: Account, instrument: str, terms: OrderTerms, quantity: Decimal | None, most: Decimal
) -> tuple[list[e.Event], Decimal]:
    """End what would reduce the same position from the book, the newest first, as far as an order of so much
    needs it, or of all; and how much it can close then."""
    position = account.positions.get((instrument, terms.leg))
    held = ZERO if position is None else position.quantity if terms.side is SELL else -position.quantity
    wanted = held if quantity is None else min(held, quantity)
    if most >= wanted:
        return [], most
    others = [
        one
        for one in account.open_orders.values()
        if one.resting
        and one.instrument == instrument
        and one.terms.leg is terms.leg
        and one.side is terms.side
        and one.terms.reduces
    ]
    left = held - sum((one.remaining for one in others), ZERO)
    gone: list[e.Event] = []
    for one in reversed(others):
        if left >= wanted:
            break
        gone.append(e.OrderExpired(order=one.id, reason=EndReason.MADE_WAY))
        left += one.remaining
    return gone, max(left, ZERO)


def enter_existing(
    state: State,
    rules: EngineRules,
    market: Market,
    order: Order,
    price: Decimal | None,
    bound: Decimal | None,
    quantity: Decimal,
    now_us: int,
) -> list[e.Event]:
    """What becomes of an order that was dormant and is active now. bound: of one at market."""
    account, terms = state.accounts[order.account], order.terms
    taker = Taker(
        order=order.id,
        account=account,
        wallet=order.wallet,
        side=order.side,
        mode=order.self_trade_mode,
        leg=terms.leg,
    )
    plan = _planned(state, rules, market, taker, terms, price, bound, quantity, now_us)
    if plan is None:
        return [e.OrderExpired(order=order.id, reason=EndReason.WOULD_TAKE)]
    exposed = _exposed(plan, price, quantity)
    if check_margin(state, rules, account, market, terms, exposed, price, plan, now_us) is not None:
        return [e.OrderExpired(order=order.id, reason=EndReason.INSUFFICIENT_BALANCE)]
    endings = finish(market.instrument, terms, order.id, price, plan, quantity=quantity)
    if isinstance(endings, Rejection):
        return [e.OrderExpired(order=order.id, reason=EndReason.UNFILLED_ALL_OR_NOTHING)]
    return endings


def _planned(
    state: State,
    rules: EngineRules,
    market: Market,
    taker: Taker,
    terms: OrderTerms,
    price: Decimal | None,
    bound: Decimal | None,
    quantity: Decimal,
    now_us: int,
) -> Plan | None:
    """What an order finds in the book; None if it may not find anything, and does."""
    if price is not None:
        crossing = market.crosses(terms.side, price, now_us)
        if crossing and terms.post_only:
            return None
        if not crossing:
            return Plan(quantity)
    limit = bound if price is None else price
    return walk(state, rules, market, taker, now_us, limit=limit, quantity=quantity)


def _exposed(plan: Plan, price: Decimal | None, quantity: Decimal) -> Decimal:
    """How much of an order can trade: at market, what it finds."""
    return plan.executed if price is None else quantity


def check_margin(
    state: State,
    rules: EngineRules,
    account: Account,
    market: Market,
    terms: OrderTerms,
    quantity: Decimal,
    price: Decimal | None,
    plan: Plan,
    now_us: int,
    without: Order | None = None,
) -> Rejection | None:
    """Whether an account's collateral covers what an order may come to, and its leverage allows it.

    The initial margin that the order adds to what the position and the orders beside it need, valued at
    the worst price that it may trade at, and what the exchange counts beside it for what it would open.
    An order that takes from both costs nothing, however little is left. without: an order in the book in
    whose place it comes.
    """
    if terms.reduces:
        return None
    side = terms.side
    instrument = market.instrument
    contract = instrument.contract
    assert contract is not None
    traded_at = [one.price for one in plan.events if isinstance(one, e.TradeExecuted)]
    if not quantity or (price is None and not traded_at):
        return None
    if price is None:
        price = traded_at[-1]
    position = state.position(account.id, instrument.symbol, terms.leg)
    signed = quantity if side is BUY else -quantity
    mark = mark_price(market, now_us)
    prices = [price, *traded_at]
    if not contract.is_inverse:
        last = market.last_price(now_us)
        prices.append(assumed_price(signed, price, last=last, mark=mark, premium=rules.margin.sell_premium))
    value = max(abs(value_of(contract, quantity, at)) for at in prices)
    before = resting(state, account, instrument, terms.leg)
    beside = before if without is None else resting(state, account, instrument, terms.leg, without)
    joined = counted(contract, beside, is_buy=side is BUY, before=ZERO, value=value, leverage=terms.leverage)
    leverage = position.leverage
    if terms.leverage is not None:
        leverage = terms.leverage
        if position.direction == (ONE if side is BUY else -ONE):
            leverage = joined_leverage(contract, position, value, leverage)
    too_large = _check_size(contract, position, joined, side, mark, leverage)
    if too_large is not None:
        return too_large
    needed = (
        requirement(contract, position, mark, joined).total
        - requirement(contract, position, mark, before).total
    )
    opened = _opened(position, signed)
    if needed <= ZERO and not opened:
        return None
    wallet, settle = contract.wallet, contract.settle
    if (account.id, wallet, settle) in state.unused and (account.id, wallet) in state.shared:
        return r.CollateralOff(asset=settle)
    needed = max(needed, ZERO)
    if opened:
        needed += cost_beside_margin(
            contract,
            quantity=opened,
            price=price,
            mark=mark,
            leverage=position.leverage if terms.leverage is None else terms.leverage,
            rule=rules.margin.cost,
        )
    available = collateral(state, rules, account, contract.wallet, now_us).available(contract.settle)
    if needed > available:
        return r.InsufficientMargin(asset=contract.settle, needed=needed, available=available)
    return None


def _check_size(
    contract: Contract, position: Position, joined: Resting, side: Side, mark: Decimal, leverage: Decimal
) -> Rejection | None:
    """Whether the position would be too large for its leverage if all orders of a side traded."""
    held = margin_value(contract, position, mark)
    value = held + joined.bids if side is BUY else joined.asks - held
    most = value_max(contract, leverage)
    if value > most:
        return r.PositionTooLarge(leverage=leverage, value=value, most=most)
    return None


def _opened(position: Position, quantity: Decimal) -> Decimal:
    """How much of a trade would open or add, with its sign."""
    if not position.quantity or (quantity > ZERO) is (position.quantity > ZERO):
        return quantity
    rest = abs(quantity) - abs(position.quantity)
    return ZERO if rest <= ZERO else rest if quantity > ZERO else -rest


def check_leg(state: State, account: Account, instrument: Instrument, terms: OrderTerms) -> Rejection | None:
    """Whether an order names a leg where there are legs, and only there."""
    if state.is_hedged(account.id, instrument.symbol) is (terms.leg is Leg.BOTH):
        return r.LegWrong()
    return None


# Settings


def set_margin_mode(state: State, rules: EngineRules, command: c.SetMarginMode, now_us: int) -> Decision:
    found = contract_of(state, command.account, command.instrument)
    if isinstance(found, Rejection):
        return found
    account, instrument, contract = found
    closed = check_status(instrument, now_us)
    if closed is not None:
        return closed
    symbol = instrument.symbol
    if contract.wallet in state.account_margin_default:
        return r.SettingBlocked(setting=Setting.MARGIN_MODE, obstacle=Obstacle.ACCOUNT)
    chosen = state.choice(account.id, symbol)
    if chosen.mode is command.mode:
        return r.SettingUnchanged(setting=Setting.MARGIN_MODE)
    if any(order.instrument == symbol for order in account.open_orders.values()):
        return r.SettingBlocked(setting=Setting.MARGIN_MODE, obstacle=Obstacle.ORDERS)
    if any(of == symbol for of, _ in account.positions):
        return r.SettingBlocked(setting=Setting.MARGIN_MODE, obstacle=Obstacle.POSITION)
    if command.mode is MarginMode.ISOLATED and (account.id, contract.wallet) in state.shared:
        return r.SettingBlocked(setting=Setting.MARGIN_MODE, obstacle=Obstacle.SHARED)
    events: list[e.Event] = [e.MarginModeSet(account=account.id, instrument=symbol, mode=command.mode)]
    if command.mode is MarginMode.CROSS and (chosen.long, chosen.short) != (None, None):
        # Only legs that are isolated have a leverage of their own.
        events.append(e.LeverageSet(account=account.id, instrument=symbol, leverage=chosen.leverage))
    return events


def set_position_mode(state: State, rules: EngineRules, command: c.SetPositionMode, now_us: int) -> Decision:
    account, wallet = state.accounts.get(command.account), command.wallet
    if account is None:
        return r.UnknownAccount(account=command.account)
    if wallet not in state.margin_wallets:
        return r.UnknownWallet(wallet=wallet)
    if rules.margin.position_mode_scope is PositionModeScope.CONTRACT:
        return modes.set_position_modes(state, account, command)
    wallets = sorted(state.margin_wallets) if rules.margin.shares_position_mode else [wallet]
    if all(((account.id, one) in state.hedged) is command.hedged for one in wallets):
        return r.SettingUnchanged(setting=Setting.POSITION_MODE)

    def wallet_of(symbol: str) -> str | None:
        contract = state.markets[symbol].instrument.contract
        return None if contract is None else contract.wallet

    traded = {
        Obstacle.ORDERS: {wallet_of(order.instrument) for order in account.open_orders.values()},
        Obstacle.POSITION: {wallet_of(symbol) for symbol, _ in account.positions},
    }
    # What is in the wallet itself is said first.
    for one in sorted(wallets, key=lambda each: each != wallet):
        for obstacle, occupied in traded.items():
            if one in occupied:
                return r.SettingBlocked(
                    setting=Setting.POSITION_MODE, obstacle=obstacle, elsewhere=one != wallet
                )
    return [
        e.PositionModeSet(account=account.id, wallet=one, hedged=command.hedged)
        for one in wallets
        if ((account.id, one) in state.hedged) is not command.hedged
    ]


def move_margin(state: State, rules: EngineRules, command: c.MoveMargin, now_us: int) -> Decision:
    """Added is what may leave the wallet as well; taken back is what the position does not need to have
    been opened at its mark price, and no profit."""
    found = contract_of(state, command.account, command.instrument)
    if isinstance(found, Rejection):
        return found
    account, instrument, contract = found
    closed = check_status(instrument, now_us)
    if closed is not None:
        return closed
    amount, asset = command.amount, contract.settle
    if not amount or not is_on_step(amount, contract.settle_step):
        return r.AmountInvalid(amount=amount)
    position = account.positions.get((instrument.symbol, command.leg))
    if position is None or position.mode is not MarginMode.ISOLATED:
        return r.NoIsolatedPosition(is_cross=position is not None)
    if amount > ZERO:
        free = spendable(state, rules, account, contract.wallet, asset, now_us)
        if amount > free:
            return r.InsufficientMargin(asset=asset, needed=amount, available=free)
    else:
        mark = mark_price(state.markets[instrument.symbol], now_us)
        left = position.margin + min(ZERO, unrealised(contract, position, mark))
        spare = max(ZERO, left - requirement(contract, position, mark).position)
        if -amount > spare:
            return r.MarginNeeded(asset=asset, spare=spare)
    return [e.MarginMoved(account=account.id, instrument=instrument.symbol, leg=command.leg, amount=amount)]


def set_replenishment(state: State, rules: EngineRules, command: c.SetReplenishment, now_us: int) -> Decision:
    found = contract_of(state, command.account, command.instrument)
    if isinstance(found, Rejection):
        return found
    account, instrument, _ = found
    symbol, leg, setting = instrument.symbol, command.leg, Setting.REPLENISHMENT
    if (leg is Leg.BOTH) is state.is_hedged(account.id, symbol):
        return r.LegWrong()
    if state.position(account.id, symbol, leg).mode is not MarginMode.ISOLATED:
        return r.SettingBlocked(setting=setting, obstacle=Obstacle.CROSS)
    if ((account.id, symbol, leg) in state.replenished) is command.on:
        return r.SettingUnchanged(setting=setting)
    return [e.ReplenishmentSet(account=account.id, instrument=symbol, leg=leg, on=command.on)]


def contract_of(state: State, account: int, symbol: str) -> tuple[Account, Instrument, Contract] | Rejection:
    owner, market = state.accounts.get(account), state.markets.get(symbol)
    if owner is None:
        return r.UnknownAccount(account=account)
    if market is None:
        return r.UnknownInstrument(instrument=symbol)
    instrument = market.instrument
    if instrument.contract is None:
        return r.NotAContract(instrument=symbol)
    return owner, instrument, instrument.contract
