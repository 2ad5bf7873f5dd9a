"""Conditional orders that stand apart until their trigger (New Algo Order, and its neighbours).

Each is an order of the core that is detached: when it is triggered it is over, and another order of the
same name, with an id of its own, is placed in its stead, which the endpoints of plain orders tell of.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from emulator.core.commands import CancelOrder, PlaceOrder
from emulator.core.engine import Done
from emulator.core.events import OrderPlaced
from emulator.core.history import Query
from emulator.core.numbers import ZERO, exact
from emulator.core.orders import EndReason, Order, OrderStatus
from emulator.exchanges.binance.futures.histories import instruments_of
from emulator.exchanges.binance.futures.listings import Listing
from emulator.exchanges.binance.futures.order_parameters import NEW_ALGO_ORDER
from emulator.exchanges.binance.futures.orders import KEPT_US, UNFILLED_KEPT_US, cancel_all, parse_terms
from emulator.exchanges.binance.futures.payloads.account import Done as Confirmed
from emulator.exchanges.binance.futures.payloads.trading import AlgoCanceled, AlgoOrder, AlgoOrderState
from emulator.exchanges.binance.futures.products import Product, product_of
from emulator.exchanges.binance.futures.refusals import TABLES
from emulator.exchanges.binance.futures.replies import (
    average_price,
    callback_rate,
    good_till_ms,
    listing_of,
    time_in_force_word,
    type_word,
)
from emulator.exchanges.binance.futures.rows import FuturesRows
from emulator.exchanges.binance.futures.symbols import find
from emulator.exchanges.binance.futures.terms import ALGO
from emulator.exchanges.binance.futures.vocabulary import (
    CLIENT_ID,
    LEG_WORDS,
    PRICE_MATCH_WORDS,
    TRADE,
    TRAILING,
    WORKING_TYPE_WORDS,
    render_average,
    render_price,
    render_quantity,
)
from emulator.exchanges.binance.futures.windows import LIMIT, Span, records_of, span_of
from emulator.exchanges.binance.vocabulary import (
    END_TIME,
    SELF_TRADE_WORDS,
    SIDE_WORDS,
    START_TIME,
    SYMBOL,
    SYMBOL_OPTIONAL,
    USER_DATA,
)
from emulator.runtime.submission import Submission
from emulator.web.contract import Call, Kind, Parameter

rows = FuturesRows()

IDS_FROM: Final = 1_000_000_000_000_000
"""Their ids lie above those of plain orders, as on live hosts (1000000226909486)."""

ALGO_TYPE: Final = "CONDITIONAL"

ALGO_ID: Final = Parameter("algoId", Kind.INTEGER)
CLIENT_ALGO_ID: Final = CLIENT_ID.but(name="clientAlgoId")
_NAMED: Final = (ALGO_ID, CLIENT_ALGO_ID)
_ONE_NAMED: Final = (("clientAlgoId", "algoId"),)


# Placing


@rows.both(
    "POST",
    "/v1/algoOrder",
    summary="New algo order",
    security=TRADE,
    weight=0,
    orders=1,
    parameters=NEW_ALGO_ORDER,
    answers=AlgoOrder,
)
def place_algo_order(call: Call) -> Submission[AlgoOrder]:
    product = product_of(call)
    listing, terms = parse_terms(call, call.values, ALGO)
    command = PlaceOrder(
        account=call.account, wallet=product.wallet, instrument=listing.instrument.symbol, terms=terms
    )

    def answer(done: Done) -> AlgoOrder:
        placed = done.events[0]
        assert isinstance(placed, OrderPlaced)
        with exact():
            return _placed(call, product, call.engine.views.orders[placed.order])

    return call.submit(command, answer)


# Canceling


@rows.both(
    "DELETE",
    "/v1/algoOrder",
    summary="Cancel algo order",
    security=TRADE,
    weight=1,
    parameters=_NAMED,
    one_of=_ONE_NAMED,
    answers=AlgoCanceled,
)
def cancel_algo_order(call: Call) -> Submission[AlgoCanceled]:
    product = product_of(call)
    waiting = _waiting(call, product)
    if waiting is None:
        raise TABLES[product].refuse(-2011)
    command = CancelOrder(account=call.account, instrument=waiting.instrument, order=waiting.id)
    # Quirk: the code of this one answer is text (Cancel Algo Order).
    return call.submit(
        command,
        lambda done: {
            "algoId": algo_id_of(waiting),
            "clientAlgoId": waiting.client_id,
            "code": "200",
            "msg": "success",
        },
    )


def _waiting(call: Call, product: Product) -> Order | None:
    """The order that waits and has the id, or else the name, of a request."""
    wanted, name = call.values.get("algoId"), call.values.get("clientAlgoId")
    for order in call.engine.state.accounts[call.account].open_orders.values():
        if not order.terms.detached or not product.holds(order.instrument):
            continue
        if (order.client_id == name) if wanted is None else (algo_id_of(order) == wanted):
            return order
    return None


@rows.both(
    "DELETE",
    "/v1/algoOpenOrders",
    summary="Cancel all algo open orders",
    security=TRADE,
    weight=1,
    parameters=(SYMBOL,),
    answers=Confirmed,
)
def cancel_algo_orders(call: Call) -> Submission[Confirmed]:
    return cancel_all(call, detached=True)


# Finding


@rows.both(
    "GET",
    "/v1/algoOrder",
    summary="Query algo order",
    security=USER_DATA,
    weight=1,
    parameters=_NAMED,
    one_of=_ONE_NAMED,
    answers=AlgoOrderState,
)
async def query_algo_order(call: Call) -> AlgoOrderState:
    product = product_of(call)
    order = _waiting(call, product) or await _over(call, product)
    if order is None or not is_told(order, call.now_us):
        raise TABLES[product].refuse(-2013)
    return await _state(call, product, order, is_listed=False)


async def _over(call: Call, product: Product) -> Order | None:
    """The newest order of a request's id or name that waits no more. A request says no symbol, so all of
    the product's are looked through."""
    wanted, name = call.values.get("algoId"), call.values.get("clientAlgoId")
    order_id = None if wanted is None else wanted - IDS_FROM
    found: Order | None = None
    for instrument in product.instruments:
        query = Query(
            account=call.account,
            scope=instrument,
            first_id=order_id,
            last_id=order_id,
            label=name if order_id is None else None,
            newest=True,
        )
        for order in await call.records(Order, query):
            if order.terms.detached and (found is None or order.id > found.id):
                found = order
    return found


