"""The price path of a pair as a tree: what all instruments of the pair have in common.

A node says where the price of a span opens, its extremes and where it closes, and how much weight
trades on average where: `moment` is weight x mean price. Splitting gives two halves that join at one
price; each extreme is reached by at least one half and exceeded by none; weights and moments add up.
Prices are in fractions of the anchor, fine enough that a step of any instrument is coarse beside them.
"""

from __future__ import annotations

from math import isqrt

from emulator.feeds.synthetic.noise import GOLDEN, MASK, mix

UNIT_BITS = 40
ONE = 1 << UNIT_BITS
"""The anchor's price."""

WEIGHT = 1 << 48
"""The weight of a day."""

HOUR_US = 3_600_000_000
MINUTE_US = 60_000_000
SECOND_US = 1_000_000

_UNITS = (HOUR_US, MINUTE_US, SECOND_US, 1)
# Cuts that make the usual intervals (12h 8h 4h 2h 1h, 30m 15m 5m) whole nodes or very few of them.
_CUTS = {24: 8, 16: 8, 60: 30, 30: 15, 15: 5, 10: 5}

# Attempts at a split: how near the ends of what is possible the moment may lie (as a power of a half).
_DRAWS = 4
_BANDS = (2, 2, 2, 2, 3, 999, 999)

_ROOT_OF_DAY = isqrt(24 * HOUR_US)
_HEAT = 0x140
_HOT = 0x180

_BRANCH = 0xD1342543DE82EF95


class Shape:
    """The path of [start_us, end_us)."""

    __slots__ = ("close", "end_us", "high", "key", "low", "moment", "open", "start_us", "weight")

    def __init__(
        self,
        key: int,
        start_us: int,
        end_us: int,
        open_: int,
        high: int,
        low: int,
        close: int,
        weight: int,
        moment: int,
    ) -> None:
        self.key = key
        self.start_us = start_us
        self.end_us = end_us
        self.open = open_
        self.high = high
        self.low = low
        self.close = close
        self.weight = weight
        self.moment = moment


