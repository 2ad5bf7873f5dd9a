"""Read-only indices over what happened, for queries. Derived from events, never decided on.

An ended order leaves `State` and stays here, with its fills, amendments and prevented matches. Where an
archive keeps history, whoever fills it takes each record once (`take`), and when it is there the oldest
ones may go from here (`forget`). Nothing else is ever dropped, and open orders never are.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any, NamedTuple, TypeVar, cast, overload

from emulator.core import events as e
from emulator.core.accounting import Accounting
from emulator.core.history import (
    KIND_OF_MOVEMENT,
    Amendment,
    AnyRecord,
    BalanceRecord,
    ClosedRecord,
    ContractSettings,
    Fill,
    Income,
    IncomeKind,
    LedgerEntry,
    ListRecord,
    MarginChange,
    Movement,
    PositionRecord,
    PreventedMatch,
    Query,
    R,
    Settings,
    Transaction,
    WalletSettings,
    key_of,
)
from emulator.core.ids import MARKET_ORDER, NO_LIST, AccountId, ListId, OrderId
from emulator.core.instruments import BUY
from emulator.core.ledger import FEES, MARKET
from emulator.core.numbers import ZERO
from emulator.core.order_lists import OrderList
from emulator.core.orders import Cause, Order
from emulator.core.positions import Leg, Position
from emulator.core.state import PositionKey, State

_INCOME_OF: dict[type[e.Event], IncomeKind] = {
    e.TradeExecuted: IncomeKind.REALISED,
    e.AmountDeposited: IncomeKind.DEPOSIT,
    e.AmountWithdrawn: IncomeKind.WITHDRAWAL,
    e.AmountTransferred: IncomeKind.TRANSFER,
    e.BalanceCorrected: IncomeKind.CORRECTION,
    e.FundingPaid: IncomeKind.FUNDING,
    e.PositionTakenOver: IncomeKind.REALISED,
    e.AutoDeleveraged: IncomeKind.REALISED,
    e.LiquidationCharged: IncomeKind.LIQUIDATION_FEE,
    e.InsurancePaid: IncomeKind.INSURANCE,
    e.AssetExchanged: IncomeKind.EXCHANGE,
    e.MatchPrevented: IncomeKind.TRADE,
    e.FundsBorrowed: IncomeKind.LOAN,
    e.LoanRepaid: IncomeKind.LOAN,
    e.InterestCharged: IncomeKind.INTEREST,
}
"""Of what an event adds to a wallet of contracts, but for the fees of a trade."""
_CHARGING = frozenset({e.TradeExecuted, e.PositionTakenOver, e.AutoDeleveraged})

K = TypeVar("K")


class Taken(NamedTuple):
    """Records since the last taking, in order. through: for `Views.forget`."""

    records: list[AnyRecord]
    through: int


class Views:
    """All indices of one engine.

    is_taken: whether somebody takes the records; nothing is dropped and nothing gathers where nobody does.
    accounting: makes what only some exchanges tell of; None where the rules do not ask for it.
    """

    def __init__(self, state: State, accounting: Accounting | None = None) -> None:
        self._state = state
        self._accounting = accounting
        self.orders: dict[OrderId, Order] = {}
        self.order_ids: dict[tuple[AccountId, str], list[OrderId]] = {}
        self.client_ids: dict[tuple[AccountId, str, str], OrderId] = {}
        """The newest order that has a client id; who looks for one that is open finds it in the state."""
        self._older_of_name: dict[tuple[AccountId, str, str], list[OrderId]] = {}
        """Older ones that have it as well, ascending."""
        self.fills: dict[tuple[AccountId, str], list[Fill]] = {}
        self.fills_of: dict[OrderId, list[Fill]] = {}
        self.amendments: dict[OrderId, list[Amendment]] = {}
        self.prevented: dict[tuple[AccountId, str], list[PreventedMatch]] = {}
        self.lists: dict[ListId, OrderList] = {}
        self.list_ids: dict[AccountId, list[ListId]] = {}
        self.movements: dict[AccountId, list[Movement]] = {}
        self.postings: dict[AccountId, list[LedgerEntry]] = {}
        self.incomes: dict[tuple[AccountId, str], list[Income]] = {}
        """By account and wallet."""
        self.margin_changes: dict[tuple[AccountId, str], list[MarginChange]] = {}
        self.transactions: dict[tuple[AccountId, str], list[Transaction]] = {}
        """By account and wallet."""
        self.transaction_count = 0
        """How many there were; the number of the newest."""
        self.closed: dict[OrderId, ClosedRecord] = {}
        self.closed_ids: dict[tuple[AccountId, str], list[OrderId]] = {}
        """The orders that closed something, by account and instrument, as they began to."""
        self.updated_us: dict[AccountId, int] = {}
        self.is_taken = False
        self.begins_late = False
        """Whether what happened before is in the archive only, because the state came from a snapshot."""
        self._dropped: set[tuple[type[Any], AccountId, str]] = set()
        self._aging: deque[AnyRecord] = deque()
        """Everything here that will not change any more, in the order in which that came."""
        self._forgotten = 0
        self._fresh: list[AnyRecord] = []
        self._fresh_balances: dict[tuple[AccountId, str, str], int] = {}
        """When they changed last."""
        self._fresh_positions: dict[PositionKey, int] = {}
        self._fresh_settings: dict[tuple[type[Settings], AccountId, str], int] = {}
        self.event = e.Event()
        """What is being folded, at `now_us`: both are set before the state applies it, and afterwards what
        `notes` has for its kind is called."""
        self.now_us = 0
        self._margin_wallets = state.margin_wallets
        state.ledger.listener = self._posted
        state.position_listener = self._position_changed
        self.notes: dict[type[e.Event], Callable[[Any], None]] = {
            e.OrderPlaced: self._placed,
            e.OrderSucceeded: self._closed,
            e.OrderCanceled: self._closed,
            e.OrderExpired: self._closed,
            e.TradeExecuted: self._traded,
            e.PositionTakenOver: self._taken_over,
            e.AutoDeleveraged: self._deleveraged,
            e.MatchPrevented: self._prevented,
            e.OrderListPlaced: self._list_placed,
            e.OrderListEnded: self._list_ended,
            e.AmountDeposited: self._moved,
            e.AmountWithdrawn: self._moved,
            e.AmountTransferred: self._moved,
            e.LeverageSet: self._contract_set,
            e.MarginModeSet: self._contract_set,
            e.MarginMoved: self._margin_moved,
            e.PositionModeSet: self._wallet_set,
            e.CollateralModeSet: self._wallet_set,
            e.AccountMarginSet: self._account_margin_set,
        }
        if accounting is not None:
            self.notes = {kind: self._concluding(accounting, self.notes.get(kind)) for kind in state.folds}

    def order(
        self, account: AccountId, instrument: str, order: OrderId | None, client_id: str | None
    ) -> Order | None:
        """The order of an id, or of a client id the open one, or else the newest one that has it."""
        if order is None and client_id is not None:
            key = (account, instrument, client_id)
            order = self._state.client_ids.get(key) or self.client_ids.get(key)
        found = None if order is None else self.orders.get(order)
        if found is None or found.account != account or found.instrument != instrument:
            return None
        return found

    def _placed(self, event: e.OrderPlaced) -> None:
        order = self._state.orders[event.order]
        self.orders[order.id] = order
        key = (event.account, event.instrument)
        ids = self.order_ids.get(key)
        if ids is None:
            self.order_ids[key] = [order.id]
        else:
            ids.append(order.id)
        if order.client_id:
            named = (event.account, event.instrument, order.client_id)
            if self.client_ids.setdefault(named, order.id) != order.id:
                self._name(named, order.id)

    def _closed(self, event: e.OrderSucceeded | e.OrderCanceled | e.OrderExpired) -> None:
        if self.is_taken:
            self._end(self.orders[event.order])

    def _end(self, order: Order) -> None:
        """An order that just changed becomes a record if that was its end; until then it is state."""
        if not order.is_ended:
            return
        self._fresh.append(order)
        if self.closed and order.id in self.closed:
            self._record(self.closed[order.id])
        # What a list names stays as long as the list, which says when its legs may go.
        if order.list_id == NO_LIST:
            self._aging.append(order)

    def _record(self, record: AnyRecord) -> None:
        self._fresh.append(record)
        self._aging.append(record)

    def _traded(self, event: e.TradeExecuted) -> None:
        taker = (event.taker, event.taker_fee, event.taker_fee_asset, False)
        maker = (event.maker, event.maker_fee, event.maker_fee_asset, True)
        # Ascending, as by their keys, should both be of one account.
        for order_id, fee, asset, is_maker in (taker, maker) if event.taker < event.maker else (maker, taker):
            if order_id != MARKET_ORDER:
                self._filled(self.orders[order_id], event, fee, asset, is_maker=is_maker)

    def _taken_over(self, event: e.PositionTakenOver) -> None:
        order = self.orders[event.order]
        self._filled(order, event, event.fee, order.hold_asset, is_maker=False)

    def _deleveraged(self, event: e.AutoDeleveraged) -> None:
        for one, fee in ((event.order, event.fee), (event.counter, event.counter_fee)):
            order = self.orders[one]
            self._filled(order, event, fee, order.hold_asset, is_maker=one == event.counter)

    def _filled(self, order: Order, event: e.Filling, fee: Decimal, asset: str, *, is_maker: bool) -> None:
        realised = self._state.realised
        fill = Fill(
            event.trade,
            order.id,
            order.account,
            order.list_id,
            event.instrument,
            event.price,
            event.quantity,
            event.amount,
            fee,
            asset,
            self.now_us,
            order.terms.side is BUY,
            is_maker,
            realised.pop(order.id, ZERO) if realised else ZERO,
            order.terms.leg,
        )
        if self._accounting is not None:
            fill = self._in_full(self._accounting, fill, order)
        self.fills.setdefault((order.account, event.instrument), []).append(fill)
        self.fills_of.setdefault(order.id, []).append(fill)
        if self.is_taken:
            self._record(fill)
            self._end(order)

    def _in_full(self, accounting: Accounting, fill: Fill, order: Order) -> Fill:
        """With all that an execution tells, and what the order closed by now is noted."""
        fill, closing = accounting.fill(fill, order, self.now_us)
        if closing is not None:
            before = self.closed.get(order.id)
            if before is None:
                self.closed_ids.setdefault((order.account, order.instrument), []).append(order.id)
            self.closed[order.id] = accounting.closed(before, fill, order, closing)
        return fill

    def _concluding(
        self, accounting: Accounting, note: Callable[[Any], None] | None
    ) -> Callable[[Any], None]:
        """What notes an event, and then the transactions that it was."""

        def conclude(event: e.Event) -> None:
            if note is not None:
                note(event)
            for one in accounting.conclude(event, self.transaction_count, self.now_us):
                self.transaction_count = one.number
                self.transactions.setdefault((one.account, one.wallet), []).append(one)
                if self.is_taken:
                    self._record(one)

        return conclude

    def _prevented(self, event: e.MatchPrevented) -> None:
        taker, maker = self.orders[event.taker], self.orders[event.maker]
        for order in (taker, maker) if taker.id < maker.id else (maker, taker):
            match = PreventedMatch(event, order.id, order.account, taker.trade_group, self.now_us)
            self.prevented.setdefault((order.account, event.instrument), []).append(match)
            if self.is_taken:
                self._record(match)
        if self.is_taken:
            for order, quantity in ((taker, event.taker_prevented), (maker, event.maker_prevented)):
                if quantity:
                    self._end(order)

    def will_amend(self, event: e.OrderAmended) -> None:
        """Note what the event is about to change: no other kind is noted before the state applies it."""
        order = self.orders[event.order]
        amendment = Amendment(
            order.id,
            order.account,
            order.instrument,
            event.execution,
            order.client_id,
            event.client_id,
            order.quantity or ZERO,
            event.quantity or ZERO,
            self.now_us,
            order.price,
            order.price if event.price is None else event.price,
            order.amend_count + 1,
            event.reference,
        )
        self.amendments.setdefault(order.id, []).append(amendment)
        if self.is_taken:
            self._record(amendment)
        if event.client_id != order.client_id:
            self._rename(order, event.client_id)

    def _rename(self, order: Order, client_id: str) -> None:
        key = (order.account, order.instrument, order.client_id)
        if self.client_ids.get(key) == order.id:
            if key in self._older_of_name:
                newest = self.client_ids[key] = self._older_of_name[key][-1]
                self._remove_older(key, newest)
            else:
                del self.client_ids[key]
        elif key in self._older_of_name:
            self._remove_older(key, order.id)
        if client_id:
            self._name((order.account, order.instrument, client_id), order.id)

    def _name(self, key: tuple[AccountId, str, str], order: OrderId) -> None:
        newest = self.client_ids.get(key)
        if newest is None:
            self.client_ids[key] = order
            return
        self.client_ids[key] = max(newest, order)
        insort(self._older_of_name.setdefault(key, []), min(newest, order))

    def _remove_older(self, key: tuple[AccountId, str, str], order: OrderId) -> None:
        older = self._older_of_name[key]
        if order in older:
            older.remove(order)
            if not older:
                del self._older_of_name[key]

    def _list_placed(self, event: e.OrderListPlaced) -> None:
        self.lists[event.order_list] = self._state.lists[event.order_list]
        self.list_ids.setdefault(event.account, []).append(event.order_list)

    def _list_ended(self, event: e.OrderListEnded) -> None:
        if not self.is_taken:
            return
        self._record(self.list_record(self.lists[event.order_list]))
        # Behind the list, so that as long as it is here, its legs are.
        legs = (self.orders[leg] for leg in self.lists[event.order_list].orders)
        self._aging += [leg for leg in legs if leg.is_ended]

    def list_record(self, order_list: OrderList) -> ListRecord:
        """A list with the names that its legs have now."""
        return ListRecord(order_list, tuple(self.orders[leg].client_id for leg in order_list.orders))

    def _moved(self, event: e.AmountDeposited | e.AmountWithdrawn | e.AmountTransferred) -> None:
        movement = Movement(event, self.now_us)
        self.movements.setdefault(event.account, []).append(movement)
        if self.is_taken:
            self._record(movement)

    def _posted(
        self,
        account: AccountId,
        wallet: str,
        asset: str,
        free: Decimal,
        held: Decimal,
        counterparty: str,
    ) -> None:
        entries = self.postings.get(account)
        if entries is None:
            entries = self.postings[account] = []
        entry = LedgerEntry(
            self._state.ledger.entries,
            account,
            wallet,
            asset,
            free,
            held,
            counterparty,
            type(self.event).__name__,
            self.now_us,
        )
        entries.append(entry)
        self.updated_us[account] = self.now_us
        if self.is_taken:
            self._record(entry)
            self._fresh_balances[account, wallet, asset] = self.now_us
        if wallet in self._margin_wallets and free + held:
            self._earned(entry)
            if self._accounting is not None:
                self._accounting.post(account, wallet, asset, free + held, counterparty)

    def _earned(self, entry: LedgerEntry) -> None:
        """A wallet of contracts has more or less than before; `entry` says how much."""
        event, cause = self.event, type(self.event)
        kind = _INCOME_OF[cause]
        if kind is IncomeKind.REALISED and entry.counterparty == MARKET:
            kind = IncomeKind.TRADE
        if entry.counterparty == FEES and cause in _CHARGING:
            kind = IncomeKind.COMMISSION
        elif isinstance(event, e.PositionTakenOver) and _is_delivery(self.orders[event.order]):
            kind = IncomeKind.SETTLEMENT
        elif isinstance(event, e.AssetExchanged) and event.reference:
            kind = IncomeKind.CONVERSION
        income = Income(
            entry.number,
            entry.account,
            entry.wallet,
            kind,
            entry.asset,
            entry.free + entry.held,
            getattr(event, "instrument", ""),
            getattr(event, "trade", 0),
            self.now_us,
        )
        self.incomes.setdefault((entry.account, entry.wallet), []).append(income)
        if self.is_taken:
            self._record(income)

    def _margin_moved(self, event: e.MarginMoved) -> None:
        if event.cause is not Cause.OWNER:
            return
        contract = self._state.markets[event.instrument].instrument.contract
        assert contract is not None
        change = MarginChange(
            self.postings[event.account][-1].number,
            event.account,
            event.instrument,
            event.leg,
            contract.settle,
            event.amount,
            self.now_us,
        )
        self.margin_changes.setdefault((event.account, event.instrument), []).append(change)
        if self.is_taken:
            self._record(change)

    def _position_changed(self, account: AccountId, symbol: str, leg: Leg) -> None:
        if self.is_taken:
            self._fresh_positions[account, symbol, leg] = self.now_us
        if self._accounting is not None and isinstance(self.event, e.FundingPaid):
            fill = self._accounting.fund(self.event, account, leg, self.now_us)
            self.fills.setdefault((account, symbol), []).append(fill)
            if self.is_taken:
                self._record(fill)

    def _contract_set(self, event: e.LeverageSet | e.MarginModeSet) -> None:
        if self.is_taken:
            self._fresh_settings[ContractSettings, event.account, event.instrument] = self.now_us

    def _wallet_set(self, event: e.PositionModeSet | e.CollateralModeSet) -> None:
        if self.is_taken:
            self._fresh_settings[WalletSettings, event.account, event.wallet] = self.now_us

    def _account_margin_set(self, event: e.AccountMarginSet) -> None:
        if not self.is_taken:
            return
        self._fresh_settings[WalletSettings, event.account, event.wallet] = self.now_us
        for account, symbol in self._state.choices:
            if account == event.account and self._state.contract_of(symbol).wallet == event.wallet:
                self._fresh_settings[ContractSettings, account, symbol] = self.now_us

    # Into an archive, and out of here

    def take(self) -> Taken:
        """What was recorded since the last time, in order; then what changed and is no history, as it is."""
        records, self._fresh = self._fresh, []
        if self._fresh_balances:
            wallets = self._state.ledger.wallets
            for (account, wallet, asset), changed_us in self._fresh_balances.items():
                balance = wallets[account, wallet][asset]
                records.append(BalanceRecord(account, wallet, asset, balance.free, balance.held, changed_us))
            self._fresh_balances = {}
        if self._fresh_positions or self._fresh_settings:
            records += self._of_contracts()
        return Taken(records, self._forgotten + len(self._aging))

    def _of_contracts(self) -> list[AnyRecord]:
        """Positions and settings that changed, as they are now."""
        state = self._state
        records: list[AnyRecord] = []
        for (account, symbol, leg), changed_us in self._fresh_positions.items():
            # Of one that was closed nothing is said that is chosen, and may be chosen anew.
            position = state.positions.get((account, symbol, leg)) or Position(leg=leg, updated_us=changed_us)
            records.append(PositionRecord(account, symbol, position, changed_us))
        for (kind, account, scope), changed_us in self._fresh_settings.items():
            if kind is ContractSettings:
                choice = state.choice(account, scope)
                records.append(
                    ContractSettings(
                        account, scope, choice.leverage, choice.mode, changed_us, choice.long, choice.short
                    )
                )
            else:
                place = (account, scope)
                is_hedged, is_shared = place in state.hedged, place in state.shared
                records.append(WalletSettings(account, scope, is_hedged, is_shared, changed_us))
        self._fresh_positions, self._fresh_settings = {}, {}
        return records

    def forget(self, through: int, retained: int, at_most: int | None = None) -> int:
        """Drop the oldest records, up to those of a taking that the archive holds, beyond `retained`.

        In strides, since taking from the front of a list costs as much for one as for many. Returns how
        many went; `at_most` leaves the rest of a stride for the next call.
        """
        aging, dropped = self._aging, self._dropped
        count = min(len(aging) - retained, through - self._forgotten)
        if count < max(1, retained // 8):
            return 0
        if at_most is not None:
            count = min(count, at_most)
        self._forgotten += count
        # How many go from the front of each list.
        postings: dict[AccountId, int] = defaultdict(int)
        incomes: dict[tuple[AccountId, str], int] = defaultdict(int)
        transactions: dict[tuple[AccountId, str], int] = defaultdict(int)
        closed: dict[tuple[AccountId, str], set[OrderId]] = defaultdict(set)
        margins: dict[tuple[AccountId, str], int] = defaultdict(int)
        fills: dict[tuple[AccountId, str], int] = defaultdict(int)
        fills_of: dict[OrderId, int] = defaultdict(int)
        movements: dict[AccountId, int] = defaultdict(int)
        prevented: dict[tuple[AccountId, str], int] = defaultdict(int)
        amendments: dict[OrderId, int] = defaultdict(int)
        orders: dict[tuple[AccountId, str], set[OrderId]] = defaultdict(set)
        for _ in range(count):
            match aging.popleft():
                case LedgerEntry() as entry:
                    postings[entry.account] += 1
                case Income() as income:
                    incomes[income.account, income.wallet] += 1
                case Transaction() as transaction:
                    transactions[transaction.account, transaction.wallet] += 1
                case ClosedRecord() as record:
                    closed[record.account, record.instrument].add(record.order)
                    del self.closed[record.order]
                case MarginChange() as change:
                    margins[change.account, change.instrument] += 1
                case Fill() as fill:
                    fills[fill.account, fill.instrument] += 1
                    if fill.order:
                        fills_of[fill.order] += 1
                case Order() as order:
                    orders[order.account, order.instrument].add(order.id)
                    self._drop_order(order)
                case Movement() as movement:
                    movements[movement.event.account] += 1
                    dropped.add((Movement, movement.event.account, key_of(movement).scope))
                case PreventedMatch() as met:
                    prevented[met.account, met.event.instrument] += 1
                case Amendment() as amendment:
                    amendments[amendment.order] += 1
                    dropped.add((Amendment, amendment.account, amendment.instrument))
                case ListRecord(order_list=listed):
                    del self.lists[listed.id]
                    _remove(self.list_ids[listed.account], {listed.id})
                    dropped.add((ListRecord, listed.account, ""))
        _drop_first(self.postings, postings)
        _drop_first(self.incomes, incomes)
        _drop_first(self.transactions, transactions)
        for key, ids in closed.items():
            self.closed_ids[key] = [one for one in self.closed_ids[key] if one not in ids]
        _drop_first(self.margin_changes, margins)
        _drop_first(self.fills, fills)
        _drop_first(self.fills_of, fills_of)
        _drop_first(self.movements, movements)
        _drop_first(self.prevented, prevented)
        _drop_first(self.amendments, amendments)
        for key, ids in orders.items():
            _remove(self.order_ids[key], ids)
        dropped.update((Order, *key) for key in orders)
        dropped.update((Income, *key) for key in incomes)
        dropped.update((Transaction, *key) for key in transactions)
        dropped.update((ClosedRecord, *key) for key in closed)
        dropped.update((MarginChange, *key) for key in margins)
        dropped.update((Fill, *key) for key in fills)
        dropped.update((PreventedMatch, *key) for key in prevented)
        dropped.update((LedgerEntry, account, "") for account in postings)
        return count

    def _drop_order(self, order: Order) -> None:
        del self.orders[order.id]
        key = (order.account, order.instrument, order.client_id)
        if self.client_ids.get(key) == order.id:
            # Those before it must not be taken for the newest, which the archive knows.
            del self.client_ids[key]
            self._older_of_name.pop(key, None)
        elif key in self._older_of_name:
            self._remove_older(key, order.id)

    # Asking by keys

    def is_whole(self, kind: type[Any], account: AccountId, scope: str) -> bool:
        """Whether all records of an account and scope are here, so that no archive need be asked."""
        return not self.begins_late and (kind, account, scope) not in self._dropped

    def select(self, kind: type[R], query: Query) -> list[R]:
        """The records that a query asks for, as far as they are here."""
        account, scope = query.account, query.scope
        entries: Sequence[Any]
        if kind is Order:
            entries = _Named(self.order_ids.get((account, scope), []), self.orders)
        elif kind is Fill:
            entries = self.fills.get((account, scope), ())
            if query.part is not None:
                entries = _of(self.fills_of.get(query.part, ()), account, scope)
        elif kind is Amendment:
            assert query.part is not None, "amendments are those of an order"
            entries = _of(self.amendments.get(query.part, ()), account, scope)
        elif kind is PreventedMatch:
            entries = self.prevented.get((account, scope), ())
        elif kind is Movement:
            listed = self.movements.get(account, ())
            entries = [one for one in listed if KIND_OF_MOVEMENT[type(one.event)].value == scope]
        elif kind is LedgerEntry:
            entries = self.postings.get(account, ())
        elif kind is Income:
            entries = self.incomes.get((account, scope), ())
        elif kind is Transaction:
            entries = self.transactions.get((account, scope), ())
        elif kind is ClosedRecord:
            entries = _Named(self.closed_ids.get((account, scope), []), self.closed)
        elif kind is MarginChange:
            entries = self.margin_changes.get((account, scope), ())
        else:
            assert kind is ListRecord, f"{kind} is not asked for"
            entries = [self.list_record(self.lists[one]) for one in self.list_ids.get(account, ())]
        return cast("list[R]", chosen(entries, query))


def _is_delivery(order: Order) -> bool:
    return order.terms.cause is Cause.DELIVERY


class _Named(Sequence[R]):
    """Records by the ids of orders, of which only those are looked up that somebody wants."""

    def __init__(self, ids: list[OrderId], records: dict[OrderId, R]) -> None:
        self._ids = ids
        self._records = records

    def __len__(self) -> int:
        return len(self._ids)

    @overload
    def __getitem__(self, place: int) -> R: ...

    @overload
    def __getitem__(self, place: slice) -> list[R]: ...

    def __getitem__(self, place: int | slice) -> R | list[R]:
        if isinstance(place, int):
            return self._records[self._ids[place]]
        return [self._records[one] for one in self._ids[place]]


def _of(records: Sequence[Fill | Amendment], account: AccountId, instrument: str) -> Sequence[Any]:
    return [one for one in records if one.account == account and one.instrument == instrument]


def chosen(entries: Sequence[R], query: Query) -> Sequence[R]:
    """What a query asks for of all records of its account and scope, which ascend in id and time."""
    low, high = 0, len(entries)
    if query.first_id is not None:
        low = bisect_left(entries, query.first_id, key=lambda one: key_of(one).id)
    if query.start_us is not None:
        low = max(low, bisect_left(entries, query.start_us, key=lambda one: key_of(one).time_us))
    if query.last_id is not None:
        high = bisect_right(entries, query.last_id, key=lambda one: key_of(one).id)
    if query.end_us is not None:
        high = min(high, bisect_right(entries, query.end_us, key=lambda one: key_of(one).time_us))
    if query.part is not None or query.label is not None:
        entries = [entry for entry in entries[low:high] if query.admits(key_of(entry))]
    else:
        entries = entries[low : max(low, high)]
    return list(entries[-query.limit :] if query.newest else entries[: query.limit])


def _drop_first(index: dict[K, list[R]], counts: dict[K, int]) -> None:
    """Drop so many from the front of each list, and lists of which nothing is left."""
    for key, count in counts.items():
        entries = index[key]
        if count < len(entries):
            del entries[:count]
        else:
            del index[key]


def _remove(ids: list[int], gone: set[int]) -> None:
    low, high = bisect_left(ids, min(gone)), bisect_right(ids, max(gone))
    ids[low:high] = [one for one in ids[low:high] if one not in gone]
