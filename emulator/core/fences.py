"""The prices between which risks are safe, ordered, so that a price finds those that it leaves at once."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from emulator.core.book import PriceLadder
from emulator.core.liquidation import Band, Risk


class Fences:
    """Of one price: a band for each risk that has any."""

    __slots__ = ("_bands", "_high", "_highs", "_low", "_lows")

    def __init__(self) -> None:
        self._bands: dict[Risk, Band] = {}
        self._low, self._high = PriceLadder(), PriceLadder()
        self._lows: dict[Decimal, dict[Risk, None]] = {}
        self._highs: dict[Decimal, dict[Risk, None]] = {}

    def __bool__(self) -> bool:
        return bool(self._bands)

    def __len__(self) -> int:
        return len(self._bands)

    @property
    def low(self) -> Decimal | None:
        """The highest of all lower ends: below, some risk is not safe."""
        return self._low.highest

    @property
    def high(self) -> Decimal | None:
        return self._high.lowest

    def put(self, risk: Risk, band: Band) -> None:
        """Set the band of a risk; the one before goes."""
        self.drop(risk)
        self._bands[risk] = band
        if band.low is not None:
            _add(self._low, self._lows, band.low, risk)
        if band.high is not None:
            _add(self._high, self._highs, band.high, risk)

    def drop(self, risk: Risk) -> None:
        band = self._bands.pop(risk, None)
        if band is None:
            return
        if band.low is not None:
            _remove(self._low, self._lows, band.low, risk)
        if band.high is not None:
            _remove(self._high, self._highs, band.high, risk)

    def left(self, price: Decimal) -> Iterator[Risk]:
        """The risks that are not safe at a price; nothing may change meanwhile."""
        for low in reversed(self._low):
            if low <= price:
                break
            yield from self._lows[low]
        for high in self._high:
            if high >= price:
                break
            yield from self._highs[high]


def _add(ladder: PriceLadder, risks: dict[Decimal, dict[Risk, None]], price: Decimal, risk: Risk) -> None:
    there = risks.get(price)
    if there is None:
        risks[price] = {risk: None}
        ladder.add(price)
    else:
        there[risk] = None


def _remove(ladder: PriceLadder, risks: dict[Decimal, dict[Risk, None]], price: Decimal, risk: Risk) -> None:
    there = risks[price]
    del there[risk]
    if not there:
        del risks[price]
        ladder.remove(price)
