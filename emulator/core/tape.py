"""The market of one instrument as accounts see it: the feed, moved by hand, with their trades laid over.

The feed is a function; what is state here is only what people did: levels consumed, prices and books
set by hand, trades that accounts made. Trade ids interleave both without a table: a trade laid over
the feed takes the number of feed trades until then plus its own ordinal.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import islice, pairwise
from typing import TYPE_CHECKING, NamedTuple

from emulator.core.book import PriceQueues
from emulator.core.bounds import Bounds
from emulator.core.commands import BookSide
from emulator.core.ids import AccountId, OrderId
from emulator.core.instruments import BUY, SELL, Instrument, Side, TriggerSource
from emulator.core.markets import Candle, Feed, FeedLevel, Quote
from emulator.core.numbers import ZERO, divide_half
from emulator.core.orders import Order
from emulator.core.prints import Print, Prints

if TYPE_CHECKING:
    from emulator.core.marks import Marks, Watch

MINUTE_US = 60_000_000
SECOND_US = 1_000_000
FOREVER_US = 1 << 62
EPOCH_2017_US = 1_483_228_800_000_000
"""Update ids count from here: they stay below 2**53, which not every client's numbers exceed."""


class Segment(NamedTuple):
    """From `start_us` on the price is held (`price`) or shifted (`price` None); None, 0: the feed's own."""

    start_us: int
    price: Decimal | None
    shift: Decimal
    ask_at_price: bool

    @property
    def is_release(self) -> bool:
        return self.price is None and not self.shift


class ManualBook(NamedTuple):
    bids: BookSide
    asks: BookSide
    since_us: int


