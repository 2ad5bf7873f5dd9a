"""What happened. Past participle; frozen; the only thing that changes state.

An event holds what `apply` cannot derive without deciding again. Every event of one command carries
the command's time, which the journal keeps once for all of them.
"""

from __future__ import annotations

from decimal import Decimal

import msgspec

from emulator.core.commands import BookSide, PriceMode
from emulator.core.ids import AccountId, ListId, OrderId, TradeId
from emulator.core.instruments import SelfTradeMode, Side
from emulator.core.order_lists import ListKind
from emulator.core.orders import Cause, EndReason, OrderStatus, OrderTerms
from emulator.core.positions import AccountMargin, Leg, MarginMode


class Event(msgspec.Struct, frozen=True, kw_only=True, array_like=True, tag=True, gc=False):
    """The root of all events."""


class AccountOpened(Event, frozen=True, kw_only=True):
    account: AccountId
    name: str
    trade_group: int


class FeePaymentSet(Event, frozen=True, kw_only=True):
    """wallet: the one that it is about; None: all of them."""

    account: AccountId
    discounted: bool
    wallet: str | None = None


class PreferenceSet(Event, frozen=True, kw_only=True):
    """A choice of an account's that means nothing to the core. value: empty: not any more."""

    account: AccountId
    name: str
    value: str


class AmountDeposited(Event, frozen=True, kw_only=True):
    account: AccountId
    wallet: str
    asset: str
    amount: Decimal
    movement: int
    reference: str


class AmountWithdrawn(Event, frozen=True, kw_only=True):
    account: AccountId
    wallet: str
    asset: str
    amount: Decimal
    fee: Decimal
    movement: int
    reference: str
    labels: tuple[tuple[str, str], ...]


class AmountTransferred(Event, frozen=True, kw_only=True):
    account: AccountId
    asset: str
    amount: Decimal
    source: str
    target: str
    movement: int
    reference: str = ""


class AmountLocked(Event, frozen=True, kw_only=True):
    """A system outside the exchange holds so much more of an account's funds; less, if negative."""

    account: AccountId
    wallet: str
    asset: str
    amount: Decimal


class BalanceCorrected(Event, frozen=True, kw_only=True):
    """What the books lacked of what they should say was booked: what was added to a wallet's free and held
    funds, and to the counterparty `rounding`. account: None where no wallet is concerned.

    The open orders and lists that this wallet pays hold from then on exactly what they need.
    """

    account: AccountId | None
    wallet: str
    asset: str
    free: Decimal
    held: Decimal
    rounding: Decimal


class LeverageSet(Event, frozen=True, kw_only=True):
    """leg: for which it holds from now on, and the position that is there; None: for all."""

    account: AccountId
    instrument: str
    leverage: Decimal
    leg: Leg | None = None


class MarginModeSet(Event, frozen=True, kw_only=True):
    account: AccountId
    instrument: str
    mode: MarginMode


class PositionModeSet(Event, frozen=True, kw_only=True):
    """instrument: the one contract that it is about; empty: all of the wallet."""

    account: AccountId
    wallet: str
    hedged: bool
    instrument: str = ""


class CollateralModeSet(Event, frozen=True, kw_only=True):
    """shared: all assets of the wallet stand together; else each covers what settles in it."""

    account: AccountId
    wallet: str
    shared: bool


class AccountMarginSet(Event, frozen=True, kw_only=True):
    """How all contracts of a wallet are covered from now on. Positions become isolated, or cross, with it;
    the margins of isolated ones were given back just before, or are put up right after."""

    account: AccountId
    wallet: str
    mode: AccountMargin


class CollateralUseSet(Event, frozen=True, kw_only=True):
    """Whether what is owned of an asset counts where assets stand together."""

    account: AccountId
    wallet: str
    asset: str
    used: bool


class ReplenishmentSet(Event, frozen=True, kw_only=True):
    """Whether margin is moved to an isolated position out of what is free before it is liquidated."""

    account: AccountId
    instrument: str
    leg: Leg
    on: bool


class SpotMarginSet(Event, frozen=True, kw_only=True):
    """leverage: of what orders of pairs borrow; None: they may not."""

    account: AccountId
    wallet: str
    leverage: Decimal | None


class FundsBorrowed(Event, frozen=True, kw_only=True):
    """An asset was lent to a wallet: it is free there, and owed."""

    account: AccountId
    wallet: str
    asset: str
    amount: Decimal


class LoanRepaid(Event, frozen=True, kw_only=True):
    """What had been borrowed was given back out of free funds: the principal, and interest on it."""

    account: AccountId
    wallet: str
    asset: str
    principal: Decimal
    interest: Decimal


