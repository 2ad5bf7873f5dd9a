"""Candles of whichever contract is of a type just then."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from emulator.core.engine import Engine
from emulator.core.markets import Candle
from emulator.exchanges.binance.futures.listings import Listing
from emulator.exchanges.binance.futures.products import Product
from emulator.market_data.contract_candles import Wanted, read_trades


class ContractCandle(NamedTuple):
    """A candle with the contract whose trades it is of."""

    listing: Listing
    candle: Candle


def read_continuous(
    engine: Engine, product: Product, pair: str, contract_type: str, wanted: Wanted
) -> Iterator[ContractCandle]:
    """A candle is of the contract that was of the type when it opened."""
    interval = wanted.interval
    end_us = min(wanted.end_us, wanted.now_us)
    start_us = wanted.start_us
    if start_us is None:
        start_us = interval.step(interval.open_of(end_us), 1 - wanted.limit)
    left = wanted.limit
    for listing in product.listings.values():
        if listing.pair != pair:
            continue
        since_us, until_us = listing.type_span(contract_type)
        from_us = max(start_us, since_us)
        last_us = end_us if until_us is None else min(end_us, until_us - 1)
        if from_us > last_us or not left:
            continue
        part = wanted._replace(start_us=from_us, end_us=last_us, limit=left)
        for candle in read_trades(engine, listing.instrument, part):
            left -= 1
            yield ContractCandle(listing, candle)
