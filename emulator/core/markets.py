"""What the core may ask of the market: a pure function of instrument and time.

The market's own prices, trades and book levels are never stored: they are evaluated. What accounts
consume of them, and what is set by hand, is state and lies over the function (`emulator.core.book`).
Times are integer microseconds since 1970-01-01 UTC; prices quote per base; quantities in base.

Of a contract the market also has an index, which is the price of its pair at whole seconds, and a
premium; what marks are made of these is in `emulator.core.marks`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import ClassVar, Final, NamedTuple, Protocol

from emulator.core.instruments import Instrument, Side

SECOND_US: Final = 1_000_000
PREMIUM_SPAN_US: Final = 3_600 * SECOND_US
"""Between two moments that are multiples of this, a premium changes in a straight line."""

STEPPED_MAX: Final = 8
"""Seconds that are sooner looked at one by one than divided further."""


class FeedTrade(NamedTuple):
    """One trade among others in the market. `number` counts from 1 at the beginning of the function."""

    number: int
    time_us: int
    price: Decimal
    quantity: Decimal
    buyer_is_maker: bool


class FeedLevel(NamedTuple):
    """One price level of the market's own liquidity.

    `since_us` is when this quantity appeared: what was consumed of it earlier than that does not
    count, and orders of accounts that rest at the price since before are served first.
    `until_us` is when it is renewed.
    """

    price: Decimal
    quantity: Decimal
    since_us: int
    until_us: int


class Candle(NamedTuple):
    """Trades of [open_us, close_us), summed; `first` and `last` are trade numbers (last < first: none).

    A candle without trades repeats the last price with zero volume. `taker_*` is what buyers took.
    """

    open_us: int
    close_us: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal
    quote_volume: Decimal
    trades: int
    taker_volume: Decimal
    taker_quote_volume: Decimal
    first: int
    last: int


class Quote(NamedTuple):
    bid: Decimal
    bid_quantity: Decimal
    ask: Decimal
    ask_quantity: Decimal


class Stretch:
    """A span of an index with the bounds of it at the whole seconds of [start_us, end_us): to search in.

    They count whole steps, and may be wider than what happens unless they are met. A stretch of this very
    class is one about which its bounds say all.
    """

    is_met: ClassVar[bool] = False
    """Whether the index is at either bound at some second of it."""

    __slots__ = ("end_us", "high", "low", "start_us")

    def __init__(self, start_us: int, end_us: int, *, low: int, high: int) -> None:
        self.start_us = start_us
        self.end_us = end_us
        self.low = low
        self.high = high

    def parts(self) -> Sequence[Stretch]:
        """What it consists of, in order; nothing when it is to be looked at second by second."""
        seconds = (self.end_us - self.start_us) // SECOND_US
        if seconds < STEPPED_MAX:
            return ()
        middle_us = (self.start_us // SECOND_US + seconds // 2) * SECOND_US
        return (self._part(self.start_us, middle_us), self._part(middle_us, self.end_us))

    def _part(self, start_us: int, end_us: int) -> Stretch:
        return Stretch(start_us, end_us, low=self.low, high=self.high)


class Feed(Protocol):
    """The market of every instrument as a pure function of time.

    All members are deterministic: same seed, same arguments, same answer, on every machine. They
    agree with each other: the candle of an interval is the sum of its trades, the best bid and ask
    lie around the last trade, and `next_crossing` is exact with respect to `quote`.
    """

    def last_trade(self, instrument: Instrument, time_us: int) -> FeedTrade:
        """The newest trade at or before `time_us`; there always is one."""
        ...

    def next_trade_time(self, instrument: Instrument, after_us: int) -> int:
        """When the first trade strictly after `after_us` happens."""
        ...

    def quote(self, instrument: Instrument, time_us: int) -> Quote:
        """Best bid and ask of the market's own book, before anything is consumed."""
        ...

    def levels(
        self, instrument: Instrument, side: Side, time_us: int, best: Decimal | None = None
    ) -> Iterator[FeedLevel]:
        """The market's own levels of one side (BUY: bids), best first, lazily; at least 50.

        They begin at the quote of the time, or at `best` when the market was moved by hand.
        """
        ...

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
        """The first moment in (after_us, until_us] at which one of the given conditions holds.

        Found by descent into the path, in about log(range) steps, never by walking through trades.
        """
        ...

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
        """When a trailing order fires, and the extreme known by then (or by `until_us`).

        SELL: first last price at or below (1 - delta) times the highest last price since, starting
        from `extreme`; BUY: at or above (1 + delta) times the lowest. By descent, as next_crossing.
        distance: instead of delta, how far below or above it in prices.
        """
        ...

    def trade_count(self, instrument: Instrument, time_us: int) -> int:
        """How many trades happened at or before `time_us` since the beginning of the function."""
        ...

    def trades(
        self, instrument: Instrument, first_number: int, limit: int, until_us: int
    ) -> Sequence[FeedTrade]:
        """Up to `limit` trades in order from `first_number` on, none later than `until_us`."""
        ...

    def candles(
        self, instrument: Instrument, interval_us: int, start_us: int, end_us: int, now_us: int
    ) -> Sequence[Candle]:
        """Candles of a fixed interval whose opening lies in [start_us, end_us] and not after now.

        `start_us` is aligned by the caller (any alignment to a whole second is accepted, so time
        zone offsets and rolling windows work). The one that holds `now_us` is open: summed to now.
        """
        ...

    def range(self, instrument: Instrument, start_us: int, end_us: int) -> Candle:
        """One candle over the arbitrary span [start_us, end_us), for rolling statistics."""
        ...

    def index(self, instrument: Instrument, time_us: int, step: Decimal) -> int:
        """The price of the instrument's pair, in whole steps, at the last whole second by `time_us`.

        The same for all instruments of a pair, however often each is traded; to the nearest step, halves
        to the even one. Their trades follow it closely.
        """
        ...

    def stretches(
        self, instrument: Instrument, start_us: int, end_us: int, step: Decimal
    ) -> Iterator[Stretch]:
        """Stretches that cover [start_us, end_us) in order and may reach beyond it; bounds in steps."""
        ...

    def premium(self, instrument: Instrument, number: int, most: Decimal) -> Decimal:
        """By which part of it the contract's fair price is above the index at `number` x PREMIUM_SPAN_US.

        A multiple of 10^-8 within [-most, most]; the market itself makes no other use of it.
        """
        ...
