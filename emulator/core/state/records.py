"""What the state keeps of one account."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

import msgspec

from emulator.core.ids import AccountId, ListId, OrderId
from emulator.core.margin import Resting
from emulator.core.order_lists import OrderList
from emulator.core.orders import Order
from emulator.core.positions import Leg, MarginMode, Position

PositionKey = tuple[AccountId, str, Leg]
"""Account, instrument and leg."""


class ChargedPlace(NamedTuple):
    """From where something is paid: what an account has of an asset in a wallet, or the margin of an isolated
    position, whose contract and leg these are then."""

    account: AccountId
    wallet: str
    asset: str
    instrument: str = ""
    leg: Leg = Leg.BOTH


class Choice(msgspec.Struct, frozen=True):
    """What an account chose about its positions in one contract.

    long, short: the leverage of a leg for which it was chosen by itself; None: `leverage`.
    """

    leverage: Decimal
    mode: MarginMode
    long: Decimal | None = None
    short: Decimal | None = None

    def leverage_of(self, leg: Leg) -> Decimal:
        own = self.long if leg is Leg.LONG else self.short if leg is Leg.SHORT else None
        return self.leverage if own is None else own

    def with_leverage(self, leverage: Decimal, leg: Leg | None) -> Choice:
        """leg: for which it is chosen; None: for all, whatever was chosen for one before."""
        if leg is Leg.LONG:
            return msgspec.structs.replace(self, long=leverage)
        if leg is Leg.SHORT:
            return msgspec.structs.replace(self, short=leverage)
        return Choice(leverage, self.mode)


class Account:
    """An owner. open_orders: all that has not ended, in the order of placement. positions: those that
    are not flat, by instrument and leg. discounted: the wallets in which fees are paid in the discount asset.
    preferences: what it chose and the core only keeps, by name. beside: what the orders in the book beside
    each position are worth, and would be where there is none; of what can only reduce it nothing."""

    __slots__ = (
        "beside",
        "discounted",
        "id",
        "name",
        "open_lists",
        "open_orders",
        "positions",
        "preferences",
        "trade_group",
    )

    def __init__(self, id: AccountId, name: str, trade_group: int) -> None:
        self.id = id
        self.name = name
        self.trade_group = trade_group
        self.discounted: frozenset[str] = frozenset()
        self.preferences: dict[str, str] = {}
        self.open_orders: dict[OrderId, Order] = {}
        self.open_lists: dict[ListId, OrderList] = {}
        self.positions: dict[tuple[str, Leg], Position] = {}
        self.beside: dict[tuple[str, Leg], Resting] = {}


class Stops(msgspec.Struct, frozen=True):
    """The orders that wait to close a position, or are about to. take_profit, stop_loss, trailing: all of it.
    pairs: parts of it, one or two that came together each."""

    take_profit: Order | None = None
    stop_loss: Order | None = None
    trailing: Order | None = None
    pairs: tuple[tuple[Order, ...], ...] = ()


class Counts(msgspec.Struct):
    """Open orders of one account on one instrument, by the limits that apply to them. triggers: those that
    wait or waited for one and are not detached."""

    orders: int = 0
    triggers: int = 0
    detached: int = 0
    icebergs: int = 0
    lists: int = 0
