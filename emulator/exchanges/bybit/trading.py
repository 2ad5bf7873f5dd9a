"""Placing, amending and canceling orders (docs/v5/order).

What is answered says under which names it was accepted. Everything that the book decides, such as that an
order may only rest and would have traded, is told of the order itself and never with an error.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from msgspec.structs import replace

from emulator.core.commands import CancelOrder, CancelOrders, Command, ModifyOrder, PlaceOrder
from emulator.core.engine import Done
from emulator.core.events import OrderCanceled, OrderPlaced
from emulator.core.instruments import Side, TriggerSource
from emulator.core.numbers import ZERO
from emulator.core.orders import Order, OrderStatus, OrderTerms, StopRole
from emulator.core.rejections import (
    AmendChangesNothing,
    NothingToReduce,
    Rejection,
    UnknownOrder,
    WouldTrigger,
)
from emulator.exchanges.bybit.auth import ORDER as MAY_ORDER
from emulator.exchanges.bybit.categories import Category
from emulator.exchanges.bybit.door import Door
from emulator.exchanges.bybit.eras import Eras
from emulator.exchanges.bybit.errors import scaled_text
from emulator.exchanges.bybit.ids import order_id_text, read_order_id
from emulator.exchanges.bybit.listings import Listing
from emulator.exchanges.bybit.nearest import nearest_price
from emulator.exchanges.bybit.order_parameters import (
    AMENDED_ORDER,
    BASE_COIN,
    CANCELED_ORDER,
    CATEGORY,
    NEW_ORDER,
    ORDER_FILTER,
    SETTLE_COIN,
    SYMBOL_OPTIONAL,
)
from emulator.exchanges.bybit.payloads.trading import CanceledOrders, OrderIds
from emulator.exchanges.bybit.refusals import COVERED, MISSING_ONE_OF, SAME_SIDE, refuse
from emulator.exchanges.bybit.replies import render_ids
from emulator.exchanges.bybit.running import UNIFIED
from emulator.exchanges.bybit.symbols import chosen_instruments, find, traded_category
from emulator.exchanges.bybit.terms import Reading, read_stops, refuse_word
from emulator.exchanges.bybit.vocabulary import (
    OCO,
    OPEN_ORDER,
    ORDER,
    SPOT_TPSL,
    STOP_ORDER,
    TRIGGER_SOURCES,
    TRIGGER_WORDS,
)
from emulator.runtime.submission import Submission
from emulator.web.contract import Call, Parameter, Refusal, Rows

rows = Rows()

PAIR_ORDERS_MAX: Final = 500

CANCELED_MAX: Final = 500
"""How many orders of contracts are canceled at once."""


# Placing


def parse_terms(call: Call, category: Category, values: Mapping[str, Any]) -> tuple[Listing, OrderTerms]:
    """What an order is about, and its terms; raises what is wrong with them."""
    listing = find(category, values["symbol"], call.now_us)
    instrument = listing.instrument.symbol
    state = call.engine.state
    is_hedged = category.is_derivative and state.is_hedged(call.account, instrument)
    reading = Reading(
        category,
        listing,
        values,
        last=state.markets[instrument].last_price(call.now_us),
        held=lambda leg: state.position(call.account, instrument, leg).quantity,
        is_hedged=is_hedged,
        eras=_eras(call),
    )
    terms = reading.terms()
    if terms.price is not None and terms.trigger is None:
        price = nearest_price(call, category, listing, terms.side, terms.price)
        if price != terms.price:
            terms = replace(terms, price=price)
    return listing, terms


def _eras(call: Call) -> Eras:
    door = call.site.dialect
    assert isinstance(door, Door)
    return door.eras


def place(call: Call, category: Category, values: Mapping[str, Any]) -> Submission[OrderIds]:
    listing, terms = parse_terms(call, category, values)
    _check_name(call, category, terms.client_id)
    if not category.is_derivative:
        _check_count(call, category)
    command = PlaceOrder(
        account=call.account, wallet=UNIFIED, instrument=listing.instrument.symbol, terms=terms
    )

    def answer(done: Done) -> OrderIds:
        if done.rejection is not None:
            raise _spoken(call, command, terms, done.rejection)
        placed = done.events[0]
        assert isinstance(placed, OrderPlaced)
        return {
            "orderId": order_id_text(category.name, placed.order),
            "orderLinkId": terms.client_id,
        }

    return call.attempt(command, answer)


def _check_name(call: Call, category: Category, name: str) -> None:
    """A name that one of the account's recent orders has, whether open or over, cannot be given again."""
    if not name:
        return
    account, named = call.account, call.engine.views.client_ids
    if not named.keys().isdisjoint([(account, instrument, name) for instrument in category.instruments]):
        raise refuse(110072 if category.is_derivative else 170141)