def _open_weight(values: Mapping[str, Any]) -> int:
    return 1 if "symbol" in values else 40


@rows.both(
    "GET",
    "/v1/openAlgoOrders",
    summary="Current all algo open orders",
    security=USER_DATA,
    weight=_open_weight,
    parameters=(Parameter("algoType", Kind.CHOICE, choices=(ALGO_TYPE,)), SYMBOL_OPTIONAL, ALGO_ID),
    answers=list[AlgoOrderState],
)
async def open_algo_orders(call: Call) -> list[AlgoOrderState]:
    product = product_of(call)
    chosen, wanted = set(instruments_of(call)), call.values.get("algoId")
    listed = [
        order
        for order in call.engine.state.accounts[call.account].open_orders.values()
        if order.terms.detached
        and order.instrument in chosen
        and (wanted is None or algo_id_of(order) == wanted)
    ]
    return [await _state(call, product, order, is_listed=True) for order in listed]


@rows.both(
    "GET",
    "/v1/allAlgoOrders",
    summary="Query all algo orders",
    description="Of seven days at most, the last ones where no time is given.",
    security=USER_DATA,
    weight=5,
    parameters=(SYMBOL, ALGO_ID, START_TIME, END_TIME, LIMIT),
    answers=list[AlgoOrderState],
)
async def all_algo_orders(call: Call) -> list[AlgoOrderState]:
    product, now_us = product_of(call), call.now_us
    listing = find(product, call.values["symbol"], call.now_us)
    span = span_of(call)
    first: int | None = call.values.get("algoId")
    if first is not None:
        span = Span(span.start_us if "startTime" in call.values else None, span.end_us, newest=False)
    listed = await records_of(
        call,
        Order,
        (listing.instrument.symbol,),
        span,
        admits=lambda order: order.terms.detached and is_told(order, now_us),
        first_id=None if first is None else max(0, first - IDS_FROM),
    )
    return [await _state(call, product, order, is_listed=True) for order in listed]


