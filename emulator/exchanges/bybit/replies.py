"""Orders and executions as Bybit tells of them, from the core's records and from orders that live alike.

Nothing here decides or looks anything up: what a record does not say comes as an argument.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final, cast

from emulator.core.history import Fill
from emulator.core.instruments import Side
from emulator.core.numbers import ZERO, divide_half, exact, round_half
from emulator.core.orders import OF_POSITIONS, Order, OrderTerms, StopRole
from emulator.core.positions import Leg
from emulator.exchanges.bybit.beside import Beside
from emulator.exchanges.bybit.categories import Category
from emulator.exchanges.bybit.figures import decimal_text, optional_text, time_text
from emulator.exchanges.bybit.ids import (
    cross_sequence,
    execution_id_text,
    funding_id_text,
    funding_order_text,
    order_id_text,
)
from emulator.exchanges.bybit.listings import Listing
from emulator.exchanges.bybit.payloads import trading as payloads
from emulator.exchanges.bybit.vocabulary import (
    BASE_PRICE,
    FALLING,
    FULL,
    FUNDING,
    ORDER_TYPE_WORDS,
    PARTIAL,
    PERCENT,
    POSITION_INDEXES,
    RISING,
    SELF_TRADE_WORDS,
    SIDE_WORDS,
    TICK_SIZE,
    TRIGGER_WORDS,
    UNIT,
    UNKNOWN,
    create_word,
    ending_words,
    execution_word,
    label_of,
    status_word,
    stop_word,
    time_in_force_word,
)

_TAKE_PROFIT: Final = ("takeProfit", "tpLimitPrice", "tpTriggerBy")
_STOP_LOSS: Final = ("stopLoss", "slLimitPrice", "slTriggerBy")
_PARTIAL_ROLES: Final = frozenset({StopRole.PARTIAL_TAKE_PROFIT, StopRole.PARTIAL_STOP_LOSS})

_AVERAGE_PLACES: Final = 4
"""How many places more than prices an average has at most."""


def render_ids(category: Category, order: Order) -> payloads.OrderIds:
    return {"orderId": order_id_text(category.name, order.id), "orderLinkId": order.client_id}


def render_order(category: Category, order: Order, beside: Beside) -> payloads.Order:
    """An order as it stands."""
    with exact():
        return _render_order(category, order, beside)


def _render_order(category: Category, order: Order, beside: Beside) -> payloads.Order:
    listing, terms = category.by_instrument[order.instrument], order.terms
    is_spot = not category.is_derivative
    cancel_word, reason_word = ending_words(order)
    left = ZERO if order.is_ended else beside.closes if order.quantity is None else order.remaining
    trigger, attached = terms.trigger, terms.attached
    rendered: dict[str, object] = {
        "orderId": order_id_text(category.name, order.id),
        "orderLinkId": order.client_id,
        "parentOrderLinkId": beside.parent,
        "blockTradeId": "",
        "symbol": listing.symbol,
        "price": _limit(listing, order),
        "qty": _asked_quantity(listing, order, beside.closes),
        "side": SIDE_WORDS[terms.side],
        # Quirk: whether it borrows is a digit in quotes, and nothing of a contract (open-order).
        "isLeverage": ("1" if terms.borrows else "0") if is_spot else "",
        "positionIdx": POSITION_INDEXES[terms.leg],
        "orderStatus": status_word(order, is_spot=is_spot),
        "cancelType": cancel_word,
        "rejectReason": reason_word,
        # Quirk: an order that has not traded has an average of "", and not of zero (open-order).
        "avgPrice": _average(listing, order),
        "leavesQty": render_quantity(listing, left),
        "leavesValue": decimal_text(_left_value(listing, order, left)),
        "cumExecQty": render_quantity(listing, order.executed),
        "cumExecValue": decimal_text(_settled(listing, _executed_value(listing, order))),
        "cumExecFee": decimal_text(sum((fee for _, fee in order.fees), ZERO)),
        "timeInForce": time_in_force_word(terms),
        "orderType": ORDER_TYPE_WORDS[terms.type],
        "stopOrderType": stop_word(order, is_spot=is_spot),
        "orderIv": "",
        "marketUnit": label_of(terms, UNIT),
        "slippageToleranceType": _slippage(terms)[0],
        "slippageTolerance": _slippage(terms)[1],
        "triggerPrice": _trigger_price(listing, terms, beside.trails_at),
        "ocoTriggerBy": "",
        "triggerDirection": _direction(order) if category.is_derivative else 0,
        "triggerBy": "" if trigger is None or is_spot else TRIGGER_WORDS[trigger.source],
        "lastPriceOnCreated": "" if is_spot else label_of(terms, BASE_PRICE),
        "basePrice": label_of(terms, BASE_PRICE) if is_spot else "",
        "reduceOnly": _only_reduces(order),
        "closeOnTrigger": terms.close_on_trigger or (terms.role in OF_POSITIONS and not is_spot),
        "placeType": "",
        "smpType": SELF_TRADE_WORDS.get(order.self_trade_mode, "None"),
        "smpGroup": order.trade_group,
        "smpOrderId": "" if beside.met is None else order_id_text(category.name, beside.met),
        "createdTime": time_text(order.created_us),
        "updatedTime": time_text(order.updated_us),
        "extraFees": "",
        "cumFeeDetail": {coin: decimal_text(fee) for coin, fee in order.fees},
        "rpiTakerAccess": False,
        "rpiMatchedQty": "0",
    }
    for names, stop in (
        (_TAKE_PROFIT, None if attached is None else attached.take_profit),
        (_STOP_LOSS, None if attached is None else attached.stop_loss),
    ):
        price_name, limit_name, source_name = names
        rendered[price_name] = "" if stop is None else render_price(listing, stop.price)
        rendered[limit_name] = "" if stop is None else render_price(listing, stop.limit)
        rendered[source_name] = "" if stop is None or is_spot else TRIGGER_WORDS[stop.source]
    if category.is_derivative:
        # Quirk: an order of a pair has neither of these two, and clients tell pairs from contracts by that
        # (open-order; ccxt 4.5.90).
        rendered["createType"] = create_word(terms)
        rendered["tpslMode"] = _stops_mode(terms)
    return cast("payloads.Order", rendered)


def render_execution(category: Category, fill: Fill, order: Order) -> payloads.Execution:
    """One account's side of a trade."""
    with exact():
        return _render_execution(category, fill, order)