def _check_count(call: Call, category: Category) -> None:
    """Pairs have one limit of open orders for all symbols together (Place Order, "Open orders up limit")."""
    listed = call.engine.state.accounts[call.account].open_orders
    if len(listed) < PAIR_ORDERS_MAX:
        return
    if sum(category.holds(order.instrument) for order in listed.values()) >= PAIR_ORDERS_MAX:
        raise refuse(170810)


def _spoken(call: Call, command: Command, terms: OrderTerms, rejection: Rejection) -> Refusal:
    trigger = terms.trigger
    if isinstance(rejection, WouldTrigger) and trigger is not None and trigger.price is not None:
        assert isinstance(command, PlaceOrder | ModifyOrder)
        return _refuse_trigger(
            call,
            command.instrument,
            trigger.price,
            trigger.source,
            rises=trigger.fires_on_rise(terms.side),
        )
    if isinstance(rejection, NothingToReduce):
        assert isinstance(command, PlaceOrder | ModifyOrder)
        return _refuse_reducing(call, command.instrument, terms)
    return call.site.dialect.speak(rejection, command)


def _refuse_reducing(call: Call, instrument: str, terms: OrderTerms) -> Refusal:
    """What may only reduce finds nothing to reduce."""
    held = call.engine.state.position(call.account, instrument, terms.leg).quantity
    if not held:
        return refuse(110017)
    # Quirk: one code has three reasons, and the text tells which one it is (running servers).
    return refuse(110017, text=SAME_SIDE if (held > ZERO) is (terms.side is Side.BUY) else COVERED)


def _refuse_trigger(
    call: Call, instrument: str, price: Decimal, source: TriggerSource, *, rises: bool
) -> Refusal:
    """The price that a conditional order waits for has been reached already."""
    current = call.engine.state.markets[instrument].price_by(source, call.now_us)
    return refuse(
        110092 if rises else 110093, scaled_text(price), scaled_text(current), TRIGGER_WORDS[source]
    )


@rows.route(
    "POST",
    "/v5/order/create",
    summary="Place order",
    security=MAY_ORDER,
    parameters=(CATEGORY, *NEW_ORDER),
    answers=OrderIds,
)
def create_order(call: Call) -> Submission[OrderIds]:
    return place(call, traded_category(call.values), call.values)


# Amending


def amend(call: Call, category: Category, values: Mapping[str, Any]) -> Submission[OrderIds]:
    listing = find(category, values["symbol"], call.now_us)
    order = _named_order(call, category, listing, values)
    if order is None:
        # Quirk: an order that is over is no order any more for whoever wants to change it (Amend Order).
        raise refuse(110001, text=_TOO_LATE_TO_REPLACE) if category.is_derivative else refuse(170213)
    changed = {name: value for name, value in values.items() if name in _CHANGES}
    if not changed:
        raise call.site.dialect.speak(AmendChangesNothing(), None)
    attached = read_stops(category, listing, values, order.terms.attached)
    if attached is not None and order.executed and category.is_derivative:
        # Quirk: the stops of an order cannot be changed any more once it has traded (error page, 110059).
        raise refuse(110059)
    source: TriggerSource | None = None
    if "triggerBy" in values and category.is_derivative:
        source = TRIGGER_SOURCES.get(values["triggerBy"])
        if source is None:
            raise refuse_word(category, "triggerBy")
    quantity: Decimal | None = values.get("qty")
    if quantity is not None and not quantity:
        raise refuse_word(category, "qty")
    price: Decimal | None = values.get("price") or None
    if price is not None and order.resting:
        price = nearest_price(call, category, listing, order.side, price)
    command = ModifyOrder(
        account=call.account,
        instrument=listing.instrument.symbol,
        price=price,
        quantity=quantity,
        order=order.id,
        trigger_price=values.get("triggerPrice") or None,
        trigger_source=source,
        attached=attached,
    )
    ids = render_ids(category, order)

    def answer(done: Done) -> OrderIds:
        if done.rejection is not None:
            raise _not_amended(call, command, order, done.rejection)
        return ids

    return call.attempt(command, answer)


