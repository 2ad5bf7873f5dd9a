"""The nearest price that a limit order may have, for accounts that want that instead of a refusal.

Of contracts that is so unless an account chose otherwise, of pairs only if it did ("Set Price Limit
Behaviour").
"""

from __future__ import annotations

from decimal import Decimal

from emulator.core.instruments import BUY, Side
from emulator.core.numbers import exact, is_on_step
from emulator.exchanges.bybit.account.settings import is_adjusted
from emulator.exchanges.bybit.categories import Category
from emulator.exchanges.bybit.listings import Listing
from emulator.exchanges.bybit.market.prices import read_price_limit
from emulator.web.contract import Call


def nearest_price(call: Call, category: Category, listing: Listing, side: Side, price: Decimal) -> Decimal:
    """`price`, or the limit that it is beyond; one that no order may ever have is left to be refused."""
    preferences = call.engine.state.accounts[call.account].preferences
    if not is_adjusted(preferences, is_derivative=category.is_derivative):
        return price
    instrument = listing.instrument
    if not listing.is_listed(call.now_us) or not instrument.price_min <= price <= instrument.price_max:
        return price
    with exact():
        if not is_on_step(price, instrument.price_step):
            return price
        limit = read_price_limit(call.engine, listing, call.now_us)
        return min(price, limit.highest_bid) if side is BUY else max(price, limit.lowest_ask)
