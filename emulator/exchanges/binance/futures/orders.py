"""Placing, testing, modifying, canceling and finding single orders of contracts (Trade, REST API)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from emulator.core.commands import CancelAllOrders, CancelOrder, PlaceOrder, SetCountdown, TestOrder
from emulator.core.engine import Done
from emulator.core.events import OrderPlaced
from emulator.core.orders import Order, OrderStatus, OrderTerms
from emulator.core.rejections import UnknownOrder
from emulator.exchanges.binance.eras import Eras
from emulator.exchanges.binance.futures.door import door_of
from emulator.exchanges.binance.futures.listings import Listing
from emulator.exchanges.binance.futures.order_parameters import NAMED, NEW_ORDER, ONE_NAMED
from emulator.exchanges.binance.futures.payloads.account import Done as Confirmed
from emulator.exchanges.binance.futures.payloads.trading import (
    CoinmOrder,
    CoinmOrderState,
    Countdown,
    UsdmOrder,
    UsdmOrderState,
)
from emulator.exchanges.binance.futures.products import Product, product_of
from emulator.exchanges.binance.futures.refusals import TABLES
from emulator.exchanges.binance.futures.replies import (
    OrderStanding,
    PlacedOrder,
    answer_order,
    answer_state,
    answer_tested,
)
from emulator.exchanges.binance.futures.rows import Declared, FuturesRows
from emulator.exchanges.binance.futures.symbols import find
from emulator.exchanges.binance.futures.terms import PLAIN, Names, Reading
from emulator.exchanges.binance.futures.vocabulary import STOP_TYPES, TRADE
from emulator.exchanges.binance.futures.windows import DAY_US
from emulator.exchanges.binance.vocabulary import SYMBOL, USER_DATA
from emulator.runtime.submission import Submission
from emulator.web.contract import Call, Kind, Parameter

rows = FuturesRows()

UNFILLED_KEPT_US: Final = 3 * DAY_US
KEPT_US: Final = 90 * DAY_US

ALL_CANCELED: Final[Confirmed] = {
    "code": 200,
    "msg": "The operation of cancel all open order is done.",
}

_UNFILLED: Final = frozenset({OrderStatus.CANCELED, OrderStatus.EXPIRED, OrderStatus.EXPIRED_IN_MATCH})


# Placing


def parse_terms(call: Call, values: Mapping[str, Any], names: Names = PLAIN) -> tuple[Listing, OrderTerms]:
    """What an order is about, and its terms; raises what is wrong with them."""
    product = product_of(call)
    listing = find(product, values["symbol"], call.now_us)
    # Quirk: conditional types are still listed among a symbol's order types, and refused all the same where
    # plain orders are placed (change log, 2025-12-09).
    if not names.is_detached and values["type"] in STOP_TYPES and _refuses_stops(product, eras_of(call)):
        raise TABLES[product].refuse(-4120)
    is_hedged = (call.account, product.wallet) in call.engine.state.hedged
    reading = Reading(product, listing, values, names, is_hedged=is_hedged, now_us=call.now_us)
    return listing, reading.terms()


def eras_of(call: Call) -> Eras:
    return door_of(call).eras


def _refuses_stops(product: Product, eras: Eras) -> bool:
    return (eras.coinm_stop_orders if product.is_inverse else eras.usdm_stop_orders) == "refuse"


def place(call: Call, values: Mapping[str, Any]) -> Submission[PlacedOrder]:
    product = product_of(call)
    listing, terms = parse_terms(call, values)
    is_acknowledged = values["newOrderRespType"] == "ACK"
    command = PlaceOrder(
        account=call.account, wallet=product.wallet, instrument=listing.instrument.symbol, terms=terms
    )

    def answer(done: Done) -> PlacedOrder:
        placed = done.events[0]
        assert isinstance(placed, OrderPlaced)
        order = call.engine.views.orders[placed.order]
        return answer_order(call, product, order, eras_of(call), is_acknowledged=is_acknowledged)

    return call.submit(command, answer)


@rows.both(
    "POST",
    "/v1/order",
    summary="New order",
    security=TRADE,
    weight=0,
    orders=1,
    parameters=NEW_ORDER,
    answers=UsdmOrder,
    coinm=Declared(answers=CoinmOrder),
)
def place_order(call: Call) -> Submission[PlacedOrder]:
    return place(call, call.values)


@rows.usdm(
    "POST",
    "/v1/order/test",
    summary="Test order",
    description="Checks an order without placing it; neither the margin nor the book is asked.",
    security=TRADE,
    weight=0,
    parameters=NEW_ORDER,
    answers=UsdmOrder,
)
def try_order(call: Call) -> Submission[PlacedOrder]:
    product = product_of(call)
    listing, terms = parse_terms(call, call.values)
    command = TestOrder(
        account=call.account, wallet=product.wallet, instrument=listing.instrument.symbol, terms=terms
    )
    return call.submit(command, lambda done: answer_tested(call, product, listing, terms, eras_of(call)))


# Canceling


def cancel(
    call: Call, listing: Listing, order_id: int | None, client_id: str | None
) -> Submission[PlacedOrder]:
    """Cancel an order by either of its ids; where both are known the first one counts."""
    product = product_of(call)
    # Quirk: where both ids of an order are sent, `orderId` counts and the other one is not looked at
    # (Cancel Order).
    command = CancelOrder(
        account=call.account,
        instrument=listing.instrument.symbol,
        order=order_id,
        client_id=client_id if order_id is None else None,
    )
    if open_order(call, listing, order_id, client_id) is None:
        raise call.site.dialect.speak(UnknownOrder(), command)

    def answer(done: Done) -> PlacedOrder:
        canceled: Any = done.events[0]
        # Quirk: the answer to a cancel has the order's own name, unlike on Spot (Cancel Order).
        return answer_order(call, product, call.engine.views.orders[canceled.order], eras_of(call))

    return call.submit(command, answer)


def open_order(call: Call, listing: Listing, order_id: int | None, client_id: str | None) -> Order | None:
    """The caller's open order of an id, or else of a name, if it is one of the plain ones."""
    state, instrument = call.engine.state, listing.instrument.symbol
    if order_id is None and client_id is not None:
        order_id = state.client_ids.get((call.account, instrument, client_id))
    order = None if order_id is None else state.orders.get(order_id)
    if order is None or (order.account, order.instrument) != (call.account, instrument):
        return None
    return None if order.terms.detached else order


