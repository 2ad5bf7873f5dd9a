"""The state of one instrument's market, and the questions that may be asked of it."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import islice
from typing import TYPE_CHECKING

from emulator.core.book import PriceQueues
from emulator.core.bounds import Bounds
from emulator.core.ids import AccountId, OrderId
from emulator.core.instruments import BUY, SELL, Instrument, Side, TriggerSource
from emulator.core.markets import Candle, Feed, FeedLevel, Quote
from emulator.core.numbers import ZERO, divide_half
from emulator.core.orders import Order
from emulator.core.prints import Print, Prints
from emulator.core.tape.by_hand import ManualBook, Segment
from emulator.core.tape.spans import FOREVER_US, MINUTE_US, SECOND_US, candles, moved_range, span

if TYPE_CHECKING:
    from emulator.core.marks import Marks, Watch

EPOCH_2017_US = 1_483_228_800_000_000
"""Update ids count from here: they stay below 2**53, which not every client's numbers exceed."""


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

    def segment_at(self, time_us: int) -> Segment | None:
        ordinal = bisect_right(self.segment_times, time_us)
        return self.segments[ordinal - 1] if ordinal else None

    def _moved(self, price: Decimal, time_us: int) -> Decimal:
        """The feed's price of a time as the segment of that time moves it."""
        segment = self.segment_at(time_us)
        if segment is None:
            return price
        return price + segment.shift if segment.price is None else segment.price

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

    def reference_price(self, now_us: int) -> Decimal:
        """What limit prices of a pair are measured by, and what an order at market may come to."""
        by_index = self.instrument.measured_by_index
        return self.index_price(now_us) if by_index else self.average_price(now_us)

    def index_price(self, now_us: int) -> Decimal:
        """The price of the pair at the last whole second, moved by hand as the market is now."""
        second = now_us // SECOND_US
        cached = self._average
        if cached is not None and cached[0] == second and cached[1] == len(self.segments):
            return cached[2]
        step = self.instrument.price_step
        index = self._moved(self.feed.index(self.instrument, second * SECOND_US, step) * step, now_us)
        self._average = (second, len(self.segments), index)
        return index

    def average_price(self, now_us: int) -> Decimal:
        """The average price: trades of the last minutes weighted by quantity, in whole seconds.

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
            source = self.source(side, now_us)
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

    def source(self, side: Side, now_us: int) -> Iterator[FeedLevel]:
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
        return candles(self, interval_us, start_us, end_us, now_us)

    def range(self, start_us: int, end_us: int) -> Candle:
        """All trades of [start_us, end_us) as one candle, with the ids of the tape."""
        return span(self, start_us, end_us)

    # Orders that wait

    @property
    def deadline_us(self) -> int:
        """When time alone ends an order here next."""
        contract = self.instrument.contract
        first_us = self.deadlines[0][0] if self.deadlines else FOREVER_US
        if contract is not None and contract.delivery_us is not None:
            first_us = min(first_us, contract.delivery_us)
        return min(first_us, *self.countdowns.values()) if self.countdowns else first_us

    def trailing_extreme(self, order: Order, now_us: int) -> Decimal:
        """The best price a tracking order has seen by now."""
        extreme = order.seen
        assert extreme is not None
        if now_us <= order.extreme_us:
            return extreme
        seen = moved_range(self, order.extreme_us + 1, now_us + 1)
        if not seen.trades:
            return extreme
        return max(extreme, seen.high) if order.side is SELL else min(extreme, seen.low)
