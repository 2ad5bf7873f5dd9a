"""Read-only indices over everything that happened, for queries. Derived from events, never decided on.

An ended order leaves `State` and stays here, with its fills, amendments and prevented matches.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from decimal import Decimal
from typing import Any, NamedTuple

from emulator.core import events as e
from emulator.core.ids import MARKET_ORDER, AccountId, ListId, OrderId
from emulator.core.instruments import BUY
from emulator.core.ledger import Posting
from emulator.core.order_lists import OrderList
from emulator.core.orders import Order
from emulator.core.state import State

POSTINGS_MAX = 10_000


class Fill(NamedTuple):
    """One account's side of one trade. `amount` in quote asset."""

    trade: int
    order: OrderId
    order_list: ListId
    instrument: str
    price: Decimal
    quantity: Decimal
    amount: Decimal
    fee: Decimal
    fee_asset: str
    time_us: int
    is_buyer: bool
    is_maker: bool


class Amendment(NamedTuple):
    order: OrderId
    execution: int
    client_id_before: str
    client_id_after: str
    quantity_before: Decimal
    quantity_after: Decimal
    time_us: int


class Movement(NamedTuple):
    event: e.AmountDeposited | e.AmountWithdrawn | e.AmountTransferred
    time_us: int


class PreventedMatch(NamedTuple):
    event: e.MatchPrevented
    trade_group: int
    time_us: int


class LedgerEntry(NamedTuple):
    """A posting with the event that caused it."""

    account: AccountId
    wallet: str
    asset: str
    free: Decimal
    held: Decimal
    counterparty: str
    reason: str
    time_us: int

    @property
    def posting(self) -> Posting:
        return Posting(*self[:6])


class Views:
    """All indices of one engine."""

    def __init__(self, state: State) -> None:
        self._state = state
        self.orders: dict[OrderId, Order] = {}
        self.order_ids: dict[tuple[AccountId, str], list[OrderId]] = {}
        self.client_ids: dict[tuple[AccountId, str, str], OrderId] = {}
        self.fills: dict[tuple[AccountId, str], list[Fill]] = {}
        self.fills_of: dict[OrderId, list[Fill]] = {}
        self.amendments: dict[OrderId, list[Amendment]] = {}
        self.prevented: dict[tuple[AccountId, str], list[PreventedMatch]] = {}
        self.lists: dict[ListId, OrderList] = {}
        self.list_ids: dict[AccountId, list[ListId]] = {}
        self.movements: dict[AccountId, list[Movement]] = {}
        self.postings: dict[AccountId, deque[LedgerEntry]] = {}
        self.updated_us: dict[AccountId, int] = {}
        self._kind: type[e.Event] = e.Event
        self._now_us = 0
        state.ledger.listener = self._posted
        self.notes: dict[type[e.Event], Callable[[Any], None]] = {
            e.OrderPlaced: self._placed,
            e.TradeExecuted: self._traded,
            e.MatchPrevented: self._prevented,
            e.OrderListPlaced: self._list_placed,
            e.AmountDeposited: self._moved,
            e.AmountWithdrawn: self._moved,
            e.AmountTransferred: self._moved,
        }

    def before(self, event: e.Event, now_us: int) -> None:
        """Note what the event is about to change. Called just before `State.apply`."""
        kind = self._kind = type(event)
        self._now_us = now_us
        if kind is e.OrderAmended:
            assert isinstance(event, e.OrderAmended)
            self._amended(event)

    def after(self, event: e.Event) -> None:
        """Index what the event made. Called just after `State.apply`."""
        note = self.notes.get(self._kind)
        if note is not None:
            note(event)

    def order(
        self, account: AccountId, instrument: str, order: OrderId | None, client_id: str | None
    ) -> Order | None:
        """The order of an id, or the newest that was placed with a client id."""
        if order is None and client_id is not None:
            order = self.client_ids.get((account, instrument, client_id))
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
            self.client_ids[event.account, event.instrument, order.client_id] = order.id

    def _traded(self, event: e.TradeExecuted) -> None:
        for order_id, fee, asset, is_maker in (
            (event.taker, event.taker_fee, event.taker_fee_asset, False),
            (event.maker, event.maker_fee, event.maker_fee_asset, True),
        ):
            if order_id == MARKET_ORDER:
                continue
            order = self.orders[order_id]
            fill = Fill(
                event.trade,
                order_id,
                order.list_id,
                event.instrument,
                event.price,
                event.quantity,
                event.amount,
                fee,
                asset,
                self._now_us,
                order.terms.side is BUY,
                is_maker,
            )
            self.fills.setdefault((order.account, event.instrument), []).append(fill)
            self.fills_of.setdefault(order_id, []).append(fill)

    def _prevented(self, event: e.MatchPrevented) -> None:
        taker, maker = self.orders[event.taker], self.orders[event.maker]
        match = PreventedMatch(event, taker.trade_group, self._now_us)
        for account in {taker.account, maker.account}:
            self.prevented.setdefault((account, event.instrument), []).append(match)

    def _amended(self, event: e.OrderAmended) -> None:
        order = self.orders[event.order]
        assert order.quantity is not None
        self.amendments.setdefault(order.id, []).append(
            Amendment(
                order.id,
                event.execution,
                order.client_id,
                event.client_id,
                order.quantity,
                event.quantity,
                self._now_us,
            )
        )
        self.client_ids[order.account, order.instrument, event.client_id] = order.id

    def _list_placed(self, event: e.OrderListPlaced) -> None:
        self.lists[event.order_list] = self._state.lists[event.order_list]
        self.list_ids.setdefault(event.account, []).append(event.order_list)

    def _moved(self, event: e.AmountDeposited | e.AmountWithdrawn | e.AmountTransferred) -> None:
        self.movements.setdefault(event.account, []).append(Movement(event, self._now_us))

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
            entries = self.postings[account] = deque(maxlen=POSTINGS_MAX)
        entries.append(
            LedgerEntry(account, wallet, asset, free, held, counterparty, self._kind.__name__, self._now_us)
        )
        self.updated_us[account] = self._now_us