def _render_execution(category: Category, fill: Fill, order: Order) -> payloads.Execution:
    listing, terms = category.by_instrument[fill.instrument], order.terms
    rendered: dict[str, object] = {
        "symbol": listing.symbol,
        "orderId": order_id_text(category.name, fill.order),
        "orderLinkId": order.client_id,
        "side": "Buy" if fill.is_buyer else "Sell",
        "orderPrice": _limit(listing, order),
        "orderQty": _asked_quantity(listing, order),
        "leavesQty": render_quantity(listing, fill.remaining),
        "orderType": ORDER_TYPE_WORDS[terms.type],
        "stopOrderType": stop_word(order, is_spot=not category.is_derivative),
        "execFee": decimal_text(fill.fee),
        "execId": execution_id_text(category.name, fill.instrument, fill.trade),
        "execType": execution_word(fill.kind, is_inverse=category.is_inverse),
        **_executed(listing, fill),
        "feeCurrency": fill.fee_asset,
        "isMaker": fill.is_maker,
        "closedSize": render_quantity(listing, fill.closed) if category.is_derivative else "",
    }
    if category.is_derivative:
        rendered["createType"] = create_word(terms)
    return cast("payloads.Execution", rendered)


def render_funding(category: Category, fill: Fill) -> payloads.Execution:
    """What a position paid or got at its funding, which stands among the executions."""
    listing = category.by_instrument[fill.instrument]
    leg = fill.leg.value
    with exact():
        rendered: dict[str, object] = {
            "symbol": listing.symbol,
            "orderId": funding_order_text(fill.account, fill.instrument, leg, fill.time_us),
            "orderLinkId": "",
            "side": "Buy" if fill.is_buyer else "Sell",
            "orderPrice": "0",
            "orderQty": "0",
            "leavesQty": "0",
            # Quirk: a payment has no type of an order (enum, `orderType`).
            "orderType": UNKNOWN,
            "stopOrderType": UNKNOWN,
            # Quirk: what was paid is above zero, what was got below, as of a fee (Get Trade History).
            "execFee": decimal_text(fill.fee),
            "execId": funding_id_text(fill.account, fill.instrument, leg, fill.time_us),
            "execType": FUNDING,
            **_executed(listing, fill),
            "feeCurrency": fill.fee_asset,
            "isMaker": False,
            "closedSize": render_quantity(listing, ZERO),
            "createType": "",
        }
    return cast("payloads.Execution", rendered)


def _executed(listing: Listing, fill: Fill) -> dict[str, object]:
    """What a trade and a payment have alike."""
    return {
        "execFeeV2": "",
        "execPrice": render_price(listing, fill.price),
        "execQty": render_quantity(listing, abs(fill.quantity)),
        "execValue": decimal_text(abs(fill.amount)),
        "execTime": time_text(fill.time_us),
        "feeRate": decimal_text(fill.rate),
        "tradeIv": "",
        "markIv": "",
        "markPrice": optional_text(fill.mark),
        "indexPrice": optional_text(fill.index),
        "underlyingPrice": "",
        "blockTradeId": "",
        "seq": cross_sequence(fill.time_us),
        "extraFees": "",
    }


