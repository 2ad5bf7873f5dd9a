"""What follows from other events: fills by the market, triggers, legs of lists."""

from __future__ import annotations

from decimal import Decimal

from msgspec.structs import replace

from emulator.core import commands as c
from emulator.core import events as e
from emulator.core import rejections as r
from emulator.core.checks import check_band, check_funded, check_terms, nearest_price
from emulator.core.coverage import mark_price, payable
from emulator.core.decisions import contracts
from emulator.core.decisions.decision import Decision
from emulator.core.decisions.outcomes import bound_of, finish, starting_point
from emulator.core.decisions.placing import enter_new, peg_price, plan_walk, unspent
from emulator.core.instruments import SELL, Instrument, OrderType
from emulator.core.matching import Taker, serve
from emulator.core.numbers import ZERO, round_down
from emulator.core.order_lists import OrderList
from emulator.core.orders import STOPS_LOSS, TAKES_PROFIT, EndReason, Order, OrderStatus, OrderTerms
from emulator.core.rejections import Rejection
from emulator.core.rules import EngineRules
from emulator.core.state import State, dormant_price, requirement
from emulator.core.tape import Market


def advance(state: State, rules: EngineRules, command: c.AdvanceInstrument, now_us: int) -> Decision:
    market = state.markets[command.instrument]
    events = serve(state, rules, market, now_us)
    return [*events, *_arrival(market, events, now_us)] if events else events


def end_due(state: State, rules: EngineRules, command: c.EndDue, now_us: int) -> Decision:
    market = state.markets[command.instrument]
    contract = market.instrument.contract
    ended: list[e.Event] = []
    if contract is not None and contract.delivery_us is not None and contract.delivery_us <= now_us:
        ended += [
            e.OrderExpired(order=order.id, reason=EndReason.DELIVERED)
            for order in state.orders.values()
            if order.instrument == command.instrument
        ]
        # Nothing is left that a countdown could end; one that stayed would be due for ever.
        ended += [
            e.CountdownSet(account=account, instrument=command.instrument, at_us=None)
            for account in sorted(market.countdowns)
        ]
        return ended
    counted = {account for account, at_us in market.countdowns.items() if at_us <= now_us}
    for at_us, order_id in market.deadlines:
        if at_us > now_us:
            break
        if state.orders[order_id].account not in counted:
            ended.append(e.OrderExpired(order=order_id, reason=EndReason.TIME_PASSED))
    for account in sorted(counted):
        ended.append(e.CountdownSet(account=account, instrument=command.instrument, at_us=None))
        for order in state.accounts[account].open_orders.values():
            if order.instrument == command.instrument:
                ended.append(e.OrderCanceled(order=order.id, cancel_client_id=""))
    return ended


def _arrival(market: Market, fills: list[e.Event], now_us: int) -> list[e.Event]:
    """The trade with which a price that was set at this moment is reached, after those on the way to it.

    Without it the last price would be that of an order which the market passed, and stops beyond it
    would not fire for as long as the clock stands still.
    """
    segment = market.segment
    if segment is None or segment.start_us != now_us or segment.is_release:
        return []
    price = segment.price
    if price is None:
        price = market.feed.last_trade(market.instrument, now_us).price + segment.shift
    trades = [fill for fill in fills if isinstance(fill, e.TradeExecuted)]
    if not trades or trades[-1].price == price:
        return []
    return [
        e.TradePrinted(
            instrument=market.instrument.symbol,
            trade=trades[-1].trade + 1,
            price=price,
            quantity=market.instrument.profile.trade_quantity,
            buyer_is_maker=segment.ask_at_price,
        )
    ]


