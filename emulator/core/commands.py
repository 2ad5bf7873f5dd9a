"""What may be asked of an engine. Imperative; frozen; checked only when decided."""

from __future__ import annotations

from decimal import Decimal
from enum import Enum

import msgspec

from emulator.core.ids import AccountId, ListId, OrderId
from emulator.core.instruments import Side, TriggerSource
from emulator.core.liquidation import Risk
from emulator.core.order_lists import ListKind
from emulator.core.orders import Attached, EndReason, OrderTerms, Parent, Peg, Stop, StopRole
from emulator.core.positions import AccountMargin, Leg, MarginMode


class Command(msgspec.Struct, frozen=True, kw_only=True, tag=True, gc=False):
    """The root of all commands."""


class OpenAccount(Command, frozen=True, kw_only=True):
    """Open an account; ids are minted by the sandbox so that all engines agree on them."""

    account: AccountId
    name: str
    trade_group: int = 0


class Deposit(Command, frozen=True, kw_only=True):
    account: AccountId
    wallet: str
    asset: str
    amount: Decimal
    reference: str = ""


class Withdraw(Command, frozen=True, kw_only=True):
    """Take `amount` out, of which `fee` stays with the exchange and the rest leaves it."""

    account: AccountId
    wallet: str
    asset: str
    amount: Decimal
    fee: Decimal
    reference: str = ""
    labels: tuple[tuple[str, str], ...] = ()


class Transfer(Command, frozen=True, kw_only=True):
    """Move free funds between two wallets of one account. reference: the client's own name for it."""

    account: AccountId
    asset: str
    amount: Decimal
    source: str
    target: str
    reference: str = ""


class ExchangeAssets(Command, frozen=True, kw_only=True):
    """Sell one asset of a wallet of contracts to the market for another one, at a price that whoever commands
    it answers for. reference: a name for it, never empty."""

    account: AccountId
    wallet: str
    sold: str
    sold_amount: Decimal
    bought: str
    bought_amount: Decimal
    reference: str


class LockFunds(Command, frozen=True, kw_only=True):
    """Hold free funds on behalf of a system outside the exchange, as when they are pledged as collateral."""

    account: AccountId
    wallet: str
    asset: str
    amount: Decimal


class UnlockFunds(Command, frozen=True, kw_only=True):
    """Give back what such a system holds."""

    account: AccountId
    wallet: str
    asset: str
    amount: Decimal


class CorrectBalance(Command, frozen=True, kw_only=True):
    """Make books agree with themselves that do not: add so much to a wallet's free and held funds, and to
    the counterparty `rounding`. account: None where no wallet is concerned. See `audit.corrections`."""

    account: AccountId | None
    wallet: str
    asset: str
    free: Decimal
    held: Decimal
    rounding: Decimal


class SetFeePayment(Command, frozen=True, kw_only=True):
    """Choose whether fees are paid in the exchange's discount asset when there is enough of it; for trades
    of a wallet, or of all."""

    account: AccountId
    discounted: bool
    wallet: str | None = None


class SetPreference(Command, frozen=True, kw_only=True):
    """Keep something that an account chose and that means nothing here, only to the dialect that names it.

    value: empty: not any more. Choosing what is chosen already changes nothing.
    """

    account: AccountId
    name: str
    value: str


class SetLeverage(Command, frozen=True, kw_only=True):
    """Choose the leverage of an account's positions in one contract, those that exist included.

    leg: the one leg of hedge mode for which it is chosen; None: for all positions. opposite: of the leg
    against the one that is named, chosen together with it; None: what it is.
    """

    account: AccountId
    instrument: str
    leverage: Decimal
    leg: Leg | None = None
    opposite: Decimal | None = None


class SetMarginMode(Command, frozen=True, kw_only=True):
    """Choose how positions in one contract are covered; refused while there are orders or positions."""

    account: AccountId
    instrument: str
    mode: MarginMode


