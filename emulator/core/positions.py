"""A futures position and what trades make of it: opened, increased, reduced, closed, turned round.

Its entry is kept as quantity and cost and divided only to be shown, so that no order of trades moves
it by a rounding. Nothing here knows whose position it is, or moves money: a `Change` says what moves.
"""

from __future__ import annotations

from decimal import Decimal
from enum import Enum
from typing import NamedTuple

import msgspec

from emulator.core.contracts import Contract, FeeBasis, Rounding, closing_fee, divided, rounded, value_of
from emulator.core.numbers import ONE, ZERO, divide_half, divide_up


class MarginMode(str, Enum):
    CROSS = "cross"
    ISOLATED = "isolated"


class AccountMargin(str, Enum):
    """How all contracts of a wallet are covered, where an account has one mode for all of them."""

    ISOLATED = "isolated"
    """Each position by its own margin, each asset for itself; nothing can be owed."""
    CROSS = "cross"
    """All by all assets together."""
    PORTFOLIO = "portfolio"
    """As CROSS; what positions have to keep is not less for covering one another."""


class Leg(str, Enum):
    """BOTH: the one position of one-way mode; LONG, SHORT: the two of hedge mode."""

    BOTH = "both"
    LONG = "long"
    SHORT = "short"


class Position(msgspec.Struct, frozen=True, kw_only=True):
    """quantity: contracts, above zero when long, below when short; zero when flat.

    cost: what it was worth when it was entered, in the settle asset, never negative.
    margin: what is put up for it alone; zero under cross margin.
    realised, fees, funding: since it was last flat: profit before fees, fees paid, funding received.
    updated_us: when it changed last, as far as somebody noted it.
    """

    leg: Leg = Leg.BOTH
    mode: MarginMode = MarginMode.CROSS
    leverage: Decimal = ONE
    quantity: Decimal = ZERO
    cost: Decimal = ZERO
    margin: Decimal = ZERO
    realised: Decimal = ZERO
    fees: Decimal = ZERO
    funding: Decimal = ZERO
    updated_us: int = 0

    @property
    def direction(self) -> Decimal:
        """1 when long, -1 when short, 0 when flat."""
        return ZERO if not self.quantity else ONE if self.quantity > ZERO else -ONE


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What one trade made of a position.

    closed, opened: contracts of the trade that closed the old position, and that opened or added.
    realised: profit of what was closed, before fees. entry: what that was worth when it was entered.
    closing_fee: the part of the fee that is for what was closed.
    margin_taken: isolated margin put up for what was opened; margin_released: given back.
    """

    position: Position
    closed: Decimal = ZERO
    opened: Decimal = ZERO
    realised: Decimal = ZERO
    margin_taken: Decimal = ZERO
    margin_released: Decimal = ZERO
    entry: Decimal = ZERO
    closing_fee: Decimal = ZERO


class BreakEven(msgspec.Struct, frozen=True, kw_only=True):
    """What a break-even price makes up for, beside realised profit.

    closing_rate: the fee rate that closing at that price would cost; zero: it is not counted.
    """

    counts_fees: bool = True
    counts_funding: bool = False
    closing_rate: Decimal = ZERO


def traded(
    contract: Contract,
    position: Position,
    *,
    quantity: Decimal,
    price: Decimal,
    fee: Decimal = ZERO,
    leverage: Decimal | None = None,
) -> Change:
    """The position after a trade of `quantity` contracts: above zero bought, below zero sold.

    In one-way mode a trade larger than the opposite position turns it round: the old one is closed,
    a new one begins with the rest, and the fee is shared between them by quantity. A leg of hedge
    mode never turns; that it would is the caller's mistake. leverage: at which the trade opens, where its
    order has one of its own (`joined_leverage`); None: the position's.
    """
    assert quantity, "a trade of nothing"
    if not position.quantity or (quantity > ZERO) is (position.quantity > ZERO):
        return _increased(contract, position, quantity, price, fee, leverage)
    surplus = abs(quantity) - abs(position.quantity)
    if surplus <= ZERO:
        return _reduced(contract, position, abs(quantity), price, fee)
    assert position.leg is Leg.BOTH, f"a {position.leg.value} leg would turn round"
    fee_closing = divide_half(fee * abs(position.quantity), abs(quantity), contract.settle_step)
    closing = _reduced(contract, position, abs(position.quantity), price, fee_closing)
    rest = surplus if quantity > ZERO else -surplus
    opening = _increased(contract, closing.position, rest, price, fee - fee_closing, leverage)
    return Change(
        position=opening.position,
        closed=closing.closed,
        opened=opening.opened,
        realised=closing.realised,
        margin_taken=opening.margin_taken,
        margin_released=closing.margin_released,
        entry=closing.entry,
        closing_fee=fee_closing,
    )


def _increased(
    contract: Contract,
    position: Position,
    quantity: Decimal,
    price: Decimal,
    fee: Decimal,
    own_leverage: Decimal | None,
) -> Change:
    assert position.leg is Leg.BOTH or (quantity > ZERO) is (position.leg is Leg.LONG), (
        f"a {position.leg.value} leg would open on the other side"
    )
    margin, value = ZERO, abs(value_of(contract, quantity, price))
    leverage = position.leverage if own_leverage is None else own_leverage
    if position.mode is MarginMode.ISOLATED:
        margin = entry_margin(contract, quantity=quantity, price=price, leverage=leverage)
    was_flat = not position.quantity
    increased = msgspec.structs.replace(
        position,
        leverage=joined_leverage(contract, position, value, leverage),
        quantity=position.quantity + quantity,
        cost=position.cost + value,
        margin=position.margin + margin,
        realised=ZERO if was_flat else position.realised,
        fees=fee if was_flat else position.fees + fee,
        funding=ZERO if was_flat else position.funding,
    )
    return Change(position=increased, opened=abs(quantity), margin_taken=margin)


def _reduced(contract: Contract, position: Position, closed: Decimal, price: Decimal, fee: Decimal) -> Change:
    """A share of cost and margin is released, rounded; what stays is what is left of them."""
    held = abs(position.quantity)
    if closed == held:
        cost, margin = position.cost, position.margin
    else:
        cost = divide_half(position.cost * closed, held, contract.cost_step)
        margin = divided(position.margin * closed, held, contract.settle_step, Rounding.DOWN)
    gained = contract.sense * position.direction * (value_of(contract, closed, price) - cost)
    realised = rounded(gained, contract.settle_step, contract.profit_rounding)
    reduced = msgspec.structs.replace(
        position,
        quantity=position.quantity - position.direction * closed,
        cost=position.cost - cost,
        margin=position.margin - margin,
        realised=position.realised + realised,
        fees=position.fees + fee,
    )
    return Change(
        position=reduced,
        closed=closed,
        realised=realised,
        margin_released=margin,
        entry=cost,
        closing_fee=fee,
    )


def joined_leverage(contract: Contract, position: Position, value: Decimal, leverage: Decimal) -> Decimal:
    """The leverage of a position after so much was added to it at another: all cost over all that opening it
    took, (C + v) / (C / L + v / l), to the contract's cost step; that of the addition when it was flat."""
    if leverage == position.leverage:
        return leverage
    cost, before = position.cost, position.leverage
    if not cost:
        return leverage
    return divide_half(
        (cost + value) * before * leverage, cost * leverage + value * before, contract.cost_step
    )


