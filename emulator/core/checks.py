"""Whether an order may be accepted at all: an instrument's own limits, before the book is asked."""

from __future__ import annotations

from decimal import Decimal

from emulator.core import rejections as r
from emulator.core.contracts import Contract
from emulator.core.coverage import mark_price
from emulator.core.instruments import (
    BUY,
    SELL,
    Instrument,
    InstrumentStatus,
    OrderType,
    Side,
    TimeInForce,
)
from emulator.core.numbers import ZERO, is_on_step, round_down, round_up
from emulator.core.orders import OF_POSITIONS, OrderStatus, OrderTerms, Trigger
from emulator.core.positions import Leg
from emulator.core.rejections import Feature, Limit, Rejection
from emulator.core.state import Account, Counts, State
from emulator.core.tape import Market

_LIMIT, _MARKET = OrderType.LIMIT, OrderType.MARKET
_GTC = TimeInForce.GTC
_BOTH = Leg.BOTH
_DORMANT = OrderStatus.DORMANT
_TRADING = InstrumentStatus.TRADING
_NONE_OPEN = Counts()


def admits(state: State, account: Account, market: Market, terms: OrderTerms, now_us: int) -> bool:
    """Whether nothing can be said against an order, as far as one look tells.

    If not, it has to be asked what: `check_status`, `check_shape`, `check_terms` and `check_counts`, and
    whether its name is taken. Of nearly all orders nothing has, which is a sixth of what they cost.
    """
    bounds, symbol = market.bounds, market.instrument.symbol
    if not bounds.is_open:
        return False
    counts = state.counts.get((account.id, symbol))
    if counts is not None and counts.orders >= bounds.orders_max:
        return False
    reference = market.reference_price(now_us) if bounds.is_banded else ZERO
    return (account.id, symbol, terms.client_id) not in state.client_ids and bounds.admit(terms, reference)


def check_terms(market: Market, terms: OrderTerms, price: Decimal | None, now_us: int) -> Rejection | None:
    """Limits of prices, quantities and their product. `price`: the limit price, pegs resolved."""
    instrument, quantity = market.instrument, terms.quantity
    if terms.good_till_us is not None and terms.good_till_us <= now_us:
        return r.TimePassed(at_us=terms.good_till_us)
    return (
        _check_features(instrument, terms)
        or (price is not None and check_price(instrument, price))
        or (terms.trigger is not None and _check_trigger(instrument, terms, terms.trigger))
        or (quantity is not None and _check_quantities(instrument, terms, price, quantity))
        or (price is not None and _check_own_band(market, terms, price, now_us))
        or check_notional(market, terms, price, quantity, now_us)
        or None
    )


def check_shape(terms: OrderTerms, *, is_funded: bool = False) -> Rejection | None:
    """Combinations of terms that mean nothing; dialects refuse them in their own words before."""
    reason = _nonsense(terms, is_funded)
    return None if reason is None else r.OrderTermsInvalid(reason=reason)


def check_funded(
    market: Market, terms: OrderTerms, price: Decimal | None, quantity: Decimal, now_us: int
) -> Rejection | None:
    """Limits that apply to a quantity which was not known when the order was accepted."""
    return _check_quantities(market.instrument, terms, price, quantity) or check_notional(
        market, terms, price, quantity, now_us
    )


def check_status(instrument: Instrument, now_us: int) -> Rejection | None:
    contract = instrument.contract
    if instrument.status is not _TRADING or (contract is not None and not contract.is_listed(now_us)):
        return r.InstrumentNotTrading(instrument=instrument.symbol)
    return None


def check_counts(
    state: State, account: Account, instrument: Instrument, legs: tuple[OrderTerms, ...]
) -> Rejection | None:
    """Limits of how many orders of each sort one account may have open on an instrument."""
    if instrument.contract is not None:
        return _check_counts_of_contract(account, instrument, instrument.contract, legs[0])
    counts = state.counts.get((account.id, instrument.symbol), _NONE_OPEN)
    if 0 < instrument.orders_max < counts.orders + len(legs):
        return r.LimitBroken(limit=Limit.ORDERS)
    triggers = detached = icebergs = 0
    for leg in legs:
        if leg.detached and instrument.detached_orders_max:
            detached += 1
        elif leg.trigger is not None:
            triggers += 1
        if leg.iceberg_quantity is not None:
            icebergs += 1
    waiting = counts.triggers if instrument.detached_orders_max else counts.triggers + counts.detached
    if triggers and 0 < instrument.trigger_orders_max < waiting + triggers:
        return r.LimitBroken(limit=Limit.TRIGGER_ORDERS)
    if detached and instrument.detached_orders_max < counts.detached + detached:
        return r.LimitBroken(limit=Limit.TRIGGER_ORDERS)
    if icebergs and 0 < instrument.iceberg_orders_max < counts.icebergs + icebergs:
        return r.LimitBroken(limit=Limit.ICEBERG_ORDERS)
    if len(legs) > 1 and 0 < instrument.order_lists_max < counts.lists + 1:
        return r.LimitBroken(limit=Limit.ORDER_LISTS)
    return None


