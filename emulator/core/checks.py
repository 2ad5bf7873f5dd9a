"""Whether an order may be accepted at all: an instrument's own limits, before the book is asked."""

from __future__ import annotations

from decimal import Decimal

from emulator.core import rejections as r
from emulator.core.instruments import Instrument, InstrumentStatus, OrderType, Side
from emulator.core.numbers import BIPS, ONE, ZERO, is_on_step
from emulator.core.orders import OrderTerms
from emulator.core.rejections import Feature, Limit, Rejection
from emulator.core.state import Account, State
from emulator.core.tape import Market


def check_terms(market: Market, terms: OrderTerms, price: Decimal | None, now_us: int) -> Rejection | None:
    """Limits of prices, quantities and their product. `price`: the limit price, pegs resolved."""
    instrument = market.instrument
    return (
        _check_features(instrument, terms)
        or _check_prices(instrument, terms, price)
        or _check_quantities(instrument, terms)
        or _check_band(market, terms, price, now_us)
        or _check_notional(market, terms, price, now_us)
    )


def check_status(instrument: Instrument) -> Rejection | None:
    if instrument.status is not InstrumentStatus.TRADING:
        return r.InstrumentNotTrading(instrument=instrument.symbol)
    return None


def check_counts(
    state: State, account: Account, instrument: Instrument, legs: tuple[OrderTerms, ...]
) -> Rejection | None:
    """Limits of how many orders of each sort one account may have open on an instrument."""
    counts = state.counts_of(account.id, instrument.symbol)
    if 0 < instrument.orders_max < counts.orders + len(legs):
        return r.LimitBroken(limit=Limit.ORDERS)
    triggers = sum(1 for leg in legs if leg.trigger is not None)
    if triggers and 0 < instrument.trigger_orders_max < counts.triggers + triggers:
        return r.LimitBroken(limit=Limit.TRIGGER_ORDERS)
    icebergs = sum(1 for leg in legs if leg.iceberg_quantity is not None)
    if icebergs and 0 < instrument.iceberg_orders_max < counts.icebergs + icebergs:
        return r.LimitBroken(limit=Limit.ICEBERG_ORDERS)
    if len(legs) > 1 and 0 < instrument.order_lists_max < counts.lists + 1:
        return r.LimitBroken(limit=Limit.ORDER_LISTS)
    return None


def check_position(
    state: State, account: Account, wallet: str, instrument: Instrument, terms: OrderTerms
) -> Rejection | None:
    """Limit of what an account may own of the base asset, open buys included."""
    most = instrument.position_max
    if most is None or terms.side is Side.SELL or terms.quantity is None:
        return None
    owned = state.ledger.balance(account.id, wallet, instrument.base).total
    for order in account.open_orders.values():
        if order.instrument == instrument.symbol and order.terms.side is Side.BUY:
            owned += order.remaining
    return r.LimitBroken(limit=Limit.POSITION) if owned + terms.quantity > most else None


def check_quantity(instrument: Instrument, quantity: Decimal) -> Rejection | None:
    """Smallest, largest and step of any quantity."""
    if quantity < instrument.quantity_min or 0 < instrument.quantity_max < quantity:
        return r.LimitBroken(limit=Limit.QUANTITY_RANGE, value=quantity)
    if not is_on_step(quantity - instrument.quantity_min, instrument.quantity_step):
        return r.LimitBroken(limit=Limit.QUANTITY_STEP, value=quantity)
    return None


def check_amended_notional(market: Market, terms: OrderTerms, price: Decimal | None, quantity: Decimal,
                           now_us: int) -> Rejection | None:  # fmt: skip
    return _notional(market, terms, price, quantity, now_us)


def _check_features(instrument: Instrument, terms: OrderTerms) -> Rejection | None:
    if terms.type is OrderType.MARKET and terms.trigger is None and not instrument.market_orders:
        return r.FeatureOff(feature=Feature.MARKET)
    if terms.quote_quantity is not None and not instrument.quote_quantity_orders:
        return r.FeatureOff(feature=Feature.QUOTE_QUANTITY)
    if terms.trigger is not None:
        if not instrument.trigger_orders:
            return r.FeatureOff(feature=Feature.TRIGGER)
        if terms.trigger.trailing_bips is not None and not instrument.trailing_orders:
            return r.FeatureOff(feature=Feature.TRAILING)
    if terms.iceberg_quantity is not None and not instrument.iceberg_orders:
        return r.FeatureOff(feature=Feature.ICEBERG)
    if terms.peg is not None and not instrument.pegged_orders:
        return r.FeatureOff(feature=Feature.PEG)
    mode = terms.self_trade_mode
    if mode is not None and mode not in instrument.self_trade_modes:
        return r.SelfTradeModeNotAllowed()
    return None


