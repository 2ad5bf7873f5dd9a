"""Giving an open order another price or quantity. It keeps its id; what is in the book may trade at once."""

from __future__ import annotations

from decimal import Decimal

from msgspec.structs import replace

from emulator.core import commands as c
from emulator.core import events as e
from emulator.core import rejections as r
from emulator.core.checks import check_position, check_quantity, check_shape, check_status, check_terms
from emulator.core.coverage import reducible
from emulator.core.decisions.changing import find
from emulator.core.decisions.contracts import check_margin
from emulator.core.decisions.decision import Decision
from emulator.core.decisions.lending import brought, check_spending
from emulator.core.decisions.outcomes import finish, starting_point
from emulator.core.decisions.placing import peg_price, plan_walk
from emulator.core.decisions.stops import check_attached, check_waiting
from emulator.core.instruments import Instrument, Outcome
from emulator.core.matching import Plan, Taker, walk
from emulator.core.numbers import ZERO
from emulator.core.orders import EndReason, Order, OrderStatus, OrderTerms
from emulator.core.rejections import Feature, Limit, Rejection
from emulator.core.rules import EngineRules
from emulator.core.state import State, dormant_price, dormant_requirement, requirement
from emulator.core.tape import Market


def modify(state: State, rules: EngineRules, command: c.ModifyOrder, now_us: int) -> Decision:
    order = find(state, command.account, command.instrument, command.order, command.client_id)
    if isinstance(order, Rejection):
        return order
    market = state.markets[order.instrument]
    instrument = market.instrument
    closed = check_status(instrument, now_us)
    if closed is not None:
        return closed
    if order.status is OrderStatus.DORMANT and instrument.dormant_modified:
        return _modify_dormant(state, rules, market, order, command, now_us)
    if not order.resting:
        return r.OrderNotResting()
    wanted = _wanted(market, order, command, now_us)
    if isinstance(wanted, Rejection):
        return wanted
    price, quantity = wanted.price, wanted.quantity
    assert price is not None
    assert quantity is not None
    terms = None
    if wanted.attached != order.terms.attached:
        terms = replace(order.terms, attached=wanted.attached)
    if (price, quantity) == (order.price, order.quantity) and terms is None:
        return r.AmendChangesNothing()
    if 0 < instrument.amends_max <= order.amend_count:
        return r.LimitBroken(limit=Limit.AMENDS)
    gone = order.executed + order.prevented
    if gone and quantity <= gone:
        if instrument.below_executed is Outcome.REFUSE:
            return r.AmendBelowExecuted(executed=order.executed)
        return [e.OrderCanceled(order=order.id, cancel_client_id="")]
    refused = check_terms(market, wanted, price, now_us) or check_attached(market, wanted, now_us)
    if refused is None and wanted.reduces:
        refused = check_quantity(instrument, quantity)  # What is there already is not split.
    if refused is not None:
        return refused
    if wanted.reduces:
        most = reducible(state, state.accounts[order.account], instrument, wanted, without=order)
        if not most or (quantity - gone > most and not rules.margin.shrinks_reducing):
            return r.NothingToReduce()
        quantity = min(quantity, gone + most)
        if (price, quantity) == (order.price, order.quantity) and terms is None:
            return r.AmendChangesNothing()
    assert order.quantity is not None
    keeps = price == order.price and quantity < order.quantity and instrument.amend_keeps_priority
    keeps = keeps or (price, quantity) == (order.price, order.quantity)
    amended = e.OrderAmended(
        order=order.id,
        execution=state.next_execution,
        quantity=quantity,
        client_id=order.client_id,
        price=None if price == order.price else price,
        reenters=not keeps,
        reference=command.reference,
        terms=terms,
    )
    if keeps:
        return [amended]
    if instrument.contract is None:
        return _enter_pair_again(state, rules, market, order, wanted, amended, quantity - gone, now_us)
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
    attached = order.terms.attached if command.attached is None else command.attached
    return replace(order.terms, price=price, quantity=quantity, peg=None, trigger=None, attached=attached)


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
    """What becomes of an order of a contract that leaves the book and enters it anew."""
    account, price = state.accounts[order.account], wanted.price
    assert price is not None
    plan = Plan(left)
    if market.crosses(order.side, price, now_us):
        if wanted.post_only:
            return [_would_take(order)]
        plan = walk(state, rules, market, _taker(state, order), now_us, limit=price, quantity=left)
    refused = check_margin(state, rules, account, market, wanted, left, price, plan, now_us, without=order)
    if refused is not None:
        return refused
    return [amended, *_finish(market.instrument, wanted, order, price, plan, left)]


