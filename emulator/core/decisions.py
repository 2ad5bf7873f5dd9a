"""What a command comes to: events, or the reason why not. Reads state, never changes it."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import assert_never

from emulator.core import commands as c
from emulator.core import events as e
from emulator.core import rejections as r
from emulator.core.checks import (
    check_amended_notional,
    check_counts,
    check_position,
    check_quantity,
    check_status,
    check_terms,
    fired,
)
from emulator.core.ids import NO_LIST
from emulator.core.instruments import (
    Instrument,
    InstrumentStatus,
    OrderType,
    Outcome,
    SelfTradeMode,
    Side,
    TimeInForce,
)
from emulator.core.matching import Plan, Taker, serve, take_resting, walk
from emulator.core.numbers import ZERO, divide_down, is_on_step, round_down
from emulator.core.order_lists import ListKind, OrderList
from emulator.core.orders import EndReason, Order, OrderStatus, OrderTerms, PegSide
from emulator.core.rejections import Feature, Limit, Rejection
from emulator.core.rules import EngineRules
from emulator.core.state import Account, State, dormant_price, requirement
from emulator.core.tape import Market

Decision = Sequence[e.Event] | Rejection


def decide(state: State, rules: EngineRules, command: c.Command, now_us: int) -> Decision:
    """The events that a command causes, or its rejection."""
    decider = _DECIDERS.get(type(command))
    assert decider is not None, f"no decision for {type(command).__name__}"
    return decider(state, rules, command, now_us)


# Accounts


def _open_account(state: State, rules: EngineRules, command: c.OpenAccount, now_us: int) -> Decision:
    assert command.account not in state.accounts
    return [e.AccountOpened(account=command.account, name=command.name, trade_group=command.trade_group)]


def _set_fee_payment(state: State, rules: EngineRules, command: c.SetFeePayment, now_us: int) -> Decision:
    account = state.accounts.get(command.account)
    if account is None:
        return r.UnknownAccount(account=command.account)
    if account.discounted == command.discounted:
        return []
    return [e.FeePaymentSet(account=command.account, discounted=command.discounted)]


_AMOUNT_STEP = Decimal("0.00000001")


def _check_movement(state: State, account: int, wallets: tuple[str, ...], amount: Decimal) -> Rejection | None:
    if account not in state.accounts:
        return r.UnknownAccount(account=account)
    for wallet in wallets:
        if wallet not in state.wallets:
            return r.UnknownWallet(wallet=wallet)
    if amount <= ZERO or not is_on_step(amount, _AMOUNT_STEP):
        return r.AmountInvalid(amount=amount)
    return None


def _deposit(state: State, rules: EngineRules, command: c.Deposit, now_us: int) -> Decision:
    rejection = _check_movement(state, command.account, (command.wallet,), command.amount)
    if rejection is not None:
        return rejection
    return [
        e.AmountDeposited(
            account=command.account,
            wallet=command.wallet,
            asset=command.asset,
            amount=command.amount,
            movement=state.next_movement,
            reference=command.reference,
        )
    ]


def _withdraw(state: State, rules: EngineRules, command: c.Withdraw, now_us: int) -> Decision:
    rejection = _check_movement(state, command.account, (command.wallet,), command.amount)
    if rejection is not None:
        return rejection
    if command.fee < ZERO or command.fee >= command.amount or not is_on_step(command.fee, _AMOUNT_STEP):
        return r.AmountInvalid(amount=command.fee)
    free = state.ledger.free(command.account, command.wallet, command.asset)
    if command.amount > free:
        return r.InsufficientBalance(asset=command.asset, needed=command.amount, available=free)
    return [
        e.AmountWithdrawn(
            account=command.account,
            wallet=command.wallet,
            asset=command.asset,
            amount=command.amount,
            fee=command.fee,
            movement=state.next_movement,
            reference=command.reference,
            labels=command.labels,
        )
    ]


def _transfer(state: State, rules: EngineRules, command: c.Transfer, now_us: int) -> Decision:
    wallets = (command.source, command.target)
    rejection = _check_movement(state, command.account, wallets, command.amount)
    if rejection is not None:
        return rejection
    if command.source == command.target:
        return r.UnknownWallet(wallet=command.target)
    free = state.ledger.free(command.account, command.source, command.asset)
    if command.amount > free:
        return r.InsufficientBalance(asset=command.asset, needed=command.amount, available=free)
    return [
        e.AmountTransferred(
            account=command.account,
            asset=command.asset,
            amount=command.amount,
            source=command.source,
            target=command.target,
            movement=state.next_movement,
        )
    ]


# Placing


def _place_order(
    state: State, rules: EngineRules, command: c.PlaceOrder | c.TestOrder, now_us: int
) -> Decision:
    account = state.accounts.get(command.account)
    if account is None:
        return r.UnknownAccount(account=command.account)
    market = state.markets.get(command.instrument)
    if market is None:
        return r.UnknownInstrument(instrument=command.instrument)
    terms = command.terms
    rejection = _check_single(state, account, command.wallet, market, (terms,), now_us)
    if rejection is not None:
        return rejection
    return _enter_new(state, rules, account, command.wallet, market, terms, now_us)


def check_placement(state: State, rules: EngineRules, command: c.PlaceOrder, now_us: int) -> Rejection | None:
    """What can be said against an order before the book and the wallet are asked."""
    account = state.accounts.get(command.account)
    if account is None:
        return r.UnknownAccount(account=command.account)
    market = state.markets.get(command.instrument)
    if market is None:
        return r.UnknownInstrument(instrument=command.instrument)
    price = _limit_price(market, command.terms, now_us)
    if isinstance(price, Rejection):
        return price
    return check_status(market.instrument) or check_terms(market, command.terms, price, now_us)


def _check_single(
    state: State,
    account: Account,
    wallet: str,
    market: Market,
    legs: tuple[OrderTerms, ...],
    now_us: int,
) -> Rejection | None:
    instrument = market.instrument
    if instrument.status is not InstrumentStatus.TRADING:
        return r.InstrumentNotTrading(instrument=instrument.symbol)
    for terms in legs:
        price = _limit_price(market, terms, now_us)
        if isinstance(price, Rejection):
            return price
        rejection = check_terms(market, terms, price, now_us)
        if rejection is not None:
            return rejection
        rejection = check_position(state, account, wallet, instrument, terms)
        if rejection is not None:
            return rejection
        if terms.client_id and (account.id, instrument.symbol, terms.client_id) in state.client_ids:
            return r.DuplicateClientId(client_id=terms.client_id)
    return check_counts(state, account, instrument, legs)


def _limit_price(market: Market, terms: OrderTerms, now_us: int) -> Decimal | None | Rejection:
    """The limit price an order would have if it became active now."""
    if terms.peg is None or (terms.trigger is not None):
        return terms.price
    price = peg_price(market, terms, now_us)
    return r.NoPegLevel() if price is None else price


def peg_price(market: Market, terms: OrderTerms, now_us: int) -> Decimal | None:
    """The price of the book level that a pegged order names, if the book has it."""
    peg = terms.peg
    assert peg is not None
    side = terms.side if peg.side is PegSide.PRIMARY else terms.side.opposite
    levels = market.depth(side, now_us, peg.levels + 1)
    return levels[peg.levels][0] if len(levels) > peg.levels else None


def _enter_new(
    state: State,
    rules: EngineRules,
    account: Account,
    wallet: str,
    market: Market,
    terms: OrderTerms,
    now_us: int,
) -> Decision:
    """Accept one order that passed its checks: dormant, or active at once."""
    instrument = market.instrument
    order_id = state.next_order
    mode = terms.self_trade_mode or instrument.self_trade_default
    if terms.trigger is not None:
        return _sleep_new(state, account, wallet, market, terms, order_id, mode, now_us)
    price = _limit_price(market, terms, now_us)
    assert not isinstance(price, Rejection)
    if price is not None:
        assert terms.quantity is not None
        asset = instrument.base if terms.side is Side.SELL else instrument.quote
        needed = requirement(instrument, terms.side, price, terms.quantity)
        free = state.ledger.free(account.id, wallet, asset)
        crossing = _crosses(market, terms.side, price, now_us)
        if terms.post_only and crossing and instrument.post_only_failure is Outcome.REFUSE:
            return r.WouldTake()
        if needed > free:
            return r.InsufficientBalance(asset=asset, needed=needed, available=free)
        if not crossing or terms.post_only:
            placed = _placed(order_id, account, wallet, instrument, terms, mode, terms.quantity, price)
            if crossing:
                return [placed, e.OrderExpired(order=order_id, reason=EndReason.WOULD_TAKE)]
            return [placed, *_rest_or_expire(terms, order_id)]
    taker = Taker(order=order_id, account=account, wallet=wallet, side=terms.side, mode=mode)
    plan = walk(
        state,
        rules,
        market,
        taker,
        now_us,
        limit=price,
        quantity=terms.quantity,
        budget=terms.quote_quantity,
    )
    if price is None:
        rejection = _check_market_funds(state, account, wallet, market, terms, plan)
        if rejection is not None:
            return rejection
    quantity = terms.quantity
    if quantity is None:
        quantity = plan.executed + plan.prevented
        if not quantity and not plan.dry:
            return r.BookTooThin()
        if plan.dry:
            quantity += _unspent(market, terms, plan, now_us)
    placed = _placed(order_id, account, wallet, instrument, terms, mode, quantity, price)
    ending = _finish(instrument, terms, order_id, price, plan, placed_quantity=quantity)
    return ending if isinstance(ending, Rejection) else [placed, *ending]


def _placed(
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
    )


def _finish(
    instrument: Instrument,
    terms: OrderTerms,
    order_id: int,
    price: Decimal | None,
    plan: Plan,
    *,
    placed_quantity: Decimal,
) -> list[e.Event] | Rejection:
    """A planned walk and what becomes of the rest."""
    left = placed_quantity - plan.executed - plan.prevented
    if terms.time_in_force is TimeInForce.FOK and price is not None and (left > ZERO or plan.prevented):
        if instrument.fill_or_kill_failure is Outcome.REFUSE:
            return r.WouldNotFill()
        return [e.OrderExpired(order=order_id, reason=EndReason.UNFILLED_ALL_OR_NOTHING)]
    if left <= ZERO:
        if not plan.executed and not plan.prevented:
            return [e.OrderExpired(order=order_id, reason=EndReason.NO_LIQUIDITY)]
        return plan.events
    if price is None:
        return [*plan.events, e.OrderExpired(order=order_id, reason=EndReason.NO_LIQUIDITY)]
    return [*plan.events, *_rest_or_expire(terms, order_id)]


def _rest_or_expire(terms: OrderTerms, order_id: int) -> tuple[e.Event]:
    match terms.time_in_force:
        case TimeInForce.GTC:
            return (e.OrderRested(order=order_id),)
        case TimeInForce.IOC:
            return (e.OrderExpired(order=order_id, reason=EndReason.UNFILLED_IMMEDIATE),)
        case TimeInForce.FOK:
            return (e.OrderExpired(order=order_id, reason=EndReason.UNFILLED_ALL_OR_NOTHING),)
        case _ as never:
            assert_never(never)


def _unspent(market: Market, terms: OrderTerms, plan: Plan, now_us: int) -> Decimal:
    """What was left of a budget when the book ran out, as a quantity at the last price."""
    assert terms.quote_quantity is not None
    rest = terms.quote_quantity - plan.amount
    step = market.instrument.quantity_step
    return max(step, divide_down(rest, market.last_price(now_us), step))


def _check_market_funds(
    state: State, account: Account, wallet: str, market: Market, terms: OrderTerms, plan: Plan
) -> Rejection | None:
    instrument = market.instrument
    if terms.side is Side.SELL:
        asset = instrument.base
        needed = plan.executed if terms.quantity is None else terms.quantity
    else:
        asset = instrument.quote
        needed = plan.amount if terms.quote_quantity is None else terms.quote_quantity
    free = state.ledger.free(account.id, wallet, asset)
    if needed > free:
        return r.InsufficientBalance(asset=asset, needed=needed, available=free)
    return None


def _crosses(market: Market, side: Side, price: Decimal, now_us: int) -> bool:
    best = market.best(side.opposite, now_us)
    if best is None:
        return False
    return price >= best if side is Side.BUY else price <= best


def _sleep_new(
    state: State,
    account: Account,
    wallet: str,
    market: Market,
    terms: OrderTerms,
    order_id: int,
    mode: SelfTradeMode,
    now_us: int,
) -> Decision:
    instrument = market.instrument
    assert terms.quantity is not None
    last = market.last_price(now_us)
    starting = starting_point(terms, last)
    if isinstance(starting, Rejection):
        return starting
    asset = instrument.base if terms.side is Side.SELL else instrument.quote
    needed = requirement(instrument, terms.side, dormant_price(terms, starting), terms.quantity)
    free = state.ledger.free(account.id, wallet, asset)
    if needed > free:
        return r.InsufficientBalance(asset=asset, needed=needed, available=free)
    return [
        _placed(
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


def starting_point(terms: OrderTerms, last: Decimal) -> Decimal | None | Rejection:
    """Where a trailing order starts to track; None for orders that wait for a stop price."""
    trigger = terms.trigger
    assert trigger is not None
    if trigger.price is None:
        return last
    reached = last >= trigger.price if trigger.fires_on_rise(terms.side) else last <= trigger.price
    if not reached:
        return None
    return r.WouldTrigger() if trigger.trailing_bips is None else last


# Order lists


def _place_order_list(
    state: State, rules: EngineRules, command: c.PlaceOrderList, now_us: int
) -> Decision:
    account = state.accounts.get(command.account)
    if account is None:
        return r.UnknownAccount(account=command.account)
    market = state.markets.get(command.instrument)
    if market is None:
        return r.UnknownInstrument(instrument=command.instrument)
    instrument = market.instrument
    if not instrument.order_lists:
        return r.FeatureOff(feature=Feature.ORDER_LIST)
    legs, wallet = command.legs, command.wallet
    client_ids = [leg.client_id for leg in legs if leg.client_id]
    if len(set(client_ids)) != len(client_ids):
        return r.DuplicateClientId(client_id=client_ids[0])
    if command.client_id and (account.id, instrument.symbol, command.client_id) in state.list_client_ids:
        return r.DuplicateClientId(client_id=command.client_id)
    rejection = _check_single(state, account, wallet, market, legs, now_us)
    if rejection is not None:
        return rejection
    pair = legs if command.kind is ListKind.OCO else legs[1:] if command.kind is ListKind.OTOCO else ()
    last = market.last_price(now_us)
    if command.kind is ListKind.OCO and not _pair_prices_fit(pair, last):
        return r.ListPricesWrong()
    list_id, first_id = state.next_list, state.next_order
    ids = tuple(range(first_id, first_id + len(legs)))
    placed_list = e.OrderListPlaced(
        order_list=list_id,
        account=account.id,
        wallet=wallet,
        instrument=instrument.symbol,
        kind=command.kind,
        funded=command.funded,
        client_id=command.client_id,
        orders=ids,
    )
    if command.kind is ListKind.OCO:
        return _enter_pair(state, rules, account, wallet, market, placed_list, legs, now_us)
    working = _enter_new(state, rules, account, wallet, market, legs[0], now_us)
    if isinstance(working, Rejection):
        return working
    head = working[0]
    assert isinstance(head, e.OrderPlaced)
    pending = [
        _placed(
            order_id,
            account,
            wallet,
            instrument,
            terms,
            terms.self_trade_mode or instrument.self_trade_default,
            terms.quantity,
            terms.price,
            status=OrderStatus.WAITING,
            order_list=list_id,
        )
        for order_id, terms in zip(ids[1:], legs[1:], strict=True)
    ]
    listed = _placed(
        head.order,
        account,
        wallet,
        instrument,
        head.terms,
        head.self_trade_mode,
        head.quantity,
        head.price,
        order_list=list_id,
    )
    return [placed_list, listed, *pending, *working[1:]]


def _enter_pair(
    state: State,
    rules: EngineRules,
    account: Account,
    wallet: str,
    market: Market,
    placed_list: e.OrderListPlaced,
    legs: tuple[OrderTerms, ...],
    now_us: int,
) -> Decision:
    """Accept two legs that cancel each other, with one hold for both."""
    instrument = market.instrument
    last = market.last_price(now_us)
    events: list[e.Event] = [placed_list]
    resting: list[e.Event] = []
    needed = ZERO
    for order_id, terms in zip(placed_list.orders, legs, strict=True):
        assert terms.quantity is not None
        mode = terms.self_trade_mode or instrument.self_trade_default
        price = _limit_price(market, terms, now_us)
        if isinstance(price, Rejection):
            return price
        extreme: Decimal | None = None
        if terms.trigger is not None:
            starting = starting_point(terms, last)
            if isinstance(starting, Rejection):
                return starting
            extreme = starting
            status, hold_price = OrderStatus.DORMANT, dormant_price(terms, extreme)
        else:
            assert price is not None
            if terms.post_only and _crosses(market, terms.side, price, now_us):
                return r.WouldTake()
            status, hold_price = OrderStatus.NEW, price
            resting.append(e.OrderRested(order=order_id))
        needed = max(needed, requirement(instrument, terms.side, hold_price, terms.quantity))
        events.append(
            _placed(
                order_id,
                account,
                wallet,
                instrument,
                terms,
                mode,
                terms.quantity,
                price,
                status=status,
                extreme=extreme,
                order_list=placed_list.order_list,
            )
        )
    asset = instrument.base if legs[0].side is Side.SELL else instrument.quote
    free = state.ledger.free(account.id, wallet, asset)
    if needed > free:
        return r.InsufficientBalance(asset=asset, needed=needed, available=free)
    return [*events, *resting]


def _pair_prices_fit(legs: tuple[OrderTerms, ...], last: Decimal) -> bool:
    """Whether the upper leg lies above the last price and the lower leg below it."""
    for terms in legs:
        trigger = terms.trigger
        if trigger is None:
            if terms.peg is not None:
                continue
            above, key = terms.side is Side.SELL, terms.price
        else:
            above, key = trigger.fires_on_rise(terms.side), trigger.price
        if key is not None and (key <= last if above else key >= last):
            return False
    return True


# Ending and changing


def _find(state: State, account_id: int, instrument: str, order: int | None, client_id: str | None
          ) -> Order | Rejection:  # fmt: skip
    if client_id is not None:
        named = state.client_ids.get((account_id, instrument, client_id))
        if order is not None:
            found = state.orders.get(order)
            if found is not None and found.client_id != client_id and found.account == account_id:
                return r.OrderIdsDisagree()
        else:
            order = named
    if order is None:
        return r.UnknownOrder()
    one = state.orders.get(order)
    if one is None or one.account != account_id or one.instrument != instrument:
        return r.UnknownOrder()
    return one


def _cancel_order(state: State, rules: EngineRules, command: c.CancelOrder, now_us: int) -> Decision:
    order = _find(state, command.account, command.instrument, command.order, command.client_id)
    if isinstance(order, Rejection):
        return order
    match command.restriction:
        case c.CancelRestriction.ONLY_NEW if order.executed:
            return r.CancelRestricted()
        case c.CancelRestriction.ONLY_PARTIALLY_FILLED if not order.executed:
            return r.CancelRestricted()
        case _:
            pass
    return [
        e.OrderCanceled(order=one.id, cancel_client_id=command.cancel_client_id)
        for one in _with_list(state, order)
    ]


def _with_list(state: State, order: Order) -> list[Order]:
    """The order, or all live legs of its list, in the list's order."""
    if order.list_id == NO_LIST:
        return [order]
    return [state.orders[leg] for leg in state.lists[order.list_id].orders if leg in state.orders]


