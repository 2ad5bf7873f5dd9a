"""Fills of resting orders by the market's own participants: by its quotes, or by a trade it prints."""

from __future__ import annotations

from decimal import Decimal

from emulator.core import events as e
from emulator.core.ids import MARKET_ORDER
from emulator.core.instruments import BUY, SELL, Side
from emulator.core.markets import FeedLevel
from emulator.core.matching.charging import Fees
from emulator.core.matching.queue import standing
from emulator.core.matching.reach import Reach
from emulator.core.numbers import ZERO
from emulator.core.orders import EndReason, Order
from emulator.core.rules import EngineRules
from emulator.core.state import State
from emulator.core.tape import Market


def serve(state: State, rules: EngineRules, market: Market, now_us: int) -> list[e.Event]:
    """Plan the fills of resting orders that the market's own quotes have reached.

    The market takes from them at their own prices, as far as its quantity reaches.
    """
    filler = _Filler(state, rules, market, now_us)
    for side in (SELL, BUY):
        if (market.bids if side is SELL else market.asks).best is not None:
            filler.serve(side)
    return filler.events


def take_resting(
    state: State,
    rules: EngineRules,
    market: Market,
    side: Side,
    limit: Decimal,
    quantity: Decimal,
    now_us: int,
) -> tuple[list[e.Event], Decimal, int]:
    """Plan the fills of resting orders by a market trade of `quantity` at `limit`.

    Returns the events, what is left of the quantity, and how many trades were planned.
    """
    filler = _Filler(state, rules, market, now_us)
    left = filler.take(side, limit, quantity)
    return filler.events, left, filler.trades


class _Filler:
    """Plans trades in which the market takes and resting orders make."""

    __slots__ = (
        "_fees", "_first_trade", "_gone", "_market", "_now_us", "_reach", "_state", "events", "trades",
    )  # fmt: skip

    def __init__(self, state: State, rules: EngineRules, market: Market, now_us: int) -> None:
        self._state = state
        self._market = market
        self._now_us = now_us
        self._fees = Fees(state, rules, now_us)
        self._first_trade = 0
        self._gone: set[int] = set()
        instrument = market.instrument
        self._reach = None if instrument.contract is None else Reach(state, instrument.symbol)
        self.events: list[e.Event] = []
        self.trades = 0

    def serve(self, side: Side) -> None:
        """Let the market take on one side as far as its own levels cross resting orders."""
        queues = self._market.bids if side is SELL else self._market.asks
        levels = self._market.levels(side, self._now_us)
        level = next(levels, None)
        left = ZERO if level is None else level.quantity
        for price in queues.prices():
            if level is None or (level.price > price if side is SELL else level.price < price):
                return
            for maker, part in standing(queues, price, None):
                assert maker is not None
                if maker.id in self._gone:
                    continue
                if self._reach is not None:
                    part = self._reached(self._reach, maker, part)
                while part > ZERO:
                    if left <= ZERO:
                        level = next(levels, None)
                        if level is None:
                            return
                        left = level.quantity
                    if level.price > price if side is SELL else level.price < price:
                        return
                    filled = min(part, left)
                    self._trade(maker, side, filled, level)
                    left -= filled
                    part -= filled

    def take(self, side: Side, limit: Decimal, quantity: Decimal) -> Decimal:
        """Let the market take a quantity from all who offer it at `limit` or better."""
        queues = self._market.bids if side is SELL else self._market.asks
        for price in queues.prices():
            if price < limit if side is SELL else price > limit:
                break
            for maker, part in standing(queues, price, None):
                assert maker is not None
                if maker.id in self._gone:
                    continue
                if self._reach is not None:
                    part = self._reached(self._reach, maker, part)
                    if not part:
                        continue
                filled = min(part, quantity)
                self._trade(maker, side, filled, None)
                quantity -= filled
                if not quantity:
                    return ZERO
        return quantity

    def _reached(self, reach: Reach, maker: Order, part: Decimal) -> Decimal:
        """So much as it may trade; an order that may not trade anything any more ends."""
        part = reach.part(maker, part)
        if not part:
            self._gone.add(maker.id)
            self.events.append(e.OrderExpired(order=maker.id, reason=EndReason.NOTHING_TO_REDUCE))
        return part

    def _trade(self, maker: Order, side: Side, quantity: Decimal, level: FeedLevel | None) -> None:
        """One trade at the maker's price, after the ends of the legs that it cancels."""
        state, instrument = self._state, self._market.instrument
        assert maker.price is not None
        if not self.trades:
            self._first_trade = self._market.next_trade_id(self._now_us)
        for order in state.siblings(maker) if maker.in_list else ():
            if order.id not in self._gone:
                self._gone.add(order.id)
                self.events.append(e.OrderExpired(order=order.id, reason=EndReason.LIST_SIBLING))
        amount = instrument.amount(quantity, maker.price)
        fee, asset = self._fees.of(
            instrument,
            state.accounts[maker.account],
            maker.wallet,
            maker.terms.side,
            quantity,
            amount,
            maker.price,
            is_maker=True,
        )
        self.events.append(
            e.TradeExecuted(
                instrument=instrument.symbol,
                trade=self._first_trade + self.trades,
                price=maker.price,
                quantity=quantity,
                amount=amount,
                taker_side=side,
                taker=MARKET_ORDER,
                maker=maker.id,
                taker_fee=ZERO,
                taker_fee_asset="",
                maker_fee=fee,
                maker_fee_asset=asset,
                feed_price=None if level is None else level.price,
                feed_since_us=0 if level is None else level.since_us,
            )
        )
        if self._reach is not None:
            self._reach.trade(maker.account, maker.terms.leg, maker.side, quantity)
        self.trades += 1