def _enter_pair_again(
    state: State,
    rules: EngineRules,
    market: Market,
    order: Order,
    wanted: OrderTerms,
    amended: e.OrderAmended,
    left: Decimal,
    now_us: int,
) -> Decision:
    """The same of a pair's order, which needs funds."""
    instrument, price = market.instrument, wanted.price
    assert price is not None
    needed, held = requirement(instrument, order.side, price, left), state.set_aside(order)
    received = brought(instrument, wanted, price, left)
    lacking = _lacking(state, rules, order, wanted, needed, received, now_us)
    if lacking is not None:
        return lacking
    refused = _check_owned(state, instrument, order, amended)
    if refused is not None:
        return refused
    plan = Plan(left)
    if market.crosses(order.side, price, now_us):
        if wanted.post_only:
            return [_would_take(order)]
        plan = plan_walk(
            state, rules, market, _taker(state, order), now_us, limit=price, quantity=left, budget=None,
            reserved=max(ZERO, needed - held),
        )  # fmt: skip
    return [amended, *_finish(instrument, wanted, order, price, plan, left)]


def _lacking(
    state: State,
    rules: EngineRules,
    order: Order,
    wanted: OrderTerms,
    needed: Decimal,
    received: Decimal,
    now_us: int,
) -> Rejection | None:
    """What speaks against an order of a pair needing so much instead of what is held for it."""
    instrument, account = state.markets[order.instrument].instrument, state.accounts[order.account]
    held = state.set_aside(order)
    if order.wallet in state.margin_wallets:
        return check_spending(
            state, rules, account, order.wallet, instrument, wanted, needed, received, now_us, held=held
        )
    available = held + state.ledger.free(order.account, order.wallet, order.hold_asset)
    if needed <= available:
        return None
    return r.InsufficientBalance(asset=order.hold_asset, needed=needed, available=available)


def _check_owned(
    state: State, instrument: Instrument, order: Order, amended: e.OrderAmended
) -> Rejection | None:
    """Whether its owner may have so much more of what it buys."""
    assert order.quantity is not None
    assert amended.quantity is not None
    more = replace(order.terms, quantity=max(ZERO, amended.quantity - order.quantity))
    return check_position(state, state.accounts[order.account], order.wallet, instrument, more)


def _taker(state: State, order: Order) -> Taker:
    return Taker(
        order=order.id,
        account=state.accounts[order.account],
        wallet=order.wallet,
        side=order.side,
        mode=order.self_trade_mode,
        siblings=state.siblings(order),
        leg=order.terms.leg,
    )


def _would_take(order: Order) -> e.OrderCanceled:
    return e.OrderCanceled(order=order.id, cancel_client_id="", reason=EndReason.WOULD_TAKE)


def _finish(
    instrument: Instrument, wanted: OrderTerms, order: Order, price: Decimal, plan: Plan, left: Decimal
) -> list[e.Event]:
    endings = finish(instrument, wanted, order.id, price, plan, quantity=left)
    assert not isinstance(endings, Rejection), "what rests is not of all or nothing"
    assert left > ZERO
    return endings


def _modify_dormant(
    state: State, rules: EngineRules, market: Market, order: Order, command: c.ModifyOrder, now_us: int
) -> Decision:
    """What waits for its trigger goes on waiting, for another price perhaps."""
    instrument, terms = market.instrument, order.terms
    trigger = terms.trigger
    assert trigger is not None
    price = terms.price if command.price is None else command.price
    quantity = order.quantity if command.quantity is None else command.quantity
    wanted = replace(
        terms,
        price=price,
        quantity=quantity,
        attached=terms.attached if command.attached is None else command.attached,
        trigger=replace(
            trigger,
            price=trigger.price if command.trigger_price is None else command.trigger_price,
            source=trigger.source if command.trigger_source is None else command.trigger_source,
        ),
    )
    if wanted == terms:
        return r.AmendChangesNothing()
    if 0 < instrument.amends_max <= order.amend_count:
        return r.LimitBroken(limit=Limit.AMENDS)
    if order.trailing and wanted.trigger != trigger:
        return r.OrderTermsInvalid(reason="what follows the price has no trigger price any more")
    if command.peg is not None:
        return r.OrderTermsInvalid(reason="what waits takes a price from the book when it is triggered")
    refused = (
        check_shape(wanted)
        or check_terms(market, wanted, price, now_us)
        or check_attached(market, wanted, now_us)
        or check_waiting(state, market, order.account, wanted, now_us)
    )
    if refused is not None:
        return refused
    if not order.trailing:
        starting = starting_point(market, wanted, now_us)
        if isinstance(starting, Rejection):
            return starting
    siblings = state.siblings(order)
    if instrument.contract is None:
        needed = dormant_requirement(instrument, wanted, order.extreme, quantity)
        if needed:
            received = brought(instrument, wanted, dormant_price(wanted, order.extreme), quantity)
            lacking = _lacking(state, rules, order, wanted, needed, received, now_us)
            if lacking is not None:
                return lacking
    first = state.next_execution
    events: list[e.Event] = [
        e.OrderAmended(
            order=order.id,
            execution=first,
            quantity=quantity,
            client_id=order.client_id,
            price=None if price == order.price else price,
            reference=command.reference,
            terms=wanted,
        )
    ]
    if quantity != order.quantity:
        # Legs that cancel each other keep one quantity.
        events += [
            e.OrderAmended(
                order=one.id,
                execution=first + ordinal,
                quantity=quantity,
                client_id=one.client_id,
                terms=replace(one.terms, quantity=quantity),
            )
            for ordinal, one in enumerate(siblings, start=1)
        ]
    return events