def entry_margin(contract: Contract, *, quantity: Decimal, price: Decimal, leverage: Decimal) -> Decimal:
    """What opening so many contracts at a price takes as isolated margin: value / leverage, and what closing
    them costs as far as the contract's initial margin has that. quantity: below zero sold."""
    amount = abs(quantity) * contract.size
    if contract.is_inverse:
        margin = divided(amount, price * leverage, contract.settle_step, contract.margin_rounding)
    else:
        margin = divided(amount * price, leverage, contract.settle_step, contract.margin_rounding)
    if contract.initial_fee:
        direction, value = ONE if quantity > ZERO else -ONE, abs(value_of(contract, quantity, price))
        margin += closing_fee(contract, value, direction, leverage, contract.initial_fee)
    return margin


class ClosingCost(NamedTuple):
    """What a maintenance margin holds for closing: `rate` of what the position is worth, and `amount`."""

    rate: Decimal
    amount: Decimal


NO_CLOSING_COST = ClosingCost(ZERO, ZERO)


def closing_cost(contract: Contract, position: Position) -> ClosingCost:
    """The fee for closing a position, as its maintenance margin holds it.

    Of what it is worth; or of what it is worth at its bankruptcy price. That is where the margin of an
    isolated one is used up by the loss and by that very fee, V = (C - s * d * margin) / (1 - s * d * fee),
    which no mark price changes; and V(mark) * (L - s * d) / L under cross margin. Source: help centre of
    Bybit, "The New Margin Calculation: Adjustments and Implications".
    """
    fee = contract.maintenance_fee
    if not fee:
        return NO_CLOSING_COST
    if contract.maintenance_fee_on is FeeBasis.VALUE:
        return ClosingCost(fee, ZERO)
    lean = contract.sense * position.direction
    if position.mode is MarginMode.CROSS:
        leverage = position.leverage
        return ClosingCost(divide_up(fee * (leverage - lean), leverage, _RATE_STEP), ZERO)
    bankrupt = position.cost - lean * position.margin
    if bankrupt <= ZERO:
        return NO_CLOSING_COST  # It cannot lose all of its margin.
    return ClosingCost(ZERO, divided(fee * bankrupt, ONE - lean * fee, contract.settle_step, Rounding.UP))


