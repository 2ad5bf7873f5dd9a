"""What balances are worth in another asset, at the last prices of this sandbox's own markets."""

from __future__ import annotations

from collections import deque
from decimal import Decimal
from typing import Final, NamedTuple

from emulator.core.engine import Engine
from emulator.core.numbers import ONE, ZERO, divide_down, exact
from emulator.exchanges.binance.spot.market.symbols import listed
from emulator.exchanges.binance.vocabulary import EIGHT_PLACES

BTC: Final = "BTC"


class Hop(NamedTuple):
    """One exchange on the way: into `asset`, on the market of `symbol`."""

    asset: str
    symbol: str
    is_sale: bool


class Valuation:
    """Values in one asset at one moment, by the way over the fewest markets."""

    def __init__(self, engine: Engine, now_us: int, target: str = BTC) -> None:
        self._markets = engine.state.markets
        self._now_us = now_us
        neighbours: dict[str, list[tuple[str, Hop]]] = {}
        for instrument in listed(engine):
            base, quote, symbol = instrument.base, instrument.quote, instrument.symbol
            neighbours.setdefault(quote, []).append((base, Hop(quote, symbol, True)))
            neighbours.setdefault(base, []).append((quote, Hop(base, symbol, False)))
        self._hops: dict[str, Hop | None] = {target: None}
        reached = deque([target])
        while reached:
            for asset, hop in neighbours.get(reached.popleft(), ()):
                if asset not in self._hops:
                    self._hops[asset] = hop
                    reached.append(asset)

        self.is_possible = target == BTC or target in neighbours
        """Whether the target is an asset that is traded here."""

    def of(self, asset: str, amount: Decimal) -> Decimal:
        """Rounded down to eight places; zero for an asset that no market leads away from."""
        if asset not in self._hops:
            return ZERO
        divisor = ONE
        with exact():
            while (hop := self._hops[asset]) is not None:
                price = self._markets[hop.symbol].last_price(self._now_us)
                if hop.is_sale:
                    amount *= price
                else:
                    divisor *= price
                asset = hop.asset
            return divide_down(amount, divisor, EIGHT_PLACES)