def _cancel_all(state: State, rules: EngineRules, command: c.CancelAllOrders, now_us: int) -> Decision:
    account = state.accounts.get(command.account)
    if account is None:
        return r.UnknownAccount(account=command.account)
    if command.instrument not in state.markets:
        return r.UnknownInstrument(instrument=command.instrument)
    listed = [order for order in account.open_orders.values() if order.instrument == command.instrument]
    if not listed:
        return r.UnknownOrder()
    return [
        e.OrderCanceled(order=order.id, cancel_client_id=command.cancel_client_id) for order in listed
    ]


def _cancel_list(state: State, rules: EngineRules, command: c.CancelOrderList, now_us: int) -> Decision:
    list_id = command.order_list
    if list_id is None and command.client_id is not None:
        list_id = state.list_client_ids.get((command.account, command.instrument, command.client_id))
    order_list = None if list_id is None else state.lists.get(list_id)
    if (
        order_list is None
        or order_list.account != command.account
        or order_list.instrument != command.instrument
    ):
        return r.UnknownOrderList()
    return [
        e.OrderCanceled(order=leg, cancel_client_id=command.cancel_client_id)
        for leg in order_list.orders
        if leg in state.orders
    ]


def _amend(state: State, rules: EngineRules, command: c.AmendOrder, now_us: int) -> Decision:
    order = _find(state, command.account, command.instrument, command.order, command.client_id)
    if isinstance(order, Rejection):
        return order
    market = state.markets[order.instrument]
    instrument = market.instrument
    if not instrument.amends:
        return r.FeatureOff(feature=Feature.AMEND)
    if order.quantity is None:
        return r.AmendPendingFunded()
    if command.quantity > order.quantity:
        return r.AmendIncreases()
    client_id = command.new_client_id or order.client_id
    if command.quantity == order.quantity:
        return r.AmendChangesNothing()
    rejection = check_quantity(instrument, command.quantity) or check_amended_notional(
        market, order.terms, order.price, command.quantity, now_us
    )
    if rejection is not None:
        return rejection
    taken = state.client_ids.get((order.account, order.instrument, client_id))
    if taken is not None and taken != order.id:
        return r.DuplicateClientId(client_id=client_id)
    if 0 < instrument.amends_max <= order.amend_count:
        return r.LimitBroken(limit=Limit.AMENDS)
    if command.quantity <= order.executed + order.prevented:
        return [e.OrderExpired(order=order.id, reason=EndReason.NONE)]
    return [
        e.OrderAmended(
            order=order.id,
            execution=state.next_execution,
            quantity=command.quantity,
            client_id=client_id,
        )
    ]


