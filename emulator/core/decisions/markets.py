"""Prices, books and trades set by hand."""

from __future__ import annotations

from decimal import Decimal

from emulator.core import commands as c
from emulator.core import events as e
from emulator.core import rejections as r
from emulator.core.decisions.decision import Decision
from emulator.core.instruments import BUY, SELL, Instrument
from emulator.core.matching import take_resting
from emulator.core.numbers import ZERO, canonical, is_on_step, round_half
from emulator.core.rejections import Limit, Rejection
from emulator.core.rules import EngineRules
from emulator.core.state import State
from emulator.core.tape import Market

SHIFTED_MIN = 2
"""A price that goes on moving is at least this part of the market's own; below, it can only be held."""


def set_price(state: State, rules: EngineRules, command: c.SetPrice, now_us: int) -> Decision:
    """Instruments of one pair have price steps and ranges of their own. Each is set to the nearest price
    that it can have, and one of them at least to exactly that price, unless it is another engine's."""
    events: list[e.Event] = []
    refused: Rejection | None = None
    is_exact = False
    for market in state.markets.values():
        instrument = market.instrument
        if instrument.pair != command.pair or not _is_there(instrument, now_us):
            continue
        price = command.price
        wrong = _check_price(instrument, price)
        if wrong is None:
            is_exact = True
        else:
            refused = refused or wrong
            price = _nearest(instrument, price)
        if command.mode is c.PriceMode.SHIFT:
            # The market's own moves are added to the shift, so it must leave them room above zero.
            own = market.feed.last_trade(market.instrument, now_us).price
            if price * SHIFTED_MIN < own:
                return r.LimitBroken(limit=Limit.PRICE_RANGE, value=command.price)
        events += _moved_to(market, price, command.mode, now_us)
    if not events:
        return r.UnknownInstrument(instrument=command.pair)
    if not (is_exact or command.follows) and refused is not None:
        return refused
    return events


def _moved_to(market: Market, price: Decimal, mode: c.PriceMode, now_us: int) -> list[e.Event]:
    instrument = market.instrument
    before = market.last_price(now_us)
    base = market.feed.last_trade(instrument, now_us).price
    falls = price <= before
    return [
        e.PriceSet(
            instrument=instrument.symbol,
            price=price,
            mode=mode,
            shift=ZERO if mode is c.PriceMode.HOLD else price - base,
            ask_at_price=falls,
        ),
        e.TradePrinted(
            instrument=instrument.symbol,
            trade=market.next_trade_id(now_us),
            price=price,
            quantity=instrument.profile.trade_quantity,
            buyer_is_maker=falls,
        ),
    ]


def _is_there(instrument: Instrument, now_us: int) -> bool:
    """Whether it has a market; a contract has none before it is listed and after it was delivered."""
    return instrument.contract is None or instrument.contract.is_listed(now_us)


def _nearest(instrument: Instrument, price: Decimal) -> Decimal:
    """The price next to one that this instrument can have."""
    price = max(price, instrument.price_min)
    if instrument.price_max:
        price = min(price, instrument.price_max)
    return canonical(round_half(price, instrument.price_step))


def _check_price(instrument: Instrument, price: Decimal) -> Rejection | None:
    if price < instrument.price_min or price <= ZERO or 0 < instrument.price_max < price:
        return r.LimitBroken(limit=Limit.PRICE_RANGE, value=price)
    if not is_on_step(price, instrument.price_step):
        return r.LimitBroken(limit=Limit.PRICE_STEP, value=price)
    return None


def set_book(state: State, rules: EngineRules, command: c.SetBook, now_us: int) -> Decision:
    market = state.markets.get(command.instrument)
    if market is None:
        return r.UnknownInstrument(instrument=command.instrument)
    instrument = market.instrument
    for listed, direction in ((command.bids, -1), (command.asks, 1)):
        before: Decimal | None = None
        for price, quantity in listed:
            rejection = _check_price(instrument, price)
            if rejection is not None:
                return rejection
            if quantity <= ZERO or not is_on_step(quantity, instrument.quantity_step):
                return r.LimitBroken(limit=Limit.QUANTITY_STEP, value=quantity)
            if before is not None and (price - before) * direction <= ZERO:
                return r.OrderTermsInvalid(reason="levels must be sorted, best first, without repetition")
            before = price
    if command.bids and command.asks and command.bids[0][0] >= command.asks[0][0]:
        return r.OrderTermsInvalid(reason="the best bid must be below the best ask")
    last = market.last_price(now_us)
    price = last
    if command.bids:
        price = max(price, command.bids[0][0])
    if command.asks:
        price = min(price, command.asks[0][0])
    moved = _moved_to(market, price, c.PriceMode.HOLD, now_us)
    if price == last:
        moved = moved[:1]
    return [*moved, e.BookSet(instrument=instrument.symbol, bids=command.bids, asks=command.asks)]


def print_trade(state: State, rules: EngineRules, command: c.PrintTrade, now_us: int) -> Decision:
    market = state.markets.get(command.instrument)
    if market is None:
        return r.UnknownInstrument(instrument=command.instrument)
    instrument = market.instrument
    rejection = _check_price(instrument, command.price)
    if rejection is not None:
        return rejection
    if command.quantity <= ZERO or not is_on_step(command.quantity, instrument.quantity_step):
        return r.LimitBroken(limit=Limit.QUANTITY_STEP, value=command.quantity)
    side = SELL if command.buyer_is_maker else BUY
    events, left, trades = take_resting(state, rules, market, side, command.price, command.quantity, now_us)
    if left > ZERO:
        events.append(
            e.TradePrinted(
                instrument=instrument.symbol,
                trade=market.next_trade_id(now_us) + trades,
                price=command.price,
                quantity=left,
                buyer_is_maker=command.buyer_is_maker,
            )
        )
    return events


def release(state: State, rules: EngineRules, command: c.ReleaseMarket, now_us: int) -> Decision:
    symbols = [m.instrument.symbol for m in state.markets.values() if m.instrument.pair == command.pair]
    if not symbols:
        return r.UnknownInstrument(instrument=command.pair)
    return [
        e.MarketReleased(instrument=symbol)
        for symbol in symbols
        if state.markets[symbol].segments or state.markets[symbol].manual is not None
    ]
