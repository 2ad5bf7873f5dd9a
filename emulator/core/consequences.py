"""What follows from events: commands that the engine gives itself, and where it has to look for more."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from emulator.core import commands as c
from emulator.core import events as e
from emulator.core.decisions import rest_of
from emulator.core.ids import NO_LIST, OrderId
from emulator.core.instruments import Instrument
from emulator.core.liquidation import Risk
from emulator.core.numbers import ZERO
from emulator.core.orders import Cause, EndReason, Order, OrderStatus, Parent
from emulator.core.risk import held_at
from emulator.core.state import State
from emulator.core.views import Views

_SIBLING_FIRED = frozenset({EndReason.LIST_SIBLING, EndReason.TAKE_PROFIT_FIRED, EndReason.STOP_LOSS_FIRED})


class Consequences:
    """Of one engine's events, each told right after it was folded, with the commands that are pending.

    moved: instruments whose last price may fire triggers. struck: contracts whose marks were moved by hand.
    followed: what was traded of orders that bring stops along, which do not know of it yet. follows: what is
    called with an event of a kind, and adds to the commands.
    """

    def __init__(self, state: State, views: Views, instruments: Mapping[str, Instrument]) -> None:
        self._state = state
        self._views = views
        self._instruments = instruments
        self.moved: dict[str, None] = {}
        self.struck: dict[str, None] = {}
        self.followed: dict[OrderId, Decimal] = {}
        self.follows: dict[type[e.Event], Callable[[Any, list[c.Command]], None]] = {
            e.TradeExecuted: self._follow_trade,
            e.PositionTakenOver: self._follow_taken_over,
            e.AutoDeleveraged: self._follow_deleveraged,
            e.TradePrinted: self._follow_print,
            e.PriceSet: self._follow_market,
            e.BookSet: self._follow_market,
            e.MarketReleased: self._follow_market,
            e.OrderCanceled: self._follow_close,
            e.OrderExpired: self._follow_close,
            e.MatchPrevented: self._follow_prevented,
        }
        if any(one.contract is not None and one.contract.splits_reducing for one in instruments.values()):
            self.follows |= {e.OrderPlaced: self._follow_entry, e.OrderTriggered: self._follow_entry}

    def stops(self) -> list[c.Command]:
        """The commands that tell stops what was traded of the orders that brought them along."""
        asked: list[c.Command] = []
        for order_id, quantity in self.followed.items():
            order = self._views.orders[order_id]
            attached = order.terms.attached
            assert attached is not None
            asked.append(
                c.FollowStops(
                    parent=Parent(order_id, order.client_id),
                    account=order.account,
                    wallet=order.wallet,
                    instrument=order.instrument,
                    leg=order.terms.leg,
                    side=order.side,
                    attached=attached,
                    quantity=quantity,
                )
            )
        self.followed.clear()
        return asked

    def _follow_trade(self, event: e.TradeExecuted, pending: list[c.Command]) -> None:
        self.moved[event.instrument] = None
        is_contract = self._instruments[event.instrument].contract is not None
        for order_id in (event.taker, event.maker):
            if order_id:
                order = self._views.orders[order_id]
                self._follow_end(order, pending)
                if is_contract:
                    self._follow_position(order, pending)
                if order.terms.attached is not None:
                    self._note_stops(order, event.quantity)

    def _follow_taken_over(self, event: e.PositionTakenOver, pending: list[c.Command]) -> None:
        order = self._views.orders[event.order]
        self._follow_position(order, pending)
        if order.terms.cause is Cause.DELIVERY:
            self._follow_delivery(order, pending)

    def _follow_deleveraged(self, event: e.AutoDeleveraged, pending: list[c.Command]) -> None:
        for order in (event.order, event.counter):
            self._follow_position(self._views.orders[order], pending)

    def _follow_entry(self, event: e.OrderPlaced | e.OrderTriggered, pending: list[c.Command]) -> None:
        """What only reduces, and is larger than one order may be, goes on as another one."""
        order = self._state.orders[event.order]
        instrument = self._instruments[order.instrument]
        if instrument.contract is None or not instrument.contract.splits_reducing or not order.terms.reduces:
            return
        rest = rest_of(self._state, instrument, order)
        if rest:
            pending.append(
                c.SplitReducing(
                    account=order.account,
                    instrument=order.instrument,
                    terms=order.terms,
                    price=order.price,
                    quantity=rest,
                )
            )

    def _follow_print(self, event: e.TradePrinted, pending: list[c.Command]) -> None:
        self.moved[event.instrument] = None

    def _follow_market(
        self, event: e.PriceSet | e.BookSet | e.MarketReleased, pending: list[c.Command]
    ) -> None:
        self.moved[event.instrument] = None
        if self._instruments[event.instrument].contract is not None:
            self.struck[event.instrument] = None
        pending.append(c.AdvanceInstrument(instrument=event.instrument))

    def _follow_close(self, event: e.OrderCanceled | e.OrderExpired, pending: list[c.Command]) -> None:
        order = self._views.orders[event.order]
        self._follow_end(order, pending)
        if order.terms.attached is not None and order.executed:
            self._note_stops(order, ZERO)

    def _follow_prevented(self, event: e.MatchPrevented, pending: list[c.Command]) -> None:
        for order_id in (event.taker, event.maker):
            order = self._views.orders[order_id]
            self._follow_end(order, pending)
            if order.terms.attached is not None and order.is_ended:
                self._note_stops(order, ZERO)

    def _follow_end(self, order: Order, pending: list[c.Command]) -> None:
        """What the end of an order means for the list it belongs to."""
        if order.list_id == NO_LIST or not order.is_ended:
            return
        order_list = self._state.lists.get(order.list_id)
        if order_list is None:
            return
        live = [leg for leg in order_list.orders if leg in self._state.orders]
        if not live:
            pending.append(c.EndOrderList(order_list=order_list.id))
        elif order.id in order_list.pair:
            if order.end_reason in _SIBLING_FIRED:
                return  # The other one is why it ended, and lives on.
            # However else one of two legs that cancel each other ends, the other ends with it.
            reason = EndReason.LIST_SIBLING.value
            pending.extend(c.ExpireOrder(order=leg, reason=reason) for leg in order_list.pair if leg in live)
        elif order.id == order_list.orders[0]:
            if order.status is OrderStatus.FILLED:
                pending.extend(c.ActivateOrder(order=leg) for leg in live)
            else:
                reason = EndReason.LIST_WORKING_ENDED.value
                pending.extend(c.ExpireOrder(order=leg, reason=reason) for leg in live)

    def _follow_position(self, order: Order, pending: list[c.Command]) -> None:
        """What the change of a position means for orders that may only reduce it."""
        if self._state.has_reducing(order.account, order.instrument):
            pending.append(c.DropReducing(account=order.account, instrument=order.instrument))

    def _follow_delivery(self, order: Order, pending: list[c.Command]) -> None:
        """The settlement price may be far from the mark price by which a position could be kept. What is owed
        then is owed by nobody who has a position, so nobody would look for it later."""
        contract = self._state.contract_of(order.instrument)
        account, wallet, asset = order.account, contract.wallet, contract.settle
        is_shared = (account, wallet) in self._state.shared
        risk = Risk(account, wallet, "" if is_shared else asset)
        owes = self._state.ledger.free(account, wallet, asset) < ZERO
        if owes and not held_at(self._state, risk, self._views.now_us):
            pending.append(c.CloseOut(risk=risk))

    def _note_stops(self, order: Order, quantity: Decimal) -> None:
        """Stops follow from each trade that opens a position; of a pair, from the end of what traded."""
        if self._instruments[order.instrument].contract is None:
            if order.is_ended and order.executed:
                self.followed[order.id] = order.executed
        elif quantity and not order.terms.reduces:
            self.followed[order.id] = self.followed.get(order.id, ZERO) + quantity
