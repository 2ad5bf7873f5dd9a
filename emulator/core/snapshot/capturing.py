"""A copy of one engine's state, taken quickly where the engine lives, and its bytes, made anywhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from itertools import chain
from typing import NamedTuple, TypeVar

import msgspec
from msgspec.structs import astuple

from emulator.core.ids import OrderId
from emulator.core.instruments import Side
from emulator.core.marks import Move
from emulator.core.orders import Order
from emulator.core.prints import Print
from emulator.core.snapshot.parts import (
    FORMAT,
    AccountMargins,
    AccountRow,
    Accounts,
    BalanceRow,
    Balances,
    ChoiceRow,
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
    LockedRow,
    ManualLevels,
    MarketHead,
    Moves,
    Orders,
    Part,
    Place,
    PositionRow,
    Positions,
    PrintsBlock,
    PrintsTail,
    Queued,
    Replenished,
    Segments,
    Shared,
    SpotMargins,
    Unused,
    order_row,
    queues_of,
    trailing_of,
)
from emulator.core.state import State
from emulator.core.tape import ManualBook, Market, Segment
from emulator.core.views import Views

ORDERS = 500
ROWS = 2_000
IDS = 20_000
"""So many in one part at most, which keeps a part below 256 kB and its making below some milliseconds."""

T = TypeVar("T")

_encode = msgspec.msgpack.Encoder().encode
_copied: Callable[[Order], Order] = Order.__copy__  # type: ignore[attr-defined]  # msgspec's stubs lack it


class _MarketCopy(NamedTuple):
    head: MarketHead
    manual: ManualBook | None
    segments: list[Segment]
    moves: list[Move]
    consumed: list[tuple[tuple[Side, Decimal], tuple[int, Decimal]]]
    queued: list[tuple[Place, list[OrderId]]]
    blocks: tuple[bytes, ...]
    tail: tuple[Print, ...]


class Capture:
    """A copy of one engine's state, which shares nothing with it that can change."""

    __slots__ = (
        "_accounts",
        "_balances",
        "_choices",
        "_closed",
        "_head",
        "_hedged",
        "_hedged_contracts",
        "_legs",
        "_leverages",
        "_lifetimes",
        "_lists",
        "_loans",
        "_locked",
        "_margins",
        "_markets",
        "_orders",
        "_positions",
        "_replenished",
        "_shared",
        "_unused",
    )

    def __init__(self, state: State, views: Views, advanced_us: int) -> None:
        ledger, orders, updated_us = state.ledger, state.orders, views.updated_us
        self._head = Head(
            format=FORMAT,
            advanced_us=advanced_us,
            next_order=state.next_order,
            next_list=state.next_list,
            next_movement=state.next_movement,
            next_execution=state.next_execution,
            transactions=views.transaction_count,
            entries=ledger.entries,
            counterparties={name: book.copy() for name, book in ledger.counterparties.items()},
        )
        self._accounts = [
            AccountRow(
                one.id,
                one.name,
                one.trade_group,
                sorted(one.discounted),
                updated_us.get(one.id),
                one.preferences.copy(),
            )
            for one in state.accounts.values()
        ]
        self._balances: list[BalanceRow] = [
            (account, wallet, asset, balance.free, balance.held)
            for (account, wallet), assets in ledger.wallets.items()
            for asset, balance in assets.items()
        ]
        self._locked: list[LockedRow] = [(*key, amount) for key, amount in state.locked.items()]
        self._positions: list[PositionRow] = [
            (account, symbol, one) for (account, symbol, _), one in state.positions.items()
        ]
        self._lifetimes = [(*key, one) for key, one in state.lifetimes.items()]
        self._hedged = list(state.hedged)
        self._shared = list(state.shared)
        self._margins = [(*key, mode) for key, mode in state.account_margins.items()]
        self._hedged_contracts = list(state.hedged_contracts)
        self._unused = list(state.unused)
        self._replenished = list(state.replenished)
        self._leverages = [(*key, leverage) for key, leverage in state.spot_margins.items()]
        self._loans = [(*key, loan) for key, loan in state.loans.items()]
        self._choices: list[ChoiceRow] = [(*key, one) for key, one in state.choices.items()]
        self._orders = list(map(_copied, orders.values()))
        self._lists = [astuple(one) for one in state.lists.values()]
        self._closed = [one for one in views.closed.values() if one.order in orders]
        # These ended, so they change no more and need no copy.
        self._legs = [
            views.orders[leg] for one in state.lists.values() for leg in one.orders if leg not in orders
        ]
        self._markets = [
            _copy_market(market) for market in state.markets.values() if not _is_untouched(market)
        ]

    def parts(self) -> Iterator[bytes]:
        """Everything, encoded while it is drawn and given up as it goes: once only."""
        count = 0
        for part in self._made():
            count += 1
            yield _encode(part)
        yield _encode(End(count))

    def _made(self) -> Iterator[Part]:
        yield self._head
        for accounts in _drawn(self._accounts, ROWS):
            yield Accounts(accounts)
        for balances in _drawn(self._balances, ROWS):
            yield Balances(balances)
        for locked in _drawn(self._locked, ROWS):
            yield Locked(locked)
        for positions in _drawn(self._positions, ORDERS):
            yield Positions(positions)
        for lifetimes in _drawn(self._lifetimes, ORDERS):
            yield Lifetimes(lifetimes)
        for hedged in _drawn(self._hedged, ROWS):
            yield Hedged(hedged)
        for shared in _drawn(self._shared, ROWS):
            yield Shared(shared)
        for choices in _drawn(self._choices, ROWS):
            yield Choices(choices)
        for margins in _drawn(self._margins, ROWS):
            yield AccountMargins(margins)
        for contracts in _drawn(self._hedged_contracts, ROWS):
            yield HedgedContracts(contracts)
        for unused in _drawn(self._unused, ROWS):
            yield Unused(unused)
        for replenished in _drawn(self._replenished, ROWS):
            yield Replenished(replenished)
        for leverages in _drawn(self._leverages, ROWS):
            yield SpotMargins(leverages)
        for loans in _drawn(self._loans, ROWS):
            yield Loans(loans)
        for orders in _drawn(self._orders, ORDERS):
            yield Orders([order_row(order) for order in orders])
        for lists in _drawn(self._lists, ORDERS):
            yield Lists([list(row) for row in lists])
        for legs in _drawn(self._legs, ORDERS):
            yield EndedLegs([order_row(leg) for leg in legs])
        for closed in _drawn(self._closed, ORDERS):
            yield Closed(closed)
        for market in self._markets:
            yield from _market_parts(market)


