"""The book levels of the synthetic market: what stands at a price is a function of price and time only.

A price keeps its quantity until its own moment of renewal, however the touch moves meanwhile. Which
prices are shown depends on their distance from the touch: all of them near it, then only multiples of
ever rounder numbers; and rounder prices hold more.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from emulator.core.instruments import Instrument, Side
from emulator.core.markets import FeedLevel
from emulator.feeds.synthetic.noise import GOLDEN, MASK
from emulator.feeds.synthetic.path import Path, Scale

LEVELS_MAX = 1_000
_NEVER = 1 << 200

_LEVELS_KEPT = 4_096
_LEVELS_PER_ZONE = 40
_ROUNDEST_BIPS = 5
_PERIOD_MIN_US = 2_000_000
_PERIOD_SPREAD_US = 6_000_000
_PRIME = 0xBF58476D1CE4E5B9
_OTHER_PRIME = 0x94D049BB133111EB


class Ladder:
    """Both sides' levels of one instrument on one site, in whole steps and lots."""

    __slots__ = ("_floor", "_kept", "_keys", "_lots", "_lots_min", "_roof", "_scale", "_zones")

    def __init__(self, path: Path, instrument: Instrument) -> None:
        profile = instrument.profile
        self._scale: Scale = path.scale
        self._keys = {
            Side.BUY: path.site_key * _PRIME & MASK,
            Side.SELL: path.site_key * _OTHER_PRIME & MASK,
        }
        self._kept: dict[Side, dict[int, FeedLevel]] = {Side.BUY: {}, Side.SELL: {}}
        self._floor = max(path.scale.steps_up(instrument.price_min), 1)
        self._roof = path.scale.steps_down(instrument.price_max) if instrument.price_max else 1 << 200
        step = instrument.quantity_step
        self._lots = max(_whole_steps(profile.level_quantity, step), 8)
        self._lots_min = max(-_whole_steps(instrument.quantity_min.copy_negate(), step), 1)

        # Zones of 1, 5, 10, 50, 100 ... steps between levels, up to a share of the price.
        roundest = path.scale.steps_down(profile.anchor) * _ROUNDEST_BIPS // 10_000
        self._zones = [1]
        while (wider := self._zones[-1] * (5 if len(self._zones) % 2 else 2)) <= roundest:
            self._zones.append(wider)

    def levels(self, side: Side, touch: int, time_us: int) -> Iterator[FeedLevel]:
        """Levels from the touch away from it, best first."""
        # Written out in one piece: a book of a hundred levels is asked for at every look.
        key = self._keys[side]
        kept = self._kept[side]
        zones = self._zones
        lots_unit, lots_min = self._lots, self._lots_min
        price_of, quantity_of, new = self._scale.price, self._scale.quantity, tuple.__new__
        towards = -1 if side is Side.BUY else 1
        price = touch
        left = LEVELS_MAX
        for zone, between in enumerate(zones):
            in_zone = left if between == zones[-1] else _LEVELS_PER_ZONE
            left -= in_zone
            price = -(-price // between) * between if towards > 0 else price // between * between
            rounder = zones[zone + 1] if zone + 1 < len(zones) else _NEVER
            last = price + towards * between * in_zone
            last = min(last, self._roof + 1) if towards > 0 else max(last, self._floor - 1)
            for steps in range(price, last, towards * between):
                known = kept.get(steps)
                if known is not None and known[2] <= time_us < known[3]:
                    yield known
                    continue
                noise = (steps * _PRIME ^ key) * GOLDEN & MASK
                period_us = _PERIOD_MIN_US + (_PERIOD_SPREAD_US * (noise >> 54) >> 10)
                epoch, past_us = divmod(time_us + (period_us * (noise >> 38 & 0xFFFF) >> 16), period_us)
                noise = ((noise >> 11 ^ epoch) * _PRIME ^ noise) & MASK
                noise = (noise ^ noise >> 32) * _OTHER_PRIME & MASK
                roundness = zone + 2
                if not steps % rounder:
                    roundness += 1
                    while roundness - 1 < len(zones) and not steps % zones[roundness - 1]:
                        roundness += 1
                # A product of two uniforms: mostly less than the typical quantity, now and then a wall.
                lots = (lots_unit * roundness * (noise >> 48) * (noise >> 32 & 0xFFFF) >> 31) + (
                    lots_unit >> 3
                )
                since_us = time_us - past_us
                quantity = quantity_of(lots if lots > lots_min else lots_min)
                if len(kept) >= _LEVELS_KEPT:
                    kept.clear()
                level = kept[steps] = new(
                    FeedLevel, (price_of(steps), quantity, since_us, since_us + period_us)
                )
                yield level
            price = last
            if not self._floor <= price <= self._roof:
                return


def _whole_steps(quantity: Decimal, step: Decimal) -> int:
    """The most whole steps that are not above a quantity."""
    numerator, denominator = quantity.as_integer_ratio()
    step_numerator, step_denominator = step.as_integer_ratio()
    return numerator * step_denominator // (denominator * step_numerator)