def _check_counts_of_contract(
    account: Account, instrument: Instrument, contract: Contract, terms: OrderTerms
) -> Rejection | None:
    """What waits for its trigger and what is active are counted apart."""
    symbol, listed = instrument.symbol, account.open_orders.values()
    if terms.trigger is None:
        if 0 < instrument.orders_max <= len(listed):
            active = [one for one in listed if one.instrument == symbol and one.status is not _DORMANT]
            if len(active) >= instrument.orders_max:
                return r.LimitBroken(limit=Limit.ORDERS)
        return None
    if terms.role in OF_POSITIONS:
        return None
    waiting = [one for one in listed if one.status is _DORMANT and one.terms.role not in OF_POSITIONS]
    counted = [
        one
        for one in waiting
        if (one.wallet == contract.wallet if instrument.trigger_orders_shared else one.instrument == symbol)
    ]
    if 0 < instrument.trigger_orders_max <= len(counted):
        return r.LimitBroken(limit=Limit.TRIGGER_ORDERS)
    if terms.close_position and contract.closing_orders_max:
        closing = [one for one in waiting if one.instrument == symbol and _closes_alike(one.terms, terms)]
        if len(closing) >= contract.closing_orders_max:
            return r.LimitBroken(limit=Limit.CLOSING_ORDERS)
    return None


def _closes_alike(one: OrderTerms, other: OrderTerms) -> bool:
    assert one.trigger is not None
    assert other.trigger is not None
    return one.close_position and (one.side, one.leg, one.trigger.kind) == (
        other.side,
        other.leg,
        other.trigger.kind,
    )


def check_position(
    state: State, account: Account, wallet: str, instrument: Instrument, terms: OrderTerms
) -> Rejection | None:
    """Limit of what an account may own of the base asset, open buys included."""
    most = instrument.position_max
    if most is None or instrument.contract is not None or terms.side is SELL or terms.quantity is None:
        return None
    owned = state.ledger.total(account.id, wallet, instrument.base)
    for order in account.open_orders.values():
        if order.instrument == instrument.symbol and order.terms.side is BUY:
            owned += order.remaining
    return r.LimitBroken(limit=Limit.POSITION) if owned + terms.quantity > most else None


def at_once(instrument: Instrument, type: OrderType) -> Decimal:
    """The largest quantity of one order; 0: any."""
    limits = [instrument.quantity_max]
    if type is _MARKET:
        limits.append(instrument.market_quantity_max)
    return min((one for one in limits if one), default=ZERO)


def check_quantity(instrument: Instrument, quantity: Decimal, *, post_only: bool = False) -> Rejection | None:
    """Smallest, largest and step of any quantity."""
    most = instrument.quantity_max
    if post_only and most:
        most = max(most, instrument.post_only_quantity_max)
    if quantity < instrument.quantity_min or ZERO < most < quantity:
        return r.LimitBroken(limit=Limit.QUANTITY_RANGE, value=quantity)
    if not is_on_step(quantity - instrument.quantity_min, instrument.quantity_step):
        return r.LimitBroken(limit=Limit.QUANTITY_STEP, value=quantity)
    return None


