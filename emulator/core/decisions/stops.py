"""Where positions are left: take profits, stop losses and trailing stops, as orders that wait.

A stop is a dormant order with a role that only reduces. For all of a position there is one of each role at
most; for parts of it there are pairs. Two that came together are an order list, so that the first to be
triggered ends the other one. All of them end with the position (`contracts.drop_reducing`). Of a pair, what
follows from an order's trades sells again what was bought, or the other way round.
"""

from __future__ import annotations

from decimal import Decimal

from msgspec.structs import replace

from emulator.core import commands as c
from emulator.core import events as e
from emulator.core import rejections as r
from emulator.core.checks import check_price, check_quantity, check_status
from emulator.core.coverage import payable
from emulator.core.decisions.contracts import contract_of
from emulator.core.decisions.decision import Decision
from emulator.core.ids import NO_LIST, AccountId
from emulator.core.instruments import BUY, SELL, Instrument, OrderType, Side
from emulator.core.numbers import ZERO, is_on_step, round_down
from emulator.core.order_lists import ListKind
from emulator.core.orders import (
    NO_PARENT,
    OF_POSITIONS,
    TAKES_PROFIT,
    Order,
    OrderStatus,
    OrderTerms,
    Parent,
    Stop,
    StopRole,
    Trigger,
    TriggerKind,
)
from emulator.core.positions import Leg
from emulator.core.rejections import Feature, Limit, Rejection, Setting
from emulator.core.rules import EngineRules
from emulator.core.state import State, dormant_price, requirement
from emulator.core.tape import Market

_WHOLE = (StopRole.TAKE_PROFIT, StopRole.STOP_LOSS)
_PARTIAL = (StopRole.PARTIAL_TAKE_PROFIT, StopRole.PARTIAL_STOP_LOSS)


# What can be said against them


def check_attached(
    market: Market, terms: OrderTerms, now_us: int, price: Decimal | None = None
) -> Rejection | None:
    """Whether the stops that an order brings along lie on the right sides of where it would open: at its
    limit (`price`, or that of the terms), where it is triggered, or at the market."""
    attached = terms.attached
    if attached is None or terms.reduces:
        return None
    base = terms.price if price is None else price
    if base is None and terms.trigger is not None:
        base = terms.trigger.price
    for role, stop in zip(_WHOLE, (attached.take_profit, attached.stop_loss), strict=True):
        if stop is None:
            continue
        if attached.whole and stop.limit is not None:
            return r.OrderTermsInvalid(reason="all of a position is closed at market")
        refused = _check_stop(market, terms.side, role, stop, base, now_us)
        if refused is not None:
            return refused
    return None


def check_pairs(
    state: State, account: AccountId, instrument: Instrument, terms: OrderTerms
) -> Rejection | None:
    """Whether an order may bring along a further pair of stops."""
    attached = terms.attached
    if attached is None or attached.whole or terms.reduces:
        return None
    return _check_pairs(state, account, instrument, terms.leg)


def check_waiting(
    state: State, market: Market, account: AccountId, terms: OrderTerms, now_us: int
) -> Rejection | None:
    """Whether a stop may wait for the price that it has now."""
    trigger, role = terms.trigger, terms.role
    if role not in OF_POSITIONS or trigger is None or trigger.is_trailing:
        return None
    assert trigger.price is not None
    stop = Stop(price=trigger.price, source=trigger.source, limit=terms.price)
    return _check_stop(market, terms.side.opposite, role, stop, None, now_us)


def _check_stop(
    market: Market, side: Side, role: StopRole, stop: Stop, base: Decimal | None, now_us: int
) -> Rejection | None:
    """side: on which the position is entered. base: what the stop is measured by; None: what it watches."""
    instrument = market.instrument
    if stop.source not in instrument.trigger_sources:
        return r.FeatureOff(feature=Feature.TRIGGER)
    for price in (stop.price, stop.limit):
        refused = None if price is None else check_price(instrument, price)
        if refused is not None:
            return refused
    if base is None:
        base = market.price_by(stop.source, now_us)
    is_above = (side is BUY) is (role is StopRole.TRAILING or role in TAKES_PROFIT)
    if stop.price > base if is_above else stop.price < base:
        return None
    return r.StopPriceWrong(role=role, side=side, price=stop.price, base=base, source=stop.source)


