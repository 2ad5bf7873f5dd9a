"""A market that follows a script: every trade is written down, every answer is found by looking at all.

It implements the core's `Feed` without any of the cleverness of a real one, so it is an oracle too.
With a single trade it is a market that never moves.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from decimal import Decimal

from emulator.core.instruments import Instrument, Side
from emulator.core.markets import SECOND_US, Candle, FeedLevel, FeedTrade, Quote, Stretch
from emulator.core.numbers import BIPS, ZERO, round_half

NEVER_US = 1 << 62

Moment = tuple[int, str] | tuple[int, str, str]
"""(time_us, price[, quantity])"""


class ScriptedFeed:
    """In every trade a buyer takes, so that its price is the ask; `alternating`, in every other one.

    spread: distance of the quotes. depth: levels a side, `between` apart, each of `quantity`, which is
    renewed every `period_us`. premium: the contract's, always. calls: how often each question was asked.

    The index is the last price at whole seconds.
    """

    def __init__(
        self,
        *script: Moment,
        spread: str = "1",
        quantity: str = "1",
        depth: int = 0,
        between: str = "1",
        period_us: int = NEVER_US,
        alternating: bool = False,
        premium: str = "0",
    ) -> None:
        self.tape = [
            FeedTrade(
                number,
                moment[0],
                Decimal(moment[1]),
                Decimal(moment[2] if len(moment) == 3 else "1"),
                alternating and number % 2 == 0,
            )
            for number, moment in enumerate(script, start=1)
        ]
        self.times = [trade.time_us for trade in self.tape]
        assert self.times == sorted(self.times)
        self.spread = Decimal(spread)
        self.quantity = Decimal(quantity)
        self.depth = depth
        self.between = Decimal(between)
        self.period_us = period_us
        self.fair_premium = Decimal(premium)
        self.calls: Counter[str] = Counter()

    def last_trade(self, instrument: Instrument, time_us: int) -> FeedTrade:
        self.calls["last_trade"] += 1
        count = bisect_right(self.times, time_us)
        if count:
            return self.tape[count - 1]
        return FeedTrade(0, 0, self.tape[0].price, ZERO, buyer_is_maker=False)

    def next_trade_time(self, instrument: Instrument, after_us: int) -> int:
        self.calls["next_trade_time"] += 1
        count = bisect_right(self.times, after_us)
        return self.times[count] if count < len(self.times) else NEVER_US

    def quote(self, instrument: Instrument, time_us: int) -> Quote:
        self.calls["quote"] += 1
        last = self.last_trade(instrument, time_us)
        bid = last.price if last.buyer_is_maker else last.price - self.spread
        return Quote(bid, self.quantity, bid + self.spread, self.quantity)

    def levels(
        self, instrument: Instrument, side: Side, time_us: int, best: Decimal | None = None
    ) -> Iterator[FeedLevel]:
        self.calls["levels"] += 1
        quote = self.quote(instrument, time_us)
        away = -self.between if side is Side.BUY else self.between
        price = best if best is not None else quote.bid if side is Side.BUY else quote.ask
        since_us = time_us // self.period_us * self.period_us
        for ordinal in range(self.depth):
            at = price + away * ordinal
            if at > ZERO:
                yield FeedLevel(at, self.quantity, since_us, since_us + self.period_us)

    def next_crossing(
        self,
        instrument: Instrument,
        after_us: int,
        until_us: int,
        *,
        ask_at_most: Decimal | None = None,
        bid_at_least: Decimal | None = None,
        last_at_most: Decimal | None = None,
        last_at_least: Decimal | None = None,
    ) -> int | None:
        self.calls["next_crossing"] += 1
        for trade in self._between(after_us, until_us):
            quote = self.quote(instrument, trade.time_us)
            if (
                (ask_at_most is not None and quote.ask <= ask_at_most)
                or (bid_at_least is not None and quote.bid >= bid_at_least)
                or (last_at_most is not None and trade.price <= last_at_most)
                or (last_at_least is not None and trade.price >= last_at_least)
            ):
                return trade.time_us
        return None

    def next_reversal(
        self,
        instrument: Instrument,
        after_us: int,
        until_us: int,
        *,
        side: Side,
        extreme: Decimal,
        delta_bips: int | None = None,
        distance: Decimal | None = None,
    ) -> tuple[int | None, Decimal]:
        self.calls["next_reversal"] += 1
        for trade in self._between(after_us, until_us):
            if side is Side.SELL:
                extreme = max(extreme, trade.price)
                away = extreme * BIPS * (delta_bips or 0) if distance is None else distance
                if trade.price <= extreme - away:
                    return trade.time_us, extreme
            else:
                extreme = min(extreme, trade.price)
                away = extreme * BIPS * (delta_bips or 0) if distance is None else distance
                if trade.price >= extreme + away:
                    return trade.time_us, extreme
        return None, extreme

    def trade_count(self, instrument: Instrument, time_us: int) -> int:
        self.calls["trade_count"] += 1
        return bisect_right(self.times, time_us)

    def trades(
        self, instrument: Instrument, first_number: int, limit: int, until_us: int
    ) -> Sequence[FeedTrade]:
        self.calls["trades"] += 1
        listed = [trade for trade in self.tape if trade.number >= first_number and trade.time_us <= until_us]
        return listed[:limit]

    def candles(
        self, instrument: Instrument, interval_us: int, start_us: int, end_us: int, now_us: int
    ) -> Sequence[Candle]:
        self.calls["candles"] += 1
        return [
            self._sum(open_us, min(open_us + interval_us, now_us + 1))._replace(
                close_us=open_us + interval_us
            )
            for open_us in range(start_us, min(end_us, now_us) + 1, interval_us)
        ]

    def range(self, instrument: Instrument, start_us: int, end_us: int) -> Candle:
        self.calls["range"] += 1
        return self._sum(start_us, end_us)

    def index(self, instrument: Instrument, time_us: int, step: Decimal) -> int:
        self.calls["index"] += 1
        count = bisect_right(self.times, time_us - time_us % SECOND_US)
        return int(round_half(self.tape[max(count - 1, 0)].price, step) / step)

    def stretches(
        self, instrument: Instrument, start_us: int, end_us: int, step: Decimal
    ) -> Iterator[Stretch]:
        self.calls["stretches"] += 1
        yield ScriptedStretch(self, start_us, end_us, step)

    def premium(self, instrument: Instrument, number: int, most: Decimal) -> Decimal:
        self.calls["premium"] += 1
        return min(max(self.fair_premium, -most), most)

    def _between(self, after_us: int, until_us: int) -> list[FeedTrade]:
        return [trade for trade in self.tape if after_us < trade.time_us <= until_us]

    def _sum(self, start_us: int, end_us: int) -> Candle:
        before = bisect_right(self.times, start_us - 1)
        summed = self._between(start_us - 1, end_us - 1)
        bought = [trade for trade in summed if not trade.buyer_is_maker]
        last = self.tape[max(before - 1, 0)].price
        prices = [trade.price for trade in summed] or [last]
        return Candle(
            start_us,
            end_us,
            prices[0],
            max(prices),
            min(prices),
            prices[-1],
            sum((trade.quantity for trade in summed), ZERO),
            sum((trade.price * trade.quantity for trade in summed), ZERO),
            len(summed),
            sum((trade.quantity for trade in bought), ZERO),
            sum((trade.price * trade.quantity for trade in bought), ZERO),
            before + 1,
            before + len(summed),
        )


class ScriptedStretch(Stretch):
    """A stretch with the bounds of all prices in it, found by looking at all."""

    def __init__(self, feed: ScriptedFeed, start_us: int, end_us: int, step: Decimal) -> None:
        self.feed = feed
        self.step = step
        first = bisect_left(feed.times, start_us - start_us % SECOND_US)
        prices = [trade.price for trade in feed.tape[max(first - 1, 0) : bisect_right(feed.times, end_us)]]
        low = int(min(prices) // step)
        high = int(-(-max(prices) // step))
        super().__init__(start_us, end_us, low=low, high=high)

    def _part(self, start_us: int, end_us: int) -> Stretch:
        return ScriptedStretch(self.feed, start_us, end_us, self.step)