def capture(state: State, views: Views, advanced_us: int) -> Capture:
    """What an engine is now. It may go on at once; the bytes are made when they are asked for."""
    return Capture(state, views, advanced_us)


def _is_untouched(market: Market) -> bool:
    """Whether nobody has ever done anything to a market, which is how it is made."""
    return not (
        market.changes
        or market.prevented
        or market.prints
        or market.segments
        or market.manual is not None
        or market.consumed
        or market.countdowns
        or any(tracking for _, tracking in trailing_of(market))
        or any(queues.queues for _, queues in queues_of(market))
    )


def _copy_market(market: Market) -> _MarketCopy:
    manual = market.manual
    queued = [(place, list(chain.from_iterable(one.queues.values()))) for place, one in queues_of(market)]
    queued += [(place, list(tracking)) for place, tracking in trailing_of(market)]
    return _MarketCopy(
        head=MarketHead(
            symbol=market.instrument.symbol,
            prevented=market.prevented,
            changes=market.changes,
            manual_since_us=None if manual is None else manual.since_us,
            countdowns=list(market.countdowns.items()),
        ),
        manual=manual,
        segments=market.segments.copy(),
        moves=[] if market.marks is None else market.marks.moves.copy(),
        consumed=list(market.consumed.items()),
        queued=queued,
        blocks=market.prints.blocks(),
        tail=market.prints.tail(),
    )


def _market_parts(market: _MarketCopy) -> Iterator[Part]:
    symbol, manual = market.head.symbol, market.manual
    yield market.head
    if manual is not None:
        for side, listed in ((Side.BUY, manual.bids), (Side.SELL, manual.asks)):
            for levels in _drawn(list(listed), ROWS):
                yield ManualLevels(symbol, side, levels)
    for segments in _drawn(market.segments, ROWS):
        yield Segments(symbol, segments)
    for moves in _drawn(market.moves, ROWS):
        yield Moves(symbol, moves)
    for consumed in _drawn(market.consumed, ROWS):
        yield Consumed(symbol, [(*key, *used) for key, used in consumed])
    for place, ids in market.queued:
        for queued in _drawn(ids, IDS):
            yield Queued(symbol, place, queued)
    for number, block in enumerate(market.blocks):
        yield PrintsBlock(symbol, number, block)
    for prints in _drawn(list(market.tail), ROWS):
        yield PrintsTail(symbol, prints)


def _drawn(entries: list[T], most: int) -> Iterator[list[T]]:
    """All entries in their order, slice by slice. They leave the list, so that none outlives its use."""
    entries.reverse()
    while entries:
        slice_of_them = entries[-most:]
        del entries[-most:]
        slice_of_them.reverse()
        yield slice_of_them
