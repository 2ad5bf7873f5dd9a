"""What index, mark and premium are at one tick, and the funding rates that follow from them."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from decimal import Decimal
from operator import mul
from typing import Final

from emulator.core.contracts import Contract, MarkRule
from emulator.core.funding import HOUR_US, funding_rate, premium_index
from emulator.core.instruments import BUY, Side
from emulator.core.markets import PREMIUM_SPAN_US, SECOND_US
from emulator.core.marks.moves import (
    PART,
    PARTS,
    Apart,
    Move,
    Piece,
    Regime,
    half,
    median,
    with_rate,
)
from emulator.core.numbers import ONE, ZERO, canonical, divide_half, round_half
from emulator.core.tape import FOREVER_US, MINUTE_US, Market

BASIS_US: Final = 30 * SECOND_US
"""How long the basis is averaged."""

RATES_KEPT: Final = 4_096
KNOTS_KEPT: Final = 16_384
SAMPLES_KEPT: Final = 256


class Ticks:
    """The state is `moves`; all else can be forgotten and found again.

    The owner of the market tells each change that is made by hand, right after the market was changed. A
    mark that is itself set by hand would be a field of `Move`, and `_mark` would begin by looking at it; a
    funding rate likewise, in `_rate`.
    """

    def __init__(self, market: Market, contract: Contract, rule: MarkRule) -> None:
        self.market = market
        self.contract = contract
        self.rule = rule
        self.step = rule.step
        self.interval_us = contract.funding_hours * HOUR_US
        self.moves: list[Move] = []
        self._before: Move | None = None
        self._times: list[int] = []
        self._regimes = [Regime()]  # one more than moves: the first is that of an untouched market
        self._step_whole, self._step_parts = rule.step.as_integer_ratio()
        self._premium_max = int(round_half(rule.premium_max, PART) * PARTS)
        self._rates: dict[int, tuple[Decimal, int, int]] = {}
        self._predicted: tuple[int, Decimal] | None = None
        self._settlement: tuple[int, int, Decimal] | None = None
        self._estimate: tuple[int, int, Decimal] | None = None
        self._knots: dict[int, int] = {}
        self._span_us, self._span_from, self._span_by = -FOREVER_US, 0, 0
        self._touched_us = self._settled_us = -1
        self._marked = self._indexed = (-1, ZERO)
        self._apart: dict[int, int] = {}

    # By hand

    def price_set(self, price: Decimal, now_us: int, *, is_held: bool) -> None:
        """The price of the pair was set: held there, or moving on from there."""
        self._before = self.moves[-1] if self.moves else None
        shift = ZERO
        if not is_held:
            shift = price - self.market.feed.index(self.market.instrument, now_us, self.step) * self.step
        self._move(Move(now_us, price if is_held else None, shift))

    def book_set(self, now_us: int) -> None:
        """The book of this contract was set. `price_set` was told just before, but the pair did not move."""
        book, segment = self.market.manual, self.market.segment
        assert book is not None
        assert segment is not None
        last = segment.price
        assert last is not None, "a book holds the last price"
        apart = Apart(
            book.bids[0][0] if book.bids else last,
            book.asks[0][0] if book.asks else last,
            last,
        )
        before = self._before or Move(now_us)
        self._move(before._replace(start_us=now_us, apart=apart))

    def released(self, now_us: int) -> None:
        """Nothing is held, shifted or set by hand any more."""
        self._move(Move(now_us))

    def restore(self, moves: Sequence[Move]) -> None:
        """Take over what another one was told."""
        for move in moves:
            self._move(move)

    def _move(self, move: Move) -> None:
        keep = bisect_left(self._times, move.start_us)
        del self.moves[keep:], self._times[keep:], self._regimes[keep + 1 :]
        self.moves.append(move)
        self._times.append(move.start_us)
        regime = Regime(move.start_us, shift=self._steps(move.shift))
        if move.price is not None:
            regime = regime._replace(held=max(self._steps(move.price), 1))
        if move.apart is not None:
            bid, ask, last = move.apart
            regime = regime._replace(apart=self._steps((bid + ask) / 2), last=self._steps(last))
        self._regimes.append(regime)
        self._marked = self._indexed = (-1, ZERO)
        self._apart.clear()
        for settled_us in [known for known in self._rates if known > move.start_us]:
            del self._rates[settled_us]
        self._predicted = None

    # Prices

    def index_price(self, now_us: int) -> Decimal:
        tick_us, regime = self._tick(now_us)
        if self._indexed[0] != tick_us:
            self._indexed = (tick_us, canonical(self._index(tick_us, regime) * self.step))
        return self._indexed[1]

    def mark_price(self, now_us: int) -> Decimal:
        tick_us, regime = self._tick(now_us)
        if self._marked[0] != tick_us:
            self._marked = (tick_us, canonical(self._mark(tick_us, regime) * self.step))
        return self._marked[1]

    def premium(self, now_us: int) -> Decimal:
        """The premium index: by which part of it the contract's own book is above the index."""
        return canonical(self._premium(*self._tick(now_us)) * PART)

    def price_limit(self, side: Side, part: Decimal, now_us: int) -> Decimal:
        """Up to where may be bid, or down to where may be asked.

        That is so much of the mark price (`part`), and what the book stands above it or below, on average of
        the last seconds; the index at the least, and at the most what the band of the contract leaves.
        """
        band = self.contract.band
        mark = self.mark_price(now_us)
        if band is None:
            return mark * part
        index, premium = self.index_price(now_us), self.book_premium(now_us, band.seconds)
        if side is BUY:
            return min(mark * (ONE + band.hard), max(index, mark * part + max(premium, ZERO)))
        return max(mark * (ONE - band.hard), min(index, mark * part + min(premium, ZERO)))

    def book_premium(self, now_us: int, seconds: int) -> Decimal:
        """The middle of the contract's own book less its mark price, on average of the last whole seconds.

        A book that was not set by hand stands where its trades do: around the index. Not from before the
        market was last moved by hand. To the nearest step.
        """
        second_us = now_us - now_us % SECOND_US
        first_us = second_us - (seconds - 1) * SECOND_US
        if self._times and self._times[-1] > first_us:
            first_us = -(-self._times[-1] // SECOND_US) * SECOND_US
        known = self._apart
        if len(known) > SAMPLES_KEPT:
            known.clear()
        ticks = range(first_us, second_us + 1, SECOND_US) or (self._tick(now_us)[0],)
        total = 0
        for tick_us in ticks:
            apart = known.get(tick_us)
            if apart is None:
                apart = known[tick_us] = self._standing(*self._tick(tick_us))
            total += apart
        return half(total, len(ticks)) * self.step

    def _standing(self, tick_us: int, regime: Regime) -> int:
        middle = self._index(tick_us, regime) if regime.apart is None else regime.apart
        return middle - self._mark(tick_us, regime)

    def settlement_price(self, delivered_us: int) -> Decimal:
        """At what the contract is settled that is delivered at a moment: the average of the index at each of
        the seconds before, to the nearest multiple of 1E-8."""
        known = self._settlement
        if known is None or known[:2] != (delivered_us, len(self.moves)):
            first_us = delivered_us - self.contract.settlement_seconds * SECOND_US
            known = (delivered_us, len(self.moves), self._average_index(first_us, delivered_us, SECOND_US))
            self._settlement = known
        return known[2]

    def settlement_estimate(self, now_us: int) -> Decimal:
        """At what it would be settled now, by whole minutes only."""
        until_us = now_us - now_us % MINUTE_US + MINUTE_US
        known = self._estimate
        if known is None or known[:2] != (until_us, len(self.moves)):
            first_us = until_us - self.contract.settlement_seconds * SECOND_US
            known = self._estimate = (
                until_us,
                len(self.moves),
                self._average_index(first_us, until_us, MINUTE_US),
            )
        return known[2]

    def _average_index(self, start_us: int, end_us: int, every_us: int) -> Decimal:
        samples = [self._index(*self._tick(at_us)) for at_us in range(start_us, end_us, every_us)]
        return divide_half(sum(samples) * self.step, Decimal(len(samples)), PART)

    def next_tick_us(self, after_us: int) -> int:
        """When index and mark may change next, unless somebody moves them."""
        return after_us - after_us % SECOND_US + SECOND_US

    # Funding

    def funding_rate(self, settled_us: int) -> Decimal:
        """The rate that was settled at one of the moments of payment, or will be as things stand.

        It is of the interval that ended then, and what happens later does not change it.
        """
        assert not settled_us % self.interval_us, "no moment of payment"
        return self._rate(settled_us)[0]

    def last_rate(self, now_us: int) -> Decimal:
        """The rate settled last."""
        return self.funding_rate(now_us - now_us % self.interval_us)

    def predicted_rate(self, now_us: int) -> Decimal:
        """The rate of the next payment, by what is known of its interval."""
        minute = now_us // MINUTE_US
        if self._predicted is None or self._predicted[0] != minute:
            average = self._average(now_us - now_us % self.interval_us, minute * MINUTE_US + 1)
            self._predicted = (minute, self._rate_of(average))
        return self._predicted[1]

    def _rate(self, settled_us: int) -> tuple[Decimal, int, int]:
        """A settled rate, and the same as numerator and denominator."""
        known = self._rates.get(settled_us)
        if known is None:
            if len(self._rates) >= RATES_KEPT:
                self._rates.clear()
            rate = self._rate_of(self._average(settled_us - self.interval_us, settled_us))
            known = self._rates[settled_us] = (rate, *rate.as_integer_ratio())
        return known

    def _rate_of(self, premium: Decimal) -> Decimal:
        return canonical(funding_rate(self.rule.funding, premium, self.contract.funding_hours))

    def _average(self, start_us: int, end_us: int) -> Decimal:
        """`funding.average_premium` of the premiums at the whole minutes of [start_us, end_us).

        In whole parts, because a chart of funding rates takes hundreds of thousands of them.
        """
        samples: list[int] = []
        for piece in self._pieces(start_us, end_us):
            first_us = -(-piece.start_us // MINUTE_US) * MINUTE_US
            if piece.regime.apart is None and piece.regime.held is None:
                samples += self._fair_minutes(first_us, piece.end_us)
            else:
                minutes = range(first_us, piece.end_us, MINUTE_US)
                samples += [self._premium(time_us, piece.regime) for time_us in minutes]
        count = len(samples)
        return half(sum(map(mul, range(1, count + 1), samples)), count * (count + 1) // 2) * PART

    def _fair_minutes(self, first_us: int, end_us: int) -> list[int]:
        samples: list[int] = []
        while first_us < end_us:
            samples.append(self._fair(first_us))
            here, by, past_us = self._span_from, self._span_by, first_us - self._span_us
            until_us = min(end_us - self._span_us, PREMIUM_SPAN_US)
            samples += [
                here + by * at_us // PREMIUM_SPAN_US
                for at_us in range(past_us + MINUTE_US, until_us, MINUTE_US)
            ]
            first_us = self._span_us + PREMIUM_SPAN_US
        return samples

    # At a tick

    def _tick(self, now_us: int) -> tuple[int, Regime]:
        """The last tick by a time, and what holds then."""
        tick_us = now_us - now_us % SECOND_US
        if not self._times:
            return tick_us, self._regimes[0]
        regime = self._regimes[bisect_right(self._times, now_us)]
        return max(tick_us, regime.start_us), regime

    def _index(self, tick_us: int, regime: Regime) -> int:
        if regime.held is not None:
            return regime.held
        index = self.market.feed.index(self.market.instrument, tick_us, self.step)
        return max(index + regime.shift, 1) if regime.shift else index

    def _mark(self, tick_us: int, regime: Regime) -> int:
        index = self._index(tick_us, regime)
        by_basis = self._by_basis(index, tick_us, regime)
        interval_us = self.interval_us
        if not interval_us:
            return by_basis
        past_us = tick_us % interval_us
        _, rate, unit = self._rate(tick_us - past_us)
        by_funding = with_rate(index, rate * (interval_us - past_us), unit * interval_us)
        return median(by_funding, by_basis, self._own(index, tick_us, regime))

    def _by_basis(self, index: int, tick_us: int, regime: Regime) -> int:
        """The index and the average basis."""
        own = index if regime.held is not None else with_rate(index, self._fair(tick_us), PARTS)
        if not self._times:
            return own
        ordinal = bisect_right(self._times, tick_us)
        if self._mixed_until(tick_us, ordinal) == tick_us:
            return own if regime.apart is None else regime.apart
        total, left_us, until_us = 0, BASIS_US, tick_us
        while left_us:
            past = self._regimes[ordinal]
            weight = min(until_us - past.start_us, left_us)
            total += weight * (own if past.apart is None else past.apart)
            left_us -= weight
            until_us = past.start_us
            ordinal -= 1
        return half(total, BASIS_US)

    def _own(self, index: int, tick_us: int, regime: Regime) -> int:
        """The contract's price, given the index."""
        prints = self.market.prints
        if len(prints) and tick_us != regime.start_us:
            ordinal = prints.count_before(tick_us)
            if ordinal and tick_us <= self._settles(prints.time_at(ordinal - 1)):
                return self._steps(prints[ordinal - 1].price)
        return index if regime.apart is None else regime.last

    def _settles(self, print_us: int) -> int:
        """When the market itself trades next after a trade that was laid over it."""
        if self._touched_us != print_us:
            self._touched_us = print_us
            self._settled_us = self.market.feed.next_trade_time(self.market.instrument, print_us)
        return self._settled_us

    def _premium(self, tick_us: int, regime: Regime) -> int:
        if regime.apart is not None:
            return self._quoted(regime, self._index(tick_us, regime))
        return 0 if regime.held is not None else self._fair(tick_us)

    def _quoted(self, regime: Regime, index: int) -> int:
        """The premium of the contract's own book over an index."""
        apart = self.moves[bisect_left(self._times, regime.start_us)].apart
        assert apart is not None
        premium = premium_index(
            impact_bid=apart.bid, impact_ask=apart.ask, index=index * self.step, step=PART
        )
        return int(premium * PARTS)

    def _fair(self, time_us: int) -> int:
        """The market's own premium: straight between its knots."""
        past_us = time_us - self._span_us
        if not 0 <= past_us < PREMIUM_SPAN_US:
            number, past_us = divmod(time_us, PREMIUM_SPAN_US)
            self._span_us = time_us - past_us
            self._span_from = self._knot(number)
            self._span_by = self._knot(number + 1) - self._span_from
        return self._span_from + self._span_by * past_us // PREMIUM_SPAN_US

    def _knot(self, number: int) -> int:
        known = self._knots.get(number)
        if known is None:
            if len(self._knots) >= KNOTS_KEPT:
                self._knots.clear()
            premium = self.market.feed.premium(self.market.instrument, number, self.rule.premium_max)
            known = self._knots[number] = int(premium * PARTS)
        return known

    # Over time

    def _pieces(self, start_us: int, end_us: int) -> Iterator[Piece]:
        """A span cut where regimes, and averages of the basis over several, begin and end."""
        ordinal = bisect_right(self._times, start_us)
        while start_us < end_us:
            until_us = self._times[ordinal] if ordinal < len(self._times) else FOREVER_US
            mixed_us = self._mixed_until(start_us, ordinal)
            is_mixed = mixed_us > start_us
            piece_end_us = min(end_us, until_us, mixed_us if is_mixed else FOREVER_US)
            yield Piece(start_us, piece_end_us, self._regimes[ordinal], is_mixed)
            start_us = piece_end_us
            if start_us == until_us:
                ordinal += 1

    def _mixed_until(self, time_us: int, ordinal: int) -> int:
        """Until when the basis is averaged over a book that was apart from the pair and something else."""
        while ordinal and self._regimes[ordinal].start_us + BASIS_US > time_us:
            if self._regimes[ordinal].apart != self._regimes[ordinal - 1].apart:
                return self._regimes[ordinal].start_us + BASIS_US
            ordinal -= 1
        return time_us

    # Units

    def _steps(self, price: Decimal) -> int:
        numerator, denominator = price.as_integer_ratio()
        return half(numerator * self._step_parts, denominator * self._step_whole)

    def _floor(self, price: Decimal) -> int:
        numerator, denominator = price.as_integer_ratio()
        return numerator * self._step_parts // (denominator * self._step_whole)
