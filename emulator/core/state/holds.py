"""What an order needs its wallet to hold."""

from __future__ import annotations

from decimal import Decimal

from emulator.core.instruments import SELL, FeeAssetRule, Instrument, Side
from emulator.core.numbers import ZERO, divide_up, round_up
from emulator.core.orders import OrderTerms

_QUOTE = FeeAssetRule.QUOTE


def dormant_price(terms: OrderTerms, extreme: Decimal | None) -> Decimal:
    """The price at which funds are held for an order that waits for its trigger."""
    if terms.price is not None:
        return terms.price
    assert terms.trigger is not None
    price = extreme if terms.trigger.price is None else terms.trigger.price
    assert price is not None
    return price


def dormant_requirement(
    instrument: Instrument, terms: OrderTerms, extreme: Decimal | None, quantity: Decimal | None
) -> Decimal:
    """Funds that an order of a pair holds while it waits for its trigger: none if it is detached. Of one by
    quote quantity, to sell so much at the price of its trigger."""
    if terms.detached:
        return ZERO
    price = dormant_price(terms, extreme)
    if quantity is not None:
        return requirement(instrument, terms.side, price, quantity)
    assert terms.quote_quantity is not None
    if terms.side is SELL:
        return divide_up(terms.quote_quantity, price, instrument.base_step)
    return terms.quote_quantity


def requirement(instrument: Instrument, side: Side, price: Decimal, quantity: Decimal) -> Decimal:
    """Funds that an order of this price and quantity holds: base for a sell, quote for a buy.

    The fee is held too where it is charged in the asset that the order pays with.
    """
    if side is SELL:
        return quantity
    amount = price * quantity
    if instrument.hold_includes_fee or instrument.fee_asset_rule is _QUOTE:
        amount += amount * max(instrument.maker_fee, instrument.taker_fee)
    # Mostly there is nothing to round, and that is found out quicker than a call is made.
    step = instrument.quote_step
    return round_up(amount, step) if amount % step else amount