def trigger_order(state: State, rules: EngineRules, command: c.TriggerOrder, now_us: int) -> Decision:
    """A dormant order begins to track the market, or becomes active and ends its sibling."""
    order = state.orders[command.order]
    market = state.markets[order.instrument]
    terms, trigger = order.terms, order.terms.trigger
    assert trigger is not None
    if trigger.is_trailing and not order.trailing:
        extreme = market.price_by(trigger.source, now_us)
        return [e.TrailingStarted(order=order.id, extreme=extreme)]
    if terms.price_protect and _is_apart(market, now_us):
        return [e.OrderExpired(order=order.id, reason=EndReason.PRICE_PROTECTED)]
    ends = _ends_of(state.siblings(order), order)
    price = terms.price
    if terms.peg is not None:
        price = peg_price(market, terms, now_us)
        refused = (
            EndReason.NO_PEG_LEVEL
            if price is None
            else _refused_peg(state, rules, market, order, price, now_us)
        )
        if refused is not None:
            return [*ends, e.OrderExpired(order=order.id, reason=refused)]
    contract = market.instrument.contract
    if contract is not None and price is not None:
        if contract.adjusts_triggered:
            price = nearest_price(market, order.side, price, now_us)
        elif check_band(market, order.side, price, now_us) is not None:
            return [e.OrderExpired(order=order.id, reason=EndReason.REFUSED_AT_ACTIVATION)]
    if terms.detached:
        return _succeed(state, rules, market, order, price, now_us)
    if terms.reduces:
        return [*ends, *contracts.wake_reducing(state, rules, market, order, price, now_us)]
    bound = bound_of(market, terms, now_us) if price is None else None
    woken = e.OrderTriggered(order=order.id, price=price, bound=bound)
    if order.quantity is None:
        return [*ends, *_enter_budget(state, rules, market, order, bound, now_us)]
    quantity = order.remaining
    return [*ends, woken, *_enter_existing(state, rules, market, order, price, bound, quantity, (), now_us)]


def _succeed(
    state: State, rules: EngineRules, market: Market, order: Order, price: Decimal | None, now_us: int
) -> list[e.Event]:
    """What a detached order comes to when its condition is met: another one in its stead, or nothing."""
    terms = replace(order.terms, trigger=None, detached=False, price_protect=False)
    account = state.accounts[order.account]
    decision = enter_new(state, rules, account, order.wallet, market, terms, price, now_us, is_successor=True)
    if isinstance(decision, Rejection):
        reason = _REASONS.get(type(decision), EndReason.REFUSED_AT_ACTIVATION)
        return [e.OrderExpired(order=order.id, reason=reason)]
    first, *others = decision
    assert isinstance(first, e.OrderPlaced)
    return [
        e.OrderSucceeded(order=order.id, successor=first.order),
        replace(first, origin=order.id),
        *others,
    ]


_REASONS: dict[type[Rejection], EndReason] = {
    r.NothingToReduce: EndReason.NOTHING_TO_REDUCE,
    r.InsufficientMargin: EndReason.INSUFFICIENT_BALANCE,
    r.InsufficientBalance: EndReason.INSUFFICIENT_BALANCE,
    r.BookTooThin: EndReason.NO_LIQUIDITY,
    r.WouldTake: EndReason.WOULD_TAKE,
    r.WouldNotFill: EndReason.UNFILLED_ALL_OR_NOTHING,
}
"""Why a detached order came to nothing, by what spoke against its successor."""


def _enter_budget(
    state: State, rules: EngineRules, market: Market, order: Order, bound: Decimal | None, now_us: int
) -> list[e.Event]:
    """What becomes of an order at market by quote quantity that waited: only now is there a quantity."""
    terms = order.terms
    budget = terms.quote_quantity
    assert budget is not None
    account, held = state.accounts[order.account], order.held
    taker = Taker(
        order=order.id, account=account, wallet=order.wallet, side=order.side, mode=order.self_trade_mode
    )
    needed = ZERO if order.side is SELL else budget
    plan = plan_walk(
        state, rules, market, taker, now_us, limit=bound, quantity=None, budget=budget,
        reserved=max(ZERO, needed - held),
    )  # fmt: skip
    if max(plan.paid, needed) > _payable(state, rules, order, now_us) + held:
        return [e.OrderExpired(order=order.id, reason=EndReason.INSUFFICIENT_BALANCE)]
    quantity = plan.executed + plan.prevented
    if not quantity:
        return [e.OrderExpired(order=order.id, reason=EndReason.NO_LIQUIDITY)]
    if plan.dry or plan.bounded:
        quantity += unspent(market, terms, plan, now_us)
    ending = finish(market.instrument, terms, order.id, None, plan, quantity=quantity)
    assert not isinstance(ending, Rejection), "at market there is no all or nothing"
    return [e.OrderTriggered(order=order.id, price=None, quantity=quantity, bound=bound), *ending]


