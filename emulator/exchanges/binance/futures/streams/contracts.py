"""The stream of what becomes of contracts: that they are listed, become current, and are delivered."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Final, NamedTuple

from emulator.exchanges.binance.futures.listings import Listing
from emulator.exchanges.binance.futures.market.contracts import status_word
from emulator.exchanges.binance.futures.products import Product
from emulator.exchanges.binance.futures.streams.events import product_number
from emulator.exchanges.binance.futures.streams.payloads import ContractInfoEvent
from emulator.listings.listing import DELIVERING_US
from emulator.market_data.streams.stream import MarketStream
from emulator.runtime.sandbox import Sandbox
from emulator.web.streams.message import Message
from emulator.web.streams.source import Source

DELIVERED: Final = "DELIVERED"
"""The status of a contract that is shown nowhere any more."""


class Turn(NamedTuple):
    """A moment at which a contract becomes something else."""

    time_us: int
    product: Product
    listing: Listing


class ContractInfo(Source):
    """`!contractInfo`, of some products' contracts."""

    def __init__(self, sandbox: Sandbox, stream: MarketStream, products: Iterable[Product]) -> None:
        self._name = stream.name
        self._turns = sorted(turns(products), key=lambda turn: turn.time_us)
        self._told = 0

    def open(self, now_us: int) -> None:
        self._told = self._count(now_us)

    def look(self, now_us: int) -> Sequence[Message]:
        first, self._told = self._told, self._count(now_us)
        return [
            Message(self._name, partial(_render, turn, now_us)) for turn in self._turns[first : self._told]
        ]

    def next_us(self, now_us: int) -> int | None:
        return self._turns[self._told].time_us if self._told < len(self._turns) else None

    def _count(self, now_us: int) -> int:
        return bisect_right(self._turns, now_us, key=lambda turn: turn.time_us)


def turns(products: Iterable[Product]) -> Iterable[Turn]:
    for product in products:
        delivered = sorted(
            {
                listing.contract.delivery_us
                for listing in product.listings.values()
                if listing.contract.delivery_us is not None
            }
        )
        for listing in product.listings.values():
            contract = listing.contract
            if contract.delivery_us is None:
                continue
            moments = {contract.listed_us, contract.delivery_us, contract.delivery_us + DELIVERING_US}
            # What is delivered before it makes it the current one.
            moments |= {
                time_us for time_us in delivered if contract.listed_us < time_us < contract.delivery_us
            }
            yield from (Turn(time_us, product, listing) for time_us in moments)


def _render(turn: Turn, now_us: int, divisor: int) -> ContractInfoEvent:
    listing, time_us, delivery_us = turn.listing, turn.time_us, turn.listing.contract.delivery_us
    assert delivery_us is not None
    is_shown = listing.is_shown(time_us)
    return {
        "e": "contractInfo",
        "E": now_us // divisor,
        "s": listing.symbol,
        "ps": listing.pair,
        "ct": listing.contract_type(time_us if is_shown else time_us - 1),
        "dt": delivery_us // divisor,
        "ot": listing.launch_us // divisor,
        "cs": status_word(listing, listing.instrument, time_us) if is_shown else DELIVERED,
        "st": product_number(turn.product),
    }