def amend_active(call: Call, category: Category, values: Mapping[str, Any]) -> Submission[OrderIds]:
    """The same of an order of a batch."""
    order = _named_order(call, category, find(category, values["symbol"], call.now_us), values)
    if order is not None and order.status in (OrderStatus.DORMANT, OrderStatus.WAITING):
        # Quirk: batches do not change conditional orders, though they have parameters for their triggers
        # (Batch Amend Order).
        raise refuse(110032 if category.is_derivative else 170312)
    return amend(call, category, values)


_CHANGES: Final = frozenset(
    {
        "qty",
        "price",
        "triggerPrice",
        "triggerBy",
        "takeProfit",
        "stopLoss",
        "tpTriggerBy",
        "slTriggerBy",
        "tpLimitPrice",
        "slLimitPrice",
        "tpslMode",
    }
)
_TOO_LATE_TO_REPLACE: Final = "order not exists or too late to replace"


def _not_amended(call: Call, command: ModifyOrder, order: Order, rejection: Rejection) -> Refusal:
    trigger = order.terms.trigger
    if isinstance(rejection, WouldTrigger) and trigger is not None:
        price = command.trigger_price or trigger.price
        assert price is not None
        return _refuse_trigger(
            call,
            order.instrument,
            price,
            command.trigger_source or trigger.source,
            rises=trigger.fires_on_rise(order.side),
        )
    if isinstance(rejection, NothingToReduce):
        return _refuse_reducing(call, command.instrument, order.terms)
    return call.site.dialect.speak(rejection, command)


@rows.route(
    "POST",
    "/v5/order/amend",
    summary="Amend order",
    security=MAY_ORDER,
    parameters=(CATEGORY, *AMENDED_ORDER),
    one_of=(("orderId", "orderLinkId"),),
    answers=OrderIds,
)
def amend_order(call: Call) -> Submission[OrderIds]:
    return amend(call, traded_category(call.values), call.values)


# Canceling


def cancel(call: Call, category: Category, values: Mapping[str, Any]) -> Submission[OrderIds]:
    listing = find(category, values["symbol"], call.now_us)
    order = _named_order(call, category, listing, values)
    if order is not None and not category.is_derivative:
        # Quirk: an order of a pair is found only under the filter that it belongs to (Cancel Order).
        word = values.get("orderFilter", ORDER)
        if word not in SPOT_FILTERS:
            raise refuse_word(category, "orderFilter")
        if filter_word(category, order) != word:
            order = None
    if order is None:
        if category.is_derivative:
            raise call.site.dialect.speak(UnknownOrder(), None)
        raise refuse(170213)
    command = CancelOrder(account=call.account, instrument=listing.instrument.symbol, order=order.id)
    ids = render_ids(category, order)
    return call.submit(command, lambda done: ids)


@rows.route(
    "POST",
    "/v5/order/cancel",
    summary="Cancel order",
    security=MAY_ORDER,
    parameters=(CATEGORY, *CANCELED_ORDER),
    one_of=(("orderId", "orderLinkId"),),
    answers=OrderIds,
)
def cancel_order(call: Call) -> Submission[OrderIds]:
    return cancel(call, traded_category(call.values), call.values)


def _named_order(call: Call, category: Category, listing: Listing, values: Mapping[str, Any]) -> Order | None:
    """The caller's open order of an id, or else of the client's own name for it."""
    # Quirk: where both names of an order are sent, `orderId` counts and the other one is not looked at
    # (Cancel Order).
    state, instrument = call.engine.state, listing.instrument.symbol
    text: str | None = values.get("orderId")
    if text is None:
        name: str | None = values.get("orderLinkId")
        if name is None:
            raise refuse(10001, "orderId or orderLinkId", text=MISSING_ONE_OF)
        number = state.client_ids.get((call.account, instrument, name))
    else:
        number = read_order_id(text)
    order = None if number is None else state.orders.get(number)
    if order is None or (order.account, order.instrument) != (call.account, instrument):
        return None
    if text is not None and order_id_text(category.name, order.id) != text.lower():
        return None
    return order


