"""In which direction prices of trades go: up, down, or as they went last."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from enum import Enum
from typing import Final

from emulator.core.engine import Engine

LOOKED_BACK: Final = 1000
"""Trades after which a price that never changed counts as risen."""

_LOOKED_AT: Final = 4
"""How many trades are read at first, and four times as many each time that they had one price."""


class Tick(Enum):
    """ZERO_*: the price of the trade before, which had come that way."""

    PLUS = "plus"
    ZERO_PLUS = "zero_plus"
    MINUS = "minus"
    ZERO_MINUS = "zero_minus"


def next_tick(tick: Tick, before: Decimal, price: Decimal) -> Tick:
    """Of a trade at a price, after one at the price `before`, whose own is `tick`."""
    if price > before:
        return Tick.PLUS
    if price < before:
        return Tick.MINUS
    return Tick.ZERO_PLUS if tick in (Tick.PLUS, Tick.ZERO_PLUS) else Tick.ZERO_MINUS


def read_tick(engine: Engine, instrument: str, now_us: int) -> Tick:
    """Of the newest trade."""
    market = engine.state.markets[instrument]
    newest = market.trade_count(now_us)
    prices: list[Decimal] = []
    end, wanted = newest, _LOOKED_AT
    while end > 0 and newest - end < LOOKED_BACK:
        first = max(1, end - wanted + 1)
        found = [trade.price for trade in market.trades(first, end - first + 1, now_us)]
        prices = found + prices
        if any(price != prices[-1] for price in prices):
            break
        end, wanted = first - 1, wanted * 4
    return tick_of(prices)


def tick_of(prices: Iterable[Decimal]) -> Tick:
    """Of the last of these, which are in order; the first one counts as risen."""
    tick, before = Tick.PLUS, None
    for price in prices:
        if before is not None:
            tick = next_tick(tick, before, price)
        before = price
    return tick
