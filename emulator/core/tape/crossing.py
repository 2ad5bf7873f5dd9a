"""When the market makes something due for the orders that wait in it."""

from __future__ import annotations

from decimal import Decimal

from emulator.core.instruments import BUY, SELL
from emulator.core.numbers import ZERO
from emulator.core.orders import Order
from emulator.core.tape.market import Market


def next_due(market: Market, after_us: int, until_us: int) -> int | None:
    """When the market first makes something due for the orders here, in (after_us, until_us].

    That is when a quote reaches a resting order, when a consumed level beyond one is renewed, when a
    stop price is reached and when a trailing order fires. It may be early, never late.
    """
    due = _next_trade_due(market, after_us, until_us)
    for watch in market.watches:
        found = watch.next_due(after_us, until_us if due is None else due)
        due = due if found is None else found
    deadline_us = market.deadline_us
    if deadline_us <= (until_us if due is None else due):
        return max(deadline_us, after_us + 1)
    return due


def _next_trade_due(market: Market, after_us: int, until_us: int) -> int | None:
    """The same for what trades and quotes make due, but not index and mark."""
    bid, ask = market.bids.best, market.asks.best
    rise, fall = market.rises.best, market.falls.best
    due: int | None = None
    if bid is not None or ask is not None:
        due = _renewal(market, bid, ask, after_us)
    segment = market.segment
    if segment is not None and segment.price is not None:
        if _fires_at(market, segment.price, after_us):
            # An account's trade moved the last price away; the market's next one brings it back.
            back = market.feed.next_trade_time(market.instrument, after_us)
            due = back if due is None else min(due, back)
        return due if due is not None and due <= until_us else None
    shift = ZERO if segment is None else segment.shift
    horizon = until_us if due is None else min(until_us, due)
    if bid is not None or ask is not None or rise is not None or fall is not None:
        crossing = market.feed.next_crossing(
            market.instrument,
            after_us,
            horizon,
            ask_at_most=None if bid is None else bid - shift,
            bid_at_least=None if ask is None else ask - shift,
            last_at_most=None if fall is None else fall - shift,
            last_at_least=None if rise is None else rise - shift,
        )
        if crossing is not None:
            due = horizon = crossing
    for order in market.trailing.values():
        reversal = _reversal(market, order, after_us, horizon, shift)
        if reversal is not None:
            due = horizon = reversal
    return due if due is not None and due <= until_us else None


def _fires_at(market: Market, last: Decimal, after_us: int) -> bool:
    """Whether any trigger fires once the last price is this."""
    rise, fall = market.rises.best, market.falls.best
    if (rise is not None and last >= rise) or (fall is not None and last <= fall):
        return True
    for order in market.trailing.values():
        assert order.terms.trigger is not None
        fires_at = order.terms.trigger.fires_at(order.side, market.trailing_extreme(order, after_us))
        if last <= fires_at if order.side is SELL else last >= fires_at:
            return True
    return False


def _reversal(market: Market, order: Order, after_us: int, until_us: int, shift: Decimal) -> int | None:
    """When a trailing order fires, or when to look at it again."""
    trigger = order.terms.trigger
    assert trigger is not None
    extreme = market.trailing_extreme(order, after_us)
    if trigger.trailing_distance is not None:
        # A distance is the same wherever the price was shifted to.
        return market.feed.next_reversal(
            market.instrument,
            after_us,
            until_us,
            side=order.side,
            extreme=extreme - shift,
            distance=trigger.trailing_distance,
        )[0]
    if not shift:
        return market.feed.next_reversal(
            market.instrument,
            after_us,
            until_us,
            side=order.side,
            extreme=extreme,
            delta_bips=trigger.trailing_bips,
        )[0]
    # The feed finds reversals of its own prices only, not of shifted ones: look for the next
    # extreme or the end of the way back, whichever comes first.
    fires_at = trigger.fires_at(order.side, extreme)
    step = market.instrument.price_step
    is_sell = order.side is SELL
    return market.feed.next_crossing(
        market.instrument,
        after_us,
        until_us,
        last_at_most=(fires_at if is_sell else extreme - step) - shift,
        last_at_least=(extreme + step if is_sell else fires_at) - shift,
    )


def _renewal(market: Market, bid: Decimal | None, ask: Decimal | None, after_us: int) -> int | None:
    """When to look again while the market's consumed levels lie beyond an order's price."""
    if market.manual is not None:
        return None
    market_bid, market_ask = market.market_quote(after_us)
    crossed: list[int] = []
    for side, limit, best in ((SELL, bid, market_ask), (BUY, ask, market_bid)):
        if limit is None or (best > limit if side is SELL else best < limit):
            continue
        for level in market.source(side, after_us):
            if level.price > limit if side is SELL else level.price < limit:
                break
            crossed.append(level.until_us)
    if not crossed:
        return None
    segment = market.segment
    if segment is None or segment.price is None:
        crossed.append(market.feed.next_trade_time(market.instrument, after_us))
    return max(after_us + 1, min(crossed))
