"""What a snapshot is made of: msgpack arrays that say what they are, and the format of all of them."""

from __future__ import annotations

from decimal import Decimal
from enum import Enum
from typing import Any, NamedTuple, TypeVar, get_args

import msgspec
from msgspec.structs import astuple

from emulator.core.book import PriceQueues
from emulator.core.collateral import Loan
from emulator.core.history import ClosedRecord
from emulator.core.ids import AccountId, ListId, OrderId
from emulator.core.instruments import Side, TriggerSource
from emulator.core.lifetimes import Lifetime
from emulator.core.marks import Apart, Move
from emulator.core.order_lists import OrderList
from emulator.core.orders import Order, OrderTerms, Trigger
from emulator.core.positions import AccountMargin, Leg, Position
from emulator.core.prints import Print
from emulator.core.shapes import shape_of
from emulator.core.state import Choice
from emulator.core.tape import Market, Segment

REVISION = 1
"""Counts what the shapes below do not show: another meaning of the same fields."""


class Place(str, Enum):
    """Where in its market an order stands."""

    BIDS = "bids"
    ASKS = "asks"
    RISES = "rises"
    FALLS = "falls"
    TRAILING = "trailing"
    MARK_RISES = "mark_rises"
    MARK_FALLS = "mark_falls"
    MARK_TRAILING = "mark_trailing"
    INDEX_RISES = "index_rises"
    INDEX_FALLS = "index_falls"
    INDEX_TRAILING = "index_trailing"


_RISES = {
    TriggerSource.LAST: Place.RISES,
    TriggerSource.MARK: Place.MARK_RISES,
    TriggerSource.INDEX: Place.INDEX_RISES,
}
_FALLS = {
    TriggerSource.LAST: Place.FALLS,
    TriggerSource.MARK: Place.MARK_FALLS,
    TriggerSource.INDEX: Place.INDEX_FALLS,
}
_TRAILING = {
    TriggerSource.LAST: Place.TRAILING,
    TriggerSource.MARK: Place.MARK_TRAILING,
    TriggerSource.INDEX: Place.INDEX_TRAILING,
}


def queues_of(market: Market) -> tuple[tuple[Place, PriceQueues], ...]:
    """The queues of a market by their place."""
    return (
        (Place.BIDS, market.bids),
        (Place.ASKS, market.asks),
        (Place.RISES, market.rises),
        (Place.FALLS, market.falls),
        *((_RISES[watch.source], watch.rises) for watch in market.watches),
        *((_FALLS[watch.source], watch.falls) for watch in market.watches),
    )


def trailing_of(market: Market) -> tuple[tuple[Place, dict[OrderId, Order]], ...]:
    """The orders that track a price, by their place."""
    return (
        (Place.TRAILING, market.trailing),
        *((_TRAILING[watch.source], watch.trailing) for watch in market.watches),
    )


def place_of(trigger: Trigger, side: Side, *, is_trailing: bool) -> Place:
    """Where an order waits for its trigger."""
    if is_trailing:
        return _TRAILING[trigger.source]
    return _RISES[trigger.source] if trigger.fires_on_rise(side) else _FALLS[trigger.source]


