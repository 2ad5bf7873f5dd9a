"""The folded state of one engine. `apply` is the only way it changes; everything else reads.

Invariants, which the tests check after every event: the ledger sums to zero for every asset; what a
wallet holds is the sum of what its open orders and order lists hold and of isolated margins; an order
is in exactly one of the books, trigger queues or neither, as its status says.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from emulator.core import events as e
from emulator.core.book import PriceQueues
from emulator.core.collateral import CollateralAsset
from emulator.core.ids import MARKET_ORDER, NO_LIST, AccountId, ListId, OrderId
from emulator.core.instruments import BUY, SELL, Instrument
from emulator.core.ledger import FAUCET, FEES, MARKET, OUTSIDE, Ledger
from emulator.core.markets import Feed
from emulator.core.numbers import ZERO
from emulator.core.order_lists import ListStatus, OrderList
from emulator.core.orders import ENDED, EndReason, Order, OrderStatus, OrderTerms
from emulator.core.positions import AccountMargin
from emulator.core.prints import Print
from emulator.core.state.contracts import market_of
from emulator.core.state.digest import fingerprint
from emulator.core.state.holds import dormant_requirement, requirement
from emulator.core.state.markets import MarketState
from emulator.core.state.records import Account, Counts
from emulator.core.tape import Market

_NEW, _DORMANT = OrderStatus.NEW, OrderStatus.DORMANT
_PARTIALLY_FILLED, _FILLED = OrderStatus.PARTIALLY_FILLED, OrderStatus.FILLED
_HOLDS_NOTHING = ENDED | {OrderStatus.WAITING}


class State(MarketState):
    """What all events so far have made of an engine."""

    def __init__(
        self,
        instruments: Mapping[str, Instrument],
        feed: Feed,
        wallets: tuple[str, ...],
        discount_asset: str | None = None,
        collateral: Mapping[str, tuple[CollateralAsset, ...]] | None = None,
        pair_wallets: tuple[str, ...] | None = None,
        account_margin: Mapping[str, AccountMargin] | None = None,
        *,
        keeps_lifetimes: bool = False,
    ) -> None:
        markets = {symbol: market_of(instrument, feed) for symbol, instrument in instruments.items()}
        super().__init__(Ledger(), {}, markets, collateral or {}, account_margin or {})
        assert self.margin_wallets <= set(wallets), "a contract is traded in a wallet that there is not"
        self.keeps_lifetimes = keeps_lifetimes
        self.wallets = wallets
        if pair_wallets is None:
            pair_wallets = tuple(wallet for wallet in wallets if wallet not in self.margin_wallets)
        assert set(pair_wallets) <= set(wallets), "a pair is traded in a wallet that there is not"
        self.pair_wallets = pair_wallets
        """Where pairs are traded."""
        self.ledger.owing = self.margin_wallets
        for wallet, mode in self.account_margin_default.items():
            assert wallet in self.margin_wallets, f"no contract is traded in {wallet}"
            assert wallet in self.collateral or mode is AccountMargin.ISOLATED, f"nothing counts in {wallet}"
        self.discount_asset = discount_asset
        self.locked: dict[tuple[AccountId, str, str], Decimal] = {}
        """What systems outside hold, by account, wallet and asset; it is held in the ledger as well."""
        self.orders: dict[OrderId, Order] = {}
        self.lists: dict[ListId, OrderList] = {}
        self.client_ids: dict[tuple[AccountId, str, str], OrderId] = {}
        self.list_client_ids: dict[tuple[AccountId, str, str], ListId] = {}
        self.counts: dict[tuple[AccountId, str], Counts] = {}
        self.next_order = 1
        self.next_list = 1
        self.next_movement = 1
        self.next_execution = 1
        """Counts what is reported of orders: one for each order that an event is about, the taker first."""
        self.touched = set()
        self.folds: dict[type[e.Event], Callable[[Any, int], None]] = {
            e.AccountOpened: self._account_opened,
            e.FeePaymentSet: self._fee_payment_set,
            e.PreferenceSet: self._preference_set,
            e.AmountDeposited: self._amount_deposited,
            e.AmountWithdrawn: self._amount_withdrawn,
            e.AmountTransferred: self._amount_transferred,
            e.AmountLocked: self._amount_locked,
            e.BalanceCorrected: self._balance_corrected,
            e.OrderPlaced: self._order_placed,
            e.OrderRested: self._order_rested,
            e.TradeExecuted: self._trade_executed,
            e.PositionTakenOver: self._position_taken_over,
            e.AutoDeleveraged: self._auto_deleveraged,
            e.MatchPrevented: self._match_prevented,
            e.TrailingStarted: self._trailing_started,
            e.OrderTriggered: self._order_triggered,
            e.OrderActivated: self._order_activated,
            e.OrderSucceeded: self._order_succeeded,
            e.OrderAmended: self._order_amended,
            e.OrderCanceled: self._order_canceled,
            e.OrderExpired: self._order_expired,
            e.CountdownSet: self._countdown_set,
            e.OrderListPlaced: self._order_list_placed,
            e.OrderListEnded: self._order_list_ended,
            **self.folds_of_markets(),
            **self.folds_of_contracts(),
        }

    def apply(self, event: e.Event, now_us: int) -> None:
        """Fold one event that happened at `now_us`."""
        self.folds[type(event)](event, now_us)

    # Questions

    def siblings(self, order: Order) -> tuple[Order, ...]:
        """The live legs that end when this one trades or fires."""
        if order.list_id == NO_LIST:
            return ()
        order_list = self.lists.get(order.list_id)
        if order_list is None or order.id not in order_list.pair:
            return ()
        return tuple(
            self.orders[other] for other in order_list.pair if other != order.id and other in self.orders
        )

    def required(self, order: Order) -> Decimal:
        """What must be held for the rest of an order, in its hold asset."""
        status, price = order.status, order.price
        if status is not _NEW and status in _HOLDS_NOTHING:
            return ZERO
        if price is None and status is not _DORMANT:
            return ZERO  # At market: it trades at once or not at all.
        instrument = self.markets[order.instrument].instrument
        if instrument.contract is not None:
            return ZERO  # What it needs is margin, of which the ledger knows nothing.
        if price is None or order.terms.detached:
            left = None if order.quantity is None else order.remaining
            return dormant_requirement(instrument, order.terms, order.extreme, left)
        return requirement(instrument, order.terms.side, price, order.remaining)

    def owed(self, owner: Order | OrderList) -> Decimal:
        """What an open order or list should hold: a list for its pair, which then holds nothing itself,
        or what it received."""
        if isinstance(owner, Order):
            order_list = None if owner.list_id == NO_LIST else self.lists.get(owner.list_id)
            is_paired = order_list is not None and owner.id in order_list.pair
            return ZERO if is_paired else self.required(owner)
        if owner.received:
            return owner.received
        legs = (self.orders[leg] for leg in owner.pair if leg in self.orders)
        return max(map(self.required, legs), default=ZERO)

    def set_aside(self, order: Order) -> Decimal:
        """What is held already and serves an order when it becomes active, or another one."""
        return order.held if order.list_id == NO_LIST else order.held + self.lists[order.list_id].held

    def fingerprint(self) -> str:
        """A digest of everything folded, equal for equal histories."""
        return fingerprint(self)

    # Accounts

    def _account_opened(self, event: e.AccountOpened, now_us: int) -> None:
        self.accounts[event.account] = Account(event.account, event.name, event.trade_group)
        for wallet in self.wallets:
            self.ledger.open(event.account, wallet)
        self.begin_margin(event.account)

    def _fee_payment_set(self, event: e.FeePaymentSet, now_us: int) -> None:
        account = self.accounts[event.account]
        chosen = frozenset(self.wallets if event.wallet is None else (event.wallet,))
        account.discounted = account.discounted | chosen if event.discounted else account.discounted - chosen

    def _preference_set(self, event: e.PreferenceSet, now_us: int) -> None:
        preferences = self.accounts[event.account].preferences
        preferences.pop(event.name, None)
        if event.value:
            preferences[event.name] = event.value

    def _amount_deposited(self, event: e.AmountDeposited, now_us: int) -> None:
        self.next_movement = event.movement + 1
        self.ledger.receive(event.account, event.wallet, event.asset, event.amount, FAUCET)
        self._disturb(event.account, event.wallet)

    def _amount_withdrawn(self, event: e.AmountWithdrawn, now_us: int) -> None:
        self.next_movement = event.movement + 1
        self.ledger.pay(event.account, event.wallet, event.asset, event.amount - event.fee, OUTSIDE)
        if event.fee:
            self.ledger.pay(event.account, event.wallet, event.asset, event.fee, FEES)
        self._disturb(event.account, event.wallet)

    def _amount_transferred(self, event: e.AmountTransferred, now_us: int) -> None:
        self.next_movement = event.movement + 1
        source, target = (event.account, event.source), (event.account, event.target)
        self.ledger.move(event.asset, event.amount, source, target)
        self._disturb(event.account, event.source, event.target)

    def _amount_locked(self, event: e.AmountLocked, now_us: int) -> None:
        key = (event.account, event.wallet, event.asset)
        self.ledger.hold(*key, event.amount)
        locked = self.locked.pop(key, ZERO) + event.amount
        if locked:
            self.locked[key] = locked
        self._disturb(event.account, event.wallet)

    def _balance_corrected(self, event: e.BalanceCorrected, now_us: int) -> None:
        self.ledger.correct(
            event.account,
            event.wallet,
            event.asset,
            free=event.free,
            held=event.held,
            rounding=event.rounding,
        )
        if event.account is None:
            return
        self._disturb(event.account, event.wallet)
        # What each of them says that it holds is what it gives back when it ends.
        account = self.accounts[event.account]
        owners: list[Order | OrderList] = [*account.open_orders.values(), *account.open_lists.values()]
        for owner in owners:
            if (owner.wallet, owner.hold_asset) == (event.wallet, event.asset):
                owner.held = self.owed(owner)

    def _disturb(self, account: AccountId, *wallets: str) -> None:
        """What covers positions may have changed."""
        if not self.margin_wallets.isdisjoint(wallets):
            self.disturbed[account] = None

    # Orders

    def _order_placed(self, event: e.OrderPlaced, now_us: int) -> None:
        id, terms, status = event.order, event.terms, event.status
        owner, symbol = event.account, event.instrument
        market = self.markets[symbol]
        instrument = market.instrument
        account = self.accounts[owner]
        if instrument.contract is not None:
            asset = instrument.contract.settle
        else:
            asset = instrument.base if terms.side is SELL else instrument.quote
        # Fifteen keywords are as many as a call passes on directly: with more the interpreter makes a
        # dictionary of them first, which takes longer than all the rest of it.
        order = Order(
            id=id,
            account=owner,
            wallet=event.wallet,
            instrument=symbol,
            terms=terms,
            client_id=terms.client_id,
            self_trade_mode=event.self_trade_mode,
            trade_group=account.trade_group,
            quantity=event.quantity,
            price=event.price,
            status=status,
            list_id=event.order_list,
            hold_asset=asset,
            created_us=now_us,
            updated_us=now_us,
        )
        order.origin = event.origin
        order.bound = event.bound
        if status is _NEW:
            order.working_us = now_us
        self.next_order = id + 1
        self.next_execution += 1
        self.orders[id] = account.open_orders[id] = order
        if terms.client_id:
            self.client_ids[owner, symbol, terms.client_id] = id
        counts = self.counts.get((owner, symbol)) or self._counts(owner, symbol)
        counts.orders += 1
        if terms.detached:
            counts.detached += 1
        elif terms.trigger is not None:
            counts.triggers += 1
        if terms.iceberg_quantity is not None:
            counts.icebergs += 1
        if terms.good_till_us is not None:
            insort(market.deadlines, (terms.good_till_us, id))
            self.touched.add(symbol)
        if status is _DORMANT:
            self.sleep(order, market, event.extreme, now_us)
        if instrument.contract is not None:
            return
        if status is _NEW and event.price is not None and event.quantity and event.order_list == NO_LIST:
            # What `_rehold` comes to for nearly all orders.
            held = order.held = requirement(instrument, terms.side, event.price, event.quantity)
            self.ledger.hold(owner, event.wallet, asset, held)
            if event.wallet in self.margin_wallets:
                self.disturbed[owner] = None
        else:
            self._rehold(order)

    def _order_rested(self, event: e.OrderRested, now_us: int) -> None:
        order = self.orders[event.order]
        terms, price = order.terms, order.price
        assert price is not None
        market = self.markets[order.instrument]
        visible = order.remaining
        if terms.iceberg_quantity is not None:
            visible = min(visible, terms.iceberg_quantity)
        order.resting = True
        order.queued_us = now_us
        order.visible = visible
        queues = market.bids if terms.side is BUY else market.asks
        best = queues.best
        queues.add(price, order)
        if market.marks is not None:
            self.rebook(order)
        market.changes += 1
        if queues.best is not best:
            self.touched.add(order.instrument)

    def _trade_executed(self, event: e.TradeExecuted, now_us: int) -> None:
        market = self.markets[event.instrument]
        instrument = market.instrument
        if event.feed_price is not None:
            side = event.taker_side.opposite if event.maker == MARKET_ORDER else event.taker_side
            self.consume(market, side, event.feed_price, event.feed_since_us, event.quantity)
        if event.taker != MARKET_ORDER:
            self._fill(
                instrument, self.orders[event.taker], event, event.taker_fee, event.taker_fee_asset, now_us
            )
        if event.maker != MARKET_ORDER:
            self._fill(
                instrument, self.orders[event.maker], event, event.maker_fee, event.maker_fee_asset, now_us
            )
        self.lay(
            market,
            Print(
                event.trade,
                now_us,
                event.price,
                event.quantity,
                event.amount,
                event.taker_side is SELL,
            ),
        )
        market.changes += 1

    def _position_taken_over(self, event: e.PositionTakenOver, now_us: int) -> None:
        order, market = self.orders[event.order], self.markets[event.instrument]
        self._fill(market.instrument, order, event, event.fee, order.hold_asset, now_us)
        if event.by_fund:
            self.part_with(event, order.side)
        self._number(market, event.trade, now_us)

    def _auto_deleveraged(self, event: e.AutoDeleveraged, now_us: int) -> None:
        market = self.markets[event.instrument]
        for one, fee in ((event.order, event.fee), (event.counter, event.counter_fee)):
            order = self.orders[one]
            self._fill(market.instrument, order, event, fee, order.hold_asset, now_us)
        self._number(market, event.trade, now_us)

    def _number(self, market: Market, trade: int, now_us: int) -> None:
        """A trade that the public is not told of takes its number, and moves nothing."""
        self.lay(market, Print(trade, now_us, market.last_price(now_us), ZERO, ZERO, buyer_is_maker=False))

    def _fill(
        self,
        instrument: Instrument,
        order: Order,
        event: e.Filling,
        fee: Decimal,
        fee_asset: str,
        now_us: int,
    ) -> None:
        ledger, account, wallet = self.ledger, order.account, order.wallet
        quantity, amount = event.quantity, event.amount
        self.next_execution += 1
        order.executed += quantity
        order.executed_amount += amount
        order.updated_us = now_us
        done = not order.remaining
        order.status = _FILLED if done else _PARTIALLY_FILLED
        if order.resting:
            self._shrink(order, quantity, now_us)
        if instrument.contract is not None:
            self.settle_fill(instrument, instrument.contract, order, event, fee, fee_asset, now_us)
            self.rebook(order)
            if done:
                self._close(order, now_us)
            return
        # What the fill pays was held; release it first, then pay from what is free.
        self._rehold(order)
        if wallet in self.margin_wallets:
            self.disturbed[account] = None
        if order.terms.side is BUY:
            ledger.pay(account, wallet, instrument.quote, amount, MARKET)
            ledger.receive(account, wallet, instrument.base, quantity, MARKET)
        else:
            ledger.pay(account, wallet, instrument.base, quantity, MARKET)
            ledger.receive(account, wallet, instrument.quote, amount, MARKET)
        if order.list_id != NO_LIST:
            self._list_fill(order, quantity, fee if fee_asset == instrument.base else ZERO)
        if fee:
            ledger.pay(account, wallet, fee_asset, fee, FEES)
        if done:
            self._close(order, now_us)

    def _list_fill(self, order: Order, quantity: Decimal, base_fee: Decimal) -> None:
        """Lock what the working order of a funded list received."""
        order_list = self.lists[order.list_id]
        if not order_list.funded or order.id != order_list.orders[0]:
            return
        base = order_list.hold_asset
        free = self.ledger.free(order.account, order.wallet, base)
        # The fee is taken from other free funds when there are enough, else from the proceeds;
        # always from the proceeds when these are in the discount asset (opo.md of the docs).
        is_spared = base != self.discount_asset and free - quantity >= base_fee
        locked = quantity if is_spared else quantity - base_fee
        self.ledger.hold(order.account, order.wallet, base, locked)
        order_list.held += locked
        order_list.received += locked

    def _match_prevented(self, event: e.MatchPrevented, now_us: int) -> None:
        market = self.markets[event.instrument]
        market.prevented = event.match + 1
        sides: list[Order] = []
        for order_id, quantity in (
            (event.taker, event.taker_prevented),
            (event.maker, event.maker_prevented),
        ):
            if not quantity:
                continue  # Nor need it be open any more: a budget may be spent when it meets a maker.
            order = self.orders[order_id]
            self.next_execution += 1
            sides.append(order)
            order.prevented_match = event.match
            order.updated_us = now_us
            order.prevented += quantity
            if order.resting:
                self._shrink(order, quantity, now_us)
                if market.marks is not None:
                    self.rebook(order)
            self._rehold(order)
            if not order.remaining:
                order.status = OrderStatus.EXPIRED_IN_MATCH
                order.end_reason = EndReason.SELF_TRADE
                self._close(order, now_us)
        if event.transferred:
            assert market.instrument.contract is None, "contracts do not change hands without a trade"
            # What was prevented is no longer held; it changes hands without a trade and without fees.
            taker, maker = sides
            buyer, seller = (taker, maker) if taker.side is BUY else (maker, taker)
            bought, sold = (buyer.account, buyer.wallet), (seller.account, seller.wallet)
            self._disturb(buyer.account, buyer.wallet)
            self._disturb(seller.account, seller.wallet)
            instrument = market.instrument
            self.ledger.move(instrument.base, event.transferred, sold, bought)
            if event.transferred_amount:
                self.ledger.move(instrument.quote, event.transferred_amount, bought, sold)
        market.changes += 1

    def _trailing_started(self, event: e.TrailingStarted, now_us: int) -> None:
        order = self.orders[event.order]
        market = self.markets[order.instrument]
        self.unqueue_trigger(order, market)
        self.track(order, market, event.extreme, now_us)

    def _order_triggered(self, event: e.OrderTriggered, now_us: int) -> None:
        order = self.orders[event.order]
        market = self.markets[order.instrument]
        self.unqueue_trigger(order, market)
        self.next_execution += 1
        order.status = _NEW
        order.price = event.price
        order.bound = event.bound
        if event.quantity is not None:
            order.quantity = event.quantity
        order.working_us = order.updated_us = now_us
        self._rehold(order)

    def _order_succeeded(self, event: e.OrderSucceeded, now_us: int) -> None:
        order = self.orders[event.order]
        self.next_execution += 1
        order.status = OrderStatus.TRIGGERED
        order.successor = event.successor
        order.updated_us = now_us
        self._close(order, now_us)

    def _order_activated(self, event: e.OrderActivated, now_us: int) -> None:
        order = self.orders[event.order]
        market = self.markets[order.instrument]
        order_list = self.lists[order.list_id]
        if order_list.funded and order_list.received:
            # The proceeds of the working order become ordinary holds of the legs they pay for.
            self.ledger.hold(order.account, order.wallet, order_list.hold_asset, -order_list.held)
            order_list.held = order_list.received = ZERO
        self.next_execution += 1
        order.quantity = event.quantity
        order.price = event.price
        order.status = event.status
        order.updated_us = now_us
        if event.status is _DORMANT:
            self.sleep(order, market, event.extreme, now_us)
        else:
            order.working_us = now_us
        self._rehold(order)

    def _order_amended(self, event: e.OrderAmended, now_us: int) -> None:
        order = self.orders[event.order]
        resized = event.quantity != order.quantity
        self.next_execution = event.execution + 1
        order.quantity = event.quantity
        order.amend_count += 1
        order.updated_us = now_us
        if event.client_id != order.client_id:
            self.client_ids.pop((order.account, order.instrument, order.client_id), None)
            order.client_id = event.client_id
            self.client_ids[order.account, order.instrument, order.client_id] = order.id
        if event.terms is not None:
            self._give_terms(order, event.terms, now_us)
        if event.price is not None and not order.resting:
            order.price = event.price
        if event.reenters:
            market = self.markets[order.instrument]
            queues = market.bids if order.side is BUY else market.asks
            assert order.price is not None
            queues.remove(order.price, order)
            order.resting = False
            order.visible = ZERO
            market.changes += 1
            if market.marks is not None:
                self.rebook(order)
            if event.price is not None:
                order.price = event.price
        elif order.resting and resized:
            market = self.markets[order.instrument]
            queues = market.bids if order.side is BUY else market.asks
            assert order.price is not None
            # The hidden part of an iceberg is given up before the part that shows.
            queues.show(order.price, order, min(order.visible, order.remaining))
            if not market.instrument.amend_keeps_priority:
                order.queued_us = now_us
                queues.requeue(order.price, order)
            if market.marks is not None:
                self.rebook(order)
            market.changes += 1
        self._rehold(order)

    def _give_terms(self, order: Order, terms: OrderTerms, now_us: int) -> None:
        """What it waits for may be another price from now on; the best price that it followed stays."""
        market = self.markets[order.instrument]
        moves = order.asleep and terms.trigger != order.terms.trigger
        if moves and not order.trailing:
            self.unqueue_trigger(order, market)
        order.terms = terms
        if moves and not order.trailing:
            self.sleep(order, market, None, now_us)
        elif moves:
            self.touched.add(order.instrument)

    def _order_canceled(self, event: e.OrderCanceled, now_us: int) -> None:
        order = self.orders[event.order]
        self.next_execution += 1
        order.status = OrderStatus.CANCELED
        order.end_reason = event.reason
        order.updated_us = now_us
        self._close(order, now_us)

    def _order_expired(self, event: e.OrderExpired, now_us: int) -> None:
        order = self.orders[event.order]
        order.status = (
            OrderStatus.EXPIRED_IN_MATCH if event.reason is EndReason.SELF_TRADE else OrderStatus.EXPIRED
        )
        order.end_reason = event.reason
        order.updated_us = now_us
        self.next_execution += 1
        self._close(order, now_us)

    def _countdown_set(self, event: e.CountdownSet, now_us: int) -> None:
        countdowns = self.markets[event.instrument].countdowns
        countdowns.pop(event.account, None)
        if event.at_us is not None:
            countdowns[event.account] = event.at_us
            self.touched.add(event.instrument)

    # Order lists

    def _order_list_placed(self, event: e.OrderListPlaced, now_us: int) -> None:
        instrument = self.markets[event.instrument].instrument
        account = self.accounts[event.account]
        order_list = OrderList(
            id=event.order_list,
            account=event.account,
            wallet=event.wallet,
            instrument=event.instrument,
            kind=event.kind,
            funded=event.funded,
            client_id=event.client_id,
            orders=event.orders,
            hold_asset=instrument.base,
            created_us=now_us,
            updated_us=now_us,
        )
        self.next_list = event.order_list + 1
        self.lists[order_list.id] = order_list
        account.open_lists[order_list.id] = order_list
        if event.client_id:
            self.list_client_ids[event.account, event.instrument, event.client_id] = order_list.id
        self._counts(event.account, event.instrument).lists += 1

    def _order_list_ended(self, event: e.OrderListEnded, now_us: int) -> None:
        order_list = self.lists.pop(event.order_list)
        for leg in order_list.orders:
            if leg in self.orders:
                self.orders[leg].list_id = NO_LIST
        order_list.status = ListStatus.DONE
        order_list.updated_us = now_us
        if order_list.held:
            self.ledger.hold(order_list.account, order_list.wallet, order_list.hold_asset, -order_list.held)
            order_list.held = ZERO
            self._disturb(order_list.account, order_list.wallet)
        del self.accounts[order_list.account].open_lists[order_list.id]
        if order_list.client_id:
            self.list_client_ids.pop((order_list.account, order_list.instrument, order_list.client_id), None)
        self._counts(order_list.account, order_list.instrument).lists -= 1

    # Parts

    def _counts(self, account: AccountId, instrument: str) -> Counts:
        counts = self.counts.get((account, instrument))
        if counts is None:
            counts = self.counts[account, instrument] = Counts()
        return counts

    def _shrink(self, order: Order, quantity: Decimal, now_us: int) -> None:
        """Take `quantity` from a resting order's visible part, and show the next part of an iceberg."""
        assert order.price is not None
        market = self.markets[order.instrument]
        queues = market.bids if order.terms.side is BUY else market.asks
        visible = order.visible - quantity
        if not order.remaining:
            queues.remove(order.price, order)
            order.resting = False
            order.visible = ZERO
        elif visible > 0:
            queues.show(order.price, order, visible)
        else:
            part = order.terms.iceberg_quantity
            assert part is not None
            queues.show(order.price, order, min(order.remaining, part))
            order.queued_us = now_us
            queues.requeue(order.price, order)

    def _rehold(self, order: Order) -> None:
        """Make the hold of an order, or of its pair, what the rest of it requires."""
        target = self.required(order)
        if order.list_id == NO_LIST:
            if target != order.held:
                self.ledger.hold(order.account, order.wallet, order.hold_asset, target - order.held)
                order.held = target
                if order.wallet in self.margin_wallets:
                    self.disturbed[order.account] = None
            return
        holder: Order | OrderList = order
        order_list = self.lists[order.list_id]
        pair = order_list.pair
        if order.id in pair:
            holder = order_list
            if order_list.received:
                return
            order_list.hold_asset = order.hold_asset
            target = max(
                (self.required(self.orders[leg]) for leg in pair if leg in self.orders), default=ZERO
            )
        change = target - holder.held
        if change:
            self.ledger.hold(order.account, order.wallet, order.hold_asset, change)
            holder.held = target
            self._disturb(order.account, order.wallet)

    def _close(self, order: Order, now_us: int) -> None:
        """Take an ended order out of everything that is open."""
        market = self.markets[order.instrument]
        if order.resting:
            assert order.price is not None
            queues: PriceQueues = market.bids if order.terms.side is BUY else market.asks
            queues.remove(order.price, order)
            order.resting = False
            if market.marks is not None:
                self.rebook(order)
            market.changes += 1
        elif order.asleep:
            self.unqueue_trigger(order, market)
        if order.terms.good_till_us is not None:
            market.deadlines.remove((order.terms.good_till_us, order.id))
        order.visible = ZERO
        del self.orders[order.id]
        self._rehold(order)
        account = self.accounts[order.account]
        del account.open_orders[order.id]
        key = (order.account, order.instrument, order.client_id)
        if self.client_ids.get(key) == order.id:
            del self.client_ids[key]
        counts = self._counts(order.account, order.instrument)
        counts.orders -= 1
        if order.terms.detached:
            counts.detached -= 1
        elif order.terms.trigger is not None:
            counts.triggers -= 1
        if order.terms.iceberg_quantity is not None:
            counts.icebergs -= 1