def cut(start_us: int, end_us: int) -> int:
    """Where a span is cut in two: on a whole hour, minute or second as long as it holds several."""
    span_us = end_us - start_us
    for unit_us in _UNITS:
        if span_us > unit_us:
            parts = span_us // unit_us
            return start_us + _CUTS.get(parts, parts // 2) * unit_us
    raise AssertionError("a span of one microsecond is never cut")


def halves(shape: Shape, volatility: int) -> tuple[Shape, Shape, int, int]:
    """The two halves, and the noise that the first one's activity was drawn from.

    `volatility` is the usual range of a day.
    """
    key = shape.key
    noise = mix(key)
    start_us, end_us = shape.start_us, shape.end_us
    cut_us = cut(start_us, end_us)
    open_, high, low, close = shape.open, shape.high, shape.low, shape.close
    weight, moment = shape.weight, shape.moment

    # Activity: in proportion to time, with clusters on every scale (two uniforms sum to a tent).
    share = (cut_us - start_us << 16) // (end_us - start_us)
    room = share * (0x10000 - share) >> 16
    straight = open_ + ((close - open_) * share >> 16)
    share += room * ((noise & 0xFFFF) + (noise >> 16 & 0xFFFF) - 0xFFFF) >> 17
    weight_mid = weight * (share + (room * ((noise >> 32 & 0xFFFF) - 0x8000) >> 17)) >> 16

    # The mean's place in the range: towards that end the halves' joint is more likely drawn.
    mean = (moment - weight * low << 8) // (weight * (high - low)) if high > low else 0

    # Heat: the range against what is usual for so long a span, 2^8 being usual. Left alone, ever fewer nodes
    # would have ever more of the movement. So a cold node has wide halves. A hot one has narrow halves,
    # which needs them to join halfway if it runs from end to end, and at its tip if it is a spike.
    usual = volatility * isqrt(end_us - start_us) // _ROOT_OF_DAY
    heat = _HEAT * (high - low) // (usual or 1)
    calm = min(0x10000 // (heat + 1), 0x100)
    cold = min(heat, 0x100)
    is_spike = 2 * abs(close - open_) < high - low

    # What the halves' ranges allow must include the moment, and not near its end: halves whose weight
    # had to lie at their extremes would leave no choice further down. So weight moves, a little, to the
    # half whose prices are nearer to the mean; where that is not enough, ranges are drawn again; then
    # weight moves further, then both halves are given the extreme that is missing, then both extremes,
    # which is always enough because it is what the node itself allows.
    weight_l = weight_mid
    too_low = too_high = False
    for attempt, band in enumerate(_BANDS):
        if attempt < _DRAWS:
            noise_l = mix(key + GOLDEN * (attempt + 1))
            draw = noise_l & 0xFFFF
            draw = 0x10000 - ((0x10000 - draw) * calm >> 8) if is_spike else draw * calm >> 8
            if noise_l >> 16 & 0xFF < mean:
                middle = straight + ((high - straight) * draw >> 16)
            else:
                middle = straight - ((straight - low) * draw >> 16)
            # The half whose ends are nearer to an extreme reaches it. The other stops short of it.
            high_l, low_l = (open_, middle) if open_ > middle else (middle, open_)
            high_r, low_r = (close, middle) if close > middle else (middle, close)
            gap_l, gap_r = high - high_l, high - high_r
            reach = noise_l >> 32 & 0xFFFF
            stretch = 0x10000 - ((0x10000 - (reach * reach >> 16)) * cold >> 8)
            if gap_l and (not gap_r or (noise_l >> 24 & 0xFF) * (gap_l + gap_r) >= gap_r << 8):
                high_l += gap_l * stretch * calm >> 24
                high_r = high
            else:
                high_r += gap_r * stretch * calm >> 24
                high_l = high
            gap_l, gap_r = low_l - low, low_r - low
            reach ^= 0xFFFF
            stretch = 0x10000 - ((0x10000 - (reach * reach >> 16)) * cold >> 8)
            if gap_l and (not gap_r or (noise_l >> 48 & 0xFF) * (gap_l + gap_r) >= gap_r << 8):
                low_l -= gap_l * stretch * calm >> 24
                low_r = low
            else:
                low_r -= gap_r * stretch * calm >> 24
                low_l = low
        elif attempt > _DRAWS:
            if too_low or attempt > _DRAWS + 1:
                low_l = low_r = low
            if too_high or attempt > _DRAWS + 1:
                high_l = high_r = high
        twice_r = low_r + high_r
        apart = low_l + high_l - twice_r
        if apart and attempt <= _DRAWS:
            give = 3 if heat < _HOT and attempt < _DRAWS else 2
            wanted = (2 * moment - weight * twice_r) // apart
            least = weight_mid - (weight_mid >> give)
            most = weight_mid + (weight - weight_mid >> give)
            weight_l = least if wanted < least else most if wanted > most else wanted
        weight_r = weight - weight_l
        free = moment - weight_l * low_l - weight_r * low_r
        span = weight_l * (high_l - low_l) + weight_r * (high_r - low_r)
        edge = span >> band
        too_low, too_high = free < edge, free > span - edge
        if not too_low and not too_high:
            break
    else:
        raise AssertionError("the mean price lies outside of the prices")
    moment_l = weight_l * low_l
    if span:
        moment_l += free * (weight_l * (high_l - low_l)) // span

    left = Shape(
        (key * _BRANCH + 1) & MASK, start_us, cut_us, open_, high_l, low_l, middle, weight_l, moment_l
    )
    right = Shape(
        (key * _BRANCH + 3) & MASK, cut_us, end_us, middle, high_r, low_r, close,
        weight_r, moment - moment_l,
    )  # fmt: skip
    return left, right, weight_mid, noise