@rows.both(
    "DELETE",
    "/v1/order",
    summary="Cancel order",
    security=TRADE,
    weight=1,
    parameters=NAMED,
    one_of=ONE_NAMED,
    answers=UsdmOrder,
    coinm=Declared(answers=CoinmOrder),
)
def cancel_order(call: Call) -> Submission[PlacedOrder]:
    values = call.values
    listing = find(product_of(call), values["symbol"], call.now_us)
    return cancel(call, listing, values.get("orderId"), values.get("origClientOrderId"))


@rows.both(
    "DELETE",
    "/v1/allOpenOrders",
    summary="Cancel all open orders",
    description="Those that stand apart until their trigger are not among them.",
    security=TRADE,
    weight=1,
    parameters=(SYMBOL,),
    answers=Confirmed,
)
def cancel_open_orders(call: Call) -> Submission[Confirmed]:
    return cancel_all(call, detached=False)


def cancel_all(call: Call, *, detached: bool) -> Submission[Confirmed]:
    listing = find(product_of(call), call.values["symbol"], call.now_us)
    command = CancelAllOrders(account=call.account, instrument=listing.instrument.symbol, detached=detached)

    def answer(done: Done) -> Confirmed:
        # Quirk: to cancel all where none is open is a success on futures (Cancel All Open Orders).
        if done.rejection is not None and not isinstance(done.rejection, UnknownOrder):
            raise call.site.dialect.speak(done.rejection, command)
        return ALL_CANCELED

    return call.attempt(command, answer)


@rows.both(
    "POST",
    "/v1/countdownCancelAll",
    summary="Auto-cancel all open orders",
    description="Cancels all open orders of a symbol when the time is up, unless said again; 0 ends it.",
    security=TRADE,
    weight=10,
    parameters=(
        SYMBOL,
        Parameter("countdownTime", Kind.INTEGER, required=True, description="In milliseconds."),
    ),
    answers=Countdown,
)
def count_down(call: Call) -> Submission[Countdown]:
    listing = find(product_of(call), call.values["symbol"], call.now_us)
    milliseconds: int = call.values["countdownTime"]
    command = SetCountdown(
        account=call.account,
        instrument=listing.instrument.symbol,
        at_us=call.now_us + milliseconds * 1000 if milliseconds else None,
    )
    # Quirk: the time of a countdown comes back as text (Auto-Cancel All Open Orders).
    return call.submit(command, lambda done: {"symbol": listing.symbol, "countdownTime": str(milliseconds)})


# Finding


def is_told(order: Order, now_us: int) -> bool:
    """Whether queries still find an order, which must not be one that stands apart."""
    # Quirk: an order that ended without a trade is forgotten three days after it was made, any other after 90
    # days (Query Order).
    if order.terms.detached:
        return False
    is_unfilled = order.status in _UNFILLED and not order.executed
    return not order.is_ended or order.created_us >= now_us - (UNFILLED_KEPT_US if is_unfilled else KEPT_US)


@rows.both(
    "GET",
    "/v1/order",
    summary="Query order",
    security=USER_DATA,
    weight=1,
    parameters=NAMED,
    one_of=ONE_NAMED,
    answers=UsdmOrderState,
    coinm=Declared(answers=CoinmOrderState),
)
async def query_order(call: Call) -> OrderStanding:
    values, product = call.values, product_of(call)
    listing = find(product, values["symbol"], call.now_us)
    order_id: int | None = values.get("orderId")
    client_id = values.get("origClientOrderId") if order_id is None else None
    order = await call.order(listing.instrument.symbol, order_id, client_id)
    if order is None or not is_told(order, call.now_us):
        raise TABLES[product].refuse(-2013)
    return answer_state(call, product, order)


@rows.both(
    "GET",
    "/v1/openOrder",
    summary="Query current open order",
    security=USER_DATA,
    weight=1,
    parameters=NAMED,
    one_of=ONE_NAMED,
    answers=UsdmOrderState,
    coinm=Declared(answers=CoinmOrderState),
)
def query_open_order(call: Call) -> OrderStanding:
    values, product = call.values, product_of(call)
    listing = find(product, values["symbol"], call.now_us)
    order = open_order(call, listing, values.get("orderId"), values.get("origClientOrderId"))
    if order is None:
        raise TABLES[product].refuse(-2013)
    return answer_state(call, product, order)