def _is_apart(market: Market, now_us: int) -> bool:
    """Whether the last price is too far from the mark price for orders that are protected from that."""
    most = market.instrument.trigger_protect
    if most is None or market.marks is None:
        return False
    mark = mark_price(market, now_us)
    return abs(market.last_price(now_us) - mark) > mark * most


def activate(state: State, rules: EngineRules, command: c.ActivateOrder, now_us: int) -> Decision:
    """Place a waiting leg; its funded quantity, and what it is pegged to, are checked only now."""
    order = state.orders.get(command.order)
    if order is None:
        return []  # The other leg of its pair ended it.
    market = state.markets[order.instrument]
    instrument, terms = market.instrument, order.terms
    order_list = state.lists[order.list_id]
    quantity = terms.quantity
    if quantity is None:
        quantity = _funded_quantity(state, instrument, order_list, terms)
    else:
        assert order.quantity is not None
        quantity = order.quantity
    price = terms.price
    extreme: Decimal | None = None
    status = OrderStatus.NEW
    siblings = state.siblings(order)
    ends: list[e.Event] = []
    if terms.trigger is not None:
        starting = starting_point(market, terms, now_us)
        if isinstance(starting, Rejection):
            # A leg whose stop price was passed meanwhile fires at once instead of being refused:
            # it protects a position that exists by now.
            ends, siblings = _ends_of(siblings, order), ()
        else:
            status, extreme = OrderStatus.DORMANT, starting
    if status is OrderStatus.NEW and terms.peg is not None:
        price = peg_price(market, terms, now_us)
        if price is None:
            return [e.OrderExpired(order=order.id, reason=EndReason.NO_PEG_LEVEL)]
    if quantity is None or _refused_quantity(market, terms, price, quantity, now_us):
        return [e.OrderExpired(order=order.id, reason=EndReason.REFUSED_AT_ACTIVATION)]
    if price is not None or status is OrderStatus.DORMANT:
        at = price if price is not None else dormant_price(terms, extreme)
        needed = requirement(instrument, terms.side, at, quantity)
        available = _payable(state, rules, order, now_us) + order_list.held
        if needed > available:
            return [e.OrderExpired(order=order.id, reason=EndReason.INSUFFICIENT_BALANCE)]
    activated = e.OrderActivated(
        order=order.id, status=status, price=price, quantity=quantity, extreme=extreme
    )
    if status is OrderStatus.DORMANT:
        return [activated]
    bound = bound_of(market, terms, now_us) if price is None else None
    return [
        *ends,
        activated,
        *_enter_existing(state, rules, market, order, price, bound, quantity, siblings, now_us),
    ]


def _enter_existing(
    state: State,
    rules: EngineRules,
    market: Market,
    order: Order,
    price: Decimal | None,
    bound: Decimal | None,
    quantity: Decimal,
    siblings: tuple[Order, ...],
    now_us: int,
) -> list[e.Event]:
    """What becomes of an order that was waiting or dormant and is active now."""
    instrument, terms = market.instrument, order.terms
    if instrument.contract is not None:
        return contracts.enter_existing(state, rules, market, order, price, bound, quantity, now_us)
    if price is not None and terms.post_only and market.crosses(terms.side, price, now_us):
        return [e.OrderExpired(order=order.id, reason=EndReason.WOULD_TAKE)]
    taker = Taker(
        order=order.id,
        account=state.accounts[order.account],
        wallet=order.wallet,
        side=terms.side,
        mode=order.self_trade_mode,
        siblings=siblings,
    )
    held = state.set_aside(order)
    needed = quantity if terms.side is SELL else ZERO
    if price is not None:
        needed = requirement(instrument, terms.side, price, quantity)
    limit = bound if price is None else price
    plan = plan_walk(
        state, rules, market, taker, now_us, limit=limit, quantity=quantity, budget=None,
        reserved=max(ZERO, needed - held),
    )  # fmt: skip
    if price is None:
        free = _payable(state, rules, order, now_us)
        if max(plan.paid, needed) > free + held:
            return [e.OrderExpired(order=order.id, reason=EndReason.INSUFFICIENT_BALANCE)]
    ending = finish(instrument, terms, order.id, price, plan, quantity=quantity)
    if isinstance(ending, Rejection):
        return [e.OrderExpired(order=order.id, reason=EndReason.UNFILLED_ALL_OR_NOTHING)]
    return ending