SPOT_FILTERS: Final = (ORDER, SPOT_TPSL, STOP_ORDER, OCO)
CONTRACT_FILTERS: Final = (ORDER, STOP_ORDER, OPEN_ORDER)

_ROLES: Final = {
    SPOT_TPSL: (StopRole.NONE, StopRole.PARTIAL_TAKE_PROFIT, StopRole.PARTIAL_STOP_LOSS),
    STOP_ORDER: (StopRole.STOP,),
}
"""Of a pair's orders that wait for their trigger, with their funds frozen or without."""


def filter_word(category: Category, order: Order) -> str:
    """Under which `orderFilter` an order is found."""
    # What was triggered is an order as any other from then on.
    is_waiting = order.terms.trigger is not None and not order.working_us
    if category.is_derivative:
        return STOP_ORDER if is_waiting else ORDER
    if not is_waiting:
        return ORDER
    if order.in_list:
        return OCO
    return STOP_ORDER if order.terms.role is StopRole.STOP else SPOT_TPSL


@rows.route(
    "POST",
    "/v5/order/cancel-all",
    summary="Cancel all orders",
    description="Of a symbol, a base coin or a settle coin; of pairs also of all, and plain ones by default.",
    security=MAY_ORDER,
    parameters=(
        CATEGORY,
        SYMBOL_OPTIONAL,
        BASE_COIN,
        SETTLE_COIN,
        ORDER_FILTER,
        Parameter("stopOrderType", description="`Stop`, with orderFilter=StopOrder."),
    ),
    answers=CanceledOrders,
)
def cancel_all_orders(call: Call) -> Submission[CanceledOrders]:
    values = call.values
    category = traded_category(values)
    if category.is_derivative and not any(name in values for name in ("symbol", "baseCoin", "settleCoin")):
        raise refuse(10001, "symbol or baseCoin or settleCoin", text=MISSING_ONE_OF)
    instruments = chosen_instruments(category, values, call.now_us)
    command = (_of_contracts if category.is_derivative else _of_pairs)(call, category, instruments)

    def answer(done: Done) -> CanceledOrders:
        orders = call.engine.views.orders
        return {
            "list": [
                render_ids(category, orders[event.order])
                for event in done.events
                if isinstance(event, OrderCanceled)
            ],
            "success": "1",
        }

    return call.submit(command, answer)


def _of_contracts(call: Call, category: Category, instruments: tuple[str, ...]) -> CancelOrders:
    # Quirk: of more than 500 open orders of contracts 500 are canceled, which ones nobody can tell; of pairs
    # all (Cancel All Orders, "Futures").
    word: str | None = call.values.get("orderFilter")
    if word is None:
        # Quirk: without a filter all that is open of contracts is canceled, stops of positions too
        # (Cancel All Orders, `orderFilter`).
        return CancelOrders(account=call.account, instruments=instruments, orders_max=CANCELED_MAX)
    if word not in CONTRACT_FILTERS:
        raise refuse_word(category, "orderFilter")
    kind: str | None = call.values.get("stopOrderType")
    if kind not in (None, "Stop"):
        raise refuse_word(category, "stopOrderType")
    return CancelOrders(
        account=call.account,
        instruments=instruments,
        dormant=word == STOP_ORDER,
        roles=(StopRole.STOP,) if word == STOP_ORDER and kind else None,
        orders_max=CANCELED_MAX,
    )


def _of_pairs(call: Call, category: Category, instruments: tuple[str, ...]) -> CancelOrders:
    word: str = call.values.get("orderFilter", ORDER)
    if word not in SPOT_FILTERS:
        raise refuse_word(category, "orderFilter")
    roles = _ROLES.get(word)
    return CancelOrders(
        account=call.account,
        instruments=instruments,
        dormant=word != ORDER,
        # One of two that end each other is an order as any other when it was triggered.
        listed=None if word == ORDER else word == OCO,
        roles=roles,
    )