# Markets set by hand


def _set_price(state: State, rules: EngineRules, command: c.SetPrice, now_us: int) -> Decision:
    events: list[e.Event] = []
    for market in state.markets.values():
        if market.instrument.pair != command.pair:
            continue
        rejection = _check_price(market.instrument, command.price)
        if rejection is not None:
            return rejection
        events += _moved_to(market, command.price, command.mode, now_us)
    if not events:
        return r.UnknownInstrument(instrument=command.pair)
    return events


def _moved_to(market: Market, price: Decimal, mode: c.PriceMode, now_us: int) -> list[e.Event]:
    instrument = market.instrument
    before = market.last_price(now_us)
    base = market.feed.last_trade(instrument, now_us).price
    falls = price <= before
    return [
        e.PriceSet(
            instrument=instrument.symbol,
            price=price,
            mode=mode,
            shift=ZERO if mode is c.PriceMode.HOLD else price - base,
            ask_at_price=falls,
        ),
        e.TradePrinted(
            instrument=instrument.symbol,
            trade=market.next_trade_id(now_us),
            price=price,
            quantity=instrument.profile.trade_quantity,
            buyer_is_maker=falls,
        ),
    ]


def _check_price(instrument: Instrument, price: Decimal) -> Rejection | None:
    if price < instrument.price_min or price <= ZERO or 0 < instrument.price_max < price:
        return r.LimitBroken(limit=Limit.PRICE_RANGE, value=price)
    if not is_on_step(price, instrument.price_step):
        return r.LimitBroken(limit=Limit.PRICE_STEP, value=price)
    return None