_RATE_STEP = Decimal("1E-12")


def after_funding(position: Position, amount: Decimal, *, margin: Decimal = ZERO) -> Position:
    """The position after a funding payment; `amount` is above zero when it was received.

    margin: how much of it moves the margin of an isolated position, and not the wallet.
    """
    return msgspec.structs.replace(
        position, funding=position.funding + amount, margin=position.margin + margin
    )


def after_margin(position: Position, amount: Decimal) -> Position:
    """The isolated position after its owner added margin, or took `-amount` of it back."""
    assert position.mode is MarginMode.ISOLATED, "there is no margin of its own"
    assert position.margin + amount >= ZERO, "more margin than there is"
    return msgspec.structs.replace(position, margin=position.margin + amount)


def entry_price(contract: Contract, position: Position, step: Decimal) -> Decimal:
    """The average price of what is held, to the nearest multiple of `step`; zero when flat.

    Linear: cost / (quantity * size). Inverse: quantity * size / cost, a harmonic mean.
    """
    if not position.quantity:
        return ZERO
    amount = abs(position.quantity) * contract.size
    if contract.is_inverse:
        return divide_half(amount, position.cost, step)
    return divide_half(position.cost, amount, step)


def unrealised(contract: Contract, position: Position, mark: Decimal) -> Decimal:
    """What closing at the mark price would realise: side * quantity * size * (mark - entry) when linear,
    side * quantity * size * (1/entry - 1/mark) when inverse."""
    if not position.quantity:
        return ZERO
    value = abs(value_of(contract, position.quantity, mark))
    gained = contract.sense * position.direction * (value - position.cost)
    return rounded(gained, contract.settle_step, contract.profit_rounding)


def break_even_price(contract: Contract, position: Position, rule: BreakEven, step: Decimal) -> Decimal:
    """The price at which closing leaves nothing gained or lost since the position was last flat.

    With d the direction, Q the contracts times their size, C the cost, N what was netted so far and c
    the closing rate. Linear: d(pQ - C) + N - cpQ = 0. Inverse: d(C - Q/p) + N - cQ/p = 0.
    Zero when flat, or when there is no such price above zero.
    """
    if not position.quantity:
        return ZERO
    netted = position.realised
    if rule.counts_fees:
        netted -= position.fees
    if rule.counts_funding:
        netted += position.funding
    amount = abs(position.quantity) * contract.size
    direction = position.direction
    if contract.is_inverse:
        numerator, denominator = amount * (direction + rule.closing_rate), direction * position.cost + netted
    else:
        numerator, denominator = direction * position.cost - netted, amount * (direction - rule.closing_rate)
    if not denominator or (numerator > ZERO) is not (denominator > ZERO):
        return ZERO
    return divide_half(numerator, denominator, step)