def _check_pairs(state: State, account: AccountId, instrument: Instrument, leg: Leg) -> Rejection | None:
    most = 0 if instrument.contract is None else instrument.contract.stop_pairs_max
    if most and len(state.stops_of(account, instrument.symbol, leg).pairs) >= most:
        return r.LimitBroken(limit=Limit.STOP_PAIRS, bound=Decimal(most))
    return None


# Saying where a position is left


def set_stops(state: State, rules: EngineRules, command: c.SetStops, now_us: int) -> Decision:
    found = contract_of(state, command.account, command.instrument)
    if isinstance(found, Rejection):
        return found
    account, instrument, contract = found
    closed = check_status(instrument, now_us)
    if closed is not None:
        return closed
    if state.is_hedged(account.id, instrument.symbol) is (command.leg is Leg.BOTH):
        return r.LegWrong()
    position = account.positions.get((instrument.symbol, command.leg))
    if position is None:
        return r.NothingToReduce()
    market = state.markets[instrument.symbol]
    side = BUY if position.quantity > ZERO else SELL
    given = dict(zip(_WHOLE, (command.take_profit, command.stop_loss), strict=True))
    for role, stop in given.items():
        if stop is not None:
            if command.whole and stop.limit is not None:
                return r.OrderTermsInvalid(reason="all of a position is closed at market")
            if not _is_so(state, command, role, stop):
                refused = _check_stop(market, side, role, stop, None, now_us)
                if refused is not None:
                    return refused
    one = _Stops(state, market, account.id, contract.wallet, command.leg, side)
    if command.whole:
        one.set_whole(command.take_profit, command.stop_loss, command.removes, parent=NO_PARENT)
    elif command.take_profit is not None or command.stop_loss is not None:
        quantity = command.quantity
        if quantity is None:
            return r.OrderTermsInvalid(reason="stops for a part of a position need its quantity")
        refused = check_quantity(instrument, quantity) or _check_pairs(
            state, account.id, instrument, command.leg
        )
        if refused is not None:
            return refused
        if quantity > abs(position.quantity):
            return r.NothingToReduce()
        one.place(_partial(command.take_profit, command.stop_loss), quantity, parent=NO_PARENT)
    if command.trailing is not None or StopRole.TRAILING in command.removes:
        refused = one.set_trailing(command.trailing, now_us)
        if refused is not None:
            return refused
    return one.events or r.SettingUnchanged(setting=Setting.STOPS)


def _is_so(state: State, command: c.SetStops, role: StopRole, stop: Stop) -> bool:
    """Whether a stop for all of the position is there already, just so."""
    if not command.whole:
        return False
    current = state.stops_of(command.account, command.instrument, command.leg)
    order = current.take_profit if role is StopRole.TAKE_PROFIT else current.stop_loss
    if order is None:
        return False
    trigger = order.terms.trigger
    assert trigger is not None
    return (trigger.price, trigger.source) == (stop.price, stop.source)


def _partial(take_profit: Stop | None, stop_loss: Stop | None) -> list[tuple[StopRole, Stop]]:
    return [
        (role, stop)
        for role, stop in zip(_PARTIAL, (take_profit, stop_loss), strict=True)
        if stop is not None
    ]


def follow(state: State, rules: EngineRules, command: c.FollowStops, now_us: int) -> Decision:
    """The stops that an order brought along, now that it traded. One whose price was passed meanwhile is
    triggered right after; one too many does not come."""
    market, attached = state.markets[command.instrument], command.attached
    instrument = market.instrument
    one = _Stops(state, market, command.account, command.wallet, command.leg, command.side)
    if instrument.contract is None:
        return _follow_pair(state, rules, instrument, one, command, now_us)
    position = state.positions.get((command.account, instrument.symbol, command.leg))
    if position is None or (position.quantity > ZERO) is not (command.side is BUY):
        return []  # It only made a position smaller.
    current = state.stops_of(command.account, instrument.symbol, command.leg)
    if attached.whole:
        # What came from the same order may have been changed by its owner since.
        take_profit, stop_loss = (
            None if order is not None and order.terms.parent == command.parent.order else stop
            for order, stop in (
                (current.take_profit, attached.take_profit),
                (current.stop_loss, attached.stop_loss),
            )
        )
        one.set_whole(take_profit, stop_loss, (), parent=command.parent)
        return one.events
    waiting = [
        order
        for pair in current.pairs
        for order in pair
        if order.terms.parent == command.parent.order and order.status is OrderStatus.DORMANT
    ]
    if waiting:
        one.enlarge(waiting, command.quantity)
    elif _check_pairs(state, command.account, instrument, command.leg) is None:
        quantity = min(command.quantity, abs(position.quantity))
        one.place(_partial(attached.take_profit, attached.stop_loss), quantity, parent=command.parent)
    return one.events


