"""The days of one instrument: a bounded walk around its anchor, and the sums of each day's trades.

Any day is evaluated on its own, at no greater cost than its neighbour. Instruments of a pair differ in
scale (anchor, steps, volatility), in how much is traded and, on another site, by a constant basis. The
noise is the pair's, so their prices agree to within rounding to their steps.
"""

from __future__ import annotations

from bisect import bisect_right
from decimal import Decimal

from emulator.core.instruments import Instrument
from emulator.core.numbers import EXACT, ZERO
from emulator.feeds.synthetic.noise import GOLDEN, key_of, mix
from emulator.feeds.synthetic.shape import ONE, UNIT_BITS, WEIGHT, Shape
from emulator.feeds.synthetic.tree import LEAF_MAX, Grid, Node, Prints, spell_out, split, times_of

DAY_US = 86_400_000_000
FIRST_DAY = 17_167
"""2017-01-01 UTC in days since 1970: where trade numbers begin."""

BEGIN_US = FIRST_DAY * DAY_US

NODES_MAX = 60_000
"""How much of all trees is kept, in nodes; a leaf whose trades were asked for counts for several."""

NODES_LEFT = NODES_MAX * 7 // 8
"""How much is left of it when it became too much."""

_LEAF_WEIGHT = 6
_TRADES_PER_MINUTE_MAX = 100_000
# On average: the calmest day has three eighths of that, which the rule of `tree` still allows.
_LOTS_PER_TRADE_MIN = 40
_PRICES_KEPT = 4_096
_CLOSES_KEPT = 2_048

# Swings of the walk: period in days, and amplitude in sixteenths of half a day's typical range. An
# amplitude that grows with the root of the period makes it look like a random walk up to a year.
_SWINGS = ((1, 8), (2, 19), (5, 35), (13, 58), (34, 93), (89, 151), (233, 244))
_BRANCH = 0xA24BAED4963EE407