def is_told(order: Order, now_us: int) -> bool:
    """Whether queries still find one: three days long, if nothing came of it, else for ninety."""
    if not order.is_ended:
        return True
    return order.created_us >= now_us - (KEPT_US if order.successor else UNFILLED_KEPT_US)


# Answers


def algo_id_of(order: Order) -> int:
    return IDS_FROM + order.id


def _placed(call: Call, product: Product, order: Order) -> AlgoOrder:
    return _terms(call, product, listing_of(product, order), order, status_word(order, None))


async def _state(call: Call, product: Product, order: Order, *, is_listed: bool) -> AlgoOrderState:
    successor = await call.order(order.instrument, order.successor, None) if order.successor else None
    listing = listing_of(product, order)
    with exact():
        state: dict[str, Any] = {
            **_terms(call, product, listing, order, status_word(order, successor)),
            # Quirk: the id of the order that came of it is text, and empty until there is one (Query Algo
            # Order).
            "actualOrderId": str(order.successor) if order.successor else "",
            "actualPrice": render_average(listing, _average(listing, successor)),
            "actualQty": render_quantity(listing, successor.executed if successor else ZERO),
            "actualType": successor.terms.type.name if successor else "",
            "tpOrderType": "",
        }
        if is_listed:
            zero = render_price(listing, None)
            state |= dict.fromkeys(("tpTriggerPrice", "tpPrice", "slTriggerPrice", "slPrice"), zero)
        if product.is_inverse:
            state["isActivated"] = order.trailing
    answer: AlgoOrderState = state  # type: ignore[assignment] # put together of parts
    return answer


def _average(listing: Listing, successor: Order | None) -> Decimal:
    return ZERO if successor is None else average_price(listing, successor)


def _terms(call: Call, product: Product, listing: Listing, order: Order, status: str) -> AlgoOrder:
    terms = order.terms
    trigger = terms.trigger
    assert trigger is not None
    is_trailing = type_word(terms) == TRAILING
    answer: AlgoOrder = {
        "algoId": algo_id_of(order),
        "clientAlgoId": order.client_id,
        "algoType": ALGO_TYPE,
        "orderType": type_word(terms),
        "symbol": listing.symbol,
        "side": SIDE_WORDS[terms.side],
        "positionSide": LEG_WORDS[terms.leg],
        "timeInForce": time_in_force_word(terms),
        "quantity": render_quantity(listing, order.quantity),
        "algoStatus": status,
        "triggerPrice": render_price(listing, None if is_trailing else trigger.price),
        "price": render_price(listing, terms.price),
        "icebergQuantity": None,
        "selfTradePreventionMode": SELF_TRADE_WORDS[order.self_trade_mode],
        "workingType": WORKING_TYPE_WORDS[trigger.source],
        "priceMatch": PRICE_MATCH_WORDS[terms.peg] if terms.peg else "NONE",
        "closePosition": terms.close_position,
        "priceProtect": terms.price_protect,
        "reduceOnly": terms.reduce_only,
        "createTime": call.render_time(order.created_us),
        "updateTime": call.render_time(order.updated_us),
        "triggerTime": call.render_time(order.updated_us) if order.successor else 0,
        "goodTillDate": good_till_ms(terms),
    }
    if is_trailing:
        answer["activatePrice"] = render_price(listing, trigger.price or order.extreme)
        answer["callbackRate"] = callback_rate(terms)
    elif not product.is_inverse:
        answer["activatePrice"] = answer["callbackRate"] = ""
    return answer


def status_word(order: Order, successor: Order | None) -> str:
    """How far one has come. successor: the order that came of it."""
    match order.status:
        case OrderStatus.TRIGGERED:
            return "FINISHED" if successor is None or successor.is_ended else "TRIGGERED"
        case OrderStatus.CANCELED:
            return "CANCELED"
        case OrderStatus.EXPIRED:
            return "REJECTED" if order.end_reason in _REJECTED else "EXPIRED"
        case _:
            return "NEW"


_REJECTED: Final = frozenset(
    {
        EndReason.INSUFFICIENT_BALANCE,
        EndReason.REFUSED_AT_ACTIVATION,
        EndReason.WOULD_TAKE,
        EndReason.UNFILLED_ALL_OR_NOTHING,
        EndReason.NO_PEG_LEVEL,
    }
)
"""What spoke against the order that should have come of one."""
