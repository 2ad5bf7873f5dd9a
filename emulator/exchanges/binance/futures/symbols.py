"""Which of a product's symbols a request is about. One that is not listed is -1121."""

from __future__ import annotations

from emulator.exchanges.binance.futures.errors import TABLES
from emulator.exchanges.binance.futures.listings import Listing
from emulator.exchanges.binance.futures.products import Product, product_of
from emulator.web.contract import Call


def listed(product: Product, now_us: int) -> list[Listing]:
    """All that can be traded at a time, in the order of `exchangeInfo`."""
    return [one for one in product.listings.values() if one.contract.is_listed(now_us)]


def find(product: Product, symbol: str) -> Listing:
    """A symbol of a product, those before their listing and after their delivery included. Raises -1121."""
    listing = product.listings.get(symbol)
    if listing is None:
        raise TABLES[product].refuse(-1121)
    return listing


def asked(call: Call) -> Listing:
    """The one symbol of a request, which then reads that instrument's market only."""
    listing = find(product_of(call), call.values["symbol"])
    call.instrument = listing.instrument.symbol
    return listing
