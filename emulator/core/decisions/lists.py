"""Placing orders that start, cancel or pay one another."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from emulator.core import commands as c
from emulator.core import events as e
from emulator.core import rejections as r
from emulator.core.checks import check_counts, check_status
from emulator.core.coverage import payable
from emulator.core.decisions.decision import Decision
from emulator.core.decisions.outcomes import placed, starting_point
from emulator.core.decisions.placing import (
    check_leg,
    enter_new,
    hold_asset,
    limit_price,
)
from emulator.core.instruments import BUY, SELL
from emulator.core.numbers import ZERO
from emulator.core.order_lists import ListKind
from emulator.core.orders import OrderStatus, OrderTerms, TriggerKind
from emulator.core.rejections import Feature, Rejection
from emulator.core.rules import EngineRules
from emulator.core.state import Account, State, dormant_price, requirement
from emulator.core.tape import Market


def place_order_list(state: State, rules: EngineRules, command: c.PlaceOrderList, now_us: int) -> Decision:
    account = state.accounts.get(command.account)
    if account is None:
        return r.UnknownAccount(account=command.account)
    market = state.markets.get(command.instrument)
    if market is None:
        return r.UnknownInstrument(instrument=command.instrument)
    instrument = market.instrument
    if not instrument.order_lists or instrument.contract is not None:
        return r.FeatureOff(feature=Feature.ORDER_LIST)
    if command.wallet not in state.pair_wallets:
        return r.UnknownWallet(wallet=command.wallet)
    legs = command.legs
    rejection = (
        check_status(instrument, now_us)
        or _check_shape(command)
        or _check_client_ids(state, command)
        or _check_legs(state, account, market, command, now_us)
        or check_counts(state, account, instrument, legs)
    )
    if rejection is not None:
        return rejection
    first_id = state.next_order
    listed = e.OrderListPlaced(
        order_list=state.next_list,
        account=account.id,
        wallet=command.wallet,
        instrument=instrument.symbol,
        kind=command.kind,
        funded=command.funded,
        client_id=command.client_id,
        orders=tuple(range(first_id, first_id + len(legs))),
    )
    if command.kind is ListKind.OCO:
        return _enter_pair(state, rules, account, market, listed, legs, now_us)
    return _enter_chain(state, rules, account, market, listed, legs, now_us)


def _check_shape(command: c.PlaceOrderList) -> Rejection | None:
    legs = command.legs
    if any(leg.borrows for leg in legs):
        return r.OrderTermsInvalid(reason="orders of a list do not borrow")
    assert len(legs) == (3 if command.kind is ListKind.OTOCO else 2)
    for ordinal, leg in enumerate(legs):
        if leg.quote_quantity is not None and (
            leg.trigger is not None or ordinal or command.kind is ListKind.OCO
        ):
            return r.OrderTermsInvalid(reason="legs that wait have a quantity")
        if leg.detached:
            return r.OrderTermsInvalid(reason="a leg is detached from nothing")
    if command.kind is ListKind.OCO:
        if command.funded:
            return r.OrderTermsInvalid(reason="nothing pays for the legs of a plain pair")
        pair = legs
    else:
        if command.funded and (legs[0].side is SELL or legs[1].side is BUY):
            return r.OrderTermsInvalid(reason="a funded list buys, then sells what it bought")
        pair = legs[1:]
    if len({(leg.side, leg.quantity) for leg in pair}) > 1:
        return r.OrderTermsInvalid(reason="legs that cancel each other have one side and one quantity")
    return None


def _check_client_ids(state: State, command: c.PlaceOrderList) -> Rejection | None:
    client_ids = [leg.client_id for leg in command.legs if leg.client_id]
    for client_id in client_ids:
        if client_ids.count(client_id) > 1:
            return r.DuplicateClientId(client_id=client_id)
    key = (command.account, command.instrument, command.client_id)
    if command.client_id and key in state.list_client_ids:
        return r.DuplicateClientId(client_id=command.client_id)
    return None


def _check_legs(
    state: State, account: Account, market: Market, command: c.PlaceOrderList, now_us: int
) -> Rejection | None:
    is_pair = command.kind is ListKind.OCO
    for ordinal, terms in enumerate(command.legs):
        is_pending = ordinal > 0 and not is_pair
        # What a pending leg is pegged to is known only when its turn comes.
        price = terms.price if is_pending else limit_price(market, terms, now_us)
        if isinstance(price, Rejection):
            return price
        rejection = check_leg(
            state, account, command.wallet, market, terms, price, now_us,
            is_funded=command.funded and is_pending,
        )  # fmt: skip
        if rejection is not None:
            return rejection
    if is_pair:
        fits = _pair_fits(command.legs, market.last_price(now_us))
    else:
        fits = command.kind is ListKind.OTO or _pair_fits(command.legs[1:], None)
    return None if fits else r.ListPricesWrong()


def _pair_fits(legs: tuple[OrderTerms, ...], last: Decimal | None) -> bool:
    """Whether the upper leg lies above the last price (None: not compared) and above the lower leg."""
    above: list[Decimal] = []
    below: list[Decimal] = []
    for terms in legs:
        trigger = terms.trigger
        if trigger is not None:
            is_above, key = trigger.fires_on_rise(terms.side), trigger.price
            if trigger.kind is TriggerKind.TAKE_PROFIT and terms.price is not None:
                # Of a take-profit with a limit it is the limit that must lie beyond the last price.
                key = terms.price
        else:
            is_above, key = terms.side is SELL, None if terms.peg is not None else terms.price
        if key is not None:
            (above if is_above else below).append(key)
    if last is not None:
        above, below = [*above, last], [*below, last]
        return min(above) >= last >= max(below) and above.count(last) == below.count(last) == 1
    return not above or not below or min(above) > max(below)


def _enter_chain(
    state: State,
    rules: EngineRules,
    account: Account,
    market: Market,
    listed: e.OrderListPlaced,
    legs: tuple[OrderTerms, ...],
    now_us: int,
) -> Decision:
    """Accept a working leg, which may trade at once, and the legs that wait for it."""
    instrument, wallet = market.instrument, listed.wallet
    price = limit_price(market, legs[0], now_us)
    assert not isinstance(price, Rejection)
    working = enter_new(state, rules, account, wallet, market, legs[0], price, now_us)
    if isinstance(working, Rejection):
        return working
    head = working[0]
    assert isinstance(head, e.OrderPlaced)
    pending = [
        placed(
            order_id,
            account,
            wallet,
            instrument,
            terms,
            terms.self_trade_mode or instrument.self_trade_default,
            terms.quantity,
            terms.price,
            status=OrderStatus.WAITING,
            order_list=listed.order_list,
        )
        for order_id, terms in zip(listed.orders[1:], legs[1:], strict=True)
    ]
    return [listed, msgspec.structs.replace(head, order_list=listed.order_list), *pending, *working[1:]]


def _enter_pair(
    state: State,
    rules: EngineRules,
    account: Account,
    market: Market,
    listed: e.OrderListPlaced,
    legs: tuple[OrderTerms, ...],
    now_us: int,
) -> Decision:
    """Accept two legs that cancel each other, with one hold for both. Neither may trade at once."""
    instrument = market.instrument
    events: list[e.Event] = [listed]
    resting: list[e.Event] = []
    needed = ZERO
    for order_id, terms in zip(listed.orders, legs, strict=True):
        assert terms.quantity is not None
        price = limit_price(market, terms, now_us)
        assert not isinstance(price, Rejection)
        extreme: Decimal | None = None
        status = OrderStatus.NEW
        if terms.trigger is not None:
            starting = starting_point(market, terms, now_us)
            if isinstance(starting, Rejection):
                return starting
            extreme = starting
            status = OrderStatus.DORMANT
            hold_price = dormant_price(terms, extreme)
        else:
            if price is None:
                return r.OrderTermsInvalid(reason="a leg at market would trade at once")
            if market.crosses(terms.side, price, now_us):
                return r.WouldTake()
            hold_price = price
            resting.append(e.OrderRested(order=order_id))
        needed = max(needed, requirement(instrument, terms.side, hold_price, terms.quantity))
        events.append(
            placed(
                order_id,
                account,
                listed.wallet,
                instrument,
                terms,
                terms.self_trade_mode or instrument.self_trade_default,
                terms.quantity,
                price,
                status=status,
                extreme=extreme,
                order_list=listed.order_list,
            )
        )
    asset = hold_asset(instrument, legs[0].side)
    free = payable(state, rules, account, listed.wallet, asset, now_us)
    if needed > free:
        return r.InsufficientBalance(asset=asset, needed=needed, available=free)
    return [*events, *resting]