def _follow_pair(
    state: State, rules: EngineRules, instrument: Instrument, one: _Stops, command: c.FollowStops, now_us: int
) -> list[e.Event]:
    """Sell again what was bought, as far as it is there after fees; or buy again what was sold."""
    stops = _partial(command.attached.take_profit, command.attached.stop_loss)
    quantity, side = command.quantity, command.side.opposite
    asset = instrument.base if side is SELL else instrument.quote
    owner = state.accounts[command.account]
    free = payable(state, rules, owner, command.wallet, asset, now_us)
    if side is SELL:
        quantity = round_down(min(quantity, free), instrument.quantity_step)
    if not stops or check_quantity(instrument, quantity) is not None:
        return []
    terms = one.terms_of(stops, quantity, parent=command.parent)
    if any(requirement(instrument, side, dormant_price(leg, None), quantity) > free for leg in terms):
        return []
    one.place(stops, quantity, parent=command.parent)
    return one.events


class _Stops:
    """Gathers what becomes of the stops of one position: what is amended comes first."""

    __slots__ = ("_account", "_amended", "_bound", "_leg", "_market", "_others", "_side", "_state", "_wallet")

    def __init__(
        self, state: State, market: Market, account: AccountId, wallet: str, leg: Leg, side: Side
    ) -> None:
        self._state = state
        self._market = market
        self._account = account
        self._wallet = wallet
        self._leg = leg
        self._side = side
        self._amended: list[e.Event] = []
        self._bound: list[e.Event] = []
        self._others: list[e.Event] = []

    @property
    def events(self) -> list[e.Event]:
        return [*self._bound, *self._amended, *self._others]

    def set_whole(
        self,
        take_profit: Stop | None,
        stop_loss: Stop | None,
        removes: tuple[StopRole, ...],
        *,
        parent: Parent,
    ) -> None:
        current = self._state.stops_of(self._account, self._market.instrument.symbol, self._leg)
        fresh: list[tuple[StopRole, Stop]] = []
        changed: list[Order] = []
        removed: list[Order] = []
        for role, order, stop in (
            (StopRole.TAKE_PROFIT, current.take_profit, take_profit),
            (StopRole.STOP_LOSS, current.stop_loss, stop_loss),
        ):
            if stop is not None and order is None:
                fresh.append((role, stop))
            elif stop is not None and order is not None:
                trigger = order.terms.trigger
                assert trigger is not None
                wanted = replace(trigger, price=stop.price, source=stop.source)
                if wanted != trigger:
                    changed.append(order)
                    named = parent if parent.order else Parent(order.terms.parent, order.terms.parent_name)
                    terms = replace(order.terms, trigger=wanted, parent=named.order, parent_name=named.name)
                    self._amend(order, terms)
            elif order is not None and role in removes:
                removed.append(order)
                self._others.append(e.OrderCanceled(order=order.id, cancel_client_id=""))
        # One of two that came together goes its own way: they are bound no more.
        is_one_sided = take_profit is None or stop_loss is None
        alone = removed if removed else changed if is_one_sided else []
        if len(alone) == 1 and self._state.siblings(alone[0]):
            self._bound.append(e.OrderListEnded(order_list=alone[0].list_id))
        if fresh:
            self.place(fresh, None, parent=parent)

    def set_trailing(self, trail: c.Trail | None, now_us: int) -> Rejection | None:
        """Follow the price from now on, or from its activation; None: not any more."""
        instrument = self._market.instrument
        order = self._state.stops_of(self._account, instrument.symbol, self._leg).trailing
        if trail is None:
            if order is not None:
                self._others.append(e.OrderCanceled(order=order.id, cancel_client_id=""))
            return None
        trigger = Trigger(
            kind=TriggerKind.STOP_LOSS if trail.activation is None else TriggerKind.TAKE_PROFIT,
            price=trail.activation,
            source=trail.source,
            trailing_distance=trail.distance,
        )
        if order is not None and order.terms.trigger == trigger:
            return None
        refused = self._check_trail(trail, now_us)
        if refused is not None:
            return refused
        if order is not None:
            before = order.terms.trigger
            assert before is not None
            is_alike = (before.kind, before.source) == (trigger.kind, trigger.source)
            if is_alike and (before.price == trigger.price or not order.trailing):
                self._amend(order, replace(order.terms, trigger=trigger))
                return None
            self._others.append(e.OrderCanceled(order=order.id, cancel_client_id=""))
        terms = OrderTerms(
            side=self._side.opposite,
            type=OrderType.MARKET,
            trigger=trigger,
            leg=self._leg,
            reduce_only=True,
            close_position=True,
            close_on_trigger=True,
            role=StopRole.TRAILING,
        )
        extreme = None if trail.activation is not None else self._market.price_by(trail.source, now_us)
        self._others.append(self._placed(self._next_order(), terms, None, extreme=extreme))
        return None

    def _check_trail(self, trail: c.Trail, now_us: int) -> Rejection | None:
        instrument, market = self._market.instrument, self._market
        if trail.source not in instrument.trigger_sources:
            return r.FeatureOff(feature=Feature.TRIGGER)
        last = market.price_by(trail.source, now_us)
        if trail.distance <= ZERO or not is_on_step(trail.distance, instrument.price_step):
            return r.LimitBroken(limit=Limit.TRAILING_DISTANCE, value=trail.distance)
        if self._side is BUY and trail.distance >= (trail.activation or last):
            return r.LimitBroken(limit=Limit.TRAILING_DISTANCE, value=trail.distance)
        if trail.activation is None:
            return None
        stop = Stop(price=trail.activation, source=trail.source)
        return _check_stop(market, self._side, StopRole.TRAILING, stop, last, now_us)

    def enlarge(self, orders: list[Order], quantity: Decimal) -> None:
        """Let stops for a part of the position close more of it."""
        for order in orders:
            assert order.quantity is not None
            wanted = order.quantity + quantity
            self._amend(order, replace(order.terms, quantity=wanted), wanted)

    def _amend(self, order: Order, terms: OrderTerms, quantity: Decimal | None = None) -> None:
        self._amended.append(
            e.OrderAmended(
                order=order.id,
                execution=self._state.next_execution + len(self._amended),
                quantity=order.quantity if quantity is None else quantity,
                client_id=order.client_id,
                terms=terms,
            )
        )

    def place(self, stops: list[tuple[StopRole, Stop]], quantity: Decimal | None, *, parent: Parent) -> None:
        """One stop, or two of which the first that is triggered ends the other; quantity: None: for all."""
        legs = self.terms_of(stops, quantity, parent=parent)
        first = self._next_order()
        list_id = NO_LIST
        if len(legs) > 1:
            list_id = self._state.next_list
            self._others.append(
                e.OrderListPlaced(
                    order_list=list_id,
                    account=self._account,
                    wallet=self._wallet,
                    instrument=self._market.instrument.symbol,
                    kind=ListKind.OCO,
                    funded=False,
                    client_id="",
                    orders=tuple(range(first, first + len(legs))),
                )
            )
        self._others += [
            self._placed(first + ordinal, terms, quantity, order_list=list_id)
            for ordinal, terms in enumerate(legs)
        ]

    def terms_of(
        self, stops: list[tuple[StopRole, Stop]], quantity: Decimal | None, *, parent: Parent
    ) -> list[OrderTerms]:
        reduces = self._market.instrument.contract is not None
        return [
            OrderTerms(
                side=self._side.opposite,
                type=stop.type,
                quantity=quantity,
                price=stop.limit,
                trigger=Trigger(
                    kind=TriggerKind.TAKE_PROFIT if role in TAKES_PROFIT else TriggerKind.STOP_LOSS,
                    price=stop.price,
                    source=stop.source,
                ),
                leg=self._leg,
                reduce_only=reduces,
                close_position=quantity is None,
                close_on_trigger=reduces,
                role=role,
                parent=parent.order,
                parent_name=parent.name,
            )
            for role, stop in stops
        ]

    def _next_order(self) -> int:
        placed = sum(isinstance(event, e.OrderPlaced) for event in self._others)
        return self._state.next_order + placed

    def _placed(
        self,
        order_id: int,
        terms: OrderTerms,
        quantity: Decimal | None,
        *,
        extreme: Decimal | None = None,
        order_list: int = NO_LIST,
    ) -> e.OrderPlaced:
        instrument = self._market.instrument
        return e.OrderPlaced(
            order=order_id,
            account=self._account,
            wallet=self._wallet,
            instrument=instrument.symbol,
            terms=terms,
            self_trade_mode=instrument.self_trade_default,
            status=OrderStatus.DORMANT,
            quantity=quantity,
            price=terms.price,
            extreme=extreme,
            order_list=order_list,
        )