class SetPositionMode(Command, frozen=True, kw_only=True):
    """Choose between one position and two legs for all contracts of a wallet, or of all wallets where the
    exchange has one mode for them; refused while there are orders or positions.

    instruments: where each contract has a mode of its own, those that are meant, all or none of them; empty:
    all of the wallet that can have two legs.
    """

    account: AccountId
    wallet: str
    hedged: bool
    instruments: tuple[str, ...] = ()


class SetCollateralMode(Command, frozen=True, kw_only=True):
    """Choose whether all assets of a wallet cover all its contracts together, or each what settles in it;
    refused while there are orders or anything isolated."""

    account: AccountId
    wallet: str
    shared: bool


class SetAccountMargin(Command, frozen=True, kw_only=True):
    """Choose how all contracts of a wallet are covered. Positions and orders stay: margins are put up or
    given back, and it is refused where what is there would not be covered afterwards."""

    account: AccountId
    wallet: str
    mode: AccountMargin


class SetCollateralUse(Command, frozen=True, kw_only=True):
    """Choose whether what is owned of assets counts among those that stand together; what is owed of them
    does in any case. All of them or none. others: assets for which the opposite is chosen with it."""

    account: AccountId
    wallet: str
    assets: tuple[str, ...]
    used: bool
    others: tuple[str, ...] = ()


class SetReplenishment(Command, frozen=True, kw_only=True):
    """Let margin be moved to an isolated position out of what is free before it is liquidated, or not; there
    or not yet."""

    account: AccountId
    instrument: str
    on: bool
    leg: Leg = Leg.BOTH


class SetSpotMargin(Command, frozen=True, kw_only=True):
    """Let orders of pairs in a wallet borrow what they pay with, or not. leverage: owed funds need so much
    less initial margin; None: as it was, or as the assets have it."""

    account: AccountId
    wallet: str
    on: bool
    leverage: Decimal | None = None


class BorrowFunds(Command, frozen=True, kw_only=True):
    """Borrow an asset, which is free in the wallet then, and owed."""

    account: AccountId
    wallet: str
    asset: str
    amount: Decimal


class RepayFunds(Command, frozen=True, kw_only=True):
    """Give back what is owed of an asset, interest first, out of what is free of it.

    amount: None: as much as there is. converts: what is missing is bought for the other assets that stand
    together with it, and what is below zero made up for.
    """

    account: AccountId
    wallet: str
    asset: str
    amount: Decimal | None = None
    converts: bool = False


class MoveMargin(Command, frozen=True, kw_only=True):
    """Add so much to the margin of an isolated position, or take it back, if negative."""

    account: AccountId
    instrument: str
    amount: Decimal
    leg: Leg = Leg.BOTH


class PlaceOrder(Command, frozen=True, kw_only=True):
    account: AccountId
    wallet: str
    instrument: str
    terms: OrderTerms


class TestOrder(Command, frozen=True, kw_only=True):
    """Check an order as PlaceOrder does, up to the book, without placing it."""

    account: AccountId
    wallet: str
    instrument: str
    terms: OrderTerms


class PlaceOrderList(Command, frozen=True, kw_only=True):
    """legs: the two of an OCO; working and pending of an OTO; working and the pair of an OTOCO."""

    account: AccountId
    wallet: str
    instrument: str
    kind: ListKind
    legs: tuple[OrderTerms, ...]
    funded: bool = False
    client_id: str = ""


class CancelRestriction(str, Enum):
    ONLY_NEW = "only_new"
    ONLY_PARTIALLY_FILLED = "only_partially_filled"


class CancelOrder(Command, frozen=True, kw_only=True):
    """Name the order by id, by client id, or by both (which must then agree).

    cancel_client_id names the cancel itself. Canceling one leg of a list cancels the list.
    """

    account: AccountId
    instrument: str
    order: OrderId | None = None
    client_id: str | None = None
    cancel_client_id: str = ""
    restriction: CancelRestriction | None = None


class CancelAllOrders(Command, frozen=True, kw_only=True):
    """Cancel every open order of an account on one instrument; refused when there is none.

    dormant: True for only those that wait for their trigger, False for only the others; None for all.
    detached: likewise, for only those that wait for it beside the market.
    """

    account: AccountId
    instrument: str
    cancel_client_id: str = ""
    dormant: bool | None = None
    detached: bool | None = None