def _ends_of(siblings: tuple[Order, ...], fired: Order) -> list[e.Event]:
    reason = EndReason.LIST_SIBLING
    if fired.terms.role in TAKES_PROFIT:
        reason = EndReason.TAKE_PROFIT_FIRED
    elif fired.terms.role in STOPS_LOSS:
        reason = EndReason.STOP_LOSS_FIRED
    return [e.OrderExpired(order=order.id, reason=reason) for order in siblings]


def _payable(state: State, rules: EngineRules, order: Order, now_us: int) -> Decimal:
    """What an order may be paid with beside what is held for it."""
    account = state.accounts[order.account]
    return payable(state, rules, account, order.wallet, order.hold_asset, now_us)


def _refused_peg(
    state: State, rules: EngineRules, market: Market, order: Order, price: Decimal, now_us: int
) -> EndReason | None:
    """Why a price that was taken from the book cannot be used after all (pegged_orders.md)."""
    if check_terms(market, order.terms, price, now_us) is not None:
        return EndReason.REFUSED_AT_ACTIVATION
    if market.instrument.contract is not None:
        return None
    needed = requirement(market.instrument, order.side, price, order.remaining)
    free = _payable(state, rules, order, now_us)
    return EndReason.INSUFFICIENT_BALANCE if needed > free + state.set_aside(order) else None


def _refused_quantity(
    market: Market, terms: OrderTerms, price: Decimal | None, quantity: Decimal, now_us: int
) -> bool:
    if terms.quantity is None:
        return check_funded(market, terms, price, quantity, now_us) is not None
    return terms.peg is not None and check_terms(market, terms, price, now_us) is not None


def _funded_quantity(
    state: State, instrument: Instrument, order_list: OrderList, terms: OrderTerms
) -> Decimal | None:
    """What the working order received, in whole steps; the first leg of a pair settles it for both."""
    if order_list.received:
        quantity = round_down(order_list.received, instrument.quantity_step)
        most = instrument.quantity_max
        if terms.type is OrderType.MARKET:
            if instrument.market_quantity_step:
                quantity = round_down(quantity, instrument.market_quantity_step)
            if instrument.market_quantity_max:
                most = min(most or instrument.market_quantity_max, instrument.market_quantity_max)
        return min(quantity, most) if most else quantity
    for leg in order_list.pending:
        other = state.orders.get(leg)
        if other is not None and other.quantity is not None:
            return other.quantity
    return None


def expire(state: State, rules: EngineRules, command: c.ExpireOrder, now_us: int) -> Decision:
    if command.order not in state.orders:
        return []
    return [e.OrderExpired(order=command.order, reason=EndReason(command.reason))]


def end_list(state: State, rules: EngineRules, command: c.EndOrderList, now_us: int) -> Decision:
    return [e.OrderListEnded(order_list=command.order_list)] if command.order_list in state.lists else []


def next_trigger(market: Market, now_us: int) -> Order | None:
    """A dormant order whose condition is met, if there is one."""
    found = _next_by_last_price(market, now_us)
    for watch in market.watches:
        found = found or watch.due(now_us)
    return found


def _next_by_last_price(market: Market, now_us: int) -> Order | None:
    rise, fall = market.rises.best, market.falls.best
    if rise is None and fall is None and not market.trailing:
        return None
    last = market.last_price(now_us)
    if rise is not None and last >= rise:
        return next(iter(market.rises.queues[rise].values()))
    if fall is not None and last <= fall:
        return next(iter(market.falls.queues[fall].values()))
    for order in market.trailing.values():
        trigger = order.terms.trigger
        assert trigger is not None
        fires_at = trigger.fires_at(order.side, market.trailing_extreme(order, now_us))
        if last <= fires_at if order.side is SELL else last >= fires_at:
            return order
    return None
