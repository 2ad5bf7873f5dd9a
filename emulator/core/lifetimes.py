"""What an account's positions in one contract came to, however often they were flat.

A position forgets everything when it is closed; this does not. It also knows which of the fees and of the
funding belong to what is held now, so that whoever closes a part of it can be told what that part came to.
Pure, like `positions`, and kept only where the rules of an engine ask for it.
"""

from __future__ import annotations

from decimal import Decimal

import msgspec

from emulator.core.contracts import Contract, value_of
from emulator.core.numbers import ZERO, divide_half
from emulator.core.positions import Change, Position


class Lifetime(msgspec.Struct, frozen=True):
    """All positions that an account has had in one contract, or in one leg of it.

    created_us: when the first one was opened; 0: never. opened_us: since when there is one; 0 when flat.
    updated_us, trade: when a trade changed it last, and the number of that trade.
    realised, fees, funding: profit before fees, fees paid, funding received, all of it.
    opening_fees, held_funding: what of the last two belongs to what is held now; closing a part of it takes
    its share of them.
    """

    created_us: int = 0
    opened_us: int = 0
    updated_us: int = 0
    trade: int = 0
    realised: Decimal = ZERO
    fees: Decimal = ZERO
    funding: Decimal = ZERO
    opening_fees: Decimal = ZERO
    held_funding: Decimal = ZERO


class Closing(msgspec.Struct, frozen=True, kw_only=True):
    """What a trade closed of a position, in the settle asset; `quantity` zero where it only opened.

    entry, exit: what was closed was worth when it was entered, and by this trade. realised: profit before
    fees. opening_fee, funding: the shares of what had been paid for it, and received. closing_fee: of this
    trade. leverage: of the position until then. position: contracts after the trade, below zero when short.
    """

    quantity: Decimal
    entry: Decimal
    exit: Decimal
    realised: Decimal
    opening_fee: Decimal
    closing_fee: Decimal
    funding: Decimal
    leverage: Decimal
    position: Decimal


def after_trade(
    contract: Contract,
    lifetime: Lifetime,
    before: Position,
    change: Change,
    *,
    price: Decimal,
    fee: Decimal,
    trade: int,
    now_us: int,
) -> tuple[Lifetime, Closing]:
    """What `positions.traded` made of `before`, with the fee that it was given."""
    opening_fee = _share(contract, lifetime.opening_fees, change.closed, before)
    funding = _share(contract, lifetime.held_funding, change.closed, before)
    closing = Closing(
        quantity=change.closed,
        entry=change.entry,
        exit=abs(value_of(contract, change.closed, price)),
        realised=change.realised,
        opening_fee=opening_fee,
        closing_fee=change.closing_fee,
        funding=funding,
        leverage=before.leverage,
        position=change.position.quantity,
    )
    is_new = bool(change.opened) and change.closed == abs(before.quantity)
    after = Lifetime(
        created_us=lifetime.created_us or now_us,
        opened_us=0 if not change.position.quantity else now_us if is_new else lifetime.opened_us,
        updated_us=now_us,
        trade=trade,
        realised=lifetime.realised + change.realised,
        fees=lifetime.fees + fee,
        funding=lifetime.funding,
        opening_fees=lifetime.opening_fees - opening_fee + fee - change.closing_fee,
        held_funding=lifetime.held_funding - funding,
    )
    return after, closing


def _share(contract: Contract, whole: Decimal, closed: Decimal, before: Position) -> Decimal:
    """A share of it by quantity, to the settle step; of what is closed entirely all that is left."""
    if not whole or not closed:
        return ZERO
    held = abs(before.quantity)
    return whole if closed == held else divide_half(whole * closed, held, contract.settle_step)


def after_payment(lifetime: Lifetime, amount: Decimal) -> Lifetime:
    """After funding that was received, or paid, if negative."""
    return msgspec.structs.replace(
        lifetime, funding=lifetime.funding + amount, held_funding=lifetime.held_funding + amount
    )
