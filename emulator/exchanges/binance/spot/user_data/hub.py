"""Turns what happens in an engine into the events of those accounts that somebody listens to.

It watches the engine only while there are subscribers. What an event was to an account is captured
when the event has just been applied, so cumulative amounts and statuses are those of that very event,
and leaves by the sandbox's outlet once the command is complete and durable.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final

from emulator.core import events as e
from emulator.core.commands import PlaceOrder
from emulator.core.engine import Engine
from emulator.core.ids import MARKET_ORDER, AccountId, ListId, OrderId
from emulator.core.orders import Order, OrderStatus
from emulator.core.rejections import Rejection
from emulator.exchanges.binance.spot.holdings import holding
from emulator.exchanges.binance.spot.market.symbols import listed
from emulator.exchanges.binance.spot.order_parameters import WALLET
from emulator.exchanges.binance.spot.user_data.account_event import AccountEvent
from emulator.exchanges.binance.spot.user_data.reports import (
    CANCELED,
    EXPIRED,
    NEW,
    REPLACED,
    TRADE,
    TRADE_PREVENTION,
    UPDATED,
    prevention_of,
    report_list,
    report_lock,
    report_movement,
    report_order,
    report_position,
    report_rejection,
)
from emulator.runtime.per_sandbox import PerSandbox
from emulator.runtime.sandbox import Sandbox

Subscriber = Callable[[AccountEvent], None]
"""Takes one event of the account. Must not block."""

ENGINE: Final = "binance"

_log = logging.getLogger(__name__)


class _Subscription:
    __slots__ = ("is_live", "subscriber")

    def __init__(self, subscriber: Subscriber) -> None:
        self.subscriber = subscriber
        self.is_live = True


_Told = tuple[tuple[_Subscription, ...], AccountEvent]


class AccountHub:
    """Everything that is told of one sandbox's Spot accounts; an observer of its engine."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self._subscriptions: dict[AccountId, tuple[_Subscription, ...]] = {}
        self._unobserve: Callable[[], None] | None = None
        self._engine: Engine | None = None
        self._told: list[_Told] = []
        self._renamed: dict[ListId, None] = {}
        self._touched: dict[AccountId, set[str]] = {}
        self._places: Mapping[str, int] = {}
        self._hears: dict[type[e.Event], Callable[[Any, int], None]] = {
            e.AmountDeposited: self._deposited,
            e.AmountWithdrawn: self._withdrawn,
            e.AmountTransferred: self._transferred,
            e.AmountLocked: self._locked,
            e.OrderPlaced: self._placed,
            e.TradeExecuted: self._traded,
            e.MatchPrevented: self._prevented,
            e.OrderTriggered: self._became_new,
            e.OrderActivated: self._became_new,
            e.OrderAmended: self._amended,
            e.OrderCanceled: self._canceled,
            e.OrderExpired: self._expired,
            e.OrderListEnded: self._list_ended,
        }

    def subscribe(self, account: AccountId, subscriber: Subscriber) -> Callable[[], None]:
        """Tell a subscriber all that happens to an account from now on; returns what ends that at once."""
        subscription = _Subscription(subscriber)
        # Tuples that are replaced, not changed: what is on its way keeps those that it was meant for.
        self._subscriptions[account] = (*self._subscriptions.get(account, ()), subscription)
        if self._unobserve is None:
            self._unobserve = self._sandbox.observe(ENGINE, self)

        def unsubscribe() -> None:
            self._remove(account, subscription)

        return unsubscribe

    def _remove(self, account: AccountId, subscription: _Subscription) -> None:
        if not subscription.is_live:
            return
        subscription.is_live = False
        left = tuple(one for one in self._subscriptions[account] if one is not subscription)
        if left:
            self._subscriptions[account] = left
            return
        del self._subscriptions[account]
        if not self._subscriptions and self._unobserve is not None:
            self._unobserve()
            self._unobserve = None

    def reject(self, command: PlaceOrder, rejection: Rejection, now_us: int) -> None:
        """Tell of an order that was refused though the command that it came with did something else.

        To be called when that was just decided. What is refused leaves no event in the engine, so no
        observer hears of it.
        """
        subscriptions = self._subscriptions.get(command.account)
        if subscriptions:
            report = report_rejection(self._sandbox.engines[ENGINE], command, rejection, now_us)
            self._sandbox.outlet.note(lambda: _tell([(subscriptions, report)]))

    # The engine's observer

    def happened(self, event: e.Event, now_us: int) -> None:
        hears = self._hears.get(type(event))
        if hears is None:
            return
        self._follow_engine()
        try:
            hears(event, now_us)
        except Exception:
            # An observer must not raise: the engine would be rebuilt for what is wrong here.
            _log.exception("an event cannot be told: %r", event)

    def settled(self, now_us: int) -> None:
        self._follow_engine()
        if not self._told:
            return
        try:
            self._conclude(now_us)
        except Exception:
            _log.exception("the balances cannot be told")
        told = self._told
        self._told = []
        self._clear()
        self._sandbox.outlet.note(lambda: _tell(told))

    def _follow_engine(self) -> None:
        """Forget what an engine did that was taken out in the midst of a command: it did not happen."""
        engine = self._sandbox.engines[ENGINE]
        if engine is not self._engine:
            self._engine = engine
            self._clear()

    def _clear(self) -> None:
        self._told.clear()
        self._renamed.clear()
        self._touched.clear()

    def _conclude(self, now_us: int) -> None:
        """What is said once for a command, after the reports: lists with new names, and balances."""
        engine = self._running
        for list_id in self._renamed:
            order_list = engine.views.lists[list_id]
            self._tell(order_list.account, report_list(engine, order_list, now_us, UPDATED))
        for account, assets in self._touched.items():
            held = [holding(engine, account, WALLET, asset) for asset in self._in_order(assets)]
            self._tell(account, report_position(held, now_us))

    @property
    def _running(self) -> Engine:
        assert self._engine is not None
        return self._engine

    def _tell(self, account: AccountId, event: AccountEvent) -> None:
        self._told.append((self._subscriptions[account], event))

    def _in_order(self, assets: set[str]) -> list[str]:
        """As the account endpoint lists them: those that symbols are made of first."""
        places = self._places
        if not places:
            names = dict.fromkeys(asset for i in listed(self._running) for asset in (i.base, i.quote))
            places = self._places = {asset: place for place, asset in enumerate(names)}
        return sorted(assets, key=lambda asset: (places.get(asset, len(places)), asset))

    # Orders

    def _listened(self, order_id: OrderId) -> Order | None:
        """An order that somebody wants to hear of."""
        order = self._running.views.orders[order_id]
        return order if order.account in self._subscriptions and order.wallet == WALLET else None

    @property
    def _execution(self) -> int:
        """The id of the last report that the event which just happened is worth, whoever hears it."""
        return self._running.state.next_execution - 1

    def _report(self, order: Order, report: AccountEvent) -> None:
        self._tell(order.account, report)
        if order.status is not OrderStatus.WAITING:
            self._touch(order)

    def _touch(self, order: Order) -> None:
        """Note the assets that whatever happens to an order may move."""
        engine = self._running
        instrument = engine.instruments[order.instrument]
        touched = self._touched.setdefault(order.account, set())
        touched.add(instrument.base)
        touched.add(instrument.quote)
        if engine.rules.fees.discount_asset is not None:
            # Quirk: the balances of a position that an order caused have BNB among them, whether or not a fee
            # was paid in it (live positions of orders that rested and were canceled).
            touched.add(engine.rules.fees.discount_asset)

    def _placed(self, event: e.OrderPlaced, now_us: int) -> None:
        order = self._listened(event.order)
        if order is None:
            return
        self._report(order, report_order(order, now_us, NEW, execution=self._execution))
        if order.in_list:
            engine = self._running
            order_list = engine.views.lists[order.list_id]
            if order.id == order_list.orders[-1]:
                self._tell(order.account, report_list(engine, order_list, now_us))

    def _became_new(self, event: e.OrderTriggered | e.OrderActivated, now_us: int) -> None:
        # Quirk: an order that was waiting, for its stop price or for the working order of its list, is
        # reported as NEW for a second time when its turn comes (fix-api.md, WorkingIndicator).
        order = self._listened(event.order)
        if order is not None:
            self._report(order, report_order(order, now_us, NEW, execution=self._execution))

    def _traded(self, event: e.TradeExecuted, now_us: int) -> None:
        views = self._running.views
        for order_id, execution in self._sides(event.taker, event.maker):
            order = self._listened(order_id)
            if order is not None:
                fill = views.fills_of[order_id][-1]
                self._report(order, report_order(order, now_us, TRADE, execution=execution, fill=fill))

    def _prevented(self, event: e.MatchPrevented, now_us: int) -> None:
        views = self._running.views
        for order_id, execution in self._sides(
            event.taker if event.taker_prevented else MARKET_ORDER,
            event.maker if event.maker_prevented else MARKET_ORDER,
        ):
            order = self._listened(order_id)
            if order is not None:
                other = views.orders[event.maker if order_id == event.taker else event.taker]
                prevention = prevention_of(event, order, other)
                self._report(
                    order,
                    report_order(order, now_us, TRADE_PREVENTION, execution=execution, prevention=prevention),
                )

    def _sides(self, taker: OrderId, maker: OrderId) -> list[tuple[OrderId, int]]:
        """The accounts' orders among two, each with the id of its report; the taker's is the lower one."""
        last = self._execution
        if taker == MARKET_ORDER:
            return [] if maker == MARKET_ORDER else [(maker, last)]
        return [(taker, last)] if maker == MARKET_ORDER else [(taker, last - 1), (maker, last)]

    def _amended(self, event: e.OrderAmended, now_us: int) -> None:
        order = self._listened(event.order)
        if order is None:
            return
        before = self._running.views.amendments[order.id][-1].client_id_before
        self._report(
            order,
            report_order(order, now_us, REPLACED, execution=self._execution, client_id_before=before),
        )
        if order.in_list and before != order.client_id:
            self._renamed[order.list_id] = None

    def _canceled(self, event: e.OrderCanceled, now_us: int) -> None:
        order = self._listened(event.order)
        if order is not None:
            self._report(
                order,
                report_order(
                    order,
                    now_us,
                    CANCELED,
                    execution=self._execution,
                    client_id=event.cancel_client_id,
                    client_id_before=order.client_id,
                ),
            )

    def _expired(self, event: e.OrderExpired, now_us: int) -> None:
        order = self._listened(event.order)
        if order is not None:
            self._report(order, report_order(order, now_us, EXPIRED, execution=self._execution))

    def _list_ended(self, event: e.OrderListEnded, now_us: int) -> None:
        engine = self._running
        order_list = engine.views.lists[event.order_list]
        if order_list.account in self._subscriptions and order_list.wallet == WALLET:
            self._tell(order_list.account, report_list(engine, order_list, now_us))

    # Funds

    def _deposited(self, event: e.AmountDeposited, now_us: int) -> None:
        if event.wallet == WALLET:
            self._moved(event.account, event.asset, event.amount, now_us)

    def _withdrawn(self, event: e.AmountWithdrawn, now_us: int) -> None:
        if event.wallet == WALLET:
            self._moved(event.account, event.asset, -event.amount, now_us)

    def _transferred(self, event: e.AmountTransferred, now_us: int) -> None:
        if event.source == WALLET:
            self._moved(event.account, event.asset, -event.amount, now_us)
        elif event.target == WALLET:
            self._moved(event.account, event.asset, event.amount, now_us)

    def _locked(self, event: e.AmountLocked, now_us: int) -> None:
        if event.wallet == WALLET and event.account in self._subscriptions:
            self._tell(event.account, report_lock(event.asset, event.amount, now_us))
            self._touched.setdefault(event.account, set()).add(event.asset)

    def _moved(self, account: AccountId, asset: str, change: Decimal, now_us: int) -> None:
        if account in self._subscriptions:
            self._tell(account, report_movement(asset, change, now_us))
            self._touched.setdefault(account, set()).add(asset)


def _tell(told: list[_Told]) -> None:
    for subscriptions, event in told:
        for subscription in subscriptions:
            if subscription.is_live:
                try:
                    subscription.subscriber(event)
                except Exception:
                    _log.exception("a subscriber raised at an event of its account")


ACCOUNT_HUBS: Final = PerSandbox(AccountHub)
"""The hub of each sandbox."""
