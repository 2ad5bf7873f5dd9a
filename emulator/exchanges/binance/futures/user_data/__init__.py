"""What happens to accounts of futures, told to those who listen."""

from __future__ import annotations

from functools import partial
from typing import Final

from emulator.exchanges.binance.futures.products import PRODUCTS
from emulator.exchanges.binance.futures.refusals import TABLES
from emulator.exchanges.binance.futures.user_data.hub import hubs_of
from emulator.exchanges.binance.user_data.listen_keys import ListenKeyRing

HUBS: Final = {product: hubs_of(product) for product in PRODUCTS.values()}
"""The hub of each sandbox, by product."""

LISTEN_KEYS: Final = {
    product: ListenKeyRing(hubs.of, partial(TABLES[product].refuse, -1125)) for product, hubs in HUBS.items()
}
"""The keys of each product."""