class Market:
    """The state of one instrument's market, and the questions that may be asked of it.

    rises, falls, trailing: orders that wait for the last price. watches: those that wait for the mark or
    the index price of a contract. marks: these prices, and the funding rate; None of a pair.
    deadlines: of open orders that end at a moment, (time_us, order), the first one first.
    countdowns: when all orders of an account end here.
    """

    __slots__ = (
        "_average",
        "asks",
        "bids",
        "bounds",
        "changes",
        "consumed",
        "countdowns",
        "deadlines",
        "falls",
        "feed",
        "instrument",
        "manual",
        "marks",
        "prevented",
        "prints",
        "rises",
        "segment_times",
        "segments",
        "trailing",
        "watches",
    )

    def __init__(self, instrument: Instrument, feed: Feed) -> None:
        self.instrument = instrument
        self.bounds = Bounds(instrument)
        self.feed = feed
        self.bids = PriceQueues(descending=True)
        self.asks = PriceQueues(descending=False)
        self.rises = PriceQueues(descending=False)
        self.falls = PriceQueues(descending=True)
        self.trailing: dict[int, Order] = {}
        self.consumed: dict[tuple[Side, Decimal], tuple[int, Decimal]] = {}
        self.segments: list[Segment] = []
        self.segment_times: list[int] = []
        self.manual: ManualBook | None = None
        self.marks: Marks | None = None
        self.watches: tuple[Watch, ...] = ()
        self.deadlines: list[tuple[int, OrderId]] = []
        self.countdowns: dict[AccountId, int] = {}
        self.prints = Prints()
        self.prevented = 0
        self.changes = 0
        self._average: tuple[int, int, Decimal] | None = None

    @property
    def is_idle(self) -> bool:
        """Whether nobody waits for anything that the market may do."""
        return not (
            self.bids.queues
            or self.asks.queues
            or self.rises.queues
            or self.falls.queues
            or self.trailing
            or self.deadlines
            or self.countdowns
            or not all(watch.is_idle for watch in self.watches)
        )

    # Prices

    @property
    def segment(self) -> Segment | None:
        return self.segments[-1] if self.segments else None

    def last_price(self, now_us: int) -> Decimal:
        """The price of the newest trade."""
        return self.last_print(now_us).price

    def price_by(self, source: TriggerSource, now_us: int) -> Decimal:
        """The price that triggers of a source are compared with."""
        if source is TriggerSource.LAST:
            return self.last_price(now_us)
        return self._watch(source).price(now_us)

    def waiting(self, source: TriggerSource) -> Market | Watch:
        """Where orders stand that wait for the price of a source."""
        return self if source is TriggerSource.LAST else self._watch(source)

    def _watch(self, source: TriggerSource) -> Watch:
        return next(watch for watch in self.watches if watch.source is source)

    def last_print(self, now_us: int) -> Print:
        """The newest trade, whoever made it."""
        trade = self.feed.last_trade(self.instrument, now_us)
        ordinal = self.prints.count_until(now_us)
        while ordinal and self.prints.time_at(ordinal - 1) >= trade.time_us:
            entry = self.prints[ordinal - 1]
            if entry.quantity:
                return entry
            ordinal -= 1
        price = self._moved(trade.price, trade.time_us)
        return Print(
            trade.number + ordinal,
            trade.time_us,
            price,
            trade.quantity,
            price * trade.quantity,
            trade.buyer_is_maker,
        )

    def market_quote(self, now_us: int) -> tuple[Decimal, Decimal]:
        """Best bid and ask of the market's own side, whether consumed or not."""
        segment = self.segments[-1] if self.segments else None
        if segment is not None and segment.price is not None:
            spread = self.instrument.price_step * self.instrument.profile.spread_steps
            if segment.ask_at_price:
                return segment.price - spread, segment.price
            return segment.price, segment.price + spread
        quote = self.feed.quote(self.instrument, now_us)
        if segment is not None:
            return quote.bid + segment.shift, quote.ask + segment.shift
        return quote.bid, quote.ask

    def average_price(self, now_us: int) -> Decimal:
        """The reference price: trades of the last minutes weighted by quantity, in whole seconds.

        Not from before the price was last moved by hand. Without any trade in that time, the last price.
        """
        second = now_us // SECOND_US
        cached = self._average
        if cached is not None and cached[0] == second and cached[1] == len(self.segments):
            return cached[2]
        end_us = second * SECOND_US
        start_us = end_us - self.instrument.reference_minutes * MINUTE_US
        if self.segments:
            start_us = max(start_us, self.segments[-1].start_us)
        candle = self.range(start_us, end_us) if start_us < end_us else None
        if candle is None or not candle.volume:
            return self.last_price(now_us)
        average = divide_half(candle.quote_volume, candle.volume, self.instrument.quote_step)
        self._average = (second, len(self.segments), average)
        return average

    # Levels

    def levels(self, side: Side, now_us: int, renewals: list[int] | None = None) -> Iterator[FeedLevel]:
        """What is left of the market's own levels of one side, best first.

        renewals: gets the moment of renewal of every level looked at, used up ones included.
        """
        if self.manual is not None:
            listed = self.manual.bids if side is BUY else self.manual.asks
            since_us = self.manual.since_us
            source: Iterator[FeedLevel] = (
                FeedLevel(price, quantity, since_us, FOREVER_US) for price, quantity in listed
            )
        else:
            source = self._source(side, now_us)
        consumed = self.consumed
        if not consumed and renewals is None:
            return source
        return self._left(side, source, renewals)

    def _left(
        self, side: Side, source: Iterator[FeedLevel], renewals: list[int] | None
    ) -> Iterator[FeedLevel]:
        """What is left of levels that accounts may have consumed."""
        consumed = self.consumed
        for level in source:
            if renewals is not None:
                renewals.append(level.until_us)
            used = consumed.get((side, level.price))
            if used is None or used[0] != level.since_us:
                yield level
            elif used[1] < level.quantity:
                yield FeedLevel(level.price, level.quantity - used[1], level.since_us, level.until_us)

    def _source(self, side: Side, now_us: int) -> Iterator[FeedLevel]:
        """The feed's levels of one side, from where the price was moved to, consumed or not."""
        segment = self.segment
        if segment is None or segment.is_release:
            return self.feed.levels(self.instrument, side, now_us)
        best = self.market_quote(now_us)[0 if side is BUY else 1]
        return self.feed.levels(self.instrument, side, now_us, best)

    def crosses(self, side: Side, price: Decimal, now_us: int) -> bool:
        """Whether an order at this price would meet what the book holds on the opposite side."""
        own = self.asks.best if side is BUY else self.bids.best
        if own is not None and (own <= price if side is BUY else own >= price):
            return True
        if self.manual is None:
            # What has been consumed leaves worse prices only, so levels are seldom asked for.
            if self.segments:
                bid, ask = self.market_quote(now_us)
            else:
                bid, _, ask, _ = self.feed.quote(self.instrument, now_us)
            if ask > price if side is BUY else bid < price:
                return False
        level = next(self.levels(side.opposite, now_us), None)
        return level is not None and (level.price <= price if side is BUY else level.price >= price)

    def depth(
        self, side: Side, now_us: int, limit: int, renewals: list[int] | None = None
    ) -> list[tuple[Decimal, Decimal]]:
        """Price and quantity of the whole book's best levels, hidden quantities not shown.

        renewals: as for `levels`. Until the first of them, the next trade or the next change by
        accounts, the same is shown.
        """
        queues = self.bids if side is BUY else self.asks
        better = max if side is BUY else min
        levels = self.levels(side, now_us, renewals)
        prices = queues.prices()
        level = next(levels, None)
        price = next(prices, None)
        shown: list[tuple[Decimal, Decimal]] = []
        while len(shown) < limit and (level is not None or price is not None):
            if price is None:
                # No account has an order further away, which is most of most books.
                assert level is not None
                shown.append((level.price, level.quantity))
                shown += [(one.price, one.quantity) for one in islice(levels, limit - len(shown))]
                break
            if level is None:
                at = price
            else:
                at = better(level.price, price)
            quantity = ZERO
            if level is not None and level.price == at:
                quantity += level.quantity
                level = next(levels, None)
            if price == at:
                quantity += queues.shown[at]
                price = next(prices, None)
            shown.append((at, quantity))
        return shown

    def quote(self, now_us: int) -> Quote:
        """Best bid and ask of the whole book with their quantities; zeros for an empty side."""
        bids = self.depth(BUY, now_us, 1) or [(ZERO, ZERO)]
        asks = self.depth(SELL, now_us, 1) or [(ZERO, ZERO)]
        return Quote(*bids[0], *asks[0])

    def update_id(self, now_us: int) -> int:
        """Identifies the state of the book: grows with time and with every change by accounts.

        Two different books never share one, because the feed changes at whole microseconds only.
        """
        return now_us - EPOCH_2017_US + self.changes

    # Trades

    def next_trade_id(self, now_us: int) -> int:
        return self.feed.trade_count(self.instrument, now_us) + len(self.prints) + 1

    def trade_count(self, time_us: int) -> int:
        """How many trades happened at or before a time; the id of the newest of them."""
        return self.feed.trade_count(self.instrument, time_us) + self.prints.count_until(time_us)

    def trades(self, first_id: int, limit: int, until_us: int) -> list[Print]:
        """Up to `limit` trades in order, from `first_id` on, none later than `until_us`.

        Numbers may be missing: of trades that the public is not told of, which are prints without quantity.
        """
        first_id = max(1, first_id)
        last_id = min(self.trade_count(until_us), first_id + limit - 1)
        if last_id < first_id:
            return []
        low = self.prints.find(first_id)
        laid = self.prints[low : self.prints.find(last_id + 1)]
        wanted = last_id - first_id + 1 - len(laid)
        own = self.feed.trades(self.instrument, first_id - low, wanted, until_us) if wanted else ()
        merged: list[Print] = []
        place = 0
        for trade in own:
            while place < len(laid) and laid[place].id <= trade.number + low + place:
                merged.append(laid[place])
                place += 1
            price = self._moved(trade.price, trade.time_us)
            merged.append(
                Print(
                    trade.number + low + place,
                    trade.time_us,
                    price,
                    trade.quantity,
                    price * trade.quantity,
                    trade.buyer_is_maker,
                )
            )
        merged += laid[place:]
        if all(entry.quantity for entry in laid):
            return merged
        return [entry for entry in merged if entry.quantity]

    # Candles

    def candles(self, interval_us: int, start_us: int, end_us: int, now_us: int) -> Sequence[Candle]:
        """Candles that open in [start_us, end_us] and not after now; `start_us` is aligned."""
        if not self.segments and not self.prints:
            return self.feed.candles(self.instrument, interval_us, start_us, end_us, now_us)
        first_us = self.prints.first_us
        first_touch = min(
            self.segments[0].start_us if self.segments else FOREVER_US,
            FOREVER_US if first_us is None else first_us,
        )
        untouched = start_us + max(0, (first_touch - start_us) // interval_us) * interval_us
        listed: list[Candle] = []
        if untouched > start_us:
            listed += self.feed.candles(
                self.instrument, interval_us, start_us, min(end_us, untouched - 1), now_us
            )
        open_us = max(start_us, untouched)
        while open_us <= min(end_us, now_us):
            until_us = min(open_us + interval_us, now_us + 1)
            listed.append(self.range(open_us, until_us)._replace(close_us=open_us + interval_us))
            open_us += interval_us
        return listed

    def range(self, start_us: int, end_us: int) -> Candle:
        """All trades of [start_us, end_us) as one candle, with the ids of the tape."""
        before = self.trade_count(start_us - 1)
        candle = self._moved_range(start_us, end_us)
        low = self.prints.count_before(start_us)
        high = self.prints.count_before(end_us)
        count = candle.trades + high - low
        if not count:
            # A span without trades repeats the last price, which may be one that was laid over.
            price = self.last_price(start_us - 1)
            return candle._replace(
                open=price, high=price, low=price, close=price, first=before + 1, last=before
            )
        if low == high:
            return candle._replace(first=before + 1, last=before + count)
        laid = self.prints.sums(low, high)
        highest, lowest = laid.high, laid.low
        opening = laid.open if laid.first == before + 1 else candle.open
        closing = laid.close if laid.last == before + count else candle.close
        if candle.trades:
            highest, lowest = max(highest, candle.high), min(lowest, candle.low)
        return Candle(
            open_us=start_us,
            close_us=end_us,
            open=opening,
            high=highest,
            low=lowest,
            close=closing,
            volume=candle.volume + laid.volume,
            quote_volume=candle.quote_volume + laid.quote_volume,
            trades=count,
            taker_volume=candle.taker_volume + laid.taker_volume,
            taker_quote_volume=candle.taker_quote_volume + laid.taker_quote_volume,
            first=before + 1,
            last=before + count,
        )

    # Crossing

    def next_due(self, after_us: int, until_us: int) -> int | None:
        """When the market first makes something due for the orders here, in (after_us, until_us].

        That is when a quote reaches a resting order, when a consumed level beyond one is renewed, when a
        stop price is reached and when a trailing order fires. It may be early, never late.
        """
        due = self._next_trade_due(after_us, until_us)
        for watch in self.watches:
            found = watch.next_due(after_us, until_us if due is None else due)
            due = due if found is None else found
        deadline_us = self.deadline_us
        if deadline_us <= (until_us if due is None else due):
            return max(deadline_us, after_us + 1)
        return due

    @property
    def deadline_us(self) -> int:
        """When time alone ends an order here next."""
        contract = self.instrument.contract
        first_us = self.deadlines[0][0] if self.deadlines else FOREVER_US
        if contract is not None and contract.delivery_us is not None:
            first_us = min(first_us, contract.delivery_us)
        return min(first_us, *self.countdowns.values()) if self.countdowns else first_us

    def _next_trade_due(self, after_us: int, until_us: int) -> int | None:
        """The same for what trades and quotes make due, but not index and mark."""
        bid, ask = self.bids.best, self.asks.best
        rise, fall = self.rises.best, self.falls.best
        due: int | None = None
        if bid is not None or ask is not None:
            due = self._renewal(bid, ask, after_us)
        segment = self.segment
        if segment is not None and segment.price is not None:
            if self._fires_at(segment.price, after_us):
                # An account's trade moved the last price away; the market's next one brings it back.
                back = self.feed.next_trade_time(self.instrument, after_us)
                due = back if due is None else min(due, back)
            return due if due is not None and due <= until_us else None
        shift = ZERO if segment is None else segment.shift
        horizon = until_us if due is None else min(until_us, due)
        if bid is not None or ask is not None or rise is not None or fall is not None:
            crossing = self.feed.next_crossing(
                self.instrument,
                after_us,
                horizon,
                ask_at_most=None if bid is None else bid - shift,
                bid_at_least=None if ask is None else ask - shift,
                last_at_most=None if fall is None else fall - shift,
                last_at_least=None if rise is None else rise - shift,
            )
            if crossing is not None:
                due = horizon = crossing
        for order in self.trailing.values():
            reversal = self._reversal(order, after_us, horizon, shift)
            if reversal is not None:
                due = horizon = reversal
        return due if due is not None and due <= until_us else None

    def _fires_at(self, last: Decimal, after_us: int) -> bool:
        """Whether any trigger fires once the last price is this."""
        rise, fall = self.rises.best, self.falls.best
        if (rise is not None and last >= rise) or (fall is not None and last <= fall):
            return True
        for order in self.trailing.values():
            assert order.terms.trigger is not None
            fires_at = order.terms.trigger.fires_at(order.side, self.trailing_extreme(order, after_us))
            if last <= fires_at if order.side is SELL else last >= fires_at:
                return True
        return False

    def trailing_extreme(self, order: Order, now_us: int) -> Decimal:
        """The best price a tracking order has seen by now."""
        extreme = order.seen
        assert extreme is not None
        if now_us <= order.extreme_us:
            return extreme
        seen = self._moved_range(order.extreme_us + 1, now_us + 1)
        if not seen.trades:
            return extreme
        return max(extreme, seen.high) if order.side is SELL else min(extreme, seen.low)

    def _reversal(self, order: Order, after_us: int, until_us: int, shift: Decimal) -> int | None:
        """When a trailing order fires, or when to look at it again."""
        trigger = order.terms.trigger
        assert trigger is not None
        extreme = self.trailing_extreme(order, after_us)
        if trigger.trailing_distance is not None:
            # A distance is the same wherever the price was shifted to.
            return self.feed.next_reversal(
                self.instrument,
                after_us,
                until_us,
                side=order.side,
                extreme=extreme - shift,
                distance=trigger.trailing_distance,
            )[0]
        if not shift:
            return self.feed.next_reversal(
                self.instrument,
                after_us,
                until_us,
                side=order.side,
                extreme=extreme,
                delta_bips=trigger.trailing_bips,
            )[0]
        # The feed finds reversals of its own prices only, not of shifted ones: look for the next
        # extreme or the end of the way back, whichever comes first.
        fires_at = trigger.fires_at(order.side, extreme)
        step = self.instrument.price_step
        is_sell = order.side is SELL
        return self.feed.next_crossing(
            self.instrument,
            after_us,
            until_us,
            last_at_most=(fires_at if is_sell else extreme - step) - shift,
            last_at_least=(extreme + step if is_sell else fires_at) - shift,
        )

    def _renewal(self, bid: Decimal | None, ask: Decimal | None, after_us: int) -> int | None:
        """When to look again while the market's consumed levels lie beyond an order's price."""
        if self.manual is not None:
            return None
        market_bid, market_ask = self.market_quote(after_us)
        crossed: list[int] = []
        for side, limit, best in ((SELL, bid, market_ask), (BUY, ask, market_bid)):
            if limit is None or (best > limit if side is SELL else best < limit):
                continue
            for level in self._source(side, after_us):
                if level.price > limit if side is SELL else level.price < limit:
                    break
                crossed.append(level.until_us)
        if not crossed:
            return None
        segment = self.segment
        if segment is None or segment.price is None:
            crossed.append(self.feed.next_trade_time(self.instrument, after_us))
        return max(after_us + 1, min(crossed))

    def _segment_at(self, time_us: int) -> Segment | None:
        ordinal = bisect_right(self.segment_times, time_us)
        return self.segments[ordinal - 1] if ordinal else None

    def _moved(self, price: Decimal, time_us: int) -> Decimal:
        """The feed's price of a time as the segment of that time moves it."""
        segment = self._segment_at(time_us)
        if segment is None:
            return price
        return price + segment.shift if segment.price is None else segment.price

    def _moved_range(self, start_us: int, end_us: int) -> Candle:
        """The feed's trades of a span as one candle, at the prices that they were moved to."""
        feed, instrument = self.feed, self.instrument
        if not self.segments or end_us <= self.segment_times[0]:
            return feed.range(instrument, start_us, end_us)
        low = bisect_right(self.segment_times, start_us)
        high = bisect_left(self.segment_times, end_us)
        marks = [start_us, *self.segment_times[low:high], end_us]
        whole: Candle | None = None
        for left, right in pairwise(marks):
            part = feed.range(instrument, left, right)
            segment = self._segment_at(left)
            if segment is not None:
                part = _move(part, segment)
            whole = part if whole is None else _join(whole, part)
        assert whole is not None
        return whole


def _move(candle: Candle, segment: Segment) -> Candle:
    if segment.price is not None:
        price = segment.price
        return candle._replace(
            open=price,
            high=price,
            low=price,
            close=price,
            quote_volume=price * candle.volume,
            taker_quote_volume=price * candle.taker_volume,
        )
    shift = segment.shift
    return candle._replace(
        open=candle.open + shift,
        high=candle.high + shift,
        low=candle.low + shift,
        close=candle.close + shift,
        quote_volume=candle.quote_volume + shift * candle.volume,
        taker_quote_volume=candle.taker_quote_volume + shift * candle.taker_volume,
    )


def _join(left: Candle, right: Candle) -> Candle:
    if not right.trades:
        return left._replace(close_us=right.close_us)
    if not left.trades:
        return right._replace(open_us=left.open_us)
    return Candle(
        open_us=left.open_us,
        close_us=right.close_us,
        open=left.open,
        high=max(left.high, right.high),
        low=min(left.low, right.low),
        close=right.close,
        volume=left.volume + right.volume,
        quote_volume=left.quote_volume + right.quote_volume,
        trades=left.trades + right.trades,
        taker_volume=left.taker_volume + right.taker_volume,
        taker_quote_volume=left.taker_quote_volume + right.taker_quote_volume,
        first=left.first,
        last=right.last,
    )
