"""Giving an open order of a contract another price or quantity. It keeps its id, and may trade at once."""

from __future__ import annotations

from decimal import Decimal

from msgspec.structs import replace

from emulator.core import commands as c
from emulator.core import events as e
from emulator.core import rejections as r
from emulator.core.checks import check_status, check_terms
from emulator.core.coverage import reducible
from emulator.core.decisions.changing import find
from emulator.core.decisions.contracts import check_margin
from emulator.core.decisions.decision import Decision
from emulator.core.decisions.outcomes import finish
from emulator.core.decisions.placing import peg_price
from emulator.core.matching import Plan, Taker, walk
from emulator.core.numbers import ZERO
from emulator.core.orders import Order, OrderTerms
from emulator.core.rejections import Feature, Limit, Rejection
from emulator.core.rules import EngineRules
from emulator.core.state import State
from emulator.core.tape import Market


def modify(state: State, rules: EngineRules, command: c.ModifyOrder, now_us: int) -> Decision:
    order = find(state, command.account, command.instrument, command.order, command.client_id)
    if isinstance(order, Rejection):
        return order
    market = state.markets[order.instrument]
    instrument = market.instrument
    if instrument.contract is None:
        return r.NotAContract(instrument=instrument.symbol)
    closed = check_status(instrument, now_us)
    if closed is not None:
        return closed
    if not order.resting:
        return r.OrderNotResting()
    wanted = _wanted(market, order, command, now_us)
    if isinstance(wanted, Rejection):
        return wanted
    price, quantity = wanted.price, wanted.quantity
    assert price is not None
    assert quantity is not None
    if (price, quantity) == (order.price, order.quantity):
        return r.AmendChangesNothing()
    if 0 < instrument.amends_max <= order.amend_count:
        return r.LimitBroken(limit=Limit.AMENDS)
    gone = order.executed + order.prevented
    if gone and quantity <= gone:
        return [e.OrderCanceled(order=order.id, cancel_client_id="")]
    refused = check_terms(market, wanted, price, now_us)
    if refused is not None:
        return refused
    if wanted.reduces:
        most = reducible(state, state.accounts[order.account], instrument, wanted, without=order)
        if not most or (quantity - gone > most and not rules.margin.shrinks_reducing):
            return r.NothingToReduce()
        quantity = min(quantity, gone + most)
        if (price, quantity) == (order.price, order.quantity):
            return r.AmendChangesNothing()
    assert order.quantity is not None
    keeps = price == order.price and quantity < order.quantity and instrument.amend_keeps_priority
    amended = e.OrderAmended(
        order=order.id,
        execution=state.next_execution,
        quantity=quantity,
        client_id=order.client_id,
        price=None if price == order.price else price,
        reenters=not keeps,
        reference=command.reference,
    )
    if keeps:
        return [amended]
    return _enter_again(state, rules, market, order, wanted, amended, quantity - gone, now_us)


def _wanted(market: Market, order: Order, command: c.ModifyOrder, now_us: int) -> OrderTerms | Rejection:
    """The terms of an order as they would be, if it were placed now."""
    price = order.price if command.price is None else command.price
    if command.peg is not None:
        if not market.instrument.pegged_orders:
            return r.FeatureOff(feature=Feature.PEG)
        price = peg_price(market, replace(order.terms, peg=command.peg), now_us)
        if price is None:
            return r.NoPegLevel()
    quantity = order.quantity if command.quantity is None else command.quantity
    return replace(order.terms, price=price, quantity=quantity, peg=None, trigger=None)


def _enter_again(
    state: State,
    rules: EngineRules,
    market: Market,
    order: Order,
    wanted: OrderTerms,
    amended: e.OrderAmended,
    left: Decimal,
    now_us: int,
) -> Decision:
    """What becomes of an order that leaves the book and enters it anew."""
    account, price = state.accounts[order.account], wanted.price
    assert price is not None
    plan = Plan(left)
    if market.crosses(order.side, price, now_us):
        if wanted.post_only:
            return [e.OrderCanceled(order=order.id, cancel_client_id="")]
        taker = Taker(
            order=order.id,
            account=account,
            wallet=order.wallet,
            side=order.side,
            mode=order.self_trade_mode,
            leg=wanted.leg,
        )
        plan = walk(state, rules, market, taker, now_us, limit=price, quantity=left)
    refused = check_margin(state, rules, account, market, wanted, left, price, plan, now_us, without=order)
    if refused is not None:
        return refused
    endings = finish(market.instrument, wanted, order.id, price, plan, quantity=left)
    assert not isinstance(endings, Rejection), "what rests is not of all or nothing"
    assert left > ZERO
    return [amended, *endings]