class InterestCharged(Event, frozen=True, kw_only=True):
    """Interest of one hour. owed: all that was owed of the asset; bearing: so much of it bears interest.

    amount: what is charged; of_loan: how much of it is owed from now on with what was borrowed, the rest
    was paid from free funds, whether it was there or not.
    """

    account: AccountId
    wallet: str
    asset: str
    owed: Decimal
    bearing: Decimal
    rate: Decimal
    amount: Decimal
    of_loan: Decimal


class MarginMoved(Event, frozen=True, kw_only=True):
    """Free funds became margin of an isolated position, or the other way round, if negative.

    cause: who wanted it.
    """

    account: AccountId
    instrument: str
    leg: Leg
    amount: Decimal
    cause: Cause = Cause.OWNER


class FundingPaid(Event, frozen=True, kw_only=True):
    """All positions in a contract paid or got funding: their value at the mark price times the rate.

    Each payment moved a wallet's free funds; of an isolated position its margin, as far as that goes.
    """

    instrument: str
    mark: Decimal
    rate: Decimal


class LiquidationBegun(Event, frozen=True, kw_only=True):
    """What there is does not cover any more what must be kept: orders are ended, then positions closed.

    instrument, leg: of an isolated position; else empty and BOTH, for all that is covered together: by
    one asset of a wallet, or by all of them (asset empty). equity, maintenance: in that asset, or in the
    account's unit.
    """

    account: AccountId
    wallet: str
    asset: str
    instrument: str
    leg: Leg
    equity: Decimal
    maintenance: Decimal


class LiquidationCharged(Event, frozen=True, kw_only=True):
    """The insurance fund got its fee for what a liquidation closed."""

    order: OrderId
    account: AccountId
    instrument: str
    amount: Decimal


class PositionTakenOver(Event, frozen=True, kw_only=True):
    """A part of a liquidation order was filled outside the book, at the bankruptcy price.

    trade: a number that is no public trade's. amount: as of `TradeExecuted`. by_fund: the insurance fund took
    it, and parted with it for `mark`: the mark price, or what the book gave for a part of it and the mark
    price for the rest, on average; else the market took it as it was, as when its contract was delivered.
    fee: what its owner was charged, in the settle asset.
    """

    order: OrderId
    instrument: str
    trade: TradeId
    price: Decimal
    quantity: Decimal
    amount: Decimal
    mark: Decimal
    by_fund: bool
    fee: Decimal = Decimal(0)


class AutoDeleveraged(Event, frozen=True, kw_only=True):
    """A part of a liquidation order was filled by closing somebody's opposite position (`counter`), outside
    the book and at the bankruptcy price of the liquidated one. fee, counter_fee: what either owner was
    charged. Otherwise as `PositionTakenOver`."""

    order: OrderId
    counter: OrderId
    instrument: str
    trade: TradeId
    price: Decimal
    quantity: Decimal
    amount: Decimal
    fee: Decimal = Decimal(0)
    counter_fee: Decimal = Decimal(0)


class AssetExchanged(Event, frozen=True, kw_only=True):
    """One asset was bought for another from the market, at a price that was agreed on: what was owed, or what
    the account itself wanted. reference: its own name for it; empty where nobody asked for it.
    """

    account: AccountId
    wallet: str
    sold: str
    sold_amount: Decimal
    bought: str
    bought_amount: Decimal
    reference: str = ""


class InsurancePaid(Event, frozen=True, kw_only=True):
    """The insurance fund paid what was lost beyond what there was."""

    account: AccountId
    wallet: str
    asset: str
    amount: Decimal


class OrderPlaced(Event, frozen=True, kw_only=True):
    """An order was accepted. status: waiting, dormant or new; price: the effective limit price.

    quantity: as asked for, or what a market order by quote quantity comes to; None for a funded leg.
    extreme: where a trailing order starts to track, None when it does not track yet.
    origin: the detached order that it follows upon; 0: none.
    bound: of an order at market, the worst price it may trade at; None: any.
    """

    order: OrderId
    account: AccountId
    wallet: str
    instrument: str
    terms: OrderTerms
    self_trade_mode: SelfTradeMode
    status: OrderStatus
    quantity: Decimal | None
    price: Decimal | None
    extreme: Decimal | None
    order_list: ListId
    origin: OrderId = 0
    bound: Decimal | None = None


class OrderRested(Event, frozen=True, kw_only=True):
    """What remains of an active order entered the book."""

    order: OrderId


class TradeExecuted(Event, frozen=True, kw_only=True):
    """Two orders, or an order and the market's own liquidity (order id 0), traded.

    amount: price times quantity in quote asset, rounded to its ledger step; of a contract, what it is worth
    in its settle asset.
    feed_price, feed_since_us: which level of the market's liquidity was consumed, if one was.
    Fees are amounts of the named asset; of the market's own side there is none.
    """

    instrument: str
    trade: TradeId
    price: Decimal
    quantity: Decimal
    amount: Decimal
    taker_side: Side
    taker: OrderId
    maker: OrderId
    taker_fee: Decimal
    taker_fee_asset: str
    maker_fee: Decimal
    maker_fee_asset: str
    feed_price: Decimal | None
    feed_since_us: int


