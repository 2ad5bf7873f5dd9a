"""Records of orders: what filled them, changed them and kept them from trading, and what they closed."""

from __future__ import annotations

from decimal import Decimal
from enum import Enum

import msgspec

from emulator.core import events as e
from emulator.core.ids import AccountId, ListId, OrderId
from emulator.core.instruments import OrderType
from emulator.core.numbers import ZERO
from emulator.core.order_lists import OrderList
from emulator.core.orders import Cause
from emulator.core.positions import Leg


class FillKind(str, Enum):
    """What filled an order, by who wanted it."""

    TRADE = "trade"
    LIQUIDATION = "liquidation"
    DELEVERAGING = "deleveraging"
    """Of somebody whose position was the opposite of one that could not be kept."""
    DELIVERY = "delivery"
    FUNDING = "funding"
    """Nothing: what a position paid or got at its funding is told among the fills."""


KIND_OF_CAUSE: dict[Cause, FillKind] = {
    Cause.OWNER: FillKind.TRADE,
    Cause.LIQUIDATION: FillKind.LIQUIDATION,
    Cause.REDUCTION: FillKind.TRADE,
    Cause.DELEVERAGING: FillKind.DELEVERAGING,
    Cause.DELIVERY: FillKind.DELIVERY,
}


class Fill(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """One account's side of one trade. `amount` in quote asset; of a contract, in what it settles in.

    realised: profit of what the trade closed of a position, before fees. leg: which position it was.

    Only where the rules of the engine ask for it (`EngineRules.keeps_transactions`): kind. remaining: what
    the order had left after it. closed: how much of it closed a position. rate: what the fee is of the
    amount; of FUNDING the funding rate. mark, index: of a contract, as of that moment.

    Of FUNDING: trade: the number of the trade before it; order: 0; price: the mark price; quantity, amount:
    what was held, and was worth; is_buyer: whether it was long; fee: what was paid, below zero what was got.
    """

    trade: int
    order: OrderId
    account: AccountId
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
    realised: Decimal = ZERO
    leg: Leg = Leg.BOTH
    kind: FillKind = FillKind.TRADE
    remaining: Decimal = ZERO
    closed: Decimal = ZERO
    rate: Decimal = ZERO
    mark: Decimal | None = None
    index: Decimal | None = None


class Amendment(msgspec.Struct, frozen=True, gc=False):
    """count: how many there were of the order with it. reference: the client's own name for it.
    Quantities are 0 of what closes all of a position."""

    order: OrderId
    account: AccountId
    instrument: str
    execution: int
    client_id_before: str
    client_id_after: str
    quantity_before: Decimal
    quantity_after: Decimal
    time_us: int
    price_before: Decimal | None = None
    price_after: Decimal | None = None
    count: int = 0
    reference: str = ""


class PreventedMatch(msgspec.Struct, frozen=True, gc=False):
    """Two orders of one owner that met, as the owner of `order`, one of the two, is told of it."""

    event: e.MatchPrevented
    order: OrderId
    account: AccountId
    trade_group: int
    time_us: int


class ListRecord(msgspec.Struct, frozen=True):
    """An order list with the client ids of its legs, in their order."""

    order_list: OrderList
    client_ids: tuple[str, ...]


class ClosedRecord(msgspec.Struct, frozen=True, gc=False):
    """What one order closed of a position, all its fills together; the newest replaces those before.

    trade: the first that closed something. closed: contracts. entry, exit: what they were worth when they
    were entered, and when they were closed, in the settle asset. realised: profit before fees. opening_fee,
    funding: their shares of what was paid for the position, and received. closing_fee: of what closed.
    fills: how many closed. kind: of the newest. quantity, price, type, is_buyer, client_id: of the order;
    price: of one at market the worst that it could trade at, None for any.
    """

    trade: int
    order: OrderId
    account: AccountId
    instrument: str
    leg: Leg
    kind: FillKind
    is_buyer: bool
    type: OrderType
    quantity: Decimal
    price: Decimal | None
    client_id: str
    asset: str
    leverage: Decimal
    closed: Decimal
    entry: Decimal
    exit: Decimal
    realised: Decimal
    opening_fee: Decimal
    closing_fee: Decimal
    funding: Decimal
    fills: int
    created_us: int
    updated_us: int

    @property
    def profit(self) -> Decimal:
        """After fees and funding."""
        return self.realised - self.opening_fee - self.closing_fee + self.funding