def _set_book(state: State, rules: EngineRules, command: c.SetBook, now_us: int) -> Decision:
    market = state.markets.get(command.instrument)
    if market is None:
        return r.UnknownInstrument(instrument=command.instrument)
    instrument = market.instrument
    for listed, direction in ((command.bids, -1), (command.asks, 1)):
        before: Decimal | None = None
        for price, quantity in listed:
            rejection = _check_price(instrument, price)
            if rejection is not None:
                return rejection
            if quantity <= ZERO or not is_on_step(quantity, instrument.quantity_step):
                return r.LimitBroken(limit=Limit.QUANTITY_STEP, value=quantity)
            if before is not None and (price - before) * direction <= ZERO:
                return r.OrderTermsInvalid(reason="levels must be sorted, best first, without repetition")
            before = price
    if command.bids and command.asks and command.bids[0][0] >= command.asks[0][0]:
        return r.OrderTermsInvalid(reason="the best bid must be below the best ask")
    last = market.last_price(now_us)
    price = last
    if command.bids:
        price = max(price, command.bids[0][0])
    if command.asks:
        price = min(price, command.asks[0][0])
    moved = _moved_to(market, price, c.PriceMode.HOLD, now_us)
    if price == last:
        moved = moved[:1]
    return [*moved, e.BookSet(instrument=instrument.symbol, bids=command.bids, asks=command.asks)]


