"""A contract whose marks are asked in two ways: as the core does, and by the definition, tick by tick."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Context, Decimal
from itertools import pairwise
from typing import NamedTuple

from emulator.core import commands as c
from emulator.core import events as e
from emulator.core.commands import PriceMode
from emulator.core.contracts import Contract
from emulator.core.funding import average_premium, funding_rate, premium_index
from emulator.core.instruments import Instrument
from emulator.core.markets import PREMIUM_SPAN_US, Feed
from emulator.core.marks import MarkRule, Marks
from emulator.core.numbers import ZERO, exact
from tests.core.futures import BTC_TIERS
from tests.core.world import MINUTE, SECOND, World

HOUR = 60 * MINUTE
PART = Decimal("0.00000001")
_PLENTY = Context(prec=80, rounding=ROUND_HALF_EVEN, traps=[])


class Told(NamedTuple):
    """What was said by hand: a price for the pair (held or not), a book of the contract, or a release."""

    time_us: int
    price: Decimal | None = None
    held: bool = False
    base: Decimal = ZERO
    book: tuple[Decimal, Decimal, Decimal] | None = None


class Marked:
    """An engine with one instrument, its marks, and the definition of them."""

    def __init__(
        self,
        feed: Feed,
        of: Instrument,
        *,
        hours: int = 8,
        rule: MarkRule | None = None,
        now: int | None = None,
    ) -> None:
        self.world = World(feed, of, checked=False)
        if now is not None:
            self.world.now = now
        self.contract = Contract(settle="USDT", margin_asset="USDT", tiers=BTC_TIERS, funding_hours=hours)
        self.rule = rule or MarkRule(step=Decimal("0.01"))
        self.market = self.world.engine.state.markets[of.symbol]
        self.marks = self.again()
        self.told: list[Told] = []
        self._rates: dict[tuple[int, int], Decimal] = {}

    @property
    def now(self) -> int:
        return self.world.now

    def again(self) -> Marks:
        """Others of the same market, which know nothing by heart."""
        marks = Marks(self.market, self.contract, self.rule)
        if hasattr(self, "marks"):
            marks.restore(self.marks.moves)
        return marks

    # By hand

    def price(self, price: str | Decimal, mode: PriceMode = PriceMode.HOLD) -> None:
        price = Decimal(price)
        base = self._raw(self.now)
        self._do(c.SetPrice(pair=self.market.instrument.pair, price=price, mode=mode))
        self.told.append(Told(self.now, price, mode is PriceMode.HOLD, base))

    def book(self, bid: str | Decimal, ask: str | Decimal) -> None:
        bid, ask = Decimal(bid), Decimal(ask)
        last = min(max(self.market.last_price(self.now), bid), ask)
        one = Decimal(1)
        self._do(c.SetBook(instrument=self.world.symbol, bids=((bid, one),), asks=((ask, one),)))
        self.told.append(Told(self.now, book=(bid, ask, last)))

    def release(self) -> None:
        self._do(c.ReleaseMarket(pair=self.market.instrument.pair))
        self.told.append(Told(self.now))

    def print(self, price: str | Decimal) -> None:
        self._do(c.PrintTrade(instrument=self.world.symbol, price=Decimal(price), quantity=Decimal(1)))

    def _do(self, command: c.Command) -> None:
        for event in self.world.does(command):
            match event:
                case e.PriceSet():
                    held = event.mode is PriceMode.HOLD
                    self.marks.price_set(event.price, self.now, is_held=held)
                case e.BookSet():
                    self.marks.book_set(self.now)
                case e.MarketReleased():
                    self.marks.released(self.now)

    # The definition

    def tick(self, time_us: int) -> int:
        moments = [told.time_us for told in self.told if told.time_us <= time_us]
        return max([time_us - time_us % SECOND, *moments])

    def ticks(self, start_us: int, end_us: int) -> list[int]:
        """All ticks of [start_us, end_us)."""
        seconds = range(-(-start_us // SECOND) * SECOND, end_us, SECOND)
        by_hand = {told.time_us for told in self.told if start_us <= told.time_us < end_us}
        return sorted({*seconds, *by_hand})

    def index(self, tick_us: int) -> Decimal:
        of_pair = [told for told in self.told if told.time_us <= tick_us and told.book is None]
        raw = self._raw(tick_us)
        if not of_pair or of_pair[-1].price is None:
            return raw
        newest = of_pair[-1]
        assert newest.price is not None
        return newest.price if newest.held else raw + newest.price - newest.base

    def mark(self, tick_us: int) -> Decimal:
        with exact():
            index = self.index(tick_us)
            basis = self.by_basis(tick_us)
            hours = self.contract.funding_hours
            if not hours:
                return basis
            past_us = tick_us % (hours * HOUR)
            rate = self.rate(tick_us - past_us)
            left_us = hours * HOUR - past_us
            by_funding = self._rounded(index * (hours * HOUR + rate * left_us), Decimal(hours * HOUR))
            return sorted((by_funding, basis, self.own(tick_us)))[1]

    def by_basis(self, tick_us: int) -> Decimal:
        """The average of where the book stood in the last half minute, weighted by time."""
        index = self.index(tick_us)
        fair = self._rounded(index * (1 + self._fair(tick_us)), Decimal(1))
        if self._is_held(tick_us):
            fair = index
        moments = [told.time_us for told in self.told if tick_us - 30 * SECOND < told.time_us < tick_us]
        edges = [tick_us - 30 * SECOND, *sorted(set(moments)), tick_us]
        total = ZERO
        for start_us, end_us in pairwise(edges):
            book = self._book(start_us)
            middle = fair if book is None else self._rounded(book[0] + book[1], Decimal(2))
            total += middle * (end_us - start_us)
        return self._rounded(total, Decimal(30 * SECOND))

    def own(self, tick_us: int) -> Decimal:
        book = self._book(tick_us)
        own = self.index(tick_us) if book is None else book[2]
        if any(told.time_us == tick_us for told in self.told):
            return own
        laid = [trade for trade in self.market.prints if trade.time_us < tick_us]
        if laid:
            trade = self.market.feed.last_trade(self.market.instrument, tick_us - 1)
            if trade.time_us <= laid[-1].time_us:
                return self._rounded(laid[-1].price, Decimal(1))
        return own

    def premium(self, tick_us: int) -> Decimal:
        book = self._book(tick_us)
        if book is not None:
            return premium_index(impact_bid=book[0], impact_ask=book[1], index=self.index(tick_us))
        return ZERO if self._is_held(tick_us) else self._fair(tick_us)

    def rate(self, settled_us: int) -> Decimal:
        hours = self.contract.funding_hours
        known = self._rates.get((settled_us, len(self.told)))
        if known is not None:
            return known
        samples = [self.premium(at_us) for at_us in range(settled_us - hours * HOUR, settled_us, MINUTE)]
        rate = funding_rate(self.rule.funding, average_premium(samples), hours)
        self._rates[settled_us, len(self.told)] = rate
        return rate

    def _raw(self, time_us: int) -> Decimal:
        return self.market.feed.index(self.market.instrument, time_us, self.rule.step) * self.rule.step

    def _fair(self, time_us: int) -> Decimal:
        number, past_us = divmod(time_us, PREMIUM_SPAN_US)
        here, there = (
            int(self.market.feed.premium(self.market.instrument, at, self.rule.premium_max) / PART)
            for at in (number, number + 1)
        )
        return (here + (there - here) * past_us // PREMIUM_SPAN_US) * PART

    def _book(self, time_us: int) -> tuple[Decimal, Decimal, Decimal] | None:
        known = [told.book for told in self.told if told.time_us <= time_us]
        return known[-1] if known else None

    def _is_held(self, time_us: int) -> bool:
        of_pair = [told for told in self.told if told.time_us <= time_us and told.book is None]
        return bool(of_pair) and of_pair[-1].held

    def _rounded(self, value: Decimal, divisor: Decimal) -> Decimal:
        """The quotient, to the nearest step, halves to the even one."""
        steps = _PLENTY.divide(value, _PLENTY.multiply(divisor, self.rule.step))
        return steps.quantize(Decimal(1), context=_PLENTY) * self.rule.step