def _check_prices(instrument: Instrument, terms: OrderTerms, price: Decimal | None) -> Rejection | None:
    trigger = terms.trigger
    for one in (price, None if trigger is None else trigger.price):
        if one is None:
            continue
        if one < instrument.price_min or 0 < instrument.price_max < one:
            return r.LimitBroken(limit=Limit.PRICE_RANGE, value=one)
        if not is_on_step(one, instrument.price_step):
            return r.LimitBroken(limit=Limit.PRICE_STEP, value=one)
    if trigger is not None and trigger.trailing_bips is not None:
        above = trigger.fires_on_rise(terms.side)
        least = instrument.trailing_above_min if above else instrument.trailing_below_min
        most = instrument.trailing_above_max if above else instrument.trailing_below_max
        if trigger.trailing_bips < least or 0 < most < trigger.trailing_bips:
            return r.LimitBroken(limit=Limit.TRAILING_DISTANCE)
    return None


def _check_quantities(instrument: Instrument, terms: OrderTerms) -> Rejection | None:
    quantity = terms.quantity
    if quantity is None:
        return None
    if terms.price is not None and terms.price * quantity <= ZERO:
        return r.NotionalZero()
    rejection = check_quantity(instrument, quantity)
    if rejection is not None:
        return rejection
    if terms.type is OrderType.MARKET:
        if quantity < instrument.market_quantity_min or 0 < instrument.market_quantity_max < quantity:
            return r.LimitBroken(limit=Limit.MARKET_QUANTITY_RANGE, value=quantity)
        if not is_on_step(quantity, instrument.market_quantity_step):
            return r.LimitBroken(limit=Limit.MARKET_QUANTITY_STEP, value=quantity)
    part = terms.iceberg_quantity
    if part is not None:
        if part > quantity:
            return r.IcebergTooLarge()
        rejection = check_quantity(instrument, part)
        if rejection is not None:
            return rejection
        parts = -(-quantity // part)
        if 0 < instrument.iceberg_parts_max < parts:
            return r.LimitBroken(limit=Limit.ICEBERG_PARTS)
    return None


def _check_band(market: Market, terms: OrderTerms, price: Decimal | None, now_us: int) -> Rejection | None:
    if price is None:
        return None
    instrument = market.instrument
    if terms.side is Side.BUY:
        up, down = instrument.bid_multiplier_up, instrument.bid_multiplier_down
    else:
        up, down = instrument.ask_multiplier_up, instrument.ask_multiplier_down
    if up is None and down is None:
        return None
    reference = market.average_price(now_us)
    if (up is not None and price > reference * up) or (down is not None and price < reference * down):
        return r.LimitBroken(limit=Limit.PRICE_BAND, value=price)
    return None


def _check_notional(
    market: Market, terms: OrderTerms, price: Decimal | None, now_us: int
) -> Rejection | None:
    return _notional(market, terms, price, terms.quantity, now_us)


def _notional(
    market: Market, terms: OrderTerms, price: Decimal | None, quantity: Decimal | None, now_us: int
) -> Rejection | None:
    instrument = market.instrument
    least, most = instrument.notional_min, instrument.notional_max
    if price is None:
        least = least if instrument.notional_min_applies_to_market else ZERO
        most = most if instrument.notional_max_applies_to_market else ZERO
    if not least and not most:
        return None
    if terms.quote_quantity is not None:
        amount = terms.quote_quantity
    elif quantity is not None:
        amount = quantity * (market.average_price(now_us) if price is None else price)
    else:
        return None
    if amount < least or 0 < most < amount:
        return r.LimitBroken(limit=Limit.NOTIONAL, value=amount)
    return None


def fired(side: Side, extreme: Decimal, last: Decimal, trailing_bips: int) -> bool:
    """Whether the last price has turned back from the extreme by the trailing distance."""
    distance = BIPS * trailing_bips
    return last <= extreme * (ONE - distance) if side is Side.SELL else last >= extreme * (ONE + distance)
