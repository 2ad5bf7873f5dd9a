"""How an order enters the market, and what becomes of it when the book was asked: shared by all placing."""

from __future__ import annotations

from decimal import Decimal

from emulator.core import events as e
from emulator.core import rejections as r
from emulator.core.coverage import mark_price
from emulator.core.ids import NO_LIST
from emulator.core.instruments import BUY, Instrument, Outcome, SelfTradeMode, Side, TimeInForce
from emulator.core.matching import Plan
from emulator.core.numbers import ONE, ZERO, round_down, round_up
from emulator.core.orders import EndReason, OrderStatus, OrderTerms
from emulator.core.rejections import Rejection
from emulator.core.state import Account
from emulator.core.tape import Market

_REFUSE = Outcome.REFUSE
_GTC, _FOK = TimeInForce.GTC, TimeInForce.FOK
_UNFILLED = {
    TimeInForce.IOC: EndReason.UNFILLED_IMMEDIATE,
    TimeInForce.FOK: EndReason.UNFILLED_ALL_OR_NOTHING,
}


def starting_point(market: Market, terms: OrderTerms, now_us: int) -> Decimal | Rejection | None:
    """Where a trailing order starts to track; None for orders that wait for a stop price."""
    trigger = terms.trigger
    assert trigger is not None
    price = market.price_by(trigger.source, now_us)
    if trigger.price is None:
        return price
    reached = price >= trigger.price if trigger.fires_on_rise(terms.side) else price <= trigger.price
    if not reached:
        return None
    is_refused = not trigger.is_trailing or market.instrument.trailing_reached is _REFUSE
    return r.WouldTrigger() if is_refused else price


def placed(
    order_id: int,
    account: Account,
    wallet: str,
    instrument: Instrument,
    terms: OrderTerms,
    mode: SelfTradeMode,
    quantity: Decimal | None,
    price: Decimal | None,
    *,
    status: OrderStatus = OrderStatus.NEW,
    extreme: Decimal | None = None,
    order_list: int = NO_LIST,
    bound: Decimal | None = None,
) -> e.OrderPlaced:
    return e.OrderPlaced(
        order=order_id,
        account=account.id,
        wallet=wallet,
        instrument=instrument.symbol,
        terms=terms,
        self_trade_mode=mode,
        status=status,
        quantity=quantity,
        price=price,
        extreme=extreme,
        order_list=order_list,
        bound=bound,
    )


def bound_of(market: Market, terms: OrderTerms, now_us: int) -> Decimal | None:
    """The worst price that an order at market may trade at, in price steps; None: any.

    It may be so much away from the last price, of a contract from its mark price, and so much from the best
    opposite price as the order itself says.
    """
    bounds: list[Decimal] = []
    side, step = terms.side, market.instrument.price_step
    direction = ONE if side is BUY else -ONE
    widest = take_bound(market, side, now_us)
    if widest is not None:
        bounds.append(widest)
    slippage = terms.slippage
    if slippage is not None:
        best = market.depth(side.opposite, now_us, 1)
        if best:
            away = best[0][0] * slippage.ratio if slippage.ratio is not None else step * (slippage.steps or 0)
            bounds.append(best[0][0] + direction * away)
    if not bounds:
        return None
    return round_down(min(bounds), step) if side is BUY else round_up(max(bounds), step)


def take_bound(market: Market, side: Side, now_us: int) -> Decimal | None:
    """The worst price that any order at market may trade at."""
    instrument = market.instrument
    contract = instrument.contract
    part = instrument.take_bound if contract is None else contract.take_bound
    if part is None:
        return None
    base = market.last_price(now_us) if contract is None else mark_price(market, now_us)
    return base * (ONE + part if side is BUY else ONE - part)


def finish(
    instrument: Instrument,
    terms: OrderTerms,
    order_id: int,
    price: Decimal | None,
    plan: Plan,
    *,
    quantity: Decimal,
) -> list[e.Event] | Rejection:
    """A planned walk and what becomes of the rest of `quantity`."""
    left = quantity - plan.executed - plan.prevented
    if terms.time_in_force is _FOK and price is not None and (left > ZERO or plan.prevented):
        if instrument.fill_or_kill_failure is _REFUSE:
            return r.WouldNotFill()
        return [e.OrderExpired(order=order_id, reason=EndReason.UNFILLED_ALL_OR_NOTHING)]
    if left <= ZERO:
        if not plan.executed and not plan.prevented:
            return [*plan.events, e.OrderExpired(order=order_id, reason=EndReason.NO_LIQUIDITY)]
        return plan.events
    if price is None:
        return [*plan.events, e.OrderExpired(order=order_id, reason=EndReason.NO_LIQUIDITY)]
    return [*plan.events, rest_or_expire(terms, order_id)]


def rest_or_expire(terms: OrderTerms, order_id: int) -> e.OrderRested | e.OrderExpired:
    """What becomes of the part of a limit order that found nobody."""
    if terms.time_in_force is _GTC:
        return e.OrderRested(order=order_id)
    return e.OrderExpired(order=order_id, reason=_UNFILLED[terms.time_in_force])
