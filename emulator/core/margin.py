"""What positions and open orders must be covered by: initial and maintenance margin, cost of an order.

Pure functions of a contract, a position, a mark price and the open orders beside it; what there is to
cover them with is `collateral`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal

import msgspec

from emulator.core.contracts import (
    Contract,
    Rounding,
    Valuation,
    closing_fee,
    initial_margin,
    maintenance_of,
    rounded,
    value_of,
)
from emulator.core.numbers import ONE, ZERO, divide_half, divide_up
from emulator.core.positions import MarginMode, Position, closing_cost, unrealised


class OpenOrder(msgspec.Struct, frozen=True, kw_only=True):
    """quantity: contracts still open, above zero to buy, below to sell; price: what it is valued at.

    leverage: its own, where orders have one; None: the position's.
    """

    quantity: Decimal
    price: Decimal
    leverage: Decimal | None = None


class OwnLeverage(msgspec.Struct, frozen=True, kw_only=True):
    """Value and initial margin of the open orders beside one position that have a leverage of their own."""

    bids: Decimal = ZERO
    asks: Decimal = ZERO
    bids_margin: Decimal = ZERO
    asks_margin: Decimal = ZERO


_NONE_OF_ITS_OWN = OwnLeverage()


class Resting(msgspec.Struct, frozen=True, kw_only=True):
    """Value of the open orders beside one position, by side; own: of those among them that have a leverage
    of their own."""

    bids: Decimal = ZERO
    asks: Decimal = ZERO
    own: OwnLeverage | None = None

    def at(self, leverage: Decimal) -> tuple[Decimal, Decimal]:
        """Values by side at which all would ask for as much margin if they had this leverage: those of orders
        with their own are margin * leverage."""
        own = self.own
        if own is None:
            return self.bids, self.asks
        return (
            self.bids - own.bids + own.bids_margin * leverage,
            self.asks - own.asks + own.asks_margin * leverage,
        )


NOTHING_RESTS = Resting()


class Requirement(msgspec.Struct, frozen=True, kw_only=True):
    """Initial margin of one position and of the orders beside it."""

    position: Decimal
    orders: Decimal

    @property
    def total(self) -> Decimal:
        return self.position + self.orders


class CostRule(msgspec.Struct, frozen=True, kw_only=True):
    """What must be available to place an order, beside its initial margin.

    open_loss: what the order would lose at once by trading at its price and not at the mark.
    opening_rate, closing_rate: fee rates for trading it, and for closing it at its bankruptcy price.
    """

    open_loss: bool = True
    opening_rate: Decimal = ZERO
    closing_rate: Decimal = ZERO


class Holding(msgspec.Struct, frozen=True, kw_only=True):
    """One position of an account, or one leg of hedge mode, with what rests beside it."""

    contract: Contract
    position: Position
    mark: Decimal
    resting: Resting = NOTHING_RESTS


class AssetFigures(msgspec.Struct, frozen=True, kw_only=True):
    """All that an account has and owes in one settle asset, in that asset.

    wallet: its balance, isolated margin included. unrealised, position_margin, order_margin and
    maintenance are over all positions, those that begin with cross_ over those under cross margin.
    isolated: margin of isolated positions. isolated_order_margin: initial margin of orders for them,
    which is frozen in the cross wallet until they trade. held: for orders of pairs, a part of the wallet.
    borrowed: what the account borrowed by itself, with its interest; it is in the wallet, or was spent.
    """

    asset: str
    wallet: Decimal
    isolated: Decimal = ZERO
    unrealised: Decimal = ZERO
    cross_unrealised: Decimal = ZERO
    position_margin: Decimal = ZERO
    order_margin: Decimal = ZERO
    maintenance: Decimal = ZERO
    cross_margin: Decimal = ZERO
    cross_maintenance: Decimal = ZERO
    isolated_order_margin: Decimal = ZERO
    held: Decimal = ZERO
    borrowed: Decimal = ZERO
    interest: Decimal = ZERO

    @property
    def initial_margin(self) -> Decimal:
        return self.position_margin + self.order_margin

    @property
    def margin_balance(self) -> Decimal:
        return self.wallet - self.borrowed + self.unrealised

    @property
    def cross_wallet(self) -> Decimal:
        return self.wallet - self.borrowed - self.isolated

    @property
    def overdrawn(self) -> Decimal:
        """How much less than nothing is free of it."""
        return max(ZERO, self.isolated + self.held - self.wallet)

    @property
    def owed(self) -> Decimal:
        """What is borrowed, and by how much less than nothing is free, losses of cross positions counted."""
        missing = self.isolated + self.held - self.wallet - self.cross_unrealised
        return self.borrowed + max(ZERO, missing)


def resting_of(contract: Contract, orders: Iterable[OpenOrder]) -> Resting:
    """Values of orders by side."""
    resting = NOTHING_RESTS
    for order in orders:
        value = abs(value_of(contract, order.quantity, order.price))
        resting = counted(
            contract, resting, is_buy=order.quantity > ZERO, before=ZERO, value=value, leverage=order.leverage
        )
    return resting


def counted(
    contract: Contract,
    resting: Resting,
    *,
    is_buy: bool,
    before: Decimal,
    value: Decimal,
    leverage: Decimal | None = None,
) -> Resting:
    """What rests after one order came to count with another value than before, zero where it does not.

    leverage: the order's own. It asks for value / leverage then, upwards where that is not a finite decimal.
    """
    bids, asks, own = resting.bids, resting.asks, resting.own
    if is_buy:
        bids += value - before
    else:
        asks += value - before
    if leverage is not None:
        step = contract.cost_step
        margin = divide_up(value, leverage, step) - divide_up(before, leverage, step)
        own = own or _NONE_OF_ITS_OWN
        if is_buy:
            own = OwnLeverage(
                bids=own.bids + value - before,
                asks=own.asks,
                bids_margin=own.bids_margin + margin,
                asks_margin=own.asks_margin,
            )
        else:
            own = OwnLeverage(
                bids=own.bids,
                asks=own.asks + value - before,
                bids_margin=own.bids_margin,
                asks_margin=own.asks_margin + margin,
            )
        if not own.bids and not own.asks:
            own = None
    return Resting(bids=bids, asks=asks, own=own)


def margin_value(contract: Contract, position: Position, mark: Decimal) -> Decimal:
    """What a position is worth for its tier and its initial margin under cross margin, with its sign."""
    return _valued(contract, position, mark, contract.initial_by)


def _valued(contract: Contract, position: Position, mark: Decimal, by: Valuation) -> Decimal:
    if by is Valuation.ENTRY:
        return position.direction * position.cost
    return value_of(contract, position.quantity, mark) if position.quantity else ZERO


def initial_value(contract: Contract, position: Position, mark: Decimal) -> Decimal:
    """What a position is worth for its own initial margin, with its sign."""
    is_isolated = position.mode is MarginMode.ISOLATED
    by = contract.isolated_initial_by if is_isolated else contract.initial_by
    return _valued(contract, position, mark, by)


def requirement(
    contract: Contract, position: Position, mark: Decimal, resting: Resting = NOTHING_RESTS
) -> Requirement:
    """Initial margin: max(|value + bids|, |value - asks|) / leverage, of which the position's own part
    is |value| / leverage. A leg of hedge mode is asked for by itself, with the orders for that leg.

    So the two sides cover each other, and an order that only closes costs nothing until it is larger
    than twice the position. Source: Binance FAQ "How to Calculate the Margin Requirement on Binance
    Futures Trading".
    """
    value = initial_value(contract, position, mark)
    bids, asks = resting.at(position.leverage)
    larger = max(value + bids, value - asks, key=abs)
    total = initial_margin(contract, larger, position.leverage)
    own = initial_margin(contract, value, position.leverage)
    return Requirement(position=own, orders=total - own)


def maintenance(contract: Contract, position: Position, mark: Decimal) -> Decimal:
    """Maintenance margin of a position: value * rate - amount of the value's tier, and what closing costs."""
    if not position.quantity:
        return ZERO
    rate, amount = closing_cost(contract, position)
    if contract.maintenance_by is Valuation.ENTRY:
        return maintenance_of(contract, position.cost, rate) + amount
    return maintenance_of(contract, value_of(contract, position.quantity, mark), rate) + amount


