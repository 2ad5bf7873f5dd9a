"""Why not: the closed set of refusals, each with the context a dialect needs to say it in its words."""

from __future__ import annotations

from decimal import Decimal
from enum import Enum

import msgspec

from emulator.core.instruments import Side, TriggerSource
from emulator.core.orders import StopRole


class Rejection(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The root of all rejections."""


class UnknownAccount(Rejection, frozen=True, kw_only=True):
    account: int


class UnknownInstrument(Rejection, frozen=True, kw_only=True):
    instrument: str


class UnknownWallet(Rejection, frozen=True, kw_only=True):
    wallet: str


class UnknownOrder(Rejection, frozen=True, kw_only=True):
    """No such order, or not one that is open where an open one is needed."""


class UnknownOrderList(Rejection, frozen=True, kw_only=True):
    pass


class OrderIdsDisagree(Rejection, frozen=True, kw_only=True):
    """The order id and the client id name different orders."""


class InstrumentNotTrading(Rejection, frozen=True, kw_only=True):
    instrument: str


class DuplicateClientId(Rejection, frozen=True, kw_only=True):
    client_id: str


class TimePassed(Rejection, frozen=True, kw_only=True):
    """Something was to happen at a moment that is not in the future."""

    at_us: int


class AmountInvalid(Rejection, frozen=True, kw_only=True):
    """Not positive, or finer than the asset's ledger step."""

    amount: Decimal


class InsufficientBalance(Rejection, frozen=True, kw_only=True):
    asset: str
    needed: Decimal
    available: Decimal


class InsufficientMargin(Rejection, frozen=True, kw_only=True):
    """What would have to be covered by an account's collateral, and what is left of it."""

    asset: str
    needed: Decimal
    available: Decimal


class PositionTooLarge(Rejection, frozen=True, kw_only=True):
    """More than may be held at the leverage; both are values in the settle asset."""

    leverage: Decimal
    value: Decimal
    most: Decimal


class NotAContract(Rejection, frozen=True, kw_only=True):
    """Positions are asked for where there are none."""

    instrument: str


class LeverageInvalid(Rejection, frozen=True, kw_only=True):
    """Below one, or more than the contract allows to any position."""

    leverage: Decimal
    most: Decimal


class LeverageShared(Rejection, frozen=True, kw_only=True):
    """A leverage is named for a leg or an order that cannot have one of its own."""


class Setting(str, Enum):
    """What an account may choose about its positions."""

    LEVERAGE = "leverage"
    MARGIN_MODE = "margin_mode"
    POSITION_MODE = "position_mode"
    COLLATERAL_MODE = "collateral_mode"
    ACCOUNT_MARGIN = "account_margin"
    COLLATERAL_USE = "collateral_use"
    SPOT_MARGIN = "spot_margin"
    STOPS = "stops"
    REPLENISHMENT = "replenishment"


class SettingUnchanged(Rejection, frozen=True, kw_only=True):
    """It is so already."""

    setting: Setting


class Obstacle(str, Enum):
    """What has to be gone before a setting may be changed."""

    ORDERS = "orders"
    POSITION = "position"
    ISOLATED = "isolated"
    """Contracts in which positions are, or would be, isolated."""
    SHARED = "shared"
    """Assets that stand together, beside which nothing can be isolated."""
    DEBT = "debt"
    """Less than nothing of an asset."""
    MARGIN = "margin"
    """Positions that would not be covered any more."""
    BORROWING = "borrowing"
    """Orders that borrow what they pay with."""
    ACCOUNT = "account"
    """What is chosen for all contracts of the wallet at once."""
    NOT_OFFERED = "not_offered"
    """The exchange does not let it be chosen there."""
    CROSS = "cross"
    """Positions have no margin of their own there."""


class SettingBlocked(Rejection, frozen=True, kw_only=True):
    """It cannot be changed in this way as long as there is something that it concerns.

    elsewhere: in another wallet than that for which it was to be changed. beside: what else stands in the
    way, as far as it was asked for.
    """

    setting: Setting
    obstacle: Obstacle
    elsewhere: bool = False
    beside: tuple[Obstacle, ...] = ()


class CollateralOff(Rejection, frozen=True, kw_only=True):
    """A contract settles in an asset that its owner does not let count."""

    asset: str


class BorrowingOff(Rejection, frozen=True, kw_only=True):
    """An asset cannot be borrowed here, or not as the account has chosen. is_isolated: because each of its
    assets stands for itself."""

    asset: str
    is_isolated: bool = False


class BorrowedTooMuch(Rejection, frozen=True, kw_only=True):
    """More would be owed of an asset than may be."""

    asset: str
    owed: Decimal
    most: Decimal


class NothingOwed(Rejection, frozen=True, kw_only=True):
    """More was to be given back than is owed. owed: what is."""

    asset: str
    owed: Decimal


class LegWrong(Rejection, frozen=True, kw_only=True):
    """A leg is named where there is one position, or none where there are two."""


class NothingToReduce(Rejection, frozen=True, kw_only=True):
    """There is no position that the order could make smaller, or it is too large for what there is."""


class NoIsolatedPosition(Rejection, frozen=True, kw_only=True):
    """There is no position with a margin of its own that could be moved. is_cross: there is one without."""

    is_cross: bool = False


class MarginNeeded(Rejection, frozen=True, kw_only=True):
    """More margin was to be taken from a position than it can spare."""

    asset: str
    spare: Decimal


class StopPriceWrong(Rejection, frozen=True, kw_only=True):
    """A stop lies on the wrong side of the price that it is measured by: `base`, that of `source`, or, where
    the position is still to be opened at a limit, that limit. side: on which the position is entered."""

    role: StopRole
    side: Side
    price: Decimal
    base: Decimal
    source: TriggerSource


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
    TAKE_BOUND = "take_bound"
    CLOSING_ORDERS = "closing_orders"
    STOP_PAIRS = "stop_pairs"


class LimitBroken(Rejection, frozen=True, kw_only=True):
    """value: what breaks it. bound: what it may not be beyond, where that is not a figure of the instrument,
    and of notionals."""

    limit: Limit
    value: Decimal | None = None
    bound: Decimal | None = None


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


class FeatureOff(Rejection, frozen=True, kw_only=True):
    """The instrument does not offer this."""

    feature: Feature


class SelfTradeModeNotAllowed(Rejection, frozen=True, kw_only=True):
    pass


class WouldTake(Rejection, frozen=True, kw_only=True):
    """A post-only order would trade at once."""


class WouldTrigger(Rejection, frozen=True, kw_only=True):
    """A trigger order's condition is met already."""


class WouldNotFill(Rejection, frozen=True, kw_only=True):
    """A fill-or-kill order cannot be filled, where that is a refusal."""


class NotionalZero(Rejection, frozen=True, kw_only=True):
    """Price times quantity is zero or less."""


class IcebergTooLarge(Rejection, frozen=True, kw_only=True):
    """The visible quantity exceeds the whole."""


class BookTooThin(Rejection, frozen=True, kw_only=True):
    """The book holds less than the smallest quantity that may trade, or nothing: limit is None then."""

    limit: Limit | None = Limit.QUANTITY_RANGE


class NoPegLevel(Rejection, frozen=True, kw_only=True):
    """The book has no level to take a pegged price from."""


class ListPricesWrong(Rejection, frozen=True, kw_only=True):
    """The prices of a list's legs are on the wrong sides of the market or of each other."""


class CancelRestricted(Rejection, frozen=True, kw_only=True):
    """The order is not in the state that the cancel was restricted to."""


class OrderNotResting(Rejection, frozen=True, kw_only=True):
    """Only what is in the book can be modified."""


class AmendIncreases(Rejection, frozen=True, kw_only=True):
    pass


class AmendChangesNothing(Rejection, frozen=True, kw_only=True):
    pass


class AmendBelowExecuted(Rejection, frozen=True, kw_only=True):
    """The quantity would be no more than what was traded, where that is a refusal."""

    executed: Decimal


class AmendPendingFunded(Rejection, frozen=True, kw_only=True):
    """A funded leg has no quantity before its working order is filled."""


class OrderTermsInvalid(Rejection, frozen=True, kw_only=True):
    """A combination of terms that no dialect should let through; `reason` says which."""

    reason: str


class ReplaceFailed(Rejection, frozen=True, kw_only=True):
    """At least one half of a replacement failed; None: that half succeeded.

    `place_attempted` is False when the placement was not tried.
    """

    cancel: Rejection | None
    place: Rejection | None
    place_attempted: bool