class Part(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """The root of all parts. They follow one another as they are listed here."""


class Head(Part, frozen=True):
    format: str
    advanced_us: int
    next_order: OrderId
    next_list: ListId
    next_movement: int
    next_execution: int
    transactions: int
    entries: int
    counterparties: dict[str, dict[str, Decimal]]


class AccountRow(NamedTuple):
    id: AccountId
    name: str
    trade_group: int
    discounted: list[str]
    updated_us: int | None
    preferences: dict[str, str]


class Accounts(Part, frozen=True):
    accounts: list[AccountRow]


BalanceRow = tuple[AccountId, str, str, Decimal, Decimal]
"""Account, wallet, asset, free, held."""


class Balances(Part, frozen=True):
    balances: list[BalanceRow]


LockedRow = tuple[AccountId, str, str, Decimal]

PositionRow = tuple[AccountId, str, Position]

ChoiceRow = tuple[AccountId, str, Choice]
"""Account and instrument, as of positions."""


class Locked(Part, frozen=True):
    locked: list[LockedRow]


class Positions(Part, frozen=True):
    positions: list[PositionRow]


class Lifetimes(Part, frozen=True):
    """Account, instrument and leg, and what all positions there came to."""

    lifetimes: list[tuple[AccountId, str, Leg, Lifetime]]


class Hedged(Part, frozen=True):
    """Account and wallet."""

    hedged: list[tuple[AccountId, str]]


class Shared(Part, frozen=True):
    """Account and wallet, of those whose assets stand together."""

    shared: list[tuple[AccountId, str]]


class Choices(Part, frozen=True):
    choices: list[ChoiceRow]


class AccountMargins(Part, frozen=True):
    """How all contracts of a wallet are covered, where that was chosen."""

    margins: list[tuple[AccountId, str, AccountMargin]]


class HedgedContracts(Part, frozen=True):
    """Account and instrument."""

    hedged: list[tuple[AccountId, str]]


class Replenished(Part, frozen=True):
    """Account, instrument and leg, of isolated positions to which margin is moved by itself."""

    positions: list[tuple[AccountId, str, Leg]]


class Unused(Part, frozen=True):
    """Account, wallet and asset, of those that do not count although they could."""

    assets: list[tuple[AccountId, str, str]]


class SpotMargins(Part, frozen=True):
    """Account, wallet and leverage."""

    leverages: list[tuple[AccountId, str, Decimal]]


class Loans(Part, frozen=True):
    """Account, wallet, asset and what was borrowed of it."""

    loans: list[tuple[AccountId, str, str, Loan]]


class Orders(Part, frozen=True):
    """Open orders as the values of their fields, which takes a third of what names and values take."""

    orders: list[list[Any]]


class Lists(Part, frozen=True):
    lists: list[list[Any]]


class Closed(Part, frozen=True):
    """What open orders have closed by now; what ended ones closed is in the archive."""

    closed: list[ClosedRecord]


class EndedLegs(Part, frozen=True):
    """Legs of open lists that ended. Which order their client ids mean, the archive knows."""

    orders: list[list[Any]]


class MarketHead(Part, frozen=True):
    symbol: str
    prevented: int
    changes: int
    manual_since_us: int | None
    countdowns: list[tuple[AccountId, int]]


class ManualLevels(Part, frozen=True):
    symbol: str
    side: Side
    levels: list[tuple[Decimal, Decimal]]


class Segments(Part, frozen=True):
    symbol: str
    segments: list[Segment]


class Moves(Part, frozen=True):
    """What was told to the marks of a contract."""

    symbol: str
    moves: list[Move]


class Consumed(Part, frozen=True):
    """Side, price, since when, quantity; the one that was used last is the last one."""

    symbol: str
    levels: list[tuple[Side, Decimal, int, Decimal]]


class Queued(Part, frozen=True):
    """Orders in one place, those of the same price in the order of their queue."""

    symbol: str
    place: Place
    orders: list[OrderId]


class PrintsBlock(Part, frozen=True):
    """A packed block. Its part is the same in all later snapshots, so it need be written only once."""

    symbol: str
    number: int
    block: bytes


class PrintsTail(Part, frozen=True):
    symbol: str
    prints: list[Print]


class End(Part, frozen=True):
    """parts: how many came before."""

    parts: int


AnyPart = (
    Head
    | Accounts
    | Balances
    | Locked
    | Positions
    | Lifetimes
    | Hedged
    | Shared
    | Choices
    | AccountMargins
    | HedgedContracts
    | Unused
    | Replenished
    | SpotMargins
    | Loans
    | Orders
    | Lists
    | EndedLegs
    | Closed
    | MarketHead
    | ManualLevels
    | Segments
    | Moves
    | Consumed
    | Queued
    | PrintsBlock
    | PrintsTail
    | End
)


FORMAT = shape_of(
    (*get_args(AnyPart), Order, OrderTerms, OrderList, Position, Choice, Lifetime, ClosedRecord, Loan),
    (AccountRow, Segment, Print, Move, Apart),
    revision=REVISION,
)
"""Of everything here and in it, so that what another release wrote is told from what this one reads."""


class Opening(msgspec.Struct, frozen=True, array_like=True, tag="Head"):
    """What can be read of a head of any format."""

    format: str


# Orders and lists as the values of their fields

_TERMS = Order.__struct_fields__.index("terms")

R = TypeVar("R", bound=msgspec.Struct)


def order_row(order: Order) -> list[Any]:
    row = list(astuple(order))
    row[_TERMS] = astuple(order.terms)
    return row


def order_of(values: list[Any]) -> Order:
    """A new order of these values, each of its field's type; raises what `record_of` does."""
    terms = dict(zip(OrderTerms.__struct_fields__, values[_TERMS], strict=True))
    return record_of(Order, [*values[:_TERMS], terms, *values[_TERMS + 1 :]])


def record_of(kind: type[R], values: list[Any]) -> R:
    """Raises msgspec.ValidationError, or TypeError and ValueError for what are no such values at all."""
    return msgspec.convert(dict(zip(kind.__struct_fields__, values, strict=True)), kind)
