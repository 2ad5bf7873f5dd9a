"""Folds of markets, of which there is one for each instrument: what is set by hand, traded and consumed."""

from __future__ import annotations

from bisect import bisect_left
from decimal import Decimal
from itertools import islice
from typing import TYPE_CHECKING

from emulator.core import events as e
from emulator.core.commands import PriceMode
from emulator.core.contracts import MarkRule
from emulator.core.instruments import SELL, Instrument, Side, TriggerSource
from emulator.core.markets import Feed
from emulator.core.marks import Marks, Watch
from emulator.core.numbers import ZERO
from emulator.core.prints import Print
from emulator.core.tape import ManualBook, Market, Segment

if TYPE_CHECKING:
    from emulator.core.state.state import State


CONSUMED_MAX = 10_000
"""Levels of one market that are remembered as consumed; the older half goes when there are more."""


def market_of(instrument: Instrument, feed: Feed) -> Market:
    """A market that nobody has touched, with the marks of a contract."""
    market, contract = Market(instrument, feed), instrument.contract
    if contract is not None:
        rule = contract.marking or MarkRule(step=instrument.price_step)
        marks = market.marks = Marks(market, contract, rule)
        market.watches = (Watch(marks, TriggerSource.MARK), Watch(marks, TriggerSource.INDEX))
    return market


def price_set(state: State, event: e.PriceSet, now_us: int) -> None:
    market = state.markets[event.instrument]
    price = event.price if event.mode is PriceMode.HOLD else None
    _cut(market, Segment(now_us, price, event.shift, event.ask_at_price))
    market.manual = None
    if market.marks is not None:
        market.marks.price_set(event.price, now_us, is_held=price is not None)
    _market_changed(state, market, now_us)


def book_set(state: State, event: e.BookSet, now_us: int) -> None:
    market = state.markets[event.instrument]
    market.manual = ManualBook(event.bids, event.asks, now_us)
    if market.marks is not None:
        market.marks.book_set(now_us)
    _market_changed(state, market, now_us)


def trade_printed(state: State, event: e.TradePrinted, now_us: int) -> None:
    market = state.markets[event.instrument]
    amount = event.price * event.quantity
    lay(state, market, Print(event.trade, now_us, event.price, event.quantity, amount, event.buyer_is_maker))


def market_released(state: State, event: e.MarketReleased, now_us: int) -> None:
    market = state.markets[event.instrument]
    if market.segments:
        _cut(market, Segment(now_us, None, ZERO, ask_at_price=False))
    market.manual = None
    if market.marks is not None:
        market.marks.released(now_us)
    _market_changed(state, market, now_us)


def _market_changed(state: State, market: Market, now_us: int) -> None:
    market.consumed.clear()
    market.changes += 1
    for watch in market.watches:
        watch.note(now_us)
    if market.marks is not None:
        state.jolted[market.instrument.symbol] = None
    state.touched.add(market.instrument.symbol)


def _cut(market: Market, segment: Segment) -> None:
    """Begin a segment; one that begins at the same moment as the last replaces it."""
    keep = bisect_left(market.segment_times, segment.start_us)
    del market.segments[keep:]
    del market.segment_times[keep:]
    market.segments.append(segment)
    market.segment_times.append(segment.start_us)


def lay(state: State, market: Market, entry: Print) -> None:
    """Put a trade on the tape, which orders that follow the price have seen from now on."""
    market.prints.append(entry)
    if market.marks is not None:
        state.jolted[market.instrument.symbol] = None
    if market.trailing:
        for order in market.trailing.values():
            assert order.seen is not None
            better = max if order.side is SELL else min
            order.seen = better(order.seen, entry.price)
        state.touched.add(market.instrument.symbol)
    elif not all(watch.is_idle for watch in market.watches):
        state.touched.add(market.instrument.symbol)  # The mark may follow.


def consume(market: Market, side: Side, price: Decimal, since_us: int, quantity: Decimal) -> None:
    """Note that so much was taken of a level that the feed shows since a moment."""
    consumed = market.consumed
    used = consumed.pop((side, price), None)
    before = used[1] if used is not None and used[0] == since_us else ZERO
    consumed[side, price] = (since_us, before + quantity)
    if len(consumed) > CONSUMED_MAX:
        # In the order of their last use; those in front have been renewed long since.
        for key in list(islice(consumed, CONSUMED_MAX // 2)):
            del consumed[key]
