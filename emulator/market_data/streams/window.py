"""The best levels of a book, first as they are and then what changed in them.

Who keeps a copy needs nothing else: it begins with a snapshot, each change says which levels are another or
gone, and what leaves the window is gone. A change never takes away what was not told before.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from functools import partial
from typing import NamedTuple

from emulator.core.instruments import BUY, SELL
from emulator.core.numbers import ZERO
from emulator.market_data.streams.stream import InstrumentSource, Level, MarketStream
from emulator.runtime.sandbox import Sandbox
from emulator.web.streams.message import Message, Payload
from emulator.web.streams.source import Paced


class ToldWindow(NamedTuple):
    """Levels, best first, told at `now_us` of the book of `looked_us`: all, or those that changed.

    number: counts what the stream said; what is said again has the same.
    """

    now_us: int
    looked_us: int
    is_snapshot: bool
    number: int
    bids: Sequence[Level]
    asks: Sequence[Level]


Render = Callable[[ToldWindow, int], Payload]


class Window(InstrumentSource):
    """What both sorts of window have alike. levels: of each side."""

    def __init__(self, sandbox: Sandbox, stream: MarketStream, render: Render, *, levels: int) -> None:
        super().__init__(sandbox, stream)
        self._render = render
        self._levels = levels
        self._paced = Paced(stream.pace_us)
        self._until_us = 0
        self._is_late = False
        self._told = ToldWindow(0, 0, True, 0, (), ())

    def open(self, now_us: int) -> None:
        self._paced.begin(now_us)
        # Messages come once in a pace at most, so numbers go on rising when a stream begins again.
        self._told = self._read(now_us, now_us // self._paced.pace_us)

    def greet(self, now_us: int) -> Sequence[Message]:
        return (self._message(self._told._replace(now_us=now_us)),)

    def next_us(self, now_us: int) -> int:
        if not self._sandbox.clock.speed:
            return self._until_us
        return self._paced.next_us if self._is_late else max(self._paced.next_us, self._until_us)

    def _is_time(self, now_us: int) -> bool:
        """Whether to look at the book; if not, what may be new in it is told at the next moment. On a clock
        that stands still that may never come.
        """
        is_due = self._paced.is_due(now_us) or not self._sandbox.clock.speed
        self._is_late = not is_due
        return is_due

    def _read(self, now_us: int, number: int) -> ToldWindow:
        """The book of now, and until when the market itself leaves it as it is."""
        market = self._sandbox.engines[self._engine].state.markets[self._instrument]
        changing_us = [market.feed.next_trade_time(market.instrument, now_us)]
        bids = market.depth(BUY, now_us, self._levels, changing_us)
        asks = market.depth(SELL, now_us, self._levels, changing_us)
        self._until_us = min(changing_us)
        return ToldWindow(now_us, now_us, True, number, bids, asks)

    def _message(self, told: ToldWindow) -> Message:
        return Message(self._name, partial(self._render, told))


class BookWindow(Window):
    """A snapshot for who is new, and at each moment of its pace what changed."""

    def look(self, now_us: int) -> Sequence[Message]:
        if not self._is_time(now_us):
            return ()
        told = self._told
        book = self._read(now_us, told.number + 1)
        bids, asks = _changes(told.bids, book.bids), _changes(told.asks, book.asks)
        if not bids and not asks:
            return ()
        self._told = book
        return (Message(self._name, partial(self._build, book, bids, asks)),)

    def _build(
        self, book: ToldWindow, bids: Mapping[Decimal, Decimal], asks: Mapping[Decimal, Decimal], divisor: int
    ) -> Payload:
        changed = book._replace(
            is_snapshot=False, bids=sorted(bids.items(), reverse=True), asks=sorted(asks.items())
        )
        return self._render(changed, divisor)


class BestWindow(Window):
    """Snapshots alone: at each moment of its pace at which there is another one, and the same again when
    nothing was said for `repeat_us`.
    """

    def __init__(
        self, sandbox: Sandbox, stream: MarketStream, render: Render, *, levels: int, repeat_us: int
    ) -> None:
        super().__init__(sandbox, stream, render, levels=levels)
        self._repeat_us = repeat_us
        self._said_us = 0

    def open(self, now_us: int) -> None:
        super().open(now_us)
        self._said_us = now_us

    def look(self, now_us: int) -> Sequence[Message]:
        if not self._is_time(now_us):
            return ()
        told = self._told
        book = self._read(now_us, told.number + 1)
        if book.bids != told.bids or book.asks != told.asks:
            self._told = book
        elif now_us - self._said_us >= self._repeat_us:
            self._told = book._replace(number=told.number)
        else:
            return ()
        self._said_us = now_us
        return (self._message(self._told),)

    def next_us(self, now_us: int) -> int:
        repeated_us = self._said_us + self._repeat_us
        if self._sandbox.clock.speed:
            repeated_us = max(repeated_us, self._paced.next_us)
        return min(super().next_us(now_us), repeated_us)


def _changes(before: Sequence[Level], now: Sequence[Level]) -> dict[Decimal, Decimal]:
    """Price and quantity of now where they are another; zero for what is gone."""
    if before == now:
        return {}
    gone = dict(before)
    changes = {price: quantity for price, quantity in now if gone.pop(price, None) != quantity}
    changes.update(dict.fromkeys(gone, ZERO))
    return changes