def _print_trade(state: State, rules: EngineRules, command: c.PrintTrade, now_us: int) -> Decision:
    market = state.markets.get(command.instrument)
    if market is None:
        return r.UnknownInstrument(instrument=command.instrument)
    instrument = market.instrument
    rejection = _check_price(instrument, command.price)
    if rejection is not None:
        return rejection
    if command.quantity <= ZERO or not is_on_step(command.quantity, instrument.quantity_step):
        return r.LimitBroken(limit=Limit.QUANTITY_STEP, value=command.quantity)
    side = Side.SELL if command.buyer_is_maker else Side.BUY
    events, left = take_resting(state, rules, market, side, command.price, command.quantity, now_us)
    if left > ZERO:
        trades = sum(1 for event in events if isinstance(event, e.TradeExecuted))
        events.append(
            e.TradePrinted(
                instrument=instrument.symbol,
                trade=market.next_trade_id(now_us) + trades,
                price=command.price,
                quantity=left,
                buyer_is_maker=command.buyer_is_maker,
            )
        )
    return events


def _release(state: State, rules: EngineRules, command: c.ReleaseMarket, now_us: int) -> Decision:
    symbols = [m.instrument.symbol for m in state.markets.values() if m.instrument.pair == command.pair]
    if not symbols:
        return r.UnknownInstrument(instrument=command.pair)
    return [
        e.MarketReleased(instrument=symbol)
        for symbol in symbols
        if state.markets[symbol].segments or state.markets[symbol].manual is not None
    ]


