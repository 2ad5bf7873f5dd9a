"""Which of a product's symbols a request is about. One that is not listed is -1121."""

from __future__ import annotations

from emulator.exchanges.binance.futures.listings import Listing
from emulator.exchanges.binance.futures.products import PRODUCTS, Product, product_of
from emulator.exchanges.binance.futures.refusals import CODES, TABLES
from emulator.web.contract import Call


def listed(product: Product, now_us: int) -> list[Listing]:
    """All that can be traded at a time, in the order of `exchangeInfo`."""
    return [one for one in product.listings.values() if one.contract.is_listed(now_us)]


def find(product: Product, symbol: str, now_us: int) -> Listing:
    """A symbol of a product, those included that were delivered. Raises -1121, also before it is listed."""
    listing = product.listings.get(symbol)
    if listing is None or now_us < listing.contract.listed_us:
        raise TABLES[product].refuse(-1121)
    return listing


def asked(call: Call) -> Listing:
    """The one symbol of a request, which then reads that instrument's market only."""
    listing = find(product_of(call), call.values["symbol"], call.now_us)
    call.instrument = listing.instrument.symbol
    return listing


# Market data


def shown(product: Product, now_us: int) -> list[Listing]:
    """All that market data tells of, in the order of `exchangeInfo`."""
    return [one for one in product.listings.values() if one.is_shown(now_us)]


def asked_shown(call: Call) -> Listing:
    """The one symbol of a request for market data."""
    listing = asked(call)
    if not listing.is_shown(call.now_us):
        raise TABLES[product_of(call)].refuse(-1121)
    return listing


def asked_of_either(call: Call) -> Listing:
    """The one symbol of a request that takes the symbols of both products."""
    # Quirk: klines of either product can be had from both sites (architecture integration of 2026-06).
    symbol = call.values["symbol"]
    for product in PRODUCTS.values():
        listing = product.listings.get(symbol)
        if listing is not None and listing.is_shown(call.now_us):
            call.instrument = listing.instrument.symbol
            return listing
    raise TABLES[product_of(call)].refuse(-1121)


def asked_for(call: Call) -> list[Listing]:
    """The symbols of a request that may name one, or a pair where it takes one, or none for all."""
    values = call.values
    if "symbol" in values:
        return [asked_shown(call)]
    product = product_of(call)
    pair = values.get("pair")
    if pair is None:
        return shown(product, call.now_us)
    return of_pair(product, pair, call.now_us)


def of_pair(product: Product, pair: str, now_us: int) -> list[Listing]:
    """The contracts of a pair; raises the product's code for a pair that it does not have."""
    found = [one for one in shown(product, now_us) if one.pair == pair]
    if not found:
        raise TABLES[product].refuse(CODES[product].invalid_pair)
    return found


def pair_of_either(call: Call) -> tuple[Product, list[Listing]]:
    """The contracts of the pair of a request that takes the pairs of both products."""
    pair = call.values["pair"]
    for product in PRODUCTS.values():
        found = [one for one in shown(product, call.now_us) if one.pair == pair]
        if found:
            return product, found
    product = product_of(call)
    raise TABLES[product].refuse(CODES[product].invalid_pair)
