"""Why not: the closed set of refusals, each with the context a dialect needs to say it in its words."""

from __future__ import annotations

from decimal import Decimal
from enum import Enum

import msgspec


class Rejection(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The root of all rejections."""


class UnknownAccount(Rejection):
    account: int


class UnknownInstrument(Rejection):
    instrument: str


class UnknownWallet(Rejection):
    wallet: str


class UnknownOrder(Rejection):
    """No such order, or not one that is open where an open one is needed."""


class UnknownOrderList(Rejection):
    pass


class OrderIdsDisagree(Rejection):
    """The order id and the client id name different orders."""


class InstrumentNotTrading(Rejection):
    instrument: str


class DuplicateClientId(Rejection):
    client_id: str


class AmountInvalid(Rejection):
    """Not positive, or finer than the asset's ledger step."""

    amount: Decimal


class InsufficientBalance(Rejection):
    asset: str
    needed: Decimal
    available: Decimal


class Limit(str, Enum):
    """Which rule of an instrument an order breaks."""

    PRICE_RANGE = "price_range"
    PRICE_STEP = "price_step"
    PRICE_BAND = "price_band"
    QUANTITY_RANGE = "quantity_range"
    QUANTITY_STEP = "quantity_step"
    MARKET_QUANTITY_RANGE = "market_quantity_range"
    MARKET_QUANTITY_STEP = "market_quantity_step"
    NOTIONAL = "notional"
    ICEBERG_PARTS = "iceberg_parts"
    TRAILING_DISTANCE = "trailing_distance"
    POSITION = "position"
    ORDERS = "orders"
    TRIGGER_ORDERS = "trigger_orders"
    ICEBERG_ORDERS = "iceberg_orders"
    ORDER_LISTS = "order_lists"
    AMENDS = "amends"


class LimitBroken(Rejection):
    limit: Limit
    value: Decimal | None = None


class Feature(str, Enum):
    MARKET = "market"
    QUOTE_QUANTITY = "quote_quantity"
    TRIGGER = "trigger"
    TRAILING = "trailing"
    ICEBERG = "iceberg"
    PEG = "peg"
    ORDER_LIST = "order_list"
    REPLACE = "replace"
    AMEND = "amend"


class FeatureOff(Rejection):
    """The instrument does not offer this."""

    feature: Feature


class SelfTradeModeNotAllowed(Rejection):
    pass


class WouldTake(Rejection):
    """A post-only order would trade at once."""


class WouldTrigger(Rejection):
    """A trigger order's condition is met already."""


class WouldNotFill(Rejection):
    """A fill-or-kill order cannot be filled, where that is a refusal."""


class NotionalZero(Rejection):
    """Price times quantity is zero or less."""


class IcebergTooLarge(Rejection):
    """The visible quantity exceeds the whole."""


class BookTooThin(Rejection):
    """The book holds less than the smallest quantity that may trade."""


class NoPegLevel(Rejection):
    """The book has no level to take a pegged price from."""


class ListPricesWrong(Rejection):
    """The prices of a list's legs are on the wrong sides of the market or of each other."""


class CancelRestricted(Rejection):
    """The order is not in the state that the cancel was restricted to."""


class AmendIncreases(Rejection):
    pass


class AmendChangesNothing(Rejection):
    pass


class AmendPendingFunded(Rejection):
    """A funded leg has no quantity before its working order is filled."""


class OrderTermsInvalid(Rejection):
    """A combination of terms that no dialect should let through; `reason` says which."""

    reason: str


class ReplaceFailed(Rejection):
    """At least one half of a replacement failed; None: that half succeeded.

    `place_attempted` is False when the placement was not tried.
    """

    cancel: Rejection | None
    place: Rejection | None
    place_attempted: bool