def assumed_price(
    quantity: Decimal, price: Decimal, *, last: Decimal, mark: Decimal, premium: Decimal
) -> Decimal:
    """The price at which an order's initial margin is reckoned: its own to buy; to sell, the highest of
    its own, the mark price, and the last price with a premium, since a sell may trade above its price.

    Source: Binance FAQ "Cost Required to Open a Position in Perpetual Futures Contracts".
    """
    if quantity > ZERO:
        return price
    return max(last * (ONE + premium), mark, price)


def order_cost(
    contract: Contract,
    *,
    quantity: Decimal,
    price: Decimal,
    mark: Decimal,
    leverage: Decimal,
    rule: CostRule,
    assumed: Decimal | None = None,
) -> Decimal:
    """What must be available to place an order that opens: initial margin, and what `rule` adds.

    assumed: the price for the initial margin; None: the order's own. The bankruptcy value of what it
    opens is value * (leverage -+ 1) / leverage: less for a linear buy and an inverse sell, else more.
    """
    value = abs(value_of(contract, quantity, price if assumed is None else assumed))
    signed = value if quantity > ZERO else -value
    return initial_margin(contract, signed, leverage) + cost_beside_margin(
        contract, quantity=quantity, price=price, mark=mark, leverage=leverage, rule=rule
    )


