"""The words of the stories: what somebody does on an exchange, and what is true afterwards, said so that it
holds on any of them.

Quantities are lots: 0.1 BTC of a pair or of a linear contract, 1,000 USD of an inverse one.
"""

from __future__ import annotations

from decimal import Decimal
from enum import Enum
from typing import NamedTuple


class Product(str, Enum):
    SPOT = "spot"
    LINEAR = "linear"
    INVERSE = "inverse"


EVERYWHERE = tuple(Product)
CONTRACTS = (Product.LINEAR, Product.INVERSE)


class Side(str, Enum):
    BUY = "buy"
    SELL = "sell"


BUY, SELL = Side.BUY, Side.SELL


class Leg(str, Enum):
    """Which position it is about, where there are two."""

    LONG = "long"
    SHORT = "short"


class Status(str, Enum):
    WAITING = "waiting"
    """For its trigger."""
    OPEN = "open"
    PARTLY_FILLED = "partly filled"
    FILLED = "filled"
    ENDED = "ended"
    """Without having been filled as a whole: by its owner, or by its own conditions."""


class Role(str, Enum):
    MAKER = "maker"
    TAKER = "taker"


# What is done


class Book(NamedTuple):
    """The market has one level on each side, deep enough for everybody."""

    bid: str
    ask: str


class Price(NamedTuple):
    """The pair stands at a price, and so do index and mark."""

    at: str


class Print(NamedTuple):
    """The market sells so much at a price, and so fills who waits there."""

    lots: str
    price: str


class Pass(NamedTuple):
    seconds: int


class Place(NamedTuple):
    """limit: None at market. stop: the last price at which it becomes active, from the other side."""

    name: str
    side: Side
    lots: str
    limit: str | None = None
    stop: str | None = None
    post_only: bool = False
    at_once: bool = False
    reduce_only: bool = False
    leg: Leg | None = None


class Amend(NamedTuple):
    """lots: all that the order is to trade, what it has traded included."""

    name: str
    lots: str
    limit: str


class Shrink(NamedTuple):
    """An order is to trade no more than so many lots in all."""

    name: str
    lots: str


class Cancel(NamedTuple):
    name: str


class Hedge(NamedTuple):
    """From now on there are two positions."""


class Isolate(NamedTuple):
    """Positions have a margin of their own from now on, at a leverage."""

    leverage: int


class NearlyLost(NamedTuple):
    """The pair stands a little before the price at which the position is said to be liquidated."""


class Lost(NamedTuple):
    """The pair stands beyond it."""


# What is true then


class Is(NamedTuple):
    """An order's status, and how many lots it has traded."""

    name: str
    status: Status
    lots: str = "0"


class Refused(NamedTuple):
    """What is tried is refused, and changes nothing."""

    attempt: Place | Amend | Cancel


class Holds(NamedTuple):
    """The position: lots, below zero when short, and the average price at which it was entered."""

    lots: str
    entry: str = "0"
    leg: Leg | None = None


class Trade(NamedTuple):
    side: Side
    lots: str
    price: str
    role: Role
    closes: str | None = None
    """The entry of what it closes of a position."""


class Gained(NamedTuple):
    """All that the wallet has more or less than at the beginning follows from these trades and their fees."""

    trades: tuple[Trade, ...]


class LostItsMargin(NamedTuple):
    """The wallet has less than at the beginning, but no more is gone than what was put up, and fees."""

    lots: str
    price: str


class Funded(NamedTuple):
    """Beside what the trades came to, one payment of funding was made or received: the value of the position
    at its mark price times the rate that everybody is told of; who is long pays a rate above zero."""

    lots: str
    mark: str
    trades: tuple[Trade, ...]


Step = (
    Book
    | Price
    | Print
    | Pass
    | Place
    | Amend
    | Shrink
    | Cancel
    | Hedge
    | Isolate
    | NearlyLost
    | Lost
    | Is
    | Refused
    | Holds
    | Gained
    | LostItsMargin
    | Funded
)


class Told(NamedTuple):
    """What an exchange says of an order. quantity: traded, in the exchange's own units."""

    status: Status
    quantity: Decimal


class Story(NamedTuple):
    title: str
    on: tuple[Product, ...]
    steps: tuple[Step, ...]
    needs: frozenset[str] = frozenset()
    """What only some exchanges have on some products, see `Venue.offers`."""
