"""Answers about orders and trades of contracts, built from the core's records. Nothing here decides anything.

An order that stands apart until its trigger is not among these; `algo` tells of it.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final, cast

from emulator.core.contracts import value_of
from emulator.core.history import Fill
from emulator.core.ids import NO_LIST
from emulator.core.numbers import ONE, ZERO, divide_half, exact, round_half
from emulator.core.orders import Order, OrderStatus, OrderTerms
from emulator.exchanges.binance.eras import Eras
from emulator.exchanges.binance.futures.listings import Listing
from emulator.exchanges.binance.futures.payloads.trading import (
    CoinmOrder,
    CoinmOrderState,
    ForcedOrder,
    UsdmOrder,
    UsdmOrderState,
    UserTrade,
)
from emulator.exchanges.binance.futures.products import Product
from emulator.exchanges.binance.futures.terms import TYPE_LABEL
from emulator.exchanges.binance.futures.vocabulary import (
    LEG_WORDS,
    ORDER_STATUS_WORDS,
    PRICE_MATCH_WORDS,
    TRAILING,
    WORKING_TYPE_WORDS,
    render_average,
    render_notional,
    render_price,
    render_quantity,
)
from emulator.exchanges.binance.vocabulary import (
    EIGHT_PLACES,
    SELF_TRADE_WORDS,
    SIDE_WORDS,
    TIME_IN_FORCE_WORDS,
    render_amount,
)
from emulator.web.contract import Call

PlacedOrder = UsdmOrder | CoinmOrder
OrderStanding = UsdmOrderState | CoinmOrderState

DORMANT: Final = OrderStatus.DORMANT


def answer_order(
    call: Call, product: Product, order: Order, eras: Eras, *, is_acknowledged: bool = False
) -> PlacedOrder:
    """An order that was placed, modified or canceled. is_acknowledged: as it was when it was accepted."""
    with exact():
        return _answer_order(call, product, order, eras, is_acknowledged=is_acknowledged)


def _answer_order(
    call: Call, product: Product, order: Order, eras: Eras, *, is_acknowledged: bool
) -> PlacedOrder:
    listing = listing_of(product, order)
    executed = ZERO if is_acknowledged else order.executed
    status = OrderStatus.NEW if is_acknowledged else order.status
    answer = _head(product, listing, order, status)
    if eras.order_sums == "include":
        answer["avgPrice"] = render_average(listing, average_price(listing, order) if executed else ZERO)
    quantity = render_quantity(listing, executed)
    answer |= {
        "origQty": render_quantity(listing, order.quantity),
        "executedQty": quantity,
        "cumQty": quantity,
    }
    if eras.order_sums == "include":
        answer |= _sums(listing, order if executed else None, (not product.is_inverse, product.is_inverse))
    answer |= _terms(listing, order)
    if not product.is_inverse:
        answer["goodTillDate"] = good_till_ms(order.terms)
    answer["updateTime"] = call.render_time(order.updated_us)
    return cast("PlacedOrder", answer)


def answer_state(call: Call, product: Product, order: Order, *, has_both: bool = False) -> OrderStanding:
    """An order as it stands. has_both: of USD-M with what COIN-M has of an order."""
    with exact():
        return _answer_state(call, product, order, has_both=has_both)


def _answer_state(call: Call, product: Product, order: Order, *, has_both: bool) -> OrderStanding:
    listing = listing_of(product, order)
    answer = _head(product, listing, order, order.status)
    if has_both:
        answer["pair"] = listing.pair
    answer |= {
        "avgPrice": render_average(listing, average_price(listing, order)),
        "origQty": render_quantity(listing, order.quantity),
        "executedQty": render_quantity(listing, order.executed),
        **_sums(listing, order, (True, product.is_inverse or has_both)),
        **_terms(listing, order),
        "goodTillDate": good_till_ms(order.terms),
        "time": call.render_time(order.created_us),
        "updateTime": call.render_time(order.updated_us),
    }
    return cast("OrderStanding", answer)


def answer_forced(call: Call, product: Product, order: Order) -> ForcedOrder:
    """An order by which the exchange closed a position."""
    answer: dict[str, Any] = {**answer_state(call, product, order, has_both=True)}
    for name in ("priceMatch", "selfTradePreventionMode"):
        del answer[name]
    if not product.is_inverse:
        del answer["priceProtect"], answer["goodTillDate"]
    return cast("ForcedOrder", answer)


def _head(product: Product, listing: Listing, order: Order, status: OrderStatus) -> dict[str, Any]:
    head: dict[str, Any] = {"orderId": order.id, "symbol": listing.symbol}
    if product.is_inverse:
        head["pair"] = listing.pair
    head |= {
        "status": ORDER_STATUS_WORDS[status],
        "clientOrderId": order.client_id,
        "price": render_price(listing, order.price or order.terms.price),
    }
    return head


def _sums(listing: Listing, order: Order | None, shown: tuple[bool, bool]) -> dict[str, str]:
    """What was traded in quote and in base, of which either may be shown."""
    quote, base = (ZERO, ZERO) if order is None else traded_amounts(listing, order)
    sums: dict[str, str] = {}
    if shown[0]:
        sums["cumQuote"] = render_notional(listing, quote)
    if shown[1]:
        # Quirk: what was traded in base is "0" as long as it is nothing (Query Order of COIN-M).
        sums["cumBase"] = _amount(base)
    return sums


def _terms(listing: Listing, order: Order) -> dict[str, Any]:
    """What an order has because it was asked for."""
    terms = order.terms
    trigger = terms.trigger
    original = type_word(terms)
    # Quirk: a conditional order has the type of what it becomes from then on, and the one that it came with
    # in `origType` (Query Order).
    word = original if order.status is DORMANT or not order.working_us else terms.type.name
    rendered: dict[str, Any] = {
        "timeInForce": time_in_force_word(terms),
        "type": word,
        "reduceOnly": terms.reduce_only,
        "closePosition": terms.close_position,
        "side": SIDE_WORDS[terms.side],
        "positionSide": LEG_WORDS[terms.leg],
        "stopPrice": render_price(listing, trigger.price if trigger and not trigger.trailing_bips else None),
        "workingType": WORKING_TYPE_WORDS[trigger.source] if trigger else "CONTRACT_PRICE",
    }
    if original == TRAILING and trigger is not None:
        rendered["activatePrice"] = render_price(listing, trigger.price or order.extreme)
        rendered["priceRate"] = callback_rate(terms)
    rendered |= {
        "priceProtect": terms.price_protect,
        "origType": original,
        "priceMatch": PRICE_MATCH_WORDS[terms.peg] if terms.peg else "NONE",
        "selfTradePreventionMode": SELF_TRADE_WORDS[order.self_trade_mode],
    }
    return rendered


# Words and figures


def listing_of(product: Product, order: Order) -> Listing:
    return product.listings[product.symbols[order.instrument]]


def type_word(terms: OrderTerms) -> str:
    """The type that an order came with."""
    for name, word in terms.labels:
        if name == TYPE_LABEL:
            return word
    return terms.type.name


def time_in_force_word(terms: OrderTerms) -> str:
    if terms.post_only:
        return "GTX"
    return "GTD" if terms.good_till_us is not None else TIME_IN_FORCE_WORDS[terms.time_in_force]


def good_till_ms(terms: OrderTerms) -> int:
    return (terms.good_till_us or 0) // 1000


def callback_rate(terms: OrderTerms) -> str:
    """In per cent, with one place."""
    bips = 0 if terms.trigger is None else terms.trigger.trailing_bips or 0
    return f"{bips // 100}.{bips % 100 // 10}"


def average_price(listing: Listing, order: Order) -> Decimal:
    """At which an order was filled, with three places more than prices have; zero before it is."""
    if not order.executed:
        return ZERO
    contract, step = listing.contract, ONE.scaleb(-listing.row.price_precision - 3)
    amount = order.executed * contract.size
    if contract.is_inverse:
        return divide_half(amount, order.executed_cost, step)
    return divide_half(order.executed_cost, amount, step)


def traded_amounts(listing: Listing, order: Order) -> tuple[Decimal, Decimal]:
    """What was traded, in quote and in base."""
    if listing.contract.is_inverse:
        return order.executed * listing.contract.size, order.executed_cost
    return order.executed_cost, order.executed * listing.contract.size


def _amount(value: Decimal) -> str:
    """Eight places of what is something, which may be known to more."""
    return render_amount(round_half(value, EIGHT_PLACES)) if value else "0"


# Trades


def answer_trade(call: Call, product: Product, fill: Fill) -> UserTrade:
    listing = product.listings[product.symbols[fill.instrument]]
    contract = listing.contract
    with exact():
        value = value_of(contract, fill.quantity, fill.price)
        size = fill.quantity * contract.size
        quote, base = (size, value) if contract.is_inverse else (value, size)
    return {
        "symbol": listing.symbol,
        "pair": listing.pair,
        "id": fill.trade,
        "orderId": fill.order,
        "side": "BUY" if fill.is_buyer else "SELL",
        "price": render_price(listing, fill.price),
        "qty": render_quantity(listing, fill.quantity),
        "quoteQty": render_notional(listing, quote),
        "baseQty": _amount(base),
        # Quirk: a profit of nothing is "0", any other has eight places (Account Trade List).
        "realizedPnl": _amount(fill.realised),
        "marginAsset": contract.margin_asset,
        "commission": render_amount(fill.fee) if fill.fee else "0",
        "commissionAsset": fill.fee_asset,
        "time": call.render_time(fill.time_us),
        "positionSide": LEG_WORDS[fill.leg],
        "buyer": fill.is_buyer,
        "maker": fill.is_maker,
    }


def answer_tested(
    call: Call, product: Product, listing: Listing, terms: OrderTerms, eras: Eras
) -> PlacedOrder:
    """An order that was only checked: as it would have been accepted, under no id."""
    order = Order(
        id=0,
        account=call.account,
        wallet=product.wallet,
        instrument=listing.instrument.symbol,
        terms=terms,
        client_id=terms.client_id,
        self_trade_mode=terms.self_trade_mode or listing.instrument.self_trade_default,
        trade_group=0,
        quantity=terms.quantity,
        price=terms.price,
        status=OrderStatus.NEW if terms.trigger is None else DORMANT,
        list_id=NO_LIST,
        hold_asset=listing.contract.settle,
        created_us=call.now_us,
        updated_us=call.now_us,
        working_us=0 if terms.trigger else call.now_us,
    )
    return answer_order(call, product, order, eras, is_acknowledged=True)