class CancelOrders(Command, frozen=True, kw_only=True):
    """Cancel the open orders of an account on some instruments, and what is listed with them. That there is
    none is no refusal.

    dormant, detached: as of `CancelAllOrders`. listed: True for only those that are in an order list, False
    for only the others. roles: only those that are there for one of these; None: whatever for. orders_max:
    no more than so many, picked from all over them, and an order list whole or not at all; None: all.
    """

    account: AccountId
    instruments: tuple[str, ...]
    dormant: bool | None = None
    detached: bool | None = None
    listed: bool | None = None
    roles: tuple[StopRole, ...] | None = None
    orders_max: int | None = None


class EndOrders(Command, frozen=True, kw_only=True):
    """End the open orders of an account on some instruments on the exchange's own behalf, if any.

    dormant: as of `CancelAllOrders`.
    """

    account: AccountId
    instruments: tuple[str, ...]
    reason: EndReason
    dormant: bool | None = None


class SetCountdown(Command, frozen=True, kw_only=True):
    """Cancel every open order of an account on one instrument at a moment to come, unless this is said
    again before; None: do not. That there is none to end is no refusal."""

    account: AccountId
    instrument: str
    at_us: int | None


class CancelOrderList(Command, frozen=True, kw_only=True):
    account: AccountId
    instrument: str
    order_list: ListId | None = None
    client_id: str | None = None
    cancel_client_id: str = ""


class ReplaceOrder(Command, frozen=True, kw_only=True):
    """Cancel one order and place another, the new one's limits checked before the cancel.

    stop_on_failure: do not place when the cancel fails. place_allowed: False when a quota forbids
    the placement and only the cancel may be tried.
    """

    cancel: CancelOrder
    place: PlaceOrder
    stop_on_failure: bool
    place_allowed: bool = True


class AmendOrder(Command, frozen=True, kw_only=True):
    """Reduce an open order's quantity to `quantity`; it keeps its place in the queue."""

    account: AccountId
    instrument: str
    quantity: Decimal
    order: OrderId | None = None
    client_id: str | None = None
    new_client_id: str = ""


class ModifyOrder(Command, frozen=True, kw_only=True):
    """Give an open order another price or quantity, up or down; it keeps its id, and loses its place in the
    queue unless its instrument lets it keep that when only the quantity shrinks.

    price, quantity: None: as it is; peg: take the price from the book instead. quantity is all that the order
    is to trade, what it has traded included; no more than that, and it is canceled or this is refused, as its
    instrument has it, and one that may only rest and would trade is canceled. reference: the client's own
    name for the modification.
    trigger_price, trigger_source: of an order that waits for its trigger, where its instrument lets such be
    modified. attached: all the stops that it shall bring along, from now on; None: as they are.
    """

    account: AccountId
    instrument: str
    price: Decimal | None = None
    quantity: Decimal | None = None
    peg: Peg | None = None
    order: OrderId | None = None
    client_id: str | None = None
    reference: str = ""
    trigger_price: Decimal | None = None
    trigger_source: TriggerSource | None = None
    attached: Attached | None = None