# What follows


def _advance(state: State, rules: EngineRules, command: c.AdvanceInstrument, now_us: int) -> Decision:
    return serve(state, rules, state.markets[command.instrument], now_us)


def _trigger(state: State, rules: EngineRules, command: c.TriggerOrder, now_us: int) -> Decision:
    order = state.orders[command.order]
    market = state.markets[order.instrument]
    trigger = order.terms.trigger
    assert trigger is not None
    if trigger.trailing_bips is not None and not order.trailing:
        return [e.TrailingStarted(order=order.id, extreme=market.last_price(now_us))]
    ends: list[e.Event] = [
        e.OrderExpired(order=other.id, reason=EndReason.LIST_SIBLING) for other in state.siblings(order)
    ]
    price = order.terms.price
    if order.terms.peg is not None:
        price = peg_price(market, order.terms, now_us)
        if price is None:
            return [*ends, e.OrderExpired(order=order.id, reason=EndReason.NO_PEG_LEVEL)]
    woken = e.OrderTriggered(order=order.id, price=price)
    return [*ends, woken, *_enter_existing(state, rules, market, order, price, now_us)]


def _enter_existing(
    state: State,
    rules: EngineRules,
    market: Market,
    order: Order,
    price: Decimal | None,
    now_us: int,
    quantity: Decimal | None = None,
) -> list[e.Event]:
    """What becomes of an order that was waiting or dormant and is active now."""
    instrument, terms = market.instrument, order.terms
    account = state.accounts[order.account]
    quantity = order.remaining if quantity is None else quantity
    siblings = state.siblings(order) if order.status is OrderStatus.WAITING else ()
    taker = Taker(
        order=order.id,
        account=account,
        wallet=order.wallet,
        side=terms.side,
        mode=order.self_trade_mode,
        siblings=siblings,
    )
    if price is not None and terms.post_only and _crosses(market, terms.side, price, now_us):
        return [e.OrderExpired(order=order.id, reason=EndReason.WOULD_TAKE)]
    plan = walk(state, rules, market, taker, now_us, limit=price, quantity=quantity)
    if price is None:
        free = state.ledger.free(order.account, order.wallet, order.hold_asset) + order.held
        if order.list_id != NO_LIST:
            free += state.lists[order.list_id].held
        if (plan.amount if terms.side is Side.BUY else plan.executed) > free:
            return [e.OrderExpired(order=order.id, reason=EndReason.INSUFFICIENT_BALANCE)]
    ending = _finish(instrument, terms, order.id, price, plan, placed_quantity=quantity)
    if isinstance(ending, Rejection):
        return [e.OrderExpired(order=order.id, reason=EndReason.UNFILLED_ALL_OR_NOTHING)]
    return ending