def _nonsense(terms: OrderTerms, is_funded: bool) -> str | None:
    if terms.type is _LIMIT:
        if terms.price is None and terms.peg is None:
            return "a limit order needs a price"
        if terms.quote_quantity is not None:
            return "a limit order has no quote quantity"
        if terms.quantity is None and not is_funded:
            return "a limit order needs a quantity"
        if terms.time_in_force is not _GTC:
            if terms.post_only:
                return "a post-only order cannot end at once"
            if terms.iceberg_quantity is not None:
                return "an order that ends at once cannot be an iceberg"
        if terms.peg is not None and terms.peg.levels < 0:
            return "a peg counts levels into the book"
    else:
        if terms.price is not None or terms.peg is not None:
            return "a market order has no price"
        if terms.post_only or terms.iceberg_quantity is not None:
            return "a market order does not rest"
        if terms.quote_quantity is not None:
            if terms.quantity is not None or is_funded:
                return "a quote quantity is for market orders of their own, instead of a quantity"
            if terms.quote_quantity <= ZERO:
                return "a quote quantity is positive"
        elif terms.quantity is None and not is_funded and not terms.close_position:
            return "a market order needs a quantity"
    if terms.close_position and (terms.type is _LIMIT or terms.quantity is not None):
        return "what closes a position does so at market, and has no quantity"
    if is_funded and terms.quantity is not None:
        return "a funded leg takes its quantity from what the working order receives"
    trigger = terms.trigger
    if terms.detached and trigger is None:
        return "an order is detached until it is triggered"
    if trigger is not None and trigger.price is None and not trigger.is_trailing:
        return "a trigger needs a stop price or a trailing distance"
    if terms.slippage is not None and (terms.type is not _MARKET or trigger is not None):
        return "slippage is of orders at market that are active at once"
    return None


def _check_features(instrument: Instrument, terms: OrderTerms) -> Rejection | None:
    trigger = terms.trigger
    if instrument.contract is None and (terms.reduces or terms.leg is not _BOTH):
        return r.NotAContract(instrument=instrument.symbol)
    if instrument.contract is not None and terms.borrows:
        return r.OrderTermsInvalid(reason="only an order of a pair borrows")
    if trigger is not None:
        if not instrument.trigger_orders:
            return r.FeatureOff(feature=Feature.TRIGGER)
        if trigger.is_trailing and not instrument.trailing_orders:
            return r.FeatureOff(feature=Feature.TRAILING)
        if trigger.source not in instrument.trigger_sources:
            return r.FeatureOff(feature=Feature.TRIGGER)
    elif terms.type is _MARKET and not instrument.market_orders:
        return r.FeatureOff(feature=Feature.MARKET)
    if terms.quote_quantity is not None and (
        not instrument.quote_quantity_orders or instrument.contract is not None
    ):
        return r.FeatureOff(feature=Feature.QUOTE_QUANTITY)
    if terms.iceberg_quantity is not None and not instrument.iceberg_orders:
        return r.FeatureOff(feature=Feature.ICEBERG)
    if terms.peg is not None and not instrument.pegged_orders:
        return r.FeatureOff(feature=Feature.PEG)
    mode = terms.self_trade_mode
    if mode is not None and mode not in instrument.self_trade_modes:
        return r.SelfTradeModeNotAllowed()
    return None


def check_price(instrument: Instrument, price: Decimal) -> Rejection | None:
    if price < instrument.price_min or ZERO < instrument.price_max < price:
        return r.LimitBroken(limit=Limit.PRICE_RANGE, value=price)
    if not is_on_step(price, instrument.price_step):
        return r.LimitBroken(limit=Limit.PRICE_STEP, value=price)
    return None


def _check_trigger(instrument: Instrument, terms: OrderTerms, trigger: Trigger) -> Rejection | None:
    if trigger.price is not None:
        refused = check_price(instrument, trigger.price)
        if refused is not None:
            return refused
    if trigger.trailing_bips is not None:
        above = trigger.fires_on_rise(terms.side)
        least = instrument.trailing_above_min if above else instrument.trailing_below_min
        most = instrument.trailing_above_max if above else instrument.trailing_below_max
        if trigger.trailing_bips < least or 0 < most < trigger.trailing_bips:
            return r.LimitBroken(limit=Limit.TRAILING_DISTANCE)
    distance = trigger.trailing_distance
    if distance is not None and (distance <= ZERO or not is_on_step(distance, instrument.price_step)):
        return r.LimitBroken(limit=Limit.TRAILING_DISTANCE, value=distance)
    return None


def _check_quantities(
    instrument: Instrument, terms: OrderTerms, price: Decimal | None, quantity: Decimal
) -> Rejection | None:
    if quantity <= ZERO or (price is not None and price <= ZERO):
        return r.NotionalZero()
    contract = instrument.contract
    whole = quantity
    if contract is not None and contract.splits_reducing and terms.reduces:
        quantity = min(quantity, at_once(instrument, terms.type) or quantity)
    rejection = check_quantity(instrument, quantity, post_only=terms.post_only)
    if rejection is None and not is_on_step(whole - instrument.quantity_min, instrument.quantity_step):
        rejection = r.LimitBroken(limit=Limit.QUANTITY_STEP, value=whole)
    if rejection is not None:
        return rejection
    if terms.type is _MARKET:
        if quantity < instrument.market_quantity_min or ZERO < instrument.market_quantity_max < quantity:
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
        if 0 < instrument.iceberg_parts_max * part < quantity:
            return r.LimitBroken(limit=Limit.ICEBERG_PARTS)
    return None


