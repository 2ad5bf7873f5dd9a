"""Streams of the book: its best levels again and again, and what changed in it.

The changes cover the whole book that REST shows. They are told from one look to the next, so a client
that begins with a snapshot of a moment between two looks has to be told of everything that differs from
that too, even where the looks themselves agree: an order that came and went again in between is in the
snapshot. So the book is looked at, and what differs is noted, whenever REST shows somebody a new one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from functools import partial
from typing import NamedTuple

from emulator.core.engine import Engine
from emulator.core.instruments import BUY, SELL, Side
from emulator.core.markets import FeedLevel
from emulator.core.numbers import ZERO
from emulator.market_data.streams.stream import InstrumentSource, Level, MarketStream
from emulator.runtime.per_sandbox import PerSandbox
from emulator.runtime.sandbox import Sandbox
from emulator.web.streams.message import Message, Payload
from emulator.web.streams.source import Paced


class ToldDepth(NamedTuple):
    """Levels of a book, best first, told at `now_us`: its best ones, or those that changed.

    update_id: of the book that the quantities are of. told_id: the update id of what this stream told
    before, or of the book that it began with; all that was since is in here.
    """

    now_us: int
    told_id: int
    update_id: int
    bids: Sequence[Level]
    asks: Sequence[Level]


Render = Callable[[ToldDepth, int], Payload]


class _Depth(InstrumentSource):
    """What both sorts have alike: they tell, at a pace, of what was since the update that they told last."""

    def __init__(self, sandbox: Sandbox, stream: MarketStream, render: Render) -> None:
        super().__init__(sandbox, stream)
        self._render = render
        self._paced = Paced(stream.pace_us)
        self._told_id = 0

    def next_us(self, now_us: int) -> int:
        return self._paced.next_us

    def _due(self, now_us: int) -> int | None:
        """The update id of now, if it is time to tell of it.

        On a clock that stands still the next moment never comes, so there what is new is told at once.
        """
        market = self._sandbox.engines[self._engine].state.markets[self._instrument]
        update_id = market.update_id(now_us)
        if self._paced.is_due(now_us) or (not self._sandbox.clock.speed and update_id != self._told_id):
            return update_id
        return None


class PartialDepth(_Depth):
    """The best levels at every moment of its pace, changed or not."""

    def __init__(self, sandbox: Sandbox, stream: MarketStream, render: Render, *, levels: int) -> None:
        super().__init__(sandbox, stream, render)
        self._levels = levels

    def open(self, now_us: int) -> None:
        self._paced.begin(now_us)
        market = self._sandbox.engines[self._engine].state.markets[self._instrument]
        self._told_id = market.update_id(now_us)

    def look(self, now_us: int) -> Sequence[Message]:
        update_id = self._due(now_us)
        if update_id is None:
            return ()
        told_id, self._told_id = self._told_id, update_id
        market = self._sandbox.engines[self._engine].state.markets[self._instrument]
        bids = market.depth(BUY, now_us, self._levels)
        asks = market.depth(SELL, now_us, self._levels)
        told = ToldDepth(now_us, told_id, update_id, bids, asks)
        return (Message(self._name, partial(self._render, told)),)


class DepthDiffs(_Depth):
    """At every moment of its pace all levels that changed since the last event.

    Events are a chain: each begins where the one before ended. A moment without a change has no event, and
    the next event covers it. books: the product's.
    """

    def __init__(
        self, sandbox: Sandbox, stream: MarketStream, render: Render, *, books: PerSandbox[Books]
    ) -> None:
        super().__init__(sandbox, stream, render)
        self._books = books
        self._seen: Book | None = None
        # Prices that differed from what was told in some book that somebody was shown since.
        self._bids_shown: set[Decimal] = set()
        self._asks_shown: set[Decimal] = set()

    def open(self, now_us: int) -> None:
        self._paced.begin(now_us)
        self._seen = self._books.of(self._sandbox).look(self._instrument, now_us)
        self._told_id = self._seen.update_id

    def look(self, now_us: int) -> Sequence[Message]:
        update_id = self._due(now_us)
        if update_id is None:
            return ()
        bids, asks = self._changes(now_us)
        book = self._seen
        assert book is not None
        _complete(bids, self._bids_shown, book.bids)
        _complete(asks, self._asks_shown, book.asks)
        if not bids and not asks:
            return ()
        told_id, self._told_id = self._told_id, update_id
        return (Message(self._name, partial(self._build, now_us, told_id, update_id, bids, asks)),)

    def _build(
        self,
        now_us: int,
        told_id: int,
        update_id: int,
        bids: Mapping[Decimal, Decimal],
        asks: Mapping[Decimal, Decimal],
        divisor: int,
    ) -> Payload:
        in_order = sorted(bids.items(), reverse=True), sorted(asks.items())
        return self._render(ToldDepth(now_us, told_id, update_id, *in_order), divisor)

    def shown(self, now_us: int) -> None:
        """Somebody is shown the book of now and may go on from there."""
        bids, asks = self._changes(now_us)
        self._bids_shown.update(bids)
        self._asks_shown.update(asks)

    def _changes(self, now_us: int) -> tuple[dict[Decimal, Decimal], dict[Decimal, Decimal]]:
        """What is new since the book was seen last, by price; and see it."""
        seen = self._seen
        assert seen is not None
        book = self._seen = self._books.of(self._sandbox).look(self._instrument, now_us)
        return book.bids.since(seen.bids), book.asks.since(seen.asks)


def _complete(changes: dict[Decimal, Decimal], shown: set[Decimal], side: BookSide) -> None:
    """Add the quantities of now at prices where somebody was shown another one."""
    missing = shown.difference(changes)
    if missing:
        quantities = side.quantities()
        for price in missing:
            changes[price] = quantities.get(price, ZERO)
    shown.clear()


class BookSide:
    """One side of a book at a moment, in a form that is quickly compared with another moment's.

    levels: the market's own, best first. own: what orders of accounts show at their prices. Of a side that
    is cut, because it has too many levels, `own` is all that there is.
    """

    __slots__ = ("is_cut", "levels", "own")

    def __init__(
        self, levels: Sequence[FeedLevel], own: Mapping[Decimal, Decimal], *, is_cut: bool = False
    ) -> None:
        self.levels = levels
        self.own = own
        self.is_cut = is_cut

    def since(self, before: BookSide) -> dict[Decimal, Decimal]:
        """Price and quantity of now where they differ from an earlier moment; zero for what is gone."""
        old, new = before.levels, self.levels
        # The feed mostly gives the same object in the same place for a level that stays what it is, and
        # looking at objects costs a tenth of looking at prices. What moved shows up on both sides.
        moved = [pair for pair in zip(old, new, strict=False) if pair[0] is not pair[1]]
        gone = {level[0]: level[1] for level, _ in moved}
        fresh = {level[0]: level[1] for _, level in moved}
        if len(old) != len(new):
            gone.update((level[0], level[1]) for level in old[len(new) :])
            fresh.update((level[0], level[1]) for level in new[len(old) :])
        changes = {price: quantity for price, quantity in fresh.items() if gone.get(price) != quantity}
        changes.update((price, ZERO) for price in gone if price not in fresh)
        if self.own or before.own:
            self._lay_own(changes, before, gone, fresh)
        return changes

    def _lay_own(
        self,
        changes: dict[Decimal, Decimal],
        before: BookSide,
        gone: Mapping[Decimal, Decimal],
        fresh: Mapping[Decimal, Decimal],
    ) -> None:
        """Add the orders of accounts to what changed, on both sides of the comparison."""
        own, own_before = self.own, before.own
        touched = {price for price in changes if price in own or price in own_before}
        if own is not own_before:
            touched.update(price for price, quantity in own.items() if own_before.get(price) != quantity)
            touched.update(price for price in own_before if price not in own)
        steady: Mapping[Decimal, Decimal] | None = None
        for price in touched:
            quantity, quantity_before = fresh.get(price, ZERO), gone.get(price, ZERO)
            if price not in fresh and price not in gone:
                if steady is None:
                    steady = {level.price: level.quantity for level in self.levels}
                quantity = quantity_before = steady.get(price, ZERO)
            quantity += own.get(price, ZERO)
            if quantity != quantity_before + own_before.get(price, ZERO):
                changes[price] = quantity
            else:
                changes.pop(price, None)

    def quantities(self) -> dict[Decimal, Decimal]:
        """The quantity at every price."""
        quantities = {level.price: level.quantity for level in self.levels}
        for price, quantity in self.own.items():
            quantities[price] = quantities.get(price, ZERO) + quantity
        return quantities


class Book(NamedTuple):
    """A whole book. changes: how often accounts had changed it."""

    update_id: int
    changes: int
    bids: BookSide
    asks: BookSide


class Books:
    """The last look at each book of a sandbox, for all streams of an instrument that look at one moment.

    engine: whose markets these are. levels_max: of one side, as REST shows at most; what lies beyond does not
    exist for streams either.
    """

    def __init__(self, sandbox: Sandbox, *, engine: str, levels_max: int) -> None:
        self._sandbox = sandbox
        self._engine = engine
        self._levels_max = levels_max
        self._books: dict[str, Book] = {}

    def look(self, instrument: str, now_us: int) -> Book:
        engine = self._sandbox.engines[self._engine]
        market = engine.state.markets[instrument]
        update_id, changes = market.update_id(now_us), market.changes
        last = self._books.get(instrument)
        if last is not None:
            if last.update_id == update_id:
                return last
            if last.changes != changes:
                last = None
        book = self._books[instrument] = Book(
            update_id,
            changes,
            self._look_at(engine, instrument, BUY, now_us, None if last is None else last.bids),
            self._look_at(engine, instrument, SELL, now_us, None if last is None else last.asks),
        )
        return book

    def _look_at(
        self, engine: Engine, instrument: str, side: Side, now_us: int, last: BookSide | None
    ) -> BookSide:
        """last: another look, since which accounts have changed nothing."""
        market = engine.state.markets[instrument]
        levels = list(market.levels(side, now_us))
        shown = (market.bids if side is BUY else market.asks).shown
        if len(levels) + len(shown) > self._levels_max:
            return BookSide((), dict(market.depth(side, now_us, self._levels_max)), is_cut=True)
        return BookSide(levels, dict(shown) if last is None or last.is_cut else last.own)
