"""How far the price of a symbol may be away, how much of it is open, and what a coin is worth."""

from __future__ import annotations

from decimal import Decimal
from typing import NamedTuple

from emulator.core.engine import Engine
from emulator.core.instruments import BUY, SELL
from emulator.core.numbers import round_down, round_up
from emulator.exchanges.bybit.indexes import DOLLARS, coin_indexes
from emulator.exchanges.bybit.listings import Listing
from emulator.market_data.crowd import accounts_interest, open_interest
from emulator.market_data.marks import marks_of
from emulator.runtime.sandbox import Sandbox


class PriceLimit(NamedTuple):
    """Up to where may be bid, and down to where may be asked."""

    highest_bid: Decimal
    lowest_ask: Decimal


def read_price_limit(engine: Engine, listing: Listing, now_us: int) -> PriceLimit:
    """What the engine holds limit orders to ("Set Price Limit Behaviour"). To be asked inside `exact()`."""
    instrument = listing.instrument
    up, down = instrument.bid_multiplier_up, instrument.ask_multiplier_down
    assert up is not None
    assert down is not None
    if instrument.contract is None:
        reference = engine.state.markets[instrument.symbol].reference_price(now_us)
        highest, lowest = reference * up, reference * down
    else:
        marks = marks_of(engine, instrument.symbol)
        highest, lowest = marks.price_limit(BUY, up, now_us), marks.price_limit(SELL, down, now_us)
    return PriceLimit(
        min(round_down(highest, instrument.price_step), instrument.price_max),
        max(round_up(lowest, instrument.price_step), instrument.price_min),
    )


def crowd_interest(sandbox: Sandbox, listing: Listing, time_us: int) -> Decimal:
    """What the market's own traders had open at a time, counted on one side."""
    return open_interest(sandbox.seed, listing.instrument.symbol, listing.instrument, time_us)


def interest_now(sandbox: Sandbox, engine: Engine, listing: Listing, now_us: int) -> Decimal:
    """With what accounts of the sandbox have open; counted on one side."""
    own = accounts_interest(engine, listing.instrument.symbol)
    return crowd_interest(sandbox, listing, now_us) + own


def dollar_index(engine: Engine, coin: str, now_us: int) -> Decimal | None:
    """What one of a coin is worth in dollars, by the index; None where it has none. Inside `exact()`."""
    if coin in DOLLARS:
        return Decimal(1)
    index = coin_indexes().get(coin)
    if index is None:
        return None
    return marks_of(engine, index.instrument).index_price(now_us) * index.part
