"""What the workload, the notebook and the auditor say to each other, in words that no exchange owns.

What is asked for is said in the core's own words (`OrderTerms`, `ListKind`, ...). What is answered is
said in the values below: a dialect makes them from whatever its exchange answers.
"""

from __future__ import annotations

from decimal import Decimal
from enum import Enum

import msgspec

from emulator.core.instruments import Side
from emulator.core.order_lists import ListKind
from emulator.core.orders import ENDED, OrderStatus

RANKS = {
    OrderStatus.WAITING: 0,
    OrderStatus.DORMANT: 1,
    OrderStatus.NEW: 2,
    OrderStatus.PARTIALLY_FILLED: 3,
    **dict.fromkeys(ENDED, 4),
}
"""An order's status never goes to a lower one, and never from one that ended to another."""


class Outcome(str, Enum):
    DONE = "done"
    REFUSED = "refused"
    """By the exchange, with a reason: nothing was done, or what the answer shows."""
    UNDONE = "undone"
    """The exchange could not, and nothing was done."""
    UNKNOWN = "unknown"


class Traded(msgspec.Struct, frozen=True, kw_only=True):
    """What a client must know of an instrument. lot: a quantity worth some hundred units of money."""

    name: str
    base: str
    quote: str
    price_step: Decimal
    quantity_step: Decimal
    lot: Decimal
    routed: bool = False


class OrderView(msgspec.Struct, frozen=True, kw_only=True):
    """An order as an answer or a message shows it. None: that answer does not tell.

    price: the limit price that it has now. stop: what a dormant order waits for, if that is a price.
    """

    id: int
    name: str
    instrument: str
    list_id: int = 0
    side: Side | None = None
    quantity: Decimal | None = None
    executed: Decimal | None = None
    amount: Decimal | None = None
    prevented: Decimal = Decimal(0)
    status: OrderStatus | None = None
    price: Decimal | None = None
    stop: Decimal | None = None

    @property
    def is_ended(self) -> bool:
        return self.status in ENDED

    @property
    def rank(self) -> int:
        return -1 if self.status is None else RANKS[self.status]


class FillView(msgspec.Struct, frozen=True, kw_only=True):
    """One account's side of one trade."""

    trade: int
    order: int
    instrument: str
    price: Decimal
    quantity: Decimal
    fee: Decimal
    fee_asset: str
    amount: Decimal | None = None
    is_buyer: bool | None = None
    is_maker: bool | None = None
    time_ms: int | None = None


class Swap(msgspec.Struct, frozen=True, kw_only=True):
    """What two accounts of one owner exchanged instead of trading: no trade, and no fee."""

    id: int
    instrument: str
    taker: int
    maker: int
    price: Decimal
    quantity: Decimal


class ListView(msgspec.Struct, frozen=True, kw_only=True):
    id: int
    name: str
    instrument: str
    orders: tuple[int, ...]
    is_done: bool


class Movement(msgspec.Struct, frozen=True, kw_only=True):
    """Money that came (no source), went (no target), or changed wallets."""

    source: str
    target: str
    asset: str
    amount: Decimal
    reference: str = ""


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """reason: of a refusal, for people. is_absent: what was asked for does not exist.

    is_broken: an answer that an exchange must never give.
    """

    outcome: Outcome
    reason: str = ""
    orders: tuple[OrderView, ...] = ()
    fills: tuple[FillView, ...] = ()
    lists: tuple[ListView, ...] = ()
    is_absent: bool = False
    is_broken: bool = False


class OrderTold(msgspec.Struct, frozen=True, kw_only=True):
    """A message about an order. execution: grows from one to the next."""

    order: OrderView
    execution: int
    fill: FillView | None = None


class BalancesTold(msgspec.Struct, frozen=True, kw_only=True):
    """free and held, by asset; of assets that may have changed."""

    balances: dict[str, tuple[Decimal, Decimal]]


class ListTold(msgspec.Struct, frozen=True, kw_only=True):
    view: ListView


Told = OrderTold | BalancesTold | ListTold


class Book(msgspec.Struct, frozen=True, kw_only=True):
    """What is offered, best first."""

    bids: tuple[tuple[Decimal, Decimal], ...]
    asks: tuple[tuple[Decimal, Decimal], ...]


class ListForm(str, Enum):
    """The order lists, by how their legs hang together and who pays."""

    OCO = "oco"
    OTO = "oto"
    OTOCO = "otoco"
    OPO = "opo"
    OPOCO = "opoco"

    @property
    def kind(self) -> ListKind:
        match self:
            case ListForm.OCO:
                return ListKind.OCO
            case ListForm.OTO | ListForm.OPO:
                return ListKind.OTO
            case ListForm.OTOCO | ListForm.OPOCO:
                return ListKind.OTOCO

    @property
    def is_funded(self) -> bool:
        return self in (ListForm.OPO, ListForm.OPOCO)
