"""The index of a pair: its path at whole seconds, which is the same whoever trades on it, and how often.

The path is cut at whole seconds as long as a span holds several (`shape`). Spans of a few seconds are
not cut further: the index goes in straight lines from the span's open to its extremes and on to its
close, so that it meets the path's bounds everywhere, and nothing need be looked into to know how high a
span goes. Trades of a leaf go from its open to its close within its range, so at its ends they meet the
index, and between them they are not far from it. The contract's premium is made here too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import pairwise
from math import gcd

from emulator.core.instruments import Instrument
from emulator.core.markets import SECOND_US, STEPPED_MAX, Stretch
from emulator.core.numbers import EXACT
from emulator.feeds.synthetic.noise import GOLDEN, key_of, mix
from emulator.feeds.synthetic.path import BEGIN_US, DAY_US, FIRST_DAY, Path
from emulator.feeds.synthetic.shape import UNIT_BITS, Shape, halves

KEPT_MAX = 40_000
"""How much of all indexes is kept, in stretches; one whose seconds are spelled out counts twice."""

KEPT_LEFT = KEPT_MAX * 7 // 8
"""How much is left of it when it became too much."""

_STEPPED_US = STEPPED_MAX * SECOND_US
_MILLION = 1_000_000
_PREMIUM_PLACES = 8

# Swings of the premium: period in hours, and amplitude in parts of their sum.
_SWINGS = ((1, 1), (5, 3), (21, 5), (89, 7))
_AMPLITUDES = sum(amplitude for _, amplitude in _SWINGS)
_BRANCH = 0xA24BAED4963EE407


class Units:
    """Turns prices of the path, in parts of the anchor, into whole steps of some size."""

    __slots__ = ("_divisor", "_factor", "_offset")

    def __init__(self, path: Path, instrument: Instrument, step: Decimal) -> None:
        numerator, denominator = step.as_integer_ratio()
        anchor, anchor_denominator = instrument.profile.anchor.as_integer_ratio()
        factor = anchor * denominator * _MILLION
        offset = anchor * denominator * path.hundredths << UNIT_BITS
        divisor = anchor_denominator * numerator * _MILLION << UNIT_BITS
        common = gcd(factor, offset, divisor)
        self._factor, self._offset, self._divisor = factor // common, offset // common, divisor // common

    def nearest(self, price: int) -> int:
        """Halves to the even step."""
        steps, rest = divmod(price * self._factor + self._offset, self._divisor)
        beyond = 2 * rest - self._divisor
        return steps + 1 if beyond > 0 or (not beyond and steps & 1) else steps


class Days:
    """The days of all indexes that are kept, least recently used first, within one bound."""

    __slots__ = ("kept", "weight")

    def __init__(self) -> None:
        self.kept: dict[tuple[int, int], _PathStretch] = {}
        self.weight = 0

    def trim(self) -> None:
        """Forget what was not used for longest, an eighth of what is kept; the newest stays."""
        *places, newest = self.kept
        for place in places:
            if self.weight <= KEPT_LEFT:
                return
            root = self.kept.pop(place).root
            root.is_kept = False
            self.weight -= root.weight
        if self.weight > KEPT_LEFT:
            self.weight -= self.kept[newest].forget()


class Index:
    """The index that one instrument has, in steps of one size; `number` tells it from others."""

    __slots__ = ("_days", "_leaf", "_number", "_path", "units", "volatility")

    def __init__(self, days: Days, number: int, path: Path, instrument: Instrument, step: Decimal) -> None:
        self._days = days
        self._number = number
        self._path = path
        self.units = Units(path, instrument, step)
        self.volatility = path.volatility
        self._leaf: _PathStretch | None = None

    def at(self, time_us: int) -> int:
        """The index at the last whole second by `time_us`."""
        leaf = self._leaf
        if leaf is None or not leaf.start_us <= time_us < leaf.end_us:
            if time_us < BEGIN_US:
                return self.units.nearest(self._path.day(FIRST_DAY).shape.open)
            leaf = self._day(time_us // DAY_US)
            while True:
                if time_us - leaf.start_us < SECOND_US:
                    return leaf.first()
                parts = leaf.parts()
                if not parts:
                    break
                leaf = parts[0] if time_us < parts[0].end_us else parts[1]
            self._leaf = leaf
        return leaf.seconds()[(time_us - leaf.start_us) // SECOND_US]

    def stretches(self, start_us: int, end_us: int) -> Iterator[Stretch]:
        if start_us < BEGIN_US:
            price = self.at(start_us)
            yield Stretch(start_us, BEGIN_US, low=price, high=price)
        for day in range(max(start_us, BEGIN_US) // DAY_US, (end_us - 1) // DAY_US + 1):
            yield self._day(day)

    def _day(self, day: int) -> _PathStretch:
        days = self._days
        place = (self._number, day)
        stretch = days.kept.pop(place, None)
        if stretch is None:
            stretch = _PathStretch(_Root(self, days), self._path.day(day).shape)
            days.weight += 1
        days.kept[place] = stretch
        if days.weight > KEPT_MAX:
            days.trim()
        return stretch


class _Root:
    """How much hangs on a day. Its stretches know it, and it knows none of them: what is forgotten must not
    lie about in circles until the garbage collector comes, which then holds everybody up."""

    __slots__ = ("days", "index", "is_kept", "weight")

    def __init__(self, index: Index, days: Days) -> None:
        self.index = index
        self.days = days
        self.weight = 1
        self.is_kept = True

    def add(self, weight: int) -> None:
        self.weight += weight
        if self.is_kept:
            self.days.weight += weight


class _PathStretch(Stretch):
    """A part of the path, which keeps its own parts."""

    is_met = True

    __slots__ = ("_parts", "_seconds", "_shape", "root")

    def __init__(self, root: _Root, shape: Shape) -> None:
        # Rounding never changes the order of two prices.
        nearest = root.index.units.nearest
        super().__init__(shape.start_us, shape.end_us, low=nearest(shape.low), high=nearest(shape.high))
        self.root = root
        self._shape = shape
        self._parts: tuple[_PathStretch, ...] | None = None
        self._seconds: list[int] | None = None

    def parts(self) -> Sequence[_PathStretch]:
        parts = self._parts
        if parts is None:
            if self.end_us - self.start_us < _STEPPED_US:
                parts = ()
            else:
                root = self.root
                left, right, _, _ = halves(self._shape, root.index.volatility)
                parts = (_PathStretch(root, left), _PathStretch(root, right))
                root.add(2)
            self._parts = parts
        return parts

    def forget(self) -> int:
        """Let go of all that hangs on it, a day; how much that was."""
        root = self.root
        forgotten = root.weight - 1
        root.weight = 1
        self._parts = self._seconds = None
        return forgotten

    def first(self) -> int:
        """The index where it begins."""
        return self.root.index.units.nearest(self._shape.open)

    def seconds(self) -> list[int]:
        """The index at each of its whole seconds; it has no parts."""
        seconds = self._seconds
        if seconds is None:
            nearest = self.root.index.units.nearest
            seconds = self._seconds = [nearest(price) for price in _seconds_of(self._shape)]
            self.root.add(1)
        return seconds


def _seconds_of(shape: Shape) -> list[int]:
    """The prices of the whole seconds of a span of at least three; they meet both its extremes."""
    count = (shape.end_us - shape.start_us) // SECOND_US
    noise = mix(shape.key + GOLDEN)
    first = 1 + (noise & 0xFF) % (count - 2)
    second = first + 1 + (noise >> 8 & 0xFF) % (count - 1 - first)
    one, other = (shape.high, shape.low) if noise >> 16 & 1 else (shape.low, shape.high)
    prices: list[int] = []
    corners = ((0, shape.open), (first, one), (second, other), (count, shape.close))
    for (at, price), (until, target) in pairwise(corners):
        prices += [price + (target - price) * place // (until - at) for place in range(until - at)]
    return prices


class Premium:
    """How far the fair price of one contract is above the index: seeded swings of several lengths."""

    __slots__ = ("_key", "_knots")

    def __init__(self, seed: int, site: str, instrument: Instrument) -> None:
        self._key = key_of(seed, site, instrument.symbol, "premium")
        self._knots = [(-1 << 99, 0, 0)] * len(_SWINGS)  # those about the number asked for last

    def at(self, number: int, most: Decimal) -> Decimal:
        swing = 0
        for place, (period, amplitude) in enumerate(_SWINGS):
            knot, past = divmod(number + (self._key >> place * 8 & 0xFF), period)
            known, here, there = self._knots[place]
            if known != knot:
                here = there if known == knot - 1 else self._knot(place, knot)
                there = self._knot(place, knot + 1)
                self._knots[place] = (knot, here, there)
            swing += amplitude * (here * (period - past) + there * past) // period
        numerator, denominator = most.as_integer_ratio()
        parts = abs(swing) * numerator * 10**_PREMIUM_PLACES // (_AMPLITUDES * denominator << 31)
        return Decimal(parts if swing >= 0 else -parts).scaleb(-_PREMIUM_PLACES, EXACT)

    def _knot(self, swing: int, knot: int) -> int:
        return (mix(self._key + swing * _BRANCH + knot * GOLDEN) >> 32) - (1 << 31)
