"""Candles of index, mark and premium, and when a price next reaches a limit.

Both descend into the stretches of the index. Whatever a stretch's bounds rule out is not looked into,
so the cost is about the logarithm of the span, however long it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal
from heapq import heappop, heappush
from typing import Final, NamedTuple

from emulator.core.contracts import Contract, MarkRule
from emulator.core.funding import HOUR_US
from emulator.core.markets import PREMIUM_SPAN_US, SECOND_US, Stretch
from emulator.core.marks.moves import PART, PARTS, Move, Piece, Regime, median, with_rate
from emulator.core.marks.ticks import Ticks
from emulator.core.numbers import canonical
from emulator.core.tape import FOREVER_US, Market

CANDLES_KEPT: Final = 4_096
"""Closed ones, of each contract: whoever asks again for a chart has it at once. What was made first goes
first, an eighth at a time."""

LEAN_SPAN_US: Final = 900 * SECOND_US
"""Within such a span it is not looked at more closely by how much the mark leans off the index."""

_LEANS_MAX: Final = 8
_LEANS_KEPT: Final = 4_096

_LONG_US: Final = 2 * HOUR_US
"""Spans above this are not looked at in detail: what premiums can be at all is enough."""

_INDEX: Final = "index"
_MARK: Final = "mark"
_PREMIUM: Final = "premium"

_Value = Callable[[int, Regime], int]
_Bounds = Callable[[Piece, Stretch], tuple[int, int]]
_Extremes = Callable[[Piece, int, int], tuple[int, int]]


class PriceCandle(NamedTuple):
    """What a price or a premium was at the ticks of [open_us, close_us)."""

    open_us: int
    close_us: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal


class Marks(Ticks):
    """Index, mark and premium of one contract over spans of time."""

    def __init__(self, market: Market, contract: Contract, rule: MarkRule) -> None:
        super().__init__(market, contract, rule)
        self._closed: dict[tuple[str, int, int], PriceCandle] = {}
        self._leans: dict[int, tuple[int, int]] = {}
        self._was_apart = False
        self._rate_low = self._rate_high = (0, 1)
        self._lean_most = (-self._premium_max, self._premium_max)
        if self.interval_us:
            assert not self.interval_us % LEAN_SPAN_US
            self._rate_low = self._rate_of(-rule.premium_max).as_integer_ratio()
            self._rate_high = self._rate_of(rule.premium_max).as_integer_ratio()
            self._lean_most = (
                median(self._rate_low[0] * PARTS // self._rate_low[1], -self._premium_max, 0),
                median(-(-self._rate_high[0] * PARTS // self._rate_high[1]), self._premium_max, 0),
            )

    def _move(self, move: Move) -> None:
        super()._move(move)
        self._leans.clear()
        self._was_apart |= move.apart is not None
        for place in [known for known, candle in self._closed.items() if candle.close_us > move.start_us]:
            del self._closed[place]

    # Candles

    def index_candles(self, interval_us: int, start_us: int, end_us: int, now_us: int) -> list[PriceCandle]:
        """Candles that open in [start_us, end_us] and not after now; they begin at whole seconds.

        The one that holds `now_us` is open: of the ticks until now.
        """
        return self._candles(_INDEX, interval_us, start_us, end_us, now_us)

    def mark_candles(self, interval_us: int, start_us: int, end_us: int, now_us: int) -> list[PriceCandle]:
        return self._candles(_MARK, interval_us, start_us, end_us, now_us)

    def premium_candles(self, interval_us: int, start_us: int, end_us: int, now_us: int) -> list[PriceCandle]:
        return self._candles(_PREMIUM, interval_us, start_us, end_us, now_us)

    def mark_range(self, start_us: int, end_us: int) -> PriceCandle:
        """What the mark was in [start_us, end_us): at its ticks, and the one before that held at first."""
        return self._candle(_MARK, start_us, end_us, end_us - 1)

    def index_range(self, start_us: int, end_us: int) -> PriceCandle:
        return self._candle(_INDEX, start_us, end_us, end_us - 1)

    def _candles(
        self, kind: str, interval_us: int, start_us: int, end_us: int, now_us: int
    ) -> list[PriceCandle]:
        closed = self._closed
        listed: list[PriceCandle] = []
        for open_us in range(start_us, min(end_us, now_us) + 1, interval_us):
            place = (kind, interval_us, open_us)
            candle = closed.get(place)
            if candle is None or candle.close_us > now_us:
                candle = self._candle(kind, open_us, open_us + interval_us, now_us)
                if candle.close_us <= now_us:
                    if len(closed) >= CANDLES_KEPT:
                        for oldest in list(closed)[: CANDLES_KEPT // 8]:
                            del closed[oldest]
                    closed[place] = candle
            listed.append(candle)
        return listed

    def _candle(self, kind: str, open_us: int, close_us: int, now_us: int) -> PriceCandle:
        value: _Value
        extremes: _Extremes
        if kind == _INDEX:
            value, extremes, unit = self._index, self._index_extremes, self.step
        elif kind == _MARK:
            value, extremes, unit = self._mark, self._mark_extremes, self.step
        else:
            value, extremes, unit = self._premium, self._premium_extremes, PART
        until_us = min(close_us, now_us + 1)
        opening, closing = value(*self._tick(open_us)), value(*self._tick(until_us - 1))
        low, high = min(opening, closing), max(opening, closing)
        for piece in self._pieces(open_us, until_us):
            low, high = extremes(piece, low, high)
        prices = [canonical(number * unit) for number in (opening, high, low, closing)]
        return PriceCandle(open_us, close_us, *prices)

    def _index_extremes(self, piece: Piece, low: int, high: int) -> tuple[int, int]:
        return -self._most(_INDEX, piece, -low, -1), self._most(_INDEX, piece, high, 1)

    def _mark_extremes(self, piece: Piece, low: int, high: int) -> tuple[int, int]:
        return -self._most(_MARK, piece, -low, -1), self._most(_MARK, piece, high, 1)

    def _premium_extremes(self, piece: Piece, low: int, high: int) -> tuple[int, int]:
        start_us, end_us, regime, _ = piece
        first_us = start_us if start_us == regime.start_us else -(-start_us // SECOND_US) * SECOND_US
        if first_us >= end_us:
            return low, high
        if regime.apart is not None:
            # The higher the index, the less is the book above it.
            index = self._index(first_us, regime)
            lowest, highest = self._index_extremes(piece, index, index)
            return min(low, self._quoted(regime, highest)), max(high, self._quoted(regime, lowest))
        last_us, _ = self._tick(end_us - 1)
        knots = range(-(-first_us // PREMIUM_SPAN_US) * PREMIUM_SPAN_US, last_us, PREMIUM_SPAN_US)
        values = [self._premium(tick_us, regime) for tick_us in (first_us, *knots, last_us)]
        return min(low, *values), max(high, *values)

    def _most(self, kind: str, piece: Piece, best: int, sign: int) -> int:
        """The highest of `best` and the piece's values, all times `sign`: looking where it may be first."""
        is_index = kind == _INDEX
        value: _Value = self._index if is_index else self._mark
        bounds: _Bounds = self._index_bounds if is_index else self._mark_bounds
        start_us, end_us, regime, _ = piece
        if start_us == regime.start_us:
            best = max(best, sign * value(start_us, regime))
        found: list[tuple[int, int, Stretch]] = []
        parts: Iterable[Stretch] = self._stretches(piece)
        while True:
            for stretch in parts:
                if stretch.end_us > start_us and stretch.start_us < end_us:
                    low, high = bounds(piece, stretch)
                    most = high if sign > 0 else -low
                    if most > best:
                        heappush(found, (-most, stretch.start_us, stretch))
            if not found or -found[0][0] <= best:
                return best
            reached, _, stretch = heappop(found)
            if is_index and stretch.is_met and piece.clipped(stretch) == (stretch.start_us, stretch.end_us):
                return -reached
            parts = stretch.parts()
            if not parts:
                for tick_us in piece.seconds(stretch):
                    best = max(best, sign * value(tick_us, regime))

    # Looking ahead

    def next_mark_crossing(
        self,
        after_us: int,
        until_us: int,
        *,
        at_most: Decimal | None = None,
        at_least: Decimal | None = None,
    ) -> int | None:
        """The first tick in (after_us, until_us] whose mark price is at or beyond a limit.

        Neither early nor late, as long as no account trades and nothing is moved by hand. A limit that
        is passed already is found at the next tick.
        """
        return self._next_crossing(self._mark, self._mark_bounds, after_us, until_us, at_most, at_least)

    def next_index_crossing(
        self,
        after_us: int,
        until_us: int,
        *,
        at_most: Decimal | None = None,
        at_least: Decimal | None = None,
    ) -> int | None:
        """The same for the index price."""
        return self._next_crossing(self._index, self._index_bounds, after_us, until_us, at_most, at_least)

    def _next_crossing(
        self,
        value: _Value,
        bounds: _Bounds,
        after_us: int,
        until_us: int,
        at_most: Decimal | None,
        at_least: Decimal | None,
    ) -> int | None:
        lowest = -FOREVER_US if at_most is None else self._floor(at_most)
        highest = FOREVER_US if at_least is None else -self._floor(-at_least)
        for piece in self._pieces(after_us + 1, until_us + 1):
            start_us, end_us, regime, _ = piece
            if start_us == regime.start_us and not lowest < value(start_us, regime) < highest:
                return start_us
            for top in self._stretches(piece):
                waiting = [top]
                while waiting:
                    stretch = waiting.pop()
                    if stretch.end_us <= start_us or stretch.start_us >= end_us:
                        continue
                    low, high = bounds(piece, stretch)
                    if lowest < low and high < highest:
                        continue
                    parts = stretch.parts()
                    if parts:
                        waiting += reversed(parts)
                        continue
                    for tick_us in piece.seconds(stretch):
                        if not lowest < value(tick_us, regime) < highest:
                            return tick_us
        return None

    def _stretches(self, piece: Piece) -> Iterable[Stretch]:
        """What holds the whole seconds of a piece."""
        first_us = -(-piece.start_us // SECOND_US) * SECOND_US
        if first_us >= piece.end_us:
            return ()
        held = piece.regime.held
        if held is not None:
            return (Stretch(first_us, piece.end_us, low=held, high=held),)
        return self.market.feed.stretches(self.market.instrument, first_us, piece.end_us, self.step)

    # Bounds over the whole seconds of a stretch that are in a piece

    def _index_bounds(self, piece: Piece, stretch: Stretch) -> tuple[int, int]:
        regime = piece.regime
        if regime.held is not None:
            return regime.held, regime.held
        if regime.shift:
            return max(stretch.low + regime.shift, 1), max(stretch.high + regime.shift, 1)
        return stretch.low, stretch.high

    def _mark_bounds(self, piece: Piece, stretch: Stretch) -> tuple[int, int]:
        if piece.mixed:
            # It lasts half a minute, so nothing is gained by knowing more.
            return -FOREVER_US, FOREVER_US
        low, high = self._index_bounds(piece, stretch)
        regime = piece.regime
        start_us, end_us = piece.clipped(stretch)
        laid = self._laid(start_us, end_us)
        if not laid and not self._was_apart and regime.held is None:
            least, most = self._lean(start_us, end_us)
            return with_rate(low, least, PARTS), with_rate(high, most, PARTS)
        if regime.apart is not None:
            basis_low = basis_high = regime.apart
            own_low = own_high = regime.last
        else:
            basis_low, basis_high = own_low, own_high = low, high
            if regime.held is None:
                fair_low, fair_high = self._fair_bounds(start_us, end_us)
                basis_low, basis_high = with_rate(low, fair_low, PARTS), with_rate(high, fair_high, PARTS)
        if not self.interval_us:
            return basis_low, basis_high
        funding_low, funding_high = self._funding_bounds(low, high, start_us, end_us)
        return (
            median(funding_low, basis_low, min([own_low, *laid])),
            median(funding_high, basis_high, max([own_high, *laid])),
        )

    def _lean(self, start_us: int, end_us: int) -> tuple[int, int]:
        """Bounds of mark / index - 1, in parts, while nothing but the market decides: the median of the
        funding term, the premium and zero, because rounding keeps the order of what it rounds."""
        first, last = start_us // LEAN_SPAN_US, (end_us - 1) // LEAN_SPAN_US
        if last - first > _LEANS_MAX:
            return self._lean_most
        least, most = self._lean_of(first)
        for number in range(first + 1, last + 1):
            one, other = self._lean_of(number)
            least, most = min(least, one), max(most, other)
        return least, most

    def _lean_of(self, number: int) -> tuple[int, int]:
        known = self._leans.get(number)
        if known is None:
            if len(self._leans) >= _LEANS_KEPT:
                self._leans.clear()
            start_us = number * LEAN_SPAN_US
            known = self._fair_bounds(start_us, start_us + LEAN_SPAN_US)
            interval_us = self.interval_us
            if interval_us:
                past_us = start_us % interval_us
                _, rate, unit = self._rate(start_us - past_us)
                most_us, least_us = interval_us - past_us, interval_us - past_us - LEAN_SPAN_US
                if rate < 0:
                    most_us, least_us = least_us, most_us
                unit *= interval_us
                known = (
                    median(rate * least_us * PARTS // unit, known[0], 0),
                    median(-(-rate * most_us * PARTS // unit), known[1], 0),
                )
            self._leans[number] = known
        return known

    def _fair_bounds(self, start_us: int, end_us: int) -> tuple[int, int]:
        if end_us - start_us > _LONG_US:
            return -self._premium_max, self._premium_max
        first, last = self._fair(start_us), self._fair(end_us)
        low, high = (first, last) if first < last else (last, first)
        for number in range(start_us // PREMIUM_SPAN_US + 1, end_us // PREMIUM_SPAN_US + 1):
            knot = self._knot(number)
            if knot < low:
                low = knot
            elif knot > high:
                high = knot
        return low, high

    def _funding_bounds(self, low: int, high: int, start_us: int, end_us: int) -> tuple[int, int]:
        """Of the index with what is left of the last funding rate; low and high: the index."""
        interval_us = self.interval_us
        settled_us = start_us - start_us % interval_us
        if end_us <= settled_us + interval_us:
            _, rate, unit = self._rate(settled_us)
            most_us, least_us = settled_us + interval_us - start_us, settled_us + interval_us - end_us
            if rate < 0:
                most_us, least_us = least_us, most_us
            unit *= interval_us
            return with_rate(low, rate * least_us, unit), with_rate(high, rate * most_us, unit)
        lowest, highest = self._rate_low, self._rate_high
        if any(
            regime.apart is not None and regime.start_us < end_us and until_us > settled_us - interval_us
            for regime, until_us in zip(self._regimes, [*self._times, FOREVER_US], strict=True)
        ):
            # A premium may have been anything.
            rates = [self._rate(at_us) for at_us in range(settled_us, end_us, interval_us)]
            lowest, highest = min(rates)[1:], max(rates)[1:]
        return with_rate(low, min(lowest[0], 0), lowest[1]), with_rate(high, max(highest[0], 0), highest[1])

    def _laid(self, start_us: int, end_us: int) -> list[int]:
        """The extremes of what accounts' trades make of the contract's price, if any do."""
        prints = self.market.prints
        if not len(prints):
            return []
        laid: list[int] = []
        before, within = prints.count_before(start_us), prints.count_before(end_us)
        if before < within:
            sums = prints.sums(before, within)
            laid += (self._steps(sums.low), self._steps(sums.high))
        if before and start_us <= self._settles(prints.time_at(before - 1)):
            laid.append(self._steps(prints[before - 1].price))
        return laid