def _activate(state: State, rules: EngineRules, command: c.ActivateOrder, now_us: int) -> Decision:
    order = state.orders.get(command.order)
    if order is None:
        return []  # The other leg of its pair traded on activation and ended it.
    market = state.markets[order.instrument]
    instrument, terms = market.instrument, order.terms
    order_list = state.lists[order.list_id]
    quantity = _funded_quantity(state, instrument, order_list) if terms.quantity is None else terms.quantity
    refused = e.OrderExpired(order=order.id, reason=EndReason.REFUSED_AT_ACTIVATION)
    if quantity is None or check_quantity(instrument, quantity) is not None:
        return [refused]
    last = market.last_price(now_us)
    price = terms.price
    extreme: Decimal | None = None
    status = OrderStatus.NEW
    fires = False
    if terms.trigger is not None:
        starting = starting_point(terms, last)
        # A leg whose stop price was passed meanwhile fires at once instead of being refused:
        # it protects a position that exists by now.
        fires = isinstance(starting, Rejection)
        if not isinstance(starting, Rejection):
            status, extreme = OrderStatus.DORMANT, starting
    if (terms.trigger is None or fires) and terms.peg is not None:
        price = peg_price(market, terms, now_us)
        if price is None:
            return [e.OrderExpired(order=order.id, reason=EndReason.NO_PEG_LEVEL)]
    if price is not None or status is OrderStatus.DORMANT:
        at = price if price is not None else dormant_price(terms, extreme)
        needed = requirement(instrument, terms.side, at, quantity)
        available = state.ledger.free(order.account, order.wallet, order.hold_asset) + order_list.held
        if needed > available:
            return [e.OrderExpired(order=order.id, reason=EndReason.INSUFFICIENT_BALANCE)]
    activated = e.OrderActivated(
        order=order.id, status=status, price=price, quantity=quantity, extreme=extreme
    )
    if status is OrderStatus.DORMANT:
        return [activated]
    return [activated, *_enter_existing(state, rules, market, order, price, now_us, quantity)]