class MatchPrevented(Event, frozen=True, kw_only=True):
    """Two orders of one owner met. The quantities are what each lost by it (0: nothing)."""

    instrument: str
    match: int
    taker: OrderId
    maker: OrderId
    mode: SelfTradeMode
    price: Decimal
    taker_prevented: Decimal
    maker_prevented: Decimal
    transferred: Decimal
    transferred_amount: Decimal


class TrailingStarted(Event, frozen=True, kw_only=True):
    """A trailing order began to track from this extreme."""

    order: OrderId
    extreme: Decimal


class OrderTriggered(Event, frozen=True, kw_only=True):
    """A dormant order became active with this limit price (None: market).

    quantity: what the position leaves it to close; None: what it had. bound: as of `OrderPlaced`.
    """

    order: OrderId
    price: Decimal | None
    quantity: Decimal | None = None
    bound: Decimal | None = None


class OrderSucceeded(Event, frozen=True, kw_only=True):
    """The condition of a detached order is met: it is over, and another one is placed in its stead."""

    order: OrderId
    successor: OrderId


class OrderActivated(Event, frozen=True, kw_only=True):
    """A waiting leg was placed. status: dormant or new."""

    order: OrderId
    status: OrderStatus
    price: Decimal | None
    quantity: Decimal
    extreme: Decimal | None


class OrderAmended(Event, frozen=True, kw_only=True):
    """price: the new limit price; None: as it was. reenters: it left the book, and what it trades and that
    it rests follow. reference: the client's own name for the amendment. quantity: None of what closes all of
    a position. terms: where more than price and quantity was changed, all that they are now."""

    order: OrderId
    execution: int
    quantity: Decimal | None
    client_id: str
    price: Decimal | None = None
    reenters: bool = False
    reference: str = ""
    terms: OrderTerms | None = None


class OrderCanceled(Event, frozen=True, kw_only=True):
    """reason: where it was not its owner who wanted that."""

    order: OrderId
    cancel_client_id: str
    reason: EndReason = EndReason.NONE


class OrderExpired(Event, frozen=True, kw_only=True):
    """execution: of the amendment that left nothing of the order; 0 where something else ended it."""

    order: OrderId
    reason: EndReason
    execution: int = 0


class CountdownSet(Event, frozen=True, kw_only=True):
    """The open orders of an account on one instrument will be canceled at a moment; None: not any more."""

    account: AccountId
    instrument: str
    at_us: int | None


class OrderListPlaced(Event, frozen=True, kw_only=True):
    order_list: ListId
    account: AccountId
    wallet: str
    instrument: str
    kind: ListKind
    funded: bool
    client_id: str
    orders: tuple[OrderId, ...]


class OrderListEnded(Event, frozen=True, kw_only=True):
    """What is still open of it is in no list any more."""

    order_list: ListId


class PriceSet(Event, frozen=True, kw_only=True):
    """A pair was moved by hand. shift: what is added to the feed's price in mode SHIFT."""

    instrument: str
    price: Decimal
    mode: PriceMode
    shift: Decimal
    ask_at_price: bool


class BookSet(Event, frozen=True, kw_only=True):
    instrument: str
    bids: BookSide
    asks: BookSide


class TradePrinted(Event, frozen=True, kw_only=True):
    instrument: str
    trade: TradeId
    price: Decimal
    quantity: Decimal
    buyer_is_maker: bool


class MarketReleased(Event, frozen=True, kw_only=True):
    instrument: str


Filling = TradeExecuted | PositionTakenOver | AutoDeleveraged
"""What fills orders, in the book or outside of it."""

AnyEvent = (
    AccountOpened
    | FeePaymentSet
    | AmountDeposited
    | AmountWithdrawn
    | AmountTransferred
    | AmountLocked
    | BalanceCorrected
    | OrderPlaced
    | OrderRested
    | TradeExecuted
    | MatchPrevented
    | TrailingStarted
    | OrderTriggered
    | OrderActivated
    | OrderSucceeded
    | OrderAmended
    | OrderCanceled
    | OrderExpired
    | OrderListPlaced
    | OrderListEnded
    | PriceSet
    | BookSet
    | TradePrinted
    | MarketReleased
    | LeverageSet
    | MarginModeSet
    | MarginMoved
    | PositionModeSet
    | CountdownSet
    | FundingPaid
    | LiquidationBegun
    | LiquidationCharged
    | PositionTakenOver
    | AutoDeleveraged
    | InsurancePaid
    | CollateralModeSet
    | AssetExchanged
    | AccountMarginSet
    | CollateralUseSet
    | SpotMarginSet
    | FundsBorrowed
    | LoanRepaid
    | InterestCharged
    | PreferenceSet
    | ReplenishmentSet
)
