"""The state of a fresh engine, made from the parts of a snapshot, or an error and nothing changed."""

from __future__ import annotations

import zlib
from bisect import insort
from collections.abc import Iterable
from decimal import Decimal
from itertools import chain

import msgspec

from emulator.core.collateral import Loan
from emulator.core.history import ClosedRecord
from emulator.core.ids import NO_LIST, AccountId, ListId, OrderId
from emulator.core.instruments import BUY, Side
from emulator.core.ledger import Balance
from emulator.core.lifetimes import Lifetime
from emulator.core.numbers import exact
from emulator.core.order_lists import OrderList
from emulator.core.orders import Order
from emulator.core.positions import AccountMargin, Position
from emulator.core.prints import Print, Prints
from emulator.core.snapshot.parts import (
    FORMAT,
    AccountMargins,
    AccountRow,
    Accounts,
    AnyPart,
    Balances,
    Choices,
    Closed,
    Consumed,
    End,
    EndedLegs,
    Head,
    Hedged,
    HedgedContracts,
    Lifetimes,
    Lists,
    Loans,
    Locked,
    ManualLevels,
    MarketHead,
    Moves,
    Opening,
    Orders,
    Place,
    Positions,
    PrintsBlock,
    PrintsTail,
    Queued,
    Replenished,
    Segments,
    Shared,
    SpotMargins,
    Unused,
    order_of,
    place_of,
    queues_of,
    record_of,
    trailing_of,
)
from emulator.core.state import (
    Account,
    Choice,
    Counts,
    PositionKey,
    State,
    index_position,
    market_of,
    rebook,
)
from emulator.core.tape import ManualBook, Market
from emulator.core.views import Views

_decode = msgspec.msgpack.Decoder(AnyPart).decode
_decode_opening = msgspec.msgpack.Decoder(Opening).decode


class MalformedSnapshot(ValueError):
    """These parts are not what a capture of this format made, or not all of it."""


def restore(state: State, views: Views, parts: Iterable[bytes]) -> int:
    """Make a fresh state and its views what was captured; returns until when the engine had advanced.

    Raises MalformedSnapshot, and then nothing was changed. The markets of the state are new objects.
    """
    assert not state.accounts, "a snapshot is what an engine begins with"
    restoring = _Restoring(state)
    try:
        with exact():
            for count, part in enumerate(parts):
                if not count and _decode_opening(part).format != FORMAT:
                    raise MalformedSnapshot("a snapshot of another format")
                restoring.take(_decode(part), count)
            head = restoring.end()
    except MalformedSnapshot:
        raise
    except (msgspec.MsgspecError, zlib.error, ArithmeticError, LookupError, TypeError, ValueError) as error:
        raise MalformedSnapshot(f"not a snapshot: {error!r}") from error
    restoring.hand_over(head, state, views)
    return head.advanced_us