def _funded_quantity(state: State, instrument: Instrument, order_list: OrderList) -> Decimal | None:
    """What the working order received, in whole steps; the first leg of a pair settles it for both."""
    if order_list.received:
        return round_down(order_list.received, instrument.quantity_step) or None
    for leg in order_list.pending:
        other = state.orders.get(leg)
        if other is not None and other.quantity is not None:
            return other.quantity
    return None


def _expire(state: State, rules: EngineRules, command: c.ExpireOrder, now_us: int) -> Decision:
    if command.order not in state.orders:
        return []
    return [e.OrderExpired(order=command.order, reason=EndReason(command.reason))]


def _end_list(state: State, rules: EngineRules, command: c.EndOrderList, now_us: int) -> Decision:
    return [e.OrderListEnded(order_list=command.order_list)] if command.order_list in state.lists else []


def next_trigger(market: Market, now_us: int) -> Order | None:
    """A dormant order whose condition the last price meets, if there is one."""
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
        assert trigger.trailing_bips is not None
        if fired(order.side, market.trailing_extreme(order, now_us), last, trigger.trailing_bips):
            return order
    return None


_DECIDERS = {
    c.OpenAccount: _open_account,
    c.SetFeePayment: _set_fee_payment,
    c.Deposit: _deposit,
    c.Withdraw: _withdraw,
    c.Transfer: _transfer,
    c.PlaceOrder: _place_order,
    c.TestOrder: _place_order,
    c.PlaceOrderList: _place_order_list,
    c.CancelOrder: _cancel_order,
    c.CancelAllOrders: _cancel_all,
    c.CancelOrderList: _cancel_list,
    c.AmendOrder: _amend,
    c.SetPrice: _set_price,
    c.SetBook: _set_book,
    c.PrintTrade: _print_trade,
    c.ReleaseMarket: _release,
    c.AdvanceInstrument: _advance,
    c.TriggerOrder: _trigger,
    c.ActivateOrder: _activate,
    c.ExpireOrder: _expire,
    c.EndOrderList: _end_list,
}