class Scale:
    """Turns whole steps, lots and their products into canonical decimals, and back."""

    __slots__ = (
        "_amount",
        "_amount_shift",
        "_lot",
        "_lot_places",
        "_lot_shift",
        "_prices",
        "_step",
        "_step_places",
    )

    def __init__(self, price_step: Decimal, quantity_step: Decimal) -> None:
        self._step, self._step_places = _whole(price_step)
        self._lot, self._lot_places = _whole(quantity_step)
        self._amount = self._step * self._lot
        self._lot_shift = Decimal(-self._lot_places)
        self._amount_shift = Decimal(-self._step_places - self._lot_places)
        self._prices: dict[int, Decimal] = {}

    def price(self, steps: int) -> Decimal:
        known = self._prices.get(steps)
        if known is None:
            if len(self._prices) >= _PRICES_KEPT:
                self._prices.clear()
            known = self._prices[steps] = _decimal(steps * self._step, self._step_places)
        return known

    def quantity(self, lots: int) -> Decimal:
        whole = lots * self._lot
        if whole % 10:  # nothing to make canonical: nine times in ten
            return Decimal(whole).scaleb(self._lot_shift, EXACT)
        return _decimal(whole, self._lot_places)

    def amount(self, steps_and_lots: int) -> Decimal:
        whole = steps_and_lots * self._amount
        if whole % 10:
            return Decimal(whole).scaleb(self._amount_shift, EXACT)
        return _decimal(whole, self._step_places + self._lot_places)

    def steps(self, price: Decimal) -> tuple[int, int]:
        """A price in price steps, as numerator and denominator."""
        numerator, denominator = price.as_integer_ratio()
        return numerator * 10**self._step_places, denominator * self._step

    def steps_down(self, price: Decimal) -> int:
        """The most whole price steps that are not above `price`."""
        numerator, denominator = self.steps(price)
        return numerator // denominator

    def steps_up(self, price: Decimal) -> int:
        """The fewest whole price steps that are not below `price`."""
        numerator, denominator = self.steps(price)
        return -(-numerator // denominator)


def _whole(step: Decimal) -> tuple[int, int]:
    """A step as a whole number and the decimal places it is shifted by."""
    numerator, denominator = step.as_integer_ratio()
    places = 0
    while 10**places % denominator:
        places += 1
    return numerator * 10**places // denominator, places


def _decimal(whole: int, places: int) -> Decimal:
    while not whole % 10 and places:
        if not whole:
            return ZERO
        whole //= 10
        places -= 1
    return Decimal(whole).scaleb(-places, EXACT) if places else Decimal(whole)


class Forest:
    """The trees of all paths that are kept, least recently used first, within one bound."""

    __slots__ = ("days", "weight")

    def __init__(self) -> None:
        self.days: dict[tuple[int, int], Node] = {}
        self.weight = 0

    def trim(self) -> None:
        """Forget the trees that were not used for longest, an eighth of what is kept; never the newest."""
        # To weigh trees and to make them again takes as long as they are large, and everybody waits for it:
        # so a little, more often.
        *places, newest = self.days
        for place in places:
            if self.weight <= NODES_LEFT:
                return
            self.weight -= _weight(self.days.pop(place))
        if self.weight > NODES_LEFT:
            root = self.days[newest]
            root.left = root.right = None
            self.weight = 1


def _weight(root: Node) -> int:
    weight = 0
    nodes = [root]
    while nodes:
        node = nodes.pop()
        weight += 1 if node.times_us is None else 1 + _LEAF_WEIGHT
        if node.left is not None and node.right is not None:
            nodes += (node.left, node.right)
    return weight


class Path:
    """Prices and trades of one instrument on one site, in whole steps and lots."""

    __slots__ = (
        "_floor",
        "_forest",
        "_grid",
        "_key",
        "_knots",
        "_leaf",
        "_lots_per_day",
        "_number",
        "_roof",
        "_volatility",
        "_walk",
        "hundredths",
        "per_day",
        "scale",
        "site_key",
        "spread",
        "volatility",
    )

    def __init__(self, forest: Forest, number: int, seed: int, site: str, instrument: Instrument) -> None:
        profile = instrument.profile
        step = instrument.price_step
        scale = self.scale = Scale(step, instrument.quantity_step)
        self._forest = forest
        self._number = number
        self._key = key_of(seed, profile.path or instrument.pair)
        self.site_key = key_of(seed, instrument.pair, site)
        self._walk: dict[int, int] = {}
        self._knots = [(-1, 0, 0)] * len(_SWINGS)  # those about the day asked for last
        self._leaf: Node | None = None

        numerator, denominator = profile.anchor.as_integer_ratio()
        step_numerator, step_denominator = step.as_integer_ratio()
        factor = (numerator * step_denominator << 64 - UNIT_BITS) // (denominator * step_numerator)
        # Within two bips, by site; the unnamed site is where the pair's own price is seen.
        self.hundredths = 0 if not site else self.site_key % 401 - 200
        basis = scale.steps_down(profile.anchor) * self.hundredths // 1_000_000
        self.volatility = ONE * profile.volatility_bips // 10_000
        self._grid = Grid(factor, basis, self.volatility)
        self._volatility = profile.volatility_bips
        self.spread = max(profile.spread_steps, 1)
        # What an instrument's limits cut off, its path does without.
        self._floor = self._grid.lowest(max(scale.steps_up(instrument.price_min), 1) + self.spread)
        roof = scale.steps_down(instrument.price_max) - self.spread if instrument.price_max else 1 << 99
        self._roof = max(self._grid.highest(roof), self._floor)

        # A day always has the same number of trades, so that the trades before it are a product.
        self.per_day = 1440 * min(max(profile.trades_per_minute, 1), _TRADES_PER_MINUTE_MAX)
        numerator, denominator = profile.trade_quantity.as_integer_ratio()
        step_numerator, step_denominator = instrument.quantity_step.as_integer_ratio()
        lots = numerator * step_denominator // (denominator * step_numerator)
        # The mean of the quantities drawn in a leaf is about one and a half times their median.
        self._lots_per_day = self.per_day * max(lots * 3 // 2, _LOTS_PER_TRADE_MIN)

    def day_close(self, day: int) -> int:
        """Last price of a day (days since 1970), which is the first of the next; in parts of the anchor."""
        known = self._walk.get(day)
        if known is not None:
            return known
        swing = 0
        for place, (period, amplitude) in enumerate(_SWINGS):
            knot, past = divmod(day + (self._key >> place * 8 & 0xFF), period)
            if knot != self._knots[place][0]:
                self._knots[place] = (knot, self._knot(place, knot), self._knot(place, knot + 1))
            _, here, there = self._knots[place]
            swing += amplitude * (here * (period - past) + there * past) // period
        # The sum has 31 fraction bits and counts sixteenths of half the volatility, in bips.
        swing = swing * self._volatility * (ONE >> 31) // 320_000
        # As far up as down in proportion: 1 + x above the anchor is 1 / (1 + x) below it.
        price = ONE + swing if swing >= 0 else ONE * ONE // (ONE - swing)
        price = min(max(price, self._floor), self._roof)
        if len(self._walk) >= _CLOSES_KEPT:
            self._walk.clear()
        self._walk[day] = price
        return price

    def _knot(self, swing: int, knot: int) -> int:
        return (mix(self._key + swing * _BRANCH + knot * GOLDEN) >> 32) - (1 << 31)

    def day(self, day: int) -> Node:
        """The sums of a day."""
        forest = self._forest
        place = (self._number, day)
        root = forest.days.pop(place, None)
        if root is None:
            root = self._make_day(day)
            forest.weight += 1
        forest.days[place] = root
        if forest.weight > NODES_MAX:
            forest.trim()
        return root

    def _make_day(self, day: int) -> Node:
        floor, roof = self._floor, self._roof
        open_, close = self.day_close(day - 1), self.day_close(day)
        key = mix(self._key ^ mix(day * GOLDEN))
        noise = mix(key + 2 * GOLDEN)
        top, bottom = (open_, close) if open_ > close else (close, open_)
        typical = top * self._volatility // 10_000
        high = top + (typical * (noise & 0xFFFF) * 5 >> 19)
        low = max(bottom - (typical * (noise >> 16 & 0xFFFF) * 5 >> 19), floor)
        high = min(high, roof)
        moment = WEIGHT * (open_ + high + low + close) // 4
        start_us = day * DAY_US
        shape = Shape(key, start_us, start_us + DAY_US, open_, high, low, close, WEIGHT, moment)

        # From about half to twice the usual volume, more on a day of a wide range.
        width = min((high - low << 16) // (typical or 1), 0x20000)
        lots = self._lots_per_day * (0x6000 + (noise >> 32 & 0x7FFF) + width // 2) >> 16
        lean = (close - open_) * 0x1000 // (high - low) if high > low else 0
        buy_lots = lots * (0x8000 + lean + (noise >> 48) // 16 - 0x800) >> 16
        sell_lots = lots - buy_lots

        grid = self._grid
        open_, close = grid.nearest(open_), grid.nearest(close)
        high, low = grid.above(high), grid.below(low)
        fourfold = open_ + high + low + close
        return Node(
            shape, (day - FIRST_DAY) * self.per_day, self.per_day, open_, high, low, close,
            buy_lots, buy_lots * fourfold // 4, sell_lots, sell_lots * fourfold // 4,
        )  # fmt: skip

    def halves(self, node: Node) -> tuple[Node, Node]:
        """The two parts of a node that is not a leaf."""
        left, right = node.left, node.right
        if left is None or right is None:
            left, right = split(node, self._grid)
            self._forest.weight += 2
        return left, right

    def prints(self, leaf: Node) -> Prints:
        """The trades of a leaf."""
        prints = leaf.prints
        if prints is None:
            prints = leaf.prints = spell_out(leaf, self.times(leaf), self.site_key)
        return prints

    def times(self, leaf: Node) -> list[int]:
        """When the trades of a leaf are made."""
        times_us = leaf.times_us
        if times_us is None:
            times_us = leaf.times_us = times_of(leaf, self.site_key)
            self._forest.weight += _LEAF_WEIGHT
        return times_us

    def leaf_at(self, time_us: int) -> Node:
        """The leaf whose span holds a time, not before the beginning."""
        node = self._leaf
        if node is not None and node.start_us <= time_us < node.end_us:
            return node
        node = self.day(time_us // DAY_US)
        while node.count > LEAF_MAX:
            left, right = self.halves(node)
            node = left if time_us < left.end_us else right
        self._leaf = node
        return node

    def leaf_of(self, number: int) -> Node:
        """The leaf that holds the trade of a number (from 1 on)."""
        node = self._leaf
        if node is not None and node.before < number <= node.before + node.count:
            return node
        node = self.day(FIRST_DAY + (number - 1) // self.per_day)
        while node.count > LEAF_MAX:
            left, right = self.halves(node)
            node = left if number <= right.before else right
        self._leaf = node
        return node

    def count_at(self, time_us: int) -> int:
        """How many trades happened at or before a time."""
        if time_us < BEGIN_US:
            return 0
        leaf = self.leaf_at(time_us)
        return leaf.before + bisect_right(self.times(leaf), time_us)

    def price_of(self, number: int) -> int:
        """The price of a trade; that of number 0 is where the first day opens."""
        if number < 1:
            return self.day(FIRST_DAY).open
        leaf = self.leaf_of(number)
        place = number - leaf.before - 1
        # The last trade of a leaf is at its close.
        return leaf.close if place == leaf.count - 1 else self.prints(leaf).prices[place]