def cost_beside_margin(
    contract: Contract,
    *,
    quantity: Decimal,
    price: Decimal,
    mark: Decimal,
    leverage: Decimal,
    rule: CostRule,
) -> Decimal:
    """What `rule` adds to the initial margin of an order that opens so much."""
    direction = ONE if quantity > ZERO else -ONE
    value = abs(value_of(contract, quantity, price))
    cost = ZERO
    if rule.open_loss:
        gained = contract.sense * direction * (abs(value_of(contract, quantity, mark)) - value)
        cost += rounded(max(ZERO, -gained), contract.settle_step, contract.margin_rounding)
    if rule.opening_rate:
        cost += rounded(value * rule.opening_rate, contract.settle_step, Rounding.UP)
    if rule.closing_rate:
        cost += closing_fee(contract, value, direction, leverage, rule.closing_rate)
    return cost


def figures(wallets: Mapping[str, Decimal], holdings: Iterable[Holding]) -> dict[str, AssetFigures]:
    """The figures of an account, asset by asset: each wallet, and each asset that something settles in."""
    sums = {asset: AssetFigures(asset=asset, wallet=wallet) for asset, wallet in wallets.items()}
    for holding in holdings:
        asset = holding.contract.settle
        before = sums.get(asset) or AssetFigures(asset=asset, wallet=ZERO)
        sums[asset] = _added(before, holding)
    return sums


def _added(before: AssetFigures, holding: Holding) -> AssetFigures:
    contract, position, mark = holding.contract, holding.position, holding.mark
    profit = unrealised(contract, position, mark)
    needed = requirement(contract, position, mark, holding.resting)
    kept = maintenance(contract, position, mark)
    is_cross = position.mode is MarginMode.CROSS
    return msgspec.structs.replace(
        before,
        isolated=before.isolated + position.margin,
        unrealised=before.unrealised + profit,
        cross_unrealised=before.cross_unrealised + (profit if is_cross else ZERO),
        position_margin=before.position_margin + needed.position,
        order_margin=before.order_margin + needed.orders,
        maintenance=before.maintenance + kept,
        cross_margin=before.cross_margin + (needed.total if is_cross else ZERO),
        cross_maintenance=before.cross_maintenance + (kept if is_cross else ZERO),
        isolated_order_margin=before.isolated_order_margin + (ZERO if is_cross else needed.orders),
    )


def effective_leverage(contract: Contract, position: Position, mark: Decimal, step: Decimal) -> Decimal:
    """Value of an isolated position over what is left of its margin; zero when nothing is left."""
    left = position.margin + unrealised(contract, position, mark)
    if left <= ZERO or not position.quantity:
        return ZERO
    return divide_half(abs(value_of(contract, position.quantity, mark)), left, step)
