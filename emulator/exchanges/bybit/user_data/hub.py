"""What happens to accounts in the unified wallet, as private topics tell it.

Of a fill first the execution, then the order; at the end of the command what it made of positions, and at
last the wallet with the coins that changed. Positions are told with every order in their contract, whether
or not it changed anything about them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from emulator.core import events as e
from emulator.core.engine import Engine
from emulator.core.history import Fill, FillKind
from emulator.core.ids import MARKET_ORDER, AccountId, OrderId
from emulator.core.numbers import exact
from emulator.core.orders import Order
from emulator.core.positions import Leg
from emulator.exchanges.bybit.account.readings import render_wallet, stand
from emulator.exchanges.bybit.categories import CATEGORIES, Category, category_of, listing_of
from emulator.exchanges.bybit.position.readings import positions_of, render_streamed
from emulator.exchanges.bybit.replies import render_funding
from emulator.exchanges.bybit.running import ENGINE, UNIFIED
from emulator.exchanges.bybit.user_data.reports import (
    Report,
    fast_execution,
    streamed_execution,
    streamed_order,
    streamed_trade,
    streamed_trigger,
)
from emulator.exchanges.bybit.user_data.topics import Topic, TopicKind
from emulator.exchanges.bybit.user_data.trails import Trails
from emulator.exchanges.bybit.vocabulary import is_order
from emulator.runtime.per_sandbox import PerSandbox
from emulator.runtime.sandbox import Sandbox
from emulator.web.streams.accounts import AccountHub, Hear
from emulator.web.streams.message import Message

Tell = Callable[[Message], None]
"""Takes what a topic says. Must not block."""

_Position = tuple[AccountId, str, Leg]

SILENT: Final[Mapping[type[e.Event], str]] = {
    e.AccountOpened: "nobody can listen yet",
    e.FeePaymentSet: "no fee is paid in another coin than that of the trade",
    e.PreferenceSet: "no topic shows one",
    e.CollateralModeSet: "assets stand together, or not, by the margin mode of the account",
    e.SpotMarginSet: "it changes nothing that is held or owed",
    e.LiquidationBegun: "the orders that it ends and places are told",
    e.OrderRested: "an order is told of when it is placed, and rests as it was told",
    e.OrderListPlaced: "its orders are told",
    e.CountdownSet: "the exchange has none; its protection at disconnection is told by what it ends",
    e.PriceSet: "of the market",
    e.BookSet: "of the market",
    e.TradePrinted: "of the market",
    e.MarketReleased: "of the market",
}
"""Events of the engine that are told nobody, and why."""


class UnifiedHub(AccountHub[Report]):
    """Everything that private topics tell of one sandbox's accounts."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._wanted: Counter[tuple[AccountId, TopicKind]] = Counter()
        self._contracts: dict[AccountId, dict[str, None]] = {}
        self._coins: dict[AccountId, dict[str, None]] = {}
        self._resized: dict[_Position, set[OrderId]] = {}
        """Positions that a trade changed, with the orders that were told of since."""
        self._trails = Trails(sandbox, is_heard=self._hears_orders, moved=self._trailed)
        super().__init__(sandbox, ENGINE)

    def listen(self, account: AccountId, topic: Topic, tell: Tell) -> Callable[[], None]:
        """Tell what a topic says of an account from now on; returns what ends that at once."""
        kind, category = topic.kind, topic.category

        def take(report: Report) -> None:
            if report.kind is kind and category in ("", report.category):
                tell(report.message(topic.name))

        self._wanted[account, kind] += 1
        unsubscribe = self.subscribe(account, take)
        if kind is TopicKind.ORDER:
            self._trails.begin(account)

        def end() -> None:
            self._wanted[account, kind] -= 1
            unsubscribe()

        return end

    def _wants(self, account: AccountId, kind: TopicKind) -> bool:
        return self._wanted[account, kind] > 0

    def _compile(self) -> Mapping[type[e.Event], Hear]:
        return {
            e.AmountDeposited: self._moved,
            e.AmountWithdrawn: self._moved,
            e.AmountTransferred: self._transferred,
            e.AmountLocked: self._moved,
            e.BalanceCorrected: self._corrected,
            e.FundsBorrowed: self._moved,
            e.LoanRepaid: self._moved,
            e.InterestCharged: self._moved,
            e.InsurancePaid: self._moved,
            e.CollateralUseSet: self._moved,
            e.AssetExchanged: self._exchanged,
            e.OrderPlaced: self._changed,
            e.TrailingStarted: self._changed,
            e.OrderActivated: self._changed,
            e.OrderTriggered: self._triggered,
            e.OrderSucceeded: self._changed,
            e.OrderAmended: self._changed,
            e.OrderCanceled: self._changed,
            e.OrderExpired: self._changed,
            e.OrderListEnded: self._list_ended,
            e.MatchPrevented: self._prevented,
            e.TradeExecuted: self._traded,
            e.PositionTakenOver: self._taken_over,
            e.AutoDeleveraged: self._deleveraged,
            e.FundingPaid: self._funding_paid,
            e.LiquidationCharged: self._of_contract,
            e.LeverageSet: self._of_contract,
            e.MarginModeSet: self._of_contract,
            e.MarginMoved: self._of_contract,
            e.ReplenishmentSet: self._of_contract,
            e.PositionModeSet: self._position_mode_set,
            e.AccountMarginSet: self._margin_set,
        }

    def _forget(self) -> None:
        self._contracts.clear()
        self._coins.clear()
        self._resized.clear()

    # Orders

    def _listened(self, order_id: OrderId) -> Order | None:
        """An order that somebody wants to hear of."""
        if order_id == MARKET_ORDER:
            return None
        order = self._running.views.orders[order_id]
        return order if self._is_heard(order.account) else None

    def _report(self, order: Order, now_us: int) -> None:
        """An order as it is now; what it is about is told with it."""
        category = category_of(order.instrument)
        told = self._resized.get(_position_of(order))
        if told is not None:
            told.add(order.id)
        if self._wants(order.account, TopicKind.ORDER) and is_order(order):
            self._say(
                order.account,
                TopicKind.ORDER,
                category,
                streamed_order(self._running, category, order),
                now_us,
            )
            self._trails.note(self._running, order, now_us)
        self._touch(order, category)

    def _hears_orders(self, account: AccountId) -> bool:
        return self._wants(account, TopicKind.ORDER)

    def _trailed(self, engine: Engine, order: Order, now_us: int) -> None:
        """The price at which a stop is triggered has followed that of the market."""
        category = category_of(order.instrument)
        record = streamed_order(engine, category, order, now_us)
        self._tell_at_once(
            order.account, Report(order.account, TopicKind.ORDER, category.name, (record,), now_us)
        )

    def _touch(self, order: Order, category: Category) -> None:
        account = order.account
        if category.is_derivative:
            self._touch_contract(account, order.instrument)
            if order.terms.reduces or not order.working_us:
                return  # It needs no margin, at least not yet.
        if order.terms.detached:
            return  # Another one will hold something in its stead.
        self._touch_coins(account, (order.hold_asset,))

    def _touch_contract(self, account: AccountId, instrument: str) -> None:
        self._contracts.setdefault(account, {})[instrument] = None

    def _touch_coins(self, account: AccountId, coins: Iterable[str]) -> None:
        self._coins.setdefault(account, {}).update(dict.fromkeys(coins))

    def _say(
        self, account: AccountId, kind: TopicKind, category: Category, record: object, now_us: int
    ) -> None:
        self._tell(account, Report(account, kind, category.name, (record,), now_us))

    def _changed(
        self,
        event: (
            e.OrderPlaced
            | e.TrailingStarted
            | e.OrderActivated
            | e.OrderSucceeded
            | e.OrderAmended
            | e.OrderCanceled
            | e.OrderExpired
        ),
        now_us: int,
    ) -> None:
        order = self._listened(event.order)
        if order is not None:
            self._report(order, now_us)

    def _triggered(self, event: e.OrderTriggered, now_us: int) -> None:
        order = self._listened(event.order)
        if order is None:
            return
        category = category_of(order.instrument)
        if self._wants(order.account, TopicKind.ORDER):
            # Quirk: that its condition was met is a status of its own, which lasts for no time at all (enum,
            # `orderStatus`).
            record = streamed_trigger(self._running, category, order)
            self._say(order.account, TopicKind.ORDER, category, record, now_us)
        self._report(order, now_us)

    def _list_ended(self, event: e.OrderListEnded, now_us: int) -> None:
        """What is left of it looks different from now on: it ends no other one any more."""
        views = self._running.views
        for order_id in views.lists[event.order_list].orders:
            order = views.orders.get(order_id)
            if order is not None and not order.is_ended and self._is_heard(order.account):
                self._report(order, now_us)

    def _prevented(self, event: e.MatchPrevented, now_us: int) -> None:
        for order_id, lost in ((event.taker, event.taker_prevented), (event.maker, event.maker_prevented)):
            order = self._listened(order_id) if lost else None
            if order is not None:
                self._report(order, now_us)

    # Executions

    def _traded(self, event: e.TradeExecuted, now_us: int) -> None:
        self._filled(event.taker, now_us)
        self._filled(event.maker, now_us)

    def _taken_over(self, event: e.PositionTakenOver, now_us: int) -> None:
        self._filled(event.order, now_us)

    def _deleveraged(self, event: e.AutoDeleveraged, now_us: int) -> None:
        self._filled(event.order, now_us)
        self._filled(event.counter, now_us)

    def _filled(self, order_id: OrderId, now_us: int) -> None:
        order = self._listened(order_id)
        if order is None:
            return
        account, category = order.account, category_of(order.instrument)
        fill = self._running.views.fills_of[order_id][-1]
        if self._wants(account, TopicKind.FAST_EXECUTION) and fill.kind is FillKind.TRADE:
            fast = fast_execution(category, fill, order)
            self._say(account, TopicKind.FAST_EXECUTION, category, fast, now_us)
        if self._wants(account, TopicKind.EXECUTION):
            execution = streamed_trade(category, fill, order)
            self._say(account, TopicKind.EXECUTION, category, execution, now_us)
        if category.is_derivative:
            self._resized[_position_of(order)] = set()
        self._report(order, now_us)
        instrument = listing_of(order.instrument).instrument
        moved = (instrument.settle,) if category.is_derivative else (instrument.base, instrument.quote)
        self._touch_coins(account, (*moved, fill.fee_asset) if fill.fee else moved)

    def _funding_paid(self, event: e.FundingPaid, now_us: int) -> None:
        symbol = event.instrument
        engine, category = self._running, category_of(symbol)
        for account in dict.fromkeys(owner for owner, _ in engine.state.holders.get(symbol, ())):
            if not self._is_heard(account):
                continue
            for fill in self._payments(account, symbol, now_us):
                if self._wants(account, TopicKind.EXECUTION):
                    record = streamed_execution(category, fill, render_funding(category, fill), None)
                    self._say(account, TopicKind.EXECUTION, category, record, now_us)
                self._touch_contract(account, symbol)
                self._touch_coins(account, (fill.fee_asset,))

    def _payments(self, account: AccountId, symbol: str, now_us: int) -> list[Fill]:
        """Those of this moment, which are the newest of the account's executions; in their order."""
        found: list[Fill] = []
        for fill in reversed(self._running.views.fills.get((account, symbol), ())):
            if fill.kind is not FillKind.FUNDING or fill.time_us != now_us:
                break
            found.append(fill)
        return found[::-1]

    # Funds, margins and settings

    def _moved(
        self,
        event: (
            e.AmountDeposited
            | e.AmountWithdrawn
            | e.AmountLocked
            | e.FundsBorrowed
            | e.LoanRepaid
            | e.InterestCharged
            | e.InsurancePaid
            | e.CollateralUseSet
        ),
        now_us: int,
    ) -> None:
        if event.wallet == UNIFIED and self._is_heard(event.account):
            self._touch_coins(event.account, (event.asset,))

    def _transferred(self, event: e.AmountTransferred, now_us: int) -> None:
        if UNIFIED in (event.source, event.target) and self._is_heard(event.account):
            self._touch_coins(event.account, (event.asset,))

    def _corrected(self, event: e.BalanceCorrected, now_us: int) -> None:
        if event.account is not None and event.wallet == UNIFIED and self._is_heard(event.account):
            self._touch_coins(event.account, (event.asset,))

    def _exchanged(self, event: e.AssetExchanged, now_us: int) -> None:
        if event.wallet == UNIFIED and self._is_heard(event.account):
            self._touch_coins(event.account, (event.sold, event.bought))

    def _of_contract(
        self,
        event: (e.LiquidationCharged | e.LeverageSet | e.MarginModeSet | e.MarginMoved | e.ReplenishmentSet),
        now_us: int,
    ) -> None:
        if self._is_heard(event.account):
            self._touch_contract(event.account, event.instrument)
            self._touch_coins(event.account, (listing_of(event.instrument).settle,))

    def _position_mode_set(self, event: e.PositionModeSet, now_us: int) -> None:
        """One position has become two, or the other way round: told where there was ever one, or a choice."""
        account = event.account
        if event.wallet != UNIFIED or not self._is_heard(account):
            return
        state = self._running.state
        known = {symbol for owner, symbol in state.choices if owner == account}
        known |= {symbol for owner, symbol, _ in state.lifetimes if owner == account}
        for symbol in sorted(known):
            if event.instrument in ("", symbol):
                self._touch_contract(account, symbol)

    def _margin_set(self, event: e.AccountMarginSet, now_us: int) -> None:
        """All positions are covered in another way now, and so is all that counts for the account."""
        account = event.account
        if event.wallet != UNIFIED or not self._is_heard(account):
            return
        for symbol, _ in self._running.state.accounts[account].positions:
            self._touch_contract(account, symbol)
        with exact():
            self._touch_coins(account, stand(self._running, account, now_us).coins_of(UNIFIED))

    # At the end of a command

    def _conclude(self, now_us: int) -> None:
        for position, told in self._resized.items():
            if self._wants(position[0], TopicKind.ORDER):
                self._resize(position, told, now_us)
        self._report_standing(now_us)

    def _resize(self, position: _Position, told: set[OrderId], now_us: int) -> None:
        """What closes all of a position has another quantity now (Set Trading Stop, `tpslMode`)."""
        category = category_of(position[1])
        for order in self._running.state.accounts[position[0]].open_orders.values():
            if order.quantity is None and _position_of(order) == position and order.id not in told:
                record = streamed_order(self._running, category, order)
                self._say(order.account, TopicKind.ORDER, category, record, now_us)

    def _report_standing(self, now_us: int) -> None:
        """What positions are now, and what is in the wallet."""
        for account in dict.fromkeys((*self._contracts, *self._coins)):
            contracts = self._contracts.get(account, {}) if self._wants(account, TopicKind.POSITION) else {}
            coins = self._coins.get(account, {}) if self._wants(account, TopicKind.WALLET) else {}
            if not contracts and not coins:
                continue
            with exact():
                standing = stand(self._running, account, now_us)
                for category in CATEGORIES.values():
                    positions = [
                        render_streamed(standing, listing_of(symbol), one)
                        for symbol in contracts
                        if category.holds(symbol)
                        for one in positions_of(standing, listing_of(symbol))
                    ]
                    if positions:
                        report = Report(account, TopicKind.POSITION, category.name, positions, now_us)
                        self._tell(account, report)
                if coins:
                    wallet = render_wallet(standing, coins)
                    self._tell(account, Report(account, TopicKind.WALLET, "", (wallet,), now_us))


def _position_of(order: Order) -> _Position:
    """What an order of a contract is about."""
    return order.account, order.instrument, order.terms.leg


HUBS: Final = PerSandbox(UnifiedHub)
"""The hub of each sandbox."""
