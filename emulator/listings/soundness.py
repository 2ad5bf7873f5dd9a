"""Whether the figures of an instrument can all be true."""

from __future__ import annotations

from collections.abc import Iterator

from emulator.core.contracts import tier_faults
from emulator.core.instruments import Instrument
from emulator.core.numbers import ONE, ZERO, exact, is_on_step
from emulator.listings.reading import ListingError


def check(instrument: Instrument) -> None:
    """Raises ListingError with everything that they contradict."""
    with exact():
        found = "; ".join(_complaints(instrument))
    if found:
        raise ListingError(found)


def _complaints(instrument: Instrument) -> Iterator[str]:
    steps = (("price_step", instrument.price_step), ("quantity_step", instrument.quantity_step))
    for name, step in steps:
        if step <= ZERO:
            yield f"{name} is not positive"
    if all(step > ZERO for _, step in steps):
        yield from _off_limits(instrument)
    if instrument.notional_max and instrument.notional_min > instrument.notional_max:
        yield "notional_min is above notional_max"
    for side, down, up in (
        ("bid", instrument.bid_multiplier_down, instrument.bid_multiplier_up),
        ("ask", instrument.ask_multiplier_down, instrument.ask_multiplier_up),
    ):
        if (down is not None and not ZERO < down < ONE) or (up is not None and up <= ONE):
            yield f"the {side} multipliers are not a band around 1"
    if instrument.self_trade_default not in instrument.self_trade_modes:
        yield "self_trade_default is not allowed"
    profile = instrument.profile
    if min(profile.spread_steps, profile.volatility_bips, profile.trades_per_minute) < 1:
        yield "spread_steps, volatility_bips and trades_per_minute are at least 1"
    if instrument.contract is not None:
        yield from tier_faults(instrument.contract.tiers)


def _off_limits(instrument: Instrument) -> Iterator[str]:
    profile = instrument.profile
    price, quantity = instrument.price_step, instrument.quantity_step
    prices = (price, instrument.price_min, instrument.price_max)
    quantities = (quantity, instrument.quantity_min, instrument.quantity_max)
    for name, value, (step, lowest, highest) in (
        ("price_min", instrument.price_min, (price, price, instrument.price_max)),
        ("price_max", instrument.price_max, prices),
        ("anchor", profile.anchor, prices),
        ("quantity_min", instrument.quantity_min, (quantity, quantity, instrument.quantity_max)),
        ("quantity_max", instrument.quantity_max, quantities),
        ("trade_quantity", profile.trade_quantity, quantities),
        ("level_quantity", profile.level_quantity, quantities),
    ):
        if not lowest <= value <= highest:
            yield f"{name} is not between {lowest} and {highest}"
        elif not is_on_step(value, step):
            yield f"{name} is not a multiple of {step}"
    if ZERO < instrument.post_only_quantity_max < instrument.quantity_max:
        yield f"post_only_quantity_max is below {instrument.quantity_max}"
    # Some exchanges list more at market than otherwise; an order is held to both.
    most, market_step = instrument.market_quantity_max, instrument.market_quantity_step
    if most and most < instrument.quantity_min:
        yield f"market_quantity_max is below {instrument.quantity_min}"
    elif market_step and not is_on_step(most, market_step):
        yield f"market_quantity_max is not a multiple of {market_step}"
