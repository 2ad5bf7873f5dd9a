"""What happens to Spot accounts, as their user data streams tell it: reports first, balances after them."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from emulator.core import events as e
from emulator.core.commands import PlaceOrder
from emulator.core.ids import MARKET_ORDER, AccountId, ListId, OrderId
from emulator.core.orders import Order, OrderStatus
from emulator.core.rejections import Rejection
from emulator.exchanges.binance.running import engine_of
from emulator.exchanges.binance.spot.holdings import holding
from emulator.exchanges.binance.spot.market.symbols import listed
from emulator.exchanges.binance.spot.order_parameters import WALLET
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
from emulator.exchanges.binance.user_data.account_event import AccountEvent
from emulator.exchanges.binance.user_data.hub import AccountHub, Hear
from emulator.runtime.per_sandbox import PerSandbox
from emulator.runtime.sandbox import Sandbox


class SpotAccountHub(AccountHub):
    """Everything that is told of one sandbox's Spot accounts: reports, and balances after them."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._renamed: dict[ListId, None] = {}
        self._touched: dict[AccountId, set[str]] = {}
        self._places: Mapping[str, int] = {}
        super().__init__(sandbox)

    def _compile(self) -> Mapping[type[e.Event], Hear]:
        return {
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

    def reject(self, command: PlaceOrder, rejection: Rejection, now_us: int) -> None:
        """Tell of an order that was refused though the command that it came with did something else.

        To be called when that was just decided. What is refused leaves no event in the engine, so no
        observer hears of it.
        """
        self._tell_aside(
            command.account,
            lambda: report_rejection(engine_of(self._sandbox), command, rejection, now_us),
        )

    def _forget(self) -> None:
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
        return order if self._is_heard(order.account) and order.wallet == WALLET else None

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
        if self._is_heard(order_list.account) and order_list.wallet == WALLET:
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
        if event.wallet == WALLET and self._is_heard(event.account):
            self._tell(event.account, report_lock(event.asset, event.amount, now_us))
            self._touched.setdefault(event.account, set()).add(event.asset)

    def _moved(self, account: AccountId, asset: str, change: Decimal, now_us: int) -> None:
        if self._is_heard(account):
            self._tell(account, report_movement(asset, change, now_us))
            self._touched.setdefault(account, set()).add(asset)


ACCOUNT_HUBS: Final = PerSandbox(SpotAccountHub)
"""The hub of each sandbox."""
