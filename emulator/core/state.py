"""The folded state of one engine. `apply` is the only way it changes; everything else reads.

Invariants, which the tests check after every event: the ledger sums to zero for every asset; what a
wallet holds is the sum of what its open orders and order lists hold; an order is in exactly one of
the books, trigger queues or neither, as its status says.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_left
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

import msgspec

from emulator.core import events as e
from emulator.core.book import PriceQueues
from emulator.core.commands import PriceMode
from emulator.core.ids import MARKET_ORDER, NO_LIST, AccountId, ListId, OrderId
from emulator.core.instruments import Instrument, Side
from emulator.core.ledger import FAUCET, FEES, MARKET, OUTSIDE, Ledger
from emulator.core.markets import Feed
from emulator.core.numbers import ZERO, round_up
from emulator.core.order_lists import ListKind, ListStatus, OrderList
from emulator.core.orders import EndReason, Order, OrderStatus, OrderTerms
from emulator.core.tape import ManualBook, Market, Print, Segment


class Account:
    """An owner. open_orders: ids of all that has not ended, in the order of placement."""

    __slots__ = ("discounted", "id", "name", "open_lists", "open_orders", "trade_group")

    def __init__(self, id: AccountId, name: str, trade_group: int) -> None:
        self.id = id
        self.name = name
        self.trade_group = trade_group
        self.discounted = False
        self.open_orders: dict[OrderId, Order] = {}
        self.open_lists: dict[ListId, OrderList] = {}


class Prevented(NamedTuple):
    """A match that did not become a trade because both orders had one owner."""

    event: e.MatchPrevented
    time_us: int


class Counts(msgspec.Struct):
    """Open orders of one account on one instrument, by the limits that apply to them."""

    orders: int = 0
    triggers: int = 0
    icebergs: int = 0
    lists: int = 0


class State:
    """What all events so far have made of an engine."""

    def __init__(self, instruments: Mapping[str, Instrument], feed: Feed, wallets: tuple[str, ...]) -> None:
        self.wallets = wallets
        self.ledger = Ledger()
        self.accounts: dict[AccountId, Account] = {}
        self.markets = {symbol: Market(instrument, feed) for symbol, instrument in instruments.items()}
        self.orders: dict[OrderId, Order] = {}
        self.lists: dict[ListId, OrderList] = {}
        self.client_ids: dict[tuple[AccountId, str, str], OrderId] = {}
        self.list_client_ids: dict[tuple[AccountId, str, str], ListId] = {}
        self.counts: dict[tuple[AccountId, str], Counts] = {}
        self.next_order = 1
        self.next_list = 1
        self.next_movement = 1
        self.next_execution = 1
        self.touched: set[str] = set()
        """Instruments where the market may make something due earlier than before; the engine clears it."""
        self._apply: dict[type, Callable[[Any, int], None]] = {
            e.AccountOpened: self._account_opened,
            e.FeePaymentSet: self._fee_payment_set,
            e.AmountDeposited: self._amount_deposited,
            e.AmountWithdrawn: self._amount_withdrawn,
            e.AmountTransferred: self._amount_transferred,
            e.OrderPlaced: self._order_placed,
            e.OrderRested: self._order_rested,
            e.TradeExecuted: self._trade_executed,
            e.MatchPrevented: self._match_prevented,
            e.TrailingStarted: self._trailing_started,
            e.OrderTriggered: self._order_triggered,
            e.OrderActivated: self._order_activated,
            e.OrderAmended: self._order_amended,
            e.OrderCanceled: self._order_canceled,
            e.OrderExpired: self._order_expired,
            e.OrderListPlaced: self._order_list_placed,
            e.OrderListEnded: self._order_list_ended,
            e.PriceSet: self._price_set,
            e.BookSet: self._book_set,
            e.TradePrinted: self._trade_printed,
            e.MarketReleased: self._market_released,
        }

    def apply(self, event: e.Event, now_us: int) -> None:
        """Fold one event that happened at `now_us`."""
        self._apply[type(event)](event, now_us)

    # Questions

    def is_pending(self, order: Order) -> bool:
        """Whether the order is a leg that waits for its list's working order."""
        return order.status is OrderStatus.WAITING

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
        if order.status is OrderStatus.WAITING or order.is_ended:
            return ZERO
        price = order.price
        if price is None:
            if order.status is not OrderStatus.DORMANT:
                return ZERO  # At market: it trades at once or not at all.
            trigger = order.terms.trigger
            assert trigger is not None
            price = dormant_price(order.terms, order.extreme)
        instrument = self.markets[order.instrument].instrument
        return requirement(instrument, order.terms.side, price, order.remaining)

    def counts_of(self, account: AccountId, instrument: str) -> Counts:
        counts = self.counts.get((account, instrument))
        if counts is None:
            counts = self.counts[account, instrument] = Counts()
        return counts

    def fingerprint(self) -> str:
        """A digest of everything folded, equal for equal histories."""
        ledger = self.ledger
        folded = [
            [[a.id, a.name, a.trade_group, a.discounted] for a in self.accounts.values()],
            sorted(
                (account, wallet, asset, balance.free, balance.held)
                for (account, wallet), assets in ledger.wallets.items()
                for asset, balance in assets.items()
            ),
            sorted((name, asset, n) for name, book in ledger.counterparties.items() for asset, n in book.items()),
            [
                [getattr(order, slot) for slot in Order.__slots__]
                for order in sorted(self.orders.values(), key=lambda order: order.id)
            ],
            [
                [getattr(order_list, slot) for slot in OrderList.__slots__]
                for order_list in sorted(self.lists.values(), key=lambda order_list: order_list.id)
            ],
            [
                [
                    symbol,
                    [[price, list(market_queue)] for price, market_queue in sorted(queues.queues.items())],
                ]
                for symbol, market in sorted(self.markets.items())
                for queues in (market.bids, market.asks, market.rises, market.falls)
                if queues.queues
            ],
            [
                [symbol, market.segments, market.manual, len(market.prints), market.prints[-1:], market.changes]
                + [sorted((side, price, *used) for (side, price), used in market.consumed.items())]
                + [sorted(market.trailing), market.prevented]
                for symbol, market in sorted(self.markets.items())
                if market.prints or market.segments or market.manual or market.changes
            ],
            [self.next_order, self.next_list, self.next_movement, self.next_execution],
        ]
        encoded = msgspec.msgpack.encode(folded, enc_hook=str)
        return hashlib.blake2b(encoded, digest_size=16).hexdigest()

    # Accounts

    def _account_opened(self, event: e.AccountOpened, now_us: int) -> None:
        self.accounts[event.account] = Account(event.account, event.name, event.trade_group)
        for wallet in self.wallets:
            self.ledger.open(event.account, wallet)

    def _fee_payment_set(self, event: e.FeePaymentSet, now_us: int) -> None:
        self.accounts[event.account].discounted = event.discounted

    def _amount_deposited(self, event: e.AmountDeposited, now_us: int) -> None:
        self.next_movement = event.movement + 1
        self.ledger.receive(event.account, event.wallet, event.asset, event.amount, FAUCET)

    def _amount_withdrawn(self, event: e.AmountWithdrawn, now_us: int) -> None:
        self.next_movement = event.movement + 1
        self.ledger.pay(event.account, event.wallet, event.asset, event.amount - event.fee, OUTSIDE)
        if event.fee:
            self.ledger.pay(event.account, event.wallet, event.asset, event.fee, FEES)

    def _amount_transferred(self, event: e.AmountTransferred, now_us: int) -> None:
        self.next_movement = event.movement + 1
        source, target = (event.account, event.source), (event.account, event.target)
        self.ledger.move(event.asset, event.amount, source, target)

    # Orders

    def _order_placed(self, event: e.OrderPlaced, now_us: int) -> None:
        terms = event.terms
        market = self.markets[event.instrument]
        instrument = market.instrument
        account = self.accounts[event.account]
        order = Order(
            id=event.order,
            account=event.account,
            wallet=event.wallet,
            instrument=event.instrument,
            terms=terms,
            self_trade_mode=event.self_trade_mode,
            trade_group=account.trade_group,
            quantity=event.quantity,
            price=event.price,
            status=event.status,
            list_id=event.order_list,
            hold_asset=instrument.base if terms.side is Side.SELL else instrument.quote,
            created_us=now_us,
        )
        self.next_order = event.order + 1
        self.orders[order.id] = order
        account.open_orders[order.id] = order
        if order.client_id:
            self.client_ids[order.account, order.instrument, order.client_id] = order.id
        counts = self.counts_of(order.account, order.instrument)
        counts.orders += 1
        if terms.trigger is not None:
            counts.triggers += 1
        if terms.iceberg_quantity is not None:
            counts.icebergs += 1
        if event.status is OrderStatus.NEW:
            order.working_us = now_us
        elif event.status is OrderStatus.DORMANT:
            self._sleep(order, market, event.extreme, now_us)
        self._rehold(order)

    def _order_rested(self, event: e.OrderRested, now_us: int) -> None:
        order = self.orders[event.order]
        assert order.price is not None
        market = self.markets[order.instrument]
        order.resting = True
        order.queued_us = now_us
        order.visible = order.remaining
        if order.terms.iceberg_quantity is not None:
            order.visible = min(order.visible, order.terms.iceberg_quantity)
        queues = market.bids if order.terms.side is Side.BUY else market.asks
        best = queues.best
        queues.add(order.price, order)
        market.changes += 1
        if queues.best != best:
            self.touched.add(order.instrument)

    def _trade_executed(self, event: e.TradeExecuted, now_us: int) -> None:
        market = self.markets[event.instrument]
        instrument = market.instrument
        if event.feed_price is not None:
            side = event.taker_side.opposite if event.maker == MARKET_ORDER else event.taker_side
            self._consume(market, side, event.feed_price, event.feed_since_us, event.quantity)
        if event.taker != MARKET_ORDER:
            self._fill(instrument, self.orders[event.taker], event, event.taker_fee, event.taker_fee_asset, now_us)
        if event.maker != MARKET_ORDER:
            self._fill(instrument, self.orders[event.maker], event, event.maker_fee, event.maker_fee_asset, now_us)
        self._lay(
            market,
            Print(
                event.trade,
                now_us,
                event.price,
                event.quantity,
                event.amount,
                event.taker_side is Side.SELL,
            ),
        )
        market.changes += 1
        if market.trailing:
            self.touched.add(event.instrument)

    def _fill(
        self,
        instrument: Instrument,
        order: Order,
        event: e.TradeExecuted,
        fee: Decimal,
        fee_asset: str,
        now_us: int,
    ) -> None:
        ledger, account, wallet = self.ledger, order.account, order.wallet
        quantity, amount = event.quantity, event.amount
        order.executed += quantity
        order.executed_amount += amount
        order.updated_us = now_us
        done = not order.remaining
        order.status = OrderStatus.FILLED if done else OrderStatus.PARTIALLY_FILLED
        if order.resting:
            self._shrink(order, quantity, now_us)
        # What the fill pays was held; release it first, then pay from what is free.
        self._rehold(order)
        if order.terms.side is Side.BUY:
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
        """Note that the working order of a list traded, and lock what a funded list received."""
        order_list = self.lists[order.list_id]
        if order_list.kind is ListKind.OCO or order.id != order_list.orders[0]:
            return
        if order_list.funded:
            base = order_list.hold_asset
            free = self.ledger.free(order.account, order.wallet, base)
            # The fee is taken from other free funds when there are enough, else from the proceeds.
            locked = quantity if free - quantity >= base_fee else quantity - base_fee
            self.ledger.hold(order.account, order.wallet, base, locked)
            order_list.held += locked
            order_list.received += locked
        if order.status is OrderStatus.FILLED:
            order_list.working_filled = True

    def _match_prevented(self, event: e.MatchPrevented, now_us: int) -> None:
        market = self.markets[event.instrument]
        market.prevented = event.match + 1
        if event.transferred:
            self._transfer_prevented(market.instrument, event)
        for order_id, quantity in ((event.taker, event.taker_prevented), (event.maker, event.maker_prevented)):
            order = self.orders[order_id]
            order.prevented_match = event.match
            order.updated_us = now_us
            if not quantity:
                continue
            order.prevented += quantity
            if order.resting:
                self._shrink(order, quantity, now_us)
            self._rehold(order)
            if not order.remaining:
                order.status = OrderStatus.EXPIRED_IN_MATCH
                order.end_reason = EndReason.SELF_TRADE
                self._close(order, now_us)
        market.changes += 1

    def _transfer_prevented(self, instrument: Instrument, event: e.MatchPrevented) -> None:
        """Move the prevented quantity and its amount between two accounts of one trade group."""
        taker, maker = self.orders[event.taker], self.orders[event.maker]
        buyer, seller = (taker, maker) if taker.side is Side.BUY else (maker, taker)
        for order, asset, amount in (
            (seller, instrument.base, event.transferred),
            (buyer, instrument.quote, event.transferred_amount),
        ):
            held = min(amount, order.held)
            if held:
                self.ledger.hold(order.account, order.wallet, asset, -held)
                order.held -= held
        source, target = (seller.account, seller.wallet), (buyer.account, buyer.wallet)
        self.ledger.move(instrument.base, event.transferred, source, target)
        self.ledger.move(instrument.quote, event.transferred_amount, target, source)

    def _trailing_started(self, event: e.TrailingStarted, now_us: int) -> None:
        order = self.orders[event.order]
        market = self.markets[order.instrument]
        self._unqueue_trigger(order, market)
        self._track(order, market, event.extreme, now_us)

    def _order_triggered(self, event: e.OrderTriggered, now_us: int) -> None:
        order = self.orders[event.order]
        market = self.markets[order.instrument]
        self._unqueue_trigger(order, market)
        order.status = OrderStatus.NEW
        order.price = event.price
        order.working_us = order.updated_us = now_us
        self._rehold(order)

    def _order_activated(self, event: e.OrderActivated, now_us: int) -> None:
        order = self.orders[event.order]
        market = self.markets[order.instrument]
        order_list = self.lists[order.list_id]
        if order_list.funded and order_list.received:
            # The proceeds of the working order become ordinary holds of the legs they pay for.
            self.ledger.hold(order.account, order.wallet, order_list.hold_asset, -order_list.held)
            order_list.held = order_list.received = ZERO
        order.quantity = event.quantity
        order.price = event.price
        order.status = event.status
        order.updated_us = now_us
        if event.status is OrderStatus.DORMANT:
            self._sleep(order, market, event.extreme, now_us)
        else:
            order.working_us = now_us
        self._rehold(order)

    def _order_amended(self, event: e.OrderAmended, now_us: int) -> None:
        order = self.orders[event.order]
        assert order.quantity is not None
        self.next_execution = event.execution + 1
        reduced = order.quantity - event.quantity
        order.quantity = event.quantity
        order.amend_count += 1
        order.updated_us = now_us
        if event.client_id != order.client_id:
            self.client_ids.pop((order.account, order.instrument, order.client_id), None)
            order.client_id = event.client_id
            self.client_ids[order.account, order.instrument, order.client_id] = order.id
        if order.resting:
            market = self.markets[order.instrument]
            # The hidden part of an iceberg is given up before the part that shows.
            order.visible = min(order.visible, order.remaining)
            market.changes += 1
        assert reduced > 0
        self._rehold(order)

    def _order_canceled(self, event: e.OrderCanceled, now_us: int) -> None:
        order = self.orders[event.order]
        order.status = OrderStatus.CANCELED
        order.updated_us = now_us
        self._close(order, now_us)

    def _order_expired(self, event: e.OrderExpired, now_us: int) -> None:
        order = self.orders[event.order]
        order.status = (
            OrderStatus.EXPIRED_IN_MATCH if event.reason is EndReason.SELF_TRADE else OrderStatus.EXPIRED
        )
        order.end_reason = event.reason
        order.updated_us = now_us
        self._close(order, now_us)

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
        )
        self.next_list = event.order_list + 1
        self.lists[order_list.id] = order_list
        account.open_lists[order_list.id] = order_list
        if event.client_id:
            self.list_client_ids[event.account, event.instrument, event.client_id] = order_list.id
        self.counts_of(event.account, event.instrument).lists += 1

    def _order_list_ended(self, event: e.OrderListEnded, now_us: int) -> None:
        order_list = self.lists.pop(event.order_list)
        order_list.status = ListStatus.DONE
        order_list.updated_us = now_us
        if order_list.held:
            self.ledger.hold(order_list.account, order_list.wallet, order_list.hold_asset, -order_list.held)
            order_list.held = ZERO
        del self.accounts[order_list.account].open_lists[order_list.id]
        if order_list.client_id:
            self.list_client_ids.pop(
                (order_list.account, order_list.instrument, order_list.client_id), None
            )
        self.counts_of(order_list.account, order_list.instrument).lists -= 1

    # Markets

    def _price_set(self, event: e.PriceSet, now_us: int) -> None:
        market = self.markets[event.instrument]
        price = event.price if event.mode is PriceMode.HOLD else None
        _cut(market, Segment(now_us, price, event.shift, event.ask_at_price))
        market.manual = None
        self._market_changed(market)

    def _book_set(self, event: e.BookSet, now_us: int) -> None:
        market = self.markets[event.instrument]
        market.manual = ManualBook(event.bids, event.asks, now_us)
        self._market_changed(market)

    def _trade_printed(self, event: e.TradePrinted, now_us: int) -> None:
        market = self.markets[event.instrument]
        amount = event.price * event.quantity
        self._lay(market, Print(event.trade, now_us, event.price, event.quantity, amount, event.buyer_is_maker))
        if market.trailing:
            self.touched.add(event.instrument)

    def _market_released(self, event: e.MarketReleased, now_us: int) -> None:
        market = self.markets[event.instrument]
        if market.segments:
            _cut(market, Segment(now_us, None, ZERO, ask_at_price=False))
        market.manual = None
        self._market_changed(market)

    def _market_changed(self, market: Market) -> None:
        market.consumed.clear()
        market.changes += 1
        self.touched.add(market.instrument.symbol)

    # Parts

    def _lay(self, market: Market, entry: Print) -> None:
        market.prints.append(entry)
        market.print_ids.append(entry.id)
        market.print_times.append(entry.time_us)

    def _consume(
        self, market: Market, side: Side, price: Decimal, since_us: int, quantity: Decimal
    ) -> None:
        used = market.consumed.get((side, price))
        before = used[1] if used is not None and used[0] == since_us else ZERO
        market.consumed[side, price] = (since_us, before + quantity)

    def _shrink(self, order: Order, quantity: Decimal, now_us: int) -> None:
        """Take `quantity` from a resting order's visible part, and show the next part of an iceberg."""
        assert order.price is not None
        order.visible -= quantity
        market = self.markets[order.instrument]
        queues = market.bids if order.terms.side is Side.BUY else market.asks
        if not order.remaining:
            queues.remove(order.price, order)
            order.resting = False
            order.visible = ZERO
        elif order.visible <= 0:
            order.visible = order.remaining
            if order.terms.iceberg_quantity is not None:
                order.visible = min(order.visible, order.terms.iceberg_quantity)
            order.queued_us = now_us
            queues.requeue(order.price, order)

    def _sleep(self, order: Order, market: Market, extreme: Decimal | None, now_us: int) -> None:
        trigger = order.terms.trigger
        assert trigger is not None
        if extreme is not None:
            self._track(order, market, extreme, now_us)
            return
        assert trigger.price is not None
        queues = market.rises if trigger.fires_on_rise(order.side) else market.falls
        best = queues.best
        queues.add(trigger.price, order)
        if queues.best != best:
            self.touched.add(order.instrument)

    def _track(self, order: Order, market: Market, extreme: Decimal, now_us: int) -> None:
        order.trailing = True
        order.extreme = extreme
        order.extreme_us = now_us
        market.trailing[order.id] = order
        self.touched.add(order.instrument)

    def _unqueue_trigger(self, order: Order, market: Market) -> None:
        if order.id in market.trailing:
            del market.trailing[order.id]
            return
        trigger = order.terms.trigger
        assert trigger is not None
        assert trigger.price is not None
        queues = market.rises if trigger.fires_on_rise(order.side) else market.falls
        queues.remove(trigger.price, order)

    def _rehold(self, order: Order) -> None:
        """Make the hold of an order, or of its pair, what the rest of it requires."""
        holder: Order | OrderList = order
        if order.list_id == NO_LIST:
            target = self.required(order)
        else:
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
            else:
                target = self.required(order)
        change = target - holder.held
        if change:
            self.ledger.hold(order.account, order.wallet, order.hold_asset, change)
            holder.held = target

    def _close(self, order: Order, now_us: int) -> None:
        """Take an ended order out of everything that is open."""
        market = self.markets[order.instrument]
        if order.resting:
            assert order.price is not None
            queues: PriceQueues = market.bids if order.terms.side is Side.BUY else market.asks
            queues.remove(order.price, order)
            order.resting = False
            market.changes += 1
        elif order.terms.trigger is not None and not order.working_us and self._is_asleep(order, market):
            self._unqueue_trigger(order, market)
        order.visible = ZERO
        del self.orders[order.id]
        self._rehold(order)
        account = self.accounts[order.account]
        del account.open_orders[order.id]
        key = (order.account, order.instrument, order.client_id)
        if self.client_ids.get(key) == order.id:
            del self.client_ids[key]
        counts = self.counts_of(order.account, order.instrument)
        counts.orders -= 1
        if order.terms.trigger is not None:
            counts.triggers -= 1
        if order.terms.iceberg_quantity is not None:
            counts.icebergs -= 1

    def _is_asleep(self, order: Order, market: Market) -> bool:
        if order.id in market.trailing:
            return True
        trigger = order.terms.trigger
        assert trigger is not None
        if trigger.price is None:
            return False
        queues = market.rises if trigger.fires_on_rise(order.side) else market.falls
        return order.id in queues.queues.get(trigger.price, ())


def dormant_price(terms: OrderTerms, extreme: Decimal | None) -> Decimal:
    """The price at which funds are held for an order that waits for its trigger."""
    if terms.price is not None:
        return terms.price
    assert terms.trigger is not None
    price = extreme if terms.trigger.price is None else terms.trigger.price
    assert price is not None
    return price


def requirement(instrument: Instrument, side: Side, price: Decimal, quantity: Decimal) -> Decimal:
    """Funds that an order of this price and quantity holds: base for a sell, quote for a buy."""
    if side is Side.SELL:
        return quantity
    amount = price * quantity
    if instrument.hold_includes_fee:
        amount += amount * max(instrument.maker_fee, instrument.taker_fee)
    return round_up(amount, instrument.quote_step)


def _cut(market: Market, segment: Segment) -> None:
    """Begin a segment; one that begins at the same moment as the last replaces it."""
    starts = [one.start_us for one in market.segments]
    del market.segments[bisect_left(starts, segment.start_us) :]
    market.segments.append(segment)