def _check_own_band(market: Market, terms: OrderTerms, price: Decimal, now_us: int) -> Rejection | None:
    contract = market.instrument.contract
    if terms.trigger is not None and contract is not None and contract.adjusts_triggered:
        return None  # Its price is made to fit when it is triggered.
    return check_band(market, terms.side, price, now_us, terms.trigger)


def nearest_price(market: Market, side: Side, price: Decimal, now_us: int) -> Decimal:
    """A limit price, or the nearest one that is near enough to the reference, in price steps."""
    beyond = check_band(market, side, price, now_us)
    if not isinstance(beyond, r.LimitBroken) or beyond.bound is None:
        return price
    step = market.instrument.price_step
    return round_down(beyond.bound, step) if price > beyond.bound else round_up(beyond.bound, step)


def check_band(
    market: Market, side: Side, price: Decimal, now_us: int, trigger: Trigger | None = None
) -> Rejection | None:
    """Whether a limit price is near enough to a reference.

    trigger: what an order waits for; where it will be triggered, one of a contract is measured by until then,
    and one of a pair if its instrument says so.
    """
    instrument = market.instrument
    if side is BUY:
        up, down = instrument.bid_multiplier_up, instrument.bid_multiplier_down
    else:
        up, down = instrument.ask_multiplier_up, instrument.ask_multiplier_down
    if up is None and down is None:
        return None
    is_waiting = trigger is not None and (instrument.band_at_trigger or instrument.contract is not None)
    if not is_waiting and instrument.contract is not None and instrument.contract.band is not None:
        return _check_premium_band(market, side, price, now_us)
    if trigger is None or not (instrument.band_at_trigger or instrument.contract is not None):
        reference = _reference_price(market, now_us)
    elif trigger.price is None:
        return None
    else:
        reference = trigger.price
    if up is not None and price > reference * up:
        return r.LimitBroken(limit=Limit.PRICE_BAND, value=price, bound=reference * up)
    if down is not None and price < reference * down:
        return r.LimitBroken(limit=Limit.PRICE_BAND, value=price, bound=reference * down)
    return None


def _check_premium_band(market: Market, side: Side, price: Decimal, now_us: int) -> Rejection | None:
    """Prices within the multipliers are within the band, wherever the book stands."""
    instrument, marks = market.instrument, market.marks
    assert marks is not None
    part = instrument.bid_multiplier_up if side is BUY else instrument.ask_multiplier_down
    if part is None or _is_within(side, price, marks.mark_price(now_us) * part):
        return None
    bound = marks.price_limit(side, part, now_us)
    if _is_within(side, price, bound):
        return None
    return r.LimitBroken(limit=Limit.PRICE_BAND, value=price, bound=bound)


def _is_within(side: Side, price: Decimal, bound: Decimal) -> bool:
    return price <= bound if side is BUY else price >= bound


def _reference_price(market: Market, now_us: int) -> Decimal:
    """What prices are measured by: an average or the index; of a contract, its mark price."""
    is_pair = market.instrument.contract is None
    return market.reference_price(now_us) if is_pair else mark_price(market, now_us)


def check_notional(
    market: Market, terms: OrderTerms, price: Decimal | None, quantity: Decimal | None, now_us: int
) -> Rejection | None:
    """Smallest and largest price times quantity, or budget; what only reduces a position may be small."""
    instrument = market.instrument
    least, most = instrument.notional_min, instrument.notional_max
    if least and instrument.contract is not None and terms.reduces:
        least = ZERO
    if price is None:
        least = least if instrument.notional_min_applies_to_market else ZERO
        most = most if instrument.notional_max_applies_to_market else ZERO
    if not least and not most:
        return None
    if terms.quote_quantity is not None:
        amount = terms.quote_quantity
    elif quantity is None:
        return None
    elif instrument.contract is not None and instrument.contract.is_inverse:
        amount = quantity * instrument.contract.size
    else:
        amount = quantity * (_reference_price(market, now_us) if price is None else price)
        if instrument.contract is not None:
            amount *= instrument.contract.size
    if amount < least or ZERO < most < amount:
        return r.LimitBroken(limit=Limit.NOTIONAL, value=amount, bound=least if amount < least else most)
    return None