class _Restoring:
    """Everything that the parts said so far, checked for what it refers to, and in no engine yet."""

    def __init__(self, state: State) -> None:
        self.blank = state
        self.head: Head | None = None
        self.is_complete = False
        self.accounts: dict[AccountId, Account] = {}
        self.updated_us: dict[AccountId, int] = {}
        self.wallets: dict[tuple[AccountId, str], dict[str, Balance]] = {}
        self.locked: dict[tuple[AccountId, str, str], Decimal] = {}
        self.positions: dict[PositionKey, Position] = {}
        self.lifetimes: dict[PositionKey, Lifetime] = {}
        self.closed: list[ClosedRecord] = []
        self.hedged: dict[tuple[AccountId, str], None] = {}
        self.shared: dict[tuple[AccountId, str], None] = {}
        self.choices: dict[tuple[AccountId, str], Choice] = {}
        self.margins: dict[tuple[AccountId, str], AccountMargin] = {}
        self.hedged_contracts: dict[tuple[AccountId, str], None] = {}
        self.unused: dict[tuple[AccountId, str, str], None] = {}
        self.replenished: dict[PositionKey, None] = {}
        self.spot_margins: dict[tuple[AccountId, str], Decimal] = {}
        self.loans: dict[tuple[AccountId, str, str], Loan] = {}
        self.orders: dict[OrderId, Order] = {}
        self.lists: dict[ListId, OrderList] = {}
        self.counts: dict[tuple[AccountId, str], Counts] = {}
        self.legs: dict[OrderId, Order] = {}
        self.markets: dict[str, Market] = {}
        self.manual: dict[tuple[str, Side], list[tuple[Decimal, Decimal]]] = {}
        self.manual_since_us: dict[str, int] = {}
        self.blocks: dict[str, list[bytes]] = {}
        self.tails: dict[str, list[Print]] = {}
        self.queued: set[OrderId] = set()

    def take(self, part: AnyPart, count: int) -> None:
        """Note one part, of which `count` came before."""
        _require(not self.is_complete, "something follows the end")
        match part:
            case Head():
                _require(not count, "two heads")
                names = self.blank.ledger.counterparties.keys()
                _require(part.counterparties.keys() == names, "other counterparties")
                self.head = part
            case Accounts():
                for row in part.accounts:
                    self._take_account(row)
            case Balances():
                for account, wallet, asset, free, held in part.balances:
                    assets = self.wallets[account, wallet]
                    _require(asset not in assets, "a balance twice")
                    balance = assets[asset] = Balance()
                    balance.free, balance.held = free, held
            case Locked():
                for account, wallet, asset, amount in part.locked:
                    _require(asset in self.wallets[account, wallet], "locked, and no balance")
                    self.locked[account, wallet, asset] = amount
            case Positions():
                for account, symbol, position in part.positions:
                    self._take_position(account, symbol, position)
            case Lifetimes():
                for account, symbol, place, lifetime in part.lifetimes:
                    _require(account in self.accounts, "positions of nobody")
                    _require(symbol in self.blank.markets, "positions in nothing that is traded")
                    self.lifetimes[account, symbol, place] = lifetime
            case Hedged():
                for account, wallet in part.hedged:
                    _require((account, wallet) in self.wallets, "legs in no wallet")
                    self.hedged[account, wallet] = None
            case Shared():
                for account, wallet in part.shared:
                    _require((account, wallet) in self.wallets, "assets together in no wallet")
                    self.shared[account, wallet] = None
            case Choices():
                for account, symbol, choice in part.choices:
                    _require(account in self.accounts, "a choice of nobody")
                    _require(symbol in self.blank.markets, "a choice about nothing that is traded")
                    self.choices[account, symbol] = choice
            case AccountMargins():
                for account, wallet, mode in part.margins:
                    _require((account, wallet) in self.wallets, "a margin mode in no wallet")
                    self.margins[account, wallet] = mode
            case HedgedContracts():
                for account, symbol in part.hedged:
                    _require(account in self.accounts, "legs of nobody")
                    _require(symbol in self.blank.markets, "legs in nothing that is traded")
                    self.hedged_contracts[account, symbol] = None
            case Unused():
                for account, wallet, asset in part.assets:
                    _require((account, wallet) in self.wallets, "what does not count in no wallet")
                    self.unused[account, wallet, asset] = None
            case Replenished():
                for added in part.positions:
                    _require(added[0] in self.accounts, "margin added for nobody")
                    _require(added[1] in self.blank.markets, "margin added to nothing that is traded")
                    self.replenished[added] = None
            case SpotMargins():
                for account, wallet, leverage in part.leverages:
                    _require((account, wallet) in self.wallets, "borrowing orders in no wallet")
                    self.spot_margins[account, wallet] = leverage
            case Loans():
                for account, wallet, asset, loan in part.loans:
                    _require(asset in self.wallets[account, wallet], "borrowed, and no balance")
                    self.loans[account, wallet, asset] = loan
            case Orders():
                for values in part.orders:
                    self._take_order(order_of(values))
            case Lists():
                for values in part.lists:
                    self._take_list(record_of(OrderList, values))
            case EndedLegs():
                for values in part.orders:
                    leg = order_of(values)
                    _require(leg.is_ended and leg.id in self.lists[leg.list_id].orders, "a leg of no list")
                    self.legs[leg.id] = leg
            case Closed():
                for record in part.closed:
                    _require(record.order in self.orders, "what no open order closed")
                    self.closed.append(record)
            case MarketHead():
                self._take_market(part)
            case ManualLevels():
                self.manual[part.symbol, part.side] += part.levels
            case Segments():
                market = self.markets[part.symbol]
                market.segments += part.segments
                market.segment_times += [segment.start_us for segment in part.segments]
            case Moves():
                marks = self.markets[part.symbol].marks
                if marks is None:
                    raise MalformedSnapshot("marks of what is no contract")
                marks.restore(part.moves)
            case Consumed():
                consumed = self.markets[part.symbol].consumed
                for side, price, since_us, quantity in part.levels:
                    consumed[side, price] = (since_us, quantity)
            case Queued():
                self._queue(self.markets[part.symbol], part.place, part.orders)
            case PrintsBlock():
                blocks = self.blocks[part.symbol]
                _require(part.number == len(blocks), "a block of prints is missing")
                blocks.append(part.block)
            case PrintsTail():
                self.tails[part.symbol] += part.prints
            case End():
                _require(part.parts == count, "a part is missing")
                self.is_complete = True

    def _take_account(self, row: AccountRow) -> None:
        _require(row.id not in self.accounts, "an account twice")
        account = self.accounts[row.id] = Account(row.id, row.name, row.trade_group)
        _require(set(row.discounted) <= set(self.blank.wallets), "a fee in no wallet")
        account.discounted = frozenset(row.discounted)
        account.preferences.update(row.preferences)
        if row.updated_us is not None:
            self.updated_us[row.id] = row.updated_us
        for wallet in self.blank.wallets:
            self.wallets[row.id, wallet] = {}

    def _take_position(self, account: AccountId, symbol: str, position: Position) -> None:
        _require(self.blank.markets[symbol].instrument.contract is not None, "a position in no contract")
        key = (account, symbol, position.leg)
        _require(key not in self.positions and bool(position.quantity), "a position twice, or a flat one")
        self.positions[key] = self.accounts[account].positions[symbol, position.leg] = position

    def _take_order(self, order: Order) -> None:
        _require(order.id not in self.orders and not order.is_ended, "an order that is not open")
        _require(order.instrument in self.blank.markets, "an order on nothing that is traded")
        _require((order.account, order.wallet) in self.wallets, "an order without a wallet")
        self.orders[order.id] = self.accounts[order.account].open_orders[order.id] = order
        counts = self._counts(order.account, order.instrument)
        counts.orders += 1
        counts.detached += order.terms.detached
        counts.triggers += order.terms.trigger is not None and not order.terms.detached
        counts.icebergs += order.terms.iceberg_quantity is not None

    def _take_list(self, order_list: OrderList) -> None:
        _require(order_list.id not in self.lists, "a list twice")
        _require(order_list.instrument in self.blank.markets, "a list on nothing that is traded")
        _require((order_list.account, order_list.wallet) in self.wallets, "a list without a wallet")
        self.lists[order_list.id] = self.accounts[order_list.account].open_lists[order_list.id] = order_list
        self._counts(order_list.account, order_list.instrument).lists += 1

    def _counts(self, account: AccountId, instrument: str) -> Counts:
        counts = self.counts.get((account, instrument))
        if counts is None:
            counts = self.counts[account, instrument] = Counts()
        return counts

    def _take_market(self, part: MarketHead) -> None:
        symbol = part.symbol
        _require(symbol not in self.markets, "a market twice")
        blank = self.blank.markets[symbol]
        market = self.markets[symbol] = market_of(blank.instrument, blank.feed)
        market.prevented = part.prevented
        market.changes = part.changes
        for account, at_us in part.countdowns:
            _require(account in self.accounts, "a countdown of nobody")
            market.countdowns[account] = at_us
        self.blocks[symbol] = []
        self.tails[symbol] = []
        if part.manual_since_us is not None:
            self.manual_since_us[symbol] = part.manual_since_us
            self.manual[symbol, Side.BUY] = []
            self.manual[symbol, Side.SELL] = []

    def _queue(self, market: Market, place: Place, ids: list[OrderId]) -> None:
        symbol = market.instrument.symbol
        queues, tracking = dict(queues_of(market)).get(place), dict(trailing_of(market)).get(place)
        for order_id in ids:
            order = self.orders[order_id]
            _require(order.instrument == symbol, "an order in another market")
            _require(_place_of(order) is place and order_id not in self.queued, "an order out of place")
            self.queued.add(order_id)
            if tracking is not None:
                tracking[order_id] = order
                continue
            if queues is None:
                raise MalformedSnapshot("a place that this market does not have")
            trigger = order.terms.trigger if order.asleep else None
            price = order.price if trigger is None else trigger.price
            if price is None:
                raise MalformedSnapshot("an order in a queue without a price")
            queues.add(price, order)

    def end(self) -> Head:
        """Complete what came in several parts, and see that nothing is missing."""
        head = self.head
        if head is None or not self.is_complete:
            raise MalformedSnapshot("the end is missing")
        for order in self.orders.values():
            _require(_place_of(order) is None or order.id in self.queued, "an order stands nowhere")
            _require(order.list_id == NO_LIST or order.list_id in self.lists, "a leg without its list")
        for order_list in self.lists.values():
            _require(all(leg in self.orders or leg in self.legs for leg in order_list.orders), "a lost leg")
        for symbol, since_us in self.manual_since_us.items():
            bids, asks = self.manual[symbol, Side.BUY], self.manual[symbol, Side.SELL]
            self.markets[symbol].manual = ManualBook(tuple(bids), tuple(asks), since_us)
        for symbol, market in self.markets.items():
            market.prints = Prints.restored(self.blocks[symbol], self.tails[symbol])
        return head

    def hand_over(self, head: Head, state: State, views: Views) -> None:
        """Into the engine; nothing here can fail."""
        ledger = state.ledger
        ledger.entries = head.entries
        ledger.counterparties.update(head.counterparties)
        ledger.wallets.update(self.wallets)
        state.next_order = head.next_order
        state.next_list = head.next_list
        state.next_movement = head.next_movement
        state.next_execution = head.next_execution
        state.accounts.update(self.accounts)
        state.locked.update(self.locked)
        state.positions.update(self.positions)
        for place in self.positions:
            index_position(state, *place)
            state.disturbed[place[0]] = None
        state.lifetimes.update(self.lifetimes)
        state.hedged.update(self.hedged)
        state.shared.update(self.shared)
        for account, _ in self.shared:
            state.disturbed[account] = None
        state.choices.update(self.choices)
        state.account_margins.update(self.margins)
        state.hedged_contracts.update(self.hedged_contracts)
        state.unused.update(self.unused)
        state.replenished.update(self.replenished)
        state.spot_margins.update(self.spot_margins)
        state.loans.update(self.loans)
        state.orders.update(self.orders)
        state.lists.update(self.lists)
        state.counts.update(self.counts)
        state.markets.update(self.markets)
        for order in self.orders.values():
            if order.resting and state.markets[order.instrument].marks is not None:
                rebook(state, order)
            if order.terms.good_till_us is not None:
                insort(state.markets[order.instrument].deadlines, (order.terms.good_till_us, order.id))
            if order.client_id:
                state.client_ids[order.account, order.instrument, order.client_id] = order.id
        for listed in self.lists.values():
            if listed.client_id:
                state.list_client_ids[listed.account, listed.instrument, listed.client_id] = listed.id
        # So that the engine looks ahead anew at every market where somebody waits for something.
        state.touched.update(order.instrument for order in self.orders.values())
        state.touched.update(symbol for symbol, market in self.markets.items() if market.countdowns)
        views.transaction_count = head.transactions
        self._index(views)

    def _index(self, views: Views) -> None:
        orders, legs = self.orders.values(), self.legs.values()
        for order in sorted(chain(orders, legs), key=lambda one: one.id):
            views.orders[order.id] = order
            views.order_ids.setdefault((order.account, order.instrument), []).append(order.id)
            if order.client_id and not order.is_ended:
                views.client_ids[order.account, order.instrument, order.client_id] = order.id
        for record in self.closed:
            views.closed[record.order] = record
            views.closed_ids.setdefault((record.account, record.instrument), []).append(record.order)
        for order_list in self.lists.values():
            views.lists[order_list.id] = order_list
            views.list_ids.setdefault(order_list.account, []).append(order_list.id)
        views.updated_us.update(self.updated_us)
        views.begins_late = True


def _require(is_so: bool, otherwise: str) -> None:
    if not is_so:
        raise MalformedSnapshot(otherwise)


def _place_of(order: Order) -> Place | None:
    """Where an order stands by its own account; None while it waits for another leg."""
    if order.resting:
        return Place.BIDS if order.side is BUY else Place.ASKS
    if not order.asleep:
        return None
    trigger = order.terms.trigger
    if trigger is None:
        raise MalformedSnapshot("an order that waits for nothing")
    return place_of(trigger, order.side, is_trailing=order.trailing)
