"""Orders: the terms a client asks for, and the mutable record of one order's life.

waiting   a pending leg of an order list, not yet placed
dormant   a trigger order whose condition has not been met
open      active; on the book once it rests
ended     filled, canceled, expired: never changes again
"""

from __future__ import annotations

from decimal import Decimal
from enum import Enum
from typing import NamedTuple

import msgspec

from emulator.core.ids import NO_LIST, AccountId, ListId, OrderId
from emulator.core.instruments import BUY, SELL, OrderType, SelfTradeMode, Side, TimeInForce, TriggerSource
from emulator.core.numbers import BIPS, ONE, ZERO
from emulator.core.positions import Leg


class TriggerKind(str, Enum):
    STOP_LOSS = "stop_loss"
    TAKE_PROFIT = "take_profit"


class Trigger(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """When a dormant order becomes active.

    price: the stop price, or None for a trailing order that tracks from the start.
    trailing_bips: distance of the reversal in 1/10,000 that fires a trailing order, or None.
    trailing_distance: the same as a difference of prices. A trailing order has one of the two.
    source: the price that is watched. A trailing order tracks the same.
    """

    kind: TriggerKind
    price: Decimal | None = None
    trailing_bips: int | None = None
    source: TriggerSource = TriggerSource.LAST
    trailing_distance: Decimal | None = None

    @property
    def is_trailing(self) -> bool:
        """Whether it follows the price, from the stop price on if it has one."""
        return self.trailing_bips is not None or self.trailing_distance is not None

    def fires_on_rise(self, side: Side) -> bool:
        """Whether the stop price lies above the market at entry."""
        return (side is BUY) is (self.kind is TriggerKind.STOP_LOSS)

    def fires_at(self, side: Side, extreme: Decimal) -> Decimal:
        """Where a trailing order fires after its price turned back from `extreme`."""
        if self.trailing_distance is not None:
            return extreme + (-self.trailing_distance if side is SELL else self.trailing_distance)
        assert self.trailing_bips is not None
        distance = BIPS * self.trailing_bips
        return extreme * (ONE - distance if side is SELL else ONE + distance)


class PegSide(str, Enum):
    PRIMARY = "primary"
    """The best price of the order's own side."""
    MARKET = "market"
    """The best price of the opposite side."""


class Peg(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Take the limit price from the book at the moment the order becomes active; it then stays.

    levels: how many existing price levels deeper into the book, 0 for the best one.
    """

    side: PegSide
    levels: int = 0


class StopRole(str, Enum):
    """What an order that waits for its trigger is there for.

    All but the first two belong to a position: they end with it, and do not count as its owner's own.
    """

    NONE = "none"
    STOP = "stop"
    """An order like any other, only later."""
    TAKE_PROFIT = "take_profit"
    """Closes all of a position."""
    STOP_LOSS = "stop_loss"
    PARTIAL_TAKE_PROFIT = "partial_take_profit"
    """Closes a part of a position, or sells again what a pair's order bought."""
    PARTIAL_STOP_LOSS = "partial_stop_loss"
    TRAILING = "trailing"
    """Closes all of a position when the price turned back by a distance."""


OF_POSITIONS = frozenset(StopRole) - {StopRole.NONE, StopRole.STOP}
TAKES_PROFIT = frozenset({StopRole.TAKE_PROFIT, StopRole.PARTIAL_TAKE_PROFIT})
STOPS_LOSS = frozenset({StopRole.STOP_LOSS, StopRole.PARTIAL_STOP_LOSS})


class Stop(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Where a position is left, with a profit or a loss.

    source: the price that is watched. limit: the price of the order that comes then; None: at market.
    """

    price: Decimal
    source: TriggerSource = TriggerSource.LAST
    limit: Decimal | None = None

    @property
    def type(self) -> OrderType:
        return OrderType.MARKET if self.limit is None else OrderType.LIMIT


class Attached(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The stops that an order brings along for what it opens.

    whole: for all of the position, in place of what it had, and at market; else for what the order traded.
    """

    whole: bool
    take_profit: Stop | None = None
    stop_loss: Stop | None = None


class Slippage(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """How far an order at market may go beyond the best opposite price: price steps, or a part of it."""

    steps: int | None = None
    ratio: Decimal | None = None


class Cause(str, Enum):
    """Who wanted an order."""

    OWNER = "owner"
    LIQUIDATION = "liquidation"
    """The exchange: the position could not be kept."""
    DELEVERAGING = "deleveraging"
    """The exchange: the other side of a position that could not be kept."""
    DELIVERY = "delivery"
    """The exchange: the contract is delivered."""
    REPLENISHMENT = "replenishment"
    """The exchange, as its owner lets it: a position could not be kept without more margin."""
    REDUCTION = "reduction"
    """The exchange: a position could not be kept, and may be if it is smaller by a tier."""


class OrderTerms(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """What a client asks for. Quantities in base; quote_quantity and price in quote asset.

    quantity is None for a market order by quote_quantity, and for legs whose quantity comes from
    what the working order received. labels are the dialect's own words, kept and given back.

    good_till_us: when it expires, unless it has ended before; whether it rests by then or still waits.
    price_protect: whether it expires where it would be triggered by a price that is too far from another
    (`Instrument.trigger_protect`).

    Of contracts only: leg, which position it is about; reduce_only: it may never open or turn one;
    close_position: it closes all that there is when it is active, and has no quantity. leverage: at which it
    opens, and by which it needs margin, where orders have one of their own; None: the position's.
    close_on_trigger: it only reduces, and where others in the book stand in its way when it becomes active,
    they end. It may be without a trigger and with close_position: then it closes as much of the position at
    once as one order at market may.

    detached: it is not an order of the market itself, only waits for its trigger, and holds nothing; then
    another order of the same name takes its place, with an id of its own.
    cause: who wanted it.

    Of pairs only: borrows: it may pay with more than there is, which is owed then, as far as its wallet's
    margin allows.
    attached: the stops that follow from its trades; ignored where it only reduces. role: what it is there
    for. parent: the order whose trades it followed from; 0: none. parent_name: the client id that it had.
    slippage: of an order at market, how far from the best price it may trade; None: as far as anybody's may.
    """

    side: Side
    type: OrderType
    quantity: Decimal | None = None
    quote_quantity: Decimal | None = None
    price: Decimal | None = None
    time_in_force: TimeInForce = TimeInForce.GTC
    post_only: bool = False
    trigger: Trigger | None = None
    iceberg_quantity: Decimal | None = None
    peg: Peg | None = None
    self_trade_mode: SelfTradeMode | None = None
    client_id: str = ""
    labels: tuple[tuple[str, str], ...] = ()
    leg: Leg = Leg.BOTH
    reduce_only: bool = False
    close_position: bool = False
    price_protect: bool = False
    detached: bool = False
    good_till_us: int | None = None
    cause: Cause = Cause.OWNER
    leverage: Decimal | None = None
    borrows: bool = False
    close_on_trigger: bool = False
    attached: Attached | None = None
    role: StopRole = StopRole.NONE
    parent: OrderId = 0
    parent_name: str = ""
    slippage: Slippage | None = None

    @property
    def reduces(self) -> bool:
        """Whether it may only make a position smaller, as every order against a leg of hedge mode."""
        if self.leg is not Leg.BOTH and (self.leg is Leg.LONG) is (self.side is SELL):
            return True
        return self.reduce_only or self.close_position or self.close_on_trigger


class OrderStatus(str, Enum):
    WAITING = "waiting"
    DORMANT = "dormant"
    NEW = "new"
    PARTIALLY_FILLED = "partially_filled"
    FILLED = "filled"
    CANCELED = "canceled"
    EXPIRED = "expired"
    EXPIRED_IN_MATCH = "expired_in_match"
    TRIGGERED = "triggered"
    """Another order took its place, see `OrderTerms.detached`."""


class EndReason(str, Enum):
    """Why an order ended without being filled, or canceled by its owner: of a canceled one, why so."""

    NONE = "none"
    UNFILLED_IMMEDIATE = "unfilled_immediate"
    UNFILLED_ALL_OR_NOTHING = "unfilled_all_or_nothing"
    WOULD_TAKE = "would_take"
    NO_LIQUIDITY = "no_liquidity"
    SELF_TRADE = "self_trade"
    LIST_SIBLING = "list_sibling"
    LIST_WORKING_ENDED = "list_working_ended"
    INSUFFICIENT_BALANCE = "insufficient_balance"
    NO_PEG_LEVEL = "no_peg_level"
    REFUSED_AT_ACTIVATION = "refused_at_activation"
    NOTHING_TO_REDUCE = "nothing_to_reduce"
    LIQUIDATION = "liquidation"
    """What its account had could not be kept any more."""
    DELEVERAGING = "deleveraging"
    """A position of its account is the other side of one that could not be kept."""
    DELIVERED = "delivered"
    """Its contract is not traded any more."""
    PRICE_PROTECTED = "price_protected"
    TIME_PASSED = "time_passed"
    TAKE_PROFIT_FIRED = "take_profit_fired"
    """Of a stop loss: the other one of its pair was triggered."""
    STOP_LOSS_FIRED = "stop_loss_fired"
    POSITION_CLOSED = "position_closed"
    """Of a position's stops: there is nothing left that they could close."""
    DISCONNECTED = "disconnected"
    """Its owner was gone for longer than orders may stay."""
    MADE_WAY = "made_way"
    """Of one that only reduces: another one that closes was triggered, and needed its part."""


ENDED = frozenset(
    {
        OrderStatus.FILLED,
        OrderStatus.CANCELED,
        OrderStatus.EXPIRED,
        OrderStatus.EXPIRED_IN_MATCH,
        OrderStatus.TRIGGERED,
    }
)


class Parent(NamedTuple):
    """The order that brought another one along, and its client id."""

    order: OrderId
    name: str


NO_PARENT = Parent(0, "")


class Order(msgspec.Struct, kw_only=True, eq=False, gc=False):
    """One order's record. Only `State.apply` changes it.

    quantity: None until known (market by quote quantity that has not traded, funded legs).
    price: the effective limit price; None for market orders and pegs that are not yet active.
    held: what the wallet holds for it, in `hold_asset`.
    resting: in the book. asleep: waiting for its stop price, or `trailing` the market.
    extreme: where a trailing order began to track at `extreme_us`. seen: the best price since then of
    trades by accounts and by hand; the market's own are asked for when needed.
    executed_cost: of a contract, what was traded is worth in its settle asset, to the contract's cost step.
    origin: the detached order in whose place it came. successor: what came in its place. 0: none.
    bound: of an order at market that was active, the worst price it could trade at; None: any.
    fees: what its trades have cost by now, by asset; below zero: a rebate.
    """

    id: OrderId
    account: AccountId
    wallet: str
    instrument: str
    terms: OrderTerms
    client_id: str
    self_trade_mode: SelfTradeMode
    trade_group: int
    quantity: Decimal | None
    price: Decimal | None
    status: OrderStatus
    list_id: ListId
    hold_asset: str
    held: Decimal = ZERO
    executed: Decimal = ZERO
    executed_amount: Decimal = ZERO
    prevented: Decimal = ZERO
    prevented_match: int | None = None
    visible: Decimal = ZERO
    resting: bool = False
    asleep: bool = False
    trailing: bool = False
    extreme: Decimal | None = None
    extreme_us: int = 0
    seen: Decimal | None = None
    amend_count: int = 0
    end_reason: EndReason = EndReason.NONE
    created_us: int
    updated_us: int
    working_us: int = 0
    queued_us: int = 0
    executed_cost: Decimal = ZERO
    origin: OrderId = 0
    successor: OrderId = 0
    bound: Decimal | None = None
    fees: tuple[tuple[str, Decimal], ...] = ()

    @property
    def side(self) -> Side:
        return self.terms.side

    @property
    def remaining(self) -> Decimal:
        """What can still trade: quantity less executed less prevented; 0 while the quantity is open."""
        if self.quantity is None:
            return ZERO
        return self.quantity - self.executed - self.prevented

    @property
    def is_ended(self) -> bool:
        return self.status in ENDED

    @property
    def in_list(self) -> bool:
        return self.list_id != NO_LIST