# Figures


def render_price(listing: Listing, price: Decimal | None) -> str:
    """With the places of its steps; "" where there is none."""
    return "" if price is None else f"{price:.{listing.price_places}f}"


def render_quantity(listing: Listing, quantity: Decimal) -> str:
    return f"{quantity:.{listing.quantity_places}f}"


def _limit(listing: Listing, order: Order) -> str:
    """The limit price; of a market order the worst that it may trade at, as soon as that is known."""
    # Quirk: a market order is an order with a limit far away, and is told of with it (Place Order, "Market
    # order").
    for price in (order.price, order.terms.price, order.bound):
        if price is not None:
            return render_price(listing, price)
    return "0"


def _asked_quantity(listing: Listing, order: Order, closes: Decimal = ZERO) -> str:
    """In what it was asked for: of a pair's market order perhaps in quote coin; of one that closes whatever
    there is so much."""
    asked = order.terms.quote_quantity
    if asked is not None:
        return decimal_text(asked)
    return render_quantity(listing, closes if order.quantity is None else order.quantity)


def _executed_value(listing: Listing, order: Order) -> Decimal:
    return order.executed_amount if listing.contract is None else order.executed_cost


def _settled(listing: Listing, value: Decimal) -> Decimal:
    """With no more places than what a contract settles in has."""
    return value if listing.contract is None else round_half(value, listing.contract.settle_step)


def _average(listing: Listing, order: Order) -> str:
    if not order.executed:
        return ""
    value, contract = _executed_value(listing, order), listing.contract
    size = order.executed if contract is None else order.executed * contract.size
    step = listing.instrument.price_step.scaleb(-_AVERAGE_PLACES)
    if contract is not None and contract.is_inverse:
        return decimal_text(divide_half(size, value, step))
    return decimal_text(divide_half(value, size, step))


def _left_value(listing: Listing, order: Order, left: Decimal) -> Decimal:
    asked = order.terms.quote_quantity
    if asked is None:
        return _value(listing, left, order.price or order.terms.price)
    # Quirk: of an order by value it is what was not spent, also when it is over (recorded messages of the
    # order topic).
    return asked - order.executed_amount


def _value(listing: Listing, quantity: Decimal, price: Decimal | None) -> Decimal:
    """What a quantity is worth at a price; nothing at none."""
    if not quantity or not price:
        return ZERO
    contract = listing.contract
    if contract is None:
        return round_half(quantity * price, listing.instrument.quote_step)
    if contract.is_inverse:
        return divide_half(quantity * contract.size, price, contract.settle_step)
    return round_half(quantity * contract.size * price, contract.settle_step)


def _stops_mode(terms: OrderTerms) -> str:
    """`tpslMode`: of the stops that it brings along, or of the one that it is."""
    attached = terms.attached
    if attached is not None and (attached.take_profit or attached.stop_loss):
        return FULL if attached.whole else PARTIAL
    if terms.role in _PARTIAL_ROLES:
        return PARTIAL
    return FULL if terms.role in OF_POSITIONS else ""


def _slippage(terms: OrderTerms) -> tuple[str, str]:
    slippage = terms.slippage
    if slippage is None:
        return UNKNOWN, ""
    if slippage.steps is not None:
        return TICK_SIZE, str(slippage.steps)
    return PERCENT, decimal_text((slippage.ratio or ZERO).scaleb(2))


def _trigger_price(listing: Listing, terms: OrderTerms, trails_at: Decimal | None) -> str:
    # Quirk: of a trailing stop it is the price from which on it follows, and where it would be triggered as
    # soon as it does (Get Open & Closed Orders, `triggerPrice`; recorded messages of the order topic).
    if trails_at is not None:
        return render_price(listing, trails_at)
    return "" if terms.trigger is None else render_price(listing, terms.trigger.price)


def _direction(order: Order) -> int:
    terms, trigger = order.terms, order.terms.trigger
    if trigger is None:
        return 0
    # What follows the price is triggered where it turns back.
    rises = terms.side is Side.BUY if order.trailing else trigger.fires_on_rise(terms.side)
    return RISING if rises else FALLING


def _only_reduces(order: Order) -> bool:
    terms = order.terms
    if terms.reduce_only or terms.close_position:
        return True
    # Quirk: an order against a position of hedge mode is told of as one that only reduces, whatever it was
    # sent as, but not as long as it waits for its trigger (running servers).
    is_waiting = terms.trigger is not None and not order.working_us
    return (
        not is_waiting and terms.leg is not Leg.BOTH and (terms.leg is Leg.LONG) is (terms.side is Side.SELL)
    )