class Trail(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A position is left when the price turns back by `distance`.

    activation: from when on its best price is followed; None: from now on.
    """

    distance: Decimal
    activation: Decimal | None = None
    source: TriggerSource = TriggerSource.LAST


class SetStops(Command, frozen=True, kw_only=True):
    """Say where a position is left. All of it ends when the position does.

    whole: the take profit and the stop loss of all of the position, of which there is one each: what is given
    becomes so, what is not stays. Given both, the one ends the other; where later only one of such two is
    given and changed, they are bound no more. Else a further pair for a part of the position, `quantity`.
    trailing: of all of the position. removes: of what is for all of it, what shall not be there any more:
    TAKE_PROFIT, STOP_LOSS, TRAILING.
    Refused with `SettingUnchanged` where that changes nothing.
    """

    account: AccountId
    instrument: str
    leg: Leg = Leg.BOTH
    whole: bool = True
    take_profit: Stop | None = None
    stop_loss: Stop | None = None
    trailing: Trail | None = None
    quantity: Decimal | None = None
    removes: tuple[StopRole, ...] = ()


class PriceMode(str, Enum):
    HOLD = "hold"
    """The pair stays at the price."""
    SHIFT = "shift"
    """The pair jumps to the price now and goes on moving from there."""


class SetPrice(Command, frozen=True, kw_only=True):
    """Move a pair by hand, on every instrument of the engine that trades it.

    follows: another engine has that price exactly; here the nearest that there can be is enough.
    """

    pair: str
    price: Decimal
    mode: PriceMode = PriceMode.HOLD
    follows: bool = False


BookSide = tuple[tuple[Decimal, Decimal], ...]
"""(price, quantity), best first."""


class SetBook(Command, frozen=True, kw_only=True):
    """Replace the market's own levels of an instrument by these, until released. A quote is a
    book of one level a side."""

    instrument: str
    bids: BookSide
    asks: BookSide


class PrintTrade(Command, frozen=True, kw_only=True):
    """Let the market print one trade; resting orders that it reaches are filled from it."""

    instrument: str
    price: Decimal
    quantity: Decimal
    buyer_is_maker: bool = False


class ReleaseMarket(Command, frozen=True, kw_only=True):
    """Give a pair back to its feed: prices, quotes and books set by hand end."""

    pair: str


class AdvanceInstrument(Command, frozen=True, kw_only=True):
    """Let happen what the market makes due on one instrument at the command's time."""

    instrument: str


class EndDue(Command, frozen=True, kw_only=True):
    """Internal: end the orders on an instrument whose time has passed, or whose owner's countdown has."""

    instrument: str


class TriggerOrder(Command, frozen=True, kw_only=True):
    """Internal: a dormant order's condition is met."""

    order: OrderId


class DropReducing(Command, frozen=True, kw_only=True):
    """Internal: end the orders of an account that can only reduce a position which is not there any more, or
    not so much of it (`Contract.trims_reducing`)."""

    account: AccountId
    instrument: str


class SplitReducing(Command, frozen=True, kw_only=True):
    """Internal: an order that may only reduce was larger than one may be; place so much more of it."""

    account: AccountId
    instrument: str
    terms: OrderTerms
    price: Decimal | None
    quantity: Decimal


class FollowStops(Command, frozen=True, kw_only=True):
    """Internal: an order with stops attached traded `quantity`, or more by now of a position."""

    parent: Parent
    account: AccountId
    wallet: str
    instrument: str
    leg: Leg
    side: Side
    attached: Attached
    quantity: Decimal


class PayFunding(Command, frozen=True, kw_only=True):
    """Internal: the interval of a contract's funding is over."""

    instrument: str


class ChargeInterest(Command, frozen=True, kw_only=True):
    """Internal: an hour is over for which interest is due on what an account owes."""

    account: AccountId


class DeliverContract(Command, frozen=True, kw_only=True):
    """Internal: a contract is at its end; close all positions in it at its settlement price."""

    instrument: str


class Liquidate(Command, frozen=True, kw_only=True):
    """Internal: what there is may not cover any more what must be kept."""

    risk: Risk


class CloseOut(Command, frozen=True, kw_only=True):
    """Internal: of what is being liquidated, close the next position or a part of it, or settle what is owed
    when there is none left."""

    risk: Risk


class ExchangeOwed(Command, frozen=True, kw_only=True):
    """Internal: where assets stand together, more is owed of one than may be; buy it for the others."""

    account: AccountId
    wallet: str


class ActivateOrder(Command, frozen=True, kw_only=True):
    """Internal: place a waiting leg whose working order is filled."""

    order: OrderId


class ExpireOrder(Command, frozen=True, kw_only=True):
    """Internal: end an order for a reason that is not its owner's."""

    order: OrderId
    reason: str


class EndOrderList(Command, frozen=True, kw_only=True):
    """Internal: every leg of a list has ended."""

    order_list: ListId
