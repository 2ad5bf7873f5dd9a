"""What a fill costs: the standard rate in the received asset, or less of it in a discount asset."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal

import msgspec

from emulator.core.instruments import BUY, FeeAssetRule, Instrument, Side
from emulator.core.numbers import ZERO, divide_down, round_down

_RECEIVED = FeeAssetRule.RECEIVED


class FeeRules(msgspec.Struct, frozen=True, kw_only=True):
    """discount_asset: what fees may be paid in, None: nothing else; discount: the part then paid.
    discounts: that part by wallet where linear contracts are traded; in others they have none.
    """

    discount_asset: str | None = None
    discount: Decimal = Decimal("0.75")
    discounts: Mapping[str, Decimal] = {}
    discount_step: Decimal = Decimal("0.00000001")


NO_DISCOUNT = FeeRules()


def standard_fee(
    instrument: Instrument, side: Side, quantity: Decimal, amount: Decimal, *, is_maker: bool
) -> tuple[Decimal, str]:
    """Fee and its asset without any discount, rounded down to the asset's ledger step."""
    rate = instrument.maker_fee if is_maker else instrument.taker_fee
    if side is BUY and instrument.fee_asset_rule is _RECEIVED:
        return round_down(quantity * rate, instrument.base_step), instrument.base
    return round_down(amount * rate, instrument.quote_step), instrument.quote


def discounted_fee(
    rules: FeeRules,
    instrument: Instrument,
    quantity: Decimal,
    amount: Decimal,
    price_of: Callable[[str, str], Decimal | None],
    *,
    left: Decimal,
    is_maker: bool,
) -> Decimal | None:
    """The fee in the discount asset, of which `left` is paid; None when there is no price to convert at.

    price_of(base, quote) is the last price of a pair, or None.
    """
    asset = rules.discount_asset
    assert asset is not None
    rate = (instrument.maker_fee if is_maker else instrument.taker_fee) * left
    if asset == instrument.base:
        return round_down(quantity * rate, rules.discount_step)
    if asset == instrument.quote:
        return round_down(amount * rate, rules.discount_step)
    price = price_of(asset, instrument.quote)
    if price is not None and price > ZERO:
        return divide_down(amount * rate, price, rules.discount_step)
    inverse = price_of(instrument.quote, asset)
    if inverse is not None:
        return round_down(amount * rate * inverse, rules.discount_step)
    return None
